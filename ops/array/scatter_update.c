/* Replacing at coordinates: scatter_update, and scatter, which adds to zeros. Both are made of records that work on rows:
 *
 *     x (5, 4, 3), indices (n, 2), updates (n, 3)
 *     merge_axes     x as 20 rows of 3
 *     places_of      the coordinates (i, j) of an update as the row 4 i + j, so n rows; those outside x are errors
 *     scatter_update the rows replaced (or: segment_sum, ..., put together with the rows that are there)
 *     reshape_like   (5, 4, 3) again
 *
 * Leans on reshape.c, scatter.c, segments.c. */
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/lookup.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"

#include <string.h>

/* ---- places_of ---- */

#define PLACES_OF_OPTIONS(F, S)                                                                    \
    F(S, gt_Shape, shape, GT_SCALAR_SHAPE, "what the coordinates are of, if there is no input 2")
GT_OPTIONS(PlacesOfOptions, PLACES_OF_OPTIONS);
GT_OPTION_TYPE(PlacesOfOptions, PLACES_OF_OPTIONS);

/* What the coordinates are of. */
static gt_Shape whole_of(const gt_ShapeRule *rule)
{
    const PlacesOfOptions *options = rule->options;
    return rule->inputs > 1 && rule->input[1] ? gt_spec_shape(rule->input[1]) : options->shape;
}

static gt_Status places_of_shape(gt_ShapeRule *rule)
{
    const gt_Spec *indices = rule->input[0];
    gt_Shape whole = whole_of(rule);
    int64_t k = indices->rank == 2 ? indices->dims[1] : -1;
    char a[160], b[160];
    if (!gt_takes_indices(indices))
        return gt_status();
    if (k < 1 || k > whole.rank)
        return gt_fail(GT_INVALID, "indices %s do not say places of %s; they are (n, k) for k axes",
                       gt_dims_text(indices, b, sizeof b),
                       gt_shape_text(whole, a, sizeof a));
    gt_Spec numbered; /* whose elements have row-major numbers */
    if (!gt_spec_set(&numbered, GT_INT64, whole))
        return gt_fail(GT_INVALID, "the shape is invalid or too large");
    gt_spec_set(&rule->output[0], GT_INT64, gt_shape(indices->dims[0]));
    return GT_OK;
}

static void places_of_job(const gt_ShapeRule *rule, gt_PlacesOfJob *job)
{
    const gt_Spec *indices = rule->input[0];
    gt_Shape whole = whole_of(rule);
    job->input = 0;
    job->y = (uint8_t)rule->inputs;
    job->type = (uint8_t)gt_loop_type(indices->dtype);
    job->k = (int32_t)indices->dims[1];
    job->n = indices->dims[0];
    memcpy(job->dims, whole.dims, sizeof job->dims);
}

static void places_of_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    int64_t tiles = (rule->output[0].size + GT_TILE_ELEMENTS - 1) / GT_TILE_ELEMENTS;
    places_of_job(rule, gt_lower_check(lowering, GT_CHECK_coordinates, 1, sizeof(gt_PlacesOfJob)));
    places_of_job(rule,
                  gt_lower_launch(lowering, GT_TILES_places_of, tiles, sizeof(gt_PlacesOfJob)));
}

static gt_Status places_of_complain(const gt_ShapeRule *rule, void *const *at, int64_t position)
{
    int axis = (int)(position % rule->input[0]->dims[1]);
    int64_t length = whole_of(rule).dims[axis];
    return gt_complain_index(rule, at, 0, position, axis, -length, length);
}

const gt_Operation gt_op_places_of = {
    GT_RECORD("places_of", "coordinates as row-major numbers", 1, 2),
    .flags = GT_OP_NOT_DIFFERENTIABLE | GT_OP_INTERNAL | GT_OP_STEP | GT_OP_HALF,
    .why_not = "its input is integer-valued",
    .options = &PlacesOfOptions_type,
    .optional_inputs = 2,
    .shape = places_of_shape,
    .lower = places_of_lower,
    .complain = places_of_complain,
    .samples = GT_SAMPLES({.inputs = 1,
                           .input = GT_INPUTS(GT_WHOLE(GT_INT32, -2, 2, 5, 2)),
                           .options = &GT_VALUES(PlacesOfOptions, {GT_MARK, 3, {2, 3, 2}})},
                          {.inputs = 2,
                           .input = GT_INPUTS(GT_WHOLE(GT_INT64, 0, 3, 4, 1), GT_ANY(3, 2)),
                           .options = &GT_VALUES(PlacesOfOptions, GT_SCALAR_SHAPE)}),
};

