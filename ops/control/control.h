/* Control flow over tensors. Run eagerly these are C's own if, while and for: only what is run is
 * computed and recorded, and gradients go through the branch that was taken and the rounds that
 * were made.
 *
 * Inside a traced function (gt_function) it is the same at every run, with the numbers of that run:
 * bodies are traced once and planned on their own, a plan runs the branch that is taken and as many
 * rounds as the numbers ask for, and results are those of eager execution bit for bit. Bodies may
 * read whatever is around them, change variables (assign, draw random numbers), use tapes of their
 * own and further control flow. What the numbers do not decide stays C: a predicate that does not
 * depend on them chooses while tracing, and short loops of known length are unrolled (.unroll).
 *
 * Gradients, of any order, are control flow again: a branch of gradients, a loop that goes
 * backwards, for which the loop variables before every round are kept, and computes each round
 * again. They may add up in another order than those of eager execution, in the last bit. Where the
 * numbers choose, in gt_cond and gt_while_loop, a source that the target does not reach gets zeros,
 * eagerly too: with other numbers it might (docs/gradients.md). Tapes see a branch or a loop as one
 * operation: inside of it a tape that began outside cannot be used, nor
 * gt_add_loss. */
#ifndef GT_OPS_CONTROL_H
#define GT_OPS_CONTROL_H

#include "core/body.h"
#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

#define gt_cond_OPTIONS(F, S)                                                                      \
    F(S, int32_t, outputs, 1, "how many tensors each branch computes, 0 to 1024")
GT_OPTIONS(gt_cond_options, gt_cond_OPTIONS);
/* gt_cond(predicate, yes, no, context, inputs, outputs, .outputs = 1): runs `yes` if the predicate,
 * a tensor of one element, is not 0, else `no`. Both get `inputs`. Traced, both must compute the
 * same shapes and types; no gradient and no error comes from the one that is not taken. */
#define gt_cond(predicate, yes, no, context, inputs, ...)                                          \
    gt_cond_at(GT_HERE, predicate, yes, no, context, inputs, GT_FIRST(__VA_ARGS__),                \
               GT_KEYWORDS(gt_cond, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_cond_at(const char *here, gt_Tensor *predicate, gt_FunctionBody yes,
                            gt_FunctionBody no, void *context, gt_Tensors inputs,
                            gt_Tensor **outputs, const gt_cond_options *options);

#define gt_while_loop_OPTIONS(F, S)                                                                \
    F(S, int64_t, maximum_iterations, GT_INHERIT, "ends the loop; GT_INHERIT: no limit")
GT_OPTIONS(gt_while_loop_options, gt_while_loop_OPTIONS);
/* gt_while_loop(condition, body, context, variables, outputs): as long as the one output of
 * `condition`, a tensor of one element, is not 0, `body` makes the next loop variables of the
 * present ones, of the same shapes and types. `outputs` gets the last ones, one each. Inside a
 * traced function a gradient needs .maximum_iterations: memory is kept for so many rounds. */
#define gt_while_loop(condition, body, context, variables, ...)                                    \
    gt_while_loop_at(GT_HERE, condition, body, context, variables, GT_FIRST(__VA_ARGS__),          \
                     GT_KEYWORDS(gt_while_loop, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_while_loop_at(const char *here, gt_FunctionBody condition, gt_FunctionBody body,
                                  void *context, gt_Tensors variables, gt_Tensor **outputs,
                                  const gt_while_loop_options *options);

#define GT_UNROLL(F, S)                                                                            \
    F(S, int64_t, unroll, 64, "loops of up to so many rounds are unrolled in a traced function")
#define gt_fori_loop_OPTIONS(F, S) GT_UNROLL(F, S)
GT_OPTIONS(gt_fori_loop_options, gt_fori_loop_OPTIONS);
/* gt_fori_loop(first, last, body, context, variables, outputs, .unroll = 64): for i from first to
 * last - 1, the body gets i, an int64 tensor of shape (), then the loop variables, and makes the
 * next ones. As long as the loop is unrolled i is a known number. */
#define gt_fori_loop(first, last, body, context, variables, ...)                                   \
    gt_fori_loop_at(GT_HERE, first, last, body, context, variables, GT_FIRST(__VA_ARGS__),         \
                    GT_KEYWORDS(gt_fori_loop, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_fori_loop_at(const char *here, int64_t first, int64_t last,
                                 gt_FunctionBody body, void *context, gt_Tensors variables,
                                 gt_Tensor **outputs, const gt_fori_loop_options *options);

#define gt_scan_OPTIONS(F, S)                                                                      \
    F(S, int32_t, outputs, 1, "how many tensors to stack the body computes besides, 0 to 1024")    \
    F(S, int64_t, length, GT_INHERIT, "how many rounds; GT_INHERIT: the first dimension of xs")    \
    F(S, bool, reverse, false, "from the last element of xs to the first")                         \
    GT_UNROLL(F, S)
GT_OPTIONS(gt_scan_options, gt_scan_OPTIONS);
/* gt_scan(body, context, initial, xs, carries, ys, .outputs = 1): goes along the first dimension of
 * every tensor of xs. The body gets the carries, as many as `initial`, then element k of each of
 * xs, and makes the next carries, then its outputs. `carries` gets the last carries; `ys` the
 * outputs, stacked along a new first dimension, element k from round k of xs. */
#define gt_scan(body, context, initial, xs, carries, ...)                                          \
    gt_scan_at(GT_HERE, body, context, initial, xs, carries, GT_FIRST(__VA_ARGS__),                \
               GT_KEYWORDS(gt_scan, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_scan_at(const char *here, gt_FunctionBody body, void *context,
                            gt_Tensors initial, gt_Tensors xs, gt_Tensor **carries, gt_Tensor **ys,
                            const gt_scan_options *options);

GT_END

#endif
