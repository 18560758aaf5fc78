/* ActivityRegularization: a penalty on what passes. */
#include "layers/regularization/activity_regularization.h"
#include "layers/kit.h"
#include "ops/array/cast.h"

typedef struct ActivityRegularization {
    gt_Layer base;
    gt_ActivityRegularization_options options;
} ActivityRegularization;

GT_OPTION_TYPE(gt_ActivityRegularization_options, gt_ActivityRegularization_OPTIONS);

static gt_Status activity_regularization_create(gt_Layer *layer)
{
    const gt_ActivityRegularization_options *options =
        &((const ActivityRegularization *)layer)->options;
    layer->state->activity = gt_L1L2(.l1 = options->l1, .l2 = options->l2);
    return gt_regularizer_check("the penalty", &layer->state->activity);
}

static gt_Tensor *activity_regularization_call(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return gt_identity(in->x);
}

const gt_LayerClass gt_layer_class_activity_regularization = {
    GT_LAYER_RECORD("activity_regularization", "ActivityRegularization", ActivityRegularization,
                    "a penalty on what passes"),
    .flags = GT_LAYER_KEEPS_MASK,
    .options = &gt_ActivityRegularization_options_type,
    .create = activity_regularization_create,
    .call = activity_regularization_call,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_ActivityRegularization, .l1 = 0.5, .l2 = 0.25),
         .keras = "ActivityRegularization(l1=0.5, l2=0.25)",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL_GAP(-2, 2, 2, 2, 3)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3)},
        {.keras = "ActivityRegularization()",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(4)),
         .output = GT_SAMPLE_SHAPE(4)}),
};

gt_Layer *gt_ActivityRegularization_at(const char *here,
                                       const gt_ActivityRegularization_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_activity_regularization, options);
}
