/* A vector of float32 or float64 on each instruction set, under one set of names, for gemm.c, convolution.c and narrow.c:
 *     lanes       how many numbers
 *     load        from any address; load_part takes a mask, reads no masked-out lane, gives 0 there
 *     store_part  writes the first `count` lanes and touches no other byte
 *     fma         a * b + c, rounded once where the instruction set has it, else, and in base (fused.h),
 *                 twice: said here outright, so that no compiler flag decides it
 *     transpose   lanes x lanes numbers in registers
 *     relu        x <= 0 ? 0 : x, so that NaN stays
 *     load_half   float32 from as many numbers of 16 bits; `half` is a gt_HalfType
 * Leans on the compiler's intrinsics. */
#ifndef GT_KERNELS_GEMM_VECTOR_H
#define GT_KERNELS_GEMM_VECTOR_H

#include <stdint.h>

#include "gemm.h"
#include "half.h"

#if defined(__AVX512F__) || defined(__AVX2__) || defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define GT_INLINE static inline __attribute__((always_inline))
#ifndef GT_NOINLINE /* the same as in loops.h */
#define GT_NOINLINE __attribute__((noinline))
#endif
#define GT_SELDOM __attribute__((noinline, cold)) /* for size: what it calls takes the time */
#ifndef GT_UNROLL /* and this */
#if defined(__clang__)
#define GT_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GT_UNROLL _Pragma("GCC unroll 16")
#endif
#endif

#if defined(__AVX512F__)

typedef __m512 vec_f32;
typedef __m512d vec_f64;
typedef __mmask16 mask_f32;
typedef __mmask8 mask_f64;

GT_INLINE vec_f32 zero_f32(void)
{
    return _mm512_setzero_ps();
}
GT_INLINE vec_f32 load_f32(const float *p)
{
    return _mm512_loadu_ps(p);
}
GT_INLINE void store_f32(float *p, vec_f32 x)
{
    _mm512_storeu_ps(p, x);
}
GT_INLINE vec_f32 load_half_f32(const uint16_t *p, const int half)
{
    __m256i bits = _mm256_loadu_si256((const __m256i *)(const void *)p);
    return half == GT_HALF_F16
               ? _mm512_cvtph_ps(bits)
               : _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
GT_INLINE vec_f32 broadcast_f32(const float *p)
{
    return _mm512_set1_ps(*p);
}
GT_INLINE vec_f32 add_f32(vec_f32 a, vec_f32 b)
{
    return _mm512_add_ps(a, b);
}
GT_INLINE vec_f32 mul_f32(vec_f32 a, vec_f32 b)
{
    return _mm512_mul_ps(a, b);
}
GT_INLINE vec_f32 fma_f32(vec_f32 a, vec_f32 b, vec_f32 c)
{
    return GT_FUSES ? _mm512_fmadd_ps(a, b, c) : _mm512_add_ps(_mm512_mul_ps(a, b), c);
}
GT_INLINE mask_f32 mask_of_f32(int count)
{
    return (mask_f32)((1U << count) - 1U);
}
GT_INLINE vec_f32 load_part_f32(const float *p, mask_f32 mask)
{
    return _mm512_maskz_loadu_ps(mask, p);
}
GT_INLINE void store_part_f32(float *p, vec_f32 x, int count)
{
    _mm512_mask_storeu_ps(p, mask_of_f32(count), x);
}
GT_INLINE void transpose_f32(vec_f32 x[16])
{
    vec_f32 y[16];
    /* 4 x 4 blocks inside each 128-bit quarter: y[4g + c], quarter q = rows 4g.. of column 4q + c
     */
    for (int g = 0; g < 16; g += 4) {
        __m512d low = _mm512_castps_pd(_mm512_unpacklo_ps(x[g], x[g + 1]));
        __m512d high = _mm512_castps_pd(_mm512_unpackhi_ps(x[g], x[g + 1]));
        __m512d low_2 = _mm512_castps_pd(_mm512_unpacklo_ps(x[g + 2], x[g + 3]));
        __m512d high_2 = _mm512_castps_pd(_mm512_unpackhi_ps(x[g + 2], x[g + 3]));
        y[g + 0] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, low_2));
        y[g + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, low_2));
        y[g + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high, high_2));
        y[g + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high, high_2));
    }
    /* then the quarters themselves, a 4 x 4 transposition for each c */
    for (int c = 0; c < 4; c++) {
        vec_f32 a = _mm512_shuffle_f32x4(y[c], y[4 + c], 0x44);        /* a0 a1 b0 b1 */
        vec_f32 b = _mm512_shuffle_f32x4(y[c], y[4 + c], 0xee);        /* a2 a3 b2 b3 */
        vec_f32 a_2 = _mm512_shuffle_f32x4(y[8 + c], y[12 + c], 0x44); /* c0 c1 d0 d1 */
        vec_f32 b_2 = _mm512_shuffle_f32x4(y[8 + c], y[12 + c], 0xee);
        x[0 + c] = _mm512_shuffle_f32x4(a, a_2, 0x88);
        x[4 + c] = _mm512_shuffle_f32x4(a, a_2, 0xdd);
        x[8 + c] = _mm512_shuffle_f32x4(b, b_2, 0x88);
        x[12 + c] = _mm512_shuffle_f32x4(b, b_2, 0xdd);
    }
}

