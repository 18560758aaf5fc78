/* Control flow inside traced functions: the same bits as eager execution, forward and backward; only
 * the branch that is taken runs, a loop makes as many rounds as its numbers ask for; state, nesting,
 * and what goes wrong. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "../core/internal.h"
#include "../autodiff/custom.h"
#include "../autodiff/forward.h"
#include "../autodiff/gradient.h"
#include "../ops/activation.h"
#include "../ops/arithmetic.h"
#include "../ops/assign.h"
#include "../ops/cast.h"
#include "../ops/compare.h"
#include "../ops/control.h"
#include "../ops/creation.h"
#include "../ops/indexing.h"
#include "../ops/math.h"
#include "../ops/matmul.h"
#include "../ops/random.h"
#include "../ops/recurrent.h"
#include "../ops/reduce.h"
#include "../ops/reshaping.h"
#include "../plan/function.h"
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

static void same_bytes(gt_Tensor *a, gt_Tensor *b, const char *what, int which)
{
    gt_Spec x = gt_spec(a), y = gt_spec(b);
    ok();
    cr_assert(gt_spec_equal(&x, &y), "%s, output %d: specs differ", what, which);
    if (memcmp(gt_data(a), gt_data(b), gt_spec_bytes(&x)) == 0)
        return;
    cr_assert(0, "%s, output %d: %.17g eagerly, %.17g planned", what, which, gt_at(a, 0),
              gt_at(b, 0));
}

/* A body, what it changes, and how it is called: every call eagerly and as a plan, with variables of
 * its own for each. */
typedef struct Case {
    const char *name;
    gt_FunctionBody body;
    int32_t outputs;
} Case;

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
            want[k] = gt_add(want[k], 0);
        gt_function_call(function, ((gt_Tensors){2, in}), got);
        ok();
        for (int k = 0; k < c->outputs; k++)
            same_bytes(want[k], got[k], c->name, k);
        same_bytes(eager.w, planned.w, c->name, -1);
        same_bytes(eager.b, planned.b, c->name, -2);
        same_bytes(eager.random, planned.random, c->name, -3);
        gt_scope_end(inner);
    }
    gt_MemoryStats before = gt_memory_stats();
    for (int i = 0; i < 50; i++) {
        gt_Scope *inner = gt_scope_begin();
        gt_Tensor *in[2] = {gt_array64(gt_shape(3), 0.3, -0.7, 0.2), number(i % 3)}, *got[MOST];
        gt_function_call(function, ((gt_Tensors){2, in}), got);
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

static gt_Status choose_gradient(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_Tensor *y = NULL;
    choose(context, in, &y);
    gt_Tensor *gradient[3];
    gt_gradients(tape, ONE(gt_sum(gt_square(y))), gt_tensors(in[0], s->w, s->b), gradient,
                 .unconnected = GT_UNCONNECTED_ZERO);
    for (int i = 0; i < 3; i++)
        out[i] = gt_keep(gradient[i]);
    gt_tape_end(tape);
    return gt_status();
}

/* The gradient of the sum of the squares of the gradient. */
static gt_Status second_order(gt_FunctionBody body, State *s, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tape *outer = gt_tape_begin();
    gt_watch(outer, in[0]);
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_Tensor *y = NULL, *gradient[3], *second[3];
    body(s, in, &y);
    gt_gradients(tape, ONE(gt_sum(gt_square(y))), gt_tensors(in[0], s->w, s->b), gradient,
                 .unconnected = GT_UNCONNECTED_ZERO);
    gt_tape_end(tape);
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

static gt_Status choose_second(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return second_order(choose, context, in, out);
}

static gt_Status choose_jvp(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_Tensor *flag = in[1];
    (void)flag;
    return gt_jvp(choose, s, gt_tensors(in[0], in[1]), gt_tensors(gt_exp(in[0]), in[1]), out,
                  out + 1);
}

Test(control, branches)
{
    compare(&(Case){"cond", choose, 1});
    compare(&(Case){"its gradient", choose_gradient, 3});
    compare(&(Case){"its second gradient", choose_second, 3});
    gt_context_free(NULL);
    assert_no_leaks();
}
