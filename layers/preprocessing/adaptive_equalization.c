/* ContrastLimitedAdaptiveHistogramEqualization: levels that are equally often there in each part of an image.
 *
 *     mirror the image to whole tiles -> of each tile and channel a table, level -> level -> each pixel looks its level up in
 *     the tables of the four tiles whose middles are around it, and lies between what they say */
#include "layers/preprocessing/adaptive_equalization.h"
#include "layers/preprocessing/images.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"

enum { LEVELS = 256 };

typedef struct Clahe {
    gt_ImageLayer image;
    gt_ContrastLimitedAdaptiveHistogramEqualization_options options;
    gt_Range values;
    int64_t grid[2]; /* tiles down and across */
} Clahe;

GT_OPTION_TYPE(gt_ContrastLimitedAdaptiveHistogramEqualization_options,
               gt_ContrastLimitedAdaptiveHistogramEqualization_OPTIONS);

/* An image of tiles. */
typedef struct Tiles {
    int64_t grid[2], size[2]; /* how many, and the pixels of one; down and across */
    int64_t channels;
} Tiles;

/* ---- tables ---- */

/* Counts above the limit, of all levels together, are spread over all levels. */
static gt_Tensor *limited(gt_Tensor *count, double limit)
{
    gt_Tensor *kept = gt_minimum(count, limit);
    gt_Tensor *excess = gt_sum(gt_subtract(count, kept), .axis = -1, .keepdims = true);
    return gt_add(kept, gt_divide(excess, LEVELS));
}

/* (batch, down, across, channels, 256), numbers from 0 to 255. */
static gt_Tensor *tables(gt_Tensor *level, const Tiles *tiles, double clip_limit)
{
    const int64_t *grid = tiles->grid, *size = tiles->size, area = size[0] * size[1];
    gt_Tensor *x =
        gt_reshape(level, gt_shape(grid[0], size[0], grid[1], size[1], tiles->channels), .keep = 1);
    x = gt_transpose(x, .perm = gt_axes(0, 1, 3, 5, 2, 4));
    x = gt_reshape(x, gt_shape(grid[0], grid[1], tiles->channels, area), .keep = 1);
    gt_Tensor *count = gt_sum(gt_one_hot(x, LEVELS), .axis = -2);
    if (clip_limit > 0)
        count = limited(count, clip_limit * (double)area / LEVELS);
    gt_Tensor *sum = gt_cumsum(count, .axis = -1);
    gt_Tensor *least = gt_min(sum, .axis = -1, .keepdims = true);
    gt_Tensor *rest = gt_add(gt_negative(least), (double)area);
    rest = gt_where(gt_equal(rest, 0), gt_ones_like(rest), rest);
    return gt_clip(gt_divide(gt_multiply(gt_subtract(sum, least), 255), rest), 0, 255);
}

/* ---- between tiles ---- */

/* Along an axis: for each pixel the tile before it and the one after it, by their middles, and how far it is to the
 * second one, 0 to 1. Beyond the middles of the outer tiles both are the same. */
typedef struct Between {
    gt_Tensor *tile[2], *weight;
} Between;

static Between between(const Tiles *tiles, int axis, gt_Shape shape)
{
    const double size = (double)tiles->size[axis], last = (double)tiles->grid[axis] - 1;
    gt_Tensor *pixel = gt_arange(0, size * (last + 1), 1, .dtype = GT_FLOAT32);
    gt_Tensor *at =
        gt_add(gt_divide(gt_subtract(pixel, size / 2), size), 1); /* rounded as Keras's */
    gt_Tensor *after = gt_floor(at);
    Between result;
    for (int i = 0; i < 2; i++)
        result.tile[i] =
            gt_cast(gt_reshape(gt_clip(gt_add(after, i - 1), 0, last), shape), GT_INT64);
    result.weight = gt_reshape(gt_subtract(at, after), shape);
    return result;
}

/* What the tables of those tiles say for each pixel. */
static gt_Tensor *look_up(gt_Tensor *table, gt_Tensor *level, const Tiles *tiles, gt_Tensor *down,
                          gt_Tensor *across)
{
    const int64_t high = tiles->grid[0] * tiles->size[0], wide = tiles->grid[1] * tiles->size[1];
    const double stride = (double)(tiles->channels * LEVELS);
    gt_Tensor *channel = gt_arange(0, stride, LEVELS, .dtype = GT_INT64);
    gt_Tensor *tile = gt_add(gt_multiply(down, (double)tiles->grid[1]), across);
    gt_Tensor *place = gt_add(gt_add(gt_multiply(tile, stride), channel), level);
    table = gt_reshape(table, gt_shape(-1), .keep = 1);
    gt_Tensor *found =
        gt_take_along_axis(table, gt_reshape(place, gt_shape(-1), .keep = 1), .axis = 1);
    return gt_reshape(found, gt_shape(high, wide, tiles->channels), .keep = 1);
}

