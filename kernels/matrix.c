/* Kernels on matrices: equations with triangular ones, products. Leans on loops.h. */
#include "loops.h"
#include "product.h"

#ifndef GT_RARE_ELSEWHERE
#define GT_T          float
#define GT_NAME(name) name##_f32
#include "triangular_template.h"

#define GT_T          double
#define GT_NAME(name) name##_f64
#include "triangular_template.h"

/* Matrices do not meet: any order of tiles. */
void GT_KERNEL(tiles_triangular)(const void *given, void *const *at, int64_t first, int64_t last,
                                 void *scratch)
{
    const gt_TriangularJob *job = given;
    const int64_t of_a = job->n * job->n, of_b = job->n * job->k;
    int64_t end = last * job->group < job->batch ? last * job->group : job->batch;
    (void)scratch;
    for (int64_t i = first * job->group; i < end; i++) {
        int64_t a = gt_batch_matrix(&job->walk, 0, i) * of_a;
        int64_t b = gt_batch_matrix(&job->walk, 1, i) * of_b;
        if (job->type == GT_LOOP_F32)
            triangular_f32(job, (const float *)at[0] + a, (const float *)at[1] + b,
                           (float *)at[2] + i * of_b);
        else
            triangular_f64(job, (const double *)at[0] + a, (const double *)at[1] + b,
                           (double *)at[2] + i * of_b);
    }
}
#endif

/* Strips [from, to) of one product, as one piece. */
static void product_strips(const gt_ProductJob *job, void *const *at, int64_t batch, int64_t from,
                           int64_t to, void *scratch)
{
    const size_t element = job->type == GT_LOOP_F32 ? sizeof(float) : sizeof(double);
    const size_t of_a = job->half_a >= 0 ? sizeof(uint16_t) : element;
    const size_t of_b = job->half_b >= 0 ? sizeof(uint16_t) : element;
    const int64_t side = job->by_rows ? job->m : job->n, begin = from * job->strip;
    const int64_t length = (to * job->strip < side ? to * job->strip : side) - begin;
    const int64_t row = job->by_rows ? begin : 0, column = job->by_rows ? 0 : begin;
    const int64_t lda = job->transpose_a ? job->m : job->k;
    const int64_t ldb = job->transpose_b ? job->k : job->n;
    const int64_t a = gt_batch_matrix(&job->walk, 0, batch) * job->m * job->k +
                      (job->transpose_a ? row : row * lda);
    const int64_t b = gt_batch_matrix(&job->walk, 1, batch) * job->k * job->n +
                      (job->transpose_b ? column * ldb : column);
    const int64_t c = (batch * job->m + row) * job->n + column;
    const gt_Gemm gemm = {.transpose_a = job->transpose_a,
                          .transpose_b = job->transpose_b,
                          .m = job->by_rows ? length : job->m,
                          .n = job->by_rows ? job->n : length,
                          .k = job->k,
                          .a = (const char *)at[job->a] + (size_t)a * of_a,
                          .b = (const char *)at[job->b] + (size_t)b * of_b,
                          .lda = lda,
                          .ldb = ldb,
                          .ldc = job->n,
                          .half_a = job->half_a,
                          .half_b = job->half_b,
                          .c = (char *)at[job->c] + (size_t)c * element,
                          .packed = job->packed >= 0 ? at[job->packed] : NULL,
                          .bias = job->bias >= 0 ? at[job->bias] : NULL,
                          .alone = job->m * job->n == 1};
    gt_gemm(&GT_KERNEL(kernels), (gt_LoopType)job->type, &gemm, scratch);
}

/* Copies numbers; any order of tiles. */
void GT_KERNEL(tiles_product_pack)(const void *given, void *const *at, int64_t first, int64_t last,
                                   void *scratch)
{
    const gt_ProductJob *job = given;
    const int64_t wide = GT_KERNEL(kernels).gemm_n[job->type];
    (void)scratch;
    GT_KERNEL(kernels).gemm_pack[job->type](
        job->transpose_b, job->n, job->k, at[job->b], job->transpose_b ? job->k : job->n,
        first * wide, last * wide < job->n ? last * wide : job->n, at[job->packed]);
}

/* The order of operations is gt_gemm's, then one sum with the bias, then relu: an element of C depends on its row of A and
 * its column of B alone, so that neighbouring strips are computed as one piece. */
void GT_KERNEL(tiles_product)(const void *given, void *const *at, int64_t first, int64_t last,
                              void *scratch)
{
    const gt_ProductJob *job = given;
    if (job->small) {
        void *c = at[job->c];
        GT_KERNEL(kernels).gemm_small[job->type](job, at[job->a], at[job->b],
                                                 job->bias >= 0 ? at[job->bias] : NULL, c, scratch);
        if (job->relu)
            GT_KERNEL(kernels).unary[GT_LOOP_RELU][job->type](job->m * job->n, c, c);
        return;
    }
    first *= job->group;
    last = last * job->group < job->batches * job->strips ? last * job->group
                                                          : job->batches * job->strips;
    while (first < last) {
        int64_t batch = first / job->strips, from = first % job->strips;
        int64_t to = job->strips - from < last - first ? job->strips : from + last - first;
        product_strips(job, at, batch, from, to, scratch);
        first += to - from;
    }
}
