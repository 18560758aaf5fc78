/* gt_stateless_call: the same numbers as gt_call with these values in the variables, which keep theirs; gradients of any order
 * reach the tensors; eagerly, in functions, in loops, with generators, statistics and states. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include "budget.h"
#include "leaks.h"

#include <math.h>
#include <string.h>

enum { MOST = 40 };

static void ok(const char *what)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
}

static void fails(gt_Status status, const char *part)
{
    cr_assert(gt_status() == status && strstr(gt_error_message(), part),
              "status %d, \"%s\" lacks \"%s\"", gt_status(), gt_error_message(), part);
    gt_error_clear();
}

static bool same(gt_Tensor *a, gt_Tensor *b)
{
    ok("both are there");
    gt_Spec one = gt_spec(a), two = gt_spec(b);
    return one.size == two.size && one.dtype == two.dtype &&
           memcmp(gt_data(a), gt_data(b), (size_t)one.size * gt_dtype_size(one.dtype)) == 0;
}

static void end(gt_Scope *scope)
{
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Tensors with what the variables hold. */
typedef struct Values {
    gt_Tensor *item[MOST];
    int32_t count;
} Values;
#define LIST(values) ((gt_Tensors){(values).item, (values).count})

static Values values_of(gt_Tensors list, double add)
{
    Values values = {.count = list.count};
    for (int i = 0; i < list.count; i++)
        values.item[i] = gt_dtype_is_float(gt_dtype(list.items[i])) ? gt_add(list.items[i], add)
                                                                    : gt_add(list.items[i], 0);
    return values;
}

static void holds(gt_Tensors list, const Values *values, const char *what)
{
    cr_assert(list.count == values->count, "%s", what);
    for (int i = 0; i < list.count; i++)
        cr_assert(same(list.items[i], values->item[i]), "%s: number %d", what, i);
}

static void assign(gt_Tensors list, const Values *values)
{
    for (int i = 0; i < list.count; i++)
        gt_assign(list.items[i], values->item[i]);
    ok("assigning");
}

/* Batch statistics, dropout, a recurrent layer with a state, a fused loop and a penalty. */
static gt_Layer *network(void)
{
    return gt_Sequential(gt_Dense(4, .activation = gt_tanh, .kernel_regularizer = gt_L2(0.1)), gt_BatchNormalization(),
                         gt_Dropout(0.4, .seed = 3), gt_Reshape(gt_shape(2, 2)), gt_LSTM(3, .stateful = true),
                         gt_ActivityRegularization(.l2 = 0.2), gt_Dense(2));
}

static gt_Tensor *some_x(void)
{
    return gt_uniform(gt_shape(5, 3), .generator = gt_generator(11));
}

Test(stateless, as_a_call_with_these_values)
{
    gt_Scope *scope = gt_scope_begin();
    for (int training = 0; training < 2; training++) {
        gt_Layer *model = network();
        gt_Tensor *x = some_x(), *updated[MOST], *losses;
        gt_call(model, x);
        Values own = values_of(gt_trainable_variables(model), 0), state = values_of(gt_other_variables(model), 0);
        Values w = values_of(gt_trainable_variables(model), 0.125), s = values_of(gt_other_variables(model), 0.25);
        cr_assert(own.count == 9 && state.count == 5, "%d %d: mean and variance, a generator, h and c", own.count, state.count);
        gt_Tensor *y = gt_stateless_call(model, x, .trainable_variables = LIST(w), .other_variables = LIST(s),
                                         .training = training, .updated = updated, .losses = &losses);
        ok("the call");
        holds(gt_trainable_variables(model), &own, "weights keep their values");
        holds(gt_other_variables(model), &state, "states keep theirs");
        holds(LIST(w), &w, "given ones too");
        assign(gt_trainable_variables(model), &w);
        assign(gt_other_variables(model), &s);
        cr_assert(same(y, gt_call(model, x, .training = training)), "training %d", training);
        cr_assert(same(losses, gt_total_loss(model, NULL)));
        gt_Tensors after = gt_other_variables(model);
        for (int i = 0; i < after.count; i++) {
            cr_assert(same(updated[i], after.items[i]), "training %d, number %d", training, i);
            bool changes = i >= 3 || training;
            cr_assert(same(updated[i], s.item[i]) != changes, "training %d, number %d", training, i);
        }
        gt_layer_free(model);
    }
    end(scope);
}

