/* The optimizer contract: options, slots, and one step in two halves. The first half checks and
 * computes (it may fail), the second overwrites variables (it cannot fail, so no half update is
 * ever made). Leans on update.h for what every optimizer does besides its own update. */
#include "optim/optimizer.h"
#include "autodiff/gradient.h"
#include "core/assert.h"
#include "core/graph.h"
#include "ops/math/arithmetic.h"
#include "ops/array/cast.h"
#include "ops/math/math.h"
#include "ops/math/reduction.h"
#include "optim/internal.h"
#include "ops/update/update.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What every class may have among its options, found there by name. */
#define BASE_OPTIONS(F, S)                                                                         \
    F(S, double, learning_rate, 0.001, "length of a step")                                         \
    GT_OPTIMIZER_COMMON(F, S, GT_NONE)
GT_OPTIONS(BaseOptions, BASE_OPTIONS);
GT_OPTION_TYPE(BaseOptions, BASE_OPTIONS);

enum { ITERATION, LEARNING_RATE };
enum { BASE_SLOTS = 2, MAX_SLOTS = BASE_SLOTS + GT_MAX_OPTIMIZER_SLOTS };

/* A variable that is trained. */
typedef struct Entry {
    gt_Variable *variable; /* held */
    bool decays;
    bool given;                /* during a step: it is in the list */
    gt_Tensor *given_gradient; /* during a step; NULL: none */
    gt_Tensor *gradient;       /* the same as the update wants it */
    gt_Tensor *rows;           /* which rows that has; NULL: all */
} Entry;

struct gt_Optimizer {
    gt_Object object;
    const gt_OptimizerClass *kind;
    void *options; /* of the class */
    BaseOptions base;
    char *name;
    size_t name_bytes;
    gt_Variable *first[2];            /* iteration, learning_rate: the state before it is built */
    gt_OptimizerSlot slot[MAX_SLOTS]; /* average, gradient_accumulator, those of the class */
    int slots, average, accumulator;  /* how many; where, -1: not used */
    int own;                          /* the first one of the class */
    Entry *entry;
    int32_t entries;
    gt_Map entry_of, excluded_of; /* variable -> which entry; which of the excluded */
    gt_Variable **slot_variable;  /* entry by entry, `slots` each */
    gt_Variable **state;          /* all, in the order of saving */
    int32_t *slot_of;             /* where each of these but the first two is in slot_variable */
    int32_t state_count;
    gt_Variable **excluded; /* from weight decay; held */
    int32_t excluded_count, excluded_capacity;
    int32_t skipped;
    bool built;
};

static bool is_given(double option)
{
    return option != GT_NONE;
}

/* ---- making and freeing ---- */

static gt_Variable **slots_of(const gt_Optimizer *self, int32_t entry)
{
    GT_ASSERT(entry >= 0 && entry < self->entries);
    return self->slot_variable + (int64_t)entry * self->slots;
}

static void free_variables(gt_Context *context, gt_Variable **list, int64_t count, int64_t capacity)
{
    for (int64_t i = 0; list && i < count; i++)
        gt_variable_free(list[i]);
    gt_release(context, list, (size_t)capacity * sizeof *list);
}

/* Forgets the variables: back to what it was before it was built. */
static void unbuild(gt_Optimizer *self)
{
    gt_Context *context = self->object.context;
    int64_t all = (int64_t)self->entries * self->slots;
    free_variables(context, self->slot_variable, all, all);
    for (int32_t i = 0; self->entry && i < self->entries; i++)
        gt_variable_free(self->entry[i].variable);
    gt_release(context, self->entry, (size_t)self->entries * sizeof *self->entry);
    gt_release(context, self->state, (size_t)(all + 2) * sizeof *self->state);
    gt_release(context, self->slot_of, (size_t)(all + 2) * sizeof *self->slot_of);
    gt_map_close(context, &self->entry_of);
    self->slot_variable = self->state = NULL;
    self->slot_of = NULL;
    self->entry = NULL;
    self->entries = self->state_count = 0;
    self->built = false;
}

