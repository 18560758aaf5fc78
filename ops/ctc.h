/* Connectionist temporal classification: learning to write a sequence of labels from a longer
 * sequence of outputs without being told which output stands for which label (A. Graves et al.,
 * 2006). Class `mask_index` is the blank: of an alignment, one class a step, repeats are merged and
 * then blanks dropped. */
#ifndef GT_OPS_CTC_H
#define GT_OPS_CTC_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

#define GT_CTC_LOSS_OPTIONS(F)                                                                     \
    F(uint32_t, size, (uint32_t)sizeof(gt_CtcLossOptions), "for ABI growth")                       \
    F(int64_t, mask_index, 0, "the class of the blank; negative: from the end")
typedef struct gt_CtcLossOptions gt_CtcLossOptions;
struct gt_CtcLossOptions {
    GT_CTC_LOSS_OPTIONS(GT_MEMBER)
};
/* gt_ctc_loss(target, output, target_length, output_length): one loss a sample, shape (batch): -log
 * of the probability of all alignments of the first output_length steps that give the first
 * target_length labels. target (batch, labels) of integers in [0, classes) but for mask_index;
 * output (batch, steps, classes) of logits, scores before softmax; both lengths (batch) of integers.
 * What is beyond the lengths has no influence, not even by NaN. Nothing in no steps has the loss 0.
 * Labels for which the steps are too few (between equal ones there must be a blank) have the loss
 * inf, and gradient 0. Differentiable in `output`, in any order. */
#define gt_ctc_loss(...)                                                                           \
    gt_ctc_loss_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__), GT_THIRD(__VA_ARGS__),  \
                   GT_FOURTH(__VA_ARGS__),                                                         \
                   GT_KEYWORDS(gt_CtcLossOptions, GT_CTC_LOSS_OPTIONS, GT_AFTER_4(__VA_ARGS__)))
GT_API gt_Tensor *gt_ctc_loss_at(const char *here, gt_Tensor *target, gt_Tensor *output,
                                 gt_Tensor *target_length, gt_Tensor *output_length,
                                 const gt_CtcLossOptions *options);
GT_API gt_Tensor *(gt_ctc_loss)(gt_Tensor *target, gt_Tensor *output, gt_Tensor *target_length,
                                gt_Tensor *output_length);

GT_END

#endif
