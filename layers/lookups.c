/* Text that is looked up ahead of a traced function. See lookups.h. */
#include "layers/lookups.h"
#include "layers/kit.h"
#include "ops/array/cast.h"

#include <string.h>

void gt_lookups_close(gt_Lookups *self)
{
    if (self->context)
        gt_release(self->context, self->items, (size_t)self->capacity * sizeof *self->items);
    *self = (gt_Lookups){.context = NULL};
}

/* ---- during a call ---- */

void gt_lookups_know(gt_Context *context, const gt_Strings *strings)
{
    gt_Lookups *self = gt_context_lookups(context);
    if (self && !self->gives && self->known_count < GT_MAX_INPUTS)
        self->known[self->known_count++] = strings->offsets;
}

static int8_t which(const gt_Lookups *self, const gt_Strings *strings)
{
    for (int32_t i = 0; i < self->known_count; i++)
        if (self->known[i] == strings->offsets)
            return (int8_t)i;
    return -1;
}

/* Has it weights that are trained, or, as a container, any? Then its own layers are given the text. */
static bool stands_alone(gt_LayerState *state)
{
    bool container = state->layer->type->flags & GT_LAYER_CONTAINER;
    return (container ? gt_weights(state->layer) : gt_trainable_variables(state->layer)).count == 0;
}

/* Its inputs as strings of the model; false with an error raised. */
static bool read_inputs(gt_Context *context, const gt_Lookups *self, const gt_LayerState *state, int32_t count,
                        gt_Tensor *const *inputs, const gt_Strings *const *text, gt_Lookup *lookup)
{
    lookup->inputs = count;
    for (int32_t i = 0; i < count; i++) {
        lookup->text[i] = text[i] ? which(self, text[i]) : -1;
        if (inputs[i] || (text[i] && lookup->text[i] < 0)) {
            gt_raise(context, GT_UNSUPPORTED, NULL, state->layer->type->name,
                     "%s: text is looked up ahead of a step, so layers get it as it came and beside no tensors; "
                     ".run_eagerly = true calls the model as it is",
                     state->name);
            return false;
        }
    }
    return true;
}

static bool note(gt_Context *context, gt_Lookups *self, const gt_Lookup *lookup)
{
    if (!gt_reserve(context, (void **)&self->items, self->count, &self->capacity, sizeof *self->items))
        return false;
    self->items[self->count++] = *lookup;
    return true;
}

static bool give(gt_Context *context, const gt_Lookups *self, const gt_Lookup *lookup, gt_Tensor **outputs)
{
    for (int32_t k = 0; k < self->count; k++) {
        const gt_Lookup *item = &self->items[k];
        if (item->layer != lookup->layer || item->inputs != lookup->inputs || (lookup->wanted & ~item->wanted) ||
            memcmp(item->text, lookup->text, (size_t)lookup->inputs * sizeof *item->text) != 0)
            continue;
        for (int32_t i = 0; i < GT_MAX_LAYER_OUTPUTS; i++)
            if (lookup->wanted >> i & 1)
                outputs[i] = gt_identity(item->outputs[i]);
        return true;
    }
    gt_raise(context, GT_STATE, NULL, lookup->layer->type->name,
             "the model gives text to other layers than when it was first called");
    return true;
}

static bool any(const gt_Strings *const *text, int32_t count)
{
    int32_t i = 0;
    while (i < count && !text[i])
        i++;
    return i < count;
}

bool gt_lookups_call(gt_Context *context, gt_LayerState *state, int32_t count, gt_Tensor *const *inputs,
                     const gt_Strings *const *text, uint32_t wanted, gt_Tensor **outputs, gt_Lookups **before)
{
    gt_Lookups *self = gt_context_lookups(context);
    gt_Lookup lookup = {.layer = state->layer, .wanted = wanted};
    *before = NULL;
    if (!self || !any(text, count) || !state->built || !stands_alone(state))
        return gt_context_status(context) != GT_OK;
    if (!read_inputs(context, self, state, count, inputs, text, &lookup))
        return true;
    if (self->gives)
        return give(context, self, &lookup, outputs);
    if (!note(context, self, &lookup))
        return true;
    *before = self; /* the layers inside are part of it */
    gt_context_set_lookups(context, NULL);
    return false;
}

/* ---- around a call ---- */

