/* Calibrates an ultrasonic sensor from real measurements, with error bars, and draws it.
 *
 * The sensor's response y at distance x of a metal falls by attenuation and by spreading,
 *
 *     y = exp(-b1 x) / (b2 + b3 x)
 *
 * (D. Chwirut, 1979; NIST's dataset Chwirut2, examples/data/ultrasound.csv). Its errors grow with the response: they are taken
 * as proportional to it above a floor, and how large they are follows from the fit. calibrate.svg then shows the measurements
 * with their errors, the fitted curve, the band in which the curve lies with 95 percent, and that in which a new measurement
 * does.
 *
 *     calibrate [ultrasound.csv]     run from the root of the sources; writes calibrate.svg where it is run */
#include "example.h"

enum { POINTS = 54, CURVE = 120 };

typedef struct {
    gt_Tensor *x, *y;
    gt_Variable *b[3];
} Sensor;

static gt_Status response(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Sensor *s = context;
    gt_Tensor *spread = gt_add(s->b[1], gt_multiply(s->b[2], in[0]));
    out[0] = gt_divide(gt_exp(gt_negative(gt_multiply(s->b[0], in[0]))), spread);
    return gt_status();
}

static gt_Status residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Sensor *s = context;
    response(context, in, out);
    out[0] = gt_subtract(out[0], s->y);
    return gt_status();
}

/* The measurements, in order; how many there are. */
static int read_measurements(const char *path, double *x, double *y)
{
    char *text = read_text(path), *line = text ? strchr(text, '\n') : NULL;
    int count = 0;
    while (line && count < POINTS && sscanf(line, " %lf,%lf", &x[count], &y[count]) == 2) {
        count++;
        line = strchr(line + 1, '\n');
    }
    free(text);
    return count;
}

/* ---- the picture ---- */

typedef struct {
    FILE *file;
    double width, height, most_x, most_y; /* what is shown: 0 to these */
} Plot;

static double across(const Plot *plot, double x)
{
    return 50 + x / plot->most_x * (plot->width - 70);
}
static double up(const Plot *plot, double y)
{
    return plot->height - 45 - fmax(y, -0.03 * plot->most_y) / plot->most_y * (plot->height - 65);
}

static void draw_axes(const Plot *plot, const char *title, const char *x_label, const char *y_label)
{
    FILE *file = plot->file;
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" "
            "font-family=\"sans-serif\" font-size=\"12\">\n",
            plot->width, plot->height);
    fprintf(file,
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n<text x=\"200\" y=\"30\" "
            "font-weight=\"bold\">%s</text>\n",
            title);
    for (int i = 0; i <= 6; i++)
        fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%g</text>\n",
                across(plot, i), up(plot, 0) + 18, (double)i);
    for (int i = 0; i <= 100; i += 20)
        fprintf(file,
                "<text x=\"44\" y=\"%.1f\" text-anchor=\"end\">%d</text><path d=\"M50 %.1fH%.1f\" "
                "stroke=\"#ddd\"/>\n",
                up(plot, i) + 4, i, up(plot, i), across(plot, plot->most_x));
    fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
            across(plot, plot->most_x / 2), plot->height - 8, x_label);
    fprintf(file,
            "<text transform=\"translate(14 %.1f) rotate(-90)\" text-anchor=\"middle\">%s</text>\n",
            plot->height / 2, y_label);
}

/* Between two curves. */
static void draw_band(const Plot *plot, const double *x, gt_Tensor *lower, gt_Tensor *upper,
                      const char *colour)
{
    fprintf(plot->file, "<path fill=\"%s\" d=\"M", colour);
    for (int i = 0; i < CURVE; i++)
        fprintf(plot->file, "%.1f %.1f ", across(plot, x[i]), up(plot, gt_element(upper, i)));
    for (int i = CURVE - 1; i >= 0; i--)
        fprintf(plot->file, "%.1f %.1f ", across(plot, x[i]), up(plot, gt_element(lower, i)));
    fprintf(plot->file, "Z\"/>\n");
}

static void draw_curve(const Plot *plot, const double *x, gt_Tensor *y)
{
    fprintf(plot->file, "<polyline fill=\"none\" stroke=\"#0072b2\" stroke-width=\"2\" points=\"");
    for (int i = 0; i < CURVE; i++)
        fprintf(plot->file, "%.1f,%.1f ", across(plot, x[i]), up(plot, gt_element(y, i)));
    fprintf(plot->file, "\"/>\n");
}

