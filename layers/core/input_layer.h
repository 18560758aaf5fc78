/* InputLayer: what the input of a Sequential is like, so that it is built when it is made. */
#ifndef GT_LAYERS_CORE_INPUT_LAYER_H
#define GT_LAYERS_CORE_INPUT_LAYER_H

#include "layers/layer.h"

GT_BEGIN

#define gt_InputLayer_OPTIONS(F, S)                                                                \
    F(S, gt_Shape, shape, GT_NO_SIZES, "behind the batch axis; -1: any size")                      \
    F(S, int64_t, batch_size, -1, "-1: any; stateful layers need one")                             \
    GT_LAYER_NAMED(F, S)
GT_OPTIONS(gt_InputLayer_options, gt_InputLayer_OPTIONS);
/* gt_Sequential(gt_InputLayer(gt_shape(28, 28, 1)), gt_Flatten(), gt_Dense(10)): a Sequential that begins with one is built
 * when it is made, for any size where the shape says -1; so its weights can be listed, loaded and frozen at once. The layer
 * gives x back, with its mask, and refuses inputs of another shape or type. `.dtype` is the input's; not given: it is built
 * for that of gt_set_dtype_policy, else float32, and accepts every float type. It is one of the Sequential's layers, number 0.
 * Keras's InputLayer; a functional model has gt_Input instead. Errors: a negative size other than -1, a type that tensors do
 * not have. */
#define gt_InputLayer(...)                                                                         \
    gt_InputLayer_at(GT_HERE, GT_KEYWORDS_1(gt_InputLayer, shape, __VA_ARGS__))
GT_API gt_Layer *gt_InputLayer_at(const char *here, const gt_InputLayer_options *options);

GT_END

#endif
