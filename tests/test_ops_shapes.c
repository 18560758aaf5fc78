/* Reductions, shapes, parts and constants: values computed with NumPy 2.4, a naive reference over
 * every set of axes, conventions, error messages word for word. Gradients of every record are
 * checked in test_gradients.c; here are the conventions that random samples do not reach. */
#include <criterion/criterion.h>

#include "autodiff/gradient.h"
#include "core/context.h"
#include "leaks.h"
#include "ops/math/arithmetic.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/math/reduce.h"
#include "ops/array/reshaping.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int line, gt_Tensor *got, gt_DType dtype, gt_Shape shape, int64_t count,
                  const double *wanted)
{
    cr_assert_eq(gt_status(), GT_OK, "line %d: %s", line, gt_error_message());
    cr_assert_eq(gt_dtype(got), dtype, "line %d: type %s", line, gt_dtype_name(gt_dtype(got)));
    char text[160];
    cr_assert(gt_shape_equal(gt_tensor_shape(got), shape), "line %d: shape %s", line,
              gt_shape_text(gt_tensor_shape(got), text, sizeof text));
    cr_assert_eq(gt_size(got), count, "line %d", line);
    for (int64_t i = 0; i < count; i++) {
        double value = gt_element(got, i);
        bool same = isnan(wanted[i]) ? isnan(value)
                                     : value == wanted[i] ||
                                           fabs(value - wanted[i]) <= 1e-6 * (1 + fabs(wanted[i]));
        cr_assert(same, "line %d: element %d is %.9g, not %.9g", line, (int)i, value, wanted[i]);
    }
}
#define CHECK(got, dtype, shape, ...)                                                              \
    check(__LINE__, got, dtype, shape,                                                             \
          (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (double[]){__VA_ARGS__})
#define CHECK_EMPTY(got, dtype, shape) check(__LINE__, got, dtype, shape, 0, NULL)

/* The message is "file:line: " and what is given. (Which line of a call that spans several is the
 * compiler's choice.) */
static void check_error(int line, const char *message)
{
    char start[200];
    int at = 0;
    const char *got = gt_error_message();
    snprintf(start, sizeof start, "%s:", __FILE__);
    cr_assert_eq(gt_status(), GT_INVALID, "line %d: status %d", line, (int)gt_status());
    cr_assert_eq(strncmp(got, start, strlen(start)), 0, "line %d: %s", line, got);
    cr_assert_eq(sscanf(got + strlen(start), "%d: %n", &(int){0}, &at), 1, "line %d: %s", line,
                 got);
    cr_assert_str_eq(got + strlen(start) + at, message, "line %d: %s", line, got);
    gt_error_clear();
}
#define CHECK_ERROR(call, message)                                                                 \
    do {                                                                                           \
        cr_assert(!(call));                                                                        \
        check_error(__LINE__, message);                                                            \
    } while (0)

static gt_Tensor *counting(gt_Shape shape, gt_DType dtype)
{
    int64_t size = 1;
    for (int d = 0; d < shape.rank; d++)
        size *= shape.dims[d];
    return gt_reshape(gt_arange(0, (double)size, 1, .dtype = dtype), shape);
}

/* ---- reductions ---- */

Test(reduce, values_and_conventions)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_array(gt_shape(2, 3), 1, 2, 4, 3, 5, 9);
    CHECK(gt_sum(a), GT_FLOAT32, gt_shape(), 24);
    CHECK(gt_sum(a, .axis = 0), GT_FLOAT32, gt_shape(3), 4, 7, 13);
    CHECK(gt_sum(a, .axis = -1, .keepdims = true), GT_FLOAT32, gt_shape(2, 1), 7, 17);
    CHECK(gt_sum(a, .axes = gt_axes(0, -1), .keepdims = true), GT_FLOAT32, gt_shape(1, 1), 24);
    CHECK(gt_sum(a, .axes = gt_axes()), GT_FLOAT32, gt_shape(2, 3), 1, 2, 4, 3, 5, 9);
    CHECK(gt_mean(a, .axis = 0), GT_FLOAT32, gt_shape(3), 2, 3.5, 6.5);
    CHECK(gt_prod(a, .axis = 1), GT_FLOAT32, gt_shape(2), 8, 135);
    CHECK(gt_max(a, .axis = 0), GT_FLOAT32, gt_shape(3), 3, 5, 9);
    CHECK((gt_min)(a), GT_FLOAT32, gt_shape(), 1);
    CHECK(gt_variance(a, .axis = 1), GT_FLOAT32, gt_shape(2), 1.55555556, 6.22222222);
    CHECK(gt_variance(a), GT_FLOAT32, gt_shape(), 6.66666667);
    CHECK(gt_std(a), GT_FLOAT32, gt_shape(), 2.58198890);
    CHECK(gt_logsumexp(a, .axis = 0), GT_FLOAT32, gt_shape(3), 3.12692801, 5.04858735, 9.00671535);
    CHECK(gt_logsumexp(a, .axis = 1, .keepdims = true), GT_FLOAT32, gt_shape(2, 1), 4.16984602,
          9.02058114);
    CHECK(gt_logsumexp(a), GT_FLOAT32, gt_shape(), 9.02837333);
    CHECK(gt_logsumexp(gt_array(gt_shape(2, 2), -INFINITY, -INFINITY, 1000, 1000), .axis = 1),
          GT_FLOAT32, gt_shape(2), -INFINITY, 1000.69315);
    CHECK(gt_sum(gt_scalar(3, GT_FLOAT64)), GT_FLOAT64, gt_shape(), 3);

    /* types (contract 4.4) */
    gt_Tensor *bytes = gt_full(gt_shape(300), 2, .dtype = GT_UINT8);
    CHECK(gt_sum(bytes), GT_INT32, gt_shape(), 600);
    CHECK(gt_mean(bytes), GT_FLOAT32, gt_shape(), 2);
    CHECK(gt_max(bytes), GT_UINT8, gt_shape(), 2);
    CHECK(gt_sum(gt_ones(gt_shape(2, 3), .dtype = GT_BOOL), .axis = 0), GT_INT32, gt_shape(3), 2, 2,
          2);
    CHECK(gt_sum(counting(gt_shape(2, 3), GT_INT64), .axis = 1), GT_INT64, gt_shape(2), 3, 12);
    CHECK(gt_prod(counting(gt_shape(2, 2), GT_INT32), .axis = 1), GT_INT32, gt_shape(2), 0, 6);
    gt_Tensor *flags = gt_from_values_at(NULL, gt_shape(2, 2), GT_BOOL, 4, (double[]){1, 0, 1, 1});
    CHECK(gt_all(flags, .axis = 1), GT_BOOL, gt_shape(2), 0, 1);
    CHECK(gt_any(flags), GT_BOOL, gt_shape(), 1);
    CHECK(gt_all(gt_array(gt_shape(2), 0.5, -1)), GT_BOOL, gt_shape(), 1);
    CHECK(gt_count_nonzero(gt_array(gt_shape(2, 2), 0, 3, 0.25, -1), .axis = 1), GT_INT32,
          gt_shape(2), 1, 2);

    /* NaN wins; nothing at all */
    gt_Tensor *nan = gt_array(gt_shape(3), 1, NAN, 3);
    CHECK(gt_max(nan), GT_FLOAT32, gt_shape(), NAN);
    CHECK(gt_argmax(nan), GT_INT32, gt_shape(), 1);
    gt_Tensor *none = gt_zeros(gt_shape(2, 0));
    CHECK(gt_sum(none, .axis = 1), GT_FLOAT32, gt_shape(2), 0, 0);
    CHECK(gt_prod(none, .axis = 1), GT_FLOAT32, gt_shape(2), 1, 1);
    CHECK(gt_mean(none), GT_FLOAT32, gt_shape(), NAN);
    CHECK(gt_logsumexp(none, .axis = 1), GT_FLOAT32, gt_shape(2), -INFINITY, -INFINITY);
    CHECK(gt_all(gt_zeros(gt_shape(0), .dtype = GT_BOOL)), GT_BOOL, gt_shape(), 1);
    CHECK(gt_any(gt_zeros(gt_shape(0), .dtype = GT_BOOL)), GT_BOOL, gt_shape(), 0);
    CHECK_EMPTY(gt_sum(none, .axis = 0), GT_FLOAT32, gt_shape(0));
    CHECK_EMPTY(gt_max(none, .axis = 0), GT_FLOAT32, gt_shape(0));
    CHECK_EMPTY(gt_cumsum(none, .axis = 1), GT_FLOAT32, gt_shape(2, 0));

    /* positions: the first of equal ones */
    gt_Tensor *b = gt_array(gt_shape(2, 3), 1, 7, 7, 9, 0, 7);
    CHECK(gt_argmax(b), GT_INT32, gt_shape(), 3);
    CHECK(gt_argmax(b, .axis = 1), GT_INT32, gt_shape(2), 1, 0);
    CHECK(gt_argmax(b, .axis = 0, .keepdims = true), GT_INT32, gt_shape(1, 3), 1, 0, 0);
    CHECK(gt_argmin(b, .axis = -1), GT_INT32, gt_shape(2), 0, 1);
    CHECK(gt_argmax(flags, .axis = 0), GT_INT32, gt_shape(2), 0, 1);
    static float rows[5][9000];
    rows[0][4095] = rows[0][4096] = rows[0][8999] = 2;
    rows[1][4096] = rows[1][8191] = 2;
    rows[2][8999] = 2;
    rows[3][1] = INFINITY, rows[3][5000] = rows[3][8999] = NAN;
    for (int i = 0; i < 9000; i++)
        rows[4][i] = -INFINITY;
    gt_Tensor *long_rows = gt_from_data(rows, gt_shape(5, 9000), GT_FLOAT32);
    CHECK(gt_argmax(long_rows, .axis = 1), GT_INT32, gt_shape(5), 4095, 4096, 8999, 5000, 0);
    CHECK(gt_argmin(gt_negative(long_rows), .axis = 1), GT_INT32, gt_shape(5), 4095, 4096, 8999,
          5000, 0);
    CHECK(gt_argmax(gt_swapaxes(counting(gt_shape(3, 100), GT_INT64), 0, 1), .axis = 0,
                    .keepdims = 1),
          GT_INT32, gt_shape(1, 3), 99, 99, 99);

    /* running */
    CHECK(gt_cumsum(a), GT_FLOAT32, gt_shape(6), 1, 3, 7, 10, 15, 24);
    CHECK(gt_cumprod(a, .axis = 1), GT_FLOAT32, gt_shape(2, 3), 1, 2, 8, 3, 15, 135);
    CHECK(gt_cumsum(a, .axis = 0, .reverse = true), GT_FLOAT32, gt_shape(2, 3), 4, 7, 13, 3, 5, 9);
    CHECK(gt_cumsum(a, .axis = -1, .exclusive = true), GT_FLOAT32, gt_shape(2, 3), 0, 1, 3, 0, 3,
          8);
    CHECK(gt_cumprod(a, .axis = 1, .exclusive = true, .reverse = true), GT_FLOAT32, gt_shape(2, 3),
          8, 4, 1, 45, 9, 1);
    CHECK(gt_slice(gt_cumsum(bytes), gt_shape(297), gt_shape(3)), GT_INT32, gt_shape(3), 596, 598,
          600);
    gt_scope_end(scope);
    assert_no_leaks();
}

