/* A layer is made, gets children and weights, and is freed. Building and calling it: call.c.
 * Leans on core for handles and errors.
 *
 * State and struct are one block, the state in front. What a layer holds: its children and the
 * variables of its weights; who is held by nobody else is freed with the layer. A child's name
 * is unique in its container and tells its position there ("dense", "dense_1"): names, paths and
 * first values do not depend on the order in which C evaluated the constructors. */
#include "layers/internal.h"
#include "core/assert.h"
#include "core/graph.h"
#include "layers/table.h"

#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_add_weight_options, gt_add_weight_OPTIONS);
GT_OPTION_TYPE(gt_set_input_spec_options, gt_set_input_spec_OPTIONS);

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
    return gt_aligned(sizeof(gt_LayerState));
}

static void release_weights(gt_LayerState *state)
{
    gt_Context *context = state->object.context;
    for (int32_t i = 0; i < state->weight_count; i++)
        gt_variable_disown(state->weights[i].variable);
    while (state->weight_count > 0) {
        gt_Weight *weight = &state->weights[--state->weight_count];
        gt_initializer_drop(&weight->initializer);
        gt_variable_release(weight->variable);
        gt_free_text(context, weight->name);
    }
    gt_map_close(context, &state->weight_names);
    gt_context_count_structure(context);
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
        if (child.layer->state->parent == state->layer)
            child.layer->state->parent = NULL;
        gt_object_release(&child.layer->state->object);
    }
    for (int32_t i = 0; i < state->child_count; i++)
        state->children[i].suffixes = 0; /* some of them may be free again */
    gt_context_count_structure(context);
}

static void forget_outputs(gt_LayerState *state)
{
    gt_release(state->object.context, state->more_output,
               (size_t)state->more_outputs * sizeof *state->more_output);
    state->output = (gt_Spec){0};
    state->more_output = NULL;
    state->more_outputs = 0;
}

static void free_built_for(gt_LayerState *state)
{
    gt_release(state->object.context, state->built_for,
               (size_t)state->built_for_count * sizeof *state->built_for);
    state->built_for = NULL;
    state->built_for_count = 0;
}

static void unbuild(gt_LayerState *state)
{
    GT_ASSERT(!state->building && state->children_before <= state->child_count);
    release_weights(state);
    release_children(state, state->children_before);
    state->dtype = gt_variable_dtype(state->layer->dtype);
    state->compute = gt_compute_dtype(state->layer->dtype);
    state->policy_of_context = false;
    memcpy(state->spec, state->spec_created, sizeof state->spec);
    free_built_for(state);
    forget_outputs(state);
    state->built = false;
    state->built_at = 0;
}

/* A child that was built before keeps its weights: it may be used elsewhere. */
static void unbuild_below(gt_LayerState *state, uint64_t since, uint64_t visit)
{
    if (state->visit == visit)
        return;
    state->visit = visit;
    for (int32_t i = 0; i < state->child_count; i++)
        unbuild_below(state->children[i].layer->state, since, visit);
    if (state->built_at > since)
        unbuild(state);
}

void gt_layer_unbuild(gt_LayerState *state, uint64_t since)
{
    unbuild_below(state, since, gt_context_new_visit(state->object.context));
}

gt_DType gt_layer_own_policy(const gt_LayerState *state)
{
    bool mixed = state->compute != state->dtype;
    return !state->policy_of_context ? state->layer->dtype
           : mixed                   ? (gt_DType)(state->dtype | state->compute << 8)
                                     : state->dtype;
}

void gt_layer_give_policy(gt_Layer *layer, gt_DType policy)
{
    layer->dtype = policy;
    layer->state->dtype = gt_variable_dtype(policy);
    layer->state->compute = gt_compute_dtype(policy);
}

