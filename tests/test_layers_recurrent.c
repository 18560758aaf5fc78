/* What the walks over the table of layers cannot see of recurrent layers: states from call to call, cells of one's
 * own, names, dropout that stays for all steps, mistakes, and a tagger that learns. Values are compared with Keras
 * in test_layers_oracle.c. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <string.h>

static void ok(const char *what)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
}

static void fails(const char *text)
{
    cr_assert(gt_status() == GT_INVALID, "status %d: %s", gt_status(), gt_error_message());
    cr_assert(strstr(gt_error_message(), text), "\"%s\" lacks \"%s\"", gt_error_message(), text);
    gt_error_clear();
}

static gt_Tensor *waves(gt_Shape shape)
{
    int64_t size = 1;
    for (int d = 0; d < shape.rank; d++)
        size *= shape.dims[d];
    return gt_reshape(gt_sin(gt_multiply(gt_arange(0, (double)size, 1), 0.7)), shape);
}

static double distance(gt_Tensor *a, gt_Tensor *b)
{
    double most = gt_item(gt_max(gt_abs(gt_subtract(a, b))));
    ok("distance");
    return most;
}

static void paths_are(gt_Layer *layer, gt_Tensors list, const char *expected)
{
    char text[1024] = "";
    for (int i = 0; i < list.count; i++) {
        strcat(text, i ? " " : "");
        strcat(text, gt_variable_path(layer, list.items[i]));
    }
    cr_assert_str_eq(text, expected);
}

/* ---- states ---- */

static gt_Layer *stateful(int kind, bool on)
{
    switch (kind) {
    case 0:
        return gt_LSTM(3, .return_sequences = true, .stateful = on);
    case 1:
        return gt_GRU(3, .return_sequences = true, .stateful = on);
    case 2:
        return gt_SimpleRNN(3, .return_sequences = true, .stateful = on);
    case 3:
        return gt_RNN(gt_StackedRNNCells(gt_layers(gt_LSTMCell(2), gt_GRUCell(3))),
                      .return_sequences = true, .stateful = on);
    default:
        return gt_ConvLSTM1D(3, 2, .padding = GT_PADDING_SAME, .return_sequences = true,
                             .stateful = on);
    }
}

static void take_weights(gt_Layer *to, gt_Layer *from)
{
    gt_Tensors a = gt_weights(to), b = gt_weights(from);
    cr_assert_eq(a.count, b.count);
    for (int i = 0; i < a.count; i++)
        gt_assign(a.items[i], b.items[i]);
    ok("weights");
}

static gt_Status calls_layer(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    outputs[0] = gt_call((gt_Layer *)context, inputs[0]);
    return gt_status();
}

/* Three batches one after the other are one long sequence; so they are in a plan; after gt_reset_states all is as
 * at first. */
