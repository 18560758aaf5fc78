/* Linear algebra: records, kernels and gradient rules of ops/linalg.h. LAPACK counts columns where
 * we count rows: our memory, as it is, holds the transposed matrix for it.
 *
 * Gradients: M. B. Giles, Collected matrix derivative results for forward and reverse mode
 * algorithmic differentiation (2008); I. Murray, Differentiation of the Cholesky decomposition
 * (2016); C. Ionescu et al., Matrix backpropagation for deep networks (2015), for svd and eigh;
 * S. Walter and L. Lehmann, Algorithmic differentiation of linear algebra functions (2010), for qr;
 * G. Golub and V. Pereyra (1973), for pinv. */
#include "ops/linalg.h"
#include "ops/arithmetic.h"
#include "ops/cast.h"
#include "ops/compare.h"
#include "ops/contraction.h"
#include "ops/creation.h"
#include "ops/indexing.h"
#include "ops/kit.h"
#include "ops/math.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/reduction.h"
#include "ops/reshaping.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define GT_STRUCT gt_NormOptions
GT_OPTION_TYPE(gt_NormOptions, GT_NORM_OPTIONS);
#undef GT_STRUCT
#define GT_STRUCT gt_SolveTriangularOptions
GT_OPTION_TYPE(gt_SolveTriangularOptions, GT_SOLVE_TRIANGULAR_OPTIONS);
#undef GT_STRUCT

#define GT_STRUCT gt_CholeskyOptions
GT_OPTION_TYPE(gt_CholeskyOptions, GT_CHOLESKY_OPTIONS);
#undef GT_STRUCT
#define GT_STRUCT gt_QrOptions
GT_OPTION_TYPE(gt_QrOptions, GT_QR_OPTIONS);
#undef GT_STRUCT
#define GT_STRUCT gt_SvdOptions
GT_OPTION_TYPE(gt_SvdOptions, GT_SVD_OPTIONS);
#undef GT_STRUCT

/* ---- matrices in tensors ---- */

typedef struct Matrices {
    int64_t batch, rows, columns;
} Matrices;

static Matrices matrices(const gt_Spec *spec)
{
    Matrices all = {1, spec->dims[spec->rank - 2], spec->dims[spec->rank - 1]};
    for (int d = 0; d < spec->rank - 2; d++)
        all.batch *= spec->dims[d];
    return all;
}

#define LONGEST 32768 /* rows and columns: LAPACK counts elements in 32 bits */

static gt_Status check_matrix(const gt_Spec *spec, bool square)
{
    char text[160];
    gt_shape_text(gt_spec_shape(spec), text, sizeof text);
    if (!gt_takes(spec, GT_TAKES_FLOAT))
        return gt_status();
    if (spec->rank < 2)
        return gt_fail(GT_INVALID, "it takes matrices, not shape %s", text);
    int64_t rows = spec->dims[spec->rank - 2], columns = spec->dims[spec->rank - 1];
    if (square && rows != columns)
        return gt_fail(GT_INVALID, "it takes square matrices, not shape %s", text);
    if (rows > LONGEST || columns > LONGEST)
        return gt_fail(GT_UNSUPPORTED, "matrices of %s are larger than %d", text, LONGEST);
    return GT_OK;
}

static gt_Tensor *transposed(gt_Tensor *x)
{
    return gt_swapaxes(x, -1, -2);
}

/* ---- LAPACK ---- */

typedef int Int; /* of OpenBLAS with 32-bit integers */
typedef size_t Len;
typedef void Gesv(const Int *n, const Int *nrhs, void *a, const Int *lda, Int *pivots, void *b,
                  const Int *ldb, Int *info);
typedef void Getrf(const Int *m, const Int *n, void *a, const Int *lda, Int *pivots, Int *info);
typedef void Potrf(const char *uplo, const Int *n, void *a, const Int *lda, Int *info, Len);
typedef void Geqrf(const Int *m, const Int *n, void *a, const Int *lda, void *tau, void *work,
                   const Int *lwork, Int *info);
typedef void Orgqr(const Int *m, const Int *n, const Int *k, void *a, const Int *lda,
                   const void *tau, void *work, const Int *lwork, Int *info);
typedef void Gesdd(const char *job, const Int *m, const Int *n, void *a, const Int *lda, void *s,
                   void *u, const Int *ldu, void *vt, const Int *ldvt, void *work, const Int *lwork,
                   Int *iwork, Int *info, Len);
typedef void Syevd(const char *job, const char *uplo, const Int *n, void *a, const Int *lda,
                   void *w, void *work, const Int *lwork, Int *iwork, const Int *liwork, Int *info,
                   Len, Len);

/* One kernel at work: a matrix of the batch after the other, over the threads. */
typedef struct Job Job;
typedef bool MatrixBody(const Job *job, int64_t batch, char *scratch); /* false: no result */
struct Job {
    const gt_Kernel *kernel;
    gt_BlasFunction *lapack[2];
    MatrixBody *body;
    Matrices a;
    int64_t group;
    gt_DType dtype;
    size_t element;
    _Atomic int64_t failed; /* the first matrix without a result */
};

/* The function for the type of the kernel: "gesv" is sgesv_ or dgesv_. */
static bool find_lapack(Job *job, int which, const char *name)
{
    gt_Context *context = job->kernel->context;
    char symbol[16];
    snprintf(symbol, sizeof symbol, "%c%s_", job->dtype == GT_FLOAT32 ? 's' : 'd', name);
    job->lapack[which] =
        gt_blas_load(&context->blas) ? gt_blas_function(&context->blas, symbol) : NULL;
    if (job->lapack[which])
        return true;
    gt_fail(GT_UNSUPPORTED,
            context->blas.loaded
                ? "OpenBLAS was found, but it is built without LAPACK: %s is not in it"
                : "it needs LAPACK from OpenBLAS (libopenblas.so.0), which was not found: no %s",
            symbol);
    return false;
}

static Job new_job(const gt_Kernel *kernel, MatrixBody *body)
{
    Job job = {.kernel = kernel, .body = body, .failed = INT64_MAX};
    job.a = matrices(kernel->input_spec[0]);
    job.dtype = kernel->input_spec[0]->dtype;
    job.element = gt_dtype_size(job.dtype);
    int64_t numbers = job.a.rows * job.a.columns;
    job.group = numbers > 0 && numbers < 2048 ? 2048 / numbers : 1;
    return job;
}

static void matrix_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                         void *scratch)
{
    (void)kernel;
    Job *job = argument;
    int64_t end = last * job->group < job->a.batch ? last * job->group : job->a.batch;
    for (int64_t batch = first * job->group; batch < end; batch++) {
        if (job->body(job, batch, scratch))
            continue;
        int64_t failed = atomic_load(&job->failed);
        while (batch < failed && !atomic_compare_exchange_weak(&job->failed, &failed, batch)) {
        }
    }
}

static double number_at(const Job *job, const void *data, int64_t i)
{
    return job->dtype == GT_FLOAT32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

static const void *input_at(const Job *job, int input, int64_t element)
{
    return (const char *)job->kernel->input[input] + (size_t)element * job->element;
}

/* Is every element finite? Where LAPACK iterates it may never end otherwise. */
static bool is_finite(const Job *job, int64_t batch)
{
    int64_t count = job->a.rows * job->a.columns;
    const void *matrix = input_at(job, 0, batch * count);
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(number_at(job, matrix, i)))
            return false;
    return true;
}

/* OpenBLAS computes on the calling thread alone meanwhile. `problem`: what is wrong with a matrix
 * without a result. */
static gt_Status run_job(Job *job, const char *problem)
{
    gt_Blas *blas = &job->kernel->context->blas;
    int threads = 0;
    if (job->lapack[0] && !blas->single && blas->set_threads) {
        int (*count)(void) = (int (*)(void))gt_blas_function(blas, "openblas_get_num_threads");
        threads = count ? count() : 0;
        blas->set_threads(1);
    }
    gt_Status status =
        gt_for_tiles(job->kernel, (job->a.batch + job->group - 1) / job->group, matrix_tiles, job);
    if (threads > 1)
        blas->set_threads(threads);
    int64_t failed = atomic_load(&job->failed);
    if (status != GT_OK || failed == INT64_MAX)
        return status;
    if (!is_finite(job, failed))
        problem = "has an element that is not finite";
    return job->a.batch == 1
               ? gt_fail(GT_INVALID, "the matrix %s", problem)
               : gt_fail(GT_INVALID, "matrix %lld of the batch %s", (long long)failed, problem);
}

/* Scratch memory is taken piece by piece; a shape rule adds up the same pieces. */
static size_t piece(int64_t count, size_t element)
{
    return ((size_t)count * element + GT_ALIGNMENT - 1) / GT_ALIGNMENT * GT_ALIGNMENT;
}

static void *take_piece(char **scratch, int64_t count, size_t element)
{
    void *at = *scratch;
    *scratch += piece(count, element);
    return at;
}

static void *output_at(const Job *job, int output, int64_t element)
{
    return (char *)job->kernel->output[output] + (size_t)element * job->element;
}

/* y (columns x rows) = x (rows x columns) transposed */
static void transpose_copy(const Job *job, int64_t rows, int64_t columns, const void *x, void *y)
{
    int size = gt_move_index(gt_dtype_size(job->dtype));
    job->kernel->context->kernels->transpose[size](rows, columns, x, columns, y, rows);
}

/* y = (x + x') / 2 */
static void symmetric_copy(const Job *job, const void *x, void *y)
{
    int64_t n = job->a.rows;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            gt_number_store(job->dtype, y, i * n + j,
                            (number_at(job, x, i * n + j) + number_at(job, x, j * n + i)) / 2);
}

/* A matrix with diagonal numbers around 2, 4, 6, ...: its spectrum is well separated and, of the
 * symmetric part, positive. */
#define MATRIX(...)                                                                                \
    {                                                                                              \
        .dtype = GT_FLOAT64, .shape = GT_SAMPLE_SHAPE(__VA_ARGS__), .low = -1, .high = 1,          \
        .diagonal = 2                                                                              \
    }

