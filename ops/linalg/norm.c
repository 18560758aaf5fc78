/* Norms of vectors and matrices, distances of rows: compositions. */
#include "ops/linalg/norm.h"
#include "ops/array/cast.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/linalg/matrix.h"
#include "ops/linalg/svd.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/math/reduction.h"

#include <math.h>

GT_OPTION_TYPE(gt_norm_options, gt_norm_OPTIONS);

/* (sum of x^p)^(1 / p) of x >= 0, relative to the largest x, so that no power that matters overflows
 * or underflows. The result does not depend on what it is relative to, hence no gradient goes there.
 */
static gt_Tensor *power_norm(gt_Tensor *x, double p, const gt_sum_options *over)
{
    gt_Tensor *largest =
        gt_max(x, .axis = over->axis, .axes = over->axes, .keepdims = true, .initial = 0);
    largest = gt_stop_gradient(largest);
    largest = gt_where(gt_logical_and(gt_greater(largest, 0), gt_isfinite(largest)), largest, 1);
    gt_Tensor *sum = gt_sum_at(NULL, gt_power(gt_divide(x, largest), p), over);
    if (!over->keepdims)
        largest = gt_squeeze(largest, .axis = over->axis, .axes = over->axes);
    return gt_multiply(gt_power(sum, 1 / p), largest);
}

static gt_Tensor *norm(gt_Tensor *x, const gt_norm_options *given)
{
    gt_norm_options options;
    GT_TAKE(gt_norm_options, &options, given);
    gt_sum_options over = GT_VALUES(gt_sum_options, options.axis, options.axes, options.keepdims);
    x = gt_as_float(x);
    double p = options.ord;
    if (p == 2)
        return GT_LENGTH(x, .axis = over.axis, .axes = over.axes, .keepdims = over.keepdims);
    if (p == 0)
        return gt_cast(gt_count_nonzero_at(NULL, x, &over), gt_dtype(x));
    x = gt_abs(x);
    if (p == 1)
        return gt_sum_at(NULL, x, &over);
    if (isinf(p))
        return gt_apply_one_at(NULL, p > 0 ? &gt_op_max : &gt_op_min, &over, 1, &x);
    if (isnan(p)) {
        gt_fail(GT_INVALID, "ord must be a number (got NaN)");
        return NULL;
    }
    return power_norm(x, p, &over);
}
GT_COMPOSED_OPTIONS(norm, norm, gt_norm_options)

static gt_Tensor *matrix_norm(gt_Tensor *x, gt_MatrixNorm which)
{
    x = gt_as_float(x);
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK || gt_matrix_check(&spec, false) != GT_OK)
        return NULL;
    switch (which) {
    case GT_MATRIX_NORM_FROBENIUS:
        return gt_norm(x, .axes = gt_axes(-2, -1));
    case GT_MATRIX_NORM_NUCLEAR:
        return gt_sum(gt_svd(x).s, .axis = -1);
    case GT_MATRIX_NORM_SPECTRAL:
        return gt_max(gt_svd(x).s, .axis = -1);
    case GT_MATRIX_NORM_ONE:
        return gt_max(gt_sum(gt_abs(x), .axis = -2), .axis = -1);
    case GT_MATRIX_NORM_INFINITY:
        return gt_max(gt_sum(gt_abs(x), .axis = -1), .axis = -1);
    }
    gt_fail(GT_INVALID, "unknown matrix norm %d", (int)which);
    return NULL;
}
GT_COMPOSED(matrix_norm, (const char *here, gt_Tensor *x, gt_MatrixNorm which), (x, which))

static gt_Tensor *cdist(gt_Tensor *x, gt_Tensor *y)
{
    gt_Spec of_x = gt_spec(x), of_y = gt_spec(y);
    char s[160], t[160];
    if (gt_status() != GT_OK)
        return NULL;
    if (of_x.rank < 2 || of_y.rank < 2 || of_x.dims[of_x.rank - 1] != of_y.dims[of_y.rank - 1]) {
        gt_fail(GT_INVALID, "rows must have the same length (got shapes %s and %s)",
                gt_dims_text(&of_x, s, sizeof s),
                gt_dims_text(&of_y, t, sizeof t));
        return NULL;
    }
    gt_Tensor *apart = gt_subtract(gt_expand_dims(x, -2), gt_expand_dims(y, -3));
    return gt_norm(apart, .axis = -1);
}
GT_COMPOSED(cdist, (const char *here, gt_Tensor *x, gt_Tensor *y), (x, y))
