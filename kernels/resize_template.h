/* Resizing along an axis for one element type GT_T. Included once for each; not a header. */

/* n elements beside each other at each index of the axis. Each product with a weight, rounded to
 * the element type, is rounded and added in the order of the rows of the matrix and, within one, of
 * its columns. */
static void GT_NAME(resize)(const gt_ResizeJob *job, const Bands *bands, int64_t n,
                            const GT_T *from, GT_T *to)
{
    const int64_t inner = job->inner;
    for (int64_t i = 0; i < (job->back ? job->in : job->out); i++)
        memset(to + i * inner, 0, (size_t)n * sizeof *to);
    for (int64_t i = 0; i < job->out; i++)
        for (int64_t k = 0; k < bands->count[i]; k++) {
            const int64_t column = (bands->first[i] + k) * inner;
            const GT_T *x = from + (job->back ? i * inner : column);
            GT_T *y = to + (job->back ? column : i * inner);
            const GT_T weight = (GT_T)bands->weight[i * job->taps + k];
            GT_INDEPENDENT
            for (int64_t c = 0; c < n; c++)
                y[c] += weight * x[c];
        }
}

/* sum (n), or with `back` all of sum (in, n), += row i of the matrix times x, in double. */
static void GT_NAME(add_band)(const gt_ResizeJob *job, const Bands *bands, int64_t i, int64_t n,
                              const GT_T *from, double *sum)
{
    for (int64_t k = 0; k < bands->count[i]; k++) {
        const int64_t column = bands->first[i] + k;
        const GT_T *x = from + (job->back ? i : column) * job->inner;
        double *y = job->back ? sum + column * n : sum;
        const double weight = bands->weight[i * job->taps + k];
        for (int64_t c = 0; c < n; c++)
            y[c] += weight * (double)x[c];
    }
}

static void GT_NAME(round_row)(int64_t n, const double *sum, GT_T *to)
{
    for (int64_t c = 0; c < n; c++)
        to[c] = (GT_T)sum[c];
}

/* The same sums in double, each rounded once. */
static void GT_NAME(resize_in_double)(const gt_ResizeJob *job, const Bands *bands, int64_t n,
                                      const GT_T *from, double *sum, GT_T *to)
{
    const size_t row = (size_t)n * sizeof *sum;
    if (job->back)
        memset(sum, 0, (size_t)job->in * row);
    for (int64_t i = 0; i < job->out; i++) {
        if (!job->back)
            memset(sum, 0, row);
        GT_NAME(add_band)(job, bands, i, n, from, sum);
        if (!job->back)
            GT_NAME(round_row)(n, sum, to + i * job->inner);
    }
    for (int64_t i = 0; i < job->in && job->back; i++)
        GT_NAME(round_row)(n, sum + i * n, to + i * job->inner);
}

/* `n` neighbours from `at_x` and `at_y` on. */
static void GT_NAME(resize_chunk)(const gt_ResizeJob *job, const Bands *bands, int64_t n,
                                  const void *from, int64_t at_x, void *to, int64_t at_y,
                                  double *sum)
{
    const GT_T *x = (const GT_T *)from + at_x;
    GT_T *y = (GT_T *)to + at_y;
    if (!job->in_double) {
        GT_NAME(resize)(job, bands, n, x, y);
        return;
    }
    for (int64_t c = 0; c < n; c += GT_RESIZE_COLUMNS) {
        int64_t width = n - c < GT_RESIZE_COLUMNS ? n - c : GT_RESIZE_COLUMNS;
        GT_NAME(resize_in_double)(job, bands, width, x + c, sum, y + c);
    }
}

#undef GT_T
#undef GT_NAME
