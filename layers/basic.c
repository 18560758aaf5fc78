/* Activation, dropout, flatten, reshape and lambda: each is a struct of its options, and one
 * call. Leans on layer.c, which makes a layer from its class and its options. */
#include "layers/basic.h"
#include "layers/kit.h"
#include "ops/array/cast.h"
#include "ops/array/reshaping.h"
#include "ops/math/random.h"
#include "ops/math/math.h"

/* ---- activation ---- */

typedef struct Activation {
    gt_Layer base;
    gt_Activation_options options;
} Activation;

GT_OPTION_TYPE(gt_Activation_options, gt_Activation_OPTIONS);

static gt_Status activation_create(gt_Layer *layer)
{
    return ((const Activation *)layer)->options.function
               ? GT_OK
               : gt_fail(GT_INVALID, "the function is NULL");
}

static gt_Tensor *activation_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return ((const Activation *)layer)->options.function(in->x);
}

const gt_LayerClass gt_layer_class_activation = {
    GT_LAYER_RECORD("activation", "Activation", Activation, "a function of one tensor"),
    .flags = GT_LAYER_FUNCTION | GT_LAYER_KEEPS_MASK,
    .options = &gt_Activation_options_type,
    .create = activation_create,
    .call = activation_call,
    .samples = GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_Activation, .function = gt_tanh),
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(2, 3)),
                                 .output = GT_SAMPLE_SHAPE(2, 3),
                                 .masks = 1,
                                 .keras = "Activation('tanh')"}),
};

gt_Layer *gt_Activation_at(const char *here, const gt_Activation_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_activation, options);
}

/* ---- dropout ---- */

typedef struct Dropout {
    gt_Layer base;
    gt_Dropout_options options;
    gt_Variable *state;
} Dropout;

GT_OPTION_TYPE(gt_Dropout_options, gt_Dropout_OPTIONS);

static gt_Status dropout_create(gt_Layer *layer)
{
    double rate = ((const Dropout *)layer)->options.rate;
    if (!(rate >= 0 && rate <= 1))
        return gt_fail(GT_INVALID, "rate must be in [0, 1] (got %g)", rate);
    return GT_OK;
}

static gt_Status dropout_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)in;
    Dropout *self = (Dropout *)layer;
    if (self->options.rate > 0)
        self->state = gt_add_generator(layer, self->options.seed);
    return gt_status();
}

static gt_Tensor *dropout_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const Dropout *self = (const Dropout *)layer;
    if (!in->training || self->options.rate == 0)
        return gt_identity(in->x);
    return gt_dropout(in->x, self->options.rate, .generator = self->state);
}

const gt_LayerClass gt_layer_class_dropout = {
    GT_LAYER_RECORD("dropout", "Dropout", Dropout,
                    "in training drops elements at random and scales the others up"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_KEEPS_MASK,
    .options = &gt_Dropout_options_type,
    .create = dropout_create,
    .build = dropout_build,
    .call = dropout_call,
    .samples = GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_Dropout, .rate = 0.4, .seed = 7),
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(2, 3)),
                                 .output = GT_SAMPLE_SHAPE(2, 3),
                                 .masks = 1,
                                 .keras = "Dropout(0.4, seed=7)"},
                                {.options = GT_LAYER_OPTIONS(gt_Dropout, .rate = 0),
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(4)),
                                 .output = GT_SAMPLE_SHAPE(4),
                                 .keras = "Dropout(0)"}),
};

gt_Layer *gt_Dropout_at(const char *here, const gt_Dropout_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_dropout, options);
}

/* ---- flatten ---- */

typedef struct Flatten {
    gt_Layer base;
    gt_Flatten_options options;
} Flatten;

GT_OPTION_TYPE(gt_Flatten_options, gt_Flatten_OPTIONS);

static gt_Status flatten_create(gt_Layer *layer)
{
    return gt_set_input_spec(layer, 0, .min_rank = 1);
}

static gt_Tensor *flatten_call(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return gt_reshape(in->x, gt_shape(-1), .keep = 1);
}

const gt_LayerClass gt_layer_class_flatten = {
    GT_LAYER_RECORD("flatten", "Flatten", Flatten, "all axes but the first as one"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_Flatten_options_type,
    .create = flatten_create,
    .call = flatten_call,
    .samples = GT_LAYER_SAMPLES({.inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(2, 3, 2)),
                                 .output = GT_SAMPLE_SHAPE(2, 6),
                                 .masks = 1,
                                 .keras = "Flatten()"},
                                {.inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(3)),
                                 .output = GT_SAMPLE_SHAPE(3, 1),
                                 .keras = "Flatten()"}),
};

gt_Layer *gt_Flatten_at(const char *here, const gt_Flatten_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_flatten, options);
}

/* ---- reshape ---- */

typedef struct Reshape {
    gt_Layer base;
    gt_Reshape_options options;
} Reshape;

GT_OPTION_TYPE(gt_Reshape_options, gt_Reshape_OPTIONS);

static gt_Status reshape_create(gt_Layer *layer)
{
    gt_Shape target = ((const Reshape *)layer)->options.target;
    if (target.rank < 0 || target.rank >= GT_MAX_RANK)
        return gt_fail(GT_INVALID, "target must have at most %d dimensions (got %d)",
                       GT_MAX_RANK - 1, (int)target.rank);
    return gt_set_input_spec(layer, 0, .min_rank = 1);
}

static gt_Tensor *reshape_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return gt_reshape(in->x, ((const Reshape *)layer)->options.target, .keep = 1);
}

const gt_LayerClass gt_layer_class_reshape = {
    GT_LAYER_RECORD("reshape", "Reshape", Reshape, "the elements of each row in another shape"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_Reshape_options_type,
    .create = reshape_create,
    .call = reshape_call,
    .samples =
        GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_Reshape, .target = GT_SAMPLE_SHAPE(3, 2)),
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 6)),
                          .output = GT_SAMPLE_SHAPE(2, 3, 2),
                          .keras = "Reshape((3, 2))"},
                         {.options = GT_LAYER_OPTIONS(gt_Reshape, .target = GT_SAMPLE_SHAPE(-1, 3)),
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 2, 6)),
                          .output = GT_SAMPLE_SHAPE(2, 4, 3),
                          .masks = 1,
                          .keras = "Reshape((-1, 3))"}),
};

gt_Layer *gt_Reshape_at(const char *here, const gt_Reshape_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_reshape, options);
}

/* ---- lambda ---- */

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
                                 .inputs = 2,
                                 .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(3)),
                                 .output = GT_SAMPLE_SHAPE(2, 3),
                                 .keras = "Lambda(lambda x: x[0] + x[1])"}),
};

gt_Layer *gt_Lambda_at(const char *here, const gt_Lambda_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_lambda, options);
}
