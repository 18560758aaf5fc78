/* Matrices in tensors: sizes, the batch, masks; pieces of compositions. Leans on other operations. */
#include "ops/linalg/matrix.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/masks.h"
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

int64_t gt_axis_of(const gt_Spec *operand, int rank, int d)
{
    int at = d - (rank - operand->rank);
    return at >= 0 ? operand->dims[at] : 1;
}

bool gt_matrix_broadcast(const gt_Spec *a, const gt_Spec *b, gt_Spec *out)
{
    out->rank = a->rank > b->rank ? a->rank : b->rank;
    for (int d = 0; d < out->rank - 2; d++) {
        int64_t da = gt_axis_of(a, out->rank, d), db = gt_axis_of(b, out->rank, d);
        if (da != db && da != 1 && db != 1)
            return false;
        out->dims[d] = da == 1 ? db : da;
    }
    return true;
}

void gt_matrix_walk(gt_BatchWalk *walk, const gt_Spec *a, const gt_Spec *b, const gt_Spec *out)
{
    const gt_Spec *operand[2] = {a, b};
    walk->rank = out->rank - 2;
    for (int i = 0; i < 2; i++) {
        int64_t step = 1;
        for (int d = out->rank - 3; d >= 0; d--) {
            int64_t dim = gt_axis_of(operand[i], out->rank, d);
            walk->dims[d] = out->dims[d];
            walk->stride[i][d] = dim == 1 ? 0 : step;
            step *= dim;
        }
    }
}

/* Solutions and factors of one matrix depend on all of it. The batch of a lower rank stands behind other axes. */
gt_Status gt_matrix_mask(gt_MaskRule *rule)
{
    const gt_ShapeRule *shape = rule->shape;
    int batch = 0;
    for (int i = 0; i < shape->inputs; i++)
        batch = shape->input[i]->rank - 2 > batch ? shape->input[i]->rank - 2 : batch;
    for (int i = 0; i < shape->inputs; i++) {
        int own = shape->input[i]->rank - 2;
        if (gt_mask_axes(rule, i) > own)
            return gt_mask_refuse(rule, i, own);
        gt_Tensor *mask = rule->input[i];
        for (int d = own; mask && d < batch; d++)
            mask = gt_expand_dims(mask, 0);
        for (int o = 0; rule->input[i] && o < shape->outputs; o++)
            if (gt_mask_join(rule, o, mask) != GT_OK)
                return gt_status();
    }
    return GT_OK;
}

gt_Status gt_matrix_check(const gt_Spec *spec, bool square)
{
    char text[160];
    if (!gt_takes(spec, GT_TAKES_FLOAT))
        return gt_status();
    if (spec->rank < 2 || (square && spec->dims[spec->rank - 2] != spec->dims[spec->rank - 1]))
        return gt_fail(GT_INVALID, "expected %s (got shape %s)",
                       square ? "square matrices" : "matrices",
                       gt_dims_text(spec, text, sizeof text));
    if (spec->dims[spec->rank - 2] > LONGEST || spec->dims[spec->rank - 1] > LONGEST)
        return gt_fail(GT_UNSUPPORTED, "matrices must have at most %d rows and columns (got %s)",
                       LONGEST, gt_dims_text(spec, text, sizeof text));
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

gt_Tensor *gt_matrix_identity(gt_Tensor *x)
{
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK || gt_matrix_check(&spec, true) != GT_OK)
        return NULL;
    return gt_eye(spec.dims[spec.rank - 1], .dtype = spec.dtype);
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
