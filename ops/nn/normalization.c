/* Normalization, made of operations: formulas of ops/nn/normalization.h. Of the last axes it is one operation, layer_norm.c. The
 * mean is taken off before anything is multiplied, which keeps the digits of numbers that are large and close together. What is
 * squared is squared inside gt_length and gt_squares, where it neither overflows nor underflows. */
#include "ops/nn/normalization.h"
#include "ops/array/cast.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/linalg/matmul.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/reduction.h"
#include "ops/nn/batch_norm.h"
#include "ops/nn/layer_norm.h"

#include <string.h>

GT_OPTION_TYPE(gt_moments_options, gt_moments_OPTIONS);
GT_OPTION_TYPE(gt_spectral_normalization_options, gt_spectral_normalization_OPTIONS);
GT_OPTION_TYPE(gt_batch_normalization_options, gt_batch_normalization_OPTIONS);
GT_OPTION_TYPE(gt_layer_normalization_options, gt_layer_normalization_OPTIONS);
GT_OPTION_TYPE(gt_group_normalization_options, gt_group_normalization_OPTIONS);
GT_OPTION_TYPE(gt_rms_normalization_options, gt_rms_normalization_OPTIONS);
GT_OPTION_TYPE(gt_normalize_options, gt_normalize_OPTIONS);

/* ---- axes ---- */

static gt_Axes axes_of(uint32_t bits)
{
    gt_Axes axes = gt_axes();
    for (int d = 0; bits >> d; d++)
        if (bits >> d & 1)
            axes.axis[axes.count++] = d;
    return axes;
}

/* The spec of x, which must be floats, and the axes in question; false with an error raised. */
static bool float_axes(gt_Tensor *x, int axis, const gt_Axes *axes, gt_Spec *spec, uint32_t *bits)
{
    *spec = gt_spec(x);
    if (gt_status() != GT_OK || !gt_takes(spec, GT_TAKES_FLOAT))
        return false;
    return gt_axis_or_axes(axes->count >= 0 ? GT_NONE : axis, axes, spec->rank, bits);
}

/* The extents of the axes, with 1 for the others; false with an error raised if the weight has not an element for each index. */
static bool has_weights(gt_Tensor *weight, const gt_Spec *x, uint32_t bits, const char *what,
                        gt_Shape *shape)
{
    int64_t size = 1;
    char s[160], t[160];
    *shape = (gt_Shape){.mark = GT_MARK, .rank = x->rank};
    for (int d = 0; d < x->rank; d++) {
        shape->dims[d] = bits >> d & 1 ? x->dims[d] : 1;
        size *= shape->dims[d];
    }
    if (gt_size(weight) != size && gt_status() == GT_OK)
        gt_fail(GT_INVALID, "%s of %s must have %lld elements (got %s)", what,
                gt_dims_text(x, t, sizeof t), (long long)size,
                gt_shape_text(gt_tensor_shape(weight), s, sizeof s));
    return gt_status() == GT_OK;
}

/* One number for each index of the axes, in a shape that broadcasts against x. */
static gt_Tensor *along(gt_Tensor *weight, const gt_Spec *x, uint32_t bits, const char *what)
{
    gt_Shape shape;
    return has_weights(weight, x, bits, what, &shape) ? gt_reshape(weight, gt_shape_open(shape))
                                                      : NULL;
}

/* x scale + offset, either of which may be NULL. */
static gt_Tensor *scaled(gt_Tensor *x, const gt_Spec *spec, uint32_t bits, gt_Tensor *scale,
                         gt_Tensor *offset)
{
    if (scale)
        x = gt_multiply(x, along(scale, spec, bits, "a scale"));
    if (offset)
        x = gt_add(x, along(offset, spec, bits, "an offset"));
    return x;
}

/* ---- moments, and what is made of them ---- */

