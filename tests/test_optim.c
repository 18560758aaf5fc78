/* Optimizers. The values are those of an independent computation in float64, with non-zero
 * momentum, gradients that change and shrink, and an epsilon that counts:
 *
 *   import numpy as np
 *   def run(kind, lr=.1, mu=0, nesterov=0, b1=.8, b2=.9, eps=.05, amsgrad=0, wd=0, clip=None,
 *           every=1, ema=0):
 *       w = 1 + np.arange(5) / 4
 *       m, v, h, acc, avg, t = w * 0, w * 0, w * 0, w * 0, w * 0, 0
 *       for call in range(1, 11):
 *           g = (np.arange(5) + 1) * (7 - call) / 8 + (call % 3) / 4
 *           acc += g / every
 *           if call % every == 0:
 *               g, acc, t = acc.copy(), w * 0, t + 1
 *               for part in ([slice(0, 3), slice(3, 5)] if clip == 'each' else [slice(0, 5)]):
 *                   if clip in ('each', 'joint'):
 *                       g[part] *= 1.5 / max(np.linalg.norm(g[part]), 1.5)
 *               if clip == 'value':
 *                   g = np.clip(g, -.5, .5)
 *               w = w - w * wd * lr
 *               if kind == 'sgd':
 *                   m = mu * m - lr * g
 *                   w = w + (mu * m - lr * g if nesterov else m)
 *               else:
 *                   m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
 *                   h = np.maximum(h, v) if amsgrad else v
 *                   w = w - lr * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(h) + eps)
 *           if ema:
 *               avg = w if call == 1 else ema * avg + (1 - ema) * w
 *               if call % 3 == 0:
 *                   w = avg
 *       print('{' + ', '.join('%.17g' % x for x in w) + '}')
 *   run('sgd'); run('sgd', mu=.9); run('sgd', mu=.9, nesterov=1); run('sgd', mu=.9, wd=.5)
 *   run('sgd', clip='each'); run('sgd', clip='joint'); run('sgd', clip='value')
 *   run('sgd', mu=.9, ema=.9); run('adam'); run('adam', amsgrad=1); run('adam', wd=.2)
 *   run('adam', every=2)
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodiff/gradient.h"
#include "core/graph.h"
#include "core/structs.h"
#include "ops/math/arithmetic.h"
#include "ops/array/assign.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/reduce.h"
#include "optim/adagrad.h"
#include "optim/adam.h"
#include "optim/sgd.h"
#include "plan/function.h"

/* Numbers 0..2 are variable a, shape (3,); 3 and 4 are variable b, shape (2, 1). */
typedef struct Pair {
    gt_Variable *list[2];
    gt_Tensors variables;
    gt_Optimizer *optimizer; /* of some tests */
} Pair;

static const double start[5] = {1, 1.25, 1.5, 1.75, 2};

static gt_Variable *variable_of(gt_DType dtype, gt_Shape shape, const double *numbers,
                                const char *name)
{
    int64_t count = 1;
    for (int d = 0; d < shape.rank; d++)
        count *= shape.dims[d];
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *variable =
        gt_variable(gt_from_values_at(NULL, shape, dtype, count, numbers), .name = name);
    gt_scope_end(scope);
    return variable;
}

static void make_pair(Pair *pair, gt_DType dtype)
{
    pair->list[0] = variable_of(dtype, gt_shape(3), start, "a");
    pair->list[1] = variable_of(dtype, gt_shape(2, 1), start + 3, "b");
    pair->variables = (gt_Tensors){pair->list, 2};
}

static void free_pair(Pair *pair)
{
    gt_variable_free(pair->list[0]);
    gt_variable_free(pair->list[1]);
}

static double number(const Pair *pair, int i)
{
    return i < 3 ? gt_element(pair->list[0], i) : gt_element(pair->list[1], i - 3);
}

static double gradient_number(int call, int i)
{
    return (i + 1) * (7 - call) / 8.0 + call % 3 / 4.0;
}

static gt_Status apply_call(gt_Optimizer *optimizer, Pair *pair, gt_DType dtype, int call)
{
    double g[5];
    for (int i = 0; i < 5; i++)
        g[i] = gradient_number(call, i);
    gt_Tensor *gradients[2] = {gt_from_values_at(NULL, gt_shape(3), dtype, 3, g),
                               gt_from_values_at(NULL, gt_shape(2, 1), dtype, 2, g + 3)};
    return gt_apply_gradients(optimizer, pair->variables, gradients);
}

