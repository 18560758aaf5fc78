/* Compile, fit, evaluate, predict: Keras's training loop as functions on a layer.
 *
 *     gt_compile(model, .optimizer = gt_Adam(1e-3),
 *                .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
 *                .metrics = gt_metrics(gt_Accuracy()));
 *     gt_History *history = gt_fit(model, train, .epochs = 5, .validation = test);
 *     gt_fit(model, x, .y = y, .epochs = 5, .validation_split = 0.2);
 *
 * Options have Keras's names and defaults (keras.Model.fit); train/step.h says how to write a step of one's own. */
#ifndef GT_TRAIN_MODEL_H
#define GT_TRAIN_MODEL_H

#include <signal.h>

#include "layers/layer.h"
#include "optim/optimizer.h"
#include "train/callback.h"
#include "train/dataset.h"
#include "train/history.h"
#include "train/metric.h"
#include "train/progress.h"
#include "train/rows.h"
#include "train/step.h"

GT_BEGIN

#define gt_compile_OPTIONS(F, S)                                                                   \
    F(S, gt_Optimizer *, optimizer, NULL, "taken over; NULL: gt_RMSprop()")                        \
    F(S, gt_Loss, loss, GT_NOT_GIVEN, "none: what the layers add")                                 \
    F(S, gt_Losses, losses, GT_NOT_GIVEN, "instead of loss: one for each output, gt_losses(a, b)") \
    F(S, gt_Numbers, loss_weights, GT_NO_NUMBERS, "factors of the losses in their sum; none: 1")   \
    F(S, gt_Metrics, metrics, GT_NOT_GIVEN, "at most 16, of different names; taken over")          \
    F(S, gt_Metrics, weighted_metrics, GT_NOT_GIVEN, "the same, weighted by the sample weights")   \
    F(S, bool, run_eagerly, false, "no plans: every operation by itself")                          \
    F(S, bool, auto_scale_loss, true, "of a gt_mixed_float16() model, by gt_LossScaleOptimizer")   \
    F(S, int64_t, steps_per_execution, 1,                                                          \
      "batches from one report to the next, and from one look at what stops a run to the next")    \
    F(S, gt_Flag, jit_compile, GT_INHERIT, "true is refused: steps run as plans, which need no compiler") \
    F(S, gt_StepFunction, train_step, NULL, "instead of gt_train_step; see train/step.h")          \
    F(S, gt_StepFunction, test_step, NULL, "instead of gt_test_step")                              \
    F(S, gt_PredictStep, predict_step, NULL, "instead of a call of the model")                     \
    F(S, gt_StepLoss, compute_loss, NULL, "instead of what gt_step_loss does")                  \
    F(S, void *, user, NULL, "for these four; must outlive the model")
GT_OPTIONS(gt_compile_options, gt_compile_OPTIONS);

/* Says how a model is trained. With several losses output i of the model is compared with label i of the dataset; the loss
 * is their weighted sum, and each is shown by itself as output_loss, output_1_loss, ... One .loss alone is that of every
 * output. Losses are weighted by the dataset's sample weights, and by the masks of the predictions: padding counts neither
 * in losses nor in metrics. Optimizer and metrics are taken over, also when it fails. Compiling again replaces all of it;
 * the weights stay. */
#define gt_compile(...)                                                                            \
    gt_compile_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_compile, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_compile_at(const char *here, gt_Layer *model,
                               const gt_compile_options *options);
/* gt_compile(model, ...) from text, as files of models have it and programs are told by theirs:
 *
 *     {"optimizer": {"class": "adam", "learning_rate": 0.01},
 *      "losses": [{"class": "sparse_categorical_crossentropy"}],
 *      "metrics": [{"metric": {"class": "accuracy"}}, {"loss": {"class": "huber"}, "name": "huber"}]}
 *
 * Classes are named in snake case, options that are not given are those of their constructors; losses, loss_weights, metrics,
 * loss_scale, exclude_from_weight_decay, run_eagerly and steps_per_execution may be left out. Errors name what is wrong: text
 * that is no JSON, a class or an option that nobody knows. */
