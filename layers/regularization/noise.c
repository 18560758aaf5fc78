/* What layers that draw in training share. */
#include "layers/regularization/noise.h"

gt_Status gt_check_rate(const char *name, double number, bool below)
{
    if (number >= 0 && (below ? number < 1 : number <= 1))
        return GT_OK;
    return gt_fail(GT_INVALID, "%s must be in [0, 1%c (got %g)", name, below ? ')' : ']', number);
}

gt_Status gt_check_noise_shape(gt_Shape shape)
{
    for (int32_t d = 0; d < shape.rank; d++)
        if (shape.dims[d] < 1 && shape.dims[d] != -1)
            return gt_fail(GT_INVALID, "sizes of noise_shape must be > 0, or -1 (got %lld)",
                           (long long)shape.dims[d]);
    return gt_status();
}
