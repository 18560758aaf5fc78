/* Conv1DTranspose, Conv2DTranspose and Conv3DTranspose: a transposed convolution, a bias, an activation. */
#include "layers/conv/transpose.h"
#include "layers/conv/window.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"

typedef struct ConvTranspose {
    gt_Layer base;
    gt_Conv1DTranspose_options options;
    gt_LayerWindow window;
    gt_Shape output_padding; /* of rank 0: not given */
    gt_Variable *kernel, *bias;
} ConvTranspose;

GT_OPTION_TYPE(gt_Conv1DTranspose_options, gt_Conv1DTranspose_OPTIONS);

/* Below the strides, or a smaller image would do. */
static gt_Status set_output_padding(ConvTranspose *self)
{
    const gt_Shape *strides = &self->window.strides;
    int64_t numbers[3];
    self->output_padding = gt_shape();
    if (self->options.output_padding == GT_NONE)
        return GT_OK;
    if (gt_sizes_expand("output_padding", self->options.output_padding, strides->rank, 0,
                        numbers) != GT_OK)
        return gt_status();
    for (int d = 0; d < strides->rank; d++)
        if (numbers[d] >= strides->dims[d])
            return gt_fail(
                GT_INVALID,
                "output_padding must be less than strides (got %lld and %lld in spatial axis %d)",
                (long long)numbers[d], (long long)strides->dims[d], d);
    self->output_padding = gt_shape_of(strides->rank, numbers);
    return GT_OK;
}

static gt_Status transpose_create(gt_Layer *layer)
{
    ConvTranspose *self = (ConvTranspose *)layer;
    const gt_Conv1DTranspose_options *options = &self->options;
    if (options->filters <= 0)
        return gt_fail(GT_INVALID, "filters must be > 0 (got %lld)", (long long)options->filters);
    if (gt_layer_padding(options->padding, false) != GT_OK ||
        gt_layer_window(&self->window, layer, "kernel_size", options->kernel_size, options->strides,
                        options->dilation_rate) != GT_OK)
        return gt_status();
    return set_output_padding(self);
}

static gt_Status transpose_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    ConvTranspose *self = (ConvTranspose *)layer;
    const gt_Conv1DTranspose_options *options = &self->options;
    const int64_t channels = gt_last(in->shape);
    gt_Shape shape = gt_layer_window_kernel(&self->window, options->filters, channels);
    self->kernel = GT_ADD_WEIGHT(layer, options, kernel, "kernel", shape, gt_GlorotUniform());
    if (options->use_bias)
        self->bias =
            GT_ADD_WEIGHT(layer, options, bias, "bias", gt_shape(options->filters), gt_Zeros());
    return gt_set_input_spec(layer, 0, .dim = channels);
}

static gt_Tensor *transpose_call(gt_Layer *layer, const gt_CallArgs *in)
{
    ConvTranspose *self = (ConvTranspose *)layer;
    gt_Tensor *y = gt_conv_transpose(
        gt_autocast(in, in->x), gt_autocast(in, self->kernel), .strides = self->window.strides,
        .padding = self->options.padding, .dilation = self->window.dilation,
        .output_padding = self->output_padding);
    return GT_BIASED(self->options, self->bias, y);
}

#define TRANSPOSE(axes)                                                                            \
    .options = &gt_Conv1DTranspose_options_type, .create = transpose_create,                       \
    .build = transpose_build, .call = transpose_call, .flags = GT_LAYER_DROPS_MASK,                \
    .ports = GT_IMAGE_PORT(axes)

const gt_LayerClass gt_layer_class_conv1d_transpose = {
    GT_LAYER_RECORD("conv1d_transpose", "Conv1DTranspose", ConvTranspose,
                    "a transposed convolution along one axis"),
    TRANSPOSE(1),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_Conv1DTranspose, .filters = 2, .kernel_size = 3),
         .keras = "Conv1DTranspose(2, 3)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 5, 2)},
        {.options = GT_LAYER_OPTIONS(gt_Conv1DTranspose, .filters = 2, .kernel_size = 3,
                                     .strides = 2, .padding = GT_PADDING_SAME,
                                     .activation = gt_tanh, .output_padding = 0),
         .keras = "Conv1DTranspose(2, 3, strides=2, padding='same', activation='tanh', "
                  "output_padding=0)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(2, 5, 2)},
        {.options = GT_LAYER_OPTIONS(gt_Conv1DTranspose, .filters = 3, .kernel_size = 2,
                                     .dilation_rate = 2, .use_bias = false),
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 3, 2)),
         .output = GT_SAMPLE_SHAPE(1, 5, 3)}),
};

