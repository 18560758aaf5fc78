/* LSTM and GRU as one operation: the same numbers and gradients as their composition of operations, on every instruction set,
 * for batches around every tile; the same bits for any number of threads, eagerly and in plans. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define assert_ok() cr_assert(gt_status() == GT_OK, "%s", gt_error_message())

static const char *const sets[] = {"base", "v3", "v4"};

/* Other functions than gt_tanh and gt_sigmoid, so that the sequence is composed. */
static gt_Tensor *plain_tanh(gt_Tensor *x)
{
    return gt_tanh(x);
}
static gt_Tensor *plain_sigmoid(gt_Tensor *x)
{
    return gt_sigmoid(x);
}

/* One call: which cell, how, of which sizes. */
typedef struct Call {
    bool gru, composed, backwards, sequences, zero, bias, masked, states;
    int64_t batch, time, features, units;
} Call;

enum { X, KERNEL, RECURRENT, BIAS, H0, C0, ARGUMENTS };

static gt_Tensor *numbers(gt_Shape shape, double scale, double start, gt_DType dtype)
{
    int64_t n = 1;
    for (int d = 0; d < shape.rank; d++)
        n *= shape.dims[d];
    gt_Tensor *x =
        gt_sin(gt_multiply(gt_add(gt_arange(0, (double)n, 1, .dtype = GT_FLOAT64), start), 1.7));
    return gt_cast(gt_reshape(gt_multiply(x, scale), shape), dtype);
}

static void arguments(const Call *c, gt_DType dtype, gt_Tensor **in)
{
    int64_t gates = c->gru ? 3 : 4, wide = gates * c->units;
    double scale = 1.5 / sqrt((double)c->units);
    in[X] = numbers(gt_shape(c->batch, c->time, c->features), 1, 0, dtype);
    in[KERNEL] = numbers(gt_shape(c->features, wide), 1, 3, dtype);
    in[RECURRENT] = numbers(gt_shape(c->units, wide), scale, 5, dtype);
    in[BIAS] = numbers(c->gru ? gt_shape(2, wide) : gt_shape(wide), 0.5, 7, dtype);
    in[H0] = numbers(gt_shape(c->batch, c->units), 0.7, 9, dtype);
    in[C0] = numbers(gt_shape(c->batch, c->units), 0.9, 11, dtype);
}

/* Every fifth step, and all of the third row, are left out. */
static gt_Tensor *mask_of(const Call *c)
{
    double kept[4096];
    cr_assert(c->batch * c->time <= 4096);
    for (int64_t i = 0; i < c->batch * c->time; i++)
        kept[i] = i % 5 != 0 && i / c->time != 2;
    return gt_from_values(gt_shape(c->batch, c->time), GT_BOOL, c->batch * c->time, kept);
}

/* The output, then the last states. */
static gt_Tensor *run(const Call *c, gt_Tensor *const *in, gt_Tensor **last)
{
    gt_Tensor *mask = c->masked ? mask_of(c) : NULL, *bias = c->bias ? in[BIAS] : NULL;
    gt_Tensor *h0 = c->states ? in[H0] : NULL, *c0 = c->states ? in[C0] : NULL;
    gt_TensorFunction activation = c->composed ? plain_tanh : gt_tanh;
    gt_TensorFunction recurrent = c->composed ? plain_sigmoid : gt_sigmoid;
    last[1] = NULL;
    if (c->gru)
        return gt_gru(in[X], in[KERNEL], in[RECURRENT], bias, .mask = mask, .initial_h = h0,
                      .final_h = last, .go_backwards = c->backwards,
                      .return_sequences = c->sequences, .zero_output_for_mask = c->zero,
                      .activation = activation, .recurrent_activation = recurrent);
    return gt_lstm(in[X], in[KERNEL], in[RECURRENT], bias, .mask = mask, .initial_h = h0,
                   .initial_c = c0, .final_h = last, .final_c = last + 1,
                   .go_backwards = c->backwards, .return_sequences = c->sequences,
                   .zero_output_for_mask = c->zero, .activation = activation,
                   .recurrent_activation = recurrent);
}

