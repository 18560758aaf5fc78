/* A chain, as launches: tiles of the head, if there is one, each followed by the steps while it is in the cache. What a convolution,
 * a product or a batch norm can do itself, while its sums are in registers or as it writes, becomes part of its job and is no step.
 *
 *     conv+add+relu (x, k, b) -> h, y        pack k;  for each tile of h: conv, add b, relu
 *
 * Which steps make a chain is decided in passes/chains.c. Leans on kernels/chain.h, the jobs of heads. */
#include "plan/chain.h"
#include "kernels/batch.h"
#include "ops/lowering.h"
#include "ops/tiles.h"

#include <string.h>

GT_MADE_OPTION_TYPE(gt_ChainOptions);

/* The head by itself. */
static void lower_head(const gt_ShapeRule *rule, const gt_ChainOptions *options,
                       gt_Lowering *lowering)
{
    gt_ShapeRule head = {.operation = options->head,
                         .options = options->head_options,
                         .inputs = options->head_inputs,
                         .outputs = options->head_outputs};
    for (int32_t i = 0; i < head.inputs; i++)
        head.input[i] = rule->input[options->job.head_at[i]];
    for (int32_t i = 0; i < head.outputs; i++)
        head.output[i] = rule->output[i];
    gt_lower(&head, lowering->target, lowering);
}

/* Makes a launch of the head the first part of a chain's tiles: it finds its operands among those of the chain. */
static void take_head(gt_ChainJob *job, const gt_ShapeRule *rule, const gt_ChainOptions *options,
                      const gt_Launch *head, uint32_t at, int32_t temporaries)
{
    memcpy(job->head_at, options->job.head_at, sizeof job->head_at);
    for (int32_t i = 0; i < temporaries; i++)
        job->head_at[options->head_inputs + options->head_outputs + i] =
            (int8_t)(rule->inputs + rule->outputs + i);
    job->tile = head->span;
    job->head = head->kernel;
    job->head_job = (int32_t)head->job - (int32_t)at;
}

/* Does a step from `first` on read what `from` holds now? */
static bool is_read(const gt_ChainJob *job, int32_t first, int from)
{
    for (int32_t s = first; s < job->steps; s++) {
        for (int i = 0; i < job->step[s].operands; i++)
            if (job->step[s].operand[i].from == from)
                return true;
        if (job->step[s].result.from == from)
            return false;
    }
    return false;
}

/* The steps that read the block of scratch memory `slot` read the elements at place `at` instead. */
static void read_instead(gt_ChainJob *job, int32_t first, int slot, int at)
{
    for (int32_t s = first; s < job->steps && is_read(job, s, slot); s++)
        for (int i = 0; i < job->step[s].operands; i++) {
            gt_ChainOperand *operand = &job->step[s].operand[i];
            if (operand->from == slot) {
                operand->from = (uint8_t)at;
                operand->advance = operand->bytes;
            }
        }
}

/* Steps [0, taken) of the chain are the head's, which writes what the last of these would have written; if that was for the chain
 * alone, then where its own result would be. */
static void leave_to_head(gt_ChainJob *job, const gt_ChainOptions *options, int output,
                          int32_t taken)
{
    const int made = job->step[taken - 1].result.from;
    if (made < GT_CHAIN_OPERANDS)
        job->head_at[options->head_inputs] = (int8_t)made;
    else
        read_instead(job, taken, made, output);
    job->steps -= taken;
    memmove(job->step, job->step + taken, (size_t)job->steps * sizeof *job->step);
}

/* Is the chain's first step head + bias, a row of `width` elements, and what the head makes for nobody else? The bias gets the
 * place `place` among the head's operands then. */
static bool takes_bias(gt_ChainJob *job, const gt_ChainOptions *options, int64_t width, int type,
                       int output, int place)
{
    const gt_ChainStep *add = &job->step[0];
    if (!options->head_only_here || job->steps == 0 || job->width != width ||
        add->kind != GT_CHAIN_BINARY || add->loop != GT_LOOP_ADD || add->type != type ||
        add->operand[0].from != output || add->operand[1].way != GT_CHAIN_ROW ||
        is_read(job, 1, output))
        return false;
    job->head_at[place] =
        (int8_t)(add->operand[1].repeat ? add->operand[1].repeat - 1 : add->operand[1].from);
    job->repeats -= add->operand[1].repeat != 0;
    return true;
}

