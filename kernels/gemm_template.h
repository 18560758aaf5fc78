/* The matrix product for one element type; gemm.c includes this once for float32 and once for
 * float64, with `number` the type and G(name) giving the name its suffix. Leans on gemm_vector.h.
 *
 * Everything is written for strides: element (i, p) of A lies at a[i * row + p * step]. B is either
 * "straight" (p, j at b[p * ldb + j]) or "turned" (at b[j * ldb + p]). An operand that is stored
 * in 16 bits a number is widened where it is copied anyway, or just before it is read, a block that
 * fits a cache at a time.
 *
 * k is cut into blocks of at most GT_DEPTH, C's columns into panels of two vectors, C's rows into tiles of at most
 * GT_GEMM_ROWS. A tile's sums live in registers for a whole block. Operands are read where they lie as long as that is good
 * for the caches; else a group of panels of B (all of a block of k, where several blocks of rows need them), or a block of A,
 * is copied to scratch first, in the order in which the tiles read it. The scheme is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), with
 * less copying.
 *
 * Why the bits are the same however m and n are cut: each number of C has one accumulator a block,
 * starting at 0 and taking fma(a, b, sum) for ascending p; blocks are added to C in order; and the
 * length of the blocks depends on k alone. Lanes never meet. */

typedef struct G(Matrix) {
    const number *at;
    int64_t row, step;
} G(Matrix);

/* An operand as the caller stores it: of numbers, or (GT_WIDENS) of 16 bits each, which become
 * numbers a piece at a time. The row or the step is 1. */
typedef struct G(Operand) {
    const void *at;
    int64_t row, step;
    int half; /* a gt_HalfType; -1: numbers */
} G(Operand);

GT_INLINE G(Operand) G(operand_at)(G(Operand) a, int64_t i, int64_t p)
{
    const size_t size = GT_WIDENS && a.half >= 0 ? sizeof(uint16_t) : sizeof(number);
    a.at = (const char *)a.at + (i * a.row + p * a.step) * (int64_t)size;
    return a;
}

GT_INLINE G(Operand) G(turned)(G(Operand) a)
{
    return (G(Operand)){a.at, a.step, a.row, a.half};
}

#if GT_WIDENS
static GT_NOINLINE G(Matrix) G(widened)(G(Operand) a, int64_t rows, int64_t steps, number *strip)
{
    if (a.step == 1) {
        gt_widen[a.half](rows, steps, a.at, a.row, strip, steps);
        return (G(Matrix)){strip, steps, 1};
    }
    gt_widen[a.half](steps, rows, a.at, a.step, strip, rows);
    return (G(Matrix)){strip, 1, rows};
}
#endif

/* The first `rows` x `steps` of an operand, as numbers: where they lie, or made in `strip`. */
GT_INLINE G(Matrix) G(numbers)(G(Operand) a, int64_t rows, int64_t steps, number *strip)
{
#if GT_WIDENS
    if (a.half >= 0)
        return G(widened)(a, rows, steps, strip);
#else
    (void)rows;
    (void)steps;
    (void)strip;
#endif
    return (G(Matrix)){a.at, a.row, a.step};
}

/* How the scratch is shared out, in numbers, and the size of a block of C. Depends on the shape alone. No part of it grows
 * where m, n or k shrinks: whoever cuts C into pieces has scratch for the whole. The last two are for operands that are widened. */
typedef struct G(Layout) {
    int64_t panel, packed, aside, left, strip;
    int64_t rows, columns;
    bool whole; /* all columns of B are laid out for all blocks of rows */
} G(Layout);

typedef struct G(Space) {
    number *dense, *packed; /* panels of B, a block of A */
    number *aside;          /* C turned, when A and B changed places */
    number *left, *strip;
} G(Space);

/* Blocks of k as long as one another, but for the last: a short one would pay for the visit to C
 * with few products. */
GT_INLINE int64_t G(block_depth)(int64_t k)
{
    if (k <= GT_DEPTH)
        return k;
    const int64_t blocks = (k + GT_DEPTH - 1) / GT_DEPTH;
    return (k + blocks - 1) / blocks;
}

static int64_t G(least)(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static GT_SELDOM G(Layout) G(layout)(bool swapped, int64_t m, int64_t n, int64_t k)
{
    G(Layout) lay = {.rows = m, .columns = G(least)(gt_round_up(n, LANES), GT_COLUMNS)};
    const int64_t depth = G(block_depth)(k), deepest = G(least)(k, GT_DEPTH),
                  group = GT_GROUP * LANES;
    const int64_t all = m * deepest, most = GT_BLOCK + GT_GEMM_ROWS * deepest;
    const int64_t held = G(least)(all, most);
    lay.whole = !swapped && m > GT_BLOCK / GT_DEPTH;
    lay.panel = gt_round_up((lay.whole ? lay.columns : G(least)(lay.columns, group)) * deepest, 64);
    lay.packed = gt_round_up((held > lay.columns ? held : lay.columns) + LANES, 64);
    lay.aside =
        swapped ? gt_round_up(G(least)(m * lay.columns, GT_ASIDE + GT_TALL * group), 64) : 0;
    lay.left = gt_round_up(held, 64);
    lay.strip = 2 * LANES * GT_STRIP;
    if (m > GT_BLOCK / depth) {
        /* as many rows of A as a second-level cache may hold, in blocks of equal height */
        const int64_t blocks = (m * depth + GT_BLOCK - 1) / GT_BLOCK;
        lay.rows = gt_round_up((m + blocks - 1) / blocks, GT_GEMM_ROWS);
    }
    if (swapped) {
        lay.rows = G(least)(lay.rows, GT_TALL);
        lay.columns = G(least)(lay.columns, gt_round_up(GT_ASIDE / lay.rows, group));
    }
    return lay;
}

/* A piece of B up to four vectors wide: where its numbers lie, line after line of k, ld apart. */
typedef struct G(Panel) {
    const number *at;
    int64_t ld;
    int last; /* lanes of the last vector that are inside C */
    /* What to ask for meanwhile, lest it come late: after every GT_STRIDE lines so many lines of A, `row` apart, the next ones
     * `step` on; they begin `skip` numbers behind the tile's own, or, if that is 0, behind its rows. */
    int lines;
    int64_t row, step, skip;
    const number *ahead;
} G(Panel);

#if !GT_MASKS
/* The sums of a tile whose last vector sticks out of C: once for all tiles, for such a tile is the
 * last of its row. */
static GT_NOINLINE void G(store_edge)(int rows, int vectors, const number *sums, int last,
                                      number *c, int64_t ldc, const number *plus, int64_t ld_plus)
{
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++, sums += LANES) {
            const int count = v == vectors - 1 ? last : LANES;
            G(vec) x = G(load)(sums);
            if (plus)
                x = G(add)(G(load_part)(plus + r * ld_plus + v * LANES, G(mask_of)(count)), x);
            G(store_part)(c + r * ldc + v * LANES, x, count);
        }
}
#endif

