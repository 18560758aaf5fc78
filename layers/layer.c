/* The life of a layer: made, put into a container, built once, called often, freed. Leans on core
 * for handles, scopes and errors, on weights.c for its lists. */
#include "layers/internal.h"
#include "core/graph.h"
#include "ops/math/arithmetic.h"
#include "ops/math/reduce.h"

#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_add_weight_options, gt_add_weight_OPTIONS);
GT_OPTION_TYPE(gt_call_options, gt_call_OPTIONS);

/* ---- text ---- */

char *gt_copy_text(gt_Context *context, const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = gt_allocate(context, bytes);
    if (copy)
        memcpy(copy, text, bytes);
    return copy;
}

void gt_free_text(gt_Context *context, char *text)
{
    if (text)
        gt_release(context, text, strlen(text) + 1);
}

char *gt_layer_text(gt_LayerState *state, size_t bytes)
{
    gt_Context *context = state->object.context;
    if (state->text_bytes >= bytes)
        return state->text;
    char *grown = gt_allocate(context, bytes);
    if (!grown)
        return NULL;
    gt_release(context, state->text, state->text_bytes);
    state->text = grown;
    state->text_bytes = bytes;
    return grown;
}

/* ---- making and freeing ---- */

static size_t struct_offset(void)
{
    return (sizeof(gt_LayerState) + 63) & ~(size_t)63;
}

static void release_weights(gt_LayerState *state)
{
    gt_Context *context = state->object.context;
    while (state->weight_count > 0) {
        gt_Weight *weight = &state->weights[--state->weight_count];
        gt_variable_free(weight->variable);
        gt_free_text(context, weight->name);
    }
    gt_map_close(context, &state->weight_names);
    context->structure++;
}

static void release_children(gt_LayerState *state, int32_t keep)
{
    gt_Context *context = state->object.context;
    while (state->child_count > keep) {
        int32_t i = --state->child_count;
        gt_Child child = state->children[i];
        gt_map_remove(&state->child_names, gt_map_text(child.name, strlen(child.name)), i);
        gt_map_remove(&state->places, gt_map_pointer(child.layer), i);
        gt_free_text(context, child.name);
        gt_object_release(&child.layer->state->object);
    }
    for (int32_t i = 0; i < state->child_count; i++)
        state->children[i].suffixes = 0; /* some of them may be free again */
    context->structure++;
}

static void destroy_layer(gt_Object *object)
{
    gt_LayerState *state = (gt_LayerState *)object;
    gt_Context *context = object->context;
    gt_callable_forget(state);
    if (state->layer && state->layer->type->destroy)
        state->layer->type->destroy(state->layer);
    gt_object_release(state->compiled);
    state->compiled = NULL;
    release_weights(state);
    release_children(state, 0);
    gt_release(context, state->weights, (size_t)state->weight_capacity * sizeof *state->weights);
    gt_release(context, state->children, (size_t)state->child_capacity * sizeof *state->children);
    gt_map_close(context, &state->child_names);
    gt_map_close(context, &state->places);
    gt_release(context, state->losses, (size_t)state->loss_capacity * sizeof *state->losses);
    gt_release(context, state->list, (size_t)state->list_capacity * sizeof *state->list);
    gt_release(context, state->text, state->text_bytes);
    gt_paths_close(context, &state->paths);
    gt_free_text(context, state->name);
}

const gt_ObjectKind gt_layer_kind = {"layer", destroy_layer, false};

/* The state in front of a layer's struct; NULL: this is none. */
static gt_LayerState *state_of(const gt_Layer *layer)
{
    if (!gt_has_word(layer, GT_WORD_LAYER))
        return NULL;
    void *state = (char *)layer - struct_offset();
    return layer->state == state ? state : NULL;
}

gt_LayerState *gt_layer_check(gt_Context *context, const char *here, const char *operation,
                              const gt_Layer *layer)
{
    gt_LayerState *state = state_of(layer);
    if (state)
        return gt_object_check(context, here, operation, state, &gt_layer_kind) ? state : NULL;
    if (gt_has_word(layer, GT_WORD_LAYER))
        gt_raise(context, GT_INVALID, here, operation,
                 "this is a copy of a layer's struct; a layer is what gt_layer_new returned");
    else
        gt_raise_kind(context, here, operation, NULL, "layer", layer);
    return NULL;
}

