/* gt_switch, gt_map, gt_associative_scan: values, gradients, inside traced functions, bad input. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ONE(tensor) gt_tensors(tensor)

static void finish(void)
{
    gt_context_free(NULL);
    assert_no_leaks();
}

#define FAILS(call, text)                                                                          \
    do {                                                                                           \
        cr_assert((call) != GT_OK, "%s was taken", #call);                                         \
        cr_assert(strstr(gt_error_message(), text), "%s: %s", #call, gt_error_message());          \
        cr_assert(strstr(gt_error_message(), "test_combinators.c:"), "%s", gt_error_message());    \
        gt_error_clear();                                                                          \
    } while (0)

/* ---- switch ---- */

static gt_Status doubled(void *factor, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_multiply(in[0], factor ? *(const double *)factor : 2);
    return gt_status();
}
static gt_Status squared(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_square(in[0]);
    return gt_status();
}
static gt_Status product(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], in[1]);
    return gt_status();
}
static gt_Status root(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_sqrt(in[1]);
    return gt_status();
}
static gt_Status breaks(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_matmul(in[0], in[0]);
    return gt_status();
}
static const gt_FunctionBody branches[] = {doubled, squared, product, root};

/* Values and slopes in both inputs, 3 and 5, of the branch that an index chooses. */
static const double values[4] = {6, 9, 15, 2.23606797749979};
static const double slopes[4][2] = {{2, 0}, {6, 0}, {5, 3}, {0, 0.22360679774997896}};

static gt_Status choose(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_Tensor *x[2] = {in[1], in[2]};
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, x[0]);
    gt_watch(tape, x[1]);
    gt_switch(in[0], branches, 4, NULL, ((gt_Tensors){x, 2}), out);
    gt_Tensor *slope[2];
    gt_gradients(tape, gt_tensors(out[0]), ((gt_Tensors){x, 2}), slope,
                 .unconnected = GT_UNCONNECTED_ZERO);
    out[1] = gt_keep(slope[0]);
    out[2] = gt_keep(slope[1]);
    gt_keep(out[0]);
    gt_tape_end(tape);
    return gt_status();
}

Test(combinators, switch_chooses)
{
    gt_Function *function = gt_function(choose, NULL, .outputs = 3);
    for (int index = -2; index < 7; index++) {
        int expected = index < 0 ? 0 : index > 3 ? 3 : index;
        gt_Tensor *in[3] = {gt_scalar(index, GT_INT32), gt_scalar(3, GT_FLOAT64),
                            gt_scalar(5, GT_FLOAT64)};
        for (int planned = 0; planned < 2; planned++) {
            gt_Tensor *out[3];
            if (planned)
                gt_function_call(function, ((gt_Tensors){in, 3}), out);
            else
                choose(NULL, in, out);
            cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
            cr_assert_float_eq(gt_item(out[0]), values[expected], 1e-15);
            for (int i = 0; i < 2; i++)
                cr_assert_float_eq(gt_item(out[1 + i]), slopes[expected][i], 1e-15);
        }
    }
    gt_function_free(function);
    /* One branch, the context, an index of shape (1, 1). */
    gt_Tensor *x = gt_array(gt_shape(2), 1, 2), *y;
    double factor = 10;
    gt_switch(gt_full(gt_shape(1, 1), 9, .dtype = GT_INT64), branches, 1, &factor, ONE(x), &y);
    cr_assert(gt_element(y, 1) == 20);
    finish();
}

Test(combinators, switch_errors)
{
    gt_Tensor *x = gt_scalar(1, GT_FLOAT32), *index = gt_scalar(0, GT_INT32), *y = x;
    const gt_FunctionBody missing[] = {doubled, NULL}, bad[] = {breaks, doubled};
    FAILS(gt_switch(x, branches, 4, NULL, ONE(x), &y), "switch: the index must be an integer scalar (got float32 ())");
    cr_assert_null(y);
    FAILS(gt_switch(gt_zeros(gt_shape(2), .dtype = GT_INT32), branches, 4, NULL, ONE(x), &y),
          "the index must be an integer scalar (got int32 (2,))");
    FAILS(gt_switch(index, branches, 0, NULL, ONE(x), &y), "switch: at least one branch is needed (got 0)");
    FAILS(gt_switch(index, NULL, 2, NULL, ONE(x), &y), "switch: the list of branches is NULL");
    FAILS(gt_switch(index, missing, 2, NULL, ONE(x), &y), "switch: branch 1 is NULL");
    FAILS(gt_switch(index, bad, 2, NULL, ONE(x), &y), "matmul");
    FAILS(gt_switch(index, branches, 2, NULL, ONE(x), NULL), "switch: the list of inputs or the place for the outputs is NULL");
    FAILS(gt_switch(index, branches, 2, NULL, ((gt_Tensors){NULL, 65}), &y), "inputs and outputs must be 0 to 64 (got 65 and 1)");
    FAILS(gt_switch(NULL, branches, 2, NULL, ONE(x), &y), "NULL");
    finish();
}

