/* Triangles of matrices: tril, triu. Leans on kernels/copies.h. */
#include "ops/array/indexing.h"
#include "ops/kit.h"

GT_OPTION_TYPE(gt_tril_options, gt_tril_OPTIONS);

static gt_Status triangle_shape(gt_ShapeRule *rule)
{
    char text[160];
    rule->output[0] = *rule->input[0];
    if (rule->input[0]->rank < 2)
        return gt_fail(GT_INVALID, "expected at least two axes (got shape %s)",
                       gt_dims_text(rule->input[0], text, sizeof text));
    return GT_OK;
}

/* A diagonal beyond the corner is as good as the first one beyond it. */
static void triangle_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_tril_options *options = rule->options;
    const gt_Spec *spec = &rule->output[0];
    int64_t rows = spec->dims[spec->rank - 2], columns = spec->dims[spec->rank - 1];
    if (spec->size == 0)
        return;
    gt_TriangleJob *job = gt_lower_launch(lowering, GT_TILES_triangle, 0, sizeof *job);
    job->element = (uint8_t)gt_dtype_size(spec->dtype);
    job->lower = rule->operation == &gt_op_tril;
    job->matrices = spec->size / (rows * columns);
    job->rows = rows;
    job->columns = columns;
    job->k = options->k < -rows ? -rows : options->k > columns ? columns : options->k;
    job->group = columns < GT_TILE_ELEMENTS ? GT_TILE_ELEMENTS / columns : 1;
    lowering->launch[0].tiles = (job->matrices * rows + job->group - 1) / job->group;
}

static gt_Status triangle_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0);
    return gt_give(rule, 0,
                   gt_apply_one_at(NULL, gt_rule_operation(rule), gt_rule_options(rule), 1, &up));
}

const gt_Operation gt_op_tril = {
    GT_RECORD("tril", "the lower triangle of x", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &gt_tril_options_type,
    .shape = triangle_shape,
    .lower = triangle_lower,
    .gradient = triangle_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(3, 3))},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(2, 3, 4)),
                           .options = &GT_VALUES(gt_tril_options, 1)}),
};
GT_DEFINE_OPTIONS(tril, gt_tril_options, x)

const gt_Operation gt_op_triu = {
    GT_RECORD("triu", "the upper triangle of x", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_HALF,
    .options = &gt_tril_options_type,
    .shape = triangle_shape,
    .lower = triangle_lower,
    .gradient = triangle_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(3, 3))},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_ANY(2, 3, 4)),
                           .options = &GT_VALUES(gt_tril_options, 1)}),
};
GT_DEFINE_OPTIONS(triu, gt_tril_options, x)
