/* What the solvers are made of; solver.h has the order of calls. */
#include "optim/solver.h"
#include "core/fact.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- vectors ---- */

double gt_vector_dot(int64_t n, const double *a, const double *b)
{
    double sum[4] = {0, 0, 0, 0};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++)
            sum[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        sum[0] += a[i] * b[i];
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

/* Where squares overflow or vanish, of elements that are divided by the largest. */
double gt_vector_norm(int64_t n, const double *a)
{
    double square = gt_vector_dot(n, a, a), largest = 0;
    if (square > 1e-280 && square < 1e280)
        return sqrt(square);
    for (int64_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(a[i]));
    if (largest == 0 || !isfinite(largest))
        return square == 0 ? 0 : square;
    square = 0;
    for (int64_t i = 0; i < n; i++)
        square += a[i] / largest * (a[i] / largest);
    return largest * sqrt(square);
}

void gt_vector_add(int64_t n, double factor, const double *x, double *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += factor * x[i];
}

/* ---- checks ---- */

gt_Status gt_solver_check_option(const char *name, double value, bool may_be_zero)
{
    if (isfinite(value) && (may_be_zero ? value >= 0 : value > 0))
        return GT_OK;
    return gt_fail(GT_INVALID, "%s must be finite and %s 0 (got %g)", name,
                   may_be_zero ? ">=" : ">", value);
}

gt_Status gt_solver_check_inputs(gt_Tensors inputs)
{
    if (inputs.count < 0 || inputs.count > GT_MAX_INPUTS || (inputs.count > 0 && !inputs.items))
        return gt_fail(GT_INVALID, "there may be 0 to %d inputs (got %d%s)", GT_MAX_INPUTS,
                       (int)inputs.count, inputs.items ? "" : ", and no list");
    for (int32_t i = 0; i < inputs.count; i++)
        if (!gt_tensor_check(gt_context(), NULL, NULL, "an input", inputs.items[i]))
            break;
    return gt_status();
}

gt_Tensors gt_solver_inputs(gt_Tensors given)
{
    static gt_Tensor *const nothing[GT_MAX_INPUTS] = {NULL};
    return given.count > 0 ? given : (gt_Tensors){nothing, 0};
}

static gt_Status check_common(const gt_SolverCommon *common)
{
    if (common->max_iterations < 0)
        return gt_fail(GT_INVALID, "max_iterations must be >= 0 (got %lld)",
                       (long long)common->max_iterations);
    if (common->max_evaluations != GT_NONE && common->max_evaluations < 1)
        return gt_fail(GT_INVALID, "max_evaluations must be >= 1, or GT_NONE (got %lld)",
                       (long long)common->max_evaluations);
    return gt_solver_check_inputs(common->inputs);
}

/* The trainable ones become the solution's; n their elements. */
static gt_Status take_variables(gt_Solver *self, gt_Tensors variables)
{
    gt_Context *context = self->context;
    gt_Solution *solution = self->solution;
    if (variables.count < 1 || !variables.items)
        return gt_fail(GT_INVALID,
                       "there are no variables; layers have theirs once they are built");
    solution->variables =
        gt_allocate_zeroed(context, (size_t)variables.count * sizeof(gt_Variable *));
    if (!solution->variables)
        return gt_context_status(context);
    solution->room = variables.count;
    for (int32_t i = 0; i < variables.count; i++) {
        gt_Variable *variable = variables.items[i];
        const gt_Spec *spec = gt_variable_spec(context, NULL, NULL, variable);
        if (!spec)
            return gt_context_status(context);
        if (!gt_ask_trainable(context, variable) || spec->size == 0)
            continue;
        if (spec->dtype != GT_FLOAT64)
            return gt_fail(GT_INVALID,
                           "variable %s must be float64, in which solvers work (got %s)",
                           gt_variable_label(variable), gt_dtype_name(spec->dtype));
        for (int32_t k = 0; k < solution->count; k++)
            if (solution->variables[k] == variable)
                return gt_fail(GT_INVALID, "variable %s is given twice",
                               gt_variable_label(variable));
        gt_variable_retain(variable);
        solution->variables[solution->count++] = variable;
        self->n += spec->size;
    }
    self->function.variables = (gt_Tensors){solution->variables, solution->count};
    self->function.elements = self->n;
    if (solution->count == 0)
        return gt_fail(GT_INVALID, "none of the %d variables is trainable and has elements",
                       (int)variables.count);
    return gt_context_status(context);
}

/* Bounds as a vector; NULL gives `none` everywhere. */
static gt_Status take_bound(gt_Solver *self, const char *what, gt_Tensor *bound, double none,
                            double *into)
{
    const gt_Spec *spec = bound ? gt_tensor_check(self->context, NULL, NULL, what, bound) : NULL;
    if (bound && !spec)
        return gt_context_status(self->context);
    if (spec && (spec->dtype != GT_FLOAT64 || (spec->size != 1 && spec->size != self->n))) {
        char text[200];
        return gt_fail(GT_INVALID,
                       "%s must be float64, one number or as many as parameters, %lld (got %s)",
                       what, (long long)self->n, gt_spec_text(spec, text, sizeof text));
    }
    const double *data = spec ? gt_float64_data(bound) : NULL;
    for (int64_t i = 0; i < self->n && gt_context_status(self->context) == GT_OK; i++) {
        into[i] = data ? data[spec->size == 1 ? 0 : i] : none;
        if (isnan(into[i]))
            return gt_fail(GT_INVALID, "%s must not be NaN (element %lld is)", what, (long long)i);
    }
    return gt_context_status(self->context);
}

static gt_Status take_bounds(gt_Solver *self, gt_Tensor *lower, gt_Tensor *upper)
{
    if (take_bound(self, "lower", lower, -INFINITY, self->lower) != GT_OK ||
        take_bound(self, "upper", upper, INFINITY, self->upper) != GT_OK)
        return gt_status();
    for (int64_t i = 0; i < self->n; i++)
        if (self->lower[i] > self->upper[i] || self->lower[i] == INFINITY ||
            self->upper[i] == -INFINITY)
            return gt_fail(GT_INVALID, "the bounds of parameter %lld cross (lower %g, upper %g)",
                           (long long)i, self->lower[i], self->upper[i]);
    return GT_OK;
}

/* ---- opening and closing ---- */

static gt_Status make_room(gt_Solver *self, bool bounds, int64_t wanted)
{
    int64_t vectors = 2 + (bounds ? 2 : 0) + wanted;
    if (self->n > INT32_MAX || vectors > INT64_MAX / 8 / self->n)
        return gt_fail(GT_NO_MEMORY, "%lld parameters are too many", (long long)self->n);
    self->block_bytes = (size_t)(vectors * self->n) * sizeof(double);
    self->block = gt_allocate_zeroed(self->context, self->block_bytes);
    if (!self->block)
        return gt_context_status(self->context);
    double *next = self->block;
    self->x = next, next += self->n;
    self->trial = next, next += self->n;
    if (bounds) {
        self->lower = next, next += self->n;
        self->upper = next, next += self->n;
    }
    self->more = next;
    return GT_OK;
}

static gt_Status read_start(gt_Solver *self)
{
    int64_t at = 0;
    for (int32_t i = 0; i < self->function.variables.count; i++) {
        gt_Variable *variable = self->solution->variables[i];
        int64_t size = gt_tensor_spec(variable)->size;
        const double *data = gt_float64_data(variable);
        if (!data)
            return gt_context_status(self->context);
        memcpy(self->x + at, data, (size_t)size * sizeof(double));
        for (int64_t k = 0; k < size; k++)
            if (!isfinite(data[k]))
                return gt_fail(GT_INVALID, "variable %s must start finite (element %lld is %g)",
                               gt_variable_label(variable), (long long)k, data[k]);
        at += size;
    }
    self->started = true;
    return gt_context_status(self->context);
}

bool gt_solver_open(gt_Solver *self, gt_FunctionBody function, void *user, gt_Tensors variables,
                    const gt_SolverCommon *common, gt_Tensor *lower, gt_Tensor *upper,
                    int64_t wanted)
{
    gt_Context *context = self->context;
    self->common = *common;
    self->function =
        (gt_FunctionOf){.body = function, .user = user, .inputs = gt_solver_inputs(common->inputs)};
    if (gt_tracing(context) || gt_context_frame(context))
        return gt_fail(GT_STATE, "it cannot run inside a traced function or the call of a layer") ==
               GT_OK;
    if (!function)
        return gt_fail(GT_INVALID, "the function is NULL") == GT_OK;
    if (gt_check_function("the function", (uintptr_t)function) != GT_OK ||
        check_common(common) != GT_OK)
        return false;
    self->hushed = gt_tape_quiet(context); /* plans run as plans, whoever records */
    self->quiet = true;
    self->solution = gt_object_new(context, &gt_solution_kind, sizeof *self->solution);
    if (!self->solution || take_variables(self, variables) != GT_OK ||
        make_room(self, lower || upper, wanted) != GT_OK || read_start(self) != GT_OK ||
        ((lower || upper) && take_bounds(self, lower, upper) != GT_OK))
        return false;
    gt_solver_project(self, self->x);
    return gt_solver_set(self, self->x) == GT_OK;
}

/* Calls the callback, once an iteration, while the variables hold x. What it assigns to them is undone. */
static void tell(gt_Solver *self)
{
    gt_SolverProgress *progress = &self->progress;
    bool told = self->told == self->iterations || !self->common.callback;
    progress->iterations = self->told = self->iterations;
    progress->evaluations = self->evaluations;
    if (told)
        return;
    if (!self->common.callback(self->common.context, progress))
        gt_solver_stop(self, GT_STOP_CALLBACK);
    gt_solver_set(self, self->x);
}

static void finish_report(gt_Solver *self)
{
    gt_SolverReport *report = &self->solution->report;
    report->stop = self->stop;
    report->converged = self->stop <= GT_STOP_ROUNDING;
    report->message = gt_stop_message(self->stop);
    report->iterations = self->iterations;
    report->evaluations = self->evaluations;
    report->parameters = self->n;
    report->loss = self->progress.loss;
    report->gradient_norm = self->progress.gradient_norm;
    report->step_norm = self->progress.step_norm;
}

gt_Solution *gt_solver_close(gt_Solver *self)
{
    gt_Context *context = self->context;
    gt_Solution *solution = self->solution;
    if (self->started)
        gt_solver_set(self, self->x);
    if (solution && gt_context_status(context) == GT_OK)
        tell(self);
    for (int i = 0; i < self->function_count; i++)
        gt_function_free(self->functions[i]);
    if (self->quiet)
        gt_tape_unquiet(context, self->hushed);
    if (solution && gt_context_status(context) == GT_OK)
        finish_report(self);
    gt_release(context, self->block, self->block_bytes);
    if (gt_context_status(context) == GT_OK)
        return solution;
    if (solution)
        gt_object_release(&solution->object);
    return NULL;
}

gt_Function *gt_solver_plan(gt_Solver *self, gt_FunctionBody body, void *user, int32_t outputs)
{
    gt_Function *function = gt_function(body, user, .outputs = outputs);
    if (function)
        self->functions[self->function_count++] = function;
    return function;
}

/* ---- points ---- */

/* Works while an error is pending: then the variables have memory of their own already. */
gt_Status gt_solver_set(gt_Solver *self, const double *x)
{
    for (int32_t i = 0; i < self->function.variables.count; i++) {
        gt_Variable *variable = self->solution->variables[i];
        size_t bytes = gt_spec_bytes(gt_tensor_spec(variable));
        void *memory = gt_variable_replace(self->context, variable);
        if (memory)
            memcpy(memory, x, bytes);
        x += bytes / sizeof(double);
    }
    return gt_context_status(self->context);
}

/* What ends a rounding error from a bound ends there: that sliver would limit the next steps to its length. */
void gt_solver_project(const gt_Solver *self, double *x)
{
    for (int64_t i = 0; self->lower && i < self->n; i++) {
        double low = self->lower[i], high = self->upper[i], rounding = 4 * DBL_EPSILON * fabs(x[i]);
        x[i] = x[i] - low <= rounding ? low : high - x[i] <= rounding ? high : x[i];
    }
}

bool gt_solver_holds(const gt_Solver *self, const double *x, int64_t i, double g)
{
    return self->lower && ((x[i] <= self->lower[i] && g > 0) || (x[i] >= self->upper[i] && g < 0) ||
                           self->lower[i] == self->upper[i]);
}

void gt_solver_accept(gt_Solver *self, double loss, double step_norm)
{
    memcpy(self->x, self->trial, (size_t)self->n * sizeof(double));
    self->progress.loss = loss;
    self->progress.step_norm = step_norm;
    self->iterations++;
}

void gt_solver_stop(gt_Solver *self, gt_Stop why)
{
    if (!self->stopped)
        self->stop = why;
    self->stopped = true;
}

bool gt_solver_goes_on(gt_Solver *self)
{
    if (gt_context_status(self->context) != GT_OK || self->stopped)
        return false;
    if (gt_interrupted(self->context)) {
        gt_fail(GT_INTERRUPTED, "it was interrupted after %lld iterations",
                (long long)self->iterations);
        return false;
    }
    tell(self);
    if (self->iterations >= self->common.max_iterations)
        gt_solver_stop(self, GT_STOP_ITERATIONS);
    return !self->stopped && gt_context_status(self->context) == GT_OK;
}

bool gt_solver_may_evaluate(gt_Solver *self)
{
    if (self->common.max_evaluations != GT_NONE &&
        self->evaluations >= self->common.max_evaluations)
        gt_solver_stop(self, GT_STOP_EVALUATIONS);
    self->evaluations += !self->stopped;
    return !self->stopped;
}
