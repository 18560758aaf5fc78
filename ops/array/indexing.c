/* Parts and lookups: records, kernels and gradient rules of ops/array/indexing.h. */
#include "ops/array/indexing.h"
#include "core/launch.h"
#include "ops/math/arithmetic.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/kit.h"
#include "ops/math/reduce.h"
#include "ops/array/reshaping.h"
#include "ops/array/segments.h"

#include <stdlib.h>
#include <string.h>

#define REAL(...) GT_REAL(-2, 2, __VA_ARGS__)

/* ---- concatenate and stack ---- */

GT_OPTION_TYPE(gt_concatenate_options, gt_concatenate_OPTIONS);

static gt_Status concatenate_shape(gt_ShapeRule *rule)
{
    const gt_concatenate_options *options = rule->options;
    const gt_Spec *first = rule->input[0];
    gt_Spec *out = &rule->output[0];
    char a[200], b[200];
    *out = *first;
    int axis = gt_axis(options->axis, first->rank);
    if (axis < 0)
        return gt_status();
    for (int i = 1; i < rule->inputs; i++) {
        const gt_Spec *next = rule->input[i];
        bool fits = next->dtype == first->dtype && next->rank == first->rank;
        for (int d = 0; fits && d < next->rank; d++)
            fits = d == axis || next->dims[d] == first->dims[d];
        if (!fits)
            return gt_fail(GT_INVALID, "%s does not continue %s along axis %d",
                           gt_spec_text(next, a, sizeof a), gt_spec_text(first, b, sizeof b), axis);
        if (next->dims[axis] > INT64_MAX - out->dims[axis])
            return gt_fail(GT_INVALID, "the result would be too large");
        out->dims[axis] += next->dims[axis];
    }
    return GT_OK;
}

static gt_Status concatenate_run(const gt_Kernel *kernel)
{
    const gt_concatenate_options *options = kernel->options;
    const gt_Spec *out = kernel->output_spec[0];
    int axis = gt_axis(options->axis, out->rank);
    int64_t outer = 1, inner = 1;
    for (int d = 0; d < out->rank; d++)
        *(d < axis ? &outer : &inner) *= d == axis ? 1 : out->dims[d];
    char *to = kernel->output[0];
    for (int i = 0; i < kernel->inputs; i++) {
        int64_t block = kernel->input_spec[i]->dims[axis] * inner;
        gt_Broadcast plan;
        gt_strided_begin(&plan);
        gt_strided_axis(&plan, outer, block, out->dims[axis] * inner);
        gt_strided_axis(&plan, block, 1, 1);
        if (gt_strided_copy(kernel, &plan, out->dtype, kernel->input[i], to) != GT_OK)
            return gt_status();
        to += (size_t)block * gt_dtype_size(out->dtype);
    }
    return GT_OK;
}

static gt_Status concatenate_gradient(gt_GradientRule *rule)
{
    const gt_concatenate_options *options = gt_rule_options(rule);
    int rank = gt_rule_input_spec(rule, 0)->rank, axis = gt_axis(options->axis, rank);
    gt_Shape begin = {GT_MARK, rank, {0}};
    for (int i = 0; i < gt_rule_inputs(rule); i++) {
        gt_Shape size = gt_spec_shape(gt_rule_input_spec(rule, i));
        if (gt_wants(rule, i))
            gt_give(rule, i, gt_slice(gt_upstream(rule, 0), begin, size));
        begin.dims[axis] += size.dims[axis];
    }
    return gt_status();
}

#define AXIS(Type, number)                                                                         \
    .options = &(const Type)                                                                       \
    {                                                                                              \
        .size = GT_SIZE(Type), .axis = number                                                      \
    }
const gt_Operation gt_op_concatenate = {
    .size = sizeof(gt_Operation),
    .name = "concatenate",
    .formula = "one behind the other along an axis",
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &gt_concatenate_options_type,
    .inputs_min = 1,
    .inputs_max = GT_MAX_INPUTS,
    .outputs = 1,
    .shape = concatenate_shape,
    .run = concatenate_run,
    .gradient = concatenate_gradient,
    .samples = (const gt_Sample[]){{.inputs = 2, .input = GT_INPUTS(REAL(2, 3), REAL(1, 3))},
                                   {.inputs = 3,
                                    .input = GT_INPUTS(REAL(2, 1, 2), REAL(2, 3, 2), REAL(2, 2, 2)),
                                    AXIS(gt_concatenate_options, -2)},
                                   GT_SAMPLES_END},
};

/* More tensors than a record can hold are joined in groups, and the groups then. */
static gt_Tensor *join(gt_Tensor *const *items, int64_t count, int axis, bool stack)
{
    gt_Tensor *part[GT_MAX_INPUTS];
    int64_t group = 1, parts = 0;
    while (group * GT_MAX_INPUTS < count)
        group *= GT_MAX_INPUTS;
    for (int64_t i = 0; i < count; i += group, parts++) {
        if (group > 1)
            part[parts] = join(items + i, count - i < group ? count - i : group, axis, stack);
        else
            part[parts] = stack ? gt_expand_dims(items[i], axis) : items[i];
    }
    gt_concatenate_options options = GT_VALUES(gt_concatenate_options, axis);
    return gt_apply_one_at(NULL, &gt_op_concatenate, &options, (int)parts, part);
}

static gt_Tensor *joined(gt_Tensors tensors, const gt_concatenate_options *given, bool stack)
{
    gt_concatenate_options options = GT_TAKE(gt_concatenate_options, given);
    if (tensors.count < 1 || !tensors.items) {
        gt_fail(GT_INVALID, "there are no tensors to join");
        return NULL;
    }
    return join(tensors.items, tensors.count, options.axis, stack);
}

static gt_Tensor *concatenate(gt_Tensors tensors, const gt_concatenate_options *options)
{
    return joined(tensors, options, false);
}
GT_COMPOSED(concatenate,
            (const char *here, gt_Tensors tensors, const gt_concatenate_options *options),
            (tensors, options))

static gt_Tensor *stack(gt_Tensors tensors, const gt_concatenate_options *options)
{
    return joined(tensors, options, true);
}
GT_COMPOSED(stack, (const char *here, gt_Tensors tensors, const gt_concatenate_options *options),
            (tensors, options))

/* ---- slice: as a copy, and as a view where the block is contiguous ---- */

#define NO_SHAPE                                                                                   \
    {                                                                                              \
        GT_MARK, 0,                                                                                \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define SLICE_OPTIONS(F, S)                                                                        \
    F(S, gt_Shape, begin, NO_SHAPE, "where the block starts")                                      \
    F(S, gt_Shape, extent, NO_SHAPE, "how large it is")
GT_OPTIONS(SliceOptions, SLICE_OPTIONS);
GT_OPTION_TYPE(SliceOptions, SLICE_OPTIONS);

static bool block_fits(const gt_Spec *in, const gt_Shape *begin, const gt_Shape *extent)
{
    bool fits = begin->rank == in->rank && extent->rank == in->rank;
    for (int d = 0; fits && d < in->rank; d++)
        fits = begin->dims[d] >= 0 && begin->dims[d] <= in->dims[d] && extent->dims[d] >= 0 &&
               extent->dims[d] <= in->dims[d] - begin->dims[d];
    return fits;
}

static gt_Status slice_shape(gt_ShapeRule *rule)
{
    const SliceOptions *options = rule->options;
    const gt_Shape *begin = &options->begin, *extent = &options->extent;
    const gt_Spec *in = rule->input[0];
    char a[160], b[160], x[160];
    if (!block_fits(in, begin, extent))
        return gt_fail(GT_INVALID, "%s has no block of size %s at %s",
                       gt_shape_text(gt_spec_shape(in), x, sizeof x),
                       gt_shape_text(*extent, b, sizeof b), gt_shape_text(*begin, a, sizeof a));
    rule->output[0].dtype = in->dtype;
    rule->output[0].rank = in->rank;
    memcpy(rule->output[0].dims, extent->dims, sizeof extent->dims);
    return GT_OK;
}

static int64_t slice_start(const gt_Spec *in, const SliceOptions *options)
{
    int64_t stride[GT_MAX_RANK], start = 0;
    gt_strides(in, stride);
    for (int d = 0; d < in->rank; d++)
        start += options->begin.dims[d] * stride[d];
    return start;
}

static int64_t slice_offset(const gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    return rule->output[0].size ? slice_start(in, rule->options) : 0;
}

static gt_Status slice_run(const gt_Kernel *kernel)
{
    const gt_Spec *in = kernel->input_spec[0], *out = kernel->output_spec[0];
    int64_t from[GT_MAX_RANK], to[GT_MAX_RANK];
    gt_Broadcast plan;
    if (out->size == 0)
        return GT_OK;
    gt_strides(in, from);
    gt_strides(out, to);
    gt_strided_begin(&plan);
    for (int d = 0; d < out->rank; d++)
        gt_strided_axis(&plan, out->dims[d], from[d], to[d]);
    return gt_strided_copy(kernel, &plan, in->dtype,
                           (const char *)kernel->input[0] +
                               (size_t)slice_start(in, kernel->options) * gt_dtype_size(in->dtype),
                           kernel->output[0]);
}

static gt_Status slice_gradient(gt_GradientRule *rule)
{
    const SliceOptions *options = gt_rule_options(rule);
    gt_Shape after = gt_spec_shape(gt_rule_input_spec(rule, 0));
    for (int d = 0; d < after.rank; d++)
        after.dims[d] -= options->begin.dims[d] + options->extent.dims[d];
    return gt_give(rule, 0, gt_pad(gt_upstream(rule, 0), options->begin, after));
}

#define SLICE_RECORD(op, more, start, samples_, ...)                                               \
    const gt_Operation gt_op_##op = {                                                              \
        .size = sizeof(gt_Operation),                                                              \
        .name = #op,                                                                               \
        .formula = "a block of x",                                                                 \
        .flags = GT_OP_LINEAR | GT_OP_HALF | (more),                                               \
        .options = &SliceOptions_type,                                                             \
        .inputs_min = 1,                                                                           \
        .inputs_max = 1,                                                                           \
        .outputs = 1,                                                                              \
        .shape = slice_shape,                                                                      \
        .run = slice_run,                                                                          \
        .gradient = slice_gradient,                                                                \
        .view_offset = start,                                                                      \
        .samples = (const gt_Sample[]){{.inputs = 1,                                               \
                                        .input = GT_INPUTS(samples_),                              \
                                        .options = &GT_VALUES(SliceOptions, __VA_ARGS__)},         \
                                       GT_SAMPLES_END},                                            \
    };
