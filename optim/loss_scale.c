/* The scale of a loss: two numbers of the optimizer, the scale and how many steps in a row had finite gradients.
 *
 *     step: gt_loss_scale_prepare -> ... -> gt_loss_scale_remember -> (the step, or nothing) -> gt_loss_scale_finish
 *
 * Eagerly a step with a gradient that is not finite is left out. A traced function cannot leave it out: it makes the step,
 * and then puts back what every variable was, chosen by the same flag. */
#include "optim/loss_scale.h"
#include "ops/array/assign.h"
#include "ops/array/cast.h"
#include "ops/array/indexing.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/table.h"
#include "optim/state.h"

#include <math.h>

GT_OPTION_TYPE(gt_LossScaleOptimizer_options, gt_LossScaleOptimizer_OPTIONS);

enum { SCALE, STEPS }; /* from number `loss_scale` on */

static gt_Variable *number_of(const gt_Optimizer *self, int which)
{
    return self->number[self->loss_scale + which];
}

/* ---- in a step ---- */

/* What is divided: the scale, or the option; NULL: nothing. */
static gt_Tensor *scale_of(const gt_Optimizer *self)
{
    if (self->loss_scale > 0)
        return number_of(self, SCALE);
    return gt_is_given(self->base.loss_scale_factor)
               ? gt_scalar(self->base.loss_scale_factor, GT_FLOAT64)
               : NULL;
}

gt_Status gt_loss_scale_prepare(gt_Optimizer *self)
{
    gt_Tensor *scale = scale_of(self), *finite = NULL;
    for (int32_t i = 0; scale && i < self->entries && gt_status() == GT_OK; i++) {
        gt_OptimizerEntry *entry = &self->entry[i];
        if (!entry->gradient)
            continue;
        entry->gradient = gt_divide(entry->gradient, gt_cast(scale, gt_dtype(entry->gradient)));
        entry->given_gradient = entry->gradient;
        gt_Tensor *all = gt_all(gt_isfinite(entry->gradient));
        finite = finite ? gt_logical_and(finite, all) : all;
    }
    if (self->loss_scale == 0 || !finite)
        return gt_status();
    gt_Tensor *steps = gt_add(number_of(self, STEPS), 1);
    gt_Tensor *grows = gt_greater_equal(steps, (double)self->scaling.dynamic_growth_steps);
    gt_Tensor *old = number_of(self, SCALE);
    gt_Tensor *larger = gt_where(grows, gt_multiply(old, 2), old);
    self->finite = finite;
    self->next_scale = gt_where(finite, larger, gt_multiply(old, 0.5));
    self->next_steps = gt_where(gt_logical_and(finite, gt_logical_not(grows)), steps,
                                gt_multiply(number_of(self, STEPS), 0));
    gt_ready(self->next_scale);
    gt_ready(self->next_steps);
    return gt_status();
}

/* All that a step changes: number 0 is the first variable, then come the others and the state. */
static gt_Variable *changed(const gt_Optimizer *self, int32_t i)
{
    return i < self->entries ? self->entry[i].variable : self->state[i - self->entries];
}

gt_Status gt_loss_scale_remember(gt_Optimizer *self)
{
    gt_Context *context = self->object.context;
    const int32_t count = self->entries + self->state_count;
    if (!self->finite || !gt_tracing(context))
        return gt_status();
    self->kept = gt_allocate(context, (size_t)count * sizeof *self->kept);
    for (int32_t i = 0; self->kept && i < count; i++)
        self->kept[i] = gt_identity(changed(self, i));
    return gt_status();
}

bool gt_loss_scale_skips(const gt_Optimizer *self)
{
    return self->finite && !gt_tracing(self->object.context) && gt_item_at(NULL, self->finite) == 0;
}

static void assign(gt_Variable *variable, gt_Tensor *value)
{
    gt_Tensor *input[] = {variable, value};
    gt_apply_at(NULL, &gt_op_assign, NULL, 2, input, NULL);
}

void gt_loss_scale_finish(gt_Optimizer *self)
{
    const int32_t count = self->entries + self->state_count;
    for (int32_t i = 0; self->kept && i < count; i++)
        assign(changed(self, i), gt_where(self->finite, changed(self, i), self->kept[i]));
    if (self->finite && gt_status() == GT_OK) {
        assign(number_of(self, SCALE), self->next_scale);
        assign(number_of(self, STEPS), self->next_steps);
    }
}

