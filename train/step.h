/* Steps of one's own: what gt_fit, gt_evaluate and gt_predict do with a batch.
 *
 *     static gt_Status train_step(const gt_StepArgs *in)            // Keras's own, written out
 *     {
 *         gt_Tape *tape = gt_tape_begin();
 *         gt_Tensor *y_pred = gt_call(in->model, in->batch->x, .training = true);
 *         gt_Tensor *loss = gt_step_loss(in, gt_tensors(y_pred));
 *         gt_minimize(in->optimizer, tape, gt_scale_loss(in->optimizer, loss), gt_trainable_variables(in->model));
 *         gt_step_metrics(in, gt_tensors(y_pred));
 *         return gt_tape_end(tape);
 *     }
 *
 *     gt_compile(model, .optimizer = gt_Adam(), .loss = gt_MeanSquaredError(), .train_step = train_step);
 *
 * A step runs as a plan, as the built-in one does: its C code runs while it is traced, so it must not read elements back
 * (plan/function.h says what else). What it wants shown besides the loss goes into metrics of gt_compile:
 * gt_metric_update(discriminator_loss, NULL, loss), where that is a gt_Mean among .metrics. */
#ifndef GT_TRAIN_STEP_H
#define GT_TRAIN_STEP_H

#include "layers/layer.h"
#include "optim/optimizer.h"
#include "train/dataset.h"

GT_BEGIN

/* What a step works on. */
typedef struct gt_StepArgs {
    uint32_t size; /* of this struct */
    bool training;
    gt_Layer *model;
    gt_Optimizer *optimizer; /* of gt_compile; NULL: none, in gt_predict */
    const gt_Batch *batch;   /* of gt_predict: without labels and weights */
    void *user;              /* of gt_compile */
    struct gt_Step *step;    /* the library's */
} gt_StepArgs;

/* One batch of gt_fit or gt_evaluate. */
typedef gt_Status (*gt_StepFunction)(const gt_StepArgs *in);
/* One batch of gt_predict: sets y_pred[0] to y_pred[count - 1]. */
typedef gt_Status (*gt_PredictStep)(const gt_StepArgs *in, int32_t count, gt_Tensor **y_pred);
/* A scalar from the predictions of a batch, for .compute_loss of gt_compile. Calling gt_step_loss in it gives the loss as
 * it would be without. */
typedef gt_Tensor *(*gt_StepLoss)(const gt_StepArgs *in, gt_Tensors y_pred);

/* What is minimized, a scalar: the losses of gt_compile for these predictions, each times its weight, with the batch's
 * sample weights and the predictions' masks; what layers added while the model was called; the penalties of
 * regularizers. It is the loss that is shown, once gt_step_metrics is called. NULL on failure. As Keras's
 * compute_loss. */
#define gt_step_loss(in, y_pred) gt_step_loss_at(GT_HERE, in, y_pred)
GT_API gt_Tensor *gt_step_loss_at(const char *here, const gt_StepArgs *in, gt_Tensors y_pred);
/* Adds the batch to what is shown: the loss of gt_step_loss, and every metric of gt_compile with the labels and these
 * predictions. A step that shows numbers of its own updates the metrics itself instead; without gt_step_loss nothing
 * is shown as "loss". As Keras's compute_metrics. */
#define gt_step_metrics(in, y_pred) gt_step_metrics_at(GT_HERE, in, y_pred)
GT_API gt_Status gt_step_metrics_at(const char *here, const gt_StepArgs *in, gt_Tensors y_pred);

/* The built-in steps, for one of one's own that does something before or after them. */
#define gt_train_step(in) gt_train_step_at(GT_HERE, in)
GT_API gt_Status gt_train_step_at(const char *here, const gt_StepArgs *in);
#define gt_test_step(in) gt_test_step_at(GT_HERE, in)
GT_API gt_Status gt_test_step_at(const char *here, const gt_StepArgs *in);

GT_END

#endif
