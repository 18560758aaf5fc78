/* C = A B, C is (m, n): element (i, p) of A lies at a[i * ar + p * ac], (p, j) of B at b[p * br + j * bc]. One sum a block of
 * p, from 0, each product and each sum rounded, p ascending; blocks are added in order; their length follows from k alone.
 * Of floats, parts of 24576 are added in double. needs: prelude */
static GT_REAL GT_P(product_sum)(gt_size k, const GT_REAL *a, gt_size ac, const GT_REAL *b, gt_size br)
{
    const gt_size most = GT_DOUBLE ? 256 : 384, blocks = k > most ? (k + most - 1) / most : 1;
    const gt_size depth = (k + blocks - 1) / blocks;
    GT_REAL all = 0;
    for (gt_size from = 0; from < k; from += depth) {
        GT_REAL sum = 0;
        for (gt_size p = from; p < k && p < from + depth; p++)
            sum += a[p * ac] * b[p * br];
        all = from ? all + sum : sum;
    }
    return all;
}

GT_EMIT void GT_P(product)(gt_size m, gt_size n, gt_size k, const GT_REAL *a, gt_size ar, gt_size ac,
                           const GT_REAL *b, gt_size br, gt_size bc, GT_REAL *c, gt_size ldc)
{
    const gt_size part = GT_DOUBLE ? k + 1 : 24576;
    for (gt_size i = 0; i < m; i++)
        for (gt_size j = 0; j < n; j++) {
            const GT_REAL *x = a + i * ar, *y = b + j * bc;
            double sum = 0;
            if (k <= part)
                c[i * ldc + j] = GT_P(product_sum)(k, x, ac, y, br);
            for (gt_size p = 0; k > part && p < k; p += part)
                sum += (double)GT_P(product_sum)(k - p < part ? k - p : part, x + p * ac, ac, y + p * br, br);
            if (k > part)
                c[i * ldc + j] = (GT_REAL)sum;
        }
}
