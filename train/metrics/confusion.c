/* Metrics that count right and wrong answers beyond thresholds: four states, of a number for each threshold. */
#include "train/metrics/confusion.h"
#include "ops/array/sorting.h"
#include "ops/linalg/matmul.h"
#include "ops/nn/activation.h"
#include "train/metrics/kit.h"

GT_OPTION_TYPE(gt_TruePositives_options, gt_TruePositives_OPTIONS);
GT_OPTION_TYPE(gt_Precision_options, gt_Precision_OPTIONS);
GT_OPTION_TYPE(gt_AUC_options, gt_AUC_OPTIONS);
GT_OPTION_TYPE(gt_SensitivityAtSpecificity_options, gt_SensitivityAtSpecificity_OPTIONS);
GT_OPTION_TYPE(gt_SpecificityAtSensitivity_options, gt_SpecificityAtSensitivity_OPTIONS);
GT_OPTION_TYPE(gt_PrecisionAtRecall_options, gt_PrecisionAtRecall_OPTIONS);
GT_OPTION_TYPE(gt_RecallAtPrecision_options, gt_RecallAtPrecision_OPTIONS);

enum { TP, FP, TN, FN, STATES };
#define NEVER (-1e10) /* a score that no threshold is below, as in Keras */

/* ---- counting ---- */

/* Which answers count, and beyond which thresholds, a vector of float64. */
typedef struct Counting {
    gt_Tensor *thresholds;
    bool ascending;          /* the thresholds: there may be many */
    int32_t top_k, class_id; /* 0, -1: all */
} Counting;

/* Scores beside the thresholds: 1 for each that a score is beyond (thresholds, scores), or, of ascending ones, how many it is
 * beyond. */
typedef struct Places {
    gt_Tensor *beyond, *number;
    int64_t thresholds;
} Places;

static Places find_places(Counting how, gt_Tensor *scores)
{
    Places places = {.thresholds = gt_size(how.thresholds)};
    if (how.ascending) {
        gt_Tensor *low = gt_where(gt_logical_not(gt_isnan(scores)), scores, NEVER);
        places.number = gt_searchsorted(how.thresholds, low);
    } else {
        gt_Tensor *row = gt_expand_dims(scores, 0), *column = gt_expand_dims(how.thresholds, 1);
        places.beyond = gt_cast(gt_greater(row, column), GT_FLOAT64);
    }
    return places;
}

/* Adds up the weights of scores beyond each threshold in one state and those of the others in another. */
static gt_Status add_weights(const Places *places, gt_Tensor *weight, gt_Variable *beyond,
                             gt_Variable *within)
{
    if (places->beyond) {
        gt_Tensor *others = gt_add(gt_negative(places->beyond), 1);
        gt_assign_add(beyond, gt_matmul(places->beyond, weight));
        return gt_assign_add(within, gt_matmul(others, weight));
    }
    gt_Tensor *sums =
        gt_bincount(places->number, .weights = weight, .length = places->thresholds + 1);
    gt_assign_add(beyond, gt_cumsum(gt_get_item(sums, "1:"), .reverse = true));
    return gt_assign_add(within, gt_get_item(gt_cumsum(sums), ":-1"));
}

/* Scores that are not among the k largest of the last axis become NEVER. */
static gt_Tensor *only_top(gt_Tensor *scores, int32_t k)
{
    const int64_t classes = gt_last(gt_tensor_shape(scores));
    if (gt_status() != GT_OK || k >= classes)
        return scores;
    gt_TopK top = gt_top_k(scores, k);
    gt_Tensor *chosen = gt_sum(gt_one_hot(top.indices, classes, .dtype = GT_FLOAT64), .axis = -2);
    return gt_where(gt_greater(chosen, 0), scores, NEVER);
}

static gt_Tensor *column_of(gt_Tensor *x, int32_t class_id)
{
    return gt_take(x, gt_scalar(class_id, GT_INT64), .axis = -1);
}

static gt_Tensor *flat(gt_Tensor *x)
{
    return gt_reshape(x, gt_shape(-1));
}

static gt_Status count(const gt_MetricUpdate *update, Counting how)
{
    gt_Tensor *y_true = update->y_true, *y_pred = update->y_pred;
    if (gt_metric_bring_together(&y_true, &y_pred) != GT_OK)
        return gt_status();
    if (gt_rank(y_pred) < 2 && (how.class_id >= 0 || how.top_k > 0))
        return gt_fail(GT_INVALID, "class_id and top_k ask for predictions (..., classes)");
    if (how.class_id >= gt_last(gt_tensor_shape(y_pred)) && how.class_id >= 0)
        return gt_fail(GT_INVALID, "class_id %d is none of the predictions' %lld classes",
                       (int)how.class_id, (long long)gt_last(gt_tensor_shape(y_pred)));
    gt_Tensor *t = gt_cast(gt_not_equal(y_true, 0), GT_FLOAT64), *p = gt_cast(y_pred, GT_FLOAT64);
    if (how.top_k > 0)
        p = only_top(p, how.top_k);
    if (how.class_id >= 0) {
        t = column_of(t, how.class_id);
        p = column_of(p, how.class_id);
    }
    gt_Tensor *weight = flat(gt_metric_weights(update, p));
    gt_Tensor *yes = gt_multiply(flat(t), weight);
    const Places places = find_places(how, flat(p));
    add_weights(&places, yes, update->states[TP], update->states[FN]);
    return add_weights(&places, gt_subtract(weight, yes), update->states[FP], update->states[TN]);
}

