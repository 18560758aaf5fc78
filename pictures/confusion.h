/* Confusion matrices. */
#ifndef GT_PICTURES_CONFUSION_H
#define GT_PICTURES_CONFUSION_H

#include "core/tensor.h"
#include "io/names.h"
#include "pictures/picture.h"

GT_BEGIN

#define gt_plot_confusion_matrix_OPTIONS(F, S)                                                     \
    F(S, gt_Names, class_names, GT_NOT_GIVEN, "one a class; none given: 0, 1, 2, ...")             \
    F(S, bool, normalize, false, "each row as percents of its sum")                                \
    F(S, const char *, title, NULL, "above; NULL: none")
GT_OPTIONS(gt_plot_confusion_matrix_options, gt_plot_confusion_matrix_OPTIONS);
/* gt_plot_confusion_matrix(matrix, .class_names = gt_names("cat", "dog")): matrix (classes, classes), element (i, j) how
 * often class i was taken for j, numbers >= 0, at most 200 classes. The more of its row a cell has, the darker it is;
 * cells that are large enough have their number. Below: the accuracy, which is the part on the diagonal. NULL on
 * failure. */
#define gt_plot_confusion_matrix(...)                                                              \
    gt_plot_confusion_matrix_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                    \
                                GT_KEYWORDS(gt_plot_confusion_matrix, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Picture *gt_plot_confusion_matrix_at(const char *here, const gt_Tensor *matrix,
                                               const gt_plot_confusion_matrix_options *options);

GT_END

#endif
