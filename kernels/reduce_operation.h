/* One reduction of one element type: GT_COMBINE over numbers of type GT_T, from GT_START. Included
 * by reduce_template.h; not a header. */

static inline GT_T GT_OP(combine)(GT_T a, GT_T b)
{
    return GT_COMBINE(a, b);
}

/* Fewer numbers than lanes, as in a row of ten classes: two chains, one of each half. (Chains of
 * even and odd places would do too, but gcc 12 gets them wrong for integers: the sum of 4 numbers.)
 */
static inline GT_T GT_OP(few)(int64_t n, const GT_T *x)
{
    const int64_t half = n / 2;
    GT_T first = (GT_T)GT_START, second = (GT_T)GT_START;
    for (int64_t i = 0; i < half; i++) {
        first = GT_OP(combine)(first, x[i]);
        second = GT_OP(combine)(second, x[half + i]);
    }
    if (n > 2 * half)
        first = GT_OP(combine)(first, x[n - 1]);
    return GT_OP(combine)(first, second);
}

/* At most GT_BLOCK numbers. */
static GT_NOINLINE GT_T GT_OP(block)(int64_t n, const GT_T *x)
{
    enum { LANES = sizeof(GT_T) == 1 ? 128 : 32 };
    if (n < LANES)
        return GT_OP(few)(n, x);
    GT_T lane[LANES];
    int64_t i = 0;
    for (int l = 0; l < LANES; l++)
        lane[l] = (GT_T)GT_START;
    for (; i + LANES <= n; i += LANES) {
        for (int l = 0; l < LANES; l++)
            lane[l] = GT_OP(combine)(lane[l], x[i + l]);
    }
    for (int l = 0; i + l < n; l++)
        lane[l] = GT_OP(combine)(lane[l], x[i + l]);
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; l++)
            lane[l] = GT_OP(combine)(lane[l], lane[l + half]);
    }
    return lane[0];
}

static GT_NOINLINE GT_T GT_OP(row)(int64_t n, const GT_T *x)
{
    GT_T waiting[GT_LEVELS]; /* results of 2^k blocks, as the ones of a binary counter */
    int levels = 0;
    int64_t blocks = 0;
    if (n <= GT_BLOCK)
        return GT_OP(block)(n, x);
    for (int64_t i = 0; i < n; i += GT_BLOCK) {
        waiting[levels++] = GT_OP(block)(n - i < GT_BLOCK ? n - i : GT_BLOCK, x + i);
        blocks++;
        for (int64_t ones = blocks; (ones & 1) == 0; ones >>= 1, levels--)
            waiting[levels - 2] = GT_OP(combine)(waiting[levels - 2], waiting[levels - 1]);
    }
    for (; levels > 1; levels--)
        waiting[levels - 2] = GT_OP(combine)(waiting[levels - 2], waiting[levels - 1]);
    return waiting[0];
}

void GT_KERNEL(GT_OP(reduce))(int64_t n, const void *x, void *y)
{
    *(GT_T *)y = GT_OP(row)(n, x);
}

/* sum[j] = x[0][j] o x[1][j] o ..., in this order; four rows in one go spare loads of the sums. */
static GT_NOINLINE void GT_OP(columns_block)(int64_t rows, int64_t columns, int64_t stride,
                                        const GT_T *restrict x, GT_T *restrict sum)
{
    int64_t r = 1;
    for (int64_t j = 0; j < columns; j++)
        sum[j] = x[j];
    for (; r + 4 <= rows; r += 4) {
        const GT_T *restrict row = x + r * stride;
        for (int64_t j = 0; j < columns; j++) {
            GT_T s = GT_OP(combine)(sum[j], row[j]);
            s = GT_OP(combine)(s, row[stride + j]);
            s = GT_OP(combine)(s, row[2 * stride + j]);
            sum[j] = GT_OP(combine)(s, row[3 * stride + j]);
        }
    }
    for (; r < rows; r++) {
        const GT_T *restrict row = x + r * stride;
        for (int64_t j = 0; j < columns; j++)
            sum[j] = GT_OP(combine)(sum[j], row[j]);
    }
}

static GT_NOINLINE void GT_OP(merge)(int64_t columns, GT_T *restrict into, const GT_T *restrict from)
{
    for (int64_t j = 0; j < columns; j++)
        into[j] = GT_OP(combine)(into[j], from[j]);
}

void GT_KERNEL(GT_OP(reduce_columns))(int64_t rows, int64_t columns, int64_t stride,
                                      const void *from, void *to)
{
    enum { WIDTH = GT_WIDTH / sizeof(GT_T) };
    GT_T waiting[GT_LEVELS][WIDTH];
    for (int64_t first = 0; first < columns; first += WIDTH) {
        int64_t width = columns - first < WIDTH ? columns - first : WIDTH;
        const GT_T *x = (const GT_T *)from + first;
        GT_T *y = (GT_T *)to + first;
        int levels = 0;
        int64_t blocks = 0;
        for (int64_t r = 0; r < rows; r += GT_ROW_BLOCK) {
            int64_t height = rows - r < GT_ROW_BLOCK ? rows - r : GT_ROW_BLOCK;
            GT_OP(columns_block)(height, width, stride, x + r * stride, waiting[levels++]);
            blocks++;
            for (int64_t ones = blocks; (ones & 1) == 0; ones >>= 1, levels--)
                GT_OP(merge)(width, waiting[levels - 2], waiting[levels - 1]);
        }
        for (; levels > 1; levels--)
            GT_OP(merge)(width, waiting[levels - 2], waiting[levels - 1]);
        for (int64_t j = 0; j < width; j++)
            y[j] = rows > 0 ? waiting[0][j] : (GT_T)GT_START;
    }
}

#undef GT_OP
#undef GT_START
#undef GT_COMBINE
