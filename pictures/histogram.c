/* Histograms: numbers are sorted first, which gives range, quartiles and counts alike. */
#include "pictures/histogram.h"
#include "core/text.h"
#include "layers/internal.h"
#include "pictures/axes.h"
#include "pictures/read.h"

#include <math.h>
#include <stdlib.h>

GT_OPTION_TYPE(gt_plot_histogram_options, gt_plot_histogram_OPTIONS);
GT_OPTION_TYPE(gt_plot_weights_options, gt_plot_weights_OPTIONS);

enum {
    MOST_BINS = 1000,
    SUITABLE = 100,
    INTEGERS = 60,
    MOST_WEIGHTS = 100,
    ACROSS = 4,
    SMALL = 300,
    TITLE = 34
};

typedef struct Histogram {
    int64_t counts[MOST_BINS];
    int bins;
    double low, width; /* of the first bin */
    int64_t count, nans, infinities;
    double mean, deviation;
} Histogram;

/* ---- counting ---- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Moves what is finite to the front, and counts the rest. */
static void sort_out(Histogram *to, double *numbers, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        if (isnan(numbers[i]))
            to->nans++;
        else if (isinf(numbers[i]))
            to->infinities++;
        else
            numbers[to->count++] = numbers[i];
    }
}

/* Both in two goes; halves first, so that the sum of large numbers stays finite. */
static void take_moments(Histogram *to, const double *numbers)
{
    const double n = (double)to->count;
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < to->count; i++)
        sum += numbers[i] / n;
    for (int64_t i = 0; i < to->count; i++)
        squares += (numbers[i] - sum) / n * (numbers[i] - sum);
    to->mean = sum;
    to->deviation = sqrt(squares);
}

/* Linear between neighbours, as NumPy's percentile. */
static double quantile(const double *sorted, int64_t count, double q)
{
    const double at = q * (double)(count - 1);
    const int64_t below = (int64_t)at, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (at - (double)below) * (sorted[above] - sorted[below]);
}

static bool are_few_integers(const double *sorted, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (sorted[i] != floor(sorted[i]))
            return false;
    return sorted[count - 1] - sorted[0] < INTEGERS;
}

static int suitable_bins(const double *sorted, int64_t count)
{
    const double range = sorted[count - 1] - sorted[0], n = (double)count;
    if (!isfinite(range))
        return SUITABLE;
    const double sturges = range / (log2(n) + 1);
    const double quartiles = quantile(sorted, count, 0.75) - quantile(sorted, count, 0.25);
    const double freedman = 2 * quartiles / cbrt(n);
    const double width = freedman > 0 ? fmin(sturges, freedman) : sturges;
    const double bins = width > 0 ? ceil(range / width) : 1;
    return bins > SUITABLE ? SUITABLE : bins < 1 ? 1 : (int)bins;
}

static void choose_bins(Histogram *to, const double *sorted, int64_t bins)
{
    const double low = sorted[0], high = sorted[to->count - 1];
    if (bins == 0 && are_few_integers(sorted, to->count)) {
        to->bins = (int)(high - low) + 1;
        to->low = low - 0.5;
        to->width = 1;
        return;
    }
    to->bins = bins > 0 ? (int)bins : suitable_bins(sorted, to->count);
    to->low = low;
    to->width = high / to->bins - low / to->bins;
    if (to->width > 0)
        return;
    to->low = low - 0.5; /* all are the same number */
    to->width = 1.0 / to->bins;
}

static void count_numbers(Histogram *to, const double *sorted)
{
    for (int64_t i = 0; i < to->count; i++) {
        const double at = sorted[i] / to->width - to->low / to->width;
        int bin = at >= to->bins ? to->bins - 1 : at < 0 ? 0 : (int)at;
        to->counts[bin]++;
    }
}

static bool make_histogram(gt_Context *context, const gt_Tensor *x, int64_t bins, Histogram *to)
{
    double *numbers = NULL;
    int64_t count = 0;
    *to = (Histogram){.bins = 1, .width = 1};
    if (!gt_read_numbers(context, x, -1, &numbers, &count))
        return false;
    sort_out(to, numbers, count);
    if (to->count > 0) {
        qsort(numbers, (size_t)to->count, sizeof *numbers, compare);
        take_moments(to, numbers);
        choose_bins(to, numbers, bins);
        count_numbers(to, numbers);
    }
    gt_drop_numbers(context, numbers, count);
    return true;
}

