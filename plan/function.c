/* Calling a traced function: which plan fits, making one by tracing the body twice, or running the
 * body itself where a tape watches or another function is being traced. Leans on plan.c. */
#include "plan/function.h"
#include "plan/plan.h"
#include "plan/print.h"
#include "ops/control/choice.h"

#include <string.h>

#define MAX_PLANS   32
#define MAX_ANSWERS 4 /* plans of the same shapes and types */
#define MAX_OUTPUTS 1024

GT_OPTION_TYPE(gt_function_options, gt_function_OPTIONS);
GT_OPTION_TYPE(gt_function_print_options, gt_function_print_OPTIONS);

/* A plan and the calls it is for. */
typedef struct Entry {
    gt_Plan *plan;
    gt_Spec *input;
    int32_t *masked; /* as in gt_Function; in the block of the specs */
    int32_t inputs, given;
    int32_t *
        masked_output; /* which output it is that has a mask, for each of the plan's after `outputs` */
    int32_t masked_outputs;
    gt_Facts facts; /* what the body asked, and was told */
    int64_t used;   /* when, in calls */
    bool checks;    /* numeric checks were on: no step is fused */
} Entry;

struct gt_Function {
    gt_Object object;
    gt_FunctionBody body;
    void *context;
    int32_t outputs;
    bool running;
    int64_t calls;
    Entry entries[MAX_PLANS];
    int32_t entry_count, last;
    gt_FunctionStats stats;
    gt_PlanText text; /* of gt_function_print */
    bool profiled;
    /* of the call that is running */
    int32_t given; /* inputs that the caller gave; behind them come their masks */
    int32_t inputs, room;
    int32_t *masked;                  /* which input it is that has a mask, for each of the masks */
    gt_Value **input;                 /* held */
    gt_Tensor **argument;             /* what the body gets */
    gt_Value **result;                /* what the body returns; held */
    const gt_Operation **probability; /* one a result: what made it, if that is known to be one */
    int32_t *masked_output, masked_outputs; /* as in Entry, of the last trace */
};

/* ---- making and freeing ---- */

static size_t result_bytes(const gt_Function *self)
{
    return ((size_t)self->outputs + 1) * sizeof *self->result;
}

/* Of the specs of the inputs, and which of them have masks. */
static size_t entry_bytes(int32_t inputs, int32_t given)
{
    return (size_t)inputs * sizeof(gt_Spec) + (size_t)(inputs - given) * sizeof(int32_t);
}

static void free_entry(gt_Context *context, Entry *entry)
{
    gt_plan_free(entry->plan);
    gt_release(context, entry->input, entry_bytes(entry->inputs, entry->given));
    gt_release(context, entry->masked_output,
               (size_t)entry->masked_outputs * sizeof *entry->masked_output);
    gt_facts_close(context, &entry->facts);
    *entry = (Entry){0};
}

static void destroy(gt_Object *object)
{
    gt_Function *self = (gt_Function *)object;
    gt_Context *context = object->context;
    for (int32_t i = 0; i < self->entry_count; i++)
        free_entry(context, &self->entries[i]);
    gt_plan_text_close(&self->text);
    gt_release(context, self->result, result_bytes(self));
    gt_release(context, self->probability, result_bytes(self));
    gt_release(context, self->input, (size_t)self->room * sizeof *self->input);
    gt_release(context, self->argument, (size_t)self->room * sizeof *self->argument);
    gt_release(context, self->masked, (size_t)self->room * sizeof *self->masked);
    gt_release(context, self->masked_output,
               (size_t)self->masked_outputs * sizeof *self->masked_output);
}

static const gt_ObjectKind function_kind = {"function", destroy, false};

