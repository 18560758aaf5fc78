/* Functional models. gt_Model walks back from the outputs, by the position of the inputs of each node, and so puts the nodes
 * in an order that does not depend on the one in which C evaluated the calls; then the model holds the nodes and replays
 * them: gt_call for layers, gt_apply for operations. Masks ride on the tensors meanwhile. Leans on layers/draw.c.
 *
 *     gt_Model -> walk -> number_values -> add_layers
 *     gt_call  -> functional_call -> replay_node, one after the other */
#include "models/functional.h"
#include "core/assert.h"
#include "core/strings_inside.h"
#include "layers/core/activation.h"
#include "layers/kit.h"
#include "models/functional_config.h"
#include "models/functional_inside.h"
#include "ops/array/cast.h"

#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_Input_options, gt_Input_OPTIONS);
GT_OPTION_TYPE(gt_Model_options, gt_Model_OPTIONS);

/* ---- inputs ---- */

gt_Tensor *gt_Input_at(const char *here, const gt_Input_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Input_options options;
    GT_TAKE(gt_Input_options, &options, given);
    gt_Tensor *x = NULL;
    gt_Site site = gt_site_enter(here, "Input");
    if (gt_context_status(context) != GT_OK)
        x = NULL;
    else if (options.name && (!*options.name || strchr(options.name, '/')))
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "the name must not be empty or contain '/' (got \"%s\")", options.name);
    else
        x = gt_draw_input(context, here, options.shape, options.batch_size, options.dtype,
                          options.name);
    gt_site_leave(&site);
    return x;
}

/* ---- walking back ---- */

/* While a model is made. */
typedef struct Walk {
    gt_Context *context;
    gt_Functional *self;
    gt_Node **stack;
    int32_t depth, capacity;
    uint64_t visit; /* nodes that are met, and those that are done, which is one more */
    gt_Map inputs;  /* (node, output) of the model's inputs -> which of them */
    uint64_t *read; /* one an input: is it read? */
} Walk;

static uint64_t key_of(const gt_Node *node, int32_t output)
{
    return gt_map_pointer(node) * 31 + (uint64_t)output;
}

/* Which input of the model the symbol is; -1: none. */
static int32_t find_input(const Walk *walk, const gt_Node *node, int32_t output)
{
    const gt_Functional *self = walk->self;
    int32_t at = -1, i;
    while ((i = gt_map_next(&walk->inputs, key_of(node, output), &at)) >= 0) {
        int32_t which;
        if (gt_value_node(self->symbol[i], &which) == node && which == output)
            return i;
    }
    return -1;
}

static bool push(Walk *walk, gt_Node *node)
{
    if (!gt_reserve(walk->context, (void **)&walk->stack, walk->depth, &walk->capacity,
                    sizeof *walk->stack))
        return false;
    node->visit = walk->visit;
    node->place = 0;
    walk->stack[walk->depth++] = node;
    return true;
}

static gt_Status finish(Walk *walk, gt_Node *node)
{
    gt_Functional *self = walk->self;
    if (!gt_reserve(walk->context, (void **)&self->steps, self->step_count, &self->step_capacity,
                    sizeof *self->steps))
        return gt_context_status(walk->context);
    node->visit = walk->visit + 1;
    node->place = self->step_count;
    self->steps[self->step_count++] = (gt_Step){.node = node, .first = self->values};
    self->values += node->outputs;
    return GT_OK;
}

