/* ConvLSTM1D, 2D, 3D: one step of convolutions in the loop of gt_rnn. The three classes share all functions; the
 * rank of the first port says how many spatial axes there are. */
#include "layers/recurrent/conv_lstm.h"
#include "layers/recurrent/cell.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/math/arithmetic.h"
#include "ops/math/random.h"
#include "ops/nn/recurrent.h"

enum { GATES = 4, IN = 0, FORGET, NEW, OUT };

typedef struct ConvLSTM {
    gt_Layer base;
    gt_ConvLSTM1D_options options;
    gt_CellWeights weights;
    gt_States states;
    gt_Shape size, strides, dilation; /* one number for each spatial axis */
} ConvLSTM;

GT_OPTION_TYPE(gt_ConvLSTM1D_options, gt_ConvLSTM1D_OPTIONS);

static int spatial_axes(const gt_Layer *layer)
{
    return layer->type->ports->rank_min - 3; /* besides batch, time and channels */
}

static gt_CellView view_of(const ConvLSTM *self)
{
    const gt_ConvLSTM1D_options *options = &self->options;
    gt_CellView view = GT_CELL_VIEW(options, options->filters, GATES);
    view.window = self->size;
    return view;
}

static gt_Status expand(const char *what, gt_Sizes sizes, int axes, gt_Shape *shape)
{
    *shape = (gt_Shape){.mark = GT_MARK, .rank = axes};
    return gt_sizes_expand(what, sizes, axes, 1, shape->dims);
}

static gt_Status conv_lstm_create(gt_Layer *layer)
{
    ConvLSTM *self = (ConvLSTM *)layer;
    const gt_ConvLSTM1D_options *options = &self->options;
    int axes = spatial_axes(layer);
    bool steps = false, apart = false;
    if (options->filters <= 0)
        return gt_fail(GT_INVALID, "filters must be > 0 (got %lld)", (long long)options->filters);
    if (options->filters > INT32_MAX)
        return gt_fail(GT_INVALID, "filters must be < 2^31 (got %lld)",
                       (long long)options->filters);
    if (options->padding != GT_PADDING_VALID && options->padding != GT_PADDING_SAME)
        return gt_fail(GT_INVALID, "padding must be valid or same (got %d)", (int)options->padding);
    if (expand("kernel_size", options->kernel_size, axes, &self->size) != GT_OK ||
        expand("strides", options->strides, axes, &self->strides) != GT_OK ||
        expand("dilation_rate", options->dilation_rate, axes, &self->dilation) != GT_OK)
        return gt_status();
    for (int d = 0; d < axes; d++) {
        steps = steps || self->strides.dims[d] > 1;
        apart = apart || self->dilation.dims[d] > 1;
    }
    if (steps && apart)
        return gt_fail(GT_INVALID, "strides > 1 and dilation_rate > 1 cannot both be asked for");
    const gt_CellView view = view_of(self);
    return gt_cell_check(&view);
}

/* How many positions a window has along axis d of `n` elements: see gt_conv. */
static int64_t positions(const ConvLSTM *self, int d, int64_t n)
{
    int64_t stride = self->strides.dims[d];
    int64_t reach = self->dilation.dims[d] * (self->size.dims[d] - 1) + 1;
    if (self->options.padding == GT_PADDING_VALID)
        n = n < reach ? 0 : n - reach + 1;
    return (n + stride - 1) / stride;
}

static gt_Status conv_lstm_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    ConvLSTM *self = (ConvLSTM *)layer;
    const gt_ConvLSTM1D_options *options = &self->options;
    const gt_CellView view = view_of(self);
    int axes = spatial_axes(layer);
    gt_Shape state = {.mark = GT_MARK, .rank = axes + 1};
    for (int d = 0; d < axes; d++) {
        int64_t n = gt_dim(in->shape, 2 + d);
        state.dims[d] = positions(self, d, n);
        if (n < 0)
            return gt_fail(GT_INVALID, "the spatial sizes must be known when the layer is built");
        if (state.dims[d] < 1)
            return gt_fail(GT_INVALID, "the window of %lld does not fit into %lld elements",
                           (long long)self->size.dims[d], (long long)n);
    }
    state.dims[axes] = options->filters;
    self->states =
        (gt_States){2, options->return_state, options->stateful, .shape = {state, state}};
    if (gt_cell_build(layer, &view, in, gt_shape(GATES * options->filters),
                      options->unit_forget_bias, &self->weights) != GT_OK ||
        gt_states_build(layer, &self->states, in) != GT_OK)
        return gt_status();
    return gt_set_input_spec(layer, 0, .rank = axes + 3, .dim = gt_last(in->shape));
}

/* ---- a step ---- */

typedef struct Step {
    const ConvLSTM *self;
    gt_CellTensors weights;
    gt_Tensor *masks_of_x[GATES], *masks_of_h[GATES]; /* NULL: nothing is dropped */
} Step;

