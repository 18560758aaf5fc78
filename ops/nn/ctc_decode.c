/* gt_ctc_decode: which labels logits say, by the most likely alignment or by a beam search (A.
 * Graves, Supervised sequence labelling with recurrent neural networks (2012), section 7.5). Rows
 * of the batch are tiles. */
#include "ops/nn/ctc.h"
#include "core/inside.h"
#include "kernels/integers.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/nn/softmax.h"

GT_OPTION_TYPE(gt_ctc_decode_options, gt_ctc_decode_OPTIONS);

/* The blank's class; -1 with an error raised. */
static int64_t blank_of(int64_t mask_index, int64_t classes)
{
    const int64_t blank = mask_index < 0 ? mask_index + classes : mask_index;
    if (blank >= 0 && blank < classes && classes <= INT32_MAX / 64)
        return blank;
    gt_fail(GT_INVALID, "mask_index must be one of %lld classes (got %lld)", (long long)classes,
            (long long)mask_index);
    return -1;
}

/* Are the options of the search possible? Raises an error if not. */
static bool search_possible(const gt_ctc_decode_options *options, int64_t steps)
{
    const int64_t paths = options->top_paths, width = options->beam_width;
    if (options->strategy == GT_CTC_STRATEGY_GREEDY)
        return true;
    if (options->strategy != GT_CTC_STRATEGY_BEAM_SEARCH)
        gt_fail(GT_INVALID, "unknown strategy %d", (int)options->strategy);
    else if (paths < 1 || paths > width)
        gt_fail(GT_INVALID, "top_paths must be in [1, %lld], the beam_width (got %lld)",
                (long long)width, (long long)paths);
    else if (width > INT32_MAX / 64 || steps > INT32_MAX / 64 / width)
        gt_fail(GT_INVALID, "beam_width is too large for %lld steps (got %lld)", (long long)steps,
                (long long)width);
    return gt_status() == GT_OK;
}

static gt_Status ctc_decode_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0], *lengths = rule->input[1];
    const gt_ctc_decode_options *options = rule->options;
    char a[160], b[160];
    if (!gt_takes(x, GT_TAKES_FLOAT) || !gt_takes(lengths, GT_TAKES_INTEGER))
        return gt_status();
    if (x->rank != 3)
        return gt_fail(GT_INVALID, "output must be (batch, steps, classes) (got %s)",
                       gt_dims_text(x, a, sizeof a));
    if (lengths->rank != 1 || lengths->dims[0] != x->dims[0])
        return gt_fail(GT_INVALID, "lengths must be (batch) for an output %s (got %s)",
                       gt_dims_text(x, a, sizeof a),
                       gt_dims_text(lengths, b, sizeof b));
    if (blank_of(options->mask_index, x->dims[2]) < 0 || !search_possible(options, x->dims[1]))
        return gt_status();
    const int64_t paths = options->strategy == GT_CTC_STRATEGY_BEAM_SEARCH ? options->top_paths : 1;
    rule->output[0] =
        (gt_Spec){.dtype = GT_INT32, .rank = 3, .dims = {paths, x->dims[0], x->dims[1]}};
    rule->output[1] = (gt_Spec){.dtype = x->dtype, .rank = 2, .dims = {x->dims[0], paths}};
    return GT_OK;
}