#define gt_compile_from_json(model, text) gt_compile_from_json_at(GT_HERE, model, text)
GT_API gt_Status gt_compile_from_json_at(const char *here, gt_Layer *model, const char *text);
/* The optimizer of a compiled model; NULL with an error if there is none. */
#define gt_compiled_optimizer(model) gt_compiled_optimizer_at(GT_HERE, model)
GT_API gt_Optimizer *gt_compiled_optimizer_at(const char *here, gt_Layer *model);

/* ---- training ---- */

#define gt_fit_OPTIONS(F, S)                                                                       \
    F(S, int64_t, epochs, 1, "number of the last epoch")                                           \
    F(S, int64_t, initial_epoch, 0, "number of the first one, when a run is resumed")              \
    F(S, gt_Dataset *, validation, NULL, "evaluated after every epoch")                            \
    F(S, gt_Verbosity, verbose, GT_VERBOSITY_AUTO, "what is printed to standard error")            \
    F(S, const gt_Progress *, progress, NULL, "told instead of printing")                          \
    GT_ROWS_COMMON(F, S)                                                                           \
    F(S, int64_t, batch_size, -1, "of the rows of a tensor; -1: 32. A dataset has its own")        \
    F(S, gt_Flag, shuffle, GT_INHERIT,                                                             \
      "the rows of a tensor in every epoch, unless it is false. A dataset has its own")            \
    F(S, double, validation_split, 0,                                                              \
      "fraction of a tensor's rows, the last ones, to validate with instead of training")          \
    F(S, int64_t, validation_batch_size, -1, "of the rows split off; -1: batch_size")              \
    F(S, int64_t, validation_steps, -1, "batches of a validation; -1: all")                        \
    F(S, int64_t, validation_freq, 1, "epochs from one validation to the next")                    \
    F(S, gt_Tensor *, class_weight, NULL,                                                          \
      "(classes): what rows of class i weigh in training; those of a class without one weigh 1")   \
    F(S, int64_t, steps_per_epoch, -1, "batches of an epoch; -1: once through the dataset")        \
    F(S, volatile sig_atomic_t *, stop, NULL,                                                      \
      "not 0, once a signal handler says so: ends after this batch, to be resumed")                 \
    F(S, gt_Callbacks, callbacks, GT_NOT_GIVEN, "gt_callbacks(a, b), told in this order; taken over") \
    F(S, bool, resume, false,                                                                      \
      "goes on where gt_load_checkpoint or an interrupted gt_fit left the run, if there was one")
GT_OPTIONS(gt_fit_options, gt_fit_OPTIONS);

/* gt_fit(model, train) or gt_fit(model, x, .y = y): trains on epochs initial_epoch .. epochs - 1. A step: predictions with
 * training = true, loss plus what layers and regularizers add, gradients, one step of the optimizer on the trainable
 * variables; metrics of the predictions before that step. The loss shown is the mean of the batches' losses, weighted by
 * their sizes. A model that is not built is built for the first rows. Steps run as plans; gt_function says what that means
 * for layers of one's own. With an optimizer that keeps averages (use_ema) it ends with gt_optimizer_finalize: the weights
 * are their averages, whatever ema_overwrite_frequency is. Denormal numbers count as zero while it runs.
 *
 * A loss that is not finite is a warning, once an epoch, that says which operation, weight or input it came from; training
 * goes on. steps_per_epoch goes on in the dataset where the epoch before stopped; a dataset that ends earlier ends the
 * epoch with a warning, and the next one begins it anew. A model without trainable weights is a warning too.
 *
 * gt_stop_training, gt_stop in a callback and a .progress that returns false end it after the batch: the epoch is closed,
 * with its validation and hooks. .stop leaves the epoch open: its numbers so far are in the history that is returned, nothing
 * is validated, averages stay aside, callbacks that save whole runs save this one; and gt_fit(..., .resume = true) goes on
 * with the next batch, to the bits of a run that was not stopped.
 *
 * NULL on failure, also when the function of gt_set_interrupt stops it. The dataset then stands before the batch that was
 * not trained on, and the weights are no averages. */
