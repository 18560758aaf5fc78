/* Random numbers by Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
 * 1, 2, 3", 2011): a block cipher on a counter, so a number is a function of its place alone. Leans
 * on functions.h. Block k of a draw encrypts the counter (k, draw), each 64 bits, low word first,
 * into four words; a float takes one of them, a double and raw bits two, and a pair of normal
 * numbers twice as much as one. */
#define GT_UNFUSED /* a stream is the same on every processor */
#include "functions.h"

#define GT_BLOCKS 64 /* encrypted in one go */
#define GT_WORDS  (4 * GT_BLOCKS)

/* words[4 b .. 4 b + 3] = block first + b. The blocks are the lanes: one round of all of them, then
 * the next, is what compilers turn into vectors. */
static void gt_philox(gt_PhiloxKey key, uint64_t first, int64_t blocks, uint32_t *restrict words)
{
    uint32_t c0[GT_BLOCKS], c1[GT_BLOCKS], c2[GT_BLOCKS], c3[GT_BLOCKS];
    uint32_t k0 = (uint32_t)key.key, k1 = (uint32_t)(key.key >> 32);
    for (int64_t b = 0; b < blocks; b++) {
        c0[b] = (uint32_t)(first + (uint64_t)b);
        c1[b] = (uint32_t)((first + (uint64_t)b) >> 32);
        c2[b] = (uint32_t)key.counter;
        c3[b] = (uint32_t)(key.counter >> 32);
    }
    for (int round = 0; round < 10; round++) {
        for (int64_t b = 0; b < blocks; b++) {
            uint64_t x = UINT64_C(0xd2511f53) * c0[b];
            uint64_t y = UINT64_C(0xcd9e8d57) * c2[b];
            c0[b] = (uint32_t)(y >> 32) ^ c1[b] ^ k0;
            c1[b] = (uint32_t)y;
            c2[b] = (uint32_t)(x >> 32) ^ c3[b] ^ k1;
            c3[b] = (uint32_t)x;
        }
        k0 += UINT32_C(0x9e3779b9);
        k1 += UINT32_C(0xbb67ae85);
    }
    for (int64_t b = 0; b < blocks; b++) {
        words[4 * b] = c0[b];
        words[4 * b + 1] = c1[b];
        words[4 * b + 2] = c2[b];
        words[4 * b + 3] = c3[b];
    }
}

/* [0, 1): the highest 24 bits. */
GT_INLINE float gt_unit_f32(const uint32_t *words)
{
    return (float)(int32_t)(words[0] >> 8) * 0x1p-24f;
}

/* In groups of at most GT_BLOCKS blocks: encrypt, convert whole blocks, copy the part that was
 * asked for. `lane` is the words of one number, `fill` turns words[at ..] into the numbers of
 * `step` words. */
#define GT_RANDOM(name, type, lane, step, fill)                                                    \
    void GT_KERNEL(name)(gt_PhiloxKey key, int64_t first, int64_t n, void *y)                      \
    {                                                                                              \
        enum { PER_BLOCK = 4 / lane, NUMBERS = GT_BLOCKS * PER_BLOCK };                            \
        uint32_t words[GT_WORDS];                                                                  \
        type out[NUMBERS];                                                                         \
        for (int64_t done = 0, count; done < n; done += count) {                                   \
            int64_t skip = (first + done) % PER_BLOCK;                                             \
            count = n - done < NUMBERS - skip ? n - done : NUMBERS - skip;                         \
            int64_t blocks = (skip + count + PER_BLOCK - 1) / PER_BLOCK;                           \
            gt_philox(key, (uint64_t)((first + done) / PER_BLOCK), blocks, words);                 \
            for (int64_t at = 0; at < 4 * blocks; at += step)                                      \
                fill;                                                                              \
            memcpy((type *)y + done, out + skip, (size_t)count * sizeof(type));                    \
        }                                                                                          \
    }

GT_RANDOM(random_uniform_f32, float, 1, 1, out[at] = gt_unit_f32(words + at))

#ifndef GT_RARE_ELSEWHERE /* draws that no step repeats a million times, as dropout does */
GT_INLINE uint64_t gt_two_words(const uint32_t *words)
{
    return words[0] | (uint64_t)words[1] << 32;
}

/* [0, 1): the highest 53 bits, out of a mantissa, for AVX2 does not convert 64-bit integers: with the 32 low and the 21 high
 * bits apart, both exact. */
GT_INLINE double gt_unit_f64(const uint32_t *words)
{
    uint64_t bits = gt_two_words(words) >> 11;
    double high = gt_from_bits_f64(UINT64_C(0x4330000000000000) | bits >> 32) - 0x1p52;
    double low = gt_from_bits_f64(UINT64_C(0x4330000000000000) | (bits & UINT32_MAX)) - 0x1p52;
    return (high * 0x1p32 + low) * 0x1p-53;
}

GT_RANDOM(random_uniform_f64, double, 2, 2, out[at / 2] = gt_unit_f64(words + at))
GT_RANDOM(random_bits, uint64_t, 2, 2, out[at / 2] = gt_two_words(words + at))

/* Box and Muller (1958): sqrt(-2 log u) (cos, sin)(2 pi v), u in (0, 1]. The quadrant is taken off
 * v in units of a turn, where it is exact. */
#define GT_NORMAL_PAIR(suffix, type, unsigned_type, lane, last_bit, rounder, pi_2, root)           \
    GT_INLINE void gt_normal_##suffix(const uint32_t *words, type *y)                              \
    {                                                                                              \
        type u = gt_unit_##suffix(words) + last_bit;                                               \
        type v = gt_unit_##suffix(words + lane) * 4;                                               \
        type turned = v + rounder;                                                                 \
        unsigned_type quadrant = gt_bits_##suffix(turned);                                         \
        type angle = (v - (turned - rounder)) * pi_2;                                              \
        type radius = root(-2 * gt_log_##suffix(u));                                               \
        y[0] = radius * gt_sine_##suffix(angle, 0, quadrant + 1);                                  \
        y[1] = radius * gt_sine_##suffix(angle, 0, quadrant);                                      \
    }

GT_NORMAL_PAIR(f32, float, uint32_t, 1, 0x1p-24f, 0x1.8p23f, 0x1.921fb6p0f, sqrtf)
GT_NORMAL_PAIR(f64, double, uint64_t, 2, 0x1p-53, 0x1.8p52, GT_PI_2, sqrt)

GT_RANDOM(random_normal_f32, float, 1, 2, gt_normal_f32(words + at, out + at))
GT_RANDOM(random_normal_f64, double, 2, 4, gt_normal_f64(words + at, out + at / 2))
#endif
