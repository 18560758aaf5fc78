/* Adaptive pooling, made of pooling: formula of ops/nn/pooling.h. One axis after the other, which is the same for means and
 * for maxima. On an axis all windows are of two sizes, in / out rounded up and one more:
 *
 *     in 5, out 3: windows [0, 2), [1, 4), [3, 5), of the sizes 2, 3, 2
 *
 * so the axis is pooled with each, in steps of 1, and the windows are taken from both. If out divides in, the windows are
 * next to each other and one pooling does it. */
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/nn/pooling.h"
#include "core/inside.h"
#include "ops/nn/window.h"

typedef gt_Tensor *(*Pool)(const char *here, gt_Tensor *x, gt_Shape pool_size,
                           const gt_max_pool_options *options);

/* Windows of that size along one of `rank` spatial axes. */
static gt_Tensor *pooled(Pool pool, gt_Tensor *x, int rank, int axis, int64_t size, int64_t step)
{
    gt_Shape window = {.mark = GT_MARK, .rank = rank}, steps = window;
    for (int d = 0; d < rank; d++)
        window.dims[d] = steps.dims[d] = 1;
    window.dims[axis] = size;
    steps.dims[axis] = step;
    return pool(NULL, x, window, GT_KEYWORDS(gt_max_pool, .strides = steps));
}

static gt_Tensor *uneven(Pool pool, gt_Tensor *x, int rank, int axis, int64_t in, int64_t out)
{
    gt_Context *context = gt_enter();
    int64_t small = (in - 1) / out + 1;
    int64_t *at = context ? gt_allocate(context, (size_t)out * sizeof *at) : NULL;
    bool both = false;
    if (!at)
        return NULL;
    for (int64_t i = 0; i < out; i++) {
        int64_t first = i * in / out, end = ((i + 1) * in - 1) / out + 1;
        bool large = end - first > small;
        at[i] = large ? first + in - small + 1 : first; /* the large ones stand behind the others */
        both |= large;
    }
    gt_Tensor *places = gt_from_data(at, gt_shape(out), GT_INT64);
    gt_release(context, at, (size_t)out * sizeof *at);
    gt_Tensor *parts = pooled(pool, x, rank, axis, small, 1);
    if (both)
        parts = gt_concatenate(gt_tensors(parts, pooled(pool, x, rank, axis, small + 1, 1)),
                               .axis = axis + 1);
    return gt_take(parts, places, .axis = axis + 1);
}

static gt_Tensor *adaptive(Pool pool, gt_Tensor *x, gt_Shape output_size)
{
    gt_Tensor *y = x;
    gt_Spec spec = gt_spec(x);
    int64_t out[GT_SPATIAL];
    int rank = spec.rank - 2;
    if (gt_status() != GT_OK || !gt_window_takes(&spec) ||
        !gt_window_numbers(&output_size, rank, 0, "output sizes", out))
        return NULL;
    for (int d = 0; d < rank; d++)
        if (!gt_window_number("an output size", out[d]) ||
            !gt_window_number("the size of an image", spec.dims[d + 1]))
            return NULL;
    for (int d = 0; d < rank; d++) {
        int64_t in = spec.dims[d + 1];
        if (in % out[d] != 0)
            y = uneven(pool, y, rank, d, in, out[d]);
        else if (in != out[d])
            y = pooled(pool, y, rank, d, in / out[d], in / out[d]);
    }
    return y == x ? gt_identity(x) : y; /* a tensor of its own, in any case */
}
GT_COMPOSED_TENSOR(adaptive_max_pool, adaptive,
                   (const char *here, gt_Tensor *x, gt_Shape output_size),
                   (gt_max_pool_at, x, output_size))
GT_COMPOSED_TENSOR(adaptive_average_pool, adaptive,
                   (const char *here, gt_Tensor *x, gt_Shape output_size),
                   (gt_average_pool_at, x, output_size))
