/* Activation functions: records, kernels and gradient rules of ops/nn/activation.h. relu, leaky_relu,
 * sigmoid, softplus, silu, gelu and the softmaxes are operations; the others are made of operations. */
#include "ops/nn/activation.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/kit.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"

/* ---- slopes in one pass ---- */

/* Both inputs are of the output's shape unless somebody calls the record by name; so its rule sums
 * back, too. `in_up`, `in_y`: the gradient in each, of what arrives as `g`. */
#define SLOPE(op, LOOP, text, saves, in_up, in_y)                                                  \
    GT_LOOP_KERNEL(op, binary, LOOP)                                                               \
    static gt_Status op##_gradient(gt_GradientRule *rule)                                          \
    {                                                                                              \
        gt_Tensor *g = gt_upstream(rule, 0), *y = gt_rule_input(rule, 1);                          \
        if (gt_wants(rule, 0))                                                                     \
            gt_give(rule, 0, gt_unbroadcast(in_up, gt_rule_input_spec(rule, 0)));                  \
        if (gt_wants(rule, 1))                                                                     \
            gt_give(rule, 1, gt_unbroadcast(in_y, gt_rule_input_spec(rule, 1)));                   \
        return gt_status();                                                                        \
    }                                                                                              \
    GT_BINARY_RECORD(op, text, float, saves, GT_OP_INTERNAL | GT_OP_MAY_REUSE, GT_ANY, KINKED,     \
                     .gradient = op##_gradient);                                                   \
    gt_Tensor *gt_##op(gt_Tensor *up, gt_Tensor *y)                                                \
    {                                                                                              \
        gt_Tensor *pair[2] = {up, y};                                                              \
        return gt_apply_one_at(NULL, &gt_op_##op, NULL, 2, pair);                                  \
    }
#define KINKED(...) GT_REAL_GAP(-2, 2, 4, __VA_ARGS__)
#define UP          gt_rule_input(rule, 0)

SLOPE(relu_gradient, RELU_GRADIENT, "a where b > 0, else 0", 2, gt_relu_gradient(g, y),
      gt_zeros_like(y))
SLOPE(tanh_gradient, TANH_GRADIENT, "a (1 - b^2)", 3, gt_tanh_gradient(g, y),
      gt_multiply(gt_multiply(g, UP), gt_multiply(y, -2)))
SLOPE(sigmoid_gradient, SIGMOID_GRADIENT, "a b (1 - b)", 3, gt_sigmoid_gradient(g, y),
      gt_multiply(gt_multiply(g, UP), gt_add(gt_multiply(y, -2), 1)))

/* ---- operations ---- */

static gt_Status relu_rule(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_relu_gradient(gt_upstream(rule, 0), gt_rule_output(rule, 0)));
}
GT_LOOP_KERNEL(relu, unary, RELU)
GT_UNARY_RECORD(relu, "max(x, 0)", number, 0, 1, GT_OP_MAY_REUSE, KINKED(2, 3),
                .gradient = relu_rule);

static gt_Status sigmoid_rule(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_sigmoid_gradient(gt_upstream(rule, 0), gt_rule_output(rule, 0)));
}
GT_LOOP_KERNEL(sigmoid, unary, SIGMOID)
GT_UNARY_RECORD(sigmoid, "1 / (1 + e^-x)", float, 0, 1, GT_OP_MAY_REUSE | GT_OP_PROBABILITY,
                GT_ANY(2, 3), .gradient = sigmoid_rule);
GT_DEFINE_UNARY(sigmoid)

static gt_Status softplus_rule(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), gt_sigmoid(gt_rule_input(rule, 0))));
}
GT_LOOP_KERNEL(softplus, unary, SOFTPLUS)
GT_UNARY_RECORD(softplus, "log(1 + e^x)", float, 1, 0, GT_OP_MAY_REUSE, GT_ANY(2, 3),
                .gradient = softplus_rule);
GT_DEFINE_UNARY(softplus)

GT_OPTION_TYPE(gt_leaky_relu_options, gt_leaky_relu_OPTIONS);

static void leaky_relu_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)
{
    const gt_leaky_relu_options *options = kernel->options;
    if (kernel->output_spec[0]->dtype == GT_FLOAT32) {
        const float *x = (const float *)kernel->input[0] + first;
        float *y = (float *)kernel->output[0] + first, slope = (float)options->negative_slope;
        for (int64_t i = 0; i < n; i++)
            y[i] = x[i] > 0 ? x[i] : slope * x[i];
    } else {
        const double *x = (const double *)kernel->input[0] + first;
        double *y = (double *)kernel->output[0] + first, slope = options->negative_slope;
        for (int64_t i = 0; i < n; i++)
            y[i] = x[i] > 0 ? x[i] : slope * x[i];
    }
}

