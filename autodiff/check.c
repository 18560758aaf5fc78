/* Gradients against central differences. The function is reduced to one number, a weighted sum of
 * its outputs; a check of second order is a check of first order of the weighted sum of its
 * gradients. Leans on gradient.c. */
#include "autodiff/check.h"
#include "autodiff/gradient.h"
#include "autodiff/probe.h"
#include "core/inside.h"
#include "ops/math/arithmetic.h"
#include "ops/math/reduce.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_check_gradients_options, gt_check_gradients_OPTIONS);

typedef struct Check {
    gt_Context *context;
    gt_FunctionBody function;
    void *user;
    gt_check_gradients_options options;
    int32_t inputs;
    bool moves[GT_MAX_INPUTS]; /* the inputs that are float64 */
} Check;

/* The sum of tensor * weights, with weights that no symmetry of a function cancels. */
static gt_Tensor *weigh(gt_Context *context, gt_Tensor *tensor, int salt)
{
    gt_Spec spec = gt_spec(tensor);
    void *data = NULL;
    gt_Tensor *weights = spec.dtype ? gt_tensor_new(context, &spec, &data) : NULL;
    for (int64_t i = 0; weights && i < spec.size; i++)
        gt_number_store(spec.dtype, data, i, sin(1 + 3.7 * salt + 1.3 * (double)i));
    return weights ? gt_sum(gt_multiply(tensor, weights)) : NULL;
}

static gt_Tensor *add_up(gt_Context *context, int count, gt_Tensor *const *tensors)
{
    gt_Tensor *total = NULL;
    for (int i = 0; i < count && gt_context_status(context) == GT_OK; i++)
        if (tensors[i] && gt_dtype_is_float(gt_dtype(tensors[i]))) {
            gt_Tensor *part = weigh(context, tensors[i], i);
            total = total ? gt_add(total, part) : part;
        }
    return total;
}

static gt_Status slopes(const Check *check, int order, gt_Tensor *const *input, gt_Tensor **slope);

/* The function as one number, order 0; the gradient of that as one number, order 1. */
static gt_Tensor *number(const Check *check, int order, gt_Tensor *const *input)
{
    gt_Context *context = check->context;
    gt_Value *result[GT_MAX_OUTPUTS] = {NULL};
    gt_Tensor *given[GT_MAX_INPUTS] = {NULL};
    int count = order ? check->inputs : check->options.outputs;
    gt_Tensor *total = NULL;
    if (order == 0 &&
        gt_body_run(context, NULL, check->function, check->user, input, count, result) == GT_OK)
        gt_values_give(context, result, count, given);
    else if (order > 0)
        slopes(check, order, input, given);
    if (gt_context_status(context) == GT_OK && !(total = add_up(context, count, given)))
        gt_raise(context, GT_INVALID, NULL, NULL, "the function must give a float tensor");
    return total;
}

/* The gradients of number(order - 1) in the inputs that move; NULL for the others. */
static gt_Status slopes(const Check *check, int order, gt_Tensor *const *input, gt_Tensor **slope)
{
    gt_Context *context = check->context;
    gt_Tensor *all[GT_MAX_INPUTS], *source[GT_MAX_INPUTS], *gradient[GT_MAX_INPUTS];
    int32_t count = 0;
    for (int32_t i = 0; i < check->inputs; i++) {
        slope[i] = NULL;
        all[i] = check->moves[i] ? gt_probe(NULL, input[i]) : input[i];
        if (check->moves[i])
            source[count++] = all[i];
    }
    gt_Scope *outer = gt_scope_innermost(context);
    gt_Tape *tape = gt_probe_tape(NULL, (gt_Tensors){source, count}, false);
    gt_Tensor *value = tape ? number(check, order - 1, all) : NULL;
    if (value)
        gt_gradients(tape, gt_tensors(value), ((gt_Tensors){source, count}), gradient,
                     .unconnected = GT_UNCONNECTED_ZERO);
    for (int32_t i = check->inputs; gt_context_status(context) == GT_OK && i-- > 0;)
        if (check->moves[i]) {
            slope[i] = gradient[--count];
            gt_scope_move(slope[i], outer);
        }
    gt_tape_end(tape);
    return gt_context_status(context);
}

