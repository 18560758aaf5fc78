/* The loops of the transcendental functions: the vectorised functions of functions.h and rare.h, number by number (at
 * most 2 ulp). y[i] depends on x[i] alone, by the operations that stand there, in their order. */
#include "rare.h"

#define GT_UNARY_MATH(name, suffix, type) GT_UNARY(name, suffix, type, gt_##name##_##suffix(x))

/* The vector function in blocks; arguments too large for its reduction are done again by another. y may be x, so a
 * block is kept. */
#define GT_UNARY_TURN(name, suffix, type)                                                          \
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
                    to[i + j] = gt_far_##name##_##suffix(kept[j]);                                 \
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

GT_UNARY_TURN(sin, f32, float)
GT_UNARY_TURN(sin, f64, double)
GT_UNARY_TURN(cos, f32, float)
GT_UNARY_TURN(cos, f64, double)
#ifndef GT_RARE_ELSEWHERE
/* A loop over two numbers whose body is long: written once, a repeated operand is spread out. */
#define GT_BINARY_COSTLY(name, suffix, type)                                                       \
    void GT_KERNEL(name##_##suffix)(int64_t n, const void *left, int64_t sa, const void *right,    \
                                    int64_t sb, void *to)                                          \
    {                                                                                              \
        type spread[256];                                                                          \
        const type *as = left, *bs = right;                                                        \
        if (n <= 0)                                                                                \
            return;                                                                                \
        const type repeated = sa == 0 ? as[0] : bs[0];                                             \
        for (int j = 0; j < 256; j++)                                                              \
            spread[j] = repeated;                                                                  \
        for (int64_t i = 0; i < n; i += 256) {                                                     \
            const int64_t count = n - i < 256 ? n - i : 256;                                       \
            const type *a = sa == 0 ? spread : as + i, *b = sb == 0 && sa != 0 ? spread : bs + i;  \
            type *y = (type *)to + i;                                                              \
            GT_INDEPENDENT                                                                         \
            for (int64_t j = 0; j < count; j++)                                                    \
                y[j] = gt_##name##_##suffix(a[j], b[j]);                                           \
        }                                                                                          \
    }

GT_UNARY_TURN(tan, f32, float)
GT_UNARY_TURN(tan, f64, double)

GT_UNARY_BOTH(log2)
GT_UNARY_BOTH(log10)
GT_UNARY_BOTH(arcsin)
GT_UNARY_BOTH(arccos)
GT_UNARY_MATH(arctan, f32, float)
GT_UNARY_BOTH(sinh)
GT_UNARY_BOTH(cosh)
GT_UNARY_BOTH(arcsinh)
GT_UNARY_BOTH(arccosh)
GT_UNARY_BOTH(arctanh)
GT_UNARY_BOTH(erfc)

GT_BINARY_COSTLY(power, f32, float)
GT_BINARY_COSTLY(power, f64, double)
GT_BINARY_COSTLY(arctan2, f32, float)
GT_BINARY_COSTLY(arctan2, f64, double)

/* The angle of (1, x). */
void GT_KERNEL(arctan_f64)(int64_t n, const void *x, void *y)
{
    const double one = 1;
    GT_KERNEL(arctan2_f64)(n, x, 1, &one, 0, y);
}
#endif