static gt_Status leaky_relu_run(const gt_Kernel *kernel)
{
    return gt_run_chunks(kernel, leaky_relu_chunk);
}

static gt_Status leaky_relu_rule(gt_GradientRule *rule)
{
    const gt_leaky_relu_options *options = gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0);
    return gt_give(rule, 0,
                   gt_where(gt_greater(gt_rule_input(rule, 0), 0), up,
                            gt_multiply(up, options->negative_slope)));
}
GT_UNARY_RECORD(leaky_relu, "x where x > 0, else negative_slope x", float, 1, 0, GT_OP_MAY_REUSE,
                KINKED(2, 3), .options = &gt_leaky_relu_options_type, .gradient = leaky_relu_rule);

gt_Tensor *gt_leaky_relu_at(const char *here, gt_Tensor *x, const gt_leaky_relu_options *options)
{
    return gt_apply_one_at(here, &gt_op_leaky_relu, options, 1, &x);
}
gt_Tensor *(gt_leaky_relu)(gt_Tensor *x)
{
    return gt_leaky_relu_at(NULL, x, NULL);
}

/* ---- silu, gelu: several loops over a block that stays in the first cache ---- */

enum { BLOCK = 1024 };

typedef struct Block {
    const gt_KernelTable *table;
    gt_LoopType type;
    int64_t n;
} Block;

static void each(const Block *block, gt_UnaryLoopId id, const void *x, void *y)
{
    block->table->unary[id][block->type](block->n, x, y);
}

static void both(const Block *block, gt_BinaryLoopId id, const void *a, const void *b, void *y)
{
    block->table->binary[id][block->type](block->n, a, 1, b, 1, y);
}

static void with(const Block *block, gt_BinaryLoopId id, const void *x, double number, void *y)
{
    const float single = (float)number;
    const void *b = block->type == GT_LOOP_F32 ? (const void *)&single : (const void *)&number;
    block->table->binary[id][block->type](block->n, x, 1, b, 0, y);
}

/* y may be x. */
typedef void BlockBody(const Block *block, const void *options, const void *x, void *y);

static void in_blocks(const gt_Kernel *kernel, int64_t first, int64_t n, BlockBody *body)
{
    const gt_DType dtype = kernel->output_spec[0]->dtype;
    Block block = {kernel->context->kernels, (gt_LoopType)gt_loop_type(dtype), BLOCK};
    for (int64_t at = first; at < first + n; at += BLOCK) {
        size_t offset = (size_t)at * gt_dtype_size(dtype);
        block.n = first + n - at < BLOCK ? first + n - at : BLOCK;
        body(&block, kernel->options, (const char *)kernel->input[0] + offset,
             (char *)kernel->output[0] + offset);
    }
}

static void silu_block(const Block *block, const void *options, const void *x, void *y)
{
    (void)options;
    double s[BLOCK];
    each(block, GT_LOOP_SIGMOID, x, s);
    both(block, GT_LOOP_MULTIPLY, x, s, y);
}
static void silu_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)
{
    in_blocks(kernel, first, n, silu_block);
}
static gt_Status silu_run(const gt_Kernel *kernel)
{
    return gt_run_chunks(kernel, silu_chunk);
}

/* s + x s (1 - s) */
static gt_Status silu_rule(gt_GradientRule *rule)
{
    gt_Tensor *x = gt_rule_input(rule, 0), *s = gt_sigmoid(x);
    gt_Tensor *slope = gt_add(s, gt_sigmoid_gradient(x, s));
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), slope));
}
GT_UNARY_RECORD(silu, "x / (1 + e^-x)", float, 1, 0, GT_OP_MAY_REUSE, GT_ANY(2, 3),
                .gradient = silu_rule);
GT_DEFINE_UNARY(silu)

GT_OPTION_TYPE(gt_gelu_options, gt_gelu_OPTIONS);

#define SQRT_1_2    0.70710678118654752440
#define SQRT_1_2_PI 0.39894228040143267794 /* 1 / sqrt(2 pi) */
#define LINEAR      0.79788456080286535588 /* sqrt(2 / pi) */
#define CUBIC       (0.044715 * LINEAR)

