/* The two nodes of control flow: tracing their bodies, running them, and their gradients.
 *
 *   cond   inputs   predicate, captures
 *          outputs  results, changed variables
 *   loop   inputs   loop variables, changed variables, xs, go, captures
 *          outputs  loop variables, changed variables, ys, a stack of each of the loop and changed
 *                   variables as it was before every round, the number of rounds
 *
 * Between rounds the loop variables are in the outputs and in a second set by turns. The gradient
 * of a branch is a branch of gradients; that of a loop goes backwards over the stacks, computes
 * every round again and pulls the gradients back through it. So it is control flow again, and has a
 * gradient in its turn. Leans on traced_body.c. */
#include "ops/control/traced_control.h"
#include "ops/math/arithmetic.h"
#include "ops/array/cast.h"
#include "ops/control/choice.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/kit.h"
#include "ops/control/reach.h"
#include "ops/array/reshaping.h"
#include "ops/control/traced_body.h"

#include <string.h>

GT_OPTION_TYPE(gt_Control, GT_CONTROL_OPTIONS);

/* Is the number not 0, as a flag. NaN is true, as in C. */
static gt_Tensor *as_flag(gt_Tensor *number)
{
    if (gt_half_type(gt_dtype(number)) >= 0)
        number = gt_cast(number, GT_FLOAT32);
    return gt_dtype(number) == GT_BOOL ? number : gt_not_equal(number, 0);
}

static bool is_float(const gt_Spec *spec)
{
    return gt_dtype_is_float(spec->dtype);
}

/* The rule with fewer wishes: what no gradient comes to, with any numbers, gets none. Its list is as
 * long as that of the inputs. */
