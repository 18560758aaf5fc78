/* Optimizers as other rooms of the library know them. Not installed. */
#ifndef GT_OPTIM_INTERNAL_H
#define GT_OPTIM_INTERNAL_H

#include "core/object.h"
#include "optim/loss_scale.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

extern const gt_ObjectKind gt_optimizer_kind;

/* gt_optimizer_new of a built-in class; `function` is what messages say: "Adam" for gt_Adam. */
gt_Optimizer *gt_optimizer_make(const char *here, const char *function,
                                const gt_OptimizerClass *kind, const void *options);

/* The built-in classes, each in the file of its name (adamw in adam.c). */
extern const gt_OptimizerClass gt_optimizer_class_adadelta, gt_optimizer_class_adafactor,
    gt_optimizer_class_adagrad, gt_optimizer_class_adam, gt_optimizer_class_adamax,
    gt_optimizer_class_adamw, gt_optimizer_class_ftrl, gt_optimizer_class_lamb,
    gt_optimizer_class_lion, gt_optimizer_class_muon, gt_optimizer_class_nadam,
    gt_optimizer_class_rmsprop, gt_optimizer_class_schedule_free_adamw,
    gt_optimizer_class_sgd;

/* Those that get no weight decay, as gt_optimizer_exclude_from_weight_decay was told. */
gt_Tensors gt_optimizer_excluded(const gt_Optimizer *self);

/* ---- loss_scale.c ---- */
/* What gt_LossScaleOptimizer was given; NULL: it has no scale of the loss. */
const gt_LossScaleOptimizer_options *gt_optimizer_scaling(const gt_Optimizer *self);
const gt_OptionType *gt_loss_scale_options(void);
/* Gives an optimizer that is not built and has no scale of the loss that of gt_LossScaleOptimizer. */
gt_Status gt_optimizer_scale_by_default(gt_Optimizer *self);

/* ---- schedule.c ---- */
/* Raises what is wrong with a schedule; none is right. */
gt_Status gt_schedule_check(const gt_Schedule *schedule);
/* The rate of a schedule that was checked, float64 (). */
gt_Tensor *gt_schedule_at(const gt_Schedule *schedule, gt_Tensor *step);

#endif
