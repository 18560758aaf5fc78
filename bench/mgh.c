/* The 35 problems of Moré, Garbow and Hillstrom in 42 sizes: iterations and evaluations of the three solvers, beside GSL's
 * multifit_nlinear (trust region, Levenberg-Marquardt) and multimin (vector_bfgs2), which get residuals, Jacobians and gradients
 * from the same plans. The last columns say how long one evaluation of each kind takes.
 *
 * A number of iterations in brackets: it did not end at a published minimum, nor where the slope is below 1e-8. */
#include "autodiff/columns.h"
#include "tests/mgh.h"

#include <stdio.h>
#include <time.h>

#ifdef GT_HAVE_GSL
#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_multimin.h>
#endif

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A problem as plans that somebody else calls. */
typedef struct Host {
    MghFit fit;
    gt_Function *residual, *jacobian, *both;
} Host;

static gt_Status residual_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return mgh_residual(&((Host *)context)->fit, in, out);
}
static gt_FunctionOf function_of(Host *host, gt_FunctionBody body)
{
    return (gt_FunctionOf){.body = body,
                           .user = &host->fit,
                           .variables = {&host->fit.x, 1},
                           .elements = host->fit.problem->n};
}
static gt_Status jacobian_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    gt_FunctionOf of = function_of(context, mgh_residual);
    gt_Tensor *r;
    return gt_jacobian_columns(gt_context(), &of, GT_JACOBIAN_PASSES_CHEAPER, &r, &out[0]);
}
static gt_Status both_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    gt_FunctionOf of = function_of(context, mgh_loss);
    return gt_gradient_packed(gt_context(), &of, &out[0], &out[1]);
}

static void begin(Host *host, const Mgh *problem)
{
    host->fit = (MghFit){
        problem,
        gt_variable(gt_from_data(problem->start, gt_shape(problem->n), GT_FLOAT64), .name = "x")};
    host->residual = gt_function(residual_body, host);
    host->jacobian = gt_function(jacobian_body, host);
    host->both = gt_function(both_body, host, .outputs = 2);
}
static void end(Host *host)
{
    gt_function_free(host->residual);
    gt_function_free(host->jacobian);
    gt_function_free(host->both);
    gt_variable_free(host->fit.x);
}

/* Runs a plan at x and copies an output. */
static void call(Host *host, gt_Function *function, const double *x, int which, double *into,
                 int64_t count)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *out[2];
    gt_variable_set(host->fit.x, x, (size_t)host->fit.problem->n * sizeof(double));
    if (gt_function_call(function, ((gt_Tensors){NULL, 0}), out) == GT_OK)
        memcpy(into, gt_float64_data(out[which]), (size_t)count * sizeof(double));
    gt_scope_end(scope);
}

/* Microseconds of one call, the least of many. */
static double time_of(Host *host, gt_Function *function, int64_t count)
{
    static double into[65 * 12];
    double least = 1e9;
    for (int i = 0; i < 200; i++) {
        double first = now();
        call(host, function, host->fit.problem->start, 0, into, count);
        double took = (now() - first) * 1e6;
        least = took < least ? took : least;
    }
    return least;
}

static bool solved(const Mgh *problem, double loss, double slope)
{
    for (int k = 0; k < 2; k++) {
        double minimum = isnan(problem->minimum[k]) ? problem->published[k] : problem->minimum[k];
        if (isfinite(problem->published[k]) &&
            (minimum == 0 ? loss < 1e-13
                          : fabs(loss / minimum - 1) < (isnan(problem->minimum[k]) ? 1e-5 : 1e-8)))
            return true;
    }
    return slope < 1e-8;
}

static double slope_at(Host *host, const double *x, double *loss)
{
    double g[12], largest = 0;
    call(host, host->both, x, 0, loss, 1);
    call(host, host->both, x, 1, g, host->fit.problem->n);
    for (int i = 0; i < host->fit.problem->n; i++)
        largest = fmax(largest, fabs(g[i]));
    return largest;
}

typedef struct Result {
    int64_t iterations, evaluations, derivatives;
    bool solved;
} Result;

static Result ours(Host *host, int method)
{
    const Mgh *problem = host->fit.problem;
    gt_Tensors x = {&host->fit.x, 1};
    gt_variable_set(host->fit.x, problem->start, (size_t)problem->n * sizeof(double));
    gt_Solution *s = method == 0   ? gt_least_squares(mgh_residual, &host->fit, x)
                     : method == 1 ? gt_lbfgs(mgh_loss, &host->fit, x, .gtol = 1e-10)
                                   : gt_newton_cg(mgh_loss, &host->fit, x, .gtol = 1e-10);
    gt_SolverReport r = gt_solution_report(s);
    double loss, slope = slope_at(host, gt_float64_data(host->fit.x), &loss);
    gt_solution_free(s);
    return (Result){r.iterations, r.evaluations, method == 2 ? r.hessian_products : r.derivatives,
                    solved(problem, loss, slope)};
}

