/* Pooling of images (images, in, channels), channel by channel. The largest element of a window, the last of 0 and -0, NaN if
 * there is one; its gradient goes to the first of equal ones. The mean: the sum from the left over what is no padding, over how many; of
 * floats in windows of more than 16 places, sums of 16 are added as doubles. needs: prelude window */
static gt_size GT_P(pool_place)(const gt_window *w, gt_size row, gt_size channels, gt_size c, const GT_REAL *x)
{
    gt_size best = -1;
    for (gt_size p = 0; p < gt_window_places(w->size); p++) {
        gt_size at = gt_window_tap(w, row, p);
        GT_REAL a = at < 0 ? 0 : x[at * channels + c], b = best < 0 ? 0 : x[best * channels + c];
        if (at >= 0 && (best < 0 || a > b || (a != a && b == b)))
            best = at;
    }
    return best;
}

GT_EMIT void GT_P(max_pool)(const gt_window *w, gt_size channels, const GT_REAL *x, GT_REAL *y)
{
    for (gt_size i = 0; i < w->images * gt_window_places(w->out) * channels; i++) {
        gt_size some = 0, at;
        for (gt_size p = 0; p < gt_window_places(w->size); p++)
            if ((at = gt_window_tap(w, i / channels, p)) >= 0) {
                GT_REAL b = x[at * channels + i % channels];
                y[i] = some++ && (y[i] > b || y[i] != y[i]) ? y[i] : b;
            }
    }
}

GT_EMIT void GT_P(max_pool_gradient)(const gt_window *w, gt_size channels, const GT_REAL *x, const GT_REAL *g,
                                     GT_REAL *y)
{
    for (gt_size i = 0; i < w->images * gt_window_places(w->in) * channels; i++)
        y[i] = 0;
    for (gt_size i = 0; i < w->images * gt_window_places(w->out) * channels; i++)
        y[GT_P(pool_place)(w, i / channels, channels, i % channels, x) * channels + i % channels] += g[i];
}

GT_EMIT void GT_P(average_pool)(const gt_window *w, gt_size channels, const GT_REAL *x, GT_REAL *y)
{
    gt_size taps = gt_window_places(w->size);
    for (gt_size i = 0; i < w->images * gt_window_places(w->out) * channels; i++) {
        gt_size count = 0;
        GT_REAL sum = 0;
        double all = 0;
        for (gt_size p = 0; p < taps; p++) {
            gt_size at = gt_window_tap(w, i / channels, p);
            if (!GT_DOUBLE && p > 0 && p % 16 == 0) {
                all += (double)sum;
                sum = 0;
            }
            count += at >= 0;
            sum = at < 0 ? sum : sum + x[at * channels + i % channels];
        }
        y[i] = GT_DOUBLE || taps <= 16 ? sum / (GT_REAL)count : (GT_REAL)((all + (double)sum) / (double)count);
    }
}

GT_EMIT void GT_P(average_pool_gradient)(const gt_window *w, gt_size channels, const GT_REAL *g, GT_REAL *y)
{
    gt_size taps = gt_window_places(w->size), at, count;
    for (gt_size i = 0; i < w->images * gt_window_places(w->in) * channels; i++)
        y[i] = 0;
    for (gt_size i = 0; i < w->images * gt_window_places(w->out) * channels; i++) {
        for (gt_size p = count = 0; p < taps; p++)
            count += gt_window_tap(w, i / channels, p) >= 0;
        for (gt_size p = 0; p < taps; p++)
            if ((at = gt_window_tap(w, i / channels, p)) >= 0)
                y[at * channels + i % channels] += g[i] / (GT_REAL)count;
    }
}
