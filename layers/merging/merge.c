/* What layers of several inputs share. */
#include "layers/merging/merge.h"
#include "ops/array/creation.h"
#include "ops/array/reshaping.h"
#include "ops/math/compare.h"
#include "ops/math/reduce.h"

static gt_Status refuse(const char *what, const gt_Spec *one, const gt_Spec *other)
{
    char a[160], b[160];
    return gt_fail(GT_INVALID, "%s (got shapes %s and %s)", what,
                   gt_dims_text(one, a, sizeof a),
                   gt_dims_text(other, b, sizeof b));
}

/* Do the batches agree, and the other axes broadcast? A size that is not known fits all. */
static gt_Status check_pair(const gt_Spec *one, const gt_Spec *other)
{
    if (one->rank == 0 || other->rank == 0)
        return refuse("inputs must have a batch axis", one, other);
    if (one->dims[0] != other->dims[0] && one->dims[0] >= 0 && other->dims[0] >= 0)
        return refuse("inputs must have the same batch size", one, other);
    for (int a = one->rank - 1, b = other->rank - 1; a > 0 && b > 0; a--, b--) {
        int64_t n = one->dims[a], m = other->dims[b];
        if (n != m && n > 1 && m > 1)
            return refuse("inputs must have shapes that broadcast", one, other);
        if ((n == 0 && m > 1) || (m == 0 && n > 1))
            return refuse("inputs must have shapes that broadcast", one, other);
    }
    return GT_OK;
}

static gt_Status check_inputs(const gt_CallArgs *in)
{
    if (in->count < 2)
        return gt_fail(GT_INVALID,
                       "it merges two inputs or more (got 1): gt_call(layer, a, .more = "
                       "gt_tensors(b))");
    for (int32_t i = 0; i < in->count; i++)
        for (int32_t k = 0; k < i; k++) {
            gt_Spec one = gt_spec(in->inputs[k]), other = gt_spec(in->inputs[i]);
            if (gt_status() != GT_OK || check_pair(&one, &other) != GT_OK)
                return gt_status();
        }
    return gt_status();
}

/* With axes of size 1 behind the first, up to `rank`. */
static gt_Tensor *stretched(gt_Tensor *x, int rank)
{
    for (int missing = x ? rank - gt_rank(x) : 0; missing > 0; missing--)
        x = gt_expand_dims(x, 1);
    return x;
}

/* The mask of an input with as many axes as the input, then as many as all have. */
static gt_Tensor *stretched_mask(gt_Tensor *mask, int rank, int most)
{
    for (int missing = mask ? rank - gt_rank(mask) : 0; missing > 0; missing--)
        mask = gt_expand_dims(mask, -1);
    return stretched(mask, most);
}

gt_Status gt_merge(const gt_CallArgs *in, gt_Merged *merged)
{
    int most = 0;
    merged->count = in->count;
    if (check_inputs(in) != GT_OK)
        return gt_status();
    for (int32_t i = 0; i < in->count; i++)
        most = gt_rank(in->inputs[i]) > most ? gt_rank(in->inputs[i]) : most;
    for (int32_t i = 0; i < in->count; i++) {
        merged->x[i] = stretched(in->inputs[i], most);
        merged->mask[i] = stretched_mask(in->masks[i], gt_rank(in->inputs[i]), most);
    }
    return gt_status();
}

gt_Tensor *gt_merge_by(const gt_CallArgs *in, gt_Tensor *(*combine)(gt_Tensor *a, gt_Tensor *b))
{
    gt_Merged merged;
    if (gt_merge(in, &merged) != GT_OK)
        return NULL;
    gt_Tensor *y = merged.x[0];
    for (int32_t i = 1; i < merged.count; i++)
        y = combine(y, merged.x[i]);
    return y;
}

/* The OR of masks over axes that are not the same: each in the shape of its input, with the axes that it got; then
 * without the axes behind those that some mask covers. */
static gt_Tensor *stretched_or(const gt_CallArgs *in)
{
    gt_Merged merged;
    gt_Tensor *mask = NULL;
    int covered = 1;
    if (gt_merge(in, &merged) != GT_OK)
        return NULL;
    for (int32_t i = 0; i < in->count; i++) {
        int axes = gt_rank(in->masks[i]), more = gt_rank(merged.x[i]) - gt_rank(in->inputs[i]);
        covered = axes > 1 && axes + more > covered ? axes + more : covered;
        gt_Tensor *whole =
            gt_logical_or(merged.mask[i], gt_zeros_like(merged.x[i], .dtype = GT_BOOL));
        mask = mask ? gt_logical_or(mask, whole) : whole;
    }
    for (int axis = gt_rank(merged.x[0]); axis > covered; axis--)
        mask = gt_any(mask, .axis = -1);
    return mask;
}

gt_Tensor *gt_merge_mask(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_Tensor *mask = in->masks[0];
    bool alike = true;
    (void)layer;
    for (int32_t i = 0; i < in->count; i++) {
        if (!in->masks[i])
            return NULL;
        alike = alike && gt_rank(in->masks[i]) == gt_rank(mask) &&
                gt_rank(in->inputs[i]) == gt_rank(in->inputs[0]);
    }
    if (!alike)
        return stretched_or(in);
    for (int32_t i = 1; i < in->count; i++)
        mask = gt_logical_or(mask, in->masks[i]);
    return mask;
}
