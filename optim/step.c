/* One step of an optimizer, in two halves. The first checks and computes the gradients as the
 * update wants them: means over calls, rows, clipping; it may fail, and then nothing has
 * changed. The second overwrites variables: every one has bytes of its own by then, the
 * interrupt waits, nothing allocates, so that no half step is ever made. What constraints compute
 * is between the two: constrained.c. Leans on ops/update for the updates.
 *
 *     apply_gradients: build_or_check -> join (distribution.c) -> prepare: take_gradients -> prepare_gradients -> compute_updates -> remember
 *                      -> own_everything
 *                      -> overwrite_variables
 *
 * Of several optimizers as one (multi.c) each has its share: all are prepared before the first of them overwrites. */
#include "autodiff/gradient.h"
#include "core/graph.h"
#include "ops/array/cast.h"
#include "ops/array/indexing.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduction.h"
#include "ops/table.h"
#include "ops/update/update.h"
#include "optim/compute.h"
#include "optim/state.h"

#include <string.h>

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
        int32_t at = gt_optimizer_find(self, variables.items[i]);
        GT_ASSERT(at >= 0); /* checked, or the optimizer was built with this list */
        gt_OptimizerEntry *entry = &self->entry[at];
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

/* The gradient times limit / max(norm, limit); exactly itself where the norm is within the limit. A class that scales does that
 * while it updates. The factor goes in two parts, the second of them nearly always 1: beside a norm of 1e38 a factor of float32
 * may be 0. */
static void limit_norm(const gt_Optimizer *self, gt_OptimizerEntry *entry, gt_Tensor *norm,
                       double limit)
{
    gt_Tensor *factor = gt_divide(gt_scalar(limit, GT_FLOAT64), gt_maximum(norm, limit));
    if (GT_OPTIMIZER_HAS(self->kind, scales) && self->kind->scales) {
        entry->factor = factor;
        return;
    }
    gt_Tensor *first = gt_maximum(factor, 1e-30), *x = entry->gradient;
    x = gt_multiply(x, gt_cast(first, gt_dtype(x)));
    entry->gradient = gt_multiply(x, gt_cast(gt_divide(factor, first), gt_dtype(x)));
}

static double decay_of(const gt_Optimizer *self, const gt_OptimizerEntry *entry)
{
    return entry->decays && gt_is_given(self->base.weight_decay) ? self->base.weight_decay : 0;
}

/* Does a gradient of 0 change nothing of this variable, its slots and its sums? */
static bool is_row_wise(const gt_Optimizer *self, const gt_OptimizerEntry *entry)
{
    const gt_OptimizerClass *kind = self->kind;
    bool says = kind->size > offsetof(gt_OptimizerClass, row_wise) && kind->row_wise;
    return says && kind->row_wise(self->options) && self->accumulator < 0 &&
           decay_of(self, entry) == 0;
}

static gt_Status read_gradients(gt_Optimizer *self)
{
    for (int32_t i = 0; i < self->entries; i++) {
        gt_ready(self->entry[i].gradient);
        gt_ready(self->entry[i].factor);
    }
    return gt_status();
}

