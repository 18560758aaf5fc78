/* Maximum: the largest of inputs. */
#ifndef GT_LAYERS_MERGING_MAXIMUM_H
#define GT_LAYERS_MERGING_MAXIMUM_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Maximum_OPTIONS(F, S) GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Maximum_options, gt_Maximum_OPTIONS);
/* gt_call(gt_Maximum(), a, .more = gt_tensors(b, c)): the largest at each place of what masks
 * leave. Inputs with fewer axes get axes of size 1 behind the batch, then they broadcast; batches
 * must be equal. Masks are joined by OR if all inputs have one, else there is none. */
#define gt_Maximum(...) gt_Maximum_at(GT_HERE, GT_KEYWORDS(gt_Maximum, __VA_ARGS__))
GT_API gt_Layer *gt_Maximum_at(const char *here, const gt_Maximum_options *options);

GT_END

#endif
