/* How far the vector functions are from the truth, at their worst: every float32 there is, float64
 * numbers of all sizes, and pairs for the functions of two. Takes hours, so it is built and run on
 * request only; test_kernels.c takes a sample of the same.
 *
 *     exhaustive [--every N] [--doubles N] [--pairs N] [NAME...]
 *
 * --every N: only each Nth float; 0 for none. --doubles N, --pairs N: millions of numbers; 0 for none.
 * NAME: the functions to measure, all if none is given. Prints for each instruction set the largest
 * error in ulp, measured against the exact value (a rounded result has 0.5), and where it is. Then in
 * how many places the result falls, from one float to the next, where the function rises, or rises
 * where it falls; and how many results differ from those of the base build. The exit status says whether
 * all errors are within the bounds of reference.h. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "reference.h"

enum { BLOCK = 4096, MOST_TABLES = 3 };

static const gt_KernelTable *all_tables[MOST_TABLES];
static int table_count;
static bool beyond;

typedef struct Worst {
    double error, at, with;
} Worst;

static void note(Worst *worst, double error, double at, double with)
{
    if (error > worst->error)
        *worst = (Worst){error, at, with};
}

/* Whether an error of a block may be larger than the worst: ulps_f32 without its branches. Numbers that
 * it cannot judge (NaN, infinities, other signs) make it say so. */
static bool surpassed(int64_t n, const float *y, const double *right, double worst)
{
    uint64_t seen = 0;
    for (int64_t i = 0; i < n; i++) {
        uint64_t exact, is;
        double given = (double)y[i], scale;
        memcpy(&exact, &right[i], sizeof exact);
        memcpy(&is, &given, sizeof is);
        uint64_t exponent = exact & UINT64_C(0x7ff0000000000000);
        const uint64_t lowest = (uint64_t)(1023 - 126) << 52;
        exponent = exponent < lowest ? lowest : exponent;
        uint64_t per_ulp = ((uint64_t)(1023 + 1023 + 23) << 52) - exponent;
        memcpy(&scale, &per_ulp, sizeof scale);
        seen |= (uint64_t) !(fabs(given - right[i]) * scale <= worst) | (is ^ exact) >> 63;
    }
    return seen != 0;
}

static void print_head(const char *name, const char *type)
{
    printf("%-10s %s", name, type);
}

static void print_worst(const Worst *worst, double bound, bool two)
{
    for (int t = 0; t < table_count; t++) {
        printf("  %6.4f at %-14a", worst[t].error, worst[t].at);
        if (two)
            printf(" %-14a", worst[t].with);
        if (worst[t].error > bound) {
            printf(" (more than %g)", bound);
            beyond = true;
        }
    }
}

static void measure_floats(int f, uint64_t every)
{
    static float x[BLOCK], y[MOST_TABLES][BLOCK + 1];
    static double right[BLOCK + 1];
    Worst worst[MOST_TABLES] = {{0}};
    uint64_t out_of_order = 0, different = 0;
    bool follows = false;
    for (uint64_t bits = 0; bits <= UINT32_MAX;) {
        int64_t n = 0;
        for (; n < BLOCK && bits <= UINT32_MAX; n++, bits += every) {
            uint32_t word = (uint32_t)bits;
            memcpy(x + n, &word, sizeof word);
        }
        for (int64_t i = 0; i < n; i++)
            right[i + 1] = functions[f].right((double)x[i]);
        for (int t = 0; t < table_count; t++) {
            all_tables[t]->unary[functions[f].id][GT_LOOP_F32](n, x, y[t] + 1);
            if (surpassed(n, y[t] + 1, right + 1, worst[t].error))
                for (int64_t i = 1; i <= n; i++)
                    note(&worst[t], ulps_f32(y[t][i], right[i]), (double)x[i - 1], 0);
        }
        const float *first = y[0], *last = y[table_count - 1];
        for (int64_t i = 1; i <= n; i++)
            different += first[i] != last[i] && (first[i] == first[i] || last[i] == last[i]);
        for (int64_t i = follows ? 1 : 2; i <= n; i++)
            out_of_order += ((right[i] >= right[i - 1]) & (last[i] < last[i - 1])) |
                            ((right[i] <= right[i - 1]) & (last[i] > last[i - 1]));
        right[0] = right[n];
        for (int t = 0; t < table_count; t++)
            y[t][0] = y[t][n];
        follows = bits != UINT64_C(1) << 31; /* from the largest to minus the smallest is a jump */
    }
    print_head(functions[f].name, "f32");
    print_worst(worst, functions[f].f32, false);
    printf("  %llu out of order, %llu different\n", (unsigned long long)out_of_order,
           (unsigned long long)different);
}

