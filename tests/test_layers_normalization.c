/* Normalization layers beyond the values of Keras: what is refused, and in which words; when the moving averages of
 * BatchNormalization follow and when not, eagerly and in plans; axes of one element; sizes that are not known; 16 bits. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"
#include "ops/nn/batch_norm.h"

#include <math.h>
#include <string.h>

static void refused(bool made, const char *text)
{
    cr_assert(!made && gt_status() == GT_INVALID, "\"%s\" is not refused", text);
    cr_assert(strstr(gt_error_message(), text), "\"%s\" instead of \"%s\"", gt_error_message(),
              text);
    gt_error_clear();
}

Test(layers_normalization, what_is_refused)
{
    refused(gt_BatchNormalization(.epsilon = -1),
            "BatchNormalization: epsilon must be >= 0 (got -1)");
    refused(gt_BatchNormalization(.epsilon = NAN), "epsilon must be >= 0");
    refused(gt_BatchNormalization(.momentum = 1.5), "momentum must be in [0, 1] (got 1.5)");
    refused(gt_BatchNormalization(.momentum = -0.1), "momentum must be in [0, 1]");
    refused(gt_BatchNormalization(.renorm_momentum = 2),
            "renorm_momentum must be in [0, 1] (got 2)");
    refused(gt_BatchNormalization(.rmin = 2, .rmax = 1),
            "rmax must be >= rmin and dmax >= 0 (got rmin 2, rmax 1, dmax inf)");
    refused(gt_BatchNormalization(.dmax = -1), "rmax must be >= rmin and dmax >= 0");
    refused(gt_LayerNormalization(.epsilon = -1e-3), "LayerNormalization: epsilon must be >= 0");
    refused(gt_RMSNormalization(.epsilon = -1), "RMSNormalization: epsilon must be >= 0");
    refused(gt_GroupNormalization(0), "GroupNormalization: groups must be > 0, or -1 (got 0)");
    refused(gt_GroupNormalization(-2), "groups must be > 0, or -1 (got -2)");
    refused(gt_GroupNormalization(2, .epsilon = -1), "epsilon must be >= 0");
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_ones(gt_shape(2, 3, 4));
    refused(gt_call(gt_BatchNormalization(.axis = 3), x), "axis 3");
    refused(gt_call(gt_BatchNormalization(.axis = -4), x), "axis -4");
    refused(gt_call(gt_LayerNormalization(.axis = 3), x), "axis 3");
    refused(gt_call(gt_LayerNormalization(.axes = gt_axes(1, 5)), x), "axis 5");
    refused(gt_call(gt_LayerNormalization(.axes = gt_axes(1, -2)), x), "twice");
    refused(gt_call(gt_RMSNormalization(.axes = gt_axes(3)), x), "axis 3");
    refused(gt_call(gt_UnitNormalization(.axis = 3), x), "axis 3");
    refused(gt_call(gt_GroupNormalization(), x), "groups must divide the 4 channels (got 32)");
    refused(gt_call(gt_GroupNormalization(3), x), "groups must divide the 4 channels (got 3)");
    refused(gt_call(gt_GroupNormalization(2, .axis = 0), x), "behind the batch");
    refused(gt_call(gt_GroupNormalization(1), gt_ones(gt_shape(3))), "at least 2 dimensions");
    refused(gt_call(gt_LayerNormalization(), gt_cast(x, GT_INT32)), "int32");
    gt_Layer *batch = gt_BatchNormalization();
    refused(gt_call(batch, gt_ones(gt_shape())), "at least 1 dimension");
    cr_assert(gt_call(batch, x));
    refused(gt_call(batch, gt_ones(gt_shape(2, 3, 5))), "must be 4, as the layer was built");
    refused(gt_call(batch, gt_ones(gt_shape(2, 4))), "must have 3 dimensions");
    refused(gt_call(batch, gt_zeros(gt_shape(0, 3, 4)), .training = true),
            "an empty batch has no mean (got shape (0, 3, 4))");
    gt_Tensor *mask = gt_cast(gt_ones(gt_shape(2)), GT_BOOL);
    refused(gt_call(batch, x, .mask = mask, .training = true),
            "the mask must have one axis less than the input");
    cr_assert_eq(gt_element(gt_weights(batch).items[2], 0), 0, "a refused batch leaves no trace");
    cr_assert(gt_size(gt_call(batch, gt_zeros(gt_shape(0, 3, 4)))) == 0 &&
                  gt_call(batch, x, .mask = mask),
              "%s", gt_error_message());
    gt_layer_free(batch);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

static gt_Status step(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    outputs[0] = gt_call(context, inputs[0], .training = true);
    return gt_status();
}

/* By hand: after k steps on one batch of mean m, a moving mean from 0 is (1 - 0.9^k) m. Frozen, nothing follows, and the
 * moving averages are what counts; also in a plan that was made before. */