/* Every set of axes of a shape, against adding one number after the other. The numbers are whole,
 * so that every order gives the same sum. */
static void check_all_axes(gt_Shape shape, gt_DType dtype)
{
    gt_Scope *scope = gt_scope_begin();
    int64_t size = 1;
    for (int d = 0; d < shape.rank; d++)
        size *= shape.dims[d];
    double *numbers = malloc((size_t)size * sizeof *numbers);
    for (int64_t i = 0; i < size; i++)
        numbers[i] = (double)((i * 7919 + 13) % 201 - 100);
    gt_Tensor *x = gt_from_values_at(NULL, shape, dtype, size, numbers);
    for (unsigned bits = 0; bits < 1u << shape.rank; bits++) {
        gt_Axes axes = gt_axes();
        int64_t outputs = 1, weight[GT_MAX_RANK] = {0};
        for (int d = shape.rank - 1; d >= 0; d--) {
            if (bits >> d & 1) {
                axes.axis[axes.count++] = d;
            } else {
                weight[d] = outputs;
                outputs *= shape.dims[d];
            }
        }
        double *sum = calloc((size_t)outputs, sizeof *sum);
        double *most = malloc((size_t)outputs * sizeof *most);
        for (int64_t i = 0; i < outputs; i++)
            most[i] = -1000;
        for (int64_t i = 0; i < size; i++) {
            int64_t rest = i, at = 0;
            for (int d = shape.rank - 1; d >= 0; d--) {
                at += rest % shape.dims[d] * weight[d];
                rest /= shape.dims[d];
            }
            sum[at] += numbers[i];
            most[at] = numbers[i] > most[at] ? numbers[i] : most[at];
        }
        gt_Tensor *got = gt_sum(x, .axes = axes), *largest = gt_max(x, .axes = axes);
        cr_assert_eq(gt_size(got), outputs, "axes %x: %s", bits, gt_error_message());
        for (int64_t i = 0; i < outputs; i++) {
            cr_assert_eq(gt_element(got, i), sum[i],
                         "sum over axes %x: element %d of %d: %g, not %g", bits, (int)i, (int)size,
                         gt_element(got, i), sum[i]);
            cr_assert_eq(gt_element(largest, i), most[i], "max over axes %x: element %d", bits,
                         (int)i);
        }
        free(sum);
        free(most);
    }
    free(numbers);
    gt_scope_end(scope);
}

