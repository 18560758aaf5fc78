/* A compiled model as gt_fit and gt_evaluate see it. Private to the room. */
#ifndef GT_TRAIN_COMPILED_H
#define GT_TRAIN_COMPILED_H

#include "layers/lookups.h"
#include "plan/function.h"
#include "train/callback.h"
#include "train/internal.h"

/* What a step does with a batch. */
typedef enum gt_StepKind {
    GT_STEP_KIND_TEST,
    GT_STEP_KIND_TRAIN,
    GT_STEP_KIND_WATCH /* trains; fails before it changes anything where the loss is not finite */
} gt_StepKind;

/* What a batch has, which a plan is made for. */
typedef struct gt_BatchLayout {
    int32_t x_count, y_count, text_count;
    uint32_t weights; /* by bit: labels that have some */
    gt_StepKind kind;
} gt_BatchLayout;

/* A step for batches of one layout. */
typedef struct gt_CompiledStep {
    struct gt_Compiled *compiled;
    gt_BatchLayout layout;
    gt_Function *plan; /* held */
    const gt_Batch *batch; /* that it runs on; its text is no argument of the plan */
    gt_Lookups lookups;    /* what becomes of that text, which is */
} gt_CompiledStep;

#define GT_COMPILED_STEPS 12
/* The mean loss, those of the outputs, the metrics. */
#define GT_MAX_SCORES (1 + GT_MAX_LOSSES + GT_MAX_METRICS)

/* Where gt_fit is, or was when it ended: what a checkpoint holds besides variables. */
typedef struct gt_FitState {
    bool begun;           /* by a gt_fit, or read from a checkpoint */
    int64_t epoch, batch; /* epochs finished; batches of the one after them */
    gt_DatasetPosition at; /* of the dataset, after that batch */
    bool stopped;         /* by a callback: that epoch is the last one, and ends here */
    gt_History *history;  /* its own, since the caller may free the one that gt_fit returns; NULL: none */
    gt_Callback **callbacks; /* held; of the last gt_fit, or of gt_load_checkpoint */
    int32_t callback_count;
} gt_FitState;

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
    double quickest_batch;    /* the shortest of them so far; 0: not known */
    gt_FitState fit;
    int32_t fits; /* runs of gt_fit that go on; one inside another has a state of its own */
} gt_Compiled;

/* Numbers by name: of the training, of a validation, and what callbacks add. */
#define GT_MAX_ADDED_LOGS 8
#define GT_MAX_LOGS       (2 * GT_MAX_SCORES + GT_MAX_ADDED_LOGS)
typedef struct gt_Logs {
    int32_t count;
    const char *names[GT_MAX_LOGS]; /* not owned */
    double values[GT_MAX_LOGS];
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

/* ---- fit_state.c ---- */
/* Holds these callbacks, and no longer those of before. */
gt_Status gt_fit_keep_callbacks(gt_Context *context, gt_FitState *fit, gt_Callback *const *items,
                                int32_t count);
/* Takes it over; NULL: keeps none. */
void gt_fit_keep_history(gt_FitState *fit, gt_History *history);
/* Begins anew, at that epoch. */
void gt_fit_restart(gt_FitState *fit, int64_t epoch);
void gt_fit_close(gt_Context *context, gt_FitState *fit);

/* ---- history.c ---- */
gt_Object *gt_history_object(gt_History *history);
/* An empty one, floating. */
gt_History *gt_history_new(gt_Context *context);
/* One more epoch. */
gt_Status gt_history_add(gt_History *self, int64_t epoch, const gt_Logs *logs);
gt_History *gt_history_copy(const gt_History *history);
/* A history in a file: the numbers of its epochs, and its columns as numbers, where one bit pattern of a NaN says that nothing
 * was logged. One with these names, to be filled. */
gt_History *gt_history_blank(gt_Context *context, int32_t epochs, int32_t count,
                             const char *const *names);
void gt_history_read_epochs(const gt_History *self, int64_t *epochs);
void gt_history_read(const gt_History *self, int32_t column, double *values);
void gt_history_fill_epochs(gt_History *self, const int64_t *epochs);
void gt_history_fill(gt_History *self, const char *name, const double *values);

#endif
