/* Activations that need more than one loop over x, or a number of their own; softmax along any
 * axis. Leans on functions.h and the loops of the table. */
#include "functions.h"

/* Elements of which the parts stay in the first cache from one loop to the next. */
enum { BLOCK = 1024 };

typedef struct Block {
    uint8_t type;
    int64_t n;
} Block;

static void each(const Block *block, gt_UnaryLoopId id, const void *x, void *y)
{
    GT_KERNEL(kernels).unary[id][block->type](block->n, x, y);
}

static void both(const Block *block, gt_BinaryLoopId id, const void *a, const void *b, void *y)
{
    GT_KERNEL(kernels).binary[id][block->type](block->n, a, 1, b, 1, y);
}

/* With one number, which is rounded to the element type first. */
static void with(const Block *block, gt_BinaryLoopId id, const void *x, double number, void *y)
{
    const float single = (float)number;
    const void *b = block->type == GT_LOOP_F32 ? (const void *)&single : (const void *)&number;
    GT_KERNEL(kernels).binary[id][block->type](block->n, x, 1, b, 0, y);
}

/* y may be x. */
typedef void BlockBody(const gt_ActivationJob *job, const Block *block, const void *x, void *y);

static size_t element_of(const gt_ActivationJob *job)
{
    return job->type == GT_LOOP_F32 ? sizeof(float) : sizeof(double);
}

/* Behind the last element of the tiles before `last`. */
static int64_t end_of(const gt_ActivationJob *job, int64_t last)
{
    return last * GT_TILE_ELEMENTS < job->size ? last * GT_TILE_ELEMENTS : job->size;
}

static void in_blocks(const gt_ActivationJob *job, void *const *at, int64_t first, int64_t last,
                      BlockBody *body)
{
    const size_t element = element_of(job);
    const int64_t end = end_of(job, last);
    for (int64_t i = first * GT_TILE_ELEMENTS; i < end; i += BLOCK) {
        const Block block = {job->type, end - i < BLOCK ? end - i : BLOCK};
        const size_t offset = (size_t)i * element;
        body(job, &block, (const char *)at[0] + offset, (char *)at[1] + offset);
    }
}

/* leaky_relu: x where x > 0, else slope x, the slope rounded to the element type. */
static void leaky_relu_block(const gt_ActivationJob *job, const Block *block, const void *from,
                             void *to)
{
    if (block->type == GT_LOOP_F32) {
        const float *x = from, slope = (float)job->slope;
        float *y = to;
        GT_INDEPENDENT
        for (int64_t i = 0; i < block->n; i++)
            y[i] = x[i] > 0 ? x[i] : slope * x[i];
    } else {
        const double *x = from, slope = job->slope;
        double *y = to;
        GT_INDEPENDENT
        for (int64_t i = 0; i < block->n; i++)
            y[i] = x[i] > 0 ? x[i] : slope * x[i];
    }
}

/* y[i] from x[i] alone, as leaky_relu_block says: one product. Any order of tiles. */
void GT_KERNEL(tiles_leaky_relu)(const void *job, void *const *at, int64_t first, int64_t last,
                                 void *scratch)
{
    (void)scratch;
    in_blocks(job, at, first, last, leaky_relu_block);
}

/* silu: s = sigmoid(x), rounded; y = x s. */
static void silu_block(const gt_ActivationJob *job, const Block *block, const void *x, void *y)
{
    double s[BLOCK];
    (void)job;
    each(block, GT_LOOP_SIGMOID, x, s);
    both(block, GT_LOOP_MULTIPLY, x, s, y);
}

/* y[i] from x[i] alone, as silu_block says; any order of tiles. */
void GT_KERNEL(tiles_silu)(const void *job, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    (void)scratch;
    in_blocks(job, at, first, last, silu_block);
}

/* ---- gelu, and its slope times what arrives ---- */

