/* The job of convolutions: convolution.c, once/convolution.c. Included by kernels.h. */
#ifndef GT_KERNELS_CONVOLUTION_H
#define GT_KERNELS_CONVOLUTION_H

#include "launch.h"
#include "window.h"

/* x (images, window.in..., groups in), k (window.size..., in, groups out), y (images,
 * window.out..., groups out):
 *     conv                    at {x, k, y}; a tile is `tile_rows` positions of y of one group
 *     conv_input_gradient     at {u like y, k, x}; a tile is a group of one image, or as of conv
 *     conv_kernel_gradient    at {x, u like y, k}; a tile: `tile_taps` by `tile_columns` of a group
 * Depthwise, one channel in and one out a group, all groups go in a tile: rows of y, images, or
 * `tile_columns` channels. Scratch: taps, gathered rows, a partial sum, its total in double, the
 * product's own; in this order. */
typedef struct gt_ConvJob {
    uint8_t type, element;        /* of the result: GT_LOOP_F32 or GT_LOOP_F64, bytes */
    uint8_t element_a, element_b; /* bytes of an operand's elements */
    int8_t half_a, half_b;        /* gt_HalfTypes of the operands, else -1 */
    bool pointwise;               /* the matrix of rows is the image itself */
    bool depthwise;
    bool in_double; /* the gradient of a kernel: partial sums are added in double */
    gt_SlidingWindow window;
    int64_t images, rows;    /* rows: output positions of all images */
    int64_t groups, in, out; /* channels of one group */
    int64_t depth;           /* what one output is summed over: window.taps * in */
    int64_t tile_rows, tile_taps, tile_columns;
    uint64_t tap_bytes, patch_bytes, partial_bytes, total_bytes;
} gt_ConvJob;

/* Rows that the gradient of a kernel sums up before adding them to the others, and of a depthwise
 * kernel. */
#define GT_CONV_BLOCK 512
#define GT_CONV_STRIP 32
/* So many such sums may be added up as floats; more are added in double. */
#define GT_CONV_FEW 16

struct gt_KernelTable;
/* Compiled once, by the loops of a table. */
void gt_conv_tiles(const struct gt_KernelTable *table, const gt_ConvJob *job, void *const *at,
                   int64_t first, int64_t last, void *scratch);
void gt_conv_input_gradient_tiles(const struct gt_KernelTable *table, const gt_ConvJob *job,
                                  void *const *at, int64_t first, int64_t last, void *scratch);
void gt_conv_kernel_gradient_tiles(const struct gt_KernelTable *table, const gt_ConvJob *job,
                                   void *const *at, int64_t first, int64_t last, void *scratch);

#endif
