/* Control flow inside traced functions: the same bits as eager execution, forward and backward;
 * only the branch that is taken runs, a loop makes as many rounds as its numbers ask for; state,
 * nesting, and what goes wrong. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "../core/structs.h"
#include "../autodiff/custom.h"
#include "../autodiff/forward.h"
#include "../autodiff/gradient.h"
#include "../layers/core/dense.h"
#include "../layers/regularization/dropout.h"
#include "../layers/sequential.h"
#include "../ops/nn/activation.h"
#include "../ops/math/arithmetic.h"
#include "../ops/array/assign.h"
#include "../ops/array/cast.h"
#include "../ops/math/compare.h"
#include "../ops/control/control.h"
#include "../ops/array/creation.h"
#include "../ops/array/indexing.h"
#include "../ops/math/math.h"
#include "../ops/linalg/matmul.h"
#include "../ops/linalg/solve.h"
#include "../ops/math/random.h"
#include "../ops/nn/recurrent.h"
#include "../ops/math/reduce.h"
#include "../ops/array/reshaping.h"
#include "../plan/function.h"
#include "budget.h"
#include "leaks.h"

#undef GT_HERE
#define GT_HERE "test"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())
#define fails(status, text)                                                                        \
    do {                                                                                           \
        cr_assert_eq(gt_status(), status, "%s", gt_error_message());                               \
        cr_assert(strstr(gt_error_message(), text), "%s", gt_error_message());                     \
        gt_error_clear();                                                                          \
    } while (0)
#define ONE(x) gt_tensors(x)

#define MOST 8 /* outputs of a body */

static gt_Tensor *number(double x)
{
    return gt_scalar(x, GT_FLOAT64);
}

/* The same bytes, or numbers that are as good as equal: relative to the first, or to 1. */
static void same(gt_Tensor *a, gt_Tensor *b, double tolerance, const char *what, int which)
{
    gt_Spec x = gt_spec(a), y = gt_spec(b);
    ok();
    cr_assert(gt_spec_equal(&x, &y), "%s, output %d: specs differ", what, which);
    if (tolerance == 0 && memcmp(gt_data(a), gt_data(b), gt_spec_bytes(&x)) == 0)
        return;
    for (int64_t i = 0; i < gt_size(a); i++) {
        double u = gt_element(a, i), v = gt_element(b, i);
        if (u == v && (tolerance > 0 || signbit(u) == signbit(v)))
            continue;
        cr_assert(tolerance > 0 && fabs(u - v) <= tolerance * (1 + fabs(u)),
                  "%s, output %d, element %d: %.17g eagerly, %.17g planned", what, which, (int)i, u,
                  v);
    }
}

/* A body and how close its planned results must be to the eager ones. */
typedef struct Case {
    const char *name;
    gt_FunctionBody body;
    int32_t outputs;
    double tolerance; /* 0: the same bits */
} Case;
#define BUT_ZEROS DBL_TRUE_MIN /* the sign of zero may differ: sums over rounds start with 0 */

typedef struct State {
    gt_Variable *w, *b, *random;
    gt_Function *function;
} State;

static State state_new(void)
{
    gt_Scope *scope = gt_scope_begin();
    State s = {0};
    s.w = gt_variable(gt_array64(gt_shape(3), 0.5, -1.25, 2), .name = "w");
    s.b = gt_variable(gt_array64(gt_shape(3), 1, 0.25, -0.75), .name = "b");
    s.random = gt_generator(7);
    gt_scope_end(scope);
    return s;
}

static void state_free(State *s)
{
    gt_variable_free(s->w);
    gt_variable_free(s->b);
    gt_variable_free(s->random);
}

/* Runs the case for some x and flags; the same bits and the same changes, and no allocation once
 * it was seen. */
static void compare(const Case *c)
{
    State eager = state_new(), planned = state_new();
    gt_Function *function = gt_function(c->body, &planned, .outputs = c->outputs);
    gt_Scope *scope = gt_scope_begin();
    for (int i = 0; i < 6; i++) {
        gt_Scope *inner = gt_scope_begin();
        gt_Tensor *in[2] = {gt_array64(gt_shape(3), 0.3 + i, -0.7, 0.2 * i), number(i % 3)};
        gt_Tensor *want[MOST], *got[MOST];
        c->body(&eager, in, want);
        ok();
        for (int k = 0; k < c->outputs; k++)
            want[k] = gt_multiply(want[k], 1); /* a variable as it is now */
        gt_function_call(function, ((gt_Tensors){in, 2}), got);
        ok();
        for (int k = 0; k < c->outputs; k++)
            same(want[k], got[k], c->tolerance, c->name, k);
        same(eager.w, planned.w, c->tolerance, c->name, -1);
        same(eager.b, planned.b, c->tolerance, c->name, -2);
        same(eager.random, planned.random, c->tolerance, c->name, -3);
        gt_scope_end(inner);
    }
    gt_MemoryStats before = gt_memory_stats();
    for (int i = 0; i < 50; i++) {
        gt_Scope *inner = gt_scope_begin();
        gt_Tensor *in[2] = {gt_array64(gt_shape(3), 0.3, -0.7, 0.2), number(i % 3)}, *got[MOST];
        gt_function_call(function, ((gt_Tensors){in, 2}), got);
        gt_scope_end(inner);
    }
    gt_MemoryStats after = gt_memory_stats();
    ok();
    cr_assert_eq(after.allocator_calls, before.allocator_calls, "%s allocates", c->name);
    cr_assert_eq(after.bytes_in_use, before.bytes_in_use, "%s leaks", c->name);
    cr_assert_eq(gt_function_stats(function).eager_calls, 0);
    gt_scope_end(scope);
    gt_function_free(function);
    state_free(&eager);
    state_free(&planned);
    gt_MemoryStats end = gt_memory_stats();
    cr_assert(end.variables == 0 && end.records == 0 && end.handles == 0, "%s", c->name);
}

/* ---- branches ---- */

static gt_Status product(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    out[0] = gt_multiply(gt_tanh(in[0]), s->w);
    return gt_status();
}

static gt_Status shifted(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    out[0] = gt_add(gt_square(in[0]), gt_multiply(s->b, in[0]));
    return gt_status();
}

static gt_Status choose(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_cond(gt_greater(in[1], 0.5), product, shifted, context, ONE(in[0]), out);
}

/* The gradient of the sum of the squares of what a body computes first. */
static gt_Status first_order(gt_FunctionBody body, State *s, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_Tensor *y[MOST] = {NULL}, *gradient[3];
    body(s, in, y);
    gt_gradients(tape, ONE(gt_sum(gt_square(y[0]))), gt_tensors(in[0], s->w, s->b), gradient,
                 .unconnected = GT_UNCONNECTED_ZERO);
    for (int i = 0; i < 3; i++)
        out[i] = gt_keep(gradient[i]);
    gt_tape_end(tape);
    return gt_status();
}

