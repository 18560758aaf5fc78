/* Where mathematics leaves a choice, or Keras, NumPy and TensorFlow made one: one line each, with
 * the sentence that says what was chosen. A choice that changes fails here by its sentence. Numbers
 * are worked out by hand from the formulas of Keras 3 and NumPy; in float32 and in float64. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static gt_DType real; /* the type of V and M */
static int conventions;

#define COUNT_(...)   (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double))
#define LIST_(...)    COUNT_(__VA_ARGS__), (const double[]){__VA_ARGS__}
#define MADE_(shape, dtype, ...) gt_from_values_at(NULL, shape, dtype, LIST_(__VA_ARGS__))
/* Vectors and matrices of reals, vectors of whole numbers. */
#define V(...)             MADE_(gt_shape(COUNT_(__VA_ARGS__)), real, __VA_ARGS__)
#define M(rows, cols, ...) MADE_(gt_shape(rows, cols), real, __VA_ARGS__)
#define I(...)             MADE_(gt_shape(COUNT_(__VA_ARGS__)), GT_INT32, __VA_ARGS__)
#define L(...)             MADE_(gt_shape(COUNT_(__VA_ARGS__)), GT_INT64, __VA_ARGS__)
#define U(...)             MADE_(gt_shape(COUNT_(__VA_ARGS__)), GT_UINT8, __VA_ARGS__)
#define B(...)             MADE_(gt_shape(COUNT_(__VA_ARGS__)), GT_BOOL, __VA_ARGS__)
#define NOTHING            gt_from_values_at(NULL, gt_shape(0), real, 0, (const double[]){0})

static void same(int line, const char *sentence, gt_Tensor *got, int64_t count,
                 const double *wanted)
{
    conventions++;
    cr_assert(gt_status() == GT_OK, "line %d: %s: %s", line, sentence, gt_error_message());
    cr_assert(gt_size(got) == count, "line %d: %s: %d numbers instead of %d", line, sentence,
              (int)gt_size(got), (int)count);
    for (int64_t i = 0; i < count; i++) {
        double is = gt_element(got, i), want = wanted[i];
        bool equal = isnan(want) ? isnan(is)
                                 : is == want || (isfinite(want) &&
                                                  fabs(is - want) <= 1e-6 * fmax(1, fabs(want)));
        cr_assert(equal, "line %d (%s): %s: number %d is %.9g, not %.9g", line, gt_dtype_name(real),
                  sentence, (int)i, is, want);
    }
}

static void refused(int line, const char *sentence, bool made, const char *text)
{
    conventions++;
    cr_assert(!made && gt_status() == GT_INVALID && strstr(gt_error_message(), text),
              "line %d: %s: \"%s\"", line, sentence, gt_error_message());
    gt_error_clear();
}

/* `expression` gives these numbers. */
#define IS(sentence, expression, ...) same(__LINE__, sentence, expression, LIST_(__VA_ARGS__))
/* The sum of `expression`, with x as its variable, has these derivatives at x = V numbers. */
#define SLOPE(sentence, numbers, expression, ...)                                                  \
    do {                                                                                           \
        gt_Tape *tape = gt_tape_begin();                                                           \
        gt_Tensor *x = V numbers;                                                                  \
        gt_watch(tape, x);                                                                         \
        gt_Tensor *target = expression;                                                            \
        IS(sentence, gt_gradient(tape, target, x), __VA_ARGS__);                                   \
        gt_tape_end(tape);                                                                         \
    } while (0)
#define TYPE(sentence, expression, dtype)                                                          \
    IS(sentence, gt_scalar(gt_dtype(expression), GT_FLOAT64), dtype)
#define REFUSED(sentence, expression, text) refused(__LINE__, sentence, (expression) != NULL, text)

