/* The gradient walk: from the targets back, rule by rule, adding up what meets. Leans on walk.c for
 * the order and on the operations for the arithmetic. */
#include "autodiff/gradient.h"
#include "autodiff/walk.h"
#include "core/graph.h"
#include "ops/math/arithmetic.h"
#include "ops/control/choice.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"

#include <stdio.h>
#include <string.h>

#define BIT(n)  ((uint64_t)1 << (n))

GT_OPTION_TYPE(gt_gradient_options, gt_gradient_OPTIONS);

/* What a handle stands for now: a variable inside a trace stands for its symbol. */
static gt_Value *value_of(gt_Context *context, const char *here, const char *what,
                          gt_Tensor *tensor)
{
    gt_Slot *slot = gt_slot_check(context, here, "gradient", what, tensor);
    if (!slot)
        return NULL;
    if (slot->variable && context->trace)
        return gt_trace_variable(context, slot);
    return slot->value;
}

static gt_Tensor *handle_to(gt_Value *value)
{
    gt_value_retain(value, true);
    return gt_handle_new(value->context, value);
}

/* The sum of two gradients; of two that are rows, the rows of both. Those of 16 bits a number are
 * added in float32. */
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

/* Adds a gradient to a place. The sum is in the order of the walk, whatever the threads. */
static gt_Status accumulate(gt_Context *context, gt_Value **place, gt_Tensor *gradient)
{
    gt_Tensor *sum = *place ? add_up(handle_to(*place), gradient) : gradient;
    gt_Slot *slot = gt_slot_check(context, NULL, "gradient", "a gradient", sum);
    /* A variable, as output gradient or from a rule of the user's, is taken as it is now. */
    gt_Value *value = !slot             ? NULL
                      : !slot->variable ? slot->value
                                        : gt_variable_read(context, slot);
    if (!value)
        return context->status;
    if (value->context != context)
        return gt_foreign_variable(context, slot);
    gt_value_retain(value, true);
    if (*place)
        gt_value_release(*place, true);
    *place = value;
    return GT_OK;
}

static gt_Status seed(gt_Walk *walk, const char *here, gt_Tensor *target, gt_Value *value,
                      gt_Tensor *given)
{
    gt_Context *context = walk->context;
    gt_Value **place = gt_walk_place(walk, value);
    if (!place)
        return GT_OK;
    if (!given)
        return accumulate(context, place, gt_constant_like(target, 1));
    gt_Value *with = value_of(context, here, "an output gradient", given);
    if (!with)
        return context->status;
    char a[200], b[200];
    if (!gt_spec_equal(&with->spec, &value->spec))
        return gt_raise(
            context, GT_INVALID, here, "gradient", "an output gradient is %s, its target %s",
            gt_spec_text(&with->spec, a, sizeof a), gt_spec_text(&value->spec, b, sizeof b));
    return accumulate(context, place, given);
}

/* Only what has a source in it or behind it is worth a rule. */
static void mark_needed(gt_Walk *walk, int sources, gt_Value *const *source)
{
    for (int i = 0; i < sources; i++) {
        int32_t node = gt_walk_find(walk, source[i]);
        if (node >= 0)
            walk->nodes[node].needed = walk->nodes[node].source = true;
    }
    for (int32_t i = 0; i < walk->order_count; i++) {
        gt_WalkNode *node = &walk->nodes[walk->order[i]];
        if (!gt_walk_passes(node))
            continue;
        for (int k = 0; k < node->record->inputs && !node->needed; k++) {
            const gt_Value *input = node->record->input[k];
            int32_t behind = input ? gt_walk_find(walk, input) : -1;
            node->needed =
                behind >= 0 && walk->nodes[behind].needed && gt_dtype_is_float(input->spec.dtype);
        }
    }
}

