/* The job of convolutions and the strip that their register tiles work on: convolution.c, once/convolution.c. Included by
 * kernels.h. */
#ifndef GT_KERNELS_CONVOLUTION_H
#define GT_KERNELS_CONVOLUTION_H

#include "launch.h"
#include "pooling.h"

/* What every convolution comes down to, driven by two lists of offsets:
 *     y[to[r] + j] (+)= sum over k of x[row[r] + column[k]] * b[k * step + j],   j < width
 * in ascending order of k, of those in `run`, one sum a result from 0, which becomes y or, `add`, is added to it. Offsets are bytes. The lists of
 * rows, `row` and `to`, go on for GT_CONV_SPARE entries, copies of the last one.
 *     conv          rows are positions of y, columns (tap, channel) of x, b the kernel
 *     its gradient in the kernel: rows are (tap, channel) of x, columns positions, b the gradient that arrives
 * Dense: b is whole vectors wide, at most two, with zeros beyond `width`; deep, each channel by itself: x[.. + j] instead. */
typedef struct gt_ConvRun {
    int64_t first, count;
} gt_ConvRun;

typedef struct gt_ConvStrip {
    const void *x, *b;
    void *y;
    const int64_t *row, *to, *column;
    int64_t rows, columns;
    int64_t step, width; /* elements; dense and one vector wide: step is that vector */
    const void *bias;    /* a number a channel, added to the finished sum; NULL: none */
    bool add, relu;      /* relu: then max(0, y) */
    /* Pairs of lines, of which the list has the upper ones: y[to[r] + below + j] is the same sum of x[row[r] + column[k + shift]];
     * `column` goes on for `shift` entries. One number of x is read for both. */
    int64_t shift, below; /* columns; bytes */
    /* The columns that are not padding for all of the rows, in order; the others, whose products are 0, are left out. */
    const gt_ConvRun *run;
    int64_t runs;
    /* Memory that the next tile copies is fetched while this one computes: so many bytes for each row; turned, each column. */
    const char *ahead;
    int64_t ahead_bytes;
    /* Turned, the gradient in the kernel of one vector of channels j: rows are runs of `width` numbers of x, of which i gives
     * y[to[r] + j * below + i] (+)= sum over k of x[row[r] + column[k] + i] * b[k * step + j]. */
} gt_ConvStrip;
#define GT_CONV_SPARE 16
#define GT_CONV_RUNS  16

typedef void gt_ConvLoop(const gt_ConvStrip *strip);

/* An image and its result, whose positions are cut into units: lines of it, or, where cuts > 1, pieces of a line `wide`
 * positions long. Kernels are (window.size..., in, groups out).
 *     conv                  at {x (images, window.in..., groups a), kernel, y (images, window.out..., groups b), packed}
 *     `back`, its gradient  at {u like y above, kernel, x, packed}, a and b exchanged
 *     conv_kernel_gradient  at {x, u, kernel, totals}, then conv_total
 * Depthwise, one channel in and one out a group, is one group with a = 1 and b all channels. */
typedef struct gt_ConvJob {
    uint8_t type, element;        /* of the result: GT_LOOP_F32 or GT_LOOP_F64, bytes */
    uint8_t element_a, element_b; /* bytes of an operand's elements */
    int8_t half_a, half_b;        /* gt_HalfTypes of the operands, else -1 */
    bool back, depthwise;
    int8_t bias;   /* of a chain: its place in `at`; -1: none */
    bool relu;     /* and then max(0, y) */
    int8_t packed; /* the place of the packed kernel, or of totals, in `at` */
    bool local;    /* y begins with the tile: conv_pool */
    bool pairs;    /* lines are worked on in pairs */
    bool small;    /* conv of so few products that the kernel is read where it lies, in one tile */
    bool
        turned; /* of a kernel's gradient: vectors are of x, and its sums [channel of the result][depth] */
    bool direct;     /* no window reads padding: x is read where it lies */
    bool leaves_out; /* products with lines of padding, of few positions with other padding, too */
    bool alone; /* one tile of positions and a large kernel: tiles are its panels, which are packed
                    there; of a kernel's gradient: one block, the kernel is written there */
    gt_SlidingWindow window; /* without the taps that are padding for every position: */
    int64_t size[GT_SPATIAL],
        skipped[GT_SPATIAL]; /* of the kernel, its taps before the first one */
    int64_t images, groups;
    int64_t a, b;       /* channels that a result is summed over; channels of the result */
    int64_t held;       /* channels that are copied: a, depthwise all */
    int64_t panel;      /* channels that a strip takes */
    int64_t lanes;      /* of a vector */
    int64_t cuts, wide; /* of a line of the result */
    int64_t units;      /* of all images */
    int64_t tile_units; /* that are worked on at once */
    int64_t pitch[3];   /* bytes from one position to the next, in x or its copy */
    int64_t box;        /* bytes of one copy */
    /* Of a kernel's gradient: positions whose products are one sum, panels of a tile, units whose
     * sums are added as they are (a multiple of tile_units), parts of these blocks, which are added
     * in double side by side. */
    int64_t slice, tile_panels, block_units, parts;
    uint64_t column_bytes, row_bytes, image_bytes, strip_bytes; /* of scratch memory */
} gt_ConvJob;