/* Runs the lines of a group in both types of reals. */
static void in_both_types(void (*lines)(void))
{
    for (int k = 0; k < 2; k++) {
        real = k ? GT_FLOAT64 : GT_FLOAT32;
        gt_Scope *scope = gt_scope_begin();
        lines();
        gt_scope_end(scope);
    }
    fprintf(stderr, "%d conventions\n", conventions / 2);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* What comes back through pointers, as one tensor. */
static gt_Tensor *first_grid(gt_Tensor *a, gt_Tensor *b)
{
    gt_Tensor *grids[2];
    gt_meshgrid(gt_tensors(a, b), grids);
    return grids[0];
}

static gt_Tensor *first_part(gt_Tensor *x)
{
    gt_Tensor *parts[2];
    gt_array_split(x, 2, parts);
    return parts[0];
}

static gt_Tensor *second_moment(gt_Tensor *x)
{
    gt_Tensor *mean, *variance;
    gt_moments(x, &mean, &variance);
    return variance;
}

/* The moments of numbers that a mask leaves out, added up. */
static gt_Tensor *nothing_counts(gt_Tensor *x)
{
    gt_Tensor *mean, *variance;
    gt_moments(x, &mean, &variance, .axis = 0, .keepdims = true,
               .mask = gt_zeros(gt_shape(2), .dtype = GT_BOOL));
    return gt_concatenate(gt_tensors(mean, variance));
}
/* clang-format off */

/* ---- derivatives at kinks, ties and poles ---- */

static void kinks(void)
{
    const double inf = INFINITY;
    SLOPE("relu'(0) = 0", (-1, 0, 2), gt_relu(x), 0, 0, 1);
    SLOPE("relu6'(0) = 0; at 6 the slope is that below it, as clip's is", (0, 3, 6, 7), gt_relu6(x), 0, 1, 1, 0);
    SLOPE("relu has the negative slope at its threshold, the slope 1 at max_value", (1, 2, 3, 4),
          gt_relu(x, .threshold = 1, .negative_slope = 0.5, .max_value = 3), 0.5, 1, 1, 0);
    SLOPE("leaky_relu'(0) is the negative slope", (-1, 0, 1), gt_leaky_relu(x), 0.2, 0.2, 1);
    SLOPE("elu'(0) = alpha", (0, 1), gt_elu(x, .alpha = 0.5), 0.5, 1);
    SLOPE("hard_sigmoid is flat at -3, not at 3, as relu6 is", (-3, 0, 3, 4), gt_hard_sigmoid(x), 0, 1.0 / 6, 1.0 / 6, 0);
    SLOPE("celu'(0) = 1 for every alpha", (0, 1), gt_celu(x, .alpha = 0.5), 1, 1);
    SLOPE("hard_tanh has slope 1 at both ends, as clip", (-2, -1, 0, 1), gt_hard_tanh(x), 0, 1, 1, 1);
    SLOPE("hard_shrink is 0 and flat at its threshold", (-0.5, 0, 0.5, 1), gt_hard_shrink(x), 0, 0, 0, 1);
    SLOPE("soft_shrink is flat at its threshold", (-0.5, 0, 0.5, 1), gt_soft_shrink(x), 0, 0, 0, 1);
    SLOPE("threshold is flat at it", (1, 2, 3), gt_threshold(x, 2, 5), 0, 0, 1);
    SLOPE("sparse_plus'(1) = 1, and infinity is no trouble", (-1, 0, 1, inf), gt_sparse_plus(x), 0, 0.5, 1, 1);
    SLOPE("sparse_sigmoid is flat at -1 and 1", (-1, 0, 1, 2), gt_sparse_sigmoid(x), 0, 0.5, 0, 0);
    SLOPE("sparsemax: a number that just falls out gets nothing", (1, 0, -1), gt_multiply(gt_sparsemax(x), V(1, 2, 3)), 0, 0, 0);
    SLOPE("abs'(0) = 0", (-3, 0, 3), gt_abs(x), -1, 0, 1);
    SLOPE("max: equal ones share the gradient", (3, 1, 3), gt_max(x), 0.5, 0, 0.5);
    SLOPE("min: equal ones share the gradient", (1, 1, 3, 1), gt_min(x), 1.0 / 3, 1.0 / 3, 0, 1.0 / 3);
    SLOPE("maximum at a tie: all to the first", (1, 2, 3), gt_maximum(x, V(2, 2, 2)), 0, 1, 1);
    SLOPE("maximum at a tie: nothing to the second", (1, 2, 3), gt_maximum(V(2, 2, 2), x), 0, 0, 1);
    SLOPE("minimum at a tie: all to the first", (1, 2, 3), gt_minimum(x, V(2, 2, 2)), 1, 1, 0);
    SLOPE("minimum at a tie: nothing to the second", (1, 2, 3), gt_minimum(V(2, 2, 2), x), 1, 0, 0);
    SLOPE("clip passes the gradient in the closed range", (-2, -1, 0, 1, 2), gt_clip(x, -1, 1), 0, 1, 1, 1, 0);
    SLOPE("sqrt'(0) = inf", (0, 4), gt_sqrt(x), inf, 0.25);
    SLOPE("where after sqrt at 0: 0 times inf is NaN", (0, 4), gt_where(gt_greater(x, 0), gt_sqrt(x), 0), NAN, 0.25);
    SLOPE("where twice keeps it finite", (0, 4),
          gt_where(gt_greater(x, 0), gt_sqrt(gt_where(gt_greater(x, 0), x, 1)), 0), 0, 0.25);
    SLOPE("where: the branch not taken gets 0, even if it is NaN or inf", (NAN, inf, 2),
          gt_where(B(0, 0, 1), x, V(5, 5, 5)), 0, 0, 1);
    SLOPE("where: the second branch gets it where the condition fails", (1, 2, 3),
          gt_where(B(0, 0, 1), V(5, 5, 5), x), 1, 1, 0);
    SLOPE("fmax: the gradient goes to the number, not to NaN", (1, NAN), gt_fmax(x, V(NAN, 1)), 1, 0);
    SLOPE("fmin: the gradient goes to the number, not to NaN", (1, NAN), gt_fmin(x, V(NAN, 1)), 1, 0);
    SLOPE("prod is right with one factor 0", (2, 0, 3), gt_prod(x), 0, 6, 0);
    SLOPE("prod is right with two factors 0", (2, 0, 0), gt_prod(x), 0, 0, 0);
    SLOPE("cumprod is right with a factor 0", (2, 0, 3), gt_cumprod(x), 1, 8, 0);
    SLOPE("segment_prod is right with a factor 0", (2, 0, 3), gt_segment_prod(x, I(0, 0, 1), 2), 0, 2, 1);
    SLOPE("power: the gradient in the exponent is 0 where the base is not positive", (2, 2, 2),
          gt_power(V(0, -1, 2), x), 0, 0, 4 * log(2));
    SLOPE("power: x^2 has slope 0 at 0, x^1 slope 1", (0, 0), gt_power(x, V(2, 1)), 0, 1);
    SLOPE("divide_no_nan: both slopes are 0 where the divisor is 0 (numerator)", (3, 3), gt_divide_no_nan(x, V(0, 2)), 0, 0.5);
    SLOPE("divide_no_nan: both slopes are 0 where the divisor is 0 (divisor)", (0, 2), gt_divide_no_nan(V(3, 3), x), 0, -0.75);
    SLOPE("hypot: both slopes are 0 at the origin", (0, 3), gt_hypot(x, V(0, 4)), 0, 0.6);
    SLOPE("arcsin'(1) = inf", (-1, 0, 1), gt_arcsin(x), inf, 1, inf);
    SLOPE("arccos'(1) = -inf", (-1, 0, 1), gt_arccos(x), -inf, -1, -inf);
    SLOPE("cbrt'(0) = inf", (0, 8, -8), gt_cbrt(x), inf, 1.0 / 12, 1.0 / 12);
    SLOPE("log'(0) = inf", (0, 2), gt_log(x), inf, 0.5);
    SLOPE("logsumexp of nothing but -inf has gradient 0", (-inf, -inf), gt_logsumexp(x), 0, 0);
    SLOPE("nan_to_num: gradient 0 where it replaces", (NAN, inf, -inf, 2), gt_nan_to_num(x), 0, 0, 0, 1);
    SLOPE("nansum and nanmean: NaN has gradient 0", (NAN, 2, 4), gt_add(gt_nansum(x), gt_nanmean(x)), 0, 1.5, 1.5);
    SLOPE("nanmax: the gradient goes to the largest number", (NAN, 2, 4), gt_nanmax(x), 0, 0, 1);
    SLOPE("mod: 1 in the first, -floor(a / b) in the second", (5, -5), gt_mod(x, V(3, 3)), 1, 1);
    SLOPE("mod: -floor(a / b) in the second", (3, 3), gt_mod(V(5, -5), x), -1, 2);
    SLOPE("std has no finite gradient where all are equal", (2, 2), gt_std(x), NAN, NAN);
    SLOPE("norm at 0: NaN", (0, 0), gt_norm(x), NAN, NAN);
    SLOPE("norm of infinity: equal ones share", (2, -2, 1), gt_norm(x, .ord = INFINITY), 0.5, -0.5, 0);
    SLOPE("sort: the gradient goes to where each came from", (3, 1, 2), gt_multiply(gt_sort(x), V(1, 10, 100)), 100, 1, 10);
    SLOPE("median of an even number: half to each of the two in the middle", (4, 1, 3, 2), gt_median(x), 0, 0, 0.5, 0.5);
    SLOPE("top_k: of equal ones the first", (1, 3, 3), gt_top_k(x, 1).values, 0, 1, 0);
    SLOPE("segment_max: equal ones share", (1, 1, 0), gt_segment_max(x, I(0, 0, 0), 1), 0.5, 0.5, 0);
    SLOPE("segment_min: equal ones share", (1, 0, 0), gt_segment_min(x, I(0, 0, 0), 1), 0, 0.5, 0.5);
    SLOPE("max: none goes to initial", (1, 3, 2), gt_max(x, .initial = 3), 0, 1, 0);
    SLOPE("min: none goes to initial", (1, 3, 2), gt_min(x, .initial = 0), 0, 0, 0);
    SLOPE("max_pool: the first of equal ones", (2, 2, 1, 1),
          gt_max_pool(gt_reshape(x, gt_shape(1, 4, 1)), gt_shape(2)), 1, 0, 1, 0);
    SLOPE("take: what was taken twice gets both gradients", (1, 2, 3), gt_take(x, I(0, 0, 2)), 2, 0, 1);
    SLOPE("scatter_update: of an index that is there twice the last gets the gradient", (5, 6),
          gt_scatter_update(V(1, 2), gt_reshape(I(1, 1), gt_shape(2, 1)), x), 0, 1);
    SLOPE("scatter_update: what was replaced gets none", (1, 2),
          gt_scatter_update(x, gt_reshape(I(1), gt_shape(1, 1)), V(5)), 1, 0);
    SLOPE("mean_absolute_error has slope 0 where it is right", (1, 2), gt_mean_absolute_error(V(1, 1), x, .reduction = GT_REDUCTION_SUM), 0, 0.5);
    SLOPE("huber: a parabola up to delta, then lines", (0.5, 1, 3),
          gt_huber(V(0, 0, 0), x, .reduction = GT_REDUCTION_SUM), 0.5 / 3, 1.0 / 3, 1.0 / 3);
    SLOPE("hinge is flat at its kink", (1, 2, 0), gt_hinge(V(1, 1, 1), x, .reduction = GT_REDUCTION_SUM), 0, 0, -1.0 / 3);
    SLOPE("the gradient of a broadcast is summed", (1, 2), gt_multiply(gt_reshape(x, gt_shape(2, 1)), V(1, 10, 100)), 111, 111);
    SLOPE("cast passes the gradient between floats", (1.5, 2), gt_cast(x, GT_FLOAT64), 1, 1);
}

Test(conventions, derivatives)
{
    in_both_types(kinks);
}

/* ---- rounding, dividing, whole numbers ---- */

static void arithmetic(void)
{
    const double inf = INFINITY, low = INT32_MIN, high = INT32_MAX;
    IS("sign is -1, 0 or 1; NaN stays", gt_sign(V(-2, 0, 3, NAN)), -1, 0, 1, NAN);
    IS("round: halves to even", gt_round(V(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.6)), -2, -2, 0, 0, 2, 2, 3);
    IS("round: decimals count behind the point", gt_round(V(0.125, 0.375, -2.625), .decimals = 2), 0.12, 0.38, -2.62);
    IS("round: below 0 tens and hundreds", gt_round(V(1250, 1350, -49), .decimals = -2), 1200, 1400, 0);
    REFUSED("round: a power of ten beyond the type is an error", gt_round(V(1), .decimals = -309), "got decimals -309");
    IS("floor goes down", gt_floor(V(-1.5, 1.5)), -2, 1);
    IS("ceil goes up", gt_ceil(V(-1.5, 1.5)), -1, 2);
    IS("trunc goes towards 0", gt_trunc(V(-1.5, 1.5)), -1, 1);
    IS("mod has the sign of the divisor", gt_mod(V(5, -5, 5, -5), V(3, 3, -3, -3)), 2, 1, -1, -2);
    IS("mod of whole numbers, too", gt_mod(I(5, -5, 5, -5), I(3, 3, -3, -3)), 2, 1, -1, -2);
    IS("mod by 0: NaN", gt_mod(V(5), 0), NAN);
    IS("mod of whole numbers by 0: 0", gt_mod(I(5, -5), 0), 0, 0);
    IS("floor_divide goes down", gt_floor_divide(V(7, -7, 7, -7), V(2, 2, -2, -2)), 3, -4, -4, 3);
    IS("floor_divide of whole numbers, too", gt_floor_divide(I(7, -7, 7, -7), I(2, 2, -2, -2)), 3, -4, -4, 3);
    IS("floor_divide by 0: infinite", gt_floor_divide(V(1, -1, 0), 0), inf, -inf, NAN);
    IS("floor_divide of whole numbers by 0: 0", gt_floor_divide(I(7, -7), 0), 0, 0);
    IS("the lowest whole number divided by -1 wraps", gt_floor_divide(I(low), I(-1)), low);
    IS("and leaves nothing over", gt_mod(I(low), I(-1)), 0);
    IS("divide: 1/0 = inf, -1/0 = -inf, 0/0 = NaN", gt_divide(V(1, -1, 0), 0), inf, -inf, NAN);
    TYPE("whole numbers divide as float32", gt_divide(I(1), I(2)), GT_FLOAT32);
    IS("whole numbers divide as float32", gt_divide(I(1), I(2)), 0.5);
    IS("divide_no_nan: 0 where the divisor is 0", gt_divide_no_nan(V(1, 0, 6), V(0, 0, 2)), 0, 0, 3);
    IS("add wraps", gt_add(I(high), 1), low);
    IS("subtract wraps", gt_subtract(I(low), 1), high);
    IS("multiply wraps", gt_multiply(I(65536), I(65536)), 0);
    IS("negative of the lowest wraps", gt_negative(I(low)), low);
    IS("abs of the lowest wraps", gt_abs(I(low)), low);
    IS("square wraps", gt_square(I(65536)), 0);
    IS("uint8 wraps", gt_add(U(255), U(1)), 0);
    IS("a sum of int32 wraps", gt_sum(I(high, 1)), low);
    IS("maximum and minimum: NaN if either is", gt_add(gt_maximum(V(NAN, 1), V(1, NAN)), gt_minimum(V(NAN, 1), V(1, NAN))), NAN, NAN);
    IS("fmax: NaN only if both are", gt_fmax(V(NAN, 1, NAN), V(1, NAN, NAN)), 1, 1, NAN);
    IS("fmin: NaN only if both are", gt_fmin(V(NAN, 1, NAN), V(1, NAN, NAN)), 1, 1, NAN);
    IS("0^0 = 1; a negative base with a broken exponent: NaN", gt_power(V(0, -1), V(0, 0.5)), 1, NAN);
    IS("log(0) = -inf, below NaN", gt_log(V(0, -1)), -inf, NAN);
    IS("sqrt below 0: NaN", gt_sqrt(V(-1)), NAN);
    IS("arccosh below 1, arctanh beyond 1: NaN", gt_add(gt_arccosh(V(0.5)), gt_arctanh(V(2))), NAN);
    IS("arctanh(1) = erfinv(1) = inf", gt_minimum(gt_arctanh(V(1)), gt_erfinv(V(1))), inf);
    IS("arctan2(a, b) is the angle of (b, a)", gt_arctan2(V(1, -1, 0), V(0, 0, -1)), acos(-1) / 2, -acos(-1) / 2, acos(-1));
    IS("sinc(0) = 1, with pi", gt_sinc(V(0, 0.5, 1)), 1, 2 / acos(-1), 0);
    IS("cbrt of negative numbers", gt_cbrt(V(-8)), -2);
    IS("nan_to_num: 0 for NaN; .posinf and .neginf", gt_nan_to_num(V(NAN, inf, -inf), .posinf = 7, .neginf = -7), 0, 7, -7);
    IS("nan_to_num: the ends of the type", gt_nan_to_num(gt_cast(V(inf, -inf), GT_FLOAT32)), 3.4028234663852886e38, -3.4028234663852886e38);
    IS("signbit: -0 too", gt_signbit(V(-0.0, 0.0, -1, 1)), 1, 0, 1, 0);
    IS("shifts by too much, or by less than 0, move everything out", gt_left_shift(I(1, 1, 1), I(32, -1, 3)), 0, 0, 8);
    IS("right_shift brings in the sign", gt_right_shift(I(-8, -8, 8), I(1, 40, 1)), -4, -1, 4);
    IS("floats to whole numbers: towards 0, to the ends of the type, NaN to 0",
       gt_cast(V(2.9, -2.9, 1e20, -1e20, NAN), GT_INT32), 2, -2, high, low, 0);
    IS("floats to uint8 likewise", gt_cast(V(-1, 300, 2.5), GT_UINT8), 0, 255, 2);
    IS("to bool: not 0", gt_cast(V(0, 0.5, -1), GT_BOOL), 0, 1, 1);
    IS("saturate_cast: to the ends of the type", gt_saturate_cast(I(-5, 300, 7), GT_UINT8), 0, 255, 7);
}

Test(conventions, arithmetic)
{
    in_both_types(arithmetic);
}

/* ---- types and shapes that meet ---- */

static void types(void)
{
    gt_Tensor *x = V(1, 2), *one64 = gt_cast(V(1), GT_FLOAT64), *one32 = gt_cast(V(1), GT_FLOAT32);
    TYPE("bool with uint8: uint8", gt_add(B(1), U(1)), GT_UINT8);
    TYPE("uint8 with int32: int32", gt_add(U(1), I(1)), GT_INT32);
    TYPE("int32 with int64: int64", gt_add(I(1), L(1)), GT_INT64);
    TYPE("int64 with a float: that float", gt_add(L(1), x), real);
    TYPE("bool with a float: that float", gt_multiply(x, B(1)), real);
    REFUSED("float32 with float64 is an error", gt_add(one32, one64), "types differ: float32 and float64");
    TYPE("a C number takes the tensor's type", gt_multiply(x, 0.5), real);
    TYPE("and never widens it", gt_add(U(1), 1), GT_UINT8);
    REFUSED("a C number that the type does not hold is an error", gt_add(I(1), 0.5), "0.5");
    TYPE("comparisons give bool", gt_less(x, 2), GT_BOOL);
    TYPE("the mean of whole numbers is float32", gt_mean(I(1, 2)), GT_FLOAT32);
    TYPE("the sum of uint8 is int32", gt_sum(U(200, 200)), GT_INT32);
    TYPE("the sum of bool is int32", gt_sum(B(1, 1)), GT_INT32);
    TYPE("the product of uint8 is int32", gt_prod(U(200, 200)), GT_INT32);
    TYPE("the running sum of uint8 is int32", gt_cumsum(U(200, 200)), GT_INT32);
    TYPE("the sum of int64 is int64", gt_sum(L(1, 2)), GT_INT64);
    TYPE("argmax is int32", gt_argmax(x), GT_INT32);
    TYPE("argsort is int32", gt_argsort(x), GT_INT32);
    TYPE("count_nonzero is int32", gt_count_nonzero(x), GT_INT32);
    TYPE("the deviation of whole numbers is float32", gt_std(I(1, 2)), GT_FLOAT32);
    TYPE("quantiles of whole numbers are float32", gt_median(I(1, 2)), GT_FLOAT32);
    TYPE("where: both branches to one type", gt_where(B(1), I(1), x), real);
    TYPE("one_hot is float32", gt_one_hot(I(1), 3), GT_FLOAT32);
    TYPE("constants are float32", gt_ones(gt_shape(2)), GT_FLOAT32);
    TYPE("those like another have its type", gt_ones_like(one64), GT_FLOAT64);
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, one32);
    TYPE("a gradient has its input's type", gt_gradient(tape, gt_multiply(gt_cast(one32, GT_FLOAT64), one64), one32), GT_FLOAT32);
    gt_tape_end(tape);
    IS("shapes are aligned at the right, 1 stretches", gt_add(M(2, 1, 10, 20), V(1, 2)), 11, 12, 21, 22);
    IS("a scalar goes with everything", gt_add(gt_scalar(1, real), M(2, 1, 10, 20)), 11, 21);
    IS("1 stretches to nothing, too", gt_scalar((double)gt_size(gt_add(NOTHING, V(1))), GT_FLOAT64), 0);
    REFUSED("what does not match is an error with both shapes", gt_add(V(1, 2), V(1, 2, 3)), "shapes do not broadcast: (2,) and (3,)");
    REFUSED("nothing does not stretch", gt_add(NOTHING, V(1, 2)), "shapes do not broadcast: (0,) and (2,)");
    IS("NaN equals nothing", gt_equal(V(NAN, 1), V(NAN, 1)), 0, 1);
    IS("and is not less", gt_less(V(NAN), 1), 0);
    IS("nor not less", gt_greater_equal(V(NAN), 1), 0);
    IS("but not equal", gt_not_equal(V(NAN), V(NAN)), 1);
    IS("logic: numbers count as not 0", gt_logical_and(V(0.5, 0, -1), V(1, 1, 1)), 1, 0, 1);
    IS("where: a condition of numbers counts as not 0", gt_where(V(0, 0.5), V(1, 1), V(2, 2)), 2, 1);
    IS("isclose: 1e-8 + 1e-5 |b|, not of a", gt_isclose(V(1e-9, 1.000009, 1.0002), V(0, 1, 1)), 1, 1, 0);
    IS("isclose measures by the second", gt_isclose(V(1, 1.5), V(1.5, 1), .rtol = 0.4), 1, 0);
    IS("isclose: NaN is close to NaN only if asked for", gt_isclose(V(NAN), V(NAN), .equal_nan = true), 1);
    IS("isclose: NaN is not close to NaN", gt_isclose(V(NAN), V(NAN)), 0);
    IS("equal infinities are close", gt_isclose(V(INFINITY), V(INFINITY)), 1);
    IS("a vector is a row on the left of matmul, a column on the right", gt_matmul(gt_matmul(V(1, 2), M(2, 2, 1, 2, 3, 4)), V(1, 10)), 107);
}

