/* Times single operations for bench/elementwise.py, which asks NumPy and PyTorch the same in turns.
 * Reads lines `CASE TYPE ROWS COLUMNS` and answers each with nanoseconds a call, or `-` for a case that
 * there is not. A call is what a program writes: a scope, the operation, the end of the scope. The
 * cases `copy` and `triad` are what the memory gives to memcpy and to a plain loop, and those that end
 * in `_bare` call OpenBLAS with nothing around it, so they say what gradtape adds. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "blas.h"
#include "gradtape.h"

/* x within +-3, p and q within 0.1 and 2, m with a heavy diagonal: a matrix for linear algebra, and
 * s = m m', which is symmetric and positive. */
typedef struct Data {
    gt_DType type;
    int64_t rows, columns, size;
    gt_Tensor *x, *p, *q, *flags, *whole;
    void *a, *b, *c, *s; /* for memcpy, triad and OpenBLAS */
    void *work, *tau;
    int *pivots;
    int length;
} Data;

static gt_Blas blas;
static BlasGemmF32 *gemm_f32;
static BlasGemmF64 *gemm_f64;
static Data data;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

/* Numbers that jump about in [0, 1), the same in every program that is asked. */
static double number(int64_t i)
{
    return (double)(i * 7919 % 10007) / 10007;
}

static size_t width(void)
{
    return data.type == GT_FLOAT32 ? sizeof(float) : sizeof(double);
}

static void set(void *to, int64_t i, double value)
{
    if (data.type == GT_FLOAT32)
        ((float *)to)[i] = (float)value;
    else
        ((double *)to)[i] = value;
}

static gt_Tensor *made(double low, double high)
{
    for (int64_t i = 0; i < data.size; i++)
        set(data.a, i, low + (high - low) * number(i));
    return gt_from_data(data.a, gt_shape(data.rows, data.columns), data.type);
}

/* The matrices of linear algebra: s = m + m' + a heavy diagonal. */
static void fill_square(void)
{
    const int64_t n = data.rows;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) {
            const double heavy = i == j ? (double)n : 0;
            set(data.a, i * n + j, number(i * n + j) - 0.5 + heavy);
            set(data.s, i * n + j, number(i * n + j) + number(j * n + i) - 1 + heavy);
        }
    }
}

static gt_Scope *holds; /* the tensors of `data` */

static void let_go(void)
{
    gt_scope_end(holds);
    free(data.a);
    free(data.b);
    free(data.c);
    free(data.s);
    free(data.work);
    free(data.tau);
    free(data.pivots);
    memset(&data, 0, sizeof data);
}

static bool prepare(gt_DType type, int64_t rows, int64_t columns)
{
    if (data.size > 0 && data.type == type && data.rows == rows && data.columns == columns)
        return true;
    if (data.size > 0)
        let_go();
    holds = gt_scope_begin();
    data.type = type;
    data.rows = rows;
    data.columns = columns;
    data.size = rows * columns;
    data.length = (int)(8 * rows + 64 * rows);
    if (rows == columns && rows <= 1024)
        data.length = (int)(8 * rows * rows + 64 * rows + 1000);
    const size_t bytes = (size_t)data.size * width();
    data.a = malloc(bytes);
    data.b = malloc(bytes);
    data.c = malloc(bytes);
    data.s = malloc(bytes);
    data.work = malloc((size_t)data.length * width());
    data.tau = malloc((size_t)rows * width());
    data.pivots = malloc((size_t)(8 * rows + 8) * sizeof(int));
    if (!data.a || !data.b || !data.c || !data.s || !data.work || !data.tau || !data.pivots)
        return false;
    data.x = made(-3, 3);
    data.p = made(0.1, 2);
    data.q = made(2, 0.1);
    data.flags = gt_greater(data.x, 0);
    data.whole = gt_cast(gt_multiply(data.x, 1000), GT_INT32);
    memset(data.c, 1, bytes);
    memcpy(data.b, data.a, bytes);
    if (rows == columns) {
        fill_square();
        data.p = gt_from_data(data.a, gt_shape(rows, rows), type);
        data.q = gt_from_data(data.s, gt_shape(rows, rows), type);
    }
    return gt_status() == GT_OK;
}

/* ---- cases ---- */

#define OPERATION(name, expression)                                                                \
    static void name(void)                                                                         \
    {                                                                                              \
        gt_Scope *scope = gt_scope_begin();                                                        \
        expression;                                                                                \
        gt_scope_end(scope);                                                                       \
    }
