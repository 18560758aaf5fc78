/* Shapes and orders: records, kernels and gradient rules of ops/array/reshaping.h. */
#include "ops/array/reshaping.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/reduce.h"

#include <string.h>

/* ---- reshape, and what is made of it ---- */

#define NO_SHAPE                                                                                   \
    {                                                                                              \
        GT_MARK, 0,                                                                                \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define SHAPE_OPTIONS(F, S) F(S, gt_Shape, shape, NO_SHAPE, "the shape of the result")
GT_OPTIONS(ShapeOptions, SHAPE_OPTIONS);
GT_OPTION_TYPE(ShapeOptions, SHAPE_OPTIONS);

static gt_Tensor *apply_shape(const char *here, const gt_Operation *operation, gt_Tensor *x,
                              gt_Shape shape)
{
    ShapeOptions options = GT_VALUES(ShapeOptions, shape);
    return gt_apply_one_at(here, operation, &options, 1, &x);
}

static gt_Status reshape_shape(gt_ShapeRule *rule)
{
    const gt_Shape *wanted = &((const ShapeOptions *)rule->options)->shape;
    const gt_Spec *in = rule->input[0];
    gt_Spec *out = &rule->output[0];
    char from[160], to[160];
    int open = -1;
    out->dtype = in->dtype;
    if (wanted->rank < 0 || wanted->rank > GT_MAX_RANK)
        return gt_fail(GT_INVALID, "the new shape has more than %d dimensions", GT_MAX_RANK);
    out->rank = wanted->rank;
    for (int d = 0; d < wanted->rank; d++) {
        out->dims[d] = wanted->dims[d];
        if (wanted->dims[d] == -1 && open >= 0)
            return gt_fail(GT_INVALID, "only one dimension may be -1, not as in %s",
                           gt_shape_text(*wanted, to, sizeof to));
        if (wanted->dims[d] == -1)
            open = d;
    }
    if (open >= 0)
        out->dims[open] = 1;
    bool fits = gt_spec_resize(out);
    if (fits && open >= 0) {
        fits = out->size > 0 && in->size % out->size == 0;
        out->dims[open] = fits ? in->size / out->size : 1;
        fits = fits && gt_spec_resize(out);
    }
    if (!fits || out->size != in->size)
        return gt_fail(GT_INVALID, "%s cannot become %s: the number of elements differs",
                       gt_shape_text(gt_spec_shape(in), from, sizeof from),
                       gt_shape_text(*wanted, to, sizeof to));
    return GT_OK;
}

static gt_Status reshape_gradient(gt_GradientRule *rule)
{
    gt_Shape shape = gt_spec_shape(gt_rule_input_spec(rule, 0));
    return gt_give(rule, 0, gt_reshape(gt_upstream(rule, 0), shape));
}

#define SHAPE(...) .options = &GT_VALUES(ShapeOptions, GT_SAMPLE_SHAPE(__VA_ARGS__))
const gt_Operation gt_op_reshape = {
    .size = sizeof(gt_Operation),
    .name = "reshape",
    .formula = "the numbers of x in another shape",
    .flags = GT_OP_VIEW | GT_OP_CARRIES | GT_OP_LINEAR | GT_OP_HALF,
    .options = &ShapeOptions_type,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = reshape_shape,
    .run = gt_run_copy,
    .gradient = reshape_gradient,
    .samples =
        (const gt_Sample[]){
            {.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3)), SHAPE(3, 2)},
            {.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 4, 3)), SHAPE(2, -1, 3)},
            GT_SAMPLES_END},
};

gt_Tensor *gt_reshape_at(const char *here, gt_Tensor *x, gt_Shape shape)
{
    return apply_shape(here, &gt_op_reshape, x, shape);
}

gt_Tensor *gt_ravel_at(const char *here, gt_Tensor *x)
{
    return apply_shape(here, &gt_op_reshape, x, gt_shape(-1));
}
gt_Tensor *(gt_ravel)(gt_Tensor *x)
{
    return gt_ravel_at(NULL, x);
}

