/* Axes of panels. */
#include "pictures/axes.h"
#include "core/text.h"

#include <math.h>
#include <string.h>

enum { TICKS = 6, MOST_TICKS = 24 };
#define LARGEST 5e307 /* so that lengths are finite; what is beyond is drawn outside */

/* ---- numbers ---- */

/* "1e+06" is "1e6". */
static void shorten_exponent(char *text)
{
    char *to = strchr(text, 'e'), *from = to ? to + 1 : NULL;
    if (!to)
        return;
    to++;
    if (*from == '+' || *from == '-')
        to += *from++ == '-';
    while (*from == '0')
        from++;
    memmove(to, from, strlen(from) + 1);
}

const char *gt_short_number(char text[GT_NUMBER_TEXT], double number)
{
    if (!isfinite(number))
        gt_text(text, GT_NUMBER_TEXT, isnan(number) ? "NaN" : number > 0 ? "inf" : "-inf");
    else
        gt_text(text, GT_NUMBER_TEXT, "%.6g", number == 0 ? 0 : number); /* no -0 */
    if (isfinite(number))
        shorten_exponent(text);
    return text;
}

/* 1, 2 or 5 times a power of ten: the one just above the length by `count`. */
double gt_round_step(double length, int count)
{
    const double rough = length / count;
    if (!(rough > 0) || !isfinite(rough))
        return 1;
    const double power = pow(10, floor(log10(rough)));
    const double part = rough / power;
    return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

/* Where ticks of that distance have all the digits that tell them apart; "0.30000000004" is "0.3". */
static void tick_text(char text[GT_NUMBER_TEXT], double tick, double step)
{
    const double size = fabs(tick);
    const int digits = (int)-floor(log10(step) + 1e-9);
    if (fabs(tick) < step / 2)
        gt_text(text, GT_NUMBER_TEXT, "0");
    else if (size >= 1e6 || size < 1e-4)
        gt_short_number(text, tick);
    else
        gt_text(text, GT_NUMBER_TEXT, "%.*f", digits > 0 ? digits : 0, tick);
}

/* ---- axes ---- */

bool gt_axis_has(const gt_Axis *axis, double number)
{
    return isfinite(number) && (!axis->logarithmic || number > 0);
}

void gt_axis_cover(gt_Axis *axis, double low, double high)
{
    axis->low = axis->logarithmic ? log10(low) : fmax(low, -LARGEST);
    axis->high = axis->logarithmic ? log10(high) : fmin(high, LARGEST);
    const double size = fmax(fabs(axis->low), fabs(axis->high));
    if (axis->high - axis->low > 1e-9 * size && axis->high > axis->low)
        return;
    const double more = axis->logarithmic || size == 0 || axis->whole ? 0.5 : 0.1 * size;
    axis->low -= more;
    axis->high += more;
}

/* The distance of ticks: of whole decades on a logarithmic axis that is longer than two. */
static double step_of(const gt_Axis *axis)
{
    const double step = gt_round_step(axis->high - axis->low, TICKS - 1);
    return (axis->whole || axis->logarithmic) && step < 1 ? 1 : step;
}

void gt_axis_round(gt_Axis *axis)
{
    const double step = step_of(axis), least = 0.03 * (axis->high - axis->low);
    if (axis->logarithmic) {
        axis->low -= least;
        axis->high += least;
        return;
    }
    axis->low = step * floor(axis->low / step + 1e-9);
    axis->high = step * ceil(axis->high / step - 1e-9);
}

double gt_axis_at(const gt_Axis *axis, double number)
{
    const double value =
        axis->logarithmic ? log10(number) : fmin(fmax(number, -2 * LARGEST), 2 * LARGEST);
    const double part = (value - axis->low) / (axis->high - axis->low);
    return axis->from + part * (axis->to - axis->from);
}

/* ---- ticks ---- */

typedef struct Ticks {
    double at[MOST_TICKS]; /* numbers, not logarithms */
    char text[MOST_TICKS][GT_NUMBER_TEXT];
    int count;
} Ticks;

static void add_tick(Ticks *ticks, const gt_Axis *axis, double value, double step)
{
    if (ticks->count == MOST_TICKS)
        return;
    const double number = axis->logarithmic ? pow(10, value) : value;
    ticks->at[ticks->count] = number;
    if (axis->logarithmic)
        gt_short_number(ticks->text[ticks->count], number);
    else
        tick_text(ticks->text[ticks->count], value, step);
    ticks->count++;
}

/* On a logarithmic axis of at most two decades 2 and 5 of each decade too. */
static void find_ticks(const gt_Axis *axis, Ticks *ticks)
{
    const double step = step_of(axis), slack = 1e-6 * (axis->high - axis->low);
    ticks->count = 0;
    for (double k = ceil((axis->low - slack) / step); k * step <= axis->high + slack; k++)
        add_tick(ticks, axis, k * step, step);
    if (!axis->logarithmic || axis->high - axis->low > 2)
        return;
    for (double k = floor(axis->low); k <= axis->high; k++)
        for (int i = 2; i <= 5; i += 3)
            if (k + log10(i) >= axis->low && k + log10(i) <= axis->high)
                add_tick(ticks, axis, k + log10(i), step);
}

static double widest(const Ticks *ticks)
{
    double width = 0;
    for (int i = 0; i < ticks->count; i++)
        width = fmax(width, gt_svg_width(ticks->text[i], GT_SVG_SIZE - 1, false));
    return width;
}

/* ---- panels ---- */

bool gt_check_picture_size(gt_Context *context, const char *here, const char *operation,
                           double width, double height)
{
    if (width >= 200 && width <= 4000 && height >= 150 && height <= 4000)
        return true;
    gt_raise(context, GT_INVALID, here, operation,
             "width must be from 200 to 4000 and height from 150 to 4000 (got %g and %g)", width,
             height);
    return false;
}

static void put_label(gt_Svg *svg, const gt_SvgText *how, const char *text)
{
    if (text && *text)
        gt_svg_text(svg, how, text);
}

static void put_down_ticks(gt_Svg *svg, const gt_Panel *panel, const Ticks *ticks)
{
    for (int i = 0; i < ticks->count; i++) {
        const double y = gt_axis_at(&panel->down, ticks->at[i]);
        gt_svg_line(svg, panel->across.from, y, panel->across.to, y, "stroke=\"" GT_SVG_GRID "\"");
        gt_svg_text(svg,
                    &(gt_SvgText){.x = panel->across.from - 6,
                                  .y = y + 4,
                                  .size = GT_SVG_SIZE - 1,
                                  .anchor = GT_SVG_END},
                    ticks->text[i]);
    }
}

/* Of ticks that would touch each other only every second, third, ... has a text. Those at the ends stay inside. */
static void put_across_ticks(gt_Svg *svg, const gt_Panel *panel, const Ticks *ticks)
{
    const double y = panel->down.from, most = panel->x + panel->width - 3;
    const double room = (panel->across.to - panel->across.from) / ticks->count;
    const int every = 1 + (int)((widest(ticks) + 8) / fmax(room, 1));
    for (int i = 0; i < ticks->count; i++) {
        const double x = gt_axis_at(&panel->across, ticks->at[i]);
        const double half = gt_svg_width(ticks->text[i], GT_SVG_SIZE - 1, false) / 2;
        gt_svg_line(svg, x, y, x, y + 4, "stroke=\"" GT_SVG_INK "\"");
        if (i % every == 0)
            gt_svg_text(svg,
                        &(gt_SvgText){.x = fmin(x, most - half),
                                      .y = y + 17,
                                      .size = GT_SVG_SIZE - 1,
                                      .anchor = GT_SVG_MIDDLE},
                        ticks->text[i]);
    }
}

void gt_panel_begin(gt_Svg *svg, gt_Panel *panel)
{
    Ticks down, across;
    find_ticks(&panel->down, &down);
    find_ticks(&panel->across, &across);
    const double left = 14 + widest(&down) + (panel->y_label && *panel->y_label ? 18 : 0);
    panel->across.from = panel->x + left;
    panel->across.to = panel->x + panel->width - 14;
    panel->down.from =
        panel->y + panel->height - (panel->x_label && *panel->x_label ? GT_PANEL_BOTTOM : 26);
    panel->down.to = panel->y + GT_PANEL_TOP;
    const double wide = panel->across.to - panel->across.from;
    put_down_ticks(svg, panel, &down);
    if (across.count > 0)
        put_across_ticks(svg, panel, &across);
    gt_svg_line(svg, panel->across.from, panel->down.from, panel->across.to, panel->down.from,
                "stroke=\"" GT_SVG_INK "\"");
    put_label(
        svg,
        &(gt_SvgText){
            .x = panel->across.from, .y = panel->y + 18, .size = 13, .bold = true, .room = wide},
        panel->title);
    put_label(svg,
              &(gt_SvgText){.x = panel->across.from + wide / 2,
                            .y = panel->down.from + 34,
                            .anchor = GT_SVG_MIDDLE,
                            .room = wide},
              panel->x_label);
    put_label(svg,
              &(gt_SvgText){.x = panel->x + 13,
                            .y = (panel->down.from + panel->down.to) / 2,
                            .turn = -90,
                            .anchor = GT_SVG_MIDDLE,
                            .room = panel->down.from - panel->down.to},
              panel->y_label);
}
