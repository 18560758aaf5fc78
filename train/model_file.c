/* Whole models in files: weights as gt_save_weights keeps them, the optimizer's state beside them, and the rest as JSON in the
 * metadata:
 *
 *     gradtape.model      the architecture, as gt_layer_to_json has it
 *     gradtape.training   {"gradtape": 1, "classes": [...], what compile_config.c writes}
 *     gradtape.table      {"gradtape": 1, how the table was read, see data/recipe.h}, if it was fitted on one
 *
 * A file of a newer version, or with a member that nobody knows, is refused. Leans on models/entries.h, models/config.h. */
#include "models/functional_config.h"
#include "train/model_parts.h"

#include <stdio.h>
#include <string.h>

#define MODEL     "gradtape.model"
#define TRAINING  "gradtape.training"
#define TABLE     "gradtape.table"
#define OPTIMIZER "/optimizer"
#define RESERVED  "gradtape."
#define VERSION   1

GT_OPTION_TYPE(gt_save_model_options, gt_save_model_OPTIONS);
GT_OPTION_TYPE(gt_load_model_options, gt_load_model_OPTIONS);

/* ---- saving ---- */

/* `compiled` NULL: without what it was compiled with. */
static bool put_training(gt_ConfigWriter *writer, const gt_LayerState *state, const gt_Compiled *compiled)
{
    return gt_config_open(writer, '{') && gt_config_key(writer, "gradtape") &&
           gt_config_put_integer(writer, VERSION) && gt_class_names_put(writer, state) &&
           (!compiled || gt_compile_put(writer, compiled)) && gt_config_close(writer, '}') &&
           gt_bytes_reserve(writer->context, &writer->text, 1);
}

/* The text, in the writer's memory, which ends with a 0. What cannot be written of gt_compile is a warning, and *compiled
 * becomes NULL. */
static const char *write_training(gt_ConfigWriter *writer, const gt_LayerState *state,
                                  const gt_Compiled **compiled)
{
    if (*compiled && !put_training(writer, state, *compiled) &&
        gt_context_status(writer->context) == GT_UNSUPPORTED) {
        gt_warn(writer->context, NULL, "save_model", "the model is saved without what it was compiled with: %s",
                gt_context_message(writer->context));
        gt_error_clear();
        *compiled = NULL;
        writer->text.size = 0;
        writer->more = false;
    }
    if (!*compiled && gt_context_status(writer->context) == GT_OK)
        put_training(writer, state, NULL);
    if (gt_context_status(writer->context) != GT_OK)
        return NULL;
    writer->text.data[writer->text.size] = 0;
    return writer->text.data;
}

/* The same of what is known of the table; NULL without an error: nothing is. */
static const char *write_table(gt_ConfigWriter *writer, const gt_LayerState *state)
{
    if (!gt_has_table_at(NULL, state->layer) || !gt_config_open(writer, '{') ||
        !gt_config_key(writer, "gradtape") || !gt_config_put_integer(writer, VERSION) ||
        !gt_table_put(writer, state) || !gt_config_close(writer, '}') ||
        !gt_bytes_reserve(writer->context, &writer->text, 1))
        return NULL;
    writer->text.data[writer->text.size] = 0;
    return writer->text.data;
}

/* What the file says beside its tensors: ours, where there is text, then the caller's. */
typedef struct Pairs {
    gt_MetadataItem *items;
    int32_t count, capacity;
} Pairs;

static void add_pair(gt_Context *context, Pairs *pairs, const char *key, const char *value)
{
    if (value && gt_reserve(context, (void **)&pairs->items, pairs->count, &pairs->capacity, sizeof *pairs->items))
        pairs->items[pairs->count++] = (gt_MetadataItem){key, value};
}

static void add_given(gt_Context *context, Pairs *pairs, gt_Metadata more)
{
    for (int32_t i = 0; i < more.count; i++) {
        const gt_MetadataItem *item = &more.items[i];
        if (item->key && strncmp(item->key, RESERVED, strlen(RESERVED)) == 0)
            gt_raise(context, GT_INVALID, NULL, NULL, "metadata: the key \"%s\" is reserved: it begins with \"" RESERVED "\"",
                     item->key);
        else if (gt_reserve(context, (void **)&pairs->items, pairs->count, &pairs->capacity, sizeof *pairs->items))
            pairs->items[pairs->count++] = *item;
    }
}

static gt_Status save_model(gt_Context *context, gt_LayerState *state, const char *path,
                            const gt_Compiled *compiled, gt_Metadata more)
{
    gt_Entries list = {.context = context};
    gt_ConfigWriter writer = {.context = context}, table = {.context = context};
    Pairs pairs = {.count = 0};
    const char *training = write_training(&writer, state, &compiled);
    if (training && gt_entries_add_variables(&list, state->layer, gt_weights(state->layer), "") == GT_OK) {
        if (compiled)
            gt_entries_add_optimizer(&list, state->layer, compiled->optimizer, OPTIMIZER);
        const char *model = gt_layer_to_json_at(NULL, state->layer); /* valid until it is asked again */
        add_pair(context, &pairs, MODEL, model);
        add_pair(context, &pairs, TRAINING, training);
        add_pair(context, &pairs, TABLE, write_table(&table, state));
        add_given(context, &pairs, more);
        if (gt_context_status(context) == GT_OK)
            gt_entries_save(&list, path, (gt_Metadata){pairs.items, pairs.count});
    }
    gt_release(context, pairs.items, (size_t)pairs.capacity * sizeof *pairs.items);
    gt_bytes_release(context, &table.text);
    gt_bytes_release(context, &writer.text);
    gt_entries_close(&list);
    return gt_context_status(context);
}

