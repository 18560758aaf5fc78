/* The entries of a file of tensors: which variables go under which names, and filling them from a file only when all of it
 * fits and has been read. Weights, models and checkpoints are made of these. Leans on io/safetensors.h.
 *
 *     gt_entries_add_variables ... -> gt_entries_save
 *     gt_entries_add_variables ... -> gt_entries_load: gt_entries_fit, gt_entries_fill */
#include "models/entries.h"
#include "core/text.h"
#include "layers/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

gt_Status gt_entries_add(gt_Entries *list, const gt_Tensor *tensor, const char *format, ...)
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

void gt_entries_close(gt_Entries *list)
{
    for (int32_t i = 0; i < list->count; i++)
        gt_release(list->context, (void *)(uintptr_t)list->items[i].name,
                   strlen(list->items[i].name) + 1);
    gt_release(list->context, list->items, (size_t)list->capacity * sizeof *list->items);
}

gt_Status gt_entries_add_variables(gt_Entries *list, gt_Layer *model, gt_Tensors variables,
                                   const char *prefix)
{
    for (int32_t i = 0; i < variables.count && gt_context_status(list->context) == GT_OK; i++) {
        const char *path = gt_variable_path(model, variables.items[i]);
        if (*path)
            gt_entries_add(list, variables.items[i], "%s%s", prefix, path);
    }
    return gt_context_status(list->context);
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

/* How an entry and a file fit. */
typedef enum Fit { FITS, MISSING, MISMATCHED } Fit;

static Fit compare_entry(const gt_TensorFile *file, const gt_NamedTensor *entry, bool *known,
                         Complaints *complaints)
{
    char here[160], there[160];
    int64_t at = gt_tensor_file_find(file, entry->name);
    if (at < 0) {
        complain(complaints, "%.200s is missing", entry->name);
        return MISSING;
    }
    known[at] = true;
    gt_Spec wanted = gt_spec(entry->tensor), found = gt_tensor_file_spec(file, at);
    if (gt_spec_equal(&wanted, &found))
        return FITS;
    complain(complaints, "%.200s must be %s (got %s)", entry->name,
             gt_spec_text(&wanted, here, sizeof here), gt_spec_text(&found, there, sizeof there));
    return MISMATCHED;
}

/* Paths do not begin with '/': such names stand beside the weights of a model's file, which loads of weights pass over. */
static bool is_beside(const char *name)
{
    return name && name[0] == '/';
}

gt_Status gt_entries_fit(const gt_Entries *list, const char *path, const gt_TensorFile *file)
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
        if (!known[i] && (list->beside || !is_beside(gt_tensor_file_name(file, i))))
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

/* Takes out the entries that the file does not have as they are. */
static gt_Status keep_fitting(gt_Entries *list, const gt_TensorFile *file, gt_LoadReport *report,
                              Complaints *complaints)
{
    gt_Context *context = list->context;
    int64_t count = gt_tensor_file_count(file);
    bool *known = count < 0 ? NULL : gt_allocate_zeroed(context, (size_t)count);
    int32_t kept = 0;
    if (!known)
        return gt_context_status(context);
    for (int32_t i = 0; i < list->count; i++) {
        gt_NamedTensor entry = list->items[i];
        Fit fit = compare_entry(file, &entry, known, complaints);
        report->missing += fit == MISSING;
        report->mismatched += fit == MISMATCHED;
        if (fit == FITS)
            list->items[kept++] = entry;
        else
            gt_free_text(context, (char *)(uintptr_t)entry.name); /* NOLINT: it is the list's */
    }
    list->count = kept;
    report->loaded = kept;
    for (int64_t i = 0; i < count; i++)
        if (!known[i] && !is_beside(gt_tensor_file_name(file, i))) {
            complain(complaints, "%.200s is in the file only", gt_tensor_file_name(file, i));
            report->unused++;
        }
    gt_release(context, known, (size_t)count);
    return gt_context_status(context);
}

gt_Status gt_entries_load_fitting(gt_Entries *list, const char *path, gt_LoadReport *report)
{
    gt_Context *context = list->context;
    Complaints complaints = {.used = 0};
    gt_TensorFile *file = gt_open_tensors(path);
    *report = (gt_LoadReport){.text = ""};
    if (!file)
        return gt_context_status(context);
    if (keep_fitting(list, file, report, &complaints) == GT_OK)
        gt_entries_fill(list, file, NULL, NULL);
    gt_tensor_file_free(file);
    size_t size;
    char *text = gt_context_text(context, &size);
    if (complaints.left_out)
        snprintf(text, size, "%s; and %lld more", complaints.text, (long long)complaints.left_out);
    else
        snprintf(text, size, "%s", complaints.used ? complaints.text : "");
    report->text = text;
    return gt_context_status(context);
}

static size_t padded(const gt_Tensor *tensor)
{
    gt_Spec spec = gt_spec(tensor);
    return gt_aligned(gt_spec_bytes(&spec));
}

/* The numbers of all entries, one after the other. */
static gt_Status read_all(const gt_Entries *list, const gt_TensorFile *file, char *data)
{
    for (int32_t i = 0; i < list->count && gt_context_status(list->context) == GT_OK; i++) {
        gt_Spec spec = gt_spec(list->items[i].tensor);
        gt_tensor_file_load_into(file, gt_tensor_file_find(file, list->items[i].name), data,
                                 gt_spec_bytes(&spec));
        data += padded(list->items[i].tensor);
    }
    return gt_context_status(list->context);
}

/* After this nothing can fail: the variables' bytes are their own. */
static gt_Status own_all(const gt_Entries *list)
{
    for (int32_t i = 0; i < list->count && gt_context_status(list->context) == GT_OK; i++)
        if (gt_is_variable(list->items[i].tensor))
            gt_variable_replace(list->context, list->items[i].tensor);
    return gt_context_status(list->context);
}

/* Calls `other` for the entries that are no variables. */
static gt_Status check_others(const gt_Entries *list, const char *data, gt_EntryReader other,
                              void *user)
{
    for (int32_t i = 0; i < list->count && gt_context_status(list->context) == GT_OK; i++) {
        if (!gt_is_variable(list->items[i].tensor))
            other(user, false, &list->items[i], data);
        data += padded(list->items[i].tensor);
    }
    return gt_context_status(list->context);
}

static void fill_all(const gt_Entries *list, const char *data, gt_EntryReader other, void *user)
{
    for (int32_t i = 0; i < list->count; i++) {
        const gt_Tensor *tensor = list->items[i].tensor;
        if (gt_is_variable(tensor))
            memcpy(gt_tensor_data(tensor), data, gt_spec_bytes(gt_tensor_spec(tensor)));
        else
            other(user, true, &list->items[i], data);
        data += padded(tensor);
    }
}

gt_Status gt_entries_fill(const gt_Entries *list, const gt_TensorFile *file, gt_EntryReader other,
                          void *user)
{
    gt_Context *context = list->context;
    size_t bytes = 0;
    for (int32_t i = 0; i < list->count; i++)
        bytes += padded(list->items[i].tensor);
    char *data = gt_allocate(context, bytes);
    if (data && read_all(list, file, data) == GT_OK &&
        check_others(list, data, other, user) == GT_OK && own_all(list) == GT_OK)
        fill_all(list, data, other, user);
    gt_release(context, data, bytes);
    return gt_context_status(context);
}

gt_Status gt_entries_load(const gt_Entries *list, const char *path, gt_EntryReader other, void *user)
{
    gt_Context *context = list->context;
    gt_TensorFile *file = gt_open_tensors(path);
    if (!file)
        return gt_context_status(context);
    if (gt_entries_fit(list, path, file) == GT_OK)
        gt_entries_fill(list, file, other, user);
    gt_tensor_file_free(file);
    return gt_context_status(context);
}

gt_Status gt_entries_save(const gt_Entries *list, const char *path, gt_Metadata metadata)
{
    if (gt_context_status(list->context) == GT_OK)
        gt_save_tensors(path, ((gt_NamedTensors){list->items, list->count}), .metadata = metadata);
    return gt_context_status(list->context);
}

gt_LayerState *gt_entries_model(gt_Context *context, const char *here, const char *operation,
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
