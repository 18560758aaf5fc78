/* LSTM and LSTMCell: weights, states and masks around gt_lstm and gt_lstm_cell. */
#include "layers/recurrent/lstm.h"
#include "layers/recurrent/cell.h"
#include "ops/nn/recurrent.h"

#include <string.h>

enum { GATES = 4 };

/* ---- the cell ---- */

typedef struct LSTMCell {
    gt_Cell cell;
    gt_LSTMCell_options options;
} LSTMCell;

GT_OPTION_TYPE(gt_LSTMCell_options, gt_LSTMCell_OPTIONS);

static gt_Status lstm_cell_create(gt_Layer *layer)
{
    const gt_LSTMCell_options *options = &((const LSTMCell *)layer)->options;
    const gt_CellView view = GT_CELL_VIEW(options, options->units, GATES);
    return gt_cell_create(layer, &view);
}

static gt_Status lstm_cell_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    LSTMCell *self = (LSTMCell *)layer;
    const gt_LSTMCell_options *options = &self->options;
    const gt_CellView view = GT_CELL_VIEW(options, options->units, GATES);
    return gt_cell_build(layer, &view, in, gt_shape(GATES * options->units),
                         options->unit_forget_bias, &self->cell.weights);
}

static gt_Tensor *lstm_cell_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const LSTMCell *self = (const LSTMCell *)layer;
    const gt_CellTensors weights = gt_cell_tensors(&self->cell.weights);
    gt_CellMasks masks;
    if (gt_cell_step(&self->cell, in, &masks) != GT_OK)
        return NULL;
    gt_LSTMState next =
        gt_lstm_cell(gt_widened(in->x), in->inputs[1], in->inputs[2], weights.kernel,
                     weights.recurrent, weights.bias, .activation = self->options.activation,
                     .recurrent_activation = self->options.recurrent_activation,
                     .dropout_mask = masks.of_x, .recurrent_dropout_mask = masks.of_h);
    in->outputs[1] = next.h;
    in->outputs[2] = next.c;
    return next.h;
}

static int32_t lstm_cell_states(const gt_Layer *layer, gt_Shape *shapes)
{
    shapes[0] = shapes[1] = gt_shape(((const LSTMCell *)layer)->options.units);
    return 2;
}

const gt_LayerClass gt_layer_class_lstm_cell = {
    GT_LAYER_RECORD("lstm_cell", "LSTMCell", LSTMCell, "one step of an LSTM"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_FLOAT32,
    .options = &gt_LSTMCell_options_type,
    .create = lstm_cell_create,
    .build = lstm_cell_build,
    .call = lstm_cell_call,
    .destroy = gt_cell_destroy,
    .states = lstm_cell_states,
    .ports = GT_PORTS({"inputs", 0, 2, 2}, {"h", 0, 2, 2}, {"c", 0, 2, 2}),
    .outputs = 3,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_LSTMCell, .units = 2),
         .keras = "LSTMCell(2) @ call(x[0], states=[x[1], x[2]])",
         .inputs = 3,
         .input = GT_INPUTS(GT_ANY(3, 4), GT_ANY(3, 2), GT_ANY(3, 2)),
         .outputs = 3,
         .output = GT_SAMPLE_SHAPE(3, 2)},
        {.options =
             GT_LAYER_OPTIONS(gt_LSTMCell, .units = 3, .activation = gt_softsign,
                              .recurrent_activation = gt_tanh, .use_bias = false, .dropout = 0.3,
                              .recurrent_dropout = 0.2, .seed = 5, .unit_forget_bias = false),
         .keras = "LSTMCell(3, activation='softsign', recurrent_activation='tanh', use_bias=False, "
                  "dropout=0.3, recurrent_dropout=0.2, seed=5, unit_forget_bias=False) "
                  "@ (layer.reset_dropout_mask(), layer.reset_recurrent_dropout_mask(), "
                  "call(x[0], states=[x[1], x[2]]))[2]",
         .inputs = 3,
         .input = GT_INPUTS(GT_ANY(2, 2), GT_ANY(2, 3), GT_ANY(2, 3)),
         .outputs = 3,
         .output = GT_SAMPLE_SHAPE(2, 3)}),
};

gt_Layer *gt_LSTMCell_at(const char *here, const gt_LSTMCell_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_lstm_cell, options);
}

/* ---- the layer ---- */

typedef struct LSTM {
    gt_Layer base;
    gt_LSTM_options options;
    gt_CellWeights weights;
    gt_States states;
} LSTM;

GT_OPTION_TYPE(gt_LSTM_options, gt_LSTM_OPTIONS);

static gt_Status lstm_create(gt_Layer *layer)
{
    const gt_LSTM_options *options = &((const LSTM *)layer)->options;
    const gt_CellView view = GT_CELL_VIEW(options, options->units, GATES);
    return gt_cell_check(&view);
}

