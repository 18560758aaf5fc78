/* The cross-entropies of logits, fused: records and gradient rules. None of them forms
 * probabilities first, so the results are exact where a probability would round to 0 or 1.
 *
 *     sigmoid_crossentropy(t, x)            max(x, 0) - x t + log(1 + e^-|x|), element by element
 *     softmax_crossentropy(t, x)            -sum t log_softmax(x) over the last axis
 *     sparse_softmax_crossentropy(l, x)     -log_softmax(x)[l]; its gradient is a record, too
 *
 * Rows go in blocks of about 4096 numbers, which stay in the first cache from log_softmax to the
 * sum. */
#include "ops/nn/crossentropy.h"
#include "core/inside.h"
#include "kernels/integers.h"
#include "ops/nn/activation.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"

/* ---- sigmoid_crossentropy(t, x) = max(x, 0) - x t + log(1 + e^-|x|), element by element ---- */

static gt_Status sigmoid_crossentropy_shape(gt_ShapeRule *rule)
{
    return gt_same_specs(rule, 0, 1) ? gt_shape_float(rule) : gt_status();
}

static void sigmoid_crossentropy_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_Spec *x = rule->input[1];
    gt_SigmoidCrossentropyJob *job = gt_lower_launch(lowering, GT_TILES_sigmoid_crossentropy,
                                                     gt_element_tiles(x->size), sizeof *job);
    *job = (gt_SigmoidCrossentropyJob){.type = (uint8_t)gt_loop_type(x->dtype), .size = x->size};
}

/* dt: -x. dx: sigmoid(x) - t. */
static gt_Status sigmoid_crossentropy_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 1);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_negative(gt_multiply(up, x)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1, gt_multiply(up, gt_subtract(gt_sigmoid(x), gt_rule_input(rule, 0))));
    return gt_status();
}

const gt_Operation gt_op_sigmoid_crossentropy = {
    GT_RECORD("sigmoid_crossentropy", "max(x, 0) - x t + log(1 + e^-|x|)", 2, 2),
    .flags = GT_OP_INTERNAL,
    .saves_inputs = 3,
    .shape = sigmoid_crossentropy_shape,
    .lower = sigmoid_crossentropy_lower,
    .gradient = sigmoid_crossentropy_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_REAL(0, 1, 2, 3), GT_ANY(2, 3))}),
};

gt_Tensor *gt_sigmoid_crossentropy(gt_Tensor *t, gt_Tensor *x)
{
    gt_Tensor *pair[2] = {t, x};
    return gt_apply_one_at(NULL, &gt_op_sigmoid_crossentropy, NULL, 2, pair);
}

/* ---- rows of logits ---- */

/* Output 0: one number a row of the logits. */
static gt_Status rows_shape(gt_ShapeRule *rule, const gt_Spec *logits)
{
    if (!gt_takes(logits, GT_TAKES_FLOAT))
        return gt_status();
    if (logits->rank == 0)
        return gt_fail(GT_INVALID, "a scalar has no classes");
    rule->output[0] = *logits;
    rule->output[0].rank--;
    return GT_OK;
}

/* Input 1, the logits, in blocks of rows that stay in the first cache; input 0 may be labels. */
static gt_LogitsJob rows_job(const gt_ShapeRule *rule)
{
    enum { ELEMENTS = 4096 };
    const gt_Spec *labels = rule->input[0], *x = rule->input[1];
    gt_LogitsJob job = {.type = (uint8_t)gt_loop_type(x->dtype),
                        .label_type = (uint8_t)gt_loop_type(labels->dtype),
                        .rows = 1,
                        .classes = x->dims[x->rank - 1],
                        .block = 1,
                        .ignored = GT_NONE};
    for (int d = 0; d < x->rank - 1; d++)
        job.rows *= x->dims[d];
    if (job.classes < ELEMENTS)
        job.block = ELEMENTS / (job.classes ? job.classes : 1);
    return job;
}

/* The launch over all rows. Returns its job. */
static gt_LogitsJob *lower_rows(gt_Lowering *lowering, gt_TileKernelId kernel,
                                const gt_LogitsJob *rows)
{
    int64_t tiles = rows->rows / rows->block + (rows->rows % rows->block != 0);
    gt_LogitsJob *job = gt_lower_launch(lowering, kernel, tiles, sizeof *job);
    *job = *rows;
    return job;
}

/* Every row has its number; only the classes are mixed. */
static gt_Status rows_mask(gt_MaskRule *rule)
{
    return gt_mask_rows(rule, rule->shape->output[0].rank);
}

/* ---- softmax_crossentropy(t, x): -sum t log_softmax(x) over the last axis ---- */

static gt_Status softmax_crossentropy_shape(gt_ShapeRule *rule)
{
    return gt_same_specs(rule, 0, 1) ? rows_shape(rule, rule->input[1]) : gt_status();
}

static void softmax_crossentropy_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_LogitsJob rows = rows_job(rule);
    const size_t element = rows.type == GT_LOOP_F32 ? sizeof(float) : sizeof(double);
    lower_rows(lowering, GT_TILES_softmax_crossentropy, &rows);
    gt_lower_scratch(lowering, (size_t)(rows.block * rows.classes) * element); /* log_softmax */
}

