/* The loops of batch.c for one element type GT_T, of which a vector has LANES. Included once for each; not a header. */

/* Sums over `lines` lines of `vectors` vectors of columns, of the last one as many lanes: of b and of b d, from 0, line by line, with d =
 * x + minus and b that of g, or d itself where there is no g. */
GT_INLINE void GT_NAME(columns)(const bool has_g, const int vectors, int lanes, int64_t lines,
                                int64_t step, const GT_T *x, const GT_T *g, const GT_T *minus,
                                GT_T *sum, GT_T *product)
{
    GT_NAME(vec) s[COLUMN], p[COLUMN], less[COLUMN];
    const GT_NAME(mask) mask = GT_NAME(mask_of)(lanes);
    GT_UNROLL
    for (int v = 0; v < vectors; v++) {
        s[v] = p[v] = GT_NAME(zero)();
        less[v] = GT_NAME(load_part)(minus + v * LANES, mask);
    }
    for (int64_t i = 0; i < lines * step; i += step) {
        GT_UNROLL
        for (int v = 0; v < vectors; v++) {
            const GT_T *at = x + i + v * LANES, *by = has_g ? g + i + v * LANES : at;
            const bool whole = vectors > 1;
            const GT_NAME(vec) a = whole ? GT_NAME(load)(at) : GT_NAME(load_part)(at, mask);
            const GT_NAME(vec) d = GT_NAME(add)(a, less[v]);
            const GT_NAME(vec) b = !has_g  ? d
                                   : whole ? GT_NAME(load)(by)
                                           : GT_NAME(load_part)(by, mask);
            s[v] = GT_NAME(add)(s[v], b);
            p[v] = GT_NAME(fma)(b, d, p[v]);
        }
    }
    GT_UNROLL
    for (int v = 0; v < vectors; v++) {
        GT_NAME(store_part)(sum + v * LANES, s[v], lanes);
        GT_NAME(store_part)(product + v * LANES, p[v], lanes);
    }
}

/* Of all columns of n numbers in lines of `wide`, of which the last may be shorter. g may be NULL. */
static GT_NOINLINE void GT_NAME(add_up)(const gt_BatchJob *job, int64_t n, const GT_T *x,
                                        const GT_T *g, const GT_T *minus, GT_T *sum, GT_T *product)
{
    const int64_t wide = job->wide, lines = n / wide, rest = lines * wide;
    for (int64_t j = 0, more; j < wide; j += more) {
        const int64_t left = wide - j;
        const GT_T *from = x + j, *by = g ? g + j : g, *less = minus + j;
        more = left >= COLUMN * LANES ? COLUMN * LANES : left < LANES ? left : LANES;
        if (more <= LANES)
            GT_NAME(columns)
        (g != NULL, 1, (int)more, lines, wide, from, by, less, sum + j, product + j);
        else if (g) GT_NAME(columns)(true, COLUMN, LANES, lines, wide, from, by, less, sum + j,
                                     product + j);
        else GT_NAME(columns)(false, COLUMN, LANES, lines, wide, from, by, less, sum + j,
                              product + j);
    }
    for (int64_t j = 0; rest + j < n; j++) {
        const GT_T d = x[rest + j] + minus[j], b = g ? g[rest + j] : d;
        sum[j] += b;
        product[j] = GT_MULTIPLY_ADD(b, d, product[j]);
    }
}

/* Columns of rows that stand side by side are added to those of the first row, in their order. */
static void GT_NAME(gather)(const gt_BatchJob *job, const GT_T *wide, double *to)
{
    const int64_t n = job->channels;
    for (int64_t c = 0; c < n; c++)
        to[c] = (double)wide[c];
    for (int64_t j = n; j < job->wide; j += n) {
        GT_INDEPENDENT
        for (int64_t c = 0; c < n; c++)
            to[c] += (double)wide[j + c];
    }
}

/* Numbers of the channels, as often as rows stand side by side; they may be the first in `room` already. */
static const GT_T *GT_NAME(repeated)(const gt_BatchJob *job, const GT_T *from, GT_T *room)
{
    for (int64_t j = from == room ? job->channels : 0; j < job->wide; j += job->channels)
        memcpy(room + j, from, (size_t)job->channels * sizeof *room);
    return room;
}

/* The same of the sample's numbers of the groups, each for all of its channels, times `by`. */
static const GT_T *GT_NAME(spread)(const gt_BatchJob *job, int64_t sample, const GT_T *from,
                                   GT_T by, GT_T *room)
{
    const int64_t width = job->channels / job->groups;
    from += sample * job->groups;
    for (int64_t g = 0, c = 0; g < job->groups; g++)
        for (const int64_t end = c + width; c < end; c++)
            room[c] = from[g] * by;
    return GT_NAME(repeated)(job, room, room);
}

