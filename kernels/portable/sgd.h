/* w -= w decay, decay = rate * weight decay, if that is not 0; then w -= rate g; with a slot m: m = mu m - rate g and w += m,
 * or, nesterov, w += mu m - rate g. needs: prelude */
GT_EMIT void GT_P(sgd)(gt_size n, GT_REAL *w, GT_REAL *m, const GT_REAL *g, double rate, double momentum,
                       double weight_decay, int nesterov)
{
    const GT_REAL lr = (GT_REAL)rate, mu = (GT_REAL)momentum, decay = (GT_REAL)(rate * weight_decay);
    for (gt_size i = 0; i < n; i++) {
        GT_REAL weight = decay != 0 ? w[i] - w[i] * decay : w[i], step = -(lr * g[i]);
        if (m) {
            m[i] = mu * m[i] + step;
            step = nesterov ? mu * m[i] + step : m[i];
        }
        w[i] = weight + step;
    }
}