Test(layers_normalization, moving_averages)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array64(gt_shape(4, 2), 1, -3, 2, 0, 5, 4, 8,
                              7); /* means 4 and 2, variances 7.5 and 14.5 */
    for (int planned = 0; planned < 2; planned++) {
        gt_Layer *layer = gt_BatchNormalization(.momentum = 0.9, .dtype = GT_FLOAT64);
        gt_Function *function = gt_function(step, layer);
        gt_Tensor *y = gt_call(layer, x);
        gt_Variable *mean = gt_weights(layer).items[2], *variance = gt_weights(layer).items[3];
        cr_assert(y && gt_element(mean, 0) == 0 && gt_element(variance, 1) == 1,
                  "inference changes nothing");
        cr_assert_float_eq(gt_element(y, 0), 1 / sqrt(1.001), 1e-12);
        for (int k = 1; k <= 3; k++) {
            if (planned)
                gt_function_call(function, gt_tensors(x), &y);
            else
                y = gt_call(layer, x, .training = true);
            cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
            cr_assert_float_eq(gt_element(y, 0), -3 / sqrt(7.501), 1e-12);
            cr_assert_float_eq(gt_element(mean, 0), 4 * (1 - pow(0.9, k)), 1e-12);
            cr_assert_float_eq(gt_element(mean, 1), 2 * (1 - pow(0.9, k)), 1e-12);
            cr_assert_float_eq(gt_element(variance, 0), 7.5 + (1 - 7.5) * pow(0.9, k), 1e-12);
        }
        double before = gt_element(mean, 0), spread = gt_element(variance, 0);
        gt_set_trainable(layer, false);
        if (planned)
            gt_function_call(function, gt_tensors(x), &y);
        else
            y = gt_call(layer, x, .training = true);
        cr_assert_float_eq(gt_element(y, 0), (1 - before) / sqrt(spread + 1e-3), 1e-12);
        cr_assert_eq(gt_element(mean, 0), before, "a frozen layer follows nothing");
        gt_set_trainable(layer, true);
        if (planned)
            gt_function_call(function, gt_tensors(x), &y);
        else
            y = gt_call(layer, x, .training = true);
        cr_assert(gt_element(mean, 0) > before, "and follows again");
        gt_function_free(function);
        gt_layer_free(layer);
    }
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Deviations begin as the roots of the variances, drawn or not; in the first step r and d are as the averages say. */
Test(layers_normalization, renormalization)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer =
        gt_BatchNormalization(.renorm = true, .momentum = 0, .epsilon = 0, .dtype = GT_FLOAT64,
                              .moving_variance_initializer = gt_Constant(9));
    gt_Tensor *x = gt_array64(gt_shape(2, 1), 1, 5); /* mean 3, variance 4 */
    cr_assert(gt_call(layer, x), "%s", gt_error_message());
    const char *const names[] = {"gamma",         "beta",        "moving_mean",  "moving_variance",
                                 "moving_stddev", "renorm_mean", "renorm_stddev"};
    const double first[] = {1, 0, 0, 9, 3, 0, 3}, then[] = {1, 0, 3, 4, 2, 0.03, 2.99};
    for (int i = 0; i < 7; i++) {
        cr_assert_str_eq(gt_variable_name(gt_weights(layer).items[i]), names[i]);
        cr_assert_eq(gt_element(gt_weights(layer).items[i], 0), first[i], "%s", names[i]);
    }
    gt_Tensor *y = gt_call(layer, x, .training = true);
    cr_assert_float_eq(gt_element(y, 0), -1 * 2.0 / 3 + 1, 1e-12,
                       "x / 3, as the averages would have it");
    cr_assert_float_eq(gt_element(y, 1), 1 * 2.0 / 3 + 1, 1e-12);
    for (int i = 0; i < 7; i++)
        cr_assert_float_eq(gt_element(gt_weights(layer).items[i], 0), then[i], 1e-12, "%s",
                           names[i]);
    gt_layer_free(layer);

    layer = gt_BatchNormalization(.renorm = true, .moving_variance_initializer = gt_Constant(9));
    gt_build(layer, gt_shape(1, 2), GT_FLOAT32);
    for (int k = 0; k < 2; k++)
        cr_assert(gt_element(gt_weights(layer).items[4], k) == 3 &&
                  gt_element(gt_weights(layer).items[6], k) == 3);
    gt_layer_free(layer);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* r and d are constants: the slope in x is r times that without renorm, the slope in gamma is that with (x - mean) /
 * deviation r + d. */
