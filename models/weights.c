/* Weights in files. Leans on entries.c. */
#include "models/weights.h"
#include "models/entries.h"

static gt_Status weights_file(const char *here, const char *operation, gt_Layer *model,
                              const char *path, bool saving)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_entries_model(context, here, operation, model))
        return gt_status();
    gt_Site site = gt_site_enter(here, operation);
    gt_Entries list = {.context = context};
    if (gt_entries_add_variables(&list, model, gt_weights(model), "") == GT_OK) {
        if (saving)
            gt_entries_save(&list, path, (gt_Metadata){NULL, 0});
        else
            gt_entries_load(&list, path, NULL, NULL);
    }
    gt_entries_close(&list);
    gt_site_leave(site);
    return gt_context_status(context);
}

gt_Status gt_save_weights_at(const char *here, gt_Layer *model, const char *path)
{
    return weights_file(here, "save_weights", model, path, true);
}

gt_Status gt_load_weights_at(const char *here, gt_Layer *model, const char *path)
{
    return weights_file(here, "load_weights", model, path, false);
}
