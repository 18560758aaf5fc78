/* How operands broadcast to an output, and how the work is cut into tiles. Leans on core. */
#include "ops/tiles.h"

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
    gt_broadcast_cut(plan, GT_TILE_ELEMENTS);
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
