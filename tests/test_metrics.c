/* Metrics beside Keras's (oracle/make_metrics.py): each class, by hand, in plans, in fit and evaluate, with weights and
 * masks; what is refused; failing allocations; and section 3.16 of the contract, a test a sentence, called by its number
 * in contract.txt. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "../gradtape.h"
#include "budget.h"
#include "leaks.h"
#include "option_defaults.h"

#undef GT_HERE
#define GT_HERE "test"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())
#define refused(call, status, text)                                                                \
    do {                                                                                           \
        (void)(call);                                                                              \
        cr_assert_eq(gt_status(), status, "%s", gt_error_message());                               \
        cr_assert(strstr(gt_error_message(), text), "%s", gt_error_message());                     \
        gt_error_clear();                                                                          \
    } while (0)

/* ---- what Keras says ---- */

enum { ROWS = 13, BATCHES = 3, BATCH = 5, WIDEST = 6 };
typedef enum Weights { WEIGHT_NONE, WEIGHT_ROWS, WEIGHT_STEPS } Weights;

#define VALUES(...) __VA_ARGS__
#define UNPACK(...) __VA_ARGS__
#define DATA(name, type, y_shape, p_shape, y, p)                                                   \
    static const double name##_y[] = {y}, name##_p[] = {p};
#include "oracle/metrics.inc"
#undef DATA

typedef struct Data {
    const char *name;
    gt_DType labels;
    gt_Shape y_shape, p_shape;
    const double *y, *p;
} Data;
#define DATA(name, type, y_shape, p_shape, y, p)                                                   \
    static Data name(void)                                                                         \
    {                                                                                              \
        return (Data){#name, type, UNPACK y_shape, UNPACK p_shape, name##_y, name##_p};            \
    }
#include "oracle/metrics.inc"
#undef DATA

static gt_Tensor *half(gt_Tensor *y_true, gt_Tensor *y_pred)
{
    return gt_multiply(gt_add(y_true, y_pred), 0.5);
}

#define CASE(id, metric, data, weights, width, ...)                                                \
    static gt_Metric *make_##id(void)                                                              \
    {                                                                                              \
        return metric;                                                                             \
    }
#include "oracle/metrics.inc"
#undef CASE

typedef struct Case {
    const char *text;
    gt_Metric *(*make)(void);
    Data (*data)(void);
    Weights weights;
    int width;
    double expected[(BATCHES + 1) * WIDEST]; /* after each batch; of the second one alone */
} Case;
#define CASE(id, metric, data, weights, width, ...)                                                \
    {#metric " of " #data ", " #weights, make_##id, data, weights, width, {__VA_ARGS__}},
static const Case cases[] = {
#include "oracle/metrics.inc"
};
#undef CASE
enum { CASES = sizeof cases / sizeof *cases };

static const double row_weights[ROWS] = {1, 0.5, 2, 0.25, 3, 0, 1, 1.5, 0.75, 2, 0.5, 1, 4};

/* Rows of a batch, in the precision of the numbers. */
typedef struct Batch {
    gt_Tensor *y, *p, *weight; /* weight NULL: all weigh 1 */
} Batch;

static int64_t size_of(gt_Shape shape)
{
    int64_t size = 1;
    for (int i = 0; i < shape.rank; i++)
        size *= shape.dims[i];
    return size;
}

static gt_Tensor *rows_of(const double *values, gt_Shape shape, gt_DType dtype, int first, int count)
{
    int64_t each = size_of(shape) / ROWS;
    shape.dims[0] = count;
    return gt_cast(gt_from_data(values + first * each, shape, GT_FLOAT64), dtype);
}

static gt_Tensor *weights_of(Weights kind, int first, int count)
{
    double values[ROWS * 4];
    for (int i = 0; i < ROWS * 4; i++)
        values[i] = fabs(sin(1.7 * i + 2.2));
    if (kind == WEIGHT_NONE)
        return NULL;
    return kind == WEIGHT_ROWS ? rows_of(row_weights, gt_shape(ROWS), GT_FLOAT64, first, count)
                               : rows_of(values, gt_shape(ROWS, 4), GT_FLOAT64, first, count);
}

static Batch batch_of(const Case *c, int first, int count)
{
    Data data = c->data();
    return (Batch){rows_of(data.y, data.y_shape, data.labels, first, count),
                   rows_of(data.p, data.p_shape, GT_FLOAT64, first, count),
                   weights_of(c->weights, first, count)};
}

static int rows_in(int batch)
{
    return batch < BATCHES - 1 ? BATCH : ROWS - BATCH * (BATCHES - 1);
}

static bool near(double a, double b)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-8 * fmax(1, fabs(b));
}

/* Keras's IoU divides in float32 in any precision. */
static bool agrees(const Case *c, double a, double b)
{
    return near(a, b) || (strstr(c->text, "IoU(") && fabs(a - b) < 1e-7);
}

static void check_result(const Case *c, gt_Metric *metric, int batch, const char *how)
{
    const double *expected = c->expected + batch * c->width;
    gt_Tensor *values = gt_metric_values(metric);
    ok();
    cr_assert_eq(gt_size(values), c->width, "%s: %d numbers, not %d", c->text, (int)gt_size(values), c->width);
    const double *got = gt_data(values);
    for (int i = 0; i < c->width; i++)
        cr_expect(agrees(c, got[i], expected[i]), "%s, %s, batch %d, number %d: %.12g, not %.12g", c->text, how,
                  batch, i, got[i], expected[i]);
    double mean = 0;
    for (int i = 0; i < c->width; i++)
        mean += got[i] / c->width;
    cr_expect(near(gt_metric_result(metric), mean), "%s: %g is not the mean", c->text, gt_metric_result(metric));
}

static void update(gt_Metric *metric, Batch batch)
{
    gt_metric_update(metric, batch.y, batch.p, .sample_weight = batch.weight);
    cr_assert_eq(gt_status(), GT_OK, "%s: %s", gt_metric_name(metric), gt_error_message());
}

/* Batch by batch; and a batch's own result beside the total, from a second metric that is reset. */
static void check_case(const Case *c)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Metric *total = c->make(), *alone = c->make();
    ok();
    cr_assert(gt_metric_result(total) == 0, "%s: nothing was seen", c->text);
    for (int k = 0; k < BATCHES; k++) {
        Batch batch = batch_of(c, k * BATCH, rows_in(k));
        update(total, batch);
        gt_metric_reset(alone);
        update(alone, batch);
        check_result(c, total, k, "by hand");
        if (k != 2)
            check_result(c, alone, k == 0 ? 0 : BATCHES, "alone");
    }
    gt_metric_free(total);
    gt_metric_free(alone);
    gt_scope_end(scope);
    ok();
}

