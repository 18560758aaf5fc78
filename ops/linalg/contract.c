/* contract: a product of two tensors, summed over axes that both have, as launches.
 *
 *   sort_labels       which labels are the batch, rows, columns and sums of a product of matrices, and how long they are
 *   contract_shape    the sizes of the result
 *   contract_lower    copies what does not lie as a product needs it, the products, a copy into the result's order
 *
 * The labels fall into four groups: the batch is in a, b and the result; rows in a and the result; columns in b and the
 * result; sums in a and b. Then the result is (batch, rows, columns), the products of a as (batch, rows, sums) and b as
 * (batch, sums, columns). Batch, rows and sums have the order that they have in a, columns that of b. An operand that lies
 * so in memory, or with its last two groups exchanged, is read in place; any other is copied to a temporary first.
 *
 * Example: "ibj,kbj->bki": batch b, rows i, columns k, sums j. a lies as (i, b, j) and is copied to (b, i, j); b likewise; the
 * products are (b, i, k) in a temporary, which is copied to (b, k, i). With the result "bik" there would be no third copy. Where
 * it is enough that a and b change places, as in "kj,ij->ik", they do.
 *
 * Bits: an element is one sum over all sums in the order of a, by gt_gemm's rule, wherever operands lie. */
#include "ops/linalg/contract.h"
#include "core/assert.h"
#include "ops/array/reshaping.h"
#include "ops/copies.h"
#include "ops/linalg/product.h"
#include "ops/masks.h"

GT_OPTION_TYPE(gt_ContractOptions, GT_CONTRACT_OPTIONS);

/* ---- labels ---- */

typedef enum Group { BATCH, ROWS, COLUMNS, SUMS, GROUPS } Group;

/* The labels of each group in order, and how many elements they count. */
typedef struct Groups {
    int count[GROUPS];
    int32_t label[GROUPS][GT_MAX_RANK];
    int64_t dim[GROUPS][GT_MAX_RANK];
    int64_t size[GROUPS];
} Groups;

/* The axis with that label; -1: none. The count may not have been checked yet. */
static int axis_with(const gt_Labels *labels, int32_t label)
{
    for (int i = 0; i < labels->count && i < GT_MAX_RANK; i++)
        if (labels->axis[i] == label)
            return i;
    return -1;
}

static gt_Status wrong_labels(const char *what, int32_t label)
{
    return gt_fail(GT_INVALID, "label %d %s", (int)label, what);
}

static gt_Status check_labels(const gt_Labels *labels, int rank, const gt_Labels *one,
                              const gt_Labels *other)
{
    if (labels->count != rank || rank < 0)
        return gt_fail(GT_INVALID, "expected a label for each of %d axes (got %d)", rank,
                       (int)labels->count);
    for (int i = 0; i < rank; i++) {
        if (axis_with(labels, labels->axis[i]) != i)
            return wrong_labels("must be given to one axis only", labels->axis[i]);
        if (axis_with(one, labels->axis[i]) < 0 && axis_with(other, labels->axis[i]) < 0)
            return wrong_labels("must be in two of a, b and the result", labels->axis[i]);
    }
    return GT_OK;
}

static void add_label(Groups *groups, Group group, int32_t label, int64_t dim)
{
    int at = groups->count[group]++;
    groups->label[group][at] = label;
    groups->dim[group][at] = dim;
    groups->size[group] *= dim;
}

/* Before: the labels are valid. False, without an error, if an axis that both operands have differs in size; `label` gets
 * it. */
static bool sort_labels(Groups *groups, const gt_ContractOptions *options, const gt_Spec *a,
                        const gt_Spec *b, int32_t *label)
{
    for (int g = 0; g < GROUPS; g++) {
        groups->count[g] = 0;
        groups->size[g] = 1;
    }
    for (int i = 0; i < a->rank; i++) {
        *label = options->a.axis[i];
        int in_b = axis_with(&options->b, *label);
        bool kept = axis_with(&options->result, *label) >= 0;
        int64_t dim = a->dims[i], other = in_b < 0 ? dim : b->dims[in_b];
        if (dim != other && (*label >= 0 || (dim != 1 && other != 1)))
            return false;
        add_label(groups, in_b < 0 ? ROWS : kept ? BATCH : SUMS, *label, dim == 1 ? other : dim);
    }
    for (int i = 0; i < b->rank; i++)
        if (axis_with(&options->a, options->b.axis[i]) < 0)
            add_label(groups, COLUMNS, options->b.axis[i], b->dims[i]);
    return true;
}

