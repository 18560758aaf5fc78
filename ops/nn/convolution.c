/* Convolutions: gt_conv and its two gradients, which are records of their own. For images x,
 * kernels k and images u of the result's shape, the sum of conv(x, k) u is linear in each of the
 * three; conv, conv_input_gradient(u, k) and conv_kernel_gradient(x, u) are its derivatives, and so
 * each one's gradients are the other two.
 *
 * All are matrix products. What the window reads at one output position is one row of a matrix of
 * `depth` columns: rows are gathered for a tile of positions, or added back. Depthwise
 * convolutions, one channel in and one out a group, go channel by channel instead. How the work is
 * cut depends on the sizes alone. Leans on window.c. */
#include "ops/nn/convolution.h"
#include "kernels/product.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/array/reshaping.h"
#include "ops/nn/window.h"

#include <string.h>

GT_OPTION_TYPE(gt_conv_options, gt_conv_OPTIONS);

/* Of the records of gradients: `extent` is the spatial size that their inputs do not tell. */
#define CONV_GRADIENT_OPTIONS(F, S)                                                                \
    GT_CONV_COMMON(F, S)                                                                           \
    F(S, int64_t, groups, 1, "parts of the channels, each with filters of its own")                \
    F(S, gt_Shape, extent, GT_NO_SIZES, "spatial size of the result")
GT_OPTIONS(ConvGradientOptions, CONV_GRADIENT_OPTIONS);
GT_OPTION_TYPE(ConvGradientOptions, CONV_GRADIENT_OPTIONS);

/* ---- sizes ---- */

#define PATCHES 65536 /* numbers that a tile gathers, about; it has LEAST to MOST rows */
#define LEAST   64
#define MOST    1024
#define BLOCK   512 /* rows that a kernel's gradient sums up before adding them to the others, */
#define STRIP   32  /*   and depthwise */
#define FEW     16  /* such sums that may be added up as floats */
#define COLUMNS 128 /* columns of it that a tile has at most */

typedef struct Convolution {
    gt_Window window;
    int64_t images, rows;    /* rows: output positions of all images */
    int64_t groups, in, out; /* channels of one group */
    int64_t depth;           /* what one output is summed over: window.taps * in */
    bool pointwise;          /* the matrix of rows is the image itself */
    bool depthwise;
    gt_DType dtype; /* of the result */
    gt_LoopType type;
    size_t element;
    bool widens; /* an operand has 16 bits a number: its numbers become float32 in scratch */
    const gt_KernelTable *kernels;
    int64_t tile_rows;
    int64_t tile_taps, tile_columns; /* of a kernel's gradient */
    size_t tap_bytes, patch_bytes, partial_bytes, total_bytes, gemm_bytes;
} Convolution;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t pieces(int64_t n, int64_t piece)
{
    return (n + piece - 1) / piece;
}

static bool plan_channels(const gt_Spec *x, const gt_Spec *kernel, int64_t groups)
{
    char s[160], t[160];
    int rank = x->rank;
    gt_shape_text(gt_spec_shape(x), s, sizeof s);
    gt_shape_text(gt_spec_shape(kernel), t, sizeof t);
    if (kernel->rank != rank) {
        gt_fail(GT_INVALID, "an image %s and a kernel %s differ in their number of axes", s, t);
        return false;
    }
    int64_t channels = x->dims[rank - 1], filters = kernel->dims[rank - 1];
    if (groups < 1 || channels % groups != 0 || filters % groups != 0) {
        gt_fail(GT_INVALID, "%lld channels and %lld filters cannot be cut into %lld groups",
                (long long)channels, (long long)filters, (long long)groups);
        return false;
    }
    if (kernel->dims[rank - 2] != channels / groups) {
        gt_fail(GT_INVALID, "a kernel %s does not fit %lld of the channels of %s", t,
                (long long)(channels / groups), s);
        return false;
    }
    return true;
}

/* What is made of operands a and b; false with an error raised if they do not go together. */
static bool plan_types(Convolution *c, const gt_Spec *a, const gt_Spec *b)
{
    if (!gt_product_type(a, b, &c->dtype))
        return false;
    c->type = (gt_LoopType)gt_loop_type(c->dtype);
    c->element = gt_dtype_size(c->dtype);
    c->widens = gt_half_type(a->dtype) >= 0 || gt_half_type(b->dtype) >= 0;
    c->kernels = gt_context()->kernels;
    return true;
}

/* Works out the convolution of x with the kernel; false with an error raised if there is none. */
static bool plan(Convolution *c, const gt_conv_options *options, const gt_Spec *x,
                 const gt_Spec *kernel)
{
    const gt_Window *w = &c->window;
    int rank = x->rank;
    if (!gt_window_takes(x) || !gt_window_countable(kernel) ||
        !plan_channels(x, kernel, options->groups) ||
        !gt_window_set(&c->window, rank - 2, x->dims + 1, kernel->dims, &options->strides,
                       &options->dilation, options->padding))
        return false;
    c->images = x->dims[0];
    c->rows = c->images * w->outputs;
    c->groups = options->groups;
    c->in = kernel->dims[rank - 2];
    c->out = kernel->dims[rank - 1] / c->groups;
    c->depth = w->taps * c->in;
    c->pointwise = w->taps == 1 && w->inputs == w->outputs;
    c->depthwise = c->in == 1 && c->out == 1 && c->groups > 1;
    int64_t rows = c->depth > 0 ? PATCHES / c->depth : MOST;
    c->tile_rows = rows < LEAST ? LEAST : least(rows, MOST);
    c->tile_taps = c->in > 0 ? least(pieces(64, c->in), w->taps) : w->taps;
    c->tile_columns = least(c->depthwise ? c->groups : c->out, COLUMNS);
    return true;
}