Test(metrics, agree_with_keras)
{
    for (int i = 0; i < CASES; i++)
        check_case(&cases[i]);
    gt_context_free(NULL);
}

/* ---- in plans ---- */

/* One update as a function of (y, p) or (y, p, weight). */
static gt_Status planned_update(void *metric, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    (void)outputs;
    gt_metric_update(metric, inputs[0], inputs[1], .sample_weight = inputs[2]);
    return gt_status();
}

static gt_Status planned_update_alike(void *metric, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    (void)outputs;
    return gt_metric_update(metric, inputs[0], inputs[1]);
}

/* The same bits as by hand, whose states were made before the plan or inside it. */
Test(metrics, plans_gather_the_same_bits)
{
    for (int i = 0; i < CASES; i++) {
        gt_Scope *scope = gt_scope_begin();
        const Case *c = &cases[i];
        gt_Metric *eager = c->make(), *planned = c->make();
        int count = c->weights == WEIGHT_NONE ? 2 : 3;
        gt_Function *plan =
            gt_function(count == 3 ? planned_update : planned_update_alike, planned, .outputs = 0);
        ok();
        for (int k = 0; k < BATCHES; k++) {
            Batch batch = batch_of(c, k * BATCH, rows_in(k));
            update(eager, batch);
            gt_function_call(plan, ((gt_Tensors){(gt_Tensor *[]){batch.y, batch.p, batch.weight}, count}), NULL);
            cr_assert_eq(gt_status(), GT_OK, "%s: %s", c->text, gt_error_message());
        }
        /* One plan for five rows and one for three, also where the first made the states. */
        cr_expect(gt_function_stats(plan).plans == 2, "%s: %d plans", c->text, (int)gt_function_stats(plan).plans);
        gt_Tensors one = gt_metric_variables(eager), other = gt_metric_variables(planned);
        cr_assert(one.count > 0 && one.count == other.count, "%s", c->text);
        for (int k = 0; k < one.count; k++)
            cr_expect(memcmp(gt_data(one.items[k]), gt_data(other.items[k]),
                             (size_t)gt_size(one.items[k]) * sizeof(double)) == 0,
                      "%s: state %d", c->text, k);
        gt_function_free(plan);
        gt_metric_free(eager);
        gt_metric_free(planned);
        gt_scope_end(scope);
        ok();
    }
    gt_context_free(NULL);
}

/* ---- in fit and evaluate ---- */

static gt_Tensor *no_loss(const void *context, gt_Tensor *y_true, gt_Tensor *y_pred)
{
    (void)context, (void)y_true;
    gt_Tensor *rows = gt_reshape(y_pred, gt_shape(gt_tensor_shape(y_pred).dims[0], -1));
    return gt_multiply(gt_mean(rows, .axis = -1), 0);
}

/* Passes its input on, exactly, by a product with the identity, which training leaves as it is. */
static gt_Layer *same(int64_t width)
{
    return gt_Sequential(gt_Dense(width, .use_bias = false, .dtype = GT_FLOAT64,
                                  .kernel_initializer = gt_IdentityInitializer()));
}

static double mean_of(const double *values, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += values[i];
    return sum / count;
}

