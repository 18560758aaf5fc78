/* Kernels of tiles that write memory and nothing else: fill, triangle. Compiled once. Leans on loops.h. */
#include "kernels/loops.h"

void gt_repeat(void *y, size_t bytes, int64_t n)
{
    const size_t all = bytes * (size_t)n;
    for (size_t done = bytes; done < all; done *= 2)
        memcpy((char *)y + done, y, done < all - done ? done : all - done);
}

/* Writes one element everywhere. Any order of tiles. */
void GT_KERNEL(tiles_fill)(const void *given, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    const gt_FillJob *job = given;
    int64_t begin = first * GT_TILE_ELEMENTS, end = last * GT_TILE_ELEMENTS;
    int64_t n = (end < job->size ? end : job->size) - begin;
    char *y = (char *)at[job->y] + (size_t)begin * job->element;
    (void)scratch;
    if (job->pattern == 0) {
        memset(y, 0, (size_t)n * job->element);
    } else if (job->element == 1) {
        memset(y, *(const unsigned char *)&job->pattern, (size_t)n);
    } else if (job->element == 2) {
        uint16_t two, *to = (uint16_t *)(void *)y;
        memcpy(&two, &job->pattern, sizeof two);
        for (int64_t i = 0; i < n; i++)
            to[i] = two;
    } else if (job->element == 4) {
        uint32_t four, *to = (uint32_t *)(void *)y;
        memcpy(&four, &job->pattern, sizeof four);
        for (int64_t i = 0; i < n; i++)
            to[i] = four;
    } else {
        uint64_t *to = (uint64_t *)(void *)y;
        for (int64_t i = 0; i < n; i++)
            to[i] = job->pattern;
    }
}

/* Copies elements or writes 0: no sum, no product. Any order of tiles. */
void GT_KERNEL(tiles_triangle)(const void *given, void *const *at, int64_t first, int64_t last,
                               void *scratch)
{
    const gt_TriangleJob *job = given;
    int64_t all = job->matrices * job->rows, columns = job->columns;
    int64_t end = last * job->group < all ? last * job->group : all;
    size_t element = job->element;
    (void)scratch;
    for (int64_t row = first * job->group; row < end; row++) {
        int64_t cut =
            row % job->rows + job->k + job->lower; /* the first column of the upper part */
        cut = cut < 0 ? 0 : cut > columns ? columns : cut;
        const char *x = (const char *)at[0] + (size_t)(row * columns) * element;
        char *y = (char *)at[1] + (size_t)(row * columns) * element;
        size_t left = (size_t)cut * element, right = (size_t)(columns - cut) * element;
        if (job->lower) {
            memcpy(y, x, left);
            memset(y + left, 0, right);
        } else {
            memset(y, 0, left);
            memcpy(y + left, x + left, right);
        }
    }
}
