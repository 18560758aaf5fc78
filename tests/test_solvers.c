/* gt_lbfgs and gt_newton_cg: minima known in closed form, bounds, variables of several shapes, stops, what is refused, memory. */
#include "data_files.h"
#include "optim/lbfgs_bounds.h"
#include "optim/line_search.h"

#define near(value, expected, error)                                                               \
    cr_assert(fabs((value) - (expected)) <= (error), "%s: %.17g, not %.17g", #value,               \
              (double)(value), (double)(expected))

typedef struct Two {
    gt_Variable *x, *y;
} Two;

static Two two(void)
{
    return (Two){gt_variable(gt_scalar(-1.2, GT_FLOAT64), .name = "x"),
                 gt_variable(gt_scalar(1, GT_FLOAT64), .name = "y")};
}
static void free_two(Two *t)
{
    gt_variable_free(t->x);
    gt_variable_free(t->y);
}

static gt_Status rosenbrock(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    Two *t = context;
    gt_Tensor *bend = gt_subtract(t->y, gt_square(t->x));
    out[0] = gt_add(gt_multiply(gt_square(bend), 100), gt_square(gt_subtract(t->x, 1)));
    return gt_status();
}

typedef gt_Solution *Solve(gt_FunctionBody loss, void *context, gt_Tensors variables,
                           gt_SolverCallback callback, void *user);
static gt_Solution *by_lbfgs(gt_FunctionBody loss, void *context, gt_Tensors variables,
                             gt_SolverCallback callback, void *user)
{
    return gt_lbfgs(loss, context, variables, .callback = callback, .context = user);
}
static gt_Solution *by_bounds(gt_FunctionBody loss, void *context, gt_Tensors variables,
                              gt_SolverCallback callback, void *user)
{
    return gt_lbfgs(loss, context, variables, .lower = gt_scalar(-10, GT_FLOAT64),
                    .callback = callback, .context = user);
}
static gt_Solution *by_newton(gt_FunctionBody loss, void *context, gt_Tensors variables,
                              gt_SolverCallback callback, void *user)
{
    return gt_newton_cg(loss, context, variables, .callback = callback, .context = user);
}
static Solve *const solvers[] = {by_lbfgs, by_bounds, by_newton};
enum { SOLVERS = 3 };

Test(solvers, valley)
{
    for (int i = 0; i < SOLVERS; i++) {
        Two t = two();
        gt_Solution *s = solvers[i](rosenbrock, &t, gt_tensors(t.x, t.y), NULL, NULL);
        ok();
        gt_SolverReport report = gt_solution_report(s);
        cr_assert(report.converged && report.stop == GT_STOP_GRADIENT, "%s", report.message);
        near(gt_item(t.x), 1, 1e-7);
        near(gt_item(t.y), 1, 1e-7);
        cr_assert(report.iterations < 60 && report.evaluations < 90, "%s", gt_solution_text(s));
        cr_assert(strstr(gt_solution_text(s), "converged: the slope"));
        refused(gt_covariance(s), GT_INVALID, "only gt_least_squares");
        gt_solution_free(s);
        free_two(&t);
    }
}

/* sum(c (x - a)^2), neighbours tied by the square of their difference, in a box: 200 elements in two variables. */
typedef struct Box {
    gt_Tensor *a, *c;
    gt_Variable *head, *tail;
} Box;

static gt_Status quadratic(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    Box *b = context;
    gt_Tensor *x = gt_concatenate(gt_tensors(gt_reshape(b->head, gt_shape(-1)), b->tail));
    gt_Tensor *next = gt_slice(x, gt_shape(1), gt_shape(199)),
              *here = gt_slice(x, gt_shape(0), gt_shape(199));
    out[0] = gt_add(gt_sum(gt_multiply(gt_square(gt_subtract(x, b->a)), b->c)),
                    gt_multiply(gt_sum(gt_square(gt_subtract(next, here))), 5));
    return gt_status();
}

