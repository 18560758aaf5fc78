/* Multiply: the product of inputs. */
#ifndef GT_LAYERS_MERGING_MULTIPLY_H
#define GT_LAYERS_MERGING_MULTIPLY_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Multiply_OPTIONS(F, S) GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Multiply_options, gt_Multiply_OPTIONS);
/* gt_call(gt_Multiply(), a, .more = gt_tensors(b, c)): a b c; what a mask leaves out counts as 1,
 * and where all inputs are left out the result is 0. Inputs with fewer axes get axes of size 1
 * behind the batch, then they broadcast; batches must be equal. Masks are joined by OR if all
 * inputs have one, else there is none. */
#define gt_Multiply(...) gt_Multiply_at(GT_HERE, GT_KEYWORDS(gt_Multiply, __VA_ARGS__))
GT_API gt_Layer *gt_Multiply_at(const char *here, const gt_Multiply_options *options);

GT_END

#endif