static gt_Status pull_back(gt_Tape *tape, gt_Tensors targets, gt_Tensor *const *upstream,
                           gt_Tensors sources, gt_Tensor **gradients, bool zeros)
{
    gt_Unconnected without = zeros ? GT_UNCONNECTED_ZERO : GT_UNCONNECTED_NONE;
    return gt_gradients_at(NULL, tape, targets, sources, gradients,
                           &GT_VALUES(gt_gradient_options, without, upstream));
}

/* What has arrived at the inputs so far; at an input that is there twice, for the first of both. */
static void take_before(gt_Walk *walk, const gt_Record *record, const bool *wants,
                        gt_Tensor **before)
{
    gt_Map met = {0};
    for (int i = 0; i < record->inputs && walk->context->status == GT_OK; i++) {
        gt_Value **place = wants[i] ? gt_walk_place(walk, record->input[i]) : NULL;
        if (!place || !*place || gt_map_find(&met, gt_map_pointer(place)) >= 0)
            continue;
        if (gt_map_add(walk->context, &met, gt_map_pointer(place), i))
            before[i] = handle_to(*place);
    }
    gt_map_close(walk->context, &met);
}

/* The rule of one record; its gradients go to where its inputs add theirs up. The lists, one an
 * output or an input each, are empty. */
static gt_Status apply_rule(gt_Walk *walk, gt_WalkNode *node, gt_Tensor **upstream,
                            gt_Tensor **given, gt_Tensor **before, bool *wants)
{
    gt_Context *context = walk->context;
    gt_Record *record = node->record;
    gt_GradientRule rule = {context, record, wants, upstream, given, before, pull_back};
    bool arrived = false, wanted = false;
    for (int i = 0; i < record->outputs; i++)
        arrived |= walk->gradients[node->gradients + i] != NULL;
    for (int i = 0; i < record->inputs; i++) {
        const gt_Value *input = record->input[i];
        int32_t behind = input ? gt_walk_find(walk, input) : -1;
        wants[i] =
            behind >= 0 && walk->nodes[behind].needed && gt_dtype_is_float(input->spec.dtype);
        wanted |= wants[i];
    }
    if (!arrived || !wanted)
        return GT_OK;
    for (int i = 0; i < record->outputs; i++)
        if (walk->gradients[node->gradients + i])
            upstream[i] = handle_to(walk->gradients[node->gradients + i]);
    if (before)
        take_before(walk, record, wants, before);
    const gt_Operation *around = context->differentiating;
    context->differentiating = record->operation;
    if (context->status == GT_OK)
        record->operation->gradient(&rule);
    context->differentiating = around;
    for (int i = 0; i < record->inputs && context->status == GT_OK; i++) {
        if (!wants[i])
            continue;
        if (!given[i] && record->operation->flags & GT_OP_CONTROL)
            continue;
        if (!given[i])
            return gt_raise(context, GT_STATE, NULL, record->operation->name,
                            "the gradient rule gave no gradient for input %d", i);
        gt_Value **place = gt_walk_place(walk, record->input[i]);
        if (before && before[i])
            gt_values_release(place, 1);
        accumulate(context, place, given[i]);
    }
    return context->status;
}

/* Control flow may have more inputs and outputs than operations have. */
static gt_Status run_rule(gt_Walk *walk, gt_WalkNode *node)
{
    gt_Context *context = walk->context;
    int inputs = node->record->inputs, outputs = node->record->outputs;
    gt_Tensor *few[GT_MAX_OUTPUTS + GT_MAX_INPUTS] = {0};
    bool wants[GT_MAX_INPUTS];
    if (!(node->record->operation->flags & GT_OP_CONTROL))
        return apply_rule(walk, node, few, few + GT_MAX_OUTPUTS, NULL, wants);
    size_t lists = (size_t)(outputs + 2 * inputs) * sizeof(gt_Tensor *);
    gt_Tensor **many = gt_allocate_zeroed(context, lists + (size_t)inputs * sizeof(bool));
    if (many)
        apply_rule(walk, node, many, many + outputs, many + outputs + inputs,
                   (bool *)(many + outputs + 2 * inputs));
    gt_release(context, many, lists + (size_t)inputs * sizeof(bool));
    return context->status;
}

