/* The discrete Fourier transform of any length: Stockham passes of radix 2 to 31, and for lengths
 * with larger prime factors a convolution (L. Bluestein, A linear filtering approach to the
 * computation of discrete Fourier transform, 1970). Roots of unity are worked out for an eighth of
 * the circle, from exact fractions of it; the rest are their mirror images. */
#include "ops/math/transform.h"

#include <string.h>

/* ---- the plan ---- */

/* The radices of n into the plan; what is left of n. Between passes columns become more and passes
 * over many are faster: large radices come first. */
static int64_t factor(gt_Transform *t, int64_t n)
{
    static const int32_t radices[] = {31, 29, 23, 19, 17, 13, 11, 7, 5, 4, 3, 2};
    t->n = n;
    t->passes = 0;
    for (size_t i = 0; i < sizeof radices / sizeof *radices; i++)
        for (; n % radices[i] == 0; n /= radices[i])
            t->radix[t->passes++] = radices[i];
    return n;
}

static size_t aligned(size_t bytes)
{
    return (bytes + GT_ALIGNMENT - 1) / GT_ALIGNMENT * GT_ALIGNMENT;
}

/* Columns beside each other fill a line of the cache. Rows are brought beside each other as long as
 * the arrays of all of them fit the second cache. */
#define LONG 8192 /* bytes */
void gt_transform_plan(gt_Transform *t, gt_DType dtype, int64_t length, bool folded,
                       int64_t columns, bool beside)
{
    t->type = dtype == GT_FLOAT64;
    t->element = gt_dtype_size(dtype);
    t->length = length;
    t->lanes = beside || length * (int64_t)t->element <= LONG ? 64 / (int64_t)t->element : 1;
    if (t->lanes > columns)
        t->lanes = columns > 0 ? columns : 1;
    t->folded = folded;
    t->chirped = factor(t, length) > 1;
    if (t->chirped) { /* 4, 5 or 6 times a power of two */
        int64_t power = 1;
        while (6 * power < 2 * length - 1)
            power *= 2;
        int64_t times = 4 * power >= 2 * length - 1 ? 4 : 5 * power >= 2 * length - 1 ? 5 : 6;
        factor(t, times * power);
    }
    size_t pair = 2 * t->element, at = 0;
    int64_t left = t->n;
    for (int32_t i = 0; i < t->passes; i++) {
        int64_t radix = t->radix[i];
        left /= radix;
        at += pair * (size_t)((radix - 1) * left + (radix > 5 ? radix : 0));
    }
    t->fold = at;
    t->chirp = at += folded ? pair * (size_t)(length / 2 + 1) : 0;
    t->spectrum = at += t->chirped ? pair * (size_t)length : 0;
    at += t->chirped ? pair * (size_t)t->n : 0;
    t->first = aligned(at);
    t->part = aligned((size_t)((t->n + 1) * t->lanes) * t->element);
    t->scratch = t->first + 4 * t->part + 8 * GT_ALIGNMENT;
}

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

static void store(const gt_Transform *t, char *table, int64_t i, double re, double im)
{
    if (t->type == GT_LOOP_F32) {
        ((float *)(void *)table)[2 * i] = (float)re;
        ((float *)(void *)table)[2 * i + 1] = (float)im;
    } else {
        ((double *)(void *)table)[2 * i] = re;
        ((double *)(void *)table)[2 * i + 1] = im;
    }
}