GT_INLINE vec_f64 zero_f64(void)
{
    return _mm512_setzero_pd();
}
GT_INLINE vec_f64 load_f64(const double *p)
{
    return _mm512_loadu_pd(p);
}
GT_INLINE void store_f64(double *p, vec_f64 x)
{
    _mm512_storeu_pd(p, x);
}
GT_INLINE vec_f64 broadcast_f64(const double *p)
{
    return _mm512_set1_pd(*p);
}
GT_INLINE vec_f64 add_f64(vec_f64 a, vec_f64 b)
{
    return _mm512_add_pd(a, b);
}
GT_INLINE vec_f64 mul_f64(vec_f64 a, vec_f64 b)
{
    return _mm512_mul_pd(a, b);
}
GT_INLINE vec_f64 fma_f64(vec_f64 a, vec_f64 b, vec_f64 c)
{
    return GT_FUSES ? _mm512_fmadd_pd(a, b, c) : _mm512_add_pd(_mm512_mul_pd(a, b), c);
}
GT_INLINE mask_f64 mask_of_f64(int count)
{
    return (mask_f64)((1U << count) - 1U);
}
GT_INLINE vec_f64 load_part_f64(const double *p, mask_f64 mask)
{
    return _mm512_maskz_loadu_pd(mask, p);
}
GT_INLINE void store_part_f64(double *p, vec_f64 x, int count)
{
    _mm512_mask_storeu_pd(p, mask_of_f64(count), x);
}
GT_INLINE void transpose_f64(vec_f64 x[8])
{
    vec_f64 y[8];
    /* pairs inside each quarter: y[2g + c], quarter q = rows 2g, 2g + 1 of column 2q + c */
    for (int g = 0; g < 8; g += 2) {
        y[g + 0] = _mm512_unpacklo_pd(x[g], x[g + 1]);
        y[g + 1] = _mm512_unpackhi_pd(x[g], x[g + 1]);
    }
    for (int c = 0; c < 2; c++) {
        vec_f64 a = _mm512_shuffle_f64x2(y[c], y[2 + c], 0x44);
        vec_f64 b = _mm512_shuffle_f64x2(y[c], y[2 + c], 0xee);
        vec_f64 a_2 = _mm512_shuffle_f64x2(y[4 + c], y[6 + c], 0x44);
        vec_f64 b_2 = _mm512_shuffle_f64x2(y[4 + c], y[6 + c], 0xee);
        x[0 + c] = _mm512_shuffle_f64x2(a, a_2, 0x88);
        x[2 + c] = _mm512_shuffle_f64x2(a, a_2, 0xdd);
        x[4 + c] = _mm512_shuffle_f64x2(b, b_2, 0x88);
        x[6 + c] = _mm512_shuffle_f64x2(b, b_2, 0xdd);
    }
}

#elif defined(__AVX2__) && defined(__FMA__)

typedef __m256 vec_f32;
typedef __m256d vec_f64;
typedef __m256i mask_f32;
typedef __m256i mask_f64;