Test(layers_normalization, slopes_of_renorm)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *start = gt_array64(gt_shape(4, 1), 1, 2, 5, 8),
              *weights = gt_array64(gt_shape(4, 1), 3, -1, 2, 1);
    gt_Variable *x = gt_variable(start);
    gt_Tensor *slope[2], *of_gamma[2];
    for (int renorm = 0; renorm < 2; renorm++) {
        gt_Layer *layer =
            gt_BatchNormalization(.renorm = renorm, .epsilon = 0.5, .dtype = GT_FLOAT64,
                                  .moving_mean_initializer = gt_Ones(),
                                  .moving_variance_initializer = gt_Constant(4));
        gt_Tape *tape = gt_tape_begin();
        gt_Tensor *loss = gt_sum(gt_multiply(gt_call(layer, x, .training = true), weights)),
                  *both[2];
        gt_gradients(tape, gt_tensors(loss), gt_tensors(x, gt_weights(layer).items[0]), both);
        cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
        slope[renorm] = gt_keep(gt_add(both[0], 0));
        of_gamma[renorm] = gt_keep(gt_add(both[1], 0));
        gt_tape_end(tape);
        gt_layer_free(layer);
    }
    const double r = sqrt(8) / 2, d = (4 - 1) / 2.0; /* mean 4, variance 7.5; averages 1 and 2 */
    for (int k = 0; k < 4; k++)
        cr_assert_float_eq(gt_element(slope[1], k), r * gt_element(slope[0], k), 1e-12);
    cr_assert_float_eq(gt_item(of_gamma[1]), r * gt_item(of_gamma[0]) + d * 5, 1e-12);
    gt_variable_free(x);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Only the layer's flag matters, not those of its variables (Keras). What is trained: gamma and beta. */
