/* Walks the table of operations at special points: zeros of both signs, integers, equal values,
 * infinities, singular matrices, repeated eigenvalues. A gradient rule goes wrong there in silence: a
 * formula that is right nearby gives 0 times infinity, or one that depends on which input is
 * differentiated first. At every point that an operation accepts,
 *   forward mode gives the derivatives of reverse mode, in both orders: the columns of the Hessian by
 *   gt_jvp are its rows by a tape around a tape, and it is symmetric;
 *   where differences say that the function, or its gradient, has a slope, the rule says the same;
 *   where the slopes to the left and to the right differ, it gives a number;
 *   or the gradient is an error, of the operations that may refuse it.
 * No entry of the table escapes. */
#include <criterion/criterion.h>

#include "leaks.h"
#include "operations.h"

#include <stdarg.h>
#include <stdio.h>

enum { MOST_NUMBERS = 160, ROWS = 10 };

/* ---- a point ---- */

/* The float inputs of a case, their numbers one after the other. */
typedef gt_Tensor *Function(gt_Tensor *a, gt_Tensor *b); /* b is NULL for those of one tensor */

typedef struct Point {
    Case *c;
    Function *function; /* in place of the operation, if it is made of several */
    int sample, output; /* the output that is looked at; -1: all */
    const char *what;
    int count, which[CASE_INPUTS];
    int64_t size;
    bool infinite; /* one of the numbers is, or the value of several numbers */
    int moving;    /* the input that forward mode moves */
} Point;

static double *number_of(const Point *point, int64_t i)
{
    for (int k = 0; k < point->count; k++) {
        int64_t size = point->c->size[point->which[k]];
        if (i < size)
            return &point->c->numbers[point->which[k]][i];
        i -= size;
    }
    return NULL;
}

static int failures, points, gradients, hessians, errors;

static void complain(const Point *point, const char *format, ...)
{
    char text[400];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    char numbers[400] = "";
    size_t at = 0;
    for (int64_t i = 0; i < point->size && i < 12; i++)
        at += (size_t)snprintf(numbers + at, sizeof numbers - at, " %.3g", *number_of(point, i));
    const Case *c = point->c;
    fprintf(stderr, "%s, sample %d, output %d, %s (%s%s): %s\n", c->operation->name, point->sample,
            point->output, point->what, numbers, point->size > 12 ? " ..." : "", text);
    failures++;
}

/* ---- derivatives ---- */

static double weight_of(int output, int64_t i)
{
    return sin(1.0 + 3.7 * output + 1.3 * (double)i);
}

/* sum of the outputs times weights that no symmetry cancels; NULL: no output is of floats */
static gt_Tensor *weighted_sum(const Point *point, gt_Tensor *const *tensors)
{
    gt_Tensor *total = NULL;
    for (int k = 0; k < point->c->operation->outputs; k++) {
        if ((point->output >= 0 && k != point->output) || !tensors[k] ||
            !gt_dtype_is_float(gt_dtype(tensors[k])))
            continue;
        int64_t size = gt_size(tensors[k]);
        double weights[CASE_NUMBERS];
        cr_assert(size <= CASE_NUMBERS);
        for (int64_t i = 0; i < size; i++)
            weights[i] = weight_of(k, i);
        gt_Tensor *w = gt_from_values_at(NULL, gt_tensor_shape(tensors[k]), gt_dtype(tensors[k]),
                                         size, weights);
        gt_Tensor *part = gt_sum(gt_multiply(tensors[k], w));
        total = total ? gt_add(total, part) : part;
    }
    return total;
}

/* The case with the point's inputs in place of its own. */
static gt_Tensor *value_at(const Point *point, gt_Tensor *const *sources)
{
    gt_Tensor *in[CASE_INPUTS], *out[GT_MAX_OUTPUTS] = {NULL};
    case_inputs(point->c, in);
    for (int k = 0; k < point->count; k++)
        in[point->which[k]] = sources[k];
    if (point->function)
        out[0] = point->function(in[0], point->count > 1 ? in[1] : NULL);
    else
        case_apply(point->c, in, out);
    return gt_status() == GT_OK ? weighted_sum(point, out) : NULL;
}

static void point_inputs(const Point *point, gt_Tensor **sources)
{
    for (int k = 0; k < point->count; k++)
        sources[k] = case_input(point->c, point->which[k]);
}

static gt_Status gradient_at(const Point *point, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tape *tape = gt_tape_begin();
    for (int k = 0; k < point->count; k++)
        gt_watch(tape, in[k]);
    gt_Tensor *value = value_at(point, in);
    gt_gradients(tape, gt_tensors(value), ((gt_Tensors){point->count, in}), out,
                 .unconnected = GT_UNCONNECTED_ZERO);
    gt_tape_end(tape);
    return gt_status();
}

/* The value and the gradient as functions of the input that moves. */
static gt_Status value_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Point *point = context;
    gt_Tensor *sources[CASE_INPUTS];
    point_inputs(point, sources);
    sources[point->moving] = in[0];
    out[0] = value_at(point, sources);
    return gt_status();
}
static gt_Status gradient_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Point *point = context;
    gt_Tensor *sources[CASE_INPUTS];
    point_inputs(point, sources);
    sources[point->moving] = in[0];
    return gradient_at(point, sources, out);
}

