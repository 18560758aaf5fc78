/* Pictures: well-formed XML, the numbers that are drawn, names with any characters, wrong input, no memory. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include "pictures/chart.h"

#include "budget.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void end(gt_Scope *scope)
{
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

static void fails(const void *picture, const char *part)
{
    cr_assert(!picture && gt_status() == GT_INVALID && strstr(gt_error_message(), part),
              "\"%s\" lacks \"%s\"", gt_error_message(), part);
    gt_error_clear();
}

/* ---- XML ---- */

/* Past an entity, which begins with &. */
static const char *past_entity(const char *at)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;"};
    for (int i = 0; i < 4; i++)
        if (strncmp(at, known[i], strlen(known[i])) == 0)
            return at + strlen(known[i]);
    cr_assert(false, "unknown entity: %.20s", at);
    return NULL;
}

/* Past a tag: attributes are NAME="VALUE", each name once. `open` holds the names of elements that are open. */
static const char *past_tag(const char *at, char open[20][20], int *depth)
{
    char name[20];
    int length = 0;
    const bool closing = at[1] == '/';
    cr_assert(sscanf(at + 1 + closing, "%19[a-z]%n", name, &length) == 1, "no tag: %.20s", at);
    at += 1 + closing + length;
    while (!closing && *at == ' ') {
        while (*at == ' ')
            at++;
        if (*at == '/' || *at == '>')
            break;
        char attribute[24];
        cr_assert(sscanf(at, "%23[a-zA-Z0-9-]%n", attribute, &length) == 1 && at[length] == '=' &&
                      at[length + 1] == '"',
                  "no attribute: %.30s", at);
        for (at += length + 2; *at != '"'; at++)
            cr_assert(*at && *at != '<' && *at != '&', "an attribute does not end: %.30s", at);
        at++;
    }
    if (closing)
        cr_assert(*depth > 0 && strcmp(open[--*depth], name) == 0, "</%s> closes nothing", name);
    else if (*at != '/')
        strcpy(open[(*depth)++], name);
    else
        at++;
    cr_assert(*at == '>' && *depth < 20, "a tag does not end: %.20s", at);
    return at + 1;
}

/* Each element is closed, nothing but what XML allows stands between them, numbers are numbers. */
static void well_formed(const char *text)
{
    char open[20][20];
    int depth = 0;
    cr_assert(text, "%s", gt_error_message());
    cr_assert(strncmp(text, "<svg ", 5) == 0);
    for (const char *at = text; *at;) {
        if (*at == '<')
            at = past_tag(at, open, &depth);
        else if (*at == '&')
            at = past_entity(at);
        else {
            cr_assert((unsigned char)*at >= ' ' || *at == '\n' || *at == '\t', "character %d", *at);
            at++;
        }
    }
    cr_assert(depth == 0, "%d elements are open", depth);
    cr_assert(!strstr(text, "nan") && !strstr(text, "=\"inf") && !strstr(text, "=\"-inf"),
              "a number is none");
}

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

/* The SVG, checked. */
static const char *svg_of(gt_Picture *picture)
{
    cr_assert(picture, "%s", gt_error_message());
    const char *text = gt_picture_text(picture);
    well_formed(text);
    return text;
}

static void shows(gt_Picture *picture, const char *part)
{
    const char *text = svg_of(picture);
    cr_assert(strstr(text, part), "no \"%s\" in\n%s", part, text);
    gt_picture_free(picture);
}

/* ---- curves ---- */

/* The points of path number `which` after a text of the picture, one pair each; how many there are. */
static int points_of(const char *svg, int which, double points[][2], int most)
{
    const char *at = svg;
    int count = 0, length;
    for (int i = 0; i <= which; i++) {
        at = strstr(at, "<path fill=\"none\"");
        cr_assert(at, "no path %d", which);
        at = strstr(at, " d=\"") + 4;
    }
    while (count < most &&
           sscanf(at, "%*[ML]%lf %lf%n", &points[count][0], &points[count][1], &length) == 2) {
        count++;
        at += length;
    }
    return count;
}

/* Where the label of a tick at the left stands, less what it is below its line. */
static double tick_at(const char *svg, const char *label)
{
    char part[40];
    double y;
    snprintf(part, sizeof part, ">%s</text>", label);
    const char *at = strstr(svg, part);
    cr_assert(at, "no tick %s", label);
    while (strncmp(at, "<text ", 6) != 0)
        at--;
    cr_assert(sscanf(at, "<text x=\"%*f\" y=\"%lf\" text-anchor=\"end\"", &y) == 1);
    return y - 4;
}

/* Pixels are linear in the numbers, y upside down, and ticks stand where their numbers are. */
Test(pictures, points_of_curves)
{
    static const double x[] = {0, 1, 4, 10}, y[] = {3, -1, 0.5, 8};
    double at[8][2];
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *across = gt_from_values(gt_shape(4), GT_FLOAT64, 4, x),
              *down = gt_from_values(gt_shape(4), GT_FLOAT32, 4, y);
    gt_Picture *picture = gt_plot_curves(gt_tensors(down), .x = across, .names = gt_names("y"));
    cr_assert(points_of(svg_of(picture), 0, at, 8) == 4);
    const double wide = (at[3][0] - at[0][0]) / 10, high = (at[3][1] - at[1][1]) / 9;
    cr_assert(wide > 10 && high < -5);
    cr_assert(fabs(tick_at(gt_picture_text(picture), "8") - at[3][1]) < 1e-3);
    cr_assert(fabs(tick_at(gt_picture_text(picture), "0") - at[1][1] - high) < 1e-3);
    for (int i = 0; i < 4; i++)
        cr_assert(fabs(at[i][0] - at[0][0] - wide * x[i]) < 1e-3 &&
                      fabs(at[i][1] - at[1][1] - high * (y[i] + 1)) < 1e-3,
                  "%d", i);
    gt_picture_free(picture);
    picture = gt_plot_curves(gt_tensors(gt_array(gt_shape(3), 1, 10, 1000)), .log_scale = true);
    cr_assert(points_of(svg_of(picture), 0, at, 8) == 3);
    cr_assert(fabs(2 * (at[1][1] - at[0][1]) - (at[2][1] - at[1][1])) < 1e-3);
    cr_assert(fabs(tick_at(gt_picture_text(picture), "10") - at[1][1]) < 1e-3);
    gt_picture_free(picture);
    end(scope);
}