Test(layers_normalization, flags)
{
    gt_Layer *layer = gt_BatchNormalization();
    gt_build(layer, gt_shape(2, 3), GT_FLOAT32);
    cr_assert(gt_trainable_variables(layer).count == 2 &&
              gt_non_trainable_variables(layer).count == 2);
    for (int i = 0; i < 2; i++)
        gt_variable_set_trainable(gt_weights(layer).items[i], false);
    gt_Scope *scope = gt_scope_begin();
    gt_call(layer, gt_ones(gt_shape(2, 3)), .training = true);
    cr_assert_float_eq(gt_element(gt_weights(layer).items[2], 0), 0.01, 1e-7,
                       "batch statistics count");
    gt_scope_end(scope);
    gt_layer_free(layer);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Masked elements may hold anything: they are in no sum. Nothing but masked elements has mean and variance 0. */
Test(layers_normalization, masked_batches)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array(gt_shape(2, 2, 1), 1, NAN, 3, 1e30);
    gt_Tensor *mask = gt_cast(gt_array(gt_shape(2, 2), 1, 0, 1, 0), GT_BOOL);
    gt_Layer *layer = gt_BatchNormalization(.momentum = 0);
    gt_Tensor *y = gt_call(layer, x, .mask = mask, .training = true);
    cr_assert(y && gt_is_masked(y), "%s", gt_error_message());
    cr_assert_float_eq(gt_element(gt_weights(layer).items[2], 0), 2, 1e-5);
    cr_assert_float_eq(gt_element(gt_weights(layer).items[3], 0), 1, 1e-5);
    y = gt_call(layer, x, .mask = gt_cast(gt_zeros(gt_shape(2, 2)), GT_BOOL), .training = true);
    cr_assert(y && gt_element(gt_weights(layer).items[2], 0) == 0 &&
              gt_element(gt_weights(layer).items[3], 0) == 0);
    gt_layer_free(layer);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* One element has no deviation: what comes is beta, and gradients are finite. */
Test(layers_normalization, axes_of_one_element)
{
    gt_Layer *layers[] = {gt_BatchNormalization(), gt_LayerNormalization(),
                          gt_GroupNormalization(1)};
    const gt_Shape shapes[] = {gt_shape(1, 3), gt_shape(3, 1), gt_shape(3, 1)};
    for (int i = 0; i < 3; i++) {
        gt_Tape *tape = gt_tape_begin();
        gt_Variable *x = gt_variable(gt_full(shapes[i], 5));
        gt_Tensor *y = gt_call(layers[i], x, .training = true);
        gt_Tensor *slope = gt_gradient(tape, gt_sum(gt_square(gt_add(y, 1))), x);
        cr_assert(y && slope, "%s", gt_error_message());
        for (int k = 0; k < 3; k++)
            cr_assert(gt_element(y, k) == 0 && isfinite(gt_element(slope, k)), "%d: %g", i,
                      gt_element(slope, k));
        gt_tape_end(tape);
        gt_variable_free(x);
        gt_layer_free(layers[i]);
    }
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *unit = gt_UnitNormalization();
    gt_Tensor *zero = gt_call(unit, gt_zeros(gt_shape(2, 3)));
    cr_assert(zero && gt_element(zero, 4) == 0, "zeros stay zeros");
    gt_layer_free(unit);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Large numbers that lie close together: float32 keeps their digits where a sum of squares would not. */
Test(layers_normalization, far_from_zero)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_add(gt_reshape(gt_arange(0, 8, 1), gt_shape(1, 8)), 1e5);
    gt_Layer *layers[] = {gt_LayerNormalization(), gt_GroupNormalization(1),
                          gt_BatchNormalization()};
    for (int i = 0; i < 3; i++) {
        gt_Tensor *y = gt_call(layers[i], i == 2 ? gt_transpose(x) : x, .training = true);
        for (int k = 0; k < 8; k++)
            cr_assert_float_eq(gt_element(y, k), (k - 3.5) / sqrt(5.25 + 1e-3), 1e-5, "%d", i);
        gt_layer_free(layers[i]);
    }
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A functional model for any batch and any number of steps; its numbers are those of the layers alone. */
Test(layers_normalization, unknown_sizes)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *sequence = gt_Input(gt_shape(-1, 4));
    gt_Layer *layers[] = {gt_BatchNormalization(), gt_LayerNormalization(),
                          gt_GroupNormalization(2), gt_RMSNormalization(), gt_UnitNormalization()};
    gt_Tensor *h = sequence;
    for (int i = 0; i < 5; i++)
        h = gt_call(layers[i], h);
    gt_Layer *model = gt_Model(gt_tensors(sequence), gt_tensors(h));
    cr_assert(model, "%s", gt_error_message());
    for (int n = 1; n < 4; n++) {
        gt_Tensor *x = gt_uniform(gt_shape(n, 5 - n, 4)), *want = x, *got = gt_call(model, x);
        for (int i = 0; i < 5; i++)
            want = gt_call(layers[i], want);
        cr_assert(got && want, "%s", gt_error_message());
        cr_assert_eq(gt_item(gt_max(gt_abs(gt_subtract(got, want)))), 0);
    }
    gt_layer_free(model);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Under a policy of 16 bits weights and results are float32; inputs of 16 bits are widened first. */
Test(layers_normalization, mixed_precision)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_cast(gt_uniform(gt_shape(3, 4), .low = 200, .high = 300), GT_FLOAT16);
    for (int i = 0; i < 5; i++) {
        gt_DType dtype = gt_mixed_float16();
        gt_Layer *layer = i == 0   ? gt_BatchNormalization(.dtype = dtype)
                          : i == 1 ? gt_LayerNormalization(.dtype = dtype)
                          : i == 2 ? gt_GroupNormalization(2, .dtype = dtype)
                          : i == 3 ? gt_RMSNormalization(.dtype = dtype)
                                   : gt_UnitNormalization(.dtype = dtype);
        gt_Layer *wide = i == 0   ? gt_BatchNormalization()
                         : i == 1 ? gt_LayerNormalization()
                         : i == 2 ? gt_GroupNormalization(2)
                         : i == 3 ? gt_RMSNormalization()
                                  : gt_UnitNormalization();
        gt_Tensor *y = gt_call(layer, x, .training = true),
                  *z = gt_call(wide, gt_cast(x, GT_FLOAT32), .training = true);
        cr_assert(y && z && gt_dtype(y) == GT_FLOAT32, "%d: %s", i, gt_error_message());
        cr_assert_eq(gt_item(gt_max(gt_abs(gt_subtract(y, z)))), 0, "%d", i);
        cr_assert(i == 4 || gt_dtype(gt_weights(layer).items[0]) == GT_FLOAT32);
    }
    gt_Layer *stored =
        gt_BatchNormalization(.dtype = GT_BFLOAT16); /* weights, and averages, of 16 bits */
    gt_Tensor *y = gt_call(stored, gt_cast(x, GT_FLOAT32), .training = true);
    cr_assert(y && gt_dtype(gt_weights(stored).items[2]) == GT_BFLOAT16, "%s", gt_error_message());
    cr_assert(gt_element(gt_cast(gt_weights(stored).items[2], GT_FLOAT32), 0) > 1.9);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- in one operation ---- */

/* Of what is computed and of what it is made of: y, mean, variance, then the gradients of their weighted sum to x, gamma, beta. */
typedef struct Six {
    gt_Tensor *of[6];
} Six;

static Six finished(gt_Tape *tape, gt_Tensor *y, gt_Tensor *mean, gt_Tensor *variance, gt_Tensor *w,
                    gt_Tensor *x, gt_Tensor *gamma, gt_Tensor *beta)
{
    gt_Tensor *loss = gt_add(gt_sum(gt_multiply(y, w)),
                             gt_add(gt_sum(gt_sin(mean)), gt_sum(gt_square(variance))));
    Six six = {{y, mean, variance, NULL, NULL, NULL}};
    gt_gradients(tape, gt_tensors(loss), gt_tensors(x, gamma, beta), six.of + 3);
    return six;
}

/* float64: the numbers of moments and batch_normalization to 1e-12; float32: to what double sums allow. Rows that are fewer
 * than a block, some blocks and a part of one; channels that do and do not fill vectors, and more than a block has. */
static void same_as_composition(int64_t rows, int64_t channels, gt_DType dtype, double middle)
{
    const double bound = dtype == GT_FLOAT64 ? 1e-12 : 2e-5;
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *generator = gt_generator(5);
    gt_Shape shape = gt_shape(rows, channels), one = gt_shape(channels);
    gt_Tensor *x =
        gt_normal(shape, .mean = middle, .stddev = 2, .dtype = dtype, .generator = generator);
    gt_Tensor *w = gt_normal(shape, .dtype = dtype, .generator = generator);
    gt_Tensor *gamma = gt_normal(one, .dtype = dtype, .generator = generator);
    gt_Tensor *beta = gt_normal(one, .dtype = dtype, .generator = generator), *mean, *variance;
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_watch(tape, x);
    gt_watch(tape, gamma);
    gt_watch(tape, beta);
    gt_BatchNorm norm = gt_batch_norm(x, gamma, beta, 1e-3);
    Six one_operation = finished(tape, norm.y, norm.mean, norm.variance, w, x, gamma, beta);
    gt_moments(x, &mean, &variance, .axis = 0);
    gt_Tensor *y = gt_batch_normalization(x, mean, variance, .scale = gamma, .offset = beta);
    Six several = finished(tape, y, mean, variance, w, x, gamma, beta);
    for (int i = 0; i < 6; i++) {
        double most = gt_item(gt_max(gt_abs(several.of[i])));
        double apart = gt_item(gt_max(gt_abs(gt_subtract(one_operation.of[i], several.of[i]))));
        cr_expect(apart <= bound * (1 + most), "(%lld, %lld), number %d: %g of %g", (long long)rows,
                  (long long)channels, i, apart, most);
    }
    cr_expect(gt_status() == GT_OK, "%s", gt_error_message());
    gt_tape_end(tape);
    gt_scope_end(scope);
}

Test(layers_normalization, one_operation_is_what_it_is_made_of)
{
    const int64_t sizes[][2] = {{1, 1},   {2, 3},    {7, 16},   {64, 1},   {300, 16}, {513, 17},
                                {9, 100}, {70, 129}, {2, 5000}, {4097, 1}, {1000, 64}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        same_as_composition(sizes[i][0], sizes[i][1], GT_FLOAT64, 0);
        same_as_composition(sizes[i][0], sizes[i][1], GT_FLOAT32, 0);
    }
    same_as_composition(1000, 16, GT_FLOAT64, 1e4);
    gt_context_free(NULL);
}

/* Of what is computed and of what it is made of: y, then the gradients of its weighted sum to x, gamma, beta. */
static void groups_are_as_composition(int64_t samples, int64_t rows, int64_t channels,
                                      int64_t groups, gt_DType dtype, double size)
{
    const double bound = dtype == GT_FLOAT64 ? 1e-12 : 2e-5;
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *generator = gt_generator(5);
    gt_Shape shape = gt_shape(samples, rows, channels), one = gt_shape(channels);
    gt_Tensor *x =
        gt_normal(shape, .mean = size, .stddev = 2 * size, .dtype = dtype, .generator = generator);
    gt_Tensor *w = gt_normal(shape, .dtype = dtype, .generator = generator), *mean, *variance;
    gt_Tensor *gamma = gt_normal(one, .dtype = dtype, .generator = generator);
    gt_Tensor *beta = gt_normal(one, .dtype = dtype, .generator = generator);
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_watch(tape, x);
    gt_watch(tape, gamma);
    gt_watch(tape, beta);
    gt_Tensor *of[2][4] = {{gt_group_norm(x, gamma, beta, groups, 1e-3 * size * size)}};
    gt_Tensor *apart = gt_reshape(x, gt_shape(samples, rows, groups, channels / groups));
    gt_moments(apart, &mean, &variance, .axes = gt_axes(1, 3), .keepdims = true);
    apart = gt_divide(gt_subtract(apart, mean), gt_sqrt(gt_add(variance, 1e-3 * size * size)));
    of[1][0] = gt_add(gt_multiply(gt_reshape(apart, shape), gamma), beta);
    for (int k = 0; k < 2; k++)
        gt_gradients(tape, gt_tensors(gt_sum(gt_multiply(of[k][0], w))), gt_tensors(x, gamma, beta),
                     of[k] + 1);
    for (int i = 0; i < 4; i++) {
        double most = gt_item(gt_max(gt_abs(of[1][i])));
        double far = gt_item(gt_max(gt_abs(gt_subtract(of[0][i], of[1][i]))));
        cr_expect(far <= bound * (1 + most) / (i == 1 ? size : 1),
                  "(%lld, %lld, %lld) in %lld, number %d: %g of %g", (long long)samples,
                  (long long)rows, (long long)channels, (long long)groups, i, far, most);
    }
    cr_expect(gt_status() == GT_OK, "%s", gt_error_message());
    gt_tape_end(tape);
    gt_scope_end(scope);
}

/* Rows that are fewer than a block, some blocks and a part of one; groups of one channel and of all. */
Test(layers_normalization, groups_are_what_they_are_made_of)
{
    const int64_t sizes[][4] = {
        {1, 1, 4, 2},    {3, 2, 6, 3},     {2, 7, 16, 1},    {2, 64, 1, 1},   {3, 300, 16, 4},
        {2, 513, 18, 6}, {5, 9, 100, 100}, {2, 70, 130, 10}, {2, 3, 5000, 8}, {2, 1000, 64, 8}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        groups_are_as_composition(sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3], GT_FLOAT64,
                                  1);
        groups_are_as_composition(sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3], GT_FLOAT32,
                                  1);
    }
    groups_are_as_composition(3, 300, 16, 4, GT_FLOAT64, 0x1p-60);
    groups_are_as_composition(3, 300, 16, 4, GT_FLOAT32, 0x1p-25);
    gt_context_free(NULL);
}

