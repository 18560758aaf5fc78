/* Constraints: projections made of operations, and how a variable gets one. The optimizer applies it: it asks
 * core, which holds the value as bytes beside a function. Leans on ops for the operations. */
#include "layers/constraint.h"
#include "layers/internal.h"
#include "core/values.h"
#include "ops/kit.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "ops/math/reduction.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_MaxNorm_options, gt_MaxNorm_OPTIONS);
GT_OPTION_TYPE(gt_UnitNorm_options, gt_UnitNorm_OPTIONS);
GT_OPTION_TYPE(gt_MinMaxNorm_options, gt_MinMaxNorm_OPTIONS);

/* Keras's backend.epsilon(). */
#define EPSILON 1e-7

/* ---- norms ---- */

/* The norms of a weight, in a shape that broadcasts to it; of 16 bits in float32. */
static gt_Tensor *norms(gt_Tensor *weight, gt_Axes axes)
{
    return GT_LENGTH(gt_widened(weight), .axes = axes, .keepdims = true);
}

/* w wanted / (1e-7 + norm); `wanted` NULL: 1. */
static gt_Tensor *rescaled(gt_Tensor *weight, gt_Tensor *wanted, gt_Tensor *norm)
{
    gt_Tensor *wide = gt_widened(weight), *around = gt_add(norm, EPSILON);
    gt_Tensor *result =
        wanted ? gt_multiply(wide, gt_divide(wanted, around)) : gt_divide(wide, around);
    return gt_narrowed(result, gt_dtype(weight));
}

static gt_Tensor *max_norm(const gt_Constraint *self, gt_Tensor *weight)
{
    gt_MaxNorm_options options = GT_OPTIONS_OF(gt_MaxNorm_options, self);
    gt_Tensor *norm = norms(weight, options.axes);
    return rescaled(weight, gt_clip(norm, 0, options.max_value), norm);
}

static gt_Status max_norm_check(const gt_Constraint *self, const char *what)
{
    double max_value = GT_OPTIONS_OF(gt_MaxNorm_options, self).max_value;
    if (!(max_value >= 0))
        return gt_fail(GT_INVALID, "%s: max_value must be >= 0 (got %g)", what, max_value);
    return GT_OK;
}

static gt_Tensor *unit_norm(const gt_Constraint *self, gt_Tensor *weight)
{
    gt_Axes axes = GT_OPTIONS_OF(gt_UnitNorm_options, self).axes;
    return rescaled(weight, NULL, norms(weight, axes));
}

static gt_Tensor *min_max_norm(const gt_Constraint *self, gt_Tensor *weight)
{
    gt_MinMaxNorm_options options = GT_OPTIONS_OF(gt_MinMaxNorm_options, self);
    gt_Tensor *norm = norms(weight, options.axes);
    gt_Tensor *inside = gt_clip(norm, options.min_value, options.max_value);
    gt_Tensor *wanted =
        gt_add(gt_multiply(inside, options.rate), gt_multiply(norm, 1 - options.rate));
    return rescaled(weight, wanted, norm);
}

static gt_Status min_max_norm_check(const gt_Constraint *self, const char *what)
{
    gt_MinMaxNorm_options options = GT_OPTIONS_OF(gt_MinMaxNorm_options, self);
    if (!(options.min_value >= 0))
        return gt_fail(GT_INVALID, "%s: min_value must be >= 0 (got %g)", what, options.min_value);
    if (!(options.max_value >= options.min_value))
        return gt_fail(GT_INVALID, "%s: max_value must be >= min_value, %g (got %g)", what,
                       options.min_value, options.max_value);
    if (!(options.rate >= 0 && options.rate <= 1))
        return gt_fail(GT_INVALID, "%s: rate must be in [0, 1] (got %g)", what, options.rate);
    return GT_OK;
}

/* ---- signs ---- */

static gt_Tensor *non_neg(const gt_Constraint *self, gt_Tensor *weight)
{
    (void)self;
    return gt_maximum(weight, 0);
}

/* ---- one's own ---- */

/* The function stands among the options. */
static gt_ConstraintFunction function_of(const gt_Constraint *self)
{
    gt_ConstraintFunction function;
    memcpy(&function, self->options, sizeof function);
    return function;
}

static gt_Tensor *of_function(const gt_Constraint *self, gt_Tensor *weight)
{
    gt_Tensor *result = function_of(self)(self->context, weight);
    if (!result)
        gt_fail(GT_INVALID, "the constraint's function returned no tensor");
    return result;
}

static gt_Status function_check(const gt_Constraint *self, const char *what)
{
    gt_ConstraintFunction function = function_of(self);
    if (!function)
        return gt_fail(GT_INVALID, "%s: the function is NULL", what);
    return gt_check_function("the constraint's function", (uintptr_t)function);
}

static const gt_ConstraintClass function_class = {.mark = GT_MARK,
                                                  .size = sizeof function_class,
                                                  .name = "function",
                                                  .constrain = of_function,
                                                  .check = function_check};

gt_Constraint gt_constraint(gt_ConstraintFunction function, void *context)
{
    gt_Constraint self = {.type = &function_class, .context = context};
    memcpy(self.options, &function, sizeof function);
    return self;
}

/* ---- the classes ---- */

