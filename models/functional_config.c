/* Functional models as JSON, and copied: both draw the model again, on new symbols, with other layers.
 *
 *     "inputs": [{"name": "image", "shape": [-1, 28, 28, 1], "dtype": "float32"}]
 *     "layers": [...]                                             each once, in the order of its first call
 *     "nodes":  [{"layer": 0, "training": -1, "wanted": 1, "masks": 1, "from": [0]},
 *                {"operation": "add", "options": {...}, "from": [1, 0]}]
 *     "outputs": [2]
 *
 * Values are numbered in this order: inputs, then what the nodes give: outputs, and then masks of outputs where somebody reads one. In "from" a number is a value, null an optional input
 * that is absent, an object a constant. Leans on fields.c. */
#include "models/functional_config.h"
#include "models/functional_inside.h"
#include "ops/table.h"

#include <string.h>

/* ---- drawing again ---- */

typedef struct Redrawing {
    gt_Context *context;
    gt_Tensor **value;
    int32_t count, capacity;
} Redrawing;

static gt_Status keep_value(Redrawing *to, gt_Tensor *value)
{
    if (gt_context_status(to->context) == GT_OK &&
        gt_reserve(to->context, (void **)&to->value, to->count, &to->capacity, sizeof *to->value))
        to->value[to->count++] = value;
    return gt_context_status(to->context);
}

static gt_Status redraw_input(Redrawing *to, gt_Shape shape, gt_DType dtype, const char *name)
{
    if (shape.rank < 1)
        return gt_fail(GT_INVALID, "an input of a model has a batch axis");
    gt_Shape behind = {.mark = GT_MARK, .rank = shape.rank - 1};
    memcpy(behind.dims, shape.dims + 1, (size_t)behind.rank * sizeof *behind.dims);
    const gt_Input_options options = {GT_PRESETS(gt_Input_options, gt_Input_OPTIONS).shape = behind,
                                      .batch_size = shape.dims[0],
                                      .dtype = dtype,
                                      .name = name};
    return keep_value(to, gt_Input_at(NULL, &options));
}

/* The outputs that are wanted, and the masks of those that have one: so many values in all. A model that was cut out behind a
 * tensor with a mask has fewer masks here, since its inputs have none: NULL stands for them. */
static gt_Status redraw_call(Redrawing *to, gt_Layer *layer, const gt_DrawnCall *how,
                             gt_Tensor *const *inputs, int32_t count, int32_t values)
{
    const int32_t end = to->count + values;
    gt_Tensor *output[GT_MAX_LAYER_OUTPUTS] = {NULL}, **where[GT_MAX_LAYER_OUTPUTS];
    int32_t wanted = 0;
    for (int32_t i = 1; how->wanted >> i; i++)
        where[wanted++] = how->wanted >> i & 1 ? &output[i] : NULL;
    where[wanted] = GT_LIST_END;
    const gt_call_options options = {
        GT_PRESETS(gt_call_options, gt_call_OPTIONS).training = how->training,
        .more = {count > 1 ? inputs + 1 : NULL, count - 1},
        .outputs = {where}};
    output[0] = gt_call_at(NULL, layer, inputs[0], &options);
    for (int32_t i = 0; how->wanted >> i && gt_context_status(to->context) == GT_OK; i++)
        if (how->wanted >> i & 1)
            keep_value(to, output[i]);
    for (int32_t i = 0; how->wanted >> i && gt_context_status(to->context) == GT_OK; i++)
        if (how->wanted >> i & 1 && gt_is_masked(output[i]) && to->count < end)
            keep_value(to, gt_mask(output[i]));
    while (gt_context_status(to->context) == GT_OK && to->count < end)
        keep_value(to, NULL);
    return gt_context_status(to->context);
}

static gt_Status redraw_operation(Redrawing *to, const gt_Operation *operation, const void *options,
                                  gt_Tensor *const *inputs, int32_t count)
{
    gt_Tensor *output[GT_MAX_OUTPUTS];
    if (gt_apply_at(NULL, operation, options, count, inputs, output) != GT_OK)
        return gt_context_status(to->context);
    for (int32_t i = 0; i < operation->outputs; i++)
        if (keep_value(to, output[i]) != GT_OK)
            break;
    return gt_context_status(to->context);
}