/* The gradient of the sum of the squares of that gradient. */
static gt_Status second_order(gt_FunctionBody body, State *s, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tape *outer = gt_tape_begin();
    gt_watch(outer, in[0]);
    gt_Tensor *gradient[3], *second[3];
    first_order(body, s, in, gradient);
    gt_Tensor *sum = gt_sum(gt_square(gradient[0]));
    for (int i = 1; i < 3; i++)
        sum = gt_add(sum, gt_sum(gt_square(gradient[i])));
    gt_gradients(outer, ONE(sum), gt_tensors(in[0], s->w, s->b), second,
                 .unconnected = GT_UNCONNECTED_ZERO);
    for (int i = 0; i < 3; i++)
        out[i] = gt_keep(second[i]);
    gt_tape_end(outer);
    return gt_status();
}

/* Forward mode along the input and w. */
static gt_FunctionBody of_x_and_w;
static gt_Tensor *const *others;
static gt_Status two_primals(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *all[2] = {in[0], others[1]}, *y[MOST] = {NULL};
    of_x_and_w(context, all, y);
    out[0] = y[0];
    return gt_status();
}

static gt_Status forward_mode(gt_FunctionBody body, State *s, gt_Tensor *const *in, gt_Tensor **out)
{
    of_x_and_w = body;
    others = in;
    return gt_jvp(two_primals, s, gt_tensors(in[0], s->w), gt_tensors(gt_exp(in[0]), gt_cos(in[0])),
                  out, out + 1);
}

/* A body with its gradients of both orders and forward mode. */
#define ORDERS(body)                                                                               \
    static gt_Status body##_gradient(void *context, gt_Tensor *const *in, gt_Tensor **out)         \
    {                                                                                              \
        return first_order(body, context, in, out);                                                \
    }                                                                                              \
    static gt_Status body##_second(void *context, gt_Tensor *const *in, gt_Tensor **out)           \
    {                                                                                              \
        return second_order(body, context, in, out);                                               \
    }                                                                                              \
    static gt_Status body##_forward(void *context, gt_Tensor *const *in, gt_Tensor **out)          \
    {                                                                                              \
        return forward_mode(body, context, in, out);                                               \
    }
