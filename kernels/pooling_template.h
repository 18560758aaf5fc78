/* The maxima of pooling.c for one element type GT_T and GT_PLACE, integers as wide. Included once
 * for each; not a header. */

/* Of `lanes` channels at one position: best[c] is the maximum, of 0 and -0 the last one, which[c] the number of the tap where it
 * stands, the first of equal ones, the first NaN if there is one. `lanes` is a number of the compiler's where it is called for whole groups, so
 * that they are vectors; x begins with the first of these channels. */
GT_INLINE void GT_NAME(maxima)(const GT_T *x, int64_t channels, const int64_t *tap, int64_t taps,
                               int lanes, GT_T *best, GT_PLACE *which)
{
    int64_t p = 0;
    while (p < taps && tap[p] < 0)
        p++;
    for (int c = 0; c < lanes && p < taps; c++) {
        best[c] = x[tap[p] * channels + c];
        which[c] = (GT_PLACE)p;
    }
    for (p++; p < taps; p++) {
        const GT_T *from = x + tap[p] * channels;
        const GT_PLACE place = (GT_PLACE)p;
        if (tap[p] < 0)
            continue;
        GT_INDEPENDENT
        for (int c = 0; c < lanes; c++) {
            const GT_T a = from[c], b = best[c];
            const bool better = (a > b) | ((a != a) & (b == b));
            best[c] = ((b > a) | (b != b)) ? b : a;
            which[c] = better ? place : which[c];
        }
    }
}

/* Of all channels at one position. */
static void GT_NAME(all_maxima)(const gt_PoolJob *job, const GT_T *x, const int64_t *tap,
                                GT_T *best, GT_PLACE *which)
{
    const int64_t n = job->channels, taps = job->window.taps;
    int64_t c = 0;
    for (; c + GROUP <= n; c += GROUP) {
        GT_T group[GROUP];
        GT_PLACE where[GROUP];
        GT_NAME(maxima)(x + c, n, tap, taps, GROUP, group, where);
        memcpy(best + c, group, sizeof group);
        memcpy(which + c, where, sizeof where);
    }
    if (c < n)
        GT_NAME(maxima)(x + c, n, tap, taps, (int)(n - c), best + c, which + c);
}

/* to[c] += g[c] where which[c] is this tap. */
GT_INLINE void GT_NAME(give)(GT_T *to, const GT_T *g, const GT_PLACE *which, GT_PLACE place,
                             int lanes)
{
    GT_INDEPENDENT
    for (int c = 0; c < lanes; c++)
        to[c] = which[c] == place ? to[c] + g[c] : to[c];
}

/* Scratch: the taps, then best and which. Rows are looked at one after the other, from `first` on. */
static const int64_t *GT_NAME(look)(const gt_PoolJob *job, const void *x, int64_t row,
                                    int64_t first, void *scratch, GT_PLACE **which)
{
    int64_t *tap = scratch;
    GT_T *best = (GT_T *)(void *)((char *)scratch + job->tap_bytes);
    *which = (GT_PLACE *)(void *)(best + job->channels);
    gt_window_next(&job->window, row, first, tap);
    GT_NAME(all_maxima)(job, x, tap, best, *which);
    return tap;
}

/* x'[where the maximum of channel c stands] += g[c], tap by tap: no two taps of a position are one
 * element. */
static void GT_NAME(scatter)(const gt_PoolJob *job, void *const *at, int64_t row, int64_t first,
                             void *scratch)
{
    const int64_t n = job->channels;
    GT_PLACE *which;
    const int64_t *tap = GT_NAME(look)(job, at[0], row, first, scratch, &which);
    const GT_T *g = (const GT_T *)at[1] + row * n;
    for (int64_t p = 0; p < job->window.taps; p++) {
        GT_T *to = (GT_T *)at[2] + tap[p] * n;
        int64_t c = 0;
        if (tap[p] < 0)
            continue;
        for (; c + GROUP <= n; c += GROUP)
            GT_NAME(give)(to + c, g + c, which + c, (GT_PLACE)p, GROUP);
        if (c < n)
            GT_NAME(give)(to + c, g + c, which + c, (GT_PLACE)p, (int)(n - c));
    }
}

/* Windows of four places that do not overlap or leave the image. */

/* Of n channels: y and which as `maxima` says, or GT_POOL_NONE if only what is
 * above 0 counts, and it is not. */
GT_INLINE void GT_NAME(mark)(const GT_T *const x[4], int64_t from, int64_t n, bool above, GT_T *y,
                             GT_PLACE *which)
{
    const GT_T *a = x[0] + from, *b = x[1] + from, *c = x[2] + from, *d = x[3] + from;
    GT_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        const GT_T second = b[i], third = c[i], fourth = d[i];
        GT_T most = a[i];
        GT_PLACE place = 0;
        place = ((second > most) | ((second != second) & (most == most))) ? 1 : place;
        most = ((most > second) | (most != most)) ? most : second;
        place = ((third > most) | ((third != third) & (most == most))) ? 2 : place;
        most = ((most > third) | (most != most)) ? most : third;
        place = ((fourth > most) | ((fourth != fourth) & (most == most))) ? 3 : place;
        most = ((most > fourth) | (most != most)) ? most : fourth;
        y[i] = most;
        which[i] = (!above | (most > 0)) ? place : GT_POOL_NONE;
    }
}

