/* Cropping1D, 2D, 3D: the ends of the spatial axes cut off. */
#include "layers/reshaping/cropping.h"
#include "core/text.h"
#include "layers/reshaping/margins.h"
#include "ops/array/indexing.h"

#include <string.h>

typedef struct Cropping {
    gt_Layer base;
    gt_Cropping1D_options options;
    gt_Margins margins;
} Cropping;

GT_OPTION_TYPE(gt_Cropping1D_options, gt_Cropping1D_OPTIONS);

typedef struct Cropping2D {
    gt_Layer base;
    gt_Cropping2D_options options;
    gt_Margins margins;
} Cropping2D;

GT_OPTION_TYPE(gt_Cropping2D_options, gt_Cropping2D_OPTIONS);

static gt_Status cropping_create(gt_Layer *layer)
{
    Cropping *self = (Cropping *)layer;
    return gt_margins(layer, "cropping", self->options.cropping, self->options.cropping_after,
                      &self->margins);
}

static gt_Status cropping2d_create(gt_Layer *layer)
{
    Cropping2D *self = (Cropping2D *)layer;
    return gt_margins(layer, "cropping", self->options.cropping, self->options.cropping_after,
                      &self->margins);
}

/* Is something left of axes whose sizes are known? */
static gt_Status check_left(const gt_Margins *margins, gt_Tensor *x)
{
    gt_Spec spec = gt_spec(x);
    for (int d = 0; d < spec.rank - 2; d++) {
        int64_t size = spec.dims[d + 1], before = margins->before[d], after = margins->after[d];
        if (size >= 0 && before + after >= size)
            return gt_fail(
                GT_INVALID,
                "cropping must leave something of axis %d (of size %lld, less %lld and %lld)",
                d + 1, (long long)size, (long long)before, (long long)after);
    }
    return gt_status();
}

/* ":, 1:-2, 0:": nothing in it depends on sizes. */
static gt_Tensor *cropped(const gt_Margins *margins, gt_Tensor *x)
{
    char key[160] = ":";
    if (check_left(margins, x) != GT_OK)
        return NULL;
    for (int d = 0; d < gt_rank(x) - 2; d++) {
        size_t at = strlen(key);
        gt_text(key + at, sizeof key - at,
                margins->after[d] ? ", %lld:-%lld" : ", %lld:", (long long)margins->before[d],
                (long long)margins->after[d]);
    }
    return gt_get_item(x, key);
}

static gt_Tensor *cropping_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return cropped(&((const Cropping *)layer)->margins, in->x);
}

static gt_Tensor *cropping2d_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return cropped(&((const Cropping2D *)layer)->margins, in->x);
}

static gt_Layer *cropped_by_axis(void)
{
    return gt_Cropping2D(gt_sizes(1, 0), .cropping_after = gt_sizes(0, 2));
}

const gt_LayerClass gt_layer_class_cropping1d = {
    GT_LAYER_RECORD("cropping1d", "Cropping1D", Cropping, "the ends of (steps) cut off"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_Cropping1D_options_type,
    .create = cropping_create,
    .call = cropping_call,
    .ports = GT_PORTS({"x", 0, 3, 3}),
    .samples = GT_LAYER_SAMPLES(
        {.keras = "Cropping1D()",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_Cropping1D, .cropping = 2, .cropping_after = 0),
         .keras = "Cropping1D((2, 0))",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(2, 1, 2)}),
};

gt_Layer *gt_Cropping1D_at(const char *here, const gt_Cropping1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_cropping1d, options);
}

const gt_LayerClass gt_layer_class_cropping2d = {
    GT_LAYER_RECORD("cropping2d", "Cropping2D", Cropping2D, "the ends of (height, width) cut off"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_Cropping2D_options_type,
    .create = cropping2d_create,
    .call = cropping2d_call,
    .ports = GT_PORTS({"x", 0, 4, 4}),
    .samples = GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_Cropping2D, .cropping = 1),
                                 .keras = "Cropping2D(1)",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(2, 3, 4, 1)),
                                 .output = GT_SAMPLE_SHAPE(2, 1, 2, 1)},
                                {.keras = "Cropping2D()",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(1, 2, 2, 2)),
                                 .output = GT_SAMPLE_SHAPE(1, 2, 2, 2)},
                                {.make = cropped_by_axis,
                                 .keras = "Cropping2D(((1, 0), (0, 2)))",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(1, 2, 3, 2)),
                                 .masks = 1,
                                 .output = GT_SAMPLE_SHAPE(1, 1, 1, 2)}),
};

gt_Layer *gt_Cropping2D_at(const char *here, const gt_Cropping2D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_cropping2d, options);
}

const gt_LayerClass gt_layer_class_cropping3d = {
    GT_LAYER_RECORD("cropping3d", "Cropping3D", Cropping,
                    "the ends of (depth, height, width) cut off"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_Cropping1D_options_type,
    .create = cropping_create,
    .call = cropping_call,
    .ports = GT_PORTS({"x", 0, 5, 5}),
    .samples = GT_LAYER_SAMPLES(
        {.keras = "Cropping3D()",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 3, 4, 3, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(1, 1, 2, 1, 2)},
        {.options = GT_LAYER_OPTIONS(gt_Cropping1D, .cropping = 2, .cropping_after = 0),
         .keras = "Cropping3D(((2, 0), (2, 0), (2, 0)))",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 3, 4, 3, 2)),
         .output = GT_SAMPLE_SHAPE(1, 1, 2, 1, 2)}),
};

gt_Layer *gt_Cropping3D_at(const char *here, const gt_Cropping1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_cropping3d, options);
}
