/* Operations that stand for several, against those: in float64 to 1e-12, in float32 to what it allows, results and gradients of
 * first and second order, on each instruction set there is. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include <math.h>
#include <stdlib.h>

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
    gt_Tensor *far = gt_array(gt_shape(4), -1e9, -200, 200, 1e9), *slopes[ORDERS];
    derivatives(by_tanh, far, slopes);
    for (int i = 0; i < 4; i++)
        cr_expect(gt_element(slopes[1], i) == (i > 1), "%d: %g", i, gt_element(slopes[1], i));
    gt_scope_end(scope);
}

Test(fused, gelu_far_from_0)
{
    on_each_set(gelu_tails);
}