/* After its rule a node's own gradients are no longer needed, unless a source asked for them. */
static void drop_gradients(gt_Walk *walk, const gt_WalkNode *node)
{
    for (int i = 0; i < node->record->outputs && !node->source; i++) {
        gt_Value **place = &walk->gradients[node->gradients + i];
        if (*place)
            gt_value_release(*place, true);
        *place = NULL;
    }
}

static gt_Status run_rules(gt_Walk *walk)
{
    gt_Context *context = walk->context;
    uint64_t bit = BIT(gt_tape_bit(context, walk->tape));
    const char *here = context->here;
    for (int32_t i = walk->order_count - 1; i >= 0 && context->status == GT_OK; i--) {
        gt_WalkNode *node = &walk->nodes[walk->order[i]];
        if (!node->needed || !gt_walk_passes(node))
            continue;
        gt_Scope *scope = gt_scope_open(context);
        if (!scope)
            break;
        context->here = node->record->here;
        run_rule(walk, node);
        context->here = here;
        gt_scope_unwind(context, scope);
        gt_scope_close(context);
        drop_gradients(walk, node);
        if (!walk->tape->persistent && node->record->tapes == bit)
            gt_record_strip(node->record);
    }
    return context->status;
}

/* Sources and targets as values, with the mistakes that would otherwise give a silent nothing. */
static gt_Status check_lists(gt_Context *context, const char *here, gt_Tensors targets,
                             gt_Tensors sources, gt_Value **target, gt_Value **source)
{
    for (int i = 0; i < targets.count; i++) {
        if (!(target[i] = value_of(context, here, "the target", targets.items[i])))
            return context->status;
        if (!gt_dtype_is_float(target[i]->spec.dtype))
            return gt_raise(context, GT_NO_GRADIENT, here, "gradient",
                            "the target is %s; only floats have gradients",
                            gt_dtype_name(target[i]->spec.dtype));
    }
    for (int i = 0; i < sources.count; i++) {
        if (!(source[i] = value_of(context, here, "a source", sources.items[i])))
            return context->status;
        if (!gt_dtype_is_float(source[i]->spec.dtype))
            return gt_raise(context, GT_NO_GRADIENT, here, "gradient",
                            "a source is %s; only floats have gradients",
                            gt_dtype_name(source[i]->spec.dtype));
    }
    return GT_OK;
}

static void name_source(const gt_Slot *slot, char *text, size_t size)
{
    if (slot->variable)
        snprintf(text, size, "variable %s", slot->variable->name);
    else
        snprintf(text, size, "the source");
}

/* What a source gets that no gradient arrived at. With other numbers one might have, if numbers chose. */
static gt_Tensor *without_gradient(gt_Walk *walk, gt_Unconnected unconnected, gt_Tensor *source)
{
    if (!walk->chosen && unconnected != GT_UNCONNECTED_ZERO)
        return NULL;
    gt_Tensor *zeros = gt_constant_like(source, 0);
    if (zeros && walk->chosen)
        gt_mark_choice(walk->context, &zeros, 1);
    return zeros;
}

/* The answers, in the caller's scope. The walk came to all sources that have to be connected; if none
 * arrived at one, what lies between does not depend on it. */
static gt_Status collect(gt_Walk *walk, const char *here, gt_Tensors sources,
                         gt_Value *const *source, gt_Unconnected unconnected, gt_Tensor **gradients)
{
    gt_Context *context = walk->context;
    int found = 0, missing = -1;
    for (int i = 0; i < sources.count && context->status == GT_OK; i++) {
        gt_Value **place = gt_walk_place(walk, source[i]);
        gradients[i] = place && *place ? handle_to(*place)
                                       : without_gradient(walk, unconnected, sources.items[i]);
        found += gradients[i] != NULL;
        if (!gradients[i] && missing < 0)
            missing = i;
    }
    bool enough =
        unconnected == GT_UNCONNECTED_NONE || (unconnected == GT_UNCONNECTED_SOME && found > 0);
    if (context->status != GT_OK || missing < 0 || enough)
        return context->status;
    char name[128];
    name_source(gt_slot_raw(sources.items[missing]), name, sizeof name);
    return gt_raise(context, GT_NO_GRADIENT, here, "gradient",
                    "the target does not depend on %s, though a loop, a branch or a function that "
                    "is recomputed reads it on the way",
                    name);
}

