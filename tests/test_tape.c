/* What a tape must do: TensorFlow's own oracle tests (tensorflow/python/eager/backprop_test.py, names
 * and numbers) as far as operations can express them, then what is ours: scopes, stale handles,
 * order of calls, explanations. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ONE(x)       gt_tensors(x)
#define NONE_IS_FINE .unconnected = GT_UNCONNECTED_NONE

static gt_Variable *var(double value)
{
    return gt_variable(gt_scalar(value, GT_FLOAT64));
}

static void ok(const char *what)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
}

static void is(gt_Tensor *tensor, double value, const char *what)
{
    cr_assert_not_null(tensor, "%s: %s", what, gt_error_message());
    double got = gt_item(tensor);
    cr_assert(fabs(got - value) < 1e-9, "%s: %g instead of %g", what, got, value);
}

static void fails(gt_Status status, const char *text)
{
    cr_assert(gt_status() == status, "status %d instead of %d: %s", gt_status(), status,
              gt_error_message());
    cr_assert(strstr(gt_error_message(), text), "\"%s\" lacks \"%s\"", gt_error_message(), text);
    gt_error_clear();
}

Test(tape, targets_and_sources)
{
    gt_Tensor *g[3];
    gt_Variable *x = var(3), *y = var(2);
    gt_Tape *tape = gt_tape_begin(); /* testTwoTargets */
    gt_gradients(tape, gt_tensors(gt_multiply(x, 2), gt_multiply(y, 3)), gt_tensors(x, y), g);
    is(g[0], 2, "testTwoTargets");
    is(g[1], 3, "testTwoTargets");
    gt_tape_end(tape);

    tape = gt_tape_begin(.persistent = true); /* testTapeNoOpGradient: y is x */
    gt_watch(tape, x);
    is(gt_gradient(tape, x, x), 1, "testTapeNoOpGradient");
    gt_gradients(tape, gt_tensors(x, x), ONE(x), g);
    is(g[0], 2, "testTapeNoOpGradientMultiTargetAllSource");
    gt_tape_end(tape);

    gt_assign(x, 2);
    tape = gt_tape_begin();
    gt_gradients(tape, gt_tensors(x, gt_square(x)), ONE(x), g);
    is(g[0], 5, "testTapeGradientMultiTargetOneIsSource");
    gt_tape_end(tape);

    gt_assign(x, 3);
    gt_assign(y, 5);
    tape = gt_tape_begin();
    gt_watch(tape, x);
    gt_gradients(tape, gt_tensors(x, y, gt_square(y)), gt_tensors(x, y), g);
    is(g[0], 1, "MultiTargetMultiSource");
    is(g[1], 11, "MultiTargetMultiSource");
    gt_tape_end(tape);

    gt_assign(y, 2);
    tape = gt_tape_begin();
    gt_Tensor *loss = gt_multiply(x, y);
    gt_Tensor *seeds[] = {gt_scalar(1, GT_FLOAT64), gt_scalar(2, GT_FLOAT64)};
    gt_gradients(tape, gt_tensors(loss, x), ONE(x), g, .output_gradients = seeds);
    is(g[0], 4, "testOutputGradUsedInComputation");
    gt_tape_end(tape);

    gt_assign(x, 10);
    tape = gt_tape_begin(); /* testNoOpBehaviorConsistent */
    gt_Tensor *x1 = gt_identity(x), *x2 = gt_add(x, 0), *x3 = gt_subtract(x, 0),
              *x4 = gt_multiply(x, 1);
    gt_Tensor *sum = gt_add(gt_multiply(x, 2), gt_multiply(x1, 3));
    sum = gt_add(sum, gt_add(gt_multiply(x2, 3), gt_add(gt_multiply(x3, 3), gt_multiply(x4, 3))));
    gt_Tensor *five[5];
    gt_gradients(tape, ONE(sum), gt_tensors(x, x1, x2, x3, x4), five);
    is(five[0], 14, "all paths into x"); /* as sources, the others get 3 each */
    for (int i = 1; i < 5; i++)
        is(five[i], 3, "testNoOpBehaviorConsistent");
    gt_tape_end(tape);

    gt_assign(x, 3);
    tape = gt_tape_begin(); /* testNestedGradients: intermediates may be sources */
    gt_Tensor *a = gt_square(x), *b = gt_square(a);
    gt_gradients(tape, ONE(b), gt_tensors(x, a), g);
    is(g[0], 108, "testNestedGradients");
    is(g[1], 18, "testNestedGradients");
    gt_tape_end(tape);

    gt_assign(x, 3);
    gt_assign(y, 5);
    tape = gt_tape_begin(.persistent = true);
    gt_Tensor *z = gt_add(gt_square(x), gt_multiply(x, y));
    gt_gradients(tape, ONE(z), gt_tensors(x, x), g);
    is(g[0], 11, "testGradientTapeRepeatedSource");
    is(g[1], 11, "testGradientTapeRepeatedSource");
    gt_gradients(tape, ONE(z), gt_tensors(y, x), g);
    is(g[0], 3, "testGradientTapeRepeatedSource");
    is(g[1], 11, "testGradientTapeRepeatedSource");
    gt_tape_end(tape);
    gt_variable_free(x);
    gt_variable_free(y);
    ok("end");
}