/* The problem is convex: a point where no element can move downwards is its one minimum. */
Test(solvers, box)
{
    double a[200], c[200], zero[200] = {0};
    for (int i = 0; i < 200; i++) {
        a[i] = 3 * sin(i);
        c[i] = 1 + 50 * fabs(cos(3 * i));
    }
    for (int memory = 1; memory <= 20; memory += 19) {
        Box b = {gt_from_data(a, gt_shape(200), GT_FLOAT64),
                 gt_from_data(c, gt_shape(200), GT_FLOAT64),
                 gt_variable(gt_from_data(zero, gt_shape(10, 8), GT_FLOAT64), .name = "head"),
                 gt_variable(gt_from_data(zero, gt_shape(120), GT_FLOAT64), .name = "tail")};
        gt_Solution *s =
            gt_lbfgs(quadratic, &b, gt_tensors(b.head, b.tail), .memory = memory, .gtol = 1e-10,
                     .lower = gt_scalar(-1, GT_FLOAT64), .upper = gt_scalar(2, GT_FLOAT64));
        ok();
        gt_SolverReport report = gt_solution_report(s);
        int held = 0;
        double x[200];
        for (int i = 0; i < 200; i++)
            x[i] = i < 80 ? gt_element(b.head, i) : gt_element(b.tail, i - 80);
        for (int i = 0; i < 200; i++) {
            double g = 2 * c[i] * (x[i] - a[i]);
            g += i < 199 ? 10 * (x[i] - x[i + 1]) : 0;
            g += i > 0 ? 10 * (x[i] - x[i - 1]) : 0;
            cr_assert(x[i] >= -1 && x[i] <= 2);
            if (x[i] == -1 || x[i] == 2)
                held++;
            cr_assert(x[i] == -1  ? g > -1e-6
                      : x[i] == 2 ? g < 1e-6
                                  : fabs(g) < 1e-5,
                      "%d: %g, slope %g", i, x[i], g);
        }
        cr_assert(held > 50 && report.converged && report.at_bounds == held, "%s, %d of %d",
                  report.message, (int)report.at_bounds, held);
        cr_assert(report.iterations < (memory == 1 ? 200 : 80), "%s", gt_solution_text(s));
        gt_solution_free(s);
        gt_variable_free(b.head);
        gt_variable_free(b.tail);
    }
}

/* ---- the quadratic model in a box, against the matrix itself ---- */

enum { N = 6 };

static double draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (double)(*state >> 11) * 0x1p-52 - 1;
}

/* B of BFGS by its own recursion from theta I. */
static void matrix_of(const gt_Pairs *pairs, double b[N][N])
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            b[i][j] = i == j ? pairs->theta : 0;
    for (int k = 0; k < pairs->count; k++) {
        const double *s = gt_pair_s(pairs, k), *y = gt_pair_y(pairs, k);
        double bs[N] = {0}, sbs = 0, sy = 0;
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++)
                bs[i] += b[i][j] * s[j];
            sbs += s[i] * bs[i];
            sy += s[i] * y[i];
        }
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                b[i][j] += y[i] * y[j] / sy - bs[i] * bs[j] / sbs;
    }
}

static double model_at(double b[N][N], const double *g, const double *d)
{
    double value = 0;
    for (int i = 0; i < N; i++) {
        value += g[i] * d[i];
        for (int j = 0; j < N; j++)
            value += 0.5 * d[i] * b[i][j] * d[j];
    }
    return value;
}

static void path_at(double t, const double *x, const double *g, const double *low,
                    const double *high, double *d)
{
    for (int i = 0; i < N; i++)
        d[i] = fmin(fmax(x[i] - t * g[i], low[i]), high[i]) - x[i];
}

