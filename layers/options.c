/* The options of a layer, by the types of their fields: what a layer holds of them, and how it is copied. The owner of
 * strings, lists and child layers among options is the layer. Leans on layer.c.
 *
 *     const char *         a copy; that of `name` is the layer's name
 *     gt_Layer *           becomes a child; so do those of gt_Layers, whose list is copied
 *     gt_Tensor *          a tensor of this context that is alive; the class keeps what it needs of it
 *     gt_TensorFunction    a function; the layer that gt_callable made it of becomes a child
 *     gt_Initializer, gt_Regularizer, gt_Constraint    made by its function, or not given; an
 *                          initializer's array is copied */
#include "layers/internal.h"
#include "layers/sequential.h"

#include <stdio.h>
#include <string.h>

static bool is_type(const gt_Field *field, const char *type)
{
    return strcmp(field->type, type) == 0;
}

bool gt_option_get(const gt_OptionType *type, const void *options, const char *name, void *value,
                   size_t size)
{
    const gt_Field *field = type->fields;
    while (field->name && (strcmp(field->name, name) != 0 || field->size != size))
        field++;
    if (field->name)
        memcpy(value, (const char *)options + field->offset, size);
    return field->name != NULL;
}

static int32_t count_layers(const gt_Layers *list)
{
    int32_t count = 0;
    while (list->items && list->items[count] != GT_LIST_END)
        count++;
    return count;
}

/* Makes them floating no more, and drops them. */
static void drop(gt_Layer *layer)
{
    if (layer && gt_has_word(layer, GT_WORD_LAYER)) {
        gt_object_sink(&layer->state->object);
        gt_object_release(&layer->state->object);
    }
}

void gt_options_refuse(const gt_OptionType *type, const void *options)
{
    uint32_t given = 0;
    if (!options)
        return;
    memcpy(&given, options, sizeof given);
    for (const gt_Field *field = type->fields; field->name; field++) {
        const void *at = (const char *)options + field->offset;
        if (given && field->offset + field->size > given)
            continue; /* a caller of an older version */
        if (is_type(field, "gt_Layer *"))
            drop(*(gt_Layer *const *)at);
        for (int32_t i = 0; is_type(field, "gt_Layers") && i < count_layers(at); i++)
            drop(((const gt_Layers *)at)->items[i]);
    }
}

/* ---- taking them ---- */

static gt_Status own_text(gt_Context *context, gt_Layer *layer, const gt_Field *field,
                          const char **at)
{
    if (strcmp(field->name, "name") == 0)
        *at = layer->name;
    else if (*at)
        *at = gt_copy_text(context, *at);
    return gt_context_status(context);
}

static gt_Status check_layer(gt_Context *context, const gt_Field *field, const gt_Layer *layer)
{
    return gt_has_word(layer, GT_WORD_LAYER)
               ? GT_OK
               : gt_raise_kind(context, NULL, NULL, field->name, "layer", layer);
}

static void own_layer(gt_Context *context, gt_Layer *layer, const gt_Field *field, gt_Layer *child)
{
    if (child && check_layer(context, field, child) == GT_OK)
        gt_add_child_at(NULL, layer, child);
}

/* Each is taken, also after a failure. */
static gt_Status own_layers(gt_Context *context, gt_Layer *layer, const gt_Field *field,
                            gt_Layers *list)
{
    int32_t count = count_layers(list);
    if (!list->items)
        return GT_OK;
    gt_Layer **copy = gt_allocate(context, ((size_t)count + 1) * sizeof *copy);
    for (int32_t i = 0; i < count; i++) {
        gt_Layer *child = list->items[i];
        if (check_layer(context, field, child) != GT_OK || !gt_add_child_at(NULL, layer, child))
            child = NULL;
        if (copy)
            copy[i] = child;
    }
    if (copy)
        copy[count] = GT_LIST_END;
    list->items = copy;
    return gt_context_status(context);
}

static gt_Status own_function(gt_Layer *layer, const gt_Field *field, gt_TensorFunction function)
{
    if (gt_check_function(field->name, (uintptr_t)function) != GT_OK)
        return gt_status();
    return function ? gt_adopt_activation(layer, function) : GT_OK;
}

/* One that fails is not there, so that nothing is dropped. */
static void own_initializer(const gt_Field *field, gt_Initializer *initializer)
{
    if (gt_initializer_check(field->name, initializer) != GT_OK ||
        gt_initializer_hold(initializer) != GT_OK)
        *initializer = (gt_Initializer){0};
}

