/* Regularizers: penalties made of operations. Of 16 bits they are computed in float32. */
#include "layers/internal.h"
#include "core/values.h"
#include "ops/array/creation.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/linalg/matmul.h"
#include "ops/math/arithmetic.h"
#include "ops/math/reduce.h"
#include "ops/math/reduction.h"
#include "ops/nn/normalization.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_L1_options, gt_L1_OPTIONS);
GT_OPTION_TYPE(gt_L2_options, gt_L2_OPTIONS);
GT_OPTION_TYPE(gt_L1L2_options, gt_L1L2_OPTIONS);
GT_OPTION_TYPE(gt_OrthogonalRegularizer_options, gt_OrthogonalRegularizer_OPTIONS);

static gt_Status check_factor(const char *what, const char *name, double factor)
{
    if (factor >= 0 && isfinite(factor))
        return GT_OK;
    return gt_fail(GT_INVALID, "%s: %s must be finite and >= 0 (got %g)", what, name, factor);
}

/* ---- sums of powers ---- */

static gt_Tensor *l1_l2(double l1, double l2, gt_Tensor *weight)
{
    weight = gt_widened(weight);
    gt_Tensor *first = l1 != 0 ? gt_multiply(gt_sum(gt_abs(weight)), l1) : NULL;
    gt_Tensor *second = l2 != 0 ? GT_SQUARES(weight, .scale = l2) : NULL;
    return gt_sum_of_given(first, second);
}

static gt_Tensor *l1_penalty(const gt_Regularizer *self, gt_Tensor *weight)
{
    return l1_l2(GT_OPTIONS_OF(gt_L1_options, self).l1, 0, weight);
}

static gt_Status l1_check(const gt_Regularizer *self, const char *what)
{
    return check_factor(what, "l1", GT_OPTIONS_OF(gt_L1_options, self).l1);
}

static const gt_RegularizerClass l1_class = {
    .mark = GT_MARK,
    .size = sizeof l1_class,
    .name = "l1",
    .options = &gt_L1_options_type,
    .penalty = l1_penalty,
    .check = l1_check,
    .function = "L1",
    .keras = "L1",
    .summary = "l1 sum|w|",
};

static gt_Tensor *l2_penalty(const gt_Regularizer *self, gt_Tensor *weight)
{
    return l1_l2(0, GT_OPTIONS_OF(gt_L2_options, self).l2, weight);
}

static gt_Status l2_check(const gt_Regularizer *self, const char *what)
{
    return check_factor(what, "l2", GT_OPTIONS_OF(gt_L2_options, self).l2);
}

static const gt_RegularizerClass l2_class = {
    .mark = GT_MARK,
    .size = sizeof l2_class,
    .name = "l2",
    .options = &gt_L2_options_type,
    .penalty = l2_penalty,
    .check = l2_check,
    .function = "L2",
    .keras = "L2",
    .summary = "l2 sum w^2",
};

static gt_Tensor *l1_l2_penalty(const gt_Regularizer *self, gt_Tensor *weight)
{
    gt_L1L2_options options = GT_OPTIONS_OF(gt_L1L2_options, self);
    return l1_l2(options.l1, options.l2, weight);
}

static gt_Status l1_l2_check(const gt_Regularizer *self, const char *what)
{
    gt_L1L2_options options = GT_OPTIONS_OF(gt_L1L2_options, self);
    check_factor(what, "l1", options.l1);
    return check_factor(what, "l2", options.l2);
}

static const gt_RegularizerClass l1_l2_class = {
    .mark = GT_MARK,
    .size = sizeof l1_l2_class,
    .name = "l1_l2",
    .options = &gt_L1L2_options_type,
    .penalty = l1_l2_penalty,
    .check = l1_l2_check,
    .function = "L1L2",
    .keras = "L1L2",
    .aliases = "l1l2",
    .summary = "l1 sum|w| + l2 sum w^2",
};

/* ---- orthogonality ---- */

/* The sum of the |cosines| of all ordered pairs, less the diagonal, over their number. */
static gt_Tensor *orthogonal_penalty(const gt_Regularizer *self, gt_Tensor *weight)
{
    gt_OrthogonalRegularizer_options options =
        GT_OPTIONS_OF(gt_OrthogonalRegularizer_options, self);
    bool rows = options.mode == GT_ORTHOGONALITY_ROWS;
    gt_Shape shape = gt_tensor_shape(weight);
    if (shape.rank != 2) {
        gt_fail(GT_INVALID, "the orthogonal regularizer accepts matrices (got %d dimensions)",
                (int)shape.rank);
        return NULL;
    }
    int64_t count = shape.dims[rows ? 0 : 1];
    if (count < 2)
        return NULL;
    gt_Tensor *unit = gt_normalize(gt_widened(weight), .axis = rows ? 1 : 0);
    gt_Tensor *cosines = gt_matmul(unit, unit, .transpose_a = !rows, .transpose_b = rows);
    gt_Tensor *others = gt_subtract(gt_ones(gt_shape(), .dtype = gt_dtype(unit)),
                                    gt_eye(count, .dtype = gt_dtype(unit)));
    double pairs = (double)count * (double)(count - 1);
    return gt_multiply(gt_sum(gt_abs(gt_multiply(cosines, others))), options.factor / pairs);
}

