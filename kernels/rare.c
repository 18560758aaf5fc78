/* The loops of the rarer transcendental functions, number by number (at most 2 ulp): y[i] depends on x[i] alone, by the
 * operations that stand in functions.h and rare.h, in their order. A file of its own, which base compiles for size. Not
 * written again for vectors of 512 bits. Leans on math_loops.h. */
#include "math_loops.h"

/* As GT_UNARY_MATH, of two numbers; a repeated operand is spread out. */
#define GT_BINARY_RARE(name, suffix, type)                                                         \
    void GT_KERNEL(name##_##suffix)(int64_t n, const void *left, int64_t sa, const void *right,    \
                                    int64_t sb, void *to)                                          \
    {                                                                                              \
        const type *as = left, *bs = right;                                                        \
        type first[GT_WIDTH(type)] = {0}, second[GT_WIDTH(type)] = {0}, part[GT_WIDTH(type)];      \
        for (int j = 0; n > 0 && j < GT_WIDTH(type); j++) {                                        \
            first[j] = as[0];                                                                      \
            second[j] = bs[0];                                                                     \
        }                                                                                          \
        for (int64_t i = 0; i < n; i += GT_WIDTH(type)) {                                          \
            const bool whole = n - i >= GT_WIDTH(type);                                            \
            const size_t bytes = (size_t)(n - i) * sizeof(type);                                   \
            const type *a = sa && whole ? as + i : first, *b = sb && whole ? bs + i : second;      \
            type *y = whole ? (type *)to + i : part;                                               \
            if (sa && !whole)                                                                      \
                memcpy(first, as + i, bytes);                                                      \
            if (sb && !whole)                                                                      \
                memcpy(second, bs + i, bytes);                                                     \
            GT_INDEPENDENT                                                                         \
            for (int j = 0; j < GT_WIDTH(type); j++)                                               \
                y[j] = gt_##name##_##suffix(a[j], b[j]);                                           \
            if (!whole)                                                                            \
                memcpy((type *)to + i, part, bytes);                                               \
        }                                                                                          \
    }

#define GT_TANGENT(suffix, type)                                                                   \
    void GT_KERNEL(tan_##suffix)(int64_t n, const void *x, void *y)                                \
    {                                                                                              \
        GT_TURN_BODY(suffix, type, gt_tan_##suffix(kept[j]), gt_far_tan_##suffix(kept[j]))         \
    }

GT_TANGENT(f32, float)
GT_TANGENT(f64, double)

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

GT_BINARY_RARE(power, f32, float)
GT_BINARY_RARE(power, f64, double)
GT_BINARY_RARE(arctan2, f32, float)
GT_BINARY_RARE(arctan2, f64, double)

/* The angle of (1, x). */
void GT_KERNEL(arctan_f64)(int64_t n, const void *x, void *y)
{
    const double one = 1;
    GT_KERNEL(arctan2_f64)(n, x, 1, &one, 0, y);
}
