/* y[r] = -log_softmax(x)[r, label[r]]; its gradient: softmax(x), less 1 at the label, times g[r]. A label of `ignored` gives
 * 0. `room` has `classes` elements. softmax_crossentropy: the sum of t * -log_softmax(x), 0 where t is 0.
 * needs: prelude numbers exp log sum softmax */
GT_EMIT void GT_P(sparse_crossentropy)(gt_size rows, gt_size classes, const int32_t *label, int32_t ignored,
                                       const GT_REAL *x, GT_REAL *y, GT_REAL *room)
{
    for (gt_size r = 0; r < rows; r++, x += classes) {
        GT_P(log_softmax)(1, classes, x, room);
        y[r] = label[r] == ignored ? 0 : -room[label[r]];
    }
}

GT_EMIT void GT_P(sparse_crossentropy_gradient)(gt_size rows, gt_size classes, const int32_t *label,
                                                int32_t ignored, const GT_REAL *x, const GT_REAL *g, GT_REAL *y)
{
    GT_P(softmax)(rows, classes, x, y);
    for (gt_size r = 0; r < rows; r++, y += classes) {
        if (label[r] != ignored)
            y[label[r]] -= 1;
        for (gt_size i = 0; i < classes; i++)
            y[i] = label[r] == ignored ? 0 : y[i] * g[r];
    }
}

GT_EMIT void GT_P(crossentropy)(gt_size rows, gt_size classes, const GT_REAL *t, const GT_REAL *x, GT_REAL *y,
                                GT_REAL *room)
{
    for (gt_size r = 0; r < rows; r++, x += classes, t += classes) {
        GT_P(log_softmax)(1, classes, x, room);
        for (gt_size i = 0; i < classes; i++)
            room[i] = t[i] == 0 ? 0 : t[i] * -room[i];
        y[r] = (GT_REAL)GT_P(sum_row)(classes, room);
    }
}