static void destroy(gt_Object *object)
{
    gt_Optimizer *self = (gt_Optimizer *)object;
    gt_Context *context = object->context;
    unbuild(self);
    free_variables(context, self->excluded, self->excluded_count, self->excluded_capacity);
    gt_map_close(context, &self->excluded_of);
    gt_variable_free(self->first[ITERATION]);
    gt_variable_free(self->first[LEARNING_RATE]);
    gt_release(context, self->options, self->kind->options->size);
    gt_release(context, self->name, self->name_bytes);
}

const gt_ObjectKind gt_optimizer_kind = {"optimizer", destroy, false};

static bool check_optimizer(gt_Context *context, const char *here, const char *operation,
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

static void read_base(const gt_OptionType *type, const void *options, BaseOptions *base)
{
    gt_options_take(&BaseOptions_type, base, NULL);
    for (const gt_Field *field = BaseOptions_fields; field->name; field++) {
        const gt_Field *from = find_field(type, field->name, field->size);
        if (from)
            memcpy((char *)base + field->offset, (const char *)options + from->offset, field->size);
    }
}

static gt_Status check_limit(const char *name, double limit)
{
    if (!is_given(limit) || (isfinite(limit) && limit > 0))
        return GT_OK;
    return gt_fail(GT_INVALID, "%s must be finite and > 0, or GT_NONE (got %g)", name, limit);
}

static gt_Status check_base(const BaseOptions *base)
{
    int clips =
        is_given(base->clipnorm) + is_given(base->clipvalue) + is_given(base->global_clipnorm);
    if (!isfinite(base->learning_rate))
        return gt_fail(GT_INVALID, "learning_rate must be finite (got %g)", base->learning_rate);
    if (is_given(base->weight_decay) && !(isfinite(base->weight_decay) && base->weight_decay >= 0))
        return gt_fail(GT_INVALID, "weight_decay must be finite and >= 0, or GT_NONE (got %g)",
                       base->weight_decay);
    if (clips > 1)
        return gt_fail(
            GT_INVALID,
            "at most one of clipnorm, clipvalue and global_clipnorm can be given (got %d)", clips);
    if (check_limit("clipnorm", base->clipnorm) != GT_OK ||
        check_limit("clipvalue", base->clipvalue) != GT_OK ||
        check_limit("global_clipnorm", base->global_clipnorm) != GT_OK)
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
        self->slots += self->kind->slots(self->options, self->slot + self->own);
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

static gt_Variable *make_number(gt_Context *context, gt_DType dtype, const char *name)
{
    gt_Spec spec = {.dtype = dtype, .size = 1};
    return gt_variable_zeros(context, &spec, name, false);
}

gt_Optimizer *gt_optimizer_new_at(const char *here, const gt_OptimizerClass *kind,
                                  const void *options)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (!kind || !kind->name || !kind->options || !kind->update ||
        !find_field(kind->options, "learning_rate", sizeof(double))) {
        gt_raise(context, GT_INVALID, here, "optimizer_new",
                 "a class of optimizers needs a name, options with a learning_rate, and an update");
        return NULL;
    }
    if (gt_tracing(context)) {
        gt_raise(context, GT_STATE, here, NULL,
                 "an optimizer cannot be made inside a traced function; make it before");
        return NULL;
    }
    gt_Site site = gt_site_enter(here, kind->name);
    gt_Optimizer *self = gt_object_new(context, &gt_optimizer_kind, sizeof *self);
    if (self) {
        self->kind = kind;
        if (set_options(self, options) == GT_OK &&
            (self->first[ITERATION] = make_number(context, GT_INT64, "iteration")) &&
            (self->first[LEARNING_RATE] = make_number(context, GT_FLOAT64, "learning_rate")))
            gt_variable_set_at(NULL, self->first[LEARNING_RATE], &self->base.learning_rate,
                               sizeof self->base.learning_rate);
        if (gt_context_status(context) != GT_OK) {
            gt_object_release(&self->object);
            self = NULL;
        }
    }
    gt_site_leave(site);
    return self;
}

gt_Optimizer *gt_optimizer_make(const char *here, const char *function,
                                const gt_OptimizerClass *kind, const void *options)
{
    gt_Site site = gt_site_enter(here, function);
    gt_Optimizer *self = gt_optimizer_new_at(here, kind, options);
    gt_site_leave(site);
    return self;
}

void gt_optimizer_free(gt_Optimizer *optimizer)
{
    gt_object_free("optimizer_free", optimizer, &gt_optimizer_kind);
}

/* ---- building ---- */

#define NO_VARIABLES "there are no variables; layers have theirs once they are built"

/* Where a variable is, -1 if it is not. */
static int32_t find_entry(const gt_Optimizer *self, const gt_Variable *variable)
{
    return gt_map_find(&self->entry_of, gt_map_pointer(variable));
}

/* Are these things that can be trained? */
static gt_Status check_trainable(gt_Context *context, const char *here, const char *operation,
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

static gt_Status check_known(gt_Optimizer *self, const char *here, const char *operation,
                             gt_Tensors variables)
{
    for (int32_t i = 0; i < variables.count; i++)
        if (find_entry(self, variables.items[i]) < 0)
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

static gt_Variable *make_slot(gt_Context *context, const gt_Variable *variable,
                              const gt_OptimizerSlot *kind)
{
    char name[256];
    const gt_Spec *spec = gt_tensor_spec(variable);
    write_name(gt_variable_label(variable), kind->name, name, sizeof name);
    gt_Variable *slot = gt_variable_zeros(context, spec, name, false);
    if (!slot)
        return NULL;
    for (int64_t i = 0; kind->initial != 0 && i < spec->size; i++)
        gt_number_store(spec->dtype, gt_tensor_data(slot), i, kind->initial);
    return slot;
}

/* iteration, learning_rate, then group by group, variable by variable. */
static void order_state(gt_Optimizer *self)
{
    int32_t count = 0, last = 0;
    self->state[count++] = self->first[ITERATION];
    self->state[count++] = self->first[LEARNING_RATE];
    for (int s = 0; s < self->slots; s++)
        if (self->slot[s].group > last)
            last = self->slot[s].group;
    for (int32_t group = -BASE_SLOTS; group <= last; group++)
        for (int32_t e = 0; e < self->entries; e++)
            for (int s = 0; s < self->slots; s++)
                if (self->slot[s].group == group) {
                    self->slot_of[count] = e * self->slots + s;
                    self->state[count++] = slots_of(self, e)[s];
                }
    self->state_count = count;
    GT_ASSERT(count == 2 + self->entries * self->slots);
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
    self->state = gt_allocate_zeroed(context, (size_t)(all + 2) * sizeof *self->state);
    self->slot_of = gt_allocate_zeroed(context, (size_t)(all + 2) * sizeof *self->slot_of);
    if (gt_context_status(context) == GT_OK)
        for (int32_t i = 0; i < variables.count && gt_context_status(context) == GT_OK; i++) {
            gt_Variable *variable = variables.items[i];
            if (find_entry(self, variable) >= 0) {
                gt_raise(context, GT_INVALID, here, "optimizer_build",
                         "variable %s is in the list twice", gt_variable_label(variable));
                break;
            }
            if (!gt_map_add(context, &self->entry_of, gt_map_pointer(variable), i))
                break;
            self->entry[i] = (Entry){.variable = variable, .decays = !is_excluded(self, variable)};
            gt_variable_retain(variable);
            for (int s = 0; s < self->slots && gt_context_status(context) == GT_OK; s++)
                slots_of(self, i)[s] = make_slot(context, variable, &self->slot[s]);
        }
    if (gt_context_status(context) != GT_OK) {
        unbuild(self);
        return gt_context_status(context);
    }
    order_state(self);
    self->built = true;
    return GT_OK;
}

static uint64_t is_built(const gt_Context *context, const gt_Object *object)
{
    (void)context;
    return ((const gt_Optimizer *)object)->built;
}

/* Builds it with these variables, or finds them all among those that it was built with. */
static gt_Status build_or_check(gt_Optimizer *self, const char *here, const char *operation,
                                gt_Tensors variables)
{
    return self->built ? check_known(self, here, operation, variables)
                       : build(self, here, variables);
}

gt_Status gt_optimizer_build_at(const char *here, gt_Optimizer *self, gt_Tensors variables)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!check_optimizer(context, here, "optimizer_build", self) ||
        check_trainable(context, here, "optimizer_build", variables) != GT_OK)
        return gt_context_status(context);
    if (variables.count == 0)
        return gt_raise(context, GT_INVALID, here, "optimizer_build", NO_VARIABLES);
    return build_or_check(self, here, "optimizer_build", variables);
}

bool gt_optimizer_built_at(const char *here, const gt_Optimizer *self)
{
    gt_Context *context = gt_enter();
    return context && check_optimizer(context, here, "optimizer_built", self) &&
           gt_ask(context, is_built, (gt_Object *)(uintptr_t)self);
}

gt_Status gt_optimizer_exclude_from_weight_decay_at(const char *here, gt_Optimizer *self,
                                                    gt_Tensors variables)
{
    static const char operation[] = "optimizer_exclude_from_weight_decay";
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!check_optimizer(context, here, operation, self) ||
        check_trainable(context, here, operation, variables) != GT_OK)
        return gt_context_status(context);
    if (self->built)
        return gt_raise(context, GT_STATE, here, operation,
                        "optimizer %s is built already; exclude variables before its first step",
                        self->name);
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

/* ---- a step, first half: the gradients as the update wants them ---- */

/* Puts the gradients where their variables are; their shapes and types must agree. */
static gt_Status take_gradients(gt_Optimizer *self, const char *here, gt_Tensors variables,
                                gt_Tensor *const *gradients)
{
    static const char operation[] = "apply_gradients";
    gt_Context *context = self->object.context;
    char a[200], b[200];
    int32_t missing = 0;
    for (int32_t i = 0; i < variables.count; i++) {
        int32_t at = find_entry(self, variables.items[i]);
        GT_ASSERT(at >= 0); /* checked, or the optimizer was built with this list */
        Entry *entry = &self->entry[at];
        const char *name = gt_variable_label(entry->variable);
        if (entry->given)
            return gt_raise(context, GT_INVALID, here, operation,
                            "variable %s is in the list twice", name);
        entry->given = true;
        if (!gradients[i]) {
            missing++;
            continue;
        }
        const gt_Spec *spec = gt_tensor_check(context, here, operation, "a gradient", gradients[i]);
        const gt_Spec *wanted = gt_tensor_spec(entry->variable);
        if (!spec)
            return gt_context_status(context);
        if (!gt_spec_equal(spec, wanted))
            return gt_raise(context, GT_INVALID, here, operation,
                            "the gradient of variable %s must be %s, as the variable (got %s)",
                            name, gt_spec_text(wanted, a, sizeof a),
                            gt_spec_text(spec, b, sizeof b));
        entry->gradient = gt_is_variable(gradients[i]) ? gt_identity(gradients[i]) : gradients[i];
        entry->given_gradient = entry->gradient;
    }
    self->skipped = missing;
    if (missing == variables.count)
        return gt_raise(context, GT_NO_GRADIENT, here, operation,
                        "none of the %d variables has a gradient", variables.count);
    return gt_context_status(context);
}

/* The norm in float64, shape (): that of float32 may be beyond float32. */
static gt_Tensor *norm_of(gt_Tensor *x)
{
    return GT_LENGTH(x, .wide = true);
}

/* x * limit / max(norm, limit); exactly x where the norm is within the limit. The factor goes in
 * two parts, the second of them nearly always 1: beside a norm of 1e38 a factor of float32 may be
 * 0. */
static gt_Tensor *limit_norm(gt_Tensor *x, gt_Tensor *norm, double limit)
{
    gt_Tensor *factor = gt_divide(gt_scalar(limit, GT_FLOAT64), gt_maximum(norm, limit));
    gt_Tensor *first = gt_maximum(factor, 1e-30);
    x = gt_multiply(x, gt_cast(first, gt_dtype(x)));
    return gt_multiply(x, gt_cast(gt_divide(factor, first), gt_dtype(x)));
}

static double decay_of(const gt_Optimizer *self, const Entry *entry)
{
    return entry->decays && is_given(self->base.weight_decay) ? self->base.weight_decay : 0;
}

/* Does a gradient of 0 change nothing of this variable, its slots and its sums? */
static bool is_row_wise(const gt_Optimizer *self, const Entry *entry)
{
    const gt_OptimizerClass *kind = self->kind;
    bool says = kind->size > offsetof(gt_OptimizerClass, row_wise) && kind->row_wise;
    return says && kind->row_wise(self->options) && self->accumulator < 0 &&
           decay_of(self, entry) == 0;
}

/* Late gradients are computed now: what follows must not fail. */
static gt_Status read_gradients(gt_Optimizer *self)
{
    for (int32_t i = 0; i < self->entries; i++)
        if (self->entry[i].gradient)
            gt_tensor_data(self->entry[i].gradient);
    return gt_status();
}

/* The mean over the calls of an accumulation, or the rows of a lookup, then clipping. */
static gt_Status prepare_gradients(gt_Optimizer *self)
{
    const BaseOptions *base = &self->base;
    gt_Tensor *joint = NULL;
    for (int32_t i = 0; i < self->entries; i++) {
        Entry *entry = &self->entry[i];
        if (!entry->gradient)
            continue;
        if (is_row_wise(self, entry))
            entry->rows = gt_distinct_rows(&entry->gradient);
        if (self->accumulator >= 0)
            entry->gradient =
                gt_divide(gt_add(entry->gradient, slots_of(self, i)[self->accumulator]),
                          base->gradient_accumulation_steps);
        if (is_given(base->clipvalue)) {
            entry->gradient = gt_clip(entry->gradient, -base->clipvalue, base->clipvalue);
        } else if (is_given(base->clipnorm)) {
            entry->gradient = limit_norm(entry->gradient, norm_of(entry->gradient), base->clipnorm);
        } else if (is_given(base->global_clipnorm)) {
            gt_Tensor *norm = norm_of(entry->gradient);
            joint = joint ? gt_hypot(joint, norm) : norm;
        }
    }
    /* An infinite joint norm becomes NaN and so, as in Keras, does every gradient: 0 would stop all
     * variables without a word. */
    if (joint)
        joint = gt_add(joint, gt_subtract(joint, joint));
    for (int32_t i = 0; joint && i < self->entries; i++)
        if (self->entry[i].gradient)
            self->entry[i].gradient =
                limit_norm(self->entry[i].gradient, joint, base->global_clipnorm);
    return gt_status() == GT_OK ? read_gradients(self) : gt_status();
}

/* ---- a step, second half: from here on nothing allocates, hence nothing fails ---- */

/* Makes every variable's bytes its own; a traced function does that when it runs. */
static gt_Status own_everything(gt_Optimizer *self)
{
    gt_Context *context = self->object.context;
    if (gt_tracing(context))
        return GT_OK;
    for (int32_t i = 0; i < self->entries; i++)
        if (!gt_variable_memory(context, self->entry[i].variable, true))
            return gt_context_status(context);
    for (int32_t i = 0; i < self->state_count; i++)
        if (!gt_variable_memory(context, self->state[i], true))
            return gt_context_status(context);
    if (gt_interrupted(context))
        return gt_raise(context, GT_INTERRUPTED, NULL, NULL, "interrupted");
    return GT_OK;
}

static int64_t accumulation_of(const gt_Optimizer *self)
{
    return self->accumulator < 0 ? 1 : self->base.gradient_accumulation_steps;
}

static void update_variable(gt_Optimizer *self, int32_t index)
{
    const Entry *entry = &self->entry[index];
    self->kind->update(&(gt_OptimizerUpdate){
        .options = self->options,
        .variable = entry->variable,
        .slots = slots_of(self, index) + self->own,
        .slot_count = self->slots - self->own,
        .gradient = entry->gradient,
        .learning_rate = self->first[LEARNING_RATE],
        .iterations = self->first[ITERATION],
        .weight_decay = decay_of(self, entry),
        .accumulation = accumulation_of(self),
        .rows = entry->rows,
    });
}

/* Sums go on and averages follow for every variable, also for one without a gradient. */
static void update_base_slots(gt_Optimizer *self, int32_t index)
{
    const Entry *entry = &self->entry[index];
    gt_Variable *const *slots = slots_of(self, index);
    int64_t accumulation = accumulation_of(self);
    if (self->accumulator >= 0) {
        gt_accumulate_gradient_options options =
            GT_VALUES(gt_accumulate_gradient_options, accumulation);
        gt_Tensor *input[] = {slots[self->accumulator], entry->given_gradient,
                              self->first[ITERATION]};
        gt_apply_at(NULL, &gt_op_accumulate_gradient, &options, 3, input, NULL);
    }
    if (self->average >= 0) {
        int32_t frequency = self->base.ema_overwrite_frequency;
        gt_ema_update_options options =
            GT_VALUES(gt_ema_update_options, self->base.ema_momentum,
                      frequency == GT_NONE ? 1 : frequency, accumulation);
        gt_Tensor *average[] = {slots[self->average], entry->variable, self->first[ITERATION]};
        gt_Tensor *overwrite[] = {entry->variable, slots[self->average], self->first[ITERATION]};
        gt_apply_at(NULL, &gt_op_ema_update, &options, 3, average, NULL);
        if (frequency != GT_NONE)
            gt_apply_at(NULL, &gt_op_ema_overwrite, &options, 3, overwrite, NULL);
    }
}

/* An interrupt waits, and denormal numbers count as zero. */
typedef struct Quiet {
    gt_Interrupt interrupt;
    gt_FloatMode mode;
} Quiet;

static Quiet overwriting_begin(gt_Context *context)
{
    return (Quiet){gt_context_defer_interrupt(context), gt_float_mode_flush()};
}

static void overwriting_end(gt_Context *context, Quiet quiet)
{
    gt_context_resume_interrupt(context, quiet.interrupt);
    gt_float_mode_restore(quiet.mode);
}

static void overwrite_variables(gt_Optimizer *self)
{
    gt_Context *context = self->object.context;
    Quiet quiet = overwriting_begin(context);
    for (int32_t i = 0; i < self->entries && gt_context_status(context) == GT_OK; i++) {
        if (self->entry[i].gradient)
            update_variable(self, i);
        update_base_slots(self, i);
    }
    gt_apply_at(NULL, &gt_op_count_step, NULL, 1, &self->first[ITERATION], NULL);
    overwriting_end(context, quiet);
}

/* ---- the step ---- */

/* No tape sees what a step computes. */
static void step(gt_Optimizer *self, const char *here, gt_Tensors variables,
                 gt_Tensor *const *gradients)
{
    gt_Context *context = self->object.context;
    gt_Scope *scope = gt_scope_open(context);
    if (!scope)
        return;
    uint64_t recording = gt_tape_quiet(context);
    if (take_gradients(self, here, variables, gradients) == GT_OK &&
        prepare_gradients(self) == GT_OK && own_everything(self) == GT_OK)
        overwrite_variables(self);
    for (int32_t i = 0; i < self->entries; i++) {
        Entry *entry = &self->entry[i];
        entry->given = false;
        entry->gradient = entry->given_gradient = entry->rows = NULL;
    }
    gt_tape_unquiet(context, recording);
    gt_scope_close(context);
}

gt_Status gt_apply_gradients_at(const char *here, gt_Optimizer *self, gt_Tensors variables,
                                gt_Tensor *const *gradients)
{
    static const char operation[] = "apply_gradients";
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!check_optimizer(context, here, operation, self) ||
        check_trainable(context, here, operation, variables) != GT_OK)
        return gt_context_status(context);
    if (variables.count == 0)
        return GT_OK;
    if (!gradients)
        return gt_raise(context, GT_INVALID, here, operation, "the list of gradients is NULL");
    gt_Site site = gt_site_enter(here, operation);
    if (build_or_check(self, here, operation, variables) == GT_OK)
        step(self, here, variables, gradients);
    gt_site_leave(site);
    return gt_context_status(context);
}

