/* Connectionist temporal classification: gt_ctc_loss, its records and their gradient rules.
 *
 * A. Graves, S. Fernandez, F. Gomez, J. Schmidhuber, Connectionist temporal classification:
 * labelling unsegmented sequence data with recurrent neural networks (2006), equations 6 to 16.
 *
 * The labels with a blank before, between and after them are the states of a lattice: for the
 * labels "ab" these are
 *
 *     state   0   1   2   3   4
 *     class   -   a   -   b   -
 *     skip                yes      b may follow a without the blank, since they differ
 *     end                 yes yes
 *
 * An alignment starts in state 0 or 1; from step to step it stays in its state, goes on to the next
 * one, or skips a blank. Over three steps "ab" has the alignments aab, abb, ab-, a-b, -ab; the loss
 * is -log of the sum of their probabilities.
 *
 * Order of calls: ctc_states makes classes, skips and ends of the labels; the loss takes
 * log_softmax(output) at the classes, (batch, steps, states); ctc_forward adds up, by logarithms,
 * all ways to each state at each step, y (batch, steps + 1, states), whose row 0 is the start
 * before any step: 0 for state 0, -inf elsewhere; the loss is read off y at the last step of each
 * row, over the ends.
 *
 * The gradient of ctc_forward goes the same ways back, each with its share of what arrives: a
 * linear recurrence, band_recurrence, whose gradient is one again. So the loss is made of
 * operations, and has derivatives of any order. */
#include "ops/nn/ctc.h"
#include "core/inside.h"
#include "kernels/integers.h"
#include "ops/nn/activation.h"
#include "ops/math/arithmetic.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/array/reshaping.h"

#include <math.h>

GT_OPTION_TYPE(gt_ctc_loss_options, gt_ctc_loss_OPTIONS);

/* ---- ctc_states: (target, target_length, output_length) -> of each state its class, whether it
 * may be reached past the one before it, whether an alignment may end there ---- */

#define STATES_OPTIONS(F, S)                                                                       \
    F(S, int64_t, classes, 0, "how many classes")                                                  \
    F(S, int64_t, steps, 0, "the largest length of an output")                                     \
    F(S, int64_t, mask_index, 0, "the class of the blank")
GT_OPTIONS(StatesOptions, STATES_OPTIONS);
GT_OPTION_TYPE(StatesOptions, STATES_OPTIONS);

static gt_Status ctc_states_shape(gt_ShapeRule *rule)
{
    const gt_Spec *target = rule->input[0];
    char a[160], b[160];
    for (int i = 0; i < 3; i++)
        if (!gt_takes(rule->input[i], GT_TAKES_INTEGER))
            return gt_status();
    if (target->rank != 2)
        return gt_fail(GT_INVALID, "target must be (batch, labels) (got %s)",
                       gt_dims_text(target, a, sizeof a));
    for (int i = 1; i < 3; i++)
        if (rule->input[i]->rank != 1 || rule->input[i]->dims[0] != target->dims[0])
            return gt_fail(GT_INVALID, "lengths must be (batch) for a target %s (got %s)",
                           gt_dims_text(target, a, sizeof a),
                           gt_dims_text(rule->input[i], b, sizeof b));
    if (target->dims[1] > INT32_MAX / 4)
        return gt_fail(GT_INVALID, "target has too many labels (%lld)", (long long)target->dims[1]);
    for (int i = 0; i < 3; i++) {
        rule->output[i] = *target;
        rule->output[i].dims[1] = 2 * target->dims[1] + 1;
        rule->output[i].dtype = i ? GT_BOOL : GT_INT32;
    }
    return GT_OK;
}

static void ctc_states_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const StatesOptions *options = rule->options;
    const int64_t batch = rule->input[0]->dims[0];
    gt_CtcStatesJob job = {.labels = rule->input[0]->dims[1],
                           .classes = options->classes,
                           .steps = options->steps,
                           .blank = options->mask_index};
    for (int i = 0; i < 3; i++)
        job.type[i] = (uint8_t)gt_loop_type(rule->input[i]->dtype);
    gt_CtcStatesJob *check = gt_lower_check(lowering, GT_CHECK_ctc_states, batch, sizeof job);
    *check = job;
    gt_CtcStatesJob *states = gt_lower_launch(lowering, GT_TILES_ctc_states, batch, sizeof job);
    *states = job;
}

