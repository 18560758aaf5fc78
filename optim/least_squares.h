/* Nonlinear least squares: fits variables so that residuals, computed from them by operations, become as small as they can.
 * The method is Levenberg and Marquardt's, as a trust region (J. J. Moré, The Levenberg-Marquardt algorithm: implementation
 * and theory, 1978), with the exact Jacobian by the tape.
 *
 *     typedef struct { gt_Tensor *t, *y; gt_Variable *amount, *rate; } Decay;
 *
 *     static gt_Status residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
 *     {
 *         Decay *d = context;
 *         gt_Tensor *model = gt_multiply(d->amount, gt_exp(gt_negative(gt_multiply(d->rate, d->t))));
 *         out[0] = gt_subtract(model, d->y);
 *         return gt_status();
 *     }
 *
 *     gt_Solution *fit = gt_least_squares(residual, &d, gt_tensors(d.amount, d.rate));
 */
#ifndef GT_OPTIM_LEAST_SQUARES_H
#define GT_OPTIM_LEAST_SQUARES_H

#include "optim/solution.h"

GT_BEGIN

/* What a residual r costs, with z = (r / margin)^2: half of margin^2 rho(z). All but the first keep outliers from deciding
 * the fit; they are scipy's. */
typedef enum gt_RobustLoss {
    GT_ROBUST_LOSS_LINEAR,  /* z */
    GT_ROBUST_LOSS_HUBER,   /* z where z <= 1, else 2 sqrt(z) - 1 */
    GT_ROBUST_LOSS_SOFT_L1, /* 2 (sqrt(1 + z) - 1) */
    GT_ROBUST_LOSS_CAUCHY,  /* log(1 + z) */
    GT_ROBUST_LOSS_ARCTAN   /* arctan(z) */
} gt_RobustLoss;

/* In which metric the length of a step is limited. */
typedef enum gt_StepScale {
    GT_STEP_SCALE_LARGEST, /* by the largest length that each column of the Jacobian ever had: Moré's */
    GT_STEP_SCALE_PRESENT, /* by their present lengths: Marquardt's */
    GT_STEP_SCALE_NONE     /* as the parameters are: Levenberg's */
} gt_StepScale;

/* How the Jacobian of the residuals is computed. */
typedef enum gt_JacobianMode {
    GT_JACOBIAN_MODE_CHEAPER, /* whichever of the two takes less work */
    GT_JACOBIAN_MODE_FORWARD, /* a pass a parameter, over all residuals at once */
    GT_JACOBIAN_MODE_REVERSE  /* a pass a residual */
} gt_JacobianMode;

#define gt_least_squares_OPTIONS(F, S)                                                             \
    F(S, gt_Tensor *, sigma, NULL,                                                                 \
      "standard errors of the residuals, of their shape or broadcast; > 0")                        \
    F(S, gt_Tensor *, weights, NULL, "of the squares, instead of 1 / sigma^2; >= 0; 0: no datum")  \
    F(S, bool, absolute_sigma, false,                                                              \
      "sigma is known, not only up to a factor: it is not scaled by the reduced chi-square")       \
    F(S, gt_Tensor *, lower, NULL,                                                                 \
      "bounds, one a parameter in the order of the variables, or one for all")                     \
    F(S, gt_Tensor *, upper, NULL, "the same; -INFINITY and INFINITY where there is none")         \
    F(S, gt_RobustLoss, loss, GT_ROBUST_LOSS_LINEAR, "what a residual costs")                      \
    F(S, double, margin, 1, "from which size on a residual is an outlier to a robust loss; > 0")   \
    F(S, bool, geodesic, false, "second-order corrections of steps (Transtrum and Sethna)")        \
    F(S, gt_StepScale, scale, GT_STEP_SCALE_LARGEST, "metric of steps")                            \
    F(S, gt_JacobianMode, jacobian, GT_JACOBIAN_MODE_CHEAPER, "how derivatives are worked out")    \
    F(S, double, radius, 1, "first limit of a step, by the scaled length of the start; > 0")       \
    F(S, double, ftol, 1e-20, "ends where loss and predicted loss change by less, relatively")     \
    F(S, double, xtol, 1e-12,                                                                      \
      "ends where steps are shorter than this by the scaled length of the parameters")             \
    F(S, double, gtol, 1e-14,                                                                      \
      "ends where every cosine between the residuals and a column of the Jacobian is below it")    \
    GT_SOLVER_COMMON(F, S, 10000)
GT_OPTIONS(gt_least_squares_options, gt_least_squares_OPTIONS);

