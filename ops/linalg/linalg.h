/* Linear algebra. Matrices are in the last two axes; the axes before them are a batch. float32 and
 * float64. What LAPACK does here comes from OpenBLAS, which is looked for at run time; without it
 * these functions fail with GT_UNSUPPORTED (gt_solve_triangular and gt_norm do not need it). */
#ifndef GT_OPS_LINALG_H
#define GT_OPS_LINALG_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "ops/math/arithmetic.h"

GT_BEGIN

/* ---- norms ---- */

#define gt_norm_OPTIONS(F, S)                                                                      \
    F(S, double, ord, 2, "p; also 0 (how many are not 0), INFINITY, -INFINITY")                    \
    F(S, int32_t, axis, GT_NONE, "one axis; GT_NONE: what axes says")                              \
    F(S, gt_Axes, axes, GT_ALL_AXES, "several axes, whose numbers are taken as one vector")        \
    F(S, bool, keepdims, false, "reduced axes stay, with size 1")
GT_OPTIONS(gt_norm_options, gt_norm_OPTIONS);
/* The p-norm of vectors, (sum |x|^p)^(1 / p); over two axes with p = 2 the Frobenius norm. Powers
 * may be beyond the type where the norm is not. Its gradient is NaN where the norm is 0, as that of
 * any root there. */
#define gt_norm(...)                                                                               \
    gt_norm_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_norm, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_norm_at(const char *here, gt_Tensor *x, const gt_norm_options *options);
GT_API gt_Tensor *(gt_norm)(gt_Tensor *x);

typedef enum gt_MatrixNorm {
    GT_MATRIX_NORM_FROBENIUS = 0, /* root of the sum of squares */
    GT_MATRIX_NORM_NUCLEAR = 1,   /* sum of the singular values */
    GT_MATRIX_NORM_SPECTRAL = 2,  /* the largest singular value */
    GT_MATRIX_NORM_ONE = 3,       /* the largest sum of a column */
    GT_MATRIX_NORM_INFINITY = 4   /* the largest sum of a row */
} gt_MatrixNorm;
/* A norm of each matrix. */
#define gt_matrix_norm(x, norm) gt_matrix_norm_at(GT_HERE, x, norm)
GT_API gt_Tensor *gt_matrix_norm_at(const char *here, gt_Tensor *x, gt_MatrixNorm norm);

/* The Euclidean distances of the rows of x (..., n, d) from those of y (..., m, d): (..., n, m).
 * The gradient is NaN where one is 0. */
#define gt_cdist(x, y) gt_cdist_at(GT_HERE, x, y)
GT_API gt_Tensor *gt_cdist_at(const char *here, gt_Tensor *x, gt_Tensor *y);

/* ---- equations ---- */

/* X with A X = B: a (..., n, n), b (..., n, k) or, one axis less than a, vectors (..., n). A
 * singular matrix is an error. Batches broadcast. */
#define gt_solve(a, b) gt_solve_at(GT_HERE, a, b)
GT_API gt_Tensor *gt_solve_at(const char *here, gt_Tensor *a, gt_Tensor *b);

#define gt_solve_triangular_OPTIONS(F, S)                                                          \
    F(S, bool, lower, false, "A is a lower triangle")                                              \
    F(S, bool, transpose, false, "solve with A transposed")
GT_OPTIONS(gt_solve_triangular_options, gt_solve_triangular_OPTIONS);
/* The same for a triangular A; its other triangle is not read. A 0 on the diagonal gives inf or
 * NaN. */
