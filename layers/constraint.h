/* Constraints: what a weight is projected to after each of its updates. A constraint is a small value. */
#ifndef GT_LAYERS_CONSTRAINT_H
#define GT_LAYERS_CONSTRAINT_H

#include "core/keyword.h"
#include "core/shape.h"
#include "core/tensor.h"

GT_BEGIN

typedef struct gt_ConstraintClass gt_ConstraintClass;
/* A constraint: its class, and what the class works with. GT_NOT_GIVEN is none. */
typedef struct gt_Constraint {
    const gt_ConstraintClass *type;
    void *context;
    uint64_t options[14]; /* of the class, by value */
} gt_Constraint;

/* For options: the first axis. */
#define GT_FIRST_AXIS                                                                              \
    {                                                                                              \
        GT_MARK, 1,                                                                                \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

/* gt_MaxNorm(2): w min(n, max_value) / (1e-7 + n), Srebro et al. 2005.
 *
 * The norms here and below are Euclidean, n = sqrt(sum w^2) over the axes. Of a kernel (in, units) the first axis
 * gives one norm a unit; of that of a convolution, (height, width, in, out), .axes = gt_axes(0, 1, 2)
 * gives one a filter. Formulas and defaults are Keras's, also its 1e-7. */
#define gt_MaxNorm_OPTIONS(F, S)                                                                   \
    F(S, double, max_value, 2, "the largest norm; >= 0")                                           \
    F(S, gt_Axes, axes, GT_FIRST_AXIS, "a norm is taken over these; GT_ALL_AXES: one of all")
GT_OPTIONS(gt_MaxNorm_options, gt_MaxNorm_OPTIONS);
#define gt_MaxNorm(...) gt_MaxNorm_of(GT_KEYWORDS_MAYBE_1(gt_MaxNorm, max_value, __VA_ARGS__))
GT_API gt_Constraint gt_MaxNorm_of(const gt_MaxNorm_options *options);
/* max(w, 0). */
GT_API gt_Constraint gt_NonNeg(void);
/* gt_UnitNorm(.axes = gt_axes(0)): w / (1e-7 + n). */
#define gt_UnitNorm_OPTIONS(F, S)                                                                  \
    F(S, gt_Axes, axes, GT_FIRST_AXIS, "a norm is taken over these; GT_ALL_AXES: one of all")
GT_OPTIONS(gt_UnitNorm_options, gt_UnitNorm_OPTIONS);
#define gt_UnitNorm(...) gt_UnitNorm_of(GT_KEYWORDS(gt_UnitNorm, __VA_ARGS__))
GT_API gt_Constraint gt_UnitNorm_of(const gt_UnitNorm_options *options);
/* gt_MinMaxNorm(.min_value = 0.5): w d / (1e-7 + n), where d is n limited to [min_value, max_value] with
 * rate 1, and rate times that and 1 - rate times n with less. */
#define gt_MinMaxNorm_OPTIONS(F, S)                                                                \
    F(S, double, min_value, 0, "the least norm; >= 0")                                             \
    F(S, double, max_value, 1, "the largest norm; >= min_value")                                   \
    F(S, double, rate, 1, "how much of the way there; in [0, 1]")                                  \
    F(S, gt_Axes, axes, GT_FIRST_AXIS, "a norm is taken over these; GT_ALL_AXES: one of all")
GT_OPTIONS(gt_MinMaxNorm_options, gt_MinMaxNorm_OPTIONS);
#define gt_MinMaxNorm(...) gt_MinMaxNorm_of(GT_KEYWORDS(gt_MinMaxNorm, __VA_ARGS__))
GT_API gt_Constraint gt_MinMaxNorm_of(const gt_MinMaxNorm_options *options);

/* One's own: a tensor of the weight's dtype and shape, made of operations from its present value. It must not
 * change anything. */
typedef gt_Tensor *(*gt_ConstraintFunction)(void *context, gt_Tensor *weight);
GT_API gt_Constraint gt_constraint(gt_ConstraintFunction function, void *context);

/* A class of constraints, for one that has options and a name to be saved under. */
struct gt_ConstraintClass {
    const gt_Mark *mark;          /* GT_MARK */
    uint32_t size;                /* of this struct */
    const char *name;             /* "max_norm": what files say */
    const gt_OptionType *options; /* NULL: none; at most as large as gt_Constraint's */
    /* Like the weight; NULL with an error raised on failure. */
    gt_Tensor *(*constrain)(const gt_Constraint *self, gt_Tensor *weight);
    /* Raises what is wrong with the options of `what`, "kernel_constraint"; NULL: nothing can be. */
    gt_Status (*check)(const gt_Constraint *self, const char *what);
    const char *function; /* "MaxNorm": gt_MaxNorm makes it; NULL: another one */
    const char *keras;    /* the name of Keras's class; NULL: it has none */
    const char *aliases;  /* other names that Keras accepts, with spaces between; NULL: none */
    const char *summary;  /* one line for the documentation */
};
/* A value of that class; `options` is a struct of its type, or NULL for the defaults. */
GT_API gt_Constraint gt_constraint_make(const gt_ConstraintClass *type, const void *options);

/* The projection of a tensor: a new one. GT_NOT_GIVEN gives the tensor itself. NULL on failure. */
#define gt_constrain(constraint, tensor) gt_constrain_at(GT_HERE, constraint, tensor)
GT_API gt_Tensor *gt_constrain_at(const char *here, gt_Constraint constraint, gt_Tensor *tensor);
/* From now on the variable is projected after every step of an optimizer that has it in its list and a gradient
 * for it: after the moving averages, as in Keras; GT_NOT_GIVEN: no longer. gt_add_weight does the same with its
 * option `constraint`. The constraint is copied; the context of a function must outlive the variable. A step
 * whose constraint fails changes nothing. Not inside a traced function. */
#define gt_set_constraint(variable, constraint) gt_set_constraint_at(GT_HERE, variable, constraint)
GT_API gt_Status gt_set_constraint_at(const char *here, gt_Variable *variable,
                                      gt_Constraint constraint);

/* All built-in classes of constraints; count gets how many. Static storage. */
GT_API const gt_ConstraintClass *const *gt_constraint_classes(int *count);
/* The built-in class of that name, ours ("max_norm") or Keras's ("MaxNorm"); NULL without an error if there is
 * none. */
GT_API const gt_ConstraintClass *gt_constraint_class_find(const char *name);

GT_END

#endif
