/* The insides of an optimizer, for the files that build it and step it. Private to the room. */
#ifndef GT_OPTIM_STATE_H
#define GT_OPTIM_STATE_H

#include "core/assert.h"
#include "core/inside.h"
#include "optim/internal.h"
#include "optim/loss_scale.h"
#include "optim/multi.h"

/* The options that every class may have, found among its own by name. */
#define GT_OPTIMIZER_BASE_OPTIONS(F, S)                                                            \
    F(S, double, learning_rate, 0.001, "length of a step")                                         \
    GT_OPTIMIZER_COMMON(F, S, GT_NONE)
GT_OPTIONS(gt_OptimizerBase, GT_OPTIMIZER_BASE_OPTIONS);

/* Numbers of the optimizer: the first two always, the others if there are. */
enum {
    GT_ITERATION,
    GT_LEARNING_RATE,
    GT_BASE_NUMBERS,
    GT_ALL_NUMBERS = GT_BASE_NUMBERS + 2 + GT_MAX_OPTIMIZER_NUMBERS
};
enum { GT_BASE_SLOTS = 2, GT_ALL_SLOTS = GT_BASE_SLOTS + GT_MAX_OPTIMIZER_SLOTS };

/* A variable that is trained. */
typedef struct gt_OptimizerEntry {
    gt_Variable *variable; /* held */
    bool decays;
    bool given;                                  /* during a step: it is in the list */
    gt_Tensor *given_gradient;                   /* during a step; NULL: none */
    gt_Tensor *gradient;                         /* the same as the update wants it */
    gt_Tensor *rows;                             /* which rows that has; NULL: all */
    gt_Tensor *factor;                           /* of the gradient; NULL: none */
    gt_Tensor *next[1 + GT_MAX_OPTIMIZER_SLOTS]; /* what `compute` of the class gave */
    bool constrained;                    /* during a step: it is updated, and has a constraint */
    gt_Tensor *before[1 + GT_ALL_SLOTS]; /* then: the variable and its slots as they were */
    gt_Tensor *projected;                /* and what the constraint makes of the variable */
} gt_OptimizerEntry;

struct gt_Optimizer {
    gt_Object object;
    const gt_OptimizerClass *kind;
    void *options; /* of the class */
    gt_OptimizerBase base;
    char *name;
    size_t name_bytes;
    gt_Variable
        *number[GT_ALL_NUMBERS]; /* iteration, learning_rate, ...: the state before it is built */
    const char *number_name[GT_ALL_NUMBERS];
    int numbers, own_numbers; /* how many; which is the first one of the class */
    int loss_scale; /* which the scale of the loss is, behind it the steps; 0: it has none */
    gt_LossScaleOptimizer_options scaling;
    gt_Tensor *finite, *next_scale, *next_steps, **kept; /* during a step: loss_scale.c */
    gt_Tensor *rate;                                     /* during a step: what the schedule says */
    gt_Tensor *next_number[GT_MAX_OPTIMIZER_NUMBERS];    /* and `advance` of the class */
    gt_Tensor *
        number_before[GT_ALL_NUMBERS]; /* and what these change, as it was; NULL: does not change */
    gt_OptimizerSlot slot[GT_ALL_SLOTS]; /* average, gradient_accumulator, those of the class */
    int slots, average, accumulator;     /* how many; where, -1: not used */
    int own;                             /* the first one of the class */
    gt_OptimizerEntry *entry;
    int32_t entries;
    gt_Map entry_of, excluded_of; /* variable -> which entry; which of the excluded */
    gt_Variable **slot_variable;  /* entry by entry, `slots` each */
    gt_Variable **state;          /* all, in the order of saving */
    int32_t *slot_of;             /* where each of these but the numbers is in slot_variable */
    int32_t state_count, state_capacity;
    gt_Variable **excluded; /* from weight decay; held */
    int32_t excluded_count, excluded_capacity;
    int32_t skipped;
    bool built, is_part;
    struct gt_Distribution *distribution; /* owned; NULL: it is alone */
    /* Of a gt_MultiOptimizer: the optimizers, held; which of them each entry has; room for lists of variables and
     * gradients, sorted by part. 0 parts: it is one by itself. */
    gt_Optimizer **part;
    int32_t parts, *part_of;
    int32_t first[GT_MAX_OPTIMIZERS + 1]; /* of each part among those that are dealt */
    gt_Variable **dealt;
    gt_Tensor **dealt_gradients;
};

static inline bool gt_is_given(double option)
{
    return option != GT_NONE;
}

/* The slots of an entry, as many as `slots`. */
static inline gt_Variable **gt_optimizer_slots_of(const gt_Optimizer *self, int32_t entry)
{
    GT_ASSERT(entry >= 0 && entry < self->entries);
    return self->slot_variable + (int64_t)entry * self->slots;
}
/* Calls that make one update. */
static inline int64_t gt_optimizer_accumulation(const gt_Optimizer *self)
{
    return self->accumulator < 0 ? 1 : self->base.gradient_accumulation_steps;
}

