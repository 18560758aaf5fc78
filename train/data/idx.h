/* Datasets from IDX files, in which MNIST and its kin come. */
#ifndef GT_TRAIN_DATA_IDX_H
#define GT_TRAIN_DATA_IDX_H

#include "train/dataset.h"

GT_BEGIN

#define gt_dataset_from_idx_OPTIONS(F, S)                                                          \
    F(S, gt_DType, dtype, GT_FLOAT32, "of x: float32 or float64")                                  \
    F(S, double, scale, 1.0 / 255, "factor on x")                                                  \
    GT_BATCH_COMMON(F, S)
GT_OPTIONS(gt_dataset_from_idx_options, gt_dataset_from_idx_OPTIONS);

/* gt_dataset_from_idx("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"): x of the shape
 * of the images, (60000, 28, 28) for MNIST, y (rows) of int32. The labels may be NULL. */
#define gt_dataset_from_idx(...)                                                                   \
    gt_dataset_from_idx_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                 \
                           GT_KEYWORDS(gt_dataset_from_idx, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Dataset *gt_dataset_from_idx_at(const char *here, const char *images, const char *labels,
                                          const gt_dataset_from_idx_options *options);

GT_END

#endif