gt_Function *gt_function_at(const char *here, gt_FunctionBody body, void *user,
                            const gt_function_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_function_options options;
    GT_TAKE(gt_function_options, &options, given);
    if (!body) {
        gt_raise(context, GT_INVALID, here, "function", "the body is NULL");
        return NULL;
    }
    gt_Site site = gt_site_enter(here, "function");
    gt_Status status = gt_check_function("the body", (uintptr_t)body);
    gt_site_leave(&site);
    if (status != GT_OK)
        return NULL;
    if (options.outputs < 0 || options.outputs > MAX_OUTPUTS) {
        gt_raise(context, GT_INVALID, here, "function", "outputs must be 0 to %d (got %d)",
                 MAX_OUTPUTS, (int)options.outputs);
        return NULL;
    }
    gt_Function *self = gt_object_new(context, &function_kind, sizeof *self);
    if (!self)
        return NULL;
    self->body = body;
    self->context = user;
    self->outputs = options.outputs;
    self->result = gt_allocate_zeroed(context, result_bytes(self));
    self->probability = self->result ? gt_allocate_zeroed(context, result_bytes(self)) : NULL;
    if (!self->probability) {
        gt_object_release(&self->object);
        return NULL;
    }
    return self;
}

void gt_function_free(gt_Function *self)
{
    gt_object_free("function_free", self, &function_kind);
}

/* ---- running the body ---- */

/* The arguments as the body sees them: symbols of the trace, or handles of the values. */
static gt_Status make_arguments(gt_Context *context, gt_Function *self, bool traced)
{
    for (int32_t i = 0; i < self->inputs; i++) {
        if (traced) {
            self->argument[i] = gt_trace_input(context, gt_value_spec(self->input[i]));
        } else {
            self->argument[i] = gt_value_handle(self->input[i]);
        }
        if (!self->argument[i])
            return gt_context_status(context);
    }
    for (int32_t i = self->given; traced && i < self->inputs; i++)
        gt_value_set_mask(gt_tensor_value(self->argument[self->masked[i - self->given]]),
                          gt_tensor_value(self->argument[i]));
    return GT_OK;
}

static int32_t count_masked(const gt_Function *self)
{
    int32_t count = 0;
    for (int32_t i = 0; i < self->outputs; i++)
        count += gt_value_mask(self->result[i]) != NULL;
    return count;
}

/* Writes down which values of the graph are returned: the results, and behind them the masks of those that have one. */
static gt_Status take_symbols(gt_Context *context, gt_Function *self, gt_Graph *graph)
{
    int32_t masks = count_masked(self), at = self->outputs;
    graph->output = gt_allocate(context, (size_t)(self->outputs + masks) * sizeof *graph->output);
    if (!graph->output)
        return gt_context_status(context);
    graph->outputs = self->outputs + masks;
    gt_release(context, self->masked_output,
               (size_t)self->masked_outputs * sizeof *self->masked_output);
    self->masked_outputs = 0;
    self->masked_output = gt_allocate(context, (size_t)masks * sizeof *self->masked_output);
    if (!self->masked_output)
        return gt_context_status(context);
    self->masked_outputs = masks;
    for (int32_t i = 0; i < self->outputs; i++) {
        gt_Value *mask = gt_value_mask(self->result[i]);
        graph->output[i] = gt_trace_symbol(context, self->result[i]);
        if (graph->output[i] < 0)
            return gt_context_status(context);
        if (!mask)
            continue;
        self->masked_output[at - self->outputs] = i;
        graph->output[at++] = gt_trace_symbol(context, mask);
        if (graph->output[at - 1] < 0)
            return gt_context_status(context);
    }
    return GT_OK;
}

/* Is the result an argument as it came? */
static bool is_argument(const gt_Function *self, const gt_Value *result)
{
    for (int32_t i = 0; i < self->inputs; i++)
        if (self->input[i] == result)
            return true;
    return false;
}

/* The results become handles of the scope that is open, to other tensors than the arguments, as those of a
 * plan are. Of probabilities they know that they are some, and no more. */
