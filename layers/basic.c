/* Activation, dropout, flatten, reshape and lambda. */
#include "layers/basic.h"
#include "layers/internal.h"
#include "ops/array/cast.h"
#include "ops/math/random.h"
#include "ops/array/reshaping.h"

static const gt_Regularizer no_penalty = GT_NOT_GIVEN;

/* Every layer of this file is a struct of its options. */
#define BASIC_LAYER(Type, Options, symbol, LIST)                                                   \
    typedef struct Type {                                                                          \
        gt_Layer base;                                                                             \
        Options options;                                                                           \
        gt_Variable *state;                                                                        \
    } Type;                                                                                        \
    GT_OPTION_TYPE(Options, LIST);                                                                 \
    static const gt_LayerClass symbol##_class;                                                     \
    gt_Layer *gt_##Type##_at(const char *here, const Options *given)                               \
    {                                                                                              \
        Type layer = {.base = {.name = NULL}};                                                     \
        gt_options_take(&Options##_type, &layer.options, given);                                   \
        layer.base.name = layer.options.name;                                                      \
        layer.base.dtype = layer.options.dtype;                                                    \
        return gt_layer_make(here, #Type, &symbol##_class, &layer, layer.options.trainable,        \
                             no_penalty);                                                          \
    }

/* ---- activation ---- */

BASIC_LAYER(Activation, gt_Activation_options, activation, gt_Activation_OPTIONS)

static gt_Status activation_create(gt_Layer *layer)
{
    gt_TensorFunction function = ((const Activation *)layer)->options.function;
    if (!function)
        return gt_fail(GT_INVALID, "the function is NULL");
    if (gt_check_function("the function", (uintptr_t)function) != GT_OK)
        return gt_status();
    return gt_adopt_activation(layer, function);
}

static gt_Tensor *activation_call(gt_Layer *layer, gt_CallArgs in)
{
    return ((const Activation *)layer)->options.function(in.x);
}

static const gt_LayerClass activation_class = {.name = "activation",
                                               .instance = sizeof(Activation),
                                               .create = activation_create,
                                               .call = activation_call};

/* ---- dropout ---- */

BASIC_LAYER(Dropout, gt_Dropout_options, dropout, gt_Dropout_OPTIONS)

static gt_Status dropout_create(gt_Layer *layer)
{
    double rate = ((const Dropout *)layer)->options.rate;
    if (!(rate >= 0 && rate <= 1))
        return gt_fail(GT_INVALID, "rate must be in [0, 1] (got %g)", rate);
    return GT_OK;
}

/* The two numbers of a generator's state: which stream, how many draws. */
static gt_Status start_generator(void *context, const gt_Spec *spec, void *data, uint64_t stream)
{
    (void)spec;
    const Dropout *self = context;
    int64_t *state = data;
    state[0] = self->options.seed >= 0 ? self->options.seed : (int64_t)(stream >> 1);
    state[1] = 0;
    return GT_OK;
}

static gt_Status dropout_build(gt_Layer *layer, gt_Shape input)
{
    (void)input;
    Dropout *self = (Dropout *)layer;
    if (self->options.rate > 0)
        self->state = gt_add_weight(layer, "seed_generator_state", gt_shape(2), .dtype = GT_INT64,
                                    .initializer = gt_initializer(start_generator, self),
                                    .trainable = false, .is_state = true);
    return gt_status();
}

static gt_Tensor *dropout_call(gt_Layer *layer, gt_CallArgs in)
{
    const Dropout *self = (const Dropout *)layer;
    if (!in.training || self->options.rate == 0)
        return gt_identity(in.x);
    return gt_dropout(in.x, self->options.rate, .generator = self->state);
}

static const gt_LayerClass dropout_class = {.name = "dropout",
                                            .instance = sizeof(Dropout),
                                            .create = dropout_create,
                                            .build = dropout_build,
                                            .call = dropout_call};

/* ---- flatten ---- */

BASIC_LAYER(Flatten, gt_Flatten_options, flatten, gt_Flatten_OPTIONS)

static gt_Status flatten_create(gt_Layer *layer)
{
    return gt_set_input_spec(layer, 1, 0);
}

static gt_Tensor *flatten_call(gt_Layer *layer, gt_CallArgs in)
{
    (void)layer;
    gt_Shape shape = gt_tensor_shape(in.x);
    int64_t rest = 1;
    for (int d = 1; d < shape.rank; d++)
        rest *= shape.dims[d];
    return gt_reshape(in.x, gt_shape(shape.dims[0], rest));
}

static const gt_LayerClass flatten_class = {
    .name = "flatten", .instance = sizeof(Flatten), .create = flatten_create, .call = flatten_call};

/* ---- reshape ---- */

BASIC_LAYER(Reshape, gt_Reshape_options, reshape_layer, gt_Reshape_OPTIONS)

static gt_Status reshape_layer_create(gt_Layer *layer)
{
    gt_Shape target = ((const Reshape *)layer)->options.target;
    if (target.rank < 0 || target.rank >= GT_MAX_RANK)
        return gt_fail(GT_INVALID, "target must have at most %d dimensions (got %d)",
                       GT_MAX_RANK - 1, (int)target.rank);
    return gt_set_input_spec(layer, 1, 0);
}

static gt_Tensor *reshape_layer_call(gt_Layer *layer, gt_CallArgs in)
{
    gt_Shape target = ((const Reshape *)layer)->options.target;
    gt_Shape input = gt_tensor_shape(in.x), shape = {.mark = GT_MARK, .rank = target.rank + 1};
    int64_t row = 1, known = 1;
    shape.dims[0] = gt_dim(input, 0);
    for (int d = 1; d < input.rank; d++)
        row *= input.dims[d];
    for (int d = 0; d < target.rank; d++)
        known *= target.dims[d] < 0 ? 1 : target.dims[d];
    for (int d = 0; d < target.rank; d++) /* -1 is what is left of a row, for empty batches too */
        shape.dims[d + 1] = target.dims[d] == -1 && known ? row / known : target.dims[d];
    return gt_reshape(in.x, shape);
}

static const gt_LayerClass reshape_layer_class = {.name = "reshape",
                                                  .instance = sizeof(Reshape),
                                                  .create = reshape_layer_create,
                                                  .call = reshape_layer_call};

/* ---- lambda ---- */

BASIC_LAYER(Lambda, gt_Lambda_options, lambda, gt_Lambda_OPTIONS)

static gt_Status lambda_create(gt_Layer *layer)
{
    gt_LambdaFunction function = ((const Lambda *)layer)->options.function;
    if (!function)
        return gt_fail(GT_INVALID, "the function is NULL");
    return gt_check_function("the function", (uintptr_t)function);
}

static gt_Tensor *lambda_call(gt_Layer *layer, gt_CallArgs in)
{
    const Lambda *self = (const Lambda *)layer;
    return self->options.function(self->options.context, in);
}

static const gt_LayerClass lambda_class = {
    .name = "lambda",
    .instance = sizeof(Lambda),
    .create = lambda_create,
    .call = lambda_call,
    .inputs = GT_MAX_INPUTS, /* the function sees them all */
};
