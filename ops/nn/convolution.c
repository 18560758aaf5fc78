/* Convolutions: gt_conv and its two gradients, which are records of their own. For images x,
 * kernels k and images u of the result's shape, the sum of conv(x, k) u is linear in each of the
 * three; conv, conv_input_gradient(u, k) and conv_kernel_gradient(x, u) are its derivatives, and so
 * each one's gradients are the other two. gt_conv_transpose is conv_input_gradient.
 *
 *     x (2, 5, 4, 3), k (3, 3, 3, 8), strides 2, same: zeros above, below and on the right;
 *     y (2, 3, 2, 8), y(b, i, j, f) = sum of x(b, 2 i + p - 1, 2 j + q, c) k(p, q, c, f) over p, q, c
 *
 * Order of calls: a shape rule recovers the specs of x and k, then fit() checks them and works out the window;
 * lowering works it out again, cuts the work, by sizes alone, and adds what depends on the target, the
 * width of panels. The kernels are in kernels/once/convolution.c. Leans on window.c. */
#include "ops/nn/convolution.h"
#include "core/assert.h"
#include "core/inside.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/nn/window.h"

#include <string.h>

GT_OPTION_TYPE(gt_conv_options, gt_conv_OPTIONS);

/* Of the records of gradients. `extent` is the spatial size of the result, which the inputs do not
 * tell; without one conv_input_gradient enlarges its input as gt_conv_transpose says, with
 * `output_padding`. */
#define CONV_GRADIENT_OPTIONS(F, S)                                                                \
    GT_CONV_COMMON(F, S)                                                                           \
    F(S, int64_t, groups, 1, "parts of the channels, each with filters of its own")                \
    F(S, gt_Shape, extent, GT_NO_SIZES, "spatial size of the result")                              \
    F(S, gt_Shape, output_padding, GT_NO_SIZES, "added to that of a transposed convolution")
GT_OPTIONS(ConvGradientOptions, CONV_GRADIENT_OPTIONS);
GT_OPTION_TYPE(ConvGradientOptions, CONV_GRADIENT_OPTIONS);

/* ---- sizes ---- */

/* Positions: of a line that stay together; of a tile where there are many, about; where there are few,
 * for TILES of them, at least. Strips of a kernel's gradient are as long in any tile, those of the others longer in larger ones. */
#define LINE  1024
#define TILE  1024
#define FEW   128
#define TILES 16
#define MORE  2
/* Bytes that a tile copies, about. */
#define COPIED (1 << 19)
/* Bytes of a packed kernel that is not worth to be packed for one tile of positions. */
#define LARGE (1 << 20)
/* Products of a convolution for which it is not worth to pack the kernel, of positions by fives, for that is a depthwise tile. */
#define SMALL 320
#define FIVE  5
/* Of the gradient of a kernel: positions whose sums are added as they are, not in double; parts of
 * these blocks, added up side by side, and bytes that they may take; panels of a tile. */
#define BLOCK  2048
#define PARTS  16
#define TOTALS (64 << 20)
#define PANELS 2

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t pieces(int64_t n, int64_t piece)
{
    return piece > 0 ? (n + piece - 1) / piece : 0;
}

/* The kernel's channels in are those of one group of the image. */
static bool channels_fit(const gt_Spec *x, const gt_Spec *kernel, int64_t groups)
{
    char s[160], t[160];
    const int rank = x->rank;
    if (kernel->rank != rank) {
        gt_fail(GT_INVALID,
                "an image and a kernel must have the same number of axes (got %s and %s)",
                gt_dims_text(x, s, sizeof s),
                gt_dims_text(kernel, t, sizeof t));
        return false;
    }
    const int64_t channels = x->dims[rank - 1], filters = kernel->dims[rank - 1];
    if (groups < 1 || channels % groups != 0 || filters % groups != 0) {
        gt_fail(GT_INVALID, "groups must divide %lld channels and %lld filters (got %lld)",
                (long long)channels, (long long)filters, (long long)groups);
        return false;
    }
    if (kernel->dims[rank - 2] != channels / groups) {
        gt_fail(GT_INVALID, "a kernel for %lld of the channels of %s must have as many (got %s)",
                (long long)(channels / groups), gt_dims_text(x, s, sizeof s),
                gt_dims_text(kernel, t, sizeof t));
        return false;
    }
    return true;
}

