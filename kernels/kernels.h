/* The inner loops, and nothing else: plain arrays in, plain arrays out. No tensor, no context, no
 * allocation, no error. Every source of this room is compiled once per instruction set; each build
 * fills one gt_KernelTable, and core/cpu.c picks the table at the first context. Leans on nothing. */
#ifndef GT_KERNELS_KERNELS_H
#define GT_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "chain.h"
#include "copies.h"
#include "launch.h"
#include "lookups.h"
#include "orders.h"
#include "activation.h"
#include "attention.h"
#include "convolution.h"
#include "ctc.h"
#include "loss.h"
#include "matrix.h"
#include "norm.h"
#include "pooling.h"
#include "recurrent.h"
#include "resize.h"
#include "update.h"

/* Element types a loop can be written for. The numbers index the tables below. */
typedef enum gt_LoopType {
    GT_LOOP_F32,
    GT_LOOP_F64,
    GT_LOOP_I32,
    GT_LOOP_I64,
    GT_LOOP_U8,
    GT_LOOP_BOOL, /* one byte, 0 or 1 */
    GT_LOOP_TYPES
} gt_LoopType;

/* Types of 16 bits, in which numbers are stored and nothing is computed. */
typedef enum gt_HalfType { GT_HALF_F16, GT_HALF_BF16, GT_HALF_TYPES } gt_HalfType;

/* y[i] = f(x[i]). "F": float32 and float64 only; "R": the same, rarely used; "O": the same, compiled once. "N": every
 * numeric type (not bool). "I": integers. "W": integers and bool. "B": bool. */
#define GT_UNARY_LOOPS(L)                                                                          \
    L(NEGATIVE, negative, N)                                                                       \
    L(ABS, abs, N)                                                                                 \
    L(SIGN, sign, N)                                                                               \
    L(SQUARE, square, N)                                                                           \
    L(SQRT, sqrt, F)                                                                               \
    L(RSQRT, rsqrt, F)                                                                             \
    L(RECIPROCAL, reciprocal, F)                                                                   \
    L(EXP, exp, F)                                                                                 \
    L(EXPM1, expm1, R)                                                                             \
    L(LOG, log, D)                                                                                 \
    L(LOG1P, log1p, R)                                                                             \
    L(LOG2, log2, R)                                                                               \
    L(LOG10, log10, R)                                                                             \
    L(SIN, sin, R)                                                                                 \
    L(COS, cos, R)                                                                                 \
    L(TAN, tan, R)                                                                                 \
    L(ARCSIN, arcsin, R)                                                                           \
    L(ARCCOS, arccos, R)                                                                           \
    L(ARCTAN, arctan, R)                                                                           \
    L(SINH, sinh, R)                                                                               \
    L(COSH, cosh, R)                                                                               \
    L(TANH, tanh, F)                                                                               \
    L(ARCSINH, arcsinh, R)                                                                         \
    L(ARCCOSH, arccosh, R)                                                                         \
    L(ARCTANH, arctanh, R)                                                                         \
    L(ERF, erf, R)                                                                                 \
    L(ERFC, erfc, R)                                                                               \
    L(FLOOR, floor, F)                                                                             \
    L(CEIL, ceil, F)                                                                               \
    L(ROUND, round, F) /* half to even */                                                          \
    L(TRUNC, trunc, F)                                                                             \
    L(RELU, relu, N)                                                                               \
    L(SIGMOID, sigmoid, F)                                                                         \
    L(SOFTPLUS, softplus, D)                 /* max(x, 0) + log1p(exp(-|x|)) */                    \
    L(ONE_MINUS_SQUARE, one_minus_square, F) /* (1 - x) (1 + x) */                                 \
    L(CBRT, cbrt, O)                                                                               \
    L(ERFINV, erfinv, O)                                                                           \
    L(ISNAN, isnan, R) /* these four into bool */                                                  \
    L(ISINF, isinf, R)                                                                             \
    L(ISFINITE, isfinite, R)                                                                       \
    L(LOGICAL_NOT, logical_not, B)

