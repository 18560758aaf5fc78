/* BatchNormalization. Its moving averages are assigned while it is called, an effect of eager calls and plans alike. */
#include "layers/normalization/batch.h"
#include "layers/kit.h"
#include "ops/array/assign.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/reshaping.h"
#include "ops/axes.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/nn/normalization.h"

typedef struct BatchNormalization {
    gt_Layer base;
    gt_BatchNormalization_options options;
    gt_Axes others; /* all axes but that of the channels */
    gt_Variable *gamma, *beta, *moving_mean, *moving_variance;
} BatchNormalization;

GT_OPTION_TYPE(gt_BatchNormalization_options, gt_BatchNormalization_OPTIONS);

static gt_Status batch_normalization_create(gt_Layer *layer)
{
    const gt_BatchNormalization_options *options = &((const BatchNormalization *)layer)->options;
    if (!(options->epsilon >= 0))
        return gt_fail(GT_INVALID, "epsilon must be >= 0 (got %g)", options->epsilon);
    if (!(options->momentum >= 0 && options->momentum <= 1))
        return gt_fail(GT_INVALID, "momentum must be in [0, 1] (got %g)", options->momentum);
    return gt_set_input_spec(layer, 0, .min_rank = 1);
}

static gt_Status batch_normalization_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    BatchNormalization *self = (BatchNormalization *)layer;
    const gt_BatchNormalization_options *options = &self->options;
    const int axis = gt_axis(options->axis, in->shape.rank);
    if (axis < 0)
        return gt_status();
    const gt_Shape shape = gt_shape(in->shape.dims[axis]);
    self->others = gt_axes();
    for (int d = 0; d < in->shape.rank; d++)
        if (d != axis)
            self->others.axis[self->others.count++] = d;
    if (options->scale)
        self->gamma = GT_ADD_WEIGHT(layer, options, gamma, "gamma", shape, gt_Ones());
    if (options->center)
        self->beta = GT_ADD_WEIGHT(layer, options, beta, "beta", shape, gt_Zeros());
    self->moving_mean =
        gt_add_weight(layer, "moving_mean", shape, .trainable = false,
                      .initializer = GT_GIVEN_OR(options->moving_mean_initializer, gt_Zeros()));
    self->moving_variance =
        gt_add_weight(layer, "moving_variance", shape, .trainable = false,
                      .initializer = GT_GIVEN_OR(options->moving_variance_initializer, gt_Ones()));
    return gt_set_input_spec(layer, 0, .rank = in->shape.rank, .axis = options->axis,
                             .dim = in->shape.dims[axis]);
}

/* Of the elements that a mask lets count: it has all axes of x but the last. Keras divides by n + 1e-7, so that nothing
 * is 0 / 0. */
static void masked_moments(const BatchNormalization *self, gt_Tensor *x, gt_Tensor *mask,
                           gt_Tensor **mean, gt_Tensor **variance)
{
    const gt_Axes others = self->others;
    const gt_Shape shape = gt_tensor_shape(self->moving_mean);
    gt_Tensor *there = gt_expand_dims(mask, -1);
    gt_Tensor *ones = gt_where(there, gt_ones_like(x), 0);
    gt_Tensor *count = gt_add(gt_sum(ones, .axes = others, .keepdims = true), 1e-7);
    gt_Tensor *sum = gt_sum(gt_where(there, x, 0), .axes = others, .keepdims = true);
    gt_Tensor *middle = gt_divide(sum, count);
    gt_Tensor *squares = gt_square(gt_where(there, gt_subtract(x, middle), 0));
    sum = gt_sum(squares, .axes = others, .keepdims = true);
    *mean = gt_reshape(middle, shape);
    *variance = gt_reshape(gt_divide(sum, count), shape);
}

/* What follows a tape later has nothing to do with the averages. */
static void follow(gt_Variable *moving, double momentum, gt_Tensor *batch)
{
    gt_Tensor *kept = gt_multiply(gt_widened(moving), momentum);
    gt_Tensor *next = gt_add(kept, gt_multiply(gt_stop_gradient(batch), 1 - momentum));
    gt_assign(moving, gt_narrowed(next, gt_dtype(moving)));
}

/* An empty batch would leave averages that are NaN for good. */
static gt_Status check_batch(const gt_CallArgs *in)
{
    char s[160], t[160];
    const gt_Shape shape = gt_tensor_shape(in->x);
    if (gt_size(in->x) == 0)
        return gt_fail(GT_INVALID, "an empty batch has no mean (got shape %s)",
                       gt_shape_text(shape, s, sizeof s));
    if (in->mask && gt_rank(in->mask) != shape.rank - 1)
        return gt_fail(GT_INVALID,
                       "the mask must have one axis less than the input (got %s for %s)",
                       gt_shape_text(gt_tensor_shape(in->mask), t, sizeof t),
                       gt_shape_text(shape, s, sizeof s));
    return gt_status();
}

static gt_Tensor *batch_normalization_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const BatchNormalization *self = (const BatchNormalization *)layer;
    gt_Tensor *x = gt_widened(in->x), *mean = NULL, *variance = NULL;
    const bool learns = gt_is_trainable(layer) && in->training;
    if (learns && check_batch(in) != GT_OK)
        return NULL;
    if (learns && in->mask)
        masked_moments(self, x, in->mask, &mean, &variance);
    else if (learns)
        gt_moments(x, &mean, &variance, .axes = self->others);
    gt_Tensor *y = gt_batch_normalization(
        x, learns ? mean : gt_widened(self->moving_mean),
        learns ? variance : gt_widened(self->moving_variance), .axis = self->options.axis,
        .scale = self->gamma ? gt_widened(self->gamma) : NULL,
        .offset = self->beta ? gt_widened(self->beta) : NULL, .epsilon = self->options.epsilon);
    if (learns && gt_status() == GT_OK) {
        follow(self->moving_mean, self->options.momentum, mean);
        follow(self->moving_variance, self->options.momentum, variance);
    }
    return y;
}

const gt_LayerClass gt_layer_class_batch_normalization = {
    GT_LAYER_RECORD("batch_normalization", "BatchNormalization", BatchNormalization,
                    "mean 0 and deviation 1 over the batch, channel by channel"),
    .options = &gt_BatchNormalization_options_type,
    .create = batch_normalization_create,
    .build = batch_normalization_build,
    .call = batch_normalization_call,
    .flags = GT_LAYER_KEEPS_MASK | GT_LAYER_FLOAT32,
    .samples = GT_LAYER_SAMPLES(
        {.keras = "BatchNormalization()",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(4, 3)),
         .output = GT_SAMPLE_SHAPE(4, 3)},
        {.options = GT_LAYER_OPTIONS(gt_BatchNormalization, .axis = 1, .momentum = 0.7,
                                     .epsilon = 0.05, .center = false),
         .keras = "BatchNormalization(axis=1, momentum=0.7, epsilon=0.05, center=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2, 2)),
         .output = GT_SAMPLE_SHAPE(2, 3, 2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_BatchNormalization, .momentum = 0.5, .scale = false),
         .keras = "BatchNormalization(momentum=0.5, scale=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 3)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 4, 3)},
        {.options = GT_LAYER_OPTIONS(gt_BatchNormalization, .axis = 1),
         .keras = "BatchNormalization(axis=1)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(3, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(3, 4, 2)}),
};

gt_Layer *gt_BatchNormalization_at(const char *here, const gt_BatchNormalization_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_batch_normalization, options);
}
