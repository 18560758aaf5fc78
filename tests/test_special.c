/* Derivatives at special points: zeros, ties, repeated indices, singular matrices, ends of ranges.
 * Where the function is smooth there, every order is compared with central differences of the order
 * below; where it is not, with what the headers promise. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 16, ORDERS = 4 };

typedef gt_Tensor *Function(gt_Tensor *x);

static gt_Tensor *weighted(gt_Tensor *x, int salt)
{
    int64_t n = gt_size(x);
    double weights[64];
    cr_assert(n <= 64);
    for (int64_t i = 0; i < n; i++)
        weights[i] = cos(0.4 + 0.9 * (double)salt + 1.7 * (double)i);
    return gt_sum(
        gt_multiply(x, gt_from_values_at(NULL, gt_tensor_shape(x), gt_dtype(x), n, weights)));
}

/* D0(x) = sum w f(x), D[k+1](x) = sum w' (the gradient of D[k]): the value of D[order - 1], and its
 * gradient. */
static double derivative(Function *f, int order, gt_Shape shape, int64_t n, const double *numbers,
                         double *gradient)
{
    gt_Tape *tape[ORDERS];
    for (int k = 0; k < order; k++)
        tape[k] = gt_tape_begin();
    gt_Tensor *x = gt_from_values_at(NULL, shape, GT_FLOAT64, n, numbers), *value = NULL;
    for (int k = 0; k < order; k++)
        gt_watch(tape[k], x);
    gt_Tensor *y = f(x);
    for (int k = 0; k < order; k++) {
        value = weighted(y, k);
        if (k == order - 1)
            break;
        gt_Tape *inner = tape[order - 1 - k];
        y = gt_gradient(inner, value, x, .unconnected = GT_UNCONNECTED_ZERO);
        gt_tape_end(inner);
    }
    double at = gt_item(value);
    gt_Tensor *last = gt_gradient(tape[0], value, x, .unconnected = GT_UNCONNECTED_ZERO);
    for (int64_t i = 0; gradient && i < n && gt_status() == GT_OK; i++)
        gradient[i] = gt_element(last, i);
    gt_tape_end(tape[0]);
    return at;
}

/* Orders 1 to `orders` of f at the numbers. */
static void check(const char *name, Function *f, int orders, gt_Shape shape, int64_t n,
                  const double *at)
{
    const double h = 1e-5;
    double numbers[MOST], gradient[MOST];
    memcpy(numbers, at, (size_t)n * sizeof *at);
    for (int order = 1; order <= orders; order++) {
        derivative(f, order, shape, n, numbers, gradient);
        cr_assert(gt_status() == GT_OK, "%s, order %d: %s", name, order, gt_error_message());
        for (int64_t i = 0; i < n; i++) {
            numbers[i] = at[i] + h;
            double up = derivative(f, order, shape, n, numbers, NULL);
            numbers[i] = at[i] - h;
            double down = derivative(f, order, shape, n, numbers, NULL);
            numbers[i] = at[i];
            double expected = (up - down) / (2 * h);
            cr_assert(fabs(gradient[i] - expected) <= 1e-5 * fmax(1, fabs(expected)),
                      "%s: derivative %d at %d is %.12g, by differences %.12g", name, order, (int)i,
                      gradient[i], expected);
        }
    }
}

#define NUMBERS(...)                                                                               \
    (const double[])                                                                               \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define COUNT(...) (int64_t)(sizeof(NUMBERS(__VA_ARGS__)) / sizeof(double))
