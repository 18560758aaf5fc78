/* Convolutions and their gradients on every instruction set that is here. Their strips: every number of channels, rows and
 * columns around a tile, in memory that ends where they end. The operations: random shapes, strides, paddings, dilations, groups
 * and types against loops over doubles that are written down plainly; one and more threads, eagerly and planned. */
#include <criterion/criterion.h>

#include "core/launch.h"
#include "core/structs.h"
#include "gradtape.h"
#include "kernels/convolution.h"
#include "ops/table.h"
#undef GT_HERE
#define GT_HERE "test_convolution.c"

#include "leaks.h"
#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static int64_t below(int64_t n) /* [0, n) */
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((state >> 33) % (uint64_t)n);
}

/* ---- strips ---- */

/* A block of numbers that ends where memory of its own ends. */
typedef struct Numbers {
    void *at;
    int type;
    int64_t n;
} Numbers;

static Numbers numbers(int type, int64_t n)
{
    Numbers made = {malloc((size_t)(n ? n : 1) * (type ? sizeof(double) : sizeof(float))), type, n};
    cr_assert(made.at);
    for (int64_t i = 0; i < n; i++) {
        const double x = (double)below(2001) / 1000 - 1;
        if (type)
            ((double *)made.at)[i] = x;
        else
            ((float *)made.at)[i] = (float)x;
    }
    return made;
}

static double number(const Numbers *x, int64_t i)
{
    cr_assert(i >= 0 && i < x->n);
    return x->type ? ((double *)x->at)[i] : (double)((float *)x->at)[i];
}

enum { POSITIONS = 29, SPREAD = 3 }; /* of x and of the columns of a window, which overlap */

/* x has POSITIONS + columns * SPREAD rows of as many numbers as a position has; row r begins at 2 r, y at r, the last one first. */
static void check_strip(const gt_KernelTable *table, int type, bool deep, int64_t rows,
                        int64_t columns, int64_t width, bool add)
{
    const int64_t lanes = table->conv_lanes[type], element = type ? 8 : 4;
    const int64_t step = deep ? width : width > lanes ? 2 * lanes : lanes, held = deep ? width : 1;
    Numbers x = numbers(type, (2 * rows + columns * SPREAD) * held),
            b = numbers(type, columns * step);
    Numbers y = numbers(type, rows * (width + 1)), before = numbers(type, y.n);
    int64_t row[64], to[64], column[64];
    memcpy(before.at, y.at, (size_t)(y.n * element));
    for (int64_t r = 0; r < rows + GT_CONV_SPARE; r++) {
        const int64_t i = r < rows ? r : rows - 1;
        row[r] = 2 * i * held * element;
        to[r] = (rows - 1 - i) * (width + 1) * element;
    }
    for (int64_t k = 0; k < columns; k++)
        column[k] = k * SPREAD * held * element;
    Numbers bias = numbers(type, width);
    const bool biased = below(3) == 0, relu = biased && below(2);
    /* Deep, no column is left out. */
    const int64_t end = deep ? columns : columns / 3, again = deep ? columns : columns / 2;
    const gt_ConvRun run[2] = {{0, end}, {again, columns - again}};
    const gt_ConvStrip strip = {x.at,
                                b.at,
                                y.at,
                                row,
                                to,
                                column,
                                rows,
                                columns,
                                step,
                                width,
                                biased ? bias.at : NULL,
                                add,
                                relu,
                                0,
                                0,
                                run,
                                deep ? 1 : 2,
                                NULL,
                                0};
    (deep ? table->conv_deep : table->conv_dense)[type](&strip);
    const double near = type ? 1e-14 : 1e-5;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j <= width; j++) {
            const int64_t at = (rows - 1 - r) * (width + 1) + j;
            double right =
                add || j == width ? number(&before, at) : 0; /* beyond `width`: as it was */
            for (int64_t k = 0; j < width && k < columns; k++)
                if (k < end || k >= again)
                    right += number(&x, (2 * r + k * SPREAD) * held + (deep ? j : 0)) *
                             number(&b, k * step + j);
            if (biased && j < width)
                right += number(&bias, j);
            if (relu && j < width && right < 0)
                right = 0;
            cr_assert(fabs(number(&y, at) - right) <= near * (1 + (double)columns),
                      "%s, %s, %d rows, %d columns, %d channels%s: %d %d is %g, not %g", table->isa,
                      deep ? "deep" : "dense", (int)rows, (int)columns, (int)width,
                      add ? ", added" : "", (int)r, (int)j, number(&y, at), right);
        }
    free(x.at);
    free(b.at);
    free(y.at);
    free(bias.at);
    free(before.at);
}

