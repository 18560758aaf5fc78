/* Least squares by Levenberg and Marquardt's method. Leans on solver.c, on autodiff/columns.c, on plans.
 *
 * Two plans do the work. `value` gives the loss at a trial point. `linear` gives what a step is made of at an accepted one: with
 * the residuals r and their Jacobian J, both by sigma and the robust loss, D the lengths of J's columns, and J D^-1 = U S V'
 *
 *     step(alpha) = -D^-1 V (S^2 + alpha)^-1 S U' r          alpha such that |D step| <= radius
 *
 * so alpha is found without touching a matrix again, a Jacobian without full rank needs no special case, and rank, condition
 * and covariance are read off at the end. One iteration:
 *
 *     linear -> [ alpha -> step -> projected onto the bounds -> value -> gain by predicted gain -> radius ] until it gains
 *
 * Radius and acceptance are MINPACK's (Moré, Garbow, Hillstrom, 1980). Parameters that the slope presses against a bound lose
 * their column of J for that iteration, so a step leaves them where they are.
 *
 * The end is decided by the predicted gain: the loss itself cannot tell points apart whose losses differ by rounding, and
 * parameters are known to half as many digits then. So full steps whose predicted gain is below what the loss shows are taken
 * unseen, as long as predicted gains go on shrinking. */
#include "optim/least_squares.h"
#include "optim/solver.h"
#include "ops/array/creation.h"
#include "ops/array/reshaping.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/svd.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/array/cast.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_least_squares_options, gt_least_squares_OPTIONS);

/* What `linear` computes. */
enum {
    GRADIENT, /* (n); 0 where a bound holds */
    LENGTHS,  /* (n) of the columns of J */
    SCALE,    /* (n): D */
    VECTORS,  /* (n, n): V */
    VALUES,   /* (n): S */
    ALONG,    /* (n): U' r */
    SQUARES,  /* (): r' r */
    FINITE,   /* (n): 1 where all of the column of J is */
    SIDES,    /* (n, m): U', each column by the weight that the robust loss gives its residual */
    LINEAR_OUTPUTS
};

typedef struct LeastSquares {
    gt_Solver solver;
    gt_least_squares_options options;
    gt_FunctionOf residual; /* the user's, weighted, (m) */
    gt_Tensor *factor;      /* of the residuals: 1 / sigma; NULL: none */
    int64_t m;
    gt_Shape shape; /* of the residuals, as the user gives them */
    gt_Function *value, *linear, *curvature;
    gt_Tensor *at[LINEAR_OUTPUTS];
    const double *gradient, *lengths, *scale, *vectors, *values, *along;
    /* (n) each; `largest`: D so far; `before`: the last x */
    double *step, *rotated, *bend, *largest, *before;
    double radius, alpha;
    double loss_before, moved; /* at `before`; how far x is from it, by D */
    double predicted, slope;   /* gain of the linear model, and its first-order part */
    bool blind;                /* the last step was taken unseen */
    bool narrowed;             /* the bounds were, for this x */
} LeastSquares;

enum { VECTORS_OF_METHOD = 5 };

/* ---- bodies ---- */

static gt_Status residual_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    LeastSquares *self = context;
    const gt_FunctionOf *user = &self->solver.function;
    gt_Tensor *r = NULL;
    if (user->body(user->user, in, &r) != GT_OK && gt_status() == GT_OK)
        gt_fail(GT_INVALID, "the residual failed without an error");
    if (gt_status() != GT_OK)
        return gt_status();
    const gt_Spec *spec =
        gt_tensor_check(self->solver.context, NULL, NULL, "the residual, out[0],", r);
    char text[200];
    if (spec && spec->dtype != GT_FLOAT64)
        return gt_fail(GT_INVALID, "the residual must be float64 (got %s)",
                       gt_spec_text(spec, text, sizeof text));
    if (spec && self->factor) {
        gt_Shape shape = gt_tensor_shape(r), weighted;
        r = gt_multiply(r, self->factor);
        weighted = gt_tensor_shape(r);
        if (gt_status() == GT_OK &&
            (weighted.rank != shape.rank ||
             memcmp(weighted.dims, shape.dims, (size_t)shape.rank * sizeof *shape.dims) != 0))
            return gt_fail(
                GT_INVALID,
                "sigma or weights must be of the residual's shape or broadcast to it, %s (got %s)",
                gt_shape_text(shape, text, sizeof text),
                gt_spec_text(gt_tensor_spec(self->factor), text + 100, 100));
    }
    if (spec && self->m > 0 && spec->size != self->m)
        return gt_fail(GT_INVALID, "there were %lld residuals before and %lld now",
                       (long long)self->m, (long long)spec->size);
    if (spec)
        self->shape = gt_tensor_shape(r);
    out[0] = gt_reshape(r, gt_shape(-1));
    return gt_status();
}

