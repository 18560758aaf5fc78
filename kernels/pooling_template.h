/* The maxima of pooling.c for one element type GT_T and GT_PLACE, integers as wide. Included once
 * for each; not a header. */

/* y[c] = the maximum of x[tap[0]][c], x[tap[1]][c], ...; NaN wins, the first of equal ones is taken. */
static void GT_NAME(max_of)(const gt_PoolJob *job, const GT_T *from, const int64_t *tap, GT_T *y)
{
    const int64_t n = job->channels;
    bool some = false;
    for (int64_t p = 0; p < job->window.taps; p++) {
        const GT_T *x = from + tap[p] * n;
        if (tap[p] < 0)
            continue;
        if (some) {
            GT_INDEPENDENT
            for (int64_t c = 0; c < n; c++) {
                const GT_T a = y[c], b = x[c];
                y[c] = ((a > b) | (a != a)) ? a : b;
            }
        } else {
            memcpy(y, x, (size_t)n * sizeof *y);
        }
        some = true;
    }
}

/* Of the channels at one position: best[c] is the maximum, which[c] the number of the tap where it
 * stands, the first of equal ones, the first NaN if there is one. */
static void GT_NAME(maxima)(const gt_PoolJob *job, const GT_T *from, const int64_t *tap, GT_T *best,
                            GT_PLACE *which)
{
    const int64_t n = job->channels;
    bool some = false;
    for (int64_t p = 0; p < job->window.taps; p++) {
        const GT_T *x = from + tap[p] * n;
        const GT_PLACE place = (GT_PLACE)p;
        if (tap[p] < 0)
            continue;
        if (!some) {
            memcpy(best, x, (size_t)n * sizeof *x);
            for (int64_t c = 0; c < n; c++)
                which[c] = place;
            some = true;
            continue;
        }
        GT_INDEPENDENT
        for (int64_t c = 0; c < n; c++) {
            const GT_T a = x[c], b = best[c];
            const bool better = (a > b) | ((a != a) & (b == b));
            best[c] = better ? a : b;
            which[c] = better ? place : which[c];
        }
    }
}

/* Scratch: the taps, then best and which. Rows are looked at one after the other, from `first` on. */
static const int64_t *GT_NAME(look)(const gt_PoolJob *job, const void *x, int64_t row,
                                    int64_t first, void *scratch, GT_PLACE **which)
{
    int64_t *tap = scratch;
    GT_T *best = (GT_T *)(void *)((char *)scratch + job->tap_bytes);
    *which = (GT_PLACE *)(void *)(best + job->channels);
    gt_window_next(&job->window, row, first, tap);
    GT_NAME(maxima)(job, x, tap, best, *which);
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
        if (tap[p] < 0)
            continue;
        GT_INDEPENDENT
        for (int64_t c = 0; c < n; c++)
            to[c] = which[c] == (GT_PLACE)p ? to[c] + g[c] : to[c];
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

#undef GT_T
#undef GT_PLACE
#undef GT_NAME
