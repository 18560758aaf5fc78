/* Nodes of drawings, and operations on symbols. Leans on tensor.c. */
#include "core/drawing.h"
#include "core/structs.h"

#include <stdio.h>
#include <string.h>

int64_t gt_drawing_size(int axis, int set)
{
    return axis == 0 ? (set ? 240 : 120) : (set ? 1920 : 960);
}

gt_Node *gt_value_node(const gt_Value *value, int32_t *output)
{
    if (output)
        *output = value->index;
    return value->node;
}

bool gt_is_drawn(int32_t count, gt_Tensor *const *tensors)
{
    for (int32_t i = 0; i < count; i++) {
        const gt_Slot *slot = tensors[i] ? gt_slot_find(tensors[i]) : NULL;
        if (slot && slot->value->node)
            return true;
    }
    return false;
}

const gt_Spec *gt_value_spec_in(const gt_Value *value, int set)
{
    const gt_Node *node = value->node;
    return node ? &node->spec[set * node->outputs + value->index] : &value->spec;
}

/* ---- nodes ---- */

static void free_node(gt_Node *node)
{
    gt_Context *context = node->context;
    for (int32_t i = 0; i < node->inputs; i++)
        if (node->input[i])
            gt_value_release(node->input[i], true);
    if (node->layer)
        gt_object_release(gt_object_find(context, node->layer));
    if (node->options)
        gt_release(context, node->options, node->operation->options->size);
    if (node->name)
        gt_release(context, node->name, strlen(node->name) + 1);
    gt_release(context, node, node->bytes);
}

void gt_node_release(gt_Node *node)
{
    if (--node->references == 0)
        free_node(node);
}

static gt_Node *new_node(gt_Context *context, const gt_Node *like, const void *options,
                         gt_Value *const *input, const gt_Spec *spec)
{
    size_t specs = (size_t)(GT_SIZE_SETS * like->outputs) * sizeof *spec;
    size_t bytes = gt_aligned(sizeof(gt_Node)) + specs + (size_t)like->inputs * sizeof *input;
    const gt_OptionType *type = like->operation ? like->operation->options : NULL;
    gt_Node *node = gt_allocate(context, bytes);
    if (!node)
        return NULL;
    *node = *like;
    node->context = context;
    node->bytes = bytes;
    node->references = 1;
    node->visit = 0;
    node->spec = (gt_Spec *)(void *)((char *)node + gt_aligned(sizeof(gt_Node)));
    node->input = (gt_Value **)(void *)((char *)node->spec + specs);
    node->options = NULL;
    memcpy(node->spec, spec, specs);
    for (int32_t i = 0; i < node->inputs; i++) {
        node->input[i] = input[i];
        if (input[i])
            gt_value_retain(input[i], true);
    }
    if (node->layer)
        gt_object_sink(gt_object_find(context, node->layer));
    if (type && (node->options = gt_allocate(context, type->size)))
        memcpy(node->options, options, type->size);
    if (like->name && (node->name = gt_allocate(context, strlen(like->name) + 1)))
        memcpy(node->name, like->name, strlen(like->name) + 1);
    if (context->status == GT_OK)
        return node;
    free_node(node);
    return NULL;
}

gt_Object *gt_node_layer(const gt_Node *node)
{
    gt_Object *layer = gt_object_find(node->context, node->layer);
    if (!layer)
        gt_raise(node->context, GT_STALE, NULL, NULL, "a layer of the drawing was freed");
    return layer;
}

/* What a user sees: -1 where the two sets differ. */
static gt_Spec visible_spec(const gt_Spec *a, const gt_Spec *b)
{
    gt_Spec spec = *a;
    for (int d = 0; d < spec.rank; d++)
        if (a->dims[d] != b->dims[d]) {
            spec.dims[d] = -1;
            spec.size = -1;
        }
    return spec;
}

gt_Spec gt_node_spec(const gt_Node *node, int32_t output)
{
    return visible_spec(&node->spec[output], &node->spec[node->outputs + output]);
}

/* Reading its numbers is an error, which the late buffer raises. */
static gt_Value *new_symbol(gt_Context *context, gt_Node *node, int32_t output)
{
    gt_Spec seen = gt_node_spec(node, output);
    gt_Late *late = gt_allocate_zeroed(context, sizeof *late);
    gt_Buffer *buffer = late ? gt_buffer_wrap(context, NULL, 0) : NULL;
    if (!buffer) {
        gt_release(context, late, sizeof *late);
        return NULL;
    }
    late->context = context;
    late->bytes = sizeof *late;
    buffer->borrowed = false;
    buffer->late = late;
    gt_Value *value = gt_value_new(context, &seen, buffer, 0);
    if (!value) {
        gt_buffer_release(context, buffer);
        return NULL;
    }
    value->node = node;
    value->index = (uint16_t)output;
    node->references++;
    return value;
}

