/* Identity: x as it is. */
#include "layers/core/identity.h"
#include "layers/kit.h"
#include "ops/array/cast.h"

typedef struct Identity {
    gt_Layer base;
    gt_Identity_options options;
} Identity;

GT_OPTION_TYPE(gt_Identity_options, gt_Identity_OPTIONS);

static gt_Tensor *identity_call(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return gt_identity(in->x);
}

const gt_LayerClass gt_layer_class_identity = {
    GT_LAYER_RECORD("identity", "Identity", Identity, "x as it is"),
    .flags = GT_LAYER_KEEPS_MASK,
    .options = &gt_Identity_options_type,
    .call = identity_call,
    .samples = GT_LAYER_SAMPLES({.keras = "Identity()",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(2, 3)),
                                 .masks = 1,
                                 .output = GT_SAMPLE_SHAPE(2, 3)}),
};

gt_Layer *gt_Identity_at(const char *here, const gt_Identity_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_identity, options);
}
