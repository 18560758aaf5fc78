/* Rows for a model: tables as text, IDX and NPZ files, read into tensors, and others in the same way later. */
#ifndef GT_CLI_ROWS_H
#define GT_CLI_ROWS_H

#include "cli/command.h"

typedef enum RowsKind { ROWS_CSV, ROWS_IDX, ROWS_NPZ } RowsKind;
typedef enum Task { TASK_AUTO, TASK_CLASSES, TASK_NUMBERS } Task;

/* What is asked for. */
typedef struct Reading {
    const char *path;
    const char
        *label; /* CSV: a column, by name or number; NPZ: an array; NULL: the last column, "y" */
    const char *labels; /* a second file, of labels alone; NULL: none */
    const char *x;      /* NPZ: the array of inputs */
    Task task;
    WordList columns, without, categories, na;
    const char *missing, *decimal;
    int64_t skip_rows;
    int64_t max_categories;
} Reading;

typedef struct Rows {
    RowsKind kind;
    Task task; /* of the labels, decided */
    int64_t count;
    gt_Tensor *x,
        *y; /* (count, ...), and int32 (count) of classes or float32 (count, 1); y NULL: none */
    gt_NamedText texts[GT_MAX_TEXTS + 1]; /* columns of text, up to a NULL name; x may be NULL beside them */
    gt_Tensor *weight; /* of the labels; NULL: all weigh 1 */
    int columns;      /* CSV: of the table, without the label */
    WordList classes; /* names; of as many classes as there are */
    gt_Dataset *table;  /* CSV: what it was read as, with the names of its columns; else NULL */
    gt_Dataset *spread; /* CSV: the same with a column for each category, as a model gets it */
} Rows;

#define MISSING_WORDS "--missing must be error, drop, mean or median"
#define DECIMAL_WORDS "--decimal must be . or ,"
/* "median", ...; false: it is none of them. */
bool rows_missing(const char *word, gt_Missing *missing);
RowsKind rows_kind(const char *path);
/* False: told, or raised by the library. */
bool rows_read(const Reading *reading, Rows *rows);

/* What the model's file is to say of the kind of file that the rows came from; valid until it is asked again. NULL: told. */
const char *rows_recipe(const Reading *reading, const Rows *rows);
/* How a table is read for a model that knows its own. */
typedef struct Likeness {
    const char *path;
    const char *missing; /* "median", ...; NULL: as the model's table, and gaps where that had none as the mean */
    const char *decimal; /* NULL: as the model's table */
    WordList na;         /* none: as the model's table */
    int64_t skip_rows;   /* -1: as the model's table */
    const char *labels;  /* a second file, of labels alone; NULL: none */
    bool labelled;       /* with labels, from `labels` if that is not NULL */
} Likeness;
#define LIKENESS_OPTIONS(how)                                                                                \
    {"missing", 0, OPTION_TEXT, &(how).missing, "HOW",                                                       \
     "empty cells: median, mean, drop or error; none: as in training"},                                      \
        {"na", 0, OPTION_LIST, &(how).na, "WORD,WORD", "words for an empty cell; none: as in training"},     \
        {"decimal", 0, OPTION_TEXT, &(how).decimal, "C", "the point of numbers; none: as in training"},      \
        {"skip-rows", 0, OPTION_INTEGER, &(how).skip_rows, "N", "lines before the first row; none: as in training"}
/* False: an option has a value that none may have; told. */
bool likeness_sound(const Likeness *how);
bool good_decimal(const char *text);
/* Reads rows as the model and the recipe say. */
bool rows_read_like(gt_Layer *model, const char *recipe, const Likeness *how, Rows *rows);
/* The rows in the form that a model takes, columns of text among them; NULL: raised. */
gt_Dataset *rows_dataset(const Rows *rows);

#endif
