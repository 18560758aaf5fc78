/* LambdaCallback: functions for some of the hooks. */
#ifndef GT_TRAIN_CALLBACKS_LAMBDA_CALLBACK_H
#define GT_TRAIN_CALLBACKS_LAMBDA_CALLBACK_H

#include "train/callback.h"

GT_BEGIN

/* What is done at a hook; a failure ends the run with that error. */
typedef gt_Status (*gt_CallbackFunction)(void *context, const gt_CallbackArgs *in);

#define gt_LambdaCallback_OPTIONS(F, S)                                                            \
    F(S, gt_CallbackFunction, on_epoch_begin, NULL, "NULL: nothing")                               \
    F(S, gt_CallbackFunction, on_epoch_end, NULL, "NULL: nothing")                                 \
    F(S, gt_CallbackFunction, on_train_begin, NULL, "NULL: nothing")                               \
    F(S, gt_CallbackFunction, on_train_end, NULL, "NULL: nothing")                                 \
    F(S, gt_CallbackFunction, on_train_batch_begin, NULL, "NULL: nothing")                         \
    F(S, gt_CallbackFunction, on_train_batch_end, NULL, "NULL: nothing")                           \
    F(S, gt_CallbackFunction, on_test_begin, NULL, "NULL: nothing")                                \
    F(S, gt_CallbackFunction, on_test_end, NULL, "NULL: nothing")                                  \
    F(S, gt_CallbackFunction, on_test_batch_begin, NULL, "NULL: nothing")                          \
    F(S, gt_CallbackFunction, on_test_batch_end, NULL, "NULL: nothing")                            \
    F(S, gt_CallbackFunction, on_predict_begin, NULL, "NULL: nothing")                             \
    F(S, gt_CallbackFunction, on_predict_end, NULL, "NULL: nothing")                               \
    F(S, gt_CallbackFunction, on_predict_batch_begin, NULL, "NULL: nothing")                       \
    F(S, gt_CallbackFunction, on_predict_batch_end, NULL, "NULL: nothing")                         \
    F(S, void *, context, NULL, "what they are called with")
GT_OPTIONS(gt_LambdaCallback_options, gt_LambdaCallback_OPTIONS);

/* gt_LambdaCallback(.on_epoch_end = show, .context = &table) */
#define gt_LambdaCallback(...) gt_LambdaCallback_at(GT_HERE, GT_KEYWORDS(gt_LambdaCallback, __VA_ARGS__))
GT_API gt_Callback *gt_LambdaCallback_at(const char *here, const gt_LambdaCallback_options *options);

GT_END

#endif
