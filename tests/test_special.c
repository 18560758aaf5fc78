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
    return gt_sum(gt_multiply(
        x, gt_from_values_at(NULL, gt_tensor_shape(x), gt_dtype(x), n, weights)));
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
        gradient[i] = gt_at(last, i);
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
    check(#f, f, orders, shape, COUNT(__VA_ARGS__), NUMBERS(__VA_ARGS__))
#define DEFINE(name, expression)                                                                   \
    static gt_Tensor *name(gt_Tensor *x)                                                           \
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
DEFINE(segments_empty, gt_segment_prod(x, gt_zeros_of(gt_shape(4), .dtype = GT_UINT8), 2))

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
DEFINE(expm1_, gt_expm1(x))
DEFINE(log1p_, gt_log1p(x))
DEFINE(erfinv_, gt_erfinv(x))
DEFINE(angle_of_a, gt_arctan2(x, gt_full(gt_tensor_shape(x), 0.7, .dtype = GT_FLOAT64)))
DEFINE(angle_of_b, gt_arctan2(gt_full(gt_tensor_shape(x), -0.7, .dtype = GT_FLOAT64), x))
DEFINE(hypotenuse, gt_hypot(x, gt_full(gt_tensor_shape(x), 0.7, .dtype = GT_FLOAT64)))
DEFINE(huber, gt_huber(gt_full(gt_tensor_shape(x), 1, .dtype = GT_FLOAT64), x, .delta = 0.5))
DEFINE(log_cosh_, gt_log_cosh(gt_zeros_like(x), x))
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
    SMOOTH(expm1_, 4, gt_shape(2), 0, 1e-7);
    SMOOTH(log1p_, 4, gt_shape(2), 0, 1e-7);
    SMOOTH(erfinv_, 3, gt_shape(2), 0, 1e-7);
    SMOOTH(angle_of_a, 4, gt_shape(2), 0, 0.3);
    SMOOTH(angle_of_b, 4, gt_shape(2), 0, 0.3);
    SMOOTH(hypotenuse, 4, gt_shape(2), 0, 0.3);
    SMOOTH(huber, 2, gt_shape(4), 1, 1.2, 7, -3);
    SMOOTH(log_cosh_, 4, gt_shape(3), 0, 3, -700);
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
    cr_assert(gt_item(gt_det(gt_ones_of(gt_shape(0, 0)))) == 1);
    gt_scope_end(scope);
}
