/* Layers as JSON and back. The form, without blanks:
 *
 *     {"class": "dense", "options": {"units": 3, ...}}
 *     {"class": "sequential", "layers": [...]}
 *     {"class": "functional", "inputs": [...], "layers": [...], "nodes": [...], "outputs": [...]}     functional_config.c
 *
 * "name" is there if the user gave one, "trainable": false if the layer is frozen now, "dtype" of the last two if the
 * context's policy gave them one; of others it is among the options. A layer that stands in several places, such as a
 * model and a model inside it, has an "id" at the first one and is {"same_as": id} at the others. Around the outermost stands
 * {"gradtape": 1, "built_for": [...], "model": ...}. Leans on fields.c. */
#include "models/config.h"
#include "core/graph.h"
#include "layers/internal.h"
#include "layers/kit.h"
#include "layers/sequential.h"
#include "models/fields.h"
#include "models/functional_config.h"

#include <string.h>

#define VERSION 1

/* ---- writing ---- */

static bool put_children(gt_ConfigWriter *writer, const gt_LayerState *state)
{
    bool done = gt_config_key(writer, "layers") && gt_config_open(writer, '[');
    for (int32_t i = 0; done && i < state->child_count; i++)
        done = gt_config_next(writer) && gt_config_put_layer(writer, state->children[i].layer);
    return done && gt_config_close(writer, ']');
}

static bool put_options(gt_ConfigWriter *writer, const gt_LayerState *state)
{
    const gt_OptionType *type = state->layer->type->options;
    void *options = gt_allocate(writer->context, type->size);
    if (!options)
        return false;
    gt_options_for_copy(state, options);
    writer->what = state->name;
    bool done = gt_config_key(writer, "options") && gt_config_open(writer, '{') &&
                gt_config_put_options(writer, type, options) && gt_config_close(writer, '}');
    gt_release(writer->context, options, type->size);
    return done;
}

/* It was written before: its id stands for it. */
static bool put_again(gt_ConfigWriter *writer, uint64_t key)
{
    int32_t id = gt_map_find(&writer->shared, key);
    if (id < 0 && gt_map_add(writer->context, &writer->shared, key, writer->shares))
        id = writer->shares++;
    return id >= 0 && gt_config_open(writer, '{') && gt_config_key(writer, "same_as") &&
           gt_config_put_integer(writer, id) && gt_config_close(writer, '}');
}

bool gt_config_put_layer(gt_ConfigWriter *writer, gt_Layer *layer)
{
    const gt_LayerState *state = layer->state;
    const gt_LayerClass *type = layer->type;
    uint64_t key = gt_map_pointer(layer);
    if (gt_map_find(&writer->met, key) >= 0)
        return put_again(writer, key);
    int32_t id = gt_map_find(&writer->shared, key);
    bool done = gt_map_add(writer->context, &writer->met, key, 0) && gt_config_open(writer, '{') &&
                gt_config_key(writer, "class") && gt_config_put_string(writer, type->name);
    if (done && id >= 0)
        done = gt_config_key(writer, "id") && gt_config_put_integer(writer, id);
    if (done && state->named)
        done = gt_config_key(writer, "name") && gt_config_put_string(writer, state->name);
    if (done && !state->trainable)
        done = gt_config_key(writer, "trainable") && gt_config_put(writer, "false");
    gt_DType policy = gt_layer_own_policy(state);
    if (done && !state->options && policy != GT_DTYPE_NONE)
        done = gt_config_key(writer, "dtype") && gt_config_put_dtype(writer, policy);
    if (done && type == &gt_layer_class_sequential)
        done = put_children(writer, state);
    else if (done && type == &gt_layer_class_functional)
        done = gt_config_put_functional(writer, layer);
    else if (done && state->options)
        done = put_options(writer, state);
    else if (done) {
        gt_raise(writer->context, GT_UNSUPPORTED, NULL, NULL,
                 "a layer of the class %s cannot be written down: it was not made from options "
                 "(gt_layer_make)",
                 type->name);
        return false;
    }
    return done && gt_config_close(writer, '}');
}

