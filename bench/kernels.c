/* Times of the inner loops, in nanoseconds a number, for each instruction set of this build that
 * the processor has: 4096 numbers, so all in the first caches. The rivals take turns, and the least
 * of many rounds counts, for a neighbour on the same machine can only add. The last column is a
 * plain loop over the C library, where it has the function. */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "kernels/kernels.h"
#include "kernels/update.h"

enum { N = 4096, ROUNDS = 200, MOST_TABLES = 3 };

static const gt_KernelTable *tables[MOST_TABLES];
static int table_count;
static double a[N], b[N], c[N], y[N];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

typedef void Run(const gt_KernelTable *table, int id, int type);
typedef double Library(double x);

static void run_unary(const gt_KernelTable *table, int id, int type)
{
    table->unary[id][type](N, a, y);
}
static void run_binary(const gt_KernelTable *table, int id, int type)
{
    table->binary[id][type](N, a, 1, b, 1, y);
}
static void run_compare(const gt_KernelTable *table, int id, int type)
{
    table->compare[id][type](N, a, 1, b, 1, y);
}
static void run_select(const gt_KernelTable *table, int id, int type)
{
    (void)id;
    table->select[type + 2](N, (const uint8_t *)c, 1, a, 1, b, 1, y);
}
static void run_cast(const gt_KernelTable *table, int id, int type)
{
    table->cast[type][id](N, a, y);
}
static void run_reduce(const gt_KernelTable *table, int id, int type)
{
    table->reduce[id][type](N, a, y);
}
static void run_columns(const gt_KernelTable *table, int columns, int type)
{
    table->reduce_columns[GT_LOOP_SUM][type](N / columns, columns, columns, a, y);
}
static void run_softmax(const gt_KernelTable *table, int columns, int type)
{
    table->softmax[type](N / columns, columns, a, y);
}
static void run_log_softmax(const gt_KernelTable *table, int columns, int type)
{
    table->log_softmax[type](N / columns, columns, a, y);
}
/* The update of one variable with its slots, whose memory stands at both ends (kernels/update.h). */
static gt_UpdateJob update_of(int slots, int type)
{
    return (gt_UpdateJob){.type = (uint8_t)type,
                          .rate = GT_LOOP_F64,
                          .slots = (uint8_t)slots,
                          .accumulation = 1,
                          .size = N,
                          .width = N,
                          .parts = 1};
}
static void run_adam(const gt_KernelTable *table, int id, int type)
{
    double rate = 1e-3;
    int64_t count = 0;
    void *at[] = {y, b, c, a, &rate, &count, y, b, c};
    gt_AdamJob job = {update_of(2, type), .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7};
    (void)id;
    table->tile[GT_TILES_adam](&job, at, 0, (N + GT_TILE_ELEMENTS - 1) / GT_TILE_ELEMENTS, NULL);
}
static void run_sgd(const gt_KernelTable *table, int id, int type)
{
    double rate = 1e-3;
    int64_t count = 0;
    void *at[] = {y, b, a, &rate, &count, y, b};
    gt_SgdJob job = {update_of(1, type), .momentum = 0.9, .nesterov = true};
    (void)id;
    table->tile[GT_TILES_sgd](&job, at, 0, (N + GT_TILE_ELEMENTS - 1) / GT_TILE_ELEMENTS, NULL);
}
static void run_uniform(const gt_KernelTable *table, int id, int type)
{
    (void)id;
    table->random_uniform[type]((gt_PhiloxKey){1, 2}, 0, N, y);
}
static void run_normal(const gt_KernelTable *table, int id, int type)
{
    (void)id;
    table->random_normal[type]((gt_PhiloxKey){1, 2}, 0, N, y);
}
static void run_transpose(const gt_KernelTable *table, int rows, int type)
{
    table->transpose[type + 2](rows, N / rows, a, N / rows, y, rows);
}

static void fill(int type)
{
    for (int i = 0; i < N; i++) {
        double x = 0.1 + 0.8 * i / N;
        if (type == GT_LOOP_F32) {
            ((float *)a)[i] = (float)x;
            ((float *)b)[i] = (float)(1 - x);
        } else {
            a[i] = x;
            b[i] = 1 - x;
        }
    }
    for (int i = 0; i < N; i++)
        ((uint8_t *)c)[i] = (i * 7 >> 2) & 1;
}

static void library_loop(Library *function, int type)
{
    if (type == GT_LOOP_F32) {
        for (int i = 0; i < N; i++)
            ((float *)y)[i] = (float)function(((float *)a)[i]);
    } else {
        for (int i = 0; i < N; i++)
            y[i] = function(a[i]);
    }
}

