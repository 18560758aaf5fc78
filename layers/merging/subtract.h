/* Subtract: the difference of two inputs. */
#ifndef GT_LAYERS_MERGING_SUBTRACT_H
#define GT_LAYERS_MERGING_SUBTRACT_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Subtract_OPTIONS(F, S) GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Subtract_options, gt_Subtract_OPTIONS);
/* gt_call(gt_Subtract(), a, .more = gt_tensors(b)): a - b. Inputs with fewer axes get axes of
 * size 1 behind the batch, then they broadcast; batches must be equal. Masks are joined by OR if
 * all inputs have one, else there is none. */
#define gt_Subtract(...) gt_Subtract_at(GT_HERE, GT_KEYWORDS(gt_Subtract, __VA_ARGS__))
GT_API gt_Layer *gt_Subtract_at(const char *here, const gt_Subtract_options *options);

GT_END

#endif
