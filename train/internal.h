/* Shared by the files of this room, and private to it. Leans on core, layers and the public
 * headers.
 * */
#ifndef GT_TRAIN_INTERNAL_H
#define GT_TRAIN_INTERNAL_H

#include "layers/internal.h"
#include "train/model.h"

/* ---- dataset.c ---- */
bool gt_dataset_check(gt_Context *context, const char *here, const char *operation,
                      const gt_Dataset *dataset);
bool gt_dataset_is(const void *handle); /* a live one, of any context */
gt_Object *gt_dataset_object(gt_Dataset *dataset);
/* Rows first, first + 1, ... in their own order, at most a batch of them; none: size 0. Does not
 * move the dataset. A stream goes on where the last slice ended; it is run again for rows before that. */
gt_Status gt_dataset_slice(gt_Dataset *dataset, int64_t first, gt_Batch *batch);
/* Rows of an epoch; counts those of a stream by going through it once. -1 with an error raised. */
int64_t gt_dataset_count(gt_Dataset *dataset);
bool gt_dataset_is_endless(const gt_Dataset *dataset); /* it repeats for ever */
int64_t gt_dataset_seed(const gt_Dataset *dataset);
int64_t gt_dataset_batch_size(const gt_Dataset *dataset);
/* What the order of a gt_dataset_shard depends on, which must be the same for all parts, also of one that others stand on (map,
 * repeat, cache, zip); 0 where there is no shard. */
uint64_t gt_dataset_order(const gt_Dataset *dataset);
/* Where it is, and back to there, also while an error is pending. */
gt_DatasetPosition gt_dataset_mark(const gt_Dataset *dataset);
void gt_dataset_return(gt_Dataset *dataset, gt_DatasetPosition mark);
/* A run of gt_fit goes through it, from its mark on. One that did so inside another one's leaves
 * the dataset where it was. */
gt_DatasetPosition gt_dataset_enter(gt_Dataset *dataset);
void gt_dataset_leave(gt_Dataset *dataset, gt_DatasetPosition mark);

/* A dataset of tensors that are known to be alive; x, y and weight may be NULL, and there may be no text. */
gt_Dataset *gt_dataset_of_columns(gt_Context *context, gt_Tensor *x, gt_Tensor *y, gt_Tensor *weight,
                                  const gt_Strings *texts, int32_t text_count,
                                  const gt_dataset_from_tensors_options *batches);
struct gt_DataNames;
struct gt_DataNames *gt_dataset_names(const gt_Dataset *dataset); /* NULL: it has none */
void gt_dataset_set_names(gt_Dataset *dataset, struct gt_DataNames *names); /* takes the hold over */
/* Has x, and its text, as many columns as the names say? A function of gt_dataset_map may have made others: then the names are
 * those of the table alone. False on failure too. */
bool gt_dataset_keeps_columns(const gt_Dataset *dataset);

/* ---- model_data.c ---- */
/* What the model knows of the table that it was fitted on; NULL with an error raised. */
const struct gt_DataNames *gt_model_table(gt_Context *context, const gt_Layer *model);

/* ---- metric.c ---- */
extern const gt_ObjectKind gt_metric_kind;
bool gt_metric_check(gt_Context *context, const char *here, const char *operation,
                     const gt_Metric *metric);

/* Makes states that a file has, of a metric whose states the data shapes and which saw none: `count` specs of float64. */
gt_Status gt_metric_build_as(gt_Metric *metric, int32_t count, const gt_Spec *specs);
/* The struct that it works with: of a class with options these. And the loss that it is the mean of; NULL: of none. */
const void *gt_metric_instance(const gt_Metric *metric);
const gt_Loss *gt_metric_loss(const gt_Metric *metric);
/* Which output of the model it is about. */
int32_t gt_metric_output(const gt_Metric *metric);
/* A weight of leading axes as one for each value, float64. */
gt_Tensor *gt_metric_spread(gt_Tensor *weight, gt_Tensor *values);
/* A new metric gets a copy of this name; NULL on failure, and then it is released. */
gt_Metric *gt_metric_rename(gt_Metric *metric, const char *name);

/* ---- loss.c ---- */
/* Was the loss made by its functions, or is there none? Raises an error otherwise, and for what
 * is wrong with its options. */
gt_Status gt_loss_check(const gt_Loss *loss);
/* A run of fit or evaluate gathers in the metric. One inside another run that does so puts by
 * what that had gathered, and gives it back at its end, also while an error is pending. `kept`
 * gets what is put by; NULL: nothing. */
gt_Status gt_metric_enter(gt_Metric *metric, void **kept);
void gt_metric_leave(gt_Metric *metric, void *kept);
/* A scalar. The mask that y_pred has is part of the weights; `sample_weight` may be NULL. */
gt_Tensor *gt_loss_compute(const gt_Loss *loss, gt_Tensor *y_true, gt_Tensor *y_pred,
                           gt_Tensor *sample_weight);
/* The losses of the samples, unweighted, of a loss that is their mean; `counts` gets which of them count, bool of their
 * shape, NULL: all. Arguments have no masks. NULL on failure, and without an error for a loss that is no mean. */
gt_Tensor *gt_loss_values(const gt_Loss *self, gt_Tensor *y_true, gt_Tensor *y_pred,
                          gt_Tensor **counts);
/* The rows that a prediction is about: its first dimension, 1 for a scalar. */
double gt_batch_rows(const gt_Tensor *y_pred);

/* ---- compile.c ---- */
/* The optimizer of gt_compile; NULL without an error if there is none. */
gt_Optimizer *gt_layer_optimizer(const gt_LayerState *state);

/* ---- progress.c ---- */
bool gt_is_terminal(void);     /* standard error is one on which the cursor can be moved */
int gt_terminal_columns(void); /* of it, as the system says; 0: it does not */
typedef struct gt_Printer {
    gt_Verbosity verbosity; /* resolved */
    bool colour;
    double printed; /* seconds into the epoch at the last print; -1: not yet */
    int length;     /* of the line that stands there, in columns */
    int32_t warnings; /* of the context that were printed, or there before */
} gt_Printer;
double gt_seconds(void); /* of a clock that never goes back */
gt_Printer gt_printer(gt_Verbosity verbosity);
void gt_printer_report(gt_Printer *printer, const gt_ProgressEvent *event);
/* Lines of text between those of epochs, unless nothing is printed. */
void gt_printer_say(const gt_Printer *printer, const char *text);

#endif
