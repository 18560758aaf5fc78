/* What Maximum and Minimum share. Not installed. */
#ifndef GT_LAYERS_MERGING_EXTREME_H
#define GT_LAYERS_MERGING_EXTREME_H

#include "layers/merging/merge.h"

/* The inputs one after the other; an element that a mask leaves out takes the other one's place. */
gt_Tensor *gt_merge_extreme(const gt_CallArgs *in,
                            gt_Tensor *(*combine)(gt_Tensor *a, gt_Tensor *b));

#endif
