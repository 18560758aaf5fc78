/* A loss and its gradient as one plan. */
#include "optim/loss_plan.h"

#include <float.h>
#include <math.h>
#include <string.h>

static gt_Status both_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    gt_Solver *solver = context;
    gt_gradient_packed(solver->context, &solver->function, &out[0], &out[1]);
    char text[200];
    if (gt_status() == GT_OK && gt_dtype(out[0]) != GT_FLOAT64)
        gt_fail(GT_INVALID, "the loss must be float64 (got %s)",
                gt_spec_text(gt_tensor_spec(out[0]), text, sizeof text));
    return gt_status();
}

bool gt_loss_plan_at(gt_LossPlan *self, const double *x, double *loss, double *gradient)
{
    gt_Solver *solver = self->solver;
    gt_Context *context = solver->context;
    if (gt_context_status(context) != GT_OK || !gt_solver_may_evaluate(solver))
        return false;
    gt_Scope *scope = gt_scope_open(context);
    gt_Tensor *out[2] = {NULL, NULL};
    const double *data = NULL;
    if (scope && gt_solver_set(solver, x) == GT_OK &&
        gt_function_call(self->both, ((gt_Tensors){NULL, 0}), out) == GT_OK)
        data = gt_float64_data(out[1]);
    solver->solution->report.derivatives++;
    *loss = data ? gt_item(out[0]) : (double)NAN;
    if (data)
        memcpy(gradient, data, (size_t)solver->n * sizeof(double));
    if (scope)
        gt_scope_close(context);
    return data != NULL;
}

double gt_loss_plan_slope(const gt_Solver *solver, const double *x, const double *gradient)
{
    double largest = 0;
    for (int64_t i = 0; i < solver->n; i++)
        if (!gt_solver_holds(solver, x, i, gradient[i]))
            largest = fmax(largest, fabs(gradient[i]));
    return largest;
}

bool gt_loss_plan_is_flat(const gt_LossPlan *self, double gtol)
{
    return self->solver->progress.gradient_norm <= gtol * fmin(1, self->first);
}

bool gt_loss_plan_circles(gt_LossPlan *self)
{
    enum { MOST_IDLE = 10 };
    const gt_SolverProgress *now = &self->solver->progress;
    bool gains = self->least_loss - now->loss > 4 * DBL_EPSILON * fabs(self->least_loss) ||
                 now->gradient_norm < 0.9 * self->least_slope;
    self->idle = gains ? 0 : self->idle + 1;
    self->least_loss = fmin(self->least_loss, now->loss);
    self->least_slope = fmin(self->least_slope, now->gradient_norm);
    return self->idle >= MOST_IDLE;
}

gt_Status gt_loss_plan_begin(gt_LossPlan *self, gt_Solver *solver, double *gradient)
{
    self->solver = solver;
    self->both = gt_solver_plan(solver, both_body, solver, 2);
    if (!self->both || !gt_loss_plan_at(self, solver->x, &solver->progress.loss, gradient))
        return gt_status();
    if (!isfinite(solver->progress.loss))
        return gt_fail(GT_NUMERIC, "the loss is %g at the start", solver->progress.loss);
    for (int64_t i = 0; i < solver->n; i++)
        if (!isfinite(gradient[i])) {
            char name[160];
            gt_solver_parameter_name(solver->solution, i, name, sizeof name);
            return gt_fail(GT_NUMERIC,
                           "element %lld of the gradient, by %s, is %g at the start, where the "
                           "loss is finite; start elsewhere",
                           (long long)i, name, gradient[i]);
        }
    self->first = solver->progress.gradient_norm = gt_loss_plan_slope(solver, solver->x, gradient);
    self->least_loss = solver->progress.loss;
    self->least_slope = INFINITY;
    return gt_status();
}
