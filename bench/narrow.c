/* What an element costs in short rows, beside long ones: operations over the last axis of tensors of a million elements, in rows
 * of 1 to 16 and of 1024. The first figure of a line is the long row's, in nanoseconds an element; the others are how many times
 * as much a short row costs. Forwards, and where there is one the gradient. The least of many rounds, all widths in turns. An
 * element is one of the larger of input and result: rows that are padded count as wide as they become. A gradient that is rows and
 * their indices moves no element, so there a row counts.
 *
 * Where a short row costs more than twice a long one a second line says what the bytes take alone, in the same unit: all that the
 * operation's steps read and write, by loads and stores that do nothing else, in arrays of the same size and age. Long rows may be
 * nearly free: their sum writes a thousandth of what it reads, that of rows of 2 a half. A figure is marked ! if it is above 2 and
 * above 1.25 times its bytes.
 * GT_ISA chooses the kernels. Leans on bench/probe.h.
 *
 * narrow [--rounds N] [--float64] [--only CASE] [--width W] */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "../gradtape.h"
#include "probe.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 1000000, WIDTHS = 10, LONG = WIDTHS - 1 };
static const int64_t width_of[WIDTHS] = {1, 2, 3, 4, 5, 7, 8, 11, 16, 1024};

/* All tensors of one width w: p rows, p w about SIZE. */
typedef struct Data {
    int64_t w, p;
    gt_Tensor *a, *b;        /* (p, w) */
    gt_Tensor *turned;       /* (w, p) */
    gt_Tensor *row, *column; /* (1, w), (p, 1) */
    gt_Tensor *three,
        *flat; /* (SIZE / 3, 3) and (3, SIZE / 3): a cross product has no other width */
    gt_Tensor *index, *flags; /* rows, mixed up in 64s, and (p, 1) bools */
} Data;

/* What an operation's steps read and write, in elements: for each element of (p, w), and for each row. A bool is an eighth. */
typedef struct Traffic {
    double read, row_read, written, row_written;
} Traffic;

typedef struct Case {
    const char *name;
    gt_Tensor *(*run)(const Data *d, gt_Tensor *a,
                      gt_Tensor *b); /* a and b: what is differentiated */
    int operand; /* 0: a and b; 1: a and the row; 2: a and the column; 3: the column alone; 4: the row alone; 5: vectors of three */
    bool whole;  /* has no gradient */
    Traffic forward, gradient;
} Case;

#define RUN(name, expression)                                                                      \
    static gt_Tensor *name(const Data *d, gt_Tensor *a, gt_Tensor *b)                              \
    {                                                                                              \
        (void)d, (void)a, (void)b;                                                                 \
        return expression;                                                                         \
    }
RUN(add, gt_add(a, b))
RUN(multiply, gt_multiply(a, b))
RUN(less, gt_less(a, b))
RUN(where, gt_where(d->flags, a, b))
RUN(sum, gt_sum(a, .axis = 1))
RUN(mean, gt_mean(a, .axis = 1))
RUN(largest, gt_max(a, .axis = 1))
RUN(product, gt_prod(a, .axis = 1))
RUN(norm, gt_norm(a, .axis = 1))
RUN(argmax, gt_argmax(a, .axis = 1))
RUN(softmax, gt_softmax(a))
RUN(logsumexp, gt_logsumexp(a, .axis = 1))
RUN(running, gt_cumsum(a, .axis = 1))
RUN(concatenate, gt_concatenate(gt_tensors(a, b), .axis = 1))
RUN(stack, gt_stack(gt_tensors(a, b), .axis = 1))
RUN(slice, gt_slice(a, gt_shape(0, d->w > 1), gt_shape(-1, -1)))
RUN(transpose, gt_transpose(a))
RUN(turn_back, gt_transpose(d->turned))
RUN(widen, gt_broadcast_to(a, gt_shape(d->p, d->w)))
RUN(pad, gt_pad(a, gt_shape(0, 1), gt_shape(0, 1)))
RUN(take, gt_take(a, d->index))
RUN(cross, gt_cross(a, b, .axis = d->w == 1024 ? 0 : -1))
static gt_Tensor *split(const Data *d, gt_Tensor *a, gt_Tensor *b)
{
    gt_Tensor *part[16] = {a, a};
    (void)b;
    if (d->w > 1)
        gt_split(a, d->w % 2 ? (int)d->w : 2, part, .axis = 1);
    return part[1];
}

