/* Building and calling layers, and the losses that layers add while they are called. Leans on
 * layer.c for what a layer has, on core for scopes, traces and tapes.
 *
 *     gt_call -> [build_layer] -> compute -> call of the class -> gt_call of its children ...
 *
 * A frame on the C stack stands for each call that is running: the name of a layer in what calls
 * it, whether it trains, the scope where added losses are kept. The first call builds; a layer
 * counts as built when that call went well, so a failure leaves it as it was. Layers of other
 * contexts are called, too, if they are built: nothing of them is written. */
#include "layers/internal.h"
#include "core/assert.h"
#include "core/graph.h"
#include "ops/math/arithmetic.h"
#include "ops/math/reduce.h"

#include <string.h>

GT_OPTION_TYPE(gt_call_options, gt_call_OPTIONS);

/* ---- building ---- */

static gt_Status check_input(gt_Context *context, const char *here, const gt_LayerState *state,
                             const gt_Spec *spec)
{
    char text[160];
    gt_shape_text(gt_spec_shape(spec), text, sizeof text);
    if (spec->rank < state->min_rank)
        return gt_raise(context, GT_INVALID, here, state->layer->type->name,
                        "the input must have at least %d dimensions (got shape %s)",
                        state->min_rank, text);
    if (state->last > 0 && spec->dims[spec->rank - 1] != state->last)
        return gt_raise(context, GT_INVALID, here, state->layer->type->name,
                        "the last dimension of the input must be %lld, as the layer was built (got "
                        "shape %s)",
                        (long long)state->last, text);
    return GT_OK;
}

/* Runs `build` eagerly, unseen by traces, tapes and listeners. A failure takes back what was
 * made. */
static gt_Status run_build(gt_Context *context, gt_LayerState *state, const gt_BuildArgs *in)
{
    gt_Layer *layer = state->layer;
    int32_t children = state->child_count;
    if (state->dtype == GT_DTYPE_NONE)
        for (const gt_CallFrame *frame = gt_context_frame(context); frame; frame = frame->caller) {
            const gt_LayerState *around = (const gt_LayerState *)frame->layer;
            if (around != state && around->dtype != GT_DTYPE_NONE) {
                state->dtype = around->dtype;
                break;
            }
        }
    if (state->dtype == GT_DTYPE_NONE && gt_dtype_is_float(in->dtype))
        state->dtype = gt_half_type(in->dtype) < 0 ? in->dtype : GT_FLOAT32;
    gt_Scope *scope = gt_scope_open(context);
    if (!scope)
        return gt_context_status(context);
    gt_Trace *trace = gt_trace_suspend(context);
    uint64_t recording = gt_tape_quiet(context);
    gt_Listener *listener = gt_listener_pause(context); /* first values are no part of a call */
    GT_ASSERT(!state->building && !state->built);
    state->building = true;
    if (layer->type->build)
        layer->type->build(layer, in);
    state->building = false;
    gt_scope_unwind(context, scope);
    gt_scope_close(context);
    gt_listener_resume(context, listener);
    gt_tape_unquiet(context, recording);
    gt_trace_resume(context, trace);
    if (gt_context_status(context) != GT_OK)
        gt_layer_unbuild(state, children);
    else
        state->built = true;
    return gt_context_status(context);
}

static gt_Status build_layer(gt_Context *context, gt_LayerState *state, const gt_CallArgs *call)
{
    size_t bytes = (size_t)call->count * sizeof(gt_Spec);
    gt_Spec *inputs = gt_allocate(context, bytes);
    if (!inputs)
        return gt_context_status(context);
    for (int32_t i = 0; i < call->count; i++)
        inputs[i] = *gt_tensor_spec(call->inputs[i]);
    run_build(context, state,
              &(gt_BuildArgs){.size = sizeof(gt_BuildArgs),
                              .count = call->count,
                              .shape = gt_spec_shape(&inputs[0]),
                              .dtype = inputs[0].dtype,
                              .inputs = inputs});
    gt_release(context, inputs, bytes);
    return gt_context_status(context);
}

/* ---- calling ---- */

/* The name of a layer in the container that calls it; NULL: it was never registered there. */
static const char *name_in(const gt_LayerState *parent, const gt_Layer *layer)
{
    int32_t i = gt_map_find(&parent->places, gt_map_pointer(layer));
    return i < 0 ? NULL : parent->children[i].name;
}

static gt_Tensor *add_activity(gt_Context *context, gt_LayerState *state, gt_Tensor *y)
{
    gt_Tensor *penalty = gt_penalty(&state->activity, y);
    int64_t batch = gt_dim(gt_tensor_shape(y), 0);
    if (penalty && gt_context_status(context) == GT_OK)
        gt_add_loss_at(NULL, state->layer, gt_divide(penalty, batch > 0 ? (double)batch : 1.0));
    return gt_context_status(context) == GT_OK ? y : NULL;
}

