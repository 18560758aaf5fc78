/* The callbacks of one run of gt_fit, gt_evaluate or gt_predict, as the loops of model.c see them. Private to the room. */
#ifndef GT_TRAIN_CALLBACK_RUN_H
#define GT_TRAIN_CALLBACK_RUN_H

#include "train/callback.h"
#include "train/compiled.h"

typedef struct gt_CallbackRun {
    gt_Context *context;
    gt_Compiled *compiled; /* NULL: predict */
    gt_FitState *fit;      /* of gt_fit; NULL: another one */
    gt_Callback **items;         /* held */
    int32_t count;
    uint32_t hooks;     /* that one of them is told of */
    gt_CallbackArgs in; /* what they are told; the loops keep it up to date */
    bool stopped;       /* by gt_stop */
    /* What is logged. Loss and metrics so far are read from the metrics once somebody asks: `unread`, and of which kind of
     * step they are. */
    gt_Logs logs;
    bool unread, training;
    char added[GT_MAX_ADDED_LOGS][64]; /* names that callbacks gave */
    int32_t added_count;
    char notes[1024]; /* lines for the progress to print after the epoch's; "" none */
} gt_CallbackRun;

/* Floating no more, or dropped: whatever of the list is a callback. First of all and after a failure. */
void gt_callbacks_each(const gt_Callbacks *list, void (*with)(gt_Object *object));
/* Holds the callbacks for a run; raises what is wrong with the list. After a failure there is nothing to leave. */
gt_Status gt_callbacks_enter(gt_CallbackRun *run, gt_Context *context, gt_LayerState *model,
                             gt_Compiled *compiled, const gt_Callbacks *list);
/* Raises what is wrong with the list. */
gt_Status gt_callbacks_check(gt_Context *context, const gt_Callbacks *list);
void gt_callbacks_leave(gt_CallbackRun *run);
/* Makes the states that depend on the model, which is built now. */
gt_Status gt_callbacks_build(gt_CallbackRun *run);

/* What is logged from now on: nothing; the metrics so far; these numbers. */
void gt_callbacks_log_nothing(gt_CallbackRun *run);
void gt_callbacks_log_metrics(gt_CallbackRun *run, bool training);
void gt_callbacks_log(gt_CallbackRun *run, const gt_Logs *logs);

/* Tells those of the innermost level, or those around them; or all of them, in the order that the hook has. */
gt_Status gt_callbacks_tell_inner(gt_CallbackRun *run, gt_Hook hook);
gt_Status gt_callbacks_tell_outer(gt_CallbackRun *run, gt_Hook hook);
gt_Status gt_callbacks_tell(gt_CallbackRun *run, gt_Hook hook);

/* ---- checkpoint.c ---- */
/* gt_save_checkpoint of the run that goes on, with its dataset and callbacks. */
gt_Status gt_checkpoint_write(gt_CallbackRun *run, const char *path);
/* gt_load_checkpoint, at TRAIN_BEGIN: the run goes on from there. */
gt_Status gt_checkpoint_resume(gt_CallbackRun *run, const char *path);

/* ---- callback.c ---- */
struct gt_Callback {
    gt_Object object;
    const gt_CallbackClass *type;
    void *options; /* of the class; its strings are owned */
    void *memory;
    gt_Variable **states; /* held */
    char **names;         /* of them; owned */
    int32_t count, own, capacity, name_capacity; /* how many; those of the class come first */
    uint64_t model;                              /* serial of the one that it is built for; 0: none */
    bool building;
};
extern const gt_ObjectKind gt_callback_kind;
/* Lets go of the states that its build added. */
void gt_callback_unbuild(gt_Callback *self);

/* ---- the built-in classes, each in the file of its name ---- */
extern const gt_CallbackClass gt_callback_class_backup_and_restore, gt_callback_class_csv_logger,
    gt_callback_class_early_stopping, gt_callback_class_lambda_callback,
    gt_callback_class_learning_rate_scheduler, gt_callback_class_model_checkpoint,
    gt_callback_class_reduce_lr_on_plateau, gt_callback_class_swap_ema_weights,
    gt_callback_class_tensorboard, gt_callback_class_terminate_on_nan;

#endif
