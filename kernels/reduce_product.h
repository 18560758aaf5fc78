/* The product of floats of type GT_T, as a gt_Scaled: a size and an exponent of two beside it, so
 * that neither overflows or underflows on the way to a result that does not. Included by
 * reduce_template.h; not a header.
 *
 * Each factor is taken apart (gt_split in loops.h): sizes within [1, 2) are multiplied, exponents
 * added. 512 such sizes fit a double; then their product is taken apart. Order: the lanes of a row
 * (8 of float, each of which gets the product of four at a time; 32 of double), combined by halving,
 * block after block; a column from top to bottom. */

/* At most GT_BLOCK factors. */
static GT_NOINLINE gt_Scaled GT_NAME(prod_block)(int64_t n, const GT_T *x)
{
    enum { LANES = GT_REAL == 32 ? 8 : 32 };
    double size[LANES];
    int64_t exponent[LANES];
    int64_t i = 0;
    for (int l = 0; l < LANES; l++) {
        size[l] = 1;
        exponent[l] = 0;
    }
#if GT_REAL == 32
    for (; i + 4 * LANES <= n; i += 4 * LANES) { /* four floats fit a double */
        for (int l = 0; l < LANES; l++) {
            const double two = (double)x[i + l] * (double)x[i + LANES + l];
            const double more = (double)x[i + 2 * LANES + l] * (double)x[i + 3 * LANES + l];
            const gt_Scaled factor = gt_split(two * more, false);
            size[l] *= factor.size;
            exponent[l] += factor.exponent;
        }
    }
#endif
    for (; i + LANES <= n; i += LANES) {
        for (int l = 0; l < LANES; l++) {
            gt_Scaled factor = gt_split((double)x[i + l], GT_REAL == 64);
            size[l] *= factor.size;
            exponent[l] += factor.exponent;
        }
    }
    for (int l = 0; i + l < n; l++) {
        gt_Scaled factor = gt_split((double)x[i + l], GT_REAL == 64);
        size[l] *= factor.size;
        exponent[l] += factor.exponent;
    }
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; l++) {
            gt_Scaled product = gt_split(size[l] * size[l + half], false);
            size[l] = product.size;
            exponent[l] += exponent[l + half] + product.exponent;
        }
    }
    return (gt_Scaled){size[0], exponent[0]};
}

/* Are all of n factors between 2^-most and 2^most, or 0? */
static bool GT_NAME(are_mild)(int64_t n, const GT_T *x, int64_t most)
{
    most = GT_REAL == 32 && most > 100 ? 100 : most;
    const GT_T low = (GT_T)gt_from_bits_f64((uint64_t)(1023 - most) << 52), high = 1 / low;
    GT_I wild = 0;
    for (int64_t i = 0; i < n; i++) {
        const GT_T a = GT_REAL == 32 ? (GT_T)fabsf((float)x[i]) : (GT_T)fabs((double)x[i]);
        wild |= !(((a >= low) & (a <= high)) | (a == 0)) ? (GT_I)1 : (GT_I)0;
    }
    return wild == 0;
}

/* Rows of fewer than 32: the lanes of many rows beside each other. Four floats never meet there; and where there are fewer factors
 * than lanes, the lanes without one would multiply by 1. */
void GT_KERNEL(GT_NAME(few_rows_prod))(int64_t rows, int64_t n, const void *from, void *to)
{
    enum { LANES = GT_REAL == 32 ? 8 : 32, MOST = 1024 };
    const int64_t used = n < LANES ? n : LANES;
    const int64_t ld = n <= 8 ? MOST / 8 : MOST / 32; /* as many rows at once */
    const GT_T *x = from;
    gt_Scaled *y = to;
    GT_T turned[MOST];
    double size[MOST];
    int64_t exponent[MOST], half = 1;
    while (2 * half < used)
        half *= 2;
    for (; rows > 0; rows -= ld, x += n * ld, y += ld) {
        const int64_t count = rows < ld ? rows : ld;
        if (count < ld)
            memset(turned, 0, (size_t)(n * ld) * sizeof *turned);
        GT_PART(count, n, x, turned, ld);
        for (int64_t i = 0; i < n; i++) {
            const GT_T *factors = turned + i * ld;
            double *into = size + i % LANES * ld;
            int64_t *too = exponent + i % LANES * ld;
            for (int64_t j = 0; j < ld; j++) {
                const gt_Scaled factor = gt_split((double)factors[j], GT_REAL == 64);
                into[j] = i < LANES ? factor.size : into[j] * factor.size;
                too[j] = i < LANES ? factor.exponent : too[j] + factor.exponent;
            }
        }
        for (int64_t wide = half; wide > 0 && wide < used; wide /= 2) {
            const int64_t pairs = (used - wide < wide ? used - wide : wide) * ld;
            for (int64_t k = 0; k < pairs; k++) {
                const gt_Scaled product = gt_split(size[k] * size[k + wide * ld], false);
                size[k] = product.size;
                exponent[k] += exponent[k + wide * ld] + product.exponent;
            }
        }
        for (int64_t j = 0; j < count; j++)
            y[j] = (gt_Scaled){size[j], exponent[j]};
    }
}

