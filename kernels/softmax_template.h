/* softmax, log_softmax and logsumexp of reduce.c for one element type GT_T. Included once for each;
 * not a header.
 *
 * Rows are taken in groups of about GT_GROUP numbers, so that one run of exp spans many short rows
 * (ten classes would not fill a vector) and a group stays in the cache from pass to pass. y may be
 * x. */

static inline int64_t GT_NAME(rows_of_group)(int64_t columns)
{
    const int64_t rows = columns < GT_GROUP ? GT_GROUP / columns : 1;
    return rows < 32 ? rows : rows / 32 * 32; /* short ones 32 at a time */
}

/* Many rows that are short: what takes many at once takes its time for a block of them. */
static inline bool GT_NAME(are_short)(int64_t rows, int64_t columns)
{
    return columns < GT_SHORT && rows >= 8;
}

/* A group of short rows turned: number j of row r is at[j * ld + r], so that vectors go along the rows. */
typedef struct GT_NAME(Turned) {
    int64_t rows, columns, ld;
    GT_T at[GT_GROUP + GT_SHORT * GT_SIDE];
} GT_NAME(Turned);

static void GT_NAME(turn_rows)(int64_t rows, int64_t columns, const GT_T *x, GT_NAME(Turned) * t)
{
    t->rows = rows;
    t->columns = columns;
    t->ld = (rows + GT_SIDE - 1) / GT_SIDE * GT_SIDE;
    for (int64_t j = 0; j < columns && rows < t->ld; j++)
        for (int64_t r = t->ld - GT_SIDE; r < t->ld; r++)
            t->at[j * t->ld + r] = 0;
    GT_PART(rows, columns, x, t->at, t->ld);
}

static inline GT_T GT_NAME(combined)(const bool sums, GT_T a, GT_T b)
{
    return sums ? a + b : GT_NAME(combine_max)(a, b);
}

/* Of each row the sum, or the highest number, NaN if there is one: two chains, as reduce.h says of so few. */
GT_INLINE void GT_NAME(turned_combined)(const bool sums, const GT_NAME(Turned) * t, GT_T *y)
{
    const int64_t half = t->columns / 2, ld = t->ld;
    for (int64_t r = 0; r < ld; r += GT_SIDE) {
        const GT_T *a = t->at + r, *b = a + half * ld;
        GT_T first[GT_SIDE], second[GT_SIDE];
        for (int l = 0; l < GT_SIDE; l++)
            first[l] = second[l] = sums ? (GT_T)0 : (GT_T)-INFINITY;
        for (int64_t j = 0; j < half; j++, a += ld, b += ld)
            for (int l = 0; l < GT_SIDE; l++) {
                first[l] = GT_NAME(combined)(sums, first[l], a[l]);
                second[l] = GT_NAME(combined)(sums, second[l], b[l]);
            }
        for (int l = 0; l < GT_SIDE && t->columns > 2 * half; l++)
            first[l] = GT_NAME(combined)(sums, first[l], b[l]);
        for (int l = 0; l < GT_SIDE; l++)
            y[r + l] = GT_NAME(combined)(sums, first[l], second[l]);
    }
}

static void GT_NAME(turned_highest)(const GT_NAME(Turned) * t, GT_T *y)
{
    GT_NAME(turned_combined)(false, t, y);
}

static void GT_NAME(turned_totals)(const GT_NAME(Turned) * t, GT_T *y)
{
    GT_NAME(turned_combined)(true, t, y);
}

/* t = exp(t - shift) */
static void GT_NAME(turned_exp)(GT_NAME(Turned) * t, const GT_T *shift)
{
    const int64_t ld = t->ld & -GT_SIDE;
    for (int64_t j = 0; j < t->columns; j++)
        for (int64_t r = 0; r < ld; r++)
            t->at[j * ld + r] -= shift[r];
    GT_KERNEL(GT_NAME(exp))(t->columns * t->ld, t->at, t->at);
}

/* The sums of a group of rows, and their highest numbers, NaN if there is one. */
static void GT_NAME(totals)(int64_t rows, int64_t columns, const GT_T *x, GT_T *y)
{
    for (int64_t r = 0; r < rows; r++)
        y[r] = (GT_T)GT_NAME(row_sum)(columns, x + r * columns);
}

