/* Operations from C functions and layers as C functions: values, gradients against central
 * differences, plans, every kind of refusal, and memory that runs out at every place. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define assert_ok() cr_assert(gt_status() == GT_OK, "%s", gt_error_message())

static void assert_fails(gt_Status status, const char *words, const char *what)
{
    cr_assert(gt_status() == status, "%s: status %s, %s", what, gt_status_text(gt_status()),
              gt_error_message());
    cr_assert(strstr(gt_error_message(), words), "%s: \"%s\" lacks \"%s\"", what,
              gt_error_message(), words);
    gt_error_clear();
}

/* ---- functions that know nothing of tensors ---- */

static void scale(const double *x, double *y, size_t n, double factor)
{
    for (size_t i = 0; i < n; i++)
        y[i] = factor * x[i];
}

static void scale_gradient(const double *dy, double *dx, size_t n, double factor)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = factor * dy[i];
}

/* y[r] = sum_c x[r][c]^power, and the sum of all. */
static double row_powers(int rows, int columns, const double *x, double *y, int power)
{
    double total = 0;
    for (int r = 0; r < rows; r++) {
        y[r] = 0;
        for (int c = 0; c < columns; c++)
            y[r] += pow(x[r * columns + c], power);
        total += y[r];
    }
    return total;
}

static int row_powers_gradient(const double *x, const double *dy, const double *dresult, double *dx,
                               int power, int64_t rows, size_t columns)
{
    for (int64_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) {
            size_t i = (size_t)r * columns + c;
            dx[i] = (dy[r] + *dresult) * power * pow(x[i], power - 1);
        }
    return 0;
}

/* Without the input: the shape of dx is that of an array it does not see. */
static double total(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

static void total_gradient(const double *dy, double *dx, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = *dy;
}

static void product(const double *a, const double *b, double *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] * b[i];
}

static void product_gradient(const double *a, const double *b, const double *dy, double *da,
                             double *db, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        da[i] = dy[i] * b[i];
        db[i] = dy[i] * a[i];
    }
}

static void sine(const double *x, double *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = sin(x[i]);
}

static gt_Status sine_rule(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), gt_cos(gt_rule_input(rule, 0))));
}

static int refuse(const float *x, float *y, size_t n)
{
    (void)y;
    return n > 0 && x[0] < 0 ? 7 : 0;
}

static gt_Status refuse_status(const float *x, float *y, size_t n)
{
    (void)y;
    if (n > 0 && x[0] < 0)
        return gt_fail(GT_NUMERIC, "x is negative");
    return n > 1 ? GT_IO : GT_OK;
}

/* All kinds of numbers, in an order that mixes registers. */
static void mixed(int a, const uint8_t *x, float b, int64_t c, int32_t *y, bool d, unsigned e,
                  double f, size_t n, const int64_t *z, const bool *q, long g)
{
    for (size_t i = 0; i < n; i++)
        y[i] = (int32_t)(a + 10 * (double)b + 100 * (double)c + 1000 * d + 10000 * (double)e +
                         100000 * f + x[i] + (double)z[i] + q[i] + 1e6 * (double)g);
}

static gt_Status twice_as_long(gt_ShapeRule *rule)
{
    if (rule->input[0]->dims[0] > 5)
        return gt_fail(GT_INVALID, "too long for two");
    rule->output[0].rank = 1;
    rule->output[0].dims[0] = 2 * rule->input[0]->dims[0];
    return GT_OK;
}

static void doubled(const float *x, size_t n, float *y, size_t m)
{
    for (size_t i = 0; i < m; i++)
        y[i] = x[i % n];
}

static void count_up(float y[3])
{
    for (int i = 0; i < 3; i++)
        y[i] = (float)i;
}

static int odd_type(const char *text)
{
    return text != NULL;
}

static double minus_sine(double x)
{
    return -sin(x);
}

static double hypotenuse_a(double a, double b)
{
    return a / hypot(a, b);
}

static double hypotenuse_b(double a, double b)
{
    return b / hypot(a, b);
}

static float half(float x)
{
    return x / 2;
}

static gt_Status sine_of_libm_rule(gt_GradientRule *rule)
{
    gt_Tensor *x = gt_rule_input(rule, 0);
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), gt_cos(x)));
}

#define ROWS_SIGNATURE                                                                             \
    "double row_powers(int rows, int columns, const double x[rows][columns], double y[rows], "     \
    "int power);"
#define ROWS_GRADIENT                                                                              \
    "int (const double *x, const double *dy, const double *dresult, double *dx, int power, "       \
    "int64_t rows, size_t columns)"

/* ---- gradients ---- */

typedef struct Case {
    const gt_Operation *operation;
    gt_Numbers numbers;
    int inputs;
    gt_Shape shape[2];
    double data[2][8];
    bool second; /* has a second derivative */
} Case;