/* The same, finished, where no product can leave the range of a double on the way: nothing is taken apart, for powers of two change
 * no rounding. Of up to eight floats none does: the last product alone may become so small, and then it is 0 as a float. False: others
 * may. */
bool GT_KERNEL(GT_NAME(few_plain_products))(int64_t rows, int64_t n, const void *from, void *to)
{
    enum {
        LANES = GT_REAL == 32 ? 8 : 32,
        MOST = 1024,
        TYPE = GT_REAL == 32 ? GT_LOOP_F32 : GT_LOOP_F64
    };
    gt_BinaryLoop *const multiply = GT_KERNEL(kernels).binary[GT_LOOP_MULTIPLY][GT_LOOP_F64];
    const GT_T *x = from;
    GT_T *y = to, turned[MOST];
    double size[MOST];
    int64_t half = 1;
    while (2 * half < n && 2 * half < LANES)
        half *= 2;
    for (int64_t count; rows > 0; rows -= count, x += n * count, y += count) {
        count = rows < MOST / n ? rows : MOST / n;
        if ((GT_REAL == 64 || n > 8) && !GT_NAME(are_mild)(count * n, x, 1000 / n))
            return false;
        GT_PART(count, n, x, turned, count);
        GT_KERNEL(kernels).cast[TYPE][GT_LOOP_F64](n * count, turned, size);
        for (int64_t i = LANES; i < n; i += LANES)
            multiply((n - i < LANES ? n - i : LANES) * count, size, 1, size + i * count, 1, size);
        for (int64_t used = n < LANES ? n : LANES, wide = half; wide > 0 && used > 1; wide /= 2) {
            multiply((used - wide) * count, size, 1, size + wide * count, 1, size);
            used = wide;
        }
        GT_KERNEL(kernels).cast[GT_LOOP_F64][TYPE](count, size, y);
    }
    return true;
}

void GT_KERNEL(GT_NAME(reduce_prod))(int64_t n, const void *from, void *to)
{
    const GT_T *x = from;
    gt_Scaled product = {1, 0};
    for (int64_t i = 0; i < n; i += GT_BLOCK)
        product = gt_scaled_product(
            product, GT_NAME(prod_block)(n - i < GT_BLOCK ? n - i : GT_BLOCK, x + i));
    *(gt_Scaled *)to = product;
}

void GT_KERNEL(GT_NAME(reduce_columns_prod))(int64_t rows, int64_t columns, int64_t stride,
                                             const void *from, void *to)
{
    enum { WIDTH = 64, HEIGHT = 512 };
    double size[WIDTH];
    int64_t exponent[WIDTH];
    for (int64_t first = 0; first < columns; first += WIDTH) {
        const int64_t width = columns - first < WIDTH ? columns - first : WIDTH;
        gt_Scaled *y = (gt_Scaled *)to + first;
        GT_ROLLED
        for (int64_t j = 0; j < width; j++) {
            size[j] = 1;
            exponent[j] = 0;
        }
        for (int64_t r = 0; r < rows; r++) {
            const GT_T *x = (const GT_T *)from + first + r * stride;
            GT_ROLLED
            for (int64_t j = 0; j < width; j++) {
                gt_Scaled factor = gt_split((double)x[j], GT_REAL == 64);
                size[j] *= factor.size;
                exponent[j] += factor.exponent;
            }
            for (int64_t j = 0; j < width && r % HEIGHT == HEIGHT - 1; j++) {
                gt_Scaled product = gt_split(size[j], false);
                size[j] = product.size;
                exponent[j] += product.exponent;
            }
        }
        GT_ROLLED
        for (int64_t j = 0; j < width; j++) {
            y[j] = gt_split(size[j], false);
            y[j].exponent += exponent[j];
        }
    }
}