static gt_conv_options forward_options(const ConvGradientOptions *options)
{
    return GT_VALUES(gt_conv_options, options->strides, options->padding, options->dilation,
                     options->groups);
}

/* ---- scratch memory of a worker: taps, gathered rows, a partial sum, the product's own ---- */

typedef struct Workspace {
    int64_t *tap;
    char *patches, *partial;
    double *total;
    void *gemm;
} Workspace;

static size_t aligned(size_t bytes)
{
    return (bytes + GT_ALIGNMENT - 1) / GT_ALIGNMENT * GT_ALIGNMENT;
}

/* Are the partial sums of a kernel's gradient added up in double? Where there are many of them. */
static bool in_double(const Convolution *c)
{
    return c->type == GT_LOOP_F32 && c->rows > FEW * (c->depthwise ? STRIP : BLOCK);
}

/* For rows x columns gathered, `partial` numbers, and products of m x n summed over k. */
static size_t plan_scratch(Convolution *c, int64_t rows, int64_t columns, int64_t partial,
                           int64_t m, int64_t n, int64_t k)
{
    c->tap_bytes = aligned((size_t)c->window.taps * sizeof(int64_t));
    c->patch_bytes = c->pointwise ? 0 : aligned((size_t)rows * (size_t)columns * c->element);
    c->partial_bytes = aligned((size_t)partial * c->element);
    c->total_bytes = in_double(c) ? aligned((size_t)partial * sizeof(double)) : 0;
    c->gemm_bytes = c->depthwise ? 0 : gt_gemm_scratch(c->kernels, c->type, c->widens, m, n, k);
    return c->tap_bytes + c->patch_bytes + c->partial_bytes + c->total_bytes + c->gemm_bytes;
}

/* Depthwise: room for one position's products, and for both of its factors. */
#define FACTORS 3

static size_t plan_forward(Convolution *c)
{
    if (c->depthwise)
        return plan_scratch(c, FACTORS, c->groups, 0, 0, 0, 0);
    return plan_scratch(c, c->tile_rows, c->depth, 0, c->tile_rows, c->out, c->depth);
}

static size_t plan_input_gradient(Convolution *c)
{
    if (c->depthwise)
        return plan_scratch(c, FACTORS, c->groups, 0, 0, 0, 0);
    return plan_scratch(c, c->tile_rows, c->depth, 0, c->tile_rows, c->depth, c->out);
}

static size_t plan_kernel_gradient(Convolution *c)
{
    int64_t m = c->tile_taps * c->in, n = c->tile_columns;
    if (c->depthwise)
        return plan_scratch(c, FACTORS, n, c->window.taps * n, 0, 0, 0);
    return plan_scratch(c, BLOCK, m, m * n, m, n, BLOCK);
}

static Workspace workspace(const Convolution *c, void *scratch)
{
    char *at = scratch;
    Workspace space = {.tap = scratch};
    space.patches = at += c->tap_bytes;
    space.partial = at += c->patch_bytes;
    space.total = (double *)(void *)(at += c->partial_bytes);
    space.gemm = at + c->total_bytes;
    return space;
}

/* An operand as it is stored. */
typedef struct Operand {
    const char *at;
    size_t element;
    int half; /* a gt_HalfType; -1: the result's type */
} Operand;

/* What a tile body works on. */
typedef struct Job {
    Convolution c;
    Operand a, b;
    char *to;
} Job;

static Operand operand(const gt_Kernel *kernel, int input)
{
    gt_DType dtype = kernel->input_spec[input]->dtype;
    return (Operand){kernel->input[input], gt_dtype_size(dtype), gt_half_type(dtype)};
}

static Operand from(Operand a, int64_t number)
{
    a.at += (size_t)number * a.element;
    return a;
}

/* n numbers of it, which are there or made in `room`. */
static const char *numbers(const Convolution *c, Operand a, int64_t n, char *room)
{
    if (a.half < 0)
        return a.at;
    c->kernels->widen[a.half](1, n, a.at, n, (float *)(void *)room, n);
    return room;
}

/* Where the channels of a group start at that position of an image with `channels` a group. */
static int64_t place(const Convolution *c, int64_t position, int64_t group, int64_t channels)
{
    return (position * c->groups + group) * channels;
}

/* The same in bytes of the result. */
static size_t offset(const Convolution *c, int64_t position, int64_t group, int64_t channels)
{
    return (size_t)place(c, position, group, channels) * c->element;
}

static void product(const Convolution *c, bool transpose_a, bool transpose_b, int64_t m, int64_t n,
                    int64_t k, Operand a, int64_t lda, Operand b, int64_t ldb, void *to,
                    int64_t ldc, void *scratch)
{
    gt_Gemm gemm = {transpose_a, transpose_b, m,   n,      k,      a.at, b.at,
                    lda,         ldb,         ldc, a.half, b.half, to,   false};
    gt_gemm(c->kernels, c->type, &gemm, scratch);
}

static void add(const Convolution *c, int64_t n, char *to, const char *from)
{
    c->kernels->binary[GT_LOOP_ADD][c->type](n, to, 1, from, 1, to);
}

static void add_wide(const Convolution *c, int64_t n, double *to, const char *from)
{
    gt_add_in_double(c->kernels, n, (const float *)(const void *)from, to);
}

static void rounded(const Convolution *c, int64_t n, const double *from, char *to)
{
    c->kernels->cast[GT_LOOP_F64][GT_LOOP_F32](n, from, to);
}

/* Of n channels; `room` has n numbers for what comes out, and as many for each factor. */
static void multiply(const Convolution *c, int64_t n, Operand a, Operand b, char *to, char *room)
{
    size_t one = (size_t)n * c->element;
    c->kernels->binary[GT_LOOP_MULTIPLY][c->type](n, numbers(c, a, n, room + one), 1,
                                                  numbers(c, b, n, room + 2 * one), 1, to);
}

