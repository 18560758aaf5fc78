/* The bar and the lines of gt_fit and gt_evaluate, in the look of Keras. The only file of the
 * library that prints, to standard error. Leans on progress.h for what is told. */
#include "train/progress.h"
#include "core/text.h"
#include "train/internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WIDTH    20             /* of the bar */
#define INTERVAL 0.05           /* seconds between two refreshes */
#define STROKE   "\xe2\x94\x81" /* as many bytes as what stands for the rest */

double gt_seconds(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

gt_Printer gt_printer(gt_Verbosity verbosity)
{
    const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    bool able = isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
    gt_Printer printer = {.verbosity = verbosity};
    if (verbosity == GT_VERBOSITY_AUTO)
        printer.verbosity = able ? GT_VERBOSITY_BAR : GT_VERBOSITY_LINES;
    printer.colour = able && !(no_colour && *no_colour);
    return printer;
}

/* ---- one line of text ---- */

typedef struct Line {
    char text[4096];
    size_t used;
} Line;

static void add(Line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(Line *line, const char *format, ...)
{
    size_t room = sizeof line->text - line->used;
    va_list arguments;
    va_start(arguments, format);
    int n = gt_text_list(line->text + line->used, room, format, arguments);
    va_end(arguments);
    if (n > 0)
        line->used += (size_t)n < room ? (size_t)n : room - 1;
}

static void add_time(Line *line, double seconds)
{
    long long whole = seconds < 1e9 ? (long long)seconds : 0;
    if (whole >= 3600)
        add(line, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
    else if (whole >= 60)
        add(line, "%lld:%02lld", whole / 60, whole % 60);
    else
        add(line, "%llds", whole);
}

static void add_step_time(Line *line, double seconds)
{
    if (seconds >= 1)
        add(line, "%.0fs/step", seconds);
    else if (seconds >= 1e-3)
        add(line, "%.0fms/step", seconds * 1e3);
    else
        add(line, "%.0fus/step", seconds * 1e6);
}

static void add_values(Line *line, const gt_ProgressEvent *event)
{
    for (int32_t i = 0; i < event->count; i++) {
        double value = event->values[i];
        add(line, " - %s: ", event->names[i]);
        if (fabs(value) > 1e-3 || isnan(value))
            add(line, "%.4f", value);
        else
            add(line, "%.4e", value);
    }
}

static void add_bar(Line *line, const gt_Printer *printer, const gt_ProgressEvent *event)
{
    int64_t done = event->steps > 0 ? event->step * WIDTH / event->steps : WIDTH;
    if (printer->colour) { /* green for what is done, grey for the rest */
        add(line, "\x1b[32m");
        for (int64_t i = 0; i < WIDTH; i++)
            add(line, "%s" STROKE, i == done ? "\x1b[37m" : "");
        add(line, "\x1b[0m");
        return;
    }
    for (int64_t i = 0; i < WIDTH; i++)
        add(line, "%s", i < done ? STROKE : "\xe2\x94\x88");
}

static int digits(int64_t n)
{
    int count = 1;
    while (n >= 10) {
        n /= 10;
        count++;
    }
    return count;
}

/* ---- printing ---- */

static double per_step(const gt_ProgressEvent *event)
{
    return event->step > 0 ? event->seconds / (double)event->step : 0;
}

static void print_bar(gt_Printer *printer, const gt_ProgressEvent *event)
{
    bool last = event->kind == GT_PROGRESS_KIND_EPOCH_END;
    const char *bold = printer->colour ? "\x1b[1m" : "", *plain = printer->colour ? "\x1b[0m" : "";
    Line line = {.used = 0};
    add(&line, "\r%s%*lld/%lld%s ", bold, digits(event->steps), (long long)event->step,
        (long long)event->steps, plain);
    add_bar(&line, printer, event);
    add(&line, " %s", bold);
    double left = per_step(event) * (double)(event->steps - event->step);
    add_time(&line, last ? event->seconds : left);
    add(&line, "%s ", plain);
    add_step_time(&line, per_step(event));
    add_values(&line, event);
    size_t length = line.used;
    /* Blanks over the rest of a longer line before it. */
    add(&line, "%*s", printer->length > length ? (int)(printer->length - length) : 0, "");
    printer->length = length;
    printer->printed = event->seconds;
    fprintf(stderr, "%s%s", line.text, last ? "\n" : "");
    fflush(stderr);
}

static void print_line(const gt_ProgressEvent *event)
{
    Line line = {.used = 0};
    if (event->epochs > 1)
        add(&line, "Epoch %lld/%lld - ", (long long)event->epoch + 1, (long long)event->epochs);
    add(&line, "%lld/%lld - ", (long long)event->step, (long long)event->steps);
    add_time(&line, event->seconds);
    add(&line, " - ");
    add_step_time(&line, per_step(event));
    add_values(&line, event);
    fprintf(stderr, "%s\n", line.text);
    fflush(stderr);
}

void gt_printer_report(gt_Printer *printer, const gt_ProgressEvent *event)
{
    if (printer->verbosity == GT_VERBOSITY_LINES && event->kind == GT_PROGRESS_KIND_EPOCH_END)
        print_line(event);
    if (printer->verbosity != GT_VERBOSITY_BAR)
        return;
    switch (event->kind) {
    case GT_PROGRESS_KIND_EPOCH_BEGIN:
        printer->printed = -1;
        printer->length = 0;
        if (event->epochs > 1)
            fprintf(stderr, "Epoch %lld/%lld\n", (long long)event->epoch + 1,
                    (long long)event->epochs);
        break;
    case GT_PROGRESS_KIND_BATCH:
        if (event->seconds - printer->printed >= INTERVAL || printer->printed < 0)
            print_bar(printer, event);
        break;
    default:
        print_bar(printer, event);
        break;
    }
}

void gt_printer_say(const gt_Printer *printer, const char *text)
{
    if (printer->verbosity == GT_VERBOSITY_SILENT)
        return;
    fputs(text, stderr);
    fflush(stderr);
}
