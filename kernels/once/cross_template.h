/* The loop of cross.c for one element type GT_T, computed in GT_WIDE_T. Included once for each; not a header. */

/* n vectors; a, b and c step by sa, sb and sc from one to the next, and by the job's `along` within one. An element is a
 * product minus a product, each rounded. */
static void GT_NAME(cross)(const gt_CrossJob *job, int64_t n, const GT_T *a, int64_t sa,
                           const GT_T *b, int64_t sb, GT_T *c, int64_t sc)
{
    const int64_t *along = job->along;
    for (int64_t i = 0; i < n; i++, a += sa, b += sb, c += sc) {
        const GT_WIDE_T a0 = (GT_WIDE_T)a[0], a1 = (GT_WIDE_T)a[along[0]],
                        a2 = (GT_WIDE_T)a[2 * along[0]];
        const GT_WIDE_T b0 = (GT_WIDE_T)b[0], b1 = (GT_WIDE_T)b[along[1]],
                        b2 = (GT_WIDE_T)b[2 * along[1]];
        c[0] = (GT_T)(a1 * b2 - a2 * b1);
        c[along[2]] = (GT_T)(a2 * b0 - a0 * b2);
        c[2 * along[2]] = (GT_T)(a0 * b1 - a1 * b0);
    }
}

#undef GT_T
#undef GT_WIDE_T
#undef GT_NAME