static gt_Tensor *expand_dims(gt_Tensor *x, int axis)
{
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK || (axis = gt_axis(axis, spec.rank + 1)) < 0)
        return NULL;
    gt_Shape shape = gt_spec_shape(&spec);
    if (shape.rank < GT_MAX_RANK) {
        for (int d = shape.rank; d > axis; d--)
            shape.dims[d] = shape.dims[d - 1];
        shape.dims[axis] = 1;
    }
    shape.rank++;
    return gt_reshape(x, shape);
}
GT_COMPOSED(expand_dims, (const char *here, gt_Tensor *x, int axis), (x, axis))

GT_OPTION_TYPE(gt_squeeze_options, gt_squeeze_OPTIONS);

static gt_Tensor *squeeze(gt_Tensor *x, const gt_squeeze_options *given)
{
    gt_squeeze_options options = GT_TAKE(gt_squeeze_options, given);
    gt_Spec spec = gt_spec(x);
    uint32_t bits;
    if (gt_status() != GT_OK || !gt_axis_or_axes(options.axis, &options.axes, spec.rank, &bits))
        return NULL;
    bool named = options.axis != GT_NONE || options.axes.count >= 0;
    gt_Shape shape = {.mark = GT_MARK};
    for (int d = 0; d < spec.rank; d++) {
        bool goes = bits >> d & 1;
        if (goes && named && spec.dims[d] != 1) {
            char text[160];
            gt_fail(GT_INVALID, "axis %d of %s is not 1", d,
                    gt_shape_text(gt_spec_shape(&spec), text, sizeof text));
            return NULL;
        }
        if (!goes || spec.dims[d] != 1)
            shape.dims[shape.rank++] = spec.dims[d];
    }
    return gt_reshape(x, shape);
}
GT_COMPOSED(squeeze, (const char *here, gt_Tensor *x, const gt_squeeze_options *options),
            (x, options))
gt_Tensor *(gt_squeeze)(gt_Tensor *x)
{
    return gt_squeeze_at(NULL, x, NULL);
}

/* ---- transpose ---- */

GT_OPTION_TYPE(gt_transpose_options, gt_transpose_OPTIONS);

/* Which axis of x each axis of the result is; false with an error for what is no permutation. */
static bool permutation(const gt_Axes *perm, int rank, int axis[GT_MAX_RANK])
{
    uint32_t bits;
    if (!gt_axes_bits(perm, rank, &bits))
        return false;
    if (perm->count >= 0 && perm->count != rank) {
        gt_fail(GT_INVALID, "perm names %d axes of a tensor of rank %d", perm->count, rank);
        return false;
    }
    for (int i = 0; i < rank; i++)
        axis[i] = perm->count < 0 ? rank - 1 - i : gt_axis(perm->axis[i], rank);
    return true;
}

static gt_Status transpose_shape(gt_ShapeRule *rule)
{
    const gt_transpose_options *options = rule->options;
    const gt_Spec *in = rule->input[0];
    int axis[GT_MAX_RANK];
    if (!permutation(&options->perm, in->rank, axis))
        return gt_status();
    rule->output[0].dtype = in->dtype;
    rule->output[0].rank = in->rank;
    for (int i = 0; i < in->rank; i++)
        rule->output[0].dims[i] = in->dims[axis[i]];
    return GT_OK;
}

static gt_Status transpose_run(const gt_Kernel *kernel)
{
    const gt_transpose_options *options = kernel->options;
    const gt_Spec *in = kernel->input_spec[0], *out = kernel->output_spec[0];
    int64_t from[GT_MAX_RANK], to[GT_MAX_RANK];
    int axis[GT_MAX_RANK];
    gt_Broadcast plan;
    if (!permutation(&options->perm, in->rank, axis))
        return gt_status();
    gt_strides(in, from);
    gt_strides(out, to);
    gt_strided_begin(&plan);
    for (int i = 0; i < out->rank; i++)
        gt_strided_axis(&plan, out->dims[i], from[axis[i]], to[i]);
    return gt_strided_copy(kernel, &plan, in->dtype, kernel->input[0], kernel->output[0]);
}

static gt_Status transpose_gradient(gt_GradientRule *rule)
{
    const gt_transpose_options *options = gt_rule_options(rule);
    int rank = gt_rule_input_spec(rule, 0)->rank, axis[GT_MAX_RANK];
    gt_Axes back = {GT_MARK, rank, {0}};
    if (!permutation(&options->perm, rank, axis))
        return gt_status();
    for (int i = 0; i < rank; i++)
        back.axis[axis[i]] = i;
    return gt_give(rule, 0, gt_transpose(gt_upstream(rule, 0), .perm = back));
}

