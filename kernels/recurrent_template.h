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

#ifdef GT_V

enum { GT_NAME(WIDE) = 64 / (int)sizeof(GT_T) };

/* The lanes of a vector from j on that are inside a row of n. */
static inline GT_NAME(Lanes) GT_NAME(lanes)(int64_t n, int64_t j)
{
    const int64_t left = n - j < 0 ? 0 : n - j;
    return (GT_NAME(Lanes))(left < GT_NAME(WIDE) ? (1U << left) - 1U : ~0U);
}

/* A masked store is not seen by a load that follows soon. */
static inline void GT_NAME(put)(GT_T *to, GT_NAME(Lanes) lanes, GT_V x)
{
    if (lanes == (GT_NAME(Lanes)) ~0U)
        GT_W(storeu)(to, x);
    else
        GT_W(mask_storeu)(to, lanes, x);
}

/* Masked loads of what is not in the first cache do not overlap. */
static inline GT_V GT_NAME(take)(const GT_T *from, GT_NAME(Lanes) lanes)
{
    return lanes == (GT_NAME(Lanes)) ~0U ? GT_W(loadu)(from) : GT_W(maskz_loadu)(lanes, from);
}

/* The four gates of a vector of units take turns: each by itself would wait for its own operations. */
static void GT_NAME(lstm_gates)(int64_t n, const void *inputs, const void *bias,
                                const void *product, void *to)
{
    const GT_T *x = inputs, *b = bias, *p = product;
    GT_T *z = to;
    for (int64_t j = 0; j < n; j += GT_NAME(WIDE)) {
        const GT_NAME(Lanes) lanes = GT_NAME(lanes)(n, j);
        GT_V v[4];
        GT_UNROLL
        for (int g = 0; g < 4; g++)
            v[g] = GT_W(add)(
                GT_W(add)(GT_NAME(take)(x + g * n + j, lanes), GT_NAME(take)(b + g * n + j, lanes)),
                GT_NAME(take)(p + g * n + j, lanes));
        v[0] = GT_NAME(gt_wide_sigmoid)(v[0]);
        v[1] = GT_NAME(gt_wide_sigmoid)(v[1]);
        v[2] = GT_NAME(gt_wide_tanh)(v[2]);
        v[3] = GT_NAME(gt_wide_sigmoid)(v[3]);
        GT_UNROLL
        for (int g = 0; g < 4; g++)
            GT_NAME(put)(z + g * n + j, lanes, v[g]);
    }
}

static void GT_NAME(lstm_states)(int64_t n, const void *gates, void *of_c, void *of_h, void *to_c,
                                 void *to_h)
{
    enum { SOME = 4 };
    const GT_T *z = gates;
    GT_T *c = of_c, *h = of_h, *put_c = to_c, *put_h = to_h;
    for (int64_t j = 0; j < n; j += SOME * GT_NAME(WIDE)) {
        GT_NAME(Lanes) lanes[SOME];
        GT_V next[SOME], t[SOME];
        GT_UNROLL
        for (int i = 0; i < SOME; i++) {
            const int64_t at = j + i * GT_NAME(WIDE);
            lanes[i] = GT_NAME(lanes)(n, at);
            next[i] = GT_W(add)(
                GT_W(mul)(GT_NAME(take)(z + n + at, lanes[i]), GT_NAME(take)(c + at, lanes[i])),
                GT_W(mul)(GT_NAME(take)(z + at, lanes[i]),
                          GT_NAME(take)(z + 2 * n + at, lanes[i])));
        }
        GT_UNROLL
        for (int i = 0; i < SOME; i++)
            t[i] = GT_NAME(gt_wide_tanh)(next[i]);
        GT_UNROLL
        for (int i = 0; i < SOME; i++) {
            const int64_t at = j + i * GT_NAME(WIDE);
            const GT_V now = GT_W(mul)(GT_NAME(take)(z + 3 * n + at, lanes[i]), t[i]);
            GT_W(mask_storeu)(c + at, lanes[i], next[i]);
            GT_W(mask_storeu)(put_c + at, lanes[i], next[i]);
            GT_W(mask_storeu)(h + at, lanes[i], now);
            GT_W(mask_storeu)(put_h + at, lanes[i], now);
        }
    }
}

#else

static void GT_NAME(lstm_gates)(int64_t n, const void *x, const void *bias, const void *product,
                                void *to)
{
    GT_T *z = to;
    GT_NAME(sums)(4 * n, x, bias, product, z);
    GT_KERNEL(kernels).unary[GT_LOOP_SIGMOID][GT_TYPE](2 * n, z, z);
    GT_KERNEL(kernels).unary[GT_LOOP_TANH][GT_TYPE](n, z + 2 * n, z + 2 * n);
    GT_KERNEL(kernels).unary[GT_LOOP_SIGMOID][GT_TYPE](n, z + 3 * n, z + 3 * n);
}

static void GT_NAME(lstm_states)(int64_t n, const void *gates, void *of_c, void *of_h, void *to_c,
                                 void *to_h)
{
    const GT_T *z = gates;
    GT_T *c = of_c, *h = of_h, *put_c = to_c, *t = to_h;
    GT_INDEPENDENT
    for (int64_t j = 0; j < n; j++)
        c[j] = put_c[j] = z[n + j] * c[j] + z[j] * z[2 * n + j];
    GT_KERNEL(kernels).unary[GT_LOOP_TANH][GT_TYPE](n, c, t);
    GT_INDEPENDENT
    for (int64_t j = 0; j < n; j++)
        h[j] = t[j] = z[3 * n + j] * t[j];
}

#endif

static void GT_NAME(lstm_slopes)(int64_t n, const void *gates, const void *c, const void *tanh_of_c,
                                 const void *arrived, const void *of_h, void *of_c, void *of_sums,
                                 void *again)
{
    const GT_T *z = gates, *before = c, *t = tanh_of_c, *up = arrived, *dh = of_h;
    GT_T *dc = of_c, *d = of_sums, *dx = again;
    GT_INDEPENDENT
    for (int64_t j = 0; j < n; j++) {
        const GT_T i = z[j], f = z[n + j], g = z[2 * n + j], o = z[3 * n + j];
        const GT_T all = dc[j] + dh[j] * o * (1 - t[j] * t[j]);
        dx[j] = d[j] = (all * g + up[j]) * (i * (1 - i));
        dx[n + j] = d[n + j] = (all * before[j] + up[n + j]) * (f * (1 - f));
        dx[2 * n + j] = d[2 * n + j] = (all * i + up[2 * n + j]) * (1 - g * g);
        dx[3 * n + j] = d[3 * n + j] = (dh[j] * t[j] + up[3 * n + j]) * (o * (1 - o));
        dc[j] = all * f;
    }
}

static void GT_NAME(add_rows)(int64_t n, int64_t rows, const void *of_sums, void *to)
{
    const GT_T *d = of_sums;
    GT_T *sum = to;
    for (; rows >= 4; rows -= 4, d += 4 * n) {
        GT_INDEPENDENT
        for (int64_t j = 0; j < n; j++)
            sum[j] += (d[j] + d[n + j]) + (d[2 * n + j] + d[3 * n + j]);
    }
    for (; rows > 0; rows--, d += n) {
        GT_INDEPENDENT
        for (int64_t j = 0; j < n; j++)
            sum[j] += d[j];
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
#undef GT_TYPE
#undef GT_NAME
#undef GT_V
#undef GT_W
