/* Loss and metrics of every epoch of a gt_fit, by name. Leans on core for objects. */
#include "train/compiled.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void destroy_history(gt_Object *object)
{
    gt_History *self = (gt_History *)object;
    gt_release(object->context, self->values,
               (size_t)self->capacity * (size_t)self->count * sizeof(double));
    for (int32_t i = 0; i < self->count; i++)
        gt_free_text(object->context, self->names[i]);
}

static const gt_ObjectKind history_kind = {"history", destroy_history, false};

gt_History *gt_history_new(gt_Context *context, const gt_Compiled *compiled, bool validation)
{
    gt_History *self = gt_object_new(context, &history_kind, sizeof *self);
    for (int side = 0; self && side <= validation; side++)
        for (int32_t i = 0; i < compiled->count && gt_context_status(context) == GT_OK; i++) {
            char name[256];
            snprintf(name, sizeof name, "%s%s", side ? "val_" : "",
                     gt_metric_name(compiled->scores[i]));
            self->names[self->count] = gt_copy_text(context, name);
            self->count += self->names[self->count] != NULL;
        }
    if (gt_context_status(context) == GT_OK)
        return self;
    if (self)
        gt_object_release(&self->object);
    return NULL;
}

gt_Status gt_history_add(gt_History *self, const double *values)
{
    size_t bytes = (size_t)self->count * sizeof *values;
    if (!gt_reserve(self->object.context, (void **)&self->values, self->epochs, &self->capacity,
                    bytes))
        return gt_context_status(self->object.context);
    memcpy(self->values + (size_t)self->epochs * (size_t)self->count, values, bytes);
    self->epochs++;
    return GT_OK;
}

gt_Status gt_history_continue(gt_History *self, const gt_History *before)
{
    double values[2 * GT_MAX_SCORES];
    gt_Status status = GT_OK;
    for (int32_t epoch = 0; epoch < before->epochs && status == GT_OK; epoch++) {
        for (int32_t i = 0; i < self->count; i++) {
            int32_t column = 0;
            while (column < before->count && strcmp(before->names[column], self->names[i]) != 0)
                column++;
            values[i] = column < before->count ? before->values[epoch * before->count + column] : NAN;
        }
        status = gt_history_add(self, values);
    }
    return status;
}

gt_History *gt_history_blank(gt_Context *context, int32_t epochs, int32_t count,
                             const char *const *names)
{
    double nothing[2 * GT_MAX_SCORES] = {0};
    gt_History *self = NULL;
    if (count <= 2 * GT_MAX_SCORES)
        self = gt_object_new(context, &history_kind, sizeof *self);
    for (int32_t i = 0; self && i < count && gt_context_status(context) == GT_OK; i++) {
        self->names[i] = gt_copy_text(context, names[i]);
        self->count += self->names[i] != NULL;
    }
    for (int32_t i = 0; self && i < epochs && gt_context_status(context) == GT_OK; i++)
        gt_history_add(self, nothing);
    if (self && gt_context_status(context) == GT_OK)
        return self;
    if (self)
        gt_object_release(&self->object);
    return NULL;
}

gt_History *gt_history_copy(const gt_History *history)
{
    gt_History *self = gt_history_blank(history->object.context, 0, history->count,
                                        (const char *const *)history->names);
    if (!self || gt_history_continue(self, history) == GT_OK)
        return self;
    gt_object_release(&self->object);
    return NULL;
}

static const gt_History *look(const char *here, const char *operation, const gt_History *self)
{
    gt_Context *context = gt_enter();
    return context && gt_object_check(context, here, operation, self, &history_kind) ? self : NULL;
}

/* Says which names there are. */
static void raise_unknown(const gt_History *self, const char *here, const char *operation, const char *name)
{
    char known[400] = "";
    size_t used = 0;
    for (int32_t i = 0; i < self->count && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", self->names[i]);
    gt_raise(self->object.context, GT_INVALID, here, operation,
             "the history has no numbers called \"%s\"; it has %s", name, known);
}

double gt_history_get_at(const char *here, const gt_History *self, const char *name, int64_t epoch)
{
    static const char operation[] = "history_get";
    if (!look(here, operation, self))
        return NAN;
    int64_t at = epoch < 0 ? epoch + self->epochs : epoch;
    int32_t column = 0;
    while (column < self->count && strcmp(self->names[column], name ? name : "") != 0)
        column++;
    if (column < self->count && at >= 0 && at < self->epochs)
        return self->values[at * self->count + column];
    if (column == self->count)
        raise_unknown(self, here, operation, name ? name : "(NULL)");
    else
        gt_raise(self->object.context, GT_INVALID, here, operation,
                 "epoch %lld is out of range: the history has %d epoch%s", (long long)epoch,
                 (int)self->epochs, self->epochs == 1 ? "" : "s");
    return NAN;
}

int64_t gt_history_epoch_count_at(const char *here, const gt_History *self)
{
    return look(here, "history_epoch_count", self) ? self->epochs : -1;
}

int gt_history_name_count_at(const char *here, const gt_History *self)
{
    return look(here, "history_name_count", self) ? self->count : -1;
}

const char *gt_history_name_at(const char *here, const gt_History *self, int index)
{
    if (!look(here, "history_name", self))
        return NULL;
    if (index >= 0 && index < self->count)
        return self->names[index];
    gt_raise(self->object.context, GT_INVALID, here, "history_name",
             "index %d is out of range: the history has %d names", index, (int)self->count);
    return NULL;
}

void gt_history_free(gt_History *history)
{
    gt_object_free("history_free", history, &history_kind);
}
