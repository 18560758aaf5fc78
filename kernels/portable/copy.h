/* Walks `rank` axes, 1 to 8, of x and y, each with steps of its own in elements (0 and negative ones too), and copies: slices,
 * parts, transpositions, repetitions, concatenations part by part, padding after a fill. needs: prelude */
GT_EMIT void GT_P(copy)(int rank, const gt_size *dims, const GT_REAL *x, const gt_size *step_x, GT_REAL *y,
                        const gt_size *step_y)
{
    for (gt_size i = 0; i < dims[0]; i++, x += step_x[0], y += step_y[0])
        if (rank > 1)
            GT_P(copy)(rank - 1, dims + 1, x, step_x + 1, y, step_y + 1);
        else
            *y = *x;
}

GT_EMIT void GT_P(fill)(gt_size n, GT_REAL value, GT_REAL *y)
{
    for (gt_size i = 0; i < n; i++)
        y[i] = value;
}

/* y = a where c, else b; steps of 0 repeat. */
GT_EMIT void GT_P(select)(gt_size n, const uint8_t *c, gt_size sc, const GT_REAL *a, gt_size sa, const GT_REAL *b,
                          gt_size sb, GT_REAL *y)
{
    for (gt_size i = 0; i < n; i++)
        y[i] = c[i * sc] ? a[i * sa] : b[i * sb];
}