/* Is the second step relu of the first, which nobody else asks for? */
static bool relu_follows(const gt_ChainJob *job)
{
    const gt_ChainStep *relu = &job->step[1];
    const int sum = job->step[0].result.from;
    return job->steps > 1 && sum >= GT_CHAIN_OPERANDS && relu->kind == GT_CHAIN_UNARY &&
           relu->loop == GT_LOOP_RELU && relu->operand[0].from == sum &&
           (relu->result.from == sum || !is_read(job, 2, sum));
}

/* conv + bias, and relu of that: the convolution does it, if nobody else asks for what is between. */
static void conv_takes_bias(gt_ChainJob *job, const gt_ChainOptions *options, gt_ConvJob *c,
                            int output, int place)
{
    if (c->groups != 1 || !takes_bias(job, options, c->b, c->type, output, place))
        return;
    c->bias = (int8_t)place;
    c->relu = relu_follows(job);
    leave_to_head(job, options, output, c->relu ? 2 : 1);
}

/* product + bias: where the sums are whole while they are in registers, the product does it. A small one does relu as well. */
static void product_takes_bias(gt_ChainJob *job, const gt_ChainOptions *options, gt_ProductJob *p,
                               int output, int place)
{
    if ((p->packed < 0 && !p->small) || p->k > GT_GEMM_DEPTH(p->type) ||
        !takes_bias(job, options, p->n, p->type, output, place))
        return;
    p->bias = (int8_t)place;
    p->relu = p->small && relu_follows(job);
    leave_to_head(job, options, output, p->relu ? 2 : 1);
}

/* A product that does all of the chain's steps stands for itself: it finds its operands among those of the chain. */
static void stand_alone(const gt_ChainJob *job, gt_ProductJob *p, const gt_Launch *heads,
                        int32_t count, gt_Lowering *lowering)
{
    p->a = (uint8_t)job->head_at[p->a];
    p->b = (uint8_t)job->head_at[p->b];
    p->c = (uint8_t)job->head_at[p->c];
    p->packed = (int8_t)(p->packed < 0 ? -1 : job->head_at[p->packed]);
    p->bias = (int8_t)(p->bias < 0 ? -1 : job->head_at[p->bias]);
    memcpy(lowering->launch, heads, (size_t)count * sizeof *heads);
    lowering->launches = count;
}

/* The place of the whole operand that a step adds to what `from` holds; -1: it does something else. */
static int adds_whole(const gt_ChainStep *step, int from, int type)
{
    const gt_ChainOperand *a = step->operand, *other = a[0].from == from ? a + 1 : a;
    const bool fits = step->kind == GT_CHAIN_BINARY && step->loop == GT_LOOP_ADD &&
                      step->type == type && (a[0].from == from) != (a[1].from == from);
    return fits && other->way == GT_CHAIN_FULL && other->from < GT_CHAIN_OPERANDS ? other->from
                                                                                  : -1;
}

/* norm + another one as large, relu of that or of the norm: the norm does it while it writes. */
static void norm_takes_steps(gt_ChainJob *job, const gt_ChainOptions *options, gt_BatchJob *norm,
                             int output, int place)
{
    const int type = norm->wide_type ? GT_LOOP_F64 : GT_LOOP_F32;
    int made = output;
    int32_t taken = 0;
    if (!options->head_only_here || job->steps == 0 || is_read(job, 1, output))
        return;
    const int more = adds_whole(&job->step[0], output, type);
    if (more >= 0) {
        norm->more = (int8_t)place;
        job->head_at[place] = (int8_t)more;
        made = job->step[taken++].result.from;
    }
    const gt_ChainStep *relu = &job->step[taken];
    norm->relu = taken < job->steps && (taken == 0 || made >= GT_CHAIN_OPERANDS) &&
                 relu->kind == GT_CHAIN_UNARY && relu->loop == GT_LOOP_RELU && relu->type == type &&
                 relu->operand[0].from == made &&
                 (relu->result.from == made || !is_read(job, taken + 1, made));
    taken += norm->relu;
    if (taken > 0)
        leave_to_head(job, options, output, taken);
}

