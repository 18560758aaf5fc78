/* Transposition of elements of 1 and 2 bytes, one by one: no vectors were faster. Leans on kernels/transpose.h. */
#include "kernels/transpose.h"

#define GT_TURN_PLAIN(size, type)                                                                  \
    static void gt_turn_##size(int64_t rows, int64_t columns, const type *from, int64_t ld,        \
                               type *to, int64_t ld_to, bool padded)                               \
    {                                                                                              \
        (void)padded;                                                                              \
        for (int64_t j = 0; j < columns; j++)                                                      \
            for (int64_t i = 0; i < rows; i++)                                                     \
                to[j * ld_to + i] = from[i * ld + j];                                              \
    }

GT_TURN_PLAIN(1, uint8_t)
GT_TRANSPOSE(1, uint8_t, gt_turn_1, )
GT_TURN_PLAIN(2, uint16_t)
GT_TRANSPOSE(2, uint16_t, gt_turn_2, )
