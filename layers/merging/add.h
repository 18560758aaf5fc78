/* Add: the sum of inputs. */
#ifndef GT_LAYERS_MERGING_ADD_H
#define GT_LAYERS_MERGING_ADD_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Add_OPTIONS(F, S) GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Add_options, gt_Add_OPTIONS);
/* gt_call(gt_Add(), a, .more = gt_tensors(b, c)): a + b + c. Inputs with fewer axes get axes of
 * size 1 behind the batch, then they broadcast; batches must be equal. Masks are joined by OR if
 * all inputs have one, else there is none. */
#define gt_Add(...) gt_Add_at(GT_HERE, GT_KEYWORDS(gt_Add, __VA_ARGS__))
GT_API gt_Layer *gt_Add_at(const char *here, const gt_Add_options *options);

GT_END

#endif
