/* Lists over a layer and all below it: variables, paths, counts, flags, penalties. The order is by
 * position in the container and by making inside a layer; what is met twice counts once. */
#include "layers/internal.h"
#include "ops/arithmetic.h"
#include "ops/reduction.h"
#include "ops/reshaping.h"

#include <stdio.h>
#include <string.h>

/* Which variables a list takes. */
typedef enum Filter { ALL, WEIGHTS, TRAINABLE, NON_TRAINABLE } Filter;

typedef struct Collection {
    gt_LayerState *into;
    Filter filter;
    uint64_t visit;
} Collection;

static bool wanted(Filter filter, const gt_Weight *weight)
{
    bool trainable = gt_slot_raw(weight->variable)->variable->trainable;
    switch (filter) {
    case WEIGHTS:
        return !weight->is_state;
    case TRAINABLE:
        return trainable;
    case NON_TRAINABLE:
        return !trainable && !weight->is_state;
    default:
        return true;
    }
}

static bool collect(const Collection *collection, gt_LayerState *state)
{
    gt_LayerState *into = collection->into;
    gt_Context *context = into->object.context;
    if (state->visit == collection->visit)
        return true;
    state->visit = collection->visit;
    for (int32_t i = 0; i < state->weight_count; i++) {
        gt_VariableInfo *info = gt_slot_raw(state->weights[i].variable)->variable;
        if (info->visit == collection->visit || !wanted(collection->filter, &state->weights[i]))
            continue;
        info->visit = collection->visit;
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

static gt_Tensors list_of(const char *operation, gt_Layer *layer, Filter filter)
{
    const gt_Tensors none = {0};
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, NULL, operation, layer) : NULL;
    if (!state)
        return none;
    Collection collection = {state, filter, ++context->visit};
    state->list_count = 0;
    if (!collect(&collection, state))
        return none;
    return (gt_Tensors){state->list_count, state->list};
}

gt_Tensors gt_variables(gt_Layer *layer)
{
    return list_of("variables", layer, ALL);
}

gt_Tensors gt_weights(gt_Layer *layer)
{
    return list_of("weights", layer, WEIGHTS);
}

gt_Tensors gt_trainable_variables(gt_Layer *layer)
{
    return list_of("trainable_variables", layer, TRAINABLE);
}

gt_Tensors gt_non_trainable_variables(gt_Layer *layer)
{
    return list_of("non_trainable_variables", layer, NON_TRAINABLE);
}

int64_t gt_count_params(gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, NULL, "count_params", layer) : NULL;
    if (!state)
        return -1;
    if (!state->built) {
        gt_raise(context, GT_STATE, NULL, "count_params",
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

static bool find_path(const gt_LayerState *state, const gt_Variable *variable, char *text,
                      size_t size)
{
    size_t used = strlen(text);
    for (int32_t i = 0; i < state->weight_count; i++)
        if (state->weights[i].variable == variable) {
            snprintf(text + used, size - used, "%s", state->weights[i].name);
            return true;
        }
    for (int32_t i = 0; i < state->child_count; i++) {
        snprintf(text + used, size - used, "%s/", state->children[i].name);
        if (find_path(state->children[i].layer->state, variable, text, size))
            return true;
        text[used] = 0;
    }
    return false;
}

const char *gt_variable_path(gt_Layer *layer, const gt_Variable *variable)
{
    enum { MOST = 2048 };
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, NULL, "variable_path", layer) : NULL;
    if (!state || !gt_variable_check(context, NULL, "variable_path", variable))
        return NULL;
    char *text = gt_layer_text(state, MOST);
    if (!text)
        return NULL;
    text[0] = 0;
    if (find_path(state, variable, text, MOST))
        return text;
    gt_raise(context, GT_INVALID, NULL, "variable_path", "variable %s is not one of %s",
             gt_slot_raw(variable)->variable->name, state->name);
    return NULL;
}

const char *gt_layer_name(const gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, NULL, "layer_name", layer) : NULL;
    return state ? state->name : "";
}

bool gt_layer_built(const gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, NULL, "layer_built", layer) : NULL;
    return state && state->built;
}

int gt_layer_count(const gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, NULL, "layer_count", layer) : NULL;
    return state ? state->child_count : -1;
}

gt_Layer *gt_layer_at(const gt_Layer *layer, int index)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, NULL, "layer_at", layer) : NULL;
    if (!state)
        return NULL;
    int at = index < 0 ? index + state->child_count : index;
    if (at >= 0 && at < state->child_count)
        return state->children[at].layer;
    gt_raise(context, GT_INVALID, NULL, "layer_at", "%s has %d layers; there is no number %d",
             state->name, (int)state->child_count, index);
    return NULL;
}