/* Puts the node and all that it needs into the order, without recursion: drawings are deep. */
static gt_Status visit(Walk *walk, gt_Node *root)
{
    if (root->visit == walk->visit + 1 || !push(walk, root))
        return gt_context_status(walk->context);
    while (walk->depth > 0) {
        gt_Node *node = walk->stack[walk->depth - 1];
        if (!node->operation)
            return gt_raise(
                walk->context, GT_INVALID, NULL, NULL,
                "the outputs need the input \"%s\", drawn at %s, which is not among the "
                "model's inputs",
                node->name ? node->name : "input", node->here ? node->here : "?");
        if (node->place == node->inputs) {
            walk->depth--;
            if (finish(walk, node) != GT_OK)
                return gt_context_status(walk->context);
            continue;
        }
        int32_t output;
        const gt_Value *value = node->input[node->place++];
        gt_Node *from = value ? gt_value_node(value, &output) : NULL;
        if (from && find_input(walk, from, output) < 0 && from->visit < walk->visit &&
            !push(walk, from))
            return gt_context_status(walk->context);
    }
    return GT_OK;
}

/* The number of a symbol among the values of the model: inputs first, then what the steps give. */
static int32_t number_of(const Walk *walk, const gt_Value *value)
{
    int32_t output, input;
    const gt_Node *node = gt_value_node(value, &output);
    if ((input = find_input(walk, node, output)) >= 0) {
        walk->read[input] = 1;
        return input;
    }
    return walk->self->steps[node->place].first + output;
}

static gt_Status wire_step(Walk *walk, gt_Step *step)
{
    gt_Functional *self = walk->self;
    step->wire = self->wire_count;
    for (int32_t i = 0; i < step->node->inputs; i++) {
        gt_Value *value = step->node->input[i];
        bool drawn = value && gt_value_node(value, NULL);
        if (!gt_reserve(walk->context, (void **)&self->wires, self->wire_count,
                        &self->wire_capacity, sizeof *self->wires))
            return gt_context_status(walk->context);
        self->wires[self->wire_count++] =
            (gt_Wire){drawn ? number_of(walk, value) : -1, drawn ? NULL : value};
    }
    return GT_OK;
}

/* From which step on a value is needed no more. */
static gt_Status note_last(Walk *walk)
{
    gt_Functional *self = walk->self;
    self->last = gt_allocate_zeroed(walk->context, (size_t)self->values * sizeof *self->last);
    self->output = gt_allocate_zeroed(walk->context, (size_t)self->outputs * sizeof *self->output);
    if (!self->last || !self->output)
        return gt_context_status(walk->context);
    for (int32_t s = 0; s < self->step_count; s++)
        for (int32_t i = 0; i < self->steps[s].node->inputs; i++) {
            int32_t number = self->wires[self->steps[s].wire + i].number;
            if (number >= 0)
                self->last[number] = s;
        }
    for (int32_t i = 0; i < self->outputs; i++) {
        self->output[i] = number_of(walk, self->symbol[self->inputs + i]);
        self->last[self->output[i]] = -1;
    }
    return GT_OK;
}

static gt_Status index_inputs(Walk *walk)
{
    gt_Functional *self = walk->self;
    for (int32_t i = 0; i < self->inputs; i++) {
        int32_t output;
        const gt_Node *node = gt_value_node(self->symbol[i], &output);
        if (find_input(walk, node, output) >= 0)
            return gt_raise(walk->context, GT_INVALID, NULL, NULL, "input %d is there twice",
                            (int)i + 1);
        if (!gt_map_add(walk->context, &walk->inputs, key_of(node, output), i))
            return gt_context_status(walk->context);
    }
    return GT_OK;
}

static gt_Status walk_back(Walk *walk)
{
    gt_Functional *self = walk->self;
    self->values = self->inputs;
    if (index_inputs(walk) != GT_OK)
        return gt_context_status(walk->context);
    for (int32_t i = 0; i < self->outputs; i++) {
        int32_t output;
        gt_Node *node = gt_value_node(self->symbol[self->inputs + i], &output);
        if (find_input(walk, node, output) < 0 && visit(walk, node) != GT_OK)
            return gt_context_status(walk->context);
    }
    for (int32_t s = 0; s < self->step_count; s++)
        if (wire_step(walk, &self->steps[s]) != GT_OK)
            return gt_context_status(walk->context);
    if (note_last(walk) != GT_OK)
        return gt_context_status(walk->context);
    for (int32_t i = 0; i < self->inputs; i++)
        if (!walk->read[i])
            return gt_raise(walk->context, GT_INVALID, NULL, NULL,
                            "no output needs input %d: leave it out", (int)i + 1);
    return GT_OK;
}

