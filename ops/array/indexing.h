/* Parts of tensors, and tensors from parts: joining, cutting, looking up. */
#ifndef GT_OPS_INDEXING_H
#define GT_OPS_INDEXING_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

/* ---- joining and cutting ---- */

#define gt_concatenate_OPTIONS(F, S) F(S, int32_t, axis, 0, "along this axis")
GT_OPTIONS(gt_concatenate_options, gt_concatenate_OPTIONS);
typedef gt_concatenate_options gt_stack_options;
/* gt_concatenate(gt_tensors(a, b), .axis = -1): one behind the other. Same type and, but for that
 * axis, same shape. */
#define gt_concatenate(...) GT_JOIN_(gt_concatenate_at, (__VA_ARGS__))
GT_API gt_Tensor *gt_concatenate_at(const char *here, gt_Tensors tensors,
                                    const gt_concatenate_options *options);
/* gt_stack(gt_tensors(a, b), .axis = 0): the same along a new axis of the result. */
#define gt_stack(...) GT_JOIN_(gt_stack_at, (__VA_ARGS__))
GT_API gt_Tensor *gt_stack_at(const char *here, gt_Tensors tensors,
                              const gt_concatenate_options *options);
#define GT_JOIN_(function, arguments)                                                              \
    function(GT_HERE, GT_FIRST arguments, GT_KEYWORDS(gt_concatenate, GT_AFTER_1 arguments))

#define gt_split_OPTIONS(F, S)                                                                     \
    F(S, int32_t, axis, 0, "along this axis")                                                      \
    F(S, const int64_t *, sizes, NULL, "one a part, summing up to the axis; NULL: equal parts")
GT_OPTIONS(gt_split_options, gt_split_OPTIONS);
/* gt_split(x, 3, parts, .axis = 1): cuts x into `count` parts and writes their handles to `parts`;
 * NULLs on failure. */
