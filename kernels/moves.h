/* Many short runs of bytes at once, which is what rows of a few elements are when they are copied. Compiled once, in
 * once/moves.c. Leans on nothing. */
#ifndef GT_KERNELS_MOVES_H
#define GT_KERNELS_MOVES_H

#include <stddef.h>
#include <stdint.h>

#define GT_MOVE_SHORT                                                                              \
    128 /* bytes, up to which a call of memcpy for each run would cost more than the copying */

/* Copies `count` runs of n > 0 bytes; x and y step by step_x and step_y bytes from run to run. Where runs of y overlap those of x
 * they are the very same. */
void gt_move_runs(int64_t count, int64_t n, const void *x, int64_t step_x, void *y, int64_t step_y);
/* The same of single elements of 1, 2, 4 or 8 bytes, the steps in elements. */
void gt_move_elements(size_t element, int64_t count, const void *x, int64_t step_x, void *y,
                      int64_t step_y);
/* y[0], which has so many bytes, again as y[1] to y[n - 1]. */
void gt_repeat_bytes(void *y, size_t bytes, int64_t n);

#endif
