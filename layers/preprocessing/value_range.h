/* Options that layers of images share. */
#ifndef GT_LAYERS_PREPROCESSING_VALUE_RANGE_H
#define GT_LAYERS_PREPROCESSING_VALUE_RANGE_H

#include <math.h>

#include "layers/layer.h"

GT_BEGIN

/* A preset for two numbers. */
#define GT_TWO_NUMBERS(a, b)                                                                       \
    {                                                                                              \
        GT_MARK, 2,                                                                                \
        {                                                                                          \
            a, b                                                                                   \
        }                                                                                          \
    }
#define GT_VALUE_RANGE(F, S)                                                                       \
    F(S, gt_Numbers, value_range, GT_TWO_NUMBERS(0, 255),                                          \
      "the least and the largest number of an image, gt_numbers(0, 1)")
#define GT_SEED(F, S) F(S, int64_t, seed, -1, "-1: from the context's seed and the layer's path")

GT_END

#endif