/* ---- thresholds ---- */

static gt_Status check_thresholds(const gt_Numbers *thresholds)
{
    for (int i = 0; i < thresholds->count; i++)
        if (!(thresholds->value[i] >= 0 && thresholds->value[i] <= 1))
            return gt_fail(GT_INVALID, "thresholds must be in [0, 1] (got %g)",
                           thresholds->value[i]);
    return GT_OK;
}

/* Those that are given; none: `otherwise` alone. */
static gt_Tensor *given_thresholds(const gt_Numbers *thresholds, double otherwise)
{
    return thresholds->count > 0
               ? gt_from_data(thresholds->value, gt_shape(thresholds->count), GT_FLOAT64)
               : gt_from_data(&otherwise, gt_shape(1), GT_FLOAT64);
}

static gt_Shape shape_given(const gt_Numbers *thresholds)
{
    return gt_shape(thresholds->count > 0 ? thresholds->count : 1);
}

/* From 0 - beyond to 1 + beyond, evenly between; one alone is 0.5. */
static gt_Tensor *even_thresholds(int32_t number, double beyond)
{
    if (number == 1)
        return gt_full(gt_shape(1), 0.5, .dtype = GT_FLOAT64);
    gt_Tensor *steps = gt_cast(gt_arange(0, number, 1), GT_FLOAT64);
    gt_Tensor *even = gt_divide(steps, (double)(number - 1));
    gt_Tensor *low = gt_multiply(gt_cast(gt_equal(steps, 0), GT_FLOAT64), -beyond);
    gt_Tensor *high =
        gt_multiply(gt_cast(gt_equal(steps, (double)(number - 1)), GT_FLOAT64), beyond);
    return gt_add(even, gt_add(low, high));
}

/* a / (a + b), 0 where both are. */
static gt_Tensor *part(gt_Tensor *a, gt_Tensor *b)
{
    return gt_divide_no_nan(a, gt_add(a, b));
}

/* One number for one threshold. */
static gt_Tensor *of_thresholds(gt_Tensor *values)
{
    return gt_size(values) == 1 ? gt_reshape(values, gt_shape()) : gt_identity(values);
}

/* ---- counts ---- */

static gt_Status counts_check(const void *given)
{
    return check_thresholds(&((const gt_TruePositives_options *)given)->thresholds);
}

static gt_Shape counts_shape(const void *given, int state, const gt_Spec *y_true,
                             const gt_Spec *y_pred)
{
    (void)state, (void)y_true, (void)y_pred;
    return shape_given(&((const gt_TruePositives_options *)given)->thresholds);
}

static gt_Status counts_update(const gt_MetricUpdate *update)
{
    const gt_TruePositives_options *options = update->instance;
    return count(update, (Counting){given_thresholds(&options->thresholds, 0.5), false, 0, -1});
}

#define COUNTS(symbol, Name, state)                                                                \
    static gt_Tensor *symbol##_result(const void *given, gt_Variable *const *states)               \
    {                                                                                              \
        (void)given;                                                                               \
        return of_thresholds(states[state]);                                                       \
    }                                                                                              \
    const gt_MetricClass gt_metric_class_##symbol = {                                              \
        GT_METRIC_RECORD(#symbol, Name, TruePositives, NONE),                                      \
        .states = STATES,                                                                          \
        .shape = counts_shape,                                                                     \
        .check = counts_check,                                                                     \
        .update = counts_update,                                                                   \
        .result = symbol##_result,                                                                 \
    };                                                                                             \
    GT_METRIC(Name, TruePositives, symbol)

COUNTS(true_positives, TruePositives, TP)
COUNTS(false_positives, FalsePositives, FP)
COUNTS(true_negatives, TrueNegatives, TN)
COUNTS(false_negatives, FalseNegatives, FN)

/* ---- precision and recall ---- */

static gt_Status precision_check(const void *given)
{
    const gt_Precision_options *options = given;
    if (options->top_k < 0)
        return gt_fail(GT_INVALID, "top_k must be > 0, or 0 for all (got %d)", (int)options->top_k);
    if (options->class_id < -1)
        return gt_fail(GT_INVALID, "class_id must be >= 0, or -1 for all (got %d)",
                       (int)options->class_id);
    return check_thresholds(&options->thresholds);
}

