/* Curves as lines of text.
 *
 *       0.6 + o
 *           |  *..o
 *           |     *...o...
 *     0.038 +         *...*
 *           +---------------
 *            1            5 */
#include "pictures/chart.h"
#include "core/text.h"
#include "pictures/axes.h"

#include <math.h>
#include <string.h>

enum { MOST_COLUMNS = 500, LABEL = 10 };

typedef enum Cell { EMPTY, LINE, FILLED, OPEN, BOTH, CROSS } Cell;

typedef struct Canvas {
    const gt_Chart *chart;
    int32_t columns; /* of the curve */
    unsigned char *cells;
    double low, high, left, right;
    bool any;
} Canvas;

static void put(gt_Context *context, gt_Bytes *to, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void put(gt_Context *context, gt_Bytes *to, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    gt_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    const size_t bytes = strlen(text);
    if (!gt_bytes_reserve(context, to, bytes + 1))
        return;
    memcpy(to->data + to->size, text, bytes + 1);
    to->size += bytes;
}

/* ---- ranges ---- */

static void find_ranges(Canvas *canvas)
{
    bool across = false;
    for (int32_t c = 0; c < canvas->chart->count; c++)
        for (int32_t i = 0; i < canvas->chart->curves[c].count; i++) {
            const double x = canvas->chart->curves[c].x[i], y = canvas->chart->curves[c].y[i];
            canvas->left = across ? fmin(canvas->left, x) : x;
            canvas->right = across ? fmax(canvas->right, x) : x;
            across = true;
            if (!isfinite(y))
                continue;
            canvas->low = canvas->any ? fmin(canvas->low, y) : y;
            canvas->high = canvas->any ? fmax(canvas->high, y) : y;
            canvas->any = true;
        }
}

/* ---- cells ---- */

static int32_t column_of(const Canvas *canvas, double x)
{
    const double length = canvas->right - canvas->left;
    return length > 0 ? (int32_t)lround((x - canvas->left) / length * (canvas->columns - 1)) : 0;
}

/* By halves, so that the distance of large numbers is finite. */
static int32_t row_of(const Canvas *canvas, double y)
{
    const int32_t last = canvas->chart->rows - 1;
    const double half = canvas->high / 2 - canvas->low / 2;
    return half > 0 ? (int32_t)lround((canvas->high / 2 - y / 2) / half * last) : last / 2;
}

static unsigned char *cell_at(const Canvas *canvas, int32_t column, int32_t row)
{
    return &canvas->cells[row * canvas->columns + column];
}

/* Dots from one point to the next, where nothing is. */
static void put_line(Canvas *canvas, double x0, double y0, double x1, double y1)
{
    const int32_t first = column_of(canvas, x0), last = column_of(canvas, x1);
    for (int32_t column = first + 1; column < last; column++) {
        const double part = (double)(column - first) / (last - first);
        unsigned char *cell = cell_at(canvas, column, row_of(canvas, y0 + part * (y1 - y0)));
        if (*cell == EMPTY)
            *cell = LINE;
    }
}

static void put_marks(Canvas *canvas, const gt_ChartCurve *curve, Cell mark)
{
    for (int32_t i = 0; i < curve->count; i++) {
        const int32_t column = column_of(canvas, curve->x[i]);
        if (!isfinite(curve->y[i])) {
            *cell_at(canvas, column, canvas->chart->rows - 1) = CROSS;
            continue;
        }
        unsigned char *cell = cell_at(canvas, column, row_of(canvas, curve->y[i]));
        *cell = (unsigned char)(*cell == BOTH || (*cell == FILLED && mark == OPEN) ? BOTH : mark);
    }
}

static void put_curves(Canvas *canvas)
{
    for (int32_t c = 0; c < canvas->chart->count; c++) {
        const gt_ChartCurve *curve = &canvas->chart->curves[c];
        for (int32_t i = 1; i < curve->count; i++)
            if (isfinite(curve->y[i - 1]) && isfinite(curve->y[i]))
                put_line(canvas, curve->x[i - 1], curve->y[i - 1], curve->x[i], curve->y[i]);
    }
    for (int32_t c = 0; c < canvas->chart->count; c++)
        put_marks(canvas, &canvas->chart->curves[c], c ? OPEN : FILLED);
}

/* ---- text ---- */

static const char *cell_text(const Canvas *canvas, unsigned char cell)
{
    static const char *const plain[] = {" ", ".", "*", "o", "@", "x"};
    static const char *const marks[] = {
        " ", "\xC2\xB7", "\xE2\x97\x8F", "\xE2\x97\x8B", "\xE2\x97\x89", "\xC3\x97"};
    return canvas->chart->ascii ? plain[cell] : marks[cell];
}

/* 4 digits. */
static const char *label(char text[GT_NUMBER_TEXT], double number)
{
    gt_text(text, GT_NUMBER_TEXT, "%.4g", number == 0 ? 0 : number);
    return text;
}

static void put_rows(gt_Context *context, gt_Bytes *to, const Canvas *canvas)
{
    const int32_t rows = canvas->chart->rows;
    char text[GT_NUMBER_TEXT];
    for (int32_t row = 0; row < rows; row++) {
        const bool labelled = canvas->any && (row == 0 || row == rows - 1);
        int32_t used = 0; /* without the blanks at the end */
        for (int32_t column = 0; column < canvas->columns; column++)
            used = *cell_at(canvas, column, row) != EMPTY ? column + 1 : used;
        put(context, to, "%*s %s", LABEL,
            labelled ? label(text, row ? canvas->low : canvas->high) : "",
            canvas->chart->ascii ? "|" : "\xE2\x94\x82");
        for (int32_t column = 0; column < used; column++)
            put(context, to, "%s", cell_text(canvas, *cell_at(canvas, column, row)));
        put(context, to, "\n");
    }
}

static void put_axis(gt_Context *context, gt_Bytes *to, const Canvas *canvas)
{
    char left[GT_NUMBER_TEXT], right[GT_NUMBER_TEXT];
    put(context, to, "%*s %s", LABEL, "", canvas->chart->ascii ? "+" : "\xE2\x94\x94");
    for (int32_t column = 0; column < canvas->columns; column++)
        put(context, to, "%s", canvas->chart->ascii ? "-" : "\xE2\x94\x80");
    gt_short_number(left, canvas->left);
    gt_short_number(right, canvas->right);
    const int between = (int)canvas->columns - (int)strlen(left) - (int)strlen(right);
    const int note = (int)strlen(canvas->chart->note), before = (between - note) / 2;
    if (canvas->right > canvas->left && between > note)
        put(context, to, "\n%*s  %s%*s%s%*s%s\n", LABEL, "", left, before, "", canvas->chart->note,
            between - note - before, "", right);
    else
        put(context, to, "\n%*s  %s  %s\n", LABEL, "", left, canvas->chart->note);
}

/* As much of the names as the line has room for, beside marks, blanks and numbers. */
static void put_legend(gt_Context *context, gt_Bytes *to, const Canvas *canvas)
{
    char text[GT_NUMBER_TEXT];
    int entries = 0;
    for (int32_t c = 0; c < canvas->chart->count; c++)
        entries += canvas->chart->curves[c].count > 0;
    const int room = entries ? (canvas->chart->columns - 2) / entries - LABEL - 6 : 0;
    for (int32_t c = 0; c < canvas->chart->count; c++) {
        const gt_ChartCurve *curve = &canvas->chart->curves[c];
        if (curve->count > 0)
            put(context, to, "  %s %.*s %s", cell_text(canvas, c ? OPEN : FILLED), room,
                curve->name, label(text, curve->y[curve->count - 1]));
    }
    put(context, to, "\n");
}

bool gt_chart_put(gt_Context *context, gt_Bytes *to, const gt_Chart *chart)
{
    Canvas canvas = {.chart = chart, .columns = chart->columns - LABEL - 2};
    const size_t cells = (size_t)canvas.columns * (size_t)chart->rows;
    canvas.cells = gt_allocate_zeroed(context, cells);
    if (!canvas.cells)
        return false;
    find_ranges(&canvas);
    put_curves(&canvas);
    put_rows(context, to, &canvas);
    put_axis(context, to, &canvas);
    put_legend(context, to, &canvas);
    gt_release(context, canvas.cells, cells);
    return gt_context_status(context) == GT_OK;
}