static void own_option(gt_Context *context, gt_Layer *layer, const gt_Field *field, void *at)
{
    if (is_type(field, "const char *"))
        own_text(context, layer, field, at);
    else if (is_type(field, "gt_Layers"))
        own_layers(context, layer, field, at);
    else if (is_type(field, "gt_Layer *"))
        own_layer(context, layer, field, *(gt_Layer **)at);
    else if (is_type(field, "gt_Tensor *") && *(gt_Tensor **)at)
        gt_tensor_check(context, NULL, NULL, field->name, *(gt_Tensor **)at);
    else if (is_type(field, "gt_TensorFunction"))
        own_function(layer, field, *(gt_TensorFunction *)at);
    else if (is_type(field, "gt_Initializer"))
        own_initializer(field, at);
    else if (is_type(field, "gt_Regularizer"))
        gt_regularizer_check(field->name, at);
    else if (is_type(field, "gt_Constraint"))
        gt_constraint_check(field->name, at);
}

/* What a failure leaves untaken is dropped, and what is not owned is not there. */
static void forget_option(const gt_Field *field, void *at)
{
    if (is_type(field, "gt_Layer *"))
        drop(*(gt_Layer **)at);
    for (int32_t i = 0; is_type(field, "gt_Layers") && i < count_layers(at); i++)
        drop(((gt_Layers *)at)->items[i]);
    if (is_type(field, "const char *") || is_type(field, "gt_Layers") ||
        is_type(field, "gt_Initializer"))
        memset(at, 0, field->size);
}

static void apply_common(gt_Layer *layer, const gt_OptionType *type, const void *options)
{
    bool trainable = true;
    gt_Regularizer activity = GT_NOT_GIVEN;
    gt_option_get(type, options, "activity_regularizer", &activity, sizeof activity);
    gt_option_get(type, options, "trainable", &trainable, sizeof trainable);
    layer->state->activity = activity;
    if (!trainable)
        gt_set_trainable(layer, false);
}

gt_Status gt_layer_own_options(gt_Layer *layer)
{
    gt_Context *context = layer->state->object.context;
    const gt_OptionType *type = layer->type->options;
    char *options = (char *)layer + layer->type->options_offset;
    for (const gt_Field *field = type->fields; field->name; field++) {
        if (gt_context_status(context) == GT_OK)
            own_option(context, layer, field, options + field->offset);
        else
            forget_option(field, options + field->offset);
    }
    if (gt_context_status(context) == GT_OK)
        apply_common(layer, type, options);
    return gt_context_status(context);
}

void gt_layer_free_options(gt_Layer *layer)
{
    gt_Context *context = layer->state->object.context;
    char *options = (char *)layer + layer->type->options_offset;
    for (const gt_Field *field = layer->type->options->fields; field->name; field++) {
        char *at = options + field->offset;
        gt_Layers *list = (gt_Layers *)(void *)at;
        if (is_type(field, "const char *") && strcmp(field->name, "name") != 0)
            gt_free_text(context, *(char **)(void *)at);
        else if (is_type(field, "gt_Initializer"))
            gt_initializer_drop((gt_Initializer *)(void *)at);
        else if (is_type(field, "gt_Layers") && list->items)
            gt_release(context, (void *)(uintptr_t)list->items, /* NOLINT: they are the layer's */
                       ((size_t)count_layers(list) + 1) * sizeof *list->items);
    }
}

/* ---- copying ---- */

/* The copies of one outermost call: a layer that stands in several places of what is copied, such as a model and a model inside
 * it, is copied once. */
typedef struct Copying {
    gt_Map places; /* the layer -> which copy is its */
    gt_Layer **copies;
    int32_t count, capacity;
} Copying;

static gt_Layer *copied_already(const gt_Context *context, const gt_Layer *layer)
{
    const Copying *copying = gt_context_copying(context);
    int32_t i = copying ? gt_map_find(&copying->places, gt_map_pointer(layer)) : -1;
    return i < 0 ? NULL : copying->copies[i];
}

/* Drops the copy if there is no memory for it. */
static gt_Layer *note_copy(gt_Context *context, Copying *copying, const gt_Layer *layer,
                           gt_Layer *copy)
{
    if (gt_reserve(context, (void **)&copying->copies, copying->count, &copying->capacity,
                   sizeof *copying->copies) &&
        gt_map_add(context, &copying->places, gt_map_pointer(layer), copying->count)) {
        copying->copies[copying->count++] = copy;
        return copy;
    }
    drop(copy);
    return NULL;
}

static void close_copying(gt_Context *context, Copying *copying)
{
    gt_map_close(context, &copying->places);
    gt_release(context, copying->copies, (size_t)copying->capacity * sizeof *copying->copies);
}

/* NULL after a failure, of this one or of another one before. */
static gt_Layer *copy_child(gt_Context *context, const gt_Field *field, const gt_Layer *child)
{
    return gt_context_status(context) == GT_OK && check_layer(context, field, child) == GT_OK
               ? gt_layer_copy_at(NULL, child)
               : NULL;
}

