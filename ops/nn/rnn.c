/* A recurrent network of any cell: gt_rnn, and the loop that gt_lstm, gt_gru and gt_simple_rnn run in too. It is a gt_scan
 * over the time axis, which has to come first.
 *
 * With a mask each step chooses, row by row: the new states or the old ones; the new output, or the output of the step
 * before, which at the start is 0 whatever the states are, or always 0. So the output before is a loop variable, unless
 * it is known to be the first state. Its shape is the cell's secret; where it is needed, the first step runs ahead of the
 * loop and shows it. (Running the cell only to look at its output would draw its random numbers twice.) */
#include "ops/nn/rnn.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/control/control.h"
#include "ops/kit.h"
#include "ops/math/compare.h"
#include "ops/nn/recurrent.h"

#include <string.h>

enum { MOST_STATES = 64 };

/* `fresh` where the step counts, else `old`, or 0 if that is NULL; counts (batch). */
static gt_Tensor *chosen(gt_Tensor *counts, gt_Tensor *fresh, gt_Tensor *old)
{
    gt_Shape ones = {.mark = GT_MARK, .rank = gt_rank(fresh) - 1};
    if (ones.rank < 0)
        return NULL;
    for (int d = 0; d < ones.rank; d++)
        ones.dims[d] = 1;
    counts = gt_reshape(counts, ones, .keep = 1);
    return old ? (gt_where)(counts, fresh, old) : gt_where(counts, fresh, 0);
}

/* One step: made[0] is the output, the states follow. `before` is the output before, NULL: 0. */
static gt_Status step(const gt_RNN *rnn, gt_Tensor *x, gt_Tensor *counts, gt_Tensor *before,
                      gt_Tensor *const *states, gt_Tensor **made)
{
    int n = rnn->states.count;
    gt_Tensor *in[1 + MOST_STATES] = {x};
    memcpy(in + 1, states, (size_t)n * sizeof *in);
    memset(made, 0, (size_t)(1 + n) * sizeof *made);
    if (rnn->cell(rnn->context, in, made) != GT_OK)
        return gt_status();
    for (int i = 0; i <= n; i++)
        if (!made[i])
            return gt_fail(GT_INVALID,
                           i == 0 ? "the cell made no output" : "the cell made no state %d", i - 1);
    if (!counts)
        return GT_OK;
    for (int i = 0; i < n; i++)
        made[1 + i] = chosen(counts, made[1 + i], states[i]);
    bool is_state = rnn->output_is_h && rnn->starts_at_0 && !rnn->zero;
    made[0] = is_state ? made[1] : chosen(counts, made[0], before);
    return gt_status();
}

/* A round: [output before], states, x_t, [mask] -> [output], states, [output to stack]. */
static gt_Status round_of(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const gt_RNN *rnn = context;
    int n = rnn->states.count, first = rnn->carried;
    gt_Tensor *made[1 + MOST_STATES], *before = rnn->carried && !rnn->zero ? inputs[0] : NULL;
    gt_Tensor *counts = rnn->mask ? inputs[first + n + 1] : NULL;
    if (step(rnn, inputs[first + n], counts, before, inputs + first, made) != GT_OK)
        return gt_status();
    if (rnn->carried)
        outputs[0] = made[0];
    memcpy(outputs + first, made + 1, (size_t)n * sizeof *outputs);
    if (rnn->sequences)
        outputs[first + n] = made[0];
    return GT_OK;
}

/* The steps from the second on, or all of them; `carry` is [output before], states, and becomes those of the last step.
 * The outputs are those of all steps, in the order of x, or NULL. */
static gt_Status rounds(gt_RNN *rnn, gt_Tensor *x, gt_Tensor *mask, gt_Tensor **carry,
                        gt_Tensor **y)
{
    gt_Tensor *xs[2] = {x, mask}, *last[1 + MOST_STATES] = {NULL};
    int carries = rnn->carried + rnn->states.count;
    if (gt_scan(round_of, rnn, ((gt_Tensors){carry, carries}), ((gt_Tensors){xs, mask ? 2 : 1}),
                last, y, .outputs = rnn->sequences, .reverse = rnn->backwards,
                .unroll = rnn->unroll ? INT64_MAX : 0) != GT_OK)
        return gt_status();
    memcpy(carry, last, (size_t)carries * sizeof *carry);
    return GT_OK;
}

/* The first step ahead of the loop, then the others: for `y` the outputs in the order of x. */
static gt_Status first_and_rounds(gt_RNN *rnn, int64_t time, gt_Tensor *mask, gt_Tensor **carry,
                                  gt_Tensor **y)
{
    const char *one = rnn->backwards ? "-1" : "0", *others = rnn->backwards ? ":-1" : "1:";
    gt_Tensor *made[1 + MOST_STATES];
    if (step(rnn, gt_get_item(rnn->x, one), mask ? gt_get_item(mask, one) : NULL, NULL,
             rnn->states.items, made) != GT_OK)
        return gt_status();
    memcpy(carry, made, (size_t)(1 + rnn->states.count) * sizeof *carry);
    gt_Tensor *first = gt_expand_dims(made[0], 0), *rest = NULL;
    *y = rnn->sequences ? first : NULL;
    if (time == 1)
        return gt_status();
    if (rounds(rnn, gt_get_item(rnn->x, others), mask ? gt_get_item(mask, others) : NULL, carry,
               &rest) == GT_OK &&
        rnn->sequences)
        *y = rnn->backwards ? gt_concatenate(gt_tensors(rest, first), .axis = 0)
                            : gt_concatenate(gt_tensors(first, rest), .axis = 0);
    return gt_status();
}

