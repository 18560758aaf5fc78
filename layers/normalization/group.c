/* GroupNormalization. */
#include "layers/normalization/group.h"
#include "layers/kit.h"
#include "ops/axes.h"

typedef struct GroupNormalization {
    gt_Layer base;
    gt_GroupNormalization_options options;
    gt_Variable *gamma, *beta;
} GroupNormalization;

GT_OPTION_TYPE(gt_GroupNormalization_options, gt_GroupNormalization_OPTIONS);

static gt_Status group_normalization_create(gt_Layer *layer)
{
    const gt_GroupNormalization_options *options = &((const GroupNormalization *)layer)->options;
    if (options->groups < 1 && options->groups != -1)
        return gt_fail(GT_INVALID, "groups must be > 0, or -1 (got %lld)",
                       (long long)options->groups);
    if (!(options->epsilon >= 0))
        return gt_fail(GT_INVALID, "epsilon must be >= 0 (got %g)", options->epsilon);
    return gt_set_input_spec(layer, 0, .min_rank = 2);
}

static gt_Status group_normalization_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    GroupNormalization *self = (GroupNormalization *)layer;
    const gt_GroupNormalization_options *options = &self->options;
    const int axis = gt_axis(options->axis, in->shape.rank);
    if (axis < 0)
        return gt_status();
    const int64_t channels = in->shape.dims[axis];
    if (options->groups > channels || (options->groups > 0 && channels % options->groups != 0))
        return gt_fail(GT_INVALID, "groups must divide the %lld channels (got %lld)",
                       (long long)channels, (long long)options->groups);
    const gt_Shape shape = gt_shape(channels);
    if (options->scale)
        self->gamma = GT_ADD_WEIGHT(layer, options, gamma, "gamma", shape, gt_Ones());
    if (options->center)
        self->beta = GT_ADD_WEIGHT(layer, options, beta, "beta", shape, gt_Zeros());
    return gt_set_input_spec(layer, 0, .rank = in->shape.rank, .axis = options->axis,
                             .dim = channels);
}

static gt_Tensor *group_normalization_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const GroupNormalization *self = (const GroupNormalization *)layer;
    return gt_group_normalization(gt_widened(in->x), .groups = self->options.groups,
                                  .axis = self->options.axis, .epsilon = self->options.epsilon,
                                  .gamma = self->gamma ? gt_widened(self->gamma) : NULL,
                                  .beta = self->beta ? gt_widened(self->beta) : NULL);
}

const gt_LayerClass gt_layer_class_group_normalization = {
    GT_LAYER_RECORD("group_normalization", "GroupNormalization", GroupNormalization,
                    "mean 0 and deviation 1 of groups of channels of each sample"),
    .options = &gt_GroupNormalization_options_type,
    .create = group_normalization_create,
    .build = group_normalization_build,
    .call = group_normalization_call,
    .flags = GT_LAYER_KEEPS_MASK | GT_LAYER_FLOAT32,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_GroupNormalization, .groups = 2),
         .keras = "GroupNormalization(2)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 4)},
        {.options = GT_LAYER_OPTIONS(gt_GroupNormalization, .groups = -1, .axis = 1,
                                     .epsilon = 0.05, .center = false),
         .keras = "GroupNormalization(-1, axis=1, epsilon=0.05, center=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 2, 4)),
         .output = GT_SAMPLE_SHAPE(2, 2, 4)},
        {.options = GT_LAYER_OPTIONS(gt_GroupNormalization, .groups = 1, .scale = false),
         .keras = "GroupNormalization(1, scale=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 2, 2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 2, 2, 3)}),
};

gt_Layer *gt_GroupNormalization_at(const char *here, const gt_GroupNormalization_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_group_normalization, options);
}