/* Metrics ignore the weights of the samples, weighted metrics have them; each epoch begins anew. */
Test(metrics, fit_and_evaluate)
{
    for (int i = 0; i < CASES; i++) {
        const Case *c = &cases[i];
        if (c->weights == WEIGHT_STEPS)
            continue;
        gt_Scope *scope = gt_scope_begin();
        Batch all = batch_of(c, 0, ROWS);
        bool weighted = c->weights == WEIGHT_ROWS;
        gt_Tensor *weight = weighted ? all.weight : weights_of(WEIGHT_ROWS, 0, ROWS);
        gt_Dataset *data = gt_dataset_from_tensors(all.p, all.y, .batch_size = BATCH,
                                                   .sample_weight = gt_tensors(weight));
        gt_Layer *model = same(gt_last(gt_tensor_shape(all.p)));
        gt_Metric *metric = c->make();
        gt_Metrics none = GT_NOT_GIVEN, one = {&metric, 1};
        gt_compile(model, .optimizer = gt_SGD(0), .loss = gt_loss(no_loss, NULL),
                   .metrics = weighted ? none : one, .weighted_metrics = weighted ? one : none);
        cr_assert_eq(gt_status(), GT_OK, "%s: %s", c->text, gt_error_message());
        gt_Scores scores = gt_evaluate(model, data);
        cr_assert_eq(gt_status(), GT_OK, "%s: %s", c->text, gt_error_message());
        double expected = mean_of(c->expected + (BATCHES - 1) * c->width, c->width);
        cr_expect(agrees(c, scores.metrics[0], expected), "%s, evaluate: %.12g, not %.12g", c->text,
                  scores.metrics[0], expected);
        gt_History *history = gt_fit(model, data, .epochs = 2, .validation = data, .verbose = GT_VERBOSITY_SILENT);
        cr_assert_eq(gt_status(), GT_OK, "%s: %s", c->text, gt_error_message());
        for (int epoch = 0; epoch < 2; epoch++) {
            char name[128];
            snprintf(name, sizeof name, "val_%s", gt_metric_name(metric));
            double got = gt_history_get(history, name + 4, epoch), seen = gt_history_get(history, name, epoch);
            cr_expect(agrees(c, got, expected) && agrees(c, seen, expected), "%s, epoch %d: %.12g and %.12g, not %.12g", c->text, epoch, got,
                      seen, expected);
        }
        gt_history_free(history);
        gt_layer_free(model);
        gt_dataset_free(data);
        gt_scope_end(scope);
        ok();
    }
    gt_context_free(NULL);
}

/* ---- masks ---- */

/* Steps that the mask leaves out weigh nothing: as weights of 0 and 1, times those that are given. */
Test(metrics, masks_are_weights)
{
    int tried = 0;
    for (int i = 0; i < CASES; i++) {
        const Case *c = &cases[i];
        gt_Scope *scope = gt_scope_begin();
        Batch all = batch_of(c, 0, ROWS);
        gt_Tensor *keep = gt_less(gt_abs(weights_of(WEIGHT_STEPS, 0, ROWS)), 0.6);
        gt_Shape shape = gt_tensor_shape(all.p);
        if (c->weights == WEIGHT_STEPS && shape.rank >= 2 && shape.dims[1] == 4) {
            gt_Metric *masked = c->make(), *weighted = c->make();
            update(masked, (Batch){all.y, gt_with_mask(all.p, keep), all.weight});
            update(weighted,
                   (Batch){all.y, all.p, gt_multiply(all.weight, gt_cast(keep, GT_FLOAT64))});
            cr_expect(near(gt_metric_result(masked), gt_metric_result(weighted)), "%s: %g, not %g",
                      c->text, gt_metric_result(masked), gt_metric_result(weighted));
            gt_metric_reset(masked);
            gt_metric_reset(weighted);
            update(masked, (Batch){all.y, gt_with_mask(all.p, keep), NULL});
            update(weighted, (Batch){all.y, all.p, gt_cast(keep, GT_FLOAT64)});
            cr_expect(near(gt_metric_result(masked), gt_metric_result(weighted)), "%s: %g, not %g",
                      c->text, gt_metric_result(masked), gt_metric_result(weighted));
            gt_metric_free(masked);
            gt_metric_free(weighted);
            tried++;
        }
        gt_scope_end(scope);
        ok();
    }
    cr_assert(tried > 30, "%d", tried);
    gt_context_free(NULL);
}

/* ---- classes ---- */

