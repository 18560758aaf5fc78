/* require: passes a tensor on if what a gradient divides by is what it must be. */
#include "ops/linalg/require.h"
#include "ops/copies.h"
#include "ops/linalg/matrix.h"

static const char *const requirements[GT_REQUIREMENT_COUNT] = {
    "eigenvalues must differ for a gradient of their vectors, or a second one of them; two are "
    "equal",
    "singular values must differ for a gradient of their vectors, or a second one of them; two are "
    "equal",
    "singular values must not be 0 for a gradient of their vectors; one is 0",
    "columns must be linearly independent for a gradient of qr; one depends on those before it",
    "the matrix must be of full rank (gt_pinv accepts others); it is not",
    "the matrix must be of full rank for a second derivative of pinv; it is not",
};

#define REQUIRE_OPTIONS(F, S)                                                                      \
    F(S, int32_t, requirement, 0, "what must hold")                                                \
    F(S, bool, later, false, "only for a gradient through a")
GT_OPTIONS(RequireOptions, REQUIRE_OPTIONS);
GT_OPTION_TYPE(RequireOptions, REQUIRE_OPTIONS);

static gt_Status require_shape(gt_ShapeRule *rule)
{
    const RequireOptions *options = rule->options;
    if (options->requirement < 0 || options->requirement >= GT_REQUIREMENT_COUNT)
        return gt_fail(GT_INVALID, "unknown requirement %d", (int)options->requirement);
    if (!gt_takes(rule->input[1], GT_TAKES_BOOL))
        return gt_status();
    return gt_shape_float(rule);
}

static void require_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const RequireOptions *options = rule->options;
    if (!options->later) {
        gt_HoldsCheck *check =
            gt_lower_check(lowering, GT_CHECK_holds, rule->input[1]->size, sizeof *check);
        check->input = 1;
    }
    gt_lower_same(rule, lowering);
}

static gt_Status require_complain(const gt_ShapeRule *rule, void *const *at, int64_t position)
{
    const RequireOptions *options = rule->options;
    const char *what = requirements[options->requirement];
    (void)at;
    return rule->input[1]->size == 1
               ? gt_fail(GT_NUMERIC, "%s", what)
               : gt_fail(GT_NUMERIC, "%s, in matrix %lld of the batch", what, (long long)position);
}

static gt_Status require_gradient(gt_GradientRule *rule)
{
    RequireOptions options = *(const RequireOptions *)gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0);
    if (!options.later)
        return gt_give(rule, 0, up);
    options.later = false;
    gt_Tensor *pair[2] = {up, gt_rule_input(rule, 1)};
    return gt_give(rule, 0, gt_apply_one_at(NULL, &gt_op_require, &options, 2, pair));
}

const gt_Operation gt_op_require = {
    GT_RECORD("require", "a, if b is true of every matrix; else an error", 2, 2),
    .flags = GT_OP_INTERNAL | GT_OP_LINEAR,
    .options = &RequireOptions_type,
    .saves_inputs = 2,
    .shape = require_shape,
    .lower = require_lower,
    .complain = require_complain,
    .gradient = require_gradient,
    .samples =
        GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_WHOLE(GT_BOOL, 1, 2, 2))}),
};

gt_Tensor *gt_require(gt_Tensor *x, gt_Tensor *holds, gt_Requirement requirement)
{
    const RequireOptions options = GT_VALUES(RequireOptions, (int32_t)requirement, false);
    return gt_apply_one_at(NULL, &gt_op_require, &options, 2, (gt_Tensor *[]){x, holds});
}

gt_Tensor *gt_require_later(gt_Tensor *x, gt_Tensor *holds, gt_Requirement requirement)
{
    const RequireOptions options = GT_VALUES(RequireOptions, (int32_t)requirement, true);
    return gt_apply_one_at(NULL, &gt_op_require, &options, 2, (gt_Tensor *[]){x, holds});
}
