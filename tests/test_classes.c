/* Labels of datasets, weights of classes, confusion matrices; numbers of TensorFlow and NumPy (tests/oracle/make_classes.py). */
#include <math.h>

#include "data_files.h"
#include "oracle/classes.inc"

enum { ROWS = 40 };

/* The classes of make_classes.py. */
static void make_classes(int32_t truth[ROWS], int32_t guess[ROWS], double weights[ROWS])
{
    for (int i = 0; i < ROWS; i++) {
        truth[i] = i * 7 % 11 % 4;
        guess[i] = i % 3 == 0 ? (truth[i] + i) % 5 : truth[i];
        weights[i] = 0.25 + i % 4 * 0.5;
    }
}

static void has(gt_Tensor *x, int64_t classes, const double *numbers)
{
    ok();
    cr_assert(gt_shape_equal(gt_tensor_shape(x), gt_shape(classes, classes)));
    for (int64_t i = 0; i < classes * classes; i++)
        cr_assert(fabs(gt_element(x, i) - numbers[i]) < 1e-12, "element %lld is %g, not %g", (long long)i,
                  gt_element(x, i), numbers[i]);
}

Test(classes, confusion_matrix)
{
    int32_t truth[ROWS], guess[ROWS];
    double weights[ROWS];
    make_classes(truth, guess, weights);
    gt_Tensor *y = gt_from_data(truth, gt_shape(ROWS), GT_INT32), *p = gt_from_data(guess, gt_shape(ROWS), GT_INT32);
    gt_Tensor *w = gt_from_data(weights, gt_shape(ROWS), GT_FLOAT64);
    gt_Tensor *matrix = gt_confusion_matrix(y, p);
    has(matrix, 5, counted);
    cr_assert(gt_dtype(matrix) == GT_INT64);
    has(gt_confusion_matrix(y, p, .num_classes = 7), 7, counted_7);
    has(gt_confusion_matrix(y, p, .sample_weight = w), 5, weighted);
    /* columns, one-hot rows, scores, floats that are integers */
    has(gt_confusion_matrix(gt_reshape(y, gt_shape(-1, 1)), gt_cast(p, GT_FLOAT32)), 5, counted);
    has(gt_confusion_matrix(gt_one_hot(y, 5), gt_multiply(gt_one_hot(p, 5), 0.3)), 5, counted);
    has(gt_confusion_matrix(y, gt_reshape(p, gt_shape(-1, 1))), 5, counted);
    /* probabilities of class 1; 0.5 is none */
    static const double two[] = {2, 0, 1, 1};
    gt_Tensor *sure = gt_array(gt_shape(4, 1), 0.1, 0.5, 0.51, 0.2);
    has(gt_confusion_matrix(gt_array(gt_shape(4, 1), 0, 0, 1, 1), sure), 2, two);
    has(gt_confusion_matrix(gt_zeros(gt_shape(0)), gt_zeros(gt_shape(0)), .num_classes = 1), 1, (const double[]){0});

    refused(gt_confusion_matrix(y, p, .num_classes = 4), GT_INVALID, "num_classes is 4, and there are 5");
    refused(gt_confusion_matrix(y, p, .num_classes = 0), GT_INVALID, "num_classes must be 1 to 16777216, or -1");
    refused(gt_confusion_matrix(y, gt_array(gt_shape(2), 0, 1)), GT_INVALID, "the same number of rows (got 40 and 2)");
    refused(gt_confusion_matrix(gt_array(gt_shape(2), 0, 1.5), gt_array(gt_shape(2), 0, 1)), GT_INVALID,
            "y_true: row 1: a class is an integer from 0");
    refused(gt_confusion_matrix(gt_array(gt_shape(2), 0, -1), gt_array(gt_shape(2), 0, 1)), GT_INVALID, "(got -1)");
    refused(gt_confusion_matrix(gt_ones(gt_shape(2, 2, 2)), p), GT_INVALID, "y_true must be classes (rows)");
    refused(gt_confusion_matrix(y, NULL), GT_INVALID, "y_pred");
    refused(gt_confusion_matrix(y, p, .sample_weight = sure), GT_INVALID, "sample_weight must be of the shape (40)");
    gt_context_free(NULL);
    assert_no_leaks();
}

static gt_Status halves(void *user, gt_Batch *batch)
{
    (void)user;
    batch->ys[1] = gt_multiply(gt_cast(batch->y, GT_FLOAT32), 0.5);
    batch->y_count = 2;
    return gt_status();
}

static gt_Status some_rows(void *user, int64_t epoch, int64_t first, int64_t count, gt_Batch *batch)
{
    (void)epoch;
    int64_t rows = *(const int64_t *)user;
    count = first + count < rows ? count : rows - first;
    if (count < 1)
        return GT_OK;
    batch->x = gt_ones(gt_shape(count, 2));
    batch->y = gt_add(gt_arange(0, (double)count, 1), (double)first);
    return gt_status();
}

