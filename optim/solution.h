/* What the solvers have in common: gt_least_squares, gt_lbfgs and gt_newton_cg fit float64 variables, with exact derivatives
 * by the tape, until nothing more is to be gained. This is what they return: why it ended, how good it is, and, for least
 * squares, how well the variables are known.
 *
 *     gt_Solution *fit = gt_least_squares(residual, &decay, gt_tensors(rate, offset), .sigma = errors);
 *     printf("%s", gt_solution_text(fit));
 *     gt_Tensor *error = gt_standard_errors(fit, rate);
 */
#ifndef GT_OPTIM_SOLUTION_H
#define GT_OPTIM_SOLUTION_H

#include "core/body.h"
#include "core/keyword.h"
#include "core/tensor.h"
#include "core/variable.h"

GT_BEGIN

/* It is freed with the context, or by gt_solution_free. It keeps the variables alive, and no tensor that it was given. */
typedef struct gt_Solution gt_Solution;

/* Why a solver ended. The first five say that it arrived; what comes after them is no error either: the variables are the
 * best that it found. */
typedef enum gt_Stop {
    GT_STOP_GRADIENT,    /* gtol: the slope is 0 to this tolerance */
    GT_STOP_STEP,        /* xtol: the variables no longer change */
    GT_STOP_VALUE,       /* ftol: the loss no longer changes */
    GT_STOP_ZERO,        /* every residual is 0 */
    GT_STOP_ROUNDING,    /* no step that double precision can tell from none makes it better */
    GT_STOP_ITERATIONS,  /* max_iterations */
    GT_STOP_EVALUATIONS, /* max_evaluations */
    GT_STOP_CALLBACK,    /* the callback returned false */
    GT_STOP_NO_PROGRESS /* no better point was found, though the slope is not 0: derivatives that jump, or a loss without a
                            minimum */
} gt_Stop;

/* How far a solver is. */
typedef struct gt_SolverProgress {
    int64_t iterations, evaluations;
    double loss; /* of least squares half the sum of squares (of rho where the loss is robust) */
    double
        gradient_norm; /* the largest element of the gradient; at a bound, of what may still move */
    double step_norm;  /* the Euclidean length of the last step; 0 before the first */
} gt_SolverProgress;
/* Called after every iteration, at the point that was accepted: the variables have its elements, and what is assigned to them is undone.
 * false ends the solver. */
typedef bool (*gt_SolverCallback)(void *context, const gt_SolverProgress *progress);

/* Why a solver ended, and what it found. */
typedef struct gt_SolverReport {
    gt_Stop stop;
    bool converged;      /* stop is one of the first five */
    const char *message; /* `stop` as a sentence; static */
    int64_t iterations;
    int64_t evaluations; /* of the function alone */
    int64_t derivatives; /* of the Jacobian, or of the gradient with the function */
    int64_t hessian_products;
    int64_t parameters;                    /* elements of all variables that were fitted */
    int64_t at_bounds;                     /* how many of them a bound holds */
    double loss, gradient_norm, step_norm; /* as in gt_SolverProgress */
    /* Of gt_least_squares; else 0. */
    int64_t residuals;
    int64_t degrees_of_freedom; /* residuals of weight > 0 - parameters that no bound holds */
    int64_t
        rank; /* of the Jacobian at the solution, without what bounds hold; columns scaled to length 1 */
    double
        condition; /* of the same: largest by smallest singular value; infinite if the rank is deficient */
    double sum_of_squares; /* of the residuals, by sigma where that is given */
    double
        variance; /* 2 loss / degrees_of_freedom: reduced chi-square; NaN without degrees of freedom */
} gt_SolverReport;
/* All zero on failure. */
#define gt_solution_report(solution) gt_solution_report_at(GT_HERE, solution)
GT_API gt_SolverReport gt_solution_report_at(const char *here, const gt_Solution *solution);
/* The report as text for people: why it ended, the loss, and of least squares a line for each parameter with its standard
 * error; at most 100 of them. Owned by the solution and valid until its next text; "" on failure. */
#define gt_solution_text(solution) gt_solution_text_at(GT_HERE, solution)
GT_API const char *gt_solution_text_at(const char *here, gt_Solution *solution);
/* Drops the caller's hold. NULL is ignored. */
GT_API void gt_solution_free(gt_Solution *solution);

/* The options that every solver has. Tolerances are relative and may be 0; a solver also ends where rounding hides all
 * progress. */
#define GT_SOLVER_COMMON(F, S, iterations)                                                         \
    F(S, gt_Tensors, inputs, GT_NOT_GIVEN, "given to the function, at most 64")                    \
    F(S, int64_t, max_iterations, iterations, "accepted steps; >= 0")                              \
    F(S, int64_t, max_evaluations, GT_NONE, "of the function; GT_NONE: no limit")                  \
    F(S, gt_SolverCallback, callback, NULL, "called after every iteration")                        \
    F(S, void *, context, NULL, "given to the callback")
/* Of those that minimize a loss by its gradients. */
#define GT_MINIMIZER_COMMON(F, S, iterations)                                                      \
    F(S, double, ftol, 0, "ends where the loss falls by less, relatively to it")                   \
    F(S, double, xtol, 0, "ends where a step is shorter than this by the length of the variables") \
    F(S, double, gtol, 1e-8,                                                                       \
      "ends where no element of the gradient that no bound holds is above this; times the "        \
      "largest one at the start if that is below 1")                                               \
    GT_SOLVER_COMMON(F, S, iterations)

GT_END

#endif
