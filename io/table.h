/* A table as it comes: rows of text whose columns are numbers or categories. What gt_dataset_from_csv reads with.
 *
 *   1. The first row is read by itself, then all rows are surveyed: which columns are numbers, which text, where.
 *   2. From that follows whether the first row is a header, and which field each wanted column is.
 *   3. The rows are read again, into columns of float64: numbers, or numbers of categories.
 *   4. What was missing is filled in, and categories are put in the order of their bytes.
 *
 * Private to the library. */
#ifndef GT_IO_TABLE_H
#define GT_IO_TABLE_H

#include "core/strings_inside.h"
#include "io/csv.h"
#include "io/words.h"

typedef enum gt_TableRole { GT_TABLE_X, GT_TABLE_LABEL, GT_TABLE_WEIGHT, GT_TABLE_TEXT } gt_TableRole;

typedef struct gt_TableColumn {
    gt_TableRole role;
    int64_t field;   /* of the file, from 0 */
    bool text;       /* its numbers are those of `words` */
    bool integers;   /* every number was written as an integer */
    double fill;     /* stands for what is missing: the mean, unless the form says another; NaN: nothing does */
    gt_Words words;  /* the categories */
    double *numbers; /* `capacity` of them, NULL once they are given up; of text none */
    gt_TextBuilder strings; /* of text: one a row, "" where it is missing; given up with the numbers */
} gt_TableColumn;

/* How a table is written, and what becomes of its gaps. */
typedef struct gt_TableForm {
    char delimiter, quote, decimal; /* delimiter 0: it is found; quote 0: there is none */
    gt_Header header;
    gt_Missing missing;
    double missing_value;
    int64_t skip_rows;
    gt_Words na;
} gt_TableForm;

typedef struct gt_Table {
    gt_Context *context;
    gt_TableForm form;
    int64_t rows, capacity;
    int32_t count, column_capacity;
    gt_TableColumn
        *columns; /* inputs in the order of the file, or in that of .columns; then text, label, weight */
    gt_Words names;   /* of the columns, "" where there is none */
    gt_Words classes; /* of integers as labels, where the file says them */
    bool named;       /* it has a header */
} gt_Table;

typedef struct gt_TableOptions {
    char delimiter, quote, decimal;
    gt_Header header;
    int64_t skip_rows, limit;
    gt_Names columns, without, categories, texts, na;
    const char *label, *weight; /* a name, or a number; NULL: none */
    gt_Missing missing;
    double missing_value;
    int32_t max_categories;
    bool single; /* numbers are to fit float32 */
    const gt_Table *like; /* the same columns, categories and fillings as of this one, and its na where none are given;
                             NULL: its own */
    bool unlabelled;      /* with `like`: without its label */
    bool label_optional;  /* with `like`: its label and weight where the table has such columns */
} gt_TableOptions;

/* One without columns; NULL with the error raised. */
gt_Table *gt_table_new(gt_Context *context);
/* NULL with the error raised. */
gt_Table *gt_table_read(gt_Context *context, const char *path, const gt_TableOptions *options);
/* One column as text, into the builder; of the options the header, what is between fields, skip_rows and limit count. False
 * with the error raised. */
bool gt_table_strings(gt_Context *context, const char *path, const gt_TableOptions *options,
                      const char *column, gt_TextBuilder *builder);
/* Lets the numbers go, and keeps what is known of the columns. */
void gt_table_give_up_numbers(gt_Table *table);
void gt_table_release(gt_Table *table); /* NULL is ignored */

#endif
