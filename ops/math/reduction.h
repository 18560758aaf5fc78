/* Shared by the records of reductions: lowering, mask rules, helpers of their gradient rules and functions; and two
 * operations on squares that functions of other files are made of. Private to the library. Leans on
 * ops/kit.h; the kernel is kernels/reduction.c. */
#ifndef GT_OPS_REDUCTION_H
#define GT_OPS_REDUCTION_H

#include "kernels/reduction.h"
#include "kernels/scaled.h"
#include "ops/kit.h"
#include "ops/math/reduce.h"

/* How the sum (or the sum of squares) of floats is finished before it is rounded to the dtype of the result. */
typedef struct gt_Finish {
    bool mean;      /* it is divided by the number of elements */
    double scale;   /* it is multiplied by this */
    bool root;      /* then its root: */
    double epsilon; /*   of it and this */
    double floor;   /*   at least this */
    double empty;   /* the largest, smallest of nothing; NaN: there is none */
} gt_Finish;

/* Input 0, reduced over the axes of `bits` into output 0. Floats are put together in double, and
 * what overflows or underflows on the way to a result that does not is computed again, scaled. The
 * output may be float64 where the input is float32. */
void gt_reduction_lower(const gt_ShapeRule *rule, gt_Lowering *lowering, gt_ReduceLoopId loop,
                        uint32_t bits, const gt_Finish *finish);
/* Masks stay where no reduced axis is among theirs. */
gt_Status gt_reduction_mask(gt_MaskRule *rule, uint32_t bits);
/* A result of the reduction over the axes of `bits`, in a shape that broadcasts to its input. */
gt_Tensor *gt_reduction_spread(gt_GradientRule *rule, uint32_t bits, gt_Tensor *result);
/* Raises the error that an axis without elements has no largest one. */
gt_Status gt_reduction_refuse_empty(const gt_Spec *in);
/* x in the type that `operation` computes with: its own, or `small` for bool and uint8, `whole` for
 * larger integers (GT_DTYPE_NONE: no change). */
gt_Tensor *gt_reduction_input(const char *here, const char *operation, gt_Tensor *x, gt_DType small,
                              gt_DType whole);

/* x as bool: is it not 0? */
gt_Tensor *gt_reduction_truth(const char *here, const char *operation, gt_Tensor *x);

/* A tensor seen along one axis, or along all of them: outer x count x inner. */
typedef struct gt_AxisView {
    int64_t outer, count, inner;
} gt_AxisView;
/* False with an error raised for an axis that is none; GT_NONE: all. */
bool gt_axis_view(const gt_Spec *spec, int axis, gt_AxisView *view);

/* The options of a sample: GT_OVER(gt_sum, .axis = 0). */
#define GT_OVER(function, ...)                                                                     \
    .options = &(const function##_options)                                                         \
    {                                                                                              \
        GT_PRESETS(function##_options, function##_OPTIONS) __VA_ARGS__                             \
    }
/* gt_NAME_at and gt_NAME, made of the static function NAME. */
#define GT_COMPOSED_REDUCTION(name) GT_COMPOSED_OPTIONS(name, name, gt_sum_options)

/* ---- squares: two operations that functions of other files are made of ----
 *
 * Squares are summed in double and rounded once, at the end: nothing overflows or underflows
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
