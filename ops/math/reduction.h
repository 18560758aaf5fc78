/* A reduction over axes as it runs: cut into work, put together, finished. Private; the operations
 * are in reduce.c. Leans on ops/kit.h. */
#ifndef GT_OPS_REDUCTION_H
#define GT_OPS_REDUCTION_H

#include "kernels/scaled.h"
#include "ops/kit.h"
#include "ops/math/reduce.h"

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

/* ---- squares: two operations that functions of other files are made of ----
 *
 * What is squared is summed in double and rounded once, at the end: nothing overflows or underflows
 * that the result does not. */

#define GT_SQUARES_OPTIONS(F, S)                                                                   \
    F(S, int32_t, axis, GT_NONE, "one axis; GT_NONE: what axes says")                              \
    F(S, gt_Axes, axes, GT_ALL_AXES, "several axes")                                               \
    F(S, bool, keepdims, false, "reduced axes stay, with size 1")                                  \
    F(S, bool, mean, false, "the mean of x^2 in place of the sum")                                 \
    F(S, double, scale, 1, "what it is multiplied by")
GT_OPTIONS(gt_SquaresOptions, GT_SQUARES_OPTIONS);
/* scale times the sum of x^2, of floats. */
gt_Tensor *gt_squares(gt_Tensor *x, const gt_SquaresOptions *options);
#define GT_SQUARES(x, ...)                                                                         \
    gt_squares(x, &(const gt_SquaresOptions){GT_PRESETS(gt_SquaresOptions, GT_SQUARES_OPTIONS)     \
                                                 __VA_ARGS__})

#define GT_LENGTH_OPTIONS(F, S)                                                                    \
    F(S, int32_t, axis, GT_NONE, "one axis; GT_NONE: what axes says")                              \
    F(S, gt_Axes, axes, GT_ALL_AXES, "several axes")                                               \
    F(S, bool, keepdims, false, "reduced axes stay, with size 1")                                  \
    F(S, bool, mean, false, "the mean of x^2 in place of the sum")                                 \
    F(S, bool, wide, false, "the result is float64")                                               \
    F(S, double, epsilon, 0, "added before the root")                                              \
    F(S, double, floor, 0, "the least result")
GT_OPTIONS(gt_LengthOptions, GT_LENGTH_OPTIONS);
/* max(sqrt(sum of x^2 + epsilon), floor), of floats. The gradient at a length of 0 is NaN. */
gt_Tensor *gt_length(gt_Tensor *x, const gt_LengthOptions *options);
#define GT_LENGTH(x, ...)                                                                          \
    gt_length(                                                                                     \
        x, &(const gt_LengthOptions){GT_PRESETS(gt_LengthOptions, GT_LENGTH_OPTIONS) __VA_ARGS__})

#endif
