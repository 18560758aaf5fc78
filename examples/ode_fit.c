/* Fits the parameters of a differential equation through its integrator, in float64.
 *
 * Hares and lynx (Lotka and Volterra):
 *
 *     dx/dt = a x - b x y          dy/dt = c x y - d y
 *
 * 200 steps of the classical Runge-Kutta method (RK4) are run from measured initial numbers; the
 * loss is the squared distance of the logarithms from observations, and its gradient in (a, b, c,
 * d) goes back through every step. The program compares that gradient with central differences,
 * then fits the parameters by Newton's method with the exact Hessian: gradients of gradients
 * through 200 steps.
 */
#include <math.h>
#include <stdio.h>

#include "gradtape.h"

enum { STEPS = 200, PARAMETERS = 4 };

static const double step_size = 0.05;
static const double true_parameters[PARAMETERS] = {1.1, 0.4, 0.1, 0.4};

/* The right-hand side at state (x, y). */
static gt_Tensor *slope(gt_Tensor *const *parameter, gt_Tensor *state)
{
    gt_Tensor *species[2];
    gt_split(state, 2, species);
    gt_Tensor *x = species[0], *y = species[1], *meetings = gt_multiply(x, y);
    gt_Tensor *dx = gt_subtract(gt_multiply(parameter[0], x), gt_multiply(parameter[1], meetings));
    gt_Tensor *dy = gt_subtract(gt_multiply(parameter[2], meetings), gt_multiply(parameter[3], y));
    return gt_concatenate(gt_tensors(dx, dy));
}

/* One step of RK4 as the body of a scan: the state is carried on, and also put out. Its parameters
 * are carried along unchanged. */
static gt_Status rk4(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_Tensor *s = in[0], *parameter[PARAMETERS];
    const double h = step_size;
    gt_split(in[1], PARAMETERS, parameter);
    gt_Tensor *k1 = slope(parameter, s);
    gt_Tensor *k2 = slope(parameter, gt_add(s, gt_multiply(k1, h / 2)));
    gt_Tensor *k3 = slope(parameter, gt_add(s, gt_multiply(k2, h / 2)));
    gt_Tensor *k4 = slope(parameter, gt_add(s, gt_multiply(k3, h)));
    gt_Tensor *sum = gt_add(gt_add(k1, k4), gt_multiply(gt_add(k2, k3), 2));
    out[0] = gt_add(s, gt_multiply(sum, h / 6));
    out[1] = in[1];
    out[2] = out[0];
    return gt_status();
}

/* The states after each step, (STEPS, 2). */
static gt_Tensor *trajectory(gt_Tensor *parameters)
{
    gt_Tensor *last[2], *states = NULL;
    gt_scan(rk4, NULL, gt_tensors(gt_array64(gt_shape(2), 10, 5), parameters),
            ((gt_Tensors){NULL, 0}), last, &states, .length = STEPS);
    return states;
}

/* The loss as a function of the parameters; `context` is the observations. */
static gt_Status misfit(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *observed = context;
    out[0] = gt_mean(gt_square(gt_subtract(gt_log(trajectory(in[0])), observed)));
    return gt_status();
}

static gt_Tensor *loss_at(gt_Tensor *observed, gt_Tensor *parameters)
{
    gt_Tensor *loss = NULL;
    misfit(observed, &parameters, &loss);
    return loss;
}

/* Measurements with 2 percent of noise. */
static gt_Tensor *observe(void)
{
    gt_Tensor *truth = gt_from_data(true_parameters, gt_shape(PARAMETERS), GT_FLOAT64);
    gt_Tensor *noise = gt_normal(gt_shape(STEPS, 2), .stddev = 0.02, .dtype = GT_FLOAT64,
                                 .generator = gt_generator(1));
    return gt_add(gt_log(trajectory(truth)), noise);
}

/* Gradient against central differences; the largest relative error. */
static double compare(gt_Tensor *observed, const double *at)
{
    gt_Variable *parameters = gt_variable(gt_from_data(at, gt_shape(PARAMETERS), GT_FLOAT64));
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *gradient = gt_gradient(tape, loss_at(observed, parameters), parameters);
    double worst = 0;
    printf("parameter   gradient              central difference\n");
    for (int i = 0; i < PARAMETERS; i++) {
        double value[2], moved[PARAMETERS];
        const double h = 1e-6;
        for (int side = 0; side < 2; side++) {
            gt_Scope *scope = gt_scope_begin();
            for (int k = 0; k < PARAMETERS; k++)
                moved[k] = at[k] + (k == i ? (side ? h : -h) : 0);
            value[side] =
                gt_item(loss_at(observed, gt_from_data(moved, gt_shape(PARAMETERS), GT_FLOAT64)));
            gt_scope_end(scope);
        }
        double exact = gt_element(gradient, i), difference = (value[1] - value[0]) / (2 * h);
        printf("%c           %-20.13g  %.13g\n", "abcd"[i], exact, difference);
        worst = fmax(worst, fabs(exact - difference) / fmax(1, fabs(exact)));
    }
    gt_tape_end(tape);
    gt_variable_free(parameters);
    return worst;
}