/* One register tile over one block of k: C = plus + the sums, or the sums where plus is NULL. `rows` and `vectors` are
 * constants where this is inlined. A pointer for every three
 * rows: x86 can address base, base + row and base + 2 row. */
GT_INLINE void G(tile)(const int rows, const int vectors, int64_t depth, const number *a,
                       int64_t row, int64_t step, const G(Panel) * panel, number *c, int64_t ldc,
                       const number *plus, int64_t ld_plus)
{
    G(vec) sum[GT_GEMM_ROWS][4];
    const number *group[(GT_GEMM_ROWS + 2) / 3];
    GT_UNROLL
    for (int g = 0; g < (rows + 2) / 3; g++)
        group[g] = a + 3 * g * row;
    GT_UNROLL
    for (int r = 0; r < rows; r++)
        GT_UNROLL
    for (int v = 0; v < vectors; v++)
        sum[r][v] = G(zero)();

    const number *from = panel->at, *ahead = panel->ahead;
    const int64_t ld = panel->ld;
    const int last = panel->last;
    const G(mask) mask = G(mask_of)(last);
    while (depth > 0) {
        int64_t some = depth;
        if (__builtin_expect(panel->lines > 0, 0)) {
            for (int q = 0; q < panel->lines; q++)
                __builtin_prefetch(ahead + q * panel->row, 0, 2);
            ahead += panel->step;
            some = depth < GT_STRIDE ? depth : GT_STRIDE;
        }
        depth -= some;
        do {
            G(vec) b[4];
            GT_UNROLL
            for (int v = 0; v < vectors; v++)
                b[v] = GT_MASKS && v == vectors - 1 ? G(load_part)(from + v * LANES, mask)
                                                    : G(load)(from + v * LANES);
            from += ld;
            GT_UNROLL
            for (int r = 0; r < rows; r++) {
                G(vec) x = G(broadcast)(group[r / 3] + (r % 3) * row);
                GT_UNROLL
                for (int v = 0; v < vectors; v++)
                    sum[r][v] = G(fma)(x, b[v], sum[r][v]);
            }
            GT_UNROLL
            for (int g = 0; g < (rows + 2) / 3; g++)
                group[g] += step;
        } while (--some > 0);
    }

#if GT_MASKS
    if (plus) {
        GT_UNROLL
        for (int r = 0; r < rows; r++, plus += ld_plus)
            GT_UNROLL
        for (int v = 0; v < vectors; v++)
            sum[r][v] = G(add)(v == vectors - 1 ? G(load_part)(plus + v * LANES, mask)
                                                : G(load)(plus + v * LANES),
                               sum[r][v]);
    }
    GT_UNROLL
    for (int r = 0; r < rows; r++, c += ldc)
        GT_UNROLL
    for (int v = 0; v < vectors; v++)
        if (v == vectors - 1)
            G(store_part)(c + v * LANES, sum[r][v], last);
        else
            G(store)(c + v * LANES, sum[r][v]);
#else
    number edge[GT_GEMM_ROWS * 2 * LANES];
    const bool whole = last == LANES;
    number *to = whole ? c : edge;
    const int64_t ld_to = whole ? ldc : vectors * LANES;
    if (plus && whole) {
        const number *at = plus;
        GT_UNROLL
        for (int r = 0; r < rows; r++, at += ld_plus)
            GT_UNROLL
        for (int v = 0; v < vectors; v++)
            sum[r][v] = G(add)(G(load)(at + v * LANES), sum[r][v]);
    }
    GT_UNROLL
    for (int r = 0; r < rows; r++, to += ld_to)
        GT_UNROLL
    for (int v = 0; v < vectors; v++)
        G(store)(to + v * LANES, sum[r][v]);
    if (!whole)
        G(store_edge)(rows, vectors, edge, last, c, ldc, plus, ld_plus);
#endif
}

typedef void G(Tile)(int64_t depth, const number *a, int64_t row, int64_t step,
                     const G(Panel) * panel, number *c, int64_t ldc, const number *plus,
                     int64_t ld_plus);