/* The mean over the calls of an accumulation, or the rows of a lookup, then clipping. */
static gt_Status prepare_gradients(gt_Optimizer *self)
{
    const gt_OptimizerBase *base = &self->base;
    gt_Tensor *joint = NULL;
    for (int32_t i = 0; i < self->entries; i++) {
        gt_OptimizerEntry *entry = &self->entry[i];
        if (!entry->gradient)
            continue;
        if (is_row_wise(self, entry))
            entry->rows = gt_distinct_rows(&entry->gradient);
        if (self->accumulator >= 0)
            entry->gradient = gt_divide(
                gt_add(entry->gradient, gt_optimizer_slots_of(self, i)[self->accumulator]),
                base->gradient_accumulation_steps);
        if (gt_is_given(base->clipvalue)) {
            entry->gradient = gt_clip(entry->gradient, -base->clipvalue, base->clipvalue);
        } else if (gt_is_given(base->clipnorm)) {
            limit_norm(self, entry, norm_of(entry->gradient), base->clipnorm);
        } else if (gt_is_given(base->global_clipnorm)) {
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
            limit_norm(self, &self->entry[i], joint, base->global_clipnorm);
    return gt_status() == GT_OK ? read_gradients(self) : gt_status();
}

/* ---- what the update needs besides ---- */

static gt_OptimizerUpdate turn_of(const gt_Optimizer *self, int32_t index)
{
    const gt_OptimizerEntry *entry = &self->entry[index];
    return (gt_OptimizerUpdate){
        .options = self->options,
        .variable = entry->variable,
        .slots = gt_optimizer_slots_of(self, index) + self->own,
        .slot_count = self->slots - self->own,
        .gradient = entry->gradient,
        .learning_rate = self->number[GT_LEARNING_RATE],
        .iterations = self->number[GT_ITERATION],
        .weight_decay = decay_of(self, entry),
        .accumulation = gt_optimizer_accumulation(self),
        .rows = entry->rows,
        .factor = entry->factor,
        .numbers = self->number + self->own_numbers,
    };
}

/* Is an update due? bool (); NULL: always. */
static gt_Tensor *due_now(const gt_Optimizer *self)
{
    int64_t every = gt_optimizer_accumulation(self);
    if (every == 1)
        return NULL;
    return gt_equal(gt_mod(gt_add(self->number[GT_ITERATION], 1), (double)every), 0);
}

/* The number of this update, from 1. */
static gt_Tensor *number_of_update(const gt_Optimizer *self)
{
    gt_Tensor *calls = gt_cast(self->number[GT_ITERATION], GT_FLOAT64);
    return gt_add(gt_floor(gt_divide(calls, (double)gt_optimizer_accumulation(self))), 1);
}

/* The new values that a class computes by operations; where no update is due, the old ones. */
static gt_Status compute_update(gt_Optimizer *self, int32_t index, gt_OptimizerUpdate shared,
                                gt_Tensor *due)
{
    gt_OptimizerEntry *entry = &self->entry[index];
    gt_OptimizerUpdate update = turn_of(self, index);
    update.learning_rate = shared.learning_rate;
    update.step = shared.step;
    update.value = gt_optimizer_decayed(&update);
    if (gt_status() != GT_OK || self->kind->compute(&update, entry->next) != GT_OK)
        return gt_status();
    for (int k = 0; k <= update.slot_count; k++) {
        gt_Tensor **next = &entry->next[k];
        gt_Variable *old = k == 0 ? entry->variable : update.slots[k - 1];
        if (!*next)
            continue;
        const gt_Spec *spec = gt_tensor_spec(old);
        gt_Spec got = gt_spec(*next);
        if (gt_status() == GT_OK && !gt_spec_equal(&got, spec)) {
            char a[200], b[200];
            return gt_fail(GT_INVALID, "the class %s computed %s for what is %s", self->kind->name,
                           gt_spec_text(&got, a, sizeof a), gt_spec_text(spec, b, sizeof b));
        }
        if (due)
            *next = gt_where(due, *next, old);
        gt_ready(*next);
    }
    return gt_status();
}

static gt_Status compute_updates(gt_Optimizer *self)
{
    const gt_OptimizerClass *kind = self->kind;
    const bool computes = GT_OPTIMIZER_HAS(kind, compute) && kind->compute;
    const bool advances = GT_OPTIMIZER_HAS(kind, advance) && kind->advance;
    if (self->base.schedule.type) {
        self->rate = gt_schedule_at(&self->base.schedule, self->number[GT_ITERATION]);
        gt_ready(self->rate);
    }
    if (gt_status() != GT_OK || (!computes && !advances))
        return gt_status();
    gt_Tensor *due = due_now(self);
    gt_OptimizerUpdate shared = {
        .options = self->options,
        .learning_rate = self->rate ? self->rate : self->number[GT_LEARNING_RATE],
        .iterations = self->number[GT_ITERATION],
        .accumulation = gt_optimizer_accumulation(self),
        .numbers = self->number + self->own_numbers,
        .step = number_of_update(self),
    };
    if (advances && gt_status() == GT_OK)
        kind->advance(&shared, self->next_number);
    for (int i = 0; advances && i < GT_MAX_OPTIMIZER_NUMBERS; i++)
        if (self->next_number[i]) {
            if (due)
                self->next_number[i] = gt_where(due, self->next_number[i], shared.numbers[i]);
            gt_ready(self->next_number[i]);
        }
    for (int32_t i = 0; computes && i < self->entries && gt_status() == GT_OK; i++)
        if (self->entry[i].gradient)
            compute_update(self, i, shared, due);
    return gt_status();
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

static void assign(gt_Variable *variable, gt_Tensor *value)
{
    gt_Tensor *input[] = {variable, value};
    if (value)
        gt_apply_at(NULL, &gt_op_assign, NULL, 2, input, NULL);
}

static void update_variable(gt_Optimizer *self, int32_t index)
{
    gt_OptimizerEntry *entry = &self->entry[index];
    if (GT_OPTIMIZER_HAS(self->kind, compute) && self->kind->compute) {
        assign(entry->variable, entry->next[0]);
        for (int s = self->own; s < self->slots; s++)
            assign(gt_optimizer_slots_of(self, index)[s], entry->next[1 + s - self->own]);
    } else {
        gt_OptimizerUpdate update = turn_of(self, index);
        self->kind->update(&update);
    }
}

/* Sums go on and averages follow for every variable, also for one without a gradient. */
static void update_base_slots(gt_Optimizer *self, int32_t index)
{
    const gt_OptimizerEntry *entry = &self->entry[index];
    gt_Variable *const *slots = gt_optimizer_slots_of(self, index);
    int64_t accumulation = gt_optimizer_accumulation(self);
    if (self->accumulator >= 0) {
        gt_accumulate_gradient_options options =
            GT_VALUES(gt_accumulate_gradient_options, accumulation);
        gt_Tensor *input[] = {slots[self->accumulator], entry->given_gradient,
                              self->number[GT_ITERATION]};
        gt_apply_at(NULL, &gt_op_accumulate_gradient, &options, 3, input, NULL);
    }
    if (self->average >= 0) {
        int32_t frequency = self->base.ema_overwrite_frequency;
        gt_ema_update_options options =
            GT_VALUES(gt_ema_update_options, self->base.ema_momentum,
                      frequency == GT_NONE ? 1 : frequency, accumulation);
        gt_Tensor *average[] = {slots[self->average], entry->variable, self->number[GT_ITERATION]};
        gt_Tensor *overwrite[] = {entry->variable, slots[self->average],
                                  self->number[GT_ITERATION]};
        gt_apply_at(NULL, &gt_op_ema_update, &options, 3, average, NULL);
        if (frequency != GT_NONE)
            gt_apply_at(NULL, &gt_op_ema_overwrite, &options, 3, overwrite, NULL);
    }
}

static void update_all(gt_Optimizer *self, int32_t index)
{
    if (self->entry[index].gradient)
        update_variable(self, index);
    update_base_slots(self, index);
}

/* An interrupt waits, and denormal numbers count as zero (not in a reproducible context). */
typedef struct Quiet {
    gt_Interrupt interrupt;
    gt_FloatMode mode;
} Quiet;

static Quiet overwriting_begin(gt_Context *context)
{
    return (Quiet){gt_context_defer_interrupt(context), gt_float_mode_begin(context)};
}

static void overwriting_end(gt_Context *context, Quiet quiet)
{
    gt_context_resume_interrupt(context, quiet.interrupt);
    gt_float_mode_restore(quiet.mode);
}

/* The learning rate, the numbers of the class, and the constrained variables, which are as they were on failure. */
static gt_Status overwrite_constrained(gt_Optimizer *self)
{
    assign(self->number[GT_LEARNING_RATE], self->rate);
    for (int i = 0; i < GT_MAX_OPTIMIZER_NUMBERS; i++)
        if (self->next_number[i])
            assign(self->number[self->own_numbers + i], self->next_number[i]);
    return gt_optimizer_update_constrained(self, update_all);
}

static void count_step(gt_Optimizer *self)
{
    gt_apply_at(NULL, &gt_op_count_step, NULL, 1, &self->number[GT_ITERATION], NULL);
}

static void overwrite_others(gt_Optimizer *self)
{
    for (int32_t i = 0; i < self->entries; i++)
        if (!self->entry[i].constrained)
            update_all(self, i);
    count_step(self);
}

/* Those of all shares, or of none. */
static void overwrite_variables(gt_Context *context, const gt_OptimizerShare *share, int count)
{
    Quiet quiet = overwriting_begin(context);
    int done = 0;
    while (done < count && (gt_loss_scale_skips(share[done].optimizer) ||
                            overwrite_constrained(share[done].optimizer) == GT_OK))
        done++;
    for (int i = 0; i < done; i++) {
        if (done < count)
            gt_optimizer_put_back(share[i].optimizer);
        else if (!gt_loss_scale_skips(share[i].optimizer))
            overwrite_others(share[i].optimizer);
    }
    overwriting_end(context, quiet);
}

/* ---- the step ---- */

/* The first half. */
static gt_Status prepare(const gt_OptimizerShare *share, const char *here)
{
    gt_Optimizer *self = share->optimizer;
    if (take_gradients(self, here, share->variables, share->gradients) != GT_OK ||
        gt_loss_scale_prepare(self) != GT_OK || prepare_gradients(self) != GT_OK ||
        compute_updates(self) != GT_OK || gt_optimizer_remember(self) != GT_OK ||
        gt_loss_scale_remember(self) != GT_OK)
        return gt_status();
    return own_everything(self);
}

/* What belongs to one step. */
static void forget(gt_Optimizer *self)
{
    gt_loss_scale_forget(self);
    for (int32_t i = 0; i < self->entries; i++) {
        gt_OptimizerEntry *entry = &self->entry[i];
        entry->given = entry->constrained = false;
        entry->gradient = entry->given_gradient = entry->rows = entry->factor = entry->projected =
            NULL;
        memset(entry->next, 0, sizeof entry->next);
    }
    self->rate = NULL;
    memset(self->next_number, 0, sizeof self->next_number);
    memset(self->number_before, 0, sizeof self->number_before);
}

/* The shares of a step. The parts of a whole that have no variables in it have nothing to do. */
static int share_out(gt_Optimizer *self, const char *here, gt_Tensors variables,
                     gt_Tensor *const *gradients, gt_OptimizerShare *share)
{
    int count = 0;
    if (self->parts == 0) {
        share[0] = (gt_OptimizerShare){self, variables, gradients};
        return 1;
    }
    if (gt_multi_deal(self, here, variables, gradients, share) != GT_OK)
        return 0;
    for (int32_t p = 0; p < self->parts; p++)
        if (share[p].variables.count > 0)
            share[count++] = share[p];
    return count;
}

/* No tape sees what a step computes. */
static void step(gt_Optimizer *self, const char *here, gt_Tensors variables,
                 gt_Tensor *const *gradients)
{
    gt_Context *context = self->object.context;
    gt_OptimizerShare share[GT_MAX_OPTIMIZERS];
    gt_Scope *scope = gt_scope_open(context);
    if (!scope)
        return;
    uint64_t recording = gt_tape_quiet(context);
    gradients = gt_distribution_join(self, variables, gradients);
    int count = gt_context_status(context) == GT_OK
                    ? share_out(self, here, variables, gradients, share)
                    : 0;
    int ready = 0;
    while (ready < count && prepare(&share[ready], here) == GT_OK)
        ready++;
    if (gt_context_status(context) == GT_OK) {
        overwrite_variables(context, share, count);
        for (int i = 0; i < count; i++)
            gt_loss_scale_finish(share[i].optimizer);
        if (self->parts > 0 && gt_context_status(context) == GT_OK)
            count_step(self);
    }
    for (int i = 0; i < count; i++) {
        forget(share[i].optimizer);
        if (self->parts > 0)
            self->skipped = (i ? self->skipped : 0) + share[i].optimizer->skipped;
    }
    gt_tape_unquiet(context, recording);
    gt_scope_close(context);
}

/* A loop of one's own whose loss lacks penalties trains something else than fit would. */
static void warn_of_penalties(gt_Context *context, const char *here, gt_Tensors variables,
                              gt_Tensor *const *gradients)
{
    for (int i = 0; i < variables.count; i++)
        if (gt_variable_forget_penalty(variables.items[i]) && gradients[i])
            gt_warn(context, here, "penalty",
                    "variable %s has a regularizer, and no loss since the last step took its "
                    "penalty: train gt_total_loss(model, loss)",
                    gt_variable_label(variables.items[i]));
}

/* Of one that several processes train with, the others hear of the error: they would wait for this one. */
static gt_Status told(gt_Optimizer *self)
{
    if (gt_status() != GT_OK && gt_object_is(self, &gt_optimizer_kind))
        gt_distribution_fail(self);
    return gt_status();
}

gt_Status gt_apply_gradients_at(const char *here, gt_Optimizer *self, gt_Tensors variables,
                                gt_Tensor *const *gradients)
{
    static const char operation[] = "apply_gradients";
    gt_Context *context = gt_enter();
    if (!context)
        return told(self);
    if (!gt_optimizer_check(context, here, operation, self) ||
        gt_optimizer_check_trainable(context, here, operation, variables) != GT_OK)
        return told(self);
    if (variables.count == 0)
        return GT_OK;
    if (!gradients)
        gt_raise(context, GT_INVALID, here, operation, "the list of gradients is NULL");
    gt_Site site = gt_site_enter(here, operation);
    if (gradients && gt_optimizer_build_or_check(self, here, operation, variables) == GT_OK) {
        warn_of_penalties(context, here, variables, gradients);
        step(self, here, variables, gradients);
    }
    gt_site_leave(&site);
    return told(self);
}

static gt_Status check_loss(gt_Context *context, const char *here, gt_Tensor *loss)
{
    char text[160];
    const gt_Spec *spec = gt_tensor_check(context, here, "minimize", "the loss", loss);
    if (spec && spec->rank != 0)
        gt_raise(context, GT_INVALID, here, "minimize",
                 "the loss must be a scalar, such as a gt_mean or gt_sum (got shape %s)",
                 gt_dims_text(spec, text, sizeof text));
    return gt_context_status(context);
}

gt_Status gt_minimize_at(const char *here, gt_Optimizer *self, gt_Tape *tape, gt_Tensor *loss,
                         gt_Tensors variables)
{
    static const char operation[] = "minimize";
    gt_Context *context = gt_enter();
    if (!context)
        return told(self);
    if (!gt_optimizer_check(context, here, operation, self) ||
        check_loss(context, here, loss) != GT_OK ||
        gt_optimizer_check_trainable(context, here, operation, variables) != GT_OK ||
        (self->built && gt_optimizer_check_known(self, here, operation, variables) != GT_OK))
        return told(self);
    if (variables.count == 0)
        return gt_raise(context, GT_INVALID, here, operation, GT_NO_VARIABLES);
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
        gt_site_leave(&site);
        gt_scope_close(context);
    }
    gt_release(context, gradients, bytes);
    return told(self);
}

gt_Status gt_optimizer_finalize_at(const char *here, gt_Optimizer *self)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!gt_optimizer_check(context, here, "optimizer_finalize", self))
        return gt_context_status(context);
    for (int32_t p = 0; p < self->parts && gt_context_status(context) == GT_OK; p++)
        gt_optimizer_finalize_at(here, self->part[p]);
    if (self->average < 0)
        return gt_context_status(context);
    gt_Site site = gt_site_enter(here, "optimizer_finalize");
    uint64_t recording = gt_tape_quiet(context);
    if (own_everything(self) == GT_OK) {
        Quiet quiet = overwriting_begin(context);
        for (int32_t i = 0; i < self->entries; i++) {
            gt_ema_update_options now =
                GT_VALUES(gt_ema_update_options, self->base.ema_momentum, 0, 1);
            gt_Tensor *input[] = {self->entry[i].variable,
                                  gt_optimizer_slots_of(self, i)[self->average],
                                  self->number[GT_ITERATION]};
            gt_apply_at(NULL, &gt_op_ema_overwrite, &now, 3, input, NULL);
        }
        overwriting_end(context, quiet);
    }
    gt_tape_unquiet(context, recording);
    gt_site_leave(&site);
    return gt_context_status(context);
}

gt_Status gt_optimizer_apply_at(const char *here, const gt_Operation *operation,
                                const void *options, const gt_OptimizerUpdate *update)
{
    gt_Tensor *input[1 + GT_MAX_OPTIMIZER_SLOTS + 5];
    int count = 0;
    input[count++] = update->variable;
    for (int i = 0; i < update->slot_count; i++)
        input[count++] = update->slots[i];
    input[count++] = update->gradient;
    input[count++] = update->learning_rate;
    input[count++] = update->iterations;
    if (update->rows || update->factor)
        input[count++] = update->rows;
    if (update->factor)
        input[count++] = update->factor;
    return gt_apply_at(here, operation, options, count, input, NULL);
}