/* How many positions from tap[p] on are neighbours in memory, before position `end`. */
static int64_t run_length(const Convolution *c, const int64_t *tap, int64_t p, int64_t end)
{
    int64_t n = 1;
    while (c->groups == 1 && p + n < end && tap[p + n] == tap[p] + n)
        n++;
    return n;
}

/* Rows of what the positions [begin, begin + count) of the window read of a group. */
static Operand gather(const Convolution *c, Operand x, int64_t group, int64_t first, int64_t rows,
                      int64_t begin, int64_t count, const Workspace *space)
{
    size_t one = (size_t)c->in * c->element;
    char *to = space->patches;
    for (int64_t row = first; row < first + rows; row++) {
        gt_window_taps(&c->window, row, space->tap);
        for (int64_t p = begin, n; p < begin + count; p += n) {
            n = 1;
            if (space->tap[p] < 0) {
                memset(to, 0, one);
            } else {
                n = run_length(c, space->tap, p, begin + count);
                Operand read = from(x, place(c, space->tap[p], group, c->in));
                if (read.half >= 0)
                    numbers(c, read, n * c->in, to);
                else
                    memcpy(to, read.at, (size_t)n * one);
            }
            to += (size_t)n * one;
        }
    }
    return (Operand){space->patches, c->element, -1};
}

/* ---- conv ---- */

static void conv_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                       void *scratch)
{
    const Job *job = argument;
    const Convolution *c = &job->c;
    Workspace space = workspace(c, scratch);
    (void)kernel;
    for (int64_t tile = first; tile < last; tile++) {
        int64_t row = tile / c->groups * c->tile_rows, group = tile % c->groups;
        int64_t rows = least(c->tile_rows, c->rows - row), all = c->groups * c->out;
        Operand patches = c->pointwise
                              ? from(job->a, place(c, row, group, c->in))
                              : gather(c, job->a, group, row, rows, 0, c->window.taps, &space);
        product(c, false, false, rows, c->out, c->depth, patches,
                c->pointwise ? c->groups * c->in : c->depth,
                from(job->b, place(c, 0, group, c->out)), all,
                job->to + offset(c, row, group, c->out), all, space.gemm);
    }
}

static void depthwise_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                            void *scratch)
{
    const Job *job = argument;
    const Convolution *c = &job->c;
    Workspace space = workspace(c, scratch);
    int64_t end = least(last * c->tile_rows, c->rows);
    (void)kernel;
    for (int64_t row = first * c->tile_rows; row < end; row++) {
        char *y = job->to + offset(c, row, 0, 1);
        bool some = false;
        gt_window_taps(&c->window, row, space.tap);
        for (int64_t p = 0; p < c->window.taps; p++) {
            if (space.tap[p] < 0)
                continue;
            Operand x = from(job->a, place(c, space.tap[p], 0, 1));
            Operand k = from(job->b, place(c, p, 0, 1));
            multiply(c, c->groups, x, k, some ? space.patches : y, space.patches);
            if (some)
                add(c, c->groups, y, space.patches);
            some = true;
        }
        if (!some)
            memset(y, 0, (size_t)c->groups * c->element);
    }
}

static gt_Status conv_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0], *kernel = rule->input[1];
    Convolution c;
    if (!plan_types(&c, x, kernel) || !plan(&c, rule->options, x, kernel))
        return gt_status();
    gt_window_output(&c.window, x, kernel->dims[kernel->rank - 1], &rule->output[0]);
    rule->output[0].dtype = c.dtype;
    rule->scratch = plan_forward(&c);
    return GT_OK;
}

static gt_Status conv_run(const gt_Kernel *kernel)
{
    Job job = {.a = operand(kernel, 0), .b = operand(kernel, 1), .to = kernel->output[0]};
    Convolution *c = &job.c;
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    if (!plan_types(c, kernel->input_spec[0], kernel->input_spec[1]) ||
        !plan(c, kernel->options, kernel->input_spec[0], kernel->input_spec[1]))
        return gt_status();
    plan_forward(c);
    int64_t tiles = pieces(c->rows, c->tile_rows);
    return c->depthwise ? gt_for_tiles(kernel, tiles, depthwise_tiles, &job)
                        : gt_for_tiles(kernel, tiles * c->groups, conv_tiles, &job);
}

/* ---- conv_input_gradient ---- */

/* x as the options and the other two tell it. */
static bool input_of(const ConvGradientOptions *options, const gt_Spec *up, const gt_Spec *kernel,
                     gt_Spec *x)
{
    char s[160];
    *x = *up;
    if (!gt_window_takes(up) || options->extent.rank != up->rank - 2 || kernel->rank != up->rank ||
        options->groups < 1 || kernel->dims[up->rank - 2] > INT64_MAX / options->groups) {
        gt_fail(GT_INVALID, "%s is not the result of a convolution of an image with this kernel",
                gt_shape_text(gt_spec_shape(up), s, sizeof s));
        return false;
    }
    memcpy(x->dims + 1, options->extent.dims, (size_t)(up->rank - 2) * sizeof(int64_t));
    x->dims[up->rank - 1] = kernel->dims[up->rank - 2] * options->groups;
    if (gt_spec_resize(x))
        return true;
    gt_fail(GT_INVALID, "the result %s would be too large",
            gt_shape_text(gt_spec_shape(x), s, sizeof s));
    return false;
}

/* `up` must be what conv(x, kernel) is. */
static bool is_result(const Convolution *c, const gt_Spec *x, const gt_Spec *kernel,
                      const gt_Spec *up)
{
    char s[160], t[160];
    gt_Spec y;
    gt_window_output(&c->window, x, kernel->dims[kernel->rank - 1], &y);
    if (gt_shape_equal(gt_spec_shape(&y), gt_spec_shape(up)))
        return true;
    gt_fail(GT_INVALID, "shape %s is not that of the result, %s",
            gt_shape_text(gt_spec_shape(up), s, sizeof s),
            gt_shape_text(gt_spec_shape(&y), t, sizeof t));
    return false;
}

