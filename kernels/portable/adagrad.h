/* w -= w decay, decay = rate * weight decay, if that is not 0; then a += g^2, w -= g rate / sqrt(a + epsilon).
 * needs: prelude */
GT_EMIT void GT_P(adagrad)(gt_size n, GT_REAL *w, GT_REAL *a, const GT_REAL *g, double rate, double epsilon,
                           double weight_decay)
{
    const GT_REAL lr = (GT_REAL)rate, least = (GT_REAL)epsilon, decay = (GT_REAL)(rate * weight_decay);
    for (gt_size i = 0; i < n; i++) {
        GT_REAL weight = decay != 0 ? w[i] - w[i] * decay : w[i];
        a[i] = a[i] + g[i] * g[i];
        w[i] = weight - g[i] * lr / GT_M(sqrt)(a[i] + least);
    }
}
