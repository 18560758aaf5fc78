/* A window that slides over the spatial axes of a (batch, spatial..., channels) tensor: what
 * convolutions and pooling share. Private to the library. Leans on core. */
#ifndef GT_OPS_WINDOW_H
#define GT_OPS_WINDOW_H

#include "core/inside.h"
#include "kernels/pooling.h"
#include "kernels/window.h"
#include "ops/nn/convolution.h"

/* A tensor that may be slid over: floats, with one to three spatial axes; raises an error if not.
 */
bool gt_window_takes(const gt_Spec *x);
/* Can products of any of its dimensions be counted? Not so of (2^60, 9, 9, 0); raises an error. */
bool gt_window_countable(const gt_Spec *spec);
/* The window for `rank` spatial axes of the given sizes, or false with an error raised: sizes that
 * are not positive, strides together with dilation, nothing left of the image. */
bool gt_window_set(gt_SlidingWindow *window, int rank, const int64_t *in, const int64_t *size,
                   const gt_Shape *strides, const gt_Shape *dilation, gt_Padding padding);
/* Is this a number that a window can work with, from 1 to INT32_MAX? Raises an error that names
 * it. */
bool gt_window_number(const char *what, int64_t number);
/* The same number for each of `rank` axes if `shape` has one, `missing` if it has none; false with
 * an error that names `what` if it has another count. */
bool gt_window_numbers(const gt_Shape *shape, int rank, int64_t missing, const char *what,
                       int64_t *numbers);
/* (batch, window->out..., channels) of `type` for an image tensor x. */
void gt_window_output(const gt_SlidingWindow *window, const gt_Spec *x, int64_t channels,
                      gt_Spec *output);
/* The mask rule of what slides over input 0: axes that the window covers one by one, with strides
 * of 1, do not mix their elements. A kernel, input 1, has no padding. */
gt_Status gt_window_mask(gt_MaskRule *rule, const gt_SlidingWindow *window);

/* The job of max_pool of x with the options of its record, all set but what only one kernel asks; false with an error raised
 * if the window does not fit. In pooling.c. */
bool gt_pool_plan(gt_PoolJob *job, const void *options, const gt_Spec *x);

#endif
