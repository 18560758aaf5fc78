/* Layers that prepare numbers, and gt_adapt: what is learned from batches, against Keras 3.15.1; what is refused, and leaves what
 * was known; that a model uses and keeps what its layers learned. */
#include "layer_mistakes.h"

#include "budget.h"

#include <math.h>
#include <stdio.h>

static gt_Dataset *columns(int64_t batch_size)
{
    double numbers[20];
    for (int i = 0; i < 10; i++) {
        numbers[2 * i] = i * i % 17 + 0.25 * i;
        numbers[2 * i + 1] = 100 - 3 * i;
    }
    return gt_dataset_from_tensors(gt_from_data(numbers, gt_shape(10, 2), GT_FLOAT64), NULL,
                                   .batch_size = batch_size);
}

static double number(const gt_Tensor *vector, int64_t i)
{
    const double *data = gt_float64_data(gt_cast((gt_Tensor *)(uintptr_t)vector, GT_FLOAT64));
    cr_assert(data, "%s", gt_error_message());
    return data[i];
}

static void close_to(double got, double expected, double tolerance, const char *what)
{
    cr_assert(fabs(got - expected) <= tolerance * fmax(1, fabs(expected)), "%s: %.17g instead of %.17g",
              what, got, expected);
}

/* Keras: Normalization().adapt(x), floatx float64. */
Test(adapt, moments_do_not_depend_on_batches)
{
    gt_Scope *scope = gt_scope_begin();
    for (int64_t size = 1; size <= 10; size += 3) {
        gt_Dataset *data = columns(size);
        gt_Batch batch;
        cr_assert(gt_dataset_next(data, &batch));
        gt_DatasetPosition before = gt_dataset_position(data);
        gt_Layer *layer = gt_Normalization();
        cr_assert(gt_adapt(layer, data) == GT_OK, "%s", gt_error_message());
        gt_Tensors weights = gt_weights(layer);
        cr_assert(weights.count == 3 && gt_trainable_variables(layer).count == 0);
        close_to(number(weights.items[0], 0), 9.225, 1e-14, "mean");
        close_to(number(weights.items[0], 1), 86.5, 1e-14, "mean");
        weights = gt_weights(layer);
        close_to(number(weights.items[1], 0), 39.080625, 1e-14, "variance");
        close_to(number(weights.items[1], 1), 74.25, 1e-14, "variance");
        gt_DatasetPosition after = gt_dataset_position(data);
        cr_assert(before.epoch == after.epoch && before.row == after.row, "the dataset moved");
        gt_Tensor *y = gt_call(layer, gt_array(gt_shape(1, 2), 9.225, 86.5 + 8.616843969807043));
        close_to(number(y, 0), 0, 1e-6, "the mean");
        close_to(number(y, 1), 1, 1e-6, "one deviation above");
        gt_layer_free(layer);
        gt_dataset_free(data);
    }
    ends(scope);
}

static gt_Dataset *swings(int64_t batch_size)
{
    static double numbers[1000];
    for (int i = 0; i < 1000; i++)
        numbers[i] = sin(i * 0.7) * i;
    return gt_dataset_from_tensors(gt_from_data(numbers, gt_shape(1000), GT_FLOAT64), NULL,
                                   .batch_size = batch_size);
}

/* Keras: Discretization(num_bins, epsilon).adapt([batches]), which rounds numbers to float32. */
Test(adapt, boundaries_at_quantiles)
{
    static const struct {
        int64_t batch, bins;
        double epsilon, boundaries[4];
    } cases[] = {{1000, 5, 0.01, {-353.2666931152344, -63.13887405395508, 78.07394409179688, 342.1369934082031}},
                 {64, 5, 0.01, {-337.4811096191406, -64.02436065673828, 80.97623443603516, 347.0440979003906}},
                 {64, 4, 0.1, {-200.73992919921875, 67.60690307617188, 602.4728393554688}}};
    gt_Scope *scope = gt_scope_begin();
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        gt_Dataset *data = swings(cases[k].batch);
        gt_Layer *layer = gt_Discretization(.num_bins = cases[k].bins, .epsilon = cases[k].epsilon);
        for (int again = 0; again < 2; again++) { /* the second time as the first */
            cr_assert(gt_adapt(layer, data) == GT_OK, "%s", gt_error_message());
            gt_Tensors weights = gt_weights(layer);
            cr_assert(weights.count == 1 && gt_size(weights.items[0]) == cases[k].bins - 1);
            cr_assert(gt_trainable_variables(layer).count == 0);
            for (int i = 0; i < cases[k].bins - 1; i++)
                close_to(number(weights.items[0], i), cases[k].boundaries[i], 3e-5, "boundary");
        }
        gt_layer_free(layer);
        gt_dataset_free(data);
    }
    gt_Dataset *few = gt_dataset_from_tensors(gt_array(gt_shape(3), 3, 1, 2), NULL);
    gt_Layer *layer = gt_Discretization(.num_bins = 4);
    cr_assert(gt_adapt(layer, few) == GT_OK, "%s", gt_error_message());
    gt_Tensor *bins = gt_call(layer, gt_array(gt_shape(4), 0, 1, 2, 1e30));
    static const int64_t expected[] = {0, 1, 2, 2}; /* Keras has two boundaries then, 1 and 2 */
    for (int i = 0; i < 4; i++)
        cr_assert(gt_int64_data(bins)[i] == expected[i]);
    gt_layer_free(layer);
    gt_dataset_free(few);
    ends(scope);
}

