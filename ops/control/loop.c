/* A loop that numbers end, or that is too long to be unrolled, in the traced graph: one node, whose first body is a round
 * and whose second one is the condition (inputs and outputs: loop.h).
 *
 * Order of calls (bodies.h): the bodies are traced with symbols for the carries and for elements of xs; captures are
 * ordered; the changed variables among them become carries behind the loop variables, so every argument of the bodies gets
 * a new number (number_arguments); then the node is written down. A loop that adds x[k] * w to the loop variable s, and
 * counts its rounds in the variable v:
 *
 *     arguments as traced     0 s    1 x[k]   2 v    3 w
 *     inputs of the node      0 s    1 v      2 x    3 go    4 w       (carries: s, v; states: 1)
 *
 * Leans on bodies.c; loop_run.c runs it and loop_gradient.c differentiates it. */
#include "ops/control/loop.h"
#include "core/assert.h"
#include "ops/control/bodies.h"
#include "ops/control/choice.h"
#include "ops/control/lists.h"
#include "ops/control/reach.h"
#include "ops/control/traced_control.h"

#include <string.h>

GT_OPTION_TYPE(gt_Control, GT_CONTROL_OPTIONS);

static const gt_Operation gt_op_loop = {
    .size = sizeof(gt_Operation),
    .name = "loop",
    .flags = GT_OP_INTERNAL | GT_OP_CONTROL,
    .options = &gt_Control_type,
    .saves_inputs = UINT64_MAX,
    .saves_outputs = UINT32_MAX,
    .run = gt_loop_run,
    .gradient = gt_loop_gradient,
};

/* ---- the bodies ---- */

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
        return gt_fail(GT_INVALID, "the condition must have one element (got %s)",
                       gt_spec_text(&spec, text, sizeof text));
    outputs[0] = gt_control_flag(outputs[0]);
    return gt_status();
}

/* The next loop variables must be like those that the body got, or the next round would need another body. */
static gt_Status check_carries(const gt_Bodies *draft, int32_t count)
{
    char a[200], b[200];
    for (int32_t i = 0; i < count; i++) {
        const gt_Spec *now = &draft->arguments[i], *next = gt_body_result_spec(&draft->body[0], i);
        if (!gt_spec_equal(now, next))
            return gt_raise(draft->context, GT_INVALID, NULL, NULL,
                            "loop variable %d must stay like it was, %s (got %s)", (int)i + 1,
                            gt_spec_text(now, a, sizeof a), gt_spec_text(next, b, sizeof b));
    }
    return GT_OK;
}

/* Finds the input of the node that each argument of the bodies becomes: changed variables go from the captures to behind
 * the loop variables, and the other captures leave a place for `go`. */
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
        next += i == draft->captures.first; /* the place of `go` */
        if (draft->number[i] < 0)
            draft->number[i] = next++;
    }
    return GT_OK;
}

/* The arguments of the bodies get the numbers of the inputs of the node. */
static void renumber(const gt_Bodies *draft)
{
    for (int b = 0; b < 2; b++) {
        gt_Graph *graph = draft->body[b].graph;
        for (int32_t i = 0; graph && i < graph->value_count; i++)
            if (graph->values[i].kind == GT_GRAPH_INPUT)
                graph->values[i].index = draft->number[graph->values[i].index];
    }
}

/* The spec of `length` elements, one behind the other; `flat`: of rank 2. */
static bool stacked(gt_Context *context, gt_Spec *spec, int64_t length, const gt_Spec *of,
                    bool flat)
{
    gt_Shape shape = {.mark = GT_MARK, .rank = flat ? 2 : of->rank + 1, .dims = {length, of->size}};
    if (!flat && shape.rank <= GT_MAX_RANK)
        memcpy(shape.dims + 1, of->dims, (size_t)of->rank * sizeof *shape.dims);
    if (shape.rank <= GT_MAX_RANK && gt_spec_set(spec, of->dtype, shape))
        return true;
    char text[200];
    gt_raise(context, GT_INVALID, NULL, NULL, "%lld rounds of %s are too large to be stacked",
             (long long)length, gt_spec_text(of, text, sizeof text));
    return false;
}

/* ---- writing the node down ---- */

/* The specs of the outputs, in the order of loop.h. */
static gt_Status describe_outputs(gt_Context *context, const gt_Control *control, gt_Spec *spec)
{
    int32_t n = control->carries, p = control->ys;
    for (int32_t j = 0; j < n; j++)
        spec[j] = *gt_loop_spec(control, j);
    for (int32_t i = n; i < n + p; i++)
        if (!stacked(context, &spec[i], control->length, gt_loop_spec(control, i), false))
            return gt_context_status(context);
    if (control->length < 0)
        return GT_OK;
    for (int32_t j = 0; j < n; j++)
        if (!stacked(context, &spec[gt_loop_stack(control, j)], control->length,
                     gt_loop_spec(control, j), true))
            return gt_context_status(context);
    spec[gt_loop_count(control)] = (gt_Spec){.dtype = GT_INT64, .size = 1};
    return GT_OK;
}

static gt_Value *value_of(gt_Context *context, const char *what, int32_t i, gt_Tensor *tensor)
{
    return gt_value_read(context, NULL, NULL, what, i + 1, tensor);
}

/* The inputs of the node, in the order of loop.h; carries are there in any case, the others if a body uses them. */
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

/* Marks what numbers chose on the way through the loop, as each round does eagerly. The results of a while loop are marked
 * by gt_while_loop, all of them. */
static gt_Status mark_choices(gt_Context *context, const gt_Control *control, gt_Tensor **last,
                              gt_Tensor **ys)
{
    int32_t flowing = gt_loop_flowing(control), count = flowing + control->ys;
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
    gt_GraphNode like = {.operation = &gt_op_loop,
                         .inputs = inputs,
                         .outputs = loop->length < 0 ? required : required + n + s + 1,
                         .required = required,
                         .scratch = gt_loop_scratch(&options)};
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

/* The specs of the arguments of a round: loop variables and elements of xs. */
static gt_Status describe_arguments(gt_Context *context, const gt_TracedLoop *loop, gt_Spec *spec)
{
    int32_t n = loop->carries.count;
    for (int32_t i = 0; i < n + loop->xs.count; i++) {
        const gt_Value *value = i < n
                                    ? value_of(context, "loop variable", i, loop->carries.items[i])
                                    : value_of(context, "x", i - n, loop->xs.items[i - n]);
        if (!value)
            return gt_context_status(context);
        spec[i] = *gt_value_spec(value);
        if (i < n)
            continue;
        GT_ASSERT(spec[i].rank > 0);
        spec[i].rank--;
        memmove(spec[i].dims, spec[i].dims + 1, (size_t)spec[i].rank * sizeof *spec[i].dims);
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