/* Lists that are not given are the model's own; they may be the layer's own list; the results may be given again. */
Test(stateless, what_is_not_given)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = network();
    gt_Tensor *x = some_x(), *after[MOST], *more[MOST];
    gt_call(model, x);
    Values own = values_of(gt_trainable_variables(model), 0), state = values_of(gt_other_variables(model), 0);
    gt_Tensor *y = gt_stateless_call(model, x, .training = true, .updated = after);
    gt_Tensor *z = gt_stateless_call(model, x, .trainable_variables = gt_trainable_variables(model),
                                     .other_variables = {after, state.count}, .training = true, .updated = more);
    ok("both calls");
    holds(gt_trainable_variables(model), &own, "weights");
    holds(gt_other_variables(model), &state, "states");
    cr_assert(same(y, gt_call(model, x, .training = true)) && same(z, gt_call(model, x, .training = true)));
    gt_Tensors now = gt_other_variables(model);
    for (int i = 0; i < now.count; i++)
        cr_assert(same(more[i], now.items[i]), "number %d", i);
    gt_layer_free(model);
    end(scope);
}

/* Numbers that nobody needs are not drawn; memory of the user's is read alone. */
Test(stateless, nothing_is_drawn_or_overwritten)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *symbol = gt_Input(gt_shape(2));
    gt_Layer *layer = gt_BatchNormalization(.momentum = 0.5);
    gt_Layer *model = gt_Model(gt_tensors(symbol), gt_tensors(gt_call(layer, symbol)));
    float mean[2] = {1, 2}, variance[2] = {3, 4};
    gt_Tensor *x = gt_array(gt_shape(2, 2), 0, 2, 4, 6), *updated[2];
    gt_Tensor *others[] = {gt_from_buffer(mean, gt_shape(2), GT_FLOAT32), gt_from_buffer(variance, gt_shape(2), GT_FLOAT32)};
    gt_Tensor *w[] = {gt_ones(gt_shape(2)), gt_zeros(gt_shape(2))};
    ok("buffers");
    gt_stateless_call(model, x, .trainable_variables = {w, 2}, .other_variables = {others, 2}, .training = true,
                      .updated = updated);
    ok("the call");
    cr_assert(mean[0] == 1 && mean[1] == 2 && variance[0] == 3 && variance[1] == 4);
    cr_assert(gt_element(updated[0], 0) == 1.5 && gt_element(updated[0], 1) == 3 && gt_element(updated[1], 0) == 3.5);
    gt_layer_free(model);
    end(scope);
}

/* d loss / d w by the tensors and by the variables are the same bits; second order too. */
Test(stateless, gradients)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = gt_Sequential(gt_Dense(4, .activation = gt_tanh), gt_BatchNormalization(), gt_Dense(1));
    gt_Tensor *x = some_x();
    gt_call(model, x);
    Values w = values_of(gt_trainable_variables(model), 0);
    gt_Tensor *first[MOST], *second[MOST], *first_own[MOST], *second_own[MOST];
    for (int own = 0; own < 2; own++) {
        gt_Tape *outer = gt_tape_begin(), *inner = gt_tape_begin();
        for (int i = 0; i < w.count && !own; i++)
            gt_watch(outer, w.item[i]), gt_watch(inner, w.item[i]);
        gt_Tensors sources = own ? gt_trainable_variables(model) : LIST(w);
        gt_Tensor *y = own ? gt_call(model, x, .training = true)
                           : gt_stateless_call(model, x, .trainable_variables = LIST(w), .training = true);
        gt_Tensor *loss = gt_sum(gt_square(y)), *norm = gt_scalar(0, GT_FLOAT32);
        gt_gradients(inner, gt_tensors(loss), sources, own ? first_own : first);
        ok("first order");
        for (int i = 0; i < w.count; i++)
            norm = gt_add(norm, gt_sum(gt_square((own ? first_own : first)[i])));
        gt_tape_end(inner);
        gt_gradients(outer, gt_tensors(norm), sources, own ? second_own : second);
        ok("second order");
        for (int i = 0; i < w.count; i++)
            gt_keep((own ? first_own : first)[i]), gt_keep((own ? second_own : second)[i]);
        gt_tape_end(outer);
    }
    for (int i = 0; i < w.count; i++) {
        cr_assert(same(first[i], first_own[i]), "first order, number %d", i);
        cr_assert(same(second[i], second_own[i]), "second order, number %d", i);
    }
    /* The model's variables have no part in it. */
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_stateless_call(model, x, .trainable_variables = LIST(w));
    gt_Tensor *gradient[MOST];
    gt_gradients(tape, gt_tensors(gt_sum(y)), gt_trainable_variables(model), gradient);
    cr_assert(gt_status() != GT_OK || !gradient[0] || gt_element(gt_sum(gt_abs(gradient[0])), 0) == 0);
    gt_error_clear();
    gt_tape_end(tape);
    gt_layer_free(model);
    end(scope);
}

