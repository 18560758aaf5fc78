/* Functions that tapes see as one operation, with a gradient of their own. Their records are like any
 * other; the options carry the functions of the call. Leans on core/body.c. */
#include "autodiff/custom.h"
#include "autodiff/gradient.h"
#include "autodiff/probe.h"
#include "core/inside.h"
#include "ops/math/arithmetic.h"
#include "ops/array/cast.h"
#include "ops/control/traced_control.h"
#include "ops/masks.h"
#include "ops/array/creation.h"

#include <string.h>

GT_OPTION_TYPE(gt_custom_gradient_options, gt_custom_gradient_OPTIONS);
/* ---- one call ---- */

/* The options of a record: the call. */
#define CALL_OPTIONS(F, S)                                                                         \
    F(S, gt_GradientBody, gradient, NULL, "the custom gradient")                                   \
    F(S, void *, user, NULL, "for both")                                                           \
    F(S, const char *, name, NULL, "for messages")                                                 \
    F(S, int32_t, inputs, 0, "how many it was given")                                              \
    F(S, int32_t, outputs, 1, "with those that are saved")
GT_OPTIONS(Call, CALL_OPTIONS);
GT_OPTION_TYPE(Call, CALL_OPTIONS);

static const gt_Operation custom_gradient;

/* One run of a function whose insides no tape sees. */
typedef struct Run {
    gt_Context *context;
    Call call;
    gt_Tensors given;
    int32_t inputs;                   /* of the record */
    gt_Value *input[GT_MAX_INPUTS];   /* held */
    gt_Value *output[GT_MAX_OUTPUTS]; /* held */
} Run;

static gt_Status hold_inputs(Run *run)
{
    for (int32_t i = 0; i < run->given.count; i++) {
        gt_Value *value =
            gt_value_read(run->context, NULL, NULL, "input", i + 1, run->given.items[i]);
        if (!value)
            return gt_context_status(run->context);
        gt_value_retain(value, true);
        run->input[run->inputs++] = value;
    }
    return GT_OK;
}

/* Another value of the same variable counts. */
static bool has_input(const Run *run, const gt_Value *value)
{
    const gt_Variable *variable = gt_value_variable(value);
    for (int32_t i = 0; i < run->inputs; i++)
        if (run->input[i] == value || (variable && gt_value_variable(run->input[i]) == variable))
            return true;
    return false;
}

/* In the body of control flow a custom gradient is a node too (custom_shape). */
static gt_Status write_node(Run *run, gt_Tensor **outputs, int32_t wanted)
{
    gt_Context *context = run->context;
    gt_Tensor *input[GT_MAX_INPUTS], *result[GT_MAX_OUTPUTS];
    int32_t inputs = run->inputs, results = run->call.outputs;
    if (inputs + results > GT_MAX_INPUTS)
        return gt_raise(context, GT_UNSUPPORTED, NULL, NULL,
                        "in a branch or loop of a traced function inputs and outputs together must "
                        "be at most %d (got %d and %d)",
                        GT_MAX_INPUTS, (int)inputs, (int)results);
    if (gt_values_give(context, run->input, inputs, input) != GT_OK ||
        gt_values_give(context, run->output, results, result) != GT_OK)
        return gt_context_status(context);
    for (int32_t i = 0; i < results; i++)
        input[inputs + i] = gt_stop_gradient(result[i]);
    if (gt_apply_at(NULL, &custom_gradient, &run->call, inputs + results, input, result) == GT_OK)
        memcpy(outputs, result, (size_t)wanted * sizeof *outputs);
    return gt_context_status(context);
}