SLICE_RECORD(slice, 0, NULL, REAL(3, 4), {GT_MARK, 2, {1, 1}}, {GT_MARK, 2, {2, 2}})
SLICE_RECORD(slice_view, GT_OP_VIEW | GT_OP_CARRIES | GT_OP_INTERNAL, slice_offset, REAL(4, 2),
             {GT_MARK, 2, {1, 0}}, {GT_MARK, 2, {2, 2}})

/* A block lies together if it is one thick, then anything, then as wide as x. */
static bool contiguous(const gt_Spec *in, const gt_Shape *extent)
{
    int d = 0;
    while (d < in->rank && extent->dims[d] == 1)
        d++;
    for (d++; d < in->rank; d++)
        if (extent->dims[d] != in->dims[d])
            return false;
    return true;
}

gt_Tensor *gt_slice_at(const char *here, gt_Tensor *x, gt_Shape begin, gt_Shape size)
{
    gt_Context *context = gt_enter();
    gt_Slot *slot = context ? gt_slot_check(context, here, "slice", "input 1", x) : NULL;
    if (!slot)
        return NULL;
    const gt_Spec *in = &slot->value->spec;
    SliceOptions options = GT_VALUES(SliceOptions, begin, size);
    for (int d = 0; begin.rank == in->rank && d < in->rank && d < size.rank; d++)
        if (size.dims[d] == -1 && begin.dims[d] >= 0 && begin.dims[d] <= in->dims[d])
            options.extent.dims[d] = in->dims[d] - begin.dims[d];
    bool view = block_fits(in, &begin, &options.extent) && contiguous(in, &options.extent);
    return gt_apply_one_at(here, view ? &gt_op_slice_view : &gt_op_slice, &options, 1, &x);
}

GT_OPTION_TYPE(gt_split_options, gt_split_OPTIONS);

static gt_Status split(gt_Tensor *x, int count, gt_Tensor **parts, const gt_split_options *given)
{
    gt_split_options options = GT_TAKE(gt_split_options, given);
    gt_Spec spec = gt_spec(x);
    int axis;
    if (gt_status() != GT_OK || (axis = gt_axis(options.axis, spec.rank)) < 0)
        return gt_status();
    int64_t length = spec.dims[axis], rest = length;
    gt_Shape begin = {GT_MARK, spec.rank, {0}}, size = gt_spec_shape(&spec);
    if (count < 1 || !parts || (!options.sizes && length % count != 0))
        return gt_fail(GT_INVALID, "axis %d of length %lld cannot be cut into %d equal parts", axis,
                       (long long)length, count);
    for (int i = 0; options.sizes && i < count; i++) {
        bool fits = options.sizes[i] >= 0 && options.sizes[i] <= rest;
        rest -= fits ? options.sizes[i] : 0;
        if (!fits || (i == count - 1 && rest != 0))
            return gt_fail(GT_INVALID, "the sizes do not sum up to axis %d of length %lld", axis,
                           (long long)length);
    }
    for (int i = 0; i < count; i++) {
        size.dims[axis] = options.sizes ? options.sizes[i] : length / count;
        parts[i] = gt_slice(x, begin, size);
        begin.dims[axis] += size.dims[axis];
    }
    return gt_status();
}

gt_Status gt_split_at(const char *here, gt_Tensor *x, int count, gt_Tensor **parts,
                      const gt_split_options *options)
{
    for (int i = 0; parts && i < count; i++)
        parts[i] = NULL;
    gt_Site site = gt_site_enter(here, "split");
    gt_Status status = split(x, count, parts, options);
    gt_site_leave(site);
    for (int i = 0; parts && status != GT_OK && i < count; i++)
        parts[i] = NULL;
    return status;
}

/* ---- indices ---- */

/* A tensor seen along one axis: outer x count x inner. */
typedef struct Along {
    int64_t outer, count, inner;
} Along;

static Along along(const gt_Spec *spec, int axis)
{
    Along view = {1, spec->dims[axis], 1};
    for (int d = 0; d < axis; d++)
        view.outer *= spec->dims[d];
    for (int d = axis + 1; d < spec->rank; d++)
        view.inner *= spec->dims[d];
    return view;
}

static int64_t index_of(const gt_Kernel *kernel, int input, int64_t i, int64_t count)
{
    int64_t index = gt_whole(kernel, input, i);
    return index < 0 ? index + count : index;
}

/* All indices are looked at before anything is read or written with them; those from `least` to
 * count - 1 are legal. */
static gt_Status check_indices(const gt_Kernel *kernel, int input, int axis, int64_t least,
                               int64_t count)
{
    const gt_Spec *spec = kernel->input_spec[input];
    for (int64_t i = 0; i < spec->size; i++) {
        int64_t index = gt_whole(kernel, input, i);
        if (index >= least && index < count)
            continue;
        gt_Shape at = {GT_MARK, spec->rank, {0}};
        char text[160];
        for (int d = spec->rank - 1; d >= 0; d--) {
            at.dims[d] = i % spec->dims[d];
            i /= spec->dims[d];
        }
        gt_shape_text(at, text, sizeof text);
        if (least == 0 && index < 0)
            return gt_fail(GT_INVALID, "indices must not be negative (got %lld, at %s)",
                           (long long)index, text);
        return gt_fail(GT_INVALID,
                       "index %lld, at %s of the indices, is outside axis %d of length %lld",
                       (long long)index, text, axis, (long long)count);
    }
    return GT_OK;
}

static bool takes_indices(const gt_Spec *spec)
{
    if (!gt_dtype_is_integer(spec->dtype))
        gt_fail(GT_INVALID, "indices are int32, int64 or uint8, not %s",
                gt_dtype_name(spec->dtype));
    return gt_dtype_is_integer(spec->dtype);
}

static void copy_elements(size_t element, int64_t n, const void *from, void *to)
{
    if (n == 1 && element == 4)
        memcpy(to, from, 4);
    else if (n == 1 && element == 2)
        memcpy(to, from, 2);
    else if (n == 1 && element == 8)
        memcpy(to, from, 8);
    else
        memcpy(to, from, (size_t)n * element);
}

/* y[i] += x[i], y and x of any numeric type; integers wrap. */
#define GT_ADD(type, wide)                                                                         \
    for (int64_t i = 0; i < n; i++)                                                                \
    ((type *)y)[i] = (type)((wide)((type *)y)[i] + (wide)((const type *)x)[i])
static void add_elements(gt_DType dtype, int64_t n, const void *x, void *y)
{
    switch (dtype) {
    case GT_FLOAT32:
        GT_ADD(float, float);
        break;
    case GT_FLOAT64:
        GT_ADD(double, double);
        break;
    case GT_INT32:
        GT_ADD(int32_t, uint32_t);
        break;
    case GT_INT64:
        GT_ADD(int64_t, uint64_t);
        break;
    default:
        GT_ADD(uint8_t, uint32_t);
        break;
    }
}

/* How lookups are cut: one unit is one strip of `inner` of one outer position (`each` is 1: of one
 * index, too, where units do not meet in what they write). */
typedef struct Lookup {
    Along view;      /* of the tensor that is indexed */
    int64_t indices; /* how many an outer position has */
    int64_t width, strips, units, group;
} Lookup;

static void lookup_cut(Lookup *lookup, bool each)
{
    int64_t rows = each ? 1 : lookup->indices + lookup->view.count;
    lookup->width = lookup->view.inner;
    if (!each && lookup->width * rows > GT_CHUNK)
        lookup->width = GT_CHUNK / rows > 16 ? GT_CHUNK / rows : 16;
    if (lookup->width > lookup->view.inner)
        lookup->width = lookup->view.inner;
    lookup->strips = lookup->width ? (lookup->view.inner + lookup->width - 1) / lookup->width : 0;
    lookup->units = lookup->view.outer * lookup->strips * (each ? lookup->indices : 1);
    int64_t work = lookup->width * rows;
    lookup->group = work > 0 && work < GT_CHUNK ? GT_CHUNK / work : 1;
}

static gt_Status lookup_run(const gt_Kernel *kernel, Lookup *lookup, gt_TileBody *body)
{
    return gt_for_tiles(kernel, (lookup->units + lookup->group - 1) / lookup->group, body, lookup);
}

/* Columns [column, column + width) of outer position `outer`. */
static int64_t lookup_width(const Lookup *lookup, int64_t column)
{
    return lookup->view.inner - column < lookup->width ? lookup->view.inner - column
                                                       : lookup->width;
}

/* ---- where many floats are added up ----
 *
 * A place that gets more than MANY floats adds them up in double, in a place of a worker's scratch.
 * There are at most as many of those as indices / MANY, and which they are is known before the work
 * is cut: all of them, where there are no more places than that. */
enum { MANY = 16 };

typedef struct Scatter {
    Lookup lookup;
    const int32_t *crowd; /* of each place: which of the crowded ones it is, or -1; NULL: itself */
    int64_t crowded;      /* how many are */
    size_t offset;        /* of the sums in a worker's scratch, which begins with those tables */
} Scatter;

static size_t scatter_tables(int64_t count)
{
    return ((size_t)count * (1 + sizeof(int32_t)) + GT_ALIGNMENT) / GT_ALIGNMENT * GT_ALIGNMENT;
}

/* May a place get many floats? */
static bool is_crowd(const Lookup *lookup, gt_DType dtype)
{
    return dtype == GT_FLOAT32 && lookup->indices > MANY;
}

