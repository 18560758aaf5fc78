/* HashedCrossing: what several features have together, dealt to bins. */
#ifndef GT_LAYERS_PREPROCESSING_HASHED_CROSSING_H
#define GT_LAYERS_PREPROCESSING_HASHED_CROSSING_H

#include "layers/preprocessing/encoding.h"

GT_BEGIN

#define gt_HashedCrossing_OPTIONS(F, S)                                                            \
    F(S, int64_t, num_bins, 0, "how many bins there are; required, > 0")                           \
    F(S, gt_OutputMode, output_mode, GT_OUTPUT_MODE_INT, "INT or ONE_HOT")                         \
    GT_LAYER_NAMED(F, S)
GT_OPTIONS(gt_HashedCrossing_options, gt_HashedCrossing_OPTIONS);
/* gt_HashedCrossing(5): two to eight features, each text or integers of the same shape, (rows) or (rows, 1), become one int64 bin
 * a row, or a vector of num_bins floats: the joined hash of the row's values, modulo num_bins. Ports: x1, x2, optionally x3 to x8:
 *     gt_call(cross, NULL, .named = gt_named({"x2", hours}), .text = cities)
 * Integers alone run in traced functions, text stands at the entry of a model. Masks end here. Source: Keras 3,
 * HashedCrossing. */
#define gt_HashedCrossing(...)                                                                     \
    gt_HashedCrossing_at(GT_HERE, GT_KEYWORDS_1(gt_HashedCrossing, num_bins, __VA_ARGS__))
GT_API gt_Layer *gt_HashedCrossing_at(const char *here, const gt_HashedCrossing_options *options);

GT_END

#endif
