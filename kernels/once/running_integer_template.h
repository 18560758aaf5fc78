/* Running sums and products of integers, which wrap, for one element type. Define GT_T, GT_U, the type without sign that
 * is computed in, and GT_NAME(name), then include. Leans on loops.h. */

/* `count` elements `step` apart in each of `width` columns beside each other. */
GT_INLINE void GT_NAME(run)(const bool multiplies, int64_t count, int64_t width, int64_t step,
                            bool exclusive, const GT_T *x, GT_T *y)
{
    for (int64_t j = 0; j < width; j++)
        y[j] = exclusive ? (GT_T)multiplies : x[j];
    const GT_T *next = exclusive ? x : x + step;
    for (int64_t i = 1; i < count; i++, y += step, next += step)
        for (int64_t j = 0; j < width; j++)
            y[step + j] =
                (GT_T)(multiplies ? (GT_U)y[j] * (GT_U)next[j] : (GT_U)y[j] + (GT_U)next[j]);
}

static void GT_NAME(running_sum)(int64_t count, int64_t width, int64_t step, bool exclusive,
                                 const void *x, void *y)
{
    GT_NAME(run)(false, count, width, step, exclusive, x, y);
}

static void GT_NAME(running_product)(int64_t count, int64_t width, int64_t step, bool exclusive,
                                     const void *x, void *y)
{
    GT_NAME(run)(true, count, width, step, exclusive, x, y);
}

#undef GT_T
#undef GT_U
#undef GT_NAME