/* A gap and a cross each; a lone point is a mark. */
Test(pictures, what_is_not_finite)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Picture *picture =
        gt_plot_curves(gt_tensors(gt_array(gt_shape(7), 1, NAN, 2, INFINITY, -INFINITY, 3, 4)));
    const char *svg = svg_of(picture);
    double at[8][2];
    cr_assert(points_of(svg, 0, at, 8) == 4 && count_of(svg, "l7 7m0 -7") == 3 &&
              count_of(svg, "<circle") == 4);
    const char *line = strstr(strstr(svg, "<path fill=\"none\""), " d=\"");
    cr_assert(line[4] == 'M' && count_of(line, "M") - count_of(strstr(line, "/>"), "M") == 3,
              "%.100s", line);
    gt_picture_free(picture);
    shows(gt_plot_curves(gt_tensors(gt_full(gt_shape(5), NAN)), .names = gt_names("x")),
          "no value is finite");
    shows(gt_plot_curves(gt_tensors(gt_full(gt_shape(5), -1)), .log_scale = true),
          "no value is finite and positive");
    shows(gt_plot_curves(gt_tensors(gt_full(gt_shape(1), 7))), "<title>0: 7</title>");
    shows(gt_plot_curves(gt_tensors(gt_zeros(gt_shape(0)))), "no value is finite");
    shows(gt_plot_curves(gt_tensors(gt_array(gt_shape(2), 1e38, -1e38))), "<circle");
    shows(gt_plot_curves(gt_tensors(
              gt_from_values(gt_shape(2), GT_FLOAT64, 2, (double[]){1.5e308, -1.5e308}))),
          "<svg");
    end(scope);
}

/* A curve of many points passes the least and the greatest of them, with few pieces. */
Test(pictures, many_points)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_sin(gt_multiply(gt_arange(0, 200000, 1, .dtype = GT_FLOAT64), 0.001));
    gt_Picture *picture = gt_plot_curves(
        gt_tensors(gt_where(gt_equal(gt_arange(0, 200000, 1), 77777), gt_full_like(x, 5), x)));
    const char *svg = svg_of(picture);
    static double at[20000][2];
    int count = points_of(svg, 0, at, 20000), below = 0;
    for (int i = 0; i < count; i++)
        below += at[i][1] < at[0][1] - 100;
    cr_assert(count > 4000 && count < 10000 && below > 0 && strlen(svg) < 400000,
              "%d points, %d, %zu bytes", count, below, strlen(svg));
    gt_picture_free(picture);
    end(scope);
}

static gt_History *trained(int64_t epochs)
{
    gt_Tensor *x = gt_multiply(gt_arange(0, 40, 1, .dtype = GT_FLOAT32), 0.05);
    x = gt_reshape(x, gt_shape(20, 2));
    gt_Tensor *y = gt_reshape(gt_sum(x, .axis = 1), gt_shape(20, 1));
    gt_Layer *model = gt_Sequential(gt_Dense(3, .activation = gt_tanh), gt_Dense(1));
    gt_compile(model, .optimizer = gt_SGD(0.05), .loss = gt_MeanSquaredError(),
               .metrics = gt_metrics(
                   gt_LossMetric(gt_MeanAbsoluteError(), .name = "mean_absolute_error")));
    gt_Dataset *data = gt_dataset_from_tensors(x, y, .batch_size = 10);
    return gt_fit(model, data, .epochs = epochs, .validation = data,
                  .verbose = GT_VERBOSITY_SILENT);
}

/* Each value stands as a tip at its place. */
Test(pictures, values_of_a_history)
{
    double at[8][2];
    char tip[80];
    gt_Scope *scope = gt_scope_begin();
    gt_History *history = trained(4);
    gt_Picture *picture = gt_plot_history(history, .title = "Four epochs");
    const char *svg = svg_of(picture);
    cr_assert(strstr(svg, ">Four epochs</text>") && strstr(svg, ">val_loss</text>") &&
              count_of(svg, ">epoch</text>") == 2);
    for (int64_t epoch = 0; epoch < 4; epoch++) {
        snprintf(tip, sizeof tip, "<title>%d: %.6g</title>", (int)epoch + 1,
                 gt_history_get(history, "val_loss", epoch));
        cr_assert(strstr(svg, tip), "%s", tip);
    }
    cr_assert(points_of(svg, 1, at, 8) == 4); /* val_loss */
    const double first = gt_history_get(history, "val_loss", 0),
                 last = gt_history_get(history, "val_loss", 3);
    const double scale = (at[3][1] - at[0][1]) / (last - first);
    for (int i = 0; i < 4; i++)
        cr_assert(fabs(at[i][1] - at[0][1] -
                       scale * (gt_history_get(history, "val_loss", i) - first)) < 0.01);
    gt_picture_free(picture);
    picture = gt_plot_history(history, .names = gt_names("loss"), .first_epoch = 11);
    svg = svg_of(picture);
    cr_assert(!strstr(svg, "mean_absolute_error") && strstr(svg, "<title>14: "));
    gt_picture_free(picture);
    shows(gt_plot_history(trained(1)), "<circle");
    fails(gt_plot_history(history, .names = gt_names("loss", "los")),
          "plot_history: the history has no numbers called \"los\"");
    fails(gt_plot_history(history, .width = 10),
          "width must be from 200 to 4000 and height from 150 to 4000 (got 10 and 300)");
    fails(gt_plot_history(NULL), "history");
    end(scope);
}

Test(pictures, curves_that_are_refused)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_zeros(gt_shape(3)), *square = gt_zeros(gt_shape(3, 3));
    fails(gt_plot_curves(gt_tensors(square)),
          "plot_curves: expected a tensor of rank 1 (got float32 (3, 3))");
    fails(gt_plot_curves(gt_tensors(x), .x = gt_zeros(gt_shape(4))),
          "x must have as many numbers as each curve (4 and 3)");
    fails(gt_plot_curves(gt_tensors(x, x, x, x, x, x, x, x, x)),
          "curves must be 1 to 8 tensors (got 9)");
    fails(gt_plot_curves(((gt_Tensors){NULL, 0})), "curves must be 1 to 8 tensors (got 0)");
    fails(gt_plot_curves(gt_tensors(NULL)), "tensor");
    fails(gt_plot_curves(gt_tensors(x), .height = 1e9), "(got 480 and 1e+09)");
    end(scope);
}

/* ---- names ---- */

/* Markup in names is text; what is no UTF-8, and characters that XML does not have, are U+FFFD; long names are cut between
 * characters, and whole in a tip. */
