/* Kernels that call LAPACK: one matrix of the batch after the other, over the threads. Private to the library. Leans
 * on matrix.h and core/blas.h.
 *
 * An operation gives a body and the names of the functions it calls:
 *
 *     static bool solve_body(const gt_MatrixJob *job, int64_t batch, char *scratch)
 *     {
 *         void *a = gt_piece_take(&scratch, rows * rows, job->element);   // as much as the shape rule asked for
 *         gt_matrix_transpose(job, rows, rows, gt_matrix_input(job, 0, batch), a);
 *         ((Gesv *)job->lapack[0])(&n, ..., &info);
 *         return info == 0;                                               // false: this matrix has no result
 *     }
 *     static gt_Status solve_run(const gt_Kernel *kernel)
 *     {
 *         return gt_lapack_run(kernel, solve_body, "is singular", "gesv", NULL);
 *     }
 *
 * LAPACK counts columns where this library counts rows: a matrix of ours is, to LAPACK, the transposed one. A body
 * either transposes a copy, or asks for the factors of the transposed matrix and takes them in the other order. */
#ifndef GT_OPS_LAPACK_H
#define GT_OPS_LAPACK_H

#include "core/blas.h"
#include "kernels/factors.h"
#include "ops/linalg/matrix.h"

typedef int gt_LapackInt;  /* of OpenBLAS with 32-bit integers */
#define GT_LAPACK_BLOCK 32 /* columns that LAPACK works on together, if it has the memory */

typedef struct gt_MatrixJob {
    const gt_Kernel *kernel;
    const gt_KernelTable *loops;
    gt_BlasFunction
        *lapack[2];    /* the functions by name, of the kernel's element type; NULL: not named */
    gt_Matrices a;     /* input 0 */
    int64_t batch;     /* matrices of an output */
    gt_BatchWalk walk; /* which matrices of inputs 0 and 1 belong to each */
    gt_LoopType type;  /* of every array */
    size_t element;    /* its bytes */
} gt_MatrixJob;

/* Computes the results of matrix number `batch`; false if it has none. `scratch` is the worker's own. */
typedef bool gt_MatrixBody(const gt_MatrixJob *job, int64_t batch, char *scratch);

/* Runs the body for every matrix; without elements in output 0 there is nothing to do. The names are LAPACK's without
 * the letter of the type: "gesv" is sgesv_ or dgesv_; `second` may be NULL. The first matrix without a result is the
 * error "the matrix <problem>", or that it has an element that is not finite. */
gt_Status gt_lapack_run(const gt_Kernel *kernel, gt_MatrixBody *body, const char *problem,
                        const char *first, const char *second);

/* ---- for bodies ---- */

/* Input 0 or 1, where the matrix for number `batch` begins. */
const void *gt_matrix_input(const gt_MatrixJob *job, int input, int64_t batch);
/* Element number `element` of an output. */
void *gt_matrix_output(const gt_MatrixJob *job, int output, int64_t element);
/* Is every element of matrix `batch` of input 0 finite? Where LAPACK iterates it may never end otherwise. */
bool gt_matrix_is_finite(const gt_MatrixJob *job, int64_t batch);
/* y (columns, rows) = x (rows, columns) transposed. */
void gt_matrix_transpose(const gt_MatrixJob *job, int64_t rows, int64_t columns, const void *x,
                         void *y);

/* Scratch memory is taken piece by piece; the shape rule adds up the bytes of the same pieces. */
size_t gt_piece_bytes(int64_t count, size_t element);
void *gt_piece_take(char **scratch, int64_t count, size_t element);

/* ---- LU factors: determinant.c ---- */

size_t gt_lu_bytes(int64_t n, size_t element);
/* The LU factors of the square matrix x, in scratch memory of gt_lu_bytes: the pivots are on the diagonal; `sign` gets
 * that of the exchanges of rows. `getrf` is LAPACK's. The transposed matrix, which LAPACK sees, has the same
 * determinant. */
const void *gt_lu_factored(const gt_MatrixJob *job, gt_BlasFunction *getrf, const void *x,
                           char *scratch, double *sign);

/* ---- singular values: svd.c ---- */

/* Bytes of scratch of gt_svd_into for a matrix (rows, columns). */
size_t gt_svd_bytes(int64_t rows, int64_t columns, size_t element);
/* The reduced factors u (rows, k), s (k), vh (k, columns) of matrix `batch` of input 0; lapack[0] is gesdd. */
bool gt_svd_into(const gt_MatrixJob *job, int64_t batch, char *scratch, void *u, void *s, void *vh);

#endif