/* rho(z) and its first two derivatives. */
typedef struct Rho {
    gt_Tensor *value, *first, *second;
} Rho;

static Rho rho(gt_RobustLoss loss, gt_Tensor *z)
{
    gt_Tensor *t = gt_add(z, 1);
    if (loss == GT_ROBUST_LOSS_HUBER) {
        gt_Tensor *small = gt_less_equal(z, 1), *far = gt_where(small, gt_ones_like(z), z);
        gt_Tensor *root = gt_sqrt(far);
        return (Rho){gt_where(small, z, gt_subtract(gt_multiply(root, 2), 1)), gt_reciprocal(root),
                     gt_where(small, gt_zeros_like(z),
                              gt_divide(gt_scalar(-0.5, GT_FLOAT64), gt_multiply(root, far)))};
    }
    if (loss == GT_ROBUST_LOSS_SOFT_L1) {
        gt_Tensor *root = gt_sqrt(t);
        return (Rho){gt_multiply(gt_divide(z, gt_add(root, 1)), 2), gt_reciprocal(root),
                     gt_divide(gt_scalar(-0.5, GT_FLOAT64), gt_multiply(root, t))};
    }
    if (loss == GT_ROBUST_LOSS_CAUCHY)
        return (Rho){gt_log1p(z), gt_reciprocal(t), gt_negative(gt_reciprocal(gt_square(t)))};
    gt_Tensor *u = gt_add(gt_square(z), 1);
    return (Rho){gt_arctan(z), gt_reciprocal(u), gt_divide(gt_multiply(z, -2), gt_square(u))};
}

static gt_Tensor *squares_by_margin(const LeastSquares *self, gt_Tensor *r)
{
    return gt_square(gt_divide(r, self->options.margin));
}

static gt_Status value_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    LeastSquares *self = context;
    gt_RobustLoss loss = self->options.loss;
    double margin = self->options.margin;
    gt_Tensor *r = NULL;
    if (residual_body(self, self->residual.inputs.items, &r) != GT_OK)
        return gt_status();
    out[0] = loss == GT_ROBUST_LOSS_LINEAR
                 ? gt_multiply(gt_sum(gt_square(r)), 0.5)
                 : gt_multiply(gt_sum(rho(loss, squares_by_margin(self, r)).value),
                               0.5 * margin * margin);
    out[1] = r;
    return gt_status();
}

/* 1 for parameters that may move, 0 for those that the slope presses against a bound. */
static gt_Tensor *movable(const LeastSquares *self, gt_Tensor *lower, gt_Tensor *upper,
                          gt_Tensor *gradient)
{
    gt_Tensor *x = gt_packed_vector(self->solver.function.variables);
    gt_Tensor *down = gt_logical_and(gt_less_equal(x, lower), gt_greater_equal(gradient, 0));
    gt_Tensor *up = gt_logical_and(gt_greater_equal(x, upper), gt_less_equal(gradient, 0));
    gt_Tensor *held = gt_logical_or(gt_logical_or(down, up), gt_equal(lower, upper));
    return gt_cast(gt_logical_not(held), GT_FLOAT64);
}

static gt_Tensor *by_row(gt_Tensor *matrix, gt_Tensor *factor)
{
    return gt_multiply(matrix, gt_expand_dims(factor, -1));
}

/* in: D so far (n), by how much the present lengths count in it, (), and the bounds (n) if there are. */
static gt_Status linear_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    LeastSquares *self = context;
    gt_Tensor *r = NULL, *j = NULL, *weight = NULL;
    if (gt_jacobian_columns(self->solver.context, &self->residual,
                            (gt_JacobianPasses)self->options.jacobian, &r, &j) != GT_OK)
        return gt_status();
    gt_Tensor *finite = gt_isfinite(j);
    out[FINITE] = gt_cast(gt_all(finite, .axis = 1), GT_FLOAT64);
    j = gt_where(finite, j, gt_zeros_like(j));
    if (self->options.loss != GT_ROBUST_LOSS_LINEAR) {
        /* B. Triggs et al., Bundle adjustment: a modern synthesis (2000), as scipy has it */
        gt_Tensor *z = squares_by_margin(self, r);
        Rho cost = rho(self->options.loss, z);
        gt_Tensor *bent = gt_add(cost.first, gt_multiply(gt_multiply(z, cost.second), 2));
        weight = gt_sqrt(gt_maximum(bent, DBL_EPSILON));
        r = gt_divide(gt_multiply(r, cost.first), weight);
        j = gt_multiply(j, weight);
    }
    out[GRADIENT] = gt_matmul(j, r);
    gt_Tensor *largest = gt_maximum(gt_max(gt_abs(j), .axis = 1, .keepdims = true), DBL_MIN);
    out[LENGTHS] = gt_multiply(gt_sqrt(gt_sum(gt_square(gt_divide(j, largest)), .axis = 1)),
                               gt_squeeze(largest, .axis = 1));
    out[LENGTHS] =
        gt_where(gt_less_equal(out[LENGTHS], DBL_MIN), gt_zeros_like(out[LENGTHS]), out[LENGTHS]);
    gt_Tensor *scale = gt_maximum(in[0], gt_multiply(out[LENGTHS], in[1]));
    out[SCALE] = gt_where(gt_equal(scale, 0), gt_ones_like(scale), scale);
    if (self->solver.lower) {
        gt_Tensor *free = movable(self, in[2], in[3], out[GRADIENT]);
        out[GRADIENT] = gt_multiply(out[GRADIENT], free);
        j = by_row(j, free);
    }
    gt_Svd factors = gt_svd(by_row(j, gt_reciprocal(out[SCALE])));
    out[VECTORS] = factors.u;
    out[VALUES] = factors.s;
    out[ALONG] = gt_matmul(factors.vh, r);
    out[SQUARES] = gt_sum(gt_square(r));
    out[SIDES] = weight ? gt_multiply(factors.vh, weight) : factors.vh;
    return gt_status();
}