static void ctc_decode_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_ctc_decode_options *options = rule->options;
    const gt_Spec *x = rule->input[0];
    const int64_t batch = x->dims[0];
    const uint8_t length_type = (uint8_t)gt_loop_type(rule->input[1]->dtype);
    gt_LengthsJob *check = gt_lower_check(lowering, GT_CHECK_lengths, batch, sizeof *check);
    *check = (gt_LengthsJob){.type = length_type, .input = 1, .most = x->dims[1]};
    if (options->strategy ==
        GT_CTC_STRATEGY_BEAM_SEARCH) { /* adds up the logarithms of probabilities */
        int32_t log_p = gt_lower_temporary(lowering, rule, gt_spec_bytes(x));
        gt_lower_softmax(lowering, GT_TILES_log_softmax, x, 2, 0, log_p);
    }
    gt_CtcDecodeJob *job = gt_lower_launch(lowering, GT_TILES_ctc_decode, batch, sizeof *job);
    *job = (gt_CtcDecodeJob){.type = (uint8_t)gt_loop_type(x->dtype),
                             .length_type = length_type,
                             .merge_repeated = options->merge_repeated,
                             .batch = batch,
                             .steps = x->dims[1],
                             .classes = x->dims[2],
                             .blank = blank_of(options->mask_index, x->dims[2]),
                             .paths = rule->output[0].dims[0]};
    if (options->strategy == GT_CTC_STRATEGY_BEAM_SEARCH) {
        job->width = options->beam_width;
        gt_lower_scratch(lowering, gt_ctc_decode_scratch(job));
    }
}

static gt_Status ctc_decode_complain(const gt_ShapeRule *rule, void *const *at, int64_t row)
{
    const int64_t length = gt_integer(at[1], (uint8_t)gt_loop_type(rule->input[1]->dtype), row);
    return gt_fail(GT_INVALID, "output_length of row %lld must be in [0, %lld] (got %lld)",
                   (long long)row, (long long)rule->input[0]->dims[1], (long long)length);
}

/* labels (paths, batch, steps), scores (batch, paths): the batch is the second axis of the
 * labels. */
static gt_Status ctc_decode_mask(gt_MaskRule *rule)
{
    for (int i = 0; i < 2; i++) {
        if (gt_mask_axes(rule, i) > 1)
            return gt_mask_refuse(rule, i, 1);
        if (rule->input[i])
            gt_mask_join(rule, 0, gt_expand_dims(rule->input[i], 0));
        if (rule->input[i] && gt_mask_join(rule, 1, rule->input[i]) != GT_OK)
            return gt_status();
    }
    return GT_OK;
}

#define DECODE(...)                                                                                \
    .options = &(const gt_ctc_decode_options)                                                      \
    {                                                                                              \
        GT_PRESETS(gt_ctc_decode_options, gt_ctc_decode_OPTIONS) __VA_ARGS__                       \
    }
const gt_Operation gt_op_ctc_decode = {
    GT_RECORD_OUTPUTS("ctc_decode", "the labels that logits say", 2, 2, 2),
    .flags = GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it chooses among labels",
    .options = &gt_ctc_decode_options_type,
    .shape = ctc_decode_shape,
    .lower = ctc_decode_lower,
    .complain = ctc_decode_complain,
    .mask = ctc_decode_mask,
    .samples = GT_SAMPLES(
        {.inputs = 2, .input = GT_INPUTS(GT_APART(2, 4, 3), GT_WHOLE(GT_INT32, 0, 5, 2))},
        {.inputs = 2,
         .input = GT_INPUTS(GT_APART(2, 4, 3), GT_WHOLE(GT_INT64, 0, 5, 2)),
         DECODE(.strategy = GT_CTC_STRATEGY_BEAM_SEARCH, .beam_width = 4, .top_paths = 2)}),
};

gt_CtcDecoded gt_ctc_decode_at(const char *here, gt_Tensor *output, gt_Tensor *output_length,
                               const gt_ctc_decode_options *options)
{
    gt_Tensor *out[2] = {NULL, NULL};
    gt_Site site = gt_site_enter(here, "ctc_decode");
    if (gt_want_logits(output, "output") == GT_OK)
        gt_apply_at(here, &gt_op_ctc_decode, options, 2, (gt_Tensor *[]){output, output_length},
                    out);
    gt_site_leave(&site);
    return (gt_CtcDecoded){out[0], out[1]};
}
gt_CtcDecoded(gt_ctc_decode)(gt_Tensor *output, gt_Tensor *output_length)
{
    return gt_ctc_decode_at(NULL, output, output_length, NULL);
}
