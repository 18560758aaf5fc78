/* What a tape does beyond TensorFlow's oracle tests (test_contract.c): scopes, stale handles, order
 * of calls, assignments, explanations, memory. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ONE(x) gt_tensors(x)

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

Test(tape, recording)
{
    gt_Tensor *g[2];
    gt_Variable *x = var(10), *frozen = gt_variable(gt_scalar(2, GT_FLOAT64), .trainable = false);
    gt_Tape *tape = gt_tape_begin(); /* what is between is a source like any other */
    gt_Tensor *x1 = gt_identity(x);
    gt_gradients(tape, ONE(gt_add(gt_multiply(x, 2), gt_multiply(x1, 3))), gt_tensors(x, x1), g);
    is(g[0], 5, "all paths into x");
    is(g[1], 3, "what arrives at x1");
    gt_tape_end(tape);

    tape = gt_tape_begin(); /* a variable that is not trainable is watched on demand only */
    gt_Tensor *f = gt_square(frozen);
    gt_gradient(tape, f, frozen);
    fails(GT_NO_GRADIENT, "is not trainable, and gt_watch was not called");
    gt_tape_end(tape);

    tape = gt_tape_begin();
    gt_square(x);
    cr_assert(gt_watched_variables(tape).count == 1);
    gt_tape_reset(tape);
    cr_assert(gt_watched_variables(tape).count == 0);
    gt_tape_end(tape);
    gt_variable_free(x);
    gt_variable_free(frozen);
    ok("end");
}

/* A second derivative written the natural way. */
Test(tape, higher_order)
{
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

    gt_variable_free(x);
    ok("end");
}

/* What an inner tape watches is where things begin for it, whoever else watches what that was made of. */
Test(tape, watching_what_another_tape_made)
{
    for (int around = 0; around < 2; around++) {
        gt_Tensor *g[4], *out[2];
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_scalar(3, GT_FLOAT64), *two = gt_array64(gt_shape(2), 2, 1);
        gt_Tape *outer = around ? gt_tape_begin(.persistent = true) : NULL;
        if (outer) {
            gt_watch(outer, x);
            gt_watch(outer, two);
        }
        gt_Tensor *y = gt_square(x), *early = gt_multiply(y, 5);
        gt_apply_at(NULL, &gt_op_sort, NULL, 1, (gt_Tensor *[]){two}, out);
        gt_Tensor *sorted = gt_sum(out[0]);
        gt_apply_at(NULL, &gt_op_eigh, NULL, 1,
                    (gt_Tensor *[]){gt_multiply(gt_expand_dims(two, 0), gt_expand_dims(two, 1))},
                    out);
        gt_error_clear(); /* a build without LAPACK */
        gt_Tape *inner = gt_tape_begin(.persistent = true);
        gt_watch(inner, x);
        gt_watch(inner, y);
        if (out[0])
            gt_watch(inner, out[0]);
        gt_Tensor *z = gt_multiply(gt_square(y), x);
        gt_gradients(inner, ONE(z), gt_tensors(x, y), g);
        is(g[0], 81, "of x^3 in x, y being given");
        is(g[1], 54, "of y^2 x in y");
        g[0] = gt_gradient(inner, y, x, .unconnected = GT_UNCONNECTED_NONE);
        cr_assert(!g[0], "y was made before the tape began");
        gt_gradient(inner, y, x);
        fails(GT_NO_GRADIENT, "");
        if (out[0]) {
            gt_gradient(inner, out[1], out[0]);
            fails(GT_NO_GRADIENT, "the target was not computed while this tape recorded");
            gt_watch(inner, out[1]);
            gt_gradient(inner, out[1], out[0]);
            fails(GT_NO_GRADIENT, "");
        }
        if (outer) {
            gt_gradients(outer, gt_tensors(z, early), gt_tensors(x, y), g);
            is(g[0], 405 + 30, "of x^5 + 5 x^2 in x");
            is(g[1], 54 + 5, "of y^2 x + 5 y in y");
            is(gt_gradient(outer, sorted, two) ? gt_sum(gt_gradient(outer, sorted, two)) : NULL, 2,
               "sort");
        }
        gt_tape_reset(inner);
        gt_gradient(inner, gt_square(y), y);
        fails(GT_NO_GRADIENT, "");
        gt_tape_end(inner);
        for (int k = 0; k < 70; k++) { /* all places for tapes are used again */
            inner = gt_tape_begin();
            gt_gradient(inner, gt_square(y), y);
            fails(GT_NO_GRADIENT, "");
            gt_tape_end(inner);
        }
        gt_tape_end(outer);
        gt_scope_end(scope);
    }
    ok("end");
    assert_no_leaks();
}

