/* Lowering an element-wise operation to its loop. Leans on tiles.c for how operands broadcast. */
#include "ops/lowering.h"
#include "ops/tiles.h"

int64_t gt_element_tiles(int64_t size)
{
    return (size + GT_TILE_ELEMENTS - 1) / GT_TILE_ELEMENTS;
}

static void lower_unary(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_Spec *in = rule->input[0], *out = &rule->output[0];
    gt_UnaryJob *job =
        gt_lower_launch(lowering, GT_TILES_unary, gt_element_tiles(out->size), sizeof *job);
    job->loop = (uint8_t)rule->operation->loop.id;
    job->type = (uint8_t)gt_loop_type(in->dtype);
    job->in = (uint8_t)gt_dtype_size(in->dtype);
    job->out = (uint8_t)gt_dtype_size(out->dtype);
    job->size = out->size;
    job->tile = GT_TILE_ELEMENTS;
}

/* One row, where there is no broadcast, or one side is a single element; false otherwise. It saves what a plan of
 * axes costs. */
static bool one_row(gt_Broadcast *walk, const gt_ShapeRule *rule)
{
    const int64_t a = rule->input[0]->size, b = rule->input[1]->size, size = rule->output[0].size;
    if (size > GT_TILE_ELEMENTS || !((a == size && (b == size || b == 1)) || (b == size && a == 1)))
        return false;
    walk->inputs = 2;
    walk->rank = 1;
    walk->inner = walk->chunk = walk->dims[0] = size;
    walk->chunks = walk->outer = walk->rows = walk->tiles = 1;
    walk->stride[0][0] = a == size;
    walk->stride[1][0] = b == size;
    return true;
}

static void lower_binary(const gt_ShapeRule *rule, gt_Lowering *lowering, gt_TileKernelId kernel)
{
    const gt_Spec *in = rule->input[0], *out = &rule->output[0];
    gt_BinaryJob *job = gt_lower_launch(lowering, kernel, 1, sizeof *job);
    job->loop = (uint8_t)rule->operation->loop.id;
    job->type = (uint8_t)gt_loop_type(in->dtype);
    job->in = (uint8_t)gt_dtype_size(in->dtype);
    job->out = kernel == GT_TILES_compare ? sizeof(bool) : job->in;
    if (!one_row(&job->walk, rule))
        gt_broadcast_plan(&job->walk, out, 2, rule->input);
    lowering->launch[lowering->launches - 1].tiles = job->walk.tiles;
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