/* The bits of the second order are not those of eager execution: each round is computed twice. */
#define COMPARE(body, outputs)                                                                     \
    compare(&(Case){#body, body, outputs, 0});                                                     \
    compare(&(Case){#body ", gradient", body##_gradient, 3, BUT_ZEROS});                           \
    compare(&(Case){#body ", second order", body##_second, 3, 1e-12});                             \
    compare(&(Case){#body ", forward mode", body##_forward, 2, 1e-13})

ORDERS(choose)

/* What the branches share with what is around them; a branch that returns what it gets, a constant
 * and a variable. */
static gt_Status as_it_is(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    out[0] = in[0];
    out[1] = s->w;
    return gt_status();
}

static gt_Status other_things(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tensor *both = gt_multiply(in[0], s->w);
    out[0] = gt_add(gt_multiply(both, both), gt_sin(in[0]));
    out[1] = gt_array64(gt_shape(3), 1, 2, 3);
    return gt_status();
}

static gt_Status share(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tensor *y[2], *before = gt_multiply(gt_exp(in[0]), s->w);
    gt_cond(in[1], as_it_is, other_things, s, ONE(before), y, .outputs = 2);
    out[0] = gt_add(gt_multiply(gt_multiply(y[0], in[0]), y[1]), before);
    out[1] = y[1];
    return gt_status();
}
ORDERS(share)

/* A source that is no symbol, and what is made of it alone; a value and another one that differs
 * from it by its gradient alone; a result that lives on in its record. */
static gt_Status with_constant(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_multiply(gt_multiply(gt_square((gt_Tensor *)context), in[0]), in[1]);
    return gt_status();
}

static gt_Status difference(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_subtract(gt_multiply(in[0], 3), in[1]);
    return gt_status();
}

static gt_Status sources(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *constant = gt_array64(gt_shape(3), 2, -1, 3), *y, *gradient[2];
    gt_watch(tape, constant);
    gt_watch(tape, in[0]);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *doubled = gt_keep(gt_multiply(gt_exp(in[0]), 2));
    gt_scope_end(scope);
    gt_Tensor *same = gt_clip_gradient(in[0], -0.5, 0.5);
    gt_cond(in[1], with_constant, difference, constant, gt_tensors(in[0], same), &y);
    gt_gradients(tape, ONE(gt_multiply(y, doubled)), gt_tensors(in[0], constant), gradient,
                 .unconnected = GT_UNCONNECTED_ZERO);
    out[0] = gt_keep(gradient[0]);
    out[1] = gt_keep(gradient[1]);
    gt_tape_end(tape);
    return gt_status();
}

Test(control, branches)
{
    COMPARE(choose, 1);
    compare(&(Case){"sources", sources, 2, BUT_ZEROS});
    COMPARE(share, 2);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- loops ---- */

/* Newton's iteration for the root of |x| + 1, as long as it is not there: r, and how often. */
static gt_Status not_there(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_greater(gt_max(gt_abs(gt_subtract(gt_square(in[0]), in[1]))), 1e-9);
    return gt_status();
}

static gt_Status newton(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    out[0] = gt_multiply(gt_add(in[0], gt_divide(in[1], in[0])), 0.5);
    out[1] = in[1];
    out[2] = gt_add(in[2], 1);
    (void)s;
    return gt_status();
}

static gt_Status root_of(State *s, gt_Tensor *const *in, int64_t most, gt_Tensor **out)
{
    gt_Tensor *square = gt_add(gt_abs(gt_multiply(in[0], s->w)), 0.5);
    return gt_while_loop(not_there, newton, s,
                         gt_tensors(gt_ones_like(square), square, gt_scalar(0, GT_INT32)), out,
                         .maximum_iterations = most);
}

static gt_Status unlimited(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return root_of(context, in, -1, out);
}

static gt_Status limited(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return root_of(context, in, 20, out);
}

static gt_Status cut_short(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return root_of(context, in, 3, out);
}
ORDERS(limited)
ORDERS(cut_short)

/* As many rounds as in[1] says: none, one, two. */
static gt_Status counting_down(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_greater(in[1], 0);
    return gt_status();
}

static gt_Status squash(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    out[0] = gt_add(gt_multiply(gt_tanh(gt_multiply(in[0], s->w)), s->w), s->b);
    out[1] = gt_subtract(in[1], 1);
    return gt_status();
}

static gt_Status few_rounds(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_while_loop(counting_down, squash, context, gt_tensors(in[0], in[1]), out,
                         .maximum_iterations = 5);
}
ORDERS(few_rounds)

static gt_Status step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tensor *i = gt_cast(in[0], GT_FLOAT64);
    out[0] = gt_sin(gt_add(gt_multiply(in[1], s->w), gt_divide(i, 7)));
    return gt_status();
}

static gt_Status many_rounds(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_fori_loop(3, 100, step, context, ONE(in[0]), out);
}

static gt_Status folded(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_fori_loop(-2, 3, step, context, ONE(in[0]), out, .unroll = 0);
}
ORDERS(many_rounds)
ORDERS(folded)

/* carry' = tanh(carry w + x b); stacked: carry' and x carry k. The second of xs, k, is whole. */
static gt_Status average(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tensor *carry = gt_tanh(gt_add(gt_multiply(in[0], s->w), gt_multiply(in[1], s->b)));
    out[0] = carry;
    out[1] = carry;
    out[2] = gt_multiply(in[1], gt_multiply(in[0], gt_cast(in[2], GT_FLOAT64)));
    return gt_status();
}

static gt_Status scan(State *s, gt_Tensor *const *in, bool reverse, gt_Tensor **out)
{
    gt_Tensor *xs = gt_add(gt_reshape(in[0], gt_shape(1, 3)),
                           gt_reshape(gt_arange(0, 7, 1, .dtype = GT_FLOAT64), gt_shape(7, 1)));
    gt_Tensor *last = NULL, *y[2];
    gt_scan(average, s, ONE(in[0]), gt_tensors(gt_sin(xs), gt_arange(0, 7, 1, .dtype = GT_INT32)),
            &last, y, .outputs = 2, .reverse = reverse, .unroll = 2);
    out[0] = gt_add(gt_multiply(y[0], last), y[1]);
    out[1] = last;
    return gt_status();
}

static gt_Status scan_forward(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return scan(context, in, false, out);
}

static gt_Status scan_reverse(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return scan(context, in, true, out);
}
ORDERS(scan_forward)
ORDERS(scan_reverse)

static gt_Status thousand(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_fori_loop(0, 1000, step, context, ONE(in[0]), out);
}

static gt_Status thousand_gradient(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return first_order(thousand, context, in, out);
}

/* The loop variables of every round, three numbers and i, are kept for a gradient alone. */
static void no_stack_without_gradient(void)
{
    gt_Scope *scope = gt_scope_begin();
    State s = state_new();
    gt_Tensor *in[2] = {gt_array64(gt_shape(3), 1, 2, 3), number(0)}, *out[3];
    for (int i = 0; i < 2; i++) {
        gt_Function *function =
            gt_function(i ? thousand_gradient : thousand, &s, .outputs = i ? 3 : 1);
        gt_function_call(function, ((gt_Tensors){in, 2}), out);
        ok();
        int64_t bytes = gt_function_stats(function).bytes;
        cr_assert(i ? bytes > 32000 : bytes < 2000, "%d bytes", (int)bytes);
        gt_function_free(function);
    }
    state_free(&s);
    gt_scope_end(scope);
}

Test(control, loops)
{
    compare(&(Case){"unlimited", unlimited, 3, 0});
    COMPARE(limited, 3);
    COMPARE(cut_short, 3);
    COMPARE(few_rounds, 2);
    COMPARE(many_rounds, 1);
    no_stack_without_gradient();
    COMPARE(folded, 1);
    COMPARE(scan_forward, 2);
    compare(&(Case){"scan_reverse", scan_reverse, 2, 0});
    /* What the rounds read is added up in another order. */
    compare(&(Case){"scan_reverse, gradient", scan_reverse_gradient, 3, 1e-14});
    compare(&(Case){"scan_reverse, second order", scan_reverse_second, 3, 1e-12});
    compare(&(Case){"scan_reverse, forward mode", scan_reverse_forward, 2, 1e-13});
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- state ---- */

/* A branch that changes both variables and draws; one that changes only one of them. */
static gt_Status writes_both(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_assign_add(s->w, in[0]);
    out[0] = gt_dropout(gt_multiply(in[0], s->w), 0.5, .generator = s->random);
    gt_assign(s->b, gt_multiply(s->w, s->b));
    out[0] = gt_add(out[0], gt_uniform(gt_shape(3), .dtype = GT_FLOAT64, .generator = s->random));
    return gt_status();
}

static gt_Status writes_one(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_assign_sub(s->b, 0.5);
    out[0] = gt_multiply(in[0], s->b);
    return gt_status();
}

static gt_Status stateful(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_cond(gt_greater(in[1], 0.5), writes_both, writes_one, s, ONE(in[0]), out);
    out[0] = gt_add(out[0], gt_multiply(s->w, s->b)); /* the new values */
    out[1] = gt_uniform(gt_shape(3), .dtype = GT_FLOAT64, .generator = s->random);
    return gt_status();
}
ORDERS(stateful)

/* Every round of a walk draws, counts in w, and the condition changes b. */
static gt_Status walk_on(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_assign_add(s->b, 0.125);
    out[0] = gt_less(gt_max(gt_abs(in[0])), gt_add(gt_mean(s->b), 2));
    return gt_status();
}

static gt_Status walk(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tensor *jump = gt_normal(gt_shape(3), .dtype = GT_FLOAT64, .generator = s->random);
    out[0] = gt_add(in[0], gt_multiply(jump, gt_multiply(s->w, 0.5)));
    gt_assign_add(s->w, gt_multiply(in[0], 0.25));
    out[1] = gt_add(in[1], 1);
    return gt_status();
}

static gt_Status random_walk(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_while_loop(walk_on, walk, s, gt_tensors(in[0], gt_scalar(0, GT_INT64)), out,
                  .maximum_iterations = 12);
    out[2] = gt_uniform(gt_shape(3), .dtype = GT_FLOAT64, .generator = s->random);
    return gt_status();
}

static gt_Status endless_walk(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_while_loop(walk_on, walk, context, gt_tensors(in[0], gt_scalar(0, GT_INT64)), out);
}

static gt_Status dropped(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tensor *kept = gt_dropout(in[0], 0.25, .generator = s->random);
    out[0] = gt_add(gt_multiply(kept, s->w), in[1]);
    out[1] = gt_multiply(out[0], s->b);
    return gt_status();
}

static gt_Status dropout_scan(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *xs = gt_broadcast_to(in[0], gt_shape(5, 3)), *last = NULL, *y = NULL;
    gt_scan(dropped, context, ONE(in[0]), ONE(xs), &last, &y, .unroll = 0);
    out[0] = gt_multiply(y, last);
    return gt_status();
}
ORDERS(dropout_scan)

/* The gradient of the walk: random numbers come again when rounds are computed again. */
static gt_Status walk_gradient(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return first_order(random_walk, context, in, out);
}

/* The value that a variable had is another tensor than the variable, also where both are the same symbol: an
 * argument of a function that is part of another one, an output gradient. */
typedef struct Pair {
    gt_Variable *variable;
    gt_Tensor *value;
} Pair;

static gt_Status add_the_value(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Pair *pair = context;
    gt_assign_add(pair->variable, pair->value);
    out[0] = gt_add(in[1], pair->value);
    return gt_status();
}

static gt_Status looping_over_the_value(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Pair pair = {context, in[0]};
    gt_Tensor *x = NULL;
    gt_fori_loop(0, 3, add_the_value, &pair, ONE(in[0]), &x, .unroll = 0);
    out[0] = x;
    return gt_status();
}

static gt_Status calling_with_the_variable(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Variable *variable = context;
    gt_Function *inner = gt_function(looping_over_the_value, variable);
    gt_Tensor *sum = NULL;
    gt_function_call(inner, ONE(variable), &sum);
    out[0] = gt_add(sum, in[0]);
    gt_function_free(inner);
    return gt_status();
}

Test(control, a_variable_and_its_value)
{
    gt_Variable *eager = gt_variable(number(1)), *planned = gt_variable(number(1));
    gt_Function *function = gt_function(calling_with_the_variable, planned);
    for (int round = 0; round < 3; round++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = number(0.5), *a = NULL, *b = NULL;
        calling_with_the_variable(eager, &x, &a);
        gt_function_call(function, ONE(x), &b);
        same(a, b, 0, "the sum", round);
        same(eager, planned, 0, "the variable", round);
        cr_assert(gt_item(planned) == pow(4, round + 1), "%g", gt_item(planned));
        gt_scope_end(scope);
    }
    gt_function_free(function);
    gt_variable_free(eager);
    gt_variable_free(planned);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(control, state)
{
    compare(&(Case){"stateful", stateful, 2, 0});
    compare(&(Case){"stateful, gradient", stateful_gradient, 3, 1e-15});
    compare(&(Case){"stateful, second order", stateful_second, 3, 1e-12});
    compare(&(Case){"stateful, forward mode", stateful_forward, 2, 1e-13});
    compare(&(Case){"random_walk", random_walk, 3, 0});
    compare(&(Case){"endless_walk", endless_walk, 2, 0});
    compare(&(Case){"walk, gradient", walk_gradient, 3, 1e-14});
    COMPARE(dropout_scan, 1);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- nesting ---- */

static gt_Status inner_round(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_cond(gt_greater(gt_sum(in[1]), 0), product, shifted, s, ONE(in[1]), out);
    return gt_status();
}

static gt_Status outer_round(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tensor *y = NULL;
    gt_fori_loop(0, 3, inner_round, s, ONE(in[0]), &y, .unroll = 1);
    out[0] = gt_tanh(gt_add(y, gt_multiply(in[1], s->b)));
    return gt_status();
}

/* Along rows that are in a branch, a loop of loops of branches. */
static gt_Status along(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tensor *xs = gt_reshape(gt_concatenate(gt_tensors(in[0], s->w, s->b)), gt_shape(3, 3));
    return gt_scan(outer_round, s, ONE(in[0]), ONE(xs), out, NULL, .outputs = 0, .unroll = 0);
}

static gt_Status nested(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_cond(in[1], along, shifted, context, ONE(in[0]), out);
}
ORDERS(nested)

/* Lookups, whose gradients are rows until they are read: in a loop, around it, and in a branch. */
static gt_Status look_round(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tensor *at = gt_mod(gt_cast(in[0], GT_INT64), gt_scalar(3, GT_INT64));
    out[0] = gt_add(gt_tanh(in[1]), gt_multiply(gt_take(s->w, at), gt_take(in[1], at)));
    return gt_status();
}

static gt_Status look_branch(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    const int64_t at[2] = {2, 2};
    gt_Tensor *rows = gt_take(s->w, gt_from_data(at, gt_shape(2), GT_INT64));
    out[0] = gt_multiply(gt_sum(gt_square(rows)), in[0]);
    return gt_status();
}

static gt_Status lookups(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tensor *y[2], *first = gt_take(s->w, gt_scalar(1, GT_INT64));
    gt_fori_loop(1, 5, look_round, s, ONE(gt_add(in[0], first)), &y[0], .unroll = 0);
    gt_cond(in[1], look_branch, product, s, ONE(in[0]), &y[1]);
    out[0] = gt_add(gt_multiply(y[0], gt_take(s->b, gt_scalar(0, GT_INT64))), y[1]);
    return gt_status();
}
ORDERS(lookups)

/* A function inside a branch; a gradient taken inside a branch, and of that from outside. */
static gt_Status slope(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_watch(tape, in[0]);
    gt_Tensor *y = gt_sum(gt_multiply(gt_exp(gt_multiply(in[0], s->w)), s->b)), *g[2];
    gt_gradients(tape, ONE(y), gt_tensors(in[0], s->w), g);
    out[0] = gt_keep(gt_multiply(g[0], g[1]));
    gt_tape_end(tape);
    return gt_status();
}

static gt_Status slopes(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_cond(in[1], slope, product, context, ONE(in[0]), out);
}
ORDERS(slopes)

/* Rounding with the gradient of the identity, a clipped gradient, a gradient of one's own. */
static gt_Status rounded(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_round(gt_multiply(in[0], 4));
    return gt_status();
}

static gt_Status cube(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(gt_square(in[0]), in[0]);
    out[1] = gt_square(in[0]);
    return gt_status();
}

static gt_Status cube_gradient(void *context, gt_GradientRule *rule)
{
    (void)context; /* not 3 but 2.5 */
    return gt_give(rule, 0,
                   gt_multiply(gt_upstream(rule, 0), gt_multiply(gt_rule_output(rule, 1), 2.5)));
}

static gt_Status own_gradients(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tensor *x = gt_multiply(gt_grad_pass_through(rounded, NULL, in[0]), s->w), *y = NULL;
    gt_custom_gradient(cube, cube_gradient, NULL, ONE(x), &y, .saved = 1);
    return gt_recompute(product, s, ONE(y), out);
}

static gt_Status clips(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *y = NULL;
    step(context, in, &y);
    out[0] = gt_multiply(gt_clip_gradient(y, -0.25, 0.5), in[1]);
    return gt_status();
}

static gt_Status clipped(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_fori_loop(0, 3, clips, context, ONE(in[0]), out, .unroll = 0);
}

static gt_Status clipped_gradient(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return first_order(clipped, context, in, out);
}

static gt_Status with_own(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_cond(in[1], own_gradients, shifted, context, ONE(in[0]), out);
}

static gt_Status own_loop(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return own_gradients(context, in + 1, out);
}

static gt_Status loop_of_own(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_fori_loop(0, 2, own_loop, context, ONE(in[0]), out, .unroll = 0);
}
ORDERS(with_own)
ORDERS(loop_of_own)

static gt_Status calls_function(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    return gt_function_call(s->function, gt_tensors(in[0]), out);
}

static gt_Status function_in_branch(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    s->function = gt_function(product, s);
    gt_cond(in[1], calls_function, shifted, s, ONE(in[0]), out);
    gt_function_free(s->function);
    return gt_status();
}

Test(control, nesting)
{
    compare(&(Case){"nested", nested, 1, 0});
    compare(&(Case){"nested, gradient", nested_gradient, 3, 1e-14});
    compare(&(Case){"nested, second order", nested_second, 3, 1e-12});
    compare(&(Case){"nested, forward mode", nested_forward, 2, 1e-13});
    compare(&(Case){"lookups", lookups, 1, 0});
    compare(&(Case){"lookups, gradient", lookups_gradient, 3, 1e-14});
    compare(&(Case){"lookups, second order", lookups_second, 3, 1e-12});
    compare(&(Case){"lookups, forward mode", lookups_forward, 2, 1e-13});
    COMPARE(slopes, 1);
    COMPARE(with_own, 1);
    COMPARE(loop_of_own, 1);
    compare(&(Case){"clipped, gradient", clipped_gradient, 3, BUT_ZEROS});
    compare(&(Case){"function_in_branch", function_in_branch, 1, 0});
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- pieces that are computed again ---- */

/* Draws, changes a variable and reads it before and after, returns what it gets and a constant. */
static gt_Status drawing_piece(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tensor *kept = gt_dropout(gt_multiply(gt_tanh(in[0]), s->w), 0.25, .generator = s->random);
    gt_Tensor *before = gt_multiply(kept, s->b);
    gt_assign(s->b, gt_multiply(gt_add(s->b, in[0]), 0.5));
    out[0] = gt_add(before, gt_multiply(s->b, in[0]));
    out[1] = in[0];
    out[2] = gt_full(gt_shape(3), 0.75, .dtype = GT_FLOAT64);
    return gt_status();
}

/* Control flow, and a piece in the piece. */
static gt_Status outer_piece(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *y[3], *z;
    choose(context, in, &z);
    gt_recompute(drawing_piece, context, ONE(z), y, .outputs = 3);
    gt_fori_loop(0, 3, own_loop, context, ONE(y[0]), out, .unroll = 0);
    out[0] = gt_add(out[0], gt_multiply(y[1], y[2]));
    return gt_status();
}

static gt_Status pieces(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *y[3], *z;
    gt_recompute(drawing_piece, context, ONE(in[0]), y, .outputs = 3);
    gt_recompute(outer_piece, context, gt_tensors(gt_multiply(y[0], y[2]), in[1]), &z);
    gt_recompute(drawing_piece, context, ONE(gt_add(z, y[1])), y, .outputs = 3);
    out[0] = gt_add(gt_multiply(y[0], in[0]), y[1]);
    return gt_status();
}
ORDERS(pieces)

static gt_Status piece_round(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *y[3];
    gt_recompute(drawing_piece, context, ONE(in[1]), y, .outputs = 3);
    out[0] = gt_multiply(y[0], 0.5);
    return gt_status();
}

static gt_Status loop_of_pieces(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_fori_loop(0, 3, piece_round, context, ONE(in[0]), out, .unroll = 0);
}
ORDERS(loop_of_pieces)

static gt_Status piece_of_many(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Variable **many = context;
    out[0] = in[0];
    for (int i = 0; i < 100; i++)
        out[0] = gt_add(gt_multiply(out[0], 0.5), gt_multiply(in[0], many[i]));
    return gt_status();
}

/* More variables than operations have inputs. */
static gt_Status slopes_of_many(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Variable **many = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y, *gradient[100];
    gt_recompute(piece_of_many, many, ONE(in[0]), &y);
    gt_gradients(tape, ONE(y), ((gt_Tensors){many, 100}), gradient);
    for (int i = 0; i < 100; i++)
        out[0] = gt_keep(i ? gt_add(gt_multiply(out[0], 0.75), gradient[i]) : gradient[i]);
    gt_tape_end(tape);
    return gt_status();
}

Test(control, pieces)
{
    compare(&(Case){"pieces", pieces, 1, 0});
    compare(&(Case){"pieces, gradient", pieces_gradient, 3, 1e-14});
    compare(&(Case){"pieces, second order", pieces_second, 3, 1e-12});
    compare(&(Case){"pieces, forward mode", pieces_forward, 2, 1e-13});
    compare(&(Case){"loop of pieces", loop_of_pieces, 1, 0});
    compare(&(Case){"loop of pieces, gradient", loop_of_pieces_gradient, 3, 1e-14});
    compare(&(Case){"loop of pieces, second order", loop_of_pieces_second, 3, 1e-12});
    compare(&(Case){"loop of pieces, forward mode", loop_of_pieces_forward, 2, 1e-13});
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *many[100];
    for (int i = 0; i < 100; i++)
        many[i] = gt_variable(number(0.25 + 0.5 * i));
    gt_Function *function = gt_function(slopes_of_many, many);
    gt_Tensor *x = gt_array64(gt_shape(3), 0.3, -0.7, 0.2), *want = NULL, *got = NULL;
    slopes_of_many(many, &x, &want);
    gt_function_call(function, ONE(x), &got);
    same(want, got, 0, "many variables", 0);
    gt_function_free(function);
    for (int i = 0; i < 100; i++)
        gt_variable_free(many[i]);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- many of everything ---- */

enum { WIDE = 100 };

static gt_Status wide_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Variable **v = context;
    for (int i = 0; i < WIDE; i++)
        out[i] = gt_sin(gt_add(gt_multiply(in[i], v[i]), in[(i + 1) % WIDE]));
    return gt_status();
}

static gt_Status wide_loop(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_fori_loop(0, 4, wide_body, context, ((gt_Tensors){in, WIDE}), out, .unroll = 0);
}

static gt_Status drop_index(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return wide_body(context, in + 1, out);
}

static gt_Status wide(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *y[WIDE], *z[WIDE], *g[2 * WIDE], *of[2 * WIDE];
    gt_Variable **v = context;
    gt_Tape *tape = gt_tape_begin();
    for (int i = 0; i < WIDE; i++) {
        of[i] = gt_multiply(in[0], 1.0 / (i + 1));
        of[WIDE + i] = v[i];
        gt_watch(tape, of[i]);
    }
    gt_fori_loop(0, 4, drop_index, context, ((gt_Tensors){of, WIDE}), y, .unroll = 0);
    gt_cond(gt_greater(gt_sum(in[0]), 0), wide_body, wide_loop, context, ((gt_Tensors){y, WIDE}), z,
            .outputs = WIDE);
    gt_Tensor *sum = z[0];
    for (int i = 1; i < WIDE; i++)
        sum = gt_add(sum, z[i]);
    gt_gradients(tape, ONE(gt_sum(sum)), ((gt_Tensors){of, 2 * WIDE}), g);
    gt_Tensor *total = g[0];
    for (int i = 1; i < 2 * WIDE; i++)
        total = gt_add(total, g[i]);
    out[0] = gt_keep(sum);
    out[1] = gt_keep(total);
    gt_tape_end(tape);
    return gt_status();
}

/* More inputs and outputs than an operation can have. */
Test(control, many)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *v[WIDE];
    for (int i = 0; i < WIDE; i++)
        v[i] = gt_variable(gt_array64(gt_shape(2), sin(i), cos(3 * i)));
    gt_Function *function = gt_function(wide, v, .outputs = 2);
    gt_Tensor *x = gt_array64(gt_shape(2), 0.5, 1.5), *want[2], *got[2];
    wide(v, &x, want);
    gt_function_call(function, ONE(x), got);
    same(want[0], got[0], 0, "many", 0);
    same(want[1], got[1], 1e-14, "many", 1);
    gt_function_free(function);
    for (int i = 0; i < WIDE; i++)
        gt_variable_free(v[i]);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- what goes wrong ---- */

static gt_Status look_up(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_assign_add(s->w, 1);
    out[0] = gt_take_at("branch.c:1", in[0], in[1], &GT_VALUES(gt_take_options, 0));
    return gt_status();
}

static gt_Status first_only(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_assign_add(s->b, 1);
    out[0] = gt_slice(in[0], gt_shape(0), gt_shape(1));
    return gt_status();
}

/* The label is looked at only if in[2] says so. */
static gt_Status guarded(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_cond(in[2], look_up, first_only, context, gt_tensors(in[0], in[1]), out);
}

static bool tired(void *user)
{
    return --*(int *)user < 0;
}

static gt_Status forever(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_greater(gt_sum(in[0]), -1e9);
    return gt_status();
}

static gt_Status counting(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_assign_add(s->w, 1);
    out[0] = gt_add(in[0], 1);
    return gt_status();
}

/* Nothing of this asks whether to go on but the loop itself. */
static gt_Status as_before(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = in[0];
    return gt_status();
}

static gt_Status idle(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_while_loop(as_before, as_before, context, ONE(in[0]), out);
}

static gt_Status without_end(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_while_loop(forever, counting, context, ONE(in[0]), out);
}

Test(control, only_what_is_taken)
{
    gt_Scope *scope = gt_scope_begin();
    State s = state_new();
    gt_Function *function = gt_function(guarded, &s);
    gt_Tensor *x = gt_array64(gt_shape(3), 1, 2, 3), *out = NULL;
    const int64_t wrong = 3, right = 2;
    gt_Tensor *bad = gt_from_data(&wrong, gt_shape(1), GT_INT64);
    gt_Tensor *good = gt_from_data(&right, gt_shape(1), GT_INT64);
    double w = gt_element(s.w, 0), b = gt_element(s.b, 0);
    for (int i = 0; i < 3; i++) {
        gt_function_call(function, gt_tensors(x, bad, number(0)), &out);
        ok();
        cr_assert_eq(gt_element(out, 0), 1);
        cr_assert_eq(gt_element(s.w, 0), w + i);
        cr_assert_eq(gt_element(s.b, 0), b + i + 1);
        gt_function_call(function, gt_tensors(x, good, number(i ? NAN : 2)), &out);
        ok();
        cr_assert_eq(gt_element(out, 0), 3);
        cr_assert_eq(gt_element(s.w, 0), w + i + 1);
        /* The place in the branch, and nothing is changed. */
        gt_function_call(function, gt_tensors(x, bad, number(1)), &out);
        fails(GT_INVALID, "branch.c:1: take: ");
        cr_assert_null(out);
        cr_assert_eq(gt_element(s.w, 0), w + i + 1);
        cr_assert_eq(gt_element(s.b, 0), b + i + 1);
    }
    cr_assert_eq(gt_function_stats(function).traces, 1);
    gt_function_free(function);
    /* A loop without end ends when the caller wants. */
    function = gt_function(without_end, &s);
    int patience = 100;
    w = gt_element(s.w, 0);
    gt_set_interrupt(tired, &patience);
    gt_function_call(function, ONE(x), &out);
    gt_set_interrupt(NULL, NULL);
    fails(GT_INTERRUPTED, "interrupted");
    cr_assert_eq(gt_element(s.w, 0), w);
    gt_function_free(function);
    function = gt_function(idle, NULL);
    patience = 100;
    gt_set_interrupt(tired, &patience);
    gt_function_call(function, ONE(gt_scalar(1, GT_BOOL)), &out);
    gt_set_interrupt(NULL, NULL);
    fails(GT_INTERRUPTED, "test: loop: interrupted between two rounds");
    gt_function_free(function);
    state_free(&s);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

static int differs;

static gt_Status changing(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = ++differs % 2 ? gt_add_at("body.c:1", in[0], gt_operand(1))
                           : gt_multiply_at("body.c:2", in[0], gt_operand(1));
    return gt_status();
}

static gt_Status branch_changes(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_cond(in[1], changing, product, context, ONE(in[0]), out);
}

static gt_Status body_changes(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    return gt_scan(changing, NULL, ONE(in[0]), ((gt_Tensors){NULL, 0}), out, NULL, .outputs = 0,
                   .length = 100);
}

static gt_Status more_and_more(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_fori_loop(0, 100 + ++differs, step, context, ONE(in[0]), out);
}

static gt_Tape *outside;
static gt_Tensor *escaped;

static gt_Status uses_tape(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_square(in[0]);
    gt_tape_pause(outside);
    return gt_status();
}

static gt_Status tape_outside(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    outside = gt_tape_begin();
    gt_cond(in[1], uses_tape, product, context, ONE(in[0]), out);
    gt_tape_end(outside);
    return gt_status();
}

static gt_Status lets_out(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    escaped = gt_square(in[0]);
    gt_scope_move(escaped, &gt_context()->root);
    out[0] = in[0];
    return gt_status();
}

static gt_Status uses_escaped(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_cond(in[1], lets_out, product, context, ONE(in[0]), out);
    out[0] = gt_add(out[0], escaped);
    return gt_status();
}

static gt_Status one_number(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_sum(in[0]);
    return gt_status();
}

static gt_Status uneven(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_cond(in[1], one_number, product, context, ONE(in[0]), out);
}

static gt_Status shrinks(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_while_loop(forever, one_number, context, ONE(in[0]), out);
}

static gt_Status all_of_them(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_greater(in[0], 0);
    return gt_status();
}

static gt_Status wide_condition(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_while_loop(all_of_them, product, context, ONE(in[0]), out);
}

static int choices;
static gt_Status known_at_first(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    if (choices++ % 2 == 0)
        out[0] = gt_scalar(1, GT_BOOL);
    else
        all_of_them(context, in, out);
    return gt_status();
}

static gt_Status late_condition(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    choices = 0;
    return gt_while_loop(known_at_first, product, context, ONE(in[0]), out);
}

static gt_Status reads(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_item(in[0]) > 3 ? in[1] : gt_square(in[1]);
    return gt_status();
}

static gt_Status reading_loop(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_fori_loop(0, 100, reads, context, ONE(in[0]), out);
}

static gt_Status fails_in_branch(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context, (void)in, (void)out;
    return GT_NUMERIC;
}

static gt_Status failing(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_cond(in[1], fails_in_branch, product, context, ONE(in[0]), out);
}

static gt_Status nothing_made(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context, (void)in, (void)out;
    return gt_status();
}

static gt_Status lazy(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_cond(in[1], product, nothing_made, context, ONE(in[0]), out);
}

static gt_Status without_limit(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return first_order(unlimited, context, in, out);
}

static gt_Status too_deep(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = in[0];
    out[1] = gt_reshape(in[0], gt_shape(1, 1, 1, 1, 1, 1, 1, 3));
    return gt_status();
}

static gt_Status stacks_too_deep(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *last = NULL;
    return gt_scan(too_deep, context, ONE(in[0]), ((gt_Tensors){NULL, 0}), &last, out,
                   .length = 100);
}

static void refuses(gt_FunctionBody body, int32_t outputs, gt_Status status, const char *text)
{
    State s = state_new();
    gt_Function *function = gt_function(body, &s, .outputs = outputs);
    gt_Tensor *in[2] = {gt_array64(gt_shape(3), 1, 2, 3), number(1)}, *out[MOST] = {NULL};
    gt_MemoryStats before = gt_memory_stats();
    gt_function_call(function, ((gt_Tensors){in, 2}), out);
    fails(status, text);
    cr_assert_null(out[0]);
    gt_MemoryStats after = gt_memory_stats();
    cr_assert_eq(after.handles, before.handles + (escaped != NULL));
    cr_assert_eq(after.records, before.records);
    gt_function_free(function);
    state_free(&s);
}

Test(control, mistakes)
{
    gt_Scope *scope = gt_scope_begin();
    refuses(branch_changes, 1, GT_STATE,
            "the body did not do the same twice: add at body.c:1, then multiply at body.c:2");
    differs = 0;
    refuses(body_changes, 1, GT_STATE, "add at body.c:1, then multiply at body.c:2");
    refuses(more_and_more, 1, GT_STATE, "loop at test, then loop at test");
    refuses(tape_outside, 1, GT_UNSUPPORTED, "this tape began outside of the branch or loop");
    refuses(uneven, 1, GT_INVALID,
            "cond: output 1 must be alike in both branches (got float64 () and float64 (3,))");
    refuses(shrinks, 1, GT_INVALID,
            "while_loop: loop variable 1 must stay like it was, float64 (3,) (got float64 ())");
    refuses(wide_condition, 1, GT_INVALID, "the condition must have one element (got bool (3,))");
    refuses(late_condition, 1, GT_INVALID, "the condition must have one element (got bool (3,))");
    refuses(reading_loop, 1, GT_STATE, "inside a traced function this tensor has no number yet");
    refuses(failing, 1, GT_NUMERIC, "cond: the body failed");
    refuses(lazy, 1, GT_INVALID, "the body's output 1 is NULL");
    refuses(without_limit, 3, GT_UNSUPPORTED,
            "while_loop: a gradient needs the loop variables of "
            "every round, and memory for them: give "
            ".maximum_iterations");
    refuses(stacks_too_deep, 1, GT_INVALID, "100 rounds of float64 (1, 1, 1, 1, 1, 1, 1, 3)");
    refuses(uses_escaped, 1, GT_STALE, "a tensor of a traced function was used outside of it");
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

static gt_Status copies_x(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], 1);
    return gt_status();
}

static gt_Status second_of_two(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], 2);
    return gt_status();
}

static gt_Status chooses_by_half(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    return gt_cond(in[0], copies_x, second_of_two, NULL, ONE(in[1]), out);
}

/* -0.0 is false and NaN true in every float type, whether a body is chosen eagerly or in a plan. */
Test(control, predicates_of_every_float)
{
    const gt_DType types[] = {GT_FLOAT32, GT_FLOAT64, GT_FLOAT16, GT_BFLOAT16};
    const double numbers[] = {-0.0, 0, 1, -1, NAN, INFINITY};
    gt_Scope *scope = gt_scope_begin();
    gt_Function *function = gt_function(chooses_by_half, NULL);
    for (int t = 0; t < 4; t++)
        for (int i = 0; i < 6; i++) {
            gt_Tensor *predicate = gt_cast(gt_scalar(numbers[i], GT_FLOAT64), types[t]);
            gt_Tensor *in[2] = {predicate, gt_scalar(3, GT_FLOAT32)}, *eager, *planned;
            double want = i < 2 ? 6 : 3;
            chooses_by_half(NULL, in, &eager);
            gt_function_call(function, ((gt_Tensors){in, 2}), &planned);
            ok();
            cr_assert(gt_item(eager) == want, "type %d, %g: eagerly", t, numbers[i]);
            cr_assert(gt_item(planned) == want, "type %d, %g: in a plan", t, numbers[i]);
        }
    gt_function_free(function);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A layer that is built when a branch is traced; one that adds a loss. */
static gt_Status calls_layer(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_call(*(gt_Layer **)context, in[0], .training = true);
    return gt_status();
}

static gt_Status copies(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], 1);
    return gt_status();
}

static gt_Status layer_in_branch(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Layer **layer = context;
    gt_Tape *tape = gt_tape_begin();
    if (gt_cond(in[1], calls_layer, copies, layer, ONE(in[0]), out) != GT_OK)
        return gt_status();
    gt_Tensors weights = gt_trainable_variables(*layer);
    out[1] = gt_keep(gt_gradient(tape, out[0], weights.items[0]));
    gt_keep(out[0]);
    gt_tape_end(tape);
    return gt_status();
}

Test(control, layers)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *in[2] = {gt_ones(gt_shape(2, 3)), gt_scalar(1, GT_FLOAT32)}, *out[2];
    gt_Layer *layer = gt_Sequential(gt_Dense(3, .activation = gt_tanh), gt_Dropout(0.25));
    gt_Function *function = gt_function(layer_in_branch, &layer, .outputs = 2);
    for (uint64_t i = 0; i < 4; i++) {
        in[1] = gt_scalar(i < 3, GT_FLOAT32);
        gt_function_call(function, ((gt_Tensors){in, 2}), out);
        ok();
        cr_assert(i < 3 || gt_element(out[0], 0) == 1);
        cr_assert(i < 3 || gt_element(out[1], 0) == 0);
        cr_assert(i == 3 || gt_element(out[0], 0) != 1);
    }
    gt_function_free(function);
    gt_layer_free(layer);
    layer = gt_Dense(3, .activity_regularizer = gt_L2(0.1));
    function = gt_function(layer_in_branch, &layer, .outputs = 2);
    gt_function_call(function, ((gt_Tensors){in, 2}), out);
    fails(GT_UNSUPPORTED, "in a branch or loop of a traced function, or where it is recomputed, a loss is not known outside");
    gt_function_free(function);
    gt_layer_free(layer);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

static gt_Status inverse_of_ones(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context, (void)in;
    out[0] = gt_inv(gt_ones(gt_shape(2, 2)));
    return gt_status();
}

static gt_Status just_ones(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context, (void)in;
    out[0] = gt_ones(gt_shape(2, 2));
    return gt_status();
}

static gt_Status inverse_if_positive(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    return gt_cond(gt_greater(in[0], 0), inverse_of_ones, just_ones, NULL, ((gt_Tensors){NULL, 0}),
                   out, .outputs = 1);
}

/* Constants that an operation refuses are an error of the branch when it is taken, not when it is traced. */
Test(control, wrong_constants_in_a_branch)
{
    gt_Scope *scope = gt_scope_begin();
    gt_solve(gt_eye(2), gt_eye(2));
    bool lapack = gt_status() == GT_OK;
    gt_error_clear();
    gt_Function *function = gt_function(inverse_if_positive, NULL, .outputs = 1);
    for (int i = 0; i < 4; i++) {
        gt_Tensor *in[1] = {gt_scalar(i % 2, GT_FLOAT32)}, *out[1];
        gt_function_call(function, ((gt_Tensors){in, 1}), out);
        if (i % 2)
            fails(lapack ? GT_INVALID : GT_UNSUPPORTED,
                  lapack ? "the matrix is singular" : "LAPACK");
        else if (lapack)
            ok();
        gt_error_clear();
    }
    gt_function_free(function);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Under a tape bodies run eagerly; where every number is looked at a plan does it. */
Test(control, eagerly)
{
    gt_Scope *scope = gt_scope_begin();
    State s = state_new();
    gt_Function *function = gt_function(limited, &s, .outputs = 3);
    gt_Tensor *in[2] = {gt_array64(gt_shape(3), 1, 2, 3), number(1)}, *want[3], *got[3];
    gt_Tape *tape = gt_tape_begin();
    gt_function_call(function, ((gt_Tensors){in, 2}), got);
    gt_Tensor *gradient = gt_gradient(tape, got[0], s.w);
    limited(&s, in, want);
    same(want[0], got[0], 0, "under a tape", 0);
    ok();
    cr_assert_neq(gt_element(gradient, 0), 0);
    gt_tape_end(tape);
    gt_check_numerics(true);
    gt_function_call(function, ((gt_Tensors){in, 2}), got);
    gt_check_numerics(false);
    ok();
    cr_assert_eq(gt_function_stats(function).eager_calls, 1);
    gt_function_call(function, ((gt_Tensors){in, 2}), got);
    cr_assert_eq(gt_function_stats(function).runs, 2);
    gt_function_free(function);
    state_free(&s);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- without memory ---- */

static gt_Status all_kinds(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tensor *y[MOST];
    stateful(s, in, y);
    random_walk(s, in, y + 2);
    nested_gradient(s, in, out);
    with_own(s, in, y + 5);
    pieces_gradient(s, in, y + 4);
    out[3] = gt_add(gt_add(y[0], y[2]), gt_add(y[5], y[4]));
    return gt_status();
}

/* Any allocation may fail: an error, nothing lost, no variable changed, and the next call is right.
 * Without pools, so that every request may. */
Test(control, out_of_memory)
{
    const long plenty = 100000000;
    Budget budget = {.left = plenty};
    gt_Context *mine = gt_context_use(NULL);
    bool finished = false;
    for (long n = 0; !finished; n += 1 + n / 40) {
        gt_Allocator allocator = {budget_allocate, budget_release, &budget};
        budget.left = plenty;
        gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
        gt_context_use(context);
        State eager = state_new(), planned = state_new();
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *in[2] = {gt_array64(gt_shape(3), 0.3, -0.7, 0.2), number(1)}, *want[4], *got[4];
        gt_Function *function = gt_function(all_kinds, &planned, .outputs = 4);
        ok();
        budget.left = n;
        gt_function_call(function, ((gt_Tensors){in, 2}), got);
        finished = gt_status() == GT_OK;
        budget.left = plenty;
        if (!finished) {
            cr_assert_null(got[0]);
            cr_assert_eq(gt_status(), GT_NO_MEMORY, "%s", gt_error_message());
            gt_error_clear();
            same(eager.w, planned.w, 0, "without memory", -1);
            same(eager.random, planned.random, 0, "without memory", -3);
            gt_function_call(function, ((gt_Tensors){in, 2}), got);
        }
        all_kinds(&eager, in, want);
        for (int i = 0; i < 4; i++)
            same(want[i], got[i], i < 3 ? 1e-14 : 0, "without memory", i);
        same(eager.w, planned.w, 0, "without memory", -1);
        gt_scope_end(scope);
        gt_function_free(function);
        state_free(&eager);
        state_free(&planned);
        gt_MemoryStats stats = gt_memory_stats();
        cr_assert(stats.handles == 0 && stats.variables == 0 && stats.records == 0);
        gt_context_free(context);
        cr_assert_eq(budget.held, 0);
    }
    gt_context_use(mine);
    assert_no_leaks();
}
