/* Several optimizers as one, each for some of the variables: matrices by Muon and the rest by Adam, an encoder more slowly
 * than what stands on it.
 *
 *     static int of_rank(void *context, const gt_Variable *variable) { return gt_rank(variable) == 2 ? 1 : 0; }
 *     ...
 *     gt_Optimizer *both = gt_MultiOptimizer(gt_optimizers(gt_Adam(1e-3), gt_SGD(0.1)), .choose = of_rank);
 */
#ifndef GT_OPTIM_MULTI_H
#define GT_OPTIM_MULTI_H

#include "optim/optimizer.h"

GT_BEGIN

/* Some optimizers in order: gt_optimizers(a, b). It borrows the array. */
typedef struct gt_Optimizers {
    gt_Optimizer *const *items;
    int32_t count;
} gt_Optimizers;
/* From an array that ends with GT_LIST_END. */
GT_API gt_Optimizers gt_optimizers_list(gt_Optimizer *const *items);
#define GT_MAX_OPTIMIZERS 16 /* of one gt_MultiOptimizer */

/* Which of the optimizers trains a variable, from 0: asked once for each, when the whole is built. */
typedef int (*gt_OptimizerChoice)(void *context, const gt_Variable *variable);
#define gt_MultiOptimizer_OPTIONS(F, S)                                                            \
    F(S, gt_OptimizerChoice, choose, NULL, "which optimizer trains a variable; NULL: the first")   \
    F(S, void *, context, NULL, "given to `choose`")                                               \
    F(S, double, loss_scale_factor, GT_NONE, "of all of them, instead of their own")               \
    F(S, const char *, name, NULL, "copied; NULL: the name of the class")
GT_OPTIONS(gt_MultiOptimizer_options, gt_MultiOptimizer_OPTIONS);
/* One step is one of each optimizer, with the variables that are its own and their gradients; none changes anything where
 * one of them fails. Clipping by the joint norm is over an optimizer's own variables. The state is `iteration` and
 * `learning_rate`, which is 0, then that of each optimizer; files call its numbers sgd_0_iteration, ... Learning rates are
 * those of the parts (gt_optimizer_part). The optimizers are taken over, also when it fails; they must not be built, be
 * given twice, scale losses themselves or be made of several. */
#define gt_MultiOptimizer(...)                                                                     \
    gt_MultiOptimizer_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                           \
                         GT_KEYWORDS(gt_MultiOptimizer, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Optimizer *gt_MultiOptimizer_at(const char *here, gt_Optimizers optimizers,
                                          const gt_MultiOptimizer_options *options);
/* How many optimizers it is made of; 0: it is one by itself; -1 on failure. */
#define gt_optimizer_parts(optimizer) gt_optimizer_parts_at(GT_HERE, optimizer)
GT_API int gt_optimizer_parts_at(const char *here, const gt_Optimizer *optimizer);
/* One of them, which lives as long as the whole; an error if there is none of that number. */
#define gt_optimizer_part(optimizer, part) gt_optimizer_part_at(GT_HERE, optimizer, part)
GT_API gt_Optimizer *gt_optimizer_part_at(const char *here, const gt_Optimizer *optimizer,
                                          int part);

GT_END

#ifdef __cplusplus
#include <cstddef>
template <std::size_t N> struct gt_OptimizerArray {
    gt_Optimizer *items[N];
    operator gt_Optimizers() const
    {
        gt_Optimizers list = {items, static_cast<int32_t>(N)};
        return list;
    }
};
/* Lives to the end of the full expression. */
template <class... T> inline gt_OptimizerArray<sizeof...(T)> gt_optimizers(T... t)
{
    return gt_OptimizerArray<sizeof...(T)>{{t...}};
}
#else
/* gt_optimizers(gt_Adam(), gt_SGD()): lives as long as the block it is written in. */
#define gt_optimizers(...)                                                                         \
    gt_optimizers_list((gt_Optimizer *const[]){GT_LIST(GT_LIST_END, __VA_ARGS__)})
#endif

#endif
