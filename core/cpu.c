/* What the processor can do: which kernel table to use (GT_ISA forces one), and how to flush
 * denormals while the library computes. */
#include "core/structs.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#if defined(GT_HAVE_V3) || defined(GT_HAVE_V4) || defined(GT_NEEDS_V3) || defined(GT_NEEDS_V4)
static bool has_v3(void)
{
    __builtin_cpu_init();
    unsigned a, b, c = 0, d;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __get_cpuid(1, &a, &b, &c, &d) && c & bit_F16C; /* clang 14 has no name for it */
}
#endif

#if defined(GT_HAVE_V4) || defined(GT_NEEDS_V4)
static bool has_v4(void)
{
    return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

/* GT_ISA is base, v3 or v4; what the processor lacks is not taken. NULL: this build has no kernels for
 * so old a processor (the option isa of the build). */
const gt_KernelTable *gt_cpu_kernels(void)
{
    const char *wanted = getenv("GT_ISA");
    const gt_KernelTable *best = &gt_kernels_base;
#if defined(GT_NEEDS_V3)
    if (!has_v3())
        return NULL;
#elif defined(GT_NEEDS_V4)
    if (!has_v4())
        return NULL;
#endif
    if (wanted && strcmp(wanted, "base") == 0)
        return best;
#if defined(GT_HAVE_V3)
    if (has_v3())
        best = &gt_kernels_v3;
    if (wanted && strcmp(wanted, "v3") == 0)
        return best;
#endif
#if defined(GT_HAVE_V4)
    if (has_v4())
        best = &gt_kernels_v4;
#endif
    return best;
}

gt_FloatMode gt_float_mode_flush(void)
{
    gt_FloatMode mode = {0};
#if defined(__x86_64__)
    unsigned int control = _mm_getcsr();
    mode.saved = control;
    _mm_setcsr(control | 0x8040u); /* flush to zero, denormals are zero */
#elif defined(__aarch64__)
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    mode.saved = control;
    control |= (uint64_t)1 << 24;
    __asm__ volatile("msr fpcr, %0" : : "r"(control));
#endif
    return mode;
}

void gt_float_mode_restore(gt_FloatMode mode)
{
#if defined(__x86_64__)
    _mm_setcsr((unsigned int)mode.saved);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(mode.saved));
#else
    (void)mode;
#endif
}
