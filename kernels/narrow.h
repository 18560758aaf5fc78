/* Rows of a few elements, many at once: taken apart into columns, put together from columns, made by repetition. So loops over
 * columns, which are long, do the work of loops over rows, which are short. Elements of 4 or 8 bytes. Leans on loops.h. */
#ifndef GT_KERNELS_NARROW_H
#define GT_KERNELS_NARROW_H

#include "loops.h"

/* The widest rows that are taken apart, or put together, by permutations; wider ones by squares of vectors. */
#if defined(__AVX2__) && defined(__FMA__)
#define GT_NARROW_4 4
#if defined(__AVX512F__)
#define GT_NARROW_8 4
#else
#define GT_NARROW_8 3
/* y[i] = the sum of row i of x, rows x w doubles (`wide`) or floats, in the order of reduce.h; or the mean, or the root of the sum of
 * squares, rounded once. False: rows like this are not summed here, or some sum is not finite, and y is anything. */
bool GT_KERNEL(few_sums)(bool mean, bool root, bool wide, int64_t rows, int64_t w, const void *x,
                         void *y);

#endif
#else
#define GT_NARROW_4 0
#define GT_NARROW_8 0
/* y[i] = the sum of row i of x, rows x w doubles (`wide`) or floats, in the order of reduce.h; or the mean, or the root of the sum of
 * squares, rounded once. False: rows like this are not summed here, or some sum is not finite, and y is anything. */
bool GT_KERNEL(few_sums)(bool mean, bool root, bool wide, int64_t rows, int64_t w, const void *x,
                         void *y);

#endif
#define GT_NARROW 16 /* rows up to this width are worth the call */

/* y[j * ld + i] = x[i * w + j], i < rows, j < w; w > 0. */
typedef void gt_PartLoop(int64_t rows, int64_t w, const void *x, void *y, int64_t ld);
gt_PartLoop GT_KERNEL(part_4), GT_KERNEL(part_8), GT_KERNEL_RARE(part_4), GT_KERNEL_RARE(part_8);
/* y[i * w + j] = x[j * ld + i], i < rows, j < w. */
typedef void gt_BraidLoop(int64_t rows, int64_t w, const void *x, int64_t ld, void *y);
gt_BraidLoop GT_KERNEL(braid_4), GT_KERNEL(braid_8), GT_KERNEL_RARE(braid_4),
    GT_KERNEL_RARE(braid_8);

/* y[i] = the sum of row i of x, rows x w doubles (`wide`) or floats, in the order of reduce.h; or the mean, or the root of the sum of
 * squares, rounded once. False: rows like this are not summed here, or some sum is not finite, and y is anything. */
bool GT_KERNEL(few_sums)(bool mean, bool root, bool wide, int64_t rows, int64_t w, const void *x,
                         void *y);

#endif
