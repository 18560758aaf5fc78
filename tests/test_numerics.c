/* Numbers that are large, small or many: functions whose squares, sums and products leave the range
 * of the type on the way to a result that does not, and those that put ten million float32 together,
 * against float64. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())

static gt_Tensor *vector(gt_DType dtype, int64_t n, const double *numbers)
{
    return gt_cast(gt_from_data(numbers, gt_shape(n), GT_FLOAT64), dtype);
}

/* Every number of `got` is that of `right` times `scale`, within 1e-5 or 1e-13 of it. */
static void is_scaled(gt_Tensor *got, gt_Tensor *right, double scale, const char *what)
{
    ok();
    double bound = gt_dtype(got) == GT_FLOAT32 ? 1e-5 : 1e-13;
    cr_assert_eq(gt_size(got), gt_size(right), "%s", what);
    for (int64_t i = 0; i < gt_size(got); i++) {
        double is = gt_element(got, i), want = gt_element(right, i) * scale;
        cr_assert(fabs(is - want) <= bound * fabs(want), "%s: number %d is %g, not %g", what,
                  (int)i, is, want);
    }
}

/* ---- far from 1 ---- */

typedef gt_Tensor *OfX(gt_Tensor *x);

/* F(f, p): f(s x) = s^p f(x). x is (6, 4), or (24) where it says so. */
#define HOMOGENEOUS(F)                                                                             \
    F(gt_norm(x), 1)                                                                               \
    F(gt_norm(x, .axis = 0), 1)                                                                    \
    F(gt_norm(x, .axis = 1, .ord = 3), 1)                                                          \
    F(gt_norm(x, .axis = 1, .ord = 0.5, .keepdims = true), 1)                                      \
    F(gt_norm(x, .ord = -2), 1)                                                                    \
    F(gt_matrix_norm(x, GT_MATRIX_NORM_FROBENIUS), 1)                                              \
    F(gt_std(x), 1)                                                                                \
    F(gt_std(x, .axis = 0), 1)                                                                     \
    F(gt_std(x, .axis = -1, .keepdims = true), 1)                                                  \
    F(gt_cdist(x, gt_flip(x)), 1)                                                                  \
    F(gt_normalize(x, .epsilon = 0), 0)                                                            \
    F(gt_normalize(x, .axis = 0, .order = 3, .epsilon = 0), 0)                                     \
    F(gt_layer_normalization(x, .epsilon = 0), 0)                                                  \
    F(gt_group_normalization(x, .groups = 2, .epsilon = 0), 0)                                     \
    F(gt_rms_normalization(x, .epsilon = 0), 0)                                                    \
    F(gt_hypot(x, gt_flip(x)), 1)                                                                  \
    F(gt_complex_abs(gt_complex(x, gt_flip(x))), 1)                                                \
    F(gt_complex_divide(gt_complex(x, gt_flip(x)), gt_complex(gt_flip(x), x)).real, 0)             \
    F(gt_complex_divide(gt_complex(x, gt_flip(x)), gt_complex(x, x)).imag, 0)                      \
    F(gt_mean(x), 1)                                                                               \
    F(gt_arctan2(x, gt_flip(x)), 0)

#define DEFINE(f, p) {#f, p, 0},
static const struct {
    const char *text;
    int power;
    int unused;
} homogeneous[] = {HOMOGENEOUS(DEFINE)};

static gt_Tensor *apply(int which, gt_Tensor *x)
{
    int i = 0;
#define APPLY(f, p)                                                                                \
    if (i++ == which)                                                                              \
        return f;
    HOMOGENEOUS(APPLY)
    return NULL;
}

/* The gradient of sum(f w) with weights that no symmetry cancels. */
static gt_Tensor *gradient_of(int which, gt_Tensor *x)
{
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, x);
    gt_Tensor *y = apply(which, x), *gradient = NULL;
    gt_Tensor *w = gt_sin(gt_reshape(gt_arange(1, (double)gt_size(y) + 1, 1, .dtype = gt_dtype(x)),
                                     gt_tensor_shape(y)));
    gt_gradients(tape, gt_tensors(gt_sum(gt_multiply(y, w))), gt_tensors(x), &gradient);
    gt_keep(gradient);
    gt_tape_end(tape);
    return gradient;
}

