/* Discretization: numbers as the bins that they fall into. */
#ifndef GT_LAYERS_PREPROCESSING_DISCRETIZATION_H
#define GT_LAYERS_PREPROCESSING_DISCRETIZATION_H

#include "layers/preprocessing/encoding.h"

GT_BEGIN

#define gt_Discretization_OPTIONS(F, S)                                                            \
    F(S, gt_Tensor *, bin_boundaries, NULL,                                                        \
      "floats, rising; NULL: gt_adapt learns num_bins - 1 of them")                                \
    F(S, int64_t, num_bins, 0, "how many bins to learn, > 0; 0: boundaries are given")             \
    F(S, double, epsilon, 0.01,                                                                    \
      "how exact learned quantiles are, from 0 to 1; smaller takes more memory")                   \
    F(S, gt_OutputMode, output_mode, GT_OUTPUT_MODE_INT, "INT, ONE_HOT, MULTI_HOT or COUNT")       \
    GT_LAYER_NAMED(F, S)
GT_OPTIONS(gt_Discretization_options, gt_Discretization_OPTIONS);
/* gt_Discretization(gt_array(gt_shape(2), 0, 10)): numbers become bins: 0 below the first boundary, i where
 * boundary[i - 1] <= x < boundary[i], as int64, or vectors (see gt_OutputMode).
 * gt_Discretization(.num_bins = 4), then gt_adapt(layer, train): boundaries at the quantiles of the data, all numbers of x
 * together, found in one pass with bounded memory as Keras does (a summary of 1 / epsilon points). It cannot be called
 * before. Weight, when bins are learned: bin_boundaries (num_bins - 1), not trained; Keras has them in its config.
 * Masks end here. */
#define gt_Discretization(...)                                                                     \
    gt_Discretization_at(GT_HERE,                                                                  \
                         GT_KEYWORDS_MAYBE_1(gt_Discretization, bin_boundaries, __VA_ARGS__))
GT_API gt_Layer *gt_Discretization_at(const char *here, const gt_Discretization_options *options);

GT_END

#endif