/* gt_least_squares(residual, context, variables, .sigma = errors, .lower = zero): changes the variables so that the loss,
 * half of sum(rho((residual / sigma)^2)), is least near where they start. `residual` computes out[0], float64 of any shape,
 * from in[...] (`inputs`) and the variables, by operations; it is traced and runs as a plan. The variables are float64, of any
 * shapes; those that are not trainable stay as they are. There are at least as many residuals, of weight above 0, as parameters.
 *
 * With bounds steps are projected onto them, and parameters that the slope presses against a bound rest there meanwhile
 * (D. P. Bertsekas, Projected Newton methods, 1982; C. Kanzow et al., 2004); a start outside is moved inside. Where a step ends on a
 * bound at which a derivative is infinite, as that of sqrt(x) at 0, the bound moves inside by 1e-20 of the step.
 *
 * A trial point where the loss is not finite is like one where it is worse. What is wrong from the start is an error: a
 * residual or derivative that is NaN or infinite, a wrong shape, bounds that cross. On an error, an interrupt too, the result
 * is NULL and the variables are the last accepted point. Needs LAPACK (OpenBLAS). */
#define gt_least_squares(...)                                                                      \
    gt_least_squares_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                    \
                        GT_THIRD(__VA_ARGS__),                                                     \
                        GT_KEYWORDS(gt_least_squares, GT_AFTER_3(__VA_ARGS__)))
GT_API gt_Solution *gt_least_squares_at(const char *here, gt_FunctionBody residual, void *context,
                                        gt_Tensors variables,
                                        const gt_least_squares_options *options);

/* ---- how well the parameters are known ---- */

/* The covariance of the parameters, float64 (n, n), in the order of the variables: (J' J)^-1 at the solution, J by sigma and
 * by the robust loss, times the reduced chi-square unless sigma is absolute. Rows and columns of parameters that a bound holds
 * are 0. An error that names parameters if the Jacobian is singular: then the data do not determine them. */
#define gt_covariance(solution) gt_covariance_at(GT_HERE, solution)
GT_API gt_Tensor *gt_covariance_at(const char *here, const gt_Solution *solution);
/* The square roots of its diagonal for one variable that was fitted, of its shape. */
#define gt_standard_errors(solution, variable) gt_standard_errors_at(GT_HERE, solution, variable)
GT_API gt_Tensor *gt_standard_errors_at(const char *here, const gt_Solution *solution,
                                        const gt_Variable *variable);

/* Handles of the innermost scope, NULL on failure. */
typedef struct gt_Band {
    gt_Tensor *value, *standard_error, *lower, *upper;
} gt_Band;

#define gt_confidence_interval_OPTIONS(F, S)                                                       \
    F(S, double, level, 0.95, "how probable it is that the truth is inside; in (0, 1)")
GT_OPTIONS(gt_confidence_interval_options, gt_confidence_interval_OPTIONS);
/* gt_confidence_interval(solution, variable, .level = 0.95): the variable as it was fitted, its standard error, and these
 * plus and minus t times it, t being Student's with the degrees of freedom of the fit, or normal if sigma is absolute. */
#define gt_confidence_interval(solution, ...)                                                      \
    gt_confidence_interval_at(GT_HERE, solution, GT_FIRST(__VA_ARGS__),                            \
                              GT_KEYWORDS(gt_confidence_interval, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Band gt_confidence_interval_at(const char *here, const gt_Solution *solution,
                                         const gt_Variable *variable,
                                         const gt_confidence_interval_options *options);

#define gt_confidence_band_OPTIONS(F, S)                                                           \
    F(S, gt_Tensors, inputs, GT_NOT_GIVEN, "given to the model: where the band is wanted")         \
    F(S, double, level, 0.95,                                                                      \
      "how probable it is that the truth is inside, at each point by itself; in (0, 1)")           \
    F(S, bool, prediction, false, "of a new measurement there instead of the model's mean")        \
    F(S, gt_Tensor *, sigma, NULL,                                                                 \
      "of that measurement, needed if the fit had sigma or weights; > 0, of the value's shape or " \
      "broadcast to it")
GT_OPTIONS(gt_confidence_band_options, gt_confidence_band_OPTIONS);
/* gt_confidence_band(solution, model, context, .inputs = gt_tensors(x)): what the model, a function of the fitted variables,
 * says at x, and between which limits it is known, to first order: value -+ t sqrt(g' C g), g being the model's derivative in
 * the parameters and C their covariance. A prediction adds the variance of one measurement: reduced chi-square times sigma^2,
 * or sigma^2 if sigma is absolute. The variables must still have the values of the solution. */
#define gt_confidence_band(solution, model, ...)                                                   \
    gt_confidence_band_at(GT_HERE, solution, model, GT_FIRST(__VA_ARGS__),                         \
                          GT_KEYWORDS(gt_confidence_band, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Band gt_confidence_band_at(const char *here, const gt_Solution *solution,
                                     gt_FunctionBody model, void *context,
                                     const gt_confidence_band_options *options);

GT_END

#endif
