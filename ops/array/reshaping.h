/* Other shapes for the same numbers, other orders of them, copies of them. */
#ifndef GT_OPS_RESHAPING_H
#define GT_OPS_RESHAPING_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

#define gt_reshape_OPTIONS(F, S)                                                                   \
    F(S, int32_t, keep, 0, "how many leading axes of x stay as they are, before the shape")
GT_OPTIONS(gt_reshape_options, gt_reshape_OPTIONS);
/* The numbers in row-major order as another shape; one dimension may be -1 and is worked out.
 * Shares the memory. gt_reshape(x, gt_shape(-1), .keep = 1) flattens each row of a batch, whose
 * length nobody has to know. */
#define gt_reshape(x, ...)                                                                         \
    gt_reshape_at(GT_HERE, x, GT_FIRST(__VA_ARGS__),                                               \
                  GT_KEYWORDS(gt_reshape, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_reshape_at(const char *here, gt_Tensor *x, gt_Shape shape,
                                const gt_reshape_options *options);
/* gt_reshape to one dimension. */
#define gt_ravel(x) gt_ravel_at(GT_HERE, x)
GT_API gt_Tensor *gt_ravel_at(const char *here, gt_Tensor *x);
GT_API gt_Tensor *(gt_ravel)(gt_Tensor *x);
/* With a dimension of 1 at `axis` of the result. */
#define gt_expand_dims(x, axis) gt_expand_dims_at(GT_HERE, x, axis)
GT_API gt_Tensor *gt_expand_dims_at(const char *here, gt_Tensor *x, int axis);

#define gt_squeeze_OPTIONS(F, S)                                                                   \
    F(S, int32_t, axis, GT_NONE, "one axis; GT_NONE: what axes says")                              \
    F(S, gt_Axes, axes, GT_ALL_AXES, "several axes; all: those of size 1")
GT_OPTIONS(gt_squeeze_options, gt_squeeze_OPTIONS);
/* Without its dimensions of 1, or without the ones named, which must be 1. */
#define gt_squeeze(...)                                                                            \
    gt_squeeze_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_squeeze, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_squeeze_at(const char *here, gt_Tensor *x, const gt_squeeze_options *options);
GT_API gt_Tensor *(gt_squeeze)(gt_Tensor *x);

#define gt_transpose_OPTIONS(F, S)                                                                 \
    F(S, gt_Axes, perm, GT_ALL_AXES, "axis i of the result is axis perm[i] of x; all: reversed")
GT_OPTIONS(gt_transpose_options, gt_transpose_OPTIONS);
/* The axes in another order: gt_transpose(x) reverses them, gt_transpose(x, .perm = gt_axes(1, 0,
 * 2)) says which. A copy. */
#define gt_transpose(...)                                                                          \
    gt_transpose_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                                \
                    GT_KEYWORDS(gt_transpose, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_transpose_at(const char *here, gt_Tensor *x,
                                  const gt_transpose_options *options);
GT_API gt_Tensor *(gt_transpose)(gt_Tensor *x);
/* Axis `from` becomes axis `to`; the others keep their order. Several at once:
 * gt_moveaxis(x, gt_axes(0, 1), gt_axes(-1, 0)). */
#define gt_moveaxis(x, from, to)                                                                   \
    gt_moveaxis_at(GT_HERE, x, gt_one_or_axes(from), gt_one_or_axes(to))
GT_API gt_Tensor *gt_moveaxis_at(const char *here, gt_Tensor *x, gt_Axes from, gt_Axes to);
/* The two axes change places. */
#define gt_swapaxes(x, axis1, axis2) gt_swapaxes_at(GT_HERE, x, axis1, axis2)
GT_API gt_Tensor *gt_swapaxes_at(const char *here, gt_Tensor *x, int axis1, int axis2);

/* Stretched to a shape that x broadcasts to (aligned at the right). The gradient is summed back. */
#define gt_broadcast_to(x, shape) gt_broadcast_to_at(GT_HERE, x, shape)
GT_API gt_Tensor *gt_broadcast_to_at(const char *here, gt_Tensor *x, gt_Shape shape);

#define gt_flip_OPTIONS(F, S)                                                                      \
    F(S, int32_t, axis, GT_NONE, "one axis; GT_NONE: what axes says")                              \
    F(S, gt_Axes, axes, GT_ALL_AXES, "several axes")
GT_OPTIONS(gt_flip_options, gt_flip_OPTIONS);
/* Backwards along the axes. */
#define gt_flip(...)                                                                               \
    gt_flip_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_flip, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_flip_at(const char *here, gt_Tensor *x, const gt_flip_options *options);
GT_API gt_Tensor *(gt_flip)(gt_Tensor *x);

#define gt_roll_OPTIONS(F, S)                                                                      \
    F(S, int32_t, axis, GT_NONE, "along this axis; GT_NONE: what axes says")                       \
    F(S, gt_Axes, axes, GT_ALL_AXES, "along these axes; all: of x flattened, in its shape")
GT_OPTIONS(gt_roll_options, gt_roll_OPTIONS);
/* Shifted by that many places; what leaves at the end comes in at the start. Along several axes by
 * as many places each, or gt_roll(x, gt_integers(1, -2), .axes = gt_axes(0, 1)). */
#define gt_roll(x, ...)                                                                            \
    gt_roll_at(GT_HERE, x, gt_one_or_integers(GT_FIRST(__VA_ARGS__)),                              \
               GT_KEYWORDS(gt_roll, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_roll_at(const char *here, gt_Tensor *x, gt_Integers shift,
                             const gt_roll_options *options);

#define gt_repeat_OPTIONS(F, S)                                                                    \
    F(S, int32_t, axis, GT_NONE, "along this axis; GT_NONE: of x flattened")
GT_OPTIONS(gt_repeat_options, gt_repeat_OPTIONS);
/* Each element that many times in a row: (a, b) twice is (a, a, b, b). A number for each:
 * gt_repeat(x, gt_integers(2, 0, 1), .axis = 0), or an array of C, (gt_Integers){n, array}. */
#define gt_repeat(x, ...)                                                                          \
    gt_repeat_at(GT_HERE, x, gt_one_or_integers(GT_FIRST(__VA_ARGS__)),                            \
                 GT_KEYWORDS(gt_repeat, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_repeat_at(const char *here, gt_Tensor *x, gt_Integers repeats,
                               const gt_repeat_options *options);
/* The whole that many times along each axis: (a, b) twice is (a, b, a, b). Shape and repeats are
 * aligned at the right, as NumPy does. */
#define gt_tile(x, repeats) gt_tile_at(GT_HERE, x, repeats)
GT_API gt_Tensor *gt_tile_at(const char *here, gt_Tensor *x, gt_Shape repeats);

/* What stands around a, b, c, d: a number; a a | d d; c d | a b; c b | c b; b a | d c. */
typedef enum gt_PadMode {
    GT_PAD_MODE_CONSTANT = 0,
    GT_PAD_MODE_EDGE = 1,
    GT_PAD_MODE_WRAP = 2,
    GT_PAD_MODE_REFLECT = 3,
    GT_PAD_MODE_SYMMETRIC = 4
} gt_PadMode;

#define gt_pad_OPTIONS(F, S)                                                                       \
    F(S, double, value, 0, "what is put around")                                                   \
    F(S, gt_PadMode, mode, GT_PAD_MODE_CONSTANT, "that number, or what is repeated")
GT_OPTIONS(gt_pad_options, gt_pad_OPTIONS);
/* With before[i] and after[i] more elements at the start and the end of axis i:
 * gt_pad(x, gt_shape(1, 0), gt_shape(1, 2), .value = -1). The other modes are NumPy's, and go on in
 * the same way where more is asked for than x has. */
#define gt_pad(x, before, ...)                                                                     \
    gt_pad_at(GT_HERE, x, before, GT_FIRST(__VA_ARGS__),                                           \
              GT_KEYWORDS(gt_pad, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_pad_at(const char *here, gt_Tensor *x, gt_Shape before, gt_Shape after,
                            const gt_pad_options *options);

/* Without before[i] elements at the start and after[i] at the end of axis i, what gt_pad puts there:
 * gt_crop(x, gt_shape(0, 1), gt_shape(0, 2)). */
#define gt_crop(x, before, after) gt_crop_at(GT_HERE, x, before, after)
GT_API gt_Tensor *gt_crop_at(const char *here, gt_Tensor *x, gt_Shape before, gt_Shape after);

/* Backwards along axis 1, axis 0. */
#define gt_fliplr(x) gt_fliplr_at(GT_HERE, x)
GT_API gt_Tensor *gt_fliplr_at(const char *here, gt_Tensor *x);
GT_API gt_Tensor *(gt_fliplr)(gt_Tensor *x);
#define gt_flipud(x) gt_flipud_at(GT_HERE, x)
GT_API gt_Tensor *gt_flipud_at(const char *here, gt_Tensor *x);
GT_API gt_Tensor *(gt_flipud)(gt_Tensor *x);

#define gt_rot90_OPTIONS(F, S)                                                                     \
    F(S, int32_t, k, 1, "how many quarter turns")                                                  \
    F(S, int32_t, axis1, 0, "turned from this axis")                                               \
    F(S, int32_t, axis2, 1, "towards this one")
GT_OPTIONS(gt_rot90_options, gt_rot90_OPTIONS);
/* Turned by quarters in the plane of two axes. */
#define gt_rot90(...)                                                                              \
    gt_rot90_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_rot90, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_rot90_at(const char *here, gt_Tensor *x, const gt_rot90_options *options);
GT_API gt_Tensor *(gt_rot90)(gt_Tensor *x);

#define gt_meshgrid_OPTIONS(F, S)                                                                  \
    F(S, bool, matrix, false,                                                                      \
      "the first vector runs along axis 0 (\"ij\"), not along axis 1 (\"xy\")")
GT_OPTIONS(gt_meshgrid_options, gt_meshgrid_OPTIONS);
/* gt_meshgrid(gt_tensors(x, y), grids): each vector over the grid of them all. Writes as many
 * handles as there are vectors; NULLs on failure. */
#define gt_meshgrid(vectors, ...)                                                                  \
    gt_meshgrid_at(GT_HERE, vectors, GT_FIRST(__VA_ARGS__),                                        \
                   GT_KEYWORDS(gt_meshgrid, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_meshgrid_at(const char *here, gt_Tensors vectors, gt_Tensor **grids,
                                const gt_meshgrid_options *options);

GT_END

#endif
