/* The weights of resizing: one row of a band matrix for each element of the larger or smaller axis.
 * Compiled once. Leans on functions.h. */
#include "kernels/functions.h"

static double sinc(double x)
{
    const double pi = 3.14159265358979323846;
    return x == 0 ? 1 : gt_sin_f64(pi * x) / (pi * x);
}

/* The weight at a distance: 0 from the reach on. */
static double weight_at(uint8_t kind, double x)
{
    const int reach = gt_resize_reach(kind);
    x = fabs(x);
    if (x >= reach)
        return 0;
    if (kind == GT_RESIZE_KIND_TENT)
        return 1 - x;
    if (kind == GT_RESIZE_KIND_CUBIC)
        return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2;
    return sinc(x) * sinc(x / reach);
}

/* Element i of `out` is made of the elements of `in` that are nearer to its middle than the weights
 * reach; their weights are divided by their sum, which goes from the first on. Returns how many
 * there are. */
static int64_t band_row(const gt_ResizeJob *job, int64_t i, int64_t *begin, double *weight)
{
    const double middle = ((double)i + 0.5) * ((double)job->in / (double)job->out);
    if (job->kind == GT_RESIZE_KIND_NEAREST) {
        int64_t nearest = (int64_t)middle;
        *begin = nearest < job->in ? nearest : job->in - 1;
        weight[0] = 1;
        return 1;
    }
    double reach = gt_resize_reach(job->kind) * job->stretch, sum = 0;
    int64_t first = (int64_t)floor(middle - 0.5 - reach) + 1, count = 0;
    int64_t last = (int64_t)ceil(middle - 0.5 + reach) - 1;
    *begin = first < 0 ? 0 : first;
    for (int64_t j = *begin; j <= last && j < job->in; j++) {
        weight[count] = weight_at(job->kind, (middle - 0.5 - (double)j) / job->stretch);
        sum += weight[count++];
    }
    for (int64_t k = 0; k < count; k++)
        weight[k] /= sum;
    return count;
}

/* Each row of weights by itself: in double, divided by their sum from the first on, as band_row says. Any order of
 * tiles. */
void GT_KERNEL(tiles_resize_bands)(const void *given, void *const *at, int64_t first, int64_t last,
                                   void *scratch)
{
    const gt_ResizeJob *job = given;
    int64_t *begin = at[job->bands], *count = begin + job->out;
    double *weight = (double *)(void *)(count + job->out);
    int64_t end = last * GT_RESIZE_ROWS < job->out ? last * GT_RESIZE_ROWS : job->out;
    (void)scratch;
    for (int64_t i = first * GT_RESIZE_ROWS; i < end; i++)
        count[i] = band_row(job, i, &begin[i], weight + i * job->taps);
}
