/* Solutions: what they report, as text, freeing. Vectors and limits of solvers: solver.c. */
#include "core/text.h"
#include "optim/solver.h"

#include <math.h>
#include <string.h>

static void destroy(gt_Object *object)
{
    gt_Solution *self = (gt_Solution *)object;
    gt_Context *context = object->context;
    for (int32_t i = 0; i < self->count; i++)
        gt_variable_release(self->variables[i]);
    gt_release(context, self->variables, (size_t)self->room * sizeof *self->variables);
    gt_release(context, self->block, self->block_bytes);
    gt_release(context, self->text, self->text_bytes);
}

const gt_ObjectKind gt_solution_kind = {"solution", destroy, false};

void gt_solution_free(gt_Solution *solution)
{
    gt_object_free("solution_free", solution, &gt_solution_kind);
}

static const char *const messages[] = {
    [GT_STOP_GRADIENT] = "converged: the slope is 0 to the tolerance gtol",
    [GT_STOP_STEP] = "converged: the steps are shorter than xtol",
    [GT_STOP_VALUE] = "converged: the loss changes by less than ftol",
    [GT_STOP_ZERO] = "converged: every residual is 0",
    [GT_STOP_ROUNDING] = "converged: rounding hides all further progress",
    [GT_STOP_ITERATIONS] = "not converged: max_iterations was reached",
    [GT_STOP_EVALUATIONS] = "not converged: max_evaluations was reached",
    [GT_STOP_CALLBACK] = "the callback ended it",
    [GT_STOP_NO_PROGRESS] = "not converged: no better point was found, though the slope is not 0",
};

const char *gt_stop_message(gt_Stop stop)
{
    return messages[stop];
}

bool gt_solution_check(gt_Context *context, const char *here, const char *operation,
                       const gt_Solution *self)
{
    if (!gt_object_check(context, here, operation, self, &gt_solution_kind))
        return false;
    if (self->object.context == context)
        return true;
    gt_raise(context, GT_STATE, here, operation, "the solution belongs to another context");
    return false;
}

gt_SolverReport gt_solution_report_at(const char *here, const gt_Solution *solution)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_solution_check(context, here, "solution_report", solution))
        return (gt_SolverReport){0};
    return solution->report;
}

/* ---- as text ---- */

void gt_solver_parameter_name(const gt_Solution *self, int64_t parameter, char *text, size_t size)
{
    int32_t i = 0;
    for (; parameter >= gt_tensor_spec(self->variables[i])->size; i++)
        parameter -= gt_tensor_spec(self->variables[i])->size;
    gt_text(text, size, gt_tensor_spec(self->variables[i])->rank ? "%s[%lld]" : "%s",
            gt_variable_label(self->variables[i]), (long long)parameter);
}

typedef struct Writer {
    char *text;
    size_t size, used;
} Writer;

#define WRITE(writer, ...)                                                                         \
    do {                                                                                           \
        char *end_ = (writer)->text ? (writer)->text + (writer)->used : NULL;                      \
        (writer)->used +=                                                                          \
            (size_t)gt_text(end_, end_ ? (writer)->size - (writer)->used : 0, __VA_ARGS__);        \
    } while (0)

enum { MAX_LINES = 100 };

static void write_parameters(Writer *to, const gt_Solution *self, const double *errors)
{
    int64_t line = 0;
    for (int32_t i = 0; i < self->count; i++) {
        const gt_Spec *spec = gt_tensor_spec(self->variables[i]);
        for (int64_t k = 0; k < spec->size && line < MAX_LINES; k++, line++) {
            char name[160];
            gt_solver_parameter_name(self, line, name, sizeof name);
            if (self->held[line])
                WRITE(to, "  %-16s %14.8g  at a bound\n", name, self->x[line]);
            else if (errors)
                WRITE(to, "  %-16s %14.8g +- %.3g\n", name, self->x[line], errors[line]);
            else
                WRITE(to, "  %-16s %14.8g\n", name, self->x[line]);
        }
    }
    if (line < self->report.parameters)
        WRITE(to, "  and %lld more\n", (long long)(self->report.parameters - line));
}

static void write_all(Writer *to, const gt_Solution *self, const double *errors)
{
    const gt_SolverReport *r = &self->report;
    WRITE(to, "%s\n", r->message);
    WRITE(to, "%lld iterations, %lld evaluations, loss %.10g, largest slope %.2g\n",
          (long long)r->iterations, (long long)r->evaluations, r->loss, r->gradient_norm);
    if (self->least_squares)
        WRITE(to,
              "%lld residuals, %lld degrees of freedom, reduced chi-square %.6g, rank %lld of "
              "%lld, condition %.2g\n",
              (long long)r->residuals, (long long)r->degrees_of_freedom, r->variance,
              (long long)r->rank, (long long)(r->parameters - r->at_bounds), r->condition);
    if (self->least_squares)
        write_parameters(to, self, errors);
}

static const char *make_text(gt_Context *context, gt_Solution *self, const double *errors)
{
    Writer count = {NULL, 0, 0};
    write_all(&count, self, errors);
    char *text = gt_allocate(context, count.used + 1);
    if (!text)
        return NULL;
    Writer writer = {text, count.used + 1, 0};
    write_all(&writer, self, errors);
    gt_release(context, self->text, self->text_bytes);
    self->text = text;
    self->text_bytes = count.used + 1;
    return text;
}

const char *gt_solution_text_at(const char *here, gt_Solution *solution)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_solution_check(context, here, "solution_text", solution))
        return "";
    gt_Site site = gt_site_enter(here, "solution_text");
    int64_t n = solution->report.parameters;
    bool known = gt_solution_knows_errors(solution);
    double *errors = known ? gt_allocate(context, (size_t)n * sizeof *errors) : NULL;
    for (int64_t i = 0; errors && i < n; i++)
        errors[i] = sqrt(gt_solution_covariance(solution, i, i));
    const char *text =
        gt_context_status(context) == GT_OK ? make_text(context, solution, errors) : NULL;
    gt_release(context, errors, (size_t)n * sizeof *errors);
    gt_site_leave(&site);
    return text ? text : "";
}
