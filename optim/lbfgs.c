/* L-BFGS and L-BFGS-B. Leans on loss_plan.c, line_search.c; what bounds need is in lbfgs_bounds.c.
 *
 * One iteration: a direction from the last `memory` pairs s = change of x, y = change of the gradient (without bounds by the
 * two loops of Nocedal, 1980; with bounds the way to the minimum of the quadratic model inside the box), a line search along
 * it, a new pair. A pair is kept if s'y > 0 beyond rounding, so the model stays positive definite. */
#include "optim/lbfgs.h"
#include "optim/lbfgs_bounds.h"
#include "optim/line_search.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_lbfgs_options, gt_lbfgs_OPTIONS);

enum { MAX_MEMORY = 100, VECTORS = 3 + GT_BOUNDS_VECTORS };

typedef struct Lbfgs {
    gt_Solver solver;
    gt_lbfgs_options options;
    gt_LossPlan plan;
    gt_Pairs pairs;
    gt_BoundsWork work;
    double *gradient, *next_gradient, *direction; /* (n) each */
    double next_loss, slope;                      /* slope: along the direction, at x */
    double reach; /* the least step after which, by the slopes seen, that would be 0 */
    bool failed;  /* an evaluation did not happen */
} Lbfgs;

/* ---- the direction ---- */

static void two_loops(const Lbfgs *self)
{
    const gt_Pairs *pairs = &self->pairs;
    int64_t n = self->solver.n;
    double alpha[MAX_MEMORY], *d = self->direction;
    for (int64_t i = 0; i < n; i++)
        d[i] = -self->gradient[i];
    for (int k = pairs->count - 1; k >= 0; k--) {
        alpha[k] = gt_vector_dot(n, gt_pair_s(pairs, k), d) / gt_pair_product(pairs, k, k);
        gt_vector_add(n, -alpha[k], gt_pair_y(pairs, k), d);
    }
    for (int64_t i = 0; i < n; i++)
        d[i] /= pairs->theta;
    for (int k = 0; k < pairs->count; k++) {
        double beta = gt_vector_dot(n, gt_pair_y(pairs, k), d) / gt_pair_product(pairs, k, k);
        gt_vector_add(n, alpha[k] - beta, gt_pair_s(pairs, k), d);
    }
}

/* False: there is none from these pairs. */
static bool find_direction(Lbfgs *self)
{
    const gt_Solver *solver = &self->solver;
    if (!solver->lower) {
        two_loops(self);
        return true;
    }
    return gt_bounds_direction(&self->work, &self->pairs, solver->x, self->gradient, solver->lower,
                               solver->upper, self->direction);
}

/* How far one may go along the direction inside the bounds. */
static double longest_step(const Lbfgs *self)
{
    const gt_Solver *solver = &self->solver;
    double most = 1e20;
    for (int64_t i = 0; solver->lower && i < solver->n; i++) {
        double d = self->direction[i], x = solver->x[i];
        if (d != 0)
            most = fmin(most, d > 0 ? (solver->upper[i] - x) / d : (solver->lower[i] - x) / d);
    }
    return most;
}

/* ---- the line search ---- */

static void go_to(Lbfgs *self, double step)
{
    gt_Solver *solver = &self->solver;
    for (int64_t i = 0; i < solver->n; i++)
        solver->trial[i] = solver->x[i] + step * self->direction[i];
    gt_solver_project(solver, solver->trial);
}

static bool evaluate(void *user, gt_LinePoint *at)
{
    Lbfgs *self = user;
    go_to(self, at->step);
    if (!gt_loss_plan_at(&self->plan, self->solver.trial, &at->value, self->next_gradient)) {
        self->failed = true;
        return false;
    }
    self->next_loss = at->value;
    at->slope = gt_vector_dot(self->solver.n, self->next_gradient, self->direction);
    if (at->slope > self->slope)
        self->reach = fmin(self->reach, -self->slope / (at->slope - self->slope) * at->step);
    return true;
}

/* Along the direction to a better point, which is `trial` then; false: there is none. */
static bool search(Lbfgs *self)
{
    gt_Solver *solver = &self->solver;
    double slope = gt_vector_dot(solver->n, self->gradient, self->direction),
           most = longest_step(self);
    double length = gt_vector_norm(solver->n, self->direction), step = 1;
    self->slope = slope;
    self->reach = INFINITY;
    if (!(slope < 0) || !isfinite(length) || !(most > 0))
        return false;
    if (self->pairs.count == 0)
        step = fmin(1, 1 / length);
    gt_LineSearch by = {.decrease = 1e-3,
                        .curvature = 0.9,
                        .most = most,
                        .evaluations = 40,
                        .evaluate = evaluate,
                        .user = self};
    gt_LinePoint best;
    bool stale, better = gt_line_search(&by, (gt_LinePoint){0, solver->progress.loss, slope},
                                        fmin(step, most), &best, &stale);
    if (better && stale && !self->failed)
        better = evaluate(self, &best);
    bool moved = memcmp(solver->trial, solver->x, (size_t)solver->n * sizeof(double)) != 0;
    return better && moved && !self->failed && isfinite(self->next_loss);
}

/* ---- iterations ---- */

