/* Filters of convolutions: each element of a kernel is a small square. */
#include "pictures/filters.h"
#include "core/text.h"
#include "pictures/read.h"
#include "pictures/svg.h"

#include <math.h>

GT_OPTION_TYPE(gt_plot_filters_options, gt_plot_filters_OPTIONS);

enum { TILE = 64, GAP = 8, ACROSS = 16, LABEL = 14, MOST_SIZE = 64 };

typedef struct Filters {
    double *numbers;
    int64_t size;
    int64_t height, width, channels, filters; /* of the kernel */
    int64_t shown, shown_channels;
    bool colours;
    double pixel; /* the side of an element */
} Filters;

/* ---- reading ---- */

static bool read_kernel(gt_Context *context, const gt_Tensor *kernel,
                        const gt_plot_filters_options *options, Filters *f)
{
    char text[200];
    if (!gt_read_numbers(context, kernel, -1, &f->numbers, &f->size))
        return false;
    const gt_Spec *spec = gt_tensor_spec(kernel);
    const bool flat = spec->rank == 3;
    const int64_t *dims = spec->dims + (flat ? 0 : 1);
    if ((!flat && spec->rank != 4) || spec->size == 0 || dims[0] > MOST_SIZE ||
        (!flat && spec->dims[0] > MOST_SIZE)) {
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "expected a kernel (height, width, channels, filters) or (size, channels, "
                 "filters) of 1 to %d elements a "
                 "side (got %s)",
                 MOST_SIZE, gt_spec_text(spec, text, sizeof text));
        return false;
    }
    f->height = flat ? 1 : spec->dims[0];
    f->width = dims[0];
    f->channels = dims[1];
    f->filters = dims[2];
    f->colours = options->colours && f->channels == 3;
    f->shown = f->filters < options->most ? f->filters : options->most;
    f->shown_channels = f->colours                             ? 1
                        : f->channels < options->most_channels ? f->channels
                                                               : options->most_channels;
    f->pixel = floor(TILE / fmax((double)f->height, (double)f->width));
    f->pixel = fmin(fmax(f->pixel, 3), 24);
    return true;
}

static double element(const Filters *f, int64_t row, int64_t column, int64_t channel,
                      int64_t filter)
{
    return f->numbers[((row * f->width + column) * f->channels + channel) * f->filters + filter];
}

/* The largest finite absolute value of a filter; of one without any 1. */
static double scale_of(const Filters *f, int64_t filter)
{
    double scale = 0;
    for (int64_t i = filter; i < f->size; i += f->filters)
        scale = isfinite(f->numbers[i]) ? fmax(scale, fabs(f->numbers[i])) : scale;
    return scale > 0 ? scale : 1;
}

/* ---- drawing ---- */

static unsigned level(double number, double scale)
{
    return isfinite(number) ? (unsigned)lround(127.5 + 127.5 * number / scale) : 0;
}

static void put_element(gt_Svg *svg, const Filters *f, double x, double y, const double number[3],
                        double scale)
{
    char style[40];
    gt_text(style, sizeof style, "fill=\"#%02X%02X%02X\"", level(number[0], scale),
            level(number[1], scale), level(number[2], scale));
    gt_svg_rectangle(svg, x, y, f->pixel, f->pixel, style);
    if (!isfinite(number[0] + number[1] + number[2]))
        gt_svg_put(svg,
                   "<path d=\"M%.7g %.7gl%.4g %.4gm0 -%.4gl-%.4g %.4g\" stroke=\"#FFFFFF\"/>\n", x,
                   y, f->pixel, f->pixel, f->pixel, f->pixel, f->pixel);
}

/* One channel of a filter, or all three as colours. */
static void put_tile(gt_Svg *svg, const Filters *f, double x, double y, int64_t channel,
                     int64_t filter)
{
    const double scale = scale_of(f, filter);
    for (int64_t row = 0; row < f->height; row++)
        for (int64_t column = 0; column < f->width; column++) {
            double number[3];
            for (int c = 0; c < 3; c++)
                number[c] = element(f, row, column, f->colours ? c : channel, filter);
            put_element(svg, f, x + (double)column * f->pixel, y + (double)row * f->pixel, number,
                        scale);
        }
    gt_svg_rectangle(svg, x, y, f->pixel * (double)f->width, f->pixel * (double)f->height,
                     "fill=\"none\" stroke=\"#000000\" stroke-width=\"0.6\"");
}

