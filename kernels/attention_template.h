/* Scores to probabilities and back, attend.h, for one element type GT_T. Included once for each; not a header. Lanes are queries,
 * so that nothing is ever summed across a vector. */

/* The scores of some keys, `keys` a constant where this is inlined: e = exp(score - most), added to part, key after key. */
GT_INLINE void GT_NAME(add_exps)(const int keys, GT_T *row, const GT_T *most, GT_T *part)
{
#if GT_WIDE
    /* All vectors take turns: each by itself would wait for its own operations. */
    enum { WIDE = 64 / (int)sizeof(GT_T), VECTORS = GT_ATTEND_LANES / WIDE };
    GT_V e[2 * VECTORS];
    GT_UNROLL
    for (int i = 0; i < keys * VECTORS; i++)
        e[i] = GT_W(sub)(GT_W(loadu)(row + i * WIDE), GT_W(loadu)(most + i % VECTORS * WIDE));
    GT_UNROLL
    for (int i = 0; i < keys * VECTORS; i++)
        e[i] = GT_NAME(gt_wide_exp)(e[i]);
    GT_UNROLL
    for (int i = 0; i < keys * VECTORS; i++) {
        GT_T *sum = part + i % VECTORS * WIDE;
        GT_W(storeu)(sum, GT_W(add)(GT_W(loadu)(sum), e[i]));
        GT_W(storeu)(row + i * WIDE, e[i]);
    }
#else
    for (int key = 0; key < keys; key++, row += GT_ATTEND_LANES) {
        GT_INDEPENDENT
        for (int i = 0; i < GT_ATTEND_LANES; i++) {
            const GT_T e = GT_NAME(gt_exp)(row[i] - most[i]);
            part[i] += e;
            row[i] = e;
        }
    }
#endif
}

static void GT_NAME(probabilities)(int64_t n, void *scores)
{
    enum { PART = 64 }; /* keys whose sum is kept in GT_T */
    GT_T *s = scores, most[GT_ATTEND_LANES], part[GT_ATTEND_LANES];
    double sum[GT_ATTEND_LANES] = {0};
    memcpy(most, s, sizeof most);
    for (int64_t j = 1; j < n; j++)
        for (int i = 0; i < GT_ATTEND_LANES; i++)
            most[i] = s[j * GT_ATTEND_LANES + i] > most[i] ? s[j * GT_ATTEND_LANES + i] : most[i];
    for (int64_t from = 0; from < n; from += PART) {
        const int64_t end = n - from < PART ? n : from + PART;
        memset(part, 0, sizeof part);
        int64_t j = from;
        for (; GT_TWO_KEYS && j + 2 <= end; j += 2)
            GT_NAME(add_exps)(2, s + j * GT_ATTEND_LANES, most, part);
        for (; j < end; j++)
            GT_NAME(add_exps)(1, s + j * GT_ATTEND_LANES, most, part);
        for (int i = 0; i < GT_ATTEND_LANES; i++)
            sum[i] += (double)part[i];
    }
    for (int i = 0; i < GT_ATTEND_LANES; i++)
        part[i] = (GT_T)(1 / sum[i]);
    for (int64_t j = 0; j < n; j++)
        for (int i = 0; i < GT_ATTEND_LANES; i++)
            s[j * GT_ATTEND_LANES + i] *= part[i];
}

static void GT_NAME(scores_back)(int64_t n, const void *probabilities, void *arrived)
{
    enum { PART = 64 };
    const GT_T *p = probabilities;
    GT_T *d = arrived, part[GT_ATTEND_LANES];
    double sum[GT_ATTEND_LANES] = {0};
    for (int64_t from = 0; from < n; from += PART) {
        const int64_t end = n - from < PART ? n : from + PART;
        memset(part, 0, sizeof part);
        for (int64_t j = from; j < end; j++)
            for (int i = 0; i < GT_ATTEND_LANES; i++)
                part[i] += p[j * GT_ATTEND_LANES + i] * d[j * GT_ATTEND_LANES + i];
        for (int i = 0; i < GT_ATTEND_LANES; i++)
            sum[i] += (double)part[i];
    }
    for (int i = 0; i < GT_ATTEND_LANES; i++)
        part[i] = (GT_T)sum[i];
    for (int64_t j = 0; j < n; j++) {
        const GT_T *own = p + j * GT_ATTEND_LANES;
        GT_T *row = d + j * GT_ATTEND_LANES;
        GT_INDEPENDENT
        for (int i = 0; i < GT_ATTEND_LANES; i++)
            row[i] = own[i] * (row[i] - part[i]);
    }
}

#undef GT_T
#undef GT_NAME
#undef GT_TWO_KEYS
#undef GT_V
#undef GT_W