gt_LayerState *gt_layer_own(gt_Context *context, const char *here, const char *operation,
                            const gt_Layer *layer)
{
    gt_LayerState *state = gt_layer_check(context, here, operation, layer);
    if (!state || state->object.context == context)
        return state;
    gt_raise(context, GT_STATE, here, operation, "layer %s belongs to another context",
             state->name);
    return NULL;
}

gt_Layer *gt_layer_new_at(const char *here, const gt_LayerClass *type, const void *instance)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (!type || !instance || !type->name || !type->call || type->instance < sizeof(gt_Layer)) {
        gt_raise(context, GT_INVALID, here, "layer_new",
                 "a layer needs a struct, and a class with a name, a call and the struct's size");
        return NULL;
    }
    const gt_Layer *given = instance;
    const char *name = given->name ? given->name : type->name;
    if (!*name || strchr(name, '/')) {
        gt_raise(context, GT_INVALID, here, type->name, "the name \"%s\" is empty or has a '/'",
                 name);
        return NULL;
    }
    gt_LayerState *state = gt_object_new(context, &gt_layer_kind, struct_offset() + type->instance);
    if (!state)
        return NULL;
    gt_Layer *layer = (gt_Layer *)(void *)((char *)state + struct_offset());
    memcpy(layer, instance, type->instance);
    layer->word = GT_WORD_LAYER;
    layer->type = type;
    layer->state = state;
    state->layer = layer;
    state->named = given->name != NULL;
    state->trainable = true;
    state->dtype = given->dtype;
    state->name = gt_copy_text(context, name);
    layer->name = state->name;
    gt_Site site = gt_site_enter(here, type->name);
    state->creating = true;
    if (state->name && type->create)
        type->create(layer);
    state->creating = false;
    gt_site_leave(site);
    if (context->status != GT_OK) {
        gt_object_release(&state->object);
        return NULL;
    }
    return layer;
}

void gt_layer_free(gt_Layer *layer)
{
    gt_LayerState *state = state_of(layer);
    gt_Context *context = layer && !state ? gt_context() : NULL;
    if (context)
        gt_layer_check(context, NULL, "layer_free", layer);
    gt_object_free("layer_free", state, &gt_layer_kind);
}

gt_Layer *gt_layer_finish(gt_Layer *layer, bool trainable, gt_Regularizer activity)
{
    if (!layer)
        return NULL;
    gt_Site site = gt_site_enter(NULL, layer->type->name);
    gt_Status status = gt_regularizer_check("activity_regularizer", &activity);
    gt_site_leave(site);
    if (status != GT_OK) {
        gt_layer_free(layer);
        return NULL;
    }
    layer->state->activity = activity;
    if (!trainable)
        gt_set_trainable(layer, false);
    return layer;
}

/* ---- children ---- */

int32_t gt_layer_find_child(const gt_LayerState *state, const char *name, size_t length)
{
    int32_t at = -1, i;
    uint64_t key = gt_map_text(name, length);
    while ((i = gt_map_next(&state->child_names, key, &at)) >= 0)
        if (strncmp(state->children[i].name, name, length) == 0 && !state->children[i].name[length])
            return i;
    return -1;
}

/* "dense", "dense_1", ...: by position, so the order in which the layers were made says nothing.
 * `suffix` gets the number; 0: there is none. */
static char *child_name(gt_Context *context, const gt_LayerState *parent,
                        const gt_LayerState *child, int32_t *suffix)
{
    size_t length = strlen(child->name), bytes = length + 16;
    int32_t first = gt_layer_find_child(parent, child->name, length);
    *suffix = 0;
    if (first < 0)
        return gt_copy_text(context, child->name);
    if (child->named) {
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "two layers in %s are called \"%s\"; names are unique in a container",
                 parent->name, child->name);
        return NULL;
    }
    char *text = gt_allocate(context, bytes);
    if (!text)
        return NULL;
    *suffix = parent->children[first].suffixes;
    do
        snprintf(text, bytes, "%s_%d", child->name, (int)++*suffix);
    while (gt_layer_find_child(parent, text, strlen(text)) >= 0);
    char *name = gt_copy_text(context, text);
    gt_release(context, text, bytes);
    return name;
}

/* Room for one more child, and where to find it: under its name, and under the layer itself if that
 * is no child yet. */
