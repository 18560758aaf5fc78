/* A window that slides over the spatial axes of images (batch, spatial..., channels): what the jobs
 * of convolutions and pooling share. Leans on nothing. */
#ifndef GT_KERNELS_WINDOW_H
#define GT_KERNELS_WINDOW_H

#include <stdint.h>

/* One to three spatial axes; of fewer than three the first ones are of size 1. */
#define GT_SPATIAL 3
typedef struct gt_SlidingWindow {
    int64_t in[GT_SPATIAL], out[GT_SPATIAL], size[GT_SPATIAL];
    int64_t stride[GT_SPATIAL], dilation[GT_SPATIAL];
    int64_t before[GT_SPATIAL];    /* padding at the start */
    int64_t inputs, outputs, taps; /* positions of one image, of its result, of the window */
    int64_t inside;                /* not 0: no position of the result reads padding */
} gt_SlidingWindow;

/* For one output position, counted through all images: tap[p] is the input position, counted
 * likewise, that position p of the window reads, or -1 in the padding. */
void gt_window_taps(const gt_SlidingWindow *window, int64_t row, int64_t *tap);
/* The same for one position after the other from `first` on: `tap` holds what the call before left. Along a line of a result
 * without padding all taps move on by one stride. */
void gt_window_next(const gt_SlidingWindow *window, int64_t row, int64_t first, int64_t *tap);

#endif
