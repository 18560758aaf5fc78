/* Regularizers: penalties made of operations. */
#include "layers/internal.h"
#include "ops/math/arithmetic.h"
#include "ops/math/reduce.h"
#include "ops/math/reduction.h"

#include <string.h>

GT_OPTION_TYPE(gt_L1_options, gt_L1_OPTIONS);
GT_OPTION_TYPE(gt_L2_options, gt_L2_OPTIONS);
GT_OPTION_TYPE(gt_L1L2_options, gt_L1L2_OPTIONS);

static gt_Tensor *l1_l2(double l1, double l2, gt_Tensor *weight)
{
    gt_Tensor *first = l1 != 0 ? gt_multiply(gt_sum(gt_abs(weight)), l1) : NULL;
    gt_Tensor *second = l2 != 0 ? GT_SQUARES(weight, .scale = l2) : NULL;
    return first && second ? gt_add(first, second) : first ? first : second;
}

static gt_Tensor *l1_penalty(const gt_Regularizer *self, gt_Tensor *weight)
{
    gt_L1_options options;
    memcpy(&options, self->options, sizeof options);
    return l1_l2(options.l1, 0, weight);
}

static gt_Tensor *l2_penalty(const gt_Regularizer *self, gt_Tensor *weight)
{
    gt_L2_options options;
    memcpy(&options, self->options, sizeof options);
    return l1_l2(0, options.l2, weight);
}

static gt_Tensor *l1_l2_penalty(const gt_Regularizer *self, gt_Tensor *weight)
{
    gt_L1L2_options options;
    memcpy(&options, self->options, sizeof options);
    return l1_l2(options.l1, options.l2, weight);
}

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

static const gt_RegularizerClass l1_class = {.mark = GT_MARK,
                                             .size = sizeof l1_class,
                                             .name = "l1",
                                             .options = &gt_L1_options_type,
                                             .penalty = l1_penalty};
static const gt_RegularizerClass l2_class = {.mark = GT_MARK,
                                             .size = sizeof l2_class,
                                             .name = "l2",
                                             .options = &gt_L2_options_type,
                                             .penalty = l2_penalty};
static const gt_RegularizerClass l1_l2_class = {.mark = GT_MARK,
                                                .size = sizeof l1_l2_class,
                                                .name = "l1_l2",
                                                .options = &gt_L1L2_options_type,
                                                .penalty = l1_l2_penalty};
static const gt_RegularizerClass function_class = {.mark = GT_MARK,
                                                   .size = sizeof function_class,
                                                   .name = "function",
                                                   .penalty = function_penalty};

static gt_Regularizer made(const gt_RegularizerClass *type, const void *given)
{
    gt_Regularizer self = {.type = type};
    gt_options_take(type->options, self.options, given);
    return self;
}

gt_Regularizer gt_L1_of(const gt_L1_options *options)
{
    return made(&l1_class, options);
}

gt_Regularizer gt_L2_of(const gt_L2_options *options)
{
    return made(&l2_class, options);
}

gt_Regularizer gt_L1L2_of(const gt_L1L2_options *options)
{
    return made(&l1_l2_class, options);
}

gt_Regularizer gt_regularizer(gt_RegularizerFunction function, void *context)
{
    gt_Regularizer self = {.type = &function_class, .context = context};
    memcpy(self.options, &function, sizeof function);
    return self;
}

gt_Status gt_regularizer_check(const char *what, const gt_Regularizer *regularizer)
{
    const gt_RegularizerClass *type = regularizer->type;
    if (!type)
        return GT_OK;
    if (!gt_is_class(type) || !type->penalty)
        return gt_fail(
            GT_INVALID,
            "%s must be a regularizer such as gt_L2(0.01) (got a bare number or a pointer)", what);
    if (type != &function_class)
        return GT_OK;
    if (!function_of(regularizer))
        return gt_fail(GT_INVALID, "%s: the function is NULL", what);
    return gt_check_function("the regularizer's function", (uintptr_t)function_of(regularizer));
}

gt_Tensor *gt_penalty(const gt_Regularizer *regularizer, gt_Tensor *tensor)
{
    if (!regularizer->type || gt_regularizer_check("a regularizer", regularizer) != GT_OK)
        return NULL;
    return regularizer->type->penalty(regularizer, tensor);
}
