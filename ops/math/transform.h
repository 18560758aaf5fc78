/* Lowering Fourier transforms: what the records of ops/math/fourier.c are made of. Private to the library. */
#ifndef GT_OPS_TRANSFORM_H
#define GT_OPS_TRANSFORM_H

#include "kernels/transform.h"
#include "ops/kit.h"

/* The launches of transforms of n numbers each along an axis of x. What the kind leaves open is to be filled in; NULL: there
 * is nothing to transform. */
gt_FourierJob *gt_fourier_lower(const gt_ShapeRule *rule, gt_Lowering *lowering, const gt_Spec *x,
                                int axis, gt_FourierKind kind, int64_t n);

#endif