static size_t scatter_scratch(const Lookup *lookup, gt_DType dtype)
{
    if (!is_crowd(lookup, dtype))
        return 0;
    return scatter_tables(lookup->view.count) +
           (size_t)(lookup->indices / MANY * lookup->width) * sizeof(double);
}

/* Finds the crowded places. All indices were looked at before. */
static void find_crowds(const gt_Kernel *kernel, Scatter *scatter)
{
    int64_t count = scatter->lookup.view.count;
    scatter->crowd = NULL;
    scatter->crowded = 0;
    scatter->offset = scatter_tables(count);
    if (!is_crowd(&scatter->lookup, kernel->output_spec[0]->dtype))
        return;
    if (count <= scatter->lookup.indices / MANY) {
        scatter->crowded = count;
        return;
    }
    int32_t *crowd = kernel->context->scratch[0];
    uint8_t *seen = (uint8_t *)(crowd + count);
    memset(seen, 0, (size_t)count);
    bool some = false;
    for (int64_t i = 0; i < scatter->lookup.indices; i++) {
        uint8_t *at = &seen[index_of(kernel, 0, i, count)];
        *at = (uint8_t)(*at + (*at <= MANY));
        some |= *at > MANY;
    }
    for (int64_t i = 0; i < count && some; i++)
        crowd[i] = seen[i] > MANY ? (int32_t)scatter->crowded++ : -1;
    scatter->crowd = crowd;
}

static int64_t crowd_of(const Scatter *scatter, int64_t place)
{
    return scatter->crowd ? scatter->crowd[place] : place;
}

static void add_in_double(int64_t n, const float *x, double *sum)
{
    for (int64_t i = 0; i < n; i++)
        sum[i] += (double)x[i];
}

/* ---- take and scatter_add ---- */

GT_OPTION_TYPE(gt_take_options, gt_take_OPTIONS);

static gt_Status taken_shape(const gt_Spec *x, const gt_Spec *indices, int axis, gt_Spec *out)
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

static gt_Status take_shape(gt_ShapeRule *rule)
{
    const gt_take_options *options = rule->options;
    int axis = gt_axis(options->axis, rule->input[0]->rank);
    if (axis < 0 || !takes_indices(rule->input[1]))
        return gt_status();
    return taken_shape(rule->input[0], rule->input[1], axis, &rule->output[0]);
}

static void take_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                       void *scratch)
{
    (void)scratch;
    const Lookup *lookup = argument;
    const Along *view = &lookup->view;
    size_t element = gt_dtype_size(kernel->output_spec[0]->dtype);
    int64_t end = last * lookup->group < lookup->units ? last * lookup->group : lookup->units;
    for (int64_t unit = first * lookup->group; unit < end; unit++) {
        int64_t outer = unit / lookup->indices;
        int64_t index = index_of(kernel, 1, unit % lookup->indices, view->count);
        copy_elements(element, view->inner,
                      (const char *)kernel->input[0] +
                          (size_t)((outer * view->count + index) * view->inner) * element,
                      (char *)kernel->output[0] + (size_t)(unit * view->inner) * element);
    }
}

static gt_Status take_run(const gt_Kernel *kernel)
{
    const gt_take_options *options = kernel->options;
    int axis = gt_axis(options->axis, kernel->input_spec[0]->rank);
    Lookup lookup = {along(kernel->input_spec[0], axis), kernel->input_spec[1]->size, 0, 0, 0, 0};
    if (check_indices(kernel, 1, axis, -lookup.view.count, lookup.view.count) != GT_OK)
        return gt_status();
    lookup_cut(&lookup, true);
    return lookup_run(kernel, &lookup, take_tiles);
}

static gt_Status take_gradient(gt_GradientRule *rule)
{
    const gt_take_options *options = gt_rule_options(rule);
    gt_Shape shape = gt_spec_shape(gt_rule_input_spec(rule, 0));
    gt_Tensor *up = gt_upstream(rule, 0);
    gt_Tensor *sum =
        gt_scatter_add(gt_rule_input(rule, 1), gt_widened(up), shape, .axis = options->axis);
    return gt_give(rule, 0, gt_narrowed(sum, gt_rule_input_spec(rule, 0)->dtype));
}

const gt_Operation gt_op_take = {
    .size = sizeof(gt_Operation),
    .name = "take",
    .formula = "x at the indices of an axis",
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &gt_take_options_type,
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .saves_inputs = 2,
    .shape = take_shape,
    .run = take_run,
    .gradient = take_gradient,
    .samples =
        (const gt_Sample[]){
            {.inputs = 2, .input = GT_INPUTS(REAL(3, 2), GT_WHOLE(GT_INT32, 0, 3, 4))},
            {.inputs = 2,
             .input = GT_INPUTS(REAL(2, 3, 2), GT_WHOLE(GT_INT64, -3, 3, 2, 2)),
             AXIS(gt_take_options, 1)},
            GT_SAMPLES_END},
};

static gt_Tensor *take(gt_Tensor *x, gt_Tensor *indices, const gt_take_options *given)
{
    gt_take_options options = GT_TAKE(gt_take_options, given);
    if (options.axis == GT_NONE) {
        x = gt_ravel(x);
        options.axis = 0;
    }
    return gt_apply_one_at(NULL, &gt_op_take, &options, 2, (gt_Tensor *[]){x, indices});
}
GT_COMPOSED(take,
            (const char *here, gt_Tensor *x, gt_Tensor *indices, const gt_take_options *options),
            (x, indices, options))

#define SCATTER_OPTIONS(F, S)                                                                      \
    F(S, int32_t, axis, 0, "along this axis")                                                      \
    F(S, gt_Shape, shape, NO_SHAPE, "the shape of the result")                                     \
    F(S, bool, from_end, true, "negative indices count from the end; false: they are errors")
GT_OPTIONS(ScatterOptions, SCATTER_OPTIONS);
GT_OPTION_TYPE(ScatterOptions, SCATTER_OPTIONS);

static gt_Status scatter_add_shape(gt_ShapeRule *rule)
{
    const ScatterOptions *options = rule->options;
    const gt_Spec *indices = rule->input[0], *updates = rule->input[1];
    gt_Spec *out = &rule->output[0], taken;
    char a[160], b[160];
    if (!gt_spec_set(out, updates->dtype, options->shape))
        return gt_fail(GT_INVALID, "%s cannot be the shape of the result",
                       gt_shape_text(options->shape, a, sizeof a));
    int axis = gt_axis(options->axis, out->rank);
    if (axis < 0 || !takes_indices(indices) || !gt_takes(updates, GT_TAKES_NUMBER))
        return gt_status();
    if (taken_shape(out, indices, axis, &taken) != GT_OK)
        return gt_status();
    if (!gt_spec_equal(&taken, updates))
        return gt_fail(GT_INVALID, "the updates are %s; for these indices they are %s",
                       gt_shape_text(gt_spec_shape(updates), a, sizeof a),
                       gt_shape_text(gt_spec_shape(&taken), b, sizeof b));
    Lookup lookup = {along(out, axis), indices->size, 0, 0, 0, 0};
    lookup_cut(&lookup, false);
    rule->scratch = scatter_scratch(&lookup, out->dtype);
    return GT_OK;
}

/* One index after the other, so that the order of additions is fixed. */
static void scatter_add_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                              void *scratch)
{
    const Scatter *scatter = argument;
    const Lookup *lookup = &scatter->lookup;
    const Along *view = &lookup->view;
    gt_DType dtype = kernel->output_spec[0]->dtype;
    size_t element = gt_dtype_size(dtype);
    double *sums = scatter->crowded ? (double *)(void *)((char *)scratch + scatter->offset) : NULL;
    int64_t end = last * lookup->group < lookup->units ? last * lookup->group : lookup->units;
    for (int64_t unit = first * lookup->group; unit < end; unit++) {
        int64_t outer = unit / lookup->strips, column = unit % lookup->strips * lookup->width;
        int64_t width = lookup_width(lookup, column);
        const char *x = (const char *)kernel->input[1] +
                        (size_t)(outer * lookup->indices * view->inner + column) * element;
        char *y = (char *)kernel->output[0] +
                  (size_t)(outer * view->count * view->inner + column) * element;
        for (int64_t i = 0; i < view->count; i++)
            memset(y + (size_t)(i * view->inner) * element, 0, (size_t)width * element);
        if (sums)
            memset(sums, 0, (size_t)(scatter->crowded * width) * sizeof *sums);
        const float *single = sums && !scatter->crowd && width == 1 ? (const void *)x : NULL;
        for (int64_t i = 0; i < lookup->indices && single; i++)
            sums[index_of(kernel, 0, i, view->count)] += (double)single[i * view->inner];
        for (int64_t i = 0; i < lookup->indices && !single; i++) {
            int64_t index = index_of(kernel, 0, i, view->count);
            int64_t place = sums ? crowd_of(scatter, index) : -1;
            const char *from = x + (size_t)(i * view->inner) * element;
            if (place >= 0)
                add_in_double(width, (const float *)(const void *)from, sums + place * width);
            else
                add_elements(dtype, width, from, y + (size_t)(index * view->inner) * element);
        }
        for (int64_t i = 0; i < view->count && sums; i++)
            if (crowd_of(scatter, i) >= 0)
                kernel->context->kernels->cast[GT_LOOP_F64][GT_LOOP_F32](
                    width, sums + crowd_of(scatter, i) * width,
                    y + (size_t)(i * view->inner) * element);
    }
}

static gt_Status scatter_add_run(const gt_Kernel *kernel)
{
    const ScatterOptions *options = kernel->options;
    int axis = gt_axis(options->axis, kernel->output_spec[0]->rank);
    Scatter scatter = {
        .lookup = {along(kernel->output_spec[0], axis), kernel->input_spec[0]->size, 0, 0, 0, 0}};
    int64_t count = scatter.lookup.view.count;
    if (check_indices(kernel, 0, axis, options->from_end ? -count : 0, count) != GT_OK ||
        !kernel->output[0])
        return gt_status();
    lookup_cut(&scatter.lookup, false);
    find_crowds(kernel, &scatter);
    return gt_for_tiles(kernel,
                        (scatter.lookup.units + scatter.lookup.group - 1) / scatter.lookup.group,
                        scatter_add_tiles, &scatter);
}