#define GT_TILE(rows, vectors)                                                                     \
    static void G(tile_##rows##_##vectors)(int64_t depth, const number *a, int64_t row,            \
                                           int64_t step, const G(Panel) * panel, number * c,       \
                                           int64_t ldc, const number *plus, int64_t ld_plus)       \
    {                                                                                              \
        G(tile)(rows, vectors, depth, a, row, step, panel, c, ldc, plus, ld_plus);                 \
    }
#define GT_TILES(rows) GT_TILE(rows, 1) GT_TILE(rows, 2)
GT_EACH_ROWS(GT_TILES)
GT_TILE(2, 4)
#if GT_FLAT == 3
GT_TILE(3, 4)
#endif
#undef GT_TILES
#undef GT_TILE

/* By the width, one, two or four vectors, and the height. Few rows need more vectors, lest each sum wait for its last. */
#define GT_TILE_1(rows) [rows - 1] = G(tile_##rows##_1),
#define GT_TILE_2(rows) [rows - 1] = G(tile_##rows##_2),
static G(Tile) *const G(tiles)[3][GT_GEMM_ROWS] = {
    {GT_EACH_ROWS(GT_TILE_1)},
    {GT_EACH_ROWS(GT_TILE_2)},
#if GT_FLAT == 3
    {NULL, G(tile_2_4), G(tile_3_4)},
#else
    {NULL, G(tile_2_4)},
#endif
};
#undef GT_TILE_1
#undef GT_TILE_2

/* Turns LANES x LANES numbers. Not inlined: a compiler that sees the loop around it keeps a pointer for each line. */
static GT_NOINLINE void G(turn_square)(const number *from, int64_t ld, number *to, int64_t ld_to)
{
    G(vec) x[LANES];
    GT_UNROLL
    for (int i = 0; i < LANES; i++, from += ld)
        x[i] = G(load)(from);
    G(transpose)(x);
    GT_UNROLL
    for (int q = 0; q < LANES; q++, to += ld_to)
        G(store)(to, x[q]);
}

/* x[i] = row i of a square of at most LANES x LANES numbers turned: x[j] then holds column j. */
GT_INLINE void G(load_turned)(G(vec) x[LANES], const number *from, int64_t ld, int64_t rows,
                              int64_t columns)
{
    if (rows >= LANES && columns >= LANES) {
        GT_UNROLL
        for (int i = 0; i < LANES; i++)
            x[i] = G(load)(from + i * ld);
    } else {
        const G(mask) mask = G(mask_of)((int)(columns < LANES ? columns : LANES));
        GT_UNROLL
        for (int i = 0; i < LANES; i++)
            x[i] = i < rows ? G(load_part)(from + i * ld, mask) : G(zero)();
    }
    G(transpose)(x);
}

/* The same of fewer rows or columns. Of each line `count` numbers are written. */
static GT_NOINLINE void G(turn_edge)(int64_t rows, int64_t columns, const number *from, int64_t ld,
                                     number *to, int64_t ld_to, int count)
{
    G(vec) x[LANES];
    G(load_turned)(x, from, ld, rows, columns);
    GT_UNROLL
    for (int q = 0; q < LANES; q++, to += ld_to) {
        if (q == columns)
            return;
        if (count == LANES)
            G(store)(to, x[q]);
        else
            G(store_part)(to, x[q], count);
    }
}

GT_NOINLINE void GT_KERNEL(G(turn))(int64_t rows, int64_t columns, const number *from, int64_t ld,
                                    number *to, int64_t ld_to, bool padded)
{
    for (int64_t i = 0; i < rows; i += LANES) {
        const int64_t high = rows - i < LANES ? rows - i : LANES;
        for (int64_t j = 0; j < columns; j += LANES) {
            const int64_t wide = columns - j < LANES ? columns - j : LANES;
            const number *at = from + i * ld + j;
            number *put = to + j * ld_to + i;
            if (wide == LANES && high == LANES)
                G(turn_square)(at, ld, put, ld_to);
            else
                G(turn_edge)(high, wide, at, ld, put, ld_to, padded ? LANES : (int)high);
        }
    }
}

#if GT_ROWS
/* LANES numbers of a row that is stored as `half` says, from number i on; the first `count`. */
GT_INLINE G(vec) G(load_stored)(const void *row, int64_t i, const int half)
{
#if GT_WIDENS
    if (half >= 0)
        return G(load_half)((const uint16_t *)row + i, half);
#endif
    (void)half;
    return G(load)((const number *)row + i);
}

#if GT_WIDENS
static GT_NOINLINE G(vec) G(load_half_part)(const uint16_t *from, int count, int half)
{
    uint16_t part[LANES] = {0};
    memcpy(part, from, (size_t)count * sizeof *part);
    return half == GT_HALF_F16 ? G(load_half)(part, GT_HALF_F16) : G(load_half)(part, GT_HALF_BF16);
}
#endif

GT_INLINE G(vec) G(load_stored_part)(const void *row, int64_t i, int count, const int half)
{
#if GT_WIDENS
    if (half >= 0)
        return G(load_half_part)((const uint16_t *)row + i, count, half);
#endif
    (void)half;
    return G(load_part)((const number *)row + i, G(mask_of)(count));
}

/* One row of C, B straight: the running sums stay in the first-level cache while B streams past,
 * eight lines at a time. `half` is -1 as a constant, or one of the two kinds: memory takes longer than to ask. */
