/* Datasets: rows of x and y, handed out in batches in an order that depends on (seed, epoch) alone.
 *
 *     gt_Batch batch;
 *     while (gt_dataset_next(train, &batch)) { ... batch.x, batch.y, batch.size ... }
 */
#ifndef GT_TRAIN_DATASET_H
#define GT_TRAIN_DATASET_H

#include <math.h>

#include "core/keyword.h"
#include "core/strings.h"
#include "core/tensor.h"
#include "layers/layer.h"

GT_BEGIN

/* Rows, handed out in batches: of tensors, of a file, of a function, or made of those of another dataset. */
typedef struct gt_Dataset gt_Dataset;

/* How a dataset hands out its rows. */
#define GT_BATCH_COMMON(F, S)                                                                      \
    F(S, int64_t, batch_size, 32, "rows of a batch; the last one of an epoch may have fewer")      \
    F(S, bool, shuffle, true, "a new order of the rows in every epoch")                            \
    F(S, int64_t, seed, -1, "of the shuffles; -1: the context's seed")                             \
    F(S, bool, drop_remainder, false, "leave out a last batch that is not full")

/* Inputs, labels and weights of a dataset at most, of each; and columns of text. */
#define GT_MAX_COLUMNS 16
#define GT_MAX_TEXTS   8

#define gt_dataset_from_tensors_OPTIONS(F, S)                                                      \
    GT_BATCH_COMMON(F, S)                                                                          \
    F(S, gt_Tensors, more_x, GT_NOT_GIVEN, "inputs after x, for a model with several")             \
    F(S, gt_Tensors, more_y, GT_NOT_GIVEN, "labels after y, one for each output of the model")     \
    F(S, gt_Tensors, sample_weight, GT_NOT_GIVEN,                                                  \
      "one for all labels, or one for each: (rows), or (rows, steps); NULL among them: none")      \
    F(S, gt_NamedTexts, text, GT_NOT_GIVEN,                                                        \
      "columns of text, by name: gt_named_text({\"note\", notes}); x may be NULL then")
GT_OPTIONS(gt_dataset_from_tensors_options, gt_dataset_from_tensors_OPTIONS);

/* gt_dataset_from_tensors(x, y, .batch_size = 64): row i is x[i] and y[i]. Shapes (rows, ...), of
 * any type; y may be NULL, for gt_predict. A model with several inputs and outputs gets the others by
 * .more_x and .more_y. Masks that ride on inputs (gt_with_mask) go with their rows. It holds the
 * numbers, the handles may go. Arrays in
 * memory: gt_from_data copies them, gt_from_buffer borrows them (they must then outlive the
 * dataset). Floating: free with gt_dataset_free, or it is freed with the context. */
