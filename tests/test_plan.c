/* Traced functions and their plans: the same bits as eager execution, no allocation, no half
 * updates, and what happens when the body, the caller or the memory fails. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "../core/structs.h"
#include "../autodiff/gradient.h"
#include "../ops/nn/activation.h"
#include "../ops/math/arithmetic.h"
#include "../ops/array/assign.h"
#include "../ops/array/cast.h"
#include "../ops/array/indexing.h"
#include "../ops/linalg/matmul.h"
#include "../ops/math/random.h"
#include "../ops/nn/loss.h"
#include "../ops/math/reduce.h"
#include "../ops/table.h"
#include "../optim/adam.h"
#include "../plan/function.h"
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

static const gt_Tensors none = {0};

/* ---- a small network, trained ---- */

typedef struct Net {
    gt_Optimizer *adam;
    gt_Variable *kernel[2], *bias[2], *slow[4];
    double rate;
    gt_DType dtype;
} Net;

static gt_Tensor *numbers(gt_Shape shape, gt_DType dtype, unsigned seed)
{
    double values[512];
    int64_t count = 1;
    for (int i = 0; i < shape.rank; i++)
        count *= shape.dims[i];
    for (int64_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (double)(seed >> 8) / (1 << 23) - 1;
    }
    return gt_from_values_at(GT_HERE, shape, dtype, count, values);
}

static Net net_new(gt_DType dtype)
{
    gt_Scope *scope = gt_scope_begin();
    Net net = {.rate = 0.125, .dtype = dtype};
    net.kernel[0] = gt_variable(numbers(gt_shape(5, 16), dtype, 1));
    net.bias[0] = gt_variable(numbers(gt_shape(16), dtype, 2));
    net.kernel[1] = gt_variable(numbers(gt_shape(16, 3), dtype, 3));
    net.bias[1] = gt_variable(numbers(gt_shape(3), dtype, 4));
    gt_Variable *all[4] = {net.kernel[0], net.bias[0], net.kernel[1], net.bias[1]};
    for (int i = 0; i < 4; i++) {
        net.slow[i] = gt_variable(all[i], .trainable = false);
        gt_assign(net.slow[i], 0);
    }
    gt_scope_end(scope);
    return net;
}

static void net_free(Net *net)
{
    for (int i = 0; i < 2; i++) {
        gt_variable_free(net->kernel[i]);
        gt_variable_free(net->bias[i]);
    }
    for (int i = 0; i < 4; i++)
        gt_variable_free(net->slow[i]);
}

/* Momentum: the new velocity is used at once, as optimizers written by hand do. */
static gt_Status net_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Net *net = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *hidden = gt_relu(gt_add(gt_matmul(in[0], net->kernel[0]), net->bias[0]));
    gt_Tensor *guess = gt_add(gt_matmul(hidden, net->kernel[1]), net->bias[1]);
    gt_Tensor *loss = gt_mean(gt_square(gt_subtract(guess, in[1])));
    gt_Variable *all[4] = {net->kernel[0], net->bias[0], net->kernel[1], net->bias[1]};
    gt_Tensor *gradient[4];
    gt_gradients(tape, gt_tensors(loss), ((gt_Tensors){all, 4}), gradient);
    gt_Tensor *rate = gt_live(&net->rate, net->dtype);
    for (int i = 0; i < 4 && gt_status() == GT_OK; i++) {
        gt_assign(net->slow[i], gt_add(gt_multiply(net->slow[i], 0.875), gradient[i]));
        gt_assign_sub(all[i], gt_multiply(net->slow[i], rate));
    }
    out[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

static double run_eagerly(gt_FunctionBody body, void *context, gt_Tensors in)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *out[4] = {NULL};
    body(context, in.items, out);
    double item = out[0] ? gt_item(out[0]) : 0;
    gt_scope_end(scope);
    return item;
}

static double run_planned(gt_Function *function, gt_Tensors in)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *out[4] = {NULL};
    gt_function_call(function, in, out);
    double item = out[0] ? gt_item(out[0]) : 0;
    gt_scope_end(scope);
    return item;
}

static void assert_same_bytes(gt_Variable *a, gt_Variable *b)
{
    gt_Spec spec = gt_spec(a);
    ok();
    cr_assert_eq(memcmp(gt_data(a), gt_data(b), gt_spec_bytes(&spec)), 0);
}