Test(tape, recording)
{
    gt_Tensor *g[3];
    gt_Variable *v = var(1), *frozen = gt_variable(gt_scalar(2, GT_FLOAT64), .trainable = false);
    gt_Tape *tape = gt_tape_begin(.persistent = true); /* testTapeStopStartRecording */
    gt_Tensor *x2 = gt_multiply(v, 2);
    gt_tape_pause(tape);
    gt_Tensor *y = gt_square(x2);
    gt_tape_resume(tape);
    gt_Tensor *z = gt_square(x2);
    gt_gradients(tape, ONE(y), ONE(x2), g, NONE_IS_FINE);
    cr_assert_null(g[0]);
    is(gt_gradient(tape, z, x2), 4, "testTapeStopStartRecording");
    gt_tape_resume(tape);
    fails(GT_STATE, "already recording");
    gt_tape_end(tape);

    tape = gt_tape_begin(); /* testTapeReset */
    gt_Tensor *total = gt_square(v);
    gt_tape_reset(tape);
    total = gt_add(total, gt_square(v));
    is(gt_gradient(tape, total, v), 2, "testTapeReset");
    gt_tape_end(tape);

    gt_assign(v, 3);
    tape = gt_tape_begin(); /* testGradientTapeReEnterContext */
    gt_Tensor *twice = gt_multiply(v, 2);
    gt_tape_pause(tape);
    gt_tape_resume(tape);
    is(gt_gradient(tape, gt_multiply(twice, 2), v), 4, "testGradientTapeReEnterContext");
    gt_tape_end(tape);

    gt_Variable *w = var(1);
    gt_assign(v, 1);
    tape = gt_tape_begin(.watch_accessed_variables = false); /* testSelectivelyWatchVariables */
    gt_watch(tape, w);
    gt_Tensor *s = gt_add(gt_square(v), gt_multiply(w, gt_square(w)));
    gt_gradients(tape, ONE(s), gt_tensors(v, w), g, NONE_IS_FINE);
    cr_assert_null(g[0]);
    is(g[1], 3, "testSelectivelyWatchVariables");
    gt_tape_end(tape);

    tape = gt_tape_begin(); /* a variable that is not trainable is watched on demand only */
    gt_Tensor *f = gt_square(frozen);
    gt_gradient(tape, f, frozen);
    fails(GT_NO_GRADIENT, "is not trainable, and gt_watch was not called");
    gt_tape_end(tape);

    tape = gt_tape_begin(); /* in the order of their making, whatever the order of reading */
    gt_add(w, v);
    gt_Tensors watched = gt_watched_variables(tape);
    cr_assert(watched.count == 2 && watched.items[0] == v && watched.items[1] == w);
    gt_tape_reset(tape);
    cr_assert(gt_watched_variables(tape).count == 0);
    gt_tape_end(tape);
    gt_variable_free(v);
    gt_variable_free(w);
    gt_variable_free(frozen);
    ok("end");
}

