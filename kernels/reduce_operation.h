/* One reduction of one element type: GT_COMBINE over GT_TERM(x), from GT_START, in numbers of type
 * GT_A, with GT_LANES lanes. With GT_RUN, which sums of float have, a chain of at most so many
 * numbers is added as they are before it becomes one of type GT_A. With GT_ELSEWHERE, long rows and
 * columns are those of another build, with GT_FEW_ELSEWHERE many short rows, too. With GT_TURNS the reduction stands twice: of
 * the numbers, and (`turn`) of the numbers with the other sign, which has that of the result turned again: the least is the
 * largest so, bit for bit, for a sign is turned without any rounding, that of 0 and NaN too. Included by
 * reduce_template.h; not a header. */

#ifdef GT_TURNS
#define GT_MAY_TURN , const bool turn
#define GT_TURN     , turn
#define GT_FORWARD  , false
#define GT_TURN_HERE(n, x)                                                                         \
    if (turn)                                                                                      \
        GT_NAME(turn)(n, x, x);
#define GT_STANDS GT_NOINLINE
#else
#define GT_MAY_TURN
#define GT_TURN
#define GT_FORWARD
#define GT_TURN_HERE(n, x)
#define GT_STANDS inline
#endif

static inline GT_A GT_OP(combine)(GT_A a, GT_A b)
{
    return GT_COMBINE(a, b);
}

/* How a few numbers are put together. */
#ifdef GT_RUN
#define GT_C          GT_T
#define GT_LIFT(x)    (x)
#define GT_JOIN(a, b) ((a) + (b))
#else
#define GT_C          GT_A
#define GT_LIFT(x)    GT_TERM(x)
#define GT_JOIN(a, b) GT_OP(combine)(a, b)
#endif

/* Fewer numbers than lanes, as in a row of ten classes: two chains, one of each half. */
static inline GT_C GT_OP(few)(int64_t n, const GT_T *x)
{
    const int64_t half = n / 2;
    GT_C first = (GT_C)GT_START, second = (GT_C)GT_START;
    for (int64_t i = 0; i < half; i++) {
        first = GT_JOIN(first, GT_LIFT(x[i]));
        second = GT_JOIN(second, GT_LIFT(x[half + i]));
    }
    if (n > 2 * half)
        first = GT_JOIN(first, GT_LIFT(x[n - 1]));
    return GT_JOIN(first, second);
}

#ifndef GT_FEW_ELSEWHERE
/* Rows of fewer than 32, y[i] of each: the two chains of some rows beside each other, in registers. */
#ifdef GT_TURNS
static GT_NOINLINE void GT_OP(few_rows)(int64_t rows, int64_t n, const void *from, void *to,
                                        const bool turn)
#else
void GT_KERNEL(GT_OP(few_rows))(int64_t rows, int64_t n, const void *from, void *to)
#endif
{
    enum { BESIDE = GT_REAL == 32 ? 32 : 16, MOST = 2048 };
    const int64_t half = n / 2, ld = n <= 8 ? MOST / 8 : MOST / 32; /* as many rows at once */
    const GT_T *x = from;
    GT_A *y = to;
    GT_T turned[MOST];
    for (; rows > 0; rows -= ld, x += n * ld, y += ld) {
        const int64_t count = rows < ld ? rows : ld;
        bool one = n == 1 && count == ld; /* x is the column */
#ifdef GT_TURNS
        one = one && !turn;
#endif
        if (count % BESIDE)
            memset(turned, 0, (size_t)(n * ld) * sizeof *turned);
        if (n > 0 && !one)
            GT_PART(count, n, x, turned, ld);
        GT_TURN_HERE(n * ld, turned)
        for (int64_t j = 0; j < count; j += BESIDE) {
            const GT_T *a = (one ? x : turned) + j, *b = a + half * ld;
            GT_C first[BESIDE], second[BESIDE];
            for (int l = 0; l < BESIDE; l++)
                first[l] = second[l] = (GT_C)GT_START;
            for (int64_t i = 0; i < half; i++, a += ld, b += ld)
                for (int l = 0; l < BESIDE; l++) {
                    first[l] = GT_JOIN(first[l], GT_LIFT(a[l]));
                    second[l] = GT_JOIN(second[l], GT_LIFT(b[l]));
                }
            if (n > 2 * half)
                for (int l = 0; l < BESIDE; l++)
                    first[l] = GT_JOIN(first[l], GT_LIFT(b[l]));
            if (count - j >= BESIDE)
                for (int l = 0; l < BESIDE; l++)
                    y[j + l] = (GT_A)GT_JOIN(first[l], second[l]);
            else
                for (int64_t l = 0; l < count - j; l++)
                    y[j + l] = (GT_A)GT_JOIN(first[l], second[l]);
        }
        GT_TURN_HERE(count, y)
    }
}
#ifdef GT_TURNS
void GT_KERNEL(GT_NAME(few_rows_max))(int64_t rows, int64_t n, const void *from, void *to)
{
    GT_NAME(few_rows_max)(rows, n, from, to, false);
}