static gt_Status walk_drawing(gt_Context *context, gt_Functional *self)
{
    Walk walk = {.context = context, .self = self};
    size_t bytes = (size_t)self->inputs * sizeof *walk.read;
    gt_context_new_visit(context);
    walk.visit = gt_context_new_visit(context) - 1;
    walk.read = gt_allocate_zeroed(context, bytes);
    if (walk.read)
        walk_back(&walk);
    gt_release(context, walk.read, bytes);
    gt_release(context, walk.stack, (size_t)walk.capacity * sizeof *walk.stack);
    gt_map_close(context, &walk.inputs);
    return gt_context_status(context);
}

/* ---- making it ---- */

static bool is_text(const gt_Functional *self, int32_t i)
{
    return gt_value_spec(self->symbol[i])->dtype == GT_TEXT;
}

/* The input of that name, among those that have one already; -1: none. */
static int32_t find_port(const gt_Functional *self, const char *name)
{
    int32_t i = self->inputs - 1;
    while (i >= 0 && (!self->ports[i].name || strcmp(self->ports[i].name, name) != 0))
        i--;
    return i;
}

/* Names of the ports: those of gt_Input, else "input", "input_1", ... by position, past those that are taken. */
static gt_Status name_ports(gt_Context *context, gt_Functional *self)
{
    enum { ROOM = 24 };
    size_t bytes = (size_t)self->inputs * ROOM;
    for (int32_t i = 0; i < self->inputs; i++) {
        const gt_Node *node = gt_value_node(self->symbol[i], NULL);
        bytes += node->name ? strlen(node->name) : 0;
    }
    self->names = gt_allocate_zeroed(context, bytes);
    self->name_bytes = bytes;
    self->ports = gt_allocate_zeroed(context, ((size_t)self->inputs + 1) * sizeof *self->ports);
    if (!self->names || !self->ports)
        return gt_context_status(context);
    char *at = self->names;
    for (int32_t i = 0; i < self->inputs; i++) {
        const gt_Node *node = gt_value_node(self->symbol[i], NULL);
        if (node->name && find_port(self, node->name) >= 0)
            return gt_raise(context, GT_INVALID, NULL, NULL,
                            "inputs %d and %d are both called \"%s\"; names are unique in a model",
                            (int)find_port(self, node->name) + 1, (int)i + 1, node->name);
        if (!node->name)
            continue;
        self->ports[i].name = at;
        at += snprintf(at, bytes, "%s", node->name) + 1;
    }
    for (int32_t i = 0, number = 0; i < self->inputs; i++) {
        if (self->ports[i].name)
            continue;
        do
            snprintf(at, ROOM, number ? "input_%d" : "input", (int)number);
        while (number++, find_port(self, at) >= 0);
        self->ports[i].name = at;
        at += strlen(at) + 1;
    }
    for (int32_t i = 0; i < self->inputs; i++)
        self->ports[i].flags = is_text(self, i) ? GT_PORT_TEXT : 0;
    GT_ASSERT(at <= self->names + bytes);
    self->base.state->ports = self->ports;
    self->base.state->outputs = self->outputs;
    return GT_OK;
}

static gt_Status add_layers(gt_Context *context, gt_Functional *self)
{
    gt_LayerState *state = self->base.state;
    for (int32_t s = 0; s < self->step_count && gt_context_status(context) == GT_OK; s++) {
        const gt_Node *node = self->steps[s].node;
        const gt_Object *object = node->layer ? gt_node_layer(node) : NULL;
        gt_Layer *layer = object ? ((const gt_LayerState *)object)->layer : NULL;
        self->steps[s].layer = layer;
        if (layer && gt_map_find(&state->places, gt_map_pointer(layer)) < 0)
            gt_add_child(&self->base, layer);
    }
    return gt_context_status(context);
}

