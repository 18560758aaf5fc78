/* Activation functions: records and gradient rules of ops/nn/activation.h. relu, leaky_relu,
 * sigmoid, softplus, silu and gelu are operations, so are the slopes of relu, tanh and sigmoid; the
 * others are made of operations. What normalizes along an axis is in softmax.c. */
#include "ops/nn/activation.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/nn/formula.h"

/* ---- slopes in one pass ---- */

/* Numbers that keep away from the kink at 0. */
#define KINKED(...) GT_REAL_GAP(-2, 2, 4, __VA_ARGS__)

/* Both inputs have the output's shape unless the record is called by its name: so gradients are
 * summed back. */
static void give_back(gt_GradientRule *rule, int input, gt_Tensor *gradient)
{
    gt_give(rule, input, gt_unbroadcast(gradient, gt_rule_input_spec(rule, input)));
}

static gt_Tensor *slope(const gt_Operation *operation, gt_Tensor *up, gt_Tensor *y)
{
    gt_Tensor *pair[2] = {up, y};
    return gt_apply_one_at(NULL, operation, NULL, 2, pair);
}

static gt_Status relu_gradient_rule(gt_GradientRule *rule)
{
    gt_Tensor *g = gt_upstream(rule, 0), *y = gt_rule_input(rule, 1);
    if (gt_wants(rule, 0))
        give_back(rule, 0, gt_relu_gradient(g, y));
    if (gt_wants(rule, 1))
        give_back(rule, 1, gt_zeros_like(y));
    return gt_status();
}

const gt_Operation gt_op_relu_gradient = {
    GT_RECORD("relu_gradient", "a where b > 0, else 0", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_INTERNAL | GT_OP_MAY_REUSE,
    .saves_inputs = 2,
    .shape = gt_shape_binary_float,
    GT_LOOP(BINARY, RELU_GRADIENT),
    .gradient = relu_gradient_rule,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), KINKED(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), KINKED(4, 1))}),
};

gt_Tensor *gt_relu_gradient(gt_Tensor *up, gt_Tensor *y)
{
    return slope(&gt_op_relu_gradient, up, y);
}

static gt_Status tanh_gradient_rule(gt_GradientRule *rule)
{
    gt_Tensor *g = gt_upstream(rule, 0), *y = gt_rule_input(rule, 1);
    if (gt_wants(rule, 0))
        give_back(rule, 0, gt_tanh_gradient(g, y));
    if (gt_wants(rule, 1))
        give_back(rule, 1, gt_multiply(gt_multiply(g, gt_rule_input(rule, 0)), gt_multiply(y, -2)));
    return gt_status();
}

const gt_Operation gt_op_tanh_gradient = {
    GT_RECORD("tanh_gradient", "a (1 - b^2)", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_INTERNAL | GT_OP_MAY_REUSE,
    .saves_inputs = 3,
    .shape = gt_shape_binary_float,
    GT_LOOP(BINARY, TANH_GRADIENT),
    .gradient = tanh_gradient_rule,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), KINKED(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), KINKED(4, 1))}),
};

gt_Tensor *gt_tanh_gradient(gt_Tensor *up, gt_Tensor *y)
{
    return slope(&gt_op_tanh_gradient, up, y);
}

static gt_Status sigmoid_gradient_rule(gt_GradientRule *rule)
{
    gt_Tensor *g = gt_upstream(rule, 0), *y = gt_rule_input(rule, 1);
    if (gt_wants(rule, 0))
        give_back(rule, 0, gt_sigmoid_gradient(g, y));
    if (gt_wants(rule, 1))
        give_back(
            rule, 1,
            gt_multiply(gt_multiply(g, gt_rule_input(rule, 0)), gt_add(gt_multiply(y, -2), 1)));
    return gt_status();
}

const gt_Operation gt_op_sigmoid_gradient = {
    GT_RECORD("sigmoid_gradient", "a b (1 - b)", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_INTERNAL | GT_OP_MAY_REUSE,
    .saves_inputs = 3,
    .shape = gt_shape_binary_float,
    GT_LOOP(BINARY, SIGMOID_GRADIENT),
    .gradient = sigmoid_gradient_rule,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), KINKED(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 1, 3), KINKED(4, 1))}),
};

gt_Tensor *gt_sigmoid_gradient(gt_Tensor *up, gt_Tensor *y)
{
    return slope(&gt_op_sigmoid_gradient, up, y);
}

/* ---- operations ---- */