static bool plan_backward(Convolution *c, const ConvGradientOptions *options, const gt_Spec *x,
                          const gt_Spec *kernel, const gt_Spec *up)
{
    gt_conv_options forward = forward_options(options);
    return plan(c, &forward, x, kernel) && is_result(c, x, kernel, up);
}

static void pointwise_back_tiles(const gt_Kernel *kernel, void *argument, int64_t first,
                                 int64_t last, void *scratch)
{
    const Job *job = argument;
    const Convolution *c = &job->c;
    Workspace space = workspace(c, scratch);
    (void)kernel;
    for (int64_t tile = first; tile < last; tile++) {
        int64_t row = tile / c->groups * c->tile_rows, group = tile % c->groups;
        int64_t rows = least(c->tile_rows, c->rows - row), all = c->groups * c->out;
        product(c, false, true, rows, c->in, c->out, from(job->a, place(c, row, group, c->out)),
                all, from(job->b, place(c, 0, group, c->out)), all,
                job->to + offset(c, row, group, c->in), c->groups * c->in, space.gemm);
    }
}

/* Adds rows to where `gather` would have read them. */
static void scatter(const Convolution *c, char *x, int64_t group, int64_t first, int64_t rows,
                    const Workspace *space)
{
    size_t one = (size_t)c->in * c->element;
    const char *row_of = space->patches;
    for (int64_t row = first; row < first + rows; row++) {
        gt_window_taps(&c->window, row, space->tap);
        for (int64_t p = 0, n; p < c->window.taps; p += n) {
            n = space->tap[p] < 0 ? 1 : run_length(c, space->tap, p, c->window.taps);
            if (space->tap[p] >= 0)
                add(c, n * c->in, x + offset(c, space->tap[p], group, c->in), row_of);
            row_of += (size_t)n * one;
        }
    }
}

/* A tile is a group of one image: what it adds up, nobody else touches. */
static void back_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                       void *scratch)
{
    const Job *job = argument;
    const Convolution *c = &job->c;
    const gt_Window *w = &c->window;
    Workspace space = workspace(c, scratch);
    int64_t all = c->groups * c->out;
    (void)kernel;
    for (int64_t tile = first; tile < last; tile++) {
        int64_t image = tile / c->groups, group = tile % c->groups;
        int64_t end = (image + 1) * w->outputs;
        for (int64_t i = image * w->inputs; i < (image + 1) * w->inputs; i++)
            memset(job->to + offset(c, i, group, c->in), 0, (size_t)c->in * c->element);
        for (int64_t row = image * w->outputs; row < end; row += c->tile_rows) {
            int64_t rows = least(c->tile_rows, end - row);
            product(c, false, true, rows, c->depth, c->out,
                    from(job->a, place(c, row, group, c->out)), all,
                    from(job->b, place(c, 0, group, c->out)), all, space.patches, c->depth,
                    space.gemm);
            scatter(c, job->to, group, row, rows, &space);
        }
    }
}

static void depthwise_back_tiles(const gt_Kernel *kernel, void *argument, int64_t first,
                                 int64_t last, void *scratch)
{
    const Job *job = argument;
    const Convolution *c = &job->c;
    const gt_Window *w = &c->window;
    Workspace space = workspace(c, scratch);
    (void)kernel;
    memset(job->to + offset(c, first * w->inputs, 0, 1), 0,
           offset(c, (last - first) * w->inputs, 0, 1));
    for (int64_t row = first * w->outputs; row < last * w->outputs; row++) {
        Operand up = from(job->a, place(c, row, 0, 1));
        gt_window_taps(w, row, space.tap);
        for (int64_t p = 0; p < w->taps; p++)
            if (space.tap[p] >= 0) {
                multiply(c, c->groups, up, from(job->b, place(c, p, 0, 1)), space.patches,
                         space.patches);
                add(c, c->groups, job->to + offset(c, space.tap[p], 0, 1), space.patches);
            }
    }
}

static gt_Status conv_input_gradient_shape(gt_ShapeRule *rule)
{
    const gt_Spec *up = rule->input[0], *kernel = rule->input[1];
    Convolution c;
    gt_Spec x;
    if (!plan_types(&c, up, kernel) || !input_of(rule->options, up, kernel, &x) ||
        !plan_backward(&c, rule->options, &x, kernel, up))
        return gt_status();
    rule->output[0] = x;
    rule->output[0].dtype = c.dtype;
    rule->scratch = plan_input_gradient(&c);
    return GT_OK;
}

static gt_Status conv_input_gradient_run(const gt_Kernel *kernel)
{
    Job job = {.a = operand(kernel, 0), .b = operand(kernel, 1), .to = kernel->output[0]};
    Convolution *c = &job.c;
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    if (!plan_types(c, kernel->input_spec[0], kernel->input_spec[1]) ||
        !plan_backward(c, kernel->options, kernel->output_spec[0], kernel->input_spec[1],
                       kernel->input_spec[0]))
        return gt_status();
    plan_input_gradient(c);
    if (c->depthwise)
        return gt_for_tiles(kernel, c->images, depthwise_back_tiles, &job);
    if (c->pointwise)
        return gt_for_tiles(kernel, pieces(c->rows, c->tile_rows) * c->groups, pointwise_back_tiles,
                            &job);
    return gt_for_tiles(kernel, c->images * c->groups, back_tiles, &job);
}

/* ---- conv_kernel_gradient ---- */