static bool index_child(gt_Context *context, gt_LayerState *parent, const gt_Layer *child,
                        const char *name)
{
    int32_t i = parent->child_count;
    uint64_t key = gt_map_text(name, strlen(name)), place = gt_map_pointer(child);
    if (!gt_reserve(context, (void **)&parent->children, i, &parent->child_capacity,
                    sizeof *parent->children) ||
        !gt_map_add(context, &parent->child_names, key, i))
        return false;
    if (gt_map_find(&parent->places, place) >= 0 || gt_map_add(context, &parent->places, place, i))
        return true;
    gt_map_remove(&parent->child_names, key, i);
    return false;
}

static bool contains(gt_LayerState *state, const gt_LayerState *inner, uint64_t visit)
{
    if (state == inner)
        return true;
    if (state->visit == visit)
        return false;
    state->visit = visit;
    for (int32_t i = 0; i < state->child_count; i++)
        if (contains(state->children[i].layer->state, inner, visit))
            return true;
    return false;
}

static gt_Status too_deep(gt_Context *context, const char *here, const char *operation)
{
    return gt_raise(context, GT_UNSUPPORTED, here, operation,
                    "layers may be nested %d deep at most", GT_MAX_DEPTH);
}

gt_Layer *gt_add_child_at(const char *here, gt_Layer *layer, gt_Layer *child)
{
    gt_Context *context = gt_context();
    if (!context)
        return NULL;
    gt_LayerState *taken = state_of(child);
    if (taken && (!gt_object_is(taken, &gt_layer_kind) || taken->object.context != context))
        taken = NULL;
    gt_object_sink(taken ? &taken->object : NULL);
    if (context->status != GT_OK)
        goto failed;
    gt_LayerState *state = gt_layer_own(context, here, "add_child", layer);
    if (!state || !gt_layer_own(context, here, "add_child", child))
        goto failed;
    if (state->built && !state->building) {
        gt_raise(context, GT_STATE, here, "add_child",
                 "layer %s is built already; register its children when it is made", state->name);
        goto failed;
    }
    if (child == layer || (state->contained && contains(child->state, state, ++context->visit))) {
        gt_raise(context, GT_INVALID, here, "add_child",
                 "a layer cannot contain itself: %s is %sthe layer that it is added to",
                 child->state->name, child == layer ? "" : "around ");
        goto failed;
    }
    if (child->state->height >= GT_MAX_DEPTH) {
        too_deep(context, here, "add_child");
        goto failed;
    }
    int32_t suffix;
    char *name = child_name(context, state, child->state, &suffix);
    if (!name)
        goto failed;
    if (!index_child(context, state, child, name)) {
        gt_free_text(context, name);
        goto failed;
    }
    state->children[state->child_count++] = (gt_Child){.layer = child, .name = name};
    context->structure++;
    child->state->contained = true;
    if (state->height <= child->state->height)
        state->height = child->state->height + 1;
    if (suffix) {
        const char *base = child->state->name;
        state->children[gt_layer_find_child(state, base, strlen(base))].suffixes = suffix;
    }
    if (!state->trainable)
        gt_set_trainable(child, false);
    return child;
failed:
    gt_object_release(taken ? &taken->object : NULL);
    return NULL;
}

/* ---- building ---- */

/* The key of a weight's first numbers: which model, where in it, which weight. The serial of the
 * outermost layer keeps two models apart; those below it are told apart by their path, because the
 * order of their making depends on the compiler. */
static void weight_key(const gt_Context *context, const gt_LayerState *state, const char *weight,
                       char *text, size_t size)
{
    const gt_CallFrame *outermost = context->frame;
    char path[512] = "";
    for (const gt_CallFrame *frame = context->frame; frame && frame->caller;
         frame = frame->caller) {
        char longer[512];
        snprintf(longer, sizeof longer, "%.200s/%.300s", frame->name, path);
        memcpy(path, longer, sizeof path);
        outermost = frame->caller;
    }
    unsigned long long serial = outermost ? (unsigned long long)outermost->layer->serial
                                          : (unsigned long long)state->object.serial;
    snprintf(text, size, "%llu/%s%s", serial, path, weight);
}

static bool has_weight(const gt_LayerState *state, const char *name)
{
    int32_t at = -1, i;
    uint64_t key = gt_map_text(name, strlen(name));
    while ((i = gt_map_next(&state->weight_names, key, &at)) >= 0)
        if (strcmp(state->weights[i].name, name) == 0)
            return true;
    return false;
}

/* Adds to the list what build made or shares; takes over neither on failure. */
static bool add_to_weights(gt_Context *context, gt_LayerState *state, gt_Weight weight)
{
    int32_t i = state->weight_count;
    if (!gt_reserve(context, (void **)&state->weights, i, &state->weight_capacity,
                    sizeof *state->weights) ||
        !gt_map_add(context, &state->weight_names, gt_map_text(weight.name, strlen(weight.name)),
                    i))
        return false;
    state->weights[state->weight_count++] = weight;
    context->structure++;
    return true;
}