/* Raises the error for a length that is not in [0, most]. */
static bool length_fits(const gt_ShapeRule *rule, void *const *at, int input, int64_t row,
                        int64_t most, const char *what)
{
    int64_t length = gt_integer(at[input], (uint8_t)gt_loop_type(rule->input[input]->dtype), row);
    if (length >= 0 && length <= most)
        return true;
    gt_fail(GT_INVALID, "%s of row %lld must be in [0, %lld] (got %lld)", what, (long long)row,
            (long long)most, (long long)length);
    return false;
}

static gt_Status ctc_states_complain(const gt_ShapeRule *rule, void *const *at, int64_t row)
{
    const StatesOptions *options = rule->options;
    const int64_t labels = rule->input[0]->dims[1];
    if (!length_fits(rule, at, 1, row, labels, "target_length") ||
        !length_fits(rule, at, 2, row, options->steps, "output_length"))
        return gt_status();
    const uint8_t type = (uint8_t)gt_loop_type(rule->input[0]->dtype);
    for (int64_t k = 0; k < labels; k++) {
        int64_t label = gt_integer(at[0], type, row * labels + k);
        if (label < 0 || label >= options->classes || label == options->mask_index)
            return gt_fail(GT_INVALID,
                           "labels must be in [0, %lld) and not the mask_index, %lld (got %lld, "
                           "label %lld of row %lld)",
                           (long long)options->classes, (long long)options->mask_index,
                           (long long)label, (long long)k, (long long)row);
    }
    return gt_status();
}

#define STATES(...) &GT_VALUES(StatesOptions, __VA_ARGS__)
const gt_Operation gt_op_ctc_states = {
    GT_RECORD_OUTPUTS("ctc_states", "labels with blanks around them: classes, skips, ends", 3, 3,
                      3),
    .flags = GT_OP_INTERNAL | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is integer-valued",
    .options = &StatesOptions_type,
    .shape = ctc_states_shape,
    .lower = ctc_states_lower,
    .complain = ctc_states_complain,
    .mask = gt_mask_batch,
    .samples =
        GT_SAMPLES({.inputs = 3,
                    .input = GT_INPUTS(GT_WHOLE(GT_INT32, 1, 4, 2, 3), GT_WHOLE(GT_INT64, 0, 4, 2),
                                       GT_WHOLE(GT_INT32, 0, 6, 2)),
                    .options = STATES(4, 5, 0)}),
};

/* ---- ctc_forward: (start (b, n), e (b, t, n), skips (b, n)) -> y (b, t + 1, n), y[0] = start and
 * y[i, s] = e[i - 1, s] + log(sum of e^y[i - 1, s - j]) over j = 0, 1 and, where skips[s], 2
 * ---- */

static gt_Status ctc_forward_shape(gt_ShapeRule *rule)
{
    const gt_Spec *start = rule->input[0], *e = rule->input[1], *skips = rule->input[2];
    char a[200], b[200], c[200];
    if (!gt_takes(start, GT_TAKES_FLOAT))
        return gt_status();
    if (start->rank != 2 || e->rank != 3 || e->dtype != start->dtype || skips->rank != 2 ||
        skips->dtype != GT_BOOL || e->dims[0] != start->dims[0] || e->dims[2] != start->dims[1] ||
        !gt_dims_equal(start, skips))
        return gt_fail(GT_INVALID, "start %s, terms %s and skips %s do not fit",
                       gt_spec_text(start, a, sizeof a), gt_spec_text(e, b, sizeof b),
                       gt_spec_text(skips, c, sizeof c));
    if (start->dims[1] > INT32_MAX || e->dims[1] > INT64_MAX - 1)
        return gt_fail(GT_INVALID, "terms %s are too many", gt_spec_text(e, b, sizeof b));
    rule->output[0] = *e;
    rule->output[0].dims[1] += 1;
    return GT_OK;
}