static gt_Status as_it_came(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = in[0];
    return gt_status();
}

static gt_Status never(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    (void)in;
    out[0] = gt_scalar(0, GT_BOOL);
    return gt_status();
}

static gt_Status counted(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = in[1];
    return gt_status();
}

static gt_Tensor *passed_on(int way, gt_Function *function, gt_Tensor *x)
{
    gt_Tensor *y = NULL, *rows;
    gt_Tensors one = {&x, 1};
    if (way == 0)
        gt_cond(gt_scalar(1, GT_BOOL), as_it_came, as_it_came, NULL, one, &y);
    else if (way == 1)
        gt_while_loop(never, as_it_came, NULL, one, &y);
    else if (way == 2)
        gt_fori_loop(0, 2, counted, NULL, one, &y);
    else if (way == 3)
        gt_scan(as_it_came, NULL, one, ((gt_Tensors){NULL, 0}), &y, &rows, .outputs = 0,
                .length = 2);
    else if (way == 4)
        gt_recompute(as_it_came, NULL, one, &y);
    else if (way == 5)
        y = gt_grad_pass_through(as_it_came, NULL, x);
    else
        gt_function_call(function, one, &y);
    return y;
}

/* What control flow or a function gives back is another tensor than what went in, whoever watches. */
Test(tape, what_comes_out_is_another_tensor)
{
    gt_Function *function = gt_function(as_it_came, NULL);
    for (int way = 0; way < 7; way++)
        for (int around = 0; around < 2; around++) {
            gt_Scope *scope = gt_scope_begin();
            gt_Tensor *x = gt_scalar(3, GT_FLOAT64);
            gt_Tape *outer = around ? gt_tape_begin() : NULL;
            if (outer)
                gt_watch(outer, x);
            gt_Tensor *y = passed_on(way, function, x);
            gt_Tape *inner = gt_tape_begin();
            gt_watch(inner, y);
            gt_Tensor *z = gt_add(gt_square(x), gt_multiply(y, 5));
            gt_Tensor *slope = gt_gradient(inner, z, y);
            is(slope, 5, way == 6 ? "through a function" : "through control flow");
            gt_tape_end(inner);
            /* What a branch chose before the tape began is nothing that numbers choose for it. */
            inner = gt_tape_begin();
            gt_watch(inner, y);
            slope = gt_gradient(inner, gt_square(y), x, .unconnected = GT_UNCONNECTED_NONE);
            cr_assert(!slope, "%d: x is not on the tape", way);
            gt_tape_end(inner);
            gt_tape_end(outer);
            gt_scope_end(scope);
        }
    gt_function_free(function);
    ok("end");
    assert_no_leaks();
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
    cr_assert(gt_element(view, 0) == 3, "a view of the old value shows %g", gt_element(view, 0));
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
    fails(GT_INVALID, "expected a variable (got a tensor)");
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
    snprintf(expected, sizeof expected, "%s:%d: matmul: inner dimensions differ: (2, 3) x (2, 3)",
             __FILE__, __LINE__ + 1);
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
    cr_assert_null(gt_pack(((gt_Tensors){NULL, 0})));
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
    fails(GT_INVALID, "the memory must have 40 bytes (got 8)");
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
        cr_assert(g && gt_element(g, 0) == 1);
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