/* ---- map ---- */

static gt_Status sum_and_product(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_sum(gt_multiply(in[0], in[1]));
    out[1] = gt_add(in[0], in[1]);
    return gt_status();
}

Test(combinators, map)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *a = gt_array64(gt_shape(3, 2), 1, 2, 3, 4, 5, 6), *y[2];
    gt_Tensor *b = gt_array64(gt_shape(3), 10, 20, 30);
    gt_watch(tape, a);
    gt_map(sum_and_product, NULL, gt_tensors(a, b), y, .outputs = 2);
    gt_Tensor *slope = gt_gradient(tape, gt_sum(gt_square(y[0])), a);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    cr_assert(gt_shape_equal(gt_tensor_shape(y[0]), gt_shape(3)));
    cr_assert(gt_shape_equal(gt_tensor_shape(y[1]), gt_shape(3, 2)));
    const double sums[3] = {30, 140, 330};
    for (int i = 0; i < 6; i++) {
        double factor = 10.0 * (i / 2 + 1);
        cr_assert(gt_element(y[0], i / 2) == sums[i / 2] && gt_element(y[1], i) == i + 1 + factor);
        cr_assert(gt_element(slope, i) == 2 * sums[i / 2] * factor);
    }
    gt_tape_end(tape);
    gt_Tensor *x = gt_ones(gt_shape(2));
    FAILS(gt_map(doubled, NULL, ONE(gt_scalar(1, GT_FLOAT32)), y), "map: ");
    FAILS(gt_map(doubled, NULL, gt_tensors(x, gt_ones(gt_shape(3))), y), "map: ");
    FAILS(gt_map(breaks, NULL, ONE(x), y), "matmul");
    FAILS(gt_map(doubled, NULL, ONE(x), NULL), "map: ");
    finish();
}

/* ---- associative scan ---- */

/* (a, b) then (c, d): the functions a x + b and c x + d, one after the other; and a matrix product,
 * which does not commute, of what is along axis 0 of a third tensor. */
static gt_Status compose(void *calls, gt_Tensor *const *in, gt_Tensor **out)
{
    if (calls)
        ++*(int *)calls;
    out[0] = gt_multiply(in[0], in[2]);
    out[1] = gt_add(gt_multiply(in[1], in[2]), in[3]);
    return gt_status();
}
static gt_Status matrices(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_matmul(in[0], in[1]);
    return gt_status();
}
static gt_Status shorter(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_sum(in[0]);
    return gt_status();
}

Test(combinators, scan_of_recurrences)
{
    for (int n = 0; n < 40; n++)
        for (int reverse = 0; reverse < 2; reverse++) {
            gt_Scope *scope = gt_scope_begin();
            double a[40], b[40], state = 0, factor = 1;
            for (int i = 0; i < n; i++) {
                a[i] = cos(1.7 * i + n);
                b[i] = sin(2.3 * i * i);
            }
            gt_Tensor *in[2], *y[2];
            int calls = 0;
            in[0] = gt_from_values_at(NULL, gt_shape(1, n), GT_FLOAT64, n, a);
            in[1] = gt_from_values_at(NULL, gt_shape(1, n), GT_FLOAT64, n, b);
            gt_associative_scan(compose, &calls, ((gt_Tensors){in, 2}), y, .axis = -1,
                                .reverse = reverse);
            cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
            cr_assert(gt_shape_equal(gt_tensor_shape(y[1]), gt_shape(1, n)));
            cr_assert(n < 2 || calls <= 2 * log2(n), "%d calls for %d elements", calls, n);
            for (int k = 0; k < n; k++) {
                int i = reverse ? n - 1 - k : k;
                state = a[i] * state + b[i];
                factor *= a[i];
                cr_assert(fabs(gt_element(y[1], i) - state) < 1e-13, "%d of %d", i, n);
                cr_assert(fabs(gt_element(y[0], i) - factor) < 1e-13);
            }
            gt_scope_end(scope);
        }
    finish();
}

