/* Shapes and axes, by value. Row-major, at most GT_MAX_RANK dimensions, a dimension may be 0. */
#ifndef GT_CORE_SHAPE_H
#define GT_CORE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dtype.h"
#include "core/error.h"
#include "core/export.h"
#include "core/keyword.h"

GT_BEGIN

#define GT_MAX_RANK 8

/* A rank of -1 says that a shape could not be made (more than GT_MAX_RANK dimensions); functions refuse it. gt_shape(2, 3) and gt_shape_of make them. */
typedef struct gt_Shape {
    const gt_Mark *mark;
    int32_t rank;
    int64_t dims[GT_MAX_RANK];
} gt_Shape;

/* A set of axes, made by gt_axes; negative ones count from the end. count -1 (GT_ALL_AXES) means
 * every axis. The mark tells a set from a bare number: `.axes = 1` fills in the mark alone. */
typedef struct gt_Axes {
    const gt_Mark *mark;
    int32_t count;
    int32_t axis[GT_MAX_RANK];
} gt_Axes;
/* For options: every axis; no sizes given. */
#define GT_ALL_AXES                                                                                \
    {                                                                                              \
        GT_MARK, -1,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define GT_NO_SIZES                                                                                \
    {                                                                                              \
        GT_MARK, 0,                                                                                \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

/* A tensor but for its elements: dtype and shape. `size` is the number of elements. */
typedef struct gt_Spec {
    gt_DType dtype;
    int32_t rank;
    int64_t size;
    int64_t dims[GT_MAX_RANK];
} gt_Spec;

/* A shape from an array of sizes; of rank -1 if there are more than GT_MAX_RANK. */
GT_API gt_Shape gt_shape_of(int rank, const int64_t *dims);
/* A set of axes from an array. */
GT_API gt_Axes gt_axes_of(int count, const int *axes);
/* The same from a list with its end marked: at most GT_MAX_RANK items before GT_INTEGERS_END, GT_AXES_END. */
#define GT_AXES_END (INT32_MIN + 0x6774)
GT_API gt_Shape gt_shape_list(const int64_t *dims);
GT_API gt_Axes gt_axes_list(const int *axes);
/* Are they of the same rank and sizes? */
GT_API bool gt_shape_equal(gt_Shape a, gt_Shape b);
/* dims[index], negative from the end; -1 if there is no such axis. */
GT_API int64_t gt_dim(gt_Shape shape, int index);
/* The last dimension; -1 for a scalar. */
GT_API int64_t gt_last(gt_Shape shape);
/* Integers, `count` items that the caller keeps; or, where items is NULL, one for all. */
typedef struct gt_Integers {
    int64_t count;
    const int64_t *items;
    int64_t number;
} gt_Integers;
/* What gt_one_or_integers(n) calls for a list, for a number. */
static inline gt_Integers gt_integers_same(gt_Integers list)
{
    return list;
}
static inline gt_Integers gt_integers_number(int64_t number)
{
    gt_Integers list = {0, NULL, number};
    return list;
}
/* `items` ends with GT_INTEGERS_END. */
GT_API gt_Integers gt_integers_list(const int64_t *items);
/* What gt_one_or_axes(n) calls for a set of axes. */
static inline gt_Axes gt_axes_same(gt_Axes axes)
{
    return axes;
}
/* Sizes along the spatial axes of an image, such as a window's: one number for all of them, `.strides = 2`, or one
 * for each, `.strides = gt_sizes(2, 1)`. It is an integer: two or three numbers below 2^20 are packed into one beyond
 * all sizes, so that a plain number needs no macro around it. GT_NONE: not given. */
typedef int64_t gt_Sizes;
#define GT_SIZES_BITS_ 20
#define GT_SIZES_PACKED_(count, a, b, c)                                                           \
    ((int64_t)1 << 62 | (int64_t)(count) << 60 | (int64_t)(c) << 2 * GT_SIZES_BITS_ |              \
     (int64_t)(b) << GT_SIZES_BITS_ | (int64_t)(a))
/* `items` ends with GT_INTEGERS_END. What cannot be packed (four numbers, a negative one among two) is refused by
 * gt_sizes_expand. */
GT_API gt_Sizes gt_sizes_list(const int64_t *items);
/* Writes one number for each of `count` axes, 1 to 3: gt_sizes_expand("strides", sizes, 2, 1, strides). An error
 * that begins with `what` if there are neither one nor `count` of them, or one is below `least` or above INT32_MAX. */
#define gt_sizes_expand(what, sizes, count, least, numbers)                                        \
    gt_sizes_expand_at(GT_HERE, what, sizes, count, least, numbers)
GT_API gt_Status gt_sizes_expand_at(const char *here, const char *what, gt_Sizes sizes, int count,
                                    int64_t least, int64_t *numbers);
#define GT_MAX_NUMBERS 8

/* A few numbers, gt_numbers(1, 0.5); whole ones are exact up to 2^53. */
typedef struct gt_Numbers {
    const gt_Mark *mark;
    int64_t count;
    double value[GT_MAX_NUMBERS];
} gt_Numbers;
#define GT_NO_NUMBERS                                                                              \
    {                                                                                              \
        GT_MARK, 0,                                                                                \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
/* From an array. */
GT_API gt_Numbers gt_numbers_of(int count, const double *values);
/* At most GT_MAX_NUMBERS, before GT_NUMBERS_END. */
GT_API gt_Numbers gt_numbers_list(const double *values);
/* A set of one axis: what gt_one_or_axes(n) calls for a number. */
static inline gt_Axes gt_axes_one(int axis)
{
    gt_Axes axes = {GT_MARK, 1, {axis, 0, 0, 0, 0, 0, 0, 0}};
    return axes;
}
/* Writes "(2, 3)" ("()" for a scalar, "(5,)" for one dimension) into text; returns text. */
GT_API char *gt_shape_text(gt_Shape shape, char *text, size_t size);

GT_END

#ifdef __cplusplus
#include <cstddef>
template <class... Dims> inline gt_Shape gt_shape(Dims... dims)
{
    const int64_t list[] = {0, static_cast<int64_t>(dims)...};
    return gt_shape_of(static_cast<int>(sizeof...(dims)), list + 1);
}
template <class... Axes> inline gt_Axes gt_axes(Axes... axes)
{
    const int list[] = {0, static_cast<int>(axes)...};
    return gt_axes_of(static_cast<int>(sizeof...(axes)), list + 1);
}
template <class... Values> inline gt_Numbers gt_numbers(Values... values)
{
    const double list[] = {0, static_cast<double>(values)...};
    return gt_numbers_of(static_cast<int>(sizeof...(values)), list + 1);
}
template <class... Sizes> inline gt_Sizes gt_sizes(Sizes... sizes)
{
    const int64_t list[] = {static_cast<int64_t>(sizes)..., GT_INTEGERS_END};
    return gt_sizes_list(list);
}
/* gt_integers(2, 0, 1): lives to the end of the full expression. */
template <std::size_t N> struct gt_IntegerArray {
    int64_t items[N];
    operator gt_Integers() const
    {
        gt_Integers list = {static_cast<int64_t>(N), items, 0};
        return list;
    }
};
template <class... T> inline gt_IntegerArray<sizeof...(T)> gt_integers(T... t)
{
    return gt_IntegerArray<sizeof...(T)>{{static_cast<int64_t>(t)...}};
}
template <std::size_t N> inline gt_Integers gt_one_or_integers(const gt_IntegerArray<N> &list)
{
    return list;
}
inline gt_Integers gt_one_or_integers(gt_Integers list)
{
    return list;
}
template <class Number> inline gt_Integers gt_one_or_integers(Number number)
{
    return gt_integers_number(static_cast<int64_t>(number));
}
inline gt_Axes gt_one_or_axes(gt_Axes axes)
{
    return axes;
}
template <class Number> inline gt_Axes gt_one_or_axes(Number axis)
{
    return gt_axes_one(static_cast<int>(axis));
}
#else
/* An array of end marks is overwritten from the front, behind a first element that is there for want of
 * arguments. */
#define GT_ENDS_(end)    end, end, end, end, end, end, end, end, end, end, [0] = end
/* gt_shape(2, 3), gt_shape() for a scalar: at most GT_MAX_RANK sizes. */
#define gt_shape(...)    gt_shape_list((const int64_t[]){GT_ENDS_(GT_INTEGERS_END), __VA_ARGS__} + 1)
/* gt_numbers(1, 0.5): at most GT_MAX_NUMBERS. */
#define gt_numbers(...)  gt_numbers_list((const double[]){GT_ENDS_(GT_NUMBERS_END), __VA_ARGS__} + 1)
/* gt_axes(0, -1): a set of axes, negative ones from the end. */
#define gt_axes(...)     gt_axes_list((const int[]){GT_ENDS_(GT_AXES_END), __VA_ARGS__} + 1)
/* gt_sizes(2, 1): a size for each spatial axis. */
#define gt_sizes(...)    gt_sizes_list((const int64_t[]){__VA_ARGS__, GT_INTEGERS_END})
/* gt_integers(2, 0, 1): a list that lives as long as the block it is written in. */
#define gt_integers(...) gt_integers_list((const int64_t[]){__VA_ARGS__, GT_INTEGERS_END})
/* For arguments that are one number or a list: what functions with such an argument make of it. */
/* clang-format off */
#define gt_one_or_integers(n)                                                                      \
    _Generic((n), gt_Integers: gt_integers_same, default: gt_integers_number)(n)
#define gt_one_or_axes(n) _Generic((n), gt_Axes: gt_axes_same, default: gt_axes_one)(n)
/* clang-format on */
#endif

#endif