static void stop_if_arrived(Lbfgs *self, double before)
{
    gt_Solver *solver = &self->solver;
    const gt_lbfgs_options *options = &self->options;
    double loss = solver->progress.loss, size = fmax(fabs(before), fabs(loss));
    if (gt_loss_plan_is_flat(&self->plan, options->gtol))
        gt_solver_stop(solver, GT_STOP_GRADIENT);
    else if (before - loss <= options->ftol * size && before > loss)
        gt_solver_stop(solver, GT_STOP_VALUE);
    else if (solver->iterations > 0 && options->xtol > 0 &&
             solver->progress.step_norm <= options->xtol * gt_vector_norm(solver->n, solver->x))
        gt_solver_stop(solver, GT_STOP_STEP);
    if (gt_loss_plan_circles(&self->plan))
        gt_solver_stop(solver, GT_STOP_ROUNDING);
}

/* Nothing better was found along the direction of no pairs, that is, down the slope: because the way to the minimum along it is
 * too short to be seen, or for another reason. */
static void give_up(Lbfgs *self)
{
    gt_Solver *solver = &self->solver;
    double gain = 0, g = 0;
    for (int64_t i = 0; i < solver->n; i++) {
        gain += fabs(self->gradient[i] * self->direction[i]);
        g = fmax(g, fabs(self->gradient[i]) * fmax(1, fabs(solver->x[i])));
    }
    double way = self->reach * gt_vector_norm(solver->n, self->direction);
    bool arrived = g <= 1e-5 * fmax(1, fabs(solver->progress.loss)) || gain == 0 ||
                   way <= 1e-8 * gt_vector_norm(solver->n, solver->x);
    gt_solver_stop(solver, arrived ? GT_STOP_ROUNDING : GT_STOP_NO_PROGRESS);
}

static bool advance(Lbfgs *self)
{
    gt_Solver *solver = &self->solver;
    double before = solver->progress.loss;
    bool found = find_direction(self) && search(self);
    if (!found && !self->failed &&
        self->pairs.count > 0) { /* once more without what is remembered */
        gt_pairs_forget(&self->pairs);
        found = find_direction(self) && search(self);
    }
    if (!found) {
        if (!self->failed)
            give_up(self);
        return false;
    }
    gt_pairs_add(&self->pairs, solver->x, solver->trial, self->gradient, self->next_gradient);
    double moved = 0;
    for (int64_t i = 0; i < solver->n; i++)
        moved = hypot(moved, solver->trial[i] - solver->x[i]);
    gt_solver_accept(solver, self->next_loss, moved);
    memcpy(self->gradient, self->next_gradient, (size_t)solver->n * sizeof(double));
    solver->progress.gradient_norm = gt_loss_plan_slope(solver, solver->x, self->gradient);
    stop_if_arrived(self, before);
    return true;
}

static void solve(Lbfgs *self)
{
    gt_Solver *solver = &self->solver;
    if (gt_loss_plan_begin(&self->plan, solver, self->gradient) != GT_OK)
        return;
    stop_if_arrived(self, solver->progress.loss);
    while (gt_solver_goes_on(solver) && advance(self)) {
    }
    gt_SolverReport *report = &solver->solution->report;
    for (int64_t i = 0; i < solver->n; i++)
        report->at_bounds += gt_solver_holds(solver, solver->x, i, self->gradient[i]);
}

static gt_Status check_options(const gt_lbfgs_options *options)
{
    if (options->memory < 1 || options->memory > MAX_MEMORY)
        return gt_fail(GT_INVALID, "memory must be 1 to %d (got %d)", MAX_MEMORY,
                       (int)options->memory);
    if (gt_solver_check_option("ftol", options->ftol, true) != GT_OK ||
        gt_solver_check_option("xtol", options->xtol, true) != GT_OK)
        return gt_status();
    return gt_solver_check_option("gtol", options->gtol, true);
}

static gt_Status prepare(Lbfgs *self)
{
    gt_Solver *solver = &self->solver;
    int64_t n = solver->n;
    self->gradient = solver->more;
    self->next_gradient = self->gradient + n;
    self->direction = self->next_gradient + n;
    double *pairs = gt_bounds_open(&self->work, solver->context, n, self->options.memory,
                                   solver->lower != NULL, self->direction + n);
    return gt_pairs_open(&self->pairs, solver->context, n, self->options.memory, pairs);
}

gt_Solution *gt_lbfgs_at(const char *here, gt_FunctionBody loss, void *user, gt_Tensors variables,
                         const gt_lbfgs_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "lbfgs");
    gt_Scope *outer = gt_scope_innermost(context), *scope = gt_scope_open(context);
    Lbfgs self = {.solver = {.context = context}};
    GT_TAKE(gt_lbfgs_options, &self.options, given);
    gt_SolverCommon common = GT_SOLVER_COMMON_OF(self.options);
    if (scope && check_options(&self.options) == GT_OK &&
        gt_solver_open(&self.solver, loss, user, variables, &common, self.options.lower,
                       self.options.upper, VECTORS + 2 * self.options.memory) &&
        prepare(&self) == GT_OK)
        solve(&self);
    gt_pairs_close(&self.pairs, context);
    gt_bounds_close(&self.work, context);
    gt_Solution *solution = gt_solver_close(&self.solver);
    gt_scope_unwind(context, outer);
    gt_site_leave(&site);
    return solution;
}
