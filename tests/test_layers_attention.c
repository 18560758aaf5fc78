/* What the walks over the table of layers cannot see of attention: masks that mean the same, names, mistakes, and
 * a block of an encoder that learns. Values are compared with Keras in test_layers_oracle.c. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <string.h>

static void ok(const char *what)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
}

static void fails(gt_Status status, const char *text)
{
    cr_assert(gt_status() == status, "status %d: %s", gt_status(), gt_error_message());
    cr_assert(strstr(gt_error_message(), text), "\"%s\" lacks \"%s\"", gt_error_message(), text);
    gt_error_clear();
}

static gt_Tensor *waves(gt_Shape shape, double step)
{
    int64_t size = 1;
    for (int d = 0; d < shape.rank; d++)
        size *= shape.dims[d];
    return gt_reshape(gt_sin(gt_multiply(gt_arange(0, (double)size, 1), step)), shape);
}

static double distance(gt_Tensor *a, gt_Tensor *b)
{
    double most = gt_item(gt_max(gt_abs(gt_subtract(a, b))));
    ok("distance");
    return most;
}

static void take_weights(gt_Layer *to, gt_Layer *from)
{
    gt_Tensors a = gt_weights(to), b = gt_weights(from);
    cr_assert_eq(a.count, b.count);
    for (int i = 0; i < a.count; i++)
        gt_assign(a.items[i], b.items[i]);
    ok("weights");
}

/* `layer` with the weights of `other`, called for x and an attention mask (NULL: none). */
static gt_Tensor *called(gt_Layer *layer, gt_Layer *other, gt_Tensor *x, gt_Tensor *mask)
{
    gt_call(layer, x, .more = gt_tensors(x));
    take_weights(layer, other);
    return gt_call(layer, x, .more = gt_tensors(x, NULL, mask));
}

