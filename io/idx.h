/* IDX files, in which MNIST and its kin come. Leans on core. */
#ifndef GT_IO_IDX_H
#define GT_IO_IDX_H

#include "core/tensor.h"

GT_BEGIN

#define gt_load_idx_OPTIONS(F, S)                                                                  \
    F(S, int64_t, limit, (int64_t)1 << 30, "bytes that a compressed file may unpack to")
GT_OPTIONS(gt_load_idx_options, gt_load_idx_OPTIONS);

/* gt_load_idx("train-images-idx3-ubyte.gz") gives a tensor (60000, 28, 28) of uint8: type and shape
 * are what the file says; int8 and int16 become int32. It may be compressed with gzip. */
#define gt_load_idx(...)                                                                           \
    gt_load_idx_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                                 \
                   GT_KEYWORDS(gt_load_idx, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_load_idx_at(const char *here, const char *path,
                                 const gt_load_idx_options *options);

GT_END

#endif