/* Of all kinds: any bits, the middle sizes, small ones, near multiples of pi / 2, near a power of two,
 * near 1, and near the places where one formula takes over from another. */
static double next_double(int64_t i)
{
    static const double seams[] = {0.55,  0.92,  0.5,     1.0,  2.0,    0.34657359, 0.70710678,
                                   1e6,   709.8, 745.2,   36.7, 37.5,   6.0,        0x1p-27,
                                   26.54, 27.23, 0x1p-54, 40.0, 0x1p52, 1.41421356};
    uint64_t word = next_bits();
    double x;
    switch (i % 8) {
    case 0:
        memcpy(&x, &word, sizeof x);
        return x;
    case 1:
        return next_real() * 750;
    case 2:
        return next_real() * 3;
    case 3:
        return ldexp(next_real(), (int)(word % 70) - 60);
    case 4:
        return (double)((long double)(word % 1000000) * 1.57079632679489661923L);
    case 5:
        x = ldexp(1, (int)(word % 140) - 70);
        return (word >> 40 & 1 ? -x : x) * (1 + 0x1p-52 * (double)(word >> 48));
    case 6:
        return 1 + ldexp(next_real(), -(int)(word % 50));
    default:
        x = seams[word % (sizeof seams / sizeof seams[0])];
        return x * (1 + 0x1p-20 * next_real()) * (word >> 40 & 1 ? -1 : 1);
    }
}

static void measure_doubles(int f, int64_t count)
{
    static double x[BLOCK], y[MOST_TABLES][BLOCK];
    Worst worst[MOST_TABLES] = {{0}};
    uint64_t different = 0;
    for (int64_t done = 0; done < count; done += BLOCK) {
        for (int64_t i = 0; i < BLOCK; i++)
            x[i] = next_double(i);
        for (int t = 0; t < table_count; t++)
            all_tables[t]->unary[functions[f].id][GT_LOOP_F64](BLOCK, x, y[t]);
        for (int64_t i = 0; i < BLOCK; i++) {
            long double right = functions[f].right_long((long double)x[i]);
            for (int t = 0; t < table_count; t++)
                note(&worst[t], ulps_f64(y[t][i], right), x[i], 0);
            double a = y[0][i], b = y[table_count - 1][i];
            different += a != b && (a == a || b == b);
        }
    }
    print_head(functions[f].name, "f64");
    print_worst(worst, functions[f].f64, false);
    printf("  %llu different\n", (unsigned long long)different);
}

/* ---- two numbers ---- */

static const struct {
    gt_BinaryLoopId id;
    const char *name;
    double (*right)(double, double);
    long double (*right_long)(long double, long double);
    double f32, f64;
} pairs[] = {
    {GT_LOOP_POWER, "power", pow, powl, 0.51, 1},
    {GT_LOOP_ARCTAN2, "arctan2", atan2, atan2l, 0.51, 1.5},
    {GT_LOOP_HYPOT, "hypot", hypot, hypotl, 0.51, 1.3},
};
enum { PAIRS = sizeof pairs / sizeof pairs[0] };

/* Every kind of number that C's list of special cases tells apart. */
static double next_special(uint64_t word)
{
    static const double special[] = {
        0.0,      -0.0,         INFINITY,       -INFINITY, NAN,      1,
        -1,       0.5,          -0.5,           2,         -2,       3,
        -3,       1.5,          -1.5,           0x1p23,    0x1p24,   0x1p25,
        -0x1p23,  0x1.fffffep0, 0x1.fffffep127, 0x1p-126,  0x1p-149, -0x1p-149,
        16777215, -8388607,     8388607.5,      0x1p31,    0x1p52,   0x1p53,
        127,      -150};
    return special[word % (sizeof special / sizeof special[0])];
}

/* Bases and exponents that make results of all sizes: any bits; a base near 1 with a large exponent;
 * whole exponents; a result near the ends of the range. */
