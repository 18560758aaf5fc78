/* Least squares: NIST's certified problems, scipy's fits (oracle/make_least_squares.py), variables of every shape, bounds,
 * stops, what is refused, and that iterations allocate nothing. */
#include "data_files.h"
#include "nist.h"
#include "optim/solver.h"
#include "oracle/least_squares.inc"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))
#define near(value, expected, relative)                                                            \
    cr_assert(fabs((value) - (expected)) <= (relative)*fmax(fabs((double)(expected)), 1e-300),     \
              "%s: %.17g, not %.17g", #value, (double)(value), (double)(expected))

typedef struct Decay {
    gt_Tensor *t, *y;
    gt_Variable *a, *k, *c;
} Decay;

static gt_Tensor *decay_model(const Decay *d, gt_Tensor *t)
{
    return gt_add(gt_multiply(d->a, gt_exp(gt_negative(gt_multiply(d->k, t)))), d->c);
}

static gt_Status decay_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    Decay *d = context;
    out[0] = gt_subtract(decay_model(d, d->t), d->y);
    return gt_status();
}

static gt_Status decay_at(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = decay_model(context, in[0]);
    return gt_status();
}

static gt_Variable *number(double value, const char *name)
{
    return gt_variable(gt_scalar(value, GT_FLOAT64), .name = name);
}

static Decay decay(double a, double k, double c)
{
    return (Decay){gt_from_data(oracle_t, gt_shape(40), GT_FLOAT64),
                   gt_from_data(oracle_y, gt_shape(40), GT_FLOAT64), number(a, "a"), number(k, "k"),
                   number(c, "c")};
}

static void free_decay(Decay *d)
{
    gt_variable_free(d->a);
    gt_variable_free(d->k);
    gt_variable_free(d->c);
}

#define ALL(d) gt_tensors((d).a, (d).k, (d).c)

/* ---- values ---- */

Test(least_squares, nist)
{
    const char *source = getenv("GT_TEST_SOURCE");
    char folder[1024];
    static Nist problem;
    int solved = 0, known = 0;
    snprintf(folder, sizeof folder, "%s/tests/data/nist", source ? source : ".");
    for (int p = 0; p < NIST_PROBLEMS; p++) {
        cr_assert(nist_read(&problem, p, folder));
        for (int start = 0; start < 2; start++) {
            gt_Scope *scope = gt_scope_begin();
            NistFit fit;
            nist_begin(&fit, &problem, start);
            gt_Solution *solution =
                gt_least_squares(nist_residual, &fit, ((gt_Tensors){fit.b, problem.parameters}));
            ok();
            double parameters = 11, deviations = 11;
            for (int i = 0; i < problem.parameters; i++) {
                parameters = fmin(parameters, nist_digits(gt_item(fit.b[i]), problem.value[i]));
                deviations =
                    fmin(deviations, nist_digits(gt_item(gt_standard_errors(solution, fit.b[i])),
                                                 problem.deviation[i]));
            }
            ok();
            gt_SolverReport report = gt_solution_report(solution);
            double squares = nist_digits(report.sum_of_squares, problem.sum_of_squares);
            if (parameters < 8 || deviations < 8 || squares < 8)
                fprintf(stderr,
                        "%s from start %d: %.1f digits of parameters, %.1f of deviations, %.1f of "
                        "squares: %s\n",
                        problem.name, start + 1, parameters, deviations, squares, report.message);
            solved += parameters >= 8;
            known += deviations >= 8 && squares >= 8;
            cr_assert(report.converged);
            gt_solution_free(solution);
            nist_end(&fit);
            gt_scope_end(scope);
        }
    }
    /* The squares of Lanczos1 add up to 1.4e-25: of residuals of 1e-13, doubles near 1 have three digits. */
    cr_assert_eq(solved, 54);
    cr_assert_eq(known, 52);
}

Test(least_squares, scipy_losses)
{
    for (int i = 0; i < COUNT(oracle_fits); i++) {
        const Oracle *oracle = &oracle_fits[i];
        for (int geodesic = 0; geodesic < 2; geodesic++) {
            gt_Scope *scope = gt_scope_begin();
            Decay d = decay(2.4, 1.2, 0.5);
            gt_Tensor *sigma = gt_from_data(oracle_sigma, gt_shape(40), GT_FLOAT64);
            gt_Solution *fit = gt_least_squares(
                decay_residual, &d, ALL(d), .loss = oracle->loss, .margin = oracle->margin,
                .sigma = oracle->sigma ? sigma : NULL, .geodesic = geodesic);
            ok();
            near(gt_item(d.a), oracle->x[0], 1e-7);
            near(gt_item(d.k), oracle->x[1], 1e-7);
            near(gt_item(d.c), oracle->x[2], 1e-7);
            near(gt_solution_report(fit).loss, oracle->cost, 1e-11);
            gt_Tensor *covariance = gt_covariance(fit);
            for (int k = 0; k < 9; k++)
                near(gt_element(covariance, k), oracle->covariance[k], 1e-6);
            ok();
            if (oracle->sigma && oracle->loss == GT_ROBUST_LOSS_LINEAR) {
                gt_variable_set(d.a, &(double){2}, sizeof(double));
                gt_Tensor *weights = gt_reciprocal(gt_square(sigma));
                gt_Solution *same = gt_least_squares(decay_residual, &d, ALL(d), .weights = weights,
                                                     .absolute_sigma = true);
                covariance = gt_covariance(same);
                for (int k = 0; k < 9; k++)
                    near(gt_element(covariance, k), oracle_absolute[k], 1e-6);
                gt_solution_free(same);
            }
            gt_solution_free(fit);
            free_decay(&d);
            gt_scope_end(scope);
        }
    }
}