/* ---- require: what a gradient needs of the numbers ---- */

/* What must hold, as the message says it. */
typedef enum Requirement {
    EIGENVALUES_DIFFER,
    SINGULAR_VALUES_DIFFER,
    SINGULAR_VALUES_NOT_ZERO,
    QR_FULL_RANK,
    LSTSQ_FULL_RANK,
    PINV_FULL_RANK,
    REQUIREMENTS
} Requirement;
static const char *const requirements[REQUIREMENTS] = {
    "eigenvalues must differ for a gradient of their vectors, or a second one of them; two are "
    "equal",
    "singular values must differ for a gradient of their vectors, or a second one of them; two are "
    "equal",
    "singular values must not be 0 for a gradient of their vectors; one is 0",
    "columns must be linearly independent for a gradient of qr; one depends on those before it",
    "the matrix must be of full rank (gt_pinv accepts others); it is not",
    "the matrix must be of full rank for a second derivative of pinv; it is not",
};

typedef struct RequireOptions {
    uint32_t size;
    int32_t requirement;
    bool later;
} RequireOptions;
#define REQUIRE_OPTIONS(F)                                                                         \
    F(uint32_t, size, (uint32_t)sizeof(RequireOptions), "for ABI growth")                          \
    F(int32_t, requirement, 0, "what must hold")                                                   \
    F(bool, later, false, "only for a gradient through a")
#define GT_STRUCT RequireOptions
GT_OPTION_TYPE(RequireOptions, REQUIRE_OPTIONS);
#undef GT_STRUCT

static gt_Status require_shape(gt_ShapeRule *rule)
{
    const RequireOptions *options = rule->options;
    if (options->requirement < 0 || options->requirement >= REQUIREMENTS)
        return gt_fail(GT_INVALID, "unknown requirement %d", (int)options->requirement);
    if (!gt_takes(rule->input[1], GT_TAKES_BOOL))
        return gt_status();
    return gt_shape_float(rule);
}

static gt_Status require_run(const gt_Kernel *kernel)
{
    const RequireOptions *options = kernel->options;
    const uint8_t *holds = kernel->input[1];
    int64_t size = kernel->input_spec[1]->size;
    const char *what = requirements[options->requirement];
    for (int64_t i = 0; i < size && !options->later; i++)
        if (!holds[i])
            return size == 1
                       ? gt_fail(GT_NUMERIC, "%s", what)
                       : gt_fail(GT_NUMERIC, "%s, in matrix %lld of the batch", what, (long long)i);
    return gt_run_copy(kernel);
}

static gt_Status require_gradient(gt_GradientRule *rule)
{
    RequireOptions options = *(const RequireOptions *)gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0);
    if (!options.later)
        return gt_give(rule, 0, up);
    options.later = false;
    gt_Tensor *pair[2] = {up, gt_input(rule, 1)};
    return gt_give(rule, 0, gt_apply_one(NULL, &gt_op_require, &options, 2, pair));
}

const gt_Operation gt_op_require = {
    .size = sizeof(gt_Operation),
    .name = "require",
    .formula = "a, if b is true of every matrix; else an error",
    .flags = GT_OP_INTERNAL | GT_OP_LINEAR,
    .options = GT_STRUCT_TYPE(RequireOptions),
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .saves_inputs = 2,
    .shape = require_shape,
    .run = require_run,
    .gradient = require_gradient,
    .samples = (const gt_Sample[]){{.inputs = 2,
                                    .input = GT_INPUTS(GT_ANY(2, 3), GT_WHOLE(GT_BOOL, 1, 2, 2))},
                                   GT_SAMPLES_END},
};

/* x, for which that must hold in every matrix; or only if there is to be a gradient through it. */
static gt_Tensor *require(gt_Tensor *x, gt_Tensor *holds, Requirement requirement)
{
    const RequireOptions options = {sizeof options, (int32_t)requirement, false};
    return gt_apply_one(NULL, &gt_op_require, &options, 2, (gt_Tensor *[]){x, holds});
}
static gt_Tensor *require_later(gt_Tensor *x, gt_Tensor *holds, Requirement requirement)
{
    const RequireOptions options = {sizeof options, (int32_t)requirement, true};
    return gt_apply_one(NULL, &gt_op_require, &options, 2, (gt_Tensor *[]){x, holds});
}

/* How large, relative to the largest of a matrix, what should be 0 may be by rounding. */
static double rounding(gt_DType dtype, int64_t rows, int64_t columns)
{
    double epsilon = dtype == GT_FLOAT32 ? 0x1p-23 : 0x1p-52;
    return (double)(rows > columns ? rows : columns) * epsilon;
}

/* May gradients of that size (or 0: nothing reads their vectors) be divided by that, which is wrong
 * by up to `least` by rounding? Not by 0, nor by what may be 0, unless there is nothing to divide. */
static gt_Tensor *divides(gt_Tensor *divisor, gt_Tensor *least, gt_Tensor *size)
{
    gt_Tensor *lost = gt_logical_and(gt_less_equal(divisor, least), gt_greater(size, 0));
    return gt_logical_not(gt_logical_or(lost, gt_equal(divisor, 0)));
}

/* The largest of |x| along an axis, which stays. */
static gt_Tensor *largest_along(gt_Tensor *x, int32_t axis)
{
    return gt_max(gt_abs(x), .axis = axis, .keepdims = true, .initial = 0);
}

/* ---- solve ---- */

typedef struct SolveOptions {
    uint32_t size;
    bool transpose;
} SolveOptions;
#define SOLVE_OPTIONS(F)                                                                           \
    F(uint32_t, size, (uint32_t)sizeof(SolveOptions), "for ABI growth")                            \
    F(bool, transpose, false, "solve with A transposed")
#define GT_STRUCT SolveOptions
GT_OPTION_TYPE(SolveOptions, SOLVE_OPTIONS);
#undef GT_STRUCT

/* a (..., n, n) and b (..., n, k), the same batch */
static gt_Status equations_shape(gt_ShapeRule *rule)
{
    const gt_Spec *a = rule->input[0], *b = rule->input[1];
    char s[160], t[160];
    if (check_matrix(a, true) != GT_OK || check_matrix(b, false) != GT_OK)
        return gt_status();
    bool fits = a->dtype == b->dtype && a->rank == b->rank;
    for (int d = 0; fits && d < a->rank - 1; d++)
        fits = a->dims[d] == b->dims[d];
    if (!fits)
        return gt_fail(GT_INVALID, "equations %s do not go with right sides %s",
                       gt_spec_text(a, s, sizeof s), gt_spec_text(b, t, sizeof t));
    rule->output[0] = *b;
    return GT_OK;
}

static gt_Status solve_shape(gt_ShapeRule *rule)
{
    if (equations_shape(rule) != GT_OK)
        return gt_status();
    Matrices b = matrices(rule->input[1]);
    size_t element = gt_dtype_size(rule->input[1]->dtype);
    rule->scratch = piece(b.rows * b.rows, element) + piece(b.rows * b.columns, element) +
                    piece(b.rows, sizeof(Int));
    return GT_OK;
}

static bool solve_body(const Job *job, int64_t batch, char *scratch)
{
    const SolveOptions *options = job->kernel->options;
    int64_t rows = job->a.rows, columns = matrices(job->kernel->input_spec[1]).columns;
    void *a = take_piece(&scratch, rows * rows, job->element);
    void *x = take_piece(&scratch, rows * columns, job->element);
    Int *pivots = take_piece(&scratch, rows, sizeof(Int));
    Int n = (Int)rows, k = (Int)columns, info = 0;
    if (options->transpose)
        memcpy(a, input_at(job, 0, batch * rows * rows), (size_t)(rows * rows) * job->element);
    else
        transpose_copy(job, rows, rows, input_at(job, 0, batch * rows * rows), a);
    transpose_copy(job, rows, columns, input_at(job, 1, batch * rows * columns), x);
    ((Gesv *)job->lapack[0])(&n, &k, a, &n, pivots, x, &n, &info);
    transpose_copy(job, columns, rows, x, output_at(job, 0, batch * rows * columns));
    return info == 0;
}

static gt_Status solve_run(const gt_Kernel *kernel)
{
    Job job = new_job(kernel, solve_body);
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    return find_lapack(&job, 0, "gesv") ? run_job(&job, "is singular") : gt_status();
}

static gt_Tensor *solve_with(gt_Tensor *a, gt_Tensor *b, bool transpose)
{
    SolveOptions options = {sizeof options, transpose};
    return gt_apply_one(NULL, &gt_op_solve, &options, 2, (gt_Tensor *[]){a, b});
}

/* X = A^-1 B: dB = A^-T G, dA = -dB X'; with A transposed its gradient is transposed. */
static gt_Status solve_gradient(gt_GradientRule *rule)
{
    const SolveOptions *options = gt_rule_options(rule);
    gt_Tensor *x = gt_output(rule, 0);
    gt_Tensor *db = solve_with(gt_input(rule, 0), gt_upstream(rule, 0), !options->transpose);
    if (gt_wants(rule, 0))
        gt_give(rule, 0,
                gt_negative(options->transpose ? gt_matmul(x, db, .transpose_b = true)
                                               : gt_matmul(db, x, .transpose_b = true)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1, db);
    return gt_status();
}

const gt_Operation gt_op_solve = {
    .size = sizeof(gt_Operation),
    .name = "solve",
    .formula = "X with A X = B",
    .options = GT_STRUCT_TYPE(SolveOptions),
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .saves_inputs = 1,
    .saves_outputs = 1,
    .shape = solve_shape,
    .run = solve_run,
    .gradient = solve_gradient,
    .samples = (const gt_Sample[]){{.inputs = 2, .input = GT_INPUTS(MATRIX(3, 3), GT_ANY(3, 2))},
                                   {.inputs = 2,
                                    .input = GT_INPUTS(MATRIX(2, 2, 2), GT_ANY(2, 2, 1)),
                                    .options = &(const SolveOptions){sizeof(SolveOptions), true}},
                                   GT_SAMPLES_END},
};

/* ---- solve_triangular ---- */

/* Row by row, with the rows of X that are known by then. */
#define GT_TRIANGULAR_BODY(type, suffix)                                                           \
    static void triangular_##suffix(bool lower, bool transpose, int64_t n, int64_t k,              \
                                    const type *a, const type *b, type *x)                         \
    {                                                                                              \
        int64_t down = transpose ? 1 : n, right = transpose ? n : 1;                               \
        bool forward = lower != transpose;                                                         \
        for (int64_t step = 0; step < n; step++) {                                                 \
            int64_t i = forward ? step : n - 1 - step;                                             \
            type *row = x + i * k, diagonal = a[i * down + i * right];                             \
            memcpy(row, b + i * k, (size_t)k * sizeof *row);                                       \
            for (int64_t j = forward ? 0 : i + 1; j < (forward ? i : n); j++) {                    \
                type factor = a[i * down + j * right];                                             \
                for (int64_t c = 0; c < k; c++)                                                    \
                    row[c] -= factor * x[j * k + c];                                               \
            }                                                                                      \
            for (int64_t c = 0; c < k; c++)                                                        \
                row[c] /= diagonal;                                                                \
        }                                                                                          \
    }