/* Approximate: the normal distribution function as s = 1 / (1 + e^-2u), u = x (LINEAR + CUBIC x^2), which is (1 + tanh u) / 2
 * without what that cancels below 0. The slope is s + x s (1 - s) 2u'. 1 + e^-2u by the loops of the table. */
static void gelu_sum(const Block *block, const void *x, void *t)
{
    each(block, GT_LOOP_SQUARE, x, t);
    with(block, GT_LOOP_MULTIPLY, t, -2 * GT_GELU_CUBIC, t);
    with(block, GT_LOOP_ADD, t, -2 * GT_GELU_LINEAR, t);
    both(block, GT_LOOP_MULTIPLY, x, t, t);
    each(block, GT_LOOP_EXP, t, t);
    with(block, GT_LOOP_ADD, t, 1, t);
}

/* The same operations on floats at once, sixteen where there are such vectors; but not in the base build, which is for old
 * processors. */
#if GT_WIDE
typedef __m512 Floats;
#define FLOAT(c)       _mm512_set1_ps((float)(c))
#define PLUS(a, b)     _mm512_add_ps(a, b)
#define MINUS(a, b)    _mm512_sub_ps(a, b)
#define TIMES(a, b)    _mm512_mul_ps(a, b)
#define OVER(a, b)     _mm512_div_ps(a, b)
#define FUSED(a, b, c) _mm512_fmadd_ps(a, b, c)
#define EXP(x)         gt_wide_exp_f32(x)
#define SIZE(x)        _mm512_min_ps(_mm512_abs_ps(x), FLOAT(FAR))
#define BELOW_0(x)     _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ)
#define IF(m, a, b)    _mm512_mask_blend_ps(m, b, a)
typedef __mmask16 Choice;
#elif !GT_IS_TRUE_BASE
typedef float Floats;
#define FLOAT(c)       ((float)(c))
#define PLUS(a, b)     ((a) + (b))
#define MINUS(a, b)    ((a) - (b))
#define TIMES(a, b)    ((a) * (b))
#define OVER(a, b)     ((a) / (b))
#define FUSED(a, b, c) gt_fma_f32(a, b, c)
#define EXP(x)         gt_exp_f32(x)
#define SIZE(x)        (fabsf(x) < FAR ? fabsf(x) : (float)FAR)
#define BELOW_0(x)     ((x) < 0)
#define IF(m, a, b)    ((m) ? (a) : (b))
typedef bool Choice;
#endif

/* Where the normal distribution function is 0 as a float. */
#define FAR 16

#if !GT_IS_TRUE_BASE
GT_INLINE Floats gelu_sum_f32(Floats x, Floats square)
{
    const Floats inner = FUSED(square, FLOAT(-2 * GT_GELU_CUBIC), FLOAT(-2 * GT_GELU_LINEAR));
    return PLUS(FLOAT(1), EXP(TIMES(x, inner)));
}

GT_INLINE Floats gelu_f32(Floats x)
{
    return OVER(x, gelu_sum_f32(x, TIMES(x, x)));
}

GT_INLINE Floats gelu_slope_f32(Floats g, Floats x)
{
    const Floats square = TIMES(x, x), s = OVER(FLOAT(1), gelu_sum_f32(x, square));
    const Floats bend = FUSED(square, FLOAT(6 * GT_GELU_CUBIC), FLOAT(2 * GT_GELU_LINEAR));
    return TIMES(g, FUSED(TIMES(TIMES(MINUS(FLOAT(1), s), s), x), bend, s));
}

#define FIRST(c) Floats p = FLOAT(c);
#define NEXT(c)  p = FUSED(p, t, FLOAT(c));
/* The normal distribution function at -y is tail e: e = e^(y^2 -1/2), tail = t p(t) + t p(t) lost, t = 1 / (1 + 0.3 y), where `lost`
 * makes up for what rounding y^2 loses. */
