/* The matrix product's door: the names that kernel tables take, and the size of its register tile
 * on the instruction set being compiled. Leans on kernels.h for the shape of the functions. */
#ifndef GT_KERNELS_GEMM_H
#define GT_KERNELS_GEMM_H

#include <stddef.h>
#include <stdint.h>

#include "fused.h"
#include "kernels.h"

#ifndef GT_KERNEL /* the same, token for token, as in loops.h */
#define GT_KERNEL(name)               GT_KERNEL_EXPANDED(name, GT_ISA)
#define GT_KERNEL_EXPANDED(name, isa) GT_KERNEL_PASTED(name, isa)
#define GT_KERNEL_PASTED(name, isa)   gt_##name##_##isa
#endif

/* Rows of a register tile, and numbers in one vector. A tile is at most GT_GEMM_ROWS rows by two
 * vectors: 28, 12 or 16 sums kept in registers, against a latency of 8 products in flight. */
#if defined(__AVX512F__)
#define GT_GEMM_ROWS      14
#define GT_GEMM_LANES_F32 16
#define GT_GEMM_LANES_F64 8
#elif defined(__AVX2__) && defined(__FMA__)
#define GT_GEMM_ROWS      6
#define GT_GEMM_LANES_F32 8
#define GT_GEMM_LANES_F64 4
#elif defined(__aarch64__)
#define GT_GEMM_ROWS      8
#define GT_GEMM_LANES_F32 4
#define GT_GEMM_LANES_F64 2
#else
#define GT_GEMM_ROWS      4
#define GT_GEMM_LANES_F32 4
#define GT_GEMM_LANES_F64 2
#endif

/* What gemm_m and gemm_n of a table hold: the smallest piece of C worth giving to a thread, four tiles high or one wide. */
#define GT_GEMM_TILE_M_F32 (4 * GT_GEMM_ROWS)
#define GT_GEMM_TILE_N_F32 (2 * GT_GEMM_LANES_F32)
#define GT_GEMM_TILE_M_F64 (4 * GT_GEMM_ROWS)
#define GT_GEMM_TILE_N_F64 (2 * GT_GEMM_LANES_F64)

/* to[j * ld_to + i] = from[i * ld + j], i < rows, j < columns, through vectors. `padded`: writes whole
 * vectors, zeros beyond `rows`, line after line. */
void GT_KERNEL(turn_f32)(int64_t rows, int64_t columns, const float *from, int64_t ld, float *to,
                         int64_t ld_to, bool padded);
void GT_KERNEL(turn_f64)(int64_t rows, int64_t columns, const double *from, int64_t ld, double *to,
                         int64_t ld_to, bool padded);

gt_GemmLoop GT_KERNEL(gemm_f32);
gt_GemmLoop GT_KERNEL(gemm_f64);
size_t GT_KERNEL(gemm_scratch_f32)(int64_t m, int64_t n, int64_t k);
size_t GT_KERNEL(gemm_scratch_f64)(int64_t m, int64_t n, int64_t k);
gt_GemmSwaps GT_KERNEL(gemm_swaps_f32), GT_KERNEL(gemm_swaps_f64);
gt_GemmTilesLoop GT_KERNEL(gemm_tiles_f32), GT_KERNEL(gemm_tiles_f64);
gt_GemmPackLoop GT_KERNEL(gemm_pack_f32), GT_KERNEL(gemm_pack_f64);
gt_GemmPackedLoop GT_KERNEL(gemm_packed_f32), GT_KERNEL(gemm_packed_f64);
gt_GemmSmallLoop GT_KERNEL(gemm_small_f32), GT_KERNEL(gemm_small_f64);
gt_GemmWideLoop GT_KERNEL(gemm_wide);
size_t GT_KERNEL(gemm_wide_scratch)(int64_t m, int64_t n, int64_t k);
gt_WidenLoop GT_KERNEL(widen_f16), GT_KERNEL(widen_bf16);

#endif
