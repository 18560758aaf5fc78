/* Folding: an operation on constants alone is computed now, once, and its results become constants.
 *
 *     t = transpose(table);  y = x + t        table is a tensor from outside: t becomes one too, and its step is gone
 *
 * While a function is traced, operations on tensors run at once, so that most constants come folded; what is left are those
 * of pieces that became a part of the function, whose arguments were constants. An operation that fails stays: it is an error
 * when it runs, if it runs. Results that take more memory than what they are made of, and more than a page, stay too.
 * Probabilities stay, since their handles say what made them. Leans on core/operation.c. */
#include "plan/program.h"

#define SMALL 4096

static bool may_fold(const gt_Program *program, const gt_GraphNode *node)
{
    const gt_GraphValue *values = program->graph->values;
    size_t in = 0, out = 0;
    for (int32_t i = 0; i < node->inputs; i++) {
        if (node->input[i] < 0)
            continue;
        if (values[node->input[i]].kind != GT_GRAPH_CONSTANT)
            return false;
        in += gt_spec_bytes(&values[node->input[i]].spec);
    }
    if (!gt_node_is_pure(program, node) || node->operation->flags & GT_OP_PROBABILITY)
        return false;
    for (int32_t i = 0; i < node->outputs; i++)
        out += gt_spec_bytes(&values[node->output[i]].spec);
    return out <= SMALL || out <= in;
}

/* The value becomes this constant. */
static void make_constant(gt_Program *program, int32_t value, gt_Value *constant)
{
    gt_GraphValue *of = &program->graph->values[value];
    gt_value_retain(constant, true);
    of->kind = GT_GRAPH_CONSTANT;
    of->constant = constant;
    of->node = -1;
    if (!gt_constant_in_block(of))
        program->plan->base_count++;
}

/* Runs the node as a program would call it, in the floating-point mode of plans. */
static gt_Status compute(gt_Program *program, const gt_GraphNode *node)
{
    gt_Context *context = program->context;
    gt_Tensor *input[GT_MAX_INPUTS] = {NULL}, *output[GT_MAX_OUTPUTS] = {NULL};
    for (int32_t i = 0; i < node->inputs; i++) {
        if (node->input[i] < 0)
            continue;
        gt_Value *constant = program->graph->values[node->input[i]].constant;
        gt_value_retain(constant, true);
        if (gt_values_give(context, &constant, 1, &input[i]) != GT_OK)
            return gt_context_status(context);
    }
    gt_FloatMode mode = gt_float_mode_begin(context);
    gt_apply_at(node->here, node->operation, node->options, node->inputs, input, output);
    gt_float_mode_restore(mode);
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    gt_Value *value[GT_MAX_OUTPUTS];
    for (int32_t i = 0; i < node->outputs; i++) {
        value[i] =
            gt_value_read(context, node->here, node->operation->name, "result", 0, output[i]);
        if (!value[i] || !gt_value_data(value[i]))
            return gt_context_status(context);
    }
    for (int32_t i = 0; i < node->outputs; i++)
        make_constant(program, node->output[i], value[i]);
    return GT_OK;
}

gt_Status gt_pass_fold(gt_Program *program)
{
    gt_Context *context = program->context;
    const gt_Graph *graph = program->graph;
    gt_Trace *trace = gt_trace_suspend(context);
    uint64_t hushed = gt_tape_quiet(context);
    for (int32_t n = 0; n < graph->node_count && gt_context_status(context) == GT_OK; n++) {
        if (!may_fold(program, &graph->nodes[n]))
            continue;
        gt_Scope *around = gt_scope_innermost(context);
        if (!gt_scope_open(context))
            break;
        gt_Status status = compute(program, &graph->nodes[n]);
        if (status != GT_OK && status != GT_NO_MEMORY)
            gt_error_clear();
        gt_scope_unwind(context, around);
    }
    gt_tape_unquiet(context, hushed);
    gt_trace_resume(context, trace);
    return gt_context_status(context);
}
