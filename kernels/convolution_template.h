/* The register tiles of convolutions for one element type; convolution.c includes this once for
 * float32 and once for float64, with `number` the type and G(name) giving the name its suffix.
 * Leans on gemm_vector.h.
 *
 * Dense, a tile is GT_TALL rows by two vectors of channels or GT_TALL_1, or GT_NINE, rows by one: a number of x
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
    for (int v = 0; v < vectors && (s->add || s->bias || s->relu); v++) {
        const G(mask) mask = G(mask_of)(v + 1 < vectors ? LANES : last);
        const int64_t at = channel + v * LANES;
        const G(vec) bias = s->bias ? G(load_part)((const number *)s->bias + at, mask) : G(zero)();
        for (int r = 0; r < rows; r++) {
            number *one = sums + (r * vectors + v) * LANES;
            G(vec) x = G(load)(one);
            if (s->add)
                x = G(add)(G(load_part)(G(place)(s, row + r) + at, mask), x);
            if (s->bias)
                x = G(add)(x, bias);
            G(store)(one, s->relu ? G(relu)(x) : x);
        }
    }
    for (int r = 0; r < rows; r++, sums += vectors * LANES) {
        number *y = G(place)(s, row + r) + channel;
        for (int v = 0; v + 1 < vectors; v++)
            G(store)(y + v * LANES, G(load)(sums + v * LANES));
        G(store_part)(y + (vectors - 1) * LANES, G(load)(sums + (vectors - 1) * LANES), last);
    }
}
#endif

/* Of a strip, `rows` rows from `row` on by `vectors` vectors from `channel` on, `last` lanes of the last
 * one. `rows`, `vectors`, `deep` and `one`, there is one run, are constants where this is inlined. */