/* A sample is normalized by itself, so that a mask of samples stays; rows of a sample are mixed. */
Test(layers_normalization, groups_of_masked_samples)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_normal(gt_shape(2, 5, 6)), *rows = gt_cast(gt_ones(gt_shape(2, 5)), GT_BOOL);
    gt_Tensor *samples = gt_not_equal(gt_arange(0, 2, 1), 0);
    gt_Tensor *y = gt_group_normalization(gt_with_mask(x, samples), .groups = 3);
    cr_assert(y, "%s", gt_error_message());
    gt_Tensor *mask = gt_mask(y);
    cr_assert(mask && gt_size(mask) == 2 && gt_element(mask, 0) == 0 && gt_element(mask, 1) == 1);
    cr_expect_null(gt_group_normalization(gt_with_mask(x, rows), .groups = 3));
    cr_expect(strstr(gt_error_message(), "axis 1"), "%s", gt_error_message());
    gt_error_clear();
    gt_scope_end(scope);
    gt_context_free(NULL);
}

/* No channels, no rows, no samples. */
Test(layers_normalization, groups_of_nothing)
{
    const int64_t sizes[][3] = {{1, 1, 0}, {2, 0, 4}, {0, 3, 4}, {0, 0, 0}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_zeros(gt_shape(sizes[i][0], sizes[i][1], sizes[i][2])), *g[2];
        gt_Tensor *gamma = gt_ones(gt_shape(sizes[i][2]));
        gt_Tape *tape = gt_tape_begin();
        gt_watch(tape, x);
        gt_watch(tape, gamma);
        gt_Tensor *y = gt_group_norm(x, gamma, NULL, 2, 1e-3);
        gt_gradients(tape, gt_tensors(gt_sum(y)), gt_tensors(x, gamma), g);
        cr_expect(gt_status() == GT_OK, "%s", gt_error_message());
        cr_expect(gt_size(y) == 0 && gt_size(g[0]) == 0 && gt_size(g[1]) == sizes[i][2]);
        gt_tape_end(tape);
        gt_scope_end(scope);
    }
    gt_context_free(NULL);
}

