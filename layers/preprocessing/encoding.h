/* Whole numbers as vectors: what CategoryEncoding, Discretization and the lookups have in common. */
#ifndef GT_LAYERS_PREPROCESSING_ENCODING_H
#define GT_LAYERS_PREPROCESSING_ENCODING_H

#include "layers/layer.h"

GT_BEGIN

/* What becomes of indices from 0 to depth - 1. The last axis is the sample: (..., length) becomes (..., depth) but for
 * INT, which leaves them, and ONE_HOT, where each index has a vector of its own: (..., length, depth), and (..., depth) where
 * the length is 1. */
typedef enum gt_OutputMode {
    GT_OUTPUT_MODE_INT,
    GT_OUTPUT_MODE_ONE_HOT,   /* 1 at the index */
    GT_OUTPUT_MODE_MULTI_HOT, /* 1 at each index that the sample has */
    GT_OUTPUT_MODE_COUNT,     /* how often the sample has it */
    GT_OUTPUT_MODE_TF_IDF     /* the count times a weight of each index, for lookups */
} gt_OutputMode;

GT_END

#endif
