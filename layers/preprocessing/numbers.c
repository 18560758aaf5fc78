/* What the layers that prepare numbers share. */
#include "layers/preprocessing/numbers.h"
#include "layers/internal.h"
#include "ops/array/cast.h"

gt_DType gt_float_type(const gt_Layer *layer)
{
    gt_DType own = layer->state->dtype;
    return gt_dtype_is_float(own) ? own : GT_FLOAT32;
}

gt_Tensor *gt_as_floats(const gt_Layer *layer, gt_Tensor *x)
{
    return !x || gt_dtype_is_float(gt_dtype(x)) ? x : gt_cast(x, gt_float_type(layer));
}

gt_Tensor *gt_as_integers(gt_Tensor *x)
{
    return x && gt_dtype_is_float(gt_dtype(x)) ? gt_cast(x, GT_INT64) : x;
}

gt_Variable *gt_hold_option(gt_Tensor **option)
{
    if (!*option)
        return NULL;
    gt_Variable *held = gt_variable(*option, .trainable = false);
    *option = held;
    return held;
}