GT_TRIANGULAR_BODY(float, f32)
GT_TRIANGULAR_BODY(double, f64)

static bool solve_triangular_body(const Job *job, int64_t batch, char *scratch)
{
    (void)scratch;
    const gt_SolveTriangularOptions *options = job->kernel->options;
    int64_t n = job->a.rows, k = matrices(job->kernel->input_spec[1]).columns;
    const void *a = input_at(job, 0, batch * n * n), *b = input_at(job, 1, batch * n * k);
    void *x = output_at(job, 0, batch * n * k);
    if (job->dtype == GT_FLOAT32)
        triangular_f32(options->lower, options->transpose, n, k, a, b, x);
    else
        triangular_f64(options->lower, options->transpose, n, k, a, b, x);
    return true;
}

static gt_Status solve_triangular_run(const gt_Kernel *kernel)
{
    Job job = new_job(kernel, solve_triangular_body);
    return kernel->output_spec[0]->size ? run_job(&job, "") : GT_OK;
}

/* As solve_gradient, in the triangle that was read. */
static gt_Status solve_triangular_gradient(gt_GradientRule *rule)
{
    const gt_SolveTriangularOptions *options = gt_rule_options(rule);
    gt_Tensor *x = gt_output(rule, 0);
    gt_Tensor *db = gt_solve_triangular(gt_input(rule, 0), gt_upstream(rule, 0),
                                        .lower = options->lower, .transpose = !options->transpose);
    if (gt_wants(rule, 0)) {
        gt_Tensor *da = gt_negative(options->transpose ? gt_matmul(x, db, .transpose_b = true)
                                                       : gt_matmul(db, x, .transpose_b = true));
        gt_give(rule, 0, options->lower ? gt_tril(da) : gt_triu(da));
    }
    if (gt_wants(rule, 1))
        gt_give(rule, 1, db);
    return gt_status();
}

#define TRIANGLE(lower, transpose)                                                                 \
    .options = &(const gt_SolveTriangularOptions)                                                  \
    {                                                                                              \
        sizeof(gt_SolveTriangularOptions), lower, transpose                                        \
    }
const gt_Operation gt_op_solve_triangular = {
    .size = sizeof(gt_Operation),
    .name = "solve_triangular",
    .formula = "X with A X = B, A a triangle",
    .options = GT_STRUCT_TYPE(gt_SolveTriangularOptions),
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .saves_inputs = 1,
    .saves_outputs = 1,
    .shape = equations_shape,
    .run = solve_triangular_run,
    .gradient = solve_triangular_gradient,
    .samples =
        (const gt_Sample[]){
            {.inputs = 2, .input = GT_INPUTS(MATRIX(3, 3), GT_ANY(3, 2)), TRIANGLE(false, false)},
            {.inputs = 2, .input = GT_INPUTS(MATRIX(3, 3), GT_ANY(3, 2)), TRIANGLE(false, true)},
            {.inputs = 2,
             .input = GT_INPUTS(MATRIX(2, 2, 2), GT_ANY(2, 2, 1)),
             TRIANGLE(true, false)},
            {.inputs = 2, .input = GT_INPUTS(MATRIX(3, 3), GT_ANY(3, 1)), TRIANGLE(true, true)},
            GT_SAMPLES_END},
};

/* ---- the functions for equations ---- */

/* Right sides as matrices of a's batch; `vector` gets whether they were vectors. */
static bool fit_equations(gt_Tensor **a, gt_Tensor **b, bool *vector)
{
    gt_Shape of_a = gt_tensor_shape(*a), of_b = gt_tensor_shape(*b);
    if (gt_status() != GT_OK)
        return false;
    *vector = of_b.rank == of_a.rank - 1;
    if (*vector) {
        *b = gt_expand_dims(*b, -1);
        of_b.dims[of_b.rank++] = 1;
    }
    if (of_a.rank < 2 || of_b.rank < 2 ||
        (of_a.rank == of_b.rank &&
         memcmp(of_a.dims, of_b.dims, (size_t)(of_a.rank - 2) * sizeof *of_a.dims) == 0))
        return true;
    int rank = of_a.rank > of_b.rank ? of_a.rank : of_b.rank;
    gt_Shape full_a = {.rank = rank}, full_b = {.rank = rank};
    for (int d = 1; d <= rank; d++) {
        int64_t in_a = d <= of_a.rank ? of_a.dims[of_a.rank - d] : 1;
        int64_t in_b = d <= of_b.rank ? of_b.dims[of_b.rank - d] : 1;
        full_a.dims[rank - d] = d > 2 && in_a == 1 ? in_b : in_a;
        full_b.dims[rank - d] = d > 2 && in_b == 1 ? in_a : in_b;
    }
    *a = gt_broadcast_to(*a, full_a);
    *b = gt_broadcast_to(*b, full_b);
    return gt_status() == GT_OK;
}

static gt_Tensor *solve(gt_Tensor *a, gt_Tensor *b)
{
    bool vector;
    if (!fit_equations(&a, &b, &vector))
        return NULL;
    gt_Tensor *x = solve_with(a, b, false);
    return vector ? gt_squeeze(x, .axis = -1) : x;
}
GT_COMPOSED(solve, (const char *here, gt_Tensor *a, gt_Tensor *b), (a, b))

static gt_Tensor *solve_triangular(gt_Tensor *a, gt_Tensor *b,
                                   const gt_SolveTriangularOptions *options)
{
    bool vector;
    if (!fit_equations(&a, &b, &vector))
        return NULL;
    gt_Tensor *x = gt_apply_one(NULL, &gt_op_solve_triangular, options, 2, (gt_Tensor *[]){a, b});
    return vector ? gt_squeeze(x, .axis = -1) : x;
}
GT_COMPOSED(solve_triangular,
            (const char *here, gt_Tensor *a, gt_Tensor *b,
             const gt_SolveTriangularOptions *options),
            (a, b, options))

/* The identity of that batch. */
static gt_Tensor *identity_like(gt_Tensor *x)
{
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK || check_matrix(&spec, true) != GT_OK)
        return NULL;
    return gt_broadcast_to(gt_eye(spec.dims[spec.rank - 1], .dtype = spec.dtype),
                           gt_spec_shape(&spec));
}

static gt_Tensor *inv(gt_Tensor *x)
{
    return solve_with(x, identity_like(x), false);
}
GT_COMPOSED_UNARY(inv, inv)

static gt_Tensor *matrix_power(gt_Tensor *x, int64_t power)
{
    gt_Tensor *result = NULL, *identity = identity_like(x);
    uint64_t rest = power < 0 ? 0 - (uint64_t)power : (uint64_t)power;
    if (power < 0)
        x = gt_inv(x);
    for (; rest && gt_status() == GT_OK; rest /= 2) {
        if (rest % 2)
            result = result ? gt_matmul(result, x) : x;
        if (rest > 1)
            x = gt_matmul(x, x);
    }
    if (gt_status() != GT_OK)
        return NULL;
    return result ? result : identity;
}
GT_COMPOSED(matrix_power, (const char *here, gt_Tensor *x, int64_t power), (x, power))

/* The triangle r of a QR factorization, whose columns are linearly independent if no number on the
 * diagonal is 0, or may be by rounding, beside its column. */
static gt_Tensor *regular(gt_Tensor *r, int64_t rows, Requirement requirement)
{
    gt_Tensor *held = gt_stop_gradient(r);
    double rounded = rounding(gt_dtype(r), rows, gt_last(gt_tensor_shape(r)));
    gt_Tensor *least = gt_multiply(gt_squeeze(largest_along(held, -2), .axis = -2), rounded);
    gt_Tensor *diagonal = gt_abs(gt_diagonal(held, .axis1 = -2, .axis2 = -1));
    gt_Tensor *fine = gt_logical_not(gt_less_equal(diagonal, least));
    return require(r, gt_all(fine, .axis = -1), requirement);
}

/* A = Q R: R^-1 Q' B; of a wide A with A' = Q R: Q R^-T B. */
static gt_Tensor *lstsq(gt_Tensor *a, gt_Tensor *b)
{
    bool vector;
    if (!fit_equations(&a, &b, &vector))
        return NULL;
    gt_Shape shape = gt_tensor_shape(a);
    if (gt_status() != GT_OK)
        return NULL;
    int64_t rows = gt_dim(shape, -2), columns = gt_dim(shape, -1);
    bool wide = rows < columns;
    gt_Qr factors = gt_qr(wide ? transposed(a) : a);
    factors.r = regular(factors.r, wide ? columns : rows, LSTSQ_FULL_RANK);
    gt_Tensor *x;
    if (wide)
        x = gt_matmul(factors.q, gt_solve_triangular(factors.r, b, .transpose = true));
    else
        x = gt_solve_triangular(factors.r, gt_matmul(factors.q, b, .transpose_a = true));
    return vector ? gt_squeeze(x, .axis = -1) : x;
}
GT_COMPOSED(lstsq, (const char *here, gt_Tensor *a, gt_Tensor *b), (a, b))