static int64_t length_of(const Groups *groups, int32_t label)
{
    for (int g = 0; g < GROUPS; g++)
        for (int i = 0; i < groups->count[g]; i++)
            if (groups->label[g][i] == label)
                return groups->dim[g][i];
    return 1;
}

/* ---- shape ---- */

static gt_Status contract_shape(gt_ShapeRule *rule)
{
    const gt_ContractOptions *options = rule->options;
    const gt_Spec *a = rule->input[0], *b = rule->input[1];
    gt_Spec *out = &rule->output[0];
    Groups groups;
    int32_t label;
    if (!gt_product_type(a, b, &out->dtype) ||
        check_labels(&options->a, a->rank, &options->b, &options->result) != GT_OK ||
        check_labels(&options->b, b->rank, &options->a, &options->result) != GT_OK ||
        check_labels(&options->result, options->result.count, &options->a, &options->b) != GT_OK)
        return gt_status();
    if (!sort_labels(&groups, options, a, b, &label)) {
        int64_t in_a = a->dims[axis_with(&options->a, label)];
        int64_t in_b = b->dims[axis_with(&options->b, label)];
        return gt_fail(GT_INVALID, "axes that run together must have one size (got %lld and %lld)",
                       (long long)in_a, (long long)in_b);
    }
    out->rank = options->result.count;
    for (int i = 0; i < out->rank; i++)
        out->dims[i] = length_of(&groups, options->result.axis[i]);
    return GT_OK;
}

/* ---- launches ---- */

/* Do the axes come in the order of these three groups, none of them repeated? Axes of size 1 do not count. */
static bool lies(const gt_Labels *labels, const gt_Spec *spec, const Groups *groups,
                 const Group order[3])
{
    int at = 0;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < groups->count[order[k]]; i++) {
            if (groups->dim[order[k]][i] == 1)
                continue;
            while (at < spec->rank && spec->dims[at] == 1)
                at++;
            if (at == spec->rank || labels->axis[at] != groups->label[order[k]][i])
                return false;
            at++;
        }
    return true;
}

static const Group left[3] = {BATCH, ROWS, SUMS}, left_turned[3] = {BATCH, SUMS, ROWS};
static const Group right[3] = {BATCH, SUMS, COLUMNS}, right_turned[3] = {BATCH, COLUMNS, SUMS};
static const Group natural[3] = {BATCH, ROWS, COLUMNS};

/* Which operands are read in place, and the products. */
typedef struct Contraction {
    gt_ContractOptions options; /* a and b as the products have them */
    int a;                      /* which input is a; b is the other one */
    Groups groups;
    bool a_lies, b_lies, result_lies;
    gt_ProductJob job;
} Contraction;

static void plan_in_order(Contraction *c, const gt_Spec *a, const gt_Spec *b, const gt_Spec *out)
{
    const gt_ContractOptions *options = &c->options;
    int32_t label;
    bool fits = sort_labels(&c->groups, options, a, b, &label);
    GT_ASSERT(fits);
    (void)fits;
    gt_ProductJob *job = &c->job;
    gt_product_types(job, a, b, out);
    job->m = c->groups.size[ROWS];
    job->n = c->groups.size[COLUMNS];
    job->k = c->groups.size[SUMS];
    bool a_straight = lies(&options->a, a, &c->groups, left);
    bool b_straight = lies(&options->b, b, &c->groups, right);
    job->transpose_a = !a_straight && lies(&options->a, a, &c->groups, left_turned);
    job->transpose_b = !b_straight && lies(&options->b, b, &c->groups, right_turned);
    c->a_lies = a_straight || job->transpose_a;
    c->b_lies = b_straight || job->transpose_b;
    c->result_lies = lies(&options->result, out, &c->groups, natural);
    job->walk.rank = 1;
    job->walk.dims[0] = c->groups.size[BATCH];
    job->walk.stride[0][0] = job->walk.stride[1][0] = 1;
    job->a = (uint8_t)c->a;
    job->b = (uint8_t)(1 - c->a);
}

/* Are the sums in one order, hence the bits the same? */
static bool same_sums(const Groups *one, const Groups *other)
{
    bool same = one->count[SUMS] == other->count[SUMS];
    for (int i = 0; same && i < one->count[SUMS]; i++)
        same = one->label[SUMS][i] == other->label[SUMS][i];
    return same;
}

