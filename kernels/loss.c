/* The fused cross-entropies of logits. Rows go in blocks that stay in the first cache from
 * log_softmax to the sum. Leans on the row loops of softmax_template.h, which say their order. */
#include <math.h>
#include <string.h>

#include "integers.h"
#include "loops.h"

#define GT_T          float
#define GT_ABS        fabsf
#define GT_NAME(name) name##_f32
#include "loss_template.h"

#define GT_T          double
#define GT_ABS        fabs
#define GT_NAME(name) name##_f64
#include "loss_template.h"

#ifndef GT_RARE_ELSEWHERE
enum { BLOCK = 1024 }; /* elements that stay in the first cache from one loop to the next */

/* Element by element, as sigmoid_crossentropy says; any order of tiles. */
void GT_KERNEL(tiles_sigmoid_crossentropy)(const void *given, void *const *at, int64_t first,
                                           int64_t last, void *scratch)
{
    const gt_SigmoidCrossentropyJob *job = given;
    (void)scratch;
    int64_t end = last * GT_TILE_ELEMENTS < job->size ? last * GT_TILE_ELEMENTS : job->size;
    for (int64_t i = first * GT_TILE_ELEMENTS; i < end; i += BLOCK) {
        int64_t n = end - i < BLOCK ? end - i : BLOCK;
        if (job->type == GT_LOOP_F32)
            sigmoid_crossentropy_f32(n, (const float *)at[0] + i, (const float *)at[1] + i,
                                     (float *)at[2] + i);
        else
            sigmoid_crossentropy_f64(n, (const double *)at[0] + i, (const double *)at[1] + i,
                                     (double *)at[2] + i);
    }
}
#endif

static int64_t count_of(const gt_LogitsJob *job, int64_t row)
{
    return job->rows - row < job->block ? job->rows - row : job->block;
}

/* Each row by itself: the log softmax of softmax_template.h, then the sum that weighted names. Any order of tiles. */
void GT_KERNEL(tiles_softmax_crossentropy)(const void *given, void *const *at, int64_t first,
                                           int64_t last, void *scratch)
{
    const gt_LogitsJob *job = given;
    for (int64_t tile = first; tile < last; tile++) {
        int64_t row = tile * job->block, i = row * job->classes, count = count_of(job, row);
        if (job->type == GT_LOOP_F32) {
            GT_KERNEL(log_softmax_f32)(count, job->classes, (const float *)at[1] + i, scratch);
            weighted_f32(count, job->classes, (const float *)at[0] + i, scratch,
                         (float *)at[2] + row);
        } else {
            GT_KERNEL(log_softmax_f64)(count, job->classes, (const double *)at[1] + i, scratch);
            weighted_f64(count, job->classes, (const double *)at[0] + i, scratch,
                         (double *)at[2] + row);
        }
    }
}

static int64_t end_of(const gt_LogitsJob *job, int64_t last)
{
    return last * job->block < job->rows ? last * job->block : job->rows;
}

/* Each row by itself: the log softmax of softmax_template.h, and less one of its elements, no sum. Any order of
 * tiles. */
void GT_KERNEL(tiles_sparse_softmax_crossentropy)(const void *given, void *const *at, int64_t first,
                                                  int64_t last, void *scratch)
{
    const gt_LogitsJob *job = given;
    (void)scratch;
    if (job->type == GT_LOOP_F32)
        sparse_losses_f32(job, at, first * job->block, end_of(job, last));
    else
        sparse_losses_f64(job, at, first * job->block, end_of(job, last));
}

/* Each row by itself: the softmax of softmax_template.h, 1 taken off at the label, then the product with g; the loss as above. Any
 * order of tiles. */
void GT_KERNEL(tiles_sparse_softmax_gradient)(const void *given, void *const *at, int64_t first,
                                              int64_t last, void *scratch)
{
    const gt_LogitsJob *job = given;
    (void)scratch;
    if (job->type == GT_LOOP_F32)
        sparse_slopes_f32(job, at, first * job->block, end_of(job, last));
    else
        sparse_slopes_f64(job, at, first * job->block, end_of(job, last));
}