#define PERM(...) .options = &GT_VALUES(gt_transpose_options, __VA_ARGS__)
const gt_Operation gt_op_transpose = {
    .size = sizeof(gt_Operation),
    .name = "transpose",
    .formula = "x with its axes in another order",
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &gt_transpose_options_type,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = transpose_shape,
    .run = transpose_run,
    .gradient = transpose_gradient,
    .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))},
                                   {.inputs = 1,
                                    .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3, 4)),
                                    PERM({GT_MARK, 3, {1, 2, 0}})},
                                   {.inputs = 1,
                                    .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3, 2, 2)),
                                    PERM({GT_MARK, 4, {0, -1, 1, 2}})},
                                   GT_SAMPLES_END},
};

gt_Tensor *gt_transpose_at(const char *here, gt_Tensor *x, const gt_transpose_options *options)
{
    return gt_apply_one_at(here, &gt_op_transpose, options, 1, &x);
}
gt_Tensor *(gt_transpose)(gt_Tensor *x)
{
    return gt_transpose_at(NULL, x, NULL);
}

static gt_Tensor *moveaxis(gt_Tensor *x, gt_Axes from, gt_Axes to)
{
    gt_Spec spec = gt_spec(x);
    uint32_t taken, placed;
    if (gt_status() != GT_OK || !gt_axes_bits(&from, spec.rank, &taken) ||
        !gt_axes_bits(&to, spec.rank, &placed))
        return NULL;
    if (from.count != to.count || from.count < 0) {
        gt_fail(GT_INVALID, "%d axes cannot become %d axes", from.count, to.count);
        return NULL;
    }
    gt_Axes perm = {GT_MARK, spec.rank, {0}};
    for (int i = 0, next = 0; i < spec.rank; i++)
        if (!(placed >> i & 1)) {
            while (taken >> next & 1)
                next++;
            perm.axis[i] = next++;
        }
    for (int i = 0; i < from.count; i++)
        perm.axis[gt_axis(to.axis[i], spec.rank)] = from.axis[i];
    return gt_transpose(x, .perm = perm);
}
GT_COMPOSED(moveaxis, (const char *here, gt_Tensor *x, gt_Axes from, gt_Axes to), (x, from, to))

static gt_Tensor *swapaxes(gt_Tensor *x, int axis1, int axis2)
{
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK || (axis1 = gt_axis(axis1, spec.rank)) < 0 ||
        (axis2 = gt_axis(axis2, spec.rank)) < 0)
        return NULL;
    gt_Axes perm = {GT_MARK, spec.rank, {0}};
    for (int i = 0; i < spec.rank; i++)
        perm.axis[i] = i == axis1 ? axis2 : i == axis2 ? axis1 : i;
    return gt_transpose(x, .perm = perm);
}
GT_COMPOSED(swapaxes, (const char *here, gt_Tensor *x, int axis1, int axis2), (x, axis1, axis2))

/* ---- broadcast_to, and what is made of it ---- */

static gt_Status broadcast_to_shape(gt_ShapeRule *rule)
{
    const gt_Shape *wanted = &((const ShapeOptions *)rule->options)->shape;
    const gt_Spec *in = rule->input[0];
    char from[160], to[160];
    bool fits = wanted->rank >= in->rank && wanted->rank <= GT_MAX_RANK;
    int missing = fits ? wanted->rank - in->rank : 0;
    for (int d = 0; fits && d < in->rank; d++)
        fits = in->dims[d] == 1 || in->dims[d] == wanted->dims[d + missing];
    if (!fits)
        return gt_fail(GT_INVALID, "%s does not broadcast to %s",
                       gt_shape_text(gt_spec_shape(in), from, sizeof from),
                       gt_shape_text(*wanted, to, sizeof to));
    rule->output[0].dtype = in->dtype;
    rule->output[0].rank = wanted->rank;
    memcpy(rule->output[0].dims, wanted->dims, sizeof wanted->dims);
    return GT_OK;
}

