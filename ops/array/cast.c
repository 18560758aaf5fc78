/* Other dtypes, and the two operations that change only what a tape sees: cast, saturate_cast, identity, stop_gradient. Leans on
 * kernels/copies.h. */
#include "ops/array/cast.h"
#include "ops/kit.h"
#include "ops/math/arithmetic.h"

#include <float.h>
#include <math.h>

/* ---- cast ---- */

#define CAST_OPTIONS(F, S) F(S, gt_DType, dtype, GT_FLOAT32, "the dtype of the result")
GT_OPTIONS(CastOptions, CAST_OPTIONS);
GT_OPTION_TYPE(CastOptions, CAST_OPTIONS);

static gt_Status cast_shape(gt_ShapeRule *rule)
{
    const CastOptions *options = rule->options;
    if (!gt_storable(options->dtype))
        return gt_fail(GT_UNSUPPORTED, "to dtype %s is not supported",
                       gt_dtype_name(options->dtype));
    rule->output[0] = *rule->input[0];
    rule->output[0].dtype = options->dtype;
    return GT_OK;
}

static uint8_t cast_type(gt_DType dtype)
{
    int half = gt_half_type(dtype);
    return (uint8_t)(half < 0 ? gt_loop_type(dtype) : GT_LOOP_TYPES + half);
}

static void cast_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_Spec *out = &rule->output[0];
    int64_t tiles = (out->size + GT_TILE_ELEMENTS - 1) / GT_TILE_ELEMENTS;
    gt_CastJob *job = gt_lower_launch(lowering, GT_TILES_cast, tiles, sizeof *job);
    job->from = cast_type(rule->input[0]->dtype);
    job->to = cast_type(out->dtype);
    job->size = out->size;
    gt_lower_span(lowering, GT_TILE_ELEMENTS);
}

static gt_Status cast_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_cast(gt_upstream(rule, 0), gt_rule_input_spec(rule, 0)->dtype));
}

const gt_Operation gt_op_cast = {
    GT_RECORD("cast", "x as another dtype", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_LINEAR | GT_OP_HALF,
    .options = &CastOptions_type,
    .shape = cast_shape,
    .lower = cast_lower,
    .gradient = cast_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(2, 3)),
                           .options = &GT_VALUES(CastOptions, GT_FLOAT64)},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(2, 3)),
                           .options = &GT_VALUES(CastOptions, GT_INT32)},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_WHOLE(GT_INT64, -9, 9, 5)),
                           .options = &GT_VALUES(CastOptions, GT_FLOAT32)}),
};

gt_Tensor *gt_cast_at(const char *here, gt_Tensor *x, gt_DType dtype)
{
    return gt_apply_one_at(here, &gt_op_cast, &GT_VALUES(CastOptions, dtype), 1, &x);
}

/* The largest number of a dtype, INFINITY where no limit is needed. */
static double largest(gt_DType dtype)
{
    switch (dtype) {
    case GT_UINT8:
        return UINT8_MAX;
    case GT_INT32:
        return INT32_MAX;
    case GT_FLOAT16:
        return 65504;
    case GT_BFLOAT16:
        return 0x1.fep127;
    case GT_FLOAT32:
        return (double)FLT_MAX;
    default:
        return INFINITY;
    }
}

/* A cast of floats to integers saturates by itself. */
static gt_Tensor *saturate_cast(gt_Tensor *x, gt_DType dtype)
{
    gt_DType from = gt_dtype(x);
    double high = largest(dtype);
    if (gt_dtype_is_integer(from) && from != dtype && high < largest(from) && high <= INT32_MAX) {
        double low = dtype == GT_UINT8 ? 0 : dtype == GT_INT32 ? INT32_MIN : -high;
        x = gt_minimum(gt_maximum(x, low), high);
    } else if (gt_dtype_is_float(from) && gt_dtype_is_float(dtype) && high < largest(from)) {
        x = gt_clip(gt_widened(x), -high, high);
    }
    return gt_cast(x, dtype);
}
GT_COMPOSED(saturate_cast, (const char *here, gt_Tensor *x, gt_DType dtype), (x, dtype))

/* ---- identity, stop_gradient ---- */

static gt_Status any_shape(gt_ShapeRule *rule)
{
    return gt_shape_same(rule, GT_TAKES_ANY);
}

static gt_Status identity_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_upstream(rule, 0));
}

const gt_Operation gt_op_identity = {
    GT_RECORD("identity", "x", 1, 1),
    .flags = GT_OP_VIEW | GT_OP_CARRIES | GT_OP_LINEAR | GT_OP_HALF,
    .shape = any_shape,
    .lower = gt_lower_same,
    .gradient = identity_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))}),
};
GT_DEFINE_UNARY(identity)

const gt_Operation gt_op_stop_gradient = {
    GT_RECORD("stop_gradient", "x", 1, 1),
    .flags = GT_OP_VIEW | GT_OP_CARRIES | GT_OP_NOT_DIFFERENTIABLE | GT_OP_HALF,
    .why_not = "it is what cuts a gradient",
    .shape = any_shape,
    .lower = gt_lower_same,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))}),
};
GT_DEFINE_UNARY(stop_gradient)
