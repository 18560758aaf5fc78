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
    return columns < 32 && rows >= 8;
}

/* The sums of a group of rows, many at once where they are short; and the highest numbers, NaN if there is one. */
static void GT_NAME(totals)(int64_t rows, int64_t columns, const GT_T *x, GT_T *y)
{
    double sum[GT_GROUP];
    const bool few = GT_NAME(are_short)(rows, columns);
    if (few)
        GT_KERNEL(GT_NAME(few_rows_sum))(rows, columns, x, sum);
    for (int64_t r = 0; r < rows; r++)
        y[r] = few ? (GT_T)sum[r] : (GT_T)GT_NAME(row_sum)(columns, x + r * columns);
}

static void GT_NAME(highest)(int64_t rows, int64_t columns, const GT_T *x, GT_T *y)
{
    if (GT_NAME(are_short)(rows, columns)) {
        GT_FEW_MAX(rows, columns, x, y);
        return;
    }
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

void GT_KERNEL(GT_NAME(softmax))(int64_t rows, int64_t columns, const void *from, void *to)
{
    if (columns <= 0)
        return;
    if (columns == 1) { /* e^0 / e^0, or NaN */
        GT_INDEPENDENT
        for (int64_t r = 0; r < rows; r++)
            ((GT_T *)to)[r] = (((const GT_T *)from)[r] - ((const GT_T *)from)[r]) + 1;
        return;
    }
    GT_T of[GT_GROUP], wide[GT_GROUP];
    const int64_t group = GT_NAME(rows_of_group)(columns);
    for (int64_t first = 0; first < rows; first += group) {
        int64_t count = rows - first < group ? rows - first : group;
        const GT_T *x = (const GT_T *)from + first * columns;
        GT_T *y = (GT_T *)to + first * columns;
        GT_NAME(highest)(count, columns, x, of);
        GT_NAME(less)(count, columns, x, of, y);
        GT_KERNEL(GT_NAME(exp))(count * columns, y, y);
        GT_NAME(totals)(count, columns, y, of);
        if (GT_NAME(are_short)(count, columns)) {
            GT_SPREAD(count, columns, of, wide);
            for (int64_t i = 0; i < count * columns; i++)
                y[i] = y[i] / wide[i];
            continue;
        }
        for (int64_t r = 0; r < count; r++)
            for (int64_t j = 0; j < columns; j++)
                y[r * columns + j] = y[r * columns + j] / of[r];
    }
}

/* log_sum[r] = log sum exp(x[r, :] - shift[r]) of a group of rows. */
static void GT_NAME(log_sums)(int64_t rows, int64_t columns, const GT_T *x, const GT_T *shift,
                              GT_T *log_sum)
{
    GT_T piece[GT_GROUP]; /* all rows, or a part of the one long row */
    if (columns <= GT_GROUP) {
        GT_NAME(less)(rows, columns, x, shift, piece);
        GT_KERNEL(GT_NAME(exp))(rows * columns, piece, piece);
        GT_NAME(totals)(rows, columns, piece, log_sum);
    } else {
        double sum = 0;
        for (int64_t first = 0; first < columns; first += GT_GROUP) {
            int64_t count = columns - first < GT_GROUP ? columns - first : GT_GROUP;
            for (int64_t j = 0; j < count; j++)
                piece[j] = x[first + j] - shift[0];
            GT_KERNEL(GT_NAME(exp))(count, piece, piece);
            sum += GT_NAME(row_sum)(count, piece);
        }
        log_sum[0] = (GT_T)sum;
    }
    GT_KERNEL(GT_NAME(log))(rows, log_sum, log_sum);
}

void GT_KERNEL(GT_NAME(log_softmax))(int64_t rows, int64_t columns, const void *from, void *to)
{
    GT_T shift[GT_GROUP], log_sum[GT_GROUP];
    if (columns <= 0)
        return;
    const int64_t group = GT_NAME(rows_of_group)(columns);
    for (int64_t first = 0; first < rows; first += group) {
        int64_t count = rows - first < group ? rows - first : group;
        const GT_T *x = (const GT_T *)from + first * columns;
        GT_T *y = (GT_T *)to + first * columns;
        GT_NAME(highest)(count, columns, x, shift);
        GT_NAME(log_sums)(count, columns, x, shift, log_sum);
        GT_NAME(less)(count, columns, x, shift, y);
        GT_NAME(less)(count, columns, y, log_sum, y);
    }
}

/* A highest number that is not finite is not taken off, so that infinities come out as
 * themselves. */
void GT_KERNEL(GT_NAME(logsumexp))(int64_t rows, int64_t columns, const void *from, void *to)
{
    GT_T shift[GT_GROUP], log_sum[GT_GROUP];
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
        GT_NAME(highest)(count, columns, x, shift);
        for (int64_t r = 0; r < count; r++)
            shift[r] = GT_FUNCTION(abs)(shift[r]) < (GT_T)INFINITY ? shift[r] : (GT_T)0;
        GT_NAME(log_sums)(count, columns, x, shift, log_sum);
        for (int64_t r = 0; r < count; r++)
            y[r] = shift[r] + log_sum[r];
    }
}

#undef GT_T
#undef GT_NAME
#undef GT_FUNCTION
#undef GT_FEW_MAX
#undef GT_SPREAD