/* Each of the w parts of an odd row, or two of an even one, reads every line of the cache. */
enum { PARTS = -1 };
#define NOTHING                                                                                    \
    {                                                                                              \
        0, 0, 0, 0                                                                                 \
    }

static const Case cases[] = {
    {"a + b", add, 0, false, {2, 0, 1, 0}, NOTHING},
    {"a + row", add, 1, false, {1, 0, 1, 0}, {1, 0, 0, 0}},
    {"a * row", multiply, 1, false, {1, 0, 1, 0}, {4, 0, 2, 0}},
    {"a + column", add, 2, false, {1, 1, 1, 0}, {1, 0, 0, 1}},
    {"a * column", multiply, 2, false, {1, 1, 1, 0}, {4, 1, 2, 1}},
    {"a < column", less, 2, true, {1, 1, 0.125, 0}, NOTHING},
    {"where column", where, 0, false, {2, 0.125, 1, 0}, {2, 0.25, 2, 0}},
    {"sum", sum, 0, false, {1, 0, 0, 1}, {0, 1, 1, 0}},
    {"mean", mean, 0, false, {1, 0, 0, 1}, {0, 2, 1, 1}},
    {"max", largest, 0, false, {1, 0, 0, 1}, {3.125, 4, 2.125, 2}},
    {"prod", product, 0, false, {1, 0, 0, 1}, NOTHING},
    {"norm", norm, 0, false, {1, 0, 0, 1}, {2, 2, 2, 0}},
    {"argmax", argmax, 0, true, {1, 0, 0, 1}, NOTHING},
    {"softmax", softmax, 0, false, {1, 0, 1, 0}, {2, 0, 1, 0}},
    {"logsumexp", logsumexp, 0, false, {1, 0, 0, 1}, {3, 3, 3, 1}},
    {"cumsum", running, 0, false, {1, 0, 1, 0}, {1, 0, 1, 0}},
    {"concatenate", concatenate, 0, false, {2, 0, 2, 0}, {4, 0, 2, 0}},
    {"stack", stack, 0, false, {2, 0, 2, 0}, {4, 0, 2, 0}},
    {"slice", slice, 0, false, {1, 0, 1, -1}, {1, -1, 2, 0}},
    {"split", split, 0, false, {PARTS, 0, 1, 0}, {0.5, 0, 2, 0}},
    {"transpose", transpose, 0, false, {1, 0, 1, 0}, {1, 0, 1, 0}},
    {"transpose back", turn_back, 0, true, {1, 0, 1, 0}, NOTHING},
    {"broadcast column", widen, 3, false, {0, 1, 1, 0}, {1, 0, 0, 1}},
    {"broadcast row", widen, 4, false, {0, 0, 1, 0}, {1, 0, 0, 0}},
    {"pad", pad, 0, false, {1, 0, 1, 2}, {1, 2, 1, 0}},
    {"take rows", take, 0, false, {1, 2, 1, 0}, {0, 1, 0, 0}},
    {"cross", cross, 5, false, {2, 0, 1, 0}, NOTHING},
};
enum { CASES = sizeof cases / sizeof *cases };

static gt_Tensor *numbers(gt_Shape shape, gt_DType dtype)
{
    return gt_uniform(shape, .low = 0.9, .high = 1.1, .dtype = dtype);
}

