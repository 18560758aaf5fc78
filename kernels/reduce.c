/* Reductions whose bits depend on the numbers and their count alone, and the softmax family that is
 * made of them. Leans on functions.h.
 *
 * Rows: blocks of GT_BLOCK numbers, in each of them 32 independent lanes (128 of bytes; a number of
 * the source, not of the processor), the lanes combined by halving, the blocks pairwise. The error
 * of a sum thus grows with GT_BLOCK / lanes + log n instead of n. Columns: blocks of GT_ROW_BLOCK
 * rows, combined pairwise.
 *
 * A sum of floats is one of doubles, but that each lane, or column, first adds up to 32 floats as
 * floats, mostly in twos and fours: that costs no more than a sum of floats, and its error is that
 * of some ten additions, whatever n. What is squared becomes a double before. Products: see
 * reduce_product.h. */
#include "functions.h"
#include "narrow.h"

#define GT_BLOCK     4096 /* numbers of a row that share lanes */
#define GT_ROW_BLOCK 32   /* rows of a column summed one after the other */
#define GT_GROUP     1024 /* numbers that one pass of softmax takes */
#define GT_WIDTH     512  /* bytes of a row that are reduced at once */
#define GT_LEVELS    48   /* blocks combine pairwise: 2^48 of them */

#define GT_T          float
#define GT_REAL       32
#define GT_PART       GT_KERNEL(part_4)
#define GT_I          uint32_t
#define GT_NAME(name) name##_f32
#define GT_LOWEST     -INFINITY
#define GT_HIGHEST    INFINITY
#define GT_IS_NAN(x)  ((x) != (x))
#include "reduce_template.h"
#undef GT_IS_NAN
#undef GT_PART

#define GT_T          double
#define GT_REAL       64
#define GT_PART       GT_KERNEL(part_8)
#define GT_I          uint64_t
#define GT_NAME(name) name##_f64
#define GT_LOWEST     -INFINITY
#define GT_HIGHEST    INFINITY
#define GT_IS_NAN(x)  ((x) != (x))
#include "reduce_template.h"
#undef GT_IS_NAN
#undef GT_PART

#if GT_IS_BASE(GT_ISA)
#define GT_IS_NAN(x) false

#define GT_T          int32_t
#define GT_REAL       0
#define GT_U          uint32_t
#define GT_I          uint32_t
#define GT_NAME(name) name##_i32
#define GT_LOWEST     INT32_MIN
#define GT_HIGHEST    INT32_MAX
#include "reduce_template.h"

#define GT_T          int64_t
#define GT_REAL       0
#define GT_U          uint64_t
#define GT_I          uint64_t
#define GT_NAME(name) name##_i64
#define GT_LOWEST     INT64_MIN
#define GT_HIGHEST    INT64_MAX
#include "reduce_template.h"

#define GT_T          uint8_t
#define GT_REAL       0
#define GT_U          uint32_t
#define GT_I          uint8_t
#define GT_NAME(name) name##_u8
#define GT_LOWEST     0
#define GT_HIGHEST    UINT8_MAX
#include "reduce_template.h"

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
#endif

/* The products are exact in double; lanes as in a block of a row. */
double GT_KERNEL(dot_f32)(int64_t n, const float *a, const float *b)
{
    enum { LANES = 32 };
    double lane[LANES];
    int64_t i = 0;
    for (int l = 0; l < LANES; l++)
        lane[l] = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int l = 0; l < LANES; l++)
            lane[l] += (double)a[i + l] * (double)b[i + l];
    }
    for (int l = 0; i + l < n; l++)
        lane[l] += (double)a[i + l] * (double)b[i + l];
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    }
    return lane[0];
}

#define GT_T              float
#define GT_NAME(name)     name##_f32
#define GT_FUNCTION(name) gt_##name##_f32
#define GT_FEW_MAX        GT_KERNEL_RARE(few_rows_max_f32)
#define GT_SPREAD         GT_KERNEL(spread_4)
#include "softmax_template.h"

#define GT_T              double
#define GT_NAME(name)     name##_f64
#define GT_FUNCTION(name) gt_##name##_f64
#define GT_FEW_MAX        GT_KERNEL(few_rows_max_f64)
#define GT_SPREAD         GT_KERNEL(spread_8)
#include "softmax_template.h"
