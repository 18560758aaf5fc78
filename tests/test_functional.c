/* Functional models: what is drawn, what is refused while drawing, and that a replay computes what the same calls compute by
 * themselves, with any batch and length, in traces, under tapes, with masks. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void ok(const char *what)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
}

static void fails(gt_Status status, const char *part)
{
    cr_assert(gt_status() == status && strstr(gt_error_message(), part), "status %d, \"%s\" lacks \"%s\"",
              gt_status(), gt_error_message(), part);
    gt_error_clear();
}

static bool has_shape(gt_Tensor *x, gt_Shape shape)
{
    return gt_shape_equal(gt_tensor_shape(x), shape);
}

static gt_Tensor *numbers(gt_Shape shape)
{
    int64_t size = 1;
    for (int d = 0; d < shape.rank; d++)
        size *= shape.dims[d];
    gt_Tensor *steps = gt_cast(gt_arange(0, (double)size, 1), GT_FLOAT32);
    return gt_reshape(gt_sin(gt_multiply(steps, 1.3)), shape);
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

/* ---- what is drawn ---- */

Test(functional, two_inputs_two_outputs_a_skip)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *image = gt_Input(gt_shape(8, 8, 1)), *age = gt_Input(gt_shape(4), .name = "age");
    gt_Tensor *flat = gt_call(gt_Flatten(), image);
    gt_Tensor *both = gt_concatenate(gt_tensors(flat, age), .axis = -1);
    gt_Tensor *h = gt_call(gt_Dense(68, .activation = gt_tanh), both);
    gt_Tensor *y = gt_call(gt_Dense(3), gt_add(h, both));
    cr_assert(has_shape(image, gt_shape(-1, 8, 8, 1)) && has_shape(y, gt_shape(-1, 3)));
    gt_Layer *model = gt_Model(gt_tensors(image, age), gt_tensors(y, h));
    ok("model");
    cr_assert(gt_layer_outputs(model) == 2 && gt_layer_child_count(model) == 3);
    cr_assert_str_eq(gt_layer_name(gt_get_layer(model, 1)), "dense");
    cr_assert_str_eq(gt_variable_path(model, gt_weights(model).items[2]), "dense_1/kernel");
    cr_assert_eq(gt_count_params(model), 68 * 68 + 68 + 68 * 3 + 3);
    for (int rows = 1; rows < 6; rows += 2) {
        gt_Tensor *a = numbers(gt_shape(rows, 8, 8, 1)), *b = numbers(gt_shape(rows, 4)), *second;
        gt_Tensor *first = gt_call(model, a, .more = gt_tensors(b), .outputs = gt_outputs(&second));
        gt_Tensor *named = gt_call(model, a, .named = gt_named({"age", b}));
        gt_Tensor *in = gt_concatenate(gt_tensors(gt_reshape(a, gt_shape(-1, 64)), b), .axis = -1);
        gt_Tensor *hidden = gt_call(gt_get_layer(model, 1), in);
        gt_Tensor *right = gt_call(gt_get_layer(model, 2), gt_add(hidden, in));
        cr_assert(same(first, right) && same(second, hidden) && same(named, right));
    }
    gt_Tensor *wrong = numbers(gt_shape(2, 8, 7, 1)), *meta = numbers(gt_shape(2, 4));
    gt_call(model, wrong, .more = gt_tensors(meta));
    fails(GT_INVALID, "the input \"input\" must be float32 (-1, 8, 8, 1) (got float32 (2, 8, 7, 1))");
    gt_call(model, numbers(gt_shape(2, 8, 8, 1)));
    fails(GT_INVALID, "the input \"age\" is missing (got 1 input)");
    gt_call(model, numbers(gt_shape(2, 8, 8, 1)), .more = gt_tensors(meta, meta));
    fails(GT_INVALID, "it accepts 2 inputs (got 3)");
    gt_call(model, numbers(gt_shape(2, 8, 8, 1)), .named = gt_named({"weight", meta}));
    fails(GT_INVALID, "it has no input \"weight\"");
    gt_call(model, gt_cast(numbers(gt_shape(2, 8, 8, 1)), GT_FLOAT64), .more = gt_tensors(meta));
    fails(GT_INVALID, "must be float32 (-1, 8, 8, 1) (got float64");
    gt_layer_free(model);
    end(scope);
}

