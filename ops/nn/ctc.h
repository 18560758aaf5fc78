/* Connectionist temporal classification: learning to write a sequence of labels from a longer
 * sequence of outputs without being told which output stands for which label (A. Graves et al.,
 * 2006). Class `mask_index` is the blank: of an alignment, one class a step, repeats are merged and
 * then blanks dropped. */
#ifndef GT_OPS_CTC_H
#define GT_OPS_CTC_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

#define gt_ctc_loss_OPTIONS(F, S)                                                                  \
    F(S, int64_t, mask_index, 0, "the class of the blank; negative: from the end")
GT_OPTIONS(gt_ctc_loss_options, gt_ctc_loss_OPTIONS);
/* gt_ctc_loss(target, output, target_length, output_length): one loss a sample, shape (batch): -log
 * of the probability of all alignments of the first output_length steps that give the first
 * target_length labels. target (batch, labels) of integers in [0, classes) but for mask_index;
 * output (batch, steps, classes) of logits, scores before softmax; both lengths (batch) of
 * integers. What is beyond the lengths has no influence, not even by NaN. Nothing in no steps has
 * the loss 0. Labels for which the steps are too few (between equal ones there must be a blank)
 * have the loss inf, and gradient 0; Keras gives a large number, which depends on its backend.
 * Differentiable in `output`, in any order. */
#define gt_ctc_loss(target, output, target_length, ...)                                            \
    gt_ctc_loss_at(GT_HERE, target, output, target_length, GT_FIRST(__VA_ARGS__),                  \
                   GT_KEYWORDS(gt_ctc_loss, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_ctc_loss_at(const char *here, gt_Tensor *target, gt_Tensor *output,
                                 gt_Tensor *target_length, gt_Tensor *output_length,
                                 const gt_ctc_loss_options *options);
GT_API gt_Tensor *(gt_ctc_loss)(gt_Tensor *target, gt_Tensor *output, gt_Tensor *target_length,
                                gt_Tensor *output_length);

/* Which labels gt_ctc_decode finds: those of the most likely alignment, or, going through the
 * steps with the `beam_width` most likely beginnings, those that all their alignments together make
 * most likely. */
typedef enum gt_CtcStrategy {
    GT_CTC_STRATEGY_GREEDY = 0,
    GT_CTC_STRATEGY_BEAM_SEARCH = 1
} gt_CtcStrategy;

#define gt_ctc_decode_OPTIONS(F, S)                                                                \
    F(S, gt_CtcStrategy, strategy, GT_CTC_STRATEGY_GREEDY, "greedy or a beam search")              \
    F(S, int64_t, beam_width, 100, "of a beam search: how many beginnings are kept")               \
    F(S, int64_t, top_paths, 1, "of a beam search: how many results, at most beam_width")          \
    F(S, bool, merge_repeated, true, "greedy: steps of one class in a row are one label")          \
    F(S, int64_t, mask_index, 0, "the class of the blank; negative: from the end")
GT_OPTIONS(gt_ctc_decode_options, gt_ctc_decode_OPTIONS);
/* `labels` (paths, batch, steps): int32, -1 behind the last one; greedy has one path. `scores`
 * (batch, paths): the logarithm of the probability of the labels; greedy, with the opposite sign,
 * the sum of the largest logits, as in Keras. Both NULL on failure. */
typedef struct gt_CtcDecoded {
    gt_Tensor *labels, *scores;
} gt_CtcDecoded;
/* gt_ctc_decode(output, output_length, .strategy = GT_CTC_STRATEGY_BEAM_SEARCH): output (batch,
 * steps, classes) of logits, of which the first output_length (batch) steps count. Of equals the
 * first class wins. Where there are fewer results than top_paths, the others have no labels and the
 * score -inf. Not differentiable. */
#define gt_ctc_decode(output, ...)                                                                 \
    gt_ctc_decode_at(GT_HERE, output, GT_FIRST(__VA_ARGS__),                                       \
                     GT_KEYWORDS(gt_ctc_decode, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_CtcDecoded gt_ctc_decode_at(const char *here, gt_Tensor *output, gt_Tensor *output_length,
                                      const gt_ctc_decode_options *options);
GT_API gt_CtcDecoded(gt_ctc_decode)(gt_Tensor *output, gt_Tensor *output_length);

GT_END

#endif
