/* The loops of this build for once/convolution.c. */
#include "loops.h"

/* Each element of y is one product over (position of the window, channel), zeros of the padding counted, as gt_gemm
 * sums; depthwise a sum from the first position that is no padding. Any order of tiles. */
void GT_KERNEL(tiles_conv)(const void *job, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    gt_conv_tiles(&GT_KERNEL(kernels), job, at, first, last, scratch);
}

/* Products over the channels out, as gt_gemm sums, each rounded, are added to x in the order of y's positions and,
 * within one, of the window's. Any order of tiles. */
void GT_KERNEL(tiles_conv_input_gradient)(const void *job, void *const *at, int64_t first,
                                          int64_t last, void *scratch)
{
    gt_conv_input_gradient_tiles(&GT_KERNEL(kernels), job, at, first, last, scratch);
}

/* Products over GT_CONV_BLOCK positions at a time, as gt_gemm sums, are added in their order, in double where there
 * are more than GT_CONV_FEW of them and elements are floats. Any order of tiles. */
void GT_KERNEL(tiles_conv_kernel_gradient)(const void *job, void *const *at, int64_t first,
                                           int64_t last, void *scratch)
{
    gt_conv_kernel_gradient_tiles(&GT_KERNEL(kernels), job, at, first, last, scratch);
}
