/* What batch normalization does once, between going over the rows: the parts of the blocks become numbers of the channels.
 * Leans on loops.h. */
#include "kernels/batch.h"
#include "kernels/loops.h"

#include <math.h>

/* Number c of an array of the type of the job. */
static double fetch(const gt_BatchJob *job, const void *from, int64_t c)
{
    return job->wide_type ? ((const double *)from)[c] : (double)((const float *)from)[c];
}

static double store(const gt_BatchJob *job, void *to, int64_t c, double number)
{
    if (job->wide_type)
        ((double *)to)[c] = number;
    else
        ((float *)to)[c] = (float)number;
    return fetch(job, to, c);
}

static double rows_of(const gt_BatchJob *job, int64_t block)
{
    const int64_t left = job->rows - block * job->group;
    return (double)(left < job->group ? left : job->group);
}

/* The blocks are joined in their order, in double, as by T. F. Chan, G. H. Golub, R. J. LeVeque, Updating formulae and a
 * pairwise algorithm for computing sample variances (1979), equation 1.3. What rounding the mean loses goes into the
 * offset. One tile. */
void GT_KERNEL_BASE(tiles_batch_moments_end)(const void *given, void *const *at, int64_t first,
                                             int64_t last, void *scratch)
{
    const gt_BatchJob *job = given;
    const int64_t channels = job->channels;
    const double *part = at[6];
    double *mean = scratch, *apart = mean + channels, count = 0;
    for (int64_t c = 0; first < last && c < channels; c++) {
        mean[c] = job->rows ? part[c] : (double)NAN;
        apart[c] = job->rows ? part[channels + c] : 0;
    }
    for (int64_t block = 0; first < last && block < job->blocks; block++, part += 2 * channels) {
        const double more = rows_of(job, block), all = count + more;
        const double share = more / all, both = count * more / all;
        for (int64_t c = 0; block > 0 && c < channels; c++) {
            const double step = part[c] - mean[c];
            mean[c] = mean[c] + step * share;
            apart[c] = apart[c] + (part[channels + c] + step * step * both);
        }
        count = all;
    }
    for (int64_t c = 0; first < last && c < channels; c++) {
        const double rounded = store(job, at[4], c, mean[c]);
        const double variance = apart[c] / (double)job->rows;
        store(job, at[5], c, variance);
        const double scale = at[1] ? fetch(job, at[1], c) : 1;
        const double factor = store(job, at[7], c, scale / sqrt(variance + job->epsilon));
        const double offset = (at[2] ? fetch(job, at[2], c) : 0) - (mean[c] - rounded) * factor;
        store(job, at[7], channels + c, offset);
    }
}

/* Sums over the blocks in their order, in double; with inverse = 1 / sqrt(variance + epsilon), beta' is that of g, gamma'
 * inverse times that of g (x - mean). One tile. */
void GT_KERNEL_BASE(tiles_batch_slopes_end)(const void *given, void *const *at, int64_t first,
                                            int64_t last, void *scratch)
{
    const gt_BatchJob *job = given;
    const double *part = at[8], rows = (double)job->rows;
    (void)scratch;
    for (int64_t c = 0; first < last && c < job->channels; c++) {
        const double inverse = 1 / sqrt(fetch(job, at[2], c) + job->epsilon);
        double sum = 0, product = 0;
        for (int64_t block = 0; block < job->blocks; block++) {
            const double *of = part + 2 * block * job->channels + c;
            sum += of[0];
            product += of[job->channels];
        }
        store(job, at[6], c, product * inverse);
        store(job, at[7], c, sum);
        store(job, at[9], c, (at[3] ? fetch(job, at[3], c) : 1) * inverse);
        store(job, at[9], job->channels + c, sum / rows);
        store(job, at[9], 2 * job->channels + c, product * inverse * inverse / rows);
    }
}