Test(tape, functions)
{
    gt_Tensor *g[3];
    gt_Variable *a = var(2), *b = var(3), *c = var(5);
    gt_Tape *tape = gt_tape_begin(); /* testPythonMax: C chooses, the others are unconnected */
    gt_Tensor *largest = gt_item(a) > gt_item(b) ? a : b;
    largest = gt_item(c) > gt_item(largest) ? c : largest;
    gt_watch(tape, c);
    gt_gradients(tape, ONE(largest), gt_tensors(a, b, c), g, NONE_IS_FINE);
    cr_assert(!g[0] && !g[1]);
    is(g[2], 1, "testPythonMax");
    gt_tape_end(tape);

    tape = gt_tape_begin(); /* testGradientTapeStructure; testWatchBadThing */
    gt_Tensor *all = gt_add(a, gt_add(gt_multiply(b, 2), gt_multiply(c, 3)));
    gt_gradients(tape, ONE(all), gt_tensors(a, b, c), g);
    for (int k = 0; k < 3; k++)
        is(g[k], k + 1, "testGradientTapeStructure");
    gt_watch(tape, NULL);
    fails(GT_INVALID, "the tensor is NULL");
    gt_tape_end(tape);

    for (int k = 0; k < 2; k++) { /* testWhereGradient */
        gt_Variable *x = var(k ? 50 : 5);
        tape = gt_tape_begin();
        gt_Tensor *y = gt_where(gt_less(x, 10), x, gt_square(x));
        is(gt_gradient(tape, y, x), k ? 100 : 1, "testWhereGradient");
        gt_tape_end(tape);
        gt_variable_free(x);
    }

    gt_Variable *matrix = gt_variable(gt_array64(gt_shape(2, 2), 1, 2, 3, 4));
    tape = gt_tape_begin(.persistent = true);
    gt_Tensor *y = gt_square(a);
    gt_gradients(tape, ONE(y), ONE(matrix), g, NONE_IS_FINE);
    cr_assert_null(g[0], "testUnconnectedGradientsDefault");
    gt_gradients(tape, ONE(y), ONE(matrix), g, .unconnected = GT_UNCONNECTED_ZERO);
    cr_assert(gt_size(g[0]) == 4 && gt_at(g[0], 3) == 0, "testUnconnectedGradientsZeros");
    gt_gradients(tape, ONE(y), ONE(matrix), g, .unconnected = (gt_Unconnected)7);
    fails(GT_INVALID, "GT_UNCONNECTED_");
    gt_gradient(tape, y, matrix);
    fails(GT_NO_GRADIENT, "was not read while this tape recorded");
    gt_tape_end(tape);

    tape = gt_tape_begin(); /* testGradientTapeGradientCalledMultipleTimes */
    y = gt_square(a);
    is(gt_gradient(tape, y, a), 4, "once");
    gt_gradient(tape, y, a);
    fails(GT_STATE, ".persistent = true");
    gt_tape_end(tape);

    tape = gt_tape_begin(); /* testGradientInteger */
    gt_Tensor *whole = gt_cast(gt_square(a), GT_INT32);
    gt_gradient(tape, whole, a);
    fails(GT_NO_GRADIENT, "only floats have gradients");
    gt_watch(tape, whole);
    fails(GT_INVALID, "only floats can be watched");
    gt_Tensor *again = gt_square(gt_cast(whole, GT_FLOAT64));
    gt_gradient(tape, again, a);
    fails(GT_NO_GRADIENT, "whole numbers");
    gt_tape_end(tape);

    gt_Variable *logits = gt_variable(gt_array64(gt_shape(1, 2), 0, 0)); /* testGradientNone */
    tape = gt_tape_begin();
    gt_Tensor *loss = gt_categorical_crossentropy(gt_array64(gt_shape(1, 2), 1, 0), logits,
                                                  .from_logits = true);
    gt_Tensor *d = gt_gradient(tape, loss, logits);
    cr_assert(d && fabs(gt_at(d, 0) + 0.5) < 1e-12 && fabs(gt_at(d, 1) - 0.5) < 1e-12, "%s",
              gt_error_message());
    gt_tape_end(tape);
    gt_Variable *x = gt_variable(gt_array64(gt_shape(1, 1), 3)); /* testSecondGrad: one logit */
    gt_Tape *outer = gt_tape_begin();
    tape = gt_tape_begin();
    loss = gt_categorical_crossentropy(gt_array64(gt_shape(1, 1), 1), x, .from_logits = true);
    d = gt_gradient(tape, loss, x);
    gt_tape_end(tape);
    is(gt_gradient(outer, d, x), 0, "testSecondGrad");
    gt_tape_end(outer);
    gt_variable_free(a);
    gt_variable_free(b);
    gt_variable_free(c);
    gt_variable_free(x);
    gt_variable_free(logits);
    gt_variable_free(matrix);
    ok("end");
}