static Data data_of(int64_t w, gt_DType dtype)
{
    Data d = {.w = w, .p = SIZE / w};
    d.a = numbers(gt_shape(d.p, w), dtype);
    d.b = numbers(gt_shape(d.p, w), dtype);
    d.turned = numbers(gt_shape(w, d.p), dtype);
    d.row = numbers(gt_shape(1, w), dtype);
    d.column = numbers(gt_shape(d.p, 1), dtype);
    d.three = numbers(gt_shape(SIZE / 3, 3), dtype);
    d.flat = numbers(gt_shape(3, SIZE / 3), dtype);
    gt_Tensor *i = gt_arange(0, (double)(d.p / 64 * 64), 1, .dtype = GT_INT64);
    gt_Tensor *inside = gt_mod(gt_multiply(i, 17), 64), *block = gt_floor_divide(i, 64);
    d.index = gt_cast(gt_add(gt_multiply(block, 64), inside), GT_INT32);
    d.flags = gt_less(d.column, 1.0);
    return d;
}

/* What is counted as elements. */
static double elements_of(const Case *c, const Data *d, bool gradient)
{
    const double p = (double)d->p, w = (double)d->w;
    if (c->run == take && gradient)
        return p;
    return c->run == pad ? p * (w + 2) : c->operand == 5 ? SIZE : p * w;
}

/* Nanoseconds an element of one call, forwards or of the gradient alone. */
static double once(const Case *c, const Data *d, bool gradient)
{
    gt_Tensor *a = c->operand == 3 ? d->column : c->operand == 4 ? d->row : d->a;
    gt_Tensor *b = c->operand == 1 ? d->row : c->operand == 2 ? d->column : d->b;
    if (c->operand == 5)
        a = b = d->w == 1024 ? d->flat : d->three;
    gt_Scope *scope = gt_scope_begin();
    double from = probe_now(), took;
    if (!gradient) {
        c->run(d, a, b);
        took = probe_now() - from;
    } else {
        gt_Tape *tape = gt_tape_begin();
        gt_watch(tape, a);
        if (b != a)
            gt_watch(tape, b);
        gt_Tensor *y = c->run(d, a, b), *slope[2], *up = gt_ones_like(y);
        from = probe_now();
        gt_gradients(tape, gt_tensors(y), gt_tensors(a, b), slope,
                     .unconnected = GT_UNCONNECTED_NONE, .output_gradients = (gt_Tensor *[]){up});
        took = probe_now() - from;
        gt_tape_end(tape);
    }
    gt_scope_end(scope);
    return 1e9 * took / elements_of(c, d, gradient);
}

static volatile uint64_t words_seen; /* so that reading is not left out */

/* Something of n words, in eight chains. */
static uint64_t read_words(const uint64_t *x, size_t n)
{
    uint64_t sum[8] = {0}, all = 0;
    for (size_t i = 0; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++)
            sum[k] += x[i + (size_t)k];
    for (int k = 0; k < 8; k++)
        all += sum[k];
    return all;
}

/* Nanoseconds an element that reading and writing take, in 128 turns each: what a gradient reads was written a moment ago, what is
 * computed forwards was last seen long before. */
static double moved(const Case *c, const Data *d, bool gradient)
{
    enum { TURNS = 128 };
    const Traffic *t = gradient ? &c->gradient : &c->forward;
    const double parts = d->w % 2 ? (double)d->w : 2, e = (double)gt_dtype_size(gt_dtype(d->a));
    const double p = (double)d->p * e, all = p * (double)d->w;
    const double read = (t->read == PARTS ? parts : t->read) * all + t->row_read * p;
    const double written = t->written * all + t->row_written * p;
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *source = gradient ? gt_ones_like(d->a) : d->turned;
    const char *x = gt_data(source);
    char *y = (char *)(uintptr_t)gt_data(gt_zeros_like(d->a)); /* nobody else reads it */
    const size_t array = (size_t)all, in = (size_t)(read / TURNS), out = (size_t)(written / TURNS);
    size_t here = 0, there = 0;
    const double from = probe_now();
    for (int i = 0; i < TURNS; i++) {
        here = here + in <= array ? here : 0;
        there = there + out <= array ? there : 0;
        words_seen ^= read_words((const uint64_t *)(const void *)(x + here / 64 * 64), in / 8);
        memset(y + there, i, out);
        here += in;
        there += out;
    }
    const double took = probe_now() - from;
    gt_scope_end(scope);
    return 1e9 * took / elements_of(c, d, gradient);
}