Test(adapt, what_is_refused_leaves_what_was_known)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Dataset *data = columns(4);
    gt_Layer *layer = gt_Normalization();
    cr_assert(gt_adapt(layer, data) == GT_OK);
    gt_Dataset *wide = gt_dataset_from_tensors(gt_ones(gt_shape(4, 3)), NULL);
    cr_assert(gt_adapt(layer, wide) != GT_OK);
    fails(GT_INVALID, "data of shape (4, 3) do not fit the mean, of shape (2,)");
    cr_assert(gt_adapt(layer, data, .input = 1) != GT_OK);
    fails(GT_INVALID, "the dataset has no input 1 (it has 1)");
    cr_assert(gt_adapt(layer, data, .steps = 0) != GT_OK);
    fails(GT_INVALID, "nothing to learn from");
    cr_assert(gt_adapt(layer, NULL) != GT_OK);
    fails(GT_INVALID, "adapt");
    gt_Dataset *infinite = gt_dataset_from_tensors(gt_array(gt_shape(2, 2), 1, 2, 3, INFINITY), NULL);
    cr_assert(gt_adapt(layer, infinite) != GT_OK);
    fails(GT_INVALID, ": the mean of column 1 is ");
    gt_Dataset *large = gt_dataset_from_tensors(gt_array(gt_shape(2, 2), -1e30, 2, 1e30, 3), NULL);
    gt_Layer *single = gt_Normalization();
    cr_assert(gt_adapt(single, large) != GT_OK);
    cr_assert(strstr(gt_error_message(), gt_layer_name(single)));
    fails(GT_INVALID, ": the variance of column 0 is inf");
    close_to(number(gt_weights(layer).items[0], 0), 9.225, 1e-6, "the mean, still");
    close_to(number(gt_weights(layer).items[1], 1), 74.25, 1e-6, "the variance, still");
    cr_assert(gt_adapt(layer, data, .steps = 1) == GT_OK);
    close_to(number(gt_weights(layer).items[0], 1), 95.5, 1e-6, "the mean of 4 rows");

    gt_Layer *dense = gt_Dense(2);
    cr_assert(gt_adapt(dense, data) != GT_OK);
    fails(GT_UNSUPPORTED, "a layer of the class dense learns nothing");
    gt_Layer *known = gt_Normalization(.mean = gt_scalar(1, GT_FLOAT64), .variance = gt_scalar(1, GT_FLOAT64));
    cr_assert(gt_adapt(known, data) != GT_OK);
    fails(GT_STATE, "were given");
    gt_Layer *bins = gt_Discretization(gt_array(gt_shape(1), 0));
    cr_assert(gt_adapt(bins, data) != GT_OK);
    fails(GT_STATE, "were given");
    gt_Dataset *holes = gt_dataset_from_tensors(gt_array(gt_shape(2), 1, NAN), NULL);
    gt_Layer *learns = gt_Discretization(.num_bins = 2);
    cr_assert(gt_adapt(learns, holes) != GT_OK);
    fails(GT_INVALID, "NaN has no place");
    gt_layer_free(layer), gt_layer_free(single), gt_layer_free(dense), gt_layer_free(known), gt_layer_free(bins), gt_layer_free(learns);
    gt_dataset_free(data), gt_dataset_free(wide), gt_dataset_free(holes), gt_dataset_free(infinite), gt_dataset_free(large);
    ends(scope);
}

