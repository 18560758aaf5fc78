/* Matrix products of any length: product.h says how. Compiled once: the loops are those of the table it is given. */
#include "kernels/product.h"

#include <string.h>

/* k is cut into parts of LONG: blocks of the kernels, so that shorter products are as they were. C
 * is cut into tiles whose sums fit a cache. */
enum { LONG = 64 * 384, TILE_M = 256, TILE_N = 1024, PIECE = 4096 };

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static bool is_long(gt_LoopType type, int64_t k)
{
    return type == GT_LOOP_F32 && k > LONG;
}

void gt_add_in_double(const gt_KernelTable *kernels, int64_t n, const float *x, double *sum)
{
    enum { PART = 256 };
    double wide[PART];
    for (int64_t i = 0; i < n; i += PART) {
        int64_t count = least(PART, n - i);
        kernels->cast[GT_LOOP_F32][GT_LOOP_F64](count, x + i, wide);
        kernels->binary[GT_LOOP_ADD][GT_LOOP_F64](count, sum + i, 1, wide, 1, sum + i);
    }
}

size_t gt_gemm_scratch(const gt_KernelTable *kernels, gt_LoopType type, bool widens, int64_t m,
                       int64_t n, int64_t k)
{
    size_t sums = 0;
    if (is_long(type, k)) {
        m = least(m, TILE_M);
        n = least(n, TILE_N);
        k = LONG;
        sums = aligned((size_t)(m * n) * (sizeof(double) + sizeof(float)));
    }
    size_t pieces = type == GT_LOOP_F32 && widens ? 2 * PIECE * sizeof(float) : 0;
    size_t bytes =
        widens ? kernels->gemm_wide_scratch(m, n, k) : kernels->gemm_scratch[type](m, n, k);
    return sums + (bytes > pieces ? bytes : pieces);
}

size_t gt_gemm_packed_bytes(const gt_KernelTable *kernels, gt_LoopType type, int64_t n, int64_t k)
{
    const int64_t lanes = kernels->gemm_n[type] / 2, columns = (n + lanes - 1) / lanes * lanes;
    return is_long(type, k)
               ? 0
               : (size_t)(columns * k) * (type == GT_LOOP_F32 ? sizeof(float) : sizeof(double));
}

/* Element (row, p) of an operand whose rows are `transposed` or not. */
static const void *at(const void *operand, bool transposed, int64_t ld, int64_t row, int64_t p,
                      gt_LoopType type, int half)
{
    size_t element = half >= 0             ? sizeof(uint16_t)
                     : type == GT_LOOP_F32 ? sizeof(float)
                                           : sizeof(double);
    return (const char *)operand + (size_t)(transposed ? p * ld + row : row * ld + p) * element;
}

static void whole(const gt_KernelTable *kernels, gt_LoopType type, const gt_Gemm *p, void *scratch)
{
    if (p->packed)
        kernels->gemm_packed[type](p->transpose_a, p->m, p->n, p->k, p->a, p->lda, p->packed, p->c,
                                   p->ldc, p->bias, scratch);
    else if (p->half_a >= 0 || p->half_b >= 0)
        kernels->gemm_wide(p->transpose_a, p->transpose_b, p->m, p->n, p->k, p->a, p->lda,
                           p->half_a, p->b, p->ldb, p->half_b, p->c, p->ldc, scratch);
    else
        kernels->gemm[type](p->transpose_a, p->transpose_b, p->m, p->n, p->k, p->a, p->lda, p->b,
                            p->ldb, p->c, p->ldc, scratch);
}

/* n neighbouring numbers of an operand, widened in `room` if they have 16 bits. */
static const float *numbers(const gt_KernelTable *kernels, const void *operand, int half, int64_t n,
                            float *room)
{
    if (half < 0)
        return operand;
    kernels->widen[half](1, n, operand, n, room, n);
    return room;
}

/* A row of A times a column of B, both of which lie together. */
static void single(const gt_KernelTable *kernels, const gt_Gemm *p, float *scratch)
{
    double sum = 0;
    for (int64_t from = 0; from < p->k; from += PIECE) {
        int64_t n = least(PIECE, p->k - from);
        const void *a = at(p->a, false, p->k, 0, from, GT_LOOP_F32, p->half_a);
        const void *b = at(p->b, false, p->k, 0, from, GT_LOOP_F32, p->half_b);
        sum += kernels->dot(n, numbers(kernels, a, p->half_a, n, scratch),
                            numbers(kernels, b, p->half_b, n, scratch + PIECE));
    }
    *(float *)p->c = (float)sum;
}

/* Rows [i, i + m) and columns [j, j + n) of C, over a long k. */
static void long_tile(const gt_KernelTable *kernels, const gt_Gemm *p, int64_t i, int64_t j,
                      void *scratch)
{
    gt_Gemm part = *p;
    part.m = least(TILE_M, p->m - i);
    part.n = part.ldc = least(TILE_N, p->n - j);
    double *sums = scratch;
    float *c = (float *)(sums + part.m * part.n);
    void *rest = (char *)scratch + aligned((size_t)(part.m * part.n) * (sizeof *sums + sizeof *c));
    part.c = c;
    memset(sums, 0, (size_t)(part.m * part.n) * sizeof *sums);
    for (int64_t from = 0; from < p->k; from += LONG) {
        part.k = least(LONG, p->k - from);
        part.a = at(p->a, p->transpose_a, p->lda, i, from, GT_LOOP_F32, p->half_a);
        part.b = at(p->b, !p->transpose_b, p->ldb, j, from, GT_LOOP_F32, p->half_b);
        whole(kernels, GT_LOOP_F32, &part, rest);
        gt_add_in_double(kernels, part.m * part.n, c, sums);
    }
    for (int64_t row = 0; row < part.m; row++)
        kernels->cast[GT_LOOP_F64][GT_LOOP_F32](part.n, sums + row * part.n,
                                                (float *)p->c + (i + row) * p->ldc + j);
}

void gt_gemm(const gt_KernelTable *kernels, gt_LoopType type, const gt_Gemm *p, void *scratch)
{
    if (type == GT_LOOP_F32 && p->alone) {
        single(kernels, p, scratch);
    } else if (is_long(type, p->k)) {
        for (int64_t i = 0; i < p->m; i += TILE_M)
            for (int64_t j = 0; j < p->n; j += TILE_N)
                long_tile(kernels, p, i, j, scratch);
    } else {
        whole(kernels, type, p, scratch);
    }
}

int64_t gt_batch_matrix(const gt_BatchWalk *walk, int operand, int64_t batch)
{
    int64_t offset = 0;
    for (int64_t d = walk->rank - 1; d >= 0; d--) {
        offset += batch % walk->dims[d] * walk->stride[operand][d];
        batch /= walk->dims[d];
    }
    return offset;
}
