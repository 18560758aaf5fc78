/* MixUp, CutMix: images, and their labels, mixed with others of the batch in training. */
#include "layers/preprocessing/random_mix.h"
#include "layers/preprocessing/images.h"
#include "layers/preprocessing/numbers.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/array/sorting.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/random.h"

/* ---- mixing ---- */

static gt_Tensor *one_minus(gt_Tensor *x)
{
    return gt_add(gt_negative(x), 1);
}

static gt_Tensor *others(gt_Tensor *x, gt_Tensor *order)
{
    return gt_take(x, order, .axis = 0);
}

/* w x + (1 - w) x' of rows or of images. */
static gt_Tensor *blend(gt_Tensor *x, gt_Tensor *order, gt_Tensor *w)
{
    return gt_add(gt_multiply(w, x), gt_multiply(one_minus(w), others(x, order)));
}

gt_Tensor *gt_mix_images(gt_Tensor *images, const gt_Mix *mix)
{
    return mix->from_other ? gt_where(mix->from_other, others(images, mix->order), images)
                           : blend(images, mix->order, mix->weight);
}

gt_Tensor *gt_mix_labels(gt_Tensor *labels, const gt_Mix *mix)
{
    return blend(labels, mix->order, gt_squeeze(mix->weight, .axes = gt_axes(2, 3)));
}

/* An image for each, in an order that is drawn. */
static gt_Tensor *drawn_order(gt_Layer *layer, gt_Tensor *images)
{
    gt_Tensor *u = gt_draw_each(layer, images, (gt_Range){0, 1});
    return gt_argsort(gt_squeeze(u, .axes = gt_axes(1, 2, 3)), .axis = 0);
}

typedef void (*Draw)(gt_Layer *layer, gt_Tensor *images, gt_Mix *mix);

/* What both layers do, with what `draw` draws. */
static gt_Tensor *mixed(gt_Layer *layer, const gt_CallArgs *in, Draw draw)
{
    gt_Tensor *x = gt_as_floats(layer, in->x), *labels = in->count > 1 ? in->inputs[1] : NULL;
    const bool labelled = in->wanted >> 1 & 1;
    if (labelled && !labels) {
        gt_fail(GT_INVALID, "labels are asked for, so they must be given");
        return NULL;
    }
    if (labelled)
        in->outputs[1] = gt_identity(gt_as_floats(layer, labels));
    if (!in->training || gt_rank(x) == 3)
        return x == in->x ? gt_identity(x) : x;
    gt_Mix mix = {NULL, NULL, NULL};
    gt_Tensor *images = gt_widened(x);
    draw(layer, images, &mix);
    if (labelled)
        in->outputs[1] =
            gt_cast(gt_mix_labels(gt_widened(in->outputs[1]), &mix), gt_dtype(in->outputs[1]));
    return gt_cast(gt_mix_images(images, &mix), gt_dtype(x));
}

#define MIX_PORTS                                                                                  \
    GT_PORTS({"images", GT_PORT_INTEGERS, 3, 4},                                                   \
             {"labels", GT_PORT_INTEGERS | GT_PORT_OPTIONAL, 2, 2})
/* Behind a sample's layer in Python. */
#define ONLY_IMAGES " @ tf.identity(call(x[0]))"
#define WITH_LABELS " @ list(call({'images': x[0], 'labels': x[1]}).values())"

/* ---- MixUp ---- */

typedef struct MixUp {
    gt_ImageLayer image;
    gt_MixUp_options options;
} MixUp;

GT_OPTION_TYPE(gt_MixUp_options, gt_MixUp_OPTIONS);

static void draw_mix_up(gt_Layer *layer, gt_Tensor *images, gt_Mix *mix)
{
    const double alpha = ((const MixUp *)layer)->options.alpha;
    mix->order = drawn_order(layer, images);
    mix->weight = gt_draw_beta(layer, gt_one_of_each(images), gt_scalar(alpha, gt_dtype(images)));
}

static gt_Tensor *mix_up_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return mixed(layer, in, draw_mix_up);
}

static gt_Status mix_up_create(gt_Layer *layer)
{
    const gt_MixUp_options *o = &((const MixUp *)layer)->options;
    if (!(o->alpha > 0 && isfinite(o->alpha)))
        return gt_fail(GT_INVALID, "alpha must be finite and > 0 (got %g)", o->alpha);
    return gt_image_layer(layer, NULL, o->seed, true);
}

