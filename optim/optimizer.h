/* Optimizers: they change variables along their gradients. What changes (the step count, the
 * learning rate, the slots beside every variable) is itself a variable, so an optimizer works the
 * same inside a traced function, and a resumed run equals an uninterrupted one. An optimizer of
 * one's own is a gt_OptimizerClass. */
#ifndef GT_OPTIM_OPTIMIZER_H
#define GT_OPTIM_OPTIMIZER_H

#include "core/keyword.h"
#include "core/operation.h"
#include "core/tape.h"
#include "core/variable.h"
#include "optim/schedule.h"

GT_BEGIN

/* Changes variables by their gradients, and owns what it remembers: slots of each, the number of the step, the learning rate. */
typedef struct gt_Optimizer gt_Optimizer;

/* The options that every optimizer has; `decay` is its preset of weight_decay. */
#define GT_OPTIMIZER_COMMON(F, S, decay)                                                           \
    F(S, double, weight_decay, decay, "w -= w * weight_decay * learning_rate before the update")   \
    F(S, double, clipnorm, GT_NONE, "limits the norm of each gradient")                            \
    F(S, double, clipvalue, GT_NONE, "limits each number of a gradient to +-clipvalue")            \
    F(S, double, global_clipnorm, GT_NONE, "limits the joint norm of all gradients")               \
    F(S, bool, use_ema, false, "keeps a moving average of every variable")                         \
    F(S, double, ema_momentum, 0.99, "average = m * average + (1 - m) * variable")                 \
    F(S, int32_t, ema_overwrite_frequency, GT_NONE, "every so many steps variable = average")      \
    F(S, int32_t, gradient_accumulation_steps, GT_NONE,                                            \
      "one update for so many calls; at least 2")                                                  \
    F(S, gt_Schedule, schedule, GT_NOT_GIVEN,                                                      \
      "the learning rate of each step, instead of learning_rate: gt_CosineDecay(...)")             \
    F(S, double, loss_scale_factor, GT_NONE,                                                       \
      "gradients are of the loss times this (gt_scale_loss), and are divided by it")               \
    F(S, const char *, name, NULL, "copied; NULL: the name of the class")

/* ---- training ---- */

/* One step: the gradients of `loss` in `variables` on `tape`, and gt_apply_gradients with them. The
 * loss is one number, shape (), computed while the tape recorded. A variable that the loss does not
 * depend on is left alone and counted (gt_optimizer_skipped); if it depends on none, that is an
 * error with the reason of the first. A tape that is not persistent is used up. */
#define gt_minimize(optimizer, tape, loss, variables)                                              \
    gt_minimize_at(GT_HERE, optimizer, tape, loss, variables)
GT_API gt_Status gt_minimize_at(const char *here, gt_Optimizer *optimizer, gt_Tape *tape,
                                gt_Tensor *loss, gt_Tensors variables);
/* One step from gradients, one a variable, of its shape and type; a NULL among them leaves its
 * variable alone, all of them NULL is an error. In this order: what is missing is dropped,
 * accumulation, clipping, weight decay, update, moving averages, constraints of the variables that
 * have a gradient (also in calls that only accumulate, as in Keras), step count. Where the joint
 * norm of `global_clipnorm` is infinite or NaN, every gradient becomes NaN, as in Keras.
 * Everything is checked and computed before the first variable changes: a call that fails
 * changed nothing. The first call builds the optimizer with these variables; one that is not
 * among them is an error later. Of a gradient that is rows (gt_rows) only those rows are updated
 * where the others would stay the same, to the last bit: see docs/gradients.md. A weight with a
 * regularizer whose penalty no gt_total_loss took since the last step is a warning. */
#define gt_apply_gradients(optimizer, variables, gradients)                                        \
    gt_apply_gradients_at(GT_HERE, optimizer, variables, gradients)
GT_API gt_Status gt_apply_gradients_at(const char *here, gt_Optimizer *optimizer,
                                       gt_Tensors variables, gt_Tensor *const *gradients);
/* The same from a block: the gradients of all these variables, of one type, one after the other without gaps, as
 * gt_gradients_into writes them and as MPI or another program changed them since. `bytes` must be exactly those of the
 * variables. The block is read during the call alone. Not inside a traced function. */
#define gt_apply_packed(optimizer, variables, memory, bytes)                                       \
    gt_apply_packed_at(GT_HERE, optimizer, variables, memory, bytes)
GT_API gt_Status gt_apply_packed_at(const char *here, gt_Optimizer *optimizer, gt_Tensors variables,
                                    const void *memory, size_t bytes);
/* How many variables the last gt_minimize or gt_apply_gradients left alone for want of a gradient;
 * -1 on failure. */
#define gt_optimizer_skipped(optimizer) gt_optimizer_skipped_at(GT_HERE, optimizer)
GT_API int gt_optimizer_skipped_at(const char *here, const gt_Optimizer *optimizer);
/* With use_ema, variable = average for every variable, as at the end of gt_fit; else, and before
 * the first step, nothing. */