/* A lattice of y (batch, steps + 1, states): a tile is some rows of the batch. */
static gt_LatticeJob *lower_lattice(const gt_ShapeRule *rule, gt_Lowering *lowering,
                                    gt_TileKernelId kernel)
{
    const gt_Spec *y = &rule->output[0];
    gt_LatticeJob *job = gt_lower_launch(lowering, kernel, 0, sizeof *job);
    *job = (gt_LatticeJob){.type = (uint8_t)gt_loop_type(y->dtype),
                           .batch = y->dims[0],
                           .steps = y->dims[1] - 1,
                           .states = y->dims[2],
                           .group = 1};
    const int64_t work = y->dims[1] * y->dims[2];
    if (work > 0 && work < GT_TILE_ELEMENTS)
        job->group = GT_TILE_ELEMENTS / work;
    lowering->launch[0].tiles = (job->batch + job->group - 1) / job->group;
    return job;
}

static void ctc_forward_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_LatticeJob *job = lower_lattice(rule, lowering, GT_TILES_ctc_forward);
    gt_lower_scratch(lowering, 3 * (size_t)job->states * gt_dtype_size(rule->output[0].dtype));
}

/* Of x (b, t + 1, n): the t rows without the first, or without the last. */
static gt_Tensor *rows(gt_Tensor *x, bool first)
{
    gt_Shape shape = gt_tensor_shape(x);
    if (gt_status() != GT_OK)
        return NULL;
    return first ? gt_slice(x, gt_shape(0, 0, 0), gt_shape(-1, shape.dims[1] - 1, -1))
                 : gt_slice(x, gt_shape(0, 1, 0), gt_shape(-1, -1, -1));
}

/* y[..., s] = x[..., s - by], `fill` where there is none. */
static gt_Tensor *shifted(gt_Tensor *x, int64_t by, double fill)
{
    gt_Shape shape = gt_tensor_shape(x);
    if (gt_status() != GT_OK)
        return NULL;
    int64_t gap = by < shape.dims[2] ? by : shape.dims[2];
    x = gt_slice(x, gt_shape(0, 0, 0), gt_shape(-1, -1, shape.dims[2] - gap));
    return gt_pad(x, gt_shape(0, 0, gap), gt_shape(0, 0, 0), .value = fill);
}

static gt_Tensor *band_recurrence(gt_Tensor *b, gt_Tensor *const w[3], bool reverse);

/* Of all ways to a state, those from state s - j have the share w[j]; what arrives at the state
 * goes back by these. A state that cannot be reached has no ways. */
static gt_Status ctc_forward_gradient(gt_GradientRule *rule)
{
    gt_Tensor *e = gt_rule_input(rule, 1), *y = gt_rule_output(rule, 0), *w[3];
    gt_Tensor *from = rows(y, true), *to = rows(y, false), *skips = gt_rule_input(rule, 2);
    gt_Tensor *rest = gt_subtract(e, gt_where(gt_equal(to, -INFINITY), gt_zeros_like(to), to));
    for (int j = 0; j < 3; j++) {
        w[j] = gt_add(shifted(from, j, -INFINITY), rest);
        if (j == 2)
            w[j] = gt_where(gt_expand_dims(skips, 1), w[j], -INFINITY);
        w[j] = gt_exp(w[j]);
    }
    gt_Tensor *back = band_recurrence(gt_upstream(rule, 0), w, true);
    if (gt_wants(rule, 0)) {
        gt_Tensor *start = gt_slice(back, gt_shape(0, 0, 0), gt_shape(-1, 1, -1));
        gt_give(rule, 0, gt_squeeze(start, .axis = 1));
    }
    if (gt_wants(rule, 1))
        gt_give(rule, 1, rows(back, false));
    return gt_status();
}

#define FLAGS(...) GT_WHOLE(GT_BOOL, 0, 2, __VA_ARGS__)
const gt_Operation gt_op_ctc_forward = {
    GT_RECORD("ctc_forward", "y[i, s] = e[i - 1, s] + log(sum of e^y[i - 1, s - j])", 3, 3),
    .flags = GT_OP_INTERNAL,
    .saves_inputs = 6,
    .saves_outputs = 1,
    .shape = ctc_forward_shape,
    .lower = ctc_forward_lower,
    .gradient = ctc_forward_gradient,
    .mask = gt_mask_batch,
    .samples =
        GT_SAMPLES({.inputs = 3, .input = GT_INPUTS(GT_ANY(2, 5), GT_ANY(2, 3, 5), FLAGS(2, 5))},
                   {.inputs = 3, .input = GT_INPUTS(GT_ANY(1, 2), GT_ANY(1, 2, 2), FLAGS(1, 2))}),
};