GT_INLINE void G(row_straight_of)(int64_t n, int64_t k, G(Operand) row, G(Operand) b, number *c,
                                  const G(Space) * space, const int half)
{
    const int64_t depth = G(block_depth)(k), whole = n - n % LANES;
    const int rest = (int)(n - whole);
    number *const sums = space->packed;
    for (int64_t from = 0; from < k; from += depth) {
        const int64_t to = k - from < depth ? k : from + depth;
        const G(Matrix) a = G(numbers)(G(operand_at)(row, 0, from), 1, to - from, space->left);
        for (int64_t p = from, some; p < to; p += some) {
            G(vec) x[8];
            const void *at[8];
            some = to - p < 8 ? 1 : 8;
            for (int q = 0; q < some; q++) {
                x[q] = G(broadcast)(a.at + (p - from + q) * a.step);
                at[q] = G(operand_at)(b, p + q, 0).at;
            }
            for (int64_t j = 0; j < whole; j += LANES) {
                G(vec) sum = p == from ? G(zero)() : G(load)(sums + j);
                if (some == 8) {
                    GT_UNROLL
                    for (int q = 0; q < 8; q++)
                        sum = G(fma)(x[q], G(load_stored)(at[q], j, half), sum);
                } else {
                    sum = G(fma)(x[0], G(load_stored)(at[0], j, half), sum);
                }
                G(store)(sums + j, sum);
            }
            if (rest > 0) {
                G(vec) sum = p == from ? G(zero)() : G(load)(sums + whole);
                for (int q = 0; q < some; q++)
                    sum = G(fma)(x[q], G(load_stored_part)(at[q], whole, rest, half), sum);
                G(store)(sums + whole, sum);
            }
        }
        for (int64_t j = 0; j < n; j += LANES) {
            const int count = n - j < LANES ? (int)(n - j) : LANES;
            G(vec) sum = G(load)(sums + j);
            if (from > 0)
                sum = G(add)(G(load_part)(c + j, G(mask_of)(count)), sum);
            G(store_part)(c + j, sum, count);
        }
    }
}

static GT_NOINLINE void G(row_straight)(int64_t n, int64_t k, G(Operand) row, G(Operand) b,
                                        number *c, const G(Space) * space)
{
    if (!GT_WIDENS || b.half < 0)
        G(row_straight_of)(n, k, row, b, c, space, -1);
    else
        G(row_straight_of)(n, k, row, b, c, space, b.half);
}

/* One row of C, B turned: squares of B are turned in registers, so that lanes are columns of C. */
static GT_NOINLINE void G(row_turned)(int64_t n, int64_t k, G(Operand) row, G(Operand) b, number *c,
                                      const G(Space) * space)
{
    const int64_t depth = G(block_depth)(k);
    for (int64_t j = 0; j < n; j += 2 * LANES) {
        const int64_t left = n - j < LANES ? n - j : LANES;
        const int64_t right = n - j < 2 * LANES ? n - j - left : LANES;
        for (int64_t from = 0; from < k; from += depth) {
            const int64_t all = k - from < depth ? k - from : depth;
            const G(Matrix) a = G(numbers)(G(operand_at)(row, 0, from), 1, all, space->left);
            const int64_t most = GT_WIDENS && b.half >= 0 ? GT_STRIP : all;
            G(Matrix) rows = {0};
            G(vec) sum[2] = {G(zero)(), G(zero)()};
            for (int64_t p = 0; p < all; p += LANES) {
                const int64_t deep = all - p < LANES ? all - p : LANES;
                if (p % most == 0)
                    rows = G(numbers)(G(operand_at)(b, j, from + p), left + right,
                                      all - p < most ? all - p : most, space->strip);
                const number *at = rows.at + p % most;
                G(vec) x[LANES], y[LANES];
                G(load_turned)(x, at, rows.row, left, deep);
                if (right > 0)
                    G(load_turned)(y, at + LANES * rows.row, rows.row, right, deep);
                else
                    for (int q = 0; q < LANES; q++)
                        y[q] = G(zero)();
                /* Beyond the end x and y are 0, and a sum with -0 times 0 is what it was, -0 too. */
                number rest[LANES];
                const number *with = a.at + p * a.step;
                int64_t step = a.step;
                if (deep < LANES) {
                    for (int q = 0; q < LANES; q++)
                        rest[q] = q < deep ? with[q * step] : -(number)0;
                    with = rest;
                    step = 1;
                }
                GT_UNROLL
                for (int q = 0; q < LANES; q++) {
                    const G(vec) s = G(broadcast)(with + q * step);
                    sum[0] = G(fma)(s, x[q], sum[0]);
                    sum[1] = G(fma)(s, y[q], sum[1]);
                }
            }
            if (from > 0) {
                sum[0] = G(add)(G(load_part)(c + j, G(mask_of)((int)left)), sum[0]);
                if (right > 0)
                    sum[1] = G(add)(G(load_part)(c + j + LANES, G(mask_of)((int)right)), sum[1]);
            }
            G(store_part)(c + j, sum[0], (int)left);
            if (right > 0)
                G(store_part)(c + j + LANES, sum[1], (int)right);
        }
    }
}

#endif

/* turn with padding, from B as it is stored. */
static GT_NOINLINE void G(turn_operand)(int64_t rows, int64_t columns, G(Operand) b, number *to,
                                        int64_t ld_to, number *strip)
{
    const int64_t most = GT_WIDENS && b.half >= 0 ? GT_STRIP : columns;
    for (int64_t p = 0; p < columns; p += most) {
        const int64_t some = columns - p < most ? columns - p : most;
        const G(Matrix) from = G(numbers)(G(operand_at)(b, 0, p), rows, some, strip);
        GT_KERNEL(G(turn))(rows, some, from.at, from.row, to + p * ld_to, ld_to, true);
    }
}

/* Copies `rows` rows of A, `depth` deep, tile after tile, to where a tile's numbers lie together.
 */