/* x/2 (1 + tanh(LINEAR x + CUBIC x^3)), or x/2 erfc(-x / sqrt(2)) */
static void gelu_block(const Block *block, const void *options, const void *x, void *y)
{
    double t[BLOCK];
    if (((const gt_gelu_options *)options)->approximate) {
        each(block, GT_LOOP_SQUARE, x, t);
        with(block, GT_LOOP_MULTIPLY, t, CUBIC, t);
        with(block, GT_LOOP_ADD, t, LINEAR, t);
        both(block, GT_LOOP_MULTIPLY, x, t, t);
        each(block, GT_LOOP_TANH, t, t);
        with(block, GT_LOOP_ADD, t, 1, t);
    } else {
        with(block, GT_LOOP_MULTIPLY, x, -SQRT_1_2, t);
        each(block, GT_LOOP_ERFC, t, t);
    }
    with(block, GT_LOOP_MULTIPLY, x, 0.5, y);
    both(block, GT_LOOP_MULTIPLY, y, t, y);
}
static void gelu_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)
{
    in_blocks(kernel, first, n, gelu_block);
}
static gt_Status gelu_run(const gt_Kernel *kernel)
{
    return gt_run_chunks(kernel, gelu_chunk);
}

/* Of the approximate form (1 + t) / 2 + x/2 (LINEAR + 3 CUBIC x^2) (1 - t^2), t the tangent; else the
 * normal distribution function plus x times its density. */
static gt_Status gelu_rule(gt_GradientRule *rule)
{
    const gt_gelu_options *options = gt_rule_options(rule);
    gt_Tensor *x = gt_rule_input(rule, 0), *square = gt_square(x), *slope;
    if (options->approximate) {
        gt_Tensor *u = gt_multiply(x, gt_add(gt_multiply(square, CUBIC), LINEAR));
        gt_Tensor *inner = gt_multiply(x, gt_add(gt_multiply(square, 1.5 * CUBIC), 0.5 * LINEAR));
        gt_Tensor *t = gt_tanh(u);
        slope = gt_add(gt_multiply(gt_add(t, 1), 0.5), gt_tanh_gradient(inner, t));
    } else {
        gt_Tensor *density = gt_multiply(gt_exp(gt_multiply(square, -0.5)), SQRT_1_2_PI);
        gt_Tensor *twice = gt_erfc(gt_multiply(x, -SQRT_1_2));
        slope = gt_add(gt_multiply(twice, 0.5), gt_multiply(x, density));
    }
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), slope));
}
const gt_Operation gt_op_gelu = {
    .size = sizeof(gt_Operation),
    .name = "gelu",
    .formula = "x times the normal distribution function at x",
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .options = &gt_gelu_options_type,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    .run = gelu_run,
    .gradient = gelu_rule,
    .samples =
        (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))},
                            {.inputs = 1,
                             .input = GT_INPUTS(GT_ANY(4)),
                             .options = &(const gt_gelu_options){.size = GT_SIZE(gt_gelu_options),
                                                                 .approximate = false}},
                            GT_SAMPLES_END},
};
GT_DEFINE_OPTIONS(gelu, gt_gelu_options, x)

/* ---- softmax and its logarithm, along one axis ---- */

GT_OPTION_TYPE(gt_softmax_options, gt_softmax_OPTIONS);

/* The tensor as outer x n x inner, n along the axis. Inner 1: rows as they lie, `block` of them a
 * tile. Else a tile is `block` neighbours of one outer index, transposed to rows and back. */
typedef struct AlongAxis {
    gt_RowsLoop *loop;
    int64_t outer, n, inner, block;
} AlongAxis;

enum { SOFTMAX_BLOCK = 64 };

static AlongAxis along_axis(const gt_Spec *spec, int axis)
{
    AlongAxis along = {NULL, 1, spec->dims[axis], 1, SOFTMAX_BLOCK};
    for (int d = 0; d < axis; d++)
        along.outer *= spec->dims[d];
    for (int d = axis + 1; d < spec->rank; d++)
        along.inner *= spec->dims[d];
    if (along.inner == 1)
        along.block = along.n < GT_CHUNK ? GT_CHUNK / (along.n ? along.n : 1) : 1;
    else if (along.inner < SOFTMAX_BLOCK)
        along.block = along.inner;
    return along;
}

static gt_Status softmax_shape(gt_ShapeRule *rule)
{
    const gt_softmax_options *options = rule->options;
    const gt_Spec *x = rule->input[0];
    int axis = gt_axis(options->axis, x->rank);
    if (axis < 0 || gt_shape_float(rule) != GT_OK)
        return gt_status();
    AlongAxis along = along_axis(x, axis);
    if (along.inner > 1)
        rule->scratch = 2 * (size_t)along.n * (size_t)along.block * gt_dtype_size(x->dtype);
    return GT_OK;
}

