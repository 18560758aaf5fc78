/* Newton-CG in a trust region. Leans on loss_plan.c and on Hessian products of autodiff/columns.c.
 *
 * One iteration: conjugate gradients on H p = -g, from p = 0, until the residual is small beside g, p reaches the edge of the
 * region, or a direction of negative curvature is met, which is followed to the edge; then p is tried, and the region follows
 * from how well the quadratic model predicted the loss. As for least squares, near the end, where rounding hides gains, a step is
 * taken if the gradient shrinks. */
#include "optim/newton_cg.h"
#include "optim/loss_plan.h"

#include <float.h>
#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_newton_cg_options, gt_newton_cg_OPTIONS);

enum { VECTORS = 6 };

typedef struct NewtonCg {
    gt_Solver solver;
    gt_newton_cg_options options;
    gt_LossPlan plan;
    gt_Function *product;
    double *gradient, *next_gradient, *step, *residual, *direction, *curved; /* (n) each */
    double radius, predicted;
    bool at_edge, near; /* near: the last full step was too short to be seen */
} NewtonCg;

static gt_Status product_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Solver *solver = context;
    out[0] = gt_hessian_product_packed(solver->context, &solver->function, in[0]);
    return gt_status();
}

/* curved = H direction, at x, which the variables hold. */
static bool multiply(NewtonCg *self)
{
    gt_Solver *solver = &self->solver;
    gt_Context *context = solver->context;
    size_t bytes = (size_t)solver->n * sizeof(double);
    gt_Scope *scope = gt_scope_open(context);
    gt_Tensor *v = scope ? gt_from_data(self->direction, gt_shape(solver->n), GT_FLOAT64) : NULL,
              *out = NULL;
    const double *data = NULL;
    if (v && gt_function_call(self->product, gt_tensors(v), &out) == GT_OK)
        data = gt_float64_data(out);
    if (data)
        memcpy(self->curved, data, bytes);
    if (scope)
        gt_scope_close(context);
    solver->solution->report.hessian_products++;
    return data != NULL;
}

/* step += t direction with t > 0 such that it is as long as the radius. */
static double to_edge(const NewtonCg *self)
{
    int64_t n = self->solver.n;
    double dd = gt_vector_dot(n, self->direction, self->direction);
    double pd = gt_vector_dot(n, self->step, self->direction);
    double pp = gt_vector_dot(n, self->step, self->step);
    double rest = fmax(0, self->radius * self->radius - pp);
    return rest / (pd + sqrt(pd * pd + dd * rest)); /* pd >= 0: steps only grow */
}

static double length_after(const NewtonCg *self, double t)
{
    double square = 0;
    for (int64_t i = 0; i < self->solver.n; i++) {
        double p = self->step[i] + t * self->direction[i];
        square += p * p;
    }
    return sqrt(square);
}

/* What the model gains by t more along the direction. */
static void move(NewtonCg *self, double t, double curvature)
{
    int64_t n = self->solver.n;
    double slope = gt_vector_dot(n, self->residual, self->direction);
    self->predicted -= t * slope + 0.5 * t * t * curvature;
    gt_vector_add(n, t, self->direction, self->step);
    gt_vector_add(n, t, self->curved, self->residual);
}

static void find_step(NewtonCg *self)
{
    int64_t n = self->solver.n, most = self->options.max_products;
    size_t bytes = (size_t)n * sizeof(double);
    if (most == GT_NONE)
        most = 2 * n > 20 ? 2 * n : 20;
    memset(self->step, 0, bytes);
    memcpy(self->residual, self->gradient, bytes);
    for (int64_t i = 0; i < n; i++)
        self->direction[i] = -self->gradient[i];
    double norm = gt_vector_norm(n, self->gradient),
           square = gt_vector_dot(n, self->residual, self->residual);
    double wanted = norm * fmin(0.1, sqrt(norm));
    self->predicted = 0;
    self->at_edge = false;
    for (int64_t k = 0; k < most; k++) {
        if (!multiply(self))
            return;
        double curvature = gt_vector_dot(n, self->direction, self->curved), t = square / curvature;
        self->at_edge = !(curvature > 0) || !(length_after(self, t) < self->radius);
        move(self, self->at_edge ? to_edge(self) : t, curvature);
        double next = gt_vector_dot(n, self->residual, self->residual);
        if (self->at_edge || sqrt(next) <= wanted)
            return;
        for (int64_t i = 0; i < n; i++)
            self->direction[i] = next / square * self->direction[i] - self->residual[i];
        square = next;
    }
}

static void stop_if_arrived(NewtonCg *self, double before)
{
    gt_Solver *solver = &self->solver;
    const gt_newton_cg_options *options = &self->options;
    double loss = solver->progress.loss, size = fmax(fabs(before), fabs(loss));
    if (gt_loss_plan_is_flat(&self->plan, options->gtol))
        gt_solver_stop(solver, GT_STOP_GRADIENT);
    else if (before > loss && before - loss <= options->ftol * size)
        gt_solver_stop(solver, GT_STOP_VALUE);
    else if (solver->iterations > 0 && !self->at_edge && options->xtol > 0 &&
             solver->progress.step_norm <= options->xtol * gt_vector_norm(solver->n, solver->x))
        gt_solver_stop(solver, GT_STOP_STEP);
    if (gt_loss_plan_circles(&self->plan))
        gt_solver_stop(solver, GT_STOP_ROUNDING);
}

