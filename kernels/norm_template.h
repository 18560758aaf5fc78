/* The loops of norm.c for one element type GT_T. Included once for each; not a header. The columns that a row is added in lie in
 * VECTORS vectors of GT_WIDTH numbers. */

enum { GT_NAME(VECTORS) = LANES / GT_WIDTH };
#define VECTORS GT_NAME(VECTORS)

static GT_NOINLINE double GT_NAME(total)(const GT_T *lane)
{
    GT_T sum[LANES / 2];
    for (int j = 0; j < LANES / 2; j++)
        sum[j] = lane[j] + lane[j + LANES / 2];
    for (int j = 0; j < LANES / 4; j++)
        sum[j] += sum[j + LANES / 4];
    return (double)((sum[0] + sum[2]) + (sum[1] + sum[3]));
}

static GT_NOINLINE double GT_NAME(sum)(int64_t n, const GT_T *x)
{
    double sum = 0;
    for (int64_t i = 0, end; i < n; i = end) {
        GT_VEC column[VECTORS];
        GT_T lane[LANES];
        end = n - i < PART ? n : i + PART;
        GT_UNROLL
        for (int v = 0; v < VECTORS; v++)
            column[v] = GT_NAME(zero)();
        for (; i + LANES <= end; i += LANES)
            GT_UNROLL
        for (int v = 0; v < VECTORS; v++)
            column[v] = GT_NAME(add)(column[v], GT_NAME(load)(x + i + v * GT_WIDTH));
        GT_UNROLL
        for (int v = 0; v < VECTORS; v++)
            GT_NAME(store)(lane + v * GT_WIDTH, column[v]);
        GT_ROLLED
        for (int j = 0; i + j < end; j++)
            lane[j] += x[i + j];
        sum += GT_NAME(total)(lane);
    }
    return sum;
}

/* y = x + plus, the sum of y and that of y y. y may be x. */
static GT_NOINLINE void GT_NAME(shift)(int64_t n, const GT_T *x, GT_T plus, GT_T *y, double *sum,
                                       double *squares)
{
    const GT_VEC off = GT_NAME(broadcast)(&plus);
    *sum = *squares = 0;
    for (int64_t i = 0, end; i < n; i = end) {
        GT_VEC column[VECTORS], square[VECTORS];
        GT_T lane[2][LANES];
        end = n - i < PART ? n : i + PART;
        GT_UNROLL
        for (int v = 0; v < VECTORS; v++)
            column[v] = square[v] = GT_NAME(zero)();
        for (; i + LANES <= end; i += LANES)
            GT_UNROLL
        for (int v = 0; v < VECTORS; v++) {
            const GT_VEC d = GT_NAME(add)(GT_NAME(load)(x + i + v * GT_WIDTH), off);
            GT_NAME(store)(y + i + v * GT_WIDTH, d);
            column[v] = GT_NAME(add)(column[v], d);
            square[v] = GT_NAME(add)(square[v], GT_NAME(mul)(d, d));
        }
        GT_UNROLL
        for (int v = 0; v < VECTORS; v++) {
            GT_NAME(store)(lane[0] + v * GT_WIDTH, column[v]);
            GT_NAME(store)(lane[1] + v * GT_WIDTH, square[v]);
        }
        GT_ROLLED
        for (int j = 0; i + j < end; j++) {
            const GT_T d = x[i + j] + plus;
            y[i + j] = d;
            lane[0][j] += d;
            lane[1][j] += d * d;
        }
        *sum += GT_NAME(total)(lane[0]);
        *squares += GT_NAME(total)(lane[1]);
    }
}

