/* How well numbers are predicted. */
#include "train/metrics/regression.h"
#include "ops/nn/loss.h"
#include "ops/nn/normalization.h"
#include "train/metrics/kit.h"

GT_OPTION_TYPE(gt_CosineSimilarityMetric_options, gt_CosineSimilarityMetric_OPTIONS);
GT_OPTION_TYPE(gt_R2Score_options, gt_R2Score_OPTIONS);

/* ---- along an axis ---- */

static gt_Status update_cosine(const gt_MetricUpdate *update)
{
    const gt_CosineSimilarityMetric_options *options = update->instance;
    gt_Tensor *losses = gt_cosine_similarity(update->y_true, update->y_pred, .axis = options->axis,
                                             .reduction = GT_REDUCTION_NONE);
    return gt_metric_add_mean(update, gt_negative(losses));
}

const gt_MetricClass gt_metric_class_cosine_similarity = {
    .size = sizeof(gt_MetricClass),
    .name = "cosine_similarity",
    .options = &gt_CosineSimilarityMetric_options_type,
    .function = "CosineSimilarityMetric",
    .keras = "CosineSimilarity",
    .direction = GT_METRIC_DIRECTION_UP,
    .states = 2,
    .update = update_cosine,
};
GT_METRIC(CosineSimilarityMetric, CosineSimilarityMetric, cosine_similarity)

/* Both in float64, of one shape. */
static gt_Status both_of(const gt_MetricUpdate *update, gt_Tensor **t, gt_Tensor **p)
{
    *t = update->y_true;
    *p = update->y_pred;
    if (gt_metric_bring_together(t, p) == GT_OK) {
        *t = gt_cast(*t, GT_FLOAT64);
        *p = gt_cast(*p, GT_FLOAT64);
    }
    return gt_status();
}

static gt_Tensor *centred(gt_Tensor *x, int axis)
{
    return gt_subtract(x, gt_mean(x, .axis = axis, .keepdims = true));
}

static gt_Status update_pearson(const gt_MetricUpdate *update)
{
    const gt_CosineSimilarityMetric_options *options = update->instance;
    const int axis = options->axis;
    gt_Tensor *t, *p;
    if (both_of(update, &t, &p) != GT_OK)
        return gt_status();
    t = centred(t, axis);
    p = centred(p, axis);
    gt_Tensor *squares =
        gt_multiply(gt_mean(gt_square(t), .axis = axis), gt_mean(gt_square(p), .axis = axis));
    gt_Tensor *together = gt_mean(gt_multiply(t, p), .axis = axis);
    return gt_metric_add_mean(update, gt_divide(together, gt_sqrt(squares)));
}

const gt_MetricClass gt_metric_class_pearson_correlation = {
    GT_METRIC_RECORD("pearson_correlation", PearsonCorrelation, CosineSimilarityMetric, UP),
    .states = 2,
    .update = update_pearson,
};
GT_METRIC(PearsonCorrelation, CosineSimilarityMetric, pearson_correlation)

/* Keras takes both distances from the mean of the predictions, which comes to the same: the mean of the labels' own is 0. */
static gt_Status update_concordance(const gt_MetricUpdate *update)
{
    const gt_CosineSimilarityMetric_options *options = update->instance;
    const int axis = options->axis;
    gt_Tensor *t, *p;
    if (both_of(update, &t, &p) != GT_OK)
        return gt_status();
    gt_Tensor *apart = gt_square(gt_subtract(gt_mean(t, .axis = axis), gt_mean(p, .axis = axis)));
    t = centred(t, axis);
    p = centred(p, axis);
    gt_Tensor *spread =
        gt_add(gt_mean(gt_square(t), .axis = axis), gt_mean(gt_square(p), .axis = axis));
    gt_Tensor *together = gt_multiply(gt_mean(gt_multiply(t, p), .axis = axis), 2);
    return gt_metric_add_mean(update, gt_divide(together, gt_add(gt_add(spread, apart), 1e-7)));
}

