/* Calling a layer on symbols draws one node. What the call gives is found by two traces that are thrown away, one for each
 * set of sizes (core/drawing.h); the first of them builds the layer. Leans on call.c. */
#include "layers/draw.h"
#include "core/graph.h"
#include "core/strings_inside.h"

#include <string.h>

GT_OPTION_TYPE(gt_DrawnCall, gt_DrawnCall_OPTIONS);

/* What stands for a layer's call in a node; it is never applied. */
static const gt_Operation layer_call = {.size = sizeof(gt_Operation),
                                        .name = "layer",
                                        .flags = GT_OP_INTERNAL,
                                        .options = &gt_DrawnCall_type};

const gt_DrawnCall *gt_node_call(const gt_Node *node)
{
    return node->operation == &layer_call ? node->options : NULL;
}

/* ---- inputs ---- */

bool gt_input_spec(gt_Context *context, gt_Shape shape, int64_t batch_size, gt_DType dtype, int set,
                   gt_Spec *spec)
{
    gt_Shape whole = {.mark = GT_MARK, .rank = shape.rank + 1};
    gt_DType policy = (gt_DType)gt_context_policy(context);
    char text[160];
    dtype = gt_variable_dtype(dtype ? dtype : policy ? policy : GT_FLOAT32);
    whole.dims[0] = batch_size;
    if (shape.rank >= 0 && shape.rank < GT_MAX_RANK) {
        if (shape.rank > 0)
            memcpy(whole.dims + 1, shape.dims, (size_t)shape.rank * sizeof *whole.dims);
        for (int d = 0; d < whole.rank; d++)
            if (whole.dims[d] == -1)
                whole.dims[d] = gt_drawing_size(d, set);
        bool column = dtype == GT_TEXT && whole.rank <= 2;
        if ((column || gt_storable(dtype)) && gt_spec_set(spec, dtype, whole))
            return true;
    }
    gt_raise(context, GT_INVALID, NULL, NULL, "an input cannot be %s %s with batch_size %lld",
             gt_dtype_name(dtype), gt_shape_text(shape, text, sizeof text), (long long)batch_size);
    return false;
}

gt_Tensor *gt_draw_input(gt_Context *context, const char *here, gt_Shape shape, int64_t batch_size,
                         gt_DType dtype, const char *name)
{
    gt_Spec spec[GT_SIZE_SETS];
    gt_Tensor *x = NULL;
    const gt_Node like = {.here = here, .outputs = 1, .name = (char *)(uintptr_t)name}; /* NOLINT: copied */
    if (gt_tracing(context))
        gt_raise(context, GT_STATE, NULL, NULL,
                 "nothing is drawn inside a traced function; make the model before");
    else if (gt_input_spec(context, shape, batch_size, dtype, 0, &spec[0]) &&
             gt_input_spec(context, shape, batch_size, dtype, 1, &spec[1]))
        gt_draw(context, &like, NULL, NULL, spec, &x);
    return x;
}

/* ---- calls ---- */

/* What a call gives in one set of sizes. */
typedef struct Found {
    gt_Spec output[GT_MAX_LAYER_OUTPUTS], mask[GT_MAX_LAYER_OUTPUTS];
    uint32_t masked; /* by bit */
} Found;

static gt_Tensor *input_in(gt_Context *context, gt_Tensor *tensor, int set)
{
    gt_Value *value = gt_tensor_value(tensor), *mask = gt_value_mask(value);
    if (!gt_value_node(value, NULL))
        return tensor; /* a constant */
    gt_Tensor *x = gt_trace_input(context, gt_value_spec_in(value, set));
    gt_Tensor *m = x && mask ? gt_trace_input(context, gt_value_spec_in(mask, set)) : NULL;
    if (m)
        gt_value_set_mask(gt_tensor_value(x), gt_tensor_value(m));
    return x;
}

static void note(Found *found, int32_t i, const gt_Tensor *y)
{
    const gt_Value *mask = gt_value_mask(gt_tensor_value(y));
    found->output[i] = *gt_tensor_spec(y);
    if (!mask)
        return;
    found->mask[i] = *gt_value_spec(mask);
    found->masked |= 1u << i;
}

