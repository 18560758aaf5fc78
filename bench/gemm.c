/* The own matrix product against OpenBLAS on one thread, taken in turns within each round, so that
 * a busy neighbour slows both. Prints medians, their ratio, and the share of the peak that a
 * product without memory traffic reaches in the same minute. Leans on core/blas and kernels/gemm.
 *
 * bench_gemm [--f64] [--rounds N] [M N K [NN|NT|TN|TT]] */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "../core/blas.h"
#include "../kernels/kernels.h"

typedef struct Own {
    const char *isa;
    gt_GemmLoop *gemm[2];
    size_t (*scratch[2])(int64_t m, int64_t n, int64_t k);
} Own;

#define DECLARE(isa)                                                                               \
    gt_GemmLoop gt_gemm_f32_##isa, gt_gemm_f64_##isa;                                              \
    size_t gt_gemm_scratch_f32_##isa(int64_t m, int64_t n, int64_t k);                             \
    size_t gt_gemm_scratch_f64_##isa(int64_t m, int64_t n, int64_t k);
#define OWN(isa)                                                                                   \
    {                                                                                              \
#isa, {gt_gemm_f32_##isa, gt_gemm_f64_##isa },                                             \
        {                                                                                          \
            gt_gemm_scratch_f32_##isa, gt_gemm_scratch_f64_##isa                                   \
        }                                                                                          \
    }
DECLARE(base)
#ifdef GT_HAVE_V3
DECLARE(v3)
#endif
#ifdef GT_HAVE_V4
DECLARE(v4)
#endif

static Own pick(void)
{
    const Own base = OWN(base);
#ifdef GT_HAVE_V4
    const Own v4 = OWN(v4);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return v4;
#endif
#ifdef GT_HAVE_V3
    const Own v3 = OWN(v3);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return v3;
#endif
    return base;
}

/* Time this thread was given: what others took from it does not count. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, by_value);
    return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

/* Multiply-adds in registers and nothing else, for about a millisecond: what the processor gives at
 * this moment, in flops a second. 0 where this file knows no such loop. */
#if defined(__x86_64__)
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 12")
#endif
#define PROBE(name, isa, vector, lanes, set, fma)                                                  \
    __attribute__((target(isa))) static double name(void)                                          \
    {                                                                                              \
        enum { SUMS = 12, TURNS = 200000 };                                                        \
        vector sum[SUMS], x = set(1.0001f), y = set(0.5f);                                         \
        UNROLL                                                                                     \
        for (int i = 0; i < SUMS; i++)                                                             \
            sum[i] = set((float)i);                                                                \
        const double from = now();                                                                 \
        for (int t = 0; t < TURNS; t++) {                                                          \
            UNROLL                                                                                 \
            for (int i = 0; i < SUMS; i++)                                                         \
                sum[i] = fma(sum[i], x, y);                                                        \
            __asm__ volatile("" : "+x"(x));                                                        \
        }                                                                                          \
        const double took = now() - from;                                                          \
        UNROLL                                                                                     \
        for (int i = 0; i < SUMS; i++)                                                             \
            __asm__ volatile("" : : "x"(sum[i]));                                                  \
        return 2.0 * lanes * SUMS * TURNS / took;                                                  \
    }
PROBE(probe_v3, "avx2,fma", __m256, 8, _mm256_set1_ps, _mm256_fmadd_ps)
PROBE(probe_v4, "avx512f", __m512, 16, _mm512_set1_ps, _mm512_fmadd_ps)
#endif

static double peak(const Own *own, int type)
{
    double rate = 0;
#if defined(__x86_64__)
    if (strcmp(own->isa, "v4") == 0)
        rate = probe_v4();
    else if (strcmp(own->isa, "v3") == 0)
        rate = probe_v3();
#endif
    return type ? rate / 2 : rate;
}

typedef struct Case {
    int m, n, k;
    const char *how;
} Case;

static void *filled(int type, size_t count, size_t step)
{
    void *x = malloc(count * (type ? sizeof(double) : sizeof(float)));
    for (size_t i = 0; i < count && x != NULL; i++) {
        const double value = (double)(i * step % 1000) / 1000 - 0.5;
        if (type)
            ((double *)x)[i] = value;
        else
            ((float *)x)[i] = (float)value;
    }
    return x;
}