/* The operands change places if the result lies right then. */
static void plan_contraction(Contraction *c, const gt_ShapeRule *rule)
{
    const gt_ContractOptions *given = rule->options;
    const gt_Spec *a = rule->input[0], *b = rule->input[1], *out = &rule->output[0];
    Contraction other = {.options = *given, .a = 1};
    *c = (Contraction){.options = *given};
    plan_in_order(c, a, b, out);
    if (c->result_lies)
        return;
    other.options.a = given->b;
    other.options.b = given->a;
    plan_in_order(&other, b, a, out);
    if (other.result_lies && same_sums(&c->groups, &other.groups))
        *c = other;
}

/* A launch that copies an operand to a temporary in the order of the groups; returns where it is in `at`. */
static uint8_t packed(const gt_ShapeRule *rule, gt_Lowering *lowering, int input,
                      const gt_Labels *labels, const Groups *groups, const Group order[3])
{
    const gt_Spec *spec = rule->input[input];
    int64_t stride[GT_MAX_RANK], size = 1;
    gt_strides(spec, stride);
    for (int k = 0; k < 3; k++)
        size *= groups->size[order[k]];
    size_t bytes = (size_t)size * gt_dtype_size(spec->dtype);
    int32_t to = gt_lower_temporary(lowering, rule, bytes ? bytes : 1);
    gt_CopyJob *job = gt_lower_copy(lowering, spec->dtype, input, to);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < groups->count[order[k]]; i++) {
            int64_t dim = groups->dim[order[k]][i];
            int axis = axis_with(labels, groups->label[order[k]][i]);
            size = dim ? size / dim : 0;
            gt_copy_axis(job, dim, spec->dims[axis] == 1 ? 0 : stride[axis], size);
        }
    gt_copy_end(lowering, job);
    return (uint8_t)to;
}

/* A launch that copies the products from a temporary into the order of the result. */
static void spread(const gt_ShapeRule *rule, gt_Lowering *lowering, int from, const Groups *groups)
{
    const gt_ContractOptions *options = rule->options;
    const gt_Spec *out = &rule->output[0];
    int64_t read[GT_MAX_RANK], write[GT_MAX_RANK], step = 1;
    gt_strides(out, write);
    for (int k = 2; k >= 0; k--)
        for (int i = groups->count[natural[k]] - 1; i >= 0; i--) {
            read[axis_with(&options->result, groups->label[natural[k]][i])] = step;
            step *= groups->dim[natural[k]][i];
        }
    gt_CopyJob *job = gt_lower_copy(lowering, out->dtype, from, rule->inputs);
    for (int d = 0; d < out->rank; d++)
        gt_copy_axis(job, out->dims[d], read[d], write[d]);
    gt_copy_end(lowering, job);
}

static void contract_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_Spec *out = &rule->output[0];
    Contraction c;
    plan_contraction(&c, rule);
    if (!c.a_lies)
        c.job.a = packed(rule, lowering, c.a, &c.options.a, &c.groups, left);
    if (!c.b_lies)
        c.job.b = packed(rule, lowering, 1 - c.a, &c.options.b, &c.groups, right);
    if (!c.result_lies)
        c.job.c = (uint8_t)gt_lower_temporary(lowering, rule, gt_spec_bytes(out));
    gt_lower_product(rule, lowering, &c.job, c.groups.size[BATCH]);
    if (!c.result_lies)
        spread(rule, lowering, c.job.c, &c.groups);
}

/* ---- gradient ---- */

/* dA runs over the labels of b and the result, dB over those of a and the result. The first operand decides the order of
 * the sums, which is that of columns and rows. dA comes last: what is added to it then follows it in a plan, and both are one
 * step. */
static gt_Status contract_gradient(gt_GradientRule *rule)
{
    const gt_ContractOptions *options = gt_rule_options(rule);
    const gt_Labels *labels[2] = {&options->a, &options->b};
    gt_Tensor *slope[2] = {NULL, NULL};
    for (int i = 1; i >= 0; i--)
        if (gt_wants(rule, i))
            slope[i] = gt_contract(gt_rule_input(rule, 1 - i), gt_upstream(rule, 0), labels[1 - i],
                                   &options->result, labels[i]);
    for (int i = 0; i < 2; i++) {
        const gt_Spec *spec = gt_rule_input_spec(rule, i);
        if (gt_wants(rule, i))
            gt_give(rule, i, gt_narrowed(gt_unbroadcast(slope[i], spec), spec->dtype));
    }
    return gt_status();
}

