/* Gradients of what a tape recorded. The walk goes back from the targets and calls the gradient
 * rule of every operation on the way to a source; rules are made of operations, so a tape that
 * records meanwhile can differentiate the gradient again. */
#ifndef GT_AUTODIFF_GRADIENT_H
#define GT_AUTODIFF_GRADIENT_H

#include "core/keyword.h"
#include "core/tape.h"
#include "core/tensor.h"

GT_BEGIN

/* The answer for a source that is unconnected: no operations with gradients lead from it to the targets, whatever the
 * numbers. If numbers chose what a target was computed from (gt_cond, gt_while_loop), every source counts as connected, with
 * zeros where it was not reached. */
typedef enum gt_Unconnected {
    GT_UNCONNECTED_ERROR, /* GT_NO_GRADIENT, with the reason */
    GT_UNCONNECTED_NONE,  /* NULL, and no error */
    GT_UNCONNECTED_ZERO,  /* zeros of the source's shape and type */
    GT_UNCONNECTED_SOME   /* NULL, but an error, with the reason of the first, if all are */
} gt_Unconnected;

#define gt_gradient_OPTIONS(F, S)                                                                  \
    F(S, gt_Unconnected, unconnected, GT_UNCONNECTED_ERROR, "what an unconnected source gets")     \
    F(S, gt_Tensor *const *, output_gradients, NULL,                                               \
      "one a target, of its shape; a NULL among them means ones; NULL: all ones")
GT_OPTIONS(gt_gradient_options, gt_gradient_OPTIONS);
typedef gt_gradient_options gt_gradients_options;

/* gt_gradient(tape, target, source): d(sum of target)/d(source), of the source's shape. A tape that
 * is not persistent can be asked once and lets go of its records while it answers. */
#define gt_gradient(...)                                                                           \
    gt_gradient_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__), GT_THIRD(__VA_ARGS__),  \
                   GT_KEYWORDS(gt_gradient, GT_AFTER_3(__VA_ARGS__)))
GT_API gt_Tensor *gt_gradient_at(const char *here, gt_Tape *tape, gt_Tensor *target,
                                 gt_Tensor *source, const gt_gradient_options *options);

/* gt_gradients(tape, targets, sources, gradients, ...): for lists; the targets are summed.
 * `gradients` has room for one a source; the same source twice gets the gradient twice. */
#define gt_gradients(tape, targets, sources, ...)                                                  \
    gt_gradients_at(GT_HERE, tape, targets, sources, GT_FIRST(__VA_ARGS__),                        \
                    GT_KEYWORDS(gt_gradient, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_gradients_at(const char *here, gt_Tape *tape, gt_Tensors targets,
                                 gt_Tensors sources, gt_Tensor **gradients,
                                 const gt_gradient_options *options);

/* The gradients of one target in sources of its type, written one after the other without gaps into
 * the caller's memory: what gt_pack is to variables. An unconnected source gets zeros. Nothing is
 * written on failure. */
#define gt_gradients_into(tape, target, sources, memory, bytes)                                    \
    gt_gradients_into_at(GT_HERE, tape, target, sources, memory, bytes)
GT_API gt_Status gt_gradients_into_at(const char *here, gt_Tape *tape, gt_Tensor *target,
                                      gt_Tensors sources, void *memory, size_t bytes);

/* Why there is, or is not, a gradient of target in source on this tape, as a sentence: not watched,
 * never read, computed outside the tape, cut by which operation and where. Ask before the tape is
 * used. Valid until the next call on this context. */
#define gt_explain_gradient(tape, target, source)                                                  \
    gt_explain_gradient_at(GT_HERE, tape, target, source)
GT_API const char *gt_explain_gradient_at(const char *here, gt_Tape *tape, gt_Tensor *target,
                                          gt_Tensor *source);

GT_END

#endif
