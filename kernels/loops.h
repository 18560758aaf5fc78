/* What the sources of this room share and nobody else sees: the name of a symbol in this build, the
 * types a loop is written for, and the declaration of every loop. Leans on kernels.h. Functions
 * here are static: an inline function shared with code for an older processor would be the one that
 * the linker keeps, with instructions that processor lacks. */
#ifndef GT_KERNELS_LOOPS_H
#define GT_KERNELS_LOOPS_H

#include <string.h>

#include "fused.h"
#include "kernels.h"
#include "moves.h"

/* GT_KERNEL(exp_f32) is gt_exp_f32_v3 in the build for x86-64-v3. */
#define GT_KERNEL(name)               GT_KERNEL_EXPANDED(name, GT_ISA)
#define GT_KERNEL_EXPANDED(name, isa) GT_KERNEL_PASTED(name, isa)
#define GT_KERNEL_PASTED(name, isa)   gt_##name##_##isa

/* Loops over integers and bools exist once: the base build has them, every table holds them. They
 * are rarely what a program waits for, and would be half of the room. GT_HOME(name, i32) is the
 * loop's name wherever it is used. */
#define GT_KERNEL_BASE(name)  GT_KERNEL_PASTED(name, base)
#define GT_HOME(name, suffix) GT_HOME_##suffix(name)
#define GT_HOME_f32(name)     GT_KERNEL(name##_f32)
#define GT_HOME_f64(name)     GT_KERNEL(name##_f64)
#define GT_HOME_r32(name)     GT_KERNEL_RARE(name##_f32)
#define GT_HOME_r64(name)     GT_KERNEL_RARE(name##_f64)
#define GT_HOME_o32(name)     GT_KERNEL_BASE(name##_f32)
#define GT_HOME_o64(name)     GT_KERNEL_BASE(name##_f64)
#define GT_HOME_i32(name)     GT_KERNEL_BASE(name##_i32)
#define GT_HOME_i64(name)     GT_KERNEL_BASE(name##_i64)
#define GT_HOME_u8(name)      GT_KERNEL_BASE(name##_u8)
#define GT_HOME_b8(name)      GT_KERNEL_BASE(name##_b8)

/* The rarer functions, and what gains nothing from them, are not written again for vectors of 512 bits. */
#if defined(__AVX512F__) && defined(GT_HAVE_V3) && !GT_IS_BASE(GT_ISA)
#define GT_KERNEL_RARE(name) GT_KERNEL_PASTED(name, v3)
#define GT_RARE_ELSEWHERE
#else
#define GT_KERNEL_RARE(name) GT_KERNEL(name)
#endif

/* Says that iterations do not depend on each other. Needed because y may be the very array x (never
 * one that overlaps it in part), for which a compiler's own check would choose the scalar loop. */
#if defined(__clang__)
#define GT_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#pragma clang diagnostic ignored "-Wpass-failed" /* it permits, it does not demand */
#elif defined(__GNUC__)
#define GT_INDEPENDENT _Pragma("GCC ivdep")
#else
#define GT_INDEPENDENT
#endif

/* Not peeled or unrolled beyond its vectors: what is left over of a row is few numbers. */
#if defined(__GNUC__) && !defined(__clang__)
#define GT_ROLLED _Pragma("GCC unroll 1")
#else
#define GT_ROLLED
#endif

/* A loop over few registers, written out. */
#if defined(__clang__)
#define GT_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GT_UNROLL _Pragma("GCC unroll 16")
#endif

/* Part of the loop that calls it: a call would keep the loop from becoming vector code. */
#if defined(__GNUC__)
#define GT_INLINE static inline __attribute__((always_inline))
#else
#define GT_INLINE static inline
#endif

/* Kept in one copy: what several loops share and calls seldom enough. */
#if defined(__GNUC__)
#define GT_NOINLINE __attribute__((noinline))
#else
#define GT_NOINLINE
#endif

/* Fetches a line of the cache ahead of its use; `at` need not be memory of ours. */
#if defined(__GNUC__)
#define GT_FETCH(at) __builtin_prefetch(at)
#else
#define GT_FETCH(at) (void)(at)
#endif

/* X(..., suffix, type, TYPE) for each element type of a class: F real, R real
 * and rare, D real with rare doubles, O real and compiled once, N numeric, Q with rare reals, S with
 * reals compiled once, I integers, W integers and bool, B bool, A all, C all with rare reals. */
