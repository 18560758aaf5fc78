/* Broadcasting, the usual shape rules and kernels, axes. Leans on core. */
#include "ops/kit.h"
#include "ops/arithmetic.h"
#include "ops/cast.h"
#include "ops/reduce.h"
#include "ops/reshaping.h"

#include <string.h>

/* ---- shape rules ---- */

bool gt_takes(const gt_Spec *spec, unsigned types)
{
    unsigned is = gt_dtype_is_float(spec->dtype)     ? GT_TAKES_FLOAT
                  : gt_dtype_is_integer(spec->dtype) ? GT_TAKES_INTEGER
                                                     : GT_TAKES_BOOL;
    if (types & is && gt_storable(spec->dtype))
        return true;
    gt_fail(GT_INVALID, "type %s is not possible here; it takes %s", gt_dtype_name(spec->dtype),
            types == GT_TAKES_FLOAT    ? "float32 and float64"
            : types == GT_TAKES_NUMBER ? "floats and integers"
            : types == GT_TAKES_BOOL   ? "bool"
                                       : "integers");
    return false;
}

gt_Status gt_want_logits(const gt_Tensor *x, const char *what)
{
    gt_Slot *slot = gt_slot_raw(x);
    if (x && gt_slot_alive(slot, x) && slot->origin)
        return gt_fail(GT_INVALID, "%s must be logits (got the output of %s): give its input", what,
                       slot->origin->operation->name);
    return gt_status();
}

gt_Status gt_shape_same(gt_ShapeRule *rule, unsigned types)
{
    rule->output[0] = *rule->input[0];
    return gt_takes(rule->input[0], types) ? GT_OK : gt_status();
}

gt_Status gt_shape_float(gt_ShapeRule *rule)
{
    return gt_shape_same(rule, GT_TAKES_FLOAT);
}

gt_Status gt_shape_number(gt_ShapeRule *rule)
{
    return gt_shape_same(rule, GT_TAKES_NUMBER);
}

gt_Status gt_shape_broadcast(gt_ShapeRule *rule, int first, unsigned types)
{
    gt_Spec *out = &rule->output[0];
    out->dtype = rule->input[first]->dtype;
    if (!gt_takes(rule->input[first], types))
        return gt_status();
    for (int i = 0; i < rule->inputs; i++)
        if (rule->input[i]->rank > out->rank)
            out->rank = rule->input[i]->rank;
    for (int d = 0; d < out->rank; d++)
        out->dims[d] = 1;
    for (int i = 0; i < rule->inputs; i++) {
        const gt_Spec *in = rule->input[i];
        if (i >= first && in->dtype != out->dtype)
            return gt_fail(GT_INVALID, "types differ: %s and %s; gt_cast one of them",
                           gt_dtype_name(out->dtype), gt_dtype_name(in->dtype));
        for (int d = 0; d < in->rank; d++) {
            int64_t *dim = &out->dims[d + out->rank - in->rank];
            if (*dim == 1) {
                *dim = in->dims[d];
            } else if (in->dims[d] != 1 && in->dims[d] != *dim) {
                char a[160], b[160];
                return gt_fail(GT_INVALID, "shapes do not broadcast: %s and %s",
                               gt_shape_text(gt_spec_shape(rule->input[i ? 0 : 1]), a, sizeof a),
                               gt_shape_text(gt_spec_shape(in), b, sizeof b));
            }
        }
    }
    return GT_OK;
}

gt_Status gt_shape_binary_float(gt_ShapeRule *rule)
{
    return gt_shape_broadcast(rule, 0, GT_TAKES_FLOAT);
}

gt_Status gt_shape_binary_number(gt_ShapeRule *rule)
{
    return gt_shape_broadcast(rule, 0, GT_TAKES_NUMBER);
}

gt_Status gt_shape_compare(gt_ShapeRule *rule)
{
    gt_Status status = gt_shape_broadcast(rule, 0, GT_TAKES_ANY);
    rule->output[0].dtype = GT_BOOL;
    return status;
}

/* ---- kernels ---- */

static void chunk_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                        void *scratch)
{
    (void)scratch;
    gt_ChunkBody *const *body = argument;
    int64_t size = kernel->output_spec[0]->size;
    int64_t begin = first * GT_CHUNK, end = last * GT_CHUNK < size ? last * GT_CHUNK : size;
    (*body)(kernel, begin, end - begin);
}

gt_Status gt_run_chunks(const gt_Kernel *kernel, gt_ChunkBody *body)
{
    int64_t size = kernel->output_spec[0]->size;
    return gt_for_tiles(kernel, (size + GT_CHUNK - 1) / GT_CHUNK, chunk_tiles, &body);
}

