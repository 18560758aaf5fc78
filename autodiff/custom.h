/* Gradients of one's own choosing: for a function as a whole, and by running it again. */
#ifndef GT_AUTODIFF_CUSTOM_H
#define GT_AUTODIFF_CUSTOM_H

#include "core/body.h"
#include "core/keyword.h"
#include "core/operation.h"
#include "core/tensor.h"

GT_BEGIN

/* The gradient rule of a custom function, like that of an operation (core/operation.h): reads what
 * arrives with gt_upstream (NULL: nothing arrived), inputs and outputs with gt_rule_input and gt_rule_output,
 * and gives every input that gt_wants its gradient with gt_give. It can be differentiated in its
 * turn as far as it computes with operations. */
typedef gt_Status (*gt_GradientBody)(void *context, gt_GradientRule *rule);

#define gt_custom_gradient_OPTIONS(F, S)                                                           \
    F(S, int32_t, outputs, 1, "how many tensors the function computes for the caller, at least 1") \
    F(S, int32_t, saved, 0, "how many more it computes for gt_rule_output; 8 outputs in all")      \
    F(S, const char *, name, "custom_gradient", "for messages; not copied")
GT_OPTIONS(gt_custom_gradient_options, gt_custom_gradient_OPTIONS);

/* gt_custom_gradient(function, gradient, context, inputs, outputs, .outputs = 1): runs the
 * function; the tapes that are open see one operation with that gradient, and nothing of what it is
 * made of. `context` is passed to both and must live until the tapes end. When a gradient that used
 * a saved output is differentiated again, what arrives there is at gt_upstream of that output. A
 * trainable variable that the function reads, and any other tensor that a tape watches, must be among
 * the 1 to 64 inputs, or it is an error: it would get no gradient. gt_stop_gradient makes it a
 * constant. */
#define gt_custom_gradient(function, gradient, context, inputs, ...)                               \
    gt_custom_gradient_at(GT_HERE, function, gradient, context, inputs, GT_FIRST(__VA_ARGS__),     \
                          GT_KEYWORDS(gt_custom_gradient, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_custom_gradient_at(const char *here, gt_FunctionBody function,
                                       gt_GradientBody gradient, void *context, gt_Tensors inputs,
                                       gt_Tensor **outputs,
                                       const gt_custom_gradient_options *options);

/* The function of one tensor, with the gradient of the identity: its result must have x's shape and
 * type. For rounding and other steps that a gradient should pass. */
#define gt_grad_pass_through(function, context, x)                                                 \
    gt_grad_pass_through_at(GT_HERE, function, context, x)
GT_API gt_Tensor *gt_grad_pass_through_at(const char *here, gt_FunctionBody function, void *context,
                                          gt_Tensor *x);
/* x itself; the gradient on its way back is cut off below low and above high, element by element.
 */
#define gt_clip_gradient(x, low, high) gt_clip_gradient_at(GT_HERE, x, low, high)
GT_API gt_Tensor *gt_clip_gradient_at(const char *here, gt_Tensor *x, double low, double high);

#define gt_recompute_OPTIONS(F, S)                                                                 \
    F(S, int32_t, outputs, 1, "how many tensors the function computes, 1 to 8")
GT_OPTIONS(gt_recompute_options, gt_recompute_OPTIONS);

/* gt_recompute(function, context, inputs, outputs, .outputs = 1): runs the function and remembers
 * its inputs alone; the gradient runs it again. A long network in pieces that are recomputed needs
 * the memory of one piece and of what goes between them, for about a third more work. Gradients
 * reach the inputs, at most 64, and the variables that it reads, and are the same to the last bit. Any
 * other tensor that a tape watches must be among the inputs, or reading it is an error.
 *
 * The second run sees every variable as the first one did, so random numbers come again, and leaves
 * no trace: what it assigns is undone. What the function does besides (C variables, files) happens
 * twice; `context` must live until the tapes end. Inside the call of a layer both runs are part of it:
 * children inherit `training`. gt_add_loss in there is an error.
 *
 * Inside a traced function the piece is traced once, as the body of control flow is: a tape that began
 * outside cannot be used in it. A plan computes it where it stands and again where its gradient is
 * needed, and keeps nothing in between. */
#define gt_recompute(function, context, inputs, ...)                                               \
    gt_recompute_at(GT_HERE, function, context, inputs, GT_FIRST(__VA_ARGS__),                     \
                    GT_KEYWORDS(gt_recompute, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_recompute_at(const char *here, gt_FunctionBody function, void *context,
                                 gt_Tensors inputs, gt_Tensor **outputs,
                                 const gt_recompute_options *options);

GT_END

#endif