GT_INLINE vec_f32 zero_f32(void)
{
    return _mm256_setzero_ps();
}
GT_INLINE vec_f32 load_f32(const float *p)
{
    return _mm256_loadu_ps(p);
}
GT_INLINE void store_f32(float *p, vec_f32 x)
{
    _mm256_storeu_ps(p, x);
}
GT_INLINE vec_f32 load_half_f32(const uint16_t *p, const int half)
{
    __m128i bits = _mm_loadu_si128((const __m128i *)(const void *)p);
    return half == GT_HALF_F16
               ? _mm256_cvtph_ps(bits)
               : _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
GT_INLINE vec_f32 broadcast_f32(const float *p)
{
    return _mm256_broadcast_ss(p);
}
GT_INLINE vec_f32 add_f32(vec_f32 a, vec_f32 b)
{
    return _mm256_add_ps(a, b);
}
GT_INLINE vec_f32 mul_f32(vec_f32 a, vec_f32 b)
{
    return _mm256_mul_ps(a, b);
}
GT_INLINE vec_f32 fma_f32(vec_f32 a, vec_f32 b, vec_f32 c)
{
    return GT_FUSES ? _mm256_fmadd_ps(a, b, c) : _mm256_add_ps(_mm256_mul_ps(a, b), c);
}
GT_INLINE mask_f32 mask_of_f32(int count)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
GT_INLINE vec_f32 load_part_f32(const float *p, mask_f32 mask)
{
    return _mm256_maskload_ps(p, mask);
}
/* A masked store costs tens of operations on AMD: halve instead. */
GT_INLINE void store_part_f32(float *p, vec_f32 x, int count)
{
    __m128 rest = _mm256_castps256_ps128(x);
    if (count & 8) {
        _mm256_storeu_ps(p, x);
        return;
    }
    if (count & 4) {
        _mm_storeu_ps(p, rest);
        rest = _mm256_extractf128_ps(x, 1);
        p += 4;
    }
    if (count & 2) {
        _mm_storel_epi64((__m128i *)(void *)p, _mm_castps_si128(rest));
        rest = _mm_movehl_ps(rest, rest);
        p += 2;
    }
    if (count & 1)
        _mm_store_ss(p, rest);
}
GT_INLINE void transpose_f32(vec_f32 x[8])
{
    vec_f32 y[8];
    /* y[4g + c], half h = rows 4g .. 4g + 3 of column 4h + c */
    for (int g = 0; g < 8; g += 4) {
        __m256d low = _mm256_castps_pd(_mm256_unpacklo_ps(x[g], x[g + 1]));
        __m256d high = _mm256_castps_pd(_mm256_unpackhi_ps(x[g], x[g + 1]));
        __m256d low_2 = _mm256_castps_pd(_mm256_unpacklo_ps(x[g + 2], x[g + 3]));
        __m256d high_2 = _mm256_castps_pd(_mm256_unpackhi_ps(x[g + 2], x[g + 3]));
        y[g + 0] = _mm256_castpd_ps(_mm256_unpacklo_pd(low, low_2));
        y[g + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low, low_2));
        y[g + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(high, high_2));
        y[g + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(high, high_2));
    }
    for (int c = 0; c < 4; c++) {
        x[0 + c] = _mm256_permute2f128_ps(y[c], y[4 + c], 0x20);
        x[4 + c] = _mm256_permute2f128_ps(y[c], y[4 + c], 0x31);
    }
}

