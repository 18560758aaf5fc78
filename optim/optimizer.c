/* An optimizer is made from its class and options, built with the variables that it trains,
 * asked what it holds, and freed. One step: step.c. Leans on core for variables.
 *
 * It has numbers - iteration, learning_rate, the scale of the loss if there is one, those of the class - and slots beside
 * every variable: those of the base (average, gradient_accumulator), then those of the class. All of them are variables,
 * so that they are saved, and change in plans. */
#include "optim/optimizer.h"
#include "core/fact.h"
#include "optim/state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_OptimizerBase, GT_OPTIMIZER_BASE_OPTIONS);

/* ---- making and freeing ---- */

static void free_variables(gt_Context *context, gt_Variable **list, int64_t count, int64_t capacity)
{
    for (int64_t i = 0; list && i < count; i++)
        gt_variable_release(list[i]);
    gt_release(context, list, (size_t)capacity * sizeof *list);
}

void gt_optimizer_unbuild(gt_Optimizer *self)
{
    gt_Context *context = self->object.context;
    gt_multi_unbuild(self);
    gt_distribution_unbuild(self);
    int64_t all = (int64_t)self->entries * self->slots;
    free_variables(context, self->slot_variable, all, all);
    for (int32_t i = 0; self->entry && i < self->entries; i++)
        gt_variable_release(self->entry[i].variable);
    gt_release(context, self->entry, (size_t)self->entries * sizeof *self->entry);
    gt_release(context, self->state, (size_t)self->state_capacity * sizeof *self->state);
    gt_release(context, self->slot_of, (size_t)(all + self->numbers) * sizeof *self->slot_of);
    gt_map_close(context, &self->entry_of);
    self->slot_variable = self->state = NULL;
    self->slot_of = NULL;
    self->entry = NULL;
    self->entries = self->state_count = self->state_capacity = 0;
    self->built = false;
}

static void destroy(gt_Object *object)
{
    gt_Optimizer *self = (gt_Optimizer *)object;
    gt_Context *context = object->context;
    gt_optimizer_unbuild(self);
    gt_multi_destroy(self);
    gt_distribution_free(self);
    free_variables(context, self->excluded, self->excluded_count, self->excluded_capacity);
    gt_map_close(context, &self->excluded_of);
    for (int i = 0; i < self->numbers; i++)
        gt_variable_release(self->number[i]);
    gt_release(context, self->options, self->kind->options->size);
    gt_release(context, self->name, self->name_bytes);
}

const gt_ObjectKind gt_optimizer_kind = {"optimizer", destroy, false};

bool gt_optimizer_check(gt_Context *context, const char *here, const char *operation,
                        const gt_Optimizer *self)
{
    if (!gt_object_check(context, here, operation, self, &gt_optimizer_kind))
        return false;
    if (self->object.context == context)
        return true;
    gt_raise(context, GT_STATE, here, operation, "optimizer %s belongs to another context",
             self->name);
    return false;
}

static const gt_Field *find_field(const gt_OptionType *type, const char *name, size_t size)
{
    for (const gt_Field *field = type->fields; field->name; field++)
        if (strcmp(field->name, name) == 0 && field->size == size)
            return field;
    return NULL;
}

static void read_base(const gt_OptionType *type, const void *options, gt_OptimizerBase *base)
{
    gt_options_take(&gt_OptimizerBase_type, base, NULL);
    for (const gt_Field *field = gt_OptimizerBase_fields; field->name; field++) {
        const gt_Field *from = find_field(type, field->name, field->size);
        if (from)
            memcpy((char *)base + field->offset, (const char *)options + from->offset, field->size);
    }
}

static gt_Status check_limit(const char *name, double limit)
{
    if (!gt_is_given(limit) || (isfinite(limit) && limit > 0))
        return GT_OK;
    return gt_fail(GT_INVALID, "%s must be finite and > 0, or GT_NONE (got %g)", name, limit);
}

