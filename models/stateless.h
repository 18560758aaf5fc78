/* A model as a function of its weights: nothing that it holds is read or changed, the numbers come in and go out.
 *
 *     gt_Tensors w = gt_trainable_variables(model);             or tensors of these shapes, in this order
 *     gt_Tensor *y = gt_stateless_call(model, x, .trainable_variables = w, .other_variables = state,
 *                                      .training = true, .updated = state_after);
 *
 * So a network writes the weights of another one, a step of training is differentiated, an ensemble is one model, and a
 * moving average is kept outside of the model. */
#ifndef GT_MODELS_STATELESS_H
#define GT_MODELS_STATELESS_H

#include "layers/layer.h"

GT_BEGIN

#define gt_stateless_call_OPTIONS(F, S)                                                            \
    F(S, gt_Tensors, trainable_variables, GT_NOT_GIVEN,                                            \
      "what stands for gt_trainable_variables(model), in that order; not given: they themselves")  \
    F(S, gt_Tensors, other_variables, GT_NOT_GIVEN,                                                \
      "what stands for gt_other_variables(model); not given: they themselves, which do not change") \
    F(S, gt_Flag, training, GT_INHERIT, "as in gt_call")                                           \
    F(S, gt_Tensors, more, GT_NOT_GIVEN, "inputs after the first")                                 \
    F(S, gt_NamedInputs, named, GT_NOT_GIVEN, "inputs by the names of their ports")                \
    F(S, gt_Tensor *, mask, NULL, "bool, instead of the mask that x has")                          \
    F(S, gt_Outputs, outputs, GT_NOT_GIVEN, "get the outputs after the first")                     \
    F(S, gt_Tensor **, updated, NULL,                                                              \
      "gets what gt_other_variables hold after the call, so many handles; NULLs on failure")       \
    F(S, gt_Tensor **, losses, NULL,                                                               \
      "gets the sum of what layers added and of the penalties; NULL without an error: none are")
GT_OPTIONS(gt_stateless_call_options, gt_stateless_call_OPTIONS);
/* gt_stateless_call(model, x, .trainable_variables = w, .updated = after): output 0 of the built model for these values of its
 * variables, as gt_call gives it, and what the call made of the others (batch statistics, generators, states). The model's own
 * variables keep their values and their gradients, and get no first numbers. Gradients of any order reach the tensors, through
 * gt_gradient under a tape that watches them; not through what the call assigns, whose values are in `updated` without one.
 * Works eagerly and in traced functions. Keras's Model.stateless_call. Errors: a model that is not built, another number of
 * tensors, another shape or type, a symbol of gt_Input. While it runs no other context may call the model. */
#define gt_stateless_call(model, ...)                                                              \
    gt_stateless_call_at(GT_HERE, model, GT_FIRST(__VA_ARGS__),                                    \
                         GT_KEYWORDS(gt_stateless_call, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_stateless_call_at(const char *here, gt_Layer *model, gt_Tensor *x,
                                       const gt_stateless_call_options *options);

GT_END

#endif
