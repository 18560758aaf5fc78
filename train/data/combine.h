/* Datasets of datasets.
 *
 *     gt_Dataset *train = gt_dataset_batch(gt_dataset_map(gt_dataset_take(images, 50000), augment, NULL), 64);
 *
 * Each of these takes a dataset over, also when it fails, so that calls nest and the outermost is what is freed. A dataset may be
 * taken by several; it is freed with the last. The batch size, the shuffling and the names are those of the first argument
 * until gt_dataset_batch and gt_dataset_shuffle say otherwise, wherever these two stand: rows are chosen and changed in their
 * own order, and shuffled and put into batches at the end. So the rows that gt_dataset_take keeps and those that
 * gt_dataset_skip leaves never meet, and both count rows. As tf.data, but for that.
 *
 * Where rows can be had by number (tensors, tables, images) they can be behind map, take, skip, zip, cache and batch, too: then
 * nothing is kept in memory to shuffle all of them. */
#ifndef GT_TRAIN_DATA_COMBINE_H
#define GT_TRAIN_DATA_COMBINE_H

#include "train/dataset.h"

GT_BEGIN

/* Changes a batch: puts other tensors into x, y, xs, ys, weights. Row i of what it makes must come from row i of what it
 * gets, as many rows as there are, since it may be called with any number of them. Returns gt_status(). */
typedef gt_Status (*gt_BatchFunction)(void *user, gt_Batch *batch);
/* gt_dataset_map(images, flip, &how): the rows that a function makes of rows, each time they are asked for. */
#define gt_dataset_map(dataset, function, user) gt_dataset_map_at(GT_HERE, dataset, function, user)
GT_API gt_Dataset *gt_dataset_map_at(const char *here, gt_Dataset *dataset,
                                     gt_BatchFunction function, void *user);

/* Which rows of a batch stay: bool (rows). NULL on failure. */
typedef gt_Tensor *(*gt_RowTest)(void *user, const gt_Batch *batch);
/* gt_dataset_filter(rows, is_long, NULL): the rows that pass a test. How many that is shows after the first epoch. */
#define gt_dataset_filter(dataset, test, user) gt_dataset_filter_at(GT_HERE, dataset, test, user)
GT_API gt_Dataset *gt_dataset_filter_at(const char *here, gt_Dataset *dataset, gt_RowTest test,
                                        void *user);

/* The first `count` rows, and the rows behind them. */
#define gt_dataset_take(dataset, count) gt_dataset_take_at(GT_HERE, dataset, count)
GT_API gt_Dataset *gt_dataset_take_at(const char *here, gt_Dataset *dataset, int64_t count);
#define gt_dataset_skip(dataset, count) gt_dataset_skip_at(GT_HERE, dataset, count)
GT_API gt_Dataset *gt_dataset_skip_at(const char *here, gt_Dataset *dataset, int64_t count);

/* gt_dataset_shard(train, 4, rank): the rows that process `index` of `count` trains on, a part of every batch, in the order of
 * this epoch's shuffle: the parts of all processes together are what one process would have had, batch for batch. Its batch
 * size is that of the dataset divided by `count`, which must be possible; a last batch is cut into equal parts, which leaves
 * out up to count - 1 rows, or is left out itself where the number of rows is not known. It comes last, behind gt_dataset_batch
 * and gt_dataset_shuffle. What is put over it changes, repeats or keeps the rows of the
 * part. gt_fit with a distributed optimizer refuses parts of different shuffles or splits, also where datasets of the library's
 * stand over them; what a class or a function of your own stands on it cannot see. */
#define gt_dataset_shard(dataset, count, index) gt_dataset_shard_at(GT_HERE, dataset, count, index)
GT_API gt_Dataset *gt_dataset_shard_at(const char *here, gt_Dataset *dataset, int64_t count, int64_t index);

/* An epoch of `times` epochs, each shuffled by itself; -1: one that never ends, for training that counts steps. A batch may
 * have the last rows of one and the first of the next. */
#define gt_dataset_repeat(dataset, times) gt_dataset_repeat_at(GT_HERE, dataset, times)
GT_API gt_Dataset *gt_dataset_repeat_at(const char *here, gt_Dataset *dataset, int64_t times);

/* The columns of two datasets side by side: inputs, then inputs; labels, then labels. If it is known that one has more rows,
 * that is an error; otherwise the epoch ends with the shorter one. */
#define gt_dataset_zip_OPTIONS(F, S)                                                               \
    F(S, bool, labels, false, "the inputs of the second are labels of the first: (images, answers)")
