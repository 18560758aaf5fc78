/* Jacobians as one matrix, packed gradients, Hessian products, curvatures. Leans on gradient.c and forward.c.
 *
 * Forward mode (forward.c says why it is two backward passes): with u the gradients that arrive at the residuals, one walk
 * gives g(u) = J' u, linear in u; a walk from g[k] to u then gives row k of J, all residuals at once. The first walk is
 * made once, the second once for each parameter. An example: r = a exp(-b x) with x (m) has g = (sum(u exp(-b x)),
 * sum(-u a x exp(-b x))); the walks from its two elements give (m) each. */
#include "autodiff/columns.h"
#include "autodiff/forward.h"
#include "autodiff/gradient.h"
#include "autodiff/probe.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/reduce.h"

#include <string.h>

typedef struct Columns {
    gt_Context *context;
    const gt_FunctionOf *function;
    gt_Tape *tape;     /* the body's; in forward mode that of J' u */
    gt_Tensor *target; /* what it is asked for: one variable's part of J' u, or the value */
    gt_Tensor *u;
    gt_Tensor **parts; /* a variable each */
} Columns;

static gt_Tensor *flat(gt_Tensor *x)
{
    return gt_reshape(x, gt_shape(-1));
}

gt_Tensor *gt_packed_vector(gt_Tensors tensors)
{
    gt_Context *context = gt_context();
    size_t bytes = (size_t)tensors.count * sizeof(gt_Tensor *);
    gt_Tensor **flats = tensors.count > 1 ? gt_allocate(context, bytes) : NULL, *vector = NULL;
    if (tensors.count == 1)
        return flat(tensors.items[0]);
    for (int32_t i = 0; flats && i < tensors.count; i++)
        flats[i] = flat(tensors.items[i]);
    if (flats)
        vector = gt_concatenate(((gt_Tensors){flats, tensors.count}));
    gt_release(context, flats, bytes);
    return vector;
}

gt_Status gt_unpacked_vector(gt_Tensor *vector, gt_Tensors like, gt_Tensor **parts)
{
    int64_t first = 0;
    for (int32_t i = 0; i < like.count && gt_status() == GT_OK; i++) {
        gt_Shape shape = gt_tensor_shape(like.items[i]);
        int64_t size = gt_size(like.items[i]);
        parts[i] = gt_reshape(gt_slice(vector, gt_shape(first), gt_shape(size)), shape);
        first += size;
    }
    return gt_status();
}

/* Gradients of the value; zeros where a variable has no part in it, an error with the reason if none has. */
static gt_Status gradients_or_zeros(gt_Tape *tape, gt_Tensor *value, gt_Tensors variables,
                                    gt_Tensor **parts, gt_Tensor *const *upstream)
{
    gt_gradients(tape, gt_tensors(value), variables, parts, .unconnected = GT_UNCONNECTED_SOME,
                 .output_gradients = upstream);
    for (int32_t i = 0; i < variables.count && gt_status() == GT_OK; i++)
        if (!parts[i])
            parts[i] = gt_zeros_like(variables.items[i]);
    return gt_status();
}

static gt_Tensor *run(gt_Context *context, const gt_FunctionOf *function)
{
    gt_Value *result = NULL;
    gt_Tensor *value = NULL;
    if (gt_body_run(context, NULL, function->body, function->user, function->inputs.items, 1,
                    &result) == GT_OK)
        gt_values_give(context, &result, 1, &value);
    return value;
}

/* ---- the Jacobian ---- */

/* 1 at element k, 0 elsewhere: what arrives at a target of that spec. */
static gt_Tensor *seed(gt_Context *context, const gt_Spec *spec, int64_t k)
{
    void *data = NULL;
    gt_Tensor *one = gt_tensor_new(context, spec, &data);
    if (!one)
        return NULL;
    memset(data, 0, gt_spec_bytes(spec));
    gt_number_store(spec->dtype, data, k, 1);
    return one;
}

/* Row k: one pass back from element k of the target, in a scope of its own. */
typedef gt_Tensor *Pass(Columns *self, gt_Tensor *const *arrives);

/* Every row is walked by itself: a walk in a loop of the plan could not ask a tape that began outside of it. What the walks
 * have in common the plan computes once. */