Test(convolution, strips)
{
    const gt_KernelTable *list[3];
    const int count = tables(list);
    for (int t = 0; t < count; t++)
        for (int type = 0; type < 2; type++) {
            const int64_t lanes = list[t]->conv_lanes[type];
            for (int64_t width = 1; width <= 2 * lanes + 3; width++)
                for (int64_t rows = 1; rows <= 26; rows += rows < 14 ? 1 : 11)
                    for (int64_t columns = 0; columns <= 9; columns += 3) {
                        if (width <= 2 * lanes)
                            check_strip(list[t], type, false, rows, columns, width, below(2));
                        check_strip(list[t], type, true, rows, columns, width, below(2));
                    }
        }
}

/* ---- operations ---- */

typedef struct Case {
    int rank;
    int64_t images, in[3], size[3], stride[3], dilation[3], groups, a, b;
    gt_Padding padding;
    int64_t out[3], before[3];
} Case;

static gt_Shape axes_of(const Case *c, const int64_t *dims, int64_t first, int64_t last,
                        int64_t end)
{
    gt_Shape shape = {GT_MARK, 0, {0}};
    if (first >= 0)
        shape.dims[shape.rank++] = first;
    for (int d = 0; d < c->rank; d++)
        shape.dims[shape.rank++] = dims[d];
    if (last >= 0)
        shape.dims[shape.rank++] = last;
    if (end >= 0)
        shape.dims[shape.rank++] = end;
    return shape;
}

/* Keras's sizes; false if nothing fits. */
static bool sizes(Case *c)
{
    for (int d = 0; d < c->rank; d++) {
        const int64_t reach = (c->size[d] - 1) * c->dilation[d] + 1;
        c->before[d] = 0;
        if (c->padding == GT_PADDING_VALID) {
            c->out[d] = c->in[d] < reach ? 0 : (c->in[d] - reach) / c->stride[d] + 1;
        } else {
            c->out[d] = (c->in[d] + c->stride[d] - 1) / c->stride[d];
            const int64_t all = (c->out[d] - 1) * c->stride[d] + reach - c->in[d];
            c->before[d] = c->padding == GT_PADDING_CAUSAL ? reach - 1 : all > 0 ? all / 2 : 0;
        }
        if (c->out[d] < 1)
            return false;
    }
    return true;
}

static bool draw_case(Case *c)
{
    static const int64_t channels[] = {1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 40};
    const bool strided = below(2), spread = !strided && below(3) == 0;
    *c = (Case){
        .rank = 1 + (int)below(3), .images = 1 + below(3), .groups = below(3) ? 1 : 2 + below(3)};
    for (int d = 0; d < c->rank; d++) {
        c->in[d] = 1 + below(c->rank == 1 ? 60 : c->rank == 2 ? 14 : 6);
        c->size[d] = 1 + below(c->rank == 3 ? 3 : 5);
        c->stride[d] = strided ? 1 + below(3) : 1;
        c->dilation[d] = spread ? 1 + below(4) : 1;
    }
    c->a = channels[below(sizeof channels / sizeof *channels)];
    c->b = channels[below(sizeof channels / sizeof *channels)];
    if (below(4) == 0) {
        c->groups = c->a;
        c->a = c->b = 1;
    }
    c->padding = (gt_Padding)below(c->rank == 1 ? 3 : 2);
    return sizes(c);
}