static gt_Status relu_rule(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_relu_gradient(gt_upstream(rule, 0), gt_rule_output(rule, 0)));
}

const gt_Operation gt_op_relu = {
    GT_RECORD("relu", "max(x, 0)", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_outputs = 1,
    .shape = gt_shape_number,
    GT_LOOP(UNARY, RELU),
    .gradient = relu_rule,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(KINKED(2, 3))}),
};

static gt_Status sigmoid_rule(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_sigmoid_gradient(gt_upstream(rule, 0), gt_rule_output(rule, 0)));
}

const gt_Operation gt_op_sigmoid = {
    GT_RECORD("sigmoid", "1 / (1 + e^-x)", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE | GT_OP_PROBABILITY,
    .saves_outputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, SIGMOID),
    .gradient = sigmoid_rule,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))}),
};
GT_DEFINE_UNARY(sigmoid)

static gt_Status softplus_rule(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), gt_sigmoid(gt_rule_input(rule, 0))));
}

const gt_Operation gt_op_softplus = {
    GT_RECORD("softplus", "log(1 + e^x)", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    GT_LOOP(UNARY, SOFTPLUS),
    .gradient = softplus_rule,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))}),
};
GT_DEFINE_UNARY(softplus)

/* ---- with numbers of their own: kernels/activation.c ---- */

/* The launch of a kernel over all elements; more of the job is filled in by the caller. */
static gt_ActivationJob *lower_activation(const gt_ShapeRule *rule, gt_Lowering *lowering,
                                          gt_TileKernelId kernel)
{
    const gt_Spec *x = rule->input[0];
    gt_ActivationJob *job =
        gt_lower_launch(lowering, kernel, gt_element_tiles(x->size), sizeof *job);
    *job = (gt_ActivationJob){.type = (uint8_t)gt_loop_type(x->dtype), .size = x->size};
    gt_lower_span(lowering, GT_TILE_ELEMENTS);
    return job;
}

GT_OPTION_TYPE(gt_leaky_relu_options, gt_leaky_relu_OPTIONS);

static void leaky_relu_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_leaky_relu_options *options = rule->options;
    lower_activation(rule, lowering, GT_TILES_leaky_relu)->slope = options->negative_slope;
}

static gt_Status leaky_relu_rule(gt_GradientRule *rule)
{
    const gt_leaky_relu_options *options = gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0);
    return gt_give(rule, 0,
                   gt_where(gt_greater(gt_rule_input(rule, 0), 0), up,
                            gt_multiply(up, options->negative_slope)));
}

const gt_Operation gt_op_leaky_relu = {
    GT_RECORD("leaky_relu", "x where x > 0, else negative_slope x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .options = &gt_leaky_relu_options_type,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    .lower = leaky_relu_lower,
    .gradient = leaky_relu_rule,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(KINKED(2, 3))}),
};
GT_DEFINE_OPTIONS(leaky_relu, gt_leaky_relu_options, x)

static void silu_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_activation(rule, lowering, GT_TILES_silu);
}

/* s + x s (1 - s) */
static gt_Status silu_rule(gt_GradientRule *rule)
{
    gt_Tensor *x = gt_rule_input(rule, 0), *s = gt_sigmoid(x);
    gt_Tensor *slope = gt_add(s, gt_sigmoid_gradient(x, s));
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), slope));
}

const gt_Operation gt_op_silu = {
    GT_RECORD("silu", "x / (1 + e^-x)", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    .lower = silu_lower,
    .gradient = silu_rule,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))}),
};
GT_DEFINE_UNARY(silu)

GT_OPTION_TYPE(gt_gelu_options, gt_gelu_OPTIONS);

static void gelu_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_gelu_options *options = rule->options;
    lower_activation(rule, lowering, GT_TILES_gelu)->exact = !options->approximate;
}

static void gelu_gradient_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_gelu_options *options = rule->options;
    lower_activation(rule, lowering, GT_TILES_gelu_gradient)->exact = !options->approximate;
}

static gt_Status gelu_gradient_shape(gt_ShapeRule *rule)
{
    if (!gt_spec_equal(rule->input[0], rule->input[1]))
        return gt_fail(GT_INVALID, "x must be like what arrives");
    return gt_shape_float(rule);
}

#define SQRT_1_2 0.70710678118654752440

/* Of the approximate form (1 + t) / 2 + x/2 (LINEAR + 3 CUBIC x^2) (1 - t^2), t the tangent; else
 * the normal distribution function plus x times its density. */