static void destroy_layer(gt_Object *object)
{
    gt_LayerState *state = (gt_LayerState *)object;
    gt_Context *context = object->context;
    GT_ASSERT(!state->building && !state->creating);
    gt_callable_forget(state);
    if (state->layer && GT_CLASS_HAS(state->layer->type, destroy) && state->layer->type->destroy)
        state->layer->type->destroy(state->layer);
    gt_object_release(state->compiled);
    gt_object_release(state->data);
    state->compiled = state->data = NULL;
    release_weights(state);
    if (state->options)
        gt_layer_free_options(state->layer);
    release_children(state, 0);
    gt_release(context, state->weights, (size_t)state->weight_capacity * sizeof *state->weights);
    gt_release(context, state->children, (size_t)state->child_capacity * sizeof *state->children);
    gt_map_close(context, &state->child_names);
    gt_map_close(context, &state->places);
    gt_release(context, state->losses, (size_t)state->loss_capacity * sizeof *state->losses);
    gt_release(context, state->list, (size_t)state->list_capacity * sizeof *state->list);
    gt_release(context, state->text, state->text_bytes);
    gt_paths_close(context, &state->paths);
    free_built_for(state);
    forget_outputs(state);
    gt_free_text(context, state->name);
}

static const gt_ObjectKind layer_kind = {"layer", destroy_layer, false};

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
        return gt_object_check(context, here, operation, state, &layer_kind) ? state : NULL;
    if (gt_has_word(layer, GT_WORD_LAYER))
        gt_raise(context, GT_INVALID, here, operation,
                 "expected a layer as gt_layer_new returned it (got a copy of its struct)");
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

static bool check_class(gt_Context *context, const char *here, const char *operation,
                        const gt_LayerClass *type)
{
    if (type && GT_CLASS_HAS(type, call) && type->name && type->call &&
        type->instance >= sizeof(gt_Layer))
        return true;
    gt_raise(context, GT_INVALID, here, operation,
             "a class of layers needs its size, a name, the size of its struct, and a call");
    return false;
}

static bool check_given(gt_Context *context, const gt_LayerClass *type, const char *name, gt_DType dtype)
{
    gt_DType variables = gt_variable_dtype(dtype), compute = gt_compute_dtype(dtype);
    bool typed = dtype == GT_DTYPE_NONE || (dtype == GT_TEXT && type == &gt_layer_class_input_layer) ||
                 (gt_storable(variables) && gt_storable(compute) && dtype <= GT_DTYPE_POLICIES);
    if (!*name || strchr(name, '/'))
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "the name must not be empty or contain '/' (got \"%s\")", name);
    else if (!typed)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "dtype must be a type that tensors have, or a policy (got %d)", (int)dtype);
    return gt_context_status(context) == GT_OK;
}

/* From options, these are taken care of before `create`; what they hold is taken also when it fails. */
static gt_Layer *new_layer(gt_Context *context, const gt_LayerClass *type, const void *instance,
                           bool from_options)
{
    const gt_Layer *given = instance;
    const char *name = given->name ? given->name : type->name;
    gt_LayerState *state =
        check_given(context, type, name, given->dtype)
            ? gt_object_new(context, &layer_kind, struct_offset() + type->instance)
            : NULL;
    if (!state) {
        if (from_options)
            gt_options_refuse(type->options, (const char *)instance + type->options_offset);
        return NULL;
    }
    gt_Layer *layer = (gt_Layer *)(void *)((char *)state + struct_offset());
    memcpy(layer, instance, type->instance);
    layer->word = GT_WORD_LAYER;
    layer->type = type;
    layer->state = state;
    state->layer = layer;
    state->named = given->name != NULL;
    state->trainable = true;
    state->dtype = gt_variable_dtype(given->dtype);
    state->compute = gt_compute_dtype(given->dtype);
    state->creating = true;
    state->options = from_options;
    state->name = gt_copy_text(context, name);
    layer->name = state->name;
    if (from_options)
        gt_layer_own_options(layer);
    if (gt_context_status(context) == GT_OK && type->create)
        type->create(layer);
    state->creating = false;
    memcpy(state->spec_created, state->spec, sizeof state->spec);
    if (gt_context_status(context) != GT_OK) {
        gt_object_release(&state->object);
        return NULL;
    }
    return layer;
}

