/* Weights and checkpoints: which variables go under which names, and filling them from a file only
 * when all of it fits and has been read. Leans on io/safetensors.h. */
#include "train/checkpoint.h"
#include "core/text.h"
#include "models/entries.h"
#include "ops/math/random.h"
#include "train/internal.h"

#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_save_checkpoint_options, gt_save_checkpoint_OPTIONS);

/* ---- what is in a file ---- */

/* The optimizer writes "<path>_<slot>"; how long the path is tells where to part the two. */
typedef struct PathOf {
    gt_Layer *model;
    char text[LONGEST_NAME]; /* "" for what has no path */
} PathOf;

static const char *path_of(void *user, const gt_Variable *variable)
{
    PathOf *self = user;
    const char *path = gt_variable_path(self->model, variable);
    snprintf(self->text, sizeof self->text, "%s", path ? path : "");
    return self->text;
}

static gt_Status add_optimizer(gt_Entries *list, gt_Layer *model, const gt_Optimizer *optimizer)
{
    gt_Tensors state = gt_optimizer_variables(optimizer);
    for (int32_t i = 0; i < state.count && gt_context_status(list->context) == GT_OK; i++) {
        PathOf path = {.model = model};
        char name[LONGEST_NAME];
        gt_optimizer_variable_name(optimizer, i, path_of, &path, name, sizeof name);
        size_t length = strlen(path.text);
        if (length)
            gt_entries_add(list, state.items[i], "optimizer/%s/%s", path.text, name + length + 1);
        else
            gt_entries_add(list, state.items[i], "optimizer/%s", name);
    }
    return gt_context_status(list->context);
}

/* epoch, row; seed and rows, so that another dataset is not taken for this one. */
enum { EPOCH, ROW, SEED, ROWS, POSITION };

static gt_Status add_dataset(gt_Entries *list, const gt_Dataset *dataset)
{
    gt_DatasetPosition at = gt_dataset_mark(dataset);
    int64_t position[POSITION] = {at.epoch, at.row, gt_dataset_seed(dataset),
                                  gt_dataset_size(dataset)};
    return gt_entries_add(list, gt_from_data(position, gt_shape(POSITION), GT_INT64), "dataset/position");
}

static gt_Status add_checkpoint(gt_Entries *list, gt_Layer *model, const gt_Optimizer *optimizer,
                                const gt_Dataset *dataset)
{
    gt_entries_add_variables(list, model, gt_variables(model), "model/");
    if (optimizer)
        add_optimizer(list, model, optimizer);
    if (dataset)
        add_dataset(list, dataset);
    gt_Variable *generator = gt_default_generator();
    return generator ? gt_entries_add(list, generator, "generator") : gt_context_status(list->context);
}

static gt_Status check_position(gt_Context *context, const gt_Dataset *dataset,
                                const int64_t *position)
{
    int64_t rows = gt_dataset_size(dataset), seed = gt_dataset_seed(dataset);
    if (position[ROWS] != rows || position[SEED] != seed)
        return gt_raise(
            context, GT_INVALID, NULL, NULL,
            "the dataset must have %lld rows and seed %lld, as when the checkpoint was saved "
            "(got %lld and %lld)",
            (long long)position[ROWS], (long long)position[SEED], (long long)rows, (long long)seed);
    if (position[EPOCH] < 0 || position[ROW] < 0 || position[ROW] > rows)
        return gt_raise(context, GT_FORMAT, NULL, NULL,
                        "the position in the dataset is out of range");
    return gt_context_status(context);
}

/* Of the dataset, whose position is the one entry that is no variable. */
static void take_position(void *user, bool take, const void *data)
{
    gt_Dataset *dataset = user;
    int64_t position[POSITION];
    memcpy(position, data, sizeof position);
    if (take)
        gt_dataset_return(dataset, (gt_DatasetPosition){position[EPOCH], position[ROW]});
    else
        check_position(gt_context(), dataset, position);
}

/* ---- the two functions ---- */

static gt_Status checkpoint_file(const char *here, const char *operation, const char *path,
                                 gt_Layer *model, const gt_save_checkpoint_options *given,
                                 bool saving)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_entries_model(context, here, operation, model) : NULL;
    if (!state)
        return gt_status();
    gt_save_checkpoint_options options = GT_TAKE(gt_save_checkpoint_options, given);
    gt_Dataset *dataset = options.dataset;
    gt_Optimizer *optimizer = options.optimizer ? options.optimizer : gt_layer_optimizer(state);
    if (dataset && !gt_dataset_check(context, here, operation, dataset))
        return gt_context_status(context);
    gt_Site site = gt_site_enter(here, operation);
    gt_Entries list = {.context = context};
    if (gt_scope_open(context)) {
        if (optimizer && !saving && !gt_optimizer_built(optimizer) &&
            gt_context_status(context) == GT_OK)
            gt_optimizer_build(optimizer, gt_trainable_variables(model));
        if (add_checkpoint(&list, model, optimizer, dataset) == GT_OK) {
            if (saving)
                gt_entries_save(&list, path, (gt_Metadata){NULL, 0});
            else
                gt_entries_load(&list, path, take_position, dataset);
        }
        gt_scope_close(context);
    }
    gt_entries_close(&list);
    gt_site_leave(site);
    return gt_context_status(context);
}

gt_Status gt_save_checkpoint_at(const char *here, const char *path, gt_Layer *model,
                                const gt_save_checkpoint_options *options)
{
    return checkpoint_file(here, "save_checkpoint", path, model, options, true);
}

gt_Status gt_load_checkpoint_at(const char *here, const char *path, gt_Layer *model,
                                const gt_save_checkpoint_options *options)
{
    return checkpoint_file(here, "load_checkpoint", path, model, options, false);
}
