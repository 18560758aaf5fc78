/* The discrete Fourier transform of any length: its tables, and columns at work. See kernels/transform.h. Leans on the
 * loops of a table that the caller names. */
#include "kernels/transform.h"

#include <string.h>

/* A transform at work. */
typedef struct Transform {
    const gt_Transform *plan;
    const gt_KernelTable *kernels;
    const char *tables;
} Transform;

/* ---- the tables ---- */

/* e^(-2 pi i k / n): cosines and sines of an eighth of the circle, in steps of a quarter that is
 * whole. */
typedef struct Roots {
    int64_t step, quarter;
    double *cos, *sin;
} Roots;

/* 16 (n / 2 + 1) bytes of room are enough. */
static Roots roots_of(const gt_KernelTable *kernels, int64_t n, char *room)
{
    Roots roots = {.step = n % 4 == 0 ? 1 : n % 2 == 0 ? 2 : 4};
    roots.quarter = n * roots.step / 4;
    int64_t count = roots.quarter / 2 + 1;
    roots.cos = (double *)(void *)room;
    roots.sin = roots.cos + count;
    for (int64_t i = 0; i < count; i++)
        roots.sin[i] = (double)i * 1.57079632679489661923 / (double)roots.quarter;
    kernels->unary[GT_LOOP_COS][GT_LOOP_F64](count, roots.sin, roots.cos);
    kernels->unary[GT_LOOP_SIN][GT_LOOP_F64](count, roots.sin, roots.sin);
    return roots;
}

static void store(const Transform *t, char *table, int64_t i, double re, double im)
{
    if (t->plan->type == GT_LOOP_F32) {
        ((float *)(void *)table)[2 * i] = (float)re;
        ((float *)(void *)table)[2 * i + 1] = (float)im;
    } else {
        ((double *)(void *)table)[2 * i] = re;
        ((double *)(void *)table)[2 * i + 1] = im;
    }
}

/* Number i of a table: the root k, 0 <= k < n, with its parts times `re` and `im`. */
static void store_root(const Transform *t, const Roots *roots, int64_t k, double re, double im,
                       char *table, int64_t i)
{
    int64_t at = k * roots->step, quarter = roots->quarter;
    int turns = 0;
    for (; at >= quarter; at -= quarter)
        turns++;
    bool mirrored = 2 * at > quarter;
    at = mirrored ? quarter - at : at;
    double c = mirrored ? roots->sin[at] : roots->cos[at];
    double s = mirrored ? roots->cos[at] : roots->sin[at];
    if (turns == 0)
        store(t, table, i, re * c, im * -s);
    else if (turns == 1)
        store(t, table, i, re * -s, im * -c);
    else if (turns == 2)
        store(t, table, i, re * -c, im * s);
    else
        store(t, table, i, re * s, im * c);
}

static void fill_passes(const Transform *t, char *table, char *room)
{
    Roots roots = roots_of(t->kernels, t->plan->n, room);
    size_t pair = 2 * t->plan->element;
    int64_t left = t->plan->n, step = 1;
    for (int32_t i = 0; i < t->plan->passes; i++) {
        int64_t radix = t->plan->radix[i], count = 0;
        left /= radix;
        if (radix > 5) { /* cosines and sines of the circle in that many parts */
            for (int64_t j = 0; j < radix; j++)
                store_root(t, &roots, j * (t->plan->n / radix), 1, -1, table, j);
            table += pair * (size_t)radix;
        }
        for (int64_t p = 0; p < left; p++)
            for (int64_t k = 1; k < radix; k++)
                store_root(t, &roots, p * k * step, 1, 1, table, count++);
        table += pair * (size_t)count;
        step *= radix;
    }
}