Test(pictures, any_name)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array(gt_shape(2), 1, 2);
    gt_Picture *picture = gt_plot_curves(
        gt_tensors(x), .names = gt_names("a<b>&\"c\"\x01\xff\xc3("), .title = "</svg><script>");
    const char *svg = svg_of(picture);
    cr_assert(strstr(svg, "a&lt;b&gt;&amp;&quot;c&quot;\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD("),
              "%s", svg);
    cr_assert(!strstr(svg, "<script"));
    gt_picture_free(picture);
    char name[500] = "";
    for (int i = 0; i < 90; i++)
        strcat(name, "\xC3\xA4\xE2\x82\xAC");
    picture = gt_plot_curves(gt_tensors(x), .names = gt_names(name), .y_label = name);
    svg = svg_of(picture);
    cr_assert(strstr(svg, name) && strstr(svg, "\xE2\x80\xA6</text>"));
    gt_picture_free(picture);
    end(scope);
}

/* ---- histograms ---- */

/* The counts of the bars, from their tips. */
static int bars_of(gt_Picture *picture, long counts[200])
{
    const char *at = svg_of(picture);
    int count = 0;
    while ((at = strstr(at, "<g><title>"))) {
        const char *number = strstr(at, ": ");
        counts[count++] = strtol(number + 2, NULL, 10);
        at = number;
    }
    gt_picture_free(picture);
    return count;
}

/* Counts by numpy.histogram of NumPy 2.4.6 for 3 sin(n) + cos(n^2), n = 0 ... 199, with bins="auto" and with 7. */
Test(pictures, counts_of_histograms)
{
    static const long automatic[] = {16, 24, 26, 24, 19, 17, 32, 25, 17},
                      seven[] = {24, 29, 33, 23, 29, 35, 27};
    long counts[200];
    double numbers[200];
    gt_Scope *scope = gt_scope_begin();
    for (int n = 0; n < 200; n++)
        numbers[n] = 3 * sin(n) + cos((double)n * n);
    gt_Tensor *x = gt_from_values(gt_shape(10, 20), GT_FLOAT64, 200, numbers);
    cr_assert(bars_of(gt_plot_histogram(x), counts) == 9);
    for (int i = 0; i < 9; i++)
        cr_assert(counts[i] == automatic[i], "bin %d: %ld", i, counts[i]);
    cr_assert(bars_of(gt_plot_histogram(x, .bins = 7, .log_scale = true), counts) == 7);
    for (int i = 0; i < 7; i++)
        cr_assert(counts[i] == seven[i], "bin %d: %ld", i, counts[i]);
    shows(gt_plot_histogram(x), ">n 200, mean 0.0666264, std 2.23756</text>");
    gt_Tensor *digits = gt_cast(gt_array(gt_shape(6), 0, 3, 3, 1, 3, 0), GT_UINT8);
    cr_assert(bars_of(gt_plot_histogram(digits), counts) == 3 && counts[0] == 2 && counts[1] == 1 &&
              counts[2] == 3);
    shows(gt_plot_histogram(digits),
          "<title>-0.5 to 0.5: 2</title>"); /* a bar stands in the middle of its number */
    cr_assert(bars_of(gt_plot_histogram(gt_full(gt_shape(5), 1e30)), counts) == 1 &&
              counts[0] == 5);
    shows(gt_plot_histogram(gt_array(gt_shape(4), 1, NAN, INFINITY, 2)),
          ">n 2, mean 1.5, std 0.5, 1 NaN, 1 infinite</text>");
    shows(gt_plot_histogram(gt_zeros(gt_shape(0))), "no number is finite");
    shows(gt_plot_histogram(
              gt_from_values(gt_shape(2), GT_FLOAT64, 2, (double[]){-1.7e308, 1.7e308})),
          ">n 2, ");
    fails(gt_plot_histogram(x, .bins = -1), "plot_histogram: bins must be from 0 to 1000 (got -1)");
    fails(gt_plot_histogram(x, .bins = 1001), "(got 1001)");
    fails(gt_plot_histogram(NULL), "tensor");
    end(scope);
}

/* Bars stand on the axis, as high as their counts. */
Test(pictures, heights_of_bars)
{
    double y[3], height[3];
    int count = 0;
    gt_Scope *scope = gt_scope_begin();
    gt_Picture *picture = gt_plot_histogram(gt_array(gt_shape(6), 0, 0, 0, 1, 2, 2));
    for (const char *at = strstr(svg_of(picture), "<g><title>");
         count < 3 && (at = strstr(at, "</title>\n<rect ")); at++)
        count +=
            sscanf(
                at,
                "</title>\n<rect x=\"%*f\" y=\"%lf\" width=\"%*f\" height=\"%lf\" fill=\"#0072B2\"",
                &y[count], &height[count]) == 2;
    cr_assert(count == 3 && fabs(height[0] - 3 * height[1]) < 1e-3 &&
              fabs(height[2] - 2 * height[1]) < 1e-3);
    for (int i = 0; i < 3; i++)
        cr_assert(fabs(y[i] + height[i] - tick_at(gt_picture_text(picture), "0")) < 1e-3);
    gt_picture_free(picture);
    end(scope);
}

Test(pictures, weights)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = gt_Sequential(gt_Dense(3), gt_Dense(2, .name = "last"));
    cr_assert(!gt_plot_weights(model) &&
              strstr(gt_error_message(), "plot_weights: sequential is not built"));
    gt_error_clear();
    gt_call(model, gt_zeros(gt_shape(2, 4)));
    gt_Picture *picture = gt_plot_weights(model);
    const char *svg = svg_of(picture);
    cr_assert(strstr(svg, ">dense/kernel<") && strstr(svg, ">last/bias<") &&
                  strstr(svg, ">n 12, ") && strstr(svg, ">n 3, mean 0, std 0<"),
              "%s", svg);
    gt_picture_free(picture);
    gt_Layer *none = gt_Flatten();
    gt_call(none, gt_zeros(gt_shape(2, 4)));
    shows(gt_plot_weights(none), "no weights");
    end(scope);
}

/* ---- confusion matrices ---- */

