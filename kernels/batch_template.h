/* The loops of batch.c for one element type GT_T. Included once for each; not a header. */

/* sum[j] += x[j] */
static void GT_NAME(add_row)(int64_t n, const GT_T *x, double *sum)
{
    GT_INDEPENDENT
    for (int64_t j = 0; j < n; j++)
        sum[j] += (double)x[j];
}

/* sum[j] += (x[j] - middle[j])^2 */
static void GT_NAME(add_squares)(int64_t n, const GT_T *x, const double *middle, double *sum)
{
    GT_INDEPENDENT
    for (int64_t j = 0; j < n; j++) {
        const double apart = (double)x[j] - middle[j];
        sum[j] += apart * apart;
    }
}

/* sum[j] += g[j], product[j] += g[j] (x[j] - mean[j]) */
static void GT_NAME(add_products)(int64_t n, const GT_T *x, const GT_T *g, const double *mean,
                                  double *sum, double *product)
{
    GT_INDEPENDENT
    for (int64_t j = 0; j < n; j++) {
        sum[j] += (double)g[j];
        product[j] += (double)g[j] * ((double)x[j] - mean[j]);
    }
}

static void GT_NAME(moments)(const gt_BatchJob *job, const GT_T *x, int64_t rows, double *part,
                             double *scratch)
{
    const int64_t n = rows * job->channels, wide = job->wide;
    double *sum = scratch, *middle = scratch + wide;
    clear(sum, wide);
    for (int64_t i = 0; i < n; i += wide)
        GT_NAME(add_row)(n - i < wide ? n - i : wide, x + i, sum);
    gather(job, sum, part);
    for (int64_t c = 0; c < job->channels; c++)
        part[c] /= (double)rows;
    spread(job, part, middle);
    clear(sum, wide);
    for (int64_t i = 0; i < n; i += wide)
        GT_NAME(add_squares)(n - i < wide ? n - i : wide, x + i, middle, sum);
    gather(job, sum, part + job->channels);
}

static void GT_NAME(slopes)(const gt_BatchJob *job, const GT_T *x, const GT_T *g, const GT_T *mean,
                            int64_t rows, double *part, double *scratch)
{
    const int64_t n = rows * job->channels, wide = job->wide;
    double *sum = scratch, *product = scratch + wide, *middle = scratch + 2 * wide;
    clear(sum, 2 * wide);
    for (int64_t j = 0; j < wide; j++)
        middle[j] = (double)mean[j % job->channels];
    for (int64_t i = 0; i < n; i += wide)
        GT_NAME(add_products)(n - i < wide ? n - i : wide, x + i, g + i, middle, sum, product);
    gather(job, sum, part);
    gather(job, product, part + job->channels);
}

/* Numbers of the channels, as often as rows stand side by side. */
static const GT_T *GT_NAME(repeated)(const gt_BatchJob *job, const GT_T *from, GT_T *room)
{
    for (int64_t j = 0; j < job->wide; j += job->channels)
        memcpy(room + j, from, (size_t)job->channels * sizeof *room);
    return room;
}

static void GT_NAME(scale)(const gt_BatchJob *job, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    const int64_t wide = job->wide, begin = first * job->channels, end = last * job->channels;
    const GT_T *x = at[0], *mean = at[4], *line = at[7];
    GT_T *y = at[3], *room = scratch;
    mean = GT_NAME(repeated)(job, mean, room);
    const GT_T *factor = GT_NAME(repeated)(job, line, room + wide);
    const GT_T *offset = GT_NAME(repeated)(job, line + job->channels, room + 2 * wide);
    for (int64_t i = begin; i < end; i += wide) {
        const int64_t n = end - i < wide ? end - i : wide;
        GT_INDEPENDENT
        for (int64_t j = 0; j < n; j++)
            y[i + j] = (x[i + j] - mean[j]) * factor[j] + offset[j];
    }
}

static void GT_NAME(gradient)(const gt_BatchJob *job, void *const *at, int64_t first, int64_t last,
                              void *scratch)
{
    const int64_t wide = job->wide, begin = first * job->channels, end = last * job->channels;
    const GT_T *x = at[0], *mean = at[1], *g = at[4], *line = at[9];
    GT_T *to = at[5], *room = scratch;
    mean = GT_NAME(repeated)(job, mean, room);
    const GT_T *factor = GT_NAME(repeated)(job, line, room + wide);
    const GT_T *offset = GT_NAME(repeated)(job, line + job->channels, room + 2 * wide);
    const GT_T *slope = GT_NAME(repeated)(job, line + 2 * job->channels, room + 3 * wide);
    for (int64_t i = begin; i < end; i += wide) {
        const int64_t n = end - i < wide ? end - i : wide;
        GT_INDEPENDENT
        for (int64_t j = 0; j < n; j++)
            to[i + j] = ((g[i + j] - offset[j]) - (x[i + j] - mean[j]) * slope[j]) * factor[j];
    }
}

#undef GT_T
#undef GT_NAME