static void read_all(const Point *point, gt_Tensor *const *tensors, double *numbers)
{
    for (int k = 0; k < point->count; k++)
        for (int64_t i = 0; i < point->c->size[point->which[k]]; i++)
            *numbers++ = gt_at(tensors[k], i);
}

/* A tensor of the shape of the input that number i is in, with 1 there and 0 elsewhere; `input`
 * gets which input that is. A direction has no part in the others, whose infinite slopes times 0
 * would be NaN. */
static gt_Tensor *unit(const Point *point, int64_t i, int *input)
{
    double numbers[CASE_NUMBERS] = {0};
    int k = 0;
    for (; i >= point->c->size[point->which[k]]; k++)
        i -= point->c->size[point->which[k]];
    numbers[i] = 1;
    *input = k;
    return gt_from_values_at(NULL, point->c->sample->input[point->which[k]].shape, GT_FLOAT64,
                             point->c->size[point->which[k]], numbers);
}

/* Which rows of the Hessian are looked at: all, or some that are spread over it. */
static int64_t row_at(const Point *point, int row)
{
    return point->size <= ROWS ? row : row * (point->size - 1) / (ROWS - 1);
}
static int rows_of(const Point *point)
{
    return point->size <= ROWS ? (int)point->size : ROWS;
}

typedef double Numbers[MOST_NUMBERS];

/* The value, and the gradient if it is asked for. */
static gt_Status first_order(const Point *point, double *value, double *gradient)
{
    gt_Tensor *sources[CASE_INPUTS], *slope[CASE_INPUTS];
    gt_Tape *scope = gt_tape_begin();
    point_inputs(point, sources);
    gt_Tensor *number = value_at(point, sources);
    *value = number ? gt_item(number) : (double)NAN;
    if (gradient && number && gradient_at(point, sources, slope) == GT_OK)
        read_all(point, slope, gradient);
    gt_tape_end(scope);
    return gt_status();
}

/* Some rows of the Hessian by a tape around a tape. */
static gt_Status reverse_over_reverse(const Point *point, Numbers *rows)
{
    gt_Tensor *sources[CASE_INPUTS], *slope[CASE_INPUTS], *row[CASE_INPUTS];
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    point_inputs(point, sources);
    for (int k = 0; k < point->count; k++)
        gt_watch(tape, sources[k]);
    gradient_at(point, sources, slope);
    gt_tape_pause(tape);
    for (int r = 0; r < rows_of(point) && gt_status() == GT_OK; r++) {
        int k;
        gt_Tensor *along = unit(point, row_at(point, r), &k);
        if (gt_gradients(tape, gt_tensors(slope[k]), ((gt_Tensors){point->count, sources}), row,
                         .unconnected = GT_UNCONNECTED_ZERO, .output_gradients = &along) == GT_OK)
            read_all(point, row, rows[r]);
    }
    gt_tape_end(tape);
    return gt_status();
}

/* The same columns by forward mode over the gradient, and those of the gradient by forward mode. */
static gt_Status forward(const Point *point, double *gradient, Numbers *columns)
{
    for (int r = 0; r < rows_of(point) && gt_status() == GT_OK; r++) {
        gt_Tensor *sources[CASE_INPUTS], *change[CASE_INPUTS];
        Point moved = *point;
        gt_Scope *scope = gt_scope_begin();
        point_inputs(point, sources);
        gt_Tensor *along = unit(point, row_at(point, r), &moved.moving);
        gt_Tensors at = {1, &sources[moved.moving]}, to = {1, &along};
        if (columns) {
            if (gt_jvp(gradient_body, &moved, at, to, NULL, change, .outputs = point->count,
                       .unconnected = GT_UNCONNECTED_ZERO) == GT_OK)
                read_all(point, change, columns[r]);
        } else if (gt_jvp(value_body, &moved, at, to, NULL, change,
                          .unconnected = GT_UNCONNECTED_ZERO) == GT_OK) {
            gradient[r] = gt_item(change[0]);
        }
        gt_scope_end(scope);
    }
    return gt_status();
}

/* ---- comparisons ---- */

/* In infinite numbers any may become NaN, by 0 times infinity on the way. */
static bool agree(const Point *point, double a, double b, double tolerance)
{
    if (point->infinite && !(isfinite(a) && isfinite(b)))
        return true;
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    if (isinf(a) || isinf(b))
        return a == b;
    return fabs(a - b) <= tolerance * fmax(1, fmax(fabs(a), fabs(b)));
}

/* The slope to one side from differences at h and h / 2: false if it has none, or if the function
 * has no values there. */
static bool one_sided(double middle, double far, double near, double h, double *slope,
                      double *tolerance)
{
    double first = (far - middle) / h, second = (near - middle) / (h / 2);
    *slope = 2 * second - first;
    *tolerance = 1e-5 + 4 * fabs(first - second);
    return fabs(first - second) <= 0.02 * fmax(1, fabs(second));
}