static gt_Status orthogonal_check(const gt_Regularizer *self, const char *what)
{
    gt_OrthogonalRegularizer_options options =
        GT_OPTIONS_OF(gt_OrthogonalRegularizer_options, self);
    if (options.mode < GT_ORTHOGONALITY_ROWS || options.mode > GT_ORTHOGONALITY_COLUMNS)
        return gt_fail(GT_INVALID, "%s: unknown mode %d", what, (int)options.mode);
    return check_factor(what, "factor", options.factor);
}

static const gt_RegularizerClass orthogonal_class = {
    .mark = GT_MARK,
    .size = sizeof orthogonal_class,
    .name = "orthogonal_regularizer",
    .options = &gt_OrthogonalRegularizer_options_type,
    .penalty = orthogonal_penalty,
    .check = orthogonal_check,
    .function = "OrthogonalRegularizer",
    .keras = "OrthogonalRegularizer",
    .summary = "factor times the mean |cosine| between rows or columns",
};

/* ---- one's own ---- */

/* The function stands among the options. */
static gt_RegularizerFunction function_of(const gt_Regularizer *self)
{
    gt_RegularizerFunction function;
    memcpy(&function, self->options, sizeof function);
    return function;
}

static gt_Tensor *function_penalty(const gt_Regularizer *self, gt_Tensor *weight)
{
    gt_Tensor *penalty = function_of(self)(self->context, weight);
    if (!penalty)
        gt_fail(GT_INVALID, "the regularizer's function returned no tensor");
    return penalty;
}

static gt_Status function_check(const gt_Regularizer *self, const char *what)
{
    if (!function_of(self))
        return gt_fail(GT_INVALID, "%s: the function is NULL", what);
    return gt_check_function("the regularizer's function", (uintptr_t)function_of(self));
}

static const gt_RegularizerClass function_class = {.mark = GT_MARK,
                                                   .size = sizeof function_class,
                                                   .name = "function",
                                                   .penalty = function_penalty,
                                                   .check = function_check};

gt_Regularizer gt_regularizer(gt_RegularizerFunction function, void *context)
{
    gt_Regularizer self = {.type = &function_class, .context = context};
    memcpy(self.options, &function, sizeof function);
    return self;
}

/* ---- the classes ---- */

gt_Regularizer gt_regularizer_make(const gt_RegularizerClass *type, const void *options)
{
    gt_Regularizer self = {.type = type};
    GT_TAKE_OPTIONS(&self, options);
    return self;
}

gt_Regularizer gt_L1_of(const gt_L1_options *options)
{
    return gt_regularizer_make(&l1_class, options);
}

gt_Regularizer gt_L2_of(const gt_L2_options *options)
{
    return gt_regularizer_make(&l2_class, options);
}

gt_Regularizer gt_L1L2_of(const gt_L1L2_options *options)
{
    return gt_regularizer_make(&l1_l2_class, options);
}

gt_Regularizer gt_OrthogonalRegularizer_of(const gt_OrthogonalRegularizer_options *options)
{
    return gt_regularizer_make(&orthogonal_class, options);
}

static const gt_RegularizerClass *const table[] = {&l1_class, &l1_l2_class, &l2_class,
                                                   &orthogonal_class};

const gt_RegularizerClass *const *gt_regularizer_classes(int *count)
{
    if (count)
        *count = (int)(sizeof table / sizeof *table);
    return table;
}

const gt_RegularizerClass *gt_regularizer_class_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (gt_value_is_named(name, table[i]->name, table[i]->keras, table[i]->aliases))
            return table[i];
    return NULL;
}

/* ---- penalties ---- */

gt_Status gt_regularizer_check(const char *what, const gt_Regularizer *regularizer)
{
    const gt_RegularizerClass *type = regularizer->type;
    if (!type)
        return GT_OK;
    if (!gt_is_class(type) || !type->penalty)
        return gt_fail(
            GT_INVALID,
            "%s must be a regularizer such as gt_L2(0.01) (got a bare number or a pointer)", what);
    if (!GT_OPTIONS_FIT(regularizer))
        return gt_options_too_large(what, type->options->size, sizeof regularizer->options);
    bool checks = type->size >= offsetof(gt_RegularizerClass, check) + sizeof type->check;
    return checks && type->check ? type->check(regularizer, what) : GT_OK;
}

gt_Tensor *gt_penalty(const gt_Regularizer *regularizer, gt_Tensor *tensor)
{
    if (!regularizer->type || gt_regularizer_check("the regularizer", regularizer) != GT_OK)
        return NULL;
    return regularizer->type->penalty(regularizer, tensor);
}

gt_Tensor *gt_regularize_at(const char *here, gt_Regularizer regularizer, gt_Tensor *tensor)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_tensor_check(context, here, "regularize", "the tensor", tensor))
        return NULL;
    gt_Site site = gt_site_enter(here, "regularize");
    gt_Tensor *penalty = gt_penalty(&regularizer, tensor);
    if (!penalty)
        penalty = gt_zeros(gt_shape(), .dtype = gt_dtype(gt_widened(tensor)));
    gt_site_leave(&site);
    return gt_context_status(context) == GT_OK ? penalty : NULL;
}
