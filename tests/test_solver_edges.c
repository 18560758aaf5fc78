/* The solvers where it gets narrow: tolerances of 0, a second call at a solution, callbacks that assign or solve, derivatives that are
 * infinite at a bound, weights that leave no data, variables without elements. */
#include "data_files.h"
#include "mgh.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))
#define near(value, expected, relative)                                                            \
    cr_assert(fabs((value) - (expected)) <= (relative)*fmax(fabs((double)(expected)), 1e-300),     \
              "%s: %.17g, not %.17g", #value, (double)(value), (double)(expected))

static gt_Variable *number(double value, const char *name)
{
    return gt_variable(gt_scalar(value, GT_FLOAT64), .name = name);
}

/* ---- no end, and an end that says too little ---- */

enum { LEAST_SQUARES, LEAST_SQUARES_BOUNDED, LBFGS, LBFGS_BOUNDED, NEWTON, METHODS };

/* Tolerances of 0, or the defaults. */
static gt_Solution *solve(int method, bool strict, MghFit *fit)
{
    const gt_Tensors x = gt_tensors(fit->x);
    gt_Tensor *lower = gt_scalar(-1e4, GT_FLOAT64);
    if (method <= LEAST_SQUARES_BOUNDED) {
        gt_Tensor *bound = method == LEAST_SQUARES ? NULL : lower;
        return strict ? gt_least_squares(mgh_residual, fit, x, .lower = bound, .ftol = 0, .xtol = 0,
                                         .gtol = 0)
                      : gt_least_squares(mgh_residual, fit, x, .lower = bound);
    }
    if (method == NEWTON)
        return strict ? gt_newton_cg(mgh_loss, fit, x, .gtol = 0) : gt_newton_cg(mgh_loss, fit, x);
    gt_Tensor *bound = method == LBFGS ? NULL : lower;
    return strict ? gt_lbfgs(mgh_loss, fit, x, .lower = bound, .gtol = 0)
                  : gt_lbfgs(mgh_loss, fit, x, .lower = bound);
}

/* With tolerances of 0 each of the 42 problems ends by rounding, and so does a second call at the solution, with the defaults too:
 * no call goes round in circles up to max_iterations, and none says of a minimum that it is not one. */
Test(solver_edges, again)
{
    for (int method = 0; method < METHODS; method++)
        for (int strict = 0; strict < 2; strict++)
            for (int i = 0; i < COUNT(mgh_problems); i++) {
                gt_Scope *scope = gt_scope_begin();
                const Mgh *problem = &mgh_problems[i];
                MghFit fit = {problem, gt_variable(gt_from_data(problem->start,
                                                                gt_shape(problem->n), GT_FLOAT64),
                                                   .name = "x")};
                double loss = INFINITY;
                for (int call = 0; call < 2; call++) {
                    gt_Solution *s = solve(method, strict, &fit);
                    ok();
                    gt_SolverReport report = gt_solution_report(s);
                    cr_assert(report.converged && report.iterations < 9000 &&
                                  report.loss <= loss * (1 + 1e-9),
                              "method %d, %s, %s, call %d: %s (%lld iterations, %.17g after %.17g)",
                              method, strict ? "strict" : "defaults", problem->name, call,
                              report.message, (long long)report.iterations, report.loss, loss);
                    loss = report.loss;
                    gt_solution_free(s);
                }
                gt_variable_free(fit.x);
                gt_scope_end(scope);
            }
}

/* ---- callbacks ---- */

typedef struct Line {
    gt_Variable *slope, *offset;
    gt_Tensor *t, *y;
    double seen[2]; /* what the variables held when the callback was called */
    int calls;
} Line;

static gt_Status line_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    const Line *line = context;
    gt_Tensor *model = gt_add(gt_exp(gt_multiply(line->slope, line->t)), line->offset);
    out[0] = gt_subtract(model, line->y);
    return gt_status();
}

static gt_Status line_loss(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    line_residual(context, in, out);
    out[0] = gt_sum(gt_square(out[0]));
    return gt_status();
}

static Line line(void)
{
    return (Line){.slope = number(0.1, "slope"),
                  .offset = number(0, "offset"),
                  .t = gt_array64(gt_shape(5), 0, 1, 2, 3, 4),
                  .y = gt_array64(gt_shape(5), 2.1, 2.4, 3.2, 4.1, 5.9)};
}
static void free_line(Line *line)
{
    gt_variable_free(line->slope);
    gt_variable_free(line->offset);
}