Test(pictures, cells_of_confusion_matrices)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *matrix = gt_array(gt_shape(2, 2), 30, 10, 0, 60);
    gt_Picture *picture =
        gt_plot_confusion_matrix(matrix, .class_names = gt_names("cat & dog", "bird"));
    const char *svg = svg_of(picture);
    cr_assert(strstr(svg, "<title>cat &amp; dog taken for bird: 10 (25.0 %)</title>") &&
              strstr(svg, ">60</text>"));
    cr_assert(strstr(svg, "accuracy 0.9000, n 100<") && strstr(svg, "fill=\"#FFFFFF\""));
    gt_picture_free(picture);
    picture = gt_plot_confusion_matrix(matrix);
    const char *cell = strstr(svg_of(picture), "<title>0 taken for 1: 10 (25.0 %)</title>");
    cr_assert(cell && strstr(cell, ">10</text>") &&
              strstr(cell, ">10</text>") < strstr(cell, "</g>"));
    gt_picture_free(picture);
    shows(gt_plot_confusion_matrix(matrix, .normalize = true), ">75</text>");
    gt_Tensor *large = gt_add(gt_multiply(gt_eye(50), 300), 1000);
    picture = gt_plot_confusion_matrix(large); /* no room for numbers */
    svg = svg_of(picture);
    cr_assert(count_of(svg, "<g><title>") == 2500 && !strstr(svg, ">1300</text>") &&
              strstr(svg, "49 taken for 49: 1300"));
    gt_picture_free(picture);
    shows(gt_plot_confusion_matrix(gt_full(gt_shape(1, 1), 12345678)), ">12345678</text>");
    shows(gt_plot_confusion_matrix(gt_zeros(gt_shape(1, 1))), "nothing was counted");
    fails(gt_plot_confusion_matrix(gt_zeros(gt_shape(2, 3))),
          "the matrix must be square, of 1 to 200 classes (got float32 (2, 3))");
    fails(gt_plot_confusion_matrix(gt_zeros(gt_shape(0, 0))), "square");
    fails(gt_plot_confusion_matrix(gt_zeros(gt_shape(201, 201))), "1 to 200 classes");
    fails(gt_plot_confusion_matrix(gt_zeros(gt_shape(4))), "rank 2");
    fails(gt_plot_confusion_matrix(matrix, .class_names = gt_names("a")),
          "class_names must be as many as classes (got 1 and 2)");
    fails(gt_plot_confusion_matrix(gt_array(gt_shape(1, 1), -1)),
          "finite numbers >= 0 (got -1 in row 0, column 0)");
    fails(gt_plot_confusion_matrix(gt_array(gt_shape(2, 2), 0, 0, NAN, 0)), "row 1, column 0)");
    end(scope);
}

/* ---- filters ---- */

Test(pictures, elements_of_filters)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Picture *picture =
        gt_plot_filters(gt_array(gt_shape(2, 2, 1, 2), 1, 0, -2, 0, 0, NAN, 2, 0));
    const char *svg = svg_of(picture);
    cr_assert(count_of(svg, "\"#FFFFFF\"/>") >= 1 && strstr(svg, "\"#BFBFBF\"") &&
                  strstr(svg, "\"#000000\"/>") && strstr(svg, "white is 2<"),
              "%s", svg);
    cr_assert(count_of(svg, "<g><title>filter") == 2 && count_of(svg, "m0 -") == 1);
    gt_picture_free(picture);
    gt_Tensor *colours = gt_array(gt_shape(1, 1, 3, 1), 1, 0, -1);
    shows(gt_plot_filters(colours), "\"#FF8000\"");
    shows(gt_plot_filters(colours, .colours = false), "\"#808080\"");
    shows(gt_plot_filters(gt_ones(gt_shape(5, 10, 70)), .most_channels = 2),
          "the first 64 of 70 filters, the first 2 of 10 channels");
    fails(gt_plot_filters(gt_ones(gt_shape(3, 3))),
          "expected a kernel (height, width, channels, filters)");
    fails(gt_plot_filters(gt_ones(gt_shape(3, 0, 1, 1))), "(got float32 (3, 0, 1, 1))");
    fails(gt_plot_filters(gt_ones(gt_shape(65, 3, 1, 1))), "of 1 to 64 elements a side");
    fails(gt_plot_filters(colours, .most = 0),
          "most must be from 1 to 1024 and most_channels from 1 to 64 (got 0 and 8)");
    end(scope);
}

/* ---- files ---- */

Test(pictures, files)
{
    char folder[] = "/tmp/gradtape-pictures-XXXXXX", path[80], text[16] = "";
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.svg", folder);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_ones(gt_shape(3));
    cr_assert(gt_save_picture(gt_plot_histogram(x), path) == GT_OK, "%s", gt_error_message());
    FILE *file = fopen(path, "r");
    cr_assert(file && fread(text, 1, 5, file) == 5 && strcmp(text, "<svg ") == 0);
    fclose(file);
    gt_Picture *picture = gt_plot_histogram(x);
    cr_assert(gt_save_picture(picture, "a.png") == GT_INVALID &&
              strstr(gt_error_message(),
                     "save_picture: the path must end with .svg, .dot or .gv (got \"a.png\")"));
    gt_error_clear();
    cr_assert(gt_save_picture(picture, path) == GT_STALE, "it was freed");
    gt_error_clear();
    cr_assert(gt_save_picture(gt_plot_histogram(x), NULL) == GT_INVALID);
    gt_error_clear();
    cr_assert(gt_save_picture(gt_plot_histogram(x), "/nowhere/a.svg") == GT_IO &&
                  strstr(gt_error_message(), "/nowhere/a.svg"),
              "%s", gt_error_message());
    gt_error_clear();
    cr_assert(gt_save_picture(gt_plot_histogram(x), "a.dot") == GT_INVALID &&
                  strstr(gt_error_message(), "only pictures of models and functions have DOT"),
              "%s", gt_error_message());
    gt_error_clear();
    cr_assert(gt_save_picture(gt_plot_histogram(x, .bins = -1), path) == GT_INVALID &&
              strstr(gt_error_message(), "bins"));
    gt_error_clear();
    cr_assert(gt_save_picture(NULL, path) == GT_INVALID && strstr(gt_error_message(), "picture"));
    gt_error_clear();
    picture = gt_plot_histogram(x);
    cr_assert(!*gt_picture_text(picture, .format = GT_PICTURE_FORMAT_DOT));
    gt_error_clear();
    cr_assert(!*gt_picture_text(picture, .format = (gt_PictureFormat)7) &&
                  strstr(gt_error_message(), "unknown format 7"),
              "%s", gt_error_message());
    gt_error_clear();
    gt_picture_free(picture);
    gt_picture_free(NULL);
    unlink(path);
    rmdir(folder);
    end(scope);
}

/* ---- no memory ---- */