const gt_LayerClass gt_layer_class_mix_up = {
    GT_LAYER_RECORD("mix_up", "MixUp", MixUp, "in training images and labels mixed with others"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_MixUp_options_type,
    .outputs = 2,
    .create = mix_up_create,
    .build = gt_image_build,
    .call = mix_up_call,
    .ports = MIX_PORTS,
    .samples = GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_MixUp, .alpha = 0.6, .seed = 7),
                                 .keras = "MixUp(0.6, seed=7)" ONLY_IMAGES,
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(3, 2, 3, 2)),
                                 .masks = 1,
                                 .output = GT_SAMPLE_SHAPE(3, 2, 3, 2)},
                                {.options = GT_LAYER_OPTIONS(gt_MixUp, .alpha = 2.5),
                                 .keras = "MixUp(2.5)" WITH_LABELS,
                                 .inputs = 2,
                                 .outputs = 2,
                                 .input = GT_INPUTS(GT_ANY(4, 2, 2, 1), GT_REAL(0, 1, 4, 3)),
                                 .masks = 2,
                                 .output = GT_SAMPLE_SHAPE(4, 2, 2, 1)}),
};

gt_Layer *gt_MixUp_at(const char *here, const gt_MixUp_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_mix_up, options);
}

/* ---- CutMix ---- */

typedef struct CutMix {
    gt_ImageLayer image;
    gt_CutMix_options options;
    gt_Range factor;
} CutMix;

GT_OPTION_TYPE(gt_CutMix_options, gt_CutMix_OPTIONS);

/* Of an axis of `size` places: `part` of it, from a drawn place on. */
static void draw_stretch(gt_Layer *layer, gt_Tensor *images, int64_t size, gt_Tensor *part,
                         gt_Tensor *ends[2])
{
    gt_Tensor *length = gt_multiply(part, (double)size);
    gt_Tensor *free = gt_add(gt_negative(length), (double)size);
    ends[0] = gt_multiply(gt_draw_each(layer, images, (gt_Range){0, 1}), free);
    ends[1] = gt_add(ends[0], length);
}

/* Which places of an axis lie from the first of the ends on, before the second. */
static gt_Tensor *inside(int64_t size, gt_Shape shape, gt_Tensor *const ends[2])
{
    gt_Tensor *places = gt_arange(0, (double)size, 1, .dtype = gt_dtype(ends[0]));
    places = gt_reshape(places, shape);
    return gt_logical_and(gt_greater_equal(places, ends[0]), gt_less(places, ends[1]));
}

static void draw_cut_mix(gt_Layer *layer, gt_Tensor *images, gt_Mix *mix)
{
    const gt_Range factor = ((const CutMix *)layer)->factor;
    gt_Tensor *x[2], *y[2];
    int64_t height, width;
    gt_image_size(images, &height, &width);
    gt_Tensor *alpha = gt_add(gt_draw_one(layer, factor, gt_dtype(images)), 1e-6);
    gt_Tensor *part = gt_sqrt(one_minus(gt_draw_beta(layer, gt_one_of_each(images), alpha)));
    draw_stretch(layer, images, width, part, x);
    draw_stretch(layer, images, height, part, y);
    gt_Tensor *columns = inside(width, gt_shape(1, 1, width, 1), x);
    mix->from_other = gt_logical_and(columns, inside(height, gt_shape(1, height, 1, 1), y));
    gt_Tensor *area = gt_multiply(gt_subtract(x[1], x[0]), gt_subtract(y[1], y[0]));
    mix->weight = one_minus(gt_divide(area, (double)(width * height)));
    mix->order = drawn_order(layer, images);
}

static gt_Tensor *cut_mix_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return in->training && !gt_has_pixels(in->x) ? NULL : mixed(layer, in, draw_cut_mix);
}

static gt_Status cut_mix_create(gt_Layer *layer)
{
    CutMix *self = (CutMix *)layer;
    const gt_CutMix_options *o = &self->options;
    if (gt_factor_range("factor", o->factor, o->factor_lower, 0, 1, &self->factor) != GT_OK)
        return gt_status();
    return gt_image_layer(layer, NULL, o->seed, true);
}

const gt_LayerClass gt_layer_class_cut_mix = {
    GT_LAYER_RECORD("cut_mix", "CutMix", CutMix, "in training a rectangle from another image"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_CutMix_options_type,
    .outputs = 2,
    .create = cut_mix_create,
    .build = gt_image_build,
    .call = cut_mix_call,
    .ports = MIX_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_CutMix, .factor = 0.9, .factor_lower = 0.4, .seed = 7),
         .keras = "CutMix((0.4, 0.9), seed=7)" ONLY_IMAGES,
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(3, 3, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(3, 3, 4, 2)},
        {.options = GT_LAYER_OPTIONS(gt_CutMix, .factor_lower = 1),
         .keras = "CutMix((1, 1))" WITH_LABELS,
         .inputs = 2,
         .outputs = 2,
         .input = GT_INPUTS(GT_ANY(4, 2, 3, 1), GT_REAL(0, 1, 4, 3)),
         .masks = 2,
         .output = GT_SAMPLE_SHAPE(4, 2, 3, 1)}),
};

gt_Layer *gt_CutMix_at(const char *here, const gt_CutMix_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_cut_mix, options);
}