/* ---- in functions ---- */

typedef struct Step {
    gt_Layer *model;
    int32_t weights, others;
    bool gradients;
} Step;

/* x, weights, others -> y, others, or gradients in the weights. */
static gt_Status step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Step *self = context;
    const gt_Tensors w = {(gt_Tensor **)(uintptr_t)(in + 1), self->weights};
    const gt_Tensors s = {(gt_Tensor **)(uintptr_t)(in + 1 + self->weights), self->others};
    gt_Tape *tape = self->gradients ? gt_tape_begin() : NULL;
    for (int i = 0; i < self->weights && tape; i++)
        gt_watch(tape, w.items[i]);
    out[0] = gt_stateless_call(self->model, in[0], .trainable_variables = w, .other_variables = s, .training = true,
                               .updated = out + 1);
    if (!tape)
        return gt_status();
    gt_Tensor *gradient[MOST], *loss = gt_sum(gt_square(out[0]));
    gt_gradients(tape, gt_tensors(loss), w, gradient);
    for (int i = 0; i < self->weights; i++)
        out[1 + self->others + i] = gt_keep(gradient[i]);
    for (int i = 0; i <= self->others; i++)
        gt_keep(out[i]);
    gt_tape_end(tape);
    return gt_status();
}

Test(stateless, in_functions)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = network();
    gt_Tensor *x = some_x();
    gt_call(model, x);
    for (int gradients = 0; gradients < 2; gradients++) {
        Values w = values_of(gt_trainable_variables(model), 0.0625), s = values_of(gt_other_variables(model), 0);
        Values own = values_of(gt_trainable_variables(model), 0);
        Step self = {model, w.count, s.count, gradients};
        int32_t outputs = 1 + s.count + (gradients ? w.count : 0);
        gt_Tensor *in[MOST] = {x}, *eager[MOST], *planned[MOST];
        memcpy(in + 1, w.item, (size_t)w.count * sizeof *in);
        memcpy(in + 1 + w.count, s.item, (size_t)s.count * sizeof *in);
        step(&self, in, eager);
        ok("eagerly");
        gt_Function *function = gt_function(step, &self, .outputs = outputs);
        for (int round = 0; round < 3; round++) {
            gt_function_call(function, ((gt_Tensors){in, 1 + w.count + s.count}), planned);
            ok("planned");
            for (int i = 0; i < outputs; i++)
                cr_assert(same(eager[i], planned[i]), "gradients %d, round %d, output %d", gradients, round, i);
        }
        cr_assert(gt_function_stats(function).runs == 3 && gt_function_stats(function).plans == 1);
        holds(gt_trainable_variables(model), &own, "weights");
        holds(gt_other_variables(model), &s, "states");
        gt_function_free(function);
    }
    gt_layer_free(model);
    end(scope);
}

/* ---- loops and functions inside the model ---- */

typedef struct Looping {
    gt_Layer base;
    gt_Variable *count, *kernel;
    gt_Function *function;
} Looping;

static gt_Status looping_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Looping *self = (Looping *)layer;
    (void)in;
    self->count = gt_add_weight(layer, "count", gt_shape(), .trainable = false, .initializer = gt_Zeros());
    self->kernel = gt_add_weight(layer, "kernel", gt_shape(), .initializer = gt_Ones());
    return gt_status();
}

static gt_Status below_three(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_less(in[1], 3);
    return gt_status();
}

