/* Substitution of triangular.c for one element type GT_T. Included once for each; not a header. */

/* a (n, n), b (n, k), x (n, k). Row by row, from the corner of the triangle: a row of X is the row of B, minus each
 * known row of X times its factor (a product and a difference each rounded, rows in ascending order), divided by the
 * diagonal. */
static void GT_NAME(triangular)(const gt_TriangularJob *job, const GT_T *a, const GT_T *b, GT_T *x)
{
    const int64_t n = job->n, k = job->k;
    const int64_t down = job->transpose ? 1 : n, right = job->transpose ? n : 1;
    const bool forward = job->lower != job->transpose;
    for (int64_t step = 0; step < n; step++) {
        const int64_t i = forward ? step : n - 1 - step;
        const GT_T diagonal = a[i * down + i * right];
        GT_T *row = x + i * k;
        memcpy(row, b + i * k, (size_t)k * sizeof *row);
        for (int64_t j = forward ? 0 : i + 1; j < (forward ? i : n); j++) {
            const GT_T factor = a[i * down + j * right], *known = x + j * k;
            GT_INDEPENDENT
            for (int64_t c = 0; c < k; c++)
                row[c] -= factor * known[c];
        }
        for (int64_t c = 0; c < k; c++)
            row[c] /= diagonal;
    }
}

#undef GT_T
#undef GT_NAME
