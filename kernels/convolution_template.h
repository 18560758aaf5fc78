/* The register tiles of convolutions for one element type; convolution.c includes this once for float32 and once for float64,
 * with `number` the type and G(name) giving the name its suffix. Leans on gemm_vector.h.
 *
 * Dense, a tile is GT_TALL rows by two vectors of channels or GT_TALL_1 rows by one: a number of x times a vector of b.
 * Depthwise it is GT_DEEP rows by two vectors or one: a vector of x times a vector of b. The lists of rows go on beyond the
 * last row with copies of it, so that every tile is whole: a copy stores the same numbers once more. */

/* Numbers `at` bytes from x. */
GT_INLINE const number *G(near)(const void *x, int64_t at)
{
    return (const number *)(const void *)((const char *)x + at);
}
GT_INLINE number *G(place)(const gt_ConvStrip *s, int64_t row)
{
    return (number *)(void *)((char *)s->y + s->to[row]);
}

/* Sums whose last vector sticks out of the row: once for all tiles, for such a tile is the last of its row. */
static GT_NOINLINE void G(store_last)(const gt_ConvStrip *s, int64_t row, int64_t channel, int rows,
                                      int vectors, int last, const number *sums)
{
    for (int r = 0; r < rows; r++, sums += vectors * LANES) {
        number *y = G(place)(s, row + r) + channel;
        if (vectors > 1)
            G(store)(y, G(load)(sums));
        G(store_part)(y + (vectors - 1) * LANES, G(load)(sums + (vectors - 1) * LANES), last);
    }
}

/* Of a strip, `rows` rows from `row` on by `vectors` vectors from `channel` on, `last` lanes of the last one. `rows`,
 * `vectors` and `deep` are constants where this is inlined; a deep tile of two vectors is whole. */
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
        const G(vec) b0 = deep && vectors == 1 ? G(load_part)(b, mask) : G(load)(b);
        const G(vec) b1 = vectors > 1 ? G(load)(b + LANES) : b0;
        GT_UNROLL
        for (int r = 0; r < rows; r++) {
            const number *at = G(near)(x[r], k);
            const G(vec) v = !deep         ? G(broadcast)(at)
                             : vectors > 1 ? G(load)(at)
                                           : G(load_part)(at, mask);
            sum[r][0] = G(fma)(v, b0, sum[r][0]);
            if (vectors > 1)
                sum[r][1] = G(fma)(deep ? G(load)(at + LANES) : v, b1, sum[r][1]);
        }
    }
    if (s->add) {
        GT_UNROLL
        for (int r = 0; r < rows; r++) {
            const number *y = G(place)(s, row + r) + channel;
            if (vectors > 1)
                sum[r][0] = G(add)(G(load)(y), sum[r][0]);
            sum[r][vectors - 1] =
                G(add)(G(load_part)(y + (vectors - 1) * LANES, mask), sum[r][vectors - 1]);
        }
    }
    if (last == LANES) {
        GT_UNROLL
        for (int r = 0; r < rows; r++) {
            number *y = G(place)(s, row + r) + channel;
            G(store)(y, sum[r][0]);
            if (vectors > 1)
                G(store)(y + LANES, sum[r][1]);
        }
    } else {
        number sums[GT_MOST_ROWS * 2 * LANES];
        GT_UNROLL
        for (int r = 0; r < rows; r++)
            GT_UNROLL
        for (int v = 0; v < vectors; v++)
            G(store)(sums + (r * vectors + v) * LANES, sum[r][v]);
        G(store_last)(s, row, channel, rows, vectors, last, sums);
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

void GT_KERNEL(G(conv_deep))(const gt_ConvStrip *s)
{
    int64_t channel = 0;
    for (; channel + 2 * LANES <= s->width; channel += 2 * LANES)
        for (int64_t row = 0; row < s->rows; row += GT_DEEP)
            G(conv_tile)(s, row, channel, LANES, GT_DEEP, 2, true);
    for (; channel < s->width; channel += LANES) {
        const int64_t left = s->width - channel;
        for (int64_t row = 0; row < s->rows; row += GT_DEEP)
            G(conv_tile)(s, row, channel, (int)(left < LANES ? left : LANES), GT_DEEP, 1, true);
    }
}
