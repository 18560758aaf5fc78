/* The computation of gt_OutputMode. Private to the library. */
#ifndef GT_LAYERS_PREPROCESSING_ENCODE_H
#define GT_LAYERS_PREPROCESSING_ENCODE_H

#include "core/strings_inside.h"
#include "layers/preprocessing/encoding.h"

/* An error for a mode that is none, or is not among those that the layer has, as bits 1 << mode. */
gt_Status gt_output_mode_check(gt_OutputMode mode, uint32_t allowed);
/* `indices` of any integer type. `weights`, of the shape of the indices, are what an index counts in COUNT; NULL: 1 each.
 * INT gives int64, the others floats of the type `dtype`; weights give their own type. An index that is not below `depth`
 * counts nowhere. */
gt_Tensor *gt_encode(gt_Tensor *indices, gt_OutputMode mode, int64_t depth, gt_Tensor *weights,
                     gt_DType dtype);
/* The shape without a last axis of 1, in the mode ONE_HOT. */
gt_Shape gt_one_hot_rows(gt_Shape shape, gt_OutputMode mode);
/* The same for indices in memory, as many as the shape of `text` says; an index outside counts nowhere. TF_IDF has `weights`, one
 * an index, float64. For text that is a symbol a symbol. */
gt_Tensor *gt_encode_text(const gt_Text *text, const int64_t *indices, gt_OutputMode mode,
                          int64_t depth, gt_DType dtype, const gt_Variable *weights);

#endif