#define gt_dataset_from_tensors(...)                                                               \
    gt_dataset_from_tensors_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),             \
                               GT_KEYWORDS(gt_dataset_from_tensors, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Dataset *gt_dataset_from_tensors_at(const char *here, gt_Tensor *x, gt_Tensor *y,
                                              const gt_dataset_from_tensors_options *options);

#define gt_dataset_split_OPTIONS(F, S)                                                             \
    F(S, bool, shuffle, true, "false: the first rows, and the rest")                               \
    F(S, int64_t, seed, -1, "which rows go where; -1: the context's seed")
GT_OPTIONS(gt_dataset_split_options, gt_dataset_split_OPTIONS);

/* gt_dataset_split(digits, 0.8, &train, &test): two new datasets with copies of the rows, the first
 * with that fraction of them, rounded, and the options of the one that is split. Neither may be
 * empty. On failure both are NULL. */
#define gt_dataset_split(dataset, fraction, first, ...)                                            \
    gt_dataset_split_at(GT_HERE, dataset, fraction, first, GT_FIRST(__VA_ARGS__),                  \
                        GT_KEYWORDS(gt_dataset_split, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_dataset_split_at(const char *here, gt_Dataset *dataset, double fraction,
                                     gt_Dataset **first, gt_Dataset **second,
                                     const gt_dataset_split_options *options);

/* A few rows. The handles belong to the innermost scope, and go at the latest with the next call of
 * gt_dataset_next on that dataset. */
typedef struct gt_Batch {
    gt_Tensor *x;
    gt_Tensor *y; /* NULL: the dataset has none */
    int64_t size; /* rows */
    int32_t x_count, y_count;
    gt_Tensor *xs[GT_MAX_COLUMNS], *ys[GT_MAX_COLUMNS]; /* all of them: xs[0] is x, ys[0] is y */
    gt_Tensor *weights[GT_MAX_COLUMNS]; /* of the labels; NULL: all samples weigh 1 */
    int32_t text_count;                 /* columns of text: gt_batch_text gives them */
    gt_Tensor *texts[2 * GT_MAX_TEXTS]; /* bytes and offsets of each */
} gt_Batch;

/* Column `index` of a batch's text, a string a row; none where there is no such column. */
static inline gt_Strings gt_batch_text(const gt_Batch *batch, int index)
{
    bool there = index >= 0 && index < batch->text_count;
    return gt_strings_of(there ? batch->texts[2 * index] : NULL, there ? batch->texts[2 * index + 1] : NULL);
}
/* Puts another text in its place, or behind the last one: for functions of gt_dataset_map and for classes of one's own. */
#define gt_batch_set_text(batch, index, strings) gt_batch_set_text_at(GT_HERE, batch, index, strings)
GT_API gt_Status gt_batch_set_text_at(const char *here, gt_Batch *batch, int index, gt_Strings strings);

/* The next batch. False at the end of the epoch, after which the next one begins; also on failure,
 * with gt_status() set. */
#define gt_dataset_next(dataset, batch) gt_dataset_next_at(GT_HERE, dataset, batch)
GT_API bool gt_dataset_next_at(const char *here, gt_Dataset *dataset, gt_Batch *batch);

/* Where a dataset is: epochs finished so far, and rows of this one handed out. A dataset that is
 * put there goes on with the same batches, bit for bit. */
typedef struct gt_DatasetPosition {
    int64_t epoch, row;
} gt_DatasetPosition;
#define gt_dataset_position(dataset) gt_dataset_position_at(GT_HERE, dataset)
GT_API gt_DatasetPosition gt_dataset_position_at(const char *here,
                                                 const gt_Dataset *dataset); /* -1, -1 on failure */
/* Goes to a position that gt_dataset_position gave: the next batch is the one that came then. */
#define gt_dataset_seek(...) gt_dataset_seek_at(GT_HERE, __VA_ARGS__)
GT_API gt_Status gt_dataset_seek_at(const char *here, gt_Dataset *dataset,
                                    gt_DatasetPosition position);

#define gt_dataset_size(dataset) gt_dataset_size_at(GT_HERE, dataset)
GT_API int64_t gt_dataset_size_at(const char *here,
                                  const gt_Dataset *dataset); /* rows; -1 on failure */
#define gt_dataset_batches(dataset) gt_dataset_batches_at(GT_HERE, dataset)
GT_API int64_t gt_dataset_batches_at(const char *here,
                                     const gt_Dataset *dataset); /* of an epoch; -1 on failure */
/* How many inputs and labels a row has; -1 on failure. */
#define gt_dataset_x_count(dataset) gt_dataset_x_count_at(GT_HERE, dataset)
GT_API int gt_dataset_x_count_at(const char *here, const gt_Dataset *dataset);
#define gt_dataset_y_count(dataset) gt_dataset_y_count_at(GT_HERE, dataset)
GT_API int gt_dataset_y_count_at(const char *here, const gt_Dataset *dataset);
/* How many columns of text a row has, and what each is called: in a table as its column, "" where it has no name. -1 and "" on
 * failure. */
#define gt_dataset_text_count(dataset) gt_dataset_text_count_at(GT_HERE, dataset)
GT_API int gt_dataset_text_count_at(const char *here, const gt_Dataset *dataset);
#define gt_dataset_text_name(dataset, index) gt_dataset_text_name_at(GT_HERE, dataset, index)
GT_API const char *gt_dataset_text_name_at(const char *here, const gt_Dataset *dataset, int index);
/* Shape and type of the whole x and y; dtype GT_DTYPE_NONE on failure and where there is no y. */
#define gt_dataset_x(dataset) gt_dataset_x_at(GT_HERE, dataset)
GT_API gt_Spec gt_dataset_x_at(const char *here, const gt_Dataset *dataset);
#define gt_dataset_y(dataset) gt_dataset_y_at(GT_HERE, dataset)
GT_API gt_Spec gt_dataset_y_at(const char *here, const gt_Dataset *dataset);
/* The names of the classes that labels 0, 1, ... stand for: how many there are, 0 where there are none, and each. They live as
 * long as the dataset; -1 and "" on failure. */
#define gt_dataset_class_count(dataset) gt_dataset_class_count_at(GT_HERE, dataset)
GT_API int gt_dataset_class_count_at(const char *here, const gt_Dataset *dataset);
#define gt_dataset_class_name(dataset, index) gt_dataset_class_name_at(GT_HERE, dataset, index)
GT_API const char *gt_dataset_class_name_at(const char *here, const gt_Dataset *dataset, int index);
/* How many columns of x have names: as many as x has, where it was read from a table, else 0; 0 too where gt_dataset_map made
 * others of them; -1 on failure. */
#define gt_dataset_column_count(dataset) gt_dataset_column_count_at(GT_HERE, dataset)
GT_API int gt_dataset_column_count_at(const char *here, const gt_Dataset *dataset);
/* The name of a column of x, where x was read from a table; "" where the table has no header, and on failure. */
#define gt_dataset_column_name(dataset, column) gt_dataset_column_name_at(GT_HERE, dataset, column)
GT_API const char *gt_dataset_column_name_at(const char *here, const gt_Dataset *dataset, int column);
/* The texts that the numbers 0, 1, ... of a column of x stand for; 0 of them in a column of numbers; -1 and "" on failure. */
#define gt_dataset_category_count(dataset, column) gt_dataset_category_count_at(GT_HERE, dataset, column)
GT_API int gt_dataset_category_count_at(const char *here, const gt_Dataset *dataset, int column);
#define gt_dataset_category_name(dataset, column, index)                                           \
    gt_dataset_category_name_at(GT_HERE, dataset, column, index)
GT_API const char *gt_dataset_category_name_at(const char *here, const gt_Dataset *dataset, int column, int index);
/* Drops the caller's hold. NULL is ignored. */
GT_API void gt_dataset_free(gt_Dataset *dataset);

GT_END

#endif