static gt_Tensor *all_rows(Columns *self, Pass *pass)
{
    gt_Context *context = self->context;
    gt_Spec spec = gt_spec(self->target);
    size_t bytes = (size_t)spec.size * sizeof(gt_Tensor *);
    gt_Tensor **rows = gt_status() == GT_OK ? gt_allocate(context, bytes) : NULL, *stacked = NULL;
    int64_t k = 0;
    for (; rows && k < spec.size && gt_status() == GT_OK; k++) {
        gt_Scope *scope = gt_scope_open(context);
        gt_Tensor *one = scope ? seed(context, &spec, k) : NULL;
        rows[k] = one ? gt_scope_keep(context, pass(self, &one)) : NULL;
        if (scope)
            gt_scope_close(context);
    }
    if (rows && gt_status() == GT_OK)
        stacked = gt_stack(((gt_Tensors){rows, (int32_t)spec.size}));
    gt_release(context, rows, bytes);
    return stacked;
}

/* What arrives at one variable's part of J' u, seen from all residuals at once. */
static gt_Tensor *along_parameter(Columns *self, gt_Tensor *const *arrives)
{
    return flat(gt_gradient(self->tape, self->target, self->u, .unconnected = GT_UNCONNECTED_ZERO,
                            .output_gradients = arrives));
}

static gt_Tensor *forward_rows(Columns *self, gt_Tape *inner, gt_Tensor *value)
{
    gt_Tensors variables = self->function->variables;
    gt_Tensor *joined = NULL;
    self->u = gt_probe_upstream(self->context, value);
    self->tape = gt_probe_tape(NULL, (gt_Tensors){&self->u, 1}, true);
    if (gt_status() == GT_OK &&
        gradients_or_zeros(inner, value, variables, self->parts, &self->u) == GT_OK &&
        gt_tape_pause(self->tape) == GT_OK) {
        for (int32_t i = 0; i < variables.count && gt_status() == GT_OK; i++) {
            self->target = self->parts[i];
            self->parts[i] = all_rows(self, along_parameter);
        }
        joined = variables.count == 1
                     ? self->parts[0]
                     : gt_concatenate(((gt_Tensors){self->parts, variables.count}), .axis = 0);
    }
    gt_scope_keep(self->context, joined);
    gt_tape_end(self->tape);
    return joined;
}

/* One residual: its gradients in all variables, (n). */
static gt_Tensor *of_residual(Columns *self, gt_Tensor *const *arrives)
{
    gt_Tensors variables = self->function->variables;
    if (gt_gradients(self->tape, gt_tensors(self->target), variables, self->parts,
                     .unconnected = GT_UNCONNECTED_ZERO, .output_gradients = arrives) != GT_OK)
        return NULL;
    return gt_packed_vector((gt_Tensors){self->parts, variables.count});
}

static gt_Tensor *reverse_rows(Columns *self, gt_Tape *inner, gt_Tensor *value)
{
    self->tape = inner;
    self->target = value;
    if (gt_tape_pause(inner) != GT_OK)
        return NULL;
    return gt_transpose(all_rows(self, of_residual));
}

static bool in_reverse(gt_JacobianPasses passes, int64_t n, int64_t m)
{
    /* A pass of forward mode walks the walk back, which is about twice as long. On the 42 problems of tests/mgh.h this picks the
     * mode that the clock finds cheaper, or one within half a microsecond of it. */
    return passes == GT_JACOBIAN_PASSES_REVERSE ||
           (passes == GT_JACOBIAN_PASSES_CHEAPER && m < 2 * n);
}

gt_Status gt_jacobian_columns(gt_Context *context, const gt_FunctionOf *function,
                              gt_JacobianPasses passes, gt_Tensor **value, gt_Tensor **jacobian)
{
    size_t bytes = (size_t)function->variables.count * sizeof(gt_Tensor *);
    Columns self = {.context = context, .function = function, .parts = gt_allocate(context, bytes)};
    gt_Scope *outer = gt_scope_innermost(context),
             *scope = self.parts ? gt_scope_open(context) : NULL;
    gt_Tape *inner = scope ? gt_probe_tape(NULL, function->variables, true) : NULL;
    gt_Tensor *result = inner ? run(context, function) : NULL, *rows = NULL;
    if (result)
        rows = in_reverse(passes, function->elements, gt_size(result))
                   ? reverse_rows(&self, inner, result)
                   : forward_rows(&self, inner, result);
    if (rows && gt_context_status(context) == GT_OK) {
        gt_scope_move(*value = result, outer);
        gt_scope_move(*jacobian = rows, outer);
    }
    gt_tape_end(inner);
    gt_scope_unwind(context, outer);
    gt_release(context, self.parts, bytes);
    return gt_context_status(context);
}

/* ---- scalars ---- */

