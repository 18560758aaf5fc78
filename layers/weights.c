/* Lists over a layer and all below it: variables, paths, counts, flags, penalties. The order is by
 * position in the container and by making inside a layer; what is met twice counts once. */
#include "layers/internal.h"
#include "core/assert.h"
#include "ops/array/assign.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/math/arithmetic.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"

#include <stdio.h>
#include <string.h>

/* Which variables a list takes. */
typedef enum Filter { ALL, WEIGHTS, TRAINABLE, NON_TRAINABLE, STATES, OTHERS } Filter;

typedef struct Collection {
    gt_LayerState *into;
    Filter filter;
    uint64_t visit;
} Collection;

static bool wanted(gt_Context *context, Filter filter, const gt_Weight *weight)
{
    switch (filter) {
    case WEIGHTS:
        return weight->kind == GT_WEIGHT_KIND_PARAMETER;
    case STATES:
        return weight->kind == GT_WEIGHT_KIND_STATE;
    case TRAINABLE:
        return gt_ask_trainable(context, weight->variable);
    case OTHERS:
        return !gt_ask_trainable(context, weight->variable);
    case NON_TRAINABLE:
        return weight->kind == GT_WEIGHT_KIND_PARAMETER &&
               !gt_ask_trainable(context, weight->variable);
    default:
        return weight->kind != GT_WEIGHT_KIND_STATE;
    }
}

/* How many children and weights there are, and whether that is all. */
static uint64_t structure_of(const gt_Context *context, const gt_Object *object)
{
    const gt_LayerState *state = (const gt_LayerState *)object;
    (void)context;
    return (uint64_t)state->child_count << 32 | (uint64_t)state->weight_count << 1 | state->built;
}

/* C code learns what is in this layer; once that is built nothing changes. */
static void ask_structure(gt_Context *context, gt_LayerState *state)
{
    if (!state->built)
        gt_ask(context, structure_of, &state->object);
}

static bool collect(const Collection *collection, gt_LayerState *state)
{
    gt_LayerState *into = collection->into;
    gt_Context *context = into->object.context;
    if (state->visit == collection->visit)
        return true;
    state->visit = collection->visit;
    ask_structure(context, state);
    for (int32_t i = 0; i < state->weight_count; i++) {
        if (!wanted(context, collection->filter, &state->weights[i]) ||
            !gt_variable_visit(state->weights[i].variable, collection->visit))
            continue;
        if (!gt_reserve(context, (void **)&into->list, into->list_count, &into->list_capacity,
                        sizeof *into->list))
            return false;
        into->list[into->list_count++] = state->weights[i].variable;
    }
    for (int32_t i = 0; i < state->child_count; i++)
        if (!collect(collection, state->children[i].layer->state))
            return false;
    return true;
}

static gt_Tensors list_of(const char *here, const char *operation, gt_Layer *layer, Filter filter)
{
    const gt_Tensors none = {0};
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, operation, layer) : NULL;
    if (!state)
        return none;
    Collection collection = {state, filter, gt_context_new_visit(state->object.context)};
    state->list_count = 0;
    if (!collect(&collection, state) || gt_context_status(context) != GT_OK)
        return none;
    return (gt_Tensors){state->list, state->list_count};
}

gt_Tensors gt_variables_at(const char *here, gt_Layer *layer)
{
    return list_of(here, "variables", layer, ALL);
}

gt_Tensors gt_weights_at(const char *here, gt_Layer *layer)
{
    return list_of(here, "weights", layer, WEIGHTS);
}

gt_Tensors gt_trainable_variables_at(const char *here, gt_Layer *layer)
{
    return list_of(here, "trainable_variables", layer, TRAINABLE);
}

gt_Tensors gt_non_trainable_variables_at(const char *here, gt_Layer *layer)
{
    return list_of(here, "non_trainable_variables", layer, NON_TRAINABLE);
}

gt_Tensors gt_other_variables_at(const char *here, gt_Layer *layer)
{
    return list_of(here, "other_variables", layer, OTHERS);
}

gt_Tensors gt_state_variables_at(const char *here, gt_Layer *layer)
{
    return list_of(here, "state_variables", layer, STATES);
}

