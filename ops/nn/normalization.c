/* Normalization, made of operations: formulas of ops/nn/normalization.h. The mean is taken off
 * before anything is multiplied, which keeps the digits of numbers that are large and close
 * together. What is squared is squared inside gt_length and gt_squares, where it neither overflows
 * nor underflows. */
#include "ops/nn/normalization.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/kit.h"
#include "ops/math/reduction.h"
#include "ops/array/reshaping.h"

#include <string.h>

GT_OPTION_TYPE(gt_sum_options, gt_sum_OPTIONS);
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

/* One number for each index of the axes, in a shape that broadcasts against x. */
static gt_Tensor *along(gt_Tensor *weight, const gt_Spec *x, uint32_t bits, const char *what)
{
    gt_Shape shape = {.mark = GT_MARK, .rank = x->rank};
    int64_t size = 1;
    char s[160], t[160];
    for (int d = 0; d < x->rank; d++) {
        shape.dims[d] = bits >> d & 1 ? x->dims[d] : 1;
        size *= shape.dims[d];
    }
    if (gt_size(weight) != size && gt_status() == GT_OK) {
        gt_fail(GT_INVALID, "%s of %s must have %lld elements (got %s)", what,
                gt_shape_text(gt_spec_shape(x), t, sizeof t), (long long)size,
                gt_shape_text(gt_tensor_shape(weight), s, sizeof s));
        return NULL;
    }
    return gt_reshape(weight, gt_shape_open(shape));
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

static gt_Status moments(gt_Tensor *x, gt_Tensor **mean, gt_Tensor **variance,
                         const gt_sum_options *given)
{
    gt_sum_options options = GT_TAKE(gt_sum_options, given);
    gt_sum_options kept = options;
    kept.keepdims = true;
    gt_Tensor *middle = gt_mean_at(NULL, x, &kept);
    *variance = GT_SQUARES(gt_subtract(x, middle), .axis = options.axis, .axes = options.axes,
                           .keepdims = options.keepdims, .mean = true);
    *mean = options.keepdims ? middle : gt_reshape(middle, gt_tensor_shape(*variance));
    return gt_status();
}

gt_Status gt_moments_at(const char *here, gt_Tensor *x, gt_Tensor **mean, gt_Tensor **variance,
                        const gt_sum_options *options)
{
    if (!mean || !variance)
        return gt_fail(GT_INVALID, "moments: mean and variance must not be NULL");
    gt_Site site = gt_site_enter(here, "moments");
    gt_Status status = moments(x, mean, variance, options);
    gt_site_leave(site);
    if (status != GT_OK)
        *mean = *variance = NULL;
    return status;
}

static gt_Tensor *batch_normalization(gt_Tensor *x, gt_Tensor *mean, gt_Tensor *variance,
                                      const gt_batch_normalization_options *given)
{
    gt_batch_normalization_options options = GT_TAKE(gt_batch_normalization_options, given);
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

/* Mean 0 and, but for epsilon, deviation 1. */
static gt_Tensor *standardized(gt_Tensor *x, uint32_t bits, double epsilon)
{
    gt_Axes axes = axes_of(bits);
    gt_Tensor *centered = gt_subtract(x, gt_mean(x, .axes = axes, .keepdims = true));
    return gt_divide(centered, GT_LENGTH(centered, .axes = axes, .keepdims = true, .mean = true,
                                         .epsilon = epsilon));
}

static gt_Tensor *layer_normalization(gt_Tensor *x, const gt_layer_normalization_options *given)
{
    gt_layer_normalization_options options = GT_TAKE(gt_layer_normalization_options, given);
    gt_Spec spec;
    uint32_t bits;
    if (!float_axes(x, options.axis, &options.axes, &spec, &bits))
        return NULL;
    return scaled(standardized(x, bits, options.epsilon), &spec, bits, options.gamma, options.beta);
}
GT_COMPOSED(layer_normalization,
            (const char *here, gt_Tensor *x, const gt_layer_normalization_options *options),
            (x, options))
gt_Tensor *(gt_layer_normalization)(gt_Tensor *x)
{
    return gt_layer_normalization_at(NULL, x, NULL);
}

static gt_Tensor *group_normalization(gt_Tensor *x, const gt_group_normalization_options *given)
{
    gt_group_normalization_options options = GT_TAKE(gt_group_normalization_options, given);
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
    gt_Shape shape = {.mark = GT_MARK,
                      .rank = spec.rank + 1}; /* ..., groups, channels of a group, ... */
    for (int d = 0; d < spec.rank; d++)
        shape.dims[d + (d > axis)] = spec.dims[d];
    shape.dims[axis] = groups;
    shape.dims[axis + 1] = channels / groups;
    uint32_t within = ((1u << shape.rank) - 1) & ~1u & ~(1u << axis);
    x = standardized(gt_reshape(x, gt_shape_open(shape)), within, options.epsilon);
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
    gt_rms_normalization_options options = GT_TAKE(gt_rms_normalization_options, given);
    gt_Spec spec;
    uint32_t bits;
    if (!float_axes(x, options.axis, &options.axes, &spec, &bits))
        return NULL;
    gt_Tensor *size = GT_LENGTH(x, .axes = axes_of(bits), .keepdims = true, .mean = true,
                                .epsilon = options.epsilon);
    return scaled(gt_divide(x, size), &spec, bits, options.scale, NULL);
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
    gt_normalize_options options = GT_TAKE(gt_normalize_options, given);
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
