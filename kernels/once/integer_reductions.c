/* The reductions of integers, which have one build: they wait for memory. Sums and products wrap, so any order gives the
 * same, and the compiler chooses it. Products: integer_products.c. Leans on integer_reduction.h. */
#include "integer_reduction.h"

/* The place of a number that is there: two steps, for an exit in the loop would keep it from becoming vector code. */
#define GT_FIND(suffix, type, word)                                                                \
    int64_t GT_KERNEL(find_##suffix)(int64_t n, const void *from, const void *value)               \
    {                                                                                              \
        enum { LANES = 32 };                                                                       \
        const type *x = from, wanted = *(const type *)value;                                       \
        int64_t i = 0;                                                                             \
        for (word found = 0; i + LANES <= n; i += LANES) {                                         \
            for (int l = 0; l < LANES; l++)                                                        \
                found |= x[i + l] == wanted ? (word)1 : (word)0;                                   \
            if (found)                                                                             \
                break;                                                                             \
        }                                                                                          \
        while (i < n && x[i] != wanted)                                                            \
            i++;                                                                                   \
        return i;                                                                                  \
    }

/* `word`: unsigned, as wide as an element; `wide`: where it is computed. */
#define GT_REDUCTIONS(suffix, type, word, wide, lowest, highest)                                   \
    GT_REDUCTION(sum, suffix, type, 0, (wide)a + (wide)b)                                          \
    GT_REDUCTION(max, suffix, type, lowest, a > b ? a : b)                                         \
    GT_REDUCTION(min, suffix, type, highest, a < b ? a : b)                                        \
    GT_FIND(suffix, type, word)

GT_REDUCTIONS(i32, int32_t, uint32_t, uint32_t, INT32_MIN, INT32_MAX)
GT_REDUCTIONS(i64, int64_t, uint64_t, uint64_t, INT64_MIN, INT64_MAX)
GT_REDUCTIONS(u8, uint8_t, uint8_t, uint32_t, 0, UINT8_MAX)

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
