/* The loops over functions, what math.c and rare.c share. Leans on rare.h. */
#ifndef GT_KERNELS_MATH_LOOPS_H
#define GT_KERNELS_MATH_LOOPS_H

#include "rare.h"

/* A vector's width at a time, the last few numbers in a copy that is filled up: the long bodies are not written a second
 * time for what is left over. */
#if defined(__AVX512F__)
#define GT_WIDTH(type) (64 / (int)sizeof(type))
#elif defined(__AVX2__)
#define GT_WIDTH(type) (32 / (int)sizeof(type))
#else
#define GT_WIDTH(type) (16 / (int)sizeof(type))
#endif

#define GT_UNARY_MATH(name, suffix, type)                                                          \
    void GT_KERNEL(name##_##suffix)(int64_t n, const void *from, void *to)                         \
    {                                                                                              \
        type part[GT_WIDTH(type)];                                                                 \
        for (int64_t i = 0; i < n; i += GT_WIDTH(type)) {                                          \
            const type *x = (const type *)from + i;                                                \
            type *y = (type *)to + i;                                                              \
            const bool whole = n - i >= GT_WIDTH(type);                                            \
            if (!whole) {                                                                          \
                memset(part, 0, sizeof part);                                                      \
                x = y = memcpy(part, x, (size_t)(n - i) * sizeof(type));                           \
            }                                                                                      \
            GT_INDEPENDENT                                                                         \
            for (int j = 0; j < GT_WIDTH(type); j++)                                               \
                y[j] = gt_##name##_##suffix(x[j]);                                                 \
            if (!whole)                                                                            \
                memcpy((type *)to + i, part, (size_t)(n - i) * sizeof(type));                      \
        }                                                                                          \
    }
#define GT_UNARY_BOTH(name) GT_UNARY_MATH(name, f32, float) GT_UNARY_MATH(name, f64, double)

/* The same of a function that is written for vectors of 512 bits, SOME of them at a time: each operation waits for the one before
 * it, and a processor does not look far enough ahead to do something else meanwhile. A masked store would not be seen by a load
 * that follows soon, and masked loads of what is not in the first cache do not overlap (measured on Zen 5: 5 times as long). */
#if GT_WIDE
#define GT_UNARY_WIDE_OF(name, suffix, type, vector, letters, mask, some)                          \
    void GT_KERNEL(name##_##suffix)(int64_t n, const void *from, void *to)                         \
    {                                                                                              \
        enum { WIDE = GT_WIDTH(type), SOME = some };                                               \
        const type *x = from;                                                                      \
        type *y = to;                                                                              \
        for (; n > 0; n -= SOME * WIDE, x += SOME * WIDE, y += SOME * WIDE) {                      \
            const bool whole = n >= SOME * WIDE;                                                   \
            const uint64_t rest = whole ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1;                   \
            vector v[SOME];                                                                        \
            GT_UNROLL                                                                              \
            for (int i = 0; i < SOME; i++)                                                         \
                v[i] = whole ? _mm512_loadu_##letters(x + WIDE * i)                                \
                             : _mm512_maskz_loadu_##letters((mask)(rest >> WIDE * i),              \
                                                            x + WIDE * i);                         \
            GT_UNROLL                                                                              \
            for (int i = 0; i < SOME; i++)                                                         \
                v[i] = gt_wide_##name##_##suffix(v[i]);                                            \
            GT_UNROLL                                                                              \
            for (int i = 0; i < SOME; i++)                                                         \
                if (whole)                                                                         \
                    _mm512_storeu_##letters(y + WIDE * i, v[i]);                                   \
                else                                                                               \
                    _mm512_mask_storeu_##letters(y + WIDE * i, (mask)(rest >> WIDE * i), v[i]);    \
        }                                                                                          \
    }
#define GT_UNARY_WIDE(name)                                                                        \
    GT_UNARY_WIDE_OF(name, f32, float, __m512, ps, __mmask16, 4)                                   \
    GT_UNARY_WIDE_OF(name, f64, double, __m512d, pd, __mmask8, 2)
#else
#define GT_UNARY_WIDE(name) GT_UNARY_BOTH(name)
#endif

/* The bits of a float: without its sign, they are ordered as the numbers are, and NaN is the largest. */
typedef uint32_t gt_word_f32;
typedef uint64_t gt_word_f64;

/* sin, cos or tan: the vector function `near` of kept[j] in blocks; arguments too large for its reduction are done again
 * by `far`. y may be x, so a block is kept. */
#define GT_TURN_BODY(suffix, type, near, far)                                                      \
    const type *from = x;                                                                          \
    type *to = y;                                                                                  \
    type kept[256], part[GT_WIDTH(type)];                                                          \
    for (int64_t i = 0; i < n; i += 256) {                                                         \
        int64_t count = n - i < 256 ? n - i : 256;                                                 \
        gt_word_##suffix largest = 0;                                                              \
        memset(kept + count / GT_WIDTH(type) * GT_WIDTH(type) % 256, 0, sizeof part);              \
        memcpy(kept, from + i, (size_t)count * sizeof(type));                                      \
        for (int64_t first = 0; first < count; first += GT_WIDTH(type)) {                          \
            const bool whole = count - first >= GT_WIDTH(type);                                    \
            type *into = whole ? to + i + first : part;                                            \
            GT_INDEPENDENT                                                                         \
            for (int64_t j = first; j < first + GT_WIDTH(type); j++)                               \
                into[j - first] = near;                                                            \
            if (!whole)                                                                            \
                memcpy(to + i + first, part, (size_t)(count - first) * sizeof(type));              \
        }                                                                                          \
        for (int64_t j = 0; j < count; j++) {                                                      \
            const gt_word_##suffix bits = gt_bits_##suffix(gt_abs_##suffix(kept[j]));              \
            largest = bits > largest ? bits : largest;                                             \
        }                                                                                          \
        if (largest <= gt_bits_##suffix((type)GT_TURN_LIMIT))                                      \
            continue;                                                                              \
        for (int64_t j = 0; j < count; j++) {                                                      \
            if (gt_abs_##suffix(kept[j]) > (type)GT_TURN_LIMIT)                                    \
                to[i + j] = far;                                                                   \
        }                                                                                          \
    }

#endif