/* ---- masks ---- */

/* The mask with its axes where the result has them, and axes of size 1 between; NULL with an error raised where one is
 * summed over. */
static gt_Tensor *mask_of_result(gt_MaskRule *rule, int input, const gt_Labels *labels)
{
    const gt_Labels *result = &((const gt_ContractOptions *)rule->shape->options)->result;
    int axes = gt_mask_axes(rule, input);
    for (int i = 0; i < axes; i++)
        if (axis_with(result, labels->axis[i]) < 0) {
            gt_mask_refuse(rule, input, i);
            return NULL;
        }
    gt_Axes perm = gt_axes();
    int last = -1;
    for (int d = 0; d < result->count; d++) {
        int axis = axis_with(labels, result->axis[d]);
        if (axis >= 0 && axis < axes) {
            perm.axis[perm.count++] = axis;
            last = d;
        }
    }
    gt_Tensor *mask = gt_transpose(rule->input[input], .perm = perm);
    for (int d = 0; d < last; d++) {
        int axis = axis_with(labels, result->axis[d]);
        if (axis < 0 || axis >= axes)
            mask = gt_expand_dims(mask, d);
    }
    return mask;
}

static gt_Status contract_mask(gt_MaskRule *rule)
{
    const gt_ContractOptions *options = rule->shape->options;
    for (int i = 0; i < 2; i++)
        if (rule->input[i] &&
            gt_mask_join(rule, 0, mask_of_result(rule, i, i ? &options->b : &options->a)) != GT_OK)
            return gt_status();
    return GT_OK;
}

/* ---- the operation ---- */

#define LABELS(...)                                                                                \
    {                                                                                              \
        GT_MARK, (int32_t)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)),                    \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define LABELED(...) .options = &GT_VALUES(gt_ContractOptions, __VA_ARGS__)
const gt_Operation gt_op_contract = {
    GT_RECORD("contract", "sum of a b over the labels that the result does not have", 2, 2),
    .flags = GT_OP_INTERNAL | GT_OP_HALF,
    .options = &gt_ContractOptions_type,
    .saves_inputs = 3,
    .shape = contract_shape,
    .lower = contract_lower,
    .gradient = contract_gradient,
    .mask = contract_mask,
    .samples = GT_SAMPLES({.inputs = 2,
                           .input = GT_INPUTS(GT_ANY(2, 3), GT_ANY(3, 2)),
                           LABELED(LABELS(0, 1), LABELS(1, 2), LABELS(0, 2))},
                          {.inputs = 2,
                           .input = GT_INPUTS(GT_ANY(3, 2), GT_ANY(2, 3)),
                           LABELED(LABELS(1, 0), LABELS(2, 1), LABELS(2, 0))},
                          {.inputs = 2,
                           .input = GT_INPUTS(GT_ANY(2, 2, 3), GT_ANY(3, 2, 3)),
                           LABELED(LABELS(0, 1, 2), LABELS(3, 1, 2), LABELS(1, 3, 0))},
                          {.inputs = 2,
                           .input = GT_INPUTS(GT_ANY(1, 2), GT_ANY(3, 2)),
                           LABELED(LABELS(-1, 0), LABELS(-1, 0), LABELS(-1))},
                          {.inputs = 2,
                           .input = GT_INPUTS(GT_ANY(2), GT_ANY(3)),
                           LABELED(LABELS(0), LABELS(1), LABELS(1, 0))},
                          {.inputs = 2,
                           .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_ANY(2, 2, 3)),
                           LABELED(LABELS(0, 1, 2), LABELS(0, 2, 1), {GT_MARK, 1, {0}})}),
};

gt_Tensor *gt_contract(gt_Tensor *a, gt_Tensor *b, const gt_Labels *of_a, const gt_Labels *of_b,
                       const gt_Labels *result)
{
    const gt_ContractOptions options = GT_VALUES(gt_ContractOptions, *of_a, *of_b, *result);
    return gt_apply_one_at(NULL, &gt_op_contract, &options, 2, (gt_Tensor *[]){a, b});
}