static double of_matrices(const double *numbers, gt_Tensor **slope)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = gt_from_values_at(NULL, gt_shape(5, 2, 2), GT_FLOAT64, 20, numbers), *y;
    gt_watch(tape, x);
    gt_associative_scan(matrices, NULL, ONE(x), &y);
    gt_Tensor *weights =
        gt_reshape(gt_cos(gt_arange(0, 20, 1, .dtype = GT_FLOAT64)), gt_shape(5, 2, 2));
    gt_Tensor *sum = gt_sum(gt_multiply(y, weights));
    double result = gt_item(sum);
    if (slope)
        *slope = gt_keep(gt_gradient(tape, sum, x));
    gt_tape_end(tape);
    return result;
}

Test(combinators, scan_of_matrices)
{
    gt_Scope *scope = gt_scope_begin();
    double numbers[20], before[4] = {1, 0, 0, 1};
    for (int i = 0; i < 20; i++)
        numbers[i] = sin(3.1 * i) + (i % 4 == 0);
    gt_Tensor *slope, *y;
    of_matrices(numbers, &slope);
    for (int i = 0; i < 20; i++) {
        double at = numbers[i], h = 1e-5, side[2];
        for (int k = 0; k < 2; k++) {
            numbers[i] = at + (k ? -h : h);
            side[k] = of_matrices(numbers, NULL);
        }
        numbers[i] = at;
        cr_assert(fabs((side[0] - side[1]) / (2 * h) - gt_element(slope, i)) < 1e-7, "%d", i);
    }
    gt_Tensor *x = gt_from_values_at(NULL, gt_shape(5, 2, 2), GT_FLOAT64, 20, numbers);
    gt_associative_scan(matrices, NULL, ONE(x), &y);
    for (int k = 0; k < 5; k++) {
        const double *m = numbers + 4 * k;
        double next[4];
        for (int i = 0; i < 4; i++)
            next[i] = before[i / 2 * 2] * m[i % 2] + before[i / 2 * 2 + 1] * m[2 + i % 2];
        memcpy(before, next, sizeof next);
        for (int i = 0; i < 4; i++)
            cr_assert(fabs(gt_element(y, 4 * k + i) - next[i]) < 1e-13);
    }
    gt_scope_end(scope);
    finish();
}

static gt_Status running(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_associative_scan(compose, context, ((gt_Tensors){in, 2}), out, .reverse = true);
    return gt_status();
}

Test(combinators, scan_in_a_plan)
{
    gt_Function *function = gt_function(running, NULL, .outputs = 2);
    gt_Tensor *in[2] = {gt_array(gt_shape(5), 1, 2, 3, 4, 5), gt_array(gt_shape(5), 5, 1, 4, 2, 3)};
    gt_Tensor *planned[2], *eager[2];
    gt_function_call(function, ((gt_Tensors){in, 2}), planned);
    running(NULL, in, eager);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    for (int i = 0; i < 10; i++)
        cr_assert(gt_element(planned[i / 5], i % 5) == gt_element(eager[i / 5], i % 5));
    gt_function_free(function);
    finish();
}