Test(adapt, options_that_are_refused)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *one = gt_scalar(1, GT_FLOAT32);
    not_made(gt_Rescaling(NAN), "scale and offset must be finite");
    not_made(gt_Rescaling(1, .offset = INFINITY), "scale and offset must be finite");
    not_made(gt_Normalization(.mean = one), "mean and variance come together");
    not_made(gt_Normalization(.mean = one, .variance = gt_ones(gt_shape(2))), "of one shape");
    not_called(gt_Normalization(.mean = gt_ones(gt_shape(2)), .variance = gt_ones(gt_shape(2))),
               gt_ones(gt_shape(4, 3)), NULL, "of shape (2,) do not fit the axes, which have (3,)");
    not_called(gt_Normalization(.axis = 2), gt_ones(gt_shape(4, 3)), NULL, "axis 2");
    not_made(gt_CategoryEncoding(0), "num_tokens must be > 0 (got 0)");
    not_made(gt_CategoryEncoding(3, .output_mode = GT_OUTPUT_MODE_INT), "there is no output_mode INT here");
    not_made(gt_CategoryEncoding(3, .output_mode = (gt_OutputMode)9), "unknown output_mode 9");
    not_called(gt_CategoryEncoding(3), gt_cast(gt_ones(gt_shape(4, 3)), GT_INT32), gt_ones(gt_shape(4, 3)),
               "count_weights are for the output_mode COUNT");
    not_called(gt_CategoryEncoding(3, .output_mode = GT_OUTPUT_MODE_COUNT),
               gt_cast(gt_ones(gt_shape(4, 3)), GT_INT32), gt_ones(gt_shape(3)),
               "count_weights must have the shape of the input");
    not_made(gt_Discretization(), "either bin_boundaries or num_bins");
    not_made(gt_Discretization(gt_ones(gt_shape(2)), .num_bins = 3), "either bin_boundaries or num_bins");
    not_made(gt_Discretization(.num_bins = -1), "num_bins must be > 0");
    not_made(gt_Discretization(.num_bins = 2, .epsilon = 1), "epsilon must be between 0 and 1");
    not_made(gt_Discretization(gt_array(gt_shape(2), 1, 0)), "must rise (number 1 does not)");
    not_made(gt_Discretization(gt_ones(gt_shape(2, 1))), "must be a vector of floats");
    not_made(gt_Discretization(gt_ones(gt_shape(2)), .output_mode = GT_OUTPUT_MODE_TF_IDF), "no output_mode TF_IDF");
    ends(scope);
}

/* A model that begins with what was learned from its data: it trains, is saved, and predicts the same elsewhere. */
Test(adapt, models_use_and_keep_what_was_learned)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Dataset *data = columns(5);
    gt_Batch batch;
    cr_assert(gt_dataset_next(data, &batch));
    gt_Layer *normalize = gt_Normalization();
    gt_Layer *model = gt_Sequential(normalize, gt_Dense(1));
    cr_assert(gt_adapt(normalize, data) == GT_OK, "%s", gt_error_message());
    gt_Tensor *y = gt_call(model, batch.x);
    cr_assert(y && gt_save_model(model, "adapted.gt") == GT_OK, "%s", gt_error_message());
    gt_Layer *loaded = gt_load_model("adapted.gt");
    cr_assert(loaded, "%s", gt_error_message());
    cr_assert(number(gt_max(gt_abs(gt_subtract(y, gt_call(loaded, batch.x)))), 0) == 0);
    gt_Layer *copy = gt_layer_copy(normalize); /* with weights of its own, which know nothing */
    close_to(number(gt_call(copy, batch.x), 0), number(batch.x, 0), 1e-6, "a copy is new");
    remove("adapted.gt");
    gt_layer_free(copy), gt_layer_free(loaded), gt_layer_free(model);
    gt_dataset_free(data);
    ends(scope);
}

/* Both kinds learn in a context whose n-th allocation fails, for every n: an error, nothing lost, and the numbers of before. */
Test(adapt, every_allocation_may_fail)
{
    gt_Context *before = gt_context();
    bool done = false;
    for (long n = 0; !done; n++) {
        cr_assert(n < 5000, "it never ends");
        Budget budget = {.left = INT32_MAX};
        const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
        gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
        gt_context_use(context);
        gt_Scope *scope = gt_scope_begin();
        gt_Dataset *data = columns(4);
        gt_Layer *normalize = gt_Normalization(), *bins = gt_Discretization(.num_bins = 3);
        cr_assert(gt_adapt(normalize, data, .steps = 1) == GT_OK && gt_adapt(bins, data) == GT_OK);
        double mean = number(gt_weights(normalize).items[0], 1), edge = number(gt_weights(bins).items[0], 0);
        budget.left = n;
        done = gt_adapt(normalize, data) == GT_OK && gt_adapt(bins, data, .steps = 2) == GT_OK;
        budget.left = INT32_MAX;
        cr_assert(done || gt_status() == GT_NO_MEMORY, "%s", gt_error_message());
        gt_error_clear();
        double now = number(gt_weights(normalize).items[0], 1), first = number(gt_weights(bins).items[0], 0);
        cr_assert(now == mean || fabs(now - 86.5) < 1e-4, "%ld: half a mean, %g", n, now);
        cr_assert(done || first == edge, "%ld: half a boundary, %g", n, first);
        gt_layer_free(normalize), gt_layer_free(bins), gt_dataset_free(data);
        gt_scope_end(scope);
        gt_context_use(before);
        gt_context_free(context);
        cr_assert(budget.held == 0, "%ld: %ld blocks are lost", n, budget.held);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}
