/* GaussianDropout: multiplied by normal numbers around 1 while training. */
#include "layers/regularization/gaussian_dropout.h"
#include "layers/regularization/noise.h"
#include "ops/array/cast.h"
#include "ops/math/arithmetic.h"
#include "ops/math/random.h"

#include <math.h>

typedef struct GaussianDropout {
    gt_Layer base;
    gt_GaussianDropout_options options;
    gt_Variable *state;
} GaussianDropout;

GT_OPTION_TYPE(gt_GaussianDropout_options, gt_GaussianDropout_OPTIONS);

static gt_Status gaussian_dropout_create(gt_Layer *layer)
{
    return gt_check_rate("rate", ((const GaussianDropout *)layer)->options.rate, true);
}

static gt_Status gaussian_dropout_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)in;
    GaussianDropout *self = (GaussianDropout *)layer;
    if (self->options.rate > 0)
        self->state = gt_add_generator(layer, self->options.seed);
    return gt_status();
}

static gt_Tensor *gaussian_dropout_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const GaussianDropout *self = (const GaussianDropout *)layer;
    double rate = self->options.rate;
    if (!in->training || rate == 0)
        return gt_identity(in->x);
    return gt_multiply(in->x, gt_normal_like(in->x, .mean = 1, .stddev = sqrt(rate / (1 - rate)),
                                             .generator = self->state));
}

const gt_LayerClass gt_layer_class_gaussian_dropout = {
    GT_LAYER_RECORD("gaussian_dropout", "GaussianDropout", GaussianDropout,
                    "in training multiplies by normal numbers around 1"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_KEEPS_MASK,
    .options = &gt_GaussianDropout_options_type,
    .create = gaussian_dropout_create,
    .build = gaussian_dropout_build,
    .call = gaussian_dropout_call,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_GaussianDropout, .rate = 0.4, .seed = 7),
                          .keras = "GaussianDropout(0.4, seed=7)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3)},
                         {.options = GT_LAYER_OPTIONS(gt_GaussianDropout, .rate = 0),
                          .keras = "GaussianDropout(0)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(4)),
                          .output = GT_SAMPLE_SHAPE(4)}),
};

gt_Layer *gt_GaussianDropout_at(const char *here, const gt_GaussianDropout_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_gaussian_dropout, options);
}