OPERATION(run_add, gt_add(data.x, data.p))
OPERATION(run_multiply, gt_multiply(data.x, data.p))
OPERATION(run_relu, gt_relu(data.x))
OPERATION(run_exp, gt_exp(data.x))
OPERATION(run_log, gt_log(data.p))
OPERATION(run_tanh, gt_tanh(data.x))
OPERATION(run_sigmoid, gt_sigmoid(data.x))
OPERATION(run_erf, gt_erf(data.x))
OPERATION(run_gelu, gt_gelu(data.x, .approximate = false))
OPERATION(run_gelu_tanh, gt_gelu(data.x, .approximate = true))
OPERATION(run_silu, gt_silu(data.x))
OPERATION(run_sin, gt_sin(data.x))
OPERATION(run_power, gt_power(data.p, data.q))
OPERATION(run_where, gt_where(data.flags, data.x, data.p))
OPERATION(run_cast_other, gt_cast(data.x, data.type == GT_FLOAT32 ? GT_FLOAT64 : GT_FLOAT32))
OPERATION(run_cast_i32, gt_cast(data.x, GT_INT32))
OPERATION(run_cast_from_i32, gt_cast(data.whole, data.type))
OPERATION(run_cast_bool, gt_cast(data.x, GT_BOOL))
OPERATION(run_less, gt_less(data.x, data.p))
OPERATION(run_sum, gt_sum(data.x))
OPERATION(run_sum_0, gt_sum(data.x, .axis = 0))
OPERATION(run_sum_1, gt_sum(data.x, .axis = -1))
OPERATION(run_mean, gt_mean(data.x))
OPERATION(run_max, gt_max(data.x))
OPERATION(run_argmax, gt_argmax(data.x, .axis = -1))
OPERATION(run_softmax, gt_softmax(data.x))
OPERATION(run_logsumexp, gt_logsumexp(data.x, .axis = -1))
OPERATION(run_cumsum, gt_cumsum(data.x, .axis = -1))
OPERATION(run_transpose, gt_transpose(data.x))
OPERATION(run_solve, gt_solve(data.p, data.x))
OPERATION(run_inv, gt_inv(data.p))
OPERATION(run_cholesky, gt_cholesky(data.q))
OPERATION(run_qr, gt_qr(data.p))
OPERATION(run_svd, gt_svd(data.p))
OPERATION(run_eigh, gt_eigh(data.q))
OPERATION(run_matmul, gt_matmul(data.p, data.x))

static void run_copy(void)
{
    memcpy(data.c, data.a, (size_t)data.size * width());
    __asm__ volatile("" : : "r"(data.c) : "memory");
}

static void run_triad(void)
{
    if (data.type == GT_FLOAT32) {
        const float *a = data.a, *b = data.b;
        float *c = data.c;
        for (int64_t i = 0; i < data.size; i++)
            c[i] = a[i] + 0.5f * b[i];
    } else {
        const double *a = data.a, *b = data.b;
        double *c = data.c;
        for (int64_t i = 0; i < data.size; i++)
            c[i] = a[i] + 0.5 * b[i];
    }
    __asm__ volatile("" : : "r"(data.c) : "memory");
}

/* The function of LAPACK or BLAS, with s or d before its name. LAPACK destroys its input, so a copy of
 * the matrix is part of each call: in column-major order it is the transposed one, which is as hard. */
static gt_BlasFunction *function(const char *name)
{
    static char symbol[16];
    snprintf(symbol, sizeof symbol, "%c%s_", data.type == GT_FLOAT32 ? 's' : 'd', name);
    return gt_blas_function(&blas, symbol);
}

typedef int Int;
static void *matrix_copy(const void *from)
{
    memcpy(data.c, from, (size_t)data.size * width());
    return data.c;
}

static void run_solve_bare(void)
{
    typedef void Gesv(const Int *, const Int *, void *, const Int *, Int *, void *, const Int *,
                      Int *);
    const Int n = (Int)data.rows;
    Int info;
    ((Gesv *)function("gesv"))(&n, &n, matrix_copy(data.a), &n, data.pivots, data.b, &n, &info);
}

static void run_inv_bare(void)
{
    typedef void Getrf(const Int *, const Int *, void *, const Int *, Int *, Int *);
    typedef void Getri(const Int *, void *, const Int *, const Int *, void *, const Int *, Int *);
    const Int n = (Int)data.rows;
    Int info;
    void *a = matrix_copy(data.a);
    ((Getrf *)function("getrf"))(&n, &n, a, &n, data.pivots, &info);
    ((Getri *)function("getri"))(&n, a, &n, data.pivots, data.work, &data.length, &info);
}

static void run_cholesky_bare(void)
{
    typedef void Potrf(const char *, const Int *, void *, const Int *, Int *, size_t);
    const Int n = (Int)data.rows;
    Int info;
    ((Potrf *)function("potrf"))("U", &n, matrix_copy(data.s), &n, &info, 1);
}

static void run_qr_bare(void)
{
    typedef void Geqrf(const Int *, const Int *, void *, const Int *, void *, void *, const Int *,
                       Int *);
    typedef void Orgqr(const Int *, const Int *, const Int *, void *, const Int *, const void *,
                       void *, const Int *, Int *);
    const Int n = (Int)data.rows;
    Int info;
    void *a = matrix_copy(data.a);
    ((Geqrf *)function("geqrf"))(&n, &n, a, &n, data.tau, data.work, &data.length, &info);
    ((Orgqr *)function("orgqr"))(&n, &n, &n, a, &n, data.tau, data.work, &data.length, &info);
}

