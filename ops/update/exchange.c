/* Numbers that a function changes. It has `run` and no launches, so no pass folds it, joins two of them or computes it at another time
 * (gt_node_is_pure). Options are plain data, so they name the function by the identity of an object. */
#include "ops/update/exchange.h"

#include <string.h>

GT_OPTION_TYPE(gt_exchange_options, gt_exchange_OPTIONS);

static void destroy(gt_Object *object)
{
    (void)object;
}

static const gt_ObjectKind exchange_kind = {"exchange", destroy, false};

gt_Exchange *gt_exchange_new(gt_Context *context, gt_ExchangeFunction *function, void *user)
{
    gt_Exchange *self = gt_object_new(context, &exchange_kind, sizeof *self);
    if (!self)
        return NULL;
    gt_object_sink(&self->object);
    self->function = function;
    self->user = user;
    return self;
}

gt_Tensor *gt_exchange(gt_Exchange *exchange, gt_Tensor *x)
{
    gt_exchange_options options =
        GT_VALUES(gt_exchange_options, (int64_t)gt_object_identity(&exchange->object));
    return gt_apply_one_at(NULL, &gt_op_exchange, &options, 1, &x);
}

static gt_Status exchange_shape(gt_ShapeRule *rule)
{
    rule->output[0] = *rule->input[0];
    return gt_takes(rule->input[0], GT_TAKES_FLOAT) ? GT_OK : gt_status();
}

static gt_Status exchange_run(const gt_Kernel *kernel)
{
    const gt_exchange_options *options = kernel->options;
    const gt_Spec *spec = kernel->output_spec[0];
    if (kernel->output[0] != kernel->input[0] && spec->size > 0)
        memcpy(kernel->output[0], kernel->input[0], gt_spec_bytes(spec));
    if (options->identity == 0)
        return GT_OK;
    gt_Exchange *exchange =
        (gt_Exchange *)gt_object_find(kernel->context, (uint64_t)options->identity);
    if (!exchange || exchange->object.kind != &exchange_kind)
        return gt_raise(kernel->context, GT_STATE, NULL, kernel->operation->name,
                        "the optimizer that exchanges gradients was freed");
    return exchange->function(exchange->user, spec->dtype, kernel->output[0], spec->size);
}

const gt_Operation gt_op_exchange = {
    GT_RECORD("exchange", "what a function outside makes of x", 1, 1),
    .flags = GT_OP_NOT_DIFFERENTIABLE | GT_OP_INTERNAL | GT_OP_MAY_REUSE,
    .why_not = "what other processes have does not depend on x",
    .options = &gt_exchange_options_type,
    .shape = exchange_shape,
    .run = exchange_run,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))}),
};