/* The rows of updates as numbers of rows of x, or of a tensor of that shape. */
static gt_Tensor *places_of(gt_Tensor *indices, gt_Tensor *x, gt_Shape shape)
{
    PlacesOfOptions options = GT_VALUES(PlacesOfOptions, shape);
    x = x ? gt_stop_gradient(x) : NULL;
    return gt_apply_one_at(NULL, &gt_op_places_of, &options, x ? 2 : 1,
                           (gt_Tensor *[]){indices, x});
}

/* ---- scatter_update, of rows: x (rows, ...) at indices (n) replaced by updates (n, ...) ---- */

static gt_Status update_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0], *indices = rule->input[1];
    rule->output[0] = *x;
    if (!gt_takes_indices(indices))
        return gt_status();
    if (x->rank < 1 || indices->rank != 1)
        return gt_fail(GT_INVALID, "expected rows and a vector of indices (got ranks %d and %d)",
                       x->rank, indices->rank);
    return gt_fits_indices(x, indices, 0, rule->input[2]) ? GT_OK : gt_status();
}

static void update_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_Spec *x = rule->input[0], *indices = rule->input[1];
    gt_Along view = gt_along(x, 0);
    gt_lower_indices(rule, lowering, 1, -view.count, view.count);
    gt_CopyJob *copy = gt_lower_copy(lowering, x->dtype, 0, 3);
    gt_copy_axis(copy, x->size, 1, 1);
    gt_copy_end(lowering, copy);
    gt_PutJob *job = gt_lower_launch(lowering, GT_TILES_put, 0, sizeof *job);
    job->indices = 1;
    job->x = 2;
    job->y = 3;
    job->type = (uint8_t)gt_loop_type(indices->dtype);
    job->n = indices->size;
    job->count = view.count;
    job->inner = view.inner * (int64_t)gt_dtype_size(x->dtype);
    lowering->launch[1].tiles = (job->inner + GT_PUT_BYTES - 1) / GT_PUT_BYTES;
}

static gt_Status update_complain(const gt_ShapeRule *rule, void *const *at, int64_t position)
{
    int64_t rows = rule->input[0]->dims[0];
    return gt_complain_index(rule, at, 1, position, 0, -rows, rows);
}

/* Of updates of one place the last one counts and has the gradient; the others get zeros. */
static gt_Status update_gradient(gt_GradientRule *rule)
{
    gt_Tensor *indices = gt_rule_input(rule, 1), *up = gt_upstream(rule, 0);
    const gt_Spec *updates = gt_rule_input_spec(rule, 2);
    if (gt_wants(rule, 0)) {
        gt_Tensor *zeros = gt_zeros(gt_spec_shape(updates), .dtype = updates->dtype);
        gt_give(rule, 0,
                gt_apply_one_at(NULL, &gt_op_scatter_update, NULL, 3,
                                (gt_Tensor *[]){up, indices, zeros}));
    }
    if (gt_wants(rule, 2)) {
        int64_t rows = gt_rule_input_spec(rule, 0)->dims[0], n = updates->dims[0];
        gt_Tensor *numbers = gt_arange(0, (double)n, 1, .dtype = GT_INT64);
        gt_Tensor *winners = gt_apply_one_at(
            NULL, &gt_op_scatter_update, NULL, 3,
            (gt_Tensor *[]){gt_zeros(gt_shape(rows), .dtype = GT_INT64), indices, numbers});
        gt_Shape along = {GT_MARK, updates->rank, {n, 1, 1, 1, 1, 1, 1, 1}};
        gt_Tensor *won = gt_reshape(gt_equal(gt_take(winners, indices), numbers), along);
        gt_give(rule, 2, gt_where(won, gt_take(up, indices), 0));
    }
    return gt_status();
}

/* A row that is padding stays it, whether it is replaced or not; which rows padded updates replace is not known. */
static gt_Status update_mask(gt_MaskRule *rule)
{
    for (int i = 1; i < 3; i++)
        if (rule->input[i])
            return gt_mask_refuse(rule, i, 0);
    return gt_mask_join(rule, 0, rule->input[0]);
}

