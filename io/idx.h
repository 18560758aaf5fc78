/* IDX files, in which MNIST and its kin come. Leans on core. */
#ifndef GT_IO_IDX_H
#define GT_IO_IDX_H

#include "core/tensor.h"

GT_BEGIN

#define GT_IDX_OPTIONS(F)                                                                          \
    F(uint32_t, size, (uint32_t)sizeof(gt_IdxOptions), "for ABI growth")                           \
    F(int64_t, limit, (int64_t)1 << 30, "bytes that a compressed file may unpack to")
typedef struct gt_IdxOptions gt_IdxOptions;
struct gt_IdxOptions {
    GT_IDX_OPTIONS(GT_MEMBER)
};

/* gt_read_idx("train-images-idx3-ubyte.gz") gives a tensor (60000, 28, 28) of uint8: type and shape
 * are what the file says. It may be compressed with gzip. */
#define gt_read_idx(...)                                                                           \
    gt_read_idx_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                                 \
                   GT_KEYWORDS(gt_IdxOptions, GT_IDX_OPTIONS, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_read_idx_at(const char *here, const char *path, const gt_IdxOptions *options);

GT_END

#endif
