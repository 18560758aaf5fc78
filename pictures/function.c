/* The plan of a function as boxes and arrows: each value that a step reads belongs to a box, the step that made it or
 * a light one, which is made when it is first read. */
#include "pictures/function.h"
#include "core/text.h"
#include "pictures/diagram.h"
#include "plan/print.h"

GT_OPTION_TYPE(gt_plot_function_options, gt_plot_function_OPTIONS);

typedef struct Plot {
    gt_Diagram diagram;
    const gt_Plan *plan;
    const gt_plot_function_options *options;
    int32_t *box; /* of each value of the graph; GT_DIAGRAM_NONE: none yet */
} Plot;

/* The box of a value that no step made. */
static int32_t source_box(Plot *plot, int32_t value)
{
    const gt_GraphValue *of = &plot->plan->graph->values[value];
    char name[200], spec[200];
    if (of->kind == GT_GRAPH_INPUT)
        gt_text(name, sizeof name, "input %d", (int)of->index);
    else if (of->kind == GT_GRAPH_VARIABLE)
        gt_text(name, sizeof name, "%.190s", gt_variable_label(of->variable));
    else
        gt_text(name, sizeof name, of->kind == GT_GRAPH_LIVE ? "a live number" : "constant");
    const int32_t box = gt_diagram_box(&plot->diagram, name, GT_DIAGRAM_NONE);
    if (box < 0)
        return box;
    plot->diagram.boxes[box].light = true;
    if (plot->options->show_shapes)
        gt_diagram_line(&plot->diagram, gt_spec_text(&of->spec, spec, sizeof spec));
    return box;
}

/* What the step reads gets its boxes first, so that arrows lead on. */
static void add_step(Plot *plot, int32_t s)
{
    const gt_Plan *plan = plot->plan;
    const gt_PlanStep *step = &plan->steps[s];
    const int32_t *values = plan->values + step->ref;
    char text[200];
    for (int32_t i = 0; i < step->inputs; i++) {
        const int32_t value = values[i] < 0 ? -1 : gt_plan_source(plan->graph, values[i]);
        if (value >= 0 && plot->box[value] < 0)
            plot->box[value] = source_box(plot, value);
    }
    const int32_t box =
        gt_diagram_box(&plot->diagram, step->site.name ? step->site.name : "copy", GT_DIAGRAM_NONE);
    for (int32_t i = 0; i < step->outputs; i++) {
        const int32_t value = values[step->inputs + i];
        if (value < 0)
            continue;
        plot->box[value] = box;
        if (plot->options->show_shapes)
            gt_diagram_line(&plot->diagram,
                            gt_spec_text(&plan->graph->values[value].spec, text, sizeof text));
    }
    if (plot->options->show_layers && step->site.path)
        gt_diagram_line(&plot->diagram, step->site.path);
    for (int32_t i = 0; i < step->inputs; i++)
        if (values[i] >= 0)
            gt_diagram_edge(&plot->diagram, plot->box[gt_plan_source(plan->graph, values[i])], box);
}

static gt_Picture *draw_plan(gt_Context *context, const gt_Plan *plan,
                             const gt_plot_function_options *options)
{
    const int32_t values = plan->graph->value_count;
    Plot plot = {
        {.context = context}, plan, options, gt_plan_array(context, values, sizeof(int32_t))};
    const gt_DiagramLook look = {"function", options->rankdir == GT_RANK_DIRECTION_LR,
                                 options->fold, options->dpi};
    for (int32_t v = 0; plot.box && v < values; v++)
        plot.box[v] = GT_DIAGRAM_NONE;
    for (int32_t s = 0; s < plan->step_count && gt_context_status(context) == GT_OK; s++)
        add_step(&plot, s);
    gt_Picture *picture = gt_diagram_picture(&plot.diagram, &look);
    gt_diagram_close(&plot.diagram);
    gt_plan_drop(context, plot.box, values, sizeof(int32_t));
    return picture;
}

gt_Picture *gt_plot_function_at(const char *here, gt_Function *function,
                                const gt_plot_function_options *given)
{
    static const char operation[] = "plot_function";
    const gt_Plan *plan = gt_function_plan(here, operation, function);
    if (!plan)
        return NULL;
    gt_Context *context = gt_enter();
    gt_plot_function_options options;
    GT_TAKE(gt_plot_function_options, &options, given);
    if (!gt_check_diagram(context, here, operation, options.rankdir, options.dpi))
        return NULL;
    gt_Site site = gt_site_enter(here, operation);
    gt_Picture *picture = draw_plan(context, plan, &options);
    gt_site_leave(&site);
    return picture;
}