/* Scales whose squares and cubes no float32, no float64 holds; powers of 2, so that nothing is
 * rounded. */
Test(numerics, functions_that_scale)
{
    const int scales[][2] = {{GT_FLOAT32, 100}, {GT_FLOAT32, -90}, {GT_FLOAT32, 70},
                             {GT_FLOAT32, -70}, {GT_FLOAT64, 990}, {GT_FLOAT64, -990},
                             {GT_FLOAT64, 600}, {GT_FLOAT64, -600}};
    double numbers[24];
    for (int i = 0; i < 24; i++)
        numbers[i] = 0.5 + 0.4 * next_real();
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
        gt_DType dtype = (gt_DType)scales[s][0];
        double scale = ldexp(1, scales[s][1]);
        for (size_t f = 0; f < sizeof homogeneous / sizeof *homogeneous; f++) {
            gt_Scope *scope = gt_scope_begin();
            char what[200];
            snprintf(what, sizeof what, "%s of %s at 2^%d", homogeneous[f].text,
                     gt_dtype_name(dtype), scales[s][1]);
            gt_Tensor *x = gt_reshape(vector(dtype, 24, numbers), gt_shape(6, 4));
            gt_Tensor *far = gt_multiply(x, scale);
            is_scaled(apply((int)f, far), apply((int)f, x), homogeneous[f].power ? scale : 1, what);
            strcat(what, ", gradient");
            is_scaled(gradient_of((int)f, far), gradient_of((int)f, x),
                      homogeneous[f].power ? 1 : 1 / scale, what);
            gt_scope_end(scope);
        }
    }
    gt_context_free(NULL);
}

static void is_near(gt_Tensor *x, int64_t i, double right, const char *what)
{
    ok();
    double is = gt_element(x, i), bound = gt_dtype(x) == GT_FLOAT64 ? 1e-12 : 1e-6;
    cr_assert(is == right || fabs(is - right) <= bound * fabs(right), "%s: %.9g, not %.9g", what,
              is, right);
}

/* Sums whose terms, and squares whose sum, are beyond the type where the result is not. */
Test(numerics, sums_and_squares)
{
    gt_Scope *scope = gt_scope_begin();
    const double top[][3] = {{3e38, 3e38, -3e38}, {1.7e308, 1.7e308, -1.7e308}};
    for (int wide = 0; wide < 2; wide++) {
        gt_DType dtype = wide ? GT_FLOAT64 : GT_FLOAT32;
        gt_Tensor *x = vector(dtype, 3, top[wide]);
        is_near(gt_sum(x), 0, top[wide][0], "sum");
        is_near(gt_mean(gt_slice(x, gt_shape(0), gt_shape(2))), 0, top[wide][0], "mean");
        /* a thousand deviations of 1e18 (1e153): the mean of their squares fits, the sum does not */
        double deviation = wide ? 1e153 : 1e18;
        gt_Tensor *apart =
            gt_reshape(gt_tile(vector(dtype, 2, (double[]){deviation, -deviation}), gt_shape(500)),
                       gt_shape(10, 100));
        gt_Tensor *mean, *variance, *zero = gt_zeros_like(apart);
        double square = deviation * deviation;
        is_near(gt_variance(apart), 0, square, "variance");
        is_near(gt_variance(apart, .axis = 1), 3, square, "variance of rows");
        is_near(gt_variance(apart, .axis = 0, .keepdims = true), 3, 0, "variance of columns");
        is_near(gt_mean_squared_error(zero, apart), 0, square, "mean_squared_error");
        is_near(gt_mean_squared_error(zero, apart,
                                      .sample_weight = gt_ones(gt_shape(10), .dtype = dtype)),
                0, square, "weighted mean_squared_error");
        is_near(gt_cosine_similarity(apart, apart), 0, -1, "cosine_similarity");
        ok();
        cr_assert(gt_moments(apart, &mean, &variance) == GT_OK);
        is_near(variance, 0, square, "moments");
        /* infinity and NaN stay what they are */
        gt_Tensor *strange = vector(dtype, 3, (double[]){1, INFINITY, 2});
        is_near(gt_norm(strange), 0, INFINITY, "norm of infinity");
        is_near(gt_sum(strange), 0, INFINITY, "sum of infinity");
        strange = vector(dtype, 3, (double[]){1, NAN, INFINITY});
        cr_assert(isnan(gt_item(gt_norm(strange))) && isnan(gt_item(gt_sum(strange))) &&
                  isnan(gt_item(gt_prod(strange))) && isnan(gt_item(gt_variance(strange))));
        is_near(gt_norm(gt_zeros_like(apart)), 0, 0, "norm of zeros");
        is_near(gt_prod(vector(dtype, 2, (double[]){0, 5})), 0, 0, "product with 0");
        cr_assert(isnan(gt_item(gt_prod(vector(dtype, 2, (double[]){0, INFINITY})))));
    }
    gt_scope_end(scope);
    gt_context_free(NULL);
}