static bool put_built_for(gt_ConfigWriter *writer, const gt_LayerState *state)
{
    bool done = gt_config_key(writer, "built_for") && gt_config_open(writer, '[');
    for (int32_t i = 0; done && i < state->built_for_count; i++) {
        const gt_Spec *spec = &state->built_for[i];
        bool there = spec->dtype != GT_DTYPE_NONE;
        done = gt_config_next(writer) && gt_config_open(writer, '{') &&
               gt_config_key(writer, "dtype") &&
               gt_config_put_string(writer, there ? gt_dtype_name(spec->dtype) : NULL) &&
               gt_config_key(writer, "shape") && gt_config_put_shape(writer, gt_spec_shape(spec)) &&
               gt_config_close(writer, '}');
    }
    return done && gt_config_close(writer, ']');
}

static bool put_model(gt_ConfigWriter *writer, gt_Layer *layer)
{
    const gt_LayerState *state = layer->state;
    bool done = gt_config_open(writer, '{') && gt_config_key(writer, "gradtape") &&
                gt_config_put_integer(writer, VERSION);
    if (done && state->built_for_count > 0)
        done = put_built_for(writer, state);
    return done && gt_config_key(writer, "model") && gt_config_put_layer(writer, layer) &&
           gt_config_close(writer, '}') && gt_bytes_reserve(writer->context, &writer->text, 1);
}

/* Which layers are met again is known at the end: then all is written once more, with ids. */
static bool put_whole(gt_ConfigWriter *writer, gt_Layer *layer)
{
    bool done = put_model(writer, layer);
    if (done && writer->shares > 0) {
        gt_map_close(writer->context, &writer->met);
        writer->text.size = 0;
        writer->more = false;
        done = put_model(writer, layer);
    }
    gt_map_close(writer->context, &writer->met);
    gt_map_close(writer->context, &writer->shared);
    return done;
}

const char *gt_layer_to_json_at(const char *here, gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_own(context, here, "layer_to_json", layer) : NULL;
    if (!state)
        return "";
    gt_Site site = gt_site_enter(here, "layer_to_json");
    gt_ConfigWriter writer = {.context = context};
    char *text = NULL;
    if (gt_tracing(context))
        gt_fail(GT_STATE, "it cannot run inside a traced function");
    else if (put_whole(&writer, layer) && (text = gt_layer_text(state, writer.text.size + 1))) {
        memcpy(text, writer.text.data, writer.text.size);
        text[writer.text.size] = 0;
    }
    gt_bytes_release(context, &writer.text);
    gt_site_leave(&site);
    return text ? text : "";
}

/* ---- reading ---- */

static const gt_LayerClass *class_named(gt_Context *context, const char *name)
{
    const gt_LayerClass *type = gt_layer_class_find(name);
    return type ? type
                : (const gt_LayerClass *)gt_registration_find(context, GT_REGISTRATION_KIND_LAYER,
                                                              name);
}

static gt_Layer *read_options_layer(gt_ConfigReader *reader, const gt_JsonValue *object,
                                    const gt_LayerClass *type)
{
    gt_Context *context = reader->context;
    const gt_JsonValue *given = gt_json_member(object, "options");
    const char *name = gt_config_text(object, "name");
    gt_Layer *layer = NULL;
    char *options = gt_allocate(context, type->options->size);
    if (!options)
        return NULL;
    memcpy(options, type->options->defaults, type->options->size);
    if (!given || given->kind != GT_JSON_OBJECT)
        gt_config_fail(reader, "its options are missing");
    else if (gt_config_read_options(reader, given, type->options, options)) {
        for (const gt_Field *field = type->options->fields; field->name; field++)
            if (strcmp(field->name, "name") == 0 && field->size == sizeof name)
                memcpy(options + field->offset, &name, sizeof name);
        layer = gt_layer_make_at(NULL, type, options);
    }
    if (gt_context_status(context) != GT_OK && !layer)
        gt_options_refuse(type->options, options);
    gt_release(context, options, type->options->size);
    return layer;
}

static gt_Layer *read_sequential(gt_ConfigReader *reader, const gt_JsonValue *object)
{
    const gt_JsonValue *list = gt_json_member(object, "layers");
    gt_Layers layers = {NULL};
    if (!list || list->kind != GT_JSON_ARRAY) {
        gt_config_fail(reader, "its layers are missing");
        return NULL;
    }
    gt_config_read_layers(reader, list, &layers);
    /* It takes them, also after a failure. */
    return layers.items ? gt_Sequential_at(NULL, layers.items) : NULL;
}

