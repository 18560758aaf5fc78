/* softmax, log_softmax and logsumexp of reduce.c for one element type GT_T. Included once for each;
 * not a header.
 *
 * Rows are taken in groups of about GT_BLOCK numbers, so that one run of exp spans many short rows
 * (ten classes would not fill a vector) and a group stays in the cache from pass to pass. y may be
 * x. */

static inline int64_t GT_NAME(rows_of_group)(int64_t columns)
{
    return columns < GT_BLOCK ? GT_BLOCK / columns : 1;
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
        for (int64_t i = 0; i < count * columns; i++)
            y[i] = GT_FUNCTION(exp)(y[i]);
        for (int64_t r = 0; r < count; r++) {
            GT_T sum = GT_NAME(row_sum)(columns, y + r * columns);
            for (int64_t j = 0; j < columns; j++)
                y[r * columns + j] = y[r * columns + j] / sum;
        }
    }
}

/* highest[r] and log sum exp(x - highest) of one row, in pieces of GT_BLOCK numbers; a highest that
 * is not finite is not taken off, so that infinities come out as themselves. */
static inline GT_T GT_NAME(log_of_sum)(int64_t columns, const GT_T *x, GT_T shift)
{
    GT_T piece[GT_BLOCK], waiting = 0;
    for (int64_t first = 0; first < columns; first += GT_BLOCK) {
        int64_t count = columns - first < GT_BLOCK ? columns - first : GT_BLOCK;
        for (int64_t j = 0; j < count; j++)
            piece[j] = GT_FUNCTION(exp)(x[first + j] - shift);
        waiting += GT_NAME(block_sum)(count, piece);
    }
    return GT_FUNCTION(log)(waiting);
}

static inline GT_T GT_NAME(finite_or_zero)(GT_T x)
{
    return GT_FUNCTION(abs)(x) < (GT_T)INFINITY ? x : (GT_T)0;
}

void GT_KERNEL(GT_NAME(log_softmax))(int64_t rows, int64_t columns, const void *from, void *to)
{
    for (int64_t r = 0; r < rows; r++) {
        const GT_T *x = (const GT_T *)from + r * columns;
        GT_T *y = (GT_T *)to + r * columns;
        GT_T shift = GT_NAME(row_max)(columns, x);
        GT_T log_sum = GT_NAME(log_of_sum)(columns, x, shift);
        GT_INDEPENDENT
        for (int64_t j = 0; j < columns; j++)
            y[j] = (x[j] - shift) - log_sum;
    }
}

void GT_KERNEL(GT_NAME(logsumexp))(int64_t rows, int64_t columns, const void *from, void *to)
{
    for (int64_t r = 0; r < rows; r++) {
        const GT_T *x = (const GT_T *)from + r * columns;
        GT_T shift = GT_NAME(finite_or_zero)(GT_NAME(row_max)(columns, x));
        ((GT_T *)to)[r] = shift + GT_NAME(log_of_sum)(columns, x, shift);
    }
}

#undef GT_T
#undef GT_NAME
#undef GT_FUNCTION