static void unary_body(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                       void *scratch)
{
    (void)scratch;
    gt_UnaryLoop *const *loop = argument;
    const gt_Spec *spec = kernel->output_spec[0];
    int64_t begin = first * GT_CHUNK, end = last * GT_CHUNK;
    if (end > spec->size)
        end = spec->size;
    size_t size = gt_dtype_size(spec->dtype);
    (*loop)(end - begin, (const char *)kernel->input[0] + (size_t)begin * size,
            (char *)kernel->output[0] + (size_t)begin * size);
}

gt_Status gt_run_unary(const gt_Kernel *kernel, gt_UnaryLoop *const loops[GT_LOOP_TYPES])
{
    const gt_Spec *spec = kernel->output_spec[0];
    gt_UnaryLoop *loop = loops[gt_loop_type(spec->dtype)];
    if (spec->size <= GT_CHUNK) {
        loop(spec->size, kernel->input[0], kernel->output[0]);
        return GT_OK;
    }
    return gt_for_tiles(kernel, (spec->size + GT_CHUNK - 1) / GT_CHUNK, unary_body, &loop);
}

/* Dimensions of size 1 go; neighbours join where every operand steps through them as one. */
void gt_broadcast_plan(gt_Broadcast *plan, const gt_Spec *output, int inputs,
                       const gt_Spec *const *input)
{
    int64_t stride[3][GT_MAX_RANK];
    for (int i = 0; i < inputs; i++) {
        int64_t step = 1;
        int missing = output->rank - input[i]->rank;
        for (int d = output->rank - 1; d >= 0; d--) {
            int64_t dim = d >= missing ? input[i]->dims[d - missing] : 1;
            stride[i][d] = dim == 1 ? 0 : step;
            step *= dim;
        }
    }
    plan->inputs = inputs;
    plan->rank = 0;
    for (int d = 0; d < output->rank; d++) {
        if (output->dims[d] == 1)
            continue;
        int r = plan->rank;
        bool joins = r > 0;
        for (int i = 0; joins && i < inputs; i++)
            joins = plan->stride[i][r - 1] == stride[i][d] * output->dims[d];
        if (!joins)
            r = plan->rank++;
        else
            r--;
        plan->dims[r] = joins ? plan->dims[r] * output->dims[d] : output->dims[d];
        for (int i = 0; i < inputs; i++)
            plan->stride[i][r] = stride[i][d];
    }
    if (plan->rank == 0) {
        plan->rank = 1;
        plan->dims[0] = 1;
        for (int i = 0; i < inputs; i++)
            plan->stride[i][0] = 0;
    }
    gt_broadcast_cut(plan, GT_CHUNK);
}

/* A tile is several rows of the innermost dimension, or a piece of one, of `chunk` elements. */
void gt_broadcast_cut(gt_Broadcast *plan, int64_t chunk)
{
    plan->inner = plan->dims[plan->rank - 1];
    plan->outer = 1;
    for (int d = 0; d < plan->rank - 1; d++)
        plan->outer *= plan->dims[d];
    plan->chunk = plan->inner < chunk ? plan->inner : chunk;
    plan->chunks = plan->chunk ? (plan->inner + plan->chunk - 1) / plan->chunk : 0;
    plan->rows = plan->inner && plan->inner < chunk ? chunk / plan->inner : 1;
    plan->tiles = plan->chunks > 1 ? plan->outer * plan->chunks
                                   : (plan->outer + plan->rows - 1) / plan->rows * plan->chunks;
}

typedef struct BroadcastJob {
    const gt_Broadcast *plan;
    gt_BroadcastBody *body;
    const void *argument;
} BroadcastJob;

static void broadcast_rows(const gt_Kernel *kernel, const BroadcastJob *job, int64_t first,
                           int64_t last, int64_t from, int64_t n)
{
    const gt_Broadcast *plan = job->plan;
    int inner = plan->rank - 1;
    int64_t index[GT_MAX_RANK] = {0}, offset[3] = {0}, rest = first;
    for (int d = inner - 1; d >= 0; d--) {
        index[d] = rest % plan->dims[d];
        rest /= plan->dims[d];
    }
    for (int64_t row = first; row < last; row++) {
        for (int i = 0; i < plan->inputs; i++) {
            offset[i] = from * plan->stride[i][inner];
            for (int d = 0; d < inner; d++)
                offset[i] += index[d] * plan->stride[i][d];
        }
        job->body(kernel, job->argument, plan, n, offset, row * plan->inner + from);
        for (int d = inner - 1; d >= 0; d--) {
            if (++index[d] < plan->dims[d])
                break;
            index[d] = 0;
        }
    }
}

