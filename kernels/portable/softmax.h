/* Of each row of n: e^(x - the largest), over their sum, which is that of sum.h, rounded. log_softmax: (x - the largest) -
 * log of the sum; of more than 1024 elements the sums of each 1024 are added as doubles. needs: prelude numbers exp log sum */
static GT_REAL GT_P(largest)(gt_size n, const GT_REAL *x)
{
    GT_REAL y = -(GT_REAL)INFINITY;
    for (gt_size i = 0; i < n; i++)
        y = y > x[i] || y != y ? y : x[i];
    return y;
}

static GT_REAL GT_P(row_total)(gt_size n, const GT_REAL *x)
{
    return n < 32 ? GT_P(sum_few)(n, x) : (GT_REAL)GT_P(sum_row)(n, x);
}

GT_EMIT void GT_P(softmax)(gt_size rows, gt_size n, const GT_REAL *x, GT_REAL *y)
{
    for (gt_size r = 0; r < rows; r++, x += n, y += n) {
        GT_REAL most = GT_P(largest)(n, x), sum;
        for (gt_size i = 0; i < n; i++)
            y[i] = GT_P(exp)(x[i] - most);
        sum = GT_P(row_total)(n, y);
        for (gt_size i = 0; i < n; i++)
            y[i] = y[i] / sum;
    }
}

GT_EMIT void GT_P(log_softmax)(gt_size rows, gt_size n, const GT_REAL *x, GT_REAL *y)
{
    for (gt_size r = 0; r < rows; r++, x += n, y += n) {
        GT_REAL most = GT_P(largest)(n, x), sum;
        double all = 0;
        for (gt_size from = 0; from < n; from += 1024) {
            GT_REAL e[1024];
            gt_size count = n - from < 1024 ? n - from : 1024;
            for (gt_size i = 0; i < count; i++)
                e[i] = GT_P(exp)(x[from + i] - most);
            all = n <= 1024 ? (double)GT_P(row_total)(n, e) : all + GT_P(sum_row)(count, e);
        }
        sum = GT_P(log)((GT_REAL)all);
        for (gt_size i = 0; i < n; i++)
            y[i] = (x[i] - most) - sum;
    }
}