/* Solves (H + mu I) d = -g by Gaussian elimination with pivots; 4 unknowns. */
static void solve(const double *h, const double *g, double mu, double *d)
{
    double a[PARAMETERS][PARAMETERS + 1];
    for (int i = 0; i < PARAMETERS; i++) {
        for (int k = 0; k < PARAMETERS; k++)
            a[i][k] = h[i * PARAMETERS + k] + (i == k ? mu : 0);
        a[i][PARAMETERS] = -g[i];
    }
    for (int i = 0; i < PARAMETERS; i++) {
        int pivot = i;
        for (int r = i + 1; r < PARAMETERS; r++)
            if (fabs(a[r][i]) > fabs(a[pivot][i]))
                pivot = r;
        for (int k = 0; k <= PARAMETERS; k++) {
            double swapped = a[i][k];
            a[i][k] = a[pivot][k];
            a[pivot][k] = swapped;
        }
        for (int r = i + 1; r < PARAMETERS; r++)
            for (int k = PARAMETERS; k >= i; k--)
                a[r][k] -= a[r][i] / a[i][i] * a[i][k];
    }
    for (int i = PARAMETERS - 1; i >= 0; i--) {
        d[i] = a[i][PARAMETERS];
        for (int k = i + 1; k < PARAMETERS; k++)
            d[i] -= a[i][k] * d[k];
        d[i] /= a[i][i];
    }
}

/* Loss, gradient and, if wanted, Hessian at p. */
static double evaluate(gt_Tensor *observed, const double *p, double *g, double *h)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *at = gt_from_data(p, gt_shape(PARAMETERS), GT_FLOAT64);
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, at);
    gt_Tensor *loss = loss_at(observed, at);
    double value = gt_item(loss);
    gt_Tensor *gradient = g ? gt_gradient(tape, loss, at) : NULL;
    for (int i = 0; g && i < PARAMETERS; i++)
        g[i] = gt_element(gradient, i);
    gt_tape_end(tape);
    gt_Tensor *hessian = h ? gt_hessian(misfit, observed, at) : NULL;
    for (int i = 0; h && i < PARAMETERS * PARAMETERS; i++)
        h[i] = gt_element(hessian, i);
    gt_scope_end(scope);
    return value;
}

/* Newton's method, damped where a step does not help. */
static double fit(gt_Tensor *observed, double *p)
{
    double g[PARAMETERS], h[PARAMETERS * PARAMETERS], d[PARAMETERS], next[PARAMETERS];
    double mu = 1, loss = evaluate(observed, p, NULL, NULL);
    for (int round = 0; round < 60 && gt_status() == GT_OK; round++) {
        evaluate(observed, p, g, h);
        double steepest = 0;
        for (int i = 0; i < PARAMETERS; i++)
            steepest = fmax(steepest, fabs(g[i]));
        printf("round %2d   loss %.9f   largest slope %.2e\n", round, loss, steepest);
        if (steepest < 1e-10)
            break;
        for (bool better = false; !better && mu < 1e12;) {
            solve(h, g, mu, d);
            for (int i = 0; i < PARAMETERS; i++)
                next[i] = p[i] + d[i];
            double then = evaluate(observed, next, NULL, NULL);
            better = then <= loss; /* false for NaN as well */
            mu = better ? mu / 10 : mu * 4;
            for (int i = 0; better && i < PARAMETERS; i++)
                p[i] = next[i];
            loss = better ? then : loss;
        }
    }
    return loss;
}

int main(void)
{
    double p[PARAMETERS] = {1.0, 0.35, 0.12, 0.45};
    gt_Tensor *observed = observe();
    double error = compare(observed, p);
    printf("largest relative error of the gradient: %.1e\n\n", error);
    double loss = fit(observed, p);
    double off = 0;
    printf("\n     fitted      true\n");
    for (int i = 0; i < PARAMETERS; i++) {
        printf("%c    %.5f     %.5f\n", "abcd"[i], p[i], true_parameters[i]);
        off = fmax(off, fabs(p[i] / true_parameters[i] - 1));
    }
    if (gt_status() != GT_OK)
        fprintf(stderr, "%s\n", gt_error_message());
    bool good = gt_status() == GT_OK && error < 1e-8 && off < 0.02 && loss < 1e-3;
    printf("%s\n", good ? "the fit is good" : "the fit is not good");
    gt_context_free(NULL);
    return !good;
}