gt_Lookups *gt_lookups_begin(gt_Lookups *self, const gt_Strings *strings, int32_t count)
{
    gt_Context *context = self->context;
    gt_Lookups *before = gt_context_lookups(context);
    self->gives = true;
    self->known_count = count;
    for (int32_t i = 0; i < count; i++)
        self->known[i] = strings[i].offsets;
    gt_context_set_lookups(context, self);
    return before;
}

void gt_lookups_end(gt_Context *context, gt_Lookups *before)
{
    gt_context_set_lookups(context, before);
}

static gt_Status call_noting(gt_Context *context, gt_Lookups *self, gt_Layer *model, int32_t count,
                             const gt_Spec *inputs)
{
    gt_Lookups *before = gt_context_lookups(context);
    self->count = self->known_count = 0;
    self->structure = gt_context_structure(context);
    gt_context_set_lookups(context, self);
    gt_Status status = gt_build_for(model, count, inputs);
    gt_context_set_lookups(context, before);
    return status;
}

gt_Status gt_lookups_find(gt_Context *context, gt_Lookups *self, gt_Layer *model, bool training, int32_t count,
                          const gt_Spec *inputs)
{
    int32_t trainable = gt_trainable_variables(model).count;
    if (self->found && self->structure == gt_context_structure(context) && self->trainable == trainable)
        return gt_context_status(context);
    self->context = context;
    self->gives = self->found = false;
    gt_Status status = call_noting(context, self, model, count, inputs);
    if (status == GT_OK && self->structure != gt_context_structure(context)) /* that built some of them */
        status = call_noting(context, self, model, count, inputs);
    for (int32_t i = 0; i < self->count; i++)
        self->items[i].training = training;
    self->structure = gt_context_structure(context);
    self->trainable = trainable;
    self->found = status == GT_OK;
    return status;
}

/* ---- ahead of it ---- */

static gt_Status make_one(gt_Lookup *lookup, const gt_Strings *strings)
{
    gt_Tensor *inputs[GT_MAX_INPUTS] = {NULL}, **where[GT_MAX_LAYER_OUTPUTS];
    const gt_Strings *text[GT_MAX_INPUTS] = {NULL};
    int32_t last = 0;
    for (int32_t i = 0; i < lookup->inputs; i++)
        text[i] = lookup->text[i] >= 0 ? &strings[lookup->text[i]] : NULL;
    for (int32_t i = 1; i < GT_MAX_LAYER_OUTPUTS && lookup->wanted >> i; i++)
        where[last++] = lookup->wanted >> i & 1 ? &lookup->outputs[i] : NULL;
    where[last] = GT_LIST_END;
    const gt_call_options options = {
        GT_PRESETS(gt_call_options, gt_call_OPTIONS).training = lookup->training, .outputs = {where}};
    lookup->outputs[0] = gt_call_inputs(NULL, lookup->layer, &options, lookup->inputs, inputs, text);
    return gt_status();
}

gt_Status gt_lookups_make(gt_Lookups *self, const gt_Strings *strings)
{
    uint64_t recording = gt_tape_quiet(self->context);
    for (int32_t i = 0; i < self->count && gt_status() == GT_OK; i++)
        make_one(&self->items[i], strings);
    gt_tape_unquiet(self->context, recording);
    return gt_status();
}

/* ---- as arguments ---- */


int32_t gt_lookups_outputs(const gt_Lookups *self)
{
    int32_t count = 0;
    for (int32_t k = 0; k < self->count; k++)
        for (int32_t i = 0; i < GT_MAX_LAYER_OUTPUTS; i++)
            count += (int32_t)(self->items[k].wanted >> i & 1);
    return count;
}

void gt_lookups_list(const gt_Lookups *self, gt_Tensor **list)
{
    for (int32_t k = 0; k < self->count; k++)
        for (int32_t i = 0; i < GT_MAX_LAYER_OUTPUTS; i++)
            if (self->items[k].wanted >> i & 1)
                *list++ = self->items[k].outputs[i];
}

void gt_lookups_take(gt_Lookups *self, gt_Tensor *const *list)
{
    for (int32_t k = 0; k < self->count; k++)
        for (int32_t i = 0; i < GT_MAX_LAYER_OUTPUTS; i++)
            if (self->items[k].wanted >> i & 1)
                self->items[k].outputs[i] = *list++;
}
