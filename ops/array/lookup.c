/* What lookups share. Leans on core and kernels/lookups.h. */
#include "ops/array/lookup.h"
#include "kernels/lookup_index.h"

gt_Along gt_along(const gt_Spec *spec, int axis)
{
    gt_Along view = {1, spec->dims[axis], 1};
    for (int d = 0; d < axis; d++)
        view.outer *= spec->dims[d];
    for (int d = axis + 1; d < spec->rank; d++)
        view.inner *= spec->dims[d];
    return view;
}

/* ---- indices ---- */

bool gt_takes_indices(const gt_Spec *spec)
{
    if (!gt_dtype_is_integer(spec->dtype))
        gt_fail(GT_INVALID, "indices must be int32, int64 or uint8 (got %s)",
                gt_dtype_name(spec->dtype));
    return gt_dtype_is_integer(spec->dtype);
}

void gt_lower_indices(const gt_ShapeRule *rule, gt_Lowering *lowering, int input, int64_t least,
                      int64_t count)
{
    gt_IndexCheck *job = gt_lower_check(lowering, GT_CHECK_indices, 1, sizeof *job);
    job->input = (uint8_t)input;
    job->type = (uint8_t)gt_loop_type(rule->input[input]->dtype);
    job->size = rule->input[input]->size;
    job->least = least;
    job->count = count;
}

gt_Status gt_complain_index(const gt_ShapeRule *rule, void *const *at, int input, int64_t position,
                            int axis, int64_t least, int64_t count)
{
    const gt_Spec *spec = rule->input[input];
    int64_t index = gt_integer(at[input], (uint8_t)gt_loop_type(spec->dtype), position);
    gt_Shape place = gt_spec_shape(spec);
    char text[160];
    for (int d = spec->rank - 1; d >= 0; d--) {
        place.dims[d] = position % spec->dims[d];
        position /= spec->dims[d];
    }
    gt_shape_text(place, text, sizeof text);
    if (least == 0 && index < 0)
        return gt_fail(GT_INVALID, "indices must not be negative (got %lld, at %s)",
                       (long long)index, text);
    return gt_fail(GT_INVALID,
                   "index %lld, at %s of the indices, is outside axis %d of length %lld",
                   (long long)index, text, axis, (long long)count);
}

gt_Status gt_taken_shape(const gt_Spec *x, const gt_Spec *indices, int axis, gt_Spec *out)
{
    if (x->rank - 1 + indices->rank > GT_MAX_RANK)
        return gt_fail(GT_INVALID, "the result would have more than %d dimensions", GT_MAX_RANK);
    out->dtype = x->dtype;
    out->rank = 0;
    for (int d = 0; d < axis; d++)
        out->dims[out->rank++] = x->dims[d];
    for (int d = 0; d < indices->rank; d++)
        out->dims[out->rank++] = indices->dims[d];
    for (int d = axis + 1; d < x->rank; d++)
        out->dims[out->rank++] = x->dims[d];
    return GT_OK;
}

bool gt_fits_indices(const gt_Spec *whole, const gt_Spec *indices, int axis, const gt_Spec *updates)
{
    gt_Spec taken = {0};
    char a[160], b[160];
    if (gt_taken_shape(whole, indices, axis, &taken) != GT_OK)
        return false;
    gt_spec_resize(&taken);
    if (gt_spec_equal(&taken, updates))
        return true;
    gt_fail(GT_INVALID, "the updates are %s; for these indices they are %s",
            gt_spec_text(updates, a, sizeof a), gt_spec_text(&taken, b, sizeof b));
    return false;
}

/* ---- how they are cut ---- */

/* A strip reads or writes `width` elements for every index and place. It has 16 at least, so that they come from a line of the
 * cache. */
int64_t gt_lower_strips(gt_Strips *cut, gt_Along view, int64_t n)
{
    int64_t rows = n + view.count, width = view.inner;
    if (rows > 0 && width > GT_TILE_ELEMENTS / rows)
        width = GT_TILE_ELEMENTS / rows > 16 ? GT_TILE_ELEMENTS / rows : 16;
    if (width > view.inner)
        width = view.inner;
    int64_t work = width * rows;
    *cut = (gt_Strips){view.outer, view.count, view.inner, n, width, 0, 0, 1};
    cut->strips = width ? (view.inner + width - 1) / width : 0;
    cut->units = view.outer * cut->strips;
    if (work > 0 && work < GT_TILE_ELEMENTS)
        cut->group = GT_TILE_ELEMENTS / work;
    return (cut->units + cut->group - 1) / cut->group;
}

void gt_lower_take(gt_Lowering *lowering, gt_Along view, gt_DType dtype, int x, int indices,
                   gt_DType type, int64_t n, int y)
{
    gt_TakeJob *job = gt_lower_launch(lowering, GT_TILES_take, 0, sizeof *job);
    bool small = view.inner > 0 && view.inner < GT_TILE_ELEMENTS;
    job->x = (uint8_t)x;
    job->indices = (uint8_t)indices;
    job->y = (uint8_t)y;
    job->type = (uint8_t)gt_loop_type(type);
    job->outer = view.outer;
    job->count = view.count;
    job->inner = view.inner * (int64_t)gt_dtype_size(dtype);
    job->n = n;
    job->units = view.inner ? view.outer * n : 0;
    job->group = small ? GT_TILE_ELEMENTS / view.inner : 1;
    lowering->launch[lowering->launches - 1].tiles = (job->units + job->group - 1) / job->group;
}