/* sum over outputs of sum(output * weights), and its gradients; `second`: of their weighted sum. */
static double evaluate(const Case *c, bool slopes, double gradient[2][8])
{
    gt_Tape *outer = gt_tape_begin(), *tape = gt_tape_begin();
    gt_Tensor *in[2] = {NULL}, *out[GT_MAX_OUTPUTS] = {NULL}, *g[2] = {NULL}, *loss = NULL;
    for (int i = 0; i < c->inputs; i++) {
        in[i] = gt_from_data(c->data[i], c->shape[i], GT_FLOAT64);
        gt_watch(outer, in[i]);
        gt_watch(tape, in[i]);
    }
    gt_foreign_outputs(c->operation, ((gt_Tensors){in, c->inputs}), out, .numbers = c->numbers);
    assert_ok();
    for (int k = 0; k < c->operation->outputs; k++) {
        gt_Tensor *weight = gt_add(gt_cos(gt_full_like(out[k], 0.3 * k)), 0.5);
        gt_Tensor *part = gt_sum(gt_multiply(gt_square(out[k]), weight));
        loss = loss ? gt_add(loss, part) : part;
    }
    double value = gt_item(loss);
    if (gradient || slopes) {
        gt_gradients(tape, gt_tensors(loss), ((gt_Tensors){in, c->inputs}), g);
        assert_ok();
    }
    gt_tape_end(tape);
    if (slopes) {
        loss = NULL;
        for (int i = 0; i < c->inputs; i++)
            loss = loss ? gt_add(loss, gt_sum(gt_square(g[i]))) : gt_sum(gt_square(g[i]));
        value = gt_item(loss);
        if (gradient)
            gt_gradients(outer, gt_tensors(loss), ((gt_Tensors){in, c->inputs}), g);
    }
    assert_ok();
    for (int i = 0; gradient && i < c->inputs; i++)
        memcpy(gradient[i], gt_float64_data(g[i]), (size_t)gt_size(in[i]) * sizeof(double));
    gt_tape_end(outer);
    return value;
}

static void check_gradients(Case c, const char *what)
{
    const double h = 1e-5;
    for (int order = 1; order <= 1 + c.second; order++) {
        double rule[2][8];
        evaluate(&c, order == 2, rule);
        for (int i = 0; i < c.inputs; i++)
            for (int64_t k = 0; k < (c.shape[i].rank == 2 ? c.shape[i].dims[0] * c.shape[i].dims[1]
                                                          : gt_dim(c.shape[i], 0));
                 k++) {
                double at = c.data[i][k];
                c.data[i][k] = at + h;
                double up = evaluate(&c, order == 2, NULL);
                c.data[i][k] = at - h;
                double down = evaluate(&c, order == 2, NULL);
                c.data[i][k] = at;
                double slope = (up - down) / (2 * h);
                cr_assert(fabs(slope - rule[i][k]) <= 1e-6 * fmax(1, fabs(slope)),
                          "%s, order %d, input %d at %d: %.12g, differences %.12g", what, order, i,
                          (int)k, rule[i][k], slope);
            }
    }
}