/* ---- determinants ---- */

static size_t lu_bytes(int64_t n, size_t element)
{
    return piece(n * n, element) + piece(n, sizeof(Int));
}

static gt_Status slogdet_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    if (check_matrix(in, true) != GT_OK)
        return gt_status();
    rule->output[0] = *in;
    rule->output[0].rank -= 2;
    rule->output[1] = rule->output[0];
    rule->scratch = lu_bytes(in->dims[in->rank - 1], gt_dtype_size(in->dtype));
    return GT_OK;
}

/* The LU factors of a matrix, of which the pivots on the diagonal are of interest; `sign` gets that
 * of the swaps of rows. The transposed matrix, which LAPACK sees, has the same determinant. */
static const void *factored(const Job *job, gt_BlasFunction *getrf, const void *x, char *scratch,
                            double *sign)
{
    int64_t rows = job->a.rows;
    void *lu = take_piece(&scratch, rows * rows, job->element);
    Int *pivots = take_piece(&scratch, rows, sizeof(Int));
    Int n = (Int)rows, info = 0;
    memcpy(lu, x, (size_t)(rows * rows) * job->element);
    if (n > 0)
        ((Getrf *)getrf)(&n, &n, lu, &n, pivots, &info);
    *sign = 1;
    for (Int i = 0; i < n; i++)
        *sign = pivots[i] == i + 1 ? *sign : -*sign;
    return lu;
}

static bool slogdet_body(const Job *job, int64_t batch, char *scratch)
{
    int64_t n = job->a.rows;
    double sign, sum = 0;
    const void *lu = factored(job, job->lapack[0], input_at(job, 0, batch * n * n), scratch, &sign);
    for (int64_t i = 0; i < n; i++) {
        double u = number_at(job, lu, i * n + i);
        sign *= u < 0 ? -1 : u == 0 ? 0 : 1;
        sum += log(fabs(u));
    }
    gt_number_store(job->dtype, job->kernel->output[0], batch, sign);
    gt_number_store(job->dtype, job->kernel->output[1], batch, sum);
    return true;
}

static gt_Status slogdet_run(const gt_Kernel *kernel)
{
    Job job = new_job(kernel, slogdet_body);
    return find_lapack(&job, 0, "getrf") ? run_job(&job, "has no determinant") : gt_status();
}

/* d log |det A| = A^-T */
static gt_Status slogdet_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 1), *x = gt_input(rule, 0);
    gt_Tensor *identity = identity_like(x);
    if (!up)
        return gt_give(rule, 0, gt_zeros_like(x));
    up = gt_expand_dims(gt_expand_dims(up, -1), -1);
    return gt_give(rule, 0, solve_with(x, gt_multiply(identity, up), true));
}

const gt_Operation gt_op_slogdet = {
    .size = sizeof(gt_Operation),
    .name = "slogdet",
    .formula = "the sign of det A, and log |det A|",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 2,
    .saves_inputs = 1,
    .shape = slogdet_shape,
    .run = slogdet_run,
    .gradient = slogdet_gradient,
    .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(MATRIX(3, 3))},
                                   {.inputs = 1, .input = GT_INPUTS(MATRIX(2, 2, 2))},
                                   GT_SAMPLES_END},
};

static gt_Slogdet slogdet(gt_Tensor *x)
{
    gt_Tensor *out[2] = {NULL, NULL};
    gt_apply(NULL, &gt_op_slogdet, NULL, 1, &x, out);
    return (gt_Slogdet){out[0], out[1]};
}
GT_COMPOSED_BY(gt_Slogdet, slogdet, slogdet, (const char *here, gt_Tensor *x), (x))

static gt_Status det_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    if (check_matrix(in, true) != GT_OK)
        return gt_status();
    rule->output[0] = *in;
    rule->output[0].rank -= 2;
    rule->scratch = lu_bytes(in->dims[in->rank - 1], gt_dtype_size(in->dtype));
    return GT_OK;
}

/* The product of the pivots, its exponent kept apart: no step overflows. */
static bool det_body(const Job *job, int64_t batch, char *scratch)
{
    int64_t n = job->a.rows;
    double product;
    int exponent = 0;
    const void *lu =
        factored(job, job->lapack[0], input_at(job, 0, batch * n * n), scratch, &product);
    for (int64_t i = 0; i < n; i++) {
        int step = 0;
        product = frexp(product * number_at(job, lu, i * n + i), &step);
        exponent += step;
    }
    gt_number_store(job->dtype, job->kernel->output[0], batch, ldexp(product, exponent));
    return true;
}

static gt_Status det_run(const gt_Kernel *kernel)
{
    Job job = new_job(kernel, det_body);
    return find_lapack(&job, 0, "getrf") ? run_job(&job, "has no determinant") : gt_status();
}

/* d det A = cof A, which singular matrices have, too */
static gt_Status det_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_expand_dims(gt_expand_dims(gt_upstream(rule, 0), -1), -1);
    gt_Tensor *x = gt_input(rule, 0);
    return gt_give(rule, 0, gt_multiply(up, gt_apply_one(NULL, &gt_op_cofactor, NULL, 1, &x)));
}

const gt_Operation gt_op_det = {
    .size = sizeof(gt_Operation),
    .name = "det",
    .formula = "det A",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .saves_inputs = 1,
    .shape = det_shape,
    .run = det_run,
    .gradient = det_gradient,
    .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(MATRIX(3, 3))},
                                   {.inputs = 1, .input = GT_INPUTS(MATRIX(2, 2, 2))},
                                   GT_SAMPLES_END},
};
GT_DEFINE_UNARY(det)

static gt_Tensor *logdet(gt_Tensor *x)
{
    gt_Tensor *diagonal = gt_diagonal(gt_cholesky(x), .axis1 = -2, .axis2 = -1);
    return gt_multiply(gt_sum(gt_log(diagonal), .axis = -1), 2);
}
GT_COMPOSED_UNARY(logdet, logdet)

/* ---- cholesky ---- */

static gt_Status cholesky_shape(gt_ShapeRule *rule)
{
    rule->output[0] = *rule->input[0];
    return check_matrix(rule->input[0], true);
}

/* The upper triangle that LAPACK writes is our lower one. */
static bool cholesky_body(const Job *job, int64_t batch, char *scratch)
{
    (void)scratch;
    int64_t rows = job->a.rows;
    char *l = output_at(job, 0, batch * rows * rows);
    Int n = (Int)rows, info = 0;
    symmetric_copy(job, input_at(job, 0, batch * rows * rows), l);
    ((Potrf *)job->lapack[0])("U", &n, l, &n, &info, 1);
    for (int64_t i = 0; i < rows; i++)
        memset(l + (size_t)(i * rows + i + 1) * job->element, 0,
               (size_t)(rows - i - 1) * job->element);
    return info == 0;
}

static gt_Status cholesky_run(const gt_Kernel *kernel)
{
    Job job = new_job(kernel, cholesky_body);
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    return find_lapack(&job, 0, "potrf") ? run_job(&job, "is not positive definite") : gt_status();
}

/* (x + x') / 2 */
static gt_Tensor *symmetrized(gt_Tensor *x)
{
    return gt_multiply(gt_add(x, transposed(x)), 0.5);
}

/* P = the lower triangle of L' G, its diagonal halved; dA = the symmetric part of L^-T P L^-1. */
static gt_Status cholesky_gradient(gt_GradientRule *rule)
{
    gt_Tensor *l = gt_output(rule, 0);
    gt_Tensor *p = gt_matmul(l, gt_upstream(rule, 0), .transpose_a = true);
    p = gt_multiply(gt_add(gt_tril(p), gt_tril(p, .k = -1)), 0.5);
    gt_Tensor *left = gt_solve_triangular(l, p, .lower = true, .transpose = true);
    gt_Tensor *both = gt_solve_triangular(l, transposed(left), .lower = true, .transpose = true);
    return gt_give(rule, 0, symmetrized(both));
}

const gt_Operation gt_op_cholesky = {
    .size = sizeof(gt_Operation),
    .name = "cholesky",
    .formula = "the lower triangle L with L L' = (A + A') / 2",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .saves_outputs = 1,
    .shape = cholesky_shape,
    .run = cholesky_run,
    .gradient = cholesky_gradient,
    .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(MATRIX(3, 3))},
                                   {.inputs = 1, .input = GT_INPUTS(MATRIX(2, 2, 2))},
                                   GT_SAMPLES_END},
};

static gt_Tensor *cholesky(gt_Tensor *x, const gt_CholeskyOptions *given)
{
    gt_CholeskyOptions options;
    gt_options_fill(GT_STRUCT_TYPE(gt_CholeskyOptions), &options, given);
    gt_Tensor *l = gt_apply_one(NULL, &gt_op_cholesky, NULL, 1, &x);
    return options.upper ? transposed(l) : l;
}
GT_COMPOSED_OPTIONS(cholesky, cholesky, gt_CholeskyOptions)

/* ---- qr ---- */

#define BLOCK 32 /* columns that LAPACK works on together, if it has the memory */

static gt_Status qr_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    char text[160];
    if (check_matrix(in, false) != GT_OK)
        return gt_status();
    Matrices a = matrices(in);
    if (a.rows < a.columns)
        return gt_fail(GT_INVALID, "matrices of %s have more columns than rows",
                       gt_shape_text(gt_spec_shape(in), text, sizeof text));
    rule->output[0] = rule->output[1] = *in;
    rule->output[1].dims[in->rank - 2] = a.columns;
    size_t element = gt_dtype_size(in->dtype);
    rule->scratch = piece(a.rows * a.columns, element) + piece(a.columns, element) +
                    piece(a.columns * BLOCK, element);
    return GT_OK;
}

