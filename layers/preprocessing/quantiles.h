/* Quantiles of numbers that come in batches, in bounded memory: Keras's summaries. Private to the library. */
#ifndef GT_LAYERS_PREPROCESSING_QUANTILES_H
#define GT_LAYERS_PREPROCESSING_QUANTILES_H

#include "core/inside.h"

/* Points that stand for all numbers so far: each a number and how many numbers it stands for. */
typedef struct gt_QuantilePoint {
    double number, weight;
} gt_QuantilePoint;
typedef struct gt_Quantiles {
    gt_QuantilePoint *points; /* rising; owned */
    int64_t count;
    double epsilon; /* a point for each so large part of all numbers */
} gt_Quantiles;

/* Takes `count` more numbers, which it sorts in their place. NaN is refused. On failure nothing is added. */
gt_Status gt_quantiles_add(gt_Context *context, gt_Quantiles *quantiles, double *numbers,
                           int64_t count);
/* The numbers between `bins` bins of equal weight: `bins - 1` of them at most, fewer if there were fewer points than bins;
 * the rest is infinity. */
gt_Status gt_quantiles_boundaries(gt_Context *context, const gt_Quantiles *quantiles, int64_t bins,
                                  double *boundaries);
void gt_quantiles_free(gt_Context *context, gt_Quantiles *quantiles);

#endif