static bool kernel_of(const ConvGradientOptions *options, const gt_Spec *x, const gt_Spec *up,
                      gt_Spec *kernel)
{
    char s[160];
    *kernel = *up;
    if (!gt_window_takes(x) || options->extent.rank != x->rank - 2 || up->rank != x->rank ||
        options->groups < 1) {
        gt_fail(GT_INVALID, "%s is not the result of a convolution of the image",
                gt_shape_text(gt_spec_shape(up), s, sizeof s));
        return false;
    }
    memcpy(kernel->dims, options->extent.dims, (size_t)(x->rank - 2) * sizeof(int64_t));
    kernel->dims[x->rank - 2] = x->dims[x->rank - 1] / options->groups;
    if (gt_spec_resize(kernel))
        return true;
    gt_fail(GT_INVALID, "the result %s would be too large",
            gt_shape_text(gt_spec_shape(kernel), s, sizeof s));
    return false;
}

/* A tile is a block of the kernel: some positions of one group, some columns. It goes through all
 * rows, BLOCK at a time. */
static void kernel_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                         void *scratch)
{
    const Job *job = argument;
    const Convolution *c = &job->c;
    Workspace space = workspace(c, scratch);
    int64_t all = c->groups * c->out, blocks = pieces(c->out, c->tile_columns);
    (void)kernel;
    for (int64_t tile = first; tile < last; tile++) {
        int64_t group = tile % c->groups, rest = tile / c->groups;
        int64_t column = rest % blocks * c->tile_columns, tap = rest / blocks * c->tile_taps;
        int64_t n = least(c->tile_columns, c->out - column);
        int64_t taps = least(c->tile_taps, c->window.taps - tap), m = taps * c->in;
        char *to = job->to + offset(c, tap * c->in, group, c->out) + (size_t)column * c->element;
        bool wide = in_double(c);
        if (wide)
            memset(space.total, 0, (size_t)(m * n) * sizeof *space.total);
        for (int64_t row = 0; row == 0 || row < c->rows; row += BLOCK) {
            int64_t rows = least(BLOCK, c->rows - row);
            bool first_of_all = row == 0 && !wide;
            Operand patches = c->pointwise ? from(job->a, place(c, row, group, c->in))
                                           : gather(c, job->a, group, row, rows, tap, taps, &space);
            product(c, true, false, m, n, rows, patches, c->pointwise ? c->groups * c->in : m,
                    from(job->b, place(c, row, group, c->out) + column), all,
                    first_of_all ? to : space.partial, first_of_all ? all : n, space.gemm);
            if (wide)
                add_wide(c, m * n, space.total, space.partial);
            for (int64_t i = 0; row > 0 && !wide && i < m; i++)
                add(c, n, to + (size_t)(i * all) * c->element,
                    space.partial + (size_t)(i * n) * c->element);
        }
        for (int64_t i = 0; wide && i < m; i++)
            rounded(c, n, space.total + i * n, to + (size_t)(i * all) * c->element);
    }
}

static void depthwise_kernel_tiles(const gt_Kernel *kernel, void *argument, int64_t first,
                                   int64_t last, void *scratch)
{
    const Job *job = argument;
    const Convolution *c = &job->c;
    const gt_Window *w = &c->window;
    Workspace space = workspace(c, scratch);
    (void)kernel;
    for (int64_t tile = first; tile < last; tile++) {
        int64_t channel = tile * c->tile_columns, n = least(c->tile_columns, c->groups - channel);
        size_t one = (size_t)n * c->element;
        bool wide = in_double(c);
        for (int64_t p = 0; p < w->taps && !wide; p++)
            memset(job->to + offset(c, p, channel, 1), 0, one);
        if (wide)
            memset(space.total, 0, (size_t)(w->taps * n) * sizeof *space.total);
        for (int64_t block = 0; block < c->rows; block += STRIP) {
            memset(space.partial, 0, (size_t)w->taps * one);
            for (int64_t row = block; row < least(block + STRIP, c->rows); row++) {
                gt_window_taps(w, row, space.tap);
                for (int64_t p = 0; p < w->taps; p++)
                    if (space.tap[p] >= 0) {
                        multiply(c, n, from(job->a, place(c, space.tap[p], channel, 1)),
                                 from(job->b, place(c, row, channel, 1)), space.patches,
                                 space.patches);
                        add(c, n, space.partial + (size_t)p * one, space.patches);
                    }
            }
            if (wide)
                add_wide(c, w->taps * n, space.total, space.partial);
            for (int64_t p = 0; p < w->taps && !wide; p++)
                add(c, n, job->to + offset(c, p, channel, 1), space.partial + (size_t)p * one);
        }
        for (int64_t p = 0; p < w->taps && wide; p++)
            rounded(c, n, space.total + p * n, job->to + offset(c, p, channel, 1));
    }
}

static gt_Status conv_kernel_gradient_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0], *up = rule->input[1];
    Convolution c;
    gt_Spec kernel;
    if (!plan_types(&c, x, up) || !kernel_of(rule->options, x, up, &kernel) ||
        !plan_backward(&c, rule->options, x, &kernel, up))
        return gt_status();
    rule->output[0] = kernel;
    rule->output[0].dtype = c.dtype;
    rule->scratch = plan_kernel_gradient(&c);
    return GT_OK;
}

static gt_Status conv_kernel_gradient_run(const gt_Kernel *kernel)
{
    Job job = {.a = operand(kernel, 0), .b = operand(kernel, 1), .to = kernel->output[0]};
    Convolution *c = &job.c;
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    if (!plan_types(c, kernel->input_spec[0], kernel->input_spec[1]) ||
        !plan_backward(c, kernel->options, kernel->input_spec[0], kernel->output_spec[0],
                       kernel->input_spec[1]))
        return gt_status();
    plan_kernel_gradient(c);
    if (c->depthwise)
        return gt_for_tiles(kernel, pieces(c->groups, c->tile_columns), depthwise_kernel_tiles,
                            &job);
    return gt_for_tiles(
        kernel, pieces(c->window.taps, c->tile_taps) * pieces(c->out, c->tile_columns) * c->groups,
        kernel_tiles, &job);
}