gt_Layer *gt_layer_new_at(const char *here, const gt_LayerClass *type, const void *instance)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (!check_class(context, here, "layer_new", type))
        return NULL;
    void *zeros = instance ? NULL : gt_allocate_zeroed(context, type->instance);
    if (!instance && !zeros)
        return NULL;
    gt_Site site = gt_site_enter(here, type->name);
    gt_Layer *layer = new_layer(context, type, instance ? instance : zeros, false);
    gt_site_leave(&site);
    gt_release(context, zeros, type->instance);
    return layer;
}

void gt_layer_free(gt_Layer *layer)
{
    gt_LayerState *state = state_of(layer);
    gt_Context *context = layer && !state ? gt_context() : NULL;
    if (context)
        gt_layer_check(context, NULL, "layer_free", layer);
    if (state && gt_object_is(state, &layer_kind) && state->parent) {
        gt_raise(state->object.context, GT_STATE, NULL, "layer_free",
                 "layer %s is freed with %s, which it is a part of", state->name,
                 state->parent->state->name);
        return;
    }
    if (state && gt_object_is(state, &layer_kind) && !state->given_up) {
        state->given_up = true;
        state->object.floating = true; /* also where a drawing took it over, which then lacks it */
    }
    gt_object_free("layer_free", state, &layer_kind);
}

static gt_Layer *make_layer(gt_Context *context, const gt_LayerClass *type, const void *given)
{
    gt_Layer *instance = gt_allocate_zeroed(context, type->instance);
    if (!instance) {
        gt_options_refuse(type->options, given);
        return NULL;
    }
    void *options = (char *)instance + type->options_offset;
    gt_options_take(type->options, options, given);
    gt_option_get(type->options, options, "name", &instance->name, sizeof instance->name);
    gt_option_get(type->options, options, "dtype", &instance->dtype, sizeof instance->dtype);
    gt_Layer *layer = NULL;
    if (gt_context_status(context) == GT_OK)
        layer = new_layer(context, type, instance, true);
    else
        gt_options_refuse(type->options, given);
    gt_release(context, instance, type->instance);
    return layer;
}

gt_Layer *gt_layer_make_at(const char *here, const gt_LayerClass *type, const void *options)
{
    gt_Context *context = gt_enter();
    if (!context && gt_is_address(type) && type->size >= sizeof(*type) && type->options)
        gt_options_refuse(type->options, options); /* it is taken, also after a failure */
    if (!context || !check_class(context, here, "layer_make", type))
        return NULL;
    if (!GT_CLASS_HAS(type, options_offset) || !type->options ||
        type->instance < sizeof(gt_Layer) + type->options->size ||
        type->options_offset > type->instance - type->options->size ||
        type->options_offset < sizeof(gt_Layer)) {
        gt_raise(context, GT_INVALID, here, "layer_make",
                 "the class must have options, inside its struct and behind gt_Layer");
        return NULL;
    }
    bool named = GT_CLASS_HAS(type, function) && type->function;
    gt_Site site = gt_site_enter(here, named ? type->function : type->name);
    gt_Layer *layer = make_layer(context, type, options);
    gt_site_leave(&site);
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
                 "a layer called \"%s\" is in %s already; names are unique in a container",
                 child->name, parent->name);
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

void gt_layer_drop_children(gt_LayerState *state, int32_t children)
{
    release_children(state, children);
}