static gt_Solution *fit_line(int method, Line *line, gt_SolverCallback callback)
{
    const gt_Tensors both = gt_tensors(line->slope, line->offset);
    return method == 0
               ? gt_least_squares(line_residual, line, both, .callback = callback, .context = line)
           : method == 1 ? gt_lbfgs(line_loss, line, both, .callback = callback, .context = line)
           : method == 2 ? gt_lbfgs(line_loss, line, both, .lower = gt_scalar(-9, GT_FLOAT64),
                                    .callback = callback, .context = line)
           : method == 3
               ? gt_newton_cg(line_loss, line, both, .callback = callback, .context = line)
               : gt_least_squares(line_residual, line, both, .geodesic = true, .callback = callback,
                                  .context = line);
}
enum { WAYS = 5 };

static bool watch(void *context, const gt_SolverProgress *progress)
{
    Line *line = context;
    (void)progress;
    line->seen[0] = gt_item(line->slope);
    line->seen[1] = gt_item(line->offset);
    line->calls++;
    return true;
}
static bool meddle(void *context, const gt_SolverProgress *progress)
{
    Line *line = context;
    watch(context, progress);
    gt_assign(line->slope, gt_scalar(1e3, GT_FLOAT64));
    gt_assign(line->offset, gt_scalar(NAN, GT_FLOAT64));
    return true;
}
/* Another fit, with variables of its own, inside the first one's iteration. */
static bool solve_within(void *context, const gt_SolverProgress *progress)
{
    watch(context, progress);
    Line inner = line();
    gt_Solution *s = gt_least_squares(line_residual, &inner, gt_tensors(inner.slope, inner.offset));
    bool right = s && gt_solution_report(s).converged;
    gt_solution_free(s);
    free_line(&inner);
    return right;
}
static bool freeze(void *context, const gt_SolverProgress *progress)
{
    Line *line = context;
    watch(context, progress);
    gt_variable_set_trainable(line->offset, false);
    return true;
}
static bool fail(void *context, const gt_SolverProgress *progress)
{
    watch(context, progress);
    gt_fail(GT_INVALID, "enough of that");
    return true;
}

/* What a callback assigns is undone, also after the last iteration: same bits as with one that only looks. What it does besides,
 * fits of others and flags, changes nothing either; its error is that of the fit. */
Test(solver_edges, callbacks)
{
    for (int way = 0; way < WAYS; way++) {
        Line plain = line();
        gt_Solution *fit = fit_line(way, &plain, watch);
        ok();
        cr_assert(gt_solution_report(fit).converged && plain.calls > 2);
        cr_assert(plain.seen[0] == gt_item(plain.slope) && plain.seen[1] == gt_item(plain.offset));
        gt_solution_free(fit);
        gt_SolverCallback others[] = {meddle, solve_within, freeze};
        for (int k = 0; k < COUNT(others); k++) {
            Line other = line();
            fit = fit_line(way, &other, others[k]);
            ok();
            cr_assert(
                gt_item(other.slope) == gt_item(plain.slope) &&
                    gt_item(other.offset) == gt_item(plain.offset) && other.calls == plain.calls,
                "way %d, callback %d: %.17g %.17g, not %.17g %.17g", way, k, gt_item(other.slope),
                gt_item(other.offset), gt_item(plain.slope), gt_item(plain.offset));
            gt_solution_free(fit);
            free_line(&other);
        }
        Line other = line();
        refused(fit_line(way, &other, fail), GT_INVALID, "enough of that");
        cr_assert(other.calls == 1 && other.seen[0] == gt_item(other.slope));
        free_line(&other);
        free_line(&plain);
    }
}

/* ---- infinite derivatives at a bound ---- */

typedef struct Root {
    gt_Variable *x, *a;
    double shift; /* of sqrt(x): the minimum is where sqrt(x) = -shift, or at 0 */
} Root;

static gt_Status root_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    const Root *root = context;
    gt_Tensor *first = gt_add(gt_sqrt(root->x), root->shift),
              *second = gt_subtract(gt_square(root->a), 2);
    out[0] = gt_stack(gt_tensors(first, second, gt_multiply(gt_sqrt(root->x), 0.5)));
    return gt_status();
}
static gt_Status root_loss(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    root_residual(context, in, out);
    out[0] = gt_multiply(gt_sum(gt_square(out[0])), 0.5);
    return gt_status();
}

