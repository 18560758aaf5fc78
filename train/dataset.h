/* Datasets: rows of x and y, handed out in batches in an order that depends on (seed, epoch) alone.
 *
 *     gt_Batch batch;
 *     while (gt_dataset_next(train, &batch)) { ... batch.x, batch.y, batch.size ... }
 */
#ifndef GT_TRAIN_DATASET_H
#define GT_TRAIN_DATASET_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

typedef struct gt_Dataset gt_Dataset;

/* How a dataset hands out its rows. */
#define GT_BATCH_OPTIONS(F)                                                                        \
    F(int64_t, batch_size, 32, "rows of a batch; the last one of an epoch may have fewer")         \
    F(bool, shuffle, true, "a new order of the rows in every epoch")                               \
    F(int64_t, seed, -1, "of the shuffles; -1: the context's seed")                                \
    F(bool, drop_remainder, false, "leave out a last batch that is not full")

#define GT_DATASET_OPTIONS(F)                                                                      \
    F(uint32_t, size, (uint32_t)sizeof(gt_DatasetOptions), "for ABI growth")                       \
    GT_BATCH_OPTIONS(F)
typedef struct gt_DatasetOptions gt_DatasetOptions;
struct gt_DatasetOptions {
    GT_DATASET_OPTIONS(GT_MEMBER)
};

/* gt_dataset_from_tensors(x, y, .batch_size = 64): row i is x[i] and y[i]. Shapes (rows, ...), of
 * any type; y may be NULL, for gt_predict. It holds the numbers, the handles may go. Arrays in
 * memory: gt_from_data copies them, gt_from_buffer borrows them (they must then outlive the
 * dataset). Floating: free with gt_dataset_free, or it goes with the context. */