static gt_Layer *cut(const Redrawing *from, int32_t inputs, gt_Tensor *const *outputs, int32_t count,
                     const char *name)
{
    const gt_Model_options options = {GT_PRESETS(gt_Model_options, gt_Model_OPTIONS).inputs =
                                          {from->value, inputs},
                                      .outputs = {outputs, count},
                                      .name = name};
    return gt_Model_at(NULL, &options);
}

static void close_redrawing(Redrawing *self)
{
    gt_release(self->context, self->value, (size_t)self->capacity * sizeof *self->value);
}

/* ---- copying ---- */

/* The copy of a child, made where it is met first. */
static gt_Layer *copy_of(const gt_Functional *self, gt_Layer *child, gt_Layer **copies)
{
    const gt_LayerState *state = self->base.state;
    int32_t i = gt_map_find(&state->places, gt_map_pointer(child));
    if (!copies[i])
        copies[i] = gt_layer_copy_at(NULL, child);
    return copies[i];
}

static gt_Status copy_steps(const gt_Functional *self, Redrawing *to, gt_Layer **copies)
{
    for (int32_t i = 0; i < self->inputs; i++) {
        const gt_Spec *spec = gt_value_spec(self->symbol[i]);
        if (redraw_input(to, gt_spec_shape(spec), spec->dtype, self->ports[i].name) != GT_OK)
            return gt_context_status(to->context);
    }
    for (int32_t s = 0; s < self->step_count && gt_context_status(to->context) == GT_OK; s++) {
        const gt_Step *step = &self->steps[s];
        gt_Tensor *input[GT_MAX_INPUTS];
        for (int32_t i = 0; i < step->node->inputs; i++) {
            const gt_Wire *wire = &self->wires[step->wire + i];
            input[i] = wire->number >= 0 ? to->value[wire->number]
                       : wire->constant  ? gt_value_handle(wire->constant)
                                         : NULL;
        }
        const gt_DrawnCall *how = gt_node_call(step->node);
        gt_Layer *layer = step->layer ? copy_of(self, step->layer, copies) : NULL;
        if (gt_context_status(to->context) != GT_OK)
            break;
        if (how)
            redraw_call(to, layer, how, input, step->node->inputs, step->node->outputs);
        else
            redraw_operation(to, step->node->operation, step->node->options, input,
                             step->node->inputs);
    }
    return gt_context_status(to->context);
}

gt_Layer *gt_functional_copy(gt_Layer *model)
{
    const gt_Functional *self = (const gt_Functional *)model;
    gt_Context *context = gt_context();
    Redrawing to = {.context = context};
    gt_Layer *copy = NULL;
    size_t bytes = (size_t)model->state->child_count * sizeof(gt_Layer *);
    gt_Layer **copies = gt_allocate_zeroed(context, bytes);
    gt_Tensor *outputs[GT_MAX_LAYER_OUTPUTS];
    if (copies && gt_scope_open(context)) {
        if (copy_steps(self, &to, copies) == GT_OK) {
            for (int32_t i = 0; i < self->outputs; i++)
                outputs[i] = to.value[self->output[i]];
            copy = cut(&to, self->inputs, outputs, self->outputs,
                       model->state->named ? model->name : NULL);
        }
        gt_scope_close(context);
    }
    if (copy)
        gt_layer_give_policy(copy, gt_layer_own_policy(model->state));
    close_redrawing(&to);
    gt_release(context, copies, bytes);
    return copy;
}

/* ---- writing ---- */

static bool put_inputs(gt_ConfigWriter *writer, const gt_Functional *self)
{
    bool done = gt_config_key(writer, "inputs") && gt_config_open(writer, '[');
    for (int32_t i = 0; done && i < self->inputs; i++) {
        const gt_Spec *spec = gt_value_spec(self->symbol[i]);
        done = gt_config_next(writer) && gt_config_open(writer, '{') &&
               gt_config_key(writer, "name") && gt_config_put_string(writer, self->ports[i].name) &&
               gt_config_key(writer, "shape") && gt_config_put_shape(writer, gt_spec_shape(spec)) &&
               gt_config_key(writer, "dtype") &&
               gt_config_put_string(writer, gt_dtype_name(spec->dtype)) &&
               gt_config_close(writer, '}');
    }
    return done && gt_config_close(writer, ']');
}

