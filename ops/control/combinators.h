/* Control flow made of gt_cond and gt_scan: one of several branches; a function of every element;
 * what an associative function of two makes of all elements so far. Eagerly and inside a traced
 * function they do what those two do (ops/control/control.h). */
#ifndef GT_OPS_COMBINATORS_H
#define GT_OPS_COMBINATORS_H

#include "core/body.h"
#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/control/control.h"

GT_BEGIN

/* gt_switch(index, branches, count, context, inputs, outputs, .outputs = 1): runs
 * branches[index], one of `count` functions, with `inputs`. `index` is an integer, a tensor of
 * one element; below 0 the first branch is run, above count - 1 the last. At most 64 inputs and
 * outputs. */
#define gt_switch(index, branches, count, context, inputs, ...)                                    \
    gt_switch_at(GT_HERE, index, branches, count, context, inputs, GT_FIRST(__VA_ARGS__),          \
                 GT_KEYWORDS(gt_cond, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_switch_at(const char *here, gt_Tensor *index, const gt_FunctionBody *branches,
                              int32_t count, void *context, gt_Tensors inputs, gt_Tensor **outputs,
                              const gt_cond_options *options);
typedef gt_cond_options gt_switch_options;

#define gt_map_OPTIONS(F, S)                                                                       \
    F(S, int32_t, outputs, 1, "how many tensors the body computes, 0 to 1024")
GT_OPTIONS(gt_map_options, gt_map_OPTIONS);
/* gt_map(body, context, xs, ys, .outputs = 1): calls the body with element k, along the first
 * dimension, of each tensor of xs, for every k; `ys` gets what it computes, stacked along a new
 * first dimension. For operations that take batches a batch is faster. (Keras's vectorized_map,
 * too: operations here already work on whole batches.) */
#define gt_map(body, context, xs, ...)                                                             \
    gt_map_at(GT_HERE, body, context, xs, GT_FIRST(__VA_ARGS__),                                   \
              GT_KEYWORDS(gt_map, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_map_at(const char *here, gt_FunctionBody body, void *context, gt_Tensors xs,
                           gt_Tensor **ys, const gt_map_options *options);

#define gt_associative_scan_OPTIONS(F, S)                                                          \
    F(S, int32_t, axis, 0, "along this axis of each of xs")                                        \
    F(S, bool, reverse, false, "from the last element to the first")
GT_OPTIONS(gt_associative_scan_options, gt_associative_scan_OPTIONS);
/* gt_associative_scan(body, context, xs, ys): element k of ys is x[0] * x[1] * ... * x[k], where
 * the body computes a * b of several pairs at once: it gets blocks of all of xs, then blocks of the
 * same shapes that stand behind them, and computes one result for each of xs. Because a * (b * c)
 * is (a * b) * c it is called 2 log2(n) times, not n times. At most 16 tensors; ys gets as many. */
#define gt_associative_scan(body, context, xs, ...)                                                \
    gt_associative_scan_at(GT_HERE, body, context, xs, GT_FIRST(__VA_ARGS__),                      \
                           GT_KEYWORDS(gt_associative_scan, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_associative_scan_at(const char *here, gt_FunctionBody body, void *context,
                                        gt_Tensors xs, gt_Tensor **ys,
                                        const gt_associative_scan_options *options);

GT_END

#endif