/* Without the axes that were kept with size 1. */
static gt_Tensor *dropped(gt_Tensor *x, const gt_moments_options *options)
{
    return options->keepdims ? x : gt_squeeze(x, .axis = options->axis, .axes = options->axes);
}

/* A mask (batch, time) of x (batch, time, ...) as (batch, time, 1, ...); NULL with an error raised if it is none. */
static gt_Tensor *mask_over(gt_Tensor *mask, const gt_Spec *x)
{
    gt_Spec spec = gt_spec(mask);
    char s[160], t[160];
    if (gt_status() != GT_OK)
        return NULL;
    bool fits = spec.dtype == GT_BOOL && spec.rank <= x->rank;
    for (int d = 0; fits && d < spec.rank; d++)
        fits =
            spec.dims[d] == x->dims[d] || spec.dims[d] < 0 || x->dims[d] < 0; /* -1: of a symbol */
    if (!fits) {
        gt_fail(GT_INVALID, "mask must be bool over leading axes of %s (got %s %s)",
                gt_dims_text(x, s, sizeof s), gt_dtype_name(spec.dtype),
                gt_dims_text(&spec, t, sizeof t));
        return NULL;
    }
    gt_Shape ones = {.mark = GT_MARK, .rank = x->rank - spec.rank};
    for (int d = 0; d < ones.rank; d++)
        ones.dims[d] = 1;
    return gt_reshape(mask, ones, .keep = spec.rank);
}

/* How many elements count, + 1e-7: a sum over the axes of the mask times the extent of the others. */
static gt_Tensor *counted(gt_Tensor *x, gt_Tensor *mask, int axes, uint32_t bits)
{
    gt_DType dtype = gt_dtype(x);
    gt_Axes others = axes_of(bits & ~((1u << axes) - 1));
    gt_Tensor *n = gt_sum(gt_cast(mask, dtype), .axes = axes_of(bits), .keepdims = true);
    if (others.count > 0)
        n = gt_multiply(n, gt_extent(x, others, 0, dtype));
    return gt_add(n, 1e-7);
}

static gt_Status masked_moments(gt_Tensor *x, gt_Tensor **mean, gt_Tensor **variance,
                                const gt_moments_options *options)
{
    gt_Spec spec;
    uint32_t bits;
    if (!float_axes(x, options->axis, &options->axes, &spec, &bits))
        return gt_status();
    gt_Tensor *mask = mask_over(options->mask, &spec);
    gt_Tensor *n = mask ? counted(x, mask, gt_rank(options->mask), bits) : NULL;
    gt_Axes axes = axes_of(bits);
    gt_Tensor *middle = gt_divide(gt_sum(gt_where(mask, x, 0), .axes = axes, .keepdims = true), n);
    gt_Tensor *apart = gt_square(gt_where(mask, gt_subtract(x, middle), 0));
    *mean = dropped(middle, options);
    *variance = dropped(gt_divide(gt_sum(apart, .axes = axes, .keepdims = true), n), options);
    return gt_status();
}

static gt_Status moments(gt_Tensor *x, gt_Tensor **mean, gt_Tensor **variance,
                         const gt_moments_options *given)
{
    gt_moments_options options;
    GT_TAKE(gt_moments_options, &options, given);
    if (options.mask)
        return masked_moments(x, mean, variance, &options);
    gt_Tensor *middle = gt_mean(x, .axis = options.axis, .axes = options.axes, .keepdims = true);
    *variance = GT_SQUARES(gt_subtract(x, middle), .axis = options.axis, .axes = options.axes,
                           .keepdims = options.keepdims, .mean = true);
    *mean = dropped(middle, &options);
    return gt_status();
}

gt_Status gt_moments_at(const char *here, gt_Tensor *x, gt_Tensor **mean, gt_Tensor **variance,
                        const gt_moments_options *options)
{
    if (!mean || !variance)
        return gt_fail(GT_INVALID, "moments: mean and variance must not be NULL");
    gt_Site site = gt_site_enter(here, "moments");
    gt_Status status = moments(x, mean, variance, options);
    gt_site_leave(&site);
    if (status != GT_OK)
        *mean = *variance = NULL;
    return status;
}