static void row_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                      void *scratch)
{
    (void)scratch;
    const AlongAxis *along = argument;
    int64_t begin = first * along->block, end = last * along->block;
    if (end > along->outer)
        end = along->outer;
    size_t offset = (size_t)(begin * along->n) * gt_dtype_size(kernel->output_spec[0]->dtype);
    along->loop(end - begin, along->n, (const char *)kernel->input[0] + offset,
                (char *)kernel->output[0] + offset);
}

static void column_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                         void *scratch)
{
    const AlongAxis *along = argument;
    size_t size = gt_dtype_size(kernel->output_spec[0]->dtype);
    int64_t n = along->n, blocks = (along->inner + along->block - 1) / along->block;
    char *rows = scratch, *done = rows + (size_t)(n * along->block) * size;
    for (int64_t tile = first; tile < last; tile++) {
        int64_t column = tile % blocks * along->block;
        int64_t count = along->inner - column < along->block ? along->inner - column : along->block;
        size_t offset = (size_t)(tile / blocks * n * along->inner + column) * size;
        const gt_KernelTable *table = kernel->context->kernels;
        table->transpose[gt_move_index(size)](n, count, (const char *)kernel->input[0] + offset,
                                              along->inner, rows, n);
        along->loop(count, n, rows, done);
        table->transpose[gt_move_index(size)](count, n, done, n, (char *)kernel->output[0] + offset,
                                              along->inner);
    }
}

static gt_Status run_along_axis(const gt_Kernel *kernel, gt_RowsLoop *const loops[2])
{
    const gt_softmax_options *options = kernel->options;
    const gt_Spec *spec = kernel->output_spec[0];
    AlongAxis along = along_axis(spec, gt_axis(options->axis, spec->rank));
    along.loop = loops[gt_loop_type(spec->dtype)];
    if (spec->size == 0)
        return GT_OK;
    if (along.inner == 1)
        return gt_for_tiles(kernel, (along.outer + along.block - 1) / along.block, row_tiles,
                            &along);
    return gt_for_tiles(kernel, along.outer * ((along.inner + along.block - 1) / along.block),
                        column_tiles, &along);
}

static gt_Status softmax_run(const gt_Kernel *kernel)
{
    return run_along_axis(kernel, kernel->context->kernels->softmax);
}

static gt_Status log_softmax_run(const gt_Kernel *kernel)
{
    return run_along_axis(kernel, kernel->context->kernels->log_softmax);
}

/* y (g - sum(g y)) */
static gt_Status softmax_rule(gt_GradientRule *rule)
{
    const gt_softmax_options *options = gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0), *y = gt_rule_output(rule, 0);
    gt_Tensor *mean = gt_sum(gt_multiply(up, y), .axis = options->axis, .keepdims = true);
    return gt_give(rule, 0, gt_multiply(y, gt_subtract(up, mean)));
}

/* g - e^y sum(g) */
static gt_Status log_softmax_rule(gt_GradientRule *rule)
{
    const gt_softmax_options *options = gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0), *y = gt_rule_output(rule, 0);
    gt_Tensor *total = gt_sum(up, .axis = options->axis, .keepdims = true);
    return gt_give(rule, 0, gt_subtract(up, gt_multiply(gt_exp(y), total)));
}

#define SOFTMAX(op, text, more)                                                                    \
    const gt_Operation gt_op_##op = {                                                              \
        .size = sizeof(gt_Operation),                                                              \
        .name = #op,                                                                               \
        .formula = text,                                                                           \
        .flags = more,                                                                             \
        .options = &gt_softmax_options_type,                                                       \
        .inputs_min = 1,                                                                           \
        .inputs_max = 1,                                                                           \
        .outputs = 1,                                                                              \
        .saves_outputs = 1,                                                                        \
        .shape = softmax_shape,                                                                    \
        .run = op##_run,                                                                           \
        .gradient = op##_rule,                                                                     \
        .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))},            \
                                       {.inputs = 1,                                               \
                                        .input = GT_INPUTS(GT_ANY(2, 3, 4)),                       \
                                        .options = &GT_VALUES(gt_softmax_options, 1)},             \
                                       {.inputs = 1,                                               \
                                        .input = GT_INPUTS(GT_ANY(3, 2)),                          \
                                        .options = &GT_VALUES(gt_softmax_options, -2)},            \
                                       GT_SAMPLES_END},                                            \
    };                                                                                             \
    GT_DEFINE_OPTIONS(op, gt_softmax_options, x)