static void accept(NewtonCg *self, double loss)
{
    gt_Solver *solver = &self->solver;
    double before = solver->progress.loss;
    gt_solver_accept(solver, loss, gt_vector_norm(solver->n, self->step));
    memcpy(self->gradient, self->next_gradient, (size_t)solver->n * sizeof(double));
    solver->progress.gradient_norm = gt_loss_plan_slope(solver, solver->x, self->gradient);
    stop_if_arrived(self, before);
}

/* No step gains, however short: because the minimum down the slope is too near to be seen, or the last full step was, or for
 * another reason. */
static bool give_up(NewtonCg *self, bool unseen)
{
    gt_Solver *solver = &self->solver;
    int64_t n = solver->n;
    double square = gt_vector_dot(n, self->gradient, self->gradient), curvature = 0;
    memcpy(self->direction, self->gradient, (size_t)n * sizeof(double));
    if (gt_solver_set(solver, solver->x) == GT_OK && multiply(self))
        curvature = gt_vector_dot(n, self->gradient, self->curved);
    bool below =
        curvature > 0 && 0.5 * square * (square / curvature) <= 1e-10 * fabs(solver->progress.loss);
    gt_solver_stop(solver, unseen || self->near || below ? GT_STOP_ROUNDING : GT_STOP_NO_PROGRESS);
    return false;
}

/* Smaller regions until a step gains; false: none does, or it ends. */
static bool advance(NewtonCg *self)
{
    gt_Solver *solver = &self->solver;
    int64_t n = solver->n;
    double loss = solver->progress.loss, norm = gt_vector_norm(n, solver->x), size = fmax(1, norm);
    for (;;) {
        if (gt_solver_set(solver, solver->x) != GT_OK)
            return false;
        find_step(self);
        if (gt_context_status(solver->context) != GT_OK)
            return false;
        for (int64_t i = 0; i < n; i++)
            solver->trial[i] = solver->x[i] + self->step[i];
        double next, length = gt_vector_norm(n, self->step);
        if (!self->at_edge) /* then it leads to the minimum of the model */
            self->near = length <= 1e-8 * norm;
        bool unseen = self->predicted <= 1e-10 * fabs(loss) && !self->at_edge;
        if (!(self->predicted > 0) ||
            memcmp(solver->trial, solver->x, (size_t)n * sizeof(double)) == 0)
            return give_up(self, unseen);
        if (!gt_loss_plan_at(&self->plan, solver->trial, &next, self->next_gradient))
            return false;
        double gain = isfinite(next) ? loss - next : -INFINITY, ratio = gain / self->predicted;
        bool blind = unseen && fabs(gain) <= 1e-10 * fabs(loss) &&
                     gt_vector_norm(n, self->next_gradient) < gt_vector_norm(n, self->gradient);
        if (!blind && ratio < 0.25)
            self->radius = 0.25 * length;
        else if (ratio > 0.75 && self->at_edge)
            self->radius *= 2;
        if (blind || ratio > 1e-4) {
            accept(self, next);
            return true;
        }
        if (self->radius <= DBL_EPSILON * size)
            return give_up(self, unseen);
    }
}

static void solve(NewtonCg *self)
{
    gt_Solver *solver = &self->solver;
    double *next = solver->more,
           **vectors[VECTORS] = {&self->gradient, &self->next_gradient, &self->step,
                                 &self->residual, &self->direction,     &self->curved};
    for (int i = 0; i < VECTORS; i++, next += solver->n)
        *vectors[i] = next;
    if (gt_loss_plan_begin(&self->plan, solver, self->gradient) != GT_OK ||
        !(self->product = gt_solver_plan(solver, product_body, solver, 1)))
        return;
    self->radius = self->options.radius * fmax(1, gt_vector_norm(solver->n, solver->x));
    stop_if_arrived(self, solver->progress.loss);
    while (gt_solver_goes_on(solver) && advance(self)) {
    }
}

static gt_Status check_options(const gt_newton_cg_options *options)
{
    if (options->max_products != GT_NONE && options->max_products < 1)
        return gt_fail(GT_INVALID, "max_products must be >= 1, or GT_NONE (got %lld)",
                       (long long)options->max_products);
    if (gt_solver_check_option("radius", options->radius, false) != GT_OK ||
        gt_solver_check_option("ftol", options->ftol, true) != GT_OK ||
        gt_solver_check_option("xtol", options->xtol, true) != GT_OK)
        return gt_status();
    return gt_solver_check_option("gtol", options->gtol, true);
}

gt_Solution *gt_newton_cg_at(const char *here, gt_FunctionBody loss, void *user,
                             gt_Tensors variables, const gt_newton_cg_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "newton_cg");
    gt_Scope *outer = gt_scope_innermost(context), *scope = gt_scope_open(context);
    NewtonCg self = {.solver = {.context = context}};
    GT_TAKE(gt_newton_cg_options, &self.options, given);
    gt_SolverCommon common = GT_SOLVER_COMMON_OF(self.options);
    if (scope && check_options(&self.options) == GT_OK &&
        gt_solver_open(&self.solver, loss, user, variables, &common, NULL, NULL, VECTORS))
        solve(&self);
    gt_Solution *solution = gt_solver_close(&self.solver);
    gt_scope_unwind(context, outer);
    gt_site_leave(&site);
    return solution;
}
