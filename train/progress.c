/* The bar and the lines of gt_fit and gt_evaluate, in the look of Keras. The only file of the
 * library that prints, to standard error, but for pictures/live.c. Leans on progress.h for what is told. */
#include "train/progress.h"
#include "core/text.h"
#include "core/warning.h"
#include "train/internal.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define WIDTH     20             /* of the bar */
#define NARROWEST 5              /* it becomes on a narrow terminal */
#define INTERVAL  0.05           /* seconds between two refreshes */
#define STROKE    "\xe2\x94\x81" /* what is done of the bar */

double gt_seconds(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

bool gt_is_terminal(void)
{
    const char *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

int gt_terminal_columns(void)
{
    struct winsize size = {.ws_col = 0};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* Columns of the terminal; 0: there is none, or none that says. */
static int terminal_width(void)
{
    const char *columns = getenv("COLUMNS");
    int width = gt_terminal_columns();
    if (width > 0)
        return width;
    long given = isatty(STDERR_FILENO) && columns ? strtol(columns, NULL, 10) : 0;
    return given > 0 && given < 10000 ? (int)given : 0;
}

gt_Printer gt_printer(gt_Verbosity verbosity)
{
    const char *no_colour = getenv("NO_COLOR");
    bool able = gt_is_terminal();
    gt_Printer printer = {.verbosity = verbosity, .warnings = gt_warnings().count};
    if (verbosity == GT_VERBOSITY_AUTO)
        printer.verbosity = able ? GT_VERBOSITY_BAR : GT_VERBOSITY_LINES;
    printer.colour = able && !(no_colour && *no_colour);
    return printer;
}

/* ---- one line of text ---- */

typedef struct Line {
    char text[4096];
    size_t used;
    int columns; /* that it takes on a terminal */
} Line;

/* Columns of a text: a character each, and none for what sets a colour. */
static int columns_of(const char *text)
{
    int count = 0;
    for (; *text; text++) {
        if (*text == '\x1b')
            text += strcspn(text, "m");
        else
            count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

static void add(Line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(Line *line, const char *format, ...)
{
    size_t room = sizeof line->text - line->used;
    va_list arguments;
    va_start(arguments, format);
    int n = gt_text_list(line->text + line->used, room, format, arguments);
    va_end(arguments);
    if (n <= 0)
        return;
    line->columns += columns_of(line->text + line->used);
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

static void add_value(Line *line, const gt_ProgressEvent *event, int32_t i)
{
    double value = event->values[i];
    add(line, " - %s: ", event->names[i]);
    if (fabs(value) > 1e-3 || isnan(value))
        add(line, "%.4f", value);
    else
        add(line, "%.4e", value);
}

static void add_bar(Line *line, const gt_Printer *printer, const gt_ProgressEvent *event, int width)
{
    int64_t done = event->steps > 0 ? event->step * width / event->steps : width;
    if (printer->colour) { /* green for what is done, grey for the rest */
        add(line, "\x1b[32m");
        for (int64_t i = 0; i < width; i++)
            add(line, "%s" STROKE, i == done ? "\x1b[37m" : "");
        add(line, "\x1b[0m");
        return;
    }
    for (int64_t i = 0; i < width; i++)
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

/* "12/100 <bar> 3s 25ms/step": all but the numbers. A dataset that does not say how long it is has no bar. */
static void add_head(Line *line, const gt_Printer *printer, const gt_ProgressEvent *event,
                     int width)
{
    bool last = event->kind == GT_PROGRESS_KIND_EPOCH_END;
    const char *bold = printer->colour ? "\x1b[1m" : "", *plain = printer->colour ? "\x1b[0m" : "";
    double left = per_step(event) * (double)(event->steps - event->step);
    if (event->steps < 0)
        add(line, "%s%lld/Unknown%s", bold, (long long)event->step, plain);
    else {
        add(line, "%s%*lld/%lld%s ", bold, digits(event->steps), (long long)event->step,
            (long long)event->steps, plain);
        add_bar(line, printer, event, width);
    }
    add(line, " %s", bold);
    add_time(line, last || event->steps < 0 ? event->seconds : left);
    add(line, "%s ", plain);
    add_step_time(line, per_step(event));
}

/* The numbers, within `width` columns. What does not fit is left out while the bar moves, and goes to further lines once
 * the epoch is over. */
static void add_values(Line *line, const gt_ProgressEvent *event, int width)
{
    bool last = event->kind == GT_PROGRESS_KIND_EPOCH_END;
    for (int32_t i = 0; i < event->count; i++) {
        Line next = {.used = 0};
        add_value(&next, event, i);
        int more = i + 1 < event->count && !last ? 2 : 0; /* room for the dots */
        if (line->columns + next.columns + more > width && !last) {
            add(line, " \xe2\x80\xa6");
            return;
        }
        if (line->columns + next.columns > width) {
            add(line, "\n   ");
            line->columns = 3;
        }
        add(line, "%s", next.text);
    }
}

/* A narrow terminal gets a short bar before it loses numbers. */
static int bar_width(const gt_Printer *printer, const gt_ProgressEvent *event, int width)
{
    Line whole = {.used = 0};
    add_head(&whole, printer, event, WIDTH);
    for (int32_t i = 0; i < event->count; i++)
        add_value(&whole, event, i);
    int narrow = WIDTH - (whole.columns - width);
    return narrow > WIDTH ? WIDTH : narrow < NARROWEST ? NARROWEST : narrow;
}

static void print_bar(gt_Printer *printer, const gt_ProgressEvent *given)
{
    gt_ProgressEvent event = *given;
    bool last = event.kind == GT_PROGRESS_KIND_EPOCH_END;
    int columns = terminal_width();
    int width = columns > 0 ? columns - 1 : INT_MAX / 2; /* the last column would begin a line */
    if (last && event.steps < 0)
        event.steps = event.step;
    Line line = {.used = 0};
    add_head(&line, printer, &event, bar_width(printer, &event, width));
    add_values(&line, &event, width);
    /* Blanks over the rest of a longer line before it. */
    int length = line.columns, blanks = printer->length - length;
    if (!strchr(line.text, '\n'))
        add(&line, "%*s", blanks > 0 ? blanks : 0, "");
    printer->length = length;
    printer->printed = event.seconds;
    fprintf(stderr, "\r%s%s", line.text, last ? "\n" : "");
    fflush(stderr);
}

static void print_line(const gt_ProgressEvent *event)
{
    Line line = {.used = 0};
    if (event->epochs > 1)
        add(&line, "Epoch %lld/%lld - ", (long long)event->epoch + 1, (long long)event->epochs);
    add(&line, "%lld/%lld - ", (long long)event->step,
        (long long)(event->steps < 0 ? event->step : event->steps));
    add_time(&line, event->seconds);
    add(&line, " - ");
    add_step_time(&line, per_step(event));
    for (int32_t i = 0; i < event->count; i++)
        add_value(&line, event, i);
    fprintf(stderr, "%s\n", line.text);
    fflush(stderr);
}

/* What was warned about since the last time, under the line of the epoch. */
static void print_warnings(gt_Printer *printer)
{
    gt_Warnings now = gt_warnings();
    if (printer->warnings > now.count) /* somebody cleared them */
        printer->warnings = 0;
    for (; printer->warnings < now.count; printer->warnings++)
        fprintf(stderr, "warning: %s\n", now.items[printer->warnings]);
    fflush(stderr);
}

static void report_bar(gt_Printer *printer, const gt_ProgressEvent *event)
{
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

void gt_printer_report(gt_Printer *printer, const gt_ProgressEvent *event)
{
    bool last = event->kind == GT_PROGRESS_KIND_EPOCH_END;
    if (printer->verbosity == GT_VERBOSITY_LINES && last)
        print_line(event);
    if (printer->verbosity == GT_VERBOSITY_BAR)
        report_bar(printer, event);
    if (printer->verbosity != GT_VERBOSITY_SILENT && last)
        print_warnings(printer);
}
