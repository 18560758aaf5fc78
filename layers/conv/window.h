/* What layers that slide a window over images share: its sizes along one to three spatial axes. Not installed. Leans on
 * layers/kit.h. */
#ifndef GT_LAYERS_CONV_WINDOW_H
#define GT_LAYERS_CONV_WINDOW_H

#include "layers/kit.h"
#include "ops/nn/convolution.h"

/* The input of a class for so many spatial axes, (batch, spatial..., channels). Functions that several classes share
 * learn it from here. */
#define GT_IMAGE_PORT(axes) GT_PORTS({"x", 0, (axes) + 2, (axes) + 2})
int gt_spatial_axes(const gt_Layer *layer);

/* One number for each spatial axis. */
typedef struct gt_LayerWindow {
    gt_Shape size, strides, dilation;
} gt_LayerWindow;

/* Sets it from options, all at least 1; `name` is that of the size. An error for strides together with dilation, and
 * for a padding that is neither valid, same nor, with `may_be_causal`, causal. */
gt_Status gt_layer_window(gt_LayerWindow *window, const gt_Layer *layer, const char *name,
                          gt_Sizes size, gt_Sizes strides, gt_Sizes dilation);
gt_Status gt_layer_padding(gt_Padding padding, bool may_be_causal);
/* The shape of a kernel: (size..., a, b). */
gt_Shape gt_layer_window_kernel(const gt_LayerWindow *window, int64_t a, int64_t b);
/* y + bias (NULL: none), through the activation that options have. */
#define GT_BIASED(options, bias, y)                                                                \
    GT_ACTIVATED(options, (bias) ? gt_add(y, gt_widened(bias)) : (y))

#endif
