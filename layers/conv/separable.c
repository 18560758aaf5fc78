/* SeparableConv1D and SeparableConv2D: a depthwise and a pointwise convolution, a bias, an activation. */
#include "layers/conv/separable.h"
#include "layers/conv/window.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"

typedef struct SeparableConv {
    gt_Layer base;
    gt_SeparableConv1D_options options;
    gt_LayerWindow window;
    gt_Variable *depthwise_kernel, *pointwise_kernel, *bias;
} SeparableConv;

GT_OPTION_TYPE(gt_SeparableConv1D_options, gt_SeparableConv1D_OPTIONS);

static gt_Status separable_create(gt_Layer *layer)
{
    SeparableConv *self = (SeparableConv *)layer;
    const gt_SeparableConv1D_options *options = &self->options;
    if (options->filters <= 0)
        return gt_fail(GT_INVALID, "filters must be > 0 (got %lld)", (long long)options->filters);
    if (options->depth_multiplier <= 0)
        return gt_fail(GT_INVALID, "depth_multiplier must be > 0 (got %lld)",
                       (long long)options->depth_multiplier);
    if (gt_layer_padding(options->padding, false) != GT_OK)
        return gt_status();
    return gt_layer_window(&self->window, layer, "kernel_size", options->kernel_size,
                           options->strides, options->dilation_rate);
}

static gt_Status separable_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    SeparableConv *self = (SeparableConv *)layer;
    const gt_SeparableConv1D_options *options = &self->options;
    const int64_t channels = gt_last(in->shape), multiplier = options->depth_multiplier;
    gt_Shape shape = gt_layer_window_kernel(&self->window, channels, multiplier);
    self->depthwise_kernel =
        GT_ADD_WEIGHT(layer, options, depthwise, "depthwise_kernel", shape, gt_GlorotUniform());
    if (!self->depthwise_kernel)
        return gt_status();
    for (int d = 0; d < shape.rank - 2; d++)
        shape.dims[d] = 1;
    shape.dims[shape.rank - 2] = channels * multiplier; /* no overflow: the kernel had room */
    shape.dims[shape.rank - 1] = options->filters;
    self->pointwise_kernel =
        GT_ADD_WEIGHT(layer, options, pointwise, "pointwise_kernel", shape, gt_GlorotUniform());
    if (options->use_bias)
        self->bias =
            GT_ADD_WEIGHT(layer, options, bias, "bias", gt_shape(options->filters), gt_Zeros());
    return gt_set_input_spec(layer, 0, .dim = channels);
}

static gt_Tensor *separable_call(gt_Layer *layer, const gt_CallArgs *in)
{
    SeparableConv *self = (SeparableConv *)layer;
    gt_Tensor *y =
        gt_separable_conv(gt_autocast(in, in->x), gt_autocast(in, self->depthwise_kernel),
                          gt_autocast(in, self->pointwise_kernel), .strides = self->window.strides,
                          .padding = self->options.padding, .dilation = self->window.dilation);
    return GT_BIASED(self->options, self->bias, y);
}

#define SEPARABLE(axes)                                                                            \
    .options = &gt_SeparableConv1D_options_type, .create = separable_create,                       \
    .build = separable_build, .call = separable_call, .flags = GT_LAYER_DROPS_MASK,                \
    .ports = GT_IMAGE_PORT(axes)

const gt_LayerClass gt_layer_class_separable_conv1d = {
    GT_LAYER_RECORD("separable_conv1d", "SeparableConv1D", SeparableConv,
                    "a depthwise and a pointwise convolution along one axis"),
    SEPARABLE(1),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_SeparableConv1D, .filters = 2, .kernel_size = 2),
         .keras = "SeparableConv1D(2, 2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 3)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_SeparableConv1D, .filters = 2, .kernel_size = 3,
                                     .strides = 2, .padding = GT_PADDING_SAME,
                                     .depth_multiplier = 2, .activation = gt_tanh),
         .keras = "SeparableConv1D(2, 3, strides=2, padding='same', depth_multiplier=2, "
                  "activation='tanh')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 2)),
         .output = GT_SAMPLE_SHAPE(2, 2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_SeparableConv1D, .filters = 3, .kernel_size = 2,
                                     .dilation_rate = 2, .use_bias = false),
         .keras = "SeparableConv1D(3, 2, dilation_rate=2, use_bias=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 5, 2)),
         .output = GT_SAMPLE_SHAPE(1, 3, 3)}),
};

const gt_LayerClass gt_layer_class_separable_conv2d = {
    GT_LAYER_RECORD("separable_conv2d", "SeparableConv2D", SeparableConv,
                    "a depthwise and a pointwise convolution of images"),
    SEPARABLE(2),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_SeparableConv1D, .filters = 3,
                                     .kernel_size = GT_SAMPLE_SIZES(2, 3)),
         .keras = "SeparableConv2D(3, (2, 3))",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 2, 2, 3)},
        {.options = GT_LAYER_OPTIONS(gt_SeparableConv1D, .filters = 2, .kernel_size = 3,
                                     .strides = 2, .padding = GT_PADDING_SAME,
                                     .depth_multiplier = 2, .activation = gt_tanh),
         .keras = "SeparableConv2D(2, 3, strides=2, padding='same', depth_multiplier=2, "
                  "activation='tanh')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 4, 3, 2)),
         .output = GT_SAMPLE_SHAPE(1, 2, 2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_SeparableConv1D, .filters = 2, .kernel_size = 2,
                                     .dilation_rate = GT_SAMPLE_SIZES(1, 2), .use_bias = false),
         .keras = "SeparableConv2D(2, 2, dilation_rate=(1, 2), use_bias=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 3, 4, 3)),
         .output = GT_SAMPLE_SHAPE(1, 2, 2, 2)}),
};

gt_Layer *gt_SeparableConv1D_at(const char *here, const gt_SeparableConv1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_separable_conv1d, options);
}

gt_Layer *gt_SeparableConv2D_at(const char *here, const gt_SeparableConv2D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_separable_conv2d, options);
}