static gt_Status give_results(gt_Context *context, gt_Function *self, gt_Tensor **outputs)
{
    gt_values_give(context, self->result, self->outputs, outputs);
    for (int32_t i = 0; i < self->outputs && gt_context_status(context) == GT_OK; i++)
        if (is_argument(self, gt_tensor_value(outputs[i])))
            gt_make_own(context, &outputs[i], 1);
    for (int32_t i = 0; i < self->outputs && gt_context_status(context) == GT_OK; i++)
        if (self->probability[i])
            gt_probability_mark(context, outputs[i], self->probability[i]);
    for (int32_t i = 0; i < self->outputs && gt_context_status(context) != GT_OK; i++) {
        if (outputs[i])
            gt_tensor_free(context, outputs[i]);
        outputs[i] = NULL;
    }
    return gt_context_status(context);
}

/* With a graph the body is traced into it, else its results go to `outputs`. */
static gt_Status run_body(gt_Context *context, gt_Function *self, gt_Graph *graph,
                          gt_Tensor **outputs)
{
    if (!gt_scope_open(context))
        return gt_context_status(context);
    bool ran = make_arguments(context, self, graph != NULL) == GT_OK &&
               gt_body_run_telling(context, "function", self->body, self->context, self->argument,
                                   self->outputs, self->result, self->probability) == GT_OK;
    if (ran && graph) {
        take_symbols(context, self, graph);
        gt_values_release(self->result, self->outputs);
    }
    gt_scope_close(context);
    return ran && !graph ? give_results(context, self, outputs) : gt_context_status(context);
}

/* ---- tracing it ---- */

/* `like`: a trace of the same body, which is probably as long; NULL: there is none yet. */
static gt_Graph *trace_body(gt_Context *context, gt_Function *self, gt_Facts *facts,
                            const gt_Graph *like)
{
    gt_Graph *graph = gt_graph_new(context);
    if (graph && like)
        gt_graph_reserve(graph, like->value_count, like->node_count);
    gt_Trace *trace =
        graph && gt_context_status(context) == GT_OK ? gt_trace_begin(context, graph, facts) : NULL;
    if (trace) {
        gt_facts_again(context, facts);
        run_body(context, self, graph, NULL);
        gt_trace_end(context, trace);
    }
    if (gt_context_status(context) == GT_OK)
        return graph;
    gt_graph_free(graph);
    return NULL;
}

/* The caller's tapes do not see symbols: they are put aside while the body is traced. The facts are
 * those of the second time: by then everything is built. */
static gt_Plan *trace_plan(gt_Context *context, gt_Function *self, gt_Facts *facts)
{
    gt_TapesAside aside = gt_tapes_put_aside(context);
    gt_Graph *first = trace_body(context, self, facts, NULL);
    gt_Graph *second = first ? trace_body(context, self, facts, first) : NULL;
    gt_tapes_put_back(context, aside);
    char difference[512];
    if (second && !gt_graph_equal(first, second, difference, sizeof difference))
        gt_raise(context, GT_STATE, NULL, "function",
                 "the body did not do the same twice: %s. A traced function must do the same at "
                 "every call; make what changes a variable, an argument or gt_live",
                 difference);
    gt_graph_free(second);
    if (gt_context_status(context) == GT_OK)
        return gt_plan_new(first);
    gt_graph_free(first);
    return NULL;
}

/* ---- which plan ---- */

static bool has_inputs(const Entry *entry, const gt_Function *self)
{
    if (entry->inputs != self->inputs || entry->given != self->given ||
        entry->checks != gt_context_checks_numerics(self->object.context))
        return false;
    for (int32_t i = 0; i < self->inputs - self->given; i++)
        if (entry->masked[i] != self->masked[i])
            return false;
    for (int32_t i = 0; i < self->inputs; i++)
        if (!gt_spec_equal(&entry->input[i], gt_value_spec(self->input[i])))
            return false;
    return true;
}

/* The entry with the plan for this call, NULL if there is none. The one used last is asked first.
 */
