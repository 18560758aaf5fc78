/* The numbers of a variable as another one's: an effect, so that it runs once a step, whatever the plan leaves out or joins.
 * Options are plain data, so they name the function by the identity of an object. */
#include "ops/update/exchange.h"

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

gt_Status gt_exchange(gt_Exchange *exchange, gt_Variable *variable)
{
    gt_exchange_options options =
        GT_VALUES(gt_exchange_options, gt_object_identity(&exchange->object));
    return gt_apply_at(NULL, &gt_op_exchange, &options, 1, &variable, NULL);
}

static gt_Status exchange_shape(gt_ShapeRule *rule)
{
    rule->output[0] = *rule->input[0];
    return gt_takes(rule->input[0], GT_TAKES_FLOAT) ? GT_OK : gt_status();
}

static gt_Status exchange_run(const gt_Kernel *kernel)
{
    const gt_exchange_options *options = kernel->options;
    if (options->identity == 0)
        return GT_OK;
    gt_Exchange *exchange = (gt_Exchange *)gt_object_find(kernel->context, options->identity);
    if (!exchange || exchange->object.kind != &exchange_kind)
        return gt_raise(kernel->context, GT_STATE, NULL, kernel->operation->name,
                        "the optimizer that exchanges gradients was freed");
    return exchange->function(exchange->user, kernel->output_spec[0]->dtype, kernel->output[0],
                              kernel->output_spec[0]->size);
}

const gt_Operation gt_op_exchange = {
    GT_RECORD("exchange", "what a function outside makes of the variable", 1, 1),
    .flags = GT_UPDATE_FLAGS,
    .why_not = GT_UPDATE_WHY_NOT,
    .options = &gt_exchange_options_type,
    .shape = exchange_shape,
    .run = exchange_run,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 3))}),
};