/* in: U' by weights (n, m), a direction (n). What the residuals' curvature along it is, seen from the columns. */
static gt_Status curvature_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    LeastSquares *self = context;
    out[0] = gt_matmul(in[0], gt_curvature_along(self->solver.context, &self->residual, in[1]));
    return gt_status();
}

/* ---- checks ---- */

/* 1 / sigma, or the roots of the weights. */
static gt_Status take_factor(LeastSquares *self)
{
    const gt_least_squares_options *options = &self->options;
    bool sigma = options->sigma != NULL;
    gt_Tensor *given = sigma ? options->sigma : options->weights;
    const char *what = sigma ? "sigma" : "weights";
    if (options->sigma && options->weights)
        return gt_fail(GT_INVALID,
                       "sigma and weights = 1 / sigma^2 are the same; give one of them");
    if (options->absolute_sigma && !given)
        return gt_fail(GT_INVALID, "absolute_sigma needs sigma or weights");
    if (!given)
        return GT_OK;
    const gt_Spec *spec = gt_tensor_check(self->solver.context, NULL, NULL, what, given);
    const double *data = spec ? gt_float64_data(given) : NULL;
    for (int64_t i = 0; data && i < spec->size; i++)
        if (!isfinite(data[i]) || data[i] < 0 || (sigma && data[i] == 0))
            return gt_fail(GT_INVALID, "%s must be finite and %s 0 (element %lld is %g)", what,
                           sigma ? ">" : ">=", (long long)i, data[i]);
    self->factor = data ? (sigma ? gt_reciprocal(given) : gt_sqrt(given)) : NULL;
    return gt_status();
}

static gt_Status check_options(const gt_least_squares_options *options)
{
    if ((unsigned)options->loss > GT_ROBUST_LOSS_ARCTAN)
        return gt_fail(GT_INVALID, "unknown robust loss %d", (int)options->loss);
    if ((unsigned)options->scale > GT_STEP_SCALE_NONE)
        return gt_fail(GT_INVALID, "unknown scale of steps %d", (int)options->scale);
    if ((unsigned)options->jacobian > GT_JACOBIAN_MODE_REVERSE)
        return gt_fail(GT_INVALID, "unknown mode of the Jacobian %d", (int)options->jacobian);
    if (gt_solver_check_option("margin", options->margin, false) != GT_OK ||
        gt_solver_check_option("radius", options->radius, false) != GT_OK ||
        gt_solver_check_option("ftol", options->ftol, true) != GT_OK ||
        gt_solver_check_option("xtol", options->xtol, true) != GT_OK)
        return gt_status();
    return gt_solver_check_option("gtol", options->gtol, true);
}

/* ---- evaluation ---- */

/* The loss at what the variables hold now; NaN on failure. `residuals` may be NULL, else it gets a handle. */
static double loss_now(LeastSquares *self, gt_Tensor **residuals)
{
    gt_Context *context = self->solver.context;
    gt_Scope *scope = gt_scope_open(context);
    gt_Tensor *out[2] = {NULL, NULL};
    double loss = (double)NAN;
    if (scope && gt_function_call(self->value, ((gt_Tensors){NULL, 0}), out) == GT_OK)
        loss = gt_item(out[0]);
    if (residuals)
        *residuals = gt_scope_keep(context, out[1]);
    if (scope)
        gt_scope_close(context);
    return loss;
}

static double loss_at(LeastSquares *self, const double *x)
{
    return gt_solver_set(&self->solver, x) == GT_OK ? loss_now(self, NULL) : (double)NAN;
}

