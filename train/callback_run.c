/* One run's callbacks: held while it runs, told at its hooks, and what is logged for them.
 *
 *     enter -> (build) -> tell TRAIN_BEGIN ... tell TRAIN_END -> leave
 *
 * Those of `outer` classes stand around the others: they are told of a begin first and of an end last, so that a checkpoint
 * written at the end of an epoch holds what the others made of it, and one read at the begin of a run is there before they
 * start. */
#include "train/callback_run.h"
#include "core/text.h"

#include <stdio.h>
#include <string.h>

static const char *const hook_names[GT_HOOK_COUNT] = {
    "train_begin",      "train_end",      "epoch_begin",        "epoch_end",       "train_batch_begin",
    "train_batch_end",  "test_begin",     "test_end",           "test_batch_begin", "test_batch_end",
    "predict_begin",    "predict_end",    "predict_batch_begin", "predict_batch_end"};

/* ---- which they are ---- */

/* A callback in the place of the list of them; NULL: none. */
static gt_Object *lone_callback(const gt_Callbacks *list)
{
    void *items = (void *)(uintptr_t)list->items;
    return list->count == 0 && gt_object_is(items, &gt_callback_kind) ? items : NULL;
}

void gt_callbacks_each(const gt_Callbacks *list, void (*with)(gt_Object *object))
{
    if (lone_callback(list))
        with(lone_callback(list));
    for (int32_t i = 0; gt_is_address(list->items) && i < list->count; i++)
        if (gt_object_is(list->items[i], &gt_callback_kind))
            with((gt_Object *)list->items[i]);
}

gt_Status gt_callbacks_check(gt_Context *context, const gt_Callbacks *list)
{
    if (lone_callback(list) || (list->items && !gt_is_address(list->items)) || list->count < 0 ||
        (list->count > 0 && !list->items))
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "callbacks must be a list, gt_callbacks(...) (got %s)",
                        lone_callback(list) ? "a callback" : "a number");
    for (int32_t i = 0; i < list->count; i++) {
        if (!gt_object_check(context, NULL, NULL, list->items[i], &gt_callback_kind))
            return gt_context_status(context);
        if (list->items[i]->object.context != context)
            return gt_raise(context, GT_STATE, NULL, NULL, "callback %s belongs to another context",
                            list->items[i]->type->name);
        for (int32_t j = 0; j < i; j++)
            if (list->items[i] == list->items[j])
                return gt_raise(context, GT_INVALID, NULL, NULL,
                                "callback %s is in the list twice", list->items[i]->type->name);
    }
    return gt_context_status(context);
}

gt_Status gt_callbacks_enter(gt_CallbackRun *run, gt_Context *context, gt_LayerState *model,
                             gt_Compiled *compiled, const gt_Callbacks *list)
{
    run->context = context;
    run->compiled = compiled;
    run->in = (gt_CallbackArgs){.size = sizeof run->in,
                                .model = model->layer,
                                .epoch = -1,
                                .epochs = -1,
                                .batch = -1,
                                .batches = -1,
                                .run = run};
    if (gt_callbacks_check(context, list) != GT_OK || list->count == 0)
        return gt_context_status(context);
    run->items = gt_allocate(context, (size_t)list->count * sizeof *run->items);
    for (; run->items && run->count < list->count; run->count++) {
        gt_Callback *callback = list->items[run->count];
        run->items[run->count] = callback;
        callback->object.references++;
        run->hooks |= callback->type->hooks ? callback->type->hooks : ~0u;
    }
    return gt_context_status(context);
}

void gt_callbacks_leave(gt_CallbackRun *run)
{
    for (int32_t i = 0; i < run->count; i++)
        gt_object_release(&run->items[i]->object);
    gt_release(run->context, run->items, (size_t)run->count * sizeof *run->items);
    run->items = NULL;
    run->count = 0;
}

/* What this one is told: its own options and states, and where the run is. */
static const gt_CallbackArgs *told(gt_CallbackRun *run, gt_Callback *callback)
{
    run->in.callback = callback;
    run->in.options = callback->options;
    run->in.states = callback->states;
    run->in.memory = callback->memory;
    return &run->in;
}

/* Messages name the callback from here on, instead of gt_fit; gt_site_leave with what this returns ends it. */
static gt_Site enter_site(const char *name)
{
    gt_Site before = gt_site_enter(NULL, NULL);
    gt_site_leave(&(gt_Site){before.context, before.here, name});
    return before;
}

static gt_Status build(gt_CallbackRun *run, gt_Callback *self, uint64_t model)
{
    gt_Status status = GT_OK;
    if (self->model == model)
        return GT_OK;
    gt_callback_unbuild(self);
    if (self->type->build) {
        gt_Site site = enter_site(self->type->name);
        self->building = true;
        status = self->type->build(told(run, self));
        self->building = false;
        if (status != GT_OK && gt_context_status(run->context) == GT_OK)
            gt_raise(run->context, status, NULL, NULL, "build of the callback failed");
        gt_site_leave(&site);
    }
    if (gt_context_status(run->context) == GT_OK)
        self->model = model;
    else
        gt_callback_unbuild(self);
    return gt_context_status(run->context);
}

gt_Status gt_callbacks_build(gt_CallbackRun *run)
{
    gt_LayerState *state = run->count ? gt_layer_check(run->context, NULL, NULL, run->in.model) : NULL;
    for (int32_t i = 0; state && i < run->count && gt_context_status(run->context) == GT_OK; i++)
        build(run, run->items[i], state->object.serial);
    return gt_context_status(run->context);
}

/* ---- telling them ---- */

