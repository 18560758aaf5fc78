/* Values, conventions and messages of math, comparisons, activations, random draws and losses. The
 * numbers come from the formulas of Keras's documentation worked out in double precision with
 * Python's math module; the conventions at kinks are TensorFlow's. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void ok(const char *what)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
}

static void near(gt_Tensor *tensor, int64_t count, const double *values, double tolerance,
                 const char *what)
{
    ok(what);
    cr_assert(gt_size(tensor) == count, "%s has %d numbers", what, (int)gt_size(tensor));
    for (int64_t i = 0; i < count; i++) {
        double got = gt_element(tensor, i);
        bool same =
            got == values[i] || (isnan(got) && isnan(values[i])) ||
            (isfinite(values[i]) && fabs(got - values[i]) <= tolerance * fmax(1, fabs(values[i])));
        cr_assert(same, "%s[%d] is %.17g, not %.17g", what, (int)i, got, values[i]);
    }
}
#define LIST(...)                                                                                  \
    (const double[])                                                                               \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define COUNT(...)          (int64_t)(sizeof(LIST(__VA_ARGS__)) / sizeof(double))
#define NEAR(tensor, ...)   near(tensor, COUNT(__VA_ARGS__), LIST(__VA_ARGS__), 1e-12, #tensor)
#define NEAR32(tensor, ...) near(tensor, COUNT(__VA_ARGS__), LIST(__VA_ARGS__), 1e-6, #tensor)
/* The message is "FILE:LINE: text"; a call over several lines may name any of them. */
static void failed(const void *result, int line, const char *text, const char *what)
{
    char expected[400] = "";
    const char *message = gt_error_message();
    cr_assert(result == NULL, "%s gave something", what);
    for (int l = line - 3; l <= line + 3 && strcmp(message, expected) != 0; l++)
        snprintf(expected, sizeof expected, "%s:%d: %s", __FILE__, l, text);
    cr_assert(strcmp(message, expected) == 0, "%s: %s", what, message);
    gt_error_clear();
}
#define FAILS(call, text) failed(call, __LINE__, text, #call)

/* d(sum of f(x)) / dx */
static gt_Tensor *slope(gt_Tensor *(*f)(gt_Tensor *), gt_Tensor *x)
{
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, x);
    gt_Tensor *g = gt_keep(gt_gradient(tape, f(x), x));
    gt_tape_end(tape);
    return g;
}

Test(values, math){static const struct {gt_Tensor * (*f)(gt_Tensor *);
const char *name;
double x[4], y[4];
}
rows[] =
    {
#define ROW(f) {gt_##f, #f
        ROW(exp),
        {-1.5, -0.5, 0.25, 2},
        {0.22313016014842982, 0.6065306597126334, 1.2840254166877414, 7.38905609893065}},
    ROW(expm1), {-1.5, -0.5, 1e-10, 2},
{
    -0.7768698398515702, -0.3934693402873666, 1.00000000005e-10, 6.38905609893065
}
}
, ROW(log), {0.25, 2, 0, INFINITY},
{
    -1.3862943611198906, 0.6931471805599453, -INFINITY, INFINITY
}
}
, ROW(log1p), {-0.5, 0.25, 2, 1e-10},
{
    -0.6931471805599453, 0.22314355131420976, 1.0986122886681096, 9.9999999995e-11
}
}
, ROW(log2), {0.25, 2, 3, 1024},
{
    -2, 1, 1.584962500721156, 10
}
}
, ROW(log10), {0.25, 2, 10, 1e-5},
{
    -0.6020599913279624, 0.3010299956639812, 1, -5
}
}
, ROW(sin), {-1.5, -0.5, 0.25, 2},
{
    -0.9974949866040544, -0.479425538604203, 0.24740395925452294, 0.9092974268256817
}
}
, ROW(cos), {0, 1, 2, INFINITY},
{
    1, 0.5403023058681398, -0.4161468365471424, NAN
}
}
, ROW(tan), {-1.5, -0.5, 0.25, 2},
{
    -14.101419947171719, -0.5463024898437905, 0.25534192122103627, -2.185039863261519
}
}
, ROW(arcsin), {-0.5, 0.25, 1, 2},
{
    -0.5235987755982989, 0.25268025514207865, 1.5707963267948966, NAN
}
}
, ROW(arccos), {-0.5, 0.25, 1, -2},
{
    2.0943951023931957, 1.318116071652818, 0, NAN
}
}
, ROW(arctan), {-1.5, -0.5, 0.25, 2},
{
    -0.982793723247329, -0.4636476090008061, 0.24497866312686414, 1.1071487177940904
}
}
, ROW(sinh), {-1.5, -0.5, 0.25, 2},
{
    -2.1292794550948173, -0.5210953054937474, 0.2526123168081683, 3.626860407847019
}
}
, ROW(cosh), {-1.5, -0.5, 0.25, 2},
{
    2.352409615243247, 1.1276259652063807, 1.0314130998795732, 3.7621956910836314
}
}
, ROW(tanh), {-1.5, -0.5, 0.25, 2},
{
    -0.9051482536448664, -0.46211715726000974, 0.24491866240370913, 0.9640275800758169
}
}
, ROW(arcsinh), {-1.5, -0.5, 0.25, 2},
{
    -1.1947632172871094, -0.48121182505960347, 0.24746646154726346, 1.4436354751788103
}
}
, ROW(arccosh), {1.5, 2, 1, 0},
{
    0.9624236501192069, 1.3169578969248166, 0, NAN
}
}
, ROW(arctanh), {-0.5, 0.25, 1, 2},
{
    -0.5493061443340548, 0.25541281188299536, INFINITY, NAN
}
}
, ROW(erf), {-1.5, -0.5, 0.25, 2},
{
    -0.9661051464753108, -0.5204998778130465, 0.2763263901682369, 0.9953222650189527
}
}
, ROW(erfc), {-1.5, -0.5, 0.25, 2},
{
    1.9661051464753108, 1.5204998778130465, 0.7236736098317631, 0.004677734981047265
}
}
, ROW(floor), {-1.5, -0.5, 2.5, 2},
{
    -2, -1, 2, 2
}
}
, ROW(ceil), {-1.5, -0.5, 2.5, 2},
{
    -1, 0, 3, 2
}
}
, ROW(round), {-1.5, -0.5, 2.5, 3.5},
{
    -2, 0, 2, 4
}
}
, ROW(trunc), {-1.5, -0.5, 2.5, 2},
{
    -1, 0, 2, 2
}
}
,
}
;
for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    gt_Tensor *x = gt_from_values_at(NULL, gt_shape(2, 2), GT_FLOAT64, 4, rows[k].x);
    near(rows[k].f(x), 4, rows[k].y, 1e-12, rows[k].name);
    near(rows[k].f(gt_cast(x, GT_FLOAT32)), 4, rows[k].y, 2e-6, rows[k].name);
    cr_assert(gt_size(rows[k].f(gt_from_values_at(NULL, gt_shape(0, 3), GT_FLOAT32, 0, NULL))) ==
              0);
    ok(rows[k].name);
}
NEAR(gt_arctan2(gt_array64(gt_shape(2, 1), 1, -1), gt_array64(gt_shape(2), 1, -1)),
     0.7853981633974483, 2.356194490192345, -0.7853981633974483, -2.356194490192345);