static Entry *find_entry(gt_Context *context, gt_Function *self)
{
    for (int32_t tried = 0; tried < self->entry_count; tried++) {
        int32_t i = (self->last + tried) % self->entry_count;
        if (!has_inputs(&self->entries[i], self) ||
            !gt_facts_hold(context, &self->entries[i].facts))
            continue;
        self->last = i;
        return &self->entries[i];
    }
    return NULL;
}

/* Drops the entries that will never fit again, because what they asked about is gone. */
static void drop_stale(gt_Context *context, gt_Function *self)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < self->entry_count; i++) {
        Entry entry = self->entries[i];
        self->entries[i] = (Entry){0};
        if (gt_facts_live(context, &entry.facts))
            self->entries[kept++] = entry;
        else
            free_entry(context, &entry);
    }
    self->entry_count = kept;
}

/* Room for one more: the entry that was used least recently goes, if there are too many, or of those
 * for these inputs if there are too many of them. */
static Entry *free_place(gt_Context *context, gt_Function *self)
{
    Entry *oldest = NULL, *alike = NULL;
    int32_t answers = 0;
    drop_stale(context, self);
    for (int32_t i = 0; i < self->entry_count; i++) {
        Entry *entry = &self->entries[i];
        if (!oldest || entry->used < oldest->used)
            oldest = entry;
        if (!has_inputs(entry, self))
            continue;
        answers++;
        if (!alike || entry->used < alike->used)
            alike = entry;
    }
    if (answers < MAX_ANSWERS && self->entry_count < MAX_PLANS)
        return &self->entries[self->entry_count++];
    Entry *gone = answers < MAX_ANSWERS ? oldest : alike;
    free_entry(context, gone);
    return gone;
}

static Entry *make_entry(gt_Context *context, gt_Function *self)
{
    size_t bytes = entry_bytes(self->inputs, self->given);
    gt_Spec *input = gt_allocate(context, bytes);
    if (!input)
        return NULL;
    for (int32_t i = 0; i < self->inputs; i++)
        input[i] = *gt_value_spec(self->input[i]);
    int32_t *masked = (int32_t *)(void *)(input + self->inputs);
    for (int32_t i = 0; i < self->inputs - self->given; i++)
        masked[i] = self->masked[i];
    gt_Facts facts = {0};
    gt_Plan *plan = trace_plan(context, self, &facts);
    if (!plan || (self->profiled && gt_plan_profile(plan, true) != GT_OK)) {
        gt_plan_free(plan);
        gt_facts_close(context, &facts);
        gt_release(context, input, bytes);
        return NULL;
    }
    self->stats.traces++;
    Entry *entry = free_place(context, self);
    *entry = (Entry){.plan = plan,
                     .input = input,
                     .masked = masked,
                     .inputs = self->inputs,
                     .given = self->given,
                     .masked_output = self->masked_output,
                     .masked_outputs = self->masked_outputs,
                     .facts = facts,
                     .checks = gt_context_checks_numerics(context)};
    self->masked_output = NULL;
    self->masked_outputs = 0;
    self->last = (int32_t)(entry - self->entries);
    return entry;
}

static Entry *entry_for_call(gt_Context *context, gt_Function *self)
{
    Entry *entry = find_entry(context, self);
    if (!entry)
        entry = make_entry(context, self);
    if (!entry)
        return NULL;
    entry->used = self->calls;
    return entry;
}

/* ---- calling ---- */

static gt_Status make_room(gt_Context *context, gt_Function *self, int32_t inputs)
{
    if (inputs <= self->room)
        return GT_OK;
    gt_Value **input = gt_allocate(context, (size_t)inputs * sizeof *input);
    gt_Tensor **argument = gt_allocate(context, (size_t)inputs * sizeof *argument);
    int32_t *masked = gt_allocate(context, (size_t)inputs * sizeof *masked);
    if (!input || !argument || !masked) {
        gt_release(context, input, (size_t)inputs * sizeof *input);
        gt_release(context, argument, (size_t)inputs * sizeof *argument);
        gt_release(context, masked, (size_t)inputs * sizeof *masked);
        return gt_context_status(context);
    }
    gt_release(context, self->input, (size_t)self->room * sizeof *input);
    gt_release(context, self->argument, (size_t)self->room * sizeof *argument);
    gt_release(context, self->masked, (size_t)self->room * sizeof *masked);
    self->input = input;
    self->argument = argument;
    self->masked = masked;
    self->room = inputs;
    return GT_OK;
}

