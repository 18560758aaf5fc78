/* The loops of the transcendental functions. Those of float32 and the common ones of float64 run
 * the vectorised functions of functions.h (at most 2 ulp); the rarer ones of float64 call the C
 * library one number at a time. */
#include <math.h>

#include "functions.h"

#define GT_UNARY_MATH(name, suffix, type) GT_UNARY(name, suffix, type, gt_##name##_##suffix(x))

#define GT_UNARY_LIBRARY(name, function) GT_UNARY(name, f64, double, function(x))

/* The vector function in blocks; arguments too large for its reduction are done again by the C
 * library. y may be x, so a block is kept. */
#define GT_UNARY_TURN(name, suffix, type, function)                                                \
    void GT_KERNEL(name##_##suffix)(int64_t n, const void *x, void *y)                             \
    {                                                                                              \
        const type *from = x;                                                                      \
        type *to = y;                                                                              \
        type kept[256];                                                                            \
        for (int64_t i = 0; i < n; i += 256) {                                                     \
            int64_t count = n - i < 256 ? n - i : 256;                                             \
            type largest = 0;                                                                      \
            memcpy(kept, from + i, (size_t)count * sizeof(type));                                  \
            for (int64_t j = 0; j < count; j++)                                                    \
                to[i + j] = gt_##name##_##suffix(kept[j]);                                         \
            for (int64_t j = 0; j < count; j++)                                                    \
                largest = gt_abs_##suffix(kept[j]) > largest ? gt_abs_##suffix(kept[j]) : largest; \
            if (largest <= (type)GT_TURN_LIMIT)                                                    \
                continue;                                                                          \
            for (int64_t j = 0; j < count; j++) {                                                  \
                if (gt_abs_##suffix(kept[j]) > (type)GT_TURN_LIMIT)                                \
                    to[i + j] = (type)function((double)kept[j]);                                   \
            }                                                                                      \
        }                                                                                          \
    }

#define GT_UNARY_BOTH(name) GT_UNARY_MATH(name, f32, float) GT_UNARY_MATH(name, f64, double)

GT_UNARY_BOTH(exp)
GT_UNARY_BOTH(expm1)
GT_UNARY_BOTH(log)
GT_UNARY_BOTH(log1p)
GT_UNARY_BOTH(tanh)
GT_UNARY_BOTH(sigmoid)
GT_UNARY_BOTH(softplus)
GT_UNARY_BOTH(erf)

GT_UNARY_TURN(sin, f32, float, sin)
GT_UNARY_TURN(sin, f64, double, sin)
GT_UNARY_TURN(cos, f32, float, cos)
GT_UNARY_TURN(cos, f64, double, cos)
#ifndef GT_RARE_ELSEWHERE
/* A loop over two numbers whose body is long: written once, a repeated operand is spread out. */
#define GT_BINARY_COSTLY(name)                                                                     \
    void GT_KERNEL(name##_f32)(int64_t n, const void *left, int64_t sa, const void *right,         \
                               int64_t sb, void *to)                                               \
    {                                                                                              \
        float spread[256];                                                                         \
        const float *as = left, *bs = right;                                                       \
        if (n <= 0)                                                                                \
            return;                                                                                \
        const float repeated = sa == 0 ? as[0] : bs[0];                                            \
        for (int j = 0; j < 256; j++)                                                              \
            spread[j] = repeated;                                                                  \
        for (int64_t i = 0; i < n; i += 256) {                                                     \
            const int64_t count = n - i < 256 ? n - i : 256;                                       \
            const float *a = sa == 0 ? spread : as + i, *b = sb == 0 && sa != 0 ? spread : bs + i; \
            float *y = (float *)to + i;                                                            \
            GT_INDEPENDENT                                                                         \
            for (int64_t j = 0; j < count; j++)                                                    \
                y[j] = gt_##name##_f32(a[j], b[j]);                                                \
        }                                                                                          \
    }

GT_UNARY_TURN(tan, f32, float, tan)

GT_UNARY_MATH(log2, f32, float)
GT_UNARY_MATH(log10, f32, float)
GT_UNARY_MATH(arcsin, f32, float)
GT_UNARY_MATH(arccos, f32, float)
GT_UNARY_MATH(arctan, f32, float)
GT_UNARY_MATH(sinh, f32, float)
GT_UNARY_MATH(cosh, f32, float)
GT_UNARY_MATH(arcsinh, f32, float)
GT_UNARY_MATH(arccosh, f32, float)
GT_UNARY_MATH(arctanh, f32, float)
GT_UNARY_MATH(erfc, f32, float)

GT_UNARY_LIBRARY(log2, log2)
GT_UNARY_LIBRARY(log10, log10)
GT_UNARY_LIBRARY(tan, tan)
GT_UNARY_LIBRARY(arcsin, asin)
GT_UNARY_LIBRARY(arccos, acos)
GT_UNARY_LIBRARY(arctan, atan)
GT_UNARY_LIBRARY(sinh, sinh)
GT_UNARY_LIBRARY(cosh, cosh)
GT_UNARY_LIBRARY(arcsinh, asinh)
GT_UNARY_LIBRARY(arccosh, acosh)
GT_UNARY_LIBRARY(arctanh, atanh)
GT_UNARY_LIBRARY(erfc, erfc)

GT_BINARY_COSTLY(power)
GT_BINARY(power, f64, double, double, pow(a, b))
GT_BINARY_COSTLY(arctan2)
GT_BINARY(arctan2, f64, double, double, atan2(a, b))
#endif