/* The first `wanted` outputs become handles; those that are saved live on in the record. */
static gt_Status finish(Run *run, gt_Tensor **outputs, int32_t wanted)
{
    gt_Context *context = run->context;
    bool body = gt_tracing_body(context);
    if (gt_context_status(context) == GT_OK && body)
        write_node(run, outputs, wanted);
    else if (gt_context_status(context) == GT_OK &&
             gt_record_call(context, &custom_gradient, &run->call, run->inputs, run->input,
                            run->call.outputs, run->output) == GT_OK)
        gt_values_give(context, run->output, wanted, outputs);
    gt_values_release(run->output, GT_MAX_OUTPUTS);
    gt_values_release(run->input, run->inputs);
    return gt_context_status(context);
}

static gt_Context *enter(gt_Tensor **outputs, int32_t wanted)
{
    for (int32_t i = 0; outputs && i < wanted && i < GT_MAX_OUTPUTS; i++)
        outputs[i] = NULL;
    return gt_enter();
}

/* ---- custom gradients ---- */

static gt_Status custom_rule(gt_GradientRule *rule)
{
    gt_Context *context = rule->context;
    const Call *call = gt_rule_options(rule);
    gt_Site site = gt_site_enter(NULL, call->name);
    gt_Status status = call->gradient(call->user, rule);
    if (status != GT_OK)
        gt_raise(context, status, NULL, NULL, "the gradient function failed");
    for (int i = 0; i < gt_rule_inputs(rule) && gt_context_status(context) == GT_OK; i++)
        if (gt_wants(rule, i) && !rule->given[i])
            gt_raise(
                context, GT_STATE, NULL, NULL,
                "the gradient function gave no gradient for input %d; each of its %d inputs that "
                "gt_wants needs a gradient",
                i, (int)call->inputs);
    gt_site_leave(&site);
    return gt_context_status(context);
}

/* In the body of control flow the record is a node, because gradients of a body are those of its
 * nodes: behind the inputs come the results, cut off, which it passes on. */
static gt_Status custom_shape(gt_ShapeRule *rule)
{
    const Call *call = rule->options;
    for (int i = 0; i < rule->outputs; i++)
        rule->output[i] = i < call->outputs ? *rule->input[call->inputs + i]
                                            : (gt_Spec){.dtype = GT_FLOAT32, .rank = 1};
    return GT_OK;
}

static gt_Status custom_run(const gt_Kernel *kernel)
{
    const Call *call = kernel->options;
    for (int i = 0; i < call->outputs; i++) {
        size_t bytes = gt_spec_bytes(kernel->output_spec[i]);
        if (bytes)
            memcpy(kernel->output[i], kernel->input[call->inputs + i], bytes);
    }
    return GT_OK;
}

/* The function may do anything with padding. */
static gt_Status custom_mask(gt_MaskRule *rule)
{
    return gt_mask_rows(rule, 0);
}

static const gt_Operation custom_gradient = {
    .size = sizeof(gt_Operation),
    .name = "custom_gradient",
    .flags = GT_OP_INTERNAL | GT_OP_HALF,
    .options = &Call_type,
    .inputs_min = 1,
    .inputs_max = GT_MAX_INPUTS,
    .outputs = GT_MAX_OUTPUTS,
    .mask = custom_mask,
    .saves_inputs = UINT64_MAX,
    .saves_outputs = UINT32_MAX,
    .shape = custom_shape,
    .run = custom_run,
    .gradient = custom_rule,
};

/* Everything that a tape would watch must be an input: an error as in TensorFlow, not a silent nothing. */
static gt_Status check_what_is_read(const Run *run, const gt_Listener *listener)
{
    gt_Context *context = run->context;
    for (int32_t i = 0; i < listener->count; i++) {
        const gt_Value *value = listener->heard[i];
        const gt_Variable *variable = gt_value_variable(value);
        if (has_input(run, value))
            continue;
        if (!variable && gt_gradient_passes(context, value))
            return gt_raise(context, GT_INVALID, NULL, NULL, GT_NOT_AN_INPUT);
        if (variable && gt_tape_would_watch(context, variable))
            return gt_raise(context, GT_INVALID, NULL, NULL,
                            "the function reads variable %s, which is not among its inputs and "
                            "would get no gradient",
                            gt_variable_label(variable));
    }
    return GT_OK;
}