NEAR(slope(gt_arctan, gt_array64(gt_shape(2), 0, 3)), 1, 0.1);
NEAR(slope(gt_arccosh, gt_array64(gt_shape(1), 1)), INFINITY);
FAILS(gt_exp(gt_cast(gt_array(gt_shape(1), 1), GT_INT32)),
      "exp: dtype int32 is not supported; expected float32 and float64");
gt_context_free(NULL);
assert_no_leaks();
}

static gt_Tensor *clipped(gt_Tensor *x)
{
    return gt_clip(x, -1, 1);
}
static gt_Tensor *safe_root(gt_Tensor *x)
{
    gt_Tensor *inside = gt_greater(x, 0);
    return gt_where(inside, gt_sqrt(gt_where(inside, x, 1)), 0);
}
static gt_Tensor *infinite_clip(gt_Tensor *x)
{
    return gt_multiply(gt_clip(x, -1, 1), INFINITY);
}

/* The functions that C has, too, against it. */
Test(values, as_in_c)
{
    static const struct {
        const char *name;
        gt_Tensor *(*function)(gt_Tensor *x);
        double (*of_c)(double);
    } rows[] = {
        {"tan", gt_tan, tan},       {"sinh", gt_sinh, sinh}, {"cosh", gt_cosh, cosh},
        {"log2", gt_log2, log2},    {"erf", gt_erf, erf},    {"erfc", gt_erfc, erfc},
        {"log10", gt_log10, log10},
    };
    const double points[] = {-3, -0.75, -1e-9, 0, 1e-9, 0.25, 1, 2.5, 20, INFINITY, NAN};
    enum { POINTS = sizeof points / sizeof *points };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        double wanted[POINTS];
        for (int i = 0; i < POINTS; i++)
            wanted[i] = rows[k].of_c(points[i]);
        gt_Tensor *x = gt_from_values_at(NULL, gt_shape(POINTS), GT_FLOAT64, POINTS, points);
        near(rows[k].function(x), POINTS, wanted, 1e-14, rows[k].name);
        gt_Tensor *single = gt_cast(x, GT_FLOAT32);
        for (int i = 0; i < POINTS; i++)
            wanted[i] = rows[k].of_c(gt_element(single, i));
        near(rows[k].function(single), POINTS, wanted, 1e-6, rows[k].name);
    }
}

Test(values, compare)
{
    gt_Tensor *a = gt_array64(gt_shape(2, 1), 1, NAN), *b = gt_array64(gt_shape(3), 0, 1, 2);
    NEAR(gt_equal(a, b), 0, 1, 0, 0, 0, 0);
    NEAR(gt_not_equal(a, b), 1, 0, 1, 1, 1, 1);
    NEAR(gt_less(a, b), 0, 0, 1, 0, 0, 0);
    NEAR(gt_less_equal(a, b), 0, 1, 1, 0, 0, 0);
    NEAR(gt_greater(a, b), 1, 0, 0, 0, 0, 0);
    NEAR(gt_greater_equal(a, 1), 1, 0);
    cr_assert(gt_dtype(gt_equal(a, b)) == GT_BOOL);
    gt_Tensor *whole = gt_cast(b, GT_INT32);
    NEAR(gt_less(whole, gt_array64(gt_shape(3), 0.5, 0.5, 3)), 1, 0, 1);
    gt_Tensor *t = gt_cast(gt_array(gt_shape(4), 0, 0, 1, 1), GT_BOOL);
    gt_Tensor *u = gt_cast(gt_array(gt_shape(4), 0, 1, 0, 1), GT_BOOL);
    NEAR(gt_logical_and(t, u), 0, 0, 0, 1);
    NEAR(gt_logical_or(t, u), 0, 1, 1, 1);
    NEAR(gt_logical_xor(t, u), 0, 1, 1, 0);
    NEAR(gt_logical_not(t), 1, 1, 0, 0);
    NEAR(gt_logical_and(gt_array(gt_shape(2), 0.5, 0), 7), 1, 0);
    gt_Tensor *odd = gt_array(gt_shape(4), NAN, INFINITY, -INFINITY, 1);
    NEAR(gt_isnan(odd), 1, 0, 0, 0);
    NEAR(gt_isinf(odd), 0, 1, 1, 0);
    NEAR(gt_isfinite(odd), 0, 0, 0, 1);
    NEAR(gt_where(gt_greater(b, 0), a, b), 0, 1, 1, 0, NAN, NAN);
    NEAR(gt_where(whole, b, -1), -1, 1, 2);
    NEAR(gt_where(gt_equal(b, 1), gt_array64(gt_shape(), 7), 0), 0, 7, 0);
    /* conventions at kinks */
    NEAR(slope(gt_relu, gt_array64(gt_shape(3), -1, 0, 1)), 0, 0, 1);
    NEAR(slope(gt_abs, gt_array64(gt_shape(3), -1, 0, 1)), -1, 0, 1);
    NEAR(slope(clipped, gt_array64(gt_shape(4), -2, -1, 1, 2)), 0, 1, 1, 0);
    NEAR(slope(infinite_clip, gt_array64(gt_shape(2), 0, 2)), INFINITY, 0);
    NEAR(slope(safe_root, gt_array64(gt_shape(2), 4, 0)), 0.25, 0);
    FAILS(gt_where(t, b, 0), "where: shapes do not broadcast: (4,) and (3,)");
    FAILS(gt_less(a, gt_array(gt_shape(1), 0)),
          "less: types differ: float64 and float32; gt_cast one of them");
    FAILS(gt_isnan(whole), "isnan: dtype int32 is not supported; expected float32 and float64");
    gt_context_free(NULL);
    assert_no_leaks();
}