/* Options, masks that ride on inputs and the input attention_mask say the same; all are joined by AND. */
Test(layers_attention, masks_mean_the_same)
{
    enum { T = 5 };
    gt_Tensor *x = waves(gt_shape(2, T, 4), 0.7), *scores = NULL;
    gt_Layer *plain = gt_MultiHeadAttention(2, 3),
             *causal = gt_MultiHeadAttention(2, 3, .use_causal_mask = true);
    gt_Layer *near = gt_MultiHeadAttention(2, 3, .sliding_window = 2);
    gt_Layer *joined = gt_MultiHeadAttention(2, 3, .sliding_window = 2, .use_causal_mask = true);
    gt_Tensor *all = gt_call(plain, x, .more = gt_tensors(x), .outputs = gt_outputs(&scores));
    ok("plain");
    cr_assert(gt_shape_equal(gt_tensor_shape(scores), gt_shape(2, 2, T, T)));
    cr_assert(distance(gt_sum(scores, .axis = -1), gt_ones(gt_shape(2, 2, T))) < 1e-6);
    gt_Tensor *lower = gt_cast(gt_tril(gt_ones(gt_shape(2, T, T))), GT_BOOL);
    gt_Tensor *upper = gt_cast(gt_triu(gt_ones(gt_shape(2, T, T)), .k = -1), GT_BOOL);
    gt_Tensor *both = gt_logical_and(lower, upper),
              *band = gt_logical_and(upper,
                                     gt_cast(gt_tril(gt_ones(gt_shape(2, T, T)), .k = 1), GT_BOOL));
    cr_assert(distance(called(plain, plain, x, lower), called(causal, plain, x, NULL)) < 1e-6);
    cr_assert(distance(called(plain, plain, x, band), called(near, plain, x, NULL)) < 1e-6);
    cr_assert(distance(called(plain, plain, x, both), called(joined, plain, x, NULL)) < 1e-6);
    cr_assert(distance(called(plain, plain, x, both), called(near, plain, x, lower)) < 1e-6);
    cr_assert(distance(called(plain, plain, x, lower), all) > 1e-3);
    /* of numbers, for one batch, and with heads */
    cr_assert(distance(called(plain, plain, x, gt_cast(lower, GT_INT32)),
                       called(causal, plain, x, NULL)) < 1e-6);
    cr_assert(distance(called(plain, plain, x,
                              gt_broadcast_to(gt_expand_dims(lower, 1), gt_shape(2, 2, T, T))),
                       called(causal, plain, x, NULL)) < 1e-6);
    /* masks that ride */
    gt_Tensor *there = gt_cast(gt_array(gt_shape(2, T), 1, 1, 0, 1, 0, 1, 0, 1, 1, 1), GT_BOOL);
    gt_Tensor *keys = gt_broadcast_to(gt_expand_dims(there, 1), gt_shape(2, T, T));
    gt_Tensor *value = gt_with_mask(x, there);
    gt_Tensor *ridden = gt_call(plain, x, .more = gt_tensors(value));
    ok("a masked value");
    cr_assert(distance(ridden, called(plain, plain, x, keys)) < 1e-6 && !gt_is_masked(ridden));
    cr_assert(distance(gt_call(plain, x, .more = gt_tensors(x, value)), ridden) < 1e-6);
    cr_assert(gt_is_masked(gt_call(plain, value, .more = gt_tensors(x))));

    gt_Layer *grouped = gt_GroupQueryAttention(3, 2, .num_key_value_heads = 2);
    cr_assert(distance(called(grouped, plain, x, NULL), all) < 1e-6);
    gt_Layer *layers[] = {plain, causal, near, joined, grouped};
    for (int i = 0; i < 5; i++)
        gt_layer_free(layers[i]);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(layers_attention, names_and_mistakes)
{
    char text[512] = "";
    gt_Tensor *x = waves(gt_shape(2, 3, 4), 0.7), *image = waves(gt_shape(2, 3, 3, 4), 0.3),
              *scores;
    gt_Layer *heads = gt_MultiHeadAttention(2, 3, .use_gate = true);
    gt_call(heads, x, .more = gt_tensors(x));
    gt_Tensors weights = gt_weights(heads);
    for (int i = 0; i < weights.count; i++) {
        strcat(text, i ? " " : "");
        strcat(text, gt_variable_path(heads, weights.items[i]));
    }
    cr_assert_str_eq(
        text,
        "query/kernel query/bias key/kernel key/bias gate/kernel gate/bias value/kernel value/bias "
        "attention_output/kernel attention_output/bias");
    cr_assert(gt_shape_equal(gt_tensor_shape(weights.items[0]), gt_shape(4, 2, 3)) &&
              gt_shape_equal(gt_tensor_shape(weights.items[1]), gt_shape(2, 3)) &&
              gt_shape_equal(gt_tensor_shape(weights.items[8]), gt_shape(2, 3, 4)));
    gt_Layer *copy = gt_layer_copy(heads);
    gt_call(copy, x, .more = gt_tensors(x));
    take_weights(copy, heads);
    cr_assert(distance(gt_call(copy, x, .more = gt_tensors(x)),
                       gt_call(heads, x, .more = gt_tensors(x))) == 0);
    gt_layer_free(copy);

    cr_assert(!gt_call(heads, x));
    fails(GT_INVALID, "the input \"value\" is missing");
    cr_assert(!gt_call(heads, x, .more = gt_tensors(waves(gt_shape(3, 3, 4), 1))));
    fails(GT_INVALID, "query, key and value must be");
    cr_assert(!gt_call(heads, x, .more = gt_tensors(x, NULL, gt_ones(gt_shape(2, 4, 3)))) &&
              gt_status() != GT_OK);
    gt_error_clear();
    gt_layer_free(heads);

    gt_Layer *rows = gt_MultiHeadAttention(2, 3, .sliding_window = 2);
    cr_assert(!gt_call(rows, image, .more = gt_tensors(image)));
    fails(GT_UNSUPPORTED, "masks of inputs and sliding_window are about one axis; with 2 of them");
    gt_layer_free(rows);
    cr_assert(!gt_MultiHeadAttention(0, 3));
    fails(GT_INVALID, "num_heads must be > 0 (got 0)");
    cr_assert(!gt_MultiHeadAttention(2, -3));
    fails(GT_INVALID, "key_dim must be > 0 (got -3)");
    cr_assert(!gt_MultiHeadAttention(2, 3, .value_dim = 0));
    fails(GT_INVALID, "value_dim must be > 0 (got 0)");
    cr_assert(!gt_MultiHeadAttention(2, 3, .dropout = 1));
    fails(GT_INVALID, "dropout must be in [0, 1) (got 1)");
    cr_assert(!gt_MultiHeadAttention(2, 3, .sliding_window = 0));
    fails(GT_INVALID, "sliding_window must be > 0 (got 0)");
    cr_assert(!gt_MultiHeadAttention(2, 3, .output_shape = gt_shape(2, 0)));
    fails(GT_INVALID, "output_shape must be > 0 (got 0)");
    cr_assert(!gt_MultiHeadAttention(2, 3, .output_shape = gt_shape(1, 1, 1, 1)));
    fails(GT_INVALID, "output_shape may have 3 sizes at most (got 4)");
    cr_assert(!gt_GroupQueryAttention(2, 3, .num_key_value_heads = 2));
    fails(GT_INVALID, "num_query_heads must be a multiple of num_key_value_heads (got 3 and 2)");
    cr_assert(!gt_GroupQueryAttention(2, 3));
    fails(GT_INVALID, "num_key_value_heads must be > 0 (got 0)");
    cr_assert(!gt_Attention(.score_mode = (gt_ScoreMode)5));
    fails(GT_INVALID, "unknown score_mode 5");
    cr_assert(!gt_AdditiveAttention(.dropout = -0.1));
    fails(GT_INVALID, "dropout must be in [0, 1) (got -0.1)");
    gt_Layer *sums = gt_AdditiveAttention();
    cr_assert(!gt_call(sums, waves(gt_shape(2, 4), 1), .more = gt_tensors(x)));
    fails(GT_INVALID, "\"query\" must have 3 dimensions");
    gt_call(sums, x, .more = gt_tensors(x), .outputs = gt_outputs(&scores));
    ok("sums");
    cr_assert(gt_shape_equal(gt_tensor_shape(scores), gt_shape(2, 3, 3)));
    gt_layer_free(sums);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* With a policy weights are float32 and the projections multiply in 16 bits; results are float32, and near. */
Test(layers_attention, mixed_precision)
{
    gt_Tensor *x = waves(gt_shape(2, 3, 8), 0.7);
    gt_Layer *exact = gt_MultiHeadAttention(2, 4),
             *mixed = gt_MultiHeadAttention(2, 4, .dtype = gt_mixed_bfloat16());
    gt_Layer *lstm = gt_LSTM(4), *wide = gt_LSTM(4, .dtype = gt_mixed_bfloat16());
    gt_Tensor *a = gt_call(exact, x, .more = gt_tensors(x));
    gt_call(mixed, x, .more = gt_tensors(x));
    take_weights(mixed, exact);
    gt_Tensor *b = gt_call(mixed, x, .more = gt_tensors(x));
    ok("mixed");
    double far = distance(a, b);
    cr_assert(gt_dtype(b) == GT_FLOAT32 && gt_dtype(gt_weights(mixed).items[0]) == GT_FLOAT32);
    cr_assert(far > 0 && far < 0.03, "%g", far);
    a = gt_call(lstm, x);
    gt_call(wide, gt_cast(x, GT_BFLOAT16));
    take_weights(wide, lstm);
    ok("recurrent");
    cr_assert(distance(gt_call(wide, x), a) == 0 &&
              gt_dtype(gt_call(wide, gt_cast(x, GT_BFLOAT16))) == GT_FLOAT32);
    gt_layer_free(exact);
    gt_layer_free(mixed);
    gt_layer_free(lstm);
    gt_layer_free(wide);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- a block of an encoder ---- */

typedef struct Block {
    gt_Layer base;
    gt_Layer *attention, *wide, *narrow;
} Block;

static gt_Status block_create(gt_Layer *layer)
{
    Block *self = (Block *)layer;
    self->attention = gt_add_child(layer, gt_MultiHeadAttention(2, 4));
    self->wide = gt_add_child(layer, gt_Dense(16, .activation = gt_relu));
    self->narrow = gt_add_child(layer, gt_Dense(8));
    return gt_status();
}

static gt_Tensor *block_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const Block *self = (const Block *)layer;
    gt_Tensor *x = in->x, *attended = gt_call(self->attention, x, .more = gt_tensors(x));
    x = gt_layer_normalization(gt_add(x, attended), .epsilon = 1e-3);
    return gt_layer_normalization(gt_add(x, gt_call(self->narrow, gt_call(self->wide, x))),
                                  .epsilon = 1e-3);
}

static const gt_LayerClass block_class = {.size = sizeof(gt_LayerClass),
                                          .name = "block",
                                          .instance = sizeof(Block),
                                          .create = block_create,
                                          .call = block_call};

typedef struct Learner {
    gt_Layer *model;
    gt_Optimizer *optimizer;
} Learner;

static Learner learner(void)
{
    const Block block = {.attention = NULL};
    return (Learner){gt_Sequential(gt_Dense(8), gt_layer_new(&block_class, &block), gt_Dense(1)),
                     gt_Adam(0.02)};
}

static gt_Status train(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const Learner *self = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y =
        gt_unmask(gt_call(self->model, gt_with_mask(inputs[0], inputs[2]), .training = true));
    gt_Tensor *error = gt_multiply(gt_square(gt_subtract(y, inputs[1])),
                                   gt_cast(gt_expand_dims(inputs[2], 2), gt_dtype(y)));
    gt_Tensor *loss = gt_mean(error);
    gt_minimize(self->optimizer, tape, loss, gt_trainable_variables(self->model));
    outputs[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

/* Each position learns the mean over the sequence, which only attention can know; a plan does the same with the
 * same bits. */
Test(layers_attention, an_encoder_learns)
{
    gt_Tensor *x = waves(gt_shape(6, 5, 3), 0.9);
    gt_Tensor *y =
        gt_broadcast_to(gt_mean(x, .axes = gt_axes(1, 2), .keepdims = true), gt_shape(6, 5, 1));
    gt_Tensor *mask = gt_greater(waves(gt_shape(6, 5), 1.3), -0.8);
    Learner eager = learner(), planned = learner();
    gt_call(eager.model, x);
    gt_call(planned.model, x);
    take_weights(planned.model, eager.model);
    gt_Function *function = gt_function(train, &planned);
    double first = 0, last = 0;
    for (int i = 0; i < 40; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *inputs[] = {x, y, mask}, *a = NULL, *b = NULL;
        train(&eager, inputs, &a);
        gt_function_call(function, ((gt_Tensors){inputs, 3}), &b);
        ok("a step");
        last = gt_item(a);
        first = i ? first : last;
        cr_assert(last == gt_item(b), "step %d: %.9g eagerly, %.9g in a plan", i, last, gt_item(b));
        gt_scope_end(scope);
    }
    cr_assert(last < 0.1 * first, "the loss went from %g to %g", first, last);
    gt_function_free(function);
    gt_layer_free(eager.model);
    gt_layer_free(planned.model);
    gt_optimizer_free(eager.optimizer);
    gt_optimizer_free(planned.optimizer);
    gt_context_free(NULL);
    assert_no_leaks();
}