static gt_Status broadcast_to_run(const gt_Kernel *kernel)
{
    const gt_Spec *in = kernel->input_spec[0], *out = kernel->output_spec[0];
    int64_t from[GT_MAX_RANK], to[GT_MAX_RANK];
    int missing = out->rank - in->rank;
    gt_Broadcast plan;
    gt_strides(in, from);
    gt_strides(out, to);
    gt_strided_begin(&plan);
    for (int d = 0; d < out->rank; d++) {
        bool stretched = d < missing || in->dims[d - missing] == 1;
        gt_strided_axis(&plan, out->dims[d], stretched ? 0 : from[d - missing], to[d]);
    }
    return gt_strided_copy(kernel, &plan, in->dtype, kernel->input[0], kernel->output[0]);
}

static gt_Status broadcast_to_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_unbroadcast(gt_upstream(rule, 0), gt_rule_input_spec(rule, 0)));
}

const gt_Operation gt_op_broadcast_to = {
    .size = sizeof(gt_Operation),
    .name = "broadcast_to",
    .formula = "x stretched to a shape",
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &ShapeOptions_type,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = broadcast_to_shape,
    .run = broadcast_to_run,
    .gradient = broadcast_to_gradient,
    .samples =
        (const gt_Sample[]){
            {.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 3)), SHAPE(2, 3)},
            {.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 1, 2)), SHAPE(2, 2, 3, 2)},
            {.inputs = 1, .input = GT_INPUTS(GT_REAL_SCALAR(-2, 2)), SHAPE(2, 2)},
            GT_SAMPLES_END},
};

gt_Tensor *gt_broadcast_to_at(const char *here, gt_Tensor *x, gt_Shape shape)
{
    return apply_shape(here, &gt_op_broadcast_to, x, shape);
}

/* x, seen as before x count x inner, copied `times` times between `before` and the rest. */
static gt_Tensor *copies(gt_Tensor *x, int64_t before, int64_t times, int64_t rest)
{
    x = gt_reshape(x, gt_shape(before, 1, rest));
    return gt_broadcast_to(x, gt_shape(before, times, rest));
}

static int64_t product(const int64_t *dims, int from, int to)
{
    int64_t size = 1;
    for (int d = from; d < to; d++)
        size *= dims[d];
    return size;
}

GT_OPTION_TYPE(gt_repeat_options, gt_repeat_OPTIONS);

static bool not_negative(int64_t repeats)
{
    if (repeats < 0)
        gt_fail(GT_INVALID, "%lld times is not possible", (long long)repeats);
    return repeats >= 0;
}

/* One axis becomes `times` as long. */
static bool lengthen(gt_Spec *spec, int axis, int64_t times)
{
    if (!not_negative(times))
        return false;
    int64_t length = spec->dims[axis];
    char text[160];
    spec->dims[axis] = times > 0 && length > INT64_MAX / times ? -1 : length * times;
    if (gt_spec_resize(spec))
        return true;
    spec->dims[axis] = length;
    gt_fail(GT_INVALID, "%lld times axis %d of %s would be too large", (long long)times, axis,
            gt_shape_text(gt_spec_shape(spec), text, sizeof text));
    return false;
}

/* Element i of an axis repeats[i] times: the elements at 0, 0, 1, 1, 1, 3, ... */
static gt_Tensor *repeat_each(gt_Tensor *x, gt_Integers repeats, int axis)
{
    int64_t length = gt_dim(gt_tensor_shape(x), axis), total = 0;
    if (repeats.count != length) {
        gt_fail(GT_INVALID, "%lld numbers for axis %d of length %lld", (long long)repeats.count,
                axis, (long long)length);
        return NULL;
    }
    for (int64_t i = 0; i < length; i++) {
        if (!not_negative(repeats.items[i]))
            return NULL;
        if (repeats.items[i] > INT64_MAX / (int64_t)sizeof(int64_t) - total) {
            gt_fail(GT_INVALID, "the result would be too large");
            return NULL;
        }
        total += repeats.items[i];
    }
    gt_Context *context = gt_context();
    int64_t *index = gt_allocate(context, (size_t)total * sizeof *index), next = 0;
    if (!index)
        return NULL;
    for (int64_t i = 0; i < length; i++)
        for (int64_t k = 0; k < repeats.items[i]; k++)
            index[next++] = i;
    gt_Tensor *which = gt_from_data(index, gt_shape(total), GT_INT64);
    gt_release(context, index, (size_t)total * sizeof *index);
    return gt_take(x, which, .axis = axis);
}

