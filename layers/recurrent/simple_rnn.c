/* SimpleRNN and SimpleRNNCell: weights, states and masks around gt_simple_rnn and gt_simple_rnn_cell. */
#include "layers/recurrent/simple_rnn.h"
#include "layers/recurrent/cell.h"
#include "ops/nn/recurrent.h"

enum { GATES = 1 };

/* ---- the cell ---- */

typedef struct SimpleRNNCell {
    gt_Cell cell;
    gt_SimpleRNNCell_options options;
} SimpleRNNCell;

GT_OPTION_TYPE(gt_SimpleRNNCell_options, gt_SimpleRNNCell_OPTIONS);

static gt_Status simple_rnn_cell_create(gt_Layer *layer)
{
    const gt_SimpleRNNCell_options *options = &((const SimpleRNNCell *)layer)->options;
    const gt_CellView view = GT_CELL_VIEW(options, options->units, GATES);
    return gt_cell_create(layer, &view);
}

static gt_Status simple_rnn_cell_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    SimpleRNNCell *self = (SimpleRNNCell *)layer;
    const gt_SimpleRNNCell_options *options = &self->options;
    const gt_CellView view = GT_CELL_VIEW(options, options->units, GATES);
    return gt_cell_build(layer, &view, in, gt_shape(options->units), false, &self->cell.weights);
}

static gt_Tensor *simple_rnn_cell_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const SimpleRNNCell *self = (const SimpleRNNCell *)layer;
    const gt_CellTensors weights = gt_cell_tensors(&self->cell.weights);
    gt_CellMasks masks;
    if (gt_cell_step(&self->cell, in, &masks) != GT_OK)
        return NULL;
    in->outputs[1] =
        gt_simple_rnn_cell(gt_widened(in->x), in->inputs[1], weights.kernel, weights.recurrent,
                           weights.bias, .activation = self->options.activation,
                           .dropout_mask = masks.of_x, .recurrent_dropout_mask = masks.of_h);
    return in->outputs[1];
}

static int32_t simple_rnn_cell_states(const gt_Layer *layer, gt_Shape *shapes)
{
    shapes[0] = gt_shape(((const SimpleRNNCell *)layer)->options.units);
    return 1;
}

const gt_LayerClass gt_layer_class_simple_rnn_cell = {
    GT_LAYER_RECORD("simple_rnn_cell", "SimpleRNNCell", SimpleRNNCell,
                    "one step of a simple recurrent network"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_FLOAT32,
    .options = &gt_SimpleRNNCell_options_type,
    .create = simple_rnn_cell_create,
    .build = simple_rnn_cell_build,
    .call = simple_rnn_cell_call,
    .destroy = gt_cell_destroy,
    .states = simple_rnn_cell_states,
    .ports = GT_PORTS({"inputs", 0, 2, 2}, {"h", 0, 2, 2}),
    .outputs = 2,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_SimpleRNNCell, .units = 2),
         .keras = "SimpleRNNCell(2) @ call(x[0], states=[x[1]])",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(3, 4), GT_ANY(3, 2)),
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_SimpleRNNCell, .units = 3, .activation = gt_softsign,
                                     .use_bias = false, .dropout = 0.3, .recurrent_dropout = 0.2,
                                     .seed = 5),
         .keras = "SimpleRNNCell(3, activation='softsign', use_bias=False, "
                  "dropout=0.3, recurrent_dropout=0.2, seed=5) "
                  "@ (layer.reset_dropout_mask(), layer.reset_recurrent_dropout_mask(), "
                  "call(x[0], states=[x[1]]))[2]",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(2, 2), GT_ANY(2, 3)),
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(2, 3)}),
};

gt_Layer *gt_SimpleRNNCell_at(const char *here, const gt_SimpleRNNCell_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_simple_rnn_cell, options);
}

/* ---- the layer ---- */

typedef struct SimpleRNN {
    gt_Layer base;
    gt_SimpleRNN_options options;
    gt_CellWeights weights;
    gt_States states;
} SimpleRNN;

GT_OPTION_TYPE(gt_SimpleRNN_options, gt_SimpleRNN_OPTIONS);

static gt_Status simple_rnn_create(gt_Layer *layer)
{
    const gt_SimpleRNN_options *options = &((const SimpleRNN *)layer)->options;
    const gt_CellView view = GT_CELL_VIEW(options, options->units, GATES);
    return gt_cell_check(&view);
}

