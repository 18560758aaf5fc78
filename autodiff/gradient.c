/* The gradient walk: from the targets back, rule by rule, adding up what meets.
 *
 *   check      targets and sources as values, with the mistakes that would otherwise give a silent nothing
 *   collect    the records behind the targets, in an order in which everything comes after its inputs (walk.c)
 *   mark       which of them have a source in them or behind them: only their rules run
 *   seed       ones, or what the caller gives, arrive at the targets
 *   rules      from the last record to the first: each rule gets what arrived at the outputs and gives gradients to
 *              the inputs, where they are added up in this order, whatever the threads
 *   answers    what arrived at the sources, as handles of the caller's scope
 *
 * Rules are made of operations, so a tape that records meanwhile can differentiate the gradient again. Each rule runs
 * in a scope of its own; what it held goes when it has run. Leans on walk.c for the order and on the operations for the
 * arithmetic. */
#include "autodiff/gradient.h"
#include "autodiff/explain.h"
#include "autodiff/walk.h"
#include "core/assert.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/control/choice.h"
#include "ops/math/arithmetic.h"
#include "ops/kit.h"

#include <string.h>

GT_OPTION_TYPE(gt_gradient_options, gt_gradient_OPTIONS);

/* One question to a tape. */
typedef struct Question {
    gt_Walk walk;
    const char *here;
    gt_Tensors targets, sources;
    gt_Value **target, **source; /* what these are handles to; in one block */
    const gt_gradient_options *options;
} Question;

/* ---- adding up ---- */

/* The sum of two gradients; of two that are rows, the rows of both. 16-bit floats are added in float32. */
static gt_Tensor *add_up(gt_Tensor *a, gt_Tensor *b)
{
    gt_Tensor *at[2], *rows[2];
    gt_DType dtype = gt_dtype(a);
    if (!gt_rows(a, &at[0], &rows[0]) || !gt_rows(b, &at[1], &rows[1]))
        return gt_half_type(dtype) < 0
                   ? gt_add(a, b)
                   : gt_cast(gt_add(gt_cast(a, GT_FLOAT32), gt_cast(b, GT_FLOAT32)), dtype);
    if (gt_dtype(at[0]) != gt_dtype(at[1]))
        for (int i = 0; i < 2; i++)
            at[i] = gt_cast(at[i], GT_INT64);
    return gt_scatter_add(gt_concatenate(((gt_Tensors){at, 2})),
                          gt_concatenate(((gt_Tensors){rows, 2})), gt_tensor_shape(a));
}

/* Adds a gradient to a place. A variable, as output gradient or from a user's rule, counts with its value now. */
static gt_Status accumulate(gt_Context *context, gt_Value **place, gt_Tensor *gradient)
{
    gt_Tensor *sum = *place ? add_up(gt_value_handle(*place), gradient) : gradient;
    gt_Value *value = gt_value_hold(context, NULL, "gradient", "a gradient", sum);
    if (!value)
        return gt_context_status(context);
    if (*place)
        gt_value_release(*place, true);
    *place = value;
    return GT_OK;
}

/* The gradient that a target starts with: the one that the caller gives, or ones. A target that the walk does not pass, a
 * constant, takes none. */
static gt_Status seed_target(const Question *question, int32_t i)
{
    gt_Context *context = question->walk.context;
    gt_Tensor *const *seeds = question->options->output_gradients;
    gt_Value **place = gt_walk_place(&question->walk, question->target[i]);
    if (!place)
        return GT_OK;
    if (!seeds || !seeds[i])
        return accumulate(context, place, gt_constant_like(question->targets.items[i], 1));
    gt_Value *with =
        gt_value_of(context, question->here, "gradient", "an output gradient", seeds[i]);
    if (!with)
        return gt_context_status(context);
    char wanted[200], got[200];
    const gt_Spec *to = gt_value_spec(question->target[i]), *from = gt_value_spec(with);
    if (!gt_spec_equal(from, to))
        return gt_raise(context, GT_INVALID, question->here, "gradient",
                        "an output gradient must be like its target, %s (got %s)",
                        gt_spec_text(to, wanted, sizeof wanted),
                        gt_spec_text(from, got, sizeof got));
    return accumulate(context, place, seeds[i]);
}

static gt_Status seed(const Question *question)
{
    gt_Context *context = question->walk.context;
    if (!gt_scope_open(context))
        return gt_context_status(context);
    for (int32_t i = 0; i < question->targets.count && gt_context_status(context) == GT_OK; i++)
        seed_target(question, i);
    gt_scope_close(context);
    return gt_context_status(context);
}

