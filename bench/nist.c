/* The 27 problems of NIST's nonlinear regression, from both starting points: digits that parameters, residual sum of squares and
 * standard deviations have in common with the certified values (at most 11, as many as are certified). Beside it what
 * SGD and Adam reach from the second start in as many passes over the data as are given.
 *
 *     nist [FOLDER] [--geodesic] [--passes N]
 */
#include "tests/nist.h"

#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Digits of the worst parameter after `steps` steps of an optimizer. */
static double train(const Nist *problem, gt_Optimizer *optimizer, int steps)
{
    gt_Scope *scope = gt_scope_begin();
    NistFit fit;
    nist_begin(&fit, problem, 1);
    for (int i = 0; i < steps && gt_status() == GT_OK; i++) {
        gt_Tape *tape = gt_tape_begin();
        gt_Tensor *r = NULL;
        nist_residual(&fit, NULL, &r);
        gt_minimize(optimizer, tape, gt_mean(gt_square(r)),
                    ((gt_Tensors){fit.b, problem->parameters}));
        gt_tape_end(tape);
    }
    double worst = 11;
    for (int i = 0; i < problem->parameters; i++)
        worst = fmin(worst, nist_digits(gt_item(fit.b[i]), problem->value[i]));
    gt_optimizer_free(optimizer);
    nist_end(&fit);
    gt_scope_end(scope);
    return worst;
}

int main(int count, char **arguments)
{
    const char *folder = "tests/data/nist";
    bool geodesic = false;
    int passes = 1000, solved = 0, deviations = 0;
    gt_StepScale scale = GT_STEP_SCALE_LARGEST;
    double radius = 1;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--geodesic") == 0)
            geodesic = true;
        else if (strcmp(arguments[i], "--passes") == 0 && i + 1 < count)
            passes = atoi(arguments[++i]);
        else if (strcmp(arguments[i], "--radius") == 0 && i + 1 < count)
            radius = atof(arguments[++i]);
        else if (strcmp(arguments[i], "--present") == 0)
            scale = GT_STEP_SCALE_PRESENT;
        else
            folder = arguments[i];
    }
    printf("                 digits of            ------ as many as ------\n"
           "problem   start  parameters  RSS   SD  iterations  evaluations     us   condition  "
           "ended\n");
    static Nist problem;
    for (int p = 0; p < NIST_PROBLEMS; p++) {
        if (!nist_read(&problem, p, folder))
            return 1;
        for (int start = 0; start < 2; start++) {
            gt_Scope *scope = gt_scope_begin();
            NistFit fit;
            nist_begin(&fit, &problem, start);
            double begin = now();
            gt_Solution *solution =
                gt_least_squares(nist_residual, &fit, ((gt_Tensors){fit.b, problem.parameters}),
                                 .geodesic = geodesic, .scale = scale, .radius = radius);
            double took = now() - begin, parameters = 11, deviation = 11;
            gt_SolverReport report = gt_solution_report(solution);
            for (int i = 0; solution && i < problem.parameters; i++)
                parameters = fmin(parameters, nist_digits(gt_item(fit.b[i]), problem.value[i]));
            for (int i = 0; solution && i < problem.parameters && gt_status() == GT_OK; i++)
                deviation =
                    fmin(deviation, nist_digits(gt_item(gt_standard_errors(solution, fit.b[i])),
                                                problem.deviation[i]));
            if (gt_status() != GT_OK) {
                printf("%s\n", gt_error_message());
                gt_error_clear();
                deviation = 0;
                if (!solution)
                    parameters = 0;
            }
            solved += parameters >= 8;
            deviations += deviation >= 8;
            printf("%-10s  %d %11.1f %6.1f %4.1f %9lld %11lld %9.0f   %8.1e  %s\n", problem.name,
                   start + 1, parameters,
                   nist_digits(report.sum_of_squares, problem.sum_of_squares), deviation,
                   (long long)report.iterations, (long long)report.evaluations, took * 1e6,
                   report.condition, report.message ? report.message : "error");
            gt_solution_free(solution);
            nist_end(&fit);
            gt_scope_end(scope);
        }
    }
    printf("\n%d of %d with 8 digits in every parameter, %d in every standard deviation\n\n",
           solved, 2 * NIST_PROBLEMS, deviations);
    printf("Digits of the worst parameter after %d steps from start 2:\nproblem      SGD(1e-3)   "
           "Adam(1e-2)\n",
           passes);
    for (int p = 0; passes > 0 && p < NIST_PROBLEMS; p++) {
        nist_read(&problem, p, folder);
        printf("%-12s %8.1f %12.1f\n", problem.name, train(&problem, gt_SGD(1e-3), passes),
               train(&problem, gt_Adam(1e-2), passes));
        gt_error_clear();
    }
    gt_context_free(NULL);
    return 0;
}
