/* The register tiles of convolutions for one element type; convolution.c includes this once for
 * float32 and once for float64, with `number` the type and G(name) giving the name its suffix.
 * Leans on gemm_vector.h.
 *
 * Dense, a tile is GT_TALL rows by two vectors of channels or GT_TALL_1 rows by one: a number of x
 * times a vector of b. Depthwise it is GT_DEEP rows by one: a vector of x times a vector of b. The
 * lists of rows go on beyond the last row with copies of it, so that every tile is whole: a copy
 * stores the same numbers once more. */

/* Numbers `at` bytes from x. */
GT_INLINE const number *G(near)(const void *x, int64_t at)
{
    return (const number *)(const void *)((const char *)x + at);
}
GT_INLINE number *G(place)(const gt_ConvStrip *s, int64_t row)
{
    return (number *)(void *)((char *)s->y + s->to[row]);
}

/* A vector, or where masks cost nothing as much of it as the mask says. */
GT_INLINE G(vec) G(load_whole)(const number *at, G(mask) mask)
{
#if GT_MASKS
    return G(load_part)(at, mask);
#else
    (void)mask;
    return G(load)(at);
#endif
}

#if !GT_MASKS
/* Sums whose last vector sticks out of the row: once for all tiles, for such a tile is the last of its
 * row. All are read before one is written, as the last rows may be one. */
static GT_NOINLINE void G(store_last)(const gt_ConvStrip *s, int64_t row, int64_t channel, int rows,
                                      int vectors, int last, number *sums)
{
    for (int write = 0; write < 2; write++)
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < vectors; v++) {
                const int lanes = v + 1 < vectors ? LANES : last;
                const G(mask) mask = G(mask_of)(lanes);
                number *y = G(place)(s, row + r) + channel + v * LANES;
                number *one = sums + (r * vectors + v) * LANES;
                G(vec) x = G(load)(one);
                if (write) {
                    G(store_part)(y, x, lanes);
                    continue;
                }
                if (s->add)
                    x = G(add)(G(load_part)(y, mask), x);
                if (s->bias)
                    x = G(add)(x,
                               G(load_part)((const number *)s->bias + channel + v * LANES, mask));
                G(store)(one, s->relu ? G(relu)(x) : x);
            }
}
#endif

/* Of a strip, `rows` rows from `row` on by `vectors` vectors from `channel` on, `last` lanes of the last
 * one. `rows`, `vectors` and `deep` are constants where this is inlined. */
