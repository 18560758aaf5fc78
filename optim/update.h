/* What the update operations share: the variable and its slots come in and go out, then gradient,
 * learning rate and step count come in, and, where the gradient is rows, which rows those are (int64
 * (n), each once; what is not below the number of rows is padding). Private to the room. Leans on
 * ops/kit.h. */
#ifndef GT_OPTIM_UPDATE_H
#define GT_OPTIM_UPDATE_H

#include "ops/kit.h"

/* Every output like its input, the gradient like the variable. */
gt_Status gt_update_shape(gt_ShapeRule *rule);
/* Is an update due at this call? `step` gets its number, from 1. */
bool gt_update_due(const gt_Kernel *kernel, int64_t accumulation, int64_t *step);
double gt_update_learning_rate(const gt_Kernel *kernel);
/* Some numbers of the arrays that belong together. */
typedef struct gt_UpdateTile {
    int64_t n;
    void *output[GT_MAX_OUTPUTS]; /* variable, slots */
    const void *gradient;
} gt_UpdateTile;
/* Runs body over the variable: tiles of about GT_CHUNK numbers, or row by row. */
typedef void gt_UpdateBody(const gt_Kernel *kernel, const gt_UpdateTile *tile, void *argument);
gt_Status gt_update_run(const gt_Kernel *kernel, gt_UpdateBody *body, void *argument);

/* ---- what every optimizer does besides ---- */
extern const gt_Operation gt_op_accumulate_gradient;
extern const gt_Operation gt_op_ema_update;
extern const gt_Operation gt_op_ema_overwrite;
extern const gt_Operation gt_op_count_step;

#define GT_ACCUMULATE_OPTIONS(F, S) F(S, int64_t, accumulation, 1, "calls that make one update")
GT_OPTIONS(gt_AccumulateOptions, GT_ACCUMULATE_OPTIONS);

#define GT_EMA_OPTIONS(F, S)                                                                       \
    F(S, double, momentum, 0.99, "how much of the old average stays")                              \
    F(S, int64_t, frequency, 1, "updates between two overwrites; 0: now, if there was a call")     \
    F(S, int64_t, accumulation, 1, "calls that make one update")
GT_OPTIONS(gt_EmaOptions, GT_EMA_OPTIONS);

/* ---- the built-in update operations ---- */
#define GT_OPTIMIZER_OPERATIONS(F)                                                                 \
    F(accumulate_gradient)                                                                         \
    F(ema_update)                                                                                  \
    F(ema_overwrite) F(count_step) F(sgd_update) F(sgd_momentum_update) F(adam_update)             \
        F(adam_amsgrad_update)

/* A record of an update with `count` slots. */
#define GT_UPDATE_RECORD(op, text, count, Options, kernel, kind, rows, ...)                        \
    const gt_Operation gt_op_##op = {.size = sizeof(gt_Operation),                                 \
                                     .name = #op,                                                  \
                                     .formula = text,                                              \
                                     .flags = GT_OP_EFFECT | GT_OP_NOT_DIFFERENTIABLE | (kind),    \
                                     .why_not = "a change of state has no gradient; compute with " \
                                                "the value instead",                               \
                                     .options = &Options##_type,                                   \
                                     .inputs_min = 1 + (count) + 3,                                \
                                     .inputs_max = 1 + (count) + 3 + (rows),                       \
                                     .outputs = 1 + (count),                                       \
                                     .shape = gt_update_shape,                                     \
                                     .run = kernel,                                                \
                                     .samples = (const gt_Sample[]){__VA_ARGS__, GT_SAMPLES_END}}
/* One that goes over the whole variable; `...` are its sample inputs. */
#define GT_UPDATE_OPERATION(op, text, count, Options, kernel, ...)                                 \
    GT_UPDATE_RECORD(op, text, count, Options, kernel, GT_OP_ELEMENTWISE, 0,                       \
                     {.inputs = 1 + (count) + 3, .input = GT_INPUTS(__VA_ARGS__)})
/* One that may be given rows; `...` are samples without and with them. */
#define GT_ROW_UPDATE_OPERATION(op, text, count, Options, kernel, ...)                             \
    GT_UPDATE_RECORD(op, text, count, Options, kernel, 0, 1, __VA_ARGS__)
#define GT_COUNT_SAMPLE                                                                            \
    {                                                                                              \
        .dtype = GT_INT64, .shape = {GT_MARK, 0, {0}}, .low = 0, .high = 10                        \
    }

#endif
