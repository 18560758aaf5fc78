/* The numbers of the epochs of a gt_fit, by name; as text and in files. Leans on core for objects, on io for JSON and files. */
#include "io/json.h"
#include "io/number.h"
#include "train/compiled.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A number of an epoch, which may be NaN; or none: NaN that was not logged. */
typedef struct Entry {
    double value;
    bool logged;
} Entry;

/* A name, and its entry in every epoch. */
typedef struct Column {
    char *name; /* owned */
    Entry *entries;
    int32_t capacity;
} Column;

struct gt_History {
    gt_Object object;
    Column *columns;
    int32_t count, capacity;
    int64_t *epochs; /* their numbers in the whole training */
    int32_t epoch_count, epoch_capacity;
    gt_Bytes text; /* the last one that was handed out */
};

static void destroy_history(gt_Object *object)
{
    gt_History *self = (gt_History *)object;
    for (int32_t i = 0; i < self->count; i++) {
        Column *column = &self->columns[i];
        gt_release(object->context, column->entries,
                   (size_t)column->capacity * sizeof *column->entries);
        gt_free_text(object->context, column->name);
    }
    gt_release(object->context, self->columns, (size_t)self->capacity * sizeof *self->columns);
    gt_release(object->context, self->epochs, (size_t)self->epoch_capacity * sizeof *self->epochs);
    gt_bytes_release(object->context, &self->text);
}

static const gt_ObjectKind history_kind = {"history", destroy_history, false};

gt_Object *gt_history_object(gt_History *history)
{
    return &history->object;
}

gt_History *gt_history_new(gt_Context *context)
{
    return gt_object_new(context, &history_kind, sizeof(gt_History));
}

void gt_history_free(gt_History *history)
{
    gt_object_free("history_free", history, &history_kind);
}

/* ---- adding epochs ---- */

static int32_t find(const gt_History *self, const char *name)
{
    int32_t i = 0;
    while (i < self->count && strcmp(self->columns[i].name, name) != 0)
        i++;
    return i;
}

/* Makes room for entry number `count`; a new column has no number in the epochs before. */
static bool append(gt_History *self, Column *column, int32_t count)
{
    for (int32_t have = column->entries ? count : 0; have <= count; have++) {
        if (!gt_reserve(self->object.context, (void **)&column->entries, have, &column->capacity,
                        sizeof *column->entries))
            return false;
        column->entries[have] = (Entry){(double)NAN, false};
    }
    return true;
}

static bool add_column(gt_History *self, const char *name)
{
    gt_Context *context = self->object.context;
    if (!gt_reserve(context, (void **)&self->columns, self->count, &self->capacity,
                    sizeof *self->columns))
        return false;
    char *copy = gt_copy_text(context, name);
    if (copy)
        self->columns[self->count++] = (Column){.name = copy};
    return copy != NULL;
}

gt_Status gt_history_add(gt_History *self, int64_t epoch, const gt_Logs *logs)
{
    gt_Context *context = self->object.context;
    int32_t count = self->epoch_count;
    if (!gt_reserve(context, (void **)&self->epochs, count, &self->epoch_capacity,
                    sizeof *self->epochs))
        return gt_context_status(context);
    for (int32_t i = 0; i < logs->count; i++)
        if (find(self, logs->names[i]) == self->count && !add_column(self, logs->names[i]))
            return gt_context_status(context);
    for (int32_t i = 0; i < self->count; i++)
        if (!append(self, &self->columns[i], count))
            return gt_context_status(context);
    for (int32_t i = 0; i < logs->count; i++)
        self->columns[find(self, logs->names[i])].entries[count] = (Entry){logs->values[i], true};
    self->epochs[self->epoch_count++] = epoch;
    return GT_OK;
}

/* ---- in files ---- */

gt_History *gt_history_blank(gt_Context *context, int32_t epochs, int32_t count,
                             const char *const *names)
{
    gt_History *self = gt_history_new(context);
    const gt_Logs nothing = {0};
    for (int32_t i = 0; self && i < count && gt_context_status(context) == GT_OK; i++)
        add_column(self, names[i]);
    for (int32_t i = 0; self && i < epochs && gt_context_status(context) == GT_OK; i++)
        gt_history_add(self, 0, &nothing);
    if (!self || gt_context_status(context) == GT_OK)
        return self;
    gt_object_release(&self->object);
    return NULL;
}

