/* Jacobians, a walk a row; Hessians as the Jacobian of a gradient. Leans on gradient.c. */
#include "autodiff/jacobian.h"
#include "autodiff/probe.h"
#include "core/inside.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"

#include <string.h>

GT_OPTION_TYPE(gt_jacobian_options, gt_jacobian_OPTIONS);

/* One question: which rows of which target, and the shape of the answer. */
typedef struct Rows {
    gt_Context *context;
    gt_Tape *tape;
    gt_Tensor *target, *source;
    gt_Unconnected unconnected;
    gt_Spec to, from;
    int64_t count;  /* of rows: walks */
    int64_t repeat; /* how many elements of the target start one walk, `count` apart */
    int axis;       /* where the rows are stacked */
} Rows;

/* Ones where row i of the answer starts, zeros elsewhere. */
static gt_Tensor *seed(const Rows *rows, int64_t i)
{
    void *data = NULL;
    gt_Tensor *seed = gt_tensor_new(rows->context, &rows->to, &data);
    if (!seed)
        return NULL;
    memset(data, 0, gt_spec_bytes(&rows->to));
    for (int64_t k = 0; k < rows->repeat; k++)
        gt_number_store(rows->to.dtype, data, k * rows->count + i, 1);
    return seed;
}

static gt_Tensor *row(const Rows *rows, int64_t i)
{
    gt_Scope *scope = gt_scope_open(rows->context);
    gt_Tensor *with = scope ? seed(rows, i) : NULL;
    gt_Tensor *gradient =
        with ? gt_gradient(rows->tape, rows->target, rows->source, .unconnected = rows->unconnected,
                           .output_gradients = &with)
             : NULL;
    gt_scope_keep(rows->context, gradient);
    if (scope)
        gt_scope_close(rows->context);
    return gradient;
}

static gt_Tensor *all_rows(const Rows *rows, gt_Shape shape)
{
    gt_Context *context = rows->context;
    if (rows->to.size == 0 || rows->from.size == 0)
        return gt_zeros(shape, .dtype = rows->from.dtype);
    size_t bytes = (size_t)rows->count * sizeof(gt_Tensor *);
    gt_Tensor **row_of = gt_allocate(context, bytes);
    gt_Scope *scope = row_of ? gt_scope_open(context) : NULL;
    gt_Tensor *result = NULL;
    if (scope) {
        int64_t i = 0;
        while (i < rows->count && (row_of[i] = row(rows, i)))
            i++;
        if (i == rows->count)
            result = gt_stack(((gt_Tensors){row_of, (int32_t)rows->count}), .axis = rows->axis);
        if (result && rows->to.rank != rows->axis + 1) /* else it has that shape */
            result = gt_reshape(result, shape);
        gt_scope_keep(context, result);
        gt_scope_close(context);
    }
    gt_release(context, row_of, bytes);
    return gt_context_status(context) == GT_OK ? result : NULL;
}

/* The shape of `to` followed by that of `from` without its first `skip` axes. */
static bool joined_shape(gt_Context *context, const gt_Spec *to, const gt_Spec *from, int skip,
                         gt_Shape *shape)
{
    int rank = to->rank + from->rank - skip;
    if (rank > GT_MAX_RANK) {
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "the result must have at most %d dimensions (got %d)", GT_MAX_RANK, rank);
        return false;
    }
    *shape = gt_spec_shape(to);
    shape->rank = rank;
    for (int i = skip; i < from->rank; i++)
        shape->dims[to->rank + i - skip] = from->dims[i];
    return true;
}

static bool prepare(Rows *rows, const gt_jacobian_options *given)
{
    gt_Context *context = rows->context;
    gt_jacobian_options options;
    GT_TAKE(gt_jacobian_options, &options, given);
    rows->unconnected = options.unconnected;
    const gt_TapeSlot *tape = gt_tape_check(context, NULL, NULL, rows->tape);
    const gt_Spec *to =
        tape ? gt_tensor_check(context, NULL, NULL, "the target", rows->target) : NULL;
    const gt_Spec *from =
        to ? gt_tensor_check(context, NULL, NULL, "the source", rows->source) : NULL;
    if (!from)
        return false;
    rows->to = *to;
    rows->from = *from;
    if (gt_tape_is_persistent(tape))
        return true;
    gt_raise(context, GT_STATE, NULL, NULL,
             "it asks the tape once for every row; begin the tape with .persistent = true");
    return false;
}

static gt_Tensor *jacobian(gt_Context *context, gt_Tape *tape, gt_Tensor *target, gt_Tensor *source,
                           const gt_jacobian_options *options)
{
    Rows rows = {.context = context, .tape = tape, .target = target, .source = source};
    gt_Shape shape;
    if (!prepare(&rows, options) || !joined_shape(context, &rows.to, &rows.from, 0, &shape))
        return NULL;
    rows.count = rows.to.size;
    rows.repeat = 1;
    return all_rows(&rows, shape);
}

