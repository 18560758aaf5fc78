/* Whole models in files: weights as gt_save_weights keeps them, and the architecture in the metadata. Leans on entries.c and
 * config.c. */
#include "models/config.h"
#include "models/entries.h"
#include "models/functional_config.h"

#include <string.h>

#define KEY "gradtape.model"

gt_Status gt_save_model_at(const char *here, gt_Layer *model, const char *path)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_entries_model(context, here, "save_model", model))
        return gt_status();
    gt_Site site = gt_site_enter(here, "save_model");
    gt_Entries list = {.context = context};
    if (gt_entries_add_variables(&list, model, gt_weights(model), "") == GT_OK) {
        const char *text = gt_layer_to_json_at(NULL, model); /* valid until the model is asked again */
        const gt_MetadataItem item = {KEY, text};
        if (text)
            gt_entries_save(&list, path, (gt_Metadata){&item, 1});
    }
    gt_entries_close(&list);
    gt_site_leave(site);
    return gt_context_status(context);
}

/* The weights; the model was just made, so a failure leaves nothing behind. */
static gt_Status fill_model(gt_Context *context, const char *path, const gt_TensorFile *file,
                            gt_Layer *model)
{
    gt_Entries list = {.context = context};
    if (gt_entries_model(context, NULL, NULL, model) &&
        gt_entries_add_variables(&list, model, gt_weights(model), "") == GT_OK &&
        gt_entries_fit(&list, path, file) == GT_OK)
        gt_entries_fill(&list, file, NULL, NULL);
    gt_entries_close(&list);
    return gt_context_status(context);
}

gt_Layer *gt_load_model_at(const char *here, const char *path)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "load_model");
    gt_TensorFile *file = gt_open_tensors(path);
    gt_Layer *model = NULL;
    if (file) {
        const char *text = gt_tensor_file_metadata(file, KEY);
        if (!text && gt_context_status(context) == GT_OK)
            gt_raise(context, GT_FORMAT, NULL, NULL,
                     "%s: it holds tensors and no model: make the model, and gt_load_weights", path);
        else if (text)
            model = gt_config_read_text(context, path, text);
        if (model && fill_model(context, path, file, model) != GT_OK) {
            gt_layer_free(model);
            model = NULL;
        }
        gt_tensor_file_free(file);
    }
    gt_site_leave(site);
    return model;
}