static gt_Status scatter_add_gradient(gt_GradientRule *rule)
{
    const ScatterOptions *options = gt_rule_options(rule);
    return gt_give(rule, 1,
                   gt_take(gt_upstream(rule, 0), gt_rule_input(rule, 0), .axis = options->axis));
}

const gt_Operation gt_op_scatter_add = {
    .size = sizeof(gt_Operation),
    .name = "scatter_add",
    .formula = "zeros with updates added at the indices of an axis",
    .flags = GT_OP_LINEAR | GT_OP_LATE,
    .options = &ScatterOptions_type,
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .saves_inputs = 1,
    .shape = scatter_add_shape,
    .run = scatter_add_run,
    .gradient = scatter_add_gradient,
    .samples =
        (const gt_Sample[]){{.inputs = 2,
                             .input = GT_INPUTS(GT_WHOLE(GT_INT32, 0, 3, 4), REAL(4, 2)),
                             .options = &GT_VALUES(ScatterOptions, 0, {GT_MARK, 2, {3, 2}}, true)},
                            {.inputs = 2,
                             .input = GT_INPUTS(GT_WHOLE(GT_INT64, -3, 3, 2), REAL(2, 2)),
                             .options = &GT_VALUES(ScatterOptions, -1, {GT_MARK, 2, {2, 3}}, true)},
                            GT_SAMPLES_END},
};

static gt_Tensor *scatter_add(gt_Tensor *indices, gt_Tensor *updates, gt_Shape shape,
                              const gt_take_options *given)
{
    gt_take_options options = GT_TAKE(gt_take_options, given);
    bool flat = options.axis == GT_NONE;
    gt_Spec spec;
    if (!gt_spec_set(&spec, GT_FLOAT64, shape)) {
        gt_fail(GT_INVALID, "the shape is not possible");
        return NULL;
    }
    ScatterOptions all = GT_VALUES(ScatterOptions, flat ? 0 : options.axis,
                                   flat ? gt_shape(spec.size) : shape, true);
    gt_Tensor *y =
        gt_apply_one_at(NULL, &gt_op_scatter_add, &all, 2, (gt_Tensor *[]){indices, updates});
    return flat ? gt_reshape(y, shape) : y;
}
GT_COMPOSED(scatter_add,
            (const char *here, gt_Tensor *indices, gt_Tensor *updates, gt_Shape shape,
             const gt_take_options *options),
            (indices, updates, shape, options))

gt_Tensor *gt_scatter_count(gt_Tensor *indices, gt_Tensor *updates, int64_t length)
{
    const ScatterOptions options = GT_VALUES(ScatterOptions, 0, gt_shape(length), false);
    return gt_apply_one_at(NULL, &gt_op_scatter_add, &options, 2,
                           (gt_Tensor *[]){indices, updates});
}

/* ---- rows: a scatter_add along axis 0 that nobody has read ---- */

static const gt_Late *late_rows(const gt_Value *value)
{
    const gt_Late *late = value->buffer ? value->buffer->late : NULL;
    if (!late || late->operation != &gt_op_scatter_add || value->offset != 0 ||
        !gt_spec_equal(&value->spec, &late->spec))
        return NULL;
    const ScatterOptions *options = late->options;
    bool first = options->axis == 0 || options->axis == -late->spec.rank;
    return first && late->input[0]->spec.size < late->spec.dims[0] ? late : NULL;
}

static gt_Tensor *flattened(gt_Value *value, gt_Shape shape)
{
    gt_value_retain(value, true);
    gt_Tensor *x = gt_handle_new(value->context, value);
    return value->spec.rank == shape.rank ? x : gt_reshape(x, shape);
}

bool gt_rows_at(const char *here, gt_Tensor *gradient, gt_Tensor **indices, gt_Tensor **values)
{
    if (indices)
        *indices = NULL;
    if (values)
        *values = NULL;
    gt_Context *context = gt_enter();
    gt_Slot *slot = context ? gt_slot_check(context, here, "rows", "the gradient", gradient) : NULL;
    const gt_Late *late = slot ? late_rows(slot->value) : NULL;
    if (!late)
        return false;
    gt_Site site = gt_site_enter(here, "rows");
    gt_Shape shape = gt_spec_shape(&late->spec);
    shape.dims[0] = late->input[0]->spec.size;
    if (indices)
        *indices = flattened(late->input[0], gt_shape(shape.dims[0]));
    if (values)
        *values = flattened(late->input[1], shape);
    gt_site_leave(site);
    return gt_status() == GT_OK;
}

/* Every index once, in the order in which they come first; after them `count`, as often as one was
 * there before. And which of those each index is. */
#define DISTINCT_OPTIONS(F, S)                                                                     \
    F(S, int64_t, count, 1, "the indices are below it; negative ones count from there")
GT_OPTIONS(DistinctOptions, DISTINCT_OPTIONS);
GT_OPTION_TYPE(DistinctOptions, DISTINCT_OPTIONS);

/* Places of the hash table: a power of 2, at least twice as many as indices. */
static int64_t hash_places(int64_t indices)
{
    int64_t places = 2;
    while (places < 2 * indices)
        places *= 2;
    return places;
}

static gt_Status distinct_shape(gt_ShapeRule *rule)
{
    const gt_Spec *in = rule->input[0];
    if (!takes_indices(in))
        return gt_status();
    if (in->rank != 1)
        return gt_fail(GT_INVALID, "it takes a vector of indices");
    if (((const DistinctOptions *)rule->options)->count < 0)
        return gt_fail(GT_INVALID, "the number of rows is below 0");
    rule->output[0] = *in;
    rule->output[0].dtype = GT_INT64;
    rule->output[1] = rule->output[0];
    rule->scratch = (size_t)hash_places(in->size) * sizeof(int64_t);
    return GT_OK;
}

static void distinct_tile(const gt_Kernel *kernel, void *count, int64_t first, int64_t last,
                          void *scratch)
{
    (void)first, (void)last;
    int64_t size = kernel->input_spec[0]->size, end = *(const int64_t *)count, found = 0;
    int64_t *rows = kernel->output[0], *which = kernel->output[1], *table = scratch;
    int64_t places = hash_places(size);
    for (int64_t i = 0; i < places; i++)
        table[i] = -1;
    for (int64_t i = 0; i < size; i++) {
        int64_t index = index_of(kernel, 0, i, end);
        uint64_t hash = (uint64_t)index * 0x9E3779B97F4A7C15u;
        int64_t at = (int64_t)(hash >> 32) & (places - 1);
        while (table[at] >= 0 && rows[table[at]] != index)
            at = (at + 1) & (places - 1);
        if (table[at] < 0) {
            table[at] = found;
            rows[found++] = index;
        }
        which[i] = table[at];
    }
    while (found < size)
        rows[found++] = end;
}

static gt_Status distinct_run(const gt_Kernel *kernel)
{
    const DistinctOptions *options = kernel->options;
    int64_t count = options->count;
    if (check_indices(kernel, 0, 0, -count, count) != GT_OK)
        return gt_status();
    return gt_for_tiles(kernel, 1, distinct_tile, &count);
}

const gt_Operation gt_op_distinct = {
    .size = sizeof(gt_Operation),
    .name = "distinct",
    .formula = "every index once, and which of those each one is",
    .flags = GT_OP_NOT_DIFFERENTIABLE | GT_OP_INTERNAL,
    .why_not = "its input is integer-valued",
    .options = &DistinctOptions_type,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 2,
    .shape = distinct_shape,
    .run = distinct_run,
    .samples = (const gt_Sample[]){{.inputs = 1,
                                    .input = GT_INPUTS(GT_WHOLE(GT_INT32, -3, 3, 5)),
                                    .options = &GT_VALUES(DistinctOptions, 3)},
                                   GT_SAMPLES_END},
};

gt_Tensor *gt_distinct_rows(gt_Tensor **gradient)
{
    gt_Tensor *indices, *values, *out[2];
    if (!gt_rows(*gradient, &indices, &values))
        return NULL;
    DistinctOptions options = GT_VALUES(DistinctOptions, gt_tensor_shape(*gradient).dims[0]);
    gt_apply_at(NULL, &gt_op_distinct, &options, 1, &indices, out);
    *gradient = gt_scatter_add(out[1], values, gt_tensor_shape(values));
    return out[0];
}

/* ---- take_along_axis, and adding along an axis, which is its gradient ---- */

GT_OPTION_TYPE(gt_take_along_axis_options, gt_take_along_axis_OPTIONS);

static bool agree_off_axis(const gt_Spec *x, const gt_Spec *indices, int axis)
{
    bool fits = x->rank == indices->rank;
    for (int d = 0; fits && d < x->rank; d++)
        fits = d == axis || x->dims[d] == indices->dims[d];
    char a[160], b[160];
    if (!fits)
        gt_fail(GT_INVALID, "indices of shape %s for %s: they may differ in axis %d only",
                gt_shape_text(gt_spec_shape(indices), a, sizeof a),
                gt_shape_text(gt_spec_shape(x), b, sizeof b), axis);
    return fits;
}

static gt_Status take_along_axis_shape(gt_ShapeRule *rule)
{
    const gt_take_along_axis_options *options = rule->options;
    int axis = gt_axis(options->axis, rule->input[0]->rank);
    if (axis < 0 || !takes_indices(rule->input[1]) ||
        !agree_off_axis(rule->input[0], rule->input[1], axis))
        return gt_status();
    rule->output[0] = *rule->input[1];
    rule->output[0].dtype = rule->input[0]->dtype;
    return GT_OK;
}