static gt_Status check_base(const gt_OptimizerBase *base)
{
    int clips = gt_is_given(base->clipnorm) + gt_is_given(base->clipvalue) +
                gt_is_given(base->global_clipnorm);
    if (!isfinite(base->learning_rate))
        return gt_fail(GT_INVALID, "learning_rate must be finite (got %g)", base->learning_rate);
    if (gt_is_given(base->weight_decay) &&
        !(isfinite(base->weight_decay) && base->weight_decay >= 0))
        return gt_fail(GT_INVALID, "weight_decay must be finite and >= 0, or GT_NONE (got %g)",
                       base->weight_decay);
    if (clips > 1)
        return gt_fail(
            GT_INVALID,
            "at most one of clipnorm, clipvalue and global_clipnorm can be given (got %d)", clips);
    if (check_limit("clipnorm", base->clipnorm) != GT_OK ||
        check_limit("clipvalue", base->clipvalue) != GT_OK ||
        check_limit("global_clipnorm", base->global_clipnorm) != GT_OK ||
        check_limit("loss_scale_factor", base->loss_scale_factor) != GT_OK ||
        gt_schedule_check(&base->schedule) != GT_OK)
        return gt_status();
    if (base->use_ema && !(base->ema_momentum >= 0 && base->ema_momentum <= 1))
        return gt_fail(GT_INVALID, "ema_momentum must be in [0, 1] (got %g)", base->ema_momentum);
    if (base->use_ema && base->ema_overwrite_frequency != GT_NONE &&
        base->ema_overwrite_frequency < 1)
        return gt_fail(GT_INVALID, "ema_overwrite_frequency must be >= 1, or GT_NONE (got %d)",
                       base->ema_overwrite_frequency);
    if (base->gradient_accumulation_steps != GT_NONE && base->gradient_accumulation_steps < 2)
        return gt_fail(GT_INVALID, "gradient_accumulation_steps must be >= 2, or GT_NONE (got %d)",
                       base->gradient_accumulation_steps);
    return GT_OK;
}

/* Which slots a variable gets: those of the base first, each a group of its own. */
static void choose_slots(gt_Optimizer *self)
{
    self->average = self->accumulator = -1;
    if (self->base.use_ema) {
        self->average = self->slots;
        self->slot[self->slots++] = (gt_OptimizerSlot){.name = "average", .group = -2};
    }
    if (self->base.gradient_accumulation_steps != GT_NONE) {
        self->accumulator = self->slots;
        self->slot[self->slots++] = (gt_OptimizerSlot){.name = "gradient_accumulator", .group = -1};
    }
    self->own = self->slots;
    if (self->kind->slots)
        self->slots += self->kind->slots(self->options, NULL, self->slot + self->own);
}

static gt_Status set_options(gt_Optimizer *self, const void *options)
{
    gt_Context *context = self->object.context;
    const gt_OptionType *type = self->kind->options;
    self->options = gt_allocate(context, type->size);
    if (!self->options)
        return gt_context_status(context);
    gt_options_take(type, self->options, options);
    read_base(type, self->options, &self->base);
    if (check_base(&self->base) != GT_OK ||
        (self->kind->check && self->kind->check(self->options) != GT_OK))
        return gt_context_status(context);
    const char *name = self->base.name ? self->base.name : self->kind->name;
    self->name_bytes = strlen(name) + 1;
    self->name = gt_allocate(context, self->name_bytes);
    if (!self->name)
        return gt_context_status(context);
    memcpy(self->name, name, self->name_bytes);
    self->base.name = self->name;
    const gt_Field *field = find_field(type, "name", sizeof self->base.name);
    if (field)
        memcpy((char *)self->options + field->offset, &self->base.name, field->size);
    choose_slots(self);
    return gt_context_status(context);
}

gt_Status gt_optimizer_add_number(gt_Optimizer *self, gt_DType dtype, const char *name,
                                  double value)
{
    gt_Context *context = self->object.context;
    gt_Spec spec = {.dtype = dtype, .size = 1};
    gt_Variable *number = gt_variable_zeros(context, &spec, name, false);
    if (!number)
        return gt_context_status(context);
    gt_number_store(dtype, gt_tensor_data(number), 0, value);
    self->number_name[self->numbers] = name;
    self->number[self->numbers++] = number;
    return gt_context_status(context);
}

/* iteration, learning_rate, and those of the class. */
static gt_Status make_numbers(gt_Optimizer *self)
{
    const gt_OptimizerClass *kind = self->kind;
    gt_OptimizerSlot own[GT_MAX_OPTIMIZER_NUMBERS];
    int count =
        GT_OPTIMIZER_HAS(kind, numbers) && kind->numbers ? kind->numbers(self->options, own) : 0;
    if (gt_optimizer_add_number(self, GT_INT64, "iteration", 0) == GT_OK)
        gt_optimizer_add_number(self, GT_FLOAT64, "learning_rate", self->base.learning_rate);
    for (int i = 0; i < count && gt_status() == GT_OK; i++)
        gt_optimizer_add_number(self, GT_FLOAT64, own[i].name, own[i].initial);
    self->own_numbers = GT_BASE_NUMBERS;
    return gt_status();
}