/* ---- band_recurrence: (b (b, t + 1, n), w[0], w[1], w[2] (b, t, n)) -> y, y[0] = b[0] and
 * y[i, s] = b[i, s] + sum of w[j][i - 1, s] y[i - 1, s - j]; reversed, the transposed of it:
 * y[t] = b[t] and y[i, s] = b[i, s] + sum of w[j][i, s + j] y[i + 1, s + j] ---- */

#define BAND_OPTIONS(F, S)                                                                         \
    F(S, bool, reverse, false, "from the last row to the first, with the matrices transposed")
GT_OPTIONS(BandOptions, BAND_OPTIONS);
GT_OPTION_TYPE(BandOptions, BAND_OPTIONS);

static gt_Tensor *band_recurrence(gt_Tensor *b, gt_Tensor *const w[3], bool reverse)
{
    BandOptions options = GT_VALUES(BandOptions, reverse);
    return gt_apply_one_at(NULL, &gt_op_band_recurrence, &options, 4,
                           (gt_Tensor *[]){b, w[0], w[1], w[2]});
}

static gt_Status band_recurrence_shape(gt_ShapeRule *rule)
{
    const gt_Spec *b = rule->input[0];
    gt_Spec factors = *b;
    char s[200], t[200];
    if (b->rank != 3 || b->dims[1] < 1)
        return gt_fail(GT_INVALID, "terms %s have no rows to go along",
                       gt_spec_text(b, s, sizeof s));
    factors.dims[1]--;
    gt_spec_resize(&factors);
    for (int i = 1; i < 4; i++)
        if (!gt_spec_equal(rule->input[i], &factors))
            return gt_fail(GT_INVALID, "factors %s do not fit terms %s",
                           gt_spec_text(rule->input[i], t, sizeof t), gt_spec_text(b, s, sizeof s));
    return gt_shape_float(rule);
}

static void band_recurrence_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const BandOptions *options = rule->options;
    lower_lattice(rule, lowering, GT_TILES_band_recurrence)->reverse = options->reverse;
}

/* The terms get the recurrence the other way of what arrives; a factor, what flows through it one
 * way times what flows the other. */
static gt_Status band_recurrence_gradient(gt_GradientRule *rule)
{
    const BandOptions *options = gt_rule_options(rule);
    gt_Tensor *w[3] = {gt_rule_input(rule, 1), gt_rule_input(rule, 2), gt_rule_input(rule, 3)};
    gt_Tensor *y = gt_rule_output(rule, 0);
    gt_Tensor *other = band_recurrence(gt_upstream(rule, 0), w, !options->reverse);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, other);
    gt_Tensor *up = rows(options->reverse ? other : y, true);
    gt_Tensor *down = rows(options->reverse ? y : other, false);
    for (int j = 0; j < 3; j++)
        if (gt_wants(rule, j + 1))
            gt_give(rule, j + 1, gt_multiply(shifted(up, j, 0), down));
    return gt_status();
}

#define BANDS(b, t, n)                                                                             \
    GT_INPUTS(GT_ANY(b, t + 1, n), GT_ANY(b, t, n), GT_ANY(b, t, n), GT_ANY(b, t, n))
const gt_Operation gt_op_band_recurrence = {
    GT_RECORD("band_recurrence", "y[i, s] = b[i, s] + sum of w[j][i - 1, s] y[i - 1, s - j]", 4, 4),
    .flags = GT_OP_INTERNAL,
    .options = &BandOptions_type,
    .saves_inputs = 14,
    .saves_outputs = 1,
    .shape = band_recurrence_shape,
    .lower = band_recurrence_lower,
    .gradient = band_recurrence_gradient,
    .samples =
        GT_SAMPLES({.inputs = 4, .input = BANDS(2, 3, 4)},
                   {.inputs = 4, .input = BANDS(1, 3, 4), .options = &GT_VALUES(BandOptions, true)},
                   {.inputs = 4, .input = BANDS(2, 2, 1)}),
};

