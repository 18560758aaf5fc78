/* RNN and StackedRNNCells. The loop is gt_rnn's; here a cell is called as a layer inside of it. */
#include "layers/recurrent/rnn.h"
#include "layers/recurrent/cell.h"
#include "layers/recurrent/gru.h"
#include "layers/recurrent/lstm.h"
#include "layers/recurrent/simple_rnn.h"
#include "ops/nn/recurrent.h"

#include <string.h>

/* How many states the layer has as a cell, and their shapes; -1 with an error raised: it is no cell. */
static int states_of(const gt_Layer *cell, gt_Shape shapes[GT_STATES])
{
    gt_Shape some[64];
    if (!cell)
        return gt_fail(GT_INVALID, "the cell is NULL"), -1;
    const gt_LayerClass *type = cell->type;
    if (!GT_CLASS_HAS(type, states) || !type->states)
        return gt_fail(GT_INVALID, "%s is not a cell: its class has no states", type->name), -1;
    int count = type->states(cell, some);
    if (count < 0 && gt_status() != GT_OK)
        return -1;
    if (count < 1 || count > GT_STATES)
        return gt_fail(GT_INVALID, "a cell must have 1 to %d states (%s has %d)", GT_STATES,
                       type->name, count),
               -1;
    memcpy(shapes, some, (size_t)count * sizeof *shapes);
    return count;
}

/* One step of a cell: made[0] is the output, the next states follow. */
static gt_Status step(gt_Layer *cell, gt_Tensor *x, gt_Tensor *const *states, int count,
                      gt_Tensor **made)
{
    gt_Tensor **to[GT_STATES + 1];
    for (int i = 0; i < count; i++)
        to[i] = &made[1 + i];
    to[count] = GT_LIST_END;
    const gt_Outputs outputs = {to};
    made[0] = gt_call(cell, x, .more = ((gt_Tensors){states, count}), .outputs = outputs);
    return gt_status();
}

/* The spec of one step, (batch, shape...). */
static gt_Spec row_spec(gt_DType dtype, int64_t batch, const int64_t *dims, int rank)
{
    gt_Spec spec = {.dtype = dtype, .rank = rank + 1};
    spec.dims[0] = batch;
    memcpy(spec.dims + 1, dims, (size_t)rank * sizeof *dims);
    return spec;
}

/* Builds a cell for the steps of x (batch, time, ...). */
static gt_Status build_cell(gt_Layer *cell, const gt_Spec *x, const gt_States *states,
                            gt_DType dtype)
{
    gt_Spec inputs[1 + GT_STATES] = {row_spec(dtype, x->dims[0], x->dims + 2, x->rank - 2)};
    for (int i = 0; i < states->count; i++)
        inputs[1 + i] = row_spec(dtype, x->dims[0], states->shape[i].dims, states->shape[i].rank);
    return gt_build_for(cell, 1 + states->count, inputs);
}

/* ---- RNN ---- */

typedef struct RNN {
    gt_Layer base;
    gt_RNN_options options;
    gt_States states;
    gt_DType dtype; /* of states */
} RNN;

GT_OPTION_TYPE(gt_RNN_options, gt_RNN_OPTIONS);

static gt_Status rnn_create(gt_Layer *layer)
{
    RNN *self = (RNN *)layer;
    const gt_RNN_options *options = &self->options;
    self->states.count = states_of(options->cell, self->states.shape);
    self->states.returned = options->return_state;
    self->states.stateful = options->stateful;
    gt_set_input_spec(layer, 0, .min_rank = 3);
    return gt_status();
}

static gt_Status rnn_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    RNN *self = (RNN *)layer;
    self->dtype = gt_half_type(in->dtype) < 0 ? in->dtype : GT_FLOAT32;
    if (build_cell(self->options.cell, &in->inputs[0], &self->states, self->dtype) != GT_OK)
        return gt_status();
    return gt_states_build(layer, &self->states, in);
}

/* (x_t, states) -> (output, states) */
static gt_Status body(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const RNN *self = context;
    return step(self->options.cell, inputs[0], inputs + 1, self->states.count, outputs);
}

