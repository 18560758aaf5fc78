/* What layers that draw in training share. Not installed. */
#ifndef GT_LAYERS_REGULARIZATION_NOISE_H
#define GT_LAYERS_REGULARIZATION_NOISE_H

#include "layers/kit.h"

/* Is `number`, the option `name`, from 0 to 1? `below`: 1 is none. */
gt_Status gt_check_rate(const char *name, double number, bool below);
/* Sizes of a noise shape are -1, or > 0; it need not be given. */
gt_Status gt_check_noise_shape(gt_Shape shape);

#endif