/* The layers among copied options are replaced by copies of theirs; a list needs room. */
static void copy_children(gt_Context *context, const gt_OptionType *type, char *options,
                          gt_Layer ***lists, int32_t *count)
{
    for (const gt_Field *field = type->fields; field->name; field++) {
        char *at = options + field->offset;
        if (is_type(field, "gt_Layer *") && *(gt_Layer **)(void *)at)
            *(gt_Layer **)(void *)at = copy_child(context, field, *(gt_Layer **)(void *)at);
        gt_Layers *list = (gt_Layers *)(void *)at;
        if (!is_type(field, "gt_Layers") || !list->items)
            continue;
        int32_t layers = count_layers(list);
        gt_Layer **copy = gt_allocate(context, ((size_t)layers + 1) * sizeof *copy);
        for (int32_t i = 0; copy && i < layers; i++)
            copy[i] = copy_child(context, field, list->items[i]);
        if (copy)
            copy[layers] = GT_LIST_END;
        list->items = copy;
        lists[(*count)++] = copy;
    }
}

static void free_lists(gt_Context *context, gt_Layer ***lists, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        if (lists[i]) {
            const gt_Layers list = {lists[i]};
            gt_release(context, lists[i], ((size_t)count_layers(&list) + 1) * sizeof **lists);
        }
}

void gt_options_for_copy(const gt_LayerState *state, void *options)
{
    const gt_LayerClass *type = state->layer->type;
    gt_DType policy = gt_layer_own_policy(state);
    memcpy(options, (const char *)state->layer + type->options_offset, type->options->size);
    for (const gt_Field *field = type->options->fields; field->name; field++)
        if (strcmp(field->name, "dtype") == 0 && field->size == sizeof policy)
            memcpy((char *)options + field->offset, &policy, sizeof policy);
}

static gt_Layer *copy_options(gt_Context *context, const gt_LayerState *state, const char *option,
                              const void *value, size_t bytes)
{
    enum { LISTS = 4 };
    const gt_LayerClass *type = state->layer->type;
    gt_Layer **lists[LISTS];
    int32_t count = 0;
    char *options = gt_allocate(context, type->options->size);
    if (!options)
        return NULL;
    gt_options_for_copy(state, options);
    for (const gt_Field *field = type->options->fields; field->name; field++) {
        if (!state->named && strcmp(field->name, "name") == 0)
            memset(options + field->offset, 0, field->size);
        if (option && strcmp(field->name, option) == 0 && field->size == bytes) {
            memcpy(options + field->offset, value, bytes);
            option = NULL;
        }
    }
    gt_Layer *copy = NULL;
    if (option) {
        gt_raise(context, GT_UNSUPPORTED, NULL, NULL, "a layer of the class %s has no option %s",
                 type->name, option);
    } else {
        copy_children(context, type->options, options, lists, &count);
        void *copying =
            gt_context_set_copying(context, NULL); /* what `create` copies is another one */
        if (gt_context_status(context) == GT_OK)
            copy = gt_layer_make_at(NULL, type, options);
        else
            gt_options_refuse(type->options, options);
        gt_context_set_copying(context, copying);
        free_lists(context, lists, count);
    }
    gt_release(context, options, type->options->size);
    return copy;
}

gt_Layer *gt_layer_copy_with_at(const char *here, const gt_Layer *layer, const char *option,
                                const void *value, size_t bytes)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "layer_copy", layer) : NULL;
    if (!state)
        return NULL;
    /* gt_add_child and options take it as often as it is given: it floats the first time. */
    gt_Layer *copy = option ? NULL : copied_already(context, layer);
    if (copy)
        return copy;
    Copying own = {.count = 0}, *around = gt_context_copying(context);
    gt_Site site = gt_site_enter(here, "layer_copy");
    if (!around)
        gt_context_set_copying(context, &own);
    const gt_LayerClass *type = layer->type;
    if (GT_CLASS_HAS(type, copy) && type->copy && !option)
        copy = type->copy(state->layer);
    else if (state->options)
        copy = copy_options(context, state, option, value, bytes);
    else
        gt_raise(context, GT_UNSUPPORTED, NULL, NULL,
                 "a layer of the class %s cannot be copied: it was not made from options (gt_layer_make)",
                 type->name);
    if (copy && !state->trainable)
        gt_set_trainable(copy, false);
    if (copy && !option)
        copy = note_copy(context, around ? around : &own, layer, copy);
    if (!around) {
        gt_context_set_copying(context, NULL);
        close_copying(context, &own);
    }
    gt_site_leave(&site);
    return copy;
}

gt_Layer *gt_layer_copy_at(const char *here, const gt_Layer *layer)
{
    return gt_layer_copy_with_at(here, layer, NULL, NULL, 0);
}