gt_Variable *gt_add_weight_at(const char *here, gt_Layer *layer, const char *name, gt_Shape shape,
                              const gt_add_weight_options *given)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_own(context, here, "add_weight", layer) : NULL;
    if (!state)
        return NULL;
    gt_add_weight_options options = GT_TAKE(gt_add_weight_options, given);
    char text[160];
    if (!name || !*name || strchr(name, '/')) {
        gt_raise(context, GT_INVALID, here, "add_weight", "a weight needs a name without '/'");
        return NULL;
    }
    if (!state->building) {
        gt_raise(
            context, GT_STATE, here, "add_weight",
            "weight \"%s\" of layer %s is made outside of build; variables are made once: move "
            "this to the layer's build function",
            name, state->name);
        return NULL;
    }
    if (has_weight(state, name)) {
        gt_raise(context, GT_INVALID, here, "add_weight", "layer %s has a weight \"%s\" already",
                 state->name, name);
        return NULL;
    }
    if (gt_initializer_check("initializer", &options.initializer) != GT_OK ||
        gt_regularizer_check("regularizer", &options.regularizer) != GT_OK)
        return NULL;
    gt_Spec spec = {0};
    gt_DType dtype = options.dtype ? options.dtype : state->dtype ? state->dtype : GT_FLOAT32;
    if (!gt_storable(dtype) || !gt_spec_set(&spec, dtype, shape)) {
        gt_raise(context, GT_INVALID, here, "add_weight", "weight \"%s\" cannot be %s %s", name,
                 gt_dtype_name(dtype), gt_shape_text(shape, text, sizeof text));
        return NULL;
    }
    bool is_float = gt_dtype_is_float(dtype);
    gt_Slot *slot = gt_variable_make(context, &spec, name, options.trainable && is_float);
    char *copy = slot ? gt_copy_text(context, name) : NULL;
    if (!copy || !add_to_weights(context, state,
                                 (gt_Weight){gt_slot_handle(slot), copy, options.regularizer,
                                             options.is_state})) {
        gt_free_text(context, copy);
        if (slot)
            gt_variable_free(gt_slot_handle(slot));
        return NULL;
    }
    slot->variable->trainable = slot->variable->trainable && state->trainable;
    char key[768];
    weight_key(context, state, name, key, sizeof key);
    gt_Site site = gt_site_enter(here, NULL);
    gt_initialize(options.initializer, key, &spec, gt_value_data(slot->value));
    gt_site_leave(site);
    return context->status == GT_OK ? gt_slot_handle(slot) : NULL;
}

gt_Variable *gt_share_weight_at(const char *here, gt_Layer *layer, const char *name,
                                gt_Variable *variable)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_own(context, here, "share_weight", layer) : NULL;
    if (!state || !gt_variable_check(context, here, "share_weight", variable))
        return NULL;
    if (!name || !*name || strchr(name, '/') || !state->building) {
        gt_raise(context, GT_STATE, here, "share_weight",
                 "a weight is shared in build, under a name without '/'");
        return NULL;
    }
    char *copy = gt_copy_text(context, name);
    if (!copy || !add_to_weights(context, state, (gt_Weight){.variable = variable, .name = copy})) {
        gt_free_text(context, copy);
        return NULL;
    }
    gt_variable_retain(variable);
    return variable;
}

gt_Status gt_set_input_spec_at(const char *here, gt_Layer *layer, int min_rank, int64_t last)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_own(context, here, "set_input_spec", layer) : NULL;
    if (!state)
        return gt_status();
    state->min_rank = min_rank;
    state->last = last;
    return GT_OK;
}

static gt_Status check_input(gt_Context *context, const char *here, const gt_LayerState *state,
                             const gt_Spec *spec)
{
    char text[160];
    gt_shape_text(gt_spec_shape(spec), text, sizeof text);
    if (spec->rank < state->min_rank)
        return gt_raise(context, GT_INVALID, here, state->layer->type->name,
                        "the input has shape %s; at least %d dimensions are needed", text,
                        state->min_rank);
    if (state->last > 0 && spec->dims[spec->rank - 1] != state->last)
        return gt_raise(context, GT_INVALID, here, state->layer->type->name,
                        "the input has shape %s, but the layer was built for a last dimension of "
                        "%lld",
                        text, (long long)state->last);
    return GT_OK;
}

