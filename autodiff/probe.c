/* Aliases and tapes for differentiating a function from outside. Leans on core/tape.c. */
#include "autodiff/probe.h"
#include "ops/array/cast.h"

gt_Tensor *gt_probe(const char *here, gt_Tensor *x)
{
    return gt_is_variable(x) ? x : gt_identity_at(here, x);
}

gt_Tape *gt_probe_tape(const char *here, gt_Tensors watched, bool persistent)
{
    gt_Tape *tape = gt_tape_begin_at(
        here, &GT_VALUES(gt_tape_begin_options, persistent, .watch_accessed_variables = false));
    for (int32_t i = 0; tape && i < watched.count; i++)
        gt_watch_at(here, tape, watched.items[i]);
    return tape;
}