static gt_Tensor *relu_with_all(gt_Tensor *x)
{
    return gt_relu(x, .negative_slope = 0.5, .max_value = 3, .threshold = 1);
}

Test(values, activations)
{
    gt_Tensor *x = gt_array64(gt_shape(4), -1.5, -0.5, 0.25, 2);
    gt_TensorFunction relu = gt_relu;
    NEAR(relu(x), 0, 0, 0.25, 2);
    NEAR(gt_relu(gt_cast(gt_array(gt_shape(2), -3, 3), GT_INT32)), 0, 3);
    NEAR(gt_relu(x, .negative_slope = 0.1), -0.15, -0.05, 0.25, 2);
    NEAR(gt_relu(x, .max_value = 1), 0, 0, 0.25, 1);
    NEAR(gt_relu(x, .threshold = 1), 0, 0, 0, 2);
    NEAR(relu_with_all(gt_array64(gt_shape(4), -1, 1, 2, 5)), -1, 0, 2, 3);
    NEAR(slope(relu_with_all, gt_array64(gt_shape(4), -1, 1, 2, 5)), 0.5, 0.5, 1, 0);
    NEAR(gt_relu6(gt_array64(gt_shape(3), -1, 5, 7)), 0, 5, 6);
    NEAR(gt_leaky_relu(x), -0.3, -0.1, 0.25, 2);
    NEAR(gt_leaky_relu(x, .negative_slope = 0.3), -0.45, -0.15, 0.25, 2);
    NEAR(gt_elu(x), -0.7768698398515702, -0.3934693402873666, 0.25, 2);
    NEAR(gt_selu(x), -1.3658143533672527, -0.6917581878028713, 0.2626752468388701,
         2.101401974710961);
    NEAR(slope(gt_elu, gt_array64(gt_shape(3), 1000, 0, -1000)), 1, 1, 0);
    NEAR(gt_sigmoid(x), 0.18242552380635635, 0.3775406687981454, 0.5621765008857981,
         0.8807970779778823);
    NEAR(gt_log_sigmoid(x), -1.7014132779827524, -0.9740769841801067, -0.5759394198788436,
         -0.1269280110429725);
    NEAR(gt_hard_sigmoid(x), 0.25, 0.4166666666666667, 0.5416666666666666, 0.8333333333333334);
    NEAR(gt_hard_silu(gt_array64(gt_shape(3), -4, 0, 4)), 0, 0, 4);
    NEAR(gt_silu(x), -0.2736382857095345, -0.1887703343990727, 0.14054412522144952,
         1.7615941559557646);
    NEAR(gt_mish(x), -0.29809974216680674, -0.22074377465173, 0.1695724096638176,
         1.9439589595339946);
    NEAR(gt_gelu(x), -0.10042842301976707, -0.15428599017485606, 0.149675350701685,
         1.954597694087775);
    NEAR(gt_gelu(x, .approximate = false), -0.10021080190328713, -0.15426876936299344,
         0.14967658142073093, 1.9544997361036416);
    NEAR(gt_subtract(gt_gelu_exact(x), gt_gelu(x, .approximate = false)), 0, 0, 0, 0);
    NEAR(gt_softplus(x), 0.2014132779827524, 0.4740769841801067, 0.8259394198788436,
         2.1269280110429727);
    NEAR(gt_softplus(gt_array64(gt_shape(2), 1000, -1000)), 1000, 0);
    NEAR(gt_softsign(x), -0.6, -1. / 3, 0.2, 2. / 3);
    NEAR(gt_linear(x), -1.5, -0.5, 0.25, 2);
    NEAR(gt_exponential(gt_array64(gt_shape(1), 0)), 1);

    const double p1 = 0.09003057317038046, p2 = 0.24472847105479767, p3 = 0.6652409557748219;
    NEAR(gt_softmax(gt_array64(gt_shape(2, 3), 1, 2, 3, 1001, 1002, 1003)), p1, p2, p3, p1, p2, p3);
    NEAR(gt_softmax(gt_array64(gt_shape(3, 2), 1, 3, 2, 2, 3, 1), .axis = 0), p1, p3, p2, p2, p3,
         p1);
    NEAR(gt_log_softmax(gt_array64(gt_shape(3), 1, 2, 3)), -2.40760596444438, -1.4076059644443801,
         -0.4076059644443803);
    /* along a middle axis that is wider than a block: the same as the transposed rows */
    gt_Tensor *wide = gt_normal(gt_shape(3, 5, 70));
    gt_Tensor *rows = gt_softmax(gt_transpose(wide, .perm = gt_axes(0, 2, 1)));
    gt_Tensor *difference =
        gt_subtract(gt_softmax(wide, .axis = 1), gt_transpose(rows, .perm = gt_axes(0, 2, 1)));
    NEAR(gt_max(gt_abs(difference)), 0);
    cr_assert(gt_size(gt_softmax(gt_zeros(gt_shape(0, 3)))) == 0);
    cr_assert(gt_size(gt_softmax(gt_zeros(gt_shape(3, 0, 2)), .axis = 1)) == 0);
    ok("nothing");
    FAILS(gt_softmax(x, .axis = 1), "softmax: there is no axis 1 in a tensor of rank 1");
    FAILS(gt_softmax(gt_array64(gt_shape(), 1)),
          "softmax: there is no axis -1 in a tensor of rank 0");
    FAILS(gt_relu(x, .threshold = -1),
          "relu: negative_slope 0, max_value inf and threshold -1 must not be negative");
    FAILS(gt_elu(gt_cast(x, GT_INT64)),
          "elu: expm1: dtype int64 is not supported; expected float32 and float64");
    gt_context_free(NULL);
    assert_no_leaks();
}

