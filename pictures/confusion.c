/* Confusion matrices: a square of cells, names of classes at its left and below it. Cells shrink as classes get more,
 * and have numbers as long as these fit; names stand upright where they would touch. */
#include "pictures/confusion.h"
#include "core/text.h"
#include "pictures/axes.h"
#include "pictures/read.h"

#include <math.h>

GT_OPTION_TYPE(gt_plot_confusion_matrix_options, gt_plot_confusion_matrix_OPTIONS);

enum { MOST_CLASSES = 200, LONGEST_NAME = 150, LEAST_CELL = 9, NAME_LINE = 12 };

typedef struct Matrix {
    double *numbers;
    int64_t size, classes;
    const gt_plot_confusion_matrix_options *options;
    double cell, names, left, top; /* pixels: of a cell; of the longest name; of the square */
} Matrix;

/* ---- reading ---- */

static bool check_numbers(gt_Context *context, const Matrix *matrix)
{
    for (int64_t i = 0; i < matrix->size; i++)
        if (!(matrix->numbers[i] >= 0 && isfinite(matrix->numbers[i]))) {
            gt_raise(context, GT_INVALID, NULL, NULL,
                     "the matrix must have finite numbers >= 0 (got %g in row %lld, column %lld)",
                     matrix->numbers[i], (long long)(i / matrix->classes),
                     (long long)(i % matrix->classes));
            return false;
        }
    return true;
}

static bool read_matrix(gt_Context *context, const gt_Tensor *tensor, Matrix *matrix)
{
    char text[200];
    if (!gt_read_numbers(context, tensor, 2, &matrix->numbers, &matrix->size))
        return false;
    const gt_Spec *spec = gt_tensor_spec(tensor);
    const int64_t names = gt_name_count(matrix->options->class_names);
    matrix->classes = spec->dims[0];
    if (spec->dims[0] != spec->dims[1] || spec->dims[0] < 1 || spec->dims[0] > MOST_CLASSES) {
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "the matrix must be square, of 1 to %d classes (got %s)", MOST_CLASSES,
                 gt_spec_text(spec, text, sizeof text));
        return false;
    }
    if (matrix->options->class_names.items && names != matrix->classes) {
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "class_names must be as many as classes (got %lld and %lld)", (long long)names,
                 (long long)matrix->classes);
        return false;
    }
    return check_numbers(context, matrix);
}

static const char *class_name(const Matrix *matrix, int64_t i, char text[GT_NUMBER_TEXT])
{
    const char *name = gt_name_at(matrix->options->class_names, i);
    if (name)
        return name;
    gt_text(text, GT_NUMBER_TEXT, "%lld", (long long)i);
    return text;
}

/* Counts have all their digits. */
static const char *count_text(char text[GT_NUMBER_TEXT], double number)
{
    if (number == floor(number) && number < 1e15)
        gt_text(text, GT_NUMBER_TEXT, "%.0f", number);
    else
        gt_short_number(text, number);
    return text;
}

static double row_sum(const Matrix *matrix, int64_t row)
{
    double sum = 0;
    for (int64_t i = 0; i < matrix->classes; i++)
        sum += matrix->numbers[row * matrix->classes + i];
    return sum;
}

/* The number of a cell as its text: a count, or percents of the row. */
static const char *cell_text(const Matrix *matrix, int64_t row, int64_t column,
                             char text[GT_NUMBER_TEXT])
{
    const double number = matrix->numbers[row * matrix->classes + column],
                 sum = row_sum(matrix, row);
    if (!matrix->options->normalize)
        return count_text(text, number);
    const double percent = sum > 0 ? 100 * number / sum : 0;
    gt_text(text, GT_NUMBER_TEXT, percent > 0 && percent < 9.95 ? "%.1f" : "%.0f", percent);
    return text;
}

/* ---- layout ---- */

static double widest_cell(const Matrix *matrix)
{
    char text[GT_NUMBER_TEXT];
    double width = 0;
    for (int64_t i = 0; i < matrix->size; i++)
        width = fmax(width,
                     gt_svg_width(cell_text(matrix, i / matrix->classes, i % matrix->classes, text),
                                  GT_SVG_SIZE - 1, false));
    return width;
}