static GT_NOINLINE void G(pack_tiles)(int64_t rows, int64_t depth, G(Matrix) a, number *to)
{
    const gt_Cut cut = gt_cut(rows);
    if (a.step == 1) {
        for (int64_t t = 0; t < cut.tiles; t++) {
            const int64_t high = gt_height(&cut, t);
            GT_KERNEL(G(turn))(high, depth, a.at, a.row, to, high, high <= LANES);
            a.at += high * a.row;
            to += high * depth;
        }
        return;
    }
    /* Eight lines of A at a time: they are read along, and stay in the cache from tile to tile. */
    for (int64_t from = 0; from < depth; from += 8) {
        const int64_t end = depth - from < 8 ? depth : from + 8;
        int64_t i = 0;
        for (int64_t t = 0; t < cut.tiles; t++) {
            const int64_t high = gt_height(&cut, t);
            const int64_t rest = (high - 1) % LANES + 1, whole = high - rest;
            const G(mask) mask = G(mask_of)((int)rest);
            for (int64_t p = from; p < end; p++) {
                const number *at = a.at + p * a.step + i;
                number *put = to + i * depth + p * high;
                if (p + 16 < depth)
                    __builtin_prefetch(at + 16 * a.step, 0, 2);
                for (int64_t r = 0; r < whole; r += LANES)
                    G(store)(put + r, G(load)(at + r));
                /* A whole vector where fewer belong, as long as all of it is within the tile: what comes later overwrites the rest. */
                const G(vec) x = G(load_part)(at + whole, mask);
                if ((depth - 1 - p) * high >= LANES - rest)
                    G(store)(put + whole, x);
                else
                    G(store_part)(put + whole, x, (int)rest);
            }
            i += high;
        }
    }
}

/* `columns` columns of B, straight, as panels beside each other, at most two vectors wide: eight lines at a time, so that all
 * of a line is read while it is in the cache. */
static GT_NOINLINE void G(pack_panels)(int64_t deep, int64_t columns, const number *from,
                                       int64_t ld, number *to)
{
    for (int64_t p = 0; p < deep; p += 8) {
        const int64_t end = deep - p < 8 ? deep : p + 8;
        for (int64_t j = 0; j < columns; j += 2 * LANES) {
            const int vectors = columns - j > LANES ? 2 : 1;
            const int64_t wide = columns - j < vectors * LANES ? columns - j : vectors * LANES;
            const G(mask) mask = G(mask_of)((int)(wide - (vectors - 1) * LANES));
            number *put = to + j * deep + p * vectors * LANES;
            for (int64_t q = p; q < end; q++, put += vectors * LANES) {
                const number *at = from + q * ld + j;
                if (q + 2 * 8 < deep)
                    __builtin_prefetch(at + 2 * 8 * ld, 0, 2);
                if (vectors == 2) {
                    G(store)(put, G(load)(at));
                    at += LANES;
                }
                G(store)(put + (vectors - 1) * LANES, G(load_part)(at, mask));
            }
        }
    }
}

/* A panel's copy, `wide` columns of B from where `b` begins. */
static GT_NOINLINE void G(fill)(int64_t deep, int64_t wide, int vectors, G(Operand) b, bool turned,
                                number *to, const G(Space) * space)
{
    if (turned)
        G(turn_operand)(wide, deep, b, to, vectors * LANES, space->strip);
#if GT_WIDENS
    else if (b.half >= 0)
        gt_widen[b.half](deep, wide, b.at, b.row, to, vectors * LANES);
#endif
    else
        G(pack_panels)(deep, wide, b.at, b.row, to);
}

/* C's rows in one panel: all its tiles from top to bottom, over `deep` of k. `packed` says that `a` lies tile after tile.
 * `next` is where a panel of B begins that comes later, its lines ld apart, or NULL: each tile asks for its share of it. */
static GT_NOINLINE void G(panel_down)(gt_Cut cut, int64_t deep, G(Matrix) a, bool packed, int width,
                                      G(Panel) panel, const number *next, int64_t ld, number *c,
                                      int64_t ldc, const number *plus, int64_t ld_plus)
{
    G(Tile) *const *const tiles = G(tiles)[width];
    for (int64_t t = 0; t < cut.tiles; t++) {
        const int64_t high = gt_height(&cut, t);
        for (int64_t p = t * deep / cut.tiles; next && p < (t + 1) * deep / cut.tiles; p++) {
            __builtin_prefetch(next + p * ld, 0, 2);
            __builtin_prefetch(next + p * ld + 2 * LANES - 1, 0, 2);
        }
        for (int64_t r = 0; r < high && plus == c; r++) {
            __builtin_prefetch(c + r * ldc, 1, 3);
            __builtin_prefetch(c + r * ldc + 2 * LANES - 1, 1, 3);
        }
        if (panel.lines > 0)
            panel.ahead = a.at + (panel.skip ? panel.skip : high * a.row);
        if (panel.skip == 0 && t == cut.tiles - 1)
            panel.lines = 0; /* no more rows */
        tiles[high - 1](deep, a.at, packed ? 1 : a.row, packed ? high : a.step, &panel, c, ldc,
                        plus, ld_plus);
        a.at += high * (packed ? deep : a.row);
        c += high * ldc;
        plus = plus ? plus + high * ld_plus : NULL;
    }
}

/* B that gemm_pack has laid out. */
typedef struct G(Given) {
    const number *at;
    int64_t padded, column; /* its columns; that at which a block of C begins */
    const number *bias;     /* of these; added to the sums, if there is one block of k; or NULL */
} G(Given);

