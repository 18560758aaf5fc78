/* The position of the largest or the smallest element of a row. Columns: once/arg.c. Leans on loops.h. */
#include "loops.h"
#include "narrow.h"
#include "reduction.h"

#ifndef GT_RARE_ELSEWHERE

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
        enum { MOST = 2048 };                                                                      \
        const int64_t ld = n <= 8 ? MOST / 8 : MOST / 32; /* as many rows at once */               \
        type turned[MOST], best[MOST / 8];                                                         \
        whole wide[MOST / 8]; /* places, unless they are as wide as y */                           \
        for (; rows > 0; rows -= ld, x += n * ld, y += ld) {                                       \
            const int64_t count = rows < ld ? rows : ld;                                           \
            whole *place = sizeof(whole) == sizeof *y ? (whole *)(void *)y : wide;                 \
            part(count, n, x, turned, ld);                                                         \
            for (int64_t i = 0; i < n && !largest; i++)                                            \
                for (int64_t j = 0; j < count; j++)                                                \
                    turned[i * ld + j] = -turned[i * ld + j];                                      \
            for (int64_t j = 0; j < count; j++) {                                                  \
                best[j] = turned[j];                                                               \
                place[j] = 0;                                                                      \
            }                                                                                      \
            for (int64_t i = 1; i < n; i++)                                                        \
                for (int64_t j = 0; j < count; j++) {                                              \
                    const type next = turned[i * ld + j];                                          \
                    const bool first = (next > best[j]) | ((next != next) & (best[j] == best[j])); \
                    best[j] = first ? next : best[j];                                              \
                    place[j] = first ? (whole)i : place[j];                                        \
                }                                                                                  \
            for (int64_t j = 0; j < count && sizeof(whole) > sizeof *y; j++)                       \
                y[j] = (int32_t)place[j];                                                          \
        }                                                                                          \
    }
GT_FEW(f32, float, int32_t, GT_KERNEL(part_4))
GT_FEW(f64, double, int64_t, GT_KERNEL(part_8))

/* The reduction of each block, then the place in the best of them; any order of tiles. */
void GT_KERNEL_RARE(tiles_arg_rows)(const void *given, void *const *at, int64_t first, int64_t last,
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
#endif