Test(reduce, every_set_of_axes)
{
    check_all_axes(gt_shape(3, 4, 5, 6), GT_FLOAT32);
    check_all_axes(gt_shape(2, 3, 1, 2, 3, 2, 1, 2), GT_FLOAT64);
    check_all_axes(gt_shape(2, 3, 4), GT_INT32);
    check_all_axes(gt_shape(7, 300, 131), GT_INT64);
    check_all_axes(gt_shape(600, 2, 400), GT_FLOAT32);
    check_all_axes(gt_shape(3, 100003), GT_FLOAT64);
    check_all_axes(gt_shape(100003, 3), GT_FLOAT32);
    assert_no_leaks();
}

/* The same bits for any number of threads. */
Test(reduce, bits_do_not_depend_on_threads)
{
    const gt_Shape shapes[] = {gt_shape(1000003), gt_shape(200000, 7), gt_shape(60, 50, 60, 5)};
    for (int k = 0; k < 3; k++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_reciprocal(gt_add(counting(shapes[k], GT_FLOAT32), 1));
        gt_sum_options all = {
            .size = GT_SIZE(gt_sum_options), .axis = GT_NONE, .axes = GT_ALL_AXES};
        for (int form = 0; form < 2; form++) {
            if (form)
                all.axes = k == 2 ? gt_axes(0, 2) : gt_axes(0);
            gt_Tensor *one = gt_mean_at(NULL, x, &all), *ones = gt_cumsum(x, .axis = 0);
            cr_assert_eq(gt_set_threads(5), GT_OK);
            gt_Tensor *five = gt_mean_at(NULL, x, &all), *fives = gt_cumsum(x, .axis = 0);
            cr_assert_eq(gt_set_threads(1), GT_OK);
            cr_assert_arr_eq(gt_data(one), gt_data(five), (size_t)gt_size(one) * sizeof(float));
            cr_assert_arr_eq(gt_data(ones), gt_data(fives), (size_t)gt_size(ones) * sizeof(float));
        }
        gt_scope_end(scope);
    }
}

Test(reduce, gradient_conventions)
{
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *x = gt_array64(gt_shape(2, 3), 5, 1, 5, 0, 2, 3);
    gt_watch(tape, x);
    /* equal ones share */
    gt_Tensor *most = gt_max(x, .axis = 1);
    CHECK(gt_gradient(tape, most, x), GT_FLOAT64, gt_shape(2, 3), 0.5, 0, 0.5, 0, 0, 1);
    /* the product with one factor 0, and running products through it */
    gt_Tensor *p = gt_prod(x, .axis = 1);
    CHECK(gt_gradient(tape, p, x), GT_FLOAT64, gt_shape(2, 3), 5, 25, 5, 6, 0, 0);
    gt_Tensor *c = gt_cumprod(x, .axis = 1);
    CHECK(gt_gradient(tape, c, x), GT_FLOAT64, gt_shape(2, 3), 7, 30, 5, 9, 0, 0);
    /* all -inf: no gradient rather than NaN */
    gt_Tensor *y = gt_full(gt_shape(2), -INFINITY, .dtype = GT_FLOAT64);
    gt_watch(tape, y);
    gt_Tensor *l = gt_logsumexp(y);
    CHECK(gt_gradient(tape, l, y), GT_FLOAT64, gt_shape(2), 0, 0);
    gt_tape_end(tape);
    assert_no_leaks();
}