static gt_Status reset_below(gt_Context *context, gt_LayerState *state, uint64_t visit)
{
    const gt_LayerClass *type = state->layer->type;
    if (state->visit == visit)
        return GT_OK;
    state->visit = visit;
    bool own = GT_CLASS_HAS(type, reset) && type->reset && state->built;
    gt_Status status = own ? type->reset(state->layer) : GT_OK;
    if (status != GT_OK)
        gt_raise(context, status, NULL, type->name, "the states could not be reset");
    for (int32_t i = 0; !own && i < state->weight_count && gt_context_status(context) == GT_OK; i++)
        if (state->weights[i].kind == GT_WEIGHT_KIND_STATE)
            gt_assign(state->weights[i].variable, gt_zeros_like(state->weights[i].variable));
    for (int32_t i = 0; i < state->child_count && gt_context_status(context) == GT_OK; i++)
        reset_below(context, state->children[i].layer->state, visit);
    return gt_context_status(context);
}

gt_Status gt_reset_states_at(const char *here, gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_own(context, here, "reset_states", layer) : NULL;
    if (!state)
        return gt_status();
    gt_Site site = gt_site_enter(here, "reset_states");
    gt_Scope *scope = gt_scope_open(context);
    if (scope) {
        reset_below(context, state, gt_context_new_visit(context));
        gt_scope_close(context);
    }
    gt_site_leave(&site);
    return gt_context_status(context);
}

static gt_Status check_values(gt_Context *context, const gt_LayerState *state, gt_Tensors weights,
                              gt_Tensors values)
{
    char one[200], other[200];
    if (values.count != weights.count || (values.count > 0 && !values.items))
        return gt_raise(context, GT_INVALID, NULL, NULL, "layer %s has %d weights (got %d tensors)",
                        state->name, (int)weights.count, (int)values.count);
    for (int32_t i = 0; i < weights.count; i++) {
        if (!gt_tensor_check(context, NULL, NULL, "a tensor", values.items[i]))
            return gt_context_status(context);
        const gt_Spec *wanted = gt_tensor_spec(weights.items[i]),
                      *got = gt_tensor_spec(values.items[i]);
        if (!gt_dims_equal(wanted, got))
            return gt_raise(context, GT_INVALID, NULL, NULL, "weight %d, %s, must be %s (got %s)",
                            (int)i, gt_variable_path(state->layer, weights.items[i]),
                            gt_spec_text(wanted, one, sizeof one),
                            gt_spec_text(got, other, sizeof other));
    }
    return gt_context_status(context);
}

/* Casts, and makes every weight's bytes its own; after that nothing can fail. */
static gt_Status write_values(gt_Context *context, gt_Tensors weights, gt_Tensors values)
{
    size_t bytes = (size_t)weights.count * sizeof(gt_Tensor *);
    gt_Tensor **cast = gt_allocate(context, bytes);
    for (int32_t i = 0; cast && i < weights.count; i++) {
        cast[i] = gt_cast(values.items[i], gt_tensor_spec(weights.items[i])->dtype);
        if (!cast[i] || (!gt_tensor_data(cast[i]) && gt_context_status(context) != GT_OK))
            break;
    }
    for (int32_t i = 0; i < weights.count && gt_context_status(context) == GT_OK; i++)
        gt_variable_replace(context, weights.items[i]);
    for (int32_t i = 0; i < weights.count && gt_context_status(context) == GT_OK; i++) {
        const gt_Spec *spec = gt_tensor_spec(weights.items[i]);
        if (spec->size > 0)
            memcpy(gt_tensor_data(weights.items[i]), gt_tensor_data(cast[i]), gt_spec_bytes(spec));
    }
    gt_release(context, cast, bytes);
    return gt_context_status(context);
}

gt_Status gt_set_weights_at(const char *here, gt_Layer *layer, gt_Tensors values)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_own(context, here, "set_weights", layer) : NULL;
    if (!state)
        return gt_status();
    gt_Site site = gt_site_enter(here, "set_weights");
    gt_Tensors weights = gt_weights(layer);
    uint64_t recording = gt_tape_quiet(context);
    if (gt_tracing(context))
        gt_fail(GT_STATE, "inside a traced function use gt_assign");
    else if (!state->built)
        gt_fail(GT_STATE, "layer %s is not built; call it once or use gt_build", state->name);
    else if (gt_scope_open(context)) {
        if (check_values(context, state, weights, values) == GT_OK)
            write_values(context, weights, values);
        gt_scope_close(context);
    }
    gt_tape_unquiet(context, recording);
    gt_site_leave(&site);
    return gt_context_status(context);
}