/* ---- rules ---- */

/* Is the gradient of this input needed? */
static bool is_wanted(const gt_Walk *walk, const gt_Value *input)
{
    return input && gt_dtype_is_float(gt_value_spec(input)->dtype) && gt_walk_needs(walk, input);
}

/* Only what has a source in it or behind it is worth a rule. */
static void mark_needed(Question *question)
{
    gt_Walk *walk = &question->walk;
    for (int32_t i = 0; i < question->sources.count; i++) {
        int32_t node = gt_walk_find(walk, question->source[i]);
        if (node >= 0)
            walk->nodes[node].needed = walk->nodes[node].source = true;
    }
    for (int32_t i = 0; i < walk->order_count; i++) {
        gt_WalkNode *node = &walk->nodes[walk->order[i]];
        for (int32_t k = 0; node->passes && k < node->view.inputs && !node->needed; k++)
            node->needed = is_wanted(walk, node->view.input[k]);
    }
}

/* The walk itself, for rules that differentiate a body (gt_GradientRule.pull_back). */
static gt_Status pull_back(gt_Tape *tape, gt_Tensors targets, gt_Tensor *const *upstream,
                           gt_Tensors sources, gt_Tensor **gradients, bool zeros)
{
    gt_Unconnected without = zeros ? GT_UNCONNECTED_ZERO : GT_UNCONNECTED_NONE;
    return gt_gradients_at(NULL, tape, targets, sources, gradients,
                           &GT_VALUES(gt_gradient_options, without, upstream));
}

/* The lists that a rule works on; zeroed. */
typedef struct RuleLists {
    gt_Tensor **upstream; /* one an output */
    gt_Tensor **given;    /* one an input */
    gt_Tensor **before;   /* one an input, of control flow alone; else NULL */
    bool *wants;          /* one an input */
} RuleLists;

/* The gradients that have arrived at the inputs so far; at an input that is there twice, for the first of both. */
static void take_before(const gt_Walk *walk, const gt_RecordView *view, const RuleLists *lists)
{
    gt_Context *context = walk->context;
    gt_Map met = {0};
    for (int32_t i = 0; i < view->inputs && gt_context_status(context) == GT_OK; i++) {
        gt_Value **place = lists->wants[i] ? gt_walk_place(walk, view->input[i]) : NULL;
        if (!place || !*place || gt_map_find(&met, gt_map_pointer(place)) >= 0)
            continue;
        if (gt_map_add(context, &met, gt_map_pointer(place), i))
            lists->before[i] = gt_value_handle(*place);
    }
    gt_map_close(context, &met);
}

/* Adds up what the rule gave. A sum that the rule took into its own is replaced by that. */
static gt_Status take_given(const gt_Walk *walk, const gt_RecordView *view, const RuleLists *lists)
{
    gt_Context *context = walk->context;
    bool control = view->operation->flags & GT_OP_CONTROL;
    for (int32_t i = 0; i < view->inputs && gt_context_status(context) == GT_OK; i++) {
        if (!lists->wants[i] || (!lists->given[i] && control))
            continue;
        if (!lists->given[i])
            return gt_raise(context, GT_STATE, NULL, view->operation->name,
                            "the gradient rule gave no gradient for input %d", (int)i);
        gt_Value **place = gt_walk_place(walk, view->input[i]);
        if (lists->before && lists->before[i])
            gt_values_release(place, 1);
        accumulate(context, place, lists->given[i]);
    }
    return gt_context_status(context);
}

/* The rule of one record. Before: the gradients of all that was made of its outputs are added up. After: it has given its
 * inputs theirs. Nothing runs if no gradient arrived, or none is wanted. */
static gt_Status apply_rule(const gt_Walk *walk, const gt_WalkNode *node, const RuleLists *lists)
{
    gt_Context *context = walk->context;
    const gt_RecordView *view = &node->view;
    bool arrived = false, wanted = false;
    for (int32_t i = 0; i < view->outputs; i++)
        arrived |= walk->gradients[node->gradients + i] != NULL;
    for (int32_t i = 0; i < view->inputs; i++)
        wanted |= lists->wants[i] = is_wanted(walk, view->input[i]);
    if (!arrived || !wanted)
        return GT_OK;
    for (int32_t i = 0; i < view->outputs; i++)
        if (walk->gradients[node->gradients + i])
            lists->upstream[i] = gt_value_handle(walk->gradients[node->gradients + i]);
    if (lists->before)
        take_before(walk, view, lists);
    gt_GradientRule rule = {.context = context,
                            .record = node->record,
                            .wants = lists->wants,
                            .upstream = lists->upstream,
                            .given = lists->given,
                            .before = lists->before,
                            .pull_back = pull_back};
    const gt_Operation *around = gt_context_set_differentiating(context, view->operation);
    if (gt_context_status(context) == GT_OK)
        view->operation->gradient(&rule);
    gt_context_set_differentiating(context, around);
    return gt_context_status(context) == GT_OK ? take_given(walk, view, lists)
                                               : gt_context_status(context);
}