static gt_Picture *any_picture(int which, gt_Layer *model, gt_History *history,
                               gt_Function *function, gt_Tensor *x)
{
    switch (which) {
    case 0:
        return gt_plot_history(history, .title = "t");
    case 1:
        return gt_plot_curves(gt_tensors(x, x), .names = gt_names("a", "b"), .x = x);
    case 2:
        return gt_plot_histogram(x);
    case 3:
        return gt_plot_weights(model);
    case 4:
        return gt_plot_confusion_matrix(gt_weights(model).items[0]);
    case 6:
        return gt_plot_function(function);
    case 5:
        return gt_plot_model(model, .show_shapes = true, .show_layer_activations = true,
                             .expand_nested = true);
    default:
        return gt_plot_filters(gt_weights(model).items[2]);
    }
}

static gt_Status squares(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_sum(gt_square(in[0]));
    return gt_status();
}

/* Every allocation fails in turn; the next call succeeds, and nothing is lost. */
Test(pictures, without_memory)
{
    gt_Context *before = gt_context();
    for (int which = 0; which < 8; which++) {
        bool done = false;
        for (long n = 0; !done; n++) {
            Budget budget = {.left = INT32_MAX};
            const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
            gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
            gt_context_use(context);
            gt_Scope *scope = gt_scope_begin();
            gt_History *history = which == 0 ? trained(2) : NULL;
            gt_Tensor *x = gt_arange(0, 300, 1, .dtype = GT_FLOAT32);
            gt_Layer *model = gt_Sequential(gt_Dense(2), gt_Reshape(gt_shape(2, 1, 1)),
                                            gt_Conv2D(2, gt_sizes(2, 1)));
            gt_call(model, gt_ones(gt_shape(1, 2)));
            gt_set_weights(model, gt_tensors(gt_ones(gt_shape(2, 2)), gt_ones(gt_shape(2)),
                                             gt_ones(gt_shape(2, 1, 1, 2)), gt_ones(gt_shape(2))));
            cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
            gt_Tensor *y;
            gt_Function *function = gt_function(squares, NULL);
            gt_function_call(function, gt_tensors(x), &y);
            budget.left = n;
            gt_Picture *picture = any_picture(which, model, history, function, x);
            done = picture != NULL;
            cr_assert(done || gt_status() == GT_NO_MEMORY, "%d, %ld: %s", which, n,
                      gt_error_message());
            budget.left = INT32_MAX;
            gt_error_clear();
            gt_picture_free(picture);
            gt_scope_end(scope);
            gt_context_use(before);
            gt_context_free(context);
            cr_assert(budget.held == 0, "%d, %ld: %ld blocks are lost", which, n, budget.held);
        }
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- models ---- */

/* How many arrows the DOT has from the box with the one title to the box with the other. */
static int arrows(const char *dot, const char *from, const char *to)
{
    char title[80], arrow[40];
    int number[2] = {-1, -1};
    const char *const titles[] = {from, to};
    for (int i = 0; i < 2; i++) {
        snprintf(title, sizeof title, "<b>%s</b>", titles[i]);
        const char *at = strstr(dot, title);
        cr_assert(at, "no box %s in\n%s", title, dot);
        while (strncmp(at, "\n    n", 6) != 0)
            at--;
        number[i] = atoi(at + 6);
    }
    snprintf(arrow, sizeof arrow, "n%d -> n%d;", number[0], number[1]);
    return count_of(dot, arrow);
}

static const char *dot_of(gt_Picture *picture)
{
    cr_assert(picture, "%s", gt_error_message());
    const char *text = gt_picture_text(picture, .format = GT_PICTURE_FORMAT_DOT);
    cr_assert(text, "%s", gt_error_message());
    return text;
}

/* Two inputs, a layer that is called twice, a nested model, operations between layers, two outputs of one layer. */
static gt_Layer *branching(void)
{
    gt_Tensor *image = gt_Input(gt_shape(28, 28, 1), .name = "image"),
              *age = gt_Input(gt_shape(4), .name = "age");
    gt_Tensor *flat = gt_call(gt_Flatten(), image);
    gt_Tensor *both = gt_call(gt_Concatenate(), flat, .more = gt_tensors(age));
    gt_Layer *shared = gt_Dense(4, .name = "shared");
    gt_Tensor *h = gt_call(gt_Dense(4), both);
    h = gt_call(shared, gt_call(shared, h));
    gt_Layer *inner =
        gt_Sequential(gt_Dense(3, .name = "first"), gt_BatchNormalization(.name = "second"));
    gt_Tensor *y = gt_add(gt_call(inner, h), 1.0), *state = NULL;
    gt_Tensor *steps = gt_reshape(h, gt_shape(-1, 2, 2));
    gt_Tensor *last =
        gt_call(gt_LSTM(5, .return_state = true), steps, .outputs = gt_outputs(&state));
    return gt_Model(gt_tensors(image, age), gt_tensors(y, last, state), .name = "both");
}

Test(pictures, arrows_of_a_model)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = branching();
    gt_Picture *picture = gt_plot_model(model, .show_layer_names = true);
    const char *dot = dot_of(picture);
    svg_of(picture);
    cr_assert(arrows(dot, "image (InputLayer)", "flatten (Flatten)") == 1);
    cr_assert(arrows(dot, "age (InputLayer)", "concatenate (Concatenate)") == 1);
    cr_assert(arrows(dot, "flatten (Flatten)", "concatenate (Concatenate)") == 1);
    cr_assert(arrows(dot, "concatenate (Concatenate)", "dense (Dense)") == 1);
    cr_assert(arrows(dot, "shared (Dense)", "shared (Dense)") == 1);
    cr_assert(arrows(dot, "shared (Dense)", "sequential (Sequential)") == 1);
    cr_assert(arrows(dot, "sequential (Sequential)", "add (operation)") == 1);
    cr_assert(arrows(dot, "reshape (operation)", "lstm (LSTM)") == 1);
    cr_assert(count_of(dot, " -> ") == 10, "%s", dot);
    gt_picture_free(picture);
    picture = gt_plot_model(model, .expand_nested = true, .show_layer_names = true);
    dot = dot_of(picture);
    cr_assert(arrows(dot, "shared (Dense)", "first (Dense)") == 1 &&
              arrows(dot, "first (Dense)", "second (BatchNormalization)") == 1);
    cr_assert(arrows(dot, "second (BatchNormalization)", "add (operation)") == 1 &&
              strstr(dot, "label=\"sequential\""));
    cr_assert(strstr(svg_of(picture), ">sequential</text>"));
    gt_picture_free(picture);
    end(scope);
}

/* Of a functional model in a model the k-th arrow leads to the k-th input. */
Test(pictures, nested_graphs)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_Input(gt_shape(3), .name = "a"), *b = gt_Input(gt_shape(3), .name = "b");
    gt_Layer *inner = gt_Model(gt_tensors(a, b),
                               gt_tensors(gt_call(gt_Dense(2, .name = "in"), gt_subtract(a, b))));
    gt_Tensor *x = gt_Input(gt_shape(3), .name = "x"), *y = gt_Input(gt_shape(3), .name = "y");
    gt_Tensor *z = gt_call(inner, x, .more = gt_tensors(y));
    gt_Layer *model =
        gt_Model(gt_tensors(x, y), gt_tensors(gt_call(gt_Dense(1, .name = "out"), z)));
    gt_Picture *picture = gt_plot_model(model, .expand_nested = true, .show_layer_names = true);
    const char *dot = dot_of(picture);
    cr_assert(arrows(dot, "x (InputLayer)", "a (InputLayer)") == 1 &&
                  arrows(dot, "y (InputLayer)", "b (InputLayer)") == 1,
              "%s", dot);
    cr_assert(arrows(dot, "in (Dense)", "out (Dense)") == 1);
    gt_picture_free(picture);
    end(scope);
}