Test(least_squares, bounds)
{
    for (int reverse = 0; reverse < 2; reverse++) {
        Decay d = decay(1, 5, 0); /* k starts outside */
        gt_Solution *fit = gt_least_squares(
            decay_residual, &d, ALL(d), .lower = gt_array64(gt_shape(3), 0, 0, -INFINITY),
            .upper = gt_array64(gt_shape(3), INFINITY, 1, INFINITY),
            .jacobian = reverse ? GT_JACOBIAN_MODE_REVERSE : GT_JACOBIAN_MODE_FORWARD);
        ok();
        gt_Variable *all[] = {d.a, d.k, d.c};
        for (int i = 0; i < 3; i++) {
            near(gt_item(all[i]), oracle_bounded[i], 1e-9);
            near(gt_item(gt_standard_errors(fit, all[i])), oracle_bounded_errors[i], 1e-9);
        }
        gt_SolverReport report = gt_solution_report(fit);
        cr_assert(report.converged && report.at_bounds == 1 && report.rank == 2 &&
                  report.degrees_of_freedom == 38);
        cr_assert(strstr(gt_solution_text(fit), "at a bound"), "%s", gt_solution_text(fit));
        /* All of them held. */
        gt_Solution *held =
            gt_least_squares(decay_residual, &d, ALL(d), .lower = gt_scalar(3, GT_FLOAT64),
                             .upper = gt_scalar(3, GT_FLOAT64));
        ok();
        report = gt_solution_report(held);
        cr_assert(report.converged && report.at_bounds == 3 && report.rank == 0 &&
                      gt_item(d.a) == 3,
                  "%s", report.message);
        gt_solution_free(held);
        gt_solution_free(fit);
        free_decay(&d);
    }
}

/* A lower bound that holds, and one that the slope leads away from: the same as with that parameter frozen there. */
Test(least_squares, lower_bounds)
{
    Decay d = decay(0, 1, 3), e = decay(1, 1, 0.75);
    gt_Solution *fit = gt_least_squares(decay_residual, &d, ALL(d),
                                        .lower = gt_array64(gt_shape(3), 0, -INFINITY, 0.75));
    gt_variable_set_trainable(e.c, false);
    gt_Solution *frozen = gt_least_squares(decay_residual, &e, ALL(e));
    ok();
    gt_SolverReport report = gt_solution_report(fit);
    cr_assert(report.converged && report.at_bounds == 1 && gt_item(d.c) == 0.75, "%s",
              report.message);
    near(gt_item(d.a), gt_item(e.a), 1e-9);
    near(gt_item(d.k), gt_item(e.k), 1e-9);
    near(gt_item(gt_standard_errors(fit, d.k)), gt_item(gt_standard_errors(frozen, e.k)), 1e-8);
    gt_solution_free(fit);
    gt_solution_free(frozen);
    free_decay(&d);
    free_decay(&e);
}

/* Linear problems in a box, 0 to 6 of whose elements end at an edge: they are convex, so the one minimum is where no element
 * can move downwards. */
typedef struct Line {
    gt_Tensor *a, *y;
    gt_Variable *x;
} Line;

static gt_Status line_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    Line *line = context;
    out[0] = gt_subtract(gt_matmul(line->a, line->x), line->y);
    return gt_status();
}

static double draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (double)(*state >> 11) * 0x1p-52 - 1;
}

static gt_Status half_of_squares(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *r = NULL;
    line_residual(context, in, &r);
    out[0] = gt_multiply(gt_sum(gt_square(r)), 0.5);
    return gt_status();
}