static gt_Status hold_symbols(gt_Context *context, gt_Functional *self, const char *what,
                              gt_Tensors list, int32_t first)
{
    char name[48];
    for (int32_t i = 0; i < list.count; i++) {
        snprintf(name, sizeof name, "%s %d", what, (int)i + 1);
        if (!gt_tensor_check(context, NULL, NULL, name, list.items[i]))
            return gt_context_status(context);
        gt_Value *value = gt_tensor_value(list.items[i]);
        if (!gt_value_node(value, NULL))
            return gt_raise(context, GT_INVALID, NULL, NULL,
                            "%s is a tensor with numbers; it must be a symbol, gt_Input or what is "
                            "computed from one",
                            name);
        if (first > 0 && gt_value_spec(value)->dtype == GT_TEXT)
            return gt_raise(context, GT_INVALID, NULL, NULL,
                            "%s is text, which models accept and do not give", name);
        gt_value_retain(value, true);
        self->symbol[first + i] = value;
    }
    return GT_OK;
}

/* The model itself has no weights; its policy says whether its loss is scaled. */
static void take_policy(gt_Context *context, gt_LayerState *state)
{
    gt_DType policy = (gt_DType)gt_context_policy(context);
    if (policy == GT_DTYPE_NONE)
        return;
    state->dtype = gt_variable_dtype(policy);
    state->compute = gt_compute_dtype(policy);
    state->policy_of_context = true;
}

static gt_Status make_model(gt_Context *context, gt_Functional *self, const gt_Model_options *options)
{
    self->inputs = options->inputs.count;
    self->outputs = options->outputs.count;
    self->symbol =
        gt_allocate_zeroed(context, (size_t)(self->inputs + self->outputs) * sizeof *self->symbol);
    if (!self->symbol || hold_symbols(context, self, "input", options->inputs, 0) != GT_OK ||
        hold_symbols(context, self, "output", options->outputs, self->inputs) != GT_OK ||
        walk_drawing(context, self) != GT_OK || name_ports(context, self) != GT_OK ||
        add_layers(context, self) != GT_OK)
        return gt_context_status(context);
    self->base.state->built = true;
    self->base.state->rows = gt_functional_rows;
    take_policy(context, self->base.state);
    return options->trainable ? GT_OK : gt_set_trainable(&self->base, false);
}

static void functional_destroy(gt_Layer *layer)
{
    gt_Functional *self = (gt_Functional *)layer;
    gt_Context *context = layer->state->object.context;
    int32_t symbols = self->symbol ? self->inputs + self->outputs : 0;
    for (int32_t i = 0; i < symbols; i++)
        if (self->symbol[i])
            gt_value_release(self->symbol[i], true);
    gt_release(context, self->symbol, (size_t)symbols * sizeof *self->symbol);
    gt_release(context, self->steps, (size_t)self->step_capacity * sizeof *self->steps);
    gt_release(context, self->wires, (size_t)self->wire_capacity * sizeof *self->wires);
    gt_release(context, self->last, (size_t)self->values * sizeof *self->last);
    gt_release(context, self->output, (size_t)self->outputs * sizeof *self->output);
    gt_release(context, self->ports, ((size_t)self->inputs + 1) * sizeof *self->ports);
    gt_release(context, self->names, self->name_bytes);
}

/* ---- calling it ---- */