Test(layers_recurrent, states_go_on)
{
    static const int counts[] = {2, 1, 1, 3, 2};
    for (int kind = 0; kind < 5; kind++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Layer *parts = stateful(kind, true), *whole = stateful(kind, false);
        gt_Tensor *x = kind == 4 ? waves(gt_shape(2, 6, 3, 2)) : waves(gt_shape(2, 6, 4));
        gt_Tensor *part[3], *y[3];
        gt_split(x, 3, part, .axis = 1);
        gt_Tensor *all = gt_call(whole, x);
        gt_call(parts, part[0]);
        ok("calls");
        take_weights(parts, whole);
        for (int round = 0; round < 2; round++) {
            gt_reset_states(parts);
            for (int i = 0; i < 3; i++)
                y[i] = gt_call(parts, part[i]);
            ok("parts");
            gt_Tensor *joined = gt_concatenate(gt_tensors(y[0], y[1], y[2]), .axis = 1);
            cr_assert(distance(joined, all) < 1e-6, "kind %d, round %d", kind, round);
        }
        gt_Function *function = gt_function(calls_layer, parts);
        gt_reset_states(parts);
        for (int i = 0; i < 3; i++)
            gt_function_call(function, gt_tensors(part[i]), &y[i]);
        ok("plan");
        gt_Tensor *joined = gt_concatenate(gt_tensors(y[0], y[1], y[2]), .axis = 1);
        cr_assert(distance(joined, all) < 1e-6, "kind %d, plan", kind);
        cr_assert(gt_function_stats(function).plans == 1);
        gt_function_free(function);
        cr_assert(gt_state_variables(parts).count == counts[kind] &&
                  gt_state_variables(whole).count == 0);
        cr_assert(!gt_call(parts, gt_get_item(x, ":1")));
        fails("the batch must be 2, as that of the states, row by row (got 1); gt_reset_states");
        gt_layer_free(parts);
        gt_layer_free(whole);
        gt_scope_end(scope);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* In a plan the steps of other than the usual activations are one loop, whose body is there once; with .unroll they follow one
 * another. Same bits. */
Test(layers_recurrent, loops_in_plans)
{
    enum { STEPS = 20 };
    gt_Tensor *x = waves(gt_shape(2, STEPS, 3));
    for (int kind = 0; kind < 2; kind++) {
        gt_Layer *layers[2];
        int32_t operations[2];
        gt_Tensor *y[2];
        for (int unroll = 0; unroll < 2; unroll++) {
            gt_Layer *layer = layers[unroll] =
                kind == 0 ? gt_LSTM(3, .activation = gt_softsign, .unroll = unroll)
                          : gt_RNN(gt_GRUCell(3), .unroll = unroll);
            gt_call(layer, x);
            if (unroll)
                take_weights(layer, layers[0]);
            gt_Function *function = gt_function(calls_layer, layer);
            gt_function_call(function, gt_tensors(x), &y[unroll]);
            ok("plan");
            cr_assert(distance(y[unroll], gt_call(layer, x)) == 0);
            operations[unroll] = gt_function_stats(function).operations;
            gt_function_free(function);
        }
        cr_assert(distance(y[0], y[1]) == 0);
        cr_assert(operations[0] < STEPS && operations[1] >= 3 * STEPS, "%d: %d and %d operations",
                  kind, (int)operations[0], (int)operations[1]);
        gt_layer_free(layers[0]);
        gt_layer_free(layers[1]);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A stateful layer in training: the states are those that inference of the same batches would leave; gradients stay in
 * the batch. */
Test(layers_recurrent, training_with_states)
{
    gt_Layer *layer = gt_LSTM(3, .stateful = true);
    gt_Tensor *x = waves(gt_shape(2, 4, 2));
    gt_call(layer, x);
    gt_call(layer, x);
    gt_Tensor *h = gt_identity(gt_state_variables(layer).items[0]);
    gt_reset_states(layer);
    for (int i = 0; i < 2; i++) {
        gt_Tape *tape = gt_tape_begin();
        gt_Tensor *loss = gt_sum(gt_call(layer, x, .training = true)), *gradient[3];
        gt_gradients(tape, gt_tensors(loss), gt_trainable_variables(layer), gradient);
        ok("gradients");
        cr_assert(gradient[0] && gradient[1] && gradient[2] &&
                  gt_trainable_variables(layer).count == 3);
        gt_tape_end(tape);
    }
    cr_assert(distance(gt_state_variables(layer).items[0], h) < 1e-6);
    gt_layer_free(layer);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* The states of one layer start another one: an encoder and a decoder. */
Test(layers_recurrent, states_from_layer_to_layer)
{
    gt_Layer *encoder = gt_LSTM(3, .return_state = true),
             *decoder = gt_LSTM(3, .return_sequences = true);
    gt_Tensor *x = waves(gt_shape(2, 4, 2)), *h = NULL, *c = NULL;
    gt_Tensor *y = gt_call(encoder, x, .outputs = gt_outputs(&h, &c));
    ok("encoder");
    cr_assert(distance(y, h) == 0 && gt_shape_equal(gt_tensor_shape(c), gt_shape(2, 3)));
    gt_Tensor *named = gt_call(decoder, x, .named = gt_named({"initial_c", c}, {"initial_h", h}));
    gt_Tensor *listed = gt_call(decoder, x, .more = gt_tensors(h, c));
    ok("decoder");
    cr_assert(distance(named, listed) == 0 && distance(named, gt_call(decoder, x)) > 1e-3);

    cr_assert(!gt_call(decoder, x, .named = gt_named({"initial_h", h})));
    fails("all 2 states must be given, or none (got 1)");
    cr_assert(!gt_call(decoder, x, .outputs = gt_outputs(&h)));
    fails("its states are outputs only with .return_state = true");
    gt_Layer *cells = gt_RNN(gt_GRUCell(3), .return_state = true);
    gt_Tensor *a, *b;
    cr_assert(!gt_call(cells, x, .outputs = gt_outputs(&a, &b)));
    fails("it has 1 state as outputs; more are asked for");
    cr_assert(!gt_call(cells, x, .more = gt_tensors(listed, listed)));
    fails("it has 1 state (got 2)");
    gt_layer_free(encoder);
    gt_layer_free(decoder);
    gt_layer_free(cells);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- cells ---- */

/* A layer of a cell is that of the fused function. */
Test(layers_recurrent, cells_and_layers_agree)
{
    gt_Tensor *x = waves(gt_shape(2, 5, 3));
    gt_Layer *layers[] = {gt_LSTM(4, .return_sequences = true), gt_GRU(4, .return_sequences = true),
                          gt_GRU(4, .return_sequences = true, .reset_after = false),
                          gt_SimpleRNN(4, .return_sequences = true)};
    gt_Layer *cells[] = {gt_LSTMCell(4), gt_GRUCell(4), gt_GRUCell(4, .reset_after = false),
                         gt_SimpleRNNCell(4)};
    for (int i = 0; i < 4; i++) {
        gt_Layer *rnn = gt_RNN(cells[i], .return_sequences = true);
        gt_Tensor *a = gt_call(layers[i], x);
        gt_call(rnn, x);
        take_weights(rnn, layers[i]);
        cr_assert(distance(a, gt_call(rnn, x)) < 1e-6, "cell %d", i);
        gt_layer_free(rnn);
        gt_layer_free(layers[i]);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A cell of one's own: a leaky sum, y = h / 2 + w x; its state is wider than its output. */
typedef struct Leaky {
    gt_Layer base;
    int states;
    gt_Variable *w;
} Leaky;

static gt_Status leaky_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    ((Leaky *)layer)->w =
        gt_add_weight(layer, "w", gt_shape(gt_last(in->shape)), .initializer = gt_Ones());
    return gt_status();
}

static gt_Tensor *leaky_call(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_Tensor *next =
        gt_add(gt_multiply(in->inputs[1], 0.5), gt_multiply(in->x, ((Leaky *)layer)->w));
    in->outputs[1] = next;
    return gt_sum(next, .axis = -1, .keepdims = true);
}

static int32_t leaky_states(const gt_Layer *layer, gt_Shape *shapes)
{
    shapes[0] = gt_shape(2);
    return ((const Leaky *)layer)->states;
}

static const gt_LayerClass leaky_class = {
    .size = sizeof(gt_LayerClass),
    .name = "leaky",
    .instance = sizeof(Leaky),
    .build = leaky_build,
    .call = leaky_call,
    .ports = GT_PORTS({"inputs", 0, 0, 0}, {"h", 0, 0, 0}),
    .outputs = 2,
    .states = leaky_states,
};

static gt_Layer *leaky(int states)
{
    const Leaky cell = {.states = states};
    return gt_layer_new(&leaky_class, &cell);
}

Test(layers_recurrent, a_cell_of_ones_own)
{
    gt_Layer *rnn = gt_RNN(leaky(1), .return_sequences = true, .return_state = true);
    gt_Tensor *x = gt_array(gt_shape(1, 3, 2), 1, 2, 3, 4, 5, 6), *h;
    gt_Tensor *mask = gt_cast(gt_array(gt_shape(1, 3), 1, 0, 1), GT_BOOL);
    gt_Tensor *y = gt_call(rnn, x, .outputs = gt_outputs(&h));
    ok("call");
    cr_assert(gt_element(y, 0) == 3 && gt_element(y, 1) == 8.5 && gt_element(y, 2) == 15.25);
    cr_assert(gt_element(h, 0) == 6.75 && gt_element(h, 1) == 8.5);
    y = gt_call(rnn, x, .mask = mask, .outputs = gt_outputs(&h));
    ok("mask");
    cr_assert(gt_element(y, 0) == 3 && gt_element(y, 1) == 3 && gt_element(y, 2) == 12.5);
    paths_are(rnn, gt_weights(rnn), "leaky/w");
    gt_layer_free(rnn);

    cr_assert(!gt_RNN(gt_Dense(3)));
    fails("RNN: dense is not a cell: its class has no states");
    cr_assert(!gt_RNN(NULL));
    fails("the cell is NULL");
    cr_assert(!gt_RNN(leaky(0)));
    fails("a cell must have 1 to 15 states (leaky has 0)");
    cr_assert(!gt_StackedRNNCells(gt_layers(gt_GRUCell(2), gt_Dense(2))));
    fails("StackedRNNCells: dense is not a cell");
    cr_assert(!gt_StackedRNNCells(gt_layers()));
    fails("cells must have at least one cell");
    gt_Layer *both = gt_Bidirectional(gt_GRU(2));
    gt_Tensor *h2 = gt_zeros(gt_shape(2, 2));
    cr_assert(!gt_call(both, gt_zeros(gt_shape(2, 3, 1)), .more = gt_tensors(h2, h2, h2)));
    fails("it has 2 states, those of both layers (got 3)");
    gt_layer_free(both);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- dropout ---- */

/* With kernels that copy, the outputs show the masks: the same for all steps, others in the next call and in other
 * rows. */
Test(layers_recurrent, dropout_stays_for_all_steps)
{
    enum { N = 16 };
    gt_Tensor *x = gt_ones(gt_shape(2, 3, N));
    gt_Layer *layers[] = {
        gt_SimpleRNN(N, .dropout = 0.5, .activation = NULL, .use_bias = false,
                     .kernel_initializer = gt_IdentityInitializer(),
                     .recurrent_initializer = gt_Zeros(), .return_sequences = true),
        gt_RNN(gt_SimpleRNNCell(N, .dropout = 0.5, .activation = NULL, .use_bias = false,
                                .kernel_initializer = gt_IdentityInitializer(),
                                .recurrent_initializer = gt_Zeros()),
               .return_sequences = true)};
    for (int i = 0; i < 2; i++) {
        gt_Tensor *last = NULL;
        for (int round = 0; round < 2; round++) {
            gt_Tensor *y = gt_call(layers[i], x, .training = true), *step[3], *row[2];
            gt_unstack(y, 3, step, .axis = 1);
            ok("training");
            cr_assert(distance(step[0], step[1]) == 0 && distance(step[0], step[2]) == 0,
                      "layer %d: other masks in other steps", i);
            gt_unstack(y, 2, row, .axis = 0);
            cr_assert(distance(row[0], row[1]) == 2 && (!last || distance(last, y) == 2),
                      "layer %d: the same masks", i);
            last = y;
        }
        cr_assert(distance(gt_call(layers[i], x), x) == 0);
        gt_layer_free(layers[i]);
    }
    cr_assert(!gt_LSTM(3, .dropout = 1));
    fails("LSTM: dropout must be in [0, 1) (got 1)");
    cr_assert(!gt_GRUCell(3, .recurrent_dropout = NAN));
    fails("GRUCell: recurrent_dropout must be in [0, 1) (got nan)");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- names, mistakes ---- */

Test(layers_recurrent, names_and_mistakes)
{
    gt_Tensor *x = waves(gt_shape(2, 3, 4));
    gt_Layer *both = gt_Bidirectional(gt_LSTM(2, .name = "words"));
    gt_call(both, x);
    paths_are(both, gt_weights(both),
              "forward_words/kernel forward_words/recurrent_kernel forward_words/bias "
              "backward_words/kernel backward_words/recurrent_kernel backward_words/bias");
    gt_Layer *named =
        gt_Bidirectional(gt_GRU(2, .name = "forward_a", .return_state = true),
                         .backward_layer = gt_GRU(2, .name = "backward_b", .go_backwards = true,
                                                  .return_state = true));
    gt_Tensor *last, *alone;
    gt_call(named, x, .outputs = gt_outputs(NULL, &last));
    ok("the second state alone");
    gt_call(gt_get_layer(named, 1), x, .outputs = gt_outputs(&alone));
    cr_assert(distance(last, alone) == 0);
    cr_assert(
        strcmp(gt_variable_path(named, gt_weights(named).items[0]), "forward_a/kernel") == 0 &&
        strcmp(gt_variable_path(named, gt_weights(named).items[3]), "backward_b/kernel") == 0);
    gt_layer_free(named);
    gt_Layer *copy = gt_layer_copy(both);
    gt_call(copy, x);
    take_weights(copy, both);
    cr_assert(distance(gt_call(copy, x), gt_call(both, x)) == 0);
    gt_layer_free(both);
    gt_layer_free(copy);

    gt_Layer *const others[] = {gt_SimpleRNN(2), gt_GRU(2), gt_ConvLSTM1D(2, 1)};
    for (int i = 0; i < 3; i++) {
        gt_Shape fits = i < 2 ? gt_shape(2, 3, 4) : gt_shape(2, 3, 2, 4), wide = fits;
        wide.dims[wide.rank - 1] = 5;
        gt_call(others[i], waves(fits));
        cr_assert(!gt_call(others[i], waves(wide)), "%d", i);
        fails("the last dimension of the input \"sequences\" must be 4");
        gt_layer_free(others[i]);
    }
    gt_Layer *lstm = gt_LSTM(2);
    gt_call(lstm, x);
    cr_assert(!gt_call(lstm, waves(gt_shape(2, 3, 5))));
    fails("the last dimension of the input \"sequences\" must be 4");
    cr_assert(!gt_call(lstm, waves(gt_shape(2, 4))));
    fails("must have 3 dimensions");
    cr_assert(!gt_call(lstm, x, .mask = gt_cast(gt_ones(gt_shape(2)), GT_BOOL)));
    fails("mask must be bool (2, 3)");
    cr_assert(!gt_call(lstm, x, .more = gt_tensors(x, x)));
    fails("\"initial_h\" must have 2 dimensions");
    gt_Tensor *none = gt_call(lstm, gt_zeros(gt_shape(0, 3, 4))), *h;
    ok("no rows");
    cr_assert(gt_shape_equal(gt_tensor_shape(none), gt_shape(0, 2)));
    gt_Tensor *still = gt_call(lstm, gt_zeros(gt_shape(2, 0, 4)));
    ok("no steps");
    cr_assert(gt_element(still, 0) == 0 && gt_shape_equal(gt_tensor_shape(still), gt_shape(2, 2)));
    gt_layer_free(lstm);

    cr_assert(!gt_LSTM(0) && gt_status() == GT_INVALID);
    fails("LSTM: units must be > 0 (got 0)");
    cr_assert(!gt_SimpleRNN(-2));
    fails("SimpleRNN: units must be > 0 (got -2)");
    cr_assert(!gt_Bidirectional(gt_Dense(2)));
    fails("layer must be a recurrent layer: dense has no option go_backwards");
    cr_assert(!gt_Bidirectional(NULL));
    fails("layer is NULL");
    cr_assert(!gt_Bidirectional(gt_LSTM(2, .go_backwards = true)));
    fails("go_backwards of layer and backward_layer must differ (both true)");
    cr_assert(!gt_Bidirectional(gt_LSTM(2), .backward_layer = gt_LSTM(2)));
    fails("must differ (both false)");
    cr_assert(!gt_Bidirectional(
        gt_LSTM(2), .backward_layer = gt_LSTM(2, .go_backwards = true, .return_sequences = true)));
    fails("return_sequences of layer and backward_layer must be the same");
    cr_assert(!gt_Bidirectional(gt_LSTM(2), .merge_mode = (gt_MergeMode)9));
    fails("unknown merge_mode 9");
    both = gt_Bidirectional(gt_LSTM(2));
    cr_assert(!gt_call(both, x, .outputs = gt_outputs(&h)));
    fails("its states are outputs only with .return_state = true");
    cr_assert(!gt_call(both, x, .more = gt_tensors(still)));
    fails("it has 4 states, those of both layers (got 1)");
    gt_layer_free(both);
    both = gt_Bidirectional(gt_LSTM(2, .return_state = true));
    cr_assert(!gt_call(both, x, .outputs = gt_outputs(NULL, NULL, NULL, NULL, &h)));
    fails("it has 4 states as outputs; more are asked for");
    gt_layer_free(both);
    both = gt_Bidirectional(gt_LSTM(2), .backward_layer = gt_GRU(2, .go_backwards = true));
    cr_assert(!gt_call(both, x));
    fails("layer and backward_layer must have as many states");
    gt_layer_free(both);
    cr_assert(!gt_TimeDistributed(NULL));
    fails("the layer is NULL");
    gt_Layer *steps = gt_TimeDistributed(gt_Dense(2));
    cr_assert(!gt_call(steps, waves(gt_shape(2, 3))));
    fails("must have at least 3 dimensions");
    cr_assert(!gt_call(steps, gt_zeros(gt_shape(2, 0, 3))));
    fails("there must be at least one step");
    gt_layer_free(steps);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A window of one pixel over images of one pixel: ConvLSTM is LSTM. In two dimensions the window turns with the image. */
Test(layers_recurrent, convolutions)
{
    gt_Tensor *x = waves(gt_shape(2, 4, 3)), *image = waves(gt_shape(1, 3, 4, 5, 2));
    gt_Layer *lstm = gt_LSTM(2), *one = gt_ConvLSTM3D(2, 1);
    gt_Tensor *y = gt_call(lstm, x);
    gt_call(one, gt_reshape(x, gt_shape(2, 4, 1, 1, 1, 3)));
    ok("calls");
    gt_Tensor *from[3], *to[3];
    for (int i = 0; i < 3; i++)
        from[i] = gt_weights(lstm).items[i];
    for (int i = 0; i < 3; i++) {
        to[i] = gt_weights(one).items[i];
        gt_assign(to[i], gt_reshape(from[i], gt_tensor_shape(to[i])));
    }
    gt_Tensor *z = gt_call(one, gt_reshape(x, gt_shape(2, 4, 1, 1, 1, 3)));
    cr_assert(distance(gt_reshape(z, gt_shape(2, 2)), y) < 1e-6);

    gt_Layer *wide = gt_ConvLSTM2D(2, gt_sizes(1, 3)), *high = gt_ConvLSTM2D(2, gt_sizes(3, 1));
    gt_Tensor *turned = gt_swapaxes(image, 2, 3);
    y = gt_call(wide, image);
    gt_call(high, turned);
    for (int i = 0; i < 3; i++)
        from[i] = gt_weights(wide).items[i];
    for (int i = 0; i < 3; i++) {
        to[i] = gt_weights(high).items[i];
        gt_assign(to[i], gt_reshape(from[i], gt_tensor_shape(to[i])));
    }
    cr_assert(distance(gt_swapaxes(gt_call(high, turned), 1, 2), y) < 1e-6);
    cr_assert(gt_shape_equal(gt_tensor_shape(y), gt_shape(1, 4, 3, 2)));
    cr_assert(!gt_call(wide, gt_zeros(gt_shape(1, 3, 4, 7, 2))));
    fails("axis 3 is 7, which gives 5 in place of 3");

    cr_assert(!gt_ConvLSTM1D(0, 2));
    fails("ConvLSTM1D: filters must be > 0 (got 0)");
    cr_assert(!gt_ConvLSTM2D(1, gt_sizes(2, 2, 2)));
    fails("kernel_size");
    cr_assert(!gt_ConvLSTM2D(1, 2, .padding = GT_PADDING_CAUSAL));
    fails("padding must be valid or same (got 2)");
    cr_assert(!gt_ConvLSTM1D(1, 2, .strides = 2, .dilation_rate = 2));
    fails("strides > 1 and dilation_rate > 1 cannot both be asked for");
    gt_Layer *large = gt_ConvLSTM1D(1, 5);
    cr_assert(!gt_call(large, waves(gt_shape(1, 2, 3, 1))));
    fails("the window of 5 does not fit into 3 elements");
    gt_Layer *layers[] = {lstm, one, wide, high, large};
    for (int i = 0; i < 5; i++)
        gt_layer_free(layers[i]);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A layer with a moving sum, which counts its calls: in training it is called for step after step, else once. */
typedef struct Counter {
    gt_Layer base;
    gt_Variable *calls;
} Counter;

static gt_Status counter_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)in;
    ((Counter *)layer)->calls =
        gt_add_weight(layer, "calls", gt_shape(), .initializer = gt_Zeros(), .trainable = false);
    return gt_status();
}

static gt_Tensor *counter_call(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_assign_add(((Counter *)layer)->calls, 1);
    return gt_multiply(in->x, 2);
}

Test(layers_recurrent, steps_of_a_layer_with_averages)
{
    static const gt_LayerClass counter_class = {.size = sizeof(gt_LayerClass),
                                                .name = "counter",
                                                .instance = sizeof(Counter),
                                                .build = counter_build,
                                                .call = counter_call};
    const Counter counter = {.calls = NULL};
    gt_Layer *inner = gt_layer_new(&counter_class, &counter), *steps = gt_TimeDistributed(inner);
    gt_Tensor *x = waves(gt_shape(2, 5, 3));
    cr_assert(distance(gt_call(steps, x), gt_multiply(x, 2)) == 0 &&
              gt_item(gt_weights(steps).items[0]) == 1);
    cr_assert(distance(gt_call(steps, x, .training = true), gt_multiply(x, 2)) == 0 &&
              gt_item(gt_weights(steps).items[0]) == 6);
    gt_layer_free(steps);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Masks of sentences of words: the inner layer gets the mask of each sentence, the outer one those that have a word. */
Test(layers_recurrent, masks_of_steps)
{
    gt_Tensor *x = waves(gt_shape(2, 3, 4, 2)), *mask = gt_greater(waves(gt_shape(2, 3, 4)), 0.1);
    mask = gt_logical_and(mask, gt_cast(gt_array(gt_shape(3, 1), 1, 0, 1), GT_BOOL));
    gt_Layer *words = gt_LSTM(3), *sentences = gt_TimeDistributed(words);
    gt_Tensor *y = gt_call(sentences, gt_with_mask(x, mask)), *row[3], *there[3];
    gt_unstack(x, 3, row, .axis = 1);
    gt_unstack(mask, 3, there, .axis = 1);
    gt_Tensor *each[3];
    for (int t = 0; t < 3; t++)
        each[t] = gt_call(words, row[t], .mask = there[t]);
    ok("sentences");
    cr_assert(distance(gt_unmask(y), gt_stack(gt_tensors(each[0], each[1], each[2]), .axis = 1)) <
              1e-6);
    cr_assert(distance(gt_unmask(y), gt_call(sentences, x)) > 1e-3);
    gt_Tensor *rides = gt_mask(y);
    cr_assert(gt_shape_equal(gt_tensor_shape(rides), gt_shape(2, 3)) && gt_element(rides, 0) == 1 &&
              gt_element(rides, 1) == 0 && gt_element(rides, 4) == 0);
    gt_layer_free(sentences);
    /* Both outputs of two layers that are not merged have the mask of the steps. */
    gt_Layer *both =
        gt_Bidirectional(gt_GRU(2, .return_sequences = true), .merge_mode = GT_MERGE_MODE_NONE);
    gt_Tensor *back = NULL,
              *ahead = gt_call(both, row[0], .mask = there[0], .outputs = gt_outputs(&back));
    cr_assert(ahead && gt_is_masked(ahead) && gt_is_masked(back) &&
                  gt_element(gt_all(gt_equal(gt_mask(back), there[0])), 0) == 1,
              "%s", gt_error_message());
    gt_layer_free(both);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* The first values of LSTM's bias: ones for the forget gate, what bias_initializer draws for the others. */
Test(layers_recurrent, first_bias)
{
    gt_Layer *lstm = gt_LSTM(5, .bias_initializer = gt_RandomNormal(.mean = 7, .stddev = 0.1));
    gt_build(lstm, gt_shape(1, 2, 3), GT_FLOAT64);
    gt_Tensor *bias = gt_weights(lstm).items[2];
    for (int i = 0; i < 20; i++) {
        double x = gt_element(bias, i);
        cr_assert(i / 5 == 1 ? x == 1 : fabs(x - 7) < 1 && x != gt_element(bias, (i + 10) % 20),
                  "%d: %g", i, x);
    }
    gt_Layer *again[2];
    for (int k = 0; k < 2; k++) { /* a seed of its own */
        again[k] = gt_LSTM(5, .bias_initializer = gt_RandomNormal(.seed = 3));
        gt_build(again[k], gt_shape(1, 2, 3), GT_FLOAT64);
    }
    cr_assert(distance(gt_weights(again[0]).items[2], gt_weights(again[1]).items[2]) == 0 &&
              distance(gt_weights(again[0]).items[0], gt_weights(again[1]).items[0]) > 0);
    gt_layer_free(again[0]);
    gt_layer_free(again[1]);
    gt_Layer *wrong = gt_LSTM(5, .bias_initializer = gt_Orthogonal());
    cr_assert(!gt_call(wrong, waves(gt_shape(1, 2, 3))));
    fails("an orthogonal weight must have at least 2 dimensions (got 1)");
    gt_layer_free(wrong);
    gt_layer_free(lstm);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- learning ---- */

typedef struct Tagger {
    gt_Layer *model;
    gt_Optimizer *optimizer;
} Tagger;

/* One step of training: x (batch, time, features) with its mask, y (batch, time). */
static gt_Status train(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const Tagger *self = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *logits = gt_call(self->model, gt_with_mask(inputs[0], inputs[2]), .training = true);
    gt_Tensor *loss = gt_sparse_categorical_crossentropy(
        inputs[1], gt_unmask(logits), .from_logits = true, .reduction = GT_REDUCTION_NONE);
    loss = gt_mean(gt_multiply(loss, gt_cast(inputs[2], gt_dtype(loss))));
    gt_minimize(self->optimizer, tape, loss, gt_trainable_variables(self->model));
    outputs[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

static Tagger tagger(void)
{
    return (Tagger){gt_Sequential(gt_Bidirectional(gt_LSTM(6, .return_sequences = true)),
                                  gt_Bidirectional(gt_GRU(5, .return_sequences = true)),
                                  gt_TimeDistributed(gt_Dense(3))),
                    gt_Adam(0.02)};
}

/* Two layers in both directions learn to tag; a plan does the same steps with the same bits. */
Test(layers_recurrent, a_tagger_learns)
{
    gt_Tensor *x = waves(gt_shape(4, 6, 3));
    gt_Tensor *y = gt_cast(gt_floor(gt_multiply(gt_add(gt_sum(x, .axis = -1), 3), 0.49)), GT_INT64);
    gt_Tensor *mask = gt_greater(waves(gt_shape(4, 6)), -0.7);
    Tagger eager = tagger(), planned = tagger();
    gt_call(eager.model, x);
    gt_call(planned.model, x);
    take_weights(planned.model, eager.model);
    gt_Function *function = gt_function(train, &planned);
    double first = 0, last = 0;
    for (int i = 0; i < 30; i++) {
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
    cr_assert(last < 0.3 * first, "the loss went from %g to %g", first, last);
    gt_function_free(function);
    gt_layer_free(eager.model);
    gt_layer_free(planned.model);
    gt_optimizer_free(eager.optimizer);
    gt_optimizer_free(planned.optimizer);
    gt_context_free(NULL);
    assert_no_leaks();
}