/* ---- gradient rules ---- */

/* A gradient has its input's type, whatever its sums had. */
static gt_Status give(gt_GradientRule *rule, int input, gt_Tensor *gradient)
{
    return gt_give(rule, input, gt_narrowed(gradient, gt_rule_input_spec(rule, input)->dtype));
}

/* The spatial axes of an image from 1 on, of a kernel from 0 on. */
static gt_Shape extent_of(const gt_Spec *spec, int first)
{
    return gt_shape_of(spec->rank - 2, spec->dims + first);
}

static gt_Tensor *conv(const gt_conv_options *options, gt_Tensor *x, gt_Tensor *kernel)
{
    gt_Tensor *inputs[2] = {x, kernel};
    return gt_apply_one_at(NULL, &gt_op_conv, options, 2, inputs);
}

static gt_Tensor *backward(const gt_Operation *operation, const gt_conv_options *options,
                           gt_Shape extent, gt_Tensor *a, gt_Tensor *b)
{
    ConvGradientOptions all = GT_VALUES(ConvGradientOptions, options->strides, options->padding,
                                        options->dilation, options->groups, extent);
    gt_Tensor *inputs[2] = {a, b};
    return gt_apply_one_at(NULL, operation, &all, 2, inputs);
}

static gt_Tensor *input_gradient(const gt_conv_options *options, const gt_Spec *x, gt_Tensor *up,
                                 gt_Tensor *kernel)
{
    return backward(&gt_op_conv_input_gradient, options, extent_of(x, 1), up, kernel);
}

static gt_Tensor *kernel_gradient(const gt_conv_options *options, const gt_Spec *kernel,
                                  gt_Tensor *x, gt_Tensor *up)
{
    return backward(&gt_op_conv_kernel_gradient, options, extent_of(kernel, 0), x, up);
}

static gt_Status conv_gradient(gt_GradientRule *rule)
{
    const gt_conv_options *options = gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0);
    if (gt_wants(rule, 0))
        give(rule, 0,
             input_gradient(options, gt_rule_input_spec(rule, 0), up, gt_rule_input(rule, 1)));
    if (gt_wants(rule, 1))
        give(rule, 1,
             kernel_gradient(options, gt_rule_input_spec(rule, 1), gt_rule_input(rule, 0), up));
    return gt_status();
}

static gt_Status conv_input_gradient_gradient(gt_GradientRule *rule)
{
    gt_conv_options options = forward_options(gt_rule_options(rule));
    gt_Tensor *g = gt_upstream(rule, 0);
    if (gt_wants(rule, 0))
        give(rule, 0, conv(&options, g, gt_rule_input(rule, 1)));
    if (gt_wants(rule, 1))
        give(rule, 1,
             kernel_gradient(&options, gt_rule_input_spec(rule, 1), g, gt_rule_input(rule, 0)));
    return gt_status();
}

static gt_Status conv_kernel_gradient_gradient(gt_GradientRule *rule)
{
    gt_conv_options options = forward_options(gt_rule_options(rule));
    gt_Tensor *g = gt_upstream(rule, 0);
    if (gt_wants(rule, 0))
        give(rule, 0,
             input_gradient(&options, gt_rule_input_spec(rule, 0), gt_rule_input(rule, 1), g));
    if (gt_wants(rule, 1))
        give(rule, 1, conv(&options, gt_rule_input(rule, 0), g));
    return gt_status();
}

/* ---- records ---- */

#define REAL(...)     GT_REAL(-1, 1, __VA_ARGS__)
#define STRIDES(...)  .strides = GT_SAMPLE_SHAPE(__VA_ARGS__)
#define DILATION(...) .dilation = GT_SAMPLE_SHAPE(__VA_ARGS__)
#define EXTENT(...)   .extent = GT_SAMPLE_SHAPE(__VA_ARGS__)
#define FORWARD(a, b, ...)                                                                         \
    {                                                                                              \
        .inputs = 2, .input = GT_INPUTS(a, b), .options = &(const gt_conv_options)                 \
        {                                                                                          \
            GT_PRESETS(gt_conv_options, gt_conv_OPTIONS) __VA_ARGS__                               \
        }                                                                                          \
    }
#define BACKWARD(a, b, ...)                                                                        \
    {                                                                                              \
        .inputs = 2, .input = GT_INPUTS(a, b), .options = &(const ConvGradientOptions)             \
        {                                                                                          \
            GT_PRESETS(ConvGradientOptions, CONV_GRADIENT_OPTIONS) __VA_ARGS__                     \
        }                                                                                          \
    }
static gt_Status conv_mask(gt_MaskRule *rule)
{
    Convolution c;
    if (!plan(&c, rule->shape->options, rule->shape->input[0], rule->shape->input[1]))
        return gt_status();
    return gt_window_mask(rule, &c.window);
}

/* gt_conv_transpose is this record. */
static gt_Status conv_input_gradient_mask(gt_MaskRule *rule)
{
    return gt_mask_axes(rule, 1) > 0 ? gt_mask_refuse(rule, 1, 0) : gt_mask_batch(rule);
}