static gt_Split passes(const Transform *t, int64_t lanes, gt_Split x, int64_t step, gt_Split a,
                       gt_Split b)
{
    const char *table = t->tables;
    size_t pair = 2 * t->plan->element;
    gt_FourierPass pass = {.s = lanes, .step = step, .m = t->plan->n, .radix = 1};
    for (int32_t i = 0; i < t->plan->passes; i++) {
        pass.radix = t->plan->radix[i];
        pass.m /= pass.radix;
        pass.roots = table;
        pass.twiddles = table += pair * (size_t)(pass.radix > 5 ? pass.radix : 0);
        table += pair * (size_t)((pass.radix - 1) * pass.m);
        t->kernels->fourier_pass[t->plan->type](&pass, x.re, x.im, a.re, a.im);
        x = a;
        a = b;
        b = x;
        pass.s *= pass.radix;
        pass.step = pass.s;
    }
    return x;
}

/* c[j] = e^(-pi i j^2 / length); and the transform of their conjugates, which stand around 0, with
 * the 1 / n of the inverse transform. */
static void fill_chirp(const Transform *t, char *tables, gt_Split a, gt_Split b)
{
    int64_t length = t->plan->length, square = 0; /* j^2 modulo 2 length */
    Roots roots = roots_of(t->kernels, 2 * length, a.re);
    double scale = 1 / (double)t->plan->n;
    memset(b.re, 0, 2 * t->plan->part);
    for (int64_t j = 0; j < length; j++) {
        store_root(t, &roots, square, 1, 1, tables + t->plan->chirp, j);
        store_root(t, &roots, square, scale, -scale, b.re, j);
        store_root(t, &roots, square, scale, -scale, b.re, j ? t->plan->n - j : 0);
        square = (square + 2 * j + 1) % (2 * length);
    }
    gt_Split pairs = {b.re, b.re + t->plan->element}, spectrum = passes(t, 1, pairs, 2, a, b);
    t->kernels->transpose[t->plan->type + 2](2, t->plan->n, spectrum.re,
                                             (int64_t)(t->plan->part / t->plan->element),
                                             tables + t->plan->spectrum, 2);
}

/* The two arrays of a worker. */
static void arrays_of(const gt_Transform *plan, void *scratch, gt_Split *a, gt_Split *b)
{
    char *at = scratch;
    *a = (gt_Split){at, at + plan->part};
    *b = (gt_Split){at + 2 * plan->part, at + 3 * plan->part};
}

void gt_transform_fill(const gt_Transform *plan, const gt_KernelTable *kernels, void *tables,
                       void *scratch)
{
    const Transform here = {plan, kernels, tables}, *t = &here;
    char *at = tables;
    gt_Split a, b;
    arrays_of(plan, scratch, &a, &b);
    fill_passes(t, at, a.re);
    if (plan->chirped)
        fill_chirp(t, at, a, b);
    if (plan->folded) {
        Roots roots = roots_of(kernels, 2 * plan->length, a.re);
        for (int64_t k = 0; k <= plan->length / 2; k++)
            store_root(t, &roots, k, 1, 1, at + plan->fold, k);
    }
}

/* ---- a transform ---- */

/* The transform of x, whose rows are `step` numbers apart, in rows of `lanes`: it is in one of the
 * two arrays, which one is returned. x may be in b. */
static gt_Split transform_run(const Transform *t, int64_t lanes, gt_Split x, int64_t step,
                              gt_Split a, gt_Split b)
{
    if (!t->plan->chirped)
        return passes(t, lanes, x, step, a, b);
    gt_FourierMultiplyLoop *multiply = t->kernels->fourier_multiply[t->plan->type];
    const char *chirp = t->tables + t->plan->chirp;
    size_t filled = (size_t)(t->plan->length * lanes) * t->plan->element;
    multiply(t->plan->length, lanes, step, chirp, x.re, x.im, a.re, a.im);
    memset(a.re + filled, 0, t->plan->part - filled);
    memset(a.im + filled, 0, t->plan->part - filled);
    x = passes(t, lanes, a, lanes, b, a);
    multiply(t->plan->n, lanes, lanes, t->tables + t->plan->spectrum, x.re, x.im, x.re, x.im);
    gt_Split from = {x.im, x.re}, free = x.re == a.re ? b : a;
    x = passes(t, lanes, from, lanes, (gt_Split){free.im, free.re}, from);
    x = (gt_Split){x.im, x.re};
    multiply(t->plan->length, lanes, lanes, chirp, x.re, x.im, x.re, x.im);
    return x;
}