/* Number i of a table: the root k, 0 <= k < n, with its parts times `re` and `im`. */
static void store_root(const gt_Transform *t, const Roots *roots, int64_t k, double re, double im,
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

static void fill_passes(const gt_Transform *t, char *table, char *room)
{
    Roots roots = roots_of(t->kernels, t->n, room);
    size_t pair = 2 * t->element;
    int64_t left = t->n, step = 1;
    for (int32_t i = 0; i < t->passes; i++) {
        int64_t radix = t->radix[i], count = 0;
        left /= radix;
        if (radix > 5) { /* cosines and sines of the circle in that many parts */
            for (int64_t j = 0; j < radix; j++)
                store_root(t, &roots, j * (t->n / radix), 1, -1, table, j);
            table += pair * (size_t)radix;
        }
        for (int64_t p = 0; p < left; p++)
            for (int64_t k = 1; k < radix; k++)
                store_root(t, &roots, p * k * step, 1, 1, table, count++);
        table += pair * (size_t)count;
        step *= radix;
    }
}

static gt_Split passes(const gt_Transform *t, int64_t lanes, gt_Split x, int64_t step, gt_Split a,
                       gt_Split b)
{
    const char *table = t->tables;
    size_t pair = 2 * t->element;
    gt_FourierPass pass = {.s = lanes, .step = step, .m = t->n, .radix = 1};
    for (int32_t i = 0; i < t->passes; i++) {
        pass.radix = t->radix[i];
        pass.m /= pass.radix;
        pass.roots = table;
        pass.twiddles = table += pair * (size_t)(pass.radix > 5 ? pass.radix : 0);
        table += pair * (size_t)((pass.radix - 1) * pass.m);
        t->kernels->fourier_pass[t->type](&pass, x.re, x.im, a.re, a.im);
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
static void fill_chirp(const gt_Transform *t, char *tables, gt_Split a, gt_Split b)
{
    int64_t length = t->length, square = 0; /* j^2 modulo 2 length */
    Roots roots = roots_of(t->kernels, 2 * length, a.re);
    double scale = 1 / (double)t->n;
    memset(b.re, 0, 2 * t->part);
    for (int64_t j = 0; j < length; j++) {
        store_root(t, &roots, square, 1, 1, tables + t->chirp, j);
        store_root(t, &roots, square, scale, -scale, b.re, j);
        store_root(t, &roots, square, scale, -scale, b.re, j ? t->n - j : 0);
        square = (square + 2 * j + 1) % (2 * length);
    }
    gt_Split pairs = {b.re, b.re + t->element}, spectrum = passes(t, 1, pairs, 2, a, b);
    t->kernels->transpose[t->type + 2](2, t->n, spectrum.re, (int64_t)(t->part / t->element),
                                       tables + t->spectrum, 2);
}

void gt_transform_arrays(const gt_Transform *t, void *scratch, gt_Split *a, gt_Split *b)
{
    char *at = (char *)scratch + t->first;
    *a = (gt_Split){at, at + t->part};
    *b = (gt_Split){at + 2 * t->part, at + 3 * t->part};
}

void gt_transform_begin(gt_Transform *t, const gt_Kernel *kernel)
{
    gt_Split a, b;
    char *tables = kernel->context->scratch[0];
    t->kernels = kernel->context->kernels;
    t->tables = tables;
    gt_transform_arrays(t, tables, &a, &b);
    fill_passes(t, tables, a.re);
    if (t->chirped)
        fill_chirp(t, tables, a, b);
    if (t->folded) {
        Roots roots = roots_of(t->kernels, 2 * t->length, a.re);
        for (int64_t k = 0; k <= t->length / 2; k++)
            store_root(t, &roots, k, 1, 1, tables + t->fold, k);
    }
}

/* ---- at work ---- */

gt_Split gt_transform_run(const gt_Transform *t, int64_t lanes, gt_Split x, int64_t step,
                          gt_Split a, gt_Split b)
{
    if (!t->chirped)
        return passes(t, lanes, x, step, a, b);
    gt_FourierMultiplyLoop *multiply = t->kernels->fourier_multiply[t->type];
    const char *chirp = t->tables + t->chirp;
    size_t filled = (size_t)(t->length * lanes) * t->element;
    multiply(t->length, lanes, step, chirp, x.re, x.im, a.re, a.im);
    memset(a.re + filled, 0, t->part - filled);
    memset(a.im + filled, 0, t->part - filled);
    x = passes(t, lanes, a, lanes, b, a);
    multiply(t->n, lanes, lanes, t->tables + t->spectrum, x.re, x.im, x.re, x.im);
    gt_Split from = {x.im, x.re}, free = x.re == a.re ? b : a;
    x = passes(t, lanes, from, lanes, (gt_Split){free.im, free.re}, from);
    x = (gt_Split){x.im, x.re};
    multiply(t->length, lanes, lanes, chirp, x.re, x.im, x.re, x.im);
    return x;
}

void gt_transform_fold(const gt_Transform *t, int64_t lanes, bool inverse, double ends,
                       double between, gt_Split x, gt_Split y)
{
    gt_FourierFold fold = {t->length, lanes, inverse, ends, between, t->tables + t->fold};
    t->kernels->fourier_fold[t->type](&fold, x.re, x.im, y.re, y.im);
}
