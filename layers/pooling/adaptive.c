/* AdaptiveMaxPooling and AdaptiveAveragePooling of one, two and three spatial axes. A window of several axes is the
 * product of windows of one, and so are maxima and means over it: one axis is pooled after the other. Of n elements
 * that become m every window has s = n / m elements, rounded up, or s + 1. So all windows of both lengths are pooled,
 * and those that are wanted are taken from the two:
 *
 *     n 5, m 3: [0 2) [1 4) [3 5), of lengths 2, 3, 2
 *     pooled by 2: 01 12 23 34; by 3: 012 123 234; joined, elements 0, 4 + 1 and 3 are taken */
#include "layers/pooling/adaptive.h"
#include "layers/conv/window.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/nn/pooling.h"

typedef struct AdaptivePooling {
    gt_Layer base;
    gt_AdaptiveMaxPooling1D_options options;
    int64_t size[3]; /* of the output */
} AdaptivePooling;

GT_OPTION_TYPE(gt_AdaptiveMaxPooling1D_options, gt_AdaptiveMaxPooling1D_OPTIONS);

static gt_Status adaptive_create(gt_Layer *layer)
{
    AdaptivePooling *self = (AdaptivePooling *)layer;
    return gt_sizes_expand("output_size", self->options.output_size, gt_spatial_axes(layer), 1,
                           self->size);
}

/* gt_max_pool_at or gt_average_pool_at. */
typedef gt_Tensor *(*Pool)(const char *here, gt_Tensor *x, gt_Shape pool_size,
                           const gt_max_pool_options *options);

/* Windows of `size` elements along spatial axis d of `axes`. */
static gt_Tensor *pool_windows(Pool pool, gt_Tensor *x, int axes, int d, int64_t size,
                               int64_t stride)
{
    gt_Shape window = gt_shape(1, 1, 1), strides = gt_shape(1, 1, 1);
    window.rank = strides.rank = axes;
    window.dims[d] = size;
    strides.dims[d] = stride;
    return pool(NULL, x, window, GT_KEYWORDS(gt_max_pool, .strides = strides));
}

/* Where the windows stand: those of s elements from 0 on, those of s + 1 behind them. */
static gt_Tensor *places(int64_t n, int64_t m, int64_t s)
{
    const double size = (double)n, count = (double)m;
    gt_Tensor *i = gt_multiply(gt_arange(0, count, 1, .dtype = GT_INT64), size);
    gt_Tensor *begin = gt_floor_divide(i, count);
    gt_Tensor *end = gt_floor_divide(gt_add(i, size + count - 1), count);
    gt_Tensor *longer = gt_cast(gt_greater(gt_subtract(end, begin), (double)s), GT_INT64);
    return gt_add(begin, gt_multiply(longer, size - (double)s + 1));
}

static gt_Tensor *pool_axis(Pool pool, gt_Tensor *x, int axes, int d, int64_t m)
{
    const int64_t n = gt_dim(gt_tensor_shape(x), d + 1), s = (n + m - 1) / m;
    if (n == 0) {
        gt_fail(GT_INVALID, "spatial axis %d of the input is empty", d);
        return NULL;
    }
    if (n % m == 0)
        return pool_windows(pool, x, axes, d, s, s);
    gt_Tensor *windows = pool_windows(pool, x, axes, d, s, 1);
    if (n > s)
        windows = gt_concatenate(gt_tensors(windows, pool_windows(pool, x, axes, d, s + 1, 1)),
                                 .axis = d + 1);
    return gt_take(windows, places(n, m, s), .axis = d + 1);
}

static gt_Tensor *adaptive(gt_Layer *layer, gt_Tensor *x, Pool pool)
{
    const AdaptivePooling *self = (const AdaptivePooling *)layer;
    const int axes = gt_spatial_axes(layer);
    for (int d = 0; d < axes && gt_status() == GT_OK; d++)
        x = pool_axis(pool, x, axes, d, self->size[d]);
    return x;
}

static gt_Tensor *adaptive_max_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return adaptive(layer, in->x, gt_max_pool_at);
}

static gt_Tensor *adaptive_average_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return adaptive(layer, in->x, gt_average_pool_at);
}

#define ADAPTIVE(axes)                                                                             \
    .options = &gt_AdaptiveMaxPooling1D_options_type, .create = adaptive_create,                   \
    .flags = GT_LAYER_DROPS_MASK, .ports = GT_IMAGE_PORT(axes)

const gt_LayerClass gt_layer_class_adaptive_max_pooling1d = {
    GT_LAYER_RECORD("adaptive_max_pooling1d", "AdaptiveMaxPooling1D", AdaptivePooling,
                    "the largest number of windows along one axis, to a given size"),
    ADAPTIVE(1),
    .call = adaptive_max_call,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 3),
                          .keras = "AdaptiveMaxPooling1D(3)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(2, 5, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 3),
                          .keras = "AdaptiveMaxPooling1D(3)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(1, 6, 2)),
                          .output = GT_SAMPLE_SHAPE(1, 3, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 5),
                          .keras = "AdaptiveMaxPooling1D(5)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(1, 2, 1)),
                          .output = GT_SAMPLE_SHAPE(1, 5, 1)}),
};