#define gt_dataset_from_tensors(...)                                                               \
    gt_dataset_new(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                         \
                   GT_KEYWORDS(gt_DatasetOptions, GT_DATASET_OPTIONS, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Dataset *gt_dataset_new(const char *here, gt_Tensor *x, gt_Tensor *y,
                                  const gt_DatasetOptions *options);

#define GT_CSV_DATASET_OPTIONS(F)                                                                  \
    F(uint32_t, size, (uint32_t)sizeof(gt_CsvDatasetOptions), "for ABI growth")                    \
    F(int32_t, label_column, -1, "from 0, negative from the end; GT_NONE: no labels")              \
    F(gt_DType, label_dtype, GT_INT32,                                                             \
      "int32 or int64 for classes, float32 or float64 for values")                                 \
    F(gt_DType, dtype, GT_FLOAT32, "of x: float32 or float64")                                     \
    F(double, scale, 1, "factor on x")                                                             \
    F(int64_t, skip_rows, 0, "lines before the first row: headers")                                \
    F(char, delimiter, ',', "between the fields")                                                  \
    F(double, missing, (double)INFINITY,                                                           \
      "what stands for an empty field, NA or NaN; infinity: they are errors")                      \
    GT_BATCH_OPTIONS(F)
typedef struct gt_CsvDatasetOptions gt_CsvDatasetOptions;
struct gt_CsvDatasetOptions {
    GT_CSV_DATASET_OPTIONS(GT_MEMBER)
};

/* gt_dataset_from_csv("digits.csv.gz", .scale = 1.0 / 16): x (rows, columns - 1), y (rows), which
 * is (rows, 1) where the labels are floats. See gt_read_csv for what the file may look like. */
#define gt_dataset_from_csv(...)                                                                   \
    gt_dataset_from_csv_at(                                                                        \
        GT_HERE, GT_FIRST(__VA_ARGS__),                                                            \
        GT_KEYWORDS(gt_CsvDatasetOptions, GT_CSV_DATASET_OPTIONS, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Dataset *gt_dataset_from_csv_at(const char *here, const char *path,
                                          const gt_CsvDatasetOptions *options);

#define GT_IDX_DATASET_OPTIONS(F)                                                                  \
    F(uint32_t, size, (uint32_t)sizeof(gt_IdxDatasetOptions), "for ABI growth")                    \
    F(gt_DType, dtype, GT_FLOAT32, "of x: float32 or float64")                                     \
    F(double, scale, 1.0 / 255, "factor on x")                                                     \
    GT_BATCH_OPTIONS(F)
typedef struct gt_IdxDatasetOptions gt_IdxDatasetOptions;
struct gt_IdxDatasetOptions {
    GT_IDX_DATASET_OPTIONS(GT_MEMBER)
};

/* gt_dataset_from_idx("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"): x of the shape
 * of the images, (60000, 28, 28) for MNIST, y (rows) of int32. */
#define gt_dataset_from_idx(...)                                                                   \
    gt_dataset_from_idx_at(                                                                        \
        GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                                    \
        GT_KEYWORDS(gt_IdxDatasetOptions, GT_IDX_DATASET_OPTIONS, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Dataset *gt_dataset_from_idx_at(const char *here, const char *images, const char *labels,
                                          const gt_IdxDatasetOptions *options);

#define GT_SPLIT_ROWS_OPTIONS(F)                                                                   \
    F(uint32_t, size, (uint32_t)sizeof(gt_SplitRowsOptions), "for ABI growth")                     \
    F(bool, shuffle, true, "false: the first rows, and the rest")                                  \
    F(int64_t, seed, -1, "which rows go where; -1: the context's seed")
typedef struct gt_SplitRowsOptions gt_SplitRowsOptions;
struct gt_SplitRowsOptions {
    GT_SPLIT_ROWS_OPTIONS(GT_MEMBER)
};

/* gt_dataset_split(digits, 0.8, &train, &test): two new datasets with copies of the rows, the first
 * with that fraction of them, rounded, and the options of the one that is split. Neither may be
 * empty. On failure both are NULL. */
#define gt_dataset_split(dataset, fraction, first, ...)                                            \
    gt_dataset_split_at(                                                                           \
        GT_HERE, dataset, fraction, first, GT_FIRST(__VA_ARGS__),                                  \
        GT_KEYWORDS(gt_SplitRowsOptions, GT_SPLIT_ROWS_OPTIONS, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_dataset_split_at(const char *here, gt_Dataset *dataset, double fraction,
                                     gt_Dataset **first, gt_Dataset **second,
                                     const gt_SplitRowsOptions *options);

/* A few rows. The handles belong to the innermost scope, and go at the latest with the next call of
 * gt_dataset_next on that dataset. */
typedef struct gt_Batch {
    gt_Tensor *x;
    gt_Tensor *y; /* NULL: the dataset has none */
    int64_t size; /* rows */
} gt_Batch;

/* The next batch. False at the end of the epoch, after which the next one begins; also on failure,
 * with gt_status() set. */
#define gt_dataset_next(dataset, batch) gt_dataset_next_at(GT_HERE, dataset, batch)
GT_API bool gt_dataset_next_at(const char *here, gt_Dataset *dataset, gt_Batch *batch);

/* Where a dataset is: epochs finished so far, and rows of this one handed out. A dataset that is
 * put there goes on with the same batches, bit for bit. */
typedef struct gt_DatasetPosition {
    int64_t epoch, row;
} gt_DatasetPosition;
GT_API gt_DatasetPosition gt_dataset_position(const gt_Dataset *dataset); /* -1, -1 on failure */
GT_API gt_Status gt_dataset_seek(gt_Dataset *dataset, gt_DatasetPosition position);

GT_API int64_t gt_dataset_size(const gt_Dataset *dataset);    /* rows; -1 on failure */
GT_API int64_t gt_dataset_batches(const gt_Dataset *dataset); /* of an epoch; -1 on failure */
/* Shape and type of the whole x and y; dtype GT_DTYPE_NONE on failure and where there is no y. */
GT_API gt_Spec gt_dataset_x(const gt_Dataset *dataset);
GT_API gt_Spec gt_dataset_y(const gt_Dataset *dataset);
/* Drops the caller's hold. NULL is ignored. */
GT_API void gt_dataset_free(gt_Dataset *dataset);

GT_END

#endif
