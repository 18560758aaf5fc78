/* TensorBoard: the training as event files, which TensorBoard shows. */
#ifndef GT_TRAIN_CALLBACKS_TENSORBOARD_H
#define GT_TRAIN_CALLBACKS_TENSORBOARD_H

#include "train/callback.h"

GT_BEGIN

#define gt_TensorBoard_OPTIONS(F, S)                                                               \
    F(S, const char *, log_dir, "logs", "the folder; train/ and validation/ are made in it")       \
    F(S, int32_t, histogram_freq, 0, "epochs from histograms of the weights to the next; 0: none") \
    F(S, bool, write_graph, true, "the operations of the model, as a graph")                       \
    F(S, bool, write_images, false, "weights as pictures, too, with the histograms")               \
    F(S, bool, write_steps_per_second, false, "how fast the epochs are")                           \
    F(S, int64_t, update_freq, 0, "batches from numbers of the epoch so far to the next; 0: none")
GT_OPTIONS(gt_TensorBoard_options, gt_TensorBoard_OPTIONS);

/* gt_TensorBoard("logs/run1"), then `tensorboard --logdir logs`. The names are Keras's: epoch_loss, epoch_learning_rate,
 * batch_loss, evaluation_loss_vs_iterations, dense/kernel/histogram, dense/kernel/image. Pictures are scaled, from black
 * for the smallest weight to white for the largest. Remembers the batches so far. A run that is resumed begins new files. */
#define gt_TensorBoard(...)                                                                        \
    gt_TensorBoard_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_TensorBoard, log_dir, __VA_ARGS__))
GT_API gt_Callback *gt_TensorBoard_at(const char *here, const gt_TensorBoard_options *options);

GT_END

#endif
