/* Dot: products of two inputs, row by row of the batch, summed over an axis of each. */
#include "layers/merging/dot.h"
#include "layers/kit.h"
#include "ops/linalg/contraction.h"

typedef struct Dot {
    gt_Layer base;
    gt_Dot_options options;
} Dot;

GT_OPTION_TYPE(gt_Dot_options, gt_Dot_OPTIONS);

static gt_Status dot_create(gt_Layer *layer)
{
    const gt_Axes *axes = &((const Dot *)layer)->options.axes;
    if (axes->count < 1 || axes->count > 2)
        return gt_fail(GT_INVALID, "axes must be one axis, or one of each input (got %d)",
                       (int)axes->count);
    return gt_status();
}

/* Axis of input i from the front; -1 with an error raised if it is none, or the batch. */
static int axis_of(const Dot *self, const gt_CallArgs *in, int i)
{
    const gt_Axes *axes = &self->options.axes;
    int given = axes->axis[axes->count > 1 ? i : 0], rank = gt_rank(in->inputs[i]);
    int axis = given < 0 ? given + rank : given;
    if (axis >= 1 && axis < rank)
        return axis;
    gt_fail(GT_INVALID, "axes must be from 1 to %d for input %d, and not the batch (got %d)",
            rank - 1, i + 1, given);
    return -1;
}

/* Two sizes, if both are known. */
static bool differ(int64_t a, int64_t b)
{
    return a != b && a >= 0 && b >= 0;
}

static gt_Tensor *dot_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const Dot *self = (const Dot *)layer;
    gt_Tensor *x[2];
    int axis[2];
    for (int i = 0; i < 2; i++) {
        axis[i] = axis_of(self, in, i);
        if (axis[i] < 0)
            return NULL;
        x[i] = gt_autocast(in, in->inputs[i]);
    }
    gt_Spec one = gt_spec(x[0]), other = gt_spec(x[1]);
    if (gt_status() != GT_OK)
        return NULL;
    if (differ(one.dims[axis[0]], other.dims[axis[1]]) || differ(one.dims[0], other.dims[0])) {
        char a[160], b[160];
        gt_fail(GT_INVALID,
                "inputs must have the same batch size, and axis %d of one the size of axis %d of "
                "the other (got shapes %s and %s)",
                axis[0], axis[1], gt_dims_text(&one, a, sizeof a),
                gt_dims_text(&other, b, sizeof b));
        return NULL;
    }
    return gt_batch_dot(x[0], x[1], .axes = gt_axes(axis[0], axis[1]),
                        .normalize = self->options.normalize);
}

/* Padding counts like the rest, and nobody is told: in Keras, too. */
static gt_Tensor *dot_mask(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer, (void)in;
    return NULL;
}

const gt_LayerClass gt_layer_class_dot = {
    GT_LAYER_RECORD("dot", "Dot", Dot, "products of two inputs, summed over an axis of each"),
    .options = &gt_Dot_options_type,
    .create = dot_create,
    .call = dot_call,
    .mask = dot_mask,
    .ports = GT_PORTS({"inputs", 0, 2, 0}, {"other", 0, 2, 0}),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_Dot, .axes = GT_SAMPLE_SHAPE(1)),
         .keras = "Dot(1)",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3)),
         .masks = 3,
         .output = GT_SAMPLE_SHAPE(2, 1)},
        {.options = GT_LAYER_OPTIONS(gt_Dot, .axes = GT_SAMPLE_SHAPE(1, -1), .normalize = true),
         .keras = "Dot((1, -1), normalize=True)",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 5, 3)),
         .output = GT_SAMPLE_SHAPE(2, 4, 5)},
        {.options = GT_LAYER_OPTIONS(gt_Dot, .axes = GT_SAMPLE_SHAPE(-1, 1)),
         .keras = "Dot((3, 1))",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(2, 3, 2, 4), GT_ANY(2, 4)),
         .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

gt_Layer *gt_Dot_at(const char *here, gt_Axes axes, const gt_Dot_options *given)
{
    gt_Dot_options options;
    GT_TAKE(gt_Dot_options, &options, given);
    options.axes = axes;
    return gt_layer_make_at(here, &gt_layer_class_dot, &options);
}