static gt_Status gelu_gradient_formula(const void *given, gt_Tensor *const *in, gt_Tensor **out)
{
    const gt_gelu_options *options = given;
    gt_Tensor *x = in[1], *square = gt_square(x), *slope;
    if (options->approximate) {
        gt_Tensor *u = gt_multiply(x, gt_add(gt_multiply(square, GT_GELU_CUBIC), GT_GELU_LINEAR));
        gt_Tensor *inner =
            gt_multiply(x, gt_add(gt_multiply(square, 1.5 * GT_GELU_CUBIC), 0.5 * GT_GELU_LINEAR));
        gt_Tensor *t = gt_tanh(u);
        slope = gt_add(gt_multiply(gt_add(t, 1), 0.5), gt_tanh_gradient(inner, t));
    } else {
        gt_Tensor *density = gt_multiply(gt_exp(gt_multiply(square, -0.5)), GT_GELU_DENSITY);
        gt_Tensor *twice = gt_erfc(gt_multiply(x, -SQRT_1_2));
        slope = gt_add(gt_multiply(twice, 0.5), gt_multiply(x, density));
    }
    out[0] = gt_multiply(in[0], slope);
    return gt_status();
}

static gt_Status gelu_gradient_rule(gt_GradientRule *rule)
{
    return gt_rule_by_formula(rule, gelu_gradient_formula);
}

const gt_Operation gt_op_gelu_gradient = {
    GT_RECORD("gelu_gradient", "a times the slope of gelu at b", 2, 2),
    .flags = GT_OP_ELEMENTWISE | GT_OP_INTERNAL | GT_OP_MAY_REUSE,
    .options = &gt_gelu_options_type,
    .saves_inputs = 3,
    .shape = gelu_gradient_shape,
    .lower = gelu_gradient_lower,
    .gradient = gelu_gradient_rule,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3))},
                          {.inputs = 2,
                           .input = GT_INPUTS(GT_ANY(4), GT_ANY(4)),
                           .options = &GT_VALUES(gt_gelu_options, false)}),
};

static gt_Status gelu_rule(gt_GradientRule *rule)
{
    gt_Tensor *pair[2] = {gt_upstream(rule, 0), gt_rule_input(rule, 0)};
    return gt_give(rule, 0,
                   gt_apply_one_at(NULL, &gt_op_gelu_gradient, gt_rule_options(rule), 2, pair));
}

const gt_Operation gt_op_gelu = {
    GT_RECORD("gelu", "x times the normal distribution function at x", 1, 1),
    .flags = GT_OP_ELEMENTWISE | GT_OP_MAY_REUSE,
    .options = &gt_gelu_options_type,
    .saves_inputs = 1,
    .shape = gt_shape_float,
    .lower = gelu_lower,
    .gradient = gelu_rule,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(4)),
                           .options = &GT_VALUES(gt_gelu_options, false)}),
};
GT_DEFINE_OPTIONS(gelu, gt_gelu_options, x)

/* ---- made of operations ---- */