Test(combinators, scan_errors)
{
    gt_Tensor *x = gt_ones(gt_shape(3, 2)), *many[17], *y[17] = {NULL};
    for (int i = 0; i < 17; i++)
        many[i] = x;
    FAILS(gt_associative_scan(product, NULL, ((gt_Tensors){many, 17}), y),
          "associative_scan: 1 to 16 tensors and a body are needed (got 17 tensors)");
    FAILS(gt_associative_scan(product, NULL, ((gt_Tensors){NULL, 0}), y), "got 0 tensors");
    FAILS(gt_associative_scan(NULL, NULL, ONE(x), y), "and a body are needed");
    FAILS(gt_associative_scan(product, NULL, ONE(x), NULL), "the place for the results is NULL");
    FAILS(gt_associative_scan(product, NULL, ONE(x), y, .axis = 2), "there is no axis 2");
    FAILS(gt_associative_scan(product, NULL, gt_tensors(x, gt_ones(gt_shape(2, 3))), y),
          "tensor 2 must have 3 elements along axis 0, as the first one (it is float32 (2, 3))");
    FAILS(gt_associative_scan(shorter, NULL, ONE(x), y),
          "output 1 of the body must be like its operands, float32 (1, 2) (got float32 ())");
    cr_assert_null(y[0]);
    FAILS(gt_associative_scan(breaks, NULL, ONE(x), y), "matmul");
    FAILS(gt_associative_scan(product, NULL, ONE(NULL), y), "NULL");
    finish();
}

/* ---- every allocation fails once ---- */

typedef struct Host {
    int64_t calls, fail_at, blocks;
} Host;

static void *host_allocate(void *user, size_t size, size_t alignment)
{
    Host *host = user;
    void *memory = NULL;
    if (++host->calls == host->fail_at || posix_memalign(&memory, alignment, size) != 0)
        return NULL;
    host->blocks++;
    return memory;
}
static void host_release(void *user, void *memory, size_t size)
{
    (void)size;
    ((Host *)user)->blocks--;
    free(memory);
}

/* What is made of many operations, in small. */
static double many_things(void)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x[2] = {gt_array(gt_shape(1, 3), 1, 2, 3), gt_array(gt_shape(1, 3), 4, 5, 6)};
    gt_Tensor *y[2], *image = gt_ones(gt_shape(3, 3, 3)), *chosen = NULL;
    gt_associative_scan(compose, NULL, ((gt_Tensors){x, 2}), y, .axis = 1);
    gt_switch(gt_scalar(2, GT_INT32), branches, 4, NULL, ((gt_Tensors){x, 2}), &chosen);
    gt_Tensor *sum = gt_add(gt_sum(chosen), gt_sum(gt_get_item(y[1], "0, ::-2")));
    gt_map(product, NULL, ((gt_Tensors){x, 2}), y);
    sum = gt_add(sum, gt_sum(gt_shuffle(y[0], .axis = 1)));
    sum = gt_add(sum, gt_sum(gt_cast(gt_nonzero(y[0]), GT_FLOAT32)));
    sum = gt_add(sum, gt_sum(gt_cast(gt_categorical(x[0], 2), GT_FLOAT32)));
    gt_Tensor *seen = gt_affine_transform(image, gt_array(gt_shape(8), 1, 0, 1, 0, 1, 0, 0, 0));
    sum = gt_add(sum, gt_sum(gt_rgb_to_hsv(gt_gaussian_blur(seen))));
    sum = gt_add(sum, gt_sum(gt_extract_patches(seen, gt_shape(2, 2))));
    double result = sum && gt_status() == GT_OK ? gt_item(sum) : NAN;
    gt_scope_end(scope);
    return result;
}

Test(combinators, allocations_fail)
{
    double expected = 0;
    int64_t tried = 0;
    for (bool failed = true; failed; tried++) {
        Host host = {0};
        const gt_Allocator allocator = {host_allocate, host_release, &host};
        gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
        gt_context_use(context);
        gt_set_seed(1);
        host.fail_at = tried ? host.calls + tried : 0; /* first without */
        double result = many_things();
        failed = tried == 0 || host.calls >= host.fail_at;
        cr_assert(isnan(result) == (tried > 0 && failed), "%d: %s", (int)tried, gt_error_message());
        cr_assert(!isnan(result) || gt_status() == GT_NO_MEMORY, "%d: %s", (int)tried,
                  gt_error_message());
        gt_error_clear();
        host.fail_at = 0; /* and then as if nothing had been */
        gt_set_seed(1);
        result = many_things();
        expected = tried ? expected : result;
        cr_assert(result == expected, "%d: %g, not %g: %s", (int)tried, result, expected,
                  gt_error_message());
        gt_context_free(context);
        cr_assert(host.blocks == 0, "%d: %d blocks were lost", (int)tried, (int)host.blocks);
    }
    cr_assert(tried > 100);
}