static bool qr_body(const Job *job, int64_t batch, char *scratch)
{
    int64_t rows = job->a.rows, columns = job->a.columns;
    void *a = take_piece(&scratch, rows * columns, job->element);
    void *tau = take_piece(&scratch, columns, job->element);
    void *work = take_piece(&scratch, columns * BLOCK, job->element);
    Int m = (Int)rows, n = (Int)columns, length = n * BLOCK, info = 0, info2 = 0;
    transpose_copy(job, rows, columns, input_at(job, 0, batch * rows * columns), a);
    ((Geqrf *)job->lapack[0])(&m, &n, a, &m, tau, work, &length, &info);
    void *r = output_at(job, 1, batch * columns * columns);
    for (int64_t i = 0; i < columns; i++)
        for (int64_t j = 0; j < columns; j++)
            gt_number_store(job->dtype, r, i * columns + j,
                            i <= j ? number_at(job, a, j * rows + i) : 0);
    ((Orgqr *)job->lapack[1])(&m, &n, &n, a, &m, tau, work, &length, &info2);
    transpose_copy(job, columns, rows, a, output_at(job, 0, batch * rows * columns));
    return info == 0 && info2 == 0;
}

static gt_Status qr_run(const gt_Kernel *kernel)
{
    Job job = new_job(kernel, qr_body);
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    return find_lapack(&job, 0, "geqrf") && find_lapack(&job, 1, "orgqr")
               ? run_job(&job, "has no QR factorization")
               : gt_status();
}

static gt_Tensor *upstream_or_zero(gt_GradientRule *rule, int output)
{
    gt_Tensor *up = gt_upstream(rule, output);
    const gt_Spec *spec = gt_output_spec(rule, output);
    return up ? up : gt_zeros_of(gt_spec_shape(spec), .dtype = spec->dtype);
}

/* M = R dR' - dQ' Q; dA = (dQ + Q copy(M)) R^-T, where copy puts the lower triangle above, too. */
static gt_Status qr_gradient(gt_GradientRule *rule)
{
    gt_Tensor *q = gt_output(rule, 0), *r = gt_output(rule, 1);
    gt_Tensor *dq = upstream_or_zero(rule, 0), *dr = upstream_or_zero(rule, 1);
    gt_Tensor *m =
        gt_subtract(gt_matmul(r, dr, .transpose_b = true), gt_matmul(dq, q, .transpose_a = true));
    m = gt_add(gt_tril(m), transposed(gt_tril(m, .k = -1)));
    gt_Tensor *sum = gt_add(dq, gt_matmul(q, m));
    r = regular(r, matrices(gt_input_spec(rule, 0)).rows, QR_FULL_RANK);
    return gt_give(rule, 0, transposed(gt_solve_triangular(r, transposed(sum))));
}

const gt_Operation gt_op_qr = {
    .size = sizeof(gt_Operation),
    .name = "qr",
    .formula = "Q with orthonormal columns and R upper triangular, Q R = A",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 2,
    .saves_outputs = 3,
    .shape = qr_shape,
    .run = qr_run,
    .gradient = qr_gradient,
    .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(MATRIX(3, 3))},
                                   {.inputs = 1, .input = GT_INPUTS(MATRIX(4, 2))},
                                   {.inputs = 1, .input = GT_INPUTS(MATRIX(2, 3, 2))},
                                   GT_SAMPLES_END},
};

/* ---- complement: what completes orthonormal columns ---- */

static gt_Status complement_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    char text[160];
    if (check_matrix(in, false) != GT_OK)
        return gt_status();
    Matrices a = matrices(in);
    if (a.rows < a.columns)
        return gt_fail(GT_INVALID, "matrices of %s have more columns than rows",
                       gt_shape_text(gt_spec_shape(in), text, sizeof text));
    rule->output[0] = *in;
    rule->output[0].dims[in->rank - 1] = a.rows - a.columns;
    size_t element = gt_dtype_size(in->dtype);
    rule->scratch = piece(a.rows * a.rows, element) + piece(a.columns, element) +
                    piece(a.rows * BLOCK, element);
    return GT_OK;
}

/* The last columns of the whole Q of a QR factorization. */
static bool complement_body(const Job *job, int64_t batch, char *scratch)
{
    int64_t rows = job->a.rows, columns = job->a.columns, more = rows - columns;
    char *q = take_piece(&scratch, rows * rows, job->element);
    void *tau = take_piece(&scratch, columns, job->element);
    void *work = take_piece(&scratch, rows * BLOCK, job->element);
    Int m = (Int)rows, n = (Int)columns, length = m * BLOCK, info = 0, info2 = 0;
    transpose_copy(job, rows, columns, input_at(job, 0, batch * rows * columns), q);
    ((Geqrf *)job->lapack[0])(&m, &n, q, &m, tau, work, &length, &info);
    ((Orgqr *)job->lapack[1])(&m, &m, &n, q, &m, tau, work, &length, &info2);
    transpose_copy(job, more, rows, q + (size_t)(rows * columns) * job->element,
                   output_at(job, 0, batch * rows * more));
    return info == 0 && info2 == 0;
}

static gt_Status complement_run(const gt_Kernel *kernel)
{
    Job job = new_job(kernel, complement_body);
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    return find_lapack(&job, 0, "geqrf") && find_lapack(&job, 1, "orgqr")
               ? run_job(&job, "has no QR factorization")
               : gt_status();
}

/* One column y is fixed by y' A = 0 and its length: dA = -y (A^+ dy)'. */
static gt_Status complement_gradient(gt_GradientRule *rule)
{
    gt_Tensor *a = gt_input(rule, 0), *y = gt_output(rule, 0);
    int64_t columns = gt_last(gt_spec_shape(gt_output_spec(rule, 0)));
    if (columns > 1)
        return gt_fail(
            GT_UNSUPPORTED,
            "%lld columns that complete an orthonormal basis may be any, so that there is "
            "no gradient through them; reduced factors have one",
            (long long)columns);
    gt_Tensor *solution = gt_lstsq(a, gt_upstream(rule, 0));
    return gt_give(rule, 0, gt_negative(gt_matmul(y, solution, .transpose_b = true)));
}

const gt_Operation gt_op_complement = {
    .size = sizeof(gt_Operation),
    .name = "complement",
    .formula = "orthonormal columns, orthogonal to those of A, which they complete to a basis",
    .flags = GT_OP_INTERNAL,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .saves_inputs = 1,
    .saves_outputs = 1,
    .shape = complement_shape,
    .run = complement_run,
    .gradient = complement_gradient,
    .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(MATRIX(3, 2))},
                                   {.inputs = 1, .input = GT_INPUTS(MATRIX(2, 4, 3))},
                                   GT_SAMPLES_END},
};

/* The columns of q and those that complete them: square. */
static gt_Tensor *completed(gt_Tensor *q)
{
    return gt_concatenate(gt_tensors(q, gt_apply_one(NULL, &gt_op_complement, NULL, 1, &q)),
                          .axis = -1);
}

/* More columns than rows: the first square A1 = Q R1, then R = (R1, Q' A2). */
static gt_Qr qr_reduced(gt_Tensor *x)
{
    gt_Tensor *out[2] = {NULL, NULL};
    gt_Shape shape = gt_tensor_shape(x), begin = {shape.rank, {0}};
    int64_t rows = gt_dim(shape, -2), columns = gt_dim(shape, -1);
    if (shape.rank < 2 || rows >= columns) {
        gt_apply(NULL, &gt_op_qr, NULL, 1, &x, out);
        return (gt_Qr){out[0], out[1]};
    }
    shape.dims[shape.rank - 1] = rows;
    gt_Tensor *left = gt_slice(x, begin, shape);
    begin.dims[shape.rank - 1] = rows;
    shape.dims[shape.rank - 1] = columns - rows;
    gt_apply(NULL, &gt_op_qr, NULL, 1, &left, out);
    gt_Tensor *right = gt_matmul(out[0], gt_slice(x, begin, shape), .transpose_a = true);
    gt_Tensor *r = gt_concatenate(gt_tensors(out[1], right), .axis = -1);
    return (gt_Qr){r ? out[0] : NULL, r};
}

static gt_Qr qr(gt_Tensor *x, const gt_QrOptions *given)
{
    gt_QrOptions options;
    gt_options_fill(GT_STRUCT_TYPE(gt_QrOptions), &options, given);
    gt_Qr factors = qr_reduced(x);
    gt_Shape of_q = gt_tensor_shape(factors.q), none = {of_q.rank, {0}}, below = none;
    if (gt_status() == GT_OK && options.mode != GT_QR_REDUCED && options.mode != GT_QR_COMPLETE)
        gt_fail(GT_INVALID, "unknown mode %d", (int)options.mode);
    if (gt_status() == GT_OK && options.mode == GT_QR_COMPLETE) {
        int64_t more = gt_dim(of_q, -2) - gt_dim(of_q, -1);
        below.dims[of_q.rank - 2] = more;
        if (more > 0)
            factors = (gt_Qr){completed(factors.q), gt_pad(factors.r, none, below)};
    }
    return gt_status() == GT_OK ? factors : (gt_Qr){NULL, NULL};
}
GT_COMPOSED_BY(gt_Qr, qr, qr, (const char *here, gt_Tensor *x, const gt_QrOptions *options),
               (x, options))

/* ---- svd ---- */

static int64_t svd_work(int64_t k, int64_t longer)
{
    return 4 * k * k + 7 * k + longer * BLOCK;
}

static gt_Status svd_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    if (check_matrix(in, false) != GT_OK)
        return gt_status();
    Matrices a = matrices(in);
    int64_t k = a.rows < a.columns ? a.rows : a.columns;
    rule->output[0] = rule->output[1] = rule->output[2] = *in;
    rule->output[0].dims[in->rank - 1] = k;
    rule->output[1].dims[in->rank - 2] = k;
    rule->output[1].rank = in->rank - 1;
    rule->output[2].dims[in->rank - 2] = k;
    size_t element = gt_dtype_size(in->dtype);
    rule->scratch = piece(a.rows * a.columns, element) + piece(8 * k, sizeof(Int)) +
                    piece(svd_work(k, a.rows + a.columns), element);
    return GT_OK;
}

