/* Products of matrices: strips for the own kernels, fixed tiles for OpenBLAS. product.h says why. */
#include "ops/linalg/product.h"
#include "core/assert.h"
#include "core/inside.h"
#include "kernels/product.h"

#define BLAS_TILE  1024
#define BLAS_LEAST 1024 /* smaller products are never OpenBLAS's */

static int64_t pieces(int64_t n, int64_t piece)
{
    return (n + piece - 1) / piece;
}

void gt_product_types(gt_ProductJob *job, const gt_Spec *a, const gt_Spec *b, const gt_Spec *c)
{
    job->type = (uint8_t)gt_loop_type(c->dtype);
    job->half_a = (int8_t)gt_half_type(a->dtype);
    job->half_b = (int8_t)gt_half_type(b->dtype);
    job->a = 0;
    job->b = 1;
    job->c = 2;
}

/* ---- own kernels ---- */

/* A tile is worth handing to another thread: a strip along the longer side, so that threads share the smaller operand and
 * each has a part of the larger one for itself; or several small products. The strips are a power of two in number, and as
 * long as one another, so that two or four threads get as much each. */
static void cut(gt_ProductJob *job, const gt_KernelTable *target)
{
    const double worth = 32768; /* multiplications in a tile */
    const int64_t most = 32;    /* strips */
    job->by_rows = job->m > job->n;
    int64_t side = job->by_rows ? job->m : job->n;
    int64_t least = job->by_rows ? target->gemm_m[job->type] : target->gemm_n[job->type];
    double work = (double)job->m * (double)job->n * (double)job->k;
    int64_t count = 1;
    while (2 * count <= most && (double)(2 * count) * worth <= work && 2 * count * least <= side)
        count *= 2;
    job->strip = pieces(side, count);
    if (!job->by_rows)
        job->strip = pieces(job->strip, least) * least;
    job->strips = job->strip ? pieces(side, job->strip) : 1;
    job->group = job->strips > 1 ? 1 : work < 1 ? (int64_t)worth : 1 + (int64_t)(worth / work);
    GT_ASSERT(job->strips >= 1 && job->strips * job->strip >= side);
}

void gt_lower_product(gt_Lowering *lowering, const gt_ProductJob *given, int64_t batches)
{
    gt_ProductJob *job = gt_lower_launch(lowering, GT_TILES_product, 0, sizeof *job);
    *job = *given;
    job->batches = batches;
    cut(job, lowering->target);
    lowering->launch[lowering->launches - 1].tiles = pieces(batches * job->strips, job->group);
    if (job->strips == 1)
        gt_lower_span(lowering, job->group * job->m * job->n);
    else if (job->by_rows && batches == 1)
        gt_lower_span(lowering, job->strip * job->n);
    bool widens = job->half_a >= 0 || job->half_b >= 0;
    gt_lower_scratch(lowering, gt_gemm_scratch(lowering->target, (gt_LoopType)job->type, widens,
                                               job->m, job->n, job->k));
}

/* ---- OpenBLAS ---- */

bool gt_product_by_blas(const gt_ProductJob *job)
{
    return gt_blas_worth(gt_context_blas(gt_context()), (gt_LoopType)job->type, job->m, job->n,
                         job->k);
}

size_t gt_product_scratch(const gt_Spec *a, const gt_Spec *b, const gt_Spec *c, int64_t n,
                          int64_t k)
{
    bool widens = a->dtype != c->dtype || b->dtype != c->dtype;
    return widens && n >= BLAS_LEAST && k >= BLAS_LEAST ? 2 * BLAS_TILE * (size_t)k * sizeof(float)
                                                        : 0;
}

/* The rows and columns of an operand of a tile as float32, in `scratch`, which moves on. */
static const void *widened(const gt_KernelTable *loops, int half, int64_t rows, int64_t columns,
                           const void *x, int64_t *ld, float **scratch)
{
    float *wide = *scratch;
    if (half < 0)
        return x;
    loops->widen[half](rows, columns, x, *ld, wide, columns);
    *ld = columns;
    *scratch += rows * columns;
    return wide;
}

/* Rows [i, i + m) and columns [j, j + n) of C, from the tile's corner of each operand. */
static void blas_tile(const gt_Kernel *kernel, const gt_ProductJob *p, int64_t m, int64_t n,
                      const void *a, const void *b, void *c, float *scratch)
{
    const gt_KernelTable *loops = gt_context_kernels(kernel->context);
    const gt_Blas *blas = gt_context_blas(kernel->context);
    int of_a = p->transpose_a ? GT_BLAS_TRANSPOSED : GT_BLAS_PLAIN;
    int of_b = p->transpose_b ? GT_BLAS_TRANSPOSED : GT_BLAS_PLAIN;
    int64_t lda = p->transpose_a ? p->m : p->k, ldb = p->transpose_b ? p->k : p->n;
    a = widened(loops, p->half_a, p->transpose_a ? p->k : m, p->transpose_a ? m : p->k, a, &lda,
                &scratch);
    b = widened(loops, p->half_b, p->transpose_b ? n : p->k, p->transpose_b ? p->k : n, b, &ldb,
                &scratch);
    if (p->type == GT_LOOP_F32)
        blas->gemm_f32(GT_BLAS_ROW_MAJOR, of_a, of_b, (int)m, (int)n, (int)p->k, 1, a, (int)lda, b,
                       (int)ldb, 0, c, (int)p->n);
    else
        blas->gemm_f64(GT_BLAS_ROW_MAJOR, of_a, of_b, (int)m, (int)n, (int)p->k, 1, a, (int)lda, b,
                       (int)ldb, 0, c, (int)p->n);
}

static void blas_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                       void *scratch)
{
    const gt_ProductJob *p = argument;
    int64_t lda = p->transpose_a ? p->m : p->k, ldb = p->transpose_b ? p->k : p->n;
    int64_t across = pieces(p->n, BLAS_TILE), all = pieces(p->m, BLAS_TILE) * across;
    size_t element_a = gt_dtype_size(kernel->input_spec[0]->dtype);
    size_t element_b = gt_dtype_size(kernel->input_spec[1]->dtype);
    size_t element_c = gt_dtype_size(kernel->output_spec[0]->dtype);
    for (int64_t tile = first; tile < last; tile++) {
        int64_t batch = tile / all, i = tile % all / across * BLAS_TILE;
        int64_t j = tile % across * BLAS_TILE;
        int64_t m = p->m - i < BLAS_TILE ? p->m - i : BLAS_TILE;
        int64_t n = p->n - j < BLAS_TILE ? p->n - j : BLAS_TILE;
        int64_t at_a =
            gt_batch_matrix(&p->walk, 0, batch) * p->m * p->k + (p->transpose_a ? i : i * lda);
        int64_t at_b =
            gt_batch_matrix(&p->walk, 1, batch) * p->k * p->n + (p->transpose_b ? j * ldb : j);
        int64_t at_c = batch * p->m * p->n + i * p->n + j;
        blas_tile(kernel, p, m, n, (const char *)kernel->input[0] + (size_t)at_a * element_a,
                  (const char *)kernel->input[1] + (size_t)at_b * element_b,
                  (char *)kernel->output[0] + (size_t)at_c * element_c, scratch);
    }
}

gt_Status gt_product_run(const gt_Kernel *kernel, gt_ProductJob *job, int64_t batches)
{
    return gt_for_tiles(kernel, batches * pieces(job->m, BLAS_TILE) * pieces(job->n, BLAS_TILE),
                        blas_tiles, job);
}