/* Do the differences grow as they do next to an infinite slope, slower than next to a jump? */
static bool grows(double middle, double far, double near, double h, double *slope)
{
    double first = (far - middle) / h;
    *slope = (near - middle) / (h / 2);
    return isfinite(*slope) && fabs(*slope) > 10 && *slope / first > 1.2 && *slope / first < 1.9;
}

/* Is `rule` the slope that differences give at steps -h, -h/2, h/2, h? Where the slopes to both
 * sides exist and differ, a number is enough; where neither does, since one is infinite, it is
 * infinite, at -0 perhaps with the other sign, as 1 / x is. */
static bool is_slope(double rule, double x, double middle, const double *at, double h,
                     double *expected)
{
    double left, right, of_left, of_right;
    bool is_left = one_sided(middle, at[0], at[1], -h, &left, &of_left);
    bool is_right = one_sided(middle, at[3], at[2], h, &right, &of_right);
    *expected = right;
    if (is_left && is_right) {
        double tolerance = of_left + of_right;
        if (fabs(left - right) > tolerance * fmax(1, fabs(left)))
            return isfinite(rule);
        return fabs(rule - right) <= tolerance * fmax(1, fabs(right));
    }
    if (is_left || is_right) {
        *expected = is_left ? left : right;
        return isfinite(rule) || isnan(is_left ? at[2] : at[1]);
    }
    bool left_grows = grows(middle, at[0], at[1], -h, &left);
    bool right_grows = grows(middle, at[3], at[2], h, &right);
    if (!left_grows && !right_grows)
        return true;
    *expected = left_grows ? left : right;
    if (left_grows && right_grows && left * right < 0)
        return true;
    return isinf(rule) && (rule * *expected > 0 || (x == 0 && signbit(x)));
}

/* Is there a jump to one side? At it the sign of a vector changes, say, and with it that of its
 * slopes. */
static bool jumps(double middle, const double *at)
{
    return fabs(at[1] - middle) > fmax(0.9 * fabs(at[0] - middle), 1e-9) ||
           fabs(at[2] - middle) > fmax(0.9 * fabs(at[3] - middle), 1e-9);
}

/* Is NaN what the header says, although differences converge? */
static bool is_exception(const Point *point, double rule)
{
    const char *name = point->c->operation->name;
    if (!isnan(rule))
        return false;
    /* An infinite number: 0 times infinity on the way. */
    if (point->infinite)
        return true;
    /* The angle of the origin is 0 by convention; there is every angle next to it. */
    if (strcmp(name, "arctan2") == 0)
        return *number_of(point, 0) == 0 && *number_of(point, 1) == 0;
    /* Roots of a sum of squares that is 0, as Keras has them. */
    return strcmp(name, "norm") == 0 || strcmp(name, "length") == 0 || strcmp(name, "std") == 0 ||
           strcmp(name, "cdist") == 0;
}

static void compare_with_differences(const Point *point, double value, const double *gradient,
                                     Numbers *rows)
{
    const double h = 1e-4, step[4] = {-h, -h / 2, h / 2, h};
    for (int r = 0; r < rows_of(point); r++) {
        int64_t i = row_at(point, r);
        double *x = number_of(point, i), at = *x, expected;
        double values[4], slopes[4];
        static Numbers moved[4];
        bool defined = isfinite(at);
        gt_Status status = GT_OK;
        for (int k = 0; k < 4 && defined; k++) {
            *x = at + step[k];
            status = first_order(point, &values[k], moved[k]);
            gt_error_clear();
            defined = status == GT_OK;
        }
        *x = at;
        if (!defined)
            continue;
        if (!is_exception(point, gradient[i]) &&
            !is_slope(gradient[i], at, value, values, h, &expected))
            complain(point, "the derivative in number %d is %.9g, differences say %.9g", (int)i,
                     gradient[i], expected);
        for (int k = 0; rows && !jumps(value, values) && k < rows_of(point); k++) {
            int64_t j = row_at(point, k);
            for (int s = 0; s < 4; s++)
                slopes[s] = moved[s][j];
            if (!is_exception(point, rows[k][i]) &&
                !is_slope(rows[k][i], at, gradient[j], slopes, h, &expected))
                complain(point,
                         "the second derivative in numbers %d and %d is %.9g, differences say %.9g",
                         (int)j, (int)i, rows[k][i], expected);
        }
    }
}

/* What may refuse a gradient: linear algebra, of matrices that have none. */
static const char *const refusing[] = {"solve", "inv",      "lstsq",      "slogdet",
                                       "det",   "qr",       "svd",        "pinv",
                                       "eigh",  "cofactor", "complement", "cofactor_gradient"};

/* An error in a gradient is of one that may refuse, and names it. */
static void expect_error(const Point *point)
{
    const char *name = point->c->operation->name;
    bool may = false;
    for (size_t i = 0; i < sizeof refusing / sizeof *refusing; i++)
        may |= strcmp(refusing[i], name) == 0;
    if (!may || (!point->function && !strstr(gt_error_message(), name)) ||
        !strstr(gt_error_message(), "in the gradient of") ||
        (gt_status() != GT_NUMERIC && gt_status() != GT_INVALID))
        complain(point, "an error that it may not give: %s", gt_error_message());
    errors++;
    gt_error_clear();
}