Test(solvers, model_in_a_box)
{
    uint64_t state = 7;
    int bent = 0;
    for (int trial = 0; trial < 60; trial++) {
        gt_Context *context = gt_context();
        static double vectors[2 * 3 * N], work_vectors[GT_BOUNDS_VECTORS * N];
        gt_Pairs pairs;
        gt_BoundsWork work;
        double x[N], g[N], low[N], high[N], next[N], g_next[N], a[N][N], b[N][N], d[N], step[N];
        cr_assert_eq(gt_pairs_open(&pairs, context, N, 3, vectors), GT_OK);
        gt_bounds_open(&work, context, N, 3, true, work_vectors);
        for (int i = 0; i < N; i++)
            for (int j = 0; j <= i; j++)
                a[i][j] = a[j][i] = i == j ? 3 + 2 * draw(&state) : 0.3 * draw(&state);
        for (int pair = 0; pair < trial % 5; pair++) {
            for (int i = 0; i < N; i++) {
                x[i] = g[i] = g_next[i] = 0;
                next[i] = draw(&state);
            }
            for (int i = 0; i < N; i++)
                for (int j = 0; j < N; j++)
                    g_next[i] += a[i][j] * next[j];
            gt_pairs_add(&pairs, x, next, g, g_next);
        }
        cr_assert_eq(pairs.count, trial % 5 < 3 ? trial % 5 : 3);
        for (int i = 0; i < N; i++) {
            low[i] = -fabs(draw(&state)) - 0.01;
            high[i] = fabs(draw(&state)) + 0.01;
            x[i] = i == 0 ? low[i] : low[i] + (high[i] - low[i]) * 0.5 * (1 + 0.9 * draw(&state));
            g[i] = 3 * draw(&state);
        }
        matrix_of(&pairs, b);
        cr_assert(gt_bounds_direction(&work, &pairs, x, g, low, high, step));
        /* The first minimum along the bent path. */
        double best = 0, value = 0, t = 0;
        const double span = 1e-5;
        for (t = span; t < 4; t += span) {
            path_at(t, x, g, low, high, d);
            double now = model_at(b, g, d);
            if (now > value)
                break;
            value = now;
            best = t;
        }
        path_at(best, x, g, low, high, d);
        double cauchy[N];
        for (int i = 0; i < N; i++) {
            cauchy[i] = work.cauchy[i] - x[i];
            cr_assert(fabs(cauchy[i] - d[i]) < 1e-4, "%d: %g, not %g", trial, cauchy[i], d[i]);
            bent += work.cauchy[i] == low[i] || work.cauchy[i] == high[i];
        }
        /* The step goes no higher, stays inside, and if no new bound stopped it, is the minimum over what is free. */
        cr_assert(model_at(b, g, step) <= model_at(b, g, cauchy) + 1e-12);
        bool stopped = false;
        for (int i = 0; i < N; i++) {
            double end = x[i] + step[i];
            cr_assert(end >= low[i] - 1e-15 && end <= high[i] + 1e-15);
            bool free = work.cauchy[i] > low[i] && work.cauchy[i] < high[i];
            stopped |= free && (fabs(end - low[i]) < 1e-14 || fabs(end - high[i]) < 1e-14);
        }
        for (int i = 0; i < N && !stopped; i++) {
            double slope = g[i];
            for (int j = 0; j < N; j++)
                slope += b[i][j] * step[j];
            if (work.cauchy[i] > low[i] && work.cauchy[i] < high[i])
                cr_assert(fabs(slope) < 1e-10, "%d: %g", trial, slope);
        }
        gt_pairs_close(&pairs, context);
        gt_bounds_close(&work, context);
    }
    cr_assert(bent > 60);
}

/* Rosenbrock with y <= 0.5 and x <= 2: the minimum on the edge. Where the loss has no value, sqrt, steps are shortened. */
Test(solvers, edge)
{
    Two t = two();
    gt_Solution *s =
        gt_lbfgs(rosenbrock, &t, gt_tensors(t.x, t.y), .upper = gt_array64(gt_shape(2), 2, 0.5),
                 .lower = gt_array64(gt_shape(2), 0, -INFINITY));
    ok();
    /* 400 x^3 - 198 x - 2 = 0 */
    double x = 0.7;
    for (int i = 0; i < 50; i++)
        x -= (400 * x * x * x - 198 * x - 2) / (1200 * x * x - 198);
    near(gt_item(t.x), x, 1e-8);
    cr_assert(gt_item(t.y) == 0.5);
    gt_SolverReport report = gt_solution_report(s);
    cr_assert(report.converged && report.at_bounds == 1, "%s", report.message);
    gt_solution_free(s);
    free_two(&t);
}

static gt_Status barrier(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    Two *t = context; /* x - log(x) + y^2: a minimum at 1, no value below 0 */
    out[0] = gt_add(gt_subtract(t->x, gt_log(t->x)), gt_square(t->y));
    return gt_status();
}

Test(solvers, outside_of_the_domain)
{
    for (int i = 0; i < SOLVERS; i++) {
        Two t = two();
        gt_variable_set(t.x, &(double){20}, sizeof(double));
        gt_Solution *s = solvers[i](barrier, &t, gt_tensors(t.x, t.y), NULL, NULL);
        ok();
        near(gt_item(t.x), 1, 1e-7);
        gt_solution_free(s);
        free_two(&t);
    }
}

