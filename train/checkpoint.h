/* Whole training runs in files, in the safetensors format. A file appears whole or not
 * at all; one that does not fit is refused before anything is changed, with a list of what differs.
 */
#ifndef GT_TRAIN_CHECKPOINT_H
#define GT_TRAIN_CHECKPOINT_H

#include "layers/layer.h"
#include "models/weights.h"
#include "optim/optimizer.h"
#include "train/callback.h"
#include "train/dataset.h"

GT_BEGIN

#define gt_save_checkpoint_OPTIONS(F, S)                                                           \
    F(S, gt_Optimizer *, optimizer, NULL, "NULL: that of gt_compile, if there is one")             \
    F(S, gt_Dataset *, dataset, NULL, "whose position goes along; NULL: none")                     \
    F(S, gt_Callbacks, callbacks, GT_NOT_GIVEN,                                                    \
      "whose memory goes along, taken over; none: those of the last gt_fit, which the model holds")
GT_OPTIONS(gt_save_checkpoint_options, gt_save_checkpoint_OPTIONS);
typedef gt_save_checkpoint_options gt_load_checkpoint_options;

/* gt_save_checkpoint("run.safetensors", model, .dataset = train): all that a run needs to go on bit
 * for bit as if it had not been stopped: weights and generator states ("model/dense_1/kernel"), the
 * optimizer ("optimizer/iteration", "optimizer/dense_1/kernel/momentum"), where the dataset is
 * ("dataset/position"), the context's own generator ("generator"); and of a compiled model, once gt_fit began, the epoch and
 * the batch ("fit/position"), the history so far ("fit/history/val_loss"), in the middle of an epoch its metrics
 * ("metrics/loss/0"), what callbacks remember ("callbacks/early_stopping/wait"). */
#define gt_save_checkpoint(...)                                                                    \
    gt_save_checkpoint_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                  \
                          GT_KEYWORDS(gt_save_checkpoint, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Status gt_save_checkpoint_at(const char *here, const char *path, gt_Layer *model,
                                       const gt_save_checkpoint_options *options);
/* The same arguments. Model, optimizer and callbacks are made like those that were saved, and the model is
 * built; the optimizer is built here if it is not. gt_fit with .resume = true and these callbacks goes on from there:
 *     gt_load_checkpoint("run.safetensors", model, .dataset = train, .callbacks = gt_callbacks(early));
 *     gt_fit(model, train, .epochs = 10, .resume = true, .callbacks = gt_callbacks(early)); */
#define gt_load_checkpoint(...)                                                                    \
    gt_load_checkpoint_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                  \
                          GT_KEYWORDS(gt_save_checkpoint, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Status gt_load_checkpoint_at(const char *here, const char *path, gt_Layer *model,
                                       const gt_save_checkpoint_options *options);

GT_END

#endif
