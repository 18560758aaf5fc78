/* Whole models in files: weights as gt_save_weights keeps them, the optimizer's state beside them, and the rest as JSON in the
 * metadata:
 *
 *     gradtape.model      the architecture, as gt_layer_to_json has it
 *     gradtape.training   {"gradtape": 1, "classes": [...], what compile_config.c writes}
 *
 * A file of a newer version, or with a member that nobody knows, is refused. Leans on models/entries.h, models/config.h. */
#include "models/functional_config.h"
#include "train/model_parts.h"

#include <stdio.h>
#include <string.h>

#define MODEL     "gradtape.model"
#define TRAINING  "gradtape.training"
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

/* Ours, then the caller's, in memory of `pairs`. */
static bool join_metadata(gt_Context *context, gt_MetadataItem **pairs, const char *model, const char *training,
                          gt_Metadata more)
{
    *pairs = gt_allocate(context, ((size_t)more.count + 2) * sizeof **pairs);
    if (!*pairs)
        return false;
    (*pairs)[0] = (gt_MetadataItem){MODEL, model};
    (*pairs)[1] = (gt_MetadataItem){TRAINING, training};
    for (int32_t i = 0; i < more.count; i++) {
        if (more.items[i].key && strncmp(more.items[i].key, RESERVED, strlen(RESERVED)) == 0)
            gt_raise(context, GT_INVALID, NULL, NULL, "metadata: the key \"%s\" is reserved: it begins with \"" RESERVED "\"",
                     more.items[i].key);
        (*pairs)[2 + i] = more.items[i];
    }
    return gt_context_status(context) == GT_OK;
}

static gt_Status save_model(gt_Context *context, gt_LayerState *state, const char *path,
                            const gt_Compiled *compiled, gt_Metadata more)
{
    gt_Entries list = {.context = context};
    gt_ConfigWriter writer = {.context = context};
    const char *training = write_training(&writer, state, &compiled);
    if (training && gt_entries_add_variables(&list, state->layer, gt_weights(state->layer), "") == GT_OK) {
        if (compiled)
            gt_entries_add_optimizer(&list, state->layer, compiled->optimizer, OPTIMIZER);
        const char *model = gt_layer_to_json_at(NULL, state->layer); /* valid until it is asked again */
        gt_MetadataItem *pairs = NULL;
        if (model && join_metadata(context, &pairs, model, training, more))
            gt_entries_save(&list, path, (gt_Metadata){pairs, 2 + more.count});
        gt_release(context, pairs, ((size_t)more.count + 2) * sizeof *pairs);
    }
    gt_bytes_release(context, &writer.text);
    gt_entries_close(&list);
    return gt_context_status(context);
}

gt_Status gt_save_model_at(const char *here, gt_Layer *model, const char *path,
                           const gt_save_model_options *given)
{
    gt_save_model_options options = GT_TAKE(gt_save_model_options, given);
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_entries_model(context, here, "save_model", model) : NULL;
    if (!state)
        return gt_status();
    gt_Site site = gt_site_enter(here, "save_model");
    const gt_Compiled *compiled = options.include_optimizer ? gt_compiled_of(state) : NULL;
    if (compiled && compiled->object.context != context)
        compiled = NULL;
    save_model(context, state, path, compiled, options.metadata);
    gt_site_leave(site);
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

static gt_Status read_training(gt_Context *context, const char *path, const gt_JsonValue *object,
                               gt_Layer *model, bool compile)
{
    static const char *const members[] = {
        "gradtape",     "classes", "optimizer",   "exclude_from_weight_decay", "loss_scale", "losses",
        "loss_weights", "metrics", "run_eagerly", "steps_per_execution",       NULL};
    const gt_ConfigReader reader = {.context = context, .what = path};
    gt_LayerState *state = gt_layer_check(context, NULL, NULL, model);
    int64_t version = gt_config_integer(object, "gradtape", 0);
    if (version != VERSION)
        gt_config_fail(&reader, "what it says of training is of version %lld; this library knows %d",
                       (long long)version, VERSION);
    if (!state || gt_context_status(context) != GT_OK || !gt_config_members(&reader, object, members))
        return gt_context_status(context);
    gt_class_names_read(context, path, gt_json_member(object, "classes"), state);
    if (compile && gt_json_member(object, "optimizer") && gt_context_status(context) == GT_OK)
        gt_compile_read(context, path, object, model);
    return gt_context_status(context);
}

/* A file that was written before there was such a thing has no text. */
static gt_Status take_training(gt_Context *context, const char *path, const gt_TensorFile *file,
                               gt_Layer *model, bool compile)
{
    const char *text = gt_tensor_file_metadata(file, TRAINING);
    size_t size = text ? strlen(text) : 0;
    char *copy = text ? gt_allocate(context, size + 1) : NULL; /* strings stay in it */
    gt_Json json = {NULL, 0};
    if (!copy)
        return gt_context_status(context);
    memcpy(copy, text, size + 1);
    if (gt_json_read(context, path, copy, size, &json))
        read_training(context, path, json.values, model, compile);
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
    if (!model || (take_training(context, path, file, model, compile) == GT_OK &&
                   fill_model(context, path, file, model) == GT_OK))
        return model;
    gt_layer_free(model);
    return NULL;
}

gt_Layer *gt_load_model_at(const char *here, const char *path, const gt_load_model_options *given)
{
    gt_load_model_options options = GT_TAKE(gt_load_model_options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "load_model");
    gt_TensorFile *file = gt_open_tensors(path);
    gt_Layer *model = file ? load_model(context, path, file, options.compile) : NULL;
    gt_tensor_file_free(file);
    gt_site_leave(site);
    return model;
}
