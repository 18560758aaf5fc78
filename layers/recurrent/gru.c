/* GRU and GRUCell: weights, states and masks around gt_gru and gt_gru_cell. */
#include "layers/recurrent/gru.h"
#include "layers/recurrent/cell.h"
#include "ops/nn/recurrent.h"

enum { GATES = 3 };

static gt_Shape bias_shape(int64_t units, bool reset_after)
{
    return reset_after ? gt_shape(2, GATES * units) : gt_shape(GATES * units);
}

/* ---- the cell ---- */

typedef struct GRUCell {
    gt_Cell cell;
    gt_GRUCell_options options;
} GRUCell;

GT_OPTION_TYPE(gt_GRUCell_options, gt_GRUCell_OPTIONS);

static gt_Status gru_cell_create(gt_Layer *layer)
{
    const gt_GRUCell_options *options = &((const GRUCell *)layer)->options;
    const gt_CellView view = GT_CELL_VIEW(options, options->units, GATES);
    return gt_cell_create(layer, &view);
}

static gt_Status gru_cell_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    GRUCell *self = (GRUCell *)layer;
    const gt_GRUCell_options *options = &self->options;
    const gt_CellView view = GT_CELL_VIEW(options, options->units, GATES);
    return gt_cell_build(layer, &view, in, bias_shape(options->units, options->reset_after), false,
                         &self->cell.weights);
}

static gt_Tensor *gru_cell_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const GRUCell *self = (const GRUCell *)layer;
    const gt_CellTensors weights = gt_cell_tensors(&self->cell.weights);
    gt_CellMasks masks;
    if (gt_cell_step(&self->cell, in, &masks) != GT_OK)
        return NULL;
    in->outputs[1] = gt_gru_cell(
        gt_widened(in->x), in->inputs[1], weights.kernel, weights.recurrent, weights.bias,
        .reset_after = self->options.reset_after, .activation = self->options.activation,
        .recurrent_activation = self->options.recurrent_activation, .dropout_mask = masks.of_x,
        .recurrent_dropout_mask = masks.of_h);
    return in->outputs[1];
}

static int32_t gru_cell_states(const gt_Layer *layer, gt_Shape *shapes)
{
    shapes[0] = gt_shape(((const GRUCell *)layer)->options.units);
    return 1;
}

const gt_LayerClass gt_layer_class_gru_cell = {
    GT_LAYER_RECORD("gru_cell", "GRUCell", GRUCell, "one step of a GRU"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_FLOAT32,
    .options = &gt_GRUCell_options_type,
    .create = gru_cell_create,
    .build = gru_cell_build,
    .call = gru_cell_call,
    .destroy = gt_cell_destroy,
    .states = gru_cell_states,
    .ports = GT_PORTS({"inputs", 0, 2, 2}, {"h", 0, 2, 2}),
    .outputs = 2,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_GRUCell, .units = 2),
         .keras = "GRUCell(2) @ call(x[0], states=[x[1]])",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(3, 4), GT_ANY(3, 2)),
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_GRUCell, .units = 3, .activation = gt_softsign,
                                     .recurrent_activation = gt_tanh, .use_bias = false,
                                     .reset_after = false, .dropout = 0.3, .recurrent_dropout = 0.2,
                                     .seed = 5),
         .keras = "GRUCell(3, activation='softsign', recurrent_activation='tanh', use_bias=False, "
                  "reset_after=False, dropout=0.3, recurrent_dropout=0.2, seed=5) "
                  "@ (layer.reset_dropout_mask(), layer.reset_recurrent_dropout_mask(), "
                  "call(x[0], states=[x[1]]))[2]",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(2, 2), GT_ANY(2, 3)),
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(2, 3)}),
};

gt_Layer *gt_GRUCell_at(const char *here, const gt_GRUCell_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_gru_cell, options);
}

/* ---- the layer ---- */

typedef struct GRU {
    gt_Layer base;
    gt_GRU_options options;
    gt_CellWeights weights;
    gt_States states;
} GRU;

GT_OPTION_TYPE(gt_GRU_options, gt_GRU_OPTIONS);

static gt_Status gru_create(gt_Layer *layer)
{
    const gt_GRU_options *options = &((const GRU *)layer)->options;
    const gt_CellView view = GT_CELL_VIEW(options, options->units, GATES);
    return gt_cell_check(&view);
}

