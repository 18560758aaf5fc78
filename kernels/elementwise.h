/* The families of loops that floats (elementwise.c) and integers (once/integers.c) share. Leans on loops.h. */
#ifndef GT_KERNELS_ELEMENTWISE_H
#define GT_KERNELS_ELEMENTWISE_H

#include "loops.h"

#define GT_FLOOR_DIVIDE(ignored, suffix, type, TYPE)                                               \
    GT_BINARY(floor_divide, suffix, type, type, gt_floor_divide_##suffix(a, b))
#define GT_MOD(ignored, suffix, type, TYPE)                                                        \
    GT_BINARY(mod, suffix, type, type, gt_mod_##suffix(a, b))

/* a > b is b < a. */
#define GT_SWAPPED(name, other, suffix)                                                            \
    void GT_KERNEL(name##_##suffix)(int64_t n, const void *left, int64_t sa, const void *right,    \
                                    int64_t sb, void *to)                                          \
    {                                                                                              \
        GT_KERNEL(other##_##suffix)(n, right, sb, left, sa, to);                                   \
    }

/* One loop says whether a is b, or whether it is not. */
#define GT_EQUALITY(suffix, type)                                                                  \
    static GT_NOINLINE void equality_##suffix(int64_t n, const void *left, int64_t sa,             \
                                              const void *right, int64_t sb, void *to,             \
                                              uint8_t flip)                                        \
    {                                                                                              \
        GT_BINARY_BODY(type, uint8_t, (a == b) ^ flip)                                             \
    }                                                                                              \
    void GT_KERNEL(equal_##suffix)(int64_t n, const void *left, int64_t sa, const void *right,     \
                                   int64_t sb, void *to)                                           \
    {                                                                                              \
        equality_##suffix(n, left, sa, right, sb, to, 0);                                          \
    }                                                                                              \
    void GT_KERNEL(not_equal_##suffix)(int64_t n, const void *left, int64_t sa, const void *right, \
                                       int64_t sb, void *to)                                       \
    {                                                                                              \
        equality_##suffix(n, left, sa, right, sb, to, 1);                                          \
    }

#define GT_COMPARE(ignored, suffix, type, TYPE)                                                    \
    GT_EQUALITY(suffix, type)                                                                      \
    GT_BINARY(less, suffix, type, uint8_t, a < b)                                                  \
    GT_BINARY(less_equal, suffix, type, uint8_t, a <= b)                                           \
    GT_SWAPPED(greater, less, suffix)                                                              \
    GT_SWAPPED(greater_equal, less_equal, suffix)

/* Choice moves bits, so it is written once for a size of elements. One condition for all is a copy
 * of one side. */
#define GT_SELECT(size, type)                                                                      \
    void GT_KERNEL(select_##size)(int64_t n, const uint8_t *c, int64_t sc, const void *left,       \
                                  int64_t sa, const void *right, int64_t sb, void *to)             \
    {                                                                                              \
        const type *as = left, *bs = right;                                                        \
        type *ys = to;                                                                             \
        if (n <= 0)                                                                                \
            return;                                                                                \
        const type a = as[0], b = bs[0];                                                           \
        if (sc == 0) {                                                                             \
            const type *chosen = c[0] ? as : bs;                                                   \
            if (c[0] ? sa : sb) {                                                                  \
                memmove(ys, chosen, (size_t)n * sizeof(type));                                     \
            } else {                                                                               \
                ys[0] = chosen[0];                                                                 \
                gt_repeat_bytes(ys, sizeof(type), n);                                              \
            }                                                                                      \
        } else if (sa && sb) {                                                                     \
            GT_INDEPENDENT                                                                         \
            for (int64_t i = 0; i < n; i++) {                                                      \
                const type x = as[i], z = bs[i];                                                   \
                ys[i] = c[i] ? x : z;                                                              \
            }                                                                                      \
        } else if (sa) {                                                                           \
            GT_INDEPENDENT                                                                         \
            for (int64_t i = 0; i < n; i++) {                                                      \
                const type x = as[i];                                                              \
                ys[i] = c[i] ? x : b;                                                              \
            }                                                                                      \
        } else if (sb) {                                                                           \
            GT_INDEPENDENT                                                                         \
            for (int64_t i = 0; i < n; i++) {                                                      \
                const type z = bs[i];                                                              \
                ys[i] = c[i] ? a : z;                                                              \
            }                                                                                      \
        } else {                                                                                   \
            GT_INDEPENDENT                                                                         \
            for (int64_t i = 0; i < n; i++)                                                        \
                ys[i] = c[i] ? a : b;                                                              \
        }                                                                                          \
    }

#define GT_CAST(from, source, to, target, expression)                                              \
    void GT_KERNEL(cast_##from##_##to)(int64_t n, const void *input, void *output)                 \
    {                                                                                              \
        const source *xs = input;                                                                  \
        target *ys = output;                                                                       \
        GT_INDEPENDENT                                                                             \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const source x = xs[i];                                                                \
            ys[i] = (target)(expression);                                                          \
        }                                                                                          \
    }

#endif