static void same_numbers(gt_Tensor *a, gt_Tensor *b, const char *what)
{
    ok(what);
    size_t bytes = (size_t)gt_size(a) * gt_dtype_size(gt_dtype(a));
    cr_assert(memcmp(gt_data(a), gt_data(b), bytes) == 0, "%s", what);
}

Test(values, random)
{
    const gt_Shape many = gt_shape(5, 20011);
    gt_set_seed(7);
    gt_Tensor *u = gt_uniform(many), *n = gt_normal(many, .mean = 3, .stddev = 2);
    gt_Tensor *t = gt_normal(many, .truncated = true, .dtype = GT_FLOAT64);
    cr_assert(gt_item(gt_min(u)) >= 0 && gt_item(gt_max(u)) < 1);
    cr_assert_float_eq(gt_item(gt_mean(u)), 0.5, 0.005);
    cr_assert_float_eq(gt_item(gt_mean(n)), 3, 0.03);
    cr_assert_float_eq(gt_item(gt_std(n)), 2, 0.03);
    cr_assert(gt_item(gt_max(gt_abs(t))) <= 2);
    cr_assert_float_eq(gt_item(gt_std(t)), 0.87962566103423978, 0.01);
    gt_Tensor *whole = gt_random_integers(many, -2, 3, .dtype = GT_INT64);
    cr_assert(gt_item(gt_min(whole)) == -2 && gt_item(gt_max(whole)) == 2);
    cr_assert_float_eq(gt_item(gt_mean(whole)), 0, 0.03);
    ok("draws");
    /* The same seed gives the same numbers again, for any number of threads; a draw does not
     * repeat; a state that was kept continues. */
    gt_set_seed(7);
    gt_set_threads(3);
    same_numbers(u, gt_uniform(many), "uniform again");
    same_numbers(n, gt_normal(many, .mean = 3, .stddev = 2), "normal again");
    same_numbers(t, gt_normal(many, .truncated = true, .dtype = GT_FLOAT64), "truncated again");
    gt_set_threads(1);
    gt_Variable *generator = gt_generator(42);
    gt_Tensor *first = gt_uniform(gt_shape(4), .generator = generator);
    NEAR(generator, 42, 1);
    gt_Tensor *second = gt_uniform(gt_shape(4), .generator = generator);
    cr_assert(memcmp(gt_data(first), gt_data(second), 16) != 0);
    const int64_t state[2] = {42, 1};
    gt_variable_set(generator, state, sizeof state);
    same_numbers(second, gt_uniform(gt_shape(4), .generator = generator), "continued");
    /* An element depends on its place alone, not on how many there are. */
    gt_variable_set(generator, state, sizeof state);
    gt_Tensor *longer = gt_normal(gt_shape(9000), .truncated = true, .generator = generator);
    gt_variable_set(generator, state, sizeof state);
    gt_Tensor *shorter = gt_normal(gt_shape(3), .truncated = true, .generator = generator);
    NEAR(shorter, gt_element(longer, 0), gt_element(longer, 1), gt_element(longer, 2));

    gt_Tensor *x = gt_full(gt_shape(1000, 10), 2);
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, x);
    gt_Tensor *dropped = gt_dropout(x, 0.25, .generator = generator);
    gt_dropout(x, 0.25, .generator = generator);
    gt_Tensor *mask = gt_gradient(tape, dropped, x);
    same_numbers(dropped, gt_multiply(mask, 2), "the gradient has the mask");
    cr_assert_float_eq(gt_item(gt_mean(dropped)), 2, 0.05);
    cr_assert_float_eq(gt_item(gt_max(dropped)), 2 / 0.75, 1e-6);
    gt_tape_end(tape);
    same_numbers(x, gt_dropout(x, 0), "rate 0");
    NEAR(gt_max(gt_dropout(x, 1)), 0);
    gt_Tensor *columns = gt_dropout(x, 0.5, .noise_shape = gt_shape(1, -1));
    same_numbers(gt_max(columns, .axis = 0), gt_min(columns, .axis = 0), "whole columns fall");
    cr_assert(gt_size(gt_uniform(gt_shape(0, 3))) == 0);

    FAILS(gt_dropout(x, 1.5), "dropout: rate must be in [0, 1] (got 1.5)");
    FAILS(gt_dropout(x, -0.1), "dropout: rate must be in [0, 1] (got -0.1)");
    FAILS(gt_dropout(x, 0.5, .noise_shape = gt_shape(1000)),
          "dropout: noise_shape (1000,) does not broadcast to x (1000, 10)");
    FAILS(gt_uniform(gt_shape(2), .low = 1, .high = 0),
          "uniform: low must not exceed high, and both be finite (low 1, high 0)");
    FAILS(gt_uniform(gt_shape(-2)), "uniform: the shape is invalid or too large");
    FAILS(gt_uniform(gt_shape(2), .generator = x),
          "uniform: a generator must be int64 (2,), made by gt_generator (got float32 (1000, 10))");
    FAILS(gt_normal(gt_shape(2), .stddev = -1),
          "normal: mean must be finite, stddev finite and >= 0 (got mean 0, stddev -1)");
    FAILS(gt_random_integers(gt_shape(2), 0, 300, .dtype = GT_UINT8),
          "random_integers: low must be below high, and the range one of uint8 (low 0, high 300)");
    gt_variable_free(generator);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(values, clip_of_whole_numbers)
{
    gt_Tensor *x = gt_cast(gt_array(gt_shape(4), 0, 3, 7, 200), GT_UINT8);
    gt_Tensor *y = gt_clip(x, 2, 7);
    NEAR(y, 2, 3, 7, 7);
    cr_assert(gt_dtype(y) == GT_UINT8);
    gt_Tensor *wide = gt_clip(gt_cast(x, GT_INT64), -1, 100);
    NEAR(wide, 0, 3, 7, 100);
    cr_assert(!gt_clip(x, 0.5, 7) && strstr(gt_error_message(), "clip: "));
    gt_error_clear();
    cr_assert(!gt_clip(x, 8, 7) && strstr(gt_error_message(), "clip: "));
    gt_error_clear();
    cr_assert(!gt_clip(NULL, 8, 9) && strstr(gt_error_message(), "clip: "));
    gt_error_clear();
    gt_context_free(NULL);
    assert_no_leaks();
}

