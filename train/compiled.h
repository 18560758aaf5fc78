/* A compiled model as gt_fit and gt_evaluate see it. Private to the room. */
#ifndef GT_TRAIN_COMPILED_H
#define GT_TRAIN_COMPILED_H

#include "plan/function.h"
#include "train/internal.h"

/* The arguments of gt_compile. The model holds it, and is there whenever it is used. */
typedef struct gt_Compiled {
    gt_Object object;
    gt_Layer *model;
    gt_Optimizer *optimizer; /* held; NULL: only to be evaluated */
    gt_Loss loss;
    gt_Metric *tracker; /* held: the mean loss */
    gt_Metric *metrics[GT_MAX_METRICS];
    int32_t count;
    bool run_eagerly;
    gt_Function *plans[2][2]; /* held; by training, and whether there is a y; NULL: not made yet */
} gt_Compiled;

/* The arguments that the model was compiled with; NULL without an error if it was not. */
gt_Compiled *gt_compiled_of(const gt_LayerState *state);
/* One batch, in training or evaluation. Temporaries are left to the scope around it. */
gt_Status gt_compiled_step(gt_Compiled *self, bool training, const gt_Batch *batch);
gt_Status gt_compiled_reset(const gt_Compiled *self);
/* Loss and metrics so far. */
void gt_compiled_read(const gt_Compiled *self, double *values);

/* ---- history.c ---- */
struct gt_History {
    gt_Object object;
    int32_t count;
    char *names[2 * (1 + GT_MAX_METRICS)]; /* owned */
    double *values;                        /* epoch by epoch, `count` each */
    int32_t epochs, capacity;
};
/* An empty one with the names of loss and metrics, and again with "val_" if there is a
 * validation. */
gt_History *gt_history_new(gt_Context *context, const gt_Compiled *compiled, bool validation);
/* One more epoch; `values` has `count` numbers. */
gt_Status gt_history_add(gt_History *self, const double *values);

#endif
