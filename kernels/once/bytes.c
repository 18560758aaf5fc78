/* What a program does wait for among loops of bytes: masks that are counted and turned round, pixels that become reals.
 * They exist once, with the vectors of the lowest instruction set. Leans on elementwise.h. */
#include "kernels/elementwise.h"
#include "kernels/reduce.h"

GT_UNARY(logical_not, b8, uint8_t, !x)

GT_CAST(u8, uint8_t, f32, float, x)
GT_CAST(u8, uint8_t, f64, double, x)

/* Bytes as wider integers, which wrap: any order gives the same. */
static uint64_t sum_of_bytes(int64_t n, const uint8_t *x)
{
    uint64_t sum = 0;
    for (int64_t i = 0; i < n; i += GT_BLOCK) {
        int64_t end = n - i < GT_BLOCK ? n : i + GT_BLOCK;
        uint32_t part = 0;
        for (int64_t k = i; k < end; k++)
            part += x[k];
        sum += part;
    }
    return sum;
}

void GT_KERNEL(sum_bytes_i32)(int64_t n, const void *x, void *y)
{
    *(int32_t *)y = (int32_t)(uint32_t)sum_of_bytes(n, x);
}

void GT_KERNEL(sum_bytes_i64)(int64_t n, const void *x, void *y)
{
    *(int64_t *)y = (int64_t)sum_of_bytes(n, x);
}

#define GT_SUM_BYTES_COLUMNS(name, T, U)                                                           \
    void GT_KERNEL(name)(int64_t rows, int64_t columns, int64_t stride, const void *from,          \
                         void *to)                                                                 \
    {                                                                                              \
        T *restrict y = to;                                                                        \
        for (int64_t j = 0; j < columns; j++)                                                      \
            y[j] = 0;                                                                              \
        for (int64_t r = 0; r < rows; r++) {                                                       \
            const uint8_t *restrict x = (const uint8_t *)from + r * stride;                        \
            for (int64_t j = 0; j < columns; j++)                                                  \
                y[j] = (T)((U)y[j] + x[j]);                                                        \
        }                                                                                          \
    }
GT_SUM_BYTES_COLUMNS(sum_bytes_columns_i32, int32_t, uint32_t)
GT_SUM_BYTES_COLUMNS(sum_bytes_columns_i64, int64_t, uint64_t)