void GT_KERNEL(GT_NAME(few_rows_min))(int64_t rows, int64_t n, const void *from, void *to)
{
    GT_NAME(few_rows_max)(rows, n, from, to, true);
}
#endif
#endif

#ifdef GT_ELSEWHERE
static inline GT_A GT_OP(row)(int64_t n, const GT_T *x)
{
    GT_A result;
    if (n < 32)
        return (GT_A)GT_OP(few)(n, x);
    GT_KERNEL_RARE(GT_OP(reduce))(n, x, &result);
    return result;
}
#else
/* At most GT_BLOCK numbers. */
static GT_NOINLINE GT_A GT_OP(block)(int64_t n, const GT_T *x)
{
    enum { LANES = GT_LANES };
    if (n < (LANES < 32 ? 32 : LANES))
        return (GT_A)GT_OP(few)(n, x);
    GT_A lane[LANES];
    int64_t i = 0;
    for (int l = 0; l < LANES; l++)
        lane[l] = (GT_A)GT_START;
#ifdef GT_RUN
    /* Four times as many lanes as doubles are enough to keep the processor busy, and read x nearly
     * from front to back. */
    enum { ROW = 4 * LANES, RUN = GT_RUN / 2 * ROW };
    for (int64_t end; i + ROW <= n;) {
        GT_T run[ROW];
        end = n - i < RUN ? n : i + RUN;
        for (int l = 0; l < ROW; l++)
            run[l] = 0;
        for (; i + 2 * ROW <= end; i += 2 * ROW) {
            for (int l = 0; l < ROW; l++)
                run[l] += x[i + l] + x[i + ROW + l];
        }
        for (; i + ROW <= end; i += ROW) {
            for (int l = 0; l < ROW; l++)
                run[l] += x[i + l];
        }
        for (int l = 0; l < LANES; l++)
            lane[l] +=
                (GT_A)((run[l] + run[l + LANES]) + (run[l + 2 * LANES] + run[l + 3 * LANES]));
    }
    for (; i + LANES <= n; i += LANES) {
        for (int l = 0; l < LANES; l++)
            lane[l] += (GT_A)x[i + l];
    }
#else
    for (; i + LANES <= n; i += LANES) {
        for (int l = 0; l < LANES; l++)
            lane[l] = GT_OP(combine)(lane[l], GT_TERM(x[i + l]));
    }
#endif
    for (int l = 0; i + l < n; l++)
        lane[l] = GT_OP(combine)(lane[l], GT_TERM(x[i + l]));
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; l++)
            lane[l] = GT_OP(combine)(lane[l], lane[l + half]);
    }
    return lane[0];
}

#ifdef GT_TURNS
static GT_NOINLINE GT_A GT_OP(block_turned)(int64_t n, const GT_T *x)
{
    GT_T turned[GT_BLOCK];
    GT_NAME(turn)(n, x, turned);
    return GT_OP(block)(n, turned);
}
#define GT_BLOCK_OF(n, x) (turn ? GT_OP(block_turned)(n, x) : GT_OP(block)(n, x))
#else
#define GT_BLOCK_OF(n, x) GT_OP(block)(n, x)
#endif

static GT_NOINLINE GT_A GT_OP(row_of)(int64_t n, const GT_T *x GT_MAY_TURN)
{
    GT_A waiting[GT_LEVELS]; /* results of 2^k blocks, as the ones of a binary counter */
    int levels = 0;
    int64_t blocks = 0;
    if (n <= GT_BLOCK)
        return GT_BLOCK_OF(n, x);
    for (int64_t i = 0; i < n; i += GT_BLOCK) {
        waiting[levels++] = GT_BLOCK_OF(n - i < GT_BLOCK ? n - i : GT_BLOCK, x + i);
        blocks++;
        for (int64_t ones = blocks; (ones & 1) == 0; ones >>= 1, levels--)
            waiting[levels - 2] = GT_OP(combine)(waiting[levels - 2], waiting[levels - 1]);
    }
    for (; levels > 1; levels--)
        waiting[levels - 2] = GT_OP(combine)(waiting[levels - 2], waiting[levels - 1]);
    return waiting[0];
}

