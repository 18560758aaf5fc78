/* One axis of another size: a product with the thin band matrix of once/resize.c, or its transpose.
 * Leans on loops.h. */
#include "loops.h"

#ifndef GT_RARE_ELSEWHERE
/* The matrix as resize_bands writes it. */
typedef struct Bands {
    const int64_t *first, *count;
    const double *weight;
} Bands;

#define GT_T          float
#define GT_NAME(name) name##_f32
#include "resize_template.h"

#define GT_T          double
#define GT_NAME(name) name##_f64
#include "resize_template.h"

/* Each element of the result is a sum of products with weights in the order that resize_template.h names, in double
 * and rounded once where there are many. Any order of tiles. */
void GT_KERNEL(tiles_resize)(const void *given, void *const *at, int64_t first, int64_t last,
                             void *scratch)
{
    const gt_ResizeJob *job = given;
    const int64_t *begin = at[job->bands];
    const Bands bands = {begin, begin + job->out,
                         (const double *)(const void *)(begin + 2 * job->out)};
    const int64_t from = job->back ? job->out : job->in, to = job->back ? job->in : job->out;
    for (int64_t tile = first; tile < last; tile++) {
        int64_t outer = tile / job->chunks, i = tile % job->chunks * job->chunk;
        int64_t n = job->inner - i < job->chunk ? job->inner - i : job->chunk;
        int64_t x = outer * from * job->inner + i, y = outer * to * job->inner + i;
        if (job->type == GT_LOOP_F32)
            resize_chunk_f32(job, &bands, n, at[0], x, at[1], y, scratch);
        else
            resize_chunk_f64(job, &bands, n, at[0], x, at[1], y, scratch);
    }
}
#endif
