/* Training: datasets in the order that (seed, epoch) says, fit against a loop written by hand,
 * plans against eager steps, checkpoints and runs that are resumed, what is printed, and every
 * allocation failing in turn. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "../gradtape.h"
#include "../core/structs.h"
#include "leaks.h"

#undef GT_HERE
#define GT_HERE "test"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())
#define assert_error(status, text)                                                                 \
    do {                                                                                           \
        cr_assert_eq(gt_status(), status, "%s", gt_error_message());                               \
        cr_assert(strstr(gt_error_message(), text), "%s", gt_error_message());                     \
        gt_error_clear();                                                                          \
    } while (0)
/* What failed gave nothing. */
#define refused(call, status, text)                                                                \
    do {                                                                                           \
        (void)(call);                                                                              \
        assert_error(status, text);                                                                \
    } while (0)

/* ---- things to train ---- */

enum { ROWS = 103, WIDTH = 6, CLASSES = 3 };

/* Rows whose first number is their own; y is the class, from the numbers. */
static gt_Dataset *rows_dataset(const gt_dataset_from_tensors_options *options)
{
    static float x[ROWS * WIDTH];
    static int32_t y[ROWS];
    uint32_t seed = 7;
    for (int i = 0; i < ROWS; i++) {
        float sum = 0;
        for (int k = 0; k < WIDTH; k++) {
            seed = seed * 1664525u + 1013904223u;
            x[i * WIDTH + k] = (float)(seed >> 8) / (1 << 23) - 1;
            sum += x[i * WIDTH + k] * (float)(k - 2);
        }
        y[i] = sum < -1 ? 0 : sum < 1 ? 1 : 2;
    }
    gt_Scope *scope = gt_scope_begin();
    gt_Dataset *dataset =
        gt_dataset_from_tensors_at("test", gt_from_data(x, gt_shape(ROWS, WIDTH), GT_FLOAT32),
                                   gt_from_data(y, gt_shape(ROWS), GT_INT32), options);
    gt_scope_end(scope);
    return dataset;
}
#define rows_of(...)                                                                               \
    rows_dataset(&(gt_dataset_from_tensors_options){                                               \
        GT_PRESETS(gt_dataset_from_tensors_options, gt_dataset_from_tensors_OPTIONS) __VA_ARGS__})

static gt_Layer *small_model(void)
{
    return gt_Sequential(gt_Dense(8, .activation = gt_tanh, .kernel_regularizer = gt_L2(0.01)),
                         gt_Dropout(0.25), gt_Dense(CLASSES));
}

static gt_Status compile_small(gt_Layer *model, bool eagerly)
{
    return gt_compile(model, .optimizer = gt_Adam(0.01),
                      .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
                      .metrics = gt_metrics(gt_Accuracy()), .run_eagerly = eagerly);
}

/* Are all variables of two models the same, bit for bit? */
static bool same_variables(gt_Layer *a, gt_Layer *b)
{
    gt_Tensors p = gt_variables(a), q = gt_variables(b);
    for (int i = 0; i < p.count && p.count == q.count; i++) {
        gt_Spec spec = gt_spec(p.items[i]);
        if (memcmp(gt_data(p.items[i]), gt_data(q.items[i]), gt_spec_bytes(&spec)) != 0)
            return false;
    }
    return p.count == q.count && p.count > 0;
}

/* A context of its own, so that every model in it starts from the same numbers. */
static void fresh(int threads)
{
    gt_context_free(NULL);
    gt_context_use(gt_context_create(.seed = 11, .threads = threads));
}

/* ---- datasets ---- */

static void collect_order(gt_Dataset *dataset, int64_t *order, int expected)
{
    gt_Batch batch;
    int count = 0;
    while (gt_dataset_next(dataset, &batch))
        for (int64_t i = 0; i < batch.size; i++)
            order[count++] = (int64_t)gt_element(batch.x, i);
    ok();
    cr_assert_eq(count, expected, "%d rows, not %d", count, expected);
}