static bool measure(const Own *own, const gt_Blas *blas, int type, int rounds, const Case *p)
{
    const int m = p->m, n = p->n, k = p->k;
    const bool ta = p->how[0] == 'T', tb = p->how[1] == 'T';
    const int lda = ta ? m : k, ldb = tb ? k : n;
    const int how_a = ta ? GT_BLAS_TRANSPOSED : GT_BLAS_PLAIN;
    const int how_b = tb ? GT_BLAS_TRANSPOSED : GT_BLAS_PLAIN;
    const size_t need = own->scratch[type](m, n, k);
    void *a = filled(type, (size_t)m * (size_t)k, 7919);
    void *b = filled(type, (size_t)k * (size_t)n, 104729);
    void *c = filled(type, (size_t)m * (size_t)n, 1);
    void *scratch = aligned_alloc(64, (need + 63) / 64 * 64);
    double *ours = malloc((size_t)rounds * sizeof(double));
    double *theirs = malloc((size_t)rounds * sizeof(double));
    double *probes = malloc((size_t)rounds * sizeof(double));
    const bool fits = a && b && c && scratch && ours && theirs && probes;
    if (fits) {
        const double flops = 2.0 * m * n * k;
        int repeat = (int)(2e7 / flops);
        repeat = repeat < 1 ? 1 : repeat > 20000 ? 20000 : repeat;
        for (int round = -1; round < rounds; round++) {
            const double start = now();
            for (int i = 0; i < repeat; i++)
                own->gemm[type](ta, tb, m, n, k, a, lda, b, ldb, c, n, scratch);
            const double middle = now();
            for (int i = 0; i < repeat && blas->loaded; i++) {
                if (type)
                    blas->gemm_f64(GT_BLAS_ROW_MAJOR, how_a, how_b, m, n, k, 1, a, lda, b, ldb, 0,
                                   c, n);
                else
                    blas->gemm_f32(GT_BLAS_ROW_MAJOR, how_a, how_b, m, n, k, 1, a, lda, b, ldb, 0,
                                   c, n);
            }
            const double end = now();
            if (round < 0)
                continue; /* the first is for the caches */
            ours[round] = (middle - start) / repeat;
            theirs[round] = (end - middle) / repeat;
            probes[round] = peak(own, type);
        }
        const double mine = median(ours, rounds), other = median(theirs, rounds);
        const double rate = median(probes, rounds);
        char shape[64];
        snprintf(shape, sizeof shape, "%s %dx%dx%d", p->how, m, n, k);
        printf("%-20s %11.3f %8.1f %6.0f%%", shape, mine * 1e6, flops / mine * 1e-9,
               rate > 0 ? 100 * flops / mine / rate : 0);
        if (blas->loaded)
            printf(" %11.3f %8.2f", other * 1e6, other / mine);
        printf("\n");
        fflush(stdout);
    }
    free(a);
    free(b);
    free(c);
    free(scratch);
    free(ours);
    free(theirs);
    free(probes);
    return fits;
}

int main(int count, char **words)
{
    static const Case cases[] = {
        {4, 4, 4, "NN"},          {8, 8, 8, "NN"},          {16, 16, 4, "NN"},
        {16, 16, 16, "NN"},       {16, 16, 16, "NT"},       {16, 16, 16, "TN"},
        {32, 32, 32, "NN"},       {32, 32, 32, "NT"},       {32, 32, 32, "TN"},
        {64, 64, 64, "NN"},       {64, 64, 64, "NT"},       {64, 64, 64, "TN"},
        {128, 128, 128, "NN"},    {128, 128, 128, "NT"},    {128, 128, 128, "TN"},
        {512, 512, 512, "NN"},    {512, 512, 512, "NT"},    {512, 512, 512, "TN"},
        {32, 128, 784, "NN"},     {32, 784, 128, "NT"},     {784, 128, 32, "TN"},
        {32, 128, 784, "NT"},     {128, 128, 784, "NN"},    {128, 784, 128, "NT"},
        {784, 128, 128, "TN"},    {512, 128, 784, "NN"},    {512, 784, 128, "NT"},
        {784, 128, 512, "TN"},    {32, 10, 128, "NN"},      {32, 128, 10, "NT"},
        {128, 10, 32, "TN"},      {128, 10, 128, "NN"},     {128, 128, 10, "NT"},
        {128, 10, 128, "TN"},     {32, 512, 192, "NN"},     {256, 2304, 768, "NN"},
        {256, 768, 2304, "NT"},   {768, 2304, 256, "TN"},   {2, 512, 512, "NN"},
        {4, 512, 512, "NN"},      {1, 16, 16, "NN"},        {1, 512, 512, "NN"},
        {1, 512, 512, "NT"},      {512, 1, 512, "NN"},      {512, 1, 512, "TN"},
        {1, 2304, 768, "NN"},     {1, 2304, 768, "NT"},     {1024, 1024, 1024, "NN"},
        {1024, 1024, 1024, "NT"}, {1024, 1024, 1024, "TN"}, {2048, 2048, 2048, "NN"},
    };
    int type = 0, rounds = 21, at = 1;
    Case single = {0, 0, 0, "NN"};
    for (; at < count && words[at][0] == '-'; at++) {
        if (strcmp(words[at], "--f64") == 0)
            type = 1;
        else if (strcmp(words[at], "--rounds") == 0 && at + 1 < count)
            rounds = atoi(words[++at]);
    }
    if (count - at >= 3) {
        single = (Case){atoi(words[at]), atoi(words[at + 1]), atoi(words[at + 2]), "NN"};
        if (count - at >= 4)
            single.how = words[at + 3];
    }
    const Case *list = single.m > 0 ? &single : cases;
    const size_t length = single.m > 0 ? 1 : sizeof cases / sizeof *cases;

    gt_Blas blas = {0};
    const bool other = gt_blas_load(&blas);
    const Own own = pick();
    printf("own: %s   OpenBLAS: %s   %s, one thread, medians of %d rounds\n", own.isa,
           other ? blas.core : "not here", type ? "float64" : "float32", rounds);
    printf("%-20s %11s %8s %7s %11s %8s\n", "", "own us", "GFLOP/s", "of peak", "theirs us",
           "speed-up");
    bool well = rounds > 0;
    for (size_t q = 0; q < length && well; q++)
        well = measure(&own, &blas, type, rounds, &list[q]);
    gt_blas_unload(&blas);
    return well ? 0 : 1;
}
