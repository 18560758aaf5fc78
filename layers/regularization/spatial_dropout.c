/* SpatialDropout1D, 2D, 3D: whole channels dropped at random while training. */
#include "layers/regularization/spatial_dropout.h"
#include "layers/regularization/noise.h"
#include "ops/array/cast.h"
#include "ops/math/random.h"

typedef struct SpatialDropout {
    gt_Layer base;
    gt_SpatialDropout1D_options options;
    gt_Variable *state;
} SpatialDropout;

GT_OPTION_TYPE(gt_SpatialDropout1D_options, gt_SpatialDropout1D_OPTIONS);

static gt_Status spatial_dropout_create(gt_Layer *layer)
{
    return gt_check_rate("rate", ((const SpatialDropout *)layer)->options.rate, false);
}

static gt_Status spatial_dropout_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)in;
    SpatialDropout *self = (SpatialDropout *)layer;
    if (self->options.rate > 0)
        self->state = gt_add_generator(layer, self->options.seed);
    return gt_status();
}

/* One draw for each row and channel: (-1, 1, ..., 1, -1). */
static gt_Tensor *spatial_dropout_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const SpatialDropout *self = (const SpatialDropout *)layer;
    if (!in->training || self->options.rate == 0)
        return gt_identity(in->x);
    int64_t noise[GT_MAX_RANK] = {-1, 1, 1, 1, 1};
    int rank = gt_rank(in->x);
    noise[rank - 1] = -1;
    return gt_dropout(in->x, self->options.rate, .noise_shape = gt_shape_of(rank, noise),
                      .generator = self->state);
}

const gt_LayerClass gt_layer_class_spatial_dropout1d = {
    GT_LAYER_RECORD("spatial_dropout1d", "SpatialDropout1D", SpatialDropout,
                    "in training drops whole channels of (batch, steps, channels)"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_KEEPS_MASK,
    .options = &gt_SpatialDropout1D_options_type,
    .create = spatial_dropout_create,
    .build = spatial_dropout_build,
    .call = spatial_dropout_call,
    .ports = GT_PORTS({"x", 0, 3, 3}),
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_SpatialDropout1D, .rate = 0.3, .seed = 7),
                          .keras = "SpatialDropout1D(0.3, seed=7)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_SpatialDropout1D, .rate = 0),
                          .keras = "SpatialDropout1D(0)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3, 2)),
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

gt_Layer *gt_SpatialDropout1D_at(const char *here, const gt_SpatialDropout1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_spatial_dropout1d, options);
}

const gt_LayerClass gt_layer_class_spatial_dropout2d = {
    GT_LAYER_RECORD("spatial_dropout2d", "SpatialDropout2D", SpatialDropout,
                    "in training drops whole channels of (batch, height, width, channels)"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_KEEPS_MASK,
    .options = &gt_SpatialDropout1D_options_type,
    .create = spatial_dropout_create,
    .build = spatial_dropout_build,
    .call = spatial_dropout_call,
    .ports = GT_PORTS({"x", 0, 4, 4}),
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_SpatialDropout1D, .rate = 0.3, .seed = 7),
                          .keras = "SpatialDropout2D(0.3, seed=7)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 2, 3, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 2, 3, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_SpatialDropout1D, .rate = 0),
                          .keras = "SpatialDropout2D(0)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 2, 3, 2)),
                          .output = GT_SAMPLE_SHAPE(2, 2, 3, 2)}),
};

gt_Layer *gt_SpatialDropout2D_at(const char *here, const gt_SpatialDropout1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_spatial_dropout2d, options);
}

const gt_LayerClass gt_layer_class_spatial_dropout3d = {
    GT_LAYER_RECORD("spatial_dropout3d", "SpatialDropout3D", SpatialDropout,
                    "in training drops whole channels of (batch, depth, height, width, channels)"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_KEEPS_MASK,
    .options = &gt_SpatialDropout1D_options_type,
    .create = spatial_dropout_create,
    .build = spatial_dropout_build,
    .call = spatial_dropout_call,
    .ports = GT_PORTS({"x", 0, 5, 5}),
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_SpatialDropout1D, .rate = 0.3, .seed = 7),
                          .keras = "SpatialDropout3D(0.3, seed=7)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 2, 1, 3, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 2, 1, 3, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_SpatialDropout1D, .rate = 0),
                          .keras = "SpatialDropout3D(0)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 2, 1, 3, 2)),
                          .output = GT_SAMPLE_SHAPE(2, 2, 1, 3, 2)}),
};

gt_Layer *gt_SpatialDropout3D_at(const char *here, const gt_SpatialDropout1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_spatial_dropout3d, options);
}
