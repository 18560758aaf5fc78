/* Convolutions: the register tiles of this build, and its kernels, which once/convolution.c drives. Leans on gemm_vector.h. */
#include "convolution.h"
#include "gemm_vector.h"
#include "loops.h"

/* An address of its own: compilers would rather keep the offset from x, and add x for each number that is read. */
#if defined(__GNUC__)
#define GT_IN_REGISTER(x) __asm__("" : "+r"(x))
#else
#define GT_IN_REGISTER(x) (void)(x)
#endif

/* Two turns of a short loop at once. */
#if defined(__clang__)
#define GT_TWICE _Pragma("clang loop unroll_count(2)")
#elif defined(__GNUC__)
#define GT_TWICE _Pragma("GCC unroll 2")
#else
#define GT_TWICE
#endif

/* Rows of a tile: sums enough to hide that a multiply-add takes four cycles and two start in each,
 * registers for them, and addresses for the rows. GT_MASKS: loading a part of a vector costs nothing. */
#define GT_MOST_ROWS 12
#define GT_DEEP      5 /* twice for the nine taps of a kernel's gradient */
#if defined(__AVX512F__)
#define GT_TALL   12
#define GT_TALL_1 10
#define GT_NINE   9  /* instead of GT_TALL_1 where rows are the channels of a window of 3 x 3 */
#define GT_PAIRED 11 /* of a pair of lines; 32 positions are three times 11 */
#define GT_TURNED 8  /* channels beside three vectors */
#define GT_MASKS  1
#elif defined(__AVX2__) && defined(__FMA__)
#define GT_TALL   6
#define GT_TALL_1 8
#define GT_MASKS  0
#elif defined(__aarch64__)
#define GT_TALL   8
#define GT_TALL_1 8
#define GT_MASKS  0
#else
#define GT_TALL   4
#define GT_TALL_1 4
#define GT_MASKS  0
#endif

/* What rows [row, row + rows) are to fetch: little at once, so that nothing waits for it. */
GT_INLINE void fetch_ahead(const gt_ConvStrip *s, int64_t row, const int rows)
{
    for (int64_t at = row * s->ahead_bytes; at < (row + rows) * s->ahead_bytes; at += 64)
        GT_FETCH(s->ahead + at);
}

#define number                   float
#define LANES                    GT_GEMM_LANES_F32
#define G(name)                  name##_f32
#define GT_MULTIPLY_ADD(a, b, c) (GT_FUSES ? __builtin_fmaf(a, b, c) : (c) + (a) * (b))
#if GT_MASKS /* float32 that goes to few channels has forms of its own */
#define GT_CONV_NARROW
#endif
#include "convolution_template.h"
#undef GT_CONV_NARROW
#undef number
#undef LANES
#undef G
#undef GT_MULTIPLY_ADD

#define number                   double
#define LANES                    GT_GEMM_LANES_F64
#define G(name)                  name##_f64
#define GT_MULTIPLY_ADD(a, b, c) (GT_FUSES ? __builtin_fma(a, b, c) : (c) + (a) * (b))
#include "convolution_template.h"
#undef number
#undef LANES
#undef G
#undef GT_MULTIPLY_ADD

/* Rows of the kernel by (tap, channel), a panel of channels beside each other; copies. Any order of tiles. */
void GT_KERNEL(tiles_conv_pack)(const void *job, void *const *at, int64_t first, int64_t last,
                                void *scratch)
{
    gt_conv_pack_tiles(&GT_KERNEL(kernels), job, at, first, last, scratch);
}

/* y: a sum over (tap, channel) in order; its gradient in x, a sum over the taps that meet the position, the last one first, and the
 * channels: in parts of GT_CONV_LONG, each one sum from 0, added in order; rounded, then the bias of a chain is added and what is
 * not above 0 becomes 0. Padding counts in the parts; the 0 that its product with a finite kernel is may be left out. Any order
 * of tiles. */
void GT_KERNEL(tiles_conv)(const void *job, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    gt_conv_tiles(&GT_KERNEL(kernels), job, at, first, last, scratch, NULL, NULL);
}

/* As conv, then as max_pool. Any order of tiles. */
void GT_KERNEL(tiles_conv_pool)(const void *job, void *const *at, int64_t first, int64_t last,
                                void *scratch)
{
    gt_conv_pool_tiles(&GT_KERNEL(kernels), job, at, first, last, scratch);
}

/* Sums over positions in order, those of padding counted, though their products with what is finite, 0, may be left out: in parts of
 * `slice`, cut every `tile_units` lines, each one sum from 0; they are added in order, from the first of `block_units` lines on, and
 * these sums in double, those of the blocks of a part in order. Any order of tiles. */
void GT_KERNEL(tiles_conv_kernel_gradient)(const void *job, void *const *at, int64_t first,
                                           int64_t last, void *scratch)
{
    gt_conv_kernel_gradient_tiles(&GT_KERNEL(kernels), job, at, first, last, scratch);
}

/* The sums of the parts are added in double in order, then rounded. Any order of tiles. */
void GT_KERNEL(tiles_conv_total)(const void *job, void *const *at, int64_t first, int64_t last,
                                 void *scratch)
{
    gt_conv_total_tiles(&GT_KERNEL(kernels), job, at, first, last, scratch);
}
