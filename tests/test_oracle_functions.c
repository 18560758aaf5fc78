/* The functions of ops/nn that are made of other operations, against Keras: values and vector-Jacobian products of
 * tests/oracle/functions.safetensors (made by make_functions.py), second derivatives against differences of the first. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_INPUTS = 6, SMALL = 400 };

static const gt_TensorFile *oracle;

static gt_Tensor *load(const char *name, const char *part, int index)
{
    char full[80];
    if (index >= 0)
        snprintf(full, sizeof full, "%s.%s%d", name, part, index);
    else
        snprintf(full, sizeof full, "%s.%s", name, part);
    gt_Tensor *tensor = gt_tensor_file_load_named(oracle, full);
    cr_assert(tensor, "%s", gt_error_message());
    return tensor;
}

/* What is no mask has the type that is tried. */
static gt_Tensor *given(const char *name, const char *part, gt_DType dtype)
{
    gt_Tensor *tensor = load(name, part, -1);
    return gt_dtype(tensor) == GT_BOOL ? tensor : gt_cast(tensor, dtype);
}

/* CASE(name, inputs, what is computed of a to f). GIVEN(part) is what the case has besides its inputs. */
#define SIZE(...)   gt_shape(__VA_ARGS__)
#define GIVEN(part) given(name, #part, gt_dtype(a))
#define ACTIVATIONS(CASE)                                                                          \
    CASE(celu, 1, gt_celu(a))                                                                      \
    CASE(celu_alpha, 1, gt_celu(a, .alpha = 0.4))                                                  \
    CASE(glu, 1, gt_glu(a))                                                                        \
    CASE(glu_axis, 1, gt_glu(a, .axis = 0))                                                        \
    CASE(hard_tanh, 1, gt_hard_tanh(a))                                                            \
    CASE(tanh_shrink, 1, gt_tanh_shrink(a))                                                        \
    CASE(hard_shrink, 1, gt_hard_shrink(a))                                                        \
    CASE(hard_shrink_width, 1, gt_hard_shrink(a, .threshold = 1.25))                               \
    CASE(soft_shrink, 1, gt_soft_shrink(a))                                                        \
    CASE(soft_shrink_width, 1, gt_soft_shrink(a, .threshold = 1.25))                               \
    CASE(threshold, 1, gt_threshold(a, 0.5, -0.75))                                                \
    CASE(squareplus, 1, gt_squareplus(a))                                                          \
    CASE(squareplus_b, 1, gt_squareplus(a, .b = 0.5))                                              \
    CASE(sparse_plus, 1, gt_sparse_plus(a))                                                        \
    CASE(sparse_sigmoid, 1, gt_sparse_sigmoid(a))                                                  \
    CASE(sparsemax, 1, gt_sparsemax(a))                                                            \
    CASE(sparsemax_axis, 1, gt_sparsemax(a, .axis = 1))                                            \
    CASE(relu_options, 1, gt_relu(a, .negative_slope = 0.3, .max_value = 1.75, .threshold = 0.5))

/* ---- recurrent networks: the last three of make_functions.py's options are bits of `code` ---- */

enum { SEQUENCES = 1, BACKWARDS = 2, MASKED = 4, ZERO = 8, MOST_STATES = 2 };

/* The outputs and then the last states, flat. */
static gt_Tensor *flat(gt_Tensor *y, gt_Tensor **state, int states)
{
    gt_Tensor *parts[1 + MOST_STATES] = {y ? gt_ravel(y) : NULL};
    for (int i = 0; i < states; i++)
        parts[1 + i] = gt_ravel(state[i]);
    return gt_concatenate(((gt_Tensors){parts, 1 + states}));
}

#define HOW(code)                                                                                  \
    .return_sequences = (code)&SEQUENCES, .go_backwards = (code)&BACKWARDS,                        \
    .zero_output_for_mask = (code)&ZERO, .mask = (code)&MASKED ? GIVEN(mask) : NULL
#define IN          ((gt_Tensor *[]){a, b, c, d})
#define LSTM(...)   run_lstm(IN, GT_KEYWORDS(gt_lstm, __VA_ARGS__))
#define GRU(...)    run_gru(IN, GT_KEYWORDS(gt_gru, __VA_ARGS__))
#define SIMPLE(...) run_simple(IN, GT_KEYWORDS(gt_simple_rnn, __VA_ARGS__))