/* a + w (b - a), as Keras rounds it. */
static gt_Tensor *mixed(gt_Tensor *a, gt_Tensor *b, gt_Tensor *w)
{
    gt_Tensor *rest = gt_add(gt_negative(w), 1);
    return gt_add(gt_multiply(a, rest), gt_multiply(b, w));
}

/* Of images of whole tiles, from 0 to 255. */
static gt_Tensor *equalized(gt_Tensor *images, const Tiles *tiles, double clip_limit)
{
    gt_Tensor *level = gt_cast(gt_clip(images, 0, LEVELS - 1), GT_INT64);
    gt_Tensor *table = tables(level, tiles, clip_limit), *row[2];
    const Between down = between(tiles, 0, gt_shape(-1, 1, 1)),
                  across = between(tiles, 1, gt_shape(-1, 1));
    for (int i = 0; i < 2; i++)
        row[i] = mixed(look_up(table, level, tiles, down.tile[i], across.tile[0]),
                       look_up(table, level, tiles, down.tile[i], across.tile[1]), across.weight);
    return mixed(row[0], row[1], down.weight);
}

static gt_Tensor *adapt(gt_Layer *layer, gt_Tensor *images)
{
    static const gt_Range levels = {0, 255};
    const Clahe *self = (const Clahe *)layer;
    int64_t size[2], more[2];
    Tiles tiles = {.channels = gt_last(gt_tensor_shape(images))};
    gt_image_size(images, &size[0], &size[1]);
    for (int i = 0; i < 2; i++) {
        tiles.grid[i] = self->grid[i];
        tiles.size[i] = (size[i] + tiles.grid[i] - 1) / tiles.grid[i];
        more[i] = tiles.size[i] * tiles.grid[i] - size[i];
    }
    gt_Tensor *x = gt_change_range(gt_cast(images, GT_FLOAT32), self->values, levels);
    if (more[0] > 0 || more[1] > 0)
        x = gt_pad(x, gt_shape(0, 0, 0, 0), gt_shape(0, more[0], more[1], 0),
                   .mode = GT_PAD_MODE_SYMMETRIC);
    gt_Tensor *y = equalized(x, &tiles, self->options.clip_limit);
    y = gt_slice(y, gt_shape(0, 0, 0, 0), gt_shape(-1, size[0], size[1], -1));
    return gt_cast(gt_change_range(y, levels, self->values), gt_dtype(images));
}

/* ---- the layer ---- */

static gt_Tensor *clahe_call(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_CallArgs always = *in;
    always.training = true;
    return gt_image_call(layer, &always);
}

static gt_Status clahe_create(gt_Layer *layer)
{
    Clahe *self = (Clahe *)layer;
    const gt_ContrastLimitedAdaptiveHistogramEqualization_options *o = &self->options;
    if (gt_value_range(&o->value_range, &self->values) != GT_OK ||
        gt_sizes_expand("tile_grid_size", o->tile_grid_size, 2, 1, self->grid) != GT_OK)
        return gt_status();
    if (!(o->clip_limit >= 0))
        return gt_fail(GT_INVALID, "clip_limit must be >= 0 (got %g)", o->clip_limit);
    return gt_image_layer(layer, adapt, -1, false);
}

const gt_LayerClass gt_layer_class_contrast_limited_adaptive_histogram_equalization = {
    GT_LAYER_RECORD("contrast_limited_adaptive_histogram_equalization",
                    "ContrastLimitedAdaptiveHistogramEqualization", Clahe,
                    "levels that are equally often there in each part of an image"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_ContrastLimitedAdaptiveHistogramEqualization_options_type,
    .create = clahe_create,
    .call = clahe_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_ContrastLimitedAdaptiveHistogramEqualization,
                                     .clip_limit = 30, .tile_grid_size = GT_SAMPLE_SIZES(2, 3)),
         .keras = "ContrastLimitedAdaptiveHistogramEqualization((0, 255), 30., (2, 3))",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(-10, 270, 2, 6, 7, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 6, 7, 2)},
        {.options = GT_LAYER_OPTIONS(gt_ContrastLimitedAdaptiveHistogramEqualization,
                                     .value_range = GT_SAMPLE_NUMBERS(-1, 1), .clip_limit = 0,
                                     .tile_grid_size = GT_SAMPLE_SIZES(2, 2)),
         .keras = "ContrastLimitedAdaptiveHistogramEqualization((-1, 1), 0, (2, 2))",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(-1, 1, 3, 5, 4, 1)),
         .output = GT_SAMPLE_SHAPE(3, 5, 4, 1)},
        {.keras = "ContrastLimitedAdaptiveHistogramEqualization()",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(0, 255, 1, 16, 9, 1)),
         .output = GT_SAMPLE_SHAPE(1, 16, 9, 1)}),
};

gt_Layer *gt_ContrastLimitedAdaptiveHistogramEqualization_at(
    const char *here, const gt_ContrastLimitedAdaptiveHistogramEqualization_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_contrast_limited_adaptive_histogram_equalization,
                            options);
}
