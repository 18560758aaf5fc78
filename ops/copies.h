/* Lowering to kernels that move elements: filling, copying along strides. Private to the library.
 *
 *     gt_CopyJob *job = gt_lower_copy(lowering, dtype, 0, 1);      from at[0] to at[1]
 *     gt_copy_axis(job, rows, columns, 1);                         axis by axis, the outermost first: length, step of
 *     gt_copy_axis(job, columns, 1, rows);                           reading, step of writing, in elements
 *     gt_copy_end(lowering, job);                                  cuts it
 */
#ifndef GT_OPS_COPIES_H
#define GT_OPS_COPIES_H

#include "core/inside.h"
#include "core/launch.h"

/* A launch that copies from at[x] to at[y] once its axes are added. `from` and `to` of the job say where it begins, 0 unless
 * they are set. */
gt_CopyJob *gt_lower_copy(gt_Lowering *lowering, gt_DType dtype, int x, int y);
void gt_copy_axis(gt_CopyJob *job, int64_t dim, int64_t from, int64_t to);
/* The last launch is this copy: works out its tiles. */
void gt_copy_end(gt_Lowering *lowering, gt_CopyJob *job);
/* Input 0 to output 0, which have as many elements. */
void gt_lower_same(const gt_ShapeRule *rule, gt_Lowering *lowering);

/* The same number in `size` elements from at[y] on; it fits the dtype. */
void gt_lower_fill(gt_Lowering *lowering, gt_DType dtype, int y, int64_t size, double number);
/* The same now, from `to` on: for constants. */
void gt_fill(gt_DType dtype, int64_t size, double number, void *to);
/* The bytes of that number. */
uint64_t gt_number_pattern(gt_DType dtype, double number);

/* How much a padding with zeros puts in front of each axis of its input; NULL: this is another operation, or the number is
 * not 0. */
const gt_Shape *gt_zeros_before(const gt_Operation *operation, const void *options);

/* The strides of a row-major array, in elements. */
void gt_strides(const gt_Spec *spec, int64_t stride[GT_MAX_RANK]);

#endif
