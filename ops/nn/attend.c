/* Dot-product attention with heads: records, lowering, gradients. kernels/attention.h has shapes and kernels, which keep the
 * scores of some queries of one head in the cache and read heads where they lie. The gradient computes the probabilities again
 * instead of keeping them; its own gradient is that of its formula, made of operations. */
#include "ops/nn/attend.h"
#include "kernels/attend.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/linalg/matmul.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/reduce.h"
#include "ops/nn/activation.h"
#include "ops/nn/formula.h"

#define ATTEND_OPTIONS(F, S)                                                                       \
    F(S, bool, causal, false, "query t looks at keys 0 to t")                                      \
    F(S, double, scale, 1, "a factor of the scores")
GT_OPTIONS(AttendOptions, ATTEND_OPTIONS);
GT_OPTION_TYPE(AttendOptions, ATTEND_OPTIONS);

enum { Q, K, V, MASK, UP, INPUTS = UP, GRADIENT_INPUTS = UP + 1 };

/* ---- shapes ---- */

static bool fit(const gt_ShapeRule *rule)
{
    const gt_Spec *q = rule->input[Q], *k = rule->input[K], *v = rule->input[V];
    char a[200], b[200], c[200];
    bool good = q->rank == 4 && k->rank == 4 && v->rank == 4 && k->dtype == q->dtype &&
                v->dtype == q->dtype && (q->dtype == GT_FLOAT32 || q->dtype == GT_FLOAT64) &&
                q->dims[0] == k->dims[0] && q->dims[3] == k->dims[3] && k->dims[0] == v->dims[0] &&
                k->dims[1] == v->dims[1] && k->dims[2] == v->dims[2] && k->dims[2] > 0 &&
                q->dims[2] > 0 && q->dims[2] % k->dims[2] == 0;
    if (!good)
        gt_fail(GT_INVALID, "query, key and value do not fit together (%s, %s and %s)",
                gt_spec_text(q, a, sizeof a), gt_spec_text(k, b, sizeof b),
                gt_spec_text(v, c, sizeof c));
    return good;
}

/* The mask's strides along (batch, heads, queries, keys), 0 where it is repeated; false: it does not broadcast. */
static bool mask_strides(const gt_ShapeRule *rule, int64_t strides[4])
{
    const gt_Spec *mask = rule->input[MASK], *q = rule->input[Q];
    const int64_t dims[4] = {q->dims[0], q->dims[2], q->dims[1], rule->input[K]->dims[1]};
    int64_t step = 1;
    for (int d = 3; d >= 0; d--)
        strides[d] = 0;
    for (int d = 3, from = mask ? mask->rank - 1 : -1; from >= 0; d--, from--) {
        if (d < 0 || (mask->dims[from] != 1 && mask->dims[from] != dims[d]))
            return false;
        strides[d] = mask->dims[from] == 1 ? 0 : step;
        step *= mask->dims[from];
    }
    return !mask || mask->dtype == GT_BOOL;
}

static bool attend_fits(const gt_ShapeRule *rule)
{
    char a[200];
    int64_t strides[4];
    if (!fit(rule))
        return false;
    if (mask_strides(rule, strides))
        return true;
    gt_fail(GT_INVALID,
            "the mask must be bool and broadcast to (batch, heads, queries, keys) (got %s)",
            gt_spec_text(rule->input[MASK], a, sizeof a));
    return false;
}

static gt_Spec result_of(const gt_ShapeRule *rule)
{
    gt_Spec spec = *rule->input[Q];
    spec.dims[3] = rule->input[V]->dims[3];
    return spec;
}

static gt_Status attend_shape(gt_ShapeRule *rule)
{
    if (attend_fits(rule))
        rule->output[0] = result_of(rule);
    return gt_status();
}

/* ---- lowering ---- */

enum { BLOCK = 128 }; /* queries of a tile, a multiple of GT_ATTEND_LANES */

static gt_AttentionJob *lower(const gt_ShapeRule *rule, gt_Lowering *lowering,
                              gt_TileKernelId kernel)
{
    const AttendOptions *options = rule->options;
    const gt_Spec *q = rule->input[Q], *k = rule->input[K], *v = rule->input[V];
    gt_AttentionJob *job = gt_lower_launch(lowering, kernel, 0, sizeof *job);
    *job = (gt_AttentionJob){.type = (uint8_t)gt_loop_type(q->dtype),
                             .causal = options->causal,
                             .batch = q->dims[0],
                             .heads = q->dims[2],
                             .share = q->dims[2] / k->dims[2],
                             .queries = q->dims[1],
                             .keys = k->dims[1],
                             .width = q->dims[3],
                             .wide = v->dims[3],
                             .block = BLOCK,
                             .scale = options->scale};
    mask_strides(rule, job->mask);
    return job;
}

