/* What the processor gives at this moment: multiply-adds in registers and nothing else, and reads of the first-level cache.
 * For programs that print shares of a peak. Leans on the compiler's intrinsics. */
#ifndef GT_BENCH_PROBE_H
#define GT_BENCH_PROBE_H

#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Time this thread was given: what others took from it does not count. */
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
#define PROBE_UNROLL _Pragma("GCC unroll 12")
#endif
#define PROBE_FMA(name, isa, vector, lanes, set, fma)                                              \
    __attribute__((target(isa))) static inline double name(void)                                   \
    {                                                                                              \
        enum { SUMS = 12, TURNS = 100000 };                                                        \
        vector sum[SUMS], x = set(1.0001f), y = set(0.5f);                                         \
        PROBE_UNROLL                                                                               \
        for (int i = 0; i < SUMS; i++)                                                             \
            sum[i] = set((float)i);                                                                \
        const double from = probe_now();                                                           \
        for (int t = 0; t < TURNS; t++) {                                                          \
            PROBE_UNROLL                                                                           \
            for (int i = 0; i < SUMS; i++)                                                         \
                sum[i] = fma(sum[i], x, y);                                                        \
            __asm__ volatile("" : "+x"(x));                                                        \
        }                                                                                          \
        const double took = probe_now() - from;                                                    \
        PROBE_UNROLL                                                                               \
        for (int i = 0; i < SUMS; i++)                                                             \
            __asm__ volatile("" : : "x"(sum[i]));                                                  \
        return 2.0 * lanes * SUMS * TURNS / took;                                                  \
    }
PROBE_FMA(probe_fma_v3, "avx2,fma", __m256, 8, _mm256_set1_ps, _mm256_fmadd_ps)
PROBE_FMA(probe_fma_v4, "avx512f", __m512, 16, _mm512_set1_ps, _mm512_fmadd_ps)
#endif

/* Flops a second of float32 on the instruction set that a kernel table names; 0: this file knows no such loop. */
static inline double probe_fma(const char *isa)
{
#if defined(__x86_64__)
    if (strcmp(isa, "x86-64-v4") == 0)
        return probe_fma_v4();
    if (strcmp(isa, "x86-64-v3") == 0)
        return probe_fma_v3();
#endif
    (void)isa;
    return 0;
}

/* Bytes a second that are read from 16 KB, by vectors of 256 bits; 0: the processor has none. It tells the two speeds of some
 * virtual machines apart, which the peak does not. */
#if defined(__x86_64__)
__attribute__((target("avx2"))) static inline double probe_read_v3(void)
{
    enum { BYTES = 16384, TURNS = 1000, SUMS = 8 };
    static _Alignas(64) char block[BYTES];
    const double from = probe_now();
    for (int t = 0; t < TURNS; t++) {
        __m256i sum[SUMS];
        PROBE_UNROLL
        for (int j = 0; j < SUMS; j++)
            sum[j] = _mm256_setzero_si256();
        for (int i = 0; i < BYTES; i += SUMS * 32) {
            PROBE_UNROLL
            for (int j = 0; j < SUMS; j++)
                sum[j] = _mm256_or_si256(
                    sum[j], _mm256_load_si256((const __m256i *)(const void *)(block + i + j * 32)));
        }
        PROBE_UNROLL
        for (int j = 0; j < SUMS; j++)
            __asm__ volatile("" : : "x"(sum[j]) : "memory");
    }
    return (double)BYTES * TURNS / (probe_now() - from);
}
#endif
static inline double probe_read(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return probe_read_v3();
#endif
    return 0;
}

#endif
