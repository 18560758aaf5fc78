/* The shape rule, the step number and the tiles of all update operations, and the effects of
 * every optimizer: accumulation, moving averages, the step count. Leans on ops/kit.h. */
#include "ops/update/update.h"
#include "core/assert.h"

#include <string.h>

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

/* The gradient is like the variable, or like as many of its rows. */
static gt_Status check_gradient(const gt_ShapeRule *rule)
{
    const gt_Spec *gradient = rule->input[rule->outputs];
    gt_Spec wanted = *rule->input[0];
    if (rule->inputs > rows_input(rule->outputs)) {
        const gt_Spec *rows = rule->input[rows_input(rule->outputs)];
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
    return check_count(rule->input[rule->outputs + 2]);
}

/* Calls before this one: the last input that must be there. A count that cannot be is taken as
 * the nearest that can. */
static int64_t calls(const gt_Kernel *kernel)
{
    int64_t count = *(const int64_t *)kernel->input[kernel->operation->inputs_min - 1];
    return count < 0 ? 0 : count < INT64_MAX ? count : INT64_MAX - 1;
}

bool gt_update_due(const gt_Kernel *kernel, int64_t accumulation, int64_t *step)
{
    int64_t every = accumulation > 1 ? accumulation : 1, before = calls(kernel);
    *step = before / every + 1;
    return (before + 1) % every == 0;
}

double gt_update_learning_rate(const gt_Kernel *kernel)
{
    const void *rate = kernel->input[kernel->outputs + 1];
    return kernel->input_spec[kernel->outputs + 1]->dtype == GT_FLOAT64
               ? *(const double *)rate
               : (double)*(const float *)rate;
}

/* How the work is cut: parts of `width` numbers, `group` of them a tile. */
typedef struct Cut {
    gt_UpdateBody *body;
    void *argument;
    const int64_t *rows; /* which part of the variable part i of the gradient is for; NULL: i */
    int64_t parts, width, group;
} Cut;

/* Part `at` of variable and slots, `from` of the gradient. */
static void update_part(const gt_Kernel *kernel, const Cut *cut, int64_t at, int64_t from)
{
    int64_t size = kernel->output_spec[0]->size;
    size_t bytes = (size_t)cut->width * gt_dtype_size(kernel->output_spec[0]->dtype);
    GT_ASSERT(at >= 0 && at * cut->width < size);
    gt_UpdateTile tile = {.n = cut->width};
    if (tile.n > size - at * cut->width)
        tile.n = size - at * cut->width;
    for (int i = 0; i < kernel->outputs; i++)
        tile.output[i] = (char *)kernel->output[i] + (size_t)at * bytes;
    const char *gradient = kernel->input[kernel->outputs];
    tile.gradient = gradient ? gradient + (size_t)from * bytes : NULL;
    cut->body(kernel, &tile, cut->argument);
}

static void update_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                         void *scratch)
{
    (void)scratch;
    const Cut *cut = argument;
    int64_t end = last * cut->group < cut->parts ? last * cut->group : cut->parts;
    for (int64_t i = first * cut->group; i < end; i++) {
        int64_t at = cut->rows ? cut->rows[i] : i;
        if (!cut->rows || (at >= 0 && at < kernel->output_spec[0]->dims[0]))
            update_part(kernel, cut, at, i);
    }
}

gt_Status gt_update_run(const gt_Kernel *kernel, gt_UpdateBody *body, void *argument)
{
    const gt_Spec *spec = kernel->output_spec[0];
    Cut cut = {body, argument, NULL, (spec->size + GT_CHUNK - 1) / GT_CHUNK, GT_CHUNK, 1};
    if (kernel->inputs > rows_input(kernel->outputs) && spec->size > 0) {
        cut.rows = kernel->input[rows_input(kernel->outputs)];
        cut.parts = kernel->input_spec[rows_input(kernel->outputs)]->size;
        cut.width = spec->size / spec->dims[0];
        cut.group = cut.width < GT_CHUNK ? GT_CHUNK / cut.width : 1;
    }
    return gt_for_tiles(kernel, (cut.parts + cut.group - 1) / cut.group, update_tiles, &cut);
}