static void check_point(Point *point)
{
    double value, gradient[MOST_NUMBERS], ahead[ROWS];
    static Numbers rows[ROWS], columns[ROWS];
    points++;
    point->infinite = false;
    for (int64_t i = 0; i < point->size; i++)
        point->infinite |= isinf(*number_of(point, i));
    if (first_order(point, &value, NULL) != GT_OK) { /* not a point of it */
        gt_error_clear();
        return;
    }
    point->infinite |= !isfinite(value) && point->size > point->count;
    if (first_order(point, &value, gradient) != GT_OK) {
        expect_error(point);
        return;
    }
    gradients++;
    if (forward(point, ahead, NULL) != GT_OK) {
        complain(point, "forward mode: %s", gt_error_message());
        gt_error_clear();
        return;
    }
    /* A length of 0 has no slope; NaN of one column is in the sum of all tangents. */
    if (strcmp(point->c->operation->name, "length") == 0)
        for (int r = 0; r < rows_of(point); r++)
            if (isnan(ahead[r]))
                return;
    for (int r = 0; r < rows_of(point); r++)
        if (!agree(point, ahead[r], gradient[row_at(point, r)], 1e-9))
            complain(point, "the derivative in number %d is %.9g forward, %.9g backward",
                     (int)row_at(point, r), ahead[r], gradient[row_at(point, r)]);
    if (reverse_over_reverse(point, rows) != GT_OK) {
        expect_error(point);
        if (forward(point, ahead, columns) == GT_OK)
            complain(point, "forward over reverse gives numbers, reverse over reverse an error");
        gt_error_clear();
        compare_with_differences(point, value, gradient, NULL);
        return;
    }
    hessians++;
    if (forward(point, ahead, columns) != GT_OK) {
        complain(point, "forward over reverse: %s", gt_error_message());
        gt_error_clear();
        return;
    }
    for (int r = 0; r < rows_of(point); r++)
        for (int64_t i = 0; i < point->size; i++)
            if (!agree(point, rows[r][i], columns[r][i], 1e-8)) {
                complain(point, "d2 in numbers %d, %d is %.9g by rows, %.9g by columns",
                         (int)row_at(point, r), (int)i, rows[r][i], columns[r][i]);
                break;
            }
    for (int r = 0; r < rows_of(point); r++)
        for (int s = 0; s < r; s++)
            if (!agree(point, rows[r][row_at(point, s)], rows[s][row_at(point, r)], 1e-8))
                complain(point, "d2 in numbers %d, %d is %.9g, the other way round %.9g",
                         (int)row_at(point, r), (int)row_at(point, s), rows[r][row_at(point, s)],
                         rows[s][row_at(point, r)]);
    compare_with_differences(point, value, gradient, rows);
}

/* ---- the points ---- */

/* What an input may be filled with; the columns of a matrix lie in its last axis. */
typedef enum Fill {
    NATURAL, /* as the sample says */
    ZEROS,
    NEGATIVE_ZEROS,
    ONES,
    MINUS_ONES,
    INFINITE,
    MINUS_INFINITE,
    WHOLE,      /* the sample's numbers rounded: zeros, equal and negative ones */
    FIRST_ZERO, /* the rest natural */
    LAST_INFINITE,
    EQUAL_COLUMNS, /* the last column is the first */
    ZERO_COLUMN,
    IDENTITY,
    REPEATED, /* a diagonal of 2, 2, 3, 0: eigenvalues and singular values that repeat */
    FILLS
} Fill;
static const char *const fill_names[FILLS] = {
    "natural",       "zeros",       "negative zeros", "ones",          "minus ones",
    "infinities",    "-infinities", "whole numbers",  "first is zero", "last is infinite",
    "equal columns", "zero column", "identity",       "repeated"};

static void fill_input(const Case *natural, int i, Fill fill, double *numbers)
{
    const gt_Shape *shape = &natural->sample->input[i].shape;
    int64_t size = natural->size[i], columns = shape->rank ? shape->dims[shape->rank - 1] : 1;
    int64_t rows = shape->rank > 1 ? shape->dims[shape->rank - 2] : 1;
    static const double constants[] = {[ZEROS] = 0,      -0.0, 1, -1, (double)INFINITY,
                                       (double)-INFINITY};
    static const double diagonal[] = {2, 2, 3, 0};
    for (int64_t k = 0; k < size; k++) {
        int64_t row = k / columns % rows, column = k % columns;
        double x = natural->numbers[i][k];
        switch (fill) {
        case WHOLE:
            x = round(x);
            break;
        case FIRST_ZERO:
            x = k == 0 ? 0 : x;
            break;
        case LAST_INFINITE:
            x = k == size - 1 ? (double)INFINITY : x;
            break;
        case EQUAL_COLUMNS:
            x = column == columns - 1 ? natural->numbers[i][k - column] : x;
            break;
        case ZERO_COLUMN:
            x = column == columns - 1 ? 0 : x;
            break;
        case IDENTITY:
            x = row == column;
            break;
        case REPEATED:
            x = row == column ? diagonal[row % 4] : 0;
            break;
        default:
            x = fill == NATURAL ? x : constants[fill];
        }
        numbers[k] = x;
    }
}