GT_INLINE vec_f64 zero_f64(void)
{
    return _mm256_setzero_pd();
}
GT_INLINE vec_f64 load_f64(const double *p)
{
    return _mm256_loadu_pd(p);
}
GT_INLINE void store_f64(double *p, vec_f64 x)
{
    _mm256_storeu_pd(p, x);
}
GT_INLINE vec_f64 broadcast_f64(const double *p)
{
    return _mm256_broadcast_sd(p);
}
GT_INLINE vec_f64 add_f64(vec_f64 a, vec_f64 b)
{
    return _mm256_add_pd(a, b);
}
GT_INLINE vec_f64 mul_f64(vec_f64 a, vec_f64 b)
{
    return _mm256_mul_pd(a, b);
}
GT_INLINE vec_f64 fma_f64(vec_f64 a, vec_f64 b, vec_f64 c)
{
    return GT_FUSES ? _mm256_fmadd_pd(a, b, c) : _mm256_add_pd(_mm256_mul_pd(a, b), c);
}
GT_INLINE mask_f64 mask_of_f64(int count)
{
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
}
GT_INLINE vec_f64 load_part_f64(const double *p, mask_f64 mask)
{
    return _mm256_maskload_pd(p, mask);
}
GT_INLINE void store_part_f64(double *p, vec_f64 x, int count)
{
    __m128d rest = _mm256_castpd256_pd128(x);
    if (count & 4) {
        _mm256_storeu_pd(p, x);
        return;
    }
    if (count & 2) {
        _mm_storeu_pd(p, rest);
        rest = _mm256_extractf128_pd(x, 1);
        p += 2;
    }
    if (count & 1)
        _mm_store_sd(p, rest);
}
GT_INLINE void transpose_f64(vec_f64 x[4])
{
    vec_f64 a = _mm256_unpacklo_pd(x[0], x[1]), b = _mm256_unpackhi_pd(x[0], x[1]);
    vec_f64 c = _mm256_unpacklo_pd(x[2], x[3]), d = _mm256_unpackhi_pd(x[2], x[3]);
    x[0] = _mm256_permute2f128_pd(a, c, 0x20);
    x[1] = _mm256_permute2f128_pd(b, d, 0x20);
    x[2] = _mm256_permute2f128_pd(a, c, 0x31);
    x[3] = _mm256_permute2f128_pd(b, d, 0x31);
}

#else /* four or two lanes: SSE2, NEON, or none at all */

#if defined(__SSE2__)

typedef __m128 vec_f32;
typedef __m128d vec_f64;

GT_INLINE vec_f32 zero_f32(void)
{
    return _mm_setzero_ps();
}
GT_INLINE vec_f32 load_f32(const float *p)
{
    return _mm_loadu_ps(p);
}
GT_INLINE void store_f32(float *p, vec_f32 x)
{
    _mm_storeu_ps(p, x);
}
GT_INLINE vec_f32 broadcast_f32(const float *p)
{
    return _mm_set1_ps(*p);
}
GT_INLINE vec_f32 add_f32(vec_f32 a, vec_f32 b)
{
    return _mm_add_ps(a, b);
}
GT_INLINE vec_f32 mul_f32(vec_f32 a, vec_f32 b)
{
    return _mm_mul_ps(a, b);
}
GT_INLINE vec_f32 fma_f32(vec_f32 a, vec_f32 b, vec_f32 c)
{
    return _mm_add_ps(_mm_mul_ps(a, b), c);
}
GT_INLINE vec_f64 zero_f64(void)
{
    return _mm_setzero_pd();
}
GT_INLINE vec_f64 load_f64(const double *p)
{
    return _mm_loadu_pd(p);
}
GT_INLINE void store_f64(double *p, vec_f64 x)
{
    _mm_storeu_pd(p, x);
}
GT_INLINE vec_f64 broadcast_f64(const double *p)
{
    return _mm_set1_pd(*p);
}
GT_INLINE vec_f64 add_f64(vec_f64 a, vec_f64 b)
{
    return _mm_add_pd(a, b);
}
GT_INLINE vec_f64 mul_f64(vec_f64 a, vec_f64 b)
{
    return _mm_mul_pd(a, b);
}
GT_INLINE vec_f64 fma_f64(vec_f64 a, vec_f64 b, vec_f64 c)
{
    return _mm_add_pd(_mm_mul_pd(a, b), c);
}

#elif defined(__aarch64__)

typedef float32x4_t vec_f32;
typedef float64x2_t vec_f64;

