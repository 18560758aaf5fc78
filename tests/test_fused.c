/* Operations that stand for several, against those: in float64 to 1e-12, in float32 to what it allows, results and gradients of
 * first and second order, on each instruction set there is. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const sets[] = {"base", "v3", "v4"};

static void on_each_set(void (*body)(void))
{
    for (size_t k = 0; k < sizeof sets / sizeof *sets; k++) {
        setenv("GT_ISA", sets[k], 1);
        gt_context_free(NULL);
        body();
        cr_assert(gt_status() == GT_OK, "%s: %s", sets[k], gt_error_message());
    }
    unsetenv("GT_ISA");
    gt_context_free(NULL);
}

/* Numbers between -1 and 1 of a shape that no symmetry has. */
static gt_Tensor *numbers(gt_Shape shape, double seed, gt_DType dtype)
{
    int64_t n = 1;
    for (int d = 0; d < shape.rank; d++)
        n *= shape.dims[d];
    gt_Tensor *index = gt_arange(0, (double)n, 1, .dtype = GT_FLOAT64);
    return gt_cast(gt_reshape(gt_sin(gt_add(gt_multiply(index, 1.7), seed)), shape), dtype);
}

/* The largest |a - b| over 1 + the largest |b|. */
static double apart(gt_Tensor *a, gt_Tensor *b)
{
    a = gt_cast(a, GT_FLOAT64);
    b = gt_cast(b, GT_FLOAT64);
    if (gt_size(b) == 0)
        return 0;
    return gt_item(gt_max(gt_abs(gt_subtract(a, b)))) / (1 + gt_item(gt_max(gt_abs(b))));
}

/* ---- gelu ---- */

typedef gt_Tensor *OfX(gt_Tensor *x);

static gt_Tensor *by_tanh(gt_Tensor *x)
{
    return gt_gelu(x);
}

static gt_Tensor *by_tanh_composed(gt_Tensor *x)
{
    gt_Tensor *cubic = gt_multiply(gt_power(x, 3), 0.044715);
    gt_Tensor *t = gt_tanh(gt_multiply(gt_add(x, cubic), sqrt(2 / acos(-1))));
    return gt_multiply(gt_multiply(x, 0.5), gt_add(t, 1));
}

static gt_Tensor *by_erfc_composed(gt_Tensor *x)
{
    return gt_multiply(gt_multiply(x, 0.5), gt_erfc(gt_multiply(x, -sqrt(0.5))));
}

enum { ORDERS = 3 };

/* f(x), its derivative and the second one. */
static void derivatives(OfX *f, gt_Tensor *x, gt_Tensor *out[ORDERS])
{
    gt_Tape *outer = gt_tape_begin(.persistent = true);
    gt_watch(outer, x);
    gt_Tape *inner = gt_tape_begin();
    gt_watch(inner, x);
    out[0] = f(x);
    gt_gradients(inner, gt_tensors(gt_sum(out[0])), gt_tensors(x), out + 1);
    gt_keep(out[0]);
    gt_keep(out[1]);
    gt_tape_end(inner);
    gt_gradients(outer, gt_tensors(gt_sum(out[1])), gt_tensors(x), out + 2);
    for (int i = 0; i < ORDERS; i++)
        gt_keep(out[i]);
    gt_tape_end(outer);
}

/* Every result is within the bound of the right one, or of a part of x, where it is 0 but for rounding. */
static void same_function(OfX *fused, OfX *composed)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *narrow = gt_linspace(-12, 12, 1501, .dtype = GT_FLOAT32), *got[ORDERS];
    gt_Tensor *x = gt_cast(narrow, GT_FLOAT64), *right[ORDERS];
    derivatives(composed, x, right);
    for (int wide = 0; wide < 2; wide++) {
        derivatives(fused, wide ? x : narrow, got);
        for (int order = 0; order < ORDERS; order++) {
            double off = apart(got[order], right[order]);
            cr_expect(off < (wide ? 1e-12 : 2e-6), "order %d, %d: %g", order, wide, off);
        }
    }
    gt_scope_end(scope);
}