static gt_Solution *fit_root(int method, Root *root)
{
    const gt_Tensors both = gt_tensors(root->x, root->a);
    gt_Tensor *lower = gt_array64(gt_shape(2), 0, -INFINITY);
    return method == 0 ? gt_least_squares(root_residual, root, both, .lower = lower)
           : method == 1
               ? gt_least_squares(root_residual, root, both, .lower = lower, .geodesic = true)
           : method == 2 ? gt_least_squares(root_residual, root, both, .lower = lower,
                                            .loss = GT_ROBUST_LOSS_SOFT_L1)
                         : gt_lbfgs(root_loss, root, both, .lower = lower);
}

/* sqrt(x) over x >= 0. Where the slope presses against the bound, x ends there, or as good as; where it points inside, x comes back
 * from there; a start there is an error that names x. */
Test(solver_edges, infinite_derivatives)
{
    for (int method = 0; method < 4; method++) {
        Root root = {number(3, "x"), number(1, "a"), 1};
        gt_Solution *fit = fit_root(method, &root);
        ok();
        gt_SolverReport report = gt_solution_report(fit);
        cr_assert(report.converged && gt_item(root.x) >= 0 && gt_item(root.x) < 1e-12,
                  "%d: %s, x %g", method, report.message, gt_item(root.x));
        near(gt_item(root.a), sqrt(2), 1e-7);
        if (method < 3) {
            cr_assert(report.at_bounds == 1 && report.rank == 1 && gt_item(root.x) < 1e-18);
            cr_assert(gt_item(gt_standard_errors(fit, root.x)) == 0 &&
                      gt_item(gt_standard_errors(fit, root.a)) > 0);
        }
        gt_solution_free(fit);
        /* the minimum is inside, and the first full step ends at the bound */
        root.shift = -0.5;
        gt_assign(root.x, gt_scalar(0.9, GT_FLOAT64));
        fit = fit_root(method, &root);
        ok();
        report = gt_solution_report(fit);
        cr_assert(report.converged && report.at_bounds == 0, "%d: %s", method, report.message);
        if (method != 2)
            near(gt_item(root.x), 0.16, 1e-6);
        gt_solution_free(fit);
        gt_assign(root.x, gt_scalar(0, GT_FLOAT64));
        gt_assign(root.a, gt_scalar(1, GT_FLOAT64));
        refused(fit_root(method, &root), GT_NUMERIC,
                method == 3 ? "element 0 of the gradient, by x, is"
                            : "by x is NaN or infinite at the start, where the residuals are "
                              "finite; start elsewhere, "
                              "inside the bounds");
        cr_assert(gt_item(root.x) == 0 && gt_item(root.a) == 1);
        gt_variable_free(root.x);
        gt_variable_free(root.a);
    }
}

static gt_Status bare_root(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    const Root *root = context;
    gt_Tensor *first = gt_sqrt(gt_subtract(root->x, 1));
    out[0] = gt_stack(gt_tensors(gt_multiply(first, 2), gt_add(first, root->shift)));
    return gt_status();
}

/* Without bounds there is nothing to hold x: steps beyond the domain, and onto its edge, are too long. */
Test(solver_edges, edge_of_the_domain)
{
    Root root = {number(4, "x"), NULL, -1};
    gt_Solution *fit = gt_least_squares(bare_root, &root, gt_tensors(root.x));
    ok();
    cr_assert(gt_solution_report(fit).converged);
    near(gt_item(root.x), 1.04, 1e-7); /* 5 s^2 - 2 s + 1, s = 0.2 */
    gt_solution_free(fit);
    gt_variable_free(root.x);
}

/* ---- weights ---- */

Test(solver_edges, weights)
{
    Line d = line();
    const gt_Tensors both = gt_tensors(d.slope, d.offset);
    refused(gt_least_squares(line_residual, &d, both, .weights = gt_scalar(0, GT_FLOAT64)),
            GT_INVALID,
            "at least as many residuals as parameters (got 5, 5 of them of weight 0, and 2)");
    refused(gt_least_squares(line_residual, &d, both,
                             .weights = gt_array64(gt_shape(5), 0, 1, 0, 0, 0)),
            GT_INVALID, "(got 5, 4 of them of weight 0, and 2)");
    cr_assert(gt_item(d.slope) == 0.1 && gt_item(d.offset) == 0);
    /* Two are enough for a fit, and too few for a variance. */
    gt_Solution *fit = gt_least_squares(line_residual, &d, both,
                                        .weights = gt_array64(gt_shape(5), 0, 1, 0, 4, 0));
    ok();
    gt_SolverReport report = gt_solution_report(fit);
    cr_assert(report.converged && report.degrees_of_freedom == 0 && isnan(report.variance));
    refused(gt_covariance(fit), GT_NUMERIC, "no degrees of freedom");
    gt_solution_free(fit);
    free_line(&d);
}

