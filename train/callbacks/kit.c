/* What built-in callbacks share: what they remember, what they watch, what they say. */
#include "train/callbacks/kit.h"
#include "core/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void gt_remember(const gt_CallbackArgs *in, int state, double value)
{
    double *number = gt_variable_replace(in->run->context, in->states[state]);
    if (number)
        *number = value;
}

void gt_forget(const gt_CallbackArgs *in)
{
    const gt_CallbackState *state = in->callback->type->states;
    for (int i = 0; !in->resumed && state && state[i].name; i++)
        gt_remember(in, i, state[i].initial);
}

void gt_callback_say(const gt_CallbackArgs *in, int verbose, const char *format, ...)
{
    char *notes = in->run->notes;
    size_t used = strlen(notes), room = sizeof in->run->notes - used;
    va_list arguments;
    if (verbose <= 0 || room < 2)
        return;
    va_start(arguments, format);
    int n = gt_text_list(notes + used, room - 1, format, arguments);
    va_end(arguments);
    if (n > 0)
        strcat(notes, "\n");
}

gt_Status gt_monitor_check(const char *monitor, gt_MonitorMode mode)
{
    if (!monitor || !*monitor)
        return gt_fail(GT_INVALID, "monitor must name a number, such as \"val_loss\"");
    if (mode != GT_MONITOR_MODE_AUTO && mode != GT_MONITOR_MODE_MIN && mode != GT_MONITOR_MODE_MAX)
        return gt_fail(GT_INVALID, "unknown mode %d; expected auto, min or max", (int)mode);
    return GT_OK;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* The class may be of an older version, which does not say. */
static int of_metric(const gt_MetricClass *type)
{
    if (!type || type->size < offsetof(gt_MetricClass, direction) + sizeof type->direction)
        return 0;
    return type->direction == GT_METRIC_DIRECTION_UP ? 1 : type->direction == GT_METRIC_DIRECTION_DOWN ? -1 : 0;
}

/* -1: the smaller is the better one, 1: the larger, 0: nobody knows. */
static int direction(const gt_CallbackArgs *in, const char *monitor, gt_MonitorMode mode)
{
    const gt_Compiled *compiled = in->run->compiled;
    if (mode != GT_MONITOR_MODE_AUTO)
        return mode == GT_MONITOR_MODE_MIN ? -1 : 1;
    const char *name = strncmp(monitor, "val_", 4) == 0 ? monitor + 4 : monitor;
    if (strcmp(name, "loss") == 0 || ends_with(name, "_loss"))
        return -1;
    for (int32_t i = compiled ? compiled->first_metric : 0; compiled && i < compiled->count; i++)
        if (strcmp(gt_metric_name(compiled->scores[i]), name) == 0)
            return of_metric(gt_metric_class(compiled->scores[i]));
    return 0;
}

bool gt_monitor_better(const gt_CallbackArgs *in, const char *monitor, gt_MonitorMode mode,
                       double min_delta, double value, double best)
{
    int way = direction(in, monitor, mode);
    if (way == 0) {
        gt_raise(in->run->context, GT_INVALID, NULL, NULL,
                 "mode auto does not know whether %s should be small or large: say "
                 ".mode = GT_MONITOR_MODE_MIN or GT_MONITOR_MODE_MAX",
                 monitor);
        return false;
    }
    return isnan(best) || (way < 0 ? value + fabs(min_delta) < best : value - fabs(min_delta) > best);
}

bool gt_monitor_read(const gt_CallbackArgs *in, const char *monitor, double *value)
{
    if (gt_logged(in, monitor, value))
        return true;
    char known[400] = "";
    size_t used = 0;
    for (int i = 0; i < in->run->logs.count && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                 in->run->logs.names[i]);
    gt_warn(in->run->context, NULL, in->callback->type->name,
            "watches %s, which is not logged; logged are: %s", monitor, known);
    return false;
}

gt_Optimizer *gt_callback_optimizer(const gt_CallbackArgs *in)
{
    gt_Optimizer *optimizer = in->run->compiled ? in->run->compiled->optimizer : NULL;
    if (!optimizer)
        gt_raise(in->run->context, GT_STATE, NULL, NULL, "the model has no optimizer");
    return optimizer;
}

gt_Status gt_log_learning_rate(const gt_CallbackArgs *in)
{
    gt_Optimizer *optimizer = gt_callback_optimizer(in);
    double rate = optimizer ? gt_optimizer_learning_rate(optimizer) : NAN;
    return optimizer ? gt_set_logged(in, "learning_rate", rate) : gt_status();
}