#define GT_TYPES_F(X, ...) X(__VA_ARGS__, f32, float, F32) X(__VA_ARGS__, f64, double, F64)
#define GT_TYPES_R(X, ...) X(__VA_ARGS__, r32, float, F32) X(__VA_ARGS__, r64, double, F64)
#define GT_TYPES_D(X, ...) X(__VA_ARGS__, f32, float, F32) X(__VA_ARGS__, r64, double, F64)
#define GT_TYPES_O(X, ...) X(__VA_ARGS__, o32, float, F32) X(__VA_ARGS__, o64, double, F64)
#define GT_TYPES_I(X, ...)                                                                         \
    X(__VA_ARGS__, i32, int32_t, I32)                                                              \
    X(__VA_ARGS__, i64, int64_t, I64) X(__VA_ARGS__, u8, uint8_t, U8)
#define GT_TYPES_N(X, ...) GT_TYPES_F(X, __VA_ARGS__) GT_TYPES_I(X, __VA_ARGS__)
#define GT_TYPES_Q(X, ...) GT_TYPES_R(X, __VA_ARGS__) GT_TYPES_I(X, __VA_ARGS__)
#define GT_TYPES_S(X, ...) GT_TYPES_O(X, __VA_ARGS__) GT_TYPES_I(X, __VA_ARGS__)
#define GT_TYPES_B(X, ...) X(__VA_ARGS__, b8, uint8_t, BOOL)
#define GT_TYPES_W(X, ...) GT_TYPES_I(X, __VA_ARGS__) X(__VA_ARGS__, u8, uint8_t, BOOL)
#define GT_TYPES_C(X, ...) GT_TYPES_Q(X, __VA_ARGS__) GT_TYPES_B(X, __VA_ARGS__)
#define GT_TYPES_A(X, ...) GT_TYPES_N(X, __VA_ARGS__) GT_TYPES_B(X, __VA_ARGS__)

/* A loop: y[i] = expression of x; as a `result` that is not of x's type. */
#define GT_UNARY(name, suffix, type, expression) GT_UNARY_TO(name, suffix, type, type, expression)
#define GT_UNARY_TO(name, suffix, type, result, expression)                                        \
    void GT_KERNEL(name##_##suffix)(int64_t n, const void *from, void *to)                         \
    {                                                                                              \
        const type *xs = from;                                                                     \
        result *ys = to;                                                                           \
        GT_INDEPENDENT                                                                             \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const type x = xs[i];                                                                  \
            ys[i] = (result)(expression);                                                          \
        }                                                                                          \
    }

/* A loop: y[i] = expression of a and b, as a `result`. A repeated operand is read once, before y
 * (which may be its array) is written. */
#define GT_BINARY(name, suffix, type, result, expression)                                          \
    void GT_KERNEL(name##_##suffix)(int64_t n, const void *left, int64_t sa, const void *right,    \
                                    int64_t sb, void *to)                                          \
    {                                                                                              \
        GT_BINARY_BODY(type, result, expression)                                                   \
    }
#define GT_BINARY_BODY(type, result, expression)                                                   \
    const type *as = left, *bs = right;                                                            \
    result *ys = to;                                                                               \
    if (n <= 0)                                                                                    \
        return;                                                                                    \
    if (sa == 0) {                                                                                 \
        const type a = as[0];                                                                      \
        if (sb == 0 && n > 1) {                                                                    \
            const type b = bs[0];                                                                  \
            ys[0] = (result)(expression);                                                          \
            gt_repeat_bytes(ys, sizeof(result), n);                                                \
            return;                                                                                \
        }                                                                                          \
        GT_INDEPENDENT                                                                             \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const type b = bs[i];                                                                  \
            ys[i] = (result)(expression);                                                          \
        }                                                                                          \
    } else if (sb == 0) {                                                                          \
        const type b = bs[0];                                                                      \
        GT_INDEPENDENT                                                                             \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const type a = as[i];                                                                  \
            ys[i] = (result)(expression);                                                          \
        }                                                                                          \
    } else {                                                                                       \
        GT_INDEPENDENT                                                                             \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const type a = as[i], b = bs[i];                                                       \
            ys[i] = (result)(expression);                                                          \
        }                                                                                          \
    }