gt_Status gt_draw(gt_Context *context, const gt_Node *like, const void *options,
                  gt_Value *const *input, const gt_Spec *spec, gt_Tensor **output)
{
    int32_t outputs = like->outputs;
    for (int32_t i = 0; i < outputs; i++) {
        output[i] = NULL;
        if (spec[i].rank != spec[outputs + i].rank || spec[i].dtype != spec[outputs + i].dtype)
            return gt_raise(context, GT_INVALID, like->here, NULL,
                            "the rank of a result must not depend on sizes that are not known yet");
    }
    gt_Node *node = new_node(context, like, options, input, spec);
    if (!node)
        return context->status;
    for (int32_t i = 0; i < outputs && context->status == GT_OK; i++) {
        gt_Value *value = new_symbol(context, node, i);
        output[i] = value ? gt_handle_new(context, value) : NULL;
    }
    gt_node_release(node);
    for (int32_t i = 0; i < outputs && context->status != GT_OK; i++) {
        if (output[i])
            gt_slot_free(context, gt_slot_raw(output[i]));
        output[i] = NULL;
    }
    return context->status;
}

/* ---- operations ---- */

static gt_Status may_draw(gt_Context *context, const char *here, const gt_Operation *operation,
                          int inputs, gt_Tensor *const *input)
{
    if (context->trace)
        return gt_raise(context, GT_STATE, here, NULL,
                        "a symbol of gt_Input has no numbers inside a traced function; give the "
                        "function a tensor, and call the model there");
    if (operation->flags & GT_OP_EFFECT)
        return gt_raise(context, GT_UNSUPPORTED, here, NULL,
                        "what a functional model computes changes nothing: let a layer of your own "
                        "do it");
    if (operation->flags & GT_OP_RANDOM)
        return gt_raise(context, GT_UNSUPPORTED, here, NULL,
                        "a functional model draws no random numbers between its layers: use a layer, "
                        "gt_Dropout or gt_GaussianNoise");
    for (int i = 0; i < inputs; i++)
        if (input[i] && gt_slot_raw(input[i])->value->spec.dtype == GT_TEXT)
            return gt_raise(context, GT_UNSUPPORTED, here, NULL,
                            "an input for text has no operations: gt_StringLookup, "
                            "gt_TextVectorization and gt_Hashing make integers of it");
    for (int i = 0; i < inputs; i++)
        if (input[i] && gt_slot_raw(input[i])->variable)
            return gt_raise(context, GT_UNSUPPORTED, here, NULL,
                            "variable %s belongs to no layer of a functional model and would be "
                            "neither trained nor saved: make it a weight of a layer of your own",
                            gt_slot_raw(input[i])->variable->name);
    return GT_OK;
}

/* An error of a shape rule shows sizes that the user never wrote. */
static void explain_sizes(gt_Context *context, gt_Value *const *value, int inputs)
{
    bool unknown = false;
    for (int i = 0; i < inputs; i++)
        unknown |= value[i] && value[i]->spec.size < 0;
    size_t used = strlen(context->message);
    if (unknown && context->status != GT_OK)
        snprintf(context->message + used, sizeof context->message - used,
                 " (%lld and %lld, or %lld and %lld, stand for sizes that are not known yet)",
                 (long long)gt_drawing_size(0, 0), (long long)gt_drawing_size(1, 0),
                 (long long)gt_drawing_size(0, 1), (long long)gt_drawing_size(1, 1));
}

static gt_Status run_rule(gt_Context *context, gt_ShapeRule *rule, gt_Value *const *value, int set)
{
    const gt_Operation *operation = rule->operation;
    for (int i = 0; i < rule->inputs; i++)
        rule->input[i] = value[i] ? gt_value_spec_in(value[i], set) : NULL;
    rule->scratch = 0;
    memset(rule->output, 0, (size_t)rule->outputs * sizeof *rule->output);
    if (operation->shape(rule) != GT_OK && context->status == GT_OK)
        gt_raise(context, GT_INVALID, NULL, NULL, "the shape rule failed");
    for (int i = 0; i < rule->outputs && context->status == GT_OK; i++)
        if (!gt_spec_resize(&rule->output[i]))
            gt_raise(context, GT_INVALID, NULL, NULL,
                     "the result would be too large where sizes that are not known yet are %lld",
                     (long long)gt_drawing_size(1, set));
    return context->status;
}

gt_Status gt_draw_operation(gt_Context *context, const char *here, gt_ShapeRule *rule,
                            gt_Value *const *value, gt_Tensor *const *input, gt_Tensor **outputs)
{
    gt_Spec spec[GT_SIZE_SETS * GT_MAX_OUTPUTS];
    const gt_Operation *operation = rule->operation;
    if (may_draw(context, here, operation, rule->inputs, input) != GT_OK)
        return context->status;
    rule->outputs = operation->outputs;
    for (int set = GT_SIZE_SETS - 1; set >= 0; set--) {
        if (run_rule(context, rule, value, set) != GT_OK) {
            explain_sizes(context, value, rule->inputs);
            return context->status;
        }
        memcpy(spec + set * rule->outputs, rule->output, (size_t)rule->outputs * sizeof *spec);
    }
    const gt_Node like = {.operation = operation,
                          .here = here ? here : context->here,
                          .inputs = rule->inputs,
                          .outputs = rule->outputs};
    if (gt_draw(context, &like, rule->options, value, spec, outputs) != GT_OK)
        return context->status;
    for (int i = 0; i < rule->inputs; i++) /* what the mask rule sees: unknown sizes are alike */
        rule->input[i] = value[i] ? &value[i]->spec : NULL;
    for (int i = 0; i < rule->outputs; i++)
        rule->output[i] = gt_slot_raw(outputs[i])->value->spec;
    return GT_OK;
}
