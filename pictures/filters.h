/* Filters of convolutions. */
#ifndef GT_PICTURES_FILTERS_H
#define GT_PICTURES_FILTERS_H

#include "core/tensor.h"
#include "pictures/picture.h"

GT_BEGIN

#define gt_plot_filters_OPTIONS(F, S)                                                              \
    F(S, bool, colours, true, "three channels as red, green and blue; false: one by one")          \
    F(S, const char *, title, NULL, "above; NULL: none")                                           \
    F(S, int64_t, most, 64, "filters at most, 1 to 1024")                                          \
    F(S, int64_t, most_channels, 8, "input channels at most, 1 to 64")
GT_OPTIONS(gt_plot_filters_options, gt_plot_filters_OPTIONS);
/* gt_plot_filters(kernel): the kernel of a convolution, (height, width, channels, filters), or of one of signals, (size,
 * channels, filters). Each filter is a square of its own: with one channel, or three as colours, one picture; else a
 * column, a row a channel. Grey is 0, white the largest absolute value of the filter, black its negative; of colours each
 * likewise. What is not finite is crossed out. What is left out is said below. NULL on failure. */
#define gt_plot_filters(...)                                                                       \
    gt_plot_filters_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                             \
                       GT_KEYWORDS(gt_plot_filters, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Picture *gt_plot_filters_at(const char *here, const gt_Tensor *kernel,
                                      const gt_plot_filters_options *options);

GT_END

#endif