/* Is it like the symbol, where its sizes are known? */
static gt_Status check_input(const gt_Functional *self, int32_t i, const gt_Spec *got)
{
    const gt_Spec *wanted = gt_value_spec(self->symbol[i]);
    bool fits = wanted->rank == got->rank && wanted->dtype == got->dtype;
    for (int d = 0; fits && d < wanted->rank; d++)
        fits = wanted->dims[d] < 0 || wanted->dims[d] == got->dims[d];
    if (fits)
        return GT_OK;
    char one[200], other[200];
    return gt_fail(GT_INVALID, "the input \"%s\" must be %s (got %s)", self->ports[i].name,
                   gt_spec_text(wanted, one, sizeof one), gt_spec_text(got, other, sizeof other));
}

static bool is_among(const gt_Tensor *tensor, gt_Tensor *const *list, int32_t count)
{
    int32_t i = 0;
    while (i < count && list[i] != tensor)
        i++;
    return i < count;
}

/* A call of a layer; the outputs that were asked for, in their order. Each is a handle of its own, since it goes when its last
 * reader has run: a layer may give back what it got, or one tensor as two outputs. */
static gt_Status replay_call(const gt_Step *step, const gt_DrawnCall *how, gt_Tensor *const *input,
                             const gt_Strings **text, gt_Tensor **output)
{
    const gt_Node *node = step->node;
    gt_Tensor **where[GT_MAX_LAYER_OUTPUTS];
    int32_t at = 1, count = 0; /* output 0 is always wanted */
    for (int32_t i = 1; how->wanted >> i; i++)
        where[count++] = how->wanted >> i & 1 ? &output[at++] : NULL;
    where[count] = GT_LIST_END;
    const gt_call_options options = {
        GT_PRESETS(gt_call_options, gt_call_OPTIONS).training = how->training, .outputs = {where}};
    output[0] = gt_call_inputs(node->here, step->layer, &options, node->inputs, input, text);
    for (int32_t i = 0; i < at && gt_status() == GT_OK; i++)
        if (is_among(output[i], input, node->inputs) || is_among(output[i], output, i))
            output[i] = gt_identity(output[i]);
    return gt_status();
}

/* The masks of a layer's outputs are values too, where somebody drew with gt_mask. */
static void find_masks(const gt_Node *node, const gt_DrawnCall *how, gt_Tensor **output)
{
    int32_t masks = 0;
    for (int32_t i = 0; how->wanted >> i; i++)
        masks += (int32_t)(how->wanted >> i & 1);
    for (int32_t i = 0, at = masks; i < masks && at < node->outputs; i++)
        if (gt_is_masked(output[i]))
            output[at++] = gt_mask(output[i]);
}

/* Text is an input of the model or nowhere. */
static gt_Status replay_step(gt_Context *context, const gt_Functional *self, const gt_Step *step,
                             const gt_CallArgs *in, gt_Tensor **value)
{
    const gt_Node *node = step->node;
    const gt_DrawnCall *how = gt_node_call(node);
    gt_Tensor *input[GT_MAX_INPUTS];
    const gt_Strings *text[GT_MAX_INPUTS] = {NULL};
    for (int32_t i = 0; i < node->inputs; i++) {
        const gt_Wire *wire = &self->wires[step->wire + i];
        if (in->text && wire->number >= 0 && wire->number < self->inputs)
            text[i] = in->text[wire->number];
        input[i] = wire->number >= 0 ? value[wire->number]
                   : wire->constant  ? gt_value_handle(wire->constant)
                                     : NULL;
    }
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    if (!how)
        return gt_apply_at(node->here, node->operation, node->options, node->inputs, input,
                           value + step->first);
    if (replay_call(step, how, input, in->text ? text : NULL, value + step->first) == GT_OK)
        find_masks(node, how, value + step->first);
    return gt_context_status(context);
}

/* What no later step reads goes at once. */
static void drop_read(gt_Context *context, const gt_Functional *self, int32_t s, gt_Tensor **value)
{
    const gt_Step *step = &self->steps[s];
    for (int32_t i = 0; i < step->node->inputs; i++) {
        int32_t number = self->wires[step->wire + i].number;
        if (number >= self->inputs && self->last[number] == s && value[number]) {
            gt_tensor_free(context, value[number]);
            value[number] = NULL;
        }
    }
}