const gt_LayerClass gt_layer_class_conv2d_transpose = {
    GT_LAYER_RECORD("conv2d_transpose", "Conv2DTranspose", ConvTranspose,
                    "a transposed convolution of images"),
    TRANSPOSE(2),
    .samples = GT_LAYER_SAMPLES(
        {.options =
             GT_LAYER_OPTIONS(gt_Conv1DTranspose, .filters = 2, .kernel_size = 2, .strides = 2),
         .keras = "Conv2DTranspose(2, 2, strides=2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 2, 2, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 4, 4, 2)},
        {.options = GT_LAYER_OPTIONS(
             gt_Conv1DTranspose, .filters = 2, .kernel_size = GT_SAMPLE_SIZES(3, 2),
             .strides = GT_SAMPLE_SIZES(2, 3), .padding = GT_PADDING_SAME, .activation = gt_tanh),
         .keras = "Conv2DTranspose(2, (3, 2), strides=(2, 3), padding='same', activation='tanh')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 2, 3)),
         .output = GT_SAMPLE_SHAPE(1, 4, 6, 2)},
        {.options = GT_LAYER_OPTIONS(gt_Conv1DTranspose, .filters = 2, .kernel_size = 3,
                                     .strides = GT_SAMPLE_SIZES(2, 3),
                                     .output_padding = GT_SAMPLE_SIZES(1, 2), .use_bias = false),
         .keras = "Conv2DTranspose(2, 3, strides=(2, 3), output_padding=(1, 2), use_bias=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 2, 1)),
         .output = GT_SAMPLE_SHAPE(1, 6, 8, 2)},
        {.options = GT_LAYER_OPTIONS(gt_Conv1DTranspose, .filters = 1, .kernel_size = 2,
                                     .dilation_rate = GT_SAMPLE_SIZES(2, 1)),
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(1, 4, 4, 1)}),
};

const gt_LayerClass gt_layer_class_conv3d_transpose = {
    GT_LAYER_RECORD("conv3d_transpose", "Conv3DTranspose", ConvTranspose,
                    "a transposed convolution of volumes"),
    TRANSPOSE(3),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_Conv1DTranspose, .filters = 2, .kernel_size = 2),
         .keras = "Conv3DTranspose(2, 2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 1, 2, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(1, 3, 2, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_Conv1DTranspose, .filters = 1,
                                     .kernel_size = GT_SAMPLE_SIZES(1, 3, 2),
                                     .strides = GT_SAMPLE_SIZES(1, 2, 1),
                                     .padding = GT_PADDING_SAME, .activation = gt_tanh),
         .keras =
             "Conv3DTranspose(1, (1, 3, 2), strides=(1, 2, 1), padding='same', activation='tanh')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 2, 2, 2)),
         .output = GT_SAMPLE_SHAPE(1, 2, 4, 2, 1)},
        {.options = GT_LAYER_OPTIONS(gt_Conv1DTranspose, .filters = 2, .kernel_size = 2,
                                     .strides = 2, .output_padding = 1, .use_bias = false),
         .keras = "Conv3DTranspose(2, 2, strides=2, output_padding=1, use_bias=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 1, 2, 1, 2)),
         .output = GT_SAMPLE_SHAPE(1, 3, 5, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_Conv1DTranspose, .filters = 1, .kernel_size = 2,
                                     .dilation_rate = GT_SAMPLE_SIZES(2, 1, 1)),
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 1, 2, 1)),
         .output = GT_SAMPLE_SHAPE(1, 4, 2, 3, 1)}),
};

gt_Layer *gt_Conv1DTranspose_at(const char *here, const gt_Conv1DTranspose_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_conv1d_transpose, options);
}

gt_Layer *gt_Conv2DTranspose_at(const char *here, const gt_Conv2DTranspose_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_conv2d_transpose, options);
}

gt_Layer *gt_Conv3DTranspose_at(const char *here, const gt_Conv3DTranspose_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_conv3d_transpose, options);
}