GT_INLINE vec_f32 zero_f32(void)
{
    return vdupq_n_f32(0);
}
GT_INLINE vec_f32 load_f32(const float *p)
{
    return vld1q_f32(p);
}
GT_INLINE void store_f32(float *p, vec_f32 x)
{
    vst1q_f32(p, x);
}
GT_INLINE vec_f32 broadcast_f32(const float *p)
{
    return vld1q_dup_f32(p);
}
GT_INLINE vec_f32 add_f32(vec_f32 a, vec_f32 b)
{
    return vaddq_f32(a, b);
}
GT_INLINE vec_f32 mul_f32(vec_f32 a, vec_f32 b)
{
    return vmulq_f32(a, b);
}
GT_INLINE vec_f32 fma_f32(vec_f32 a, vec_f32 b, vec_f32 c)
{
    return GT_FUSES ? vfmaq_f32(c, a, b) : vaddq_f32(vmulq_f32(a, b), c);
}
GT_INLINE vec_f64 zero_f64(void)
{
    return vdupq_n_f64(0);
}
GT_INLINE vec_f64 load_f64(const double *p)
{
    return vld1q_f64(p);
}
GT_INLINE void store_f64(double *p, vec_f64 x)
{
    vst1q_f64(p, x);
}
GT_INLINE vec_f64 broadcast_f64(const double *p)
{
    return vld1q_dup_f64(p);
}
GT_INLINE vec_f64 add_f64(vec_f64 a, vec_f64 b)
{
    return vaddq_f64(a, b);
}
GT_INLINE vec_f64 mul_f64(vec_f64 a, vec_f64 b)
{
    return vmulq_f64(a, b);
}
GT_INLINE vec_f64 fma_f64(vec_f64 a, vec_f64 b, vec_f64 c)
{
    return GT_FUSES ? vfmaq_f64(c, a, b) : vaddq_f64(vmulq_f64(a, b), c);
}

#else

typedef struct vec_f32 {
    float lane[4];
} vec_f32;
typedef struct vec_f64 {
    double lane[2];
} vec_f64;

#define GT_PLAIN_VECTOR(type, t, lanes)                                                            \
    GT_INLINE vec_##t load_##t(const type *p)                                                      \
    {                                                                                              \
        vec_##t x;                                                                                 \
        for (int i = 0; i < lanes; i++)                                                            \
            x.lane[i] = p[i];                                                                      \
        return x;                                                                                  \
    }                                                                                              \
    GT_INLINE void store_##t(type *p, vec_##t x)                                                   \
    {                                                                                              \
        for (int i = 0; i < lanes; i++)                                                            \
            p[i] = x.lane[i];                                                                      \
    }                                                                                              \
    GT_INLINE vec_##t broadcast_##t(const type *p)                                                 \
    {                                                                                              \
        vec_##t x;                                                                                 \
        for (int i = 0; i < lanes; i++)                                                            \
            x.lane[i] = *p;                                                                        \
        return x;                                                                                  \
    }                                                                                              \
    GT_INLINE vec_##t zero_##t(void)                                                               \
    {                                                                                              \
        type none = 0;                                                                             \
        return broadcast_##t(&none);                                                               \
    }                                                                                              \
    GT_INLINE vec_##t add_##t(vec_##t a, vec_##t b)                                                \
    {                                                                                              \
        for (int i = 0; i < lanes; i++)                                                            \
            a.lane[i] += b.lane[i];                                                                \
        return a;                                                                                  \
    }                                                                                              \
    GT_INLINE vec_##t mul_##t(vec_##t a, vec_##t b)                                                \
    {                                                                                              \
        for (int i = 0; i < lanes; i++)                                                            \
            a.lane[i] *= b.lane[i];                                                                \
        return a;                                                                                  \
    }                                                                                              \
    GT_INLINE vec_##t fma_##t(vec_##t a, vec_##t b, vec_##t c)                                     \
    {                                                                                              \
        for (int i = 0; i < lanes; i++)                                                            \
            c.lane[i] += a.lane[i] * b.lane[i];                                                    \
        return c;                                                                                  \
    }
GT_PLAIN_VECTOR(float, f32, 4)
GT_PLAIN_VECTOR(double, f64, 2)
#undef GT_PLAIN_VECTOR

#endif

#if defined(__aarch64__)
GT_INLINE vec_f32 load_half_f32(const uint16_t *p, const int half)
{
    uint16x4_t bits = vld1_u16(p);
    return half == GT_HALF_F16 ? vcvt_f32_f16(vreinterpret_f16_u16(bits))
                               : vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(bits), 16));
}
#else
/* Long without an instruction for it, and once is enough. */
static GT_NOINLINE vec_f32 load_f16_f32(const uint16_t *p)
{
    float wide[4];
    for (int i = 0; i < 4; i++)
        wide[i] = gt_from_f16(p[i]);
    return load_f32(wide);
}
GT_INLINE vec_f32 load_bf16_f32(const uint16_t *p)
{
#if defined(__SSE2__)
    __m128i bits = _mm_loadl_epi64((const __m128i *)(const void *)p);
    return _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), bits));
