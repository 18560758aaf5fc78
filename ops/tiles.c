/* Running loops over chunks and broadcasts, for operations with `run`. Leans on core. */
#include "ops/tiles.h"

#include <string.h>

static void chunk_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                        void *scratch)
{
    (void)scratch;
    gt_ChunkBody *const *body = argument;
    int64_t size = kernel->output_spec[0]->size;
    int64_t begin = first * GT_CHUNK, end = last * GT_CHUNK < size ? last * GT_CHUNK : size;
    (*body)(kernel, begin, end - begin);
}

gt_Status gt_run_chunks(const gt_Kernel *kernel, gt_ChunkBody *body)
{
    int64_t size = kernel->output_spec[0]->size;
    return gt_for_tiles(kernel, (size + GT_CHUNK - 1) / GT_CHUNK, chunk_tiles, &body);
}

/* Dimensions of size 1 go; neighbours join where every operand steps through them as one. */
void gt_broadcast_plan(gt_Broadcast *plan, const gt_Spec *output, int inputs,
                       const gt_Spec *const *input)
{
    int64_t stride[3][GT_MAX_RANK];
    for (int i = 0; i < inputs; i++) {
        int64_t step = 1;
        int missing = output->rank - input[i]->rank;
        for (int d = output->rank - 1; d >= 0; d--) {
            int64_t dim = d >= missing ? input[i]->dims[d - missing] : 1;
            stride[i][d] = dim == 1 ? 0 : step;
            step *= dim;
        }
    }
    plan->inputs = inputs;
    plan->rank = 0;
    for (int d = 0; d < output->rank; d++) {
        if (output->dims[d] == 1)
            continue;
        int r = plan->rank;
        bool joins = r > 0;
        for (int i = 0; joins && i < inputs; i++)
            joins = plan->stride[i][r - 1] == stride[i][d] * output->dims[d];
        if (!joins)
            r = plan->rank++;
        else
            r--;
        plan->dims[r] = joins ? plan->dims[r] * output->dims[d] : output->dims[d];
        for (int i = 0; i < inputs; i++)
            plan->stride[i][r] = stride[i][d];
    }
    if (plan->rank == 0) {
        plan->rank = 1;
        plan->dims[0] = 1;
        for (int i = 0; i < inputs; i++)
            plan->stride[i][0] = 0;
    }
    gt_broadcast_cut(plan, GT_CHUNK);
}

/* A tile is several rows of the innermost dimension, or a piece of one, of `chunk` elements. */
void gt_broadcast_cut(gt_Broadcast *plan, int64_t chunk)
{
    plan->inner = plan->dims[plan->rank - 1];
    plan->outer = 1;
    for (int d = 0; d < plan->rank - 1; d++)
        plan->outer *= plan->dims[d];
    plan->chunk = plan->inner < chunk ? plan->inner : chunk;
    plan->chunks = plan->chunk ? (plan->inner + plan->chunk - 1) / plan->chunk : 0;
    plan->rows = plan->inner && plan->inner < chunk ? chunk / plan->inner : 1;
    plan->tiles = plan->chunks > 1 ? plan->outer * plan->chunks
                                   : (plan->outer + plan->rows - 1) / plan->rows * plan->chunks;
}

typedef struct BroadcastJob {
    const gt_Broadcast *plan;
    gt_BroadcastBody *body;
    const void *argument;
} BroadcastJob;

static void broadcast_rows(const gt_Kernel *kernel, const BroadcastJob *job, int64_t first,
                           int64_t last, int64_t from, int64_t n)
{
    const gt_Broadcast *plan = job->plan;
    int inner = plan->rank - 1;
    int64_t index[GT_MAX_RANK] = {0}, offset[3] = {0}, rest = first;
    for (int d = inner - 1; d >= 0; d--) {
        index[d] = rest % plan->dims[d];
        rest /= plan->dims[d];
    }
    for (int64_t row = first; row < last; row++) {
        for (int i = 0; i < plan->inputs; i++) {
            offset[i] = from * plan->stride[i][inner];
            for (int d = 0; d < inner; d++)
                offset[i] += index[d] * plan->stride[i][d];
        }
        job->body(kernel, job->argument, plan, n, offset, row * plan->inner + from);
        for (int d = inner - 1; d >= 0; d--) {
            if (++index[d] < plan->dims[d])
                break;
            index[d] = 0;
        }
    }
}

static void broadcast_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                            void *scratch)
{
    (void)scratch;
    const BroadcastJob *job = argument;
    const gt_Broadcast *plan = job->plan;
    if (plan->chunks == 1) {
        int64_t end = last * plan->rows < plan->outer ? last * plan->rows : plan->outer;
        broadcast_rows(kernel, job, first * plan->rows, end, 0, plan->inner);
        return;
    }
    for (int64_t tile = first; tile < last; tile++) {
        int64_t row = tile / plan->chunks, from = tile % plan->chunks * plan->chunk;
        int64_t n = plan->inner - from < plan->chunk ? plan->inner - from : plan->chunk;
        broadcast_rows(kernel, job, row, row + 1, from, n);
    }
}

gt_Status gt_broadcast_run(const gt_Kernel *kernel, const gt_Broadcast *plan,
                           gt_BroadcastBody *body, const void *argument)
{
    BroadcastJob job = {plan, body, argument};
    return gt_for_tiles(kernel, plan->tiles, broadcast_tiles, &job);
}
