/* What C code asks while a function is traced is a fact of the plan's key: the plan runs while every
 * answer is the same, and another one is made, or found, when one is not. Every question that the
 * library answers is asked here by a body, eagerly and traced, before and after the answer changes. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "../autodiff/custom.h"
#include "../autodiff/gradient.h"
#include "../core/structs.h"
#include "../layers/core/activation.h"
#include "../layers/core/dense.h"
#include "../layers/sequential.h"
#include "../ops/math/arithmetic.h"
#include "../ops/array/assign.h"
#include "../ops/array/cast.h"
#include "../ops/math/compare.h"
#include "../ops/control/control.h"
#include "../ops/array/creation.h"
#include "../ops/math/math.h"
#include "../ops/math/reduce.h"
#include "../optim/adam.h"
#include "../optim/sgd.h"
#include "../plan/function.h"
#include "budget.h"
#include "leaks.h"

#undef GT_HERE
#define GT_HERE "test"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())

/* ---- a normalization without weights to train: its moving mean is all it has ---- */

typedef struct Centre {
    gt_Layer base;
    double momentum;
    gt_Variable *mean;
} Centre;

static gt_Status centre_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Centre *self = (Centre *)layer;
    self->mean = gt_add_weight(layer, "moving_mean", gt_shape(in->shape.dims[1]),
                               .initializer = gt_Zeros(), .trainable = false);
    return gt_status();
}

static gt_Tensor *centre_call(gt_Layer *layer, const gt_CallArgs *in)
{
    Centre *self = (Centre *)layer;
    if (!in->training || !gt_is_trainable(layer)) /* Keras: frozen, it is in inference mode */
        return gt_subtract(in->x, self->mean);
    gt_Tensor *mean = gt_mean(in->x, .axes = gt_axes(0));
    gt_assign_add(self->mean, gt_multiply(gt_subtract(mean, self->mean), self->momentum));
    return gt_subtract(in->x, mean);
}

static const gt_LayerClass centre_class = {.size = sizeof(gt_LayerClass),
                                           .name = "centre",
                                           .instance = sizeof(Centre),
                                           .build = centre_build,
                                           .call = centre_call};

static gt_Layer *centre(double momentum)
{
    const Centre instance = {.momentum = momentum};
    return gt_layer_new(&centre_class, &instance);
}

/* A layer that calls its child, whose training it does not say. */
typedef struct Around {
    gt_Layer base;
    gt_Layer *child;
    gt_Function *function;
} Around;

static gt_Status around_create(gt_Layer *layer)
{
    gt_add_child(layer, ((Around *)layer)->child);
    return gt_status();
}

static gt_Status call_child(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_call(((Around *)context)->child, in[0]);
    return gt_status();
}

static gt_Tensor *around_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const Around *self = (const Around *)layer;
    gt_Tensor *y = NULL;
    if (self->function)
        gt_function_call(self->function, gt_tensors(in->x), &y);
    else
        call_child(layer, &in->x, &y);
    return y;
}

static const gt_LayerClass around_class = {.size = sizeof(gt_LayerClass),
                                           .name = "around",
                                           .instance = sizeof(Around),
                                           .create = around_create,
                                           .call = around_call};

/* Counts its calls in its own struct, which says nothing about what it computes. */
typedef struct Counting {
    gt_Layer base;
    int calls;
} Counting;

static gt_Tensor *counting_call(gt_Layer *layer, const gt_CallArgs *in)
{
    ((Counting *)layer)->calls++;
    return gt_multiply(in->x, 2);
}

static const gt_LayerClass counting_class = {.size = sizeof(gt_LayerClass),
                                             .name = "counting",
                                             .instance = sizeof(Counting),
                                             .call = counting_call};

/* ---- questions ---- */

/* What bodies ask about. Two of these are kept: one that is run eagerly, one in plans. */
typedef struct World {
    gt_Layer *model, *apart, *head; /* apart: made and never called */
    gt_Layer *centre, *counting, *around;
    gt_Variable *v, *w;
    gt_Optimizer *sgd;
} World;