static gt_Tensor *repeat(gt_Tensor *x, gt_Integers repeats, const gt_repeat_options *given)
{
    gt_repeat_options options = GT_TAKE(gt_repeat_options, given);
    if (options.axis == GT_NONE)
        x = gt_ravel(x);
    gt_Spec spec = gt_spec(x);
    int axis = options.axis == GT_NONE ? 0 : options.axis;
    if (gt_status() != GT_OK || (axis = gt_axis(axis, spec.rank)) < 0)
        return NULL;
    if (repeats.items)
        return repeat_each(x, repeats, axis);
    int64_t before = product(spec.dims, 0, axis + 1);
    int64_t rest = product(spec.dims, axis + 1, spec.rank);
    if (!lengthen(&spec, axis, repeats.number))
        return NULL;
    return gt_reshape(copies(x, before, repeats.number, rest), gt_spec_shape(&spec));
}
GT_COMPOSED(repeat,
            (const char *here, gt_Tensor *x, gt_Integers repeats, const gt_repeat_options *options),
            (x, repeats, options))

static gt_Tensor *tile(gt_Tensor *x, gt_Shape repeats)
{
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK)
        return NULL;
    if (repeats.rank < 0) {
        gt_fail(GT_INVALID, "more than %d numbers of copies", GT_MAX_RANK);
        return NULL;
    }
    int rank = repeats.rank > spec.rank ? repeats.rank : spec.rank;
    gt_Spec result = {.dtype = spec.dtype, .rank = rank};
    for (int d = 0; d < rank; d++) {
        int own = d - (rank - spec.rank);
        result.dims[d] = own < 0 ? 1 : spec.dims[own];
    }
    for (int d = rank - 1; d >= 0; d--) {
        int given = d - (rank - repeats.rank);
        int64_t times = given < 0 ? 1 : repeats.dims[given];
        int64_t before = product(result.dims, 0, d), rest = product(result.dims, d, rank);
        if (!lengthen(&result, d, times))
            return NULL;
        if (times != 1)
            x = copies(x, before, times, rest);
    }
    return gt_reshape(x, gt_spec_shape(&result));
}
GT_COMPOSED(tile, (const char *here, gt_Tensor *x, gt_Shape repeats), (x, repeats))

/* ---- flip and roll ---- */

GT_OPTION_TYPE(gt_flip_options, gt_flip_OPTIONS);

static gt_Status flip_shape(gt_ShapeRule *rule)
{
    const gt_flip_options *options = rule->options;
    uint32_t bits;
    rule->output[0] = *rule->input[0];
    gt_axis_or_axes(options->axis, &options->axes, rule->input[0]->rank, &bits);
    return gt_status();
}

static gt_Status flip_run(const gt_Kernel *kernel)
{
    const gt_flip_options *options = kernel->options;
    const gt_Spec *in = kernel->input_spec[0];
    int64_t stride[GT_MAX_RANK], start = 0;
    uint32_t bits;
    gt_Broadcast plan;
    if (!gt_axis_or_axes(options->axis, &options->axes, in->rank, &bits))
        return gt_status();
    if (in->size == 0)
        return GT_OK;
    gt_strides(in, stride);
    gt_strided_begin(&plan);
    for (int d = 0; d < in->rank; d++) {
        bool flips = bits >> d & 1;
        start += flips ? (in->dims[d] - 1) * stride[d] : 0;
        gt_strided_axis(&plan, in->dims[d], flips ? -stride[d] : stride[d], stride[d]);
    }
    return gt_strided_copy(kernel, &plan, in->dtype,
                           (const char *)kernel->input[0] +
                               (size_t)start * gt_dtype_size(in->dtype),
                           kernel->output[0]);
}

static gt_Status flip_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_flip_at(NULL, gt_upstream(rule, 0), gt_rule_options(rule)));
}

#define FLIP(...)                                                                                  \
    .options = &(const gt_flip_options)                                                            \
    {                                                                                              \
        GT_PRESETS(gt_flip_options, gt_flip_OPTIONS) __VA_ARGS__                                   \
    }