/* How many residuals have weight 0: they are no data. */
static int64_t left_out(const LeastSquares *self)
{
    if (!self->factor)
        return 0;
    gt_Tensor *zero = gt_equal(gt_broadcast_to(self->factor, self->shape), 0);
    return (int64_t)gt_item(gt_sum(gt_cast(zero, GT_FLOAT64)));
}

/* The first point: here everything that is wrong from the start is an error. */
static gt_Status begin(LeastSquares *self)
{
    gt_Solver *solver = &self->solver;
    gt_Tensor *residuals = NULL;
    if (!gt_solver_may_evaluate(solver))
        return gt_status();
    solver->progress.loss = loss_now(self, &residuals);
    const double *data = residuals ? gt_float64_data(residuals) : NULL;
    self->m = residuals ? gt_size(residuals) : 0;
    for (int64_t i = 0; data && i < self->m; i++)
        if (!isfinite(data[i]))
            return gt_fail(GT_NUMERIC, "residual %lld is %g at the start", (long long)i, data[i]);
    int64_t idle = gt_status() == GT_OK ? left_out(self) : 0;
    if (gt_status() == GT_OK && self->m - idle < solver->n) {
        char text[60] = "";
        if (idle > 0)
            snprintf(text, sizeof text, ", %lld of them of weight 0,", (long long)idle);
        return gt_fail(
            GT_INVALID,
            "there must be at least as many residuals as parameters (got %lld%s and %lld)",
            (long long)self->m, text, (long long)solver->n);
    }
    if (gt_status() == GT_OK && !isfinite(solver->progress.loss))
        return gt_fail(GT_NUMERIC, "the squares of the residuals overflow at the start");
    solver->solution->report.residuals = self->m;
    return gt_status();
}

/* Works out what steps are made of, at x; `counts`: the present lengths in the scale. Handles of the innermost scope. */
static gt_Status linearise(LeastSquares *self, const double *largest, double counts)
{
    gt_Solver *solver = &self->solver;
    gt_Tensor *in[4] = {gt_from_data(largest, gt_shape(solver->n), GT_FLOAT64),
                        gt_scalar(counts, GT_FLOAT64)};
    int32_t inputs = 2;
    if (solver->lower) {
        in[inputs++] = gt_from_data(solver->lower, gt_shape(solver->n), GT_FLOAT64);
        in[inputs++] = gt_from_data(solver->upper, gt_shape(solver->n), GT_FLOAT64);
    }
    if (gt_solver_set(solver, solver->x) != GT_OK ||
        gt_function_call(self->linear, ((gt_Tensors){in, inputs}), self->at) != GT_OK)
        return gt_status();
    solver->solution->report.derivatives++;
    self->gradient = gt_float64_data(self->at[GRADIENT]);
    self->lengths = gt_float64_data(self->at[LENGTHS]);
    self->scale = gt_float64_data(self->at[SCALE]);
    self->vectors = gt_float64_data(self->at[VECTORS]);
    self->values = gt_float64_data(self->at[VALUES]);
    self->along = gt_float64_data(self->at[ALONG]);
    if (gt_status() != GT_OK)
        return gt_status();
    solver->progress.gradient_norm = 0;
    for (int64_t i = 0; i < solver->n; i++)
        solver->progress.gradient_norm =
            fmax(solver->progress.gradient_norm, fabs(self->gradient[i]));
    return gt_status();
}

/* Of which parameter a derivative is NaN or infinite at x; -1: of none. */
static int64_t find_infinite(const LeastSquares *self)
{
    const double *finite = gt_float64_data(self->at[FINITE]);
    int64_t i = 0;
    while (finite && i < self->solver.n && finite[i] != 0)
        i++;
    return finite && i < self->solver.n ? i : -1;
}

/* ---- steps ---- */

static double negligible(const LeastSquares *self)
{
    return self->values[0] * DBL_EPSILON *
           (double)(self->m > self->solver.n ? self->m : self->solver.n);
}

/* y[i] = s[i] w[i] / (s[i]^2 + alpha), 0 where alpha is 0 and s[i] as good as. The length of y. */
static double damped(const LeastSquares *self, double alpha, const double *w, double *y)
{
    double none = negligible(self);
    for (int64_t i = 0; i < self->solver.n; i++) {
        double s = self->values[i];
        y[i] = s > none || (alpha > 0 && s > 0) ? w[i] / (s + alpha / s) : 0;
    }
    return gt_vector_norm(self->solver.n, y);
}

/* The derivative of that length by alpha. */
static double slope_of_length(const LeastSquares *self, double alpha, double length,
                              const double *y)
{
    double sum = 0, none = negligible(self);
    for (int64_t i = 0; i < self->solver.n; i++) {
        double s = self->values[i];
        if (y[i] != 0 && (s > none || alpha > 0))
            sum += y[i] / length * (y[i] / (s * s + alpha));
    }
    return -sum;
}

