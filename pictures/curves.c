/* Curves in panels.
 *
 *     read the numbers -> the range of both axes -> frame and ticks -> each curve: line, marks, crosses -> legend
 *
 * A curve of more points than MOST_POINTS is drawn by the least and the greatest of each stretch, which looks the
 * same. */
#include "pictures/curves.h"
#include "core/text.h"
#include "pictures/axes.h"
#include "pictures/read.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_plot_history_options, gt_plot_history_OPTIONS);
GT_OPTION_TYPE(gt_plot_curves_options, gt_plot_curves_OPTIONS);

enum { MOST_POINTS = 4000, MARKED_ALL = 40, MARKS = 12, LEGEND_LINE = 18, TITLE = 30 };

typedef struct Curve {
    const char *name; /* NULL: it is not in the legend */
    const double *x;  /* NULL: `first`, `first` + 1, ... */
    double first;
    const double *y;
    int64_t count;
} Curve;

static double x_of(const Curve *curve, int64_t i)
{
    return curve->x ? curve->x[i] : curve->first + (double)i;
}

/* ---- ranges ---- */

typedef struct Range {
    double low, high;
    bool any;
} Range;

static void cover(Range *range, double number)
{
    range->low = range->any ? fmin(range->low, number) : number;
    range->high = range->any ? fmax(range->high, number) : number;
    range->any = true;
}

static bool is_shown(const gt_Panel *panel, const Curve *curve, int64_t i)
{
    return gt_axis_has(&panel->across, x_of(curve, i)) && gt_axis_has(&panel->down, curve->y[i]);
}

/* Sets the axes; false: no number can be shown. */
static bool set_axes(gt_Panel *panel, const Curve *curves, int count)
{
    Range x = {0, 0, false}, y = {0, 0, false};
    for (int c = 0; c < count; c++)
        for (int64_t i = 0; i < curves[c].count; i++) {
            if (gt_axis_has(&panel->across, x_of(&curves[c], i)))
                cover(&x, x_of(&curves[c], i));
            if (is_shown(panel, &curves[c], i))
                cover(&y, curves[c].y[i]);
        }
    gt_axis_cover(&panel->across, x.any ? x.low : 0, x.any ? x.high : 1);
    gt_axis_cover(&panel->down, y.any ? y.low : 1, y.any ? y.high : 1);
    gt_axis_round(&panel->down);
    return y.any;
}

/* ---- lines ---- */

static void put_point(gt_Svg *svg, const gt_Panel *panel, const Curve *curve, int64_t i,
                      bool *drawing)
{
    if (is_shown(panel, curve, i))
        gt_svg_put(svg, "%s%.7g %.7g", *drawing ? "L" : "M",
                   gt_axis_at(&panel->across, x_of(curve, i)),
                   gt_axis_at(&panel->down, curve->y[i]));
    *drawing = is_shown(panel, curve, i);
}

/* The points of a stretch that a line must pass: the least and the greatest, in their order; a gap where one is. */
static void put_stretch(gt_Svg *svg, const gt_Panel *panel, const Curve *curve, int64_t first,
                        int64_t last, bool *drawing)
{
    int64_t least = first, most = first;
    for (int64_t i = first; i < last; i++) {
        if (!is_shown(panel, curve, i)) {
            put_point(svg, panel, curve, i, drawing);
            return;
        }
        least = curve->y[i] < curve->y[least] ? i : least;
        most = curve->y[i] > curve->y[most] ? i : most;
    }
    put_point(svg, panel, curve, least < most ? least : most, drawing);
    if (least != most)
        put_point(svg, panel, curve, least < most ? most : least, drawing);
}

static void put_line(gt_Svg *svg, const gt_Panel *panel, const Curve *curve, int series)
{
    const int64_t stretch = curve->count / MOST_POINTS + 1;
    bool drawing = false;
    gt_svg_put(
        svg,
        "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.8\" stroke-linejoin=\"round\" %s d=\"",
        gt_svg_colour(series), gt_svg_dashes(series));
    for (int64_t i = 0; i < curve->count; i += stretch)
        put_stretch(svg, panel, curve, i, i + stretch < curve->count ? i + stretch : curve->count,
                    &drawing);
    gt_svg_put(svg, "\"/>\n");
}