/* Control flow may have more inputs and outputs than operations have. */
static gt_Status run_control_rule(const gt_Walk *walk, const gt_WalkNode *node)
{
    size_t inputs = (size_t)node->view.inputs, outputs = (size_t)node->view.outputs;
    size_t bytes = (outputs + 2 * inputs) * sizeof(gt_Tensor *) + inputs * sizeof(bool);
    gt_Tensor **block = gt_allocate_zeroed(walk->context, bytes);
    if (block)
        apply_rule(walk, node,
                   &(RuleLists){.upstream = block,
                                .given = block + outputs,
                                .before = block + outputs + inputs,
                                .wants = (bool *)(block + outputs + 2 * inputs)});
    gt_release(walk->context, block, bytes);
    return gt_context_status(walk->context);
}

static gt_Status run_rule(const gt_Walk *walk, const gt_WalkNode *node)
{
    gt_Tensor *upstream[GT_MAX_OUTPUTS] = {0}, *given[GT_MAX_INPUTS] = {0};
    bool wants[GT_MAX_INPUTS];
    if (node->view.operation->flags & GT_OP_CONTROL)
        return run_control_rule(walk, node);
    GT_ASSERT(node->view.inputs <= GT_MAX_INPUTS && node->view.outputs <= GT_MAX_OUTPUTS);
    return apply_rule(walk, node, &(RuleLists){upstream, given, NULL, wants});
}

/* After its rule a node's own gradients are no longer needed, unless a source asked for them. */
static void drop_gradients(const gt_Walk *walk, const gt_WalkNode *node)
{
    if (!node->source)
        gt_values_release(walk->gradients + node->gradients, node->view.outputs);
}

/* From the targets back. While a rule runs, errors name the line of the operation whose gradient it is; its temporaries go
 * with its scope, and a tape that answers once lets go of the record. */
static gt_Status run_rules(const gt_Walk *walk)
{
    gt_Context *context = walk->context;
    for (int32_t i = walk->order_count - 1; i >= 0 && gt_context_status(context) == GT_OK; i--) {
        const gt_WalkNode *node = &walk->nodes[walk->order[i]];
        if (!node->needed || !node->passes)
            continue;
        gt_Scope *scope = gt_scope_open(context);
        if (!scope)
            break;
        const char *here = gt_context_set_here(context, node->view.here);
        run_rule(walk, node);
        gt_context_set_here(context, here);
        gt_scope_unwind(context, scope);
        gt_scope_close(context);
        drop_gradients(walk, node);
        gt_tape_pass(context, walk->tape, node->record);
    }
    return gt_context_status(context);
}

/* ---- the answers ---- */

/* The answer for a source that no gradient arrived at. If numbers chose, one might have with other numbers. */
static gt_Tensor *without_gradient(const Question *question, gt_Tensor *source)
{
    bool chosen = question->walk.chosen;
    if (!chosen && question->options->unconnected != GT_UNCONNECTED_ZERO)
        return NULL;
    gt_Tensor *zeros = gt_constant_like(source, 0);
    if (zeros && chosen)
        gt_mark_choice(question->walk.context, &zeros, 1);
    return zeros;
}

/* The answers, in the caller's scope. The walk came to all sources that have to be connected; if no gradient arrived
 * at one, what lies between does not depend on it. */
static gt_Status answer(const Question *question, gt_Tensor **gradients)
{
    gt_Context *context = question->walk.context;
    gt_Unconnected unconnected = question->options->unconnected;
    int32_t found = 0, missing = -1;
    for (int32_t i = 0; i < question->sources.count && gt_context_status(context) == GT_OK; i++) {
        gt_Value **place = gt_walk_place(&question->walk, question->source[i]);
        gradients[i] = place && *place ? gt_value_handle(*place)
                                       : without_gradient(question, question->sources.items[i]);
        found += gradients[i] != NULL;
        if (!gradients[i] && missing < 0)
            missing = i;
    }
    bool enough =
        unconnected == GT_UNCONNECTED_NONE || (unconnected == GT_UNCONNECTED_SOME && found > 0);
    if (gt_context_status(context) != GT_OK || missing < 0 || enough)
        return gt_context_status(context);
    char name[128];
    gt_name_source(question->sources.items[missing], name, sizeof name);
    return gt_raise(context, GT_NO_GRADIENT, question->here, "gradient",
                    "the target does not depend on %s, though a loop, a branch or a function that "
                    "is recomputed reads it on the way",
                    name);
}