static bool shows_numbers(const Matrix *matrix)
{
    return matrix->cell >= widest_cell(matrix) + 4 && matrix->cell >= 16;
}

/* Cells with numbers as long as the square stays within some 1000 pixels. */
static void lay_out(Matrix *matrix)
{
    char text[GT_NUMBER_TEXT];
    const double classes = (double)matrix->classes;
    const double number = fmax(widest_cell(matrix) + 10, classes < 4 ? 56 : 34);
    matrix->cell = number * classes <= 1000 ? number : fmax(LEAST_CELL, floor(700 / classes));
    matrix->names = 0;
    for (int64_t i = 0; i < matrix->classes; i++)
        matrix->names =
            fmax(matrix->names, gt_svg_width(class_name(matrix, i, text), GT_SVG_SIZE - 1, false));
    matrix->names = fmin(matrix->names, LONGEST_NAME);
    matrix->left = 30 + matrix->names + 8;
    matrix->top = matrix->options->title ? 40 : 12;
}

/* ---- drawing ---- */

/* White to dark blue, which print in grey; steps are smaller the darker, so that a few percents are seen. */
static void cell_colour(double part, char text[48])
{
    part = pow(part, 0.7);
    gt_text(text, 48, "fill=\"#%02X%02X%02X\"", (unsigned)lround(255 - 247 * part),
            (unsigned)lround(255 - 207 * part), (unsigned)lround(255 - 148 * part));
}

static void put_cell(gt_Svg *svg, const Matrix *matrix, int64_t row, int64_t column, double sum)
{
    const double number = matrix->numbers[row * matrix->classes + column],
                 part = sum > 0 ? number / sum : 0;
    const double x = matrix->left + (double)column * matrix->cell,
                 y = matrix->top + (double)row * matrix->cell;
    char style[48], tip[200], text[GT_NUMBER_TEXT], from[GT_NUMBER_TEXT], to[GT_NUMBER_TEXT];
    cell_colour(part, style);
    gt_text(tip, sizeof tip, "%.60s taken for %.60s: %s (%.1f %%)", class_name(matrix, row, from),
            class_name(matrix, column, to), count_text(text, number), 100 * part);
    gt_svg_begin_tip(svg, tip);
    gt_svg_rectangle(svg, x, y, matrix->cell, matrix->cell, style);
    if (shows_numbers(matrix))
        gt_svg_text(svg,
                    &(gt_SvgText){.x = x + matrix->cell / 2,
                                  .y = y + matrix->cell / 2 + 4,
                                  .size = GT_SVG_SIZE - 1,
                                  .anchor = GT_SVG_MIDDLE,
                                  .colour = part > 0.5 ? "#FFFFFF" : NULL},
                    cell_text(matrix, row, column, text));
    gt_svg_put(svg, "</g>\n");
}

/* Lines around all cells, heavier ones around the diagonal. */
static void put_lines(gt_Svg *svg, const Matrix *matrix)
{
    const double side = (double)matrix->classes * matrix->cell;
    for (int64_t i = 0; i <= matrix->classes; i++) {
        const double at = (double)i * matrix->cell;
        gt_svg_line(svg, matrix->left + at, matrix->top, matrix->left + at, matrix->top + side,
                    "stroke=\"#BBBBBB\" stroke-width=\"0.6\"");
        gt_svg_line(svg, matrix->left, matrix->top + at, matrix->left + side, matrix->top + at,
                    "stroke=\"#BBBBBB\" stroke-width=\"0.6\"");
    }
    for (int64_t i = 0; i < matrix->classes; i++)
        gt_svg_rectangle(svg, matrix->left + (double)i * matrix->cell,
                         matrix->top + (double)i * matrix->cell, matrix->cell, matrix->cell,
                         "fill=\"none\" stroke=\"" GT_SVG_INK "\"");
}