static World world_new(void)
{
    World world = {0};
    gt_Scope *scope = gt_scope_begin();
    world.head = gt_Dense(2, .kernel_regularizer = gt_L2(0.25));
    world.model = gt_Sequential(gt_Dense(3, .activation = gt_tanh), world.head);
    world.apart = gt_Sequential(gt_Dense(2));
    world.centre = centre(0.5);
    world.counting = gt_layer_new(&counting_class, &(Counting){0});
    world.around = gt_layer_new(&around_class, &(Around){.child = centre(0.25)});
    gt_build(world.model, gt_shape(2, 2), GT_FLOAT32);
    gt_build(world.centre, gt_shape(2, 2), GT_FLOAT32);
    gt_build(world.around, gt_shape(2, 2), GT_FLOAT32);
    gt_Tensors weights = gt_weights(world.model);
    for (int32_t i = 0; i < weights.count; i++)
        gt_assign(weights.items[i], gt_full(gt_tensor_shape(weights.items[i]), 0.1 * (i + 1)));
    world.v = gt_variable(gt_array(gt_shape(2), 1, 2));
    world.w = gt_variable(gt_array(gt_shape(2), 3, 4));
    world.sgd = gt_SGD(0.125);
    gt_scope_end(scope);
    ok();
    return world;
}

static void world_free(World *world)
{
    gt_layer_free(world->model);
    gt_layer_free(world->apart);
    gt_layer_free(world->centre);
    gt_layer_free(world->counting);
    gt_layer_free(world->around);
    gt_variable_free(world->v);
    gt_variable_free(world->w);
    gt_optimizer_free(world->sgd);
}

static gt_Status asks_layer(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    World *world = context;
    out[0] = gt_call(world->centre, in[0], .training = true);
    return gt_status();
}

static gt_Status asks_variable(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    World *world = context;
    out[0] = gt_variable_trainable(world->w) ? gt_square(in[0]) : gt_exp(in[0]);
    return gt_status();
}

/* A list of what the body itself reads nothing of. */
static gt_Status asks_list(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    World *world = context;
    int trained = gt_trainable_variables(world->model).count;
    int fixed = gt_non_trainable_variables(world->model).count;
    out[0] = gt_add(in[0], 10.0 * trained + fixed);
    return gt_status();
}

static gt_Status asks_unbuilt(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    World *world = context;
    double number = gt_variables(world->apart).count + 10.0 * gt_layer_child_count(world->apart) +
                    100.0 * gt_layer_built(world->apart);
    out[0] = gt_add(in[0], number);
    return gt_status();
}

/* The penalty of a weight that nothing else reads. */
static gt_Status asks_penalties(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    World *world = context;
    out[0] = gt_add(in[0], gt_total_loss(world->model, gt_scalar(0, GT_FLOAT32)));
    return gt_status();
}

static gt_Status asks_optimizer(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    World *world = context;
    double number = gt_optimizer_built(world->sgd) + gt_optimizer_variables(world->sgd).count;
    out[0] = gt_add(in[0], number);
    return gt_status();
}

static gt_Status asks_threads(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_add(in[0], gt_threads());
    return gt_status();
}

/* A number that changes from call to call is a variable: no question, and no new plan. */
static gt_Status trains(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    World *world = context;
    gt_Tape *tape = gt_tape_begin();
    gt_minimize(world->sgd, tape, gt_sum(gt_multiply(gt_square(world->v), gt_sum(in[0]))),
                gt_tensors(world->v));
    gt_tape_end(tape);
    out[0] = gt_add(in[0], 0);
    return gt_status();
}

/* A tape asks whether a variable that is read is trainable. */
static gt_Status asks_tape(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    World *world = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_multiply(gt_multiply(in[0], world->v), world->w), *gradient[2];
    gt_gradients(tape, gt_tensors(y), gt_tensors(world->v, world->w), gradient,
                 .unconnected = GT_UNCONNECTED_ZERO);
    out[0] = gt_keep(gt_add(gradient[0], gt_multiply(gradient[1], 100)));
    gt_tape_end(tape);
    return gt_status();
}

/* The same where a branch reads it. */
static gt_Status times_w(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_multiply(in[0], ((World *)context)->w);
    return gt_status();
}