#else
    float wide[4];
    for (int i = 0; i < 4; i++)
        wide[i] = gt_from_bf16(p[i]);
    return load_f32(wide);
#endif
}
GT_INLINE vec_f32 load_half_f32(const uint16_t *p, const int half)
{
    return half == GT_HALF_F16 ? load_f16_f32(p) : load_bf16_f32(p);
}
#endif

/* No masks here: a mask is the count, and parts go through an array. */
typedef int mask_f32;
typedef int mask_f64;

#define GT_PARTS(type, t, lanes)                                                                   \
    GT_INLINE mask_##t mask_of_##t(int count)                                                      \
    {                                                                                              \
        return count;                                                                              \
    }                                                                                              \
    GT_INLINE vec_##t load_part_##t(const type *p, mask_##t count)                                 \
    {                                                                                              \
        type part[lanes] = {0};                                                                    \
        if (count == lanes)                                                                        \
            return load_##t(p);                                                                    \
        for (int i = 0; i < lanes && i < count; i++)                                               \
            part[i] = p[i];                                                                        \
        return load_##t(part);                                                                     \
    }                                                                                              \
    GT_INLINE void store_part_##t(type *p, vec_##t x, int count)                                   \
    {                                                                                              \
        type part[lanes];                                                                          \
        store_##t(part, x);                                                                        \
        for (int i = 0; i < lanes && i < count; i++)                                               \
            p[i] = part[i];                                                                        \
    }                                                                                              \
    GT_INLINE void transpose_##t(vec_##t *x)                                                       \
    {                                                                                              \
        type from[lanes][lanes], to[lanes][lanes];                                                 \
        for (int i = 0; i < lanes; i++)                                                            \
            store_##t(from[i], x[i]);                                                              \
        for (int i = 0; i < lanes; i++)                                                            \
            for (int j = 0; j < lanes; j++)                                                        \
                to[j][i] = from[i][j];                                                             \
        for (int i = 0; i < lanes; i++)                                                            \
            x[i] = load_##t(to[i]);                                                                \
    }
GT_PARTS(float, f32, 4)
GT_PARTS(double, f64, 2)
#undef GT_PARTS

#endif
#if defined(__AVX512F__)
GT_INLINE vec_f32 relu_f32(vec_f32 x)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, zero_f32(), _CMP_NLE_UQ), x);
}
GT_INLINE vec_f64 relu_f64(vec_f64 x)
{
    return _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(x, zero_f64(), _CMP_NLE_UQ), x);
}
#elif defined(__AVX2__) && defined(__FMA__)
GT_INLINE vec_f32 relu_f32(vec_f32 x)
{
    return _mm256_and_ps(x, _mm256_cmp_ps(x, zero_f32(), _CMP_NLE_UQ));
}
GT_INLINE vec_f64 relu_f64(vec_f64 x)
{
    return _mm256_and_pd(x, _mm256_cmp_pd(x, zero_f64(), _CMP_NLE_UQ));
}
#elif defined(__SSE2__)
GT_INLINE vec_f32 relu_f32(vec_f32 x)
{
    return _mm_and_ps(x, _mm_cmpnle_ps(x, zero_f32()));
}
GT_INLINE vec_f64 relu_f64(vec_f64 x)
{
    return _mm_and_pd(x, _mm_cmpnle_pd(x, zero_f64()));
}
#elif defined(__aarch64__)
GT_INLINE vec_f32 relu_f32(vec_f32 x)
{
    return vbslq_f32(vcleq_f32(x, zero_f32()), zero_f32(), x);
}
GT_INLINE vec_f64 relu_f64(vec_f64 x)
{
    return vbslq_f64(vcleq_f64(x, zero_f64()), zero_f64(), x);
}
#else
GT_INLINE vec_f32 relu_f32(vec_f32 x)
{
    for (int i = 0; i < 4; i++)
        x.lane[i] = x.lane[i] <= 0 ? 0 : x.lane[i];
    return x;
}
GT_INLINE vec_f64 relu_f64(vec_f64 x)
{
    for (int i = 0; i < 2; i++)
        x.lane[i] = x.lane[i] <= 0 ? 0 : x.lane[i];
    return x;
}
#endif

#endif