/* Finds alpha for a step as long as the radius, by Hebden's and Moré's iteration between safe limits; `rotated` gets the
 * step, by V and D. */
static void find_alpha(LeastSquares *self)
{
    int64_t n = self->solver.n;
    double *y = self->rotated, length = damped(self, 0, self->along, y), radius = self->radius;
    bool full = self->values[n - 1] > negligible(self);
    self->alpha = 0;
    if (length <= radius)
        return;
    double low = full ? (length - radius) / -slope_of_length(self, 0, length, y) : 0, high = 0;
    for (int64_t i = 0; i < n; i++)
        high += self->values[i] * self->along[i] * (self->values[i] * self->along[i]);
    high = sqrt(high) / radius;
    double alpha = fmax(0.001 * high, sqrt(low * high));
    for (int i = 0; i < 40; i++) {
        if (!(alpha >= low && alpha <= high))
            alpha = fmax(0.001 * high, sqrt(low * high));
        length = damped(self, alpha, self->along, y);
        double off = length - radius, ratio = off / slope_of_length(self, alpha, length, y);
        if (fabs(off) <= 0.01 * radius)
            break;
        if (off < 0)
            high = alpha;
        low = fmax(low, alpha - ratio);
        alpha -= length / radius * ratio;
    }
    self->alpha = alpha;
    damped(self, alpha, self->along, y);
}

/* x = -factor D^-1 V y, added. */
static void add_rotated(const LeastSquares *self, double factor, const double *y, double *x)
{
    int64_t n = self->solver.n;
    for (int64_t i = 0; i < n; i++)
        x[i] -= factor * gt_vector_dot(n, self->vectors + i * n, y) / self->scale[i];
}

/* |D x| */
static double scaled_length(const LeastSquares *self, const double *x)
{
    double *y = self->bend;
    for (int64_t i = 0; i < self->solver.n; i++)
        y[i] = self->scale[i] * x[i];
    return gt_vector_norm(self->solver.n, y);
}

/* Adds half of the acceleration to the step (M. K. Transtrum, J. P. Sethna, Improvements to the Levenberg-Marquardt algorithm
 * for nonlinear least-squares minimization, 2012); false if that is too long beside it. */
static bool accelerate(LeastSquares *self)
{
    gt_Solver *solver = &self->solver;
    gt_Context *context = solver->context;
    int64_t n = solver->n;
    gt_Scope *scope = gt_scope_open(context);
    gt_Tensor *in[2] = {self->at[SIDES], gt_from_data(self->step, gt_shape(n), GT_FLOAT64)},
              *out = NULL;
    bool bent = false;
    if (scope && gt_solver_set(solver, solver->x) == GT_OK &&
        gt_function_call(self->curvature, ((gt_Tensors){in, 2}), &out) == GT_OK) {
        double length = gt_vector_norm(n, self->rotated);
        double turned = damped(self, self->alpha, gt_float64_data(out), self->bend);
        bent = 2 * turned <= 0.75 * length;
        if (bent)
            add_rotated(self, 0.5, self->bend, self->step);
    }
    if (scope)
        gt_scope_close(context);
    return bent;
}

/* Does a bound hold parameter i? Then its column of J was left out. */
static bool is_held(const LeastSquares *self, int64_t i)
{
    const gt_Solver *solver = &self->solver;
    return solver->lower && self->gradient[i] == 0 &&
           (solver->x[i] == solver->lower[i] || solver->x[i] == solver->upper[i]);
}

/* The step becomes x + step, projected, minus x. What bounds hold stays exactly. */
static void project_step(LeastSquares *self)
{
    gt_Solver *solver = &self->solver;
    for (int64_t i = 0; i < solver->n; i++)
        solver->trial[i] = solver->x[i] + (is_held(self, i) ? 0 : self->step[i]);
    gt_solver_project(solver, solver->trial);
    for (int64_t i = 0; i < solver->n; i++)
        self->step[i] = solver->trial[i] - solver->x[i];
}

/* What the linear model gains by the step. `slope` gets the first-order part of that. */
static double model_gain(const LeastSquares *self, double *slope)
{
    int64_t n = self->solver.n;
    double square = 0;
    *slope = -gt_vector_dot(n, self->gradient, self->step);
    for (int64_t k = 0; k < n; k++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += self->vectors[i * n + k] * self->scale[i] * self->step[i];
        square += self->values[k] * sum * (self->values[k] * sum);
    }
    return *slope - 0.5 * square;
}

