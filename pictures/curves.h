/* Curves: of a training's history, and of any numbers. */
#ifndef GT_PICTURES_CURVES_H
#define GT_PICTURES_CURVES_H

#include "core/tensor.h"
#include "io/names.h"
#include "pictures/picture.h"
#include "train/model.h"

GT_BEGIN

#define gt_plot_history_OPTIONS(F, S)                                                              \
    F(S, const char *, title, NULL, "above all panels; NULL: none")                                \
    F(S, gt_Names, names, GT_NOT_GIVEN, "of the panels, gt_names(\"loss\"); none given: all")      \
    F(S, int64_t, first_epoch, 1, "number of the first epoch, where a run was resumed")            \
    F(S, bool, log_scale, false, "logarithms of the values; those <= 0 are left out")              \
    F(S, double, width, 480, "of a panel in pixels, 200 to 4000")                                  \
    F(S, double, height, 300, "likewise, 150 to 4000")
GT_OPTIONS(gt_plot_history_options, gt_plot_history_OPTIONS);
/* gt_plot_history(history): a panel for each loss and metric over the epochs, with that of the validation (val_...) in the
 * same panel, dashed. The last values stand in the legend. Where a value is NaN or infinite the curve has a gap, and a
 * cross stands on the axis. NULL on failure: an unknown name, no epoch. */
#define gt_plot_history(...)                                                                       \
    gt_plot_history_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                             \
                       GT_KEYWORDS(gt_plot_history, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Picture *gt_plot_history_at(const char *here, const gt_History *history,
                                      const gt_plot_history_options *options);

#define gt_plot_curves_OPTIONS(F, S)                                                               \
    F(S, gt_Names, names, GT_NOT_GIVEN, "of the curves, for the legend; none given: no legend")    \
    F(S, gt_Tensor *, x, NULL, "where their points are, (points); NULL: 0, 1, 2, ...")             \
    F(S, const char *, title, NULL, "above; NULL: none")                                           \
    F(S, const char *, x_label, NULL, "below; NULL: none")                                         \
    F(S, const char *, y_label, NULL, "at the left; NULL: none")                                   \
    F(S, bool, log_scale, false, "logarithms of the values; those <= 0 are left out")              \
    F(S, double, width, 480, "in pixels, 200 to 4000")                                             \
    F(S, double, height, 300, "likewise, 150 to 4000")
GT_OPTIONS(gt_plot_curves_options, gt_plot_curves_OPTIONS);
/* gt_plot_curves(gt_tensors(a, b), .names = gt_names("before", "after")): up to 8 curves of numbers, each (points), all of
 * them in one panel. What is not finite is as in gt_plot_history. */
#define gt_plot_curves(...)                                                                        \
    gt_plot_curves_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                              \
                      GT_KEYWORDS(gt_plot_curves, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Picture *gt_plot_curves_at(const char *here, gt_Tensors curves,
                                     const gt_plot_curves_options *options);

GT_END

#endif