#define gt_optimizer_finalize(optimizer) gt_optimizer_finalize_at(GT_HERE, optimizer)
GT_API gt_Status gt_optimizer_finalize_at(const char *here, gt_Optimizer *optimizer);

/* ---- state ---- */

/* Makes the slots for these variables, the full list of what it will ever train. Building again
 * with variables that it knows is nothing; with others an error. */
#define gt_optimizer_build(optimizer, variables)                                                   \
    gt_optimizer_build_at(GT_HERE, optimizer, variables)
GT_API gt_Status gt_optimizer_build_at(const char *here, gt_Optimizer *optimizer,
                                       gt_Tensors variables);
/* Has it its slots? False also on failure. */
#define gt_optimizer_built(optimizer) gt_optimizer_built_at(GT_HERE, optimizer)
GT_API bool gt_optimizer_built_at(const char *here, const gt_Optimizer *optimizer);
/* These variables get no weight decay. Before the optimizer is built. */
#define gt_optimizer_exclude_from_weight_decay(optimizer, variables)                               \
    gt_optimizer_exclude_from_weight_decay_at(GT_HERE, optimizer, variables)
GT_API gt_Status gt_optimizer_exclude_from_weight_decay_at(const char *here,
                                                           gt_Optimizer *optimizer,
                                                           gt_Tensors variables);

/* The learning rate of the next step; NaN on failure, and inside a traced function. */
#define gt_optimizer_learning_rate(optimizer) gt_optimizer_learning_rate_at(GT_HERE, optimizer)
GT_API double gt_optimizer_learning_rate_at(const char *here, const gt_Optimizer *optimizer);
/* The learning rate from the next step on; an error where a schedule says it. */
#define gt_optimizer_set_learning_rate(optimizer, learning_rate)                                   \
    gt_optimizer_set_learning_rate_at(GT_HERE, optimizer, learning_rate)
GT_API gt_Status gt_optimizer_set_learning_rate_at(const char *here, gt_Optimizer *optimizer,
                                                   double learning_rate);
/* Updates made so far: calls divided by gradient_accumulation_steps; -1 on failure, and inside a
 * traced function. */
#define gt_optimizer_iterations(optimizer) gt_optimizer_iterations_at(GT_HERE, optimizer)
GT_API int64_t gt_optimizer_iterations_at(const char *here, const gt_Optimizer *optimizer);

/* Everything that changes, in the order in which it is saved: `iteration` (int64, counts calls),
 * `learning_rate` (float64), `loss_scale` and `finite_steps` if there are (gt_LossScaleOptimizer), the numbers of the
 * class, then averages, gradient accumulators, and the slots of the class interleaved by variable (momentum 1,
 * velocity 1, momentum 2, ...). Valid until the optimizer is built or freed. */
#define gt_optimizer_variables(optimizer) gt_optimizer_variables_at(GT_HERE, optimizer)
GT_API gt_Tensors gt_optimizer_variables_at(const char *here, const gt_Optimizer *optimizer);
/* Slot "momentum", "velocity", "average", ... of a variable; NULL without an error if the optimizer
 * is not built, does not know the variable or has no such slot. */
#define gt_optimizer_slot(optimizer, variable, slot)                                               \
    gt_optimizer_slot_at(GT_HERE, optimizer, variable, slot)
GT_API gt_Variable *gt_optimizer_slot_at(const char *here, const gt_Optimizer *optimizer,
                                         const gt_Variable *variable, const char *slot);
/* How files call state variable `index`: "iteration", "learning_rate", "<path>_<slot>" with every
 * '/' of the path as '_'. `path` gives the path of a trained variable; NULL takes its name. Writes
 * at most `size` bytes into text and returns text; "" for an index that is none. */
typedef const char *gt_VariablePath(void *user, const gt_Variable *variable);
#define gt_optimizer_variable_name(optimizer, index, path, user, text, size)                       \
    gt_optimizer_variable_name_at(GT_HERE, optimizer, index, path, user, text, size)
GT_API char *gt_optimizer_variable_name_at(const char *here, const gt_Optimizer *optimizer,
                                           int index, gt_VariablePath *path, void *user, char *text,
                                           size_t size);

/* Drops the caller's hold. NULL is ignored. */
GT_API void gt_optimizer_free(gt_Optimizer *optimizer);

/* ---- an optimizer of one's own ---- */

#define GT_MAX_OPTIMIZER_SLOTS   6
#define GT_MAX_OPTIMIZER_NUMBERS 2

/* A tensor beside every variable, of its type. */
typedef struct gt_OptimizerSlot {
    const char *name; /* "momentum" */
    double initial;   /* what every number starts as */
    int32_t group;    /* slots of one group are saved interleaved, groups one after the other */
    gt_Shape shape;   /* all zero: that of the variable */
    bool
        copies; /* starts as the variable is when the optimizer is built, instead of as `initial` */
} gt_OptimizerSlot;