const gt_Operation gt_op_flip = {
    .size = sizeof(gt_Operation),
    .name = "flip",
    .formula = "x backwards along axes",
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &gt_flip_options_type,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = flip_shape,
    .run = flip_run,
    .gradient = flip_gradient,
    .samples =
        (const gt_Sample[]){
            {.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3))},
            {.inputs = 1, .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3, 2)), FLIP(.axis = 1)},
            GT_SAMPLES_END},
};

gt_Tensor *gt_flip_at(const char *here, gt_Tensor *x, const gt_flip_options *options)
{
    return gt_apply_one_at(here, &gt_op_flip, options, 1, &x);
}
gt_Tensor *(gt_flip)(gt_Tensor *x)
{
    return gt_flip_at(NULL, x, NULL);
}

GT_OPTION_TYPE(gt_roll_options, gt_roll_OPTIONS);

static gt_Tensor *rolled(gt_Tensor *x, int64_t shift, int axis)
{
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK || (axis = gt_axis(axis, spec.rank)) < 0)
        return NULL;
    int64_t count = spec.dims[axis];
    int64_t back = count ? (count - shift % count) % count : 0; /* the element that comes first */
    gt_Shape start = {GT_MARK, spec.rank, {0}}, middle = start;
    gt_Shape tail = gt_spec_shape(&spec), head = tail;
    middle.dims[axis] = head.dims[axis] = back;
    tail.dims[axis] = count - back;
    return gt_concatenate(gt_tensors(gt_slice(x, middle, tail), gt_slice(x, start, head)),
                          .axis = axis);
}

static gt_Tensor *roll(gt_Tensor *x, gt_Integers shift, const gt_roll_options *given)
{
    gt_roll_options options = GT_TAKE(gt_roll_options, given);
    if (!gt_axes_valid(&options.axes))
        return NULL;
    gt_Axes axes = options.axis == GT_NONE ? options.axes : gt_axes(options.axis);
    bool flat = axes.count < 0;
    gt_Shape shape = gt_tensor_shape(x);
    if (options.axis != GT_NONE && options.axes.count >= 0) {
        gt_fail(GT_INVALID, "give axis or axes, not both");
        return NULL;
    }
    if (flat) {
        x = gt_ravel(x);
        axes = gt_axes(0);
    }
    if (shift.items && shift.count != axes.count) {
        gt_fail(GT_INVALID, "%lld shifts for %d axes", (long long)shift.count, axes.count);
        return NULL;
    }
    for (int i = 0; i < axes.count; i++)
        x = rolled(x, shift.items ? shift.items[i] : shift.number, axes.axis[i]);
    return flat ? gt_reshape(x, shape) : axes.count ? x : gt_identity(x);
}
GT_COMPOSED(roll,
            (const char *here, gt_Tensor *x, gt_Integers shift, const gt_roll_options *options),
            (x, shift, options))

/* ---- pad ---- */

#define PAD_OPTIONS(F, S)                                                                          \
    F(S, gt_Shape, before, NO_SHAPE, "how many more at the start of each axis")                    \
    F(S, gt_Shape, after, NO_SHAPE, "how many more at its end")                                    \
    F(S, double, value, 0, "what is put there")
GT_OPTIONS(PadOptions, PAD_OPTIONS);
GT_OPTION_TYPE(PadOptions, PAD_OPTIONS);
GT_OPTION_TYPE(gt_pad_options, gt_pad_OPTIONS);

static gt_Status pad_shape(gt_ShapeRule *rule)
{
    const PadOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    const gt_Shape *before = &options->before, *after = &options->after;
    char a[160], b[160], x[160];
    bool fits = before->rank == in->rank && after->rank == in->rank;
    rule->output[0] = *in;
    for (int d = 0; fits && d < in->rank; d++) {
        int64_t *dim = &rule->output[0].dims[d];
        fits = before->dims[d] >= 0 && after->dims[d] >= 0 && before->dims[d] <= INT64_MAX - *dim &&
               after->dims[d] <= INT64_MAX - *dim - before->dims[d];
        *dim += fits ? before->dims[d] + after->dims[d] : 0;
    }
    if (!fits)
        return gt_fail(GT_INVALID, "%s cannot have %s before and %s after it",
                       gt_shape_text(gt_spec_shape(in), x, sizeof x),
                       gt_shape_text(*before, a, sizeof a), gt_shape_text(*after, b, sizeof b));
    if (!gt_number_fits(in->dtype, options->value))
        return gt_fail(GT_INVALID, "%g is not a number of type %s", options->value,
                       gt_dtype_name(in->dtype));
    return GT_OK;
}