/* conv_pool: at {x, kernel, a bias if conv.bias >= 0, y, marks, packed}. A tile of conv, which stays in scratch memory, is taken as
 * images of `lines` lines, and their maxima and marks are written. */
typedef struct gt_ConvPoolJob {
    gt_ConvJob conv; /* the first member: conv_pack has this job too */
    gt_PoolJob pool; /* of such an image */
    int64_t lines;
    uint64_t made_bytes, mark_bytes; /* of scratch memory, in front of what conv needs */
} gt_ConvPoolJob;

/* Columns of a strip, at most: (tap, channel), more stay in no cache; positions; and positions where
 * there is time to be exact, depthwise. */
#define GT_CONV_LONG       2048
#define GT_CONV_SLICE      256
#define GT_CONV_DEEP_SLICE 32

/* Panels of the result's channels, and numbers that a result is summed over, of a group. */
static inline int64_t gt_conv_panels(const gt_ConvJob *c)
{
    return (c->b + c->panel - 1) / c->panel;
}
static inline int64_t gt_conv_depth(const gt_ConvJob *c)
{
    return c->window.taps * c->a;
}
/* Columns of a line of taps, where lines are worked on in pairs; else 0. */
static inline int64_t gt_conv_shift(const gt_ConvJob *c)
{
    return c->pairs ? gt_conv_depth(c) / c->window.size[1] : 0;
}
/* Lists that a kernel's gradient has for its rows: each is of a line of taps where padding is left out. */
static inline int64_t gt_conv_lines(const gt_ConvJob *c)
{
    return c->leaves_out ? c->window.size[0] * c->window.size[1] : 1;
}
/* Positions of x that lie between the first and the last one that `positions` windows read, along axis d. */
int64_t gt_conv_extent(const gt_ConvJob *c, int d, int64_t positions);
/* Positions of the result, and of what is read. */
static inline int64_t gt_conv_to(const gt_ConvJob *c, int d)
{
    return c->back ? c->window.in[d] : c->window.out[d];
}
static inline int64_t gt_conv_from(const gt_ConvJob *c, int d)
{
    return c->back ? c->window.out[d] : c->window.in[d];
}

struct gt_KernelTable;
/* Compiled once, by the loops of a table. */
void gt_conv_pack_tiles(const struct gt_KernelTable *table, const gt_ConvJob *job, void *const *at,
                        int64_t first, int64_t last, void *scratch);
/* After each tile `then`, if there is one, goes on with what the tile wrote. */
typedef void gt_ConvThen(void *user, int64_t tile);
void gt_conv_tiles(const struct gt_KernelTable *table, const gt_ConvJob *job, void *const *at,
                   int64_t first, int64_t last, void *scratch, gt_ConvThen *then, void *user);
void gt_conv_pool_tiles(const struct gt_KernelTable *table, const gt_ConvPoolJob *job,
                        void *const *at, int64_t first, int64_t last, void *scratch);
void gt_conv_kernel_gradient_tiles(const struct gt_KernelTable *table, const gt_ConvJob *job,
                                   void *const *at, int64_t first, int64_t last, void *scratch);
void gt_conv_total_tiles(const struct gt_KernelTable *table, const gt_ConvJob *job, void *const *at,
                         int64_t first, int64_t last, void *scratch);

#endif
