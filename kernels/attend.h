/* Attention over a range of tiles, with the loops of a table: what attention.c calls in each build. Leans on kernels.h. */
#ifndef GT_KERNELS_ATTEND_H
#define GT_KERNELS_ATTEND_H

#include "kernels/kernels.h"

typedef void gt_AttendTiles(const gt_KernelTable *kernels, const gt_AttentionJob *job,
                            void *const *at, int64_t first, int64_t last, void *scratch);
gt_AttendTiles gt_attend_tiles, gt_attend_back_tiles;
/* Bytes of scratch of each, for jobs that are filled in. */
size_t gt_attend_tiles_scratch(const gt_KernelTable *kernels, const gt_AttentionJob *job);
size_t gt_attend_back_tiles_scratch(const gt_KernelTable *kernels, const gt_AttentionJob *job);

#endif