Test(reduce, errors)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_zeros(gt_shape(2, 0));
    char wanted[300];
    snprintf(wanted, sizeof wanted, "%s:%d: sum: there is no axis 2 in a tensor of rank 2",
             __FILE__, __LINE__ + 1);
    cr_assert_null(gt_sum(x, .axis = 2));
    cr_assert_str_eq(gt_error_message(), wanted);
    gt_error_clear();
    CHECK_ERROR(gt_sum(x, .axis = 2), "sum: there is no axis 2 in a tensor of rank 2");
    CHECK_ERROR(gt_sum(x, .axes = gt_axes(0, -2)), "sum: axis 0 is named twice");
    CHECK_ERROR(gt_sum(x, .axis = 0, .axes = gt_axes(1)), "sum: give axis or axes, not both");
    CHECK_ERROR(gt_max(x), "max: cannot reduce an empty axis; the shape is (2, 0)");
    CHECK_ERROR(gt_argmin(x, .axis = 1),
                "argmin: cannot reduce an empty axis; the shape is (2, 0)");
    CHECK_ERROR(gt_max(gt_ones(gt_shape(2), .dtype = GT_BOOL)),
                "max: dtype bool is not supported; expected floats and integers");
    CHECK_ERROR(gt_variance(x, .axis = -3),
                "variance: mean: there is no axis -3 in a tensor of rank 2");
    CHECK_ERROR(gt_logsumexp(x, .axis = 5), "logsumexp: there is no axis 5 in a tensor of rank 2");
    CHECK_ERROR(gt_cumsum(x, .axis = 2), "cumsum: there is no axis 2 in a tensor of rank 2");
    gt_scope_end(scope);
    assert_no_leaks();
}

/* ---- shapes ---- */

Test(reshaping, values_and_conventions)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = counting(gt_shape(2, 3), GT_FLOAT32);
    CHECK(gt_reshape(a, gt_shape(3, -1)), GT_FLOAT32, gt_shape(3, 2), 0, 1, 2, 3, 4, 5);
    cr_assert_eq(gt_data(gt_reshape(a, gt_shape(6))), gt_data(a), "a reshape copies");
    CHECK((gt_ravel)(a), GT_FLOAT32, gt_shape(6), 0, 1, 2, 3, 4, 5);
    CHECK_EMPTY(gt_reshape(gt_zeros(gt_shape(0, 4)), gt_shape(-1, 2)), GT_FLOAT32, gt_shape(0, 2));
    CHECK(gt_crop(a, gt_shape(0, 1), gt_shape(1, 0)), GT_FLOAT32, gt_shape(1, 2), 1, 2);
    CHECK_EMPTY(gt_crop(a, gt_shape(2, 0), gt_shape(0, 1)), GT_FLOAT32, gt_shape(0, 2));
    CHECK(gt_reshape(a, gt_shape(-1, 1), .keep = 1), GT_FLOAT32, gt_shape(2, 3, 1), 0, 1, 2, 3, 4,
          5);
    CHECK(gt_reshape(a, gt_shape(1), .keep = 2), GT_FLOAT32, gt_shape(2, 3, 1), 0, 1, 2, 3, 4, 5);
    CHECK(gt_reshape(gt_arange(0, 3, 1), gt_shape(-1), .keep = 1), GT_FLOAT32, gt_shape(3, 1), 0, 1,
          2);
    CHECK_EMPTY(gt_reshape(gt_zeros(gt_shape(0, 6)), gt_shape(2, -1), .keep = 1), GT_FLOAT32,
                gt_shape(0, 2, 3));
    CHECK_EMPTY(gt_ravel(gt_zeros(gt_shape(0, 4))), GT_FLOAT32, gt_shape(0));
    CHECK(gt_expand_dims(gt_ravel(a), -1), GT_FLOAT32, gt_shape(6, 1), 0, 1, 2, 3, 4, 5);
    CHECK(gt_squeeze(gt_reshape(a, gt_shape(1, 6, 1))), GT_FLOAT32, gt_shape(6), 0, 1, 2, 3, 4, 5);
    CHECK(gt_squeeze(gt_reshape(a, gt_shape(1, 6, 1)), .axis = -1), GT_FLOAT32, gt_shape(1, 6), 0,
          1, 2, 3, 4, 5);
    CHECK(gt_transpose(a), GT_FLOAT32, gt_shape(3, 2), 0, 3, 1, 4, 2, 5);
    CHECK(gt_transpose(counting(gt_shape(2, 2, 2), GT_INT64), .perm = gt_axes(1, 2, 0)), GT_INT64,
          gt_shape(2, 2, 2), 0, 4, 1, 5, 2, 6, 3, 7);
    CHECK(gt_moveaxis(counting(gt_shape(1, 2, 3), GT_UINT8), 1, -1), GT_UINT8, gt_shape(1, 3, 2), 0,
          3, 1, 4, 2, 5);
    CHECK(gt_swapaxes(a, 0, 1), GT_FLOAT32, gt_shape(3, 2), 0, 3, 1, 4, 2, 5);
    CHECK(gt_broadcast_to(gt_array(gt_shape(2, 1), 1, 2), gt_shape(2, 2, 3)), GT_FLOAT32,
          gt_shape(2, 2, 3), 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2);
    CHECK_EMPTY(gt_broadcast_to(gt_array(gt_shape(1), 1), gt_shape(2, 0)), GT_FLOAT32,
                gt_shape(2, 0));
    CHECK(gt_flip(a), GT_FLOAT32, gt_shape(2, 3), 5, 4, 3, 2, 1, 0);
    CHECK(gt_flip(a, .axis = 1), GT_FLOAT32, gt_shape(2, 3), 2, 1, 0, 5, 4, 3);
    CHECK(gt_roll(a, 2, .axis = 1), GT_FLOAT32, gt_shape(2, 3), 1, 2, 0, 4, 5, 3);
    CHECK(gt_roll(a, -1), GT_FLOAT32, gt_shape(2, 3), 1, 2, 3, 4, 5, 0);
    CHECK(gt_roll(a, 3, .axis = 1), GT_FLOAT32, gt_shape(2, 3), 0, 1, 2, 3, 4, 5);
    gt_Tensor *b = gt_array(gt_shape(2, 2), 1, 2, 3, 4);
    CHECK(gt_repeat(b, 2, .axis = 0), GT_FLOAT32, gt_shape(4, 2), 1, 2, 1, 2, 3, 4, 3, 4);
    CHECK(gt_repeat(b, 2), GT_FLOAT32, gt_shape(8), 1, 1, 2, 2, 3, 3, 4, 4);
    CHECK_EMPTY(gt_repeat(b, 0, .axis = 1), GT_FLOAT32, gt_shape(2, 0));
    CHECK(gt_tile(gt_array(gt_shape(2), 1, 2), gt_shape(2, 2)), GT_FLOAT32, gt_shape(2, 4), 1, 2, 1,
          2, 1, 2, 1, 2);
    CHECK(gt_tile(b, gt_shape(2)), GT_FLOAT32, gt_shape(2, 4), 1, 2, 1, 2, 3, 4, 3, 4);
    CHECK(gt_pad(gt_array(gt_shape(1, 2), 1, 2), gt_shape(1, 0), gt_shape(0, 2), .value = -1),
          GT_FLOAT32, gt_shape(2, 4), -1, -1, -1, -1, 1, 2, -1, -1);
    gt_Tensor *wide = gt_zeros(gt_shape(1, 1, 1, 2, 1, 1, 1, 3));
    CHECK(gt_transpose(wide), GT_FLOAT32, gt_shape(3, 1, 1, 1, 2, 1, 1, 1), 0, 0, 0, 0, 0, 0);
    CHECK_EMPTY(gt_transpose(gt_zeros(gt_shape(2, 0))), GT_FLOAT32, gt_shape(0, 2));
    gt_scope_end(scope);
    assert_no_leaks();
}

