/* TerminateOnNaN: ends the training when the loss is not finite. */
#ifndef GT_TRAIN_CALLBACKS_TERMINATE_ON_NAN_H
#define GT_TRAIN_CALLBACKS_TERMINATE_ON_NAN_H

#include "train/callback.h"

GT_BEGIN

#define gt_TerminateOnNaN_OPTIONS(F, S)                                                            \
    F(S, bool, raise_error, false, "it is an error, and gt_fit returns NULL")
GT_OPTIONS(gt_TerminateOnNaN_options, gt_TerminateOnNaN_OPTIONS);

/* gt_TerminateOnNaN(): looks at the loss of the epoch so far, after each batch. */
#define gt_TerminateOnNaN(...) gt_TerminateOnNaN_at(GT_HERE, GT_KEYWORDS(gt_TerminateOnNaN, __VA_ARGS__))
GT_API gt_Callback *gt_TerminateOnNaN_at(const char *here, const gt_TerminateOnNaN_options *options);

GT_END

#endif