static gt_Status round_of(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Looping *self = context;
    gt_assign_add(self->count, in[0]);
    out[0] = gt_multiply(in[0], self->kernel);
    out[1] = gt_add(in[1], 1);
    return gt_status();
}

static gt_Status piece(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Looping *self = context;
    gt_assign_add(self->count, 100);
    out[0] = gt_multiply(in[0], self->kernel);
    return gt_status();
}

static gt_Tensor *looping_call(gt_Layer *layer, const gt_CallArgs *in)
{
    Looping *self = (Looping *)layer;
    gt_Tensor *state[2] = {in->x, gt_scalar(0, GT_FLOAT32)}, *last[2], *y = NULL;
    gt_while_loop(below_three, round_of, self, ((gt_Tensors){state, 2}), last, .maximum_iterations = 3);
    gt_function_call(self->function, gt_tensors(last[0]), &y);
    return y;
}

static const gt_LayerClass looping_class = {.size = sizeof(gt_LayerClass),
                                            .name = "looping",
                                            .instance = sizeof(Looping),
                                            .build = looping_build,
                                            .call = looping_call};

Test(stateless, loops_and_functions_inside)
{
    gt_Scope *scope = gt_scope_begin();
    Looping *self = (Looping *)gt_layer_new(&looping_class, &(Looping){.count = NULL});
    self->function = gt_function(piece, self);
    gt_Layer *model = gt_Sequential(&self->base);
    gt_call(model, gt_scalar(1, GT_FLOAT32));
    ok("building");
    gt_assign(self->count, gt_scalar(5, GT_FLOAT32));
    gt_Tensor *w = gt_scalar(2, GT_FLOAT32), *s = gt_scalar(1000, GT_FLOAT32), *x = gt_scalar(1, GT_FLOAT32), *eager[3], *planned[3];
    gt_Tensor *in[] = {x, w, s};
    for (int gradients = 0; gradients < 2; gradients++) {
        Step how = {model, 1, 1, gradients};
        gt_Function *function = gt_function(step, &how, .outputs = 2 + gradients);
        step(&how, in, eager);
        ok("eagerly");
        cr_assert(gt_element(eager[0], 0) == 16 && gt_element(eager[1], 0) == 1107, "%g %g", gt_element(eager[0], 0),
                  gt_element(eager[1], 0));
        gt_function_call(function, ((gt_Tensors){in, 3}), planned);
        ok("planned");
        for (int i = 0; i < 2 + gradients; i++)
            cr_assert(same(eager[i], planned[i]), "output %d", i);
        /* d/dw w^8 = 8 w^7, w = 2: the loss is y^2 = w^8. */
        cr_assert(!gradients || gt_element(eager[2], 0) == 1024, "%g", gt_element(eager[2], 0));
        cr_assert(gt_element(self->count, 0) == 5 && gt_element(self->kernel, 0) == 1);
        gt_function_free(function);
    }
    gt_function_free(self->function);
    gt_layer_free(model);
    end(scope);
}

/* ---- several inputs, mistakes ---- */

