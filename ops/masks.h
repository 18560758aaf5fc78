/* The usual mask rules, for records: what becomes of the masks of an operation's inputs. Private to the library.
 *
 *   gt_mask_keep       element-wise, broadcast: output[i] depends on element i of each input
 *   gt_mask_batch      the first axis is a batch: its rows are worked on one by one
 *   gt_mask_rows       the same for the first `axes` axes; for rules that work out how many
 *   gt_mask_drop       no element of an output depends on padding
 *   gt_mask_refuse     some element does, and no mask could say which
 */
#ifndef GT_OPS_MASKS_H
#define GT_OPS_MASKS_H

#include "core/operation.h"

/* Every mask is broadcast as its input is; several are joined by AND. All outputs get the same. */
gt_Status gt_mask_keep(gt_MaskRule *rule);
/* Masks of more than the batch axis are refused. */
gt_Status gt_mask_batch(gt_MaskRule *rule);
gt_Status gt_mask_drop(gt_MaskRule *rule);

/* The first `axes` axes of the output are those of every input with a mask, and the elements behind one index of these
 * depend on nothing else: masks with no more axes stay as they are, others are refused. */
gt_Status gt_mask_rows(gt_MaskRule *rule, int axes);
/* Raises the error: the operation mixes elements along this axis, which the mask of the input covers. */
gt_Status gt_mask_refuse(gt_MaskRule *rule, int input, int axis);
/* The first `axes` axes of a mask, whose others have size 1. */
gt_Tensor *gt_mask_first(gt_Tensor *mask, int axes);
/* The mask of an input stretched over its first `axes` axes; ones if it has none. */
gt_Tensor *gt_mask_over(const gt_MaskRule *rule, int input, int axes);
/* How many axes the mask of an input covers; 0: it has none. */
int gt_mask_axes(const gt_MaskRule *rule, int input);
/* Sets the mask of output `o`, or ANDs it with the one it has. Both must broadcast to its leading axes. A `mask` of
 * NULL stands for a failed operation: the pending error is returned. */
gt_Status gt_mask_join(gt_MaskRule *rule, int o, gt_Tensor *mask);

#endif
