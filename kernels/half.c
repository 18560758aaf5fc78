/* The loops over numbers of 16 bits: to float32 and float64 and from them. Everything else about
 * float16 and bfloat16 is done by way of these. Leans on half.h and loops.h. */
#include "half.h"
#include "loops.h"

#if defined(__F16C__)
#include <immintrin.h>
#endif

/* Eight at a time where the processor converts float16 itself, by the same rules; the number that
 * are done is returned. */
#if defined(__F16C__)
static int64_t widen_most_f16(int64_t n, const uint16_t *x, float *y)
{
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(y + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(x + i))));
    return i;
}
static int64_t narrow_most_f16(int64_t n, const float *x, uint16_t *y)
{
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm_storeu_si128((__m128i *)(y + i),
                         _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
    return i;
}
#else
#define widen_most_f16(n, x, y)  0
#define narrow_most_f16(n, x, y) 0
#endif
#define widen_most_bf16(n, x, y)  0
#define narrow_most_bf16(n, x, y) 0

#define GT_HALF(half)                                                                              \
    void GT_KERNEL(widen_##half)(int64_t rows, int64_t columns, const void *from, int64_t ldx,     \
                                 float *to, int64_t ldy)                                           \
    {                                                                                              \
        const uint16_t *x = from;                                                                  \
        for (int64_t r = 0; r < rows; r++, x += ldx, to += ldy) {                                  \
            GT_INDEPENDENT                                                                         \
            for (int64_t i = widen_most_##half(columns, x, to); i < columns; i++)                  \
                to[i] = gt_from_##half(x[i]);                                                      \
            for (int64_t i = columns; i < ldy; i++)                                                \
                to[i] = 0;                                                                         \
        }                                                                                          \
    }                                                                                              \
    void GT_KERNEL(narrow_##half##_f32)(int64_t n, const void *from, void *to)                     \
    {                                                                                              \
        const float *x = from;                                                                     \
        uint16_t *y = to;                                                                          \
        GT_INDEPENDENT                                                                             \
        for (int64_t i = narrow_most_##half(n, x, y); i < n; i++)                                  \
            y[i] = gt_to_##half(x[i]);                                                             \
    }

GT_HALF(f16)
GT_HALF(bf16)

#if GT_IS_BASE(GT_ISA) /* rarely what anybody waits for */
#define GT_HALF_OF_DOUBLE(half)                                                                    \
    void GT_KERNEL(narrow_##half##_f64)(int64_t n, const void *from, void *to)                     \
    {                                                                                              \
        const double *x = from;                                                                    \
        uint16_t *y = to;                                                                          \
        GT_INDEPENDENT                                                                             \
        for (int64_t i = 0; i < n; i++)                                                            \
            y[i] = gt_to_##half(gt_to_odd(x[i]));                                                  \
    }

GT_HALF_OF_DOUBLE(f16)
GT_HALF_OF_DOUBLE(bf16)
#endif
