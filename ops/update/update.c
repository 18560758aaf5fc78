/* The shape rule, the step number and the tiles of all update operations, and the effects of
 * every optimizer: accumulation, moving averages, the step count. Leans on ops/kit.h. */
#include "ops/update/update.h"

GT_OPTION_TYPE(gt_accumulate_gradient_options, gt_accumulate_gradient_OPTIONS);
GT_OPTION_TYPE(gt_ema_update_options, gt_ema_update_OPTIONS);

/* ---- shared ---- */

static gt_Status check_like(const gt_Spec *variable, const gt_Spec *other, const char *what)
{
    char a[200], b[200];
    if (gt_spec_equal(variable, other))
        return GT_OK;
    return gt_fail(GT_INVALID, "%s must be %s, as the variable (got %s)", what,
                   gt_spec_text(variable, a, sizeof a), gt_spec_text(other, b, sizeof b));
}

static gt_Status check_count(const gt_Spec *count)
{
    if (count->dtype == GT_INT64 && count->size == 1)
        return GT_OK;
    return gt_fail(GT_INVALID, "the step count must be an int64 scalar");
}

/* Which input says what rows the gradient has; there may be none. */
static int rows_input(int outputs)
{
    return outputs + 3;
}

/* The rows, and the factor behind them; NULL: absent. */
static const gt_Spec *optional_input(const gt_ShapeRule *rule, int which)
{
    int at = rows_input(rule->outputs) + which;
    return rule->inputs > at ? rule->input[at] : NULL;
}

/* The gradient is like the variable, or like as many of its rows. */
static gt_Status check_gradient(const gt_ShapeRule *rule)
{
    const gt_Spec *gradient = rule->input[rule->outputs];
    gt_Spec wanted = *rule->input[0];
    const gt_Spec *rows = optional_input(rule, 0);
    if (rows) {
        if (rows->dtype != GT_INT64 || rows->rank != 1 || wanted.rank < 1)
            return gt_fail(GT_INVALID, "the rows must be an int64 vector");
        wanted.dims[0] = rows->size;
        gt_spec_resize(&wanted);
    }
    return check_like(&wanted, gradient, "the gradient");
}

gt_Status gt_update_shape(gt_ShapeRule *rule)
{
    const gt_Spec *variable = rule->input[0];
    const gt_Spec *rate = rule->input[rule->outputs + 1];
    if (!gt_takes(variable, GT_TAKES_FLOAT))
        return gt_status();
    for (int i = 0; i < rule->outputs; i++) {
        if (check_like(variable, rule->input[i], "a slot") != GT_OK)
            return gt_status();
        rule->output[i] = *variable;
    }
    if (check_gradient(rule) != GT_OK)
        return gt_status();
    if (rate->size != 1 || !gt_dtype_is_float(rate->dtype))
        return gt_fail(GT_INVALID, "the learning rate must be a float scalar");
    const gt_Spec *factor = optional_input(rule, 1);
    if (factor && (factor->size != 1 || !gt_dtype_is_float(factor->dtype)))
        return gt_fail(GT_INVALID, "the factor must be a float scalar");
    return check_count(rule->input[rule->outputs + 2]);
}

/* Is the gradient of rows? */
static bool is_by_rows(const gt_ShapeRule *rule)
{
    return optional_input(rule, 0) && rule->output[0].size > 0;
}

static int64_t positive(int64_t number)
{
    return number > 1 ? number : 1;
}

gt_UpdateJob gt_update_job(const gt_ShapeRule *rule, int64_t accumulation)
{
    const gt_Spec *spec = &rule->output[0], *rate = rule->input[rule->outputs + 1];
    bool by_rows = is_by_rows(rule);
    const gt_Spec *factor = optional_input(rule, 1);
    gt_UpdateJob job = {.type = (uint8_t)gt_loop_type(spec->dtype),
                        .rate = (uint8_t)gt_loop_type(rate->dtype),
                        .slots = (uint8_t)(rule->outputs - 1),
                        .by_rows = by_rows,
                        .scaled = factor ? (uint8_t)(1 + (int)gt_loop_type(factor->dtype)) : 0,
                        .accumulation = positive(accumulation),
                        .size = spec->size,
                        .width = spec->size,
                        .parts = 1,
                        .group = 1};
    if (by_rows) {
        job.width = spec->size / spec->dims[0];
        job.parts = rule->input[rows_input(rule->outputs)]->size;
        job.group = positive(GT_TILE_ELEMENTS / job.width);
    }
    return job;
}

int64_t gt_update_tiles(const gt_ShapeRule *rule)
{
    const gt_UpdateJob job = gt_update_job(rule, 1);
    return job.by_rows ? (job.parts + job.group - 1) / job.group : gt_element_tiles(job.size);
}