static void GT_NAME(highest)(int64_t rows, int64_t columns, const GT_T *x, GT_T *y)
{
    for (int64_t r = 0; r < rows; r++)
        y[r] = GT_NAME(row_max)(columns, x + r * columns);
}

/* y[r, :] = x[r, :] - by[r]; y may be x. */
static void GT_NAME(less)(int64_t rows, int64_t columns, const GT_T *x, const GT_T *by, GT_T *y)
{
    GT_T wide[GT_GROUP];
    if (GT_NAME(are_short)(rows, columns)) {
        GT_SPREAD(rows, columns, by, wide);
        GT_INDEPENDENT
        for (int64_t i = 0; i < rows * columns; i++)
            y[i] = x[i] - wide[i];
        return;
    }
    for (int64_t r = 0; r < rows; r++) {
        GT_INDEPENDENT
        for (int64_t j = 0; j < columns; j++)
            y[r * columns + j] = x[r * columns + j] - by[r];
    }
}

/* A group of rows: x - highest, exp, over the sum. */
static void GT_NAME(softmax_group)(int64_t rows, int64_t columns, const GT_T *x, GT_T *y,
                                   GT_T *highest, GT_T *sum)
{
    if (!GT_NAME(are_short)(rows, columns)) {
        GT_NAME(highest)(rows, columns, x, highest);
        GT_NAME(less)(rows, columns, x, highest, y);
        GT_KERNEL(GT_NAME(exp))(rows * columns, y, y);
        GT_NAME(totals)(rows, columns, y, sum);
        for (int64_t r = 0; r < rows; r++)
            for (int64_t j = 0; j < columns; j++)
                y[r * columns + j] = y[r * columns + j] / sum[r];
        return;
    }
    GT_NAME(Turned) t;
    GT_NAME(turn_rows)(rows, columns, x, &t);
    GT_NAME(turned_highest)(&t, highest);
    GT_NAME(turned_exp)(&t, highest);
    GT_NAME(turned_totals)(&t, sum);
    const int64_t ld = t.ld & -GT_SIDE;
    for (int64_t j = 0; j < columns; j++)
        for (int64_t r = 0; r < ld; r++)
            t.at[j * ld + r] = t.at[j * ld + r] / sum[r];
    GT_BRAID(rows, columns, t.at, t.ld, y);
}

int64_t GT_KERNEL(GT_NAME(softmax_terms))(int64_t rows, int64_t columns, const GT_T *x, GT_T *y,
                                          bool logs, GT_T *shift, GT_T *log_sum)
{
    const int64_t group = GT_NAME(rows_of_group)(columns), count = rows < group ? rows : group;
    GT_NAME(softmax_group)(count, columns, x, y, shift, log_sum);
    if (logs)
        GT_KERNEL_RARE(GT_NAME(log))(count, log_sum, log_sum);
    return count;
}

void GT_KERNEL(GT_NAME(softmax))(int64_t rows, int64_t columns, const void *from, void *to)
{
    const GT_T *x = from;
    GT_T *y = to, highest[GT_TERMS], sum[GT_TERMS];
    if (columns == 1) { /* e^0 / e^0, or NaN */
        GT_INDEPENDENT
        for (int64_t r = 0; r < rows; r++)
            y[r] = (x[r] - x[r]) + 1;
        return;
    }
    for (int64_t done; rows > 0 && columns > 0;
         rows -= done, x += done * columns, y += done * columns)
        done = GT_KERNEL(GT_NAME(softmax_terms))(rows, columns, x, y, false, highest, sum);
}

/* An infinite shift, of logsumexp, is not taken off, so that infinities come out as themselves. */
static inline void GT_NAME(keep_finite)(int64_t rows, GT_T *shift)
{
    GT_ROLLED
    for (int64_t r = 0; r < rows; r++)
        shift[r] = GT_FUNCTION(abs)(shift[r]) < (GT_T)INFINITY ? shift[r] : (GT_T)0;
}