/* All orders of four axes, in every element size, against index arithmetic; sizes that leave rests
 * in every block. */
Test(reshaping, every_order_of_axes)
{
    const int64_t dims[4] = {3, 37, 5, 41};
    const gt_DType types[] = {GT_UINT8, GT_FLOAT32, GT_INT64};
    for (int code = 0; code < 256 * 3; code++) {
        int perm[4] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 & 3};
        if ((1 << perm[0] | 1 << perm[1] | 1 << perm[2] | 1 << perm[3]) != 15)
            continue;
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_mod(counting(gt_shape(3, 37, 5, 41), GT_INT32), 251);
        x = gt_reshape(gt_take(gt_arange(0, 251, 1, .dtype = types[code >> 8]), x),
                       gt_shape_of(4, dims));
        gt_Tensor *y = gt_transpose(x, .perm = gt_axes_of(4, perm));
        const int64_t stride[4] = {37 * 5 * 41, 5 * 41, 41, 1};
        int64_t i = 0, index[4];
        for (index[0] = 0; index[0] < dims[perm[0]]; index[0]++)
            for (index[1] = 0; index[1] < dims[perm[1]]; index[1]++)
                for (index[2] = 0; index[2] < dims[perm[2]]; index[2]++)
                    for (index[3] = 0; index[3] < dims[perm[3]]; index[3]++, i++) {
                        int64_t from = 0;
                        for (int d = 0; d < 4; d++)
                            from += index[d] * stride[perm[d]];
                        cr_assert_eq(gt_element(y, i), (double)(from % 251), "order %d %d %d %d",
                                     perm[0], perm[1], perm[2], perm[3]);
                    }
        gt_scope_end(scope);
    }
}