/* The sum of (counted - expected)^2 / expected. */
static double chi_square(int64_t count, const double *counted, const double *expected)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (counted[i] - expected[i]) * (counted[i] - expected[i]) / expected[i];
    return sum;
}

Test(values, categories)
{
    enum { DRAWS = 200000 };
    gt_Variable *generator = gt_generator(11);
    gt_Tensor *logits =
        gt_array64(gt_shape(2, 4), log(0.5), -INFINITY, log(0.3), log(0.2), 700, 701, 699, -800);
    gt_Tensor *drawn = gt_categorical(logits, DRAWS, .generator = generator);
    ok("categories");
    const int32_t *classes = gt_int32_data(drawn);
    double counted[2][4] = {{0}}, pairs[3][3] = {{0}};
    for (int i = 0; i < 2 * DRAWS; i++)
        counted[i / DRAWS][classes[i]]++;
    for (int i = 0; i < DRAWS; i++)
        pairs[classes[i] ? classes[i] - 1 : 0][classes[DRAWS + i]]++;
    cr_assert(counted[0][1] == 0 && counted[1][3] == 0);
    /* With 2 degrees of freedom a sum above 27.6 comes once in a million times. */
    double first[3] = {counted[0][0], counted[0][2], counted[0][3]};
    double off = chi_square(3, first, LIST(DRAWS * 0.5, DRAWS * 0.3, DRAWS * 0.2));
    cr_assert(off < 27.6, "%g", off);
    double all = 1 + exp(1) + exp(-1);
    double off_second =
        chi_square(3, counted[1], LIST(DRAWS / all, DRAWS * exp(1) / all, DRAWS * exp(-1) / all));
    cr_assert(off_second < 27.6, "%g", off_second);
    double together[9], apart[9]; /* rows are independent; 8 degrees: 42.7 */
    for (int i = 0; i < 9; i++) {
        together[i] = pairs[i / 3][i % 3];
        apart[i] = LIST(0.5, 0.3, 0.2)[i / 3] * exp(LIST(0, 1, -1)[i % 3]) / all * DRAWS;
    }
    cr_assert(chi_square(9, together, apart) < 42.7);
    NEAR(generator, 11, 1);

    const int64_t start[2] = {11, 0};
    gt_variable_set(generator, start, sizeof start);
    gt_set_threads(3);
    same_numbers(drawn, gt_categorical(logits, DRAWS, .generator = generator), "drawn again");
    gt_set_threads(1);
    gt_Tensor *next = gt_categorical(logits, DRAWS, .generator = generator);
    cr_assert(memcmp(gt_data(next), gt_data(drawn), 1000) != 0);
    gt_variable_set(generator, start, sizeof start);
    gt_Tensor *wide = gt_categorical(logits, DRAWS, .dtype = GT_INT64, .generator = generator);
    cr_assert(gt_dtype(wide) == GT_INT64 && gt_item(gt_all(gt_equal(wide, drawn))));
    gt_Tensor *narrow = gt_categorical(gt_cast(logits, GT_FLOAT32), 3);
    cr_assert(gt_dtype(narrow) == GT_INT32 && gt_size(narrow) == 6);
    cr_assert(gt_size(gt_categorical(logits, 0)) == 0);
    cr_assert(gt_size(gt_categorical(gt_zeros(gt_shape(0, 3)), 4)) == 0);

    FAILS(gt_categorical(logits, -1), "categorical: logits must have shape (rows, classes), "
                                      "samples must be >= 0 (got (2, 4), -1)");
    FAILS(
        gt_categorical(gt_zeros(gt_shape(3)), 1),
        "categorical: logits must have shape (rows, classes), samples must be >= 0 (got (3,), 1)");
    FAILS(gt_categorical(logits, 1, .dtype = GT_FLOAT32),
          "categorical: dtype float32 is not supported; expected int32 and int64");
    FAILS(gt_categorical(gt_cast(logits, GT_INT32), 1),
          "categorical: dtype int32 is not supported; expected float32 and float64");
    FAILS(gt_categorical(gt_array(gt_shape(2, 2), 0, 1, -INFINITY, -INFINITY), 1),
          "categorical: row 1 of the logits is -inf only: no class is possible");
    FAILS(gt_categorical(gt_array(gt_shape(1, 2), 0, NAN), 1),
          "categorical: row 0 of the logits has one that is inf or NaN");
    FAILS(gt_categorical(gt_array(gt_shape(1, 2), 0, INFINITY), 1),
          "categorical: row 0 of the logits has one that is inf or NaN");
    FAILS(gt_categorical(logits, 1, .generator = logits),
          "categorical: a generator must be int64 (2,), made by gt_generator (got float64 (2, 4))");
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(values, shuffling)
{
    enum { TIMES = 120000 };
    gt_Variable *generator = gt_generator(12);
    gt_Tensor *four = gt_arange(0, 4, 1, .dtype = GT_INT32);
    double counted[256] = {0}, orders[24], expected[24];
    for (int i = 0; i < TIMES; i++) {
        gt_Scope *scope = gt_scope_begin();
        const int32_t *x = gt_int32_data(gt_shuffle(four, .generator = generator));
        counted[x[0] * 64 + x[1] * 16 + x[2] * 4 + x[3]]++;
        gt_scope_end(scope);
    }
    ok("shuffling");
    int found = 0;
    for (int i = 0; i < 256; i++)
        if (counted[i] > 0) {
            cr_assert(found < 24, "there are 24 orders of four numbers");
            expected[found] = TIMES / 24.0;
            orders[found++] = counted[i];
        }
    /* 23 degrees of freedom: above 70 once in a million times. */
    cr_assert(found == 24 && chi_square(24, orders, expected) < 70);

    const int64_t start[2] = {12, 0};
    gt_variable_set(generator, start, sizeof start);
    gt_Tensor *x = gt_reshape(gt_arange(0, 30000, 1), gt_shape(3, 5000, 2));
    gt_Tensor *mixed = gt_shuffle(x, .axis = 1, .generator = generator);
    cr_assert(!gt_item(gt_allclose(mixed, x)));
    same_numbers(gt_sort(mixed, .axis = 1), x, "nothing is lost");
    same_numbers(gt_get_item(gt_subtract(mixed, gt_get_item(mixed, "1:2")), "2"),
                 gt_get_item(gt_subtract(x, gt_get_item(x, "1:2")), "2"), "one order for all");
    gt_variable_set(generator, start, sizeof start);
    gt_set_threads(3);
    same_numbers(mixed, gt_shuffle(x, .axis = -2, .generator = generator), "shuffled again");
    gt_set_threads(1);
    cr_assert(gt_size(gt_shuffle(gt_zeros(gt_shape(0, 2)))) == 0);
    FAILS(gt_shuffle(x, .axis = 3), "shuffle: there is no axis 3 in a tensor of rank 3");
    FAILS(gt_shuffle(gt_scalar(1, GT_FLOAT32)),
          "shuffle: there is no axis 0 in a tensor of rank 0");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Inside a traced function: draws move the generator on, and places need a length. */
static gt_Status draw_and_find(void *generator, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_shuffle(in[0], .generator = (gt_Variable *)generator);
    out[1] = gt_categorical(in[0], 5, .generator = (gt_Variable *)generator);
    out[2] = gt_nonzero(gt_greater(out[0], 1), .length = 4, .fill_value = -1);
    return gt_status();
}

static gt_Status find(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_nonzero(in[0]);
    return gt_status();
}

Test(values, draws_in_a_plan)
{
    gt_Variable *planned = gt_generator(3), *eager = gt_generator(3);
    gt_Function *function = gt_function(draw_and_find, planned, .outputs = 3);
    gt_Tensor *x = gt_array(gt_shape(3, 2), 0, 1, 2, 3, 0, 2), *a[3], *b[3];
    for (int i = 0; i < 3; i++) {
        gt_function_call(function, gt_tensors(x), a);
        draw_and_find(eager, &x, b);
        for (int k = 0; k < 3; k++)
            same_numbers(a[k], b[k], "a plan");
        same_numbers(planned, eager, "the state");
    }
    gt_function_free(function);
    function = gt_function(find, NULL);
    gt_function_call(function, gt_tensors(x), a);
    cr_assert(gt_status() == GT_UNSUPPORTED && strstr(gt_error_message(), "nonzero: ") &&
                  strstr(gt_error_message(), ".length"),
              "%s", gt_error_message());
    gt_error_clear();
    gt_function_free(function);
    gt_context_free(NULL);
    assert_no_leaks();
}

static gt_Tensor *ints(gt_Shape shape, int64_t count, const double *values)
{
    return gt_from_values_at(NULL, shape, GT_INT32, count, values);
}
#define INTS(shape, ...) ints(shape, COUNT(__VA_ARGS__), LIST(__VA_ARGS__))

static gt_Tensor *through_softmax(gt_Tensor *x)
{
    return gt_sparse_categorical_crossentropy(INTS(gt_shape(1), 0), gt_softmax(x));
}
static gt_Tensor *through_sigmoid(gt_Tensor *x)
{
    return gt_binary_crossentropy(gt_ones_like(x), gt_sigmoid(x));
}

Test(values, losses)
{
    gt_Tensor *t = gt_array64(gt_shape(2, 2), 0, 1, 0, 0),
              *y = gt_array64(gt_shape(2, 2), 1, 1, 1, 0);
    NEAR(gt_mean_squared_error(t, y), 0.5);
    NEAR(gt_mean_squared_error(t, gt_multiply(y, 2), .reduction = GT_REDUCTION_NONE), 2.5, 2);
    NEAR(gt_mean_absolute_error(t, gt_multiply(y, 2), .reduction = GT_REDUCTION_SUM), 2.5);
    NEAR(gt_mean_squared_error(t, y, .sample_weight = gt_array64(gt_shape(2), 0.7, 0.3)), 0.25);
    NEAR(gt_mean_squared_error(gt_cast(t, GT_BOOL), y), 0.5);

    gt_Tensor *z = gt_array64(gt_shape(2, 2), 1, 0, 0, 1);
    NEAR(gt_binary_crossentropy(z, gt_array64(gt_shape(2, 2), 1, -2, 3, 0.5), .from_logits = true,
                                .reduction = GT_REDUCTION_NONE),
         (0.31326168751822286 + 0.1269280110429725) / 2,
         (3.048587351573742 + 0.4740769841801067) / 2);
    NEAR(gt_binary_crossentropy(z, gt_array64(gt_shape(2, 2), 0.9, 0.2, 0.6, 0.5)),
         (0.10536051565782628 + 0.2231435513142097 + 0.916290731874155 + 0.6931471805599453) / 4);
    NEAR(gt_binary_crossentropy(gt_array64(gt_shape(1), 1), gt_array64(gt_shape(1), 0)),
         16.11809565095832);
    NEAR(gt_binary_crossentropy(gt_array64(gt_shape(1), 1), gt_array64(gt_shape(1), 0),
                                .from_logits = true, .label_smoothing = 0.5),
         0.6931471805599453);
    /* no term cancels where the loss is small */
    NEAR(gt_multiply(gt_binary_crossentropy(gt_array64(gt_shape(1), 1), gt_array64(gt_shape(1), 50),
                                            .from_logits = true),
                     5.184705528587072e+21),
         1);

    /* Keras's documentation of CategoricalCrossentropy: [[0, 1, 0], [0, 0, 1]] gives 1.177 */
    gt_Tensor *p = gt_array64(gt_shape(2, 3), 0.05, 0.95, 0, 0.1, 0.8, 0.1);
    gt_Tensor *hot = gt_array64(gt_shape(2, 3), 0, 1, 0, 0, 0, 1);
    gt_Tensor *labels = INTS(gt_shape(2), 1, 2);
    const double one = 0.05129329438755058, two = 2.3025850929940455;
    near(gt_categorical_crossentropy(hot, p), 1, LIST((one + two) / 2), 1e-9, "categorical");
    near(gt_sparse_categorical_crossentropy(labels, p, .reduction = GT_REDUCTION_NONE), 2,
         LIST(one, two), 1e-6, "sparse");
    gt_Tensor *x = gt_array64(gt_shape(2, 3), 1, 2, 3, 3, 2, 1);
    NEAR(gt_categorical_crossentropy(hot, x, .from_logits = true),
         (1.4076059644443801 + 2.40760596444438) / 2);
    NEAR(gt_categorical_crossentropy(gt_transpose(hot), gt_transpose(x), .from_logits = true,
                                     .axis = 0, .reduction = GT_REDUCTION_SUM),
         1.4076059644443801 + 2.40760596444438);
    NEAR(gt_categorical_crossentropy(hot, x, .from_logits = true, .label_smoothing = 1),
         1.4076059644443801);
    NEAR(gt_sparse_categorical_crossentropy(labels, x, .from_logits = true,
                                            .reduction = GT_REDUCTION_NONE),
         1.4076059644443801, 2.40760596444438);
    NEAR(gt_sparse_categorical_crossentropy(INTS(gt_shape(2, 1), 1, 2), x, .from_logits = true,
                                            .sample_weight = gt_array64(gt_shape(2), 1, 0)),
         1.4076059644443801 / 2);
    NEAR(gt_sparse_categorical_crossentropy(INTS(gt_shape(2), 1, -1), x, .from_logits = true,
                                            .ignore_class = -1),
         1.4076059644443801);
    NEAR(gt_sparse_categorical_crossentropy(INTS(gt_shape(2), -1, -1), x, .from_logits = true,
                                            .ignore_class = -1),
         0);
    NEAR(gt_categorical_crossentropy(gt_array64(gt_shape(1, 2), 1, 0),
                                     gt_array64(gt_shape(1, 2), 1, -INFINITY), .from_logits = true),
         0);
    cr_assert(gt_size(gt_sparse_categorical_crossentropy(
                  gt_cast(gt_zeros(gt_shape(0)), GT_INT32), gt_zeros(gt_shape(0, 3)),
                  .from_logits = true, .reduction = GT_REDUCTION_NONE)) == 0);

    /* Behind a softmax that rounds to 0 the gradient is still that of the logits. */
    NEAR(slope(through_softmax, gt_array64(gt_shape(1, 2), -800, 0)), -1, 1);
    NEAR(slope(through_sigmoid, gt_array64(gt_shape(1), -800)), -1);

    FAILS(gt_mean_squared_error(gt_array(gt_shape(2), 1, 2), gt_array(gt_shape(2, 1), 1, 2)),
          "mean_squared_error: y_true and y_pred must have the same shape (got (2,) and (2, 1)): "
          "gt_reshape one of them");
    FAILS(gt_mean_absolute_error(t, gt_cast(y, GT_FLOAT32)),
          "mean_absolute_error: y_true and y_pred must have the same dtype (got float64 and "
          "float32): gt_cast "
          "one of them");
    FAILS(gt_mean_squared_error(t, gt_cast(y, GT_INT32)),
          "mean_squared_error: y_pred must be float32 or float64 (got int32)");
    FAILS(gt_categorical_crossentropy(hot, gt_softmax(x), .from_logits = true),
          "categorical_crossentropy: from_logits = true, but y_pred is the output of softmax: give "
          "its input, or from_logits = false");
    FAILS(gt_binary_crossentropy(hot, gt_sigmoid(x), .from_logits = true),
          "binary_crossentropy: from_logits = true, but y_pred is the output of sigmoid: give its "
          "input, or from_logits = false");
    FAILS(gt_sparse_categorical_crossentropy(INTS(gt_shape(2), 1, 3), x, .from_logits = true),
          "sparse_categorical_crossentropy: sparse_softmax_crossentropy: labels must be in [0, 3) "
          "(got 3 in row 1)");
    FAILS(gt_sparse_categorical_crossentropy(gt_array(gt_shape(2), 1, 2), x),
          "sparse_categorical_crossentropy: y_true must be integers (got float32 (2,)): gt_cast it");
    FAILS(gt_sparse_categorical_crossentropy(hot, x),
          "sparse_categorical_crossentropy: y_true must be integers (got float64 (2, 3)): one-hot labels are for "
          "categorical_crossentropy");
    FAILS(gt_mean_squared_error(t, x),
          "mean_squared_error: y_true and y_pred must have the same shape (got (2, 2) and (2, 3))");
    FAILS(gt_sparse_categorical_crossentropy(INTS(gt_shape(3), 1, 2, 0), x),
          "sparse_categorical_crossentropy: labels for y_pred (2, 3) must be (2,) (got (3,))");
    FAILS(gt_mean_squared_error(t, y, .sample_weight = gt_array64(gt_shape(3), 1, 2, 3)),
          "mean_squared_error: sample_weight must fit losses (2,) (got (3,))");
    FAILS(gt_binary_crossentropy(t, y, .label_smoothing = 2),
          "binary_crossentropy: label_smoothing must be in [0, 1] (got 2)");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- the other losses: values of their formulas, worked out in Python; gradients ---- */

#define EACH .reduction = GT_REDUCTION_NONE

Test(values, more_losses)
{
    gt_Tensor *t = gt_array64(gt_shape(2, 3), .4, -1.5, 2, 1, -.25, 0);
    gt_Tensor *p = gt_array64(gt_shape(2, 3), .5, .5, -1, .75, 2, -.5);
    gt_Tensor *hot = gt_array64(gt_shape(2, 3), 0, 1, 0, 0, 0, 1);
    gt_Tensor *q = gt_array64(gt_shape(2, 3), .05, .95, 0, .1, .8, .1);
    NEAR(gt_huber(t, p, .delta = .8, EACH), 1.1216666666666668, 0.5454166666666667);
    NEAR(gt_huber(t, p, .delta = 10), 2 * gt_item(gt_mean_squared_error(t, p)) / 4);
    NEAR(gt_log_cosh(t, p, EACH), 1.2131076469190987, 0.5729816249556958);
    NEAR(gt_log_cosh(t, gt_add(t, 800)), 800 - 0.6931471805599453);
    NEAR(gt_log_cosh(t, gt_subtract(t, 800)), 800 - 0.6931471805599453);
    NEAR(gt_mean_absolute_percentage_error(t, p, EACH), 102.77777777777777, 166666975.0);
    NEAR(gt_mean_squared_logarithmic_error(t, p, EACH), 0.4587035434021061, 0.40825979130212997);
    NEAR(gt_hinge(t, p, EACH), 1.85, 0.9166666666666666);
    NEAR(gt_squared_hinge(t, p, EACH), 4.234166666666667, 1.1041666666666667);
    NEAR(gt_hinge(hot, p, EACH), 0.6666666666666666, 2.0833333333333335);
    NEAR(gt_hinge(gt_cast(hot, GT_BOOL), p, EACH), 0.6666666666666666, 2.0833333333333335);
    NEAR(gt_categorical_hinge(hot, p, EACH), 1, 3.5);
    NEAR(gt_kl_divergence(hot, q, EACH), 0.051291982151212744, 2.30258212194778);
    NEAR(gt_poisson(t, gt_abs(p), EACH), 0.41251270712801597, 1.2369895822528143);
    NEAR(gt_cosine_similarity(t, p, EACH), 0.8223667378256851, -0.11055799856455642);
    NEAR(gt_cosine_similarity(t, p, .axis = 0, EACH), -0.9785497849867489, 0.39872611141444997,
         0.8944271909999159);
    NEAR(gt_cosine_similarity(t, gt_zeros_like(p)), 0);

    /* reductions and weights are those of every loss */
    gt_Tensor *weight = gt_array64(gt_shape(2), 2, 0);
    NEAR(gt_hinge(t, p, .sample_weight = weight), 1.85);
    NEAR(gt_categorical_hinge(hot, p, .reduction = GT_REDUCTION_SUM), 4.5);
    NEAR(gt_kl_divergence(hot, q, .sample_weight = weight), 0.051291982151212744);
    NEAR32(gt_huber(gt_cast(t, GT_FLOAT32), gt_cast(p, GT_FLOAT32), .delta = .8),
           (1.1216666666666668 + 0.5454166666666667) / 2);

    FAILS(gt_huber(t, p, .delta = 0), "huber: delta must be > 0 (got 0)");
    FAILS(gt_hinge(weight, p), "hinge: y_true and y_pred must have the same shape (got (2,) and "
                               "(2, 3))");
    FAILS(gt_poisson(t, gt_cast(p, GT_INT32)),
          "poisson: y_pred must be float32 or float64 (got int32)");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Central differences of first and second order, in labels and predictions, away from kinks. */
typedef gt_Tensor *Loss(gt_Tensor *y_true, gt_Tensor *y_pred);

static gt_Tensor *loss_slope(Loss *loss, gt_Tensor *const *in, int which, gt_Tensor **second)
{
    gt_Tape *outer = gt_tape_begin();
    gt_watch(outer, in[which]);
    gt_Tape *inner = gt_tape_begin();
    gt_watch(inner, in[which]);
    gt_Tensor *first = gt_gradient(inner, loss(in[0], in[1]), in[which]);
    gt_tape_end(inner);
    *second = gt_keep(gt_gradient(outer, gt_sum(gt_square(first)), in[which],
                                  .unconnected = GT_UNCONNECTED_ZERO));
    gt_keep(first);
    gt_tape_end(outer);
    ok("the gradients of a loss");
    return first;
}

Test(values, gradients_of_more_losses)
{
    Loss *const losses[] = {gt_huber,
                            gt_log_cosh,
                            gt_mean_absolute_percentage_error,
                            gt_hinge,
                            gt_poisson,
                            gt_mean_squared_logarithmic_error,
                            gt_squared_hinge,
                            gt_kl_divergence,
                            gt_cosine_similarity,
                            gt_categorical_hinge};
    const double step = 1e-5;
    for (size_t l = 0; l < sizeof losses / sizeof *losses; l++)
        for (int which = 0; which < 2; which++) {
            gt_Tensor *in[2] = {gt_array64(gt_shape(2, 2), .3, .9, .25, .6),
                                gt_array64(gt_shape(2, 2), .8, .15, .5, .45)};
            gt_Tensor *second, *unused, *first = loss_slope(losses[l], in, which, &second);
            gt_Tensor *whole = in[which];
            for (int k = 0; k < 4; k++) {
                gt_Tensor *shift = gt_array64(gt_shape(2, 2), k == 0 ? step : 0, k == 1 ? step : 0,
                                              k == 2 ? step : 0, k == 3 ? step : 0);
                double slope, curve;
                in[which] = gt_add(whole, shift);
                slope = gt_item(losses[l](in[0], in[1]));
                curve = gt_item(gt_sum(gt_square(loss_slope(losses[l], in, which, &unused))));
                in[which] = gt_subtract(whole, shift);
                slope = (slope - gt_item(losses[l](in[0], in[1]))) / (2 * step);
                curve -= gt_item(gt_sum(gt_square(loss_slope(losses[l], in, which, &unused))));
                curve /= 2 * step;
                cr_assert(fabs(slope - gt_element(first, k)) <= 1e-7 * fmax(1, fabs(slope)),
                          "loss %d, argument %d: %.12g, not %.12g", (int)l, which,
                          gt_element(first, k), slope);
                cr_assert(fabs(curve - gt_element(second, k)) <= 1e-5 * fmax(1, fabs(curve)),
                          "loss %d, argument %d: %.12g, not %.12g", (int)l, which,
                          gt_element(second, k), curve);
            }
        }
    gt_context_free(NULL);
    assert_no_leaks();
}
