/* Marks on values that numbers chose: the results of a branch, or of a loop that runs as long as a condition says. With
 * other numbers they would come from elsewhere, so a gradient walk that meets a mark gives zeros to a source that it does
 * not reach, where it would give none. Private. */
#ifndef GT_OPS_CHOICE_H
#define GT_OPS_CHOICE_H

#include "core/inside.h"

/* Exchanges handles to floats for handles to marked values: views, recorded on every tape. Without a tape they are views
 * too, so a result is never the very tensor that was given as an input. On failure all of them are NULL. */
gt_Status gt_mark_choice(gt_Context *context, gt_Tensor **tensors, int32_t count);
/* The same for the results of a loop with a known number of rounds: the mark is on their gradients. In a traced function
 * these come out of a loop backwards, which reads the stacks of every round, also where the gradient that it multiplies is
 * zero; so derivatives of gradients do not know what is connected. */
gt_Status gt_mark_rounds(gt_Context *context, gt_Tensor **tensors, int32_t count);
/* The same without a mark: a result of a function is another tensor than its arguments. */
gt_Status gt_make_own(gt_Context *context, gt_Tensor **tensors, int32_t count);

#endif