static gt_Tensor *batch_normalization(gt_Tensor *x, gt_Tensor *mean, gt_Tensor *variance,
                                      const gt_batch_normalization_options *given)
{
    gt_batch_normalization_options options;
    GT_TAKE(gt_batch_normalization_options, &options, given);
    const gt_Axes none = GT_ALL_AXES;
    gt_Spec spec;
    uint32_t bits;
    if (!float_axes(x, options.axis, &none, &spec, &bits))
        return NULL;
    gt_Tensor *factor = gt_rsqrt(gt_add(variance, options.epsilon));
    if (options.scale)
        factor = gt_multiply(factor, gt_reshape(options.scale, gt_tensor_shape(factor)));
    x = gt_subtract(x, along(mean, &spec, bits, "a mean"));
    return scaled(x, &spec, bits, factor, options.offset);
}
GT_COMPOSED(batch_normalization,
            (const char *here, gt_Tensor *x, gt_Tensor *mean, gt_Tensor *variance,
             const gt_batch_normalization_options *options),
            (x, mean, variance, options))
gt_Tensor *(gt_batch_normalization)(gt_Tensor *x, gt_Tensor *mean, gt_Tensor *variance)
{
    return gt_batch_normalization_at(NULL, x, mean, variance, NULL);
}

/* Mean 0 if `centered` and, but for epsilon, mean square 1. */
static gt_Tensor *standardized(gt_Tensor *x, uint32_t bits, bool centered, double epsilon)
{
    gt_Axes axes = axes_of(bits);
    if (centered)
        x = gt_subtract(x, gt_mean(x, .axes = axes, .keepdims = true));
    return gt_divide(
        x, GT_LENGTH(x, .axes = axes, .keepdims = true, .mean = true, .epsilon = epsilon));
}

/* The same, then times gamma and plus beta, either of which may be NULL. */
static gt_Tensor *normalized(gt_Tensor *x, const gt_Spec *spec, uint32_t bits, bool centered,
                             double epsilon, gt_Tensor *gamma, gt_Tensor *beta)
{
    const uint32_t all = (1u << spec->rank) - 1, others = all & ~bits;
    const bool last = bits && (others & (others + 1)) == 0;
    gt_Shape shape;
    if (!last)
        return scaled(standardized(x, bits, centered, epsilon), spec, bits, gamma, beta);
    if ((gamma && !has_weights(gamma, spec, bits, "a scale", &shape)) ||
        (beta && !has_weights(beta, spec, bits, "an offset", &shape)))
        return NULL;
    return gt_layer_norm(x, gamma, beta, axes_of(bits).count, centered, epsilon);
}

static gt_Tensor *layer_normalization(gt_Tensor *x, const gt_layer_normalization_options *given)
{
    gt_layer_normalization_options options;
    GT_TAKE(gt_layer_normalization_options, &options, given);
    gt_Spec spec;
    uint32_t bits;
    if (!float_axes(x, options.axis, &options.axes, &spec, &bits))
        return NULL;
    return normalized(x, &spec, bits, true, options.epsilon, options.gamma, options.beta);
}
GT_COMPOSED(layer_normalization,
            (const char *here, gt_Tensor *x, const gt_layer_normalization_options *options),
            (x, options))
gt_Tensor *(gt_layer_normalization)(gt_Tensor *x)
{
    return gt_layer_normalization_at(NULL, x, NULL);
}

/* A weight in one axis. */
static gt_Tensor *flat(gt_Tensor *weight)
{
    return weight && gt_rank(weight) != 1 ? gt_reshape(weight, gt_shape(-1)) : weight;
}