#ifdef GT_HAVE_GSL
static int gsl_residual(const gsl_vector *x, void *user, gsl_vector *f)
{
    Host *host = user;
    call(host, host->residual, x->data, 0, f->data, host->fit.problem->m);
    return GSL_SUCCESS;
}
static int gsl_jacobian(const gsl_vector *x, void *user, gsl_matrix *j)
{
    Host *host = user;
    double columns[65 * 12];
    int n = host->fit.problem->n, m = host->fit.problem->m;
    call(host, host->jacobian, x->data, 0, columns, (int64_t)n * m);
    for (int i = 0; i < m; i++)
        for (int k = 0; k < n; k++)
            gsl_matrix_set(j, (size_t)i, (size_t)k, columns[k * m + i]);
    return GSL_SUCCESS;
}
static Result multifit(Host *host)
{
    const Mgh *problem = host->fit.problem;
    size_t n = (size_t)problem->n, m = (size_t)problem->m;
    gsl_multifit_nlinear_parameters parameters = gsl_multifit_nlinear_default_parameters();
    gsl_multifit_nlinear_fdf fdf = {
        .f = gsl_residual, .df = gsl_jacobian, .n = m, .p = n, .params = host};
    gsl_vector_const_view start = gsl_vector_const_view_array(problem->start, n);
    gsl_multifit_nlinear_workspace *work =
        gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &parameters, m, n);
    int info = 0;
    gsl_multifit_nlinear_init(&start.vector, &fdf, work);
    gsl_multifit_nlinear_driver(1000, 1e-12, 1e-14, 0, NULL, NULL, &info, work);
    double loss, slope = slope_at(host, work->x->data, &loss);
    Result result = {(int64_t)gsl_multifit_nlinear_niter(work), (int64_t)fdf.nevalf,
                     (int64_t)fdf.nevaldf, solved(problem, loss, slope)};
    gsl_multifit_nlinear_free(work);
    return result;
}

typedef struct Counted {
    Host *host;
    int64_t evaluations;
} Counted;

static double gsl_loss(const gsl_vector *x, void *user)
{
    Counted *counted = user;
    double loss = NAN;
    counted->evaluations++;
    call(counted->host, counted->host->both, x->data, 0, &loss, 1);
    return loss;
}
static void gsl_gradient(const gsl_vector *x, void *user, gsl_vector *g)
{
    Counted *counted = user;
    call(counted->host, counted->host->both, x->data, 1, g->data, counted->host->fit.problem->n);
}
static void gsl_both(const gsl_vector *x, void *user, double *loss, gsl_vector *g)
{
    *loss = gsl_loss(x, user);
    gsl_gradient(x, user, g);
}
static Result multimin(Host *host)
{
    const Mgh *problem = host->fit.problem;
    size_t n = (size_t)problem->n;
    Counted counted = {host, 0};
    gsl_multimin_function_fdf fdf = {gsl_loss, gsl_gradient, gsl_both, n, &counted};
    gsl_vector_const_view start = gsl_vector_const_view_array(problem->start, n);
    gsl_multimin_fdfminimizer *work =
        gsl_multimin_fdfminimizer_alloc(gsl_multimin_fdfminimizer_vector_bfgs2, n);
    double norm = gsl_blas_dnrm2(&start.vector);
    gsl_multimin_fdfminimizer_set(work, &fdf, &start.vector, norm > 0 ? 0.01 * norm : 0.01, 0.1);
    int64_t iterations = 0;
    while (iterations < 10000 && gsl_multimin_fdfminimizer_iterate(work) == GSL_SUCCESS) {
        iterations++;
        if (gsl_multimin_test_gradient(work->gradient, 1e-10) == GSL_SUCCESS)
            break;
    }
    double loss, slope = slope_at(host, work->x->data, &loss);
    gsl_multimin_fdfminimizer_free(work);
    return (Result){iterations, counted.evaluations, counted.evaluations,
                    solved(problem, loss, slope)};
}
#endif

static int print_result(Result r, bool derivatives)
{
    char text[32];
    snprintf(text, sizeof text, r.solved ? "%lld" : "(%lld)", (long long)r.iterations);
    if (derivatives)
        printf(" %7s/%lld/%lld", text, (long long)r.evaluations, (long long)r.derivatives);
    else
        printf(" %7s/%lld", text, (long long)r.evaluations);
    printf("\t");
    return r.solved;
}

int main(void)
{
    int good[5] = {0, 0, 0, 0, 0};
#ifdef GT_HAVE_GSL
    gsl_set_error_handler_off();
#endif
    printf("iterations/evaluations/derivatives (Newton-CG: Hessian products)\n%-26s %s\n",
           "problem",
           "least_squares\t| multifit\t| lbfgs\t| multimin\t| newton_cg\t| us: residual, Jacobian, "
           "gradient");
    for (int i = 0; i < COUNT(mgh_problems); i++) {
        const Mgh *problem = &mgh_problems[i];
        gt_Scope *scope = gt_scope_begin();
        Host host;
        begin(&host, problem);
        printf("%-26s", problem->name);
        good[0] += print_result(ours(&host, 0), true);
#ifdef GT_HAVE_GSL
        good[1] += print_result(multifit(&host), true);
#endif
        good[2] += print_result(ours(&host, 1), false);
#ifdef GT_HAVE_GSL
        good[3] += print_result(multimin(&host), false);
#endif
        good[4] += print_result(ours(&host, 2), true);
        printf(" %.1f %.1f %.1f\n", time_of(&host, host.residual, problem->m),
               time_of(&host, host.jacobian, (int64_t)problem->n * problem->m),
               time_of(&host, host.both, 1));
        if (gt_status() != GT_OK)
            printf("%s\n", gt_error_message());
        gt_error_clear();
        end(&host);
        gt_scope_end(scope);
    }
    printf("solved: least_squares %d, multifit %d, lbfgs %d, multimin %d, newton_cg %d of %d\n",
           good[0], good[1], good[2], good[3], good[4], COUNT(mgh_problems));
#ifndef GT_HAVE_GSL
    printf("GSL was not found when this was built (Debian: libgsl-dev)\n");
#endif
    gt_context_free(NULL);
    return 0;
}
