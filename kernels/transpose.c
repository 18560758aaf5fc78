/* Transposition by squares that fit the first cache: reading rows and writing rows, so that each
 * line of either array is fetched once. Leans on loops.h. */
#include "loops.h"

#define GT_SQUARE 32

#define GT_TRANSPOSE(size, type)                                                                   \
    void GT_KERNEL(transpose_##size)(int64_t rows, int64_t columns, const void *from, int64_t ldx, \
                                     void *to, int64_t ldy)                                        \
    {                                                                                              \
        for (int64_t r = 0; r < rows; r += GT_SQUARE) {                                            \
            int64_t height = rows - r < GT_SQUARE ? rows - r : GT_SQUARE;                          \
            for (int64_t c = 0; c < columns; c += GT_SQUARE) {                                     \
                int64_t width = columns - c < GT_SQUARE ? columns - c : GT_SQUARE;                 \
                const type *restrict x = (const type *)from + r * ldx + c;                         \
                type *restrict y = (type *)to + c * ldy + r;                                       \
                for (int64_t j = 0; j < width; j++) {                                              \
                    for (int64_t i = 0; i < height; i++)                                           \
                        y[j * ldy + i] = x[i * ldx + j];                                           \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

GT_TRANSPOSE(1, uint8_t)
#if GT_IS_BASE(GT_ISA)
GT_TRANSPOSE(2, uint16_t)
#endif
GT_TRANSPOSE(4, uint32_t)
GT_TRANSPOSE(8, uint64_t)
