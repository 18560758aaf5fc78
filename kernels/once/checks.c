/* The checks: what depends on the numbers and can fail. Compiled once. Leans on launch.h. */
#include "kernels/integers.h"

/* Is every length of tiles [first, last) in [0, most]? */
static int64_t check_lengths(const void *given, void *const *at, int64_t first, int64_t last)
{
    const gt_LengthsJob *job = given;
    for (int64_t i = first; i < last; i++) {
        int64_t length = gt_integer(at[job->input], job->type, i);
        if (length < 0 || length > job->most)
            return i;
    }
    return -1;
}

/* Rows: are both lengths in range, and do the labels name classes other than the blank? */
static int64_t check_ctc_states(const void *given, void *const *at, int64_t first, int64_t last)
{
    const gt_CtcStatesJob *job = given;
    for (int64_t row = first; row < last; row++) {
        const int64_t length = gt_integer(at[1], job->type[1], row);
        const int64_t steps = gt_integer(at[2], job->type[2], row);
        if (length < 0 || length > job->labels || steps < 0 || steps > job->steps)
            return row;
        for (int64_t k = 0; k < length; k++) {
            int64_t label = gt_integer(at[0], job->type[0], row * job->labels + k);
            if (label < 0 || label >= job->classes || label == job->blank)
                return row;
        }
    }
    return -1;
}

#define GT_CHECK_ENTRY(name) [GT_CHECK_##name] = check_##name,
gt_CheckKernel *const gt_check_kernels[GT_CHECK_KERNEL_COUNT] = {GT_CHECK_KERNELS(GT_CHECK_ENTRY)};