/* The trial point; false if it is not worth an evaluation. */
static bool propose(LeastSquares *self)
{
    find_alpha(self);
    memset(self->step, 0, (size_t)self->solver.n * sizeof(double));
    add_rotated(self, 1, self->rotated, self->step);
    if (!self->options.geodesic) {
        project_step(self);
        self->predicted = model_gain(self, &self->slope);
        return true;
    }
    self->predicted = model_gain(self, &self->slope); /* of the velocity alone */
    bool worth = accelerate(self);
    project_step(self);
    return worth;
}

/* How the radius follows from the gain by the predicted one. */
static void adapt_radius(LeastSquares *self, double gain, double length)
{
    double ratio = gain / self->predicted;
    if (self->solver.iterations == 0)
        self->radius = fmin(self->radius, length);
    if (ratio > 0.25) {
        if (self->alpha == 0 || ratio >= 0.75)
            self->radius = 2 * length;
        return;
    }
    /* the minimum of the parabola through both losses and the slope, within limits */
    double factor = gain >= 0 ? 0.5 : 0.5 * self->slope / (self->slope - gain);
    self->radius = fmax(factor, 0.1) * fmin(self->radius, 10 * length);
}

/* What the residuals feel of parameters, or of a step. */
static double felt(const LeastSquares *self, const double *x)
{
    double sum = 0;
    for (int64_t i = 0; i < self->solver.n; i++)
        sum += self->lengths[i] * x[i] * (self->lengths[i] * x[i]);
    return sqrt(sum);
}

/* How far a step goes by how far the parameters are from 0. */
static double relative_length(const LeastSquares *self, const double *step)
{
    double size = felt(self, self->solver.x);
    return size > 0 ? felt(self, step) / size : INFINITY;
}

/* The largest cosine between the residuals and a column of the Jacobian. */
static double largest_cosine(const LeastSquares *self)
{
    double norm = sqrt(gt_item(self->at[SQUARES])), cosine = 0;
    for (int64_t i = 0; i < self->solver.n && norm > 0; i++)
        if (self->lengths[i] > 0)
            cosine = fmax(cosine, fabs(self->gradient[i] / self->lengths[i]) / norm);
    return cosine;
}

/* Is what a step along one parameter could gain, cosine^2 |r|^2 / 2, below what rounding leaves of the loss? Residuals are differences
 * of numbers as large as what they feel of x. */
static bool gains_drown(const LeastSquares *self)
{
    double norm = sqrt(gt_item(self->at[SQUARES])), cosine = largest_cosine(self);
    return cosine * cosine * norm <= 50 * DBL_EPSILON * (norm + felt(self, self->solver.x));
}

/* No better point: because there is nothing to gain, because full steps, inside the bounds, are too short to be seen, or because
 * the model is wrong however short the step is. */
static bool give_up(LeastSquares *self)
{
    int64_t n = self->solver.n;
    double most = 0.5 * gt_vector_dot(n, self->along, self->along);
    damped(self, 0, self->along, self->rotated);
    memset(self->step, 0, (size_t)n * sizeof(double));
    add_rotated(self, 1, self->rotated, self->step);
    project_step(self);
    bool arrived = most <= 1e-6 * self->solver.progress.loss ||
                   relative_length(self, self->step) <= 1e-8 || gains_drown(self);
    gt_solver_stop(&self->solver, arrived ? GT_STOP_ROUNDING : GT_STOP_NO_PROGRESS);
    return false;
}

/* Is the radius too small for a step that can be told from none? */
static bool is_spent(const LeastSquares *self, double size)
{
    return self->radius <= 1e-3 * DBL_EPSILON * size || self->radius < DBL_MIN;
}

/* Trial points until one gains; false: there is none, or it ends. */
static bool advance(LeastSquares *self)
{
    gt_Solver *solver = &self->solver;
    const gt_least_squares_options *options = &self->options;
    double loss = solver->progress.loss, last = self->blind ? self->predicted : INFINITY;
    double size = scaled_length(self, solver->x);
    for (;;) {
        bool worth = propose(self);
        double length = scaled_length(self, self->step),
               relative = relative_length(self, self->step);
        if (gt_status() != GT_OK)
            return false;
        bool tiny = self->predicted <= 1e-9 * loss && self->alpha == 0;
        if (solver->lower && length > 0 && !(self->predicted > 0) && !is_spent(self, size)) {
            self->radius =
                0.25 *
                fmin(self->radius, length); /* bent at bounds; a shorter one follows the slope */
            continue;
        }
        if (length == 0 || !(self->predicted > 0) || (tiny && self->predicted > 0.9 * last))
            return give_up(self);
        if (!gt_solver_may_evaluate(solver))
            return false;
        double next = worth ? loss_at(self, solver->trial) : INFINITY;
        if (gt_status() != GT_OK)
            return false;
        double gain = isfinite(next) ? loss - next : -INFINITY, ratio = gain / self->predicted;
        self->blind = tiny && fabs(gain) <= 1e-9 * loss;
        bool small = self->alpha == 0 && self->predicted <= options->ftol * loss &&
                     gain <= options->ftol * loss;
        if (!self->blind)
            adapt_radius(self, gain, length);
        if (ratio > 1e-4 || self->blind) {
            memcpy(self->before, solver->x, (size_t)solver->n * sizeof(double));
            self->loss_before = loss;
            self->moved = length;
            gt_solver_accept(solver, next, gt_vector_norm(solver->n, self->step));
            if (next == 0)
                gt_solver_stop(solver, GT_STOP_ZERO);
            else if (small)
                gt_solver_stop(solver, GT_STOP_VALUE);
            else if (self->alpha == 0 && options->xtol > 0 && relative <= options->xtol)
                gt_solver_stop(solver, GT_STOP_STEP);
            return true;
        }
        if (is_spent(self, size))
            return give_up(self);
    }
}

