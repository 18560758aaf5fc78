/* A plan as text: what its bases are, then one line a step. For y = exp(x) * w with a variable w:
 *
 *     2 operations, 0 copies, 64 bytes in the block (64 without sharing)
 *     in0        float32 (3,)
 *     out0       float32 (3,)
 *     w          float32 (3,)
 *        0  exp        in0 -> out0 float32 (3,)                at demo.c:7
 *        1  multiply   out0, w -> out0 float32 (3,)            at demo.c:7, in model/dense
 *
 * A place in the block is "@" and its offset. A loop or a branch is followed by its bodies, indented. Leans on data.h. */
#include "plan/print.h"
#include "core/text.h"
#include "plan/data.h"

#include <stdarg.h>
#include <string.h>

typedef struct Printer {
    gt_Context *context;
    gt_PlanText *into;
    int indent;
} Printer;

/* ---- text ---- */

static gt_Status make_room(const Printer *printer, size_t bytes)
{
    gt_PlanText *into = printer->into;
    size_t needed = into->used + bytes + 1;
    if (needed <= into->capacity)
        return GT_OK;
    size_t capacity = into->capacity ? 2 * into->capacity : 1024;
    capacity = capacity < needed ? needed : capacity;
    char *grown = gt_allocate(printer->context, capacity);
    if (!grown)
        return gt_context_status(printer->context);
    if (into->used)
        memcpy(grown, into->text, into->used);
    grown[into->used] = 0;
    gt_release(printer->context, into->text, into->capacity);
    into->text = grown;
    into->capacity = capacity;
    return GT_OK;
}

static void put(const Printer *printer, const char *text)
{
    size_t bytes = strlen(text);
    if (make_room(printer, bytes) != GT_OK)
        return;
    memcpy(printer->into->text + printer->into->used, text, bytes + 1);
    printer->into->used += bytes;
}

#ifdef __GNUC__
__attribute__((format(printf, 2, 3)))
#endif
static void
print(const Printer *printer, const char *format, ...)
{
    char text[700];
    va_list arguments;
    va_start(arguments, format);
    gt_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    put(printer, text);
}

static void begin_line(const Printer *printer)
{
    for (int i = 0; i < printer->indent; i++)
        put(printer, "    ");
}

/* ---- bases and references ---- */

static void print_spec(const Printer *printer, const gt_Spec *spec)
{
    char text[200];
    put(printer, gt_spec_text(spec, text, sizeof text));
}

/* The name of base `base`, which is not the block. */
static char *base_name(const gt_Plan *plan, int32_t base, char *text, size_t size)
{
    int32_t i = base - GT_BASE_FIRST;
    if (i < plan->inputs)
        gt_text(text, size, "in%d", (int)i);
    else if ((i -= plan->inputs) < plan->outputs)
        gt_text(text, size, "out%d", (int)i);
    else if ((i -= plan->outputs) < plan->variable_count)
        gt_text(text, size, "%s", gt_variable_label(plan->variables[i].variable));
    else
        gt_text(text, size, "const%d", (int)(i - plan->variable_count));
    return text;
}

static void print_base(const Printer *printer, const gt_Plan *plan, int32_t base,
                       const gt_Spec *spec, const char *more)
{
    char name[160];
    begin_line(printer);
    print(printer, "%-10s ", base_name(plan, base, name, sizeof name));
    print_spec(printer, spec);
    print(printer, "%s\n", more);
}

/* Only the arguments that are read have a value in the graph. */
static void print_bases(const Printer *printer, const gt_Plan *plan)
{
    const gt_Graph *graph = plan->graph;
    for (int32_t i = 0; i < graph->value_count; i++)
        if (graph->values[i].kind == GT_GRAPH_INPUT)
            print_base(printer, plan, gt_plan_input_base(graph->values[i].index),
                       &graph->values[i].spec, "");
    for (int32_t i = 0; i < plan->outputs; i++)
        print_base(printer, plan, gt_plan_output_base(plan, i), &plan->output[i].spec, "");
    for (int32_t i = 0; i < plan->variable_count; i++)
        print_base(printer, plan, gt_plan_variable_base(plan, i),
                   gt_tensor_spec(plan->variables[i].variable),
                   plan->variables[i].overwritten ? ", changes" : "");
    for (int32_t i = 0; i < plan->constant_count; i++)
        print_base(printer, plan, gt_plan_constant_base(plan, i),
                   &graph->values[plan->constants[i]].spec, "");
}