/* A saddle where it starts: only curvature leads away. cos(x) + y^2 from x = 0.001. */
static gt_Status saddle(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    Two *t = context;
    out[0] = gt_add(gt_cos(t->x), gt_square(t->y));
    return gt_status();
}

Test(solvers, negative_curvature)
{
    Two t = two();
    gt_variable_set(t.x, &(double){1e-3}, sizeof(double));
    gt_Solution *s = gt_newton_cg(saddle, &t, gt_tensors(t.x, t.y));
    ok();
    gt_SolverReport report = gt_solution_report(s);
    near(report.loss, -1, 1e-14);
    cr_assert(report.converged && report.iterations < 20 && report.hessian_products > 0);
    gt_solution_free(s);
    free_two(&t);
}

/* ---- the line search ---- */

/* The six functions of Moré and Thuente (1994), section 5; slopes in closed form. */
static void test_function(int which, double a, double *value, double *slope)
{
    static const double beta_1[] = {0, 0, 0, 0.001, 0.01, 0.001},
                        beta_2[] = {0, 0, 0, 0.001, 0.001, 0.01};
    if (which == 0) {
        *value = -a / (a * a + 2);
        *slope = (a * a - 2) / ((a * a + 2) * (a * a + 2));
    } else if (which == 1) {
        double t = a + 0.004;
        *value = pow(t, 5) - 2 * pow(t, 4);
        *slope = 5 * pow(t, 4) - 8 * pow(t, 3);
    } else if (which == 2) {
        const double beta = 0.01, l = 39;
        double wave = 2 * (1 - beta) / (l * 3.14159265358979323846) *
                      sin(l * 3.14159265358979323846 / 2 * a),
               steep = (1 - beta) * cos(l * 3.14159265358979323846 / 2 * a);
        *value = (a <= 1 - beta   ? 1 - a
                  : a >= 1 + beta ? a - 1
                                  : (a - 1) * (a - 1) / (2 * beta) + beta / 2) +
                 wave;
        *slope = (a <= 1 - beta ? -1 : a >= 1 + beta ? 1 : (a - 1) / beta) + steep;
    } else {
        double b1 = beta_1[which], b2 = beta_2[which], g1 = sqrt(1 + b1 * b1) - b1,
               g2 = sqrt(1 + b2 * b2) - b2;
        double first = sqrt((1 - a) * (1 - a) + b2 * b2), second = sqrt(a * a + b1 * b1);
        *value = g1 * first + g2 * second;
        *slope = -g1 * (1 - a) / first + g2 * a / second;
    }
}

typedef struct Line {
    int which, calls;
} Line;

static bool evaluate_line(void *user, gt_LinePoint *at)
{
    Line *line = user;
    line->calls++;
    test_function(line->which, at->step, &at->value, &at->slope);
    return true;
}

Test(solvers, line_search)
{
    static const double decrease[] = {0.001, 0.1, 0.1, 0.001, 0.001, 0.001},
                        curvature[] = {0.1, 0.1, 0.1, 0.001, 0.001, 0.001};
    for (int which = 0; which < 6; which++)
        for (double first = 1e-3; first < 2e3; first *= 100) {
            Line line = {which, 0};
            gt_LinePoint start = {0, 0, 0}, best;
            bool stale;
            test_function(which, 0, &start.value, &start.slope);
            gt_LineSearch search = {.decrease = decrease[which],
                                    .curvature = curvature[which],
                                    .most = 1e20,
                                    .evaluations = 40,
                                    .evaluate = evaluate_line,
                                    .user = &line};
            bool found = gt_line_search(&search, start, first, &best, &stale);
            cr_assert(found && !stale, "%d from %g", which, first);
            cr_assert(best.value <= start.value + decrease[which] * best.step * start.slope,
                      "%d from %g", which, first);
            cr_assert(fabs(best.slope) <= curvature[which] * -start.slope, "%d from %g: %g", which,
                      first, best.slope);
            cr_assert(line.calls <= 20, "%d from %g: %d calls", which, first, line.calls);
        }
    /* A step may not be longer than `most`, where the slope is still negative. */
    Line line = {0, 0};
    gt_LinePoint start = {0, 0, -0.5}, best;
    bool stale;
    gt_LineSearch search = {.decrease = 0.001,
                            .curvature = 0.1,
                            .most = 0.5,
                            .evaluations = 40,
                            .evaluate = evaluate_line,
                            .user = &line};
    cr_assert(gt_line_search(&search, start, 0.1, &best, &stale) && best.step == 0.5);
}