GT_INLINE void G(conv_tile)(const gt_ConvStrip *s, int64_t row, int64_t channel, const int last,
                            const int rows, const int vectors, const bool deep)
{
    G(vec) sum[GT_MOST_ROWS][2];
    const number *x[GT_MOST_ROWS];
    const G(mask) mask = G(mask_of)(last);
    GT_UNROLL
    for (int r = 0; r < rows; r++) {
        x[r] = G(near)(s->x, s->row[row + r]) + (deep ? channel : 0);
        GT_IN_REGISTER(x[r]);
    }
    GT_UNROLL
    for (int r = 0; r < rows; r++)
        sum[r][0] = sum[r][vectors - 1] = G(zero)();
    const number *b = (const number *)s->b + channel;
    const int64_t *column = s->column, *const end = column + s->columns;
    const int64_t step = deep || vectors > 1 ? s->step : LANES; /* registers are scarce */
    for (; column < end; column++, b += step) {
        const int64_t k = *column;
        const G(vec) b0 = deep ? G(load_whole)(b, mask) : G(load)(b);
        const G(vec) b1 = vectors > 1 ? G(load)(b + LANES) : b0;
        GT_UNROLL
        for (int r = 0; r < rows; r++) {
            const number *at = G(near)(x[r], k);
            const G(vec) v = deep ? G(load_whole)(at, mask) : G(broadcast)(at);
            sum[r][0] = G(fma)(v, b0, sum[r][0]);
            if (vectors > 1)
                sum[r][1] = G(fma)(v, b1, sum[r][1]);
        }
    }
#if !GT_MASKS
    if (last < LANES) {
        number sums[GT_MOST_ROWS * 2 * LANES];
        GT_UNROLL
        for (int r = 0; r < rows; r++)
            GT_UNROLL
        for (int v = 0; v < vectors; v++)
            G(store)(sums + (r * vectors + v) * LANES, sum[r][v]);
        G(store_last)(s, row, channel, rows, vectors, last, sums);
        return;
    }
#endif
    number *const y = (number *)s->y + channel;
    if (s->add) {
        GT_UNROLL
        for (int r = 0; r < rows; r++) {
            const number *at = G(near)(y, s->to[row + r]);
            if (vectors > 1)
                sum[r][0] = G(add)(G(load)(at), sum[r][0]);
            sum[r][vectors - 1] =
                G(add)(G(load_whole)(at + (vectors - 1) * LANES, mask), sum[r][vectors - 1]);
        }
    }
    if (s->bias) {
        const number *bias = (const number *)s->bias + channel;
        const G(vec) first = vectors > 1 ? G(load)(bias) : G(zero)();
        const G(vec) second = G(load_whole)(bias + (vectors - 1) * LANES, mask);
        GT_UNROLL
        for (int r = 0; r < rows; r++) {
            if (vectors > 1)
                sum[r][0] = G(add)(sum[r][0], first);
            sum[r][vectors - 1] = G(add)(sum[r][vectors - 1], second);
        }
    }
    if (s->relu) {
        GT_UNROLL
        for (int r = 0; r < rows; r++)
            GT_UNROLL
        for (int v = 0; v < vectors; v++)
            sum[r][v] = G(relu)(sum[r][v]);
    }
    GT_UNROLL
    for (int r = 0; r < rows; r++) {
        number *at = (number *)(void *)((char *)y + s->to[row + r]);
        if (vectors > 1)
            G(store)(at, sum[r][0]);
#if GT_MASKS
        G(store_part)(at + (vectors - 1) * LANES, sum[r][vectors - 1], last);
#else
        G(store)(at + (vectors - 1) * LANES, sum[r][vectors - 1]);
#endif
    }
}

static GT_NOINLINE void G(dense_2)(const gt_ConvStrip *s)
{
    for (int64_t row = 0; row < s->rows; row += GT_TALL)
        G(conv_tile)(s, row, 0, (int)s->width - LANES, GT_TALL, 2, false);
}
static GT_NOINLINE void G(dense_1)(const gt_ConvStrip *s)
{
    for (int64_t row = 0; row < s->rows; row += GT_TALL_1)
        G(conv_tile)(s, row, 0, (int)s->width, GT_TALL_1, 1, false);
}

void GT_KERNEL(G(conv_dense))(const gt_ConvStrip *s)
{
    if (s->width > LANES)
        G(dense_2)(s);
    else
        G(dense_1)(s);
}

#if !GT_MASKS
/* Channels that are less than a vector. */
static GT_NOINLINE void G(deep_rest)(const gt_ConvStrip *s, int64_t channel)
{
    for (; channel < s->width; channel++)
        for (int64_t row = 0; row < s->rows; row++) {
            number sum = 0, *y = G(place)(s, row) + channel;
            const number *x = G(near)(s->x, s->row[row]) + channel,
                         *b = (const number *)s->b + channel;
            for (int64_t k = 0; k < s->columns; k++, b += s->step)
                sum = GT_MULTIPLY_ADD(*G(near)(x, s->column[k]), *b, sum);
            sum = s->add ? *y + sum : sum;
            sum = s->bias ? sum + ((const number *)s->bias)[channel] : sum;
            *y = s->relu && sum <= 0 ? 0 : sum;
        }
}
#endif

void GT_KERNEL(G(conv_deep))(const gt_ConvStrip *s)
{
    int64_t channel = 0, left = s->width;
    for (; left > 0 && (GT_MASKS || left >= LANES); channel += LANES, left -= LANES)
        for (int64_t row = 0; row < s->rows; row += GT_DEEP)
            G(conv_tile)(s, row, channel, (int)(left < LANES ? left : LANES), GT_DEEP, 1, true);
#if !GT_MASKS
    G(deep_rest)(s, channel);
#endif
}
