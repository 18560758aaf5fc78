/* A plan as a drawing for Graphviz's dot: a box for each step, an ellipse for each argument, variable and constant that a
 * step reads, an edge for each operand. A view is no step: the edge begins where its numbers were made. Bodies of control
 * flow are not drawn. Leans on print.c. */
#include "plan/program.h"
#include "plan/print.h"
#include "plan/program.h"

/* A string in quotes, for a label. */
static void put_label(gt_PlanText *into, const char *text)
{
    for (; *text; text++) {
        char one[2] = {*text, 0};
        if (*text == '"' || *text == '\\')
            gt_plan_put(into, "\\");
        gt_plan_put(into, one);
    }
}

int32_t gt_plan_source(const gt_Graph *graph, int32_t value)
{
    while (graph->values[value].kind == GT_GRAPH_RESULT) {
        const gt_GraphNode *node = &graph->nodes[graph->values[value].node];
        if (!gt_is_view(graph, node))
            break;
        value = node->input[0];
    }
    return value;
}

/* A source that is no step: its name. */
static void put_source(gt_PlanText *into, const gt_Plan *plan, int32_t value)
{
    const gt_GraphValue *of = &plan->graph->values[value];
    switch (of->kind) {
    case GT_GRAPH_INPUT:
        gt_plan_format(into, "in%d", (int)of->index);
        break;
    case GT_GRAPH_VARIABLE:
        put_label(into, gt_variable_label(of->variable));
        break;
    case GT_GRAPH_LIVE:
        gt_plan_put(into, "a live number");
        break;
    default:
        gt_plan_format(into, "constant %d", (int)value);
        break;
    }
}

static void put_edges(gt_PlanText *into, const gt_Plan *plan, int32_t s)
{
    const gt_PlanStep *step = &plan->steps[s];
    const gt_Graph *graph = plan->graph;
    for (int32_t i = 0; i < step->inputs; i++) {
        int32_t value = plan->values[step->ref + i];
        if (value < 0)
            continue;
        value = gt_plan_source(graph, value);
        gt_plan_put(into, "    \"");
        if (graph->values[value].kind == GT_GRAPH_RESULT)
            gt_plan_format(into, "node %d", (int)graph->values[value].node);
        else
            put_source(into, plan, value);
        gt_plan_format(into, step->node < 0 ? "\" -> \"step %d\";\n" : "\" -> \"node %d\";\n",
                       (int)(step->node < 0 ? s : step->node));
    }
}

void gt_plan_print_dot(const gt_Plan *plan, gt_PlanText *into)
{
    char text[200];
    gt_plan_put(into, "digraph plan {\n    node [shape=ellipse];\n");
    for (int32_t s = 0; s < plan->step_count; s++) {
        const gt_PlanStep *step = &plan->steps[s];
        gt_plan_format(into, step->node < 0 ? "    \"step %d\"" : "    \"node %d\"",
                       (int)(step->node < 0 ? s : step->node));
        gt_plan_format(into, " [shape=box, label=\"%s", step->site.name);
        for (int32_t i = 0; i < step->outputs; i++)
            gt_plan_format(
                into, "\\n%s",
                gt_spec_text(&plan->graph->values[plan->values[step->ref + step->inputs + i]].spec,
                             text, sizeof text));
        if (step->site.path) {
            gt_plan_put(into, "\\n");
            put_label(into, step->site.path);
        }
        gt_plan_put(into, "\"];\n");
        put_edges(into, plan, s);
    }
    gt_plan_put(into, "}\n");
}
