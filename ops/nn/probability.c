/* Probabilities that losses are given: the check that they are some, and the way back to the logits
 * of which a softmax or a sigmoid made them. */
#include "ops/nn/probability.h"
#include "core/inside.h"
#include "ops/nn/activation.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/copies.h"
#include "ops/kit.h"
#include "ops/math/math.h"
#include "ops/array/reshaping.h"

#include <stdio.h>

/* ---- logits(x, p): x, the logits of which the probabilities p were made ---- */

#define LOGITS_OPTIONS(F, S) F(S, bool, sigmoid, false, "p is sigmoid(x), not softmax(x)")
GT_OPTIONS(LogitsOptions, LOGITS_OPTIONS);
GT_OPTION_TYPE(LogitsOptions, LOGITS_OPTIONS);

/* As a function of p it is log(p), up to what a softmax does not see, or log(p / (1 - p)). That is
 * its gradient where nothing but p is asked for; where both are, x has it all. As for probabilities
 * that are kept away from 0 and 1, there is none at 0 and 1. So it is a custom gradient, and like
 * those (autodiff/custom.c) not in the table of operations, whose rules are the slopes of what they
 * compute. */
static gt_Status logits_shape(gt_ShapeRule *rule)
{
    return gt_same_specs(rule, 0, 1) ? gt_shape_float(rule) : gt_status();
}

static gt_Status logits_gradient(gt_GradientRule *rule)
{
    const LogitsOptions *options = gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0), *p = gt_rule_input(rule, 1);
    bool only_p = !gt_wants(rule, 0);
    if (!only_p)
        gt_give(rule, 0, up);
    if (gt_wants(rule, 1) && only_p) {
        gt_Tensor *slope = options->sigmoid ? gt_multiply(p, gt_subtract(gt_ones_like(p), p)) : p;
        gt_give(rule, 1, gt_divide_no_nan(up, slope));
    } else if (gt_wants(rule, 1)) {
        gt_give(rule, 1, gt_zeros_like(p));
    }
    return gt_status();
}

static const gt_Operation logits_operation = {
    GT_RECORD("logits", NULL, 2, 2), .flags = GT_OP_VIEW | GT_OP_INTERNAL,
    .options = &LogitsOptions_type,  .saves_inputs = 2,
    .shape = logits_shape,           .lower = gt_lower_same,
    .gradient = logits_gradient,     .mask = gt_mask_keep,
};

/* ---- probabilities(p): p, and an error where it is none ---- */

#define PROBABILITIES_OPTIONS(F, S)                                                                \
    F(S, int32_t, scores, GT_SCORES_OF_SOFTMAX, "what the loss says to do with scores")
GT_OPTIONS(ProbabilitiesOptions, PROBABILITIES_OPTIONS);
GT_OPTION_TYPE(ProbabilitiesOptions, PROBABILITIES_OPTIONS);

#define ROUNDING 1e-5 /* so far outside of [0, 1] a probability may be; NaN is left alone */

static void probabilities_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_Spec *p = rule->input[0];
    gt_ScoresJob *check =
        gt_lower_check(lowering, GT_CHECK_scores, gt_element_tiles(p->size), sizeof *check);
    *check = (gt_ScoresJob){.type = (uint8_t)gt_loop_type(p->dtype),
                            .size = p->size,
                            .low = -ROUNDING,
                            .high = 1 + ROUNDING};
    gt_lower_same(rule, lowering);
}

/* Names the row, which is along the first axis. */
static gt_Status refuse_score(const gt_ShapeRule *rule, void *const *at, int64_t position)
{
    static const char *const advice[] = {
        [GT_SCORES_OF_SOFTMAX] = "give .from_logits = true for scores, or gt_softmax them",
        [GT_SCORES_OF_SIGMOID] = "give .from_logits = true for scores, or gt_sigmoid them",
        [GT_SCORES_WITHOUT_LOGITS] = "gt_softmax scores before it",
    };
    const ProbabilitiesOptions *options = rule->options;
    const gt_Spec *spec = rule->input[0];
    double number = gt_number_fetch(spec->dtype, at[0], position);
    int32_t which =
        options->scores < 0 || options->scores > GT_SCORES_WITHOUT_LOGITS ? 0 : options->scores;
    char row[48] = "";
    if (spec->rank > 0)
        snprintf(row, sizeof row, " in row %lld",
                 (long long)(position / (spec->size / spec->dims[0])));
    return gt_fail(GT_INVALID, "y_pred must be probabilities in [0, 1] (got %g%s): %s", number, row,
                   advice[which]);
}

