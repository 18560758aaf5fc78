/* Probabilities as losses see them: checked, and traced back to their logits. Private to the
 * library. */
#ifndef GT_OPS_PROBABILITY_H
#define GT_OPS_PROBABILITY_H

#include "core/operation.h"

/* The advice of the error for scores in place of probabilities. */
typedef enum gt_Scores {
    GT_SCORES_OF_SOFTMAX,
    GT_SCORES_OF_SIGMOID,
    GT_SCORES_WITHOUT_LOGITS /* of a loss without from_logits */
} gt_Scores;

/* p, and an error that names the row if a number is outside of [0, 1] by more than 1e-5. NaN
 * passes. */
gt_Tensor *gt_probabilities(gt_Tensor *p, gt_Scores scores);

/* The logits to compute from: y_pred itself if `from_logits`; else what `probability`, the record
 * of softmax or sigmoid, made y_pred of along `axis`, seen through views; NULL without an error if
 * only the probabilities are known. An error if y_pred is known to be probabilities in spite of
 * `from_logits`. */
gt_Tensor *gt_logits_of(gt_Tensor *y_pred, bool from_logits, const gt_Operation *probability,
                        int axis);

#endif