static gt_Tensor *run_lstm(gt_Tensor *const *in, const gt_lstm_options *given)
{
    gt_Tensor *last[2];
    gt_lstm_options options;
    memcpy(&options, given,
           sizeof options); /* the keywords of a call are another struct to the compiler */
    options.final_h = &last[0];
    options.final_c = &last[1];
    return flat(gt_lstm_at("here", in[0], in[1], in[2], in[3], &options), last, 2);
}

static gt_Tensor *run_gru(gt_Tensor *const *in, const gt_gru_options *given)
{
    gt_Tensor *last;
    gt_gru_options options;
    memcpy(&options, given, sizeof options);
    options.final_h = &last;
    return flat(gt_gru_at("here", in[0], in[1], in[2], in[3], &options), &last, 1);
}

static gt_Tensor *run_simple(gt_Tensor *const *in, const gt_simple_rnn_options *given)
{
    gt_Tensor *last;
    gt_simple_rnn_options options;
    memcpy(&options, given, sizeof options);
    options.final_h = &last;
    return flat(gt_simple_rnn_at("here", in[0], in[1], in[2], in[3], &options), &last, 1);
}

/* A cell whose output is none of its states; the kernel is the context. */
static gt_Status leaky(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    gt_Tensor *h = inputs[1], *sum = inputs[2];
    gt_Tensor *fresh = gt_tanh(gt_add(gt_matmul(inputs[0], context), h));
    outputs[0] = gt_multiply(fresh, sum);
    outputs[1] = gt_multiply(gt_add(h, fresh), 0.5);
    outputs[2] = gt_add(sum, h);
    return gt_status();
}

static gt_Tensor *run_leaky(const char *name, int code, gt_Tensor *x, gt_Tensor *kernel,
                            gt_Tensor *h, gt_Tensor *sum)
{
    gt_Tensor *last[2], *a = x;
    return flat(gt_rnn(leaky, kernel, x, gt_tensors(h, sum), HOW(code), .final_states = last), last,
                2);
}

/* A sequence by the function of one step, which must be the same. */
static gt_Tensor *step_by_step(int cell, gt_Tensor *const *in, gt_Tensor *h, gt_Tensor *state)
{
    gt_Tensor *step[8];
    int64_t time = gt_tensor_shape(in[0]).dims[1];
    gt_unstack(in[0], (int)time, step, .axis = 1);
    for (int t = 0; t < time; t++) {
        if (cell == 4) {
            gt_LSTMState next = gt_lstm_cell(step[t], h, state, in[1], in[2], in[3]);
            h = next.h;
            state = next.c;
        } else {
            h = cell == 3 ? gt_gru_cell(step[t], h, in[1], in[2], in[3])
                          : gt_simple_rnn_cell(step[t], h, in[1], in[2], in[3]);
        }
        step[t] = h;
    }
    gt_Tensor *y = gt_stack(((gt_Tensors){step, (int32_t)time}), .axis = 1);
    return flat(y, (gt_Tensor *[]){h, state}, cell == 4 ? 2 : 1);
}

#define CODES(ROW, CASE)                                                                           \
    ROW(0, CASE)                                                                                   \
    ROW(1, CASE)                                                                                   \
    ROW(2, CASE)                                                                                   \
    ROW(3, CASE)                                                                                   \
    ROW(4, CASE)                                                                                   \
    ROW(5, CASE)                                                                                   \
    ROW(6, CASE)                                                                                   \
    ROW(7, CASE)                                                                                   \
    ROW(12, CASE)                                                                                  \
    ROW(13, CASE)                                                                                  \
    ROW(14, CASE)                                                                                  \
    ROW(15, CASE)
