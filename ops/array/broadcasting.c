/* More of the same elements: broadcast_to, repeat, tile, meshgrid. Each is one copy that steps by 0 through x where elements come
 * again. Leans on ops/copies.h. */
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/lookup.h"
#include "ops/array/reshaping.h"

#include <string.h>

/* ---- broadcast_to ---- */

#define SHAPE_OPTIONS(F, S)                                                                        \
    F(S, gt_Shape, shape, GT_SCALAR_SHAPE, "the shape of the result; -1: the size that x has")
GT_OPTIONS(ShapeOptions, SHAPE_OPTIONS);
GT_OPTION_TYPE(ShapeOptions, SHAPE_OPTIONS);

static gt_Status broadcast_to_shape(gt_ShapeRule *rule)
{
    const ShapeOptions *options = rule->options;
    const gt_Shape *wanted = &options->shape;
    const gt_Spec *in = rule->input[0];
    gt_Spec *out = &rule->output[0];
    char from[160], to[160];
    bool fits = wanted->rank >= in->rank && wanted->rank <= GT_MAX_RANK;
    int missing = fits ? wanted->rank - in->rank : 0;
    out->dtype = in->dtype;
    out->rank = fits ? wanted->rank : 0;
    for (int d = 0; d < out->rank; d++) {
        int64_t own = d < missing ? 1 : in->dims[d - missing];
        out->dims[d] = wanted->dims[d] == -1 && d >= missing ? own : wanted->dims[d];
        fits = fits && (own == 1 || own == out->dims[d]);
    }
    if (!fits)
        return gt_fail(GT_INVALID, "%s does not broadcast to %s",
                       gt_dims_text(in, from, sizeof from),
                       gt_shape_text(*wanted, to, sizeof to));
    return GT_OK;
}

static void broadcast_to_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_Spec *in = rule->input[0], *out = &rule->output[0];
    int64_t from[GT_MAX_RANK], to[GT_MAX_RANK];
    int missing = out->rank - in->rank;
    gt_strides(in, from);
    gt_strides(out, to);
    gt_CopyJob *job = gt_lower_copy(lowering, in->dtype, 0, 1);
    for (int d = 0; d < out->rank; d++) {
        bool stretched = d < missing || in->dims[d - missing] == 1;
        gt_copy_axis(job, out->dims[d], stretched ? 0 : from[d - missing], to[d]);
    }
    gt_copy_end(lowering, job);
}

static gt_Status broadcast_to_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_unbroadcast(gt_upstream(rule, 0), gt_rule_input_spec(rule, 0)));
}

#define SHAPE(...) .options = &GT_VALUES(ShapeOptions, GT_SAMPLE_SHAPE(__VA_ARGS__))
const gt_Operation gt_op_broadcast_to = {
    GT_RECORD("broadcast_to", "x stretched to a shape", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &ShapeOptions_type,
    .shape = broadcast_to_shape,
    .lower = broadcast_to_lower,
    .gradient = broadcast_to_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(3)), SHAPE(2, 3)},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 1, 2)), SHAPE(2, 2, 3, -1)},
                          {.inputs = 1, .input = GT_INPUTS(GT_REAL_SCALAR(-2, 2)), SHAPE(2, 2)}),
};

gt_Tensor *gt_broadcast_to_at(const char *here, gt_Tensor *x, gt_Shape shape)
{
    ShapeOptions options = GT_VALUES(ShapeOptions, shape);
    return gt_apply_one_at(here, &gt_op_broadcast_to, &options, 1, &x);
}

/* ---- repeat: an axis becomes longer ---- */

#define REPEAT_OPTIONS(F, S)                                                                       \
    F(S, int32_t, axis, 0, "along this axis")                                                      \
    F(S, int64_t, repeats, 1, "so many times")                                                     \
    F(S, bool, whole, false, "the axis as a whole; else each element by itself")
GT_OPTIONS(RepeatOptions, REPEAT_OPTIONS);
GT_OPTION_TYPE(RepeatOptions, REPEAT_OPTIONS);
GT_OPTION_TYPE(gt_repeat_options, gt_repeat_OPTIONS);

