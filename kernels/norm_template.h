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

/* How many numbers of a vector there are. */
static inline int GT_NAME(count)(int64_t left)
{
    return left < GT_WIDTH ? (int)left : GT_WIDTH;
}

/* The first `count` numbers of a vector, 0 behind them; and only these written. */
static PARTS GT_VEC GT_NAME(some)(const GT_T *x, int count)
{
    return GT_NAME(load_part)(x, GT_NAME(mask_of)(count));
}

static PARTS void GT_NAME(write_some)(GT_T *y, GT_VEC x, int count)
{
    GT_NAME(store_part)(y, x, count);
}

static inline void GT_NAME(add_to)(GT_T *sum, GT_VEC x)
{
    GT_NAME(store)(sum, GT_NAME(add)(GT_NAME(load)(sum), x));
}

static GT_NOINLINE double GT_NAME(sum)(int64_t n, const GT_T *x)
{
    double sum = 0;
    for (int64_t i = 0, end; i < n; i = end) {
        GT_VEC column[VECTORS];
        GT_T lane[LANES];
        end = n - i < PART ? n : i + PART;
        EACH_VECTOR
        for (int v = 0; v < VECTORS; v++)
            column[v] = GT_NAME(zero)();
        for (; i + LANES <= end; i += LANES)
            EACH_VECTOR
        for (int v = 0; v < VECTORS; v++)
            column[v] = GT_NAME(add)(column[v], GT_NAME(load)(x + i + v * GT_WIDTH));
        EACH_VECTOR
        for (int v = 0; v < VECTORS; v++)
            GT_NAME(store)(lane + v * GT_WIDTH, column[v]);
        GT_ROLLED
        for (int j = 0; i < end; i += GT_WIDTH, j += GT_WIDTH) {
            const GT_VEC d = GT_NAME(some)(x + i, GT_NAME(count)(end - i));
            GT_NAME(add_to)(lane + j, d);
        }
        sum += GT_NAME(total)(lane);
    }
    return sum;
}

/* z = x + plus and the sums of z and z z; or, `slopes`, z = x gamma, or x where gamma is NULL, and the sums of z and z y. z may be x. */
GT_INLINE void GT_NAME(two_sums)(const bool slopes, int64_t n, const GT_T *x, GT_T plus,
                                 const GT_T *gamma, const GT_T *y, GT_T *z, double *sums)
{
    const GT_VEC off = GT_NAME(broadcast)(&plus);
    sums[0] = sums[1] = 0;
    for (int64_t i = 0, end; i < n; i = end) {
        GT_VEC column[VECTORS], along[VECTORS];
        GT_T lane[2][LANES];
        end = n - i < PART ? n : i + PART;
        EACH_VECTOR
        for (int v = 0; v < VECTORS; v++)
            column[v] = along[v] = GT_NAME(zero)();
        for (; i + LANES <= end; i += LANES)
            EACH_VECTOR
        for (int v = 0; v < VECTORS; v++) {
            const int64_t at = i + v * GT_WIDTH;
            GT_VEC d = GT_NAME(load)(x + at);
            if (!slopes)
                d = GT_NAME(add)(d, off);
            else if (gamma)
                d = GT_NAME(mul)(d, GT_NAME(load)(gamma + at));
            GT_NAME(store)(z + at, d);
            column[v] = GT_NAME(add)(column[v], d);
            along[v] = GT_NAME(add)(along[v], GT_NAME(mul)(d, slopes ? GT_NAME(load)(y + at) : d));
        }
        EACH_VECTOR
        for (int v = 0; v < VECTORS; v++) {
            GT_NAME(store)(lane[0] + v * GT_WIDTH, column[v]);
            GT_NAME(store)(lane[1] + v * GT_WIDTH, along[v]);
        }
        GT_ROLLED
        for (int j = 0; i < end; i += GT_WIDTH, j += GT_WIDTH) {
            const int count = GT_NAME(count)(end - i);
            GT_VEC d = GT_NAME(some)(x + i, count);
            if (!slopes)
                d = GT_NAME(add)(d, off);
            else if (gamma)
                d = GT_NAME(mul)(d, GT_NAME(some)(gamma + i, count));
            GT_NAME(write_some)(z + i, d, count);
            if (!slopes)
                d = GT_NAME(some)(z + i, count); /* 0 behind the row */
            GT_NAME(add_to)(lane[0] + j, d);
            GT_NAME(add_to)(lane[1] + j, GT_NAME(mul)(d, slopes ? GT_NAME(some)(y + i, count) : d));
        }
        sums[0] += GT_NAME(total)(lane[0]);
        sums[1] += GT_NAME(total)(lane[1]);
    }
}

static GT_NOINLINE void GT_NAME(shift)(int64_t n, const GT_T *x, GT_T plus, GT_T *y, double *sum,
                                       double *squares)
{
    double sums[2];
    GT_NAME(two_sums)(false, n, x, plus, NULL, NULL, y, sums);
    *sum = sums[0];
    *squares = sums[1];
}