const gt_Operation gt_op_conv = {
    GT_RECORD("conv",
              "sum over positions p of the kernel, channels c of x[o stride + p, c] k[p, c]", 2, 2),
    .flags = GT_OP_HALF,
    .options = &gt_conv_options_type,
    .saves_inputs = 3,
    .shape = conv_shape,
    .run = conv_run,
    .gradient = conv_gradient,
    .mask = conv_mask,
    .samples = GT_SAMPLES(
        FORWARD(REAL(2, 4, 4, 2), REAL(3, 2, 2, 3), ),
        FORWARD(REAL(1, 5, 4, 2), REAL(3, 3, 2, 2), STRIDES(2), .padding = GT_PADDING_SAME),
        FORWARD(REAL(1, 6, 5, 1), REAL(2, 3, 1, 2), DILATION(2, 1), .padding = GT_PADDING_SAME),
        FORWARD(REAL(2, 6, 2), REAL(3, 2, 2), DILATION(2), .padding = GT_PADDING_CAUSAL),
        FORWARD(REAL(1, 3, 3, 4), REAL(2, 2, 2, 4), .groups = 2),
        FORWARD(REAL(2, 4, 3, 3), REAL(2, 3, 1, 3), STRIDES(2, 1), .groups = 3,
                .padding = GT_PADDING_SAME),
        FORWARD(REAL(1, 3, 2, 3, 1), REAL(2, 2, 2, 1, 2), .padding = GT_PADDING_SAME),
        FORWARD(REAL(2, 2, 2, 3), REAL(1, 1, 3, 2), ),
        FORWARD(REAL(2, 5, 4), REAL(1, 2, 2), STRIDES(2), .groups = 2)),
};

const gt_Operation gt_op_conv_input_gradient = {
    GT_RECORD("conv_input_gradient", "the gradient of conv in x", 2, 2),
    .flags = GT_OP_HALF | GT_OP_INTERNAL,
    .options = &ConvGradientOptions_type,
    .saves_inputs = 3,
    .shape = conv_input_gradient_shape,
    .run = conv_input_gradient_run,
    .gradient = conv_input_gradient_gradient,
    .mask = conv_input_gradient_mask,
    .samples = GT_SAMPLES(BACKWARD(REAL(2, 2, 3, 3), REAL(3, 2, 2, 3), EXTENT(4, 4)),
                          BACKWARD(REAL(1, 3, 2, 2), REAL(3, 3, 2, 2), EXTENT(5, 4), STRIDES(2),
                                   .padding = GT_PADDING_SAME),
                          BACKWARD(REAL(2, 6, 2), REAL(3, 2, 2), EXTENT(6), DILATION(2),
                                   .padding = GT_PADDING_CAUSAL),
                          BACKWARD(REAL(1, 2, 2, 4), REAL(2, 2, 2, 4), EXTENT(3, 3), .groups = 2),
                          BACKWARD(REAL(2, 2, 3, 3), REAL(2, 3, 1, 3), EXTENT(4, 3), STRIDES(2, 1),
                                   .groups = 3, .padding = GT_PADDING_SAME),
                          BACKWARD(REAL(2, 2, 2, 2), REAL(1, 1, 3, 2), EXTENT(2, 2))),
};

const gt_Operation gt_op_conv_kernel_gradient = {
    GT_RECORD("conv_kernel_gradient", "the gradient of conv in the kernel", 2, 2),
    .flags = GT_OP_HALF | GT_OP_INTERNAL,
    .options = &ConvGradientOptions_type,
    .saves_inputs = 3,
    .shape = conv_kernel_gradient_shape,
    .run = conv_kernel_gradient_run,
    .gradient = conv_kernel_gradient_gradient,
    .samples = GT_SAMPLES(BACKWARD(REAL(2, 4, 4, 2), REAL(2, 2, 3, 3), EXTENT(3, 2)),
                          BACKWARD(REAL(1, 5, 4, 2), REAL(1, 3, 2, 2), EXTENT(3, 3), STRIDES(2),
                                   .padding = GT_PADDING_SAME),
                          BACKWARD(REAL(2, 6, 2), REAL(2, 6, 2), EXTENT(3), DILATION(2),
                                   .padding = GT_PADDING_CAUSAL),
                          BACKWARD(REAL(1, 3, 3, 4), REAL(1, 2, 2, 4), EXTENT(2, 2), .groups = 2),
                          BACKWARD(REAL(2, 4, 3, 3), REAL(2, 2, 3, 3), EXTENT(2, 3), STRIDES(2, 1),
                                   .groups = 3, .padding = GT_PADDING_SAME),
                          BACKWARD(REAL(2, 2, 2, 3), REAL(2, 2, 2, 2), EXTENT(1, 1))),
};

/* ---- functions ---- */

gt_Tensor *gt_conv_at(const char *here, gt_Tensor *x, gt_Tensor *kernel,
                      const gt_conv_options *options)
{
    gt_Tensor *inputs[2] = {x, kernel};
    return gt_apply_one_at(here, &gt_op_conv, options, 2, inputs);
}
gt_Tensor *(gt_conv)(gt_Tensor *x, gt_Tensor *kernel)
{
    return gt_conv_at(NULL, x, kernel, NULL);
}

GT_OPTION_TYPE(gt_depthwise_conv_options, gt_depthwise_conv_OPTIONS);