/* y[i] = f(a[i * sa], b[i * sb]); sa and sb are 0 or 1. */
#define GT_BINARY_LOOPS(L)                                                                         \
    L(ADD, add, N)                                                                                 \
    L(SUBTRACT, subtract, N)                                                                       \
    L(MULTIPLY, multiply, N)                                                                       \
    L(DIVIDE, divide, F)                                                                           \
    L(FLOOR_DIVIDE, floor_divide, S) /* towards minus infinity; integers by 0 give 0 */            \
    L(MOD, mod, S)                   /* the sign of b, as NumPy; integers by 0 give 0 */           \
    L(POWER, power, R)                                                                             \
    L(MAXIMUM, maximum, Q) /* NaN if either is NaN */                                              \
    L(MINIMUM, minimum, Q)                                                                         \
    L(ARCTAN2, arctan2, R)                                                                         \
    L(RELU_GRADIENT, relu_gradient, F)       /* a where b > 0, else 0 */                           \
    L(TANH_GRADIENT, tanh_gradient, R)       /* a * (1 - b * b) */                                 \
    L(SIGMOID_GRADIENT, sigmoid_gradient, R) /* a * b * (1 - b) */                                 \
    L(DIVIDE_NO_NAN, divide_no_nan, R)       /* 0 where b is 0 */                                  \
    L(HYPOT, hypot, O)                                                                             \
    L(BITWISE_AND, bitwise_and, W)                                                                 \
    L(BITWISE_OR, bitwise_or, W)                                                                   \
    L(BITWISE_XOR, bitwise_xor, W)                                                                 \
    L(LEFT_SHIFT, left_shift, I)   /* by < 0 or all bits: 0 */                                     \
    L(RIGHT_SHIFT, right_shift, I) /* then: the sign */

/* y[i] = a[i * sa] OP b[i * sb] ? 1 : 0, into bool; every type (bool compares as 0 < 1). */
#define GT_COMPARE_LOOPS(L)                                                                        \
    L(EQUAL, equal, C)                                                                             \
    L(NOT_EQUAL, not_equal, C)                                                                     \
    L(LESS, less, C)                                                                               \
    L(LESS_EQUAL, less_equal, C)                                                                   \
    L(GREATER, greater, C)                                                                         \
    L(GREATER_EQUAL, greater_equal, C)

/* Reductions: the blocked, order-fixed kind. "N": every numeric type; sums of integers wrap. Those of
 * floats come out wider than they went in, so that they can be reduced further, divided and rooted before they
 * are rounded: SUM and SQUARES of float32 and float64 as double, PROD as gt_Scaled. */
#define GT_REDUCE_LOOPS(L)                                                                         \
    L(SUM, sum, Q)                                                                                 \
    L(SQUARES, squares, R) /* the sum of x^2 */                                                    \
    L(PROD, prod, Q)                                                                               \
    L(MAX, max, Q) /* NaN wins */                                                                  \
    L(MIN, min, Q)

/* size 2^exponent. |size| is within [1, 2), or 0, infinite or NaN. */
typedef struct gt_Scaled {
    double size;
    int64_t exponent;
} gt_Scaled;

#define GT_ENUM_UNARY(NAME, name, types)   GT_LOOP_##NAME,
#define GT_ENUM_BINARY(NAME, name, types)  GT_LOOP_##NAME,
#define GT_ENUM_COMPARE(NAME, name, types) GT_LOOP_##NAME,
#define GT_ENUM_REDUCE(NAME, name, types)  GT_LOOP_##NAME,
typedef enum gt_UnaryLoopId { GT_UNARY_LOOPS(GT_ENUM_UNARY) GT_UNARY_LOOP_COUNT } gt_UnaryLoopId;
typedef enum gt_BinaryLoopId {
    GT_BINARY_LOOPS(GT_ENUM_BINARY) GT_BINARY_LOOP_COUNT
} gt_BinaryLoopId;
typedef enum gt_CompareLoopId {
    GT_COMPARE_LOOPS(GT_ENUM_COMPARE) GT_COMPARE_LOOP_COUNT
} gt_CompareLoopId;
typedef enum gt_ReduceLoopId {
    GT_REDUCE_LOOPS(GT_ENUM_REDUCE) GT_REDUCE_LOOP_COUNT
} gt_ReduceLoopId;

