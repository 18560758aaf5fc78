/* Average: the mean of inputs. */
#ifndef GT_LAYERS_MERGING_AVERAGE_H
#define GT_LAYERS_MERGING_AVERAGE_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Average_OPTIONS(F, S) GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Average_options, gt_Average_OPTIONS);
/* gt_call(gt_Average(), a, .more = gt_tensors(b, c)): (a + b + c) / 3. Inputs with fewer axes get
 * axes of size 1 behind the batch, then they broadcast; batches must be equal. Masks are joined
 * by OR if all inputs have one, else there is none. */
#define gt_Average(...) gt_Average_at(GT_HERE, GT_KEYWORDS(gt_Average, __VA_ARGS__))
GT_API gt_Layer *gt_Average_at(const char *here, const gt_Average_options *options);

GT_END

#endif