Test(conventions, types_and_shapes)
{
    in_both_types(types);
}

/* ---- reductions, running sums, order ---- */

static void reductions(void)
{
    const double inf = INFINITY;
    IS("the sum of nothing is 0", gt_sum(NOTHING), 0);
    IS("the product of nothing is 1", gt_prod(NOTHING), 1);
    IS("the mean of nothing is NaN", gt_mean(NOTHING), NAN);
    IS("all of nothing holds", gt_all(NOTHING), 1);
    IS("any of nothing does not", gt_any(NOTHING), 0);
    IS("logsumexp of nothing is -inf", gt_logsumexp(NOTHING), -inf);
    REFUSED("max of nothing is an error", gt_max(NOTHING), "");
    REFUSED("argmax of nothing is an error", gt_argmax(NOTHING), "");
    IS("max is NaN if there is one", gt_max(V(1, NAN, 3)), NAN);
    IS("min is NaN if there is one", gt_min(V(1, NAN, 3)), NAN);
    IS("argmax: the first of equal ones", gt_argmax(V(1, 3, 3)), 1);
    IS("argmin: the first of equal ones", gt_argmin(V(3, 1, 1)), 1);
    IS("argmax: the first NaN", gt_argmax(V(1, NAN, 9, NAN)), 1);
    IS("argmax without an axis: the place in row-major order", gt_argmax(M(2, 2, 1, 2, 4, 3)), 2);
    IS("any and all: NaN is not 0", gt_logical_and(gt_any(V(NAN)), gt_all(V(NAN))), 1);
    IS("variance divides by n", gt_variance(V(1, 3)), 1);
    IS("std divides by n", gt_std(V(1, 5)), 2);
    IS("nansum of nothing but NaN is 0", gt_nansum(V(NAN, NAN)), 0);
    IS("nanmean of nothing but NaN is NaN", gt_nanmean(V(NAN, NAN)), NAN);
    IS("nanmax of nothing but NaN is NaN", gt_nanmax(V(NAN, NAN)), NAN);
    IS("nanmin of nothing but NaN is NaN", gt_nanmin(V(NAN, NAN)), NAN);
    IS("nanmean divides by the numbers that are there", gt_nanmean(V(NAN, 2, 4)), 3);
    IS("nanmax may be -inf", gt_nanmax(V(NAN, -inf)), -inf);
    IS("cumsum counts the element itself", gt_cumsum(V(1, 2, 3)), 1, 3, 6);
    IS("exclusive leaves it out", gt_cumsum(V(1, 2, 3), .exclusive = true), 0, 1, 3);
    IS("reverse runs from the end", gt_cumsum(V(1, 2, 3), .reverse = true), 6, 5, 3);
    IS("both", gt_cumsum(V(1, 2, 3), .exclusive = true, .reverse = true), 5, 3, 0);
    IS("an exclusive product starts at 1", gt_cumprod(V(2, 3, 4), .exclusive = true), 1, 2, 6);
    IS("cumsum without an axis is flat", gt_cumsum(M(2, 2, 1, 2, 3, 4)), 1, 3, 6, 10);
    IS("average divides by the sum of the weights", gt_average(V(1, 3), .weights = V(3, 1)), 1.5);
    IS("diff: the later less the earlier", gt_diff(V(1, 4, 9)), 3, 5);
    IS("trapezoid: dx = 1", gt_trapezoid(V(1, 3, 5)), 6);
    IS("ptp: the largest less the smallest", gt_ptp(V(2, 9, 4)), 7);
    IS("sort: ascending, NaN last", gt_sort(V(3, NAN, 1, inf)), 1, 3, inf, NAN);
    IS("sort descending: NaN first", gt_sort(V(3, NAN, 1), .descending = true), NAN, 3, 1);
    IS("argsort: equal ones keep their order", gt_argsort(V(2, 1, 2, 1)), 1, 3, 0, 2);
    IS("argsort descending: equal ones keep their order", gt_argsort(V(2, 1, 2, 1), .descending = true), 0, 2, 1, 3);
    IS("sort runs along the last axis", gt_sort(M(2, 2, 2, 1, 4, 3)), 1, 2, 3, 4);
    IS("top_k: the largest first", gt_top_k(V(1, 3, 2), 2).values, 3, 2);
    IS("top_k: of equal ones the first", gt_top_k(V(3, 1, 3, 3), 2).indices, 0, 2);
    IS("in_top_k: equal ones all count", gt_in_top_k(I(2), M(1, 3, 5, 5, 5), 1), 1);
    IS("in_top_k: what is not finite never does", gt_in_top_k(I(0), M(1, 3, INFINITY, 1, 2), 1), 0);
    IS("the median of an even number is the mean of two", gt_median(V(4, 1, 3, 2)), 2.5);
    IS("quantile interpolates linearly", gt_quantile(V(1, 2, 4), 0.75), 3);
    IS("quantile is NaN if there is one", gt_quantile(V(1, NAN), 0.5), NAN);
    IS("percentile counts to 100", gt_percentile(V(1, 2, 4), 75), 3);
    IS("searchsorted: before equal ones", gt_searchsorted(V(1, 2, 2, 3), V(2, 0, 9)), 1, 0, 4);
    IS("searchsorted .right: behind them", gt_searchsorted(V(1, 2, 2, 3), V(2), .right = true), 3);
    IS("digitize: bins[i - 1] <= x < bins[i]", gt_digitize(V(0.5, 1, 2.5, 3), V(1, 2, 3)), 0, 1, 2, 3);
    IS("digitize .right: < and <=", gt_digitize(V(1, 3, 4), V(1, 2, 3), .right = true), 0, 2, 3);
    IS("bincount: as long as the largest + 1", gt_bincount(I(1, 1, 3)), 0, 2, 0, 1);
    IS("histogram: the last bin is closed", gt_histogram(V(0, 1, 2, 3, 4), .bins = 2).counts, 2, 3);
    IS("histogram: ten bins", gt_scalar((double)gt_size(gt_histogram(V(0, 1)).counts), GT_FLOAT64), 10);
    IS("norm: root of the squares, over all axes", gt_norm(M(1, 2, 3, 4)), 5);
    IS("norm of order 0 counts what is not 0", gt_norm(V(0, 3, -1), .ord = 0), 2);
    IS("norm of order -inf: the smallest", gt_norm(V(2, -3, -1), .ord = -INFINITY), 1);
    IS("segment_sum: 0 without rows", gt_segment_sum(V(1, 2), I(0, 0), 2), 3, 0);
    IS("segment_prod: 1 without rows", gt_segment_prod(V(2, 3), I(0, 0), 2), 6, 1);
    IS("segment_max: -inf without rows", gt_segment_max(V(1, 2), I(0, 0), 2), 2, -inf);
    IS("segment_min: inf without rows", gt_segment_min(V(1, 2), I(0, 0), 2), 1, inf);
    IS("segment_max of whole numbers: the lowest", gt_segment_max(I(1, 2), I(0, 0), 2), 2, INT32_MIN);
    IS("segment_min of whole numbers: the highest", gt_segment_min(I(1, 2), I(0, 0), 2), 1, INT32_MAX);
    IS("segment ids may count from the end (sum)", gt_segment_sum(V(1, 2), I(-1, 0), 2), 2, 1);
    IS("segment ids may count from the end (max)", gt_segment_max(V(1, 2), I(-1, 0), 2), 2, 1);
    REFUSED("a segment that is not there is an error", gt_segment_sum(V(1, 2), I(2, 0), 2), "2");
}