typedef void gt_UnaryLoop(int64_t n, const void *x, void *y);
typedef void gt_BinaryLoop(int64_t n, const void *a, int64_t sa, const void *b, int64_t sb,
                           void *y);
/* y[i] = c[i] ? a[i * sa] : b[i * sb]; sc, sa, sb are 0 or 1. */
typedef void gt_SelectLoop(int64_t n, const uint8_t *c, int64_t sc, const void *a, int64_t sa,
                           const void *b, int64_t sb, void *y);
/* One number out of n contiguous ones: y[0] = reduce(x[0 .. n-1]). n = 0 gives the identity (0, 1,
 * lowest, highest). The bits depend on n and x alone. A sum of float32 is within a few of its last
 * bits of the right one, for any n. */
typedef void gt_ReduceLoop(int64_t n, const void *x, void *y);
/* The sum of a[i] b[i], in double, of n up to some thousands. */
typedef double gt_DotLoop(int64_t n, const float *a, const float *b);
/* The first i with x[i] equal to `value`, or NaN; n if there is none. */
typedef int64_t gt_FindLoop(int64_t n, const void *x, const void *value);
/* Columns: y[j] = reduce over i of x[i * stride + j], j < columns, i < rows, in blocks of rows whose
 * size is fixed. The bits of y[j] depend on rows and the column alone, never on `columns`. */
typedef void gt_ReduceColumnsLoop(int64_t rows, int64_t columns, int64_t stride, const void *x,
                                  void *y);
typedef void gt_CastLoop(int64_t n, const void *x, void *y);
/* y (rows x columns) = x, of 16 bits a number, as float32, exactly; zeros in y from `columns` to
 * ldy, so that it can be read in whole vectors. */
typedef void gt_WidenLoop(int64_t rows, int64_t columns, const void *x, int64_t ldx, float *y,
                          int64_t ldy);

/* y[r, :] over rows of `columns` contiguous numbers. */
typedef void gt_RowsLoop(int64_t rows, int64_t columns, const void *x, void *y);

/* How many products are added up at most before the sum is added to C, by type (F32, F64). */
#define GT_GEMM_DEPTH(type) ((type) == GT_LOOP_F32 ? 384 : 256)

/* C = op(A) op(B), row-major, C is m x n and overwritten. op(A) is m x k: a transposed A is stored
 * k x m with leading dimension lda. `scratch` is what gemm_scratch said, 64-byte aligned. Every
 * element of C is summed over k in ascending order with one fixed operation sequence that depends on
 * k alone: cutting m or n into pieces, in any way, gives the same bits. k = 0 gives zeros. */
typedef void gt_GemmLoop(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                         const void *a, int64_t lda, const void *b, int64_t ldb, void *c,
                         int64_t ldc, void *scratch);
/* The same for float32, of operands that may have 16 bits a number: `half_a` and `half_b` are
 * gt_HalfTypes, or -1 for float32. They are widened piece by piece, and the bits of C are those that
 * a product of the widened operands has. */
typedef void gt_GemmWideLoop(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                             const void *a, int64_t lda, int half_a, const void *b, int64_t ldb,
                             int half_b, float *c, int64_t ldc, void *scratch);

/* Does gemm compute C' = B' A' instead, because C is narrow? */
typedef bool gt_GemmSwaps(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k);

/* C = A B, or, if it adds, C + A B, the product being a sum of its own: for few rows and columns that lie well, without a thought.
 * m > 0, k from 1 to GT_GEMM_DEPTH; lines of B may be read up to whole vectors, half of gemm_n. */
typedef void gt_GemmTilesLoop(bool adds, int64_t m, int64_t n, int64_t k, const void *a,
                              int64_t lda, const void *b, int64_t ldb, void *c, int64_t ldc);