/* ---- why there is none ---- */

static const char *where(const gt_Record *record)
{
    return record->here ? record->here : "an unknown place";
}

/* Walks through everything, also what cuts, and finds the cut nearest to the source. */
static void explain(gt_Context *context, gt_TapeSlot *tape, const gt_Value *target,
                    const gt_Slot *source_slot, const gt_Value *source, char *text, size_t size)
{
    uint64_t bit = BIT(gt_tape_bit(context, tape));
    char name[128];
    name_source(source_slot, name, sizeof name);
    if (!gt_dtype_is_float(source->spec.dtype) || !gt_dtype_is_float(target->spec.dtype)) {
        snprintf(text, size, "%s is %s; only floats have gradients",
                 gt_dtype_is_float(source->spec.dtype) ? "the target" : name,
                 gt_dtype_name(gt_dtype_is_float(source->spec.dtype) ? target->spec.dtype
                                                                     : source->spec.dtype));
        return;
    }
    if (tape->used) {
        snprintf(text, size, "the tape was used already; only a persistent one answers twice");
        return;
    }
    bool watched = gt_tapes_of(source) & bit;
    bool computed = gt_tapes_of(target) & bit;
    bool variable = source_slot->variable != NULL;
    if (!watched && variable && !source_slot->variable->trainable)
        snprintf(text, size, "%s is not trainable, and gt_watch was not called for it", name);
    else if (!computed)
        snprintf(text, size,
                 "the target was not computed while this tape recorded, or from nothing that it "
                 "watches");
    else if (!watched && variable)
        snprintf(text, size, "%s was not read while this tape recorded", name);
    else if (!watched)
        snprintf(text, size,
                 "%s was not watched and not computed from anything watched: call gt_watch before "
                 "it is used",
                 name);
    if (!watched || !computed)
        return;
    gt_Walk walk = {.context = context, .tape = tape};
    gt_Value *targets[1];
    memcpy(targets, &target, sizeof target);
    if (gt_walk_collect(&walk, 1, targets, true) == GT_OK) {
        int32_t from = gt_walk_find(&walk, source);
        const gt_Record *cut = NULL;
        if (from >= 0)
            walk.nodes[from].needed = true;
        for (int32_t i = 0; i < walk.order_count; i++) {
            gt_WalkNode *node = &walk.nodes[walk.order[i]];
            int inputs = node->leaf ? 0 : node->record->inputs;
            for (int k = 0; k < inputs; k++) {
                const gt_Value *input = node->record->input[k];
                int32_t behind = input ? gt_walk_find(&walk, input) : -1;
                if (behind < 0 || !walk.nodes[behind].needed)
                    continue;
                node->needed = true;
                if (!cut && (!gt_walk_passes(node) || !gt_dtype_is_float(input->spec.dtype)))
                    cut = node->record;
            }
        }
        gt_Walk open = {.context = context, .tape = tape};
        bool reached = from >= 0 && gt_walk_collect(&open, 1, targets, false) == GT_OK &&
                       gt_walk_find(&open, source) >= 0;
        gt_walk_close(&open);
        if (reached)
            snprintf(text, size, "there is a gradient");
        else if (from < 0)
            snprintf(text, size, "the target was not computed from %s", name);
        else if (cut && cut->operation && cut->operation->flags & GT_OP_NOT_DIFFERENTIABLE)
            snprintf(text, size, "%s at %s has no gradient: %s", cut->operation->name, where(cut),
                     cut->operation->why_not ? cut->operation->why_not
                                             : "it is not differentiable");
        else if (cut && cut->operation)
            snprintf(text, size, "%s at %s gives or takes integers, which have no gradient",
                     cut->operation->name, where(cut));
        else
            snprintf(text, size, "the target was not computed from %s", name);
    }
    gt_walk_close(&walk);
}

