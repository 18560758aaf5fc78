/* What matrix.h declares. Leans on other operations. */
#include "ops/linalg/matrix.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"

#define LONGEST 32768 /* rows and columns: LAPACK counts elements in 32 bits */

gt_Matrices gt_matrices(const gt_Spec *spec)
{
    gt_Matrices all = {1, spec->dims[spec->rank - 2], spec->dims[spec->rank - 1]};
    for (int d = 0; d < spec->rank - 2; d++)
        all.batch *= spec->dims[d];
    return all;
}

gt_Status gt_matrix_check(const gt_Spec *spec, bool square)
{
    char text[160];
    if (!gt_takes(spec, GT_TAKES_FLOAT))
        return gt_status();
    if (spec->rank < 2 || (square && spec->dims[spec->rank - 2] != spec->dims[spec->rank - 1]))
        return gt_fail(GT_INVALID, "expected %s (got shape %s)",
                       square ? "square matrices" : "matrices",
                       gt_shape_text(gt_spec_shape(spec), text, sizeof text));
    if (spec->dims[spec->rank - 2] > LONGEST || spec->dims[spec->rank - 1] > LONGEST)
        return gt_fail(GT_UNSUPPORTED, "matrices must have at most %d rows and columns (got %s)",
                       LONGEST, gt_shape_text(gt_spec_shape(spec), text, sizeof text));
    return GT_OK;
}

gt_Tensor *gt_permuted(gt_Tensor *x, const gt_Axes *perm)
{
    for (int i = 0; i < perm->count; i++)
        if (perm->axis[i] != i)
            return gt_transpose(x, .perm = *perm);
    return x;
}

gt_Tensor *gt_matrix_transposed(gt_Tensor *x)
{
    return gt_swapaxes(x, -1, -2);
}

gt_Tensor *gt_matrix_symmetrized(gt_Tensor *x)
{
    return gt_multiply(gt_add(x, gt_matrix_transposed(x)), 0.5);
}

gt_Tensor *gt_on_diagonal(gt_Tensor *s)
{
    return gt_multiply(gt_eye(gt_last(gt_tensor_shape(s)), .dtype = gt_dtype(s)),
                       gt_expand_dims(s, -1));
}

gt_Tensor *gt_matrix_identity_like(gt_Tensor *x)
{
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK || gt_matrix_check(&spec, true) != GT_OK)
        return NULL;
    return gt_broadcast_to(gt_eye(spec.dims[spec.rank - 1], .dtype = spec.dtype),
                           gt_spec_shape(&spec));
}

gt_Tensor *gt_upstream_or_zero(gt_GradientRule *rule, int output)
{
    gt_Tensor *up = gt_upstream(rule, output);
    const gt_Spec *spec = gt_rule_output_spec(rule, output);
    return up ? up : gt_zeros(gt_spec_shape(spec), .dtype = spec->dtype);
}

double gt_matrix_rounding(gt_DType dtype, int64_t rows, int64_t columns)
{
    double epsilon = dtype == GT_FLOAT32 ? 0x1p-23 : 0x1p-52;
    return (double)(rows > columns ? rows : columns) * epsilon;
}

gt_Tensor *gt_largest_along(gt_Tensor *x, int32_t axis)
{
    return gt_max(gt_abs(x), .axis = axis, .keepdims = true, .initial = 0);
}

gt_Tensor *gt_matrix_divides(gt_Tensor *divisor, gt_Tensor *least, gt_Tensor *size)
{
    gt_Tensor *lost = gt_logical_and(gt_less_equal(divisor, least), gt_greater(size, 0));
    return gt_logical_not(gt_logical_or(lost, gt_equal(divisor, 0)));
}
