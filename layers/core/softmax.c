/* Softmax: probabilities along an axis, of what a mask leaves. */
#include "layers/core/softmax.h"
#include "layers/kit.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/nn/activation.h"

typedef struct Softmax {
    gt_Layer base;
    gt_Softmax_options options;
} Softmax;

GT_OPTION_TYPE(gt_Softmax_options, gt_Softmax_OPTIONS);

/* Does the mask of x, over its first `covered` axes, cover one of ours? */
static bool covers(const gt_Softmax_options *options, int covered, int rank)
{
    if (options->axes.count == 0)
        return (options->axis < 0 ? options->axis + rank : options->axis) < covered;
    for (int32_t i = 0; i < options->axes.count; i++) {
        int axis = options->axes.axis[i];
        if ((axis < 0 ? axis + rank : axis) < covered)
            return true;
    }
    return false;
}

/* What counts, a mask that broadcasts to x; NULL: everything. */
static gt_Tensor *softmax_mask(const gt_Softmax_options *options, const gt_CallArgs *in)
{
    int rank = gt_rank(in->x);
    gt_Tensor *given = in->count > 1 ? in->inputs[1] : NULL, *mask = in->mask;
    if (given && gt_dtype(given) == GT_BOOL)
        return given;
    if (given)
        return gt_greater(given, gt_dtype_is_float(gt_dtype(given)) ? 0.5 : 0);
    if (!mask || !covers(options, gt_rank(mask), rank))
        return NULL;
    while (mask && gt_rank(mask) < rank)
        mask = gt_expand_dims(mask, -1);
    return mask;
}

static gt_Tensor *softmax_along(const gt_Softmax_options *options, gt_Tensor *x)
{
    if (options->axes.count == 0)
        return gt_softmax(x, .axis = options->axis);
    if (options->axes.count == 1)
        return gt_softmax(x, .axis = options->axes.axis[0]);
    return gt_exp(gt_subtract(x, gt_logsumexp(x, .axes = options->axes, .keepdims = true)));
}

static gt_Tensor *softmax_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_Softmax_options *options = &((const Softmax *)layer)->options;
    gt_Tensor *mask = softmax_mask(options, in);
    if (!mask)
        return gt_status() == GT_OK ? softmax_along(options, in->x) : NULL;
    if (gt_rank(mask) > gt_rank(in->x)) {
        gt_fail(GT_INVALID, "the mask must not have more dimensions than x (%d and %d)",
                gt_rank(mask), gt_rank(in->x));
        return NULL;
    }
    gt_Tensor *left = gt_where(mask, in->x, -1e9);
    return gt_where(mask, softmax_along(options, left), 0);
}

const gt_LayerClass gt_layer_class_softmax = {
    GT_LAYER_RECORD("softmax", "Softmax", Softmax,
                    "e^x over its sum along an axis, of what a mask leaves"),
    .flags = GT_LAYER_KEEPS_MASK | GT_LAYER_FLOAT32,
    .options = &gt_Softmax_options_type,
    .call = softmax_call,
    .ports = GT_PORTS({"x", 0, 0, 0}, {"mask", GT_PORT_OPTIONAL | GT_PORT_INTEGERS, 0, 0}),
    .samples = GT_LAYER_SAMPLES(
        {.keras = "Softmax()",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 3)},
        {.options = GT_LAYER_OPTIONS(gt_Softmax, .axis = 1),
         .keras = "Softmax(axis=1)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3)},
        {.keras = "Softmax() @ tf.identity(call(x[0], mask=tf.cast(x[1], bool)))",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(2, 3), GT_WHOLE(GT_INT32, 0, 2, 2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 3)},
        {.options = GT_LAYER_OPTIONS(gt_Softmax, .axes = GT_SAMPLE_SHAPE(1, -1)),
         .keras = "Softmax(axis=(1, -1)) @ tf.identity(call(x[0], mask=tf.cast(x[1], bool)))",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_WHOLE(GT_INT32, 0, 2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

gt_Layer *gt_Softmax_at(const char *here, const gt_Softmax_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_softmax, options);
}