static void solve_in_a_box(int n, bool by_gradients, uint64_t *state)
{
    const double edge = 0.6;
    double a[48], y[8], x[6];
    int m = n + 2;
    for (int i = 0; i < m * n; i++)
        a[i] = draw(state);
    for (int i = 0; i < m; i++)
        y[i] = 3 * draw(state);
    for (int i = 0; i < n; i++)
        x[i] = 0.5 * draw(state);
    Line line = {gt_from_data(a, gt_shape(m, n), GT_FLOAT64),
                 gt_from_data(y, gt_shape(m), GT_FLOAT64),
                 gt_variable(gt_from_data(x, gt_shape(n), GT_FLOAT64))};
    gt_Tensor *low = gt_scalar(-edge, GT_FLOAT64), *high = gt_scalar(edge, GT_FLOAT64);
    gt_Tensors all = gt_tensors(line.x);
    gt_Solution *fit =
        by_gradients ? gt_lbfgs(half_of_squares, &line, all, .lower = low, .upper = high)
                     : gt_least_squares(line_residual, &line, all, .lower = low, .upper = high);
    ok();
    cr_assert(gt_solution_report(fit).converged, "n %d: %s", n, gt_solution_text(fit));
    for (int k = 0; k < n; k++) {
        double g = 0, at = gt_element(line.x, k);
        for (int i = 0; i < m; i++) {
            double r = -y[i];
            for (int j = 0; j < n; j++)
                r += a[i * n + j] * gt_element(line.x, j);
            g += a[i * n + k] * r;
        }
        cr_assert(at == -edge  ? g > -1e-6
                  : at == edge ? g < 1e-6
                               : fabs(g) < 1e-6,
                  "n %d: slope %g at %.17g", n, g, at);
    }
    gt_solution_free(fit);
    gt_variable_free(line.x);
}

Test(least_squares, boxes)
{
    uint64_t state = 5;
    for (int trial = 0; trial < 1200; trial++) {
        gt_Scope *scope = gt_scope_begin();
        solve_in_a_box(1 + trial % 6, trial >= 600, &state);
        gt_scope_end(scope);
    }
}

/* Residuals of weight 0 are no data: the same errors as without them (R's nls counts so). */
Test(least_squares, weight_0)
{
    double y[6] = {1, 3, 2, 5, 99, -99}, a[12], w[6] = {1, 1, 1, 1, 0, 0}, error[2];
    for (int i = 0; i < 6; i++)
        a[2 * i] = 1, a[2 * i + 1] = i;
    for (int m = 4; m <= 6; m += 2) {
        Line line = {gt_from_data(a, gt_shape(m, 2), GT_FLOAT64),
                     gt_from_data(y, gt_shape(m), GT_FLOAT64),
                     gt_variable(gt_zeros(gt_shape(2), .dtype = GT_FLOAT64))};
        gt_Solution *fit = gt_least_squares(line_residual, &line, gt_tensors(line.x),
                                            .weights = gt_from_data(w, gt_shape(m), GT_FLOAT64));
        ok();
        cr_assert_eq(gt_solution_report(fit).degrees_of_freedom, 2);
        cr_assert_eq(gt_solution_report(fit).residuals, m);
        error[m / 2 - 2] = gt_element(gt_standard_errors(fit, line.x), 1);
        gt_solution_free(fit);
        gt_variable_free(line.x);
    }
    near(error[1], error[0], 1e-12);
    near(error[0], sqrt(2.7 / 2 / 5), 1e-9); /* squares 2.7, sum (t - mean)^2 = 5 */
}

/* Predictions want the sigma of the measurement if the fit had one; bands want inputs that are tensors. */
Test(least_squares, predictions)
{
    Decay d = decay(1, 1, 0);
    gt_Tensor *at = gt_from_data(oracle_at, gt_shape(3), GT_FLOAT64);
    gt_Tensor *two = gt_scalar(2, GT_FLOAT64), *zero = gt_scalar(0, GT_FLOAT64);
    gt_Solution *plain = gt_least_squares(decay_residual, &d, ALL(d));
#define BAND(fit, ...)                                                                             \
    gt_confidence_band(fit, decay_at, &d, .inputs = gt_tensors(at), .prediction = true, __VA_ARGS__)
    gt_Band one = BAND(plain, .level = 0.9);
    for (int weights = 0; weights < 2; weights++) {
        gt_Solution *fit =
            gt_least_squares(decay_residual, &d, ALL(d), .sigma = weights ? NULL : two,
                             .weights = weights ? gt_scalar(0.25, GT_FLOAT64) : NULL);
        ok();
        refused(BAND(fit, .level = 0.9), GT_INVALID, "sigma of the new measurement");
        gt_Band same = BAND(fit, .level = 0.9, .sigma = two);
        ok();
        for (int i = 0; i < 3; i++)
            near(gt_element(same.upper, i), gt_element(one.upper, i), 1e-9);
        refused(BAND(fit, .sigma = zero), GT_INVALID, "sigma must be finite and > 0");
        refused(BAND(fit, .sigma = gt_array64(gt_shape(3), 1, -1, 1)), GT_INVALID, "element 1");
        refused(BAND(fit, .sigma = gt_scalar(NAN, GT_FLOAT64)), GT_INVALID, "nan");
        refused(BAND(fit, .sigma = gt_ones(gt_shape(2, 3), .dtype = GT_FLOAT64)), GT_INVALID,
                "does not broadcast");
        refused(BAND(fit, .sigma = gt_scalar(1, GT_FLOAT32)), GT_INVALID, "float64");
        gt_solution_free(fit);
        gt_solution_free(plain);
        plain = gt_least_squares(decay_residual, &d, ALL(d));
    }
    refused(gt_confidence_band(plain, decay_at, &d, .inputs = gt_tensors(NULL)), GT_INVALID,
            "an input");
    refused(gt_confidence_band(plain, decay_at, &d, .inputs = ((gt_Tensors){NULL, 2})), GT_INVALID,
            "no list");
    refused(gt_confidence_band(plain, decay_at, &d), GT_INVALID, "");
    gt_solution_free(plain);
    free_decay(&d);
}