/* Between the spectrum of 2 * length real numbers x, with length + 1 rows, and that of the complex
 * numbers x[2 j] + i x[2 j + 1]: from the latter, or, `inverse`, to it. The first and the last number
 * of the former count `ends` times, the others `between` times. */
static void transform_fold(const Transform *t, int64_t lanes, bool inverse, double ends,
                           double between, gt_Split x, gt_Split y)
{
    gt_FourierFold fold = {t->plan->length,          lanes, inverse, ends, between,
                           t->tables + t->plan->fold};
    t->kernels->fourier_fold[t->plan->type](&fold, x.re, x.im, y.re, y.im);
}

/* ---- columns of tensors ---- */

/* Columns that stand beside each other in the arrays of the transform. */
typedef struct Group {
    const gt_FourierJob *job;
    const Transform *transform;
    int64_t outer, first, lanes; /* a column is at (outer * rows * inner + first) */
    gt_Split a, b;
} Group;

/* The first `count` of the `rows` rows of x, from a tensor into rows of `lanes`; what is lacking, and all of no tensor:
 * zeros. */
static void gather(const Group *group, const void *x, int64_t rows, int64_t count, char *y)
{
    const Transform *t = group->transform;
    size_t element = t->plan->element, line = (size_t)group->lanes * element;
    int64_t inner = group->job->inner, at = group->outer * rows * inner + group->first;
    int64_t there = !x ? 0 : rows < count ? rows : count;
    const char *from = x ? (const char *)x + (size_t)at * element : NULL;
    memset(y + (size_t)there * line, 0, (size_t)(count - there) * line);
    if (inner > 1)
        for (int64_t row = 0; row < there; row++)
            memcpy(y + (size_t)row * line, from + (size_t)(row * inner) * element, line);
    else if (group->lanes > 1 && there > 0)
        /* No more than 8 rows together: rows of a power of two numbers share their places in the
         * first cache, and there are not many more of each. */
        for (int64_t lane = 0; lane < group->lanes; lane += 8) {
            int64_t lanes = group->lanes - lane < 8 ? group->lanes - lane : 8;
            t->kernels->transpose[t->plan->type + 2](lanes, there,
                                                     from + (size_t)(lane * rows) * element, rows,
                                                     y + (size_t)lane * element, group->lanes);
        }
    else if (there > 0)
        memcpy(y, from, (size_t)there * element);
}

/* `rows` rows of `lanes` into a tensor that has as many. */
static void scatter(const Group *group, const char *x, int64_t rows, void *y)
{
    const Transform *t = group->transform;
    size_t element = t->plan->element, line = (size_t)group->lanes * element;
    int64_t inner = group->job->inner, at = group->outer * rows * inner + group->first;
    char *to = (char *)y + (size_t)at * element;
    if (inner > 1)
        for (int64_t row = 0; row < rows; row++)
            memcpy(to + (size_t)(row * inner) * element, x + (size_t)row * line, line);
    else if (group->lanes > 1)
        t->kernels->transpose[t->plan->type + 2](rows, group->lanes, x, group->lanes, to, rows);
    else
        memcpy(to, x, (size_t)rows * element);
}

/* n rows divided by n: a product with 1 / n, rounded to the type. */
static void scale(const Group *group, char *x)
{
    const Transform *t = group->transform;
    double factor = 1 / (double)group->job->n;
    float single = (float)factor;
    const void *by = t->plan->type == GT_LOOP_F32 ? (const void *)&single : &factor;
    t->kernels->binary[GT_LOOP_MULTIPLY][t->plan->type](group->job->n * group->lanes, x, 1, by, 0,
                                                        x);
}

static gt_Split run(const Group *group, gt_Split x)
{
    return transform_run(group->transform, group->lanes, x, group->lanes, group->a, group->b);
}