/* Is it a live optimizer of this context? Raises an error as `operation` if not. */
bool gt_optimizer_check(gt_Context *context, const char *here, const char *operation,
                        const gt_Optimizer *self);
/* Can these be trained? Raises an error as `operation` if not. */
gt_Status gt_optimizer_check_trainable(gt_Context *context, const char *here, const char *operation,
                                       gt_Tensors variables);
/* Was the optimizer built with these? Raises an error as `operation` if not. */
gt_Status gt_optimizer_check_known(gt_Optimizer *self, const char *here, const char *operation,
                                   gt_Tensors variables);
/* Builds it with these variables, or finds them all among those that it was built with. */
gt_Status gt_optimizer_build_or_check(gt_Optimizer *self, const char *here, const char *operation,
                                      gt_Tensors variables);
/* Does the class, which may be of an older version, have this member? */
#define GT_OPTIMIZER_HAS(kind, member)                                                             \
    ((kind)->size >= offsetof(gt_OptimizerClass, member) + sizeof(kind)->member)
/* Late results are computed now, for what follows must not fail. NULL is nothing. */
static inline void gt_ready(gt_Tensor *tensor)
{
    if (tensor)
        gt_tensor_data(tensor);
}
/* One more number; `name` must outlive the optimizer. */
gt_Status gt_optimizer_add_number(gt_Optimizer *self, gt_DType dtype, const char *name,
                                  double value);
/* Which entry a variable is; -1: none. */
int32_t gt_optimizer_find(const gt_Optimizer *self, const gt_Variable *variable);

/* gt_optimizer_new of any class that is ours. */
gt_Optimizer *gt_optimizer_create(const char *here, const gt_OptimizerClass *kind,
                                  const void *options);
/* Forgets the variables: back to what it was before it was built. */
void gt_optimizer_unbuild(gt_Optimizer *self);

/* ---- multi.c ---- */

/* What an optimizer has to do in a step: its variables, and their gradients. */
typedef struct gt_OptimizerShare {
    gt_Optimizer *optimizer;
    gt_Tensors variables;
    gt_Tensor *const *gradients;
} gt_OptimizerShare;
/* Asks which part trains which entry, builds the parts and joins their states. On failure the parts are as they were. */
gt_Status gt_multi_build(gt_Optimizer *self, const char *here);
void gt_multi_unbuild(gt_Optimizer *self);
void gt_multi_destroy(gt_Optimizer *self);
/* The share of each part, by number, valid until the next call; some may have no variables. */
gt_Status gt_multi_deal(gt_Optimizer *self, const char *here, gt_Tensors variables,
                        gt_Tensor *const *gradients, gt_OptimizerShare *share);
/* How files call the state variable, which is that of a part. */
char *gt_multi_variable_name(const gt_Optimizer *self, int index, gt_VariablePath *path, void *user,
                             char *text, size_t size);

/* ---- constrained.c ---- */

/* Which of the variables that have a gradient are constrained, all that a step changes of those, and the numbers that it
 * changes. */
gt_Status gt_optimizer_remember(gt_Optimizer *self);
/* Runs `update` for each of these, then its constraint. On failure they, and the numbers, are as they were. */
gt_Status gt_optimizer_update_constrained(gt_Optimizer *self,
                                          void (*update)(gt_Optimizer *, int32_t));
/* Makes these what they were before it. */
void gt_optimizer_put_back(gt_Optimizer *self);

/* ---- loss_scale.c ---- */

/* Divides the gradients by the scale, if there is one. */
gt_Status gt_loss_scale_prepare(gt_Optimizer *self);
/* In a trace, all that the step may have to put back. */
gt_Status gt_loss_scale_remember(gt_Optimizer *self);
/* Is this step left out? */
bool gt_loss_scale_skips(const gt_Optimizer *self);
/* After the step: puts back, and gives the scale its new value. */
void gt_loss_scale_finish(gt_Optimizer *self);
void gt_loss_scale_forget(gt_Optimizer *self);

/* ---- distribution.c ---- */

typedef struct gt_Distribution gt_Distribution;
void gt_distribution_unbuild(gt_Optimizer *optimizer);
void gt_distribution_free(gt_Optimizer *optimizer);
/* The gradients of this step: the means over all processes, valid until the next call, or those that were given where the
 * optimizer is alone, and where something is wrong with them. */
gt_Tensor *const *gt_distribution_join(gt_Optimizer *optimizer, gt_Tensors variables, gt_Tensor *const *gradients);

#define GT_NO_VARIABLES "there are no variables; layers have theirs once they are built"

#endif