/* Are all members of the kinds that a layer of this class has? */
static bool check_members(const gt_ConfigReader *reader, const gt_JsonValue *object,
                          const gt_LayerClass *type)
{
    static const char *const of_options[] = {"class", "id", "name", "trainable", "options", NULL};
    static const char *const of_sequential[] = {"class", "id", "trainable", "dtype", "layers", NULL};
    static const char *const of_functional[] = {"class", "id", "name", "trainable", "dtype", "inputs",
                                                "layers", "nodes", "outputs",   NULL};
    const gt_JsonValue *name = gt_json_member(object, "name");
    const gt_JsonValue *trainable = gt_json_member(object, "trainable");
    const gt_JsonValue *dtype = gt_json_member(object, "dtype");
    if (!gt_config_members(reader, object,
                           type == &gt_layer_class_sequential   ? of_sequential
                           : type == &gt_layer_class_functional ? of_functional
                                                                : of_options))
        return false;
    if (name && name->kind != GT_JSON_STRING)
        return gt_config_fail(reader, "its name must be text");
    if (trainable && trainable->kind != GT_JSON_TRUE && trainable->kind != GT_JSON_FALSE)
        return gt_config_fail(reader, "trainable must be true or false");
    if (dtype && !gt_dtype_is_float(gt_variable_dtype(gt_config_read_dtype(dtype))))
        return gt_config_fail(reader, "dtype must be a float type or a policy");
    return true;
}

/* The layer with that id, which stands further up; NULL with an error raised. */
static gt_Layer *read_again(const gt_ConfigReader *reader, const gt_JsonValue *object,
                            const gt_JsonValue *same)
{
    static const char *const members[] = {"same_as", NULL};
    const gt_ConfigShared *shared = reader->shared;
    if (!gt_config_members(reader, object, members))
        return NULL;
    for (int32_t i = 0; same->kind == GT_JSON_INTEGER && i < shared->count; i++)
        if (shared->entries[i].id == same->integer)
            return shared->entries[i].layer;
    gt_config_fail(reader, "same_as must be the id of a layer that stands before");
    return NULL;
}

/* Held until the text is read: what took it may be dropped meanwhile. */
static bool share(const gt_ConfigReader *reader, const gt_JsonValue *id, gt_Layer *layer)
{
    gt_ConfigShared *shared = reader->shared;
    if (id->kind != GT_JSON_INTEGER)
        return gt_config_fail(reader, "id must be an integer");
    if (!gt_reserve(reader->context, (void **)&shared->entries, shared->count, &shared->capacity,
                    sizeof *shared->entries))
        return false;
    layer->state->object.references++;
    shared->entries[shared->count].id = id->integer;
    shared->entries[shared->count++].layer = layer;
    return true;
}

static void close_shared(gt_Context *context, gt_ConfigShared *shared)
{
    for (int32_t i = 0; i < shared->count; i++)
        gt_object_release(&shared->entries[i].layer->state->object);
    gt_release(context, shared->entries, (size_t)shared->capacity * sizeof *shared->entries);
}

gt_Layer *gt_config_read_layer(const gt_ConfigReader *around, const gt_JsonValue *object)
{
    gt_Context *context = around->context;
    const char *name = gt_config_text(object, "class");
    gt_ConfigReader reader = {
        .context = context, .shared = around->shared, .what = name ? name : "a layer"};
    const gt_JsonValue *id = gt_json_member(object, "id"),
                       *same = gt_json_member(object, "same_as");
    if (same)
        return read_again(&reader, object, same);
    const gt_LayerClass *type = name ? class_named(context, name) : NULL;
    const gt_JsonValue *trainable = gt_json_member(object, "trainable");
    const gt_JsonValue *dtype = gt_json_member(object, "dtype");
    gt_Layer *layer = NULL;
    if (!name)
        gt_config_fail(&reader, "it must be an object with a class");
    else if (!type)
        gt_config_fail(&reader, "this class of layers is not known: gt_register_layer");
    else if (!check_members(&reader, object, type))
        layer = NULL;
    else if (type == &gt_layer_class_sequential)
        layer = read_sequential(&reader, object);
    else if (type == &gt_layer_class_functional)
        layer = gt_config_read_functional(&reader, object);
    else if (type->options)
        layer = read_options_layer(&reader, object, type);
    else
        gt_config_fail(&reader, "this class has no options to be made from");
    gt_config_reader_close(&reader);
    if (layer && dtype)
        gt_layer_give_policy(layer, gt_config_read_dtype(dtype));
    if (layer && trainable && trainable->kind == GT_JSON_FALSE)
        gt_set_trainable(layer, false);
    if (layer && id && !share(&reader, id, layer)) {
        gt_layer_free(layer);
        return NULL;
    }
    return layer;
}

