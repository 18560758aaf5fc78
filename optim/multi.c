/* Several optimizers as one. The whole has no slots: it knows which part trains which variable, and its state is its numbers
 * and then that of the parts. Its step is that of the parts, in step.c, with the lists that gt_multi_deal fills. */
#include "optim/multi.h"
#include "optim/state.h"

#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_MultiOptimizer_options, gt_MultiOptimizer_OPTIONS);

static const gt_OptimizerClass multi_class = {.size = sizeof(gt_OptimizerClass),
                                              .name = "multi_optimizer",
                                              .function = "MultiOptimizer",
                                              .keras = "MultiOptimizer",
                                              .options = &gt_MultiOptimizer_options_type};

gt_Optimizers gt_optimizers_list(gt_Optimizer *const *items)
{
    int32_t count = 0;
    while (items[count] != GT_LIST_END)
        count++;
    return (gt_Optimizers){items, count};
}

/* ---- making one ---- */

static bool is_list(const gt_Optimizers *list)
{
    return list->count > 0 && list->count <= GT_MAX_OPTIMIZERS && gt_is_address(list->items);
}

static void for_each_part(const gt_Optimizers *list, void (*with)(gt_Object *object))
{
    for (int32_t i = 0; is_list(list) && i < list->count; i++)
        if (gt_object_is(list->items[i], &gt_optimizer_kind))
            with((gt_Object *)list->items[i]);
}

static gt_Status check_part(gt_Context *context, const gt_Optimizers *list, int32_t index)
{
    const gt_Optimizer *part = list->items[index];
    if (!gt_optimizer_check(context, NULL, NULL, part))
        return gt_context_status(context);
    for (int32_t i = 0; i < index; i++)
        if (list->items[i] == part)
            return gt_fail(GT_INVALID, "optimizer %s is in the list twice", part->name);
    const char *why = part->parts > 0        ? "is made of several itself"
                      : part->is_part        ? "is part of another one already"
                      : part->built          ? "is built already"
                      : part->loss_scale > 0 ? "scales losses itself"
                      : part->distribution   ? "is distributed; distribute the whole"
                                             : NULL;
    return why ? gt_fail(GT_STATE, "optimizer %s %s", part->name, why) : GT_OK;
}

static gt_Status check_parts(gt_Context *context, const gt_Optimizers *list)
{
    if (!is_list(list))
        return gt_fail(GT_INVALID, "optimizers must be a list of 1 to %d, gt_optimizers(a, b)",
                       GT_MAX_OPTIMIZERS);
    for (int32_t i = 0; i < list->count; i++)
        if (check_part(context, list, i) != GT_OK)
            break;
    return gt_context_status(context);
}

/* Takes the parts over once nothing can fail any more. */
static gt_Status take_parts(gt_Optimizer *self, const gt_Optimizers *list)
{
    gt_Context *context = self->object.context;
    self->part = gt_allocate(context, (size_t)list->count * sizeof *self->part);
    if (!self->part)
        return gt_context_status(context);
    self->parts = list->count;
    for (int32_t i = 0; i < list->count; i++) {
        self->part[i] = list->items[i];
        self->part[i]->is_part = true;
        self->part[i]->base.loss_scale_factor = self->base.loss_scale_factor;
    }
    gt_number_store(GT_FLOAT64, gt_tensor_data(self->number[GT_LEARNING_RATE]), 0, 0);
    return GT_OK;
}

gt_Optimizer *gt_MultiOptimizer_at(const char *here, gt_Optimizers list,
                                   const gt_MultiOptimizer_options *given)
{
    gt_MultiOptimizer_options options;
    GT_TAKE(gt_MultiOptimizer_options, &options, given);
    gt_Context *context = gt_context();
    if (!context)
        return NULL;
    for_each_part(&list, gt_object_sink);
    gt_Site site = gt_site_enter(here, "MultiOptimizer");
    gt_Optimizer *self = NULL;
    if (gt_context_status(context) == GT_OK && check_parts(context, &list) == GT_OK &&
        gt_check_function("choose", (uintptr_t)options.choose) == GT_OK)
        self = gt_optimizer_create(here, &multi_class, &options);
    if (self && take_parts(self, &list) != GT_OK) {
        gt_object_release(&self->object);
        self = NULL;
    }
    if (!self)
        for_each_part(&list, gt_object_release);
    gt_site_leave(&site);
    return self;
}

void gt_multi_destroy(gt_Optimizer *self)
{
    for (int32_t i = 0; i < self->parts; i++)
        gt_object_release(&self->part[i]->object);
    gt_release(self->object.context, self->part, (size_t)self->parts * sizeof *self->part);
}

/* ---- building ---- */

void gt_multi_unbuild(gt_Optimizer *self)
{
    gt_Context *context = self->object.context;
    gt_release(context, self->part_of, (size_t)self->entries * sizeof *self->part_of);
    gt_release(context, self->dealt, (size_t)self->entries * sizeof *self->dealt);
    gt_release(context, self->dealt_gradients,
               (size_t)self->entries * sizeof *self->dealt_gradients);
    self->part_of = NULL;
    self->dealt = NULL;
    self->dealt_gradients = NULL;
}