/* The convolution of x with the kernel, whose channels fit: the window and the channels. False with an error raised if there is
 * none. */
static bool plan(gt_ConvJob *c, const gt_conv_options *options, const gt_Spec *x,
                 const gt_Spec *kernel)
{
    const int rank = x->rank;
    if (!gt_window_set(&c->window, rank - 2, x->dims + 1, kernel->dims, &options->strides,
                       &options->dilation, options->padding))
        return false;
    c->images = x->dims[0];
    c->groups = options->groups;
    c->a = c->held = kernel->dims[rank - 2];
    c->b = kernel->dims[rank - 1] / c->groups;
    /* Groups of one channel: channels go beside each other. */
    c->depthwise = c->a == 1 && c->b == 1 && c->groups > 1;
    if (c->depthwise) {
        c->b = c->held = c->groups;
        c->groups = 1;
    }
    return true;
}

/* The same of any x and kernel. */
static bool fit(gt_ConvJob *c, const gt_conv_options *options, const gt_Spec *x,
                const gt_Spec *kernel)
{
    return gt_window_takes(x) && gt_window_countable(kernel) &&
           channels_fit(x, kernel, options->groups) && plan(c, options, x, kernel);
}

static gt_conv_options forward_options(const ConvGradientOptions *options)
{
    return GT_VALUES(gt_conv_options, options->strides, options->padding, options->dilation,
                     options->groups);
}

/* ---- lowering ---- */

/* Does no window read beyond the image along the axis? */
static bool stays_inside(const gt_ConvJob *c, int d)
{
    const gt_SlidingWindow *w = &c->window;
    const int64_t last = gt_conv_to(c, d) - 1, far = (w->size[d] - 1) * w->dilation[d];
    if (c->back)
        return w->before[d] / w->stride[d] >= far / w->stride[d] &&
               (last + w->before[d]) / w->stride[d] < w->out[d];
    return w->before[d] == 0 && last * w->stride[d] + far < w->in[d];
}

/* Bytes of a copy of what the windows of `lines` lines read, with the distances in it. */
static int64_t box_of(gt_ConvJob *c, int64_t lines)
{
    c->pitch[2] = c->held * c->element;
    c->pitch[1] = c->pitch[2] * gt_conv_extent(c, 2, c->wide);
    if (c->pitch[1] % 4096 == 0)
        c->pitch[1] += 64; /* no lines at the same places of the cache */
    c->pitch[0] = c->pitch[1] * gt_conv_extent(c, 1, lines);
    return c->pitch[0] * gt_conv_extent(c, 0, 1);
}

/* Takes away the taps that are padding for every position, so that a spread window, however far it
 * reaches, copies no more than thrice the image. */
static void leave_out_padding(gt_ConvJob *c)
{
    gt_SlidingWindow *w = &c->window;
    for (int d = 0; d < GT_SPATIAL; d++) {
        int64_t first = 0, last = w->size[d] - 1;
        c->size[d] = w->size[d];
        c->skipped[d] = 0;
        if (w->dilation[d] == 1)
            continue;
        while (first < last && w->out[d] - 1 - w->before[d] + first * w->dilation[d] < 0)
            first++;
        while (last > first && last * w->dilation[d] - w->before[d] >= w->in[d])
            last--;
        c->skipped[d] = first;
        w->size[d] = last - first + 1;
        w->before[d] -= first * w->dilation[d];
    }
    w->taps = w->size[0] * w->size[1] * w->size[2];
}