static void assert_same_nets(const Net *a, const Net *b)
{
    for (int i = 0; i < 2; i++) {
        assert_same_bytes(a->kernel[i], b->kernel[i]);
        assert_same_bytes(a->bias[i], b->bias[i]);
    }
    for (int i = 0; i < 4; i++)
        assert_same_bytes(a->slow[i], b->slow[i]);
}

static void train(gt_DType dtype)
{
    Net eager = net_new(dtype), planned = net_new(dtype);
    gt_Function *step = gt_function(net_step, &planned, .outputs = 1);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = numbers(gt_shape(8, 5), dtype, 5), *y = numbers(gt_shape(8, 3), dtype, 6);
    gt_Tensor *x3 = numbers(gt_shape(3, 5), dtype, 7), *y3 = numbers(gt_shape(3, 3), dtype, 8);
    double first = 0, last = 0;
    for (int i = 0; i < 20; i++) {
        eager.rate = planned.rate = 0.125 / (1 + i);
        gt_Tensor *a = i % 4 == 3 ? x3 : x, *b = i % 4 == 3 ? y3 : y;
        last = run_eagerly(net_step, &eager, gt_tensors(a, b));
        cr_assert_eq(run_planned(step, gt_tensors(a, b)), last);
        if (i == 0)
            first = last;
        assert_same_nets(&eager, &planned);
    }
    cr_assert_lt(last, first);
    gt_FunctionStats stats = gt_function_stats(step);
    cr_assert_eq(stats.plans, 2);
    cr_assert_eq(stats.traces, 2);
    cr_assert_eq(stats.runs, 20);
    cr_assert_eq(stats.eager_calls, 0);
    cr_assert_gt(stats.operations, 20);
    cr_assert_lt(stats.bytes, stats.bytes_naive);

    gt_MemoryStats before = gt_memory_stats();
    for (int i = 0; i < 1000; i++)
        run_planned(step, i % 2 ? gt_tensors(x, y) : gt_tensors(x3, y3));
    gt_MemoryStats after = gt_memory_stats();
    cr_assert_eq(after.allocator_calls, before.allocator_calls);
    cr_assert_eq(after.bytes_in_use, before.bytes_in_use);
    cr_assert_eq(after.handles, before.handles);
    gt_scope_end(scope);
    gt_function_free(step);
    net_free(&eager);
    net_free(&planned);
    ok();
    after = gt_memory_stats();
    cr_assert_eq(after.variables, 0);
    cr_assert_eq(after.records, 0);
    cr_assert_eq(after.handles, 0);
}

