/* Order: sorting, the largest, quantiles, searching, counting. Sorting is stable and takes NaN as
 * the largest number. Values have gradients, which go to where each value came from; indices and
 * counts are int32 and have none. */
#ifndef GT_OPS_SORTING_H
#define GT_OPS_SORTING_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/operand.h"

GT_BEGIN

#define gt_sort_OPTIONS(F, S)                                                                      \
    F(S, int32_t, axis, -1, "along this axis; GT_NONE: of x flattened")                            \
    F(S, bool, descending, false, "the largest first")
GT_OPTIONS(gt_sort_options, gt_sort_OPTIONS);
typedef gt_sort_options gt_argsort_options;
#define GT_SORT_(function, ...)                                                                    \
    function(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_sort, GT_AFTER_1(__VA_ARGS__)))
/* The numbers in order; and where they were. */
#define gt_sort(...) GT_SORT_(gt_sort_at, __VA_ARGS__)
GT_API gt_Tensor *gt_sort_at(const char *here, gt_Tensor *x, const gt_sort_options *options);
GT_API gt_Tensor *(gt_sort)(gt_Tensor *x);
#define gt_argsort(...) GT_SORT_(gt_argsort_at, __VA_ARGS__)
GT_API gt_Tensor *gt_argsort_at(const char *here, gt_Tensor *x, const gt_sort_options *options);
GT_API gt_Tensor *(gt_argsort)(gt_Tensor *x);

/* The k largest along the last axis, the largest first, and where they were: (..., k). Both NULL on
 * failure. */
typedef struct gt_TopK {
    gt_Tensor *values, *indices;
} gt_TopK;
#define gt_top_k(x, k) gt_top_k_at(GT_HERE, x, k)
GT_API gt_TopK gt_top_k_at(const char *here, gt_Tensor *x, int64_t k);
/* bool (n): is the class targets[i] among the k largest of predictions (n, classes)? Equal ones all
 * count as being among them; a prediction that is not finite never does. */
#define gt_in_top_k(targets, predictions, k) gt_in_top_k_at(GT_HERE, targets, predictions, k)
GT_API gt_Tensor *gt_in_top_k_at(const char *here, gt_Tensor *targets, gt_Tensor *predictions,
                                 int64_t k);

/* What is taken between two neighbours: a number on the way from one to the other, the lower, the
 * higher, the mean of both, the nearer one (half way: the one at an even place). */
typedef enum gt_QuantileMethod {
    GT_QUANTILE_METHOD_LINEAR = 0,
    GT_QUANTILE_METHOD_LOWER = 1,
    GT_QUANTILE_METHOD_HIGHER = 2,
    GT_QUANTILE_METHOD_MIDPOINT = 3,
    GT_QUANTILE_METHOD_NEAREST = 4
} gt_QuantileMethod;

#define gt_quantile_OPTIONS(F, S)                                                                  \
    F(S, int32_t, axis, GT_NONE, "one axis; GT_NONE: what axes says")                              \
    F(S, gt_Axes, axes, GT_ALL_AXES, "several axes")                                               \
    F(S, bool, keepdims, false, "reduced axes stay, with size 1")                                  \
    F(S, gt_QuantileMethod, method, GT_QUANTILE_METHOD_LINEAR,                                     \
      "what is taken between two neighbours")
GT_OPTIONS(gt_quantile_options, gt_quantile_OPTIONS);
typedef gt_quantile_options gt_percentile_options, gt_median_options;
/* gt_quantile(x, 0.25, .axis = 0): the number below which the fraction q lies, between two
 * neighbours what the method says; NaN if there is one. q from 0 to 1 (gt_percentile: 0 to 100) is
 * a C number or a tensor of rank 0 or 1, whose axis then comes first in the result. Integers and
 * bool give float32. */