static gt_Status lstm_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    LSTM *self = (LSTM *)layer;
    const gt_LSTM_options *options = &self->options;
    const gt_CellView view = GT_CELL_VIEW(options, options->units, GATES);
    self->states = (gt_States){2, options->return_state, options->stateful,
                               .shape = {gt_shape(options->units), gt_shape(options->units)}};
    if (gt_cell_build(layer, &view, in, gt_shape(GATES * options->units), options->unit_forget_bias,
                      &self->weights) != GT_OK ||
        gt_states_build(layer, &self->states, in) != GT_OK)
        return gt_status();
    return gt_set_input_spec(layer, 0, .rank = 3, .dim = gt_last(in->shape));
}

static gt_Tensor *lstm_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const LSTM *self = (const LSTM *)layer;
    const gt_LSTM_options *options = &self->options;
    const gt_CellTensors weights = gt_cell_tensors(&self->weights);
    gt_Tensor *initial[2] = {NULL, NULL}, *last[2];
    gt_CellMasks masks;
    if (gt_states_begin(&self->states, in, initial) != GT_OK ||
        gt_cell_masks(&self->weights, in->training, in->x, &masks) != GT_OK)
        return NULL;
    gt_Tensor *y = gt_lstm(
        gt_widened(in->x), weights.kernel, weights.recurrent, weights.bias,
        .return_sequences = options->return_sequences, .go_backwards = options->go_backwards,
        .mask = in->mask, .zero_output_for_mask = options->zero_output_for_mask,
        .unroll = options->unroll, .initial_h = initial[0], .initial_c = initial[1],
        .final_h = &last[0], .final_c = &last[1], .activation = options->activation,
        .recurrent_activation = options->recurrent_activation, .dropout_mask = masks.of_x,
        .recurrent_dropout_mask = masks.of_h);
    return gt_states_end(&self->states, in, last) == GT_OK ? y : NULL;
}

static gt_Tensor *lstm_mask(gt_Layer *layer, const gt_CallArgs *in)
{
    return ((const LSTM *)layer)->options.return_sequences ? in->mask : NULL;
}

const gt_LayerClass gt_layer_class_lstm = {
    GT_LAYER_RECORD("lstm", "LSTM", LSTM, "long short-term memory over sequences"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_FLOAT32,
    .options = &gt_LSTM_options_type,
    .create = lstm_create,
    .build = lstm_build,
    .call = lstm_call,
    .mask = lstm_mask,
    .ports = GT_PORTS({"sequences", 0, 3, 3}, {"initial_h", GT_PORT_OPTIONAL, 2, 2},
                      {"initial_c", GT_PORT_OPTIONAL, 2, 2}),
    .outputs = 3,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_LSTM, .units = 2),
         .keras = "LSTM(2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4)),
         .output = GT_SAMPLE_SHAPE(2, 2)},
        {.options =
             GT_LAYER_OPTIONS(gt_LSTM, .units = 3, .activation = gt_softsign,
                              .recurrent_activation = gt_hard_sigmoid, .return_sequences = true,
                              .return_state = true, .go_backwards = true, .unroll = true),
         .keras = "LSTM(3, activation='softsign', recurrent_activation='hard_sigmoid', "
                  "return_sequences=True, return_state=True, go_backwards=True, unroll=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 2)),
         .masks = 1,
         .outputs = 3,
         .output = GT_SAMPLE_SHAPE(2, 4, 3)},
        {.options = GT_LAYER_OPTIONS(gt_LSTM, .units = 2, .use_bias = false,
                                     .unit_forget_bias = false, .return_sequences = true,
                                     .return_state = true, .zero_output_for_mask = true),
         .keras = "LSTM(2, use_bias=False, unit_forget_bias=False, return_sequences=True, "
                  "return_state=True, zero_output_for_mask=True) "
                  "@ call(x[0], initial_state=[x[1], x[2]], mask=m[0])",
         .inputs = 3,
         .input = GT_INPUTS(GT_ANY(3, 3, 2), GT_ANY(3, 2), GT_ANY(3, 2)),
         .masks = 1,
         .outputs = 3,
         .output = GT_SAMPLE_SHAPE(3, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_LSTM, .units = 2, .stateful = true, .return_state = true),
         .keras = "LSTM(2, stateful=True, return_state=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .outputs = 3,
         .output = GT_SAMPLE_SHAPE(2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_LSTM, .units = 2, .unit_forget_bias = false, .dropout = 0.4,
                                     .seed = 3),
         .keras = "LSTM(2, unit_forget_bias=False, dropout=0.4, seed=3)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(2, 2)},
        {.options =
             GT_LAYER_OPTIONS(gt_LSTM, .units = 2, .dropout = 0.25, .recurrent_dropout = 0.5),
         .keras = "LSTM(2, dropout=0.25, recurrent_dropout=0.5)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(2, 2)}),
};

gt_Layer *gt_LSTM_at(const char *here, const gt_LSTM_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_lstm, options);
}
