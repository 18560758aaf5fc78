/* Why there is, or is not, a gradient. Private. */
#ifndef GT_AUTODIFF_EXPLAIN_H
#define GT_AUTODIFF_EXPLAIN_H

#include "core/inside.h"

/* A source in messages: "variable NAME" or "the source". */
void gt_name_source(const gt_Tensor *source, char *text, size_t size);
/* Why this tape gives, or does not give, a gradient of `target` in the value that `source` is a handle to, as a
 * sentence. Changes nothing of the tape. */
void gt_explain(gt_Context *context, gt_TapeSlot *tape, gt_Value *target, const gt_Tensor *source,
                const gt_Value *from, char *text, size_t size);

#endif