static gt_Tensor *batch_jacobian(gt_Context *context, gt_Tape *tape, gt_Tensor *target,
                                 gt_Tensor *source, const gt_jacobian_options *options)
{
    Rows rows = {.context = context, .tape = tape, .target = target, .source = source, .axis = 1};
    gt_Shape shape;
    char a[200], b[200];
    if (!prepare(&rows, options))
        return NULL;
    if (rows.to.rank < 2 || rows.from.rank < 2 || rows.to.dims[0] != rows.from.dims[0]) {
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "target and source must have rank 2 or more and the same first dimension (got %s "
                 "and %s)",
                 gt_spec_text(&rows.to, a, sizeof a), gt_spec_text(&rows.from, b, sizeof b));
        return NULL;
    }
    if (!joined_shape(context, &rows.to, &rows.from, 1, &shape))
        return NULL;
    rows.repeat = rows.to.dims[0];
    rows.count = rows.repeat ? rows.to.size / rows.repeat : 0;
    return all_rows(&rows, shape);
}

gt_Tensor *gt_jacobian_at(const char *here, gt_Tape *tape, gt_Tensor *target, gt_Tensor *source,
                          const gt_jacobian_options *options)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "jacobian");
    gt_Tensor *result = jacobian(context, tape, target, source, options);
    gt_site_leave(&site);
    return result;
}

gt_Tensor *gt_batch_jacobian_at(const char *here, gt_Tape *tape, gt_Tensor *target,
                                gt_Tensor *source, const gt_jacobian_options *options)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "batch_jacobian");
    gt_Tensor *result = batch_jacobian(context, tape, target, source, options);
    gt_site_leave(&site);
    return result;
}

/* ---- Hessians ---- */

/* The gradient of the function at x, on a tape of its own. */
static gt_Tensor *gradient_of(gt_Context *context, gt_FunctionBody function, void *user,
                              gt_Tensor *x)
{
    gt_Tape *tape = gt_probe_tape(NULL, (gt_Tensors){&x, 1}, false);
    gt_Value *result = NULL;
    gt_Tensor *y = NULL, *gradient = NULL;
    if (gt_context_status(context) == GT_OK &&
        gt_body_run(context, NULL, function, user, &x, 1, &result) == GT_OK)
        gt_values_give(context, &result, 1, &y);
    if (y && gt_size(y) != 1) {
        char text[200];
        gt_raise(context, GT_INVALID, NULL, NULL, "the function must give one number (got %s)",
                 gt_spec_text(gt_tensor_spec(y), text, sizeof text));
    }
    if (y)
        gradient = gt_gradient(tape, y, x, .unconnected = GT_UNCONNECTED_ZERO);
    gt_tape_end(tape);
    return gradient;
}

/* The Hessian, or its product with v if there is one. */
static gt_Tensor *second_order(gt_Context *context, gt_FunctionBody function, void *user,
                               gt_Tensor *x, gt_Tensor *v)
{
    gt_Scope *outer = gt_scope_innermost(context), *scope = gt_scope_open(context);
    x = scope ? gt_probe(NULL, x) : NULL;
    gt_Tape *tape = x ? gt_probe_tape(NULL, (gt_Tensors){&x, 1}, !v) : NULL;
    gt_Tensor *gradient = tape ? gradient_of(context, function, user, x) : NULL;
    gt_Tensor *result = NULL;
    if (gradient && v)
        result = gt_gradient(tape, gradient, x, .unconnected = GT_UNCONNECTED_ZERO,
                             .output_gradients = &v);
    else if (gradient && gt_tape_pause(tape) == GT_OK) /* the rows are not for this tape */
        result = jacobian(context, tape, gradient, x,
                          &GT_VALUES(gt_jacobian_options, GT_UNCONNECTED_ZERO));
    if (result)
        gt_scope_move(result, outer);
    gt_tape_end(tape);
    gt_scope_unwind(context, outer);
    return gt_context_status(context) == GT_OK ? result : NULL;
}

gt_Tensor *gt_hessian_at(const char *here, gt_FunctionBody function, void *user, gt_Tensor *x)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "hessian");
    gt_Tensor *result = second_order(context, function, user, x, NULL);
    gt_site_leave(&site);
    return result;
}

static gt_Tensor *hessian_vector_product(gt_Context *context, gt_FunctionBody function, void *user,
                                         gt_Tensor *x, gt_Tensor *v)
{
    const gt_Spec *at = gt_tensor_check(context, NULL, NULL, "x", x);
    const gt_Spec *along = at ? gt_tensor_check(context, NULL, NULL, "v", v) : NULL;
    char a[200], b[200];
    if (!along)
        return NULL;
    if (!gt_spec_equal(at, along)) {
        gt_raise(context, GT_INVALID, NULL, NULL, "v must be like x, %s (got %s)",
                 gt_spec_text(at, a, sizeof a), gt_spec_text(along, b, sizeof b));
        return NULL;
    }
    return second_order(context, function, user, x, v);
}

gt_Tensor *gt_hessian_vector_product_at(const char *here, gt_FunctionBody function, void *user,
                                        gt_Tensor *x, gt_Tensor *v)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "hessian_vector_product");
    gt_Tensor *result = hessian_vector_product(context, function, user, x, v);
    gt_site_leave(&site);
    return result;
}
