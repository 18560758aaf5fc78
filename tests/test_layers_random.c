/* Layers that draw, over 100,000 draws each: the transformation with the draws given, rate, mean and variance, neighbours that
 * know nothing of each other, new draws at each call, the identity in inference. Layers with weights of their own (recurrent
 * ones, attention) have weights here with which their output shows what was dropped. tests/test_layers_image.c has those of
 * images. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <string.h>

enum { DRAWS = 100000 };

static void ok(const char *what)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
}

static void end(gt_Scope *scope)
{
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

static bool same(gt_Tensor *a, gt_Tensor *b)
{
    gt_Spec one = gt_spec(a), two = gt_spec(b);
    return one.size == two.size && one.dtype == two.dtype &&
           memcmp(gt_data(a), gt_data(b), (size_t)one.size * gt_dtype_size(one.dtype)) == 0;
}

/* ---- statistics ---- */

/* Share of the elements that are not 0, which are all `kept`; neighbours fall independently. Within 5 standard errors. */
static void shares(const char *name, gt_Tensor *y, double rate, double kept)
{
    const int64_t n = gt_size(y);
    const float *x = gt_data(y);
    double count = 0, pairs = 0, p = 1 - rate, error = 5 * sqrt(rate * p / (double)n);
    ok(name);
    for (int64_t i = 0; i < n; i++) {
        cr_assert(x[i] == 0 || fabs(x[i] - kept) <= 1e-6 * kept, "%s: %g is neither 0 nor %g", name,
                  (double)x[i], kept);
        count += x[i] != 0;
        pairs += i && x[i] != 0 && x[i - 1] != 0;
    }
    cr_assert(fabs(count / (double)n - p) <= error, "%s: %g are kept, and should be %g", name,
              count / (double)n, p);
    cr_assert(fabs(pairs / (double)n - p * p) <= 3 * error,
              "%s: %g pairs are kept, and should be %g", name, pairs / (double)n, p * p);
}

/* Mean and variance of normal numbers, and no correlation of neighbours; within 5 standard errors. */
static void moments(const char *name, gt_Tensor *y, double mean, double deviation)
{
    const int64_t n = gt_size(y);
    const float *x = gt_data(y);
    double sum = 0, squares = 0, next = 0, root = sqrt((double)n);
    ok(name);
    for (int64_t i = 0; i < n; i++) {
        double d = (x[i] - mean) / deviation;
        sum += d / (double)n;
        squares += d * d / (double)n;
        next += i ? d * (x[i - 1] - mean) / deviation / (double)n : 0;
    }
    cr_assert(fabs(sum) <= 5 / root, "%s: the mean is %g deviations off", name, sum);
    cr_assert(fabs(squares - 1) <= 5 * sqrt(2) / root,
              "%s: the variance is %g times what it should be", name, squares);
    cr_assert(fabs(next) <= 5 / root, "%s: neighbours are correlated by %g", name, next);
}

/* ---- layers without weights ---- */

static gt_Tensor *kept_of(gt_Tensor *x, double rate, gt_Shape shape, gt_Variable *generator)
{
    return gt_not_equal(
        gt_dropout(gt_ones_like(x), rate, .noise_shape = shape, .generator = generator), 0);
}

/* What the formulas of Keras's documentation make of x and of the draws that a generator gives: in float64, with the rate 0.3. */
static gt_Tensor *by_hand(const char *name, gt_Tensor *x, gt_Shape shape, gt_Variable *generator)
{
    const double rate = 0.3, alpha = 1.6732632423543772, scale = 1.0507009873554805;
    gt_Tensor *wide = gt_cast(x, GT_FLOAT64), *zero = gt_zeros_like(wide);
    if (strcmp(name, "gaussian_noise") == 0)
        return gt_add(
            wide, gt_multiply(gt_cast(gt_normal_like(x, .generator = generator), GT_FLOAT64), 0.7));
    if (strcmp(name, "gaussian_dropout") == 0) {
        gt_Tensor *normal = gt_cast(gt_normal_like(x, .generator = generator), GT_FLOAT64);
        return gt_multiply(wide, gt_add(gt_multiply(normal, sqrt(rate / (1 - rate))), 1));
    }
    gt_Tensor *kept = kept_of(x, rate, shape, generator);
    if (strcmp(name, "alpha_dropout") != 0)
        return gt_divide(gt_where(kept, wide, zero), 1 - rate);
    double fallen = -alpha * scale, a = pow((1 - rate) * (1 + rate * fallen * fallen), -0.5),
           b = -a * fallen * rate;
    return gt_add(gt_multiply(gt_where(kept, wide, gt_add(zero, fallen)), a), b);
}