/* How many lines, counted through all images, a tile has, and what it copies: of sizes alone. */
static void cut(gt_ConvJob *c, int64_t more)
{
    const int64_t width = gt_conv_to(c, 2), lines = gt_conv_to(c, 1);
    c->cuts = c->wide = c->tile_units = 1;
    if (c->images == 0)
        return;
    c->cuts = pieces(width, LINE);
    c->wide = pieces(width, c->cuts);
    c->units = c->images * gt_conv_to(c, 0) * lines * c->cuts;
    c->direct = c->half_a < 0;
    for (int d = 0; d < GT_SPATIAL; d++)
        c->direct = c->direct && stays_inside(c, d);
    const int64_t positions = c->units * c->wide;
    int64_t n = c->units;
    if (positions > FEW) {
        n = most(least(positions * more / TILES, TILE), FEW * more) / c->wide;
        n = c->cuts > 1 ? 1
            : n > lines ? n / lines * lines
                        : pieces(lines, pieces(lines, most(n, 1)));
    }
    while (n > 1 && pieces(n, lines) * box_of(c, least(n, lines)) > COPIED)
        n = pieces(n, 2);
    c->tile_units = n;
    c->box = box_of(c, least(n, lines));
    if (c->direct) {
        c->pitch[2] = c->groups * c->held * c->element;
        c->pitch[1] = c->pitch[2] * gt_conv_from(c, 2);
        c->pitch[0] = c->pitch[1] * gt_conv_from(c, 1);
    }
}

/* Adds a launch whose job is planned for x and the kernel; both inputs are its operands. */
static gt_ConvJob *lower_conv(const gt_ShapeRule *rule, gt_Lowering *lowering, gt_TileKernelId id,
                              bool back, const gt_conv_options *options, const gt_Spec *x,
                              const gt_Spec *kernel)
{
    const gt_Spec *a = rule->input[0], *b = rule->input[1];
    const gt_DType dtype = rule->output[0].dtype;
    gt_ConvJob *c = gt_lower_launch(lowering, id, 0, sizeof *c);
    memset(c, 0, sizeof *c);
    const bool planned = plan(c, options, x, kernel);
    GT_ASSERT(planned); /* the shape rule did the same */
    (void)planned;
    if (back && !c->depthwise) {
        const int64_t in = c->a;
        c->a = c->held = c->b;
        c->b = in;
    }
    c->back = back;
    c->bias = -1;
    c->packed = 3;
    c->type = (uint8_t)gt_loop_type(dtype);
    c->element = (uint8_t)gt_dtype_size(dtype);
    c->element_a = (uint8_t)gt_dtype_size(a->dtype);
    c->element_b = (uint8_t)gt_dtype_size(b->dtype);
    c->half_a = (int8_t)gt_half_type(a->dtype);
    c->half_b = (int8_t)gt_half_type(b->dtype);
    c->lanes = lowering->target->conv_lanes[c->type];
    c->panel = c->depthwise ? c->b : c->b <= c->lanes ? c->lanes : 2 * c->lanes;
    leave_out_padding(c);
    cut(c, id == GT_TILES_conv_kernel_gradient ? 1 : MORE);
    return c;
}

/* Lays out a worker's scratch memory for a kernel that lists positions. */
static size_t scratch_of(gt_ConvJob *c)
{
    const int64_t depth = gt_conv_depth(c), lines = gt_conv_to(c, 1);
    const int64_t boxes = c->cuts > 1 ? c->tile_units : (c->tile_units + lines - 2) / lines + 1;
    const int64_t spare = (gt_conv_lines(c) + 6) * GT_CONV_SPARE; /* at most 6 lists of positions */
    const int64_t rows = most(c->tile_units * c->wide, depth) + spare;
    const int64_t columns = depth + gt_conv_shift(c) + spare;
    c->column_bytes = gt_aligned((size_t)columns * sizeof(int64_t));
    c->row_bytes = gt_aligned((size_t)rows * sizeof(int64_t));
    c->image_bytes = c->direct ? 0 : gt_aligned((size_t)(boxes * c->box));
    return c->column_bytes + 2 * c->row_bytes + c->image_bytes;
}