/* Holds the values of the inputs; an assignment to a variable among them leaves them as they are.
 */
static gt_Status take_inputs(gt_Context *context, gt_Function *self, gt_Tensors inputs)
{
    int32_t masks = 0;
    self->inputs = 0;
    self->given = inputs.count;
    for (int32_t i = 0; i < inputs.count; i++)
        masks += gt_is_masked(inputs.items[i]);
    if (make_room(context, self, inputs.count + masks) != GT_OK)
        return gt_context_status(context);
    for (int32_t i = 0; i < inputs.count; i++) {
        gt_Value *value =
            gt_value_read_masked(context, NULL, "function", "input", i + 1, inputs.items[i]);
        if (!value)
            return gt_context_status(context);
        gt_value_retain(value, true);
        self->input[self->inputs++] = value;
    }
    for (int32_t i = 0; masks > 0 && i < inputs.count; i++) {
        gt_Value *mask = gt_value_mask(self->input[i]);
        if (!mask)
            continue;
        gt_value_retain(mask, true);
        self->masked[self->inputs - self->given] = i;
        self->input[self->inputs++] = mask;
    }
    return GT_OK;
}

/* Would a tape or a listener miss the operations inside a plan? */
static bool watched(gt_Context *context, const gt_Function *self, const gt_Plan *plan)
{
    uint64_t recording = gt_tape_recording(context);
    if (gt_listening(context))
        return true;
    if (!recording || !self->outputs)
        return false;
    for (int32_t i = 0; i < self->inputs; i++)
        if (gt_value_tapes(self->input[i]) & recording)
            return true;
    return gt_plan_watched(plan);
}

/* The plan's results, of which some are masks of others. */
static gt_Status run_masked(gt_Context *context, const gt_Function *self, const Entry *entry,
                            gt_Tensor **outputs)
{
    size_t bytes = (size_t)(self->outputs + entry->masked_outputs) * sizeof *outputs;
    gt_Tensor **all = gt_allocate_zeroed(context, bytes);
    if (!all)
        return gt_context_status(context);
    if (gt_plan_run(entry->plan, self->input, all) == GT_OK) {
        for (int32_t i = 0; i < entry->masked_outputs; i++) {
            gt_Tensor *mask = all[self->outputs + i];
            gt_value_set_mask(gt_tensor_value(all[entry->masked_output[i]]), gt_tensor_value(mask));
            gt_tensor_free(context, mask);
        }
        memcpy(outputs, all, (size_t)self->outputs * sizeof *outputs);
    }
    gt_release(context, all, bytes);
    return gt_context_status(context);
}

static gt_Status call(gt_Context *context, gt_Function *self, gt_Tensor **outputs)
{
    Entry *entry = gt_tracing(context) ? NULL : entry_for_call(context, self);
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    if (!entry || watched(context, self, entry->plan)) {
        self->stats.eager_calls++;
        return run_body(context, self, NULL, outputs);
    }
    self->stats.runs++;
    return entry->masked_outputs ? run_masked(context, self, entry, outputs)
                                 : gt_plan_run(entry->plan, self->input, outputs);
}

static gt_Status check_call(gt_Context *context, const char *here, const gt_Function *self,
                            gt_Tensors inputs, gt_Tensor **outputs)
{
    if (self->object.context != context)
        return gt_raise(context, GT_STATE, here, "function_call",
                        "this function belongs to another context");
    if (inputs.count < 0 || (inputs.count > 0 && !inputs.items))
        return gt_raise(context, GT_INVALID, here, "function_call", "the list of inputs is NULL");
    if (self->outputs > 0 && !outputs)
        return gt_raise(context, GT_INVALID, here, "function_call",
                        "the place for the %d outputs is NULL", (int)self->outputs);
    if (self->running)
        return gt_raise(context, GT_STATE, here, "function_call", "a function cannot call itself");
    return GT_OK;
}

