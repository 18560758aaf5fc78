/* A run of gt_fit, gt_evaluate, gt_predict and their kin: what all of them begin and end with. Private to the room.
 *
 *     gt_run_begin -> gt_compiled_step or gt_predict_step, batch by batch -> gt_run_end
 *
 * A run hides from the caller's tapes, flushes denormals, and holds model, optimizer, metrics and datasets, since a report
 * may free them or run another one inside this one. */
#ifndef GT_TRAIN_RUN_H
#define GT_TRAIN_RUN_H

#include "train/callback_run.h"
#include "train/compiled.h"

/* ---- rows.c ---- */

/* What belongs to the rows of a tensor. Without y, weights and so on: nothing is given. */
typedef struct gt_RowsGiven {
    gt_Tensor *y;
    gt_Tensors more_x, more_y, sample_weight;
    int64_t batch_size; /* -1: not given */
    gt_Flag shuffle;    /* GT_INHERIT: not given */
} gt_RowsGiven;
#define GT_ROWS_GIVEN(options)                                                                     \
    .y = (options).y, .more_x = (options).more_x, .more_y = (options).more_y,                      \
    .sample_weight = (options).sample_weight

/* The dataset itself, one more time held; or one of the rows from `first` on, `count` of them, held once. Raises an error
 * for what is given beside a dataset. NULL on failure. */
gt_Dataset *gt_rows_open(gt_Context *context, gt_Rows rows, const gt_RowsGiven *given,
                         int64_t first, int64_t count);
/* How many of the rows of a tensor are trained on, if that fraction of them validates; raises an error where one of the
 * parts would be empty. */
int64_t gt_rows_split(gt_Context *context, gt_Rows rows, double fraction);
/* All rows as one batch. */
gt_Status gt_rows_batch(gt_Tensor *x, const gt_RowsGiven *given, gt_Batch *batch);
/* The weights of the classes become those of the batch. */
gt_Status gt_rows_weigh(gt_Batch *batch, gt_Tensor *class_weight);

/* ---- run.c ---- */

typedef struct gt_Run {
    gt_Context *context;
    gt_LayerState *state;
    gt_Compiled *compiled; /* NULL: gt_predict of a model that was not */
    gt_Dataset *dataset;   /* held; NULL: the run is of one batch */
    gt_Dataset *validation; /* held; NULL: none */
    gt_Progress progress;
    gt_Printer printer;
    gt_Site site;
    uint64_t recording;
    gt_FloatMode mode;
    bool trains;               /* it is one of gt_fit or its kin */
    bool stopped;              /* the report said so */
    bool stop_before;          /* compiled->stop of the run around this one */
    void *kept[GT_MAX_SCORES]; /* of the loss, of the metrics */
    bool resumes;              /* a gt_fit, which takes over what an interrupted one gathered */
    bool around;               /* else that one is around this run */
    gt_Callbacks taken;        /* that it was given */
    gt_CallbackRun callbacks;
    double began;              /* the epoch, or the run */
    gt_ProgressEvent event;    /* of it */
    gt_Logs logs;
} gt_Run;

/* What a run is of. */
typedef struct gt_RunOf {
    const char *here, *operation;
    const gt_Layer *model;
    bool trains, compares; /* changes weights; needs a loss, hence gt_compile */
    gt_Verbosity verbosity;
    const gt_Progress *progress;
    const gt_Callbacks *callbacks; /* NULL: none */
    bool resumes;                  /* an interrupted gt_fit */
} gt_RunOf;

/* Enters; on failure there is nothing to leave. The datasets are opened after it, within the site. The callbacks are taken
 * over in any case. */
gt_Status gt_run_begin(gt_Run *run, const gt_RunOf *of);
void gt_run_end(gt_Run *run);
/* There are as many labels as losses, if there are losses; `what` has them. */
gt_Status gt_run_check_labels(const gt_Run *run, int labels, const char *what);
/* A dataset that repeats for ever needs a number of steps; `option` is its name. */
gt_Status gt_run_check_end(const gt_Run *run, const gt_Dataset *dataset, int64_t steps,
                           const char *option);
/* Makes the variables, of the model and of the optimizer, for such batches. */
gt_Status gt_run_build(const gt_Run *run, const gt_Batch *batch);
gt_Status gt_run_check_interrupt(const gt_Run *run);
/* The numbers of the epoch so far, or of the test, into run->logs: each is worked out from the state of its metric. */
void gt_run_read_logs(gt_Run *run);
/* Does anybody want to know of every batch? */
bool gt_run_hears_batches(const gt_Run *run);
/* Tells about the beginning of an epoch, or of the run; a batch; the end. */
void gt_run_report_begin(gt_Run *run, int64_t epoch, int64_t epochs, int64_t steps);
void gt_run_report_batch(gt_Run *run);
void gt_run_report_end(gt_Run *run);

/* ---- distribute.c: where several processes train the model; else nothing happens ---- */
/* Begins together, with the same number of batches everywhere; -1: it is not known. */
gt_Status gt_run_distribute(const gt_Run *run, int64_t batches);
/* At the end of an epoch: are all there? Statistics become their mean, and, but for an interrupted one, metrics those of all. */
gt_Status gt_run_gather_epoch(const gt_Run *run, int64_t epoch, int64_t batches, bool interrupted);
/* At the end of a test, metrics are those of all. */
gt_Status gt_run_gather_test(const gt_Run *run);

/* ---- evaluate.c ---- */
/* Loss and metrics over `steps` batches of the dataset, in its own order, -1: all of them. `told`: the run's report hears
 * of the batches. `stop` may be NULL. */
gt_Status gt_run_evaluate(gt_Run *run, gt_Dataset *dataset, int64_t steps, bool told,
                          const volatile sig_atomic_t *stop);
/* What was gathered so far. */
gt_Scores gt_run_scores(const gt_Run *run, int64_t steps);
/* All NaN. */
gt_Scores gt_no_scores(void);

#endif