/* A float as its bits and back. Compilers turn the copies into nothing. */
static inline uint32_t gt_bits_f32(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float gt_from_bits_f32(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint64_t gt_bits_f64(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double gt_from_bits_f64(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* x = size 2^exponent with 1 <= |size| < 2; 0, infinity and NaN keep the exponent 0. `subnormal`: x
 * may be a subnormal number. */
static inline gt_Scaled gt_split(double x, const bool subnormal)
{
    const bool lift = subnormal && !(gt_bits_f64(x) >> 52 & 0x7ff);
    const uint64_t bits = gt_bits_f64(lift ? x * 0x1p54 : x), biased = bits >> 52 & 0x7ff;
    const bool special = biased - 1 >= 0x7fe;
    gt_Scaled y;
    y.size =
        gt_from_bits_f64(special ? bits : (bits & ~(UINT64_C(0x7ff) << 52)) | UINT64_C(1023) << 52);
    y.exponent = special ? 0 : (int64_t)biased - (lift ? 1023 + 54 : 1023);
    return y;
}

static inline gt_Scaled gt_scaled_product(gt_Scaled a, gt_Scaled b)
{
    gt_Scaled y = gt_split(a.size * b.size, false);
    y.exponent += a.exponent + b.exponent;
    return y;
}

/* a b + c, rounded once where the processor does that in one instruction: twice as fast there as a
 * product and a sum. Written out because compilers are not left to do it by themselves (whether they do
 * is up to each of them): the same bits with every compiler, other bits on another instruction set. Base
 * rounds twice (fused.h). */
#if GT_FUSES
#define gt_fma_f32(a, b, c) __builtin_fmaf(a, b, c)
#define gt_fma_f64(a, b, c) __builtin_fma(a, b, c)
#else
#define gt_fma_f32(a, b, c) ((a) * (b) + (c))
#define gt_fma_f64(a, b, c) ((a) * (b) + (c))
#endif

extern const gt_KernelTable GT_KERNEL(kernels);
#define GT_DECLARE_TILES(name)      gt_TileKernel GT_KERNEL(tiles_##name);
#define GT_DECLARE_TILES_RARE(name) gt_TileKernel GT_KERNEL_RARE(tiles_##name);
#define GT_DECLARE_TILES_ONCE(name) gt_TileKernel GT_KERNEL_BASE(tiles_##name);
GT_TILE_KERNELS(GT_DECLARE_TILES, GT_DECLARE_TILES_RARE, GT_DECLARE_TILES_ONCE)

/* The declarations of all loops but gemm: what table.c collects. */
#define GT_DECLARE(Loop, name, suffix, type, TYPE)      Loop GT_HOME(name, suffix);
#define GT_DECLARE_EACH(Loop, name, suffix, type, TYPE) Loop GT_KERNEL(name##_##suffix);
#define GT_DECLARE_RARE(Loop, name, suffix, type, TYPE) Loop GT_KERNEL_RARE(name##_##suffix);
#define GT_DECLARE_BASE(Loop, name, suffix, type, TYPE) Loop GT_KERNEL_BASE(name##_##suffix);

#define GT_DECLARE_UNARY(NAME, name, types)   GT_TYPES_##types(GT_DECLARE, gt_UnaryLoop, name)
#define GT_DECLARE_BINARY(NAME, name, types)  GT_TYPES_##types(GT_DECLARE, gt_BinaryLoop, name)
#define GT_DECLARE_COMPARE(NAME, name, types) GT_TYPES_##types(GT_DECLARE, gt_BinaryLoop, name)
#define GT_DECLARE_REDUCE(NAME, name, types)                                                       \
    GT_TYPES_##types(GT_DECLARE, gt_ReduceLoop, reduce_##name)                                     \
        GT_TYPES_##types(GT_DECLARE, gt_ReduceColumnsLoop, reduce_columns_##name)

GT_UNARY_LOOPS(GT_DECLARE_UNARY)
GT_BINARY_LOOPS(GT_DECLARE_BINARY)
GT_COMPARE_LOOPS(GT_DECLARE_COMPARE)
GT_REDUCE_LOOPS(GT_DECLARE_REDUCE)

GT_TYPES_Q(GT_DECLARE, gt_FindLoop, find)

GT_TYPES_F(GT_DECLARE_EACH, gt_CastLoop, cast_f32)
GT_TYPES_F(GT_DECLARE_EACH, gt_CastLoop, cast_f64)
GT_TYPES_I(GT_DECLARE_RARE, gt_CastLoop, cast_f32)
GT_TYPES_I(GT_DECLARE_RARE, gt_CastLoop, cast_f64)
GT_TYPES_B(GT_DECLARE_EACH, gt_CastLoop, cast_f32)
GT_TYPES_B(GT_DECLARE_EACH, gt_CastLoop, cast_f64)
gt_CastLoop GT_KERNEL(cast_i32_f32), GT_KERNEL(cast_i32_f64);
GT_TYPES_I(GT_DECLARE_BASE, gt_CastLoop, cast_i32)
gt_CastLoop GT_KERNEL_BASE(cast_i32_b8);
gt_ReduceLoop GT_KERNEL_BASE(sum_bytes_i32), GT_KERNEL_BASE(sum_bytes_i64);
gt_ReduceColumnsLoop GT_KERNEL_BASE(sum_bytes_columns_i32), GT_KERNEL_BASE(sum_bytes_columns_i64);
GT_TYPES_A(GT_DECLARE_BASE, gt_CastLoop, cast_i64)
GT_TYPES_A(GT_DECLARE_BASE, gt_CastLoop, cast_u8)

GT_TYPES_F(GT_DECLARE, gt_RowsLoop, few_rows_sum)
GT_TYPES_F(GT_DECLARE, gt_RowsLoop, few_rows_squares)
GT_TYPES_R(GT_DECLARE, gt_RowsLoop, few_rows_max)
GT_TYPES_R(GT_DECLARE, gt_RowsLoop, few_rows_min)
gt_RowsLoop GT_KERNEL_RARE(few_rows_prod_f32), GT_KERNEL_RARE(few_rows_prod_f64);
typedef bool gt_PlainProducts(int64_t rows, int64_t n, const void *x, void *y);
gt_PlainProducts GT_KERNEL_RARE(few_plain_products_f32), GT_KERNEL_RARE(few_plain_products_f64);
GT_TYPES_F(GT_DECLARE, gt_RowsLoop, softmax)
GT_TYPES_F(GT_DECLARE, gt_RowsLoop, log_softmax)
/* As many rows of softmax as are worked on at once, which it returns, and the terms that log_softmax takes off them,
 * log_sum only if `logs`. */
int64_t GT_KERNEL(softmax_terms_f32)(int64_t rows, int64_t columns, const float *x, float *y,
                                     bool logs, float *shift, float *log_sum);
int64_t GT_KERNEL(softmax_terms_f64)(int64_t rows, int64_t columns, const double *x, double *y,
                                     bool logs, double *shift, double *log_sum);
/* What log_softmax takes off each row, shift[r] then log_sum[r]: of as many rows as are worked on at once, which it
 * returns. There is room for GT_TERMS numbers in both. */
#define GT_TERMS 1040
int64_t GT_KERNEL(log_softmax_terms_f32)(int64_t rows, int64_t columns, const float *x,
                                         float *shift, float *log_sum);
int64_t GT_KERNEL(log_softmax_terms_f64)(int64_t rows, int64_t columns, const double *x,
                                         double *shift, double *log_sum);
GT_TYPES_F(GT_DECLARE, gt_RowsLoop, logsumexp)
gt_RandomLoop GT_KERNEL(random_uniform_f32), GT_KERNEL_RARE(random_uniform_f64);
GT_TYPES_R(GT_DECLARE, gt_RandomLoop, random_normal)
GT_TYPES_R(GT_DECLARE, gt_FourierPassLoop, fourier_pass)
GT_TYPES_R(GT_DECLARE, gt_FourierFoldLoop, fourier_fold)
GT_TYPES_R(GT_DECLARE, gt_FourierMultiplyLoop, fourier_multiply)

gt_RandomLoop GT_KERNEL_RARE(random_bits);
gt_DotLoop GT_KERNEL_RARE(dot_f32);
gt_UnaryLoop GT_KERNEL_RARE(log_f32); /* of a row of softmax */

gt_ConvLoop GT_KERNEL(conv_dense_f32), GT_KERNEL(conv_dense_f64);
gt_ConvLoop GT_KERNEL(conv_deep_f32), GT_KERNEL(conv_deep_f64);
gt_ConvLoop GT_KERNEL(conv_pair), GT_KERNEL(conv_turned); /* float32, AVX-512 */
gt_MarkLoop GT_KERNEL_RARE(pool_mark_f32), GT_KERNEL_RARE(pool_mark_f64);

gt_WidenLoop GT_KERNEL(widen_f16), GT_KERNEL(widen_bf16);
gt_CastLoop GT_KERNEL(narrow_f16_f32), GT_KERNEL(narrow_bf16_f32);
gt_CastLoop GT_KERNEL_BASE(narrow_f16_f64), GT_KERNEL_BASE(narrow_bf16_f64);

/* By the size of an element: 1, 2, 4, 8 bytes. */
gt_SpreadLoop GT_KERNEL_RARE(spread_1), GT_KERNEL_BASE(spread_2), GT_KERNEL(spread_4),
    GT_KERNEL(spread_8), GT_KERNEL_RARE(spread_4), GT_KERNEL_RARE(spread_8);
gt_SelectLoop GT_KERNEL_BASE(select_1), GT_KERNEL_BASE(select_2), GT_KERNEL_RARE(select_4),
    GT_KERNEL_RARE(select_8);
gt_TransposeLoop GT_KERNEL_BASE(transpose_1), GT_KERNEL_BASE(transpose_2), GT_KERNEL(transpose_4),
    GT_KERNEL(transpose_8);

#endif