/* A small cross on the axis, for a value that has no place. */
static void put_cross(gt_Svg *svg, const gt_Panel *panel, double x, int series)
{
    const double at = gt_axis_at(&panel->across, x), y = panel->down.from;
    gt_svg_put(svg, "<path d=\"M%.7g %.7gl7 7m0 -7l-7 7\" stroke=\"%s\" stroke-width=\"1.8\"/>\n",
               at - 3.5, y - 3.5, gt_svg_colour(series));
}

/* Marks of a curve with a tip each, of a long one a few; a curve of one point is its mark. */
static void put_marks(gt_Svg *svg, const gt_Panel *panel, const Curve *curve, int series)
{
    const int64_t every = curve->count <= MARKED_ALL ? 1 : curve->count / MARKS;
    char x[GT_NUMBER_TEXT], y[GT_NUMBER_TEXT], tip[2 * GT_NUMBER_TEXT + 8];
    int crosses = 0;
    for (int64_t i = 0; i < curve->count; i++) {
        if (!is_shown(panel, curve, i)) {
            if (gt_axis_has(&panel->across, x_of(curve, i)) && crosses++ < MARKED_ALL)
                put_cross(svg, panel, x_of(curve, i), series);
            continue;
        }
        if (i % every != 0 && i != curve->count - 1)
            continue;
        gt_text(tip, sizeof tip, "%s: %s", gt_short_number(x, x_of(curve, i)),
                gt_short_number(y, curve->y[i]));
        gt_svg_begin_tip(svg, tip);
        gt_svg_mark(svg, series, gt_axis_at(&panel->across, x_of(curve, i)),
                    gt_axis_at(&panel->down, curve->y[i]), 3.2);
        gt_svg_put(svg, "</g>\n");
    }
}

/* ---- the legend ---- */

enum { SAMPLE = 34, BETWEEN = 18 };

/* Pixels of the last value, behind a name. */
static double value_text(const Curve *curve, char text[GT_NUMBER_TEXT])
{
    text[0] = 0;
    if (curve->count > 0)
        gt_short_number(text, curve->y[curve->count - 1]);
    return gt_svg_width(text, GT_SVG_SIZE, true);
}

/* A sample of the line, the name, which is cut if there is no room, and the last value. */
static void put_entry(gt_Svg *svg, const Curve *curve, int series, double x, double y, double wide)
{
    char style[160], number[GT_NUMBER_TEXT];
    const double value = value_text(curve, number), most = wide - SAMPLE - BETWEEN - value - 6;
    const double name = fmin(gt_svg_width(curve->name, GT_SVG_SIZE, false), most);
    gt_text(style, sizeof style, "stroke=\"%s\" stroke-width=\"1.8\" %s", gt_svg_colour(series),
            gt_svg_dashes(series));
    gt_svg_line(svg, x, y, x + SAMPLE - 8, y, style);
    gt_svg_mark(svg, series, x + SAMPLE / 2.0 - 4, y, 3.2);
    gt_svg_text(svg, &(gt_SvgText){.x = x + SAMPLE, .y = y + 4, .room = most + 1}, curve->name);
    gt_svg_text(svg, &(gt_SvgText){.x = x + SAMPLE + name + 6, .y = y + 4, .bold = true}, number);
}

/* Lays the legend out below `y`, or only counts its lines where svg is NULL. */
static int put_legend(gt_Svg *svg, const Curve *curves, int count, double x, double y, double width)
{
    char number[GT_NUMBER_TEXT];
    double at = 0;
    int lines = 0;
    for (int c = 0; c < count; c++) {
        if (!curves[c].name)
            continue;
        const double name = gt_svg_width(curves[c].name, GT_SVG_SIZE, false);
        const double wide =
            fmin(SAMPLE + name + 6 + value_text(&curves[c], number) + BETWEEN, width);
        if (lines == 0 || at + wide > width) {
            lines++;
            at = 0;
        }
        if (svg)
            put_entry(svg, &curves[c], c, x + at, y + (lines - 1) * LEGEND_LINE + 9, wide);
        at += wide;
    }
    return lines;
}

/* ---- a panel ---- */

/* Without its legend, which stands below. */
static void put_panel(gt_Svg *svg, gt_Panel *panel, const Curve *curves, int count)
{
    const bool any = set_axes(panel, curves, count);
    gt_panel_begin(svg, panel);
    for (int c = 0; c < count; c++) {
        put_line(svg, panel, &curves[c], c);
        put_marks(svg, panel, &curves[c], c);
    }
    if (!any)
        gt_svg_text(svg,
                    &(gt_SvgText){.x = (panel->across.from + panel->across.to) / 2,
                                  .y = (panel->down.from + panel->down.to) / 2,
                                  .anchor = GT_SVG_MIDDLE,
                                  .colour = GT_SVG_FAINT},
                    panel->down.logarithmic ? "no value is finite and positive"
                                            : "no value is finite");
    put_legend(svg, curves, count, panel->x + 14, panel->y + panel->height, panel->width - 28);
}

