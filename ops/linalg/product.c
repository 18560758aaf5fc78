/* Products of matrices as launches: product.h. */
#include "ops/linalg/product.h"
#include "core/assert.h"
#include "core/inside.h"
#include "kernels/product.h"

#include <string.h>

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

/* B is laid out once for all strips of rows: worth it from some rows on, for it costs one more copy, and from a whole tile's
 * columns on. There must be room for its launch and memory, and for one more launch behind the product. */
static bool packs(const gt_ProductJob *job, const gt_Lowering *lowering)
{
    enum {
        MOST = 2 << 20
    }; /* bytes, what a cache holds: of more, gemm lays out columns by itself, for each strip */
    const gt_LoopType type = (gt_LoopType)job->type;
    const int64_t least =
        job->transpose_b ? 64 : 192; /* rows; a B that is turned costs more where it is */
    if (job->batches != 1 || !job->by_rows || job->strips < 2 || job->m < least ||
        job->half_a >= 0 || job->half_b >= 0 || job->n < lowering->target->gemm_n[type] ||
        lowering->launches + 3 > GT_MAX_LAUNCHES || lowering->temporaries == GT_MAX_TEMPORARIES ||
        lowering->target->gemm_swaps[type](job->transpose_a, job->transpose_b, job->m, job->n,
                                           job->k))
        return false;
    const size_t bytes = gt_gemm_packed_bytes(lowering->target, type, job->n, job->k);
    return bytes > 0 && bytes <= MOST;
}

/* One tile of one block, whose operands stay in the first cache; but not a single number, whose sum is another one, nor what
 * takes turns of A, unless all of it is less than these. */
static bool is_small(const gt_ProductJob *job, const gt_KernelTable *target)
{
    const gt_LoopType type = (gt_LoopType)job->type;
    const double work = (double)job->m * (double)job->n * (double)job->k;
    return job->batches == 1 && job->strips == 1 && job->half_a < 0 && job->half_b < 0 &&
           job->m * job->n > 1 && job->k > 0 && job->m <= target->gemm_m[type] &&
           job->n <= 4 * target->gemm_n[type] && job->k <= 128 &&
           (work <= 4096 ||
            (job->m > 3 && !target->gemm_swaps[type](job->transpose_a, job->transpose_b, job->m,
                                                     job->n, job->k)));
}

gt_ProductJob *gt_lower_pack(const gt_ShapeRule *rule, gt_Lowering *lowering,
                             const gt_ProductJob *product)
{
    const gt_LoopType type = (gt_LoopType)product->type;
    const size_t bytes = gt_gemm_packed_bytes(lowering->target, type, product->n, product->k);
    const int32_t packed = gt_lower_temporary(lowering, rule, bytes);
    gt_ProductJob *job =
        gt_lower_launch(lowering, GT_TILES_product_pack,
                        pieces(product->n, lowering->target->gemm_n[type]), sizeof *job);
    *job = *product;
    job->packed = (int8_t)packed;
    return job;
}

void gt_lower_product(const gt_ShapeRule *rule, gt_Lowering *lowering, const gt_ProductJob *given,
                      int64_t batches)
{
    gt_ProductJob product = *given, *job = &product;
    job->batches = batches;
    job->packed = job->bias = -1;
    job->relu = 0;
    cut(job, lowering->target);
    job->small = is_small(job, lowering->target);
    if (packs(job, lowering)) {
        gt_lower_pack(rule, lowering, job);
        gt_lower_again(lowering, GT_TILES_product, 0);
    } else {
        memcpy(gt_lower_launch(lowering, GT_TILES_product, 0, sizeof *job), job, sizeof *job);
    }
    lowering->launch[lowering->launches - 1].tiles = pieces(batches * job->strips, job->group);
    if (job->strips == 1)
        gt_lower_span(lowering, job->group * job->m * job->n);
    else if (job->by_rows && batches == 1)
        gt_lower_span(lowering, job->strip * job->n);
    bool widens = job->half_a >= 0 || job->half_b >= 0;
    gt_lower_scratch(lowering, gt_gemm_scratch(lowering->target, (gt_LoopType)job->type, widens,
                                               job->m, job->n, job->k));
}