Test(functional, wrong_cuts)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(6)), *z = gt_Input(gt_shape(6), .name = "z"), *w = numbers(gt_shape(6));
    gt_Tensor *y = gt_add(x, z);
    gt_Model(gt_tensors(x), gt_tensors(y));
    fails(GT_INVALID, "the outputs need the input \"z\"");
    gt_Model(gt_tensors(x, z), gt_tensors(gt_square(x)));
    fails(GT_INVALID, "no output needs input 2");
    gt_Model(gt_tensors(x, x), gt_tensors(y));
    fails(GT_INVALID, "input 2 is there twice");
    gt_Model(gt_tensors(w), gt_tensors(y));
    fails(GT_INVALID, "input 1 is a tensor with numbers");
    gt_Model(gt_tensors(x), gt_tensors(w));
    fails(GT_INVALID, "output 1 is a tensor with numbers");
    gt_Model(((gt_Tensors){NULL, 0}), gt_tensors(y));
    fails(GT_INVALID, "a model has 1 to");
    gt_Model(gt_tensors(NULL), gt_tensors(y));
    fails(GT_INVALID, "input 1 is NULL");
    gt_Input(gt_shape(-2));
    fails(GT_INVALID, "an input cannot be float32 (-2,)");
    gt_Input(gt_shape(2), .dtype = GT_INT8);
    fails(GT_INVALID, "an input cannot be int8");
    gt_Input(gt_shape(2), .name = "a/b");
    fails(GT_INVALID, "the name must not be empty or contain '/'");
    gt_Scope *inner = gt_scope_begin();
    gt_Tensor *gone = gt_square(x);
    gt_scope_end(inner);
    gt_Model(gt_tensors(x), gt_tensors(gone));
    fails(GT_STALE, "output 1 was used after its scope");
    end(scope);
}

/* States have a row for each row of the batch, which must be known then. The layer is as it was after the refusal. */
Test(functional, stateful_layers_need_the_batch)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *any = gt_Input(gt_shape(5, 2)), *four = gt_Input(gt_shape(5, 2), .batch_size = 4);
    gt_Layer *lstm = gt_LSTM(3, .stateful = true), *deep = gt_Sequential(gt_Bidirectional(gt_GRU(2, .stateful = true)));
    cr_assert_null(gt_call(lstm, any));
    fails(GT_INVALID, "lstm: a stateful layer goes on row by row, so its batch must be known: give gt_Input a .batch_size");
    cr_assert_null(gt_call(deep, any));
    fails(GT_INVALID, "give gt_Input a .batch_size");
    cr_assert(!gt_layer_built(lstm) && !gt_layer_built(deep));
    gt_Layer *model = gt_Model(gt_tensors(four), gt_tensors(gt_call(deep, four)));
    cr_assert(has_shape(gt_call(model, numbers(gt_shape(4, 5, 2))), gt_shape(4, 4)), "%s", gt_error_message());
    cr_assert(has_shape(gt_call(lstm, numbers(gt_shape(3, 5, 2))), gt_shape(3, 3)), "%s", gt_error_message());
    gt_layer_free(model);
    gt_layer_free(lstm);
    end(scope);
}