/* All children are held, let go, and added again in the new order. */
gt_Status gt_layer_move_child(gt_LayerState *state, int32_t from, int32_t to)
{
    gt_Context *context = state->object.context;
    int32_t count = state->child_count;
    size_t bytes = (size_t)count * sizeof(gt_Layer *);
    gt_Layer **order = gt_allocate(context, bytes);
    if (!order)
        return gt_context_status(context);
    for (int32_t i = 0, at = 0; i < count; i++) {
        if (at == to)
            order[at++] = state->children[from].layer;
        if (i != from && at < count)
            order[at++] = state->children[i].layer;
    }
    for (int32_t i = 0; i < count; i++)
        order[i]->state->object.references++;
    release_children(state, 0);
    for (int32_t i = 0; i < count; i++) {
        gt_add_child_at(NULL, state->layer, order[i]); /* sinks: one more reference */
        gt_object_release(&order[i]->state->object);
    }
    gt_release(context, order, bytes);
    return gt_context_status(context);
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

gt_Status gt_layer_too_deep(gt_Context *context, const char *here, const char *operation)
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
    if (taken && (!gt_object_is(taken, &layer_kind) || taken->object.context != context))
        taken = NULL;
    gt_object_sink(taken ? &taken->object : NULL);
    if (gt_context_status(context) != GT_OK)
        goto failed;
    gt_LayerState *state = gt_layer_own(context, here, "add_child", layer);
    if (!state || !gt_layer_own(context, here, "add_child", child))
        goto failed;
    if (state->built && !state->building) {
        gt_raise(context, GT_STATE, here, "add_child",
                 "layer %s is built already; register its children when it is made", state->name);
        goto failed;
    }
    if (child == layer ||
        (state->contained && contains(child->state, state, gt_context_new_visit(context)))) {
        gt_raise(context, GT_INVALID, here, "add_child",
                 "a layer cannot contain itself: %s is %sthe layer that it is added to",
                 child->state->name, child == layer ? "" : "around ");
        goto failed;
    }
    if (child->state->height >= GT_MAX_DEPTH) {
        gt_layer_too_deep(context, here, "add_child");
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
    GT_ASSERT(state->child_count < state->child_capacity);
    state->children[state->child_count++] = (gt_Child){.layer = child, .name = name};
    gt_context_count_structure(context);
    child->state->contained = true;
    if (!child->state->parent)
        child->state->parent = layer;
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

gt_Status gt_child_rename(gt_Layer *layer, const gt_Layer *child, const char *name)
{
    gt_LayerState *state = layer->state;
    gt_Context *context = state->object.context;
    int32_t i = gt_map_find(&state->places, gt_map_pointer(child));
    if (strcmp(state->children[i].name, name) == 0)
        return GT_OK;
    if (gt_layer_find_child(state, name, strlen(name)) >= 0)
        return gt_raise(context, GT_INVALID, NULL, NULL, "a layer called \"%s\" is in %s already", name,
                        state->name);
    char *copy = gt_copy_text(context, name), *old = state->children[i].name;
    if (!copy || !gt_map_add(context, &state->child_names, gt_map_text(copy, strlen(copy)), i)) {
        gt_free_text(context, copy);
        return gt_context_status(context);
    }
    gt_map_remove(&state->child_names, gt_map_text(old, strlen(old)), i);
    state->children[i].name = copy;
    gt_free_text(context, old);
    gt_context_count_structure(context);
    return GT_OK;
}

/* ---- building ---- */

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
    gt_context_count_structure(context);
    return true;
}

gt_Variable *gt_add_weight_at(const char *here, gt_Layer *layer, const char *name, gt_Shape shape,
                              const gt_add_weight_options *given)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_own(context, here, "add_weight", layer) : NULL;
    if (!state)
        return NULL;
    gt_add_weight_options options;
    GT_TAKE(gt_add_weight_options, &options, given);
    char text[160];
    if (!name || !*name || strchr(name, '/')) {
        gt_raise(context, GT_INVALID, here, "add_weight", "a weight needs a name, without '/'");
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
        gt_regularizer_check("regularizer", &options.regularizer) != GT_OK ||
        gt_constraint_check("constraint", &options.constraint) != GT_OK)
        return NULL;
    gt_Spec spec = {0};
    gt_DType dtype = options.dtype ? options.dtype : state->dtype ? state->dtype : GT_FLOAT32;
    if (!gt_storable(dtype) || !gt_spec_set(&spec, dtype, shape)) {
        gt_raise(context, GT_INVALID, here, "add_weight", "weight \"%s\" cannot be %s %s", name,
                 gt_dtype_name(dtype), gt_shape_text(shape, text, sizeof text));
        return NULL;
    }
    if (gt_initializer_hold(&options.initializer) != GT_OK)
        return NULL;
    bool is_float = gt_dtype_is_float(dtype);
    bool trainable = options.trainable && is_float && options.kind == GT_WEIGHT_KIND_PARAMETER;
    gt_Variable *variable =
        gt_variable_late(context, &spec, name, trainable, gt_weight_draw, state);
    char *copy = variable ? gt_copy_text(context, name) : NULL;
    if (!copy || !add_to_weights(context, state,
                                 (gt_Weight){.variable = variable,
                                             .name = copy,
                                             .regularizer = options.regularizer,
                                             .initializer = options.initializer,
                                             .kind = options.kind})) {
        gt_free_text(context, copy);
        gt_initializer_drop(&options.initializer);
        if (variable)
            gt_variable_release(variable);
        return NULL;
    }
    gt_variable_freeze(variable, !state->trainable);
    if (options.regularizer.type && trainable)
        gt_variable_penalize(variable);
    if (options.constraint.type)
        gt_set_constraint_at(here, variable, options.constraint);
    return gt_context_status(context) == GT_OK ? variable : NULL;
}