Test(metrics, classes_by_name)
{
    int count = 0;
    const gt_MetricClass *const *classes = gt_metric_classes(&count);
    cr_assert_eq(count, 32);
    for (int i = 0; i < count; i++) {
        const gt_MetricClass *type = classes[i];
        char call[80];
        cr_assert(gt_metric_class_find(type->name) == type);
        cr_assert(!type->keras || gt_metric_class_find(type->keras) == type, "%s", type->keras);
        snprintf(call, sizeof call, "gt_%s(", type->function);
        bool tried = false;
        for (int k = 0; k < CASES; k++)
            tried |= strncmp(cases[k].text, call, strlen(call)) == 0;
        cr_expect(tried, "no case is about %s", call);
        cr_expect(i == 0 || strcmp(classes[i - 1]->name, type->name) < 0, "%s: in order", type->name);
    }
    cr_assert_null(gt_metric_class_find("au"));
    cr_assert_null(gt_metric_class_find(NULL));
    gt_Metric *auc = gt_metric_make(gt_metric_class_find("AUC"), NULL);
    cr_assert(gt_metric_class(auc) == gt_metric_class_find("auc"));
    cr_assert_str_eq(gt_metric_name(auc), "auc");
    gt_metric_free(auc);
    gt_context_free(NULL);
}

#define DEFAULTS(keras, option, value) {keras, option, value},
static const OptionDefault defaults[] = {
#include "oracle/metrics.inc"
};
#undef DEFAULTS

/* Options of Keras's that there are not. */
static bool is_left_out(const OptionDefault *option)
{
    static const char *const names[] = {"AUC num_labels", /* the data say */
                                        "SparseCategoricalCrossentropy axis"};
    char name[80];
    snprintf(name, sizeof name, "%s %s", option->keras, option->option);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

Test(metrics, defaults_of_keras)
{
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        const gt_MetricClass *type = gt_metric_class_find(defaults[i].keras);
        const gt_LossClass *loss = gt_loss_class_find(defaults[i].keras);
        cr_assert(type || loss, "%s", defaults[i].keras);
        if (!is_left_out(&defaults[i]))
            check_default(type ? type->options : loss->options, &defaults[i]);
    }
}

Test(metrics, names)
{
    gt_Metric *acc = gt_metric_named("ACC"), *mae = gt_metric_named("mae"), *ce = gt_metric_named("ce"), *cosine = gt_metric_named("cosine_similarity"),
              *auc = gt_metric_named("AUC");
    ok();
    refused(gt_metric_named("EqualityAccuracy"), GT_INVALID, "\"EqualityAccuracy\" names neither a metric nor a loss");
    cr_assert_str_eq(gt_metric_name(acc), "ACC");
    cr_assert_str_eq(gt_metric_class(acc)->name, "accuracy");
    cr_assert_str_eq(gt_metric_name(mae), "mae");
    cr_assert_str_eq(gt_metric_class(cosine)->name, "cosine_similarity");
    cr_assert_str_eq(gt_metric_name(auc), "AUC");
    ok();
    refused(gt_metric_named("accuracies"), GT_INVALID, "metric_named: \"accuracies\" names neither");
    refused(gt_metric_named("ac"), GT_INVALID,
            "names neither a metric nor a loss; gt_metric_classes lists the metrics");
    refused(gt_metric_named(""), GT_INVALID, "names neither");
    refused(gt_metric_named(NULL), GT_INVALID, "the name must be given");
    refused(gt_metric_named("mean_iou"), GT_INVALID, "num_classes must be > 0 (got 0)");
    gt_metric_free(acc);
    gt_metric_free(mae);
    gt_metric_free(ce);
    gt_metric_free(cosine);
    gt_metric_free(auc);
    gt_context_free(NULL);
}

/* ---- options ---- */

