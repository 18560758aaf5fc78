/* A curve in the terminal while a model trains: points are kept in the callback's memory, not in files, and all is
 * drawn anew over what was drawn before. */
#include "pictures/live.h"
#include "pictures/chart.h"
#include "train/callback_run.h"
#include "train/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

GT_OPTION_TYPE(gt_LiveCurve_options, gt_LiveCurve_OPTIONS);

enum { USUAL = 78, WIDEST = 100, NAME = 96, MOST_POINTS = 100000 };

typedef struct Points {
    double *x, *y;
    int32_t count, x_room, y_room;
} Points;

typedef struct Live {
    gt_Context *context;
    Points points[2]; /* training, validation */
    gt_Bytes text;
    int32_t lines;   /* of what stands in the terminal */
    int64_t batches; /* so far */
} Live;

static gt_Status check(const void *given)
{
    const gt_LiveCurve_options *options = given;
    if (!options->monitor || !*options->monitor || strlen(options->monitor) > NAME - 8)
        return gt_fail(GT_INVALID, "monitor must be a name of 1 to %d bytes", NAME - 8);
    if (options->every < 0)
        return gt_fail(GT_INVALID, "every must be >= 0 (got %lld)", (long long)options->every);
    if (options->columns != 0 && (options->columns < 40 || options->columns > 500))
        return gt_fail(GT_INVALID, "columns must be 0, or from 40 to 500 (got %d)",
                       (int)options->columns);
    if (options->rows < 3 || options->rows > 100)
        return gt_fail(GT_INVALID, "rows must be from 3 to 100 (got %d)", (int)options->rows);
    return GT_OK;
}

/* ---- points ---- */

static void close_points(gt_Context *context, Points *points)
{
    gt_release(context, points->x, (size_t)points->x_room * sizeof(double));
    gt_release(context, points->y, (size_t)points->y_room * sizeof(double));
    *points = (Points){0};
}

static void close_live(void *memory)
{
    Live *live = memory;
    if (!live->context)
        return;
    close_points(live->context, &live->points[0]);
    close_points(live->context, &live->points[1]);
    gt_bytes_release(live->context, &live->text);
}

/* Of too many points every second one is dropped. */
static void add_point(Live *live, Points *points, double x, double y)
{
    if (points->count == MOST_POINTS) {
        points->count /= 2;
        for (int32_t i = 0; i < points->count; i++) {
            points->x[i] = points->x[2 * i + 1];
            points->y[i] = points->y[2 * i + 1];
        }
    }
    if (!gt_reserve(live->context, (void **)&points->x, points->count, &points->x_room,
                    sizeof(double)) ||
        !gt_reserve(live->context, (void **)&points->y, points->count, &points->y_room,
                    sizeof(double)))
        return;
    points->x[points->count] = x;
    points->y[points->count++] = y;
}

/* ---- drawing ---- */

static int32_t terminal_columns(void)
{
    int columns = gt_terminal_columns();
    if (columns < 40)
        return USUAL;
    return columns - 1 < WIDEST ? columns - 1 : WIDEST;
}

static void draw(const gt_CallbackArgs *in, Live *live)
{
    const gt_LiveCurve_options *options = in->options;
    char validation[NAME], note[60];
    snprintf(validation, sizeof validation, "val_%s", options->monitor);
    snprintf(note, sizeof note, "epoch %lld/%lld", (long long)in->epoch + 1, (long long)in->epochs);
    const gt_ChartCurve curves[] = {
        {options->monitor, live->points[0].x, live->points[0].y, live->points[0].count},
        {validation, live->points[1].x, live->points[1].y, live->points[1].count}};
    const gt_Chart chart = {.curves = curves,
                            .count = 2,
                            .rows = options->rows,
                            .ascii = options->ascii,
                            .note = note,
                            .columns = options->columns ? options->columns : terminal_columns()};
    live->text.size = 0;
    gt_chart_put(live->context, &live->text, &chart);
}