/* Taking: x is the indexed one and y follows the indices. Adding: the other way round. */
static void along_axis_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                             void *scratch)
{
    const Lookup *lookup = argument;
    const Along *view = &lookup->view;
    bool takes = kernel->operation == &gt_op_take_along_axis;
    gt_DType dtype = kernel->output_spec[0]->dtype;
    size_t element = gt_dtype_size(dtype);
    const char *x = kernel->input[takes ? 0 : 1];
    char *y = kernel->output[0];
    double *sums = !takes && is_crowd(lookup, dtype) ? scratch : NULL;
    int64_t end = last * lookup->group < lookup->units ? last * lookup->group : lookup->units;
    for (int64_t unit = first * lookup->group; unit < end; unit++) {
        int64_t outer = unit / lookup->strips, column = unit % lookup->strips * lookup->width;
        int64_t width = lookup_width(lookup, column);
        for (int64_t i = 0; !takes && !sums && i < view->count; i++)
            memset(y + (size_t)((outer * view->count + i) * view->inner + column) * element, 0,
                   (size_t)width * element);
        if (sums)
            memset(sums, 0, (size_t)(view->count * width) * sizeof *sums);
        for (int64_t i = 0; i < lookup->indices; i++)
            for (int64_t j = column; j < column + width; j++) {
                int64_t here = (outer * lookup->indices + i) * view->inner + j;
                int64_t index = index_of(kernel, takes ? 1 : 0, here, view->count);
                int64_t there = (outer * view->count + index) * view->inner + j;
                if (takes)
                    copy_elements(element, 1, x + (size_t)there * element,
                                  y + (size_t)here * element);
                else if (sums)
                    sums[index * width + j - column] +=
                        (double)((const float *)(const void *)x)[here];
                else
                    add_elements(dtype, 1, x + (size_t)here * element, y + (size_t)there * element);
            }
        for (int64_t i = 0; sums && i < view->count; i++)
            kernel->context->kernels->cast[GT_LOOP_F64][GT_LOOP_F32](
                width, sums + i * width,
                y + (size_t)((outer * view->count + i) * view->inner + column) * element);
    }
}

static gt_Status along_axis_run(const gt_Kernel *kernel, const gt_Spec *indexed, int input,
                                int axis)
{
    const gt_Spec *indices = kernel->input_spec[input];
    axis = gt_axis(axis, indexed->rank);
    Lookup lookup = {along(indexed, axis), indices->dims[axis], 0, 0, 0, 0};
    if (check_indices(kernel, input, axis, -lookup.view.count, lookup.view.count) != GT_OK)
        return gt_status();
    lookup_cut(&lookup, false);
    return lookup_run(kernel, &lookup, along_axis_tiles);
}

static gt_Status take_along_axis_run(const gt_Kernel *kernel)
{
    const gt_take_along_axis_options *options = kernel->options;
    return along_axis_run(kernel, kernel->input_spec[0], 1, options->axis);
}

#define ADD_ALONG_OPTIONS(F, S)                                                                    \
    F(S, int32_t, axis, -1, "along this axis")                                                     \
    F(S, int64_t, count, 0, "length of that axis of the result")
GT_OPTIONS(AddAlongOptions, ADD_ALONG_OPTIONS);
GT_OPTION_TYPE(AddAlongOptions, ADD_ALONG_OPTIONS);

static gt_Status take_along_axis_gradient(gt_GradientRule *rule)
{
    const gt_take_along_axis_options *options = gt_rule_options(rule);
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    int axis = gt_axis(options->axis, in->rank);
    gt_Tensor *up = gt_widened(gt_upstream(rule, 0));
    gt_Tensor *sum = gt_scatter_add_along_axis(gt_rule_input(rule, 1), up, axis, in->dims[axis]);
    return gt_give(rule, 0, gt_narrowed(sum, in->dtype));
}

const gt_Operation gt_op_take_along_axis = {
    .size = sizeof(gt_Operation),
    .name = "take_along_axis",
    .formula = "y[i, j] = x[i, indices[i, j]]",
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &gt_take_along_axis_options_type,
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .saves_inputs = 2,
    .shape = take_along_axis_shape,
    .run = take_along_axis_run,
    .gradient = take_along_axis_gradient,
    .samples = (const gt_Sample[]){{.inputs = 2,
                                    .input = GT_INPUTS(REAL(2, 3), GT_WHOLE(GT_INT32, 0, 3, 2, 4))},
                                   {.inputs = 2,
                                    .input = GT_INPUTS(REAL(3, 2), GT_WHOLE(GT_INT64, -3, 3, 4, 2)),
                                    AXIS(gt_take_along_axis_options, 0)},
                                   GT_SAMPLES_END},
};

static gt_Tensor *take_along_axis(gt_Tensor *x, gt_Tensor *indices,
                                  const gt_take_along_axis_options *given)
{
    gt_take_along_axis_options options = GT_TAKE(gt_take_along_axis_options, given);
    if (options.axis == GT_NONE) {
        x = gt_ravel(x);
        indices = gt_ravel(indices);
        options.axis = 0;
    }
    return gt_apply_one_at(NULL, &gt_op_take_along_axis, &options, 2, (gt_Tensor *[]){x, indices});
}
GT_COMPOSED(take_along_axis,
            (const char *here, gt_Tensor *x, gt_Tensor *indices,
             const gt_take_along_axis_options *options),
            (x, indices, options))

static gt_Status add_along_shape(gt_ShapeRule *rule)
{
    const AddAlongOptions *options = rule->options;
    const gt_Spec *indices = rule->input[0], *updates = rule->input[1];
    int axis = gt_axis(options->axis, updates->rank);
    if (axis < 0 || !takes_indices(indices) || !gt_takes(updates, GT_TAKES_NUMBER))
        return gt_status();
    if (!gt_shape_equal(gt_spec_shape(indices), gt_spec_shape(updates)))
        return gt_fail(GT_INVALID, "indices and updates differ in shape");
    rule->output[0] = *updates;
    rule->output[0].dims[axis] = options->count;
    if (!gt_spec_resize(&rule->output[0]))
        return GT_OK; /* refused as too large */
    Lookup lookup = {along(&rule->output[0], axis), indices->dims[axis], 0, 0, 0, 0};
    lookup_cut(&lookup, false);
    if (is_crowd(&lookup, updates->dtype))
        rule->scratch = (size_t)(lookup.view.count * lookup.width) * sizeof(double);
    return GT_OK;
}

static gt_Status add_along_run(const gt_Kernel *kernel)
{
    const AddAlongOptions *options = kernel->options;
    return along_axis_run(kernel, kernel->output_spec[0], 0, options->axis);
}

static gt_Status add_along_gradient(gt_GradientRule *rule)
{
    const AddAlongOptions *options = gt_rule_options(rule);
    return gt_give(
        rule, 1,
        gt_take_along_axis(gt_upstream(rule, 0), gt_rule_input(rule, 0), .axis = options->axis));
}

const gt_Operation gt_op_scatter_add_along_axis = {
    .size = sizeof(gt_Operation),
    .name = "scatter_add_along_axis",
    .formula = "y[i, indices[i, j]] += x[i, j]",
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &AddAlongOptions_type,
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .saves_inputs = 1,
    .shape = add_along_shape,
    .run = add_along_run,
    .gradient = add_along_gradient,
    .samples = (const gt_Sample[]){{.inputs = 2,
                                    .input = GT_INPUTS(GT_WHOLE(GT_INT32, 0, 3, 2, 4), REAL(2, 4)),
                                    .options = &GT_VALUES(AddAlongOptions, -1, 3)},
                                   GT_SAMPLES_END},
};

gt_Tensor *gt_scatter_add_along_axis(gt_Tensor *indices, gt_Tensor *updates, int axis,
                                     int64_t count)
{
    AddAlongOptions options = GT_VALUES(AddAlongOptions, axis, count);
    return gt_apply_one_at(NULL, &gt_op_scatter_add_along_axis, &options, 2,
                           (gt_Tensor *[]){indices, updates});
}

/* ---- one_hot ---- */

#define ONE_HOT_OPTIONS(F, S)                                                                      \
    F(S, int32_t, axis, -1, "where the new axis stands in the result")                             \
    F(S, gt_DType, dtype, GT_FLOAT32, "the type of the result")                                    \
    F(S, int64_t, depth, 1, "its length")
GT_OPTIONS(OneHotOptions, ONE_HOT_OPTIONS);
GT_OPTION_TYPE(OneHotOptions, ONE_HOT_OPTIONS);
GT_OPTION_TYPE(gt_one_hot_options, gt_one_hot_OPTIONS);

static gt_Status one_hot_shape(gt_ShapeRule *rule)
{
    const OneHotOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    gt_Spec *out = &rule->output[0];
    if (!takes_indices(in))
        return gt_status();
    if (in->rank == GT_MAX_RANK)
        return gt_fail(GT_INVALID, "the result would have more than %d dimensions", GT_MAX_RANK);
    if (options->depth < 0 || gt_loop_type(options->dtype) < 0)
        return gt_fail(GT_INVALID, "depth %lld of type %s is not possible",
                       (long long)options->depth, gt_dtype_name(options->dtype));
    int axis = gt_axis(options->axis, in->rank + 1);
    if (axis < 0)
        return gt_status();
    out->dtype = options->dtype;
    for (int d = 0; d <= in->rank; d++)
        out->dims[out->rank++] = d == axis ? options->depth : in->dims[d - (d > axis)];
    return GT_OK;
}

static gt_Status one_hot_run(const gt_Kernel *kernel)
{
    const OneHotOptions *options = kernel->options;
    const gt_Spec *in = kernel->input_spec[0], *out = kernel->output_spec[0];
    Along view = along(out, gt_axis(options->axis, out->rank));
    gt_fill(out->dtype, out->size, 0, kernel->output[0]);
    for (int64_t i = 0; i < in->size && view.count > 0; i++) {
        int64_t index = gt_whole(kernel, 0, i);
        int64_t outer = i / view.inner, column = i % view.inner;
        if (index >= 0 && index < view.count)
            gt_number_store(out->dtype, kernel->output[0],
                            (outer * view.count + index) * view.inner + column, 1);
    }
    return GT_OK;
}

