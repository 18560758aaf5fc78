/* Cutting along one axis: split, array_split, unstack and their relatives. Each part is a record of its own that knows which
 * part of how many it is, so that where it begins follows from the length of the axis. Leans on block.c. */
#include "ops/array/block.h"
#include "ops/array/indexing.h"

#include <string.h>

typedef enum gt_PartKind {
    PART_EQUAL,  /* part `index` of `count` equal ones */
    PART_UNEVEN, /* the same, where the first ones may be one longer */
    PART_SINGLE, /* element `index` of an axis of length `count` */
    PART_GIVEN   /* [begin, begin + extent) of an axis of length `count` */
} gt_PartKind;
#define PART_OPTIONS(F, S)                                                                         \
    F(S, gt_PartKind, kind, PART_EQUAL, "how the axis is cut")                                     \
    F(S, int32_t, axis, 0, "along this axis")                                                      \
    F(S, int64_t, count, 1, "into how many parts; or the length of the axis")                      \
    F(S, int64_t, index, 0, "which part")                                                          \
    F(S, int64_t, begin, 0, "where a given part starts")                                           \
    F(S, int64_t, extent, 0, "how long a given part is")
GT_OPTIONS(PartOptions, PART_OPTIONS);
GT_OPTION_TYPE(PartOptions, PART_OPTIONS);

/* Where the part begins, and how long it is; false where the axis cannot be cut like that. */
static bool part_range(const PartOptions *options, int64_t length, int64_t *begin, int64_t *extent)
{
    int64_t count = options->count, i = options->index;
    int64_t each = count > 0 ? length / count : 0, longer = count > 0 ? length % count : 0;
    *begin = options->begin;
    *extent = options->extent;
    if (options->kind != PART_GIVEN && (i < 0 || i >= count))
        return false;
    switch (options->kind) {
    case PART_EQUAL:
        *begin = i * each;
        *extent = each;
        return longer == 0;
    case PART_UNEVEN:
        *begin = i * each + (i < longer ? i : longer);
        *extent = each + (i < longer);
        return true;
    case PART_SINGLE:
        *begin = i;
        *extent = 1;
        return count == length;
    default:
        return count == length && *begin >= 0 && *extent >= 0 && *begin <= length - *extent;
    }
}

static gt_Status part_fails(const PartOptions *options, int axis, int64_t length)
{
    if (options->kind == PART_GIVEN)
        return gt_fail(GT_INVALID, "the sizes do not sum up to axis %d of length %lld", axis,
                       (long long)length);
    return gt_fail(GT_INVALID, "axis %d of length %lld cannot be cut into %lld %sparts", axis,
                   (long long)length, (long long)options->count,
                   options->kind == PART_EQUAL ? "equal " : "");
}

static gt_Status part_shape(gt_ShapeRule *rule)
{
    const PartOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    int axis = gt_axis(options->axis, in->rank);
    int64_t begin, extent;
    rule->output[0] = *in;
    if (axis < 0)
        return gt_status();
    if (!part_range(options, in->dims[axis], &begin, &extent))
        return part_fails(options, axis, in->dims[axis]);
    rule->output[0].dims[axis] = extent;
    return GT_OK;
}

static gt_Block part_block(const PartOptions *options, const gt_Spec *in)
{
    gt_Block block = gt_block_whole(in);
    int axis = gt_axis(options->axis, in->rank);
    part_range(options, in->dims[axis], &block.start[axis], &block.extent[axis]);
    return block;
}

static int64_t part_offset(const gt_ShapeRule *rule)
{
    gt_Block block = part_block(rule->options, rule->input[0]);
    return gt_block_offset(rule->input[0], &block);
}

static void part_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    gt_Block block = part_block(rule->options, rule->input[0]);
    gt_block_lower(rule, lowering, &block);
}

static gt_Status part_gradient(gt_GradientRule *rule)
{
    gt_Block block = part_block(gt_rule_options(rule), gt_rule_input_spec(rule, 0));
    return gt_block_give(rule, &block, gt_upstream(rule, 0));
}

/* The same part of the mask, if it has the axis. */
static gt_Status part_mask(gt_MaskRule *rule)
{
    PartOptions options = *(const PartOptions *)rule->shape->options;
    gt_Tensor *mask = rule->input[0];
    options.axis = gt_axis(options.axis, rule->shape->input[0]->rank);
    if (options.axis < gt_mask_axes(rule, 0))
        mask = gt_apply_one_at(NULL, &gt_op_part, &options, 1, &mask);
    return gt_mask_join(rule, 0, mask);
}

