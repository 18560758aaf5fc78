/* Weights in files. Leans on entries.c. */
#include "models/weights.h"
#include "models/entries.h"

GT_OPTION_TYPE(gt_load_weights_options, gt_load_weights_OPTIONS);

gt_Status gt_save_weights_at(const char *here, gt_Layer *model, const char *path)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_entries_model(context, here, "save_weights", model))
        return gt_status();
    gt_Site site = gt_site_enter(here, "save_weights");
    gt_Entries list = {.context = context};
    if (gt_entries_add_variables(&list, model, gt_weights(model), "") == GT_OK)
        gt_entries_save(&list, path, (gt_Metadata){NULL, 0});
    gt_entries_close(&list);
    gt_site_leave(&site);
    return gt_context_status(context);
}

gt_Status gt_load_weights_at(const char *here, gt_Layer *model, const char *path,
                             const gt_load_weights_options *given)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_entries_model(context, here, "load_weights", model))
        return gt_status();
    gt_load_weights_options options;
    GT_TAKE(gt_load_weights_options, &options, given);
    gt_Site site = gt_site_enter(here, "load_weights");
    gt_Entries list = {.context = context};
    gt_LoadReport report = {.text = ""};
    if (gt_entries_add_variables(&list, model, gt_weights(model), "") == GT_OK) {
        if (options.skip_mismatch)
            gt_entries_load_fitting(&list, path, &report);
        else if (gt_entries_load(&list, path, NULL, NULL) == GT_OK)
            report.loaded = list.count;
    }
    if (options.report)
        *options.report = report;
    gt_entries_close(&list);
    gt_site_leave(&site);
    return gt_context_status(context);
}