/* Reads everything, each number with another weight. */
static gt_Tensor *loss_of(const Call *c, gt_Tensor *const *in)
{
    gt_Tensor *last[2], *y = run(c, in, last);
    gt_Tensor *loss =
        gt_sum(gt_multiply(gt_sin(y), numbers(gt_tensor_shape(y), 1, 2, gt_dtype(y))));
    for (int i = 0; i < 2; i++)
        if (last[i])
            loss = gt_add(loss, gt_sum(gt_multiply(gt_square(last[i]), 0.3 + i)));
    return loss;
}

enum { RESULTS = 3 + ARGUMENTS };

/* The output, the last states, and the gradients of all arguments; NULL where there is none. */
static void all_of(const Call *c, gt_Tensor *const *in, gt_Tensor **result)
{
    gt_Tape *tape = gt_tape_begin();
    for (int i = 0; i < ARGUMENTS; i++)
        gt_watch(tape, in[i]);
    result[0] = run(c, in, result + 1);
    gt_gradients(tape, gt_tensors(loss_of(c, in)),
                 ((gt_Tensors){(gt_Tensor **)(uintptr_t)in, ARGUMENTS}), result + 3,
                 .unconnected = GT_UNCONNECTED_NONE);
    for (int i = 0; i < RESULTS; i++)
        if (result[i])
            gt_keep(result[i]);
    gt_tape_end(tape);
    assert_ok();
}

static double distance(gt_Tensor *a, gt_Tensor *b)
{
    if (!a || !b)
        return a == b ? 0 : INFINITY;
    double most =
        gt_size(a)
            ? gt_item(gt_max(gt_abs(gt_subtract(gt_cast(a, GT_FLOAT64), gt_cast(b, GT_FLOAT64)))))
            : 0;
    assert_ok();
    return most;
}

/* Fused against composed, in float64; and fused in float32 against that. */
static void compare(Call c)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *in[ARGUMENTS], *fused[RESULTS], *composed[RESULTS], *single[RESULTS];
    arguments(&c, GT_FLOAT64, in);
    all_of(&c, in, fused);
    c.composed = true;
    all_of(&c, in, composed);
    c.composed = false;
    arguments(&c, GT_FLOAT32, in);
    all_of(&c, in, single);
    for (int i = 0; i < RESULTS; i++) {
        double size = composed[i] ? 1 + gt_item(gt_max(gt_abs(composed[i]))) : 1;
        double apart = distance(fused[i], composed[i]) / size;
        double wide = distance(single[i], composed[i]) / size;
        cr_expect(apart < 1e-12 && wide < 2e-5,
                  "gru %d backwards %d sequences %d masked %d states %d batch %d time %d units %d, "
                  "result %d: %g, in float32 %g",
                  c.gru, c.backwards, c.sequences, c.masked, c.states, (int)c.batch, (int)c.time,
                  (int)c.units, i, apart, wide);
    }
    gt_scope_end(scope);
}

/* On each instruction set there is, in a context of its own. */
static void on_each_set(void (*body)(void))
{
    for (size_t k = 0; k < sizeof sets / sizeof *sets; k++) {
        setenv("GT_ISA", sets[k], 1);
        gt_context_free(NULL);
        body();
        assert_ok();
    }
    unsetenv("GT_ISA");
    gt_context_free(NULL);
    assert_no_leaks();
}

static void options_in_every_combination(void)
{
    for (int bits = 0; bits < 128; bits++)
        compare((Call){.gru = bits & 1,
                       .backwards = bits & 2,
                       .sequences = bits & 4,
                       .masked = bits & 8,
                       .states = bits & 16,
                       .zero = bits & 32,
                       .bias = bits & 64,
                       .batch = 4,
                       .time = 6,
                       .features = 3,
                       .units = 5});
}