/* Raises the reason if a source must be connected and is not: any of them, or all with GT_UNCONNECTED_SOME. The reason
 * is worked out before the rules run, which let go of the records. */
static gt_Status check_connected(const Question *question)
{
    gt_Context *context = question->walk.context;
    bool some = question->options->unconnected == GT_UNCONNECTED_SOME;
    int32_t missing = -1;
    if (question->walk.chosen || (!some && question->options->unconnected != GT_UNCONNECTED_ERROR))
        return GT_OK;
    for (int32_t i = 0; i < question->sources.count; i++) {
        bool reached = gt_walk_find(&question->walk, question->source[i]) >= 0;
        if (reached && some)
            return GT_OK;
        if (!reached && missing < 0)
            missing = i;
    }
    if (missing < 0)
        return GT_OK;
    char text[256] = "there are no targets";
    if (question->targets.count > 0)
        gt_explain(context, question->walk.tape, question->target[0],
                   question->sources.items[missing], question->source[missing], text, sizeof text);
    return gt_raise(context, GT_NO_GRADIENT, question->here, "gradient", "%s", text);
}

/* ---- the entry points ---- */

/* The values behind a list of targets or sources. */
static gt_Status take_list(const Question *question, const char *what, gt_Tensors list,
                           gt_Value **value)
{
    gt_Context *context = question->walk.context;
    for (int32_t i = 0; i < list.count; i++) {
        value[i] = gt_value_of(context, question->here, "gradient", what, list.items[i]);
        if (!value[i])
            return gt_context_status(context);
        gt_DType dtype = gt_value_spec(value[i])->dtype;
        if (!gt_dtype_is_float(dtype))
            return gt_raise(context, GT_NO_GRADIENT, question->here, "gradient",
                            "%s is %s; only floats have gradients", what, gt_dtype_name(dtype));
    }
    return GT_OK;
}

/* `began` says whether records were touched: a question that is refused costs the tape nothing. */
static gt_Status walk_back(Question *question, gt_Tensor **gradients, bool *began)
{
    gt_Walk *walk = &question->walk;
    gt_Context *context = walk->context;
    if (take_list(question, "the target", question->targets, question->target) != GT_OK ||
        take_list(question, "a source", question->sources, question->source) != GT_OK ||
        gt_walk_collect(walk, question->targets.count, question->target, false) != GT_OK)
        return gt_context_status(context);
    mark_needed(question);
    if (check_connected(question) != GT_OK)
        return gt_context_status(context);
    walk->gradients =
        gt_allocate_zeroed(context, (size_t)walk->gradient_count * sizeof *walk->gradients);
    if (!walk->gradients || seed(question) != GT_OK)
        return gt_context_status(context);
    *began = true;
    return run_rules(walk) == GT_OK ? answer(question, gradients) : gt_context_status(context);
}

static gt_Status check_question(gt_Context *context, const char *here, const gt_TapeSlot *tape,
                                const Question *question, gt_Tensor *const *gradients)
{
    gt_Tensors targets = question->targets, sources = question->sources;
    gt_Unconnected unconnected = question->options->unconnected;
    if (targets.count < 0 || sources.count < 0 || (targets.count && !targets.items) ||
        (sources.count && (!sources.items || !gradients)))
        return gt_raise(context, GT_INVALID, here, "gradient", "a list is NULL");
    if (unconnected < GT_UNCONNECTED_ERROR || unconnected > GT_UNCONNECTED_SOME)
        return gt_raise(context, GT_INVALID, here, "gradient",
                        "unconnected must be a GT_UNCONNECTED_ value (got %d)", (int)unconnected);
    if (gt_tape_is_used(tape))
        return gt_raise(context, GT_STATE, here, "gradient",
                        "this tape was used for a gradient already; begin it with .persistent = "
                        "true to ask more than once");
    return GT_OK;
}