int64_t gt_count_params_at(const char *here, gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "count_params", layer) : NULL;
    if (!state)
        return -1;
    if (!state->built) {
        gt_raise(context, GT_STATE, here, "count_params",
                 "layer %s is not built; call it once or use gt_build", state->name);
        return -1;
    }
    gt_Tensors weights = gt_weights(layer);
    int64_t count = 0;
    for (int32_t i = 0; i < weights.count; i++)
        count += gt_size(weights.items[i]);
    return count;
}

/* ---- paths ---- */

void gt_paths_close(gt_Context *context, gt_Paths *paths)
{
    gt_release(context, paths->parts, (size_t)paths->capacity * sizeof *paths->parts);
    gt_map_close(context, &paths->variables);
    *paths = (gt_Paths){0};
}

static bool add_part(gt_Context *context, gt_Paths *paths, const char *name, int32_t around)
{
    if (!gt_reserve(context, (void **)&paths->parts, paths->count, &paths->capacity,
                    sizeof *paths->parts))
        return false;
    paths->parts[paths->count++] = (gt_PathPart){name, around};
    return true;
}

/* A variable has the first path that leads to it; a layer that was met has none that is new. */
static bool gather_paths(gt_Context *context, gt_Paths *paths, gt_LayerState *state, int32_t around,
                         uint64_t visit)
{
    if (state->visit == visit)
        return true;
    state->visit = visit;
    for (int32_t i = 0; i < state->weight_count; i++) {
        const gt_Weight *weight = &state->weights[i];
        uint64_t key = gt_map_pointer(weight->variable);
        if (gt_map_find(&paths->variables, key) < 0 &&
            !(add_part(context, paths, weight->name, around) &&
              gt_map_add(context, &paths->variables, key, paths->count - 1)))
            return false;
    }
    for (int32_t i = 0; i < state->child_count; i++) {
        const gt_Child *child = &state->children[i];
        if (!add_part(context, paths, child->name, around) ||
            !gather_paths(context, paths, child->layer->state, paths->count - 1, visit))
            return false;
    }
    return true;
}

static bool renew_paths(gt_Context *context, gt_LayerState *state)
{
    gt_Paths *paths = &state->paths;
    if (paths->count && paths->structure == gt_context_structure(context))
        return true;
    gt_paths_close(context, paths);
    if (gather_paths(context, paths, state, -1, gt_context_new_visit(context))) {
        paths->structure = gt_context_structure(context);
        return true;
    }
    gt_paths_close(context, paths);
    return false;
}

/* The parts of a path with '/' between them, written from the end. */
static const char *join_parts(gt_LayerState *state, int32_t last)
{
    const gt_PathPart *parts = state->paths.parts;
    size_t bytes = 0;
    for (int32_t i = last; i >= 0; i = parts[i].around)
        bytes += strlen(parts[i].name) + 1;
    char *text = gt_layer_text(state, bytes);
    if (!text)
        return NULL;
    char *at = text + bytes;
    for (int32_t i = last; i >= 0; i = parts[i].around) {
        size_t length = strlen(parts[i].name);
        *--at = i == last ? '\0' : '/';
        at -= length;
        memcpy(at, parts[i].name, length);
    }
    GT_ASSERT(at == text);
    return text;
}

const char *gt_variable_path_at(const char *here, gt_Layer *layer, const gt_Variable *variable)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "variable_path", layer) : NULL;
    if (!state || !gt_variable_spec(context, here, "variable_path", variable) ||
        !renew_paths(state->object.context, state))
        return "";
    int32_t part = gt_map_find(&state->paths.variables, gt_map_pointer(variable));
    if (part >= 0) {
        const char *path = join_parts(state, part);
        return path ? path : "";
    }
    gt_raise(context, GT_INVALID, here, "variable_path", "variable %s is not one of %s",
             gt_variable_label(variable), state->name);
    return "";
}

const char *gt_layer_name_at(const char *here, const gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "layer_name", layer) : NULL;
    return state ? state->name : "";
}

bool gt_layer_built_at(const char *here, const gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "layer_built", layer) : NULL;
    if (state)
        ask_structure(context, state);
    return state && state->built;
}

int gt_layer_child_count_at(const char *here, const gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state =
        context ? gt_layer_check(context, here, "layer_child_count", layer) : NULL;
    if (state)
        ask_structure(context, state);
    return state ? state->child_count : -1;
}

gt_Layer *gt_get_layer_at(const char *here, const gt_Layer *layer, int index)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "get_layer", layer) : NULL;
    if (!state)
        return NULL;
    ask_structure(context, state);
    int at = index < 0 ? index + state->child_count : index;
    if (at >= 0 && at < state->child_count)
        return state->children[at].layer;
    gt_raise(context, GT_INVALID, here, "get_layer", "index %d is out of range: %s has %d layer%s",
             index, state->name, (int)state->child_count, state->child_count == 1 ? "" : "s");
    return NULL;
}

