/* F scores: counts of each class. */
#include "train/metrics/f_score.h"
#include "train/metrics/kit.h"

GT_OPTION_TYPE(gt_FBetaScore_options, gt_FBetaScore_OPTIONS);
GT_OPTION_TYPE(gt_F1Score_options, gt_F1Score_OPTIONS);

enum { TP, FP, FN, WEIGHT };

/* What both option lists say. */
typedef struct Score {
    gt_Averaging average;
    double beta, threshold;
} Score;

static gt_Status check(Score score)
{
    if (score.average < GT_AVERAGING_NONE || score.average > GT_AVERAGING_WEIGHTED)
        return gt_fail(GT_INVALID, "unknown average %d", (int)score.average);
    if (!(score.beta > 0))
        return gt_fail(GT_INVALID, "beta must be > 0 (got %g)", score.beta);
    if (score.threshold != GT_NONE && !(score.threshold > 0 && score.threshold <= 1))
        return gt_fail(GT_INVALID, "threshold must be in (0, 1] (got %g)", score.threshold);
    return GT_OK;
}

static gt_Shape shape(Score score, const gt_Spec *y_true, const gt_Spec *y_pred)
{
    if (y_true && y_pred && y_pred->rank == 2 && y_true->rank == 2)
        return score.average == GT_AVERAGING_MICRO ? gt_shape() : gt_shape(y_pred->dims[1]);
    gt_fail(
        GT_INVALID,
        "labels and predictions must be (batch, classes); gt_one_hot makes that of class numbers");
    return gt_shape();
}

/* 1 where a class is predicted: the largest score, if it is not 0, or those above the threshold. */
static gt_Tensor *predicted(Score score, gt_Tensor *y_pred)
{
    if (score.threshold != GT_NONE)
        return gt_cast(gt_greater(y_pred, score.threshold), GT_FLOAT64);
    gt_Tensor *best = gt_greater_equal(y_pred, gt_max(y_pred, .axis = -1, .keepdims = true));
    return gt_cast(gt_logical_and(best, gt_greater(gt_abs(y_pred), 1e-9)), GT_FLOAT64);
}

static gt_Tensor *complement(gt_Tensor *x)
{
    return gt_add(gt_negative(x), 1);
}

static gt_Status update(Score score, const gt_MetricUpdate *update)
{
    gt_Tensor *y_true = update->y_true, *y_pred = update->y_pred;
    if (gt_metric_bring_together(&y_true, &y_pred) != GT_OK)
        return gt_status();
    gt_Tensor *t = gt_cast(y_true, GT_FLOAT64), *p = predicted(score, y_pred);
    gt_Tensor *weight = gt_metric_weights(update, t);
    gt_Tensor *counted[] = {gt_multiply(p, t), gt_multiply(p, complement(t)),
                            gt_multiply(complement(p), t), t};
    for (int i = TP; i <= WEIGHT && gt_status() == GT_OK; i++) {
        gt_Tensor *each = gt_multiply(counted[i], weight);
        gt_assign_add(update->states[i],
                      score.average == GT_AVERAGING_MICRO ? gt_sum(each) : gt_sum(each, .axis = 0));
    }
    return gt_status();
}

/* a / b with Keras's 1e-7 below, which makes 0 of nothing. */
static gt_Tensor *share(gt_Tensor *a, gt_Tensor *b)
{
    return gt_divide(a, gt_add(b, 1e-7));
}

static gt_Tensor *result(Score score, gt_Variable *const *states)
{
    const double square = score.beta * score.beta;
    gt_Tensor *precision = share(states[TP], gt_add(states[TP], states[FP]));
    gt_Tensor *recall = share(states[TP], gt_add(states[TP], states[FN]));
    gt_Tensor *both = gt_add(gt_multiply(precision, square), recall);
    gt_Tensor *scores = gt_multiply(share(gt_multiply(precision, recall), both), 1 + square);
    if (score.average == GT_AVERAGING_MACRO)
        return gt_mean(scores);
    if (score.average == GT_AVERAGING_WEIGHTED)
        return gt_sum(gt_multiply(scores, share(states[WEIGHT], gt_sum(states[WEIGHT]))));
    return scores;
}

#define F_SCORE(symbol, Name, its_beta)                                                            \
    static Score symbol##_of(const void *given)                                                    \
    {                                                                                              \
        const gt_##Name##_options *options = given;                                                \
        return (Score){options->average, its_beta, options->threshold};                            \
    }                                                                                              \
    static gt_Status symbol##_check(const void *options)                                           \
    {                                                                                              \
        return check(symbol##_of(options));                                                        \
    }                                                                                              \
    static gt_Shape symbol##_shape(const void *options, int state, const gt_Spec *y_true,          \
                                   const gt_Spec *y_pred)                                          \
    {                                                                                              \
        (void)state;                                                                               \
        return shape(symbol##_of(options), y_true, y_pred);                                        \
    }                                                                                              \
    static gt_Status symbol##_update(const gt_MetricUpdate *given)                                 \
    {                                                                                              \
        return update(symbol##_of(given->instance), given);                                        \
    }                                                                                              \
    static gt_Tensor *symbol##_result(const void *options, gt_Variable *const *states)             \
    {                                                                                              \
        return result(symbol##_of(options), states);                                               \
    }                                                                                              \
    const gt_MetricClass gt_metric_class_##symbol = {                                              \
        GT_METRIC_RECORD(#symbol, Name, Name, UP),                                                 \
        .states = 4,                                                                               \
        .shape = symbol##_shape,                                                                   \
        .check = symbol##_check,                                                                   \
        .update = symbol##_update,                                                                 \
        .result = symbol##_result,                                                                 \
    };                                                                                             \
    GT_METRIC(Name, Name, symbol)

F_SCORE(fbeta_score, FBetaScore, options->beta)
F_SCORE(f1_score, F1Score, 1)
