/* Combinators, made of gt_cond and gt_scan: a switch halves its branches, a map is a scan without carries, an associative
 * scan combines pairs of neighbours and then every second element. Leans on core/body.c. */
#include "ops/control/combinators.h"
#include "ops/math/arithmetic.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/array/reshaping.h"

GT_OPTION_TYPE(gt_cond_options, gt_cond_OPTIONS);
GT_OPTION_TYPE(gt_map_options, gt_map_OPTIONS);
GT_OPTION_TYPE(gt_associative_scan_options, gt_associative_scan_OPTIONS);

/* ---- one of several branches: is it in the first half of them? ---- */

enum { MOST_SWITCHED = 64 };

typedef struct Branches {
    const gt_FunctionBody *body;
    int64_t first, count;
    void *user;
    int32_t inputs, outputs;
} Branches;

static gt_Status run_branches(void *context, gt_Tensor *const *in, gt_Tensor **out);

static gt_Status first_half(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Branches half = *(const Branches *)context;
    half.count /= 2;
    return run_branches(&half, in, out);
}

static gt_Status second_half(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Branches half = *(const Branches *)context;
    half.first += half.count / 2;
    half.count -= half.count / 2;
    return run_branches(&half, in, out);
}

/* Input 0 is the index. */
static gt_Status run_branches(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Branches *all = context;
    if (all->count == 1)
        return all->body[all->first](all->user, in + 1, out);
    gt_Tensor *below = gt_less(in[0], (double)(all->first + all->count / 2));
    return gt_cond(below, first_half, second_half, context, ((gt_Tensors){in, all->inputs + 1}),
                   out, .outputs = all->outputs);
}

static gt_Status check_branches(gt_Tensor *index, const Branches *all)
{
    char text[160];
    gt_Spec spec = gt_spec(index);
    if (gt_status() != GT_OK)
        return gt_status();
    if (!gt_dtype_is_integer(spec.dtype) || spec.size != 1)
        return gt_fail(GT_INVALID, "the index must be an integer scalar (got %s)",
                       gt_spec_text(&spec, text, sizeof text));
    if (!all->body)
        return gt_fail(GT_INVALID, "the list of branches is NULL");
    if (all->count < 1)
        return gt_fail(GT_INVALID, "at least one branch is needed (got %lld)",
                       (long long)all->count);
    for (int64_t i = 0; i < all->count; i++)
        if (!all->body[i])
            return gt_fail(GT_INVALID, "branch %lld is NULL", (long long)i);
    return GT_OK;
}

static gt_Status run_switch(gt_Tensor *index, Branches *all, gt_Tensors inputs, gt_Tensor **outputs)
{
    gt_Tensor *in[MOST_SWITCHED + 1];
    gt_Value *result[MOST_SWITCHED];
    gt_Context *context = gt_enter();
    if (!context || check_branches(index, all) != GT_OK)
        return gt_status();
    if (inputs.count < 0 || inputs.count > MOST_SWITCHED || all->outputs < 0 ||
        all->outputs > MOST_SWITCHED)
        return gt_fail(GT_INVALID, "inputs and outputs must be 0 to %d (got %d and %d)",
                       MOST_SWITCHED, (int)inputs.count, (int)all->outputs);
    if ((inputs.count > 0 && !inputs.items) || (all->outputs > 0 && !outputs))
        return gt_fail(GT_INVALID, "the list of inputs or the place for the outputs is NULL");
    in[0] = gt_reshape(index, gt_shape());
    for (int32_t i = 0; i < inputs.count; i++)
        in[i + 1] = inputs.items[i];
    if (gt_body_run(context, NULL, run_branches, all, in, all->outputs, result) == GT_OK)
        gt_values_give(context, result, all->outputs, outputs);
    return gt_status();
}

gt_Status gt_switch_at(const char *here, gt_Tensor *index, const gt_FunctionBody *branches,
                       int32_t count, void *user, gt_Tensors inputs, gt_Tensor **outputs,
                       const gt_cond_options *given)
{
    gt_cond_options options;
    GT_TAKE(gt_cond_options, &options, given);
    for (int32_t i = 0; outputs && i < options.outputs; i++)
        outputs[i] = NULL;
    Branches all = {branches, 0, count, user, inputs.count, options.outputs};
    gt_Site site = gt_site_enter(here, "switch");
    gt_Status status = run_switch(index, &all, inputs, outputs);
    gt_site_leave(&site);
    return status;
}

/* ---- every element ---- */

gt_Status gt_map_at(const char *here, gt_FunctionBody body, void *user, gt_Tensors xs,
                    gt_Tensor **ys, const gt_map_options *given)
{
    gt_map_options options;
    GT_TAKE(gt_map_options, &options, given);
    gt_Site site = gt_site_enter(here, "map");
    gt_Status status =
        gt_scan(body, user, ((gt_Tensors){NULL, 0}), xs, NULL, ys, .outputs = options.outputs);
    gt_site_leave(&site);
    return status;
}

/* ---- all elements so far: Blelloch, Prefix sums and their applications (1990) ---- */

enum { MOST = 16 };

/* Axes are counted from the front, each tensor's own. */
typedef struct Prefix {
    gt_Context *context;
    gt_FunctionBody body;
    void *user;
    int count, axis[MOST];
} Prefix;

/* Elements start, start + step, ..., `count` of them. */
static gt_Tensor *every(gt_Tensor *x, int axis, int64_t start, int64_t step, int64_t count)
{
    double first = (double)start, by = (double)step;
    gt_Tensor *places = gt_arange(first, first + by * (double)count, by, .dtype = GT_INT64);
    return gt_take(x, places, .axis = axis);
}