/* Which stream, and how many draws. The seed is the first option, plus one: 0 is none. */
static gt_Status start_generator(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                 uint64_t stream)
{
    (void)spec;
    int64_t *state = data;
    state[0] = (int64_t)(self->options[0] ? self->options[0] - 1 : stream >> 1);
    state[1] = 0;
    return GT_OK;
}

static const gt_InitializerClass generator_class = {
    .mark = GT_MARK, .size = sizeof(gt_InitializerClass), .name = "generator", .fill = start_generator};

gt_Variable *gt_add_generator_at(const char *here, gt_Layer *layer, int64_t seed)
{
    const gt_add_weight_options options = {
        GT_PRESETS(gt_add_weight_options, gt_add_weight_OPTIONS).dtype = GT_INT64,
        .initializer = {.type = &generator_class, .options = {seed < 0 ? 0 : (uint64_t)seed + 1}},
        .trainable = false,
        .kind = GT_WEIGHT_KIND_GENERATOR};
    return gt_add_weight_at(here, layer, "seed_generator_state", gt_shape(2), &options);
}

gt_Variable *gt_share_weight_at(const char *here, gt_Layer *layer, const char *name,
                                gt_Variable *variable)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_own(context, here, "share_weight", layer) : NULL;
    if (!state || !gt_variable_spec(context, here, "share_weight", variable))
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

gt_Status gt_set_input_spec_at(const char *here, gt_Layer *layer, int input,
                               const gt_set_input_spec_options *given)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_own(context, here, "set_input_spec", layer) : NULL;
    if (!state)
        return gt_status();
    if (input < 0 || input >= GT_INPUT_SPECS)
        return gt_raise(context, GT_INVALID, here, "set_input_spec",
                        "the input must be 0 to %d (got %d)", GT_INPUT_SPECS - 1, input);
    if (!state->building && !state->creating)
        return gt_raise(context, GT_STATE, here, "set_input_spec",
                        "what inputs must be like is said in create and build");
    GT_TAKE(gt_set_input_spec_options, &state->spec[input], given);
    return gt_context_status(context);
}