/* An activation without options, as an expression of x. */
#define COMPOSED(name, expression)                                                                 \
    gt_Tensor *gt_##name##_at(const char *here, gt_Tensor *x)                                      \
    {                                                                                              \
        gt_Site site = gt_site_enter(here, #name);                                                 \
        gt_Tensor *y = expression;                                                                 \
        gt_site_leave(&site);                                                                       \
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
COMPOSED(hard_tanh, gt_clip(x, -1, 1))
COMPOSED(tanh_shrink, gt_subtract(x, gt_tanh(x)))
/* x itself where it is large: the square has nothing to overflow. */
COMPOSED(sparse_plus,
         (gt_where)(gt_less(x, 1), gt_multiply(gt_square(gt_add(gt_clip(x, -1, 1), 1)), 0.25), x))
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
    gt_relu_options options;
    GT_TAKE(gt_relu_options, &options, given);
    if (options.negative_slope == 0 && options.threshold == 0 && isinf(options.max_value))
        return gt_apply_one_at(here, &gt_op_relu, NULL, 1, &x);
    gt_Site site = gt_site_enter(here, "relu");
    gt_Tensor *y = site.context ? general_relu(x, &options) : NULL;
    gt_site_leave(&site);
    return y;
}
gt_Tensor *(gt_relu)(gt_Tensor *x)
{
    return gt_apply_one_at(NULL, &gt_op_relu, NULL, 1, &x);
}

/* Each branch sees only its own half: e^x of a large x would make the gradient 0 times infinity. */
gt_Tensor *gt_elu_at(const char *here, gt_Tensor *x, const gt_elu_options *given)
{
    gt_elu_options options;
    GT_TAKE(gt_elu_options, &options, given);
    gt_Site site = gt_site_enter(here, "elu");
    gt_Tensor *below = gt_multiply(gt_expm1(gt_minimum(x, 0)), options.alpha);
    gt_Tensor *y = gt_add(gt_relu(x), below);
    gt_site_leave(&site);
    return y;
}
gt_Tensor *(gt_elu)(gt_Tensor *x)
{
    return gt_elu_at(NULL, x, NULL);
}

GT_OPTION_TYPE(gt_celu_options, gt_celu_OPTIONS);
static gt_Tensor *celu(gt_Tensor *x, const gt_celu_options *given)
{
    gt_celu_options options;
    GT_TAKE(gt_celu_options, &options, given);
    if (options.alpha == 0) {
        gt_fail(GT_INVALID, "alpha must not be 0");
        return NULL;
    }
    gt_Tensor *below = gt_expm1(gt_divide(gt_minimum(x, 0), options.alpha));
    return gt_add(gt_relu(x), gt_multiply(below, options.alpha));
}
GT_COMPOSED_OPTIONS(celu, celu, gt_celu_options)

GT_OPTION_TYPE(gt_glu_options, gt_glu_OPTIONS);
static gt_Tensor *glu(gt_Tensor *x, const gt_glu_options *given)
{
    gt_glu_options options;
    GT_TAKE(gt_glu_options, &options, given);
    gt_Tensor *half[2];
    if (gt_split(x, 2, half, .axis = options.axis) != GT_OK)
        return NULL;
    return gt_multiply(half[0], gt_sigmoid(half[1]));
}
GT_COMPOSED_OPTIONS(glu, glu, gt_glu_options)

GT_OPTION_TYPE(gt_hard_shrink_options, gt_hard_shrink_OPTIONS);
static bool is_width(double threshold)
{
    if (!(threshold >= 0))
        gt_fail(GT_INVALID, "threshold must be >= 0 (got %g)", threshold);
    return threshold >= 0;
}

static gt_Tensor *hard_shrink(gt_Tensor *x, const gt_hard_shrink_options *given)
{
    gt_hard_shrink_options options;
    GT_TAKE(gt_hard_shrink_options, &options, given);
    if (!is_width(options.threshold))
        return NULL;
    return (gt_where)(gt_less_equal(gt_abs(x), options.threshold), gt_zeros_like(x), x);
}
GT_COMPOSED_OPTIONS(hard_shrink, hard_shrink, gt_hard_shrink_options)

static gt_Tensor *soft_shrink(gt_Tensor *x, const gt_hard_shrink_options *given)
{
    gt_hard_shrink_options options;
    GT_TAKE(gt_hard_shrink_options, &options, given);
    if (!is_width(options.threshold))
        return NULL;
    return gt_subtract(x, gt_clip(x, -options.threshold, options.threshold));
}
GT_COMPOSED_OPTIONS(soft_shrink, soft_shrink, gt_hard_shrink_options)

GT_COMPOSED_TENSOR(threshold, gt_where,
                   (const char *here, gt_Tensor *x, double threshold, double default_value),
                   (gt_greater(x, threshold), x, default_value))

GT_OPTION_TYPE(gt_squareplus_options, gt_squareplus_OPTIONS);
static gt_Tensor *squareplus(gt_Tensor *x, const gt_squareplus_options *given)
{
    gt_squareplus_options options;
    GT_TAKE(gt_squareplus_options, &options, given);
    if (!(options.b >= 0)) {
        gt_fail(GT_INVALID, "b must be >= 0 (got %g)", options.b);
        return NULL;
    }
    return gt_multiply(gt_add(x, gt_sqrt(gt_add(gt_square(x), options.b))), 0.5);
}
GT_COMPOSED_OPTIONS(squareplus, squareplus, gt_squareplus_options)

static gt_Tensor *sparse_sigmoid(gt_Tensor *x)
{
    x = gt_as_float(x);
    gt_Tensor *end = gt_cast(gt_greater(x, 0), gt_dtype(x));
    return (gt_where)(gt_greater_equal(gt_abs(x), 1), end, gt_multiply(gt_add(x, 1), 0.5));
}
GT_COMPOSED_UNARY(sparse_sigmoid, sparse_sigmoid)