static gt_Status fail_message(gt_Status status, const char *part)
{
    cr_assert(strstr(gt_error_message(), part), "\"%s\" lacks \"%s\"", gt_error_message(), part);
    gt_error_clear();
    return status;
}
#define ASSERT_FAILS(call, status, part)                                                           \
    cr_assert(fail_message(call, part) == (status), "%s gave another status", #call)
#define ASSERT_NULL(call, part)                                                                    \
    do {                                                                                           \
        cr_assert((call) == NULL, "%s succeeded", #call);                                          \
        fail_message(gt_status(), part);                                                           \
    } while (0)
#define ASSERT_OK(call) cr_assert((call) == GT_OK, "%s", gt_error_message())
#define ASSERT_NEAR(x, wanted, tolerance, ...)                                                     \
    cr_assert(fabs((x) - (wanted)) <= (tolerance), __VA_ARGS__)

/* ---- ten changing gradients, against NumPy ---- */

static gt_Optimizer *make_case(int index)
{
    switch (index) {
    case 0:
        return gt_SGD(0.1);
    case 1:
        return gt_SGD(0.1, .momentum = 0.9);
    case 2:
        return gt_SGD(0.1, .momentum = 0.9, .nesterov = true);
    case 3:
        return gt_SGD(0.1, .momentum = 0.9, .weight_decay = 0.5);
    case 4:
        return gt_SGD(0.1, .clipnorm = 1.5);
    case 5:
        return gt_SGD(0.1, .global_clipnorm = 1.5);
    case 6:
        return gt_SGD(0.1, .clipvalue = 0.5);
    case 7:
        return gt_SGD(0.1, .momentum = 0.9, .use_ema = true, .ema_momentum = 0.9,
                      .ema_overwrite_frequency = 3);
    case 8:
        return gt_Adam(0.1, .beta_1 = 0.8, .beta_2 = 0.9, .epsilon = 0.05);
    case 9:
        return gt_Adam(0.1, .beta_1 = 0.8, .beta_2 = 0.9, .epsilon = 0.05, .amsgrad = true);
    case 10:
        return gt_AdamW(0.1, .beta_1 = 0.8, .beta_2 = 0.9, .epsilon = 0.05, .weight_decay = 0.2);
    default:
        return gt_Adam(0.1, .beta_1 = 0.8, .beta_2 = 0.9, .epsilon = 0.05,
                       .gradient_accumulation_steps = 2);
    }
}

enum { CASES = 12 };
static const double wanted[CASES][5] = {
    {0.56249999999999989, 0.625, 0.68749999999999989, 0.74999999999999989, 0.81249999999999989},
    {-1.4815123422750005, -2.6327242640750002, -3.783936185875, -4.9351481076750003,
     -6.0863600294750011},
    {-1.6708611080475007, -2.8694518376675004, -4.0680425672875007, -5.2666332969075018,
     -6.4652240265275012},
    {-1.4237822923875003, -2.3825099052381105, -3.3412375180887208, -4.2999651309393316,
     -5.2586927437899433},
    {0.70685933798959877, 0.8622787612670304, 1.0176981845444624, 1.3832577693105896,
     1.5822393244821946},
    {0.81153459453248555, 1.0210705318002062, 1.2306064690679275, 1.4401424063356489,
     1.6496783436033695},
    {0.7124999999999998, 1.0249999999999997, 1.2749999999999999, 1.5249999999999999,
     1.7874999999999999},
    {0.30140038530000002, 0.19381142289999986, 0.086222460499999987, -0.021366501900000001,
     -0.12895546430000016},
    {0.27524442393199122, 0.53185089353579318, 0.78880880604121484, 1.0437086694360826,
     1.2971895605732462},
    {0.30171845526846663, 0.55805824862348319, 0.81331942555355552, 1.0669513327451798,
     1.3203612703276506},
    {0.1624728270896118, 0.37593530065104691, 0.58812914967860119, 0.79779266016319372,
     1.0058406707889695},
    {0.62660511506009142, 0.87749400702878633, 1.1290009999969814, 1.380110219793161,
     1.6309097551692804}};

Test(optim, ten_changing_gradients)
{
    for (int k = 0; k < 2 * CASES; k++) {
        gt_DType dtype = k % 2 ? GT_FLOAT32 : GT_FLOAT64;
        double tolerance = k % 2 ? 3e-6 : 1e-14;
        Pair pair;
        make_pair(&pair, dtype);
        gt_Optimizer *optimizer = make_case(k / 2);
        cr_assert(optimizer, "%s", gt_error_message());
        const void *address = gt_data(pair.list[0]);
        for (int call = 1; call <= 10; call++) {
            gt_Scope *scope = gt_scope_begin();
            ASSERT_OK(apply_call(optimizer, &pair, dtype, call));
            gt_scope_end(scope);
        }
        for (int i = 0; i < 5; i++)
            ASSERT_NEAR(number(&pair, i), wanted[k / 2][i],
                        tolerance * (1 + fabs(wanted[k / 2][i])), "case %d, %s, number %d: %.17g",
                        k / 2, gt_dtype_name(dtype), i, number(&pair, i));
        cr_assert(gt_data(pair.list[0]) == address);
        cr_assert(gt_optimizer_iterations(optimizer) == (k / 2 == 11 ? 5 : 10));
        gt_optimizer_free(optimizer);
        free_pair(&pair);
    }
    gt_MemoryStats stats = gt_memory_stats();
    cr_assert(stats.variables == 0 && stats.handles == 0 && stats.records == 0);
    gt_context_free(NULL);
}

/* ---- gradients as one block ---- */

/* The same bits as from tensors, with what the host did to the block in between. */
Test(optim, packed)
{
    for (int k = 0; k < 2 * CASES; k++) {
        gt_DType dtype = k % 2 ? GT_FLOAT32 : GT_FLOAT64;
        Pair pair, other;
        make_pair(&pair, dtype);
        make_pair(&other, dtype);
        gt_Optimizer *optimizer = make_case(k / 2), *twin = make_case(k / 2);
        for (int call = 1; call <= 10; call++) {
            gt_Scope *scope = gt_scope_begin();
            double wide[5];
            float narrow[5];
            for (int i = 0; i < 5; i++) {
                wide[i] = gradient_number(call, i);
                narrow[i] = (float)wide[i];
            }
            ASSERT_OK(dtype == GT_FLOAT32 ? gt_apply_packed(twin, other.variables, narrow, sizeof narrow)
                                          : gt_apply_packed(twin, other.variables, wide, sizeof wide));
            memset(wide, 255, sizeof wide); /* nothing of it is kept */
            memset(narrow, 255, sizeof narrow);
            ASSERT_OK(apply_call(optimizer, &pair, dtype, call));
            gt_scope_end(scope);
        }
        for (int i = 0; i < 5; i++)
            cr_assert(number(&pair, i) == number(&other, i), "case %d, number %d", k / 2, i);
        gt_optimizer_free(optimizer);
        gt_optimizer_free(twin);
        free_pair(&pair);
        free_pair(&other);
    }
    gt_MemoryStats stats = gt_memory_stats();
    cr_assert(stats.variables == 0 && stats.handles == 0 && stats.records == 0);
    gt_context_free(NULL);
}

static gt_Status packed_in_a_trace(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const double numbers[5] = {0};
    Pair *pair = context;
    (void)in, (void)out;
    return gt_apply_packed(pair->optimizer, pair->variables, numbers, sizeof numbers);
}

Test(optim, packed_refused)
{
    Pair pair;
    make_pair(&pair, GT_FLOAT64);
    gt_Optimizer *sgd = pair.optimizer = gt_SGD(1);
    const double numbers[6] = {1, 1, 1, 1, 1, 1};
    static const char size[] = "the block must have 40 bytes, as the variables (got ";
    ASSERT_FAILS(gt_apply_packed(sgd, pair.variables, numbers, 48), GT_INVALID, size);
    ASSERT_FAILS(gt_apply_packed(sgd, pair.variables, numbers, 32), GT_INVALID, size);
    ASSERT_FAILS(gt_apply_packed(sgd, pair.variables, NULL, 40), GT_INVALID, "(got 0)");
    ASSERT_FAILS(gt_apply_packed(sgd, ((gt_Tensors){NULL, 0}), numbers, 0), GT_INVALID, "no variables in the list");
    ASSERT_FAILS(gt_apply_packed(sgd, gt_tensors(pair.list[0], pair.list[0]), numbers, 48), GT_INVALID, "twice");
    ASSERT_FAILS(gt_apply_packed(NULL, pair.variables, numbers, 40), GT_INVALID, "apply_packed");
    gt_Variable *narrow = variable_of(GT_FLOAT32, gt_shape(2), start, "narrow");
    ASSERT_FAILS(gt_apply_packed(sgd, gt_tensors(pair.list[0], narrow), numbers, 32), GT_INVALID, "a block has one type");
    gt_Function *traced = gt_function(packed_in_a_trace, &pair, .outputs = 0);
    ASSERT_FAILS(gt_function_call(traced, ((gt_Tensors){NULL, 0}), NULL), GT_STATE, "no numbers to read yet");
    gt_function_free(traced);
    /* One optimizer in two models: nothing changes. */
    Pair other;
    make_pair(&other, GT_FLOAT64);
    ASSERT_OK(gt_apply_packed(sgd, pair.variables, numbers, 40));
    ASSERT_FAILS(gt_apply_packed(sgd, other.variables, numbers, 40), GT_INVALID,
                 "variable a is not one that optimizer sgd was built with");
    for (int i = 0; i < 5; i++)
        cr_assert(number(&pair, i) == start[i] - 1 && number(&other, i) == start[i]);
    gt_optimizer_free(sgd);
    gt_variable_free(narrow);
    free_pair(&pair);
    free_pair(&other);
    gt_context_free(NULL);
}

/* ---- Keras's own literal values ---- */

/* g = 0.01 once, then 0.1, 0.2, ..., 1.0 */
static void golden(gt_Optimizer *optimizer, const double *first, const double *last,
                   double tolerance)
{
    double ones[10], g[10];
    for (int i = 0; i < 10; i++)
        ones[i] = 1;
    gt_Variable *x = variable_of(GT_FLOAT32, gt_shape(10), ones, "x");
    for (int step = 0; step < 5; step++) {
        for (int i = 0; i < 10; i++)
            g[i] = step ? 0.1 * (i + 1) : 0.01;
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *gradient = gt_from_values_at(NULL, gt_shape(10), GT_FLOAT32, 10, g);
        ASSERT_OK(gt_apply_gradients(optimizer, gt_tensors(x), &gradient));
        gt_scope_end(scope);
        ASSERT_NEAR(gt_element(x, 0), first[step], tolerance, "step %d: %g", step,
                    gt_element(x, 0));
        if (last)
            ASSERT_NEAR(gt_element(x, 9), last[step], tolerance, "step %d: %g", step,
                        gt_element(x, 9));
    }
    gt_optimizer_free(optimizer);
    gt_variable_free(x);
}

static void single(gt_Optimizer *optimizer, double a, double b, double c, double d)
{
    const double result[4] = {a, b, c, d};
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *w = gt_array(gt_shape(4), 1, 2, 3, 4);
    gt_Variable *x = gt_variable(w);
    gt_Tensor *gradient = gt_array(gt_shape(4), 1, 6, 7, 2);
    ASSERT_OK(gt_apply_gradients(optimizer, gt_tensors(x), &gradient));
    for (int i = 0; i < 4; i++)
        ASSERT_NEAR(gt_element(x, i), result[i], 1e-4, "%d: %g", i, gt_element(x, i));
    gt_scope_end(scope);
    gt_optimizer_free(optimizer);
    gt_variable_free(x);
}

/* Three applications without a gradient: only the decay is left. */
static void decay(gt_Optimizer *optimizer)
{
    const double two = 2, zero = 0;
    gt_Variable *x = variable_of(GT_FLOAT32, gt_shape(1), &two, "x");
    gt_Variable *y = variable_of(GT_FLOAT32, gt_shape(1), &two, "y");
    ASSERT_OK(gt_optimizer_exclude_from_weight_decay(optimizer, gt_tensors(y)));
    for (int i = 0; i < 3; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *g = gt_from_values_at(NULL, gt_shape(1), GT_FLOAT32, 1, &zero);
        gt_Tensor *pair[2] = {g, g};
        ASSERT_OK(gt_apply_gradients(optimizer, gt_tensors(x, y), pair));
        gt_scope_end(scope);
    }
    ASSERT_NEAR(gt_element(x, 0), 1.9760959, 1e-6, "%.8g", gt_element(x, 0));
    cr_assert(gt_element(y, 0) == 2);
    ASSERT_FAILS(gt_optimizer_exclude_from_weight_decay(optimizer, gt_tensors(x)), GT_STATE,
                 "is built already; exclude variables before its first step");
    gt_optimizer_free(optimizer);
    gt_variable_free(x);
    gt_variable_free(y);
}

Test(optim, values_of_keras)
{
    golden(gt_SGD(.nesterov = true), (double[]){.9999, .9989, .9979, .9969, .9959},
           (double[]){.9999, .9899, .9799, .9699, .9599}, 5e-5);
    golden(gt_Adam(.amsgrad = true), (double[]){.999, .9982, .9974, .9965, .9955}, NULL, 2e-4);
    golden(gt_AdamW(1, .weight_decay = 0.5, .epsilon = 2),
           (double[]){.4998, .2486, .1223, .0586, .0263},
           (double[]){.4998, .2382, .1003, .0258, -.0159}, 6e-5);
    single(gt_SGD(0.5), .5, -1, -.5, 3);
    single(gt_Adam(0.5), .5, 1.5, 2.5, 3.5);
    single(gt_AdamW(0.5), .498, 1.496, 2.494, 3.492);
    decay(gt_SGD(1, .weight_decay = 0.004));
    decay(gt_Adam(1, .weight_decay = 0.004));
    decay(gt_AdamW(1, .weight_decay = 0.004));

    /* clipnorm 1 on (100, 100) */
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *w = gt_variable(gt_array(gt_shape(2), 0, 0));
    gt_Optimizer *optimizer = gt_SGD(1, .clipnorm = 1);
    gt_Tensor *gradient = gt_array(gt_shape(2), 100, 100);
    ASSERT_OK(gt_apply_gradients(optimizer, gt_tensors(w), &gradient));
    ASSERT_NEAR(gt_element(w, 1), -sqrt(2) / 2, 1e-6, "%g", gt_element(w, 1));
    gt_optimizer_free(optimizer);
    gt_variable_free(w);

    /* The first average is w; three steps of 1 from (3, 4, 5, 6), overwritten at the third */
    w = gt_variable(gt_array(gt_shape(2, 2), 3, 4, 5, 6));
    optimizer = gt_SGD(1, .use_ema = true, .ema_momentum = 0.9, .ema_overwrite_frequency = 3);
    gradient = gt_array(gt_shape(2, 2), 1, 1, 1, 1);
    for (int step = 1; step <= 3; step++) {
        ASSERT_OK(gt_apply_gradients(optimizer, gt_tensors(w), &gradient));
        const double average[4] = {0, 2, 1.9, 1.71};
        ASSERT_NEAR(gt_element(gt_optimizer_slot(optimizer, w, "average"), 0), average[step], 1e-6,
                    "step %d", step);
        ASSERT_NEAR(gt_element(w, 3), step < 3 ? 6 - step : 4.71, 1e-6, "step %d: %g", step,
                    gt_element(w, 3));
    }
    gt_optimizer_free(optimizer);
    gt_variable_free(w);

    /* Without a frequency the average comes in at the end. */
    w = gt_variable(gt_array(gt_shape(), 3));
    optimizer = gt_SGD(1, .use_ema = true, .ema_momentum = 0.9);
    gradient = gt_array(gt_shape(), 1);
    for (int step = 0; step < 3; step++)
        ASSERT_OK(gt_apply_gradients(optimizer, gt_tensors(w), &gradient));
    cr_assert(gt_item(w) == 0);
    ASSERT_OK(gt_optimizer_finalize(optimizer));
    ASSERT_NEAR(gt_item(w), 1.71, 1e-6, "%g", gt_item(w));
    gt_optimizer_free(optimizer);
    gt_variable_free(w);

    /* Accumulation over 3: unchanged twice, then one step along the mean; the sum starts anew. */
    w = gt_variable(gt_array(gt_shape(), 5));
    optimizer = gt_SGD(1, .gradient_accumulation_steps = 3);
    for (int call = 1; call <= 6; call++) {
        gradient = gt_scalar(call, GT_FLOAT32);
        ASSERT_OK(gt_apply_gradients(optimizer, gt_tensors(w), &gradient));
        cr_assert(gt_item(w) == (call < 3   ? 5
                                 : call < 6 ? 3
                                            : -2),
                  "call %d: %g", call, gt_item(w));
        cr_assert(gt_optimizer_iterations(optimizer) == call / 3);
    }
    cr_assert(gt_item(gt_optimizer_slot(optimizer, w, "gradient_accumulator")) == 0);
    gt_scope_end(scope);
    gt_context_free(NULL);
}

/* ---- options ---- */

#define ASSERT_BASE_DEFAULTS(options, decay)                                                       \
    cr_assert((options)->weight_decay == (decay) && (options)->clipnorm == GT_NONE &&              \
              (options)->clipvalue == GT_NONE && (options)->global_clipnorm == GT_NONE &&          \
              !(options)->use_ema && (options)->ema_momentum == 0.99 &&                            \
              (options)->ema_overwrite_frequency == GT_NONE &&                                     \
              (options)->gradient_accumulation_steps == GT_NONE)

Test(optim, options)
{
    gt_Optimizer *sgd = gt_SGD(), *adam = gt_Adam(), *adamw = gt_AdamW();
    const gt_SGD_options *s = gt_optimizer_options(sgd);
    const gt_Adam_options *a = gt_optimizer_options(adam);
    const gt_AdamW_options *w = gt_optimizer_options(adamw);
    ASSERT_BASE_DEFAULTS(s, GT_NONE);
    ASSERT_BASE_DEFAULTS(a, GT_NONE);
    ASSERT_BASE_DEFAULTS(w, 0.004);
    cr_assert(s->learning_rate == 0.01 && s->momentum == 0 && !s->nesterov);
    cr_assert(a->learning_rate == 0.001 && a->beta_1 == 0.9 && a->beta_2 == 0.999 &&
              a->epsilon == 1e-7 && !a->amsgrad);
    cr_assert(w->learning_rate == 0.001 && w->beta_1 == 0.9 && w->beta_2 == 0.999 &&
              w->epsilon == 1e-7 && !w->amsgrad);
    cr_assert_str_eq(gt_optimizer_name(sgd), "sgd");
    cr_assert_str_eq(gt_optimizer_class(adamw)->name, "adamw");
    cr_assert(gt_optimizer_learning_rate(adam) == 0.001);

    char name[] = "mine";
    gt_Optimizer *named = gt_SGD(.momentum = 0.5, .name = name);
    name[0] = 'X';
    cr_assert_str_eq(gt_optimizer_name(named), "mine");
    cr_assert_str_eq(((const gt_SGD_options *)gt_optimizer_options(named))->name, "mine");
    cr_assert(gt_optimizer_learning_rate(named) == 0.01);
    ASSERT_OK(gt_optimizer_set_learning_rate(named, 0.25));
    cr_assert(gt_optimizer_learning_rate(named) == 0.25);
    ASSERT_FAILS(gt_optimizer_set_learning_rate(named, INFINITY), GT_INVALID, "learning_rate must be finite (got inf)");
    cr_assert(gt_optimizer_learning_rate(named) == 0.25);

    int64_t objects = gt_memory_stats().variables;
    ASSERT_NULL(gt_SGD(0.1, .clipnorm = 1, .clipvalue = 1), "SGD: at most one of clipnorm, clipvalue and global_clipnorm can be given (got 2)");
    ASSERT_NULL(gt_SGD(0.1, .clipnorm = 1, .clipvalue = 1, .global_clipnorm = 1), "can be given (got 3)");
    ASSERT_NULL(gt_SGD(0.1, .global_clipnorm = -1), "SGD: global_clipnorm must be finite and > 0, or GT_NONE (got -1)");
    ASSERT_NULL(gt_SGD(0.1, .clipvalue = (double)NAN), "clipvalue must be finite and > 0, or GT_NONE (got nan)");
    ASSERT_NULL(gt_SGD((double)NAN), "SGD: learning_rate must be finite (got nan)");
    ASSERT_NULL(gt_SGD(0.1, .weight_decay = -0.1), "weight_decay must be finite and >= 0, or GT_NONE (got -0.1)");
    ASSERT_NULL(gt_SGD(0.1, .momentum = 1.5), "momentum must be in [0, 1] (got 1.5)");
    ASSERT_NULL(gt_SGD(0.1, .momentum = -0.5), "momentum must be in [0, 1] (got -0.5)");
    ASSERT_NULL(gt_SGD(0.1, .use_ema = true, .ema_momentum = 2), "ema_momentum must be in [0, 1] (got 2)");
    ASSERT_NULL(gt_SGD(0.1, .use_ema = true, .ema_overwrite_frequency = 0), "ema_overwrite_frequency must be >= 1, or GT_NONE (got 0)");
    ASSERT_NULL(gt_SGD(0.1, .gradient_accumulation_steps = 1), "must be >= 2");
    ASSERT_NULL(gt_Adam(0.1, .beta_1 = 1), "Adam: beta_1 must be in [0, 1) (got 1)");
    ASSERT_NULL(gt_Adam(0.1, .beta_2 = -0.1), "beta_2 must be in [0, 1) (got -0.1)");
    ASSERT_NULL(gt_Adam(0.1, .epsilon = (double)INFINITY), "epsilon must be finite and >= 0 (got inf)");
    ASSERT_NULL(gt_AdamW(0.1, .weight_decay = GT_NONE), "AdamW: weight_decay must be given; gt_Adam has none");
    cr_assert(gt_memory_stats().variables == objects);

    gt_optimizer_free(sgd);
    ASSERT_FAILS(gt_optimizer_set_learning_rate(sgd, 1), GT_STALE, "this optimizer was freed");
    gt_optimizer_free(sgd);
    gt_optimizer_free(NULL);
    ASSERT_FAILS(gt_apply_gradients(NULL, gt_tensors(NULL), NULL), GT_INVALID, "optimizer is NULL");
    gt_context_free(NULL); /* frees the others */
}

/* ---- state: order, names ---- */

static const char *path_of(void *user, const gt_Variable *variable)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/layer/%s", (const char *)user, gt_variable_name(variable));
    return path;
}

Test(optim, state)
{
    static const char *const order[] = {"iteration",
                                        "learning_rate",
                                        "a_average",
                                        "b_average",
                                        "a_gradient_accumulator",
                                        "b_gradient_accumulator",
                                        "a_momentum",
                                        "a_velocity",
                                        "b_momentum",
                                        "b_velocity",
                                        "a_velocity_hat",
                                        "b_velocity_hat"};
    char text[64];
    Pair pair;
    make_pair(&pair, GT_FLOAT32);
    gt_Optimizer *adam =
        gt_Adam(.amsgrad = true, .use_ema = true, .gradient_accumulation_steps = 4);
    cr_assert(gt_optimizer_variables(adam).count == 2 && !gt_optimizer_built(adam));
    cr_assert(!gt_optimizer_slot(adam, pair.list[0], "momentum") && gt_status() == GT_OK);
    ASSERT_FAILS(gt_optimizer_build(adam, ((gt_Tensors){NULL, 0})), GT_INVALID, "no variables");
    ASSERT_FAILS(gt_optimizer_build(adam, gt_tensors(pair.list[0], pair.list[0])), GT_INVALID,
                 "variable a is in the list twice");
    cr_assert(gt_optimizer_variables(adam).count == 2 && !gt_optimizer_built(adam));
    ASSERT_OK(gt_optimizer_build(adam, pair.variables));
    ASSERT_OK(gt_optimizer_build(adam, gt_tensors(pair.list[1])));
    gt_Tensors state = gt_optimizer_variables(adam);
    cr_assert(state.count == 12);
    for (int i = 0; i < state.count; i++) {
        cr_assert_str_eq(gt_variable_name(state.items[i]), order[i]);
        cr_assert_str_eq(gt_optimizer_variable_name(adam, i, NULL, NULL, text, sizeof text),
                         order[i]);
        cr_assert(!gt_variable_trainable(state.items[i]));
    }
    cr_assert(gt_dtype(state.items[0]) == GT_INT64 && gt_dtype(state.items[1]) == GT_FLOAT64);
    cr_assert_str_eq(gt_optimizer_variable_name(adam, 9, path_of, (void *)"m", text, sizeof text),
                     "m_layer_b_velocity");
    cr_assert_str_eq(gt_optimizer_variable_name(adam, 12, NULL, NULL, text, sizeof text), "");
    cr_assert(gt_optimizer_slot(adam, pair.list[1], "velocity_hat") == state.items[11]);
    cr_assert(!gt_optimizer_slot(adam, pair.list[1], "nothing") && gt_status() == GT_OK);

    /* The optimizer holds the variables that it trains. */
    free_pair(&pair);
    cr_assert(gt_memory_stats().variables == 14);
    gt_optimizer_free(adam);
    cr_assert(gt_memory_stats().variables == 0);
    gt_context_free(NULL);
}

/* ---- minimize, and what it refuses ---- */

static gt_Tensor *quadratic(gt_Tensor *w)
{
    return gt_sum(gt_square(w));
}

Test(optim, minimize)
{
    Pair pair;
    make_pair(&pair, GT_FLOAT64);
    gt_Variable *a = pair.list[0], *b = pair.list[1];
    gt_Optimizer *sgd = gt_SGD(0.25);
    const void *address = gt_data(a);

    gt_Tape *tape = gt_tape_begin();
    ASSERT_OK(gt_minimize(sgd, tape, quadratic(a), pair.variables));
    gt_tape_end(tape);
    cr_assert(gt_element(a, 0) == 0.5 && gt_element(a, 2) == 0.75 && gt_element(b, 0) == 1.75);
    cr_assert(gt_optimizer_skipped(sgd) == 1 && gt_optimizer_iterations(sgd) == 1);

    /* A persistent tape holds the old value: it keeps its bytes, the variable its address. */
    tape = gt_tape_begin(.persistent = true);
    gt_Tensor *old = gt_identity(a);
    gt_Tensor *loss = quadratic(old);
    ASSERT_OK(gt_minimize(sgd, tape, loss, gt_tensors(a)));
    cr_assert(gt_element(old, 0) == 0.5 && gt_element(a, 0) == 0.25 && gt_data(a) == address);
    cr_assert(gt_element(gt_gradient(tape, loss, old), 0) == 1);
    gt_tape_end(tape);

    /* A gradient may be the variable itself, or share its bytes. */
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *gradients[2] = {a, gt_identity(b)};
    ASSERT_OK(gt_apply_gradients(sgd, pair.variables, gradients));
    cr_assert(gt_element(a, 0) == 0.1875 && gt_element(b, 0) == 1.3125 &&
              gt_element(gradients[1], 0) == 1.75);

    /* Two variables that are each other's gradient: both as they were before the step. */
    gt_Variable *x = gt_variable(gt_array64(gt_shape(1), 1));
    gt_Variable *y = gt_variable(gt_array64(gt_shape(1), 2));
    gt_Optimizer *cross = gt_SGD(1);
    ASSERT_OK(gt_apply_gradients(cross, gt_tensors(x, y), ((gt_Tensor *[]){y, x})));
    cr_assert(gt_element(x, 0) == -1 && gt_element(y, 0) == 1);
    gt_optimizer_free(cross);
    gt_variable_free(x);
    gt_variable_free(y);

    /* Mistakes; none of them changes anything. */
    double stranger_number = 1;
    gt_Variable *stranger = variable_of(GT_FLOAT64, gt_shape(1), &stranger_number, "stranger");
    gt_Tensor *g3 = gt_array64(gt_shape(3), 1, 1, 1), *g2 = gt_array64(gt_shape(2), 1, 1);
    gt_Tensor *wide = gt_array(gt_shape(2, 1), 1, 1);
    ASSERT_FAILS(gt_apply_gradients(sgd, pair.variables, ((gt_Tensor *[]){g3, g2})), GT_INVALID,
                 "the gradient of variable b must be float64 (2, 1), as the variable (got float64 (2,))");
    ASSERT_FAILS(gt_apply_gradients(sgd, pair.variables, ((gt_Tensor *[]){g3, wide})), GT_INVALID,
                 "the gradient of variable b must be float64 (2, 1), as the variable (got float32 (2, 1))");
    ASSERT_FAILS(gt_apply_gradients(sgd, gt_tensors(a, stranger), ((gt_Tensor *[]){g3, g3})),
                 GT_INVALID, "variable stranger is not one that optimizer sgd was built with");
    ASSERT_FAILS(gt_apply_gradients(sgd, gt_tensors(a, a), ((gt_Tensor *[]){g3, g3})), GT_INVALID,
                 "variable a is in the list twice");
    ASSERT_FAILS(gt_apply_gradients(sgd, gt_tensors(a, g3), ((gt_Tensor *[]){g3, g3})), GT_INVALID,
                 "expected a variable (got a tensor)");
    ASSERT_FAILS(gt_apply_gradients(sgd, pair.variables, ((gt_Tensor *[]){NULL, NULL})),
                 GT_NO_GRADIENT, "none of the 2 variables has a gradient");
    ASSERT_FAILS(gt_apply_gradients(sgd, pair.variables, NULL), GT_INVALID, "gradients is NULL");
    ASSERT_OK(gt_apply_gradients(sgd, ((gt_Tensors){NULL, 0}), NULL));
    ASSERT_OK(gt_variable_set_trainable(b, false));
    ASSERT_FAILS(gt_apply_gradients(sgd, pair.variables, ((gt_Tensor *[]){g3, NULL})), GT_INVALID,
                 "variable b is not trainable");
    ASSERT_OK(gt_variable_set_trainable(b, true));
    gt_scope_end(scope);

    tape = gt_tape_begin();
    ASSERT_FAILS(gt_minimize(sgd, tape, gt_square(a), pair.variables), GT_INVALID,
                 "the loss must be a scalar, such as a gt_mean or gt_sum (got shape (3,))");
    ASSERT_FAILS(gt_minimize(sgd, tape, quadratic(a), ((gt_Tensors){NULL, 0})), GT_INVALID,
                 "there are no variables");
    ASSERT_FAILS(gt_minimize(sgd, tape, quadratic(stranger), pair.variables), GT_NO_GRADIENT,
                 "was not computed from variable a");
    gt_tape_end(tape);
    tape = gt_tape_begin();
    gt_tape_pause(tape);
    loss = quadratic(a);
    gt_tape_resume(tape);
    ASSERT_FAILS(gt_minimize(sgd, tape, loss, pair.variables), GT_NO_GRADIENT,
                 "the target was not computed while this tape recorded");
    gt_tape_end(tape);
    cr_assert(gt_element(a, 0) == 0.1875 && gt_element(b, 0) == 1.3125 &&
              gt_optimizer_iterations(sgd) == 3);

    /* A pending error: no step. */
    tape = gt_tape_begin();
    loss = quadratic(a);
    gt_fail(GT_INVALID, "something before");
    cr_assert(gt_minimize(sgd, tape, loss, pair.variables) == GT_INVALID);
    gt_error_clear();
    gt_tape_end(tape);
    cr_assert(gt_element(a, 0) == 0.1875);

    gt_variable_free(stranger);
    gt_optimizer_free(sgd);
    free_pair(&pair);
    cr_assert(gt_memory_stats().variables == 0 && gt_memory_stats().records == 0);
    gt_context_free(NULL);
}

/* ---- a step that was seen before allocates nothing, and any number of threads gives its bits ----
 */

static bool never(void *user)
{
    ++*(int *)user;
    return false;
}

Test(optim, large_variables)
{
    enum { SIZE = 100003 };
    static float numbers[SIZE], result[2][SIZE];
    for (int i = 0; i < SIZE; i++)
        numbers[i] = (float)(i % 1013) / 512 - 1;
    for (int run = 0; run < 2; run++) {
        int polls = 0;
        ASSERT_OK(gt_set_threads(run ? 3 : 1));
        gt_set_interrupt(run ? never : NULL, &polls);
        gt_Scope *scope = gt_scope_begin();
        gt_Variable *w = gt_variable(gt_from_data(numbers, gt_shape(SIZE), GT_FLOAT32));
        gt_scope_end(scope);
        gt_Optimizer *adam = gt_Adam(0.01, .global_clipnorm = 50, .use_ema = true, .epsilon = 0.01);
        const void *address = gt_data(w);
        gt_MemoryStats before = {0};
        for (int step = 0; step < 6; step++) {
            gt_Tape *tape = gt_tape_begin();
            ASSERT_OK(gt_minimize(adam, tape, quadratic(w), gt_tensors(w)));
            gt_tape_end(tape);
            if (step == 2)
                before = gt_memory_stats();
        }
        gt_MemoryStats after = gt_memory_stats();
        cr_assert(after.allocator_calls == before.allocator_calls &&
                  after.bytes_in_use == before.bytes_in_use);
        cr_assert(after.bytes_peak == before.bytes_peak);
        cr_assert(gt_data(w) == address);
        memcpy(result[run], address, sizeof result[run]);
        gt_optimizer_free(adam);
        gt_variable_free(w);
        gt_set_interrupt(NULL, NULL);
        cr_assert(!run || polls > 0);
    }
    cr_assert(memcmp(result[0], result[1], sizeof result[0]) == 0);
    gt_context_free(NULL);
}

/* ---- an interrupt comes before a step or after it, never into it ---- */

static bool at_poll(void *user)
{
    return --*(int *)user == 0;
}

Test(optim, interrupted)
{
    enum { SIZE = 40000 };
    int polls = 1, interruptions = 0;
    for (bool done = false; !done; polls++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *ones =
            gt_full_like(gt_from_data((float[SIZE]){0}, gt_shape(SIZE), GT_FLOAT32), 1);
        gt_Variable *a = gt_variable(ones), *b = gt_variable(ones);
        gt_Optimizer *sgd = gt_SGD(0.5, .momentum = 0.5, .clipnorm = 1e9);
        int left = polls;
        gt_set_interrupt(at_poll, &left);
        gt_Status status = gt_apply_gradients(sgd, gt_tensors(a, b), ((gt_Tensor *[]){ones, ones}));
        gt_set_interrupt(NULL, NULL);
        gt_error_clear();
        done = left > 0;
        cr_assert(status == (done ? GT_OK : GT_INTERRUPTED));
        interruptions += !done;
        for (int i = 0; i < SIZE; i += SIZE - 1)
            cr_assert(gt_element(a, i) == (done ? 0.5 : 1) && gt_element(b, i) == gt_element(a, i));
        gt_scope_end(scope);
        gt_optimizer_free(sgd);
        gt_variable_free(a);
        gt_variable_free(b);
    }
    cr_assert(interruptions >= 3);
    gt_context_free(NULL);
}

/* ---- gradients of lookups: a step by rows is the step of the whole table ---- */

enum { LENGTH = 600, WIDTH = 24, LOOKUPS = 7, ROW_CASES = 23 };

static gt_Optimizer *make_row_case(int index)
{
    switch (index) {
    case CASES:
        return gt_SGD(0.1, .weight_decay = 0.5);
    case CASES + 1: /* and the table is excluded from it */
        return gt_SGD(0.1, .weight_decay = 0.5, .clipvalue = 0.25);
    case CASES + 2:
        return gt_SGD(0.1, .weight_decay = 0, .clipnorm = 0.5);
    case CASES + 3:
        return gt_SGD(0.1, .use_ema = true, .ema_momentum = 0.5);
    case CASES + 4:
        return gt_SGD(0.1, .use_ema = true, .ema_momentum = 0.5, .ema_overwrite_frequency = 2);
    case CASES + 5:
        return gt_SGD(0.1, .gradient_accumulation_steps = 2);
    case CASES + 6:
        return gt_SGD(0.1, .gradient_accumulation_steps = 3, .clipnorm = 0.5);
    case CASES + 7:
        return gt_Adam(0.1, .weight_decay = 0.1, .clipvalue = 0.5, .use_ema = true);
    case CASES + 8:
        return gt_Adagrad(0.1);
    case CASES + 9:
        return gt_Adagrad(0.1, .global_clipnorm = 0.5);
    case CASES + 10:
        return gt_Adagrad(0.1, .weight_decay = 0.5, .gradient_accumulation_steps = 2);
    default:
        return make_case(index);
    }
}

static bool by_norm(int index)
{
    return index == 4 || index == 5 || index == CASES + 2 || index == CASES + 9;
}

/* A table and something beside it, looked up in at two places. */
typedef struct Lookup {
    gt_Variable *list[2]; /* (LENGTH, WIDTH), (WIDTH) */
    gt_Optimizer *optimizer;
    bool read; /* the gradient, before it is applied */
} Lookup;

static gt_Status lookup_step(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    Lookup *lookup = context;
    gt_Tensors variables = {lookup->list, 2};
    gt_Tensor *gradients[2];
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *one = gt_multiply(gt_take(lookup->list[0], inputs[0]), lookup->list[1]);
    gt_Tensor *other = gt_take(lookup->list[0], inputs[1]);
    gt_Tensor *loss = gt_add(gt_mean(gt_square(one)), gt_mean(gt_square(gt_square(other))));
    gt_gradients(tape, gt_tensors(loss), variables, gradients);
    cr_assert(gt_rows(gradients[0], NULL, NULL) && !gt_rows(gradients[1], NULL, NULL));
    if (lookup->read)
        gt_data(gradients[0]);
    gt_apply_gradients(lookup->optimizer, variables, gradients);
    outputs[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

/* Some steps of that kind; everything that they change, as bytes. */
static size_t lookups(int index, gt_DType dtype, bool read, bool traced, unsigned char *bytes,
                      size_t *table)
{
    static double numbers[LENGTH * WIDTH];
    for (int i = 0; i < LENGTH * WIDTH; i++)
        numbers[i] = (i * 37 % 101 - 50) / 32.0;
    Lookup lookup = {.optimizer = make_row_case(index), .read = read};
    lookup.list[0] = variable_of(dtype, gt_shape(LENGTH, WIDTH), numbers, "table");
    lookup.list[1] = variable_of(dtype, gt_shape(WIDTH), numbers + 3, "scale");
    if (index % 2)
        cr_assert(gt_pack(((gt_Tensors){lookup.list, 2})));
    gt_Tensors excluded = {lookup.list, index == CASES + 1 || index == 10};
    ASSERT_OK(gt_optimizer_exclude_from_weight_decay(lookup.optimizer, excluded));
    gt_Function *function = gt_function(lookup_step, &lookup);
    for (int step = 0; step < 5; step++) {
        int32_t one[LOOKUPS], other[LOOKUPS];
        for (int i = 0; i < LOOKUPS; i++) {
            one[i] = i % 4 * 53 % 5 + step; /* some twice */
            other[i] = i < 3 ? i - 3 : i + step * 11;
        }
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *loss,
            *inputs[2] = {gt_from_data(one, gt_shape(LOOKUPS), GT_INT32),
                          gt_cast(gt_from_data(other, gt_shape(LOOKUPS), GT_INT32), GT_INT64)};
        ASSERT_OK(traced ? gt_function_call(function, ((gt_Tensors){inputs, 2}), &loss)
                         : lookup_step(&lookup, inputs, &loss));
        cr_assert(isfinite(gt_item(loss)));
        gt_scope_end(scope);
    }
    gt_Tensors state = gt_optimizer_variables(lookup.optimizer);
    size_t at = 0;
    for (int i = 0; i < 2 + state.count; i++) {
        gt_Tensor *variable = i < 2 ? lookup.list[i] : state.items[i - 2];
        size_t size = (size_t)gt_size(variable) * gt_dtype_size(gt_dtype(variable));
        memcpy(bytes + at, gt_data(variable), size);
        at += size;
        if (i == 0)
            *table = size;
    }
    gt_function_free(function);
    gt_optimizer_free(lookup.optimizer);
    gt_variable_free(lookup.list[0]);
    gt_variable_free(lookup.list[1]);
    return at;
}

Test(optim, rows_and_whole_tables)
{
    static unsigned char dense[8 * LENGTH * WIDTH * 8], rows[sizeof dense], first[sizeof dense];
    for (int index = 0; index < ROW_CASES; index++)
        for (int wide = 0; wide < 2; wide++) {
            gt_DType dtype = wide ? GT_FLOAT64 : GT_FLOAT32;
            size_t table = 0, size = lookups(index, dtype, true, false, dense, &table);
            cr_assert(size <= sizeof dense);
            for (int way = 0; way < 4; way++) {
                ASSERT_OK(gt_set_threads(way & 1 ? 4 : 1));
                cr_assert(lookups(index, dtype, false, way & 2, rows, &table) == size);
                ASSERT_OK(gt_set_threads(1));
                if (way == 0)
                    memcpy(first, rows, size);
                cr_assert(memcmp(rows, first, size) == 0, "case %d, way %d", index, way);
            }
            if (!by_norm(index)) {
                cr_assert(memcmp(rows, dense, size) == 0, "case %d", index);
                continue;
            }
            for (size_t i = 0; i < table; i += wide ? 8 : 4) /* the norm adds in another order */
                if (wide)
                    ASSERT_NEAR(*(double *)(rows + i), *(double *)(dense + i), 1e-14, "%d", index);
                else
                    ASSERT_NEAR(*(float *)(rows + i), *(float *)(dense + i), 1e-6, "%d", index);
        }
    gt_context_free(NULL);
}

/* The step of a large table takes the memory of the batch, and nothing that was not there before. */
static gt_Status minimize_lookup(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    Lookup *lookup = context;
    (void)outputs;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_sum(gt_square(gt_take(lookup->list[0], inputs[0])));
    gt_minimize(lookup->optimizer, tape, loss, gt_tensors(lookup->list[0]));
    gt_tape_end(tape);
    return gt_status();
}

Test(optim, rows_of_a_large_table)
{
    Lookup lookup = {.optimizer = gt_SGD(0.25, .global_clipnorm = 100)};
    gt_Scope *scope = gt_scope_begin();
    static float ones[100000 * 16];
    for (int i = 0; i < 100000 * 16; i++)
        ones[i] = 1;
    lookup.list[0] = gt_variable(gt_from_buffer(ones, gt_shape(100000, 16), GT_FLOAT32));
    gt_scope_end(scope);
    gt_Function *function = gt_function(minimize_lookup, &lookup, .outputs = 0);
    const float *numbers = gt_data(lookup.list[0]);
    for (int traced = 0; traced < 2; traced++) {
        gt_MemoryStats before = {0};
        for (int step = 0; step < 6; step++) {
            if (step == 2)
                before = gt_memory_stats();
            scope = gt_scope_begin();
            gt_Tensor *indices =
                gt_array_of_(GT_INT32, gt_shape(2, 2), 5, 99999, 10 + step, 99999 - 100000);
            ASSERT_OK(traced ? gt_function_call(function, gt_tensors(indices), NULL)
                             : minimize_lookup(&lookup, &indices, NULL));
            gt_scope_end(scope);
        }
        gt_MemoryStats after = gt_memory_stats();
        cr_assert(after.allocator_calls == before.allocator_calls &&
                  after.bytes_in_use == before.bytes_in_use);
        cr_assert(after.bytes_peak < (int64_t)sizeof ones * 5 / 4 + 400000);
    }
    cr_assert(gt_function_stats(function).bytes < 10000);
    cr_assert(gt_data(lookup.list[0]) == numbers);
    cr_assert(numbers[5 * 16] == 1.0f / 4096 && numbers[99999 * 16] == 0 &&
              numbers[11 * 16] == 0.25f);
    cr_assert(numbers[0] == 1 && numbers[6 * 16] == 1 && numbers[20 * 16 - 1] == 1);
    gt_function_free(function);
    gt_optimizer_free(lookup.optimizer);
    gt_variable_free(lookup.list[0]);
    gt_context_free(NULL);
}

static gt_Status average_itself(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    gt_Variable *const *v = context;
    (void)inputs, (void)outputs;
    gt_apply(gt_operation_find("ema_update"), NULL, 3, ((gt_Tensor *[]){v[0], v[0], v[1]}), NULL);
    return gt_assign_add(v[0], v[0]);
}

/* An operation that overwrites a variable and reads it at another place reads the old value, eagerly and traced; one
 * that would overwrite it twice is refused. */
Test(optim, updates_that_read_what_they_overwrite)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *v[2] = {gt_variable(gt_array64(gt_shape(2), 3, -5)),
                         gt_variable(gt_scalar(4, GT_INT64))};
    gt_Function *function = gt_function(average_itself, v, .outputs = 0);
    ASSERT_OK(average_itself(v, NULL, NULL));
    cr_assert(gt_element(v[0], 0) == 6 && gt_element(v[0], 1) == -10);
    for (int run = 0; run < 2; run++)
        ASSERT_OK(gt_function_call(function, ((gt_Tensors){NULL, 0}), NULL));
    cr_assert(gt_element(v[0], 0) == 24 && gt_element(v[0], 1) == -40);
    gt_Tensor *input[6] = {v[0],
                           v[0],
                           gt_variable(gt_zeros_like(v[0])),
                           gt_ones_like(v[0]),
                           gt_scalar(0.5, GT_FLOAT64),
                           v[1]};
    ASSERT_FAILS(gt_apply(gt_operation_find("adam_update"), NULL, 6, input, NULL), GT_INVALID,
                 "inputs 1 and 2 are both variable");
    cr_assert(gt_element(v[0], 0) == 24);
    gt_function_free(function);
    gt_variable_free(input[2]);
    gt_variable_free(v[0]);
    gt_variable_free(v[1]);
    gt_scope_end(scope);
    gt_context_free(NULL);
}

/* What the update says about rows that cannot be. */
Test(optim, rows_that_are_none)
{
    const gt_Operation *update = gt_operation_find("sgd_update");
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *block[3]; /* one behind the other */
    for (int i = 0; i < 3; i++)
        block[i] = gt_variable(gt_full(gt_shape(3, 2), 1));
    cr_assert(gt_pack(((gt_Tensors){block, 3})));
    gt_Variable *w = block[1];
    gt_Variable *iterations = gt_variable(gt_scalar(0, GT_INT64));
    gt_Tensor *input[5] = {w, gt_full(gt_shape(4, 2), 1), gt_scalar(0.5, GT_FLOAT64), iterations,
                           gt_array_of_(GT_INT64, gt_shape(4), 1, 3, -1, 7)};
    ASSERT_OK(gt_apply_at(NULL, update, NULL, 5, input, NULL)); /* only row 1 is one */
    for (int i = 0; i < 6; i++)
        cr_assert(gt_element(w, i) == (i / 2 == 1 ? 0.5 : 1) && gt_element(block[0], i) == 1 &&
                  gt_element(block[2], i) == 1);
    input[4] = gt_array_of_(GT_INT64, gt_shape(3), 0, 1, 2);
    ASSERT_FAILS(gt_apply_at(NULL, update, NULL, 5, input, NULL), GT_INVALID,
                 "the gradient must be float32 (3, 2), as the variable (got float32 (4, 2))");
    input[4] = gt_array_of_(GT_INT32, gt_shape(4), 0, 1, 2, 0);
    ASSERT_FAILS(gt_apply_at(NULL, update, NULL, 5, input, NULL), GT_INVALID,
                 "the rows must be an int64 vector");
    input[4] = gt_array_of_(GT_INT64, gt_shape(2, 2), 0, 1, 2, 0);
    ASSERT_FAILS(gt_apply_at(NULL, update, NULL, 5, input, NULL), GT_INVALID,
                 "the rows must be an int64 vector");

    /* Each once, in the order in which they come, padded; the sums beside them. */
    gt_Tensor *gradient = gt_scatter_add(gt_array_of_(GT_INT32, gt_shape(5), 4, -1, 4, 8, 2),
                                         gt_array64(gt_shape(5), 1, 2, 3, 4, 5), gt_shape(9));
    static const double once[5] = {4, 8, 2, 9, 9}, sums[5] = {4, 6, 5, 0, 0};
    gt_Tensor *rows = gt_distinct_rows(&gradient);
    for (int i = 0; i < 5; i++)
        cr_assert(gt_element(rows, i) == once[i] && gt_element(gradient, i) == sums[i]);
    cr_assert(!gt_distinct_rows(&gradient) && gt_size(gradient) == 5 && gt_status() == GT_OK);
    gt_scope_end(scope);
    for (int i = 0; i < 3; i++)
        gt_variable_free(block[i]);
    gt_variable_free(iterations);
    gt_context_free(NULL);
}

/* ---- a traced step is the eager step ---- */

/* Runs the nodes of a graph whose inputs are variables, constants and earlier results. */
static void replay(const gt_Graph *graph)
{
    gt_Tensor *value[256] = {0};
    cr_assert(graph->value_count <= 256);
    gt_Context *context = gt_context();
    for (int i = 0; i < graph->value_count; i++) {
        const gt_GraphValue *of = &graph->values[i];
        if (of->variable)
            value[i] = of->variable;
        else if (of->kind == GT_GRAPH_CONSTANT) {
            gt_value_retain(of->constant, true);
            value[i] = gt_handle_new(context, of->constant);
        }
    }
    for (int n = 0; n < graph->node_count; n++) {
        const gt_GraphNode *node = &graph->nodes[n];
        gt_Tensor *input[GT_MAX_INPUTS], *output[GT_MAX_OUTPUTS];
        for (int i = 0; i < node->inputs; i++)
            input[i] = node->input[i] < 0 ? NULL : value[node->input[i]];
        ASSERT_OK(gt_apply_at(NULL, node->operation, node->options, node->inputs, input, output));
        for (int i = 0; i < node->outputs; i++)
            if (!value[node->output[i]])
                value[node->output[i]] = output[i];
    }
}

static gt_Optimizer *busy(void)
{
    return gt_Adam(0.1, .amsgrad = true, .weight_decay = 0.1, .clipnorm = 1, .use_ema = true,
                   .ema_overwrite_frequency = 2, .gradient_accumulation_steps = 2);
}

Test(optim, traced)
{
    Pair eager, traced;
    make_pair(&eager, GT_FLOAT32);
    make_pair(&traced, GT_FLOAT32);
    gt_Optimizer *by_hand = busy(), *in_graph = busy();
    gt_Context *context = gt_context();
    gt_Scope *scope = gt_scope_begin();
    gt_Graph *graph = gt_graph_new(context);
    gt_Facts facts = {0};
    gt_Trace *trace = gt_trace_begin(context, graph, &facts);
    cr_assert(trace, "%s", gt_error_message());
    ASSERT_OK(apply_call(in_graph, &traced, GT_FLOAT32, 1));
    ASSERT_NULL(gt_SGD(), "cannot be made inside a traced function");
    gt_trace_end(context, trace);
    gt_facts_close(context, &facts);
    cr_assert(gt_optimizer_iterations(in_graph) == 0 && gt_element(traced.list[0], 1) == 1.25);
    cr_assert(gt_optimizer_built(in_graph) && graph->node_count > 0);
    for (int call = 1; call <= 7; call++) {
        ASSERT_OK(apply_call(by_hand, &eager, GT_FLOAT32, 1));
        replay(graph);
        for (int i = 0; i < 5; i++)
            cr_assert(number(&eager, i) == number(&traced, i), "call %d, number %d", call, i);
    }
    cr_assert(gt_optimizer_iterations(in_graph) == 3 && number(&eager, 0) < 1);
    gt_Tensors a = gt_optimizer_variables(by_hand), b = gt_optimizer_variables(in_graph);
    for (int k = 0; k < a.count; k++)
        for (int64_t i = 0; i < gt_size(a.items[k]); i++)
            cr_assert(gt_element(a.items[k], i) == gt_element(b.items[k], i));
    gt_graph_free(graph);
    gt_scope_end(scope);
    gt_context_free(NULL);
}

/* ---- memory that runs out, at every point ---- */

typedef struct Failing {
    int64_t left; /* allocations that still succeed; negative: all */
    int64_t blocks;
} Failing;

static void *failing_allocate(void *user, size_t size, size_t alignment)
{
    Failing *state = user;
    void *memory = NULL;
    if (state->left == 0 || posix_memalign(&memory, alignment, size) != 0)
        return NULL;
    if (state->left > 0)
        state->left--;
    state->blocks++;
    return memory;
}

static void failing_release(void *user, void *memory, size_t size)
{
    (void)size;
    ((Failing *)user)->blocks--;
    free(memory);
}

enum { LONG = 9000 }; /* more than a block that is cut from a slab */

/* Everything that a step changes, as bytes. */
static size_t snapshot(gt_Optimizer *optimizer, Pair *pair, unsigned char *bytes)
{
    size_t at = 0;
    gt_Tensors state = gt_optimizer_variables(optimizer);
    for (int i = 0; i < 2 + state.count; i++) {
        gt_Tensor *variable = i < 2 ? pair->list[i] : state.items[i - 2];
        size_t size = (size_t)gt_size(variable) * gt_dtype_size(gt_dtype(variable));
        memcpy(bytes + at, gt_data(variable), size);
        at += size;
    }
    return at;
}

/* One step with `left` allocations to go; whether it succeeded. A tape that holds the old values
 * makes the step move them out of the way. */
static bool failing_step(gt_Optimizer *optimizer, Pair *pair, Failing *state, int64_t left)
{
    static unsigned char before[32 * LONG * 8], after[32 * LONG * 8];
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *loss = gt_add(quadratic(pair->list[0]), quadratic(pair->list[1]));
    size_t size = snapshot(optimizer, pair, before);
    cr_assert(loss, "%s", gt_error_message());
    gt_Context *context = gt_context();
    memset(context->free_blocks, 0, sizeof context->free_blocks);
    memset(context->uncut, 0, sizeof context->uncut);
    state->left = left;
    bool ok = gt_minimize(optimizer, tape, loss, pair->variables) == GT_OK;
    state->left = -1;
    cr_assert(ok || gt_status() == GT_NO_MEMORY, "%s", gt_error_message());
    gt_error_clear();
    gt_tape_end(tape);
    snapshot(optimizer, pair, after); /* begins alike, whether it was built meanwhile or not */
    cr_assert(ok || memcmp(before, after, size) == 0, "half an update after %lld allocations",
              (long long)left);
    return ok;
}

Test(optim, memory_runs_out)
{
    static double numbers[LONG];
    for (int i = 0; i < LONG; i++)
        numbers[i] = i % 7;
    int failures = 0;
    for (int warm = 0; warm < 2; warm++) {
        bool done = false;
        for (int64_t left = 0; !done; left++) {
            Failing state = {-1, 0};
            gt_Context *context = gt_context_create(.allocator = &(gt_Allocator){
                                                        failing_allocate, failing_release, &state});
            gt_context_use(context);
            Pair pair;
            pair.list[0] = variable_of(GT_FLOAT32, gt_shape(LONG), numbers, "a");
            pair.list[1] = variable_of(GT_FLOAT32, gt_shape(LONG), numbers, "b");
            pair.variables = (gt_Tensors){pair.list, 2};
            gt_Optimizer *optimizer = busy();
            if (warm)
                cr_assert(failing_step(optimizer, &pair, &state, -1));
            done = failing_step(optimizer, &pair, &state, left);
            failures += !done;
            if (!done) { /* it is still of use */
                cr_assert(gt_element(pair.list[0], 5) == 5);
                cr_assert(failing_step(optimizer, &pair, &state, -1));
            }
            cr_assert(gt_optimizer_iterations(optimizer) == (1 + warm) / 2);
            gt_optimizer_free(optimizer);
            free_pair(&pair);
            gt_MemoryStats stats = gt_memory_stats();
            cr_assert(stats.variables == 0 && stats.handles == 0 && stats.records == 0);
            gt_context_free(context);
            cr_assert(state.blocks == 0);
        }
    }
    cr_assert(failures > 40, "only %d points", failures);

    /* Making one. */
    for (int64_t left = 0;; left++) {
        Failing state = {-1, 0};
        gt_Context *context = gt_context_create(.allocator = &(gt_Allocator){
                                                    failing_allocate, failing_release, &state});
        gt_context_use(context);
        state.left = left;
        gt_Optimizer *optimizer = gt_Adam(.name = "mine");
        state.left = -1;
        cr_assert(optimizer || gt_status() == GT_NO_MEMORY);
        gt_error_clear();
        gt_context_free(context);
        cr_assert(state.blocks == 0);
        if (optimizer)
            break;
    }
}

/* The same for the gradient of a lookup, by rows and as a whole, behind another variable. */
static gt_Status minimize_both(Lookup *lookup, gt_Tensor *indices)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *rows = gt_take(lookup->list[1], indices);
    gt_Tensor *loss = gt_sum(gt_square(gt_multiply(rows, lookup->list[0])));
    gt_minimize(lookup->optimizer, tape, loss, ((gt_Tensors){lookup->list, 2}));
    gt_tape_end(tape);
    return gt_status();
}

Test(optim, memory_runs_out_for_rows)
{
    for (int whole = 0; whole < 2; whole++) {
        bool done = false;
        for (int64_t left = 0; !done; left++) {
            Failing state = {-1, 0};
            gt_Context *context = gt_context_create(.allocator = &(gt_Allocator){
                                                        failing_allocate, failing_release, &state});
            gt_context_use(context);
            gt_Scope *scope = gt_scope_begin();
            Lookup lookup = {.optimizer = whole ? gt_Adam(0.1) : gt_SGD(0.01, .clipnorm = 1e9)};
            lookup.list[0] = gt_variable(gt_full(gt_shape(2), 1));
            lookup.list[1] = gt_variable(gt_full(gt_shape(LONG, 2), 1));
            gt_Tensor *indices = gt_array_of_(GT_INT32, gt_shape(3), 7, -1, 7);
            gt_Tensors variables = {lookup.list, 2};
            ASSERT_OK(gt_optimizer_build(lookup.optimizer, variables));
            memset(context->free_blocks, 0, sizeof context->free_blocks);
            memset(context->uncut, 0, sizeof context->uncut);
            state.left = left;
            done = minimize_both(&lookup, indices) == GT_OK;
            state.left = -1;
            cr_assert(done || gt_status() == GT_NO_MEMORY, "%s", gt_error_message());
            gt_error_clear();
            gt_Tensors all = gt_optimizer_variables(lookup.optimizer);
            for (int64_t i = 0; i < 2 * LONG; i++)
                cr_assert((gt_element(lookup.list[1], i) != 1) ==
                          (done && (i / 2 == 7 || i / 2 == LONG - 1)));
            cr_assert((gt_element(lookup.list[0], 0) != 1) == done, "half an update after %lld",
                      (long long)left);
            for (int k = 2; !done && k < all.count; k++)
                cr_assert(gt_element(all.items[k], 0) == 0);
            if (!done) /* it is still of use */
                ASSERT_OK(minimize_both(&lookup, indices));
            cr_assert(gt_element(lookup.list[1], 14) < 1 && gt_element(lookup.list[1], 0) == 1);
            gt_scope_end(scope);
            gt_optimizer_free(lookup.optimizer);
            gt_variable_free(lookup.list[0]);
            gt_variable_free(lookup.list[1]);
            gt_MemoryStats stats = gt_memory_stats();
            cr_assert(stats.variables == 0 && stats.handles == 0 && stats.records == 0);
            gt_context_free(context);
            cr_assert(state.blocks == 0);
        }
    }
}
