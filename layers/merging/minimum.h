/* Minimum: the smallest of inputs. */
#ifndef GT_LAYERS_MERGING_MINIMUM_H
#define GT_LAYERS_MERGING_MINIMUM_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Minimum_OPTIONS(F, S) GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Minimum_options, gt_Minimum_OPTIONS);
/* gt_call(gt_Minimum(), a, .more = gt_tensors(b, c)): the smallest at each place of what masks
 * leave. Inputs with fewer axes get axes of size 1 behind the batch, then they broadcast; batches
 * must be equal. Masks are joined by OR if all inputs have one, else there is none. */
#define gt_Minimum(...) gt_Minimum_at(GT_HERE, GT_KEYWORDS(gt_Minimum, __VA_ARGS__))
GT_API gt_Layer *gt_Minimum_at(const char *here, const gt_Minimum_options *options);

GT_END

#endif