/* Lines go in pairs where each tile has whole ones, the windows of two share lines of taps, and the channels of the result fit one
 * vector. */
static bool goes_in_pairs(const gt_ConvJob *c, const gt_KernelTable *target)
{
    const gt_SlidingWindow *w = &c->window;
    const bool steps = w->stride[1] == 1 && w->dilation[1] == 1 &&
                       (!c->back || (w->stride[0] == 1 && w->stride[2] == 1));
    return target->conv_pair && c->type == GT_LOOP_F32 && !c->depthwise && c->b <= c->lanes &&
           c->cuts == 1 && steps && w->size[0] == 1 && w->size[1] > 1 &&
           gt_conv_depth(c) <= GT_CONV_LONG;
}

/* What is padding is not multiplied where strips are long enough that more of them cost nothing, and each sum is one. */
static bool leaves_out(const gt_ConvJob *c)
{
    const bool strides =
        c->back && c->window.stride[0] * c->window.stride[1] * c->window.stride[2] > 1;
    return !c->depthwise && !c->direct && !strides && c->a >= 8 && c->window.size[1] > 1 &&
           gt_conv_depth(c) <= GT_CONV_LONG;
}

/* So few products that what a strip needs takes longer. */
static bool is_small(const gt_ConvJob *c)
{
    const int64_t depth = gt_conv_depth(c), positions = pieces(c->units * c->wide, FIVE) * FIVE;
    return !c->back && !c->depthwise && c->groups == 1 && c->half_a < 0 && c->half_b < 0 &&
           c->cuts == 1 && c->units <= c->tile_units && positions <= SMALL && depth <= SMALL &&
           positions * depth <= SMALL / most(c->b, 1) &&
           c->window.taps == c->size[0] * c->size[1] * c->size[2];
}

static void lower_small(gt_ConvJob *c, gt_Lowering *lowering)
{
    c->small = true;
    lowering->launch[0].kernel = GT_TILES_conv;
    lowering->launch[0].tiles = 1;
    gt_lower_scratch(lowering, scratch_of(c));
    gt_lower_span(lowering, c->units * c->wide * c->b);
}

/* The kernel is packed, then each tile writes its lines of one group; or, alone, packs and uses a panel. */
static void lower_strips(const gt_ShapeRule *rule, gt_Lowering *lowering, bool back,
                         const gt_conv_options *options, const gt_Spec *x, const gt_Spec *kernel)
{
    gt_ConvJob *c = lower_conv(rule, lowering, GT_TILES_conv_pack, back, options, x, kernel);
    c->pairs = goes_in_pairs(c, lowering->target);
    c->leaves_out = leaves_out(c);
    const int64_t panels = gt_conv_panels(c), tiles = pieces(c->units, c->tile_units) * c->groups;
    const size_t panel = (size_t)(gt_conv_depth(c) * c->panel) * c->element;
    const size_t room = back && c->half_b >= 0 ? (size_t)(c->panel * c->a) * c->element : 0;
    c->alone = c->units <= c->tile_units && panels > 1 && (size_t)panels * panel > LARGE;
    if (is_small(c)) {
        lower_small(c, lowering);
        return;
    }
    if (c->alone) {
        lowering->launch[0].kernel = GT_TILES_conv;
        lowering->launch[0].tiles = tiles * panels;
        gt_lower_scratch(lowering, scratch_of(c) + panel + room);
        return;
    }
    lowering->launch[0].tiles = c->groups * panels;
    gt_lower_scratch(lowering, room);
    gt_lower_temporary(lowering, rule, (size_t)(c->groups * panels) * panel);
    gt_lower_again(lowering, GT_TILES_conv, tiles);
    gt_lower_scratch(lowering, scratch_of(c));
    if (c->groups == 1 && c->cuts == 1)
        gt_lower_span(lowering, c->tile_units * c->wide * c->b);
}