static gt_Status check_loss(gt_Context *context, const char *here, gt_Tensor *loss)
{
    char text[160];
    const gt_Spec *spec = gt_tensor_check(context, here, "minimize", "the loss", loss);
    if (spec && spec->rank != 0)
        gt_raise(context, GT_INVALID, here, "minimize",
                 "the loss must be a scalar, such as a gt_mean or gt_sum (got shape %s)",
                 gt_shape_text(gt_spec_shape(spec), text, sizeof text));
    return gt_context_status(context);
}

gt_Status gt_minimize_at(const char *here, gt_Optimizer *self, gt_Tape *tape, gt_Tensor *loss,
                         gt_Tensors variables)
{
    static const char operation[] = "minimize";
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!check_optimizer(context, here, operation, self) ||
        check_loss(context, here, loss) != GT_OK ||
        check_trainable(context, here, operation, variables) != GT_OK ||
        (self->built && check_known(self, here, operation, variables) != GT_OK))
        return gt_context_status(context);
    if (variables.count == 0)
        return gt_raise(context, GT_INVALID, here, operation, NO_VARIABLES);
    size_t bytes = (size_t)variables.count * sizeof(gt_Tensor *);
    gt_Tensor **gradients = gt_allocate(context, bytes);
    gt_Scope *scope = gradients ? gt_scope_open(context) : NULL;
    if (scope) {
        gt_Site site = gt_site_enter(here, operation);
        gt_gradient_options options = {.size = GT_SIZE(gt_gradient_options),
                                       .unconnected = GT_UNCONNECTED_SOME};
        if (gt_gradients_at(here, tape, (gt_Tensors){&loss, 1}, variables, gradients, &options) ==
            GT_OK)
            gt_apply_gradients_at(here, self, variables, gradients);
        gt_site_leave(site);
        gt_scope_close(context);
    }
    gt_release(context, gradients, bytes);
    return gt_context_status(context);
}

