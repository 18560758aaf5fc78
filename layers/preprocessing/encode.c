/* The computation of gt_OutputMode. */
#include "layers/preprocessing/encode.h"
#include "ops/array/cast.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/reduce.h"

gt_Status gt_output_mode_check(gt_OutputMode mode, uint32_t allowed)
{
    static const char *const names[] = {"INT", "ONE_HOT", "MULTI_HOT", "COUNT", "TF_IDF"};
    const uint32_t number = (uint32_t)mode;
    if (number >= sizeof names / sizeof *names)
        return gt_fail(GT_INVALID, "unknown output_mode %d", (int)mode);
    if (!(allowed >> number & 1))
        return gt_fail(GT_INVALID, "there is no output_mode %s here", names[number]);
    return GT_OK;
}

static gt_Tensor *one_hot(gt_Tensor *indices, int64_t depth, gt_DType dtype)
{
    const int rank = gt_rank(indices);
    if (rank > 1 && gt_tensor_shape(indices).dims[rank - 1] == 1)
        indices = gt_squeeze(indices, .axes = gt_axes(-1));
    return gt_one_hot(indices, depth, .dtype = dtype);
}

gt_Tensor *gt_encode(gt_Tensor *indices, gt_OutputMode mode, int64_t depth, gt_Tensor *weights,
                     gt_DType dtype)
{
    if (mode == GT_OUTPUT_MODE_INT)
        return gt_cast(indices, GT_INT64);
    if (mode == GT_OUTPUT_MODE_ONE_HOT)
        return one_hot(indices, depth, dtype);
    if (indices && gt_rank(indices) == 0)
        indices = gt_expand_dims(indices, 0);
    gt_Tensor *each = gt_one_hot(indices, depth, .dtype = weights ? gt_dtype(weights) : dtype);
    if (mode == GT_OUTPUT_MODE_MULTI_HOT)
        return gt_max(each, .axes = gt_axes(-2));
    if (weights)
        each = gt_multiply(each, gt_expand_dims(weights, -1));
    return gt_sum(each, .axes = gt_axes(-2));
}
