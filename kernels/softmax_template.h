/* softmax, log_softmax and logsumexp of reduce.c for one element type GT_T. Included once for each;
 * not a header.
 *
 * Rows are taken in groups of about GT_GROUP numbers, so that one run of exp spans many short rows
 * (ten classes would not fill a vector) and a group stays in the cache from pass to pass. y may be
 * x. */

static inline int64_t GT_NAME(rows_of_group)(int64_t columns)
{
    return columns < GT_GROUP ? GT_GROUP / columns : 1;
}

/* The sum of a row, which is often short. */
static inline GT_T GT_NAME(row_total)(int64_t columns, const GT_T *x)
{
    return columns < 32 ? (GT_T)GT_NAME(few_sum)(columns, x) : (GT_T)GT_NAME(row_sum)(columns, x);
}

void GT_KERNEL(GT_NAME(softmax))(int64_t rows, int64_t columns, const void *from, void *to)
{
    if (columns <= 0)
        return;
    const int64_t group = GT_NAME(rows_of_group)(columns);
    for (int64_t first = 0; first < rows; first += group) {
        int64_t count = rows - first < group ? rows - first : group;
        const GT_T *x = (const GT_T *)from + first * columns;
        GT_T *y = (GT_T *)to + first * columns;
        for (int64_t r = 0; r < count; r++) {
            GT_T highest = GT_NAME(row_max)(columns, x + r * columns);
            GT_INDEPENDENT
            for (int64_t j = 0; j < columns; j++)
                y[r * columns + j] = x[r * columns + j] - highest;
        }
        GT_KERNEL(GT_NAME(exp))(count * columns, y, y);
        for (int64_t r = 0; r < count; r++) {
            const GT_T sum = GT_NAME(row_total)(columns, y + r * columns);
            for (int64_t j = 0; j < columns; j++)
                y[r * columns + j] = y[r * columns + j] / sum;
        }
    }
}

/* log_sum[r] = log sum exp(x[r, :] - shift[r]) of a group of rows. */
static void GT_NAME(log_sums)(int64_t rows, int64_t columns, const GT_T *x, const GT_T *shift,
                              GT_T *log_sum)
{
    GT_T piece[GT_GROUP]; /* all rows, or a part of the one long row */
    if (columns <= GT_GROUP) {
        int64_t row = 0;
        do { /* there is a row, and a column: without one, gcc warns of `piece` */
            int64_t j = 0;
            do
                piece[row * columns + j] = x[row * columns + j] - shift[row];
            while (++j < columns);
        } while (++row < rows);
        GT_KERNEL(GT_NAME(exp))(rows * columns, piece, piece);
        for (int64_t r = 0; r < rows; r++)
            log_sum[r] = GT_NAME(row_total)(columns, piece + r * columns);
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
        for (int64_t r = 0; r < count; r++)
            shift[r] = GT_NAME(row_max)(columns, x + r * columns);
        GT_NAME(log_sums)(count, columns, x, shift, log_sum);
        for (int64_t r = 0; r < count; r++) {
            GT_INDEPENDENT
            for (int64_t j = 0; j < columns; j++)
                y[r * columns + j] = (x[r * columns + j] - shift[r]) - log_sum[r];
        }
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
    const int64_t group = GT_NAME(rows_of_group)(columns);
    for (int64_t first = 0; first < rows; first += group) {
        int64_t count = rows - first < group ? rows - first : group;
        const GT_T *x = (const GT_T *)from + first * columns;
        GT_T *y = (GT_T *)to + first;
        for (int64_t r = 0; r < count; r++) {
            GT_T highest = GT_NAME(row_max)(columns, x + r * columns);
            shift[r] = GT_FUNCTION(abs)(highest) < (GT_T)INFINITY ? highest : (GT_T)0;
        }
        GT_NAME(log_sums)(count, columns, x, shift, log_sum);
        for (int64_t r = 0; r < count; r++)
            y[r] = shift[r] + log_sum[r];
    }
}

#undef GT_T
#undef GT_NAME
#undef GT_FUNCTION