/* ---- stops ---- */

static bool three(void *context, const gt_SolverProgress *progress)
{
    (void)context;
    return progress->iterations < 3;
}

/* -x^2 - y^2 with the gradient of x^2 + y^2, a lie: nothing is better downhill. */
static gt_Status lie(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    Two *t = context;
    gt_Tensor *square = gt_add(gt_square(t->x), gt_square(t->y));
    out[0] = gt_subtract(square, gt_multiply(gt_stop_gradient(square), 2));
    return gt_status();
}

Test(solvers, stops)
{
    Two t = two();
    gt_SolverReport report;
#define ENDS(why, call)                                                                            \
    do {                                                                                           \
        gt_variable_set(t.x, &(double){-1.2}, sizeof(double));                                     \
        gt_variable_set(t.y, &(double){1}, sizeof(double));                                        \
        gt_Solution *s = call;                                                                     \
        ok();                                                                                      \
        report = gt_solution_report(s);                                                            \
        cr_assert(report.stop == (why), "%s", report.message);                                     \
        gt_solution_free(s);                                                                       \
    } while (0)
    gt_Tensors all = gt_tensors(t.x, t.y);
    ENDS(GT_STOP_CALLBACK, gt_lbfgs(rosenbrock, &t, all, .callback = three));
    ENDS(GT_STOP_CALLBACK, gt_newton_cg(rosenbrock, &t, all, .callback = three));
    cr_assert(report.iterations == 3 && !report.converged);
    ENDS(GT_STOP_ITERATIONS, gt_lbfgs(rosenbrock, &t, all, .max_iterations = 2));
    ENDS(GT_STOP_ITERATIONS, gt_newton_cg(rosenbrock, &t, all, .max_iterations = 2));
    ENDS(GT_STOP_EVALUATIONS, gt_lbfgs(rosenbrock, &t, all, .max_evaluations = 4));
    cr_assert(report.evaluations == 4);
    ENDS(GT_STOP_EVALUATIONS, gt_newton_cg(rosenbrock, &t, all, .max_evaluations = 4));
    cr_assert(report.evaluations == 4);
    ENDS(GT_STOP_VALUE, gt_lbfgs(rosenbrock, &t, all, .ftol = 0.5));
    ENDS(GT_STOP_VALUE, gt_newton_cg(rosenbrock, &t, all, .ftol = 0.5));
    ENDS(GT_STOP_STEP, gt_lbfgs(rosenbrock, &t, all, .xtol = 0.5));
    ENDS(GT_STOP_NO_PROGRESS, gt_lbfgs(lie, &t, all));
    ENDS(GT_STOP_NO_PROGRESS, gt_newton_cg(lie, &t, all));
    free_two(&t);
}

/* Nothing but rounding is left: gtol 0 on a minimum that is not 0. */
Test(solvers, rounding)
{
    for (int newton = 0; newton < 2; newton++) {
        Two t = two();
        gt_variable_set(t.x, &(double){3}, sizeof(double));
        gt_Solution *s = newton ? gt_newton_cg(barrier, &t, gt_tensors(t.x, t.y), .gtol = 0)
                                : gt_lbfgs(barrier, &t, gt_tensors(t.x, t.y), .gtol = 0);
        ok();
        gt_SolverReport report = gt_solution_report(s);
        cr_assert(report.converged && report.iterations < 60, "%d: %s", newton, report.message);
        near(gt_item(t.x), 1, 1e-7);
        gt_solution_free(s);
        free_two(&t);
    }
}

/* Rosenbrock of factor * (scale x, scale y), plus an offset. */
typedef struct Scaled {
    Two at;
    double scale, factor, offset;
} Scaled;