/* Channels of the result around one vector, for which lines go in pairs and the gradient of the kernel is turned: any number of
 * channels of x, lines even and odd, windows of one line and more, several images a tile. */
static Case narrow_case(int n)
{
    static const int64_t results[] = {8, 16, 8, 16, 7, 9, 15, 17}, sides[] = {1, 2, 3, 3, 3, 5};
    Case c = {.rank = 2, .images = 1 + below(5), .groups = below(4) ? 1 : 2};
    c.a = 1 + n % 34;
    c.b = results[below(sizeof results / sizeof *results)];
    for (int d = 0; d < c.rank; d++) {
        c.in[d] = 1 + below(12);
        c.size[d] = sides[below(sizeof sides / sizeof *sides)];
        c.stride[d] = below(4) ? 1 : 2;
        c.dilation[d] = 1;
    }
    if (c.stride[0] == 1 && c.stride[1] == 1 && below(6) == 0)
        c.dilation[below(2)] = 2;
    c.padding = (gt_Padding)below(2);
    return c;
}

static int64_t product_of(int rank, const int64_t *dims)
{
    int64_t n = 1;
    for (int d = 0; d < rank; d++)
        n *= dims[d];
    return n;
}

/* Where tap `tap` of the window of y's position reads, or -1. */
static int64_t reads(const Case *c, int64_t position, int64_t tap)
{
    int64_t at[3] = {0}, number = 0;
    for (int d = c->rank - 1; d >= 0; d--) {
        at[d] =
            position % c->out[d] * c->stride[d] + tap % c->size[d] * c->dilation[d] - c->before[d];
        position /= c->out[d];
        tap /= c->size[d];
        if (at[d] < 0 || at[d] >= c->in[d])
            return -1;
    }
    for (int d = 0; d < c->rank; d++)
        number = number * c->in[d] + at[d];
    return number;
}

/* y = conv(x, k), and what the sum of y u has for gradients; zeros before. */
static void plainly(const Case *c, const double *x, const double *k, const double *u, double *y,
                    double *dx, double *dk)
{
    const int64_t outputs = product_of(c->rank, c->out), inputs = product_of(c->rank, c->in);
    const int64_t taps = product_of(c->rank, c->size), all = c->groups * c->b;
    for (int64_t row = 0; row < c->images * outputs; row++)
        for (int64_t tap = 0; tap < taps; tap++) {
            const int64_t place = reads(c, row % outputs, tap);
            for (int64_t j = 0; place >= 0 && j < all; j++)
                for (int64_t i = 0; i < c->a; i++) {
                    const int64_t from =
                        ((row / outputs * inputs + place) * c->groups + j / c->b) * c->a + i;
                    const int64_t by = (tap * c->a + i) * all + j;
                    y[row * all + j] += x[from] * k[by];
                    dx[from] += u[row * all + j] * k[by];
                    dk[by] += u[row * all + j] * x[from];
                }
        }
}

static void near(const Case *c, const char *what, gt_Tensor *made, const double *right,
                 double within)
{
    cr_assert(made, "%s", gt_error_message());
    for (int64_t i = 0; i < gt_size(made); i++)
        cr_assert(fabs(gt_element(made, i) - right[i]) <= within,
                  "%s: element %d is %.17g, not %.17g: rank %d, %d images, in %d %d %d, window %d "
                  "%d %d, strides %d %d "
                  "%d, dilation %d %d %d, %d groups, %d -> %d, padding %d, %s",
                  what, (int)i, gt_element(made, i), right[i], c->rank, (int)c->images,
                  (int)c->in[0], (int)c->in[1], (int)c->in[2], (int)c->size[0], (int)c->size[1],
                  (int)c->size[2], (int)c->stride[0], (int)c->stride[1], (int)c->stride[2],
                  (int)c->dilation[0], (int)c->dilation[1], (int)c->dilation[2], (int)c->groups,
                  (int)c->a, (int)c->b, (int)c->padding, gt_context_kernels(gt_context())->isa);
}

