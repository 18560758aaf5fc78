/* CategoryEncoding: categories, as whole numbers, become vectors. */
#ifndef GT_LAYERS_PREPROCESSING_CATEGORY_ENCODING_H
#define GT_LAYERS_PREPROCESSING_CATEGORY_ENCODING_H

#include "layers/preprocessing/encoding.h"

GT_BEGIN

#define gt_CategoryEncoding_OPTIONS(F, S)                                                          \
    F(S, int64_t, num_tokens, 0, "how many categories there are; required, > 0")                   \
    F(S, gt_OutputMode, output_mode, GT_OUTPUT_MODE_MULTI_HOT, "ONE_HOT, MULTI_HOT or COUNT")      \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_CategoryEncoding_options, gt_CategoryEncoding_OPTIONS);
/* gt_CategoryEncoding(4): categories from 0 to 3, (..., length) of integers, become (..., 4) with a 1 where the sample has
 * the category; see gt_OutputMode for the others. Floats are cut to integers; what is no category counts nowhere.
 * Ports: x; count_weights, optional, of its shape: what each one counts in COUNT. Masks end here. */
#define gt_CategoryEncoding(...)                                                                   \
    gt_CategoryEncoding_at(GT_HERE, GT_KEYWORDS_1(gt_CategoryEncoding, num_tokens, __VA_ARGS__))
GT_API gt_Layer *gt_CategoryEncoding_at(const char *here,
                                        const gt_CategoryEncoding_options *options);

GT_END

#endif
