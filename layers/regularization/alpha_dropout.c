/* AlphaDropout: dropout that keeps mean and variance, for layers with selu. */
#include "layers/regularization/alpha_dropout.h"
#include "layers/regularization/noise.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"

#include <math.h>

typedef struct AlphaDropout {
    gt_Layer base;
    gt_AlphaDropout_options options;
    gt_Variable *state;
} AlphaDropout;

GT_OPTION_TYPE(gt_AlphaDropout_options, gt_AlphaDropout_OPTIONS);

static gt_Status alpha_dropout_create(gt_Layer *layer)
{
    const AlphaDropout *self = (const AlphaDropout *)layer;
    gt_check_rate("rate", self->options.rate, true);
    return gt_check_noise_shape(self->options.noise_shape);
}

static gt_Status alpha_dropout_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)in;
    AlphaDropout *self = (AlphaDropout *)layer;
    if (self->options.rate > 0)
        self->state = gt_add_generator(layer, self->options.seed);
    return gt_status();
}

static gt_Tensor *alpha_dropout_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const double fallen = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946;
    const AlphaDropout *self = (const AlphaDropout *)layer;
    double rate = self->options.rate;
    if (!in->training || rate == 0)
        return gt_identity(in->x);
    gt_Tensor *kept =
        gt_not_equal(gt_dropout(gt_ones_like(in->x), rate, .noise_shape = self->options.noise_shape,
                                .generator = self->state),
                     0);
    double a = 1 / sqrt((1 - rate) * (1 + rate * fallen * fallen));
    return gt_add(gt_multiply(gt_where(kept, in->x, fallen), a), -a * rate * fallen);
}

const gt_LayerClass gt_layer_class_alpha_dropout = {
    GT_LAYER_RECORD("alpha_dropout", "AlphaDropout", AlphaDropout,
                    "in training drops elements at random and keeps mean 0 and variance 1"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_KEEPS_MASK,
    .options = &gt_AlphaDropout_options_type,
    .create = alpha_dropout_create,
    .build = alpha_dropout_build,
    .call = alpha_dropout_call,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_AlphaDropout, .rate = 0.4, .seed = 7),
                          .keras = "AlphaDropout(0.4, seed=7)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3)},
                         {.options = GT_LAYER_OPTIONS(gt_AlphaDropout, .rate = 0.3,
                                                      .noise_shape = GT_SAMPLE_SHAPE(-1, 1, 2)),
                          .keras = "AlphaDropout(0.3, noise_shape=(None, 1, 2))",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3, 2)),
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_AlphaDropout, .rate = 0),
                          .keras = "AlphaDropout(0)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(4)),
                          .output = GT_SAMPLE_SHAPE(4)}),
};

gt_Layer *gt_AlphaDropout_at(const char *here, const gt_AlphaDropout_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_alpha_dropout, options);
}
