/* Update number t: m += (g - m) (1 - beta_1), v += (g^2 - v) (1 - beta_2), w -= alpha m / (sqrt v + epsilon), alpha = rate
 * sqrt(1 - beta_2^t) / (1 - beta_1^t) in double, powers by squaring; with h, h = max(h, v) for v. Before it w -= w decay.
 * needs: prelude */
static double GT_P(adam_power)(double base, int64_t t)
{
    double y = 1;
    for (; t > 0; t >>= 1, base *= base)
        y = t & 1 ? y * base : y;
    return y;
}

GT_EMIT void GT_P(adam)(gt_size n, int64_t t, GT_REAL *w, GT_REAL *m, GT_REAL *v, GT_REAL *h, const GT_REAL *g,
                        double rate, double beta_1, double beta_2, double epsilon, double weight_decay)
{
    const GT_REAL alpha =
        (GT_REAL)(rate * sqrt(1 - GT_P(adam_power)(beta_2, t)) / (1 - GT_P(adam_power)(beta_1, t)));
    const GT_REAL least = (GT_REAL)epsilon, rest_1 = (GT_REAL)(1 - beta_1), rest_2 = (GT_REAL)(1 - beta_2);
    const GT_REAL decay = (GT_REAL)(rate * weight_decay);
    for (gt_size i = 0; i < n; i++) {
        GT_REAL weight = decay != 0 ? w[i] - w[i] * decay : w[i], variance;
        m[i] = m[i] + (g[i] - m[i]) * rest_1;
        variance = v[i] = v[i] + (g[i] * g[i] - v[i]) * rest_2;
        if (h)
            variance = h[i] = h[i] > variance || h[i] != h[i] ? h[i] : variance;
        w[i] = weight - alpha * m[i] / (GT_M(sqrt)(variance) + least);
    }
}