/* ---- robust losses, bounds and covariance together ---- */

/* A parameter that a bound holds counts as one that was never fitted. */
Test(solver_edges, robust_in_a_box)
{
    const gt_RobustLoss losses[] = {GT_ROBUST_LOSS_HUBER, GT_ROBUST_LOSS_SOFT_L1,
                                    GT_ROBUST_LOSS_CAUCHY, GT_ROBUST_LOSS_ARCTAN};
    gt_Tensor *sigma = gt_array64(gt_shape(5), 0.1, 0.2, 0.1, 0.3, 0.2);
    for (int k = 0; k < COUNT(losses); k++) {
        Line held = line(), frozen = line();
        gt_assign(frozen.offset, gt_scalar(1.5, GT_FLOAT64));
        gt_variable_set_trainable(frozen.offset, false);
        gt_Solution *a = gt_least_squares(line_residual, &held, gt_tensors(held.slope, held.offset),
                                          .sigma = sigma, .loss = losses[k], .margin = 10,
                                          .lower = gt_array64(gt_shape(2), -INFINITY, 1.5));
        gt_Solution *b =
            gt_least_squares(line_residual, &frozen, gt_tensors(frozen.slope, frozen.offset),
                             .sigma = sigma, .loss = losses[k], .margin = 10);
        ok();
        gt_SolverReport ra = gt_solution_report(a), rb = gt_solution_report(b);
        cr_assert(ra.at_bounds == 1 && ra.degrees_of_freedom == rb.degrees_of_freedom &&
                      ra.rank == 1 && ra.converged && rb.converged,
                  "loss %d: %s; %s", k, ra.message, rb.message);
        near(gt_item(held.slope), gt_item(frozen.slope), 1e-6);
        near(ra.loss, rb.loss, 1e-12);
        near(gt_item(gt_standard_errors(a, held.slope)),
             gt_item(gt_standard_errors(b, frozen.slope)), 1e-5);
        cr_assert(gt_element(gt_covariance(a), 1) == 0 && gt_element(gt_covariance(a), 3) == 0);
        gt_solution_free(a);
        gt_solution_free(b);
        free_line(&held);
        free_line(&frozen);
    }
}

/* ---- shapes ---- */

static gt_Status any_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    gt_Variable *const *x = context;
    out[0] =
        gt_concatenate(gt_tensors(gt_reshape(gt_subtract(x[0], 3), gt_shape(1)),
                                  gt_reshape(gt_subtract(gt_multiply(x[1], 2), 5), gt_shape(-1)),
                                  gt_reshape(x[2], gt_shape(-1))));
    return gt_status();
}
static gt_Status any_loss(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    any_residual(context, in, out);
    out[0] = gt_sum(gt_square(out[0]));
    return gt_status();
}

/* Ranks 0 and 2, and a variable without elements, which is left out; one alone is nothing to fit. */
Test(solver_edges, shapes)
{
    gt_Variable *x[3] = {
        number(1, "x"),
        gt_variable(gt_zeros(gt_shape(2, 3), .dtype = GT_FLOAT64), .name = "matrix"),
        gt_variable(gt_zeros(gt_shape(0, 4), .dtype = GT_FLOAT64), .name = "empty")};
    const gt_Tensors all = {(gt_Tensor *const *)x, 3};
    for (int method = 0; method < 3; method++) {
        gt_assign(x[0], gt_scalar(1, GT_FLOAT64));
        gt_Solution *fit = method == 0   ? gt_least_squares(any_residual, x, all)
                           : method == 1 ? gt_lbfgs(any_loss, x, all)
                                         : gt_newton_cg(any_loss, x, all);
        ok();
        cr_assert(gt_solution_report(fit).parameters == 7 && gt_solution_report(fit).converged);
        near(gt_item(x[0]), 3, 1e-7);
        for (int i = 0; i < 6; i++)
            near(gt_element(x[1], i), 2.5, 1e-7);
        gt_solution_free(fit);
    }
    refused(gt_lbfgs(any_loss, x, gt_tensors(x[2])), GT_INVALID,
            "none of the 1 variables is trainable and has elements");
    for (int i = 0; i < 3; i++)
        gt_variable_free(x[i]);
}
