/* Functional models: a graph of layers and operations, drawn by calling them on symbols. Several inputs and outputs, skips,
 * shared layers, any operation between layers:
 *
 *     gt_Tensor *image = gt_Input(gt_shape(28, 28, 1)), *age = gt_Input(gt_shape(4));
 *     gt_Tensor *h = gt_call(gt_Flatten(), image);
 *     gt_Tensor *both = gt_concatenate(gt_tensors(h, age), .axis = -1);
 *     gt_Layer *model = gt_Model(gt_tensors(image, age), gt_tensors(gt_call(gt_Dense(10), both)));
 *
 * A symbol has a shape and a type, and no numbers; a size that is not known yet reads -1. It is a handle of the innermost
 * scope and keeps what it was drawn from: the drawing, and the layers in it that nothing else holds, go with its last symbol.
 * Nothing between layers has effects: assignments, random draws and variables that belong to no layer are errors.
 * Inside a traced function nothing is drawn. */
#ifndef GT_MODELS_FUNCTIONAL_H
#define GT_MODELS_FUNCTIONAL_H

#include "layers/layer.h"

GT_BEGIN

#define gt_Input_OPTIONS(F, S)                                                                     \
    F(S, gt_Shape, shape, GT_NO_SIZES, "behind the batch axis; -1: any size")                      \
    F(S, int64_t, batch_size, -1, "-1: any; stateful layers need one")                             \
    F(S, gt_DType, dtype, GT_DTYPE_NONE, "not given: that of gt_set_dtype_policy, else float32")   \
    F(S, const char *, name, NULL, "of the model's input; NULL: \"input\", \"input_1\", ...")
GT_OPTIONS(gt_Input_options, gt_Input_OPTIONS);
/* gt_Input(gt_shape(28, 28, 1)): a symbol for an input of a model, (batch, 28, 28, 1). Errors: a negative size other than -1,
 * a type that tensors do not have, a name with '/'. */
#define gt_Input(...) gt_Input_at(GT_HERE, GT_KEYWORDS_1(gt_Input, shape, __VA_ARGS__))
GT_API gt_Tensor *gt_Input_at(const char *here, const gt_Input_options *options);

#define gt_Model_OPTIONS(F, S)                                                                     \
    F(S, gt_Tensors, inputs, GT_NOT_GIVEN, "symbols; required")                                    \
    F(S, gt_Tensors, outputs, GT_NOT_GIVEN, "symbols that depend on them; required")               \
    F(S, const char *, name, NULL, "NULL: \"functional\"")                                         \
    F(S, bool, trainable, true, "false: none of its weights is in a trainable list")
GT_OPTIONS(gt_Model_options, gt_Model_OPTIONS);
/* gt_Model(gt_tensors(a, b), gt_tensors(y)): the layer that computes y from a and b, gt_call(model, a, .more = ...). It is
 * made of the layers on the way, by the order in which the outputs need them. The inputs may be any symbols, so that a part of a
 * model is a model too (feature extraction); the same symbols may be in several models, which share their layers. The
 * names of its inputs are those of gt_Input. Errors: an output that needs an input which is not among them, an input that
 * no output needs, an input twice, a tensor that is no symbol. */
#define gt_Model(...) gt_Model_at(GT_HERE, GT_KEYWORDS_2(gt_Model, inputs, outputs, __VA_ARGS__))
GT_API gt_Layer *gt_Model_at(const char *here, const gt_Model_options *options);

GT_END

#endif