Test(metrics, refused_options)
{
    gt_Tensor *y = gt_array(gt_shape(2, 3), 1, 0, 0, 0, 1, 0), *p = gt_array(gt_shape(2, 3), .5, .1, .2, .3, .9, .4);
    gt_Tensor *list = gt_array(gt_shape(2), 1, 0);
    refused(gt_Precision(.thresholds = gt_numbers(0.5, 1.5)), GT_INVALID, "Precision: thresholds must be in [0, 1] (got 1.5)");
    refused(gt_Precision(.thresholds = gt_numbers(NAN)), GT_INVALID, "thresholds must be in [0, 1]");
    refused(gt_Recall(.top_k = -1), GT_INVALID, "top_k must be > 0, or 0 for all (got -1)");
    refused(gt_Recall(.class_id = -2), GT_INVALID, "class_id must be >= 0");
    refused(gt_TruePositives(.thresholds = gt_numbers(-0.5)), GT_INVALID, "thresholds must be in [0, 1] (got -0.5)");
    refused(gt_SensitivityAtSpecificity(1.5), GT_INVALID, "specificity must be in [0, 1] (got 1.5)");
    refused(gt_SpecificityAtSensitivity(NAN), GT_INVALID, "sensitivity must be in [0, 1]");
    refused(gt_PrecisionAtRecall(-1), GT_INVALID, "recall must be in [0, 1] (got -1)");
    refused(gt_RecallAtPrecision(0.5, .num_thresholds = 0), GT_INVALID, "num_thresholds must be > 0 (got 0)");
    refused(gt_AUC(.num_thresholds = 1), GT_INVALID, "num_thresholds must be > 1 (got 1)");
    refused(gt_AUC(.thresholds = gt_numbers(2)), GT_INVALID, "thresholds must be in [0, 1] (got 2)");
    refused(gt_AUC(.label_weights = gt_numbers(1, -1)), GT_INVALID, "label_weights must be >= 0 (got -1)");
    refused(gt_metric_update(gt_AUC(.label_weights = gt_numbers(1, 1)), y, p), GT_INVALID,
            "label_weights must be one for each of 3 labels (got 2)");
    refused(gt_metric_update(gt_AUC(.multi_label = true), list, list), GT_INVALID,
            "multi_label asks for predictions (batch, labels)");
    refused(gt_AUC(.curve = (gt_AUCCurve)7), GT_INVALID, "unknown curve 7");
    refused(gt_AUC(.summation_method = (gt_AUCSummation)-1), GT_INVALID, "unknown summation_method -1");
    refused(gt_F1Score(.average = (gt_Averaging)9), GT_INVALID, "unknown average 9");
    refused(gt_F1Score(.threshold = 0), GT_INVALID, "threshold must be in (0, 1] (got 0)");
    refused(gt_FBetaScore(.beta = 0), GT_INVALID, "beta must be > 0 (got 0)");
    refused(gt_IoU(0), GT_INVALID, "num_classes must be > 0 (got 0)");
    refused(gt_IoU(3, .target_class_ids = gt_axes(0, 3)), GT_INVALID, "target_class_ids must be below 3 (got 3)");
    refused(gt_BinaryIoU(.target_class_ids = gt_axes(-1)), GT_INVALID, "target_class_ids must be below 2 (got -1)");
    refused(gt_R2Score(.class_aggregation = (gt_R2Aggregation)3), GT_INVALID, "unknown class_aggregation 3");
    refused(gt_R2Score(.num_regressors = -1), GT_INVALID, "num_regressors must be >= 0 (got -1)");
    refused(gt_TopKCategoricalAccuracy(.k = 0), GT_INVALID, "k must be > 0 (got 0)");
    refused(gt_MeanMetric(NULL), GT_INVALID, "the function is NULL");
    refused(gt_Precision(.output = -1), GT_INVALID, "output must be 0 to 15 (got -1)");
    refused(gt_metric_make(NULL, NULL), GT_INVALID, "metric_make: a metric needs");

    /* Data that do not fit. */
    refused(gt_metric_update(gt_Precision(.class_id = 3), y, p), GT_INVALID, "class_id 3 is none of the predictions' 3 classes");
    refused(gt_metric_update(gt_Precision(.top_k = 2), list, list), GT_INVALID, "class_id and top_k ask for predictions (..., classes)");
    refused(gt_metric_update(gt_F1Score(), list, list), GT_INVALID, "labels and predictions must be (batch, classes)");
    refused(gt_metric_update(gt_R2Score(), list, list), GT_INVALID, "predictions must be (batch, columns)");
    refused(gt_metric_update(gt_AUC(), gt_ones(gt_shape(2, 2)), p), GT_INVALID, "do not match: (2, 2) and (2, 3)");
    refused(gt_metric_update(gt_AUC(), NULL, p), GT_INVALID, "auc: ");
    refused(gt_metric_update(gt_RootMeanSquaredError(), y, p, .sample_weight = gt_ones(gt_shape(3))), GT_INVALID,
            "sample_weight must be of the leading axes of the values, (2, 3) (got (3,))");
    refused(gt_metric_update(gt_LossMetric(gt_MeanSquaredError()), y, p, .sample_weight = gt_ones(gt_shape(2, 3))), GT_INVALID,
            "sample_weight must be of the leading axes of the values, (2,) (got (2, 3))");
    gt_Metric *scores = gt_F1Score(.name = "scores");
    gt_metric_update(scores, y, p);
    refused(gt_metric_update(scores, gt_ones(gt_shape(2, 4)), gt_ones(gt_shape(2, 4))), GT_INVALID,
            "scores: its states have shape (3,) by the batches before, and this one asks for (4,)");
    cr_assert_eq(gt_metric_variables(scores).count, 4);
    gt_metric_free(scores);
    gt_context_free(NULL);
}

/* Nothing was seen: no states where the data shape them, and the result is 0. */
Test(metrics, before_the_first_batch)
{
    gt_Metric *f1 = gt_F1Score(), *mean = gt_Mean();
    cr_assert_eq(gt_metric_variables(f1).count, 0);
    cr_assert_eq(gt_metric_variables(mean).count, 2);
    cr_assert_eq(gt_metric_result(f1), 0);
    cr_assert_eq(gt_element(gt_metric_values(f1), 0), 0);
    gt_metric_reset(f1);
    ok();
    gt_metric_free(f1);
    gt_metric_free(mean);
    gt_context_free(NULL);
}

/* Of each score that stands at several places in the list of the best. */
Test(metrics, equal_scores_are_all_among_the_best)
{
    gt_Tensor *y = gt_cast(gt_array(gt_shape(3), 2, 0, 1), GT_INT32);
    gt_Tensor *p = gt_array(gt_shape(3, 4), .5, .5, .5, .1, .2, .9, .3, .4, NAN, NAN, 1, 2);
    gt_Metric *best = gt_SparseTopKCategoricalAccuracy(.k = 1);
    gt_metric_update(best, y, p); /* tf.math.in_top_k: True, False, False */
    cr_assert(near(gt_metric_result(best), 1.0 / 3), "%g", gt_metric_result(best));
    gt_metric_free(best);
    gt_context_free(NULL);
}