/* ---- two arrays and the count: accumulation, moving averages ---- */

static gt_Status pair_shape(gt_ShapeRule *rule)
{
    rule->output[0] = *rule->input[0];
    if (!gt_takes(rule->input[0], GT_TAKES_FLOAT) ||
        (rule->input[1] && check_like(rule->input[0], rule->input[1], "the other") != GT_OK))
        return gt_status();
    return check_count(rule->input[2]);
}

static gt_PairJob *lower_pair(const gt_ShapeRule *rule, gt_Lowering *lowering,
                              gt_TileKernelId kernel, int64_t accumulation)
{
    const gt_Spec *spec = &rule->output[0];
    gt_PairJob *job = gt_lower_launch(lowering, kernel, gt_element_tiles(spec->size), sizeof *job);
    *job = (gt_PairJob){.type = gt_loop_type(spec->dtype),
                        .size = spec->size,
                        .accumulation = positive(accumulation)};
    return job;
}

static void accumulate_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_accumulate_gradient_options *options = rule->options;
    lower_pair(rule, lowering, GT_TILES_accumulate, options->accumulation);
}

static void ema_update_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_ema_update_options *options = rule->options;
    lower_pair(rule, lowering, GT_TILES_average, options->accumulation)->momentum =
        options->momentum;
}

static void ema_overwrite_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_ema_update_options *options = rule->options;
    lower_pair(rule, lowering, GT_TILES_overwrite, options->accumulation)->frequency =
        options->frequency == 0 ? 0 : positive(options->frequency);
}

/* ---- the step count ---- */

static gt_Status count_shape(gt_ShapeRule *rule)
{
    rule->output[0] = *rule->input[0];
    return check_count(rule->input[0]);
}

static void count_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    (void)rule;
    gt_lower_launch(lowering, GT_TILES_count, 1, 0);
}

/* ---- records ---- */

#define PAIR_INPUTS GT_INPUTS(GT_ANY(2, 3), GT_ANY(2, 3), GT_UPDATE_COUNT)

const gt_Operation gt_op_accumulate_gradient = {
    GT_RECORD("accumulate_gradient", "sum += gradient, or 0 when an update is due", 3, 3),
    .flags = GT_UPDATE_FLAGS | GT_OP_ELEMENTWISE,
    .why_not = GT_UPDATE_WHY_NOT,
    .options = &gt_accumulate_gradient_options_type,
    .optional_inputs = 1u << 1,
    .shape = pair_shape,
    .lower = accumulate_lower,
    .samples = GT_SAMPLES(
        {.inputs = 3, .input = PAIR_INPUTS},
        {.inputs = 3,
         .input = PAIR_INPUTS,
         .options = &GT_VALUES(gt_accumulate_gradient_options, 20)},
        {.inputs = 3, .input = GT_INPUTS(GT_ANY(2, 3), {.dtype = GT_DTYPE_NONE}, GT_UPDATE_COUNT)}),
};

const gt_Operation gt_op_ema_update = {
    GT_RECORD("ema_update", "average = m * average + (1 - m) * variable", 3, 3),
    .flags = GT_UPDATE_FLAGS | GT_OP_ELEMENTWISE,
    .why_not = GT_UPDATE_WHY_NOT,
    .options = &gt_ema_update_options_type,
    .shape = pair_shape,
    .lower = ema_update_lower,
    .samples = GT_SAMPLES({.inputs = 3, .input = PAIR_INPUTS},
                          {.inputs = 3,
                           .input = PAIR_INPUTS,
                           .options = &GT_VALUES(gt_ema_update_options, 0.5, 1, 20)}),
};

const gt_Operation gt_op_ema_overwrite = {
    GT_RECORD("ema_overwrite", "variable = average, every `frequency` updates", 3, 3),
    .flags = GT_UPDATE_FLAGS | GT_OP_ELEMENTWISE,
    .why_not = GT_UPDATE_WHY_NOT,
    .options = &gt_ema_update_options_type,
    .shape = pair_shape,
    .lower = ema_overwrite_lower,
    .samples = GT_SAMPLES({.inputs = 3, .input = PAIR_INPUTS},
                          {.inputs = 3,
                           .input = PAIR_INPUTS,
                           .options = &GT_VALUES(gt_ema_update_options, 0.5, 0, 1)}),
};

const gt_Operation gt_op_count_step = {
    GT_RECORD("count_step", "count += 1", 1, 1),
    .flags = GT_UPDATE_FLAGS,
    .why_not = GT_UPDATE_WHY_NOT,
    .shape = count_shape,
    .lower = count_lower,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_UPDATE_COUNT)}),
};
