/* Looking between the pixels: gt_map_coordinates and gt_affine_transform, made of operations. */
#include "ops/nn/image.h"
#include "ops/nn/image_inside.h"
#include "core/inside.h"
#include "ops/math/arithmetic.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/array/reshaping.h"
#include "ops/nn/window.h"

GT_OPTION_TYPE(gt_map_coordinates_options, gt_map_coordinates_OPTIONS);
GT_OPTION_TYPE(gt_affine_transform_options, gt_affine_transform_OPTIONS);

/* `order` 0 (nearest) or 1 (linear), and what is seen outside. */
typedef struct Look {
    int order;
    gt_FillMode mode;
    double fill;
} Look;

/* One of the two elements around each coordinate along an axis of length n: its index, how much it
 * counts (NULL: 1), and whether it is inside (NULL: it always is). */
typedef struct Corner {
    gt_Tensor *index, *weight, *inside;
} Corner;

static Corner corner_of(const Look *look, gt_Tensor *coordinate, int64_t n, int side)
{
    static const gt_PadMode folds[] = {GT_PAD_MODE_EDGE, GT_PAD_MODE_EDGE, GT_PAD_MODE_WRAP,
                                       GT_PAD_MODE_REFLECT, GT_PAD_MODE_SYMMETRIC};
    Corner corner = {0};
    gt_Tensor *whole = look->order == 0 ? gt_round(coordinate) : gt_floor(coordinate);
    whole = gt_stop_gradient(whole);
    if (look->order == 1) {
        gt_Tensor *above = gt_subtract(coordinate, whole);
        corner.weight = side ? above : gt_add(gt_negative(above), 1);
    }
    gt_Tensor *index = gt_cast(whole, GT_INT64);
    index = side ? gt_add(index, 1) : index;
    if (look->mode == GT_FILL_MODE_CONSTANT)
        corner.inside = gt_logical_and(gt_greater_equal(index, 0), gt_less(index, (double)n));
    corner.index = gt_fold_indices(index, n, folds[look->mode]);
    return corner;
}

static gt_Tensor *both(gt_Tensor *a, gt_Tensor *b, bool logical)
{
    return !a ? b : !b ? a : logical ? gt_logical_and(a, b) : gt_multiply(a, b);
}

/* Layers (count, places) at coordinates of one shape each, of arrays of `axes` dimensions behind
 * one more, along which `start` says where to look: (count, that shape). The layers are the
 * channels: weights then go with long runs of numbers, not with three. */
static gt_Tensor *look_at(const Look *look, gt_Tensor *layers, gt_Tensor *start, int axes,
                          const int64_t *dims, gt_Tensor *const *coordinate)
{
    Corner corners[GT_MAX_RANK][2];
    int sides = look->order + 1, count = look->order ? 1 << axes : 1;
    gt_Tensor *sum = NULL;
    for (int d = 0; d < axes; d++)
        for (int side = 0; side < sides; side++)
            corners[d][side] = corner_of(look, coordinate[d], dims[d], side);
    for (int k = 0; k < count && gt_status() == GT_OK; k++) {
        gt_Tensor *index = start, *weight = NULL, *inside = NULL;
        for (int d = 0; d < axes; d++) {
            const Corner *corner = &corners[d][k >> d & 1];
            index = gt_add(gt_multiply(index, (double)dims[d]), corner->index);
            weight = both(weight, corner->weight, false);
            inside = both(inside, corner->inside, true);
        }
        gt_Tensor *seen = gt_take(layers, index, .axis = 1);
        if (inside)
            seen = gt_where(inside, seen, look->fill);
        if (weight)
            seen = gt_multiply(seen, weight);
        sum = sum ? gt_add(sum, seen) : seen;
    }
    return sum;
}

/* Can x be looked at like that? */
static bool takes_look(const Look *look, const gt_Spec *x)
{
    if (look->order >= 0 && look->order <= 1 && look->mode >= GT_FILL_MODE_CONSTANT &&
        look->mode <= GT_FILL_MODE_REFLECT)
        return gt_takes(x, GT_TAKES_FLOAT);
    gt_fail(GT_INVALID,
            "order must be 0 (nearest) or 1 (linear) and fill_mode a gt_FillMode (got %d and %d)",
            look->order, (int)look->mode);
    return false;
}