Test(functional, shared_layers_and_inner_tensors)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(6)), *v = numbers(gt_shape(3, 6));
    gt_Layer *shared = gt_Dense(4);
    gt_Tensor *h = gt_call(shared, x), *g = gt_call(shared, gt_multiply(x, 2));
    gt_Layer *a = gt_Model(gt_tensors(x), gt_tensors(h)), *b = gt_Model(gt_tensors(x), gt_tensors(gt_add(h, g)));
    gt_Tensor *before = gt_call(a, v);
    cr_assert(gt_weights(b).count == 2 && gt_layer_child_count(b) == 1);
    cr_assert(same(gt_call(b, v), gt_add(before, gt_call(shared, gt_multiply(v, 2)))));
    gt_layer_free(a);
    cr_assert(gt_call(b, v), "%s", gt_error_message());
    gt_Tensor *middle = gt_call(gt_Dense(3), x), *last = gt_call(gt_Dense(2), middle);
    gt_Layer *tail = gt_Model(gt_tensors(middle), gt_tensors(last));
    gt_Layer *whole = gt_Model(gt_tensors(x), gt_tensors(last, middle));
    gt_Tensor *features;
    gt_Tensor *y = gt_call(whole, v, .outputs = gt_outputs(&features));
    cr_assert(same(gt_call(tail, features), y));
    gt_Layer *self = gt_Model(gt_tensors(x), gt_tensors(x));
    cr_assert(same(gt_call(self, v), v));
    gt_Layer *twice = gt_Model(gt_tensors(x), gt_tensors(middle, middle));
    gt_Tensor *other;
    y = gt_call(twice, v, .outputs = gt_outputs(&other));
    cr_assert(y != other && same(y, other));
    gt_layer_free(b), gt_layer_free(tail), gt_layer_free(whole), gt_layer_free(self);
    gt_layer_free(twice);
    end(scope);
}

/* ---- sizes that are not known yet ---- */

static gt_Tensor *by_itself(int which, gt_Tensor *x)
{
    gt_Tensor *half[2] = {NULL};
    switch (which) {
    case 0:
        return gt_reshape(x, gt_shape(-1));
    case 1:
        return gt_get_item(x, "::2");
    case 2:
        return gt_get_item(x, "-1");
    case 3:
        return gt_matmul(x, gt_transpose(x));
    case 4:
        return gt_mean(x, .axis = 0);
    case 5:
        return gt_softmax(x, .axis = 0);
    case 6:
        gt_split(x, 2, half, .axis = 1);
        return gt_subtract(half[1], half[0]);
    case 7:
        return gt_concatenate(gt_tensors(x, gt_ones_like(x)));
    case 8:
        return gt_flip(gt_cumsum(x, .axis = 0), .axis = 0);
    case 9:
        return gt_einsum("bi,bj->ij", gt_tensors(x, x));
    case 10:
        return gt_sort(x, .axis = 0);
    case 11:
        return gt_std(x, .axis = 0);
    case 12:
        return gt_tile(x, gt_shape(2, 1));
    case 13:
        return gt_get_item(x, ":, None");
    case 14:
        return gt_pad(x, gt_shape(1, 0), gt_shape(2, 1));
    case 15:
        return gt_roll(x, 1);
    case 16:
        return gt_conv(gt_reshape(x, gt_shape(-1, 6, 1)), gt_full(gt_shape(3, 1, 2), 0.5), .padding = GT_PADDING_SAME);
    case 17:
        return gt_layer_normalization(x);
    case 18:
        return gt_take(x, gt_argmax(x, .axis = 0), .axis = 0);
    default:
        return NULL;
    }
}

/* Every operation of a batch, drawn and by itself, with one row and with more than it was drawn with. */
Test(functional, any_batch)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(6));
    for (int which = 0; by_itself(which, numbers(gt_shape(2, 6))); which++) {
        gt_Layer *model = gt_Model(gt_tensors(x), gt_tensors(by_itself(which, x)));
        cr_assert(model, "%d: %s", which, gt_error_message());
        for (int rows = 1; rows < 2000; rows += 1499) {
            gt_Tensor *v = numbers(gt_shape(rows, 6));
            cr_assert(same(gt_call(model, v), by_itself(which, v)), "%d, %d rows", which, rows);
        }
        gt_layer_free(model);
    }
    ok("drawn");
    end(scope);
}

