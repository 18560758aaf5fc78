/* Models with several inputs and outputs in gt_fit: losses with weights, sample weights, masks, against Keras's numbers over 20
 * steps (tests/oracle/fit.py); what evaluate and predict give; what is refused. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double keras[][3] = {
#include "oracle/fit.inc"
};

static void ok(const char *what)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
}

static void fails(gt_Status status, const char *part)
{
    cr_assert(gt_status() == status && strstr(gt_error_message(), part),
              "status %d, \"%s\" lacks \"%s\"", gt_status(), gt_error_message(), part);
    gt_error_clear();
}

static gt_Tensor *wave(gt_Shape shape, double phase)
{
    int64_t size = 1;
    for (int d = 0; d < shape.rank; d++)
        size *= shape.dims[d];
    gt_Tensor *steps = gt_cast(gt_arange(0, (double)size, 1), GT_FLOAT64);
    return gt_reshape(gt_sin(gt_add(gt_multiply(steps, 1.7), phase)), shape);
}

static const int32_t word_numbers[4][5] = {{3, 1, 4, 0, 0}, {2, 6, 1, 5, 2}, {5, 0, 3, 0, 1}, {4, 4, 0, 0, 0}};

static gt_Layer *two_by_two(void)
{
    gt_set_dtype_policy(GT_FLOAT64);
    gt_Tensor *a = gt_Input(gt_shape(5), .dtype = GT_INT32, .name = "words");
    gt_Tensor *b = gt_Input(gt_shape(2), .name = "numbers");
    gt_Tensor *h = gt_call(gt_Dense(4, .activation = gt_tanh), gt_call(gt_Embedding(7, 3, .mask_zero = true), a));
    gt_Tensor *steps = gt_call(gt_Dense(3), h);
    gt_Tensor *g = gt_call(gt_Dense(3, .activation = gt_tanh, .kernel_regularizer = gt_L2(0.02)), b);
    gt_Tensor *value = gt_call(gt_Dense(1), gt_call(gt_Concatenate(), b, .more = gt_tensors(g)));
    gt_Layer *model = gt_Model(gt_tensors(a, b), gt_tensors(steps, value));
    gt_set_dtype_policy(GT_DTYPE_NONE);
    ok("the model");
    gt_Tensors weights = gt_weights(model);
    cr_assert(weights.count == 9);
    for (int k = 0; k < weights.count; k++)
        gt_assign(weights.items[k], gt_multiply(wave(gt_tensor_shape(weights.items[k]), k), 0.5));
    return model;
}

static gt_Dataset *rows(int32_t batch_size)
{
    gt_Tensor *words = gt_from_data(word_numbers, gt_shape(4, 5), GT_INT32);
    int32_t classes[20];
    for (int i = 0; i < 20; i++)
        classes[i] = i * 7 % 3;
    gt_Tensor *labels = gt_from_data(classes, gt_shape(4, 5), GT_INT32);
    const double weight[4] = {1, 0.5, 2, 0.25};
    gt_Tensor *w = gt_from_data(weight, gt_shape(4), GT_FLOAT64);
    gt_Dataset *dataset =
        gt_dataset_from_tensors(words, labels, .batch_size = batch_size, .shuffle = false,
                                .more_x = gt_tensors(wave(gt_shape(4, 2), 0.3)),
                                .more_y = gt_tensors(wave(gt_shape(4, 1), 2.0)),
                                .sample_weight = gt_tensors(NULL, w));
    ok("the dataset");
    cr_assert(gt_dataset_x_count(dataset) == 2 && gt_dataset_y_count(dataset) == 2);
    return dataset;
}

#define COMPILE(model, ...)                                                                        \
    gt_compile(model, .optimizer = gt_SGD(0.3, .momentum = 0.9),                                   \
               .losses = gt_losses(gt_SparseCategoricalCrossentropy(.from_logits = true),          \
                                   gt_MeanSquaredError()),                                         \
               .loss_weights = gt_numbers(1, 0.4), __VA_ARGS__)

/* The layers are met in another order than Keras builds its list of weights; both are by position of the outputs. */
Test(fit_lists, keras_losses_over_20_steps)
{
    for (int eager = 0; eager < 2; eager++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Layer *model = two_by_two();
        COMPILE(model, .run_eagerly = eager);
        gt_Dataset *dataset = rows(4);
        gt_History *history = gt_fit(model, dataset, .epochs = 20, .verbose = GT_VERBOSITY_SILENT);
        cr_assert(history, "%s", gt_error_message());
        for (int i = 0; i < 20; i++) {
            const char *names[] = {"loss", "output_loss", "output_1_loss"};
            for (int k = 0; k < 3; k++) {
                double got = gt_history_get(history, names[k], i);
                cr_assert(fabs(got - keras[i][k]) <= 1e-6 * (1 + fabs(keras[i][k])),
                          "eager %d, step %d, %s: %.17g for %.17g", eager, i, names[k], got, keras[i][k]);
            }
        }
        gt_layer_free(model);
        gt_scope_end(scope);
        gt_context_free(NULL);
    }
    assert_no_leaks();
}