Test(least_squares, bands)
{
    Decay d = decay(1, 1, 0);
    gt_Solution *fit = gt_least_squares(decay_residual, &d, ALL(d));
    gt_Tensor *at = gt_from_data(oracle_at, gt_shape(3), GT_FLOAT64);
    gt_Band band = gt_confidence_band(fit, decay_at, &d, .inputs = gt_tensors(at), .level = 0.9);
    gt_Band next = gt_confidence_band(fit, decay_at, &d, .inputs = gt_tensors(at), .level = 0.99,
                                      .prediction = true);
    ok();
    for (int i = 0; i < 3; i++) {
        near(gt_element(band.value, i), oracle_band_value[i], 1e-8);
        near(gt_element(band.standard_error, i), oracle_band_error[i], 1e-7);
        near(gt_element(band.upper, i), oracle_band_upper[i], 1e-8);
        near(gt_element(next.lower, i), oracle_prediction_lower[i], 1e-7);
    }
    gt_Band interval = gt_confidence_interval(fit, d.k, .level = 0.9);
    double error = gt_item(gt_standard_errors(fit, d.k));
    near(gt_item(interval.upper) - gt_item(d.k), error * gt_student_limit(0.9, 37), 1e-9);
    near(gt_item(d.k) - gt_item(interval.lower), error * gt_student_limit(0.9, 37), 1e-9);
    refused(gt_confidence_band(fit, NULL, &d), GT_INVALID, "the model is NULL");
    gt_variable_set(d.k, &(double){2}, sizeof(double));
    refused(gt_confidence_band(fit, decay_at, &d, .inputs = gt_tensors(at)), GT_STATE,
            "k was changed");
    refused(gt_confidence_band(fit, decay_at, &d, .inputs = gt_tensors(at), .level = 1), GT_INVALID,
            "level must be in (0, 1)");
    refused(gt_confidence_interval(fit, d.k, .level = NAN), GT_INVALID, "level must be in (0, 1)");
    refused(gt_standard_errors(fit, at), GT_INVALID, "variable");
    gt_solution_free(fit);
    refused(gt_solution_report(fit), GT_STALE, "freed");
    free_decay(&d);
}

Test(least_squares, student)
{
    for (int i = 0; i < COUNT(oracle_student); i++)
        near(gt_student_limit(oracle_student[i].level, oracle_student[i].degrees),
             oracle_student[i].limit, oracle_student[i].level > 0.9999 ? 1e-6 : 1e-11);
}

/* A network with one hidden layer as the model: variables of several shapes, one of them frozen; both modes. */
typedef struct Net {
    gt_Tensor *x, *y;
    gt_Variable *w[4];
} Net;

static gt_Status net_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Net *net = context;
    gt_Tensor *h = gt_tanh(gt_add(gt_matmul(in[0], net->w[0]), net->w[1]));
    out[0] = gt_subtract(gt_add(gt_matmul(h, net->w[2]), net->w[3]), net->y);
    return gt_status();
}

Test(least_squares, shapes_and_frozen)
{
    double sums[3];
    for (int mode = 0; mode < 3; mode++) {
        Net net = {0};
        double x[30], y[30];
        for (int i = 0; i < 30; i++) {
            x[i] = 0.1 * i - 1.5;
            y[i] = sin(2 * x[i]) + 3;
        }
        net.x = gt_from_data(x, gt_shape(30, 1), GT_FLOAT64);
        net.y = gt_from_data(y, gt_shape(30, 1), GT_FLOAT64);
        net.w[0] = gt_variable(gt_array64(gt_shape(1, 4), 1, -0.5, 0.3, 2), .name = "kernel");
        net.w[1] = gt_variable(gt_array64(gt_shape(4), 0.1, 0.4, -0.3, 0), .name = "bias");
        net.w[2] = gt_variable(gt_array64(gt_shape(4, 1), 1, -0.5, 0.3, 2), .name = "out");
        net.w[3] = gt_variable(gt_array64(gt_shape(1), 3), .name = "offset", .trainable = false);
        gt_Solution *fit = gt_least_squares(
            net_residual, &net, ((gt_Tensors){net.w, 4}), .inputs = gt_tensors(net.x),
            .jacobian = (gt_JacobianMode)mode, .max_iterations = 200);
        ok();
        gt_SolverReport report = gt_solution_report(fit);
        cr_assert(report.parameters == 12 && report.residuals == 30);
        cr_assert(report.sum_of_squares < 1e-5, "%g: %s", report.sum_of_squares, report.message);
        cr_assert(gt_element(net.w[3], 0) == 3);
        refused(gt_standard_errors(fit, net.w[3]), GT_INVALID, "offset is not one that was fitted");
        sums[mode] = report.sum_of_squares;
        gt_solution_free(fit);
        for (int i = 0; i < 4; i++)
            gt_variable_free(net.w[i]);
    }
    cr_assert(sums[0] == sums[1] && fabs(sums[2] - sums[1]) < 1e-6 * fabs(sums[1]) + 1e-7);
}

