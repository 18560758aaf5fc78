/* A compiled model as gt_fit and gt_evaluate see it. Private to the room. */
#ifndef GT_TRAIN_COMPILED_H
#define GT_TRAIN_COMPILED_H

#include "plan/function.h"
#include "train/callback.h"
#include "train/internal.h"

/* What a batch has, which a plan is made for. */
typedef struct gt_BatchLayout {
    int32_t x_count, y_count;
    uint32_t weights; /* by bit: labels that have some */
    bool training;
} gt_BatchLayout;

/* A step for batches of one layout. */
typedef struct gt_CompiledStep {
    struct gt_Compiled *compiled;
    gt_BatchLayout layout;
    gt_Function *plan; /* held */
} gt_CompiledStep;

#define GT_COMPILED_STEPS 8
/* The mean loss, those of the outputs, the metrics. */
#define GT_MAX_SCORES (1 + GT_MAX_LOSSES + GT_MAX_METRICS)

/* Where gt_fit is, or was when it ended: what a checkpoint holds besides variables. */
typedef struct gt_FitState {
    bool begun;           /* by a gt_fit, or read from a checkpoint */
    int64_t epoch, batch; /* epochs finished; batches of the one after them */
    bool stopped;         /* by a callback: that epoch is the last one, and ends here */
    gt_History *history;  /* its own, since the caller may free the one that gt_fit returns; NULL: none */
    gt_Callback **callbacks; /* held; of the last gt_fit, or of gt_load_checkpoint */
    int32_t callback_count;
} gt_FitState;

/* The arguments of gt_compile. The model holds it, and is there whenever it is used. */
typedef struct gt_Compiled {
    gt_Object object;
    gt_Layer *model;
    gt_Optimizer *optimizer; /* held; NULL: only to be evaluated */
    gt_Loss loss[GT_MAX_LOSSES];
    double loss_weight[GT_MAX_LOSSES];
    int32_t loss_count; /* 0: none but what layers add */
    int32_t outputs;    /* of the model that losses and metrics look at */
    /* What is shown, held: the mean loss; where there are several losses, each; the metrics from number `first_metric` on. */
    gt_Metric *scores[GT_MAX_SCORES];
    bool weighted[GT_MAX_SCORES]; /* by the dataset's sample weights */
    int32_t count, first_metric;
    bool run_eagerly;
    gt_CompiledStep steps[GT_COMPILED_STEPS];
    int32_t step_count;
    gt_FitState fit;
    int32_t fits; /* runs of gt_fit that go on; one inside another has a state of its own */
} gt_Compiled;

/* The arguments that the model was compiled with; NULL without an error if it was not. */
gt_Compiled *gt_compiled_of(const gt_LayerState *state);
/* One batch, in training or evaluation. Temporaries are left to the scope around it. */
gt_Status gt_compiled_step(gt_Compiled *self, bool training, const gt_Batch *batch);
/* The model's outputs for a batch; `y_pred` gets the first `outputs` of them. NULL on failure. */
gt_Tensor *gt_call_on_batch(gt_Layer *model, const gt_Batch *batch, bool training, int32_t outputs,
                            gt_Tensor **y_pred);
gt_Status gt_compiled_reset(const gt_Compiled *self);
/* Loss and metrics so far: `count` numbers. */
void gt_compiled_read(const gt_Compiled *self, double *values);

/* Holds these callbacks, and no longer those of before. */
gt_Status gt_fit_keep_callbacks(gt_Context *context, gt_FitState *fit, gt_Callback *const *items,
                                int32_t count);
/* Takes it over; NULL: keeps none. */
void gt_fit_keep_history(gt_FitState *fit, gt_History *history);
void gt_fit_close(gt_Context *context, gt_FitState *fit);

/* ---- history.c ---- */
struct gt_History {
    gt_Object object;
    int32_t count;
    char *names[2 * GT_MAX_SCORES]; /* owned */
    double *values;                        /* epoch by epoch, `count` each */
    int32_t epochs, capacity;
};
/* An empty one with the names of loss and metrics, and again with "val_" if there is a
 * validation. */
gt_History *gt_history_new(gt_Context *context, const gt_Compiled *compiled, bool validation);
/* One more epoch; `values` has `count` numbers. */
gt_Status gt_history_add(gt_History *self, const double *values);
/* The epochs of another one before anything was added; numbers that it does not have are NaN. */
gt_Status gt_history_continue(gt_History *self, const gt_History *before);
/* With these names and so many epochs, all zeros: to be filled from a file. NULL without an error if there are too many. */
gt_History *gt_history_blank(gt_Context *context, int32_t epochs, int32_t count,
                             const char *const *names);
gt_History *gt_history_copy(const gt_History *history);

#endif
