/* Progress of gt_fit and gt_evaluate while they run: a bar on a terminal, a line an epoch
 * elsewhere, both on standard error, or whatever a function of the caller's makes of it. */
#ifndef GT_TRAIN_PROGRESS_H
#define GT_TRAIN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/export.h"

GT_BEGIN

/* How much is printed. */
typedef enum gt_Verbosity {
    GT_VERBOSITY_AUTO = -1,  /* a bar if standard error is a terminal, else a line an epoch */
    GT_VERBOSITY_SILENT = 0, /* nothing */
    GT_VERBOSITY_BAR = 1,
    GT_VERBOSITY_LINES = 2
} gt_Verbosity;

/* What a gt_ProgressEvent tells of. */
typedef enum gt_ProgressKind {
    GT_PROGRESS_KIND_EPOCH_BEGIN = 0,
    GT_PROGRESS_KIND_BATCH = 1, /* a batch is done */
    GT_PROGRESS_KIND_EPOCH_END = 2
} gt_ProgressKind;

/* What the function of gt_fit's .progress is told, at the beginning and end of each epoch and after each batch. */
typedef struct gt_ProgressEvent {
    gt_ProgressKind kind;
    int64_t epoch, epochs; /* from 0; of gt_evaluate: 0, 1 */
    int64_t step, steps;   /* batches done, batches of the epoch */
    double seconds;        /* since the epoch began */
    int32_t count;         /* of the numbers so far: loss, metrics; at the end also val_... */
    const char *const *names;
    const double *values;
} gt_ProgressEvent;

/* A function that is told instead. False ends the training after this batch or epoch, which is
 * no error. It may look at the model, change the learning rate, and run gt_fit, gt_evaluate and
 * gt_predict itself, on any model and dataset: their numbers and those of the run around them do
 * not mix, and a gt_fit through the dataset of the gt_fit around it leaves that where it was. */
typedef struct gt_Progress {
    bool (*report)(void *context, const gt_ProgressEvent *event);
    void *context;
} gt_Progress;

GT_END

#endif