gt_Layer *gt_layer_find_at(const char *here, const gt_Layer *layer, const char *path)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "layer_find", layer) : NULL;
    if (!state)
        return NULL;
    gt_LayerState *at = state;
    for (const char *rest = path; rest && at;) {
        size_t length = strcspn(rest, "/");
        ask_structure(context, at);
        int32_t i = gt_layer_find_child(at, rest, length);
        at = i < 0 ? NULL : at->children[i].layer->state;
        if (!rest[length] && at)
            return at->layer;
        rest += length + 1;
    }
    gt_raise(context, GT_INVALID, here, "layer_find", "%s has no layer \"%s\"", state->name,
             path ? path : "(NULL)");
    return NULL;
}

/* ---- flags ---- */

static uint64_t trainable_of(const gt_Context *context, const gt_Object *object)
{
    (void)context;
    return ((const gt_LayerState *)object)->trainable;
}

static void set_trainable(gt_Context *context, gt_LayerState *state, bool trainable, uint64_t visit)
{
    if (state->visit == visit)
        return;
    state->visit = visit;
    gt_decide(context, trainable_of, &state->object);
    state->trainable = trainable;
    for (int32_t i = 0; i < state->weight_count; i++) {
        gt_decide_trainable(context, state->weights[i].variable);
        gt_variable_freeze(state->weights[i].variable, !trainable);
    }
    for (int32_t i = 0; i < state->child_count; i++)
        set_trainable(context, state->children[i].layer->state, trainable, visit);
}

gt_Status gt_set_trainable_at(const char *here, gt_Layer *layer, bool trainable)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_own(context, here, "set_trainable", layer) : NULL;
    if (!state)
        return gt_status();
    set_trainable(context, state, trainable, gt_context_new_visit(context));
    return gt_context_status(context);
}

bool gt_is_trainable_at(const char *here, const gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "is_trainable", layer) : NULL;
    return state && gt_ask(context, trainable_of, &state->object);
}

/* ---- penalties ---- */

/* `loss` NULL: there is none yet; `more` NULL: nothing is added. */
static gt_Tensor *with_term(gt_Tensor *loss, gt_Tensor *more)
{
    return more ? gt_sum_of_given(loss, gt_reshape(more, gt_shape())) : loss;
}

static gt_Tensor *add_penalties(gt_Context *context, gt_LayerState *state, gt_Tensor *loss,
                                uint64_t visit)
{
    if (state->visit == visit)
        return loss;
    state->visit = visit;
    ask_structure(context, state);
    for (int32_t i = 0; i < state->weight_count; i++) {
        const gt_Weight *weight = &state->weights[i];
        if (!weight->regularizer.type || !gt_ask_trainable(context, weight->variable))
            continue;
        loss = with_term(loss, gt_penalty(&weight->regularizer, weight->variable));
        gt_variable_take_penalty(context, weight->variable);
    }
    for (int32_t i = 0; i < state->child_count; i++)
        loss = add_penalties(context, state->children[i].layer->state, loss, visit);
    return loss;
}

/* Losses that layers added in that call, by the position of the layers: in the order in which
 * they were called it would depend on the compiler where two are called in one expression. */
static gt_Tensor *add_losses(gt_LayerState *state, uint64_t call, gt_Tensor *loss, uint64_t visit)
{
    if (state->visit == visit)
        return loss;
    state->visit = visit;
    for (int32_t i = 0; i < state->loss_count && state->losses_of == call; i++)
        loss = with_term(loss, state->losses[i]);
    for (int32_t i = 0; i < state->child_count; i++)
        loss = add_losses(state->children[i].layer->state, call, loss, visit);
    return loss;
}

gt_Tensor *gt_total_loss_at(const char *here, gt_Layer *model, gt_Tensor *loss)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "total_loss", model) : NULL;
    if (!state || (loss && !gt_tensor_check(context, here, "total_loss", "the loss", loss)))
        return NULL;
    gt_Site site = gt_site_enter(here, "total_loss");
    if (state->call)
        loss = add_losses(state, state->call, loss, gt_context_new_visit(state->object.context));
    loss = add_penalties(context, state, loss, gt_context_new_visit(state->object.context));
    gt_site_leave(&site);
    return loss;
}