Test(reshaping, errors)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_zeros(gt_shape(2, 3)), *wide = gt_zeros(gt_shape(1, 1, 1, 1, 1, 1, 1, 1));
    CHECK_ERROR(gt_crop(a, gt_shape(1, 2), gt_shape(0, 2)),
                "crop: (1, 2) and (0, 2) cannot be cut off (2, 3)");
    CHECK_ERROR(gt_crop(a, gt_shape(1), gt_shape(0, 2)),
                "crop: (1,) and (0, 2) cannot be cut off (2, 3)");
    CHECK_ERROR(gt_crop(a, gt_shape(-1, 0), gt_shape(0, 0)),
                "crop: (-1, 0) and (0, 0) cannot be cut off (2, 3)");
    CHECK_ERROR(gt_reshape(a, gt_shape(4, -1)),
                "reshape: (2, 3) cannot become (4, -1): the number of elements differs");
    CHECK_ERROR(
        gt_reshape(a, gt_shape(2), .keep = 1),
        "reshape: (2, 3) cannot become (2,) behind the axes that stay: the number of elements "
        "differs");
    CHECK_ERROR(gt_reshape(a, gt_shape(-1), .keep = 3),
                "reshape: keep must be from 0 to the rank 2 (got 3)");
    CHECK_ERROR(gt_reshape(a, gt_shape(-1), .keep = -1),
                "reshape: keep must be from 0 to the rank 2 (got -1)");
    CHECK_ERROR(gt_reshape(a, gt_shape(3, 1, 1, 1, 1, 1, 1, 1), .keep = 1),
                "reshape: the new shape has more than 8 dimensions");
    CHECK_ERROR(gt_reshape(a, gt_shape(-1, -1)),
                "reshape: only one dimension may be -1, not as in (-1, -1)");
    CHECK_ERROR(gt_reshape(a, gt_shape(-2, -3)),
                "reshape: (2, 3) cannot become (-2, -3): the number of elements differs");
    CHECK_ERROR(gt_expand_dims(wide, 0), "expand_dims: the new shape has more than 8 dimensions");
    CHECK_ERROR(gt_squeeze(a, .axis = 1), "squeeze: axis 1 of (2, 3) is not 1");
    CHECK_ERROR(gt_transpose(a, .perm = gt_axes(0)),
                "transpose: perm names 1 axes of a tensor of rank 2");
    CHECK_ERROR(gt_transpose(a, .perm = gt_axes(0, 0)), "transpose: axis 0 is named twice");
    CHECK_ERROR(gt_broadcast_to(a, gt_shape(2, 4)),
                "broadcast_to: (2, 3) does not broadcast to (2, 4)");
    CHECK_ERROR(gt_broadcast_to(a, gt_shape(3)), "broadcast_to: (2, 3) does not broadcast to (3,)");
    CHECK_ERROR(gt_broadcast_to(a, gt_shape(INT64_MAX, 2, 3)),
                "broadcast_to: the result (9223372036854775807, 2, 3) would be too large");
    CHECK_ERROR(gt_repeat(a, INT64_MAX, .axis = 0),
                "repeat: 9223372036854775807 times axis 0 of (2, 3) would be too large");
    CHECK_ERROR(
        gt_tile(gt_zeros(gt_shape(INT64_C(1) << 40, 0)), gt_shape(INT64_C(1) << 40, 1)),
        "tile: repeat: 1099511627776 times axis 0 of (1099511627776, 0) would be too large");
    CHECK_ERROR(gt_repeat(a, -1), "repeat: repeats must be >= 0 (got -1)");
    CHECK_ERROR(gt_pad(a, gt_shape(1), gt_shape(1, 0)),
                "pad: (2, 3) cannot have (1,) before and (1, 0) after it");
    CHECK_ERROR(gt_pad(a, gt_shape(0, INT64_MAX), gt_shape(0, 0)),
                "pad: (2, 3) cannot have (0, 9223372036854775807) before and (0, 0) after it");
    CHECK_ERROR(gt_flip(a, .axis = 2), "flip: there is no axis 2 in a tensor of rank 2");
    gt_scope_end(scope);
    assert_no_leaks();
}

/* ---- parts and lookups ---- */