/* a = g gamma, or g where gamma is NULL, and in sums those of a and of a y. */
static GT_NOINLINE void GT_NAME(slopes)(int64_t n, const GT_T *g, const GT_T *gamma, const GT_T *y,
                                        GT_T *a, double *sums)
{
    sums[0] = sums[1] = 0;
    for (int64_t i = 0, end; i < n; i = end) {
        GT_VEC column[VECTORS], along[VECTORS];
        GT_T lane[2][LANES];
        end = n - i < PART ? n : i + PART;
        GT_UNROLL
        for (int v = 0; v < VECTORS; v++)
            column[v] = along[v] = GT_NAME(zero)();
        for (; i + LANES <= end; i += LANES)
            GT_UNROLL
        for (int v = 0; v < VECTORS; v++) {
            const int64_t at = i + v * GT_WIDTH;
            GT_VEC d = GT_NAME(load)(g + at);
            if (gamma)
                d = GT_NAME(mul)(d, GT_NAME(load)(gamma + at));
            GT_NAME(store)(a + at, d);
            column[v] = GT_NAME(add)(column[v], d);
            along[v] = GT_NAME(add)(along[v], GT_NAME(mul)(d, GT_NAME(load)(y + at)));
        }
        GT_UNROLL
        for (int v = 0; v < VECTORS; v++) {
            GT_NAME(store)(lane[0] + v * GT_WIDTH, column[v]);
            GT_NAME(store)(lane[1] + v * GT_WIDTH, along[v]);
        }
        GT_ROLLED
        for (int j = 0; i + j < end; j++) {
            const GT_T d = gamma ? g[i + j] * gamma[i + j] : g[i + j];
            a[i + j] = d;
            lane[0][j] += d;
            lane[1][j] += d * y[i + j];
        }
        sums[0] += GT_NAME(total)(lane[0]);
        sums[1] += GT_NAME(total)(lane[1]);
    }
}

/* y = ((y + plus) factor) gamma + beta; without gamma or beta where they are NULL. */
static GT_NOINLINE void GT_NAME(finish)(int64_t n, GT_T *y, GT_T plus, GT_T factor,
                                        const GT_T *gamma, const GT_T *beta)
{
    const GT_VEC off = GT_NAME(broadcast)(&plus), times = GT_NAME(broadcast)(&factor);
    int64_t i = 0;
    for (; i + GT_WIDTH <= n; i += GT_WIDTH) {
        GT_VEC d = GT_NAME(mul)(GT_NAME(add)(GT_NAME(load)(y + i), off), times);
        if (gamma)
            d = GT_NAME(mul)(d, GT_NAME(load)(gamma + i));
        if (beta)
            d = GT_NAME(add)(d, GT_NAME(load)(beta + i));
        GT_NAME(store)(y + i, d);
    }
    GT_ROLLED
    for (; i < n; i++) {
        GT_T d = (y[i] + plus) * factor;
        d = gamma ? d * gamma[i] : d;
        y[i] = beta ? d + beta[i] : d;
    }
}

/* What has been measured of a row: y holds x less its middle; then (y - mean) factor is x normalized. */
typedef struct GT_NAME(Row) {
    double square; /* of what factor is applied to, the mean */
    GT_T mean, factor;
    GT_T unit; /* by which x was multiplied first */
} GT_NAME(Row);

/* Some rows. Step by step over all of them, so that no row waits for its own sums. y may be x. */
static void GT_NAME(measure)(const gt_NormJob *job, int rows, const GT_T *x, GT_T *y,
                             double epsilon, GT_NAME(Row) * row)
{
    const int64_t n = job->n;
    const double count = (double)n;
    double total[TOGETHER] = {0}, squares[TOGETHER] = {0}, mean[TOGETHER], square[TOGETHER],
           factor[TOGETHER];
    GT_T middle[TOGETHER];
    for (int r = 0; job->centered && r < rows; r++)
        total[r] = GT_NAME(sum)(n, x + r * n);
    for (int r = 0; r < TOGETHER; r++)
        middle[r] = (GT_T)(total[r] / count);
    for (int r = 0; r < rows; r++)
        GT_NAME(shift)(n, x + r * n, -middle[r], y + r * n, &total[r], &squares[r]);
    for (int r = 0; r < TOGETHER; r++) {
        mean[r] = job->centered ? total[r] / count : 0;
        square[r] = squares[r] / count - mean[r] * mean[r];
        square[r] = square[r] < 0 ? 0 : square[r];
        factor[r] = 1 / sqrt(square[r] + epsilon);
    }
    for (int r = 0; r < rows; r++)
        row[r] = (GT_NAME(Row)){square[r], (GT_T)mean[r], (GT_T)factor[r], 1};
}

/* A row whose squares do not fit the type is taken in another unit. */
static void GT_NAME(in_unit)(const gt_NormJob *job, const GT_T *x, GT_T *y, GT_NAME(Row) * row)
{
    const GT_T unit = (GT_T)gt_norm_unit(job, x);
    if (unit == 1)
        return;
    GT_KERNEL(GT_NAME(multiply))(job->n, x, 1, &unit, 0, y);
    GT_NAME(measure)(job, 1, y, y, job->epsilon * (double)unit * (double)unit, row);
    row->unit = unit;
}