static bool put_layers(gt_ConfigWriter *writer, const gt_LayerState *state)
{
    bool done = gt_config_key(writer, "layers") && gt_config_open(writer, '[');
    for (int32_t i = 0; done && i < state->child_count; i++)
        done = gt_config_next(writer) && gt_config_put_layer(writer, state->children[i].layer);
    return done && gt_config_close(writer, ']');
}

/* What a value is called in the text, by its number in the model. */
static bool put_wire(gt_ConfigWriter *writer, const gt_Wire *wire, const int32_t *number)
{
    if (wire->number >= 0)
        return gt_config_put_integer(writer, number[wire->number]);
    if (!wire->constant)
        return gt_config_put(writer, "null");
    gt_Tensor *constant = gt_value_handle(wire->constant);
    return constant && gt_config_put_tensor(writer, constant);
}

static int32_t count_wanted(const gt_DrawnCall *how)
{
    int32_t count = 0;
    for (int32_t i = 0; how->wanted >> i; i++)
        count += (int32_t)(how->wanted >> i & 1);
    return count;
}

/* How many masks of outputs the text counts as values: all, or none where nobody reads one. */
static int32_t count_masks(const gt_Functional *self, const gt_Step *step, const gt_DrawnCall *how)
{
    int32_t wanted = count_wanted(how), masks = step->node->outputs - wanted;
    for (int32_t i = 0; i < masks; i++)
        if (self->last[step->first + wanted + i] !=
            0) /* not of the first step, which makes none before it */
            return masks;
    return 0;
}

static void number_values(const gt_Functional *self, int32_t *number)
{
    int32_t count = 0;
    for (; count < self->inputs; count++)
        number[count] = count;
    for (int32_t s = 0; s < self->step_count; s++) {
        const gt_Step *step = &self->steps[s];
        const gt_DrawnCall *how = gt_node_call(step->node);
        for (int32_t i = 0; i < step->node->outputs; i++)
            number[step->first + i] = count + i;
        count += how ? count_wanted(how) + count_masks(self, step, how) : step->node->outputs;
    }
}

static bool put_call(gt_ConfigWriter *writer, const gt_Functional *self, const gt_Step *step,
                     const gt_DrawnCall *how)
{
    int32_t masks = count_masks(self, step, how);
    int32_t place = gt_map_find(&self->base.state->places, gt_map_pointer(step->layer));
    return gt_config_key(writer, "layer") && gt_config_put_integer(writer, place) &&
           gt_config_key(writer, "training") && gt_config_put_integer(writer, how->training) &&
           gt_config_key(writer, "wanted") && gt_config_put_integer(writer, how->wanted) &&
           (masks == 0 || (gt_config_key(writer, "masks") && gt_config_put_integer(writer, masks)));
}

static bool put_operation(gt_ConfigWriter *writer, const gt_Node *node)
{
    const gt_OptionType *type = node->operation->options;
    bool done = gt_config_key(writer, "operation") &&
                gt_config_put_string(writer, node->operation->name);
    if (done && type)
        done = gt_config_key(writer, "options") && gt_config_open(writer, '{') &&
               gt_config_put_options(writer, type, node->options) && gt_config_close(writer, '}');
    return done;
}

static bool put_nodes(gt_ConfigWriter *writer, const gt_Functional *self, const int32_t *number)
{
    bool done = gt_config_key(writer, "nodes") && gt_config_open(writer, '[');
    for (int32_t s = 0; done && s < self->step_count; s++) {
        const gt_Step *step = &self->steps[s];
        const gt_DrawnCall *how = gt_node_call(step->node);
        done = gt_config_next(writer) && gt_config_open(writer, '{') &&
               (how ? put_call(writer, self, step, how) : put_operation(writer, step->node)) &&
               gt_config_key(writer, "from") && gt_config_open(writer, '[');
        for (int32_t i = 0; done && i < step->node->inputs; i++)
            done = gt_config_next(writer) && put_wire(writer, &self->wires[step->wire + i], number);
        done = done && gt_config_close(writer, ']') && gt_config_close(writer, '}');
    }
    return done && gt_config_close(writer, ']');
}