static int64_t only_width; /* beside the long one; 0: all */

static bool is_asked(const Case *c, int i)
{
    return i == LONG || ((c->operand != 5 || width_of[i] == 3) &&
                         (only_width == 0 || width_of[i] == only_width));
}

/* A long row whose element costs less is a call that hands something on; it moves nothing. */
#define NOTHING_NS 0.006

/* Figures above 2, and those of them that bytes do not explain. */
static int above, unexplained;

static void print_line(const Case *c, bool gradient, const double *least, const double *bytes)
{
    bool any = false;
    printf("%-18s%-10s%8.3f", c->name, gradient ? "gradient" : "", least[LONG]);
    for (int i = 0; i < LONG; i++) {
        const double ratio = least[i] / least[LONG];
        const bool high = is_asked(c, i) && ratio > 2 && least[LONG] > NOTHING_NS,
                   worse = high && least[i] > 1.25 * bytes[i];
        above += high;
        unexplained += worse;
        any |= high;
        if (is_asked(c, i))
            printf("%7.2f%c", ratio, worse ? '!' : ' ');
        else
            printf("%7s ", "-");
    }
    printf("\n");
    if (any) {
        printf("  its bytes alone           %8.3f", bytes[LONG]);
        for (int i = 0; i < LONG; i++)
            if (is_asked(c, i))
                printf("%7.2f ", bytes[i] / least[LONG]);
            else
                printf("%7s ", "-");
        printf("\n");
    }
    fflush(stdout);
}

static void line(const Case *c, const Data *data, int rounds, bool gradient)
{
    double least[WIDTHS], bytes[WIDTHS];
    for (int i = 0; i < WIDTHS; i++)
        least[i] = bytes[i] = 1e30;
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < WIDTHS; i++) {
            if (!is_asked(c, i))
                continue;
            const double took = once(c, &data[i], gradient), moving = moved(c, &data[i], gradient);
            least[i] = took < least[i] ? took : least[i];
            bytes[i] = moving < bytes[i] ? moving : bytes[i];
        }
    print_line(c, gradient, least, bytes);
}

int main(int argc, char **argv)
{
    int rounds = 9;
    gt_DType dtype = GT_FLOAT32;
    const char *only = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = atoi(argv[++i]);
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            only = argv[++i];
        else if (strcmp(argv[i], "--width") == 0 && i + 1 < argc)
            only_width = atoi(argv[++i]);
        else if (strcmp(argv[i], "--float64") == 0)
            dtype = GT_FLOAT64;
    }
    gt_Scope *scope = gt_scope_begin();
    Data data[WIDTHS];
    for (int i = 0; i < WIDTHS; i++)
        data[i] = data_of(width_of[i], dtype);
    printf("%s\nFMA peak %.0f GFLOP/s, first cache %.0f GB/s\n", gt_build_info(),
           1e-9 * probe_fma(NULL), 1e-9 * probe_read());
    printf("%-28s%8s", dtype == GT_FLOAT64 ? "float64" : "float32", "1024, ns");
    for (int i = 0; i < LONG; i++)
        printf("%7d ", (int)width_of[i]);
    printf("\n");
    for (int c = 0; c < CASES && gt_status() == GT_OK; c++)
        if (!only || strcmp(only, cases[c].name) == 0) {
            line(&cases[c], data, rounds, false);
            if (!cases[c].whole)
                line(&cases[c], data, rounds, true);
        }
    printf("%d figures above 2, %d of them above 1.25 times what their bytes take\n", above,
           unexplained);
    const bool failed = gt_status() != GT_OK;
    if (failed)
        fprintf(stderr, "narrow: %s\n", gt_error_message());
    gt_scope_end(scope);
    return failed;
}