static bool is_complete(const gt_OptimizerClass *kind)
{
    return kind && kind->name && kind->options &&
           (kind->update || (GT_OPTIMIZER_HAS(kind, compute) && kind->compute)) &&
           find_field(kind->options, "learning_rate", sizeof(double));
}

gt_Optimizer *gt_optimizer_create(const char *here, const gt_OptimizerClass *kind,
                                  const void *options)
{
    gt_Context *context = gt_context();
    if (gt_tracing(context)) {
        gt_raise(context, GT_STATE, here, NULL,
                 "an optimizer cannot be made inside a traced function; make it before");
        return NULL;
    }
    gt_Optimizer *self = gt_object_new(context, &gt_optimizer_kind, sizeof *self);
    if (!self)
        return NULL;
    self->kind = kind;
    if (set_options(self, options) == GT_OK)
        make_numbers(self);
    if (gt_context_status(context) == GT_OK)
        return self;
    gt_object_release(&self->object);
    return NULL;
}

gt_Optimizer *gt_optimizer_new_at(const char *here, const gt_OptimizerClass *kind,
                                  const void *options)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (!is_complete(kind)) {
        gt_raise(context, GT_INVALID, here, "optimizer_new",
                 "a class of optimizers needs a name, options with a learning_rate, and update or "
                 "compute");
        return NULL;
    }
    gt_Site site = gt_site_enter(here, kind->name);
    gt_Optimizer *self = gt_optimizer_create(here, kind, options);
    gt_site_leave(&site);
    return self;
}

gt_Optimizer *gt_optimizer_make(const char *here, const char *function,
                                const gt_OptimizerClass *kind, const void *options)
{
    gt_Site site = gt_site_enter(here, function);
    gt_Optimizer *self = gt_optimizer_new_at(here, kind, options);
    gt_site_leave(&site);
    return self;
}

void gt_optimizer_free(gt_Optimizer *optimizer)
{
    gt_object_free("optimizer_free", optimizer, &gt_optimizer_kind);
}

/* ---- building ---- */

int32_t gt_optimizer_find(const gt_Optimizer *self, const gt_Variable *variable)
{
    return gt_map_find(&self->entry_of, gt_map_pointer(variable));
}

gt_Status gt_optimizer_check_trainable(gt_Context *context, const char *here, const char *operation,
                                       gt_Tensors variables)
{
    if (variables.count < 0 || (variables.count > 0 && !variables.items))
        return gt_raise(context, GT_INVALID, here, operation, "the list of variables is NULL");
    for (int32_t i = 0; i < variables.count; i++) {
        if (!gt_variable_spec(context, here, operation, variables.items[i]))
            return gt_context_status(context);
        const char *name = gt_variable_label(variables.items[i]);
        gt_DType dtype = gt_tensor_spec(variables.items[i])->dtype;
        if (!gt_ask_trainable(context, variables.items[i]))
            return gt_raise(context, GT_INVALID, here, operation, "variable %s is not trainable",
                            name);
        if (gt_half_type(dtype) >= 0)
            return gt_raise(context, GT_INVALID, here, operation,
                            "variable %s is %s, in which its changes would be lost; train float32 "
                            "and gt_cast the result",
                            name, gt_dtype_name(dtype));
    }
    return GT_OK;
}

gt_Status gt_optimizer_check_known(gt_Optimizer *self, const char *here, const char *operation,
                                   gt_Tensors variables)
{
    for (int32_t i = 0; i < variables.count; i++)
        if (gt_optimizer_find(self, variables.items[i]) < 0)
            return gt_raise(self->object.context, GT_INVALID, here, operation,
                            "variable %s is not one that optimizer %s was built with: make a new "
                            "optimizer, or give the full list to gt_optimizer_build first",
                            gt_variable_label(variables.items[i]), self->name);
    return GT_OK;
}

/* "<path>_<slot>", with '_' for every '/' of the path. */
static void write_name(const char *path, const char *slot, char *text, size_t size)
{
    snprintf(text, size, "%s_%s", path, slot);
    for (size_t i = 0; text[i] && path[i]; i++)
        if (text[i] == '/')
            text[i] = '_';
}