/* The boxes of oracle/plot_model.py: what Keras 3.15.1's model_to_dot shows. */
Test(pictures, a_model_as_keras_has_it)
{
    static const char *const boxes[][7] = {
        {"image (InputLayer)", "Output shape: (None, 28, 28, 1)", "Output dtype: float32"},
        {"flatten (Flatten)", "Input shape: (None, 28, 28, 1)", "Output shape: (None, 784)",
         "Output dtype: float32"},
        {"age (InputLayer)", "Output shape: (None, 4)", "Output dtype: float32"},
        {"concatenate (Concatenate)", "Input shape: [(None, 784), (None, 4)]",
         "Output shape: (None, 788)", "Output dtype: float32"},
        {"dense (Dense)", "Activation: relu", "Input shape: (None, 788)", "Output shape: (None, 4)",
         "Output dtype: float32", "Trainable"},
        {"shared (Dense)", "Activation: linear", "Input shape: (None, 4)",
         "Output shape: (None, 4)", "Output dtype: float32", "Trainable"},
        {"sequential (Sequential)", "Input shape: (None, 4)", "Output shape: (None, 3)",
         "Output dtype: float32", "Trainable"},
        {"frozen (Dense)", "Activation: linear", "Input shape: (None, 4)",
         "Output shape: (None, 3)", "Output dtype: float32", "Non-trainable"},
        {"add (Add)", "Input shape: [(None, 3), (None, 3)]", "Output shape: (None, 3)",
         "Output dtype: float32"}};
    static const int links[][2] = {{2, 3}, {3, 4}, {4, 5}, {1, 3}, {7, 8},
                                   {0, 1}, {6, 8}, {5, 7}, {5, 6}, {5, 5}};
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *image = gt_Input(gt_shape(28, 28, 1), .name = "image"),
              *age = gt_Input(gt_shape(4), .name = "age");
    gt_Tensor *x = gt_call(gt_Concatenate(), gt_call(gt_Flatten(), image), .more = gt_tensors(age));
    gt_Layer *shared = gt_Dense(4, .name = "shared");
    x = gt_call(gt_Dense(4, .activation = gt_relu), x);
    x = gt_call(shared, gt_call(shared, x));
    gt_Layer *inner =
        gt_Sequential(gt_Dense(3, .name = "first"), gt_BatchNormalization(.name = "second"));
    gt_Tensor *y =
        gt_call(gt_Add(), gt_call(inner, x),
                .more = gt_tensors(gt_call(gt_Dense(3, .trainable = false, .name = "frozen"), x)));
    gt_Picture *picture = gt_plot_model(
        gt_Model(gt_tensors(image, age), gt_tensors(y)), .show_shapes = true, .show_dtype = true,
        .show_layer_names = true, .show_layer_activations = true, .show_trainable = true);
    const char *dot = dot_of(picture);
    for (int b = 0; b < 9; b++) {
        char want[600];
        int used = snprintf(want, sizeof want, "<b>%s</b></font></td></tr>", boxes[b][0]);
        for (int i = 1; boxes[b][i]; i++)
            used += snprintf(want + used, sizeof want - (size_t)used, "<tr><td>%s</td></tr>",
                             boxes[b][i]);
        snprintf(want + used, sizeof want - (size_t)used, "</table>>];");
        cr_assert(strstr(dot, want), "%s is not in\n%s", want, dot);
    }
    for (int i = 0; i < 10; i++)
        cr_assert(arrows(dot, boxes[links[i][0]][0], boxes[links[i][1]][0]) == 1, "%s",
                  boxes[links[i][0]][0]);
    cr_assert(count_of(dot, " -> ") == 10 && count_of(dot, "<table") == 9);
    gt_picture_free(picture);
    end(scope);
}

static gt_Tensor *own(gt_Tensor *x)
{
    return gt_multiply(gt_sin(x), gt_exp(x));
}

/* What the options show, as Keras's plot_model does. */
Test(pictures, lines_of_boxes)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model =
        gt_Sequential(gt_Dense(16, .activation = gt_relu), gt_Dropout(0.5),
                      gt_Dense(2, .activation = own), gt_Dense(2, .trainable = false));
    gt_call(model, gt_zeros(gt_shape(4, 8)));
    gt_Picture *picture = gt_plot_model(model, .show_shapes = true, .show_dtype = true,
                                        .show_layer_activations = true, .show_trainable = true);
    const char *svg = svg_of(picture);
    cr_assert(strstr(svg, ">Input shape: (None, 8)<") && strstr(svg, ">Output shape: (None, 16)<"),
              "%s", svg);
    cr_assert(count_of(svg, ">Output dtype: float32<") == 4 &&
              count_of(svg, ">Activation: relu<") == 1);
    cr_assert(count_of(svg, ">Activation: a function<") == 1 &&
              count_of(svg, ">Activation: linear<") == 1 && count_of(svg, "Activation:") == 3);
    cr_assert(count_of(svg, ">Trainable<") == 2 && count_of(svg, ">Non-trainable<") == 1 &&
              !strstr(svg, "dropout"));
    gt_picture_free(picture);
    picture = gt_plot_model(model, .rankdir = GT_RANK_DIRECTION_LR, .dpi = 96);
    cr_assert(strstr(dot_of(picture), "rankdir=LR; dpi=96;") && !strstr(svg_of(picture), "shape"));
    gt_picture_free(picture);
    gt_Layer *one = gt_Dense(3, .name = "alone");
    gt_call(one, gt_zeros(gt_shape(1, 2)));
    shows(gt_plot_model(one, .show_layer_names = true, .show_shapes = true),
          ">Input shape: (None, 2)<");
    fails(gt_plot_model(model, .rankdir = (gt_RankDirection)5), "unknown rankdir 5");
    fails(gt_plot_model(model, .dpi = 0), "dpi must be above 0, to 10000 (got 0)");
    cr_assert(!gt_plot_model(gt_Dense(2)) && strstr(gt_error_message(), "is not built"));
    gt_error_clear();
    end(scope);
}

