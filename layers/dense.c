/* Dense: a matrix product, a bias, an activation. */
#include "layers/dense.h"
#include "layers/internal.h"
#include "ops/math/arithmetic.h"
#include "ops/kit.h"
#include "ops/linalg/matmul.h"

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
    const gt_Dense_options *options = &self->options;
    gt_initializer_check("kernel_initializer", &options->kernel_initializer);
    gt_initializer_check("bias_initializer", &options->bias_initializer);
    gt_regularizer_check("kernel_regularizer", &options->kernel_regularizer);
    gt_regularizer_check("bias_regularizer", &options->bias_regularizer);
    if (gt_check_function("activation", (uintptr_t)options->activation) == GT_OK)
        gt_adopt_activation(layer, options->activation);
    return gt_set_input_spec(layer, 2, 0);
}

static gt_Status dense_build(gt_Layer *layer, gt_Shape input)
{
    Dense *self = (Dense *)layer;
    const gt_Dense_options *options = &self->options;
    if (input.rank < 2)
        return gt_fail(GT_INVALID, "the input must have at least 2 dimensions (got %d)",
                       (int)input.rank);
    self->kernel = gt_add_weight(layer, "kernel", gt_shape(gt_last(input), options->units),
                                 .initializer = options->kernel_initializer,
                                 .regularizer = options->kernel_regularizer);
    if (options->use_bias)
        self->bias = gt_add_weight(
            layer, "bias", gt_shape(options->units),
            .initializer = options->bias_initializer.type ? options->bias_initializer : gt_Zeros(),
            .regularizer = options->bias_regularizer);
    return gt_set_input_spec(layer, 2, gt_last(input));
}

static gt_Tensor *dense_call(gt_Layer *layer, gt_CallArgs in)
{
    Dense *self = (Dense *)layer;
    gt_Tensor *y = gt_matmul(in.x, self->kernel);
    if (self->options.use_bias)
        y = gt_add(y, gt_widened(self->bias));
    return self->options.activation ? self->options.activation(y) : y;
}

static const gt_LayerClass dense_class = {
    .name = "dense",
    .instance = sizeof(Dense),
    .create = dense_create,
    .build = dense_build,
    .call = dense_call,
};

gt_Layer *gt_Dense_at(const char *here, const gt_Dense_options *given)
{
    Dense dense = {.base = {.name = NULL}};
    gt_options_take(&gt_Dense_options_type, &dense.options, given);
    dense.base.name = dense.options.name;
    dense.base.dtype = dense.options.dtype;
    return gt_layer_make(here, "Dense", &dense_class, &dense, dense.options.trainable,
                         dense.options.activity_regularizer);
}