Test(indexing, values_and_conventions)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = counting(gt_shape(3, 2), GT_FLOAT32), *part[3];
    CHECK(gt_concatenate(gt_tensors(a, gt_array(gt_shape(1, 2), 8, 9))), GT_FLOAT32, gt_shape(4, 2),
          0, 1, 2, 3, 4, 5, 8, 9);
    CHECK(gt_concatenate(gt_tensors(a, gt_zeros(gt_shape(3, 0)), a), .axis = -1), GT_FLOAT32,
          gt_shape(3, 4), 0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5);
    CHECK(gt_stack(gt_tensors(gt_ravel(a), gt_ravel(a)), .axis = 1), GT_FLOAT32, gt_shape(6, 2), 0,
          0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5);
    cr_assert_eq(gt_split(a, 2, part, .axis = 1), GT_OK);
    CHECK(part[1], GT_FLOAT32, gt_shape(3, 1), 1, 3, 5);
    const int64_t sizes[] = {1, 0, 2};
    cr_assert_eq(gt_split(a, 3, part, .sizes = sizes), GT_OK);
    CHECK_EMPTY(part[1], GT_FLOAT32, gt_shape(0, 2));
    CHECK(part[2], GT_FLOAT32, gt_shape(2, 2), 2, 3, 4, 5);
    cr_assert_eq((const float *)gt_data(part[2]), (const float *)gt_data(a) + 2, "rows are copied");
    CHECK(gt_slice(a, gt_shape(1, 1), gt_shape(-1, 1)), GT_FLOAT32, gt_shape(2, 1), 3, 5);
    CHECK_EMPTY(gt_slice(a, gt_shape(3, 0), gt_shape(0, 2)), GT_FLOAT32, gt_shape(0, 2));
    CHECK(gt_slice(gt_scalar(4, GT_INT32), gt_shape(), gt_shape()), GT_INT32, gt_shape(), 4);

    gt_Tensor *i = gt_from_values_at(NULL, gt_shape(2, 2), GT_INT32, 4, (double[]){2, 0, -1, 1});
    gt_Tensor *bytes = gt_from_values_at(NULL, gt_shape(2), GT_UINT8, 2, (double[]){2, 1});
    CHECK(gt_take(a, i), GT_FLOAT32, gt_shape(2, 2, 2), 4, 5, 0, 1, 4, 5, 2, 3);
    CHECK(gt_take(a, gt_scalar(-1, GT_INT64), .axis = 1), GT_FLOAT32, gt_shape(3), 1, 3, 5);
    CHECK(gt_take(a, bytes, .axis = GT_NONE), GT_FLOAT32, gt_shape(2), 2, 1);
    CHECK_EMPTY(gt_take(a, gt_zeros(gt_shape(0), .dtype = GT_INT32)), GT_FLOAT32, gt_shape(0, 2));
    CHECK(gt_scatter_add(gt_ravel(i), gt_ones(gt_shape(4, 2), .dtype = GT_INT32), gt_shape(3, 2)),
          GT_INT32, gt_shape(3, 2), 1, 1, 1, 1, 2, 2);
    CHECK(gt_take_along_axis(a, i = gt_slice(i, gt_shape(0, 0), gt_shape(1, 2)), .axis = 0),
          GT_FLOAT32, gt_shape(1, 2), 4, 1);
    CHECK(gt_take_along_axis(a, gt_expand_dims(gt_argmax(a, .axis = 1), 1)), GT_FLOAT32,
          gt_shape(3, 1), 1, 3, 5);
    gt_Tensor *classes = gt_from_values_at(NULL, gt_shape(3), GT_INT32, 3, (double[]){1, -1, 2});
    CHECK(gt_one_hot(classes, 2), GT_FLOAT32, gt_shape(3, 2), 0, 1, 0, 0, 0, 0);
    CHECK(gt_one_hot(classes, 3, .axis = 0, .dtype = GT_BOOL), GT_BOOL, gt_shape(3, 3), 0, 0, 0, 1,
          0, 0, 0, 0, 1);
    CHECK(gt_tril(a), GT_FLOAT32, gt_shape(3, 2), 0, 0, 2, 3, 4, 5);
    CHECK(gt_tril(a, .k = -1), GT_FLOAT32, gt_shape(3, 2), 0, 0, 2, 0, 4, 5);
    CHECK(gt_triu(a, .k = 1), GT_FLOAT32, gt_shape(3, 2), 0, 1, 0, 0, 0, 0);
    CHECK(gt_triu(a, .k = INT64_MIN), GT_FLOAT32, gt_shape(3, 2), 0, 1, 2, 3, 4, 5);

    /* more than one record can hold, and its gradient */
    gt_Tensor *many[200];
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = gt_array(gt_shape(2), 1, 2);
    gt_watch(tape, x);
    for (int k = 0; k < 200; k++)
        many[k] = gt_multiply(x, k);
    gt_Tensor *all = gt_stack(((gt_Tensors){many, 200}), .axis = -1);
    CHECK(gt_sum(all, .axis = 1), GT_FLOAT32, gt_shape(2), 19900, 39800);
    CHECK(gt_gradient(tape, all, x), GT_FLOAT32, gt_shape(2), 19900, 19900);
    gt_tape_end(tape);
    gt_scope_end(scope);
    assert_no_leaks();
}

/* A lookup that takes rows often: the gradient adds in the order of the indices, with any threads.
 */
Test(indexing, gradient_of_a_lookup)
{
    gt_Scope *scope = gt_scope_begin();
    const void *bits[2];
    for (int round = 0; round < 2; round++) {
        cr_assert_eq(gt_set_threads(round ? 4 : 1), GT_OK);
        gt_Tensor *table = gt_reciprocal(gt_add(counting(gt_shape(50, 300), GT_FLOAT32), 1));
        gt_Tensor *i = gt_mod(gt_multiply(counting(gt_shape(900), GT_INT32), 7), 50);
        gt_Tape *tape = gt_tape_begin();
        gt_watch(tape, table);
        gt_Tensor *loss = gt_sum(gt_square(gt_take(table, i)));
        gt_Tensor *g = gt_keep(gt_gradient(tape, loss, table));
        gt_tape_end(tape);
        cr_assert_float_eq(gt_element(g, 0), 2 * 18 * 1.0, 1e-5);
        bits[round] = gt_data(g);
    }
    cr_assert_arr_eq(bits[0], bits[1], 50 * 300 * sizeof(float));
    cr_assert_eq(gt_set_threads(1), GT_OK);
    gt_scope_end(scope);
    assert_no_leaks();
}