/* For LAPACK our matrix is A' = V S U'; what it returns as U and V' are our V' and U. */
static bool svd_into(const Job *job, int64_t batch, char *scratch, void *u, void *s, void *vh)
{
    int64_t rows = job->a.rows, columns = job->a.columns, k = rows < columns ? rows : columns;
    if (!is_finite(job, batch))
        return false;
    void *a = take_piece(&scratch, rows * columns, job->element);
    Int *iwork = take_piece(&scratch, 8 * k, sizeof(Int));
    void *work = take_piece(&scratch, svd_work(k, rows + columns), job->element);
    Int m = (Int)columns, n = (Int)rows, least = (Int)k, info = 0;
    int64_t most = svd_work(k, rows + columns);
    Int length = most < INT32_MAX ? (Int)most : INT32_MAX;
    memcpy(a, input_at(job, 0, batch * rows * columns), (size_t)(rows * columns) * job->element);
    ((Gesdd *)job->lapack[0])("S", &m, &n, a, &m, s, vh, &m, u, &least, work, &length, iwork, &info,
                              1);
    return info == 0;
}

static bool svd_body(const Job *job, int64_t batch, char *scratch)
{
    int64_t rows = job->a.rows, columns = job->a.columns, k = rows < columns ? rows : columns;
    return svd_into(job, batch, scratch, output_at(job, 0, batch * rows * k),
                    output_at(job, 1, batch * k), output_at(job, 2, batch * k * columns));
}

static gt_Status svd_run(const gt_Kernel *kernel)
{
    Job job = new_job(kernel, svd_body);
    if (kernel->output_spec[1]->size == 0)
        return GT_OK;
    return find_lapack(&job, 0, "gesdd") ? run_job(&job, "has no singular values") : gt_status();
}

/* A matrix with that vector on its diagonal scales rows from the left, columns from the right. */
static gt_Tensor *scale_rows(gt_Tensor *s, gt_Tensor *x)
{
    return gt_multiply(x, gt_expand_dims(s, -1));
}
static gt_Tensor *scale_columns(gt_Tensor *x, gt_Tensor *s)
{
    return gt_multiply(x, gt_expand_dims(s, -2));
}
/* The diagonal matrix of each vector. */
static gt_Tensor *on_diagonal(gt_Tensor *s)
{
    return gt_multiply(gt_eye(gt_last(gt_tensor_shape(s)), .dtype = gt_dtype(s)),
                       gt_expand_dims(s, -1));
}

/* 1 / (s[j] - s[i]), and 0 on the diagonal, for gradients of vectors of these sizes (..., 1, k).
 * Vectors of equal values may be any basis of what they span. */
static gt_Tensor *inverse_gaps(gt_Tensor *s, gt_Tensor *sizes, double rounding,
                               Requirement requirement)
{
    gt_Tensor *held = gt_stop_gradient(s), *each = gt_stop_gradient(sizes);
    gt_Tensor *apart = gt_abs(gt_subtract(gt_expand_dims(held, -2), gt_expand_dims(held, -1)));
    gt_Tensor *least = gt_expand_dims(gt_multiply(largest_along(held, -1), rounding), -1);
    gt_Tensor *fine = divides(apart, least, gt_add(each, transposed(each)));
    gt_Tensor *one = gt_eye(gt_last(gt_tensor_shape(s)), .dtype = gt_dtype(s));
    fine = gt_logical_or(fine, gt_equal(one, 1));
    s = require(s, gt_all(fine, .axes = gt_axes(-2, -1)), requirement);
    gt_Tensor *gap = gt_subtract(gt_expand_dims(s, -2), gt_expand_dims(s, -1));
    return gt_subtract(gt_reciprocal(gt_add(gap, one)), one);
}

/* (x - x') gaps */
static gt_Tensor *rotation(gt_Tensor *x, gt_Tensor *gaps)
{
    return gt_multiply(gt_subtract(x, transposed(x)), gaps);
}

/* 1 / (s[j]^2 - s[i]^2), 0 on the diagonal */
static gt_Tensor *inverse_gaps_of_squares(gt_Tensor *s, gt_Tensor *sizes, double rounding)
{
    gt_Tensor *one = gt_eye(gt_last(gt_tensor_shape(s)), .dtype = gt_dtype(s));
    gt_Tensor *sum = gt_add(gt_expand_dims(s, -2), gt_expand_dims(s, -1));
    sum = gt_where(gt_equal(one, 1), one, sum);
    return gt_divide(inverse_gaps(s, sizes, rounding, SINGULAR_VALUES_DIFFER), sum);
}

/* 1 / s, for what is outside of the columns of u, of these sizes. */
static gt_Tensor *inverse_values(gt_Tensor *s, gt_Tensor *sizes, double rounding)
{
    gt_Tensor *held = gt_stop_gradient(s);
    gt_Tensor *each = gt_squeeze(gt_stop_gradient(sizes), .axis = -2);
    gt_Tensor *least = gt_multiply(largest_along(held, -1), rounding);
    gt_Tensor *fine = divides(held, least, each);
    return gt_reciprocal(require(s, gt_all(fine, .axis = -1), SINGULAR_VALUES_NOT_ZERO));
}

/* With F = 1 / (s[j]^2 - s[i]^2): dA = U [(U' dU - dU' U) F S + S (V' dV - dV' V) F + dS] V',
 * and what dU and dV have outside of the columns of U and V, divided by S. */
static gt_Status svd_gradient(gt_GradientRule *rule)
{
    gt_Tensor *u = gt_output(rule, 0), *s = gt_output(rule, 1), *vh = gt_output(rule, 2);
    gt_Tensor *du = gt_upstream(rule, 0), *dvh = gt_upstream(rule, 2);
    Matrices a = matrices(gt_input_spec(rule, 0));
    gt_Tensor *middle = on_diagonal(upstream_or_zero(rule, 1)), *more = NULL;
    double rounded = rounding(gt_input_spec(rule, 0)->dtype, a.rows, a.columns);
    gt_Tensor *of_u = du ? largest_along(du, -2) : NULL;
    gt_Tensor *of_v = dvh ? largest_along(transposed(dvh), -2) : NULL;
    gt_Tensor *sizes = du && dvh ? gt_add(of_u, of_v) : du ? of_u : of_v;
    gt_Tensor *gaps = sizes ? inverse_gaps_of_squares(s, sizes, rounded) : NULL;
    if (du) {
        gt_Tensor *inside = gt_matmul(u, du, .transpose_a = true);
        middle = gt_add(middle, scale_columns(rotation(inside, gaps), s));
        if (a.rows > a.columns) {
            gt_Tensor *outside = gt_subtract(du, gt_matmul(u, inside));
            more = gt_matmul(scale_columns(outside, inverse_values(s, of_u, rounded)), vh);
        }
    }
    if (dvh) {
        gt_Tensor *inside = gt_matmul(vh, dvh, .transpose_b = true);
        middle = gt_add(middle, scale_rows(s, rotation(inside, gaps)));
        if (a.columns > a.rows) {
            gt_Tensor *outside = gt_subtract(dvh, gt_matmul(transposed(inside), vh));
            more = gt_matmul(u, scale_rows(inverse_values(s, of_v, rounded), outside));
        }
    }
    gt_Tensor *da = gt_matmul(u, gt_matmul(middle, vh));
    return gt_give(rule, 0, more ? gt_add(da, more) : da);
}

const gt_Operation gt_op_svd = {
    .size = sizeof(gt_Operation),
    .name = "svd",
    .formula = "U, s and V' with U diag(s) V' = A",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 3,
    .saves_outputs = 7,
    .shape = svd_shape,
    .run = svd_run,
    .gradient = svd_gradient,
    .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(MATRIX(3, 3))},
                                   {.inputs = 1, .input = GT_INPUTS(MATRIX(4, 2))},
                                   {.inputs = 1, .input = GT_INPUTS(MATRIX(2, 2, 3))},
                                   GT_SAMPLES_END},
};

static gt_Svd svd(gt_Tensor *x, const gt_SvdOptions *given)
{
    gt_SvdOptions options;
    gt_options_fill(GT_STRUCT_TYPE(gt_SvdOptions), &options, given);
    gt_Tensor *out[3] = {NULL, NULL, NULL};
    gt_Shape shape = gt_tensor_shape(x);
    if (gt_apply(NULL, &gt_op_svd, NULL, 1, &x, out) == GT_OK && options.full_matrices) {
        int64_t rows = gt_dim(shape, -2), columns = gt_dim(shape, -1);
        if (rows > columns)
            out[0] = completed(out[0]);
        if (columns > rows)
            out[2] = transposed(completed(transposed(out[2])));
    }
    return gt_status() == GT_OK ? (gt_Svd){out[0], out[1], out[2]} : (gt_Svd){NULL, NULL, NULL};
}
GT_COMPOSED_BY(gt_Svd, svd, svd, (const char *here, gt_Tensor *x, const gt_SvdOptions *options),
               (x, options))

/* ---- cofactors: what det's derivatives are made of ----
 *
 * With A = U S V' and p[i] the product of the singular values but s[i]: cof A = det U det V U diag(p)
 * V', of any rank (G. W. Stewart, On the adjugate matrix, 1998). Its derivative, in the frame of U
 * and V, is that of the cofactors of a diagonal matrix, with q[i, j] the product but for s[i] and
 * s[j]: element (i, i) grows by q[i, j] with element (j, j), element (i, j) shrinks by it with (j, i).
 */
static int64_t gemm_bytes(const gt_Context *context, int64_t n, gt_DType dtype)
{
    return (int64_t)context->kernels->gemm_scratch[gt_loop_type(dtype)](n, n, n);
}

typedef struct Frame {
    void *u, *s, *vh, *gemm;
    double *before, *after; /* s[i]: the products of those, times det U det V the first */
} Frame;

static size_t frame_bytes(int64_t n, gt_DType dtype)
{
    size_t element = gt_dtype_size(dtype);
    size_t work =
        piece(n * n, element) + piece(8 * n, sizeof(Int)) + piece(svd_work(n, 2 * n), element);
    size_t lu = lu_bytes(n, element);
    return 2 * piece(n * n, element) + piece(n, element) + 2 * piece(n, sizeof(double)) +
           piece(gemm_bytes(gt_context(), n, dtype), 1) + (work > lu ? work : lu);
}