/* For each gate a mask of (batch, shape...). */
static gt_Status draw_masks(const ConvLSTM *self, double rate, gt_Tensor *x, gt_Shape shape,
                            gt_Tensor *masks[GATES])
{
    for (int g = 0; g < GATES && rate > 0; g++) {
        gt_Tensor *ones = gt_add(gt_zero_rows(x, shape, gt_dtype(x)), 1);
        masks[g] = gt_dropout(ones, rate, .generator = self->weights.generator);
    }
    return gt_status();
}

/* The states have the sizes of the first call. */
static gt_Status check_sizes(const ConvLSTM *self, gt_Shape x)
{
    for (int d = 0; d < self->size.rank; d++)
        if (positions(self, d, gt_dim(x, 2 + d)) != self->states.shape[0].dims[d])
            return gt_fail(
                GT_INVALID,
                "the spatial sizes must be those that the layer was built for: axis %d is "
                "%lld, which gives %lld in place of %lld",
                2 + d, (long long)gt_dim(x, 2 + d), (long long)positions(self, d, gt_dim(x, 2 + d)),
                (long long)self->states.shape[0].dims[d]);
    return gt_status();
}

static gt_Status open_step(const ConvLSTM *self, const gt_CallArgs *in, gt_Tensor *x, Step *step)
{
    gt_Shape shape = gt_tensor_shape(x), one = {.mark = GT_MARK, .rank = shape.rank - 2};
    *step = (Step){.self = self, .weights = gt_cell_tensors(&self->weights)};
    for (int d = 0; d < one.rank; d++)
        one.dims[d] = shape.dims[2 + d];
    if (!in->training || gt_status() != GT_OK)
        return gt_status();
    draw_masks(self, self->options.dropout, x, one, step->masks_of_x);
    return draw_masks(self, self->options.recurrent_dropout, x, self->states.shape[0],
                      step->masks_of_h);
}

/* The convolution for all gates; with masks, of other inputs for each gate. */
static gt_Tensor *convolved(gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *const *masks,
                            const gt_conv_options *options)
{
    gt_Tensor *part[GATES], *y[GATES];
    if (!masks[0])
        return gt_conv_at(NULL, x, kernel, options);
    gt_split(kernel, GATES, part, .axis = -1);
    for (int g = 0; g < GATES; g++)
        y[g] = gt_conv_at(NULL, gt_multiply(x, masks[g]), part[g], options);
    return gt_concatenate(((gt_Tensors){y, GATES}), .axis = -1);
}

static gt_Tensor *through(gt_TensorFunction function, gt_Tensor *x)
{
    return function ? function(x) : x;
}

/* (x_t, h, c) -> (h, h, c) */
static gt_Status body(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const Step *step = context;
    const ConvLSTM *self = step->self;
    const gt_conv_options of_x = {GT_PRESETS(gt_conv_options, gt_conv_OPTIONS).strides =
                                      self->strides,
                                  .padding = self->options.padding, .dilation = self->dilation};
    const gt_conv_options of_h = {GT_PRESETS(gt_conv_options, gt_conv_OPTIONS).padding =
                                      GT_PADDING_SAME};
    gt_TensorFunction gate = self->options.recurrent_activation;
    gt_Tensor *part[GATES];
    gt_Tensor *z = gt_add(convolved(inputs[0], step->weights.kernel, step->masks_of_x, &of_x),
                          convolved(inputs[1], step->weights.recurrent, step->masks_of_h, &of_h));
    if (step->weights.bias)
        z = gt_add(z, step->weights.bias);
    if (gt_split(z, GATES, part, .axis = -1) != GT_OK)
        return gt_status();
    gt_Tensor *fresh =
        gt_multiply(through(gate, part[IN]), through(self->options.activation, part[NEW]));
    gt_Tensor *c = gt_add(gt_multiply(through(gate, part[FORGET]), inputs[2]), fresh);
    outputs[0] = outputs[1] =
        gt_multiply(through(gate, part[OUT]), through(self->options.activation, c));
    outputs[2] = c;
    return gt_status();
}

static gt_Tensor *conv_lstm_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const ConvLSTM *self = (const ConvLSTM *)layer;
    const gt_ConvLSTM1D_options *options = &self->options;
    gt_Tensor *initial[2] = {NULL, NULL}, *last[2], *x = gt_widened(in->x);
    Step step;
    if (gt_states_begin(&self->states, in, initial) != GT_OK ||
        check_sizes(self, gt_tensor_shape(x)) != GT_OK || open_step(self, in, x, &step) != GT_OK)
        return NULL;
    for (int i = 0; i < 2; i++)
        if (!initial[i])
            initial[i] = gt_zero_rows(x, self->states.shape[i], gt_dtype(x));
    gt_Tensor *y =
        gt_rnn(body, &step, x, ((gt_Tensors){initial, 2}),
               .return_sequences = options->return_sequences, .go_backwards = options->go_backwards,
               .mask = in->mask, .zero_output_for_mask = options->zero_output_for_mask,
               .unroll = options->unroll, .final_states = last);
    return gt_states_end(&self->states, in, last) == GT_OK ? y : NULL;
}

static gt_Tensor *conv_lstm_mask(gt_Layer *layer, const gt_CallArgs *in)
{
    return ((const ConvLSTM *)layer)->options.return_sequences ? in->mask : NULL;
}

