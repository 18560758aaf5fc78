/* PReLU: a slope below 0 that is trained. */
#include "layers/core/prelu.h"
#include "layers/kit.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "ops/nn/activation.h"

typedef struct PReLU {
    gt_Layer base;
    gt_PReLU_options options;
    gt_Variable *alpha;
} PReLU;

GT_OPTION_TYPE(gt_PReLU_options, gt_PReLU_OPTIONS);

static gt_Status prelu_create(gt_Layer *layer)
{
    return gt_set_input_spec(layer, 0, .min_rank = 1);
}

static gt_Status prelu_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    PReLU *self = (PReLU *)layer;
    const gt_PReLU_options *options = &self->options;
    gt_Shape alpha = gt_shape_of(in->shape.rank - 1, in->shape.dims + 1);
    for (int32_t i = 0; i < options->shared_axes.count; i++) {
        int axis = options->shared_axes.axis[i];
        if (axis < 1 || axis > alpha.rank)
            return gt_fail(GT_INVALID, "shared_axes must be from 1 to %d (got %d)", (int)alpha.rank,
                           axis);
        alpha.dims[axis - 1] = 1;
    }
    for (int32_t d = 0; d < alpha.rank; d++)
        if (alpha.dims[d] < 0)
            return gt_fail(GT_INVALID, "the size of axis %d is not known: shared_axes must have it",
                           (int)d + 1);
    self->alpha = gt_add_weight(
        layer, "alpha", alpha,
        .initializer = options->alpha_initializer.type ? options->alpha_initializer : gt_Zeros(),
        .regularizer = options->alpha_regularizer, .constraint = options->alpha_constraint);
    return gt_set_input_spec(layer, 0, .rank = in->shape.rank);
}

/* Does x have the size of alpha along axes that are not shared? It must not be broadcast. */
static gt_Status prelu_fits(const PReLU *self, gt_Tensor *x)
{
    gt_Spec alpha = gt_spec(self->alpha), given = gt_spec(x);
    for (int32_t d = 0; d < alpha.rank; d++)
        if (given.dims[d + 1] >= 0 && alpha.dims[d] != 1 && alpha.dims[d] != given.dims[d + 1])
            return gt_fail(GT_INVALID,
                           "axis %d must have size %lld, as the layer was built (got %lld)",
                           (int)d + 1, (long long)alpha.dims[d], (long long)given.dims[d + 1]);
    return gt_status();
}

static gt_Tensor *prelu_call(gt_Layer *layer, const gt_CallArgs *in)
{
    PReLU *self = (PReLU *)layer;
    if (prelu_fits(self, in->x) != GT_OK)
        return NULL;
    gt_Tensor *below = gt_multiply(gt_relu(gt_negative(in->x)), gt_widened(self->alpha));
    return gt_subtract(gt_relu(in->x), below);
}

const gt_LayerClass gt_layer_class_p_re_lu = {
    GT_LAYER_RECORD("p_re_lu", "PReLU", PReLU, "x where x > 0, else alpha x, alpha trained"),
    .flags = GT_LAYER_KEEPS_MASK,
    .options = &gt_PReLU_options_type,
    .create = prelu_create,
    .build = prelu_build,
    .call = prelu_call,
    .samples =
        GT_LAYER_SAMPLES({.keras = "PReLU()",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_REAL_GAP(-2, 2, 4, 2, 3)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3)},
                         {.options = GT_LAYER_OPTIONS(gt_PReLU, .shared_axes = GT_SAMPLE_SHAPE(1)),
                          .keras = "PReLU(shared_axes=[1])",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_REAL_GAP(-2, 2, 4, 2, 3, 2)),
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

gt_Layer *gt_PReLU_at(const char *here, const gt_PReLU_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_p_re_lu, options);
}
