/* Equations A X = B, for gradient rules and for the functions that solve them. Private to the library. */
#ifndef GT_OPS_EQUATIONS_H
#define GT_OPS_EQUATIONS_H

#include "ops/kit.h"

/* The shape rule of a (..., n, n) and b (..., n, k), whose batches broadcast: output 0 is X (..., n, k). */
gt_Status gt_equations_shape(gt_ShapeRule *rule);
/* X with A X = B, or A' X = B. */
gt_Tensor *gt_solve_with(gt_Tensor *a, gt_Tensor *b, bool transpose);
/* Before: b (..., n, k) or, with one axis less than a, vectors (..., n). After: matrices; `vector` gets whether they were
 * vectors. False with an error raised on failure. */
bool gt_fit_equations(gt_Tensor *a, gt_Tensor **b, bool *vector);

#endif