/* Over what was drawn before; blanks to the end of each line. */
static void print(Live *live, bool over)
{
    if (over && live->lines > 0)
        fprintf(stderr, "\x1b[%dA", (int)live->lines);
    live->lines = 0;
    for (const char *line = live->text.data, *end; line && (end = strchr(line, '\n'));
         line = end + 1, live->lines++)
        fprintf(stderr, "%.*s%s\n", (int)(end - line), line, over ? "\x1b[K" : "");
    fflush(stderr);
}

static gt_Status show(const gt_CallbackArgs *in, Live *live)
{
    const gt_LiveCurve_options *options = in->options;
    draw(in, live);
    if (gt_status() == GT_OK && options->print && gt_is_terminal())
        print(live, true);
    return gt_status();
}

/* ---- hooks ---- */

static gt_Status begin(const gt_CallbackArgs *in, Live *live)
{
    live->context = in->callback->object.context;
    live->lines = 0;
    live->batches = 0;
    if (in->resumed)
        return GT_OK;
    live->points[0].count = 0;
    live->points[1].count = 0;
    return GT_OK;
}

/* A batch in the middle of an epoch stands between two epochs. */
static gt_Status end_batch(const gt_CallbackArgs *in, Live *live)
{
    const gt_LiveCurve_options *options = in->options;
    double value;
    live->batches++;
    if (options->every == 0 || live->batches % options->every != 0 ||
        !gt_logged(in, options->monitor, &value))
        return gt_status();
    const double part = in->batches > 0 ? (double)(in->batch + 1) / (double)in->batches : 0.5;
    add_point(live, &live->points[0], (double)in->epoch + part, value);
    return show(in, live);
}

static gt_Status end_epoch(const gt_CallbackArgs *in, Live *live)
{
    const gt_LiveCurve_options *options = in->options;
    char validation[NAME];
    double value;
    snprintf(validation, sizeof validation, "val_%s", options->monitor);
    const bool trained = gt_logged(in, options->monitor, &value);
    if (trained && options->every == 0)
        add_point(live, &live->points[0], (double)in->epoch + 1, value);
    const bool validated = gt_logged(in, validation, &value);
    if (validated)
        add_point(live, &live->points[1], (double)in->epoch + 1, value);
    if (!trained && !validated && gt_status() == GT_OK)
        return gt_fail(GT_INVALID, "nothing called \"%s\" is logged", options->monitor);
    return show(in, live);
}

static gt_Status on(const gt_CallbackArgs *in)
{
    Live *live = in->memory;
    const gt_LiveCurve_options *options = in->options;
    switch (in->hook) {
    case GT_HOOK_TRAIN_BEGIN:
        return begin(in, live);
    case GT_HOOK_TRAIN_BATCH_END:
        return end_batch(in, live);
    case GT_HOOK_EPOCH_END:
        return end_epoch(in, live);
    default:
        if (options->print && !gt_is_terminal())
            print(live, false);
        return gt_status();
    }
}

static const gt_CallbackClass live_curve_class = {
    .size = sizeof(gt_CallbackClass),
    .name = "live_curve",
    .hooks = GT_HOOK_BIT(GT_HOOK_TRAIN_BEGIN) | GT_HOOK_BIT(GT_HOOK_TRAIN_END) |
             GT_HOOK_BIT(GT_HOOK_EPOCH_END) | GT_HOOK_BIT(GT_HOOK_TRAIN_BATCH_END),
    .options = &gt_LiveCurve_options_type,
    .memory = sizeof(Live),
    .check = check,
    .on = on,
    .close = close_live,
    .function = "LiveCurve",
    .summary = "a curve in the terminal"};

gt_Callback *gt_LiveCurve_at(const char *here, const gt_LiveCurve_options *options)
{
    return gt_callback_new_at(here, &live_curve_class, options);
}

const char *gt_live_curve_text_at(const char *here, gt_Callback *callback)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_object_check(context, here, "live_curve_text", callback, &gt_callback_kind))
        return "";
    const Live *live = callback->memory;
    if (callback->type == &live_curve_class)
        return live->text.size ? live->text.data : "";
    gt_raise(context, GT_INVALID, here, "live_curve_text",
             "expected a callback of gt_LiveCurve (got %s)", callback->type->name);
    return "";
}
