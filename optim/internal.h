/* Optimizers as other rooms of the library know them. Not installed. */
#ifndef GT_OPTIM_INTERNAL_H
#define GT_OPTIM_INTERNAL_H

#include "core/object.h"
#include "optim/distribution.h"
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

/* ---- distribution.c ---- */
/* What a process is about; the library's own exchanges, each of which all processes make. */
typedef enum gt_Meeting {
    GT_MEETING_NONE,
    GT_MEETING_STEP,
    GT_MEETING_EPOCH, /* the end of one */
    GT_MEETING_FAIL,
    GT_MEETING_LEAVE,
    GT_MEETING_FIT, /* the beginning */
    GT_MEETING_EVALUATE,
    GT_MEETING_START
} gt_Meeting;
bool gt_optimizer_is_distributed(const gt_Optimizer *optimizer);
bool gt_distribution_begun(const gt_Optimizer *optimizer); /* and all did; of NULL: no */
/* True at the first call after all began: the models are compared once. */
bool gt_distribution_first_model(gt_Optimizer *optimizer);
/* Once, when the optimizer is built: are the models the same? Elements of the variables and the state become those of rank 0;
 * `equal_weights`: it is too late for that, they must be equal. Nothing for one that is alone. */
gt_Status gt_distribution_start(gt_Optimizer *optimizer, bool equal_weights);
/* All are about the same here, or everybody gets the error that says who is not, with these texts. Nothing before the start
 * and for one that is alone. */
gt_Status gt_distribution_meet(gt_Optimizer *optimizer, gt_Meeting about, const char *text);
/* If an error is pending, tells it to the others. NULL is ignored. */
void gt_distribution_fail(gt_Optimizer *optimizer);
/* Of a distributed one, right after a meeting: sums, rank 0's elements, what each has. */
gt_Status gt_distribution_sum(gt_Optimizer *optimizer, gt_DType dtype, void *numbers, int64_t count);
gt_Status gt_distribution_share(gt_Optimizer *optimizer, gt_Tensors variables);
/* Of more bytes, by FNV-1a, beginning with GT_HASH_BEGIN: the same in every process. */
#define GT_HASH_BEGIN UINT64_C(14695981039346656037)
uint64_t gt_distribution_hash(uint64_t hash, const void *bytes, size_t count);
gt_Status gt_distribution_gather(gt_Optimizer *optimizer, const void *mine, size_t bytes, void *all);

/* ---- schedule.c ---- */
/* Raises what is wrong with a schedule; none is right. */
gt_Status gt_schedule_check(const gt_Schedule *schedule);
/* The rate of a schedule that was checked, float64 (). */
gt_Tensor *gt_schedule_at(const gt_Schedule *schedule, gt_Tensor *step);

#endif
