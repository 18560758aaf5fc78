/* What the processor gives at this moment: the rate of multiply-adds in registers, of reading what lies in the first cache, and of
 * memory.
 * Neighbours on the same processor slow the one, the other, or both; a figure is worth something beside these two.
 * Only for programs in bench/, which may ask for an instruction set by an extension of the compiler. */
#ifndef GT_BENCH_PROBE_H
#define GT_BENCH_PROBE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Seconds that this thread was given: what others took from it does not count. */
static inline double probe_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#if defined(__x86_64__)
#if defined(__clang__)
#define PROBE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define PROBE_UNROLL _Pragma("GCC unroll 16")
#endif
/* Sums of 12 vectors, for about a millisecond; the least time of three. */
#define PROBE_FMA(name, isa, vector, lanes, set, fma)                                              \
    __attribute__((target(isa))) static double name(void)                                          \
    {                                                                                              \
        enum { SUMS = 12, TURNS = 60000 };                                                         \
        double best = 1e30;                                                                        \
        for (int round = 0; round < 3; round++) {                                                  \
            vector sum[SUMS], x = set(1.0001f), y = set(0.5f);                                     \
            PROBE_UNROLL                                                                           \
            for (int i = 0; i < SUMS; i++)                                                         \
                sum[i] = set((float)i);                                                            \
            const double from = probe_now();                                                       \
            for (int t = 0; t < TURNS; t++) {                                                      \
                PROBE_UNROLL                                                                       \
                for (int i = 0; i < SUMS; i++)                                                     \
                    sum[i] = fma(sum[i], x, y);                                                    \
                __asm__ volatile("" : "+x"(x));                                                    \
            }                                                                                      \
            const double took = probe_now() - from;                                                \
            best = took < best ? took : best;                                                      \
            PROBE_UNROLL                                                                           \
            for (int i = 0; i < SUMS; i++)                                                         \
                __asm__ volatile("" : : "x"(sum[i]));                                              \
        }                                                                                          \
        return 2.0 * lanes * SUMS * TURNS / best;                                                  \
    }
PROBE_FMA(probe_fma_v3, "avx2,fma", __m256, 8, _mm256_set1_ps, _mm256_fmadd_ps)
PROBE_FMA(probe_fma_v4, "avx512f", __m512, 16, _mm512_set1_ps, _mm512_fmadd_ps)

/* 16 KB, read again and again. */
__attribute__((target("avx2"))) static double probe_read_v3(void)
{
    enum { VECTORS = 512, TURNS = 2000 };
    static _Alignas(64) float memory[VECTORS * 8];
    double best = 1e30;
    for (int round = 0; round < 3; round++) {
        const double from = probe_now();
        for (int t = 0; t < TURNS; t++)
            for (int i = 0; i < VECTORS; i += 8) {
                PROBE_UNROLL
                for (int k = 0; k < 8; k++) {
                    __m256 x = _mm256_load_ps(memory + 8 * (i + k));
                    __asm__ volatile("" : : "x"(x));
                }
            }
        const double took = probe_now() - from;
        best = took < best ? took : best;
    }
    return 32.0 * VECTORS * TURNS / best;
}
#endif

/* The rate of float32 multiply-adds, in operations a second, on the instruction set that a kernel table names, or, of NULL, on the
 * best one of this processor; 0 where this file knows no such loop. */
static inline double probe_fma(const char *isa)
{
#if defined(__x86_64__)
    if (isa ? strcmp(isa, "x86-64-v4") == 0 : __builtin_cpu_supports("avx512f"))
        return probe_fma_v4();
    if (isa ? strcmp(isa, "x86-64-v3") == 0
            : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return probe_fma_v3();
#endif
    (void)isa;
    return 0;
}

/* Bytes a second that the memory gives to y += x over n floats each, two streams in and one out; the best of some seconds. */
static inline double probe_memory(size_t n, double seconds)
{
    float *x = (float *)malloc(n * sizeof *x), *y = (float *)malloc(n * sizeof *y);
    double best = 1e30;
    for (size_t i = 0; i < n; i++)
        x[i] = y[i] = 1;
    for (double until = probe_now() + seconds; probe_now() < until;) {
        const double from = probe_now();
        for (size_t i = 0; i < n; i++)
            y[i] += x[i];
        const double took = probe_now() - from;
        best = took < best ? took : best;
    }
    volatile float used = y[n / 2];
    (void)used;
    free(x);
    free(y);
    return 12.0 * (double)n / best;
}

/* Bytes a second from the first cache; 0 where this file knows no such loop. */
static inline double probe_read(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return probe_read_v3();
#endif
    return 0;
}

#endif
