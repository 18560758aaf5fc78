/* The position of the largest or the smallest element of a row. Columns: once/arg.c. Leans on loops.h. */
#include "loops.h"
#include "narrow.h"
#include "reduction.h"

#define BLOCK 4096 /* elements of a row that are reduced together */

/* Is a before b, and not only equal? The first NaN is before every number. */
static bool is_before(int type, bool largest, const void *a, const void *b)
{
    double x, y;
    int64_t i, j;
    switch (type) {
    case GT_LOOP_F32:
        x = (double)*(const float *)a;
        y = (double)*(const float *)b;
        break;
    case GT_LOOP_F64:
        x = *(const double *)a;
        y = *(const double *)b;
        break;
    case GT_LOOP_I32:
        x = *(const int32_t *)a;
        y = *(const int32_t *)b;
        break;
    case GT_LOOP_I64:
        i = *(const int64_t *)a;
        j = *(const int64_t *)b;
        return largest ? i > j : i < j;
    default:
        x = *(const uint8_t *)a;
        y = *(const uint8_t *)b;
        break;
    }
    return (largest ? x > y : x < y) || (x != x && y == y);
}

/* Rows of 1 to 31 elements, many beside each other; the smallest is the largest of what has the other sign. `whole` is an integer of
 * the width of a `type`. */
#define GT_FEW(suffix, type, whole, part)                                                          \
    static void few_##suffix(bool largest, int64_t rows, int64_t n, const type *x, int32_t *y)     \
    {                                                                                              \
        enum { AT_ONCE = 64 };                                                                     \
        type turned[31 * AT_ONCE], best[AT_ONCE];                                                  \
        whole place[AT_ONCE];                                                                      \
        for (; rows > 0; rows -= AT_ONCE, x += n * AT_ONCE, y += AT_ONCE) {                        \
            const int64_t count = rows < AT_ONCE ? rows : AT_ONCE;                                 \
            memset(turned, 0, (size_t)n * AT_ONCE * sizeof(type));                                 \
            part(count, n, x, turned, AT_ONCE);                                                    \
            for (int64_t i = 0; i < n * AT_ONCE && !largest; i++)                                  \
                turned[i] = -turned[i];                                                            \
            memcpy(best, turned, sizeof best);                                                     \
            memset(place, 0, sizeof place);                                                        \
            for (int64_t i = 1; i < n; i++)                                                        \
                for (int j = 0; j < AT_ONCE; j++) {                                                \
                    const type next = turned[i * AT_ONCE + j];                                     \
                    const bool first = (next > best[j]) | ((next != next) & (best[j] == best[j])); \
                    best[j] = first ? next : best[j];                                              \
                    place[j] = first ? (whole)i : place[j];                                        \
                }                                                                                  \
            for (int64_t j = 0; j < count; j++)                                                    \
                y[j] = (int32_t)place[j];                                                          \
        }                                                                                          \
    }
GT_FEW(f32, float, int32_t, GT_KERNEL(part_4))
GT_FEW(f64, double, int64_t, GT_KERNEL(part_8))

/* The reduction of each block, then the place in the best of them; any order of tiles. */
void GT_KERNEL(tiles_arg_rows)(const void *given, void *const *at, int64_t first, int64_t last,
                               void *scratch)
{
    const gt_ArgJob *job = given;
    const int type = job->type == GT_LOOP_BOOL ? GT_LOOP_U8 : job->type;
    gt_ReduceLoop *reduce =
        GT_KERNEL(kernels).reduce[job->largest ? GT_LOOP_MAX : GT_LOOP_MIN][type];
    (void)scratch;
    if (job->count < 32 && type <= GT_LOOP_F64) {
        int32_t *y = (int32_t *)at[1] + first;
        if (type == GT_LOOP_F32)
            few_f32(job->largest, last - first, job->count,
                    (const float *)at[0] + first * job->count, y);
        else
            few_f64(job->largest, last - first, job->count,
                    (const double *)at[0] + first * job->count, y);
        return;
    }
    for (int64_t row = first; row < last; row++) {
        const char *x = (const char *)at[0] + row * job->count * job->element;
        uint64_t best, next;
        int64_t place = 0;
        memcpy(&best, x, job->element);
        for (int64_t i = 0; i < job->count; i += BLOCK) {
            reduce(job->count - i < BLOCK ? job->count - i : BLOCK, x + i * job->element, &next);
            if (is_before(type, job->largest, &next, &best)) {
                best = next;
                place = i;
            }
        }
        ((int32_t *)at[1])[row] =
            (int32_t)(place + GT_KERNEL(kernels).find[type](job->count - place,
                                                            x + place * job->element, &best));
    }
}