static inline GT_A GT_OP(row)(int64_t n, const GT_T *x)
{
    return GT_OP(row_of)(n, x GT_FORWARD);
}

void GT_KERNEL(GT_OP(reduce))(int64_t n, const void *x, void *y)
{
    *(GT_A *)y = GT_OP(row)(n, x);
}

#ifdef GT_TURNS
void GT_KERNEL(GT_NAME(reduce_min))(int64_t n, const void *x, void *y)
{
    *(GT_A *)y = -GT_OP(row_of)(n, x, true);
}
#endif

/* sum[j] = x[0][j] o x[1][j] o ...: the first row, then the next four joined in twos, and so on,
 * which also spares loads of the sums. */
static GT_NOINLINE void GT_OP(columns_block)(int64_t rows, int64_t columns, int64_t stride,
                                             const GT_T *restrict x, GT_C *restrict sum)
{
    int64_t r = 1;
    GT_ROLLED
    for (int64_t j = 0; j < columns; j++)
        sum[j] = GT_LIFT(x[j]);
    for (; r + 4 <= rows; r += 4) {
        const GT_T *restrict row = x + r * stride;
        GT_ROLLED
        for (int64_t j = 0; j < columns; j++) {
            GT_C two = GT_JOIN(GT_LIFT(row[j]), GT_LIFT(row[stride + j]));
            GT_C more = GT_JOIN(GT_LIFT(row[2 * stride + j]), GT_LIFT(row[3 * stride + j]));
            sum[j] = GT_JOIN(sum[j], GT_JOIN(two, more));
        }
    }
    for (; r < rows; r++) {
        const GT_T *restrict row = x + r * stride;
        GT_ROLLED
        for (int64_t j = 0; j < columns; j++)
            sum[j] = GT_JOIN(sum[j], GT_LIFT(row[j]));
    }
}

#if GT_REAL
/* Blocks of rows of a few numbers that lie together, many blocks at once: y[j * GT_BESIDE + b] is that of column j of block b. */
static void GT_OP(blocks_beside)(int64_t columns, const GT_T *x, GT_C *y GT_MAY_TURN)
{
    GT_T turned[GT_ROW_BLOCK * GT_FEW * GT_BESIDE];
    GT_PART(GT_BESIDE, GT_ROW_BLOCK * columns, x, turned, GT_BESIDE);
    GT_TURN_HERE(GT_ROW_BLOCK * columns * GT_BESIDE, turned)
    GT_OP(columns_block)
    (GT_ROW_BLOCK, columns * GT_BESIDE, columns * GT_BESIDE, turned, y);
}
#define GT_ARE_FEW(rows, columns, stride)                                                          \
    ((columns) <= GT_FEW && (stride) == (columns) && (rows) >= GT_ROW_BLOCK * GT_BESIDE)
#endif

#ifndef GT_RUN
static GT_NOINLINE void GT_OP(merge)(int64_t columns, GT_A *restrict into,
                                     const GT_A *restrict from)
{
    GT_ROLLED
    for (int64_t j = 0; j < columns; j++)
        into[j] = GT_OP(combine)(into[j], from[j]);
}
#endif

