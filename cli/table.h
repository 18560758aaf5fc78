/* Parts of reading rows that rows.c and recipe.c share. */
#ifndef GT_CLI_TABLE_H
#define GT_CLI_TABLE_H

#include "cli/rows.h"

#define ALL_ROWS ((int64_t)1 << 30) /* a batch of that many holds a whole table */

/* A copy that lives as long as the program; NULL without memory. */
char *table_copy(const char *text);
/* The whole dataset as tensors: x, y, count. */
bool table_take(gt_Dataset *dataset, Rows *rows);
/* IDX or CSV with a column of labels, the last one: as numbers, or else as text. */
bool table_load_labels(const char *path, gt_Tensor **numbers, gt_Strings *text);
/* The different texts, in the order of their bytes. */
bool table_name_classes(gt_Strings labels, WordList *classes);
/* int32 numbers of classes, for labels that are called like them. NULL: one is not known, told. */
gt_Tensor *table_classes(gt_Tensor *labels, const WordList *classes);
gt_Tensor *table_classes_of_text(gt_Strings labels, const WordList *classes);

bool rows_same_count(const Rows *rows, const char *path, gt_Tensor *y);
bool rows_read_inputs(RowsKind kind, const char *path, const char *x, Rows *rows);

#endif
