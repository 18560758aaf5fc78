/* Gradients through one run of a body, for the rules of control flow: a tape watches the arguments whose gradients are
 * wanted, the body is written down again under it, and the walk is asked for the gradients of its results.
 *
 * Order of calls: gt_pull_open; sources and targets (gt_pull_input, gt_pull_source, gt_pull_target, gt_pull_before);
 * gt_replay; more targets; gt_pull_close, also after a failure. Leans on replay.c. */
#include "ops/control/replay.h"
#include "core/assert.h"
#include "core/tape.h"
#include "ops/array/cast.h"
#include "ops/control/lists.h"
#include "ops/control/reach.h"

/* ---- what is wanted ---- */

bool gt_rule_narrow(const gt_GradientRule *rule, gt_GradientRule *narrowed)
{
    gt_Context *context = rule->context;
    int32_t inputs = gt_rule_inputs(rule), outputs = gt_rule_outputs(rule);
    bool *input = gt_list_new(context, inputs, sizeof *input);
    bool *output = gt_list_new(context, outputs, sizeof *output);
    *narrowed = *rule;
    narrowed->wants = input;
    if (input && output) {
        for (int32_t i = 0; i < outputs; i++)
            output[i] = rule->upstream[i] != NULL;
        gt_reach_back(context, gt_rule_options(rule), output, input);
        for (int32_t i = 0; i < inputs; i++)
            input[i] &= rule->wants[i];
    }
    gt_list_free(context, output, outputs, sizeof *output);
    return gt_context_status(context) == GT_OK;
}

void gt_rule_narrow_close(const gt_GradientRule *narrowed)
{
    gt_list_free(narrowed->context, (void *)(uintptr_t)narrowed->wants, gt_rule_inputs(narrowed),
                 sizeof(bool));
}

/* ---- one run ---- */

/* No list of a pull is longer than this: each element belongs to another input or output of the record. */
static int64_t room_of(const gt_Pull *pull)
{
    return (int64_t)gt_rule_inputs(pull->rule) + gt_rule_outputs(pull->rule);
}

bool gt_pull_open(gt_Pull *pull)
{
    gt_Context *context = pull->rule->context;
    int64_t room = room_of(pull);
    gt_Tensor **block = gt_list_new(context, 5 * room, sizeof *block);
    pull->sources = pull->targets = 0;
    pull->argument = block;
    pull->tape = NULL;
    if (!block)
        return false;
    pull->result = block + room;
    pull->source = block + 2 * room;
    pull->target = block + 3 * room;
    pull->upstream = block + 4 * room;
    pull->tape = gt_tape_begin(.watch_accessed_variables = false);
    return gt_context_status(context) == GT_OK;
}

void gt_pull_source(gt_Pull *pull, gt_Tensor *source)
{
    GT_ASSERT(pull->sources < room_of(pull));
    if (gt_watch(pull->tape, source) == GT_OK)
        pull->source[pull->sources++] = source;
}

void gt_pull_target(gt_Pull *pull, gt_Tensor *target, gt_Tensor *upstream)
{
    GT_ASSERT(pull->targets < room_of(pull));
    pull->target[pull->targets] = target;
    pull->upstream[pull->targets++] = upstream;
}

void gt_pull_input(gt_Pull *pull, int32_t at, int32_t input)
{
    gt_Tensor *given = gt_rule_input(pull->rule, input);
    pull->argument[at] = given;
    if (given && gt_wants(pull->rule, input))
        gt_pull_source(pull, pull->argument[at] = gt_identity(given));
}

void gt_pull_before(gt_Pull *pull, int32_t at, int32_t input)
{
    gt_Tensor *before = pull->rule->before[input];
    if (before)
        gt_pull_target(pull, pull->argument[at], before);
}

gt_Status gt_pull_close(gt_Pull *pull, gt_Tensor **gradients, bool zeros)
{
    gt_Context *context = pull->rule->context;
    if (gt_context_status(context) == GT_OK)
        pull->rule->pull_back(pull->tape, (gt_Tensors){pull->target, pull->targets}, pull->upstream,
                              (gt_Tensors){pull->source, pull->sources}, gradients, zeros);
    gt_tape_end(pull->tape);
    gt_list_free(context, pull->argument, 5 * room_of(pull), sizeof *pull->argument);
    return gt_context_status(context);
}