/* Numbers whose squares do not fit their type: the group is measured in another unit. */
Test(layers_normalization, groups_of_any_size)
{
    gt_Scope *scope = gt_scope_begin();
    for (int t = 0; t < 2; t++)
        for (int k = 0; k < 2; k++) {
            const gt_DType dtype = t ? GT_FLOAT64 : GT_FLOAT32;
            const double size = ldexp(1, (k ? -1 : 1) * (t ? 900 : 110));
            gt_Tensor *x = gt_normal(gt_shape(2, 9, 6), .dtype = dtype);
            gt_Tensor *plain = gt_group_norm(x, NULL, NULL, 3, 0);
            gt_Tensor *far = gt_group_norm(gt_multiply(x, size), NULL, NULL, 3, 0);
            double apart = gt_item(gt_max(gt_abs(gt_subtract(plain, far))));
            cr_expect(apart < (t ? 1e-12 : 1e-5), "%g: %g apart", size, apart);
        }
    cr_expect(gt_status() == GT_OK, "%s", gt_error_message());
    gt_scope_end(scope);
    gt_context_free(NULL);
}

/* The digits of numbers that are large and close together: 2^20 + 0, 1, 2, ... in float32. */
Test(layers_normalization, one_operation_keeps_digits)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *apart = gt_arange(0, 1000, 1, .dtype = GT_FLOAT32);
    gt_Tensor *x = gt_reshape(gt_add(gt_mod(apart, 8), 1048576), gt_shape(1000, 1));
    gt_BatchNorm norm = gt_batch_norm(x, NULL, NULL, 0);
    cr_expect_float_eq(gt_item(norm.variance), 5.25, 1e-6, "%g", gt_item(norm.variance));
    cr_expect_float_eq(gt_item(gt_mean(norm.y)), 0, 1e-6, "%g", gt_item(gt_mean(norm.y)));
    cr_expect_float_eq(gt_item(gt_mean(gt_square(norm.y))), 1, 1e-6);
    gt_scope_end(scope);
    gt_context_free(NULL);
}
