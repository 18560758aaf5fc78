/* Checkpoints: what goes under which names, and filling it from a file only when all of it fits and has been read. Leans on
 * models/entries.h. */
#include "train/checkpoint.h"
#include "core/text.h"
#include "models/entries.h"
#include "ops/array/creation.h"
#include "ops/math/random.h"
#include "train/callback_run.h"
#include "train/model_parts.h"

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
    snprintf(self->text, sizeof self->text, "%s", gt_variable_path(self->model, variable));
    return self->text;
}

gt_Status gt_entries_add_optimizer(gt_Entries *list, gt_Layer *model, const gt_Optimizer *optimizer,
                                   const char *prefix)
{
    gt_Tensors state = gt_optimizer_variables(optimizer);
    for (int32_t i = 0; i < state.count && gt_context_status(list->context) == GT_OK; i++) {
        PathOf path = {.model = model};
        char name[LONGEST_NAME];
        gt_optimizer_variable_name(optimizer, i, path_of, &path, name, sizeof name);
        size_t length = strlen(path.text);
        if (length)
            gt_entries_add(list, state.items[i], "%s/%s/%s", prefix, path.text, name + length + 1);
        else
            gt_entries_add(list, state.items[i], "%s/%s", prefix, name);
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

/* What a file is written from, and read into. */
typedef struct Checkpoint {
    gt_Context *context;
    gt_Entries list;
    gt_Layer *model;
    gt_Optimizer *optimizer; /* NULL: none; and so on */
    gt_Dataset *dataset;
    gt_Compiled *compiled;
    gt_FitState *fit; /* where gt_fit is; not begun: the file has nothing of it */
    gt_Callback *const *callbacks;
    int32_t callback_count;
    gt_History *history; /* of loading: filled from the file */
} Checkpoint;

/* ---- where a fit is: fit/, metrics/, callbacks/ ---- */

enum { FIT_EPOCH, FIT_BATCH, FIT_STOPPED, FIT_DATASET_EPOCH, FIT_DATASET_ROW, FIT_POSITION };
#define GT_MAX_HISTORY 256 /* names in a history */
#define FIT     "fit/position"
#define EPOCHS  "fit/epochs"
#define HISTORY "fit/history/"

static gt_Status add_position(Checkpoint *self, const gt_FitState *fit)
{
    int64_t position[FIT_POSITION] = {fit->epoch, fit->batch, fit->stopped, fit->at.epoch, fit->at.row};
    return gt_entries_add(&self->list, gt_from_data(position, gt_shape(FIT_POSITION), GT_INT64), FIT);
}

/* Room for a number of each epoch. */
static void *add_epochs(Checkpoint *self, gt_DType dtype, int64_t epochs, const char *name)
{
    gt_Spec spec = {.dtype = dtype, .rank = 1, .size = epochs, .dims = {epochs}};
    void *values = NULL;
    gt_Tensor *tensor = gt_tensor_new(self->context, &spec, &values);
    return tensor && gt_entries_add(&self->list, tensor, "%s", name) == GT_OK ? values : NULL;
}

static gt_Status add_history(Checkpoint *self, const gt_History *history)
{
    int64_t epochs = history ? gt_history_epoch_count(history) : 0;
    int64_t *numbers = epochs > 0 ? add_epochs(self, GT_INT64, epochs, EPOCHS) : NULL;
    if (numbers)
        gt_history_read_epochs(history, numbers);
    for (int32_t i = 0; numbers && i < gt_history_name_count(history); i++) {
        char name[LONGEST_NAME];
        snprintf(name, sizeof name, HISTORY "%s", gt_history_name(history, i));
        double *values = add_epochs(self, GT_FLOAT64, epochs, name);
        if (!values)
            break;
        gt_history_read(history, i, values);
    }
    return gt_context_status(self->context);
}

/* In the middle of an epoch, what the metrics have gathered. */
static gt_Status add_metrics(Checkpoint *self)
{
    for (int32_t i = 0; i < self->compiled->count; i++) {
        gt_Tensors states = gt_metric_variables(self->compiled->scores[i]);
        for (int32_t j = 0; j < states.count; j++)
            gt_entries_add(&self->list, states.items[j], "metrics/%s/%d",
                           gt_metric_name(self->compiled->scores[i]), (int)j);
    }
    return gt_context_status(self->context);
}

/* Under the names of their classes, numbered from the second of a class on. */
static gt_Status add_callbacks(Checkpoint *self)
{
    for (int32_t i = 0; i < self->callback_count; i++) {
        const gt_Callback *callback = self->callbacks[i];
        char number[16] = "";
        int same = 0;
        for (int32_t j = 0; j < i; j++)
            same += strcmp(self->callbacks[j]->type->name, callback->type->name) == 0;
        if (same)
            snprintf(number, sizeof number, "_%d", same);
        for (int32_t j = 0; j < callback->count; j++)
            gt_entries_add(&self->list, callback->states[j], "callbacks/%s%s/%s",
                           callback->type->name, number, callback->names[j]);
    }
    return gt_context_status(self->context);
}

/* ---- all of it ---- */

static gt_Status add_run(Checkpoint *self)
{
    gt_entries_add_variables(&self->list, self->model, gt_variables(self->model), "model/");
    if (self->optimizer)
        gt_entries_add_optimizer(&self->list, self->model, self->optimizer, "optimizer");
    if (self->dataset)
        add_dataset(&self->list, self->dataset);
    gt_Variable *generator = gt_default_generator();
    return generator ? gt_entries_add(&self->list, generator, "generator")
                     : gt_context_status(self->context);
}

static gt_Status save(Checkpoint *self, const char *path)
{
    const gt_FitState *fit = self->fit;
    if (add_run(self) == GT_OK && fit && fit->begun) {
        add_position(self, fit);
        add_history(self, fit->history);
        if (fit->batch > 0)
            add_metrics(self);
    }
    if (add_callbacks(self) == GT_OK)
        gt_entries_save(&self->list, path, (gt_Metadata){NULL, 0});
    return gt_context_status(self->context);
}

/* How many epochs there are in the file; -1 with the error raised. */
static int64_t count_epochs(Checkpoint *self, const gt_TensorFile *file)
{
    int64_t found = gt_tensor_file_find(file, EPOCHS);
    gt_Spec spec = found >= 0 ? gt_tensor_file_spec(file, found) : (gt_Spec){.rank = 1};
    if (spec.rank == 1 && spec.dims[0] < INT32_MAX / 2)
        return spec.dims[0];
    gt_raise(self->context, GT_FORMAT, NULL, NULL, EPOCHS " must be a list");
    return -1;
}

/* The file's columns, as entries whose tensors only say their shapes; the history that they will fill. */
static gt_Status expect_history(Checkpoint *self, const gt_TensorFile *file)
{
    const char *names[GT_MAX_HISTORY];
    int32_t count = 0;
    int64_t epochs = count_epochs(self, file);
    if (epochs <= 0 || !add_epochs(self, GT_INT64, epochs, EPOCHS))
        return gt_context_status(self->context);
    for (int64_t i = 0; i < gt_tensor_file_count(file) && count < GT_MAX_HISTORY; i++) {
        const char *name = gt_tensor_file_name(file, i);
        if (strncmp(name, HISTORY, sizeof HISTORY - 1) != 0)
            continue;
        names[count++] = name + sizeof HISTORY - 1;
        if (!add_epochs(self, GT_FLOAT64, epochs, name))
            return gt_context_status(self->context);
    }
    self->history = gt_history_blank(self->context, (int32_t)epochs, count, names);
    return gt_context_status(self->context);
}

/* States that the data shapes are made as the file has them, where no data came yet. */
static gt_Status expect_metrics(Checkpoint *self, const gt_TensorFile *file)
{
    for (int32_t i = 0; i < self->compiled->count; i++) {
        gt_Spec specs[GT_MAX_METRIC_STATES];
        int32_t count = 0;
        for (int64_t found; count < GT_MAX_METRIC_STATES; count++) {
            char name[LONGEST_NAME];
            snprintf(name, sizeof name, "metrics/%s/%d", gt_metric_name(self->compiled->scores[i]), (int)count);
            found = gt_tensor_file_find(file, name);
            if (found < 0)
                break;
            specs[count] = gt_tensor_file_spec(file, found);
            if (specs[count].dtype != GT_FLOAT64)
                return gt_raise(self->context, GT_FORMAT, NULL, NULL, "%s must be float64", name);
        }
        gt_metric_build_as(self->compiled->scores[i], count, specs);
    }
    return add_metrics(self);
}

/* What the file has of a fit must be there to be filled. */
static gt_Status expect_fit(Checkpoint *self, const gt_TensorFile *file)
{
    static const gt_FitState nothing = {.begun = true};
    if (!self->fit || gt_tensor_file_find(file, FIT) < 0)
        return gt_context_status(self->context);
    add_position(self, &nothing);
    gt_Tensor *position = gt_tensor_file_load_named(file, FIT);
    if (position && gt_size(position) == FIT_POSITION && gt_element(position, FIT_BATCH) > 0)
        expect_metrics(self, file);
    return expect_history(self, file);
}

/* ---- entries that are no variables ---- */

static gt_Status check_dataset(gt_Context *context, const gt_Dataset *dataset,
                               const int64_t *position)
{
    int64_t rows = gt_dataset_size(dataset), seed = gt_dataset_seed(dataset);
    const bool known = rows >= 0 && position[ROWS] >= 0; /* those of a stream are not, until it was counted */
    if ((known && position[ROWS] != rows) || position[SEED] != seed)
        return gt_raise(
            context, GT_INVALID, NULL, NULL,
            "the dataset must have %lld rows and seed %lld, as when the checkpoint was saved "
            "(got %lld and %lld)",
            (long long)position[ROWS], (long long)position[SEED], (long long)rows, (long long)seed);
    if (position[EPOCH] < 0 || position[ROW] < 0 || (rows >= 0 && position[ROW] > rows))
        return gt_raise(context, GT_FORMAT, NULL, NULL,
                        "the position in the dataset is out of range");
    return gt_context_status(context);
}

static void take_dataset(Checkpoint *self, bool take, const int64_t *position)
{
    if (take)
        gt_dataset_return(self->dataset, (gt_DatasetPosition){position[EPOCH], position[ROW]});
    else
        check_dataset(self->context, self->dataset, position);
}

static void take_fit(Checkpoint *self, bool take, const int64_t *position)
{
    if (take) {
        self->fit->begun = true;
        self->fit->epoch = position[FIT_EPOCH];
        self->fit->batch = position[FIT_BATCH];
        self->fit->stopped = position[FIT_STOPPED] != 0;
        self->fit->at = (gt_DatasetPosition){position[FIT_DATASET_EPOCH], position[FIT_DATASET_ROW]};
    } else if (position[FIT_EPOCH] < 0 || position[FIT_BATCH] < 0 || position[FIT_DATASET_EPOCH] < 0 ||
               position[FIT_DATASET_ROW] < 0) {
        gt_raise(self->context, GT_FORMAT, NULL, NULL, "the position of the training is out of range");
    }
}

static void take_entry(void *user, bool take, const gt_NamedTensor *entry, const void *data)
{
    Checkpoint *self = user;
    if (strcmp(entry->name, FIT) == 0)
        take_fit(self, take, data);
    else if (strcmp(entry->name, EPOCHS) == 0) {
        if (take)
            gt_history_fill_epochs(self->history, data);
    } else if (strncmp(entry->name, HISTORY, sizeof HISTORY - 1) == 0) {
        if (take)
            gt_history_fill(self->history, entry->name + sizeof HISTORY - 1, data);
    } else
        take_dataset(self, take, data);
}

/* The file is opened first: it says what there is of a fit. */
static gt_Status load(Checkpoint *self, const char *path)
{
    gt_Context *context = self->context;
    gt_TensorFile *file = gt_open_tensors(path);
    if (!file)
        return gt_context_status(context);
    if (add_run(self) == GT_OK && expect_fit(self, file) == GT_OK && add_callbacks(self) == GT_OK &&
        gt_entries_fit(&self->list, path, file) == GT_OK &&
        gt_entries_fill(&self->list, file, take_entry, self) == GT_OK && self->fit) {
        if (gt_tensor_file_find(file, FIT) < 0)
            self->fit->begun = false;
        gt_fit_keep_history(self->fit, self->history);
        self->history = NULL;
    }
    if (self->history)
        gt_object_release(gt_history_object(self->history));
    gt_tensor_file_free(file);
    return gt_context_status(context);
}

static gt_Status run_checkpoint(Checkpoint *self, const char *path, bool saving)
{
    gt_Context *context = self->context;
    self->list.context = context;
    if (gt_scope_open(context)) {
        if (self->optimizer && !saving && !gt_optimizer_built(self->optimizer) &&
            gt_context_status(context) == GT_OK)
            gt_optimizer_build(self->optimizer, gt_trainable_variables(self->model));
        if (gt_context_status(context) == GT_OK)
            saving ? save(self, path) : load(self, path);
        gt_scope_close(context);
    }
    gt_entries_close(&self->list);
    return gt_context_status(context);
}

/* ---- in a run ---- */

static Checkpoint of_run(gt_CallbackRun *run)
{
    return (Checkpoint){.context = run->context,
                        .model = run->in.model,
                        .optimizer = run->compiled->optimizer,
                        .dataset = run->in.dataset,
                        .compiled = run->compiled,
                        .fit = run->fit,
                        .callbacks = run->items,
                        .callback_count = run->count};
}

gt_Status gt_checkpoint_write(gt_CallbackRun *run, const char *path)
{
    Checkpoint self = of_run(run);
    return run_checkpoint(&self, path, true);
}

gt_Status gt_checkpoint_resume(gt_CallbackRun *run, const char *path)
{
    Checkpoint self = of_run(run);
    if (run_checkpoint(&self, path, false) == GT_OK)
        run->in.resumed = run->fit->begun;
    return gt_context_status(run->context);
}

/* ---- the two functions ---- */

/* The callbacks that were given belong to the model from here on. */
static gt_Status give_callbacks(Checkpoint *self, gt_LayerState *state, const gt_Callbacks *list)
{
    gt_CallbackRun run = {0};
    if (list->count > 0 && !self->compiled)
        return gt_raise(self->context, GT_STATE, NULL, NULL,
                        "model %s is not compiled: callbacks need gt_compile first", state->name);
    if (gt_callbacks_enter(&run, self->context, state, self->compiled, list) == GT_OK &&
        gt_callbacks_build(&run) == GT_OK && list->count > 0)
        gt_fit_keep_callbacks(self->context, self->fit, run.items, run.count);
    gt_callbacks_leave(&run);
    return gt_context_status(self->context);
}

static gt_Status checkpoint_file(const char *here, const char *operation, const char *path,
                                 gt_Layer *model, const gt_save_checkpoint_options *given,
                                 bool saving)
{
    gt_save_checkpoint_options options;
    GT_TAKE(gt_save_checkpoint_options, &options, given);
    gt_callbacks_each(&options.callbacks, gt_object_sink);
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_entries_model(context, here, operation, model) : NULL;
    if (state && (!options.dataset || gt_dataset_check(context, here, operation, options.dataset))) {
        gt_Site site = gt_site_enter(here, operation);
        Checkpoint self = {.context = context,
                           .model = model,
                           .optimizer =
                               options.optimizer ? options.optimizer : gt_layer_optimizer(state),
                           .dataset = options.dataset,
                           .compiled = gt_compiled_of(state)};
        self.fit = self.compiled ? &self.compiled->fit : NULL;
        if (give_callbacks(&self, state, &options.callbacks) == GT_OK) {
            self.callbacks = self.fit ? self.fit->callbacks : NULL;
            self.callback_count = self.fit ? self.fit->callback_count : 0;
            run_checkpoint(&self, path, saving);
        }
        gt_site_leave(&site);
    }
    gt_callbacks_each(&options.callbacks, gt_object_release);
    return gt_status();
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