#define gt_split(x, count, ...)                                                                    \
    gt_split_at(GT_HERE, x, count, GT_FIRST(__VA_ARGS__),                                          \
                GT_KEYWORDS(gt_split, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_split_at(const char *here, gt_Tensor *x, int count, gt_Tensor **parts,
                             const gt_split_options *options);

/* The block of that size that starts at `begin`, both of x's rank; a size of -1 goes to the end. A
 * block that is contiguous in x (leading rows) shares its memory. */
#define gt_slice(x, begin, size) gt_slice_at(GT_HERE, x, begin, size)
GT_API gt_Tensor *gt_slice_at(const char *here, gt_Tensor *x, gt_Shape begin, gt_Shape size);

/* ---- looking up: indices are int32, int64 or uint8; negative ones count from the end; one that is
 * out of range is an error that names it. They have no gradient. ---- */

#define gt_take_OPTIONS(F, S) F(S, int32_t, axis, 0, "along this axis; GT_NONE: of x flattened")
GT_OPTIONS(gt_take_options, gt_take_OPTIONS);
typedef gt_take_options gt_scatter_add_options;
/* x[..., indices, ...]: the axis is replaced by the shape of the indices. The gradients of one
 * element that was taken more than once are added, in the order of the indices. */
#define gt_take(x, ...)                                                                            \
    gt_take_at(GT_HERE, x, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_take, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_take_at(const char *here, gt_Tensor *x, gt_Tensor *indices,
                             const gt_take_options *options);
/* Zeros of that shape, with updates added at the indices of an axis: the transpose of gt_take.
 * gt_scatter_add(indices, updates, gt_shape(10, 4), .axis = 0); `updates` is what gt_take of such a
 * shape would give. The numbers are computed when they are read first; see gt_rows. */
#define gt_scatter_add(indices, updates, ...)                                                      \
    gt_scatter_add_at(GT_HERE, indices, updates, GT_FIRST(__VA_ARGS__),                            \
                      GT_KEYWORDS(gt_take, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_scatter_add_at(const char *here, gt_Tensor *indices, gt_Tensor *updates,
                                    gt_Shape shape, const gt_take_options *options);

/* Is this gradient rows: zeros but for what was added at some indices of axis 0, and fewer of those
 * than there are rows? Then `indices` (n) and `values` (n, ...) get what was added; an index may be
 * there more than once, and a negative one counts from the end. Else false and NULLs, which is no
 * error. Either pointer may be NULL. The gradient of gt_take along axis 0 is rows, and so is the
 * sum of such gradients and what gt_scatter_add gives, until an operation or gt_data reads their
 * numbers; then they are a tensor like any other. The same in a traced function. */
#define gt_rows(gradient, indices, values) gt_rows_at(GT_HERE, gradient, indices, values)
GT_API bool gt_rows_at(const char *here, gt_Tensor *gradient, gt_Tensor **indices,
                       gt_Tensor **values);

#define gt_take_along_axis_OPTIONS(F, S)                                                           \
    F(S, int32_t, axis, -1, "along this axis; GT_NONE: of x and indices flattened")
GT_OPTIONS(gt_take_along_axis_options, gt_take_along_axis_OPTIONS);
/* y[i, j, k] = x[i, indices[i, j, k], k] for axis 1: of the shape of the indices, which is that of
 * x but for the axis. */
#define gt_take_along_axis(x, ...)                                                                 \
    gt_take_along_axis_at(GT_HERE, x, GT_FIRST(__VA_ARGS__),                                       \
                          GT_KEYWORDS(gt_take_along_axis, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_take_along_axis_at(const char *here, gt_Tensor *x, gt_Tensor *indices,
                                        const gt_take_along_axis_options *options);

#define gt_one_hot_OPTIONS(F, S)                                                                   \
    F(S, int32_t, axis, -1, "where the new axis stands in the result")                             \
    F(S, gt_DType, dtype, GT_FLOAT32, "the type of the result")
GT_OPTIONS(gt_one_hot_options, gt_one_hot_OPTIONS);
/* Each index as a row of `depth` zeros with a 1 at its place; an index outside [0, depth) gives
 * zeros only. No gradient. */
#define gt_one_hot(indices, ...)                                                                   \
    gt_one_hot_at(GT_HERE, indices, GT_FIRST(__VA_ARGS__),                                         \
                  GT_KEYWORDS(gt_one_hot, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_one_hot_at(const char *here, gt_Tensor *indices, int64_t depth,
                                const gt_one_hot_options *options);

/* ---- triangles ---- */

#define gt_tril_OPTIONS(F, S)                                                                      \
    F(S, int64_t, k, 0, "which diagonal: 0 the main one, above it positive")
GT_OPTIONS(gt_tril_options, gt_tril_OPTIONS);
typedef gt_tril_options gt_triu_options;
/* Of the last two axes, what is on and below (tril), on and above (triu) the diagonal; else 0. */
#define gt_tril(...)                                                                               \
    gt_tril_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_tril, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_tril_at(const char *here, gt_Tensor *x, const gt_tril_options *options);
GT_API gt_Tensor *(gt_tril)(gt_Tensor *x);
#define gt_triu(...)                                                                               \
    gt_triu_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_tril, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_triu_at(const char *here, gt_Tensor *x, const gt_tril_options *options);
GT_API gt_Tensor *(gt_triu)(gt_Tensor *x);

/* ---- more ways to join and cut ---- */

/* Along axis 1 (of vectors: 0); as rows; along a third axis; vectors as columns. */
#define gt_hstack(tensors) gt_hstack_at(GT_HERE, tensors)
GT_API gt_Tensor *gt_hstack_at(const char *here, gt_Tensors tensors);
#define gt_vstack(tensors) gt_vstack_at(GT_HERE, tensors)
GT_API gt_Tensor *gt_vstack_at(const char *here, gt_Tensors tensors);
#define gt_dstack(tensors) gt_dstack_at(GT_HERE, tensors)
GT_API gt_Tensor *gt_dstack_at(const char *here, gt_Tensors tensors);
#define gt_column_stack(tensors) gt_column_stack_at(GT_HERE, tensors)
GT_API gt_Tensor *gt_column_stack_at(const char *here, gt_Tensors tensors);

#define gt_array_split_OPTIONS(F, S) F(S, int32_t, axis, 0, "along this axis")
GT_OPTIONS(gt_array_split_options, gt_array_split_OPTIONS);
typedef gt_array_split_options gt_unstack_options;
#define GT_PARTS_(function, x, count, ...)                                                         \
    function(GT_HERE, x, count, GT_FIRST(__VA_ARGS__),                                             \
             GT_KEYWORDS(gt_array_split, GT_AFTER_1(__VA_ARGS__)))
/* gt_split where the axis need not be a multiple of `count`: the first parts are one longer. */
#define gt_array_split(x, count, ...) GT_PARTS_(gt_array_split_at, x, count, __VA_ARGS__)
GT_API gt_Status gt_array_split_at(const char *here, gt_Tensor *x, int count, gt_Tensor **parts,
                                   const gt_array_split_options *options);
/* Each of the `count` positions of an axis by itself, without that axis. */
#define gt_unstack(x, count, ...) GT_PARTS_(gt_unstack_at, x, count, __VA_ARGS__)
GT_API gt_Status gt_unstack_at(const char *here, gt_Tensor *x, int count, gt_Tensor **parts,
                               const gt_array_split_options *options);
/* gt_split along axis 1 (of vectors: 0), along axis 0. */
#define gt_hsplit(x, count, parts) gt_hsplit_at(GT_HERE, x, count, parts)
GT_API gt_Status gt_hsplit_at(const char *here, gt_Tensor *x, int count, gt_Tensor **parts);
#define gt_vsplit(x, count, parts) gt_vsplit_at(GT_HERE, x, count, parts)
GT_API gt_Status gt_vsplit_at(const char *here, gt_Tensor *x, int count, gt_Tensor **parts);

/* ---- with parts replaced ---- */

/* x with the block that starts at `begin` replaced. */
#define gt_slice_update(x, begin, updates) gt_slice_update_at(GT_HERE, x, begin, updates)
GT_API gt_Tensor *gt_slice_update_at(const char *here, gt_Tensor *x, gt_Shape begin,
                                     gt_Tensor *updates);
/* What becomes of the number that was there, and of several that go to the same place. */
typedef enum gt_ScatterReduction {
    GT_SCATTER_REDUCTION_REPLACE = 0, /* Keras's None */
    GT_SCATTER_REDUCTION_ADD = 1,
    GT_SCATTER_REDUCTION_MAX = 2,
    GT_SCATTER_REDUCTION_MIN = 3,
    GT_SCATTER_REDUCTION_MULTIPLY = 4
} gt_ScatterReduction;

#define gt_scatter_update_OPTIONS(F, S)                                                            \
    F(S, gt_ScatterReduction, reduction, GT_SCATTER_REDUCTION_REPLACE,                             \
      "what an update does to what is there")
GT_OPTIONS(gt_scatter_update_options, gt_scatter_update_OPTIONS);
/* x with x[indices[i, 0], indices[i, 1], ...] replaced by updates[i]: indices (n, k) for the first
 * k axes of x, updates (n, the other axes). Of updates of the same place the last one counts, and
 * gets the gradient alone. With `.reduction` the number that is there and all updates of the place
 * are added, multiplied, or their largest, their smallest is taken; equal updates share a gradient,
 * of an update that equals x, x has it. */
#define gt_scatter_update(x, indices, ...)                                                         \
    gt_scatter_update_at(GT_HERE, x, indices, GT_FIRST(__VA_ARGS__),                               \
                         GT_KEYWORDS(gt_scatter_update, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_scatter_update_at(const char *here, gt_Tensor *x, gt_Tensor *indices,
                                       gt_Tensor *updates,
                                       const gt_scatter_update_options *options);

/* Zeros of that shape with values[i] added at the place indices[i], as in gt_scatter_update:
 * indices (n, k) for the first k axes, values (n, the other axes). (gt_scatter_add goes along one
 * axis.) */
#define gt_scatter(indices, values, shape) gt_scatter_at(GT_HERE, indices, values, shape)
GT_API gt_Tensor *gt_scatter_at(const char *here, gt_Tensor *indices, gt_Tensor *values,
                                gt_Shape shape);

/* ---- as Python writes it ---- */

/* gt_get_item(x, "0, 1:-1, ..., ::-2"): x[0, 1:-1, ..., ::-2]. For each axis, separated by commas,
 * a whole number (the axis goes), or start:stop:step as in Python; "..." stands for all axes that
 * are not named, which without it are the last ones; "newaxis" puts in a dimension of 1. What is
 * cut out with steps of 1 is a gt_slice, other steps are a gt_take. */
#define gt_get_item(x, key) gt_get_item_at(GT_HERE, x, key)
GT_API gt_Tensor *gt_get_item_at(const char *here, gt_Tensor *x, const char *key);

/* ---- where something is ---- */

#define gt_nonzero_OPTIONS(F, S)                                                                   \
    F(S, int64_t, length, GT_INHERIT, "how many places; GT_INHERIT: as many as there are")         \
    F(S, int64_t, fill_value, 0, "the coordinates of places that are not there")
GT_OPTIONS(gt_nonzero_options, gt_nonzero_OPTIONS);
/* Where x is not 0 (NaN is not): int64 (rank, places), row d the coordinates along axis d, in
 * row-major order of the places; gt_unstack gives NumPy's tuple. With `.length` the result is that
 * long whatever x holds, filled up or cut off, as in JAX (whose keyword is size): inside a traced
 * function it must be given. No gradient. */
#define gt_nonzero(...)                                                                            \
    gt_nonzero_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_nonzero, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_nonzero_at(const char *here, gt_Tensor *x, const gt_nonzero_options *options);
GT_API gt_Tensor *(gt_nonzero)(gt_Tensor *x);

GT_END

#endif
