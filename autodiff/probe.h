/* Sources and tapes for differentiating a function from outside. Private. */
#ifndef GT_AUTODIFF_PROBE_H
#define GT_AUTODIFF_PROBE_H

#include "core/inside.h"

/* A source for a tape of ours: a variable itself, else an alias of x, so that the tape knows nothing of the records
 * behind x. Tapes that are open now connect the alias to x. NULL on failure. */
gt_Tensor *gt_probe(const char *here, gt_Tensor *x);

/* A tape that watches these and nothing by itself. NULL on failure. */
gt_Tape *gt_probe_tape(const char *here, gt_Tensors watched, bool persistent);

#endif