/* dt: -log_softmax(x). dx: softmax(x) sum(t) - t. */
static gt_Status softmax_crossentropy_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_expand_dims(gt_upstream(rule, 0), -1);
    gt_Tensor *t = gt_rule_input(rule, 0), *x = gt_rule_input(rule, 1);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_negative(gt_multiply(gt_log_softmax(x), up)));
    if (gt_wants(rule, 1)) {
        gt_Tensor *total = gt_sum(t, .axis = -1, .keepdims = true);
        gt_give(rule, 1, gt_multiply(gt_subtract(gt_multiply(gt_softmax(x), total), t), up));
    }
    return gt_status();
}

const gt_Operation gt_op_softmax_crossentropy = {
    GT_RECORD("softmax_crossentropy", "-sum t log(softmax(x))", 2, 2),
    .flags = GT_OP_INTERNAL,
    .saves_inputs = 3,
    .shape = softmax_crossentropy_shape,
    .lower = softmax_crossentropy_lower,
    .gradient = softmax_crossentropy_gradient,
    .mask = rows_mask,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_REAL(0, 1, 2, 3), GT_ANY(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_REAL(0, 1, 4), GT_ANY(4))}),
};

gt_Tensor *gt_softmax_crossentropy(gt_Tensor *t, gt_Tensor *x)
{
    gt_Tensor *pair[2] = {t, x};
    return gt_apply_one_at(NULL, &gt_op_softmax_crossentropy, NULL, 2, pair);
}

/* ---- sparse_softmax_crossentropy(labels, x): -log_softmax(x) at the label ---- */

#define SPARSE_OPTIONS(F, S) F(S, int64_t, ignore_class, GT_NONE, "the loss of this label is 0")
GT_OPTIONS(SparseOptions, SPARSE_OPTIONS);
GT_OPTION_TYPE(SparseOptions, SPARSE_OPTIONS);

static gt_Status sparse_softmax_crossentropy_shape(gt_ShapeRule *rule)
{
    const gt_Spec *labels = rule->input[0], *logits = rule->input[1];
    char a[160], b[160], c[160];
    if (!gt_takes(labels, GT_TAKES_INTEGER) || rows_shape(rule, logits) != GT_OK)
        return gt_status();
    gt_Shape rows = gt_spec_shape(&rule->output[0]);
    if (!gt_shape_equal(gt_spec_shape(labels), rows))
        return gt_fail(GT_INVALID, "labels of logits %s must be %s (got %s)",
                       gt_dims_text(logits, a, sizeof a),
                       gt_shape_text(rows, b, sizeof b),
                       gt_dims_text(labels, c, sizeof c));
    return GT_OK;
}

/* The check of the labels, then the launch; of both jobs the same. Returns the launch's. */
static gt_LogitsJob *lower_labels(const gt_ShapeRule *rule, gt_Lowering *lowering,
                                  gt_TileKernelId kernel)
{
    const SparseOptions *options = rule->options;
    gt_LogitsJob rows = rows_job(rule);
    rows.ignored = options->ignore_class;
    gt_LogitsJob *check = gt_lower_check(lowering, GT_CHECK_labels, rows.rows, sizeof *check);
    *check = rows;
    return lower_rows(lowering, kernel, &rows);
}

static void sparse_softmax_crossentropy_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    lower_labels(rule, lowering, GT_TILES_sparse_softmax_crossentropy);
}

static gt_Status complain_as(const char *name, const gt_ShapeRule *rule, void *const *at,
                             int64_t row)
{
    const gt_Spec *labels = rule->input[0], *x = rule->input[1];
    const int64_t label = gt_integer(at[0], (uint8_t)gt_loop_type(labels->dtype), row);
    return gt_raise(gt_context(), GT_INVALID, NULL, name,
                    "labels must be in [0, %lld) (got %lld in row %lld)",
                    (long long)x->dims[x->rank - 1], (long long)label, (long long)row);
}

static gt_Status complain_of_label(const gt_ShapeRule *rule, void *const *at, int64_t row)
{
    return complain_as(NULL, rule, at, row);
}

/* As the loss that the caller knows. */
static gt_Status complain_of_both(const gt_ShapeRule *rule, void *const *at, int64_t row)
{
    return complain_as(gt_op_sparse_softmax_crossentropy.name, rule, at, row);
}

static gt_Status sparse_softmax_crossentropy_rule(gt_GradientRule *rule)
{
    if (!gt_wants(rule, 1))
        return GT_OK;
    gt_Tensor *input[3] = {gt_rule_input(rule, 0), gt_rule_input(rule, 1), gt_upstream(rule, 0)};
    return gt_give(rule, 1,
                   gt_apply_one_at(NULL, &gt_op_sparse_softmax_crossentropy_gradient,
                                   gt_rule_options(rule), 3, input));
}

#define LABELS(...)   GT_WHOLE(GT_INT32, 0, 3, __VA_ARGS__)
#define IGNORING(...) &GT_VALUES(SparseOptions, __VA_ARGS__)

