/* Transposition by squares, which the vectors of gemm.c turn. Rows of y that are a large power of two
 * apart would push each other out of the cache before their lines are full, so those squares are turned
 * aside, and written row by row from there. Leans on loops.h, gemm.h. */
#include "loops.h"
#include "gemm.h"
#include "narrow.h"

#define GT_SIDE  64
#define GT_LONG  2048 /* bytes from a row of y to the next, from where on they may share a place */
#define GT_SHARE 512  /* and they do, many of them, if it is a multiple of this */

#define GT_TURN_PLAIN(size, type)                                                                  \
    static void gt_turn_##size(int64_t rows, int64_t columns, const type *from, int64_t ld,        \
                               type *to, int64_t ld_to, bool padded)                               \
    {                                                                                              \
        (void)padded;                                                                              \
        for (int64_t j = 0; j < columns; j++)                                                      \
            for (int64_t i = 0; i < rows; i++)                                                     \
                to[j * ld_to + i] = from[i * ld + j];                                              \
    }

/* Short rows that lie together, of x or of y, are taken apart or put together. */
#define GT_NARROW_TURN(size)                                                                       \
    if (ldx == columns && columns <= GT_NARROW) {                                                  \
        GT_KERNEL(part_##size)(rows, columns, from, to, ldy);                                      \
        return;                                                                                    \
    }                                                                                              \
    if (ldy == rows && rows <= GT_NARROW) {                                                        \
        GT_KERNEL(braid_##size)(columns, rows, from, ldx, to);                                     \
        return;                                                                                    \
    }

#define GT_TRANSPOSE(size, type, turn, narrow)                                                     \
    void GT_KERNEL(transpose_##size)(int64_t rows, int64_t columns, const void *from, int64_t ldx, \
                                     void *to, int64_t ldy)                                        \
    {                                                                                              \
        enum { SIDE = size == 8 ? GT_SIDE / 2 : GT_SIDE };                                         \
        type square[SIDE * SIDE];                                                                  \
        const bool aside = ldy * size >= GT_LONG && ldy * size % GT_SHARE == 0;                    \
        narrow for (int64_t r = 0; r < rows; r += SIDE)                                            \
        {                                                                                          \
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

GT_TURN_PLAIN(1, uint8_t)
GT_TRANSPOSE(1, uint8_t, gt_turn_1, )
#if GT_IS_BASE(GT_ISA)
GT_TURN_PLAIN(2, uint16_t)
GT_TRANSPOSE(2, uint16_t, gt_turn_2, )
#endif
GT_TRANSPOSE(4, float, GT_KERNEL(turn_f32), GT_NARROW_TURN(4))
GT_TRANSPOSE(8, double, GT_KERNEL(turn_f64), GT_NARROW_TURN(8))