static void check_filled(Case *c, const Case *natural, Point *point, const Fill *fills)
{
    char what[200] = "";
    size_t at = 0;
    for (int k = 0; k < point->count; k++) {
        int i = point->which[k];
        fill_input(natural, i, fills[k], c->numbers[i]);
        at += (size_t)snprintf(what + at, sizeof what - at, "%s%s", k ? ", " : "",
                               fill_names[fills[k]]);
    }
    point->what = what;
    check_point(point);
}

/* Every fill of each input, the others natural; of all inputs together; in the first sample every
 * pair of fills of two. */
static void check_fills(Case *c, const Case *natural, Point *point)
{
    Fill fills[CASE_INPUTS] = {NATURAL};
    check_filled(c, natural, point, fills);
    for (int k = 0; k < point->count + (point->count > 1); k++)
        for (Fill fill = NATURAL + 1; fill < FILLS; fill++) {
            for (int i = 0; i < point->count; i++)
                fills[i] = k == i || k == point->count ? fill : NATURAL;
            check_filled(c, natural, point, fills);
        }
    if (point->count != 2 || point->sample > 0)
        return;
    for (fills[0] = NATURAL + 1; fills[0] < FILLS; fills[0]++)
        for (fills[1] = NATURAL + 1; fills[1] < FILLS; fills[1]++)
            if (fills[0] != fills[1])
                check_filled(c, natural, point, fills);
}

/* An element-wise operation is looked at one element at a time, at all of these of each input. */
static const double special[] = {
    0,   -0.0, 1,  -1, 2, -2, 3, -3, 0.5, -0.5, 6, (double)INFINITY, (double)-INFINITY,
    0.3, -1.7, 40, -40};
enum { SPECIAL = sizeof special / sizeof *special };

static void check_element(Point *point, int k)
{
    if (k == point->count) {
        check_point(point);
        return;
    }
    for (int s = 0; s < SPECIAL; s++) {
        *number_of(point, k) = special[s];
        check_element(point, k + 1);
    }
}

/* Is that output of floats? A cast to integers has no slope. */
static bool is_of_floats(const Case *c, int output)
{
    gt_Tensor *in[CASE_INPUTS], *out[GT_MAX_OUTPUTS] = {NULL};
    gt_Scope *scope = gt_scope_begin();
    case_inputs(c, in);
    case_apply(c, in, out);
    bool is = gt_dtype_is_float(gt_dtype(out[output]));
    gt_scope_end(scope);
    return is;
}

/* Probabilities are made of logits; the gradient of the two goes one way, so that one moves here. */
static bool stands_still(const Case *c, int input)
{
    return strcmp(c->operation->name, "logits") == 0 && input == 1;
}

/* The float inputs of a case; false if there are none, or if no output that is looked at is of
 * floats. */
static bool open_point(Point *point)
{
    Case *c = point->c;
    for (int i = 0; i < c->sample->inputs; i++)
        if (c->sample->input[i].dtype == GT_FLOAT64 && !stands_still(c, i)) {
            point->which[point->count++] = i;
            point->size += c->size[i];
        }
    cr_assert(point->size <= MOST_NUMBERS, "%s: %d numbers", c->operation->name, (int)point->size);
    bool floats = point->function != NULL;
    for (int o = 0; o < c->operation->outputs && !floats; o++)
        floats = (point->output < 0 || o == point->output) && is_of_floats(c, o);
    return point->count > 0 && floats;
}

/* One output, or all of them for -1, at all points of a sample. */
static void check_output(const gt_Operation *operation, const gt_Sample *sample, int number,
                         int output, Function *function)
{
    static Case c, natural;
    gt_SampleInput single[CASE_INPUTS];
    gt_Sample small = *sample;
    bool elementwise = operation->flags & GT_OP_ELEMENTWISE;
    for (int i = 0; elementwise && i < sample->inputs; i++) {
        single[i] = sample->input[i];
        single[i].shape = (gt_Shape){1, {1}};
        small.input = single;
    }
    fill_case(&natural, operation, &small, GT_FLOAT64);
    c = natural;
    Point point = {
        .c = &c, .function = function, .sample = number, .output = output, .what = "element"};
    if (!function && !case_possible(&c))
        return;
    if (!open_point(&point))
        return;
    if (elementwise)
        check_element(&point, 0);
    else
        check_fills(&c, &natural, &point);
}

static void check_operation(const gt_Operation *operation, Function *function)
{
    int number = 0, outputs = operation->outputs;
    for (const gt_Sample *sample = operation->samples; sample->inputs; sample++, number++)
        for (int output = -1; output < (outputs > 1 ? outputs : 0); output++)
            check_output(operation, sample, number, output, function);
}

static bool has_lapack(void)
{
    static Case c;
    fill_case(&c, &gt_op_eigh, gt_op_eigh.samples, GT_FLOAT64);
    return case_possible(&c);
}