static gt_Status gru_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    GRU *self = (GRU *)layer;
    const gt_GRU_options *options = &self->options;
    const gt_CellView view = GT_CELL_VIEW(options, options->units, GATES);
    self->states = (gt_States){1, options->return_state, options->stateful,
                               .shape = {gt_shape(options->units)}};
    if (gt_cell_build(layer, &view, in, bias_shape(options->units, options->reset_after), false,
                      &self->weights) != GT_OK ||
        gt_states_build(layer, &self->states, in) != GT_OK)
        return gt_status();
    return gt_set_input_spec(layer, 0, .rank = 3, .dim = gt_last(in->shape));
}

static gt_Tensor *gru_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const GRU *self = (const GRU *)layer;
    const gt_GRU_options *options = &self->options;
    const gt_CellTensors weights = gt_cell_tensors(&self->weights);
    gt_Tensor *initial[1] = {NULL}, *last[1];
    gt_CellMasks masks;
    if (gt_states_begin(&self->states, in, initial) != GT_OK ||
        gt_cell_masks(&self->weights, in->training, in->x, &masks) != GT_OK)
        return NULL;
    gt_Tensor *y =
        gt_gru(gt_widened(in->x), weights.kernel, weights.recurrent, weights.bias,
               .return_sequences = options->return_sequences, .go_backwards = options->go_backwards,
               .mask = in->mask, .zero_output_for_mask = options->zero_output_for_mask,
               .unroll = options->unroll, .initial_h = initial[0], .final_h = &last[0],
               .reset_after = options->reset_after, .activation = options->activation,
               .recurrent_activation = options->recurrent_activation, .dropout_mask = masks.of_x,
               .recurrent_dropout_mask = masks.of_h);
    return gt_states_end(&self->states, in, last) == GT_OK ? y : NULL;
}

static gt_Tensor *gru_mask(gt_Layer *layer, const gt_CallArgs *in)
{
    return ((const GRU *)layer)->options.return_sequences ? in->mask : NULL;
}

const gt_LayerClass gt_layer_class_gru = {
    GT_LAYER_RECORD("gru", "GRU", GRU, "gated recurrent units over sequences"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_FLOAT32,
    .options = &gt_GRU_options_type,
    .create = gru_create,
    .build = gru_build,
    .call = gru_call,
    .mask = gru_mask,
    .ports = GT_PORTS({"sequences", 0, 3, 3}, {"initial_h", GT_PORT_OPTIONAL, 2, 2}),
    .outputs = 2,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_GRU, .units = 2),
         .keras = "GRU(2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4)),
         .output = GT_SAMPLE_SHAPE(2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_GRU, .units = 3, .activation = gt_softsign,
                                     .recurrent_activation = gt_hard_sigmoid,
                                     .return_sequences = true, .return_state = true,
                                     .go_backwards = true, .unroll = true, .reset_after = false),
         .keras = "GRU(3, activation='softsign', recurrent_activation='hard_sigmoid', "
                  "return_sequences=True, return_state=True, go_backwards=True, unroll=True, "
                  "reset_after=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 2)),
         .masks = 1,
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(2, 4, 3)},
        {.options =
             GT_LAYER_OPTIONS(gt_GRU, .units = 2, .use_bias = false, .return_sequences = true,
                              .return_state = true, .zero_output_for_mask = true),
         .keras = "GRU(2, use_bias=False, return_sequences=True, return_state=True, "
                  "zero_output_for_mask=True) @ call(x[0], initial_state=[x[1]], mask=m[0])",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(3, 3, 2), GT_ANY(3, 2)),
         .masks = 1,
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(3, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_GRU, .units = 2, .stateful = true, .return_state = true),
         .keras = "GRU(2, stateful=True, return_state=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_GRU, .units = 2, .dropout = 0.4, .seed = 3),
         .keras = "GRU(2, dropout=0.4, seed=3)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_GRU, .units = 2, .dropout = 0.25, .recurrent_dropout = 0.5,
                                     .reset_after = false),
         .keras = "GRU(2, dropout=0.25, recurrent_dropout=0.5, reset_after=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(2, 2)}),
};

gt_Layer *gt_GRU_at(const char *here, const gt_GRU_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_gru, options);
}