static gt_Tensor *rnn_call(gt_Layer *layer, const gt_CallArgs *in)
{
    RNN *self = (RNN *)layer;
    const gt_RNN_options *options = &self->options;
    gt_Tensor *initial[GT_STATES] = {NULL}, *last[GT_STATES], *y = NULL;
    int count = self->states.count;
    if (gt_states_begin(&self->states, in, initial) != GT_OK)
        return NULL;
    for (int i = 0; i < count; i++)
        if (!initial[i])
            initial[i] = gt_zero_rows(in->x, self->states.shape[i], self->dtype);
    if (gt_cells_hold(options->cell, in->training, in->x) == GT_OK)
        y = gt_rnn(body, self, gt_widened(in->x), ((gt_Tensors){initial, count}),
                   .return_sequences = options->return_sequences,
                   .go_backwards = options->go_backwards, .mask = in->mask,
                   .zero_output_for_mask = options->zero_output_for_mask, .unroll = options->unroll,
                   .final_states = last);
    gt_cells_release(options->cell);
    return gt_states_end(&self->states, in, last) == GT_OK ? y : NULL;
}

static gt_Tensor *rnn_mask(gt_Layer *layer, const gt_CallArgs *in)
{
    return ((const RNN *)layer)->options.return_sequences ? in->mask : NULL;
}

static gt_Layer *sample_of_gru(void)
{
    return gt_RNN(gt_GRUCell(2, .activation = gt_softsign));
}

static gt_Layer *sample_of_lstm(void)
{
    return gt_RNN(gt_LSTMCell(3), .return_sequences = true, .return_state = true,
                  .go_backwards = true, .zero_output_for_mask = true);
}

static gt_Layer *sample_of_stack(void)
{
    return gt_RNN(gt_StackedRNNCells(gt_layers(gt_LSTMCell(3), gt_SimpleRNNCell(2))),
                  .return_sequences = true, .return_state = true, .unroll = true);
}

static gt_Layer *sample_with_state(void)
{
    return gt_RNN(gt_SimpleRNNCell(2), .stateful = true, .return_state = true);
}

static gt_Layer *sample_with_dropout(void)
{
    return gt_RNN(gt_StackedRNNCells(
        gt_layers(gt_SimpleRNNCell(3, .recurrent_dropout = 0.3), gt_GRUCell(2, .dropout = 0.5))));
}

const gt_LayerClass gt_layer_class_rnn = {
    GT_LAYER_RECORD("rnn", "RNN", RNN, "any cell over sequences"),
    .flags = GT_LAYER_FLOAT32,
    .options = &gt_RNN_options_type,
    .create = rnn_create,
    .build = rnn_build,
    .call = rnn_call,
    .mask = rnn_mask,
    .ports =
        GT_PORTS({"sequences", 0, 0, 0}, {"initial_state", GT_PORT_OPTIONAL | GT_PORT_MANY, 0, 0}),
    .outputs = 1 + GT_STATES,
    .samples = GT_LAYER_SAMPLES(
        {.make = sample_of_gru,
         .keras = "RNN(GRUCell(2, activation='softsign'))",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 2)},
        {.make = sample_of_lstm,
         .keras = "RNN(LSTMCell(3), return_sequences=True, return_state=True, go_backwards=True, "
                  "zero_output_for_mask=True) "
                  "@ call(x[0], initial_state=[x[1], x[2]], mask=m[0])",
         .inputs = 3,
         .input = GT_INPUTS(GT_ANY(2, 4, 2), GT_ANY(2, 3), GT_ANY(2, 3)),
         .masks = 1,
         .outputs = 3,
         .output = GT_SAMPLE_SHAPE(2, 4, 3)},
        {.make = sample_of_stack,
         .keras = "RNN(StackedRNNCells([LSTMCell(3), SimpleRNNCell(2)]), return_sequences=True, "
                  "return_state=True, unroll=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .masks = 1,
         .outputs = 4,
         .output = GT_SAMPLE_SHAPE(2, 3, 2)},
        {.make = sample_with_state,
         .keras = "RNN(SimpleRNNCell(2), stateful=True, return_state=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(2, 2)},
        {.make = sample_with_dropout,
         .keras = "RNN(StackedRNNCells([SimpleRNNCell(3, recurrent_dropout=0.3), "
                  "GRUCell(2, dropout=0.5)]))",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(2, 2)}),
};