/* The inverse transform is that of the exchanged parts. */
static void whole(const Group *group, void *const *at)
{
    const gt_FourierJob *job = group->job;
    int re = job->inverse, im = !re;
    gather(group, at[re], job->rows, job->n, group->b.re);
    gather(group, at[im], job->rows, job->n, group->b.im);
    gt_Split y = run(group, group->b);
    if (job->scaled) {
        scale(group, y.re);
        scale(group, y.im);
    }
    scatter(group, y.re, job->n, at[2 + re]);
    scatter(group, y.im, job->n, at[2 + im]);
}

/* An even number: as a transform of half as many complex numbers x[2 j] + i x[2 j + 1]. */
static void half_even(const Group *group, void *const *at)
{
    const gt_FourierJob *job = group->job;
    const Transform *t = group->transform;
    int64_t h = t->plan->length, lanes = group->lanes;
    double ends = job->transposed ? 0.25 / (double)h : 0.5;
    gather(group, at[0], job->rows, 2 * h, group->b.re);
    gt_Split x = {group->b.re, group->b.re + (size_t)lanes * t->plan->element};
    x = transform_run(t, lanes, x, 2 * lanes, group->a, group->b);
    gt_Split y = x.re == group->a.re ? group->b : group->a;
    transform_fold(t, lanes, false, ends, job->transposed ? 2 * ends : ends, x, y);
    scatter(group, y.re, h + 1, at[1]);
    scatter(group, y.im, h + 1, at[2]);
}

/* Row k of y += sign row n - k, for 0 < k <= n / 2. */
static void add_mirrored(const Group *group, char *y, gt_BinaryLoopId loop)
{
    const Transform *t = group->transform;
    size_t line = (size_t)group->lanes * t->plan->element;
    for (int64_t k = 1; k <= group->job->n / 2; k++) {
        char *at = y + (size_t)k * line;
        t->kernels->binary[loop][t->plan->type](group->lanes, at, 1,
                                                y + (size_t)(group->job->n - k) * line, 1, at);
    }
}

/* An odd number: from the whole spectrum. Transposed, where the second half was made of the first, it is added to it. */
static void half_odd(const Group *group, void *const *at)
{
    const gt_FourierJob *job = group->job;
    size_t line = (size_t)group->lanes * group->transform->plan->element;
    gather(group, at[0], job->rows, job->n, group->b.re);
    memset(group->b.im, 0, (size_t)job->n * line);
    gt_Split y = run(group, group->b);
    if (job->transposed) {
        scale(group, y.re);
        scale(group, y.im);
        add_mirrored(group, y.re, GT_LOOP_ADD);
        add_mirrored(group, y.im, GT_LOOP_SUBTRACT);
        memset(y.im, 0, line);
    }
    scatter(group, y.re, job->n / 2 + 1, at[1]);
    scatter(group, y.im, job->n / 2 + 1, at[2]);
}

static void from_half_even(const Group *group, void *const *at)
{
    const gt_FourierJob *job = group->job;
    const Transform *t = group->transform;
    int64_t h = t->plan->length, lanes = group->lanes;
    size_t line = (size_t)lanes * t->plan->element;
    gt_Split a = group->a, b = group->b;
    double ends = job->transposed ? 1 : 0.5 / (double)h;
    gather(group, at[0], job->rows, h + 1, b.re);
    gather(group, at[1], job->rows, h + 1, b.im);
    memset(b.im, 0, line);
    memset(b.im + (size_t)h * line, 0, line);
    transform_fold(t, lanes, true, ends, job->transposed ? 0.5 : ends, b, a);
    gt_Split y = transform_run(t, lanes, (gt_Split){a.im, a.re}, lanes, (gt_Split){b.im, b.re},
                               (gt_Split){a.im, a.re});
    char *even = y.im, *odd = y.re, *both = even == a.re ? b.re : a.re;
    if (lanes == 1) {
        t->kernels->transpose[t->plan->type + 2](2, h, even,
                                                 (odd - even) / (int64_t)t->plan->element, both, 2);
    } else {
        for (int64_t j = 0; j < h; j++) {
            memcpy(both + 2 * (size_t)j * line, even + (size_t)j * line, line);
            memcpy(both + (2 * (size_t)j + 1) * line, odd + (size_t)j * line, line);
        }
    }
    scatter(group, both, 2 * h, at[2]);
}