const gt_LayerClass gt_layer_class_adaptive_max_pooling2d = {
    GT_LAYER_RECORD("adaptive_max_pooling2d", "AdaptiveMaxPooling2D", AdaptivePooling,
                    "the largest number of windows of images, to a given size"),
    ADAPTIVE(2),
    .call = adaptive_max_call,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 3),
         .keras = "AdaptiveMaxPooling2D(3)",
         .inputs = 1,
         .input = GT_INPUTS(GT_APART(1, 5, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(1, 3, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = GT_SAMPLE_SIZES(2, 4)),
         .keras = "AdaptiveMaxPooling2D((2, 4))",
         .inputs = 1,
         .input = GT_INPUTS(GT_APART(2, 4, 3, 1)),
         .output = GT_SAMPLE_SHAPE(2, 2, 4, 1)}),
};

const gt_LayerClass gt_layer_class_adaptive_max_pooling3d = {
    GT_LAYER_RECORD("adaptive_max_pooling3d", "AdaptiveMaxPooling3D", AdaptivePooling,
                    "the largest number of windows of volumes, to a given size"),
    ADAPTIVE(3),
    .call = adaptive_max_call,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 2),
                          .keras = "AdaptiveMaxPooling3D(2)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(1, 3, 2, 3, 1)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(1, 2, 2, 2, 1)},
                         {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D,
                                                      .output_size = GT_SAMPLE_SIZES(2, 2, 1)),
                          .keras = "AdaptiveMaxPooling3D((2, 2, 1))",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_APART(1, 4, 3, 1, 2)),
                          .output = GT_SAMPLE_SHAPE(1, 2, 2, 1, 2)}),
};

const gt_LayerClass gt_layer_class_adaptive_average_pooling1d = {
    GT_LAYER_RECORD("adaptive_average_pooling1d", "AdaptiveAveragePooling1D", AdaptivePooling,
                    "the mean of windows along one axis, to a given size"),
    ADAPTIVE(1),
    .call = adaptive_average_call,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 3),
                          .keras = "AdaptiveAveragePooling1D(3)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 5, 2)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 3),
                          .keras = "AdaptiveAveragePooling1D(3)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(1, 6, 2)),
                          .output = GT_SAMPLE_SHAPE(1, 3, 2)},
                         {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 5),
                          .keras = "AdaptiveAveragePooling1D(5)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(1, 2, 1)),
                          .output = GT_SAMPLE_SHAPE(1, 5, 1)}),
};

const gt_LayerClass gt_layer_class_adaptive_average_pooling2d = {
    GT_LAYER_RECORD("adaptive_average_pooling2d", "AdaptiveAveragePooling2D", AdaptivePooling,
                    "the mean of windows of images, to a given size"),
    ADAPTIVE(2),
    .call = adaptive_average_call,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 3),
         .keras = "AdaptiveAveragePooling2D(3)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 5, 4, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(1, 3, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = GT_SAMPLE_SIZES(2, 4)),
         .keras = "AdaptiveAveragePooling2D((2, 4))",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 3, 1)),
         .output = GT_SAMPLE_SHAPE(2, 2, 4, 1)}),
};

const gt_LayerClass gt_layer_class_adaptive_average_pooling3d = {
    GT_LAYER_RECORD("adaptive_average_pooling3d", "AdaptiveAveragePooling3D", AdaptivePooling,
                    "the mean of windows of volumes, to a given size"),
    ADAPTIVE(3),
    .call = adaptive_average_call,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D, .output_size = 2),
                          .keras = "AdaptiveAveragePooling3D(2)",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(1, 3, 2, 3, 1)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(1, 2, 2, 2, 1)},
                         {.options = GT_LAYER_OPTIONS(gt_AdaptiveMaxPooling1D,
                                                      .output_size = GT_SAMPLE_SIZES(2, 2, 1)),
                          .keras = "AdaptiveAveragePooling3D((2, 2, 1))",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(1, 4, 3, 1, 2)),
                          .output = GT_SAMPLE_SHAPE(1, 2, 2, 1, 2)}),
};

gt_Layer *gt_AdaptiveMaxPooling1D_at(const char *here,
                                     const gt_AdaptiveMaxPooling1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_adaptive_max_pooling1d, options);
}

gt_Layer *gt_AdaptiveMaxPooling2D_at(const char *here,
                                     const gt_AdaptiveMaxPooling2D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_adaptive_max_pooling2d, options);
}

gt_Layer *gt_AdaptiveMaxPooling3D_at(const char *here,
                                     const gt_AdaptiveMaxPooling3D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_adaptive_max_pooling3d, options);
}

gt_Layer *gt_AdaptiveAveragePooling1D_at(const char *here,
                                         const gt_AdaptiveAveragePooling1D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_adaptive_average_pooling1d, options);
}

gt_Layer *gt_AdaptiveAveragePooling2D_at(const char *here,
                                         const gt_AdaptiveAveragePooling2D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_adaptive_average_pooling2d, options);
}

gt_Layer *gt_AdaptiveAveragePooling3D_at(const char *here,
                                         const gt_AdaptiveAveragePooling3D_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_adaptive_average_pooling3d, options);
}
