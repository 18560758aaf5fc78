/* Lowering an element-wise operation to its loop. Leans on tiles.c for how operands broadcast. */
#include "ops/lowering.h"
#include "ops/tiles.h"

#include <string.h>

int64_t gt_tiles_of(int64_t elements)
{
    return elements / GT_TILE_ELEMENTS + (elements % GT_TILE_ELEMENTS != 0);
}

static void lower_unary(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_Spec *spec = &rule->output[0];
    gt_UnaryJob *job =
        gt_lower_launch(lowering, GT_TILES_unary, gt_tiles_of(spec->size), sizeof *job);
    job->loop = (uint8_t)rule->operation->loop.id;
    job->type = (uint8_t)gt_loop_type(spec->dtype);
    job->element = (uint8_t)gt_dtype_size(spec->dtype);
    job->size = spec->size;
}

/* Without a broadcast, or with a single number on one side, everything is one row. */
static void lower_binary(const gt_ShapeRule *rule, gt_Lowering *lowering, gt_TileKernelId kernel)
{
    const gt_Spec *a = rule->input[0], *b = rule->input[1], *out = &rule->output[0];
    gt_BinaryJob *job = gt_lower_launch(lowering, kernel, 1, sizeof *job);
    job->loop = (uint8_t)rule->operation->loop.id;
    job->type = (uint8_t)gt_loop_type(a->dtype);
    job->in = (uint8_t)gt_dtype_size(a->dtype);
    job->out = (uint8_t)gt_dtype_size(out->dtype);
    bool whole_a = a->size == out->size, whole_b = b->size == out->size;
    if (out->size <= GT_TILE_ELEMENTS && (whole_a || a->size == 1) && (whole_b || b->size == 1) &&
        (whole_a || whole_b)) {
        job->rank = 1;
        job->chunk = job->dims[0] = out->size;
        job->chunks = job->outer = job->rows = 1;
        job->stride_a[0] = whole_a;
        job->stride_b[0] = whole_b;
        return;
    }
    gt_Broadcast plan;
    gt_broadcast_plan(&plan, out, 2, rule->input);
    job->rank = plan.rank;
    job->chunk = plan.chunk;
    job->chunks = plan.chunks;
    job->outer = plan.outer;
    job->rows = plan.rows;
    memcpy(job->dims, plan.dims, (size_t)plan.rank * sizeof *job->dims);
    memcpy(job->stride_a, plan.stride[0], (size_t)plan.rank * sizeof *job->stride_a);
    memcpy(job->stride_b, plan.stride[1], (size_t)plan.rank * sizeof *job->stride_b);
    lowering->launch[lowering->launches - 1].tiles = plan.tiles;
}

void gt_lower_loop(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    switch (rule->operation->loop.kind) {
    case GT_LOOP_KIND_UNARY:
        lower_unary(rule, lowering);
        break;
    case GT_LOOP_KIND_BINARY:
        lower_binary(rule, lowering, GT_TILES_binary);
        break;
    case GT_LOOP_KIND_COMPARE:
        lower_binary(rule, lowering, GT_TILES_compare);
        break;
    case GT_LOOP_KIND_NONE:
        break;
    }
}
