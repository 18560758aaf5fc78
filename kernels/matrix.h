/* Jobs of the kernels on matrices: triangular.c, product.c. Leans on launch.h. */
#ifndef GT_KERNELS_MATRIX_H
#define GT_KERNELS_MATRIX_H

#include "launch.h"

/* triangular: X with A X = B, or A' X = B, by substitution; at {a (batch, n, n), b (batch, n, k), x (batch, n, k)}.
 * One triangle of a is read. A tile is `group` matrices. */
typedef struct gt_TriangularJob {
    uint8_t type;             /* GT_LOOP_F32 or GT_LOOP_F64 */
    uint8_t lower, transpose; /* A is a lower triangle; solve with A' */
    int64_t batch, n, k, group;
} gt_TriangularJob;

#endif