Test(plan, training_is_the_same_bit_for_bit)
{
    train(GT_FLOAT32);
    train(GT_FLOAT64);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Dropout, Adam with clipping: state of the generator, of the optimizer, a count that the update
 * reads. */
static gt_Status adam_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Net *net = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *hidden = gt_relu(gt_add(gt_matmul(in[0], net->kernel[0]), net->bias[0]));
    hidden = gt_dropout(hidden, 0.25);
    gt_Tensor *logits = gt_add(gt_matmul(hidden, net->kernel[1]), net->bias[1]);
    gt_Tensor *loss =
        gt_mean(gt_sparse_categorical_crossentropy(in[1], logits, .from_logits = true));
    gt_Variable *all[4] = {net->kernel[0], net->bias[0], net->kernel[1], net->bias[1]};
    gt_minimize(net->adam, tape, loss, ((gt_Tensors){all, 4}));
    out[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

Test(plan, adam_is_the_same_bit_for_bit)
{
    Net eager = net_new(GT_FLOAT32), planned = net_new(GT_FLOAT32);
    eager.adam = gt_Adam(0.05, .global_clipnorm = 1);
    planned.adam = gt_Adam(0.05, .global_clipnorm = 1);
    gt_Function *step = gt_function(adam_step, &planned, .outputs = 1);
    gt_Scope *scope = gt_scope_begin();
    const int32_t classes[8] = {0, 1, 2, 0, 1, 2, 0, 1}, wrong[8] = {0, 1, 2, 3, 0, 1, 2, 3};
    gt_Tensor *x = numbers(gt_shape(8, 5), GT_FLOAT32, 5);
    gt_Tensor *y = gt_from_data(classes, gt_shape(8), GT_INT32);
    gt_Tensor *bad = gt_from_data(wrong, gt_shape(8), GT_INT32), *out;
    for (uint64_t i = 0; i < 20; i++) {
        gt_set_seed(i);
        double want = run_eagerly(adam_step, &eager, gt_tensors(x, y));
        gt_set_seed(i);
        cr_assert_eq(run_planned(step, gt_tensors(x, y)), want);
        assert_same_nets(&eager, &planned);
        gt_Tensors a = gt_optimizer_variables(eager.adam), b = gt_optimizer_variables(planned.adam);
        cr_assert_eq(a.count, b.count);
        for (int32_t k = 0; k < a.count; k++)
            assert_same_bytes(a.items[k], b.items[k]);
        /* A label that is no class: nothing changes, not even the optimizer's count. */
        gt_function_call(step, gt_tensors(x, bad), &out);
        cr_assert_eq(gt_status(), GT_INVALID, "%s", gt_error_message());
        gt_error_clear();
    }
    gt_MemoryStats before = gt_memory_stats();
    for (int i = 0; i < 1000; i++)
        run_planned(step, gt_tensors(x, y));
    gt_MemoryStats after = gt_memory_stats();
    ok();
    cr_assert_eq(after.allocator_calls, before.allocator_calls);
    cr_assert_eq(after.bytes_in_use, before.bytes_in_use);
    gt_scope_end(scope);
    gt_optimizer_free(eager.adam);
    gt_optimizer_free(planned.adam);
    gt_function_free(step);
    net_free(&eager);
    net_free(&planned);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- effects ---- */

typedef struct State {
    gt_Variable *a, *b, *random;
    gt_Tensor *outside, *large;
} State;

static State state_new(void)
{
    gt_Scope *scope = gt_scope_begin();
    State state = {0};
    state.a = gt_variable(gt_array(gt_shape(3), 1, 2, 3));
    state.b = gt_variable(gt_array(gt_shape(3), 10, 20, 30));
    state.random = gt_generator(7);
    gt_scope_end(scope);
    return state;
}

static void state_free(State *state)
{
    gt_variable_free(state->a);
    gt_variable_free(state->b);
    gt_variable_free(state->random);
}

/* Old values, views of them, new values and outputs of all of them. */
static gt_Status swap(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    (void)in;
    gt_Tensor *old = gt_identity(s->a);
    gt_assign(s->a, s->b);
    gt_Tensor *middle = gt_identity(s->a);
    gt_assign(s->b, old);
    gt_assign_add(s->a, 0.5);
    out[0] = old;
    out[1] = middle;
    out[2] = s->a;
    out[3] = s->a;
    return gt_status();
}

/* Operations read a variable between two assignments: the effects work on a shadow. */
static gt_Status chain(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    out[0] = gt_add(s->a, in[0]);
    gt_assign_add(s->a, in[0]);
    gt_Tensor *view = gt_identity(s->a);
    out[1] = gt_multiply(s->a, s->a);
    gt_assign_sub(s->a, out[1]);
    gt_assign_add(s->b, gt_identity(s->b));
    gt_assign_add(s->b, gt_add(view, s->a));
    out[2] = gt_identity(view);
    out[3] = s->b;
    return gt_status();
}

static gt_Status draw(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    (void)in;
    out[0] = gt_uniform(gt_shape(3), .generator = s->random);
    out[1] = gt_normal(gt_shape(3), .generator = s->random);
    gt_assign_add(s->a, out[0]);
    out[2] = gt_add(out[1], s->a);
    out[3] = gt_uniform(gt_shape(3));
    return gt_status();
}

static void compare(gt_FunctionBody body)
{
    State eager = state_new(), planned = state_new();
    gt_Function *function = gt_function(body, &planned, .outputs = 4);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array(gt_shape(3), 0.25, -1, 2);
    gt_Tensor *sum = NULL;
    for (int i = 0; i < 5; i++) {
        gt_Tensor *want[4], *got[4];
        gt_set_seed(3 + (uint64_t)i);
        body(&eager, &x, want);
        for (int k = 0; k < 4; k++) /* a variable as it is now */
            want[k] = gt_add(want[k], 0);
        gt_set_seed(3 + (uint64_t)i);
        gt_function_call(function, gt_tensors(x), got);
        ok();
        for (int k = 0; k < 4; k++)
            assert_same_bytes(want[k], got[k]);
        assert_same_bytes(eager.a, planned.a);
        assert_same_bytes(eager.b, planned.b);
        assert_same_bytes(eager.random, planned.random);
        if (sum) /* the last call's output is not this one's */
            cr_assert_neq(gt_data(sum), gt_data(got[0]));
        sum = got[0];
    }
    gt_scope_end(scope);
    gt_function_free(function);
    state_free(&eager);
    state_free(&planned);
    ok();
}

static gt_Status advance(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_assign_add(s->a, 1);
    gt_Tensor *rows = gt_take(s->b, in[0], .axis = 0);
    gt_assign_add(s->b, 1);
    out[0] = gt_add(rows, gt_identity(s->a));
    return gt_status();
}

static bool stop(void *user)
{
    (void)user;
    return true;
}

Test(plan, effects)
{
    compare(swap);
    compare(chain);
    compare(draw);
    /* Nothing is changed unless all is. */
    State s = state_new();
    gt_Function *function = gt_function(advance, &s, .outputs = 1);
    gt_Scope *scope = gt_scope_begin();
    const int64_t good[3] = {2, 0, 1}, bad[3] = {0, 1, 3};
    gt_Tensor *index = gt_from_data(good, gt_shape(3), GT_INT64), *out;
    gt_function_call(function, gt_tensors(index), &out);
    ok();
    cr_assert_eq(gt_element(out, 0), 32);
    cr_assert_eq(gt_element(s.a, 0), 2);
    cr_assert_eq(gt_element(s.b, 0), 11);
    gt_Tensor *wrong = gt_from_data(bad, gt_shape(3), GT_INT64);
    int64_t handles = gt_memory_stats().handles;
    gt_function_call(function, gt_tensors(wrong), &out);
    cr_assert_null(out);
    assert_error(GT_INVALID, "test: take: ");
    gt_set_interrupt(stop, NULL);
    gt_function_call(function, gt_tensors(index), &out);
    gt_set_interrupt(NULL, NULL);
    cr_assert_null(out);
    assert_error(GT_INTERRUPTED, "interrupted");
    cr_assert_eq(gt_memory_stats().handles, handles);
    cr_assert_eq(gt_element(s.a, 0), 2);
    cr_assert_eq(gt_element(s.b, 0), 11);
    gt_function_call(function, gt_tensors(index), &out);
    ok();
    cr_assert_eq(gt_element(s.a, 0), 3);
    gt_scope_end(scope);
    gt_function_free(function);
    state_free(&s);
    ok();
    gt_context_free(NULL);
    assert_no_leaks();
}

static gt_Status advance_both(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    gt_assign_add(s->b, 10);
    gt_assign_add(s->a, 1);
    out[0] = gt_add(gt_add(gt_identity(s->a), gt_identity(s->b)), in[0]);
    return gt_status();
}

/* Variables whose bytes others hold, other variables of the plan among them, get their own before any address is looked up. */
Test(plan, holders_of_old_values)
{
    State s = state_new();
    gt_Variable *c = gt_variable(s.a);
    gt_Function *function = gt_function(advance_both, &s, .outputs = 1);
    gt_Scope *scope = gt_scope_begin();
    for (int i = 0; i < 4; i++) {
        gt_Tensor *out, *held[2];
        const double a = gt_element(s.a, 0);
        gt_assign(c, s.a);
        if (i % 2)
            gt_assign(s.b, s.a);
        const double b = gt_element(s.b, 0);
        held[0] = gt_identity(s.a);
        held[1] = gt_identity(s.b);
        gt_function_call(function, gt_tensors(c), &out);
        ok();
        cr_assert_eq(gt_element(s.a, 0), a + 1);
        cr_assert_eq(gt_element(s.b, 0), b + 10);
        cr_assert_eq(gt_element(c, 0), a);
        cr_assert_eq(gt_element(held[0], 0), a);
        cr_assert_eq(gt_element(held[1], 0), b);
        cr_assert_eq(gt_element(out, 0), a + 1 + b + 10 + a);
    }
    gt_scope_end(scope);
    gt_function_free(function);
    gt_variable_free(c);
    state_free(&s);
    ok();
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- where values come from and go to ---- */

static float borrowed[2] = {5, 6};
static double factor = 1;

static gt_Status sources(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    State *s = context;
    out[0] = in[0];
    out[1] = gt_identity(in[0]);
    out[2] = s->outside;
    out[3] = gt_from_buffer(borrowed, gt_shape(2), GT_FLOAT32);
    out[4] = gt_add(out[3], in[0]);
    out[5] = gt_multiply(out[4], s->a);
    out[6] = gt_sum(gt_multiply(s->large, gt_live(&factor, GT_FLOAT32)));
    out[7] = out[4];
    out[8] = gt_multiply(gt_from_values_at(GT_HERE, gt_shape(0, 2), GT_FLOAT32, 0, NULL), out[4]);
    (void)gt_add(out[4], out[5]); /* nobody needs it */
    gt_assign(s->a, gt_add(s->a, in[0]));
    return gt_status();
}

Test(plan, sources_and_outputs)
{
    gt_Scope *scope = gt_scope_begin();
    static float large[5000];
    for (int i = 0; i < 5000; i++)
        large[i] = 1;
    gt_Variable *a = gt_variable(gt_array(gt_shape(2), 1, 2));
    State s = {.a = a, .large = gt_from_data(large, gt_shape(5000), GT_FLOAT32)};
    s.outside = gt_identity(a); /* a view of the variable: keeps the old numbers */
    gt_Function *function = gt_function(sources, &s, .outputs = 9);
    gt_Tensor *out[9];
    for (int i = 0; i < 3; i++) {
        /* The variable itself as argument: its value at the call. */
        double was = gt_element(a, 0);
        gt_function_call(function, gt_tensors(a), out);
        ok();
        cr_assert_eq(gt_element(out[0], 0), was);
        cr_assert_eq(gt_element(out[1], 0), was);
        cr_assert_eq(gt_element(out[2], 0), 1);
        cr_assert_eq(gt_element(out[3], 1), 6);
        cr_assert_eq(gt_element(out[4], 0), 5 + was);
        cr_assert_eq(gt_element(out[5], 0), (5 + was) * was);
        cr_assert_eq(gt_item(out[6]), 5000 * factor++);
        cr_assert_eq(gt_element(out[7], 0), 5 + was);
        cr_assert_eq(gt_size(out[8]), 0);
        cr_assert_eq(gt_element(a, 0), 2 * was);
        cr_assert_neq(gt_data(out[0]), gt_data(a));
        cr_assert_neq(gt_data(out[7]), gt_data(out[4]));
        cr_assert_eq(gt_element(s.outside, 0), 1);
        borrowed[0] = borrowed[1] = 0; /* a constant is what it was when it was traced */
    }
    cr_assert_eq(gt_function_stats(function).operations, 5, "a sum and a product are a chain, the new value is computed in its place");
    /* The variable lives as long as the plan needs it. */
    gt_variable_free(a);
    cr_assert_eq(gt_memory_stats().variables, 1);
    gt_function_call(function, gt_tensors(out[0]), out);
    ok();
    gt_function_free(function);
    cr_assert_eq(gt_memory_stats().variables, 0);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- signatures ---- */

static gt_Status watched_square(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Variable *v = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_sum(gt_multiply(gt_square(v), in[0]));
    gt_Tensor *gradient = gt_gradient(tape, y, v, .unconnected = GT_UNCONNECTED_ZERO);
    out[0] = gt_keep(gradient);
    gt_tape_end(tape);
    return gt_status();
}

static gt_Status triple(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], 3);
    return gt_status();
}

static gt_Status with_another(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *y;
    gt_function_call((gt_Function *)context, gt_tensors(in[0]), &y);
    out[0] = gt_square(y);
    return gt_status();
}

static gt_Status weigh(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_multiply((gt_Variable *)context, in[0]);
    gt_assign_add((gt_Variable *)context, 1);
    return gt_status();
}

Test(plan, which_plan)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *out, *x = gt_array(gt_shape(2), 1, 2);
    /* A plan for every signature, the oldest go. */
    gt_Function *function = gt_function(triple, NULL, .outputs = 1);
    for (int round = 0; round < 2; round++)
        for (int i = 1; i <= 40; i++) {
            gt_function_call(function, gt_tensors(numbers(gt_shape(i), GT_FLOAT32, 1)), &out);
            ok();
            cr_assert_eq(gt_size(out), i);
        }
    gt_FunctionStats stats = gt_function_stats(function);
    cr_assert_eq(stats.plans, 32);
    cr_assert_eq(stats.traces, 80);
    gt_function_call(function, gt_tensors(x, x), &out);
    gt_function_call(function, gt_tensors(gt_array64(gt_shape(2), 1, 2)), &out);
    cr_assert_eq(gt_dtype(out), GT_FLOAT64);
    /* Inside another one. */
    gt_Function *outer = gt_function(with_another, function, .outputs = 1);
    gt_function_call(outer, gt_tensors(x), &out);
    ok();
    cr_assert_eq(gt_element(out, 1), 36);
    cr_assert_eq(gt_function_stats(outer).operations, 1, "both are a chain");
    gt_function_free(outer);
    /* What is trainable changes what is traced. */
    gt_Variable *v = gt_variable(x);
    gt_Function *slope = gt_function(watched_square, v, .outputs = 1);
    gt_function_call(slope, gt_tensors(x), &out);
    ok();
    cr_assert_eq(gt_element(out, 1), 8);
    gt_variable_set_trainable(v, false);
    gt_function_call(slope, gt_tensors(x), &out);
    ok();
    cr_assert_eq(gt_element(out, 1), 0);
    gt_variable_set_trainable(v, true);
    gt_function_call(slope, gt_tensors(x), &out);
    cr_assert_eq(gt_element(out, 1), 8);
    cr_assert_eq(gt_function_stats(slope).traces, 2, "both plans are kept");
    gt_function_free(slope);
    /* Under a tape that watches: eagerly, with right gradients. */
    gt_Function *times = gt_function(weigh, v, .outputs = 1);
    gt_Tape *tape = gt_tape_begin();
    gt_function_call(times, gt_tensors(x), &out);
    gt_Tensor *gradient = gt_gradient(tape, out, v);
    ok();
    cr_assert_eq(gt_element(gradient, 1), 2);
    cr_assert_eq(gt_element(v, 1), 3);
    gt_tape_end(tape);
    tape = gt_tape_begin(.watch_accessed_variables = false);
    gt_watch(tape, x);
    gt_function_call(times, gt_tensors(x), &out);
    gradient = gt_gradient(tape, out, x);
    ok();
    cr_assert_eq(gt_element(gradient, 1), 3);
    gt_tape_end(tape);
    cr_assert_eq(gt_function_stats(times).eager_calls, 2);
    tape = gt_tape_begin(.watch_accessed_variables = false);
    gt_function_call(times, gt_tensors(x), &out);
    gt_tape_end(tape);
    cr_assert_eq(gt_function_stats(times).runs, 1);
    cr_assert_eq(gt_element(v, 1), 5);
    /* A variable as argument, under a tape. */
    tape = gt_tape_begin();
    gt_function_call(function, gt_tensors(v), &out);
    gradient = gt_gradient(tape, out, v);
    ok();
    cr_assert_eq(gt_element(gradient, 1), 3);
    gt_tape_end(tape);
    gt_scope_end(scope);
    gt_context_free(NULL); /* frees what nobody freed */
    assert_no_leaks();
}

/* ---- what goes wrong ---- */

static gt_Status changing(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    int *calls = context;
    out[0] = ++*calls % 2 ? gt_add_at("body.c:1", in[0], gt_operand(1))
                          : gt_multiply_at("body.c:2", in[0], gt_operand(1));
    return gt_status();
}

static gt_Status counting(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    int *calls = context;
    out[0] = gt_add_at("body.c:3", in[0], gt_operand(++*calls));
    return gt_status();
}

static gt_Status reading(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_Tape *tape = gt_tape_begin(); /* left open */
    gt_Scope *scope = gt_scope_begin();
    out[0] = gt_item(gt_sum(in[0])) > 0 ? in[0] : NULL;
    (void)tape;
    (void)scope;
    return gt_status();
}

static gt_Status making(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_variable(in[0]);
    return gt_status();
}

static gt_Status lazy(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context, (void)in, (void)out;
    return GT_OK;
}

static gt_Status refusing(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_square(in[0]);
    return GT_NUMERIC;
}

static gt_Status letting_go(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_Tape *tape = gt_tape_begin();
    out[0] = gt_square(in[0]); /* without gt_keep */
    gt_tape_end(tape);
    return gt_status();
}

static gt_Tensor *escaped;
static gt_Status leaking(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_square(in[0]);
    escaped = gt_keep(gt_square(in[0]));
    return gt_status();
}

static gt_Status recursing(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_function_call(*(gt_Function **)context, gt_tensors(in[0]), out);
}

static gt_Status suicidal(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Function **self = context;
    gt_function_free(*self);
    *self = NULL;
    out[0] = gt_square(in[0]);
    return gt_status();
}

/* The options of pooling have a shape that only its gradient reads: one that is none equals itself. */
static gt_Status pooling_with_a_bad_extent(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    const gt_OptionType *type = gt_op_max_pool.options;
    _Alignas(16) unsigned char options[512];
    const gt_Shape bad = {.mark = GT_MARK, .rank = GT_MAX_RANK + 1};
    gt_options_take(type, options, gt_op_max_pool.samples->options);
    for (const gt_Field *field = type->fields; field->name; field++)
        if (strcmp(field->name, "extent") == 0)
            memcpy(options + field->offset, &bad, sizeof bad);
    out[0] = gt_apply_one_at("body.c:1", &gt_op_max_pool, options, 1, in);
    return gt_status();
}

Test(plan, options_that_nobody_reads)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Function *function = gt_function(pooling_with_a_bad_extent, NULL, .outputs = 1);
    gt_Tensor *out, *x = numbers(gt_op_max_pool.samples->input[0].shape, GT_FLOAT64, 1);
    gt_function_call(function, gt_tensors(x), &out);
    ok();
    gt_function_free(function);
    gt_scope_end(scope);
}

static void assert_fails(gt_FunctionBody body, void *context, gt_Status status, const char *text)
{
    gt_Function *function = gt_function(body, context, .outputs = 1);
    gt_Tensor *x = gt_array(gt_shape(2), 1, 2), *out = x;
    gt_MemoryStats before = gt_memory_stats();
    cr_assert_eq(gt_function_call(function, gt_tensors(x), &out), status);
    cr_assert_null(out);
    assert_error(status, text);
    gt_MemoryStats after = gt_memory_stats();
    cr_assert_eq(after.handles, before.handles);
    cr_assert_eq(after.records, before.records);
    cr_assert_eq(gt_function_stats(function).plans, 0);
    gt_function_free(function);
}

Test(plan, mistakes)
{
    gt_Scope *scope = gt_scope_begin();
    int calls = 0;
    assert_fails(changing, &calls, GT_STATE,
                 "test: function: the body did not do the same twice: add at body.c:1, then "
                 "multiply at body.c:2. A traced function must do the same at every call; make "
                 "what changes a variable, an argument or gt_live");
    assert_fails(
        counting, &calls, GT_STATE,
        "the body did not do the same twice: a constant of add at body.c:3 is not the same");
    assert_fails(reading, NULL, GT_STATE, "inside a traced function this tensor has no number yet");
    assert_fails(making, NULL, GT_STATE, "a variable cannot be made inside a traced function");
    assert_fails(lazy, NULL, GT_INVALID, "the body's output 1 is NULL");
    assert_fails(refusing, NULL, GT_NUMERIC, "the body failed");
    assert_fails(letting_go, NULL, GT_STALE, "the body's output 1 was used after its scope");
    gt_Function *self = NULL;
    self = gt_function(recursing, &self, .outputs = 1);
    gt_Tensor *x = gt_array(gt_shape(2), 1, 2), *out = NULL;
    gt_function_call(self, gt_tensors(x), &out);
    assert_error(GT_STATE, "a function cannot call itself");
    gt_function_free(self);
    self = gt_function(suicidal, &self, .outputs = 1);
    gt_Function *gone = self;
    gt_function_call(self, gt_tensors(x), &out);
    ok();
    cr_assert_eq(gt_element(out, 1), 4);
    gt_function_call(gone, gt_tensors(x), &out);
    assert_error(GT_STALE, "this function was freed");

    gt_Function *function = gt_function(leaking, NULL, .outputs = 1);
    gt_function_call(function, gt_tensors(x), &out);
    ok();
    gt_square(escaped);
    assert_error(GT_STALE, "");
    cr_assert_null(gt_function(NULL, NULL));
    assert_error(GT_INVALID, "the body is NULL");
    cr_assert_null(gt_function(leaking, NULL, .outputs = -1));
    assert_error(GT_INVALID, "outputs must be 0 to 1024 (got -1)");
    gt_function_call(NULL, gt_tensors(x), &out);
    assert_error(GT_INVALID, "the function is NULL");
    gt_function_call(function, gt_tensors(NULL), &out);
    assert_error(GT_INVALID, "input 1 is NULL");
    gt_function_call(function, ((gt_Tensors){NULL, 1}), &out);
    assert_error(GT_INVALID, "the list of inputs is NULL");
    gt_function_call(function, gt_tensors(x), NULL);
    assert_error(GT_INVALID, "the place for the 1 outputs is NULL");
    cr_assert_eq(gt_function_stats(NULL).runs, 0);
    assert_error(GT_INVALID, "the function is NULL");
    gt_function_free(NULL);
    /* A pending error: nothing happens. */
    gt_fail(GT_NUMERIC, "mine");
    out = x;
    cr_assert_eq(gt_function_call(function, gt_tensors(x), &out), GT_NUMERIC);
    cr_assert_null(out);
    gt_error_clear();
    cr_assert_eq(gt_function_stats(function).runs, 1);
    gt_Context *other = gt_context_create();
    gt_Context *mine = gt_context_use(other);
    gt_function_call(function, none, &out);
    assert_error(GT_STATE, "this function belongs to another context");
    gt_context_use(mine);
    gt_context_free(other);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- without memory ---- */

/* The pools hide most requests from the allocator, so every n-th failure is also tried against each
 * kind of call: making a net, tracing, running. A step that failed changed nothing, and the next
 * one is right. */
Test(plan, out_of_memory)
{
    const long plenty = 1000000;
    Budget budget = {.left = plenty};
    gt_Context *mine = gt_context_use(NULL);
    bool finished = false;
    for (long n = 0; !finished; n++) {
        gt_Allocator allocator = {budget_allocate, budget_release, &budget};
        budget.left = plenty;
        gt_Context *context = gt_context_create(.allocator = &allocator);
        gt_context_use(context);
        Net eager = net_new(GT_FLOAT64), planned = net_new(GT_FLOAT64);
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = numbers(gt_shape(64, 5), GT_FLOAT64, 5);
        gt_Tensor *y = numbers(gt_shape(64, 3), GT_FLOAT64, 6);
        ok();
        budget.left = n;
        gt_Function *step = gt_function(net_step, &planned, .outputs = 1);
        gt_Tensor *out = NULL;
        if (step)
            gt_function_call(step, gt_tensors(x, y), &out);
        finished = gt_status() == GT_OK;
        budget.left = plenty;
        if (finished) {
            run_eagerly(net_step, &eager, gt_tensors(x, y));
        } else {
            cr_assert_null(out);
            cr_assert_eq(gt_status(), GT_NO_MEMORY, "%s", gt_error_message());
            gt_error_clear();
        }
        assert_same_nets(&eager, &planned);
        if (!step)
            step = gt_function(net_step, &planned, .outputs = 1);
        run_eagerly(net_step, &eager, gt_tensors(x, y));
        run_planned(step, gt_tensors(x, y));
        assert_same_nets(&eager, &planned);
        gt_scope_end(scope);
        gt_function_free(step);
        net_free(&eager);
        net_free(&planned);
        gt_MemoryStats stats = gt_memory_stats();
        cr_assert_eq(stats.handles, 0);
        cr_assert_eq(stats.variables, 0);
        cr_assert_eq(stats.records, 0);
        gt_context_free(context);
        cr_assert_eq(budget.held, 0);
    }
    gt_context_use(mine);
    assert_no_leaks();
}