/* Runs `build` eagerly, unseen by traces and tapes. A failure takes back what was made. */
/* As it was before it was built, when it had that many children. */
static void unbuild(gt_LayerState *state, int32_t children)
{
    release_weights(state);
    release_children(state, children);
    state->dtype = state->layer->dtype;
    state->built = false;
}

static gt_Status build_layer(gt_Context *context, gt_LayerState *state, const gt_Spec *input)
{
    gt_Layer *layer = state->layer;
    int32_t children = state->child_count;
    if (state->dtype == GT_DTYPE_NONE)
        for (const gt_CallFrame *frame = context->frame; frame; frame = frame->caller) {
            const gt_LayerState *around = (const gt_LayerState *)frame->layer;
            if (around != state && around->dtype != GT_DTYPE_NONE) {
                state->dtype = around->dtype;
                break;
            }
        }
    if (state->dtype == GT_DTYPE_NONE && gt_dtype_is_float(input->dtype))
        state->dtype = gt_half_type(input->dtype) < 0 ? input->dtype : GT_FLOAT32;
    gt_Scope *scope = gt_scope_open(context);
    if (!scope)
        return context->status;
    gt_Trace *trace = gt_trace_suspend(context);
    uint64_t recording = gt_tape_quiet(context);
    gt_Listener *listener = context->listener; /* first numbers are no part of what a call does */
    context->listener = NULL;
    state->building = true;
    if (layer->type->build)
        layer->type->build(layer, gt_spec_shape(input));
    state->building = false;
    gt_scope_unwind(context, scope);
    gt_scope_close(context);
    context->listener = listener;
    gt_tape_unquiet(context, recording);
    gt_trace_resume(context, trace);
    if (context->status != GT_OK)
        unbuild(state, children);
    else
        state->built = true;
    return context->status;
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
    if (penalty && context->status == GT_OK)
        gt_add_loss_at(NULL, state->layer, gt_divide(penalty, batch > 0 ? (double)batch : 1.0));
    return context->status == GT_OK ? y : NULL;
}

/* While a function is traced: `call` may read the struct of the layer, which then is a fact; unless it
 * writes to the struct, and finds there what it left. */
static gt_Tensor *traced_call(gt_Context *context, gt_LayerState *state, gt_CallArgs in)
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

/* What `call` computes, once the layer is built. */
static gt_Tensor *compute(gt_Context *context, const char *here, gt_LayerState *state,
                          gt_CallArgs in)
{
    gt_Scope *scope = gt_scope_open(context);
    if (!scope)
        return NULL;
    bool noted = context->trace && state->object.context == context;
    gt_Tensor *y =
        noted ? traced_call(context, state, in) : state->layer->type->call(state->layer, in);
    if (y && state->activity.type)
        y = add_activity(context, state, y);
    gt_scope_unwind(context, scope);
    if (context->status != GT_OK)
        y = NULL;
    else if (!y)
        gt_raise(context, GT_STATE, here, state->layer->type->name, "call returned no tensor");
    else if (gt_slot_check(context, here, state->layer->type->name, "what call returned", y))
        gt_scope_keep(context, y);
    gt_scope_close(context);
    if (context->status != GT_OK)
        return NULL;
    if (state->object.context == context)
        state->output = gt_spec(y);
    return y;
}

/* The first call builds, and builds what is called inside: a layer counts as built when all of that
 * went well. */
static gt_Tensor *run_call(gt_Context *context, const char *here, gt_LayerState *state,
                           gt_CallArgs in)
{
    gt_Spec input = gt_spec(in.x);
    if (context->status != GT_OK)
        return NULL;
    if (state->built)
        return check_input(context, here, state, &input) == GT_OK
                   ? compute(context, here, state, in)
                   : NULL;
    int32_t children = state->child_count;
    if (build_layer(context, state, &input) != GT_OK)
        return NULL;
    gt_Tensor *y = NULL;
    if (check_input(context, here, state, &input) == GT_OK)
        y = compute(context, here, state, in);
    if (!y)
        unbuild(state, children);
    return y;
}

static uint64_t caller_trains(const gt_Context *context, const gt_Object *object)
{
    (void)object;
    return context->frame && context->frame->training;
}

