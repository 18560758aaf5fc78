/* Batch and group normalization, forward and backward, of rows of channels. Leans on loops.h,
 * gemm_vector.h. */
#include "batch.h"
#include "gemm_vector.h"
#include "loops.h"

#include <math.h>

enum { COLUMN = 4 }; /* vectors that stay in registers with their sums */

#define GT_T                     float
#define LANES                    GT_GEMM_LANES_F32
#define GT_NAME(name)            name##_f32
#define GT_MULTIPLY_ADD(a, b, c) (GT_FUSES ? __builtin_fmaf(a, b, c) : (c) + (a) * (b))
#include "batch_template.h"

#define GT_T                     double
#define LANES                    GT_GEMM_LANES_F64
#define GT_NAME(name)            name##_f64
#define GT_MULTIPLY_ADD(a, b, c) (GT_FUSES ? __builtin_fma(a, b, c) : (c) + (a) * (b))
#include "batch_template.h"

static int64_t first_row(const gt_BatchJob *job, int64_t block)
{
    if (job->blocks == 0)
        return 0;
    const int64_t row = block % job->blocks * job->group;
    return block / job->blocks * job->rows + (row < job->rows ? row : job->rows);
}

/* The rows of blocks [first, last), sample by sample. */
typedef void Rows(const gt_BatchJob *job, void *const *at, int64_t first, int64_t last,
                  void *scratch);

static void each_sample(const gt_BatchJob *job, void *const *at, int64_t first, int64_t last,
                        void *scratch, Rows *rows)
{
    const int64_t end = first_row(job, last);
    for (int64_t row = first_row(job, first), to; row < end; row = to) {
        to = (row / job->rows + 1) * job->rows;
        to = to < end ? to : end;
        rows(job, at, row, to, scratch);
    }
}

/* Of a block and a channel: column i of those that stand side by side adds every `side`th row from row i on, from 0, in the type of
 * x; the columns are added in double in their order. So are the numbers themselves, of which comes a first mean, rounded to the
 * type of x, then the distances from it and their squares, of which come the mean and the squared distances from that, >= 0. Any
 * order of tiles. */
void GT_KERNEL(tiles_batch_moments)(const void *given, void *const *at, int64_t first, int64_t last,
                                    void *scratch)
{
    const gt_BatchJob *job = given;
    for (int64_t block = first; block < last; block++) {
        const int64_t row = first_row(job, block), rows = first_row(job, block + 1) - row;
        double *part = (double *)at[6] + 2 * block * job->channels;
        if (job->wide_type)
            moments_f64(job, (const double *)at[0] + row * job->channels, rows, part, scratch);
        else
            moments_f32(job, (const float *)at[0] + row * job->channels, rows, part, scratch);
    }
}

/* y = (x - mean) factor + offset, each step rounded to the type of x; in a chain, then + more, and what is not above 0 becomes 0.
 * Any order of tiles. */
void GT_KERNEL(tiles_batch_scale)(const void *given, void *const *at, int64_t first, int64_t last,
                                  void *scratch)
{
    const gt_BatchJob *job = given;
    each_sample(job, at, first, last, scratch, job->wide_type ? scale_f64 : scale_f32);
}

/* Of a block and a channel, the sums of g and of g (x - mean), in the order of batch_moments. Any order of tiles. */
void GT_KERNEL(tiles_batch_slopes)(const void *given, void *const *at, int64_t first, int64_t last,
                                   void *scratch)
{
    const gt_BatchJob *job = given;
    for (int64_t block = first; block < last; block++) {
        const int64_t row = first_row(job, block), rows = first_row(job, block + 1) - row;
        double *part = (double *)at[8] + 2 * block * job->channels;
        if (job->wide_type)
            slopes_f64(job, at, row, rows, part, scratch);
        else
            slopes_f32(job, at, row, rows, part, scratch);
    }
}

/* x' = ((g scale - offset) - (x - mean) slope) factor, each step rounded to the type of x. Any order of tiles. */
void GT_KERNEL(tiles_batch_gradient)(const void *given, void *const *at, int64_t first,
                                     int64_t last, void *scratch)
{
    const gt_BatchJob *job = given;
    each_sample(job, at, first, last, scratch, job->wide_type ? gradient_f64 : gradient_f32);
}