/* The value and its gradient on a tape of their own, handles of the scope `to`; `parts` has room for a variable each. */
static gt_Tensor *packed_gradient(gt_Context *context, const gt_FunctionOf *function,
                                  gt_Tensor **parts, gt_Tensor **value, gt_Scope *to)
{
    gt_Tensors variables = function->variables;
    gt_Tape *tape = gt_probe_tape(NULL, variables, false);
    gt_Tensor *gradient = NULL;
    *value = tape ? run(context, function) : NULL;
    if (*value && gt_size(*value) != 1) {
        char text[200];
        gt_raise(context, GT_INVALID, NULL, NULL, "the loss must be one number (got %s)",
                 gt_spec_text(gt_tensor_spec(*value), text, sizeof text));
    }
    if (gt_context_status(context) == GT_OK &&
        gradients_or_zeros(tape, *value, variables, parts, NULL) == GT_OK)
        gradient = gt_packed_vector((gt_Tensors){parts, variables.count});
    if (gt_context_status(context) == GT_OK) { /* the tape's end frees what it owns */
        gt_scope_move(*value, to);
        gt_scope_move(gradient, to);
    }
    gt_tape_end(tape);
    return gt_context_status(context) == GT_OK ? gradient : NULL;
}

gt_Status gt_gradient_packed(gt_Context *context, const gt_FunctionOf *function, gt_Tensor **value,
                             gt_Tensor **gradient)
{
    size_t bytes = (size_t)function->variables.count * sizeof(gt_Tensor *);
    gt_Tensor **parts = gt_allocate(context, bytes);
    gt_Scope *outer = gt_scope_innermost(context), *scope = parts ? gt_scope_open(context) : NULL;
    gt_Tensor *loss = NULL;
    gt_Tensor *packed = scope ? packed_gradient(context, function, parts, &loss, outer) : NULL;
    if (packed) {
        *value = loss;
        *gradient = packed;
    }
    gt_scope_unwind(context, outer);
    gt_release(context, parts, bytes);
    return gt_context_status(context);
}

gt_Tensor *gt_hessian_product_packed(gt_Context *context, const gt_FunctionOf *function,
                                     gt_Tensor *v)
{
    gt_Tensors variables = function->variables;
    size_t bytes = (size_t)variables.count * sizeof(gt_Tensor *);
    gt_Tensor **parts = gt_allocate(context, bytes), *loss = NULL, *product = NULL;
    gt_Scope *outer = gt_scope_innermost(context), *scope = parts ? gt_scope_open(context) : NULL;
    gt_Tape *tape = scope ? gt_probe_tape(NULL, variables, false) : NULL;
    gt_Tensor *gradient =
        tape ? packed_gradient(context, function, parts, &loss, gt_scope_innermost(context)) : NULL;
    if (gradient &&
        gt_gradients(tape, gt_tensors(gradient), variables, parts,
                     .unconnected = GT_UNCONNECTED_ZERO, .output_gradients = &v) == GT_OK)
        product = gt_packed_vector((gt_Tensors){parts, variables.count});
    if (product)
        gt_scope_move(product, outer);
    gt_tape_end(tape);
    gt_scope_unwind(context, outer);
    gt_release(context, parts, bytes);
    return gt_context_status(context) == GT_OK ? product : NULL;
}

/* ---- the second derivative along a line ---- */

typedef struct Along {
    gt_Context *context;
    const gt_FunctionOf *function;
    gt_Tensors directions;
} Along;

static gt_Status value_body(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in; /* the variables, which the body reads by itself */
    Along *self = user;
    out[0] = run(self->context, self->function);
    return gt_status();
}

static gt_Status slope_body(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    Along *self = user;
    return gt_jvp(value_body, self, self->function->variables, self->directions, NULL, out,
                  .unconnected = GT_UNCONNECTED_ZERO);
}

gt_Tensor *gt_curvature_along(gt_Context *context, const gt_FunctionOf *function, gt_Tensor *v)
{
    gt_Tensors variables = function->variables;
    size_t bytes = (size_t)variables.count * sizeof(gt_Tensor *);
    gt_Tensor **parts = gt_allocate(context, bytes), *curvature = NULL;
    Along self = {context, function, {parts, variables.count}};
    if (parts && gt_unpacked_vector(v, variables, parts) == GT_OK)
        gt_jvp(slope_body, &self, variables, self.directions, NULL, &curvature,
               .unconnected = GT_UNCONNECTED_ZERO);
    gt_release(context, parts, bytes);
    return curvature;
}