static gt_Status simple_rnn_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    SimpleRNN *self = (SimpleRNN *)layer;
    const gt_SimpleRNN_options *options = &self->options;
    const gt_CellView view = GT_CELL_VIEW(options, options->units, GATES);
    self->states = (gt_States){1, options->return_state, options->stateful,
                               .shape = {gt_shape(options->units)}};
    if (gt_cell_build(layer, &view, in, gt_shape(options->units), false, &self->weights) != GT_OK ||
        gt_states_build(layer, &self->states, in) != GT_OK)
        return gt_status();
    return gt_set_input_spec(layer, 0, .rank = 3, .dim = gt_last(in->shape));
}

static gt_Tensor *simple_rnn_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const SimpleRNN *self = (const SimpleRNN *)layer;
    const gt_SimpleRNN_options *options = &self->options;
    const gt_CellTensors weights = gt_cell_tensors(&self->weights);
    gt_Tensor *initial[1] = {NULL}, *last[1];
    gt_CellMasks masks;
    if (gt_states_begin(&self->states, in, initial) != GT_OK ||
        gt_cell_masks(&self->weights, in->training, in->x, &masks) != GT_OK)
        return NULL;
    gt_Tensor *y = gt_simple_rnn(gt_widened(in->x), weights.kernel, weights.recurrent, weights.bias,
                                 .return_sequences = options->return_sequences,
                                 .go_backwards = options->go_backwards, .mask = in->mask,
                                 .zero_output_for_mask = options->zero_output_for_mask,
                                 .unroll = options->unroll, .initial_h = initial[0],
                                 .final_h = &last[0], .activation = options->activation,
                                 .dropout_mask = masks.of_x, .recurrent_dropout_mask = masks.of_h);
    return gt_states_end(&self->states, in, last) == GT_OK ? y : NULL;
}

static gt_Tensor *simple_rnn_mask(gt_Layer *layer, const gt_CallArgs *in)
{
    return ((const SimpleRNN *)layer)->options.return_sequences ? in->mask : NULL;
}

const gt_LayerClass gt_layer_class_simple_rnn = {
    GT_LAYER_RECORD("simple_rnn", "SimpleRNN", SimpleRNN,
                    "a simple recurrent network over sequences"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_FLOAT32,
    .options = &gt_SimpleRNN_options_type,
    .create = simple_rnn_create,
    .build = simple_rnn_build,
    .call = simple_rnn_call,
    .mask = simple_rnn_mask,
    .ports = GT_PORTS({"sequences", 0, 3, 3}, {"initial_h", GT_PORT_OPTIONAL, 2, 2}),
    .outputs = 2,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_SimpleRNN, .units = 2),
         .keras = "SimpleRNN(2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4)),
         .output = GT_SAMPLE_SHAPE(2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_SimpleRNN, .units = 3, .activation = gt_softsign,
                                     .return_sequences = true, .return_state = true,
                                     .go_backwards = true, .unroll = true),
         .keras = "SimpleRNN(3, activation='softsign', "
                  "return_sequences=True, return_state=True, go_backwards=True, unroll=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 2)),
         .masks = 1,
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(2, 4, 3)},
        {.options =
             GT_LAYER_OPTIONS(gt_SimpleRNN, .units = 2, .use_bias = false, .return_sequences = true,
                              .return_state = true, .zero_output_for_mask = true),
         .keras = "SimpleRNN(2, use_bias=False, return_sequences=True, return_state=True, "
                  "zero_output_for_mask=True) @ call(x[0], initial_state=[x[1]], mask=m[0])",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(3, 3, 2), GT_ANY(3, 2)),
         .masks = 1,
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(3, 3, 2)},
        {.options =
             GT_LAYER_OPTIONS(gt_SimpleRNN, .units = 2, .stateful = true, .return_state = true),
         .keras = "SimpleRNN(2, stateful=True, return_state=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_SimpleRNN, .units = 2, .dropout = 0.4, .seed = 3),
         .keras = "SimpleRNN(2, dropout=0.4, seed=3)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(2, 2)},
        {.options =
             GT_LAYER_OPTIONS(gt_SimpleRNN, .units = 2, .dropout = 0.25, .recurrent_dropout = 0.5),
         .keras = "SimpleRNN(2, dropout=0.25, recurrent_dropout=0.5)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(2, 2)}),
};

gt_Layer *gt_SimpleRNN_at(const char *here, const gt_SimpleRNN_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_simple_rnn, options);
}