gt_Layer *gt_RNN_at(const char *here, const gt_RNN_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_rnn, options);
}

int gt_state_count(const gt_Layer *layer)
{
    return layer->type == &gt_layer_class_rnn ? ((const RNN *)layer)->states.count
                                              : layer->type->outputs - 1;
}

/* ---- cells one on top of the other ---- */

typedef struct StackedRNNCells {
    gt_Layer base;
    gt_StackedRNNCells_options options;
} StackedRNNCells;

GT_OPTION_TYPE(gt_StackedRNNCells_options, gt_StackedRNNCells_OPTIONS);

static int32_t stacked_states(const gt_Layer *layer, gt_Shape *shapes)
{
    const gt_Layers *cells = &((const StackedRNNCells *)layer)->options.cells;
    int32_t count = 0;
    for (int i = 0; cells->items[i] != GT_LIST_END; i++) {
        gt_Shape some[GT_STATES];
        int more = states_of(cells->items[i], some);
        if (more < 0)
            return -1;
        if (count + more > GT_STATES)
            return gt_fail(GT_INVALID, "the cells have more than %d states together", GT_STATES),
                   -1;
        memcpy(shapes + count, some, (size_t)more * sizeof *shapes);
        count += more;
    }
    return count;
}

static gt_Status stacked_create(gt_Layer *layer)
{
    const gt_Layers *cells = &((const StackedRNNCells *)layer)->options.cells;
    gt_Shape shapes[GT_STATES];
    if (!cells->items || cells->items[0] == GT_LIST_END)
        return gt_fail(GT_INVALID, "cells must have at least one cell: gt_layers(a, b)");
    stacked_states(layer, shapes);
    return gt_status();
}

static gt_Tensor *stacked_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_Layers *cells = &((const StackedRNNCells *)layer)->options.cells;
    gt_Tensor *made[1 + GT_STATES] = {in->x}; /* a cell writes its states behind its output */
    gt_Shape shapes[GT_STATES];
    int first = 0;
    for (int i = 0; cells->items[i] != GT_LIST_END; i++) {
        int count = states_of(cells->items[i], shapes);
        if (first + count > in->count - 1)
            return gt_fail(GT_INVALID, "it needs all states of its cells (got %d)", in->count - 1),
                   NULL;
        if (step(cells->items[i], made[0], in->inputs + 1 + first, count, made) != GT_OK)
            return NULL;
        memcpy(in->outputs + 1 + first, made + 1, (size_t)count * sizeof *made);
        first += count;
    }
    return made[0];
}

static gt_Layer *sample_of_cells(void)
{
    return gt_StackedRNNCells(gt_layers(gt_SimpleRNNCell(3), gt_LSTMCell(2)));
}

const gt_LayerClass gt_layer_class_stacked_rnn_cells = {
    GT_LAYER_RECORD("stacked_rnn_cells", "StackedRNNCells", StackedRNNCells,
                    "cells one on top of the other, as one cell"),
    .options = &gt_StackedRNNCells_options_type,
    .create = stacked_create,
    .call = stacked_call,
    .states = stacked_states,
    .ports = GT_PORTS({"inputs", 0, 0, 0}, {"states", GT_PORT_MANY, 0, 0}),
    .outputs = 1 + GT_STATES,
    .samples = GT_LAYER_SAMPLES(
        {.make = sample_of_cells,
         .keras = "StackedRNNCells([SimpleRNNCell(3), LSTMCell(2)]) "
                  "@ call(x[0], states=[[x[1]], [x[2], x[3]]])",
         .inputs = 4,
         .input = GT_INPUTS(GT_ANY(2, 2), GT_ANY(2, 3), GT_ANY(2, 2), GT_ANY(2, 2)),
         .outputs = 4,
         .output = GT_SAMPLE_SHAPE(2, 2)}),
};

gt_Layer *gt_StackedRNNCells_at(const char *here, const gt_StackedRNNCells_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_stacked_rnn_cells, options);
}
