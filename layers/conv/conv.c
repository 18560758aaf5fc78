/* Conv1D, Conv2D and Conv3D: a convolution, a bias, an activation. */
#include "layers/conv/conv.h"
#include "layers/conv/window.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"

typedef struct Conv {
    gt_Layer base;
    gt_Conv1D_options options;
    gt_LayerWindow window;
    gt_Variable *kernel, *bias;
} Conv;

GT_OPTION_TYPE(gt_Conv1D_options, gt_Conv1D_OPTIONS);

static gt_Status conv_create(gt_Layer *layer)
{
    Conv *self = (Conv *)layer;
    const gt_Conv1D_options *options = &self->options;
    if (options->filters <= 0)
        return gt_fail(GT_INVALID, "filters must be > 0 (got %lld)", (long long)options->filters);
    if (options->groups <= 0 || options->filters % options->groups != 0)
        return gt_fail(GT_INVALID, "groups must divide the %lld filters (got %lld)",
                       (long long)options->filters, (long long)options->groups);
    if (gt_layer_padding(options->padding, gt_spatial_axes(layer) == 1) != GT_OK)
        return gt_status();
    return gt_layer_window(&self->window, layer, "kernel_size", options->kernel_size,
                           options->strides, options->dilation_rate);
}

static gt_Status conv_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Conv *self = (Conv *)layer;
    const gt_Conv1D_options *options = &self->options;
    const int64_t channels = gt_last(in->shape);
    if (channels % options->groups != 0)
        return gt_fail(GT_INVALID, "groups must divide the %lld channels of the input (got %lld)",
                       (long long)channels, (long long)options->groups);
    gt_Shape shape =
        gt_layer_window_kernel(&self->window, channels / options->groups, options->filters);
    self->kernel = GT_ADD_WEIGHT(layer, options, kernel, "kernel", shape, gt_GlorotUniform());
    if (options->use_bias)
        self->bias =
            GT_ADD_WEIGHT(layer, options, bias, "bias", gt_shape(options->filters), gt_Zeros());
    return gt_set_input_spec(layer, 0, .dim = channels);
}

static gt_Tensor *conv_call(gt_Layer *layer, const gt_CallArgs *in)
{
    Conv *self = (Conv *)layer;
    gt_Tensor *y = gt_conv(gt_autocast(in, in->x), gt_autocast(in, self->kernel),
                           .strides = self->window.strides, .padding = self->options.padding,
                           .dilation = self->window.dilation, .groups = self->options.groups);
    return GT_BIASED(self->options, self->bias, y);
}

#define CONV(axes)                                                                                 \
    .options = &gt_Conv1D_options_type, .create = conv_create, .build = conv_build,                \
    .call = conv_call, .flags = GT_LAYER_DROPS_MASK, .ports = GT_IMAGE_PORT(axes)

const gt_LayerClass gt_layer_class_conv1d = {
    GT_LAYER_RECORD("conv1d", "Conv1D", Conv, "a convolution along one axis"),
    CONV(1),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_Conv1D, .filters = 2, .kernel_size = 3),
         .keras = "Conv1D(2, 3)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 5, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_Conv1D, .filters = 2, .kernel_size = 2,
                                     .padding = GT_PADDING_CAUSAL, .dilation_rate = 2,
                                     .activation = gt_tanh),
         .keras = "Conv1D(2, 2, padding='causal', dilation_rate=2, activation='tanh')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 5, 3)),
         .output = GT_SAMPLE_SHAPE(2, 5, 2)},
        {.options = GT_LAYER_OPTIONS(gt_Conv1D, .filters = 4, .kernel_size = 3, .strides = 2,
                                     .padding = GT_PADDING_SAME, .groups = 2, .use_bias = false),
         .keras = "Conv1D(4, 3, strides=2, padding='same', groups=2, use_bias=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 6, 4)),
         .output = GT_SAMPLE_SHAPE(1, 3, 4)}),
};

const gt_LayerClass gt_layer_class_conv2d = {
    GT_LAYER_RECORD("conv2d", "Conv2D", Conv, "a convolution of images"),
    CONV(2),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_Conv1D, .filters = 3, .kernel_size = 2),
         .keras = "Conv2D(3, 2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 2, 3, 3)},
        {.options = GT_LAYER_OPTIONS(gt_Conv1D, .filters = 2, .kernel_size = GT_SAMPLE_SIZES(3, 2),
                                     .strides = GT_SAMPLE_SIZES(2, 1), .padding = GT_PADDING_SAME,
                                     .activation = gt_tanh),
         .keras = "Conv2D(2, (3, 2), strides=(2, 1), padding='same', activation='tanh')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 4, 3, 2)),
         .output = GT_SAMPLE_SHAPE(1, 2, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_Conv1D, .filters = 4, .kernel_size = 2, .groups = 2,
                                     .dilation_rate = GT_SAMPLE_SIZES(1, 2), .use_bias = false),
         .keras = "Conv2D(4, 2, groups=2, dilation_rate=(1, 2), use_bias=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 3, 4, 2)),
         .output = GT_SAMPLE_SHAPE(1, 2, 2, 4)}),
};

const gt_LayerClass gt_layer_class_conv3d = {
    GT_LAYER_RECORD("conv3d", "Conv3D", Conv, "a convolution of volumes"),
    CONV(3),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_Conv1D, .filters = 2, .kernel_size = 2),
         .keras = "Conv3D(2, 2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 3, 2, 3, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(1, 2, 1, 2, 2)},
        {.options =
             GT_LAYER_OPTIONS(gt_Conv1D, .filters = 2, .kernel_size = GT_SAMPLE_SIZES(1, 3, 2),
                              .strides = GT_SAMPLE_SIZES(1, 2, 1), .padding = GT_PADDING_SAME,
                              .activation = gt_tanh),
         .keras = "Conv3D(2, (1, 3, 2), strides=(1, 2, 1), padding='same', activation='tanh')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 3, 2, 1)),
         .output = GT_SAMPLE_SHAPE(1, 2, 2, 2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_Conv1D, .filters = 2, .kernel_size = 2, .groups = 2,
                                     .dilation_rate = GT_SAMPLE_SIZES(1, 2, 1), .use_bias = false),
         .keras = "Conv3D(2, 2, groups=2, dilation_rate=(1, 2, 1), use_bias=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 2, 3, 2, 2)),
         .output = GT_SAMPLE_SHAPE(1, 1, 1, 1, 2)}),
};

gt_Layer *gt_Conv1D_at(const char *here, const gt_Conv1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_conv1d, options);
}

gt_Layer *gt_Conv2D_at(const char *here, const gt_Conv2D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_conv2d, options);
}

gt_Layer *gt_Conv3D_at(const char *here, const gt_Conv3D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_conv3d, options);
}