/* Into a slot that starts as its variable. */
static bool copy_numbers(gt_Context *context, const gt_Variable *variable, gt_Variable *slot)
{
    size_t bytes = gt_spec_bytes(gt_tensor_spec(slot));
    const void *numbers = bytes > 0 ? gt_tensor_data(variable) : variable;
    if (!numbers || bytes != gt_spec_bytes(gt_tensor_spec(variable))) {
        gt_raise(context, GT_STATE, NULL, NULL,
                 "a slot of variable %s starts as the variable, which %s",
                 gt_variable_label(variable), numbers ? "has another shape" : "has no numbers yet");
        return false;
    }
    if (bytes > 0)
        memcpy(gt_tensor_data(slot), numbers, bytes);
    return true;
}

static gt_Variable *make_slot(gt_Context *context, const gt_Variable *variable,
                              const gt_OptimizerSlot *kind)
{
    char name[256];
    gt_Spec spec = *gt_tensor_spec(variable);
    if (kind->shape.mark == GT_MARK && !gt_spec_set(&spec, spec.dtype, kind->shape)) {
        gt_raise(context, GT_INVALID, NULL, NULL, "slot %s has no shape that a tensor may have",
                 kind->name);
        return NULL;
    }
    write_name(gt_variable_label(variable), kind->name, name, sizeof name);
    gt_Variable *slot = gt_variable_zeros(context, &spec, name, false);
    if (slot && kind->copies && !copy_numbers(context, variable, slot)) {
        gt_variable_release(slot);
        return NULL;
    }
    if (!slot)
        return NULL;
    for (int64_t i = 0; kind->initial != 0 && !kind->copies && i < spec.size; i++)
        gt_number_store(spec.dtype, gt_tensor_data(slot), i, kind->initial);
    return slot;
}

/* The slots of one variable; those of the class may have a shape of their own. */
static gt_Status make_slots(gt_Optimizer *self, int32_t index)
{
    gt_Context *context = self->object.context;
    const gt_Variable *variable = self->entry[index].variable;
    gt_OptimizerSlot kinds[GT_ALL_SLOTS];
    memcpy(kinds, self->slot, sizeof kinds);
    if (self->kind->slots)
        self->kind->slots(self->options, variable, kinds + self->own);
    for (int s = 0; s < self->slots && gt_context_status(context) == GT_OK; s++)
        gt_optimizer_slots_of(self, index)[s] = make_slot(context, variable, &kinds[s]);
    return gt_context_status(context);
}

/* The numbers, then group by group, variable by variable. */
static void order_state(gt_Optimizer *self)
{
    int32_t count = 0, last = 0;
    for (int i = 0; i < self->numbers; i++)
        self->state[count++] = self->number[i];
    for (int s = 0; s < self->slots; s++)
        if (self->slot[s].group > last)
            last = self->slot[s].group;
    for (int32_t group = -GT_BASE_SLOTS; group <= last; group++)
        for (int32_t e = 0; e < self->entries; e++)
            for (int s = 0; s < self->slots; s++)
                if (self->slot[s].group == group) {
                    self->slot_of[count] = e * self->slots + s;
                    self->state[count++] = gt_optimizer_slots_of(self, e)[s];
                }
    self->state_count = count;
    GT_ASSERT(count == self->numbers + self->entries * self->slots);
}

static bool is_excluded(const gt_Optimizer *self, const gt_Variable *variable)
{
    return gt_map_find(&self->excluded_of, gt_map_pointer(variable)) >= 0;
}

/* Slots are made at once and hold zeros: also inside a traced function nothing is computed. */
static gt_Status build(gt_Optimizer *self, const char *here, gt_Tensors variables)
{
    gt_Context *context = self->object.context;
    int64_t all = (int64_t)variables.count * self->slots;
    self->entries = variables.count;
    self->entry = gt_allocate_zeroed(context, (size_t)variables.count * sizeof *self->entry);
    self->slot_variable = gt_allocate_zeroed(context, (size_t)all * sizeof *self->slot_variable);
    self->state_capacity = (int32_t)(all + self->numbers);
    self->state = gt_allocate_zeroed(context, (size_t)self->state_capacity * sizeof *self->state);
    self->slot_of =
        gt_allocate_zeroed(context, (size_t)(all + self->numbers) * sizeof *self->slot_of);
    if (gt_context_status(context) == GT_OK)
        for (int32_t i = 0; i < variables.count && gt_context_status(context) == GT_OK; i++) {
            gt_Variable *variable = variables.items[i];
            if (gt_optimizer_find(self, variable) >= 0) {
                gt_raise(context, GT_INVALID, here, "optimizer_build",
                         "variable %s is in the list twice", gt_variable_label(variable));
                break;
            }
            if (!gt_map_add(context, &self->entry_of, gt_map_pointer(variable), i))
                break;
            self->entry[i] =
                (gt_OptimizerEntry){.variable = variable, .decays = !is_excluded(self, variable)};
            gt_variable_retain(variable);
            make_slots(self, i);
        }
    if (gt_context_status(context) == GT_OK)
        order_state(self);
    if (gt_context_status(context) == GT_OK && self->parts > 0)
        gt_multi_build(self, here);
    self->built = gt_context_status(context) == GT_OK;
    if (!self->built)
        gt_optimizer_unbuild(self);
    return gt_context_status(context);
}