/* Where an option fits one size alone, drawing says so; widths like those that stand for unknown sizes are no matter. */
Test(functional, sizes_that_stand_for_unknown_ones)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(6));
    cr_assert(gt_tensor_shape(x).dims[0] == -1 && gt_size(x) == -1);
    for (int64_t rows = 120; rows <= 240; rows += 120) {
        gt_reshape(x, gt_shape(rows, 6));
        fails(GT_INVALID, "stand for sizes that are not known yet");
        gt_broadcast_to(gt_mean(x, .axis = 0, .keepdims = true), gt_shape(rows, 6));
        gt_error_clear(); /* fits, and gives that many rows */
        gt_Tensor *wide = gt_Input(gt_shape(rows));
        gt_Layer *model = gt_Model(gt_tensors(wide), gt_tensors(gt_reshape(wide, gt_shape(-1, rows, 1))));
        gt_Tensor *y = gt_call(model, numbers(gt_shape(2, rows)));
        cr_assert(has_shape(y, gt_shape(2, rows, 1)));
        gt_layer_free(model);
    }
    gt_Tensor *text = gt_Input(gt_shape(-1, 8));
    cr_assert(has_shape(text, gt_shape(-1, -1, 8)));
    gt_Tensor *scores = gt_matmul(text, gt_swapaxes(text, 1, 2));
    cr_assert(has_shape(scores, gt_shape(-1, -1, -1)));
    gt_Layer *model = gt_Model(gt_tensors(text), gt_tensors(gt_mean(scores, .axis = -1)));
    for (int64_t steps = 1; steps < 9; steps += 3) {
        gt_Tensor *v = numbers(gt_shape(2, steps, 8));
        cr_assert(same(gt_call(model, v), gt_mean(gt_matmul(v, gt_swapaxes(v, 1, 2)), .axis = -1)));
    }
    gt_Tensor *fixed = gt_Input(gt_shape(6), .batch_size = 4);
    cr_assert(has_shape(fixed, gt_shape(4, 6)));
    gt_layer_free(model);
    end(scope);
}

/* C code that reads the batch gets -1. What it makes of that keeps the axis, as -1 does there, or is refused: nothing is made
 * for the size that stands for it while drawing. */
Test(functional, sizes_read_in_c)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(6)), *v = numbers(gt_shape(3, 6)), *parts[2];
    const int64_t n = gt_tensor_shape(x).dims[0];
    gt_Tensor *kept[] = {gt_slice(x, gt_shape(0, 1), gt_shape(n, 2)), gt_reshape(x, gt_shape(n, 2, 3)),
                         gt_broadcast_to(gt_expand_dims(x, 1), gt_shape(n, 4, 6))};
    gt_Tensor *right[] = {gt_get_item(v, ":, 1:3"), gt_reshape(v, gt_shape(3, 2, 3)),
                          gt_broadcast_to(gt_expand_dims(v, 1), gt_shape(3, 4, 6))};
    ok("-1 where it keeps an axis");
    for (int i = 0; i < 3; i++) {
        gt_Layer *model = gt_Model(gt_tensors(x), gt_tensors(kept[i]));
        cr_assert(same(gt_call(model, v), right[i]), "%d", i);
        gt_layer_free(model);
    }
    gt_zeros(gt_shape(n, 6));
    fails(GT_INVALID, "the shape (-1, 6) is invalid");
    gt_reshape(x, gt_shape(2 * n, 3));
    fails(GT_INVALID, "cannot become (-2, 3)");
    gt_tile(x, gt_shape(n, 1));
    fails(GT_INVALID, "repeats must be >= 0 (got -1)");
    gt_one_hot(gt_argmax(x, .axis = 1), n);
    fails(GT_INVALID, "depth must be >= 0 (got -1)");
    gt_pad(x, gt_shape(n, 0), gt_shape(0, 0));
    fails(GT_INVALID, "cannot have (-1, 0) before");
    gt_split(x, (int)n, parts);
    fails(GT_INVALID, "cannot be cut into -1 equal parts");
    gt_add(x, gt_ones(gt_shape(3, 6)));
    fails(GT_INVALID, "stand for sizes that are not known yet");
    end(scope);
}

/* Tensors with numbers are constants of the model, also where they were drawn at random; statistics move when a model is
 * called, not when it is drawn. */