/* number(order) with one element of one input moved; NaN with an error pending. */
static double moved(const Check *check, int order, gt_Tensor *const *input, int32_t which,
                    int64_t at, double by)
{
    gt_Context *context = check->context;
    gt_Scope *scope = gt_scope_open(context);
    gt_Tensor *all[GT_MAX_INPUTS];
    memcpy(all, input, (size_t)check->inputs * sizeof *all);
    gt_Spec spec = gt_spec(input[which]);
    void *data = NULL;
    all[which] = scope ? gt_tensor_new(context, &spec, &data) : NULL;
    double value = NAN;
    if (all[which]) {
        memcpy(data, gt_data(input[which]), gt_spec_bytes(&spec));
        ((double *)data)[at] += by;
        gt_Tensor *result = number(check, order, all);
        value = result ? gt_item(result) : NAN;
    }
    if (scope)
        gt_scope_close(context);
    return value;
}

static gt_Status compare(const Check *check, int order, gt_Tensor *const *input)
{
    gt_Context *context = check->context;
    gt_Tensor *slope[GT_MAX_INPUTS];
    double h = check->options.step;
    if (slopes(check, order, input, slope) != GT_OK)
        return gt_context_status(context);
    for (int32_t i = 0; i < check->inputs; i++)
        for (int64_t k = 0; check->moves[i] && k < gt_size(input[i]); k++) {
            double up = moved(check, order - 1, input, i, k, h);
            double down = moved(check, order - 1, input, i, k, -h);
            double rule = gt_element(slope[i], k), differences = (up - down) / (2 * h);
            if (gt_context_status(context) != GT_OK)
                return gt_context_status(context);
            double scale = fmax(1, fmax(fabs(rule), fabs(differences)));
            if (!(fabs(rule - differences) <= check->options.tolerance * scale))
                return gt_raise(context, GT_NUMERIC, NULL, NULL,
                                "element %lld of input %d: the gradient of order %d is %.9g, "
                                "differences say %.9g",
                                (long long)k, i + 1, order, rule, differences);
        }
    return GT_OK;
}

static gt_Status prepare(Check *check, gt_Tensors inputs)
{
    gt_Context *context = check->context;
    const gt_check_gradients_options *options = &check->options;
    bool any = false;
    if (!check->function)
        return gt_raise(context, GT_INVALID, NULL, NULL, "the function is NULL");
    if (gt_check_inputs(context, inputs) != GT_OK)
        return gt_context_status(context);
    if (options->outputs < 1 || options->outputs > GT_MAX_OUTPUTS)
        return gt_raise(context, GT_INVALID, NULL, NULL, "outputs must be 1 to %d (got %d)",
                        GT_MAX_OUTPUTS, (int)options->outputs);
    if (options->order < 1 || options->order > 2)
        return gt_raise(context, GT_INVALID, NULL, NULL, "order must be 1 or 2 (got %d)",
                        (int)options->order);
    if (!(options->step > 0) || !isfinite(options->step))
        return gt_raise(context, GT_INVALID, NULL, NULL, "step must be finite and > 0 (got %g)",
                        options->step);
    if (!(options->tolerance >= 0))
        return gt_raise(context, GT_INVALID, NULL, NULL, "tolerance must be >= 0 (got %g)",
                        options->tolerance);
    for (int32_t i = 0; i < inputs.count; i++) {
        gt_DType dtype = gt_dtype(inputs.items[i]);
        if (gt_context_status(context) == GT_OK && gt_dtype_is_float(dtype) && dtype != GT_FLOAT64)
            return gt_raise(context, GT_INVALID, NULL, NULL,
                            "differences need float64 (input %d is %s)", (int)i + 1,
                            gt_dtype_name(dtype));
        any |= check->moves[i] = dtype == GT_FLOAT64;
    }
    if (gt_context_status(context) == GT_OK && !any)
        return gt_raise(context, GT_INVALID, NULL, NULL, "at least one input must be float64");
    check->inputs = inputs.count;
    return gt_context_status(context);
}

gt_Status gt_check_gradients_at(const char *here, gt_FunctionBody function, void *user,
                                gt_Tensors inputs, const gt_check_gradients_options *options)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, "check_gradients");
    Check check = {.context = context, .function = function, .user = user};
    gt_options_take(&gt_check_gradients_options_type, &check.options, options);
    gt_Scope *outer = gt_scope_innermost(context);
    if (prepare(&check, inputs) == GT_OK && gt_scope_open(context))
        for (int order = 1; order <= check.options.order && gt_context_status(context) == GT_OK;
             order++)
            compare(&check, order, inputs.items);
    gt_scope_unwind(context, outer);
    gt_site_leave(&site);
    return gt_context_status(context);
}
