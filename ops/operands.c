/* Before and after operations: operands are brought to one dtype, a gradient is summed back to the shape of its input. Leans on the operations that do it. */
#include "core/assert.h"
#include "ops/array/indexing.h"
#include "ops/math/arithmetic.h"
#include "ops/array/cast.h"
#include "ops/kit.h"
#include "ops/math/reduce.h"

#include <string.h>

gt_Tensor *gt_widened(gt_Tensor *x)
{
    return gt_half_type(gt_dtype(x)) >= 0 ? gt_cast(x, GT_FLOAT32) : x;
}

gt_Tensor *gt_narrowed(gt_Tensor *x, gt_DType dtype)
{
    return gt_dtype(x) != dtype ? gt_cast(x, dtype) : x;
}

gt_Tensor *gt_unbroadcast(gt_Tensor *gradient, const gt_Spec *input)
{
    gt_Spec got = gt_spec(gradient);
    if (gt_status() != GT_OK || gt_dims_equal(&got, input))
        return gradient;
    gt_Axes axes = gt_axes();
    int missing = got.rank - input->rank;
    for (int d = 0; d < got.rank; d++)
        if (d < missing || (input->dims[d - missing] == 1 && got.dims[d] != 1))
            axes.axis[axes.count++] = d;
    gradient = gt_sum(gt_widened(gradient), .axes = axes);
    return gt_reshape(gt_narrowed(gradient, got.dtype), gt_spec_shape(input));
}

static int type_order(gt_DType dtype)
{
    switch (dtype) {
    case GT_BOOL:
        return 0;
    case GT_UINT8:
        return 1;
    case GT_INT32:
        return 2;
    case GT_INT64:
        return 3;
    default:
        return 4;
    }
}

#define DOES_NOT_FIT "the number %g does not fit the tensor's dtype %s: gt_cast the tensor"

bool gt_operands(const char *here, const gt_Operation *operation, gt_Tensor *a, gt_Operand b,
                 gt_Tensor *pair[2])
{
    gt_Context *context = gt_enter();
    if (!context)
        return false;
    const gt_Spec *spec = gt_tensor_check(context, here, operation->name, "input 1", a);
    if (!spec)
        return false;
    gt_DType type = spec->dtype;
    if (gt_operand_is_number(b)) {
        if (!gt_number_fits(type, b.number)) {
            gt_raise(context, GT_INVALID, here, operation->name, DOES_NOT_FIT, b.number, gt_dtype_name(type));
            return false;
        }
        b.tensor = gt_scalar_at(here, b.number, type);
    }
    pair[0] = a;
    pair[1] = b.tensor;
    spec = gt_tensor_check(context, here, operation->name, "input 2", pair[1]);
    if (!spec)
        return false;
    gt_DType other = spec->dtype;
    if (type != other && !(gt_dtype_is_float(type) && gt_dtype_is_float(other))) {
        bool first = type_order(type) < type_order(other);
        pair[!first] = gt_cast_at(here, pair[!first], first ? other : type);
    }
    return true;
}

gt_Tensor *gt_binary(const char *here, const gt_Operation *operation, gt_Tensor *a, gt_Operand b)
{
    gt_Tensor *pair[2];
    return gt_operands(here, operation, a, b, pair)
               ? gt_apply_one_at(here, operation, NULL, 2, pair)
               : NULL;
}

gt_Tensor *gt_operand_of(gt_Tensor *a, gt_Operand b)
{
    if (!gt_operand_is_number(b))
        return b.tensor;
    gt_DType type = gt_dtype(a);
    if (gt_status() == GT_OK && !gt_number_fits(type, b.number))
        gt_fail(GT_INVALID, DOES_NOT_FIT, b.number, gt_dtype_name(type));
    return gt_scalar(b.number, type);
}

gt_Tensor *gt_item_along(gt_Tensor *x, int axis, const char *range)
{
    char key[80] = "";
    size_t at = 0;
    if (gt_axis(axis, gt_rank(x)) < 0)
        return NULL;
    if (axis < 0) {
        memcpy(key, "..., ", at = 5);
    } else {
        for (int d = 0; d < axis; d++, at += 3)
            memcpy(key + at, ":, ", 3);
    }
    GT_ASSERT(strlen(range) < sizeof key - at);
    memcpy(key + at, range, strlen(range) + 1);
    at += strlen(range);
    for (int d = axis + 1; d < 0; d++, at += 3)
        memcpy(key + at, ", :", 4);
    return gt_get_item(x, key);
}

gt_Tensor *gt_as_float(gt_Tensor *x)
{
    return gt_dtype_is_float(gt_dtype(x)) ? x : gt_cast(x, GT_FLOAT32);
}

gt_Tensor *gt_composed(const gt_Site *site, gt_Tensor *result)
{
    if (result && gt_status() == GT_OK && gt_is_variable(result))
        result = gt_identity(result);
    gt_site_leave(site);
    return gt_status() == GT_OK ? result : NULL;
}