static gt_Status repeat_shape(gt_ShapeRule *rule)
{
    const RepeatOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    gt_Spec *out = &rule->output[0];
    int64_t times = options->repeats;
    char text[160];
    int axis = gt_axis(options->axis, in->rank);
    *out = *in;
    if (axis < 0)
        return gt_status();
    if (times < 0)
        return gt_fail(GT_INVALID, "repeats must be >= 0 (got %lld)", (long long)times);
    int64_t length = in->dims[axis];
    out->dims[axis] = times > 0 && length > INT64_MAX / times ? -1 : length * times;
    if (gt_spec_resize(out))
        return GT_OK;
    return gt_fail(GT_INVALID, "%lld times axis %d of %s would be too large", (long long)times,
                   axis, gt_dims_text(in, text, sizeof text));
}

/* x as (before, rest), each row of which is written `times` times. */
static void repeat_view(const RepeatOptions *options, const gt_Spec *in, int64_t *before,
                        int64_t *rest)
{
    int axis = gt_axis(options->axis, in->rank);
    *before = *rest = 1;
    for (int d = 0; d < in->rank; d++)
        *(d < axis + !options->whole ? before : rest) *= in->dims[d];
}

static void repeat_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const RepeatOptions *options = rule->options;
    int64_t before, rest, times = options->repeats;
    if (rule->output[0].size == 0)
        return;
    repeat_view(options, rule->input[0], &before, &rest);
    gt_CopyJob *job = gt_lower_copy(lowering, rule->output[0].dtype, 0, 1);
    gt_copy_axis(job, before, rest, times * rest);
    gt_copy_axis(job, times, 0, rest);
    gt_copy_axis(job, rest, 1, 1);
    gt_copy_end(lowering, job);
}

static gt_Status repeat_gradient(gt_GradientRule *rule)
{
    const RepeatOptions *options = gt_rule_options(rule);
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    int64_t before, rest;
    gt_Spec single;
    repeat_view(options, in, &before, &rest);
    gt_spec_set(&single, in->dtype, gt_shape(before, 1, rest));
    gt_Tensor *up = gt_reshape(gt_upstream(rule, 0), gt_shape(before, options->repeats, rest));
    return gt_give(rule, 0, gt_reshape(gt_unbroadcast(up, &single), gt_spec_shape(in)));
}

/* The mask repeated along the same axis, if it has it. */
static gt_Status repeat_mask(gt_MaskRule *rule)
{
    RepeatOptions options = *(const RepeatOptions *)rule->shape->options;
    gt_Tensor *mask = rule->input[0];
    options.axis = gt_axis(options.axis, rule->shape->input[0]->rank);
    if (options.axis < gt_mask_axes(rule, 0))
        mask = gt_apply_one_at(NULL, &gt_op_repeat, &options, 1, &mask);
    return gt_mask_join(rule, 0, mask);
}

const gt_Operation gt_op_repeat = {
    GT_RECORD("repeat", "x with an axis several times as long", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &RepeatOptions_type,
    .shape = repeat_shape,
    .lower = repeat_lower,
    .gradient = repeat_gradient,
    .mask = repeat_mask,
    .samples = GT_SAMPLES({.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(2, 3)),
                           .options = &GT_VALUES(RepeatOptions, 0, 3, false)},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(2, 3)),
                           .options = &GT_VALUES(RepeatOptions, -1, 2, true)}),
};

static gt_Tensor *repeated(gt_Tensor *x, int64_t repeats, int axis, bool whole)
{
    RepeatOptions options = GT_VALUES(RepeatOptions, axis, repeats, whole);
    return gt_apply_one_at(NULL, &gt_op_repeat, &options, 1, &x);
}