Test(conventions, reductions_and_order)
{
    in_both_types(reductions);
}

/* ---- parts and places ---- */

static void places(void)
{
    gt_Tensor *x = V(1, 2, 3);
    IS("one_hot: zeros for an index out of range", gt_one_hot(I(1, 3, -1), 3), 0, 1, 0, 0, 0, 0, 0, 0, 0);
    IS("one_hot: the new axis is the last", gt_one_hot(I(1, 0), 2), 0, 1, 1, 0);
    IS("take: negative indices count from the end", gt_take(x, I(-1, 0)), 3, 1);
    REFUSED("take: an index out of range is an error that names it", gt_take(x, I(3)), "3");
    REFUSED("take: also below", gt_take(x, I(-4)), "-4");
    IS("scatter_update: of two the last counts", gt_scatter_update(x, gt_reshape(I(1, 1), gt_shape(2, 1)), V(5, 6)), 1, 6, 3);
    IS("scatter_add: updates of one place are added", gt_scatter_add(I(1, 1), V(5, 6), gt_shape(3)), 0, 11, 0);
    IS("pad: zeros", gt_pad(x, gt_shape(1), gt_shape(2)), 0, 1, 2, 3, 0, 0);
    IS("pad: .value", gt_pad(x, gt_shape(0), gt_shape(1), .value = 7), 1, 2, 3, 7);
    IS("roll: what leaves at the end comes in at the start", gt_roll(x, 1), 3, 1, 2);
    IS("roll: along several axes", gt_roll(M(2, 2, 1, 2, 3, 4), 1, .axes = gt_axes(0, 1)), 4, 3, 2, 1);
    IS("roll: by a number for each", gt_roll(M(2, 2, 1, 2, 3, 4), gt_integers(0, 1), .axes = gt_axes(0, 1)), 2, 1, 4, 3);
    IS("repeat: each in a row", gt_repeat(V(1, 2), 2), 1, 1, 2, 2);
    IS("repeat: a number for each", gt_repeat(x, gt_integers(2, 0, 1)), 1, 1, 3);
    IS("tile: the whole again", gt_tile(V(1, 2), gt_shape(2)), 1, 2, 1, 2);
    IS("transpose reverses the axes", gt_transpose(M(2, 2, 1, 2, 3, 4)), 1, 3, 2, 4);
    IS("rot90: from the first axis towards the second", gt_rot90(M(2, 2, 1, 2, 3, 4)), 2, 4, 1, 3);
    IS("flip without axes: along all", gt_flip(M(2, 2, 1, 2, 3, 4)), 4, 3, 2, 1);
    IS("tril keeps the diagonal", gt_tril(M(2, 2, 1, 2, 3, 4)), 1, 0, 3, 4);
    IS("triu keeps the diagonal; k = 1 does not", gt_triu(M(2, 2, 1, 2, 3, 4), .k = 1), 0, 2, 0, 0);
    IS("eye: k counts upwards", gt_eye(2, .k = 1), 0, 1, 0, 0);
    IS("arange: without stop", gt_arange(0, 1, 0.25), 0, 0.25, 0.5, 0.75);
    IS("linspace: with stop", gt_linspace(0, 1, 5), 0, 0.25, 0.5, 0.75, 1);
    IS("meshgrid: the first vector along axis 1", first_grid(V(1, 2), V(3, 4)), 1, 2, 1, 2);
    IS("array_split: the first parts are longer", first_part(x), 1, 2);
    IS("concatenate: along axis 0", gt_concatenate(gt_tensors(V(1), V(2))), 1, 2);
    IS("tensordot: two axes", gt_tensordot(M(2, 2, 1, 2, 3, 4), M(2, 2, 1, 2, 3, 4)), 30);
    IS("einsum without an arrow: letters in alphabetical order", gt_einsum("ba", gt_tensors(M(2, 2, 1, 2, 3, 4))), 1, 3, 2, 4);
    IS("einsum: summed axes may come in another order in the other operand", gt_einsum("ij,ji->", gt_tensors(M(2, 2, 1, 2, 3, 4), M(2, 2, 5, 6, 7, 8))), 69);
    IS("diagonal: offset counts upwards", gt_diagonal(M(2, 2, 1, 2, 3, 4), .offset = 1), 2);
}

