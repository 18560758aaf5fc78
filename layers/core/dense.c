/* Dense: a matrix product, a bias, an activation. */
#include "layers/core/dense.h"
#include "layers/kit.h"
#include "ops/math/arithmetic.h"
#include "ops/linalg/matmul.h"
#include "ops/math/math.h"

typedef struct Dense {
    gt_Layer base;
    gt_Dense_options options;
    gt_Variable *kernel, *bias;
} Dense;

GT_OPTION_TYPE(gt_Dense_options, gt_Dense_OPTIONS);

static gt_Status dense_create(gt_Layer *layer)
{
    const Dense *self = (const Dense *)layer;
    if (self->options.units <= 0)
        return gt_fail(GT_INVALID, "units must be > 0 (got %lld)", (long long)self->options.units);
    return gt_set_input_spec(layer, 0, .min_rank = 2);
}

static gt_Status dense_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Dense *self = (Dense *)layer;
    const gt_Dense_options *options = &self->options;
    self->kernel = gt_add_weight(layer, "kernel", gt_shape(gt_last(in->shape), options->units),
                                 .initializer = options->kernel_initializer,
                                 .regularizer = options->kernel_regularizer,
                                 .constraint = options->kernel_constraint);
    if (options->use_bias)
        self->bias = gt_add_weight(
            layer, "bias", gt_shape(options->units),
            .initializer = options->bias_initializer.type ? options->bias_initializer : gt_Zeros(),
            .regularizer = options->bias_regularizer, .constraint = options->bias_constraint);
    return gt_set_input_spec(layer, 0, .min_rank = 2, .dim = gt_last(in->shape));
}

static gt_Tensor *dense_call(gt_Layer *layer, const gt_CallArgs *in)
{
    Dense *self = (Dense *)layer;
    gt_Tensor *y = gt_matmul(gt_autocast(in, in->x), gt_autocast(in, self->kernel));
    if (self->options.use_bias)
        y = gt_add(y, gt_widened(self->bias));
    return GT_ACTIVATED(self->options, y);
}

const gt_LayerClass gt_layer_class_dense = {
    GT_LAYER_RECORD("dense", "Dense", Dense, "activation(x kernel + bias) on the last axis"),
    .options = &gt_Dense_options_type,
    .create = dense_create,
    .build = dense_build,
    .call = dense_call,
    .flags = GT_LAYER_KEEPS_MASK,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_Dense, .units = 3),
                          .keras = "Dense(3)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 4)),
                          .output = GT_SAMPLE_SHAPE(2, 3)},
                         {.options = GT_LAYER_OPTIONS(gt_Dense, .units = 2, .activation = gt_tanh,
                                                      .use_bias = false),
                          .keras = "Dense(2, activation='tanh', use_bias=False)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3, 4)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

gt_Layer *gt_Dense_at(const char *here, const gt_Dense_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_dense, options);
}
