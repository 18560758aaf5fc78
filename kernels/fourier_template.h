/* The loops of fourier.c for one element type, GT_T. Included once for each; not a header. */

typedef struct GT_NAME(gt_number) {
    GT_T re, im;
} GT_NAME(gt_number);
#define NUMBER GT_NAME(gt_number)

static inline NUMBER GT_NAME(plus)(NUMBER a, NUMBER b)
{
    return (NUMBER){a.re + b.re, a.im + b.im};
}
static inline NUMBER GT_NAME(minus)(NUMBER a, NUMBER b)
{
    return (NUMBER){a.re - b.re, a.im - b.im};
}
static inline NUMBER GT_NAME(times)(NUMBER a, NUMBER b)
{
    return (NUMBER){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
static inline NUMBER GT_NAME(scaled)(NUMBER a, GT_T factor)
{
    return (NUMBER){a.re * factor, a.im * factor};
}
/* -i a */
static inline NUMBER GT_NAME(turned)(NUMBER a)
{
    return (NUMBER){a.im, -a.re};
}

/* What stands at row j of x, and what goes to row k of y. The first number of every transform, and
 * all of the last pass, has twiddles of 1. */
#define AT(j) ((NUMBER){x_re[q + (j)*apart], x_im[q + (j)*apart]})
#define PUT(k, number)                                                                             \
    do {                                                                                           \
        NUMBER put = number;                                                                       \
        if (twiddled && (k) > 0)                                                                   \
            put = GT_NAME(times)(put, w[(k) > 0 ? (k)-1 : 0]);                                     \
        y_re[q + (k)*s] = put.re;                                                                  \
        y_im[q + (k)*s] = put.im;                                                                  \
    } while (0)
#define BUTTERFLY(name)                                                                            \
    GT_INLINE void GT_NAME(name)(bool twiddled, int64_t s, int64_t apart, const NUMBER *w,         \
                                 const GT_T *restrict x_re, const GT_T *restrict x_im,             \
                                 GT_T *restrict y_re, GT_T *restrict y_im)

BUTTERFLY(radix_2)
{
    GT_INDEPENDENT
    for (int64_t q = 0; q < s; q++) {
        NUMBER a = AT(0), b = AT(1);
        PUT(0, GT_NAME(plus)(a, b));
        PUT(1, GT_NAME(minus)(a, b));
    }
}

BUTTERFLY(radix_3)
{
    const GT_T sin_60 = (GT_T)0.86602540378443864676;
    GT_INDEPENDENT
    for (int64_t q = 0; q < s; q++) {
        NUMBER a = AT(0), b = AT(1), c = AT(2);
        NUMBER sum = GT_NAME(plus)(b, c);
        NUMBER mean = GT_NAME(minus)(a, GT_NAME(scaled)(sum, (GT_T)0.5));
        NUMBER side = GT_NAME(turned)(GT_NAME(scaled)(GT_NAME(minus)(b, c), sin_60));
        PUT(0, GT_NAME(plus)(a, sum));
        PUT(1, GT_NAME(plus)(mean, side));
        PUT(2, GT_NAME(minus)(mean, side));
    }
}

BUTTERFLY(radix_4)
{
    GT_INDEPENDENT
    for (int64_t q = 0; q < s; q++) {
        NUMBER a = AT(0), b = AT(1), c = AT(2), d = AT(3);
        NUMBER even = GT_NAME(plus)(a, c), odd = GT_NAME(plus)(b, d);
        NUMBER mean = GT_NAME(minus)(a, c), side = GT_NAME(turned)(GT_NAME(minus)(b, d));
        PUT(0, GT_NAME(plus)(even, odd));
        PUT(1, GT_NAME(plus)(mean, side));
        PUT(2, GT_NAME(minus)(even, odd));
        PUT(3, GT_NAME(minus)(mean, side));
    }
}

BUTTERFLY(radix_5)
{
    const GT_T cos_72 = (GT_T)0.30901699437494742410, cos_144 = (GT_T)-0.80901699437494742410;
    const GT_T sin_72 = (GT_T)0.95105651629515357212, sin_144 = (GT_T)0.58778525229247312917;
    GT_INDEPENDENT
    for (int64_t q = 0; q < s; q++) {
        NUMBER a = AT(0), b = AT(1), c = AT(2), d = AT(3), e = AT(4);
        NUMBER outer = GT_NAME(plus)(b, e), inner = GT_NAME(plus)(c, d);
        NUMBER far = GT_NAME(minus)(b, e), near = GT_NAME(minus)(c, d);
        NUMBER mean_1 = GT_NAME(plus)(
            a, GT_NAME(plus)(GT_NAME(scaled)(outer, cos_72), GT_NAME(scaled)(inner, cos_144)));
        NUMBER mean_2 = GT_NAME(plus)(
            a, GT_NAME(plus)(GT_NAME(scaled)(outer, cos_144), GT_NAME(scaled)(inner, cos_72)));
        NUMBER side_1 = GT_NAME(turned)(
            GT_NAME(plus)(GT_NAME(scaled)(far, sin_72), GT_NAME(scaled)(near, sin_144)));
        NUMBER side_2 = GT_NAME(turned)(
            GT_NAME(minus)(GT_NAME(scaled)(far, sin_144), GT_NAME(scaled)(near, sin_72)));
        PUT(0, GT_NAME(plus)(a, GT_NAME(plus)(outer, inner)));
        PUT(1, GT_NAME(plus)(mean_1, side_1));
        PUT(2, GT_NAME(plus)(mean_2, side_2));
        PUT(3, GT_NAME(minus)(mean_2, side_2));
        PUT(4, GT_NAME(minus)(mean_1, side_1));
    }
}

/* Any odd radix r, by its definition; x[j] and x[r - j] go together, and so do y[k] and y[r - k]. A
 * line of the cache at a time, whether or not there are that many columns left. */
#define COLUMNS (64 / (int64_t)sizeof(GT_T))
#define HALF    (GT_FOURIER_RADIX / 2 + 1)
static GT_NOINLINE void GT_NAME(radix_odd)(int64_t radix, int64_t s, int64_t apart, const NUMBER *w,
                                           const NUMBER *root, const GT_T *x_re, const GT_T *x_im,
                                           GT_T *y_re, GT_T *y_im)
{
    GT_T sum_re[HALF][COLUMNS], sum_im[HALF][COLUMNS];
    GT_T side_re[HALF][COLUMNS], side_im[HALF][COLUMNS];
    const bool twiddled = true;
    for (int64_t first = 0; first < s; first += COLUMNS) {
        const int64_t end = s - first < COLUMNS ? s : first + COLUMNS;
        for (int64_t j = 0; j <= radix / 2; j++) {
            for (int64_t i = end - first; i < COLUMNS; i++)
                sum_re[j][i] = sum_im[j][i] = side_re[j][i] = side_im[j][i] = 0;
            for (int64_t q = first; q < end; q++) {
                NUMBER a = AT(j), b = AT(j ? radix - j : 0);
                NUMBER sum = GT_NAME(plus)(a, b), side = GT_NAME(turned)(GT_NAME(minus)(a, b));
                sum_re[j][q - first] = j ? sum.re : a.re;
                sum_im[j][q - first] = j ? sum.im : a.im;
                side_re[j][q - first] = side.re;
                side_im[j][q - first] = side.im;
            }
        }
        for (int64_t k = 0; k <= radix / 2; k++) {
            GT_T a_re[COLUMNS], a_im[COLUMNS], b_re[COLUMNS] = {0}, b_im[COLUMNS] = {0};
            memcpy(a_re, sum_re[0], sizeof a_re);
            memcpy(a_im, sum_im[0], sizeof a_im);
            for (int64_t j = 1, at = 0; j <= radix / 2; j++) {
                at += at + k < radix ? k : k - radix; /* j k modulo the radix */
                const GT_T c = root[at].re, sine = root[at].im;
                for (int64_t i = 0; i < COLUMNS; i++) {
                    a_re[i] += sum_re[j][i] * c;
                    a_im[i] += sum_im[j][i] * c;
                    b_re[i] += side_re[j][i] * sine;
                    b_im[i] += side_im[j][i] * sine;
                }
            }
            for (int64_t q = first; q < end; q++) {
                NUMBER mean = {a_re[q - first], a_im[q - first]};
                NUMBER side = {b_re[q - first], b_im[q - first]};
                PUT(k, GT_NAME(plus)(mean, side));
                if (k > 0)
                    PUT(radix - k, GT_NAME(minus)(mean, side));
            }
        }
    }
}

/* Each column by itself, in the order of the butterfly of its radix; radix_odd: sums from j = 1 on, each product
 * rounded before it is added. */
void GT_KERNEL(GT_NAME(fourier_pass))(const gt_FourierPass *pass, const void *from_re,
                                      const void *from_im, void *to_re, void *to_im)
{
    const int64_t radix = pass->radix, s = pass->s, apart = pass->step * pass->m;
    const NUMBER *w = pass->twiddles;
    const GT_T *x_re = from_re, *x_im = from_im;
    GT_T *y_re = to_re, *y_im = to_im;
    for (int64_t p = 0; p < pass->m; p++) {
        if (radix == 4 && p == 0)
            GT_NAME(radix_4)(false, s, apart, w, x_re, x_im, y_re, y_im);
        else if (radix == 4)
            GT_NAME(radix_4)(true, s, apart, w, x_re, x_im, y_re, y_im);
        else if (radix == 2)
            GT_NAME(radix_2)(true, s, apart, w, x_re, x_im, y_re, y_im);
        else if (radix == 3)
            GT_NAME(radix_3)(true, s, apart, w, x_re, x_im, y_re, y_im);
        else if (radix == 5)
            GT_NAME(radix_5)(true, s, apart, w, x_re, x_im, y_re, y_im);
        else
            GT_NAME(radix_odd)(radix, s, apart, w, pass->roots, x_re, x_im, y_re, y_im);
        x_re += pass->step;
        x_im += pass->step;
        y_re += radix * s;
        y_im += radix * s;
        w += radix - 1;
    }
}

/* Each column by itself: sum and difference, the difference times w (two products, their sum or difference), then one
 * sum and one product with c. */
void GT_KERNEL(GT_NAME(fourier_fold))(const gt_FourierFold *fold, const void *from_re,
                                      const void *from_im, void *to_re, void *to_im)
{
    const int64_t h = fold->h, lanes = fold->lanes;
    const NUMBER *w = fold->w;
    for (int64_t k = 0; k <= h / 2; k++) {
        const NUMBER u = {fold->inverse ? w[k].re : -w[k].re, -w[k].im};
        const GT_T c = (GT_T)(k ? fold->between : fold->ends);
        const int64_t a = k * lanes, b = (k || fold->inverse ? h - k : 0) * lanes,
                      mirror = (h - k) * lanes;
        const GT_T *a_re = (const GT_T *)from_re + a, *a_im = (const GT_T *)from_im + a;
        const GT_T *b_re = (const GT_T *)from_re + b, *b_im = (const GT_T *)from_im + b;
        GT_T *y_re = (GT_T *)to_re + a, *y_im = (GT_T *)to_im + a;
        GT_T *z_re = (GT_T *)to_re + mirror, *z_im = (GT_T *)to_im + mirror;
        GT_INDEPENDENT
        for (int64_t q = 0; q < lanes; q++) {
            NUMBER sum = {a_re[q] + b_re[q], a_im[q] - b_im[q]};
            NUMBER difference = {a_re[q] - b_re[q], a_im[q] + b_im[q]};
            NUMBER side = GT_NAME(turned)(GT_NAME(times)(difference, u));
            y_re[q] = (sum.re - side.re) * c;
            y_im[q] = (sum.im - side.im) * c;
            z_re[q] = (sum.re + side.re) * c;
            z_im[q] = (sum.im + side.im) * -c;
        }
    }
}

/* Each column by itself: two products, rounded, and their sum or difference, for each part. */
void GT_KERNEL(GT_NAME(fourier_multiply))(int64_t rows, int64_t lanes, int64_t step,
                                          const void *factors, const void *from_re,
                                          const void *from_im, void *to_re, void *to_im)
{
    const NUMBER *w = factors;
    for (int64_t p = 0; p < rows; p++) {
        const NUMBER factor = w[p];
        const GT_T *x_re = (const GT_T *)from_re + step * p;
        const GT_T *x_im = (const GT_T *)from_im + step * p;
        GT_T *y_re = (GT_T *)to_re + lanes * p, *y_im = (GT_T *)to_im + lanes * p;
        GT_INDEPENDENT
        for (int64_t q = 0; q < lanes; q++) {
            NUMBER y = GT_NAME(times)((NUMBER){x_re[q], x_im[q]}, factor);
            y_re[q] = y.re;
            y_im[q] = y.im;
        }
    }
}

#undef NUMBER
#undef AT
#undef PUT
#undef BUTTERFLY
#undef COLUMNS
#undef HALF
#undef GT_T
#undef GT_NAME
