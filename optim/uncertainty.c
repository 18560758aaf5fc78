/* How well fitted parameters are known: covariance, standard errors, intervals and bands. Leans on the factors that
 * least_squares.c leaves in a solution: with J D^-1 = U S V' the inverse of J' J is D^-1 V S^-2 V' D^-1. */
#include "core/text.h"
#include "optim/least_squares.h"
#include "optim/solver.h"
#include "ops/linalg/matmul.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/array/creation.h"
#include "ops/array/reshaping.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_confidence_interval_options, gt_confidence_interval_OPTIONS);
GT_OPTION_TYPE(gt_confidence_band_options, gt_confidence_band_OPTIONS);

/* ---- Student's distribution ---- */

/* The continued fraction of the incomplete beta function, by Lentz's method as Thompson and Barnett changed it (1986). */
static double beta_fraction(double a, double b, double x)
{
    const double least = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), value;
    d = 1 / (fabs(d) < least ? least : d);
    value = d;
    for (int i = 1; i < 10000; i++) {
        double even = i * (b - i) * x / ((a + 2 * i - 1) * (a + 2 * i));
        double odd = -(a + i) * (a + b + i) * x / ((a + 2 * i) * (a + 2 * i + 1));
        double before = value;
        for (int k = 0; k < 2; k++) {
            double term = k ? odd : even;
            d = 1 + term * d;
            c = 1 + term / c;
            d = 1 / (fabs(d) < least ? least : d);
            c = fabs(c) < least ? least : c;
            value *= d * c;
        }
        if (fabs(value - before) <= 1e-16 * fabs(value))
            break;
    }
    return value;
}

/* log(gamma(a + 1/2) / gamma(a)), by Stirling's series where the difference of logarithms would lose digits. */
static double log_gamma_ratio(double a)
{
    if (a < 1000)
        return lgamma(a + 0.5) - lgamma(a);
    return 0.5 * log(a) - 1 / (8 * a) + 1 / (192 * a * a * a);
}

/* How probable it is that |T| > t. */
static double beyond(double t, double degrees)
{
    double a = 0.5 * degrees, b = 0.5, x = degrees / (degrees + t * t),
           y = t * t / (degrees + t * t);
    if (isinf(degrees))
        return erfc(t * 0.70710678118654752440);
    if (t == 0)
        return 1;
    const double log_gamma_half = 0.57236494292470008707;
    double front =
        exp(log_gamma_ratio(a) - log_gamma_half - a * log1p(t * t / degrees) + b * log(y));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, y) / b;
}