/* Is B better read where it lies? Its lines are `stride` bytes apart: those whose distance is a power of two, or a few times
 * one, share so few places of the first-level cache that a panel does not stay there. That costs less than a copy while few
 * tiles read it. */
static bool G(stays)(int64_t tiles, int64_t depth, G(Operand) b)
{
    const int64_t stride = b.row * (int64_t)sizeof(number), power = stride & -stride;
    return b.half < 0 && (tiles <= (power < 4096 ? GT_FEW : GT_FEW_PAGES) ||
                          depth * (power < 4096 ? power : 4096) <= 8 * 4096);
}

/* Where to read B, and how. */
typedef struct G(Source) {
    G(Operand) b;
    bool turned;
    bool stays;  /* read where it lies */
    bool groups; /* or copied by groups of panels; else a panel is made when it is needed */
    const G(Given) * given; /* or all are there; else NULL */
    const G(Space) * space;
} G(Source);

/* The panel of `wide` columns from (p, j) on. A group is copied when its first panel is asked for. */
static G(Panel)
    G(panel_at)(const G(Source) * from, int64_t p, int64_t j, int64_t deep, int64_t n, int width)
{
    const int64_t room = LANES << width, wide = G(least)(n - j, room), group = GT_GROUP * LANES;
    const bool turned = from->turned;
    G(Panel) panel = {.at = from->space->dense, .ld = room, .last = (int)(wide - room + LANES)};
    if (from->given) {
        panel.at = from->given->at + p * from->given->padded + (from->given->column + j) * deep;
        return panel;
    }
    const G(Operand) here = G(operand_at)(from->b, turned ? j : p, turned ? p : j);
    if (from->stays && (GT_MASKS || wide == room)) {
        panel.at = here.at;
        panel.ld = here.row;
    } else if (from->groups) {
        if (j % group == 0)
            G(pack_panels)(deep, G(least)(n - j, group), here.at, here.row, from->space->dense);
        panel.at += j % group * deep;
    } else {
        G(fill)(deep, wide, 1 << width, here, turned, from->space->dense, from->space);
    }
    return panel;
}

/* A block of C, as wide and high as the layout says at most, over the block of k from p on. */
static GT_SELDOM void G(block)(int64_t p, int64_t m, int64_t n, int64_t k, G(Operand) a,
                               G(Operand) b, bool turned, number *c, int64_t ldc,
                               const G(Space) * space, const G(Given) * given)
{
    const int64_t depth = G(block_depth)(k), deep = G(least)(k - p, depth);
    const gt_Cut cut = gt_cut(m);
    /* Rows of A side by side in memory: each p is a line of its own, and often another page. Worth
     * a copy if they are many and some panels read it. Rows far apart: if very many panels do. */
    const bool pack = a.step == 1 ? n >= GT_WIDE : depth > 128 && n > 8 * LANES;
    const bool stays = !given && !turned && G(stays)(cut.tiles, depth, b);
    const bool groups = !given && !stays && !turned && b.half < 0;
    /* A strip of many, as it seems: the rows below it come next, and there is room for them in the second-level cache. */
    const bool strip = given && m * depth <= GT_BLOCK / 4;
    const G(Source) source = {b, turned, stays, groups, given, space};
    const number *const bias = given && given->bias ? given->bias + given->column : NULL;
    G(Matrix) left = G(numbers)(G(operand_at)(a, 0, p), m, deep, space->left);
    if (pack) {
        G(pack_tiles)(m, deep, left, space->packed);
        left.at = space->packed;
    }
    for (int64_t j = 0, wide; j < n; j += wide) {
        const bool flat = !given && m > 1 && m <= GT_FLAT && n - j >= 4 * LANES;
        const int width = flat ? 2 : n - j > LANES;
        G(Panel) panel = G(panel_at)(&source, p, j, deep, n, width);
        const number *next = NULL;
        wide = G(least)(n - j, LANES << width);
        const int64_t later =
            j + (stays ? wide : GT_GROUP * LANES); /* the next, or the same of the next group */
        if ((stays || source.groups) && cut.tiles > 1 && later < n)
            next = G(operand_at)(b, p, later).at;
        if (given && m * depth > GT_BLOCK / 4 && j + wide < n)
            next = panel.at + wide * deep;
        const bool last = j + wide == n;
        if (!pack && a.step == 1 && (j == 0 || (last && strip))) {
            /* it costs nothing where A is near */
            panel.lines = (int)cut.rows;
            panel.row = left.row;
            panel.step = 64 / (int64_t)sizeof(number);
            panel.skip = j == 0 ? 0 : p + deep < k ? deep : m * left.row - p;
        } else if (!pack && a.step != 1 && last && p + 2 * depth <= k) {
            panel.lines = GT_STRIDE;
            panel.row = left.step;
            panel.step = GT_STRIDE * left.step;
            panel.skip = deep * left.step;
        }
        const number *const plus = p > 0 ? c + j : bias ? bias + j : NULL;
        G(panel_down)
        (cut, deep, left, pack, width, panel, next, given ? 2 * LANES : b.row, c + j, ldc, plus,
         p > 0 ? ldc : 0);
    }
}

/* Columns [0, n) of B over a block of k, panel after panel, as tiles read them. */
static GT_SELDOM void G(lay_out)(int64_t deep, int64_t n, G(Operand) b, bool turned, number *to,
                                 const G(Space) * space)
{
    const bool all = !turned && b.half < 0;
    for (int64_t j = 0, wide; j < n; j += wide) {
        wide = all ? n : G(least)(n - j, 2 * LANES);
        G(fill)(deep, wide, 1 + (wide > LANES), b, turned, to + j * deep, space);
        b = turned ? G(operand_at)(b, wide, 0) : G(operand_at)(b, 0, wide);
    }
}