static void conv_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_strips(rule, lowering, false, rule->options, rule->input[0], rule->input[1]);
}

static void conv_input_gradient_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_conv_options options = forward_options(rule->options);
    lower_strips(rule, lowering, true, &options, &rule->output[0], rule->input[1]);
}

/* Numbers of x go along vectors where those that a line of taps reads lie side by side and make threes of vectors, at most a fifth of
 * them in vain, and the channels of the result are one vector. */
static bool is_turned(const gt_ConvJob *c, const gt_KernelTable *target)
{
    const int64_t run = c->window.size[2] * c->a, three = 3 * c->lanes;
    return target->conv_turned && c->type == GT_LOOP_F32 && !c->depthwise && c->b == c->lanes &&
           c->window.dilation[2] == 1 && (c->groups == 1 || !c->direct) &&
           5 * run >= 4 * pieces(run, three) * three;
}

/* Blocks of a kernel's gradient, which threads share: of BLOCK positions at most, if a tile has no more, as even as whole tiles
 * allow. Tiles that are whole images stay so.
 *
 *     32 images of 14 lines of 14 positions: not blocks of 140, 140, 140 and 28 lines in tiles of 70,
 *     but four of 112 lines in tiles of 56 */
static void cut_blocks(gt_ConvJob *c)
{
    const int64_t lines = gt_conv_to(c, 1);
    const int64_t tiles = c->depthwise ? 1 : most(1, BLOCK / (c->tile_units * c->wide));
    const int64_t blocks = most(1, pieces(c->units, tiles * c->tile_units));
    const int64_t even = most(1, pieces(c->units, blocks));
    if (c->tile_units > lines)
        c->tile_units = pieces(pieces(even, pieces(even, c->tile_units)), lines) * lines;
    c->block_units = pieces(even, c->tile_units) * c->tile_units;
}

/* Tiles are parts of the positions by groups by panels. */
static void conv_kernel_gradient_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_conv_options options = forward_options(rule->options);
    gt_ConvJob *c = lower_conv(rule, lowering, GT_TILES_conv_kernel_gradient, false, &options,
                               rule->input[0], &rule->output[0]);
    const int64_t panels = gt_conv_panels(c), sums = gt_conv_depth(c) * c->panel;
    const int64_t all = c->groups * panels * sums * (int64_t)sizeof(double);
    c->slice = c->depthwise ? GT_CONV_DEEP_SLICE : GT_CONV_SLICE;
    c->tile_panels = least(panels, PANELS);
    cut_blocks(c);
    /* Of sizes alone: the width of a panel is the target's. */
    const int64_t kernel = c->groups * gt_conv_depth(c) * c->b * (int64_t)sizeof(double);
    c->parts = least(pieces(c->units, c->block_units), least(PARTS, TOTALS / most(kernel, 1)));
    c->parts = most(1, c->parts);
    if (c->parts == 1) /* or one thread would do it all */
        c->tile_panels = 1;
    c->turned = is_turned(c, lowering->target);
    c->leaves_out = leaves_out(c) && c->cuts == 1;
    const size_t again = c->turned ? (size_t)sums * c->element : 0; /* turned back */
    const size_t bytes = scratch_of(c) + again;
    c->strip_bytes = gt_aligned((size_t)(c->slice * c->panel) * c->element);
    lowering->launch[0].tiles = c->parts * c->groups * pieces(panels, c->tile_panels);
    gt_lower_scratch(lowering,
                     bytes + c->strip_bytes + (size_t)(c->tile_panels * sums) * c->element);
    c->alone = c->units <= c->block_units;
    if (c->alone)
        return;
    gt_lower_temporary(lowering, rule, (size_t)(c->parts * all));
    gt_lower_again(lowering, GT_TILES_conv_total, c->groups * panels);
    gt_lower_scratch(lowering, (size_t)sums * c->element + again);
}

/* ---- shapes ---- */