double gt_student_limit(double level, double degrees)
{
    double low = 0, high = 1;
    if (degrees > 1e5 &&
        !isinf(degrees)) { /* Fisher's series (1925): the fraction would need thousands of terms */
        double z = gt_student_limit(level, INFINITY), z2 = z * z;
        return z + z * (z2 + 1) / (4 * degrees) +
               z * (5 * z2 * z2 + 16 * z2 + 3) / (96 * degrees * degrees);
    }
    while (beyond(high, degrees) > 1 - level && high < 1e300)
        high *= 2;
    for (int i = 0; i < 2000 && high - low > 1e-15 * high; i++) {
        double middle = 0.5 * (low + high);
        if (beyond(middle, degrees) > 1 - level)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

/* ---- covariance ---- */

static double factor_of(const gt_Solution *self)
{
    return self->absolute ? 1 : self->report.variance;
}

bool gt_solution_knows_errors(const gt_Solution *self)
{
    const gt_SolverReport *r = &self->report;
    return self->least_squares && r->rank == r->parameters - r->at_bounds &&
           !isnan(factor_of(self));
}

double gt_solution_covariance(const gt_Solution *self, int64_t i, int64_t k)
{
    int64_t n = self->report.parameters;
    if (self->held[i] || self->held[k])
        return 0;
    const double *a = self->vectors + i * n, *b = self->vectors + k * n;
    double sum = 0;
    for (int64_t j = self->report.rank - 1; j >= 0; j--)
        sum += a[j] / self->values[j] * (b[j] / self->values[j]);
    return sum / self->scale[i] / self->scale[k] * factor_of(self);
}

/* Names those that the direction which the data say nothing about moves most. */
static gt_Status raise_singular(const gt_Solution *self)
{
    const gt_SolverReport *r = &self->report;
    if (self->infinite)
        return gt_fail(GT_NUMERIC,
                       "a derivative of the residuals is NaN or infinite at the solution");
    int64_t n = r->parameters, first = -1, second = -1;
    const double *direction = self->vectors + (n - r->at_bounds - 1);
    for (int64_t i = 0; i < n; i++) {
        double moves = self->held[i] ? -1 : fabs(direction[i * n]);
        if (first < 0 || moves > fabs(direction[first * n])) {
            second = first;
            first = i;
        } else if (second < 0 || moves > fabs(direction[second * n])) {
            second = i;
        }
    }
    char a[160], b[160] = "";
    gt_solver_parameter_name(self, first, a, sizeof a);
    bool two = second >= 0 && fabs(direction[second * n]) > 1e-3;
    if (two)
        gt_solver_parameter_name(self, second, b, sizeof b);
    return gt_fail(GT_NUMERIC,
                   "the Jacobian has rank %lld of %lld: the residuals do not determine %s%s%s",
                   (long long)r->rank, (long long)(n - r->at_bounds), a, two ? " and " : "",
                   two ? b : " (they do not depend on it)");
}

/* Is it a solution with a covariance? */
static bool check(gt_Context *context, const gt_Solution *self)
{
    if (!gt_solution_check(context, NULL, NULL, self))
        return false;
    if (!self->least_squares)
        return gt_fail(GT_INVALID, "only gt_least_squares gives a covariance") == GT_OK;
    if (isnan(factor_of(self)))
        return gt_fail(GT_NUMERIC,
                       "there are no degrees of freedom to estimate the variance from: as many "
                       "residuals as parameters, and sigma is not absolute") == GT_OK;
    return gt_solution_knows_errors(self) || raise_singular(self) == GT_OK;
}

static gt_Tensor *covariance(gt_Context *context, const gt_Solution *self)
{
    int64_t n = self->report.parameters;
    gt_Spec spec;
    double *data = NULL;
    gt_Tensor *result = NULL;
    if (gt_spec_set(&spec, GT_FLOAT64, gt_shape(n, n)))
        result = gt_tensor_new(context, &spec, (void **)&data);
    for (int64_t i = 0; result && i < n; i++)
        for (int64_t k = 0; k <= i; k++)
            data[i * n + k] = data[k * n + i] = gt_solution_covariance(self, i, k);
    return result;
}

gt_Tensor *gt_covariance_at(const char *here, const gt_Solution *solution)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "covariance");
    gt_Tensor *result = check(context, solution) ? covariance(context, solution) : NULL;
    gt_site_leave(&site);
    return result;
}

/* A tensor like the variable: its standard errors, or, if `value`, what it was fitted to. */
static gt_Tensor *of_variable(gt_Context *context, const gt_Solution *self,
                              const gt_Variable *variable, bool value)
{
    const gt_Spec *spec = gt_variable_spec(context, NULL, NULL, variable);
    double *data = NULL;
    int64_t first = 0;
    int32_t i = 0;
    for (; spec && i < self->count && self->variables[i] != variable; i++)
        first += gt_tensor_spec(self->variables[i])->size;
    if (spec && i == self->count) {
        gt_fail(GT_INVALID, "variable %s is not one that was fitted", gt_variable_label(variable));
        return NULL;
    }
    gt_Tensor *result = spec ? gt_tensor_new(context, spec, (void **)&data) : NULL;
    for (int64_t k = 0; result && k < spec->size; k++)
        data[k] =
            value ? self->x[first + k] : sqrt(gt_solution_covariance(self, first + k, first + k));
    return result;
}

gt_Tensor *gt_standard_errors_at(const char *here, const gt_Solution *solution,
                                 const gt_Variable *variable)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "standard_errors");
    gt_Tensor *result = NULL;
    if (gt_variable_spec(context, NULL, NULL, variable) && check(context, solution))
        result = of_variable(context, solution, variable, false);
    gt_site_leave(&site);
    return result;
}

/* ---- intervals and bands ---- */

static bool check_level(double level)
{
    if (level > 0 && level < 1)
        return true;
    gt_fail(GT_INVALID, "level must be in (0, 1) (got %g)", level);
    return false;
}

static gt_Band band_of(const gt_Solution *self, gt_Tensor *value, gt_Tensor *error, double level)
{
    double degrees = self->absolute ? INFINITY : (double)self->report.degrees_of_freedom;
    gt_Tensor *wide = gt_multiply(error, gt_student_limit(level, degrees));
    gt_Band band = {value, error, gt_subtract(value, wide), gt_add(value, wide)};
    return gt_status() == GT_OK ? band : (gt_Band){NULL, NULL, NULL, NULL};
}