/* Products of factors that go far up, then far down, and back. */
Test(numerics, products)
{
    for (int wide = 0; wide < 2; wide++) {
        gt_Scope *scope = gt_scope_begin();
        gt_DType dtype = wide ? GT_FLOAT64 : GT_FLOAT32;
        double up = ldexp(1, wide ? 900 : 100), down = 1 / up;
        const double far[] = {up, up, up, 3, down, down, down, down, up};
        const double running[] = {up,     INFINITY, INFINITY, INFINITY, INFINITY,
                                  3 * up, 3,        3 * down, 3};
        gt_Tensor *x = vector(dtype, 9, far), *ids = gt_cast(gt_zeros_like(x), GT_INT32);
        gt_Tensor *columns = gt_stack(gt_tensors(x, gt_ones_like(x), x), .axis = 1);
        is_near(gt_prod(x), 0, 3, "prod");
        is_near(gt_prod(columns, .axis = 0), 2, 3, "prod of columns");
        is_near(gt_segment_prod(x, ids, 1), 0, 3, "segment_prod");
        is_near(gt_segment_prod(columns, ids, 2), 2, 3, "segment_prod of rows");
        is_near(gt_segment_prod(columns, ids, 2), 4, 1, "segment_prod of nothing");
        for (int i = 0; i < 9; i++) {
            is_near(gt_cumprod(x), i, running[i], "cumprod");
            is_near(gt_cumprod(columns, .axis = 0), 3 * i + 2, running[i], "cumprod of columns");
            is_near(gt_cumprod(gt_flip(x), .reverse = true), 8 - i, running[i], "cumprod, reverse");
            is_near(gt_cumprod(x, .exclusive = true), i, i ? running[i - 1] : 1, "exclusive");
        }
        gt_scope_end(scope);
    }
    /* The slopes of float32 are products of the others: 2^40 / 2 = 2^39 from factors of 2^100. */
    const double far[] = {0x1p100, 0x1p100, 2, 0x1p-80, 0x1p-80},
                 right[] = {0x1p-59, 0x1p-59, 0x1p40, 0, 0};
    for (int kind = 0; kind < 3; kind++) {
        gt_Tape *tape = gt_tape_begin();
        gt_Tensor *x = vector(GT_FLOAT32, 5, far), *y, *gradient;
        gt_watch(tape, x);
        y = kind == 0   ? gt_prod(x)
            : kind == 1 ? gt_segment_prod(x, gt_cast(gt_zeros_like(x), GT_INT32), 1)
                        : gt_take(gt_cumprod(x), gt_scalar(4, GT_INT32));
        gt_gradients(tape, gt_tensors(gt_sum(y)), gt_tensors(x), &gradient);
        for (int i = 0; i < 3; i++)
            is_near(gradient, i, right[i], "slope of a product");
        is_near(gradient, 3, 0x1p121, "slope of a product");
        gt_tape_end(tape);
    }
    gt_context_free(NULL);
}

/* Slopes that are products or quotients: upstream, then one factor after the other. */
Test(numerics, slopes)
{
    static const struct {
        const char *name;
        gt_Tensor *(*function)(gt_Tensor *x);
        double x, upstream, right;
    } rows[] = {
        {"reciprocal", gt_reciprocal, 1e-20, 1e-10, -1e30},
        {"rsqrt", gt_rsqrt, 1e-26, 1e-10, -0.5e29},
        {"arcsinh", gt_arcsinh, 1e25, 1, 1e-25},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gt_Tape *tape = gt_tape_begin();
        gt_Tensor *x = gt_scalar(rows[i].x, GT_FLOAT32), *gradient;
        gt_watch(tape, x);
        gt_Tensor *y = gt_multiply((rows[i].function)(x), rows[i].upstream);
        gt_gradients(tape, gt_tensors(y), gt_tensors(x), &gradient);
        is_near(gradient, 0, rows[i].right, rows[i].name);
        gt_tape_end(tape);
    }
    gt_context_free(NULL);
}

