/* Values that numbers chose: what came out of a branch, or of a loop that ran as long as a condition
 * said. With other numbers they would have come from elsewhere, so a gradient walk that meets one
 * gives a source that it does not reach zeros, where it would give none. Private. */
#ifndef GT_OPS_CHOICE_H
#define GT_OPS_CHOICE_H

#include "core/graph.h"

/* Exchanges handles to floats for handles that say so: views, recorded on every tape. Without a tape they
 * are views too: what comes out is never the very tensor that went in, whoever watches. On failure all of
 * them are NULL. */
gt_Status gt_mark_choice(gt_Context *context, gt_Tensor **tensors, int32_t count);
/* The same for what came out of a loop whose rounds are known: its gradients are marked. In a traced
 * function they come out of a loop backwards, which reads what was kept of every round, also where the
 * gradient that it multiplies is zero; so derivatives of gradients do not know what is connected. */
gt_Status gt_mark_rounds(gt_Context *context, gt_Tensor **tensors, int32_t count);
/* Views that say nothing: what a function returns is another tensor than its arguments. */
gt_Status gt_make_own(gt_Context *context, gt_Tensor **tensors, int32_t count);

#endif