static void broadcast_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                            void *scratch)
{
    (void)scratch;
    const BroadcastJob *job = argument;
    const gt_Broadcast *plan = job->plan;
    if (plan->chunks == 1) {
        int64_t end = last * plan->rows < plan->outer ? last * plan->rows : plan->outer;
        broadcast_rows(kernel, job, first * plan->rows, end, 0, plan->inner);
        return;
    }
    for (int64_t tile = first; tile < last; tile++) {
        int64_t row = tile / plan->chunks, from = tile % plan->chunks * plan->chunk;
        int64_t n = plan->inner - from < plan->chunk ? plan->inner - from : plan->chunk;
        broadcast_rows(kernel, job, row, row + 1, from, n);
    }
}

gt_Status gt_broadcast_run(const gt_Kernel *kernel, const gt_Broadcast *plan,
                           gt_BroadcastBody *body, const void *argument)
{
    BroadcastJob job = {plan, body, argument};
    return gt_for_tiles(kernel, plan->tiles, broadcast_tiles, &job);
}

static void binary_body(const gt_Kernel *kernel, const void *argument, const gt_Broadcast *plan,
                        int64_t n, const int64_t *offset, int64_t output)
{
    gt_BinaryLoop *const *loop = argument;
    size_t in = gt_dtype_size(kernel->input_spec[0]->dtype);
    size_t out = gt_dtype_size(kernel->output_spec[0]->dtype);
    (*loop)(n, (const char *)kernel->input[0] + (size_t)offset[0] * in,
            plan->stride[0][plan->rank - 1],
            (const char *)kernel->input[1] + (size_t)offset[1] * in,
            plan->stride[1][plan->rank - 1], (char *)kernel->output[0] + (size_t)output * out);
}

gt_Status gt_run_binary(const gt_Kernel *kernel, gt_BinaryLoop *const loops[GT_LOOP_TYPES])
{
    gt_BinaryLoop *loop = loops[gt_loop_type(kernel->input_spec[0]->dtype)];
    const gt_Spec *a = kernel->input_spec[0], *b = kernel->input_spec[1];
    const gt_Spec *out = kernel->output_spec[0];
    bool whole_a = a->size == out->size, whole_b = b->size == out->size;
    if (out->size <= GT_CHUNK && (whole_a || a->size == 1) && (whole_b || b->size == 1) &&
        (whole_a || whole_b)) {
        loop(out->size, kernel->input[0], whole_a, kernel->input[1], whole_b, kernel->output[0]);
        return GT_OK;
    }
    gt_Broadcast plan;
    gt_broadcast_plan(&plan, out, 2, kernel->input_spec);
    return gt_broadcast_run(kernel, &plan, binary_body, &loop);
}

/* ---- axes ---- */

int gt_axis(int axis, int rank)
{
    if (rank >= 0 && axis >= -rank && axis < rank)
        return axis < 0 ? axis + rank : axis;
    gt_fail(GT_INVALID, "there is no axis %d in a tensor of rank %d", axis, rank);
    return -1;
}

bool gt_axes_valid(const gt_Axes *axes)
{
    if (axes->mark != GT_AXES_MARK)
        gt_fail(GT_INVALID, "a set of axes must be gt_axes(...) (got the number %d)",
                (int)axes->mark);
    else if (axes->count > GT_MAX_RANK)
        gt_fail(GT_INVALID, "more than %d axes", GT_MAX_RANK);
    else
        return true;
    return false;
}

bool gt_axes_bits(const gt_Axes *axes, int rank, uint32_t *bits)
{
    *bits = 0;
    if (!gt_axes_valid(axes))
        return false;
    if (axes->count < 0) {
        *bits = (1u << rank) - 1;
        return true;
    }
    for (int i = 0; i < axes->count; i++) {
        int axis = gt_axis(axes->axis[i], rank);
        if (axis < 0)
            return false;
        if (*bits >> axis & 1) {
            gt_fail(GT_INVALID, "axis %d is named twice", axis);
            return false;
        }
        *bits |= 1u << axis;
    }
    return true;
}

bool gt_axis_or_axes(int axis, const gt_Axes *axes, int rank, uint32_t *bits)
{
    if (axis == GT_NONE || !gt_axes_valid(axes))
        return gt_axes_bits(axes, rank, bits);
    if (axes->count >= 0) {
        gt_fail(GT_INVALID, "give axis or axes, not both");
        return false;
    }
    int one = gt_axis(axis, rank);
    *bits = one < 0 ? 0 : 1u << one;
    return one >= 0;
}