/* The call itself, on symbols of a trace. */
static void try_call(gt_Context *context, const char *here, gt_Layer *layer,
                     const gt_DrawnCall *how, int32_t count, gt_Tensor *const *inputs, int set,
                     Found *found)
{
    gt_Tensor *in[GT_MAX_INPUTS] = {NULL}, *out[GT_MAX_LAYER_OUTPUTS] = {NULL};
    gt_Tensor **where[GT_MAX_LAYER_OUTPUTS];
    gt_Strings text[GT_MAX_INPUTS];
    const gt_Strings *texts[GT_MAX_INPUTS] = {NULL};
    int32_t wanted = 0;
    bool any_text = false;
    for (int32_t i = 0; i < count; i++) {
        if (inputs[i] && gt_tensor_spec(inputs[i])->dtype == GT_TEXT) {
            text[i] = gt_text_symbol(context, gt_value_spec_in(gt_tensor_value(inputs[i]), set));
            texts[i] = &text[i];
            any_text = true;
        } else if (inputs[i]) {
            in[i] = input_in(context, inputs[i], set);
        }
    }
    if (gt_context_status(context) != GT_OK)
        return;
    for (int32_t i = 1; how->wanted >> i; i++)
        where[wanted++] = how->wanted >> i & 1 ? &out[i] : NULL;
    where[wanted] = GT_LIST_END;
    const gt_call_options options = {
        GT_PRESETS(gt_call_options, gt_call_OPTIONS).training = how->training, .outputs = {where}};
    out[0] = gt_call_inputs(here, layer, &options, count, in, any_text ? texts : NULL);
    for (int32_t i = 0; how->wanted >> i && gt_context_status(context) == GT_OK; i++)
        if (how->wanted >> i & 1)
            note(found, i, out[i]);
}

/* Layers around it do not see the call. */
static gt_Status trace_call(gt_Context *context, const char *here, gt_Layer *layer,
                            const gt_DrawnCall *how, int32_t count, gt_Tensor *const *inputs,
                            int set, Found *found)
{
    gt_Graph *graph = gt_graph_new(context);
    gt_Facts facts = {0};
    const gt_CallFrame *frame = gt_context_set_frame(context, NULL);
    gt_Trace *trace = graph ? gt_trace_begin(context, graph, &facts) : NULL;
    if (trace) {
        gt_trace_try(trace);
        if (gt_scope_open(context)) {
            try_call(context, here, layer, how, count, inputs, set, found);
            gt_scope_close(context);
        }
        gt_trace_end(context, trace);
        gt_facts_close(context, &facts);
    }
    gt_context_set_frame(context, frame);
    gt_graph_free(graph);
    layer->state->call = gt_context_count_call(context); /* what it added are symbols */
    return gt_context_status(context);
}

/* The specs of the node's outputs in a set: those that are wanted, then the masks. */
static int32_t gather(const Found *found, uint32_t wanted, gt_Spec *spec)
{
    int32_t count = 0;
    for (int32_t i = 0; wanted >> i; i++)
        if (wanted >> i & 1)
            spec[count++] = found->output[i];
    for (int32_t i = 0; found->masked >> i; i++)
        if (found->masked >> i & 1)
            spec[count++] = found->mask[i];
    return count;
}

/* Handles by the layer's numbering, with their masks on. */
static void deal(gt_Context *context, const gt_DrawnCall *how, uint32_t masked,
                 gt_Tensor *const *drawn, gt_Tensor **outputs)
{
    int32_t at = 0;
    for (int32_t i = 0; how->wanted >> i; i++)
        outputs[i] = how->wanted >> i & 1 ? drawn[at++] : NULL;
    for (int32_t i = 0; masked >> i; i++)
        if (masked >> i & 1) {
            gt_value_set_mask(gt_tensor_value(outputs[i]), gt_tensor_value(drawn[at]));
            gt_tensor_free(context, drawn[at++]);
        }
}

/* Does it, or a layer below, carry states from batch to batch? */
static bool is_stateful(const gt_LayerState *state)
{
    const gt_LayerClass *type = state->layer->type;
    bool stateful = false;
    if (GT_CLASS_HAS(type, options) && type->options)
        gt_option_get(type->options, (const char *)state->layer + type->options_offset, "stateful",
                      &stateful, sizeof stateful);
    for (int32_t i = 0; i < state->child_count && !stateful; i++)
        stateful = is_stateful(state->children[i].layer->state);
    return stateful;
}