Test(fit_lists, evaluate_and_predict)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = two_by_two();
    COMPILE(model, .metrics = gt_metrics(gt_SparseCategoricalAccuracy(), gt_LossMetric(gt_MeanAbsoluteError(), .output = 1, .name = "mae")),
            .weighted_metrics = gt_metrics(gt_LossMetric(gt_MeanAbsoluteError(), .output = 1, .name = "weighted_mae")));
    ok("compile");
    gt_Dataset *whole = rows(4), *parts = rows(3);
    gt_Scores one = gt_evaluate(model, whole);
    cr_assert(one.loss_count == 2 && one.count == 3, "%s", gt_error_message());
    cr_assert(fabs(one.loss - keras[0][0]) < 1e-6 && fabs(one.losses[0] - keras[0][1]) < 1e-6 &&
              fabs(one.losses[1] - keras[0][2]) < 1e-6);
    gt_Tensor *second = NULL, *again = NULL;
    gt_Tensor *first = gt_predict(model, whole, .outputs = gt_outputs(&second));
    gt_Tensor *other = gt_predict(model, parts, .outputs = gt_outputs(&again));
    ok("predict");
    cr_assert(gt_shape_equal(gt_tensor_shape(first), gt_shape(4, 5, 3)) && gt_shape_equal(gt_tensor_shape(second), gt_shape(4, 1)));
    cr_assert(memcmp(gt_data(first), gt_data(other), 60 * sizeof(double)) == 0 &&
              memcmp(gt_data(second), gt_data(again), 4 * sizeof(double)) == 0);
    /* Padding counts in no metric: steps of words that are 0 are left out. */
    double right = 0, count = 0, error = 0, weighted = 0, total = 0;
    const double weight[4] = {1, 0.5, 2, 0.25};
    gt_Tensor *target = wave(gt_shape(4, 1), 2.0);
    for (int r = 0; r < 4; r++) {
        double miss = fabs(gt_element(second, r) - gt_element(target, r));
        error += miss / 4;
        weighted += weight[r] * miss;
        total += weight[r];
        for (int t = 0; t < 5; t++) {
            int best = 0, at = (r * 5 + t) * 3;
            for (int c = 1; c < 3; c++)
                if (gt_element(first, at + c) > gt_element(first, at + best))
                    best = c;
            if (word_numbers[r][t] == 0)
                continue;
            right += best == (r * 5 + t) * 7 % 3;
            count++;
        }
    }
    cr_assert(fabs(one.metrics[0] - right / count) < 1e-12, "%g for %g", one.metrics[0], right / count);
    cr_assert(fabs(one.metrics[1] - error) < 1e-12, "%g for %g", one.metrics[1], error);
    cr_assert(fabs(one.metrics[2] - weighted / total) < 1e-12, "%g for %g", one.metrics[2], weighted / total);
    gt_layer_free(model);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A metric that is told which output it is about; at first it is about output 0. */