const gt_MetricClass gt_metric_class_concordance_correlation = {
    GT_METRIC_RECORD("concordance_correlation", ConcordanceCorrelation, CosineSimilarityMetric, UP),
    .states = 2,
    .update = update_concordance,
};
GT_METRIC(ConcordanceCorrelation, CosineSimilarityMetric, concordance_correlation)

/* ---- R2 ---- */

enum { SUM, SQUARES, ERRORS, COUNT, ELEMENTS, R2_STATES };

static gt_Status check_r2(const void *given)
{
    const gt_R2Score_options *options = given;
    if (options->class_aggregation < GT_R2_AGGREGATION_UNIFORM_AVERAGE ||
        options->class_aggregation > GT_R2_AGGREGATION_NONE)
        return gt_fail(GT_INVALID, "unknown class_aggregation %d", (int)options->class_aggregation);
    return options->num_regressors >= 0
               ? GT_OK
               : gt_fail(GT_INVALID, "num_regressors must be >= 0 (got %lld)",
                         (long long)options->num_regressors);
}

static gt_Shape shape_r2(const void *given, int state, const gt_Spec *y_true, const gt_Spec *y_pred)
{
    (void)given, (void)y_true;
    if (y_pred && y_pred->rank == 2)
        return state == ELEMENTS ? gt_shape() : gt_shape(y_pred->dims[1]);
    gt_fail(GT_INVALID, "predictions must be (batch, columns)");
    return gt_shape();
}

static gt_Status update_r2(const gt_MetricUpdate *update)
{
    gt_Tensor *t, *p;
    if (both_of(update, &t, &p) != GT_OK)
        return gt_status();
    gt_Tensor *weight = gt_metric_weights(update, t), *weighted = gt_multiply(t, weight);
    gt_Tensor *errors = gt_multiply(gt_square(gt_subtract(t, p)), weight);
    gt_assign_add(update->states[SUM], gt_sum(weighted, .axis = 0));
    gt_assign_add(update->states[SQUARES], gt_sum(gt_multiply(t, weighted), .axis = 0));
    gt_assign_add(update->states[ERRORS], gt_sum(errors, .axis = 0));
    gt_assign_add(update->states[COUNT], gt_sum(weight, .axis = 0));
    return gt_assign_add(update->states[ELEMENTS], (double)gt_size(t));
}

static gt_Tensor *result_r2(const void *given, gt_Variable *const *states)
{
    const gt_R2Score_options *options = given;
    gt_Tensor *sum = states[SUM], *count = states[COUNT];
    gt_Tensor *total = gt_subtract(states[SQUARES], gt_divide_no_nan(gt_square(sum), count));
    gt_Tensor *scores = gt_add(gt_negative(gt_divide(states[ERRORS], total)), 1);
    scores = gt_where(gt_isinf(scores), gt_zeros_like(scores), scores);
    if (options->class_aggregation == GT_R2_AGGREGATION_UNIFORM_AVERAGE)
        scores = gt_mean(scores);
    else if (options->class_aggregation == GT_R2_AGGREGATION_VARIANCE_WEIGHTED_AVERAGE)
        scores = gt_divide(gt_sum(gt_multiply(total, scores)), gt_sum(total));
    if (options->num_regressors == 0)
        return scores;
    /* Keras counts the elements, not the rows, and adjusts nothing where there are too few. */
    gt_Tensor *more = gt_subtract(states[ELEMENTS], 1);
    gt_Tensor *left = gt_subtract(more, (double)options->num_regressors);
    gt_Tensor *unexplained = gt_multiply(gt_add(gt_negative(scores), 1), more);
    gt_Tensor *adjusted = gt_add(gt_negative(gt_divide_no_nan(unexplained, left)), 1);
    return gt_where(gt_greater(left, 0), adjusted, scores);
}

const gt_MetricClass gt_metric_class_r2_score = {
    GT_METRIC_RECORD("r2_score", R2Score, R2Score, UP),
    .states = R2_STATES,
    .shape = shape_r2,
    .check = check_r2,
    .update = update_r2,
    .result = result_r2,
};
GT_METRIC(R2Score, R2Score, r2_score)
