/* What gt_fit, gt_evaluate and gt_predict work through: a dataset, or the rows of a tensor. */
#ifndef GT_TRAIN_ROWS_H
#define GT_TRAIN_ROWS_H

#include "train/dataset.h"

GT_BEGIN

/* One of the two. Functions that accept it accept a gt_Dataset * or a gt_Tensor * in its place: gt_fit(model, train) and
 * gt_fit(model, x, .y = y) are the same function. */
typedef struct gt_Rows {
    gt_Dataset *dataset;
    gt_Tensor *x;
} gt_Rows;

/* What gt_as_rows(x) calls for a dataset, for a tensor. */
static inline gt_Rows gt_rows_of_dataset(gt_Dataset *dataset)
{
    gt_Rows rows = {dataset, NULL};
    return rows;
}
static inline gt_Rows gt_rows_of_tensor(gt_Tensor *x)
{
    gt_Rows rows = {NULL, x};
    return rows;
}

/* What the rows of a tensor have besides, for each function that accepts one. */
#define GT_ROWS_COMMON(F, S)                                                                       \
    F(S, gt_Tensor *, y, NULL, "labels of the rows, where these are those of a tensor")            \
    F(S, gt_Tensors, more_x, GT_NOT_GIVEN, "inputs after it, for a model with several")            \
    F(S, gt_Tensors, more_y, GT_NOT_GIVEN, "labels after y, one for each output of the model")     \
    F(S, gt_Tensors, sample_weight, GT_NOT_GIVEN,                                                  \
      "one for all labels, or one for each: (rows), or (rows, steps); NULL among them: none")

GT_END

#ifdef __cplusplus
inline gt_Rows gt_as_rows(gt_Dataset *dataset)
{
    return gt_rows_of_dataset(dataset);
}
inline gt_Rows gt_as_rows(gt_Tensor *x)
{
    return gt_rows_of_tensor(x);
}
inline gt_Rows gt_as_rows(std::nullptr_t)
{
    return gt_rows_of_dataset(nullptr);
}
#else
/* The rows of a dataset or of a tensor: what gt_fit and its kin make of their second argument. */
#define gt_as_rows(rows)                                                                             \
    _Generic((rows), gt_Tensor *: gt_rows_of_tensor, default: gt_rows_of_dataset)(rows)
#endif

#endif
