/* Reductions along axes. `gt_sum(x)` reduces all axes, `gt_sum(x, .axis = 0)`
 * one, `gt_sum(x, .axes = gt_axes(0, -1), .keepdims = true)` several; negative axes count from the
 * end. The reduced axes vanish, or stay with size 1 if keepdims. The order of the additions depends
 * on the shape alone, so the bits are the same for any number of threads. float32 is added up and
 * multiplied in double: a result is within a few of its last bits for any number of elements, and
 * neither overflows nor underflows on the way to a number that does not. float64 does not overflow on
 * the way either. */
#ifndef GT_OPS_REDUCE_H
#define GT_OPS_REDUCE_H

#include "core/keyword.h"
#include "core/tensor.h"

#include <math.h>

GT_BEGIN

#define gt_sum_OPTIONS(F, S)                                                                       \
    F(S, int32_t, axis, GT_NONE, "one axis; GT_NONE: what axes says")                              \
    F(S, gt_Axes, axes, GT_ALL_AXES, "several axes")                                               \
    F(S, bool, keepdims, false, "reduced axes stay, with size 1")
GT_OPTIONS(gt_sum_options, gt_sum_OPTIONS);
typedef gt_sum_options gt_mean_options, gt_prod_options, gt_variance_options, gt_std_options,
    gt_logsumexp_options, gt_all_options, gt_any_options, gt_count_nonzero_options,
    gt_nansum_options, gt_nanmean_options, gt_nanmax_options, gt_nanmin_options, gt_ptp_options;

#define GT_DECLARE_REDUCTION(name)                                                                 \
    GT_API gt_Tensor *gt_##name##_at(const char *here, gt_Tensor *x,                               \
                                     const gt_sum_options *options);                               \
    GT_API gt_Tensor *(gt_##name)(gt_Tensor * x)
#define GT_REDUCTION_(function, ...)                                                               \
    function(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_sum, GT_AFTER_1(__VA_ARGS__)))

/* The sum; 0 of nothing. bool and uint8 are summed as int32, more than 2^31 - 1 of bool as int64;
 * int32 and int64 wrap. */
GT_DECLARE_REDUCTION(sum);
#define gt_sum(...) GT_REDUCTION_(gt_sum_at, __VA_ARGS__)
/* The mean; NaN of nothing. Integers and bool give float32. */
GT_DECLARE_REDUCTION(mean);
#define gt_mean(...) GT_REDUCTION_(gt_mean_at, __VA_ARGS__)
/* The product; 1 of nothing. bool and uint8 as int32. The gradient is right where factors are 0. */
GT_DECLARE_REDUCTION(prod);
#define gt_prod(...) GT_REDUCTION_(gt_prod_at, __VA_ARGS__)
/* The mean square distance from the mean (divided by n, not n - 1), and its root, whose gradient is
 * not finite where all numbers are equal. Integers and bool give float32. */
GT_DECLARE_REDUCTION(variance);
#define gt_variance(...) GT_REDUCTION_(gt_variance_at, __VA_ARGS__)
GT_DECLARE_REDUCTION(std);
#define gt_std(...) GT_REDUCTION_(gt_std_at, __VA_ARGS__)
/* log(sum(exp(x))) without overflow; -inf of nothing, and of nothing but -inf (gradient 0 there).
 */
GT_DECLARE_REDUCTION(logsumexp);
#define gt_logsumexp(...) GT_REDUCTION_(gt_logsumexp_at, __VA_ARGS__)
/* bool: is every, is any number different from 0? Of nothing: true, false. No gradient. */
GT_DECLARE_REDUCTION(all);
#define gt_all(...) GT_REDUCTION_(gt_all_at, __VA_ARGS__)
GT_DECLARE_REDUCTION(any);
#define gt_any(...) GT_REDUCTION_(gt_any_at, __VA_ARGS__)
/* How many elements are not 0, as int32 (int64 of more than 2^31 - 1). No gradient. */
GT_DECLARE_REDUCTION(count_nonzero);
#define gt_count_nonzero(...) GT_REDUCTION_(gt_count_nonzero_at, __VA_ARGS__)

#define gt_max_OPTIONS(F, S)                                                                       \
    F(S, int32_t, axis, GT_NONE, "one axis; GT_NONE: what axes says")                              \
    F(S, gt_Axes, axes, GT_ALL_AXES, "several axes")                                               \
    F(S, bool, keepdims, false, "reduced axes stay, with size 1")                                  \
    F(S, double, initial, (double)NAN, "one more number for each result; NaN: none")
GT_OPTIONS(gt_max_options, gt_max_OPTIONS);
typedef gt_max_options gt_min_options;
/* The largest, the smallest; NaN if there is one. Of nothing it is `.initial`, without which that
 * is an error. Equal ones share the gradient equally; none goes to `.initial`. */
#define gt_max(...)                                                                                \
    gt_max_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_max, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_max_at(const char *here, gt_Tensor *x, const gt_max_options *options);
GT_API gt_Tensor *(gt_max)(gt_Tensor *x);
#define gt_min(...)                                                                                \
    gt_min_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_max, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_min_at(const char *here, gt_Tensor *x, const gt_max_options *options);
GT_API gt_Tensor *(gt_min)(gt_Tensor *x);

#define gt_argmax_OPTIONS(F, S)                                                                    \
    F(S, int32_t, axis, GT_NONE, "one axis; GT_NONE: position in row-major order")                 \
    F(S, bool, keepdims, false, "reduced axes stay, with size 1")