static gt_Tensor *random_tensor(gt_Shape shape, gt_DType dtype, double **copy)
{
    const int64_t n = product_of(shape.rank, shape.dims);
    *copy = malloc((size_t)n * sizeof **copy);
    cr_assert(*copy);
    for (int64_t i = 0; i < n; i++)
        (*copy)[i] = (double)below(2049) / 1024 - 1; /* the same in every type */
    return gt_cast(gt_from_data(*copy, shape, GT_FLOAT64), dtype);
}

typedef struct Graph {
    const Case *c;
    gt_conv_options options;
    int kind; /* of a chain */
} Graph;

/* y and both gradients. */
static gt_Status all_three(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    const Graph *graph = user;
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_watch(tape, in[1]);
    gt_Tensor *y = gt_conv_at(NULL, in[0], in[1], &graph->options), *up[1] = {in[2]};
    gt_gradients(tape, gt_tensors(y), gt_tensors(in[0], in[1]), out + 1, .output_gradients = up);
    out[0] = gt_keep(y);
    gt_keep(out[1]);
    gt_keep(out[2]);
    gt_tape_end(tape);
    return gt_status();
}

static void check_case(const Case *c, gt_DType dtype)
{
    gt_Scope *scope = gt_scope_begin();
    Graph graph = {c,
                   GT_VALUES(gt_conv_options, axes_of(c, c->stride, -1, -1, -1), c->padding,
                             axes_of(c, c->dilation, -1, -1, -1), c->groups),
                   0};
    double *x, *k, *u;
    gt_Tensor *in[3] = {
        random_tensor(axes_of(c, c->in, c->images, c->groups * c->a, -1), dtype, &x),
        random_tensor(axes_of(c, c->size, -1, c->a, c->groups * c->b), dtype, &k),
        random_tensor(axes_of(c, c->out, c->images, c->groups * c->b, -1), dtype, &u)};
    gt_Tensor *made[3], *again[3];
    cr_assert_eq(all_three(&graph, in, made), GT_OK, "%s", gt_error_message());
    double *right[3];
    for (int i = 0; i < 3; i++) {
        right[i] = calloc((size_t)gt_size(made[i]), sizeof **right);
        cr_assert(right[i]);
    }
    plainly(c, x, k, u, right[0], right[1], right[2]);
    static const char *const names[] = {"y", "gradient in x", "gradient in the kernel"};
    for (int i = 0; i < 3; i++)
        near(c, names[i], made[i], right[i], dtype == GT_FLOAT64 ? 1e-11 : 2e-3);
    gt_Function *function = gt_function(all_three, &graph, .outputs = 3);
    for (int threads = 1; threads <= 3; threads += 2) {
        gt_set_threads(threads);
        cr_assert_eq(gt_function_call(function, ((gt_Tensors){in, 3}), again), GT_OK, "%s",
                     gt_error_message());
        for (int i = 0; i < 3; i++)
            cr_assert_eq(memcmp(gt_data(made[i]), gt_data(again[i]),
                                (size_t)gt_size(made[i]) * gt_dtype_size(gt_dtype(made[i]))),
                         0, "%s planned, %d threads", names[i], threads);
    }
    gt_set_threads(1);
    gt_function_free(function);
    for (int i = 0; i < 3; i++)
        free(right[i]);
    free(x);
    free(k);
    free(u);
    gt_scope_end(scope);
}

/* What a plan lets a convolution do itself, and what it does not: the result with bias alone, and relu; something else behind; the sum
 * without the bias, or without the relu, read as well; a bias that is no row. */
