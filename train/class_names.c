/* What the numbers of classes stand for: an object that a model holds. */
#include "train/model_parts.h"

#include <string.h>

typedef struct ClassNames {
    gt_Object object;
    int32_t count, capacity;
    char **names; /* owned */
} ClassNames;

static void destroy(gt_Object *object)
{
    ClassNames *self = (ClassNames *)object;
    for (int32_t i = 0; i < self->count; i++)
        gt_free_text(object->context, self->names[i]);
    gt_release(object->context, self->names, (size_t)self->capacity * sizeof *self->names);
}

static const gt_ObjectKind kind = {"names of classes", destroy, false};

static ClassNames *new_names(gt_Context *context)
{
    ClassNames *self = gt_object_new(context, &kind, sizeof *self);
    if (self)
        gt_object_sink(&self->object);
    return self;
}

static gt_Status add(ClassNames *self, const char *name)
{
    gt_Context *context = self->object.context;
    if (!gt_reserve(context, (void **)&self->names, self->count, &self->capacity, sizeof *self->names))
        return gt_context_status(context);
    char *copy = gt_copy_text(context, name);
    if (copy)
        self->names[self->count++] = copy;
    return gt_context_status(context);
}

/* The model holds them from here on; after a failure those of before. None: it has none. */
static gt_Status keep(gt_LayerState *model, ClassNames *self)
{
    gt_Context *context = model->object.context;
    bool failed = gt_context_status(context) != GT_OK;
    if (failed && self)
        gt_object_release(&self->object);
    if (failed)
        return gt_context_status(context);
    gt_object_release(model->classes);
    model->classes = self && self->count > 0 ? &self->object : NULL;
    if (self && self->count == 0)
        gt_object_release(&self->object);
    return GT_OK;
}

static const ClassNames *names_of(const gt_LayerState *model)
{
    return (const ClassNames *)model->classes;
}

gt_Status gt_class_names_of(gt_LayerState *model, const gt_Dataset *dataset)
{
    gt_Context *context = gt_context();
    const ClassNames *has = names_of(model);
    int count = gt_dataset_class_count(dataset);
    if (count <= 0)
        return gt_context_status(context);
    for (int i = 0; has && i < count; i++)
        if (count != has->count || strcmp(gt_dataset_class_name(dataset, i), has->names[i]) != 0)
            return gt_raise(context, GT_INVALID, NULL, NULL,
                            "class %d is \"%s\" of %d in the dataset, and \"%s\" of %d in the model: read the data with .like, "
                            "or say gt_set_class_names",
                            i, gt_dataset_class_name(dataset, i), count,
                            i < has->count ? has->names[i] : "", (int)has->count);
    if (has)
        return gt_context_status(context);
    ClassNames *self = new_names(context);
    for (int i = 0; self && i < count && gt_context_status(context) == GT_OK; i++)
        add(self, gt_dataset_class_name(dataset, i));
    return keep(model, self);
}

bool gt_class_names_put(gt_ConfigWriter *writer, const gt_LayerState *model)
{
    const ClassNames *self = names_of(model);
    bool done = gt_config_key(writer, "classes") && gt_config_open(writer, '[');
    for (int32_t i = 0; self && done && i < self->count; i++)
        done = gt_config_next(writer) && gt_config_put_string(writer, self->names[i]);
    return done && gt_config_close(writer, ']');
}

gt_Status gt_class_names_read(gt_Context *context, const char *what, const gt_JsonValue *list,
                              gt_LayerState *model)
{
    ClassNames *self = new_names(context);
    const gt_JsonValue *at = list && list->kind == GT_JSON_ARRAY ? gt_json_first(list) : NULL;
    for (; self && at && gt_context_status(context) == GT_OK; at = gt_json_next(list, at)) {
        if (at->kind != GT_JSON_STRING)
            gt_raise(context, GT_FORMAT, NULL, NULL, "%s: the name of a class must be text", what);
        else
            add(self, at->string);
    }
    return keep(model, self);
}

gt_Status gt_set_class_names_at(const char *here, gt_Layer *model, gt_Names names)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_own(context, here, "set_class_names", model) : NULL;
    if (!state)
        return gt_status();
    ClassNames *self = new_names(context);
    for (int32_t i = 0; self && names.items && names.items[i] != GT_LIST_END; i++) {
        if (!names.items[i])
            gt_raise(context, GT_INVALID, here, "set_class_names", "name %d is NULL", (int)i);
        else if (gt_utf8_length(names.items[i], strlen(names.items[i])) == 0 && *names.items[i])
            gt_raise(context, GT_INVALID, here, "set_class_names", "name %d is not UTF-8", (int)i);
        if (gt_context_status(context) != GT_OK || add(self, names.items[i]) != GT_OK)
            break;
    }
    return keep(state, self);
}

int gt_class_count_at(const char *here, const gt_Layer *model)
{
    gt_Context *context = gt_enter();
    const gt_LayerState *state = context ? gt_layer_check(context, here, "class_count", model) : NULL;
    return !state ? -1 : state->classes ? names_of(state)->count : 0;
}

const char *gt_class_name_at(const char *here, const gt_Layer *model, int index)
{
    gt_Context *context = gt_enter();
    const gt_LayerState *state = context ? gt_layer_check(context, here, "class_name", model) : NULL;
    int count = state && state->classes ? names_of(state)->count : 0;
    if (index >= 0 && index < count)
        return names_of(state)->names[index];
    if (state)
        gt_raise(context, GT_INVALID, here, "class_name", "index %d is out of range: the model names %d classes",
                 index, count);
    return NULL;
}
