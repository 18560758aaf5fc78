/* The checks: what depends on the numbers and can fail. Compiled once. Leans on launch.h. */
#include "kernels/launch.h"

gt_CheckKernel *const gt_check_kernels[GT_CHECK_KERNEL_COUNT] = {
    NULL,
};
