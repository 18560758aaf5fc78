/* DepthwiseConv1D and DepthwiseConv2D: a depthwise convolution, a bias, an activation. */
#include "layers/conv/depthwise.h"
#include "layers/conv/window.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"

typedef struct DepthwiseConv {
    gt_Layer base;
    gt_DepthwiseConv1D_options options;
    gt_LayerWindow window;
    gt_Variable *kernel, *bias;
} DepthwiseConv;

GT_OPTION_TYPE(gt_DepthwiseConv1D_options, gt_DepthwiseConv1D_OPTIONS);

static gt_Status depthwise_create(gt_Layer *layer)
{
    DepthwiseConv *self = (DepthwiseConv *)layer;
    const gt_DepthwiseConv1D_options *options = &self->options;
    if (options->depth_multiplier <= 0)
        return gt_fail(GT_INVALID, "depth_multiplier must be > 0 (got %lld)",
                       (long long)options->depth_multiplier);
    if (gt_layer_padding(options->padding, false) != GT_OK)
        return gt_status();
    return gt_layer_window(&self->window, layer, "kernel_size", options->kernel_size,
                           options->strides, options->dilation_rate);
}

static gt_Status depthwise_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    DepthwiseConv *self = (DepthwiseConv *)layer;
    const gt_DepthwiseConv1D_options *options = &self->options;
    const int64_t channels = gt_last(in->shape), multiplier = options->depth_multiplier;
    gt_Shape shape = gt_layer_window_kernel(&self->window, channels, multiplier);
    self->kernel = GT_ADD_WEIGHT(layer, options, depthwise, "kernel", shape, gt_GlorotUniform());
    if (self->kernel && options->use_bias) /* no overflow: the kernel had room */
        self->bias = GT_ADD_WEIGHT(layer, options, bias, "bias", gt_shape(channels * multiplier),
                                   gt_Zeros());
    return gt_set_input_spec(layer, 0, .dim = channels);
}

static gt_Tensor *depthwise_call(gt_Layer *layer, const gt_CallArgs *in)
{
    DepthwiseConv *self = (DepthwiseConv *)layer;
    gt_Tensor *y = gt_depthwise_conv(
        gt_autocast(in, in->x), gt_autocast(in, self->kernel), .strides = self->window.strides,
        .padding = self->options.padding, .dilation = self->window.dilation);
    return GT_BIASED(self->options, self->bias, y);
}

#define DEPTHWISE(axes)                                                                            \
    .options = &gt_DepthwiseConv1D_options_type, .create = depthwise_create,                       \
    .build = depthwise_build, .call = depthwise_call, .flags = GT_LAYER_DROPS_MASK,                \
    .ports = GT_IMAGE_PORT(axes)

const gt_LayerClass gt_layer_class_depthwise_conv1d = {
    GT_LAYER_RECORD("depthwise_conv1d", "DepthwiseConv1D", DepthwiseConv,
                    "a convolution of each channel along one axis"),
    DEPTHWISE(1),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_DepthwiseConv1D, .kernel_size = 2),
         .keras = "DepthwiseConv1D(2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 3)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 3)},
        {.options = GT_LAYER_OPTIONS(gt_DepthwiseConv1D, .kernel_size = 3, .strides = 2,
                                     .padding = GT_PADDING_SAME, .depth_multiplier = 2,
                                     .activation = gt_tanh),
         .keras =
             "DepthwiseConv1D(3, strides=2, padding='same', depth_multiplier=2, activation='tanh')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 2)),
         .output = GT_SAMPLE_SHAPE(2, 2, 4)},
        {.options = GT_LAYER_OPTIONS(gt_DepthwiseConv1D, .kernel_size = 2, .dilation_rate = 2,
                                     .use_bias = false),
         .keras = "DepthwiseConv1D(2, dilation_rate=2, use_bias=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 5, 2)),
         .output = GT_SAMPLE_SHAPE(1, 3, 2)}),
};

const gt_LayerClass gt_layer_class_depthwise_conv2d = {
    GT_LAYER_RECORD("depthwise_conv2d", "DepthwiseConv2D", DepthwiseConv,
                    "a convolution of each channel of images"),
    DEPTHWISE(2),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_DepthwiseConv1D, .kernel_size = GT_SAMPLE_SIZES(2, 3)),
         .keras = "DepthwiseConv2D((2, 3))",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 2, 2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_DepthwiseConv1D, .kernel_size = 3, .strides = 2,
                                     .padding = GT_PADDING_SAME, .depth_multiplier = 2,
                                     .activation = gt_tanh),
         .keras =
             "DepthwiseConv2D(3, strides=2, padding='same', depth_multiplier=2, activation='tanh')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 4, 3, 2)),
         .output = GT_SAMPLE_SHAPE(1, 2, 2, 4)},
        {.options = GT_LAYER_OPTIONS(gt_DepthwiseConv1D, .kernel_size = 2,
                                     .dilation_rate = GT_SAMPLE_SIZES(1, 2), .use_bias = false),
         .keras = "DepthwiseConv2D(2, dilation_rate=(1, 2), use_bias=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 3, 4, 3)),
         .output = GT_SAMPLE_SHAPE(1, 2, 2, 3)}),
};

gt_Layer *gt_DepthwiseConv1D_at(const char *here, const gt_DepthwiseConv1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_depthwise_conv1d, options);
}

gt_Layer *gt_DepthwiseConv2D_at(const char *here, const gt_DepthwiseConv2D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_depthwise_conv2d, options);
}