/* Without a step: the states stay, and the output, where it is the first of them. */
static gt_Tensor *no_steps(const gt_RNN *rnn)
{
    if (!rnn->output_is_h) {
        gt_fail(GT_INVALID, "x must have at least one step");
        return NULL;
    }
    for (int i = 0; rnn->last && i < rnn->states.count; i++)
        rnn->last[i] = rnn->states.items[i];
    gt_Tensor *h = rnn->states.items[0];
    return rnn->sequences ? gt_repeat(gt_expand_dims(h, 1), 0, .axis = 1) : h;
}

gt_Tensor *gt_rnn_run(gt_RNN *rnn)
{
    int n = rnn->states.count;
    int64_t time = gt_dim(gt_tensor_shape(rnn->x), 0);
    if (gt_status() != GT_OK)
        return NULL;
    if (time == 0)
        return no_steps(rnn);
    bool repeats = rnn->mask && !rnn->zero;
    rnn->carried = rnn->output_is_h ? repeats && !rnn->starts_at_0 : repeats || !rnn->sequences;
    gt_Tensor *mask = rnn->mask ? gt_swapaxes(rnn->mask, 0, 1) : NULL, *y = NULL;
    gt_Tensor *carry[1 + MOST_STATES] = {rnn->before};
    memcpy(carry + rnn->carried, rnn->states.items, (size_t)n * sizeof *carry);
    if ((rnn->carried && !rnn->before ? first_and_rounds(rnn, time, mask, carry, &y)
                                      : rounds(rnn, rnn->x, mask, carry, &y)) != GT_OK)
        return NULL;
    for (int i = 0; rnn->last && i < n; i++)
        rnn->last[i] = carry[rnn->carried + i];
    if (!rnn->sequences && rnn->mask && rnn->zero && !rnn->carried)
        return chosen(gt_get_item(mask, rnn->backwards ? "0" : "-1"), carry[0], NULL);
    if (!rnn->sequences)
        return carry[0];
    return gt_swapaxes(rnn->backwards ? gt_flip(y, .axis = 0) : y, 0, 1);
}

/* ---- gt_rnn ---- */

GT_OPTION_TYPE(gt_rnn_options, gt_rnn_OPTIONS);

gt_Status gt_rnn_mask(gt_Tensor *mask, const gt_Spec *x)
{
    char a[160], b[160];
    if (!mask)
        return gt_status();
    gt_Spec spec = gt_spec(mask);
    gt_Shape wanted = gt_spec_shape(x);
    wanted.rank = 2;
    if (gt_status() != GT_OK ||
        (spec.dtype == GT_BOOL && gt_shape_equal(gt_spec_shape(&spec), wanted)))
        return gt_status();
    return gt_fail(GT_INVALID, "mask must be bool %s (got %s %s)",
                   gt_shape_text(wanted, a, sizeof a), gt_dtype_name(spec.dtype),
                   gt_dims_text(&spec, b, sizeof b));
}

/* Handles that can be read, and not too many of them. */
static bool are_states(gt_Tensors states)
{
    if (states.count < 0 || states.count > MOST_STATES)
        gt_fail(GT_INVALID, "a cell may have up to %d states (got %d)", MOST_STATES,
                (int)states.count);
    else if (states.count > 0 && !states.items)
        gt_fail(GT_INVALID, "the list of states is NULL");
    for (int i = 0; gt_status() == GT_OK && i < states.count; i++)
        gt_spec(states.items[i]);
    return gt_status() == GT_OK;
}

static gt_Tensor *rnn(gt_FunctionBody cell, void *context, gt_Tensor *x, gt_Tensors states,
                      const gt_rnn_options *given)
{
    gt_rnn_options options;
    GT_TAKE(gt_rnn_options, &options, given);
    gt_Spec in = gt_spec(x);
    for (int i = 0; options.final_states && i < states.count; i++)
        options.final_states[i] = NULL;
    if (!cell)
        gt_fail(GT_INVALID, "the cell is NULL");
    if (gt_status() == GT_OK && in.rank < 2)
        gt_fail(GT_INVALID, "x must be (batch, time, ...)");
    if (gt_status() != GT_OK || !are_states(states) || gt_rnn_mask(options.mask, &in) != GT_OK)
        return NULL;
    gt_RNN all = {.cell = cell,
                  .context = context,
                  .x = gt_swapaxes(x, 0, 1),
                  .mask = options.mask,
                  .states = states,
                  .last = options.final_states,
                  .sequences = options.return_sequences,
                  .backwards = options.go_backwards,
                  .zero = options.zero_output_for_mask,
                  .unroll = options.unroll};
    return gt_rnn_run(&all);
}
GT_COMPOSED(rnn,
            (const char *here, gt_FunctionBody cell, void *context, gt_Tensor *x, gt_Tensors states,
             const gt_rnn_options *options),
            (cell, context, x, states, options))