/* A quiet NaN that no computation gives: nothing was logged. */
static double nothing_logged(void)
{
    const uint64_t bits = UINT64_C(0x7ff8677461706500);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void gt_history_read_epochs(const gt_History *self, int64_t *epochs)
{
    for (int32_t i = 0; i < self->epoch_count; i++)
        epochs[i] = self->epochs[i];
}

void gt_history_read(const gt_History *self, int32_t column, double *values)
{
    for (int32_t i = 0; i < self->epoch_count; i++) {
        const Entry *entry = &self->columns[column].entries[i];
        values[i] = entry->logged ? entry->value : nothing_logged();
    }
}

void gt_history_fill_epochs(gt_History *self, const int64_t *epochs)
{
    for (int32_t i = 0; i < self->epoch_count; i++)
        self->epochs[i] = epochs[i];
}

void gt_history_fill(gt_History *self, const char *name, const double *values)
{
    const double nothing = nothing_logged();
    int32_t column = find(self, name);
    for (int32_t i = 0; column < self->count && i < self->epoch_count; i++)
        self->columns[column].entries[i] = (Entry){values[i], memcmp(&values[i], &nothing, sizeof nothing) != 0};
}

gt_History *gt_history_copy(const gt_History *history)
{
    gt_Context *context = history->object.context;
    gt_History *self = gt_history_blank(context, history->epoch_count, 0, NULL);
    for (int32_t i = 0; self && i < history->count && gt_context_status(context) == GT_OK; i++)
        if (add_column(self, history->columns[i].name))
            for (int32_t j = 0; j < self->epoch_count && append(self, &self->columns[i], j); j++)
                self->columns[i].entries[j] = history->columns[i].entries[j];
    if (self)
        gt_history_fill_epochs(self, history->epochs);
    if (!self || gt_context_status(context) == GT_OK)
        return self;
    gt_object_release(&self->object);
    return NULL;
}

/* ---- looking at one ---- */

static const gt_History *look(const char *here, const char *operation, const gt_History *self)
{
    gt_Context *context = gt_enter();
    return context && gt_object_check(context, here, operation, self, &history_kind) ? self : NULL;
}

/* Says which names there are. */
static void raise_unknown(const gt_History *self, const char *here, const char *operation,
                          const char *name)
{
    char known[400] = "";
    size_t used = 0;
    for (int32_t i = 0; i < self->count && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                 self->columns[i].name);
    gt_raise(self->object.context, GT_INVALID, here, operation,
             "the history has no numbers called \"%s\"; it has %s", name, known);
}

/* The column of that name; NULL with an error. */
static const Column *column_of(const char *here, const char *operation, const gt_History *self,
                               const char *name)
{
    if (!look(here, operation, self))
        return NULL;
    int32_t i = find(self, name ? name : "");
    if (i < self->count)
        return &self->columns[i];
    raise_unknown(self, here, operation, name ? name : "(NULL)");
    return NULL;
}

/* Where that epoch is, negative from the end; -1 with an error. */
static int64_t row_of(const char *here, const char *operation, const gt_History *self,
                      int64_t epoch)
{
    int64_t row = epoch < 0 ? epoch + self->epoch_count : epoch;
    if (row >= 0 && row < self->epoch_count)
        return row;
    gt_raise(self->object.context, GT_INVALID, here, operation,
             "epoch %lld is out of range: the history has %d epoch%s", (long long)epoch,
             (int)self->epoch_count, self->epoch_count == 1 ? "" : "s");
    return -1;
}

double gt_history_get_at(const char *here, const gt_History *self, const char *name, int64_t epoch)
{
    const Column *column = column_of(here, "history_get", self, name);
    int64_t row = column ? row_of(here, "history_get", self, epoch) : -1;
    return row < 0 ? (double)NAN : column->entries[row].value;
}

gt_Tensor *gt_history_values_at(const char *here, const gt_History *self, const char *name)
{
    const Column *column = column_of(here, "history_values", self, name);
    gt_Spec spec = {0};
    void *data;
    if (!column || !gt_spec_set(&spec, GT_FLOAT64, gt_shape(self->epoch_count)))
        return NULL;
    gt_Tensor *values = gt_tensor_new(self->object.context, &spec, &data);
    for (int32_t row = 0; values && row < self->epoch_count; row++)
        ((double *)data)[row] = column->entries[row].value;
    return values;
}

int64_t gt_history_epoch_count_at(const char *here, const gt_History *self)
{
    return look(here, "history_epoch_count", self) ? self->epoch_count : -1;
}

int64_t gt_history_epoch_at(const char *here, const gt_History *self, int64_t epoch)
{
    if (!look(here, "history_epoch", self))
        return -1;
    int64_t row = row_of(here, "history_epoch", self, epoch);
    return row < 0 ? -1 : self->epochs[row];
}

int gt_history_name_count_at(const char *here, const gt_History *self)
{
    return look(here, "history_name_count", self) ? self->count : -1;
}

const char *gt_history_name_at(const char *here, const gt_History *self, int index)
{
    if (!look(here, "history_name", self))
        return "";
    if (index >= 0 && index < self->count)
        return self->columns[index].name;
    gt_raise(self->object.context, GT_INVALID, here, "history_name",
             "index %d is out of range: the history has %d names", index, (int)self->count);
    return "";
}

/* ---- as text ---- */

/* Whatever is added to the text comes through here. */
#define put(self, ...) gt_json_put((self)->object.context, &(self)->text, __VA_ARGS__)

/* A name in a CSV file: in quotes, which it doubles, if it has what would end a field. */
static bool put_name(gt_History *self, const char *name)
{
    const char *quote = strpbrk(name, ",\"\n\r") ? "\"" : "";
    bool done = put(self, "%s", quote);
    for (; *name && done; name++)
        done = put(self, "%s%c", *name == '"' ? "\"" : "", *name);
    return done && put(self, "%s", quote);
}

static bool put_csv_epoch(gt_History *self, int32_t row)
{
    char text[GT_NUMBER_TEXT];
    bool done = put(self, "%lld", (long long)self->epochs[row]);
    for (int32_t i = 0; i < self->count && done; i++) {
        Entry entry = self->columns[i].entries[row];
        done = put(self, ",%s", entry.logged ? gt_number_text(entry.value, false, text) : "");
    }
    return done && put(self, "\n");
}

static bool put_csv(gt_History *self)
{
    bool done = put(self, "epoch");
    for (int32_t i = 0; i < self->count && done; i++)
        done = put(self, ",") && put_name(self, self->columns[i].name);
    done = done && put(self, "\n");
    for (int32_t row = 0; row < self->epoch_count && done; row++)
        done = put_csv_epoch(self, row);
    return done;
}

/* JSON has no number for three of them. */
static bool put_json_entry(gt_History *self, Entry entry)
{
    char text[GT_NUMBER_TEXT];
    if (!entry.logged)
        return put(self, "null");
    if (isnan(entry.value))
        return put(self, "\"NaN\"");
    if (isinf(entry.value))
        return put(self, "%s", entry.value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    return put(self, "%s", gt_number_text(entry.value, false, text));
}

static bool put_json(gt_History *self)
{
    bool done = put(self, "{\"epoch\": [");
    for (int32_t row = 0; row < self->epoch_count && done; row++)
        done = put(self, "%s%lld", row ? ", " : "", (long long)self->epochs[row]);
    for (int32_t i = 0; i < self->count && done; i++) {
        const Column *column = &self->columns[i];
        done = put(self, "], ") &&
               gt_json_put_string(self->object.context, &self->text, column->name) &&
               put(self, ": [");
        for (int32_t row = 0; row < self->epoch_count && done; row++)
            done = put(self, "%s", row ? ", " : "") && put_json_entry(self, column->entries[row]);
    }
    return done && put(self, "]}\n");
}

/* The text anew; NULL with an error. */
static const char *write_text(const char *here, const char *operation, gt_History *self,
                              bool (*write)(gt_History *self))
{
    if (!look(here, operation, self))
        return NULL;
    self->text.size = 0;
    gt_Site site = gt_site_enter(here, operation);
    bool done = write(self) && gt_bytes_reserve(self->object.context, &self->text, 1);
    if (done)
        self->text.data[self->text.size] = 0;
    gt_site_leave(&site);
    return done ? self->text.data : NULL;
}

const char *gt_history_csv_at(const char *here, gt_History *self)
{
    const char *text = write_text(here, "history_csv", self, put_csv);
    return text ? text : "";
}

const char *gt_history_json_at(const char *here, gt_History *self)
{
    const char *text = write_text(here, "history_json", self, put_json);
    return text ? text : "";
}

gt_Status gt_save_history_at(const char *here, const char *path, gt_History *self)
{
    static const char operation[] = "save_history";
    size_t length = path ? strlen(path) : 0;
    bool json = length >= 5 && strcmp(path + length - 5, ".json") == 0;
    const char *text = write_text(here, operation, self, json ? put_json : put_csv);
    if (!text)
        return gt_status();
    gt_Context *context = self->object.context;
    gt_FileWriter writer;
    gt_Site site = gt_site_enter(here, operation);
    if (!path)
        gt_fail(GT_INVALID, "path is NULL");
    else if (gt_file_create(context, &writer, path)) {
        if (gt_file_write(&writer, text, strlen(text)))
            gt_file_commit(&writer);
        gt_file_discard(&writer);
    }
    gt_site_leave(&site);
    return gt_context_status(context);
}