static bool narrow(const gt_GradientRule *rule, gt_GradientRule *narrowed)
{
    gt_Context *context = rule->context;
    int32_t inputs = rule->record->inputs, outputs = rule->record->outputs;
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

static void free_narrowed(const gt_GradientRule *narrowed)
{
    int32_t inputs = narrowed->record->inputs;
    gt_list_free(narrowed->context, (void *)(uintptr_t)narrowed->wants, inputs, sizeof(bool));
}

/* ---- choosing ---- */

static gt_Status cond_run(const gt_Kernel *kernel)
{
    const gt_ControlKernel *self = (const gt_ControlKernel *)(const void *)kernel;
    const gt_Control *control = kernel->options;
    const gt_Graph *taken = *(const uint8_t *)self->input[0] ? control->first : control->second;
    return taken->run(taken->plan, self->input + 1, self->output);
}

static gt_Status pull_branch(gt_Pull *pull, const gt_Graph *graph, gt_Tensor **gradients)
{
    gt_GradientRule *rule = pull->rule;
    if (gt_pull_open(pull)) {
        for (int32_t i = 1; i < gt_rule_inputs(rule); i++) {
            gt_pull_input(pull, i - 1, i);
            gt_pull_before(pull, i - 1, i);
        }
        if (gt_replay(rule->context, graph, pull->argument, pull->result) == GT_OK)
            for (int32_t i = 0; i < rule->record->outputs; i++)
                if (gt_upstream(rule, i))
                    gt_pull_target(pull, pull->result[i], gt_upstream(rule, i));
    }
    return gt_pull_close(pull, gradients, true);
}

static gt_Status pull_yes(void *user, gt_Tensor *const *inputs, gt_Tensor **gradients)
{
    gt_Pull *pull = user;
    (void)inputs;
    return pull_branch(pull, pull->control->first, gradients);
}

static gt_Status pull_no(void *user, gt_Tensor *const *inputs, gt_Tensor **gradients)
{
    gt_Pull *pull = user;
    (void)inputs;
    return pull_branch(pull, pull->control->second, gradients);
}

static gt_Status cond_gradient(gt_GradientRule *whole)
{
    gt_Context *context = whole->context;
    gt_GradientRule narrowed, *rule = &narrowed;
    gt_Pull pull = {.rule = rule, .control = gt_rule_options(whole)};
    int32_t inputs = gt_rule_inputs(whole), wanted = 0;
    bool known = narrow(whole, rule);
    for (int32_t i = 0; known && i < inputs; i++)
        wanted += gt_wants(rule, i);
    gt_Tensor **gradient = gt_list_new(context, wanted, sizeof *gradient);
    if (gradient && wanted &&
        gt_traced_cond(context, gt_rule_input(rule, 0), pull_yes, pull_no, &pull, (gt_Tensors){0},
                       wanted, gradient) == GT_OK)
        for (int32_t i = 0, k = 0; i < inputs; i++)
            if (gt_wants(rule, i))
                gt_give(rule, i, gradient[k++]);
    gt_list_free(context, gradient, wanted, sizeof *gradient);
    free_narrowed(rule);
    return gt_context_status(context);
}

static const gt_Operation cond = {
    .size = sizeof(gt_Operation),
    .name = "cond",
    .flags = GT_OP_INTERNAL | GT_OP_CONTROL,
    .options = &gt_Control_type,
    .saves_inputs = UINT64_MAX,
    .run = cond_run,
    .gradient = cond_gradient,
};

static gt_Status check_branches(const gt_Bodies *draft)
{
    char a[200], b[200];
    for (int32_t i = 0; i < draft->body[0].results; i++) {
        const gt_Spec *yes = gt_body_result_spec(&draft->body[0], i),
                      *no = gt_body_result_spec(&draft->body[1], i);
        if (!gt_spec_equal(yes, no))
            return gt_raise(draft->context, GT_INVALID, NULL, NULL,
                            "output %d is %s in one branch and %s in the other", (int)i + 1,
                            gt_spec_text(yes, a, sizeof a), gt_spec_text(no, b, sizeof b));
    }
    return GT_OK;
}

static gt_Status apply_cond(gt_Bodies *draft, gt_Tensor *flag, gt_Tensor **result)
{
    gt_Context *context = draft->context;
    int32_t inputs = draft->captures.count + 1, results = draft->body[0].results;
    const gt_Graph *graph = draft->body[0].graph;
    const gt_Control options = {
        .size = GT_SIZE(gt_Control), .first = draft->body[0].graph, .second = draft->body[1].graph};
    gt_GraphNode like = {.operation = &cond,
                         .inputs = inputs,
                         .outputs = graph->outputs,
                         .required = graph->outputs};
    gt_NodeLists lists;
    if (gt_node_lists_open(context, &lists, inputs, graph->outputs)) {
        lists.input[0] = gt_slot_raw(flag)->value;
        for (int32_t i = 1; i < inputs; i++)
            lists.input[i] = draft->used[i - 1] ? gt_bodies_captured(draft, i - 1) : NULL;
        for (int32_t i = 0; i < graph->outputs; i++)
            lists.spec[i] = graph->values[graph->output[i]].spec;
        if (gt_bodies_finish(draft, &like, &options, lists.input, lists.spec, results,
                             lists.output) == GT_OK &&
            results)
            memcpy(result, lists.output, (size_t)results * sizeof *result);
    }
    gt_node_lists_close(context, &lists, inputs, graph->outputs);
    return gt_context_status(context);
}

gt_Status gt_traced_cond(gt_Context *context, gt_Tensor *predicate, gt_FunctionBody yes,
                         gt_FunctionBody no, void *user, gt_Tensors inputs, int32_t outputs,
                         gt_Tensor **result)
{
    gt_Bodies draft = {
        .context = context,
        .user = user,
        .inputs = inputs,
        .body = {{.function = yes, .results = outputs}, {.function = no, .results = outputs}}};
    gt_Tensor *flag = as_flag(predicate);
    if (flag && gt_bodies_trace(&draft, &draft.body[0]) == GT_OK &&
        gt_bodies_trace(&draft, &draft.body[1]) == GT_OK && check_branches(&draft) == GT_OK &&
        gt_bodies_order(&draft) == GT_OK &&
        gt_bodies_set_outputs(&draft, &draft.body[0], outputs, true) == GT_OK &&
        gt_bodies_set_outputs(&draft, &draft.body[1], outputs, true) == GT_OK &&
        gt_bodies_prune(&draft, draft.captures.count) == GT_OK)
        apply_cond(&draft, flag, result);
    gt_bodies_close(&draft);
    return gt_context_status(context);
}

/* ---- calling ---- */

/* Like that of gt_recompute eagerly: the sum over the piece is made on its own. */
static gt_Status call_gradient(gt_GradientRule *rule)
{
    gt_Context *context = rule->context;
    gt_Pull pull = {.rule = rule, .control = gt_rule_options(rule)};
    int32_t inputs = gt_rule_inputs(rule);
    gt_Tensor **gradient = gt_list_new(context, inputs, sizeof *gradient);
    if (gradient && gt_pull_open(&pull)) {
        for (int32_t i = 0; i < inputs; i++) {
            gt_pull_input(&pull, i, i);
            rule->before[i] = NULL;
        }
        if (gt_replay(context, pull.control->first, pull.argument, pull.result) == GT_OK)
            for (int32_t i = 0; i < rule->record->outputs; i++)
                if (gt_upstream(rule, i))
                    gt_pull_target(&pull, pull.result[i], gt_upstream(rule, i));
    }
    if (gradient && gt_pull_close(&pull, gradient, false) == GT_OK)
        for (int32_t i = 0, k = 0; i < inputs; i++) {
            if (!gt_wants(rule, i))
                continue;
            if (gradient[k])
                gt_give(rule, i, gradient[k]);
            k++;
        }
    gt_list_free(context, gradient, inputs, sizeof *gradient);
    return gt_context_status(context);
}

static const gt_Operation call = {
    .size = sizeof(gt_Operation),
    .name = "recompute",
    .flags = GT_OP_INTERNAL | GT_OP_CONTROL,
    .options = &gt_Control_type,
    .saves_inputs = UINT64_MAX,
    .gradient = call_gradient,
};

static gt_Status apply_call(gt_Bodies *draft, gt_Tensor **result)
{
    gt_Context *context = draft->context;
    int32_t inputs = draft->captures.count, results = draft->body[0].results;
    gt_Graph *graph = draft->body[0].graph;
    const gt_Control options = {
        .size = GT_SIZE(gt_Control), .kind = GT_CONTROL_CALL, .first = graph};
    gt_GraphNode like = {.operation = &call,
                         .inputs = inputs,
                         .outputs = graph->outputs,
                         .required = graph->outputs};
    gt_NodeLists lists;
    if (gt_node_lists_open(context, &lists, inputs, graph->outputs)) {
        for (int32_t i = 0; i < inputs; i++)
            lists.input[i] = draft->used[i] ? gt_bodies_captured(draft, i) : NULL;
        for (int32_t i = 0; i < graph->outputs; i++)
            lists.spec[i] = graph->values[graph->output[i]].spec;
        if (gt_bodies_finish(draft, &like, &options, lists.input, lists.spec, results,
                             lists.output) == GT_OK)
            memcpy(result, lists.output, (size_t)results * sizeof *result);
    }
    gt_node_lists_close(context, &lists, inputs, graph->outputs);
    return gt_context_status(context);
}

/* As eagerly: what has a gradient is a variable or an input. */
static gt_Status check_captures(const gt_Bodies *draft, gt_Tensors inputs)
{
    gt_Context *context = draft->context;
    gt_Map given = {0};
    for (int32_t i = 0; i < inputs.count && gt_context_status(context) == GT_OK; i++)
        gt_map_add(context, &given, gt_map_pointer(gt_slot_raw(inputs.items[i])->value), i);
    for (int32_t i = 0; i < draft->captures.count && gt_context_status(context) == GT_OK; i++) {
        const gt_Value *value = draft->captures.value[i];
        bool variable = value->record && !value->record->operation && value->record->variable;
        if (!variable && gt_gradient_passes(context, value) &&
            gt_map_find(&given, gt_map_pointer(value)) < 0)
            gt_raise(context, GT_INVALID, NULL, NULL, GT_NOT_AN_INPUT);
    }
    gt_map_close(context, &given);
    return gt_context_status(context);
}

gt_Status gt_traced_call(gt_Context *context, gt_FunctionBody body, void *user, gt_Tensors inputs,
                         int32_t outputs, gt_Tensor **result)
{
    gt_Bodies draft = {.context = context,
                       .user = user,
                       .inputs = inputs,
                       .body = {{.function = body, .results = outputs}}};
    if (gt_bodies_trace(&draft, &draft.body[0]) == GT_OK &&
        check_captures(&draft, inputs) == GT_OK && gt_bodies_order(&draft) == GT_OK &&
        gt_bodies_set_outputs(&draft, &draft.body[0], outputs, true) == GT_OK &&
        gt_bodies_prune(&draft, draft.captures.count) == GT_OK)
        apply_call(&draft, result);
    gt_bodies_close(&draft);
    return gt_context_status(context);
}

/* ---- loops ---- */

static size_t padded(size_t bytes)
{
    return (bytes + GT_ALIGNMENT - 1) & ~(size_t)(GT_ALIGNMENT - 1);
}

static const gt_Spec *carry_spec(const gt_Control *control, int32_t j)
{
    return &control->first->values[control->first->output[j]].spec;
}

/* The memory between rounds: a second set of loop variables, what the condition makes of those that
 * it changes, and its flag. */
static size_t loop_scratch(const gt_Control *control)
{
    size_t bytes = GT_ALIGNMENT;
    for (int32_t j = 0; j < control->carries; j++)
        bytes += padded(gt_spec_bytes(carry_spec(control, j)));
    int32_t changed = control->second ? control->second->outputs - 1 : 0;
    for (int32_t j = control->carries - changed; j < control->carries; j++)
        bytes += padded(gt_spec_bytes(carry_spec(control, j)));
    return bytes;
}

static void copy(void *to, const void *from, size_t bytes)
{
    if (bytes && to != from)
        memcpy(to, from, bytes);
}

/* The present loop variables go to the stacks, those that somebody reads. */
static void stack_carries(const gt_ControlKernel *self, const gt_Control *control, int64_t element)
{
    for (int32_t j = 0; j < control->carries && control->length >= 0; j++) {
        size_t bytes = gt_spec_bytes(carry_spec(control, j));
        char *stack = self->output[control->carries + control->ys + j];
        if (stack)
            copy(stack + (size_t)element * bytes, self->argument[j], bytes);
    }
}

/* One round: from the present loop variables to the set of outputs or to the second one. */
static gt_Status loop_round(const gt_ControlKernel *self, const gt_Control *control,
                            int64_t element, bool into_outputs)
{
    const gt_Graph *body = control->first;
    char *second = self->scratch;
    for (int32_t j = 0; j < control->carries; j++) {
        self->result[j] = into_outputs ? self->output[j] : second;
        second += padded(gt_spec_bytes(carry_spec(control, j)));
    }
    for (int32_t i = control->carries; i < control->carries + control->xs; i++) {
        if (!self->input[i])
            continue;
        size_t bytes = gt_spec_bytes(self->input_spec[i]) / (size_t)control->length;
        self->argument[i] = (const char *)self->input[i] + (size_t)element * bytes;
    }
    for (int32_t i = control->carries; i < control->carries + control->ys; i++)
        self->result[i] =
            (char *)self->output[i] + (size_t)element * gt_spec_bytes(carry_spec(control, i));
    gt_Status status = body->run(body->plan, self->argument, self->result);
    for (int32_t j = 0; j < control->carries; j++)
        self->argument[j] = self->result[j];
    return status;
}

/* Is there another round? The variables that the condition changes go where the last round left
 * them. */
static gt_Status loop_condition(const gt_ControlKernel *self, const gt_Control *control,
                                bool in_outputs, bool *more)
{
    const gt_Graph *condition = control->second;
    int32_t unchanged = control->carries - (condition->outputs - 1);
    char *second = self->scratch, *made = second;
    for (int32_t j = 0; j < control->carries; j++)
        made += padded(gt_spec_bytes(carry_spec(control, j)));
    for (int32_t i = 0; i < condition->outputs; i++) {
        self->result[i] = made;
        made +=
            i == 0 ? GT_ALIGNMENT : padded(gt_spec_bytes(carry_spec(control, unchanged + i - 1)));
    }
    gt_Status status = condition->run(condition->plan, self->argument, self->result);
    for (int32_t j = 0; j < control->carries; j++) {
        size_t bytes = gt_spec_bytes(carry_spec(control, j));
        if (j >= unchanged)
            copy(in_outputs ? self->output[j] : second, self->result[1 + j - unchanged], bytes);
        second += padded(bytes);
    }
    *more = *(const uint8_t *)self->result[0];
    return status;
}

/* What is stacked has no numbers where there was no round; only loops of as many rounds read it. */
static gt_Status loop_run(const gt_Kernel *kernel)
{
    const gt_ControlKernel *self = (const gt_ControlKernel *)(const void *)kernel;
    const gt_Control *control = kernel->options;
    gt_Context *context = kernel->context;
    const void *go = self->input[control->carries + control->xs];
    int64_t rounds = control->length, count = 0;
    if (control->counted)
        memcpy(&rounds, go, sizeof rounds);
    bool more = control->second ? *(const uint8_t *)go : true;
    memcpy(self->argument, self->input, (size_t)control->first->inputs * sizeof *self->argument);
    /* The last round ends in the outputs, if it is known which one it is. */
    bool into_outputs = control->second || rounds % 2 == 1;
    for (; more && (rounds < 0 || count < rounds); count++) {
        if (gt_interrupted(context))
            return gt_raise(context, GT_INTERRUPTED, NULL, kernel->operation->name,
                            "interrupted between two rounds");
        int64_t element = control->reverse ? rounds - 1 - count : count;
        stack_carries(self, control, element);
        gt_Status status = loop_round(self, control, element, into_outputs);
        if (status == GT_OK && control->second && (rounds < 0 || count + 1 < rounds))
            status = loop_condition(self, control, into_outputs, &more);
        if (status != GT_OK)
            return status;
        into_outputs = !into_outputs;
    }
    for (int32_t j = 0; j < control->carries; j++)
        copy(self->output[j], self->argument[j], gt_spec_bytes(carry_spec(control, j)));
    if (control->length >= 0 && self->output[2 * control->carries + control->ys])
        memcpy(self->output[2 * control->carries + control->ys], &count, sizeof count);
    return GT_OK;
}

/* Where things are among the inputs of a loop: first the loop variables that gradients flow
 * through, then the variables that it changes, xs, `go`, captures. The gradient of a changed
 * variable is, as that of a captured value, the sum over all rounds: what an assignment overwrites
 * has no part in it. */
static int32_t flowing(const gt_Control *control)
{
    return control->carries - control->states;
}

static bool is_summed(const gt_GradientRule *rule, const gt_Control *control, int32_t i)
{
    return gt_wants(rule, i) &&
           (i >= control->carries + control->xs || (i >= flowing(control) && i < control->carries));
}

/* The body of the loop backwards. It gets the gradients of the loop variables after this round, the
 * sums so far, the loop variables before it, elements of xs, gradients of what was stacked. It
 * makes the gradients before this round, the sums, gradients of the elements of xs. */
static gt_Status pull_round(void *user, gt_Tensor *const *inputs, gt_Tensor **gradients)
{
    gt_Pull *pull = user;
    gt_GradientRule *rule = pull->rule;
    gt_Context *context = rule->context;
    const gt_Control *control = pull->control;
    const gt_Graph *body = control->first;
    int32_t n = control->carries, count = gt_rule_inputs(rule);
    if (!gt_pull_open(pull))
        return gt_pull_close(pull, NULL, true);
    gt_Tensor *const *gradient = inputs;
    for (int32_t j = 0; j < flowing(control); j++)
        inputs += is_float(gt_rule_input_spec(rule, j));
    gt_Tensor *const *sum = inputs;
    for (int32_t i = 0; i < count; i++)
        inputs += is_summed(rule, control, i);
    for (int32_t j = 0; j < n; j++) {
        gt_Tensor *carry = gt_reshape(*inputs++, gt_spec_shape(gt_rule_input_spec(rule, j)));
        pull->argument[j] = carry;
        if (j < flowing(control) ? is_float(gt_rule_input_spec(rule, j)) : gt_wants(rule, j))
            gt_pull_source(pull, carry);
    }
    for (int32_t i = n + control->xs + 1; i < count; i++)
        gt_pull_input(pull, i, i);
    for (int32_t i = 0; i < count; i++)
        if (is_summed(rule, control, i))
            gt_pull_target(pull, pull->argument[i], *sum++);
    for (int32_t i = n; i < n + control->xs; i++) {
        if (!rule->record->input[i])
            continue;
        pull->argument[i] = *inputs++;
        if (gt_wants(rule, i))
            gt_pull_source(pull, pull->argument[i]);
    }
    if (gt_replay(context, body, pull->argument, pull->result) == GT_OK) {
        for (int32_t i = n; i < n + control->ys; i++)
            if (gt_upstream(rule, i))
                gt_pull_target(pull, pull->result[i], *inputs++);
        for (int32_t j = 0; j < n; j++)
            if (gt_upstream(rule, n + control->ys + j))
                gt_pull_target(pull, pull->argument[j],
                               gt_reshape(*inputs++, gt_spec_shape(gt_rule_input_spec(rule, j))));
        for (int32_t j = 0; j < flowing(control); j++)
            if (is_float(gt_rule_input_spec(rule, j)))
                gt_pull_target(pull, pull->result[j], *gradient++);
    }
    return gt_pull_close(pull, gradients, true);
}

static gt_Tensor *zeros_of(const gt_Spec *spec)
{
    return gt_zeros(gt_spec_shape(spec), .dtype = spec->dtype);
}

static gt_Status gradient_of_loop(gt_GradientRule *rule)
{
    gt_Context *context = rule->context;
    const gt_Control *control = gt_rule_options(rule);
    int32_t n = control->carries, count = gt_rule_inputs(rule), room = gt_pull_room(rule);
    if (control->length < 0)
        return gt_raise(context, GT_UNSUPPORTED, NULL, "while_loop",
                        "a gradient needs the loop variables of every round, and memory for them: "
                        "give .maximum_iterations");
    gt_Pull pull = {.rule = rule, .control = control};
    gt_Tensor **carry = gt_list_new(context, 4 * (int64_t)room, sizeof *carry);
    if (!carry)
        return gt_context_status(context);
    gt_Tensor **x = carry + room, **last = x + room, **y = last + room;
    gt_TracedLoop loop = {
        .body = pull_round, .user = &pull, .length = control->length, .reverse = !control->reverse};
    int32_t carries = 0, xs = 0;
    for (int32_t j = 0; j < flowing(control); j++)
        if (is_float(gt_rule_input_spec(rule, j)))
            carry[carries++] =
                gt_upstream(rule, j) ? gt_upstream(rule, j) : zeros_of(gt_rule_input_spec(rule, j));
    for (int32_t i = 0; i < count; i++) {
        if (is_summed(rule, control, i))
            carry[carries++] =
                rule->before[i] ? rule->before[i] : zeros_of(gt_rule_input_spec(rule, i));
        else
            rule->before[i] = NULL;
    }
    for (int32_t j = 0; j < n; j++)
        x[xs++] = gt_rule_output(rule, n + control->ys + j);
    for (int32_t i = n; i < n + control->xs; i++) {
        if (rule->record->input[i])
            x[xs++] = gt_rule_input(rule, i);
        loop.ys += gt_wants(rule, i);
    }
    for (int32_t i = n; i < 2 * n + control->ys; i++)
        if (gt_upstream(rule, i))
            x[xs++] = gt_upstream(rule, i);
    if (control->second || control->counted)
        loop.go = gt_rule_output(rule, 2 * n + control->ys);
    loop.carries = (gt_Tensors){carry, carries};
    loop.xs = (gt_Tensors){x, xs};
    if (gt_context_status(context) == GT_OK && gt_traced_loop(context, &loop, last, y) == GT_OK) {
        for (int32_t j = 0; j < flowing(control); j++) {
            if (gt_wants(rule, j))
                gt_give(rule, j, *last);
            last += is_float(gt_rule_input_spec(rule, j));
        }
        for (int32_t i = 0; i < count; i++)
            if (is_summed(rule, control, i))
                gt_give(rule, i, *last++);
        for (int32_t i = n; i < n + control->xs; i++)
            if (gt_wants(rule, i))
                gt_give(rule, i, *y++);
    }
    gt_list_free(context, carry, 4 * (int64_t)room, sizeof *carry);
    return gt_context_status(context);
}

static gt_Status loop_gradient(gt_GradientRule *whole)
{
    gt_GradientRule rule;
    bool any = false;
    if (narrow(whole, &rule))
        for (int32_t i = 0; i < rule.record->inputs; i++)
            any |= rule.wants[i];
    if (any)
        gradient_of_loop(&rule);
    free_narrowed(&rule);
    return gt_context_status(whole->context);
}

static const gt_Operation loop_operation = {
    .size = sizeof(gt_Operation),
    .name = "loop",
    .flags = GT_OP_INTERNAL | GT_OP_CONTROL,
    .options = &gt_Control_type,
    .saves_inputs = UINT64_MAX,
    .saves_outputs = UINT32_MAX,
    .run = loop_run,
    .gradient = loop_gradient,
};

static gt_Status trace_round(void *user, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const gt_TracedLoop *loop = user;
    return loop->body(loop->user, inputs, outputs);
}

static gt_Status trace_condition(void *user, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const gt_TracedLoop *loop = user;
    gt_Status status = loop->condition(loop->user, inputs, outputs);
    gt_Spec spec = status == GT_OK ? gt_spec(outputs[0]) : (gt_Spec){0};
    char text[200];
    if (status != GT_OK || gt_status() != GT_OK)
        return status;
    if (spec.size != 1)
        return gt_fail(GT_INVALID, "the condition is %s; it must have one element",
                       gt_spec_text(&spec, text, sizeof text));
    outputs[0] = as_flag(outputs[0]);
    return gt_status();
}

static gt_Status check_carries(const gt_Bodies *draft, int32_t count)
{
    char a[200], b[200];
    for (int32_t i = 0; i < count; i++) {
        const gt_Spec *now = &draft->arguments[i], *next = gt_body_result_spec(&draft->body[0], i);
        if (!gt_spec_equal(now, next))
            return gt_raise(draft->context, GT_INVALID, NULL, NULL,
                            "loop variable %d was %s and became %s; shape and type must stay",
                            (int)i + 1, gt_spec_text(now, a, sizeof a),
                            gt_spec_text(next, b, sizeof b));
    }
    return GT_OK;
}

/* Which number each argument of the bodies has as input of the node: the changed variables among the
 * captures come behind the loop variables, `go` comes before the other captures. */
static gt_Status number_arguments(gt_Bodies *draft, int32_t carries)
{
    int32_t count = draft->captures.first + draft->captures.count;
    draft->number = gt_list_new(draft->context, count, sizeof *draft->number);
    if (!draft->number)
        return gt_context_status(draft->context);
    draft->number_count = count;
    for (int32_t i = 0; i < count; i++)
        draft->number[i] = i < carries ? i : -1;
    for (int32_t k = 0; k < draft->state_count; k++)
        draft->number[draft->states[k].argument] = carries + k;
    int32_t next = carries + draft->state_count;
    for (int32_t i = 0; i < count; i++) {
        next += i == draft->captures.first; /* that is the place of `go` */
        if (draft->number[i] < 0)
            draft->number[i] = next++;
    }
    return GT_OK;
}

static void renumber(const gt_Bodies *draft)
{
    for (int b = 0; b < 2; b++) {
        gt_Graph *graph = draft->body[b].graph;
        for (int32_t i = 0; graph && i < graph->value_count; i++)
            if (graph->values[i].kind == GT_GRAPH_INPUT)
                graph->values[i].index = draft->number[graph->values[i].index];
    }
}

/* `length` of these, one behind the other. */
static bool stacked(gt_Context *context, gt_Spec *spec, int64_t length, const gt_Spec *of,
                    bool flat)
{
    gt_Shape shape = {.mark = GT_MARK, .rank = flat ? 2 : of->rank + 1, .dims = {length, of->size}};
    if (!flat && shape.rank <= GT_MAX_RANK)
        memcpy(shape.dims + 1, of->dims, (size_t)of->rank * sizeof *shape.dims);
    if (shape.rank <= GT_MAX_RANK && gt_spec_set(spec, of->dtype, shape))
        return true;
    char text[200];
    gt_raise(context, GT_INVALID, NULL, NULL, "%lld rounds of %s are too many to stack",
             (long long)length, gt_spec_text(of, text, sizeof text));
    return false;
}

static gt_Status describe_outputs(gt_Context *context, const gt_Control *control, gt_Spec *spec)
{
    int32_t n = control->carries, p = control->ys;
    for (int32_t j = 0; j < n; j++)
        spec[j] = *carry_spec(control, j);
    for (int32_t i = n; i < n + p; i++)
        if (!stacked(context, &spec[i], control->length, carry_spec(control, i), false))
            return gt_context_status(context);
    if (control->length < 0)
        return GT_OK;
    for (int32_t j = 0; j < n; j++)
        if (!stacked(context, &spec[n + p + j], control->length, carry_spec(control, j), true))
            return gt_context_status(context);
    spec[2 * n + p] = (gt_Spec){.dtype = GT_INT64, .size = 1};
    return GT_OK;
}

static gt_Value *value_of(gt_Context *context, const char *what, int32_t i, gt_Tensor *tensor)
{
    return gt_value_read(context, NULL, NULL, what, i + 1, tensor);
}

static gt_Status loop_inputs(const gt_Bodies *draft, const gt_TracedLoop *loop, gt_Value **input)
{
    gt_Context *context = draft->context;
    int32_t n = loop->carries.count, m = loop->xs.count;
    for (int32_t i = 0; i < n; i++)
        input[i] = value_of(context, "loop variable", i, loop->carries.items[i]);
    for (int32_t i = 0; i < m; i++) {
        int32_t at = draft->number[n + i];
        if (draft->used[at])
            input[at] = value_of(context, "x", i, loop->xs.items[i]);
    }
    if (loop->go)
        input[n + draft->state_count + m] = value_of(context, "go", 0, loop->go);
    for (int32_t i = 0; i < draft->captures.count; i++) {
        int32_t at = draft->number[n + m + i];
        if (draft->used[at] || at < n + draft->state_count)
            input[at] = gt_bodies_captured(draft, i);
    }
    return gt_context_status(context);
}

/* What numbers chose on the way through a loop is marked, as each round would have done eagerly. Of a
 * while loop everything is: by gt_while_loop. */
static gt_Status mark_choices(gt_Context *context, const gt_Control *control, gt_Tensor **last,
                              gt_Tensor **ys)
{
    int32_t flowing = control->carries - control->states, count = flowing + control->ys;
    bool *chosen = gt_list_new(context, count, sizeof *chosen);
    if (chosen && gt_reach_choices(context, control, chosen) == GT_OK)
        for (int32_t i = 0; i < count && gt_context_status(context) == GT_OK; i++)
            if (chosen[i])
                gt_mark_choice(context, i < flowing ? &last[i] : &ys[i - flowing], 1);
    gt_list_free(context, chosen, count, sizeof *chosen);
    return gt_context_status(context);
}

static gt_Status apply_loop(gt_Bodies *draft, const gt_TracedLoop *loop, gt_Tensor **last,
                            gt_Tensor **ys)
{
    gt_Context *context = draft->context;
    int32_t n = loop->carries.count, s = draft->state_count;
    const gt_Control options = {.size = GT_SIZE(gt_Control),
                                .kind = GT_CONTROL_LOOP,
                                .first = draft->body[0].graph,
                                .second = draft->body[1].graph,
                                .carries = n + s,
                                .states = s,
                                .xs = loop->xs.count,
                                .ys = loop->ys,
                                .length = loop->length,
                                .reverse = loop->reverse,
                                .counted = loop->go && !loop->condition};
    int32_t inputs = draft->used_count, required = n + s + loop->ys;
    gt_GraphNode like = {.operation = &loop_operation,
                         .inputs = inputs,
                         .outputs = loop->length < 0 ? required : required + n + s + 1,
                         .required = required,
                         .scratch = loop_scratch(&options)};
    gt_NodeLists lists;
    if (gt_node_lists_open(context, &lists, inputs, like.outputs) &&
        loop_inputs(draft, loop, lists.input) == GT_OK &&
        describe_outputs(context, &options, lists.spec) == GT_OK &&
        gt_bodies_finish(draft, &like, &options, lists.input, lists.spec, n, lists.output) ==
            GT_OK) {
        if (n)
            memcpy(last, lists.output, (size_t)n * sizeof *last);
        if (loop->ys)
            memcpy(ys, lists.output + n + s, (size_t)loop->ys * sizeof *ys);
        mark_choices(context, &options, last, ys);
    }
    gt_node_lists_close(context, &lists, inputs, like.outputs);
    return gt_context_status(context);
}

/* What a body gets: the loop variables and elements of xs. */
static gt_Status describe_arguments(gt_Context *context, const gt_TracedLoop *loop, gt_Spec *spec)
{
    int32_t n = loop->carries.count;
    for (int32_t i = 0; i < n + loop->xs.count; i++) {
        const gt_Value *value = i < n
                                    ? value_of(context, "loop variable", i, loop->carries.items[i])
                                    : value_of(context, "x", i - n, loop->xs.items[i - n]);
        if (!value)
            return gt_context_status(context);
        spec[i] = value->spec;
        if (i < n)
            continue;
        spec[i].rank--;
        memmove(spec[i].dims, value->spec.dims + 1, (size_t)spec[i].rank * sizeof *spec[i].dims);
        gt_spec_resize(&spec[i]);
    }
    return GT_OK;
}

gt_Status gt_traced_loop(gt_Context *context, const gt_TracedLoop *loop, gt_Tensor **last,
                         gt_Tensor **ys)
{
    int32_t n = loop->carries.count, m = loop->xs.count;
    gt_TracedLoop self = *loop;
    gt_Spec *arguments = gt_list_new(context, n + m, sizeof *arguments);
    gt_Bodies draft = {
        .context = context,
        .user = &self,
        .arguments = arguments,
        .body = {{.function = trace_round, .arguments = n + m, .results = n + loop->ys},
                 {.function = trace_condition, .arguments = n, .results = 1}},
        .captures = {.first = n + m}};
    if (arguments && describe_arguments(context, loop, arguments) == GT_OK &&
        gt_bodies_trace(&draft, &draft.body[0]) == GT_OK && check_carries(&draft, n) == GT_OK &&
        (!loop->condition || gt_bodies_trace(&draft, &draft.body[1]) == GT_OK) &&
        gt_bodies_order(&draft) == GT_OK &&
        gt_bodies_set_outputs(&draft, &draft.body[0], n, true) == GT_OK &&
        (!loop->condition || gt_bodies_set_outputs(&draft, &draft.body[1], 1,
                                                   draft.body[1].change_count > 0) == GT_OK) &&
        number_arguments(&draft, n) == GT_OK) {
        renumber(&draft);
        if (gt_bodies_prune(&draft, n + m + 1 + draft.captures.count) == GT_OK)
            apply_loop(&draft, loop, last, ys);
    }
    gt_bodies_close(&draft);
    gt_list_free(context, arguments, n + m, sizeof *arguments);
    return gt_context_status(context);
}