static gt_Status asks_in_branch(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    World *world = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y, *gradient;
    gt_cond(gt_greater(gt_sum(in[0]), -1e9), times_w, times_w, world, gt_tensors(in[0]), &y);
    gt_gradients(tape, gt_tensors(y), gt_tensors(world->w), &gradient,
                 .unconnected = GT_UNCONNECTED_ZERO);
    out[0] = gt_keep(gradient);
    gt_tape_end(tape);
    return gt_status();
}

static gt_Status asks_option(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    World *world = context;
    out[0] = gt_call(world->around, in[0], .training = true);
    return gt_status();
}

/* ---- changes of the answers ---- */

static void freeze_centre(World *world, bool on)
{
    gt_set_trainable(world->centre, on);
}

static void freeze_w(World *world, bool on)
{
    gt_variable_set_trainable(world->w, on);
}

static void freeze_head(World *world, bool on)
{
    gt_set_trainable(world->head, on);
}

static void build_apart(World *world, bool on)
{
    if (on)
        gt_build(world->apart, gt_shape(2, 2), GT_FLOAT32);
    else if (!gt_layer_built(world->apart))
        gt_sequential_add(world->apart, gt_Dense(5));
}

static void build_sgd(World *world, bool on)
{
    (void)on;
    gt_optimizer_build(world->sgd, gt_tensors(world->v));
}

static void set_momentum(World *world, bool on)
{
    Centre *child = (Centre *)((Around *)world->around)->child;
    child->momentum = on ? 0.25 : 0.75;
}

static void set_threads(World *world, bool on)
{
    (void)world;
    gt_set_threads(on ? 1 : 2);
}

static void compare(const char *name, gt_FunctionBody body, void (*change)(World *, bool),
                    bool back)
{
    World eager = world_new(), planned = world_new();
    gt_Scope *scope = gt_scope_begin();
    gt_Function *function = gt_function(body, &planned, .outputs = 1);
    int64_t traces[8];
    for (int i = 0; i < 8; i++) {
        if (i == 2 || i == 4 || i == 6) {
            change(&eager, i == 4);
            change(&planned, i == 4);
            ok();
        }
        gt_Scope *inner = gt_scope_begin();
        gt_Tensor *x = gt_array(gt_shape(2, 2), 1, 2, 3, 5 + i), *want, *got;
        body(&eager, &x, &want);
        gt_function_call(function, gt_tensors(x), &got);
        ok();
        for (int64_t k = 0; k < gt_size(want); k++)
            cr_assert_eq(gt_element(want, k), gt_element(got, k),
                         "%s, call %d: %g eagerly, %g planned", name, i, gt_element(want, k),
                         gt_element(got, k));
        gt_scope_end(inner);
        traces[i] = gt_function_stats(function).traces;
    }
    gt_Tensors a = gt_weights(eager.centre), b = gt_weights(planned.centre);
    cr_assert_eq(gt_element(a.items[0], 0), gt_element(b.items[0], 0), "%s", name);
    a = gt_weights(eager.around), b = gt_weights(planned.around);
    cr_assert_eq(gt_element(a.items[0], 0), gt_element(b.items[0], 0), "%s", name);
    cr_assert_eq(traces[0], 1, "%s", name);
    cr_assert_eq(traces[1], 1, "%s", name);
    cr_assert_eq(traces[2], 2, "%s: the answer changed", name);
    cr_assert_eq(traces[3], 2, "%s", name);
    if (back) /* the plans of both answers are kept */
        cr_assert_eq(traces[7], 2, "%s: %d traces", name, (int)traces[7]);
    cr_assert_eq(gt_function_stats(function).eager_calls, 0);
    gt_function_free(function);
    gt_scope_end(scope);
    world_free(&eager);
    world_free(&planned);
}