SOFTMAX(softmax, "e^x / sum(e^x)", GT_OP_MAY_REUSE | GT_OP_PROBABILITY)
SOFTMAX(log_softmax, "x - log(sum(e^x))", GT_OP_MAY_REUSE)

/* ---- made of operations ---- */

/* An activation without options, as an expression of x. */
#define COMPOSED(name, expression)                                                                 \
    gt_Tensor *gt_##name##_at(const char *here, gt_Tensor *x)                                      \
    {                                                                                              \
        gt_Site site = gt_site_enter(here, #name);                                                 \
        gt_Tensor *y = expression;                                                                 \
        gt_site_leave(site);                                                                       \
        return y;                                                                                  \
    }                                                                                              \
    gt_Tensor *(gt_##name)(gt_Tensor * x)                                                          \
    {                                                                                              \
        return gt_##name##_at(NULL, x);                                                            \
    }

COMPOSED(linear, gt_identity(x))
COMPOSED(exponential, gt_exp(x))
COMPOSED(relu6, gt_minimum(gt_relu(x), 6))
COMPOSED(hard_sigmoid, gt_divide(gt_relu6(gt_add(x, 3)), 6))
COMPOSED(hard_silu, gt_multiply(x, gt_hard_sigmoid(x)))
COMPOSED(log_sigmoid, gt_negative(gt_softplus(gt_negative(x))))
COMPOSED(mish, gt_multiply(x, gt_tanh(gt_softplus(x))))
COMPOSED(softsign, gt_divide(x, gt_add(gt_abs(x), 1)))
COMPOSED(selu, gt_multiply(gt_elu(x, .alpha = 1.6732632423543772), 1.0507009873554805))
COMPOSED(gelu_exact, gt_gelu(x, .approximate = false))

GT_OPTION_TYPE(gt_relu_options, gt_relu_OPTIONS);
GT_OPTION_TYPE(gt_elu_options, gt_elu_OPTIONS);
static gt_Tensor *general_relu(gt_Tensor *x, const gt_relu_options *options)
{
    if (!(options->negative_slope >= 0 && options->max_value >= 0 && options->threshold >= 0)) {
        gt_fail(GT_INVALID, "negative_slope %g, max_value %g and threshold %g must not be negative",
                options->negative_slope, options->max_value, options->threshold);
        return NULL;
    }
    gt_Tensor *y;
    if (options->threshold == 0)
        y = options->negative_slope == 0
                ? gt_relu(x)
                : gt_leaky_relu(x, .negative_slope = options->negative_slope);
    else if (options->negative_slope == 0)
        y = gt_where(gt_greater(x, options->threshold), x, 0);
    else
        y = (gt_where)(gt_greater(x, options->threshold), x,
                       gt_multiply(gt_subtract(x, options->threshold), options->negative_slope));
    return isinf(options->max_value) ? y : gt_minimum(y, options->max_value);
}

gt_Tensor *gt_relu_at(const char *here, gt_Tensor *x, const gt_relu_options *given)
{
    gt_relu_options options = GT_TAKE(gt_relu_options, given);
    if (options.negative_slope == 0 && options.threshold == 0 && isinf(options.max_value))
        return gt_apply_one_at(here, &gt_op_relu, NULL, 1, &x);
    gt_Site site = gt_site_enter(here, "relu");
    gt_Tensor *y = site.context ? general_relu(x, &options) : NULL;
    gt_site_leave(site);
    return y;
}
gt_Tensor *(gt_relu)(gt_Tensor *x)
{
    return gt_apply_one_at(NULL, &gt_op_relu, NULL, 1, &x);
}

/* Each branch sees only its own half: e^x of a large x would make the gradient 0 times infinity. */
gt_Tensor *gt_elu_at(const char *here, gt_Tensor *x, const gt_elu_options *given)
{
    gt_elu_options options = GT_TAKE(gt_elu_options, given);
    gt_Site site = gt_site_enter(here, "elu");
    gt_Tensor *below = gt_multiply(gt_expm1(gt_minimum(x, 0)), options.alpha);
    gt_Tensor *y = gt_add(gt_relu(x), below);
    gt_site_leave(site);
    return y;
}
gt_Tensor *(gt_elu)(gt_Tensor *x)
{
    return gt_elu_at(NULL, x, NULL);
}
