/* A gradient rule that differentiates a formula: formula.h. The tape watches copies of the wanted inputs, since an input may be
 * given twice, or be known to other tapes. */
#include "ops/nn/formula.h"
#include "core/tape.h"
#include "ops/array/cast.h"

gt_Status gt_rule_by_formula(gt_GradientRule *rule, gt_Formula *formula)
{
    gt_Tensor *in[GT_MAX_INPUTS], *out[GT_MAX_OUTPUTS] = {NULL}, *source[GT_MAX_INPUTS];
    gt_Tensor *target[GT_MAX_OUTPUTS], *upstream[GT_MAX_OUTPUTS], *gradient[GT_MAX_INPUTS];
    int32_t sources = 0, targets = 0, inputs = gt_rule_inputs(rule);
    gt_Tape *tape = gt_tape_begin(.watch_accessed_variables = false);
    for (int32_t i = 0; i < inputs; i++) {
        in[i] = gt_rule_input(rule, i);
        if (!in[i] || !gt_wants(rule, i))
            continue;
        in[i] = gt_identity(in[i]);
        gt_watch(tape, in[i]);
        source[sources] = in[i];
        gradient[sources++] = NULL;
    }
    if (gt_status() == GT_OK && formula(gt_rule_options(rule), in, out) == GT_OK) {
        for (int32_t i = 0; i < gt_rule_outputs(rule); i++)
            if (gt_upstream(rule, i)) {
                target[targets] = out[i];
                upstream[targets++] = gt_upstream(rule, i);
            }
        rule->pull_back(tape, (gt_Tensors){target, targets}, upstream,
                        (gt_Tensors){source, sources}, gradient, true);
    }
    gt_tape_end(tape);
    for (int32_t i = 0, s = 0; gt_status() == GT_OK && i < inputs && s < sources; i++)
        if (in[i] == source[s])
            gt_give(rule, i, gradient[s++]);
    return gt_status();
}
