/* The loops of this build for once/convolution.c. */
#include "loops.h"

void GT_KERNEL(tiles_conv)(const void *job, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    gt_conv_tiles(&GT_KERNEL(kernels), job, at, first, last, scratch);
}

void GT_KERNEL(tiles_conv_input_gradient)(const void *job, void *const *at, int64_t first,
                                          int64_t last, void *scratch)
{
    gt_conv_input_gradient_tiles(&GT_KERNEL(kernels), job, at, first, last, scratch);
}

void GT_KERNEL(tiles_conv_kernel_gradient)(const void *job, void *const *at, int64_t first,
                                           int64_t last, void *scratch)
{
    gt_conv_kernel_gradient_tiles(&GT_KERNEL(kernels), job, at, first, last, scratch);
}