static gt_Status pad_run(const gt_Kernel *kernel)
{
    const PadOptions *options = kernel->options;
    const gt_Spec *in = kernel->input_spec[0], *out = kernel->output_spec[0];
    int64_t from[GT_MAX_RANK], to[GT_MAX_RANK], start = 0;
    gt_Broadcast plan;
    gt_fill(out->dtype, out->size, options->value, kernel->output[0]);
    gt_strides(in, from);
    gt_strides(out, to);
    gt_strided_begin(&plan);
    for (int d = 0; d < in->rank; d++) {
        start += options->before.dims[d] * to[d];
        gt_strided_axis(&plan, in->dims[d], from[d], to[d]);
    }
    if (in->size == 0)
        return GT_OK;
    return gt_strided_copy(kernel, &plan, in->dtype, kernel->input[0],
                           (char *)kernel->output[0] + (size_t)start * gt_dtype_size(in->dtype));
}

static gt_Status pad_gradient(gt_GradientRule *rule)
{
    const PadOptions *options = gt_rule_options(rule);
    gt_Shape size = gt_spec_shape(gt_rule_input_spec(rule, 0));
    return gt_give(rule, 0, gt_slice(gt_upstream(rule, 0), options->before, size));
}

const gt_Operation gt_op_pad = {
    .size = sizeof(gt_Operation),
    .name = "pad",
    .formula = "x with a number around it",
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &PadOptions_type,
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = pad_shape,
    .run = pad_run,
    .gradient = pad_gradient,
    .samples = (const gt_Sample[]){{.inputs = 1,
                                    .input = GT_INPUTS(GT_REAL(-2, 2, 2, 3)),
                                    .options = &GT_VALUES(PadOptions, {GT_MARK, 2, {1, 0}},
                                                          {GT_MARK, 2, {0, 2}}, -1)},
                                   GT_SAMPLES_END},
};

gt_Tensor *gt_fold_indices(gt_Tensor *indices, int64_t n, gt_PadMode mode)
{
    double most = (double)(n - 1), period = 2 * (double)n;
    switch (mode) {
    case GT_PAD_MODE_EDGE:
        return gt_maximum(gt_minimum(indices, most), 0);
    case GT_PAD_MODE_WRAP:
        return gt_mod(indices, (double)n);
    case GT_PAD_MODE_REFLECT: /* by 0 is 0 */
        indices = gt_mod(indices, 2 * most);
        return gt_minimum(indices, gt_add(gt_negative(indices), 2 * most));
    case GT_PAD_MODE_SYMMETRIC:
        indices = gt_mod(indices, period);
        return gt_minimum(indices, gt_add(gt_negative(indices), period - 1));
    default:
        gt_fail(GT_INVALID, "unknown padding mode %d", (int)mode);
        return NULL;
    }
}

/* Axis by axis the elements that the indices of the result fold to. */
static gt_Tensor *pad_repeating(gt_Tensor *x, gt_Shape before, gt_Shape after, gt_PadMode mode)
{
    gt_Spec in = gt_spec(x);
    char a[160], b[160], text[160];
    bool fits = gt_status() == GT_OK && before.rank == in.rank && after.rank == in.rank;
    for (int d = 0; fits && d < in.rank; d++) {
        int64_t most = INT32_MAX, more[2] = {before.dims[d], after.dims[d]};
        fits = more[0] >= 0 && more[0] <= most && more[1] >= 0 && more[1] <= most &&
               (in.dims[d] > 0 || more[0] + more[1] == 0);
    }
    if (!fits) {
        gt_fail(GT_INVALID, "%s cannot be repeated %s before and %s after it",
                gt_shape_text(gt_spec_shape(&in), text, sizeof text),
                gt_shape_text(before, a, sizeof a), gt_shape_text(after, b, sizeof b));
        return NULL;
    }
    for (int d = 0; d < in.rank; d++)
        if (before.dims[d] + after.dims[d] > 0) {
            gt_Tensor *indices =
                gt_arange(-(double)before.dims[d], (double)(in.dims[d] + after.dims[d]), 1,
                          .dtype = GT_INT64);
            x = gt_take(x, gt_fold_indices(indices, in.dims[d], mode), .axis = d);
        }
    return x;
}