/* Rows of one line, `rows` of them from `row` on. */
static void GT_NAME(mark_line)(const gt_PoolJob *job, const GT_T *x, int64_t row, int64_t rows,
                               GT_T *y, GT_PLACE *which)
{
    const int64_t n = job->channels, step = job->window.stride[GT_SPATIAL - 1] * n;
    const GT_T *place[4];
    int64_t tap[4];
    gt_window_taps(&job->window, row, tap);
    for (int p = 0; p < 4; p++)
        place[p] = x + tap[p] * n;
    for (int64_t r = 0; r < rows; r++)
        GT_NAME(mark)(place, r * step, n, job->above, y + r * n, which + r * n);
}

/* to = more where which is this place, else 0. By bits: of a choice compilers make branches and masked stores. */
GT_INLINE void GT_NAME(put)(GT_T *to, GT_T more, GT_PLACE which, GT_PLACE place)
{
    GT_PLACE bits;
    memcpy(&bits, &more, sizeof bits);
    bits &= -(GT_PLACE)(which == place);
    memcpy(to, &bits, sizeof bits);
}

/* x'[the place of which[c]] = 0 + g[c], and 0 at the others. */
static void GT_NAME(spread_line)(const gt_PoolJob *job, const GT_T *g, const GT_PLACE *which,
                                 int64_t row, int64_t rows, GT_T *x)
{
    const int64_t n = job->channels, step = job->window.stride[GT_SPATIAL - 1] * n;
    int64_t tap[4];
    gt_window_taps(&job->window, row, tap);
    GT_T *a = x + tap[0] * n, *b = x + tap[1] * n, *c = x + tap[2] * n, *d = x + tap[3] * n;
    for (int64_t r = 0; r < rows;
         r++, a += step, b += step, c += step, d += step, g += n, which += n) {
        GT_INDEPENDENT
        for (int64_t i = 0; i < n; i++) {
            const GT_T more = 0 + g[i];
            GT_NAME(put)(a + i, more, which[i], 0);
            GT_NAME(put)(b + i, more, which[i], 1);
            GT_NAME(put)(c + i, more, which[i], 2);
            GT_NAME(put)(d + i, more, which[i], 3);
        }
    }
}

/* y[c] = b where the maximum of channel c stands. */
static void GT_NAME(gather)(const gt_PoolJob *job, void *const *at, int64_t row, int64_t first,
                            void *scratch)
{
    const int64_t n = job->channels;
    GT_PLACE *which;
    const int64_t *tap = GT_NAME(look)(job, at[0], row, first, scratch, &which);
    const GT_T *b = at[1];
    GT_T *y = (GT_T *)at[2] + row * n;
    for (int64_t c = 0; c < n; c++)
        y[c] = b[tap[which[c]] * n + c];
}

void GT_KERNEL(GT_NAME(pool_mark))(const gt_PoolJob *job, const void *x, int64_t first,
                                   int64_t last, void *y, uint8_t *marks, void *scratch)
{
    const int64_t n = job->channels;
    GT_PLACE *which = scratch;
    GT_T *to = y;
    for (int64_t row = first, rows; row < last; row += rows) {
        rows = line_of(job, row, last);
        GT_NAME(mark_line)(job, x, row, rows, to, which);
        to += rows * n;
        if (!marks)
            continue;
        GT_INDEPENDENT
        for (int64_t i = 0; i < rows * n; i++)
            marks[i] = (uint8_t)which[i];
        marks += rows * n;
    }
}

/* The maxima of rows [first, last) alone. */
static void GT_NAME(maxima_of)(const gt_PoolJob *job, const GT_T *x, int64_t first, int64_t last,
                               GT_T *y, void *scratch)
{
    int64_t *tap = scratch;
    GT_PLACE *which = (GT_PLACE *)(void *)((char *)scratch + job->tap_bytes);
    if (job->four) {
        GT_KERNEL(GT_NAME(pool_mark))(job, x, first, last, y, NULL, scratch);
        return;
    }
    for (int64_t row = first; row < last; row++, y += job->channels) {
        gt_window_next(&job->window, row, first, tap);
        GT_NAME(all_maxima)(job, x, tap, y, which);
    }
}

/* The gradient of rows [first, last), whose maxima are known by marks or, where there are none, looked for in x. */
static void GT_NAME(spread)(const gt_PoolJob *job, const GT_T *x, const uint8_t *marks,
                            const GT_T *g, int64_t first, int64_t last, GT_T *to, void *scratch)
{
    const int64_t n = job->channels;
    for (int64_t row = first, rows; row < last; row += rows) {
        rows = line_of(job, row, last);
        GT_PLACE *which = scratch;
        if (marks)
            GT_INDEPENDENT
        for (int64_t i = 0; i < rows * n; i++)
            which[i] = marks[row * n + i];
        else GT_NAME(mark_line)(job, x, row, rows, (GT_T *)(void *)(which + rows * n), which);
        GT_NAME(spread_line)(job, g + row * n, which, row, rows, to);
    }
}

#undef GT_T
#undef GT_PLACE
#undef GT_NAME
