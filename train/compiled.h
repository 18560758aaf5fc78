/* A compiled model as gt_fit and gt_evaluate see it. Private to the room. */
#ifndef GT_TRAIN_COMPILED_H
#define GT_TRAIN_COMPILED_H

#include "plan/function.h"
#include "train/internal.h"

/* What a step does with a batch. */
typedef enum gt_StepKind {
    GT_STEP_KIND_TEST,
    GT_STEP_KIND_TRAIN,
    GT_STEP_KIND_WATCH /* trains; fails before it changes anything where the loss is not finite */
} gt_StepKind;

/* What a batch has, which a plan is made for. */
typedef struct gt_BatchLayout {
    int32_t x_count, y_count;
    uint32_t weights; /* by bit: labels that have some */
    gt_StepKind kind;
} gt_BatchLayout;

/* A step for batches of one layout. */
typedef struct gt_CompiledStep {
    struct gt_Compiled *compiled;
    gt_BatchLayout layout;
    gt_Function *plan; /* held */
} gt_CompiledStep;

#define GT_COMPILED_STEPS 12
/* The mean loss, those of the outputs, the metrics. */
#define GT_MAX_SCORES (1 + GT_MAX_LOSSES + GT_MAX_METRICS)

/* The arguments of gt_compile. The model holds it, and is there whenever it is used. */
typedef struct gt_Compiled {
    gt_Object object;
    gt_Layer *model;
    gt_Optimizer *optimizer; /* held */
    gt_Loss loss[GT_MAX_LOSSES];
    double loss_weight[GT_MAX_LOSSES];
    int32_t loss_count; /* 0: none but what layers add */
    int32_t outputs;    /* of the model that losses and metrics look at */
    /* What is shown, held: the mean loss; where there are several losses, each; the metrics from number `first_metric` on. */
    gt_Metric *scores[GT_MAX_SCORES];
    char *validation_names[GT_MAX_SCORES]; /* "val_loss"; owned */
    bool weighted[GT_MAX_SCORES];          /* by the dataset's sample weights */
    int32_t count, first_metric;
    bool run_eagerly;
    int64_t steps_per_execution;
    gt_StepFunction train_step, test_step; /* NULL: the built-in ones */
    gt_PredictStep predict_step;
    gt_StepLoss compute_loss;
    void *user;
    gt_CompiledStep steps[GT_COMPILED_STEPS];
    int32_t step_count;
    bool lossless[2];        /* the last step of one's own computed no loss: testing, training */
    bool not_finite;         /* a step found its loss so */
    bool stop;               /* gt_stop_training was called */
    bool trained;            /* by at least one batch */
    double seconds_per_batch; /* of training, as expected; 0: not known */
} gt_Compiled;

/* Numbers by name. */
typedef struct gt_Logs {
    int32_t count;
    const char *names[2 * GT_MAX_SCORES]; /* not owned */
    double values[2 * GT_MAX_SCORES];
} gt_Logs;

/* ---- compile.c ---- */
/* The arguments that the model was compiled with; NULL without an error if it was not. */
gt_Compiled *gt_compiled_of(const gt_LayerState *state);

/* ---- steps.c ---- */
/* One batch. Temporaries are left to the scope around it. */
gt_Status gt_compiled_step(gt_Compiled *self, gt_StepKind kind, const gt_Batch *batch);
/* The first `outputs` of the predictions for a batch, by the model's predict_step if it has one; `compiled` may be NULL. */
gt_Status gt_predict_step(gt_Layer *model, gt_Compiled *compiled, const gt_Batch *batch,
                          int32_t outputs, gt_Tensor **y_pred);
gt_Status gt_compiled_reset(const gt_Compiled *self);
/* Adds loss and metrics so far: of training, or as "val_loss" of a validation, and so on. */
void gt_compiled_read(const gt_Compiled *self, bool training, bool validation, gt_Logs *logs);

/* ---- watch.c ---- */
/* The loss itself. Where it is not finite the step fails, before a plan changes any variable, and self->not_finite is
 * set. Something that the step changes must be computed from the result. */
gt_Tensor *gt_watch_loss(gt_Compiled *self, gt_Tensor *loss);
/* One batch that trains, whatever the loss is. One that is not finite is a warning if *warned is false, which it sets;
 * `epoch` and `step` are for the text, from 0. */
gt_Status gt_watched_step(gt_Compiled *self, const gt_Batch *batch, int64_t epoch, int64_t step,
                          bool *warned);

/* ---- history.c ---- */
/* An empty one, floating. */
gt_History *gt_history_new(gt_Context *context);
/* One more epoch. */
gt_Status gt_history_add(gt_History *self, int64_t epoch, const gt_Logs *logs);

#endif
