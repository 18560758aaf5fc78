/* Cross-entropies and what their predictions are made of: the same number eagerly, traced, under a
 * tape and through views; scores that are no probabilities; labels of one column. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "../core/structs.h"
#include "../gradtape.h"
#include "../train/internal.h"
#include "budget.h"
#include "leaks.h"

#undef GT_HERE
#define GT_HERE "test"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())
#define assert_error(status, text)                                                                 \
    do {                                                                                           \
        cr_assert_eq(gt_status(), status, "%s", gt_error_message());                               \
        cr_assert(strstr(gt_error_message(), text), "%s", gt_error_message());                     \
        gt_error_clear();                                                                          \
    } while (0)
#define refused(call, status, text)                                                                \
    do {                                                                                           \
        (void)(call);                                                                              \
        assert_error(status, text);                                                                \
    } while (0)

/* ---- the same number, whoever watches ---- */

static gt_Tensor *logits(gt_DType dtype)
{
    return gt_from_values_at(GT_HERE, gt_shape(2, 3), dtype, 6, (double[]){60, -60, 0, 1, 2, 3});
}

static gt_Tensor *hot(gt_Tensor *p)
{
    gt_Tensor *t =
        gt_from_values_at(GT_HERE, gt_shape(2, 3), gt_dtype(p), 6, (double[]){0, 1, 0, .2, .3, .5});
    return gt_reshape(t, gt_tensor_shape(p));
}

/* Labels 1 and 2, of the shape of p without its last axis. */
static gt_Tensor *classes(gt_Tensor *p)
{
    gt_Shape shape = gt_tensor_shape(p);
    shape.rank--;
    return gt_reshape(gt_from_values_at(GT_HERE, gt_shape(2), GT_INT32, 2, (double[]){1, 2}),
                      shape);
}

static gt_Tensor *categorical(gt_Tensor *p)
{
    return gt_categorical_crossentropy(hot(p), p);
}

static gt_Tensor *smoothed(gt_Tensor *p)
{
    return gt_categorical_crossentropy(hot(p), p, .label_smoothing = 0.1,
                                       .reduction = GT_REDUCTION_SUM);
}

static gt_Tensor *sparse(gt_Tensor *p)
{
    return gt_sparse_categorical_crossentropy(classes(p), p);
}

static gt_Tensor *ignoring(gt_Tensor *p)
{
    return gt_sparse_categorical_crossentropy(classes(p), p, .ignore_class = 2);
}

static gt_Tensor *binary(gt_Tensor *p)
{
    return gt_binary_crossentropy(hot(p), p);
}

typedef struct Loss {
    const char *name;
    gt_Tensor *(*loss)(gt_Tensor *p);
    bool sigmoid;
    double value; /* by numpy in float64, from the logits */
} Loss;

static const Loss losses[] = {
    {"categorical", categorical, false, 60.55380298222219},
    {"smoothed", smoothed, false, 115.13760596444438},
    {"sparse", sparse, false, 60.20380298222219},
    {"ignoring", ignoring, false, 120.0},
    {"binary", binary, true, 20.813654038449148},
};

/* What leaves every row of probabilities as it is. */
static gt_Tensor *as_it_is(gt_Tensor *p)
{
    return p;
}

static gt_Tensor *reshaped(gt_Tensor *p)
{
    return gt_reshape(p, gt_shape(1, 2, 3));
}

static gt_Tensor *there_and_back(gt_Tensor *p)
{
    return gt_squeeze(gt_expand_dims(gt_reshape(gt_ravel(gt_identity(p)), gt_shape(2, 3)), 0));
}

static gt_Tensor *sliced(gt_Tensor *p)
{
    gt_Tensor *twice = gt_reshape(p, gt_shape(2, 1, 3));
    gt_Tensor *rows[2] = {gt_slice(twice, gt_shape(0, 0, 0), gt_shape(2, 1, 3)), NULL};
    return gt_reshape(rows[0], gt_shape(2, 3));
}

static gt_Tensor *stopped(gt_Tensor *p)
{
    return gt_reshape(gt_stop_gradient(p), gt_shape(2, 3));
}

typedef struct Way {
    const char *name;
    gt_Tensor *(*way)(gt_Tensor *p);
    bool cut; /* no gradient comes back through it */
} Way;

static const Way ways[] = {{"as it is", as_it_is, false},
                           {"reshape", reshaped, false},
                           {"views and back", there_and_back, false},
                           {"slice", sliced, false},
                           {"stop_gradient", stopped, true}};

typedef struct Case {
    const Loss *loss;
    const Way *way;
} Case;

static gt_Status compute(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    const Case *c = user;
    gt_Tensor *p = c->loss->sigmoid ? gt_sigmoid(in[0]) : gt_softmax(in[0]);
    out[0] = c->loss->loss(c->way->way(p));
    return gt_status();
}

/* The loss and, with a tape, its gradient in the logits. */
static gt_Status compute_under_tape(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_Tensor *z = in[0];
    compute(user, &z, out);
    out[1] = gt_gradient(tape, out[0], z, .unconnected = GT_UNCONNECTED_ZERO);
    gt_keep(out[0]);
    gt_keep(out[1]);
    gt_tape_end(tape);
    return gt_status();
}

static bool same_bits(gt_Tensor *a, gt_Tensor *b)
{
    gt_Spec spec = gt_spec(a), other = gt_spec(b);
    return gt_spec_equal(&spec, &other) &&
           memcmp(gt_data(a), gt_data(b), gt_spec_bytes(&spec)) == 0;
}