static const gt_ConstraintClass max_norm_class = {
    .mark = GT_MARK,
    .size = sizeof max_norm_class,
    .name = "max_norm",
    .options = &gt_MaxNorm_options_type,
    .constrain = max_norm,
    .check = max_norm_check,
    .function = "MaxNorm",
    .keras = "MaxNorm",
    .summary = "norms of at most max_value",
};
static const gt_ConstraintClass non_neg_class = {
    .mark = GT_MARK,
    .size = sizeof non_neg_class,
    .name = "non_neg",
    .constrain = non_neg,
    .function = "NonNeg",
    .keras = "NonNeg",
    .summary = "no negative elements",
};
static const gt_ConstraintClass unit_norm_class = {
    .mark = GT_MARK,
    .size = sizeof unit_norm_class,
    .name = "unit_norm",
    .options = &gt_UnitNorm_options_type,
    .constrain = unit_norm,
    .function = "UnitNorm",
    .keras = "UnitNorm",
    .summary = "norms of 1",
};
static const gt_ConstraintClass min_max_norm_class = {
    .mark = GT_MARK,
    .size = sizeof min_max_norm_class,
    .name = "min_max_norm",
    .options = &gt_MinMaxNorm_options_type,
    .constrain = min_max_norm,
    .check = min_max_norm_check,
    .function = "MinMaxNorm",
    .keras = "MinMaxNorm",
    .summary = "norms between min_value and max_value",
};

gt_Constraint gt_constraint_make(const gt_ConstraintClass *type, const void *options)
{
    gt_Constraint self = {.type = type};
    GT_TAKE_OPTIONS(&self, options);
    return self;
}

gt_Constraint gt_MaxNorm_of(const gt_MaxNorm_options *options)
{
    return gt_constraint_make(&max_norm_class, options);
}

gt_Constraint gt_NonNeg(void)
{
    return gt_constraint_make(&non_neg_class, NULL);
}

gt_Constraint gt_UnitNorm_of(const gt_UnitNorm_options *options)
{
    return gt_constraint_make(&unit_norm_class, options);
}

gt_Constraint gt_MinMaxNorm_of(const gt_MinMaxNorm_options *options)
{
    return gt_constraint_make(&min_max_norm_class, options);
}

static const gt_ConstraintClass *const table[] = {&max_norm_class, &min_max_norm_class,
                                                  &non_neg_class, &unit_norm_class};

const gt_ConstraintClass *const *gt_constraint_classes(int *count)
{
    if (count)
        *count = (int)(sizeof table / sizeof *table);
    return table;
}

const gt_ConstraintClass *gt_constraint_class_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (gt_value_is_named(name, table[i]->name, table[i]->keras, table[i]->aliases))
            return table[i];
    return NULL;
}

/* ---- projecting ---- */

gt_Status gt_constraint_check(const char *what, const gt_Constraint *constraint)
{
    const gt_ConstraintClass *type = constraint->type;
    if (!type)
        return GT_OK;
    if (!gt_is_class(type) || !type->constrain)
        return gt_fail(
            GT_INVALID,
            "%s must be a constraint such as gt_MaxNorm(2) (got a bare number or a pointer)", what);
    if (!GT_OPTIONS_FIT(constraint))
        return gt_options_too_large(what, type->options->size, sizeof constraint->options);
    bool checks = type->size >= offsetof(gt_ConstraintClass, check) + sizeof type->check;
    if (!checks || !type->check)
        return GT_OK;
    return type->check(constraint, what);
}

/* The result of a constraint: as it must be, or NULL with an error raised. */
static gt_Tensor *checked(gt_Context *context, const gt_Constraint *self, const gt_Spec *wanted,
                          gt_Tensor *result)
{
    char a[200], b[200];
    const gt_Spec *spec =
        result && gt_context_status(context) == GT_OK
            ? gt_tensor_check(context, NULL, NULL, "the constraint's result", result)
            : NULL;
    if (spec && !gt_spec_equal(spec, wanted))
        gt_fail(GT_INVALID, "constraint %s must give %s, as the weight (got %s)", self->type->name,
                gt_spec_text(wanted, a, sizeof a), gt_spec_text(spec, b, sizeof b));
    return gt_context_status(context) == GT_OK ? result : NULL;
}

gt_Tensor *gt_constrain_at(const char *here, gt_Constraint self, gt_Tensor *tensor)
{
    gt_Context *context = gt_enter();
    const gt_Spec *given =
        context ? gt_tensor_check(context, here, "constrain", "the tensor", tensor) : NULL;
    if (!given || !self.type)
        return given ? tensor : NULL;
    gt_Spec wanted = *given;
    gt_Tensor *result = NULL;
    gt_Site site = gt_site_enter(here, "constrain");
    if (gt_constraint_check("the constraint", &self) == GT_OK) {
        result = self.type->constrain(&self, tensor);
        result = checked(context, &self, &wanted, result);
    }
    gt_site_leave(&site);
    return result;
}

/* What core holds of a constraint is the value itself. */
static gt_Tensor *project(const void *payload, gt_Tensor *variable)
{
    gt_Constraint self;
    memcpy(&self, payload, sizeof self);
    return gt_constrain_at(NULL, self, variable);
}

gt_Status gt_set_constraint_at(const char *here, gt_Variable *variable, gt_Constraint constraint)
{
    static const char operation[] = "set_constraint";
    gt_Context *context = gt_enter();
    if (!context || !gt_variable_spec(context, here, operation, variable))
        return gt_status();
    gt_Site site = gt_site_enter(here, operation);
    if (gt_constraint_check("constraint", &constraint) == GT_OK)
        gt_variable_constrain(context, variable, constraint.type ? project : NULL, &constraint,
                              sizeof constraint);
    gt_site_leave(&site);
    return gt_context_status(context);
}
