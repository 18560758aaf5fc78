/* The position of the largest or the smallest element of columns, for one element type. Define GT_T, GT_NAME(name) and
 * GT_IS_NAN(x), then include. Leans on loops.h. */

/* x (count, width), rows `inner` apart. The first NaN beats every number and every later one. */
GT_INLINE void GT_NAME(find)(const gt_ArgJob *job, const bool largest, int64_t width, const GT_T *x,
                             int32_t *y)
{
    GT_T best[GT_ARG_STRIP];
    memcpy(best, x, (size_t)width * sizeof *x);
    memset(y, 0, (size_t)width * sizeof *y);
    for (int64_t i = 1; i < job->count; i++)
        for (int64_t j = 0; j < width; j++) {
            GT_T next = x[i * job->inner + j];
            if ((largest ? next > best[j] : next < best[j]) ||
                (GT_IS_NAN(next) && !GT_IS_NAN(best[j]))) {
                best[j] = next;
                y[j] = (int32_t)i;
            }
        }
}

static void GT_NAME(columns)(const gt_ArgJob *job, int64_t width, const void *x, int32_t *y)
{
    if (job->largest)
        GT_NAME(find)(job, true, width, x, y);
    else
        GT_NAME(find)(job, false, width, x, y);
}

#undef GT_T
#undef GT_NAME
