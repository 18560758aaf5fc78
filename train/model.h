/* Compile, fit, evaluate, predict: Keras's training loop as functions on a layer.
 *
 *     gt_compile(model, .optimizer = gt_Adam(1e-3),
 *                .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
 *                .metrics = gt_metrics(gt_Accuracy()));
 *     gt_History *history = gt_fit(model, train, .epochs = 5, .validation = test);
 */
#ifndef GT_TRAIN_MODEL_H
#define GT_TRAIN_MODEL_H

#include "layers/layer.h"
#include "optim/optimizer.h"
#include "train/callback.h"
#include "train/dataset.h"
#include "train/metric.h"
#include "train/progress.h"

GT_BEGIN

#define gt_compile_OPTIONS(F, S)                                                                   \
    F(S, gt_Optimizer *, optimizer, NULL, "required to train; taken over")                         \
    F(S, gt_Loss, loss, GT_NOT_GIVEN, "none: what the layers add")                                 \
    F(S, gt_Losses, losses, GT_NOT_GIVEN, "instead of loss: one for each output, gt_losses(a, b)") \
    F(S, gt_Numbers, loss_weights, GT_NO_NUMBERS, "factors of the losses in their sum; none: 1")   \
    F(S, gt_Metrics, metrics, GT_NOT_GIVEN, "at most 16, of different names; taken over")          \
    F(S, gt_Metrics, weighted_metrics, GT_NOT_GIVEN, "the same, weighted by the sample weights")   \
    F(S, bool, run_eagerly, false, "no plans: every operation by itself")                          \
    F(S, bool, auto_scale_loss, true, "of a gt_mixed_float16() model, by gt_LossScaleOptimizer")
GT_OPTIONS(gt_compile_options, gt_compile_OPTIONS);

/* Says how a model is trained. With several losses output i of the model is compared with label i of the dataset; the loss is
 * their weighted sum, and each is shown by itself as output_loss, output_1_loss, ... Losses are weighted by the dataset's
 * sample weights, and by the masks of the predictions: padding counts neither in losses nor in metrics. Optimizer and metrics are taken over, also when it fails. Compiling
 * again replaces all of it; the weights stay. */
#define gt_compile(...)                                                                            \
    gt_compile_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_compile, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_compile_at(const char *here, gt_Layer *model,
                               const gt_compile_options *options);
/* The optimizer of a compiled model; NULL with an error if there is none. */
#define gt_compiled_optimizer(model) gt_compiled_optimizer_at(GT_HERE, model)
GT_API gt_Optimizer *gt_compiled_optimizer_at(const char *here, gt_Layer *model);

/* ---- training ---- */

typedef struct gt_History gt_History;

#define gt_fit_OPTIONS(F, S)                                                                       \
    F(S, int64_t, epochs, 1, "number of the last epoch")                                           \
    F(S, int64_t, initial_epoch, 0, "number of the first one, when a run is resumed")              \
    F(S, gt_Dataset *, validation, NULL, "evaluated after every epoch")                            \
    F(S, gt_Verbosity, verbose, GT_VERBOSITY_AUTO, "what is printed to standard error")            \
    F(S, const gt_Progress *, progress, NULL, "told instead of printing")                          \
    F(S, gt_Callbacks, callbacks, GT_NOT_GIVEN, "gt_callbacks(a, b), told in this order; taken over") \
    F(S, bool, resume, false,                                                                      \
      "goes on where gt_load_checkpoint or an interrupted gt_fit left the run, if there was one")
GT_OPTIONS(gt_fit_options, gt_fit_OPTIONS);

/* Trains on epochs initial_epoch .. epochs - 1. A step: predictions with training = true, loss plus
 * what layers and regularizers add, gradients, one step of the optimizer on the trainable
 * variables; metrics of the predictions before that step. The loss shown is the mean of the
 * batches' losses, weighted by their sizes. A model that is not built is built for the dataset's
 * rows. A NaN is no error. Steps run as plans; gt_function says what that means for layers of one's
 * own. With an optimizer that keeps averages (use_ema) it ends with gt_optimizer_finalize: the
 * weights are their averages, whatever ema_overwrite_frequency is.
 *
 * NULL on failure, also when the interrupt callback stops it. The dataset then stands before the
 * batch that was not trained on, and the weights are no averages, so that the next gt_fit goes on
 * from there. Denormal numbers count as zero while it runs. */
