/* LayerNormalization, RMSNormalization, UnitNormalization. */
#include "layers/normalization/sample.h"
#include "layers/kit.h"
#include "ops/axes.h"

/* ---- axes ---- */

/* The sizes of the axes that are normalized, for weights; false with an error raised for axes that there are not. */
static bool shape_of_axes(int axis, const gt_Axes *axes, gt_Shape x, gt_Shape *shape)
{
    uint32_t bits;
    if (!gt_axis_or_axes(axes->count >= 0 ? GT_NONE : axis, axes, x.rank, &bits))
        return false;
    *shape = gt_shape();
    for (int d = 0; d < x.rank; d++)
        if (bits >> d & 1)
            shape->dims[shape->rank++] = x.dims[d];
    return true;
}

static gt_Status check_epsilon(double epsilon)
{
    return epsilon >= 0 ? GT_OK : gt_fail(GT_INVALID, "epsilon must be >= 0 (got %g)", epsilon);
}

/* ---- layer normalization ---- */

typedef struct LayerNormalization {
    gt_Layer base;
    gt_LayerNormalization_options options;
    gt_Variable *gamma, *beta;
} LayerNormalization;

GT_OPTION_TYPE(gt_LayerNormalization_options, gt_LayerNormalization_OPTIONS);

static gt_Status layer_normalization_create(gt_Layer *layer)
{
    return check_epsilon(((const LayerNormalization *)layer)->options.epsilon);
}

static gt_Status layer_normalization_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    LayerNormalization *self = (LayerNormalization *)layer;
    const gt_LayerNormalization_options *options = &self->options;
    gt_Shape shape;
    if (!shape_of_axes(options->axis, &options->axes, in->shape, &shape))
        return gt_status();
    if (options->scale)
        self->gamma = GT_ADD_WEIGHT(layer, options, gamma, "gamma", shape, gt_Ones());
    if (options->center)
        self->beta = GT_ADD_WEIGHT(layer, options, beta, "beta", shape, gt_Zeros());
    return gt_set_input_spec(layer, 0, .rank = in->shape.rank);
}

static gt_Tensor *layer_normalization_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const LayerNormalization *self = (const LayerNormalization *)layer;
    return gt_layer_normalization(gt_widened(in->x), .axis = self->options.axis,
                                  .axes = self->options.axes, .epsilon = self->options.epsilon,
                                  .gamma = self->gamma ? gt_widened(self->gamma) : NULL,
                                  .beta = self->beta ? gt_widened(self->beta) : NULL);
}

const gt_LayerClass gt_layer_class_layer_normalization = {
    GT_LAYER_RECORD("layer_normalization", "LayerNormalization", LayerNormalization,
                    "mean 0 and deviation 1 along axes of each sample"),
    .options = &gt_LayerNormalization_options_type,
    .create = layer_normalization_create,
    .build = layer_normalization_build,
    .call = layer_normalization_call,
    .flags = GT_LAYER_KEEPS_MASK | GT_LAYER_FLOAT32,
    .samples = GT_LAYER_SAMPLES(
        {.keras = "LayerNormalization()",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 4)},
        {.options =
             GT_LAYER_OPTIONS(gt_LayerNormalization, .axis = 1, .epsilon = 0.05, .center = false),
         .keras = "LayerNormalization(axis=1, epsilon=0.05, center=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 3)),
         .output = GT_SAMPLE_SHAPE(2, 4, 3)},
        {.options = GT_LAYER_OPTIONS(gt_LayerNormalization, .axes = GT_SAMPLE_AXES(1, 3)),
         .keras = "LayerNormalization(axis=[1, 3])",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 2, 2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 2, 2, 3)},
        {.options = GT_LAYER_OPTIONS(gt_LayerNormalization, .scale = false),
         .keras = "LayerNormalization(scale=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(3, 4)),
         .output = GT_SAMPLE_SHAPE(3, 4)}),
};

