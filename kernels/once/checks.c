/* The checks: what depends on the numbers and can fail. Compiled once. Leans on launch.h. */
#include "kernels/kernels.h"

#define GT_DECLARE_CHECK(name) static gt_CheckKernel check_##name;
GT_CHECK_KERNELS(GT_DECLARE_CHECK)

#define GT_CHECK_ENTRY(name) [GT_CHECK_##name] = check_##name,
gt_CheckKernel *const gt_check_kernels[GT_CHECK_KERNEL_COUNT] = {GT_CHECK_KERNELS(GT_CHECK_ENTRY)};

/* Is every bool of tiles [first, last) true? */
static int64_t check_holds(const void *given, void *const *at, int64_t first, int64_t last)
{
    const gt_HoldsCheck *job = given;
    const uint8_t *holds = at[job->input];
    for (int64_t i = first; i < last; i++)
        if (!holds[i])
            return i;
    return -1;
}
