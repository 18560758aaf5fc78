/* SwapEMAWeights: the averages of the weights are what is validated and saved. */
#ifndef GT_TRAIN_CALLBACKS_SWAP_EMA_WEIGHTS_H
#define GT_TRAIN_CALLBACKS_SWAP_EMA_WEIGHTS_H

#include "train/callback.h"

GT_BEGIN

#define gt_SwapEMAWeights_OPTIONS(F, S)                                                            \
    F(S, bool, swap_on_epoch, false, "from the end of an epoch to the begin of the next, too")
GT_OPTIONS(gt_SwapEMAWeights_options, gt_SwapEMAWeights_OPTIONS);

/* gt_SwapEMAWeights(): while the model is validated or predicts, its weights are the averages that an optimizer with
 * .use_ema keeps. With swap_on_epoch a gt_ModelCheckpoint after it in the list saves the averages. Remembers whether they
 * are swapped. */
#define gt_SwapEMAWeights(...) gt_SwapEMAWeights_at(GT_HERE, GT_KEYWORDS(gt_SwapEMAWeights, __VA_ARGS__))
GT_API gt_Callback *gt_SwapEMAWeights_at(const char *here, const gt_SwapEMAWeights_options *options);

GT_END

#endif
