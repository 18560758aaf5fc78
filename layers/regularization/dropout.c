/* Dropout: elements dropped at random while training. */
#include "layers/regularization/dropout.h"
#include "layers/regularization/noise.h"
#include "ops/array/cast.h"

typedef struct Dropout {
    gt_Layer base;
    gt_Dropout_options options;
    gt_Variable *state;
} Dropout;

GT_OPTION_TYPE(gt_Dropout_options, gt_Dropout_OPTIONS);

static gt_Status dropout_create(gt_Layer *layer)
{
    const Dropout *self = (const Dropout *)layer;
    gt_check_rate("rate", self->options.rate, false);
    return gt_check_noise_shape(self->options.noise_shape);
}

static gt_Status dropout_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)in;
    Dropout *self = (Dropout *)layer;
    if (self->options.rate > 0)
        self->state = gt_add_generator(layer, self->options.seed);
    return gt_status();
}

static gt_Tensor *dropout_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const Dropout *self = (const Dropout *)layer;
    if (!in->training || self->options.rate == 0)
        return gt_identity(in->x);
    return gt_dropout(in->x, self->options.rate, .noise_shape = self->options.noise_shape,
                      .generator = self->state);
}

const gt_LayerClass gt_layer_class_dropout = {
    GT_LAYER_RECORD("dropout", "Dropout", Dropout,
                    "in training drops elements at random and scales the others up"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_KEEPS_MASK,
    .options = &gt_Dropout_options_type,
    .create = dropout_create,
    .build = dropout_build,
    .call = dropout_call,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_Dropout, .rate = 0.4, .seed = 7),
                          .keras = "Dropout(0.4, seed=7)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3)},
                         {.options = GT_LAYER_OPTIONS(gt_Dropout, .rate = 0.3,
                                                      .noise_shape = GT_SAMPLE_SHAPE(-1, 1, 2)),
                          .keras = "Dropout(0.3, noise_shape=(None, 1, 2))",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3, 2)),
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_Dropout, .rate = 0),
                          .keras = "Dropout(0)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(4)),
                          .output = GT_SAMPLE_SHAPE(4)}),
};

gt_Layer *gt_Dropout_at(const char *here, const gt_Dropout_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_dropout, options);
}