static gt_Tensor *in_last_axis(gt_Tensor *x, const gt_Spec *spec, uint32_t bits, int64_t groups,
                               const gt_group_normalization_options *options)
{
    gt_Shape shape;
    if ((options->gamma && !has_weights(options->gamma, spec, bits, "a scale", &shape)) ||
        (options->beta && !has_weights(options->beta, spec, bits, "an offset", &shape)))
        return NULL;
    return gt_group_norm(x, flat(options->gamma), flat(options->beta), groups, options->epsilon);
}

static gt_Tensor *group_normalization(gt_Tensor *x, const gt_group_normalization_options *given)
{
    gt_group_normalization_options options;
    GT_TAKE(gt_group_normalization_options, &options, given);
    const gt_Axes none = GT_ALL_AXES;
    gt_Spec spec;
    uint32_t bits;
    if (!float_axes(x, options.axis, &none, &spec, &bits))
        return NULL;
    int axis = gt_axis(options.axis, spec.rank);
    if (axis < 0)
        return NULL;
    int64_t channels = spec.dims[axis];
    int64_t groups = options.groups == -1 ? channels : options.groups;
    if (axis == 0 || spec.rank == GT_MAX_RANK) {
        gt_fail(GT_INVALID,
                "groups need an axis behind the batch and fewer than %d axes (got axis %d of %d)",
                GT_MAX_RANK, axis, (int)spec.rank);
        return NULL;
    }
    if (groups < 1 || groups > channels || channels % groups != 0) {
        gt_fail(GT_INVALID, "groups must divide %lld channels (got %lld)", (long long)channels,
                (long long)groups);
        return NULL;
    }
    if (groups == 1) {
        x = normalized(x, &spec, ((1u << spec.rank) - 1) & ~1u, true, options.epsilon, NULL, NULL);
        return scaled(x, &spec, bits, options.gamma, options.beta);
    }
    if (axis == spec.rank - 1)
        return in_last_axis(x, &spec, bits, groups, &options);
    gt_Shape shape = {.mark = GT_MARK,
                      .rank = spec.rank + 1}; /* ..., groups, channels of a group, ... */
    for (int d = 0; d < spec.rank; d++)
        shape.dims[d + (d > axis)] = spec.dims[d];
    shape.dims[axis] = groups;
    shape.dims[axis + 1] = channels / groups;
    uint32_t within = ((1u << shape.rank) - 1) & ~1u & ~(1u << axis);
    x = normalized(gt_reshape(x, gt_shape_open(shape)), &(gt_Spec){.rank = shape.rank}, within,
                   true, options.epsilon, NULL, NULL);
    x = gt_reshape(x, gt_shape_open(gt_spec_shape(&spec)));
    return scaled(x, &spec, bits, options.gamma, options.beta);
}
GT_COMPOSED(group_normalization,
            (const char *here, gt_Tensor *x, const gt_group_normalization_options *options),
            (x, options))
gt_Tensor *(gt_group_normalization)(gt_Tensor *x)
{
    return gt_group_normalization_at(NULL, x, NULL);
}

/* ---- lengths ---- */

static gt_Tensor *rms_normalization(gt_Tensor *x, const gt_rms_normalization_options *given)
{
    gt_rms_normalization_options options;
    GT_TAKE(gt_rms_normalization_options, &options, given);
    gt_Spec spec;
    uint32_t bits;
    if (!float_axes(x, options.axis, &options.axes, &spec, &bits))
        return NULL;
    return normalized(x, &spec, bits, false, options.epsilon, options.scale, NULL);
}
GT_COMPOSED(rms_normalization,
            (const char *here, gt_Tensor *x, const gt_rms_normalization_options *options),
            (x, options))
gt_Tensor *(gt_rms_normalization)(gt_Tensor *x)
{
    return gt_rms_normalization_at(NULL, x, NULL);
}