typedef struct Plain {
    gt_Layer *layer;
    gt_Shape input, noise; /* rank -1: of the input */
    double kept;           /* what is kept is multiplied by this; 0: no share is */
} Plain;

static void check_plain(const Plain *row)
{
    gt_Scope *scope = gt_scope_begin();
    const char *name = row->layer->type->name;
    gt_Tensor *x = gt_uniform(row->input, .low = -2, .high = 3), *ones = gt_ones_like(x);
    cr_assert(same(gt_call(row->layer, x), x), "%s: inference", name);
    gt_Variable *state = gt_variables(row->layer).items[0];
    gt_Variable *twin = gt_generator(1);
    gt_assign(twin, state);
    gt_Tensor *y = gt_call(row->layer, x, .training = true),
              *want = by_hand(name, x, row->noise, twin);
    ok(name);
    for (int64_t i = 0; i < gt_size(y); i++)
        cr_assert(fabs(gt_element(y, i) - gt_element(want, i)) <=
                      2e-6 * (1 + fabs(gt_element(want, i))),
                  "%s: element %d is %g, and should be %g", name, (int)i, gt_element(y, i),
                  gt_element(want, i));
    cr_assert(same(state, twin), "%s: it draws as often as it says", name);
    cr_assert(!same(gt_call(row->layer, x, .training = true), y), "%s: the same draws twice", name);
    gt_Tensor *once = gt_call(row->layer, ones, .training = true);
    if (row->kept > 0 && row->noise.rank >= 0) { /* one element of those that fall together */
        for (int d = 0; d < row->noise.rank; d++)
            if (row->noise.dims[d] == 1)
                once = gt_slice(once, gt_shape(0, 0, 0),
                                gt_shape(gt_dim(row->input, 0), 1, gt_dim(row->input, 2)));
    }
    cr_assert(gt_size(once) >= DRAWS);
    if (row->kept > 0)
        shares(name, once, 0.3, row->kept);
    gt_variable_free(twin);
    gt_layer_free(row->layer);
    gt_scope_end(scope);
}