static gt_Status conv_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0], *kernel = rule->input[1];
    gt_DType dtype;
    gt_ConvJob c;
    if (!gt_product_type(x, kernel, &dtype) || !fit(&c, rule->options, x, kernel))
        return gt_status();
    gt_window_output(&c.window, x, kernel->dims[kernel->rank - 1], &rule->output[0]);
    rule->output[0].dtype = dtype;
    return GT_OK;
}

/* `up` must be what conv(x, kernel) is; their shapes have been recovered from it. */
static bool is_result(const ConvGradientOptions *options, const gt_Spec *x, const gt_Spec *kernel,
                      const gt_Spec *up)
{
    const gt_conv_options forward = forward_options(options);
    char s[160], t[160];
    gt_ConvJob c;
    gt_Spec y;
    if (!fit(&c, &forward, x, kernel))
        return false;
    gt_window_output(&c.window, x, kernel->dims[kernel->rank - 1], &y);
    if (gt_dims_equal(&y, up))
        return true;
    gt_fail(GT_INVALID, "the result of the convolution must be %s (got %s)",
            gt_dims_text(&y, t, sizeof t),
            gt_dims_text(up, s, sizeof s));
    return false;
}

/* False with an error raised for a result that is too large to be counted. */
static bool countable(gt_Spec *spec)
{
    char s[160];
    if (gt_spec_resize(spec))
        return true;
    gt_fail(GT_INVALID, "the result is too large (%s)",
            gt_dims_text(spec, s, sizeof s));
    return false;
}

/* The spatial size of gt_conv_transpose: Keras's (backend/common/backend_utils.py,
 * compute_conv_transpose_output_shape). */
static bool enlarged(const ConvGradientOptions *options, const gt_Spec *x, const gt_Spec *kernel,
                     gt_Shape *extent)
{
    int64_t stride[GT_SPATIAL], spread[GT_SPATIAL], more[GT_SPATIAL];
    int rank = x->rank - 2;
    char t[160];
    if (kernel->rank != x->rank) {
        gt_fail(GT_INVALID, "a kernel must have %d axes (got %s)", (int)x->rank,
                gt_dims_text(kernel, t, sizeof t));
        return false;
    }
    if (options->padding == GT_PADDING_CAUSAL) {
        gt_fail(GT_INVALID, "padding must be valid or same (got causal)");
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

/* The spec of x, recovered from the options and the other two specs. */
static bool input_of(const ConvGradientOptions *options, const gt_Spec *up, const gt_Spec *kernel,
                     gt_Spec *x)
{
    char s[160];
    gt_Shape extent = options->extent;
    *x = *up;
    if (!gt_window_takes(up) || (extent.rank == 0 && !enlarged(options, up, kernel, &extent)))
        return false;
    if (extent.rank != up->rank - 2 || kernel->rank != up->rank || options->groups < 1 ||
        kernel->dims[up->rank - 2] > INT64_MAX / options->groups) {
        gt_fail(GT_INVALID, "shape %s is not that of a convolution with this kernel",
                gt_dims_text(up, s, sizeof s));
        return false;
    }
    memcpy(x->dims + 1, extent.dims, (size_t)(up->rank - 2) * sizeof(int64_t));
    x->dims[up->rank - 1] = kernel->dims[up->rank - 2] * options->groups;
    return countable(x);
}

static gt_Status conv_input_gradient_shape(gt_ShapeRule *rule)
{
    const gt_Spec *up = rule->input[0], *kernel = rule->input[1];
    gt_DType dtype;
    gt_Spec x;
    if (!gt_product_type(up, kernel, &dtype) || !input_of(rule->options, up, kernel, &x) ||
        !is_result(rule->options, &x, kernel, up))
        return gt_status();
    rule->output[0] = x;
    rule->output[0].dtype = dtype;
    return GT_OK;
}

/* The spec of the kernel, recovered from the options and the other two specs. */
static bool kernel_of(const ConvGradientOptions *options, const gt_Spec *x, const gt_Spec *up,
                      gt_Spec *kernel)
{
    char s[160];
    *kernel = *up;
    if (!gt_window_takes(x))
        return false;
    if (options->extent.rank != x->rank - 2 || up->rank != x->rank || options->groups < 1) {
        gt_fail(GT_INVALID, "shape %s is not that of a convolution of this image",
                gt_dims_text(up, s, sizeof s));
        return false;
    }
    memcpy(kernel->dims, options->extent.dims, (size_t)(x->rank - 2) * sizeof(int64_t));
    kernel->dims[x->rank - 2] = x->dims[x->rank - 1] / options->groups;
    return countable(kernel);
}

static gt_Status conv_kernel_gradient_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0], *up = rule->input[1];
    gt_DType dtype;
    gt_Spec kernel;
    if (!gt_product_type(x, up, &dtype) || !kernel_of(rule->options, x, up, &kernel) ||
        !is_result(rule->options, x, &kernel, up))
        return gt_status();
    rule->output[0] = kernel;
    rule->output[0].dtype = dtype;
    return GT_OK;
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
                                        options->dilation, options->groups, extent, GT_NO_SIZES);
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

