/* Axes as users write them, and shapes without them. Private to the library. */
#ifndef GT_OPS_AXES_H
#define GT_OPS_AXES_H

#include "core/inside.h"

/* An axis of a rank, negative from the end; -1 with an error raised if there is none. */
int gt_axis(int axis, int rank);
/* False with an error for more axes than there can be. */
bool gt_axes_valid(const gt_Axes *axes);
/* A set of axes as bits; all of them for GT_ALL_AXES; false with an error for bad or repeated. */
bool gt_axes_bits(const gt_Axes *axes, int rank, uint32_t *bits);
/* Like `gt_axes_bits`, from the two keywords `axis` and `axes`; neither given means all. */
bool gt_axis_or_axes(int axis, const gt_Axes *axes, int rank, uint32_t *bits);

/* The shape without the axes of a set, or with 1 in their place; all axes with those last. */
void gt_reduced_shape(const gt_Spec *in, uint32_t bits, bool keepdims, gt_Spec *out);
gt_Axes gt_reduced_last(int rank, uint32_t bits);
/* For gt_reshape: the shape with its first dimension left open (-1), so that a traced graph serves any batch; as it is if
 * another one is 0, where nothing would tell it. */
gt_Shape gt_shape_open(gt_Shape shape);
/* How many numbers the axes of a set hold. */
int64_t gt_reduced_count(const gt_Spec *in, uint32_t bits);

#endif
