/* The cross-entropies of loss.c for one element type GT_T. Included once for each; not a header. */

#ifndef GT_RARE_ELSEWHERE
/* n elements: y = -|x|, then y = softplus(y), then y + (max(x, 0) - x t), the product rounded
 * first: no term cancels. */
static void GT_NAME(sigmoid_crossentropy)(int64_t n, const GT_T *t, const GT_T *x, GT_T *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = -GT_ABS(x[i]);
    GT_KERNEL(GT_NAME(softplus))(n, y, y);
    for (int64_t i = 0; i < n; i++)
        y[i] += (x[i] > 0 ? x[i] : 0) - x[i] * t[i];
}
#endif

/* y[r] = sum over the classes of t * -log_p, as GT_LOOP_SUM adds, in double and rounded once. Where
 * t is 0 nothing counts, not even -inf. log_p is overwritten. */
static void GT_NAME(weighted)(int64_t rows, int64_t classes, const GT_T *t, GT_T *log_p, GT_T *y)
{
    for (int64_t i = 0; i < rows * classes; i++)
        log_p[i] = t[i] == 0 ? 0 : t[i] * -log_p[i];
    for (int64_t r = 0; r < rows; r++) {
        double total;
        GT_KERNEL_RARE(GT_NAME(reduce_sum))(classes, log_p + r * classes, &total);
        y[r] = (GT_T)total;
    }
}

/* y[r] = -((x[label] - shift) - log_sum), as of log_softmax, for rows from `row` on; 0 where the label is ignored. */
static void GT_NAME(pick)(const gt_LogitsJob *job, const void *labels, int64_t row, int64_t count,
                          const GT_T *x, const GT_T *shift, const GT_T *log_sum, GT_T *y)
{
    for (int64_t r = 0; r < count; r++, x += job->classes) {
        const int64_t label = gt_integer(labels, job->label_type, row + r);
        y[row + r] = label == job->ignored ? 0 : -((x[label] - shift[r]) - log_sum[r]);
    }
}

static void GT_NAME(sparse_losses)(const gt_LogitsJob *job, void *const *at, int64_t row,
                                   int64_t end)
{
    GT_T shift[GT_TERMS], log_sum[GT_TERMS];
    for (int64_t some; row < end; row += some) {
        const GT_T *x = (const GT_T *)at[1] + row * job->classes;
        some = GT_KERNEL(GT_NAME(log_softmax_terms))(end - row, job->classes, x, shift, log_sum);
        GT_NAME(pick)(job, at[0], row, some, x, shift, log_sum, at[2]);
    }
}

/* y, which holds softmax(x): 1 is taken off at the label, then each element is multiplied by the
 * row's g; all of them at once where that is the same and no label is ignored. */
static void GT_NAME(slope)(const gt_LogitsJob *job, void *const *at, int64_t row, int64_t count,
                           GT_T *y)
{
    const GT_T *g = (const GT_T *)at[2] + row;
    const int64_t classes = job->classes;
    bool even = true;
    for (int64_t r = 0; r < count; r++) {
        const int64_t label = gt_integer(at[0], job->label_type, row + r);
        even &= (label != job->ignored) & (g[r] == g[0]);
        if (label != job->ignored)
            y[r * classes + label] -= 1;
    }
    const int64_t rows = even ? 1 : count, width = even ? count * classes : classes;
    for (int64_t r = 0; r < rows; r++, y += width) {
        const GT_T factor = g[r];
        if (!even && gt_integer(at[0], job->label_type, row + r) == job->ignored)
            memset(y, 0, (size_t)width * sizeof *y);
        else
            for (int64_t j = 0; j < width; j++)
                y[j] *= factor;
    }
}

static void GT_NAME(sparse_slopes)(const gt_LogitsJob *job, void *const *at, int64_t row,
                                   int64_t end)
{
    GT_T shift[GT_TERMS], log_sum[GT_TERMS];
    const bool losses = job->loss >= 0;
    for (int64_t some; row < end; row += some) {
        const GT_T *x = (const GT_T *)at[1] + row * job->classes;
        GT_T *y = (GT_T *)at[job->slope] + row * job->classes;
        some = GT_KERNEL(GT_NAME(softmax_terms))(end - row, job->classes, x, y, losses, shift,
                                                 log_sum);
        if (losses)
            GT_NAME(pick)(job, at[0], row, some, x, shift, log_sum, at[job->loss]);
        GT_NAME(slope)(job, at, row, some, y);
    }
}

#undef GT_T
#undef GT_ABS
#undef GT_NAME