/* Columns and blocks of k in turn, so that B is laid out once for all blocks of rows; but where a piece of C waits aside, it is
 * finished first. */
static GT_SELDOM void G(product)(bool swapped, int64_t m, int64_t n, int64_t k, G(Operand) a,
                                 G(Operand) b, bool turned, number *c, int64_t ldc, number *scratch,
                                 const G(Given) * given)
{
    const G(Layout) lay = G(layout)(swapped, m, n, k);
    const G(Space) space = {
        .dense = scratch,
        .packed = scratch + lay.panel,
        .aside = scratch + lay.panel + lay.packed,
        .left = scratch + lay.panel + lay.packed + lay.aside,
        .strip = scratch + lay.panel + lay.packed + lay.aside + lay.left,
    };
    const int64_t depth = G(block_depth)(k), high = swapped ? lay.rows : m;
    const bool lays = lay.whole && !given && lay.rows < m;
    for (int64_t j = 0; j < n; j += lay.columns)
        for (int64_t top = 0; top < m; top += high) {
            const int64_t columns = G(least)(n - j, lay.columns), end = G(least)(m, top + high);
            const G(Operand) right = turned ? G(operand_at)(b, j, 0) : G(operand_at)(b, 0, j);
            number *const to = swapped ? space.aside : c + j;
            const int64_t ld = swapped ? lay.columns : ldc;
            G(Given) part = {.at = space.dense};
            if (given)
                part = (G(Given)){given->at, given->padded, j, given->bias};
#if GT_ROWS
            if (m == 1 && !given) {
                if (turned)
                    G(row_turned)(columns, k, a, right, to, &space);
                else
                    G(row_straight)(columns, k, a, right, to, &space);
            } else
#endif
                for (int64_t p = 0; p < k; p += depth) {
                    if (lays)
                        G(lay_out)
                    (G(least)(k - p, depth), columns,
                     turned ? G(operand_at)(right, 0, p) : G(operand_at)(right, p, 0), turned,
                     space.dense, &space);
                    for (int64_t i = top; i < end; i += lay.rows)
                        G(block)
                    (p, G(least)(end - i, lay.rows), columns, k, G(operand_at)(a, i, 0), right,
                     turned, to + (i - top) * ld, ld, &space, given || lays ? &part : NULL);
                }
            if (swapped)
                GT_KERNEL(G(turn))
            (end - top, columns, space.aside, ld, c + j * ldc + top, ldc, false);
        }
}

/* What m x n x k costs, in vector products: a tile with fewer than eight sums waits for them. */
static double G(cost)(int64_t m, int64_t n, int64_t k)
{
    const gt_Cut cut = gt_cut(m);
    const double rows = (double)m, least = 8.0 * (double)cut.tiles;
    const int64_t panels = n / (2 * LANES), rest = n % (2 * LANES);
    const double edge = rest > LANES ? 2 * rows : rest > 0 ? rows : 0;
    double each = (double)panels * (2 * rows > least ? 2 * rows : least);
    each += rest == 0 ? 0 : edge > least ? edge : least;
    return each * (double)k;
}

/* C = A B, or C' = B' A': the same numbers with the lanes along the rows of C instead. Better when
 * C has few columns, or when what must be turned is then the smaller of the two. */
static GT_NOINLINE bool G(swap)(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k)
{
    const double turn = 0.6; /* vector products that turning one number costs (measured) */
    if (m == 1)
        return false;
    if (n == 1)
        return true;
    if (!transpose_b && n % LANES == 0 && m >= 4)
        return false;
    const double b = (double)n * (double)k, a = (double)m * (double)k;
    const double straight = G(cost)(m, n, k) + (transpose_b ? turn * b : 0);
    const double swapped =
        G(cost)(n, m, k) + (transpose_a ? 0 : turn * a) + turn * (double)m * (double)n;
    return swapped < 0.95 * straight;
}

/* A product of one block whose A needs no copy: its tiles, without a thought about anything else. B is copied, a panel at a time,
 * where it is turned or has no whole vectors. Numbers instead of structs, which would take longer to hand over than a product of
 * four rows takes. */
static GT_NOINLINE void G(small)(int64_t m, int64_t n, int64_t k, const number *a, int64_t row,
                                 int64_t step, const number *b, int64_t ldb, bool turned,
                                 const number *bias, number *c, int64_t ldc, number *scratch)
{
    const gt_Cut cut = gt_cut(m);
    const bool copies = turned || (!GT_MASKS && n % LANES != 0);
    for (int64_t j = 0; j < n; j += 2 * LANES) {
        const int width = n - j > LANES;
        const int64_t wide = G(least)(n - j, 2 * LANES);
        G(Panel) panel = {.at = b + j, .ld = ldb, .last = (int)wide - LANES * width};
        if (copies) {
            const G(Space) none = {0};
            const G(Operand) from = {b + (turned ? j * ldb : j), ldb, 1, -1};
            G(fill)(k, wide, 1 + width, from, turned, scratch, &none);
            panel.at = scratch;
            panel.ld = LANES << width;
        }
        G(Tile) *const *const tiles = G(tiles)[width];
        const number *from = a;
        number *to = c + j;
        for (int64_t t = 0; t < cut.tiles; t++) {
            const int64_t high = gt_height(&cut, t);
            tiles[high - 1](k, from, row, step, &panel, to, ldc, bias ? bias + j : NULL, 0);
            from += high * row;
            to += high * ldc;
        }
    }
}

