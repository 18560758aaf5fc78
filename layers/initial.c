/* The first numbers of weights. They are drawn late: when somebody reads them, at the end of the outermost call that built
 * them, or when a model is compiled; not if they are assigned or loaded before. The key of a draw is the path of the
 * weight from the topmost layer around it at that moment, and the number of that layer, which keeps two models apart.
 * Below it the order in which C evaluated the constructors says nothing. Leans on layer.c. */
#include "layers/internal.h"

#include <stdio.h>
#include <string.h>

/* Mostly the weight that has the variable's name. */
static const gt_Weight *weight_of(const gt_LayerState *state, const gt_Variable *variable)
{
    const char *name = gt_variable_label(variable);
    const uint64_t key = gt_map_text(name, strlen(name));
    int32_t at = -1, named;
    while ((named = gt_map_next(&state->weight_names, key, &at)) >= 0)
        if (state->weights[named].variable == variable)
            return &state->weights[named];
    for (int32_t i = 0; i < state->weight_count; i++)
        if (state->weights[i].variable == variable)
            return &state->weights[i];
    return NULL;
}

/* "block/dense_1/kernel"; what is too long loses its beginning. The topmost layer. */
static const gt_LayerState *path_of(const gt_LayerState *state, const char *weight, char path[512])
{
    char longer[512];
    snprintf(path, sizeof longer, "%.300s", weight);
    while (state->parent) {
        const gt_LayerState *around = state->parent->state;
        int32_t i = gt_map_find(&around->places, gt_map_pointer(state->layer));
        snprintf(longer, sizeof longer, "%.200s/%.300s", around->children[i].name, path);
        memcpy(path, longer, sizeof longer);
        state = around;
    }
    return state;
}

gt_Status gt_weight_draw(void *layer, gt_Variable *variable, const gt_Spec *spec, void *data)
{
    const gt_LayerState *state = layer;
    const gt_Weight *weight = weight_of(state, variable);
    char path[512], key[600], what[800];
    const gt_LayerState *top = path_of(state, weight->name, path);
    const gt_InitializerClass *type = weight->initializer.type;
    snprintf(key, sizeof key, "%llu/%s", (unsigned long long)top->object.serial, path);
    snprintf(what, sizeof what, "%.80s of %.80s/%s", type ? type->name : "first values", top->name,
             path);
    gt_Site site = gt_site_enter(NULL, what);
    gt_initialize(weight->initializer, key, spec, data);
    gt_site_leave(&site);
    return gt_status();
}

static gt_Status draw_below(gt_LayerState *state, uint64_t visit)
{
    if (state->visit == visit)
        return GT_OK;
    state->visit = visit;
    for (int32_t i = 0; i < state->weight_count; i++)
        if (gt_variable_is_late(state->weights[i].variable) &&
            !gt_tensor_data(state->weights[i].variable) && gt_status() != GT_OK)
            return gt_status();
    for (int32_t i = 0; i < state->child_count; i++)
        if (draw_below(state->children[i].layer->state, visit) != GT_OK)
            return gt_status();
    return GT_OK;
}

gt_Status gt_layer_draw(gt_LayerState *state)
{
    return draw_below(state, gt_context_new_visit(state->object.context));
}