Test(conventions, parts_and_places)
{
    in_both_types(places);
}

/* ---- networks: activations, windows, normalization, losses ---- */

static void networks(void)
{
    const double e = exp(1);
    gt_Tensor *row = gt_reshape(V(1, 2, 3, 4), gt_shape(1, 4, 1)), *one = gt_ones(gt_shape(1, 1, 1), .dtype = real);
    IS("leaky_relu: 0.2 as a function", gt_leaky_relu(V(-1, 2)), -0.2, 2);
    IS("gelu is the approximate one", gt_gelu(V(1)), 0.841191990608);
    IS("gelu_exact is not", gt_gelu_exact(V(1)), 0.841344746069);
    IS("elu: alpha 1", gt_elu(V(-1, 2)), 1 / e - 1, 2);
    IS("selu: 1.0507 and 1.67326", gt_selu(V(1, -1)), 1.0507009873554805, 1.0507009873554805 * 1.6732632423543772 * (1 / e - 1));
    IS("hard_sigmoid: relu6(x + 3) / 6, not 0.2 x + 0.5", gt_hard_sigmoid(V(1, -3, 3)), 4.0 / 6, 0, 1);
    IS("hard_silu: x hard_sigmoid(x)", gt_hard_silu(V(1, -4)), 4.0 / 6, 0);
    IS("silu: x sigmoid(x)", gt_silu(V(1)), e / (1 + e));
    IS("mish: x tanh(softplus(x))", gt_mish(V(1)), 0.865098388);
    IS("softsign: x / (1 + |x|)", gt_softsign(V(-3)), -0.75);
    IS("softplus does not overflow", gt_softplus(V(1000, -1000)), 1000, 0);
    IS("log_sigmoid does not either", gt_log_sigmoid(V(-1000)), -1000);
    IS("relu: threshold, negative_slope, max_value", gt_relu(V(-1, 1, 2, 9), .threshold = 1, .negative_slope = 0.5, .max_value = 6), -1, 0, 2, 6);
    IS("relu of NaN is NaN", gt_relu(V(NAN)), NAN);
    IS("softmax: the last axis", gt_softmax(M(2, 2, 0, 0, 1000, 1000)), 0.5, 0.5, 0.5, 0.5);
    IS("log_softmax: the last axis", gt_log_softmax(M(2, 1, 3, 5)), 0, 0);

    IS("conv: the kernel is not flipped", gt_conv(row, gt_reshape(V(1, 10), gt_shape(2, 1, 1))), 21, 32, 43);
    IS("conv same: one more zero at the end", gt_conv(row, gt_reshape(V(1, 10), gt_shape(2, 1, 1)), .padding = GT_PADDING_SAME), 21, 32, 43, 4);
    IS("conv same with strides: likewise", gt_conv(row, gt_reshape(V(1, 1, 1), gt_shape(3, 1, 1)), .padding = GT_PADDING_SAME, .strides = gt_shape(2)), 6, 7);
    IS("conv causal: zeros before the start", gt_conv(row, gt_reshape(V(1, 10), gt_shape(2, 1, 1)), .padding = GT_PADDING_CAUSAL), 10, 21, 32, 43);
    IS("depthwise_conv: filter m of channel c gives channel c multiplier + m",
       gt_depthwise_conv(gt_reshape(V(1, 2), gt_shape(1, 1, 2)), gt_reshape(V(1, 10, 100, 1000), gt_shape(1, 2, 2))), 1, 10, 200, 2000);
    IS("conv_transpose valid: (in - 1) stride + max(reach, stride)",
       gt_conv_transpose(gt_reshape(V(1, 2), gt_shape(1, 2, 1)), gt_reshape(V(1, 10), gt_shape(2, 1, 1)), .strides = gt_shape(2)), 1, 10, 2, 20);
    IS("max_pool: steps of its own size", gt_max_pool(row, gt_shape(2)), 2, 4);
    IS("max_pool same: padding never wins", gt_max_pool(gt_negative(row), gt_shape(3), .padding = GT_PADDING_SAME), -1, -3);
    IS("average_pool same: only what is there counts", gt_average_pool(row, gt_shape(3), .padding = GT_PADDING_SAME), 1.5, 3.5);
    IS("spectral normalization leaves a kernel of zeros", gt_spectral_normalization(gt_zeros(gt_shape(2, 2), .dtype = real), gt_ones(gt_shape(1, 2), .dtype = real)).kernel, 0, 0, 0, 0);
    IS("and its vector", gt_spectral_normalization(gt_zeros(gt_shape(2, 2), .dtype = real), gt_ones(gt_shape(1, 2), .dtype = real)).u, 1, 1);
    IS("masked moments of nothing are 0", nothing_counts(V(NAN, 1)), 0, 0);
    IS("sparsemax: what -inf marks is 0", gt_sparsemax(V(0.5, -INFINITY, 0.25)), 0.625, 0, 0.375);
    IS("shrinking keeps NaN", gt_hard_shrink(V(NAN, 1)), NAN, 1);
    IS("shrinking softly keeps NaN", gt_soft_shrink(V(NAN, 1)), NAN, 0.5);
    REFUSED("celu needs an alpha", gt_celu(V(1), .alpha = 0), "celu: alpha must not be 0");
    REFUSED("a threshold is a width", gt_soft_shrink(V(1), .threshold = -1), "soft_shrink: threshold must be >= 0 (got -1)");
    REFUSED("squareplus needs b >= 0", gt_squareplus(V(1), .b = -1), "squareplus: b must be >= 0 (got -1)");
    REFUSED("glu halves an axis", gt_glu(V(1, 2, 3)), "glu: ");
    IS("resize: bilinear, pixels are squares", gt_resize(gt_reshape(V(1, 2), gt_shape(1, 2, 1)), gt_shape(1, 4)), 1, 1.25, 1.75, 2);
    IS("resize nearest: the centre decides", gt_resize(gt_reshape(V(1, 2, 3), gt_shape(1, 3, 1)), gt_shape(1, 2), .interpolation = GT_INTERPOLATION_NEAREST), 1, 3);
    IS("resize does not average when it shrinks", gt_resize(gt_reshape(V(1, 2, 4, 8, 16, 32), gt_shape(1, 6, 1)), gt_shape(1, 2)), 2, 16);

    IS("batch_normalization: epsilon 1e-3 in the root", gt_batch_normalization(V(1, 3), V(0, 1), V(1, 0)), 1 / sqrt(1.001), 2 / sqrt(1e-3));
    IS("moments: the variance divides by n", second_moment(V(1, 3)), 1);
    IS("layer_normalization: epsilon 1e-7, variance by n", gt_layer_normalization(V(-1e-3, 1e-3)), -1e-3 / sqrt(1.1e-6), 1e-3 / sqrt(1.1e-6));
    IS("rms_normalization: epsilon 1e-7", gt_rms_normalization(V(1e-3, 1e-3)), 1e-3 / sqrt(1.1e-6), 1e-3 / sqrt(1.1e-6));
    IS("group_normalization: epsilon 1e-3", gt_group_normalization(M(1, 2, -1, 1), .groups = 1), -1 / sqrt(1.001), 1 / sqrt(1.001));
    IS("normalize: order 2, the last axis", gt_normalize(M(2, 2, 3, 4, 0, 0)), 0.6, 0.8, 0, 0);
    IS("normalize: what is shorter than 1e-12 is divided by that", gt_normalize(V(1e-13)), 0.1);
    IS("attention: scores over sqrt(width)",
       gt_dot_product_attention(gt_multiply(gt_ones(gt_shape(1, 1, 1, 4), .dtype = real), 1), gt_reshape(V(1, 1, 1, 1, 0, 0, 0, 0), gt_shape(1, 2, 1, 4)),
                                gt_reshape(V(1, 0), gt_shape(1, 2, 1, 1))), e * e / (1 + e * e));
    IS("attention: who may look at nothing gets the mean",
       gt_dot_product_attention(gt_reshape(one, gt_shape(1, 1, 1, 1)), gt_reshape(V(1, 5), gt_shape(1, 2, 1, 1)),
                                gt_reshape(V(1, 3), gt_shape(1, 2, 1, 1)), .mask = gt_reshape(B(0, 0), gt_shape(1, 1, 1, 2))), 2);
    IS("dropout of rate 0 is the identity", gt_dropout(V(1, 2), 0), 1, 2);
    IS("dropout of rate 1 is 0", gt_dropout(V(1, 2), 1), 0, 0);

    IS("losses: the mean over all", gt_mean_squared_error(M(2, 2, 0, 0, 0, 0), M(2, 2, 1, 2, 3, 4)), 7.5);
    IS("losses: without reduction the mean over the last axis", gt_mean_squared_error(M(2, 2, 0, 0, 0, 0), M(2, 2, 1, 2, 3, 4), .reduction = GT_REDUCTION_NONE), 2.5, 12.5);
    IS("sample_weight: the mean divides by the number, not by the weights", gt_mean_squared_error(M(2, 1, 0, 0), M(2, 1, 1, 2), .sample_weight = V(1, 3)), 6.5);
    REFUSED("losses never broadcast: (2,) with (2, 1) is an error", gt_mean_squared_error(V(0, 0), M(2, 1, 1, 2)), "(2,)");
    IS("binary_crossentropy: probabilities at least 1e-7", gt_binary_crossentropy(V(1), V(0)), 7 * log(10));
    IS("binary label smoothing: y (1 - s) + s / 2", gt_binary_crossentropy(V(1), V(0.75), .label_smoothing = 0.2), -0.9 * log(0.75) - 0.1 * log(0.25));
    IS("binary from logits: max(x, 0) - x y + log(1 + e^-|x|)", gt_binary_crossentropy(V(1, 0), V(2, 1000), .from_logits = true, .reduction = GT_REDUCTION_SUM), (log(1 + exp(-2)) + 1000) / 2);
    IS("categorical_crossentropy: probabilities over their sum", gt_categorical_crossentropy(V(0, 1), V(0.1, 0.3)), -log(0.75));
    IS("categorical_crossentropy: then at least 1e-7", gt_categorical_crossentropy(V(1, 0), V(0, 0.5)), 7 * log(10));
    REFUSED("scores that are no probabilities are an error", gt_categorical_crossentropy(V(0, 1), V(1, 3)), "[0, 1] (got 3");
    IS("categorical label smoothing: y (1 - s) + s / C", gt_categorical_crossentropy(V(1, 0, 0), V(0.5, 0.25, 0.25), .label_smoothing = 0.3), 0.8 * log(2) + 0.2 * log(4));
    IS("sparse_categorical_crossentropy: at least 1e-7", gt_sparse_categorical_crossentropy(I(0), M(1, 2, 0, 1)), 7 * log(10));
    IS("ignore_class: loss 0, and not counted in the mean",
       gt_sparse_categorical_crossentropy(I(0, -1), M(2, 2, 0, 0, 5, 1), .from_logits = true, .ignore_class = -1), log(2));
    REFUSED("a label that is no class is an error", gt_sparse_categorical_crossentropy(I(2), M(1, 2, 0, 1), .from_logits = true), "2");
    REFUSED("from_logits with what softmax gave is an error", gt_categorical_crossentropy(V(0, 1), gt_softmax(V(1, 3)), .from_logits = true), "softmax");
    IS("huber: delta 1", gt_huber(V(0, 0), V(0.5, 3), .reduction = GT_REDUCTION_SUM), (0.125 + 2.5) / 2);
    IS("log_cosh", gt_log_cosh(V(0), V(1)), log(cosh(1)));
    IS("hinge: labels 0 and 1 are -1 and 1", gt_hinge(V(0, 1), V(0.5, 0.5)), (1.5 + 0.5) / 2);
    IS("hinge: labels of -1 are left alone", gt_hinge(V(-1, 1), V(0.5, 0.5)), (1.5 + 0.5) / 2);
    IS("squared_hinge", gt_squared_hinge(V(0, 1), V(0.5, 0.5)), (2.25 + 0.25) / 2);
    IS("categorical_hinge: max(0, 1 + best other - true)", gt_categorical_hinge(V(0, 1), V(0.6, 0.4)), 1.2);
    IS("kl_divergence: both at least 1e-7, summed over the last axis", gt_kl_divergence(V(1, 0), V(0, 1)), 7 * log(10) - 7e-7 * log(10));
    IS("poisson: p - y log(p + 1e-7)", gt_poisson(V(1), V(0)), 7 * log(10));
    IS("cosine_similarity is minus the cosine", gt_cosine_similarity(V(1, 1), V(1, 0)), -sqrt(0.5));
    IS("cosine_similarity of zeros is 0", gt_cosine_similarity(V(0, 0), V(1, 0)), 0);
    IS("mean_absolute_percentage_error: over |y|, at least 1e-7", gt_mean_absolute_percentage_error(V(2, 0), V(1, 1e-7)), 75);
    IS("mean_squared_logarithmic_error: of what is at least 1e-7", gt_mean_squared_logarithmic_error(V(-5), V(e - 1)), 1 - 2e-7);
}

Test(conventions, networks)
{
    in_both_types(networks);
}