/* Numbers that are none are beyond no threshold; samples of no class do not count. */
Test(metrics, what_is_no_score_and_no_class)
{
    gt_Tensor *y = gt_array(gt_shape(4), 1, 1, 0, 0), *p = gt_array(gt_shape(4), NAN, .9f, NAN, .2f);
    gt_Metric *recall = gt_Recall(), *auc = gt_AUC(.num_thresholds = 3), *at = gt_SensitivityAtSpecificity(1, .num_thresholds = 3);
    gt_metric_update(recall, y, p);
    gt_metric_update(auc, y, p);
    gt_metric_update(at, y, p);
    cr_assert(near(gt_metric_result(recall), 0.5) && near(gt_metric_result(at), 0.5), "%g, %g",
              gt_metric_result(recall), gt_metric_result(at));
    /* (0.5, 0.5) to (0, 0.5) to (0, 0): all of the area below the curve is that of the step. */
    cr_assert(near(gt_metric_result(auc), 0.25), "%g", gt_metric_result(auc));
    gt_metric_free(recall);
    gt_metric_free(auc);
    gt_metric_free(at);
    gt_Metric *iou = gt_MeanIoU(2);
    gt_metric_update(iou, gt_array(gt_shape(5), 0, 1, 2, -1, 0), gt_array(gt_shape(5), 0, 1, 0, 1, 7));
    cr_assert(fabs(gt_metric_result(iou) - 1) < 1e-6, "%g", gt_metric_result(iou));
    gt_metric_free(iou);
    ok();
    gt_context_free(NULL);
}

/* ---- failing allocations ---- */

/* Each metric made, updated twice and read; all numbers. */
static double use(const Case *c)
{
    gt_Metric *metric = c->make();
    Batch batch = batch_of(c, 0, BATCH);
    gt_metric_update(metric, batch.y, batch.p, .sample_weight = batch.weight);
    gt_metric_update(metric, batch.y, batch.p, .sample_weight = batch.weight);
    double result = gt_metric_result(metric);
    gt_metric_free(metric);
    return result;
}

Test(metrics, failing_allocations)
{
    enum { PLENTY = 1 << 30 };
    long tried = 0;
    for (int i = 0; i < CASES; i++) {
        if (i > 0 && strncmp(cases[i].text, cases[i - 1].text, 9) == 0)
            continue; /* one of a kind */
        bool failed = true;
        for (long n = 0; failed; n++, tried++) {
            Budget budget = {.left = PLENTY};
            const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
            gt_Context *context = gt_context_create(.allocator = &allocator);
            gt_context_use(context);
            gt_Scope *scope = gt_scope_begin();
            budget.left = n;
            double result = use(&cases[i]);
            failed = budget.left < 0;
            budget.left = PLENTY;
            cr_assert_eq(gt_status(), failed ? GT_NO_MEMORY : GT_OK, "%s, allocation %ld: %s", cases[i].text,
                         n, gt_error_message());
            cr_assert(failed || isfinite(result), "%s", cases[i].text);
            gt_error_clear();
            gt_scope_end(scope);
            gt_context_free(context);
            cr_assert_eq(budget.held, 0, "%s, allocation %ld: %ld blocks are lost", cases[i].text,
                         n, budget.held);
        }
    }
    fprintf(stderr, "%ld allocations failed in turn\n", tried);
}

/* ---- 3.16 of the contract ---- */

#define SENTENCE(number)                                                                           \
    static void says_##number(void);                                                               \
    Test(metrics, s3_##number)                                                                     \
    {                                                                                              \
        gt_Scope *scope = gt_scope_begin();                                                        \
        says_##number();                                                                           \
        ok();                                                                                      \
        gt_scope_end(scope);                                                                       \
        gt_context_free(NULL);                                                                     \
        assert_no_leaks();                                                                         \
    }                                                                                              \
    static void says_##number(void)

/* All cases of a metric. */
static void as_keras(const char *begin, int at_least)
{
    int count = 0;
    for (int i = 0; i < CASES; i++)
        if (strncmp(cases[i].text, begin, strlen(begin)) == 0) {
            check_case(&cases[i]);
            count++;
        }
    cr_assert(count >= at_least, "%s: %d cases", begin, count);
}

/* Of labels and predictions, each a list. */
static double of(gt_Metric *metric, gt_Tensor *y, gt_Tensor *p)
{
    gt_metric_update(metric, y, p);
    double result = gt_metric_result(metric);
    gt_metric_free(metric);
    return result;
}
#define LIST(...)                                                                                  \
    gt_from_values_at(GT_HERE, gt_shape((int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double))), \
                      GT_FLOAT64, (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)),     \
                      (double[]){__VA_ARGS__})
