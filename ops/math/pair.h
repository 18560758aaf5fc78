/* Complex tensors as pairs of real ones. Private to the library. */
#ifndef GT_OPS_PAIR_H
#define GT_OPS_PAIR_H

#include "ops/kit.h"
#include "ops/math/fourier.h"

/* The pair; of NULLs if an error is pending. */
gt_Complex gt_pair(gt_Tensor *real, gt_Tensor *imag);
/* Raises an error unless both are floats of one shape and type. */
gt_Status gt_pair_check(const gt_Spec *real, const gt_Spec *imag);
/* The spec of both parts; false with an error raised for a pair that is none. */
bool gt_pair_spec(gt_Complex z, gt_Spec *spec);
/* The last axis cropped, or filled with zeros at its end. */
gt_Tensor *gt_resized_last(gt_Tensor *x, int64_t length);

#endif
