/* The job of resizing an axis: once/resize.c, resize.c. Included by kernels.h. */
#ifndef GT_KERNELS_RESIZE_H
#define GT_KERNELS_RESIZE_H

#include <stdbool.h>
#include <stdint.h>

/* How elements are weighted by their distance: the nearest one, a tent, a cubic, a windowed sinc.
 * The numbers are those of gt_Interpolation. */
typedef enum gt_ResizeKind {
    GT_RESIZE_KIND_NEAREST,
    GT_RESIZE_KIND_TENT,
    GT_RESIZE_KIND_CUBIC,
    GT_RESIZE_KIND_SINC3,
    GT_RESIZE_KIND_SINC5
} gt_ResizeKind;

/* resize_bands makes the matrix (out, in), of which row i has count[i] weights from column first[i]
 * on, at most `taps`:
 *     at[bands]: first, count (out) int64, weight (out, taps) double; a tile: GT_RESIZE_ROWS rows
 * resize multiplies by it along an axis: x (outer, in, inner) -> y (outer, out, inner), or, `back`,
 * x (outer, out, inner) -> y (outer, in, inner) by its transpose; at {x, y, bands}. A tile is
 * `chunk` neighbours of one outer index, which has `chunks`; scratch has the sums of
 * GT_RESIZE_COLUMNS of them where these are added up in double. */
#define GT_RESIZE_ROWS    256
#define GT_RESIZE_COLUMNS 256
typedef struct gt_ResizeJob {
    uint8_t type, kind; /* GT_LOOP_F32 or GT_LOOP_F64; a gt_ResizeKind */
    bool back, in_double;
    int32_t bands; /* place in `at` */
    int64_t outer, in, out, inner, chunk, chunks, taps;
    double stretch; /* of the distances up to which weights reach */
} gt_ResizeJob;

/* How far weights reach, in elements. */
static inline int gt_resize_reach(uint8_t kind)
{
    static const int8_t reach[] = {1, 1, 2, 3, 5};
    return reach[kind];
}

#endif
