/* What the solvers are made of: variables as one vector, bounds, evaluation by plans, why it ends. Not installed.
 *
 *   gt_solver_open     checks variables, options and bounds, reads the vector x
 *   gt_solver_try      the variables become a trial point
 *   gt_solver_accept   the trial point is x from here on
 *   gt_solver_end_of_iteration   callback and limits
 *   gt_solver_close    the variables are x, everything is freed; gives the solution, or NULL where an error is pending
 *
 * Between calls the variables hold x or a trial point; gt_solver_close puts x back whatever happened. Vectors are doubles of
 * length n in one block, which gt_solver_open makes with as many as the method wants; nothing is allocated later. */
#ifndef GT_OPTIM_SOLVER_H
#define GT_OPTIM_SOLVER_H

#include "autodiff/columns.h"
#include "core/inside.h"
#include "core/object.h"
#include "optim/solution.h"
#include "plan/function.h"

/* The options of GT_SOLVER_COMMON. */
typedef struct gt_SolverCommon {
    gt_Tensors inputs;
    int64_t max_iterations, max_evaluations;
    gt_SolverCallback callback;
    void *context;
} gt_SolverCommon;
#define GT_SOLVER_COMMON_OF(options)                                                               \
    (gt_SolverCommon)                                                                              \
    {                                                                                              \
        (options).inputs, (options).max_iterations, (options).max_evaluations, (options).callback, \
            (options).context                                                                      \
    }

struct gt_Solution {
    gt_Object object;
    gt_SolverReport report;
    gt_Variable **variables; /* those that were fitted; held */
    int32_t count, room;
    /* Of least squares: the singular values (n) and vectors (n, n), rows, of the Jacobian by `scale` (n), at a solution x.
     * `held` says which parameters a bound holds. */
    double *values, *vectors, *scale, *x;
    bool *held;
    bool least_squares, absolute, weighted; /* weighted: with sigma or weights */
    bool infinite;                          /* a derivative is, at the solution */
    double *block;                          /* the five of them */
    size_t block_bytes;
    char *text;
    size_t text_bytes;
};
extern const gt_ObjectKind gt_solution_kind;
const char *gt_stop_message(gt_Stop stop);
/* Is it a live solution of this context? Raises an error as `operation` if not. */
bool gt_solution_check(gt_Context *context, const char *here, const char *operation,
                       const gt_Solution *self);
/* The name of a parameter, as messages and texts have it: "rate" or "kernel[3]". */
void gt_solver_parameter_name(const gt_Solution *self, int64_t parameter, char *text, size_t size);
/* Has it a covariance? And one element of that. */
bool gt_solution_knows_errors(const gt_Solution *self);
double gt_solution_covariance(const gt_Solution *self, int64_t i, int64_t k);

typedef struct gt_Solver {
    gt_Context *context;
    gt_SolverCommon common;
    gt_Solution *solution;
    gt_FunctionOf function; /* the user's; its variables are the solution's */
    int64_t n;
    double *x, *trial, *lower, *upper; /* (n); the last two NULL: no bounds */
    double *more;                      /* (wanted, n) */
    double *block;
    size_t block_bytes;
    int64_t evaluations, iterations, told; /* told: the last iteration that the callback heard of */
    gt_Stop stop;
    bool stopped, started; /* started: x has been read whole */
    uint64_t hushed;
    bool quiet;
    gt_Function *functions[4]; /* freed with it */
    int function_count;
    gt_SolverProgress progress;
} gt_Solver;

/* `wanted` more vectors for the method. False with an error raised; gt_solver_close is to be called all the same. */
bool gt_solver_open(gt_Solver *self, gt_FunctionBody function, void *user, gt_Tensors variables,
                    const gt_SolverCommon *common, gt_Tensor *lower, gt_Tensor *upper,
                    int64_t wanted);
gt_Solution *gt_solver_close(gt_Solver *self);
/* A plan of the solver's, its body given the solver or what contains it; NULL on failure. */
gt_Function *gt_solver_plan(gt_Solver *self, gt_FunctionBody body, void *user, int32_t outputs);
/* The variables become this vector. */
gt_Status gt_solver_set(gt_Solver *self, const double *x);
/* The trial point, moved inside the bounds. */
void gt_solver_project(const gt_Solver *self, double *x);
/* Is parameter i pressed against a bound by a slope g? */
bool gt_solver_holds(const gt_Solver *self, const double *x, int64_t i, double g);
void gt_solver_accept(gt_Solver *self, double loss, double step_norm);
/* Ends here, for this reason. */
void gt_solver_stop(gt_Solver *self, gt_Stop why);
/* One more iteration: asks the callback, looks at the limits and at the interrupt. True: go on. */
bool gt_solver_goes_on(gt_Solver *self);
/* May the function be evaluated once more? Else it stops. */
bool gt_solver_may_evaluate(gt_Solver *self);
/* Raises an error unless they are tensors, at most GT_MAX_INPUTS. */
gt_Status gt_solver_check_inputs(gt_Tensors inputs);
/* The same, where none are given in[...] all NULL: operations refuse that with an error of their own. */
gt_Tensors gt_solver_inputs(gt_Tensors given);
/* Raises an error unless the option is finite and > 0, or >= 0. */
gt_Status gt_solver_check_option(const char *name, double value, bool may_be_zero);

double gt_vector_dot(int64_t n, const double *a, const double *b);
double gt_vector_norm(int64_t n, const double *a);
void gt_vector_add(int64_t n, double factor, const double *x, double *y); /* y += factor x */

/* The t for which Student's distribution with that many degrees of freedom is in [-t, t] with that probability; infinite
 * degrees: the normal one. */
double gt_student_limit(double level, double degrees);

#endif