static void attend_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_AttentionJob *job = lower(rule, lowering, GT_TILES_attention);
    lowering->launch[0].tiles =
        job->batch * job->heads * ((job->queries + job->block - 1) / job->block);
    gt_lower_scratch(lowering, gt_attend_tiles_scratch(lowering->target, job, false));
}

/* ---- the operation ---- */

static gt_Status attend_gradient(gt_GradientRule *rule)
{
    gt_Tensor *in[GRADIENT_INPUTS] = {gt_rule_input(rule, Q), gt_rule_input(rule, K),
                                      gt_rule_input(rule, V), gt_rule_input(rule, MASK),
                                      gt_upstream(rule, 0)};
    gt_Tensor *made[3];
    if (gt_apply_at(NULL, &gt_op_attend_gradient, gt_rule_options(rule), GRADIENT_INPUTS, in,
                    made) != GT_OK)
        return gt_status();
    for (int i = 0; i < 3; i++)
        if (gt_wants(rule, i))
            gt_give(rule, i, made[i]);
    return gt_status();
}

/* A result depends on its own query, and on all keys and values of its row of the batch. */
static gt_Status attend_mask(gt_MaskRule *rule)
{
    for (int i = K; i <= MASK; i++)
        if (gt_mask_axes(rule, i) > (i == MASK ? 0 : 1))
            return gt_mask_refuse(rule, i, i == MASK ? 0 : 1);
    for (int i = Q; i <= V; i++) {
        int most = i == Q ? 3 : 1;
        if (gt_mask_axes(rule, i) > most)
            return gt_mask_refuse(rule, i, most);
        if (rule->input[i] && gt_mask_join(rule, 0, rule->input[i]) != GT_OK)
            return gt_status();
    }
    return GT_OK;
}

#define FLAGS(...) GT_WHOLE(GT_BOOL, 0, 2, __VA_ARGS__)
#define ABSENT                                                                                     \
    {                                                                                              \
        .dtype = GT_DTYPE_NONE                                                                     \
    }
#define HOW(...) .options = &GT_VALUES(AttendOptions, __VA_ARGS__)
const gt_Operation gt_op_attend = {
    GT_RECORD("attend", "softmax(scale q k') v", INPUTS, INPUTS),
    .flags = GT_OP_INTERNAL,
    .options = &AttendOptions_type,
    .optional_inputs = 1 << MASK,
    .saves_inputs = 1 << Q | 1 << K | 1 << V | 1 << MASK,
    .shape = attend_shape,
    .lower = attend_lower,
    .gradient = attend_gradient,
    .mask = attend_mask,
    .samples = GT_SAMPLES(
        {.inputs = INPUTS,
         .input = GT_INPUTS(GT_ANY(2, 3, 2, 4), GT_ANY(2, 5, 1, 4), GT_ANY(2, 5, 1, 3), ABSENT),
         HOW(false, 0.5)},
        {.inputs = INPUTS,
         .input = GT_INPUTS(GT_ANY(1, 4, 2, 3), GT_ANY(1, 4, 2, 3), GT_ANY(1, 4, 2, 3), ABSENT),
         HOW(true, 0.7)},
        {.inputs = INPUTS,
         .input = GT_INPUTS(GT_ANY(2, 3, 2, 2), GT_ANY(2, 4, 2, 2), GT_ANY(2, 4, 2, 2),
                            FLAGS(2, 1, 3, 4)),
         HOW(true, 0.7)}),
};

gt_Tensor *gt_attend(gt_Tensor *query, gt_Tensor *key, gt_Tensor *value, gt_Tensor *mask,
                     bool is_causal, double scale)
{
    AttendOptions options = GT_VALUES(AttendOptions, is_causal, scale);
    return gt_apply_one_at(NULL, &gt_op_attend, &options, INPUTS,
                           (gt_Tensor *[]){query, key, value, mask});
}

/* ---- its gradient ---- */

static gt_Status gradient_shape(gt_ShapeRule *rule)
{
    char a[200];
    if (!attend_fits(rule))
        return gt_status();
    gt_Spec up = result_of(rule);
    if (rule->input[UP]->dtype != up.dtype ||
        !gt_dims_equal(rule->input[UP], &up))
        return gt_fail(GT_INVALID, "what arrives must be like the result (got %s)",
                       gt_spec_text(rule->input[UP], a, sizeof a));
    for (int i = Q; i <= V; i++)
        rule->output[i] = *rule->input[i];
    return GT_OK;
}

static void gradient_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_AttentionJob *job = lower(rule, lowering, GT_TILES_attention_gradient);
    lowering->launch[0].tiles = job->batch * job->heads / job->share;
    gt_lower_scratch(lowering, gt_attend_tiles_scratch(lowering->target, job, true));
}

