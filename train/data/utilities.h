/* Keras's small utilities of data: keras.utils.to_categorical, pad_sequences, split_dataset, set_random_seed. Its normalize is
 * the operation gt_normalize. */
#ifndef GT_TRAIN_DATA_UTILITIES_H
#define GT_TRAIN_DATA_UTILITIES_H

#include "train/dataset.h"

GT_BEGIN

/* gt_to_categorical(y): classes 0, 1, ... as rows of zeros with a 1 at their place, float32 (..., num_classes). A last dimension
 * of 1 goes. A class that is negative or too large is an error. */
#define gt_to_categorical_OPTIONS(F, S)                                                            \
    F(S, int64_t, num_classes, -1, "how many there are; -1: the largest and one more")
GT_OPTIONS(gt_to_categorical_options, gt_to_categorical_OPTIONS);
#define gt_to_categorical(...)                                                                     \
    gt_to_categorical_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                           \
                         GT_KEYWORDS(gt_to_categorical, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_to_categorical_at(const char *here, gt_Tensor *x,
                                       const gt_to_categorical_options *options);

/* Which end of a sequence. */
typedef enum gt_SequenceEnd { GT_SEQUENCE_END_PRE, GT_SEQUENCE_END_POST } gt_SequenceEnd;

/* gt_pad_sequences(gt_tensors(a, b, c)): tensors (steps, ...) of any lengths as one, (count, maxlen, ...). */
#define gt_pad_sequences_OPTIONS(F, S)                                                             \
    F(S, int64_t, maxlen, -1, "steps of the result; -1: those of the longest")                     \
    F(S, gt_DType, dtype, GT_INT32, "of the result")                                               \
    F(S, gt_SequenceEnd, padding, GT_SEQUENCE_END_PRE, "where a short one is padded")              \
    F(S, gt_SequenceEnd, truncating, GT_SEQUENCE_END_PRE, "where a long one is cut")               \
    F(S, double, value, 0, "that it is padded with")
GT_OPTIONS(gt_pad_sequences_options, gt_pad_sequences_OPTIONS);
#define gt_pad_sequences(...)                                                                      \
    gt_pad_sequences_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                            \
                        GT_KEYWORDS(gt_pad_sequences, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_pad_sequences_at(const char *here, gt_Tensors sequences,
                                      const gt_pad_sequences_options *options);

/* gt_split_dataset(all, &left, &right, .left_size = 0.8): the first rows, and the last; each size is a fraction below 1 or a number
 * of rows. Not shuffled unless asked, as Keras does; gt_dataset_split shuffles. Both are NULL on failure. */
#define gt_split_dataset_OPTIONS(F, S)                                                             \
    F(S, double, left_size, 0, "fraction or rows; 0: what right_size leaves")                      \
    F(S, double, right_size, 0, "fraction or rows; 0: what left_size leaves")                      \
    F(S, bool, shuffle, false, "which rows go where is drawn")                                     \
    F(S, int64_t, seed, -1, "of the draw; -1: the context's seed")
GT_OPTIONS(gt_split_dataset_options, gt_split_dataset_OPTIONS);
#define gt_split_dataset(dataset, left, ...)                                                       \
    gt_split_dataset_at(GT_HERE, dataset, left, GT_FIRST(__VA_ARGS__),                             \
                        GT_KEYWORDS(gt_split_dataset, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_split_dataset_at(const char *here, gt_Dataset *dataset, gt_Dataset **left,
                                     gt_Dataset **right, const gt_split_dataset_options *options);

/* gt_set_random_seed(7): every random draw from here on follows from it. As gt_set_seed. */
#define gt_set_random_seed(seed) gt_set_seed(seed)

GT_END

#endif
