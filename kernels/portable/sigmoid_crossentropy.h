/* softplus(-|x|) + (max(x, 0) - x t). needs: prelude numbers exp log softplus */
GT_EMIT void GT_P(sigmoid_crossentropy)(gt_size n, const GT_REAL *t, const GT_REAL *x, GT_REAL *y)
{
    for (gt_size i = 0; i < n; i++)
        y[i] = GT_P(softplus)(-GT_M(fabs)(x[i])) + ((x[i] > 0 ? x[i] : 0) - x[i] * t[i]);
}