#ifdef GT_RUN
/* Blocks are added in order: as numbers of type GT_A they lose nothing. */
void GT_KERNEL(GT_OP(reduce_columns))(int64_t rows, int64_t columns, int64_t stride,
                                      const void *from, void *to)
{
    enum { WIDTH = GT_WIDTH / sizeof(GT_T) };
    GT_T sum[WIDTH];
    for (int64_t first = 0; first < columns; first += WIDTH) {
        int64_t width = columns - first < WIDTH ? columns - first : WIDTH;
        const GT_T *x = (const GT_T *)from + first;
        GT_A *y = (GT_A *)to + first;
        int64_t r = rows == 1;
        if (rows == 1) {
            GT_ROLLED
            for (int64_t j = 0; j < width; j++)
                y[j] = (GT_A)GT_START + (GT_A)x[j];
        } else {
            GT_ROLLED
            for (int64_t j = 0; j < width; j++)
                y[j] = GT_START;
        }
        for (; GT_ARE_FEW(rows - r, columns, stride); r += GT_RUN * GT_BESIDE) {
            GT_T many[GT_FEW * GT_BESIDE];
            GT_OP(blocks_beside)(columns, x + r * stride, many);
            for (int64_t j = 0; j < columns; j++) {
                GT_A all = y[j];
                for (int b = 0; b < GT_BESIDE; b++)
                    all += (GT_A)many[j * GT_BESIDE + b];
                y[j] = all;
            }
        }
        for (; r < rows; r += GT_RUN) {
            GT_OP(columns_block)
            (rows - r < GT_RUN ? rows - r : GT_RUN, width, stride, x + r * stride, sum);
            GT_ROLLED
            for (int64_t j = 0; j < width; j++)
                y[j] += (GT_A)sum[j];
        }
    }
}
#else
#ifdef GT_TURNS
static GT_NOINLINE void GT_OP(columns_turned)(int64_t rows, int64_t columns, int64_t stride,
                                              const GT_T *x, GT_C *sum)
{
    GT_T turned[GT_ROW_BLOCK * (GT_WIDTH / sizeof(GT_T))];
    for (int64_t r = 0; r < rows; r++)
        GT_NAME(turn)(columns, x + r * stride, turned + r * columns);
    GT_OP(columns_block)(rows, columns, columns, turned, sum);
}
#define GT_COLUMNS_OF (turn ? GT_OP(columns_turned) : GT_OP(columns_block))
#else
#define GT_COLUMNS_OF GT_OP(columns_block)
#endif

static GT_STANDS void GT_OP(columns_of)(int64_t rows, int64_t columns, int64_t stride,
                                        const void *from, void *to GT_MAY_TURN)
{
    enum { WIDTH = GT_WIDTH / sizeof(GT_T) };
    GT_A waiting[GT_LEVELS][WIDTH];
    for (int64_t first = 0; first < columns; first += WIDTH) {
        int64_t width = columns - first < WIDTH ? columns - first : WIDTH;
        const GT_T *x = (const GT_T *)from + first;
        GT_A *y = (GT_A *)to + first;
        int levels = 0;
        int64_t blocks = 0;
#if GT_REAL
        GT_C many[GT_FEW * GT_BESIDE];
        bool ready = false;
#endif
        for (int64_t r = 0; r < rows; r += GT_ROW_BLOCK) {
            int64_t height = rows - r < GT_ROW_BLOCK ? rows - r : GT_ROW_BLOCK;
#if GT_REAL
            const int64_t b = blocks % GT_BESIDE;
            if (b == 0) /* are so many to come? */
                ready = GT_ARE_FEW(rows - r, columns, stride);
            if (b == 0 && ready)
                GT_OP(blocks_beside)(columns, x + r * stride, many GT_TURN);
            for (int64_t j = 0; j < width && ready; j++)
                waiting[levels][j] = many[j * GT_BESIDE + b];
            if (!ready)
#endif
                GT_COLUMNS_OF(height, width, stride, x + r * stride, waiting[levels]);
            levels++;
            blocks++;
            for (int64_t ones = blocks; (ones & 1) == 0; ones >>= 1, levels--)
                GT_OP(merge)(width, waiting[levels - 2], waiting[levels - 1]);
        }
        for (; levels > 1; levels--)
            GT_OP(merge)(width, waiting[levels - 2], waiting[levels - 1]);
        GT_ROLLED
        for (int64_t j = 0; j < width; j++)
            y[j] = rows > 0 ? waiting[0][j] : (GT_A)GT_START;
        GT_TURN_HERE(width, y)
    }
}

void GT_KERNEL(GT_OP(reduce_columns))(int64_t rows, int64_t columns, int64_t stride,
                                      const void *from, void *to)
{
    GT_OP(columns_of)(rows, columns, stride, from, to GT_FORWARD);
}

#ifdef GT_TURNS
void GT_KERNEL(GT_NAME(reduce_columns_min))(int64_t rows, int64_t columns, int64_t stride,
                                            const void *from, void *to)
{
    GT_OP(columns_of)(rows, columns, stride, from, to, true);
}
#endif
#endif
#endif

#undef GT_OP
#undef GT_ARE_FEW
#undef GT_A
#undef GT_START
#undef GT_COMBINE
#undef GT_TERM
#undef GT_RUN
#undef GT_LANES
#undef GT_C
#undef GT_LIFT
#undef GT_JOIN
#undef GT_TURNS
#undef GT_MAY_TURN
#undef GT_TURN
#undef GT_FORWARD
#undef GT_TURN_HERE
#undef GT_STANDS
#undef GT_BLOCK_OF
#undef GT_COLUMNS_OF