Test(classes, labels)
{
    int32_t truth[ROWS], guess[ROWS];
    double weights[ROWS];
    make_classes(truth, guess, weights);
    gt_Tensor *y = gt_from_data(truth, gt_shape(ROWS), GT_INT32);
    gt_Dataset *data = gt_dataset_from_tensors(gt_ones(gt_shape(ROWS, 3)), y, .batch_size = 7);
    gt_Batch batch;
    gt_dataset_next(data, &batch);
    gt_Tensor *labels = gt_dataset_labels(data);
    ok();
    cr_assert(gt_dtype(labels) == GT_INT32 && gt_size(labels) == ROWS);
    for (int i = 0; i < ROWS; i++)
        cr_assert_eq(gt_element(labels, i), truth[i], "shuffled or not, the labels come in the dataset's own order");
    cr_assert_eq(gt_dataset_position(data).row, 7, "it does not move");
    data = gt_dataset_map(data, halves, NULL);
    gt_Tensor *second = gt_dataset_labels(data, .output = 1);
    ok();
    cr_assert(gt_element(second, 3) == truth[3] * 0.5 && gt_dtype(second) == GT_FLOAT32);
    refused(gt_dataset_labels(data, .output = 2), GT_INVALID, "output 2 is out of range: the dataset has 2 labels");
    gt_dataset_free(data);

    int64_t rows = 70;
    gt_Dataset *stream = gt_dataset_from_function(some_rows, &rows, .batch_size = 32);
    labels = gt_dataset_labels(stream);
    ok();
    cr_assert(gt_size(labels) == 70 && gt_element(labels, 69) == 69);
    stream = gt_dataset_repeat(stream, -1);
    refused(gt_dataset_labels(stream), GT_INVALID, "has no end");
    gt_dataset_free(stream);
    gt_Dataset *bare = gt_dataset_from_tensors(gt_ones(gt_shape(3, 1)), NULL);
    refused(gt_dataset_labels(bare), GT_INVALID, "the dataset has no labels");
    refused(gt_dataset_labels(NULL), GT_INVALID, "NULL");
    gt_dataset_free(bare);
    gt_context_free(NULL);
    assert_no_leaks();
}

static void weigh(gt_Tensor *weights, int64_t classes, const double *numbers)
{
    ok();
    cr_assert(gt_dtype(weights) == GT_FLOAT32 && gt_shape_equal(gt_tensor_shape(weights), gt_shape(classes)));
    for (int64_t i = 0; i < classes; i++)
        cr_assert(fabs(gt_element(weights, i) - numbers[i]) < 1e-6 * numbers[i] + 1e-12, "class %lld weighs %g, not %g",
                  (long long)i, gt_element(weights, i), numbers[i]);
}

Test(classes, weights, .init = open_folder, .fini = close_folder)
{
    int32_t truth[ROWS], guess[ROWS];
    double numbers[ROWS];
    make_classes(truth, guess, numbers);
    gt_Tensor *y = gt_from_data(truth, gt_shape(ROWS), GT_INT32);
    weigh(gt_balanced_class_weights(y), 4, balanced);
    weigh(gt_balanced_class_weights(gt_one_hot(y, 4)), 4, balanced);
    gt_Dataset *data = gt_dataset_from_tensors(gt_ones(gt_shape(ROWS, 3)), y);
    weigh(gt_balanced_class_weights(data), 4, balanced);
    weigh(gt_class_weights(data, {"2", 3}), 3, (const double[]){1, 1, 3});
    refused(gt_class_weights(data, {"two", 3}), GT_INVALID, "no names of classes, so a class is called by its number");

    gt_Dataset *homes = gt_dataset_from_csv(put_text("h.csv", "a,kind\n1,flat\n2,house\n3,flat\n4,flat\n5,studio\n"));
    weigh(gt_class_weights(homes, {"studio", 4}, {"flat", 0.5}), 3, (const double[]){0.5, 1, 4});
    weigh(gt_balanced_class_weights(homes), 3, (const double[]){5 / 9., 5 / 3., 5 / 3.});
    refused(gt_class_weights(homes, {"barn", 4}), GT_INVALID, "no class is called \"barn\": the first of 3 is \"flat\"");
    refused(gt_class_weights(homes, {"flat", -1}), GT_INVALID, "must be finite and >= 0 (got -1)");
    refused(gt_class_weights(NULL, {"flat", 1}), GT_INVALID, "NULL");
    gt_Dataset *bare = gt_dataset_from_tensors(gt_ones(gt_shape(3, 1)), NULL);
    refused(gt_balanced_class_weights(bare), GT_INVALID, "the dataset has no labels");
    /* a class that a filtered table does not have */
    gt_Dataset *few = gt_dataset_from_csv(put_text("f.csv", "a,kind\n1,flat\n2,flat\n3,studio\n"), .like = homes);
    weigh(gt_balanced_class_weights(few), 3, (const double[]){0.75, 1, 1.5});

    /* the loss of a fit is that of weights given by number */
    double losses[2];
    for (int i = 0; i < 2; i++) {
        gt_Layer *model = gt_Sequential(gt_Dense(3, .kernel_initializer = gt_Zeros()));
        gt_compile(model, .optimizer = gt_SGD(0.1), .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
        gt_Tensor *weights = i ? gt_array(gt_shape(3), 0.5, 1, 4) : gt_class_weights(homes, {"studio", 4}, {"flat", 0.5});
        gt_History *history = gt_fit(model, homes, .class_weight = weights, .epochs = 2, .verbose = GT_VERBOSITY_SILENT);
        ok();
        losses[i] = gt_history_get(history, "loss", -1);
        gt_layer_free(model);
    }
    cr_assert_eq(losses[0], losses[1]);
    gt_context_free(NULL);
    assert_no_leaks();
}

static void life(void)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *y = gt_array(gt_shape(5), 0, 1, 2, 1, 0);
    gt_Dataset *data = gt_dataset_from_tensors(gt_ones(gt_shape(5, 1)), y, .batch_size = 2);
    gt_confusion_matrix(gt_dataset_labels(data), y);
    gt_balanced_class_weights(data);
    gt_class_weights(data, {"1", 2});
    gt_dataset_free(data);
    if (scope)
        gt_scope_end(scope);
}

Test(classes, no_memory)
{
    fail_allocations(life);
    assert_no_leaks();
}