/* shift[r] = the highest of x[r, :], log_sum[r] = log sum exp(x[r, :] - shift[r]), of a group of rows. */
static void GT_NAME(log_sums)(int64_t rows, int64_t columns, const GT_T *x, bool finite,
                              GT_T *shift, GT_T *log_sum)
{
    GT_NAME(Turned) t;
    GT_T *piece = t.at; /* all rows, or a part of the one long row */
    const bool few = GT_NAME(are_short)(rows, columns);
    if (few) {
        GT_NAME(turn_rows)(rows, columns, x, &t);
        GT_NAME(turned_highest)(&t, shift);
    } else {
        GT_NAME(highest)(rows, columns, x, shift);
    }
    if (finite)
        GT_NAME(keep_finite)(rows, shift);
    if (few) {
        GT_NAME(turned_exp)(&t, shift);
        GT_NAME(turned_totals)(&t, log_sum);
    } else if (columns <= GT_GROUP) {
        GT_NAME(less)(rows, columns, x, shift, piece);
        GT_KERNEL(GT_NAME(exp))(rows * columns, piece, piece);
        GT_NAME(totals)(rows, columns, piece, log_sum);
    } else {
        double sum = 0;
        for (int64_t first = 0; first < columns; first += GT_GROUP) {
            int64_t count = columns - first < GT_GROUP ? columns - first : GT_GROUP;
            GT_NAME(less)(1, count, x + first, shift, piece);
            GT_KERNEL(GT_NAME(exp))(count, piece, piece);
            sum += GT_NAME(row_sum)(count, piece);
        }
        log_sum[0] = (GT_T)sum;
    }
    GT_KERNEL_RARE(GT_NAME(log))(rows, log_sum, log_sum);
}

/* Of each row what log_softmax takes off: shift, then log_sum. */
int64_t GT_KERNEL(GT_NAME(log_softmax_terms))(int64_t rows, int64_t columns, const GT_T *x,
                                              GT_T *shift, GT_T *log_sum)
{
    const int64_t group = GT_NAME(rows_of_group)(columns), count = rows < group ? rows : group;
    GT_NAME(log_sums)(count, columns, x, false, shift, log_sum);
    return count;
}

void GT_KERNEL(GT_NAME(log_softmax))(int64_t rows, int64_t columns, const void *from, void *to)
{
    GT_T shift[GT_TERMS], log_sum[GT_TERMS];
    if (columns <= 0)
        return;
    const int64_t group = GT_NAME(rows_of_group)(columns);
    for (int64_t first = 0; first < rows; first += group) {
        int64_t count = rows - first < group ? rows - first : group;
        const GT_T *x = (const GT_T *)from + first * columns;
        GT_T *y = (GT_T *)to + first * columns;
        GT_NAME(log_sums)(count, columns, x, false, shift, log_sum);
        GT_NAME(less)(count, columns, x, shift, y);
        GT_NAME(less)(count, columns, y, log_sum, y);
    }
}

void GT_KERNEL(GT_NAME(logsumexp))(int64_t rows, int64_t columns, const void *from, void *to)
{
    GT_T shift[GT_TERMS], log_sum[GT_TERMS];
    if (columns <= 0) {
        for (int64_t r = 0; r < rows; r++)
            ((GT_T *)to)[r] = (GT_T)-INFINITY;
        return;
    }
    if (columns == 1) { /* log e^0 + x */
        GT_INDEPENDENT
        for (int64_t r = 0; r < rows; r++)
            ((GT_T *)to)[r] = ((const GT_T *)from)[r] + 0;
        return;
    }
    const int64_t group = GT_NAME(rows_of_group)(columns);
    for (int64_t first = 0; first < rows; first += group) {
        int64_t count = rows - first < group ? rows - first : group;
        const GT_T *x = (const GT_T *)from + first * columns;
        GT_T *y = (GT_T *)to + first;
        GT_NAME(log_sums)(count, columns, x, true, shift, log_sum);
        for (int64_t r = 0; r < count; r++)
            y[r] = shift[r] + log_sum[r];
    }
}

#undef GT_T
#undef GT_NAME
#undef GT_FUNCTION
#undef GT_PART
#undef GT_BRAID
#undef GT_SPREAD
#undef GT_SIDE