/* gt_shape(...) packed into one argument */
#define SHAPE(...) gt_shape(__VA_ARGS__)
#define SMOOTH(f, orders, shape, ...)                                                              \
    check(#f, at_##f, orders, shape, COUNT(__VA_ARGS__), NUMBERS(__VA_ARGS__))
#define DEFINE(name, expression)                                                                   \
    static gt_Tensor *at_##name(gt_Tensor *x)                                                      \
    {                                                                                              \
        return expression;                                                                         \
    }

/* ---- products ---- */

DEFINE(product, gt_prod(x))
DEFINE(product_of_columns, gt_prod(x, .axis = 0))
DEFINE(running, gt_cumprod(x))
DEFINE(running_exclusive, gt_cumprod(x, .exclusive = true, .reverse = true))

static gt_Tensor *ids(int64_t n)
{
    return gt_from_values_at(NULL, gt_shape(n), GT_INT32, n,
                             NUMBERS(2, 0, 2, 0, -1, 0, -3, 1)); /* 0: 4 rows, 1: 1, 2: 3 */
}
DEFINE(segments, gt_segment_prod(x, ids(8), 3))
DEFINE(segments_of_rows, gt_segment_prod(x, ids(4), 4))
DEFINE(segments_empty, gt_segment_prod(x, gt_zeros(gt_shape(4), .dtype = GT_UINT8), 2))

Test(special, products)
{
    SMOOTH(product, 4, gt_shape(4), 0, 2, -1, 0.5);
    SMOOTH(product, 4, gt_shape(4), 0, 2, 0, 0.5);
    SMOOTH(product, 4, gt_shape(4), 0, 0, 3, 0);
    SMOOTH(product_of_columns, 3, SHAPE(3, 2), 0, 1, 2, 0, 0, 0);
    SMOOTH(running, 3, gt_shape(4), 0, 2, 0, 0.5);
    SMOOTH(running_exclusive, 3, gt_shape(4), 1, 0, 0, 0.5);
    SMOOTH(segments, 3, gt_shape(8), 1, 2, 3, -1, 0.5, 0.25, 2, 4);
    SMOOTH(segments, 3, gt_shape(8), 0, 2, 3, 0, 0.5, 0.25, 2, 0);
    SMOOTH(segments, 4, gt_shape(8), 0, 0, 3, 0, 0, 0.25, 2, 4);
    SMOOTH(segments, 4, gt_shape(8), 0, 0, 0, 0, 0, 0, 0, 0);
    SMOOTH(segments_of_rows, 3, SHAPE(4, 2), 0, 1, 2, 3, 0, 0, -1, 0);
    SMOOTH(segments_empty, 4, gt_shape(4), 0, 3, 0, 2);
}

/* ---- functions of a number ---- */

DEFINE(sinc, gt_sinc(x))
DEFINE(power_0, gt_power(x, 0))
DEFINE(power_1, gt_power(x, 1))
DEFINE(power_2, gt_power(x, 2))
DEFINE(power_3, gt_power(x, 3))
DEFINE(power_minus_2, gt_power(x, -2))
DEFINE(exponent, gt_power(gt_full(gt_tensor_shape(x), 1.5, .dtype = GT_FLOAT64), x))
DEFINE(both_powers, gt_power(gt_add(x, 1.5), x))
DEFINE(expm1, gt_expm1(x))
DEFINE(log1p, gt_log1p(x))
DEFINE(erfinv, gt_erfinv(x))
DEFINE(angle_of_a, gt_arctan2(x, gt_full(gt_tensor_shape(x), 0.7, .dtype = GT_FLOAT64)))
DEFINE(angle_of_b, gt_arctan2(gt_full(gt_tensor_shape(x), -0.7, .dtype = GT_FLOAT64), x))
DEFINE(hypotenuse, gt_hypot(x, gt_full(gt_tensor_shape(x), 0.7, .dtype = GT_FLOAT64)))
DEFINE(huber, gt_huber(gt_full(gt_tensor_shape(x), 1, .dtype = GT_FLOAT64), x, .delta = 0.5))
DEFINE(log_cosh, gt_log_cosh(gt_zeros_like(x), x))
DEFINE(elu_of_large, gt_elu(x))

Test(special, numbers)
{
    SMOOTH(sinc, 4, gt_shape(5), 0, 0.001, -1, 0.3, 2.5);
    SMOOTH(power_0, 3, gt_shape(3), 0, 2, -1);
    SMOOTH(power_1, 4, gt_shape(3), 0, 2, -1);
    SMOOTH(power_2, 4, gt_shape(3), 0, 2, -1);
    SMOOTH(power_3, 4, gt_shape(3), 0, 2, -1);
    SMOOTH(power_minus_2, 3, gt_shape(2), 2, -1);
    SMOOTH(exponent, 3, gt_shape(3), 0, 2, -1);
    SMOOTH(both_powers, 3, gt_shape(3), 0, 2, 1);
    SMOOTH(expm1, 4, gt_shape(2), 0, 1e-7);
    SMOOTH(log1p, 4, gt_shape(2), 0, 1e-7);
    SMOOTH(erfinv, 3, gt_shape(2), 0, 1e-7);
    SMOOTH(angle_of_a, 4, gt_shape(2), 0, 0.3);
    SMOOTH(angle_of_b, 4, gt_shape(2), 0, 0.3);
    SMOOTH(hypotenuse, 4, gt_shape(2), 0, 0.3);
    SMOOTH(huber, 2, gt_shape(4), 1, 1.2, 7, -3);
    SMOOTH(log_cosh, 4, gt_shape(3), 0, 3, -700);
    SMOOTH(elu_of_large, 2, gt_shape(3), 900, -900, 3);
}

/* ---- determinants ---- */

DEFINE(determinant, gt_det(x))

static bool have_lapack(void)
{
    gt_Scope *scope = gt_scope_begin();
    gt_det(gt_eye(2));
    bool have = gt_status() == GT_OK;
    gt_error_clear();
    gt_scope_end(scope);
    return have;
}

Test(special, determinants)
{
    if (!have_lapack())
        return;
    /* ranks 2, 1, 0 of 3; 3, 2 and 1 of 4; a batch of a singular and a regular one */
    SMOOTH(determinant, 2, SHAPE(3, 3), 1, 2, 3, 4, 5, 6, 7, 8, 9);
    SMOOTH(determinant, 2, SHAPE(3, 3), 1, 2, -1, 2, 4, -2, -3, -6, 3);
    SMOOTH(determinant, 2, SHAPE(3, 3), 0, 0, 0, 0, 0, 0, 0, 0, 0);
    SMOOTH(determinant, 2, SHAPE(4, 4), 1, 2, 0, 1, 0, 1, 1, 0, 2, 0, 1, 1, 3, 3, 2, 2);
    SMOOTH(determinant, 2, SHAPE(4, 4), 1, 2, 0, 1, 0, 1, 1, 0, 1, 3, 1, 1, 2, 5, 1, 2);
    SMOOTH(determinant, 2, SHAPE(4, 4), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    SMOOTH(determinant, 2, SHAPE(2, 2, 2), 1, 2, 2, 4, 1, 2, 3, 4);
    SMOOTH(determinant, 2, SHAPE(2, 1, 1), 0, 3);
    /* equal singular values; a permutation, which has determinant -1 */
    SMOOTH(determinant, 4, SHAPE(3, 3), 1, 0, 0, 0, 1, 0, 0, 0, 1);
    SMOOTH(determinant, 4, SHAPE(3, 3), 0, 2, 0, 2, 0, 0, 0, 0, 2);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *singular = gt_array64(gt_shape(2, 2), 1, 2, 2, 4);
    gt_Slogdet parts = gt_slogdet(singular);
    cr_assert(gt_item(parts.sign) == 0 && gt_item(parts.logabsdet) == -INFINITY);
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, singular);
    cr_assert_null(gt_gradient(tape, gt_slogdet(singular).logabsdet, singular));
    cr_assert(strstr(gt_error_message(), "the matrix is singular"), "%s", gt_error_message());
    gt_error_clear();
    gt_tape_end(tape);
    /* no step overflows or vanishes */
    gt_Tensor *wide = gt_array64(gt_shape(4, 4), 1e200, 0, 0, 0, 0, 1e200, 0, 0, 0, 0, 1e-200, 0, 0,
                                 0, 0, -1e-200);
    cr_assert(fabs(gt_item(gt_det(wide)) + 1) < 1e-12);
    cr_assert(gt_item(gt_det(gt_ones(gt_shape(0, 0)))) == 1);
    gt_scope_end(scope);
}

/* ---- repeated indices ---- */

static gt_Tensor *places(void)
{
    return gt_from_values_at(NULL, gt_shape(5, 1), GT_INT64, 5, NUMBERS(1, 0, -2, 1, 2));
}
DEFINE(updates, gt_scatter_update(gt_zeros(gt_shape(3), .dtype = GT_FLOAT64), places(), x))
DEFINE(update_rows,
       gt_square(gt_scatter_update(gt_zeros(gt_shape(3, 2), .dtype = GT_FLOAT64), places(), x)))
DEFINE(updated, gt_scatter_update(x, places(), gt_square(gt_slice(x, gt_shape(0), gt_shape(5)))))
DEFINE(taken, gt_square(gt_take(x, gt_ravel(places()))))
DEFINE(added, gt_square(gt_scatter_add(gt_ravel(places()), x, gt_shape(3))))

Test(special, repeated_indices)
{
    SMOOTH(updates, 2, gt_shape(5), 1, 2, 3, 4, 5);
    SMOOTH(update_rows, 3, SHAPE(5, 2), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    SMOOTH(updated, 3, gt_shape(5), 1, 2, 3, 4, 5);
    SMOOTH(taken, 3, gt_shape(3), 1, 2, 3);
    SMOOTH(added, 3, gt_shape(5), 1, 2, 3, 4, 5);
}

/* ---- zeros, ties and large numbers where the function itself is smooth ---- */

DEFINE(softmax, gt_softmax(x))
DEFINE(log_softmax, gt_log_softmax(x))
DEFINE(logsumexp, gt_logsumexp(x))
DEFINE(logaddexp_inf,
       gt_logaddexp(x, gt_full(gt_tensor_shape(x), (double)-INFINITY, .dtype = GT_FLOAT64)))
DEFINE(logsumexp_inf,
       gt_logsumexp(gt_concatenate(gt_tensors(x, gt_array64(gt_shape(1), (double)-INFINITY)))))
DEFINE(logaddexp2, gt_logaddexp2(x, 0))
DEFINE(softplus, gt_softplus(x))
DEFINE(mish, gt_mish(x))
DEFINE(silu, gt_silu(x))
DEFINE(gelu, gt_gelu(x))
DEFINE(gelu_exact, gt_gelu(x, .approximate = false))
DEFINE(log_sigmoid, gt_log_sigmoid(x))
DEFINE(variance, gt_variance(x))
DEFINE(norm_4, gt_norm(x, .ord = 4))
DEFINE(norm_3, gt_norm(x, .ord = 3))
DEFINE(norm_2, gt_norm(x))
DEFINE(cholesky_of_numbers, gt_cholesky(gt_reshape(x, gt_shape(-1, 1, 1))))
DEFINE(sigmoid, gt_sigmoid(x))
DEFINE(tanh, gt_tanh(x))
DEFINE(mod, gt_mod(x, 3))
DEFINE(mod_of_divisor, gt_mod(gt_full(gt_tensor_shape(x), 7, .dtype = GT_FLOAT64), x))
DEFINE(layer_normalization, gt_layer_normalization(x, .epsilon = 0.1))
DEFINE(normalize, gt_normalize(x, .epsilon = 1e-1))
DEFINE(normalize_1, gt_normalize(x, .order = 1, .epsilon = 1e-1))
DEFINE(normalize_4, gt_normalize(x, .order = 4, .epsilon = 1e-1))
DEFINE(rms_normalization, gt_rms_normalization(x, .epsilon = 0.1))
DEFINE(guarded_root, gt_where(gt_greater(x, 0), gt_sqrt(gt_where(gt_greater(x, 0), x, 1)), 0))
DEFINE(squared_hinge, gt_squared_hinge(gt_ones_like(x), x))
DEFINE(binary_crossentropy, gt_binary_crossentropy(gt_zeros_like(x), x, .from_logits = true))
DEFINE(categorical_crossentropy,
       gt_categorical_crossentropy(gt_softmax(gt_zeros_like(x)), x, .from_logits = true))
DEFINE(mean_squared_error, gt_mean_squared_error(x, gt_square(x)))
DEFINE(mean_squared_logarithmic_error, gt_mean_squared_logarithmic_error(gt_ones_like(x), x))
DEFINE(cosine_similarity, gt_cosine_similarity(gt_ones_like(x), x))
DEFINE(matrix_power, gt_matrix_power(x, 3))
DEFINE(asinh, gt_arcsinh(x))
DEFINE(asin, gt_arcsin(x))
DEFINE(atanh, gt_arctanh(x))
DEFINE(cross, gt_cross(x, gt_square(x)))
DEFINE(softsign, gt_softsign(x))
DEFINE(clip, gt_square(gt_clip(x, -1, 1)))
DEFINE(exp2, gt_exp2(x))
DEFINE(trapezoid, gt_trapezoid(x, .x = x))
DEFINE(average, gt_average(x, .weights = x))
DEFINE(kl_divergence, gt_kl_divergence(gt_full(gt_tensor_shape(x), 0.5, .dtype = GT_FLOAT64), x))
DEFINE(nanmean, gt_nanmean(gt_square(x)))
DEFINE(fmax, gt_fmax(x, 0.5))

Test(special, smooth)
{
    SMOOTH(softmax, 3, gt_shape(3), 900, 0, -900);
    SMOOTH(softmax, 3, gt_shape(3), 1, 1, 1);
    SMOOTH(log_softmax, 3, gt_shape(3), 900, 0, -900);
    SMOOTH(logsumexp, 3, gt_shape(3), 900, 0, -900);
    SMOOTH(logsumexp, 3, gt_shape(3), 1, 1, 1);
    SMOOTH(logaddexp_inf, 3, gt_shape(2), 1, 0);
    SMOOTH(logsumexp_inf, 3, gt_shape(2), 1, 0);
    SMOOTH(logaddexp2, 3, gt_shape(2), 0, -3);
    SMOOTH(softplus, 3, gt_shape(3), 0, 800, -800);
    SMOOTH(mish, 3, gt_shape(3), 0, 800, -800);
    SMOOTH(silu, 3, gt_shape(3), 0, 800, -800);
    SMOOTH(gelu, 3, gt_shape(3), 0, 40, -40);
    SMOOTH(gelu_exact, 3, gt_shape(3), 0, 40, -40);
    SMOOTH(log_sigmoid, 3, gt_shape(3), 0, 800, -800);
    SMOOTH(variance, 3, gt_shape(3), 2, 2, 2);
    SMOOTH(norm_4, 3, gt_shape(3), 2, 0, 1);
    SMOOTH(norm_3, 2, gt_shape(3), 2, 0, 1);
    SMOOTH(norm_2, 3, gt_shape(3), 2, 0, 0);
    SMOOTH(cholesky_of_numbers, 3, gt_shape(3), 2, 1, 4);
    SMOOTH(sigmoid, 4, gt_shape(3), 0, 800, -800);
    SMOOTH(tanh, 4, gt_shape(3), 0, 800, -800);
    SMOOTH(mod, 2, gt_shape(3), 1, 2, -1);
    SMOOTH(mod_of_divisor, 2, gt_shape(3), 4, 2, -5);
    SMOOTH(layer_normalization, 2, gt_shape(3), 1, 1, 1);
    SMOOTH(normalize, 2, gt_shape(3), 0, 0, 0);
    SMOOTH(normalize, 2, gt_shape(3), 0, 3, 0);
    SMOOTH(normalize_1, 2, gt_shape(3), 0, 0, 0);
    SMOOTH(normalize_4, 2, gt_shape(3), 0, 0, 0);
    SMOOTH(normalize_4, 2, gt_shape(3), 0, 3, 0);
    SMOOTH(rms_normalization, 3, gt_shape(3), 0, 0, 0);
    SMOOTH(guarded_root, 2, gt_shape(2), -1, 2);
    SMOOTH(binary_crossentropy, 3, gt_shape(3), 0, 800, -800);
    SMOOTH(categorical_crossentropy, 3, gt_shape(3), 0, 0, 0);
    SMOOTH(squared_hinge, 2, gt_shape(3), 0, 3, -1);
    SMOOTH(mean_squared_error, 3, gt_shape(3), 0, 1, -1);
    SMOOTH(mean_squared_logarithmic_error, 3, gt_shape(3), 1, 2, 1);
    SMOOTH(asinh, 4, gt_shape(3), 0, 2, 1e-8);
    SMOOTH(asin, 4, gt_shape(3), 0, 0.5, 1e-8);
    SMOOTH(atanh, 4, gt_shape(3), 0, 0.5, 1e-8);
    SMOOTH(cross, 3, gt_shape(3), 0, 1, 0);
    SMOOTH(matrix_power, 3, SHAPE(2, 2), 0, 1, 0, 0);
    SMOOTH(softsign, 2, gt_shape(3), 3, 1, -2);
    SMOOTH(clip, 2, gt_shape(3), 3, 0, -2);
    SMOOTH(exp2, 3, gt_shape(3), 3, 0, -2);
    SMOOTH(trapezoid, 3, gt_shape(3), 0, 0, 0);
    SMOOTH(average, 3, gt_shape(3), 0, 1, 0);
    SMOOTH(kl_divergence, 3, gt_shape(3), 0.5, 0.5, 0.5);
    SMOOTH(nanmean, 3, gt_shape(3), 0, 0.5, 0);
    SMOOTH(fmax, 2, gt_shape(2), 0, 0.7);
    SMOOTH(cosine_similarity, 3, gt_shape(3), 0, 1, 0);
}

/* ---- conventions: where there is no derivative, what the headers promise ---- */

/* d(sum w f) / dx with weights 1, 2, 3, ... */
static void promises(const char *name, Function *f, gt_Shape shape, int64_t n, const double *at,
                     const double *expected)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = gt_from_values_at(NULL, shape, GT_FLOAT64, n, at);
    gt_watch(tape, x);
    gt_Tensor *y = gt_ravel(f(x));
    gt_Tensor *w = gt_arange(1, (double)gt_size(y) + 1, 1, .dtype = GT_FLOAT64);
    gt_Tensor *g = gt_gradient(tape, gt_sum(gt_multiply(y, w)), x);
    cr_assert(gt_status() == GT_OK, "%s: %s", name, gt_error_message());
    for (int64_t i = 0; i < n; i++)
        cr_assert(
            gt_element(g, i) == expected[i] || (isnan(gt_element(g, i)) && isnan(expected[i])),
            "%s: the gradient at %d is %g, not %g", name, (int)i, gt_element(g, i), expected[i]);
    gt_tape_end(tape);
}
/* f, at two numbers, their gradients */
#define PROMISES(f, a, b, da, db)                                                                  \
    promises(#f, at_##f, gt_shape(2), 2, NUMBERS(a, b), NUMBERS(da, db))

DEFINE(abs, gt_abs(x))
DEFINE(relu, gt_relu(x))
DEFINE(sqrt, gt_sqrt(x))
DEFINE(cbrt, gt_cbrt(x))
DEFINE(largest, gt_max(x))
DEFINE(larger_than_2, gt_maximum(x, 2))
DEFINE(two_or_larger, gt_maximum(gt_array64(gt_shape(1), 2), x))
DEFINE(segment_largest, gt_segment_max(x, gt_zeros(gt_shape(2), .dtype = GT_INT32), 1))
DEFINE(hypot_of_parts,
       gt_hypot(gt_slice(x, gt_shape(0), gt_shape(1)), gt_slice(x, gt_shape(1), gt_shape(1))))
DEFINE(angle_of_parts,
       gt_arctan2(gt_slice(x, gt_shape(0), gt_shape(1)), gt_slice(x, gt_shape(1), gt_shape(1))))
DEFINE(clip_ends, gt_clip(x, 0, 2))
DEFINE(norm, gt_norm(x))
DEFINE(std, gt_std(x))
DEFINE(divide_no_nan, gt_divide_no_nan(gt_array64(gt_shape(2), 1, 1), x))
DEFINE(logsumexp_of_nothing, gt_logsumexp(x))
DEFINE(power_of_x, gt_power(gt_array64(gt_shape(2), 0, -1), x))

Test(special, conventions)
{
    PROMISES(abs, 0, -3, 0, -2);
    PROMISES(relu, 0, 3, 0, 2);
    PROMISES(sqrt, 0, 4, INFINITY, 0.5);
    PROMISES(cbrt, 0, 1, INFINITY, 2.0 / 3);
    PROMISES(largest, 7, 7, 0.5, 0.5);
    PROMISES(segment_largest, 7, 7, 0.5, 0.5);
    PROMISES(larger_than_2, 2, 1, 1, 0);
    PROMISES(two_or_larger, 2, 3, 0, 2);
    PROMISES(hypot_of_parts, 0, 0, 0, 0);
    PROMISES(angle_of_parts, 0, 0, NAN, NAN);
    PROMISES(clip_ends, 0, 2, 1, 2);
    PROMISES(norm, 0, 0, NAN, NAN);
    PROMISES(std, 2, 2, NAN, NAN);
    PROMISES(divide_no_nan, 0, 1, 0, -2);
    PROMISES(logsumexp_of_nothing, -INFINITY, -INFINITY, 0, 0);
    PROMISES(power_of_x, 2, 3, 0, 0);
    gt_context_free(NULL);
    assert_no_leaks();
}