/* The bounds that x lies on and a derivative is not finite at, as that of sqrt is at 0, move inside by a sliver of the way that x
 * came, and x with them: there the slope says whether the bound holds it. False: there are none. */
static bool narrow_bounds(LeastSquares *self)
{
    gt_Solver *solver = &self->solver;
    const double *finite = gt_float64_data(self->at[FINITE]);
    bool narrowed = false;
    for (int64_t i = 0; solver->lower && i < solver->n; i++) {
        double x = solver->x[i], way = self->before[i] - x;
        bool low = x <= solver->lower[i], high = x >= solver->upper[i];
        if (finite[i] != 0 || low == high || way == 0)
            continue;
        double sliver = fmax(fmax(1e-20 * fabs(way), 8 * DBL_EPSILON * fabs(x)), DBL_MIN);
        solver->x[i] = *(low ? &solver->lower[i] : &solver->upper[i]) =
            low ? x + sliver : x - sliver;
        narrowed = true;
    }
    return narrowed;
}

/* The residuals are finite at x and a derivative by `parameter` is not. That is an error at the start. Later x goes on inside bounds
 * made narrower, or back to the point before and the next step is shorter: the edge of where the function is smooth. */
static bool step_back(LeastSquares *self, int64_t parameter)
{
    gt_Solver *solver = &self->solver;
    char name[160];
    if (solver->iterations == 0) {
        gt_solver_parameter_name(solver->solution, parameter, name, sizeof name);
        bool bound = solver->lower && (solver->x[parameter] <= solver->lower[parameter] ||
                                       solver->x[parameter] >= solver->upper[parameter]);
        gt_fail(GT_NUMERIC,
                "a derivative of the residuals by %s is NaN or infinite at the start, where the "
                "residuals are finite; start elsewhere%s",
                name, bound ? ", inside the bounds" : "");
        return false;
    }
    self->blind = false;
    if (!self->narrowed && narrow_bounds(self) && gt_solver_may_evaluate(solver)) {
        self->narrowed = true;
        double loss = loss_at(self, solver->x);
        if (loss <= self->loss_before) {
            solver->progress.loss = loss;
            return true;
        }
    }
    memcpy(solver->x, self->before, (size_t)solver->n * sizeof(double));
    gt_solver_project(solver, solver->x);
    solver->progress.loss = self->loss_before;
    solver->iterations--;
    self->radius = self->moved = 0.25 * self->moved;
    if (!(self->radius > DBL_MIN))
        gt_solver_stop(solver, GT_STOP_NO_PROGRESS);
    return gt_status() == GT_OK && !solver->stopped;
}

static bool iterate(LeastSquares *self)
{
    gt_Solver *solver = &self->solver;
    gt_StepScale kind = self->options.scale;
    if (linearise(self, self->largest, kind == GT_STEP_SCALE_NONE ? 0 : 1) != GT_OK)
        return false;
    int64_t infinite = find_infinite(self);
    if (infinite >= 0)
        return step_back(self, infinite);
    self->narrowed = false;
    if (kind == GT_STEP_SCALE_LARGEST)
        memcpy(self->largest, self->scale, (size_t)solver->n * sizeof(double));
    if (self->radius == 0) {
        double length = scaled_length(self, solver->x);
        self->radius = self->options.radius * (length > 0 ? length : 1);
    }
    if (solver->progress.loss == 0)
        gt_solver_stop(solver, GT_STOP_ZERO);
    else if (largest_cosine(self) <= self->options.gtol)
        gt_solver_stop(solver, GT_STOP_GRADIENT);
    return gt_solver_goes_on(solver) && advance(self);
}

static void solve(LeastSquares *self)
{
    gt_Context *context = self->solver.context;
    for (bool going = true; going && gt_context_status(context) == GT_OK;) {
        gt_Scope *scope = gt_scope_open(context);
        going = scope && iterate(self);
        if (scope)
            gt_scope_close(context);
        going = going && !self->solver.stopped;
    }
}