/* The head writes what is for the chain alone where the last result will be: memory that nobody reads later costs as much time to
 * write as other memory. */
static void write_to_the_end(gt_ChainJob *job, const gt_ChainOptions *options, int output)
{
    if (job->steps == 0 || !options->head_in_place)
        return;
    const uint8_t end = job->step[job->steps - 1].result.from;
    job->head_at[options->head_inputs] = (int8_t)end;
    for (int32_t s = 0; s < job->steps; s++)
        for (int i = 0; i < job->step[s].operands; i++)
            if (job->step[s].operand[i].from == output)
                job->step[s].operand[i].from = end;
}

/* What the head does ahead of its tiles, as packing a kernel, comes first: chains without steps. */
static void lower_ahead(const gt_ShapeRule *rule, const gt_ChainOptions *options,
                        const gt_Launch *ahead, gt_Lowering *lowering)
{
    gt_ChainJob *job = gt_lower_launch(lowering, GT_TILES_chain, ahead->tiles, GT_CHAIN_NO_STEPS);
    gt_Launch *launch = &lowering->launch[lowering->launches - 1];
    memset(job, 0, GT_CHAIN_NO_STEPS);
    take_head(job, rule, options, ahead, launch->job, lowering->temporaries);
    launch->alone = ahead->alone;
    launch->scratch = ahead->scratch;
}

/* A head that is lowered already becomes the first part of each tile. */
static void chain_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const gt_ChainOptions *options = rule->options;
    const gt_ChainJob *given = &options->job;
    gt_Launch heads[GT_MAX_LAUNCHES], head = {.kernel = 0};
    int32_t count = 0;
    if (options->head) {
        lower_head(rule, options, lowering);
        count = lowering->launches;
        memcpy(heads, lowering->launch, sizeof heads);
        lowering->launches = 0;
        for (int32_t i = 0; i + 1 < count; i++)
            lower_ahead(rule, options, &heads[i], lowering);
        head = heads[count - 1];
    }
    gt_ChainJob *job = gt_lower_launch(lowering, GT_TILES_chain, 0, sizeof *job);
    gt_Launch *launch = &lowering->launch[lowering->launches - 1];
    *job = *given;
    if (options->head)
        take_head(job, rule, options, &head, launch->job, lowering->temporaries);
    const int output = rule->inputs,
              place = options->head_inputs + options->head_outputs + lowering->temporaries;
    void *const of_head = lowering->job + head.job;
    if (options->head && head.kernel == GT_TILES_conv)
        conv_takes_bias(job, options, of_head, output, place);
    else if (options->head && head.kernel == GT_TILES_product)
        product_takes_bias(job, options, of_head, output, place);
    else if (options->head && head.kernel == GT_TILES_batch_scale)
        norm_takes_steps(job, options, of_head, output, place);
    write_to_the_end(job, options, output);
    launch->tiles = options->head ? head.tiles : (job->size + job->tile - 1) / job->tile;
    launch->span = job->tile;
    launch->alone = head.alone;
    gt_lower_scratch(lowering, (size_t)job->chain_scratch + head.scratch);
    if (options->head && head.kernel == GT_TILES_product && job->steps == 0)
        stand_alone(job, of_head, heads, count, lowering);
}

const gt_Operation gt_op_chain = {.size = sizeof(gt_Operation),
                                  .name = "chain",
                                  .formula = "element-wise operations in turn",
                                  .inputs_min = 1,
                                  .inputs_max = GT_CHAIN_OPERANDS,
                                  .outputs = GT_MAX_OUTPUTS,
                                  .options = &gt_ChainOptions_type,
                                  .lower = chain_lower};