/* Element i of an axis repeats[i] times: the elements at 0, 0, 1, 1, 1, 3, ... */
static gt_Tensor *repeat_each(gt_Tensor *x, gt_Integers repeats, int axis)
{
    int64_t total = 0;
    for (int64_t i = 0; i < repeats.count; i++) {
        if (repeats.items[i] < 0) {
            gt_fail(GT_INVALID, "repeats must be >= 0 (got %lld)", (long long)repeats.items[i]);
            return NULL;
        }
        if (repeats.items[i] > INT64_MAX / (int64_t)sizeof(int64_t) - total) {
            gt_fail(GT_INVALID, "the result would be too large");
            return NULL;
        }
        total += repeats.items[i];
    }
    gt_Context *context = gt_enter();
    int64_t *index = context ? gt_allocate(context, (size_t)total * sizeof *index) : NULL;
    int64_t next = 0;
    if (!index)
        return NULL;
    for (int64_t i = 0; i < repeats.count; i++)
        for (int64_t k = 0; k < repeats.items[i]; k++)
            index[next++] = i;
    gt_Tensor *which = gt_from_data(index, gt_shape(total), GT_INT64);
    gt_release(context, index, (size_t)total * sizeof *index);
    return gt_take_of_length(x, which, axis, repeats.count);
}

static gt_Tensor *repeat(gt_Tensor *x, gt_Integers repeats, const gt_repeat_options *given)
{
    gt_repeat_options options;
    GT_TAKE(gt_repeat_options, &options, given);
    if (options.axis == GT_NONE) {
        x = gt_ravel(x);
        options.axis = 0;
    }
    return repeats.items ? repeat_each(x, repeats, options.axis)
                         : repeated(x, repeats.number, options.axis, false);
}
GT_COMPOSED(repeat,
            (const char *here, gt_Tensor *x, gt_Integers repeats, const gt_repeat_options *options),
            (x, repeats, options))

static gt_Tensor *tile(gt_Tensor *x, gt_Shape repeats)
{
    int rank = gt_rank(x);
    if (gt_status() != GT_OK)
        return NULL;
    if (repeats.rank < 0) {
        gt_fail(GT_INVALID, "more than %d numbers of copies", GT_MAX_RANK);
        return NULL;
    }
    for (; rank < repeats.rank; rank++)
        x = gt_expand_dims(x, 0);
    for (int d = repeats.rank - 1; d >= 0; d--)
        if (repeats.dims[d] != 1)
            x = repeated(x, repeats.dims[d], d - repeats.rank, true);
    return x;
}
GT_COMPOSED(tile, (const char *here, gt_Tensor *x, gt_Shape repeats), (x, repeats))

/* ---- meshgrid: one of the vectors over the grid of them all ---- */

#define GRID_OPTIONS(F, S)                                                                         \
    F(S, int32_t, which, 0, "the vector that is stretched")                                        \
    F(S, bool, matrix, false, "the first vector runs along axis 0, not along axis 1")
GT_OPTIONS(GridOptions, GRID_OPTIONS);
GT_OPTION_TYPE(GridOptions, GRID_OPTIONS);
GT_OPTION_TYPE(gt_meshgrid_options, gt_meshgrid_OPTIONS);

/* The axis along which vector i runs. */
static int grid_axis(const gt_ShapeRule *rule, int i)
{
    const GridOptions *options = rule->options;
    return !options->matrix && rule->inputs > 1 && i < 2 ? 1 - i : i;
}

static gt_Status grid_shape(gt_ShapeRule *rule)
{
    const GridOptions *options = rule->options;
    gt_Spec *out = &rule->output[0];
    if (options->which < 0 || options->which >= rule->inputs)
        return gt_fail(GT_INVALID, "there is no vector %d", options->which);
    out->dtype = rule->input[options->which]->dtype;
    out->rank = rule->inputs;
    for (int i = 0; i < rule->inputs; i++) {
        if (rule->input[i]->rank > 1)
            return gt_fail(GT_INVALID, "vector %d has %d axes", i + 1, rule->input[i]->rank);
        out->dims[grid_axis(rule, i)] = rule->input[i]->size;
    }
    return GT_OK;
}