/* As the layer around it; where that calls a traced function, its plans depend on it. */
static bool inherit_training(gt_Context *context)
{
    if (gt_trace_called_from(context, context->frame))
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
    const gt_CallFrame *caller = context->frame;
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
    int32_t count = options.more.count + 1, most = layer->type->inputs ? layer->type->inputs : 1;
    if (count > most) {
        gt_raise(context, GT_INVALID, here, layer->type->name, "it takes %d input%s (got %d)",
                 (int)most, most == 1 ? "" : "s", (int)count);
        return NULL;
    }
    gt_CallFrame frame = {caller,
                          &state->object,
                          name,
                          caller ? caller->scope : context->scope,
                          options.training == GT_INHERIT ? inherit_training(context)
                                                         : options.training != 0,
                          caller ? caller->depth + 1 : 0};
    if (frame.depth > GT_MAX_DEPTH) {
        too_deep(context, here, "call");
        return NULL;
    }
    gt_Tensor *inputs[GT_MAX_INPUTS] = {x};
    for (int i = 0; i < options.more.count; i++)
        inputs[i + 1] = options.more.items[i];
    gt_CallArgs in = {x, inputs, count, frame.training};
    const char *site = context->here;
    if (here)
        context->here = here;
    context->frame = &frame;
    /* Another context may call a built layer, several at a time: it is not written to. */
    bool own = state->object.context == context;
    if (own && !caller)
        state->call = ++context->calls;
    if (own)
        state->object.references++; /* so that `call` cannot free it under us */
    else if (!state->built)
        gt_raise(context, GT_STATE, here, layer->type->name,
                 "this layer belongs to another context, and is not built yet");
    for (int i = 0; i < in.count && context->status == GT_OK; i++)
        gt_slot_check(context, here, layer->type->name, "the input", inputs[i]);
    gt_Tensor *y = context->status == GT_OK ? run_call(context, here, state, in) : NULL;
    context->frame = caller;
    context->here = site;
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
        return gt_raise(context, GT_INVALID, here, "build", "an input cannot be %s %s",
                        gt_dtype_name(dtype), gt_shape_text(shape, text, sizeof text));
    gt_Graph *graph = gt_graph_new(context);
    gt_Facts facts = {0};
    gt_Trace *trace = graph ? gt_trace_begin(context, graph, &facts) : NULL;
    if (!trace) {
        gt_graph_free(graph);
        return context->status;
    }
    gt_Scope *scope = gt_scope_open(context);
    if (scope) {
        gt_Tensor *x = gt_trace_input(context, &spec);
        if (x)
            gt_call_at(here, layer, x, NULL);
        gt_scope_close(context);
    }
    gt_trace_end(context, trace);
    gt_facts_close(context, &facts);
    gt_graph_free(graph);
    state->call = ++context->calls; /* what it added are symbols */
    return context->status;
}

/* ---- losses ---- */

gt_Status gt_add_loss_at(const char *here, gt_Layer *layer, gt_Tensor *loss)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "add_loss", layer) : NULL;
    if (!state || !gt_slot_check(context, here, "add_loss", "the loss", loss))
        return gt_status();
    const gt_CallFrame *outermost = context->frame;
    if (!outermost)
        return gt_raise(context, GT_STATE, here, "add_loss", "a loss is added inside call");
    if (context->listener)
        return gt_raise(context, GT_UNSUPPORTED, here, "add_loss",
                        "what is recomputed or has a gradient of its own is hidden from the tape; "
                        "return the loss as an output and add it outside");
    if (gt_tracing_body(context))
        return gt_raise(
            context, GT_UNSUPPORTED, here, "add_loss",
            "in a branch or loop of a traced function, or where it is recomputed, a loss "
            "is not known outside; return it as an output and add it there");
    while (outermost->caller)
        outermost = outermost->caller;
    if (gt_size(loss) != 1) {
        if (context->status == GT_OK)
            gt_raise(context, GT_INVALID, here, "add_loss", "a loss is a scalar");
        return context->status;
    }
    const gt_LayerState *root = (const gt_LayerState *)outermost->layer;
    gt_LayerState *adding = (gt_LayerState *)context->frame->layer;
    if (root->object.context != context || adding->object.context != context)
        return GT_OK; /* nobody can train it from here */
    if (adding->losses_of != root->call)
        adding->loss_count = 0;
    adding->losses_of = root->call;
    if (!gt_reserve(context, (void **)&adding->losses, adding->loss_count, &adding->loss_capacity,
                    sizeof *adding->losses))
        return context->status;
    gt_scope_move(loss, outermost->scope);
    adding->losses[adding->loss_count++] = loss;
    return GT_OK;
}