/* The same product in two steps, for a B that several pieces of C need: B is laid out once, then read in order. The bits are the
 * same. gemm_pack lays out columns [first, last), both of them multiples of gemm_n or n, and takes room for k times as many
 * numbers as n is when rounded up to half of gemm_n. gemm_packed: C = op(A) B, or, if bias is not NULL, C = op(A) B + bias, a number a column: one
 * more sum of each element, rounded like that of two operations; k is then at most GT_GEMM_DEPTH, so that the sum is whole. */
typedef void gt_GemmPackLoop(bool transpose_b, int64_t n, int64_t k, const void *b, int64_t ldb,
                             int64_t first, int64_t last, void *to);
typedef void gt_GemmPackedLoop(bool transpose_a, int64_t m, int64_t n, int64_t k, const void *a,
                               int64_t lda, const void *packed, void *c, int64_t ldc,
                               const void *bias, void *scratch);
/* A whole product that is `small`: C = op(A) op(B), or, if bias is not NULL, that and one more sum of each element. */
typedef void gt_GemmSmallLoop(const gt_ProductJob *job, const void *a, const void *b,
                              const void *bias, void *c, void *scratch);

/* Philox4x32-10 (Salmon et al. 2011). Element i of a stream is a function of (key, i) alone, so any
 * range [first, first + n) may be filled by itself. */
typedef struct gt_PhiloxKey {
    uint64_t key;     /* which stream */
    uint64_t counter; /* which draw of that stream */
} gt_PhiloxKey;
/* uniform: [0, 1), 24 random bits for float32, 53 for float64. normal: mean 0, deviation 1
 * (Box-Muller on this room's own log, sin, cos). bits: raw 64-bit words (type I64 only). */
typedef void gt_RandomLoop(gt_PhiloxKey key, int64_t first, int64_t n, void *y);

/* Fourier transforms, many beside each other. Complex arrays are two arrays, real and imaginary. One
 * pass of Stockham's transform: s columns beside each other, each of radix * m numbers whose rows are
 * `step` apart, which come out in rows of s:
 *     y[q + s (radix p + k)] = w^(p k) sum over j < radix of x[q + step (p + m j)] e^(-2 pi i j k / radix)
 * `twiddles` has re, im of w^(p k) for every p < m and every k from 1. `roots`, for a radix that has
 * no code of its own (odd, at most GT_FOURIER_RADIX), has cos, sin of 2 pi j / radix for every j. */
#define GT_FOURIER_RADIX 31
typedef struct gt_FourierPass {
    int64_t radix, m, s, step;
    const void *twiddles, *roots;
} gt_FourierPass;
typedef void gt_FourierPassLoop(const gt_FourierPass *pass, const void *x_re, const void *x_im,
                                void *y_re, void *y_im);
/* Between the spectrum X of 2 h real numbers x, h + 1 rows of `lanes`, and that of the h complex
 * numbers x[2 j] + i x[2 j + 1], Z. With w[k] = e^(-pi i k / h) and c `ends` for k = 0, else `between`:
 *     X[k] = c (Z[k] + Z[h - k]* - i w[k] (Z[k] - Z[h - k]*)),  Z[h] = Z[0]
 * or, inverse, the same with X and Z exchanged (X[h] is a number of its own) and +i w[k]*. Y[h - k]
 * comes with Y[k]. */
typedef struct gt_FourierFold {
    int64_t h, lanes;
    bool inverse;
    double ends, between;
    const void *w;
} gt_FourierFold;
typedef void gt_FourierFoldLoop(const gt_FourierFold *fold, const void *x_re, const void *x_im,
                                void *y_re, void *y_im);
/* y[q + lanes p] = w[p] x[q + step p], complex; y may be x if step is `lanes`. */
typedef void gt_FourierMultiplyLoop(int64_t rows, int64_t lanes, int64_t step, const void *w,
                                    const void *x_re, const void *x_im, void *y_re, void *y_im);