/* A second derivative written the natural way. */
Test(tape, higher_order)
{
    gt_Tensor *g[3];
    gt_Variable *x = var(3);
    gt_Tape *outer = gt_tape_begin();
    gt_Tape *inner = gt_tape_begin();
    gt_Tensor *y = gt_multiply(x, gt_square(x));
    gt_Tensor *dy = gt_gradient(inner, y, x);
    gt_tape_end(inner);
    gt_Tensor *ddy = gt_gradient(outer, dy, x);
    is(dy, 27, "first derivative of x^3");
    is(ddy, 18, "second derivative of x^3");
    gt_tape_end(outer);

    gt_Tape *tape = gt_tape_begin(.persistent = true); /* testHigherOrderGradient */
    y = gt_multiply(x, gt_square(x));
    is(y, 27, "x^3");
    gt_Tensor *d1 = gt_gradient(tape, y, x);
    gt_Tensor *d2 = gt_gradient(tape, d1, x);
    gt_Tensor *d3 = gt_gradient(tape, d2, x);
    is(d1, 27, "testHigherOrderGradient");
    is(d2, 18, "testHigherOrderGradient");
    is(d3, 6, "testHigherOrderGradient");
    gt_tape_end(tape);

    gt_Variable *x1 = gt_variable(gt_scalar(2, GT_FLOAT64), .trainable = false);
    gt_Variable *x2 = gt_variable(gt_scalar(2, GT_FLOAT64), .trainable = false);
    outer = gt_tape_begin(); /* testWatchingIsTapeLocal */
    gt_watch(outer, x1);
    inner = gt_tape_begin();
    gt_watch(inner, x1);
    gt_watch(inner, x2);
    y = gt_add(gt_multiply(x1, gt_square(x1)), gt_square(x2));
    gt_gradients(inner, ONE(y), gt_tensors(x1, x2), g);
    gt_tape_end(inner);
    gt_Tensor *h[2];
    gt_gradients(outer, ONE(g[0]), gt_tensors(x1, x2), h, NONE_IS_FINE);
    is(h[0], 12, "testWatchingIsTapeLocal");
    cr_assert_null(h[1]);
    gt_tape_end(outer);

    outer = gt_tape_begin(); /* testGradientTape */
    gt_watch(outer, x);
    y = gt_square(x);
    inner = gt_tape_begin();
    gt_watch(inner, y);
    gt_Tensor *z = gt_multiply(y, 2);
    is(gt_gradient(inner, z, y), 2, "testGradientTape");
    gt_tape_end(inner);
    y = gt_add(y, 2);
    is(gt_gradient(outer, y, x), 6, "testGradientTape");
    gt_tape_end(outer);
    gt_variable_free(x);
    gt_variable_free(x1);
    gt_variable_free(x2);
    ok("end");
}

/* Law 3: an assignment leaves the old numbers to whoever holds them, and the address stays. */
Test(tape, assignment)
{
    gt_Variable *v = var(3);
    const double *address = gt_float64_data(v);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *view = gt_reshape(v, gt_shape(1));
    gt_Tensor *y = gt_multiply(v, v);
    gt_assign(v, 5);
    cr_assert(gt_float64_data(v) == address && *address == 5);
    cr_assert(gt_at(view, 0) == 3, "a view of the old value shows %g", gt_at(view, 0));
    is(gt_gradient(tape, y, v), 6, "the old value is used");
    gt_tape_end(tape);

    tape = gt_tape_begin();
    y = gt_add(gt_square(v), 0);
    gt_assign(v, 7);
    y = gt_add(y, gt_square(v));
    is(gt_gradient(tape, y, v), 24, "reads before and after both count");
    gt_tape_end(tape);

    gt_assign(v, gt_array64(gt_shape(2), 1, 2));
    fails(GT_INVALID, "the variable is float64 (), the value float64 (2,)");
    gt_assign(v, gt_scalar(1, GT_FLOAT32));
    fails(GT_INVALID, "the value float32 ()");
    gt_assign(gt_scalar(1, GT_FLOAT64), 2);
    fails(GT_INVALID, "this is a tensor, not a variable");
    is(v, 7, "nothing was changed");
    gt_assign_add(v, 1);
    gt_assign_sub(v, 3);
    is(v, 5, "7 + 1 - 3");
    gt_negative(NULL);
    gt_assign(v, 1); /* refused while an error is pending */
    gt_error_clear();
    is(v, 5, "no change while an error is pending");
    gt_variable_free(v);
    ok("end");
}

