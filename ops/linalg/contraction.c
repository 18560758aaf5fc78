/* Products of two tensors that sum over given axes, or over none: compositions. */
#include "ops/linalg/contraction.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/linalg/contract.h"
#include "ops/math/reduction.h"

GT_OPTION_TYPE(gt_tensordot_options, gt_tensordot_OPTIONS);

static bool axes_of_both(const gt_tensordot_options *options, const gt_Spec *a, const gt_Spec *b,
                         gt_Axes *of_a, gt_Axes *of_b)
{
    char s[160], t[160];
    uint32_t bits;
    *of_a = options->a_axes;
    *of_b = options->b_axes;
    bool fits = true;
    if (!gt_axes_valid(of_a) || !gt_axes_valid(of_b))
        return false;
    if (of_a->count < 0 && of_b->count < 0) {
        fits = options->count >= 0 && options->count <= a->rank && options->count <= b->rank;
        of_a->count = of_b->count = fits ? options->count : 0;
        for (int i = 0; i < of_a->count; i++) {
            of_a->axis[i] = a->rank - of_a->count + i;
            of_b->axis[i] = i;
        }
    }
    if (fits && of_a->count == of_b->count) {
        if (!gt_axes_bits(of_a, a->rank, &bits) || !gt_axes_bits(of_b, b->rank, &bits))
            return false;
        for (int i = 0; i < of_a->count; i++) {
            of_a->axis[i] = gt_axis(of_a->axis[i], a->rank);
            of_b->axis[i] = gt_axis(of_b->axis[i], b->rank);
            fits &= a->dims[of_a->axis[i]] == b->dims[of_b->axis[i]];
        }
        if (fits)
            return true;
    }
    gt_fail(GT_INVALID, "the named axes must be as many and as long in both (got %s and %s)",
            gt_dims_text(a, s, sizeof s),
            gt_dims_text(b, t, sizeof t));
    return false;
}

/* Labels are the axes of a; an axis of b has that of the axis of a it runs together with, or one of its own. */
static gt_Tensor *tensordot(gt_Tensor *a, gt_Tensor *b, const gt_tensordot_options *given)
{
    gt_tensordot_options options;
    GT_TAKE(gt_tensordot_options, &options, given);
    gt_Spec spec_a = gt_spec(a), spec_b = gt_spec(b);
    gt_Axes of_a, of_b;
    if (gt_status() != GT_OK || !axes_of_both(&options, &spec_a, &spec_b, &of_a, &of_b))
        return NULL;
    if (spec_a.rank + spec_b.rank - 2 * of_a.count > GT_MAX_RANK) {
        gt_fail(GT_INVALID, "the result must have at most %d axes", GT_MAX_RANK);
        return NULL;
    }
    gt_Labels in_a = gt_axes(), in_b = gt_axes(), result = gt_axes();
    bool summed[GT_MAX_RANK] = {false};
    for (int i = 0; i < of_a.count; i++)
        summed[of_a.axis[i]] = true;
    for (int d = 0; d < spec_a.rank; d++) {
        in_a.axis[in_a.count++] = d;
        if (!summed[d])
            result.axis[result.count++] = d;
    }
    for (int d = 0; d < spec_b.rank; d++) {
        int32_t label = GT_MAX_RANK + d;
        for (int i = 0; i < of_b.count; i++)
            label = of_b.axis[i] == d ? of_a.axis[i] : label;
        in_b.axis[in_b.count++] = label;
        if (label >= GT_MAX_RANK)
            result.axis[result.count++] = label;
    }
    return gt_contract(a, b, &in_a, &in_b, &result);
}
GT_COMPOSED(tensordot,
            (const char *here, gt_Tensor *a, gt_Tensor *b, const gt_tensordot_options *options),
            (a, b, options))

GT_OPTION_TYPE(gt_batch_dot_options, gt_batch_dot_OPTIONS);

/* A size that is not known yet (-1, of a symbol) may be any. */
static bool may_equal(int64_t a, int64_t b)
{
    return a == b || a < 0 || b < 0;
}