static gt_Tensor *give(const gt_Functional *self, gt_Tensor *const *value, const gt_CallArgs *in)
{
    for (int32_t i = 0; i < self->outputs; i++) {
        bool twice = self->output[i] < self->inputs;
        for (int32_t k = 0; k < i; k++)
            twice |= self->output[k] == self->output[i];
        if (i == 0 || in->wanted >> i & 1)
            in->outputs[i] = twice ? gt_identity(value[self->output[i]]) : value[self->output[i]];
    }
    return in->outputs[0];
}

static gt_Tensor *functional_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_Functional *self = (const gt_Functional *)layer;
    gt_Context *context = gt_context();
    size_t bytes = (size_t)self->values * sizeof(gt_Tensor *);
    gt_Tensor **value = gt_allocate_zeroed(context, bytes), *y = NULL;
    for (int32_t i = 0; value && i < self->inputs; i++) {
        gt_Text text;
        value[i] = in->inputs[i];
        if (is_text(self, i) && !gt_text_read(context, NULL, NULL, self->ports[i].name, in->text[i], &text))
            break;
        gt_Spec spec = is_text(self, i) ? gt_text_spec(&text) : *gt_tensor_spec(value[i]);
        if (check_input(self, i, &spec) != GT_OK)
            break;
    }
    for (int32_t s = 0; s < self->step_count && gt_context_status(context) == GT_OK; s++) {
        if (replay_step(context, self, &self->steps[s], in, value) == GT_OK)
            drop_read(context, self, s, value);
    }
    if (value && gt_context_status(context) == GT_OK)
        y = give(self, value, in);
    gt_release(context, value, bytes);
    return y;
}

/* The one input of the sample's model. */
static gt_Layer *functional_sample(void)
{
    gt_Tensor *x = gt_Input(gt_shape(3));
    gt_Tensor *y = gt_call(gt_Activation(gt_identity), x);
    return gt_Model(gt_tensors(x), gt_tensors(gt_add(x, y)));
}

const gt_LayerClass gt_layer_class_functional = {
    .size = sizeof(gt_LayerClass),
    .flags = GT_LAYER_CONTAINER,
    .name = "functional",
    .function = "Model",
    .keras = "Functional",
    .summary = "a graph of layers and operations",
    .instance = sizeof(gt_Functional),
    .call = functional_call,
    .copy = gt_functional_copy,
    .destroy = functional_destroy,
    .samples = GT_LAYER_SAMPLES({.make = functional_sample,
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(2, 3)),
                                 .output = GT_SAMPLE_SHAPE(2, 3),
                                 .keras = "(lambda x: Model(x, x + x))(Input((3,)))"}),
};

gt_Layer *gt_Model_at(const char *here, const gt_Model_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Model_options options;
    GT_TAKE(gt_Model_options, &options, given);
    gt_Site site = gt_site_enter(here, "Model");
    gt_Layer *model = NULL;
    if (gt_context_status(context) != GT_OK)
        model = NULL;
    else if (options.inputs.count < 1 || options.inputs.count > GT_MAX_INPUTS ||
             options.outputs.count < 1 || options.outputs.count > GT_MAX_LAYER_OUTPUTS)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "a model has 1 to %d inputs and 1 to %d outputs (got %d and %d)", GT_MAX_INPUTS,
                 GT_MAX_LAYER_OUTPUTS, (int)options.inputs.count, (int)options.outputs.count);
    else {
        const gt_Functional instance = {.base = {.name = options.name}};
        model = gt_layer_new_at(NULL, &gt_layer_class_functional, &instance);
        if (model && make_model(context, (gt_Functional *)model, &options) != GT_OK) {
            gt_layer_free(model);
            model = NULL;
        }
    }
    gt_site_leave(&site);
    return model;
}
