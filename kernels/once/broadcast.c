/* Walking over an output row by row: see kernels/broadcast.h. */
#include "kernels/broadcast.h"

/* Rows [first, last) of the innermost axis, from element `from` of each, n elements. */
static void walk_rows(const gt_Broadcast *walk, gt_BroadcastRow *row, const void *job,
                      void *const *at, int64_t first, int64_t last, int64_t from, int64_t n)
{
    int inner = walk->rank - 1;
    int64_t index[GT_JOB_RANK] = {0}, offset[3], rest = first;
    for (int d = inner - 1; d >= 0; d--) {
        index[d] = rest % walk->dims[d];
        rest /= walk->dims[d];
    }
    for (int i = 0; i < walk->inputs; i++) {
        offset[i] = from * walk->stride[i][inner];
        for (int d = 0; d < inner; d++)
            offset[i] += index[d] * walk->stride[i][d];
    }
    for (int64_t number = first; number < last; number++) {
        row(job, at, n, offset, number * walk->inner + from);
        for (int d = inner - 1; d >= 0; d--) {
            bool turns = ++index[d] == walk->dims[d];
            for (int i = 0; i < walk->inputs; i++)
                offset[i] += walk->stride[i][d] - (turns ? walk->dims[d] * walk->stride[i][d] : 0);
            if (!turns)
                break;
            index[d] = 0;
        }
    }
}

void gt_broadcast_tiles(const gt_Broadcast *walk, gt_BroadcastRow *row, const void *job,
                        void *const *at, int64_t first, int64_t last)
{
    if (walk->chunks == 1) {
        int64_t end = last * walk->rows < walk->outer ? last * walk->rows : walk->outer;
        walk_rows(walk, row, job, at, first * walk->rows, end, 0, walk->inner);
        return;
    }
    for (int64_t tile = first; tile < last; tile++) {
        int64_t number = tile / walk->chunks, from = tile % walk->chunks * walk->chunk;
        int64_t n = walk->inner - from < walk->chunk ? walk->inner - from : walk->chunk;
        walk_rows(walk, row, job, at, number, number + 1, from, n);
    }
}