static void gelus(void)
{
    same_function(by_tanh, by_tanh_composed);
    same_function(gt_gelu_exact, by_erfc_composed);
}

Test(fused, gelu)
{
    on_each_set(gelus);
}

/* Far below 0 the result is small, not 0: x / (1 + e^-2u), as NumPy has it in float64. At both ends the slope is 0 and 1. */
static void gelu_tails(void)
{
    gt_Scope *scope = gt_scope_begin();
    const double x[] = {-4, -5, -5.5};
    const double right[] = {-7.02459482e-05, -2.29179620e-07, -5.92764026e-09};
    for (int i = 0; i < 3; i++) {
        double got = gt_item(gt_gelu(gt_array(gt_shape(1), x[i])));
        cr_expect(fabs(got / right[i] - 1) < 1e-5, "gelu(%g) is %g", x[i], got);
    }
    /* The base build rounds x / sqrt(2), whose square is the exponent. */
    const bool base = strcmp(getenv("GT_ISA"), "base") == 0;
    for (int i = 0; i < 310; i++) {
        const double at = (double)(float)(-13 + i * 0.0613), of = at / 2 * erfc(-at * sqrt(0.5));
        const double bound = base ? 6e-7 + at * at * 0x1p-23 : 6e-7;
        double got = gt_item(gt_gelu_exact(gt_array(gt_shape(1), at)));
        cr_expect(fabs(got - of) <= bound * fabs(of), "gelu_exact(%g) is %g", at, got);
    }
    gt_Tensor *far = gt_array(gt_shape(4), -1e9, -200, 200, 1e9), *slopes[ORDERS];
    derivatives(by_tanh, far, slopes);
    for (int i = 0; i < 4; i++)
        cr_expect(gt_element(slopes[1], i) == (i > 1), "%d: %g", i, gt_element(slopes[1], i));
    derivatives(gt_gelu_exact, far, slopes);
    for (int i = 0; i < 4; i++)
        cr_expect(gt_element(slopes[1], i) == (i > 1), "exact, %d: %g", i,
                  gt_element(slopes[1], i));
    gt_scope_end(scope);
}

Test(fused, gelu_far_from_0)
{
    on_each_set(gelu_tails);
}

/* ---- layer and root mean square normalization ---- */

typedef struct Norm {
    bool composed, centered, weights;
    int64_t rows, n;
    double epsilon, offset;
} Norm;

static gt_Tensor *norm_of(const Norm *c, gt_Tensor *x, gt_Tensor *gamma, gt_Tensor *beta)
{
    if (!c->composed && c->centered)
        return gt_layer_normalization(x, .epsilon = c->epsilon, .gamma = gamma, .beta = beta);
    if (!c->composed)
        return gt_rms_normalization(x, .epsilon = c->epsilon, .scale = gamma);
    if (c->centered)
        x = gt_subtract(x, gt_mean(x, .axis = -1, .keepdims = true));
    gt_Tensor *square = gt_mean(gt_square(x), .axis = -1, .keepdims = true);
    x = gt_divide(x, gt_sqrt(gt_add(square, c->epsilon)));
    x = gamma ? gt_multiply(x, gamma) : x;
    return beta ? gt_add(x, beta) : x;
}

enum { FIRST = 3, RESULTS = 1 + FIRST + 3 };

/* y; of the sum of y^2 w the gradients of x, gamma and beta; of the sum of the square of x's gradient those of x, gamma, w. Without
 * weights there are no gamma and beta. */