#define equals(value, expected)                                                                    \
    do {                                                                                           \
        double got_ = (value), wanted_ = (expected);                                               \
        cr_expect(near(got_, wanted_), "%s is %.12g, not %.12g", #value, got_, wanted_);           \
    } while (0)

SENTENCE(16_1)
{
    gt_Metric *mean = gt_Mean();
    equals(gt_metric_result(mean), 0);
    gt_metric_update(mean, NULL, LIST(1, 3));
    equals(gt_metric_result(mean), 2);
    gt_metric_update(mean, NULL, LIST(8));
    equals(gt_metric_result(mean), 4);
    gt_metric_reset(mean);
    gt_metric_update(mean, NULL, LIST(5));
    equals(gt_metric_result(mean), 5);
    gt_metric_free(mean);
}

SENTENCE(16_2)
{
    int count;
    const gt_MetricClass *const *classes = gt_metric_classes(&count);
    for (int i = 0; i < count; i++) {
        const Case *c = NULL;
        for (int k = 0; k < CASES && !c; k++) {
            char call[80];
            snprintf(call, sizeof call, "gt_%s(", classes[i]->function);
            if (strncmp(cases[k].text, call, strlen(call)) == 0)
                c = &cases[k];
        }
        cr_assert_not_null(c);
        gt_Metric *metric = c->make();
        update(metric, batch_of(c, 0, BATCH));
        gt_Tensors states = gt_metric_variables(metric);
        cr_assert_eq(states.count, classes[i]->states);
        for (int k = 0; k < states.count; k++)
            cr_assert(gt_is_variable(states.items[k]) && !gt_variable_trainable(states.items[k]) &&
                      gt_dtype(states.items[k]) == GT_FLOAT64, "%s", c->text);
        gt_metric_free(metric);
    }
}

SENTENCE(16_3)
{
    as_keras("gt_Mean(", 2);
}

SENTENCE(16_4)
{
    as_keras("gt_Sum(", 2);
}

SENTENCE(16_5)
{
    as_keras("gt_MeanMetric(", 2);
}

SENTENCE(16_6)
{
    as_keras("gt_EqualityAccuracy(", 4);
    equals(of(gt_EqualityAccuracy(), LIST(1, 2, 3, 4), LIST(0, 2, 3, 4)), 0.75);
}

SENTENCE(16_7)
{
    as_keras("gt_BinaryAccuracy(", 8);
    equals(of(gt_BinaryAccuracy(), LIST(1, 1, 0, 0), LIST(.98, .5, 0, .6)), 0.5); /* 0.5 is a no */
}

SENTENCE(16_8)
{
    as_keras("gt_CategoricalAccuracy(", 5);
}

SENTENCE(16_9)
{
    as_keras("gt_SparseCategoricalAccuracy(", 7);
}

SENTENCE(16_10)
{
    as_keras("gt_LossMetric(gt_MeanSquaredError(", 2);
    as_keras("gt_LossMetric(gt_MeanAbsoluteError(", 2);
}

SENTENCE(16_11)
{
    as_keras("gt_RootMeanSquaredError(", 4);
    equals(of(gt_RootMeanSquaredError(), LIST(1, 2), LIST(4, 6)), sqrt(12.5));
}

/* Any loss, also one of one's own, and one that is a number for the batch, which then weighs as many as it has rows. */
static gt_Tensor *absolute(const void *context, gt_Tensor *y_true, gt_Tensor *y_pred)
{
    (void)context;
    return gt_abs(gt_subtract(y_true, y_pred));
}

SENTENCE(16_12)
{
    as_keras("gt_LossMetric(", 30);
    equals(of(gt_LossMetric(gt_loss(absolute, NULL)), LIST(1, 2, 3), LIST(2, 4, 3)), 1);
    gt_Metric *sum = gt_LossMetric(gt_MeanAbsoluteError(.reduction = GT_REDUCTION_SUM));
    gt_metric_update(sum, gt_reshape(LIST(1, 2, 3), gt_shape(3, 1)), gt_reshape(LIST(2, 4, 3), gt_shape(3, 1)));
    gt_metric_update(sum, gt_reshape(LIST(1), gt_shape(1, 1)), gt_reshape(LIST(8), gt_shape(1, 1)));
    equals(gt_metric_result(sum), (3 * 3 + 1 * 7) / 4.0);
    gt_metric_free(sum);
    gt_Tensor *y = gt_cast(gt_array(gt_shape(3), 0, 1, 0), GT_INT32);
    gt_Tensor *p = gt_array64(gt_shape(3, 2), .5, .5, .25, .75, .25, .75);
    equals(of(gt_LossMetric(gt_SparseCategoricalCrossentropy(.ignore_class = 1)), y, p), -(log(.5) + log(.25)) / 2);
}

SENTENCE(16_13)
{
    as_keras("gt_Precision(", 15);
    as_keras("gt_Recall(", 15);
    equals(of(gt_Precision(), LIST(0, 1, 1, 1), LIST(1, 0, 1, 1)), 2.0 / 3);
    equals(of(gt_Recall(), LIST(0, 1, 1, 1), LIST(1, 0, 1, 1)), 2.0 / 3);
}

SENTENCE(16_14)
{
    as_keras("gt_AUC(", 20);
    equals(of(gt_AUC(.num_thresholds = 3), LIST(0, 0, 1, 1), LIST(0, .5, .3, .9)), 0.75);
}

SENTENCE(16_15)
{
    as_keras("gt_TopKCategoricalAccuracy(", 9);
    as_keras("gt_SparseTopKCategoricalAccuracy(", 9);
}

SENTENCE(16_16)
{
    as_keras("gt_TruePositives(", 5);
    as_keras("gt_FalsePositives(", 5);
    as_keras("gt_TrueNegatives(", 5);
    as_keras("gt_FalseNegatives(", 5);
}

SENTENCE(16_17)
{
    as_keras("gt_F1Score(", 12);
    as_keras("gt_FBetaScore(", 8);
    gt_Metric *plain = gt_F1Score();
    gt_Tensor *scores = gt_array64(gt_shape(3, 3), .2, .6, .7, .2, .6, .6, .6, .8, 0);
    gt_metric_update(plain, gt_array64(gt_shape(3, 3), 1, 1, 1, 1, 0, 0, 1, 1, 0), scores);
    cr_assert_eq(gt_size(gt_metric_values(plain)), 3, "a number for each class");
    gt_metric_free(plain);
}

SENTENCE(16_18)
{
    as_keras("gt_IoU(", 6);
    as_keras("gt_MeanIoU(", 8);
    as_keras("gt_BinaryIoU(", 5);
    as_keras("gt_OneHotMeanIoU(", 2);
    equals(of(gt_MeanIoU(2), LIST(0, 0, 1, 1), LIST(0, 1, 0, 1)), (1 / (3 + 1e-7) + 1 / (3 + 1e-7)) / (2 + 1e-7));
}

SENTENCE(16_19)
{
    as_keras("gt_CosineSimilarityMetric(", 4);
    gt_Tensor *y = gt_array64(gt_shape(1, 2), 3, 4), *p = gt_array64(gt_shape(1, 2), 4, 3);
    equals(of(gt_CosineSimilarityMetric(), y, p), 24.0 / 25);
}

SENTENCE(16_20)
{
    as_keras("gt_R2Score(", 14);
    gt_Tensor *y = gt_array64(gt_shape(3, 1), 1, 4, 3), *p = gt_array64(gt_shape(3, 1), 2, 4, 4);
    equals(of(gt_R2Score(), y, p), 1 - 2 / (14.0 / 3));
    equals(of(gt_R2Score(.num_regressors = 2), y, p), 1 - 2 / (14.0 / 3)); /* too few to adjust */
}

SENTENCE(16_21)
{
    as_keras("gt_LossMetric(gt_MeanAbsolutePercentageError(", 2);
    as_keras("gt_LossMetric(gt_MeanSquaredLogarithmicError(", 2);
    as_keras("gt_LossMetric(gt_LogCosh(", 2);
}

SENTENCE(16_22)
{
    as_keras("gt_SensitivityAtSpecificity(", 8);
    as_keras("gt_SpecificityAtSensitivity(", 8);
    as_keras("gt_PrecisionAtRecall(", 8);
    as_keras("gt_RecallAtPrecision(", 8);
}

SENTENCE(16_23)
{
    as_keras("gt_OneHotIoU(", 4);
}

SENTENCE(16_24)
{
    as_keras("gt_PearsonCorrelation(", 4);
    as_keras("gt_ConcordanceCorrelation(", 4);
}

SENTENCE(16_25)
{
    as_keras("gt_LossMetric(gt_Hinge(", 2);
    as_keras("gt_LossMetric(gt_SquaredHinge(", 2);
    as_keras("gt_LossMetric(gt_CategoricalHinge(", 2);
}

SENTENCE(16_26)
{
    gt_Tensor *x = gt_array64(gt_shape(4, 1), 1, 2, 3, 4), *y = gt_array64(gt_shape(4, 1), 0, 0, 0, 0);
    gt_Dataset *rows = gt_dataset_from_tensors(x, y, .batch_size = 2,
                                               .sample_weight = gt_tensors(gt_array64(gt_shape(4), 0, 1, 0, 3)));
    gt_Layer *model = same(1);
    gt_compile(model, .optimizer = gt_SGD(0), .loss = gt_MeanAbsoluteError(),
               .metrics = gt_metrics(gt_metric_named("mae")),
               .weighted_metrics = gt_metrics(gt_LossMetric(gt_MeanAbsoluteError(), .name = "weighted")));
    gt_Scores scores = gt_evaluate(model, rows);
    equals(scores.metrics[0], 2.5);
    equals(scores.metrics[1], 14.0 / 4);
    equals(scores.loss, 14.0 / 4); /* over the rows */
    gt_layer_free(model);
    gt_dataset_free(rows);
}
