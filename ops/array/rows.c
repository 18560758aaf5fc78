/* Gradients that are rows: what a scatter_add along axis 0 holds that nobody has read, and the distinct rows of one. Leans on
 * scatter.c. */
#include "ops/array/indexing.h"
#include "ops/array/lookup.h"

/* Indices (n) and values (n, ...) that the result waits for, of any shape; false if it is not rows. */
static bool late_rows(const gt_Value *value, gt_Value **indices, gt_Value **values)
{
    gt_Value *input[GT_MAX_INPUTS];
    const gt_ScatterOptions *options = gt_value_late(value, &gt_op_scatter_add, input);
    const gt_Spec *whole = gt_value_spec(value);
    if (!options || (options->axis != 0 && options->axis != -whole->rank))
        return false;
    *indices = input[0];
    *values = input[1];
    return gt_value_spec(*indices)->size < whole->dims[0];
}

static gt_Tensor *flattened(gt_Value *value, gt_Shape shape)
{
    gt_Tensor *x = gt_value_handle(value);
    return gt_value_spec(value)->rank == shape.rank ? x : gt_reshape(x, shape);
}

bool gt_rows_at(const char *here, gt_Tensor *gradient, gt_Tensor **indices, gt_Tensor **values)
{
    if (indices)
        *indices = NULL;
    if (values)
        *values = NULL;
    gt_Context *context = gt_enter();
    if (!context || !gt_tensor_check(context, here, "rows", "the gradient", gradient))
        return false;
    const gt_Value *whole = gt_tensor_value(gradient);
    gt_Value *late_indices, *late_values;
    if (!late_rows(whole, &late_indices, &late_values))
        return false;
    gt_Site site = gt_site_enter(here, "rows");
    gt_Shape shape = gt_spec_shape(gt_value_spec(whole));
    shape.dims[0] = gt_value_spec(late_indices)->size;
    if (indices)
        *indices = flattened(late_indices, gt_shape(shape.dims[0]));
    if (values)
        *values = flattened(late_values, shape);
    gt_site_leave(&site);
    return gt_status() == GT_OK;
}

/* ---- distinct ---- */

/* Output 0: the distinct indices in order of first appearance, padded with `count`. Output 1: for each input index, its
 * position in output 0. */
#define DISTINCT_OPTIONS(F, S)                                                                     \
    F(S, int64_t, count, 1, "the indices are below it; negative ones count from there")
GT_OPTIONS(DistinctOptions, DISTINCT_OPTIONS);
GT_OPTION_TYPE(DistinctOptions, DISTINCT_OPTIONS);

static gt_Status distinct_shape(gt_ShapeRule *rule)
{
    const DistinctOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    if (!gt_takes_indices(in))
        return gt_status();
    if (in->rank != 1)
        return gt_fail(GT_INVALID, "expected a vector of indices (got rank %d)", in->rank);
    if (options->count < 0)
        return gt_fail(GT_INVALID, "count must be >= 0 (got %lld)", (long long)options->count);
    rule->output[0] = *in;
    rule->output[0].dtype = GT_INT64;
    rule->output[1] = rule->output[0];
    return GT_OK;
}

static void distinct_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const DistinctOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    gt_lower_indices(rule, lowering, 0, -options->count, options->count);
    gt_DistinctJob *job = gt_lower_launch(lowering, GT_TILES_distinct, 1, sizeof *job);
    job->type = (uint8_t)gt_loop_type(in->dtype);
    job->n = in->size;
    job->count = options->count;
    job->places = 2;
    while (job->places < 2 * in->size)
        job->places *= 2;
    gt_lower_temporary(lowering, rule, (size_t)job->places * sizeof(int64_t));
}

static gt_Status distinct_complain(const gt_ShapeRule *rule, void *const *at, int64_t position)
{
    const DistinctOptions *options = rule->options;
    return gt_complain_index(rule, at, 0, position, 0, -options->count, options->count);
}

const gt_Operation gt_op_distinct = {
    GT_RECORD_OUTPUTS("distinct", "every index once, and which of those each one is", 1, 1, 2),
    .flags = GT_OP_NOT_DIFFERENTIABLE | GT_OP_INTERNAL,
    .why_not = "its input is integer-valued",
    .options = &DistinctOptions_type,
    .shape = distinct_shape,
    .lower = distinct_lower,
    .complain = distinct_complain,
    .samples = GT_SAMPLES({.inputs = 1,
                           .input = GT_INPUTS(GT_WHOLE(GT_INT32, -3, 3, 5)),
                           .options = &GT_VALUES(DistinctOptions, 3)}),
};

gt_Tensor *gt_distinct_rows(gt_Tensor **gradient)
{
    gt_Tensor *indices, *values, *out[2];
    if (!gt_rows(*gradient, &indices, &values))
        return NULL;
    DistinctOptions options = GT_VALUES(DistinctOptions, gt_tensor_shape(*gradient).dims[0]);
    gt_apply_at(NULL, &gt_op_distinct, &options, 1, &indices, out);
    *gradient = gt_scatter_add(out[1], values, gt_tensor_shape(values));
    return out[0];
}