static void print_ref(const Printer *printer, const gt_Plan *plan, gt_Ref ref)
{
    char name[160];
    int32_t base = gt_ref_base(ref);
    size_t offset = gt_ref_offset(ref);
    if (base == GT_BASE_NONE)
        put(printer, "-");
    else if (base == GT_BASE_BLOCK)
        print(printer, "@%zu", offset);
    else if (offset)
        print(printer, "%s+%zu", base_name(plan, base, name, sizeof name), offset);
    else
        put(printer, base_name(plan, base, name, sizeof name));
}

/* ---- steps ---- */

static void print_plan(const Printer *printer, const gt_Plan *plan);

static void print_bodies(const Printer *printer, const gt_PlanStep *step)
{
    const gt_Control *control = step->options;
    const bool loop = control->kind == GT_CONTROL_LOOP;
    const gt_Graph *bodies[2] = {control->first, control->second};
    const char *names[2] = {loop ? "round" : "if true", loop ? "condition" : "if false"};
    for (int i = 0; i < 2 && bodies[i]; i++) {
        Printer inner = *printer;
        inner.indent++;
        begin_line(printer);
        print(printer, "  %s:\n", names[i]);
        print_plan(&inner, bodies[i]->plan);
    }
}

static void print_step(const Printer *printer, const gt_Plan *plan, int32_t s)
{
    const gt_PlanStep *step = &plan->steps[s];
    const gt_Ref *ref = plan->refs + step->ref;
    const int32_t *value = plan->values + step->ref;
    begin_line(printer);
    print(printer, "%4d  %-22s ", (int)s, step->operation ? step->operation->name : "copy");
    for (int32_t i = 0; i < step->inputs; i++) {
        put(printer, i ? ", " : "");
        print_ref(printer, plan, *ref++);
    }
    put(printer, step->inputs ? " -> " : "-> ");
    for (int32_t i = 0; i < step->outputs; i++) {
        put(printer, i ? ", " : "");
        print_ref(printer, plan, *ref++);
        put(printer, " ");
        print_spec(printer, &plan->graph->values[value[step->inputs + i]].spec);
    }
    for (int32_t i = 0; i < step->temporaries; i++) {
        put(printer, i ? ", " : "; temporary ");
        print_ref(printer, plan, *ref++);
    }
    if (step->here)
        print(printer, "   at %s", step->here);
    if (step->path)
        print(printer, ", in %s", step->path);
    put(printer, "\n");
    if (step->control >= 0)
        print_bodies(printer, step);
}

static void print_plan(const Printer *printer, const gt_Plan *plan)
{
    begin_line(printer);
    print(printer, "%d operations, %d copies, %lld bytes in the block (%lld without sharing)\n",
          (int)plan->stats.operations, (int)plan->stats.copies, (long long)plan->block_bytes,
          (long long)plan->stats.naive);
    print_bases(printer, plan);
    for (int32_t s = 0; s < plan->step_count; s++) {
        if (s == plan->commit) {
            begin_line(printer);
            put(printer, "      variables change from here on\n");
        }
        print_step(printer, plan, s);
    }
}

gt_Status gt_plan_print(const gt_Plan *plan, gt_PlanText *into)
{
    const Printer printer = {plan->context, into, 0};
    print_plan(&printer, plan);
    return gt_context_status(plan->context);
}

void gt_plan_text_close(gt_Context *context, gt_PlanText *text)
{
    gt_release(context, text->text, text->capacity);
    *text = (gt_PlanText){0};
}