Test(foreign, gradients)
{
    const gt_Operation *scaled = gt_foreign_operation("scale", .function = GT_FUNCTION(scale),
                                                      .gradient = GT_FUNCTION(scale_gradient));
    const gt_Operation *rows =
        gt_foreign_operation("row_powers", .function = GT_FUNCTION(row_powers, ROWS_SIGNATURE),
                             .gradient = GT_FUNCTION(row_powers_gradient, ROWS_GRADIENT));
    const gt_Operation *sum = gt_foreign_operation("total", .function = GT_FUNCTION(total),
                                                   .gradient = GT_FUNCTION(total_gradient));
    const gt_Operation *times = gt_foreign_operation("product", .function = GT_FUNCTION(product),
                                                     .gradient = GT_FUNCTION(product_gradient));
    const gt_Operation *wave =
        gt_foreign_operation("sine", .function = GT_FUNCTION(sine), .rule = sine_rule);
    const gt_Operation *cosine =
        gt_elementwise_operation("libm_cos", .f64 = cos, .derivative = minus_sine);
    const gt_Operation *libm =
        gt_elementwise_operation("libm_sin", .f64 = sin, .rule = sine_of_libm_rule);
    const gt_Operation *hypotenuse = gt_elementwise_operation(
        "libm_hypot", .f64_2 = hypot, .derivative_a = hypotenuse_a, .derivative_b = hypotenuse_b);
    assert_ok();
    const Case cases[] = {
        {scaled, gt_numbers(2.5), 1, {gt_shape(3)}, {{1, -2, 0.5}}, false},
        {rows, gt_numbers(3), 1, {gt_shape(2, 3)}, {{1, -2, 0.5, 0.7, 1.2, -0.3}}, false},
        {sum, gt_numbers(), 1, {gt_shape(2, 2)}, {{1, -2, 0.5, 0.1}}, false},
        {times, gt_numbers(), 2, {gt_shape(3), gt_shape(3)}, {{1, 2, 3}, {0.5, -1, 2}}, false},
        {wave, gt_numbers(), 1, {gt_shape(2, 2)}, {{1, -2, 0.5, 0.1}}, true},
        {cosine, gt_numbers(), 1, {gt_shape(4)}, {{1, -2, 0.5, 0.1}}, false},
        {libm, gt_numbers(), 1, {gt_shape(4)}, {{1, -2, 0.5, 0.1}}, true},
        {hypotenuse,
         gt_numbers(),
         2,
         {gt_shape(2, 3), gt_shape(3)},
         {{1, -2, 0.5, 0.1, 2, 3}, {1, 2, -1}},
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_gradients(cases[i], cases[i].operation->name);
    cr_assert(gt_operation_find("row_powers") == rows && gt_operation_find("row_powers_gradient") &&
              gt_operation_find("libm_cos_derivative") &&
              gt_operation_find("libm_hypot_derivative_b"));
    cr_assert(rows->saves_inputs == 1 && rows->saves_outputs == 0 && scaled->saves_inputs == 0);

    /* Only one of two outputs has a gradient; the values of both. */
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = gt_array64(gt_shape(2, 2), 1, 2, 3, 4), *out[2];
    gt_watch(tape, x);
    gt_foreign_outputs(rows, gt_tensors(x), out, .numbers = gt_numbers(2));
    cr_assert(gt_element(out[0], 0) == 5 && gt_element(out[0], 1) == 25 && gt_item(out[1]) == 30);
    gt_Tensor *g = gt_gradient(tape, out[1], x);
    assert_ok();
    for (int i = 0; i < 4; i++)
        cr_assert(gt_element(g, i) == 2 * (i + 1));
    gt_tape_end(tape);

    /* The gradient function has no gradient and says so; nor has one without derivatives. */
    gt_Tape *outer = gt_tape_begin();
    tape = gt_tape_begin();
    gt_Variable *v = gt_variable(gt_array64(gt_shape(2), 1, 2));
    g = gt_gradient(tape, gt_sum(gt_foreign(times, gt_tensors(v, v))), v);
    gt_tape_end(tape);
    gt_gradient(outer, gt_sum(g), v);
    assert_fails(GT_NO_GRADIENT, "rule", "second order of a gradient function");
    gt_tape_end(outer);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- in a plan ---- */

typedef struct Step {
    const gt_Operation *rows, *cosine;
    gt_Variable *w;
} Step;

static gt_Status descend(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const Step *step = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_foreign(step->rows, gt_tensors(gt_multiply(step->w, inputs[0])),
                              .numbers = gt_numbers(2));
    gt_Tensor *loss = gt_sum(gt_foreign(step->cosine, gt_tensors(y)));
    gt_Tensor *g = gt_gradient(tape, loss, step->w);
    gt_assign_sub(step->w, gt_multiply(g, 0.1));
    outputs[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

Test(foreign, plans)
{
    Step step;
    step.rows =
        gt_foreign_operation("row_powers", .function = GT_FUNCTION(row_powers, ROWS_SIGNATURE),
                             .gradient = GT_FUNCTION(row_powers_gradient, ROWS_GRADIENT));
    step.cosine = gt_elementwise_operation("libm_cos", .f64 = cos, .derivative = minus_sine);
    double losses[2][4];
    for (int planned = 0; planned < 2; planned++) {
        step.w = gt_variable(gt_array64(gt_shape(2, 3), 1, 2, 3, 0.4, 0.5, 0.6));
        gt_Function *function = gt_function(descend, &step, .outputs = 1);
        for (int i = 0; i < 4; i++) {
            gt_Scope *scope = gt_scope_begin();
            gt_Tensor *x = gt_array64(gt_shape(2, 3), 0.1, -0.2, 0.3, 1, 0.5, 0.2), *loss;
            if (planned)
                gt_function_call(function, gt_tensors(x), &loss);
            else
                descend(&step, (gt_Tensor *[]){x}, &loss);
            losses[planned][i] = gt_item(loss);
            assert_ok();
            gt_scope_end(scope);
        }
        cr_assert(gt_function_stats(function).runs == (planned ? 4 : 0));
    }
    cr_assert(memcmp(losses[0], losses[1], sizeof losses[0]) == 0);
    cr_assert(losses[0][3] < losses[0][0]);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- what is passed, and what is refused ---- */

Test(foreign, calls)
{
    const char *signature =
        "int a, const uint8_t *x, float b, int64_t c, int32_t *y, bool d, "
        "unsigned e, double f, size_t n, const int64_t *z, const bool *q, long g";
    const gt_Operation *all =
        gt_foreign_operation("mixed", .function = GT_FUNCTION(mixed, signature));
    gt_Tensor *x = gt_from_values_at(NULL, gt_shape(2), GT_UINT8, 2, (double[]){1, 2});
    gt_Tensor *z = gt_from_values_at(NULL, gt_shape(2), GT_INT64, 2, (double[]){3, -4});
    gt_Tensor *q = gt_from_values_at(NULL, gt_shape(2), GT_BOOL, 2, (double[]){0, 1});
    gt_Tensor *y = gt_foreign(all, gt_tensors(x, z, q), .numbers = gt_numbers(1, 2, 3, 1, 5, 6, 7));
    assert_ok();
    double base = 1 + 20 + 300 + 1000 + 50000 + 600000 + 7000000;
    cr_assert(gt_element(y, 0) == base + 4 && gt_element(y, 1) == base + 2 - 4 + 1);
    static const struct {
        double numbers[7];
        const char *words;
    } wrong[] = {
        {{1.5, 2, 3, 1, 5, 6, 7}, "number 1, a"},   {{3e9, 2, 3, 1, 5, 6, 7}, "number 1, a"},
        {{1, 1e300, 3, 1, 5, 6, 7}, "number 2, b"}, {{1, 2, 1e30, 1, 5, 6, 7}, "number 3, c"},
        {{1, 2, 3, 2, 5, 6, 7}, "number 4, d"},     {{1, 2, 3, 1, -5, 6, 7}, "number 5, e"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gt_foreign(all, gt_tensors(x, z, q), .numbers = gt_numbers_of(7, wrong[i].numbers));
        assert_fails(GT_INVALID, wrong[i].words, wrong[i].words);
    }
    gt_foreign(all, gt_tensors(x, z, q), .numbers = gt_numbers(1));
    assert_fails(GT_INVALID, "7 numbers (got 1)", "too few numbers");
    gt_foreign(all, gt_tensors(x, z, q), .numbers = gt_numbers(1, 2, 3, 4, 5, 6, 7, 8, 9));
    assert_fails(GT_INVALID, "7 numbers (got 9)", "too many numbers");
    gt_foreign(all, gt_tensors(z, z, q), .numbers = gt_numbers(1, 2, 3, 1, 5, 6, 7));
    assert_fails(GT_INVALID, "x must be uint8 (got int64)", "a wrong type");
    gt_foreign(all, gt_tensors(x), .numbers = gt_numbers(1, 2, 3, 1, 5, 6, 7));
    assert_fails(GT_INVALID, "1 inputs", "too few inputs");
    gt_foreign(all, gt_tensors(x, NULL, q), .numbers = gt_numbers(1, 2, 3, 1, 5, 6, 7));
    assert_fails(GT_INVALID, "NULL", "a NULL input");
    gt_foreign(NULL, gt_tensors(x));
    assert_fails(GT_INVALID, "operation is NULL", "no operation");
    gt_foreign_outputs(all, gt_tensors(x), NULL);
    assert_fails(GT_INVALID, "NULL", "no outputs");

    const gt_Operation *rows =
        gt_foreign_operation("row_powers", .function = GT_FUNCTION(row_powers, ROWS_SIGNATURE));
    gt_foreign(rows, gt_tensors(gt_array64(gt_shape(2), 1, 2)), .numbers = gt_numbers(2));
    assert_fails(GT_INVALID, "row_powers: x must have 2 axes by the signature (got shape (2,))", "a wrong rank");
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *w = gt_array64(gt_shape(1, 2), 1, 2);
    gt_watch(tape, w);
    gt_gradient(tape, gt_sum(gt_foreign(rows, gt_tensors(w), .numbers = gt_numbers(2))), w);
    assert_fails(GT_NO_GRADIENT, "without a gradient", "no gradient");
    gt_tape_end(tape);

    /* Errors of the function; sizes of 0; shapes of one's own; no inputs at all. */
    const gt_Operation *refusing = gt_foreign_operation("refuse", .function = GT_FUNCTION(refuse));
    gt_foreign(refusing, gt_tensors(gt_array(gt_shape(1), -1)));
    assert_fails(GT_INVALID, "refuse: the function returned 7", "int");
    y = gt_foreign(refusing, gt_tensors(gt_zeros(gt_shape(0, 3))));
    cr_assert(gt_size(y) == 0 && gt_rank(y) == 2);
    const gt_Operation *status = gt_foreign_operation(
        "refuse_status",
        .function = GT_FUNCTION(refuse_status, "gt_Status (const float *, float *, size_t)"));
    gt_foreign(status, gt_tensors(gt_array(gt_shape(1), -1)));
    assert_fails(GT_NUMERIC, "x is negative", "gt_fail");
    gt_foreign(status, gt_tensors(gt_array(gt_shape(2), 1, 1)));
    assert_fails(GT_IO, "refuse_status", "gt_Status");
    const gt_Operation *longer = gt_foreign_operation(
        "doubled", .shape = twice_as_long,
        .function = GT_FUNCTION(doubled, "const float x[n], size_t n, float y[m], size_t m"));
    y = gt_foreign(longer, gt_tensors(gt_array(gt_shape(2), 1, 2)));
    cr_assert(gt_size(y) == 4 && gt_element(y, 3) == 2, "%s", gt_error_message());
    gt_foreign(longer, gt_tensors(gt_array(gt_shape(2, 1), 1, 2)));
    assert_fails(GT_INVALID, "(got shape (2, 1))", "a wrong rank");
    gt_foreign(longer, gt_tensors(gt_zeros(gt_shape(6))));
    assert_fails(GT_INVALID, "too long for two", "the shape rule");
    const gt_Operation *source =
        gt_foreign_operation("count_up", .function = GT_FUNCTION(count_up, "float y[3]"));
    y = gt_foreign(source, (gt_Tensors){0});
    cr_assert(gt_element(y, 2) == 2, "%s", gt_error_message());

    /* Mapped functions. */
    const gt_Operation *single = gt_elementwise_operation("half", .f32 = half);
    y = gt_foreign(single, gt_tensors(gt_array(gt_shape(2), 3, 5)));
    cr_assert(gt_element(y, 1) == 2.5);
    gt_foreign(single, gt_tensors(gt_array64(gt_shape(2), 3, 5)));
    assert_fails(GT_INVALID, "no f64", "float64 without f64");
    gt_foreign(single, gt_tensors(x));
    assert_fails(GT_INVALID, "uint8", "whole numbers");
    gt_foreign(single, gt_tensors(gt_array(gt_shape(1), 3)), .numbers = gt_numbers(1));
    assert_fails(GT_INVALID, "no numbers", "numbers");
    const gt_Operation *sine_op = gt_elementwise_operation("libm_sin", .f64 = sin);
    gt_set_threads(3);
    y = gt_foreign(sine_op, gt_tensors(gt_full(gt_shape(100, 1000), 0.5)));
    cr_assert(gt_element(y, 99999) == (double)(float)sin(0.5));
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(foreign, refusals)
{
    static const struct {
        const char *signature, *words;
    } malformed[] = {
        {"", "expected a type"},
        {"()", "expected a type"},
        {"(", "expected a type"},
        {"void", "a type that only a result"},
        {"void f(void)", "a type that only a result"},
        {"const float *x", "expected an output"},
        {"const float *x, float y", "expected an output"},
        {"const float *x, float *y,", "expected a type"},
        {"const float *x float *y", "unexpected \"float\""},
        {"const float *x, , float *y", "expected a type"},
        {"const float **x, float *y", "a pointer to a pointer"},
        {"const float *x[3], float *y", "array of pointers"},
        {"const flaot *x, float *y", "unknown type \"flaot\""},
        {"const char *x, float *y", "unknown type \"char\""},
        {"const unsigned *x, float *y", "an array of a type"},
        {"const size_t *x, float *y", "an array of a type"},
        {"const void *x, float *y", "an array of a type"},
        {"const float *x, float *x", "(two are x)"},
        {"const float x[n], float *y", "\"n\" stands in brackets and must be a parameter"},
        {"const float x[n], float *y, double n", "n stands in brackets and must be an integer"},
        {"const float x[], float *y", "between brackets"},
        {"const float x[-1], float *y", "between brackets"},
        {"const float x[3, float *y", "expected ']'"},
        {"const float x[3x], float *y", "(got \"3x\")"},
        {"const float x[99999999999], float *y", "between brackets"},
        {"const float x[1][1][1][1][1][1][1][1][1], float *y", "8 pairs of brackets"},
        {"const float *x, float y[n], size_t n", "no input says what \"n\" is"},
        {"float *y, size_t n", "nothing says what shape y has"},
        {"const float *x, float *y, size_t n, size_t m", "two sizes"},
        {"const float *x, float *y, ...", "expected a type"},
        {"float *f(const float *x, float *y)", "a pointer as the result"},
        {"int64_t f(const float *x, float *y)", "the result must be"},
        {"void f(const float *x, float *y", "unexpected \"end\""},
        {"void f(const float *x, float *y) {", "unexpected \"{\""},
        {"void f g(const float *x, float *y)", "expected '('"},
        {"const float *a_name_that_is_longer_than_it_may_be, float *y", "longer than"},
        {"const float *x, float *y, int (*f)(int)", "unexpected"},
        {"const float *x, float *y, uint8_t k", "a type that only a result"},
        {"const float *x, float *y, int a, int b, int c, int d, int e, int f, int g, int h, int i",
         "at most 8 numbers"},
        {"float *a, float *b, float *c, float *d, float *e, float *f, float *g, float *h, float *i",
         "at most 8 outputs"},
        {"int,int,int,int,int,int,int,int,int,int,int,int,int,int,int,int,int,int,int,int,int,int,"
         "int,int,int",
         "at most 24 parameters"},
        {"\xff\xfe", "expected a type"},
    };
    int64_t operations = 0;
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        const gt_Operation *op =
            gt_foreign_operation("bad", .function = GT_FUNCTION(odd_type, malformed[i].signature));
        cr_assert(!op, "\"%s\" was taken", malformed[i].signature);
        assert_fails(GT_INVALID, malformed[i].words, malformed[i].signature);
        operations += gt_operation_find("bad") != NULL;
    }
    cr_assert(operations == 0);

    static const struct {
        const char *signature, *words;
    } gradients[] = {
        {NULL, "needs a signature"},
        {"const double *", "without names"},
        {"const double *, const double *, const double *, const double *, double *",
         "without names"},
        {"const double *dz, double *dx, double factor", "dz of the gradient function is not"},
        {"const double *dy, double *dz, double factor", "dz of the gradient function is not"},
        {"const double *dy, double *x, double factor", "x of the gradient function is not"},
        {"const float *dy, double *dx, double factor", "another type"},
        {"const double *dy, float *dx", "another type"},
        {"const double *dy, double *dx, double speed", "the number speed"},
        {"const double *dy, double *dx, double, double", "the number left"},
        {"double f(const double *dy, double *dx)", "returns no number"},
        {"const double *dy", "expected an output"},
    };
    for (size_t i = 0; i < sizeof gradients / sizeof *gradients; i++) {
        gt_foreign_operation("bad", .function = GT_FUNCTION(scale),
                             .gradient = GT_FUNCTION(odd_type, gradients[i].signature));
        assert_fails(GT_INVALID, gradients[i].words,
                     gradients[i].signature ? gradients[i].signature : "none");
        cr_assert(!gt_operation_find("bad") && !gt_operation_find("bad_gradient"));
    }

    static const char *const names[] = {
        NULL,
        "",
        "a b",
        "1a",
        "a/b",
        "add",
        "a_name_that_is_much_longer_than_any_operation_ought_to_have"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        gt_foreign_operation_at(
            NULL, names[i],
            &(gt_foreign_operation_options){.size = GT_SIZE(gt_foreign_operation_options),
                                            .function = GT_FUNCTION(scale)});
        assert_fails(GT_INVALID, i == 5 ? "taken" : "must be letters",
                     names[i] ? names[i] : "NULL");
    }
    gt_foreign_operation("bad", .function = GT_FUNCTION(odd_type));
    assert_fails(GT_INVALID, "needs a signature", "an unusual type");
    gt_foreign_operation("bad");
    assert_fails(GT_INVALID, "needs a signature", "nothing");
    gt_foreign_operation("bad", .function = gt_c_function(NULL, "const float *x, float *y", NULL));
    assert_fails(GT_INVALID, "the function is NULL", "NULL");
    gt_foreign_operation("twice", .function = GT_FUNCTION(scale));
    gt_foreign_operation("twice", .function = GT_FUNCTION(scale));
    assert_fails(GT_INVALID, "\"twice\" is taken", "a name twice");
    gt_elementwise_operation("bad");
    assert_fails(GT_INVALID, "give one function", "no function");
    gt_elementwise_operation("bad", .f64 = sin, .f64_2 = hypot);
    assert_fails(GT_INVALID, "give one function", "two functions");
    gt_elementwise_operation("bad", .f64 = sin, .derivative_a = hypot);
    assert_fails(GT_INVALID, "belongs", "derivative of another kind");
    gt_elementwise_operation("bad", .f64 = sin, .derivative = cos, .rule = sine_rule);
    assert_fails(GT_INVALID, "not both", "derivative and rule");
    gt_elementwise_operation("twice", .f64 = sin, .derivative = cos);
    assert_fails(GT_INVALID, "\"twice\" is taken", "a mapped function's name");

    gt_foreign_operation("bad", .library = "/no/such/library.so",
                         .function = GT_SYMBOL("f", "const float *x, float *y"));
    assert_fails(GT_IO, "/no/such/library.so", "no library");
    gt_foreign_operation("bad", .function = GT_SYMBOL("f", "const float *x, float *y"));
    assert_fails(GT_INVALID, ".library", "a symbol of no library");
    const char *library = getenv("GT_TEST_LIBRARY");
    if (library) {
        gt_foreign_operation("bad", .library = library,
                             .function = gt_c_symbol("nothing", "const float *x, float *y"));
        assert_fails(GT_IO, "no function nothing", "no symbol");
        const gt_Operation *cube = gt_foreign_operation(
            "cube", .library = library,
            .function = GT_SYMBOL("cube", "const double *x, double *y, size_t n"),
            .gradient = GT_SYMBOL("cube_slope", "const double *x, const double *dy, double *dx, "
                                                "size_t n"));
        assert_ok();
        check_gradients((Case){cube, gt_numbers(), 1, {gt_shape(3)}, {{1, -2, 0.5}}, false},
                        "cube");
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- layers as functions ---- */

typedef struct Gain {
    gt_Layer base;
    gt_Variable *gain;
} Gain;

static bool gain_trained;

static gt_Status gain_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)in;
    ((Gain *)layer)->gain = gt_add_weight(layer, "gain", gt_shape(1), .initializer = gt_Ones());
    return gt_status();
}

static gt_Tensor *gain_call(gt_Layer *layer, const gt_CallArgs *in)
{
    gain_trained = in->training;
    return gt_multiply(in->x, ((Gain *)layer)->gain);
}

static const gt_LayerClass gain_class = {.size = sizeof(gt_LayerClass),
                                         .name = "gain",
                                         .instance = sizeof(Gain),
                                         .build = gain_build,
                                         .call = gain_call};

static gt_Tensor *twice(gt_Callable f, gt_Tensor *x)
{
    return f(f(x));
}

Test(foreign, callables)
{
    gt_Layer *layer = gt_Dense(3, .kernel_initializer = gt_Ones());
    gt_Callable dense = gt_callable(layer);
    assert_ok();
    cr_assert(dense && gt_callable(layer) == dense);
    gt_Tensor *x = gt_array(gt_shape(1, 3), 1, 2, 3);
    cr_assert(gt_element(dense(x), 2) == 6 && gt_element(twice(dense, x), 0) == 18);
    gt_Layer *other = gt_Dense(1);
    cr_assert(gt_callable(other) != dense);

    /* Errors come back as from gt_call. */
    cr_assert(!dense(NULL));
    assert_fails(GT_INVALID, "NULL", "a NULL tensor");
    gt_callable(NULL);
    assert_fails(GT_INVALID, "layer is NULL", "a NULL layer");
    cr_assert(!dense(gt_array(gt_shape(3), 1, 2, 3)));
    gt_error_clear();

    /* After the layer is freed, and after its memory serves others. */
    gt_layer_free(layer);
    cr_assert(!dense(x));
    assert_fails(GT_STALE, "freed", "a freed layer");
    for (int i = 0; i < 5000; i++)
        gt_layer_free(gt_Dense(3));
    gt_Layer *later[8];
    for (int i = 0; i < 8; i++)
        gt_callable(later[i] = gt_Dense(3));
    cr_assert(!dense(x));
    assert_fails(GT_STALE, "freed", "a freed layer whose memory is used again");

    /* As an activation the layer becomes a child: trained, named, told about training. */
    gt_Layer *gain = gt_layer_new(&gain_class, &(Gain){.gain = NULL});
    gt_Layer *model = gt_Sequential(gt_Dense(2, .activation = gt_callable(gain)),
                                    gt_Activation(gt_callable(gain)));
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_sum(gt_call(model, x, .training = true));
    gt_Tensors variables = gt_trainable_variables(model);
    cr_assert(variables.count == 3 && gain_trained, "%d: %s", variables.count, gt_error_message());
    cr_assert_str_eq(gt_variable_path(model, ((Gain *)gain)->gain), "dense/gain/gain");
    cr_assert(gt_gradient(tape, loss, ((Gain *)gain)->gain));
    gt_tape_end(tape);
    assert_ok();
    gt_layer_free(model);
    cr_assert(!gt_Dense(2, .activation = dense));
    assert_fails(GT_STALE, "freed", "an activation that was freed");

    gt_Layer *third = gt_Dense(1);
    gt_Context *first = gt_context(), *second = gt_context_create();
    gt_context_use(second);
    cr_assert(!gt_callable(third));
    assert_fails(GT_STATE, "another context", "a layer of another context");
    gt_context_free(second);
    gt_context_use(first);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Layers of several inputs; a function of the wrong number of them is refused when it is made. */
Test(foreign, callables_of_several_inputs)
{
    gt_Tensor *x = gt_ones(gt_shape(2, 3)), *y = gt_full(gt_shape(2, 3), 2);
    gt_Layer *add = gt_Add(), *dense = gt_Dense(3), *attention = gt_Attention();
    gt_Callable2 plus = gt_callable2(add);
    gt_Callable3 plus3 = gt_callable3(add);
    cr_assert(plus && plus3 && gt_callable2(add) == plus && (void *)(uintptr_t)plus != (void *)(uintptr_t)plus3);
    cr_assert(gt_element(plus(x, y), 0) == 3 && gt_element(plus3(x, y, y), 5) == 5);
    /* A functional model, its inputs in order; a port that may be absent. */
    gt_Tensor *a = gt_Input(gt_shape(3)), *b = gt_Input(gt_shape(3));
    gt_Layer *model = gt_Model(gt_tensors(a, b), gt_tensors(gt_subtract(a, b), a));
    gt_Callable2 minus = gt_callable2(model);
    cr_assert(minus && gt_element(minus(x, y), 0) == -1, "%s", gt_error_message());
    gt_Tensor *q = gt_ones(gt_shape(1, 2, 3));
    gt_Callable3 attend = gt_callable3(attention);
    cr_assert(attend && attend(q, q, NULL) && gt_element(gt_callable2(attention)(q, q), 0) == 1, "%s", gt_error_message());
    assert_ok();
    cr_assert(!minus(x, NULL));
    assert_fails(GT_INVALID, "the input \"input_1\" is missing", "an input that is absent");
    cr_assert(!gt_callable(model));
    assert_fails(GT_INVALID, "layer functional needs 2 inputs, and the function would have 1: gt_callable2 makes one of two",
                 "one input");
    cr_assert(!gt_callable3(model));
    assert_fails(GT_INVALID, "layer functional accepts 2 inputs; a function of 3 cannot call it", "three inputs");
    cr_assert(!gt_callable2(dense));
    assert_fails(GT_INVALID, "layer dense accepts 1 input; a function of 2", "two inputs");
    cr_assert(!gt_callable2(NULL));
    assert_fails(GT_INVALID, "layer is NULL", "a NULL layer");
    /* None of them is an activation, nor is a layer that needs more. */
    cr_assert(!gt_Activation((gt_TensorFunction)(void (*)(void))plus));
    assert_fails(GT_INVALID, "an activation is a function of one tensor (got one of 2)", "an activation of two");
    gt_Layer *wrong = gt_Dense(3, .activation_layer = gt_Attention());
    gt_call(wrong, x);
    assert_fails(GT_INVALID, "the input \"value\" is missing", "a layer of two inputs as an activation");
    gt_layer_free(add);
    cr_assert(!plus(x, y) && strstr(gt_error_message(), "freed"));
    gt_error_clear();
    cr_assert(!plus3(x, y, y) && strstr(gt_error_message(), "freed"));
    gt_error_clear();
    gt_layer_free(dense), gt_layer_free(attention), gt_layer_free(model), gt_layer_free(wrong);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- memory that runs out ---- */

typedef struct Budget {
    int64_t left; /* allocations that still succeed */
} Budget;

static void *give(void *user, size_t size, size_t alignment)
{
    Budget *budget = user;
    void *memory = NULL;
    if (budget->left-- <= 0 || posix_memalign(&memory, alignment, size))
        return NULL;
    return memory;
}

static void take(void *user, void *memory, size_t size)
{
    (void)user;
    (void)size;
    free(memory);
}

static bool everything(void)
{
    const gt_Operation *rows =
        gt_foreign_operation("row_powers", .function = GT_FUNCTION(row_powers, ROWS_SIGNATURE),
                             .gradient = GT_FUNCTION(row_powers_gradient, ROWS_GRADIENT));
    const gt_Operation *hypotenuse = gt_elementwise_operation(
        "libm_hypot", .f64_2 = hypot, .derivative_a = hypotenuse_a, .derivative_b = hypotenuse_b);
    gt_Layer *layer = gt_Dense(2, .dtype = GT_FLOAT64);
    gt_Callable dense = gt_callable(layer);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = gt_array64(gt_shape(2, 3), 1, 2, 3, 4, 5, 6);
    gt_watch(tape, x);
    gt_Tensor *h = gt_foreign(hypotenuse, gt_tensors(x, x));
    gt_Tensor *y = gt_foreign(rows, gt_tensors(dense ? dense(h) : NULL), .numbers = gt_numbers(2));
    gt_Tensor *g = gt_gradient(tape, gt_sum(y), x);
    bool worked = g != NULL && gt_status() == GT_OK;
    gt_tape_end(tape);
    gt_layer_free(layer);
    return worked;
}

Test(foreign, memory)
{
    bool worked = false;
    for (int64_t budget = 0; !worked; budget++) {
        Budget memory = {budget};
        gt_Allocator allocator = {give, take, &memory};
        gt_Context *context = gt_context_create(.allocator = &allocator);
        if (!context)
            continue;
        gt_context_use(context);
        worked = everything();
        if (!worked) {
            cr_assert(gt_status() == GT_NO_MEMORY, "budget %d: %s", (int)budget,
                      gt_error_message());
            cr_assert(!gt_operation_find("row_powers") ==
                      !gt_operation_find("row_powers_gradient"));
            gt_error_clear();
            memory.left = 1 << 20;
            if (!gt_operation_find("row_powers") && !gt_operation_find("libm_hypot"))
                cr_assert(everything(), "budget %d, again: %s", (int)budget, gt_error_message());
        }
        cr_assert(budget < 10000);
        gt_context_free(context);
    }
    assert_no_leaks();
}