static gt_Status scaled(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    Scaled *s = context;
    gt_Tensor *x = gt_multiply(s->at.x, s->scale), *y = gt_multiply(s->at.y, s->scale);
    gt_Tensor *bend = gt_subtract(y, gt_square(x));
    gt_Tensor *loss = gt_add(gt_multiply(gt_square(bend), 100), gt_square(gt_subtract(x, 1)));
    out[0] = gt_add(gt_multiply(loss, s->factor), s->offset);
    return gt_status();
}

/* It arrives at (1, 1), to `error`, and says so; once more from there it is still there. */
static void arrives(int solver, Scaled s, double error)
{
    s.at = two();
    double start[2] = {-1.2 / s.scale, 1 / s.scale};
    gt_variable_set(s.at.x, &start[0], sizeof(double));
    gt_variable_set(s.at.y, &start[1], sizeof(double));
    for (int again = 0; again < 2; again++) {
        gt_Solution *found = solvers[solver](scaled, &s, gt_tensors(s.at.x, s.at.y), NULL, NULL);
        ok();
        cr_assert(gt_solution_report(found).converged &&
                      fabs(gt_item(s.at.x) * s.scale - 1) <= error &&
                      fabs(gt_item(s.at.y) * s.scale - 1) <= error,
                  "%d, scale %g, factor %g, offset %g, again %d: %.9g %.9g, %s", solver, s.scale,
                  s.factor, s.offset, again, gt_item(s.at.x) * s.scale, gt_item(s.at.y) * s.scale,
                  gt_solution_text(found));
        gt_solution_free(found);
    }
    free_two(&s.at);
}

/* The units of the variables and of the loss do not decide, nor does what is added to it: rounding of the sum does. */
Test(solvers, scales)
{
    static const double factors[] = {1e-14, 1e-10, 1e-6, 1, 1e6, 1e12, 1e15},
                        scales[] = {1e-3, 0.1, 1, 1e3, 1e6, 1e8, 1e10}, offsets[] = {-1e6, 1e8};
    for (int i = 0; i < SOLVERS; i++) {
        for (int k = 0; k < 7; k++)
            arrives(i, (Scaled){.scale = 1, .factor = factors[k]}, 1e-4);
        for (int k = 0; k < 7; k++)
            if (i == 0 || scales[k] >= (i == 1 ? 0.2 : 1)) /* a box of 10; a first step of 1 */
                arrives(i, (Scaled){.scale = scales[k], .factor = 1}, 1e-4);
        for (int k = 0; k < 2; k++)
            arrives(i, (Scaled){.scale = 1, .factor = 1, .offset = offsets[k]}, k ? 2e-2 : 2e-3);
    }
}

/* ---- what is refused ---- */

static gt_Status vector_loss(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    Two *t = context;
    out[0] = gt_stack(gt_tensors(t->x, t->y));
    return gt_status();
}
static gt_Status constant_loss(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context, (void)in;
    out[0] = gt_scalar(1, GT_FLOAT64);
    return gt_status();
}
static gt_Status log_loss(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    Two *t = context;
    out[0] = gt_log(gt_add(t->x, gt_multiply(t->y, 0)));
    return gt_status();
}
static gt_Status root_loss(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    Two *t = context;
    out[0] = gt_sqrt(gt_multiply(t->y, 0));
    return gt_status();
}
static gt_Status narrow_loss(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    rosenbrock(context, in, out);
    out[0] = gt_cast(out[0], GT_FLOAT32);
    return gt_status();
}