gt_Status gt_optimizer_finalize_at(const char *here, gt_Optimizer *self)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!check_optimizer(context, here, "optimizer_finalize", self) || self->average < 0)
        return gt_context_status(context);
    gt_Site site = gt_site_enter(here, "optimizer_finalize");
    uint64_t recording = gt_tape_quiet(context);
    if (own_everything(self) == GT_OK) {
        Quiet quiet = overwriting_begin(context);
        for (int32_t i = 0; i < self->entries; i++) {
            gt_ema_update_options now =
                GT_VALUES(gt_ema_update_options, self->base.ema_momentum, 0, 1);
            gt_Tensor *input[] = {self->entry[i].variable, slots_of(self, i)[self->average],
                                  self->first[ITERATION]};
            gt_apply_at(NULL, &gt_op_ema_overwrite, &now, 3, input, NULL);
        }
        overwriting_end(context, quiet);
    }
    gt_tape_unquiet(context, recording);
    gt_site_leave(site);
    return gt_context_status(context);
}

gt_Status gt_optimizer_apply_at(const char *here, const gt_Operation *operation,
                                const void *options, const gt_OptimizerUpdate *update)
{
    gt_Tensor *input[1 + GT_MAX_OPTIMIZER_SLOTS + 4];
    int count = 0;
    input[count++] = update->variable;
    for (int i = 0; i < update->slot_count; i++)
        input[count++] = update->slots[i];
    input[count++] = update->gradient;
    input[count++] = update->learning_rate;
    input[count++] = update->iterations;
    if (update->rows)
        input[count++] = update->rows;
    return gt_apply_at(here, operation, options, count, input, NULL);
}

