/* gt_cast, gt_identity, gt_stop_gradient. */
#include "ops/cast.h"
#include "ops/arithmetic.h"
#include "ops/kit.h"

#include <float.h>

#include <string.h>

typedef struct CastOptions {
    uint32_t size;
    gt_DType dtype;
} CastOptions;
#define CAST_OPTIONS(F)                                                                            \
    F(uint32_t, size, (uint32_t)sizeof(CastOptions), "for ABI growth")                             \
    F(gt_DType, dtype, GT_FLOAT32, "the type of the result")
#define GT_STRUCT CastOptions
GT_OPTION_TYPE(CastOptions, CAST_OPTIONS);
#undef GT_STRUCT

static gt_Status cast_shape(gt_ShapeRule *rule)
{
    const CastOptions *options = rule->options;
    if (gt_loop_type(options->dtype) < 0)
        return gt_fail(GT_UNSUPPORTED, "to type %s is not supported",
                       gt_dtype_name(options->dtype));
    rule->output[0] = *rule->input[0];
    rule->output[0].dtype = options->dtype;
    return GT_OK;
}

static void cast_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)
{
    gt_DType from = kernel->input_spec[0]->dtype, to = kernel->output_spec[0]->dtype;
    gt_CastLoop *loop = kernel->context->kernels->cast[gt_loop_type(from)][gt_loop_type(to)];
    loop(n, (const char *)kernel->input[0] + (size_t)first * gt_dtype_size(from),
         (char *)kernel->output[0] + (size_t)first * gt_dtype_size(to));
}

static gt_Status cast_run(const gt_Kernel *kernel)
{
    return gt_run_chunks(kernel, cast_chunk);
}

static gt_Status cast_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_cast(gt_upstream(rule, 0), gt_input_spec(rule, 0)->dtype));
}

const gt_Operation gt_op_cast = {
    .size = sizeof(gt_Operation),
    .name = "cast",
    .formula = "x as another type",
    .flags = GT_OP_ELEMENTWISE | GT_OP_LINEAR,
    .options = GT_STRUCT_TYPE(CastOptions),
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = cast_shape,
    .run = cast_run,
    .gradient = cast_gradient,
    .samples =
        (const gt_Sample[]){{.inputs = 1,
                             .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3)),
                             .options = &(const CastOptions){sizeof(CastOptions), GT_FLOAT64}},
                            {.inputs = 1,
                             .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3)),
                             .options = &(const CastOptions){sizeof(CastOptions), GT_INT32}},
                            GT_SAMPLES_END},
};

gt_Tensor *gt_cast_at(const char *here, gt_Tensor *x, gt_DType dtype)
{
    return gt_apply_one(here, &gt_op_cast, &(CastOptions){sizeof(CastOptions), dtype}, 1, &x);
}

static gt_Status any_shape(gt_ShapeRule *rule)
{
    return gt_shape_same(rule, GT_TAKES_ANY);
}

/* Views run no kernel eagerly; a plan that has to copy one calls this. */
gt_Status gt_run_copy(const gt_Kernel *kernel)
{
    size_t bytes = gt_spec_bytes(kernel->output_spec[0]);
    if (bytes)
        memcpy(kernel->output[0], kernel->input[0], bytes);
    return GT_OK;
}

static gt_Status identity_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_upstream(rule, 0));
}

const gt_Operation gt_op_identity = {
    .size = sizeof(gt_Operation),
    .name = "identity",
    .formula = "x",
    .flags = GT_OP_VIEW | GT_OP_LINEAR,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = any_shape,
    .run = gt_run_copy,
    .gradient = identity_gradient,
    .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))},
                                   GT_SAMPLES_END},
};
GT_DEFINE_UNARY(identity)

const gt_Operation gt_op_stop_gradient = {
    .size = sizeof(gt_Operation),
    .name = "stop_gradient",
    .formula = "x",
    .flags = GT_OP_VIEW | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is what cuts a gradient",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = any_shape,
    .run = gt_run_copy,
    .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))},
                                   GT_SAMPLES_END},
};
GT_DEFINE_UNARY(stop_gradient)

/* A cast of floats to integers saturates by itself; one to int64 or bool needs nothing. */
static gt_Tensor *saturate_cast(gt_Tensor *x, gt_DType dtype)
{
    gt_DType from = gt_dtype(x);
    if (gt_dtype_is_integer(from) && from != GT_UINT8 && (dtype == GT_UINT8 || dtype == GT_INT32)) {
        double low = dtype == GT_UINT8 ? 0 : (double)INT32_MIN;
        double high = dtype == GT_UINT8 ? UINT8_MAX : (double)INT32_MAX;
        x = gt_minimum(gt_maximum(x, low), high);
    } else if (from == GT_FLOAT64 && dtype == GT_FLOAT32) {
        x = gt_clip(x, -(double)FLT_MAX, (double)FLT_MAX);
    }
    return gt_cast(x, dtype);
}
GT_COMPOSED(saturate_cast, (const char *here, gt_Tensor *x, gt_DType dtype), (x, dtype))