void gt_reduced_shape(const gt_Spec *in, uint32_t bits, bool keepdims, gt_Spec *out)
{
    out->rank = 0;
    for (int d = 0; d < in->rank; d++)
        if (!(bits >> d & 1))
            out->dims[out->rank++] = in->dims[d];
        else if (keepdims)
            out->dims[out->rank++] = 1;
}

gt_Axes gt_reduced_last(int rank, uint32_t bits)
{
    gt_Axes perm = gt_axes();
    for (int last = 0; last < 2; last++)
        for (int d = 0; d < rank; d++)
            if ((int)(bits >> d & 1) == last)
                perm.axis[perm.count++] = d;
    return perm;
}

int64_t gt_reduced_count(const gt_Spec *in, uint32_t bits)
{
    int64_t count = 1;
    for (int d = 0; d < in->rank; d++)
        if (bits >> d & 1)
            count *= in->dims[d];
    return count;
}

/* ---- gradients and operands ---- */

gt_Tensor *gt_widened(gt_Tensor *x)
{
    return gt_half_type(gt_dtype(x)) >= 0 ? gt_cast(x, GT_FLOAT32) : x;
}

gt_Tensor *gt_narrowed(gt_Tensor *x, gt_DType dtype)
{
    return gt_dtype(x) != dtype ? gt_cast(x, dtype) : x;
}

bool gt_product_type(const gt_Spec *a, const gt_Spec *b, gt_DType *type)
{
    gt_DType first = a->dtype, second = b->dtype;
    bool half = gt_half_type(first) >= 0 || gt_half_type(second) >= 0;
    *type = half ? GT_FLOAT32 : first;
    if (!gt_takes(a, GT_TAKES_FLOAT))
        return false;
    if (first == second || (half && (first == GT_FLOAT32 || second == GT_FLOAT32)))
        return true;
    gt_fail(GT_INVALID, "types differ: %s and %s; gt_cast one of them", gt_dtype_name(first),
            gt_dtype_name(second));
    return false;
}

gt_Tensor *gt_unbroadcast(gt_Tensor *gradient, const gt_Spec *input)
{
    gt_Spec got = gt_spec(gradient);
    if (gt_status() != GT_OK || gt_shape_equal(gt_spec_shape(&got), gt_spec_shape(input)))
        return gradient;
    gt_Axes axes = gt_axes();
    int missing = got.rank - input->rank;
    for (int d = 0; d < got.rank; d++)
        if (d < missing || (input->dims[d - missing] == 1 && got.dims[d] != 1))
            axes.axis[axes.count++] = d;
    gradient = gt_sum(gt_widened(gradient), .axes = axes);
    return gt_reshape(gt_narrowed(gradient, got.dtype), gt_spec_shape(input));
}

static int type_order(gt_DType dtype)
{
    switch (dtype) {
    case GT_BOOL:
        return 0;
    case GT_UINT8:
        return 1;
    case GT_INT32:
        return 2;
    case GT_INT64:
        return 3;
    default:
        return 4;
    }
}

bool gt_operands(const char *here, const gt_Operation *operation, gt_Tensor *a, gt_Operand b,
                 gt_Tensor *pair[2])
{
    gt_Context *context = gt_enter();
    if (!context)
        return false;
    pair[0] = a;
    pair[1] = b.tensor;
    gt_Slot *slot = gt_slot_check(context, here, operation->name, "input 1", a);
    if (!slot)
        return false;
    gt_DType type = slot->value->spec.dtype;
    if (b.is_number)
        pair[1] = gt_scalar_at(here, b.number, type);
    slot = gt_slot_check(context, here, operation->name, "input 2", pair[1]);
    if (!slot)
        return false;
    gt_DType other = slot->value->spec.dtype;
    if (type != other && !(gt_dtype_is_float(type) && gt_dtype_is_float(other))) {
        bool first = type_order(type) < type_order(other);
        pair[!first] = gt_cast_at(here, pair[!first], first ? other : type);
    }
    return true;
}

gt_Tensor *gt_binary(const char *here, const gt_Operation *operation, gt_Tensor *a, gt_Operand b)
{
    gt_Tensor *pair[2];
    return gt_operands(here, operation, a, b, pair) ? gt_apply_one(here, operation, NULL, 2, pair)
                                                    : NULL;
}

gt_Tensor *gt_operand_of(gt_Tensor *a, gt_Operand b)
{
    return b.is_number ? gt_scalar(b.number, gt_dtype(a)) : b.tensor;
}

gt_Tensor *gt_as_float(gt_Tensor *x)
{
    return gt_dtype_is_float(gt_dtype(x)) ? x : gt_cast(x, GT_FLOAT32);
}