/* ---- drawing ---- */

/* Where bin number i begins; by halves, which stay finite. */
static double edge(const Histogram *h, int i)
{
    return 2 * (h->low / 2 + i * (h->width / 2));
}

static void put_bar(gt_Svg *svg, const gt_Panel *panel, const Histogram *h, int bin)
{
    const double from = edge(h, bin), to = edge(h, bin + 1);
    const double left = gt_axis_at(&panel->across, from), right = gt_axis_at(&panel->across, to);
    const double top = gt_axis_at(&panel->down, (double)h->counts[bin]);
    const double gap = right - left > 6 ? 1 : 0;
    char a[GT_NUMBER_TEXT], b[GT_NUMBER_TEXT], tip[3 * GT_NUMBER_TEXT];
    gt_text(tip, sizeof tip, "%s to %s: %lld", gt_short_number(a, from), gt_short_number(b, to),
            (long long)h->counts[bin]);
    gt_svg_begin_tip(svg, tip);
    gt_svg_rectangle(svg, left + gap / 2, top, right - left - gap, panel->down.from - top,
                     "fill=\"#0072B2\"");
    gt_svg_put(svg, "</g>\n");
}

static void put_words(gt_Svg *svg, const gt_Panel *panel, const Histogram *h)
{
    char text[200], mean[GT_NUMBER_TEXT], deviation[GT_NUMBER_TEXT];
    gt_SvgText how = {.x = panel->across.to,
                      .y = panel->y + panel->height - 4,
                      .size = GT_SVG_SIZE - 1,
                      .anchor = GT_SVG_END,
                      .colour = GT_SVG_FAINT,
                      .room = panel->width - 20};
    gt_short_number(mean, h->mean);
    gt_short_number(deviation, h->deviation);
    int used = gt_text(text, sizeof text, "n %lld", (long long)h->count);
    if (h->count > 0)
        used +=
            gt_text(text + used, sizeof text - (size_t)used, ", mean %s, std %s", mean, deviation);
    if (h->nans)
        used += gt_text(text + used, sizeof text - (size_t)used, ", %lld NaN", (long long)h->nans);
    if (h->infinities)
        gt_text(text + used, sizeof text - (size_t)used, ", %lld infinite",
                (long long)h->infinities);
    gt_svg_text(svg, &how, text);
}

/* A bar of one stands out also where counts are logarithms: that axis begins at a half. */
static void put_histogram(gt_Svg *svg, gt_Panel *panel, const Histogram *h, bool logarithmic)
{
    int64_t most = 1;
    for (int i = 0; i < h->bins; i++)
        most = h->counts[i] > most ? h->counts[i] : most;
    panel->down.logarithmic = logarithmic;
    panel->down.whole = true;
    gt_axis_cover(&panel->down, logarithmic ? 0.5 : 0, (double)most);
    gt_axis_cover(&panel->across, h->low, edge(h, h->bins));
    if (!logarithmic)
        gt_axis_round(&panel->down);
    panel->height -= 18;
    gt_panel_begin(svg, panel);
    panel->height += 18;
    for (int i = 0; i < h->bins; i++)
        if (h->counts[i] > 0)
            put_bar(svg, panel, h, i);
    put_words(svg, panel, h);
    if (h->count == 0)
        gt_svg_text(svg,
                    &(gt_SvgText){.x = (panel->across.from + panel->across.to) / 2,
                                  .y = (panel->down.from + panel->down.to) / 2,
                                  .anchor = GT_SVG_MIDDLE,
                                  .colour = GT_SVG_FAINT},
                    "no number is finite");
}

static bool check_bins(gt_Context *context, const char *here, const char *operation, int64_t bins)
{
    if (bins >= 0 && bins <= MOST_BINS)
        return true;
    gt_raise(context, GT_INVALID, here, operation, "bins must be from 0 to %d (got %lld)",
             MOST_BINS, (long long)bins);
    return false;
}

