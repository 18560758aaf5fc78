/* Convolutions and their two gradients, by the loops and products of a table.
 *
 * All are matrix products. What the window reads at one output position is one row of a matrix of
 * `depth` columns: rows are gathered for a tile of positions, multiplied, or, in the gradient of x,
 * multiplied and added back. Depthwise convolutions, one channel in and one out a group, go channel
 * beside channel instead.
 *
 *     x (1, 5, 4, 2), k (3, 3, 2, 8), valid: y (1, 3, 2, 8) is 6 rows of 18 columns by k as (18, 8)
 *
 * Order of calls: open_work, then for each tile gather, product (and scatter). Leans on window.c,
 * product.c. */
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/product.h"

/* An operand as it is stored. */
typedef struct Operand {
    const char *at;
    size_t element;
    int half; /* a gt_HalfType; -1: the result's type */
} Operand;

/* A call: the job, where its operands are, a worker's scratch memory. */
typedef struct Work {
    const gt_KernelTable *table;
    const gt_ConvJob *c;
    Operand a, b;
    char *to;
    int64_t *tap;
    char *patches, *partial;
    double *total;
    void *gemm;
} Work;

static Work open_work(const gt_KernelTable *table, const gt_ConvJob *c, void *const *at,
                      void *scratch)
{
    Work work = {.table = table,
                 .c = c,
                 .a = {at[0], c->element_a, c->half_a},
                 .b = {at[1], c->element_b, c->half_b},
                 .to = at[2],
                 .tap = scratch};
    char *piece = scratch;
    work.patches = piece += c->tap_bytes;
    work.partial = piece += c->patch_bytes;
    work.total = (double *)(void *)(piece += c->partial_bytes);
    work.gemm = piece + c->total_bytes;
    return work;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t pieces(int64_t n, int64_t piece)
{
    return (n + piece - 1) / piece;
}

static Operand from(Operand a, int64_t number)
{
    a.at += (size_t)number * a.element;
    return a;
}

/* n numbers of it, which are there or made in `room`. */
static const char *numbers(const Work *w, Operand a, int64_t n, char *room)
{
    if (a.half < 0)
        return a.at;
    w->table->widen[a.half](1, n, a.at, n, (float *)(void *)room, n);
    return room;
}

/* Where the channels of a group start at that position of an image with `channels` a group. */
static int64_t place(const gt_ConvJob *c, int64_t position, int64_t group, int64_t channels)
{
    return (position * c->groups + group) * channels;
}

/* The same in bytes of the result. */
static size_t offset(const gt_ConvJob *c, int64_t position, int64_t group, int64_t channels)
{
    return (size_t)place(c, position, group, channels) * c->element;
}

static void product(const Work *w, bool transpose_a, bool transpose_b, int64_t m, int64_t n,
                    int64_t k, Operand a, int64_t lda, Operand b, int64_t ldb, void *to,
                    int64_t ldc)
{
    gt_Gemm gemm = {transpose_a, transpose_b, m,   n,      k,      a.at, b.at,
                    lda,         ldb,         ldc, a.half, b.half, to,   false};
    gt_gemm(w->table, (gt_LoopType)w->c->type, &gemm, w->gemm);
}

static void add(const Work *w, int64_t n, char *to, const char *from)
{
    w->table->binary[GT_LOOP_ADD][w->c->type](n, to, 1, from, 1, to);
}

static void add_wide(const Work *w, int64_t n, double *to, const char *from)
{
    gt_add_in_double(w->table, n, (const float *)(const void *)from, to);
}

static void rounded(const Work *w, int64_t n, const double *from, char *to)
{
    w->table->cast[GT_LOOP_F64][GT_LOOP_F32](n, from, to);
}

/* Of n channels; `room` has n numbers for what comes out, and as many for each factor. */
static void multiply(const Work *w, int64_t n, Operand a, Operand b, char *to, char *room)
{
    const size_t one = (size_t)n * w->c->element;
    w->table->binary[GT_LOOP_MULTIPLY][w->c->type](n, numbers(w, a, n, room + one), 1,
                                                   numbers(w, b, n, room + 2 * one), 1, to);
}

/* How many positions from tap[p] on are neighbours in memory, before position `end`. */
static int64_t run_length(const Work *w, int64_t p, int64_t end)
{
    int64_t n = 1;
    while (w->c->groups == 1 && p + n < end && w->tap[p + n] == w->tap[p] + n)
        n++;
    return n;
}

/* Rows of what the positions [begin, begin + count) of the window read of a group; zeros in the
 * padding. */
static Operand gather(const Work *w, Operand x, int64_t group, int64_t first, int64_t rows,
                      int64_t begin, int64_t count)
{
    const gt_ConvJob *c = w->c;
    const size_t one = (size_t)c->in * c->element;
    char *to = w->patches;
    for (int64_t row = first; row < first + rows; row++) {
        gt_window_next(&c->window, row, first, w->tap);
        for (int64_t p = begin, n; p < begin + count; p += n) {
            n = 1;
            if (w->tap[p] < 0) {
                memset(to, 0, one);
            } else {
                n = run_length(w, p, begin + count);
                Operand read = from(x, place(c, w->tap[p], group, c->in));
                if (read.half >= 0)
                    numbers(w, read, n * c->in, to);
                else
                    memcpy(to, read.at, (size_t)n * one);
            }
            to += (size_t)n * one;
        }
    }
    return (Operand){w->patches, c->element, -1};
}

/* ---- conv ---- */

/* y of a row is one product, summed over (position of the window, channel in), as gt_gemm sums. */
static void conv_tile(const Work *w, int64_t tile)
{
    const gt_ConvJob *c = w->c;
    int64_t row = tile / c->groups * c->tile_rows, group = tile % c->groups;
    int64_t rows = least(c->tile_rows, c->rows - row), all = c->groups * c->out;
    Operand patches = c->pointwise ? from(w->a, place(c, row, group, c->in))
                                   : gather(w, w->a, group, row, rows, 0, c->window.taps);
    product(w, false, false, rows, c->out, c->depth, patches,
            c->pointwise ? c->groups * c->in : c->depth, from(w->b, place(c, 0, group, c->out)),
            all, w->to + offset(c, row, group, c->out), all);
}

/* y of a row: the products with the positions of the window that are not padding, each rounded,
 * added from the first on. */
static void depthwise_row(const Work *w, int64_t row)
{
    const gt_ConvJob *c = w->c;
    char *y = w->to + offset(c, row, 0, 1);
    bool some = false;
    gt_window_taps(&c->window, row, w->tap);
    for (int64_t p = 0; p < c->window.taps; p++) {
        if (w->tap[p] < 0)
            continue;
        Operand x = from(w->a, place(c, w->tap[p], 0, 1));
        Operand k = from(w->b, place(c, p, 0, 1));
        multiply(w, c->groups, x, k, some ? w->patches : y, w->patches);
        if (some)
            add(w, c->groups, y, w->patches);
        some = true;
    }
    if (!some)
        memset(y, 0, (size_t)c->groups * c->element);
}

void gt_conv_tiles(const gt_KernelTable *table, const gt_ConvJob *c, void *const *at, int64_t first,
                   int64_t last, void *scratch)
{
    const Work work = open_work(table, c, at, scratch);
    if (c->depthwise) {
        int64_t end = least(last * c->tile_rows, c->rows);
        for (int64_t row = first * c->tile_rows; row < end; row++)
            depthwise_row(&work, row);
        return;
    }
    for (int64_t tile = first; tile < last; tile++)
        conv_tile(&work, tile);
}

/* ---- conv_input_gradient ---- */

static void pointwise_back_tile(const Work *w, int64_t tile)
{
    const gt_ConvJob *c = w->c;
    int64_t row = tile / c->groups * c->tile_rows, group = tile % c->groups;
    int64_t rows = least(c->tile_rows, c->rows - row), all = c->groups * c->out;
    product(w, false, true, rows, c->in, c->out, from(w->a, place(c, row, group, c->out)), all,
            from(w->b, place(c, 0, group, c->out)), all, w->to + offset(c, row, group, c->in),
            c->groups * c->in);
}

/* Adds rows to where `gather` would have read them. */
static void scatter(const Work *w, int64_t group, int64_t first, int64_t rows)
{
    const gt_ConvJob *c = w->c;
    const size_t one = (size_t)c->in * c->element;
    const char *row_of = w->patches;
    for (int64_t row = first; row < first + rows; row++) {
        gt_window_next(&c->window, row, first, w->tap);
        for (int64_t p = 0, n; p < c->window.taps; p += n) {
            n = w->tap[p] < 0 ? 1 : run_length(w, p, c->window.taps);
            if (w->tap[p] >= 0)
                add(w, n * c->in, w->to + offset(c, w->tap[p], group, c->in), row_of);
            row_of += (size_t)n * one;
        }
    }
}

/* A group of one image: no other tile adds to the same elements. Each product with k, summed over
 * the channels out, is rounded, then added to x in the order of the rows and, within one, of the
 * window's positions. */
static void back_tile(const Work *w, int64_t tile)
{
    const gt_ConvJob *c = w->c;
    int64_t image = tile / c->groups, group = tile % c->groups, all = c->groups * c->out;
    int64_t end = (image + 1) * c->window.outputs;
    for (int64_t i = image * c->window.inputs; i < (image + 1) * c->window.inputs; i++)
        memset(w->to + offset(c, i, group, c->in), 0, (size_t)c->in * c->element);
    for (int64_t row = image * c->window.outputs; row < end; row += c->tile_rows) {
        int64_t rows = least(c->tile_rows, end - row);
        product(w, false, true, rows, c->depth, c->out, from(w->a, place(c, row, group, c->out)),
                all, from(w->b, place(c, 0, group, c->out)), all, w->patches, c->depth);
        scatter(w, group, row, rows);
    }
}

static void depthwise_back(const Work *w, int64_t image)
{
    const gt_ConvJob *c = w->c;
    memset(w->to + offset(c, image * c->window.inputs, 0, 1), 0, offset(c, c->window.inputs, 0, 1));
    for (int64_t row = image * c->window.outputs; row < (image + 1) * c->window.outputs; row++) {
        Operand up = from(w->a, place(c, row, 0, 1));
        gt_window_next(&c->window, row, image * c->window.outputs, w->tap);
        for (int64_t p = 0; p < c->window.taps; p++)
            if (w->tap[p] >= 0) {
                multiply(w, c->groups, up, from(w->b, place(c, p, 0, 1)), w->patches, w->patches);
                add(w, c->groups, w->to + offset(c, w->tap[p], 0, 1), w->patches);
            }
    }
}

void gt_conv_input_gradient_tiles(const gt_KernelTable *table, const gt_ConvJob *c, void *const *at,
                                  int64_t first, int64_t last, void *scratch)
{
    const Work work = open_work(table, c, at, scratch);
    for (int64_t tile = first; tile < last; tile++)
        if (c->depthwise)
            depthwise_back(&work, tile);
        else if (c->pointwise)
            pointwise_back_tile(&work, tile);
        else
            back_tile(&work, tile);
}

/* ---- conv_kernel_gradient ---- */

/* A block of the kernel: some positions of one group, some columns. It goes through all rows,
 * GT_CONV_BLOCK at a time: each block's product is rounded, then added to those before, in double
 * where there are many of them. */
static void kernel_tile(const Work *w, int64_t tile)
{
    const gt_ConvJob *c = w->c;
    const int64_t all = c->groups * c->out, blocks = pieces(c->out, c->tile_columns);
    const bool wide = c->in_double;
    int64_t group = tile % c->groups, rest = tile / c->groups;
    int64_t column = rest % blocks * c->tile_columns, tap = rest / blocks * c->tile_taps;
    int64_t n = least(c->tile_columns, c->out - column);
    int64_t taps = least(c->tile_taps, c->window.taps - tap), m = taps * c->in;
    char *to = w->to + offset(c, tap * c->in, group, c->out) + (size_t)column * c->element;
    if (wide)
        memset(w->total, 0, (size_t)(m * n) * sizeof *w->total);
    for (int64_t row = 0; row == 0 || row < c->rows; row += GT_CONV_BLOCK) {
        int64_t rows = least(GT_CONV_BLOCK, c->rows - row);
        bool first_of_all = row == 0 && !wide;
        Operand patches = c->pointwise ? from(w->a, place(c, row, group, c->in))
                                       : gather(w, w->a, group, row, rows, tap, taps);
        product(w, true, false, m, n, rows, patches, c->pointwise ? c->groups * c->in : m,
                from(w->b, place(c, row, group, c->out) + column), all,
                first_of_all ? to : w->partial, first_of_all ? all : n);
        if (wide)
            add_wide(w, m * n, w->total, w->partial);
        for (int64_t i = 0; row > 0 && !wide && i < m; i++)
            add(w, n, to + (size_t)(i * all) * c->element,
                w->partial + (size_t)(i * n) * c->element);
    }
    for (int64_t i = 0; wide && i < m; i++)
        rounded(w, n, w->total + i * n, to + (size_t)(i * all) * c->element);
}

/* The products of GT_CONV_STRIP rows, from `block` on, with n channels from `channel` on: their
 * sums go to `partial`. */
static void depthwise_strip(const Work *w, int64_t block, int64_t channel, int64_t n)
{
    const gt_ConvJob *c = w->c;
    const size_t one = (size_t)n * c->element;
    memset(w->partial, 0, (size_t)c->window.taps * one);
    for (int64_t row = block; row < least(block + GT_CONV_STRIP, c->rows); row++) {
        gt_window_next(&c->window, row, block, w->tap);
        for (int64_t p = 0; p < c->window.taps; p++)
            if (w->tap[p] >= 0) {
                multiply(w, n, from(w->a, place(c, w->tap[p], channel, 1)),
                         from(w->b, place(c, row, channel, 1)), w->patches, w->patches);
                add(w, n, w->partial + (size_t)p * one, w->patches);
            }
    }
}

/* Some channels: GT_CONV_STRIP rows at a time, whose sums are added to those before, in double
 * where there are many. */
static void depthwise_kernel_tile(const Work *w, int64_t tile)
{
    const gt_ConvJob *c = w->c;
    const int64_t taps = c->window.taps, channel = tile * c->tile_columns;
    const int64_t n = least(c->tile_columns, c->groups - channel);
    const size_t one = (size_t)n * c->element;
    const bool wide = c->in_double;
    for (int64_t p = 0; p < taps && !wide; p++)
        memset(w->to + offset(c, p, channel, 1), 0, one);
    if (wide)
        memset(w->total, 0, (size_t)(taps * n) * sizeof *w->total);
    for (int64_t block = 0; block < c->rows; block += GT_CONV_STRIP) {
        depthwise_strip(w, block, channel, n);
        if (wide)
            add_wide(w, taps * n, w->total, w->partial);
        for (int64_t p = 0; p < taps && !wide; p++)
            add(w, n, w->to + offset(c, p, channel, 1), w->partial + (size_t)p * one);
    }
    for (int64_t p = 0; p < taps && wide; p++)
        rounded(w, n, w->total + p * n, w->to + offset(c, p, channel, 1));
}

void gt_conv_kernel_gradient_tiles(const gt_KernelTable *table, const gt_ConvJob *c,
                                   void *const *at, int64_t first, int64_t last, void *scratch)
{
    const Work work = open_work(table, c, at, scratch);
    for (int64_t tile = first; tile < last; tile++)
        if (c->depthwise)
            depthwise_kernel_tile(&work, tile);
        else
            kernel_tile(&work, tile);
}
