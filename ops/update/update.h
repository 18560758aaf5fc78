/* The operations with which optimizers change variables, and what they share. Not installed.
 *
 * An update reads and overwrites a variable and its slots: inputs 0 .. outputs - 1, which are
 * variables, are outputs 0 .. outputs - 1. Behind them come
 *     gradient        like the variable, or like as many of its rows as there are `rows`
 *     learning rate   one number of a float type
 *     step count      int64 (): calls before this one
 *     rows            int64 (n), optional: which rows of the variable the gradient is of, each
 *                     once; a number that is not below the number of rows is padding
 *     factor          one number of a float type, optional: the gradient is taken times it, as kernels/update.h says
 * The element of the variable and those of its slots at the same place depend on nothing else,
 * so an update is cut into tiles anywhere. */
#ifndef GT_OPS_UPDATE_UPDATE_H
#define GT_OPS_UPDATE_UPDATE_H

#include "core/inside.h"
#include "ops/kit.h"

/* ---- for the records ---- */

#define GT_UPDATE_FLAGS   (GT_OP_EFFECT | GT_OP_NOT_DIFFERENTIABLE | GT_OP_INTERNAL)
#define GT_UPDATE_WHY_NOT "a change of state has no gradient; compute with the value instead"
#define GT_UPDATE_COUNT                                                                            \
    {                                                                                              \
        .dtype = GT_INT64, .shape = {GT_MARK, 0, {0}}, .low = 0, .high = 10                        \
    }

/* Which inputs may be absent, of a record with that many outputs: the rows. */
#define GT_UPDATE_OPTIONAL(outputs) (UINT64_C(1) << ((outputs) + 3))

#define GT_UPDATE_NO_ROWS                                                                          \
    {                                                                                              \
        .dtype = GT_DTYPE_NONE                                                                     \
    }
#define GT_UPDATE_FACTOR GT_REAL_SCALAR(0.1, 1)

/* Every output like its input, the gradient like the variable or its rows. */
gt_Status gt_update_shape(gt_ShapeRule *rule);
/* The tiles of the update of a variable, and what all of their jobs begin with. */
int64_t gt_update_tiles(const gt_ShapeRule *rule);
gt_UpdateJob gt_update_job(const gt_ShapeRule *rule, int64_t accumulation);

/* ---- update.c: what every optimizer does besides ---- */

#define gt_accumulate_gradient_OPTIONS(F, S)                                                       \
    F(S, int64_t, accumulation, 1, "calls that make one update")
GT_OPTIONS(gt_accumulate_gradient_options, gt_accumulate_gradient_OPTIONS);

#define gt_ema_update_OPTIONS(F, S)                                                                \
    F(S, double, momentum, 0.99, "how much of the old average stays")                              \
    F(S, int64_t, frequency, 1, "updates between two overwrites; 0: now, if there was a call")     \
    F(S, int64_t, accumulation, 1, "calls that make one update")
GT_OPTIONS(gt_ema_update_options, gt_ema_update_OPTIONS);
typedef gt_ema_update_options gt_ema_overwrite_options;

/* ---- sgd.c, adagrad.c, adam.c ---- */

#define gt_sgd_update_OPTIONS(F, S)                                                                \
    F(S, double, momentum, 0.0, "how much of the last step stays")                                 \
    F(S, bool, nesterov, false, "looks ahead along the momentum")                                  \
    F(S, double, weight_decay, 0.0, "times the learning rate")                                     \
    F(S, int64_t, accumulation, 1, "calls that make one update")
GT_OPTIONS(gt_sgd_update_options, gt_sgd_update_OPTIONS);

#define gt_adagrad_update_OPTIONS(F, S)                                                            \
    F(S, double, epsilon, 1e-7, "added to the sum of squares, inside the root")                    \
    F(S, double, weight_decay, 0.0, "times the learning rate")                                     \
    F(S, int64_t, accumulation, 1, "calls that make one update")
GT_OPTIONS(gt_adagrad_update_options, gt_adagrad_update_OPTIONS);

#define gt_adam_update_OPTIONS(F, S)                                                               \
    F(S, double, beta_1, 0.9, "memory of the mean")                                                \
    F(S, double, beta_2, 0.999, "memory of the mean square")                                       \
    F(S, double, epsilon, 1e-7, "added to the root of the mean square")                            \
    F(S, double, weight_decay, 0.0, "times the learning rate")                                     \
    F(S, int64_t, accumulation, 1, "calls that make one update")
GT_OPTIONS(gt_adam_update_options, gt_adam_update_OPTIONS);

#endif
