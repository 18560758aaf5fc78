/* Running sums, products and recurrences of floats, for one element type. Define GT_T, GT_NAME(name) and GT_TOGETHER, the
 * number of elements whose product needs no exponent of its own; then include. Of all functions: `count` elements `step`
 * apart in each of `width` columns beside each other. Leans on scaled.h. */

/* Running sums of floats go on in double: each is as good as if it were computed alone. Of a single
 * column four are computed at a time, so that one sum need not wait for the one before:
 *     y[i + k] = sum + ((x[i] + x[i + 1]) + ... + x[i + k]), k < 4; sum = y[i + 3], not rounded */
static void GT_NAME(running_sum_one)(int64_t count, int64_t step, double sum, const GT_T *x,
                                     GT_T *y)
{
    int64_t i = 0;
    for (; i + 4 <= count; i += 4, x += 4 * step, y += 4 * step) {
        double a = (double)x[0], b = a + (double)x[step], c = b + (double)x[2 * step];
        double d = c + (double)x[3 * step];
        y[0] = (GT_T)(sum + a);
        y[step] = (GT_T)(sum + b);
        y[2 * step] = (GT_T)(sum + c);
        y[3 * step] = (GT_T)(sum += d);
    }
    for (; i < count; i++, x += step, y += step)
        *y = (GT_T)(sum += (double)*x);
}

static void GT_NAME(running_sum)(int64_t count, int64_t width, int64_t step, bool exclusive,
                                 const void *given, void *made)
{
    const GT_T *from = given;
    GT_T *to = made;
    double sum[BESIDE];
    int64_t ahead = exclusive ? 0 : step;
    if (width == 1) {
        to[0] = exclusive ? 0 : from[0];
        GT_NAME(running_sum_one)(count - 1, step, (double)to[0], from + ahead, to + step);
        return;
    }
    for (int64_t column = 0; column < width; column += BESIDE) {
        const GT_T *x = from + column + ahead;
        GT_T *y = to + column;
        int64_t n = width - column < BESIDE ? width - column : BESIDE;
        for (int64_t j = 0; j < n; j++)
            y[j] = (GT_T)(sum[j] = exclusive ? 0 : (double)from[column + j]);
        for (int64_t i = 1; i < count; i++, x += step) {
            y += step;
            for (int64_t j = 0; j < n; j++)
                y[j] = (GT_T)(sum[j] += (double)x[j]);
        }
    }
}

/* Running products of floats do not overflow or underflow on their way either. GT_TOGETHER of them are
 * done in one go where no exponent is needed. */
static void GT_NAME(running_product_one)(int64_t count, int64_t step, bool exclusive, const GT_T *x,
                                         GT_T *y)
{
    gt_Scaled product = {1, 0};
    for (int64_t i = 0; i < count;) {
        int64_t end = count - i < 4 ? count : i + 4;
        double now = product.size;
        const GT_T *from = x + i * step;
        GT_T *to = y + i * step;
        if (product.exponent != 0 || !gt_is_mild(now) || end < i + 4 ||
            (GT_TOGETHER == 1 &&
             !(is_near((double)from[0]) && is_near((double)from[step]) &&
               is_near((double)from[2 * step]) && is_near((double)from[3 * step])))) {
            for (; i < end; i++) {
                gt_Scaled next = gt_times(product, (double)x[i * step]);
                y[i * step] = (GT_T)gt_plain(exclusive ? product : next);
                product = next;
            }
            continue;
        }
        double a = (double)from[0], b = a * (double)from[step];
        double c = b * (double)from[2 * step], d = c * (double)from[3 * step];
        to[0] = (GT_T)(exclusive ? now : now * a);
        to[step] = (GT_T)(now * (exclusive ? a : b));
        to[2 * step] = (GT_T)(now * (exclusive ? b : c));
        to[3 * step] = (GT_T)(now * (exclusive ? c : d));
        product.size = now * d;
        i = end;
    }
}

static void GT_NAME(running_product)(int64_t count, int64_t width, int64_t step, bool exclusive,
                                     const void *given, void *made)
{
    const GT_T *from = given;
    GT_T *to = made;
    double size[BESIDE];
    int64_t exponent[BESIDE];
    for (int64_t column = 0; column < width && width > 1; column += BESIDE) {
        const GT_T *x = from + column;
        GT_T *y = to + column;
        int64_t n = width - column < BESIDE ? width - column : BESIDE;
        bool mild = true;
        for (int64_t j = 0; j < n; j++) {
            size[j] = 1;
            exponent[j] = 0;
        }
        for (int64_t i = 0; i < count; i++, x += step, y += step) {
            if (i % GT_TOGETHER == 0) {
                mild = true;
                for (int64_t j = 0; j < n; j++)
                    mild &= exponent[j] == 0 && gt_is_mild(size[j]) &&
                            (GT_TOGETHER > 1 || gt_is_mild((double)x[j]));
            }
            for (int64_t j = 0; j < n && mild; j++) {
                double next = size[j] * (double)x[j];
                y[j] = (GT_T)(exclusive ? size[j] : next);
                size[j] = next;
            }
            for (int64_t j = 0; j < n && !mild; j++) {
                gt_Scaled now = {size[j], exponent[j]}, next = gt_times(now, (double)x[j]);
                y[j] = (GT_T)gt_plain(exclusive ? now : next);
                size[j] = next.size;
                exponent[j] = next.exponent;
            }
        }
    }
    if (width == 1)
        GT_NAME(running_product_one)(count, step, exclusive, from, to);
}

/* y[i] = b[i] + a[i] y[i-1], in double: a product, rounded, and a sum, rounded. */
static void GT_NAME(recur)(int64_t count, int64_t width, int64_t step, const GT_T *a, const GT_T *b,
                           GT_T *y)
{
    double now[BESIDE];
    for (int64_t column = 0; column < width; column += BESIDE) {
        int64_t n = width - column < BESIDE ? width - column : BESIDE;
        for (int64_t j = column; j < column + n; j++)
            y[j] = (GT_T)(now[j - column] = (double)b[j]);
        for (int64_t i = 1; i < count; i++)
            for (int64_t j = 0; j < n; j++) {
                int64_t at = i * step + column + j;
                now[j] = (double)b[at] + (double)a[at] * now[j];
                y[at] = (GT_T)now[j];
            }
    }
}

#undef GT_T
#undef GT_NAME
#undef GT_TOGETHER