Test(indexing, errors)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_zeros(gt_shape(3, 2)), *part[4] = {a, a, a, a};
    gt_Tensor *i = gt_from_values_at(NULL, gt_shape(2, 2), GT_INT32, 4, (double[]){2, 0, 1, 3});
    CHECK_ERROR(gt_concatenate(gt_tensors(a, gt_zeros(gt_shape(3, 3)))),
                "concatenate: float32 (3, 3) does not continue float32 (3, 2) along axis 0");
    CHECK_ERROR(gt_concatenate(((gt_Tensors){NULL, 0})),
                "concatenate: there are no tensors to join");
    CHECK_ERROR(
        gt_stack(gt_tensors(a, gt_zeros(gt_shape(3, 2), .dtype = GT_INT32))),
        "stack: concatenate: int32 (1, 3, 2) does not continue float32 (1, 3, 2) along axis 0");
    CHECK_ERROR(gt_split(a, 2, part) == GT_OK,
                "split: axis 0 of length 3 cannot be cut into 2 equal parts");
    cr_assert(!part[0] && !part[1] && part[2] == a);
    CHECK_ERROR(gt_split(a, 2, part, .sizes = ((const int64_t[]){1, 1})) == GT_OK,
                "split: the sizes do not sum up to axis 0 of length 3");
    CHECK_ERROR(gt_slice(a, gt_shape(1, 0), gt_shape(3, 2)),
                "slice: (3, 2) has no block of size (3, 2) at (1, 0)");
    CHECK_ERROR(gt_slice(a, gt_shape(4, 0), gt_shape(-1, 2)),
                "slice: (3, 2) has no block of size (-1, 2) at (4, 0)");
    CHECK_ERROR(gt_take(a, i),
                "take: index 3, at (1, 1) of the indices, is outside axis 0 of length 3");
    CHECK_ERROR(gt_take(a, gt_scalar(-3, GT_INT64), .axis = 1),
                "take: index -3, at () of the indices, is outside axis 1 of length 2");
    CHECK_ERROR(gt_take(a, a), "take: indices must be int32, int64 or uint8 (got float32)");
    CHECK_ERROR(
        gt_take_along_axis(a, i),
        "take_along_axis: indices of shape (2, 2) for (3, 2): they may differ in axis 1 only");
    CHECK_ERROR(gt_scatter_add(i, a, gt_shape(5, 2)),
                "scatter_add: the updates are float32 (3, 2); for these indices they are "
                "float32 (2, 2, 2)");
    CHECK_ERROR(gt_scatter_add(gt_scalar(5, GT_INT32), gt_zeros(gt_shape(2)), gt_shape(5, 2)),
                "scatter_add: index 5, at () of the indices, is outside axis 0 of length 5");
    CHECK_ERROR(gt_scatter_add(i, a, gt_shape(-1, 2)),
                "scatter_add: the shape is invalid or too large");
    CHECK_ERROR(gt_one_hot(a, 3), "one_hot: indices must be int32, int64 or uint8 (got float32)");
    CHECK_ERROR(gt_tril(gt_zeros(gt_shape(3))),
                "tril: expected at least two axes (got shape (3,))");
    gt_scope_end(scope);
    assert_no_leaks();
}

/* ---- constants ---- */

Test(creation, values_and_errors)
{
    gt_Scope *scope = gt_scope_begin();
    CHECK(gt_full(gt_shape(2), 0.5, .dtype = GT_FLOAT64), GT_FLOAT64, gt_shape(2), 0.5, 0.5);
    CHECK(gt_full(gt_shape(3), -7, .dtype = GT_INT64), GT_INT64, gt_shape(3), -7, -7, -7);
    CHECK(gt_full(gt_shape(3), 7, .dtype = GT_UINT8), GT_UINT8, gt_shape(3), 7, 7, 7);
    CHECK(gt_ones(gt_shape()), GT_FLOAT32, gt_shape(), 1);
    CHECK_EMPTY(gt_zeros(gt_shape(0, 3)), GT_FLOAT32, gt_shape(0, 3));
    gt_Tensor *a = gt_zeros(gt_shape(1, 2), .dtype = GT_INT32);
    CHECK(gt_ones_like(a), GT_INT32, gt_shape(1, 2), 1, 1);
    CHECK(gt_zeros_like(a, .dtype = GT_BOOL), GT_BOOL, gt_shape(1, 2), 0, 0);
    CHECK(gt_full_like(a, 3, .dtype = GT_FLOAT32), GT_FLOAT32, gt_shape(1, 2), 3, 3);
    CHECK(gt_arange(0, 1, 0.3), GT_FLOAT32, gt_shape(4), 0, 0.3, 0.6, 0.9);
    CHECK(gt_arange(5, 0, -2, .dtype = GT_INT32), GT_INT32, gt_shape(3), 5, 3, 1);
    CHECK_EMPTY(gt_arange(1, 1, 1), GT_FLOAT32, gt_shape(0));
    CHECK(gt_linspace(0, 1, 4), GT_FLOAT32, gt_shape(4), 0, 1 / 3.0, 2 / 3.0, 1);
    CHECK(gt_linspace(2, 3, 1), GT_FLOAT32, gt_shape(1), 2);
    CHECK(gt_linspace(2, 4, 4, .endpoint = false), GT_FLOAT32, gt_shape(4), 2, 2.5, 3, 3.5);
    CHECK(gt_linspace(2, 4, 1, .endpoint = false), GT_FLOAT32, gt_shape(1), 2);
    CHECK(gt_eye(2, .columns = 3), GT_FLOAT32, gt_shape(2, 3), 1, 0, 0, 0, 1, 0);
    CHECK(gt_eye(3, .k = -2, .dtype = GT_INT32), GT_INT32, gt_shape(3, 3), 0, 0, 0, 0, 0, 0, 1, 0,
          0);
    CHECK_EMPTY(gt_eye(0), GT_FLOAT32, gt_shape(0, 0));
    gt_Tensor *whole = gt_arange(0, 3, 1, .dtype = GT_INT32);
    CHECK_ERROR(gt_multiply(whole, 0.5),
                "multiply: the number 0.5 does not fit the tensor's dtype int32: gt_cast the tensor");
    CHECK_ERROR(gt_fmax(whole, 0.5),
                "fmax: the number 0.5 does not fit the tensor's dtype int32: gt_cast the tensor");
    CHECK_ERROR(gt_full(gt_shape(2), 0.5, .dtype = GT_INT32),
                "full: 0.5 is not a number of type int32");
    CHECK_ERROR(gt_zeros(gt_shape(-1)), "full: the shape (-1,) is invalid or too large");
    CHECK_ERROR(gt_arange(0, 1, 0), "arange: no range from 0 to 1 by 0");
    CHECK_ERROR(gt_arange(0, 2, 0.5, .dtype = GT_INT32),
                "arange: 0.5 is not a number of type int32");
    CHECK_ERROR(gt_linspace(0, 1, 3, .dtype = GT_INT32),
                "linspace: 3 numbers of type int32 are not possible; it makes floats");
    gt_scope_end(scope);
    assert_no_leaks();
}