static gt_Shape precision_shape(const void *given, int state, const gt_Spec *y_true,
                                const gt_Spec *y_pred)
{
    (void)state, (void)y_true, (void)y_pred;
    return shape_given(&((const gt_Precision_options *)given)->thresholds);
}

static gt_Status precision_update(const gt_MetricUpdate *update)
{
    const gt_Precision_options *options = update->instance;
    gt_Tensor *thresholds =
        given_thresholds(&options->thresholds, options->top_k > 0 ? NEVER : 0.5);
    return count(update, (Counting){thresholds, false, options->top_k, options->class_id});
}

#define PART(symbol, Name, beside)                                                                 \
    static gt_Tensor *symbol##_result(const void *given, gt_Variable *const *states)               \
    {                                                                                              \
        (void)given;                                                                               \
        return of_thresholds(part(states[TP], states[beside]));                                    \
    }                                                                                              \
    const gt_MetricClass gt_metric_class_##symbol = {                                              \
        GT_METRIC_RECORD(#symbol, Name, Precision, UP),                                            \
        .states = STATES,                                                                          \
        .shape = precision_shape,                                                                  \
        .check = precision_check,                                                                  \
        .update = precision_update,                                                                \
        .result = symbol##_result,                                                                 \
    };                                                                                             \
    GT_METRIC(Name, Precision, symbol)

PART(precision, Precision, FP)
PART(recall, Recall, FN)

/* ---- the best of one where another is good enough: these option lists have their fields at the same places ---- */

typedef gt_SensitivityAtSpecificity_options At;

static gt_Status at_check(const char *name, const At *options)
{
    if (!(options->specificity >= 0 && options->specificity <= 1))
        return gt_fail(GT_INVALID, "%s must be in [0, 1] (got %g)", name, options->specificity);
    if (options->class_id < -1)
        return gt_fail(GT_INVALID, "class_id must be >= 0, or -1 for all (got %d)",
                       (int)options->class_id);
    return options->num_thresholds > 0 ? GT_OK
                                       : gt_fail(GT_INVALID, "num_thresholds must be > 0 (got %d)",
                                                 (int)options->num_thresholds);
}

static gt_Shape at_shape(const void *given, int state, const gt_Spec *y_true, const gt_Spec *y_pred)
{
    (void)state, (void)y_true, (void)y_pred;
    return gt_shape(((const At *)given)->num_thresholds);
}

static gt_Status at_update(const gt_MetricUpdate *update)
{
    const At *options = update->instance;
    gt_Tensor *thresholds = even_thresholds(options->num_thresholds, 0);
    return count(update, (Counting){thresholds, true, 0, options->class_id});
}

static gt_Tensor *sensitivity(gt_Variable *const *states)
{
    return part(states[TP], states[FN]);
}

static gt_Tensor *specificity(gt_Variable *const *states)
{
    return part(states[TN], states[FP]);
}

static gt_Tensor *precision(gt_Variable *const *states)
{
    return part(states[TP], states[FP]);
}

static gt_Tensor *best(const void *given, gt_Tensor *enough, gt_Tensor *values)
{
    const At *options = given;
    return gt_maximum(gt_max(gt_where(gt_greater_equal(enough, options->specificity), values, 0)),
                      0);
}

