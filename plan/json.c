/* A plan as JSON: one object, in which a step of control flow holds the plans of its bodies.
 *
 *     {"operations": 1, "copies": 0, "block_bytes": 64, "bytes_naive": 64, "commit": 1,
 *      "bases": [{"name": "in0", "kind": "input", "dtype": "float32", "shape": [3]}, ...],
 *      "steps": [{"operation": "exp", "inputs": ["in0"], "outputs": [{"place": "out0", "dtype": "float32", "shape": [3]}],
 *                 "launches": 1, "here": "demo.c:7"}]}
 *
 * Leans on print.c. */
#include "plan/data.h"
#include "plan/print.h"

/* A string with its escapes. */
static void put_string(gt_PlanText *into, const char *text)
{
    gt_plan_put(into, "\"");
    for (; *text; text++) {
        char one[2] = {*text, 0};
        if (*text == '"' || *text == '\\')
            gt_plan_put(into, "\\");
        if ((unsigned char)*text < ' ')
            gt_plan_format(into, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            gt_plan_put(into, one);
    }
    gt_plan_put(into, "\"");
}

static void put_member(gt_PlanText *into, const char *name, const char *text)
{
    if (!text)
        return;
    gt_plan_format(into, ", \"%s\": ", name);
    put_string(into, text);
}

static void put_spec(gt_PlanText *into, const gt_Spec *spec)
{
    gt_plan_format(into, "\"dtype\": \"%s\", \"shape\": [", gt_dtype_name(spec->dtype));
    for (int i = 0; i < spec->rank; i++)
        gt_plan_format(into, "%s%lld", i ? ", " : "", (long long)spec->dims[i]);
    gt_plan_put(into, "]");
}

static void put_base(gt_PlanText *into, const gt_Plan *plan, int32_t base, const char *kind,
                     const gt_Spec *spec, bool *first)
{
    char name[GT_BASE_NAME];
    gt_plan_put(into, *first ? "" : ", ");
    gt_plan_put(into, "{\"name\": ");
    put_string(into, gt_base_name(plan, base, name));
    gt_plan_format(into, ", \"kind\": \"%s\", ", kind);
    put_spec(into, spec);
    *first = false;
}

static void put_bases(gt_PlanText *into, const gt_Plan *plan)
{
    const gt_Graph *graph = plan->graph;
    bool first = true;
    for (int32_t i = 0; i < graph->value_count; i++) {
        if (graph->values[i].kind != GT_GRAPH_INPUT)
            continue;
        put_base(into, plan, gt_plan_input_base(graph->values[i].index), "input",
                 &graph->values[i].spec, &first);
        gt_plan_put(into, "}");
    }
    for (int32_t i = 0; i < plan->outputs; i++) {
        put_base(into, plan, gt_plan_output_base(plan, i), "output", &plan->output[i].spec, &first);
        gt_plan_put(into, "}");
    }
    for (int32_t i = 0; i < plan->variable_count; i++) {
        put_base(into, plan, gt_plan_variable_base(plan, i), "variable",
                 gt_tensor_spec(plan->variables[i].variable), &first);
        gt_plan_format(into, ", \"changes\": %s}",
                       plan->variables[i].overwritten ? "true" : "false");
    }
    for (int32_t i = 0; i < plan->constant_count; i++) {
        put_base(into, plan, gt_plan_constant_base(plan, i), "constant",
                 &graph->values[plan->constants[i]].spec, &first);
        gt_plan_put(into, "}");
    }
}

static void put_place(gt_PlanText *into, const gt_Plan *plan, gt_Ref ref)
{
    char name[GT_BASE_NAME + 24];
    put_string(into, gt_ref_name(plan, ref, name));
}

static void put_step(gt_PlanText *into, const gt_Plan *plan, const gt_PlanStep *step)
{
    const gt_Ref *ref = plan->refs + step->ref;
    const int32_t *value = plan->values + step->ref;
    gt_plan_put(into, "{\"operation\": ");
    put_string(into, step->site.name);
    gt_plan_put(into, ", \"inputs\": [");
    for (int32_t i = 0; i < step->inputs; i++) {
        gt_plan_put(into, i ? ", " : "");
        put_place(into, plan, ref[i]);
    }
    gt_plan_put(into, "], \"outputs\": [");
    for (int32_t i = step->inputs; i < step->inputs + step->outputs; i++) {
        gt_plan_put(into, i > step->inputs ? ", {\"place\": " : "{\"place\": ");
        put_place(into, plan, ref[i]);
        gt_plan_put(into, ", ");
        put_spec(into, &plan->graph->values[value[i]].spec);
        gt_plan_put(into, "}");
    }
    gt_plan_format(into, "], \"launches\": %d", (int)step->launches);
    put_member(into, "here", step->site.here);
    put_member(into, "path", step->site.path);
    put_member(into, "gradient_of", step->site.gradient_of ? step->site.gradient_of->name : NULL);
    if (plan->times) {
        const gt_PlanTime *time = &plan->times[step - plan->steps];
        gt_plan_format(into, ", \"nanoseconds\": %lld, \"runs\": %lld",
                       (long long)time->nanoseconds, (long long)time->runs);
    }
    if (step->control >= 0) {
        void *const *body = plan->controls[step->control].kernel.body;
        for (int i = 0; i < 2 && body[i]; i++) {
            gt_plan_format(into, ", \"%s\": ", gt_body_name(step, i));
            gt_plan_print_json(body[i], into);
        }
    }
    gt_plan_put(into, "}");
}

void gt_plan_print_json(const gt_Plan *plan, gt_PlanText *into)
{
    gt_plan_format(into,
                   "{\"operations\": %d, \"copies\": %d, \"block_bytes\": %lld, "
                   "\"bytes_naive\": %lld, \"commit\": %d,\n\"bases\": [",
                   (int)plan->stats.operations, (int)plan->stats.copies,
                   (long long)plan->block_bytes, (long long)plan->stats.naive, (int)plan->commit);
    put_bases(into, plan);
    gt_plan_put(into, "],\n\"steps\": [");
    for (int32_t s = 0; s < plan->step_count; s++) {
        gt_plan_put(into, s ? ",\n" : "\n");
        put_step(into, plan, &plan->steps[s]);
    }
    gt_plan_put(into, "]}");
}
