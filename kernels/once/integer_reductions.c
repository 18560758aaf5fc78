/* The reductions of integers, which have one build: they wait for memory. Leans on kernels/reduce.h, whose order they have
 * though any other gave the same. */
#include "kernels/loops.h"
#include "kernels/reduce.h"

#define GT_IS_NAN(x) false

#define GT_T          int32_t
#define GT_REAL       0
#define GT_U          uint32_t
#define GT_I          uint32_t
#define GT_NAME(name) name##_i32
#define GT_LOWEST     INT32_MIN
#define GT_HIGHEST    INT32_MAX
#include "kernels/reduce_template.h"

#define GT_T          int64_t
#define GT_REAL       0
#define GT_U          uint64_t
#define GT_I          uint64_t
#define GT_NAME(name) name##_i64
#define GT_LOWEST     INT64_MIN
#define GT_HIGHEST    INT64_MAX
#include "kernels/reduce_template.h"

#define GT_T          uint8_t
#define GT_REAL       0
#define GT_U          uint32_t
#define GT_I          uint8_t
#define GT_NAME(name) name##_u8
#define GT_LOWEST     0
#define GT_HIGHEST    UINT8_MAX
#include "kernels/reduce_template.h"

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