/* out = left * right, of shapes like theirs. */
static gt_Status combine(const Prefix *p, gt_Tensor *const *left, gt_Tensor *const *right,
                         gt_Tensor **out)
{
    gt_Tensor *in[2 * MOST];
    gt_Value *result[MOST];
    char a[200], b[200];
    for (int i = 0; i < p->count; i++) {
        in[i] = left[i];
        in[p->count + i] = right[i];
    }
    if (gt_status() != GT_OK ||
        gt_body_run(p->context, NULL, p->body, p->user, in, p->count, result) != GT_OK ||
        gt_values_give(p->context, result, p->count, out) != GT_OK)
        return gt_status();
    for (int i = 0; i < p->count; i++) {
        gt_Spec got = gt_spec(out[i]), operand = gt_spec(left[i]);
        if (!gt_spec_equal(&got, &operand))
            return gt_fail(GT_INVALID,
                           "output %d of the body must be like its operands, %s (got %s)", i + 1,
                           gt_spec_text(&operand, b, sizeof b), gt_spec_text(&got, a, sizeof a));
    }
    return GT_OK;
}

/* x becomes its running products. The running products of pairs of neighbours are those at odd places; times one element
 * more they are those at the even places behind. */
static gt_Status run_prefix(const Prefix *p, gt_Tensor **x, int64_t length)
{
    gt_Tensor *left[MOST], *right[MOST], *odd[MOST], *even[MOST];
    int64_t pairs = length / 2, evens = length - pairs;
    if (length < 2)
        return gt_status();
    for (int i = 0; i < p->count; i++) {
        left[i] = every(x[i], p->axis[i], 0, 2, pairs);
        right[i] = every(x[i], p->axis[i], 1, 2, pairs);
    }
    if (combine(p, left, right, odd) != GT_OK || run_prefix(p, odd, pairs) != GT_OK)
        return gt_status();
    for (int i = 0; i < p->count; i++) {
        left[i] = every(odd[i], p->axis[i], 0, 1, evens - 1);
        right[i] = every(x[i], p->axis[i], 2, 2, evens - 1);
    }
    if (evens > 1 && combine(p, left, right, even) != GT_OK)
        return gt_status();
    gt_Tensor *place = gt_arange(0, (double)length, 1, .dtype = GT_INT64);
    place = gt_add(gt_floor_divide(place, 2), gt_multiply(gt_mod(place, 2), (double)evens));
    for (int i = 0; i < p->count; i++) {
        gt_Tensor *part[3] = {every(x[i], p->axis[i], 0, 1, 1), evens > 1 ? even[i] : odd[i],
                              odd[i]};
        x[i] = gt_concatenate(((gt_Tensors){part, evens > 1 ? 3 : 2}), .axis = p->axis[i]);
        x[i] = gt_take(x[i], place, .axis = p->axis[i]);
    }
    return gt_status();
}

/* The number of elements along the axis, the same for all of xs; -1 with an error raised on failure. */
static int64_t common_length(Prefix *p, gt_Tensors xs, int32_t axis)
{
    int64_t length = -1;
    char text[200];
    if (xs.count < 1 || xs.count > MOST || !xs.items || !p->body) {
        gt_fail(GT_INVALID, "1 to %d tensors and a body are needed (got %d tensors)", MOST,
                (int)xs.count);
        return -1;
    }
    for (int32_t i = 0; i < xs.count; i++) {
        gt_Spec spec = gt_spec(xs.items[i]);
        p->axis[i] = gt_status() == GT_OK ? gt_axis(axis, spec.rank) : -1;
        if (p->axis[i] < 0)
            return -1;
        if (i > 0 && spec.dims[p->axis[i]] != length) {
            gt_fail(GT_INVALID,
                    "tensor %d must have %lld elements along axis %d, as the first one (it is %s)",
                    (int)i + 1, (long long)length, (int)axis,
                    gt_spec_text(&spec, text, sizeof text));
            return -1;
        }
        length = spec.dims[p->axis[i]];
    }
    return length;
}

static gt_Tensor *turned(gt_Tensor *x, int axis, bool reverse)
{
    return reverse ? gt_flip(x, .axis = axis) : gt_identity(x);
}

static gt_Status associative_scan(Prefix *p, gt_Tensors xs, gt_Tensor **ys,
                                  const gt_associative_scan_options *options)
{
    gt_Tensor *x[MOST];
    int64_t length = common_length(p, xs, options->axis);
    gt_Scope *outer = gt_scope_innermost(p->context);
    if (length < 0 || !gt_scope_open(p->context))
        return gt_status();
    for (int i = 0; i < p->count; i++)
        x[i] = turned(xs.items[i], p->axis[i], options->reverse);
    run_prefix(p, x, length);
    for (int i = 0; i < p->count && gt_status() == GT_OK; i++)
        if ((ys[i] = turned(x[i], p->axis[i], options->reverse)))
            gt_scope_move(ys[i], outer);
    gt_scope_unwind(p->context, outer);
    return gt_status();
}

gt_Status gt_associative_scan_at(const char *here, gt_FunctionBody body, void *user, gt_Tensors xs,
                                 gt_Tensor **ys, const gt_associative_scan_options *given)
{
    gt_associative_scan_options options;
    GT_TAKE(gt_associative_scan_options, &options, given);
    for (int32_t i = 0; ys && i < xs.count; i++)
        ys[i] = NULL;
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, "associative_scan");
    Prefix p = {context, body, user, xs.count, {0}};
    if (ys)
        associative_scan(&p, xs, ys, &options);
    else
        gt_fail(GT_INVALID, "the place for the results is NULL");
    gt_site_leave(&site);
    for (int32_t i = 0; ys && gt_status() != GT_OK && i < xs.count; i++)
        ys[i] = NULL;
    return gt_status();
}