static bool take_frame(const Job *job, int64_t batch, char **scratch, Frame *frame)
{
    int64_t n = job->a.rows;
    frame->u = take_piece(scratch, n * n, job->element);
    frame->vh = take_piece(scratch, n * n, job->element);
    frame->s = take_piece(scratch, n, job->element);
    frame->before = take_piece(scratch, n, sizeof(double));
    frame->after = take_piece(scratch, n, sizeof(double));
    frame->gemm = take_piece(scratch, gemm_bytes(job->kernel->context, n, job->dtype), 1);
    if (!svd_into(job, batch, *scratch, frame->u, frame->s, frame->vh))
        return false;
    double product = 1;
    for (int k = 0; k < 2; k++) {
        double sign;
        const void *lu = factored(job, job->lapack[1], k ? frame->vh : frame->u, *scratch, &sign);
        for (int64_t i = 0; i < n; i++)
            sign = number_at(job, lu, i * n + i) < 0 ? -sign : sign;
        product *= sign;
    }
    for (int64_t i = 0; i < n; i++) {
        frame->before[i] = product;
        product *= number_at(job, frame->s, i);
    }
    product = 1;
    for (int64_t i = n - 1; i >= 0; i--) {
        frame->after[i] = product;
        product *= number_at(job, frame->s, i);
    }
    return true;
}

/* c = op(a) op(b) of square matrices */
static void product(const Job *job, const Frame *frame, bool transpose_a, const void *a,
                    bool transpose_b, const void *b, void *c)
{
    int64_t n = job->a.rows;
    job->kernel->context->kernels->gemm[gt_loop_type(job->dtype)](transpose_a, transpose_b, n, n, n,
                                                                  a, n, b, n, c, n, frame->gemm);
}

static gt_Status cofactor_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    if (check_matrix(in, true) != GT_OK)
        return gt_status();
    rule->output[0] = *in;
    rule->scratch = frame_bytes(in->dims[in->rank - 1], in->dtype);
    return GT_OK;
}

static bool cofactor_body(const Job *job, int64_t batch, char *scratch)
{
    int64_t n = job->a.rows;
    Frame frame;
    if (!take_frame(job, batch, &scratch, &frame))
        return false;
    for (int64_t i = 0; i < n * n; i++)
        gt_number_store(job->dtype, frame.u, i,
                        number_at(job, frame.u, i) * frame.before[i % n] * frame.after[i % n]);
    product(job, &frame, false, frame.u, false, frame.vh, output_at(job, 0, batch * n * n));
    return true;
}

static gt_Status run_cofactor(const gt_Kernel *kernel, MatrixBody *body)
{
    Job job = new_job(kernel, body);
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    return find_lapack(&job, 0, "gesdd") && find_lapack(&job, 1, "getrf")
               ? run_job(&job, "has no cofactors")
               : gt_status();
}

static gt_Status cofactor_run(const gt_Kernel *kernel)
{
    return run_cofactor(kernel, cofactor_body);
}

static gt_Tensor *cofactor_gradient(gt_Tensor *a, gt_Tensor *g)
{
    return gt_apply_one(NULL, &gt_op_cofactor_gradient, NULL, 2, (gt_Tensor *[]){a, g});
}

static gt_Status cofactor_rule(gt_GradientRule *rule)
{
    return gt_give(rule, 0, cofactor_gradient(gt_input(rule, 0), gt_upstream(rule, 0)));
}

const gt_Operation gt_op_cofactor = {
    .size = sizeof(gt_Operation),
    .name = "cofactor",
    .formula = "the matrix of cofactors, det A A'^-1 where that is",
    .flags = GT_OP_INTERNAL,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .saves_inputs = 1,
    .shape = cofactor_shape,
    .run = cofactor_run,
    .gradient = cofactor_rule,
    .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(MATRIX(3, 3))},
                                   {.inputs = 1, .input = GT_INPUTS(MATRIX(2, 2, 2))},
                                   GT_SAMPLES_END},
};

/* (A, G) -> d sum(G cof A) / dA: the second derivative of det, in the direction G */

static gt_Status cofactor_gradient_shape(gt_ShapeRule *rule)
{
    char a[200], b[200];
    if (cofactor_shape(rule) != GT_OK)
        return gt_status();
    if (!gt_spec_equal(rule->input[0], rule->input[1]))
        return gt_fail(GT_INVALID, "matrices differ: %s and %s",
                       gt_spec_text(rule->input[0], a, sizeof a),
                       gt_spec_text(rule->input[1], b, sizeof b));
    const gt_Spec *in = rule->input[0];
    int64_t n = in->dims[in->rank - 1];
    rule->scratch += 2 * piece(n * n, gt_dtype_size(in->dtype));
    return GT_OK;
}

static bool cofactor_gradient_body(const Job *job, int64_t batch, char *scratch)
{
    int64_t n = job->a.rows;
    Frame frame;
    void *h = take_piece(&scratch, n * n, job->element),
         *m = take_piece(&scratch, n * n, job->element);
    if (!take_frame(job, batch, &scratch, &frame))
        return false;
    product(job, &frame, false, input_at(job, 1, batch * n * n), true, frame.vh, m);
    product(job, &frame, true, frame.u, false, m, h); /* U' G V */
    memset(m, 0, (size_t)(n * n) * job->element);
    for (int64_t i = 0; i < n; i++) {
        double between = frame.before[i];
        for (int64_t j = i + 1; j < n; j++) {
            double q = between * frame.after[j];
            between *= number_at(job, frame.s, j);
            for (int k = 0; k < 2; k++) {
                int64_t a = k ? j : i, b = k ? i : j;
                gt_number_store(job->dtype, m, a * n + a,
                                number_at(job, m, a * n + a) + q * number_at(job, h, b * n + b));
                gt_number_store(job->dtype, m, a * n + b, -q * number_at(job, h, b * n + a));
            }
        }
    }
    product(job, &frame, false, m, false, frame.vh, h);
    product(job, &frame, false, frame.u, false, h, output_at(job, 0, batch * n * n));
    return true;
}

static gt_Status cofactor_gradient_run(const gt_Kernel *kernel)
{
    return run_cofactor(kernel, cofactor_gradient_body);
}

static gt_Tensor *trace(gt_Tensor *x)
{
    x = gt_trace(x, .axis1 = -2, .axis2 = -1);
    return gt_expand_dims(gt_expand_dims(x, -1), -1);
}

/* It is symmetric in its two directions, G and that of the upstream gradient W. In A, the third
 * derivative of det, of matrices with an inverse: with X = A^-1 G, Y = A^-1 W and traces x, y of X,
 * Y det A A'^-1 ((x y - tr(X Y)) I - y X - x Y + X Y + Y X)' */
static gt_Status cofactor_gradient_rule(gt_GradientRule *rule)
{
    gt_Tensor *a = gt_input(rule, 0), *w = gt_upstream(rule, 0);
    if (gt_wants(rule, 1))
        gt_give(rule, 1, cofactor_gradient(a, w));
    if (gt_wants(rule, 0)) {
        gt_Tensor *x = solve_with(a, gt_input(rule, 1), false), *y = solve_with(a, w, false);
        gt_Tensor *xy = gt_matmul(x, y), *yx = gt_matmul(y, x);
        gt_Tensor *scale = gt_subtract(gt_multiply(trace(x), trace(y)), trace(xy));
        gt_Tensor *mixed = gt_add(gt_multiply(x, trace(y)), gt_multiply(y, trace(x)));
        gt_Tensor *sum = gt_add(gt_multiply(identity_like(a), scale), gt_add(xy, yx));
        sum = solve_with(a, transposed(gt_subtract(sum, mixed)), true);
        gt_Tensor *det = gt_expand_dims(gt_expand_dims(gt_det(a), -1), -1);
        gt_give(rule, 0, gt_multiply(sum, det));
    }
    return gt_status();
}

const gt_Operation gt_op_cofactor_gradient = {
    .size = sizeof(gt_Operation),
    .name = "cofactor_gradient",
    .formula = "d sum(G cof A) / dA",
    .flags = GT_OP_INTERNAL,
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .saves_inputs = 3,
    .shape = cofactor_gradient_shape,
    .run = cofactor_gradient_run,
    .gradient = cofactor_gradient_rule,
    .samples =
        (const gt_Sample[]){{.inputs = 2, .input = GT_INPUTS(MATRIX(3, 3), GT_ANY(3, 3))},
                            {.inputs = 2, .input = GT_INPUTS(MATRIX(2, 2, 2), GT_ANY(2, 2, 2))},
                            GT_SAMPLES_END},
};

/* ---- pinv ---- */

static gt_Status pinv_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    if (check_matrix(in, false) != GT_OK)
        return gt_status();
    Matrices a = matrices(in);
    int64_t k = a.rows < a.columns ? a.rows : a.columns;
    size_t element = gt_dtype_size(in->dtype);
    rule->output[0] = *in;
    rule->output[0].dims[in->rank - 2] = a.columns;
    rule->output[0].dims[in->rank - 1] = a.rows;
    rule->scratch = piece(a.rows * k, element) + piece(k, element) + piece(k * a.columns, element) +
                    piece(a.rows * a.columns, element) + piece(8 * k, sizeof(Int)) +
                    piece(svd_work(k, a.rows + a.columns), element);
    return GT_OK;
}