Test(functional, numbers_between_layers)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(6)), *v = numbers(gt_shape(4, 6)), *noise = gt_normal(gt_shape(6));
    gt_Layer *noisy = gt_Model(gt_tensors(x), gt_tensors(gt_add(x, noise)));
    cr_assert(same(gt_call(noisy, v), gt_add(v, noise)) && same(gt_call(noisy, v), gt_call(noisy, v)));
    gt_normal_like(x);
    fails(GT_UNSUPPORTED, "draws no random numbers between its layers: use a layer, gt_Dropout or gt_GaussianNoise");
    gt_Layer *norm = gt_BatchNormalization(.momentum = 0.5);
    gt_Layer *model = gt_Model(gt_tensors(x), gt_tensors(gt_call(norm, x, .training = true)));
    gt_Variable *mean = gt_weights(model).items[2];
    cr_assert(gt_element(mean, 1) == 0, "drawing trains nothing");
    gt_call(model, v);
    cr_assert(fabs(gt_element(mean, 1) - 0.5 * gt_element(gt_mean(v, .axis = 0), 1)) < 1e-6);
    gt_with_mask(v, gt_ones(gt_shape(3), .dtype = GT_BOOL));
    fails(GT_INVALID, "the mask must be bool, and its shape the leading axes of the tensor's (got bool (3,)");
    gt_layer_free(noisy), gt_layer_free(model);
    end(scope);
}

/* ---- what has no place in a drawing ---- */

static gt_Status makes_model(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_Input(gt_shape(6));
    out[0] = in[0];
    return gt_status();
}

static gt_Status uses_symbol(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *other = context;
    out[0] = gt_add(in[0], other);
    return gt_status();
}

Test(functional, no_effects)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(6)), *v = numbers(gt_shape(2, 6));
    gt_Variable *state = gt_variable(gt_full(gt_shape(), 2));
    gt_multiply(x, state);
    fails(GT_UNSUPPORTED, "belongs to no layer of a functional model");
    gt_call(gt_Lambda(NULL), x);
    gt_error_clear();
    gt_assign(state, gt_mean(x));
    fails(GT_UNSUPPORTED, "what a functional model computes changes nothing");
    cr_assert(gt_item(state) == 2);
    gt_dropout(x, 0.5);
    fails(GT_UNSUPPORTED, "draws no random numbers between its layers");
    gt_element(x, 0);
    fails(GT_STATE, "a symbol of gt_Input has no numbers");
    gt_variable(x);
    fails(GT_STATE, "a symbol of gt_Input has no numbers");
    cr_assert(!gt_data(x));
    fails(GT_STATE, "a symbol of gt_Input has no numbers");
    gt_Function *function = gt_function(makes_model, NULL);
    gt_Tensor *out = NULL;
    gt_function_call(function, gt_tensors(v), &out);
    fails(GT_STATE, "nothing is drawn inside a traced function");
    gt_function_free(function);
    function = gt_function(uses_symbol, x);
    gt_function_call(function, gt_tensors(v), &out);
    fails(GT_STATE, "has no numbers inside a traced function");
    gt_function_call(function, gt_tensors(x), &out);
    fails(GT_STATE, "a symbol of gt_Input has no numbers");
    gt_function_free(function);
    gt_cond(gt_greater(gt_mean(x), 0), uses_symbol, uses_symbol, v, gt_tensors(v), &out);
    fails(GT_STATE, "a symbol of gt_Input has no numbers");
    gt_simple_rnn(gt_reshape(x, gt_shape(-1, 3, 2)), gt_ones(gt_shape(2, 2)), gt_ones(gt_shape(2, 2)), NULL);
    fails(GT_STATE, "put this into a layer");
    gt_variable_free(state);
    end(scope);
}

/* ---- layers in drawings ---- */

typedef struct Parent {
    gt_Layer base;
    gt_Layer *inner;
} Parent;

static gt_Status parent_create(gt_Layer *layer)
{
    gt_add_child(layer, ((Parent *)layer)->inner);
    return gt_status();
}