Test(fit_lists, a_metric_of_an_output)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = two_by_two();
    gt_Metric *mean = gt_Mean(.name = "mean_of_the_second");
    cr_assert(gt_metric_set_output(mean, 1) == mean, "%s", gt_error_message());
    COMPILE(model, .metrics = gt_metrics(mean));
    gt_Dataset *dataset = rows(4);
    gt_Scores scores = gt_evaluate(model, dataset);
    gt_Tensor *second = NULL;
    gt_predict(model, dataset, .outputs = gt_outputs(&second));
    double right = gt_item(gt_mean(second));
    cr_assert(fabs(scores.metrics[0] - right) < 1e-12 && fabs(right) > 1e-6, "%g for %g: %s", scores.metrics[0], right,
              gt_error_message());
    gt_Metric *other = gt_Mean();
    gt_metric_set_output(other, -1);
    fails(GT_INVALID, "output");
    gt_metric_free(other);
    gt_layer_free(model);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(fit_lists, refused)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = two_by_two(), *dense = gt_Dense(2);
    gt_Dataset *dataset = rows(4);
    gt_Tensor *x = wave(gt_shape(4, 2), 0), *y = wave(gt_shape(3, 1), 0);
    COMPILE(model, .loss = gt_MeanSquaredError());
    fails(GT_INVALID, "give .loss or .losses, not both");
    gt_compile(model, .losses = gt_losses(gt_MeanSquaredError(), gt_MeanSquaredError(), gt_MeanSquaredError()));
    fails(GT_INVALID, "there are 3 losses, and the model has 2 outputs");
    gt_compile(model, .losses = gt_losses(gt_MeanSquaredError()), .loss_weights = gt_numbers(1, 2));
    fails(GT_INVALID, "loss_weights must be one number for each of the 1 losses (got 2)");
    gt_compile(dense, .loss = gt_MeanSquaredError(), .metrics = gt_metrics(gt_Accuracy(.output = 1)));
    fails(GT_INVALID, "metric accuracy is about output 1, and the model has 1 output");
    gt_Accuracy(.output = -1);
    fails(GT_INVALID, "output must be 0 to 15 (got -1)");
    gt_compile(dense, .optimizer = gt_SGD(0.1), .loss = gt_MeanSquaredError());
    gt_fit(dense, dataset);
    fails(GT_INVALID, "the model is compiled with 1 loss, and the dataset has 2 labels");
    gt_dataset_from_tensors(x, x, .more_x = gt_tensors(y));
    fails(GT_INVALID, "x and x 2 must have the same number of rows (got 4 and 3");
    gt_dataset_from_tensors(x, NULL, .more_y = gt_tensors(x));
    fails(GT_INVALID, "more_y comes after y, which is NULL");
    gt_dataset_from_tensors(x, x, .sample_weight = gt_tensors(x, x));
    fails(GT_INVALID, "sample_weight must be one list of weights, or one for each of the 1 labels (got 2)");
    gt_layer_free(model), gt_layer_free(dense);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A loss of one's own gives a loss a sample, which is weighted; one number cannot be. */
static gt_Tensor *own_loss(const void *context, gt_Tensor *y_true, gt_Tensor *y_pred)
{
    gt_Tensor *each = gt_mean(gt_abs(gt_subtract(y_pred, y_true)), .axis = -1);
    return context ? gt_mean(each) : each;
}

Test(fit_lists, losses_of_ones_own_are_weighted)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_cast(wave(gt_shape(4, 2), 0), GT_FLOAT32), *y = gt_cast(wave(gt_shape(4, 2), 1), GT_FLOAT32);
    gt_Tensor *w = gt_array(gt_shape(4), 1, 0, 2, 3);
    gt_Layer *model = gt_Dense(2);
    gt_Dataset *dataset = gt_dataset_from_tensors(x, y, .sample_weight = gt_tensors(w));
    gt_compile(model, .loss = gt_loss(own_loss, NULL));
    gt_Scores own = gt_evaluate(model, dataset);
    gt_compile(model, .loss = gt_MeanAbsoluteError());
    gt_Scores built_in = gt_evaluate(model, dataset);
    cr_assert(own.loss > 0 && fabs(own.loss - built_in.loss) < 1e-6, "%g for %g: %s", own.loss, built_in.loss, gt_error_message());
    gt_compile(model, .loss = gt_loss(own_loss, x));
    gt_evaluate(model, dataset);
    fails(GT_INVALID, "a loss that gives one number cannot be weighted or masked");
    gt_layer_free(model);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}
