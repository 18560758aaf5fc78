/* The sum of n elements beside each other, or of rows `stride` apart for each of some columns, as doubles. Of fewer than 32
 * each half is a chain. Else blocks of 4096: of floats 64 chains of floats, at most 16 rows of them long, two rows joined
 * first, four chains joined in twos into 16 chains of doubles; of doubles 32 chains. Chains are joined by halves, blocks in
 * pairs as they come. Columns: blocks of 32 rows, the first row, then four rows joined in twos, then the rest one by one;
 * those of floats are added in order as doubles, those of doubles in pairs. needs: prelude */
static GT_REAL GT_P(sum_few)(gt_size n, const GT_REAL *x)
{
    GT_REAL first = 0, second = 0;
    for (gt_size i = 0; i < n / 2; i++) {
        first = first + x[i];
        second = second + x[n / 2 + i];
    }
    return (n % 2 ? first + x[n - 1] : first) + second;
}

static double GT_P(sum_block)(gt_size n, const GT_REAL *x)
{
    enum { LANES = GT_DOUBLE ? 32 : 16, ROW = 64 };
    double lane[LANES] = {0};
    gt_size i = 0;
    if (n < 32)
        return (double)GT_P(sum_few)(n, x);
    while (!GT_DOUBLE && i + ROW <= n) {
        GT_REAL run[ROW] = {0};
        gt_size end = n - i < 16 * ROW ? n : i + 16 * ROW;
        for (; i + ROW <= end; i += i + 2 * ROW <= end ? 2 * ROW : ROW)
            for (int l = 0; l < ROW; l++)
                run[l] += i + 2 * ROW <= end ? x[i + l] + x[i + ROW + l] : x[i + l];
        for (int l = 0; l < LANES; l++)
            lane[l] += (double)((run[l] + run[l + LANES]) + (run[l + 2 * LANES] + run[l + 3 * LANES]));
    }
    for (int l = 0; i < n; i++, l = (l + 1) % LANES)
        lane[l] += (double)x[i];
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

/* Puts the result of block number `block`, from 1, to those that wait; returns how many wait then. */
static int GT_P(sum_join)(gt_size block, double *waiting, int levels)
{
    for (; (block & 1) == 0; block >>= 1, levels--)
        waiting[levels - 2] += waiting[levels - 1];
    return levels;
}

GT_EMIT double GT_P(sum_row)(gt_size n, const GT_REAL *x)
{
    double waiting[48];
    int levels = 0;
    if (n <= 4096)
        return GT_P(sum_block)(n, x);
    for (gt_size i = 0, block = 1; i < n; i += 4096, block++) {
        waiting[levels++] = GT_P(sum_block)(n - i < 4096 ? n - i : 4096, x + i);
        levels = GT_P(sum_join)(block, waiting, levels);
    }
    for (; levels > 1; levels--)
        waiting[levels - 2] += waiting[levels - 1];
    return waiting[0];
}

GT_EMIT double GT_P(sum_column)(gt_size rows, gt_size stride, const GT_REAL *x)
{
    double waiting[48] = {0}, all = 0;
    int levels = 0;
    for (gt_size from = 0, block = 1; from < rows; from += 32, block++) {
        gt_size end = rows - from < 32 ? rows : from + 32, r = from + 1;
        GT_REAL sum = x[from * stride];
        for (; r + 4 <= end; r += 4)
            sum = sum + ((x[r * stride] + x[(r + 1) * stride]) + (x[(r + 2) * stride] + x[(r + 3) * stride]));
        for (; r < end; r++)
            sum = sum + x[r * stride];
        all += (double)sum;
        waiting[levels++] = (double)sum;
        levels = GT_P(sum_join)(block, waiting, levels);
    }
    for (; levels > 1; levels--)
        waiting[levels - 2] += waiting[levels - 1];
    return GT_DOUBLE ? waiting[0] : all;
}