static void put_title(gt_Svg *svg, const char *title, double width)
{
    if (title)
        gt_svg_text(svg,
                    &(gt_SvgText){.x = 14, .y = 22, .size = 15, .bold = true, .room = width - 28},
                    title);
}

/* ---- of a history ---- */

typedef struct Group {
    const char *name;
    Curve curves[2]; /* training, validation */
    int count;
} Group;

typedef struct Groups {
    Group *items;
    int count, capacity;
    double *values; /* of all of them */
    int64_t used, room;
} Groups;

static bool is_validation(const char *name)
{
    return strncmp(name, "val_", 4) == 0;
}

static bool is_wanted(gt_Names names, const char *name)
{
    for (int i = 0; names.items && names.items[i] != GT_LIST_END; i++)
        if (names.items[i] && strcmp(names.items[i], name) == 0)
            return true;
    return !names.items || names.items[0] == GT_LIST_END;
}

/* The group of that name, new where `name` is the first of it. */
static Group *group_of(Groups *groups, const char *name)
{
    const char *base = is_validation(name) ? name + 4 : name;
    for (int i = 0; i < groups->count; i++)
        if (strcmp(groups->items[i].name, base) == 0)
            return &groups->items[i];
    Group *group = &groups->items[groups->count++];
    *group = (Group){.name = base};
    return group;
}

static void read_history(Groups *groups, const gt_History *history,
                         const gt_plot_history_options *options, int names, int64_t epochs)
{
    for (int i = 0; i < names; i++) {
        const char *name = gt_history_name_at(NULL, history, i);
        if (!is_wanted(options->names, is_validation(name) ? name + 4 : name))
            continue;
        Group *group = group_of(groups, name);
        double *values = groups->values + groups->used;
        groups->used += epochs;
        for (int64_t epoch = 0; epoch < epochs; epoch++)
            values[epoch] = gt_history_get_at(NULL, history, name, epoch);
        if (group->count < 2)
            group->curves[group->count++] =
                (Curve){name, NULL, (double)options->first_epoch, values, epochs};
    }
}

/* Each name that was asked for must be one of the history's. */
static bool check_names(gt_Context *context, gt_Names names, const Groups *groups)
{
    for (int i = 0; names.items && names.items[i] != GT_LIST_END; i++) {
        bool found = false;
        for (int g = 0; g < groups->count; g++)
            found |= names.items[i] && strcmp(groups->items[g].name, names.items[i]) == 0;
        if (!found) {
            gt_raise(context, GT_INVALID, NULL, NULL, "the history has no numbers called \"%.80s\"",
                     names.items[i] ? names.items[i] : "(NULL)");
            return false;
        }
    }
    return true;
}

static gt_Picture *draw_groups(gt_Context *context, const Groups *groups,
                               const gt_plot_history_options *options)
{
    const int columns = groups->count < 2 ? 1 : groups->count < 5 ? 2 : 3;
    const int rows = (groups->count + columns - 1) / columns;
    const double top = options->title ? TITLE : 0;
    int legend = 0;
    for (int g = 0; g < groups->count; g++) {
        const int lines = put_legend(NULL, groups->items[g].curves, groups->items[g].count, 0, 0,
                                     options->width - 28);
        legend = lines > legend ? lines : legend;
    }
    const double row = options->height + legend * LEGEND_LINE + 10;
    gt_Svg svg;
    gt_svg_begin(&svg, context, columns * options->width, top + rows * row,
                 options->title ? options->title : "history");
    put_title(&svg, options->title, columns * options->width);
    for (int g = 0; g < groups->count; g++) {
        const Group *group = &groups->items[g];
        gt_Panel panel = {.x = g % columns * options->width,
                          .y = top + g / columns * row,
                          .width = options->width,
                          .height = options->height,
                          .title = group->name,
                          .x_label = "epoch"};
        panel.across.whole = true;
        panel.down.logarithmic = options->log_scale;
        put_panel(&svg, &panel, group->curves, group->count);
    }
    return gt_svg_end(&svg);
}