#define gt_fit(...)                                                                                \
    gt_fit_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                              \
              GT_KEYWORDS(gt_fit, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_History *gt_fit_at(const char *here, gt_Layer *model, gt_Dataset *dataset,
                             const gt_fit_options *options);

/* ---- what happened ---- */

/* The number called "loss", "accuracy", "val_loss", ... of an epoch: 0 is the first one of that
 * gt_fit, -1 the last. NaN with an error if there is none. */
#define gt_history_get(history, name, epoch) gt_history_get_at(GT_HERE, history, name, epoch)
GT_API double gt_history_get_at(const char *here, const gt_History *history, const char *name,
                                int64_t epoch);
#define gt_history_epoch_count(history) gt_history_epoch_count_at(GT_HERE, history)
GT_API int64_t gt_history_epoch_count_at(
    const char *here, const gt_History *history); /* that were finished; -1 on failure */
#define gt_history_name_count(history) gt_history_name_count_at(GT_HERE, history)
GT_API int gt_history_name_count_at(const char *here,
                                    const gt_History *history); /* names; -1 on failure */
#define gt_history_name(history, index) gt_history_name_at(GT_HERE, history, index)
GT_API const char *gt_history_name_at(const char *here, const gt_History *history,
                                      int index); /* NULL on failure */
/* Drops the caller's hold; otherwise it is freed with the context. NULL is ignored. */
GT_API void gt_history_free(gt_History *history);

/* ---- evaluating ---- */

#define gt_evaluate_OPTIONS(F, S)                                                                  \
    F(S, gt_Verbosity, verbose, GT_VERBOSITY_SILENT, "what is printed to standard error")          \
    F(S, const gt_Progress *, progress, NULL, "told instead of printing")                          \
    F(S, gt_Callbacks, callbacks, GT_NOT_GIVEN, "told of its TEST hooks; taken over")
GT_OPTIONS(gt_evaluate_options, gt_evaluate_OPTIONS);

/* The loss, and the metrics in the order of gt_compile; all NaN on failure. */
typedef struct gt_Scores {
    double loss;
    int32_t count;
    double metrics[GT_MAX_METRICS]; /* and the weighted ones behind them */
    int32_t loss_count;             /* 0: there is one */
    double losses[GT_MAX_LOSSES];   /* of the outputs, unweighted by loss_weights */
} gt_Scores;

/* Loss and metrics over all rows, with training = false. Changes nothing: neither weights nor where
 * the dataset is; but layers that draw in inference too go on with their generators. */
#define gt_evaluate(...)                                                                           \
    gt_evaluate_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                         \
                   GT_KEYWORDS(gt_evaluate, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Scores gt_evaluate_at(const char *here, gt_Layer *model, gt_Dataset *dataset,
                                const gt_evaluate_options *options);

#define gt_predict_OPTIONS(F, S)                                                                   \
    F(S, gt_Outputs, outputs, GT_NOT_GIVEN,                                                        \
      "get the predictions of the model's outputs after the first")                                \
    F(S, gt_Callbacks, callbacks, GT_NOT_GIVEN, "told of its PREDICT hooks; taken over")
GT_OPTIONS(gt_predict_options, gt_predict_OPTIONS);
/* Predictions for all rows of x in their own order, whatever the shuffling: (rows, ...). Batch by
 * batch, with training = false. The model need not be compiled. gt_predict(model, data, .outputs = gt_outputs(&b)) gives the
 * other outputs too. */
#define gt_predict(model, ...)                                                                     \
    gt_predict_at(GT_HERE, model, GT_FIRST(__VA_ARGS__),                                           \
                  GT_KEYWORDS(gt_predict, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_predict_at(const char *here, gt_Layer *model, gt_Dataset *dataset,
                                const gt_predict_options *options);

GT_END

#endif