const gt_Operation gt_op_scatter_update = {
    GT_RECORD("scatter_update", "x with the rows at some indices replaced", 3, 3),
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .saves_inputs = 2,
    .shape = update_shape,
    .lower = update_lower,
    .complain = update_complain,
    .gradient = update_gradient,
    .mask = update_mask,
    .samples = GT_SAMPLES(
        {.inputs = 3, .input = GT_INPUTS(GT_ANY(4, 2), GT_WHOLE(GT_INT32, 1, 2, 1), GT_ANY(1, 2))},
        {.inputs = 3, .input = GT_INPUTS(GT_ANY(3), GT_WHOLE(GT_INT64, -1, 0, 1), GT_ANY(1))},
        {.inputs = 3,
         .input = GT_INPUTS(GT_ANY(2, 2), GT_WHOLE(GT_INT32, -2, 2, 5), GT_ANY(5, 2))}),
};

/* ---- the functions ---- */

GT_OPTION_TYPE(gt_scatter_update_options, gt_scatter_update_OPTIONS);

/* The updates of each place put together first, into what leaves x as it is where there are none. */
static gt_Tensor *combined(gt_Tensor *x, gt_Tensor *places, gt_Tensor *updates,
                           gt_ScatterReduction reduction)
{
    switch (reduction) {
    case GT_SCATTER_REDUCTION_REPLACE:
        return gt_apply_one_at(NULL, &gt_op_scatter_update, NULL, 3,
                               (gt_Tensor *[]){x, places, updates});
    case GT_SCATTER_REDUCTION_ADD:
        return gt_add(x, gt_scatter_rows(places, updates, 0, x));
    case GT_SCATTER_REDUCTION_MAX:
        return gt_maximum(x, gt_segments_like(&gt_op_segment_max, updates, places, x));
    case GT_SCATTER_REDUCTION_MIN:
        return gt_minimum(x, gt_segments_like(&gt_op_segment_min, updates, places, x));
    case GT_SCATTER_REDUCTION_MULTIPLY:
        return gt_multiply(x, gt_segments_like(&gt_op_segment_prod, updates, places, x));
    default:
        gt_fail(GT_INVALID, "unknown reduction %d", (int)reduction);
        return NULL;
    }
}

static gt_Tensor *scatter_update(gt_Tensor *x, gt_Tensor *indices, gt_Tensor *updates,
                                 const gt_scatter_update_options *given)
{
    gt_scatter_update_options options;
    GT_TAKE(gt_scatter_update_options, &options, given);
    gt_Tensor *places = places_of(indices, x, gt_shape());
    gt_Shape shape = gt_tensor_shape(indices);
    if (gt_status() != GT_OK)
        return NULL;
    gt_Tensor *rows = gt_merge_axes(x, 0, (int)shape.dims[1]);
    gt_Spec whole = gt_spec(rows), block = gt_spec(updates);
    gt_Spec of_places = gt_spec(places);
    if (gt_status() != GT_OK || !gt_fits_indices(&whole, &of_places, 0, &block))
        return NULL;
    return gt_reshape_like(combined(rows, places, updates, options.reduction), x);
}
GT_COMPOSED(scatter_update,
            (const char *here, gt_Tensor *x, gt_Tensor *indices, gt_Tensor *updates,
             const gt_scatter_update_options *options),
            (x, indices, updates, options))

static gt_Tensor *scatter(gt_Tensor *indices, gt_Tensor *values, gt_Shape shape)
{
    gt_Spec spec;
    if (!gt_spec_set(&spec, GT_FLOAT64, shape)) {
        gt_fail(GT_INVALID, "the shape is invalid or too large");
        return NULL;
    }
    gt_Tensor *places = places_of(indices, NULL, shape);
    gt_Shape coordinates = gt_tensor_shape(indices);
    if (gt_status() != GT_OK)
        return NULL;
    int k = (int)coordinates.dims[1];
    gt_Shape rows = {GT_MARK, shape.rank - k + 1, {1}};
    for (int d = 0; d < shape.rank; d++)
        if (d < k)
            rows.dims[0] *= shape.dims[d];
        else
            rows.dims[d - k + 1] = shape.dims[d];
    return gt_reshape(gt_scatter_add(places, values, rows), shape);
}
GT_COMPOSED(scatter, (const char *here, gt_Tensor *indices, gt_Tensor *values, gt_Shape shape),
            (indices, values, shape))
