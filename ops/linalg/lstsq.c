/* Least squares by QR factors. */
#include "ops/linalg/lstsq.h"
#include "ops/array/reshaping.h"
#include "ops/linalg/equations.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/matrix.h"
#include "ops/linalg/qr.h"
#include "ops/linalg/require.h"
#include "ops/linalg/triangular.h"

/* A = Q R: R^-1 Q' B; of a wide A with A' = Q R: Q R^-T B. */
static gt_Tensor *lstsq(gt_Tensor *a, gt_Tensor *b)
{
    bool vector;
    if (!gt_fit_equations(a, &b, &vector))
        return NULL;
    gt_Shape shape = gt_tensor_shape(a);
    if (gt_status() != GT_OK)
        return NULL;
    int64_t rows = gt_dim(shape, -2), columns = gt_dim(shape, -1);
    bool wide = rows < columns;
    gt_Qr factors = gt_qr(wide ? gt_matrix_transposed(a) : a);
    factors.r = gt_qr_regular(factors.r, wide ? columns : rows, GT_REQUIREMENT_LSTSQ_FULL_RANK);
    gt_Tensor *x;
    if (wide)
        x = gt_matmul(factors.q, gt_solve_triangular(factors.r, b, .transpose = true));
    else
        x = gt_solve_triangular(factors.r, gt_matmul(factors.q, b, .transpose_a = true));
    return vector ? gt_squeeze(x, .axis = -1) : x;
}
GT_COMPOSED(lstsq, (const char *here, gt_Tensor *a, gt_Tensor *b), (a, b))