const char *gt_explain_gradient_at(const char *here, gt_Tape *handle, gt_Tensor *target,
                                   gt_Tensor *source)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_error_message();
    gt_TapeSlot *tape = gt_tape_check(context, here, "explain_gradient", handle);
    gt_Value *to = tape ? value_of(context, here, "the target", target) : NULL;
    gt_Value *from = to ? value_of(context, here, "the source", source) : NULL;
    if (!from)
        return context->message;
    explain(context, tape, to, gt_slot_raw(source), from, context->info, sizeof context->info);
    return context->info;
}

/* ---- the entry points ---- */

/* The reasons are worked out before the walk, which lets go of the records, but only for sources
 * that the walk does not reach: any of them, or the first if it may be `some`. */
static gt_Status check_connected(gt_Walk *walk, const char *here, gt_Tensors sources,
                                 gt_Value *const *source, gt_Value *const *target, int targets,
                                 bool some)
{
    gt_Context *context = walk->context;
    int missing = -1;
    for (int i = 0; i < sources.count; i++) {
        bool reached = gt_walk_find(walk, source[i]) >= 0;
        if (reached && some)
            return GT_OK;
        if (!reached && missing < 0)
            missing = i;
    }
    if (missing < 0)
        return GT_OK;
    char text[256] = "there are no targets";
    if (targets > 0)
        explain(context, walk->tape, target[0], gt_slot_raw(sources.items[missing]),
                source[missing], text, sizeof text);
    return gt_raise(context, GT_NO_GRADIENT, here, "gradient", "%s", text);
}

/* `began` says whether the records were touched: a question that was refused costs the tape
 * nothing. */
static gt_Status walk_back(gt_Walk *walk, const char *here, gt_Tensors targets, gt_Tensors sources,
                           gt_Value **target, gt_Value **source, gt_Tensor **gradients,
                           const gt_gradient_options *options, bool *began)
{
    gt_Context *context = walk->context;
    if (check_lists(context, here, targets, sources, target, source) != GT_OK ||
        gt_walk_collect(walk, targets.count, target, false) != GT_OK)
        return context->status;
    mark_needed(walk, sources.count, source);
    bool some = options->unconnected == GT_UNCONNECTED_SOME;
    if (!walk->chosen && (some || options->unconnected == GT_UNCONNECTED_ERROR) &&
        check_connected(walk, here, sources, source, target, targets.count, some) != GT_OK)
        return context->status;
    walk->gradients =
        gt_allocate_zeroed(context, (size_t)walk->gradient_count * sizeof *walk->gradients);
    if (!walk->gradients)
        return context->status;
    gt_Scope *scope = gt_scope_open(context);
    if (!scope)
        return context->status;
    for (int i = 0; i < targets.count && context->status == GT_OK; i++)
        seed(walk, here, targets.items[i], target[i],
             options->output_gradients ? options->output_gradients[i] : NULL);
    gt_scope_close(context);
    if (context->status != GT_OK)
        return context->status;
    *began = true;
    if (run_rules(walk) != GT_OK)
        return context->status;
    return collect(walk, here, sources, source, options->unconnected, gradients);
}