static gt_Status chained(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    const Graph *graph = user;
    gt_Tensor *h = gt_conv_at(NULL, in[0], in[1], &graph->options), *t = gt_add(h, in[2]);
    switch (graph->kind) {
    case 0:
        out[0] = t;
        break;
    case 1:
        out[0] = gt_relu(t);
        break;
    case 2:
        out[0] = gt_tanh(t);
        break;
    case 3:
        out[0] = gt_multiply(gt_relu(t), 0.3);
        break;
    case 4:
        out[0] = gt_subtract(gt_relu(t), t);
        break;
    case 5:
        out[0] = gt_subtract(gt_relu(t), h);
        break;
    case 6:
        out[0] = gt_add(gt_relu(t), gt_sum(h));
        break;
    case 7:
        out[0] = gt_relu(gt_add(h, gt_sum(in[2])));
        break;
    case 8:
        out[0] = gt_multiply(gt_relu(gt_multiply(gt_tanh(t), t)), gt_relu(t));
        break;
    }
    return gt_status();
}
enum { CHAINS = 9 };

static void check_chains(const Case *c, gt_DType dtype)
{
    gt_Scope *scope = gt_scope_begin();
    double *x, *k, *b;
    gt_Tensor *in[3] = {
        random_tensor(axes_of(c, c->in, c->images, c->groups * c->a, -1), dtype, &x),
        random_tensor(axes_of(c, c->size, -1, c->a, c->groups * c->b), dtype, &k),
        random_tensor(gt_shape(c->groups * c->b), dtype, &b)};
    for (int kind = 0; kind < CHAINS; kind++) {
        Graph graph = {c,
                       GT_VALUES(gt_conv_options, axes_of(c, c->stride, -1, -1, -1), c->padding,
                                 axes_of(c, c->dilation, -1, -1, -1), c->groups),
                       kind};
        gt_Tensor *eager = NULL, *planned = NULL;
        gt_Function *function = gt_function(chained, &graph);
        cr_assert_eq(chained(&graph, in, &eager), GT_OK, "%s", gt_error_message());
        for (int threads = 1; threads <= 3; threads += 2) {
            gt_set_threads(threads);
            cr_assert_eq(gt_function_call(function, ((gt_Tensors){in, 3}), &planned), GT_OK, "%s",
                         gt_error_message());
            cr_assert_eq(memcmp(gt_data(eager), gt_data(planned),
                                (size_t)gt_size(eager) * gt_dtype_size(dtype)),
                         0, "chain %d, %d threads, %d -> %d, %d groups", kind, threads, (int)c->a,
                         (int)c->b, (int)c->groups);
        }
        gt_set_threads(1);
        gt_function_free(function);
    }
    free(x);
    free(k);
    free(b);
    gt_scope_end(scope);
}

/* So few products that the kernel is read where it lies, or a little more. */
static Case small_case(void)
{
    Case c;
    do {
        const bool strided = below(2);
        c = (Case){.rank = 1 + (int)below(3), .images = 1 + below(2), .groups = 1};
        for (int d = 0; d < c.rank; d++) {
            c.in[d] = 1 + below(c.rank == 3 ? 3 : 5);
            c.size[d] = 1 + below(3);
            c.stride[d] = strided ? 1 + below(2) : 1;
            c.dilation[d] = strided ? 1 : 1 + below(2);
        }
        c.a = 1 + below(3);
        c.b = 1 + below(3);
        c.padding = (gt_Padding)below(c.rank == 1 ? 3 : 2);
    } while (!sizes(&c));
    return c;
}

