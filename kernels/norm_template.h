/* The loops of norm.c for one element type GT_T. Included once for each; not a header. */

static double GT_NAME(total)(const GT_T *lane)
{
    GT_T sum[LANES / 2];
    for (int j = 0; j < LANES / 2; j++)
        sum[j] = lane[j] + lane[j + LANES / 2];
    for (int j = 0; j < LANES / 4; j++)
        sum[j] += sum[j + LANES / 4];
    return (double)((sum[0] + sum[2]) + (sum[1] + sum[3]));
}

/* The sum of x unit. */
static double GT_NAME(sum)(int64_t n, const GT_T *x, GT_T unit)
{
    double sum = 0;
    for (int64_t i = 0, end; i < n; i = end) {
        GT_T lane[LANES] = {0};
        end = n - i < PART ? n : i + PART;
        for (; i + LANES <= end; i += LANES)
            for (int j = 0; j < LANES; j++)
                lane[j] += x[i + j] * unit;
        for (int j = 0; i + j < end; j++)
            lane[j] += x[i + j] * unit;
        sum += GT_NAME(total)(lane);
    }
    return sum;
}

/* The sums of a and of a b, in parts[0] and parts[1]. */
static void GT_NAME(products)(int64_t n, const GT_T *a, const GT_T *b, double *sums)
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
        for (int j = 0; i + j < end; j++) {
            lane[j] += a[i + j];
            product[j] += a[i + j] * b[i + j];
        }
        sums[0] += GT_NAME(total)(lane);
        sums[1] += GT_NAME(total)(product);
    }
}

/* The power of two that brings the largest |x|, or the root of epsilon, to about 1. */
static GT_T GT_NAME(unit)(const gt_NormJob *job, const GT_T *x)
{
    double most = sqrt(job->epsilon);
    int exponent;
    for (int64_t i = 0; i < job->n; i++)
        most = fabs((double)x[i]) > most ? fabs((double)x[i]) : most;
    if (!(most > 0) || isinf(most))
        return 1;
    frexp(most, &exponent);
    exponent = exponent < -GT_FAR ? -GT_FAR : exponent > GT_FAR ? GT_FAR : exponent;
    return (GT_T)ldexp(1, -exponent);
}

/* Some rows: y = ((x unit - middle) - rest) factor, and the mean squares of what factor is applied to. Step by step over all of
 * them, so that no row waits for its own sums. */
static void GT_NAME(scale)(const gt_NormJob *job, int rows, const GT_T *x, GT_T unit, GT_T *y,
                           double *square, GT_T *factor)
{
    const int64_t n = job->n;
    const double count = (double)n, epsilon = job->epsilon * (double)unit * (double)unit;
    double sums[2 * TOGETHER] = {0};
    GT_T middle[TOGETHER], rest[TOGETHER];
    for (int r = 0; job->centered && r < rows; r++)
        sums[r] = GT_NAME(sum)(n, x + r * n, unit);
    for (int r = 0; r < rows; r++)
        middle[r] = (GT_T)(sums[r] / count);
    for (int r = 0; r < rows; r++) {
        const GT_T *from = x + r * n, off = middle[r];
        GT_T *to = y + r * n;
        GT_INDEPENDENT GT_ROLLED for (int64_t i = 0; i < n; i++) to[i] = from[i] * unit - off;
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

/* y is x normalized; factor is its slope but for what the mean and the size do. Rows whose squares do not fit the type are taken in
 * another unit. */
static void GT_NAME(normalize)(const gt_NormJob *job, int rows, const GT_T *x, GT_T *y,
                               GT_T *factor)
{
    double square[TOGETHER];
    GT_NAME(scale)(job, rows, x, 1, y, square, factor);
    for (int r = 0; r < rows; r++) {
        const GT_T *row = x + r * job->n;
        const bool mild = square[r] > GT_LOW && square[r] < GT_HIGH;
        const GT_T unit = mild ? 1 : GT_NAME(unit)(job, row);
        if (unit != 1) {
            GT_NAME(scale)(job, 1, row, unit, y + r * job->n, square, factor + r);
            factor[r] *= unit;
        }
    }
}

/* Rows from `first` on. */
static void GT_NAME(forward)(const gt_NormJob *job, void *const *at, int64_t first, int rows)
{
    const int64_t n = job->n;
    const GT_T *gamma = at[1], *beta = at[2];
    GT_T *y = (GT_T *)at[3] + first * n, factor[TOGETHER];
    GT_NAME(normalize)(job, rows, (const GT_T *)at[0] + first * n, y, factor);
    for (int r = 0; r < rows; r++, y += n) {
        GT_INDEPENDENT
        GT_ROLLED
        for (int64_t i = 0; gamma && i < n; i++)
            y[i] *= gamma[i];
        GT_INDEPENDENT
        GT_ROLLED
        for (int64_t i = 0; beta && i < n; i++)
            y[i] += beta[i];
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
        GT_T *scaled = a + r * n;
        GT_INDEPENDENT
        GT_ROLLED
        for (int64_t i = 0; i < n; i++) {
            room[i] += up[i] * own[i];
            room[n + i] += up[i];
            scaled[i] = gamma ? up[i] * gamma[i] : up[i];
        }
        GT_NAME(products)(n, scaled, own, sums + 2 * r);
    }
    for (int r = 0; r < rows; r++) {
        const GT_T *own = y + r * n, *scaled = a + r * n, slope = factor[r];
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
#undef GT_FAR