/* The length is kept from 0, where its slope is not finite. */
static gt_Tensor *normalize(gt_Tensor *x, const gt_normalize_options *given)
{
    gt_normalize_options options;
    GT_TAKE(gt_normalize_options, &options, given);
    gt_Spec spec;
    uint32_t bits;
    if (!float_axes(x, options.axis, &options.axes, &spec, &bits))
        return NULL;
    if (options.order < 1) {
        gt_fail(GT_INVALID, "order must be >= 1 (got %d)", (int)options.order);
        return NULL;
    }
    gt_Axes axes = axes_of(bits);
    if (options.order == 2)
        return gt_divide(x, GT_LENGTH(x, .axes = axes, .keepdims = true, .floor = options.epsilon));
    gt_Tensor *size = gt_abs(x);
    if (options.order == 1)
        return gt_divide(x,
                         gt_maximum(gt_sum(size, .axes = axes, .keepdims = true), options.epsilon));
    gt_Tensor *largest = gt_maximum(gt_max(size, .axes = axes, .keepdims = true),
                                    options.epsilon); /* keeps powers within range */
    gt_Tensor *powers = gt_power(gt_divide(size, largest), options.order);
    gt_Tensor *sum = gt_maximum(gt_sum(powers, .axes = axes, .keepdims = true), 1);
    return gt_divide(x, gt_multiply(largest, gt_power(sum, 1.0 / options.order)));
}
GT_COMPOSED(normalize, (const char *here, gt_Tensor *x, const gt_normalize_options *options),
            (x, options))
gt_Tensor *(gt_normalize)(gt_Tensor *x)
{
    return gt_normalize_at(NULL, x, NULL);
}

/* ---- of kernels ---- */

static gt_Tensor *unit_vector(gt_Tensor *x)
{
    return gt_normalize(x, .axes = gt_axes(0, 1));
}

static gt_UnitKernel spectral_normalization(gt_Tensor *kernel, gt_Tensor *u,
                                            const gt_spectral_normalization_options *given)
{
    const gt_UnitKernel nothing = {NULL, NULL};
    gt_spectral_normalization_options options;
    GT_TAKE(gt_spectral_normalization_options, &options, given);
    gt_Spec spec = gt_spec(kernel), vector = gt_spec(u);
    char s[160], t[160];
    if (gt_status() != GT_OK || !gt_takes(&spec, GT_TAKES_FLOAT))
        return nothing;
    if (options.power_iterations < 1) {
        gt_fail(GT_INVALID, "power_iterations must be >= 1 (got %lld)",
                (long long)options.power_iterations);
        return nothing;
    }
    if (spec.rank < 1 || vector.rank != 2 || vector.dims[0] != 1 ||
        vector.dims[1] != spec.dims[spec.rank - 1]) {
        gt_fail(GT_INVALID, "u must be (1, channels) for a kernel (..., channels) (got %s for %s)",
                gt_dims_text(&vector, s, sizeof s), gt_dims_text(&spec, t, sizeof t));
        return nothing;
    }
    gt_Tensor *matrix = gt_reshape(kernel, gt_shape(-1, vector.dims[1])), *v = NULL, *next = u;
    for (int64_t i = 0; i < options.power_iterations && gt_status() == GT_OK; i++) {
        v = unit_vector(gt_matmul(next, matrix, .transpose_b = true));
        next = unit_vector(gt_matmul(v, matrix));
    }
    v = gt_stop_gradient(v);
    next = gt_stop_gradient(next);
    gt_Tensor *some = gt_any(kernel);
    gt_Tensor *largest = gt_matmul(gt_matmul(v, matrix), next, .transpose_b = true);
    gt_Tensor *scale = gt_where(some, gt_squeeze(largest), 1);
    gt_UnitKernel both = {gt_divide(kernel, scale), (gt_where)(some, next, u)};
    return gt_status() == GT_OK ? both : nothing;
}
GT_COMPOSED_BY(gt_UnitKernel, spectral_normalization, spectral_normalization,
               (const char *here, gt_Tensor *kernel, gt_Tensor *u,
                const gt_spectral_normalization_options *options),
               (kernel, u, options))
