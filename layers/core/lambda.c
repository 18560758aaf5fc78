/* Lambda: any function of tensors as a layer, without weights. */
#include "layers/core/lambda.h"
#include "layers/kit.h"
#include "ops/array/cast.h"
#include "ops/math/arithmetic.h"

typedef struct Lambda {
    gt_Layer base;
    gt_Lambda_options options;
} Lambda;

GT_OPTION_TYPE(gt_Lambda_options, gt_Lambda_OPTIONS);

static gt_Status lambda_create(gt_Layer *layer)
{
    gt_LambdaFunction function = ((const Lambda *)layer)->options.function;
    if (!function)
        return gt_fail(GT_INVALID, "the function is NULL");
    return gt_check_function("the function", (uintptr_t)function);
}

static gt_Tensor *lambda_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const Lambda *self = (const Lambda *)layer;
    return self->options.function(self->options.context, in);
}

/* The function of a sample. */
static gt_Tensor *sum_of_inputs(void *context, const gt_CallArgs *in)
{
    (void)context;
    gt_Tensor *sum = gt_identity(in->x);
    for (int32_t i = 1; i < in->count; i++)
        sum = gt_add(sum, in->inputs[i]);
    return sum;
}

const gt_LayerClass gt_layer_class_lambda = {
    GT_LAYER_RECORD("lambda", "Lambda", Lambda, "any function of tensors, without weights"),
    .flags = GT_LAYER_FUNCTION,
    .options = &gt_Lambda_options_type,
    .create = lambda_create,
    .call = lambda_call,
    .ports = GT_PORTS({"inputs", GT_PORT_MANY, 0, 0}), /* the function sees them all */
    .samples = GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_Lambda, .function = sum_of_inputs),
                                 .keras = "Lambda(lambda x: x[0] + x[1])",
                                 .inputs = 2,
                                 .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(3)),
                                 .output = GT_SAMPLE_SHAPE(2, 3)}),
};

gt_Layer *gt_Lambda_at(const char *here, const gt_Lambda_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_lambda, options);
}