static uint64_t is_built(const gt_Context *context, const gt_Object *object)
{
    (void)context;
    return ((const gt_Optimizer *)object)->built;
}

gt_Status gt_optimizer_build_or_check(gt_Optimizer *self, const char *here, const char *operation,
                                      gt_Tensors variables)
{
    return self->built ? gt_optimizer_check_known(self, here, operation, variables)
                       : build(self, here, variables);
}

gt_Status gt_optimizer_build_at(const char *here, gt_Optimizer *self, gt_Tensors variables)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!gt_optimizer_check(context, here, "optimizer_build", self) ||
        gt_optimizer_check_trainable(context, here, "optimizer_build", variables) != GT_OK)
        return gt_context_status(context);
    if (variables.count == 0)
        return gt_raise(context, GT_INVALID, here, "optimizer_build", GT_NO_VARIABLES);
    gt_Site site = gt_site_enter(here, "optimizer_build");
    if (gt_optimizer_build_or_check(self, here, "optimizer_build", variables) == GT_OK)
        gt_distribution_start(self, false);
    gt_site_leave(&site);
    return gt_context_status(context);
}

bool gt_optimizer_built_at(const char *here, const gt_Optimizer *self)
{
    gt_Context *context = gt_enter();
    return context && gt_optimizer_check(context, here, "optimizer_built", self) &&
           gt_ask(context, is_built, (gt_Object *)(uintptr_t)self);
}

gt_Status gt_optimizer_exclude_from_weight_decay_at(const char *here, gt_Optimizer *self,
                                                    gt_Tensors variables)
{
    static const char operation[] = "optimizer_exclude_from_weight_decay";
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!gt_optimizer_check(context, here, operation, self) ||
        gt_optimizer_check_trainable(context, here, operation, variables) != GT_OK)
        return gt_context_status(context);
    if (self->built)
        return gt_raise(context, GT_STATE, here, operation,
                        "optimizer %s is built already; exclude variables before its first step",
                        self->name);
    for (int32_t p = 0; p < self->parts; p++)
        gt_optimizer_exclude_from_weight_decay_at(here, self->part[p], variables);
    for (int32_t i = 0; i < variables.count; i++) {
        if (is_excluded(self, variables.items[i]))
            continue;
        if (!gt_reserve(context, (void **)&self->excluded, self->excluded_count,
                        &self->excluded_capacity, sizeof *self->excluded) ||
            !gt_map_add(context, &self->excluded_of, gt_map_pointer(variables.items[i]),
                        self->excluded_count))
            return gt_context_status(context);
        gt_variable_retain(variables.items[i]);
        self->excluded[self->excluded_count++] = variables.items[i];
    }
    return GT_OK;
}

/* ---- looking at one ---- */

static const gt_Optimizer *look(const char *here, const char *operation, const gt_Optimizer *self)
{
    gt_Context *context = gt_enter();
    return context && gt_optimizer_check(context, here, operation, self) ? self : NULL;
}

int gt_optimizer_skipped_at(const char *here, const gt_Optimizer *self)
{
    return look(here, "optimizer_skipped", self) ? self->skipped : -1;
}

/* Raises an error for one that is made of several. */
static bool has_rate(gt_Context *context, const char *here, const char *operation,
                     const gt_Optimizer *self)
{
    if (self->parts == 0)
        return true;
    gt_raise(context, GT_STATE, here, operation,
             "optimizer %s is made of %d, each with a learning rate: see gt_optimizer_part",
             self->name, (int)self->parts);
    return false;
}

