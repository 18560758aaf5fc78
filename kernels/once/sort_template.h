/* Sorting and searching for one type of number: GT_T, whose names GT_NAME makes. Included by orders.c; not a header. */

typedef struct GT_NAME(Key) {
    GT_T x;
    int32_t at;
} GT_NAME(Key);

/* NaN is the largest. */
static bool GT_NAME(less)(GT_T a, GT_T b)
{
    return a < b || (GT_IS_NAN(b) && !GT_IS_NAN(a));
}

/* The next `end - a` of two sorted runs, [a, middle) and [middle, end) of `from`: the second one's only where it must stand
 * before. */
static void GT_NAME(merge)(const GT_NAME(Key) * from, int64_t a, int64_t middle, int64_t end,
                           bool descending, GT_NAME(Key) * to)
{
    int64_t b = middle;
    for (int64_t i = a; i < end; i++) {
        bool second = b < end;
        if (second && a < middle)
            second = descending ? GT_NAME(less)(from[a].x, from[b].x)
                                : GT_NAME(less)(from[b].x, from[a].x);
        to[i] = second ? from[b++] : from[a++];
    }
}

/* Merges of runs of 1, 2, 4, ... numbers: stable. Scratch: 2 n keys. */
static void GT_NAME(sort_row)(const gt_SortJob *job, const void *row, void *values,
                              int32_t *indices, void *scratch)
{
    int64_t n = job->n;
    GT_NAME(Key) *from = scratch, *to = from + n;
    for (int64_t i = 0; i < n; i++)
        from[i] = (GT_NAME(Key)){((const GT_T *)row)[i], (int32_t)i};
    for (int64_t run = 1; run < n; run *= 2) {
        for (int64_t start = 0; start < n; start += 2 * run) {
            int64_t middle = start + run < n ? start + run : n;
            GT_NAME(merge)
            (from, start, middle, middle + run < n ? middle + run : n, job->descending, to);
        }
        GT_NAME(Key) *swap = from;
        from = to;
        to = swap;
    }
    for (int64_t i = 0; i < job->keep; i++) {
        ((GT_T *)values)[i] = from[i].x;
        indices[i] = from[i].at;
    }
}

static void GT_NAME(search)(const gt_SearchJob *job, void *const *at, int64_t begin, int64_t end)
{
    const GT_T *row = at[0], *x = at[1];
    int32_t *y = at[2];
    for (int64_t i = begin; i < end; i++) {
        int64_t low = 0, high = job->n;
        while (low < high) {
            int64_t middle = low + (high - low) / 2;
            if (job->right ? !GT_NAME(less)(x[i], row[middle]) : GT_NAME(less)(row[middle], x[i]))
                low = middle + 1;
            else
                high = middle;
        }
        y[i] = (int32_t)low;
    }
}

#undef GT_IS_NAN
#undef GT_NAME
#undef GT_T