#define gt_quantile(x, ...)                                                                        \
    gt_quantile_at(GT_HERE, x, gt_operand(GT_FIRST(__VA_ARGS__)),                                  \
                   GT_KEYWORDS(gt_quantile, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_quantile_at(const char *here, gt_Tensor *x, gt_Operand q,
                                 const gt_quantile_options *options);
#define gt_percentile(x, ...)                                                                      \
    gt_percentile_at(GT_HERE, x, gt_operand(GT_FIRST(__VA_ARGS__)),                                \
                     GT_KEYWORDS(gt_quantile, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_percentile_at(const char *here, gt_Tensor *x, gt_Operand q,
                                   const gt_quantile_options *options);
/* The middle number, or the mean of the two. */
#define gt_median(...)                                                                             \
    gt_median_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_quantile, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_median_at(const char *here, gt_Tensor *x, const gt_quantile_options *options);
GT_API gt_Tensor *(gt_median)(gt_Tensor *x);

#define gt_searchsorted_OPTIONS(F, S) F(S, bool, right, false, "behind equal ones, not before them")
GT_OPTIONS(gt_searchsorted_options, gt_searchsorted_OPTIONS);
typedef gt_searchsorted_options gt_digitize_options;
#define GT_SEARCH_(function, ...)                                                                  \
    function(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                               \
             GT_KEYWORDS(gt_searchsorted, GT_AFTER_2(__VA_ARGS__)))
/* Where each value would go into the sorted vector. */
#define gt_searchsorted(...) GT_SEARCH_(gt_searchsorted_at, __VA_ARGS__)
GT_API gt_Tensor *gt_searchsorted_at(const char *here, gt_Tensor *sorted, gt_Tensor *values,
                                     const gt_searchsorted_options *options);
/* In which bin each x lies: i with bins[i - 1] <= x < bins[i] (.right = true: < and <=); 0 and the
 * number of bins are outside. `bins` ascend. */
#define gt_digitize(...) GT_SEARCH_(gt_digitize_at, __VA_ARGS__)
GT_API gt_Tensor *gt_digitize_at(const char *here, gt_Tensor *x, gt_Tensor *bins,
                                 const gt_searchsorted_options *options);

#define gt_bincount_OPTIONS(F, S)                                                                  \
    F(S, gt_Tensor *, weights, NULL, "of the shape of x, summed up; NULL: each counts 1")          \
    F(S, int64_t, length, GT_INHERIT, "of the result; GT_INHERIT: the largest x + 1")
GT_OPTIONS(gt_bincount_options, gt_bincount_OPTIONS);
/* How often each of 0, 1, 2, ... is in the integers x. Differentiable in the weights. In a traced
 * function the length must be given. */
#define gt_bincount(...)                                                                           \
    gt_bincount_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                                 \
                   GT_KEYWORDS(gt_bincount, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_bincount_at(const char *here, gt_Tensor *x,
                                 const gt_bincount_options *options);

#define gt_histogram_OPTIONS(F, S)                                                                 \
    F(S, int64_t, bins, 10, "how many, of equal width")                                            \
    F(S, double, low, 0, "where the first starts; low = high: at the smallest x")                  \
    F(S, double, high, 0, "where the last, which is closed, ends; low = high: at the largest x")
GT_OPTIONS(gt_histogram_options, gt_histogram_OPTIONS);
/* How many x lie in each bin, as int32 (bins); and the bins + 1 edges. Both NULL on failure. */
typedef struct gt_Histogram {
    gt_Tensor *counts, *edges;
} gt_Histogram;
#define gt_histogram(...)                                                                          \
    gt_histogram_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                                \
                    GT_KEYWORDS(gt_histogram, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Histogram gt_histogram_at(const char *here, gt_Tensor *x,
                                    const gt_histogram_options *options);

/* bool: which x are among `test`, a tensor of any shape? */
#define gt_isin(x, test) gt_isin_at(GT_HERE, x, test)
GT_API gt_Tensor *gt_isin_at(const char *here, gt_Tensor *x, gt_Tensor *test);

GT_END

#endif