/* x (batch, length, heads, n) as (batch, heads, length, n), and back. */
static gt_Tensor *turned(gt_Tensor *x)
{
    return gt_swapaxes(x, 1, 2);
}

/* What arrives at keys or values of so many heads (batch, heads, keys, n), in their layout; heads that share one are summed. */
static gt_Tensor *shared(gt_Tensor *x, int64_t share)
{
    gt_Shape shape = gt_tensor_shape(x);
    if (share > 1)
        x = gt_sum(gt_reshape(x, gt_shape(shape.dims[0], shape.dims[1] / share, share,
                                          shape.dims[2], shape.dims[3])),
                   .axis = 2);
    return turned(x);
}

/* Which scores count, or NULL: the mask and the causal one, whatever their shapes are. */
static gt_Tensor *counted(const AttendOptions *options, gt_Tensor *mask, gt_Tensor *scores)
{
    gt_Tensor *causal = options->causal ? gt_cast(gt_tril(gt_ones_like(scores)), GT_BOOL) : NULL;
    return causal && mask ? gt_logical_and(causal, mask) : causal ? causal : mask;
}

static gt_Status gradient_formula(const void *given, gt_Tensor *const *in, gt_Tensor **out)
{
    const AttendOptions *options = given;
    const int64_t heads = gt_dim(gt_tensor_shape(in[Q]), 2);
    const int64_t share = heads / gt_dim(gt_tensor_shape(in[K]), 2);
    const double lowest = gt_dtype(in[Q]) == GT_FLOAT64 ? -0.7 * 1.7976931348623157e308
                                                        : -0.7 * 3.4028234663852886e38;
    gt_Tensor *q = gt_multiply(turned(in[Q]), options->scale), *up = turned(in[UP]);
    gt_Tensor *k = turned(share > 1 ? gt_repeat(in[K], share, .axis = 2) : in[K]);
    gt_Tensor *v = turned(share > 1 ? gt_repeat(in[V], share, .axis = 2) : in[V]);
    gt_Tensor *s = gt_matmul(q, k, .transpose_b = true), *counts = counted(options, in[MASK], s);
    gt_Tensor *p = gt_softmax(counts ? gt_where(counts, s, lowest) : s);
    gt_Tensor *d = gt_matmul(up, v, .transpose_b = true);
    gt_Tensor *sum = gt_sum(gt_multiply(p, d), .axis = -1, .keepdims = true);
    gt_Tensor *ds = gt_multiply(p, gt_subtract(d, sum));
    ds = counts ? gt_where(counts, ds, 0) : ds;
    out[Q] = turned(gt_multiply(gt_matmul(ds, k), options->scale));
    out[K] = shared(gt_matmul(ds, q, .transpose_a = true), share);
    out[V] = shared(gt_matmul(p, up, .transpose_a = true), share);
    return gt_status();
}

static gt_Status gradient_gradient(gt_GradientRule *rule)
{
    return gt_rule_by_formula(rule, gradient_formula);
}

const gt_Operation gt_op_attend_gradient = {
    GT_RECORD_OUTPUTS("attend_gradient", "of q, k and v, from what arrives at the result",
                      GRADIENT_INPUTS, GRADIENT_INPUTS, 3),
    .flags = GT_OP_INTERNAL,
    .options = &AttendOptions_type,
    .optional_inputs = 1 << MASK,
    .saves_inputs = (1 << GRADIENT_INPUTS) - 1,
    .shape = gradient_shape,
    .lower = gradient_lower,
    .gradient = gradient_gradient,
    .samples =
        GT_SAMPLES({.inputs = GRADIENT_INPUTS,
                    .input = GT_INPUTS(GT_ANY(2, 3, 2, 4), GT_ANY(2, 5, 1, 4), GT_ANY(2, 5, 1, 3),
                                       ABSENT, GT_ANY(2, 3, 2, 3)),
                    HOW(false, 0.5)},
                   {.inputs = GRADIENT_INPUTS,
                    .input = GT_INPUTS(GT_ANY(1, 4, 2, 3), GT_ANY(1, 4, 2, 3), GT_ANY(1, 4, 2, 3),
                                       ABSENT, GT_ANY(1, 4, 2, 3)),
                    HOW(true, 0.7)},
                   {.inputs = GRADIENT_INPUTS,
                    .input = GT_INPUTS(GT_ANY(2, 3, 2, 2), GT_ANY(2, 4, 2, 2), GT_ANY(2, 4, 2, 2),
                                       FLAGS(2, 1, 3, 4), GT_ANY(2, 3, 2, 2)),
                    HOW(true, 0.7)}),
};