#define AT(symbol, Name, value, enough, values)                                                    \
    static gt_Status symbol##_check(const void *options)                                           \
    {                                                                                              \
        return at_check(#value, options);                                                          \
    }                                                                                              \
    static gt_Tensor *symbol##_result(const void *options, gt_Variable *const *states)             \
    {                                                                                              \
        return best(options, enough(states), values(states));                                      \
    }                                                                                              \
    const gt_MetricClass gt_metric_class_##symbol = {                                              \
        GT_METRIC_RECORD(#symbol, Name, Name, UP),                                                 \
        .states = STATES,                                                                          \
        .shape = at_shape,                                                                         \
        .check = symbol##_check,                                                                   \
        .update = at_update,                                                                       \
        .result = symbol##_result,                                                                 \
    };                                                                                             \
    GT_METRIC(Name, Name, symbol)

AT(sensitivity_at_specificity, SensitivityAtSpecificity, specificity, specificity, sensitivity)
AT(specificity_at_sensitivity, SpecificityAtSensitivity, sensitivity, sensitivity, specificity)
AT(precision_at_recall, PrecisionAtRecall, recall, sensitivity, precision)
AT(recall_at_precision, RecallAtPrecision, precision, precision, sensitivity)

/* ---- AUC ---- */

static gt_Status auc_check(const void *given)
{
    const gt_AUC_options *options = given;
    if (options->num_thresholds < 2)
        return gt_fail(GT_INVALID, "num_thresholds must be > 1 (got %d)",
                       (int)options->num_thresholds);
    if (options->curve < GT_AUC_CURVE_ROC || options->curve > GT_AUC_CURVE_PRGAIN)
        return gt_fail(GT_INVALID, "unknown curve %d", (int)options->curve);
    if (options->summation_method < GT_AUC_SUMMATION_INTERPOLATION ||
        options->summation_method > GT_AUC_SUMMATION_MINORING)
        return gt_fail(GT_INVALID, "unknown summation_method %d", (int)options->summation_method);
    return GT_OK;
}

static gt_Shape auc_shape(const void *given, int state, const gt_Spec *y_true,
                          const gt_Spec *y_pred)
{
    (void)state, (void)y_true, (void)y_pred;
    return gt_shape(((const gt_AUC_options *)given)->num_thresholds);
}

static gt_Status auc_update(const gt_MetricUpdate *update)
{
    const gt_AUC_options *options = update->instance;
    gt_MetricUpdate scores = *update;
    if (options->from_logits)
        scores.y_pred = gt_sigmoid(update->y_pred);
    return count(&scores, (Counting){even_thresholds(options->num_thresholds, 1e-7), true, 0, -1});
}

/* Of neighbours: the first of each pair, and the second. */
static gt_Tensor *firsts(gt_Tensor *x)
{
    return gt_get_item(x, ":-1");
}

static gt_Tensor *seconds(gt_Tensor *x)
{
    return gt_get_item(x, "1:");
}

/* Between two thresholds true positives grow linearly with all positives (Davis and Goadrich 2006): the integral of
 * precision over recall along such a line has a logarithm. */
static gt_Tensor *interpolated_precision(gt_Variable *const *states)
{
    gt_Tensor *all = gt_add(states[TP], states[FP]), *p = firsts(all), *next = seconds(all);
    gt_Tensor *gained = gt_subtract(firsts(states[TP]), seconds(states[TP]));
    gt_Tensor *slope = gt_divide_no_nan(gained, gt_maximum(gt_subtract(p, next), 0));
    gt_Tensor *intercept = gt_subtract(seconds(states[TP]), gt_multiply(slope, next));
    gt_Tensor *both = gt_logical_and(gt_greater(p, 0), gt_greater(next, 0));
    gt_Tensor *ratio = gt_where(both, gt_divide_no_nan(p, next), 1);
    gt_Tensor *area = gt_multiply(slope, gt_add(gained, gt_multiply(intercept, gt_log(ratio))));
    return gt_sum(gt_divide_no_nan(area, gt_add(seconds(states[TP]), seconds(states[FN]))));
}

/* 1 - yes / no times wrong / right: 1 is perfect, 0 what always saying yes has. */
static gt_Tensor *gain(gt_Variable *const *states, gt_Tensor *wrong)
{
    gt_Tensor *yes = gt_add(states[TP], states[FN]), *no = gt_add(states[TN], states[FP]);
    gt_Tensor *loss = gt_multiply(gt_divide_no_nan(yes, no), gt_divide_no_nan(wrong, states[TP]));
    return gt_add(gt_negative(loss), 1);
}

static gt_Tensor *auc_result(const void *given, gt_Variable *const *states)
{
    const gt_AUC_options *options = given;
    const gt_AUCSummation method = options->summation_method;
    if (options->curve == GT_AUC_CURVE_PR && method == GT_AUC_SUMMATION_INTERPOLATION)
        return interpolated_precision(states);
    gt_Tensor *x = sensitivity(states), *y = precision(states);
    if (options->curve == GT_AUC_CURVE_ROC) {
        y = x;
        x = part(states[FP], states[TN]);
    } else if (options->curve == GT_AUC_CURVE_PRGAIN) {
        gt_Tensor *none = gt_equal(states[TP], 0);
        x = gt_maximum(gt_where(none, gt_zeros_like(x), gain(states, states[FN])), 0);
        y = gt_where(none, gt_ones_like(y), gain(states, states[FP]));
    }
    gt_Tensor *a = firsts(y), *b = seconds(y);
    gt_Tensor *height = method == GT_AUC_SUMMATION_MINORING   ? gt_minimum(a, b)
                        : method == GT_AUC_SUMMATION_MAJORING ? gt_maximum(a, b)
                                                              : gt_multiply(gt_add(a, b), 0.5);
    return gt_sum(gt_multiply(gt_subtract(firsts(x), seconds(x)), height));
}

const gt_MetricClass gt_metric_class_auc = {
    GT_METRIC_RECORD("auc", AUC, AUC, UP),
    .states = STATES,
    .shape = auc_shape,
    .check = auc_check,
    .update = auc_update,
    .result = auc_result,
};
GT_METRIC(AUC, AUC, auc)
