/* Lowering to kernels that move elements. Leans on core and kernels/copies.h. */
#include "ops/copies.h"
#include "core/assert.h"
#include "ops/lowering.h"

#include <math.h>

void gt_strides(const gt_Spec *spec, int64_t stride[GT_MAX_RANK])
{
    int64_t step = 1;
    for (int d = spec->rank - 1; d >= 0; d--) {
        stride[d] = step;
        step *= spec->dims[d];
    }
}

/* ---- fill ---- */

uint64_t gt_number_pattern(gt_DType dtype, double number)
{
    uint64_t pattern = 0;
    gt_number_store(dtype, &pattern, 0, number);
    return pattern;
}

static gt_FillJob fill_job(gt_DType dtype, int y, int64_t size, double number)
{
    return (gt_FillJob){.element = (uint8_t)gt_dtype_size(dtype),
                        .y = (uint8_t)y,
                        .size = size,
                        .pattern = number == 0 && !signbit(number) ? 0 : gt_number_pattern(dtype, number)};
}

void gt_lower_fill(gt_Lowering *lowering, gt_DType dtype, int y, int64_t size, double number)
{
    int64_t tiles = gt_element_tiles(size);
    gt_FillJob *job = gt_lower_launch(lowering, GT_TILES_fill, tiles, sizeof *job);
    *job = fill_job(dtype, y, size, number);
}

void gt_fill(gt_DType dtype, int64_t size, double number, void *to)
{
    if (size == 0)
        return;
    gt_FillJob job = fill_job(dtype, 0, size, number);
    gt_context_kernels(gt_context())
        ->tile[GT_TILES_fill](&job, &to, 0, gt_element_tiles(size), NULL);
}

/* ---- copy ---- */

gt_CopyJob *gt_lower_copy(gt_Lowering *lowering, gt_DType dtype, int x, int y)
{
    gt_CopyJob *job = gt_lower_launch(lowering, GT_TILES_copy, 1, sizeof *job);
    job->element = (uint8_t)gt_dtype_size(dtype);
    job->x = (uint8_t)x;
    job->y = (uint8_t)y;
    job->rank = 0;
    job->from = job->to = 0;
    return job;
}

/* An axis that continues where the one inside it ends is one axis with it. */
void gt_copy_axis(gt_CopyJob *job, int64_t dim, int64_t from, int64_t to)
{
    if (dim == 1)
        return;
    int last = job->rank - 1;
    bool joins = last >= 0 && job->stride_x[last] == from * dim && job->stride_y[last] == to * dim;
    if (!joins)
        last = job->rank++;
    GT_ASSERT(last < GT_JOB_RANK);
    job->dims[last] = joins ? job->dims[last] * dim : dim;
    job->stride_x[last] = from;
    job->stride_y[last] = to;
}

/* If writing steps through the innermost axis by 1 and reading does not, but steps by 1 through another axis, that one
 * leaves the walk: the two are transposed together. */
static void take_plane(gt_CopyJob *job)
{
    int last = job->rank - 1, plane = last - 1;
    job->plane = 0;
    if (job->stride_y[last] != 1 || job->stride_x[last] == 1)
        return;
    while (plane >= 0 && job->stride_x[plane] != 1)
        plane--;
    if (plane < 0)
        return;
    job->plane = job->dims[plane];
    job->plane_y = job->stride_y[plane];
    job->rank--;
    for (int d = plane; d < job->rank; d++) {
        job->dims[d] = job->dims[d + 1];
        job->stride_x[d] = job->stride_x[d + 1];
        job->stride_y[d] = job->stride_y[d + 1];
    }
}

/* A tile is several rows of the innermost axis, or a piece of one. */
void gt_copy_end(gt_Lowering *lowering, gt_CopyJob *job)
{
    gt_Launch *launch = &lowering->launch[lowering->launches - 1];
    GT_ASSERT((void *)job == lowering->job + launch->job);
    if (job->rank == 0) {
        job->dims[0] = job->stride_x[0] = job->stride_y[0] = 1;
        job->rank = 1;
    }
    for (int d = 0; d < job->rank; d++)
        if (job->dims[d] == 0) { /* the other sizes may have a product that is too large */
            job->outer = job->chunk = job->chunks = job->rows = job->plane = 0;
            launch->tiles = 0;
            return;
        }
    take_plane(job);
    int64_t chunk = GT_TILE_ELEMENTS, inner = job->dims[job->rank - 1];
    if (job->plane)
        chunk = GT_TILE_ELEMENTS / job->plane < 32 ? 32 : GT_TILE_ELEMENTS / job->plane;
    job->outer = 1;
    for (int d = 0; d < job->rank - 1; d++)
        job->outer *= job->dims[d];
    if (job->outer <= GT_TILE_ELEMENTS && inner * job->outer <= chunk) { /* few: no divisions */
        job->chunk = inner;
        job->chunks = launch->tiles = 1;
        job->rows = job->outer;
        return;
    }
    job->chunk = inner < chunk ? inner : chunk;
    job->chunks = (inner + job->chunk - 1) / job->chunk;
    job->rows = inner < chunk ? chunk / inner : 1;
    launch->tiles =
        job->chunks > 1 ? job->outer * job->chunks : (job->outer + job->rows - 1) / job->rows;
}

void gt_lower_same(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    gt_CopyJob *job = gt_lower_copy(lowering, rule->output[0].dtype, 0, rule->inputs);
    gt_copy_axis(job, rule->output[0].size, 1, 1);
    gt_copy_end(lowering, job);
}