/* As many groups as channels; for several filters a channel, each channel is repeated first. */
static gt_Tensor *depthwise_conv(gt_Tensor *x, gt_Tensor *kernel,
                                 const gt_depthwise_conv_options *given)
{
    gt_depthwise_conv_options options = GT_TAKE(gt_depthwise_conv_options, given);
    gt_Spec image = gt_spec(x), spec = gt_spec(kernel);
    char s[160], t[160];
    if (gt_status() != GT_OK || !gt_window_takes(&image))
        return NULL;
    int last = image.rank - 1;
    gt_Shape shape = gt_spec_shape(&spec);
    if (spec.rank != image.rank || spec.dims[last - 1] != image.dims[last]) {
        gt_fail(GT_INVALID, "a depthwise kernel %s does not fit %s",
                gt_shape_text(shape, t, sizeof t),
                gt_shape_text(gt_spec_shape(&image), s, sizeof s));
        return NULL;
    }
    int64_t multiplier = spec.dims[last], channels = image.dims[last];
    if (channels == 0 || multiplier == 0) {
        gt_fail(GT_INVALID, "a depthwise kernel %s has no filters",
                gt_shape_text(shape, t, sizeof t));
        return NULL;
    }
    shape.dims[last - 1] = 1;
    shape.dims[last] = -1;
    gt_conv_options grouped = GT_VALUES(gt_conv_options, options.strides, options.padding,
                                        options.dilation, channels * multiplier);
    if (multiplier > 1)
        x = gt_repeat(x, multiplier, .axis = last);
    return conv(&grouped, x, gt_reshape(kernel, shape));
}
GT_COMPOSED(depthwise_conv,
            (const char *here, gt_Tensor *x, gt_Tensor *kernel,
             const gt_depthwise_conv_options *options),
            (x, kernel, options))
gt_Tensor *(gt_depthwise_conv)(gt_Tensor *x, gt_Tensor *kernel)
{
    return gt_depthwise_conv_at(NULL, x, kernel, NULL);
}

static gt_Tensor *separable_conv(gt_Tensor *x, gt_Tensor *depthwise_kernel,
                                 gt_Tensor *pointwise_kernel,
                                 const gt_depthwise_conv_options *options)
{
    gt_Shape shape = gt_tensor_shape(pointwise_kernel);
    for (int d = 0; d < shape.rank - 2; d++)
        if (shape.dims[d] != 1) {
            char t[160];
            gt_fail(GT_INVALID, "a pointwise kernel %s must have a spatial size of 1",
                    gt_shape_text(shape, t, sizeof t));
            return NULL;
        }
    return gt_conv(depthwise_conv(x, depthwise_kernel, options), pointwise_kernel);
}
GT_COMPOSED(separable_conv,
            (const char *here, gt_Tensor *x, gt_Tensor *depthwise_kernel,
             gt_Tensor *pointwise_kernel, const gt_depthwise_conv_options *options),
            (x, depthwise_kernel, pointwise_kernel, options))
gt_Tensor *(gt_separable_conv)(gt_Tensor *x, gt_Tensor *depthwise_kernel,
                               gt_Tensor *pointwise_kernel)
{
    return gt_separable_conv_at(NULL, x, depthwise_kernel, pointwise_kernel, NULL);
}

GT_OPTION_TYPE(gt_conv_transpose_options, gt_conv_transpose_OPTIONS);

/* Keras's sizes (backend/common/backend_utils.py, compute_conv_transpose_output_shape). */
static bool enlarged(const gt_conv_transpose_options *options, const gt_Spec *x,
                     const gt_Spec *kernel, gt_Shape *extent)
{
    int64_t stride[GT_SPATIAL], spread[GT_SPATIAL], more[GT_SPATIAL];
    int rank = x->rank - 2;
    char t[160];
    if (kernel->rank != x->rank || options->padding == GT_PADDING_CAUSAL) {
        gt_fail(GT_INVALID, "no transposed convolution with a kernel %s%s",
                gt_shape_text(gt_spec_shape(kernel), t, sizeof t),
                options->padding == GT_PADDING_CAUSAL ? " has causal padding" : " of other rank");
        return false;
    }
    if (!gt_window_numbers(&options->strides, rank, 1, "strides", stride) ||
        !gt_window_numbers(&options->dilation, rank, 1, "dilations", spread) ||
        !gt_window_numbers(&options->output_padding, rank, -1, "output paddings", more))
        return false;
    extent->rank = rank;
    for (int d = 0; d < rank; d++) {
        int64_t in = x->dims[d + 1], size = kernel->dims[d];
        if (!gt_window_number("the size of the image", in) ||
            !gt_window_number("the size of the kernel", size) ||
            !gt_window_number("stride", stride[d]) || !gt_window_number("dilation", spread[d]))
            return false;
        if (more[d] > INT32_MAX || more[d] < (options->output_padding.rank ? 0 : -1)) {
            gt_fail(GT_INVALID, "output padding must be from 0 to %d (got %lld)", INT32_MAX,
                    (long long)more[d]);
            return false;
        }
        int64_t reach = spread[d] * (size - 1) + 1;
        if (options->padding == GT_PADDING_SAME)
            extent->dims[d] =
                more[d] < 0 ? in * stride[d] : (in - 1) * stride[d] + reach % 2 + more[d];
        else if (more[d] < 0)
            extent->dims[d] = (in - 1) * stride[d] + (reach > stride[d] ? reach : stride[d]);
        else
            extent->dims[d] = (in - 1) * stride[d] + reach + more[d];
    }
    return true;
}

static gt_Tensor *conv_transpose(gt_Tensor *x, gt_Tensor *kernel,
                                 const gt_conv_transpose_options *given)
{
    gt_conv_transpose_options options = GT_TAKE(gt_conv_transpose_options, given);
    gt_Spec image = gt_spec(x), spec = gt_spec(kernel);
    gt_Shape extent = {.mark = GT_MARK};
    if (gt_status() != GT_OK || !gt_window_takes(&image) ||
        !enlarged(&options, &image, &spec, &extent))
        return NULL;
    gt_conv_options plain =
        GT_VALUES(gt_conv_options, options.strides, options.padding, options.dilation, 1);
    return backward(&gt_op_conv_input_gradient, &plain, extent, x, kernel);
}
GT_COMPOSED(conv_transpose,
            (const char *here, gt_Tensor *x, gt_Tensor *kernel,
             const gt_conv_transpose_options *options),
            (x, kernel, options))
gt_Tensor *(gt_conv_transpose)(gt_Tensor *x, gt_Tensor *kernel)
{
    return gt_conv_transpose_at(NULL, x, kernel, NULL);
}
