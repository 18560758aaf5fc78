/* A plan as text: what its bases are, then one line a step. For y = exp(x) * w with a variable w:
 *
 *     1 operations, 0 copies, 64 bytes in the block (0 without sharing)
 *     in0        float32 (3,)
 *     out0       float32 (3,)
 *     w          float32 (3,)
 *        0  exp+multiply           in0, w -> out0 float32 (3,)   at demo.c:7, in model/dense
 *
 * A place in the block is "@" and its offset, one in the scratch memory of steps that run some rows at a time "~" and its offset. A loop or a branch is followed by its bodies, indented. While the function is
 * profiled each line begins with the mean time of the step. Leans on data.h. */
#include "plan/print.h"
#include "core/text.h"
#include "plan/data.h"

#include <stdarg.h>
#include <string.h>

/* ---- text ---- */

static gt_Status make_room(gt_PlanText *into, size_t bytes)
{
    size_t needed = into->used + bytes + 1;
    if (needed <= into->capacity)
        return GT_OK;
    size_t capacity = into->capacity ? 2 * into->capacity : 1024;
    capacity = capacity < needed ? needed : capacity;
    char *grown = gt_allocate(into->context, capacity);
    if (!grown)
        return gt_context_status(into->context);
    if (into->used)
        memcpy(grown, into->text, into->used);
    grown[into->used] = 0;
    gt_release(into->context, into->text, into->capacity);
    into->text = grown;
    into->capacity = capacity;
    return GT_OK;
}

void gt_plan_put(gt_PlanText *into, const char *text)
{
    size_t bytes = strlen(text);
    if (make_room(into, bytes) != GT_OK)
        return;
    memcpy(into->text + into->used, text, bytes + 1);
    into->used += bytes;
}

void gt_plan_format(gt_PlanText *into, const char *format, ...)
{
    char text[700];
    va_list arguments;
    va_start(arguments, format);
    gt_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    gt_plan_put(into, text);
}

void gt_plan_text_close(gt_PlanText *text)
{
    if (text->context)
        gt_release(text->context, text->text, text->capacity);
    *text = (gt_PlanText){0};
}

/* ---- names ---- */

const char *gt_base_name(const gt_Plan *plan, int32_t base, char text[GT_BASE_NAME])
{
    int32_t i = base - GT_BASE_FIRST;
    if (i < plan->inputs)
        gt_text(text, GT_BASE_NAME, "in%d", (int)i);
    else if ((i -= plan->inputs) < plan->outputs)
        gt_text(text, GT_BASE_NAME, "out%d", (int)i);
    else if ((i -= plan->outputs) < plan->variable_count)
        gt_text(text, GT_BASE_NAME, "%s", gt_variable_label(plan->variables[i].variable));
    else
        gt_text(text, GT_BASE_NAME, "const%d", (int)(i - plan->variable_count));
    return text;
}

const char *gt_ref_name(const gt_Plan *plan, gt_Ref ref, char text[GT_BASE_NAME + 24])
{
    char name[GT_BASE_NAME];
    int32_t base = gt_ref_base(ref);
    size_t offset = gt_ref_offset(ref);
    if (base == GT_BASE_NONE)
        return "-";
    if (base == GT_BASE_BLOCK)
        gt_text(text, GT_BASE_NAME, "@%zu", offset);
    else if (base == GT_BASE_ROWS)
        gt_text(text, GT_BASE_NAME, "~%zu", gt_ref_rows_offset(ref));
    else if (offset)
        gt_text(text, GT_BASE_NAME + 24, "%s+%zu", gt_base_name(plan, base, name), offset);
    else
        gt_base_name(plan, base, text);
    return text;
}

const char *gt_body_name(const gt_PlanStep *step, int i)
{
    const gt_Control *control = step->options;
    if (control->kind == GT_CONTROL_LOOP)
        return i ? "condition" : "round";
    return i ? "if false" : "if true";
}

/* ---- bases ---- */

static void begin_line(gt_PlanText *into, int indent)
{
    for (int i = 0; i < indent; i++)
        gt_plan_put(into, "    ");
}

static void print_spec(gt_PlanText *into, const gt_Spec *spec)
{
    char text[200];
    gt_plan_put(into, gt_spec_text(spec, text, sizeof text));
}

static void print_base(gt_PlanText *into, const gt_Plan *plan, int indent, int32_t base,
                       const gt_Spec *spec, const char *more)
{
    char name[GT_BASE_NAME];
    begin_line(into, indent);
    gt_plan_format(into, "%-10s ", gt_base_name(plan, base, name));
    print_spec(into, spec);
    gt_plan_format(into, "%s\n", more);
}