static void report(int checked)
{
    fprintf(stderr, "%d operations: %d points, %d gradients, %d Hessians, %d errors\n", checked,
            points, gradients, hessians, errors);
    cr_assert(failures == 0, "%d failures", failures);
    gt_context_free(NULL);
    assert_no_leaks();
}

enum { PARTS = 4 };

static void check_table(int part)
{
    int count, checked = 0;
    const gt_Operation *const *table = gt_operations(&count);
    for (int k = part; k < count; k += PARTS) {
        if (table[k]->flags & (GT_OP_EFFECT | GT_OP_NOT_DIFFERENTIABLE))
            continue;
        int before = points;
        check_operation(table[k], NULL);
        cr_expect(points > before || !has_lapack(), "%s has no point", table[k]->name);
        checked++;
    }
    report(checked);
}

Test(points, table_1)
{
    check_table(0);
}
Test(points, table_2)
{
    check_table(1);
}
Test(points, table_3)
{
    check_table(2);
}
Test(points, table_4)
{
    check_table(3);
}

/* ---- functions that are made of several operations ---- */

#define UNARY(name)                                                                                \
    static gt_Tensor *name##_function(gt_Tensor *a, gt_Tensor *b)                                  \
    {                                                                                              \
        (void)b;                                                                                   \
        return (gt_##name)(a);                                                                     \
    }
#define BINARY(name)                                                                               \
    static gt_Tensor *name##_function(gt_Tensor *a, gt_Tensor *b)                                  \
    {                                                                                              \
        return gt_##name(a, b);                                                                    \
    }
#define UNARIES(F)                                                                                 \
    F(elu)                                                                                         \
    F(selu)                                                                                        \
    F(relu6)                                                                                       \
    F(log_sigmoid)                                                                                 \
    F(hard_sigmoid)                                                                                \
    F(hard_silu) F(mish) F(softsign) F(exponential) F(gelu_exact) F(exp2) F(sinc) F(nan_to_num)
#define BINARIES(F) F(fmax) F(fmin) F(logaddexp) F(logaddexp2)
#define OF_MATRIX(F)                                                                               \
    F(variance)                                                                                    \
    F(std) F(norm) F(ptp) F(nanmax) F(nanmean) F(inv) F(logdet) F(rgb_to_hsv) F(hsv_to_rgb)
#define OF_MATRICES(F) F(solve) F(lstsq) F(cdist) F(dot) F(kron)
UNARIES(UNARY)
OF_MATRIX(UNARY)
BINARIES(BINARY)
OF_MATRICES(BINARY)

static const gt_SampleInput number_inputs[] = {
    {.dtype = GT_FLOAT64, .shape = {1, {1}}, .low = -2, .high = 2},
    {.dtype = GT_FLOAT64, .shape = {1, {1}}, .low = -2, .high = 2}};
static const gt_SampleInput matrix_inputs[] = {
    {.dtype = GT_FLOAT64, .shape = {2, {3, 3}}, .low = 0.1, .high = 1, .diagonal = 2},
    {.dtype = GT_FLOAT64, .shape = {2, {3, 3}}, .low = 0.1, .high = 1, .diagonal = 2}};

Test(points, functions)
{
    static const struct {
        const char *name;
        Function *function;
        int inputs;
        bool matrices;
    } list[] = {
#define ONE(name)          {#name, name##_function, 1, false},
#define TWO(name)          {#name, name##_function, 2, false},
#define ONE_MATRIX(name)   {#name, name##_function, 1, true},
#define TWO_MATRICES(name) {#name, name##_function, 2, true},
        UNARIES(ONE) BINARIES(TWO) OF_MATRIX(ONE_MATRIX) OF_MATRICES(TWO_MATRICES)};
    for (size_t k = 0; k < sizeof list / sizeof *list; k++) {
        const gt_Sample samples[] = {
            {.inputs = list[k].inputs, .input = list[k].matrices ? matrix_inputs : number_inputs},
            {.inputs = 0}};
        const gt_Operation operation = {.name = list[k].name,
                                        .flags = list[k].matrices ? 0 : GT_OP_ELEMENTWISE,
                                        .outputs = 1,
                                        .samples = samples};
        check_operation(&operation, list[k].function);
    }
    report((int)(sizeof list / sizeof *list));
}

/* ---- what the table does not say: the numbers themselves ---- */

/* a^b, its slopes, and its mixed second derivative by both orders of differentiation. */
typedef struct Power {
    double in_a, in_b, a_then_b, b_then_a;
} Power;

static Power power_at(double x, double y)
{
    Power power;
    gt_Tape *outer = gt_tape_begin(.persistent = true), *inner = gt_tape_begin();
    gt_Tensor *a = gt_scalar(x, GT_FLOAT64), *b = gt_scalar(y, GT_FLOAT64), *slope[2];
    gt_Tensors both = gt_tensors(a, b);
    for (int i = 0; i < 2; i++) {
        gt_watch(outer, both.items[i]);
        gt_watch(inner, both.items[i]);
    }
    gt_gradients(inner, gt_tensors(gt_power(a, b)), both, slope);
    gt_tape_end(inner);
    power.in_a = gt_item(slope[0]);
    power.in_b = gt_item(slope[1]);
    power.a_then_b = gt_item(gt_gradient(outer, slope[0], b, .unconnected = GT_UNCONNECTED_ZERO));
    power.b_then_a = gt_item(gt_gradient(outer, slope[1], a, .unconnected = GT_UNCONNECTED_ZERO));
    gt_tape_end(outer);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    return power;
}

/* Where a <= 0, b is a constant; above, d2 a^b / da db = a^(b-1) (1 + b log a). */
Test(points, power)
{
    static const double low[] = {0, -0.0, -0.5, -1, -2, -3}, high[] = {1e-300, 0.25, 1, 2, 30};
    for (double b = -4; b <= 4; b += 0.5) {
        for (size_t i = 0; i < sizeof low / sizeof *low; i++) {
            Power is = power_at(low[i], b);
            cr_assert(is.in_b == 0 && is.a_then_b == 0 && is.b_then_a == 0,
                      "%g^%g: %g in b, %g and %g in both", low[i], b, is.in_b, is.a_then_b,
                      is.b_then_a);
            double in_a = low[i] == 0 && b == 0 ? 0 : b * pow(low[i], b - 1);
            cr_assert(is.in_a == in_a || (isnan(in_a) && isnan(is.in_a)), "%g^%g: %g in a", low[i],
                      b, is.in_a);
        }
        for (size_t i = 1; i < sizeof high / sizeof *high; i++) {
            Power is = power_at(high[i], b);
            double mixed = pow(high[i], b - 1) * (1 + b * log(high[i]));
            cr_assert(fabs(is.a_then_b - mixed) <= 1e-13 * fabs(mixed) + 1e-15 &&
                          fabs(is.b_then_a - mixed) <= 1e-13 * fabs(mixed) + 1e-15,
                      "%g^%g: %.17g and %.17g, not %.17g", high[i], b, is.a_then_b, is.b_then_a,
                      mixed);
        }
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Scalar functions of a matrix. */
#define OF_X(name, expression)                                                                     \
    static gt_Status name(void *context, gt_Tensor *const *in, gt_Tensor **out)                    \
    {                                                                                              \
        (void)context;                                                                             \
        gt_Tensor *x = in[0];                                                                      \
        *out = gt_sum(expression);                                                                 \
        return gt_status();                                                                        \
    }
/* The first `count` columns of vectors. */
static gt_Tensor *columns(gt_Tensor *x, int64_t first, int64_t count)
{
    gt_Shape size = gt_tensor_shape(x), begin = {size.rank, {0}};
    begin.dims[size.rank - 1] = first;
    size.dims[size.rank - 1] = count;
    return gt_slice(x, begin, size);
}
static gt_Tensor *weights_like(gt_Tensor *x)
{
    return gt_cos(
        gt_reshape(gt_arange(0, (double)gt_size(x), 1, .dtype = GT_FLOAT64), gt_tensor_shape(x)));
}
static gt_Tensor *weighted(gt_Tensor *x)
{
    return gt_multiply(x, weights_like(x));
}
static gt_Tensor *projection(gt_Tensor *v)
{
    return weighted(gt_matmul(v, v, .transpose_b = true));
}
/* U diag(s) V' of the first singular value alone. */
static gt_Tensor *of_rank_one(gt_Tensor *x)
{
    gt_Svd svd = gt_svd(x);
    gt_Tensor *u = columns(svd.u, 0, 1), *s = columns(svd.s, 0, 1);
    gt_Tensor *v = columns(gt_swapaxes(svd.vh, -1, -2), 0, 1);
    return weighted(gt_multiply(gt_matmul(u, v, .transpose_b = true), s));
}
OF_X(squares_of_eigenvalues, gt_square(gt_eigh(x).values))
OF_X(largest_direction, projection(columns(gt_eigh(x).vectors, 3, 1)))
OF_X(both_directions, projection(columns(gt_eigh(x).vectors, 2, 2)))
OF_X(singular_values, gt_svd(x).s)
OF_X(left_vectors, weighted(gt_svd(x).u))
OF_X(best_of_rank_one, of_rank_one(x))
OF_X(orthonormal, weighted(gt_qr(x).q))
OF_X(triangle, weighted(gt_qr(x).r))
OF_X(least_squares, gt_lstsq(x, gt_ones_like(x)))
OF_X(pseudo_inverse, weighted(gt_pinv(x)))

/* The gradient there; NULL if it is an error. */
static gt_Tensor *slope_of(gt_FunctionBody function, gt_Tensor *x)
{
    gt_Tensor *y;
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, x);
    function(NULL, &x, &y);
    gt_Tensor *slope = gt_keep(gt_gradient(tape, y, x));
    gt_tape_end(tape);
    return slope;
}

#define REFUSES(result, words)                                                                     \
    do {                                                                                           \
        cr_assert(!(result) && gt_status() == GT_NUMERIC && strstr(gt_error_message(), words),     \
                  "%s: %d, %s", #result, (int)gt_status(), gt_error_message());                    \
        gt_error_clear();                                                                          \
    } while (0)
#define AGREES(function, x)                                                                        \
    cr_assert(gt_check_gradients(function, NULL, gt_tensors(x), .tolerance = 1e-5) == GT_OK,       \
              "%s: %s", #function, gt_error_message())

static gt_Tensor *direction(gt_Tensor *x)
{
    return gt_add(weights_like(x), gt_ones_like(x));
}

static void matrices_without_slopes(void)
{
    gt_Tensor *singular = gt_reshape(gt_array64(gt_shape(4), 1, 2, 2, 4), gt_shape(2, 2));
    gt_Tensor *zero = gt_zeros_of(gt_shape(3, 2), .dtype = GT_FLOAT64), *change;
    gt_Tensor *identity = gt_eye(4, .dtype = GT_FLOAT64), *along = direction(identity);
    /* Columns that depend on each other, exactly or by rounding. */
    REFUSES(slope_of(orthonormal, singular), "columns must be linearly independent");
    REFUSES(slope_of(triangle, singular), "in the gradient of qr");
    REFUSES(slope_of(orthonormal, zero), "in the gradient of qr");
    REFUSES(slope_of(least_squares, singular), "lstsq");
    /* Equal eigenvalues: a symmetric function has its gradient, but no second one by its vectors. */
    gt_Tensor *slope = slope_of(squares_of_eigenvalues, identity);
    for (int i = 0; i < 16; i++)
        cr_assert(fabs(gt_at(slope, i) - (i % 5 ? 0 : 2)) < 1e-14, "%d: %g", i, gt_at(slope, i));
    REFUSES(gt_hessian_vector_product(squares_of_eigenvalues, NULL, identity, along),
            "eigenvalues must differ");
    REFUSES(gt_hessian(squares_of_eigenvalues, NULL, identity), "eigenvalues must differ");
    REFUSES(slope_of(largest_direction, identity), "in the gradient of eigh");
    /* Equal singular values, and ones that are 0. */
    AGREES(singular_values, gt_add(identity, weights_like(identity)));
    cr_assert(slope_of(singular_values, identity));
    REFUSES(gt_hessian_vector_product(singular_values, NULL, identity, along),
            "singular values must differ");
    REFUSES(slope_of(left_vectors, identity), "singular values must differ");
    REFUSES(slope_of(left_vectors, gt_ones_like(columns(identity, 0, 2))),
            "singular values must not be 0");
    REFUSES((gt_jvp(left_vectors, NULL, gt_tensors(identity), gt_tensors(along), NULL, &change),
             change),
            "singular values must differ");
    /* The pseudo-inverse of a matrix without full rank: a gradient, no second one. */
    cr_assert(slope_of(pseudo_inverse, singular), "%s", gt_error_message());
    REFUSES(gt_hessian_vector_product(pseudo_inverse, NULL, singular, singular),
            "of full rank for a second derivative of pinv");
}

/* Vectors that nothing reads may be any: of a matrix that lacks rank the others have their slopes. */
static void matrices_with_slopes(void)
{
    gt_Tensor *tall = gt_sin(gt_reshape(gt_arange(1, 9, 1, .dtype = GT_FLOAT64), gt_shape(4, 2)));
    gt_Tensor *lacking = gt_matmul(tall, tall, .transpose_b = true);
    AGREES(largest_direction, lacking);
    AGREES(both_directions, lacking);
    AGREES(best_of_rank_one, lacking);
    AGREES(best_of_rank_one, gt_concatenate(gt_tensors(tall, tall), .axis = 1));
    AGREES(orthonormal, tall);
    AGREES(least_squares, tall);
    AGREES(pseudo_inverse, tall);
}

/* The same in a traced function: of a regular matrix the gradient, of a singular one the error. */
static gt_Status traced_slope(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    *out = slope_of(orthonormal, gt_identity(in[0]));
    return gt_status();
}

static void planned(void)
{
    gt_Tensor *regular = gt_reshape(gt_array64(gt_shape(4), 1, 2, 2, 5), gt_shape(2, 2)), *out;
    gt_Tensor *singular = gt_reshape(gt_array64(gt_shape(4), 1, 2, 2, 4), gt_shape(2, 2));
    gt_Function *function = gt_function(traced_slope, NULL);
    cr_assert(gt_function_call(function, gt_tensors(regular), &out) == GT_OK, "%s",
              gt_error_message());
    gt_Tensor *eager = slope_of(orthonormal, regular);
    for (int i = 0; i < 4; i++)
        cr_assert(gt_at(out, i) == gt_at(eager, i));
    gt_function_call(function, gt_tensors(singular), &out);
    REFUSES(out, "columns must be linearly independent");
    cr_assert(gt_function_call(function, gt_tensors(regular), &out) == GT_OK, "%s",
              gt_error_message());
    gt_function_free(function);
}

Test(points, matrices)
{
    if (!has_lapack())
        cr_skip_test("OpenBLAS was not found");
    gt_Scope *scope = gt_scope_begin();
    matrices_without_slopes();
    matrices_with_slopes();
    planned();
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}
