/* Steps of LSTM and GRU, sequence.h, for one element type GT_T. Included once for each; not a header. */

static void GT_NAME(sums)(int64_t n, const void *inputs, const void *bias, const void *product,
                          void *to)
{
    const GT_T *x = inputs, *b = bias, *p = product;
    GT_T *z = to;
    GT_INDEPENDENT
    for (int64_t j = 0; j < n; j++)
        z[j] = (x[j] + b[j]) + p[j];
}

static void GT_NAME(lstm_states)(int64_t n, const void *gates, const void *c, void *next)
{
    const GT_T *z = gates, *now = c;
    GT_T *to = next;
    GT_INDEPENDENT
    for (int64_t j = 0; j < n; j++)
        to[j] = z[n + j] * now[j] + z[j] * z[2 * n + j];
}

static void GT_NAME(lstm_slopes)(int64_t n, const void *gates, const void *c, const void *tanh_of_c,
                                 const void *arrived, const void *of_h, void *of_c, void *of_sums)
{
    const GT_T *z = gates, *before = c, *t = tanh_of_c, *up = arrived, *dh = of_h;
    GT_T *dc = of_c, *d = of_sums;
    GT_INDEPENDENT
    for (int64_t j = 0; j < n; j++) {
        const GT_T i = z[j], f = z[n + j], g = z[2 * n + j], o = z[3 * n + j];
        const GT_T all = dc[j] + dh[j] * o * (1 - t[j] * t[j]);
        d[j] = (all * g + up[j]) * (i * (1 - i));
        d[n + j] = (all * before[j] + up[n + j]) * (f * (1 - f));
        d[2 * n + j] = (all * i + up[2 * n + j]) * (1 - g * g);
        d[3 * n + j] = (dh[j] * t[j] + up[3 * n + j]) * (o * (1 - o));
        dc[j] = all * f;
    }
}

static void GT_NAME(gru_states)(int64_t n, const void *gates, const void *h, void *next)
{
    const GT_T *z = gates, *now = h;
    GT_T *to = next;
    GT_INDEPENDENT
    for (int64_t j = 0; j < n; j++)
        to[j] = z[2 * n + j] + z[j] * (now[j] - z[2 * n + j]);
}

static void GT_NAME(gru_slopes)(int64_t n, const void *gates, const void *before,
                                const void *arrived, void *of_h, void *of_sums, void *of_product)
{
    const GT_T *all = gates, *h = before, *up = arrived;
    GT_T *dh = of_h, *dx = of_sums, *dp = of_product;
    GT_INDEPENDENT
    for (int64_t j = 0; j < n; j++) {
        const GT_T z = all[j], r = all[n + j], g = all[2 * n + j], q = all[3 * n + j];
        const GT_T dg = (dh[j] * (1 - z) + up[2 * n + j]) * (1 - g * g);
        dp[j] = dx[j] = (dh[j] * (h[j] - g) + up[j]) * (z * (1 - z));
        dp[n + j] = dx[n + j] = (dg * q + up[n + j]) * (r * (1 - r));
        dx[2 * n + j] = dg;
        dp[2 * n + j] = dg * r + up[3 * n + j];
        dh[j] *= z;
    }
}

#undef GT_T
#undef GT_NAME