static void draw_points(const Plot *plot, const double *x, const double *y, const double *error)
{
    for (int i = 0; i < POINTS; i++)
        fprintf(plot->file,
                "<path d=\"M%.1f %.1fV%.1f\" stroke=\"black\"/><circle cx=\"%.1f\" cy=\"%.1f\" "
                "r=\"2.5\"/>\n",
                across(plot, x[i]), up(plot, y[i] - error[i]), up(plot, y[i] + error[i]),
                across(plot, x[i]), up(plot, y[i]));
}

int main(int count, char **arguments)
{
    Example example = example_begin(count, arguments);
    double x[POINTS], y[POINTS], sigma[POINTS], at[CURVE], at_sigma[CURVE];
    const double start[3] = {0.1, 0.01, 0.02};
    Sensor s = {NULL, NULL, {NULL, NULL, NULL}};
    if (read_measurements(example.data ? example.data : "examples/data/ultrasound.csv", x, y) !=
        POINTS)
        gt_fail(GT_FORMAT, "expected %d measurements", POINTS);
    for (int i = 0; i < POINTS; i++)
        sigma[i] = 1 + 0.04 * y[i];
    s.x = gt_from_data(x, gt_shape(POINTS), GT_FLOAT64);
    s.y = gt_from_data(y, gt_shape(POINTS), GT_FLOAT64);
    for (int i = 0; i < 3; i++)
        s.b[i] = gt_variable(gt_scalar(start[i], GT_FLOAT64), .name = i == 0   ? "b1"
                                                                      : i == 1 ? "b2"
                                                                               : "b3");

    gt_Solution *fit = gt_least_squares(residual, &s, gt_tensors(s.b[0], s.b[1], s.b[2]),
                                        .inputs = gt_tensors(s.x),
                                        .sigma = gt_from_data(sigma, gt_shape(POINTS), GT_FLOAT64));
    gt_SolverReport report = gt_solution_report(fit);
    printf("%s", gt_solution_text(fit));

    for (int i = 0; i < CURVE; i++)
        at[i] = 0.4 + 5.8 * i / (CURVE - 1);
    gt_Tensor *where = gt_from_data(at, gt_shape(CURVE), GT_FLOAT64);
    gt_Band band = gt_confidence_band(fit, response, &s, .inputs = gt_tensors(where));
    for (int i = 0; i < CURVE && band.value; i++)
        at_sigma[i] = 1 + 0.04 * gt_element(band.value, i);
    gt_Band next =
        gt_confidence_band(fit, response, &s, .inputs = gt_tensors(where), .prediction = true,
                           .sigma = gt_from_data(at_sigma, gt_shape(CURVE), GT_FLOAT64));
    Plot plot = {gt_status() == GT_OK ? fopen("calibrate.svg", "w") : NULL, 640, 420, 6.2, 110};
    int inside = 0;
    if (plot.file) {
        for (int i = 0; i < POINTS; i++)
            sigma[i] *= sqrt(report.variance);
        draw_axes(&plot, "Ultrasonic response of a metal", "distance", "response");
        draw_band(&plot, at, next.lower, next.upper, "#e8f1f8");
        draw_band(&plot, at, band.lower, band.upper, "#9cc4e4");
        draw_curve(&plot, at, band.value);
        draw_points(&plot, x, y, sigma);
        fprintf(plot.file, "</svg>\n");
        fclose(plot.file);
    }
    /* How many of the measurements lie in the band of new ones? */
    gt_Band each =
        gt_confidence_band(fit, response, &s, .inputs = gt_tensors(s.x), .prediction = true,
                           .sigma = gt_add(gt_multiply(s.y, 0.04), 1));
    for (int i = 0; i < POINTS && each.value; i++)
        inside += y[i] > gt_element(each.lower, i) && y[i] < gt_element(each.upper, i);
    gt_solution_free(fit);
    for (int i = 0; i < 3; i++)
        gt_variable_free(s.b[i]);
    return example_end("measurements inside the band of 95 percent", (double)inside / POINTS, 0.9,
                       1);
}
