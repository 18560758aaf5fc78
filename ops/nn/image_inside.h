/* Shared by the sources of images. Private to the library. */
#ifndef GT_OPS_IMAGE_INSIDE_H
#define GT_OPS_IMAGE_INSIDE_H

#include "core/tensor.h"
#include "ops/nn/image.h"

/* The spec of x, which must have 3 or 4 axes; false with an error raised if not. */
bool gt_takes_image(gt_Tensor *x, gt_Spec *spec);
/* For gt_slice: all of every axis. */
gt_Shape gt_whole_axes(int rank);


#endif