static gt_Picture *one_histogram(gt_Context *context, const gt_Tensor *x,
                                 const gt_plot_histogram_options *options)
{
    Histogram *h = gt_allocate(context, sizeof *h);
    gt_Picture *picture = NULL;
    if (h && make_histogram(context, x, options->bins, h)) {
        gt_Svg svg;
        gt_Panel panel = {.width = options->width,
                          .height = options->height,
                          .title = options->title,
                          .x_label = options->x_label,
                          .y_label = "count"};
        gt_svg_begin(&svg, context, options->width, options->height,
                     options->title ? options->title : "histogram");
        put_histogram(&svg, &panel, h, options->log_scale);
        picture = gt_svg_end(&svg);
    }
    gt_release(context, h, sizeof *h);
    return picture;
}

gt_Picture *gt_plot_histogram_at(const char *here, const gt_Tensor *x,
                                 const gt_plot_histogram_options *given)
{
    static const char operation[] = "plot_histogram";
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_plot_histogram_options options;
    GT_TAKE(gt_plot_histogram_options, &options, given);
    if (!gt_check_picture_size(context, here, operation, options.width, options.height) ||
        !check_bins(context, here, operation, options.bins))
        return NULL;
    gt_Site site = gt_site_enter(here, operation);
    gt_Picture *picture = one_histogram(context, x, &options);
    gt_site_leave(&site);
    return picture;
}

/* ---- of weights ---- */

static gt_Picture *draw_weights(gt_Context *context, gt_Layer *layer,
                                const gt_plot_weights_options *options)
{
    const int total = gt_weights_at(NULL, layer).count,
              count = total < MOST_WEIGHTS ? total : MOST_WEIGHTS;
    const int columns = count < ACROSS ? (count > 0 ? count : 1) : ACROSS,
              rows = (count + columns - 1) / columns;
    const char *title = options->title ? options->title : gt_layer_name_at(NULL, layer);
    Histogram *h = gt_allocate(context, sizeof *h);
    gt_Svg svg;
    gt_svg_begin(&svg, context, columns * SMALL,
                 TITLE + rows * 230 + (total > count || total == 0 ? 24 : 0), title);
    gt_svg_text(
        &svg,
        &(gt_SvgText){.x = 14, .y = 23, .size = 15, .bold = true, .room = columns * SMALL - 28},
        title);
    for (int i = 0; i < count && gt_status() == GT_OK && h; i++) {
        const gt_Variable *weight = gt_weights_at(NULL, layer).items[i];
        if (!make_histogram(context, weight, options->bins, h))
            break;
        gt_Panel panel = {.x = i % columns * SMALL,
                          .y = TITLE + i / columns * 230,
                          .width = SMALL,
                          .height = 222,
                          .title = gt_variable_path_at(NULL, layer, weight)};
        put_histogram(&svg, &panel, h, options->log_scale);
    }
    if (total > count || total == 0) {
        char text[80];
        gt_text(text, sizeof text, total ? "%d further weights are not shown" : "no weights",
                total - count);
        gt_svg_text(&svg,
                    &(gt_SvgText){.x = 14, .y = TITLE + rows * 230 + 14, .colour = GT_SVG_FAINT},
                    text);
    }
    gt_release(context, h, sizeof *h);
    return gt_svg_end(&svg);
}

gt_Picture *gt_plot_weights_at(const char *here, gt_Layer *layer,
                               const gt_plot_weights_options *given)
{
    static const char operation[] = "plot_weights";
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, operation, layer) : NULL;
    if (!state)
        return NULL;
    gt_plot_weights_options options;
    GT_TAKE(gt_plot_weights_options, &options, given);
    if (!check_bins(context, here, operation, options.bins))
        return NULL;
    if (!state->built) {
        gt_raise(context, GT_STATE, here, operation,
                 "%s is not built: call it, or gt_build it first", state->name);
        return NULL;
    }
    gt_Site site = gt_site_enter(here, operation);
    gt_Picture *picture = draw_weights(context, layer, &options);
    gt_site_leave(&site);
    return picture;
}