static gt_Status two_layers(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_exp(gt_matmul(in[0], context));
    out[1] = gt_sum(gt_reshape(out[0], gt_shape(-1)));
    return gt_status();
}

static gt_Status many_steps(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = in[0];
    for (int i = 0; i < 4001; i++)
        out[0] = gt_matmul(out[0], in[0]);
    return gt_status();
}

Test(pictures, graph_of_a_function)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *w = gt_variable(gt_ones(gt_shape(3, 2)), .name = "w & b");
    gt_Function *function = gt_function(two_layers, w, .outputs = 2);
    cr_assert(!gt_plot_function(function) &&
                  strstr(gt_error_message(),
                         "plot_function: the function has no plan yet; call it first"),
              "%s", gt_error_message());
    gt_error_clear();
    gt_Tensor *out[2];
    gt_function_call(function, gt_tensors(gt_ones(gt_shape(4, 3))), out);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    gt_Picture *picture = gt_plot_function(function);
    const char *dot = dot_of(picture), *svg = svg_of(picture);
    cr_assert(arrows(dot, "input 0", "matmul+exp") == 1 &&
                  arrows(dot, "w &amp; b", "matmul+exp") == 1,
              "%s", dot);
    cr_assert(count_of(dot, " -> ") == count_of(svg, "stroke-width=\"1.3\"") &&
                  strstr(svg, ">float32 (4, 3)<"),
              "%s", dot);
    gt_picture_free(picture);
    picture = gt_plot_function(function, .show_shapes = false, .rankdir = GT_RANK_DIRECTION_LR);
    cr_assert(!strstr(svg_of(picture), "float32"));
    gt_picture_free(picture);
    fails(gt_plot_function(function, .dpi = -1), "dpi must be above 0");
    gt_Function *long_one = gt_function(many_steps, NULL);
    gt_function_call(long_one, gt_tensors(gt_ones(gt_shape(2, 2))), out);
    fails(gt_plot_function(long_one), "plot_function: a picture has at most 4000 boxes (got 4002)");
    fails(gt_plot_function(NULL), "function");
    end(scope);
}

typedef struct Rectangle {
    double x, y, width, height;
} Rectangle;

/* The boxes of a picture. */
static int boxes_of(const char *svg, Rectangle *boxes, int most)
{
    int count = 0;
    for (const char *at = svg; count < most && (at = strstr(at, "<rect ")); at++) {
        Rectangle r;
        const char *style = strstr(at, "rx=\"4\" fill=\"#FFFFFF\"");
        if (style && style < strstr(at, "/>") &&
            sscanf(at, "<rect x=\"%lf\" y=\"%lf\" width=\"%lf\" height=\"%lf\"", &r.x, &r.y,
                   &r.width, &r.height) == 4)
            boxes[count++] = r;
    }
    return count;
}

/* What is read twice has one arrow; an input stands right above what reads it. */
Test(pictures, arrows_once_and_short)
{
    Rectangle boxes[5];
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(3)), *y = gt_Input(gt_shape(3)),
              *z = gt_call(gt_Dense(3), gt_call(gt_Dense(3), gt_multiply(x, x)));
    gt_Picture *picture = gt_plot_model(gt_Model(gt_tensors(x, y), gt_tensors(gt_add(z, y))));
    cr_assert(count_of(dot_of(picture), " -> ") == 5, "%s", dot_of(picture));
    cr_assert(boxes_of(svg_of(picture), boxes, 5) == 5); /* x, y, multiply, dense, dense */
    cr_assert(boxes[1].y == boxes[4].y && boxes[0].y < boxes[2].y && boxes[2].y < boxes[3].y,
              "%g %g", boxes[1].y, boxes[4].y);
    gt_picture_free(picture);
    end(scope);
}

/* Boxes are inside of the picture and do not meet; a deep model, a wide one and one that skips are folded. */
Test(pictures, boxes_do_not_meet)
{
    static Rectangle boxes[600];
    gt_Scope *scope = gt_scope_begin();
    for (int which = 0; which < 6; which++) {
        gt_Tensor *x = gt_Input(gt_shape(8)), *y = x, *sums[8];
        for (int i = 0; which < 4 && i < (which < 2 ? 200 : 40); i++) {
            gt_Tensor *z = gt_call(gt_Dense(8), y);
            y = which < 2 ? z : gt_add(y, gt_call(gt_Dense(8, .name = NULL), z));
        }
        for (int i = 0; which >= 4 && i < 8; i++)
            sums[i] = gt_call(gt_Dense(i + 1), y);
        if (which >= 4)
            y = gt_concatenate(((gt_Tensors){sums, 8}), .axis = -1);
        gt_Layer *model = gt_Model(gt_tensors(x), gt_tensors(y));
        cr_assert(model, "%s", gt_error_message());
        gt_Picture *picture =
            gt_plot_model(model, .show_layer_names = true, .show_shapes = which % 2 == 1,
                          .rankdir = which % 2 ? GT_RANK_DIRECTION_LR : GT_RANK_DIRECTION_TB);
        const char *svg = svg_of(picture);
        double wide, high;
        cr_assert(sscanf(strstr(svg, "width=\""), "width=\"%lf\" height=\"%lf\"", &wide, &high) ==
                  2);
        const int count = boxes_of(svg, boxes, 600);
        cr_assert(count == (which < 2 ? 201 : which < 4 ? 121 : 10), "%d boxes", count);
        cr_assert(fmax(wide, high) < 5000, "%g x %g", wide, high);
        for (int a = 0; a < count; a++) {
            cr_assert(boxes[a].x >= 0 && boxes[a].y >= 0 && boxes[a].x + boxes[a].width <= wide &&
                      boxes[a].y + boxes[a].height <= high);
            for (int b = 0; b < a; b++)
                cr_assert(boxes[a].x + boxes[a].width < boxes[b].x ||
                              boxes[b].x + boxes[b].width < boxes[a].x ||
                              boxes[a].y + boxes[a].height < boxes[b].y ||
                              boxes[b].y + boxes[b].height < boxes[a].y,
                          "model %d: %d and %d", which, a, b);
        }
        gt_picture_free(picture);
        gt_layer_free(model);
    }
    end(scope);
}