gt_Status gt_save_model_at(const char *here, gt_Layer *model, const char *path,
                           const gt_save_model_options *given)
{
    gt_save_model_options options;
    GT_TAKE(gt_save_model_options, &options, given);
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_entries_model(context, here, "save_model", model) : NULL;
    if (!state)
        return gt_status();
    gt_Site site = gt_site_enter(here, "save_model");
    const gt_Compiled *compiled = options.include_optimizer ? gt_compiled_of(state) : NULL;
    if (compiled && compiled->object.context != context)
        compiled = NULL;
    save_model(context, state, path, compiled, options.metadata);
    gt_site_leave(&site);
    return gt_context_status(context);
}

/* ---- loading ---- */

/* Weights, and the state of the optimizer where there is one; the model was just made, so a failure leaves nothing behind. */
static gt_Status fill_model(gt_Context *context, const char *path, const gt_TensorFile *file,
                            gt_Layer *model)
{
    gt_Entries list = {.context = context};
    gt_LayerState *state = gt_entries_model(context, NULL, NULL, model);
    gt_Optimizer *optimizer = state ? gt_layer_optimizer(state) : NULL;
    /* One that was saved before it was built has its numbers only. */
    list.beside = optimizer != NULL;
    if (optimizer && gt_tensor_file_count(file) > gt_weights(model).count + gt_optimizer_variables(optimizer).count &&
        gt_trainable_variables(model).count > 0)
        gt_optimizer_build(optimizer, gt_trainable_variables(model));
    if (state && gt_entries_add_variables(&list, model, gt_weights(model), "") == GT_OK) {
        if (optimizer)
            gt_entries_add_optimizer(&list, model, optimizer, OPTIMIZER);
        if (gt_entries_fit(&list, path, file) == GT_OK)
            gt_entries_fill(&list, file, NULL, NULL);
    }
    gt_entries_close(&list);
    return gt_context_status(context);
}

static bool check_version(const gt_ConfigReader *reader, const char *what, const gt_JsonValue *object)
{
    int64_t version = gt_config_integer(object, "gradtape", 0);
    return version == VERSION || gt_config_fail(reader, "what it says of %s is of version %lld; this library knows %d",
                                                what, (long long)version, VERSION);
}

static gt_Status read_training(gt_Context *context, const char *path, const gt_JsonValue *object,
                               gt_Layer *model, bool compile)
{
    static const char *const members[] = {
        "gradtape",     "classes", "optimizer",   "exclude_from_weight_decay", "loss_scale", "losses",
        "loss_weights", "metrics", "run_eagerly", "steps_per_execution",       NULL};
    const gt_ConfigReader reader = {.context = context, .what = path};
    gt_LayerState *state = gt_layer_check(context, NULL, NULL, model);
    if (!state || !check_version(&reader, "training", object) || !gt_config_members(&reader, object, members))
        return gt_context_status(context);
    gt_class_names_read(context, path, gt_json_member(object, "classes"), state);
    if (compile && gt_json_member(object, "optimizer") && gt_context_status(context) == GT_OK)
        gt_compile_read(context, path, object, model);
    return gt_context_status(context);
}

static gt_Status read_table(gt_Context *context, const char *path, const gt_JsonValue *object,
                            gt_Layer *model, bool compile)
{
    (void)compile;
    const gt_ConfigReader reader = {.context = context, .what = path};
    gt_LayerState *state = gt_layer_check(context, NULL, NULL, model);
    if (state && check_version(&reader, "its table", object))
        gt_table_take(context, path, object, state);
    return gt_context_status(context);
}

/* Reads the text of a key, if the file has it. */
static gt_Status take_text(gt_Context *context, const char *path, const gt_TensorFile *file,
                           const char *key, gt_Layer *model, bool compile,
                           gt_Status (*read)(gt_Context *, const char *, const gt_JsonValue *, gt_Layer *, bool))
{
    const char *text = gt_tensor_file_metadata(file, key);
    size_t size = text ? strlen(text) : 0;
    char *copy = text ? gt_allocate(context, size + 1) : NULL; /* strings stay in it */
    gt_Json json = {NULL, 0};
    if (!copy)
        return gt_context_status(context);
    memcpy(copy, text, size + 1);
    if (gt_json_read(context, path, copy, size, &json))
        read(context, path, json.values, model, compile);
    gt_json_release(context, &json);
    gt_release(context, copy, size + 1);
    return gt_context_status(context);
}

static gt_Layer *load_model(gt_Context *context, const char *path, const gt_TensorFile *file, bool compile)
{
    const char *text = gt_tensor_file_metadata(file, MODEL);
    if (!text && gt_context_status(context) == GT_OK)
        gt_raise(context, GT_FORMAT, NULL, NULL,
                 "%s: it holds tensors and no model: make the model, and gt_load_weights", path);
    gt_Layer *model = text ? gt_config_read_text(context, path, text) : NULL;
    if (!model || (take_text(context, path, file, TRAINING, model, compile, read_training) == GT_OK &&
                   take_text(context, path, file, TABLE, model, compile, read_table) == GT_OK &&
                   fill_model(context, path, file, model) == GT_OK))
        return model;
    gt_layer_free(model);
    return NULL;
}

gt_Layer *gt_load_model_at(const char *here, const char *path, const gt_load_model_options *given)
{
    gt_load_model_options options;
    GT_TAKE(gt_load_model_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "load_model");
    gt_TensorFile *file = gt_open_tensors(path);
    gt_Layer *model = file ? load_model(context, path, file, options.compile) : NULL;
    gt_tensor_file_free(file);
    gt_site_leave(&site);
    return model;
}
