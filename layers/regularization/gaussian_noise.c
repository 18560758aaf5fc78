/* GaussianNoise: normal numbers added while training. */
#include "layers/regularization/gaussian_noise.h"
#include "layers/regularization/noise.h"
#include "ops/array/cast.h"
#include "ops/math/arithmetic.h"
#include "ops/math/random.h"

typedef struct GaussianNoise {
    gt_Layer base;
    gt_GaussianNoise_options options;
    gt_Variable *state;
} GaussianNoise;

GT_OPTION_TYPE(gt_GaussianNoise_options, gt_GaussianNoise_OPTIONS);

static gt_Status gaussian_noise_create(gt_Layer *layer)
{
    return gt_check_rate("stddev", ((const GaussianNoise *)layer)->options.stddev, false);
}

static gt_Status gaussian_noise_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)in;
    GaussianNoise *self = (GaussianNoise *)layer;
    if (self->options.stddev > 0)
        self->state = gt_add_generator(layer, self->options.seed);
    return gt_status();
}

static gt_Tensor *gaussian_noise_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const GaussianNoise *self = (const GaussianNoise *)layer;
    if (!in->training || self->options.stddev == 0)
        return gt_identity(in->x);
    return gt_add(in->x,
                  gt_normal_like(in->x, .stddev = self->options.stddev, .generator = self->state));
}

const gt_LayerClass gt_layer_class_gaussian_noise = {
    GT_LAYER_RECORD("gaussian_noise", "GaussianNoise", GaussianNoise,
                    "in training adds normal numbers"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_KEEPS_MASK,
    .options = &gt_GaussianNoise_options_type,
    .create = gaussian_noise_create,
    .build = gaussian_noise_build,
    .call = gaussian_noise_call,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_GaussianNoise, .stddev = 0.4, .seed = 7),
                          .keras = "GaussianNoise(0.4, seed=7)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3)},
                         {.options = GT_LAYER_OPTIONS(gt_GaussianNoise, .stddev = 0),
                          .keras = "GaussianNoise(0)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(4)),
                          .output = GT_SAMPLE_SHAPE(4)}),
};

gt_Layer *gt_GaussianNoise_at(const char *here, const gt_GaussianNoise_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_gaussian_noise, options);
}