Test(solvers, refused)
{
    Two t = two();
    gt_Tensors all = gt_tensors(t.x, t.y);
#define NO(status, text, call)                                                                     \
    refused(call, status, text);                                                                   \
    cr_assert(gt_item(t.x) == -1.2 && gt_item(t.y) == 1)
#define BOTH(status, text, ...)                                                                    \
    NO(status, text, gt_lbfgs(__VA_ARGS__));                                                       \
    NO(status, text, gt_newton_cg(__VA_ARGS__))
    BOTH(GT_INVALID, "the function is NULL", NULL, &t, all);
    BOTH(GT_INVALID, "there are no variables", rosenbrock, &t, ((gt_Tensors){NULL, 0}));
    BOTH(GT_INVALID, "the loss must be one number", vector_loss, &t, all);
    BOTH(GT_NO_GRADIENT, "", constant_loss, &t, all);
    BOTH(GT_NUMERIC, "the loss is", log_loss, &t, all);
    BOTH(GT_NUMERIC, "of the gradient, by ", root_loss, &t, all);
    BOTH(GT_INVALID, "float64 (got float32", narrow_loss, &t, all);
    gt_Variable *nan = gt_variable(gt_scalar(NAN, GT_FLOAT64), .name = "none");
    BOTH(GT_INVALID, "none must start finite", rosenbrock, &t, gt_tensors(nan, t.x, t.y));
    gt_variable_free(nan);
    BOTH(GT_INVALID, "ftol must be", rosenbrock, &t, all, .ftol = -1);
    BOTH(GT_INVALID, "xtol must be", rosenbrock, &t, all, .xtol = NAN);
    BOTH(GT_INVALID, "gtol must be", rosenbrock, &t, all, .gtol = INFINITY);
    BOTH(GT_INVALID, "max_iterations must be", rosenbrock, &t, all, .max_iterations = -3);
    BOTH(GT_INVALID, "max_evaluations must be", rosenbrock, &t, all, .max_evaluations = -3);
    NO(GT_INVALID, "memory must be 1 to 100 (got 0)", gt_lbfgs(rosenbrock, &t, all, .memory = 0));
    NO(GT_INVALID, "memory must be 1 to 100 (got 101)",
       gt_lbfgs(rosenbrock, &t, all, .memory = 101));
    NO(GT_INVALID, "cross",
       gt_lbfgs(rosenbrock, &t, all, .lower = gt_scalar(1, GT_FLOAT64),
                .upper = gt_scalar(0, GT_FLOAT64)));
    NO(GT_INVALID, "as many as parameters, 2",
       gt_lbfgs(rosenbrock, &t, all, .lower = gt_ones(gt_shape(3), .dtype = GT_FLOAT64)));
    NO(GT_INVALID, "radius must be", gt_newton_cg(rosenbrock, &t, all, .radius = -1));
    NO(GT_INVALID, "max_products must be", gt_newton_cg(rosenbrock, &t, all, .max_products = 0));
    free_two(&t);
}

static int64_t accepted;
static double heard;
static bool stop_soon(void *user)
{
    (void)user;
    return accepted >= 4;
}
static bool note(void *context, const gt_SolverProgress *progress)
{
    (void)context;
    accepted = progress->iterations;
    heard = progress->loss;
    return true;
}

Test(solvers, interrupted)
{
    for (int i = 0; i < SOLVERS; i++) {
        Two t = two();
        accepted = 0;
        gt_set_interrupt(stop_soon, NULL);
        refused(solvers[i](rosenbrock, &t, gt_tensors(t.x, t.y), note, NULL), GT_INTERRUPTED,
                "interrupted");
        gt_set_interrupt(NULL, NULL);
        gt_Tensor *loss = NULL;
        rosenbrock(&t, NULL, &loss);
        cr_assert(accepted == 4 && gt_item(loss) == heard, "%g %g", gt_item(loss), heard);
        free_two(&t);
    }
}

/* ---- memory ---- */

static int64_t calls;
static bool watch_memory(void *context, const gt_SolverProgress *progress)
{
    calls++;
    int64_t *last = context, now = gt_memory_stats().allocator_calls;
    if (progress->iterations > 3)
        cr_assert_eq(now, *last, "iteration %d allocated", (int)progress->iterations);
    *last = now;
    return true;
}

Test(solvers, allocate_nothing)
{
    for (int i = 0; i < SOLVERS; i++) {
        Two t = two();
        int64_t last = calls = 0;
        gt_Solution *s = solvers[i](rosenbrock, &t, gt_tensors(t.x, t.y), watch_memory, &last);
        ok();
        cr_assert(gt_solution_report(s).iterations > 5 &&
                  gt_solution_report(s).iterations == calls);
        gt_solution_free(s);
        free_two(&t);
    }
}

static void whole_life(void)
{
    gt_Scope *scope = gt_scope_begin();
    Two t = two();
    for (int i = 0; i < SOLVERS; i++)
        gt_solution_free(solvers[i](rosenbrock, &t, gt_tensors(t.x, t.y), three, NULL));
    free_two(&t);
    gt_scope_end(scope);
}

Test(solvers, no_memory)
{
    fail_allocations(whole_life);
}
