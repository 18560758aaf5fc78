/* The loops of norm.c for one element type GT_T. Included once for each; not a header. */

static GT_NOINLINE double GT_NAME(total)(const GT_T *lane)
{
    GT_T sum[LANES / 2];
    for (int j = 0; j < LANES / 2; j++)
        sum[j] = lane[j] + lane[j + LANES / 2];
    for (int j = 0; j < LANES / 4; j++)
        sum[j] += sum[j + LANES / 4];
    return (double)((sum[0] + sum[2]) + (sum[1] + sum[3]));
}

/* The sums of a and of a b, in sums[0] and sums[1]. */
static GT_NOINLINE void GT_NAME(products)(int64_t n, const GT_T *a, const GT_T *b, double *sums)
{
    sums[0] = sums[1] = 0;
    for (int64_t i = 0, end; i < n; i = end) {
        GT_T lane[LANES] = {0}, product[LANES] = {0};
        end = n - i < PART ? n : i + PART;
        for (; i + LANES <= end; i += LANES)
            for (int j = 0; j < LANES; j++) {
                lane[j] += a[i + j];
                product[j] += a[i + j] * b[i + j];
            }
        GT_ROLLED
        for (int j = 0; i + j < end; j++) {
            lane[j] += a[i + j];
            product[j] += a[i + j] * b[i + j];
        }
        sums[0] += GT_NAME(total)(lane);
        sums[1] += GT_NAME(total)(product);
    }
}

/* Some rows: y = ((x - middle) - rest) factor, and the mean squares of what factor is applied to. y may be x. Step by step over all
 * of them, so that no row waits for its own sums. */
static GT_NOINLINE void GT_NAME(scale)(const gt_NormJob *job, int rows, const GT_T *x, GT_T *y,
                                       double epsilon, double *square, GT_T *factor)
{
    const int64_t n = job->n;
    const double count = (double)n;
    double sums[2 * TOGETHER] = {0};
    GT_T middle[TOGETHER], rest[TOGETHER];
    for (int r = 0; job->centered && r < rows; r++)
        GT_NAME(products)(n, x + r * n, x + r * n, sums + 2 * r);
    for (int r = 0; r < rows; r++)
        middle[r] = (GT_T)(sums[2 * r] / count);
    for (int r = 0; r < rows; r++) {
        const GT_T *from = x + r * n, off = middle[r];
        GT_T *to = y + r * n;
        GT_INDEPENDENT
        GT_ROLLED
        for (int64_t i = 0; i < n; i++)
            to[i] = from[i] - off;
        GT_NAME(products)(n, to, to, sums + 2 * r);
    }
    for (int r = 0; r < rows; r++) {
        const double mean = job->centered ? sums[2 * r] / count : 0;
        const double apart = sums[2 * r + 1] / count - mean * mean;
        rest[r] = (GT_T)mean;
        square[r] = apart < 0 ? 0 : apart;
        factor[r] = (GT_T)(1 / sqrt(square[r] + epsilon));
    }
    for (int r = 0; r < rows; r++) {
        const GT_T off = rest[r], times = factor[r];
        GT_T *to = y + r * n;
        GT_INDEPENDENT
        GT_ROLLED
        for (int64_t i = 0; i < n; i++)
            to[i] = (to[i] - off) * times;
    }
}

/* A row whose squares do not fit the type is taken in another unit. */
static void GT_NAME(in_unit)(const gt_NormJob *job, const GT_T *x, GT_T *y, GT_T *factor)
{
    const GT_T unit = (GT_T)gt_norm_unit(job, x);
    double square;
    if (unit == 1)
        return;
    GT_KERNEL(GT_NAME(multiply))(job->n, x, 1, &unit, 0, y);
    GT_NAME(scale)(job, 1, y, y, job->epsilon * (double)unit * (double)unit, &square, factor);
    *factor *= unit;
}

/* y is x normalized; factor is its slope but for what the mean and the size do. */
static void GT_NAME(normalize)(const gt_NormJob *job, int rows, const GT_T *x, GT_T *y,
                               GT_T *factor)
{
    double square[TOGETHER];
    GT_NAME(scale)(job, rows, x, y, job->epsilon, square, factor);
    for (int r = 0; r < rows; r++)
        if (!(square[r] > GT_LOW && square[r] < GT_HIGH))
            GT_NAME(in_unit)(job, x + r * job->n, y + r * job->n, factor + r);
}

/* Rows from `first` on. */
static void GT_NAME(forward)(const gt_NormJob *job, void *const *at, int64_t first, int rows)
{
    const int64_t n = job->n;
    const GT_T *gamma = at[1], *beta = at[2];
    GT_T *y = (GT_T *)at[3] + first * n, factor[TOGETHER];
    GT_NAME(normalize)(job, rows, (const GT_T *)at[0] + first * n, y, factor);
    for (int r = 0; r < rows; r++, y += n) {
        if (gamma)
            GT_KERNEL(GT_NAME(multiply))(n, y, 1, gamma, 1, y);
        if (beta)
            GT_KERNEL(GT_NAME(add))(n, y, 1, beta, 1, y);
    }
}

/* room (2 + 2 rows, n): sums of g y and of g, which grow, then y and a = g gamma of the rows. */
static void GT_NAME(backward)(const gt_NormJob *job, void *const *at, int64_t first, int rows,
                              GT_T *room)
{
    const int64_t n = job->n;
    const GT_T *gamma = at[1], *g = (const GT_T *)at[2] + first * n;
    GT_T *to = (GT_T *)at[3] + first * n, *y = room + 2 * n, *a = y + rows * n, factor[TOGETHER];
    double sums[2 * TOGETHER];
    GT_NAME(normalize)(job, rows, (const GT_T *)at[0] + first * n, y, factor);
    for (int r = 0; r < rows; r++) {
        const GT_T *up = g + r * n, *own = y + r * n;
        GT_INDEPENDENT
        GT_ROLLED
        for (int64_t i = 0; i < n; i++) {
            room[i] += up[i] * own[i];
            room[n + i] += up[i];
        }
        if (gamma)
            GT_KERNEL(GT_NAME(multiply))(n, up, 1, gamma, 1, a + r * n);
        GT_NAME(products)(n, gamma ? a + r * n : up, own, sums + 2 * r);
    }
    for (int r = 0; r < rows; r++) {
        const GT_T *own = y + r * n, *scaled = (gamma ? a : g) + r * n, slope = factor[r];
        const GT_T mean = job->centered ? (GT_T)(sums[2 * r] / (double)n) : 0;
        const GT_T along = (GT_T)(sums[2 * r + 1] / (double)n);
        GT_INDEPENDENT
        GT_ROLLED
        for (int64_t i = 0; i < n; i++)
            to[r * n + i] = ((scaled[i] - mean) - own[i] * along) * slope;
    }
}

#undef GT_T
#undef GT_NAME
#undef GT_LOW
#undef GT_HIGH