/* While a function is traced: `call` may read the struct of the layer, which then is a fact;
 * unless it writes to the struct, and finds there what it left. */
static gt_Tensor *traced_call(gt_Context *context, gt_LayerState *state, const gt_CallArgs *in)
{
    gt_Layer *layer = state->layer;
    size_t bytes = layer->type->instance;
    void *before = gt_allocate(context, bytes);
    if (!before)
        return NULL;
    memcpy(before, layer, bytes);
    gt_Tensor *y = layer->type->call(layer, in);
    if (memcmp(before, layer, bytes) == 0)
        gt_ask_memory(context, &state->object, layer, bytes);
    else
        gt_decide_memory(context, &state->object);
    gt_release(context, before, bytes);
    return y;
}

/* Runs the `call` of a layer that is built, in a scope of its own. */
static gt_Tensor *compute(gt_Context *context, const char *here, gt_LayerState *state,
                          const gt_CallArgs *in)
{
    gt_Scope *scope = gt_scope_open(context);
    if (!scope)
        return NULL;
    bool noted = gt_tracing(context) && state->object.context == context;
    gt_Tensor *y =
        noted ? traced_call(context, state, in) : state->layer->type->call(state->layer, in);
    if (y && state->activity.type)
        y = add_activity(context, state, y);
    gt_scope_unwind(context, scope);
    if (gt_context_status(context) != GT_OK)
        y = NULL;
    else if (!y)
        gt_raise(context, GT_STATE, here, state->layer->type->name, "call returned no tensor");
    else if (gt_tensor_check(context, here, state->layer->type->name, "what call returned", y))
        gt_scope_keep(context, y);
    gt_scope_close(context);
    if (gt_context_status(context) != GT_OK)
        return NULL;
    if (state->object.context == context)
        state->output = gt_spec(y);
    return y;
}

/* The first call builds, and builds what is called inside: a layer counts as built when all of that
 * went well. */
static gt_Tensor *run_call(gt_Context *context, const char *here, gt_LayerState *state,
                           const gt_CallArgs *in)
{
    gt_Spec input = gt_spec(in->x);
    if (gt_context_status(context) != GT_OK)
        return NULL;
    if (state->built)
        return check_input(context, here, state, &input) == GT_OK
                   ? compute(context, here, state, in)
                   : NULL;
    int32_t children = state->child_count;
    if (build_layer(context, state, in) != GT_OK)
        return NULL;
    gt_Tensor *y = NULL;
    if (check_input(context, here, state, &input) == GT_OK)
        y = compute(context, here, state, in);
    if (!y)
        gt_layer_unbuild(state, children);
    return y;
}

static uint64_t caller_trains(const gt_Context *context, const gt_Object *object)
{
    (void)object;
    const gt_CallFrame *frame = gt_context_frame(context);
    return frame && frame->training;
}

/* As the layer around it; where that calls a traced function, its plans depend on it. */
static bool inherit_training(gt_Context *context)
{
    if (gt_trace_called_from(context, gt_context_frame(context)))
        return gt_ask(context, caller_trains, NULL);
    return caller_trains(context, NULL);
}

