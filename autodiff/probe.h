/* What differentiates functions from outside needs of them. Private. */
#ifndef GT_AUTODIFF_PROBE_H
#define GT_AUTODIFF_PROBE_H

#include "core/internal.h"

/* Something that a tape of ours can watch without what it was computed from: a variable itself,
 * else an alias that the tapes open now connect to x. NULL on failure. */
gt_Tensor *gt_probe(const char *here, gt_Tensor *x);

/* A tape that watches these and nothing by itself. NULL on failure. */
gt_Tape *gt_probe_tape(const char *here, gt_Tensors watched, bool persistent);

#endif