/* The sums of a small convolution have the bits of those of the same images among so many that it is not small. */
static void check_among_many(const Case *c, gt_DType dtype)
{
    enum { MANY = 300 };
    gt_Scope *scope = gt_scope_begin();
    const gt_conv_options options =
        GT_VALUES(gt_conv_options, axes_of(c, c->stride, -1, -1, -1), c->padding,
                  axes_of(c, c->dilation, -1, -1, -1), c->groups);
    double *numbers_of_x, *numbers_of_k;
    gt_Tensor *x = gt_sin(random_tensor(axes_of(c, c->in, c->images, c->a, -1), dtype, &numbers_of_x));
    gt_Tensor *k = gt_sin(random_tensor(axes_of(c, c->size, -1, c->a, c->b), dtype, &numbers_of_k));
    gt_Tensor *list[MANY];
    for (int i = 0; i < MANY; i++)
        list[i] = x;
    gt_Tensor *few = gt_conv_at(NULL, x, k, &options);
    gt_Tensor *many = gt_conv_at(NULL, gt_concatenate(((gt_Tensors){list, MANY}), .axis = 0), k, &options);
    cr_assert(few && many, "%s", gt_error_message());
    cr_assert_eq(memcmp(gt_data(few), gt_data(many), (size_t)gt_size(few) * gt_dtype_size(dtype)), 0,
                 "rank %d, %d -> %d, padding %d, %s", c->rank, (int)c->a, (int)c->b, (int)c->padding,
                 gt_context_kernels(gt_context())->isa);
    free(numbers_of_x);
    free(numbers_of_k);
    gt_scope_end(scope);
}

/* What has a way of its own: images that are cut, tiles of several images, kernels that are packed panel by panel, many parts
 * of a kernel's gradient. */
static const Case large[] = {
    {2, 1, {3, 2500}, {3, 3}, {1, 1}, {1, 1}, 1, 2, 3, GT_PADDING_SAME, {0}, {0}},
    {2, 2, {2, 2500}, {2, 3}, {2, 2}, {1, 1}, 1, 3, 2, GT_PADDING_SAME, {0}, {0}},
    {2, 30, {5, 7}, {3, 3}, {1, 1}, {1, 1}, 1, 4, 20, GT_PADDING_SAME, {0}, {0}},
    {2, 1, {4, 5}, {3, 3}, {1, 1}, {1, 1}, 1, 260, 130, GT_PADDING_SAME, {0}, {0}},
    {2, 1, {6, 5}, {3, 3}, {2, 2}, {1, 1}, 1, 150, 300, GT_PADDING_SAME, {0}, {0}},
    {2, 5, {90, 80}, {3, 3}, {1, 1}, {1, 1}, 1, 1, 5, GT_PADDING_VALID, {0}, {0}},
    {2, 3, {60, 70}, {3, 3}, {1, 1}, {1, 1}, 12, 1, 1, GT_PADDING_SAME, {0}, {0}},
    {3, 2, {9, 12, 11}, {3, 3, 3}, {1, 1, 1}, {2, 2, 2}, 1, 3, 9, GT_PADDING_SAME, {0}, {0}},
};

Test(convolution, operations, .timeout = 1200)
{
    static const char *const isas[] = {"base", "v3", "v4"};
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
        setenv("GT_ISA", isas[i], 1);
        gt_Context *before = gt_context_use(gt_context_create());
        state = 7;
        int cases = 0;
        for (; cases < 150; cases++) {
            Case c;
            while (!draw_case(&c))
                ;
            check_case(&c, cases % 2 ? GT_FLOAT64 : GT_FLOAT32);
            if (cases % 3 == 0)
                check_chains(&c, cases % 2 ? GT_FLOAT64 : GT_FLOAT32);
        }
        for (int n = 0; n < 300; n++) {
            Case c = narrow_case(n);
            if (sizes(&c))
                check_case(&c, n % 2 ? GT_FLOAT64 : GT_FLOAT32);
        }
        for (int n = 0; n < 300; n++) {
            const Case c = small_case();
            const gt_DType dtype = n % 2 ? GT_FLOAT64 : GT_FLOAT32;
            check_among_many(&c, dtype);
            check_case(&c, dtype);
            if (n % 3 == 0)
                check_chains(&c, dtype);
        }
        for (size_t l = 0; l < sizeof large / sizeof *large; l++) {
            Case c = large[l];
            cr_assert(sizes(&c));
            check_case(&c, l % 2 ? GT_FLOAT64 : GT_FLOAT32);
            check_case(&c, l % 2 ? GT_FLOAT32 : GT_FLOAT64);
            check_chains(&c, l % 2 ? GT_FLOAT32 : GT_FLOAT64);
        }
        gt_context_free(gt_context_use(before));
    }
    unsetenv("GT_ISA");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Blocks of a kernel's gradient, which threads share, are even: of 2048 positions at most, the last one not much smaller. */