Test(facts, questions)
{
    compare("a layer's flag", asks_layer, freeze_centre, true);
    compare("a variable's flag", asks_variable, freeze_w, true);
    compare("lists", asks_list, freeze_head, true);
    compare("what is not built", asks_unbuilt, build_apart, false);
    compare("penalties", asks_penalties, freeze_head, true);
    compare("an optimizer", asks_optimizer, build_sgd, false);
    compare("a tape", asks_tape, freeze_w, true);
    compare("a branch", asks_in_branch, freeze_w, true);
    compare("an option in the layer's struct", asks_option, set_momentum, true);
    compare("threads", asks_threads, set_threads, true);
    gt_set_threads(1);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(facts, learning_rate)
{
    World eager = world_new(), planned = world_new();
    gt_Function *function = gt_function(trains, &planned, .outputs = 1);
    for (int i = 0; i < 6; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_array(gt_shape(1, 1), 0.5), *y;
        gt_optimizer_set_learning_rate(eager.sgd, 0.25 / (1 + i));
        gt_optimizer_set_learning_rate(planned.sgd, 0.25 / (1 + i));
        trains(&eager, &x, &y);
        gt_function_call(function, gt_tensors(x), &y);
        ok();
        for (int k = 0; k < 2; k++)
            cr_assert_eq(gt_element(eager.v, k), gt_element(planned.v, k), "step %d", i);
        gt_scope_end(scope);
    }
    cr_assert_eq(gt_function_stats(function).traces, 1);
    gt_function_free(function);
    world_free(&eager);
    world_free(&planned);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- what is no fact, and facts that are gone ---- */

/* The body sets the flag itself, as programs do that train two networks by turns. */
static gt_Status by_turns(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    World *world = context;
    gt_set_trainable(world->centre, false);
    gt_variable_set_trainable(world->w, false);
    gt_Tensor *frozen = gt_call(world->centre, in[0], .training = true);
    double number = gt_variable_trainable(world->w);
    gt_set_trainable(world->centre, true);
    gt_variable_set_trainable(world->w, true);
    out[0] = gt_add(frozen, number);
    return gt_status();
}

static gt_Status counts(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_call(((World *)context)->counting, in[0]);
    return gt_status();
}

static gt_Status calls_model(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_call((gt_Layer *)context, in[0], .training = true);
    return gt_status();
}

static double planned(gt_Function *function, double x)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *y = NULL;
    gt_function_call(function, gt_tensors(gt_array(gt_shape(2, 2), x, x, x, 3 * x)), &y);
    double number = y ? gt_element(y, 3) : 0;
    gt_scope_end(scope);
    return number;
}

Test(facts, decided_by_the_body)
{
    World world = world_new();
    gt_Function *turns = gt_function(by_turns, &world), *counter = gt_function(counts, &world);
    for (int i = 0; i < 4; i++) {
        if (i == 2)
            gt_variable_set_trainable(world.w, false); /* the body does not look at what it was */
        cr_assert_eq(planned(turns, i + 1), 3 * (i + 1));
        cr_assert_eq(planned(counter, i), 6 * i);
        counts(&world, &(gt_Tensor *){gt_full(gt_shape(2, 2), 1)}, &(gt_Tensor *){NULL});
    }
    ok();
    cr_assert_eq(gt_function_stats(turns).traces, 1);
    cr_assert_eq(gt_function_stats(counter).traces, 1, "a struct that its layer writes to");
    gt_function_free(turns);
    gt_function_free(counter);
    world_free(&world);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A struct is looked at from the first call on, also where that builds the layer. */
Test(facts, built_by_the_trace)
{
    gt_Layer *layer = centre(0.5);
    gt_Function *function = gt_function(calls_model, layer);
    planned(function, 1);
    cr_assert_eq(gt_function_stats(function).traces, 1);
    cr_assert_eq(gt_element(gt_weights(layer).items[0], 1), 1);
    ((Centre *)layer)->momentum = 1;
    planned(function, 1);
    ok();
    cr_assert_eq(gt_function_stats(function).traces, 2);
    cr_assert_eq(gt_element(gt_weights(layer).items[0], 1), 2);
    gt_function_free(function);
    gt_layer_free(layer);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(facts, how_many_plans)
{
    gt_Layer *layer = centre(0);
    gt_Function *function = gt_function(calls_model, layer);
    for (int i = 0; i < 40; i++) {
        ((Centre *)layer)->momentum = 0.01 * (i % 10);
        planned(function, 1);
    }
    ok();
    cr_assert_eq(gt_function_stats(function).plans, 4);
    cr_assert_eq(gt_function_stats(function).traces, 40, "the one that is needed just went");
    for (int i = 0; i < 40; i++) {
        ((Centre *)layer)->momentum = 0.01 * (i % 4);
        planned(function, 1);
    }
    cr_assert_eq(gt_function_stats(function).traces, 44);
    gt_function_free(function);
    gt_layer_free(layer);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A function that a layer calls: its plans depend on whether that trains, if a layer inherits it. */
Test(facts, training)
{
    Around instance = {.child = centre(0.5)};
    gt_Layer *layer = gt_layer_new(&around_class, &instance);
    ((Around *)layer)->function = gt_function(call_child, layer);
    gt_Function *function = ((Around *)layer)->function;
    for (int i = 0; i < 6; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_call(layer, gt_array(gt_shape(2, 1), 1, 3), .training = i % 2);
        gt_scope_end(scope);
        ok();
        cr_assert_eq(gt_function_stats(function).traces, i < 1 ? 1 : 2);
    }
    cr_assert_eq(gt_element(gt_weights(layer).items[0], 0), 2 * (1 - 0.125));
    gt_function_free(function);
    gt_layer_free(layer);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* What was asked about may go before the function does; plans that ask about it go then. */
static gt_Layer *present;
static gt_Status calls_present(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_call(present, in[0], .training = true);
    return gt_status();
}

Test(facts, freed)
{
    gt_Function *function = gt_function(calls_present, NULL);
    for (int i = 0; i < 20; i++) {
        present = gt_Sequential(centre(0.5));
        planned(function, 1);
        ok();
        cr_assert_eq(gt_element(gt_weights(present).items[0], 1), 1);
        gt_layer_free(present);
        cr_assert_eq(gt_function_stats(function).plans, 1);
    }
    gt_function_free(function);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Another context may change what it says at any time. */
static gt_Status asks_foreign(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_add(in[0], gt_is_trainable((gt_Layer *)context));
    return gt_status();
}

Test(facts, of_another_context)
{
    gt_Layer *layer = gt_Activation(gt_tanh);
    gt_build(layer, gt_shape(2, 2), GT_FLOAT32);
    gt_Context *first = gt_context_use(gt_context_create());
    gt_Function *call = gt_function(calls_model, layer), *asks = gt_function(asks_foreign, layer);
    planned(call, 1); /* it says nothing */
    ok();
    planned(asks, 1);
    cr_assert_eq(gt_status(), GT_STATE);
    cr_assert(strstr(gt_error_message(), "belongs to another context"), "%s", gt_error_message());
    gt_error_clear();
    gt_context_free(NULL);
    gt_context_use(first);
    gt_layer_free(layer);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- without memory ---- */

Test(facts, out_of_memory)
{
    const long plenty = 1000000;
    Budget budget = {.left = plenty};
    gt_Context *mine = gt_context_use(NULL);
    bool finished = false;
    long n = 0;
    for (; !finished; n++) {
        gt_Allocator allocator = {budget_allocate, budget_release, &budget};
        budget.left = plenty;
        gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
        gt_context_use(context);
        World world = world_new();
        gt_Function *function = gt_function(asks_layer, &world);
        gt_Function *lists = gt_function(asks_list, &world);
        budget.left = n;
        planned(function, 1);
        planned(lists, 1);
        finished = gt_status() == GT_OK;
        budget.left = plenty;
        if (!finished)
            cr_assert_eq(gt_status(), GT_NO_MEMORY, "%s", gt_error_message());
        gt_error_clear();
        planned(function, 1);
        gt_set_trainable(world.centre, false);
        planned(function, 1);
        ok();
        cr_assert_eq(gt_function_stats(function).traces, 2);
        gt_function_free(function);
        gt_function_free(lists);
        world_free(&world);
        gt_context_free(context);
        cr_assert_eq(budget.held, 0);
    }
    fprintf(stderr, "%ld allocations failed in turn\n", n);
    gt_context_use(mine);
    gt_context_free(NULL);
    assert_no_leaks();
}