gt_Status gt_gradients_at(const char *here, gt_Tape *handle, gt_Tensors targets, gt_Tensors sources,
                          gt_Tensor **gradients, const gt_gradient_options *given)
{
    gt_Context *context = gt_enter();
    for (int i = 0; gradients && i < sources.count; i++)
        gradients[i] = NULL;
    if (!context)
        return gt_status();
    gt_gradient_options options;
    GT_TAKE(gt_gradient_options, &options, given);
    gt_TapeSlot *tape = gt_tape_check(context, here, "gradient", handle);
    Question question = {.walk = {.context = context, .tape = tape},
                         .here = here,
                         .targets = targets,
                         .sources = sources,
                         .options = &options};
    if (!tape || check_question(context, here, tape, &question, gradients) != GT_OK)
        return gt_context_status(context);
    size_t bytes = ((size_t)targets.count + (size_t)sources.count) * sizeof(gt_Value *);
    question.target = gt_allocate(context, bytes);
    if (!question.target)
        return gt_context_status(context);
    question.source = question.target + targets.count;
    const char *caller = gt_context_set_here(context, here ? here : gt_context_here(context));
    uint64_t hushed = gt_tape_ask(context, tape);
    bool began = false;
    walk_back(&question, gradients, &began);
    gt_walk_close(&question.walk);
    gt_release(context, question.target, bytes);
    if (began)
        gt_tape_answered(context, tape);
    gt_tape_unquiet(context, hushed);
    gt_context_set_here(context, caller);
    for (int i = 0; i < sources.count && gt_context_status(context) != GT_OK; i++)
        gradients[i] = NULL;
    return gt_context_status(context);
}

gt_Tensor *gt_gradient_at(const char *here, gt_Tape *tape, gt_Tensor *target, gt_Tensor *source,
                          const gt_gradient_options *options)
{
    gt_Tensor *gradient = NULL;
    gt_gradients_at(here, tape, (gt_Tensors){&target, 1}, (gt_Tensors){&source, 1}, &gradient,
                    options);
    return gradient;
}

/* ---- gradients into the caller's memory ---- */

/* The bytes of all sources together; -1 with an error raised on failure. */
static int64_t count_bytes(gt_Context *context, const char *here, gt_Tensors sources)
{
    int64_t bytes = 0;
    for (int32_t i = 0; i < sources.count && sources.items; i++) {
        const gt_Spec *spec =
            gt_tensor_check(context, here, "gradients_into", "a source", sources.items[i]);
        if (!spec)
            return -1;
        bytes += (int64_t)gt_spec_bytes(spec);
    }
    return bytes;
}

/* Everything is computed before anything is written. */
static gt_Status write_gradients(gt_Context *context, const char *here, gt_Tape *tape,
                                 gt_Tensor *target, gt_Tensors sources, gt_Tensor **gradients,
                                 char *memory)
{
    const gt_gradient_options options = GT_VALUES(gt_gradient_options, GT_UNCONNECTED_ZERO, NULL);
    bool found = gt_gradients_at(here, tape, (gt_Tensors){&target, 1}, sources, gradients,
                                 &options) == GT_OK;
    for (int32_t i = 0; found && i < sources.count; i++)
        found = gt_data(gradients[i]) || gt_context_status(context) == GT_OK;
    for (int32_t i = 0; found && i < sources.count; i++) {
        size_t bytes = gt_spec_bytes(gt_tensor_spec(gradients[i]));
        if (bytes)
            memcpy(memory, gt_data(gradients[i]), bytes);
        memory += bytes;
    }
    return gt_context_status(context);
}

gt_Status gt_gradients_into_at(const char *here, gt_Tape *tape, gt_Tensor *target,
                               gt_Tensors sources, void *memory, size_t bytes)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (gt_tracing(context))
        return gt_raise(context, GT_STATE, here, "gradients_into",
                        "inside a traced function there are no numbers to write yet");
    int64_t needed = count_bytes(context, here, sources);
    if (needed < 0)
        return gt_context_status(context);
    if (bytes < (size_t)needed || (!memory && needed))
        return gt_raise(context, GT_INVALID, here, "gradients_into",
                        "the memory must have %lld bytes (got %zu)", (long long)needed,
                        memory ? bytes : 0);
    size_t list = (size_t)(sources.count > 0 ? sources.count : 0) * sizeof(gt_Tensor *);
    gt_Tensor **gradients = gt_allocate(context, list);
    if (gradients && gt_scope_open(context)) {
        write_gradients(context, here, tape, target, sources, gradients, memory);
        gt_scope_close(context);
    }
    gt_release(context, gradients, list);
    return gt_context_status(context);
}