bool gt_config_put_functional(gt_ConfigWriter *writer, gt_Layer *model)
{
    const gt_Functional *self = (const gt_Functional *)model;
    if (!gt_scope_open(writer->context)) /* of constants */
        return false;
    size_t bytes = (size_t)self->values * sizeof(int32_t);
    int32_t *number = gt_allocate(writer->context, bytes);
    if (number)
        number_values(self, number);
    bool done = number && put_inputs(writer, self) && put_layers(writer, model->state) &&
                put_nodes(writer, self, number) && gt_config_key(writer, "outputs") &&
                gt_config_open(writer, '[');
    for (int32_t i = 0; done && i < self->outputs; i++)
        done = gt_config_next(writer) && gt_config_put_integer(writer, number[self->output[i]]);
    gt_release(writer->context, number, bytes);
    gt_scope_close(writer->context);
    return done && gt_config_close(writer, ']');
}

/* ---- reading ---- */

static const gt_JsonValue *list_of(gt_ConfigReader *reader, const gt_JsonValue *object,
                                   const char *name)
{
    const gt_JsonValue *list = gt_json_member(object, name);
    if (list && list->kind == GT_JSON_ARRAY)
        return list;
    gt_config_fail(reader, "the list \"%s\" is missing", name);
    return NULL;
}

static bool read_inputs(gt_ConfigReader *reader, const gt_JsonValue *list, Redrawing *to)
{
    for (const gt_JsonValue *at = gt_json_first(list); at; at = gt_json_next(list, at)) {
        static const char *const members[] = {"name", "shape", "dtype", NULL};
        gt_Shape shape;
        if (at->kind == GT_JSON_OBJECT && !gt_config_members(reader, at, members))
            return false;
        if (!gt_config_read_shape(reader, gt_json_member(at, "shape"), &shape) ||
            redraw_input(to, shape, gt_config_read_dtype(gt_json_member(at, "dtype")),
                         gt_config_text(at, "name")) != GT_OK)
            return false;
    }
    return true;
}

/* The value of that number; NULL with an error raised. */
static gt_Tensor *value_of(gt_ConfigReader *reader, const Redrawing *from, const gt_JsonValue *number)
{
    if (number->kind == GT_JSON_INTEGER && number->integer >= 0 && number->integer < from->count)
        return from->value[number->integer];
    gt_config_fail(reader, "a node reads a value that was not there yet");
    return NULL;
}

static int32_t read_from(gt_ConfigReader *reader, const Redrawing *from, const gt_JsonValue *node,
                         gt_Tensor **input)
{
    int32_t count = 0;
    const gt_JsonValue *list = list_of(reader, node, "from");
    if (!list)
        return -1;
    if (list->count < 1 || list->count > GT_MAX_INPUTS) {
        gt_config_fail(reader, "a node has 1 to %d inputs", GT_MAX_INPUTS);
        return -1;
    }
    for (const gt_JsonValue *at = gt_json_first(list); at; at = gt_json_next(list, at)) {
        input[count++] = at->kind == GT_JSON_NULL     ? NULL
                         : at->kind == GT_JSON_OBJECT ? gt_config_read_tensor(reader, at)
                                                      : value_of(reader, from, at);
        if (gt_status() != GT_OK)
            return -1;
    }
    return count;
}

static bool read_operation(gt_ConfigReader *reader, Redrawing *to, const gt_JsonValue *node,
                           gt_Tensor *const *input, int32_t count)
{
    const char *name = gt_config_text(node, "operation");
    const gt_Operation *operation = name ? gt_operation_find(name) : NULL;
    if (!operation && name)
        operation = gt_registered_operation(name);
    if (!operation)
        return gt_config_fail(reader, "the operation \"%s\" is not known", name ? name : "?");
    const gt_OptionType *type = operation->options;
    const gt_JsonValue *given = gt_json_member(node, "options");
    _Alignas(16) char options[512];
    if (type && (type->size > sizeof options || !given || given->kind != GT_JSON_OBJECT))
        return gt_config_fail(reader, "the options of %s are missing", name);
    if (type) {
        memcpy(options, type->defaults, type->size);
        if (!gt_config_read_options(reader, given, type, options))
            return false;
    }
    return redraw_operation(to, operation, type ? options : NULL, input, count) == GT_OK;
}