/* A filter with all its channels below each other, its number above; the tip has its scale. */
static void put_filter(gt_Svg *svg, const Filters *f, double x, double y, int64_t filter)
{
    char text[80];
    gt_text(text, sizeof text, "filter %lld: white is %.4g", (long long)filter,
            scale_of(f, filter));
    gt_svg_begin_tip(svg, text);
    gt_text(text, sizeof text, "%lld", (long long)filter);
    gt_svg_text(svg, &(gt_SvgText){.x = x, .y = y + LABEL - 4, .size = 10, .colour = GT_SVG_FAINT},
                text);
    for (int64_t channel = 0; channel < f->shown_channels; channel++)
        put_tile(svg, f, x, y + LABEL + (double)channel * (f->pixel * (double)f->height + 3),
                 channel, filter);
    gt_svg_put(svg, "</g>\n");
}

/* What is left out, in words; empty if nothing is. */
static void rest_text(const Filters *f, char text[120])
{
    int used = 0;
    text[0] = 0;
    if (f->shown < f->filters)
        used = gt_text(text, 120, "the first %lld of %lld filters", (long long)f->shown,
                       (long long)f->filters);
    if (!f->colours && f->shown_channels < f->channels)
        gt_text(text + used, 120 - (size_t)used, "%sthe first %lld of %lld channels",
                used ? ", " : "", (long long)f->shown_channels, (long long)f->channels);
}

static gt_Picture *draw_filters(gt_Context *context, const Filters *f,
                                const gt_plot_filters_options *options)
{
    const int64_t columns = f->shown < ACROSS ? f->shown : ACROSS,
                  rows = (f->shown + columns - 1) / columns;
    const double wide = fmax(f->pixel * (double)f->width, 20) + GAP;
    const double high =
        LABEL + (double)f->shown_channels * (f->pixel * (double)f->height + 3) + GAP;
    const double top = options->title ? 36 : 8;
    char text[120];
    rest_text(f, text);
    const double width = fmax((double)columns * wide + 2 * GAP, *text || options->title ? 300 : 0);
    gt_Svg svg;
    gt_svg_begin(&svg, context, width, top + (double)rows * high + (*text ? 24 : 0),
                 options->title ? options->title : "filters");
    if (options->title)
        gt_svg_text(
            &svg,
            &(gt_SvgText){.x = GAP + 4, .y = 24, .size = 15, .bold = true, .room = width - 24},
            options->title);
    for (int64_t i = 0; i < f->shown; i++)
        put_filter(&svg, f, GAP + 4 + (double)(i % columns) * wide,
                   top + (double)(i / columns) * high, i);
    if (*text)
        gt_svg_text(&svg,
                    &(gt_SvgText){.x = GAP + 4,
                                  .y = top + (double)rows * high + 12,
                                  .colour = GT_SVG_FAINT,
                                  .room = width - 24},
                    text);
    return gt_svg_end(&svg);
}

gt_Picture *gt_plot_filters_at(const char *here, const gt_Tensor *kernel,
                               const gt_plot_filters_options *given)
{
    static const char operation[] = "plot_filters";
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_plot_filters_options options;
    GT_TAKE(gt_plot_filters_options, &options, given);
    if (options.most < 1 || options.most > 1024 || options.most_channels < 1 ||
        options.most_channels > 64) {
        gt_raise(context, GT_INVALID, here, operation,
                 "most must be from 1 to 1024 and most_channels from 1 to 64 (got %lld and %lld)",
                 (long long)options.most, (long long)options.most_channels);
        return NULL;
    }
    Filters filters = {.numbers = NULL};
    gt_Site site = gt_site_enter(here, operation);
    gt_Picture *picture = read_kernel(context, kernel, &options, &filters)
                              ? draw_filters(context, &filters, &options)
                              : NULL;
    gt_drop_numbers(context, filters.numbers, filters.size);
    gt_site_leave(&site);
    return picture;
}
