/* The computation of gt_OutputMode. Private to the library. */
#ifndef GT_LAYERS_PREPROCESSING_ENCODE_H
#define GT_LAYERS_PREPROCESSING_ENCODE_H

#include "layers/preprocessing/encoding.h"

/* An error for a mode that is none, or is not among those that the layer has, as bits 1 << mode. */
gt_Status gt_output_mode_check(gt_OutputMode mode, uint32_t allowed);
/* `indices` of any integer type. `weights`, of the shape of the indices, are what an index counts in COUNT; NULL: 1 each.
 * INT gives int64, the others floats of the type `dtype`; weights give their own type. An index that is not below `depth`
 * counts nowhere. */
gt_Tensor *gt_encode(gt_Tensor *indices, gt_OutputMode mode, int64_t depth, gt_Tensor *weights,
                     gt_DType dtype);

#endif