typedef struct gt_KernelTable {
    const char
        *isa; /* "x86-64", "x86-64-v3", "x86-64-v4", "aarch64", "aarch64-fused", "portable" */
    bool
        exact; /* each operation of a float is rounded by itself, to its type: the bits are the same everywhere */
    gt_TileKernel *tile[GT_TILE_KERNEL_COUNT];
    int64_t gemm_m[2]; /* rows and columns of C that one tile of work should have at least, */
    int64_t gemm_n[2]; /*   by type (F32, F64): multiples of the register tile */
    gt_UnaryLoop *unary[GT_UNARY_LOOP_COUNT][GT_LOOP_TYPES];
    gt_BinaryLoop *binary[GT_BINARY_LOOP_COUNT][GT_LOOP_TYPES];
    gt_BinaryLoop *compare[GT_COMPARE_LOOP_COUNT][GT_LOOP_TYPES];
    gt_SelectLoop *select[4]; /* by element size, as transpose */
    gt_ReduceLoop *reduce[GT_REDUCE_LOOP_COUNT][GT_LOOP_TYPES];
    gt_ReduceColumnsLoop *reduce_columns[GT_REDUCE_LOOP_COUNT][GT_LOOP_TYPES];
    gt_RowsLoop *reduce_few[GT_REDUCE_LOOP_COUNT][2]; /* by F32, F64: rows of 1 to 31, one result each, as reduce has it */
    gt_DotLoop *dot;
    /* Bytes (uint8, bool) summed as I32 and I64; wide enough that no copy of them is needed. */
    gt_ReduceLoop *sum_bytes[2];
    gt_ReduceColumnsLoop *sum_bytes_columns[2];
    gt_FindLoop *find[GT_LOOP_TYPES];                /* no bool: search it as U8 */
    gt_CastLoop *cast[GT_LOOP_TYPES][GT_LOOP_TYPES]; /* [from][to]; float to integer truncates and
                                                        saturates, NaN gives 0; to bool: != 0 */
    gt_RowsLoop *softmax[2]; /* by F32, F64; any number of columns, also 0 */
    gt_RowsLoop *log_softmax[2];
    gt_RowsLoop *logsumexp[2]; /* y has one number a row; all -inf gives -inf, +inf gives +inf */
    size_t (*gemm_scratch[2])(int64_t m, int64_t n, int64_t k); /* bytes */
    gt_GemmLoop *gemm[2];
    gt_GemmSwaps *gemm_swaps[2];
    gt_GemmTilesLoop *gemm_tiles[2];
    gt_GemmPackLoop *gemm_pack[2];
    gt_GemmPackedLoop *gemm_packed[2];
    gt_GemmSmallLoop *gemm_small[2];
    gt_GemmWideLoop *gemm_wide;
    size_t (*gemm_wide_scratch)(int64_t m, int64_t n, int64_t k);
    gt_ConvLoop *conv_dense[2], *conv_deep[2]; /* by F32, F64 */
    gt_ConvLoop *conv_pair, *conv_turned;      /* of F32; NULL: gains nothing */
    int64_t conv_lanes[2];                     /* of a vector of channels */
    gt_MarkLoop *pool_mark[2]; /* by F32, F64 */
    gt_WidenLoop *widen[GT_HALF_TYPES];
    gt_CastLoop *narrow[2][GT_HALF_TYPES]; /* from F32, F64: to the nearest, ties to even */
    gt_RandomLoop *random_uniform[2];
    gt_RandomLoop *random_normal[2];
    gt_RandomLoop *random_bits;
    gt_FourierPassLoop *fourier_pass[2];
    gt_FourierFoldLoop *fourier_fold[2];
    gt_FourierMultiplyLoop *fourier_multiply[2];
    /* y (columns x rows) = x (rows x columns) transposed, blocked for the cache; by element size
     * 1, 2, 4, 8 bytes. ldx and ldy are in elements. */
    gt_TransposeLoop *transpose[4];
    gt_SpreadLoop *spread[4]; /* by element size, too */
} gt_KernelTable;

/* One per instruction set that this build contains. */
extern const gt_KernelTable gt_kernels_base;
#ifdef GT_HAVE_V3
extern const gt_KernelTable gt_kernels_v3;
#endif
#ifdef GT_HAVE_V4
extern const gt_KernelTable gt_kernels_v4;
#endif
#ifdef GT_HAVE_FUSED /* aarch64 */
extern const gt_KernelTable gt_kernels_fused;
#endif

#endif