static bool has_any_batch(gt_Tensor *symbol)
{
    const gt_Value *value = symbol ? gt_tensor_value(symbol) : NULL;
    return value && gt_value_node(value, NULL) && gt_value_spec_in(value, 0)->rank > 0 &&
           gt_value_spec_in(value, 0)->dims[0] != gt_value_spec_in(value, 1)->dims[0];
}

/* Asked before the first trace, which would give the states the batch that stands for an unknown one. */
static gt_Status check_stateful(gt_Context *context, const char *here, const gt_LayerState *state,
                                gt_Tensor *x)
{
    if (!has_any_batch(x) || !is_stateful(state))
        return GT_OK;
    return gt_raise(context, GT_INVALID, here, state->layer->type->name,
                    "a stateful layer goes on row by row, so its batch must be known: give gt_Input a "
                    ".batch_size");
}

static gt_Status draw_node(gt_Context *context, const char *here, gt_LayerState *state,
                           const gt_DrawnCall *how, int32_t count, gt_Tensor *const *inputs,
                           gt_Tensor **outputs)
{
    Found found[GT_SIZE_SETS] = {{.masked = 0}};
    gt_Spec spec[GT_SIZE_SETS * 2 * GT_MAX_LAYER_OUTPUTS];
    gt_Tensor *drawn[2 * GT_MAX_LAYER_OUTPUTS];
    gt_Value *input[GT_MAX_INPUTS];
    int32_t made = 0;
    if (gt_tracing(context))
        return gt_raise(context, GT_STATE, here, state->layer->type->name,
                        "a symbol of gt_Input has no numbers inside a traced function; give the "
                        "function a tensor, and call the model there");
    if (check_stateful(context, here, state, inputs[0]) != GT_OK)
        return gt_context_status(context);
    for (int set = 0; set < GT_SIZE_SETS; set++) {
        if (trace_call(context, here, state->layer, how, count, inputs, set, &found[set]) != GT_OK)
            return gt_context_status(context);
        made = gather(&found[set], how->wanted, spec + set * made);
    }
    if (found[0].masked != found[1].masked)
        return gt_raise(context, GT_INVALID, here, state->layer->type->name,
                        "whether the result has a mask must not depend on sizes");
    for (int32_t i = 0; i < count; i++) {
        input[i] = inputs[i] ? gt_tensor_value(inputs[i]) : NULL;
        if (inputs[i] && gt_is_variable(inputs[i]))
            return gt_raise(context, GT_UNSUPPORTED, here, state->layer->type->name,
                            "variable %s belongs to no layer of a functional model and would be "
                            "neither trained nor saved: make it a weight of a layer of your own",
                            gt_variable_label(inputs[i]));
    }
    const uint64_t identity = gt_object_identity(&state->object);
    const gt_Node like = {.operation = &layer_call,
                          .here = here ? here : gt_context_here(context),
                          .layer = identity,
                          .inputs = count,
                          .outputs = made};
    if (identity && gt_draw(context, &like, how, input, spec, drawn) == GT_OK)
        deal(context, how, found[0].masked, drawn, outputs);
    return gt_context_status(context);
}

/* A layer that fits the first set of sizes alone is built for nothing. */
gt_Status gt_draw_layer(gt_Context *context, const char *here, gt_LayerState *state,
                        const gt_DrawnCall *how, int32_t count, gt_Tensor *const *inputs,
                        gt_Tensor **outputs)
{
    uint64_t since = gt_context_structure(context);
    if (draw_node(context, here, state, how, count, inputs, outputs) != GT_OK &&
        state->object.context == context)
        gt_layer_unbuild(state, since);
    return gt_context_status(context);
}

gt_Status gt_build_for_symbol(gt_Context *context, gt_LayerState *state, gt_Tensor *x)
{
    const gt_DrawnCall how = {GT_PRESETS(gt_DrawnCall, gt_DrawnCall_OPTIONS).wanted = 1};
    Found found = {.masked = 0};
    for (int set = 0; set < GT_SIZE_SETS; set++)
        if (trace_call(context, NULL, state->layer, &how, 1, &x, set, &found) != GT_OK)
            break;
    return gt_context_status(context);
}