GT_INLINE Floats normal_tail(Floats y, Floats *e, Floats *lost)
{
    const Floats square = TIMES(y, y), t = OVER(FLOAT(1), FUSED(y, FLOAT(0.3), FLOAT(1)));
    GT_SERIES_NORMAL_TAIL_F32(FIRST, NEXT)
    *lost = TIMES(FUSED(y, y, MINUS(FLOAT(0), square)), FLOAT(-0.5));
    *e = EXP(TIMES(square, FLOAT(-0.5)));
    p = TIMES(p, t);
    return FUSED(p, *lost, p);
}

GT_INLINE Floats gelu_exact_f32(Floats x)
{
    const Choice below = BELOW_0(x);
    const Floats y = SIZE(x);
    Floats e, lost;
    const Floats tail = normal_tail(y, &e, &lost);
    const Floats part = TIMES(TIMES(IF(below, x, y), tail), e);
    return IF(below, part, MINUS(x, part));
}

GT_INLINE Floats gelu_exact_slope_f32(Floats g, Floats x)
{
    const Choice below = BELOW_0(x);
    Floats e, lost;
    const Floats tail = normal_tail(SIZE(x), &e, &lost), part = TIMES(tail, e);
    const Floats density = TIMES(FUSED(e, lost, e), FLOAT(GT_GELU_DENSITY));
    return TIMES(g, FUSED(x, density, IF(below, part, MINUS(FLOAT(1), part))));
}

/* y[i] = gelu_f32(x[i]); with `slope`, gelu_slope_f32(up[i], x[i]); the exact ones with `exact`. Both are constants where this is
 * inlined. */
GT_INLINE Floats gelu_any(const bool slope, const bool exact, Floats up, Floats x)
{
    if (exact)
        return slope ? gelu_exact_slope_f32(up, x) : gelu_exact_f32(x);
    return slope ? gelu_slope_f32(up, x) : gelu_f32(x);
}
#endif

#if GT_WIDE
GT_INLINE void gelu_floats(const bool slope, const bool exact, int64_t n, const float *up,
                           const float *x, float *y)
{
    enum { WIDE = 16, MOST = 4 };
    /* All vectors take turns: each by itself would wait for its own operations. The exact ones are long. Loads wait for a masked
     * store before them. */
    const int some = exact ? 1 : MOST;
    for (; n > 0; n -= some * WIDE, x += some * WIDE, y += some * WIDE) {
        const bool whole = n >= some * WIDE;
        const uint64_t rest = whole ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1;
        Floats from[MOST], g[MOST];
        GT_UNROLL
        for (int i = 0; i < some; i++) {
            const __mmask16 lanes = (__mmask16)(rest >> WIDE * i);
            from[i] =
                whole ? _mm512_loadu_ps(x + WIDE * i) : _mm512_maskz_loadu_ps(lanes, x + WIDE * i);
            g[i] = !slope  ? from[i]
                   : whole ? _mm512_loadu_ps(up + WIDE * i)
                           : _mm512_maskz_loadu_ps(lanes, up + WIDE * i);
        }
        GT_UNROLL
        for (int i = 0; i < some; i++)
            from[i] = gelu_any(slope, exact, g[i], from[i]);
        GT_UNROLL
        for (int i = 0; i < some; i++)
            if (whole)
                _mm512_storeu_ps(y + WIDE * i, from[i]);
            else
                _mm512_mask_storeu_ps(y + WIDE * i, (__mmask16)(rest >> WIDE * i), from[i]);
        up += slope ? some * WIDE : 0;
    }
}
#elif !GT_IS_TRUE_BASE
GT_INLINE void gelu_floats(const bool slope, const bool exact, int64_t n, const float *up,
                           const float *x, float *y)
{
    GT_INDEPENDENT
    for (int64_t i = 0; i < n; i++)
        y[i] = gelu_any(slope, exact, slope ? up[i] : x[i], x[i]);
}
#endif