gt_Tensor *gt_call_at(const char *here, gt_Layer *layer, gt_Tensor *x, const gt_call_options *given)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "call", layer) : NULL;
    if (!state)
        return NULL;
    gt_call_options options = GT_TAKE(gt_call_options, given);
    const gt_CallFrame *caller = gt_context_frame(context);
    const char *name = caller ? name_in((const gt_LayerState *)caller->layer, layer) : state->name;
    if (!name) {
        gt_raise(context, GT_STATE, here, "call",
                 "layer %s is called inside %s but was never registered there: its weights would "
                 "not be trained or saved; use gt_add_child when %s is made",
                 state->name, ((const gt_LayerState *)caller->layer)->name,
                 ((const gt_LayerState *)caller->layer)->name);
        return NULL;
    }
    if (options.more.count < 0 || options.more.count >= GT_MAX_INPUTS ||
        !options.more.count != !options.more.items) {
        gt_raise(context, GT_INVALID, here, "call",
                 "more must be a list of at most %d tensors, gt_tensors(...)", GT_MAX_INPUTS - 1);
        return NULL;
    }
    int32_t count = options.more.count + 1, most = gt_class_inputs(layer->type);
    if (count > most) {
        gt_raise(context, GT_INVALID, here, layer->type->name, "it accepts %d input%s (got %d)",
                 (int)most, most == 1 ? "" : "s", (int)count);
        return NULL;
    }
    gt_CallFrame frame = {caller,
                          &state->object,
                          name,
                          caller ? caller->scope : gt_scope_innermost(context),
                          options.training == GT_INHERIT ? inherit_training(context)
                                                         : options.training != 0,
                          caller ? caller->depth + 1 : 0};
    if (frame.depth > GT_MAX_DEPTH) {
        gt_layer_too_deep(context, here, "call");
        return NULL;
    }
    gt_Tensor *inputs[GT_MAX_INPUTS] = {x};
    for (int i = 0; i < options.more.count; i++)
        inputs[i + 1] = options.more.items[i];
    const gt_CallArgs in = {.size = sizeof(gt_CallArgs),
                            .count = count,
                            .x = x,
                            .inputs = inputs,
                            .training = frame.training};
    gt_Site site = gt_site_enter(here, NULL);
    gt_context_set_frame(context, &frame);
    /* Another context may call a built layer, several at a time: it is not written to. */
    bool own = state->object.context == context;
    if (own && !caller)
        state->call = gt_context_count_call(context);
    if (own)
        state->object.references++; /* so that `call` cannot free it under us */
    else if (!state->built)
        gt_raise(context, GT_STATE, here, layer->type->name,
                 "this layer belongs to another context, and is not built yet");
    for (int i = 0; i < in.count && gt_context_status(context) == GT_OK; i++)
        gt_tensor_check(context, here, layer->type->name, "the input", inputs[i]);
    gt_Tensor *y = gt_context_status(context) == GT_OK ? run_call(context, here, state, &in) : NULL;
    gt_context_set_frame(context, caller);
    gt_site_leave(site);
    if (own)
        gt_object_release(&state->object);
    return y;
}

gt_Status gt_build_at(const char *here, gt_Layer *layer, gt_Shape shape, gt_DType dtype)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "build", layer) : NULL;
    if (!state)
        return gt_status();
    gt_Spec spec = {0};
    char text[160];
    if (!gt_storable(dtype) || !gt_spec_set(&spec, dtype, shape))
        return gt_raise(context, GT_INVALID, here, "build", "the input cannot be %s %s",
                        gt_dtype_name(dtype), gt_shape_text(shape, text, sizeof text));
    gt_Graph *graph = gt_graph_new(context);
    gt_Facts facts = {0};
    gt_Trace *trace = graph ? gt_trace_begin(context, graph, &facts) : NULL;
    if (!trace) {
        gt_graph_free(graph);
        return gt_context_status(context);
    }
    if (gt_scope_open(context)) {
        gt_Tensor *x = gt_trace_input(context, &spec);
        if (x)
            gt_call_at(here, layer, x, NULL);
        gt_scope_close(context);
    }
    gt_trace_end(context, trace);
    gt_facts_close(context, &facts);
    gt_graph_free(graph);
    state->call = gt_context_count_call(context); /* what it added are symbols */
    return gt_context_status(context);
}

/* ---- losses ---- */

gt_Status gt_add_loss_at(const char *here, gt_Layer *layer, gt_Tensor *loss)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "add_loss", layer) : NULL;
    if (!state || !gt_tensor_check(context, here, "add_loss", "the loss", loss))
        return gt_status();
    const gt_CallFrame *innermost = gt_context_frame(context), *outermost = innermost;
    if (!outermost)
        return gt_raise(context, GT_STATE, here, "add_loss",
                        "a loss can only be added while a layer is called");
    if (gt_listening(context))
        return gt_raise(context, GT_UNSUPPORTED, here, "add_loss",
                        "what is recomputed or has a gradient of its own is hidden from the tape; "
                        "return the loss as an output and add it outside");
    if (gt_tracing_body(context))
        return gt_raise(
            context, GT_UNSUPPORTED, here, "add_loss",
            "in a branch or loop of a traced function, or where it is recomputed, a loss "
            "is not known outside; return it as an output and add it there");
    GT_ASSERT(outermost->scope);
    while (outermost->caller)
        outermost = outermost->caller;
    if (gt_size(loss) != 1) {
        if (gt_context_status(context) == GT_OK)
            gt_raise(context, GT_INVALID, here, "add_loss", "the loss must be a scalar");
        return gt_context_status(context);
    }
    const gt_LayerState *root = (const gt_LayerState *)outermost->layer;
    gt_LayerState *adding = (gt_LayerState *)innermost->layer;
    if (root->object.context != context || adding->object.context != context)
        return GT_OK; /* nobody can train it from here */
    if (adding->losses_of != root->call)
        adding->loss_count = 0;
    adding->losses_of = root->call;
    if (!gt_reserve(context, (void **)&adding->losses, adding->loss_count, &adding->loss_capacity,
                    sizeof *adding->losses))
        return gt_context_status(context);
    gt_scope_move(loss, outermost->scope);
    adding->losses[adding->loss_count++] = loss;
    return GT_OK;
}