GT_INLINE void G(conv_tile)(const gt_ConvStrip *s, int64_t row, int64_t channel, const int last,
                            const int rows, const int vectors, const bool deep, const bool one)
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
    const int64_t step = deep || vectors > 1 ? s->step : LANES; /* registers are scarce */
    for (const gt_ConvRun *run = s->run, *const last_run = run + (one ? 1 : s->runs);
         run < last_run; run++) {
        const int64_t *column = s->column + run->first, *const end = column + run->count;
        const number *b = (const number *)s->b + channel + run->first * step;
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

#ifdef GT_CONV_NARROW
/* Sums of the upper line, of the lower line, or of both from column `begin` to `end`: one number of x times a vector of b, and
 * times the one `shift` columns before it. */
GT_INLINE void G(pair_columns)(const gt_ConvStrip *s, const number *const x[GT_PAIRED],
                               int64_t begin, int64_t end, const bool upper, const bool lower,
                               G(vec) sum[GT_PAIRED][2])
{
    const int64_t *column = s->column + begin, *const last = s->column + end;
    const number *b = (const number *)s->b + begin * LANES, *below = b - s->shift * LANES;
    GT_TWICE
    for (; column < last; column++, b += LANES, below += LANES) {
        const int64_t k = *column;
        const G(vec) b0 = upper ? G(load)(b) : G(zero)(), b1 = lower ? G(load)(below) : G(zero)();
        GT_UNROLL
        for (int r = 0; r < GT_PAIRED; r++) {
            const G(vec) v = G(broadcast)(G(near)(x[r], k));
            if (upper)
                sum[r][0] = G(fma)(v, b0, sum[r][0]);
            if (lower)
                sum[r][1] = G(fma)(v, b1, sum[r][1]);
        }
    }
}

void GT_KERNEL(conv_pair)(const gt_ConvStrip *s)
{
    const int width = (int)s->width;
    const int64_t begin = s->run->first, end = begin + s->run->count;
    const G(mask) mask = G(mask_of)(width);
    const G(vec) bias = s->bias ? G(load_part)(s->bias, mask) : G(zero)();
    for (int64_t row = 0; row < s->rows; row += GT_PAIRED) {
        G(vec) sum[GT_PAIRED][2];
        const number *x[GT_PAIRED];
        fetch_ahead(s, row, GT_PAIRED);
        GT_UNROLL
        for (int r = 0; r < GT_PAIRED; r++) {
            x[r] = G(near)(s->x, s->row[row + r]);
            GT_IN_REGISTER(x[r]);
            sum[r][0] = sum[r][1] = G(zero)();
        }
        G(pair_columns)(s, x, begin, s->shift, true, false, sum);
        G(pair_columns)(s, x, s->shift, s->columns, true, true, sum);
        G(pair_columns)(s, x, s->columns, end, false, true, sum);
        GT_UNROLL
        for (int r = 0; r < GT_PAIRED; r++) {
            number *y = G(place)(s, row + r), *const lower = y + s->below / (int64_t)sizeof *y;
            for (int line = 0; line < 2; line++, y = lower) {
                G(vec) one = sum[r][line];
                one = s->bias ? G(add)(one, bias) : one;
                G(store_part)(y, s->relu ? G(relu)(one) : one, width);
            }
        }
    }
}

/* Of three vectors of x from number `at` of a row on, for GT_TURNED channels from `first` on: a vector of x times a number of b. */
GT_INLINE void G(turned_tile)(const gt_ConvStrip *s, int64_t row, int64_t at, int first)
{
    const int64_t each = s->ahead_bytes * GT_TURNED / LANES;
    const char *ahead = s->ahead + s->columns * each * first / GT_TURNED;
    G(vec) sum[GT_TURNED][3];
    G(mask) mask[3];
    int lanes[3];
    const number *x = G(near)(s->x, s->row[row]) + at, *b = (const number *)s->b + first;
    GT_UNROLL
    for (int v = 0; v < 3; v++) {
        const int64_t left = s->width - at - v * LANES;
        lanes[v] = left < 0 ? 0 : left < LANES ? (int)left : LANES;
        mask[v] = G(mask_of)(lanes[v]);
        GT_UNROLL
        for (int f = 0; f < GT_TURNED; f++)
            sum[f][v] = G(zero)();
    }
    for (const gt_ConvRun *run = s->run, *const last_run = run + s->runs; run < last_run; run++) {
        const int64_t *column = s->column + run->first, *const end = column + run->count;
        const number *u = b + run->first * s->step;
        for (; column < end; column++, u += s->step) {
            GT_FETCH(ahead);
            ahead += each;
            const number *from = G(near)(x, *column);
            const G(vec) x0 = G(load_part)(from, mask[0]), x1 = G(load_part)(from + LANES, mask[1]);
            const G(vec) x2 = G(load_part)(from + 2 * LANES, mask[2]);
            GT_UNROLL
            for (int f = 0; f < GT_TURNED; f++) {
                const G(vec) v = G(broadcast)(u + f);
                sum[f][0] = G(fma)(x0, v, sum[f][0]);
                sum[f][1] = G(fma)(x1, v, sum[f][1]);
                sum[f][2] = G(fma)(x2, v, sum[f][2]);
            }
        }
    }
    GT_UNROLL
    for (int f = 0; f < GT_TURNED; f++) {
        number *y = G(place)(s, row) + at + (first + f) * (s->below / (int64_t)sizeof *y);
        GT_UNROLL
        for (int v = 0; v < 3; v++, y += LANES)
            G(store_part)
        (y, s->add ? G(add)(G(load_part)(y, mask[v]), sum[f][v]) : sum[f][v], lanes[v]);
    }
}

void GT_KERNEL(conv_turned)(const gt_ConvStrip *s)
{
    for (int64_t row = 0; row < s->rows; row++)
        for (int64_t at = 0; at < s->width; at += 3 * LANES)
            for (int first = 0; first < LANES; first += GT_TURNED)
                G(turned_tile)(s, row, at, first);
}
#endif

static GT_NOINLINE void G(dense_2)(const gt_ConvStrip *s)
{
    for (int64_t row = 0; row < s->rows; row += GT_TALL) {
        fetch_ahead(s, row, GT_TALL);
#ifdef GT_CONV_NARROW /* most strips; the registers of a loop around the loop are missing in it */
        if (s->runs == 1) {
            G(conv_tile)(s, row, 0, (int)s->width - LANES, GT_TALL, 2, false, true);
            continue;
        }
#endif
        G(conv_tile)(s, row, 0, (int)s->width - LANES, GT_TALL, 2, false, false);
    }
}
#ifdef GT_CONV_NARROW
static GT_NOINLINE void G(dense_9)(const gt_ConvStrip *s)
{
    for (int64_t row = 0; row < s->rows; row += GT_NINE)
        G(conv_tile)(s, row, 0, (int)s->width, GT_NINE, 1, false, false);
}
#endif
static GT_NOINLINE void G(dense_1)(const gt_ConvStrip *s)
{
    for (int64_t row = 0; row < s->rows; row += GT_TALL_1)
        G(conv_tile)(s, row, 0, (int)s->width, GT_TALL_1, 1, false, false);
}

void GT_KERNEL(G(conv_dense))(const gt_ConvStrip *s)
{
    if (s->width > LANES)
        G(dense_2)(s);
#ifdef GT_CONV_NARROW
    else if (s->rows % GT_NINE == 0)
        G(dense_9)(s);
#endif
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
            G(conv_tile)
            (s, row, channel, (int)(left < LANES ? left : LANES), GT_DEEP, 1, true, true);
#if !GT_MASKS
    G(deep_rest)(s, channel);
#endif
}