GT_OPTIONS(gt_argmax_options, gt_argmax_OPTIONS);
typedef gt_argmax_options gt_argmin_options, gt_nanargmax_options, gt_nanargmin_options;

/* Where the largest, the smallest is, as int32: the first of equal ones, the first NaN if there is
 * one; an error of nothing. No gradient. */
#define gt_argmax(...)                                                                             \
    gt_argmax_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_argmax, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_argmax_at(const char *here, gt_Tensor *x, const gt_argmax_options *options);
GT_API gt_Tensor *(gt_argmax)(gt_Tensor *x);
#define gt_argmin(...)                                                                             \
    gt_argmin_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_argmax, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_argmin_at(const char *here, gt_Tensor *x, const gt_argmax_options *options);
GT_API gt_Tensor *(gt_argmin)(gt_Tensor *x);

/* The same of the numbers that are not NaN; -1 where there are none. */
#define gt_nanargmax(...)                                                                          \
    gt_nanargmax_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_argmax, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_nanargmax_at(const char *here, gt_Tensor *x, const gt_argmax_options *options);
GT_API gt_Tensor *(gt_nanargmax)(gt_Tensor *x);
#define gt_nanargmin(...)                                                                          \
    gt_nanargmin_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_argmax, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_nanargmin_at(const char *here, gt_Tensor *x, const gt_argmax_options *options);
GT_API gt_Tensor *(gt_nanargmin)(gt_Tensor *x);

#define gt_cumsum_OPTIONS(F, S)                                                                    \
    F(S, int32_t, axis, GT_NONE, "along this axis; GT_NONE: of x flattened")                       \
    F(S, bool, exclusive, false, "element i leaves out x[i] itself")                               \
    F(S, bool, reverse, false, "from the end to the start")
GT_OPTIONS(gt_cumsum_options, gt_cumsum_OPTIONS);
typedef gt_cumsum_options gt_cumprod_options;

/* Running sums, running products along an axis, of the shape of x (flat without an axis). They run
 * in double: each is as good as a gt_sum or gt_prod of its own. The gradient of cumprod is right
 * where factors are 0. bool and uint8 as int32. */
#define gt_cumsum(...)                                                                             \
    gt_cumsum_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_cumsum, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_cumsum_at(const char *here, gt_Tensor *x, const gt_cumsum_options *options);
GT_API gt_Tensor *(gt_cumsum)(gt_Tensor *x);
#define gt_cumprod(...)                                                                            \
    gt_cumprod_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_cumsum, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_cumprod_at(const char *here, gt_Tensor *x, const gt_cumsum_options *options);
GT_API gt_Tensor *(gt_cumprod)(gt_Tensor *x);

/* The same of the numbers that are not NaN: a sum of none is 0; a mean, largest, smallest of none
 * is NaN. */
GT_DECLARE_REDUCTION(nansum);
#define gt_nansum(...) GT_REDUCTION_(gt_nansum_at, __VA_ARGS__)
GT_DECLARE_REDUCTION(nanmean);
#define gt_nanmean(...) GT_REDUCTION_(gt_nanmean_at, __VA_ARGS__)
GT_DECLARE_REDUCTION(nanmax);
#define gt_nanmax(...) GT_REDUCTION_(gt_nanmax_at, __VA_ARGS__)
GT_DECLARE_REDUCTION(nanmin);
#define gt_nanmin(...) GT_REDUCTION_(gt_nanmin_at, __VA_ARGS__)
/* The largest less the smallest. */
GT_DECLARE_REDUCTION(ptp);
#define gt_ptp(...) GT_REDUCTION_(gt_ptp_at, __VA_ARGS__)

#define gt_average_OPTIONS(F, S)                                                                   \
    F(S, int32_t, axis, GT_NONE, "one axis; GT_NONE: all")                                         \
    F(S, gt_Tensor *, weights, NULL, "of the shape of x, or a vector along the axis; NULL: equal")
GT_OPTIONS(gt_average_options, gt_average_OPTIONS);
/* The mean with weights: sum(w x) / sum(w). Differentiable in both. */
#define gt_average(...)                                                                            \
    gt_average_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_average, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_average_at(const char *here, gt_Tensor *x, const gt_average_options *options);
GT_API gt_Tensor *(gt_average)(gt_Tensor *x);

#define gt_diff_OPTIONS(F, S)                                                                      \
    F(S, int32_t, n, 1, "how often")                                                               \
    F(S, int32_t, axis, -1, "along this axis")
GT_OPTIONS(gt_diff_options, gt_diff_OPTIONS);
/* x[i + 1] - x[i]: one shorter each time. */
#define gt_diff(...)                                                                               \
    gt_diff_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_diff, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_diff_at(const char *here, gt_Tensor *x, const gt_diff_options *options);
GT_API gt_Tensor *(gt_diff)(gt_Tensor *x);

#define gt_trapezoid_OPTIONS(F, S)                                                                 \
    F(S, gt_Tensor *, x, NULL, "where y is sampled, of its shape or a vector; NULL: dx apart")     \
    F(S, double, dx, 1, "the distance of the samples, without x")                                  \
    F(S, int32_t, axis, -1, "along this axis")
GT_OPTIONS(gt_trapezoid_options, gt_trapezoid_OPTIONS);
/* The integral of y by the trapezoidal rule. */
#define gt_trapezoid(...)                                                                          \
    gt_trapezoid_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                                \
                    GT_KEYWORDS(gt_trapezoid, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_trapezoid_at(const char *here, gt_Tensor *x,
                                  const gt_trapezoid_options *options);
GT_API gt_Tensor *(gt_trapezoid)(gt_Tensor *x);

GT_END

#endif
