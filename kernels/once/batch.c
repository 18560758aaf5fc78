/* What batch and group normalization do once, between going over the rows: the parts of the blocks become numbers of the channels.
 * Leans on loops.h and norm.h. */
#include "kernels/batch.h"
#include "kernels/loops.h"
#include "kernels/norm.h"

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

/* Of each channel of a sample the mean, and the squared distances from it: its blocks in their order. */
static void join_blocks(const gt_BatchJob *job, const double *part, double *mean, double *apart)
{
    const int64_t channels = job->channels;
    double count = 0;
    for (int64_t c = 0; c < channels; c++) {
        mean[c] = job->blocks ? part[c] : (double)NAN;
        apart[c] = job->blocks ? part[channels + c] : 0;
    }
    for (int64_t block = 0; block < job->blocks; block++, part += 2 * channels) {
        const double more = rows_of(job, block), all = count + more;
        const double share = more / all, both = count * more / all;
        for (int64_t c = 0; block > 0 && c < channels; c++) {
            const double step = part[c] - mean[c];
            mean[c] = mean[c] + step * share;
            apart[c] = apart[c] + (part[channels + c] + step * step * both);
        }
        count = all;
    }
}

/* The channels of a group become one, in their order, in the place of the first. */
static void join_channels(int64_t width, double rows, double *mean, double *apart)
{
    for (int64_t c = 1; c < width; c++) {
        const double count = (double)c * rows, all = count + rows, step = mean[c] - mean[0];
        mean[0] = mean[0] + step * (rows / all);
        apart[0] = apart[0] + (apart[c] + step * step * (count * rows / all));
    }
}

/* ---- groups whose squares do not fit their type ---- */

/* The numbers of a group in double, times the power of two that brings the largest to about 1: their mean is that of x, `size` the
 * root of the mean square of what is left of x and of epsilon. */
static void measure(const gt_BatchJob *job, const void *x, int64_t sample, int64_t group,
                    double *mean, double *size)
{
    const int64_t width = job->channels / job->groups, n = job->rows * width;
    const int64_t from = sample * job->rows * job->channels + group * width;
    double most = 0, total = 0, apart = 0;
    for (int64_t i = 0; i < n; i++) {
        const double one = fabs(fetch(job, x, from + i / width * job->channels + i % width));
        most = one > most || isnan(one) ? one : most;
    }
    const double unit = gt_norm_unit_of(most, job->epsilon, job->wide_type);
    for (int64_t i = 0; i < n; i++)
        total += fetch(job, x, from + i / width * job->channels + i % width) * unit;
    total /= (double)n;
    for (int64_t i = 0; i < n; i++) {
        const double d = fetch(job, x, from + i / width * job->channels + i % width) * unit - total;
        apart += d * d;
    }
    *mean = total / unit;
    *size = sqrt(apart / (double)n + job->epsilon * unit * unit) / unit;
}

static bool squares_fit(const gt_BatchJob *job, double variance)
{
    return job->wide_type ? variance > GT_NORM_LOW_F64 && variance < GT_NORM_HIGH_F64
                          : variance > GT_NORM_LOW_F32 && variance < GT_NORM_HIGH_F32;
}

/* Of a channel: y = (x - mean) factor + offset. What rounding the mean loses goes into the offset. */
static void make_line(const gt_BatchJob *job, void *const *at, int64_t sample, int64_t c,
                      double mean, double rounded, double size)
{
    const int64_t to = 2 * sample * job->channels + c;
    const double scale = at[1] ? fetch(job, at[1], c) : 1;
    const double factor = store(job, at[7], to, scale / size);
    store(job, at[7], to + job->channels,
          (at[2] ? fetch(job, at[2], c) : 0) - (mean - rounded) * factor);
}

/* The blocks of a channel are joined in their order, then the channels of a group in theirs, in double, as by T. F. Chan, G. H.
 * Golub, R. J. LeVeque, Updating formulae and a pairwise algorithm for computing sample variances (1979), equation 1.3. A group of
 * `sizes` whose squares do not fit the type of x is measured in double instead. A tile is a sample; any order. */