/* More elements than a loop would be unrolled for, in both modes: y = x^2 by element, 150 of them. */
static gt_Status many_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    gt_Variable *x = context;
    gt_Tensor *off = gt_subtract(
        gt_square(x), gt_reshape(gt_cast(gt_arange(1, 151, 1), GT_FLOAT64), gt_shape(3, 50)));
    out[0] = gt_stack(gt_tensors(off, gt_multiply(off, 2)));
    return gt_status();
}

Test(least_squares, many_parameters)
{
    for (int mode = 1; mode < 3; mode++) {
        gt_Variable *x = gt_variable(gt_full(gt_shape(3, 50), 3, .dtype = GT_FLOAT64), .name = "x");
        gt_Solution *fit =
            gt_least_squares(many_residual, x, gt_tensors(x), .jacobian = (gt_JacobianMode)mode);
        ok();
        cr_assert(gt_solution_report(fit).residuals == 300 && gt_solution_report(fit).rank == 150);
        for (int i = 0; i < 150; i++)
            near(gt_element(x, i), sqrt(i + 1), 1e-12);
        gt_solution_free(fit);
        gt_variable_free(x);
    }
}

/* ---- stops ---- */

static bool count_calls(void *context, const gt_SolverProgress *progress)
{
    int *calls = context;
    (*calls)++;
    return progress->iterations < 3;
}

Test(least_squares, stops)
{
    Decay d = decay(1, 1, 0);
    int calls = 0;
    gt_Solution *fit =
        gt_least_squares(decay_residual, &d, ALL(d), .callback = count_calls, .context = &calls);
    gt_SolverReport report = gt_solution_report(fit);
    cr_assert(calls == 3 && report.stop == GT_STOP_CALLBACK && !report.converged &&
              report.iterations == 3);
    gt_solution_free(fit);
    fit = gt_least_squares(decay_residual, &d, ALL(d), .max_iterations = 1);
    cr_assert(gt_solution_report(fit).stop == GT_STOP_ITERATIONS);
    gt_solution_free(fit);
    gt_variable_set(d.k, &(double){9}, sizeof(double));
    fit = gt_least_squares(decay_residual, &d, ALL(d), .max_evaluations = 3);
    report = gt_solution_report(fit);
    cr_assert(report.stop == GT_STOP_EVALUATIONS && report.evaluations == 3, "%s", report.message);
    gt_solution_free(fit);
    fit = gt_least_squares(decay_residual, &d, ALL(d), .gtol = 1e-3);
    cr_assert(gt_solution_report(fit).stop == GT_STOP_GRADIENT);
    gt_solution_free(fit);
    gt_variable_set(d.k, &(double){9}, sizeof(double));
    fit = gt_least_squares(decay_residual, &d, ALL(d), .ftol = 1e-3);
    cr_assert(gt_solution_report(fit).stop == GT_STOP_VALUE);
    gt_solution_free(fit);
    gt_variable_set(d.k, &(double){9}, sizeof(double));
    fit =
        gt_least_squares(decay_residual, &d, ALL(d), .xtol = 1e-2, .scale = GT_STEP_SCALE_PRESENT);
    cr_assert(gt_solution_report(fit).stop == GT_STOP_STEP);
    gt_solution_free(fit);
    fit = gt_least_squares(decay_residual, &d, ALL(d), .max_iterations = 0);
    report = gt_solution_report(fit);
    cr_assert(report.stop == GT_STOP_ITERATIONS && report.iterations == 0 &&
              report.evaluations == 1);
    gt_solution_free(fit);
    free_decay(&d);
}

/* Exactly solvable, as many residuals as parameters. */
static gt_Status square_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    gt_Tensor *x = context;
    out[0] = gt_subtract(gt_square(x), gt_array64(gt_shape(2), 4, 9));
    return gt_status();
}

Test(least_squares, exact)
{
    gt_Variable *x = gt_variable(gt_array64(gt_shape(2), 1, 1), .name = "x");
    gt_Solution *fit =
        gt_least_squares(square_residual, x, gt_tensors(x), .scale = GT_STEP_SCALE_NONE);
    ok();
    gt_SolverReport report = gt_solution_report(fit);
    cr_assert(report.stop == GT_STOP_ZERO && gt_element(x, 0) == 2 && gt_element(x, 1) == 3,
              "%s %g %.17g", report.message, report.loss, gt_element(x, 1));
    cr_assert(isnan(report.variance) && strstr(gt_solution_text(fit), "x[1]"));
    refused(gt_covariance(fit), GT_NUMERIC, "no degrees of freedom");
    gt_solution_free(fit);
    gt_variable_free(x);
}