gt_Status gt_custom_gradient_at(const char *here, gt_FunctionBody function,
                                gt_GradientBody gradient, void *user, gt_Tensors inputs,
                                gt_Tensor **outputs, const gt_custom_gradient_options *given)
{
    gt_custom_gradient_options options;
    GT_TAKE(gt_custom_gradient_options, &options, given);
    gt_Context *context = enter(outputs, options.outputs);
    if (!context)
        return gt_status();
    const char *name = options.name ? options.name : custom_gradient.name;
    gt_Site site = gt_site_enter(here, name);
    Run run = {.context = context,
               .call = {.size = GT_SIZE(Call),
                        .gradient = gradient,
                        .user = user,
                        .name = name,
                        .inputs = inputs.count,
                        .outputs = options.saved < 0 ? -1 : options.outputs + options.saved},
               .given = inputs};
    gt_Listener listener = {0};
    if (!gradient)
        gt_raise(context, GT_INVALID, NULL, NULL, "the gradient function is NULL");
    else if (gt_check_call(context, inputs,
                           options.outputs < 1 ? options.outputs : run.call.outputs,
                           outputs) == GT_OK &&
             hold_inputs(&run) == GT_OK &&
             gt_run_hidden(context, function, user, inputs.items, run.call.outputs, run.output,
                           &listener) == GT_OK)
        check_what_is_read(&run, &listener);
    gt_listener_close(context, &listener);
    finish(&run, outputs, options.outputs);
    gt_site_leave(&site);
    return gt_context_status(context);
}

static gt_Status pass(void *user, gt_GradientRule *rule)
{
    (void)user;
    return gt_give(rule, 0, gt_upstream(rule, 0));
}

gt_Tensor *gt_grad_pass_through_at(const char *here, gt_FunctionBody function, void *user,
                                   gt_Tensor *x)
{
    gt_Tensor *y = NULL;
    gt_custom_gradient_at(here, function, pass, user, (gt_Tensors){&x, 1}, &y,
                          &GT_VALUES(gt_custom_gradient_options, 1, 0, "grad_pass_through"));
    gt_Context *context = gt_enter();
    if (!context || !y)
        return NULL;
    const gt_Spec *to = gt_tensor_spec(y), *from = gt_tensor_spec(x);
    char a[200], b[200];
    if (gt_spec_equal(to, from))
        return y;
    gt_raise(context, GT_INVALID, here, "grad_pass_through",
             "the function must return a tensor like its input, %s (got %s)",
             gt_spec_text(from, b, sizeof b), gt_spec_text(to, a, sizeof a));
    return NULL;
}

/* The bounds go with the record as outputs that are saved. */
static gt_Status clip_forward(void *user, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const double *bounds = user;
    outputs[0] = inputs[0];
    for (int i = 0; i < 2; i++)
        outputs[i + 1] = gt_scalar(bounds[i], gt_dtype(inputs[0]));
    return gt_status();
}

static gt_Status clip_backward(void *user, gt_GradientRule *rule)
{
    (void)user;
    gt_Tensor *above = gt_maximum(gt_upstream(rule, 0), gt_rule_output(rule, 1));
    return gt_give(rule, 0, gt_minimum(above, gt_rule_output(rule, 2)));
}

gt_Tensor *gt_clip_gradient_at(const char *here, gt_Tensor *x, double low, double high)
{
    gt_Tensor *y = NULL;
    double bounds[2] = {low, high};
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (!(low <= high)) {
        gt_raise(context, GT_INVALID, here, "clip_gradient",
                 "low must not exceed high (low %g, high %g)", low, high);
        return NULL;
    }
    gt_custom_gradient_at(here, clip_forward, clip_backward, bounds, (gt_Tensors){&x, 1}, &y,
                          &GT_VALUES(gt_custom_gradient_options, 1, 2, "clip_gradient"));
    return y;
}