Test(train, shuffles)
{
    enum { N = 10, EPOCHS = 4000 };
    float x[N];
    for (int i = 0; i < N; i++)
        x[i] = (float)i;
    gt_Dataset *dataset = gt_dataset_from_tensors(gt_from_buffer(x, gt_shape(N), GT_FLOAT32), NULL,
                                                  .batch_size = 4, .seed = 3);
    gt_Dataset *other = gt_dataset_from_tensors(gt_from_buffer(x, gt_shape(N), GT_FLOAT32), NULL,
                                                .batch_size = 3, .seed = 3);
    ok();
    cr_assert(gt_dataset_batches(dataset) == 3 && gt_dataset_size(dataset) == N);
    static int seen[N][N];
    int64_t calls = 0;
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        int64_t order[N], again[N];
        bool there[N] = {false};
        collect_order(dataset, order, N);
        collect_order(other, again, N);
        for (int i = 0; i < N; i++) {
            cr_assert_eq(order[i], again[i], "epoch %d: the batch size changed the order", epoch);
            cr_assert(!there[order[i]], "epoch %d: row %d twice", epoch, (int)order[i]);
            there[order[i]] = true;
            seen[i][order[i]]++;
        }
        if (epoch == 0)
            calls = gt_memory_stats().allocator_calls;
    }
    cr_assert_eq(gt_memory_stats().allocator_calls, calls, "a warm epoch asked for memory");
    /* Every row at every place equally often: chi-square with 81 degrees of freedom, below 140 with
     * a probability of 0.9999. */
    double chi = 0, expected = (double)EPOCHS / N;
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            chi += (seen[i][k] - expected) * (seen[i][k] - expected) / expected;
    cr_assert(chi < 140 && chi > 40, "chi-square %g", chi);

    /* Back to a place, and on from there. */
    int64_t order[N], again[N];
    gt_Batch batch;
    gt_dataset_next(dataset, &batch);
    gt_DatasetPosition at = gt_dataset_position(dataset);
    cr_assert(at.epoch == EPOCHS && at.row == 4);
    collect_order(dataset, order, N - 4);
    gt_dataset_seek(other, (gt_DatasetPosition){9, 0});
    gt_dataset_seek(dataset, at);
    collect_order(dataset, again, N - 4);
    cr_assert(memcmp(order, again, (N - 4) * sizeof *order) == 0, "a sought place");
    refused(gt_dataset_seek(dataset, (gt_DatasetPosition){0, N + 1}), GT_INVALID, "row 11");

    /* A batch goes with the next one. */
    gt_dataset_next(dataset, &batch);
    gt_Tensor *old = batch.x;
    gt_dataset_next(dataset, &batch);
    refused(gt_element(old, 0), GT_STALE, "was used after");
    gt_dataset_free(dataset);
    gt_dataset_free(other);
}

Test(train, batches_and_splits)
{
    for (int shuffle = 0; shuffle < 2; shuffle++)
        for (int drop = 0; drop < 2; drop++) {
            gt_Dataset *dataset =
                rows_of(.batch_size = 10, .shuffle = shuffle, .drop_remainder = drop);
            gt_Batch batch;
            int64_t rows = 0, batches = 0;
            while (gt_dataset_next(dataset, &batch)) {
                cr_assert(batch.size == gt_dim(gt_tensor_shape(batch.x), 0) &&
                          batch.size == gt_dim(gt_tensor_shape(batch.y), 0));
                cr_assert_eq(batch.size, batches < 10 ? 10 : 3);
                rows += batch.size;
                batches++;
            }
            ok();
            cr_assert(rows == (drop ? 100 : 103) && batches == gt_dataset_batches(dataset));
            gt_dataset_free(dataset);
        }

    /* Every row is in one of the parts, with its own label. */
    double x[ROWS];
    int64_t y[ROWS];
    for (int i = 0; i < ROWS; i++)
        y[i] = 2 * (int64_t)(x[i] = i);
    gt_Dataset *dataset = gt_dataset_from_tensors(gt_from_data(x, gt_shape(ROWS), GT_FLOAT64),
                                                  gt_from_data(y, gt_shape(ROWS), GT_INT64));
    gt_Dataset *part[2], *same[2];
    gt_dataset_split(dataset, 0.8, &part[0], &part[1], .seed = 5);
    gt_dataset_split(dataset, 0.8, &same[0], &same[1], .seed = 5);
    ok();
    cr_assert(gt_dataset_size(part[0]) == 82 && gt_dataset_size(part[1]) == 21);
    bool there[ROWS] = {false}, moved = false;
    for (int side = 0; side < 2; side++) {
        gt_Batch a, b;
        while (gt_dataset_next(part[side], &a) && gt_dataset_next(same[side], &b))
            for (int64_t i = 0; i < a.size; i++) {
                int row = (int)gt_element(a.x, i);
                cr_assert(!there[row] && gt_element(a.y, i) == 2 * row &&
                          gt_element(b.x, i) == row);
                there[row] = true;
                moved = moved || row != side * 82 + i;
            }
    }
    cr_assert(moved, "the split is shuffled");
    for (int i = 0; i < ROWS; i++)
        cr_assert(there[i], "row %d is lost", i);

    gt_Dataset *a, *b;
    refused(gt_dataset_split(dataset, 1, &a, &b), GT_INVALID, "between 0 and 1");
    refused(gt_dataset_split(dataset, NAN, &a, &b), GT_INVALID, "between 0 and 1");
    refused(gt_dataset_split(dataset, 0.001, &a, &b), GT_INVALID, "empty");
    refused(gt_dataset_split(dataset, 0.5, &a, NULL), GT_INVALID, "places");
    cr_assert(a == NULL);

    gt_Tensor *ten = gt_zeros(gt_shape(10, 2)), *nine = gt_zeros(gt_shape(9));
    refused(gt_dataset_from_tensors(ten, nine), GT_INVALID, "same number of rows (got 10 and 9: float32 (10, 2) and float32 (9,))");
    refused(gt_dataset_from_tensors(gt_zeros(gt_shape(0, 2)), NULL), GT_INVALID, "x must have at least 1 row (got float32 (0, 2))");
    refused(gt_dataset_from_tensors(gt_zeros(gt_shape()), NULL), GT_INVALID, "scalar");
    refused(gt_dataset_from_tensors(NULL, nine), GT_INVALID, "x is NULL");
    refused(gt_dataset_from_tensors(ten, NULL, .batch_size = 0), GT_INVALID, "batch_size must be >= 1 (got 0)");
    refused(gt_dataset_from_tensors(ten, NULL, .seed = -2), GT_INVALID, "seed");
    refused(gt_dataset_from_tensors(ten, NULL, .drop_remainder = true), GT_INVALID, "leaves no batch");
    refused(gt_dataset_from_csv("/nowhere.csv"), GT_IO, "nowhere");
    refused(gt_dataset_from_csv(NULL), GT_INVALID, "NULL");
    refused(gt_dataset_from_idx("/nowhere", "/nowhere"), GT_IO, "nowhere");
    refused(gt_dataset_next(NULL, &(gt_Batch){0}), GT_INVALID, "NULL");
    for (int side = 0; side < 2; side++) {
        gt_dataset_free(part[side]);
        gt_dataset_free(same[side]);
    }
    gt_dataset_free(dataset);
    refused(gt_dataset_size(dataset), GT_STALE, "freed");
}