#define EVERY(code, CASE)                                                                          \
    CASE(lstm_##code, 6, LSTM(HOW(code), .initial_h = e, .initial_c = f))                          \
    CASE(gru_##code, 5, GRU(HOW(code), .initial_h = e))                                            \
    CASE(simple_rnn_##code, 5, SIMPLE(HOW(code), .initial_h = e))                                  \
    CASE(rnn_##code, 4, run_leaky(name, code, a, b, c, d))
#define DROPS .dropout_mask = GIVEN(dropout), .recurrent_dropout_mask = GIVEN(recurrent)
#define RECURRENT(CASE)                                                                            \
    CODES(EVERY, CASE)                                                                             \
    CASE(lstm_from_0, 4, LSTM(HOW(SEQUENCES | MASKED)))                                            \
    CASE(gru_from_0, 4, GRU(HOW(SEQUENCES | MASKED)))                                              \
    CASE(simple_rnn_from_0, 4, SIMPLE(HOW(SEQUENCES | MASKED)))                                    \
    CASE(lstm_functions, 4,                                                                        \
         LSTM(HOW(SEQUENCES), .activation = gt_softsign, .recurrent_activation = gt_silu))         \
    CASE(gru_functions, 4,                                                                         \
         GRU(HOW(SEQUENCES), .activation = gt_softsign, .recurrent_activation = gt_silu))          \
    CASE(simple_rnn_functions, 4, SIMPLE(HOW(SEQUENCES), .activation = gt_softsign))               \
    CASE(lstm_dropout, 4, LSTM(HOW(SEQUENCES), DROPS))                                             \
    CASE(lstm_dropout_of_x, 4, LSTM(HOW(SEQUENCES), .dropout_mask = GIVEN(dropout)))               \
    CASE(gru_dropout, 4, GRU(HOW(SEQUENCES), DROPS))                                               \
    CASE(lstm_cell, 6, step_by_step(4, in, e, f))                                                  \
    CASE(gru_cell, 5, step_by_step(3, in, e, NULL))                                                \
    CASE(simple_rnn_cell, 5, step_by_step(1, in, e, NULL))                                         \
    CASE(simple_rnn_dropout, 4, SIMPLE(HOW(SEQUENCES), DROPS))                                     \
    CASE(gru_reset_before, 5, GRU(HOW(SEQUENCES), .reset_after = false, .initial_h = e))           \
    CASE(gru_reset_before_dropout, 5,                                                              \
         GRU(HOW(SEQUENCES), .reset_after = false, .initial_h = e, DROPS))

/* ---- attention ---- */

/* The result and then the weights, flat. */
static gt_Tensor *run_heads(gt_Tensor *const *in, const gt_dot_product_attention_options *given)
{
    gt_Tensor *weights;
    gt_dot_product_attention_options options;
    memcpy(&options, given, sizeof options);
    options.weights = &weights;
    return flat(gt_dot_product_attention_at("here", in[0], in[1], in[2], &options), &weights, 1);
}

static gt_Tensor *run_attention(gt_Tensor *const *in, const gt_attention_options *given)
{
    gt_Tensor *weights;
    gt_attention_options options;
    memcpy(&options, given, sizeof options);
    options.key = in[2];
    options.weights = &weights;
    return flat(gt_attention_at("here", in[0], in[1], &options), &weights, 1);
}

static gt_Tensor *run_additive(gt_Tensor *const *in, const gt_additive_attention_options *given)
{
    gt_Tensor *weights;
    gt_additive_attention_options options;
    memcpy(&options, given, sizeof options);
    options.key = in[2];
    options.weights = &weights;
    return flat(gt_additive_attention_at("here", in[0], in[1], &options), &weights, 1);
}

#define HEADS(...)  run_heads(IN, GT_KEYWORDS(gt_dot_product_attention, __VA_ARGS__))
#define LOOKS(...)  run_attention(IN, GT_KEYWORDS(gt_attention, __VA_ARGS__))
#define ADDS(...)   run_additive(IN, GT_KEYWORDS(gt_additive_attention, __VA_ARGS__))
#define MASKS       .query_mask = GIVEN(query_mask), .value_mask = GIVEN(value_mask)
#define PLACES(key) gt_get_item(GIVEN(mask), key)
#define ATTENTION(CASE)                                                                            \
    CASE(heads_masks, 3,                                                                           \
         gt_dot_product_attention(a, b, c, .scale = 0.7, .mask = GIVEN(mask), MASKS))              \
    CASE(heads_causal, 3,                                                                          \
         gt_dot_product_attention(a, b, c, .scale = 0.7, .is_causal = true,                        \
                                  .value_mask = GIVEN(value_mask)))                                \
    CASE(heads_bias, 3, gt_dot_product_attention(a, b, c, .scale = 0.7, .bias = GIVEN(bias)))      \
    CASE(heads_grouped, 3, gt_dot_product_attention(a, b, c, .scale = 0.7))                        \
    CASE(pixels_all, 3, HEADS(.mask = PLACES(":, newaxis")))                                       \
    CASE(pixels_rows, 3, HEADS(.mask = PLACES(":, :, newaxis"), .axes = gt_axes(2)))               \
    CASE(pixels_columns, 3, HEADS(.mask = PLACES(":, :, newaxis"), .axes = gt_axes(-4)))           \
    CASE(attention, 3, LOOKS(.scale = NULL))                                                       \
    CASE(attention_scale, 4, LOOKS(.scale = d))                                                    \
    CASE(attention_concat, 5,                                                                      \
         LOOKS(.score_mode = GT_SCORE_MODE_CONCAT, .scale = d, .concat_score_weight = e))          \
    CASE(attention_masked, 3, LOOKS(MASKS, .is_causal = true))                                     \
    CASE(additive, 3, ADDS(.scale = NULL))                                                         \
    CASE(additive_masked, 4, ADDS(MASKS, .scale = d, .is_causal = true))

/* ---- pooling, normalization ---- */

static gt_Tensor *masked_moments(gt_Tensor *x, gt_Tensor *mask)
{
    gt_Tensor *mean, *variance;
    gt_moments(x, &mean, &variance, .axes = gt_axes(0, 1), .mask = mask);
    return flat(mean, &variance, 1);
}

static gt_Tensor *spectral(gt_Tensor *kernel, gt_Tensor *u, int count)
{
    gt_UnitKernel both = gt_spectral_normalization(kernel, u, .power_iterations = count);
    return flat(both.kernel, &both.u, 1);
}

#define IMAGES(CASE)                                                                               \
    CASE(adaptive_average1d, 1, gt_adaptive_average_pool(a, SIZE(3)))                              \
    CASE(adaptive_average2d, 1, gt_adaptive_average_pool(a, SIZE(3, 4)))                           \
    CASE(adaptive_average3d, 1, gt_adaptive_average_pool(a, SIZE(2, 3, 3)))                        \
    CASE(adaptive_average_larger, 1, gt_adaptive_average_pool(a, SIZE(7, 4)))                      \
    CASE(adaptive_max1d, 1, gt_adaptive_max_pool(a, SIZE(4)))                                      \
    CASE(adaptive_max2d, 1, gt_adaptive_max_pool(a, SIZE(2, 3)))                                   \
    CASE(adaptive_max3d, 1, gt_adaptive_max_pool(a, SIZE(2, 3, 3)))                                \
    CASE(moments_masked, 1, masked_moments(a, GIVEN(mask)))                                        \
    CASE(moments_masked_rows, 1, masked_moments(a, GIVEN(mask)))                                   \
    CASE(spectral, 1, spectral(a, GIVEN(u), 1))                                                    \
    CASE(spectral_conv, 1, spectral(a, GIVEN(u), 3))                                               \
    CASE(unit_axes, 1, gt_normalize(a, .axes = gt_axes(1, 2)))                                     \
    CASE(instance, 1, gt_group_normalization(a, .groups = -1))                                     \
    CASE(group_axis, 1, gt_group_normalization(a, .groups = 2, .axis = 1, .epsilon = 0.01))

#define MEL                                                                                        \
    .fft_length = 32, .sequence_stride = 12, .sampling_rate = 8000, .num_mel_bins = 5,             \
    .min_freq = 50
#define SHAPES(CASE)                                                                               \
    CASE(batch_dot, 2, gt_batch_dot(a, b, .axes = gt_axes(2, 1)))                                  \
    CASE(batch_dot_default, 2, gt_batch_dot(a, b))                                                 \
    CASE(batch_dot_vectors, 2, gt_batch_dot(a, b, .axes = gt_axes(1)))                             \
    CASE(batch_dot_cosine, 2, gt_batch_dot(a, b, .axes = gt_axes(-1), .normalize = true))          \
    CASE(batch_dot_many, 2, gt_batch_dot(a, b, .axes = gt_axes(1, -1), .normalize = true))         \
    CASE(batch_dot_mixed, 2, gt_batch_dot(a, b, .axes = gt_axes(1, 1)))                            \
    CASE(crop1d, 1, gt_crop(a, SIZE(0, 1, 0), SIZE(0, 2, 0)))                                      \
    CASE(crop3d, 1, gt_crop(a, SIZE(0, 1, 0, 1, 0), SIZE(0, 0, 2, 1, 0)))                          \
    CASE(upsample1d, 1, gt_upsample(a, SIZE(3)))                                                   \
    CASE(upsample2d, 1, gt_upsample(a, SIZE(2, 3)))                                                \
    CASE(upsample3d, 1, gt_upsample(a, SIZE(2, 1, 3)))                                             \
    CASE(upsample_bilinear, 1,                                                                     \
         gt_upsample(a, SIZE(2, 3), .interpolation = GT_INTERPOLATION_BILINEAR))                   \
    CASE(mel, 1, gt_mel_spectrogram(a, MEL, .mag_exp = 1.5))                                       \
    CASE(mel_power, 1, gt_mel_spectrogram(a, MEL, .power_to_db = false, .max_freq = 3000))         \
    CASE(mel_short, 1,                                                                             \
         gt_mel_spectrogram(a, MEL, .sequence_length = 24, .top_db = 6, .ref_power = 0.5))

/* ---- losses: of predictions, which are a ---- */

#define TRUTH    given(name, "true", gt_dtype(a))
#define NUMBERED gt_cast(load(name, "true", -1), GT_INT64)
#define EACH     .reduction = GT_REDUCTION_NONE
#define LOSSES(CASE)                                                                               \
    CASE(focal_binary, 1, gt_binary_focal_crossentropy(TRUTH, a, EACH))                            \
    CASE(focal_binary_options, 1,                                                                  \
         gt_binary_focal_crossentropy(TRUTH, a, EACH, .apply_class_balancing = true,               \
                                      .alpha = 0.625, .gamma = 1.5, .label_smoothing = 0.125))     \
    CASE(focal_binary_logits, 1,                                                                   \
         gt_binary_focal_crossentropy(TRUTH, a, EACH, .from_logits = true, .gamma = 3))            \
    CASE(focal, 1, gt_categorical_focal_crossentropy(TRUTH, a, EACH))                              \
    CASE(focal_options, 1,                                                                         \
         gt_categorical_focal_crossentropy(TRUTH, a, EACH, .alpha = 0.625, .gamma = 1.5,           \
                                           .axis = 1))                                             \
    CASE(focal_logits, 1,                                                                          \
         gt_categorical_focal_crossentropy(TRUTH, a, EACH, .from_logits = true,                    \
                                           .label_smoothing = 0.125))                              \
    CASE(focal_weighted, 1,                                                                        \
         gt_categorical_focal_crossentropy(TRUTH, a, .sample_weight = GIVEN(weight),               \
                                           .reduction = GT_REDUCTION_MEAN_WITH_SAMPLE_WEIGHT))     \
    CASE(generalized, 1,                                                                           \
         gt_categorical_generalized_cross_entropy(NUMBERED, a, EACH, .q = 0.375))                  \
    CASE(dice, 1, gt_dice(TRUTH, a))                                                               \
    CASE(dice_axes, 1, gt_dice(TRUTH, a, EACH, .axes = gt_axes(1, 2)))                             \
    CASE(tversky, 1,                                                                               \
         gt_tversky(TRUTH, a, EACH, .alpha = 0.25, .beta = 0.75, .axes = gt_axes(1, 2)))           \
    CASE(circle, 1, gt_circle(NUMBERED, gt_normalize(a), EACH))                                    \
    CASE(circle_options, 1,                                                                        \
         gt_circle(NUMBERED, gt_normalize(a), EACH, .gamma = 8, .margin = 0.25))

#define CASES(CASE)                                                                                \
    LOSSES(CASE)                                                                                   \
    SHAPES(CASE)                                                                                   \
    IMAGES(CASE)                                                                                   \
    ACTIVATIONS(CASE)                                                                              \
    RECURRENT(CASE)                                                                                \
    ATTENTION(CASE)

#define FUNCTION(title, count, expression)                                                         \
    static gt_Tensor *case_##title(gt_Tensor *const *in)                                           \
    {                                                                                              \
        const char *name = #title;                                                                 \
        gt_Tensor *a = in[0], *b = in[1], *c = in[2], *d = in[3], *e = in[4], *f = in[5];          \
        (void)name, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;                          \
        return expression;                                                                         \
    }
CASES(FUNCTION)

#define ROW(title, count, expression) {#title, count, case_##title},
static const struct OracleCase {
    const char *name;
    int inputs;
    gt_Tensor *(*function)(gt_Tensor *const *in);
} cases[] = {CASES(ROW)};

/* Largest distance of any two elements, relative to the larger numbers; shapes must agree. */
static double distance(const char *name, const char *what, gt_Tensor *got, gt_Tensor *expected)
{
    cr_assert(got, "%s, %s: %s", name, what, gt_error_message());
    cr_assert(gt_shape_equal(gt_tensor_shape(got), gt_tensor_shape(expected)),
              "%s, %s: another shape", name, what);
    double largest = 0;
    for (int64_t i = 0; i < gt_size(got); i++) {
        double x = gt_element(got, i), y = gt_element(expected, i);
        double apart = fabs(x - y) / fmax(1, fabs(y));
        largest = apart <= largest ? largest : apart; /* NaN counts as far */
    }
    return largest;
}

static gt_Status body(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const struct OracleCase *c = context;
    gt_Tensor *in[MOST_INPUTS] = {0};
    for (int i = 0; i < c->inputs; i++)
        in[i] = inputs[i];
    outputs[0] = c->function(in);
    return gt_status();
}

/* A plan has the bits of the eager call. */
static void plan(const struct OracleCase *c)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *in[MOST_INPUTS] = {0}, *planned = NULL;
    for (int i = 0; i < c->inputs; i++)
        in[i] = load(c->name, "in", i);
    gt_Tensor *eager = c->function(in);
    gt_Function *function = gt_function(body, (void *)(uintptr_t)c, .outputs = 1);
    gt_function_call(function, ((gt_Tensors){in, c->inputs}), &planned);
    cr_assert(planned, "%s: %s", c->name, gt_error_message());
    cr_assert(memcmp(gt_data(planned), gt_data(eager), (size_t)gt_size(eager) * sizeof(double)) ==
                  0,
              "%s: a plan has other bits", c->name);
    gt_function_free(function);
    gt_scope_end(scope);
}

static void replay(const struct OracleCase *c, gt_DType dtype, double tolerance)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *in[MOST_INPUTS] = {0}, *gradients[MOST_INPUTS];
    int64_t elements = 0;
    for (int i = 0; i < c->inputs; i++) {
        in[i] = gt_cast(load(c->name, "in", i), dtype);
        elements += gt_size(in[i]);
        gt_watch(tape, in[i]);
    }
    gt_Tensor *out = c->function(in);
    double off = distance(c->name, "value", out, load(c->name, "out", -1));
    cr_assert(off <= tolerance, "%s: value off by %g", c->name, off);
    gt_Tensor *loss = gt_sum(gt_multiply(out, gt_cast(load(c->name, "up", -1), dtype)));
    gt_gradients(tape, gt_tensors(loss), ((gt_Tensors){in, c->inputs}), gradients,
                 .unconnected = GT_UNCONNECTED_ZERO);
    cr_assert(gt_status() == GT_OK, "%s: %s", c->name, gt_error_message());
    for (int i = 0; i < c->inputs; i++) {
        off = distance(c->name, "gradient", gradients[i], load(c->name, "grad", i));
        cr_assert(off <= tolerance, "%s: gradient of input %d off by %g", c->name, i, off);
    }
    gt_tape_end(tape);
    bool stops = strncmp(c->name, "spectral", 8) == 0; /* no gradient goes through the vectors */
    if (dtype != GT_FLOAT64 || elements > SMALL || stops)
        return;
    gt_Scope *scope = gt_scope_begin();
    for (int i = 0; i < c->inputs; i++)
        in[i] = load(c->name, "in", i);
    gt_check_gradients(body, (void *)(uintptr_t)c, ((gt_Tensors){in, c->inputs}), .order = 2,
                       .tolerance = 1e-5);
    cr_assert(gt_status() == GT_OK, "%s: %s", c->name, gt_error_message());
    gt_scope_end(scope);
}

Test(oracle_functions, keras)
{
    const char *source = getenv("GT_TEST_SOURCE");
    char path[512];
    int count = (int)(sizeof cases / sizeof *cases);
    snprintf(path, sizeof path, "%s/tests/oracle/functions.safetensors", source ? source : ".");
    gt_TensorFile *file = gt_open_tensors(path);
    cr_assert(file, "%s", gt_error_message());
    oracle = file;
    for (int i = 0; i < count; i++) {
        replay(&cases[i], GT_FLOAT64, 1e-12);
        replay(&cases[i], GT_FLOAT32, 2e-5);
        plan(&cases[i]);
    }
    fprintf(stderr, "%d cases of %s\n", count, gt_tensor_file_metadata(file, "source"));
    gt_tensor_file_free(file);
    gt_context_free(NULL);
    assert_no_leaks();
}