Test(losses, the_same_whoever_watches)
{
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        for (size_t k = 0; k < sizeof ways / sizeof *ways; k++)
            for (int single = 0; single < 2; single++) {
                gt_Scope *scope = gt_scope_begin();
                Case c = {&losses[i], &ways[k]};
                gt_Tensor *z = logits(single ? GT_FLOAT32 : GT_FLOAT64);
                gt_Tensor *eager[1], *watched[2], *traced[1], *traced_watched[2];
                compute(&c, &z, eager);
                compute_under_tape(&c, &z, watched);
                gt_Function *plain = gt_function(compute, &c, .outputs = 1);
                gt_Function *with_tape = gt_function(compute_under_tape, &c, .outputs = 2);
                gt_function_call(plain, gt_tensors(z), traced);
                gt_function_call(with_tape, gt_tensors(z), traced_watched);
                ok();
                const char *name = c.loss->name, *way = c.way->name;
                cr_assert_eq(gt_function_stats(plain).runs, 1);
                cr_assert_eq(gt_function_stats(with_tape).runs, 1);
                double value = gt_item(eager[0]);
                cr_assert(fabs(value - c.loss->value) <= (single ? 1e-5 : 1e-13) * 100,
                          "%s, %s: %.17g, not %.17g", name, way, value, c.loss->value);
                cr_assert(same_bits(eager[0], watched[0]), "%s, %s: %.17g, watched %.17g", name,
                          way, value, gt_item(watched[0]));
                cr_assert(same_bits(eager[0], traced[0]), "%s, %s: %.17g, traced %.17g", name, way,
                          value, gt_item(traced[0]));
                cr_assert(same_bits(eager[0], traced_watched[0]), "%s, %s: in a plan under a tape",
                          name, way);
                cr_assert(same_bits(watched[1], traced_watched[1]), "%s, %s: gradients", name, way);
                double slopes = gt_item(gt_sum(gt_abs(watched[1])));
                cr_assert((slopes == 0) == c.way->cut, "%s, %s: gradient %g", name, way, slopes);
                gt_function_free(plain);
                gt_function_free(with_tape);
                gt_scope_end(scope);
            }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A tape that begins after the softmax sees its result as a constant. */
Test(losses, tapes_that_begin_later)
{
    gt_Variable *z = gt_variable(logits(GT_FLOAT64));
    gt_Tensor *p = gt_softmax(z);
    double expected = gt_item(categorical(p));
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *both = gt_add(categorical(p), gt_sum(z));
    gt_Tensor *gradient = gt_gradient(tape, both, z);
    ok();
    for (int i = 0; i < 6; i++)
        cr_assert(gt_element(gradient, i) == 1, "%d: %g: through a softmax before the tape", i,
                  gt_element(gradient, i));
    gt_tape_end(tape);

    /* The probabilities themselves are watched: -t / p + sum(t), by the formula of the loss. */
    z = gt_variable(gt_array64(gt_shape(2, 3), 1, -1, 0, 1, 2, 3));
    p = gt_softmax(z);
    expected = gt_item(categorical(p));
    tape = gt_tape_begin();
    gt_watch(tape, p);
    gt_Tensor *loss = categorical(gt_reshape(p, gt_shape(2, 3)));
    cr_assert(gt_item(loss) == expected, "%.17g, not %.17g", gt_item(loss), expected);
    gradient = gt_gradient(tape, loss, p);
    ok();
    const double t[] = {0, 1, 0, .2, .3, .5};
    for (int i = 0; i < 6; i++) {
        double slope = (1 - t[i] / gt_element(p, i)) / 2;
        cr_assert(fabs(gt_element(gradient, i) - slope) < 1e-14, "%d: %.17g, not %.17g", i,
                  gt_element(gradient, i), slope);
    }
    gt_tape_end(tape);
    tape = gt_tape_begin();
    p = gt_sigmoid(z);
    gt_Tape *inner = gt_tape_begin();
    gt_watch(inner, p);
    loss = binary(p);
    gradient = gt_gradient(inner, loss, p);
    ok();
    for (int i = 0; i < 6; i++) {
        double q = gt_element(p, i), slope = ((1 - t[i]) / (1 - q) - t[i] / q) / 6;
        cr_assert(fabs(gt_element(gradient, i) - slope) < 1e-14 * 10, "%d: %.17g, not %.17g", i,
                  gt_element(gradient, i), slope);
    }
    gt_tape_end(inner);
    /* and the outer tape still sees the logits */
    gradient = gt_gradient(tape, loss, z);
    ok();
    for (int i = 0; i < 6; i++)
        cr_assert(fabs(gt_element(gradient, i) - (gt_element(p, i) - t[i]) / 6) < 1e-15, "%d: %g",
                  i, gt_element(gradient, i));
    gt_tape_end(tape);
    gt_context_free(NULL);
}

/* The slopes of a loss in probabilities that know their logits, against differences of others. */
static gt_Status binary_branch(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    out[0] = binary(in[0]);
    return gt_status();
}

static gt_Status categorical_branch(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    out[0] = categorical(in[0]);
    return gt_status();
}

Test(losses, slopes_in_probabilities)
{
    gt_Tensor *z = gt_array64(gt_shape(2, 3), 1, -1, 0, 1, 0.5, 1.5), *out[1], *tangent[1];
    gt_check_gradients(categorical_branch, NULL, gt_tensors(gt_softmax(z)), .order = 2);
    gt_check_gradients(binary_branch, NULL, gt_tensors(gt_sigmoid(z)), .order = 2);
    ok();
    gt_Tensor *p = gt_softmax(z), *ones = gt_ones_like(p);
    gt_jvp(categorical_branch, NULL, gt_tensors(p), gt_tensors(ones), out, tangent);
    ok();
    double expected = 0;
    const double t[] = {0, 1, 0, .2, .3, .5};
    for (int i = 0; i < 6; i++)
        expected += (1 - t[i] / gt_element(p, i)) / 2;
    cr_assert(fabs(gt_item(tangent[0]) - expected) < 1e-14, "%.17g, not %.17g", gt_item(tangent[0]),
              expected);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Rows that a view cuts apart, or another axis, are no softmax any more. */
Test(losses, views_that_cut_rows)
{
    gt_Tensor *z = gt_array64(gt_shape(2, 2), 60, -60, 1, 2), *p = gt_softmax(z);
    gt_Tensor *t = gt_array64(gt_shape(2, 2), 0, 1, 1, 0);
    double by_columns = gt_item(gt_categorical_crossentropy(t, p, .axis = 0));
    gt_Tensor *copy = gt_from_data(gt_data(p), gt_shape(2, 2), GT_FLOAT64);
    cr_assert(by_columns == gt_item(gt_categorical_crossentropy(t, copy, .axis = 0)));
    gt_Tensor *first = gt_softmax(z, .axis = 0);
    double columns = gt_item(gt_categorical_crossentropy(t, first, .axis = 0));
    double expected =
        ((log1p(exp(-59)) + 59) + log1p(exp(-62)) * 0 + (62 + log1p(exp(-62))) + 0 * columns) / 2;
    /* columns (60, 1) and (-60, 2): of t the second row counts in the first, the first in the other */
    cr_assert(fabs(columns - expected) < 1e-12, "%.17g, not %.17g", columns, expected);
    gt_Tensor *rows = gt_reshape(first, gt_shape(4));
    cr_assert(
        gt_item(gt_categorical_crossentropy(gt_reshape(t, gt_shape(4)), rows)) ==
        gt_item(gt_categorical_crossentropy(gt_reshape(t, gt_shape(4)),
                                            gt_from_data(gt_data(rows), gt_shape(4), GT_FLOAT64))));
    /* a row's length, but of two rows */
    gt_Tensor *between = gt_slice(gt_ravel(p), gt_shape(1), gt_shape(2));
    cr_assert(gt_item(gt_categorical_crossentropy(gt_array64(gt_shape(2), 0, 1), between)) ==
              gt_item(gt_categorical_crossentropy(
                  gt_array64(gt_shape(2), 0, 1),
                  gt_from_data(gt_data(between), gt_shape(2), GT_FLOAT64))));
    /* one row of many */
    gt_Tensor *row = gt_slice(p, gt_shape(1, 0), gt_shape(1, 2));
    cr_assert(fabs(gt_item(gt_categorical_crossentropy(gt_array64(gt_shape(1, 2), 1, 0), row)) -
                   (1 + log1p(exp(-1)))) < 1e-15);
    row = gt_slice(p, gt_shape(0, 0), gt_shape(1, 2));
    cr_assert(gt_item(gt_categorical_crossentropy(gt_array64(gt_shape(1, 2), 0, 1), row)) == 120);
    ok();
    gt_context_free(NULL);
}

static gt_Status only_softmax(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    out[0] = reshaped(gt_softmax(in[0]));
    return gt_status();
}

static gt_Status only_loss(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_categorical_crossentropy(hot(in[0]), in[0], .from_logits = user != NULL);
    return gt_status();
}

/* Scores are asked for, and these are probabilities: through views, eagerly, traced, watched. */
Test(losses, from_logits_of_probabilities)
{
    static int yes;
    gt_Tensor *z = logits(GT_FLOAT64);
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++)
        for (int taped = 0; taped < 2; taped++) {
            gt_Tape *tape = taped ? gt_tape_begin() : NULL;
            if (taped)
                gt_watch(tape, z);
            gt_Tensor *p = ways[k].way(gt_softmax(z));
            refused(gt_categorical_crossentropy(hot(p), p, .from_logits = true), GT_INVALID,
                    "from_logits = true, but y_pred is the output of softmax");
            refused(gt_sparse_categorical_crossentropy(classes(p), p, .from_logits = true),
                    GT_INVALID, "the output of softmax");
            p = ways[k].way(gt_sigmoid(z));
            refused(gt_binary_crossentropy(hot(p), p, .from_logits = true), GT_INVALID,
                    "the output of sigmoid");
            gt_tape_end(tape);
        }
    /* A function's result is known to be a probability, run as a plan or eagerly; what it was made
     * of stays inside: both compute from the probabilities. */
    gt_Function *softmax = gt_function(only_softmax, NULL, .outputs = 1);
    gt_Tensor *p[1], *watched[1];
    gt_function_call(softmax, gt_tensors(z), p);
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, z);
    gt_function_call(softmax, gt_tensors(z), watched);
    ok();
    cr_assert(gt_function_stats(softmax).eager_calls == 1 && gt_function_stats(softmax).runs == 1);
    refused(gt_categorical_crossentropy(hot(p[0]), p[0], .from_logits = true), GT_INVALID,
            "softmax");
    refused(gt_categorical_crossentropy(hot(p[0]), watched[0], .from_logits = true), GT_INVALID,
            "softmax");
    cr_assert(same_bits(categorical(p[0]), categorical(watched[0])));
    gt_tape_end(tape);
    /* The same of what goes into one: nothing is known of an argument, traced or not. */
    for (int scores = 0; scores < 2; scores++) {
        gt_Function *loss = gt_function(only_loss, scores ? &yes : NULL, .outputs = 1);
        gt_Tensor *q = gt_softmax(z), *planned[1], *eager[1];
        gt_function_call(loss, gt_tensors(q), planned);
        tape = gt_tape_begin();
        gt_watch(tape, q);
        gt_function_call(loss, gt_tensors(q), eager);
        ok();
        cr_assert(gt_function_stats(loss).eager_calls == 1 && gt_function_stats(loss).runs == 1);
        cr_assert(same_bits(planned[0], eager[0]), "%d: %.17g and %.17g", scores,
                  gt_item(planned[0]), gt_item(eager[0]));
        gt_tape_end(tape);
        gt_function_free(loss);
    }
    gt_function_free(softmax);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- through control flow, eagerly and traced ---- */

static gt_Status branch(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    out[0] = categorical(in[0]);
    return gt_status();
}

static gt_Status two_rounds(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    out[0] = gt_identity(in[1]);
    out[1] = gt_add(in[2], categorical(in[1]));
    return gt_status();
}

typedef enum Flow { COND, FORI, RECOMPUTE, FLOWS } Flow;

/* in: logits, how many rounds or whether. */
static gt_Status flow(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_Tensor *p = gt_softmax(in[0]), *result[2] = {NULL, NULL};
    switch (*(const Flow *)user) {
    case COND:
        gt_cond(in[1], branch, branch, NULL, gt_tensors(p), result, .outputs = 1);
        break;
    case FORI:
        gt_fori_loop(0, 20, two_rounds, NULL, gt_tensors(p, gt_scalar(0, GT_FLOAT64)), result);
        result[0] = result[1];
        break;
    default:
        gt_recompute(branch, NULL, gt_tensors(p), result, .outputs = 1);
        break;
    }
    out[0] = gt_keep(result[0]);
    out[1] = gt_keep(gt_gradient(tape, result[0], in[0]));
    gt_tape_end(tape);
    return gt_status();
}

Test(losses, through_control_flow)
{
    gt_Tensor *z = logits(GT_FLOAT64), *yes = gt_scalar(1, GT_FLOAT64);
    for (int kind = 0; kind < FLOWS; kind++) {
        Flow which = (Flow)kind;
        gt_Tensor *eager[2], *planned[2];
        flow(&which, gt_tensors(z, yes).items, eager);
        gt_Function *function = gt_function(flow, &which, .outputs = 2);
        gt_function_call(function, gt_tensors(z, yes), planned);
        ok();
        cr_assert_eq(gt_function_stats(function).runs, 1);
        cr_assert(same_bits(eager[0], planned[0]), "%d: %.17g, planned %.17g", kind,
                  gt_item(eager[0]), gt_item(planned[0]));
        for (int i = 0; i < 6; i++)
            cr_assert(fabs(gt_element(eager[1], i) - gt_element(planned[1], i)) <= 1e-15,
                      "%d: slope %d is %.17g, planned %.17g", kind, i, gt_element(eager[1], i),
                      gt_element(planned[1], i));
        if (which == COND) /* a branch sees the tensor itself */
            cr_assert(fabs(gt_item(eager[0]) - 60.55380298222219) < 1e-12);
        gt_function_free(function);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Fit and evaluate show the same loss of the same rows and weights. */
/* Where an option is not given: the numbers by Keras's formulas and defaults. */
Test(losses, presets)
{
    gt_Tensor *zero = gt_array(gt_shape(1, 2), 0, 0), *y = gt_array(gt_shape(1, 2), 3, -0.5);
    cr_assert_float_eq(gt_item(gt_mean(gt_huber(zero, y))), (2.5 + 0.125) / 2, 1e-6); /* delta 1 */
    const gt_Loss huber = gt_Huber();
    cr_assert_float_eq(gt_item(gt_loss_compute(&huber, zero, y, NULL)), (2.5 + 0.125) / 2, 1e-6);
    ok();
}

Test(losses, fit_and_evaluate)
{
    for (int eagerly = 0; eagerly < 2; eagerly++) {
        gt_Layer *model = gt_Sequential(gt_Dense(3, .activation = gt_softmax), gt_Flatten());
        gt_Dataset *rows = gt_dataset_from_tensors(gt_array(gt_shape(2, 3), 60, -60, 0, 1, 2, 3),
                                                   gt_array(gt_shape(2, 3), 0, 1, 0, .2f, .3f, .5f),
                                                   .batch_size = 2);
        gt_build(model, gt_shape(2, 3), GT_FLOAT32);
        gt_assign(gt_weights(model).items[0], gt_eye(3));
        gt_compile(model, .optimizer = gt_SGD(0), .loss = gt_CategoricalCrossentropy(),
                   .metrics = gt_metrics(
                       gt_LossMetric(gt_CategoricalCrossentropy(), .name = "crossentropy")),
                   .run_eagerly = eagerly);
        gt_History *history = gt_fit(model, rows, .verbose = GT_VERBOSITY_SILENT);
        gt_Scores scores = gt_evaluate(model, rows);
        ok();
        double fitted = gt_history_get(history, "loss", 0);
        cr_assert(fabs(fitted - 60.55380298222219) < 1e-5, "%.17g", fitted);
        cr_assert(fitted == scores.loss, "fit %.17g, evaluate %.17g", fitted, scores.loss);
        cr_assert(fabs(scores.metrics[0] - fitted) < 1e-5 &&
                  gt_history_get(history, "crossentropy", 0) == scores.metrics[0]);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* What a handle was made of is held by the handle and goes with it. */
Test(losses, memory)
{
    enum { ROWS = 64, CLASSES = 1000, BYTES = ROWS * CLASSES * 4 };
    gt_Tensor *z = gt_uniform(gt_shape(ROWS, CLASSES));
    gt_Scope *scope = gt_scope_begin();
    gt_softmax(z); /* pools and slots */
    gt_scope_end(scope);
    int64_t before = gt_memory_stats().bytes_in_use;
    scope = gt_scope_begin();
    gt_Scope *inside = gt_scope_begin();
    gt_Tensor *scores = gt_multiply(z, 2), *p = gt_reshape(gt_softmax(scores), gt_shape(1, -1));
    gt_keep(p);
    gt_scope_end(inside);
    int64_t held = gt_memory_stats().bytes_in_use - before;
    cr_assert(held >= 2 * BYTES && held < 3 * BYTES, "%lld bytes", (long long)held);
    gt_scope_end(scope);
    cr_assert(gt_memory_stats().bytes_in_use == before, "%lld bytes stay",
              (long long)(gt_memory_stats().bytes_in_use - before));
    ok();
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Probabilities through views and functions, under tapes, whatever allocation fails. */
static void small_life(void)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *z = logits(GT_FLOAT64), *out[1] = {NULL};
    gt_Function *softmax = gt_function(only_softmax, NULL, .outputs = 1);
    gt_function_call(softmax, gt_tensors(z), out);
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, z);
    gt_function_call(softmax, gt_tensors(z), out);
    gt_Tensor *p = gt_slice(gt_softmax(z), gt_shape(1, 0), gt_shape(1, 3));
    gt_Tape *inner = gt_tape_begin();
    gt_watch(inner, p);
    gt_Tensor *t = gt_array64(gt_shape(1, 3), 0, 1, 0);
    gt_gradient(inner, gt_categorical_crossentropy(t, p), p);
    gt_tape_end(inner);
    gt_recompute(branch, NULL, gt_tensors(gt_softmax(z)), out, .outputs = 1);
    gt_gradient(tape, out[0], z);
    gt_tape_end(tape);
    gt_function_free(softmax);
    gt_scope_end(scope);
}

Test(losses, no_memory)
{
    for (int pooling = 0; pooling < 2; pooling++)
        for (long budget = 0;; budget++) {
            Budget memory = {.left = budget};
            gt_Allocator allocator = {budget_allocate, budget_release, &memory};
            gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = pooling);
            gt_Status status = GT_NO_MEMORY;
            if (context) {
                gt_context_use(context);
                small_life();
                status = gt_status();
                gt_error_clear();
                cr_assert(gt_memory_stats().handles == 0 && gt_memory_stats().records == 0,
                          "%ld: %d handles, %d records", budget, (int)gt_memory_stats().handles,
                          (int)gt_memory_stats().records);
                gt_context_free(context);
            }
            cr_assert_eq(memory.held, 0, "%ld: memory is lost", budget);
            if (status == GT_OK)
                break;
            cr_assert_eq(status, GT_NO_MEMORY, "%ld: %s", budget, gt_status_text(status));
        }
    assert_no_leaks();
}

/* ---- scores where probabilities are wanted ---- */

static gt_Tensor *kl(gt_Tensor *p)
{
    return gt_kl_divergence(hot(p), p);
}

typedef struct Refusal {
    const char *name;
    gt_Tensor *(*loss)(gt_Tensor *p);
    const char *advice;
} Refusal;

static const Refusal refusals[] = {
    {"categorical", categorical, "give .from_logits = true for scores, or gt_softmax them"},
    {"sparse", sparse, "give .from_logits = true for scores, or gt_softmax them"},
    {"binary", binary, "give .from_logits = true for scores, or gt_sigmoid them"},
    {"kl", kl, "gt_softmax scores before it"},
};

static gt_Status loss_of(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    const Refusal *refusal = user;
    out[0] = refusal->loss(in[0]);
    return gt_status();
}

Test(losses, scores_are_no_probabilities)
{
    const struct {
        double number;
        const char *text; /* NULL: that is rounding, or no number */
    } numbers[] = {{2.5, "got 2.5 in row 1"},
                   {-0.125, "got -0.125 in row 1"},
                   {INFINITY, "got inf in row 1"},
                   {1.001, "got 1.001 in row 1"},
                   {-1e-3, "got -0.001 in row 1"},
                   {1 + 1e-6, NULL},
                   {-1e-6, NULL},
                   {NAN, NULL},
                   {1, NULL},
                   {0, NULL}};
    for (size_t k = 0; k < sizeof refusals / sizeof *refusals; k++)
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
            for (int single = 0; single < 2; single++) {
                gt_Scope *scope = gt_scope_begin();
                Refusal refusal = refusals[k];
                gt_Tensor *p =
                    gt_from_values_at(GT_HERE, gt_shape(2, 3), single ? GT_FLOAT32 : GT_FLOAT64, 6,
                                      (double[]){.2, .3, .5, .25, numbers[i].number, .5});
                gt_Tensor *out[1] = {NULL};
                gt_Function *function = gt_function(loss_of, &refusal, .outputs = 1);
                for (int way = 0; way < 3; way++) {
                    gt_Tape *tape = way == 2 ? gt_tape_begin() : NULL;
                    if (tape)
                        gt_watch(tape, p);
                    if (way == 1)
                        gt_function_call(function, gt_tensors(p), out);
                    else
                        loss_of(&refusal, &p, out);
                    if (numbers[i].text) {
                        cr_assert(!out[0] && strstr(gt_error_message(), numbers[i].text) &&
                                      strstr(gt_error_message(), refusal.advice),
                                  "%s, %g, way %d: %s", refusal.name, numbers[i].number, way,
                                  gt_error_message());
                        assert_error(GT_INVALID, "probabilities in [0, 1]");
                    } else {
                        cr_assert(out[0] && isnan(gt_item(out[0])) == isnan(numbers[i].number),
                                  "%s, %g, way %d: %s", refusal.name, numbers[i].number, way,
                                  gt_error_message());
                    }
                    gt_tape_end(tape);
                    ok();
                }
                gt_function_free(function);
                gt_scope_end(scope);
            }
    /* Rows are along the first axis; the first bad one is named, whatever the threads. */
    gt_set_threads(3);
    gt_Tensor *many = gt_full(gt_shape(500, 7, 40), 0.5);
    float *data = (float *)(uintptr_t)gt_data(many);
    data[(499 * 7 + 1) * 40] = 3;
    data[(123 * 7 + 6) * 40 + 39] = -4;
    data[(123 * 7 + 6) * 40 + 38] = 7;
    refused(gt_binary_crossentropy(many, many), GT_INVALID, "got 7 in row 123");
    refused(gt_binary_crossentropy(gt_scalar(1, GT_FLOAT32), gt_scalar(5, GT_FLOAT32)), GT_INVALID,
            "(got 5)");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Fit and evaluate refuse, as a plan and eagerly, and nothing has changed. */
Test(losses, fit_refuses_scores)
{
    for (int eagerly = 0; eagerly < 2; eagerly++) {
        gt_Layer *model = gt_Sequential(gt_Dense(3));
        gt_Dataset *rows = gt_dataset_from_tensors(
            gt_array(gt_shape(4, 3), .5f, .25f, .25f, 0, 1, 0, 60, -60, 0, 1, 2, 3),
            gt_from_values_at(GT_HERE, gt_shape(4), GT_INT32, 4, (double[]){0, 1, 2, 0}),
            .batch_size = 4, .shuffle = false);
        gt_build(model, gt_shape(4, 3), GT_FLOAT32);
        gt_Variable *kernel = gt_weights(model).items[0];
        gt_assign(kernel, gt_eye(3));
        gt_compile(model, .optimizer = gt_Adam(), .loss = gt_SparseCategoricalCrossentropy(),
                   .run_eagerly = eagerly);
        refused(gt_fit(model, rows, .verbose = GT_VERBOSITY_SILENT), GT_INVALID, "got 60 in row 2");
        cr_assert(gt_dataset_position(rows).row == 0 &&
                  gt_optimizer_iterations(gt_compiled_optimizer(model)) == 0);
        for (int i = 0; i < 9; i++)
            cr_assert(gt_element(kernel, i) == (i % 4 == 0), "eagerly %d: weight %d moved", eagerly,
                      i);
        refused(gt_evaluate(model, rows), GT_INVALID, "give .from_logits = true");
        gt_compile(model, .optimizer = gt_Adam(),
                   .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
                   .run_eagerly = eagerly);
        cr_assert(gt_fit(model, rows, .verbose = GT_VERBOSITY_SILENT) != NULL);
        ok();
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* What wants logits refuses probabilities, also through views. */
Test(losses, logits_are_no_probabilities)
{
    gt_Tensor *p = gt_reshape(gt_softmax(logits(GT_FLOAT32)), gt_shape(1, 2, 3));
    gt_Tensor *one = gt_from_values_at(GT_HERE, gt_shape(1), GT_INT32, 1, (double[]){1});
    refused(gt_ctc_loss(gt_reshape(one, gt_shape(1, 1)), p, one, one), GT_INVALID,
            "the output of softmax");
    refused(gt_ctc_decode(p, one).labels, GT_INVALID, "the output of softmax");
    refused(gt_categorical(gt_reshape(p, gt_shape(2, 3)), 4), GT_INVALID, "the output of softmax");
    gt_context_free(NULL);
}

/* ---- labels of one column ---- */

typedef struct Column {
    const char *name;
    gt_Loss loss;
} Column;

/* Labels (n) count as (n, 1) for a loss object, as in Keras: integers and floats, in fit, evaluate
 * and metrics; the bare functions refuse. */
Test(losses, labels_of_one_column)
{
    enum { ROWS = 6 };
    const Column columns[] = {
        {"mse", gt_MeanSquaredError()},
        {"mae", gt_MeanAbsoluteError()},
        {"huber", gt_Huber(.delta = 0.3)},
        {"log_cosh", gt_LogCosh()},
        {"hinge", gt_Hinge()},
        {"squared_hinge", gt_SquaredHinge(.reduction = GT_REDUCTION_SUM)},
        {"poisson", gt_Poisson()},
        {"msle", gt_MeanSquaredLogarithmicError()},
        {"mape", gt_MeanAbsolutePercentageError()},
        {"categorical_hinge", gt_CategoricalHinge()},
        {"binary", gt_BinaryCrossentropy(.reduction = GT_REDUCTION_SUM)},
        {"kl", gt_KLDivergence()},
    };
    const gt_DType types[] = {GT_INT32, GT_INT64, GT_UINT8, GT_BOOL, GT_FLOAT32};
    const double labels[ROWS] = {1, 0, 0, 1, 1, 0};
    gt_Tensor *x = gt_array(gt_shape(ROWS, 2), .5f, .25f, .25f, 0, 1, 0, .1f, .6f, .7f, .2f, 0, 1);
    for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
        for (size_t t = 0; t < sizeof types / sizeof *types; t++)
            for (int eagerly = 0; eagerly < 2; eagerly++) {
                double loss[2], shown[2], metric[2];
                for (int column = 0; column < 2; column++) {
                    gt_Tensor *y =
                        gt_from_values_at(GT_HERE, column ? gt_shape(ROWS, 1) : gt_shape(ROWS),
                                          types[t], ROWS, labels);
                    gt_Layer *model = gt_Sequential(gt_Dense(
                        1, .activation = gt_sigmoid, .kernel_initializer = gt_Constant(0.5)));
                    gt_Dataset *rows =
                        gt_dataset_from_tensors(x, y, .batch_size = 4, .shuffle = false);
                    gt_compile(model, .optimizer = gt_SGD(0.1), .loss = columns[k].loss,
                               .metrics = gt_metrics(gt_LossMetric(columns[k].loss, .name = "m"),
                                                     gt_Accuracy()),
                               .run_eagerly = eagerly);
                    gt_History *history = gt_fit(model, rows, .verbose = GT_VERBOSITY_SILENT);
                    cr_assert(history != NULL, "%s of %s: %s", columns[k].name,
                              gt_dtype_name(types[t]), gt_error_message());
                    shown[column] = gt_history_get(history, "loss", 0);
                    metric[column] = gt_history_get(history, "m", 0);
                    loss[column] = gt_evaluate(model, rows).loss;
                    ok();
                    gt_layer_free(model);
                    gt_dataset_free(rows);
                }
                cr_assert(shown[0] == shown[1] && loss[0] == loss[1] && metric[0] == metric[1] &&
                              isfinite(loss[0]) && fabs(shown[0] - metric[0]) < 1e-6 * shown[0],
                          "%s of %s: %.17g and %.17g, %.17g and %.17g", columns[k].name,
                          gt_dtype_name(types[t]), shown[0], shown[1], loss[0], loss[1]);
            }
    gt_Tensor *y = gt_array(gt_shape(3), 1, 0, 1), *p = gt_array(gt_shape(3, 1), .5f, .25f, .5f);
    refused(gt_mean_squared_error(y, p), GT_INVALID, "gt_reshape");
    refused(gt_binary_crossentropy(y, p), GT_INVALID, "gt_reshape");
    refused(gt_hinge(gt_reshape(y, gt_shape(3, 1)), gt_reshape(p, gt_shape(3))), GT_INVALID,
            "gt_reshape");
    gt_context_free(NULL);
    assert_no_leaks();
}

static gt_Tensor *first_column(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    gt_Shape shape = gt_tensor_shape(in->x);
    shape.rank--;
    return gt_reshape(in->x, shape);
}

typedef struct Squeezing {
    gt_Layer base;
} Squeezing;

/* The other ranks, as Keras's squeeze_or_expand_to_same_rank; values of the formulas by hand. */
Test(losses, columns_of_other_ranks)
{
    static const gt_LayerClass squeezing = {
        .size = sizeof(gt_LayerClass), .name = "squeezing", .instance = sizeof(Squeezing), .call = first_column};
    const struct {
        gt_Shape x, y;
        bool squeezes;
        gt_Loss loss;
        double value;
    } cases[] = {
        /* predictions (4), labels (4, 1): a sum of four losses, not of one mean */
        {gt_shape(4, 1), gt_shape(4, 1), true, gt_MeanSquaredError(.reduction = GT_REDUCTION_SUM),
         30},
        {gt_shape(4, 1), gt_shape(4), true, gt_MeanSquaredError(), 7.5},
        {gt_shape(4, 1), gt_shape(4), false, gt_MeanSquaredError(.reduction = GT_REDUCTION_SUM),
         30},
        /* predictions (2, 2, 1), labels (2, 2): each sample's mean over time first */
        {gt_shape(2, 2, 1), gt_shape(2, 2), false,
         gt_MeanSquaredError(.reduction = GT_REDUCTION_SUM), 15},
        {gt_shape(2, 2, 1), gt_shape(2, 2, 1), false,
         gt_MeanSquaredError(.reduction = GT_REDUCTION_SUM), 30},
    };
    gt_Tensor *numbers = gt_array(gt_shape(4), 1, 2, 3, 4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gt_Layer *model =
            gt_Sequential(cases[i].squeezes ? gt_layer_new(&squeezing, &(Squeezing){{0}})
                                            : gt_Activation(gt_linear));
        gt_Dataset *rows = gt_dataset_from_tensors(gt_reshape(numbers, cases[i].x),
                                                   gt_zeros(cases[i].y), .batch_size = 4);
        gt_compile(model, .loss = cases[i].loss);
        double loss = gt_evaluate(model, rows).loss;
        ok();
        cr_assert(loss == cases[i].value, "%zu: %g, not %g", i, loss, cases[i].value);
    }
    /* Another shape stays an error, and class numbers for gt_categorical_crossentropy say so. */
    gt_Layer *model = gt_Sequential(gt_Dense(3, .activation = gt_softmax));
    gt_Dataset *rows = gt_dataset_from_tensors(gt_reshape(numbers, gt_shape(4, 1)),
                                               gt_zeros(gt_shape(4), .dtype = GT_INT32));
    gt_compile(model, .optimizer = gt_SGD(0.1), .loss = gt_CategoricalCrossentropy());
    refused(gt_fit(model, rows, .verbose = GT_VERBOSITY_SILENT), GT_INVALID,
            "gt_sparse_categorical_crossentropy");
    gt_compile(model, .optimizer = gt_SGD(0.1), .loss = gt_MeanSquaredError());
    refused(gt_fit(model, rows, .verbose = GT_VERBOSITY_SILENT), GT_INVALID, "(4,)");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- a loss value, by hand ---- */

/* -log softmax of three scores at a class. */
static double surprise(const double *scores, int class)
{
    return log(exp(scores[0]) + exp(scores[1]) + exp(scores[2])) - scores[class];
}

static gt_Status computed(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_compute_loss(gt_SparseCategoricalCrossentropy(.from_logits = true), in[1], in[0]);
    return gt_status();
}

Test(losses, by_hand)
{
    static const double scores[] = {1, 2, 3, 0, 0, 1, 4, 1, 1, -1, 2, 0, 9, -9, 0, 3, 3, 3};
    static const int labels[] = {0, 2, 1, 1, 0, 2};
    const bool counts[] = {true, true, false, true, false, false};
    double all = 0, counted = 0, weighted = 0;
    for (int i = 0; i < 6; i++) {
        double loss = surprise(scores + 3 * i, labels[i]);
        all += loss / 6;
        counted += counts[i] ? loss / 3 : 0;
        weighted += counts[i] ? loss * (i < 3 ? 2 : 0.5) / 3 : 0;
    }
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *y = gt_from_data(labels, gt_shape(2, 3), GT_INT32);
    gt_Tensor *p = gt_from_data(scores, gt_shape(2, 3, 3), GT_FLOAT64);
    gt_Tensor *masked = gt_with_mask(p, gt_from_data(counts, gt_shape(2, 3), GT_BOOL));
    gt_Tensor *weights = gt_array64(gt_shape(2), 2, 0.5);
    gt_Loss loss = gt_SparseCategoricalCrossentropy(.from_logits = true);
    /* The mask's weights are float32, with Keras's epsilon. */
    cr_assert_float_eq(gt_item(gt_compute_loss(loss, y, p)), all, 1e-12);
    cr_assert_float_eq(gt_item(gt_compute_loss(loss, y, masked)), counted, 1e-6);
    cr_assert_float_eq(gt_item(gt_compute_loss(loss, y, masked, .sample_weight = weights)),
                       weighted, 1e-6);

    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, p);
    gt_Tensor *again = gt_with_mask(p, gt_mask(masked));
    gt_Tensor *slope = gt_gradient(tape, gt_compute_loss(loss, y, again), p);
    for (int i = 0; i < 18; i++)
        cr_assert_eq(gt_element(slope, i) != 0, counts[i / 3], "%d: %g", i, gt_element(slope, i));
    gt_tape_end(tape);

    gt_Function *function = gt_function(computed, NULL);
    gt_Tensor *traced = NULL;
    gt_function_call(function, gt_tensors(masked, y), &traced);
    cr_assert_eq(gt_item(traced), gt_item(gt_compute_loss(loss, y, masked)));
    gt_function_free(function);
    ok();

    refused(gt_compute_loss((gt_Loss)GT_NOT_GIVEN, y, p), GT_INVALID,
            "test: compute_loss: a loss such as");
    refused(gt_compute_loss(loss, NULL, p), GT_INVALID, "test: compute_loss");
    refused(gt_compute_loss(loss, y, NULL), GT_INVALID, "test: compute_loss");
    refused(gt_compute_loss(loss, p, p), GT_INVALID, "test: compute_loss");
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- classes ---- */

static void fails(gt_Status status, const char *part)
{
    cr_assert(gt_status() == status && strstr(gt_error_message(), part), "status %d, \"%s\" lacks \"%s\"", (int)gt_status(),
              gt_error_message(), part);
    gt_error_clear();
}

Test(losses, classes_by_name)
{
    int count = 0;
    const gt_LossClass *const *classes = gt_loss_classes(&count);
    cr_assert_eq(count, 23);
    for (int i = 0; i < count; i++) {
        cr_assert(gt_loss_class_find(classes[i]->name) == classes[i]);
        cr_assert(!classes[i]->keras || gt_loss_class_find(classes[i]->keras) == classes[i]);
        gt_Loss loss = gt_loss_make(classes[i], NULL);
        cr_assert(loss.type == classes[i]);
    }
    gt_Loss mse = gt_MeanSquaredError(), bce = gt_BinaryCrossentropy(), kld = gt_KLDivergence();
    cr_assert(gt_loss_class_find("mse") == mse.type && gt_loss_class_find("BCE") == bce.type &&
              gt_loss_class_find("kld") == kld.type);
    gt_Loss ce = gt_Crossentropy();
    cr_assert(gt_loss_class_find("ce") == ce.type && gt_loss_class_find("crossentropy") == ce.type);
    cr_assert_null(gt_loss_class_find("ms"));
    cr_assert_null(gt_loss_class_find(NULL));
    gt_context_free(NULL);
}

/* The weighted mean divides by the weights of all losses; without weights it is the mean. */
Test(losses, means_by_weights)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *t = gt_array(gt_shape(3, 2), 1, 0, 0, 1, 1, 1), *p = gt_array(gt_shape(3, 2), 0.5, 0.25, 0.75, 0.5, 0.125, 0.5);
    gt_Tensor *w = gt_array(gt_shape(3), 1, 0.5, 2);
    gt_Tensor *each = gt_binary_crossentropy(t, p, .reduction = GT_REDUCTION_NONE);
    double expected = gt_item(gt_divide(gt_sum(gt_multiply(each, w)), gt_sum(w)));
    double got = gt_item(gt_binary_crossentropy(t, p, .sample_weight = w, .reduction = GT_REDUCTION_MEAN_WITH_SAMPLE_WEIGHT));
    cr_assert(fabs(got - expected) < 1e-6, "%g instead of %g", got, expected);
    got = gt_item(gt_mean_squared_error(t, p, .reduction = GT_REDUCTION_MEAN_WITH_SAMPLE_WEIGHT));
    cr_assert(got == gt_item(gt_mean_squared_error(t, p)));
    gt_scope_end(scope);
    gt_context_free(NULL);
}

Test(losses, refused_options)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *t = gt_array(gt_shape(2, 2), 1, 0, 0, 1), *p = gt_array(gt_shape(2, 2), 0.5, 0.5, 0.25, 0.75);
    gt_Tensor *classes = gt_cast(gt_array(gt_shape(2), 0, 1), GT_INT32);
    cr_assert_null(gt_binary_focal_crossentropy(t, p, .gamma = -1));
    fails(GT_INVALID, "gamma must be >= 0 (got -1)");
    cr_assert_null(gt_categorical_focal_crossentropy(t, p, .gamma = NAN));
    fails(GT_INVALID, "gamma must be >= 0");
    cr_assert_null(gt_categorical_focal_crossentropy(classes, p));
    fails(GT_INVALID, "gt_one_hot class numbers");
    cr_assert_null(gt_categorical_focal_crossentropy(t, p, .axis = 2));
    fails(GT_INVALID, "axis 2");
    cr_assert_null(gt_categorical_generalized_cross_entropy(classes, p, .q = 1));
    fails(GT_INVALID, "q must be between 0 and 1 (got 1)");
    cr_assert_null(gt_categorical_generalized_cross_entropy(t, p));
    fails(GT_INVALID, "y_true must be integers");
    cr_assert_null(gt_dice(gt_ones(gt_shape(2, 3)), p));
    fails(GT_INVALID, "must have the same shape");
    cr_assert_null(gt_dice(t, p, .axes = gt_axes(0, 0)));
    fails(GT_INVALID, "dice: ");
    cr_assert_null(gt_tversky(t, NULL));
    fails(GT_INVALID, "tversky: ");
    cr_assert_null(gt_circle(t, p));
    fails(GT_INVALID, "y_true must be integers (batch) and y_pred floats (batch, features)");
    cr_assert_null(gt_circle(gt_cast(gt_ones(gt_shape(3)), GT_INT32), p));
    fails(GT_INVALID, "y_true must be integers (batch)");
    gt_scope_end(scope);
    gt_context_free(NULL);
}

/* A value computes what its function does, with its options. */
Test(losses, values_compute_as_functions)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *t = gt_array(gt_shape(3, 2), 1, 0, 0, 1, 1, 0), *p = gt_array(gt_shape(3, 2), 0.5, 0.5, 0.75, 0.25, 0.125, 0.875);
    gt_Tensor *classes = gt_cast(gt_array(gt_shape(3), 0, 1, 0), GT_INT32);
    const struct {
        gt_Loss loss;
        gt_Tensor *y_true, *expected;
    } cases[] = {
        {gt_BinaryFocalCrossentropy(.gamma = 1), t, gt_binary_focal_crossentropy(t, p, .gamma = 1)},
        {gt_CategoricalFocalCrossentropy(.alpha = 0.5), t, gt_categorical_focal_crossentropy(t, p, .alpha = 0.5)},
        {gt_CategoricalGeneralizedCrossEntropy(.q = 0.25), classes,
         gt_categorical_generalized_cross_entropy(classes, p, .q = 0.25)},
        {gt_Circle(.gamma = 2), classes, gt_circle(classes, p, .gamma = 2)},
        {gt_Dice(.axes = gt_axes(-1)), t, gt_dice(t, p, .axes = gt_axes(-1))},
        {gt_Tversky(.alpha = 0.25), t, gt_tversky(t, p, .alpha = 0.25)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gt_Metric *metric = gt_LossMetric(cases[i].loss);
        cr_assert(gt_metric_update(metric, cases[i].y_true, p) == GT_OK, "%s", gt_error_message());
        double expected = gt_item(cases[i].expected);
        cr_assert(fabs(gt_metric_result(metric) - expected) < 1e-6, "%d: %g instead of %g", (int)i,
                  gt_metric_result(metric), expected);
        gt_metric_free(metric);
    }
    gt_scope_end(scope);
    gt_context_free(NULL);
}
