/* The computation of gt_OutputMode. */
#include "layers/preprocessing/encode.h"
#include "core/graph.h"
#include "ops/array/cast.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/reduce.h"

#include <string.h>

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

/* ---- in memory ---- */

static bool encoded_spec(gt_Shape shape, gt_OutputMode mode, int64_t depth, gt_DType dtype, gt_Spec *spec)
{
    if (mode == GT_OUTPUT_MODE_INT)
        return gt_spec_set(spec, GT_INT64, shape);
    shape.rank += mode == GT_OUTPUT_MODE_ONE_HOT;
    shape.dims[shape.rank - 1] = depth;
    return gt_spec_set(spec, dtype, shape);
}

/* Vectors of zeros get what their indices count; `length` of them have a vector. */
static void count(const int64_t *indices, int64_t size, int64_t length, gt_OutputMode mode,
                  int64_t depth, gt_DType dtype, void *data)
{
    for (int64_t i = 0; i < size; i++) {
        if (indices[i] < 0 || indices[i] >= depth)
            continue;
        int64_t at = i / length * depth + indices[i];
        bool counts = mode == GT_OUTPUT_MODE_COUNT || mode == GT_OUTPUT_MODE_TF_IDF;
        gt_number_store(dtype, data, at, counts ? gt_number_fetch(dtype, data, at) + 1 : 1);
    }
}

static void weigh(const double *weights, int64_t known, int64_t depth, const gt_Spec *spec, void *data)
{
    for (int64_t i = 0; i < spec->size; i++) {
        double times = gt_number_fetch(spec->dtype, data, i);
        if (times > 0)
            gt_number_store(spec->dtype, data, i, i % depth < known ? times * weights[i % depth] : 0);
    }
}

gt_Shape gt_one_hot_rows(gt_Shape shape, gt_OutputMode mode)
{
    const int last = shape.rank - 1;
    shape.rank -= mode == GT_OUTPUT_MODE_ONE_HOT && last > 0 && shape.dims[last] == 1;
    return shape;
}

gt_Tensor *gt_encode_text(const gt_Text *text, const int64_t *indices, gt_OutputMode mode,
                          int64_t depth, gt_DType dtype, const gt_Variable *weights)
{
    gt_Context *context = gt_context();
    const gt_Shape *shape = &text->shape;
    gt_Spec spec = {0};
    void *data;
    if (!encoded_spec(*shape, mode, depth, dtype, &spec))
        return gt_fail(GT_INVALID, "the result would be too large"), NULL;
    if (text->symbol)
        return gt_trace_input(context, &spec);
    gt_Tensor *y = gt_tensor_new(context, &spec, &data);
    if (!y || spec.size == 0)
        return y;
    if (mode == GT_OUTPUT_MODE_INT)
        return memcpy(data, indices, gt_spec_bytes(&spec)), y;
    memset(data, 0, gt_spec_bytes(&spec));
    int64_t size = text->count, length = mode == GT_OUTPUT_MODE_ONE_HOT ? 1 : shape->dims[shape->rank - 1];
    if (length > 0)
        count(indices, size, length, mode, depth, dtype, data);
    if (mode == GT_OUTPUT_MODE_TF_IDF && weights)
        weigh(gt_tensor_data(weights), gt_tensor_spec(weights)->size, depth, &spec, data);
    return y;
}
