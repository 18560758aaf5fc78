/* One number of 16 bits, and what it is as float32: float16 (1 sign, 5 exponent, 10 fraction bits,
 * IEEE 754) and bfloat16 (the upper half of a float32). Rounding is to the nearest, ties to even;
 * subnormals are kept, whatever the processor's mode does to those of float32; what is too large
 * becomes infinite; NaN stays NaN, with the upper bits of its payload. Static functions: see
 * loops.h. Leans on nothing. */
#ifndef GT_KERNELS_HALF_H
#define GT_KERNELS_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t gt_half_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float gt_half_float(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline float gt_from_bf16(uint16_t half)
{
    return gt_half_float((uint32_t)half << 16);
}

static inline uint16_t gt_to_bf16(float x)
{
    const uint32_t bits = gt_half_bits(x);
    const uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
    const uint32_t nan = bits >> 16 | 0x40u;
    return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
}

/* The exponent moves by 127 - 15, and once more to that of infinity; a subnormal is a whole number
 * of 2^-24. */
static inline float gt_from_f16(uint16_t half)
{
    const uint32_t size = half & 0x7fffu, sign = (uint32_t)(half & 0x8000u) << 16;
    const uint32_t top = size >= 0x7c00u ? 112u << 23 : 0;
    const uint32_t quiet = size > 0x7c00u ? 0x400000u : 0;
    const uint32_t normal = ((size << 13) + (112u << 23) + top) | quiet;
    const uint32_t small = gt_half_bits((float)(int32_t)size * 0x1p-24f);
    return gt_half_float(sign | (size < 0x400u ? small : normal));
}

/* Below 2^-14 a sum with 0.5, whose last bit is 2^-24, rounds; above, the carry of an addition. */
static inline uint16_t gt_to_f16(float x)
{
    const uint32_t bits = gt_half_bits(x), size = bits & 0x7fffffffu, sign = bits >> 16 & 0x8000u;
    const uint32_t small = gt_half_bits(gt_half_float(size < 0x38800000u ? size : 0) + 0.5f);
    const uint32_t normal = (size - (112u << 23) + 0xfffu + (size >> 13 & 1)) >> 13;
    uint32_t half = size < 0x38800000u ? small - 0x3f000000u : normal;
    half = size >= 0x477ff000u ? 0x7c00u : half;
    half = size > 0x7f800000u ? 0x7e00u | (size >> 13 & 0x3ffu) : half;
    return (uint16_t)(half | sign);
}

/* A double as the float32 from which rounding again gives what rounding once would have: towards
 * the neighbour whose last bit is 1 ("round to odd", Boldo and Melquiond 2008). */
static inline float gt_to_odd(double x)
{
    const float nearest = (float)x;
    const double back = (double)nearest;
    const uint32_t bits = gt_half_bits(nearest);
    const double size = x < 0 ? -x : x, size_back = back < 0 ? -back : back;
    const uint32_t other = size_back > size ? bits - 1 : bits + 1;
    return gt_half_float(back != x && !(bits & 1) ? other : bits);
}

#endif