gt_Status gt_gradients_at(const char *here, gt_Tape *handle, gt_Tensors targets, gt_Tensors sources,
                          gt_Tensor **gradients, const gt_gradient_options *given)
{
    gt_Context *context = gt_enter();
    for (int i = 0; gradients && i < sources.count; i++)
        gradients[i] = NULL;
    if (!context)
        return gt_status();
    gt_gradient_options options = GT_TAKE(gt_gradient_options, given);
    gt_TapeSlot *tape = gt_tape_check(context, here, "gradient", handle);
    if (!tape)
        return context->status;
    if (targets.count < 0 || sources.count < 0 || (targets.count && !targets.items) ||
        (sources.count && (!sources.items || !gradients)))
        return gt_raise(context, GT_INVALID, here, "gradient", "a list is NULL");
    if (options.unconnected < GT_UNCONNECTED_ERROR || options.unconnected > GT_UNCONNECTED_SOME)
        return gt_raise(context, GT_INVALID, here, "gradient",
                        "unconnected is no GT_UNCONNECTED_ value");
    if (tape->used)
        return gt_raise(context, GT_STATE, here, "gradient",
                        "this tape was used for a gradient already; begin it with .persistent = "
                        "true to ask more than once");
    int32_t lists = targets.count + sources.count;
    gt_Value **values = gt_allocate(context, (size_t)lists * sizeof *values);
    if (!values)
        return context->status;
    const char *caller = context->here;
    if (here)
        context->here = here;
    /* Its own gradient is not for a tape to record, unless it may be asked again. */
    uint64_t own = tape->persistent ? 0 : BIT(gt_tape_bit(context, tape));
    uint64_t hushed = gt_tape_hush(context, own);
    gt_Walk walk = {.context = context, .tape = tape};
    bool began = false;
    walk_back(&walk, here, targets, sources, values, values + targets.count, gradients, &options,
              &began);
    gt_walk_close(&walk);
    gt_release(context, values, (size_t)lists * sizeof *values);
    if (began && !tape->persistent) {
        tape->used = true;
        gt_tape_forget_records(context, tape);
        gt_tape_set_paused(context, tape, true);
    }
    gt_tape_unquiet(context, hushed);
    context->here = caller;
    if (context->status != GT_OK)
        for (int i = 0; i < sources.count; i++)
            gradients[i] = NULL;
    return context->status;
}

gt_Tensor *gt_gradient_at(const char *here, gt_Tape *tape, gt_Tensor *target, gt_Tensor *source,
                          const gt_gradient_options *options)
{
    gt_Tensor *gradient = NULL;
    gt_gradients_at(here, tape, (gt_Tensors){&target, 1}, (gt_Tensors){&source, 1}, &gradient,
                    options);
    return gradient;
}

gt_Status gt_gradients_into_at(const char *here, gt_Tape *tape, gt_Tensor *target,
                               gt_Tensors sources, void *memory, size_t bytes)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (context->trace)
        return gt_raise(context, GT_STATE, here, "gradients_into",
                        "inside a traced function there are no numbers to write yet");
    size_t needed = 0, list = (size_t)(sources.count > 0 ? sources.count : 0) * sizeof(gt_Tensor *);
    for (int32_t i = 0; i < sources.count && sources.items; i++) {
        gt_Slot *slot =
            gt_slot_check(context, here, "gradients_into", "a source", sources.items[i]);
        if (!slot)
            return context->status;
        needed += gt_spec_bytes(&slot->value->spec);
    }
    if (bytes < needed || (!memory && needed))
        return gt_raise(context, GT_INVALID, here, "gradients_into",
                        "the memory has %zu bytes, %zu are needed", memory ? bytes : 0, needed);
    gt_Tensor **gradients = gt_allocate(context, list);
    gt_Scope *scope = gradients ? gt_scope_open(context) : NULL;
    if (scope) {
        const gt_gradient_options options =
            GT_VALUES(gt_gradient_options, GT_UNCONNECTED_ZERO, NULL);
        char *at = memory;
        bool found = gt_gradients_at(here, tape, (gt_Tensors){&target, 1}, sources, gradients,
                                     &options) == GT_OK;
        for (int32_t i = 0; found && i < sources.count; i++)
            found = gt_data(gradients[i]) || context->status == GT_OK;
        for (int32_t i = 0; found && i < sources.count; i++) {
            const gt_Value *value = gt_slot_raw(gradients[i])->value;
            size_t size = gt_spec_bytes(&value->spec);
            if (size)
                memcpy(at, gt_value_data(value), size);
            at += size;
        }
        gt_scope_close(context);
    }
    gt_release(context, gradients, list);
    return context->status;
}