/* Whether the block is of floats, which are done at once; `up` is NULL where no slope is wanted. */
static bool gelu_of_floats(const Block *block, bool exact, const void *up, const void *x, void *y)
{
#if GT_IS_TRUE_BASE
    (void)block, (void)exact, (void)up, (void)x, (void)y;
    return false;
#else
    if (block->type != GT_LOOP_F32)
        return false;
    if (up && exact)
        gelu_floats(true, true, block->n, up, x, y);
    else if (up)
        gelu_floats(true, false, block->n, up, x, y);
    else if (exact)
        gelu_floats(false, true, block->n, NULL, x, y);
    else
        gelu_floats(false, false, block->n, NULL, x, y);
    return true;
#endif
}

static void gelu_near(const Block *block, const void *from, void *to)
{
    double t[BLOCK];
    gelu_sum(block, from, t);
    both(block, GT_LOOP_DIVIDE, from, t, to);
}

static void gelu_near_gradient(const Block *block, const void *up, const void *from, void *to)
{
    double s[BLOCK], t[BLOCK], bend[BLOCK];
    gelu_sum(block, from, s);
    each(block, GT_LOOP_RECIPROCAL, s, s);
    each(block, GT_LOOP_NEGATIVE, s, t);
    with(block, GT_LOOP_ADD, t, 1, t);
    both(block, GT_LOOP_MULTIPLY, t, s, t);
    both(block, GT_LOOP_MULTIPLY, t, from, t);
    each(block, GT_LOOP_SQUARE, from, bend);
    with(block, GT_LOOP_MULTIPLY, bend, 6 * GT_GELU_CUBIC, bend);
    with(block, GT_LOOP_ADD, bend, 2 * GT_GELU_LINEAR, bend);
    both(block, GT_LOOP_MULTIPLY, t, bend, t);
    both(block, GT_LOOP_ADD, t, s, t);
    both(block, GT_LOOP_MULTIPLY, up, t, to);
}

/* Twice the normal distribution function: erfc(-x / sqrt(2)). */
static void twice_below(const Block *block, const void *x, void *t)
{
    with(block, GT_LOOP_MULTIPLY, x, -0.70710678118654752440, t);
    each(block, GT_LOOP_ERFC, t, t);
}

static void gelu_block(const gt_ActivationJob *job, const Block *block, const void *x, void *y)
{
    double t[BLOCK];
    if (gelu_of_floats(block, job->exact, NULL, x, y))
        return;
    if (!job->exact) {
        gelu_near(block, x, y);
        return;
    }
    twice_below(block, x, t);
    with(block, GT_LOOP_MULTIPLY, x, 0.5, y);
    both(block, GT_LOOP_MULTIPLY, y, t, y);
}

/* y[i] from x[i] alone. Approximate: x / (1 + e^(x (x^2 -2 CUBIC + -2 LINEAR))); exact: (x / 2) erfc(x -1/sqrt(2)), of
 * floats but in the base build by normal_tail. Every product and sum is rounded, from the inside out, but of floats a product and the
 * sum with it once where products are fused; the constants are rounded first. Any order of tiles. */
void GT_KERNEL(tiles_gelu)(const void *job, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    (void)scratch;
    in_blocks(job, at, first, last, gelu_block);
}

/* to may be g or x. */
static void gelu_gradient_block(const gt_ActivationJob *job, const Block *block, const void *g,
                                const void *x, void *to)
{
    double t[BLOCK], d[BLOCK];
    if (gelu_of_floats(block, job->exact, g, x, to))
        return;
    if (!job->exact) {
        gelu_near_gradient(block, g, x, to);
        return;
    }
    twice_below(block, x, t);
    with(block, GT_LOOP_MULTIPLY, t, 0.5, t);
    each(block, GT_LOOP_SQUARE, x, d);
    with(block, GT_LOOP_MULTIPLY, d, -0.5, d);
    each(block, GT_LOOP_EXP, d, d);
    with(block, GT_LOOP_MULTIPLY, d, GT_GELU_DENSITY, d);
    both(block, GT_LOOP_MULTIPLY, x, d, d);
    both(block, GT_LOOP_ADD, t, d, t);
    both(block, GT_LOOP_MULTIPLY, g, t, to);
}