gt_Layer *gt_LayerNormalization_at(const char *here, const gt_LayerNormalization_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_layer_normalization, options);
}

/* ---- root mean square ---- */

typedef struct RMSNormalization {
    gt_Layer base;
    gt_RMSNormalization_options options;
    gt_Variable *scale;
} RMSNormalization;

GT_OPTION_TYPE(gt_RMSNormalization_options, gt_RMSNormalization_OPTIONS);

static gt_Status rms_normalization_create(gt_Layer *layer)
{
    return check_epsilon(((const RMSNormalization *)layer)->options.epsilon);
}

static gt_Status rms_normalization_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    RMSNormalization *self = (RMSNormalization *)layer;
    gt_Shape shape;
    if (!shape_of_axes(self->options.axis, &self->options.axes, in->shape, &shape))
        return gt_status();
    self->scale = gt_add_weight(layer, "scale", shape, .initializer = gt_Ones());
    return gt_set_input_spec(layer, 0, .rank = in->shape.rank);
}

static gt_Tensor *rms_normalization_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const RMSNormalization *self = (const RMSNormalization *)layer;
    return gt_rms_normalization(gt_widened(in->x), .axis = self->options.axis,
                                .axes = self->options.axes, .epsilon = self->options.epsilon,
                                .scale = gt_widened(self->scale));
}

const gt_LayerClass gt_layer_class_rms_normalization = {
    GT_LAYER_RECORD("rms_normalization", "RMSNormalization", RMSNormalization,
                    "mean square 1 along axes of each sample"),
    .options = &gt_RMSNormalization_options_type,
    .create = rms_normalization_create,
    .build = rms_normalization_build,
    .call = rms_normalization_call,
    .flags = GT_LAYER_DROPS_MASK | GT_LAYER_FLOAT32,
    .samples = GT_LAYER_SAMPLES(
        {.keras = "RMSNormalization()",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 4)},
        {.options = GT_LAYER_OPTIONS(gt_RMSNormalization, .axis = 1, .epsilon = 0.05),
         .keras = "RMSNormalization(axis=1, epsilon=0.05)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4)),
         .output = GT_SAMPLE_SHAPE(2, 4)},
        {.options = GT_LAYER_OPTIONS(gt_RMSNormalization, .axes = GT_SAMPLE_AXES(1, 2)),
         .keras = "RMSNormalization(axis=[1, 2])",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 2, 3)}),
};

gt_Layer *gt_RMSNormalization_at(const char *here, const gt_RMSNormalization_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_rms_normalization, options);
}

/* ---- length 1 ---- */

typedef struct UnitNormalization {
    gt_Layer base;
    gt_UnitNormalization_options options;
} UnitNormalization;

GT_OPTION_TYPE(gt_UnitNormalization_options, gt_UnitNormalization_OPTIONS);

static gt_Tensor *unit_normalization_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const UnitNormalization *self = (const UnitNormalization *)layer;
    return gt_normalize(gt_widened(in->x), .axis = self->options.axis, .axes = self->options.axes);
}

const gt_LayerClass gt_layer_class_unit_normalization = {
    GT_LAYER_RECORD("unit_normalization", "UnitNormalization", UnitNormalization,
                    "length 1 along axes of each sample"),
    .options = &gt_UnitNormalization_options_type,
    .call = unit_normalization_call,
    .flags = GT_LAYER_KEEPS_MASK | GT_LAYER_FLOAT32,
    .samples = GT_LAYER_SAMPLES(
        {.keras = "UnitNormalization()",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 4)},
        {.options = GT_LAYER_OPTIONS(gt_UnitNormalization, .axis = 1),
         .keras = "UnitNormalization(axis=1)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(2, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_UnitNormalization, .axes = GT_SAMPLE_AXES(1, 2)),
         .keras = "UnitNormalization(axis=[1, 2])",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 2, 3)}),
};

gt_Layer *gt_UnitNormalization_at(const char *here, const gt_UnitNormalization_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_unit_normalization, options);
}
