/* Weights and checkpoints: which variables go under which names, and filling them from a file only
 * when all of it fits and has been read. Leans on io/safetensors.h. */
#include "train/checkpoint.h"
#include "core/text.h"
#include "io/safetensors.h"
#include "ops/math/random.h"
#include "train/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_save_checkpoint_options, gt_save_checkpoint_OPTIONS);

#define LONGEST_NAME 2304 /* a path and what stands around it */

/* ---- what is in a file ---- */

typedef struct List {
    gt_Context *context;
    gt_NamedTensor
        *items; /* names are owned; tensors are variables, and one that tells a position */
    int32_t count, capacity;
} List;

static gt_Status add(List *list, const gt_Tensor *tensor, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static gt_Status add(List *list, const gt_Tensor *tensor, const char *format, ...)
{
    char name[LONGEST_NAME];
    va_list arguments;
    va_start(arguments, format);
    gt_text_list(name, sizeof name, format, arguments);
    va_end(arguments);
    if (gt_context_status(list->context) != GT_OK ||
        !gt_reserve(list->context, (void **)&list->items, list->count, &list->capacity,
                    sizeof *list->items))
        return gt_context_status(list->context);
    char *copy = gt_copy_text(list->context, name);
    if (copy)
        list->items[list->count++] = (gt_NamedTensor){copy, tensor};
    return gt_context_status(list->context);
}

static void free_list(List *list)
{
    for (int32_t i = 0; i < list->count; i++)
        gt_release(list->context, (void *)(uintptr_t)list->items[i].name,
                   strlen(list->items[i].name) + 1);
    gt_release(list->context, list->items, (size_t)list->capacity * sizeof *list->items);
}

static gt_Status add_variables(List *list, gt_Layer *model, gt_Tensors variables,
                               const char *prefix)
{
    for (int32_t i = 0; i < variables.count && gt_context_status(list->context) == GT_OK; i++) {
        const char *path = gt_variable_path(model, variables.items[i]);
        if (path)
            add(list, variables.items[i], "%s%s", prefix, path);
    }
    return gt_context_status(list->context);
}

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

static gt_Status add_optimizer(List *list, gt_Layer *model, const gt_Optimizer *optimizer)
{
    gt_Tensors state = gt_optimizer_variables(optimizer);
    for (int32_t i = 0; i < state.count && gt_context_status(list->context) == GT_OK; i++) {
        PathOf path = {.model = model};
        char name[LONGEST_NAME];
        gt_optimizer_variable_name(optimizer, i, path_of, &path, name, sizeof name);
        size_t length = strlen(path.text);
        if (length)
            add(list, state.items[i], "optimizer/%s/%s", path.text, name + length + 1);
        else
            add(list, state.items[i], "optimizer/%s", name);
    }
    return gt_context_status(list->context);
}

/* epoch, row; seed and rows, so that another dataset is not taken for this one. */
enum { EPOCH, ROW, SEED, ROWS, POSITION };

static gt_Status add_dataset(List *list, const gt_Dataset *dataset)
{
    gt_DatasetPosition at = gt_dataset_mark(dataset);
    int64_t position[POSITION] = {at.epoch, at.row, gt_dataset_seed(dataset),
                                  gt_dataset_size(dataset)};
    return add(list, gt_from_data(position, gt_shape(POSITION), GT_INT64), "dataset/position");
}

static gt_Status add_checkpoint(List *list, gt_Layer *model, const gt_Optimizer *optimizer,
                                const gt_Dataset *dataset)
{
    add_variables(list, model, gt_variables(model), "model/");
    if (optimizer)
        add_optimizer(list, model, optimizer);
    if (dataset)
        add_dataset(list, dataset);
    gt_Variable *generator = gt_default_generator();
    return generator ? add(list, generator, "generator") : gt_context_status(list->context);
}

/* ---- does a file fit? ---- */

/* A list of complaints, as long as there is room for it. */
typedef struct Complaints {
    char text[880];
    size_t used;
    int64_t count, left_out;
} Complaints;

static void complain(Complaints *complaints, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void complain(Complaints *complaints, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    gt_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t length = strlen(text);
    complaints->count++;
    if (complaints->left_out || complaints->used + length + 3 > sizeof complaints->text) {
        complaints->left_out++;
        return;
    }
    snprintf(complaints->text + complaints->used, sizeof complaints->text - complaints->used,
             "%s%s", complaints->used ? "; " : "", text);
    complaints->used = strlen(complaints->text);
}

static void compare_entry(const gt_TensorFile *file, const gt_NamedTensor *entry, bool *known,
                          Complaints *complaints)
{
    char here[160], there[160];
    int64_t at = gt_tensor_file_find(file, entry->name);
    if (at < 0) {
        complain(complaints, "%.200s is missing", entry->name);
        return;
    }
    known[at] = true;
    gt_Spec wanted = gt_spec(entry->tensor), found = gt_tensor_file_spec(file, at);
    if (!gt_spec_equal(&wanted, &found))
        complain(complaints, "%.200s must be %s (got %s)", entry->name,
                 gt_spec_text(&wanted, here, sizeof here),
                 gt_spec_text(&found, there, sizeof there));
}

static gt_Status check_file(const List *list, const char *path, const gt_TensorFile *file)
{
    gt_Context *context = list->context;
    int64_t count = gt_tensor_file_count(file);
    if (count < 0)
        return gt_context_status(context);
    Complaints complaints = {.used = 0};
    bool *known = gt_allocate_zeroed(context, (size_t)count);
    if (!known)
        return gt_context_status(context);
    for (int32_t i = 0; i < list->count; i++)
        compare_entry(file, &list->items[i], known, &complaints);
    for (int64_t i = 0; i < count; i++)
        if (!known[i])
            complain(&complaints, "%.200s is in the file only", gt_tensor_file_name(file, i));
    gt_release(context, known, (size_t)count);
    if (complaints.left_out)
        return gt_raise(context, GT_INVALID, NULL, NULL, "%s does not fit: %s; and %lld more", path,
                        complaints.text, (long long)complaints.left_out);
    if (complaints.count)
        return gt_raise(context, GT_INVALID, NULL, NULL, "%s does not fit: %s", path,
                        complaints.text);
    return gt_context_status(context);
}

/* ---- filling ---- */

static size_t padded(const gt_Tensor *tensor)
{
    gt_Spec spec = gt_spec(tensor);
    return gt_aligned(gt_spec_bytes(&spec));
}

/* The numbers of all entries, one after the other. */
static gt_Status read_all(const List *list, const gt_TensorFile *file, char *data)
{
    for (int32_t i = 0; i < list->count && gt_context_status(list->context) == GT_OK; i++) {
        gt_Spec spec = gt_spec(list->items[i].tensor);
        gt_tensor_file_load_into(file, gt_tensor_file_find(file, list->items[i].name), data,
                                 gt_spec_bytes(&spec));
        data += padded(list->items[i].tensor);
    }
    return gt_context_status(list->context);
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

/* After this nothing can fail: the variables' bytes are their own. */
static gt_Status own_all(const List *list)
{
    for (int32_t i = 0; i < list->count && gt_context_status(list->context) == GT_OK; i++)
        if (gt_is_variable(list->items[i].tensor))
            gt_variable_replace(list->context, list->items[i].tensor);
    return gt_context_status(list->context);
}

static void fill_all(const List *list, gt_Dataset *dataset, const char *data)
{
    for (int32_t i = 0; i < list->count; i++) {
        const gt_Tensor *tensor = list->items[i].tensor;
        if (gt_is_variable(tensor)) {
            memcpy(gt_tensor_data(tensor), data, gt_spec_bytes(gt_tensor_spec(tensor)));
        } else {
            int64_t position[POSITION];
            memcpy(position, data, sizeof position);
            gt_dataset_return(dataset, (gt_DatasetPosition){position[EPOCH], position[ROW]});
        }
        data += padded(list->items[i].tensor);
    }
}

static gt_Status load(const List *list, const char *path, gt_Dataset *dataset)
{
    gt_Context *context = list->context;
    gt_TensorFile *file = gt_open_tensors(path);
    if (!file)
        return gt_context_status(context);
    if (check_file(list, path, file) == GT_OK) {
        size_t bytes = 0;
        for (int32_t i = 0; i < list->count; i++)
            bytes += padded(list->items[i].tensor);
        char *data = gt_allocate(context, bytes);
        if (data && read_all(list, file, data) == GT_OK) {
            const char *at = data;
            for (int32_t i = 0; i < list->count; i++) {
                if (!gt_is_variable(list->items[i].tensor))
                    check_position(context, dataset, (const int64_t *)(const void *)at);
                at += padded(list->items[i].tensor);
            }
            if (gt_context_status(context) == GT_OK && own_all(list) == GT_OK)
                fill_all(list, dataset, data);
        }
        gt_release(context, data, bytes);
    }
    gt_tensor_file_free(file);
    return gt_context_status(context);
}

static gt_Status save(const List *list, const char *path)
{
    if (gt_context_status(list->context) == GT_OK)
        gt_save_tensors(path, ((gt_NamedTensors){list->items, list->count}));
    return gt_context_status(list->context);
}

/* ---- the four functions ---- */

static gt_LayerState *check_model(gt_Context *context, const char *here, const char *operation,
                                  const gt_Layer *model)
{
    gt_LayerState *state = gt_layer_check(context, here, operation, model);
    if (!state)
        return NULL;
    if (!state->built)
        gt_raise(context, GT_STATE, here, operation,
                 "model %s is not built, so it has no weights yet: first gt_build(model, shape of "
                 "a batch, dtype), or call it once",
                 state->name);
    else if (gt_tracing(context))
        gt_raise(context, GT_STATE, here, operation, "it cannot run inside a traced function");
    else
        return state;
    return NULL;
}

static gt_Status weights_file(const char *here, const char *operation, gt_Layer *model,
                              const char *path, bool saving)
{
    gt_Context *context = gt_enter();
    if (!context || !check_model(context, here, operation, model))
        return gt_status();
    gt_Site site = gt_site_enter(here, operation);
    List list = {.context = context};
    if (add_variables(&list, model, gt_weights(model), "") == GT_OK) {
        if (saving)
            save(&list, path);
        else
            load(&list, path, NULL);
    }
    free_list(&list);
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

static gt_Status checkpoint_file(const char *here, const char *operation, const char *path,
                                 gt_Layer *model, const gt_save_checkpoint_options *given,
                                 bool saving)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? check_model(context, here, operation, model) : NULL;
    if (!state)
        return gt_status();
    gt_save_checkpoint_options options = GT_TAKE(gt_save_checkpoint_options, given);
    gt_Dataset *dataset = options.dataset;
    gt_Optimizer *optimizer = options.optimizer ? options.optimizer : gt_layer_optimizer(state);
    if (dataset && !gt_dataset_check(context, here, operation, dataset))
        return gt_context_status(context);
    gt_Site site = gt_site_enter(here, operation);
    List list = {.context = context};
    if (gt_scope_open(context)) {
        if (optimizer && !saving && !gt_optimizer_built(optimizer) &&
            gt_context_status(context) == GT_OK)
            gt_optimizer_build(optimizer, gt_trainable_variables(model));
        if (add_checkpoint(&list, model, optimizer, dataset) == GT_OK) {
            if (saving)
                save(&list, path);
            else
                load(&list, path, dataset);
        }
        gt_scope_close(context);
    }
    free_list(&list);
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
