/* The loops of factors.c for one element type GT_T. Included once for each; not a header. */

static bool GT_NAME(all_finite)(int64_t n, const GT_T *x)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

static void GT_NAME(symmetric_part)(int64_t n, const GT_T *x, GT_T *y)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            y[i * n + j] = (GT_T)(((double)x[i * n + j] + (double)x[j * n + i]) / 2);
}

static void GT_NAME(upper_triangle)(int64_t n, const GT_T *a, int64_t ld, GT_T *y)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            y[i * n + j] = i <= j ? a[j * ld + i] : 0;
}

static void GT_NAME(clear_above)(int64_t n, GT_T *x)
{
    for (int64_t i = 0; i < n; i++)
        memset(x + i * n + i + 1, 0, (size_t)(n - i - 1) * sizeof *x);
}

static double GT_NAME(diagonal_logarithm)(int64_t n, const GT_T *x, double *sign)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double u = (double)x[i * n + i];
        *sign *= u < 0 ? -1 : u == 0 ? 0 : 1;
        sum += gt_log_f64(fabs(u));
    }
    return sum;
}

static double GT_NAME(diagonal_product)(int64_t n, const GT_T *x, double product)
{
    int exponent = 0;
    for (int64_t i = 0; i < n; i++) {
        int step = 0;
        product = frexp(product * (double)x[i * n + i], &step);
        exponent += step;
    }
    return ldexp(product, exponent);
}

static void GT_NAME(inverse_of_factors)(int64_t rows, int64_t columns, int64_t k, const GT_T *u,
                                        const GT_T *s, const GT_T *vh, double least, GT_T *y)
{
    int64_t kept = 0;
    while (kept < k && (double)s[kept] > least)
        kept++;
    for (int64_t i = 0; i < columns; i++)
        for (int64_t j = 0; j < rows; j++) {
            double sum = 0;
            for (int64_t l = 0; l < kept; l++)
                sum += (double)vh[l * columns + i] * (double)u[j * k + l] / (double)s[l];
            y[i * rows + j] = (GT_T)sum;
        }
}

static void GT_NAME(products_around)(int64_t n, const GT_T *s, double product, double *before,
                                     double *after)
{
    for (int64_t i = 0; i < n; i++) {
        before[i] = product;
        product *= (double)s[i];
    }
    product = 1;
    for (int64_t i = n - 1; i >= 0; i--) {
        after[i] = product;
        product *= (double)s[i];
    }
}

static void GT_NAME(scale_columns_around)(int64_t n, GT_T *x, const double *before,
                                          const double *after)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            x[i * n + j] = (GT_T)((double)x[i * n + j] * before[j] * after[j]);
}

static void GT_NAME(cofactors_of_diagonal)(int64_t n, const GT_T *s, const double *before,
                                           const double *after, const GT_T *h, GT_T *y)
{
    memset(y, 0, (size_t)(n * n) * sizeof *y);
    for (int64_t i = 0; i < n; i++) {
        double between = before[i];
        for (int64_t j = i + 1; j < n; j++) {
            double q = between * after[j];
            between *= (double)s[j];
            y[i * n + i] = (GT_T)((double)y[i * n + i] + q * (double)h[j * n + j]);
            y[i * n + j] = (GT_T)(-q * (double)h[j * n + i]);
            y[j * n + j] = (GT_T)((double)y[j * n + j] + q * (double)h[i * n + i]);
            y[j * n + i] = (GT_T)(-q * (double)h[i * n + j]);
        }
    }
}

#undef GT_T
#undef GT_NAME