static gt_Status tell_one(gt_CallbackRun *run, gt_Callback *self, gt_Hook hook)
{
    gt_Context *context = run->context;
    if (self->type->hooks && !(self->type->hooks & GT_HOOK_BIT(hook)))
        return GT_OK;
    char who[96];
    snprintf(who, sizeof who, "%s at %s", self->type->name, hook_names[hook]);
    gt_Site site = enter_site(who);
    gt_Scope *outer = gt_scope_innermost(context);
    if (gt_scope_open(context)) {
        run->in.hook = hook;
        gt_Status status = self->type->on(told(run, self));
        if (status != GT_OK && gt_context_status(context) == GT_OK)
            gt_raise(context, status, NULL, NULL, "the callback failed");
        gt_scope_unwind(context, outer);
    }
    gt_site_leave(&site);
    return gt_context_status(context);
}

static gt_Status tell_level(gt_CallbackRun *run, gt_Hook hook, int level)
{
    if (run->hooks & GT_HOOK_BIT(hook))
        for (int32_t i = 0; i < run->count && gt_context_status(run->context) == GT_OK; i++)
            if (run->items[i]->type->outer == level)
                tell_one(run, run->items[i], hook);
    return gt_context_status(run->context);
}

gt_Status gt_callbacks_tell_inner(gt_CallbackRun *run, gt_Hook hook)
{
    return tell_level(run, hook, 0);
}

gt_Status gt_callbacks_tell_outer(gt_CallbackRun *run, gt_Hook hook)
{
    bool ends = hook % 2 == 1;
    for (int i = 1; i <= GT_MAX_OUTER; i++)
        tell_level(run, hook, ends ? i : GT_MAX_OUTER + 1 - i);
    return gt_context_status(run->context);
}

gt_Status gt_callbacks_tell(gt_CallbackRun *run, gt_Hook hook)
{
    bool ends = hook % 2 == 1;
    if (ends)
        gt_callbacks_tell_inner(run, hook);
    gt_callbacks_tell_outer(run, hook);
    return ends ? gt_context_status(run->context) : gt_callbacks_tell_inner(run, hook);
}

/* ---- what is logged ---- */

void gt_callbacks_log_nothing(gt_CallbackRun *run)
{
    run->logs.count = run->added_count = 0;
    run->unread = false;
}

void gt_callbacks_log_metrics(gt_CallbackRun *run, bool training)
{
    gt_callbacks_log_nothing(run);
    run->unread = run->hooks != 0;
    run->training = training;
}

void gt_callbacks_log(gt_CallbackRun *run, const gt_Logs *logs)
{
    gt_callbacks_log_nothing(run);
    run->logs = *logs;
}

static gt_CallbackRun *look(const char *here, const char *operation, const gt_CallbackArgs *in)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (in && in->run) {
        if (in->run->unread)
            gt_compiled_read(in->run->compiled, in->run->training, false, &in->run->logs);
        in->run->unread = false;
        return in->run;
    }
    gt_raise(context, GT_INVALID, here, operation, "the arguments are not those of a callback");
    return NULL;
}

static int32_t find(const gt_CallbackRun *run, const char *name)
{
    int32_t i = 0;
    while (i < run->logs.count && strcmp(run->logs.names[i], name ? name : "") != 0)
        i++;
    return i < run->logs.count ? i : -1;
}

bool gt_logged_at(const char *here, const gt_CallbackArgs *in, const char *name, double *value)
{
    gt_CallbackRun *run = look(here, "logged", in);
    int32_t found = run ? find(run, name) : -1;
    if (found < 0)
        return false;
    if (value)
        *value = run->logs.values[found];
    return gt_context_status(run->context) == GT_OK;
}

int gt_logged_count_at(const char *here, const gt_CallbackArgs *in)
{
    gt_CallbackRun *run = look(here, "logged_count", in);
    return run ? run->logs.count : -1;
}

const char *gt_logged_name_at(const char *here, const gt_CallbackArgs *in, int index)
{
    gt_CallbackRun *run = look(here, "logged_name", in);
    if (run && index >= 0 && index < run->logs.count)
        return run->logs.names[index];
    if (run)
        gt_raise(run->context, GT_INVALID, here, "logged_name",
                 "index %d is out of range: %d numbers are logged", index, (int)run->logs.count);
    return "";
}

gt_Status gt_set_logged_at(const char *here, const gt_CallbackArgs *in, const char *name,
                           double value)
{
    static const char operation[] = "set_logged";
    gt_CallbackRun *run = look(here, operation, in);
    if (!run)
        return gt_status();
    if (in->hook != GT_HOOK_EPOCH_END)
        return gt_raise(run->context, GT_STATE, here, operation,
                        "numbers are added at the end of an epoch");
    int32_t found = find(run, name);
    if (found < 0) {
        if (!name || !*name || strlen(name) >= sizeof run->added[0])
            return gt_raise(run->context, GT_INVALID, here, operation,
                            "a name must have 1 to %d bytes", (int)sizeof run->added[0] - 1);
        if (run->added_count == GT_MAX_ADDED_LOGS)
            return gt_raise(run->context, GT_INVALID, here, operation,
                            "callbacks can add at most %d numbers", GT_MAX_ADDED_LOGS);
        found = run->logs.count++;
        run->logs.names[found] = strcpy(run->added[run->added_count++], name);
    }
    run->logs.values[found] = value;
    return gt_context_status(run->context);
}

gt_Status gt_stop_at(const char *here, const gt_CallbackArgs *in)
{
    gt_CallbackRun *run = look(here, "stop", in);
    if (run)
        run->stopped = true;
    return gt_status();
}
