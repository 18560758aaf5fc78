/* Aliases, tapes and runs for differentiating a function from outside. Leans on core/tape.c. */
#include "autodiff/probe.h"
#include "ops/array/cast.h"

#include <math.h>

gt_Tensor *gt_probe(const char *here, gt_Tensor *x)
{
    return gt_is_variable(x) ? x : gt_identity_at(here, x);
}

gt_Tape *gt_probe_tape(const char *here, gt_Tensors watched, bool persistent)
{
    gt_Tape *tape = gt_tape_begin_at(
        here, &GT_VALUES(gt_tape_begin_options, persistent, .watch_accessed_variables = false));
    for (int32_t i = 0; tape && i < watched.count; i++)
        gt_watch_at(here, tape, watched.items[i]);
    return tape;
}

gt_Tensor *gt_probe_upstream(gt_Context *context, gt_Tensor *output)
{
    gt_Spec spec = gt_spec(output);
    void *data = NULL;
    gt_Tensor *upstream =
        gt_context_status(context) == GT_OK ? gt_tensor_new(context, &spec, &data) : NULL;
    for (int64_t i = 0; upstream && i < spec.size; i++) {
        double place = 0.61803398874989485 * (double)(i + 1);
        gt_number_store(spec.dtype, data, i, 0.5 + (place - floor(place)));
    }
    return upstream;
}

gt_Status gt_check_inputs(gt_Context *context, gt_Tensors inputs)
{
    if (inputs.count > 0 && !inputs.items)
        return gt_raise(context, GT_INVALID, NULL, NULL, "the list of inputs is NULL");
    if (inputs.count < 1 || inputs.count > GT_MAX_INPUTS)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "the number of inputs must be 1 to %d (got %d)", GT_MAX_INPUTS,
                        (int)inputs.count);
    return GT_OK;
}

gt_Status gt_check_call(gt_Context *context, gt_Tensors inputs, int32_t outputs,
                        gt_Tensor *const *places)
{
    if (gt_check_inputs(context, inputs) != GT_OK)
        return gt_context_status(context);
    if (outputs < 1 || outputs > GT_MAX_OUTPUTS)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "the number of outputs, saved ones too, must be 1 to %d (got %d)",
                        GT_MAX_OUTPUTS, (int)outputs);
    if (!places)
        return gt_raise(context, GT_INVALID, NULL, NULL, "the place for the outputs is NULL");
    return GT_OK;
}

gt_Status gt_run_hidden(gt_Context *context, gt_FunctionBody function, void *user,
                        gt_Tensor *const *input, int32_t outputs, gt_Value **output,
                        gt_Listener *listener)
{
    gt_listener_begin(context, listener);
    uint64_t hushed = gt_tape_quiet(context);
    gt_body_run(context, NULL, function, user, input, outputs, output);
    gt_tape_unquiet(context, hushed);
    gt_listener_end(context, listener);
    for (int32_t i = 0; i < outputs && gt_context_status(context) == GT_OK; i++) {
        gt_Value *own = gt_value_alias(context, output[i], gt_value_spec(output[i]), 0);
        if (!own)
            break;
        gt_value_release(output[i], true);
        output[i] = own;
    }
    return gt_context_status(context);
}