/* An odd number: by the inverse transform of the whole spectrum. Transposed, where the second half was left out, it is 0. */
static void from_half_odd(const Group *group, void *const *at)
{
    const gt_FourierJob *job = group->job;
    const Transform *t = group->transform;
    int64_t half = job->n / 2 + 1;
    size_t line = (size_t)group->lanes * t->plan->element;
    char *re = group->b.im, *im = group->b.re; /* exchanged: the inverse */
    gather(group, at[0], job->rows, half, re);
    gather(group, at[1], job->rows, half, im);
    memset(re + (size_t)half * line, 0, (size_t)(job->n - half) * line);
    memset(im + (size_t)half * line, 0, (size_t)(job->n - half) * line);
    if (!job->transposed) {
        memset(im, 0, line);
        for (int64_t k = 1; k < half; k++) {
            size_t from = (size_t)k * line, to = (size_t)(job->n - k) * line;
            memcpy(re + to, re + from, line);
            t->kernels->unary[GT_LOOP_NEGATIVE][t->plan->type](group->lanes, im + from, im + to);
        }
    }
    gt_Split y = run(group, group->b);
    if (!job->transposed)
        scale(group, y.im);
    scatter(group, y.im, job->n, at[2]);
}

void gt_fourier_tiles(const gt_FourierJob *job, const gt_KernelTable *kernels, void *const *at,
                      int64_t first, int64_t last, void *scratch)
{
    const gt_Transform *plan = &job->transform;
    const Transform transform = {plan, kernels, at[job->kind == GT_FOURIER_WHOLE ? 4 : 3]};
    int64_t end = last * job->batch < job->groups ? last * job->batch : job->groups;
    Group group = {.job = job, .transform = &transform};
    arrays_of(plan, scratch, &group.a, &group.b);
    for (int64_t i = first * job->batch; i < end; i++) {
        int64_t from = i % job->pieces * plan->lanes, left = job->beside - from;
        group.outer = job->inner > 1 ? i / job->pieces : from;
        group.first = job->inner > 1 ? from : 0;
        group.lanes = left < plan->lanes ? left : plan->lanes;
        if (job->kind == GT_FOURIER_WHOLE)
            whole(&group, at);
        else if (job->kind == GT_FOURIER_HALF)
            (job->n % 2 ? half_odd : half_even)(&group, at);
        else
            (job->n % 2 ? from_half_odd : from_half_even)(&group, at);
    }
}

/* ---- sequences that overlap ---- */

static void overlap_piece(const gt_OverlapJob *job, gt_BinaryLoop *add, void *const *at,
                          int64_t row, int64_t from)
{
    int64_t to = job->whole - from < job->chunk ? job->whole : from + job->chunk;
    int64_t length = job->length, stride = job->stride;
    size_t element = (size_t)job->element;
    char *y = (char *)at[1] + (size_t)(row * job->whole) * element;
    const char *x = (const char *)at[0] + (size_t)(row * job->count * length) * element;
    memset(y + (size_t)from * element, 0, (size_t)(to - from) * element);
    for (int64_t i = from < length ? 0 : (from - length) / stride + 1; i < job->count; i++) {
        int64_t start = i * stride, end = start + length < to ? start + length : to;
        int64_t first = start > from ? start : from;
        if (start >= to)
            break;
        char *sum = y + (size_t)first * element;
        add(end - first, sum, 1, x + (size_t)(i * length + first - start) * element, 1, sum);
    }
}

void gt_overlap_tiles(const gt_OverlapJob *job, const gt_KernelTable *kernels, void *const *at,
                      int64_t first, int64_t last)
{
    int64_t pieces = job->rows * job->chunks;
    int64_t end = last * job->batch < pieces ? last * job->batch : pieces;
    for (int64_t i = first * job->batch; i < end; i++)
        overlap_piece(job, kernels->binary[GT_LOOP_ADD][job->type], at, i / job->chunks,
                      i % job->chunks * job->chunk);
}
