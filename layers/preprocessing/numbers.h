/* What the layers that prepare numbers share. Private to the library. */
#ifndef GT_LAYERS_PREPROCESSING_NUMBERS_H
#define GT_LAYERS_PREPROCESSING_NUMBERS_H

#include "layers/layer.h"

/* x as floats: as it is if it has them; integers become the layer's type of products, float32 if it has none. */
gt_Tensor *gt_as_floats(const gt_Layer *layer, gt_Tensor *x);
/* The type of floats that the layer makes: its own, float32 if it has none. */
gt_DType gt_float_type(const gt_Layer *layer);
/* x as integers: as it is if it has them; floats are cut to int64. */
gt_Tensor *gt_as_integers(gt_Tensor *x);
/* The option that is a tensor, which the caller's scope owns, as a variable that the layer owns: `*option` becomes it.
 * NULL if it is not given, and on failure. For `create`; dropped by gt_variable_release in `destroy`. */
gt_Variable *gt_hold_option(gt_Tensor **option);

#endif
