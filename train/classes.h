/* Classes: the labels of a dataset, what each class weighs, which of them are taken for which.
 *
 *     gt_Tensor *matrix = gt_confusion_matrix(gt_dataset_labels(test), gt_predict(model, test));
 *     gt_fit(model, train, .class_weight = gt_balanced_class_weights(train));
 *     gt_fit(model, train, .class_weight = gt_class_weights(train, {"flat", 2}, {"house", 0.5}));
 */
#ifndef GT_TRAIN_CLASSES_H
#define GT_TRAIN_CLASSES_H

#include "train/rows.h"

GT_BEGIN

#define gt_dataset_labels_OPTIONS(F, S) F(S, int32_t, output, 0, "which of the labels, for a model with several outputs")
GT_OPTIONS(gt_dataset_labels_options, gt_dataset_labels_OPTIONS);
/* gt_dataset_labels(test): y of all rows, (rows, ...), in the dataset's own order, in which gt_predict gives its predictions. The
 * dataset does not move. One that never ends is an error, and so is one without labels. NULL on failure. */
#define gt_dataset_labels(...)                                                                     \
    gt_dataset_labels_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                           \
                         GT_KEYWORDS(gt_dataset_labels, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_dataset_labels_at(const char *here, gt_Dataset *dataset,
                                       const gt_dataset_labels_options *options);

#define gt_confusion_matrix_OPTIONS(F, S)                                                          \
    F(S, int64_t, num_classes, -1, "how many there are; -1: the largest and one more")             \
    F(S, gt_Tensor *, sample_weight, NULL, "(rows): what each row counts; NULL: 1")
GT_OPTIONS(gt_confusion_matrix_options, gt_confusion_matrix_OPTIONS);
/* gt_confusion_matrix(y_true, y_pred): int64 (classes, classes), element (i, j) how often class i was taken for class j; float64
 * with weights. Both are numbers of classes (rows), or a row of scores for each, (rows, classes), of which the largest counts;
 * y_true (rows, 1) are numbers, y_pred (rows, 1) of floats the probabilities of class 1, which it is above 0.5. Not
 * differentiable. As scikit-learn's confusion_matrix. NULL on failure. */
#define gt_confusion_matrix(...)                                                                   \
    gt_confusion_matrix_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                 \
                           GT_KEYWORDS(gt_confusion_matrix, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_confusion_matrix_at(const char *here, gt_Tensor *y_true, gt_Tensor *y_pred,
                                         const gt_confusion_matrix_options *options);

/* What a class weighs, by its name. */
typedef struct gt_ClassWeight {
    const char *name;
    double weight;
} gt_ClassWeight;
/* gt_class_weights(train, {"flat", 2}): float32 (classes) for .class_weight of gt_fit; a class that is not named weighs 1. Where
 * the dataset has no names of classes they are numbers: {"3", 2}. As class_weight of Keras's fit, a dict. NULL on failure. */
GT_API gt_Tensor *gt_class_weights_at(const char *here, const gt_Dataset *dataset,
                                      const gt_ClassWeight *weights); /* ends with a NULL name */
/* gt_balanced_class_weights(train), or of labels, gt_balanced_class_weights(y): each class weighs rows / (classes * rows of it), so
 * that all count alike; float32 (classes), 1 for a class that has no row and does not count. As scikit-learn's "balanced". NULL on failure. */
#define gt_balanced_class_weights(rows) gt_balanced_class_weights_at(GT_HERE, gt_as_rows(rows))
GT_API gt_Tensor *gt_balanced_class_weights_at(const char *here, gt_Rows rows);

GT_END

#ifdef __cplusplus
#include <initializer_list>
inline gt_Tensor *gt_class_weights_of_(const char *here, const gt_Dataset *dataset,
                                       std::initializer_list<gt_ClassWeight> list)
{
    return gt_class_weights_at(here, dataset, list.begin());
}
#define gt_class_weights(dataset, ...) gt_class_weights_of_(GT_HERE, dataset, {__VA_ARGS__, {nullptr, 0}})
#else
#define gt_class_weights(dataset, ...)                                                             \
    gt_class_weights_at(GT_HERE, dataset, (const gt_ClassWeight[]){__VA_ARGS__, {NULL, 0}})
#endif

#endif