/* x gets the gradient of its image, the kernel that of itself, each by the record that is linear in
 * the other two. */
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

/* g arrives in the shape of x: in u the derivative is conv(g, k), in k the kernel's gradient of g
 * and u. */
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

/* g arrives in the shape of k: in x the derivative is the image's gradient of u by g, in u conv(x,
 * g). */
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
/* Padding spreads as far as the window. */
static gt_Status conv_mask(gt_MaskRule *rule)
{
    gt_ConvJob c;
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
    .lower = conv_lower,
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
    .lower = conv_input_gradient_lower,
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
    .lower = conv_kernel_gradient_lower,
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
    gt_depthwise_conv_options options;
    GT_TAKE(gt_depthwise_conv_options, &options, given);
    gt_Spec image = gt_spec(x), spec = gt_spec(kernel);
    char s[160], t[160];
    if (gt_status() != GT_OK || !gt_window_takes(&image))
        return NULL;
    int last = image.rank - 1;
    gt_Shape shape = gt_spec_shape(&spec);
    if (spec.rank != image.rank || spec.dims[last - 1] != image.dims[last]) {
        gt_fail(GT_INVALID,
                "a depthwise kernel for %s must be (spatial..., %lld, multiplier) (got %s)",
                gt_dims_text(&image, s, sizeof s), (long long)image.dims[last],
                gt_shape_text(shape, t, sizeof t));
        return NULL;
    }
    int64_t multiplier = spec.dims[last], channels = image.dims[last];
    if (channels == 0 || multiplier == 0) {
        gt_fail(GT_INVALID, "a depthwise kernel must have filters (got %s)",
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
            gt_fail(GT_INVALID, "the spatial size of a pointwise kernel must be 1 (got %s)",
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

static gt_Tensor *conv_transpose(gt_Tensor *x, gt_Tensor *kernel,
                                 const gt_conv_transpose_options *given)
{
    gt_conv_transpose_options options;
    GT_TAKE(gt_conv_transpose_options, &options, given);
    ConvGradientOptions all = GT_VALUES(ConvGradientOptions, options.strides, options.padding,
                                        options.dilation, 1, GT_NO_SIZES, options.output_padding);
    gt_Tensor *inputs[2] = {x, kernel};
    return gt_apply_one_at(NULL, &gt_op_conv_input_gradient, &all, 2, inputs);
}
GT_COMPOSED(conv_transpose,
            (const char *here, gt_Tensor *x, gt_Tensor *kernel,
             const gt_conv_transpose_options *options),
            (x, kernel, options))
gt_Tensor *(gt_conv_transpose)(gt_Tensor *x, gt_Tensor *kernel)
{
    return gt_conv_transpose_at(NULL, x, kernel, NULL);
}