GT_OPTIONS(gt_dataset_zip_options, gt_dataset_zip_OPTIONS);
#define gt_dataset_zip(...)                                                                        \
    gt_dataset_zip_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                      \
                      GT_KEYWORDS(gt_dataset_zip, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Dataset *gt_dataset_zip_at(const char *here, gt_Dataset *first, gt_Dataset *second,
                                     const gt_dataset_zip_options *options);

/* The same rows in batches of another size. With .pad rows may differ in length, their first dimension: in a batch they are as
 * long as the longest, and where they differ the inputs have a mask (rows, longest) of what is not padding, which layers know
 * what to do with. Labels are padded with 0. As tf.data's padded_batch. */
#define gt_dataset_batch_OPTIONS(F, S)                                                             \
    F(S, bool, drop_remainder, false, "leave out a last batch that is not full")                   \
    F(S, bool, pad, false, "rows become as long as the longest of their batch")                    \
    F(S, double, padding, 0, "the number they become longer with")                                 \
    F(S, int64_t, multiple, 1,                                                                     \
      "lengths are rounded up to a multiple of this: fewer shapes, fewer plans")
GT_OPTIONS(gt_dataset_batch_options, gt_dataset_batch_OPTIONS);
#define gt_dataset_batch(...)                                                                      \
    gt_dataset_batch_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                    \
                        GT_KEYWORDS(gt_dataset_batch, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Dataset *gt_dataset_batch_at(const char *here, gt_Dataset *dataset, int64_t batch_size,
                                       const gt_dataset_batch_options *options);

/* The same rows in another order every epoch, which depends on (seed, epoch) alone. `buffer` is how many rows it is drawn
 * from: -1, all, where rows can be had by number; of others that many are kept in memory. 1 keeps the order. */
#define gt_dataset_shuffle_OPTIONS(F, S)                                                           \
    F(S, int64_t, seed, -1, "of the orders; -1: the context's seed")                               \
    F(S, bool, reshuffle_each_iteration, true, "false: every epoch has the order of the first")
GT_OPTIONS(gt_dataset_shuffle_options, gt_dataset_shuffle_OPTIONS);
#define gt_dataset_shuffle(...)                                                                    \
    gt_dataset_shuffle_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                  \
                          GT_KEYWORDS(gt_dataset_shuffle, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Dataset *gt_dataset_shuffle_at(const char *here, gt_Dataset *dataset, int64_t buffer,
                                         const gt_dataset_shuffle_options *options);

/* The same rows, computed now, in one go through the dataset, and kept in memory: what is slow to make. They can be had by
 * number. */
#define gt_dataset_cache(dataset) gt_dataset_cache_at(GT_HERE, dataset)
GT_API gt_Dataset *gt_dataset_cache_at(const char *here, gt_Dataset *dataset);

/* gt_dataset_class_weight(rows, gt_array(gt_shape(2), 1, 20)): rows of class 1 weigh 20 times as much. Labels are integers, or
 * one-hot (rows, classes) of floats; of the first label, if there are several. Weights (classes); a class without one weighs 1.
 * Weights that are there are multiplied. As class_weight of Keras's fit. */
#define gt_dataset_class_weight(dataset, weights)                                                  \
    gt_dataset_class_weight_at(GT_HERE, dataset, weights)
GT_API gt_Dataset *gt_dataset_class_weight_at(const char *here, gt_Dataset *dataset,
                                              gt_Tensor *weights);

/* The same rows, of which a thread makes those of the next `batches` batches ahead. For datasets whose rows are made by plain C
 * (gt_image_dataset_from_directory, a class with fill) and what the functions here make of them. The rows are the same with and without. */
#define gt_dataset_prefetch(dataset, batches) gt_dataset_prefetch_at(GT_HERE, dataset, batches)
GT_API gt_Dataset *gt_dataset_prefetch_at(const char *here, gt_Dataset *dataset, int32_t batches);

/* Rows from a function, one call for some of them: rows first, first + 1, ... of epoch `epoch`, at most `count`, as tensors
 * (count, ...); a batch left as it is: the epoch is over. The same epoch must give the same rows again. */
typedef gt_Status (*gt_RowFunction)(void *user, int64_t epoch, int64_t first, int64_t count,
                                    gt_Batch *batch);
#define gt_dataset_from_function_OPTIONS(F, S)                                                     \
    F(S, int64_t, rows, -1, "of an epoch; -1: until the function gives none")                      \
    GT_BATCH_COMMON(F, S)
GT_OPTIONS(gt_dataset_from_function_options, gt_dataset_from_function_OPTIONS);
#define gt_dataset_from_function(...)                                                              \
    gt_dataset_from_function_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),            \
                                GT_KEYWORDS(gt_dataset_from_function, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Dataset *gt_dataset_from_function_at(const char *here, gt_RowFunction function,
                                               void *user,
                                               const gt_dataset_from_function_options *options);

GT_END

#endif
