/* The lattices of connectionist temporal classification, row by row of the batch. Leans on
 * loops.h. */
#include <math.h>

#include "loops.h"

#ifndef GT_RARE_ELSEWHERE
#define GT_T          float
#define GT_NAME(name) name##_f32
#include "ctc_template.h"

#define GT_T          double
#define GT_NAME(name) name##_f64
#include "ctc_template.h"

static int64_t last_row(const gt_LatticeJob *job, int64_t tile)
{
    return tile * job->group < job->batch ? tile * job->group : job->batch;
}

/* Each row of the batch by itself, step after step, in the order that forward_step names. Any order of tiles. */
void GT_KERNEL(tiles_ctc_forward)(const void *given, void *const *at, int64_t first, int64_t last,
                                  void *scratch)
{
    const gt_LatticeJob *job = given;
    for (int64_t row = first * job->group; row < last_row(job, last); row++)
        if (job->type == GT_LOOP_F32)
            forward_f32(job, at, row, scratch);
        else
            forward_f64(job, at, row, scratch);
}

/* Each row of the batch by itself, step after step, in the order that band names. Any order of tiles. */
void GT_KERNEL(tiles_band_recurrence)(const void *given, void *const *at, int64_t first,
                                      int64_t last, void *scratch)
{
    const gt_LatticeJob *job = given;
    (void)scratch;
    for (int64_t row = first * job->group; row < last_row(job, last); row++)
        if (job->type == GT_LOOP_F32)
            band_f32(job, at, row);
        else
            band_f64(job, at, row);
}
#endif
