/* Transposition of elements of 4 and 8 bytes, whose squares the vectors of gemm.c turn. Leans on transpose.h, gemm.h. */
#include "gemm.h"
#include "narrow.h"
#include "transpose.h"

/* Short rows that lie together, of x or of y, are taken apart or put together. */
#define GT_NARROW_TURN(size)                                                                       \
    if (ldx == columns && columns <= GT_NARROW) {                                                  \
        GT_KERNEL_RARE(part_##size)(rows, columns, from, to, ldy);                                 \
        return;                                                                                    \
    }                                                                                              \
    if (ldy == rows && rows <= GT_NARROW) {                                                        \
        GT_KERNEL_RARE(braid_##size)(columns, rows, from, ldx, to);                                \
        return;                                                                                    \
    }

GT_TRANSPOSE(4, float, GT_KERNEL(turn_f32), GT_NARROW_TURN(4))
GT_TRANSPOSE(8, double, GT_KERNEL(turn_f64), GT_NARROW_TURN(8))