Test(tape, explanations)
{
    gt_Variable *x = gt_variable(gt_scalar(3, GT_FLOAT64), .name = "x"), *other = var(1);
    gt_Tensor *constant = gt_scalar(2, GT_FLOAT64);
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *y = gt_square(x);
    gt_Tensor *cut = gt_square(gt_stop_gradient(y));
    gt_Tensor *steps = gt_multiply(gt_floor(y), 2);
    gt_multiply(other, 2);
    struct {
        gt_Tensor *target, *source;
        const char *text;
    } rows[] = {
        {y, x, "there is a gradient"},
        {cut, x, "stop_gradient at "},
        {steps, x, "floor at "},
        {y, other, "the target was not computed from variable variable"},
        {y, constant, "was not watched"},
        {constant, x, "the target was not computed while this tape recorded"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text = gt_explain_gradient(tape, rows[i].target, rows[i].source);
        cr_assert(strstr(text, rows[i].text), "row %zu: %s", i, text);
    }
    cr_assert(strstr(gt_explain_gradient(tape, cut, x), "test_tape.c:"), "%s",
              gt_explain_gradient(tape, cut, x));
    gt_gradient(tape, cut, x);
    fails(GT_NO_GRADIENT, "it is what cuts a gradient");
    gt_tape_end(tape);
    gt_variable_free(x);
    gt_variable_free(other);
    ok("end");
}

Test(tape, order_of_calls)
{
    gt_Variable *x = var(3);
    gt_Tape *outer = gt_tape_begin(), *inner = gt_tape_begin();
    gt_tape_end(outer);
    fails(GT_STATE, "not the innermost");
    gt_tape_end(inner);
    gt_tape_end(inner);
    fails(GT_STALE, "this tape ended");
    gt_square(inner == outer ? x : x);
    gt_Scope *scope = gt_scope_begin();
    gt_tape_end(outer);
    fails(GT_STATE, "a scope that was opened inside this tape is still open");
    gt_scope_end(scope);
    gt_scope_end(scope);
    fails(GT_STATE, "not the innermost");
    gt_tape_end(outer);
    gt_gradient(outer, x, x);
    fails(GT_STALE, "this tape ended");
    gt_gradient(NULL, x, x);
    fails(GT_INVALID, "the tape is NULL");
    gt_scope_end(scope);
    fails(GT_STATE, "no scope is open");
    cr_assert(gt_scope_end(NULL) == GT_OK);
    cr_assert(gt_tape_end(NULL) == GT_OK);

    scope = gt_scope_begin();
    gt_Tensor *y = gt_square(x), *kept = gt_keep(gt_square(x));
    gt_scope_end(scope);
    is(kept, 9, "a kept tensor lives on");
    gt_add(kept, y);
    fails(GT_STALE, "add: input 2 was used after its scope or tape ended");
    gt_keep(kept);
    fails(GT_STATE, "no scope is open");

    gt_Tape *tapes[64];
    for (int i = 0; i < 64; i++)
        tapes[i] = gt_tape_begin();
    cr_assert_null(gt_tape_begin());
    fails(GT_STATE, "64 tapes");
    for (int i = 63; i >= 0; i--)
        gt_tape_end(tapes[i]);
    gt_variable_free(x);
    gt_square(x);
    fails(GT_STALE, "after its variable was freed");
    ok("end");
}

/* The first error of an expression is the one that is reported, with the caller's file and line. */
Test(tape, errors_in_expressions)
{
    gt_Tensor *a = gt_array(gt_shape(2, 3), 1, 2, 3, 4, 5, 6), *b = gt_array(gt_shape(2), 1, 2);
    char expected[256];
    snprintf(expected, sizeof expected,
             "%s:%d: matmul: inner dimensions differ: (2, 3) x (2, 3)", __FILE__, __LINE__ + 1);
    gt_Tensor *y = gt_multiply(gt_add(gt_matmul(a, a), b), gt_exp(gt_log(a)));
    cr_assert_null(y);
    cr_assert_str_eq(gt_error_message(), expected);
    cr_assert_null(gt_square(a), "an error is pending");
    cr_assert(gt_status() == GT_INVALID);
    cr_assert_str_eq(gt_error_message(), expected);
    gt_error_clear();
    cr_assert_not_null(gt_square(a));
    gt_add(a, gt_array64(gt_shape(2, 3), 1, 2, 3, 4, 5, 6));
    fails(GT_INVALID, "types differ: float32 and float64");
    gt_add(a, gt_array(gt_shape(4), 1, 2, 3, 4));
    fails(GT_INVALID, "shapes do not broadcast: (2, 3) and (4,)");
}

/* A model's numbers, and their gradients, in one block each. */
Test(tape, packing)
{
    gt_Variable *a = gt_variable(gt_array64(gt_shape(2, 2), 1, 2, 3, 4), .name = "a"), *b = var(5),
                *c = gt_variable(gt_array(gt_shape(1), 7), .name = "c");
    cr_assert_null(gt_pack(gt_tensors(a, b, c)));
    fails(GT_INVALID, "variable c is float32, those before it are float64");
    cr_assert_null(gt_pack(gt_tensors(a, a)));
    fails(GT_INVALID, "twice");
    cr_assert_null(gt_pack(((gt_Tensors){0, NULL})));
    fails(GT_INVALID, "no variables");
    double *block = gt_pack(gt_tensors(a, b));
    ok("pack");
    cr_assert(gt_float64_data(a) == block && gt_float64_data(b) == block + 4 && block[4] == 5);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_sum(gt_multiply(gt_square(a), b));
    gt_assign(a, gt_array64(gt_shape(2, 2), 10, 20, 30, 40)); /* the tape holds the old numbers */
    cr_assert(gt_float64_data(a) == block && block[3] == 40, "the block does not move");
    double gradients[5];
    gt_gradients_into(tape, y, gt_tensors(a, b), gradients, sizeof gradients);
    ok("gradients_into");
    cr_assert(gradients[0] == 10 && gradients[3] == 40 && gradients[4] == 30, "%g %g %g",
              gradients[0], gradients[3], gradients[4]);
    gt_tape_end(tape);
    block[4] = 6; /* the block is the variables */
    is(b, 6, "written through the block");
    double mine[5];
    cr_assert_null(gt_pack(gt_tensors(a, b), .memory = mine, .bytes = 8));
    fails(GT_INVALID, "8 bytes, 40 are needed");
    cr_assert(gt_pack(gt_tensors(b, a), .memory = mine, .bytes = sizeof mine) == mine);
    cr_assert(mine[0] == 6 && mine[4] == 40 && gt_float64_data(a) == mine + 1);
    tape = gt_tape_begin();
    y = gt_square(b);
    gt_gradients_into(tape, y, gt_tensors(a, b), gradients, 8);
    fails(GT_INVALID, "8 bytes, 40 are needed");
    gt_tape_end(tape);
    gt_variable_free(a);
    gt_variable_free(b);
    gt_variable_free(c);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Long tapes are freed without deep recursion, dead branches while recording. */
Test(tape, memory)
{
    gt_Variable *x = gt_variable(gt_array(gt_shape(4), 1, 2, 3, 4));
    gt_MemoryStats before = {0}, after;
    for (int round = 0; round < 3; round++) {
        gt_Tape *tape = gt_tape_begin();
        gt_Tensor *y = x;
        for (int i = 0; i < 200000; i++) {
            gt_Scope *scope = gt_scope_begin();
            y = gt_add(y, 1);
            y = gt_keep(y);
            gt_square(y); /* dead at the end of the scope */
            gt_scope_end(scope);
        }
        cr_assert(gt_memory_stats().records <= 200000 + 1, "%lld records",
                  (long long)gt_memory_stats().records);
        gt_Tensor *g = gt_gradient(tape, gt_sum(y), x);
        cr_assert(g && gt_at(g, 0) == 1);
        gt_tape_end(tape);
        if (round == 0)
            before = gt_memory_stats();
    }
    after = gt_memory_stats();
    cr_assert(after.records == 0);
    cr_assert(after.bytes_in_use == before.bytes_in_use);
    cr_assert(after.allocator_calls == before.allocator_calls, "%lld more system allocations",
              (long long)(after.allocator_calls - before.allocator_calls));
    gt_context_free(NULL);
    assert_no_leaks();
}
