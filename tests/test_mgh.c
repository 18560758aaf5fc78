/* The 35 problems of Moré, Garbow and Hillstrom: gradients and Hessian products against JAX, and what each solver makes of
 * them. */
#include "data_files.h"
#include "autodiff/columns.h"
#include "mgh.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

static double norm(int n, const double *x)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum = hypot(sum, x[i]);
    return sum;
}

static MghFit begin_at(const Mgh *problem, const double *at)
{
    return (MghFit){problem,
                    gt_variable(gt_from_data(at, gt_shape(problem->n), GT_FLOAT64), .name = "x")};
}

/* The largest error by the norm of the vector. */
static double error_of(gt_Tensor *found, const double *expected, int n)
{
    double worst = 0;
    const double *data = gt_float64_data(found);
    ok();
    for (int i = 0; i < n; i++)
        worst = fmax(worst, fabs(data[i] - expected[i]));
    return worst / norm(n, expected);
}

Test(mgh, derivatives)
{
    double worst = 0;
    for (int i = 0; i < COUNT(mgh_problems); i++) {
        gt_Scope *scope = gt_scope_begin();
        const Mgh *problem = &mgh_problems[i];
        MghFit fit = begin_at(problem, problem->at);
        gt_FunctionOf loss = {
            .body = mgh_loss, .user = &fit, .variables = gt_tensors(fit.x), .elements = problem->n};
        gt_FunctionOf residual = {.body = mgh_residual,
                                  .user = &fit,
                                  .variables = gt_tensors(fit.x),
                                  .elements = problem->n};
        gt_Tensor *value = NULL, *gradient = NULL, *r = NULL, *j[2];
        gt_gradient_packed(gt_context(), &loss, &value, &gradient);
        gt_Tensor *along = gt_from_data(problem->along, gt_shape(problem->n), GT_FLOAT64);
        gt_Tensor *product = gt_hessian_product_packed(gt_context(), &loss, along);
        ok();
        double errors[4] = {fabs(gt_item(value) / problem->loss - 1),
                            error_of(gradient, problem->gradient, problem->n),
                            error_of(product, problem->product, problem->n)};
        /* 2 J r is the gradient, in either mode; v' H v = 2 (|J v|^2 + r . curvature). */
        for (int mode = 0; mode < 2; mode++) {
            gt_jacobian_columns(gt_context(), &residual,
                                mode ? GT_JACOBIAN_PASSES_REVERSE : GT_JACOBIAN_PASSES_FORWARD, &r,
                                &j[mode]);
            cr_assert_eq(gt_size(r), problem->m);
            errors[3] = fmax(errors[3], error_of(gt_multiply(gt_matmul(j[mode], r), 2),
                                                 problem->gradient, problem->n));
        }
        gt_Tensor *bend = gt_curvature_along(gt_context(), &residual, along);
        double first = gt_item(gt_sum(gt_square(gt_matmul(along, j[0])))),
               second = gt_item(gt_sum(gt_multiply(r, bend)));
        double whole = gt_item(gt_sum(gt_multiply(along, product)));
        ok();
        cr_assert(fabs(2 * (first + second) - whole) <= 1e-11 * (fabs(first) + fabs(second)),
                  "%s: %g %g %g", problem->name, first, second, whole);
        for (int k = 0; k < 4; k++) {
            worst = fmax(worst, errors[k]);
            cr_assert(errors[k] <= 1e-12, "%s: %d: %g", problem->name, k, errors[k]);
        }
        gt_variable_free(fit.x);
        gt_scope_end(scope);
    }
    fprintf(stderr, "%d problems, largest error %.1e\n", COUNT(mgh_problems), worst);
}

/* Is it one of the published minima, to 1e-8, or another point where the slope is 0? */
static const char *judge(const Mgh *problem, double loss, double slope)
{
    for (int k = 0; k < 2; k++) {
        double minimum = isnan(problem->minimum[k]) ? problem->published[k] : problem->minimum[k];
        double allowed = isnan(problem->minimum[k]) ? 1e-5 : 1e-8;
        if (isfinite(problem->published[k]) &&
            (minimum == 0 ? loss < 1e-13 : fabs(loss / minimum - 1) < allowed))
            return k ? "the other published minimum" : "";
    }
    return slope < 1e-8 ? "slope below 1e-8 elsewhere" : NULL;
}

static void solve_all(const char *name, int method, int wanted)
{
    int solved = 0;
    for (int i = 0; i < COUNT(mgh_problems); i++) {
        gt_Scope *scope = gt_scope_begin();
        const Mgh *problem = &mgh_problems[i];
        MghFit fit = begin_at(problem, problem->start);
        gt_Solution *s = method == 0 ? gt_least_squares(mgh_residual, &fit, gt_tensors(fit.x))
                         : method == 1
                             ? gt_lbfgs(mgh_loss, &fit, gt_tensors(fit.x), .gtol = 1e-10)
                             : gt_newton_cg(mgh_loss, &fit, gt_tensors(fit.x), .gtol = 1e-10);
        ok();
        gt_SolverReport report = gt_solution_report(s);
        double loss = method == 0 ? report.sum_of_squares : report.loss;
        const char *which =
            judge(problem, loss, method == 0 ? 2 * report.gradient_norm : report.gradient_norm);
        solved += which != NULL;
        if (!which || *which)
            fprintf(stderr, "%s, %s: %.10g, slope %.1e, %lld iterations: %s (%s)\n", name,
                    problem->name, loss, report.gradient_norm, (long long)report.iterations,
                    which ? which : "NOT SOLVED", report.message);
        gt_solution_free(s);
        gt_variable_free(fit.x);
        gt_scope_end(scope);
    }
    fprintf(stderr, "%s: %d of %d\n", name, solved, COUNT(mgh_problems));
    cr_assert(solved >= wanted, "%s solved %d", name, solved);
}

Test(mgh, least_squares)
{
    solve_all("least squares", 0, COUNT(mgh_problems));
}
Test(mgh, lbfgs)
{
    solve_all("L-BFGS", 1, COUNT(mgh_problems));
}
Test(mgh, newton_cg)
{
    solve_all("Newton-CG", 2, COUNT(mgh_problems));
}
