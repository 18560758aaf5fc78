/* The table of this build: every loop of the room by family, operation and type. Leans on loops.h
 * and gemm.h. */
#include <float.h>

#include "loops.h"
#include "gemm.h"

/* What this build runs on: told by what the compiler was told. */
#if defined(__x86_64__) && defined(__AVX512F__)
#define GT_ISA_NAME "x86-64-v4"
#elif defined(__x86_64__) && defined(__AVX2__)
#define GT_ISA_NAME "x86-64-v3"
#elif defined(__x86_64__)
#define GT_ISA_NAME "x86-64"
#elif defined(__aarch64__) && GT_FUSES
#define GT_ISA_NAME "aarch64-fused"
#elif defined(__aarch64__)
#define GT_ISA_NAME "aarch64"
#else
#define GT_ISA_NAME "portable"
#endif

#define GT_TILES_ENTRY(name)                    [GT_TILES_##name] = GT_KERNEL(tiles_##name),
#define GT_TILES_ENTRY_RARE(name)               [GT_TILES_##name] = GT_KERNEL_RARE(tiles_##name),
#define GT_TILES_ENTRY_ONCE(name)               [GT_TILES_##name] = GT_KERNEL_BASE(tiles_##name),
#define GT_ENTRY(name, suffix, type, TYPE)      [GT_LOOP_##TYPE] = GT_HOME(name, suffix),
#define GT_EACH_ENTRY(name, suffix, type, TYPE) [GT_LOOP_##TYPE] = GT_KERNEL(name##_##suffix),
#define GT_RARE_ENTRY(name, suffix, type, TYPE) [GT_LOOP_##TYPE] = GT_KERNEL_RARE(name##_##suffix),
#define GT_BASE_ENTRY(name, suffix, type, TYPE) [GT_LOOP_##TYPE] = GT_KERNEL_BASE(name##_##suffix),
#define GT_ROW(NAME, name, types)               [GT_LOOP_##NAME] = {GT_TYPES_##types(GT_ENTRY, name)},
#define GT_REDUCE_ROW(NAME, name, types)        GT_ROW(NAME, reduce_##name, types)
#define GT_REDUCE_COLUMNS(NAME, name, types)    GT_ROW(NAME, reduce_columns_##name, types)
#define GT_BY_TYPE(name)                                                                           \
    {                                                                                              \
        GT_KERNEL(name##_f32), GT_KERNEL(name##_f64)                                               \
    }
#define GT_RARE_BY_TYPE(name)                                                                      \
    {                                                                                              \
        GT_KERNEL_RARE(name##_f32), GT_KERNEL_RARE(name##_f64)                                     \
    }

#define GT_CASTS(name)                                                                             \
    GT_TYPES_F(GT_EACH_ENTRY, name)                                                                \
    GT_TYPES_I(GT_RARE_ENTRY, name)                                                                \
    GT_TYPES_B(GT_EACH_ENTRY, name)

const gt_KernelTable GT_KERNEL(kernels) = {
    .isa = GT_ISA_NAME,
    .exact = !GT_FUSES && FLT_EVAL_METHOD == 0,
    .tile = {GT_TILE_KERNELS(GT_TILES_ENTRY, GT_TILES_ENTRY_RARE, GT_TILES_ENTRY_ONCE)},
    .gemm_m = {GT_GEMM_TILE_M_F32, GT_GEMM_TILE_M_F64},
    .gemm_n = {GT_GEMM_TILE_N_F32, GT_GEMM_TILE_N_F64},
    .unary = {GT_UNARY_LOOPS(GT_ROW)},
    .binary = {GT_BINARY_LOOPS(GT_ROW)},
    .compare = {GT_COMPARE_LOOPS(GT_ROW)},
    .select = {GT_KERNEL_BASE(select_1), GT_KERNEL_BASE(select_2), GT_KERNEL_RARE(select_4),
               GT_KERNEL_RARE(select_8)},
    .reduce = {GT_REDUCE_LOOPS(GT_REDUCE_ROW)},
    .reduce_columns = {GT_REDUCE_LOOPS(GT_REDUCE_COLUMNS)},
    .reduce_few = {[GT_LOOP_SUM] = GT_BY_TYPE(few_rows_sum),
                   [GT_LOOP_SQUARES] = GT_BY_TYPE(few_rows_squares),
                   [GT_LOOP_PROD] = GT_RARE_BY_TYPE(few_rows_prod),
                   [GT_LOOP_MAX] = GT_RARE_BY_TYPE(few_rows_max),
                   [GT_LOOP_MIN] = GT_RARE_BY_TYPE(few_rows_min)},
    .dot = GT_KERNEL_RARE(dot_f32),
    .sum_bytes = {GT_KERNEL_BASE(sum_bytes_i32), GT_KERNEL_BASE(sum_bytes_i64)},
    .sum_bytes_columns = {GT_KERNEL_BASE(sum_bytes_columns_i32),
                          GT_KERNEL_BASE(sum_bytes_columns_i64)},
    .find = {GT_TYPES_Q(GT_ENTRY, find)},
    .cast = {[GT_LOOP_F32] = {GT_CASTS(cast_f32)},
             [GT_LOOP_F64] = {GT_CASTS(cast_f64)},
             [GT_LOOP_I32] = {GT_KERNEL(cast_i32_f32), GT_KERNEL(cast_i32_f64),
                              GT_TYPES_I(GT_BASE_ENTRY, cast_i32) GT_KERNEL_BASE(cast_i32_b8)},
             [GT_LOOP_I64] = {GT_TYPES_A(GT_BASE_ENTRY, cast_i64)},
             [GT_LOOP_U8] = {GT_TYPES_A(GT_BASE_ENTRY, cast_u8)},
             [GT_LOOP_BOOL] = {GT_TYPES_A(GT_BASE_ENTRY, cast_u8)}},
    .softmax = GT_BY_TYPE(softmax),
    .log_softmax = GT_BY_TYPE(log_softmax),
    .logsumexp = GT_BY_TYPE(logsumexp),
    .gemm_scratch = GT_BY_TYPE(gemm_scratch),
    .gemm = GT_BY_TYPE(gemm),
    .gemm_swaps = GT_BY_TYPE(gemm_swaps),
    .gemm_tiles = GT_BY_TYPE(gemm_tiles),
    .gemm_pack = GT_BY_TYPE(gemm_pack),
    .gemm_packed = GT_BY_TYPE(gemm_packed),
    .gemm_small = GT_BY_TYPE(gemm_small),
    .gemm_wide = GT_KERNEL(gemm_wide),
    .gemm_wide_scratch = GT_KERNEL(gemm_wide_scratch),
    .conv_dense = GT_BY_TYPE(conv_dense),
    .conv_deep = GT_BY_TYPE(conv_deep),
#if defined(__AVX512F__)
    .conv_pair = GT_KERNEL(conv_pair),
    .conv_turned = GT_KERNEL(conv_turned),
#endif
    .conv_lanes = {GT_GEMM_LANES_F32, GT_GEMM_LANES_F64},
    .pool_mark = GT_RARE_BY_TYPE(pool_mark),
    .widen = {GT_KERNEL(widen_f16), GT_KERNEL(widen_bf16)},
    .narrow = {{GT_KERNEL(narrow_f16_f32), GT_KERNEL(narrow_bf16_f32)},
               {GT_KERNEL_BASE(narrow_f16_f64), GT_KERNEL_BASE(narrow_bf16_f64)}},
    .random_uniform = {GT_KERNEL(random_uniform_f32), GT_KERNEL_RARE(random_uniform_f64)},
    .random_normal = GT_RARE_BY_TYPE(random_normal),
    .random_bits = GT_KERNEL_RARE(random_bits),
    .fourier_pass = GT_RARE_BY_TYPE(fourier_pass),
    .fourier_fold = GT_RARE_BY_TYPE(fourier_fold),
    .fourier_multiply = GT_RARE_BY_TYPE(fourier_multiply),
    .transpose = {GT_KERNEL_BASE(transpose_1), GT_KERNEL_BASE(transpose_2), GT_KERNEL(transpose_4),
                  GT_KERNEL(transpose_8)},
    .spread = {GT_KERNEL_RARE(spread_1), GT_KERNEL_BASE(spread_2), GT_KERNEL(spread_4),
               GT_KERNEL(spread_8)},
};