static void next_pair(int64_t i, bool single, double *a, double *b)
{
    uint64_t word = next_bits(), other = next_bits();
    double top = single ? 128 : 1024;
    switch (i % 8) {
    case 0:
        *a = next_special(word);
        *b = next_special(other);
        break;
    case 1:
        *a = i & 8 ? next_special(word) : ldexp(next_real(), (int)(word % 250) - 125);
        *b = i & 8 ? ldexp(next_real(), (int)(other % 250) - 125) : next_special(word >> 20);
        break;
    case 2:
        *a = 1 + ldexp(next_real(), -(int)(word % 24));
        *b = ldexp(next_real(), (int)(other % 30));
        break;
    case 3: /* whole exponents, bases of both signs */
        *a = ldexp(next_real(), (int)(word % 12) - 4);
        *b = (double)((int)(other % 61) - 30);
        break;
    case 4: /* results near the ends of the range */
        *a = ldexp(1 + fabs(next_real()), (int)(word % 250) - 125);
        *b = (i & 8 ? top : -top - (single ? 22 : 51)) / log2(*a) * (1 + ldexp(next_real(), -6));
        break;
    case 5:
        *a = exp2(next_real() * top);
        *b = ldexp(next_real(), (int)(other % 12) - 6);
        break;
    default: {
        float f[2] = {0, 0};
        memcpy(f, &word, sizeof f);
        *a = single ? (double)f[0] : exp2(next_real() * 64);
        *b = single ? (double)f[1] : next_real() * 16;
        if (i % 8 == 7)
            *a = fabs(*a);
    }
    }
}

static void measure_pairs_f32(int p, int64_t count)
{
    static float a[BLOCK], b[BLOCK], y[MOST_TABLES][BLOCK];
    Worst worst[MOST_TABLES] = {{0}};
    uint64_t different = 0;
    for (int64_t done = 0; done < count; done += BLOCK) {
        for (int64_t i = 0; i < BLOCK; i++) {
            double left, right;
            next_pair(i, true, &left, &right);
            a[i] = (float)left;
            b[i] = (float)right;
        }
        for (int t = 0; t < table_count; t++)
            all_tables[t]->binary[pairs[p].id][GT_LOOP_F32](BLOCK, a, 1, b, 1, y[t]);
        for (int64_t i = 0; i < BLOCK; i++) {
            double right = pairs[p].right((double)a[i], (double)b[i]);
            for (int t = 0; t < table_count; t++)
                note(&worst[t], ulps_f32(y[t][i], right), (double)a[i], (double)b[i]);
            float first = y[0][i], last = y[table_count - 1][i];
            different += first != last && (first == first || last == last);
        }
    }
    print_head(pairs[p].name, "f32");
    print_worst(worst, pairs[p].f32, true);
    printf("  %llu different\n", (unsigned long long)different);
}

static void measure_pairs_f64(int p, int64_t count)
{
    static double a[BLOCK], b[BLOCK], y[MOST_TABLES][BLOCK];
    Worst worst[MOST_TABLES] = {{0}};
    for (int64_t done = 0; done < count; done += BLOCK) {
        for (int64_t i = 0; i < BLOCK; i++)
            next_pair(i, false, &a[i], &b[i]);
        for (int t = 0; t < table_count; t++)
            all_tables[t]->binary[pairs[p].id][GT_LOOP_F64](BLOCK, a, 1, b, 1, y[t]);
        for (int64_t i = 0; i < BLOCK; i++) {
            long double right = pairs[p].right_long((long double)a[i], (long double)b[i]);
            for (int t = 0; t < table_count; t++)
                note(&worst[t], ulps_f64(y[t][i], right), a[i], b[i]);
        }
    }
    print_head(pairs[p].name, "f64");
    print_worst(worst, pairs[p].f64, true);
    printf("\n");
}

static bool wanted(const char *name, char **names)
{
    if (!*names)
        return true;
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

int main(int count, char **words)
{
    uint64_t every = 1;
    int64_t doubles = 100, millions = 1000;
    int at = 1;
    for (; at + 1 < count && words[at][0] == '-'; at += 2) {
        long long number = atoll(words[at + 1]);
        if (strcmp(words[at], "--every") == 0)
            every = (uint64_t)number;
        else if (strcmp(words[at], "--doubles") == 0)
            doubles = number;
        else if (strcmp(words[at], "--pairs") == 0)
            millions = number;
    }
    char **names = words + at;
    table_count = tables(all_tables);
    printf("largest errors in ulp:");
    for (int t = 0; t < table_count; t++)
        printf(" %s", all_tables[t]->isa);
    printf("\n");
    for (int f = 0; f < FUNCTIONS; f++) {
        if (!wanted(functions[f].name, names))
            continue;
        if (doubles > 0)
            measure_doubles(f, doubles * 1000000);
        fflush(stdout);
        if (every > 0)
            measure_floats(f, every);
        fflush(stdout);
    }
    for (int p = 0; p < PAIRS; p++) {
        if (!wanted(pairs[p].name, names) || millions <= 0)
            continue;
        measure_pairs_f32(p, millions * 1000000);
        fflush(stdout);
        measure_pairs_f64(p, millions * 100000);
        fflush(stdout);
    }
    return beyond;
}
