/* Histograms. */
#ifndef GT_PICTURES_HISTOGRAM_H
#define GT_PICTURES_HISTOGRAM_H

#include "layers/layer.h"
#include "pictures/picture.h"

GT_BEGIN

#define gt_plot_histogram_OPTIONS(F, S)                                                            \
    F(S, int64_t, bins, 0, "of equal width, to 1000; 0: as many as suit the numbers")              \
    F(S, const char *, title, NULL, "above; NULL: none")                                           \
    F(S, const char *, x_label, NULL, "below; NULL: none")                                         \
    F(S, bool, log_scale, false, "logarithms of the counts")                                       \
    F(S, double, width, 480, "in pixels, 200 to 4000")                                             \
    F(S, double, height, 300, "likewise, 150 to 4000")
GT_OPTIONS(gt_plot_histogram_options, gt_plot_histogram_OPTIONS);
/* gt_plot_histogram(x, .bins = 20): how often the numbers of a tensor of any shape and type fall into each bin, with their
 * count, mean and standard deviation (divided by n). The last bin has its upper end. As many as suit are the narrower
 * bins of Sturges's rule and of D. Freedman and P. Diaconis (1981), at most 100; of integers that lie within 60 of each
 * other one for each. What is not finite is counted in words. NULL on failure. */
#define gt_plot_histogram(...)                                                                     \
    gt_plot_histogram_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                           \
                         GT_KEYWORDS(gt_plot_histogram, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Picture *gt_plot_histogram_at(const char *here, const gt_Tensor *x,
                                        const gt_plot_histogram_options *options);

#define gt_plot_weights_OPTIONS(F, S)                                                              \
    F(S, const char *, title, NULL, "above; NULL: the layer's name")                               \
    F(S, int64_t, bins, 0, "as of gt_plot_histogram")                                              \
    F(S, bool, log_scale, false, "logarithms of the counts")
GT_OPTIONS(gt_plot_weights_options, gt_plot_weights_OPTIONS);
/* gt_plot_weights(model): a histogram of each weight, by its path, four in a row. At most 100 weights are shown. NULL on
 * failure: a layer that is not built. */
#define gt_plot_weights(...)                                                                       \
    gt_plot_weights_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                             \
                       GT_KEYWORDS(gt_plot_weights, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Picture *gt_plot_weights_at(const char *here, gt_Layer *layer,
                                      const gt_plot_weights_options *options);

GT_END

#endif
