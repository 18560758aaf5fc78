/* What the rows of a dataset are called: columns, categories, classes. Counted; datasets that are made of another one share
 * its. Private to the room. */
#ifndef GT_TRAIN_DATA_NAMES_H
#define GT_TRAIN_DATA_NAMES_H

#include "io/table.h"

typedef struct gt_DataNames {
    gt_Context *context;
    int32_t references;
    gt_Words columns; /* of x */
    gt_Words classes;
    gt_Words texts;     /* columns of text, in their order */
    gt_Table *table;    /* that the dataset was read from, without its numbers; NULL: none */
    int32_t width;      /* of x */
    int32_t *column_of; /* for each column of x that of the table */
    bool one_hot;       /* a column of x is one category */
    double scale;       /* of the numbers of x */
    gt_DType dtype, label_dtype; /* GT_DTYPE_NONE: it follows from the labels */
} gt_DataNames;

gt_DataNames *gt_names_new(gt_Context *context);  /* NULL with an error raised */
gt_DataNames *gt_names_hold(gt_DataNames *names); /* NULL is passed through */
void gt_names_release(gt_DataNames *names);       /* NULL is ignored */

/* ---- tables ---- */

/* Fills in what the columns of x and the classes are called, of names that have a table. */
bool gt_names_of_table(gt_DataNames *names);
/* How many columns of x a column of the table becomes. */
int32_t gt_column_width(const gt_TableColumn *column, bool one_hot);
/* The column of labels, or of weights; NULL: there is none. */
const gt_TableColumn *gt_table_role(const gt_Table *table, gt_TableRole role);

#endif
