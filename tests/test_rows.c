/* Steps that run together some rows at a time (plan/passes/rows.c): the bits of eager calls, with every kernel that can be cut along
 * rows, with any number of threads and at numbers of rows that no tile divides; what does not fit is left alone. */
#include <criterion/criterion.h>
#include <string.h>

#include "gradtape.h"
#include "leaks.h"

#define MOST 4

/* Does the plan say that steps run together? */
static bool runs_together(gt_Function *function)
{
    const char *text = gt_function_print(function);
    cr_assert_not_null(text);
    return strstr(text, "rows at a time") != NULL;
}

/* Plan and eager run give the same bits, with one thread, with two and with three, and profiled. */
static void same_bits(const char *name, gt_FunctionBody body, void *user, int outputs,
                      gt_Tensors in, bool together)
{
    gt_Tensor *eager[MOST], *planned[MOST];
    gt_Function *function = gt_function(body, user, .outputs = outputs);
    cr_assert_eq(body(user, in.items, eager), GT_OK, "%s: %s", name, gt_error_message());
    for (int threads = 1; threads <= 4; threads++) {
        gt_set_threads(threads < 4 ? threads : 1);
        cr_assert_eq(gt_function_profile(function, threads == 4), GT_OK);
        cr_assert_eq(gt_function_call(function, in, planned), GT_OK, "%s: %s", name,
                     gt_error_message());
        for (int i = 0; i < outputs; i++)
            cr_assert_eq(memcmp(gt_data(eager[i]), gt_data(planned[i]),
                                (size_t)gt_size(eager[i]) * gt_dtype_size(gt_dtype(eager[i]))),
                         0, "%s: output %d, %d threads", name, i, threads);
    }
    cr_assert_eq(runs_together(function), together, "%s:\n%s", name, gt_function_print(function));
    gt_function_free(function);
}

static gt_Tensor *numbers(gt_Shape shape, gt_DType dtype)
{
    gt_Tensor *x = gt_uniform(shape, .low = -2, .high = 2, .dtype = dtype);
    return gt_where(gt_less(gt_abs(x), 0.1), gt_full_like(x, -0.0), x);
}

static gt_Tensor *column(gt_Tensor *x, int64_t from, int64_t count)
{
    return gt_slice(x, gt_shape(0, from), gt_shape(-1, count));
}

/* in: x (p, 6), a row (6), a column (p, 1). */
static gt_Status every_kernel(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    gt_Tensor *x = gt_multiply(gt_add(in[0], in[1]), in[2]);
    gt_Tensor *a = column(x, 0, 3), *b = column(x, 2, 3), *c = column(x, 5, 1);
    gt_Tensor *turned = gt_cross(a, b), *length = gt_norm(turned, .axis = 1, .keepdims = true);
    gt_Tensor *unit = gt_divide(turned, gt_add(length, 0.5));
    gt_Tensor *both = gt_concatenate(gt_tensors(unit, gt_negative(a), c), .axis = 1);
    gt_Tensor *soft = gt_softmax(both), *log = gt_logsumexp(both, .axis = 1, .keepdims = true);
    gt_Tensor *high = gt_max(both, .axis = 1, .keepdims = true);
    gt_Tensor *wide = gt_broadcast_to(gt_sin(high), gt_shape(-1, 7));
    gt_Tensor *chosen = gt_where(gt_greater(soft, 0.1), gt_log_softmax(both), wide);
    out[0] = gt_add(chosen, log);
    out[1] = gt_prod(gt_add(soft, 1), .axis = 1);
    out[2] = gt_reshape(gt_mean(gt_reshape(chosen, gt_shape(-1, 7, 1)), .axis = 1), gt_shape(-1));
    return gt_status();
}

/* A value of the group is read whole, by rows of another one, and by an offset: none of that is cut along its rows. */
static gt_Status read_whole(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    gt_Tensor *x = gt_multiply(gt_add(in[0], in[1]), in[2]);
    gt_Tensor *y = gt_divide(x, gt_add(gt_sum(gt_square(x), .axis = 1, .keepdims = true), 1));
    gt_Tensor *first = gt_slice(y, gt_shape(0, 0), gt_shape(1, -1));
    gt_Tensor *behind = gt_slice(y, gt_shape(3, 0), gt_shape(-1, -1));
    gt_Tensor *front = gt_get_item(y, ":-3");
    out[0] = gt_subtract(y, first);
    out[1] = gt_sum(gt_multiply(behind, front), .axis = 1);
    out[2] = gt_sum(out[0], .axis = 0);
    return gt_status();
}