static gt_Tensor *parent_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return gt_multiply(gt_call(((Parent *)layer)->inner, in->x), 2);
}

static const gt_LayerClass parent_class = {.size = sizeof(gt_LayerClass),
                                           .name = "parent",
                                           .instance = sizeof(Parent),
                                           .create = parent_create,
                                           .call = parent_call};

/* Its build draws a model. */
static gt_Status draws_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Parent *self = (Parent *)layer;
    gt_Tensor *x = gt_Input(gt_shape(gt_last(in->shape)));
    self->inner = gt_Model(gt_tensors(x), gt_tensors(gt_call(gt_Dense(2), gt_call(gt_Dense(3), x))));
    gt_add_child(layer, self->inner);
    return gt_status();
}

static const gt_LayerClass draws_class = {.size = sizeof(gt_LayerClass),
                                          .name = "draws",
                                          .instance = sizeof(Parent),
                                          .build = draws_build,
                                          .call = parent_call};

static gt_Status call_model(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_call(context, in[0]);
    return gt_status();
}

Test(functional, nested_and_traced)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(6)), *v = numbers(gt_shape(2, 6)), *planned = NULL;
    gt_Layer *inner = gt_Model(gt_tensors(x), gt_tensors(gt_call(gt_Dense(4), x)));
    gt_Layer *parent = gt_layer_new(&parent_class, &(Parent){.inner = inner});
    gt_Tensor *q = gt_Input(gt_shape(6));
    gt_Layer *outer = gt_Model(gt_tensors(q), gt_tensors(gt_add(gt_call(parent, q), gt_call(inner, q))));
    ok("models in models");
    cr_assert(gt_trainable_variables(outer).count == 2);
    gt_Tensor *right = gt_multiply(gt_call(inner, v), 3);
    cr_assert(gt_item(gt_max(gt_abs(gt_subtract(gt_call(outer, v), right)))) < 1e-6);
    gt_Function *function = gt_function(call_model, outer);
    gt_function_call(function, gt_tensors(v), &planned);
    cr_assert(same(planned, gt_call(outer, v)));
    gt_function_free(function);
    gt_Layer *draws = gt_layer_new(&draws_class, &(Parent){.inner = NULL});
    gt_Tensor *r = gt_Input(gt_shape(6));
    gt_Layer *late = gt_Model(gt_tensors(r), gt_tensors(gt_call(draws, r)));
    cr_assert(has_shape(gt_call(late, v), gt_shape(2, 2)), "%s", gt_error_message());
    cr_assert_str_eq(gt_variable_path(late, gt_weights(late).items[0]), "draws/functional/dense/kernel");
    gt_Layer *sequence = gt_Sequential(gt_Model(gt_tensors(x), gt_tensors(gt_square(x))), gt_Dense(3));
    cr_assert(has_shape(gt_call(sequence, v), gt_shape(2, 3)), "%s", gt_error_message());
    gt_layer_free(outer), gt_layer_free(late), gt_layer_free(sequence);
    end(scope);
}

Test(functional, gradients)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *v = numbers(gt_shape(2, 6)), *g[2] = {NULL}, *h[2];
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = gt_Input(gt_shape(6));
    gt_Layer *dense = gt_Dense(4);
    gt_Layer *model = gt_Model(gt_tensors(x), gt_tensors(gt_multiply(gt_call(dense, x), 3)));
    gt_Tensor *loss = gt_mean(gt_square(gt_call(model, v)));
    gt_gradients(tape, gt_tensors(loss), gt_trainable_variables(model), g);
    gt_keep(g[0]), gt_keep(g[1]);
    gt_tape_end(tape);
    tape = gt_tape_begin();
    loss = gt_mean(gt_square(gt_multiply(gt_call(dense, v), 3)));
    gt_gradients(tape, gt_tensors(loss), gt_trainable_variables(dense), h);
    cr_assert(same(g[0], h[0]) && same(g[1], h[1]));
    gt_tape_end(tape);
    gt_layer_free(model);
    end(scope);
}