Test(train, files)
{
    char path[] = "/tmp/gradtape-train-XXXXXX";
    int file = mkstemp(path);
    const char text[] = "a,b,c\n1,7,2\n3,8,4\n";
    cr_assert(file >= 0 && write(file, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
    close(file);
    gt_Batch batch;
    gt_Dataset *dataset = gt_dataset_from_csv(path, .label_column = 1, .scale = 0.5, .shuffle = false);
    gt_dataset_next(dataset, &batch);
    ok();
    cr_assert(gt_element(batch.x, 0) == 0.5 && gt_element(batch.x, 1) == 1 &&
              gt_element(batch.x, 3) == 2);
    cr_assert(gt_dtype(batch.y) == GT_INT32 && gt_element(batch.y, 1) == 8);
    unlink(path);
    const char *folder = getenv("GT_TEST_DATA");
    char digits[1024];
    snprintf(digits, sizeof digits, "%s/digits.csv", folder ? folder : "examples/data");
    dataset = gt_dataset_from_csv(digits, .scale = 1.0 / 16);
    ok();
    cr_assert(gt_dataset_size(dataset) == 1797 && gt_dataset_x(dataset).dims[1] == 64);
    gt_Spec labels = gt_dataset_y(dataset);
    cr_assert(labels.dtype == GT_INT32 && labels.rank == 1 && labels.size == 1797);
    cr_assert_eq(gt_dataset_y(gt_dataset_from_tensors(gt_ones(gt_shape(3)), NULL)).dtype,
                 GT_DTYPE_NONE, "there is no y, which is no error");
    ok();
}

/* ---- metrics ---- */

typedef struct Largest {
    double factor;
} Largest;

static gt_Status update_largest(const gt_MetricUpdate *update)
{
    const Largest *self = update->instance;
    gt_Tensor *seen = gt_max(gt_cast(update->y_pred, GT_FLOAT64));
    return gt_assign(update->states[0],
                     gt_maximum(update->states[0], gt_multiply(seen, self->factor)));
}

static gt_Tensor *result_largest(const void *instance, gt_Variable *const *states)
{
    (void)instance;
    return gt_identity(states[0]);
}

static const gt_MetricClass largest_class = {.size = sizeof largest_class,
                                             .name = "largest",
                                             .instance = sizeof(Largest),
                                             .states = 1,
                                             .update = update_largest,
                                             .result = result_largest};

static void check_metric_near(gt_Metric *metric, gt_Tensor *y, gt_Tensor *p, double expected,
                              double tolerance)
{
    gt_metric_update(metric, y, p);
    ok();
    double result = gt_metric_result(metric);
    cr_assert(fabs(result - expected) < tolerance, "%s: %.17g, not %.17g", gt_metric_name(metric),
              result, expected);
}

static void check_metric(gt_Metric *metric, gt_Tensor *y, gt_Tensor *p, double expected)
{
    check_metric_near(metric, y, p, expected, 1e-12);
}

Test(train, metrics)
{
    gt_Tensor *p = gt_array(gt_shape(3, 2), .1, .9, .8, .2, .3, .7);
    gt_Tensor *sparse = gt_from_values_at(GT_HERE, gt_shape(3), GT_INT32, 3, (double[]){1, 0, 0});
    gt_Tensor *one_hot = gt_array(gt_shape(3, 2), 0, 1, 1, 0, 1, 0);
    gt_Tensor *column = gt_array(gt_shape(4, 1), .5, .6, .1, .9);
    gt_Tensor *labels = gt_array(gt_shape(4), 1, 1, 0, 1);
    check_metric(gt_SparseCategoricalAccuracy(), sparse, p, 2.0 / 3);
    check_metric(gt_SparseCategoricalAccuracy(), gt_reshape(sparse, gt_shape(3, 1)), p, 2.0 / 3);
    check_metric(gt_CategoricalAccuracy(), one_hot, p, 2.0 / 3);
    check_metric(gt_BinaryAccuracy(), labels, column, 0.75); /* 0.5 is not above 0.5 */
    check_metric(gt_BinaryAccuracy(.threshold = 0.4), labels, column, 1);
    check_metric(gt_Accuracy(), sparse, p, 2.0 / 3);
    check_metric(gt_Accuracy(), one_hot, p, 2.0 / 3);
    check_metric(gt_Accuracy(), labels, column, 0.75);
    /* The loss is a mean in float32, the metric one in float64. */
    check_metric_near(gt_LossMetric(gt_MeanAbsoluteError(), .name = "mae"), one_hot, p,
                      gt_item(gt_mean_absolute_error(one_hot, p)), 1e-6);
    check_metric_near(gt_LossMetric(gt_Huber(.delta = 0.25), .name = "huber"), one_hot, p,
                      gt_item(gt_huber(one_hot, p, .delta = 0.25)), 1e-6);
    check_metric_near(gt_LossMetric(gt_CosineSimilarity(), .name = "cosine"), one_hot, p,
                      gt_item(gt_cosine_similarity(one_hot, p)), 1e-6);
    /* The example of Keras's documentation, and np.mean(np.sum(t * p, k) / np.linalg.norm(t, axis=k)
     * / np.linalg.norm(p, axis=k)). */
    gt_Tensor *t = gt_array64(gt_shape(2, 2), 0, 1, 1, 1), *u = gt_array64(gt_shape(2, 2), 1, 0, 1, 1);
    check_metric(gt_CosineSimilarityMetric(.axis = 1), t, u, 0.5);
    t = gt_array64(gt_shape(2, 3), 1, -2, 3, 0.5, 0.25, -1);
    u = gt_array64(gt_shape(2, 3), 2, 1, 1, -0.75, 3, 0);
    check_metric(gt_CosineSimilarityMetric(), t, u, 0.21658903007949062);
    check_metric(gt_CosineSimilarityMetric(.axis = 0, .name = "columns"), t, u, 0.47767275409320248);
    refused(gt_metric_update(gt_CosineSimilarityMetric(), t, p), GT_INVALID, "cosine_similarity");
    gt_Metric *mean = gt_Mean();
    check_metric(mean, NULL, gt_array64(gt_shape(3), 1, 2, 3), 2);
    check_metric(mean, NULL, gt_array64(gt_shape(1), 6), 3);
    gt_metric_reset(mean);
    cr_assert_eq(gt_metric_result(mean), 0);
    gt_Metric *largest = gt_metric_new_at("test", &largest_class, NULL, &(Largest){10});
    check_metric(largest, NULL, gt_array64(gt_shape(3), 1, 5, 3), 50);
    check_metric(largest, NULL, gt_array64(gt_shape(3), 1, 4, 3), 50);
    gt_Tensors state = gt_metric_variables(largest); /* to be saved, and set again */
    cr_assert(state.count == 1 && gt_dtype(state.items[0]) == GT_FLOAT64);
    gt_assign(state.items[0], gt_scalar(7, GT_FLOAT64));
    cr_assert_eq(gt_metric_result(largest), 7);
    cr_assert_eq(gt_metric_variables(mean).count, 2);
    refused(gt_metric_update(gt_Accuracy(), labels, p), GT_INVALID, "labels");
    refused(gt_metric_update(gt_CategoricalAccuracy(), sparse, p), GT_INVALID, "(3,)");
    refused(gt_LossMetric(gt_MeanSquaredError(.reduction = GT_REDUCTION_NONE)), GT_INVALID,
            "the mean by weights");
    gt_metric_free(largest);
    refused(gt_metric_result(largest), GT_STALE, "freed");
}

/* ---- fit ---- */

/* What gt_fit does, by hand: the mean loss and the accuracy of every epoch. */
static void train_by_hand(gt_Layer *model, gt_Optimizer *adam, gt_Dataset *train, int epochs,
                          double *losses, double *accuracies)
{
    for (int epoch = 0; epoch < epochs; epoch++) {
        double total = 0, count = 0, right = 0;
        gt_Batch batch;
        while (gt_dataset_next(train, &batch)) {
            gt_Tape *tape = gt_tape_begin();
            gt_Tensor *logits = gt_call(model, batch.x, .training = true);
            gt_Tensor *loss =
                gt_sparse_categorical_crossentropy(batch.y, logits, .from_logits = true);
            loss = gt_total_loss(model, loss);
            gt_minimize(adam, tape, loss, gt_trainable_variables(model));
            total += gt_item(loss) * (double)batch.size;
            count += (double)batch.size;
            gt_Tensor *hits = gt_equal(gt_argmax(logits, .axis = -1), batch.y);
            right += gt_item(gt_sum(gt_cast(hits, GT_FLOAT64)));
            gt_tape_end(tape);
        }
        ok();
        losses[epoch] = total / count;
        accuracies[epoch] = right / count;
    }
}

Test(train, fit_against_a_loop)
{
    enum { EPOCHS = 3 };
    for (int eagerly = 0; eagerly < 2; eagerly++) {
        fresh(1);
        double losses[EPOCHS], accuracies[EPOCHS];
        gt_Layer *model = small_model(), *copy = small_model();
        gt_Dataset *train = rows_of(.batch_size = 16), *same = rows_of(.batch_size = 16);
        gt_build(model, gt_shape(16, WIDTH), GT_FLOAT32);
        gt_build(copy, gt_shape(16, WIDTH), GT_FLOAT32);
        char path[64]; /* the tests of two build folders may run at one time */
        snprintf(path, sizeof path, "/tmp/gradtape-start-%ld.safetensors", (long)getpid());
        gt_save_checkpoint(path, model);
        gt_load_checkpoint(path, copy);
        unlink(path);
        ok();
        cr_assert(same_variables(model, copy));
        compile_small(model, eagerly);
        gt_History *history = gt_fit(model, train, .epochs = EPOCHS, .validation = same,
                                     .verbose = GT_VERBOSITY_SILENT);
        ok();
        cr_assert(gt_dataset_position(same).epoch == 0, "validation moved the dataset");
        train_by_hand(copy, gt_Adam(0.01), same, EPOCHS, losses, accuracies);
        for (int epoch = 0; epoch < EPOCHS; epoch++) {
            double loss = gt_history_get(history, "loss", epoch);
            double accuracy = gt_history_get(history, "accuracy", epoch);
            cr_assert(loss == losses[epoch] && accuracy == accuracies[epoch],
                      "epoch %d: loss %.17g and %.17g, accuracy %.17g and %.17g", epoch, loss,
                      losses[epoch], accuracy, accuracies[epoch]);
        }
        cr_assert(same_variables(model, copy), "eagerly %d: the weights differ", eagerly);
        cr_assert(gt_history_epoch_count(history) == EPOCHS && gt_history_name_count(history) == 4);
        cr_assert_str_eq(gt_history_name(history, 3), "val_accuracy");
        cr_assert(gt_history_get(history, "loss", -1) < gt_history_get(history, "loss", 0));

        gt_Scores scores = gt_evaluate(model, same), again = gt_evaluate(model, same);
        ok();
        cr_assert(scores.count == 1 && scores.loss == again.loss &&
                  scores.loss == gt_history_get(history, "val_loss", -1) &&
                  scores.metrics[0] == gt_history_get(history, "val_accuracy", -1));
        gt_Tensor *predicted = gt_predict(model, same);
        ok();
        cr_assert(gt_dim(gt_tensor_shape(predicted), 0) == ROWS);
        refused(gt_history_get(history, "nothing", 0), GT_INVALID,
                "\"nothing\"; it has loss, accuracy, val_loss, val_accuracy");
        refused(gt_history_get(history, "loss", EPOCHS), GT_INVALID, "epoch 3");
        gt_history_free(history);
        refused(gt_history_epoch_count(history), GT_STALE, "freed");
        gt_layer_free(model); /* and what it was compiled with */
        refused(gt_fit(model, train), GT_STALE, "freed");
    }
    gt_context_free(NULL);
}

static gt_Tensor *own_loss(const void *context, gt_Tensor *y_true, gt_Tensor *y_pred)
{
    return gt_multiply(gt_mean(gt_square(gt_subtract(y_pred, y_true))), *(const double *)context);
}

static bool refuse_after_two(void *context, const gt_ProgressEvent *event)
{
    *(int *)context += event->kind == GT_PROGRESS_KIND_BATCH;
    return event->kind != GT_PROGRESS_KIND_BATCH || event->step < 2;
}

static bool interrupt_at_third(void *user)
{
    return ++*(int *)user >= 3;
}

Test(train, fit_refuses)
{
    fresh(1);
    gt_Layer *model = small_model();
    gt_Dataset *train = rows_of(.batch_size = 32), *no_y;
    no_y = gt_dataset_from_tensors(gt_zeros(gt_shape(4, WIDTH)), NULL);
    refused(gt_fit(model, train), GT_STATE, "not compiled");
    refused(gt_evaluate(model, train), GT_STATE, "not compiled");
    refused(gt_compile(NULL, .optimizer = gt_Adam()), GT_INVALID, "NULL");
    refused(gt_compile(model, .optimizer = gt_Adam(),
                       .metrics = gt_metrics(gt_Accuracy(), gt_Accuracy())),
            GT_INVALID, "two metrics");
    refused(gt_compile(model, .metrics = gt_metrics(gt_Mean(.name = "loss"))), GT_INVALID,
            "called \"loss\"");
    gt_Optimizer *freed = gt_Adam();
    gt_optimizer_free(freed);
    refused(gt_compile(model, .optimizer = freed), GT_STALE, "freed");
    refused(gt_compiled_optimizer(model), GT_STATE, "no optimizer");
    gt_compile(model, .loss = gt_MeanSquaredError());
    cr_assert_str_eq(gt_optimizer_name(gt_compiled_optimizer(model)), "rmsprop");
    compile_small(model, false);
    cr_assert(gt_compiled_optimizer(model) != NULL);
    refused(gt_fit(model, NULL), GT_INVALID, "dataset is NULL");
    refused(gt_fit(model, no_y), GT_INVALID, "has none");
    refused(gt_fit(model, train, .validation = no_y), GT_INVALID, "validation");
    refused(gt_fit(model, train, .epochs = -1), GT_INVALID, "epochs and initial_epoch must be >= 0 (got -1 and 0)");
    refused(gt_fit(model, train, .verbose = (gt_Verbosity)3), GT_INVALID, "unknown verbosity 3");
    gt_fit(model, train, .verbose = GT_VERBOSITY_SILENT);
    ok();
    gt_Dataset *wide = gt_dataset_from_tensors(gt_zeros(gt_shape(4, WIDTH + 1)),
                                               gt_zeros(gt_shape(4), .dtype = GT_INT32));
    refused(gt_fit(model, wide, .verbose = GT_VERBOSITY_SILENT), GT_INVALID, "last dimension");
    gt_set_trainable(model, false);
    gt_warnings_clear();
    gt_fit(model, train, .verbose = GT_VERBOSITY_SILENT);
    ok();
    cr_assert(gt_warnings().count == 1 && strstr(gt_warnings().items[0], "no trainable weights"));
    gt_set_trainable(model, true);

    /* A loss of one's own, a listener that stops, an interrupt that leaves a place to go on from.
     */
    gt_Layer *line = gt_Sequential(gt_Dense(1));
    double half = 0.5;
    int heard = 0, asked = 0;
    gt_compile(line, .optimizer = gt_SGD(0.1), .loss = gt_loss(own_loss, &half));
    gt_Dataset *pairs =
        gt_dataset_from_tensors(gt_array(gt_shape(6, 1), 1, 2, 3, 4, 5, 6),
                                gt_array(gt_shape(6, 1), 2, 4, 6, 8, 10, 12), .batch_size = 1);
    gt_History *history =
        gt_fit(line, pairs, .epochs = 9, .progress = &(gt_Progress){refuse_after_two, &heard});
    ok();
    cr_assert(heard == 2 && gt_history_epoch_count(history) == 1 &&
              gt_dataset_position(pairs).row == 2);
    gt_set_interrupt(interrupt_at_third, &asked);
    refused(gt_fit(line, pairs, .epochs = 9), GT_INTERRUPTED, "interrupted");
    gt_set_interrupt(NULL, NULL);
    cr_assert(gt_dataset_position(pairs).row >= 2 && gt_dataset_position(pairs).row <= 4);
    cr_assert(gt_fit(line, pairs, .verbose = GT_VERBOSITY_SILENT) != NULL);
    ok();
    /* NaN is no error; a label out of range is, and it leaves weights and place as they were. */
    gt_Dataset *nan =
        gt_dataset_from_tensors(gt_full(gt_shape(2, 1), NAN), gt_ones(gt_shape(2, 1)));
    cr_assert(isnan(gt_history_get(gt_fit(line, nan, .verbose = GT_VERBOSITY_SILENT), "loss", 0)));
    gt_Dataset *bad = gt_dataset_from_tensors(
        gt_zeros(gt_shape(4, WIDTH)),
        gt_from_values_at(GT_HERE, gt_shape(4), GT_INT32, 4, (double[]){0, 1, 2, 3}));
    refused(gt_fit(model, bad, .verbose = GT_VERBOSITY_SILENT), GT_INVALID, "3");
    cr_assert(gt_dataset_position(bad).row == 0, "the batch is put back");
    gt_context_free(NULL);
}

/* ---- what is printed ---- */

static void capture(char *text, size_t size, gt_Layer *model, gt_Dataset *train, int epochs,
                    gt_Verbosity verbose)
{
    char path[] = "/tmp/gradtape-stderr-XXXXXX";
    int file = mkstemp(path), before = dup(STDERR_FILENO);
    cr_assert(file >= 0 && before >= 0);
    fflush(stderr);
    dup2(file, STDERR_FILENO);
    gt_fit(model, train, .epochs = epochs, .validation = train, .verbose = verbose);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    lseek(file, 0, SEEK_SET);
    ssize_t n = read(file, text, size - 1);
    text[n > 0 ? n : 0] = 0;
    close(file);
    unlink(path);
    ok();
}

Test(train, progress)
{
    static char text[65536];
    fresh(1);
    gt_Layer *model = small_model();
    gt_Dataset *train = rows_of(.batch_size = 32);
    compile_small(model, false);
    capture(text, sizeof text, model, train, 2, GT_VERBOSITY_AUTO);
    int lines = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    cr_assert(lines == 2 && strncmp(text, "Epoch 1/2 - 4/4 - 0s - ", 23) == 0, "%s", text);
    cr_assert(strstr(text, " - loss: ") && strstr(text, " - val_accuracy: "), "%s", text);
    cr_assert(!strchr(text, '\r') && !strchr(text, '\x1b'), "%s", text);
    capture(text, sizeof text, model, train, 1, GT_VERBOSITY_LINES);
    cr_assert(strncmp(text, "4/4 - ", 6) == 0, "%s", text);
    capture(text, sizeof text, model, train, 1, GT_VERBOSITY_SILENT);
    cr_assert_str_eq(text, "");
    capture(text, sizeof text, model, train, 2, GT_VERBOSITY_BAR);
    cr_assert(strstr(text, "Epoch 1/2\n\r1/4 ") && strstr(text, "\r4/4 \xe2\x94\x81"), "%s", text);
    cr_assert(!strchr(text, '\x1b'), "colour in a file: %s", text);
    /* "4/4 <20 strokes> 0s 12us/step - loss: 1.2345 - ...", as Keras's; 4 digits after the point */
    const char *bar = strstr(text, "\r4/4 \xe2\x94\x81");
    int strokes = 0, digits = 0;
    for (bar += 5; strncmp(bar, "\xe2\x94\x81", 3) == 0; bar += 3)
        strokes++;
    const char *step = strstr(bar, "s/step - loss: ");
    cr_assert(strokes == 20 && step && strchr("um0123456789", step[-1]), "%d: %s", strokes, text);
    const char *point = strchr(step, '.');
    while (point[1 + digits] >= '0' && point[1 + digits] <= '9')
        digits++;
    cr_assert(digits == 4 && strncmp(point + 5, " - accuracy: ", 13) == 0, "%s", text);
    /* small numbers have an exponent */
    gt_Layer *line = gt_Sequential(gt_Dense(1, .kernel_initializer = gt_Zeros()));
    gt_compile(line, .optimizer = gt_SGD(0), .loss = gt_MeanSquaredError());
    gt_Dataset *small =
        gt_dataset_from_tensors(gt_ones(gt_shape(2, 1)), gt_full(gt_shape(2, 1), 0.01));
    capture(text, sizeof text, line, small, 1, GT_VERBOSITY_LINES);
    cr_assert(strstr(text, " - loss: 1.0000e-04 - val_loss: 1.0000e-04\n"), "%s", text);
    gt_context_free(NULL);
}

/* ---- checkpoints ---- */

static size_t read_bytes(const char *path, char *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    cr_assert(file != NULL, "%s", path);
    size_t n = fread(bytes, 1, size, file);
    fclose(file);
    return n;
}

/* Have two files the same tensors, but for those of the run's history? */
static bool same_state(const char *path, const char *other)
{
    gt_TensorFile *file[2] = {gt_open_tensors(path), gt_open_tensors(other)};
    bool same = true;
    for (int64_t i = 0; i < gt_tensor_file_count(file[0]) && same; i++) {
        const char *name = gt_tensor_file_name(file[0], i);
        static char bytes[2][4096];
        gt_Spec spec = gt_tensor_file_spec(file[0], i);
        size_t size = gt_spec_bytes(&spec);
        if (strncmp(name, "fit/", 4) == 0)
            continue;
        gt_tensor_file_load_into(file[0], i, bytes[0], size);
        gt_tensor_file_load_into(file[1], gt_tensor_file_find(file[1], name), bytes[1], size);
        same = memcmp(bytes[0], bytes[1], size) == 0;
    }
    ok();
    gt_tensor_file_free(file[0]);
    gt_tensor_file_free(file[1]);
    return same;
}

Test(train, checkpoints)
{
    char folder[] = "/tmp/gradtape-run-XXXXXX", path[2][64];
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(path[0], sizeof path[0], "%s/a.safetensors", folder);
    snprintf(path[1], sizeof path[1], "%s/b.safetensors", folder);

    /* Five epochs at once, and as two, then three and a bit in a program of its own. */
    fresh(1);
    gt_Layer *model = small_model();
    gt_Dataset *train = rows_of(.batch_size = 16);
    compile_small(model, false);
    gt_fit(model, train, .epochs = 5, .verbose = GT_VERBOSITY_SILENT);
    gt_save_checkpoint(path[0], model, .dataset = train);
    ok();
    for (int stop = 0; stop < 2; stop++) {
        fresh(1);
        model = small_model();
        train = rows_of(.batch_size = 16);
        compile_small(model, false);
        int heard = 0;
        gt_Progress progress = {refuse_after_two, &heard};
        if (stop) /* in the middle of the third epoch */
            gt_fit(model, train, .epochs = 2, .verbose = GT_VERBOSITY_SILENT);
        gt_fit(model, train, .epochs = stop ? 1 : 2, .verbose = GT_VERBOSITY_SILENT,
               .progress = stop ? &progress : NULL);
        gt_save_checkpoint(path[1], model, .dataset = train);
        ok();
        fresh(1);
        gt_set_seed(11);
        model = small_model();
        train = rows_of(.batch_size = 16);
        compile_small(model, false);
        refused(gt_load_checkpoint(path[1], model, .dataset = train), GT_STATE, "not built");
        gt_build(model, gt_shape(16, WIDTH), GT_FLOAT32);
        gt_load_checkpoint(path[1], model, .dataset = train);
        ok();
        gt_DatasetPosition at = gt_dataset_position(train);
        cr_assert(at.epoch == 2 && at.row == (stop ? 32 : 0), "%d %d", (int)at.epoch, (int)at.row);
        gt_fit(model, train, .initial_epoch = at.epoch, .epochs = 5,
               .verbose = GT_VERBOSITY_SILENT);
        gt_save_checkpoint(path[1], model, .dataset = train);
        ok();
        cr_assert(same_state(path[0], path[1]), "stop %d: the resumed run differs", stop);
    }
    gt_TensorFile *file = gt_open_tensors(path[1]);
    const char *keys[] = {"model/dense/kernel",      "optimizer/iteration",
                          "optimizer/learning_rate", "optimizer/dense_1/bias/velocity",
                          "dataset/position",        "generator"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        cr_assert(gt_tensor_file_find(file, keys[i]) >= 0, "%s", keys[i]);
    gt_tensor_file_free(file);

    /* What does not fit is one error, and changes nothing. */
    gt_Layer *other = gt_Sequential(gt_Dense(9), gt_Dropout(0.25), gt_Dense(CLASSES),
                                    gt_Dense(2, .name = "more"));
    gt_Layer *same = small_model(), *untouched = small_model();
    gt_build(other, gt_shape(1, WIDTH), GT_FLOAT32);
    gt_build(same, gt_shape(1, WIDTH), GT_FLOAT32);
    gt_build(untouched, gt_shape(1, WIDTH), GT_FLOAT32);
    gt_save_weights(model, path[1]);
    ok();
    double before = gt_element(gt_weights(other).items[0], 0);
    gt_load_weights(other, path[1]);
    const char *complaints[] = {"dense/kernel must be float32 (6, 9) (got float32 (6, 8))",
                                "more/kernel is missing", "dense_1/kernel must be"};
    for (size_t i = 0; i < sizeof complaints / sizeof *complaints; i++)
        cr_assert(strstr(gt_error_message(), complaints[i]), "%s", gt_error_message());
    gt_error_clear();
    cr_assert_eq(before, gt_element(gt_weights(other).items[0], 0));
    gt_load_weights(same, path[1]);
    ok();
    for (int i = 0; i < gt_weights(same).count; i++)
        cr_assert_eq(gt_element(gt_weights(same).items[i], 0),
                     gt_element(gt_weights(model).items[i], 0));
    gt_save_weights(other, path[1]);
    refused(gt_load_weights(same, path[1]), GT_INVALID, "more/bias is in the file only");
    refused(gt_load_weights(same, "/nowhere/x"), GT_IO, "/nowhere/x");
    refused(gt_save_weights(same, "/nowhere/x"), GT_IO, "/nowhere/x");
    refused(gt_save_weights(small_model(), path[1]), GT_STATE, "gt_build");
    refused(gt_load_weights(same, NULL), GT_INVALID, "NULL");
    gt_Dataset *strange = rows_of(.seed = 12345);
    refused(gt_load_checkpoint(path[0], model, .dataset = strange), GT_INVALID, "seed 11");
    refused(gt_load_checkpoint(path[0], model), GT_INVALID, "dataset/position is in the file only");
    unlink(path[0]);
    unlink(path[1]);
    cr_assert_eq(rmdir(folder), 0, "a temporary file was left");
    gt_context_free(NULL);
}

/* The same bytes for one thread and two. */
Test(train, threads)
{
    static char bytes[2][1 << 23];
    size_t size[2];
    for (int i = 0; i < 2; i++) {
        char path[] = "/tmp/gradtape-threads-XXXXXX";
        close(mkstemp(path));
        fresh(i + 1);
        gt_Layer *model =
            gt_Sequential(gt_Dense(300, .activation = gt_tanh),
                          gt_Dense(300, .activation = gt_relu), gt_Dropout(0.5), gt_Dense(CLASSES));
        gt_Dataset *train = rows_of(.batch_size = 80);
        compile_small(model, false);
        gt_fit(model, train, .epochs = 3, .verbose = GT_VERBOSITY_SILENT);
        gt_save_checkpoint(path, model, .dataset = train);
        ok();
        size[i] = read_bytes(path, bytes[i], sizeof bytes[i]);
        unlink(path);
        gt_context_free(NULL);
    }
    cr_assert(size[0] == size[1] && size[0] > 100000 && size[0] < sizeof bytes[0]);
    cr_assert(memcmp(bytes[0], bytes[1], size[0]) == 0, "two threads give other numbers");
}

/* ---- no memory ---- */

typedef struct Scarce {
    int64_t asked, fail_at, live;
} Scarce;

static void *scarce_allocate(void *user, size_t size, size_t alignment)
{
    Scarce *scarce = user;
    void *memory = NULL;
    if (scarce->asked++ == scarce->fail_at || posix_memalign(&memory, alignment, size) != 0)
        return NULL;
    scarce->live++;
    return memory;
}

static void scarce_release(void *user, void *memory, size_t size)
{
    (void)size;
    ((Scarce *)user)->live--;
    free(memory);
}

static void small_life(const char *path)
{
    gt_Layer *model = small_model();
    gt_Dataset *train = rows_of(.batch_size = 40);
    compile_small(model, false);
    gt_History *history =
        gt_fit(model, train, .epochs = 2, .validation = train, .verbose = GT_VERBOSITY_SILENT);
    gt_save_checkpoint(path, model, .dataset = train);
    gt_load_checkpoint(path, model, .dataset = train);
    gt_Status status = gt_status();
    gt_error_clear();
    gt_history_free(history);
    gt_dataset_free(train);
    gt_layer_free(model);
    gt_MemoryStats stats = gt_memory_stats();
    /* The context's own generator is a variable that stays. */
    cr_assert(stats.variables <= 1 && stats.handles <= 1 && stats.records == 0,
              "%lld variables, %lld handles, %lld records are left", (long long)stats.variables,
              (long long)stats.handles, (long long)stats.records);
    if (status != GT_OK)
        gt_fail(status, "it failed");
}

Test(train, no_memory)
{
    char folder[] = "/tmp/gradtape-memory-XXXXXX", path[64];
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/a.safetensors", folder);
    gt_context_free(NULL);
    int64_t tried = 0;
    for (bool failed = true; failed; tried++) {
        Scarce scarce = {.fail_at = tried};
        gt_Allocator allocator = {scarce_allocate, scarce_release, &scarce};
        gt_Context *context = gt_context_create(.seed = 11, .allocator = &allocator);
        failed = scarce.asked > tried;
        if (context) {
            gt_context_use(context);
            small_life(path);
            failed = scarce.asked > tried;
            cr_assert_eq(gt_status(), failed ? GT_NO_MEMORY : GT_OK, "allocation %d: %s",
                         (int)tried, gt_error_message());
            gt_context_free(context);
        }
        cr_assert_eq(scarce.live, 0, "allocation %d: memory is lost", (int)tried);
    }
    unlink(path);
    cr_assert_eq(rmdir(folder), 0, "a temporary file was left");
    fprintf(stderr, "%lld allocations failed in turn\n", (long long)tried - 1);
    assert_no_leaks();
}
