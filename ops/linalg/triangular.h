/* Equations with a triangular matrix. Matrices are in the last two axes; the axes before them are a batch. float32
 * and float64. They need no LAPACK. */
#ifndef GT_OPS_TRIANGULAR_H
#define GT_OPS_TRIANGULAR_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

#define gt_solve_triangular_OPTIONS(F, S)                                                          \
    F(S, bool, lower, false, "A is a lower triangle")                                              \
    F(S, bool, transpose, false, "solve with A transposed")
GT_OPTIONS(gt_solve_triangular_options, gt_solve_triangular_OPTIONS);
/* The same for a triangular A; its other triangle is not read. A 0 on the diagonal gives inf or
 * NaN. */
#define gt_solve_triangular(...)                                                                   \
    gt_solve_triangular_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                 \
                           GT_KEYWORDS(gt_solve_triangular, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_solve_triangular_at(const char *here, gt_Tensor *a, gt_Tensor *b,
                                         const gt_solve_triangular_options *options);

GT_END

#endif