void GT_KERNEL_BASE(tiles_batch_moments_end)(const void *given, void *const *at, int64_t first,
                                             int64_t last, void *scratch)
{
    const gt_BatchJob *job = given;
    const int64_t width = job->groups ? job->channels / job->groups : 0;
    double *all_means = scratch, *all_apart = all_means + job->channels;
    for (int64_t s = first; s < last; s++) {
        join_blocks(job, (const double *)at[6] + 2 * s * job->blocks * job->channels, all_means,
                    all_apart);
        for (int64_t g = 0; g < job->groups; g++) {
            double none[2] = {(double)NAN, 0}; /* of no channels */
            double *mean = width ? all_means + g * width : none;
            double *apart = width ? all_apart + g * width : none + 1;
            join_channels(width, (double)job->rows, mean, apart);
            const double variance = *apart / (double)(job->rows * width);
            double size = sqrt(variance + job->epsilon);
            if (job->sizes && !squares_fit(job, variance))
                measure(job, at[0], s, g, mean, &size);
            const double rounded = store(job, at[4], s * job->groups + g, *mean);
            store(job, at[5], s * job->groups + g, job->sizes ? size : variance);
            for (int64_t c = 0; c < width; c++)
                make_line(job, at, s, g * width + c, *mean, rounded, size);
        }
    }
}

/* Of a sample and each channel: sums over the blocks in their order of g and of g (x - mean). */
static void add_blocks(const gt_BatchJob *job, const double *part, double *sum, double *product)
{
    const int64_t channels = job->channels;
    for (int64_t c = 0; c < channels; c++)
        sum[c] = product[c] = 0;
    for (int64_t block = 0; block < job->blocks; block++, part += 2 * channels)
        for (int64_t c = 0; c < channels; c++) {
            sum[c] += part[c];
            product[c] += part[channels + c];
        }
}

/* Sums over the blocks of a sample in their order, then over the samples, in double; with inverse = 1 / sqrt(variance + epsilon),
 * or 1 / size, beta' is that of g, gamma' that of inverse g (x - mean). The offsets and slopes are of the means over a group of g
 * gamma and of g gamma (x - mean), channel after channel. One tile. */
void GT_KERNEL_BASE(tiles_batch_slopes_end)(const void *task, void *const *at, int64_t first,
                                            int64_t last, void *scratch)
{
    const gt_BatchJob *job = task;
    const int64_t channels = job->channels, width = job->groups ? channels / job->groups : 0;
    const double n = (double)(job->rows * width);
    double *to_gamma = scratch, *to_beta = to_gamma + channels, *sum = to_beta + channels,
           *product = sum + channels;
    for (int64_t c = 0; first < last && c < channels; c++)
        to_gamma[c] = to_beta[c] = 0;
    for (int64_t s = 0; first < last && s < job->samples; s++) {
        add_blocks(job, (const double *)at[8] + 2 * s * job->blocks * channels, sum, product);
        for (int64_t g = 0; g < job->groups; g++) {
            const double given = fetch(job, at[2], s * job->groups + g);
            const double inverse = 1 / (job->sizes ? given : sqrt(given + job->epsilon));
            double sums = 0, products = 0;
            for (int64_t c = g * width; c < (g + 1) * width; c++) {
                const double gamma = at[3] ? fetch(job, at[3], c) : 1;
                to_gamma[c] += product[c] * inverse;
                to_beta[c] += sum[c];
                sums += sum[c] * gamma;
                products += product[c] * gamma;
            }
            for (int64_t c = g * width; c < (g + 1) * width; c++) {
                const int64_t to = 4 * s * channels + c;
                store(job, at[9], to, inverse);
                store(job, at[9], to + channels, sums / n);
                store(job, at[9], to + 2 * channels, products * inverse * inverse / n);
                store(job, at[9], to + 3 * channels, at[3] ? fetch(job, at[3], c) : 1);
            }
        }
    }
    for (int64_t c = 0; first < last && c < channels; c++) {
        store(job, at[6], c, to_gamma[c]);
        store(job, at[7], c, to_beta[c]);
    }
}