/* g[i] times the slope at x[i]. Approximate, s = 1 / (1 + e^(as in gelu)): ((1 - s) s x) (x^2 6 CUBIC + 2 LINEAR) + s; exact:
 * erfc(x -1/sqrt(2)) / 2 + x (e^(x^2 -1/2) DENSITY), of floats but in the base build by normal_tail. Every product and sum is
 * rounded, from the left, from the inside out, but of floats a product and the sum with it once where products are fused; the
 * constants are rounded first. Any order of tiles. */
void GT_KERNEL(tiles_gelu_gradient)(const void *given, void *const *at, int64_t first, int64_t last,
                                    void *scratch)
{
    const gt_ActivationJob *job = given;
    const size_t element = element_of(job);
    const int64_t end = end_of(job, last);
    (void)scratch;
    for (int64_t i = first * GT_TILE_ELEMENTS; i < end; i += BLOCK) {
        const Block block = {job->type, end - i < BLOCK ? end - i : BLOCK};
        const size_t offset = (size_t)i * element;
        gelu_gradient_block(job, &block, (const char *)at[0] + offset, (const char *)at[1] + offset,
                            (char *)at[2] + offset);
    }
}

/* ---- softmax: each row of n by the row loops of softmax_template.h, which say the order ---- */

static void row_tiles(const gt_SoftmaxJob *job, gt_RowsLoop *loop, void *const *at, int64_t first,
                      int64_t last)
{
    int64_t begin = first * job->block, end = last * job->block;
    if (end > job->outer)
        end = job->outer;
    const size_t offset = (size_t)(begin * job->n) * job->element;
    loop(end - begin, job->n, (const char *)at[job->from] + offset, (char *)at[job->to] + offset);
}

static void column_tiles(const gt_SoftmaxJob *job, gt_RowsLoop *loop, void *const *at,
                         int64_t first, int64_t last, void *scratch)
{
    const int64_t n = job->n, inner = job->inner;
    const int move = job->element == sizeof(float) ? 2 : 3;
    char *rows = scratch, *done = rows + (size_t)(n * job->block) * job->element;
    for (int64_t tile = first; tile < last; tile++) {
        int64_t column = tile % job->blocks * job->block;
        int64_t count = inner - column < job->block ? inner - column : job->block;
        const size_t offset = (size_t)(tile / job->blocks * n * inner + column) * job->element;
        GT_KERNEL(kernels).transpose[move](n, count, (const char *)at[job->from] + offset, inner,
                                           rows, n);
        loop(count, n, rows, done);
        GT_KERNEL(kernels).transpose[move](count, n, done, n, (char *)at[job->to] + offset, inner);
    }
}

static void run_rows(const gt_SoftmaxJob *job, gt_RowsLoop *loop, void *const *at, int64_t first,
                     int64_t last, void *scratch)
{
    if (job->inner == 1)
        row_tiles(job, loop, at, first, last);
    else
        column_tiles(job, loop, at, first, last, scratch);
}

/* Each row by itself: x less the largest, e^ of that, the sum of those in the order of reduce.c, rounded, then each
 * divided by it. Any order of tiles. */
void GT_KERNEL(tiles_softmax)(const void *given, void *const *at, int64_t first, int64_t last,
                              void *scratch)
{
    const gt_SoftmaxJob *job = given;
    run_rows(job, GT_KERNEL(kernels).softmax[job->type], at, first, last, scratch);
}

/* Each row by itself: x less the largest, less the logarithm of the sum of e^ of that, which is added in the order of
 * reduce.c and rounded. Any order of tiles. */
void GT_KERNEL(tiles_log_softmax)(const void *given, void *const *at, int64_t first, int64_t last,
                                  void *scratch)
{
    const gt_SoftmaxJob *job = given;
    run_rows(job, GT_KERNEL(kernels).log_softmax[job->type], at, first, last, scratch);
}
