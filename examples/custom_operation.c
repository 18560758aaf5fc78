/* C code that was there before becomes part of a model: a function on arrays with its gradient, a
 * function of the C library mapped over a tensor, and a model that other C code calls as a plain
 * function. */
#include <gradtape.h>

#include <math.h>
#include <stdio.h>

/* ---- the code that was there: it knows nothing of tensors ---- */

/* One step of heat flow along a rod: y = x + k (x[left] - 2 x + x[right]), ends held. */
static void diffuse(const double *x, double *y, size_t n, double k)
{
    for (size_t i = 0; i < n; i++)
        y[i] = i == 0 || i + 1 == n ? x[i] : x[i] + k * (x[i - 1] - 2 * x[i] + x[i + 1]);
}

/* What a change of y means for x: the same weights, the other way round. */
static void diffuse_gradient(const double *dy, double *dx, size_t n, double k)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i];
    for (size_t i = 1; i + 1 < n; i++) {
        dx[i - 1] += k * dy[i];
        dx[i] -= 2 * k * dy[i];
        dx[i + 1] += k * dy[i];
    }
}

/* The derivative of erf of the C library. */
static double erf_slope(double x)
{
    return 2 / sqrt(3.14159265358979323846) * exp(-x * x);
}

/* Follows a function from a starting point; it does not know that the function is a network. */
static gt_Tensor *follow(gt_Tensor *(*map)(gt_Tensor *), gt_Tensor *x, int steps)
{
    while (steps-- > 0)
        x = map(x);
    return x;
}

int main(void)
{
    const gt_Operation *heat = gt_foreign_operation(
        "diffuse",
        .function = GT_FUNCTION(diffuse, "const double *x, double *y, size_t n, double k"),
        .gradient =
            GT_FUNCTION(diffuse_gradient, "const double *dy, double *dx, size_t n, double k"));
    const gt_Operation *bend =
        gt_elementwise_operation("libm_erf", .f64 = erf, .derivative = erf_slope);

    /* Which temperatures were there five steps ago? Found by descending through the old code. */
    gt_Tensor *measured = gt_array64(gt_shape(6), 0, 0.3, 0.5, 0.5, 0.3, 0);
    gt_Variable *start = gt_variable(gt_zeros(gt_shape(6), .dtype = GT_FLOAT64));
    gt_Optimizer *sgd = gt_SGD(0.4);
    for (int step = 0; step <= 200; step++) {
        gt_Tape *tape = gt_tape_begin();
        gt_Tensor *rod = start;
        for (int i = 0; i < 5; i++)
            rod = gt_foreign(heat, gt_tensors(rod), .numbers = gt_numbers(0.2));
        gt_Tensor *loss = gt_sum(gt_square(gt_subtract(rod, measured)));
        gt_minimize(sgd, tape, loss, gt_tensors(start));
        if (step % 100 == 0)
            printf("step %3d: the rod is off by %.6f\n", step, gt_item(loss));
        gt_tape_end(tape);
    }
    printf("it began as");
    for (int i = 0; i < 6; i++)
        printf(" %.3f", gt_element(start, i));

    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_foreign(bend, gt_tensors(start));
    gt_Tensor *slope = gt_gradient(tape, y, start);
    printf("\nerf of the middle %.4f, its slope %.4f\n", gt_element(y, 2), gt_element(slope, 2));
    gt_tape_end(tape);

    gt_Layer *layer = gt_Dense(2, .kernel_initializer = gt_Constant(0.25), .activation = gt_tanh);
    gt_Callable network = gt_callable(layer);
    if (network) {
        gt_Tensor *end = follow(network, gt_array(gt_shape(1, 2), 1, 2), 3);
        printf("a network as a function, three times: %.4f\n", gt_element(end, 0));
    }
    int failed = gt_status() != GT_OK;
    if (failed)
        printf("%s\n", gt_error_message());
    gt_context_free(NULL);
    return failed;
}
