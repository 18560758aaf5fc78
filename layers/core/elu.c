/* ELU: gt_elu as a layer. */
#include "layers/core/elu.h"
#include "layers/kit.h"
#include "ops/nn/activation.h"

#include <math.h>

typedef struct ELU {
    gt_Layer base;
    gt_ELU_options options;
} ELU;

GT_OPTION_TYPE(gt_ELU_options, gt_ELU_OPTIONS);

static gt_Status elu_create(gt_Layer *layer)
{
    double alpha = ((const ELU *)layer)->options.alpha;
    return isfinite(alpha) ? GT_OK : gt_fail(GT_INVALID, "alpha must be finite (got %g)", alpha);
}

static gt_Tensor *elu_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return gt_elu(in->x, .alpha = ((const ELU *)layer)->options.alpha);
}

const gt_LayerClass gt_layer_class_elu = {
    GT_LAYER_RECORD("elu", "ELU", ELU, "x where x > 0, else alpha (e^x - 1)"),
    .flags = GT_LAYER_KEEPS_MASK,
    .options = &gt_ELU_options_type,
    .create = elu_create,
    .call = elu_call,
    .samples = GT_LAYER_SAMPLES({.keras = "ELU()",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_REAL_GAP(-2, 2, 4, 2, 3)),
                                 .masks = 1,
                                 .output = GT_SAMPLE_SHAPE(2, 3)},
                                {.options = GT_LAYER_OPTIONS(gt_ELU, .alpha = 0.5),
                                 .keras = "ELU(0.5)",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_REAL_GAP(-2, 2, 4, 4)),
                                 .output = GT_SAMPLE_SHAPE(4)}),
};

gt_Layer *gt_ELU_at(const char *here, const gt_ELU_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_elu, options);
}