/* ---- looking at one ---- */

static const gt_Optimizer *look(const char *here, const char *operation, const gt_Optimizer *self)
{
    gt_Context *context = gt_enter();
    return context && check_optimizer(context, here, operation, self) ? self : NULL;
}

int gt_optimizer_skipped_at(const char *here, const gt_Optimizer *self)
{
    return look(here, "optimizer_skipped", self) ? self->skipped : -1;
}

double gt_optimizer_learning_rate_at(const char *here, const gt_Optimizer *self)
{
    return look(here, "optimizer_learning_rate", self)
               ? gt_item_at(NULL, self->first[LEARNING_RATE])
               : (double)NAN;
}

gt_Status gt_optimizer_set_learning_rate_at(const char *here, gt_Optimizer *self,
                                            double learning_rate)
{
    static const char operation[] = "optimizer_set_learning_rate";
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!check_optimizer(context, here, operation, self))
        return gt_context_status(context);
    if (!isfinite(learning_rate))
        return gt_raise(context, GT_INVALID, here, operation,
                        "learning_rate must be finite (got %g)", learning_rate);
    return gt_variable_set_at(NULL, self->first[LEARNING_RATE], &learning_rate,
                              sizeof learning_rate);
}

int64_t gt_optimizer_iterations_at(const char *here, const gt_Optimizer *self)
{
    const int64_t *calls = look(here, "optimizer_iterations", self)
                               ? gt_data_of_at(NULL, self->first[ITERATION], GT_INT64)
                               : NULL;
    return calls ? *calls / accumulation_of(self) : -1;
}

