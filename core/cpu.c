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
/* F16C is asked of the processor itself, since clang 14 has no name for it. In a virtual machine that takes 4 microseconds. */
static bool has_v3(void)
{
    __builtin_cpu_init();
    unsigned a, b, c, d;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
        !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2"))
        return false;
    __cpuid(1, a, b, c, d);
    (void)a, (void)b, (void)d;
    return c & bit_F16C;
}
#endif

#if defined(GT_HAVE_V4) || defined(GT_NEEDS_V4)
static bool has_v4(void) /* of one that has v3 */
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

/* GT_ISA is base, v3 or v4, on aarch64 base or fused; what the processor lacks is not taken. NULL: this build has no kernels for
 * so old a processor (the option isa of the build). */
const gt_KernelTable *gt_cpu_kernels(void)
{
    const char *wanted = getenv("GT_ISA");
    const gt_KernelTable *best = &gt_kernels_base;
#if defined(GT_NEEDS_V3)
    if (!has_v3())
        return NULL;
#elif defined(GT_NEEDS_V4)
    if (!has_v3() || !has_v4())
        return NULL;
#endif
    if (wanted && strcmp(wanted, "base") == 0)
        return best;
#if defined(GT_HAVE_V3) || defined(GT_HAVE_V4)
    if (!has_v3())
        return best;
#endif
#if defined(GT_HAVE_V3)
    best = &gt_kernels_v3;
    if (wanted && strcmp(wanted, "v3") == 0)
        return best;
#endif
#if defined(GT_HAVE_V4)
    if (has_v4())
        best = &gt_kernels_v4;
#endif
#if defined(GT_HAVE_FUSED)
    best = &gt_kernels_fused;
#endif
    return best;
}

/* ---- denormals ---- */

#if defined(__x86_64__)
#define FLUSHING UINT64_C(0x8040) /* flush to zero, denormals are zero */
#define ROUNDING UINT64_C(0x6000)
#elif defined(__aarch64__)
#define FLUSHING (UINT64_C(1) << 24)
#define ROUNDING (UINT64_C(3) << 22)
#else
#define FLUSHING UINT64_C(0)
#define ROUNDING UINT64_C(0)
#endif

gt_FloatMode gt_float_mode(void)
{
    gt_FloatMode mode = {0};
#if defined(__x86_64__)
    mode.saved = _mm_getcsr();
#elif defined(__aarch64__)
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode.saved));
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

gt_FloatMode gt_float_mode_set(gt_FloatMode mode)
{
    gt_FloatMode before = gt_float_mode();
    gt_float_mode_restore(mode);
    return before;
}

gt_FloatMode gt_float_mode_flush(void)
{
    return gt_float_mode_set((gt_FloatMode){gt_float_mode().saved | FLUSHING});
}

gt_FloatMode gt_float_mode_exact(void)
{
    return gt_float_mode_set((gt_FloatMode){gt_float_mode().saved & ~(FLUSHING | ROUNDING)});
}

gt_FloatMode gt_float_mode_begin(const gt_Context *context)
{
    return context->reproducible ? gt_float_mode_exact() : gt_float_mode_flush();
}