/* r = (1 - x, (y - x^2) / 10) from (0, 0): the step of Gauss and Newton ends at (1, 0), the acceleration adds (0, 1), and that is
 * the solution. */
static gt_Status bent_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    gt_Variable *const *x = context;
    out[0] = gt_stack(gt_tensors(gt_subtract(gt_scalar(1, GT_FLOAT64), x[0]),
                                 gt_divide(gt_subtract(x[1], gt_square(x[0])), 10)));
    return gt_status();
}

Test(least_squares, geodesic)
{
    for (int geodesic = 0; geodesic < 2; geodesic++) {
        gt_Variable *x[2] = {number(0, "x"), number(0, "y")};
        gt_Solution *fit =
            gt_least_squares(bent_residual, x, ((gt_Tensors){x, 2}), .geodesic = geodesic);
        ok();
        gt_SolverReport report = gt_solution_report(fit);
        near(gt_item(x[1]), 1, 1e-12);
        cr_assert(geodesic ? report.iterations == 1 : report.iterations > 1, "%d iterations",
                  (int)report.iterations);
        gt_solution_free(fit);
        gt_variable_free(x[0]);
        gt_variable_free(x[1]);
    }
}

/* ---- what is refused ---- */

static gt_Status same_twice(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    Decay *d = context;
    out[0] = gt_subtract(gt_multiply(gt_add(d->a, d->k), d->t), d->y); /* a + k alone, no c */
    return gt_status();
}
static gt_Status root_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    Decay *d = context;
    out[0] =
        gt_add(gt_sqrt(gt_multiply(d->a, d->t)), d->c); /* sqrt(0): its derivative is infinite */
    return gt_status();
}
static gt_Status narrow_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    decay_residual(context, in, out);
    out[0] = gt_cast(out[0], GT_FLOAT32);
    return gt_status();
}
static gt_Status none_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context, (void)in, (void)out;
    return gt_status();
}
static gt_Status failing_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context, (void)in, (void)out;
    return gt_fail(GT_INVALID, "my own reason");
}
static gt_Status solve_inside(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Decay *d = context;
    gt_least_squares(decay_residual, d, ALL(*d));
    out[0] = in[0];
    return gt_status();
}

/* As many residuals as parameters when it is traced at first, one afterwards. */
typedef struct Shifty {
    gt_Variable *x;
    int calls;
} Shifty;

static gt_Status shifty_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    Shifty *shifty = context;
    gt_Tensor *r = gt_subtract(shifty->x, 2);
    out[0] = shifty->calls-- > 0 ? r : gt_slice(r, gt_shape(0), gt_shape(1));
    return gt_status();
}

Test(least_squares, other_size)
{
    gt_Variable *x = gt_variable(gt_zeros(gt_shape(300), .dtype = GT_FLOAT64), .name = "x");
    Shifty shifty = {x, 2};
    refused(gt_least_squares(shifty_residual, &shifty, gt_tensors(x)), GT_INVALID,
            "300 residuals before and 1 now");
    gt_variable_free(x);
}

static gt_Status first_input(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Decay *d = context;
    out[0] = gt_multiply(d->a, in[0]);
    return gt_status();
}

static void unchanged(const Decay *d)
{
    cr_assert(gt_item(d->a) == 1 && gt_item(d->k) == 2 && gt_item(d->c) == 3);
}