const gt_Operation gt_op_one_hot = {
    .size = sizeof(gt_Operation),
    .name = "one_hot",
    .formula = "zeros with a 1 at each index",
    .flags = GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "its input is integer-valued",
    .options = &OneHotOptions_type,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = one_hot_shape,
    .run = one_hot_run,
    .samples = (const gt_Sample[]){{.inputs = 1,
                                    .input = GT_INPUTS(GT_WHOLE(GT_INT32, 0, 3, 4)),
                                    .options = &GT_VALUES(OneHotOptions, -1, GT_FLOAT32, 3)},
                                   GT_SAMPLES_END},
};

gt_Tensor *gt_one_hot_at(const char *here, gt_Tensor *indices, int64_t depth,
                         const gt_one_hot_options *given)
{
    gt_one_hot_options options = GT_TAKE(gt_one_hot_options, given);
    OneHotOptions all = GT_VALUES(OneHotOptions, options.axis, options.dtype, depth);
    return gt_apply_one_at(here, &gt_op_one_hot, &all, 1, &indices);
}

/* ---- tril and triu ---- */

GT_OPTION_TYPE(gt_tril_options, gt_tril_OPTIONS);

static gt_Status triangle_shape(gt_ShapeRule *rule)
{
    char text[160];
    rule->output[0] = *rule->input[0];
    if (rule->input[0]->rank < 2)
        return gt_fail(GT_INVALID, "%s has no two axes",
                       gt_shape_text(gt_spec_shape(rule->input[0]), text, sizeof text));
    return GT_OK;
}

/* Tiles are groups of rows. */
static void triangle_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                           void *scratch)
{
    (void)scratch;
    const int64_t group = *(const int64_t *)argument;
    const gt_tril_options *options = kernel->options;
    const gt_Spec *spec = kernel->output_spec[0];
    int64_t rows = spec->dims[spec->rank - 2], columns = spec->dims[spec->rank - 1];
    int64_t all = spec->size / columns, end = last * group < all ? last * group : all;
    int64_t k = options->k < -rows ? -rows : options->k > columns ? columns : options->k;
    bool lower = kernel->operation == &gt_op_tril;
    size_t element = gt_dtype_size(spec->dtype);
    for (int64_t row = first * group; row < end; row++) {
        int64_t cut = row % rows + k + lower; /* the first column of the upper part */
        cut = cut < 0 ? 0 : cut > columns ? columns : cut;
        const char *x = (const char *)kernel->input[0] + (size_t)(row * columns) * element;
        char *y = (char *)kernel->output[0] + (size_t)(row * columns) * element;
        size_t left = (size_t)cut * element, right = (size_t)(columns - cut) * element;
        memcpy(lower ? y : y + left, lower ? x : x + left, lower ? left : right);
        memset(lower ? y + left : y, 0, lower ? right : left);
    }
}

static gt_Status triangle_run(const gt_Kernel *kernel)
{
    const gt_Spec *spec = kernel->output_spec[0];
    if (spec->size == 0)
        return GT_OK;
    int64_t columns = spec->dims[spec->rank - 1];
    int64_t group = columns < GT_CHUNK ? GT_CHUNK / columns : 1;
    return gt_for_tiles(kernel, (spec->size / columns + group - 1) / group, triangle_tiles, &group);
}

static gt_Status triangle_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0);
    return gt_give(rule, 0,
                   gt_apply_one_at(NULL, rule->record->operation, gt_rule_options(rule), 1, &up));
}

#define TRIANGLE(op, text)                                                                         \
    const gt_Operation gt_op_##op = {                                                              \
        .size = sizeof(gt_Operation),                                                              \
        .name = #op,                                                                               \
        .formula = text,                                                                           \
        .flags = GT_OP_LINEAR | GT_OP_HALF,                                                        \
        .options = &gt_tril_options_type,                                                          \
        .inputs_min = 1,                                                                           \
        .inputs_max = 1,                                                                           \
        .outputs = 1,                                                                              \
        .shape = triangle_shape,                                                                   \
        .run = triangle_run,                                                                       \
        .gradient = triangle_gradient,                                                             \
        .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(REAL(3, 3))},              \
                                       {.inputs = 1,                                               \
                                        .input = GT_INPUTS(REAL(2, 3, 4)),                         \
                                        .options = &GT_VALUES(gt_tril_options, 1)},                \
                                       GT_SAMPLES_END},                                            \
    };                                                                                             \
    GT_DEFINE_OPTIONS(op, gt_tril_options, x)
TRIANGLE(tril, "the lower triangle of x")
TRIANGLE(triu, "the upper triangle of x")

/* ---- more ways to join and cut ---- */

/* Joined along an axis after each was given at least `rank` axes: in front of its own, or, for
 * columns, behind. */
static gt_Tensor *joined_with_rank(gt_Tensors tensors, int rank, bool behind, int axis)
{
    gt_Tensor *item[GT_MAX_INPUTS];
    if (tensors.count < 1 || tensors.count > GT_MAX_INPUTS || !tensors.items) {
        gt_fail(GT_INVALID, "it takes 1 to %d tensors", GT_MAX_INPUTS);
        return NULL;
    }
    for (int i = 0; i < tensors.count; i++) {
        gt_Spec spec = gt_spec(tensors.items[i]);
        gt_Shape shape = gt_spec_shape(&spec);
        item[i] = tensors.items[i];
        if (gt_status() != GT_OK)
            return NULL;
        if (shape.rank == 0)
            shape.dims[shape.rank++] = 1;
        while (shape.rank < rank) {
            bool front = !behind && shape.rank == 1;
            shape.dims[shape.rank++] = front ? shape.dims[0] : 1;
            if (front)
                shape.dims[0] = 1;
        }
        if (shape.rank != spec.rank)
            item[i] = gt_reshape(item[i], shape);
    }
    return gt_concatenate(((gt_Tensors){item, tensors.count}), .axis = axis);
}

static gt_Tensor *hstack(gt_Tensors tensors)
{
    bool vectors = tensors.count > 0 && tensors.items && gt_rank(tensors.items[0]) < 2;
    return joined_with_rank(tensors, 1, false, vectors ? 0 : 1);
}
GT_COMPOSED(hstack, (const char *here, gt_Tensors tensors), (tensors))

static gt_Tensor *vstack(gt_Tensors tensors)
{
    return joined_with_rank(tensors, 2, false, 0);
}
GT_COMPOSED(vstack, (const char *here, gt_Tensors tensors), (tensors))

static gt_Tensor *dstack(gt_Tensors tensors)
{
    return joined_with_rank(tensors, 3, false, 2);
}
GT_COMPOSED(dstack, (const char *here, gt_Tensors tensors), (tensors))

static gt_Tensor *column_stack(gt_Tensors tensors)
{
    return joined_with_rank(tensors, 2, true, 1);
}
GT_COMPOSED(column_stack, (const char *here, gt_Tensors tensors), (tensors))

GT_OPTION_TYPE(gt_array_split_options, gt_array_split_OPTIONS);

/* Cuts into `count` parts as equal as can be; or into all positions, if each is to be one. */
static gt_Status cut_up(gt_Tensor *x, int count, gt_Tensor **parts,
                        const gt_array_split_options *given, bool single)
{
    gt_array_split_options options = GT_TAKE(gt_array_split_options, given);
    gt_Spec spec = gt_spec(x);
    int axis = gt_status() == GT_OK ? gt_axis(options.axis, spec.rank) : -1;
    if (axis < 0)
        return gt_status();
    gt_Shape begin = {GT_MARK, spec.rank, {0}}, size = gt_spec_shape(&spec);
    int64_t length = spec.dims[axis];
    if (!parts || count < !single || (single && count != length))
        return gt_fail(GT_INVALID, "axis %d of length %lld cannot be cut into %d parts", axis,
                       (long long)length, count);
    for (int i = 0; i < count; i++) {
        size.dims[axis] = length / count + (i < length % count);
        parts[i] = gt_slice(x, begin, size);
        if (single)
            parts[i] = gt_squeeze(parts[i], .axis = axis);
        begin.dims[axis] += size.dims[axis];
    }
    return gt_status();
}

static gt_Status cut_up_at(const char *here, const char *name, gt_Tensor *x, int count,
                           gt_Tensor **parts, const gt_array_split_options *options, bool single)
{
    for (int i = 0; parts && i < count; i++)
        parts[i] = NULL;
    gt_Site site = gt_site_enter(here, name);
    gt_Status status = cut_up(x, count, parts, options, single);
    gt_site_leave(site);
    for (int i = 0; parts && status != GT_OK && i < count; i++)
        parts[i] = NULL;
    return status;
}

gt_Status gt_array_split_at(const char *here, gt_Tensor *x, int count, gt_Tensor **parts,
                            const gt_array_split_options *options)
{
    return cut_up_at(here, "array_split", x, count, parts, options, false);
}

gt_Status gt_unstack_at(const char *here, gt_Tensor *x, int count, gt_Tensor **parts,
                        const gt_array_split_options *options)
{
    return cut_up_at(here, "unstack", x, count, parts, options, true);
}

gt_Status gt_hsplit_at(const char *here, gt_Tensor *x, int count, gt_Tensor **parts)
{
    gt_split_options options = GT_VALUES(gt_split_options, gt_rank(x) > 1, NULL);
    return gt_split_at(here, x, count, parts, &options);
}

gt_Status gt_vsplit_at(const char *here, gt_Tensor *x, int count, gt_Tensor **parts)
{
    return gt_split_at(here, x, count, parts, NULL);
}

/* ---- with parts replaced ---- */

