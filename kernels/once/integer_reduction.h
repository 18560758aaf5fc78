/* One reduction of one type of integers, of a row and of columns: what integer_reductions.c and integer_products.c share. Leans
 * on kernels/reduce.h. */
#ifndef GT_KERNELS_ONCE_INTEGER_REDUCTION_H
#define GT_KERNELS_ONCE_INTEGER_REDUCTION_H

#include "kernels/reduce.h"
#include "kernels/loops.h"

/* y = x[0] o x[1] o ..., in four chains; and column by column, as many columns at once as stay in the cache. */
#define GT_REDUCTION(name, suffix, type, start, expression)                                        \
    static inline type name##_of_##suffix(type a, type b)                                          \
    {                                                                                              \
        return (type)(expression);                                                                 \
    }                                                                                              \
    void GT_KERNEL(reduce_##name##_##suffix)(int64_t n, const void *from, void *to)                \
    {                                                                                              \
        const int64_t part = n / 4;                                                                \
        const type *x = from;                                                                      \
        type y = start, first = y, second = y, third = y;                                          \
        for (int64_t i = 0; i < part; i++) {                                                       \
            first = name##_of_##suffix(first, x[i]);                                               \
            second = name##_of_##suffix(second, x[part + i]);                                      \
            third = name##_of_##suffix(third, x[2 * part + i]);                                    \
            y = name##_of_##suffix(y, x[3 * part + i]);                                            \
        }                                                                                          \
        y = name##_of_##suffix(name##_of_##suffix(first, second), name##_of_##suffix(third, y));   \
        GT_ROLLED                                                                                  \
        for (int64_t i = 4 * part; i < n; i++)                                                     \
            y = name##_of_##suffix(y, x[i]);                                                       \
        *(type *)to = y;                                                                           \
    }                                                                                              \
    void GT_KERNEL(reduce_columns_##name##_##suffix)(int64_t rows, int64_t columns,                \
                                                     int64_t stride, const void *from, void *to)   \
    {                                                                                              \
        enum { WIDTH = GT_WIDTH / sizeof(type) };                                                  \
        for (int64_t first = 0; first < columns; first += WIDTH) {                                 \
            const int64_t width = columns - first < WIDTH ? columns - first : WIDTH;               \
            const type *x = (const type *)from + first;                                            \
            type *restrict y = (type *)to + first;                                                 \
            GT_ROLLED                                                                              \
            for (int64_t j = 0; j < width; j++)                                                    \
                y[j] = start;                                                                      \
            for (int64_t r = 0; r < rows; r++, x += stride) {                                      \
                GT_ROLLED                                                                          \
                for (int64_t j = 0; j < width; j++)                                                \
                    y[j] = name##_of_##suffix(y[j], x[j]);                                         \
            }                                                                                      \
        }                                                                                          \
    }

#endif