Test(convolution, blocks_are_even)
{
    const int64_t images[] = {1, 2, 3, 8, 31, 32, 33, 64, 100},
                  sizes[] = {5, 8, 14, 16, 28, 32, 50, 1500};
    const gt_OptionType *type = gt_op_conv_kernel_gradient.options;
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            const int64_t n = images[i], size = sizes[j];
            gt_ShapeRule rule = {
                .operation = &gt_op_conv_kernel_gradient, .inputs = 2, .outputs = 1};
            const gt_Spec x = {GT_FLOAT32, 4, n * size * size * 4, {n, size, size, 4}};
            const gt_Spec kernel = {GT_FLOAT32, 4, 16, {1, 1, 4, 4}};
            max_align_t options[16];
            cr_assert_leq(type->size, sizeof options);
            memcpy(options, type->defaults, type->size);
            rule.options = options;
            rule.input[0] = rule.input[1] = &x;
            rule.output[0] = kernel;
            gt_Lowering lowering;
            gt_ConvJob c;
            gt_lower(&rule, gt_context_kernels(gt_context()), &lowering);
            memcpy(&c, lowering.job + lowering.launch[0].job, sizeof c);
            const int64_t blocks = (c.units + c.block_units - 1) / c.block_units;
            const int64_t last = c.units - (blocks - 1) * c.block_units;
            cr_assert_eq(c.block_units % c.tile_units, 0);
            cr_assert(blocks == 1 || c.block_units * c.wide <= 2048 ||
                      c.block_units == c.tile_units);
            /* Whole tiles: one less in the last block for each of the others, at most. */
            cr_assert_gt(last + blocks * c.tile_units, c.block_units);
            cr_assert(c.units != 32 * 14 || c.wide != 14 || (c.block_units == 112 && blocks == 4));
        }
    gt_context_free(NULL);
}

/* With one window there is no step, however long it would be. */
Test(convolution, endless_strides, .timeout = 60)
{
    const gt_Padding paddings[] = {GT_PADDING_VALID, GT_PADDING_SAME};
    for (int padding = 0; padding < 2; padding++) {
        gt_Tensor *x = gt_uniform(gt_shape(2, 5, 4, 3)), *kernel = gt_uniform(gt_shape(2, 3, 3, 4));
        gt_Tensor *grads[2][2];
        for (int k = 0; k < 2; k++) {
            const int64_t stride = k ? INT32_MAX : 100;
            gt_Tape *tape = gt_tape_begin();
            gt_watch(tape, x);
            gt_watch(tape, kernel);
            gt_Tensor *y = gt_conv(x, kernel, .strides = gt_shape(stride, stride),
                                   .padding = paddings[padding]);
            gt_gradients(tape, gt_tensors(gt_sum(gt_square(y))), gt_tensors(x, kernel), grads[k]);
            gt_keep(grads[k][0]);
            gt_keep(grads[k][1]);
            gt_tape_end(tape);
        }
        cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message());
        for (int i = 0; i < 2; i++)
            cr_assert_eq(memcmp(gt_data(grads[0][i]), gt_data(grads[1][i]),
                                (size_t)gt_size(grads[0][i]) * sizeof(float)),
                         0);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}