void GT_KERNEL(G(gemm_small))(const gt_ProductJob *job, const void *a, const void *b,
                              const void *bias, void *c, void *scratch)
{
    const int64_t m = job->m, n = job->n, k = job->k;
    const bool turned = job->transpose_b;
    G(small)
    (m, n, k, a, job->transpose_a ? 1 : k, job->transpose_a ? m : 1, b, turned ? k : n, turned,
     bias, c, n, scratch);
}

/* `a` and `b` as they are stored: a row is a line in memory. */
static GT_NOINLINE void G(multiply)(bool transpose_a, bool transpose_b, int64_t m, int64_t n,
                                    int64_t k, G(Operand) a, G(Operand) b, number *c, int64_t ldc,
                                    number *scratch)
{
    if (m <= 0 || n <= 0)
        return;
    if (k <= 0) {
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++)
                c[i * ldc + j] = 0;
        return;
    }
    const bool fits = a.half < 0 && b.half < 0 && m > GT_FLAT && m <= 4 * GT_GEMM_ROWS &&
                      n <= 8 * LANES && k <= 128;
    const bool lies = !transpose_b && (GT_MASKS || n % LANES == 0);
    const bool swaps = !(fits && lies) && G(swap)(transpose_a, transpose_b, m, n, k);
    const G(Operand) left = transpose_a ? G(turned)(a) : a;
    if (fits && !swaps)
        G(small)
    (m, n, k, left.at, left.row, left.step, b.at, b.row, transpose_b, NULL, c, ldc, scratch);
    else if (swaps) G(product)(true, n, m, k, transpose_b ? b : G(turned)(b), a, !transpose_a, c,
                               ldc, scratch, NULL);
    else G(product)(false, m, n, k, left, b, transpose_b, c, ldc, scratch, NULL);
}

bool GT_KERNEL(G(gemm_swaps))(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k)
{
    return G(swap)(transpose_a, transpose_b, m, n, k);
}

/* The tiles of a product over one block of k, which may be added to C. */
void GT_KERNEL(G(gemm_tiles))(bool adds, int64_t m, int64_t n, int64_t k, const void *a,
                              int64_t lda, const void *b, int64_t ldb, void *c, int64_t ldc)
{
    const gt_Cut cut = gt_cut(m);
    for (int64_t j = 0; j < n; j += 2 * LANES) {
        const int width = n - j > LANES;
        const int64_t wide = G(least)(n - j, 2 * LANES);
        const G(Panel)
            panel = {.at = (const number *)b + j, .ld = ldb, .last = (int)wide - LANES * width};
        const number *from = a;
        number *to = (number *)c + j;
        for (int64_t t = 0; t < cut.tiles; t++) {
            const int64_t high = gt_height(&cut, t);
            G(tiles)[width][high - 1](k, from, lda, 1, &panel, to, ldc, adds ? to : NULL, ldc);
            from += high * lda;
            to += high * ldc;
        }
    }
}

/* ---- B laid out ahead ---- */

/* Block of k after block, panel after panel, as a tile reads them: no line is far from the next, and none is shared with
 * another panel. */
void GT_KERNEL(G(gemm_pack))(bool transpose_b, int64_t n, int64_t k, const void *b, int64_t ldb,
                             int64_t first, int64_t last, void *to)
{
    const int64_t depth = G(block_depth)(k), padded = gt_round_up(n, LANES);
    const G(Space) none = {0};
    for (int64_t p = 0; p < k; p += depth) {
        const int64_t deep = G(least)(k - p, depth);
        const G(Operand) from = {b, ldb, 1, -1};
        G(lay_out)
        (deep, last - first, G(operand_at)(from, transpose_b ? first : p, transpose_b ? p : first),
         transpose_b, (number *)to + p * padded + first * deep, &none);
    }
}

void GT_KERNEL(G(gemm_packed))(bool transpose_a, int64_t m, int64_t n, int64_t k, const void *a,
                               int64_t lda, const void *packed, void *c, int64_t ldc,
                               const void *bias, void *scratch)
{
    const G(Given) given = {packed, gt_round_up(n, LANES), 0, bias};
    const G(Operand) left = {a, lda, 1, -1}, right = {packed, LANES, 1, -1};
    G(product)
    (false, m, n, k, transpose_a ? G(turned)(left) : left, right, false, c, ldc, scratch, &given);
}

void GT_KERNEL(G(gemm))(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                        const void *a, int64_t lda, const void *b, int64_t ldb, void *c,
                        int64_t ldc, void *scratch)
{
    G(multiply)
    (transpose_a, transpose_b, m, n, k, (G(Operand)){a, lda, 1, -1}, (G(Operand)){b, ldb, 1, -1}, c,
     ldc, scratch);
}

static size_t G(scratch)(int64_t m, int64_t n, int64_t k, bool widens)
{
    if (m <= 0 || n <= 0 || k <= 0)
        return 0;
    const G(Layout) straight = G(layout)(false, m, n, k), swapped = G(layout)(true, n, m, k);
    int64_t one = straight.panel + straight.packed + straight.aside;
    int64_t other = swapped.panel + swapped.packed + swapped.aside;
    if (widens) {
        one += straight.left + straight.strip;
        other += swapped.left + swapped.strip;
    }
    return (size_t)(one > other ? one : other) * sizeof(number);
}

size_t GT_KERNEL(G(gemm_scratch))(int64_t m, int64_t n, int64_t k)
{
    return G(scratch)(m, n, k, false);
}