static gt_Layer *penalized(double l2)
{
    return gt_Dense(1, .kernel_regularizer = gt_L2(l2), .use_bias = false);
}

/* 1e-10 times (1e20)^2, and (1e-25)^2 times 1e30, in float32; its slope, 2 l2 w. */
Test(numerics, penalties)
{
    const double cases[][3] = {{1e-10, 1e20, 1e30}, {1e30, 1e-25, 1e-20}, {0.01, 3, 0.09}};
    for (int i = 0; i < 3; i++) {
        gt_Layer *layer = penalized(cases[i][0]);
        gt_Tape *tape = gt_tape_begin();
        gt_call(layer, gt_zeros(gt_shape(1, 1)));
        gt_Variable *kernel = gt_trainable_variables(layer).items[0];
        gt_assign(kernel, cases[i][1]);
        gt_Tensor *loss = gt_total_loss(layer, gt_scalar(0, GT_FLOAT32)), *gradient;
        is_near(loss, 0, cases[i][2], "penalty");
        gt_gradients(tape, gt_tensors(loss), gt_tensors(kernel), &gradient);
        is_near(gradient, 0, 2 * cases[i][0] * cases[i][1], "slope of a penalty");
        gt_tape_end(tape);
        gt_layer_free(layer);
    }
    gt_context_free(NULL);
}

/* ---- clipping by the norm ---- */

/* One step of learning rate 1 with these gradients, from variables of two zeros each. */
static void step(gt_Optimizer *optimizer, gt_DType dtype, int variables, const double *gradients,
                 double *after)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *w[2];
    gt_Tensor *g[2];
    for (int i = 0; i < variables; i++) {
        w[i] = gt_variable(gt_zeros(gt_shape(2), .dtype = dtype));
        g[i] = vector(dtype, 2, gradients + 2 * i);
    }
    ok();
    gt_apply_gradients(optimizer, ((gt_Tensors){w, variables}), g);
    ok();
    for (int i = 0; i < variables; i++) {
        after[2 * i] = gt_element(w[i], 0);
        after[2 * i + 1] = gt_element(w[i], 1);
        gt_variable_free(w[i]);
    }
    gt_optimizer_free(optimizer);
    gt_scope_end(scope);
}

Test(numerics, clipping)
{
    static const struct {
        gt_DType dtype;
        double size, limit;
    } rows[] = {{GT_FLOAT32, 1e19, 1},        {GT_FLOAT32, 8e37, 1},  {GT_FLOAT32, 8e37, 1e-6},
                {GT_FLOAT32, 1e-25, 1e-26},   {GT_FLOAT64, 1e200, 1}, {GT_FLOAT64, 1e300, 1e-3},
                {GT_FLOAT64, 1e-200, 1e-210}, {GT_FLOAT32, 1, 0.5}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double size = rows[i].size, limit = rows[i].limit, after[4];
        double bound = (rows[i].dtype == GT_FLOAT32 ? 1e-6 : 1e-14) * limit;
        const double gradients[] = {3 * size, 4 * size, 0, 0}, two[] = {3 * size, 0, 0, 4 * size};
        step(gt_SGD(1, .global_clipnorm = limit), rows[i].dtype, 1, gradients, after);
        cr_assert(fabs(after[0] + 0.6 * limit) <= bound && fabs(after[1] + 0.8 * limit) <= bound,
                  "global_clipnorm %g of %g: %g %g", limit, size, after[0], after[1]);
        step(gt_SGD(1, .clipnorm = limit), rows[i].dtype, 1, gradients, after);
        cr_assert(fabs(after[0] + 0.6 * limit) <= bound && fabs(after[1] + 0.8 * limit) <= bound,
                  "clipnorm %g of %g: %g %g", limit, size, after[0], after[1]);
        step(gt_SGD(1, .global_clipnorm = limit), rows[i].dtype, 2, two, after);
        cr_assert(fabs(after[0] + 0.6 * limit) <= bound && fabs(after[3] + 0.8 * limit) <= bound &&
                      after[1] == 0 && after[2] == 0,
                  "joint norm: %g %g %g %g", after[0], after[1], after[2], after[3]);
    }
    /* within the limit nothing changes, not a bit */
    double after[4];
    step(gt_SGD(1, .global_clipnorm = 5), GT_FLOAT32, 1, (double[]){-3, -4}, after);
    cr_assert(after[0] == 3 && after[1] == 4);
    gt_context_free(NULL);
}