#define gt_solve_triangular(...)                                                                   \
    gt_solve_triangular_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                 \
                           GT_KEYWORDS(gt_solve_triangular, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_solve_triangular_at(const char *here, gt_Tensor *a, gt_Tensor *b,
                                         const gt_solve_triangular_options *options);

/* X that makes |A X - B| smallest, of several the one with the smallest |X|. A is of full rank, or
 * that is an error; gt_matmul(gt_pinv(a), b) accepts others. */
#define gt_lstsq(a, b) gt_lstsq_at(GT_HERE, a, b)
GT_API gt_Tensor *gt_lstsq_at(const char *here, gt_Tensor *a, gt_Tensor *b);

/* The inverse; a singular matrix is an error. */
GT_DECLARE_UNARY(inv);
#define gt_inv(x) gt_inv_at(GT_HERE, x)
/* The Moore-Penrose inverse; singular values below max(m, n) eps times the largest count as 0. The
 * gradient is that at constant rank; of a matrix that lacks rank a second derivative is an error,
 * as is an element that is not finite. */
GT_DECLARE_UNARY(pinv);
#define gt_pinv(x) gt_pinv_at(GT_HERE, x)
/* The matrix to a whole power; 0 gives the identity, negative ones invert it first. */
#define gt_matrix_power(x, power) gt_matrix_power_at(GT_HERE, x, power)
GT_API gt_Tensor *gt_matrix_power_at(const char *here, gt_Tensor *x, int64_t power);

/* ---- determinants ---- */

/* The determinant. Its gradient is the matrix of cofactors, which exists for singular matrices,
 * too, of any rank, as does the second derivative; from the third on a singular matrix is an error. */
GT_DECLARE_UNARY(det);
#define gt_det(x) gt_det_at(GT_HERE, x)
/* Its sign and the logarithm of its absolute value: 0 and -inf for a singular matrix, for which the
 * gradient, the transposed inverse, is an error. The sign has none. Both NULL on failure. */
typedef struct gt_Slogdet {
    gt_Tensor *sign, *logabsdet;
} gt_Slogdet;
#define gt_slogdet(x) gt_slogdet_at(GT_HERE, x)
GT_API gt_Slogdet gt_slogdet_at(const char *here, gt_Tensor *x);
/* The logarithm of the determinant of a symmetric positive definite matrix. */
GT_DECLARE_UNARY(logdet);
#define gt_logdet(x) gt_logdet_at(GT_HERE, x)

/* ---- factorizations: all NULL on failure ---- */

#define gt_cholesky_OPTIONS(F, S) F(S, bool, upper, false, "the upper triangle L' instead of L")
GT_OPTIONS(gt_cholesky_options, gt_cholesky_OPTIONS);
/* The lower triangular L with L L' = A for the symmetric positive definite A = (x + x') / 2; not
 * positive definite is an error. */
#define gt_cholesky(...)                                                                           \
    gt_cholesky_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                                 \
                   GT_KEYWORDS(gt_cholesky, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_cholesky_at(const char *here, gt_Tensor *x,
                                 const gt_cholesky_options *options);
GT_API gt_Tensor *(gt_cholesky)(gt_Tensor *x);

typedef enum gt_QrMode { GT_QR_MODE_REDUCED = 0, GT_QR_MODE_COMPLETE = 1 } gt_QrMode;

#define gt_qr_OPTIONS(F, S)                                                                        \
    F(S, gt_QrMode, mode, GT_QR_MODE_REDUCED, "GT_QR_MODE_COMPLETE: q is square")
GT_OPTIONS(gt_qr_options, gt_qr_OPTIONS);
/* x (..., m, n) = Q R, k = min(m, n): q (..., m, k) with orthonormal columns, r (..., k, n) upper
 * triangular; complete, q (..., m, m) and r (..., m, n) with zeros below. The gradient needs
 * linearly independent columns (of the first k); where one depends on those before it, exactly or
 * by rounding, the gradient is an error. Two or more columns that only complete q may be any basis
 * of what is left over, so that a gradient through such a q is an error, too; that of r is not. */
typedef struct gt_Qr {
    gt_Tensor *q, *r;
} gt_Qr;
#define gt_qr(...)                                                                                 \
    gt_qr_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_qr, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Qr gt_qr_at(const char *here, gt_Tensor *x, const gt_qr_options *options);

#define gt_svd_OPTIONS(F, S) F(S, bool, full_matrices, false, "u and vh are square")
GT_OPTIONS(gt_svd_options, gt_svd_OPTIONS);
/* x (..., m, n) = U diag(s) V', k = min(m, n): u (..., m, k), s (..., k) descending, vh (..., k,
 * n); full (Keras's default, which is not differentiable there), u (..., m, m) and vh (..., n, n).
 * The gradient through the vectors needs singular values that differ and, where m and n differ, are
 * not 0. Where two are equal, or one is 0, exactly or by rounding, it is an error, unless the
 * vectors of those are not read and the values not exactly equal. Through the values alone there is
 * a gradient everywhere, at equal ones right for functions that treat them alike, else one of the
 * subgradients; its own derivative needs what the vectors need. Through a full u or vh with two or
 * more rows or columns that have no singular value it is an error. So is an element that is not
 * finite. */
typedef struct gt_Svd {
    gt_Tensor *u, *s, *vh;
} gt_Svd;
#define gt_svd(...)                                                                                \
    gt_svd_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_svd, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Svd gt_svd_at(const char *here, gt_Tensor *x, const gt_svd_options *options);

/* The symmetric A = (x + x') / 2 = V diag(w) V': values (..., n) ascending, vectors (..., n, n) in
 * columns. The gradient through the vectors needs values that differ, as gt_svd's does, or is an
 * error; that through the values alone exists everywhere, with gt_svd's words on equal ones and on
 * second derivatives. An element that is not finite is an error. */
typedef struct gt_Eigh {
    gt_Tensor *values, *vectors;
} gt_Eigh;
#define gt_eigh(x) gt_eigh_at(GT_HERE, x)
GT_API gt_Eigh gt_eigh_at(const char *here, gt_Tensor *x);

GT_END

#endif
