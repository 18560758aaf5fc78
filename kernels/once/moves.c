/* Short runs of bytes, many at once: see kernels/moves.h. A run is moved by two pieces of one size, the second of which ends where
 * the run does: 12 bytes as [0, 8) and [4, 12). So one loop serves all sizes from a power of two to the next, and nothing in it
 * depends on the size. Both pieces are read before the first is written: x may be y. Compiled once: vectors of 16 bytes, which
 * every processor has, are as wide as the runs. */
#include "kernels/moves.h"

#include <string.h>

#define GT_RUNS_OF(size)                                                                           \
    static void runs_##size(int64_t count, int64_t behind, const char *x, int64_t step_x, char *y, \
                            int64_t step_y)                                                        \
    {                                                                                              \
        typedef struct Piece {                                                                     \
            char at[size];                                                                         \
        } Piece;                                                                                   \
        Piece a, b;                                                                                \
        for (; behind == 0 && count > 0; count--, x += step_x, y += step_y) {                      \
            memcpy(&a, x, size);                                                                   \
            memcpy(y, &a, size);                                                                   \
        }                                                                                          \
        for (; count > 0; count--, x += step_x, y += step_y) {                                     \
            memcpy(&a, x, size);                                                                   \
            memcpy(&b, x + behind, size);                                                          \
            memcpy(y, &a, size);                                                                   \
            memcpy(y + behind, &b, size);                                                          \
        }                                                                                          \
    }
GT_RUNS_OF(1)
GT_RUNS_OF(2)
GT_RUNS_OF(4)
GT_RUNS_OF(8)
GT_RUNS_OF(16)
GT_RUNS_OF(32)
GT_RUNS_OF(64)

void gt_move_runs(int64_t count, int64_t n, const void *x, int64_t step_x, void *y, int64_t step_y)
{
    static void (*const runs[])(int64_t, int64_t, const char *, int64_t, char *, int64_t) = {
        runs_1, runs_2, runs_4, runs_8, runs_16, runs_32, runs_64};
    const char *from = x;
    char *to = y;
    int size = 0;
    if (n == step_x && n == step_y) {
        n *= count;
        count = 1;
    }
    if (n > GT_MOVE_SHORT) {
        for (; count > 0 && from != to; count--, from += step_x, to += step_y)
            memcpy(to, from, (size_t)n);
        return;
    }
    while (size < 6 && INT64_C(2) << size <= n)
        size++;
    runs[size](count, n - (INT64_C(1) << size), from, step_x, to, step_y);
}

#define GT_ELEMENTS_OF(type)                                                                       \
    for (int64_t i = 0; i < count; i++)                                                            \
    ((type *)y)[i * step_y] = ((const type *)x)[i * step_x]
void gt_move_elements(size_t element, int64_t count, const void *x, int64_t step_x, void *y,
                      int64_t step_y)
{
    if (step_x == 1 && step_y == 1) {
        if (x != y) /* a variable that is assigned to itself */
            memcpy(y, x, (size_t)count * element);
    } else if (element == 1) {
        GT_ELEMENTS_OF(uint8_t);
    } else if (element == 2) {
        GT_ELEMENTS_OF(uint16_t);
    } else if (element == 4) {
        GT_ELEMENTS_OF(uint32_t);
    } else {
        GT_ELEMENTS_OF(uint64_t);
    }
}

void gt_repeat_bytes(void *y, size_t bytes, int64_t n)
{
    const size_t all = bytes * (size_t)n;
    for (size_t done = bytes; done < all; done *= 2)
        memcpy((char *)y + done, y, done < all - done ? done : all - done);
}