/* As in Keras: a joint norm that is infinite or NaN makes all gradients NaN, never 0. */
Test(numerics, clipping_what_is_not_finite)
{
    const double strange[] = {INFINITY, -INFINITY, NAN};
    for (int i = 0; i < 3; i++) {
        double after[4];
        step(gt_SGD(1, .global_clipnorm = 1), GT_FLOAT32, 2, (double[]){1, strange[i], 2, 3},
             after);
        for (int k = 0; k < 4; k++)
            cr_assert(isnan(after[k]), "%g: number %d is %g", strange[i], k, after[k]);
    }
    gt_context_free(NULL);
}

/* ---- ten million ---- */

enum { MANY = 10000000 };

/* x and, for what wants them, ids of MANY rows: all 0, or i % 10. */
typedef struct Long {
    gt_Tensor *x, *zeros, *tens;
} Long;

static gt_Tensor *rows(const Long *in, int64_t columns)
{
    return gt_reshape(in->x, gt_shape(-1, columns));
}

/* The gradient of sum(f(x) w) in y, for sums that gradients are made of. */
static gt_Tensor *scattered(gt_Tensor *x, gt_Tensor *ids)
{
    return gt_scatter_add(ids, x, gt_shape(10));
}

static gt_Tensor *gathered_gradient(const Long *in, bool along)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *few = gt_cast(gt_ones(gt_shape(10)), gt_dtype(in->x)), *gradient = NULL;
    gt_watch(tape, few);
    gt_Tensor *all = along ? gt_take_along_axis(few, in->tens, .axis = 0) : gt_take(few, in->tens);
    gt_gradients(tape, gt_tensors(gt_sum(gt_multiply(all, in->x))), gt_tensors(few), &gradient);
    gt_keep(gradient);
    gt_tape_end(tape);
    return gradient;
}

static gt_Tensor *kernel_gradient(const Long *in, bool depthwise)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *image = gt_reshape(in->x, gt_shape(1, -1, 4)), *gradient = NULL;
    gt_Tensor *kernel =
        gt_cast(gt_ones(depthwise ? gt_shape(1, 4, 1) : gt_shape(1, 4, 2)), gt_dtype(in->x));
    gt_watch(tape, kernel);
    gt_Tensor *y = depthwise ? gt_depthwise_conv(image, kernel) : gt_conv(image, kernel);
    gt_gradients(tape, gt_tensors(gt_sum(y)), gt_tensors(kernel), &gradient);
    gt_keep(gradient);
    gt_tape_end(tape);
    return gradient;
}

/* Of a picture of one row that was made a million rows high. */
static gt_Tensor *enlarging_gradient(const Long *in)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *rows = gt_reshape(in->x, gt_shape(1, MANY / 10, 1, 10)), *gradient = NULL;
    gt_Tensor *few = gt_cast(gt_ones(gt_shape(1, 2, 1, 10)), gt_dtype(in->x));
    gt_watch(tape, few);
    gt_Tensor *y = gt_multiply(gt_resize(few, gt_shape(MANY / 10, 1)), rows);
    gt_gradients(tape, gt_tensors(gt_sum(y)), gt_tensors(few), &gradient);
    gt_keep(gradient);
    gt_tape_end(tape);
    return gradient;
}

/* Factors near 1, so that the product of all stays in range. */
static gt_Tensor *factors(const Long *in)
{
    gt_Tensor *x = gt_cast(in->x, GT_FLOAT32); /* rounded once, for both types */
    x = gt_add(gt_multiply(gt_subtract(x, gt_mean(x)), 1e-4), 1);
    return gt_cast(x, gt_dtype(in->x));
}