/* y is x normalized, times gamma, plus beta, which may be NULL; slope is that of x normalized but for what the mean and the size do. */
static void GT_NAME(normalize)(const gt_NormJob *job, int rows, const GT_T *x, GT_T *y,
                               const GT_T *gamma, const GT_T *beta, GT_T *slope)
{
    const int64_t n = job->n;
    GT_NAME(Row) row[TOGETHER];
    GT_NAME(measure)(job, rows, x, y, job->epsilon, row);
    for (int r = 0; r < rows; r++) {
        if (!(row[r].square > GT_LOW && row[r].square < GT_HIGH))
            GT_NAME(in_unit)(job, x + r * n, y + r * n, row + r);
        GT_NAME(finish)(n, y + r * n, -row[r].mean, row[r].factor, gamma, beta);
        slope[r] = row[r].factor * row[r].unit;
    }
}

/* Rows from `first` on. */
static void GT_NAME(forward)(const gt_NormJob *job, void *const *at, int64_t first, int rows)
{
    const int64_t n = job->n;
    GT_T slope[TOGETHER];
    GT_NAME(normalize)
    (job, rows, (const GT_T *)at[0] + first * n, (GT_T *)at[3] + first * n, at[1], at[2], slope);
}

/* sums (2, n): to the first row is added g y of all rows, one after the other, to the second one g. */
static GT_NOINLINE void GT_NAME(add_columns)(int64_t n, int rows, const GT_T *g, const GT_T *y,
                                             GT_T *sums)
{
    int64_t i = 0;
    for (; i + GT_WIDTH <= n; i += GT_WIDTH) {
        GT_VEC of_gamma = GT_NAME(load)(sums + i), of_beta = GT_NAME(load)(sums + n + i);
        for (int r = 0; r < rows; r++) {
            const GT_VEC up = GT_NAME(load)(g + r * n + i);
            of_gamma = GT_NAME(add)(of_gamma, GT_NAME(mul)(up, GT_NAME(load)(y + r * n + i)));
            of_beta = GT_NAME(add)(of_beta, up);
        }
        GT_NAME(store)(sums + i, of_gamma);
        GT_NAME(store)(sums + n + i, of_beta);
    }
    for (; i < n; i++)
        for (int r = 0; r < rows; r++) {
            sums[i] += g[r * n + i] * y[r * n + i];
            sums[n + i] += g[r * n + i];
        }
}

/* x' = ((a - mean) - y along) slope. */
static GT_NOINLINE void GT_NAME(back)(int64_t n, const GT_T *a, const GT_T *y, GT_T mean,
                                      GT_T along, GT_T slope, GT_T *to)
{
    GT_INDEPENDENT
    GT_ROLLED
    for (int64_t i = 0; i < n; i++)
        to[i] = ((a[i] - mean) - y[i] * along) * slope;
}

/* room (2 + 2 rows, n): sums of g y and of g, which grow, then y and a = g gamma of the rows. */
static void GT_NAME(backward)(const gt_NormJob *job, void *const *at, int64_t first, int rows,
                              GT_T *room)
{
    const int64_t n = job->n;
    const GT_T *g = (const GT_T *)at[2] + first * n;
    GT_T *to = (GT_T *)at[3] + first * n, *y = room + 2 * n, *a = y + rows * n, slope[TOGETHER];
    double sums[2 * TOGETHER];
    GT_NAME(normalize)(job, rows, (const GT_T *)at[0] + first * n, y, NULL, NULL, slope);
    GT_NAME(add_columns)(n, rows, g, y, room);
    for (int r = 0; r < rows; r++)
        GT_NAME(slopes)(n, g + r * n, at[1], y + r * n, a + r * n, sums + 2 * r);
    for (int r = 0; r < rows; r++) {
        const GT_T mean = job->centered ? (GT_T)(sums[2 * r] / (double)n) : 0;
        const GT_T along = (GT_T)(sums[2 * r + 1] / (double)n);
        GT_NAME(back)(n, a + r * n, y + r * n, mean, along, slope[r], to + r * n);
    }
}

#undef VECTORS
#undef GT_T
#undef GT_VEC
#undef GT_WIDTH
#undef GT_NAME
#undef GT_LOW
#undef GT_HIGH
