/* A reduction over axes as it runs: cut into work, put together, finished. Private; the operations are
 * in reduce.c. Leans on ops/kit.h. */
#ifndef GT_OPS_REDUCTION_H
#define GT_OPS_REDUCTION_H

#include "ops/kit.h"
#include "ops/reduce.h"

#include <math.h>

/* What becomes of the sum (or the sum of squares) of floats before it is rounded to the type of the
 * result. */
typedef struct gt_Finish {
    bool mean;      /* it is divided by the number of elements */
    double scale;   /* it is multiplied by this */
    bool root;      /* then its root: */
    double epsilon; /*   of it and this */
    double floor;   /*   at least this */
} gt_Finish;

/* Bytes of scratch that gt_reduction_run needs for x, reduced over the axes of `bits` to
 * numbers of type `result`. */
size_t gt_reduction_scratch(const gt_Spec *x, uint32_t bits, gt_DType result);

/* Input 0, reduced over the axes of `bits` into output 0. Floats are put together in double, and
 * what overflows or underflows on the way to a result that does not is computed again, scaled. The
 * output may be float64 where the input is float32. */
gt_Status gt_reduction_run(const gt_Kernel *kernel, gt_ReduceLoopId loop, uint32_t bits,
                           const gt_Finish *finish);

/* size 2^exponent. Exponents that are far out are as good as those that overflow or underflow. */
static inline double gt_plain(gt_Scaled x)
{
    if (x.exponent == 0)
        return x.size;
    return ldexp(x.size, (int)(x.exponent < -4000 ? -4000 : x.exponent > 4000 ? 4000 : x.exponent));
}

/* ---- squares: two operations that functions of other files are made of ----
 *
 * What is squared is summed in double and rounded once, at the end: nothing overflows or underflows
 * that the result does not. */

#define GT_SQUARES_OPTIONS(F)                                                                      \
    F(uint32_t, size, (uint32_t)sizeof(gt_SquaresOptions), "for ABI growth")                       \
    F(int32_t, axis, GT_NONE, "one axis; GT_NONE: what axes says")                                 \
    F(gt_Axes, axes, GT_ALL_AXES, "several axes")                                                  \
    F(bool, keepdims, false, "reduced axes stay, with size 1")                                     \
    F(bool, mean, false, "the mean of x^2 in place of the sum")                                    \
    F(double, scale, 1, "what it is multiplied by")
typedef struct gt_SquaresOptions {
    GT_SQUARES_OPTIONS(GT_MEMBER)
} gt_SquaresOptions;
/* scale times the sum of x^2, of floats. */
gt_Tensor *gt_squares(gt_Tensor *x, const gt_SquaresOptions *options);
#define GT_SQUARES(x, ...)                                                                         \
    gt_squares(x, &(const gt_SquaresOptions){GT_SQUARES_OPTIONS(GT_PRESET) __VA_ARGS__})

#define GT_LENGTH_OPTIONS(F)                                                                       \
    F(uint32_t, size, (uint32_t)sizeof(gt_LengthOptions), "for ABI growth")                        \
    F(int32_t, axis, GT_NONE, "one axis; GT_NONE: what axes says")                                 \
    F(gt_Axes, axes, GT_ALL_AXES, "several axes")                                                  \
    F(bool, keepdims, false, "reduced axes stay, with size 1")                                     \
    F(bool, mean, false, "the mean of x^2 in place of the sum")                                    \
    F(bool, wide, false, "the result is float64")                                                  \
    F(double, epsilon, 0, "added before the root")                                                 \
    F(double, floor, 0, "the least result")
typedef struct gt_LengthOptions {
    GT_LENGTH_OPTIONS(GT_MEMBER)
} gt_LengthOptions;
/* max(sqrt(sum of x^2 + epsilon), floor), of floats. The gradient at a length of 0 is NaN. */
gt_Tensor *gt_length(gt_Tensor *x, const gt_LengthOptions *options);
#define GT_LENGTH(x, ...)                                                                          \
    gt_length(x, &(const gt_LengthOptions){GT_LENGTH_OPTIONS(GT_PRESET) __VA_ARGS__})

#endif