gt_Tensors gt_optimizer_variables_at(const char *here, const gt_Optimizer *self)
{
    if (!look(here, "optimizer_variables", self))
        return (gt_Tensors){NULL, 0};
    return gt_optimizer_built(self) ? (gt_Tensors){self->state, self->state_count}
                                    : (gt_Tensors){self->first, 2};
}

gt_Variable *gt_optimizer_slot_at(const char *here, const gt_Optimizer *self,
                                  const gt_Variable *variable, const char *slot)
{
    if (!look(here, "optimizer_slot", self) ||
        !gt_variable_spec(self->object.context, here, "optimizer_slot", variable))
        return NULL;
    int32_t at = gt_optimizer_built(self) ? find_entry(self, variable) : -1;
    for (int s = 0; slot && at >= 0 && s < self->slots; s++)
        if (strcmp(self->slot[s].name, slot) == 0)
            return slots_of(self, at)[s];
    return NULL;
}

char *gt_optimizer_variable_name_at(const char *here, const gt_Optimizer *self, int index,
                                    gt_VariablePath *path, void *user, char *text, size_t size)
{
    if (!text || size == 0)
        return text;
    text[0] = 0;
    if (!look(here, "optimizer_variable_name", self) || index < 0 ||
        index >= (self->built ? self->state_count : 2))
        return text;
    if (index < 2) {
        snprintf(text, size, "%s", index == 0 ? "iteration" : "learning_rate");
        return text;
    }
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
