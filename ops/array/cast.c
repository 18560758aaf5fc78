/* gt_cast, gt_identity, gt_stop_gradient. */
#include "ops/array/cast.h"
#include "ops/math/arithmetic.h"
#include "ops/kit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define CAST_OPTIONS(F, S) F(S, gt_DType, dtype, GT_FLOAT32, "the type of the result")
GT_OPTIONS(CastOptions, CAST_OPTIONS);
GT_OPTION_TYPE(CastOptions, CAST_OPTIONS);

static gt_Status cast_shape(gt_ShapeRule *rule)
{
    const CastOptions *options = rule->options;
    if (!gt_storable(options->dtype))
        return gt_fail(GT_UNSUPPORTED, "to type %s is not supported",
                       gt_dtype_name(options->dtype));
    rule->output[0] = *rule->input[0];
    rule->output[0].dtype = options->dtype;
    return GT_OK;
}

/* To 16 bits from what float64 cannot always hold: the bits that would be lost leave a trace in the
 * last one that is kept, so that the second rounding is right. */
static void sticky(int64_t n, const int64_t *x, int64_t *y)
{
    for (int64_t i = 0; i < n; i++) {
        bool large = x[i] >= INT64_C(1) << 53 || x[i] <= -(INT64_C(1) << 53);
        y[i] = large ? (x[i] & ~INT64_C(0x7ff)) | ((x[i] & 0x7ff) != 0) << 11 : x[i];
    }
}

/* From or to a type of 16 bits, with a few numbers at a time as float32 or float64 between. */
static void cast_by_way(const gt_KernelTable *kernels, gt_DType from, gt_DType to, int64_t n,
                        const char *x, char *y)
{
    enum { FEW = 256 };
    int source = gt_half_type(from), target = gt_half_type(to);
    gt_LoopType between = source >= 0 || from == GT_FLOAT32 ? GT_LOOP_F32 : GT_LOOP_F64;
    for (int64_t count; n > 0; n -= count) {
        double numbers[FEW];
        int64_t whole[FEW];
        const void *at = x;
        count = n < FEW ? n : FEW;
        if (from == GT_INT64) {
            sticky(count, at, whole);
            at = whole;
        }
        if (source >= 0)
            kernels->widen[source](1, count, x, count, (float *)(void *)numbers, count);
        else
            kernels->cast[gt_loop_type(from)][between](count, at, numbers);
        if (target >= 0)
            kernels->narrow[between][target](count, numbers, y);
        else
            kernels->cast[between][gt_loop_type(to)](count, numbers, y);
        x += (size_t)count * gt_dtype_size(from);
        y += (size_t)count * gt_dtype_size(to);
    }
}

static void cast_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)
{
    const gt_KernelTable *kernels = kernel->context->kernels;
    gt_DType from = kernel->input_spec[0]->dtype, to = kernel->output_spec[0]->dtype;
    const char *x = (const char *)kernel->input[0] + (size_t)first * gt_dtype_size(from);
    char *y = (char *)kernel->output[0] + (size_t)first * gt_dtype_size(to);
    int source = gt_half_type(from), target = gt_half_type(to);
    if (source >= 0 && from == to)
        memcpy(y, x, (size_t)n * sizeof(uint16_t));
    else if (source >= 0 && to == GT_FLOAT32)
        kernels->widen[source](1, n, (const void *)x, n, (float *)(void *)y, n);
    else if (target >= 0 && (from == GT_FLOAT32 || from == GT_FLOAT64))
        kernels->narrow[gt_loop_type(from)][target](n, x, y);
    else if (source >= 0 || target >= 0)
        cast_by_way(kernels, from, to, n, x, y);
    else
        kernels->cast[gt_loop_type(from)][gt_loop_type(to)](n, x, y);
}

static gt_Status cast_run(const gt_Kernel *kernel)
{
    return gt_run_chunks(kernel, cast_chunk);
}

static gt_Status cast_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_cast(gt_upstream(rule, 0), gt_rule_input_spec(rule, 0)->dtype));
}

const gt_Operation gt_op_cast = {
    .size = sizeof(gt_Operation),
    .name = "cast",
    .formula = "x as another type",
    .flags = GT_OP_ELEMENTWISE | GT_OP_LINEAR | GT_OP_HALF,
    .options = &CastOptions_type,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = cast_shape,
    .run = cast_run,
    .gradient = cast_gradient,
    .samples = (const gt_Sample[]){{.inputs = 1,
                                    .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3)),
                                    .options = &GT_VALUES(CastOptions, GT_FLOAT64)},
                                   {.inputs = 1,
                                    .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3)),
                                    .options = &GT_VALUES(CastOptions, GT_INT32)},
                                   GT_SAMPLES_END},
};

gt_Tensor *gt_cast_at(const char *here, gt_Tensor *x, gt_DType dtype)
{
    return gt_apply_one_at(here, &gt_op_cast, &GT_VALUES(CastOptions, dtype), 1, &x);
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
    .flags = GT_OP_VIEW | GT_OP_CARRIES | GT_OP_LINEAR | GT_OP_HALF,
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
    .flags = GT_OP_VIEW | GT_OP_CARRIES | GT_OP_NOT_DIFFERENTIABLE | GT_OP_HALF,
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

/* The largest number of a type, INFINITY where no limit is needed. */
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