static gt_Tensor *slice_update(gt_Tensor *x, gt_Shape begin, gt_Tensor *updates)
{
    gt_Spec in = gt_spec(x), block = gt_spec(updates);
    gt_Shape size = gt_spec_shape(&block), after = gt_spec_shape(&in);
    char a[160], b[160], c[160];
    if (gt_status() != GT_OK)
        return NULL;
    if (!block_fits(&in, &begin, &size)) {
        gt_fail(GT_INVALID, "%s has no block of size %s at %s", gt_shape_text(after, a, sizeof a),
                gt_shape_text(size, b, sizeof b), gt_shape_text(begin, c, sizeof c));
        return NULL;
    }
    for (int d = 0; d < in.rank; d++)
        after.dims[d] -= begin.dims[d] + size.dims[d];
    gt_Tensor *outside = gt_pad(gt_zeros(size, .dtype = GT_BOOL), begin, after, .value = 1);
    return gt_where(outside, x, gt_pad(updates, begin, after));
}
GT_COMPOSED(slice_update, (const char *here, gt_Tensor *x, gt_Shape begin, gt_Tensor *updates),
            (x, begin, updates))

/* scatter_update as a record: rows x (n, ...) at indices (k), replaced by updates (k, ...). */
static gt_Status row_update_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0], *indices = rule->input[1], *updates = rule->input[2];
    char a[160], b[160];
    gt_Spec taken = {0};
    if (!takes_indices(indices))
        return gt_status();
    rule->output[0] = *x;
    if (x->rank < 1 || indices->rank != 1)
        return gt_fail(GT_INVALID, "it takes rows and a vector of indices");
    if (taken_shape(x, indices, 0, &taken) != GT_OK)
        return gt_status();
    gt_spec_resize(&taken);
    if (!gt_spec_equal(&taken, updates))
        return gt_fail(GT_INVALID, "the updates are %s; for these indices they are %s",
                       gt_spec_text(updates, a, sizeof a), gt_spec_text(&taken, b, sizeof b));
    return GT_OK;
}

static gt_Status row_update_run(const gt_Kernel *kernel)
{
    const gt_Spec *out = kernel->output_spec[0];
    int64_t rows = out->dims[0], n = kernel->input_spec[1]->size;
    if (check_indices(kernel, 1, 0, -rows, rows) != GT_OK || gt_run_copy(kernel) != GT_OK)
        return gt_status();
    size_t width = rows ? (size_t)(out->size / rows) * gt_dtype_size(out->dtype) : 0;
    for (int64_t i = 0; i < n && width; i++)
        memcpy((char *)kernel->output[0] + (size_t)index_of(kernel, 1, i, rows) * width,
               (const char *)kernel->input[2] + (size_t)i * width, width);
    return GT_OK;
}

/* The updates that another one has overwritten get nothing: of one index the last counts. */
static gt_Status row_update_gradient(gt_GradientRule *rule)
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

const gt_Operation gt_op_scatter_update = {
    .size = sizeof(gt_Operation),
    .name = "scatter_update",
    .formula = "x with the rows at some indices replaced",
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs = 1,
    .saves_inputs = 2,
    .shape = row_update_shape,
    .run = row_update_run,
    .gradient = row_update_gradient,
    .samples =
        (const gt_Sample[]){
            {.inputs = 3, .input = GT_INPUTS(REAL(4, 2), GT_WHOLE(GT_INT32, 1, 2, 1), REAL(1, 2))},
            {.inputs = 3, .input = GT_INPUTS(REAL(3), GT_WHOLE(GT_INT64, -1, 0, 1), REAL(1))},
            {.inputs = 3, .input = GT_INPUTS(REAL(2, 2), GT_WHOLE(GT_INT32, -2, 2, 5), REAL(5, 2))},
            GT_SAMPLES_END},
};

/* The k indices of each place (n, k) as one, into the rows that a shape has when its first k axes
 * are flattened. */
static gt_Tensor *flat_places(gt_Tensor *indices, gt_Shape shape, gt_Shape *rows)
{
    gt_Spec spec = gt_spec(indices);
    char a[160], b[160];
    if (gt_status() != GT_OK)
        return NULL;
    int64_t k = spec.rank == 2 ? spec.dims[1] : -1;
    if (k < 1 || k > shape.rank) {
        gt_fail(GT_INVALID, "indices %s do not say places of %s; they are (n, k) for k axes",
                gt_shape_text(gt_spec_shape(&spec), b, sizeof b),
                gt_shape_text(shape, a, sizeof a));
        return NULL;
    }
    *rows = (gt_Shape){.mark = GT_MARK, .rank = shape.rank - (int)k + 1, .dims = {1}};
    for (int64_t d = 0; d < shape.rank; d++)
        if (d < k)
            rows->dims[0] *= shape.dims[d];
        else
            rows->dims[d - k + 1] = shape.dims[d];
    gt_Tensor *flat = NULL, *inside = NULL;
    indices = gt_cast(indices, GT_INT64);
    for (int64_t d = 0; d < k && gt_status() == GT_OK; d++) {
        double length = (double)shape.dims[d];
        gt_Tensor *one = gt_slice(indices, gt_shape(0, d), gt_shape(-1, 1));
        one = gt_reshape(one, gt_shape(spec.dims[0]));
        if (k == 1)
            return one;
        gt_Tensor *fits = gt_logical_and(gt_greater_equal(one, -length), gt_less(one, length));
        one = gt_where(gt_less(one, 0), gt_add(one, length), one);
        inside = inside ? gt_logical_and(inside, fits) : fits;
        flat = flat ? gt_add(gt_multiply(flat, length), one) : one;
    }
    /* a place that is outside must not become another one that is not */
    return gt_where(inside, flat, (double)rows->dims[0]);
}

GT_OPTION_TYPE(gt_scatter_update_options, gt_scatter_update_OPTIONS);

/* The updates of each place put together first, what leaves x as it is where there are none. */
static gt_Tensor *combined(gt_Tensor *x, gt_Tensor *places, gt_Tensor *updates,
                           gt_ScatterReduction reduction)
{
    gt_Spec rows = gt_spec(x), values = gt_spec(updates), wanted = rows;
    char a[160], b[160];
    if (gt_status() != GT_OK)
        return NULL;
    wanted.dims[0] = gt_size(places);
    gt_spec_resize(&wanted);
    if (!gt_spec_equal(&wanted, &values)) {
        gt_fail(GT_INVALID, "the updates are %s; for these indices they are %s",
                gt_spec_text(&values, a, sizeof a), gt_spec_text(&wanted, b, sizeof b));
        return NULL;
    }
    int64_t count = rows.dims[0];
    switch (reduction) {
    case GT_SCATTER_REDUCTION_ADD:
        return gt_add(x, gt_segment_sum(updates, places, count));
    case GT_SCATTER_REDUCTION_MAX:
        return gt_maximum(x, gt_segment_max(updates, places, count));
    case GT_SCATTER_REDUCTION_MIN:
        return gt_minimum(x, gt_segment_min(updates, places, count));
    case GT_SCATTER_REDUCTION_MULTIPLY:
        return gt_multiply(x, gt_segment_prod(updates, places, count));
    default:
        gt_fail(GT_INVALID, "unknown reduction %d", (int)reduction);
        return NULL;
    }
}

static gt_Tensor *scatter_update(gt_Tensor *x, gt_Tensor *indices, gt_Tensor *updates,
                                 const gt_scatter_update_options *given)
{
    gt_scatter_update_options options = GT_TAKE(gt_scatter_update_options, given);
    gt_Shape shape = gt_tensor_shape(x), rows;
    gt_Tensor *flat = gt_status() == GT_OK ? flat_places(indices, shape, &rows) : NULL;
    if (!flat)
        return NULL;
    gt_Tensor *inputs[] = {gt_reshape(x, rows), flat, updates};
    x = options.reduction == GT_SCATTER_REDUCTION_REPLACE
            ? gt_apply_one_at(NULL, &gt_op_scatter_update, NULL, 3, inputs)
            : combined(inputs[0], flat, updates, options.reduction);
    return gt_reshape(x, shape);
}
GT_COMPOSED(scatter_update,
            (const char *here, gt_Tensor *x, gt_Tensor *indices, gt_Tensor *updates,
             const gt_scatter_update_options *options),
            (x, indices, updates, options))

static gt_Tensor *scatter(gt_Tensor *indices, gt_Tensor *values, gt_Shape shape)
{
    gt_Spec spec;
    gt_Shape rows;
    if (!gt_spec_set(&spec, GT_FLOAT64, shape)) {
        gt_fail(GT_INVALID, "the shape is not possible");
        return NULL;
    }
    gt_Tensor *flat = flat_places(indices, shape, &rows);
    return flat ? gt_reshape(gt_scatter_add(flat, values, rows), shape) : NULL;
}
GT_COMPOSED(scatter, (const char *here, gt_Tensor *indices, gt_Tensor *values, gt_Shape shape),
            (indices, values, shape))

/* ---- as Python writes it ---- */

typedef enum ItemKind { ITEM_INDEX, ITEM_RANGE, ITEM_NEW_AXIS, ITEM_ELLIPSIS } ItemKind;
/* One item of a key. A number that is not written is `absent`. */
typedef struct Item {
    ItemKind kind;
    int64_t start, stop, step;
} Item;
#define MOST_ITEMS (2 * GT_MAX_RANK + 1)
static const int64_t absent = INT64_MIN;

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t\n");
}

/* A number that is too large for its type is as good as the largest one. */
static const char *read_number(const char *text, int64_t *number)
{
    const char *digit = text = skip_blanks(text);
    bool negative = *digit == '-';
    digit += *digit == '-' || *digit == '+';
    *number = absent;
    if (*digit < '0' || *digit > '9')
        return text;
    int64_t value = 0;
    for (; *digit >= '0' && *digit <= '9'; digit++)
        value = value > (INT64_MAX - 9) / 10 ? INT64_MAX : value * 10 + (*digit - '0');
    *number = negative ? -value : value;
    return skip_blanks(digit);
}

/* Behind the item, or NULL if there is none. */
static const char *read_item(const char *text, Item *item)
{
    static const struct {
        const char *text;
        ItemKind kind;
    } word[] = {{"...", ITEM_ELLIPSIS}, {"newaxis", ITEM_NEW_AXIS}, {"None", ITEM_NEW_AXIS}};
    *item = (Item){ITEM_INDEX, absent, absent, absent};
    for (int i = 0; i < 3; i++)
        if (strncmp(text, word[i].text, strlen(word[i].text)) == 0) {
            item->kind = word[i].kind;
            return skip_blanks(text + strlen(word[i].text));
        }
    text = read_number(text, &item->start);
    if (*text != ':')
        return item->start == absent ? NULL : text;
    item->kind = ITEM_RANGE;
    text = read_number(text + 1, &item->stop);
    return *text == ':' ? read_number(text + 1, &item->step) : text;
}

