/* BatchNormalization. Its moving averages are assigned while it is called, an effect of eager calls and plans alike. */
#include "layers/normalization/batch.h"
#include "core/text.h"
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
#include "ops/nn/batch_norm.h"
#include "ops/nn/normalization.h"

typedef struct BatchNormalization {
    gt_Layer base;
    gt_BatchNormalization_options options;
    gt_Axes others; /* all axes but that of the channels */
    gt_Variable *gamma, *beta, *moving_mean, *moving_variance;
    gt_Variable *moving_stddev, *renorm_mean, *renorm_stddev; /* with renorm */
} BatchNormalization;

GT_OPTION_TYPE(gt_BatchNormalization_options, gt_BatchNormalization_OPTIONS);

static gt_Status batch_normalization_create(gt_Layer *layer)
{
    const gt_BatchNormalization_options *options = &((const BatchNormalization *)layer)->options;
    if (!(options->epsilon >= 0))
        return gt_fail(GT_INVALID, "epsilon must be >= 0 (got %g)", options->epsilon);
    if (!(options->momentum >= 0 && options->momentum <= 1))
        return gt_fail(GT_INVALID, "momentum must be in [0, 1] (got %g)", options->momentum);
    if (!(options->renorm_momentum >= 0 && options->renorm_momentum <= 1))
        return gt_fail(GT_INVALID, "renorm_momentum must be in [0, 1] (got %g)",
                       options->renorm_momentum);
    if (!(options->rmax >= options->rmin && options->dmax >= 0))
        return gt_fail(GT_INVALID,
                       "rmax must be >= rmin and dmax >= 0 (got rmin %g, rmax %g, dmax %g)",
                       options->rmin, options->rmax, options->dmax);
    return gt_set_input_spec(layer, 0, .min_rank = 1);
}

/* First deviations are the roots of first variances. */
static gt_Status draw_stddev(void *context, const gt_Spec *spec, void *data, uint64_t stream)
{
    const BatchNormalization *self = context;
    char key[32];
    gt_text(key, sizeof key, "%llu", (unsigned long long)stream);
    gt_initialize(self->options.moving_variance_initializer, key, spec, data);
    for (int64_t i = 0; i < spec->size && spec->dtype == GT_FLOAT32; i++)
        ((float *)data)[i] = sqrtf(((float *)data)[i]);
    for (int64_t i = 0; i < spec->size && spec->dtype == GT_FLOAT64; i++)
        ((double *)data)[i] = sqrt(((double *)data)[i]);
    return gt_status();
}

