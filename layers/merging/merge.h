/* What layers of several inputs share. Not installed.
 *
 * Inputs of fewer axes get axes of size 1 behind the batch, (batch, c) as (batch, 1, c), then they broadcast; but the
 * batch does not. The result has a mask where some input is there and all inputs have masks: their OR, as in Keras. */
#ifndef GT_LAYERS_MERGING_MERGE_H
#define GT_LAYERS_MERGING_MERGE_H

#include "layers/kit.h"

/* The port of all of them. */
#define GT_MERGED GT_PORTS({"inputs", GT_PORT_MANY, 0, 0})

/* Inputs that fit each other, as many axes each, and masks of as many axes. */
typedef struct gt_Merged {
    int32_t count;
    gt_Tensor *x[GT_MAX_INPUTS],
        *mask[GT_MAX_INPUTS]; /* a mask of as many axes as x; NULL: there is none */
} gt_Merged;
/* Takes the inputs of a call. Errors: one input alone, different batches, shapes that do not
 * broadcast. */
gt_Status gt_merge(const gt_CallArgs *in, gt_Merged *merged);
/* The inputs one after the other, as `combine` says: Add and its kin. NULL on failure. */
gt_Tensor *gt_merge_by(const gt_CallArgs *in, gt_Tensor *(*combine)(gt_Tensor *a, gt_Tensor *b));
/* The mask function of all but Concatenate and Dot. */
gt_Tensor *gt_merge_mask(gt_Layer *layer, const gt_CallArgs *in);

#endif
