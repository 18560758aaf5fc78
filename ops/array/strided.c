/* Copies between arrays walked with strides: what transposing, flipping, stretching, cutting,
 * padding and joining have in common. Leans on kit.c for walking. */
#include "ops/kit.h"

#include <string.h>

void gt_fill(gt_DType dtype, int64_t n, double value, void *to)
{
    size_t element = gt_dtype_size(dtype);
    if (n <= 0)
        return;
    if (value == 0) {
        memset(to, 0, (size_t)n * element);
        return;
    }
    uint64_t eight;
    uint32_t four;
    uint16_t two;
    gt_number_store(dtype, to, 0, value);
    if (element == 1) {
        memset(to, *(unsigned char *)to, (size_t)n);
    } else if (element == 2) {
        memcpy(&two, to, sizeof two);
        for (int64_t i = 0; i < n; i++)
            ((uint16_t *)to)[i] = two;
    } else if (element == 4) {
        memcpy(&four, to, sizeof four);
        for (int64_t i = 0; i < n; i++)
            ((uint32_t *)to)[i] = four;
    } else {
        memcpy(&eight, to, sizeof eight);
        for (int64_t i = 0; i < n; i++)
            ((uint64_t *)to)[i] = eight;
    }
}

void gt_strided_begin(gt_Broadcast *plan)
{
    plan->inputs = 2;
    plan->rank = 0;
}

/* An axis that goes on where the one inside it ends is one with it. */
void gt_strided_axis(gt_Broadcast *plan, int64_t dim, int64_t from, int64_t to)
{
    if (dim == 1)
        return;
    int last = plan->rank - 1;
    if (last >= 0 && plan->stride[0][last] == from * dim && plan->stride[1][last] == to * dim)
        plan->dims[last] *= dim;
    else
        plan->dims[last = plan->rank++] = dim;
    plan->stride[0][last] = from;
    plan->stride[1][last] = to;
}

/* How the innermost axis is copied. With a plane, an axis that reading steps through by 1 goes
 * along with it, and the two are transposed by squares. */
typedef struct Copy {
    const char *from;
    char *to;
    size_t element;
    int64_t plane, plane_to;
    void (*transpose)(int64_t rows, int64_t columns, const void *x, int64_t ldx, void *y,
                      int64_t ldy);
} Copy;

#define GT_COPY_STRIDED(type)                                                                      \
    for (int64_t i = 0; i < n; i++)                                                                \
    ((type *)to)[i * there] = ((const type *)from)[i * here]

static void copy_run(const gt_Kernel *kernel, const void *argument, const gt_Broadcast *plan,
                     int64_t n, const int64_t *offset, int64_t output)
{
    (void)kernel;
    (void)output;
    const Copy *copy = argument;
    int64_t here = plan->stride[0][plan->rank - 1], there = plan->stride[1][plan->rank - 1];
    const void *from = copy->from + offset[0] * (int64_t)copy->element;
    void *to = copy->to + offset[1] * (int64_t)copy->element;
    if (copy->plane)
        copy->transpose(n, copy->plane, from, here, to, copy->plane_to);
    else if (here == 1 && there == 1)
        memcpy(to, from, (size_t)n * copy->element);
    else if (copy->element == 1)
        GT_COPY_STRIDED(uint8_t);
    else if (copy->element == 2)
        GT_COPY_STRIDED(uint16_t);
    else if (copy->element == 4)
        GT_COPY_STRIDED(uint32_t);
    else
        GT_COPY_STRIDED(uint64_t);
}

/* Takes the axis that reading steps through by 1 out of the walk, if writing steps through the
 * innermost one. */
static void take_plane(const gt_Kernel *kernel, gt_Broadcast *plan, Copy *copy)
{
    int last = plan->rank - 1, plane = last - 1;
    if (plan->stride[1][last] != 1 || plan->stride[0][last] == 1)
        return;
    while (plane >= 0 && plan->stride[0][plane] != 1)
        plane--;
    if (plane < 0)
        return;
    copy->plane = plan->dims[plane];
    copy->plane_to = plan->stride[1][plane];
    copy->transpose = gt_context_kernels(kernel->context)->transpose[gt_move_index(copy->element)];
    plan->rank--;
    for (int d = plane; d < plan->rank; d++) {
        plan->dims[d] = plan->dims[d + 1];
        plan->stride[0][d] = plan->stride[0][d + 1];
        plan->stride[1][d] = plan->stride[1][d + 1];
    }
}

gt_Status gt_strided_copy(const gt_Kernel *kernel, gt_Broadcast *plan, gt_DType dtype,
                          const void *from, void *to)
{
    Copy copy = {.from = from, .to = to, .element = gt_dtype_size(dtype)};
    for (int d = 0; d < plan->rank; d++)
        if (plan->dims[d] == 0)
            return GT_OK;
    if (plan->rank == 0) {
        plan->dims[0] = plan->stride[0][0] = plan->stride[1][0] = 1;
        plan->rank = 1;
    }
    take_plane(kernel, plan, &copy);
    int64_t chunk = copy.plane ? GT_CHUNK / copy.plane : GT_CHUNK;
    gt_broadcast_cut(plan, chunk < 32 ? 32 : chunk);
    return gt_broadcast_run(kernel, plan, copy_run, &copy);
}
