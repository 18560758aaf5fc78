/* LSTM and GRU: Keras's own numbers for constant weights, an independent loop over numbers for
 * random ones, central differences, plans, refusals. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <string.h>

#define assert_ok() cr_assert(gt_status() == GT_OK, "%s", gt_error_message())

static void near(gt_Tensor *y, int64_t count, const double *expected, double tolerance)
{
    assert_ok();
    cr_assert(gt_size(y) == count, "%d numbers, not %d", (int)gt_size(y), (int)count);
    for (int64_t i = 0; i < count; i++)
        cr_assert(fabs(gt_element(y, i) - expected[i]) <= tolerance, "[%d] is %.9g, not %.9g",
                  (int)i, gt_element(y, i), expected[i]);
}

/* ---- Keras's layers/rnn tests: x = arange, kernels of 0.01 and 0.02, biases of 0.03 ---- */

typedef struct Golden {
    bool is_lstm, go_backwards, reset_after, unit_forget_bias;
    double y[3]; /* every unit has the same number; one a row of the batch */
} Golden;

static const Golden goldens[] = {
    {true, false, false, true, {.6288687, .86899155, .9460773}},
    {true, true, false, true, {.35622165, .74789524, .8872726}},
    {true, false, false, false, {.57019705, .8661914, .9459622}},
    {false, false, true, false, {.5217289, .6371659, .39384964}},
    {false, true, true, false, {.24406259, .611516, .3928808}},
    {false, false, false, false, {.51447755, .6426879, .40208298}},
};

static gt_Tensor *golden_run(const Golden *g, gt_DType dtype, bool sequences)
{
    int64_t gates = g->is_lstm ? 4 : 3;
    gt_Tensor *x = gt_reshape(gt_arange(0, 72, 1, .dtype = dtype), gt_shape(3, 6, 4));
    gt_Tensor *kernel = gt_full(gt_shape(4, 3 * gates), .01, .dtype = dtype);
    gt_Tensor *recurrent = gt_full(gt_shape(3, 3 * gates), .02, .dtype = dtype);
    gt_Tensor *bias =
        gt_full(g->reset_after ? gt_shape(2, 9) : gt_shape(3 * gates), .03, .dtype = dtype);
    if (g->unit_forget_bias)
        bias = gt_cast(
            gt_array64(gt_shape(12), .03, .03, .03, 1, 1, 1, .03, .03, .03, .03, .03, .03), dtype);
    return g->is_lstm ? gt_lstm(x, kernel, recurrent, bias, .go_backwards = g->go_backwards,
                                .return_sequences = sequences)
                      : gt_gru(x, kernel, recurrent, bias, .go_backwards = g->go_backwards,
                               .reset_after = g->reset_after, .return_sequences = sequences);
}