Test(sequences, options)
{
    on_each_set(options_in_every_combination);
}

static void sizes_around_tiles(void)
{
    static const int64_t batches[] = {1, 2, 7, 8, 9, 17, 97, 130}, units[] = {1, 3, 8, 17, 33};
    for (int gru = 0; gru < 2; gru++) {
        for (size_t b = 0; b < sizeof batches / sizeof *batches; b++)
            compare((Call){.gru = gru,
                           .bias = true,
                           .states = true,
                           .masked = true,
                           .sequences = true,
                           .batch = batches[b],
                           .time = 3,
                           .features = 2,
                           .units = 20});
        for (size_t u = 0; u < sizeof units / sizeof *units; u++)
            compare((Call){.gru = gru,
                           .bias = true,
                           .batch = 11,
                           .time = 2,
                           .features = 1,
                           .units = units[u]});
        compare((Call){.gru = gru, .bias = true, .batch = 3, .time = 1, .features = 4, .units = 6});
    }
}

Test(sequences, sizes)
{
    on_each_set(sizes_around_tiles);
}

/* ---- bits ---- */

static gt_Status traced(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    all_of(context, inputs, outputs);
    for (int i = 0; i < RESULTS; i++)
        outputs[i] = outputs[i] ? outputs[i] : gt_zeros(gt_shape(1));
    return gt_status();
}

static void *bytes_of(gt_Tensor *const *result, size_t *count)
{
    size_t total = 0;
    for (int i = 0; i < RESULTS; i++)
        total += result[i] ? (size_t)gt_size(result[i]) * sizeof(float) : 0;
    char *bytes = malloc(total), *at = bytes;
    for (int i = 0; i < RESULTS; i++)
        if (result[i]) {
            size_t n = (size_t)gt_size(result[i]) * sizeof(float);
            memcpy(at, gt_data(result[i]), n);
            at += n;
        }
    *count = total;
    return bytes;
}

/* float32; rows in tiles of 8, of 40, two of which go through a step together, and of 256, which do so in parts. */
Test(sequences, threads_and_plans)
{
    static const int64_t sizes[][3] = {{40, 9, 32}, {650, 2, 16}, {700, 2, 4}};
    for (int i = 0; i < 2 * 3; i++) {
        const int64_t *size = sizes[i / 2];
        const int gru = i % 2;
        Call c = {.gru = gru,
                  .bias = true,
                  .states = i / 2 == 0,
                  .masked = true,
                  .sequences = true,
                  .batch = size[0],
                  .time = size[1],
                  .features = 5,
                  .units = size[2]};
        void *first = NULL;
        size_t bytes = 0, count;
        for (int threads = 1; threads <= 3; threads++) {
            gt_set_threads(threads);
            gt_Scope *scope = gt_scope_begin();
            gt_Tensor *in[ARGUMENTS], *result[RESULTS], *planned[RESULTS];
            arguments(&c, GT_FLOAT32, in);
            all_of(&c, in, result);
            gt_Function *function = gt_function(traced, &c, .outputs = RESULTS);
            gt_function_call(function, ((gt_Tensors){in, ARGUMENTS}), planned);
            assert_ok();
            for (int r = 0; r < RESULTS; r++)
                planned[r] = result[r] ? planned[r] : NULL;
            void *eager = bytes_of(result, &count), *plan = bytes_of(planned, &bytes);
            cr_expect(count == bytes && memcmp(eager, plan, bytes) == 0, "gru %d, batch %d, plan",
                      gru, (int)c.batch);
            cr_expect(!first || memcmp(eager, first, bytes) == 0, "gru %d, batch %d, %d threads",
                      gru, (int)c.batch, threads);
            free(plan);
            if (first)
                free(eager);
            else
                first = eager;
            gt_function_free(function);
            gt_scope_end(scope);
        }
        free(first);
        gt_context_free(NULL);
    }
    assert_no_leaks();
}