Test(layers_random, without_weights)
{
    gt_set_seed(5);
    gt_Scope *scope = gt_scope_begin();
    const gt_Shape all = {.mark = GT_MARK, .rank = -1}, rows = gt_shape(500, 2, 200);
    const Plain plain[] = {
        {gt_Dropout(0.3), rows, all, 1 / 0.7},
        {gt_Dropout(0.3, .noise_shape = gt_shape(-1, 1, -1)), rows, gt_shape(-1, 1, -1), 1 / 0.7},
        {gt_SpatialDropout1D(0.3), rows, gt_shape(-1, 1, -1), 1 / 0.7},
        {gt_AlphaDropout(0.3), rows, all, 0},
        {gt_GaussianNoise(0.7), rows, all, 0},
        {gt_GaussianDropout(0.3), rows, all, 0},
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        check_plain(&plain[i]);
    /* Those of two and three axes, seen along one: every position of a channel falls with the first. */
    gt_Tensor *image = gt_ones(gt_shape(500, 2, 3, 200)),
              *volume = gt_ones(gt_shape(500, 1, 2, 2, 200));
    gt_Layer *spatial[] = {gt_SpatialDropout2D(0.3), gt_SpatialDropout3D(0.3)};
    for (int i = 0; i < 2; i++) {
        gt_Tensor *x = i ? volume : image, *y = gt_call(spatial[i], x, .training = true);
        gt_Tensor *flat = gt_reshape(y, gt_shape(500, i ? 4 : 6, 200)),
                  *first = gt_get_item(flat, ":, :1");
        cr_assert(same(gt_call(spatial[i], x), x));
        cr_assert(same(flat, gt_broadcast_to(first, gt_tensor_shape(flat))), "channels fall whole");
        shares(spatial[i]->type->name, first, 0.3, 1 / 0.7);
        gt_layer_free(spatial[i]);
    }
    /* Normal draws: of 0 the noise itself, of 1 the factors; alpha dropout keeps mean and variance of normal numbers. */
    gt_Tensor *zeros = gt_zeros(gt_shape(DRAWS)), *normal = gt_normal(gt_shape(DRAWS));
    gt_Layer *noise = gt_GaussianNoise(0.7), *factors = gt_GaussianDropout(0.3),
             *alpha = gt_AlphaDropout(0.3);
    moments("gaussian_noise", gt_call(noise, zeros, .training = true), 0, 0.7);
    moments("gaussian_dropout", gt_call(factors, gt_ones_like(zeros), .training = true), 1,
            sqrt(0.3 / 0.7));
    gt_Tensor *y = gt_call(alpha, normal, .training = true);
    cr_assert(fabs(gt_item(gt_mean(y))) < 0.016 && fabs(gt_item(gt_mean(gt_square(y))) - 1) < 0.03);
    gt_layer_free(noise), gt_layer_free(factors), gt_layer_free(alpha);
    end(scope);
}

/* ---- recurrent layers ---- */

/* Weights with which a step is x m + h m', m and m' the masks of input and state: open gates, nothing remembered. */
static void open_gates(gt_Layer *layer)
{
    gt_Tensors weights = gt_weights(layer);
    const int64_t gates = gt_last(gt_tensor_shape(weights.items[0]));
    cr_assert(gates == 1 || gates == 3 || gates == 4);
    const double one[] = {1}, of_gru[] = {0, 0, 1}, of_lstm[] = {0, 0, 1, 0};
    const double none[] = {0}, gru[] = {-200, 200, 0, 0, 0, 0}, lstm[] = {200, -200, 0, 200};
    const double *kernel = gates == 1   ? one
                           : gates == 3 ? of_gru
                                        : of_lstm,
                 *bias = gates == 1   ? none
                         : gates == 3 ? gru
                                      : lstm;
    for (int i = 0; i < 3; i++) {
        gt_Shape shape = gt_tensor_shape(weights.items[i]);
        gt_assign(weights.items[i], gt_from_values(shape, GT_FLOAT32, gt_size(weights.items[i]),
                                                   i < 2 ? kernel : bias));
    }
    ok(layer->type->name);
}

/* Two steps, 1 and then 0; each row of the batch has its own mask. The step after a 0 shows the state's. */
static void check_recurrent(gt_Layer *of_x, gt_Layer *of_h, int axes)
{
    gt_Scope *scope = gt_scope_begin();
    const char *name = of_x->type->name;
    gt_Shape shape = gt_shape(DRAWS, 2, 1);
    for (int d = 0; d < axes; d++)
        shape.dims[shape.rank++] = 1;
    gt_Tensor *both = gt_ones(shape);
    gt_Tensor *first = gt_concatenate(
        gt_tensors(gt_get_item(both, ":, :1"), gt_zeros_like(gt_get_item(both, ":, :1"))),
        .axis = 1);
    gt_Tensor *step[2];
    gt_call(of_x, both), gt_call(of_h, both);
    open_gates(of_x), open_gates(of_h);
    gt_unstack(gt_call(of_x, both, .training = true), 2, step, .axis = 1);
    shares(name, step[0], 0.4, 1 / 0.6);
    cr_assert(same(step[1], gt_add(step[0], step[0])),
              "%s: the second step adds the same once more", name);
    gt_unstack(gt_call(of_h, first, .training = true), 2, step, .axis = 1);
    cr_assert(gt_item(gt_min(step[0])) == 1 && gt_item(gt_max(step[0])) == 1,
              "%s: nothing of x falls", name);
    shares(name, step[1], 0.4, 1 / 0.6);
    gt_unstack(gt_call(of_h, first), 2, step, .axis = 1);
    cr_assert(gt_item(gt_min(step[1])) == 1, "%s: inference", name);
    gt_layer_free(of_x), gt_layer_free(of_h);
    gt_scope_end(scope);
}

/* x m and h m' of a cell, which is called with one, then with the other. */
static void check_cell(gt_Layer *of_x, gt_Layer *of_h, int states)
{
    gt_Scope *scope = gt_scope_begin();
    const char *name = of_x->type->name;
    gt_Tensor *one = gt_ones(gt_shape(DRAWS, 1)), *none = gt_zeros_like(one);
    gt_Tensors state_of_x = {(gt_Tensor *[]){none, none}, states},
               state_of_h = {(gt_Tensor *[]){one, none}, states};
    gt_call(of_x, one, .more = state_of_x), gt_call(of_h, one, .more = state_of_x);
    open_gates(of_x), open_gates(of_h);
    shares(name, gt_call(of_x, one, .more = state_of_x, .training = true), 0.4, 1 / 0.6);
    shares(name, gt_call(of_h, none, .more = state_of_h, .training = true), 0.4, 1 / 0.6);
    cr_assert(gt_item(gt_min(gt_call(of_x, one, .more = state_of_x))) == 1, "%s: inference", name);
    gt_layer_free(of_x), gt_layer_free(of_h);
    gt_scope_end(scope);
}

#define OF_STEPS(name)                                                                             \
    gt_##name(1, .activation = NULL, .dropout = 0.4, .return_sequences = true),                    \
        gt_##name(1, .activation = NULL, .recurrent_dropout = 0.4, .return_sequences = true)
#define OF_CELL(name)                                                                              \
    gt_##name(1, .activation = NULL, .dropout = 0.4),                                              \
        gt_##name(1, .activation = NULL, .recurrent_dropout = 0.4)
#define OF_IMAGES(name)                                                                            \
    gt_##name(1, 1, .activation = NULL, .dropout = 0.4, .return_sequences = true),                 \
        gt_##name(1, 1, .activation = NULL, .recurrent_dropout = 0.4, .return_sequences = true)

Test(layers_random, recurrent)
{
    gt_set_seed(6);
    gt_Scope *scope = gt_scope_begin();
    check_recurrent(OF_STEPS(SimpleRNN), 0);
    check_recurrent(OF_STEPS(GRU), 0);
    check_recurrent(OF_STEPS(LSTM), 0);
    check_recurrent(OF_IMAGES(ConvLSTM1D), 1);
    check_recurrent(OF_IMAGES(ConvLSTM2D), 2);
    check_recurrent(OF_IMAGES(ConvLSTM3D), 3);
    check_cell(OF_CELL(SimpleRNNCell), 1);
    check_cell(OF_CELL(GRUCell), 1);
    check_cell(OF_CELL(LSTMCell), 2);
    end(scope);
}

/* ---- attention ---- */

/* One key: its score is 1, and what is left of it multiplies the value, here 1. */
Test(layers_random, attention)
{
    gt_set_seed(7);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_ones(gt_shape(DRAWS, 1, 1));
    const gt_Initializer ones = gt_Ones();
    gt_Layer *layers[] = {gt_Attention(.dropout = 0.4), gt_AdditiveAttention(.dropout = 0.4),
                          gt_MultiHeadAttention(1, 1, .dropout = 0.4, .kernel_initializer = ones),
                          gt_GroupQueryAttention(1, 1, .num_key_value_heads = 1, .dropout = 0.4,
                                                 .kernel_initializer = ones)};
    for (int i = 0; i < 4; i++) {
        const char *name = layers[i]->type->name;
        gt_Tensor *y = gt_call(layers[i], x, .more = gt_tensors(x), .training = true);
        shares(name, y, 0.4, 1 / 0.6);
        cr_assert(!same(gt_call(layers[i], x, .more = gt_tensors(x), .training = true), y),
                  "%s: the same draws twice", name);
        cr_assert(gt_item(gt_min(gt_call(layers[i], x, .more = gt_tensors(x)))) == 1,
                  "%s: inference", name);
        gt_layer_free(layers[i]);
    }
    end(scope);
}

/* ---- no class escapes ---- */

Test(layers_random, every_class_that_draws)
{
    static const char *const here[] = {"dropout",
                                       "spatial_dropout1d",
                                       "spatial_dropout2d",
                                       "spatial_dropout3d",
                                       "alpha_dropout",
                                       "gaussian_noise",
                                       "gaussian_dropout",
                                       "simple_rnn",
                                       "gru",
                                       "lstm",
                                       "conv_lstm1d",
                                       "conv_lstm2d",
                                       "conv_lstm3d",
                                       "simple_rnn_cell",
                                       "gru_cell",
                                       "lstm_cell",
                                       "attention",
                                       "additive_attention",
                                       "multi_head_attention",
                                       "group_query_attention"};
    int count;
    const gt_LayerClass *const *table = gt_layer_classes(&count);
    for (int k = 0; k < count; k++) {
        if (!(table[k]->flags & GT_LAYER_RANDOM) ||
            table[k]->flags & GT_LAYER_DROPS_MASK) /* those of images drop masks */
            continue;
        bool found = false;
        for (size_t i = 0; i < sizeof here / sizeof *here; i++)
            found |= strcmp(here[i], table[k]->name) == 0;
        cr_assert(found, "nobody looks at the draws of %s", table[k]->name);
    }
}
