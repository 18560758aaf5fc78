/* The own matrix product against OpenBLAS on one thread, taken in turns within each round, so that a busy neighbour slows
 * both. Prints the least time of each, their ratio, and the share of the peak: the best rate in this run of multiply-adds
 * in registers alone. Several products are one after the other, as in attention. Leans on core/blas and kernels/gemm.
 *
 * bench_gemm [--f64] [--isa base|v3|v4] [--rounds N] [M N K [NN|NT|TN|TT]] */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "blas.h"
#include "../kernels/kernels.h"
#include "probe.h"

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

/* The best that the processor has, or the one of that name. */
static Own pick(const char *name)
{
    const Own base = OWN(base);
#ifdef GT_HAVE_V4
    const Own v4 = OWN(v4);
    if (name ? strcmp(name, "v4") == 0
             : __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return v4;
#endif
#ifdef GT_HAVE_V3
    const Own v3 = OWN(v3);
    if (name ? strcmp(name, "v3") == 0
             : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return v3;
#endif
    return base;
}

static double best; /* of all probes so far, flops a second */

static double peak(const Own *own, int type)
{
    char isa[16];
    snprintf(isa, sizeof isa, "x86-64-%s", own->isa);
    double rate = probe_fma(isa);
    return type ? rate / 2 : rate;
}

typedef struct Case {
    int m, n, k;
    const char *how;
    int count; /* products beside each other; 0: one */
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

static double least(double a, double b)
{
    return a < b ? a : b;
}

static bool measure(const Own *own, const gt_Blas *blas, int type, int rounds, const Case *p)
{
    const int m = p->m, n = p->n, k = p->k, count = p->count ? p->count : 1;
    const bool ta = p->how[0] == 'T', tb = p->how[1] == 'T';
    const int lda = ta ? m : k, ldb = tb ? k : n;
    const int how_a = ta ? BLAS_TRANSPOSED : BLAS_PLAIN;
    const int how_b = tb ? BLAS_TRANSPOSED : BLAS_PLAIN;
    const size_t need = own->scratch[type](m, n, k),
                 element = type ? sizeof(double) : sizeof(float);
    const size_t of_a = (size_t)m * (size_t)k, of_b = (size_t)k * (size_t)n,
                 of_c = (size_t)m * (size_t)n;
    char *a = filled(type, (size_t)count * of_a, 7919);
    char *b = filled(type, (size_t)count * of_b, 104729);
    char *c = filled(type, (size_t)count * of_c, 1);
    void *scratch = aligned_alloc(64, (need + 64 + 63) / 64 * 64);
    const bool fits = a && b && c && scratch;
    BlasGemmF32 *const f32 = blas_gemm_f32(blas);
    BlasGemmF64 *const f64 = blas_gemm_f64(blas);
    double ours = 1e9, theirs = 1e9;
    const double flops = 2.0 * m * n * k * count;
    int repeat = (int)(2e7 / flops);
    repeat = repeat < 1 ? 1 : repeat > 20000 ? 20000 : repeat;
    for (int round = -1; fits && round < rounds; round++) {
        const double start = probe_now();
        for (int i = 0; i < repeat; i++)
            for (size_t q = 0; q < (size_t)count; q++)
                own->gemm[type](ta, tb, m, n, k, a + q * of_a * element, lda,
                                b + q * of_b * element, ldb, c + q * of_c * element, n, scratch);
        const double middle = probe_now();
        for (int i = 0; i < repeat && f32 && f64; i++)
            for (size_t q = 0; q < (size_t)count; q++) {
                const void *x = a + q * of_a * element, *y = b + q * of_b * element;
                void *to = c + q * of_c * element;
                if (type)
                    f64(BLAS_ROW_MAJOR, how_a, how_b, m, n, k, 1, x, lda, y, ldb, 0, to, n);
                else
                    f32(BLAS_ROW_MAJOR, how_a, how_b, m, n, k, 1, x, lda, y, ldb, 0, to, n);
            }
        const double end = probe_now(), rate = peak(own, type);
        if (rate > best)
            best = rate;
        if (round < 0)
            continue; /* the first is for the caches */
        ours = least(ours, (middle - start) / repeat);
        theirs = least(theirs, (end - middle) / repeat);
    }
    char shape[64], many[16] = "";
    if (count > 1)
        snprintf(many, sizeof many, "%d x ", count);
    snprintf(shape, sizeof shape, "%s%s %dx%dx%d", many, p->how, m, n, k);
    printf("%-24s %11.3f %8.1f %6.0f%%", shape, ours * 1e6, flops / ours * 1e-9,
           best > 0 ? 100 * flops / ours / best : 0);
    if (blas->loaded)
        printf(" %11.3f %8.2f", theirs * 1e6, theirs / ours);
    printf("\n");
    fflush(stdout);
    free(a);
    free(b);
    free(c);
    free(scratch);
    return fits;
}

int main(int count, char **words)
{
    static const Case cases[] = {
        /* tall and long ones of convolutions, and of layers */
        {32768, 16, 144, "NN", 0},
        {8192, 16, 144, "NN", 0},
        {144, 16, 32768, "TN", 0},
        {144, 16, 8192, "TN", 0},
        {288, 64, 6272, "TN", 0},
        {32, 3136, 128, "NT", 0},
        {512, 128, 2048, "TN", 0},
        {6272, 64, 288, "NN", 0},
        {64, 512, 2048, "TN", 0},
        {2048, 384, 128, "NN", 0},
        /* an MLP of 784, 128 and 10, with 32, 128 and 512 rows */
        {32, 128, 784, "NN", 0},
        {784, 128, 32, "TN", 0},
        {32, 10, 128, "NN", 0},
        {32, 128, 10, "NT", 0},
        {128, 10, 32, "TN", 0},
        {128, 128, 784, "NN", 0},
        {784, 128, 128, "TN", 0},
        {128, 10, 128, "NN", 0},
        {128, 128, 10, "NT", 0},
        {128, 10, 128, "TN", 0},
        {512, 128, 784, "NN", 0},
        {784, 128, 512, "TN", 0},
        {512, 10, 128, "NN", 0},
        {512, 128, 10, "NT", 0},
        {128, 10, 512, "TN", 0},
        /* an LSTM of 128, one step and all of them */
        {32, 512, 128, "NN", 0},
        {32, 128, 512, "NT", 0},
        {128, 512, 32, "TN", 0},
        {2048, 512, 64, "NN", 0},
        {128, 512, 2048, "TN", 0},
        /* a small GPT: 16 sequences of 128, 128 wide, 4 heads */
        {2048, 128, 384, "NT", 0},
        {128, 384, 2048, "TN", 0},
        {2048, 512, 128, "NN", 0},
        {2048, 128, 512, "NN", 0},
        {2048, 128, 128, "NN", 0},
        {128, 128, 32, "NT", 64},
        {128, 32, 128, "NN", 64},
        {128, 32, 128, "TN", 64},
        /* squares */
        {8, 8, 8, "NN", 0},
        {16, 16, 16, "NN", 0},
        {16, 16, 16, "NT", 0},
        {32, 32, 32, "NN", 0},
        {32, 32, 32, "NT", 0},
        {32, 32, 32, "TN", 0},
        {64, 64, 64, "NN", 0},
        {64, 64, 64, "NT", 0},
        {64, 64, 64, "TN", 0},
        {128, 128, 128, "NN", 0},
        {128, 128, 128, "NT", 0},
        {128, 128, 128, "TN", 0},
        {256, 256, 256, "NN", 0},
        {512, 512, 512, "NN", 0},
        {512, 512, 512, "NT", 0},
        {512, 512, 512, "TN", 0},
        {1024, 1024, 1024, "NN", 0},
        {1024, 1024, 1024, "NT", 0},
        {1024, 1024, 1024, "TN", 0},
        {2048, 2048, 2048, "NN", 0},
        {1000, 1000, 1000, "NN", 0},
        /* few rows or columns */
        {1, 512, 512, "NN", 0},
        {1, 512, 512, "NT", 0},
        {512, 1, 512, "NN", 0},
        {512, 1, 512, "TN", 0},
        {1, 2304, 768, "NN", 0},
        {1, 2304, 768, "NT", 0},
        {2, 512, 512, "NN", 0},
        {4, 512, 512, "NN", 0},
        {256, 2304, 768, "NN", 0},
        {256, 768, 2304, "NT", 0},
        {768, 2304, 256, "TN", 0},
    };
    const char *isa = NULL;
    int type = 0, rounds = 21, at = 1;
    Case single = {0, 0, 0, "NN", 0};
    for (; at < count && words[at][0] == '-'; at++) {
        if (strcmp(words[at], "--f64") == 0)
            type = 1;
        else if (strcmp(words[at], "--isa") == 0 && at + 1 < count)
            isa = words[++at];
        else if (strcmp(words[at], "--rounds") == 0 && at + 1 < count)
            rounds = atoi(words[++at]);
    }
    if (count - at >= 3) {
        single = (Case){atoi(words[at]), atoi(words[at + 1]), atoi(words[at + 2]), "NN", 0};
        if (count - at >= 4)
            single.how = words[at + 3];
    }
    const Case *list = single.m > 0 ? &single : cases;
    const size_t length = single.m > 0 ? 1 : sizeof cases / sizeof *cases;

    gt_Blas blas = {0};
    const bool other = gt_blas_load(&blas);
    const Own own = pick(isa);
    for (int i = 0; i < 50; i++) {
        const double rate = peak(&own, type);
        best = rate > best ? rate : best;
    }
    printf("own: %s   OpenBLAS: %s   %s, one thread, least of %d rounds   peak %.0f GFLOP/s\n",
           own.isa, other ? blas.core : "not here", type ? "float64" : "float32", rounds,
           best * 1e-9);
    printf("%-24s %11s %8s %7s %11s %8s\n", "", "own us", "GFLOP/s", "of peak", "theirs us",
           "speed-up");
    bool well = rounds > 0;
    for (size_t q = 0; q < length && well; q++)
        well = measure(&own, &blas, type, rounds, &list[q]);
    gt_blas_unload(&blas);
    return well ? 0 : 1;
}
