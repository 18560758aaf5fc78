/* Sequential: the children in order. */
#include "layers/sequential.h"
#include "layers/core/dense.h"
#include "layers/draw.h"
#include "layers/kit.h"
#include "layers/regularization/dropout.h"
#include "ops/array/cast.h"
#include "ops/math/math.h"

typedef struct Sequential {
    gt_Layer base;
} Sequential;

static bool begins_with_input(const gt_LayerState *state)
{
    return state->child_count > 0 && state->children[0].layer->type == &gt_layer_class_input_layer;
}

static gt_Tensor *sequential_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_LayerState *state = layer->state;
    const gt_Strings *text = in->text ? in->text[0] : NULL;
    gt_Tensor *x = in->x;
    int32_t i = 0;
    if (text && begins_with_input(state)) /* which looks at the text; the next layer gets it */
        gt_call(state->children[i++].layer, NULL, .text = *text);
    if (text && i == state->child_count)
        return gt_fail(GT_INVALID, "there is no layer for the text"), NULL;
    if (text)
        x = gt_call(state->children[i++].layer, NULL, .text = *text);
    else if (state->child_count == 0)
        x = gt_identity(x);
    for (; i < state->child_count; i++)
        x = gt_call(state->children[i].layer, x);
    return x;
}

/* One that begins with an InputLayer, and goes on, is built for the inputs that this stands for. Inside a traced function it
 * is built by its first call as others are. */
static gt_Status build_for_input(gt_Layer *model)
{
    gt_LayerState *state = model->state;
    gt_Context *context = state->object.context;
    if (state->child_count < 2 || state->built || gt_tracing(context) || !begins_with_input(state) ||
        !gt_scope_open(context))
        return gt_context_status(context);
    gt_Tensor *x = gt_input_layer_draw(state->children[0].layer);
    if (x)
        gt_build_for_symbol(context, state, x);
    gt_scope_close(context);
    return gt_context_status(context);
}

/* A new one with copies of the layers. */
static gt_Layer *sequential_copy(gt_Layer *layer)
{
    const gt_LayerState *state = layer->state;
    const Sequential instance = {.base = {.name = state->named ? state->name : NULL,
                                          .dtype = gt_layer_own_policy(state)}};
    gt_Layer *model = gt_layer_new_at(NULL, &gt_layer_class_sequential, &instance);
    for (int32_t i = 0; i < state->child_count && gt_status() == GT_OK; i++)
        gt_add_child_at(NULL, model, gt_layer_copy_at(NULL, state->children[i].layer));
    if (gt_status() == GT_OK && build_for_input(model) == GT_OK)
        return model;
    gt_layer_free(model);
    return NULL;
}

static gt_Layer *sequential_sample(void)
{
    return gt_Sequential(gt_Dense(4, .activation = gt_tanh), gt_Dropout(0.3, .seed = 5),
                         gt_Dense(3));
}

const gt_LayerClass gt_layer_class_sequential = {
    .size = sizeof(gt_LayerClass),
    .flags = GT_LAYER_CONTAINER,
    .name = "sequential",
    .function = "Sequential",
    .keras = "Sequential",
    .summary = "layers one after the other",
    .instance = sizeof(Sequential),
    .ports = GT_PORTS({"x", GT_PORT_TEXT | GT_PORT_INTEGERS, 0, 0}),
    .call = sequential_call,
    .copy = sequential_copy,
    .samples = GT_LAYER_SAMPLES(
        {.make = sequential_sample,
         .keras = "Sequential([Dense(4, activation='tanh'), Dropout(0.3, seed=5), Dense(3)])",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 3)}),
};

gt_Layer *gt_Sequential_at(const char *here, gt_Layer *const *layers)
{
    const Sequential instance = {.base = {.name = NULL}};
    gt_Site site = gt_site_enter(here, "Sequential");
    gt_Layer *model = gt_layer_new_at(here, &gt_layer_class_sequential, &instance);
    for (int i = 0; layers[i] != GT_LIST_END; i++) /* each is taken, also after a failure */
        gt_add_child(model, layers[i]);
    if (gt_status() == GT_OK)
        build_for_input(model);
    gt_site_leave(&site);
    if (gt_status() == GT_OK)
        return model;
    gt_layer_free(model);
    return NULL;
}

gt_Status gt_sequential_add_at(const char *here, gt_Layer *model, gt_Layer *layer)
{
    gt_add_child_at(here, model, layer);
    return gt_status();
}

/* A Sequential of this context; NULL with an error raised for anything else. */
static gt_LayerState *sequential_of(gt_Context *context, const char *here, const char *operation,
                                    const gt_Layer *model)
{
    gt_LayerState *state = gt_layer_own(context, here, operation, model);
    if (!state || state->layer->type == &gt_layer_class_sequential)
        return state;
    gt_raise(context, GT_INVALID, here, operation, "layer %s is no Sequential but a %s", state->name,
             state->layer->type->name);
    return NULL;
}

gt_Status gt_sequential_insert_at(const char *here, gt_Layer *model, int index, gt_Layer *layer)
{
    gt_Context *context = gt_context();
    if (!context)
        return GT_NO_MEMORY;
    gt_LayerState *state = gt_context_status(context) == GT_OK
                               ? sequential_of(context, here, "sequential_insert", model)
                               : NULL;
    if (state && (index < 0 || index > state->child_count))
        gt_raise(context, GT_INVALID, here, "sequential_insert",
                 "index must be 0 to %d (got %d)", (int)state->child_count, index);
    int32_t children = state ? state->child_count : 0;
    gt_add_child_at(here, model, layer); /* takes it in any case */
    if (gt_context_status(context) == GT_OK && gt_layer_move_child(state, children, index) != GT_OK)
        gt_layer_drop_children(state, children);
    return gt_context_status(context);
}

gt_Status gt_sequential_pop_at(const char *here, gt_Layer *model)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? sequential_of(context, here, "sequential_pop", model) : NULL;
    if (!state)
        return gt_status();
    if (state->child_count == 0)
        return gt_raise(context, GT_INVALID, here, "sequential_pop", "there is no layer in %s",
                        state->name);
    gt_layer_drop_children(state, state->child_count - 1);
    return GT_OK;
}
