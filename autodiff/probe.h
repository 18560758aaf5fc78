/* Sources, tapes and runs for differentiating a function from outside. Private. */
#ifndef GT_AUTODIFF_PROBE_H
#define GT_AUTODIFF_PROBE_H

#include "core/inside.h"

/* A source for a tape of ours: a variable itself, else an alias of x, so that the tape knows nothing of the records
 * behind x. Tapes that are open now connect the alias to x. NULL on failure. */
gt_Tensor *gt_probe(const char *here, gt_Tensor *x);

/* A tape that watches these and nothing by itself. NULL on failure. */
gt_Tape *gt_probe_tape(const char *here, gt_Tensors watched, bool persistent);

/* A tensor like an output with numbers from [1/2, 3/2) that no symmetry cancels, to arrive at it where only what is linear in
 * it counts: what it is has no influence on a derivative in it. But the rules of linear algebra refuse gradients of vectors
 * that are not defined if any arrive, and 0 would say that none do. NULL on failure. */
gt_Tensor *gt_probe_upstream(gt_Context *context, gt_Tensor *output);

/* Are there 1 to 64 inputs? */
gt_Status gt_check_inputs(gt_Context *context, gt_Tensors inputs);

/* ---- functions that tapes see as one operation ---- */

/* Are there 1 to 64 inputs, 1 to 8 outputs and a place for these? */
gt_Status gt_check_call(gt_Context *context, gt_Tensors inputs, int32_t outputs,
                        gt_Tensor *const *places);
/* Runs the function hidden from all tapes. `output` gets values of their own, held, so that gradients of the results end at
 * a record that is made of them; the listener hears what the function reads, and is to be closed in any case. */
gt_Status gt_run_hidden(gt_Context *context, gt_FunctionBody function, void *user,
                        gt_Tensor *const *input, int32_t outputs, gt_Value **output,
                        gt_Listener *listener);

#endif