/* Numbers are drawn when the topmost layer is known, and not at all where they were assigned before. */
Test(functional, first_numbers)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(6)), *v = numbers(gt_shape(2, 6));
    gt_Layer *dense = gt_Dense(4);
    gt_Tensor *h = gt_call(dense, x);
    gt_assign(gt_weights(dense).items[0], gt_full(gt_shape(6, 4), 0.5));
    gt_Layer *model = gt_Model(gt_tensors(x), gt_tensors(h));
    cr_assert(gt_element(gt_weights(model).items[0], 0) == 0.5);
    gt_Layer *built = gt_Dense(4);
    gt_call(built, v);
    double before = gt_element(gt_weights(built).items[0], 0);
    gt_Layer *again = gt_Model(gt_tensors(x), gt_tensors(gt_call(built, x)));
    cr_assert(gt_element(gt_weights(again).items[0], 0) == before);
    /* Two layers made in one expression: the order in which C makes them says nothing. */
    gt_Layer *two = gt_Model(gt_tensors(x), gt_tensors(gt_subtract(gt_call(gt_Dense(4), x),
                                                                  gt_call(gt_Dense(4), x))));
    cr_assert_str_eq(gt_variable_path(two, gt_weights(two).items[0]), "dense/kernel");
    gt_Tensor *y = gt_call(two, v);
    cr_assert(same(y, gt_subtract(gt_call(gt_get_layer(two, 0), v), gt_call(gt_get_layer(two, 1), v))));
    gt_layer_free(model), gt_layer_free(again), gt_layer_free(two);
    end(scope);
}

Test(functional, layers_freed_in_between)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(6));
    gt_Layer *dense = gt_Dense(4);
    gt_Tensor *h = gt_call(dense, x);
    gt_layer_free(dense);
    gt_Model(gt_tensors(x), gt_tensors(h));
    fails(GT_STALE, "a layer of the drawing was freed");
    end(scope);
}

Test(functional, training_inside)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(6)), *v = numbers(gt_shape(4, 6));
    gt_Layer *model = gt_Model(gt_tensors(x), gt_tensors(gt_call(gt_Dropout(0.5), x)));
    gt_Tensor *a = gt_call(model, v, .training = true), *b = gt_call(model, v, .training = true);
    cr_assert(same(gt_call(model, v), v) && !same(a, v) && !same(a, b));
    gt_Layer *on = gt_Model(gt_tensors(x), gt_tensors(gt_call(gt_Dropout(0.5), x, .training = true)));
    cr_assert(!same(gt_call(on, v), v), "said while drawing, it stays on");
    gt_layer_free(model), gt_layer_free(on);
    end(scope);
}

Test(functional, masks)
{
    gt_Scope *scope = gt_scope_begin();
    const bool bits[] = {1, 1, 0, 1, 0, 0};
    gt_Tensor *mask = gt_from_data(bits, gt_shape(2, 3), GT_BOOL);
    gt_Tensor *x = gt_Input(gt_shape(-1, 4)), *v = numbers(gt_shape(2, 3, 4));
    gt_Tensor *marks = gt_Input(gt_shape(-1), .dtype = GT_BOOL, .name = "marks");
    gt_Tensor *h = gt_multiply(gt_call(gt_Dense(3), gt_with_mask(x, marks)), 2);
    cr_assert(gt_is_masked(h) && has_shape(gt_mask(h), gt_shape(-1, -1)));
    gt_sum(h, .axis = 1);
    fails(GT_INVALID, "use the mask, gt_mask(x)");
    gt_Layer *model = gt_Model(gt_tensors(x, marks), gt_tensors(h, gt_mask(h)));
    gt_Tensor *m = NULL, *y = gt_call(model, v, .more = gt_tensors(mask), .outputs = gt_outputs(&m));
    cr_assert(y && gt_is_masked(y) && same(gt_mask(y), mask) && same(m, mask), "%s", gt_error_message());
    gt_Layer *plain = gt_Model(gt_tensors(x), gt_tensors(gt_call(gt_get_layer(model, 0), x)));
    cr_assert(!gt_is_masked(gt_call(plain, v)) && gt_is_masked(gt_call(plain, v, .mask = mask)));
    gt_layer_free(model), gt_layer_free(plain);
    end(scope);
}