/* V diag(1 / s) U' */
static bool pinv_body(const Job *job, int64_t batch, char *scratch)
{
    int64_t rows = job->a.rows, columns = job->a.columns, k = rows < columns ? rows : columns;
    void *u = take_piece(&scratch, rows * k, job->element);
    void *s = take_piece(&scratch, k, job->element);
    void *vh = take_piece(&scratch, k * columns, job->element);
    if (!svd_into(job, batch, scratch, u, s, vh))
        return false;
    double least = rounding(job->dtype, rows, columns) * number_at(job, s, 0);
    void *y = output_at(job, 0, batch * rows * columns);
    for (int64_t i = 0; i < columns; i++)
        for (int64_t j = 0; j < rows; j++) {
            double sum = 0;
            for (int64_t l = 0; l < k && number_at(job, s, l) > least; l++)
                sum += number_at(job, vh, l * columns + i) * number_at(job, u, j * k + l) /
                       number_at(job, s, l);
            gt_number_store(job->dtype, y, i * rows + j, sum);
        }
    return true;
}

static gt_Status pinv_run(const gt_Kernel *kernel)
{
    Job job = new_job(kernel, pinv_body);
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    return find_lapack(&job, 0, "gesdd") ? run_job(&job, "has no singular values") : gt_status();
}

/* dA = -P' G P' + (I - A P) G' P P' + P' P G' (I - P A), with A of constant rank: that is the trace
 * of A P, a projection. A matrix that lacks rank has neighbours of every rank above, so that this
 * cannot be differentiated once more. */
static gt_Status pinv_gradient(gt_GradientRule *rule)
{
    gt_Tensor *a = gt_input(rule, 0), *p = gt_output(rule, 0), *g = gt_upstream(rule, 0);
    Matrices size = matrices(gt_input_spec(rule, 0));
    double most = (double)(size.rows < size.columns ? size.rows : size.columns);
    gt_Tensor *rank = gt_sum(gt_multiply(a, transposed(p)), .axes = gt_axes(-2, -1));
    gt_Tensor *full = gt_greater(rank, most - 0.5);
    p = require_later(p, full, PINV_FULL_RANK);
    gt_Tensor *gp = gt_matmul(g, p, .transpose_a = true); /* G' P */
    gt_Tensor *pg = gt_matmul(p, g, .transpose_b = true); /* P G' */
    gt_Tensor *first = gt_matmul(gt_matmul(p, g, .transpose_a = true), p, .transpose_b = true);
    gt_Tensor *left = gt_matmul(gp, p, .transpose_b = true);  /* G' P P' */
    gt_Tensor *right = gt_matmul(p, pg, .transpose_a = true); /* P' P G' */
    left = gt_subtract(left, gt_matmul(a, gt_matmul(p, left)));
    right = gt_subtract(right, gt_matmul(gt_matmul(right, p), a));
    return gt_give(rule, 0, gt_subtract(gt_add(left, right), first));
}

const gt_Operation gt_op_pinv = {
    .size = sizeof(gt_Operation),
    .name = "pinv",
    .formula = "the Moore-Penrose inverse",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .saves_inputs = 1,
    .saves_outputs = 1,
    .shape = pinv_shape,
    .run = pinv_run,
    .gradient = pinv_gradient,
    .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(MATRIX(3, 2))},
                                   {.inputs = 1, .input = GT_INPUTS(MATRIX(2, 2, 3))},
                                   GT_SAMPLES_END},
};
GT_DEFINE_UNARY(pinv)

/* ---- eigh ---- */

static int64_t eigh_work(int64_t n)
{
    return 1 + 6 * n + 2 * n * n;
}

static gt_Status eigh_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    if (check_matrix(in, true) != GT_OK)
        return gt_status();
    rule->output[0] = rule->output[1] = *in;
    rule->output[0].rank--;
    int64_t n = in->dims[in->rank - 1];
    size_t element = gt_dtype_size(in->dtype);
    rule->scratch =
        piece(n * n, element) + piece(eigh_work(n), element) + piece(3 + 5 * n, sizeof(Int));
    return GT_OK;
}

static bool eigh_body(const Job *job, int64_t batch, char *scratch)
{
    int64_t rows = job->a.rows;
    if (!is_finite(job, batch))
        return false;
    void *a = take_piece(&scratch, rows * rows, job->element);
    void *work = take_piece(&scratch, eigh_work(rows), job->element);
    Int *iwork = take_piece(&scratch, 3 + 5 * rows, sizeof(Int));
    Int n = (Int)rows, iwork_length = 3 + 5 * n, info = 0;
    Int length = eigh_work(rows) < INT32_MAX ? (Int)eigh_work(rows) : INT32_MAX;
    symmetric_copy(job, input_at(job, 0, batch * rows * rows), a);
    ((Syevd *)job->lapack[0])("V", "L", &n, a, &n, output_at(job, 0, batch * rows), work, &length,
                              iwork, &iwork_length, &info, 1, 1);
    transpose_copy(job, rows, rows, a, output_at(job, 1, batch * rows * rows));
    return info == 0;
}

static gt_Status eigh_run(const gt_Kernel *kernel)
{
    Job job = new_job(kernel, eigh_body);
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    return find_lapack(&job, 0, "syevd") ? run_job(&job, "has no eigenvalues") : gt_status();
}

/* With F = 1 / (w[j] - w[i]): dA = the symmetric part of V (F V' dV + dW) V'. */
static gt_Status eigh_gradient(gt_GradientRule *rule)
{
    gt_Tensor *w = gt_output(rule, 0), *v = gt_output(rule, 1), *dv = gt_upstream(rule, 1);
    gt_Tensor *middle = on_diagonal(upstream_or_zero(rule, 0));
    if (dv) {
        int64_t n = matrices(gt_input_spec(rule, 0)).rows;
        gt_Tensor *gaps =
            inverse_gaps(w, largest_along(dv, -2), rounding(gt_dtype(w), n, n), EIGENVALUES_DIFFER);
        middle = gt_add(middle, gt_multiply(gt_matmul(v, dv, .transpose_a = true), gaps));
    }
    gt_Tensor *da = gt_matmul(gt_matmul(v, middle), v, .transpose_b = true);
    return gt_give(rule, 0, symmetrized(da));
}

const gt_Operation gt_op_eigh = {
    .size = sizeof(gt_Operation),
    .name = "eigh",
    .formula = "w and V with V diag(w) V' = (A + A') / 2",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 2,
    .saves_outputs = 3,
    .shape = eigh_shape,
    .run = eigh_run,
    .gradient = eigh_gradient,
    .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(MATRIX(3, 3))},
                                   {.inputs = 1, .input = GT_INPUTS(MATRIX(2, 2, 2))},
                                   GT_SAMPLES_END},
};

static gt_Eigh eigh(gt_Tensor *x)
{
    gt_Tensor *out[2] = {NULL, NULL};
    gt_apply(NULL, &gt_op_eigh, NULL, 1, &x, out);
    return (gt_Eigh){out[0], out[1]};
}
GT_COMPOSED_BY(gt_Eigh, eigh, eigh, (const char *here, gt_Tensor *x), (x))

/* ---- norms ---- */

/* (sum of x^p)^(1 / p) of x >= 0, relative to the largest x, so that no power overflows or underflows that
 * matters. The result does not depend on what it is relative to, hence no gradient goes there. */
static gt_Tensor *power_norm(gt_Tensor *x, double p, const gt_ReduceOptions *over)
{
    gt_Spec in = gt_spec(x), out;
    uint32_t bits;
    if (gt_status() != GT_OK || !gt_axis_or_axes(over->axis, &over->axes, in.rank, &bits))
        return NULL;
    if (gt_reduced_count(&in, bits) == 0)
        return gt_power(gt_sum_at(NULL, x, over), 1 / p);
    gt_ReduceOptions kept = {sizeof kept, over->axis, over->axes, true};
    gt_Tensor *largest = gt_stop_gradient(gt_apply_one(NULL, &gt_op_max, &kept, 1, &x));
    largest = gt_where(gt_logical_and(gt_greater(largest, 0), gt_isfinite(largest)), largest, 1);
    gt_reduced_shape(&in, bits, over->keepdims, &out);
    gt_Tensor *sum = gt_sum_at(NULL, gt_power(gt_divide(x, largest), p), over);
    return gt_multiply(gt_power(sum, 1 / p), gt_reshape(largest, gt_spec_shape(&out)));
}

static gt_Tensor *norm(gt_Tensor *x, const gt_NormOptions *given)
{
    gt_NormOptions options;
    gt_options_fill(GT_STRUCT_TYPE(gt_NormOptions), &options, given);
    gt_ReduceOptions over = {sizeof over, options.axis, options.axes, options.keepdims};
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
        return gt_apply_one(NULL, p > 0 ? &gt_op_max : &gt_op_min, &over, 1, &x);
    if (isnan(p)) {
        gt_fail(GT_INVALID, "ord is not a number");
        return NULL;
    }
    return power_norm(x, p, &over);
}
GT_COMPOSED_OPTIONS(norm, norm, gt_NormOptions)

static gt_Tensor *matrix_norm(gt_Tensor *x, gt_MatrixNorm which)
{
    x = gt_as_float(x);
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK || check_matrix(&spec, false) != GT_OK)
        return NULL;
    switch (which) {
    case GT_NORM_FROBENIUS:
        return gt_norm(x, .axes = gt_axes(-2, -1));
    case GT_NORM_NUCLEAR:
        return gt_sum(gt_svd(x).s, .axis = -1);
    case GT_NORM_SPECTRAL:
        return gt_max(gt_svd(x).s, .axis = -1);
    case GT_NORM_ONE:
        return gt_max(gt_sum(gt_abs(x), .axis = -2), .axis = -1);
    case GT_NORM_INFINITY:
        return gt_max(gt_sum(gt_abs(x), .axis = -1), .axis = -1);
    }
    gt_fail(GT_INVALID, "there is no matrix norm number %d", (int)which);
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
        gt_fail(GT_INVALID, "it takes rows of the same length, not %s and %s",
                gt_shape_text(gt_spec_shape(&of_x), s, sizeof s),
                gt_shape_text(gt_spec_shape(&of_y), t, sizeof t));
        return NULL;
    }
    gt_Tensor *apart = gt_subtract(gt_expand_dims(x, -2), gt_expand_dims(y, -3));
    return gt_norm(apart, .axis = -1);
}
GT_COMPOSED(cdist, (const char *here, gt_Tensor *x, gt_Tensor *y), (x, y))