static gt_Status probabilities_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_upstream(rule, 0));
}

const gt_Operation gt_op_probabilities = {
    GT_RECORD("probabilities", "x, which must be in [0, 1]", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_MAY_REUSE | GT_OP_INTERNAL,
    .options = &ProbabilitiesOptions_type,
    .shape = gt_shape_float,
    .lower = probabilities_lower,
    .complain = refuse_score,
    .gradient = probabilities_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_REAL(0.1, 0.9, 2, 3))}),
};

gt_Tensor *gt_probabilities(gt_Tensor *p, gt_Scores scores)
{
    const ProbabilitiesOptions options = GT_VALUES(ProbabilitiesOptions, (int32_t)scores);
    return gt_apply_one_at(NULL, &gt_op_probabilities, &options, 1, &p);
}

/* Probabilities that `along` elements `inner` apart were made of together. */
typedef struct Group {
    int64_t along, inner;
} Group;

static Group group_of(const gt_Spec *spec, int axis)
{
    Group group = {spec->dims[axis], 1};
    for (int d = axis + 1; d < spec->rank; d++)
        group.inner *= spec->dims[d];
    return group;
}

/* Is y_pred, a view of what a softmax made, made of whole groups along `axis`? */
static bool same_groups(const gt_Tensor *y_pred, const gt_Spec *spec, int axis)
{
    const gt_Spec *logits = gt_origin_spec(y_pred);
    const gt_softmax_options *options = gt_origin_options(y_pred);
    Group made = group_of(logits, gt_axis(options->axis, logits->rank));
    Group seen = group_of(spec, axis);
    int64_t size = made.along * made.inner;
    return made.along == seen.along && made.inner == seen.inner && size > 0 &&
           gt_origin_first(y_pred) % size == 0;
}

/* The logits where the view y_pred looks, in its shape. */
static gt_Tensor *logits_of_view(gt_Tensor *logits, int64_t first, const gt_Spec *view)
{
    if (gt_size(logits) != view->size)
        logits = gt_slice(gt_ravel(logits), gt_shape(first), gt_shape(view->size));
    gt_Shape shape = gt_spec_shape(view);
    return gt_shape_equal(gt_tensor_shape(logits), shape) ? logits : gt_reshape(logits, shape);
}

/* The tapes that record now and have the tensor's record or watch it. */
static uint64_t tapes_of(const gt_Context *context, const gt_Tensor *tensor)
{
    return gt_value_tapes(gt_tensor_value(tensor)) & gt_tape_recording(context);
}

/* Gradients go where they would go from y_pred: to the logits on the tapes that saw how it was made
 * of them, to y_pred itself on others that watch it, and to nothing else. */
static gt_Tensor *on_the_tapes_of(gt_Context *context, gt_Tensor *y_pred, gt_Tensor *logits)
{
    uint64_t through = gt_origin_tapes(context, y_pred);
    uint64_t others = tapes_of(context, logits) & ~through;
    if (others) {
        uint64_t hushed = gt_tape_hush(context, others);
        logits = gt_identity(logits);
        gt_tape_unquiet(context, hushed);
    }
    if (!(tapes_of(context, y_pred) & ~through))
        return logits;
    const LogitsOptions options =
        GT_VALUES(LogitsOptions, gt_origin_operation(y_pred) == &gt_op_sigmoid);
    return gt_apply_one_at(NULL, &logits_operation, &options, 2,
                           (gt_Tensor *const[]){logits, y_pred});
}

gt_Tensor *gt_logits_of(gt_Tensor *y_pred, bool from_logits, const gt_Operation *probability,
                        int axis)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    const gt_Operation *origin = gt_origin_operation(y_pred);
    if (from_logits && origin) {
        gt_fail(GT_INVALID,
                "from_logits = true, but y_pred is the output of %s: give its input, or "
                "from_logits = false",
                origin->name);
        return NULL;
    }
    if (from_logits)
        return y_pred;
    const gt_Spec *spec = gt_tensor_spec(y_pred);
    if (origin != probability || !gt_origin_spec(y_pred) ||
        (probability == &gt_op_softmax && !same_groups(y_pred, spec, axis)))
        return NULL;
    gt_Tensor *logits = gt_origin_logits(y_pred);
    logits = logits ? logits_of_view(logits, gt_origin_first(y_pred), spec) : NULL;
    return logits ? on_the_tapes_of(context, y_pred, logits) : NULL;
}