/* ---- the classes ---- */

#define CONV_LSTM(text, name, line, axes)                                                          \
    GT_LAYER_RECORD(text, name, ConvLSTM, line),                                                   \
        .flags = GT_LAYER_RANDOM | GT_LAYER_FLOAT32, .options = &gt_ConvLSTM1D_options_type,       \
        .create = conv_lstm_create, .build = conv_lstm_build, .call = conv_lstm_call,              \
        .mask = conv_lstm_mask, .outputs = 3,                                                      \
        .ports = GT_PORTS({"sequences", 0, (axes) + 3, (axes) + 3},                                \
                          {"initial_h", GT_PORT_OPTIONAL, (axes) + 2, (axes) + 2},                 \
                          {"initial_c", GT_PORT_OPTIONAL, (axes) + 2, (axes) + 2})

static gt_Layer *conv_lstm_of_images(void)
{
    return gt_ConvLSTM2D(2, gt_sizes(2, 3), .strides = gt_sizes(1, 2), .padding = GT_PADDING_SAME);
}

const gt_LayerClass gt_layer_class_conv_lstm1d = {
    CONV_LSTM("conv_lstm1d", "ConvLSTM1D", "a convolutional LSTM over sequences of lines", 1),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_ConvLSTM1D, .filters = 2, .kernel_size = 2),
         .keras = "ConvLSTM1D(2, 2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4, 2)),
         .output = GT_SAMPLE_SHAPE(2, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_ConvLSTM1D, .filters = 2, .kernel_size = 3,
                                     .padding = GT_PADDING_SAME, .strides = 2,
                                     .activation = gt_softsign, .recurrent_activation = gt_tanh,
                                     .return_sequences = true, .return_state = true,
                                     .go_backwards = true, .unroll = true, .use_bias = false),
         .keras = "ConvLSTM1D(2, 3, padding='same', strides=2, activation='softsign', "
                  "recurrent_activation='tanh', return_sequences=True, return_state=True, "
                  "go_backwards=True, unroll=True, use_bias=False) "
                  "@ call(x[0], initial_state=[x[1], x[2]], mask=m[0])",
         .inputs = 3,
         .input = GT_INPUTS(GT_ANY(2, 3, 5, 1), GT_ANY(2, 3, 2), GT_ANY(2, 3, 2)),
         .masks = 1,
         .outputs = 3,
         .output = GT_SAMPLE_SHAPE(2, 3, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_ConvLSTM1D, .filters = 1, .kernel_size = 3,
                                     .dilation_rate = 2, .unit_forget_bias = false,
                                     .return_sequences = true, .zero_output_for_mask = true),
         .keras = "ConvLSTM1D(1, 3, dilation_rate=2, unit_forget_bias=False, "
                  "return_sequences=True, zero_output_for_mask=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 6, 1)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 2, 1)},
        {.options = GT_LAYER_OPTIONS(gt_ConvLSTM1D, .filters = 1, .kernel_size = 2,
                                     .stateful = true, .return_state = true),
         .keras = "ConvLSTM1D(1, 2, stateful=True, return_state=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 2, 3, 2)),
         .outputs = 3,
         .output = GT_SAMPLE_SHAPE(2, 2, 1)},
        {.options = GT_LAYER_OPTIONS(gt_ConvLSTM1D, .filters = 1, .kernel_size = 2, .dropout = 0.3,
                                     .recurrent_dropout = 0.2, .seed = 4),
         .keras = "ConvLSTM1D(1, 2, dropout=0.3, recurrent_dropout=0.2, seed=4)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 3, 1)),
         .output = GT_SAMPLE_SHAPE(1, 2, 1)}),
};

const gt_LayerClass gt_layer_class_conv_lstm2d = {
    CONV_LSTM("conv_lstm2d", "ConvLSTM2D", "a convolutional LSTM over sequences of images", 2),
    .samples = GT_LAYER_SAMPLES({.make = conv_lstm_of_images,
                                 .keras = "ConvLSTM2D(2, (2, 3), strides=(1, 2), padding='same')",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(1, 3, 3, 4, 2)),
                                 .masks = 1,
                                 .output = GT_SAMPLE_SHAPE(1, 3, 2, 2)}),
};

const gt_LayerClass gt_layer_class_conv_lstm3d = {
    CONV_LSTM("conv_lstm3d", "ConvLSTM3D", "a convolutional LSTM over sequences of volumes", 3),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_ConvLSTM1D, .filters = 1, .kernel_size = 2),
         .keras = "ConvLSTM3D(1, 2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 2, 3, 2, 1)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(1, 1, 2, 1, 1)}),
};

gt_Layer *gt_ConvLSTM1D_at(const char *here, const gt_ConvLSTM1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_conv_lstm1d, options);
}

gt_Layer *gt_ConvLSTM2D_at(const char *here, const gt_ConvLSTM1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_conv_lstm2d, options);
}

gt_Layer *gt_ConvLSTM3D_at(const char *here, const gt_ConvLSTM1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_conv_lstm3d, options);
}
