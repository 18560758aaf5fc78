/* The checks: what depends on the numbers and can fail. Compiled once. Leans on launch.h. */
#include "kernels/kernels.h"
#include "kernels/lookup_index.h"

#define GT_DECLARE_CHECK(name) static gt_CheckKernel check_##name;
GT_CHECK_KERNELS(GT_DECLARE_CHECK)

#define GT_CHECK_ENTRY(name) [GT_CHECK_##name] = check_##name,
gt_CheckKernel *const gt_check_kernels[GT_CHECK_KERNEL_COUNT] = {GT_CHECK_KERNELS(GT_CHECK_ENTRY)};

static int64_t check_indices(const void *given, void *const *at, int64_t first, int64_t last)
{
    const gt_IndexCheck *job = given;
    (void)first, (void)last;
    for (int64_t i = 0; i < job->size; i++) {
        int64_t index = gt_integer_at(at[job->input], job->type, i);
        if (index < job->least || index >= job->count)
            return i;
    }
    return -1;
}

static int64_t check_coordinates(const void *given, void *const *at, int64_t first, int64_t last)
{
    const gt_PlacesOfJob *job = given;
    (void)first, (void)last;
    for (int64_t i = 0; i < job->n * job->k; i++) {
        int64_t index = gt_integer_at(at[job->input], job->type, i);
        int64_t length = job->dims[i % job->k];
        if (index < -length || index >= length)
            return i;
    }
    return -1;
}