/* One variable's turn. */
typedef struct gt_OptimizerUpdate {
    const void *options; /* the class's option struct, filled in */
    gt_Variable *variable;
    gt_Variable *const *slots; /* as many as `slots` of the class said, in its order */
    int32_t slot_count;
    gt_Tensor *gradient;      /* accumulated, clipped; of the variable's shape and type */
    gt_Tensor *learning_rate; /* float64 () */
    gt_Variable *iterations;  /* int64 (), calls before this one */
    double weight_decay;      /* 0 for an excluded variable */
    int64_t accumulation;     /* an update is due if (iterations + 1) % accumulation is 0 */
    /* NULL, or, for a class that is row_wise: int64 (n), the gradient is of these rows alone, (n,
     * ...). Each is there once; what is not below the number of rows is padding. */
    gt_Tensor *rows;
    gt_Variable *const *numbers; /* as many as `numbers` of the class said */
    /* For `compute` and `advance`. */
    gt_Tensor *value; /* of the variable, after weight decay */
    gt_Tensor *step;  /* float64 (): the number of this update, from 1 */
    /* For a class that `scales`: float64 (), the gradient is clipped by taking it times this; NULL: by nothing. */
    gt_Tensor *factor;
} gt_OptimizerUpdate;

/* The class of an optimizer: its options, its slots, and the update of one variable, made of operations. */
typedef struct gt_OptimizerClass {
    uint32_t size;    /* of this struct */
    const char *name; /* "adam" */
    /* Begins with `uint32_t size` and has a `double learning_rate`; those of GT_OPTIMIZER_COMMON
     * that it names are honoured. */
    const gt_OptionType *options;
    /* Fills in at most GT_MAX_OPTIMIZER_SLOTS for a variable and returns how many, the same names for every one; `variable`
     * is NULL where only the names are asked for. NULL: none. */
    int (*slots)(const void *options, const gt_Variable *variable, gt_OptimizerSlot *slots);
    /* Raises what is wrong with the class's own options; NULL: nothing can be. */
    gt_Status (*check)(const void *options);
    /* Changes the variable and its slots by one operation with GT_OP_EFFECT: gt_optimizer_apply. */
    gt_Status (*update)(const gt_OptimizerUpdate *update);
    /* Without weight decay, does an update by a gradient of 0 leave variable and slots as they are,
     * to the last bit? Then of a gradient that is rows (gt_rows) only those rows are updated. NULL:
     * no. Only with `update`. */
    bool (*row_wise)(const void *options);
    /* Instead of `update`, by operations: next[0] is the variable's new value, next[1], ... are those of the slots; NULL:
     * this one stays. They are assigned once all of them are there, and where an update is due. */
    gt_Status (*compute)(const gt_OptimizerUpdate *update, gt_Tensor **next);
    /* Numbers that belong to no variable, float64 (), at most GT_MAX_OPTIMIZER_NUMBERS; NULL: none. */
    int (*numbers)(const void *options, gt_OptimizerSlot *numbers);
    /* Their values for this update, before any variable's turn: `variable`, `slots` and `gradient` are NULL. */
    gt_Status (*advance)(const gt_OptimizerUpdate *update, gt_Tensor **next);
    const char *function; /* "Adam": gt_Adam makes it; NULL: another one */
    const char *keras;    /* the name of Keras's class; NULL: it has none */
    bool
        scales; /* `update` takes its gradient times a factor, so that clipping by norms need not write it */
} gt_OptimizerClass;

/* All built-in classes of optimizers; count gets how many. Static storage. gt_optimizer_new makes one of a class. */
GT_API const gt_OptimizerClass *const *gt_optimizer_classes(int *count);
/* The built-in class of that name, ours ("adamw") or Keras's ("AdamW"); NULL without an error if there is none. */
GT_API const gt_OptimizerClass *gt_optimizer_class_find(const char *name);

/* A new optimizer, floating: gt_compile takes it over; else gt_optimizer_free, or it is freed with
 * the context. The class must outlive it. */
#define gt_optimizer_new(...) gt_optimizer_new_at(GT_HERE, __VA_ARGS__)
GT_API gt_Optimizer *gt_optimizer_new_at(const char *here, const gt_OptimizerClass *kind,
                                         const void *options);
/* Runs an update operation: variable and slots are inputs and outputs, then come gradient,
 * learning_rate and iterations as inputs, and rows and factor where they are not NULL. */
#define gt_optimizer_apply(...) gt_optimizer_apply_at(GT_HERE, __VA_ARGS__)
GT_API gt_Status gt_optimizer_apply_at(const char *here, const gt_Operation *operation,
                                       const void *options, const gt_OptimizerUpdate *update);

/* For saving: its class, the options as filled in, its name. NULL and "" on failure. */
#define gt_optimizer_class(optimizer) gt_optimizer_class_at(GT_HERE, optimizer)
GT_API const gt_OptimizerClass *gt_optimizer_class_at(const char *here,
                                                      const gt_Optimizer *optimizer);
#define gt_optimizer_options(optimizer) gt_optimizer_options_at(GT_HERE, optimizer)
GT_API const void *gt_optimizer_options_at(const char *here, const gt_Optimizer *optimizer);
#define gt_optimizer_name(optimizer) gt_optimizer_name_at(GT_HERE, optimizer)
GT_API const char *gt_optimizer_name_at(const char *here, const gt_Optimizer *optimizer);

GT_END

#endif