Test(stateless, functional_models_and_mistakes)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_Input(gt_shape(2), .name = "a"), *b = gt_Input(gt_shape(2), .name = "b");
    gt_Layer *shared = gt_Dense(2);
    gt_Tensor *y = gt_add(gt_call(shared, a), gt_call(shared, b));
    gt_Layer *model = gt_Model(gt_tensors(a, b), gt_tensors(y, gt_call(shared, y)));
    gt_Tensor *x = gt_ones(gt_shape(3, 2)), *second = NULL, *again = NULL;
    gt_Tensor *w[] = {gt_full(gt_shape(2, 2), 2), gt_ones(gt_shape(2))};
    gt_Tensor *first = gt_stateless_call(model, x, .trainable_variables = {w, 2}, .named = gt_named({"b", x}),
                                         .outputs = gt_outputs(&second));
    ok("the call");
    gt_assign(gt_weights(model).items[0], w[0]), gt_assign(gt_weights(model).items[1], w[1]);
    cr_assert(same(first, gt_call(model, x, .more = gt_tensors(x), .outputs = gt_outputs(&again))) && same(second, again));
    cr_assert(gt_element(first, 0) == 10);
    /* Frozen, a weight is one of the others. */
    gt_set_trainable(shared, false);
    cr_assert(gt_other_variables(model).count == 2 && gt_trainable_variables(model).count == 0);
    cr_assert(same(first, gt_stateless_call(model, x, .other_variables = {w, 2}, .more = gt_tensors(x))));
    gt_set_trainable(shared, true);
    gt_Tensor *updated[2] = {x, x};
    gt_stateless_call(model, x, .trainable_variables = {w, 1}, .more = gt_tensors(x), .outputs = gt_outputs(&second));
    fails(GT_INVALID, "trainable_variables must be 2 tensors, as the model has such variables (got 1)");
    cr_assert(!second);
    gt_Tensor *wrong[] = {gt_ones(gt_shape(2, 3)), w[1]}, *wide[] = {w[0], gt_ones(gt_shape(2), .dtype = GT_FLOAT64)};
    gt_stateless_call(model, x, .trainable_variables = {wrong, 2}, .more = gt_tensors(x));
    fails(GT_INVALID, "what stands for dense/kernel must be float32 (2, 2) (got float32 (2, 3))");
    gt_stateless_call(model, x, .trainable_variables = {wide, 2}, .more = gt_tensors(x));
    fails(GT_INVALID, "what stands for dense/bias must be float32 (2,) (got float64 (2,))");
    gt_stateless_call(model, x, .other_variables = {w, 2}, .more = gt_tensors(x));
    fails(GT_INVALID, "other_variables must be 0 tensors");
    gt_Tensor *drawn[] = {gt_Input(gt_shape(2), .batch_size = 2), w[1]};
    gt_stateless_call(model, x, .trainable_variables = {drawn, 2}, .more = gt_tensors(x));
    fails(GT_INVALID, "a symbol of gt_Input");
    gt_stateless_call(model, a, .trainable_variables = {w, 2}, .more = gt_tensors(x));
    fails(GT_STATE, "a symbol of gt_Input has no numbers");
    gt_stateless_call(model, x, .trainable_variables = {w, 2});
    fails(GT_INVALID, "the input \"b\" is missing");
    gt_stateless_call(model, NULL, .trainable_variables = {w, 2});
    fails(GT_INVALID, "");
    gt_Layer *dense = gt_Dense(2);
    gt_stateless_call(dense, x);
    fails(GT_STATE, "layer dense is not built");
    gt_stateless_call(NULL, x);
    fails(GT_INVALID, "");
    (void)updated;
    cr_assert(same(first, gt_call(model, x, .more = gt_tensors(x))), "nothing has changed");
    gt_layer_free(dense), gt_layer_free(model);
    end(scope);
}

/* Each allocation fails in turn: NULLs come back, and the variables keep their values. */
Test(stateless, little_memory)
{
    gt_Context *before = gt_context();
    bool done = false;
    for (long n = 0; !done; n++) {
        Budget budget = {.left = INT32_MAX};
        const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
        gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
        gt_context_use(context);
        gt_Scope *scope = gt_scope_begin();
        gt_Layer *model = network();
        gt_Tensor *x = some_x(), *updated[MOST], *losses;
        gt_call(model, x);
        Values own = values_of(gt_trainable_variables(model), 0), state = values_of(gt_other_variables(model), 0);
        Values w = values_of(gt_trainable_variables(model), 1);
        gt_Tape *tape = gt_tape_begin();
        gt_watch(tape, w.item[0]);
        budget.left = n;
        gt_Tensor *y = gt_stateless_call(model, x, .trainable_variables = LIST(w), .training = true, .updated = updated,
                                         .losses = &losses);
        done = y != NULL;
        cr_assert(done || gt_status() == GT_NO_MEMORY, "%ld: %s", n, gt_error_message());
        budget.left = INT32_MAX;
        for (int i = 0; i < state.count; i++)
            cr_assert(!updated[i] == !done, "%ld: number %d", n, i);
        gt_error_clear();
        gt_tape_end(tape);
        holds(gt_trainable_variables(model), &own, "weights");
        holds(gt_other_variables(model), &state, "states");
        gt_scope_end(scope);
        gt_context_use(before);
        gt_context_free(context);
        cr_assert(budget.held == 0, "%ld: %ld blocks are lost", n, budget.held);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}
