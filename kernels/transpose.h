/* Transposition by squares. Rows of y that are a large power of two apart would push each other out of the cache before
 * their lines are full, so those squares are turned aside, and written row by row from there. Leans on loops.h. */
#ifndef GT_KERNELS_TRANSPOSE_H
#define GT_KERNELS_TRANSPOSE_H

#include "loops.h"

#define GT_SIDE  64
#define GT_LONG  2048 /* bytes from a row of y to the next, from where on they may share a place */
#define GT_SHARE 512  /* and they do, many of them, if it is a multiple of this */

#define GT_TRANSPOSE(size, type, turn, narrow)                                                     \
    void GT_KERNEL(transpose_##size)(int64_t rows, int64_t columns, const void *from, int64_t ldx, \
                                     void *to, int64_t ldy)                                        \
    {                                                                                              \
        enum { SIDE = size == 8 ? GT_SIDE / 2 : GT_SIDE };                                         \
        type square[SIDE * SIDE];                                                                  \
        const bool aside = ldy * size >= GT_LONG && ldy * size % GT_SHARE == 0;                    \
        narrow                                                                                     \
        for (int64_t r = 0; r < rows; r += SIDE) {                                                 \
            const int64_t height = rows - r < SIDE ? rows - r : SIDE;                              \
            for (int64_t c = 0; c < columns; c += SIDE) {                                          \
                const int64_t width = columns - c < SIDE ? columns - c : SIDE;                     \
                type *y = (type *)to + c * ldy + r;                                                \
                const type *x = (const type *)from + r * ldx + c;                                  \
                if (!aside) {                                                                      \
                    turn(height, width, x, ldx, y, ldy, false);                                    \
                    continue;                                                                      \
                }                                                                                  \
                turn(height, width, x, ldx, square, SIDE, true);                                   \
                for (int64_t j = 0; j < width; j++)                                                \
                    memcpy(y + j * ldy, square + j * SIDE, (size_t)height * sizeof(type));         \
            }                                                                                      \
        }                                                                                          \
    }

#endif