static GT_NOINLINE void GT_NAME(slopes)(int64_t n, const GT_T *g, const GT_T *gamma, const GT_T *y,
                                        GT_T *a, double *sums)
{
    GT_NAME(two_sums)(true, n, g, 0, gamma, y, a, sums);
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
    if (i < n) {
        const int count = (int)(n - i);
        GT_VEC d = GT_NAME(mul)(GT_NAME(add)(GT_NAME(some)(y + i, count), off), times);
        if (gamma)
            d = GT_NAME(mul)(d, GT_NAME(some)(gamma + i, count));
        if (beta)
            d = GT_NAME(add)(d, GT_NAME(some)(beta + i, count));
        GT_NAME(write_some)(y + i, d, count);
    }
}

/* Some rows: y is x less its middle; then (y - mean) factor is x normalized. Step by step over all of them, so that no row waits
 * for its own sums. y may be x. */
static void GT_NAME(measure)(const gt_NormJob *job, int rows, const GT_T *x, GT_T *y,
                             double epsilon, gt_Sums *sums)
{
    const int64_t n = job->n;
    memset(sums, 0, sizeof *sums);
    for (int r = 0; job->centered && r < rows; r++)
        sums->total[r] = GT_NAME(sum)(n, x + r * n);
    for (int r = 0; r < rows; r++) {
        const GT_T middle = (GT_T)(sums->total[r] / (double)n);
        GT_NAME(shift)(n, x + r * n, -middle, y + r * n, &sums->total[r], &sums->squares[r]);
        if (!job->centered)
            sums->total[r] = 0;
    }
    finish_sums(sums, (double)n, epsilon);
}

/* A row whose squares do not fit the type is taken in another unit, which is returned. */
static GT_T GT_NAME(in_unit)(const gt_NormJob *job, const GT_T *x, GT_T *y, gt_Sums *sums, int r)
{
    const GT_T unit = (GT_T)gt_norm_unit(job, x);
    gt_Sums own;
    if (unit == 1)
        return 1;
    GT_KERNEL(GT_NAME(multiply))(job->n, x, 1, &unit, 0, y);
    GT_NAME(measure)(job, 1, y, y, job->epsilon * (double)unit * (double)unit, &own);
    sums->total[r] = own.total[0];
    sums->factor[r] = own.factor[0];
    return unit;
}

/* y is x normalized, times gamma, plus beta, which may be NULL; slope is that of x normalized but for what the mean and the size do. */
static void GT_NAME(normalize)(const gt_NormJob *job, int rows, const GT_T *x, GT_T *y,
                               const GT_T *gamma, const GT_T *beta, GT_T *slope)
{
    const int64_t n = job->n;
    gt_Sums sums;
    GT_NAME(measure)(job, rows, x, y, job->epsilon, &sums);
    for (int r = 0; r < rows; r++) {
        const bool fits = sums.squares[r] > GT_LOW && sums.squares[r] < GT_HIGH;
        const GT_T unit = fits ? 1 : GT_NAME(in_unit)(job, x + r * n, y + r * n, &sums, r);
        const GT_T factor = (GT_T)sums.factor[r];
        GT_NAME(finish)(n, y + r * n, -(GT_T)sums.total[r], factor, gamma, beta);
        slope[r] = factor * unit;
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
    if (i < n) {
        const int count = (int)(n - i);
        GT_VEC of_gamma = GT_NAME(some)(sums + i, count),
               of_beta = GT_NAME(some)(sums + n + i, count);
        for (int r = 0; r < rows; r++) {
            const GT_VEC up = GT_NAME(some)(g + r * n + i, count);
            const GT_VEC own = GT_NAME(some)(y + r * n + i, count);
            of_gamma = GT_NAME(add)(of_gamma, GT_NAME(mul)(up, own));
            of_beta = GT_NAME(add)(of_beta, up);
        }
        GT_NAME(write_some)(sums + i, of_gamma, count);
        GT_NAME(write_some)(sums + n + i, of_beta, count);
    }
}

/* x' = ((a - mean) - y along) slope. */
static GT_NOINLINE void GT_NAME(back)(int64_t n, const GT_T *a, const GT_T *y, GT_T mean,
                                      GT_T along, GT_T slope, GT_T *to)
{
    const GT_T minus[2] = {-mean, -along};
    const GT_VEC off = GT_NAME(broadcast)(&minus[0]), by = GT_NAME(broadcast)(&minus[1]),
                 times = GT_NAME(broadcast)(&slope);
    int64_t i = 0;
    for (; i + GT_WIDTH <= n; i += GT_WIDTH) {
        const GT_VEC d = GT_NAME(add)(GT_NAME(load)(a + i), off);
        const GT_VEC rest = GT_NAME(add)(d, GT_NAME(mul)(GT_NAME(load)(y + i), by));
        GT_NAME(store)(to + i, GT_NAME(mul)(rest, times));
    }
    if (i < n) {
        const int count = (int)(n - i);
        const GT_VEC d = GT_NAME(add)(GT_NAME(some)(a + i, count), off);
        const GT_VEC rest = GT_NAME(add)(d, GT_NAME(mul)(GT_NAME(some)(y + i, count), by));
        GT_NAME(write_some)(to + i, GT_NAME(mul)(rest, times), count);
    }
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