/* F(name, units in the last place, what: `in` has x), of any numbers. */
#define SUMS(F)                                                                                    \
    F(sum, 2, gt_sum(in->x))                                                                       \
    F(sum_of_columns_2, 2, gt_sum(rows(in, 2), .axis = 0))                                         \
    F(sum_of_columns_1000, 2, gt_sum(rows(in, 1000), .axis = 0))                                   \
    F(sum_of_rows, 3, gt_sum(rows(in, 4000), .axis = 1))                                           \
    F(sum_of_outer_and_inner, 2,                                                                   \
      gt_sum(gt_reshape(in->x, gt_shape(1000, 10, 1000)), .axes = gt_axes(0, 2)))                  \
    F(mean, 2, gt_mean(in->x))                                                                     \
    F(average, 2, gt_average(in->x, .weights = in->x))                                             \
    F(nanmean, 2, gt_nanmean(in->x))                                                               \
    F(trapezoid, 3, gt_trapezoid(in->x))                                                           \
    F(norm, 1, gt_norm(in->x))                                                                     \
    F(norm_1, 2, gt_norm(in->x, .ord = 1))                                                         \
    F(norm_3, 4, gt_norm(in->x, .ord = 3))                                                         \
    F(logsumexp, 2, gt_logsumexp(in->x))                                                           \
    F(dot, 1, gt_dot(in->x, in->x))                                                                \
    F(einsum, 1, gt_einsum("i,i->", gt_tensors(in->x, in->x)))                                     \
    F(cumsum, 1, gt_cumsum(in->x))                                                                 \
    F(cumsum_reverse, 1, gt_cumsum(in->x, .reverse = true))                                        \
    F(cumsum_exclusive, 1, gt_cumsum(in->x, .exclusive = true))                                    \
    F(cumsum_of_columns, 1, gt_cumsum(rows(in, 100), .axis = 0, .exclusive = true))                \
    F(segment_sum, 1, gt_segment_sum(in->x, in->zeros, 1))                                         \
    F(segment_sum_10, 1, gt_segment_sum(in->x, in->tens, 10))                                      \
    F(bincount, 1, gt_bincount(in->tens, .weights = in->x))                                        \
    F(scatter_add, 1, scattered(in->x, in->tens))                                                  \
    F(gradient_of_take, 1, gathered_gradient(in, false))                                           \
    F(gradient_of_take_along_axis, 1, gathered_gradient(in, true))                                 \
    F(average_pool, 3,                                                                             \
      gt_average_pool(gt_reshape(in->x, gt_shape(1, MANY / 4, 4)), gt_shape(MANY / 4)))            \
    F(resize, 2,                                                                                   \
      gt_resize(gt_reshape(in->x, gt_shape(1, MANY / 2, 1, 2)), gt_shape(1, 1),                    \
                .antialias = true))                                                                \
    F(gradient_of_resize, 2, enlarging_gradient(in))                                               \
    F(matmul, 100, gt_matmul(rows(in, 10), rows(in, 10), .transpose_a = true))                     \
    F(conv_kernel_gradient, 100, kernel_gradient(in, false))                                       \
    F(depthwise_kernel_gradient, 10, kernel_gradient(in, true))

/* The same of numbers that differ. */
#define SPREADS(F)                                                                                 \
    F(variance, 3, gt_variance(in->x))                                                             \
    F(std, 2, gt_std(rows(in, 2), .axis = 0))                                                      \
    F(mean_squared_error, 3, gt_mean_squared_error(gt_cast(in->tens, gt_dtype(in->x)), in->x))     \
    F(prod, 1, gt_prod(factors(in)))                                                               \
    F(cumprod, 1, gt_cumprod(factors(in)))                                                         \
    F(cumprod_of_columns, 1, gt_cumprod(gt_reshape(factors(in), gt_shape(-1, 10)), .axis = 0))     \
    F(segment_prod, 1, gt_segment_prod(factors(in), in->tens, 10))

typedef struct LongRow {
    const char *name;
    double ulps;
    gt_Tensor *(*function)(const Long *in);
} LongRow;
#define LONG_FUNCTION(name, ulps, what)                                                            \
    static gt_Tensor *long_##name(const Long *in)                                                  \
    {                                                                                              \
        return what;                                                                               \
    }
#define ROW(name, ulps, what) {#name, ulps, long_##name},
SUMS(LONG_FUNCTION)
SPREADS(LONG_FUNCTION)