#define gt_fit(...)                                                                                \
    gt_fit_at(GT_HERE, GT_FIRST(__VA_ARGS__), gt_as_rows(GT_SECOND(__VA_ARGS__)),                     \
              GT_KEYWORDS(gt_fit, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_History *gt_fit_at(const char *here, gt_Layer *model, gt_Rows rows,
                             const gt_fit_options *options);

/* The gt_fit or gt_train_for of this model that is running ends after the batch that it is at. From whatever it calls: a
 * progress function, a callback, a step that is not traced; a signal handler sets the flag of .stop instead. As Keras's
 * model.stop_training = True. */
#define gt_stop_training(model) gt_stop_training_at(GT_HERE, model)
GT_API gt_Status gt_stop_training_at(const char *here, gt_Layer *model);

/* ---- evaluating ---- */

/* The loss, and the metrics in the order of gt_compile; all NaN on failure. */
typedef struct gt_Scores {
    double loss;
    int32_t count;
    double metrics[GT_MAX_METRICS]; /* and the weighted ones behind them */
    int32_t loss_count;             /* 0: there is one */
    double losses[GT_MAX_LOSSES];   /* of the outputs, unweighted by loss_weights */
    int64_t steps;                  /* batches that they are of; -1 on failure */
    const char *names[GT_MAX_METRICS]; /* of the metrics; they live until the model is compiled again */
} gt_Scores;
/* gt_scores_get(&scores, "accuracy"): "loss", a metric, or "output_1_loss". NaN with an error if there is none. */
#define gt_scores_get(scores, name) gt_scores_get_at(GT_HERE, scores, name)
GT_API double gt_scores_get_at(const char *here, const gt_Scores *scores, const char *name);

#define gt_evaluate_OPTIONS(F, S)                                                                  \
    F(S, gt_Verbosity, verbose, GT_VERBOSITY_SILENT, "what is printed to standard error")          \
    F(S, const gt_Progress *, progress, NULL, "told instead of printing")                          \
    GT_ROWS_COMMON(F, S)                                                                           \
    F(S, int64_t, batch_size, -1, "of the rows of a tensor; -1: 32. A dataset has its own")        \
    F(S, int64_t, steps, -1, "batches; -1: all")                 \
    F(S, gt_Callbacks, callbacks, GT_NOT_GIVEN, "told of its TEST hooks; taken over")
GT_OPTIONS(gt_evaluate_options, gt_evaluate_OPTIONS);

/* gt_evaluate(model, test) or gt_evaluate(model, x, .y = y): loss and metrics over all rows, with training = false.
 * Changes nothing: neither weights nor where the dataset is; but layers that draw in inference too go on with their
 * generators. */
#define gt_evaluate(...)                                                                           \
    gt_evaluate_at(GT_HERE, GT_FIRST(__VA_ARGS__), gt_as_rows(GT_SECOND(__VA_ARGS__)),                \
                   GT_KEYWORDS(gt_evaluate, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Scores gt_evaluate_at(const char *here, gt_Layer *model, gt_Rows rows,
                                const gt_evaluate_options *options);

#define gt_predict_OPTIONS(F, S)                                                                   \
    F(S, gt_Outputs, outputs, GT_NOT_GIVEN,                                                        \
      "get the predictions of the model's outputs after the first")                                \
    F(S, gt_Tensors, more_x, GT_NOT_GIVEN, "inputs after a tensor, for a model with several")      \
    F(S, int64_t, batch_size, -1, "of the rows of a tensor; -1: 32. A dataset has its own")        \
    F(S, int64_t, steps, -1, "batches; -1: all")                                                   \
    F(S, gt_Verbosity, verbose, GT_VERBOSITY_SILENT, "what is printed to standard error")          \
    F(S, const gt_Progress *, progress, NULL, "told instead of printing")                 \
    F(S, gt_Callbacks, callbacks, GT_NOT_GIVEN, "told of its PREDICT hooks; taken over")
GT_OPTIONS(gt_predict_options, gt_predict_OPTIONS);
/* gt_predict(model, test) or gt_predict(model, x): predictions for all rows in their own order, whatever the shuffling:
 * (rows, ...). Batch by batch, with training = false; no weight changes. The model need not be compiled.
 * gt_predict(model, data, .outputs = gt_outputs(&b)) gives the other outputs too. */
#define gt_predict(...)                                                                            \
    gt_predict_at(GT_HERE, GT_FIRST(__VA_ARGS__), gt_as_rows(GT_SECOND(__VA_ARGS__)),                 \
                  GT_KEYWORDS(gt_predict, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_predict_at(const char *here, gt_Layer *model, gt_Rows rows,
                                const gt_predict_options *options);

/* ---- one batch, and a span of time ---- */

#define gt_train_on_batch_OPTIONS(F, S)                                                            \
    GT_ROWS_COMMON(F, S)                                                                           \
    F(S, gt_Tensor *, class_weight, NULL,                                                          \
      "(classes): what rows of class i weigh; those of a class without one weigh 1")
GT_OPTIONS(gt_train_on_batch_options, gt_train_on_batch_OPTIONS);
/* gt_train_on_batch(model, x, .y = y): the step of gt_fit for these rows as one batch. Loss and metrics of this batch
 * alone, before the step; all NaN on failure. */
#define gt_train_on_batch(...)                                                                     \
    gt_train_on_batch_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                   \
                         GT_KEYWORDS(gt_train_on_batch, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Scores gt_train_on_batch_at(const char *here, gt_Layer *model, gt_Tensor *x,
                                      const gt_train_on_batch_options *options);
#define gt_test_on_batch_OPTIONS(F, S) GT_ROWS_COMMON(F, S)
GT_OPTIONS(gt_test_on_batch_options, gt_test_on_batch_OPTIONS);
/* gt_test_on_batch(model, x, .y = y): the same without training. */
#define gt_test_on_batch(...)                                                                      \
    gt_test_on_batch_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                    \
                        GT_KEYWORDS(gt_test_on_batch, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Scores gt_test_on_batch_at(const char *here, gt_Layer *model, gt_Tensor *x,
                                     const gt_test_on_batch_options *options);
#define gt_predict_on_batch_OPTIONS(F, S)                                                          \
    F(S, gt_Outputs, outputs, GT_NOT_GIVEN,                                                        \
      "get the predictions of the model's outputs after the first")                                \
    F(S, gt_Tensors, more_x, GT_NOT_GIVEN, "inputs after x, for a model with several")
GT_OPTIONS(gt_predict_on_batch_options, gt_predict_on_batch_OPTIONS);
/* gt_predict_on_batch(model, x): predictions for these rows as one batch, by the step of gt_predict. NULL on failure. */
#define gt_predict_on_batch(...)                                                                   \
    gt_predict_on_batch_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                 \
                           GT_KEYWORDS(gt_predict_on_batch, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_predict_on_batch_at(const char *here, gt_Layer *model, gt_Tensor *x,
                                         const gt_predict_on_batch_options *options);

#define gt_train_for_OPTIONS(F, S)                                                                 \
    F(S, int64_t, steps, -1, "batches at most; -1: as many as there is time for")                  \
    F(S, gt_Tensor *, class_weight, NULL,                                                          \
      "(classes): what rows of class i weigh; those of a class without one weigh 1")
GT_OPTIONS(gt_train_for_options, gt_train_for_OPTIONS);
/* gt_train_for(model, data, 0.004): trains on the next batches of the dataset, epoch after epoch, while another one is
 * expected to end within that many seconds: for the spare time of a frame of a game, or of a control loop. What a batch
 * takes is learned from the batches of this model before it; one is trained on in any case before that is known, and the
 * first of a shape also makes a plan, which takes longer than was expected: so train once while nothing waits, and make the
 * dataset with .drop_remainder, since a last batch that is smaller is another shape. .steps of what it returns is how many there were,
 * which may be 0 (the loss is then 0); loss and metrics are of these. A batch that took long, because the machine was busy,
 * is forgotten within some calls. It ends neither epochs nor averages. */
#define gt_train_for(model, dataset, ...)                                                          \
    gt_train_for_at(GT_HERE, model, dataset, GT_FIRST(__VA_ARGS__),                                \
                    GT_KEYWORDS(gt_train_for, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Scores gt_train_for_at(const char *here, gt_Layer *model, gt_Dataset *dataset,
                                 double seconds, const gt_train_for_options *options);

GT_END

#endif