static gt_Tensor *pad(gt_Tensor *x, gt_Shape before, gt_Shape after, const gt_pad_options *given)
{
    gt_pad_options options = GT_TAKE(gt_pad_options, given);
    if (options.mode != GT_PAD_MODE_CONSTANT)
        return pad_repeating(x, before, after, options.mode);
    PadOptions all = GT_VALUES(PadOptions, before, after, options.value);
    return gt_apply_one_at(NULL, &gt_op_pad, &all, 1, &x);
}
GT_COMPOSED(pad,
            (const char *here, gt_Tensor *x, gt_Shape before, gt_Shape after,
             const gt_pad_options *options),
            (x, before, after, options))

/* ---- turns and grids ---- */

static gt_Tensor *fliplr(gt_Tensor *x)
{
    return gt_flip(x, .axis = 1);
}
GT_COMPOSED_UNARY(fliplr, fliplr)

static gt_Tensor *flipud(gt_Tensor *x)
{
    return gt_flip(x, .axis = 0);
}
GT_COMPOSED_UNARY(flipud, flipud)

GT_OPTION_TYPE(gt_rot90_options, gt_rot90_OPTIONS);
GT_OPTION_TYPE(gt_meshgrid_options, gt_meshgrid_OPTIONS);

static gt_Tensor *rot90(gt_Tensor *x, const gt_rot90_options *given)
{
    gt_rot90_options options = GT_TAKE(gt_rot90_options, given);
    int rank = gt_rank(x);
    int from = gt_status() == GT_OK ? gt_axis(options.axis1, rank) : -1;
    int to = from < 0 ? -1 : gt_axis(options.axis2, rank);
    if (to < 0)
        return NULL;
    if (from == to) {
        gt_fail(GT_INVALID, "axis1 and axis2 are both %d", from);
        return NULL;
    }
    switch (options.k & 3) {
    case 1:
        return gt_swapaxes(gt_flip(x, .axis = to), from, to);
    case 2:
        return gt_flip(x, .axes = gt_axes(from, to));
    case 3:
        return gt_flip(gt_swapaxes(x, from, to), .axis = to);
    default:
        return gt_identity(x);
    }
}
GT_COMPOSED_OPTIONS(rot90, rot90, gt_rot90_options)

static gt_Status meshgrid(gt_Tensors vectors, gt_Tensor **grids, const gt_meshgrid_options *given)
{
    gt_meshgrid_options options = GT_TAKE(gt_meshgrid_options, given);
    if (vectors.count < 1 || vectors.count > GT_MAX_RANK || !vectors.items || !grids)
        return gt_fail(GT_INVALID, "it takes 1 to %d vectors", GT_MAX_RANK);
    gt_Shape full = {.mark = GT_MARK, .rank = vectors.count};
    bool swap = !options.matrix && vectors.count > 1;
    for (int i = 0; i < vectors.count; i++) {
        gt_Spec spec = gt_spec(vectors.items[i]);
        if (gt_status() == GT_OK && spec.rank > 1)
            gt_fail(GT_INVALID, "vector %d has %d axes", i + 1, spec.rank);
        full.dims[swap && i < 2 ? 1 - i : i] = spec.size;
    }
    for (int i = 0; i < vectors.count && gt_status() == GT_OK; i++) {
        gt_Shape alone = {.mark = GT_MARK, .rank = full.rank};
        for (int d = 0; d < full.rank; d++)
            alone.dims[d] = d == (swap && i < 2 ? 1 - i : i) ? full.dims[d] : 1;
        grids[i] = gt_broadcast_to(gt_reshape(vectors.items[i], alone), full);
    }
    return gt_status();
}

gt_Status gt_meshgrid_at(const char *here, gt_Tensors vectors, gt_Tensor **grids,
                         const gt_meshgrid_options *options)
{
    gt_Site site = gt_site_enter(here, "meshgrid");
    gt_Status status = meshgrid(vectors, grids, options);
    gt_site_leave(site);
    for (int i = 0; grids && status != GT_OK && i < vectors.count; i++)
        grids[i] = NULL;
    return status;
}