/* The same numbers in both types, and the ids, outside of every context. */
typedef struct Numbers {
    float *narrow;
    double *wide;
    int32_t *zeros, *tens;
} Numbers;

static Long inputs(const Numbers *numbers, gt_DType dtype)
{
    const void *x = dtype == GT_FLOAT32 ? (const void *)numbers->narrow : numbers->wide;
    return (Long){gt_from_buffer(x, gt_shape(MANY), dtype),
                  gt_from_buffer(numbers->zeros, gt_shape(MANY), GT_INT32),
                  gt_from_buffer(numbers->tens, gt_shape(MANY), GT_INT32)};
}

/* float32 against float64; with three threads the same bits. A context for each, whose memory goes
 * with it. */
static void compare(const LongRow *row, const Numbers *numbers)
{
    gt_Scope *scope = gt_scope_begin();
    Long narrow = inputs(numbers, GT_FLOAT32), wide = inputs(numbers, GT_FLOAT64);
    gt_Tensor *got = row->function(&narrow), *right = row->function(&wide);
    const float *y = gt_float32_data(got);
    const double *z = gt_float64_data(right);
    ok();
    double most = 0;
    for (int64_t i = 0; i < gt_size(got); i++) {
        double off = ulps_f32(y[i], z[i]);
        most = off > most ? off : most;
    }
    printf("%-30s %g\n", row->name, most);
    cr_assert(most <= row->ulps, "%s of %g, ...: %g units in the last place, not %g", row->name,
              (double)numbers->narrow[0], most, row->ulps);
    gt_set_threads(3);
    gt_Tensor *again = row->function(&narrow);
    ok();
    cr_assert(memcmp(y, gt_data(again), (size_t)gt_size(got) * sizeof *y) == 0,
              "%s: other bits with three threads", row->name);
    gt_scope_end(scope);
    gt_context_free(NULL);
}

static void compare_all(const LongRow *table, size_t count, bool equal)
{
    Numbers numbers = {malloc(MANY * sizeof(float)), malloc(MANY * sizeof(double)),
                       calloc(MANY, sizeof(int32_t)), malloc(MANY * sizeof(int32_t))};
    cr_assert(numbers.narrow && numbers.wide && numbers.zeros && numbers.tens, "no memory");
    for (int i = 0; i < MANY; i++) {
        numbers.narrow[i] = equal ? 0.1f : (float)(next_bits() >> 40) * 0x1p-24f;
        numbers.wide[i] = (double)numbers.narrow[i];
        numbers.tens[i] = i % 10;
    }
    for (size_t i = 0; i < count; i++)
        compare(&table[i], &numbers);
    free(numbers.narrow);
    free(numbers.wide);
    free(numbers.zeros);
    free(numbers.tens);
}

/* All 0.1, where every error goes the same way. */
Test(numerics, ten_million_equal_numbers, .timeout = 1200)
{
    static const LongRow table[] = {SUMS(ROW)};
    compare_all(table, sizeof table / sizeof *table, true);
}

Test(numerics, ten_million_numbers, .timeout = 1200)
{
    static const LongRow table[] = {SUMS(ROW) SPREADS(ROW)};
    compare_all(table, sizeof table / sizeof *table, false);
}

/* A mean over many batches is one of all their numbers. */
Test(numerics, metrics_of_many_batches)
{
    enum { BATCHES = 20000, ROWS = 50 };
    gt_Scope *scope = gt_scope_begin();
    gt_Metric *metrics[] = {gt_Mean(), gt_LossMetric(gt_MeanSquaredError())};
    gt_Tensor *zeros = gt_zeros(gt_shape(ROWS, 1)), *x = gt_full(gt_shape(ROWS, 1), 0.1);
    for (int i = 0; i < BATCHES; i++)
        for (int k = 0; k < 2; k++)
            gt_metric_update(metrics[k], zeros, x);
    ok();
    double mean = gt_metric_result(metrics[0]), error = gt_metric_result(metrics[1]);
    cr_assert(fabs(mean - (double)0.1f) < 1e-12, "%.17g", mean);
    cr_assert(fabs(error - 0.01) < 1e-9, "%.17g", error);
    for (int k = 0; k < 2; k++)
        gt_metric_free(metrics[k]);
    gt_scope_end(scope);
    gt_context_free(NULL);
}