/* What is written over its operand, and read before and behind. */
static gt_Status over_itself(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    gt_Tensor *x = gt_cumsum(in[0], .axis = 0), *s = gt_sum(x, .axis = 1, .keepdims = true);
    gt_Tensor *y = gt_multiply(x, s);
    gt_Tensor *z = gt_tanh(gt_divide(y, gt_add(gt_max(y, .axis = 1, .keepdims = true), 3)));
    out[0] = gt_multiply(z, in[2]);
    out[1] = gt_cumsum(z, .axis = 0);
    return gt_status();
}

/* The first row of x goes along with all rows, and y is written over x. */
static gt_Status over_its_row(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    gt_Tensor *x = gt_cumsum(in[0], .axis = 0);
    gt_Tensor *t = gt_softmax(gt_add(in[0], gt_slice(x, gt_shape(0, 0), gt_shape(1, -1))));
    gt_Tensor *y = gt_multiply(x, t);
    out[0] = gt_log_softmax(gt_multiply(gt_max(y, .axis = 1, .keepdims = true), t));
    out[1] = gt_cumsum(y, .axis = 0);
    return gt_status();
}

/* A row that is as long as a group has rows, and is made there. */
static gt_Status long_row(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    const bool chained = *(const bool *)user; /* else it is a step by itself */
    gt_Tensor *x = gt_softmax(in[0]), *row = gt_multiply(gt_tanh(in[1]), in[1]);
    gt_Tensor *sum = gt_add(gt_log_softmax(x), row);
    out[0] = gt_softmax(chained ? gt_multiply(sum, in[2]) : sum);
    return gt_status();
}

/* Jacobian of some columns by all: joins with a base of one row, and of two joins. */
static gt_Status columns_by_all(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_watch(tape, in[0]);
    gt_Tensor *x = in[0], *scaled = gt_multiply(column(x, 0, 2), column(x, 2, 1));
    gt_Tensor *y = gt_add(gt_multiply(scaled, gt_square(column(x, 5, 1))), column(x, 3, 2));
    out[0] = y;
    out[1] = gt_batch_jacobian(tape, y, in[0]);
    gt_keep(out[0]);
    gt_keep(out[1]);
    gt_tape_end(tape);
    return gt_status();
}

static void at_every_size(const char *name, gt_FunctionBody body, int outputs)
{
    static const int64_t rows[] = {70003, 40000, 65};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int wide = 0; wide < 2; wide++) {
            gt_Scope *scope = gt_scope_begin();
            const gt_DType dtype = wide ? GT_FLOAT64 : GT_FLOAT32;
            gt_Tensor *in[3] = {numbers(gt_shape(rows[i], 6), dtype), numbers(gt_shape(6), dtype),
                                numbers(gt_shape(rows[i], 1), dtype)};
            same_bits(name, body, NULL, outputs, (gt_Tensors){in, 3}, rows[i] > 100);
            gt_scope_end(scope);
        }
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(rows, every_kernel)
{
    at_every_size("every kernel", every_kernel, 3);
}

Test(rows, read_whole)
{
    at_every_size("read whole", read_whole, 3);
}

Test(rows, over_itself)
{
    at_every_size("over itself", over_itself, 2);
}

Test(rows, over_its_row)
{
    at_every_size("over its row", over_its_row, 2);
}

Test(rows, long_row)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *in[3] = {numbers(gt_shape(3200, 128), GT_FLOAT32),
                        numbers(gt_shape(128), GT_FLOAT32), numbers(gt_shape(3200, 1), GT_FLOAT32)};
    for (int chained = 0; chained < 2; chained++)
        same_bits("long row", long_row, &(bool){chained}, 1, (gt_Tensors){in, 3}, false);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(rows, columns_by_all)
{
    at_every_size("columns by all", columns_by_all, 2);
}

/* What is between the steps has no place in the block; one output is copied out of it. */
Test(rows, memory)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = numbers(gt_shape(40000, 6), GT_FLOAT64), *y[3];
    gt_Tensor *in[3] = {x, numbers(gt_shape(6), GT_FLOAT64),
                        numbers(gt_shape(40000, 1), GT_FLOAT64)};
    gt_Function *function = gt_function(every_kernel, NULL, .outputs = 3);
    cr_assert_eq(gt_function_call(function, ((gt_Tensors){in, 3}), y), GT_OK);
    const gt_FunctionStats stats = gt_function_stats(function);
    cr_assert_lt(stats.bytes, 400000, "%s", gt_function_print(function));
    gt_function_free(function);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}