Test(functional, models_made_and_freed)
{
    int64_t before = 0;
    for (int round = 0; round < 12; round++) {
        for (int i = 0; i < 400; i++) {
            gt_Scope *scope = gt_scope_begin();
            gt_Tensor *x = gt_Input(gt_shape(16));
            gt_layer_free(gt_Model(gt_tensors(x), gt_tensors(gt_call(gt_Dense(64), x))));
            gt_scope_end(scope);
        }
        if (round == 10) /* freed layers are kept aside for a while */
            before = gt_memory_stats().bytes_in_use;
    }
    cr_assert_eq(gt_memory_stats().bytes_in_use, before);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A cell gives one tensor as its output and as its state: each goes when its own last reader has run. */
Test(functional, one_tensor_as_two_outputs)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(3)), *h = NULL, *last = NULL;
    gt_Layer *cell = gt_GRUCell(3);
    gt_Tensor *y = gt_call(cell, x, .more = gt_tensors(x), .outputs = gt_outputs(&h));
    gt_Tensor *z = gt_call(cell, y, .more = gt_tensors(h), .outputs = gt_outputs(&last));
    gt_Layer *model = gt_Model(gt_tensors(x), gt_tensors(gt_add(z, 0), last));
    gt_Tensor *v = gt_uniform(gt_shape(2, 3)), *got = NULL, *state = NULL;
    gt_Tensor *a = gt_call(model, v, .outputs = gt_outputs(&got));
    gt_Tensor *b = gt_call(cell, v, .more = gt_tensors(v), .outputs = gt_outputs(&state));
    cr_assert(a && b && same(a, got) && same(a, gt_call(cell, b, .more = gt_tensors(state))), "%s", gt_error_message());
    gt_layer_free(model);
    end(scope);
}

/* What a first call built below is taken back when it fails, also by the layers around that went well so far; what was built
 * before stays. */
Test(functional, a_first_call_that_fails)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_uniform(gt_shape(2, 3)), *symbol = gt_Input(gt_shape(-1, 3));
    gt_Layer *before = gt_Dense(3), *after = gt_Dense(4), *bad = gt_Reshape(gt_shape(5));
    gt_call(before, x);
    gt_Tensor *kernel = gt_weights(before).items[0];
    gt_Layer *model = gt_Sequential(gt_Sequential(before, after), bad);
    int64_t variables = gt_memory_stats().variables;
    for (int i = 0; i < 2; i++) {
        cr_assert(!gt_call(model, x));
        cr_assert(strstr(gt_error_message(), "reshape"), "%s", gt_error_message());
        gt_error_clear();
        cr_assert(!gt_layer_built(model) && !gt_layer_built(gt_get_layer(model, 0)) && !gt_layer_built(after));
        cr_assert(gt_layer_built(before) && gt_weights(before).items[0] == kernel);
        cr_assert_eq(gt_memory_stats().variables, variables);
    }
    /* Drawn, a layer that fits the first size tried for an axis alone (960, then 1920) is not built either. */
    gt_Layer *flat = gt_Sequential(gt_Dense(2), gt_Reshape(gt_shape(1920)));
    cr_assert(!gt_call(flat, symbol));
    gt_error_clear();
    cr_assert(!gt_layer_built(flat) && !gt_layer_built(gt_get_layer(flat, 0)));
    gt_layer_free(model), gt_layer_free(flat);
    end(scope);
}

/* A drawing of 20,000 nodes is walked without recursion. */
Test(functional, deep)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(2)), *y = x;
    for (int i = 0; i < 20000; i++)
        y = gt_add(y, 1);
    gt_Layer *model = gt_Model(gt_tensors(x), gt_tensors(y));
    cr_assert(gt_element(gt_call(model, gt_zeros(gt_shape(1, 2))), 0) == 20000, "%s", gt_error_message());
    gt_layer_free(model);
    end(scope);
}