/* The axis of each that is summed over; false with an error raised. */
static bool batch_axes(const gt_Axes *given, const gt_Spec *a, const gt_Spec *b, int *of_a,
                       int *of_b)
{
    char s[160], t[160];
    bool fits = a->rank >= 2 && b->rank >= 2 && given->count <= 2 && given->count != 0;
    if (fits && given->count < 0) {
        *of_a = a->rank - 1;
        *of_b = b->rank == 2 ? 1 : b->rank - 2;
    } else if (fits) {
        *of_a = gt_axis(given->axis[0], a->rank);
        *of_b = gt_axis(given->axis[given->count - 1], b->rank);
        if (*of_a < 0 || *of_b < 0)
            return false;
    }
    if (fits && *of_a > 0 && *of_b > 0 && may_equal(a->dims[0], b->dims[0]) &&
        may_equal(a->dims[*of_a], b->dims[*of_b]) && a->rank + b->rank - 3 <= GT_MAX_RANK)
        return true;
    gt_fail(GT_INVALID,
            "both must be batches of the same length, and the axes as long in both, one of each "
            "and not "
            "the first (got %s and %s)",
            gt_dims_text(a, s, sizeof s),
            gt_dims_text(b, t, sizeof t));
    return false;
}

/* Labels are the axes of a; the batch and the axis that is summed over have those of a in b too. */
static gt_Tensor *batch_dot(gt_Tensor *a, gt_Tensor *b, const gt_batch_dot_options *given)
{
    gt_batch_dot_options options;
    GT_TAKE(gt_batch_dot_options, &options, given);
    gt_Spec spec_a = gt_spec(a), spec_b = gt_spec(b);
    int of_a = 0, of_b = 0;
    if (gt_status() != GT_OK || !batch_axes(&options.axes, &spec_a, &spec_b, &of_a, &of_b))
        return NULL;
    if (options.normalize) {
        a = gt_divide(a, GT_LENGTH(a, .axis = of_a, .keepdims = true, .floor = 1e-12));
        b = gt_divide(b, GT_LENGTH(b, .axis = of_b, .keepdims = true, .floor = 1e-12));
    }
    gt_Labels in_a = gt_axes(), in_b = gt_axes(), result = gt_axes();
    for (int d = 0; d < spec_a.rank; d++) {
        in_a.axis[in_a.count++] = d;
        if (d != of_a)
            result.axis[result.count++] = d;
    }
    for (int d = 0; d < spec_b.rank; d++) {
        int32_t label = d == 0 ? 0 : d == of_b ? of_a : GT_MAX_RANK + d;
        in_b.axis[in_b.count++] = label;
        if (label >= GT_MAX_RANK)
            result.axis[result.count++] = label;
    }
    gt_Tensor *y = gt_contract(a, b, &in_a, &in_b, &result);
    return result.count == 1 ? gt_expand_dims(y, -1) : y;
}
GT_COMPOSED(batch_dot,
            (const char *here, gt_Tensor *a, gt_Tensor *b, const gt_batch_dot_options *options),
            (a, b, options))
gt_Tensor *(gt_batch_dot)(gt_Tensor *a, gt_Tensor *b)
{
    return gt_batch_dot_at(NULL, a, b, NULL);
}

static gt_Tensor *dot(gt_Tensor *a, gt_Tensor *b)
{
    int rank_a = gt_rank(a), rank_b = gt_rank(b);
    if (gt_status() != GT_OK)
        return NULL;
    if (rank_a == 0 || rank_b == 0)
        return gt_multiply(a, b);
    int last = rank_b > 1 ? -2 : -1;
    return gt_tensordot(a, b, .a_axes = gt_axes(-1), .b_axes = gt_axes(last));
}
GT_COMPOSED_BINARY(dot, dot)

static gt_Tensor *inner(gt_Tensor *a, gt_Tensor *b)
{
    int rank_a = gt_rank(a), rank_b = gt_rank(b);
    if (gt_status() != GT_OK)
        return NULL;
    if (rank_a == 0 || rank_b == 0)
        return gt_multiply(a, b);
    return gt_tensordot(a, b, .a_axes = gt_axes(-1), .b_axes = gt_axes(-1));
}
GT_COMPOSED_BINARY(inner, inner)

static gt_Tensor *outer(gt_Tensor *a, gt_Tensor *b)
{
    return gt_multiply(gt_reshape(a, gt_shape(-1, 1)), gt_ravel(b));
}
GT_COMPOSED_BINARY(outer, outer)

static gt_Tensor *vdot(gt_Tensor *a, gt_Tensor *b)
{
    return gt_tensordot(gt_ravel(a), gt_ravel(b), .count = 1);
}
GT_COMPOSED_BINARY(vdot, vdot)
