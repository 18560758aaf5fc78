/* Muon (Jordan et al. 2024): momentum of matrices made orthogonal; Adam for everything else. */
#ifndef GT_OPTIM_MUON_H
#define GT_OPTIM_MUON_H

#include "optim/optimizer.h"

GT_BEGIN

#define gt_Muon_OPTIONS(F, S)                                                                      \
    F(S, double, learning_rate, 0.001, "length of a step")                                         \
    F(S, double, adam_beta_1, 0.9,                                                                 \
      "of variables that are no matrices: memory of the mean, in [0, 1)")                          \
    F(S, double, adam_beta_2, 0.999, "memory of their mean square, in [0, 1)")                     \
    F(S, double, adam_weight_decay, 0.004, "their weight decay")                                   \
    F(S, double, epsilon, 1e-7, "added to the root of their mean square")                          \
    F(S, bool, exclude_embeddings, true,                                                           \
      "variables with \"embedding\" in their name are no matrices here")                           \
    F(S, double, muon_a, 3.4445, "a of the iteration")                                             \
    F(S, double, muon_b, -4.7750, "b of it")                                                       \
    F(S, double, muon_c, 2.0315, "c of it")                                                        \
    F(S, double, adam_lr_ratio, 1, "the learning rate of the others, as a part")                   \
    F(S, double, momentum, 0.95, "in [0, 1)")                                                      \
    F(S, int32_t, ns_steps, 5, "of Newton and Schulz, to make a matrix orthogonal; > 0")           \
    F(S, bool, nesterov, true, "looks ahead along the momentum")                                   \
    F(S, double, rms_rate, 0.2, "steps have this root mean square; 0: as they come")               \
    GT_OPTIMIZER_COMMON(F, S, 0.004)
GT_OPTIONS(gt_Muon_options, gt_Muon_OPTIONS);

/* gt_Muon(1e-3): momentum made orthogonal for matrices, Adam with weight decay for everything else. Of a matrix (k, n):
 *     m = momentum m + g,  x = g + momentum m (or m)
 *     x made orthogonal by ns_steps times x = a x + (b x x^T + c (x x^T)^2) x from x / |x|
 *     w -= lr x sqrt(max(k, n)) rms_rate
 * Other variables as gt_AdamW. Slots: momentum, and velocity, which is one number for matrices. */
#define gt_Muon(...) gt_Muon_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_Muon, learning_rate, __VA_ARGS__))
GT_API gt_Optimizer *gt_Muon_at(const char *here, const gt_Muon_options *options);

GT_END

#endif