static void add_renorm_weights(BatchNormalization *self, gt_Shape shape)
{
    const gt_BatchNormalization_options *options = &self->options;
    gt_Initializer deviation =
        options->moving_variance_initializer.type ? gt_initializer(draw_stddev, self) : gt_Ones();
    self->moving_stddev = gt_add_weight(&self->base, "moving_stddev", shape, .trainable = false,
                                        .initializer = deviation);
    self->renorm_mean =
        gt_add_weight(&self->base, "renorm_mean", shape, .trainable = false,
                      .initializer = GT_GIVEN_OR(options->moving_mean_initializer, gt_Zeros()));
    self->renorm_stddev = gt_add_weight(&self->base, "renorm_stddev", shape, .trainable = false,
                                        .initializer = deviation);
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
    if (options->renorm)
        add_renorm_weights(self, shape);
    return gt_set_input_spec(layer, 0, .rank = in->shape.rank, .axis = options->axis,
                             .dim = in->shape.dims[axis]);
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

static gt_Tensor *deviation_of(const BatchNormalization *self, gt_Tensor *variance)
{
    return gt_sqrt(gt_add(variance, self->options.epsilon));
}

/* The scale and offset that stand for gamma and beta: r gamma and d gamma + beta. */
static void renormalize(const BatchNormalization *self, gt_Tensor *mean, gt_Tensor *variance,
                        gt_Tensor **scale, gt_Tensor **offset)
{
    const gt_BatchNormalization_options *options = &self->options;
    gt_Tensor *usual = gt_maximum(gt_widened(self->renorm_stddev), sqrt(options->epsilon));
    gt_Tensor *r = gt_divide(deviation_of(self, variance), usual);
    gt_Tensor *d = gt_divide(gt_subtract(mean, gt_widened(self->renorm_mean)), usual);
    r = gt_stop_gradient(gt_clip(r, options->rmin, options->rmax));
    d = gt_stop_gradient(gt_clip(d, -options->dmax, options->dmax));
    *offset = *scale ? gt_multiply(d, *scale) : d;
    *scale = *scale ? gt_multiply(r, *scale) : r;
    if (self->beta)
        *offset = gt_add(*offset, gt_widened(self->beta));
}

/* moving_variance is what moving_stddev says, but for rounding, which must not make it negative. */
static void follow_all(const BatchNormalization *self, gt_Tensor *mean, gt_Tensor *variance)
{
    const gt_BatchNormalization_options *options = &self->options;
    follow(self->moving_mean, options->momentum, mean);
    if (!options->renorm) {
        follow(self->moving_variance, options->momentum, variance);
        return;
    }
    gt_Tensor *deviation = deviation_of(self, variance);
    follow(self->renorm_mean, options->renorm_momentum, mean);
    follow(self->renorm_stddev, options->renorm_momentum, deviation);
    follow(self->moving_stddev, options->momentum, deviation);
    gt_Tensor *square = gt_square(gt_widened(self->moving_stddev));
    gt_Tensor *moved = gt_maximum(gt_subtract(square, options->epsilon), 0);
    gt_assign(self->moving_variance, gt_narrowed(moved, gt_dtype(self->moving_variance)));
}

/* The usual case, which one operation computes: no mask, the channels last. */
static bool is_plain(const BatchNormalization *self, const gt_CallArgs *in)
{
    int rank = gt_rank(in->x);
    return !in->mask && !self->options.renorm && rank > 1 &&
           (self->options.axis == -1 || self->options.axis == rank - 1);
}

static gt_Tensor *batch_normalization_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const BatchNormalization *self = (const BatchNormalization *)layer;
    const bool learns = in->training && gt_is_trainable(layer);
    gt_Tensor *x = gt_widened(in->x);
    gt_Tensor *mean = gt_widened(self->moving_mean), *variance = gt_widened(self->moving_variance);
    gt_Tensor *scale = self->gamma ? gt_widened(self->gamma) : NULL;
    gt_Tensor *offset = self->beta ? gt_widened(self->beta) : NULL;
    if (learns && check_batch(in) != GT_OK)
        return NULL;
    if (learns && is_plain(self, in)) {
        gt_BatchNorm norm = gt_batch_norm(x, scale, offset, self->options.epsilon);
        if (gt_status() == GT_OK)
            follow_all(self, norm.mean, norm.variance);
        return norm.y;
    }
    if (learns)
        gt_moments(x, &mean, &variance, .axes = self->others, .mask = in->mask);
    if (learns && self->options.renorm)
        renormalize(self, mean, variance, &scale, &offset);
    gt_Tensor *y =
        gt_batch_normalization(x, mean, variance, .axis = self->options.axis, .scale = scale,
                               .offset = offset, .epsilon = self->options.epsilon);
    if (learns && gt_status() == GT_OK)
        follow_all(self, mean, variance);
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
         .output = GT_SAMPLE_SHAPE(3, 4, 2)},
        /* epsilon is a float32 here: Keras makes it one on its way. */
        {.options = GT_LAYER_OPTIONS(gt_BatchNormalization, .renorm = true, .momentum = 0.8,
                                     .renorm_momentum = 0.6, .epsilon = 0.0625),
         .keras =
             "BatchNormalization(renorm=True, momentum=0.8, renorm_momentum=0.6, epsilon=0.0625)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(4, 3)),
         .output = GT_SAMPLE_SHAPE(4, 3)},
        {.options = GT_LAYER_OPTIONS(gt_BatchNormalization, .renorm = true, .rmin = 0.9,
                                     .rmax = 1.1, .dmax = 0.2, .scale = false, .epsilon = 0.0625),
         .keras = "BatchNormalization(renorm=True, renorm_clipping={'rmin': 0.9, 'rmax': 1.1, "
                  "'dmax': 0.2}, scale=False, epsilon=0.0625)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

gt_Layer *gt_BatchNormalization_at(const char *here, const gt_BatchNormalization_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_batch_normalization, options);
}
