/* The lattices of ctc.c for one element type GT_T. Included once for each; not a header. */

/* One step: from (n), e (n), skips (n) -> to (n), with scratch `ways` of 3 n.
 *
 * For each state s the ways are from[s], from[s - 1] and, where skips[s], from[s - 2]; the largest
 * of them, m, is taken off before e^x (where all are -inf it is 0), and waits in `to`. Then to = m
 * + log((w0 + w1) + w2) + e, each w rounded by the exp loop, the sum of three from the left, m
 * added to the logarithm first. */
static void GT_NAME(forward_step)(int64_t n, const GT_T *from, const GT_T *e, const uint8_t *skips,
                                  GT_T *to, GT_T *ways)
{
    const GT_T none = (GT_T)-INFINITY;
    for (int64_t s = 0; s < n; s++) {
        GT_T stay = from[s], step = s > 0 ? from[s - 1] : none;
        GT_T skip = s > 1 && skips[s] ? from[s - 2] : none;
        GT_T most = stay > step ? stay : step;
        most = skip > most ? skip : most;
        to[s] = most == none ? 0 : most;
        ways[s] = stay - to[s];
        ways[n + s] = step - to[s];
        ways[2 * n + s] = skip - to[s];
    }
    GT_KERNEL(GT_NAME(exp))(3 * n, ways, ways);
    for (int64_t s = 0; s < n; s++)
        ways[s] += ways[n + s] + ways[2 * n + s];
    GT_KERNEL_RARE(GT_NAME(log))(n, ways, ways);
    for (int64_t s = 0; s < n; s++)
        to[s] += ways[s] + e[s];
}

static void GT_NAME(forward)(const gt_LatticeJob *job, void *const *at, int64_t row, void *scratch)
{
    const int64_t n = job->states;
    const GT_T *e = (const GT_T *)at[1] + row * job->steps * n;
    const uint8_t *skips = (const uint8_t *)at[2] + row * n;
    GT_T *y = (GT_T *)at[3] + row * (job->steps + 1) * n;
    memcpy(y, (const GT_T *)at[0] + row * n, (size_t)n * sizeof *y);
    for (int64_t t = 0; t < job->steps; t++, y += n, e += n)
        GT_NAME(forward_step)(n, y, e, skips, y + n, scratch);
}

/* Row by row, in place after y = b: y[t + 1, s] += u[t, s] y[t, s], then v y[t, s - 1], then w y[t,
 * s - 2], each product rounded before it is added; in reverse from the last t down, y[t, s] += u[t,
 * s] y[t + 1, s], then y[t, s - 1] and y[t, s - 2]. */
static void GT_NAME(band)(const gt_LatticeJob *job, void *const *at, int64_t row)
{
    const int64_t n = job->states, steps = job->steps, of_w = row * steps * n,
                  of_b = of_w + row * n;
    GT_T *y = (GT_T *)at[4] + of_b;
    memcpy(y, (const GT_T *)at[0] + of_b, (size_t)((steps + 1) * n) * sizeof *y);
    for (int64_t step = 0; step < steps; step++) {
        const int64_t t = job->reverse ? steps - 1 - step : step, i = of_w + t * n;
        const GT_T *u = (const GT_T *)at[1] + i, *v = (const GT_T *)at[2] + i;
        const GT_T *w = (const GT_T *)at[3] + i;
        GT_T *low = y + t * n, *high = low + n;
        if (job->reverse) {
            for (int64_t s = 0; s < n; s++)
                low[s] += u[s] * high[s];
            for (int64_t s = 1; s < n; s++)
                low[s - 1] += v[s] * high[s];
            for (int64_t s = 2; s < n; s++)
                low[s - 2] += w[s] * high[s];
        } else {
            for (int64_t s = 0; s < n; s++)
                high[s] += u[s] * low[s];
            for (int64_t s = 1; s < n; s++)
                high[s] += v[s] * low[s - 1];
            for (int64_t s = 2; s < n; s++)
                high[s] += w[s] * low[s - 2];
        }
    }
}

#undef GT_T
#undef GT_NAME