const gt_Operation gt_op_part = {
    GT_RECORD("part", "one of the parts into which an axis of x is cut", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_HALF | GT_OP_VIEW | GT_OP_CARRIES | GT_OP_INTERNAL | GT_OP_STEP,
    .options = &PartOptions_type,
    .shape = part_shape,
    .view_offset = part_offset,
    .lower = part_lower,
    .gradient = part_gradient,
    .mask = part_mask,
    .samples = GT_SAMPLES({.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(2, 6)),
                           .options = &GT_VALUES(PartOptions, PART_EQUAL, 1, 3, 1, 0, 0)},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(5, 2)),
                           .options = &GT_VALUES(PartOptions, PART_UNEVEN, 0, 3, 1, 0, 0)},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(2, 3, 2)),
                           .options = &GT_VALUES(PartOptions, PART_SINGLE, -2, 3, 2, 0, 0)},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(3, 4)),
                           .options = &GT_VALUES(PartOptions, PART_GIVEN, -1, 4, 0, 1, 2)}),
};

/* Cuts x into `count` parts as `all` says, which has the kind and the axis; `sizes` are those of given parts. */
static gt_Status cut(gt_Tensor *x, int count, gt_Tensor **parts, PartOptions all,
                     const int64_t *sizes)
{
    gt_Spec spec = gt_spec(x);
    int axis = gt_status() == GT_OK ? gt_axis(all.axis, spec.rank) : -1;
    if (axis < 0)
        return gt_status();
    all.count = count;
    if (!parts || count < (all.kind != PART_SINGLE) || (count == 0 && spec.dims[axis] != 0))
        return part_fails(&all, axis, spec.dims[axis]);
    if (sizes) {
        all.count = 0;
        for (int i = 0; i < count; i++) {
            if (sizes[i] < 0 || sizes[i] > INT64_MAX - all.count)
                return part_fails(&all, axis, spec.dims[axis]);
            all.count += sizes[i];
        }
    }
    for (int i = 0; i < count; i++) {
        all.index = i;
        all.extent = sizes ? sizes[i] : 0;
        parts[i] = gt_apply_one_at(NULL, &gt_op_part, &all, 1, &x);
        if (all.kind == PART_SINGLE)
            parts[i] = gt_squeeze(parts[i], .axis = axis);
        all.begin += all.extent;
    }
    return gt_status();
}

/* The same for a function of that name: NULLs on failure. */
static gt_Status cut_at(const char *here, const char *name, gt_Tensor *x, int count,
                        gt_Tensor **parts, gt_PartKind kind, int axis, const int64_t *sizes)
{
    for (int i = 0; parts && i < count; i++)
        parts[i] = NULL;
    gt_Site site = gt_site_enter(here, name);
    gt_Status status = cut(x, count, parts, GT_VALUES(PartOptions, kind, axis, 0, 0, 0, 0), sizes);
    gt_site_leave(&site);
    for (int i = 0; parts && status != GT_OK && i < count; i++)
        parts[i] = NULL;
    return status;
}

GT_OPTION_TYPE(gt_split_options, gt_split_OPTIONS);
GT_OPTION_TYPE(gt_array_split_options, gt_array_split_OPTIONS);

gt_Status gt_split_at(const char *here, gt_Tensor *x, int count, gt_Tensor **parts,
                      const gt_split_options *given)
{
    gt_split_options options;
    GT_TAKE(gt_split_options, &options, given);
    return cut_at(here, "split", x, count, parts, options.sizes ? PART_GIVEN : PART_EQUAL,
                  options.axis, options.sizes);
}

gt_Status gt_array_split_at(const char *here, gt_Tensor *x, int count, gt_Tensor **parts,
                            const gt_array_split_options *given)
{
    gt_array_split_options options;
    GT_TAKE(gt_array_split_options, &options, given);
    return cut_at(here, "array_split", x, count, parts, PART_UNEVEN, options.axis, NULL);
}

gt_Status gt_unstack_at(const char *here, gt_Tensor *x, int count, gt_Tensor **parts,
                        const gt_array_split_options *given)
{
    gt_array_split_options options;
    GT_TAKE(gt_array_split_options, &options, given);
    return cut_at(here, "unstack", x, count, parts, PART_SINGLE, options.axis, NULL);
}

gt_Status gt_hsplit_at(const char *here, gt_Tensor *x, int count, gt_Tensor **parts)
{
    return cut_at(here, "split", x, count, parts, PART_EQUAL, gt_rank(x) > 1, NULL);
}

gt_Status gt_vsplit_at(const char *here, gt_Tensor *x, int count, gt_Tensor **parts)
{
    return cut_at(here, "split", x, count, parts, PART_EQUAL, 0, NULL);
}