const gt_Operation gt_op_sparse_softmax_crossentropy = {
    GT_RECORD("sparse_softmax_crossentropy", "-log(softmax(x)) at the label", 2, 2),
    .flags = GT_OP_INTERNAL,
    .options = &SparseOptions_type,
    .saves_inputs = 3,
    .shape = sparse_softmax_crossentropy_shape,
    .lower = sparse_softmax_crossentropy_lower,
    .complain = complain_of_label,
    .gradient = sparse_softmax_crossentropy_rule,
    .mask = rows_mask,
    .samples = GT_SAMPLES(
        {.inputs = 2, .input = GT_INPUTS(LABELS(4), GT_ANY(4, 3))},
        {.inputs = 2, .input = GT_INPUTS(LABELS(2, 2), GT_ANY(2, 2, 3))},
        {.inputs = 2, .input = GT_INPUTS(LABELS(4), GT_ANY(4, 3)), .options = IGNORING(1)}),
};

gt_Tensor *gt_sparse_softmax_crossentropy(gt_Tensor *labels, gt_Tensor *x, int64_t ignore_class)
{
    gt_Tensor *pair[2] = {labels, x};
    return gt_apply_one_at(NULL, &gt_op_sparse_softmax_crossentropy,
                           &GT_VALUES(SparseOptions, ignore_class), 2, pair);
}

/* Its gradient in one pass: (labels, x, g) -> (softmax(x) - one_hot(labels)) g, 0 where ignored. */

static gt_Status sparse_slope_shape(gt_ShapeRule *rule)
{
    if (sparse_softmax_crossentropy_shape(rule) != GT_OK)
        return gt_status();
    char got[200], wanted[200];
    if (!gt_dims_equal(rule->input[2], &rule->output[0]) ||
        rule->input[2]->dtype != rule->input[1]->dtype)
        return gt_fail(GT_INVALID, "upstream gradients do not fit logits %s (got %s)",
                       gt_spec_text(rule->input[1], wanted, sizeof wanted),
                       gt_spec_text(rule->input[2], got, sizeof got));
    rule->output[0] = *rule->input[1];
    return GT_OK;
}

static void sparse_slope_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    gt_LogitsJob *job = lower_labels(rule, lowering, GT_TILES_sparse_softmax_gradient);
    job->loss = -1;
    job->slope = 3;
}

/* Of u arriving, with p = softmax(x): dg = sum u (p - one_hot), dx = p (w - sum w p), w = u g. */
static gt_Status sparse_slope_rule(gt_GradientRule *rule)
{
    const SparseOptions *options = gt_rule_options(rule);
    gt_Tensor *u = gt_upstream(rule, 0), *labels = gt_rule_input(rule, 0);
    gt_Tensor *p = gt_softmax(gt_rule_input(rule, 1));
    if (options->ignore_class != GT_NONE) {
        gt_Tensor *kept = gt_not_equal(labels, (double)options->ignore_class);
        u = gt_where(gt_expand_dims(kept, -1), u, 0);
    }
    if (gt_wants(rule, 2)) {
        gt_Tensor *hot = gt_one_hot(labels, gt_last(gt_tensor_shape(p)), .dtype = gt_dtype(p));
        gt_give(rule, 2, gt_sum(gt_multiply(u, gt_subtract(p, hot)), .axis = -1));
    }
    if (gt_wants(rule, 1)) {
        gt_Tensor *w = gt_multiply(u, gt_expand_dims(gt_rule_input(rule, 2), -1));
        gt_Tensor *mean = gt_sum(gt_multiply(w, p), .axis = -1, .keepdims = true);
        gt_give(rule, 1, gt_multiply(p, gt_subtract(w, mean)));
    }
    return gt_status();
}

const gt_Operation gt_op_sparse_softmax_crossentropy_gradient = {
    GT_RECORD("sparse_softmax_crossentropy_gradient", "(softmax(x) - one_hot(labels)) g", 3, 3),
    .flags = GT_OP_INTERNAL,
    .options = &SparseOptions_type,
    .saves_inputs = 7,
    .shape = sparse_slope_shape,
    .lower = sparse_slope_lower,
    .complain = complain_of_label,
    .gradient = sparse_slope_rule,
    .samples = GT_SAMPLES({.inputs = 3, .input = GT_INPUTS(LABELS(4), GT_ANY(4, 3), GT_ANY(4))},
                          {.inputs = 3,
                           .input = GT_INPUTS(LABELS(4), GT_ANY(4, 3), GT_ANY(4)),
                           .options = IGNORING(1)}),
};

/* ---- both of them, in plans ---- */

static void sparse_both_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    gt_LogitsJob *job = lower_labels(rule, lowering, GT_TILES_sparse_softmax_gradient);
    job->loss = 3;
    job->slope = 4;
}

const gt_Operation gt_op_sparse_softmax_crossentropy_both = {
    .size = sizeof(gt_Operation),
    .name = "sparse_softmax_crossentropy_both",
    .formula = "-log(softmax(x)) at the label; (softmax(x) - one_hot(labels)) g",
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs = 2,
    .options = &SparseOptions_type,
    .lower = sparse_both_lower,
    .complain = complain_of_both};