/* ---- the loss ---- */

static gt_Tensor *ctc_loss(gt_Tensor *target, gt_Tensor *output, gt_Tensor *target_length,
                           gt_Tensor *output_length, const gt_ctc_loss_options *given)
{
    gt_ctc_loss_options options;
    GT_TAKE(gt_ctc_loss_options, &options, given);
    gt_Spec labels = gt_spec(target), logits = gt_spec(output);
    char a[160], b[160];
    if (gt_status() != GT_OK || !gt_takes(&logits, GT_TAKES_FLOAT) ||
        gt_want_logits(output, "output") != GT_OK)
        return NULL;
    if (labels.rank != 2 || logits.rank != 3 || labels.dims[0] != logits.dims[0]) {
        gt_fail(GT_INVALID,
                "target must be (batch, labels) and output (batch, steps, classes) (got %s and %s)",
                gt_dims_text(&labels, a, sizeof a),
                gt_dims_text(&logits, b, sizeof b));
        return NULL;
    }
    int64_t steps = logits.dims[1], classes = logits.dims[2];
    int64_t mask = options.mask_index < 0 ? options.mask_index + classes : options.mask_index;
    if (mask < 0 || mask >= classes || classes > INT32_MAX) {
        gt_fail(GT_INVALID, "mask_index must be one of %lld classes (got %lld)", (long long)classes,
                (long long)options.mask_index);
        return NULL;
    }
    StatesOptions of_states = GT_VALUES(StatesOptions, classes, steps, mask);
    gt_Tensor *state[3] = {NULL, NULL, NULL};
    if (gt_apply_at(NULL, &gt_op_ctc_states, &of_states, 3,
                    (gt_Tensor *[]){target, target_length, output_length}, state) != GT_OK)
        return NULL;
    int64_t states = 2 * labels.dims[1] + 1;
    gt_Tensor *step =
        gt_reshape(gt_arange(0, (double)steps, 1, .dtype = GT_INT64), gt_shape(steps, 1));
    gt_Tensor *length = gt_cast(output_length, GT_INT64); /* (batch, 1, 1) */
    length = gt_expand_dims(gt_expand_dims(length, -1), -1);
    gt_Tensor *log_p = gt_log_softmax(gt_where(gt_less(step, length), output, 0));
    /* Adding zeros broadcasts, whatever the batch is. */
    gt_Tensor *which =
        gt_add(gt_expand_dims(state[0], 1), gt_zeros(gt_shape(steps, 1), .dtype = GT_INT32));
    gt_Tensor *first = gt_equal(gt_arange(0, (double)states, 1, .dtype = GT_INT64), 0);
    gt_Tensor *zero = gt_zeros_like(state[0], .dtype = logits.dtype);
    gt_Tensor *start = gt_where(first, zero, -INFINITY);
    gt_Tensor *y = gt_apply_one_at(
        NULL, &gt_op_ctc_forward, NULL, 3,
        (gt_Tensor *[]){start, gt_take_along_axis(log_p, which, .axis = 2), state[1]});
    gt_Tensor *last = gt_add(length, gt_zeros(gt_shape(states), .dtype = GT_INT64));
    y = gt_squeeze(gt_take_along_axis(y, last, .axis = 1), .axis = 1);
    return gt_negative(gt_logsumexp(gt_where(state[2], y, -INFINITY), .axis = -1));
}
GT_COMPOSED(ctc_loss,
            (const char *here, gt_Tensor *target, gt_Tensor *output, gt_Tensor *target_length,
             gt_Tensor *output_length, const gt_ctc_loss_options *options),
            (target, output, target_length, output_length, options))
gt_Tensor *(gt_ctc_loss)(gt_Tensor *target, gt_Tensor *output, gt_Tensor *target_length,
                         gt_Tensor *output_length)
{
    return gt_ctc_loss_at(NULL, target, output, target_length, output_length, NULL);
}