static void run_svd_bare(void)
{
    typedef void Gesdd(const char *, const Int *, const Int *, void *, const Int *, void *, void *,
                       const Int *, void *, const Int *, void *, const Int *, Int *, Int *, size_t);
    const Int n = (Int)data.rows;
    Int info;
    char *u = data.b, *v = data.s; /* s is spoilt: fill_square makes it again */
    ((Gesdd *)function("gesdd"))("S", &n, &n, matrix_copy(data.a), &n, data.tau, u, &n, v, &n,
                                 data.work, &data.length, data.pivots, &info, 1);
}

static void run_eigh_bare(void)
{
    typedef void Syevd(const char *, const char *, const Int *, void *, const Int *, void *, void *,
                       const Int *, Int *, const Int *, Int *, size_t, size_t);
    const Int n = (Int)data.rows, whole = 8 * n + 8;
    Int info;
    ((Syevd *)function("syevd"))("V", "L", &n, matrix_copy(data.s), &n, data.tau, data.work,
                                 &data.length, data.pivots, &whole, &info, 1, 1);
}

static void run_matmul_bare(void)
{
    const int n = (int)data.rows;
    if (data.type == GT_FLOAT32)
        gemm_f32(BLAS_ROW_MAJOR, BLAS_PLAIN, BLAS_PLAIN, n, n, n, 1, data.a, n, data.b, n, 0,
                 data.c, n);
    else
        gemm_f64(BLAS_ROW_MAJOR, BLAS_PLAIN, BLAS_PLAIN, n, n, n, 1, data.a, n, data.b, n, 0,
                 data.c, n);
}

typedef struct Case {
    const char *name;
    void (*run)(void);
    bool needs_blas;
} Case;
#define CASE(name)                                                                                 \
    {                                                                                              \
#name, run_##name, false                                                                   \
    }
#define BARE(name)                                                                                 \
    {                                                                                              \
#name "_bare", run_##name##_bare, true                                                     \
    }
static const Case cases[] = {
    CASE(copy),      CASE(triad),      CASE(add),      CASE(multiply),      CASE(relu),
    CASE(exp),       CASE(log),        CASE(tanh),     CASE(sigmoid),       CASE(erf),
    CASE(gelu),      CASE(gelu_tanh),  CASE(silu),     CASE(sin),           CASE(power),
    CASE(where),     CASE(cast_other), CASE(cast_i32), CASE(cast_from_i32), CASE(cast_bool),
    CASE(less),      CASE(sum),        CASE(sum_0),    CASE(sum_1),         CASE(mean),
    CASE(max),       CASE(argmax),     CASE(softmax),  CASE(logsumexp),     CASE(cumsum),
    CASE(transpose), CASE(solve),      CASE(inv),      CASE(cholesky),      CASE(qr),
    CASE(svd),       CASE(eigh),       CASE(matmul),   BARE(solve),         BARE(inv),
    BARE(cholesky),  BARE(qr),         BARE(svd),      BARE(eigh),          BARE(matmul),
};

/* Once to warm up and to see how long it takes, then as often as fills some milliseconds. */
static double measure(void (*run)(void))
{
    double start = now();
    run();
    double once = now() - start;
    int times = once > 0 ? (int)(4e6 / once) : 1000;
    times = times < 1 ? 1 : times > 100000 ? 100000 : times;
    start = now();
    for (int i = 0; i < times; i++)
        run();
    return (now() - start) / times;
}

int main(void)
{
    char line[256], name[64], type[16];
    const bool has_blas = gt_blas_load(&blas);
    gemm_f32 = blas_gemm_f32(&blas);
    gemm_f64 = blas_gemm_f64(&blas);
    if (blas.set_threads)
        blas.set_threads(1);
    printf("%s\n", gt_build_info());
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        long long rows, columns;
        if (sscanf(line, "%63s %15s %lld %lld", name, type, &rows, &columns) != 4)
            break;
        const Case *found = NULL;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
            if (strcmp(cases[i].name, name) == 0)
                found = &cases[i];
        if (!prepare(strcmp(type, "f64") == 0 ? GT_FLOAT64 : GT_FLOAT32, rows, columns))
            break;
        if (found && (!found->needs_blas || has_blas)) {
            printf("%.1f\n", measure(found->run));
            if (strcmp(name, "svd_bare") == 0)
                fill_square();
        } else {
            printf("-\n");
        }
        if (gt_status() != GT_OK)
            break;
        fflush(stdout);
    }
    if (gt_status() != GT_OK)
        fprintf(stderr, "%s\n", gt_error_message());
    if (data.size > 0)
        let_go();
    gt_blas_unload(&blas);
    bool failed = gt_status() != GT_OK;
    gt_context_free(NULL);
    return failed;
}