gt_Picture *gt_plot_history_at(const char *here, const gt_History *history,
                               const gt_plot_history_options *given)
{
    static const char operation[] = "plot_history";
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_plot_history_options options;
    GT_TAKE(gt_plot_history_options, &options, given);
    if (!gt_check_picture_size(context, here, operation, options.width, options.height))
        return NULL;
    gt_Site site = gt_site_enter(here, operation);
    const int names = gt_history_name_count_at(here, history);
    const int64_t epochs = gt_history_epoch_count_at(here, history);
    gt_Picture *picture = NULL;
    if (gt_status() == GT_OK && (names <= 0 || epochs <= 0))
        gt_raise(context, GT_INVALID, NULL, NULL, "the history has no epoch");
    if (gt_status() == GT_OK) {
        const size_t values = (size_t)names * (size_t)epochs * sizeof(double),
                     items = (size_t)names * sizeof(Group);
        Groups groups = {.items = gt_allocate(context, items),
                         .values = gt_allocate(context, values)};
        if (groups.items && groups.values) {
            read_history(&groups, history, &options, names, epochs);
            if (check_names(context, options.names, &groups))
                picture = draw_groups(context, &groups, &options);
        }
        gt_release(context, groups.items, items);
        gt_release(context, groups.values, values);
    }
    gt_site_leave(&site);
    return picture;
}

/* ---- of tensors ---- */

typedef struct Given {
    Curve curves[GT_SVG_SERIES];
    double *numbers[GT_SVG_SERIES + 1]; /* of each curve, and of x */
    int64_t length[GT_SVG_SERIES + 1];
    int count;
} Given;

static bool read_curves(gt_Context *context, Given *to, gt_Tensors curves,
                        const gt_plot_curves_options *options)
{
    if (curves.count < 1 || curves.count > GT_SVG_SERIES) {
        gt_raise(context, GT_INVALID, NULL, NULL, "curves must be 1 to %d tensors (got %d)",
                 GT_SVG_SERIES, (int)curves.count);
        return false;
    }
    to->count = curves.count;
    for (int c = 0; c < curves.count; c++)
        if (!gt_read_numbers(context, curves.items[c], 1, &to->numbers[c], &to->length[c]))
            return false;
    double **x = &to->numbers[GT_SVG_SERIES];
    int64_t *points = &to->length[GT_SVG_SERIES];
    if (options->x && !gt_read_numbers(context, options->x, 1, x, points))
        return false;
    for (int c = 0; c < curves.count; c++) {
        if (options->x && *points != to->length[c]) {
            gt_raise(context, GT_INVALID, NULL, NULL,
                     "x must have as many numbers as each curve (%lld and %lld)",
                     (long long)*points, (long long)to->length[c]);
            return false;
        }
        to->curves[c] =
            (Curve){gt_name_at(options->names, c), *x, 0, to->numbers[c], to->length[c]};
    }
    return true;
}

static gt_Picture *draw_curves(gt_Context *context, const Given *given,
                               const gt_plot_curves_options *options)
{
    const int lines = put_legend(NULL, given->curves, given->count, 0, 0, options->width - 28);
    gt_Svg svg;
    gt_svg_begin(&svg, context, options->width,
                 options->height + lines * LEGEND_LINE + (lines ? 10 : 0),
                 options->title ? options->title : "curves");
    gt_Panel panel = {.width = options->width,
                      .height = options->height,
                      .title = options->title,
                      .x_label = options->x_label,
                      .y_label = options->y_label};
    panel.down.logarithmic = options->log_scale;
    panel.across.whole = !options->x;
    put_panel(&svg, &panel, given->curves, given->count);
    return gt_svg_end(&svg);
}

gt_Picture *gt_plot_curves_at(const char *here, gt_Tensors curves,
                              const gt_plot_curves_options *given)
{
    static const char operation[] = "plot_curves";
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_plot_curves_options options;
    GT_TAKE(gt_plot_curves_options, &options, given);
    if (!gt_check_picture_size(context, here, operation, options.width, options.height))
        return NULL;
    Given read = {.count = 0};
    gt_Picture *picture = NULL;
    gt_Site site = gt_site_enter(here, operation);
    if (read_curves(context, &read, curves, &options))
        picture = draw_curves(context, &read, &options);
    for (int i = 0; i <= GT_SVG_SERIES; i++)
        gt_drop_numbers(context, read.numbers[i], read.length[i]);
    gt_site_leave(&site);
    return picture;
}