/* ---- curves as text ---- */

Test(pictures, chart)
{
    static const double x[] = {1, 2, 3, 4, 5}, loss[] = {1, 0.5, 0.25, 0.125, 0.05},
                        other[] = {0.75, NAN, 0.3, 0.2, 0.05};
    static const char want[] = "         1 |*\n"
                               "           |o..\n"
                               "           |   .*.\n"
                               "           |      ..@..o\n"
                               "      0.05 |    x     .*...@\n"
                               "           +----------------\n"
                               "            1  epoch 5/5   5\n"
                               "  * loss 0.05  o val_loss 0.05\n";
    const gt_ChartCurve curves[] = {{"loss", x, loss, 5}, {"val_loss", x, other, 5}};
    const gt_Chart chart = {
        .curves = curves, .count = 2, .columns = 28, .rows = 5, .ascii = true, .note = "epoch 5/5"};
    gt_Bytes text = {0};
    cr_assert(gt_chart_put(gt_context(), &text, &chart));
    cr_assert(strcmp(text.data, want) == 0, "got\n%s\nexpected\n%s", text.data, want);
    gt_bytes_release(gt_context(), &text);
    gt_context_free(NULL);
    assert_no_leaks();
}

static gt_Status fit_with(gt_Callback *callback, int64_t epochs)
{
    gt_Tensor *x =
        gt_reshape(gt_multiply(gt_arange(0, 40, 1, .dtype = GT_FLOAT32), 0.05), gt_shape(20, 2));
    gt_Tensor *y = gt_reshape(gt_sum(x, .axis = 1), gt_shape(20, 1));
    gt_Layer *model = gt_Sequential(gt_Dense(1));
    gt_compile(model, .optimizer = gt_SGD(0.05), .loss = gt_MeanSquaredError());
    gt_Dataset *data = gt_dataset_from_tensors(x, y, .batch_size = 5);
    gt_fit(model, data, .epochs = epochs, .validation = data, .verbose = GT_VERBOSITY_SILENT,
           .callbacks = gt_callbacks(callback));
    return gt_status();
}

Test(pictures, live_curves)
{
    char last[40];
    gt_Scope *scope = gt_scope_begin();
    gt_Callback *live = gt_LiveCurve(.ascii = true, .print = false, .columns = 60, .rows = 9);
    cr_assert(strcmp(gt_live_curve_text(live), "") == 0);
    cr_assert(fit_with(live, 6) == GT_OK, "%s", gt_error_message());
    const char *text = gt_live_curve_text(live);
    cr_assert(count_of(text, "\n") == 12 && strstr(text, "epoch 6/6") && strstr(text, "* loss ") &&
                  strstr(text, "o val_loss "),
              "%s", text);
    for (const char *line = text; *line; line = strchr(line, '\n') + 1)
        cr_assert(strchr(line, '\n') - line <= 60, "%s", text);
    snprintf(last, sizeof last, "%d",
             count_of(text, "*") + count_of(text, "o") + 2 * count_of(text, "@"));
    cr_assert(atoi(last) >= 6, "%s", text);
    const char *axis = strstr(text, "epoch 6/6");
    cr_assert(strncmp(strchr(axis, '\n') - 3, "  6", 3) == 0);
    while (axis[-1] != '\n')
        axis--;
    cr_assert(strncmp(axis, "            1  ", 15) == 0, "%s", axis);
    live = gt_LiveCurve("loss", .every = 2, .print = false);
    cr_assert(fit_with(live, 2) == GT_OK && strstr(gt_live_curve_text(live), "\xE2\x97\x8F"), "%s",
              gt_error_message());
    cr_assert(fit_with(gt_LiveCurve("los", .print = false), 1) == GT_INVALID &&
                  strstr(gt_error_message(), "nothing called \"los\" is logged"),
              "%s", gt_error_message());
    gt_error_clear();
    fails(gt_LiveCurve(""), "monitor must be a name");
    fails(gt_LiveCurve(.rows = 2), "rows must be from 3 to 100 (got 2)");
    fails(gt_LiveCurve(.columns = 10), "columns must be 0, or from 40 to 500 (got 10)");
    fails(gt_LiveCurve(.every = -1), "every must be >= 0 (got -1)");
    gt_Callback *other = gt_TerminateOnNaN();
    cr_assert(!*gt_live_curve_text(other) &&
                  strstr(gt_error_message(),
                         "expected a callback of gt_LiveCurve (got terminate_on_nan)"),
              "%s", gt_error_message());
    gt_error_clear();
    gt_callback_free(other);
    end(scope);
}

/* A file that cannot be written for want of memory is not there; the picture is freed. */
Test(pictures, saving_without_memory)
{
    char folder[] = "/tmp/gradtape-pictures-XXXXXX", path[80];
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.svg", folder);
    gt_Context *before = gt_context();
    bool done = false;
    for (long n = 0; !done; n++) {
        Budget budget = {.left = INT32_MAX};
        const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
        gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
        gt_context_use(context);
        gt_Scope *scope = gt_scope_begin();
        gt_Picture *picture = gt_plot_histogram(gt_ones(gt_shape(3)));
        const double y[] = {1, 2, 3};
        const gt_ChartCurve curve = {"y", y, y, 3};
        const gt_Chart chart = {
            .curves = &curve, .count = 1, .columns = 50, .rows = 5, .note = "note"};
        gt_Bytes text = {0};
        budget.left = n;
        done = gt_save_picture(picture, path) == GT_OK;
        cr_assert(done || gt_status() == GT_NO_MEMORY, "%ld: %s", n, gt_error_message());
        cr_assert(done == (access(path, F_OK) == 0));
        gt_error_clear();
        budget.left = n;
        done &= gt_chart_put(context, &text, &chart);
        budget.left = INT32_MAX;
        gt_error_clear();
        gt_bytes_release(context, &text);
        unlink(path);
        gt_scope_end(scope);
        gt_context_use(before);
        gt_context_free(context);
        cr_assert(budget.held == 0, "%ld: %ld blocks are lost", n, budget.held);
    }
    cr_assert(rmdir(folder) == 0, "a file is left");
    gt_context_free(NULL);
    assert_no_leaks();
}