static void report(const char *name, Run *run, int id, Library *library)
{
    printf("%-18s", name);
    for (int type = 0; type < 2; type++) {
        double least[MOST_TABLES + 1] = {1e18, 1e18, 1e18, 1e18};
        fill(type);
        for (int round = 0; round < ROUNDS; round++) {
            for (int t = 0; t <= table_count; t++) {
                double start = now();
                if (t < table_count)
                    run(tables[t], id, type);
                else if (library)
                    library_loop(library, type);
                double time = now() - start;
                least[t] = time < least[t] ? time : least[t];
            }
        }
        printf("  %s", type == 0 ? "f32" : "f64");
        for (int t = 0; t < table_count; t++)
            printf(" %7.3f", least[t] / N);
        if (library)
            printf(" %7.3f", least[table_count] / N);
        else
            printf("       -");
    }
    printf("\n");
}

int main(void)
{
    tables[table_count++] = &gt_kernels_base;
#ifdef GT_HAVE_V3
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        tables[table_count++] = &gt_kernels_v3;
#endif
#ifdef GT_HAVE_V4
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        tables[table_count++] = &gt_kernels_v4;
#endif
    printf("ns a number:");
    for (int t = 0; t < table_count; t++)
        printf(" %s", tables[t]->isa);
    printf(" library\n");

    report("exp", run_unary, GT_LOOP_EXP, exp);
    report("expm1", run_unary, GT_LOOP_EXPM1, expm1);
    report("log", run_unary, GT_LOOP_LOG, log);
    report("log1p", run_unary, GT_LOOP_LOG1P, log1p);
    report("log2", run_unary, GT_LOOP_LOG2, log2);
    report("log10", run_unary, GT_LOOP_LOG10, log10);
    report("sin", run_unary, GT_LOOP_SIN, sin);
    report("cos", run_unary, GT_LOOP_COS, cos);
    report("tan", run_unary, GT_LOOP_TAN, tan);
    report("arcsin", run_unary, GT_LOOP_ARCSIN, asin);
    report("arccos", run_unary, GT_LOOP_ARCCOS, acos);
    report("arctan", run_unary, GT_LOOP_ARCTAN, atan);
    report("sinh", run_unary, GT_LOOP_SINH, sinh);
    report("cosh", run_unary, GT_LOOP_COSH, cosh);
    report("tanh", run_unary, GT_LOOP_TANH, tanh);
    report("arcsinh", run_unary, GT_LOOP_ARCSINH, asinh);
    report("arctanh", run_unary, GT_LOOP_ARCTANH, atanh);
    report("erf", run_unary, GT_LOOP_ERF, erf);
    report("erfc", run_unary, GT_LOOP_ERFC, erfc);
    report("sigmoid", run_unary, GT_LOOP_SIGMOID, NULL);
    report("softplus", run_unary, GT_LOOP_SOFTPLUS, NULL);
    report("sqrt", run_unary, GT_LOOP_SQRT, sqrt);
    report("relu", run_unary, GT_LOOP_RELU, NULL);
    report("floor", run_unary, GT_LOOP_FLOOR, floor);
    report("round", run_unary, GT_LOOP_ROUND, rint);
    report("add", run_binary, GT_LOOP_ADD, NULL);
    report("divide", run_binary, GT_LOOP_DIVIDE, NULL);
    report("maximum", run_binary, GT_LOOP_MAXIMUM, NULL);
    report("floor_divide", run_binary, GT_LOOP_FLOOR_DIVIDE, NULL);
    report("power", run_binary, GT_LOOP_POWER, NULL);
    report("arctan2", run_binary, GT_LOOP_ARCTAN2, NULL);
    report("tanh_gradient", run_binary, GT_LOOP_TANH_GRADIENT, NULL);
    report("less", run_compare, GT_LOOP_LESS, NULL);
    report("select", run_select, 0, NULL);
    report("cast to i32", run_cast, GT_LOOP_I32, NULL);
    report("cast to i64", run_cast, GT_LOOP_I64, NULL);
    report("cast to f64", run_cast, GT_LOOP_F64, NULL);
    report("cast to bool", run_cast, GT_LOOP_BOOL, NULL);
    report("sum", run_reduce, GT_LOOP_SUM, NULL);
    report("max", run_reduce, GT_LOOP_MAX, NULL);
    report("columns of 10", run_columns, 10, NULL);
    report("columns of 128", run_columns, 128, NULL);
    report("softmax of 10", run_softmax, 10, NULL);
    report("softmax of 1024", run_softmax, 1024, NULL);
    report("log_softmax of 10", run_log_softmax, 10, NULL);
    report("adam", run_adam, 0, NULL);
    report("sgd", run_sgd, 0, NULL);
    report("random_uniform", run_uniform, 0, NULL);
    report("random_normal", run_normal, 0, NULL);
    report("transpose 64 x 64", run_transpose, 64, NULL);
    report("transpose 10 x 409", run_transpose, 10, NULL);
    return 0;
}
