/* Attention over a range of tiles, once/attention.c, and the loops of each build that it calls. Leans on kernels.h. */
#ifndef GT_KERNELS_ATTEND_H
#define GT_KERNELS_ATTEND_H

#include "kernels/kernels.h"

/* Queries whose scores lie beside each other, and so go through each loop together: (keys, lanes). */
#define GT_ATTEND_LANES 32

typedef struct gt_AttendLoops {
    /* Scores of n keys, n > 0, become probabilities: e = exp(s - max), then e times 1 / sum. */
    void (*probabilities)(int64_t n, void *scores);
    /* d, what arrives at probabilities p, becomes what arrives at the scores: p (d - t), t the sum of p d over the keys. */
    void (*scores_back)(int64_t n, const void *p, void *d);
} gt_AttendLoops;

/* `loops` by element type. */
typedef void gt_AttendTiles(const gt_KernelTable *kernels, const gt_AttendLoops *loops,
                            const gt_AttentionJob *job, void *const *at, int64_t first,
                            int64_t last, void *scratch);
gt_AttendTiles gt_attend_tiles, gt_attend_back_tiles;
/* Bytes of scratch for a job that is filled in; `back`: of the gradient. */
size_t gt_attend_tiles_scratch(const gt_KernelTable *kernels, const gt_AttentionJob *job,
                               bool back);

#endif