/* ---- higher orders ---- */

/* The gradient of the argument, of half its square, and of half the square of that. */
static void three_orders(const Call *c, gt_Tensor *const *in, int which, gt_Tensor **order)
{
    gt_Tape *third = gt_tape_begin();
    gt_watch(third, in[which]);
    gt_Tape *second = gt_tape_begin();
    gt_watch(second, in[which]);
    gt_Tape *first = gt_tape_begin();
    gt_watch(first, in[which]);
    order[0] = gt_gradient(first, loss_of(c, in), in[which]);
    gt_tape_end(first);
    order[1] = gt_gradient(second, gt_multiply(gt_sum(gt_square(order[0])), 0.5), in[which]);
    gt_tape_end(second);
    order[2] = gt_gradient(third, gt_multiply(gt_sum(gt_square(order[1])), 0.5), in[which]);
    for (int i = 0; i < 3; i++)
        gt_keep(order[i]);
    gt_tape_end(third);
    assert_ok();
}

Test(sequences, third_order)
{
    for (int gru = 0; gru < 2; gru++)
        for (int which = 0; which < (gru ? C0 : ARGUMENTS); which++) {
            gt_Scope *scope = gt_scope_begin();
            Call c = {.gru = gru,
                      .bias = true,
                      .states = true,
                      .masked = true,
                      .batch = 3,
                      .time = 4,
                      .features = 2,
                      .units = 2};
            gt_Tensor *in[ARGUMENTS], *fused[3], *composed[3];
            arguments(&c, GT_FLOAT64, in);
            three_orders(&c, in, which, fused);
            c.composed = true;
            three_orders(&c, in, which, composed);
            for (int i = 0; i < 3; i++) {
                double size = gt_item(gt_max(gt_abs(composed[i])));
                cr_expect(size > 1e-6 && distance(fused[i], composed[i]) < 1e-11 * (1 + size),
                          "gru %d, argument %d, order %d: %g of %g", gru, which, i + 1,
                          distance(fused[i], composed[i]), size);
            }
            gt_scope_end(scope);
        }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- layers ---- */

static gt_Status calls_layer(void *layer, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    outputs[0] = gt_call(layer, inputs[0], .training = true);
    return gt_status();
}

/* Layers take the operations: they are in their plans. */
Test(sequences, layers)
{
    static const char *const names[] = {"lstm_sequence", "gru_sequence", "lstm_sequence"};
    gt_Layer *layers[] = {gt_LSTM(3), gt_GRU(3, .return_sequences = true),
                          gt_Bidirectional(gt_LSTM(2, .dropout = 0.2))};
    gt_Tensor *x = numbers(gt_shape(2, 5, 4), 1, 0, GT_FLOAT32), *y;
    for (int i = 0; i < 3; i++) {
        gt_call(layers[i], x);
        gt_Function *function = gt_function(calls_layer, layers[i]);
        gt_function_call(function, gt_tensors(x), &y);
        assert_ok();
        cr_expect(strstr(gt_function_print(function), names[i]), "%s", gt_function_print(function));
        gt_function_free(function);
        gt_layer_free(layers[i]);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- what one row or one operand must not do to another ---- */

/* NaN where row 0 is padding: the gradients of all other rows are numbers, with any number of threads. */
static int rows_with_nan(bool gru, int threads)
{
    enum { BATCH = 64, TIME = 6, FEATURES = 3, UNITS = 32 };
    const int gates = gru ? 3 : 4;
    gt_set_threads(threads);
    gt_Scope *scope = gt_scope_begin();
    static float numbers[BATCH * TIME * FEATURES], steps[BATCH * TIME];
    for (int i = 0; i < BATCH * TIME * FEATURES; i++)
        numbers[i] = sinf((float)i);
    for (int i = 0; i < BATCH * TIME; i++)
        steps[i] = i % TIME < TIME - 2;
    for (int f = 0; f < FEATURES; f++)
        numbers[(TIME - 1) * FEATURES + f] = NAN;
    gt_Tensor *x = gt_from_data(numbers, gt_shape(BATCH, TIME, FEATURES), GT_FLOAT32);
    gt_Tensor *mask = gt_greater(gt_from_data(steps, gt_shape(BATCH, TIME), GT_FLOAT32), 0.5);
    gt_Variable *generator = gt_generator(3);
    gt_Tensor *kernel =
        gt_normal(gt_shape(FEATURES, gates * UNITS), .stddev = 0.3, .generator = generator);
    gt_Tensor *recurrent =
        gt_normal(gt_shape(UNITS, gates * UNITS), .stddev = 0.1, .generator = generator);
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, x);
    gt_Tensor *y = gru ? gt_gru(x, kernel, recurrent, NULL, .mask = mask)
                       : gt_lstm(x, kernel, recurrent, NULL, .mask = mask);
    const float *dx = gt_data(gt_gradient(tape, gt_sum(y), x));
    int rows = 0;
    for (int row = 0; row < BATCH; row++) {
        bool any = false;
        for (int i = 0; i < TIME * FEATURES; i++)
            any |= dx[row * TIME * FEATURES + i] != dx[row * TIME * FEATURES + i];
        rows += any;
    }
    gt_tape_end(tape);
    gt_variable_free(generator);
    gt_scope_end(scope);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    return rows;
}

Test(sequences, padding_of_one_row)
{
    for (int gru = 0; gru < 2; gru++)
        for (int threads = 1; threads <= 3; threads++)
            cr_expect(rows_with_nan(gru, threads) <= 1, "%s, %d threads", gru ? "gru" : "lstm",
                      threads);
    gt_context_free(NULL);
}

/* The recurrent kernel is a view of what the product of x and the kernel gives: a plan must not write gates over it. */
static gt_Status shares_memory(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_Tensor *recurrent = gt_reshape(gt_matmul(in[0], in[1]), gt_shape(2, 8));
    out[0] = gt_lstm(in[0], in[1], recurrent, NULL, .return_sequences = true);
    return gt_status();
}

Test(sequences, an_operand_that_shares_memory)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *in[] = {
        gt_sin(gt_reshape(gt_arange(0, 6, 1, .dtype = GT_FLOAT32), gt_shape(1, 2, 3))),
        gt_cos(gt_reshape(gt_arange(0, 24, 1, .dtype = GT_FLOAT32), gt_shape(3, 8)))};
    gt_Tensor *eager = NULL, *planned = NULL;
    shares_memory(NULL, in, &eager);
    gt_Function *function = gt_function(shares_memory, NULL);
    gt_function_call(function, gt_tensors(in[0], in[1]), &planned);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    cr_expect(memcmp(gt_data(eager), gt_data(planned), 4 * sizeof(float)) == 0);
    gt_function_free(function);
    gt_scope_end(scope);
    gt_context_free(NULL);
}

/* Between layers, where the length is not known. */
Test(sequences, symbols)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(-1, 3));
    gt_Tensor *kernel = gt_ones(gt_shape(3, 8)), *recurrent = gt_ones(gt_shape(2, 8));
    gt_Layer *model = gt_Model(gt_tensors(x), gt_tensors(gt_lstm(x, kernel, recurrent, NULL)));
    for (int steps = 1; steps < 4; steps++) {
        gt_Tensor *y = gt_call(model, gt_ones(gt_shape(2, steps, 3)));
        gt_Tensor *wanted = gt_lstm(gt_ones(gt_shape(2, steps, 3)), kernel, recurrent, NULL);
        cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
        cr_expect(memcmp(gt_data(y), gt_data(wanted), 4 * sizeof(float)) == 0, "%d steps", steps);
    }
    gt_layer_free(model);
    gt_scope_end(scope);
    gt_context_free(NULL);
}
