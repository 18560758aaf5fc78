/* Matrix products of float32 and float64, for training sizes first: from a few rows to a few
 * thousand. Compiled once per instruction set. gemm_template.h holds the method and the reason why
 * results do not depend on how work is cut; here are the sizes. Leans on gemm_vector.h. */
#include "gemm.h"
#include "gemm_vector.h"

#include <stdbool.h>
#include <string.h>

/* T(1) T(2) ... T(GT_GEMM_ROWS); beyond eight the even ones: gt_cut needs no others. */
#if GT_GEMM_ROWS == 14
#define GT_EACH_ROWS(T) T(1) T(2) T(3) T(4) T(5) T(6) T(7) T(8) T(10) T(12) T(14)
#elif GT_GEMM_ROWS == 8
#define GT_EACH_ROWS(T) T(1) T(2) T(3) T(4) T(5) T(6) T(7) T(8)
#elif GT_GEMM_ROWS == 6
#define GT_EACH_ROWS(T) T(1) T(2) T(3) T(4) T(5) T(6)
#else
#define GT_EACH_ROWS(T) T(1) T(2) T(3) T(4)
#endif

/* Up to how many rows the sums of four vectors fit the registers. */
#if GT_GEMM_ROWS >= 8
#define GT_FLAT 3
#else
#define GT_FLAT 2
#endif

/* Whether part of a vector is loaded and stored as fast as a whole one. */
#if defined(__AVX512F__)
#define GT_MASKS 1
#else
#define GT_MASKS 0
#endif

/* Rows cut into few tiles, of heights as equal as there are: a tile of two rows left over would run at half speed. The
 * first `taller` tiles have rows + step; the last one has `odd`, unless that is 0; the others have `rows`. */
typedef struct gt_Cut {
    int64_t tiles, rows, taller, step, odd;
} gt_Cut;

/* Heights differ by one at most. Where that would need one above eight, they are even, and seven rows of an odd number
 * are a tile of their own: 32 = 12 + 10 + 10, 33 = 14 + 12 + 7, but 11 = 6 + 5. */
GT_INLINE gt_Cut gt_cut(int64_t rows)
{
    int64_t tiles = (rows + GT_GEMM_ROWS - 1) / GT_GEMM_ROWS;
#if GT_GEMM_ROWS > 8
    if (rows > 8 * tiles && (rows % 2 == 0 || rows > GT_GEMM_ROWS)) {
        const int64_t odd = rows % 2 * 7, pairs = (rows - odd) / 2;
        tiles = (2 * pairs + GT_GEMM_ROWS - 1) / GT_GEMM_ROWS;
        return (gt_Cut){tiles + rows % 2, pairs / tiles * 2, pairs % tiles, 2, odd};
    }
    if (rows > 8 * tiles)
        tiles++;
#endif
    return (gt_Cut){tiles, rows / tiles, rows % tiles, 1, 0};
}

GT_INLINE int64_t gt_height(const gt_Cut *cut, int64_t tile)
{
    if (GT_GEMM_ROWS > 8 && cut->odd && tile == cut->tiles - 1)
        return cut->odd;
    return cut->rows + (tile < cut->taller ? cut->step : 0);
}

GT_INLINE int64_t gt_round_up(int64_t n, int64_t to)
{
    return (n + to - 1) / to * to;
}

/* GT_DEPTH is part of the result's bits and the same on every instruction set: the panel of B that it gives, two vectors
 * wide, fits the first-level cache, or nearly so. The others were measured and change no bit:
 *     GT_BLOCK     numbers of A in a block, 512 KB             GT_COLUMNS   columns of C in a block
 *     GT_WIDE      from how many columns on rows of A are turned into tiles
 *     GT_GROUP     vectors of B that are copied at a time
 *     GT_FEW       up to how many tiles B is read where it lies; GT_FEW_PAGES: where each line is in a page of its own
 *     GT_STRIDE    lines of B after which to ask for more of A
 *     GT_ASIDE     numbers of C that are turned at a time, of GT_TALL lines at most
 *     GT_ROWS      one row of C has loops of its own; a base that is for old processors goes without */
#define GT_WIDE  768
#define GT_GROUP 8
#define GT_FEW   12
#if GT_GEMM_ROWS >= 14
#define GT_FEW_PAGES 12
#else
#define GT_FEW_PAGES 3
#endif
#define GT_ASIDE 65536
#define GT_TALL  504
#if GT_IS_TRUE_BASE && (defined(GT_HAVE_V3) || defined(GT_HAVE_V4) || defined(GT_HAVE_FUSED))
#define GT_ROWS 0
#else
#define GT_ROWS 1
#endif
#define GT_STRIDE 16
/* How far along k numbers of 16 bits are widened before they are turned: 64 of each of two vectors'
 * rows stay in the first-level cache. */
#define GT_STRIP 64

static gt_WidenLoop *const gt_widen[GT_HALF_TYPES] = {GT_KERNEL(widen_f16), GT_KERNEL(widen_bf16)};

#define number     float
#define GT_WIDENS  1
#define LANES      GT_GEMM_LANES_F32
#define G(name)    name##_f32
#define GT_DEPTH   GT_GEMM_DEPTH(GT_LOOP_F32)
#define GT_BLOCK   131072
#define GT_COLUMNS 1024
#include "gemm_template.h"

void GT_KERNEL(gemm_wide)(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                          const void *a, int64_t lda, int half_a, const void *b, int64_t ldb,
                          int half_b, float *c, int64_t ldc, void *scratch)
{
    multiply_f32(transpose_a, transpose_b, m, n, k, (Operand_f32){a, lda, 1, half_a},
                 (Operand_f32){b, ldb, 1, half_b}, c, ldc, scratch);
}

size_t GT_KERNEL(gemm_wide_scratch)(int64_t m, int64_t n, int64_t k)
{
    return scratch_f32(m, n, k, true);
}
#undef number
#undef GT_WIDENS
#undef LANES
#undef G
#undef GT_DEPTH
#undef GT_BLOCK
#undef GT_COLUMNS

#define number     double
#define GT_WIDENS  0
#define LANES      GT_GEMM_LANES_F64
#define G(name)    name##_f64
#define GT_DEPTH   GT_GEMM_DEPTH(GT_LOOP_F64)
#define GT_BLOCK   65536
#define GT_COLUMNS 1024
#include "gemm_template.h"