/* Only the arguments that are read have a value in the graph. */
static void print_bases(gt_PlanText *into, const gt_Plan *plan, int indent)
{
    const gt_Graph *graph = plan->graph;
    for (int32_t i = 0; i < graph->value_count; i++)
        if (graph->values[i].kind == GT_GRAPH_INPUT)
            print_base(into, plan, indent, gt_plan_input_base(graph->values[i].index),
                       &graph->values[i].spec, "");
    for (int32_t i = 0; i < plan->outputs; i++)
        print_base(into, plan, indent, gt_plan_output_base(plan, i), &plan->output[i].spec, "");
    for (int32_t i = 0; i < plan->variable_count; i++)
        print_base(into, plan, indent, gt_plan_variable_base(plan, i),
                   gt_tensor_spec(plan->variables[i].variable),
                   plan->variables[i].overwritten ? ", changes" : "");
    for (int32_t i = 0; i < plan->constant_count; i++)
        print_base(into, plan, indent, gt_plan_constant_base(plan, i),
                   &graph->values[plan->constants[i]].spec, "");
}

/* ---- steps ---- */

static void print_plan(gt_PlanText *into, const gt_Plan *plan, int indent);

static void print_bodies(gt_PlanText *into, const gt_Plan *plan, const gt_PlanStep *step,
                         int indent)
{
    void *const *body = plan->controls[step->control].kernel.body;
    for (int i = 0; i < 2 && body[i]; i++) {
        begin_line(into, indent);
        gt_plan_format(into, "  %s:\n", gt_body_name(step, i));
        print_plan(into, body[i], indent + 1);
    }
}

static void print_time(gt_PlanText *into, const gt_Plan *plan, int32_t s)
{
    const gt_PlanTime *time = plan->times ? &plan->times[s] : NULL;
    if (time && time->runs)
        gt_plan_format(into, "%10.3f us ", (double)time->nanoseconds / 1000 / (double)time->runs);
    else if (time)
        gt_plan_put(into, "         -    ");
}

/* Operands, from the reference `ref` on. */
static void print_operands(gt_PlanText *into, const gt_Plan *plan, const gt_PlanStep *step)
{
    const gt_Ref *ref = plan->refs + step->ref;
    const int32_t *value = plan->values + step->ref + step->inputs;
    char name[GT_BASE_NAME + 24];
    for (int32_t i = 0; i < step->inputs; i++)
        gt_plan_format(into, "%s%s", i ? ", " : "", gt_ref_name(plan, *ref++, name));
    gt_plan_put(into, step->inputs ? " -> " : "-> ");
    for (int32_t i = 0; i < step->outputs; i++) {
        gt_plan_format(into, "%s%s ", i ? ", " : "", gt_ref_name(plan, *ref++, name));
        print_spec(into, &plan->graph->values[value[i]].spec);
    }
    for (int32_t i = 0; i < step->temporaries; i++)
        gt_plan_format(into, "%s%s", i ? ", " : "; temporary ", gt_ref_name(plan, *ref++, name));
}

static void print_step(gt_PlanText *into, const gt_Plan *plan, int32_t s, int indent)
{
    const gt_PlanStep *step = &plan->steps[s];
    const gt_PlanGroup *group = step->group >= 0 ? &plan->groups[step->group] : NULL;
    begin_line(into, indent);
    if (group)
        gt_plan_format(into, "      steps %d to %d together, %lld of %lld rows at a time\n", (int)s,
                       (int)s + group->steps - 1, (long long)group->count, (long long)group->rows);
    if (group)
        begin_line(into, indent);
    print_time(into, plan, s);
    gt_plan_format(into, "%4d  %-22s ", (int)s, step->site.name);
    print_operands(into, plan, step);
    if (step->site.here)
        gt_plan_format(into, "   at %s", step->site.here);
    if (step->site.gradient_of)
        gt_plan_format(into, ", in the gradient of %s", step->site.gradient_of->name);
    if (step->site.path)
        gt_plan_format(into, ", in %s", step->site.path);
    gt_plan_put(into, "\n");
    if (step->control >= 0)
        print_bodies(into, plan, step, indent);
}

static void print_plan(gt_PlanText *into, const gt_Plan *plan, int indent)
{
    begin_line(into, indent);
    gt_plan_format(into,
                   "%d operations, %d copies, %lld bytes in the block (%lld without sharing)\n",
                   (int)plan->stats.operations, (int)plan->stats.copies,
                   (long long)plan->block_bytes, (long long)plan->stats.naive);
    print_bases(into, plan, indent);
    for (int32_t s = 0; s < plan->step_count; s++) {
        if (s == plan->commit) {
            begin_line(into, indent);
            gt_plan_put(into, "      variables change from here on\n");
        }
        print_step(into, plan, s, indent);
    }
}

gt_Status gt_plan_print(const gt_Plan *plan, gt_PlanFormat format, gt_PlanText *into)
{
    into->context = plan->context;
    switch (format) {
    case GT_PLAN_FORMAT_JSON:
        gt_plan_print_json(plan, into);
        break;
    case GT_PLAN_FORMAT_DOT:
        gt_plan_print_dot(plan, into);
        break;
    default:
        print_plan(into, plan, 0);
        break;
    }
    return gt_context_status(plan->context);
}
