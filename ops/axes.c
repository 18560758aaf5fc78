/* Axes as users write them, negative or as a set, and shapes without them. Leans on core. */
#include "ops/axes.h"

int gt_axis(int axis, int rank)
{
    if (rank >= 0 && axis >= -rank && axis < rank)
        return axis < 0 ? axis + rank : axis;
    gt_fail(GT_INVALID, "there is no axis %d in a tensor of rank %d", axis, rank);
    return -1;
}

bool gt_axes_valid(const gt_Axes *axes)
{
    if (axes->count <= GT_MAX_RANK)
        return true;
    gt_fail(GT_INVALID, "more than %d axes", GT_MAX_RANK);
    return false;
}

bool gt_axes_bits(const gt_Axes *axes, int rank, uint32_t *bits)
{
    *bits = 0;
    if (!gt_axes_valid(axes))
        return false;
    if (axes->count < 0) {
        *bits = (1u << rank) - 1;
        return true;
    }
    for (int i = 0; i < axes->count; i++) {
        int axis = gt_axis(axes->axis[i], rank);
        if (axis < 0)
            return false;
        if (*bits >> axis & 1) {
            gt_fail(GT_INVALID, "axis %d is named twice", axis);
            return false;
        }
        *bits |= 1u << axis;
    }
    return true;
}

bool gt_axis_or_axes(int axis, const gt_Axes *axes, int rank, uint32_t *bits)
{
    if (axis == GT_NONE || !gt_axes_valid(axes))
        return gt_axes_bits(axes, rank, bits);
    if (axes->count >= 0) {
        gt_fail(GT_INVALID, "give axis or axes, not both");
        return false;
    }
    int one = gt_axis(axis, rank);
    *bits = one < 0 ? 0 : 1u << one;
    return one >= 0;
}

void gt_reduced_shape(const gt_Spec *in, uint32_t bits, bool keepdims, gt_Spec *out)
{
    out->rank = 0;
    for (int d = 0; d < in->rank; d++)
        if (!(bits >> d & 1))
            out->dims[out->rank++] = in->dims[d];
        else if (keepdims)
            out->dims[out->rank++] = 1;
}

gt_Axes gt_reduced_last(int rank, uint32_t bits)
{
    gt_Axes perm = gt_axes();
    for (int last = 0; last < 2; last++)
        for (int d = 0; d < rank; d++)
            if ((int)(bits >> d & 1) == last)
                perm.axis[perm.count++] = d;
    return perm;
}

int64_t gt_reduced_count(const gt_Spec *in, uint32_t bits)
{
    int64_t count = 1;
    for (int d = 0; d < in->rank; d++)
        if (bits >> d & 1)
            count *= in->dims[d];
    return count;
}

gt_Shape gt_shape_open(gt_Shape shape)
{
    bool told = shape.rank > 0;
    for (int d = 1; d < shape.rank; d++)
        told = told && shape.dims[d] > 0;
    if (told)
        shape.dims[0] = -1;
    return shape;
}