/* Where cells are lower than a line only every second, third, ... class has its name. */
static void put_names(gt_Svg *svg, const Matrix *matrix, bool upright)
{
    const double side = (double)matrix->classes * matrix->cell;
    const int64_t every = 1 + (int64_t)((NAME_LINE - 1) / matrix->cell);
    char text[GT_NUMBER_TEXT];
    for (int64_t i = 0; i < matrix->classes; i += every) {
        const double middle = ((double)i + 0.5) * matrix->cell;
        gt_SvgText row = {.x = matrix->left - 6,
                          .y = matrix->top + middle + 4,
                          .size = GT_SVG_SIZE - 1,
                          .room = LONGEST_NAME + 1,
                          .anchor = GT_SVG_END};
        gt_SvgText column = {.x = matrix->left + middle,
                             .y = matrix->top + side + 15,
                             .size = GT_SVG_SIZE - 1,
                             .room = LONGEST_NAME + 1,
                             .anchor = GT_SVG_MIDDLE};
        if (upright)
            column = (gt_SvgText){.x = matrix->left + middle + 4,
                                  .y = matrix->top + side + 6,
                                  .size = GT_SVG_SIZE - 1,
                                  .room = LONGEST_NAME + 1,
                                  .turn = -90,
                                  .anchor = GT_SVG_END};
        gt_svg_text(svg, &row, class_name(matrix, i, text));
        gt_svg_text(svg, &column, class_name(matrix, i, text));
    }
}

static void put_accuracy(gt_Svg *svg, const Matrix *matrix, double y, double width)
{
    double right = 0, all = 0;
    char text[160], count[GT_NUMBER_TEXT];
    for (int64_t i = 0; i < matrix->classes; i++) {
        right += matrix->numbers[i * (matrix->classes + 1)];
        all += row_sum(matrix, i);
    }
    count_text(count, all);
    if (all > 0)
        gt_text(text, sizeof text, "accuracy %.4f, n %s%s", right / all, count,
                matrix->options->normalize ? ", percents of each row" : "");
    else
        gt_text(text, sizeof text, "nothing was counted");
    gt_svg_text(svg,
                &(gt_SvgText){.x = width / 2,
                              .y = y,
                              .anchor = GT_SVG_MIDDLE,
                              .colour = GT_SVG_FAINT,
                              .room = width - 8},
                text);
}

static gt_Picture *draw_matrix(gt_Context *context, Matrix *matrix)
{
    lay_out(matrix);
    const bool upright = matrix->names + 6 > matrix->cell;
    const double side = (double)matrix->classes * matrix->cell,
                 below = upright ? matrix->names + 12 : 22;
    const double width = fmax(matrix->left + side + 14, 260),
                 height = matrix->top + side + below + 44;
    const char *title = matrix->options->title;
    gt_Svg svg;
    gt_svg_begin(&svg, context, width, height, title ? title : "confusion matrix");
    if (title)
        gt_svg_text(&svg,
                    &(gt_SvgText){.x = 14, .y = 24, .size = 15, .bold = true, .room = width - 28},
                    title);
    for (int64_t i = 0; i < matrix->size; i++)
        put_cell(&svg, matrix, i / matrix->classes, i % matrix->classes,
                 row_sum(matrix, i / matrix->classes));
    put_lines(&svg, matrix);
    put_names(&svg, matrix, upright);
    gt_svg_text(&svg,
                &(gt_SvgText){.x = 18,
                              .y = matrix->top + side / 2,
                              .turn = -90,
                              .anchor = GT_SVG_MIDDLE,
                              .bold = true},
                "true");
    gt_svg_text(&svg,
                &(gt_SvgText){.x = matrix->left + side / 2,
                              .y = matrix->top + side + below + 12,
                              .anchor = GT_SVG_MIDDLE,
                              .bold = true},
                "predicted");
    put_accuracy(&svg, matrix, matrix->top + side + below + 34, width);
    return gt_svg_end(&svg);
}

gt_Picture *gt_plot_confusion_matrix_at(const char *here, const gt_Tensor *tensor,
                                        const gt_plot_confusion_matrix_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_plot_confusion_matrix_options options;
    GT_TAKE(gt_plot_confusion_matrix_options, &options, given);
    Matrix matrix = {.options = &options};
    gt_Site site = gt_site_enter(here, "plot_confusion_matrix");
    gt_Picture *picture =
        read_matrix(context, tensor, &matrix) ? draw_matrix(context, &matrix) : NULL;
    gt_drop_numbers(context, matrix.numbers, matrix.size);
    gt_site_leave(&site);
    return picture;
}