static gt_Status choose_parts(gt_Optimizer *self)
{
    const gt_MultiOptimizer_options *options = self->options;
    for (int32_t e = 0; e < self->entries && gt_status() == GT_OK; e++) {
        const gt_Variable *variable = self->entry[e].variable;
        int part = options->choose ? options->choose(options->context, variable) : 0;
        if (gt_status() == GT_OK && (part < 0 || part >= self->parts))
            gt_fail(GT_INVALID, "choose must give 0 to %d for variable %s (got %d)",
                    (int)self->parts - 1, gt_variable_label(variable), part);
        self->part_of[e] = part;
    }
    return gt_status();
}

static gt_Tensors state_of(const gt_Optimizer *part)
{
    return part->built ? (gt_Tensors){part->state, part->state_count}
                       : (gt_Tensors){part->number, part->numbers};
}

/* The numbers of the whole, then the state of each part. */
static gt_Status join_states(gt_Optimizer *self)
{
    gt_Context *context = self->object.context;
    int32_t count = self->numbers;
    for (int32_t p = 0; p < self->parts; p++)
        count += state_of(self->part[p]).count;
    gt_Variable **state = gt_allocate(context, (size_t)count * sizeof *state);
    if (!state)
        return gt_context_status(context);
    gt_release(context, self->state, (size_t)self->state_capacity * sizeof *self->state);
    self->state = state;
    self->state_capacity = self->state_count = count;
    memcpy(state, self->number, (size_t)self->numbers * sizeof *state);
    state += self->numbers;
    for (int32_t p = 0; p < self->parts; p++) {
        gt_Tensors its = state_of(self->part[p]);
        memcpy(state, its.items, (size_t)its.count * sizeof *state);
        state += its.count;
    }
    return GT_OK;
}

gt_Status gt_multi_build(gt_Optimizer *self, const char *here)
{
    gt_Context *context = self->object.context;
    self->part_of = gt_allocate_zeroed(context, (size_t)self->entries * sizeof *self->part_of);
    self->dealt = gt_allocate_zeroed(context, (size_t)self->entries * sizeof *self->dealt);
    self->dealt_gradients =
        gt_allocate_zeroed(context, (size_t)self->entries * sizeof *self->dealt_gradients);
    if (gt_context_status(context) != GT_OK || choose_parts(self) != GT_OK)
        return gt_context_status(context);
    int32_t p = 0, at = 0;
    for (; p < self->parts && gt_context_status(context) == GT_OK; p++) {
        self->first[p] = at;
        for (int32_t e = 0; e < self->entries; e++)
            if (self->part_of[e] == p)
                self->dealt[at++] = self->entry[e].variable;
        self->first[p + 1] = at;
        gt_Tensors its = {self->dealt + self->first[p], at - self->first[p]};
        if (its.count > 0)
            gt_optimizer_build_or_check(self->part[p], here, "optimizer_build", its);
    }
    if (gt_context_status(context) == GT_OK && join_states(self) == GT_OK)
        return GT_OK;
    while (p-- > 0)
        gt_optimizer_unbuild(self->part[p]);
    return gt_context_status(context);
}

gt_Status gt_multi_deal(gt_Optimizer *self, const char *here, gt_Tensors variables,
                        gt_Tensor *const *gradients, gt_OptimizerShare *share)
{
    for (int32_t p = 0; p < self->parts; p++)
        share[p] = (gt_OptimizerShare){self->part[p],
                                       {self->dealt + self->first[p], 0},
                                       self->dealt_gradients + self->first[p]};
    for (int32_t i = 0; i < variables.count; i++) {
        gt_Variable *variable = variables.items[i];
        int32_t p = self->part_of[gt_optimizer_find(self, variable)];
        int32_t at = self->first[p] + share[p].variables.count++;
        if (at == self->first[p + 1])
            return gt_raise(self->object.context, GT_INVALID, here, "apply_gradients",
                            "variable %s is in the list twice", gt_variable_label(variable));
        self->dealt[at] = variable;
        self->dealt_gradients[at] = gradients[i];
    }
    return GT_OK;
}

/* ---- looking at one ---- */

char *gt_multi_variable_name(const gt_Optimizer *self, int index, gt_VariablePath *path, void *user,
                             char *text, size_t size)
{
    index -= self->numbers;
    for (int32_t p = 0; p < self->parts; p++) {
        const gt_Optimizer *part = self->part[p];
        int32_t count = state_of(part).count;
        if (index < part->numbers && index < count) {
            snprintf(text, size, "%s_%d_%s", part->name, (int)p, part->number_name[index]);
            return text;
        }
        if (index < count)
            return gt_optimizer_variable_name_at(NULL, part, index, path, user, text, size);
        index -= count;
    }
    return text;
}

int gt_optimizer_parts_at(const char *here, const gt_Optimizer *self)
{
    gt_Context *context = gt_enter();
    return context && gt_optimizer_check(context, here, "optimizer_parts", self) ? self->parts : -1;
}

gt_Optimizer *gt_optimizer_part_at(const char *here, const gt_Optimizer *self, int part)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_optimizer_check(context, here, "optimizer_part", self))
        return NULL;
    if (part >= 0 && part < self->parts)
        return self->part[part];
    gt_raise(context, GT_INVALID, here, "optimizer_part",
             "index %d is out of range: optimizer %s is made of %d", part, self->name,
             (int)self->parts);
    return NULL;
}