Test(least_squares, refused)
{
    Decay d = decay(1, 2, 3);
    gt_Tensor *two = gt_scalar(2, GT_FLOAT64);
    gt_Variable *narrow = gt_variable(gt_scalar(1, GT_FLOAT32), .name = "narrow");
    gt_Variable *frozen = gt_variable(two, .name = "frozen", .trainable = false);
    gt_Variable *infinite = number(INFINITY, "endless");
#define NO(status, text, ...)                                                                      \
    refused(gt_least_squares(__VA_ARGS__), status, text);                                          \
    unchanged(&d)
    NO(GT_INVALID, "the function is NULL", NULL, &d, ALL(d));
    NO(GT_INVALID, "there are no variables", decay_residual, &d, ((gt_Tensors){NULL, 0}));
    NO(GT_INVALID, "a is given twice", decay_residual, &d, gt_tensors(d.a, d.a));
    NO(GT_INVALID, "variable", decay_residual, &d, gt_tensors(d.t));
    NO(GT_INVALID, "narrow must be float64", decay_residual, &d, gt_tensors(d.a, narrow));
    NO(GT_INVALID, "none of the 1 variables is trainable", decay_residual, &d, gt_tensors(frozen));
    NO(GT_INVALID, "endless must start finite", decay_residual, &d, gt_tensors(infinite));
    NO(GT_INVALID, "must be float64 (got float32", narrow_residual, &d, ALL(d));
    NO(GT_INVALID, "least_squares", none_residual, &d, ALL(d));
    NO(GT_INVALID, "my own reason", failing_residual, &d, ALL(d));
    NO(GT_INVALID, "cross (lower 2, upper 1)", decay_residual, &d, ALL(d), .lower = two,
       .upper = gt_scalar(1, GT_FLOAT64));
    NO(GT_INVALID, "as many as parameters, 3", decay_residual, &d, ALL(d),
       .lower = gt_array64(gt_shape(2), 0, 0));
    NO(GT_INVALID, "must not be NaN (element 1 is)", decay_residual, &d, ALL(d),
       .upper = gt_array64(gt_shape(3), 9, NAN, 9));
    NO(GT_INVALID, "sigma must be finite and > 0 (element 0 is 0)", decay_residual, &d, ALL(d),
       .sigma = gt_scalar(0, GT_FLOAT64));
    NO(GT_INVALID, "weights must be finite and >= 0 (element 0 is -1)", decay_residual, &d, ALL(d),
       .weights = gt_scalar(-1, GT_FLOAT64));
    NO(GT_INVALID, "give one of them", decay_residual, &d, ALL(d), .weights = two, .sigma = two);
    NO(GT_INVALID, "absolute_sigma needs", decay_residual, &d, ALL(d), .absolute_sigma = true);
    NO(GT_INVALID, "broadcast", decay_residual, &d, ALL(d),
       .sigma = gt_ones(gt_shape(2, 40), .dtype = GT_FLOAT64));
    NO(GT_INVALID, "(39", decay_residual, &d, ALL(d),
       .sigma = gt_ones(gt_shape(39), .dtype = GT_FLOAT64));
    NO(GT_INVALID, "ftol must be finite and >= 0 (got -1)", decay_residual, &d, ALL(d), .ftol = -1);
    NO(GT_INVALID, "xtol must be", decay_residual, &d, ALL(d), .xtol = NAN);
    NO(GT_INVALID, "gtol must be", decay_residual, &d, ALL(d), .gtol = INFINITY);
    NO(GT_INVALID, "margin must be finite and > 0 (got 0)", decay_residual, &d, ALL(d),
       .margin = 0);
    NO(GT_INVALID, "radius must be", decay_residual, &d, ALL(d), .radius = 0);
    NO(GT_INVALID, "max_iterations must be >= 0 (got -1)", decay_residual, &d, ALL(d),
       .max_iterations = -1);
    NO(GT_INVALID, "max_evaluations must be >= 1", decay_residual, &d, ALL(d),
       .max_evaluations = 0);
    NO(GT_INVALID, "unknown robust loss 9", decay_residual, &d, ALL(d), .loss = (gt_RobustLoss)9);
    NO(GT_INVALID, "unknown scale of steps", decay_residual, &d, ALL(d), .scale = (gt_StepScale)9);
    NO(GT_INVALID, "unknown mode of the Jacobian", decay_residual, &d, ALL(d),
       .jacobian = (gt_JacobianMode)9);
    NO(GT_INVALID, "0 to 64 inputs", decay_residual, &d, ALL(d), .inputs = ((gt_Tensors){NULL, 3}));
    NO(GT_INVALID, "", first_input, &d, ALL(d));               /* there is none */
    gt_variable_set(infinite, &(double){NAN}, sizeof(double)); /* before others, which stay */
    NO(GT_INVALID, "endless must start finite (element 0 is nan)", decay_residual, &d,
       gt_tensors(infinite, d.a, d.k, d.c));
    gt_Tensor *t = d.t, *y = d.y;
    d.t = gt_array64(gt_shape(2), 1, 2), d.y = gt_array64(gt_shape(2), 1, 2);
    NO(GT_INVALID, "at least as many residuals as parameters (got 2 and 3)", decay_residual, &d,
       ALL(d));
    d.t = t, d.y = gt_divide(y, gt_subtract(t, 0.1));
    d.y = gt_array64(gt_shape(4), 1, 2, NAN, 3), d.t = gt_array64(gt_shape(4), 1, 2, 3, 4);
    NO(GT_NUMERIC, "residual 2 is nan at the start", decay_residual, &d, ALL(d));
    d.t = t, d.y = y;
    NO(GT_NUMERIC, "a derivative of the residuals by a is NaN or infinite at the start", root_residual, &d,
       gt_tensors(d.a, d.c));
    gt_Function *function = gt_function(solve_inside, &d);
    gt_Tensor *out;
    refused(gt_function_call(function, gt_tensors(two), &out), GT_STATE,
            "inside a traced function");
    gt_function_free(function);
    unchanged(&d);
    /* Not determined: an answer, of which rank says so, and no covariance. */
    gt_Solution *fit = gt_least_squares(same_twice, &d, ALL(d));
    ok();
    gt_SolverReport report = gt_solution_report(fit);
    cr_assert(report.converged && report.rank == 1 && isinf(report.condition) && gt_item(d.c) == 3);
    refused(gt_covariance(fit), GT_NUMERIC, "rank 1 of 3: the residuals do not determine");
    cr_assert(*gt_solution_text(fit));
    gt_solution_free(fit);
    gt_variable_free(narrow);
    gt_variable_free(frozen);
    gt_variable_free(infinite);
    free_decay(&d);
}