Test(recurrent, goldens_of_keras)
{
    for (size_t k = 0; k < sizeof goldens / sizeof *goldens; k++)
        for (int wide = 0; wide < 2; wide++) {
            gt_DType dtype = wide ? GT_FLOAT64 : GT_FLOAT32;
            const double *y = goldens[k].y;
            const double all[] = {y[0], y[0], y[0], y[1], y[1], y[1], y[2], y[2], y[2]};
            near(golden_run(&goldens[k], dtype, false), 9, all, 2e-6);
            gt_Tensor *sequences = golden_run(&goldens[k], dtype, true);
            cr_assert(gt_shape_equal(gt_tensor_shape(sequences), gt_shape(3, 6, 3)));
            near(gt_slice(sequences, gt_shape(0, 5, 0), gt_shape(3, 1, 3)), 9, all, 2e-6);
        }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- against loops over numbers, with weights that differ ---- */

enum { BATCH = 2, TIME = 3, FEATURES = 2, UNITS = 2 };
enum { LSTM, GRU_AFTER, GRU_BEFORE, KINDS };

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* One step of one row; w: kernel, recurrent kernel and bias as gradtape takes them. */
static void reference_step(int kind, const double *x, const double *const *w, double *h, double *c)
{
    int gates = kind == LSTM ? 4 : 3, width = gates * UNITS;
    double of_x[4 * UNITS], of_h[4 * UNITS], next[UNITS];
    for (int j = 0; j < width; j++) {
        of_x[j] = w[2][j];
        of_h[j] = kind == GRU_AFTER ? w[2][width + j] : 0;
        for (int f = 0; f < FEATURES; f++)
            of_x[j] += x[f] * w[0][f * width + j];
        for (int u = 0; u < UNITS; u++)
            of_h[j] += h[u] * w[1][u * width + j];
    }
    for (int u = 0; u < UNITS; u++) {
        double z[4];
        for (int g = 0; g < gates; g++)
            z[g] = of_x[g * UNITS + u] + of_h[g * UNITS + u];
        if (kind == LSTM) {
            c[u] = sigmoid(z[1]) * c[u] + sigmoid(z[0]) * tanh(z[2]);
            next[u] = sigmoid(z[3]) * tanh(c[u]);
            continue;
        }
        double candidate = of_x[2 * UNITS + u];
        if (kind == GRU_AFTER)
            candidate += sigmoid(z[1]) * of_h[2 * UNITS + u];
        else
            for (int v = 0; v < UNITS; v++)
                candidate += sigmoid(of_x[UNITS + v] + of_h[UNITS + v]) * h[v] *
                             w[1][v * width + 2 * UNITS + u];
        next[u] = sigmoid(z[0]) * h[u] + (1 - sigmoid(z[0])) * tanh(candidate);
    }
    memcpy(h, next, sizeof next);
}

enum { X, KERNEL, RECURRENT, BIAS, INITIAL_H, INITIAL_C, ARGUMENTS };

static void arguments(int kind, gt_Tensor **in)
{
    int64_t width = (kind == LSTM ? 4 : 3) * UNITS;
    const gt_Shape shapes[ARGUMENTS] = {
        gt_shape(BATCH, TIME, FEATURES), gt_shape(FEATURES, width),
        gt_shape(UNITS, width),          kind == GRU_AFTER ? gt_shape(2, width) : gt_shape(width),
        gt_shape(BATCH, UNITS),          gt_shape(BATCH, UNITS)};
    for (int i = 0; i < ARGUMENTS; i++)
        in[i] = gt_uniform(shapes[i], .low = -1, .high = 1, .dtype = GT_FLOAT64);
}

static gt_Tensor *call(int kind, gt_Tensor *const *in, bool backwards, gt_Tensor **final)
{
    if (kind == LSTM)
        return gt_lstm(in[X], in[KERNEL], in[RECURRENT], in[BIAS], .initial_h = in[INITIAL_H],
                       .initial_c = in[INITIAL_C], .return_sequences = true,
                       .go_backwards = backwards, .final_h = final, .final_c = final + 1);
    return gt_gru(in[X], in[KERNEL], in[RECURRENT], in[BIAS], .initial_h = in[INITIAL_H],
                  .reset_after = kind == GRU_AFTER, .return_sequences = true,
                  .go_backwards = backwards, .final_h = final);
}

Test(recurrent, equations)
{
    for (int kind = 0; kind < KINDS; kind++)
        for (int backwards = 0; backwards < 2; backwards++) {
            gt_Tensor *in[ARGUMENTS], *final[2] = {NULL};
            double y[BATCH * TIME * UNITS], h[BATCH][UNITS], c[BATCH][UNITS];
            arguments(kind, in);
            const double *x = gt_float64_data(in[X]);
            const double *w[] = {gt_float64_data(in[KERNEL]), gt_float64_data(in[RECURRENT]),
                                 gt_float64_data(in[BIAS])};
            memcpy(h, gt_data(in[INITIAL_H]), sizeof h);
            memcpy(c, gt_data(in[INITIAL_C]), sizeof c);
            for (int b = 0; b < BATCH; b++)
                for (int t = 0; t < TIME; t++) {
                    int from = backwards ? TIME - 1 - t : t;
                    reference_step(kind, x + (b * TIME + from) * FEATURES, w, h[b], c[b]);
                    memcpy(y + (b * TIME + t) * UNITS, h[b], sizeof h[b]);
                }
            near(call(kind, in, backwards, final), BATCH * TIME * UNITS, y, 1e-14);
            near(final[0], BATCH * UNITS, h[0], 1e-14);
            if (kind == LSTM)
                near(final[1], BATCH * UNITS, c[0], 1e-14);
        }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- gradients ---- */

/* Every output counts differently, the last state of an LSTM too. */
static gt_Tensor *loss_of(int kind, gt_Tensor *const *in)
{
    gt_Tensor *final[2] = {NULL}, *y = call(kind, in, true, final);
    gt_Tensor *weights = gt_reshape(gt_linspace(1, 2, BATCH * TIME * UNITS, .dtype = GT_FLOAT64),
                                    gt_shape(BATCH, TIME, UNITS));
    gt_Tensor *loss = gt_sum(gt_multiply(gt_sin(y), weights));
    return kind == LSTM ? gt_add(loss, gt_sum(gt_square(final[1]))) : loss;
}

/* The gradient of argument `which`, and of half its squared length: first and second order. */
static void gradients_of(int kind, gt_Tensor *const *in, int which, gt_Tensor **first,
                         gt_Tensor **second)
{
    gt_Tape *outer = gt_tape_begin();
    gt_watch(outer, in[which]);
    gt_Tape *inner = gt_tape_begin();
    gt_watch(inner, in[which]);
    gt_Tensor *slope = gt_gradient(inner, loss_of(kind, in), in[which]);
    gt_tape_end(inner);
    *second = gt_keep(gt_gradient(outer, gt_multiply(gt_sum(gt_square(slope)), 0.5), in[which]));
    *first = gt_keep(slope);
    gt_tape_end(outer);
    assert_ok();
}

static double half_square(gt_Tensor *slope)
{
    return gt_item(gt_sum(gt_square(slope))) / 2;
}

Test(recurrent, central_differences)
{
    const double step = 1e-5;
    for (int kind = 0; kind < KINDS; kind++)
        for (int which = 0; which < (kind == LSTM ? ARGUMENTS : INITIAL_C); which++) {
            gt_Tensor *in[ARGUMENTS], *first, *second, *unused, *above, *below;
            arguments(kind, in);
            gradients_of(kind, in, which, &first, &second);
            gt_Tensor *whole = in[which];
            for (int64_t k = 0; k < gt_size(whole); k++) {
                gt_Tensor *shift =
                    gt_multiply(gt_reshape(gt_one_hot(gt_scalar((double)k, GT_INT64),
                                                      gt_size(whole), .dtype = GT_FLOAT64),
                                           gt_tensor_shape(whole)),
                                step);
                in[which] = gt_add(whole, shift);
                double loss = gt_item(loss_of(kind, in));
                gradients_of(kind, in, which, &above, &unused);
                in[which] = gt_subtract(whole, shift);
                loss -= gt_item(loss_of(kind, in));
                gradients_of(kind, in, which, &below, &unused);
                double slope = loss / (2 * step);
                double curve = (half_square(above) - half_square(below)) / (2 * step);
                cr_assert(fabs(slope - gt_element(first, k)) < 1e-8, "%d %d %d: %g, not %g", kind,
                          which, (int)k, gt_element(first, k), slope);
                cr_assert(fabs(curve - gt_element(second, k)) < 1e-7, "%d %d %d: %g, not %g", kind,
                          which, (int)k, gt_element(second, k), curve);
            }
        }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- plans, sizes of 0, refusals ---- */

static gt_Status traced(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    gt_Tensor *final[2];
    outputs[0] = call(*(int *)context, inputs, false, final);
    return gt_status();
}

Test(recurrent, plans_have_the_same_bits)
{
    for (int kind = 0; kind < KINDS; kind++) {
        gt_Tensor *in[ARGUMENTS], *final[2], *planned;
        arguments(kind, in);
        gt_Tensor *eager = call(kind, in, false, final);
        gt_Function *function = gt_function(traced, &kind, .outputs = 1);
        gt_function_call(function, ((gt_Tensors){in, ARGUMENTS}), &planned);
        assert_ok();
        cr_assert(memcmp(gt_data(eager), gt_data(planned), sizeof(double) * BATCH * TIME * UNITS) ==
                  0);
        gt_function_free(function);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(recurrent, sizes_of_0)
{
    gt_Tensor *kernel = gt_ones(gt_shape(2, 12)), *recurrent = gt_ones(gt_shape(3, 12));
    gt_Tensor *y =
        gt_lstm(gt_zeros(gt_shape(4, 0, 2)), kernel, recurrent, NULL, .return_sequences = true);
    cr_assert(gt_shape_equal(gt_tensor_shape(y), gt_shape(4, 0, 3)));
    gt_Tensor *h = gt_ones(gt_shape(4, 3));
    y = gt_lstm(gt_zeros(gt_shape(4, 0, 2)), kernel, recurrent, NULL, .initial_h = h);
    near(y, 12, (const double[]){1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 0);
    y = (gt_gru)(gt_zeros(gt_shape(0, 5, 2)), gt_ones(gt_shape(2, 9)), gt_ones(gt_shape(3, 9)),
                 NULL);
    cr_assert(gt_shape_equal(gt_tensor_shape(y), gt_shape(0, 3)));
    assert_ok();
    gt_context_free(NULL);
    assert_no_leaks();
}

static void refused(gt_Tensor *y, const char *words)
{
    cr_assert(!y && gt_status() == GT_INVALID && strstr(gt_error_message(), words), "%s",
              gt_error_message());
    gt_error_clear();
}

/* Nothing, or with a context that and no state. */
static gt_Status no_output(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    (void)inputs;
    outputs[0] = context;
    return gt_status();
}

Test(recurrent, refusals)
{
    gt_Tensor *x = gt_ones(gt_shape(2, 3, 4)), *h = gt_ones(gt_shape(2, 5));
    gt_Tensor *k4 = gt_ones(gt_shape(4, 20)), *r4 = gt_ones(gt_shape(5, 20));
    gt_Tensor *k3 = gt_ones(gt_shape(4, 15)), *r3 = gt_ones(gt_shape(5, 15));
    refused(gt_lstm(h, k4, r4, NULL),
            "lstm: x must be floats (batch, time, features) (got float32 (2, 5))");
    refused(gt_lstm(gt_cast(x, GT_INT32), k4, r4, NULL), "(got int32 (2, 3, 4))");
    refused(gt_lstm(x, k4, r3, NULL), "recurrent_kernel must be (units, 4 units) (got (5, 15))");
    refused(gt_lstm(x, k3, r4, NULL), "kernel must be float32 (4, 20) (got float32 (4, 15))");
    refused(gt_lstm(x, k4, gt_cast(r4, GT_FLOAT64), NULL),
            "recurrent_kernel must be float32 (5, 20) (got float64 (5, 20))");
    refused(gt_lstm(x, k4, r4, h), "bias must be float32 (20,) (got float32 (2, 5))");
    refused(gt_lstm(x, k4, r4, NULL, .initial_c = x),
            "initial_c must be float32 (2, 5) (got float32 (2, 3, 4))");
    refused(gt_gru(x, k3, r3, NULL, .initial_h = x),
            "gru: initial_h must be float32 (2, 5) (got float32 (2, 3, 4))");
    refused(gt_gru(x, k3, r3, gt_ones(gt_shape(15))), "bias must be float32 (2, 15)");
    refused(gt_gru(x, k3, r3, gt_ones(gt_shape(2, 15)), .reset_after = false), "float32 (15,)");
    refused(gt_gru(x, NULL, r3, NULL), "gru: spec: the tensor is NULL");
    refused(gt_simple_rnn(x, k4, r4, NULL),
            "recurrent_kernel must be (units, units) (got (5, 20))");
    refused(gt_gru(x, k3, r3, NULL, .mask = gt_ones(gt_shape(2, 3))),
            "gru: mask must be bool (2, 3) (got float32 (2, 3))");
    refused(gt_gru(x, k3, r3, NULL, .mask = gt_ones(gt_shape(3, 2), .dtype = GT_BOOL)),
            "mask must be bool (2, 3) (got bool (3, 2))");
    refused(gt_gru(x, k3, r3, NULL, .dropout_mask = h),
            "dropout_mask must be float32 (2, 4) (got float32 (2, 5))");
    refused(gt_gru(x, k3, r3, NULL, .recurrent_dropout_mask = x),
            "recurrent_dropout_mask must be float32 (3, 2, 5) (got float32 (2, 3, 4))");
    refused(gt_gru_cell(x, h, k3, r3, NULL), "gru_cell: x must be floats (batch, features)");
    gt_Tensor *step = gt_ones(gt_shape(2, 4));
    refused(gt_gru_cell(step, step, k3, r3, NULL), "h must be float32 (2, 5) (got float32 (2, 4))");
    refused(gt_simple_rnn_cell(step, NULL, gt_ones(gt_shape(4, 5)), gt_ones(gt_shape(5, 5)), NULL),
            "simple_rnn_cell: rank: the tensor is NULL");
    gt_LSTMState both = gt_lstm_cell(step, h, step, k4, r4, NULL);
    cr_assert(!both.h);
    refused(both.c, "lstm_cell: c must be float32 (2, 5) (got float32 (2, 4))");
    refused(gt_rnn(no_output, NULL, x, gt_tensors(h)), "rnn: the cell made no output");
    refused(gt_rnn(no_output, x, x, gt_tensors(h)), "rnn: the cell made no state 0");
    refused(gt_rnn(NULL, NULL, x, gt_tensors(h)), "rnn: the cell is NULL");
    refused(gt_rnn(no_output, NULL, gt_ones(gt_shape(3)), gt_tensors(h)),
            "x must be (batch, time, ...)");
    refused(gt_rnn(no_output, NULL, gt_ones(gt_shape(2, 0, 4)), gt_tensors(h)),
            "x must have at least one step");
    refused(gt_rnn(no_output, NULL, x, ((gt_Tensors){&h, 65})),
            "a cell may have up to 64 states (got 65)");
    gt_context_free(NULL);
    assert_no_leaks();
}
