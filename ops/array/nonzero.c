/* Coordinates of what is not 0. Leans on kernels/lookups.h. */
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/reduce.h"

#include <string.h>

GT_OPTION_TYPE(gt_nonzero_options, gt_nonzero_OPTIONS);

static gt_Status nonzero_shape(gt_ShapeRule *rule)
{
    const gt_nonzero_options *options = rule->options;
    const gt_Spec *in = rule->input[0];
    if (in->rank == 0)
        return gt_fail(GT_INVALID, "a number without axes has no coordinates");
    if (options->length < 0 || options->length > INT32_MAX)
        return gt_fail(GT_INVALID, "length must be from 0 to %d (got %lld)", INT32_MAX,
                       (long long)options->length);
    gt_spec_set(&rule->output[0], GT_INT64, gt_shape(in->rank, options->length));
    return GT_OK;
}

static void nonzero_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_nonzero_options *options = rule->options;
    const gt_Spec *in = rule->input[0];
    gt_NonzeroJob *job = gt_lower_launch(lowering, GT_TILES_nonzero, 1, sizeof *job);
    int type = gt_loop_type(in->dtype);
    job->type = (uint8_t)(type < 0 ? GT_LOOP_TYPES : type);
    job->rank = in->rank;
    job->size = in->size;
    job->length = options->length;
    job->fill = options->fill_value;
    memcpy(job->dims, in->dims, sizeof job->dims);
}

/* Where an element lands depends on all before it. */
static gt_Status nonzero_mask(gt_MaskRule *rule)
{
    return gt_mask_rows(rule, 0);
}

const gt_Operation gt_op_nonzero = {
    GT_RECORD("nonzero", "coordinates of the elements of x that are not 0", 1, 1),
    .flags = GT_OP_NOT_DIFFERENTIABLE | GT_OP_HALF,
    .why_not = "it is a position, an integer",
    .options = &gt_nonzero_options_type,
    .shape = nonzero_shape,
    .lower = nonzero_lower,
    .mask = nonzero_mask,
    .samples = GT_SAMPLES({.inputs = 1,
                           .input = GT_INPUTS(GT_WHOLE(GT_BOOL, 0, 2, 3, 4)),
                           .options = &GT_VALUES(gt_nonzero_options, 7, 0)},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_WHOLE(GT_INT32, 0, 3, 6)),
                           .options = &GT_VALUES(gt_nonzero_options, 6, -1)}),
};

/* The number of places, if it is to be found in x itself; -1 with an error raised. */
static int64_t count_places(gt_Tensor *x)
{
    gt_Context *context = gt_enter();
    gt_Value *value = context ? gt_value_read(context, NULL, NULL, "x", 0, x) : NULL;
    if (value && gt_value_is_symbol(value))
        gt_fail(GT_UNSUPPORTED, "inside a traced function the numbers of x, and so the number of "
                                "places, are not known yet: say .length, and with .fill_value what "
                                "follows the last place");
    gt_Tensor *count = gt_status() == GT_OK ? gt_count_nonzero(x) : NULL;
    double places = count ? gt_item(count) : -1;
    return gt_status() == GT_OK ? (int64_t)places : -1;
}

static gt_Tensor *nonzero(gt_Tensor *x, const gt_nonzero_options *given)
{
    gt_nonzero_options options;
    GT_TAKE(gt_nonzero_options, &options, given);
    if (options.length == GT_INHERIT) {
        options.length = gt_rank(x) > 0 ? count_places(x) : 0;
        if (gt_status() != GT_OK)
            return NULL;
    }
    return gt_apply_one_at(NULL, &gt_op_nonzero, &options, 1, &x);
}
GT_COMPOSED_OPTIONS(nonzero, nonzero, gt_nonzero_options)