static void grid_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const GridOptions *options = rule->options;
    const gt_Spec *out = &rule->output[0];
    int64_t to[GT_MAX_RANK];
    int axis = grid_axis(rule, options->which);
    gt_strides(out, to);
    gt_CopyJob *job = gt_lower_copy(lowering, out->dtype, options->which, rule->inputs);
    for (int d = 0; d < out->rank; d++)
        gt_copy_axis(job, out->dims[d], d == axis, to[d]);
    gt_copy_end(lowering, job);
}

static gt_Status grid_gradient(gt_GradientRule *rule)
{
    const GridOptions *options = gt_rule_options(rule);
    int inputs = gt_rule_inputs(rule), which = options->which;
    int axis = !options->matrix && inputs > 1 && which < 2 ? 1 - which : which;
    for (int i = 0; i < inputs; i++) {
        const gt_Spec *in = gt_rule_input_spec(rule, i);
        gt_Spec alone = {.dtype = in->dtype, .rank = inputs};
        if (i == which && gt_wants(rule, i)) {
            for (int d = 0; d < inputs; d++)
                alone.dims[d] = d == axis ? in->size : 1;
            gt_spec_resize(&alone);
            gt_give(rule, i,
                    gt_reshape(gt_unbroadcast(gt_upstream(rule, 0), &alone), gt_spec_shape(in)));
        } else if (gt_wants(rule, i)) {
            gt_give(rule, i, gt_zeros(gt_spec_shape(in), .dtype = in->dtype));
        }
    }
    return gt_status();
}

/* The mask of the vector along its axis; of the others only the sizes are read. */
static gt_Status grid_mask(gt_MaskRule *rule)
{
    const GridOptions *options = rule->shape->options;
    gt_Tensor *mask = rule->input[options->which];
    for (int d = grid_axis(rule->shape, options->which); mask && d > 0; d--)
        mask = gt_expand_dims(mask, 0);
    return rule->input[options->which] ? gt_mask_join(rule, 0, mask) : GT_OK;
}

const gt_Operation gt_op_meshgrid = {
    GT_RECORD("meshgrid", "one of several vectors over the grid of them all", 1, GT_MAX_RANK),
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &GridOptions_type,
    .shape = grid_shape,
    .lower = grid_lower,
    .gradient = grid_gradient,
    .mask = grid_mask,
    .samples = GT_SAMPLES({.inputs = 2,
                           .input = GT_INPUTS(GT_ANY(3), GT_ANY(2)),
                           .options = &GT_VALUES(GridOptions, 0, false)},
                          {.inputs = 3,
                           .input = GT_INPUTS(GT_ANY(2), GT_ANY(3), GT_ANY(2)),
                           .options = &GT_VALUES(GridOptions, 2, true)}),
};

static gt_Status meshgrid(gt_Tensors vectors, gt_Tensor **grids, const gt_meshgrid_options *given)
{
    gt_meshgrid_options options;
    GT_TAKE(gt_meshgrid_options, &options, given);
    gt_Tensor *in[GT_MAX_RANK];
    if (vectors.count < 1 || vectors.count > GT_MAX_RANK || !vectors.items || !grids)
        return gt_fail(GT_INVALID, "expected 1 to %d vectors and where to write the grids",
                       GT_MAX_RANK);
    for (int i = 0; i < vectors.count && gt_status() == GT_OK; i++) {
        GridOptions one = GT_VALUES(GridOptions, i, options.matrix);
        for (int k = 0; k < vectors.count; k++)
            in[k] = k == i ? vectors.items[k] : gt_stop_gradient(vectors.items[k]);
        grids[i] = gt_apply_one_at(NULL, &gt_op_meshgrid, &one, vectors.count, in);
    }
    return gt_status();
}

gt_Status gt_meshgrid_at(const char *here, gt_Tensors vectors, gt_Tensor **grids,
                         const gt_meshgrid_options *options)
{
    gt_Site site = gt_site_enter(here, "meshgrid");
    gt_Status status = meshgrid(vectors, grids, options);
    gt_site_leave(&site);
    for (int i = 0; grids && status != GT_OK && i < vectors.count; i++)
        grids[i] = NULL;
    return status;
}