static int64_t accepted;
static bool stop_soon(void *user)
{
    (void)user;
    return accepted >= 2;
}

/* The variables are the last accepted point: its loss is what the callback heard last. */
static bool note_loss(void *context, const gt_SolverProgress *progress)
{
    *(double *)context = progress->loss;
    accepted = progress->iterations;
    return true;
}

Test(least_squares, interrupted)
{
    Decay d = decay(1, 9, 0);
    double heard = -1;
    gt_set_interrupt(stop_soon, NULL);
    refused(gt_least_squares(decay_residual, &d, ALL(d), .callback = note_loss, .context = &heard),
            GT_INTERRUPTED, "least_squares");
    gt_set_interrupt(NULL, NULL);
    gt_Tensor *r = NULL;
    decay_residual(&d, NULL, &r);
    cr_assert(heard > 0 && gt_item(d.k) != 9, "%g", heard);
    near(0.5 * gt_item(gt_sum(gt_square(r))), heard, 1e-12);
    free_decay(&d);
}

/* Under a tape, which sees nothing of it. */
Test(least_squares, under_a_tape)
{
    Decay d = decay(1, 1, 0);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *before = gt_square(d.a);
    gt_Solution *fit = gt_least_squares(decay_residual, &d, ALL(d));
    ok();
    near(gt_item(gt_gradient(tape, before, d.a)), 2, 1e-15);
    cr_assert(gt_solution_report(fit).converged);
    gt_tape_end(tape);
    gt_solution_free(fit);
    free_decay(&d);
}

/* ---- without LAPACK ---- */

Test(least_squares, needs_lapack)
{
    for (int allowed = 0; allowed < 2; allowed++) {
        gt_Context *context =
            gt_context_create(.reproducible = true, .allow_foreign_code = allowed);
        if (!context) { /* this build cannot be reproducible */
            gt_error_clear();
            continue;
        }
        gt_Context *before = gt_context_use(context);
        Decay d = decay(1, 2, 3);
        if (allowed) {
            gt_Solution *fit = gt_least_squares(decay_residual, &d, ALL(d));
            ok();
            near(gt_item(d.a), oracle_fits[0].x[0], 1e-7);
            gt_solution_free(fit);
        } else {
            refused(gt_least_squares(decay_residual, &d, ALL(d)), GT_UNSUPPORTED,
                    "allow_foreign_code");
            unchanged(&d);
        }
        free_decay(&d);
        gt_context_use(before);
        gt_context_free(context);
    }
    setenv("GT_BLAS", "none", 1);
    gt_Context *context = gt_context_create(), *before = gt_context_use(context);
    Decay d = decay(1, 2, 3);
    refused(gt_least_squares(decay_residual, &d, ALL(d)), GT_UNSUPPORTED, "LAPACK from OpenBLAS");
    unchanged(&d);
    free_decay(&d);
    gt_context_use(before);
    gt_context_free(context);
    unsetenv("GT_BLAS");
}

/* ---- memory ---- */

typedef struct Watch {
    int64_t calls, at;
} Watch;

static bool watch_memory(void *context, const gt_SolverProgress *progress)
{
    Watch *watch = context;
    int64_t now = gt_memory_stats().allocator_calls;
    if (progress->iterations > 3)
        cr_assert_eq(now, watch->at, "iteration %d allocated", (int)progress->iterations);
    watch->at = now;
    watch->calls++;
    return true;
}

Test(least_squares, allocates_nothing)
{
    for (int geodesic = 0; geodesic < 2; geodesic++) {
        Decay d = decay(10, 9, 4);
        Watch watch = {0};
        gt_Solution *fit =
            gt_least_squares(decay_residual, &d, ALL(d), .loss = GT_ROBUST_LOSS_CAUCHY,
                             .margin = 0.1, .geodesic = geodesic, .lower = gt_scalar(0, GT_FLOAT64),
                             .callback = watch_memory, .context = &watch);
        ok();
        cr_assert(watch.calls > 6 && watch.calls == gt_solution_report(fit).iterations, "%d",
                  (int)watch.calls);
        gt_solution_free(fit);
        free_decay(&d);
    }
}

static void whole_life(void)
{
    gt_Scope *scope = gt_scope_begin();
    Decay d = decay(1, 1, 0);
    gt_Solution *fit =
        gt_least_squares(decay_residual, &d, ALL(d), .max_iterations = 2, .geodesic = true);
    gt_confidence_band(fit, decay_at, &d, .inputs = gt_tensors(d.t));
    gt_solution_text(fit);
    gt_solution_free(fit);
    free_decay(&d);
    gt_scope_end(scope);
}

Test(least_squares, no_memory)
{
    fail_allocations(whole_life);
}