gt_Layer *gt_layer_find(const gt_Layer *layer, const char *path)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, NULL, "layer_find", layer) : NULL;
    if (!state)
        return NULL;
    const gt_LayerState *at = state;
    for (const char *rest = path; rest && at;) {
        size_t length = strcspn(rest, "/");
        const gt_LayerState *next = NULL;
        for (int32_t i = 0; i < at->child_count && !next; i++)
            if (strlen(at->children[i].name) == length &&
                memcmp(at->children[i].name, rest, length) == 0)
                next = at->children[i].layer->state;
        at = next;
        if (!rest[length] && at)
            return at->layer;
        rest += length + 1;
    }
    gt_raise(context, GT_INVALID, NULL, "layer_find", "%s has no layer \"%s\"", state->name,
             path ? path : "(NULL)");
    return NULL;
}

/* ---- flags ---- */

static void set_trainable(gt_LayerState *state, bool trainable, uint64_t visit)
{
    if (state->visit == visit)
        return;
    state->visit = visit;
    state->trainable = trainable;
    for (int32_t i = 0; i < state->weight_count; i++) {
        gt_VariableInfo *info = gt_slot_raw(state->weights[i].variable)->variable;
        info->trainable = trainable && info->created_trainable;
    }
    for (int32_t i = 0; i < state->child_count; i++)
        set_trainable(state->children[i].layer->state, trainable, visit);
}

gt_Status gt_set_trainable(gt_Layer *layer, bool trainable)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, NULL, "set_trainable", layer) : NULL;
    if (!state)
        return gt_status();
    set_trainable(state, trainable, ++context->visit);
    return GT_OK;
}

bool gt_is_trainable(const gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, NULL, "is_trainable", layer) : NULL;
    return state && state->trainable;
}

/* ---- penalties ---- */

gt_Regularizer gt_l1(double l1)
{
    return gt_l1_l2(l1, 0);
}

gt_Regularizer gt_l2(double l2)
{
    return gt_l1_l2(0, l2);
}

gt_Regularizer gt_l1_l2(double l1, double l2)
{
    gt_Regularizer regularizer = {l1, l2, NULL, NULL};
    return regularizer;
}

bool gt_regularizer_given(gt_Regularizer regularizer)
{
    return regularizer.l1 != 0 || regularizer.l2 != 0 || regularizer.function;
}

gt_Tensor *gt_penalty(gt_Regularizer regularizer, gt_Tensor *tensor)
{
    gt_Tensor *sum = NULL;
    if (regularizer.function)
        sum = regularizer.function(regularizer.context, tensor);
    if (regularizer.l1 != 0) {
        gt_Tensor *l1 = gt_multiply(gt_sum(gt_abs(tensor)), regularizer.l1);
        sum = sum ? gt_add(sum, l1) : l1;
    }
    if (regularizer.l2 != 0) {
        gt_Tensor *l2 = GT_SQUARES(tensor, .scale = regularizer.l2);
        sum = sum ? gt_add(sum, l2) : l2;
    }
    return sum;
}

static gt_Tensor *add_penalties(gt_LayerState *state, gt_Tensor *loss, uint64_t visit)
{
    if (state->visit == visit)
        return loss;
    state->visit = visit;
    for (int32_t i = 0; i < state->weight_count; i++) {
        const gt_Weight *weight = &state->weights[i];
        if (!gt_regularizer_given(weight->regularizer) ||
            !gt_slot_raw(weight->variable)->variable->trainable)
            continue;
        gt_Tensor *penalty = gt_penalty(weight->regularizer, weight->variable);
        loss = gt_add(loss, gt_reshape(penalty, gt_shape()));
    }
    for (int32_t i = 0; i < state->child_count; i++)
        loss = add_penalties(state->children[i].layer->state, loss, visit);
    return loss;
}

gt_Tensor *gt_total_loss_at(const char *here, gt_Layer *model, gt_Tensor *loss)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "total_loss", model) : NULL;
    if (!state)
        return NULL;
    gt_Site site = gt_site_enter(here, "total_loss");
    for (int32_t i = 0; i < state->loss_count; i++)
        loss = gt_add(loss, gt_reshape(state->losses[i], gt_shape()));
    loss = add_penalties(state, loss, ++context->visit);
    gt_site_leave(site);
    return loss;
}