static gt_Status build_as_it_was(gt_ConfigReader *reader, const gt_JsonValue *list, gt_Layer *layer)
{
    gt_Spec inputs[GT_MAX_INPUTS] = {{0}};
    int32_t count = 0;
    if (list->kind != GT_JSON_ARRAY || list->count < 1 || list->count > GT_MAX_INPUTS) {
        gt_config_fail(reader, "built_for must be a list of 1 to %d inputs", GT_MAX_INPUTS);
        return gt_status();
    }
    for (const gt_JsonValue *at = gt_json_first(list); at; at = gt_json_next(list, at)) {
        static const char *const members[] = {"dtype", "shape", NULL};
        gt_Shape shape;
        gt_DType dtype = gt_config_read_dtype(gt_json_member(at, "dtype"));
        if (at->kind == GT_JSON_OBJECT && !gt_config_members(reader, at, members))
            return gt_status();
        if (dtype != GT_DTYPE_NONE &&
            (!gt_config_read_shape(reader, gt_json_member(at, "shape"), &shape) ||
             !(gt_storable(dtype) || dtype == GT_TEXT) ||
             !gt_spec_set(&inputs[count], dtype, shape))) {
            gt_config_fail(reader, "input %d of built_for cannot be", (int)count + 1);
            return gt_status();
        }
        count++;
    }
    return gt_build_late(reader->context, NULL, layer->state, count, inputs);
}

static gt_Layer *read_model(gt_ConfigReader *reader, const gt_JsonValue *whole)
{
    int64_t version = gt_config_integer(whole, "gradtape", -1);
    const gt_JsonValue *model = gt_json_member(whole, "model");
    const gt_JsonValue *built_for = gt_json_member(whole, "built_for");
    static const char *const members[] = {"gradtape", "built_for", "model", NULL};
    if (version > VERSION)
        gt_config_fail(reader, "it is of version %lld, and this library reads %d", (long long)version,
                       VERSION);
    else if (version < 1 || !model)
        gt_config_fail(reader, "expected a model of gradtape's, an object with \"gradtape\" and \"model\"");
    else
        gt_config_members(reader, whole, members);
    gt_Layer *layer = gt_status() == GT_OK ? gt_config_read_layer(reader, model) : NULL;
    if (layer && built_for && !layer->state->built &&
        build_as_it_was(reader, built_for, layer) != GT_OK) {
        gt_layer_free(layer);
        return NULL;
    }
    return layer;
}

gt_Layer *gt_config_read_text(gt_Context *context, const char *what, const char *text)
{
    size_t size = strlen(text);
    gt_Json json = {NULL, 0};
    gt_Layer *layer = NULL;
    char *copy = gt_allocate(context, size + 1); /* reading changes it */
    if (!copy)
        return NULL;
    memcpy(copy, text, size + 1);
    gt_ConfigShared shared = {.count = 0};
    gt_ConfigReader reader = {.context = context, .shared = &shared, .what = what};
    if (gt_json_read(context, what, copy, size, &json)) {
        if (gt_scope_open(context)) { /* of vocabularies and the like, which layers take over */
            layer = read_model(&reader, &json.values[0]);
            gt_scope_close(context);
        }
        close_shared(context, &shared);
        gt_json_release(context, &json);
    }
    gt_release(context, copy, size + 1);
    return layer;
}

gt_Layer *gt_layer_from_json_at(const char *here, const char *text)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "layer_from_json");
    gt_Layer *layer = NULL;
    if (!text)
        gt_fail(GT_INVALID, "the text is NULL");
    else if (gt_tracing(context))
        gt_fail(GT_STATE, "it cannot run inside a traced function");
    else
        layer = gt_config_read_text(context, "the text", text);
    gt_site_leave(&site);
    return layer;
}

gt_Status gt_register_layer_at(const char *here, const gt_LayerClass *type)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, "register_layer");
    if (!gt_is_address(type) || !GT_CLASS_HAS(type, options) || !type->name || !type->options)
        gt_fail(GT_INVALID, "the class needs a name and options");
    else if (gt_layer_class_find(type->name))
        gt_fail(GT_INVALID, "\"%s\" is the name of a built-in class", type->name);
    else
        gt_registration_add(context, GT_REGISTRATION_KIND_LAYER, type->name, (uintptr_t)type);
    gt_site_leave(&site);
    return gt_context_status(context);
}