static int results_of(const Norm *c, gt_Tensor *x, gt_Tensor *gamma, gt_Tensor *beta, gt_Tensor *w,
                      gt_Tensor *out[RESULTS])
{
    const gt_Tensors sources = c->weights
                                   ? c->centered ? gt_tensors(x, gamma, beta) : gt_tensors(x, gamma)
                                   : gt_tensors(x);
    const int count = c->weights ? c->centered ? 3 : 2 : 1;
    gt_Tape *outer = gt_tape_begin();
    gt_watch(outer, x);
    gt_watch(outer, gamma);
    gt_watch(outer, w);
    gt_Tape *inner = gt_tape_begin();
    gt_watch(inner, x);
    gt_watch(inner, gamma);
    gt_watch(inner, beta);
    out[0] = norm_of(c, x, c->weights ? gamma : NULL, c->weights && c->centered ? beta : NULL);
    gt_gradients(inner, gt_tensors(gt_sum(gt_multiply(gt_square(out[0]), w))), sources, out + 1);
    for (int i = 0; i <= count; i++)
        gt_keep(out[i]);
    gt_tape_end(inner);
    gt_gradients(outer, gt_tensors(gt_sum(gt_square(out[1]))),
                 c->weights ? gt_tensors(x, w, gamma) : gt_tensors(x, w), out + 1 + count);
    const int all = 1 + count + (c->weights ? 3 : 2);
    for (int i = 0; i < all; i++)
        gt_keep(out[i]);
    gt_tape_end(outer);
    return all;
}

static void same_norm(Norm c)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *got[RESULTS], *right[RESULTS];
    gt_Tensor *in[2][4];
    for (int wide = 0; wide < 2; wide++) {
        const gt_DType dtype = wide ? GT_FLOAT64 : GT_FLOAT32;
        in[wide][0] = gt_add(numbers(gt_shape(c.rows, c.n), 0, dtype), c.offset);
        in[wide][1] = gt_add(numbers(gt_shape(c.n), 1, dtype), 1.5);
        in[wide][2] = numbers(gt_shape(c.n), 2, dtype);
        in[wide][3] = numbers(gt_shape(c.rows, c.n), 3, dtype);
    }
    c.composed = true;
    int count = results_of(&c, in[1][0], in[1][1], in[1][2], in[1][3], right);
    c.composed = false;
    for (int wide = 0; wide < 2; wide++) {
        gt_Tensor *const *of = in[wide];
        if (!wide && c.offset != 0)
            continue; /* float32 has not the digits */
        results_of(&c, of[0], of[1], of[2], of[3], got);
        for (int i = 0; i < count; i++) {
            const double off = apart(got[i], right[i]);
            cr_expect(off < (wide ? 1e-12 : 2e-5),
                      "centered %d weights %d (%lld, %lld) wide %d, result %d: %g", c.centered,
                      c.weights, (long long)c.rows, (long long)c.n, wide, i, off);
        }
    }
    gt_scope_end(scope);
}

/* Around lanes (16), rows that go together (8), blocks of rows (64) and parts of a row (1024). */
static void norms(void)
{
    const int64_t sizes[][2] = {{1, 2},    {3, 3},    {7, 15},   {8, 16},  {9, 17},   {63, 31},
                                {64, 32},  {65, 33},  {2, 511},  {3, 512}, {2, 1023}, {3, 1024},
                                {2, 1025}, {1, 5000}, {200, 12}, {0, 4},   {4, 0}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int how = 0; how < 4; how++)
            same_norm((Norm){.centered = how & 1,
                             .weights = how & 2,
                             .rows = sizes[i][0],
                             .n = sizes[i][1],
                             .epsilon = 0.1});
}

Test(fused, norms)
{
    on_each_set(norms);
}

/* Rows of numbers that are large and close together, 2^22 + 0, 1, .. 4 in float32, whose mean is no float. */
static void digits(void)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *index = gt_reshape(gt_arange(0, 1998, 1, .dtype = GT_FLOAT32), gt_shape(2, 999));
    gt_Tensor *low = gt_mod(gt_floor(gt_multiply(gt_sqrt(index), 7)), 5);
    gt_Tensor *right = gt_cast(low, GT_FLOAT64);
    right = gt_subtract(right, gt_mean(right, .axis = -1, .keepdims = true));
    right = gt_divide(right, gt_sqrt(gt_mean(gt_square(right), .axis = -1, .keepdims = true)));
    double off = apart(gt_layer_normalization(gt_add(low, 4194304), .epsilon = 0), right);
    cr_expect(off < 1e-6, "%g", off);
    gt_scope_end(scope);
}

Test(fused, digits_of_large_numbers)
{
    on_each_set(digits);
}