static void GT_NAME(moments)(const gt_BatchJob *job, const GT_T *x, int64_t rows, double *part,
                             void *scratch)
{
    const int64_t n = rows * job->channels, channels = job->channels;
    GT_T *sum = scratch, *square = sum + job->wide, *minus = square + job->wide;
    double *mean = part, *apart = part + channels;
    for (int64_t j = 0; j < job->wide; j++)
        minus[j] = 0;
    GT_NAME(add_up)(job, n, x, NULL, minus, sum, square);
    GT_NAME(gather)(job, sum, mean);
    for (int64_t c = 0; c < channels; c++)
        minus[c] = -(GT_T)(mean[c] / (double)rows);
    GT_NAME(repeated)(job, minus, minus);
    GT_NAME(add_up)(job, n, x, NULL, minus, sum, square);
    GT_NAME(gather)(job, sum, mean);
    GT_NAME(gather)(job, square, apart);
    for (int64_t c = 0; c < channels; c++) {
        const double rest = mean[c] / (double)rows;
        apart[c] -= mean[c] * rest;
        apart[c] = apart[c] < 0 ? 0 : apart[c];
        mean[c] = rest - (double)minus[c];
    }
}

/* Of `rows` rows from `row` on. */
static void GT_NAME(slopes)(const gt_BatchJob *job, void *const *at, int64_t row, int64_t rows,
                            double *part, void *scratch)
{
    const int64_t from = row * job->channels;
    GT_T *sum = scratch, *product = sum + job->wide, *minus = product + job->wide;
    GT_NAME(spread)(job, row / job->rows, at[1], -1, minus);
    GT_NAME(add_up)
    (job, rows * job->channels, (const GT_T *)at[0] + from, (const GT_T *)at[4] + from, minus, sum,
     product);
    GT_NAME(gather)(job, sum, part);
    GT_NAME(gather)(job, product, part + job->channels);
}

/* Of rows of one sample. */
static void GT_NAME(scale)(const gt_BatchJob *job, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    const int64_t wide = job->wide, begin = first * job->channels, end = last * job->channels;
    const int64_t sample = first / job->rows, channels = job->channels;
    GT_T *y = at[3], *room = scratch;
    const GT_T *x = at[0], *line = (const GT_T *)at[7] + 2 * sample * channels;
    const GT_T *more = job->more >= 0 ? at[job->more] : NULL,
               least = job->relu ? 0 : -(GT_T)INFINITY;
    const GT_T *mean = GT_NAME(spread)(job, sample, at[4], 1, room);
    const GT_T *factor = GT_NAME(repeated)(job, line, room + wide);
    const GT_T *offset = GT_NAME(repeated)(job, line + channels, room + 2 * wide);
    for (int64_t i = begin; i < end; i += wide) {
        const int64_t n = end - i < wide ? end - i : wide;
        if (more) {
            GT_INDEPENDENT
            for (int64_t j = 0; j < n; j++) {
                const GT_T sum = (x[i + j] - mean[j]) * factor[j] + offset[j] + more[i + j];
                y[i + j] = sum <= least ? least : sum;
            }
        } else {
            GT_INDEPENDENT
            for (int64_t j = 0; j < n; j++) {
                const GT_T one = (x[i + j] - mean[j]) * factor[j] + offset[j];
                y[i + j] = one <= least ? least : one;
            }
        }
    }
}

/* Of rows of one sample. */
static void GT_NAME(gradient)(const gt_BatchJob *job, void *const *at, int64_t first, int64_t last,
                              void *scratch)
{
    const int64_t wide = job->wide, begin = first * job->channels, end = last * job->channels;
    const int64_t sample = first / job->rows, channels = job->channels;
    GT_T *to = at[5], *room = scratch;
    const GT_T *x = at[0], *g = at[4], *line = (const GT_T *)at[9] + 4 * sample * channels;
    const GT_T *mean = GT_NAME(spread)(job, sample, at[1], 1, room);
    const GT_T *factor = GT_NAME(repeated)(job, line, room + wide);
    const GT_T *offset = GT_NAME(repeated)(job, line + channels, room + 2 * wide);
    const GT_T *slope = GT_NAME(repeated)(job, line + 2 * channels, room + 3 * wide);
    const GT_T *scale = GT_NAME(repeated)(job, line + 3 * channels, room + 4 * wide);
    for (int64_t i = begin; i < end; i += wide) {
        const int64_t n = end - i < wide ? end - i : wide;
        GT_INDEPENDENT
        for (int64_t j = 0; j < n; j++)
            to[i + j] =
                ((g[i + j] * scale[j] - offset[j]) - (x[i + j] - mean[j]) * slope[j]) * factor[j];
    }
}

#undef GT_T
#undef GT_NAME
#undef LANES
#undef GT_MULTIPLY_ADD