void gt_loss_scale_forget(gt_Optimizer *self)
{
    const int32_t count = self->entries + self->state_count;
    gt_release(self->object.context, self->kept, (size_t)count * sizeof *self->kept);
    self->kept = NULL;
    self->finite = self->next_scale = self->next_steps = NULL;
}

/* ---- for users ---- */

gt_Tensor *gt_scale_loss_at(const char *here, gt_Optimizer *self, gt_Tensor *loss)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_optimizer_check(context, here, "scale_loss", self) ||
        !gt_tensor_check(context, here, "scale_loss", "the loss", loss))
        return NULL;
    gt_Site site = gt_site_enter(here, "scale_loss");
    gt_Tensor *scale = scale_of(self);
    if (scale)
        loss = gt_multiply(loss, gt_cast(gt_stop_gradient(scale), gt_dtype(loss)));
    gt_site_leave(&site);
    return gt_context_status(context) == GT_OK ? loss : NULL;
}

double gt_optimizer_loss_scale_at(const char *here, const gt_Optimizer *self)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_optimizer_check(context, here, "optimizer_loss_scale", self))
        return (double)NAN;
    if (self->loss_scale > 0)
        return gt_item_at(here, number_of(self, SCALE));
    return gt_is_given(self->base.loss_scale_factor) ? self->base.loss_scale_factor : 1;
}

static gt_Status add_scale(gt_Optimizer *self, const gt_LossScaleOptimizer_options *options)
{
    if (!(isfinite(options->initial_scale) && options->initial_scale > 0))
        return gt_fail(GT_INVALID, "initial_scale must be finite and > 0 (got %g)",
                       options->initial_scale);
    if (options->dynamic_growth_steps < 1)
        return gt_fail(GT_INVALID, "dynamic_growth_steps must be > 0 (got %lld)",
                       (long long)options->dynamic_growth_steps);
    if (self->parts > 0)
        return gt_fail(GT_STATE,
                       "optimizer %s is made of several, which have one loss_scale_factor or none",
                       self->name);
    if (self->built || self->loss_scale > 0 || gt_is_given(self->base.loss_scale_factor))
        return gt_fail(GT_STATE, "optimizer %s %s", self->name,
                       self->built
                           ? "is built already; its loss is scaled from the first step on, or never"
                           : "has a scale already");
    const int first = self->numbers;
    if (gt_optimizer_add_number(self, GT_FLOAT64, "loss_scale", options->initial_scale) != GT_OK ||
        gt_optimizer_add_number(self, GT_INT64, "finite_steps", 0) != GT_OK)
        return gt_status();
    self->scaling = *options;
    self->loss_scale = first;
    return GT_OK;
}

gt_Status gt_optimizer_scale_by_default(gt_Optimizer *self)
{
    gt_LossScaleOptimizer_options options;
    GT_TAKE(gt_LossScaleOptimizer_options, &options, NULL);
    bool has = self->built || self->loss_scale > 0 || gt_is_given(self->base.loss_scale_factor);
    return has ? gt_status() : add_scale(self, &options);
}

gt_Optimizer *gt_LossScaleOptimizer_at(const char *here, gt_Optimizer *inner,
                                       const gt_LossScaleOptimizer_options *given)
{
    gt_LossScaleOptimizer_options options;
    GT_TAKE(gt_LossScaleOptimizer_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context || !gt_optimizer_check(context, here, "LossScaleOptimizer", inner))
        return NULL;
    gt_Site site = gt_site_enter(here, "LossScaleOptimizer");
    if (gt_tracing(context))
        gt_fail(GT_STATE, "it cannot be made inside a traced function; make it before");
    else
        add_scale(inner, &options);
    gt_site_leave(&site);
    if (gt_context_status(context) == GT_OK)
        return inner;
    gt_optimizer_free(inner);
    return NULL;
}

const gt_LossScaleOptimizer_options *gt_optimizer_scaling(const gt_Optimizer *self)
{
    return self->loss_scale ? &self->scaling : NULL;
}

const gt_OptionType *gt_loss_scale_options(void)
{
    return &gt_LossScaleOptimizer_options_type;
}
