/* Diagonals of matrices, the sum of one, matrices with a given one. */
#include "ops/linalg/diagonal.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/math/reduce.h"

GT_OPTION_TYPE(gt_diagonal_options, gt_diagonal_OPTIONS);
GT_OPTION_TYPE(gt_diag_options, gt_diag_OPTIONS);

static gt_Tensor *unexpected_shape(const char *what, const gt_Spec *spec)
{
    char text[160];
    gt_fail(GT_INVALID, "expected %s (got shape %s)", what,
            gt_shape_text(gt_spec_shape(spec), text, sizeof text));
    return NULL;
}

/* Where the diagonal of rows x columns lies in the flat matrix, as indices. */
static gt_Tensor *diagonal_indices(int64_t rows, int64_t columns, int64_t k)
{
    int64_t row = k < 0 ? -k : 0, column = k > 0 ? k : 0;
    int64_t down = rows - row, right = columns - column;
    int64_t n = down < right ? down : right, start = row * columns + column;
    if (n <= 0)
        return gt_zeros(gt_shape(0), .dtype = GT_INT64);
    return gt_arange((double)start, (double)(start + n * (columns + 1)), (double)(columns + 1),
                     .dtype = GT_INT64);
}

/* A diagonal further out than this is empty. */
static int64_t limited(int64_t k, int64_t rows, int64_t columns)
{
    return k < -rows ? -rows : k > columns ? columns : k;
}

static gt_Tensor *diagonal(gt_Tensor *x, const gt_diagonal_options *given)
{
    gt_diagonal_options options = GT_TAKE(gt_diagonal_options, given);
    gt_Spec in = gt_spec(x);
    if (gt_status() != GT_OK)
        return NULL;
    if (in.rank < 2)
        return unexpected_shape("a matrix", &in);
    int row = gt_axis(options.axis1, in.rank);
    int column = row < 0 ? -1 : gt_axis(options.axis2, in.rank);
    if (column < 0)
        return NULL;
    if (row == column) {
        gt_fail(GT_INVALID, "axis1 and axis2 are both %d", row);
        return NULL;
    }
    gt_Axes perm = gt_axes();
    gt_Shape flat = {.mark = GT_MARK};
    for (int d = 0; d < in.rank; d++)
        if (d != row && d != column) {
            perm.axis[perm.count++] = d;
            flat.dims[flat.rank++] = in.dims[d];
        }
    perm.axis[perm.count++] = row;
    perm.axis[perm.count++] = column;
    flat.dims[flat.rank++] = in.dims[row] * in.dims[column];
    int64_t k = limited(options.offset, in.dims[row], in.dims[column]);
    x = gt_reshape(gt_transpose(x, .perm = perm), flat);
    return gt_take(x, diagonal_indices(in.dims[row], in.dims[column], k), .axis = -1);
}
GT_COMPOSED_OPTIONS(diagonal, diagonal, gt_diagonal_options)

static gt_Tensor *trace(gt_Tensor *x, const gt_diagonal_options *options)
{
    return gt_sum(gt_diagonal_at(NULL, x, options), .axis = -1);
}
GT_COMPOSED_OPTIONS(trace, trace, gt_diagonal_options)

static gt_Tensor *diagflat(gt_Tensor *x, const gt_diag_options *given)
{
    gt_diag_options options = GT_TAKE(gt_diag_options, given);
    int64_t n = gt_size(x), k = options.k;
    if (gt_status() != GT_OK)
        return NULL;
    if (k > INT32_MAX || k < -INT32_MAX || n > INT32_MAX) {
        gt_fail(GT_INVALID, "a matrix with %lld numbers on diagonal %lld would be too large",
                (long long)n, (long long)k);
        return NULL;
    }
    int64_t side = n + (k < 0 ? -k : k);
    x = gt_scatter_add(diagonal_indices(side, side, k), gt_ravel(x), gt_shape(side * side));
    return gt_reshape(x, gt_shape(side, side));
}
GT_COMPOSED_OPTIONS(diagflat, diagflat, gt_diag_options)

static gt_Tensor *diag(gt_Tensor *x, const gt_diag_options *given)
{
    gt_diag_options options = GT_TAKE(gt_diag_options, given);
    gt_Spec in = gt_spec(x);
    if (gt_status() != GT_OK)
        return NULL;
    if (in.rank != 1 && in.rank != 2)
        return unexpected_shape("a vector or a matrix", &in);
    return in.rank == 1 ? diagflat(x, &options) : gt_diagonal(x, .offset = options.k);
}
GT_COMPOSED_OPTIONS(diag, diag, gt_diag_options)