gt_Band gt_confidence_interval_at(const char *here, const gt_Solution *solution,
                                  const gt_Variable *variable,
                                  const gt_confidence_interval_options *given)
{
    gt_Band band = {NULL, NULL, NULL, NULL};
    gt_Context *context = gt_enter();
    if (!context)
        return band;
    gt_Site site = gt_site_enter(here, "confidence_interval");
    gt_confidence_interval_options options;
    GT_TAKE(gt_confidence_interval_options, &options, given);
    if (check_level(options.level) && gt_variable_spec(context, NULL, NULL, variable) &&
        check(context, solution)) {
        gt_Tensor *value = of_variable(context, solution, variable, true);
        gt_Tensor *error = of_variable(context, solution, variable, false);
        if (error)
            band = band_of(solution, value, error, options.level);
    }
    gt_site_leave(&site);
    return band;
}

/* Do the variables have the values of the solution? */
static bool check_values(const gt_Solution *self)
{
    int64_t at = 0;
    for (int32_t i = 0; i < self->count; i++) {
        const gt_Spec *spec = gt_tensor_spec(self->variables[i]);
        const double *data = gt_float64_data(self->variables[i]);
        if (!data)
            return false;
        if (memcmp(data, self->x + at, gt_spec_bytes(spec)) != 0)
            return gt_fail(GT_STATE, "variable %s was changed since it was fitted",
                           gt_variable_label(self->variables[i])) == GT_OK;
        at += spec->size;
    }
    return true;
}

/* sigma^2 of a new measurement, of the value's shape; in units of what the fit had as sigma. */
static gt_Tensor *square_of_sigma(gt_Context *context, const gt_Solution *self, gt_Tensor *sigma,
                                  gt_Shape shape)
{
    if (!sigma && self->weighted) {
        gt_fail(GT_INVALID, "the fit had sigma or weights: a prediction needs the sigma of the new "
                            "measurement");
        return NULL;
    }
    if (!sigma)
        return gt_ones(shape, .dtype = GT_FLOAT64);
    const gt_Spec *spec = gt_tensor_check(context, NULL, NULL, "sigma", sigma);
    const double *data = spec && spec->dtype == GT_FLOAT64 ? gt_float64_data(sigma) : NULL;
    if (spec && spec->dtype != GT_FLOAT64)
        gt_fail(GT_INVALID, "sigma must be float64 (got %s)", gt_dtype_name(spec->dtype));
    for (int64_t i = 0; data && i < spec->size; i++)
        if (!isfinite(data[i]) || data[i] <= 0) {
            gt_fail(GT_INVALID, "sigma must be finite and > 0 (element %lld is %g)", (long long)i,
                    data[i]);
            return NULL;
        }
    return gt_status() == GT_OK ? gt_square(gt_broadcast_to(sigma, shape)) : NULL;
}

static gt_Band confidence_band(gt_Context *context, const gt_Solution *self, gt_FunctionBody model,
                               void *user, const gt_confidence_band_options *options)
{
    const gt_Band none = {NULL, NULL, NULL, NULL};
    gt_Tensor *value = NULL, *j = NULL;
    if (!check_level(options->level) || !check(context, self) || !check_values(self))
        return none;
    if (!model) {
        gt_fail(GT_INVALID, "the model is NULL");
        return none;
    }
    const gt_FunctionOf function = {.body = model,
                                    .user = user,
                                    .inputs = gt_solver_inputs(options->inputs),
                                    .variables = {self->variables, self->count},
                                    .elements = self->report.parameters};
    if (gt_check_function("the model", (uintptr_t)model) != GT_OK ||
        gt_solver_check_inputs(options->inputs) != GT_OK ||
        gt_jacobian_columns(context, &function, GT_JACOBIAN_PASSES_CHEAPER, &value, &j) != GT_OK)
        return none;
    gt_Tensor *variance =
        gt_sum(gt_multiply(j, gt_matmul(covariance(context, self), j)), .axis = 0);
    gt_Shape shape = gt_tensor_shape(value);
    variance = gt_reshape(gt_maximum(variance, 0), shape);
    if (options->prediction) {
        gt_Tensor *square = square_of_sigma(context, self, options->sigma, shape);
        if (!square)
            return none;
        variance = gt_add(variance, gt_multiply(square, factor_of(self)));
    }
    return band_of(self, value, gt_sqrt(variance), options->level);
}

gt_Band gt_confidence_band_at(const char *here, const gt_Solution *solution, gt_FunctionBody model,
                              void *user, const gt_confidence_band_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return (gt_Band){NULL, NULL, NULL, NULL};
    gt_Site site = gt_site_enter(here, "confidence_band");
    gt_confidence_band_options options;
    GT_TAKE(gt_confidence_band_options, &options, given);
    gt_Band band = confidence_band(context, solution, model, user, &options);
    gt_site_leave(&site);
    return band;
}
