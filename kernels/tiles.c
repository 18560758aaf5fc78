/* Element-wise loops as kernels of tiles, choice. Leans on loops.h. */
#include "broadcast.h"
#include "loops.h"

/* y[i] = f(x[i]), element by element; any order of tiles. */
void GT_KERNEL(tiles_unary)(const void *given, void *const *at, int64_t first, int64_t last,
                            void *scratch)
{
    const gt_UnaryJob *job = given;
    const int64_t begin = first * job->tile, end = last * job->tile;
    const int64_t n = (end < job->size ? end : job->size) - begin;
    (void)scratch;
    GT_KERNEL(kernels).unary[job->loop][job->type](n, (const char *)at[0] + begin * job->in,
                                                   (char *)at[1] + begin * job->out);
}

#ifndef GT_RARE_ELSEWHERE
/* The elements of tiles [first, last) of `size`. */
static int64_t tile_elements(int64_t first, int64_t last, int64_t size, int64_t *begin)
{
    int64_t end = last * GT_TILE_ELEMENTS;
    *begin = first * GT_TILE_ELEMENTS;
    return (end < size ? end : size) - *begin;
}

/* y[i] = low where x[i] < low, high where x[i] > high, else x[i]: NaN stays. The bounds are rounded to the type of x. */
#define GT_CLIP(suffix, type)                                                                      \
    static void clip_##suffix(int64_t n, double least, double most, const void *from, void *to)    \
    {                                                                                              \
        const type *xs = from, low = (type)least, high = (type)most;                               \
        type *ys = to;                                                                             \
        GT_INDEPENDENT                                                                             \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const type x = xs[i];                                                                  \
            ys[i] = x < low ? low : x > high ? high : x;                                           \
        }                                                                                          \
    }
GT_CLIP(f32, float)
GT_CLIP(f64, double)

/* y[i] from x[i] alone, by comparisons. Any order of tiles. */
void GT_KERNEL(tiles_clip)(const void *given, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    const gt_ClipJob *job = given;
    int64_t begin, n = tile_elements(first, last, job->size, &begin);
    (void)scratch;
    if (job->type == GT_LOOP_F32)
        clip_f32(n, job->low, job->high, (const float *)at[0] + begin, (float *)at[1] + begin);
    else
        clip_f64(n, job->low, job->high, (const double *)at[0] + begin, (double *)at[1] + begin);
}
#endif

static void arithmetic_block(const void *given, int64_t n, const void *const *x,
                             const int64_t *step, void *y)
{
    const gt_BinaryJob *job = given;
    GT_KERNEL(kernels).binary[job->loop][job->type](n, x[0], step[0], x[1], step[1], y);
}

static void compare_block(const void *given, int64_t n, const void *const *x, const int64_t *step,
                          void *y)
{
    const gt_BinaryJob *job = given;
    GT_KERNEL(kernels).compare[job->loop][job->type](n, x[0], step[0], x[1], step[1], y);
}

/* One row in one tile, which most calls on small tensors are, is not walked over. */
GT_INLINE void binary_tiles(const gt_BinaryJob *job, gt_BroadcastBlock *block, void *const *at,
                            int64_t first, int64_t last)
{
    const gt_Broadcast *walk = &job->walk;
    const gt_BroadcastBytes bytes = {{job->in, job->in}, job->out, GT_KERNEL(kernels).spread};
    if (walk->tiles == 1 && walk->outer == 1)
        block(job, walk->inner, (const void *const[2]){at[0], at[1]},
              (const int64_t[2]){walk->stride[0][walk->rank - 1], walk->stride[1][walk->rank - 1]},
              at[2]);
    else
        gt_broadcast_blocks(walk, &bytes, block, job, at, first, last);
}

/* y = f(a, b), element by element; any order of tiles. */
void GT_KERNEL(tiles_binary)(const void *given, void *const *at, int64_t first, int64_t last,
                             void *scratch)
{
    (void)scratch;
    binary_tiles(given, arithmetic_block, at, first, last);
}

/* y[i] from a[i] and b[i] alone, by one comparison. Any order of tiles. */
void GT_KERNEL(tiles_compare)(const void *given, void *const *at, int64_t first, int64_t last,
                              void *scratch)
{
    (void)scratch;
    binary_tiles(given, compare_block, at, first, last);
}

/* y = a where c, else b, element by element; any order of tiles. */
static void select_block(const void *given, int64_t n, const void *const *x, const int64_t *step,
                         void *y)
{
    const gt_SelectJob *job = given;
    GT_KERNEL(kernels).select[job->move](n, x[0], step[0], x[1], step[1], x[2], step[2], y);
}

/* Copies elements. Any order of tiles. */
void GT_KERNEL(tiles_select)(const void *given, void *const *at, int64_t first, int64_t last,
                             void *scratch)
{
    const gt_SelectJob *job = given;
    const gt_BroadcastBytes bytes = {
        {1, job->element, job->element}, job->element, GT_KERNEL(kernels).spread};
    (void)scratch;
    gt_broadcast_blocks(&job->walk, &bytes, select_block, job, at, first, last);
}