static bool read_call(gt_ConfigReader *reader, Redrawing *to, const gt_JsonValue *node,
                      gt_Layer *const *layers, int64_t layer_count, gt_Tensor *const *input,
                      int32_t count)
{
    int64_t which = gt_config_integer(node, "layer", -1);
    int64_t training = gt_config_integer(node, "training", GT_INHERIT);
    int64_t wanted = gt_config_integer(node, "wanted", 1);
    int64_t masks = gt_config_integer(node, "masks", 0);
    if (which < 0 || which >= layer_count || training < GT_INHERIT || training > 1 ||
        wanted < 1 || !(wanted & 1) || wanted >= (int64_t)1 << GT_MAX_LAYER_OUTPUTS || masks < 0 ||
        masks > GT_MAX_LAYER_OUTPUTS)
        return gt_config_fail(reader, "a call of a layer is none");
    const gt_DrawnCall how = {GT_PRESETS(gt_DrawnCall, gt_DrawnCall_OPTIONS).training =
                                  (gt_Flag)training,
                              .wanted = (uint32_t)wanted};
    return redraw_call(to, layers[which], &how, input, count,
                       count_wanted(&how) + (int32_t)masks) == GT_OK;
}

static bool read_nodes(gt_ConfigReader *reader, const gt_JsonValue *list, Redrawing *to,
                       gt_Layer *const *layers, int64_t layer_count)
{
    for (const gt_JsonValue *at = gt_json_first(list); at; at = gt_json_next(list, at)) {
        static const char *const of_call[] = {"layer", "training", "wanted", "masks", "from", NULL};
        static const char *const of_operation[] = {"operation", "options", "from", NULL};
        gt_Tensor *input[GT_MAX_INPUTS];
        bool call = gt_json_member(at, "layer");
        if (at->kind == GT_JSON_OBJECT &&
            !gt_config_members(reader, at, call ? of_call : of_operation))
            return false;
        int32_t count = read_from(reader, to, at, input);
        if (count < 0)
            return false;
        if (call ? !read_call(reader, to, at, layers, layer_count, input, count)
                                        : !read_operation(reader, to, at, input, count))
            return false;
    }
    return true;
}

static gt_Layer *read_graph(gt_ConfigReader *reader, const gt_JsonValue *object, Redrawing *to,
                            const gt_Layers *layers, int64_t layer_count)
{
    const gt_JsonValue *inputs = list_of(reader, object, "inputs");
    const gt_JsonValue *nodes = inputs ? list_of(reader, object, "nodes") : NULL;
    const gt_JsonValue *outputs = nodes ? list_of(reader, object, "outputs") : NULL;
    gt_Tensor *result[GT_MAX_LAYER_OUTPUTS];
    int32_t count = 0;
    if (!outputs || !read_inputs(reader, inputs, to))
        return NULL;
    int32_t input_count = to->count;
    if (!read_nodes(reader, nodes, to, layers->items, layer_count))
        return NULL;
    for (const gt_JsonValue *at = gt_json_first(outputs); at; at = gt_json_next(outputs, at)) {
        if (count == GT_MAX_LAYER_OUTPUTS) {
            gt_config_fail(reader, "it has more than %d outputs", GT_MAX_LAYER_OUTPUTS);
            return NULL;
        }
        if (!(result[count++] = value_of(reader, to, at)))
            return NULL;
    }
    return cut(to, input_count, result, count, gt_config_text(object, "name"));
}

/* Layers that no node calls, for want of nodes or after a failure, are dropped. */
static void drop_unused(const gt_Layers *layers)
{
    for (int32_t i = 0; layers->items && layers->items[i] != GT_LIST_END; i++) {
        gt_Object *object = &layers->items[i]->state->object;
        if (object->floating) {
            gt_object_sink(object);
            gt_object_release(object);
        }
    }
}

gt_Layer *gt_config_read_functional(gt_ConfigReader *reader, const gt_JsonValue *object)
{
    gt_Context *context = reader->context;
    const gt_JsonValue *list = list_of(reader, object, "layers");
    gt_Layers layers = {NULL};
    gt_Layer *model = NULL;
    if (!list || !gt_scope_open(context))
        return NULL;
    if (gt_config_read_layers(reader, list, &layers)) {
        Redrawing to = {.context = context};
        model = read_graph(reader, object, &to, &layers, list->count);
        close_redrawing(&to);
    }
    drop_unused(&layers);
    gt_scope_close(context);
    return model;
}