static gt_BinaryLoop *binary_loop(const gt_Kernel *kernel, gt_BinaryLoopId loop)
{
    return gt_context_kernels(kernel->context)
        ->binary[loop][gt_loop_type(kernel->output_spec[0]->dtype)];
}

/* ---- accumulation: sum += gradient, and 0 again after an update; no gradient: nothing to add ----
 */

static gt_Status pair_shape(gt_ShapeRule *rule)
{
    rule->output[0] = *rule->input[0];
    if (!gt_takes(rule->input[0], GT_TAKES_FLOAT) ||
        (rule->input[1] && check_like(rule->input[0], rule->input[1], "the other") != GT_OK))
        return gt_status();
    return check_count(rule->input[2]);
}

static void accumulate_tile(const gt_Kernel *kernel, const gt_UpdateTile *tile, void *due)
{
    if (*(bool *)due)
        memset(tile->output[0], 0, (size_t)tile->n * gt_dtype_size(kernel->output_spec[0]->dtype));
    else if (tile->gradient)
        binary_loop(kernel, GT_LOOP_ADD)(tile->n, tile->output[0], 1, tile->gradient, 1,
                                         tile->output[0]);
}

static gt_Status accumulate_gradient_run(const gt_Kernel *kernel)
{
    const gt_accumulate_gradient_options *options = kernel->options;
    int64_t step;
    bool due = gt_update_due(kernel, options->accumulation, &step);
    return gt_update_run(kernel, accumulate_tile, &due);
}

/* ---- moving averages ---- */

/* average = variable + m (average - variable), in place; the first one is the variable. */
static void ema_tile(const gt_Kernel *kernel, const gt_UpdateTile *tile, void *momentum)
{
    void *average = tile->output[0];
    const void *variable = tile->gradient;
    binary_loop(kernel, GT_LOOP_SUBTRACT)(tile->n, average, 1, variable, 1, average);
    binary_loop(kernel, GT_LOOP_MULTIPLY)(tile->n, average, 1, momentum, 0, average);
    binary_loop(kernel, GT_LOOP_ADD)(tile->n, average, 1, variable, 1, average);
}

static void copy_tile(const gt_Kernel *kernel, const gt_UpdateTile *tile, void *argument)
{
    (void)argument;
    memcpy(tile->output[0], tile->gradient,
           (size_t)tile->n * gt_dtype_size(kernel->output_spec[0]->dtype));
}

/* Keras counts updates here, also at the calls between two of them. */
static int64_t updates(const gt_Kernel *kernel, const gt_ema_update_options *options)
{
    return calls(kernel) / (options->accumulation > 1 ? options->accumulation : 1);
}

static gt_Status ema_update_run(const gt_Kernel *kernel)
{
    const gt_ema_update_options *options = kernel->options;
    float momentum_f32 = (float)options->momentum;
    double momentum_f64 = options->momentum;
    bool wide = kernel->output_spec[0]->dtype == GT_FLOAT64;
    if (updates(kernel, options) == 0)
        return gt_update_run(kernel, copy_tile, NULL);
    return gt_update_run(kernel, ema_tile, wide ? (void *)&momentum_f64 : (void *)&momentum_f32);
}

static gt_Status ema_overwrite_run(const gt_Kernel *kernel)
{
    const gt_ema_update_options *options = kernel->options;
    int64_t frequency = options->frequency > 1 ? options->frequency : 1;
    bool due = options->frequency == 0 ? calls(kernel) > 0
                                       : (updates(kernel, options) + 1) % frequency == 0;
    return due ? gt_update_run(kernel, copy_tile, NULL) : GT_OK;
}

/* ---- the step count ---- */

static gt_Status count_shape(gt_ShapeRule *rule)
{
    rule->output[0] = *rule->input[0];
    return check_count(rule->input[0]);
}

static gt_Status count_step_run(const gt_Kernel *kernel)
{
    int64_t *count = kernel->output[0];
    *count += *count < INT64_MAX;
    return GT_OK;
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
    .run = accumulate_gradient_run,
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
    .run = ema_update_run,
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
    .run = ema_overwrite_run,
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
    .run = count_step_run,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_UPDATE_COUNT)}),
};
