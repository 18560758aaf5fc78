/* What lookups share: a tensor seen along one axis, checks of indices, how the work is cut. Private to ops/array. */
#ifndef GT_OPS_LOOKUP_H
#define GT_OPS_LOOKUP_H

#include "ops/kit.h"

/* A tensor seen along one axis: outer x count x inner. */
typedef struct gt_Along {
    int64_t outer, count, inner;
} gt_Along;
gt_Along gt_along(const gt_Spec *spec, int axis);

/* Is it a spec of indices? Raises an error if not. */
bool gt_takes_indices(const gt_Spec *spec);
/* All indices are looked at before anything is read or written with them; those from `least` to count - 1 are legal. */
void gt_lower_indices(const gt_ShapeRule *rule, gt_Lowering *lowering, int input, int64_t least,
                      int64_t count);
/* Raises the error for the index at a position of the input. */
gt_Status gt_complain_index(const gt_ShapeRule *rule, void *const *at, int input, int64_t position,
                            int axis, int64_t least, int64_t count);

/* The spec of x with an axis replaced by those of the indices; its size is not worked out. */
gt_Status gt_taken_shape(const gt_Spec *x, const gt_Spec *indices, int axis, gt_Spec *out);
/* Are the updates what is taken from a tensor like `whole` at those indices? Raises an error if not. */
bool gt_fits_indices(const gt_Spec *whole, const gt_Spec *indices, int axis,
                     const gt_Spec *updates);

/* Strips of `inner`, for `n` indices of each outer position; and the tiles that they make. */
int64_t gt_lower_strips(gt_Strips *cut, gt_Along view, int64_t n);
/* y = x at n indices, all of which are legal; at[x], at[indices], at[y]. */
void gt_lower_take(gt_Lowering *lowering, gt_Along view, gt_DType dtype, int x, int indices,
                   gt_DType type, int64_t n, int y);

/* The options of scatter_add; gt_rows looks at them. A size of -1 is that of the updates behind the axis; the axis itself
 * may be -1 where the third input says its length. */
#define GT_SCATTER_OPTIONS(F, S)                                                                   \
    F(S, int32_t, axis, 0, "along this axis")                                                      \
    F(S, gt_Shape, shape, GT_SCALAR_SHAPE, "the shape of the result")                              \
    F(S, bool, from_end, true, "negative indices count from the end; false: they are errors")
GT_OPTIONS(gt_ScatterOptions, GT_SCATTER_OPTIONS);

/* gt_take along an axis that must have this length. */
gt_Tensor *gt_take_of_length(gt_Tensor *x, gt_Tensor *indices, int axis, int64_t length);
/* Rows x (n, ...) added at ids (n) to zeros with `rows` rows, or with as many as `like` has. */
gt_Tensor *gt_scatter_rows(gt_Tensor *ids, gt_Tensor *x, int64_t rows, gt_Tensor *like);
/* gt_segment_max, _min or _prod with as many segments as `like` has rows. */
gt_Tensor *gt_segments_like(const gt_Operation *operation, gt_Tensor *x, gt_Tensor *ids,
                            gt_Tensor *like);

#endif