/* ---- the solution ---- */

static gt_Status keep_factors(LeastSquares *self)
{
    gt_Solver *solver = &self->solver;
    gt_Solution *solution = solver->solution;
    int64_t n = solver->n;
    solution->block_bytes = (size_t)(n * n + 3 * n) * sizeof(double) + (size_t)n;
    double *next = solution->block = gt_allocate(solver->context, solution->block_bytes);
    if (!next)
        return gt_status();
    solution->values = next, next += n;
    solution->scale = next, next += n;
    solution->x = next, next += n;
    solution->vectors = next, next += n * n;
    solution->held = (bool *)next;
    memcpy(solution->values, self->values, (size_t)n * sizeof(double));
    memcpy(solution->scale, self->scale, (size_t)n * sizeof(double));
    memcpy(solution->x, solver->x, (size_t)n * sizeof(double));
    memcpy(solution->vectors, self->vectors, (size_t)(n * n) * sizeof(double));
    for (int64_t i = 0; i < n; i++)
        solution->held[i] = gt_vector_dot(n, self->vectors + i * n, self->vectors + i * n) == 0;
    return GT_OK;
}

/* At the solution, with columns of length 1. */
static void describe(LeastSquares *self)
{
    gt_Solver *solver = &self->solver;
    gt_SolverReport *report = &solver->solution->report;
    int64_t n = solver->n;
    gt_Tensor *residuals = NULL;
    memset(self->step, 0, (size_t)n * sizeof(double));
    if (linearise(self, self->step, 1) != GT_OK || keep_factors(self) != GT_OK)
        return;
    double loss = loss_now(self, &residuals);
    (void)loss;
    const double *r = residuals ? gt_float64_data(residuals) : NULL;
    report->sum_of_squares = r ? gt_vector_dot(self->m, r, r) : 0;
    for (int64_t i = 0; i < n; i++) {
        bool held = gt_solver_holds(solver, solver->x, i, 0) || is_held(self, i);
        solver->solution->held[i] = held;
        report->at_bounds += held;
    }
    solver->solution->infinite = find_infinite(self) >= 0;
    for (int64_t i = 0; i < n && !solver->solution->infinite; i++)
        report->rank += self->values[i] > negligible(self);
    int64_t movable = n - report->at_bounds;
    report->condition = movable == 0             ? 1
                        : report->rank < movable ? INFINITY
                                                 : self->values[0] / self->values[movable - 1];
    report->degrees_of_freedom = self->m - left_out(self) - movable;
    report->variance = report->degrees_of_freedom > 0
                           ? 2 * solver->progress.loss / (double)report->degrees_of_freedom
                           : (double)NAN;
    solver->solution->least_squares = true;
    solver->solution->absolute = self->options.absolute_sigma;
    solver->solution->weighted = self->factor != NULL;
}

static gt_Status prepare(LeastSquares *self)
{
    gt_Solver *solver = &self->solver;
    self->residual = solver->function;
    self->residual.body = residual_body;
    self->residual.user = self;
    self->step = solver->more;
    self->rotated = self->step + solver->n;
    self->bend = self->rotated + solver->n;
    self->largest = self->bend + solver->n;
    self->before = self->largest + solver->n;
    for (int64_t i = 0; self->options.scale == GT_STEP_SCALE_NONE && i < solver->n; i++)
        self->largest[i] = 1;
    self->value = gt_solver_plan(solver, value_body, self, 2);
    self->linear = gt_solver_plan(solver, linear_body, self, LINEAR_OUTPUTS);
    self->curvature = gt_solver_plan(solver, curvature_body, self, 1);
    return gt_status();
}

gt_Solution *gt_least_squares_at(const char *here, gt_FunctionBody residual, void *user,
                                 gt_Tensors variables, const gt_least_squares_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "least_squares");
    gt_Scope *outer = gt_scope_innermost(context), *scope = gt_scope_open(context);
    LeastSquares self = {.solver = {.context = context}};
    GT_TAKE(gt_least_squares_options, &self.options, given);
    const gt_least_squares_options *options = &self.options;
    gt_SolverCommon common = GT_SOLVER_COMMON_OF(self.options);
    if (scope && check_options(options) == GT_OK && take_factor(&self) == GT_OK &&
        gt_solver_open(&self.solver, residual, user, variables, &common, options->lower,
                       options->upper, VECTORS_OF_METHOD) &&
        prepare(&self) == GT_OK && begin(&self) == GT_OK) {
        solve(&self);
        if (gt_context_status(context) == GT_OK)
            describe(&self);
    }
    gt_Solution *solution = gt_solver_close(&self.solver);
    gt_scope_unwind(context, outer);
    gt_site_leave(&site);
    return solution;
}