gt_Status gt_function_call_at(const char *here, gt_Function *self, gt_Tensors inputs,
                              gt_Tensor **outputs)
{
    gt_Context *context = gt_context();
    if (!context)
        return GT_NO_MEMORY;
    if (!gt_object_check(context, here, "function_call", self, &function_kind))
        return gt_context_status(context);
    for (int32_t i = 0; outputs && i < self->outputs; i++)
        outputs[i] = NULL;
    if (gt_context_status(context) != GT_OK ||
        check_call(context, here, self, inputs, outputs) != GT_OK)
        return gt_context_status(context);
    gt_Site site = gt_site_enter(here, NULL);
    self->object.references++; /* the body may free the function it is part of */
    self->running = true;
    self->calls++;
    if (take_inputs(context, self, inputs) == GT_OK)
        call(context, self, outputs);
    for (int32_t i = 0; i < self->inputs; i++)
        gt_value_release(self->input[i], true);
    self->inputs = 0;
    self->running = false;
    gt_object_release(&self->object);
    gt_site_leave(&site);
    return gt_context_status(context);
}

gt_FunctionStats gt_function_stats_at(const char *here, const gt_Function *self)
{
    gt_FunctionStats stats = {0};
    gt_Context *context = gt_enter();
    if (!context || !gt_object_check(context, here, "function_stats", self, &function_kind))
        return stats;
    stats = self->stats;
    stats.plans = self->entry_count;
    if (self->entry_count > 0) {
        gt_PlanStats plan = gt_plan_stats(self->entries[self->last].plan);
        stats.operations = plan.operations;
        stats.copies = plan.copies;
        stats.bytes = plan.bytes;
        stats.bytes_naive = plan.naive;
    }
    return stats;
}

/* A function of the current context; NULL with an error raised for anything else. */
static gt_Context *enter(const char *here, const char *operation, const gt_Function *self)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_object_check(context, here, operation, self, &function_kind))
        return NULL;
    if (self->object.context == context)
        return context;
    gt_raise(context, GT_STATE, here, operation, "this function belongs to another context");
    return NULL;
}

gt_Status gt_function_profile_at(const char *here, gt_Function *self, bool on)
{
    gt_Context *context = enter(here, "function_profile", self);
    if (!context)
        return gt_status();
    self->profiled = on;
    for (int32_t i = 0; i < self->entry_count; i++)
        if (gt_plan_profile(self->entries[i].plan, on) != GT_OK)
            break;
    return gt_context_status(context);
}

const gt_Plan *gt_function_plan(const char *here, const char *operation, gt_Function *self)
{
    gt_Context *context = enter(here, operation, self);
    if (context && self->entry_count > 0)
        return self->entries[self->last].plan;
    if (context)
        gt_raise(context, GT_STATE, here, operation, "the function has no plan yet; call it first");
    return NULL;
}

const char *gt_function_print_at(const char *here, gt_Function *self,
                                 const gt_function_print_options *given)
{
    gt_Context *context = enter(here, "function_print", self);
    if (!context)
        return "";
    gt_function_print_options options;
    GT_TAKE(gt_function_print_options, &options, given);
    if (options.format < GT_PLAN_FORMAT_TEXT || options.format > GT_PLAN_FORMAT_DOT) {
        gt_raise(context, GT_INVALID, here, "function_print",
                 "format must be a GT_PLAN_FORMAT_ value (got %d)", (int)options.format);
        return "";
    }
    const gt_Plan *plan = gt_function_plan(here, "function_print", self);
    if (!plan)
        return "";
    gt_plan_text_close(&self->text);
    gt_Status status = gt_plan_print(plan, options.format, &self->text);
    return status == GT_OK ? self->text.text : "";
}
