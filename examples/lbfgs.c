/* A network in the hands of another library's optimizer: liblbfgs (Debian: liblbfgs-dev), in float64.
 *
 * liblbfgs owns the vector x and changes it as it likes; gt_pack moves the variables of the network into that memory, so that
 * they are x. For each point that it tries it wants the loss and the gradient as one vector: gt_gradients_into writes that.
 * The data are 200 points of a damped oscillation; the figure is the error that is left, beside that of Adam after as many
 * evaluations. */
#include <lbfgs.h>

#include "example.h"

enum { ROWS = 200 };

typedef struct Problem {
    gt_Layer *model;
    gt_Tensor *t, *y; /* (ROWS, 1) */
    gt_Tensors weights;
    int evaluations;
} Problem;

static gt_Layer *make_model(void)
{
    gt_Layer *model = gt_Sequential(gt_Dense(16, .activation = gt_tanh), gt_Dense(16, .activation = gt_tanh), gt_Dense(1));
    gt_build(model, gt_shape(1, 1), GT_FLOAT64);
    return model;
}

static gt_Tensor *loss_of(const Problem *problem)
{
    return gt_mean_squared_error(problem->y, gt_call(problem->model, problem->t, .training = true));
}

/* liblbfgs asks for the loss at x, where the variables are, and its gradient. */
static lbfgsfloatval_t evaluate(void *instance, const lbfgsfloatval_t *x, lbfgsfloatval_t *slope, const int n,
                                const lbfgsfloatval_t step)
{
    Problem *problem = instance;
    (void)x, (void)step;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = loss_of(problem);
    double result = gt_item(loss);
    gt_gradients_into(tape, loss, problem->weights, slope, (size_t)n * sizeof *slope);
    gt_tape_end(tape);
    problem->evaluations++;
    return result; /* NaN after an error, which ends the search */
}

static double by_lbfgs(Problem *problem, int iterations)
{
    problem->model = make_model();
    problem->weights = gt_trainable_variables(problem->model);
    int64_t n = gt_count_params(problem->model);
    lbfgsfloatval_t *x = lbfgs_malloc((int)n), loss = NAN;
    gt_pack(problem->weights, .memory = x, .bytes = (size_t)n * sizeof *x);

    lbfgs_parameter_t parameters;
    lbfgs_parameter_init(&parameters);
    parameters.max_iterations = iterations;
    parameters.m = 20;
    parameters.epsilon = 1e-9; /* |gradient| < epsilon |x| */
    int code = lbfgs((int)n, x, &loss, evaluate, NULL, problem, &parameters);
    if (code < 0 && code != LBFGSERR_MAXIMUMITERATION)
        fprintf(stderr, "liblbfgs stopped with code %d\n", code);
    gt_layer_free(problem->model); /* before the memory that its variables are in */
    lbfgs_free(x);
    return sqrt(loss);
}

static double by_adam(Problem *problem)
{
    problem->model = make_model();
    gt_Optimizer *adam = gt_Adam(5e-3);
    for (int i = 0; i < problem->evaluations; i++) {
        gt_Tape *tape = gt_tape_begin();
        gt_minimize(adam, tape, loss_of(problem), gt_trainable_variables(problem->model));
        gt_tape_end(tape);
    }
    gt_Scope *scope = gt_scope_begin();
    double loss = gt_item(loss_of(problem));
    gt_scope_end(scope);
    gt_optimizer_free(adam);
    gt_layer_free(problem->model);
    return sqrt(loss);
}

int main(int count, char **arguments)
{
    Example example = example_begin(count, arguments);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *t = gt_reshape(gt_linspace(-1, 1, ROWS, .dtype = GT_FLOAT64), gt_shape(ROWS, 1));
    Problem problem = {.t = t, .y = gt_multiply(gt_exp(gt_negative(t)), gt_cos(gt_multiply(t, 5)))};
    double lbfgs_error = by_lbfgs(&problem, example.small ? 300 : 3000), adam_error = by_adam(&problem);
    gt_scope_end(scope);
    printf("%d evaluations: error %.1e by liblbfgs, %.1e by Adam\n", problem.evaluations, lbfgs_error, adam_error);
    return example_end("error by liblbfgs", lbfgs_error, 0, example.small ? 5e-3 : 1e-3);
}