double gt_optimizer_learning_rate_at(const char *here, const gt_Optimizer *self)
{
    static const char operation[] = "optimizer_learning_rate";
    if (!look(here, operation, self) || !has_rate(self->object.context, here, operation, self))
        return (double)NAN;
    if (!self->base.schedule.type)
        return gt_item_at(NULL, self->number[GT_LEARNING_RATE]);
    gt_Context *context = self->object.context;
    gt_Scope *scope = gt_scope_open(context);
    if (!scope)
        return (double)NAN;
    gt_Site site = gt_site_enter(here, "optimizer_learning_rate");
    uint64_t recording = gt_tape_quiet(context);
    gt_Tensor *rate = gt_schedule_at(&self->base.schedule, self->number[GT_ITERATION]);
    double number = rate ? gt_item_at(NULL, rate) : (double)NAN;
    gt_tape_unquiet(context, recording);
    gt_site_leave(&site);
    gt_scope_close(context);
    return number;
}

gt_Status gt_optimizer_set_learning_rate_at(const char *here, gt_Optimizer *self,
                                            double learning_rate)
{
    static const char operation[] = "optimizer_set_learning_rate";
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!gt_optimizer_check(context, here, operation, self) ||
        !has_rate(context, here, operation, self))
        return gt_context_status(context);
    if (!isfinite(learning_rate))
        return gt_raise(context, GT_INVALID, here, operation,
                        "learning_rate must be finite (got %g)", learning_rate);
    if (self->base.schedule.type)
        return gt_raise(context, GT_STATE, here, operation,
                        "the learning rate of optimizer %s is what its schedule says", self->name);
    return gt_variable_set_at(NULL, self->number[GT_LEARNING_RATE], &learning_rate,
                              sizeof learning_rate);
}

int64_t gt_optimizer_iterations_at(const char *here, const gt_Optimizer *self)
{
    const int64_t *calls = look(here, "optimizer_iterations", self)
                               ? gt_data_of_at(NULL, self->number[GT_ITERATION], GT_INT64)
                               : NULL;
    return calls ? *calls / gt_optimizer_accumulation(self) : -1;
}

gt_Tensors gt_optimizer_variables_at(const char *here, const gt_Optimizer *self)
{
    if (!look(here, "optimizer_variables", self))
        return (gt_Tensors){NULL, 0};
    return gt_optimizer_built(self) ? (gt_Tensors){self->state, self->state_count}
                                    : (gt_Tensors){self->number, self->numbers};
}

gt_Variable *gt_optimizer_slot_at(const char *here, const gt_Optimizer *self,
                                  const gt_Variable *variable, const char *slot)
{
    if (!look(here, "optimizer_slot", self) ||
        !gt_variable_spec(self->object.context, here, "optimizer_slot", variable))
        return NULL;
    int32_t at = gt_optimizer_built(self) ? gt_optimizer_find(self, variable) : -1;
    if (at >= 0 && self->parts > 0)
        return gt_optimizer_slot_at(here, self->part[self->part_of[at]], variable, slot);
    for (int s = 0; slot && at >= 0 && s < self->slots; s++)
        if (strcmp(self->slot[s].name, slot) == 0)
            return gt_optimizer_slots_of(self, at)[s];
    return NULL;
}

char *gt_optimizer_variable_name_at(const char *here, const gt_Optimizer *self, int index,
                                    gt_VariablePath *path, void *user, char *text, size_t size)
{
    if (!text || size == 0)
        return text;
    text[0] = 0;
    if (!look(here, "optimizer_variable_name", self) || index < 0 ||
        index >= (self->built ? self->state_count : self->numbers))
        return text;
    if (index < self->numbers) {
        snprintf(text, size, "%s", self->number_name[index]);
        return text;
    }
    if (self->parts > 0)
        return gt_multi_variable_name(self, index, path, user, text, size);
    int32_t at = self->slot_of[index];
    const gt_Variable *variable = self->entry[at / self->slots].variable;
    const char *name = path ? path(user, variable) : gt_variable_label(variable);
    write_name(name ? name : "", self->slot[at % self->slots].name, text, size);
    return text;
}

const gt_OptimizerClass *gt_optimizer_class_at(const char *here, const gt_Optimizer *self)
{
    return look(here, "optimizer_class", self) ? self->kind : NULL;
}

const void *gt_optimizer_options_at(const char *here, const gt_Optimizer *self)
{
    return look(here, "optimizer_options", self) ? self->options : NULL;
}

const char *gt_optimizer_name_at(const char *here, const gt_Optimizer *self)
{
    return look(here, "optimizer_name", self) ? self->name : "";
}

gt_Tensors gt_optimizer_excluded(const gt_Optimizer *self)
{
    return (gt_Tensors){self->excluded, self->excluded_count};
}