static gt_Tensor *map_coordinates(gt_Tensor *x, gt_Tensor *coordinates, int order,
                                  const gt_map_coordinates_options *given)
{
    gt_map_coordinates_options options;
    GT_TAKE(gt_map_coordinates_options, &options, given);
    gt_Spec in = gt_spec(x), at = gt_spec(coordinates);
    const Look look = {order, options.fill_mode, options.fill_value};
    char a[160], b[160];
    if (gt_status() != GT_OK || !takes_look(&look, &in))
        return NULL;
    if (in.rank < 1 || at.rank < 1 || at.dims[0] != in.rank) {
        gt_fail(GT_INVALID, "coordinates in %s must be (%d, ...) (got %s)",
                gt_dims_text(&in, b, sizeof b), (int)in.rank,
                gt_dims_text(&at, a, sizeof a));
        return NULL;
    }
    gt_Tensor *one[GT_MAX_RANK];
    gt_unstack(gt_cast(coordinates, in.dtype), in.rank, one);
    gt_Tensor *y = look_at(&look, gt_reshape(x, gt_shape(1, -1)), gt_scalar(0, GT_INT64), in.rank,
                           in.dims, one);
    return gt_squeeze(y, .axis = 0);
}
GT_COMPOSED(map_coordinates,
            (const char *here, gt_Tensor *x, gt_Tensor *coordinates, int order,
             const gt_map_coordinates_options *options),
            (x, coordinates, order, options))

/* The number of each image, (batch, 1, 1): counted, so that the batch may be any. */
static gt_Tensor *numbers_of(gt_Tensor *images)
{
    const gt_Spec spec = gt_spec(images);
    if (gt_status() != GT_OK || spec.size == 0)
        return gt_zeros(gt_shape(spec.dims[0], 1, 1), .dtype = GT_INT64);
    gt_Tensor *one = gt_slice(images, gt_shape(0, 0, 0, 0), gt_shape(-1, 1, 1, 1));
    one = gt_ones_like(gt_squeeze(one, .axis = -1), .dtype = GT_INT64);
    return gt_subtract(gt_cumsum(one, .axis = 0), 1);
}

/* Number i of each transform, to be broadcast over rows and columns. */
static gt_Tensor *parameter(gt_Tensor *transform, int i)
{
    return gt_expand_dims(gt_slice(transform, gt_shape(0, i), gt_shape(-1, 1)), -1);
}

/* p[first] u + p[first + 1] v + more */
static gt_Tensor *plane(gt_Tensor *transform, int first, gt_Tensor *u, gt_Tensor *v,
                        gt_Tensor *more)
{
    gt_Tensor *sum = gt_add(gt_multiply(parameter(transform, first), u),
                            gt_multiply(parameter(transform, first + 1), v));
    return gt_add(sum, more);
}

static gt_Tensor *affine_transform(gt_Tensor *x, gt_Tensor *transform,
                                   const gt_affine_transform_options *given)
{
    gt_affine_transform_options options;
    GT_TAKE(gt_affine_transform_options, &options, given);
    gt_Spec spec, of = gt_spec(transform);
    char a[160], b[160];
    if (!gt_takes_image(x, &spec))
        return NULL;
    const bool linear = options.interpolation == GT_INTERPOLATION_BILINEAR;
    if (!linear && options.interpolation != GT_INTERPOLATION_NEAREST) {
        gt_fail(GT_INVALID, "interpolation must be nearest or bilinear (got %d)",
                (int)options.interpolation);
        return NULL;
    }
    const Look look = {linear, options.fill_mode, options.fill_value};
    if (!takes_look(&look, &spec) || !gt_window_countable(&spec))
        return NULL;
    int64_t batch = spec.rank == 4 ? spec.dims[0] : 1, several = of.rank == 2 ? of.dims[0] : 1;
    if (of.rank < 1 || of.rank > 2 || of.dims[of.rank - 1] != 8 ||
        (several != 1 && several != batch)) {
        gt_fail(GT_INVALID, "transforms of images %s must be (8,) or (batch, 8) (got %s)",
                gt_dims_text(&spec, b, sizeof b),
                gt_dims_text(&of, a, sizeof a));
        return NULL;
    }
    const int64_t *dims = spec.dims + spec.rank - 3;
    gt_Tensor *u = gt_arange(0, (double)dims[1], 1, .dtype = spec.dtype);
    gt_Tensor *v = gt_expand_dims(gt_arange(0, (double)dims[0], 1, .dtype = spec.dtype), 1);
    transform = gt_cast(transform, spec.dtype);
    if (of.rank == 1)
        transform = gt_expand_dims(transform, 0);
    gt_Tensor *depth = plane(transform, 6, u, v, gt_scalar(1, spec.dtype));
    gt_Tensor *column = gt_divide(plane(transform, 0, u, v, parameter(transform, 2)), depth);
    gt_Tensor *row = gt_divide(plane(transform, 3, u, v, parameter(transform, 5)), depth);
    x = spec.rank == 4 ? x : gt_expand_dims(x, 0);
    gt_Tensor *image = numbers_of(x);
    x = gt_reshape(x, gt_shape_open(gt_shape(batch * dims[0] * dims[1], dims[2])));
    gt_Tensor *y = look_at(&look, gt_transpose(x), image, 2, dims, (gt_Tensor *[]){row, column});
    y = gt_moveaxis(y, 0, -1);
    return spec.rank == 4 ? y : gt_squeeze(y, .axis = 0);
}
GT_COMPOSED(affine_transform,
            (const char *here, gt_Tensor *x, gt_Tensor *transform,
             const gt_affine_transform_options *options),
            (x, transform, options))