/* How many items; -1 with an error raised for what is not a key. */
static int read_key(const char *key, Item *items)
{
    const char *text = skip_blanks(key ? key : "");
    int count = 0;
    while (text && *text) {
        text = count < MOST_ITEMS ? read_item(text, &items[count++]) : NULL;
        if (text && *text == ',')
            text = skip_blanks(text + 1);
        else if (text && *text)
            text = NULL;
    }
    if (text && key)
        return count;
    gt_fail(GT_INVALID,
            "invalid key \"%.60s\"; expected something like \"0, 1:-1, ..., ::2, newaxis\"",
            key ? key : "NULL");
    return -1;
}

/* Puts ranges over everything in place of "...", or at the end; how many items there are then. */
static int fill_key(Item *items, int count, int rank)
{
    const Item everything = {ITEM_RANGE, absent, absent, absent};
    int axes = 0, ellipses = 0, at = count;
    for (int i = 0; i < count; i++) {
        axes += items[i].kind == ITEM_INDEX || items[i].kind == ITEM_RANGE;
        ellipses += items[i].kind == ITEM_ELLIPSIS;
        at = items[i].kind == ITEM_ELLIPSIS ? i : at;
    }
    if (axes > rank || ellipses > 1 || count - ellipses + rank - axes > MOST_ITEMS) {
        gt_fail(GT_INVALID, "%d axes and %d times ... do not fit rank %d", axes, ellipses, rank);
        return -1;
    }
    memmove(items + at + rank - axes, items + at + ellipses,
            (size_t)(count - at - ellipses) * sizeof *items);
    for (int i = 0; i < rank - axes; i++)
        items[at + i] = everything;
    return count - ellipses + rank - axes;
}

/* What a range takes of an axis, by Python's rules: `start`, and as many as are returned. */
static int64_t resolve_range(Item *item, int64_t length)
{
    int64_t step = item->step == absent ? 1 : item->step;
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? length : length - 1;
    int64_t bound[2] = {item->start, item->stop};
    for (int i = 0; i < 2; i++) {
        if (bound[i] == absent)
            bound[i] = (step > 0) == (i == 0) ? low : high;
        else if (bound[i] < 0)
            bound[i] = bound[i] + length < low ? low : bound[i] + length;
        else
            bound[i] = bound[i] > high ? high : bound[i];
    }
    *item = (Item){ITEM_RANGE, bound[0], bound[1], step};
    int64_t way = step > 0 ? bound[1] - bound[0] : bound[0] - bound[1];
    return way > 0 ? (way - 1) / (step > 0 ? step : -step) + 1 : 0;
}

/* What a key takes of a tensor: a block, from which steps other than 1 then choose, as a shape. */
typedef struct Cut {
    gt_Shape begin, size, result;
    int64_t first[GT_MAX_RANK], step[GT_MAX_RANK], count[GT_MAX_RANK];
} Cut;

/* One item, for axis d; false with an error raised if it cannot be. */
static bool cut_axis(Cut *cut, Item *item, int64_t length, int d)
{
    if (item->kind == ITEM_RANGE && item->step == 0) {
        gt_fail(GT_INVALID, "axis %d: a step of 0", d);
        return false;
    }
    if (item->kind == ITEM_INDEX && (item->start < -length || item->start >= length)) {
        gt_fail(GT_INVALID, "index %lld is outside axis %d of length %lld", (long long)item->start,
                d, (long long)length);
        return false;
    }
    int64_t count = item->kind == ITEM_RANGE ? resolve_range(item, length) : 1;
    cut->first[d] =
        item->start < 0 && item->kind == ITEM_INDEX ? item->start + length : item->start;
    cut->count[d] = count;
    cut->step[d] = item->kind == ITEM_RANGE && count > 1 ? item->step : 1;
    bool stepped = cut->step[d] != 1;
    cut->begin.dims[d] = count && !stepped ? cut->first[d] : 0;
    cut->size.dims[d] = stepped ? length : count;
    return true;
}

static bool cut_out(Cut *cut, Item *items, int count, const gt_Spec *in)
{
    cut->begin.mark = cut->size.mark = cut->result.mark = GT_MARK;
    cut->begin.rank = cut->size.rank = in->rank;
    for (int i = 0, d = 0; i < count; i++) {
        bool new_axis = items[i].kind == ITEM_NEW_AXIS;
        if (!new_axis && !cut_axis(cut, &items[i], in->dims[d], d))
            return false;
        if (items[i].kind != ITEM_INDEX && cut->result.rank == GT_MAX_RANK) {
            gt_fail(GT_INVALID, "the result would have more than %d dimensions", GT_MAX_RANK);
            return false;
        }
        if (items[i].kind != ITEM_INDEX)
            cut->result.dims[cut->result.rank++] = new_axis ? 1 : cut->count[d];
        d += !new_axis;
    }
    return true;
}

static gt_Tensor *get_item(gt_Tensor *x, const char *key)
{
    Item items[MOST_ITEMS];
    Cut cut = {0};
    gt_Spec in = gt_spec(x);
    int count = gt_status() == GT_OK ? read_key(key, items) : -1;
    if (count < 0 || (count = fill_key(items, count, in.rank)) < 0 ||
        !cut_out(&cut, items, count, &in))
        return NULL;
    gt_Tensor *y = gt_slice(x, cut.begin, cut.size);
    for (int d = 0; d < in.rank; d++)
        if (cut.step[d] != 1) {
            double first = (double)cut.first[d], step = (double)cut.step[d];
            double stop = first + (double)cut.count[d] * step;
            y = gt_take(y, gt_arange(first, stop, step, .dtype = GT_INT64), .axis = d);
        }
    return gt_reshape(y, cut.result);
}
GT_COMPOSED(get_item, (const char *here, gt_Tensor *x, const char *key), (x, key))

/* ---- where something is ---- */

GT_OPTION_TYPE(gt_nonzero_options, gt_nonzero_OPTIONS);

#define PLACES_OPTIONS(F, S) F(S, int64_t, length, 0, "how many places are given")
GT_OPTIONS(PlacesOptions, PLACES_OPTIONS);
GT_OPTION_TYPE(PlacesOptions, PLACES_OPTIONS);

static gt_Status places_shape(gt_ShapeRule *rule)
{
    const PlacesOptions *options = rule->options;
    if (!gt_takes(rule->input[0], GT_TAKES_BOOL))
        return gt_status();
    return gt_spec_set(&rule->output[0], GT_INT64, gt_shape(options->length))
               ? GT_OK
               : gt_fail(GT_INVALID, "length must be from 0 on, and possible (got %lld)",
                         (long long)options->length);
}

static void places_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    gt_PlacesJob *job = gt_lower_launch(lowering, GT_TILES_places, 1, sizeof *job);
    job->size = rule->input[0]->size;
    job->length = rule->output[0].size;
}

const gt_Operation gt_op_places = {
    .size = sizeof(gt_Operation),
    .name = "places",
    .formula = "where x, seen as one row, is true, in order; then the size of x",
    .flags = GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is a position, an integer",
    .options = &PlacesOptions_type,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = places_shape,
    .lower = places_lower,
    .samples = (const gt_Sample[]){{.inputs = 1,
                                    .input = GT_INPUTS(GT_WHOLE(GT_BOOL, 0, 2, 3, 4)),
                                    .options = &GT_VALUES(PlacesOptions, 7)},
                                   GT_SAMPLES_END},
};

/* The number of places, if it is to be found in x itself. */
static int64_t count_places(gt_Tensor *x, gt_Tensor *found)
{
    gt_Context *context = gt_enter();
    gt_Value *value = context ? gt_value_read(context, NULL, NULL, "x", 0, x) : NULL;
    if (value && value->symbol >= 0)
        gt_fail(GT_UNSUPPORTED, "inside a traced function the numbers of x, and so the number of "
                                "places, are not known yet: say .length, and with .fill_value what "
                                "follows the last place");
    return gt_status() == GT_OK ? (int64_t)gt_item(gt_sum(found)) : 0;
}

static gt_Tensor *nonzero(gt_Tensor *x, const gt_nonzero_options *given)
{
    gt_nonzero_options options = GT_TAKE(gt_nonzero_options, given);
    gt_Spec in = gt_spec(x);
    if (gt_status() != GT_OK)
        return NULL;
    if (in.rank == 0) {
        gt_fail(GT_INVALID, "a number without axes has no coordinates");
        return NULL;
    }
    if (options.length < GT_INHERIT || options.length > INT32_MAX) {
        gt_fail(GT_INVALID, "a length of %lld is not possible", (long long)options.length);
        return NULL;
    }
    gt_Tensor *found = in.dtype == GT_BOOL ? x : gt_cast(x, GT_BOOL);
    bool filled = options.length != GT_INHERIT;
    PlacesOptions all = GT_VALUES(PlacesOptions, filled ? options.length : count_places(x, found));
    gt_Tensor *places = gt_apply_one_at(NULL, &gt_op_places, &all, 1, &found);
    gt_Tensor *there = filled ? gt_less(places, (double)in.size) : NULL;
    gt_Tensor *coordinate[GT_MAX_RANK];
    for (int d = in.rank - 1; d >= 0; d--) {
        coordinate[d] = gt_mod(places, (double)in.dims[d]);
        if (filled)
            coordinate[d] = gt_where(there, coordinate[d], (double)options.fill_value);
        places = gt_floor_divide(places, (double)in.dims[d]);
    }
    return gt_stack(((gt_Tensors){coordinate, in.rank}));
}
GT_COMPOSED_OPTIONS(nonzero, nonzero, gt_nonzero_options)
