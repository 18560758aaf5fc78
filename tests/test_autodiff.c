/* Derivatives beyond one gradient: Jacobians, Hessians, forward mode, custom gradients,
 * recomputing, numeric checks and control flow. TensorFlow's oracle tests (backprop_test.py: names
 * and numbers), closed forms and central differences. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONE(x) gt_tensors(x)

static gt_Variable *var(double value)
{
    return gt_variable(gt_scalar(value, GT_FLOAT64));
}

static void ok(const char *what)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
}

static void is(gt_Tensor *tensor, double value, const char *what)
{
    cr_assert_not_null(tensor, "%s: %s", what, gt_error_message());
    double got = gt_item(tensor);
    cr_assert(fabs(got - value) < 1e-9, "%s: %g instead of %g", what, got, value);
}

static void are(gt_Tensor *tensor, gt_Shape shape, const double *values, const char *what)
{
    char a[160], b[160];
    cr_assert_not_null(tensor, "%s: %s", what, gt_error_message());
    cr_assert(gt_shape_equal(gt_tensor_shape(tensor), shape), "%s: shape %s instead of %s", what,
              gt_shape_text(gt_tensor_shape(tensor), a, sizeof a),
              gt_shape_text(shape, b, sizeof b));
    for (int64_t i = 0; i < gt_size(tensor); i++) {
        double got = gt_at(tensor, i);
        cr_assert(fabs(got - values[i]) < 1e-9, "%s: element %d is %.12g instead of %.12g", what,
                  (int)i, got, values[i]);
    }
}

static void fails(gt_Status status, const char *text)
{
    cr_assert(gt_status() == status, "status %d instead of %d: %s", gt_status(), status,
              gt_error_message());
    cr_assert(strstr(gt_error_message(), text), "\"%s\" lacks \"%s\"", gt_error_message(), text);
    gt_error_clear();
}

/* ---- Jacobians and Hessians ---- */

Test(autodiff, jacobian)
{
    gt_Variable *x = gt_variable(gt_array64(gt_shape(2), 1, 2));
    gt_Variable *y = gt_variable(gt_array64(gt_shape(2), 3, 4));
    gt_Tape *tape = gt_tape_begin(.persistent = true); /* JacobianTest: z = x^2 y */
    gt_Tensor *z = gt_multiply(gt_square(x), y);
    are(gt_jacobian(tape, z, x), gt_shape(2, 2), (double[]){6, 0, 0, 16}, "diag(2xy)");
    are(gt_jacobian(tape, z, y), gt_shape(2, 2), (double[]){1, 0, 0, 4}, "diag(x^2)");
    gt_Tensor *scalar = gt_sum(z); /* of a scalar: the gradient */
    are(gt_jacobian(tape, scalar, x), gt_shape(2), (double[]){6, 16}, "of a scalar");
    gt_Tensor *matrix = gt_multiply(gt_reshape(x, gt_shape(2, 1)), y); /* x_i y_k */
    are(gt_jacobian(tape, matrix, x), gt_shape(2, 2, 2), (double[]){3, 0, 4, 0, 0, 3, 0, 4},
        "of a matrix");
    gt_Variable *other = var(1);
    gt_jacobian(tape, z, other);
    fails(GT_NO_GRADIENT, "jacobian: gradient: variable variable was not read");
    cr_assert_null(gt_jacobian(tape, z, other, .unconnected = GT_UNCONNECTED_NONE));
    ok("unconnected, none");
    are(gt_jacobian(tape, z, other, .unconnected = GT_UNCONNECTED_ZERO), gt_shape(2),
        (double[]){0, 0}, "unconnected, zero");
    gt_jacobian(tape, gt_ones_of(gt_shape(1, 1, 1, 1, 1), .dtype = GT_FLOAT64),
                gt_ones_of(gt_shape(1, 1, 1, 1), .dtype = GT_FLOAT64));
    fails(GT_INVALID, "the result would have 9 dimensions");
    gt_jacobian(tape, NULL, x);
    fails(GT_INVALID, "jacobian: the target is NULL");
    gt_tape_end(tape);

    tape = gt_tape_begin(); /* TensorFlow: RuntimeError */
    z = gt_square(x);
    gt_jacobian(tape, z, x);
    fails(GT_STATE, ".persistent = true");
    gt_batch_jacobian(tape, z, x);
    fails(GT_STATE, ".persistent = true");
    gt_tape_end(tape);
    gt_jacobian(tape, x, x);
    fails(GT_STALE, "jacobian: this tape ended");

    /* Large enough to join its rows in several steps, and again differentiable. */
    gt_Tensor *many = gt_linspace(0.5, 2, 150, .dtype = GT_FLOAT64);
    gt_Tape *outer = gt_tape_begin();
    gt_watch(outer, many);
    tape = gt_tape_begin(.persistent = true);
    gt_watch(tape, many);
    gt_Tensor *cubes = gt_multiply(many, gt_square(many));
    gt_tape_pause(tape);
    gt_Tensor *j = gt_jacobian(tape, cubes, many);
    gt_tape_end(tape);
    gt_Tensor *d = gt_gradient(outer, j, many);
    ok("150 rows");
    for (int i = 0; i < 150; i++) {
        double at = gt_at(many, i);
        cr_assert(fabs(gt_at(j, 151 * i) - 3 * at * at) < 1e-12, "element %d of the diagonal", i);
        cr_assert(fabs(gt_at(d, i) - 6 * at) < 1e-12, "element %d of its gradient", i);
    }
    gt_tape_end(outer);
    gt_variable_free(x);
    gt_variable_free(y);
    gt_variable_free(other);
    ok("end");
}

Test(autodiff, batch_jacobian)
{
    gt_Variable *x = gt_variable(gt_array64(gt_shape(2, 2), 1, 2, 3, 4));
    gt_Variable *y = gt_variable(gt_array64(gt_shape(2, 2), 3, 4, 5, 6));
    gt_Variable *empty = gt_variable(gt_zeros_of(gt_shape(1, 0), .dtype = GT_FLOAT64));
    gt_Variable *flat = gt_variable(gt_array64(gt_shape(2), 1, 2));
    gt_Variable *longer = gt_variable(gt_array64(gt_shape(3, 1), 1, 2, 3));
    gt_Tape *tape = gt_tape_begin(.persistent = true); /* BatchJacobianTest: z = x^2 y */
    gt_Tensor *z = gt_multiply(gt_square(x), y);
    are(gt_batch_jacobian(tape, z, x), gt_shape(2, 2, 2), (double[]){6, 0, 0, 16, 30, 0, 0, 48},
        "per row diag(2xy)");
    are(gt_batch_jacobian(tape, z, y), gt_shape(2, 2, 2), (double[]){1, 0, 0, 4, 9, 0, 0, 16},
        "per row diag(x^2)");
    gt_Tensor *none = gt_square(empty);
    are(gt_batch_jacobian(tape, none, empty), gt_shape(1, 0, 0), NULL, "[1, 0] -> [1, 0, 0]");
    gt_batch_jacobian(tape, gt_square(flat), x);
    fails(GT_INVALID, "they are float64 (2,) and float64 (2, 2)");
    gt_batch_jacobian(tape, z, flat);
    fails(GT_INVALID, "they are float64 (2, 2) and float64 (2,)");
    gt_batch_jacobian(tape, z, longer);
    fails(GT_INVALID, "the same first dimension; they are float64 (2, 2) and float64 (3, 1)");
    gt_tape_end(tape);
    gt_variable_free(x);
    gt_variable_free(y);
    gt_variable_free(empty);
    gt_variable_free(flat);
    gt_variable_free(longer);
    ok("end");
}

/* x0^2 x1 + sin(x1) x2 */
static gt_Status polynomial(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_Tensor *part[3];
    gt_split(in[0], 3, part);
    out[0] = gt_sum(
        gt_add(gt_multiply(gt_square(part[0]), part[1]), gt_multiply(gt_sin(part[1]), part[2])));
    return gt_status();
}

static gt_Status straight(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_sum(gt_multiply(in[0], 3));
    return gt_status();
}

static gt_Status doubled(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], 2);
    return gt_status();
}

static gt_Status breaks(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_tape_begin(); /* left open on purpose */
    gt_scope_begin();
    out[0] = gt_matmul(in[0], gt_ones_of(gt_shape(7, 7), .dtype = GT_FLOAT64));
    return gt_status();
}

Test(autodiff, hessian)
{
    const double at[3] = {0.7, -0.3, 1.9}, v[3] = {1, -2, 0.5};
    const double h[9] = {2 * at[1],  2 * at[0], 0,          2 * at[0], -sin(at[1]) * at[2],
                         cos(at[1]), 0,         cos(at[1]), 0};
    double hv[3] = {0};
    for (int i = 0; i < 9; i++)
        hv[i / 3] += h[i] * v[i % 3];
    gt_Tensor *x = gt_from_data(at, gt_shape(3), GT_FLOAT64);
    gt_Tensor *along = gt_from_data(v, gt_shape(3), GT_FLOAT64);
    gt_Variable *variable = gt_variable(x);
    for (int k = 0; k < 2; k++) {
        gt_Tensor *point = k ? variable : x;
        are(gt_hessian(polynomial, NULL, point), gt_shape(3, 3), h, "Hessian");
        are(gt_hessian_vector_product(polynomial, NULL, point, along), gt_shape(3), hv,
            "Hessian times v");
        are(gt_hessian(straight, NULL, point), gt_shape(3, 3), (double[9]){0}, "of a line");
    }
    gt_hessian(doubled, NULL, x);
    fails(GT_INVALID, "hessian: the function gives float64 (3,)");
    gt_hessian(NULL, NULL, x);
    fails(GT_INVALID, "hessian: the body is NULL");
    gt_hessian(breaks, NULL, x);
    fails(GT_INVALID, "matmul");
    gt_hessian_vector_product(polynomial, NULL, x, gt_scalar(1, GT_FLOAT64));
    fails(GT_INVALID, "x is float64 (3,), v float64 ()");
    gt_hessian_vector_product(polynomial, NULL, x, NULL);
    fails(GT_INVALID, "v is NULL");
    gt_Tape *tape = gt_tape_begin(); /* third order: d(sum of Hv)/dx */
    gt_Tensor *third = gt_gradient(
        tape, gt_sum(gt_hessian_vector_product(polynomial, NULL, variable, along)), variable);
    /* sum(Hv) = 2(x1 v0 + x0 v1) + 2 x0 v0 - sin(x1) x2 v1 + cos(x1) (v2 + v1) */
    are(third, gt_shape(3),
        (double[]){2 * v[1] + 2 * v[0],
                   2 * v[0] - cos(at[1]) * at[2] * v[1] - sin(at[1]) * (v[2] + v[1]),
                   -sin(at[1]) * v[1]},
        "third order");
    gt_tape_end(tape);
    gt_variable_free(variable);
    ok("end");
    cr_assert(gt_memory_stats().records == 0);
}

/* ---- forward mode ---- */

static gt_Status product_and_sine(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], in[1]);
    out[1] = gt_sin(in[0]);
    return gt_status();
}

static gt_Status times_variable(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    out[0] = gt_multiply(gt_square(context), 3);
    return gt_status();
}

Test(autodiff, forward)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array64(gt_shape(2), 0.5, 2), *y = gt_array64(gt_shape(2), 3, -1);
    gt_Tensor *u = gt_array64(gt_shape(2), 1, 10), *v = gt_array64(gt_shape(2), 2, 3);
    gt_Tensor *out[2], *tangent[2];
    gt_jvp(product_and_sine, NULL, gt_tensors(x, y), gt_tensors(u, v), out, tangent, .outputs = 2);
    are(out[0], gt_shape(2), (double[]){1.5, -2}, "the function itself");
    are(tangent[0], gt_shape(2), (double[]){3 * 1 + 0.5 * 2, -1 * 10 + 2 * 3}, "product rule");
    are(tangent[1], gt_shape(2), (double[]){cos(0.5), 10 * cos(2)}, "sine");
    gt_jvp(doubled, NULL, ONE(x), ONE(u), NULL, tangent);
    are(tangent[0], gt_shape(2), (double[]){2, 20}, "without outputs");

    gt_Variable *w = var(4);
    gt_jvp(times_variable, w, ONE(w), ONE(gt_scalar(2, GT_FLOAT64)), out, tangent);
    is(tangent[0], 48, "a variable as primal");
    gt_jvp(times_variable, w, ONE(x), ONE(u), out, tangent);
    fails(GT_NO_GRADIENT, "jvp");
    cr_assert(!out[0] && !tangent[0]);
    gt_jvp(times_variable, w, ONE(x), ONE(u), out, tangent, .unconnected = GT_UNCONNECTED_ZERO);
    is(tangent[0], 0, "unconnected, zero");
    gt_jvp(times_variable, w, ONE(x), ONE(u), out, tangent, .unconnected = GT_UNCONNECTED_NONE);
    cr_assert_null(tangent[0]);
    is(out[0], 48, "unconnected, none");

    /* Forward over reverse: the Hessian of the polynomial times a direction. */
    gt_Tape *tape = gt_tape_begin();
    gt_Variable *at = gt_variable(gt_array64(gt_shape(2), 0.5, 2));
    gt_jvp(product_and_sine, NULL, gt_tensors(at, y), gt_tensors(u, v), NULL, tangent,
           .outputs = 2);
    are(gt_gradient(tape, gt_sum(tangent[1]), at), gt_shape(2), (double[]){-sin(0.5), -10 * sin(2)},
        "reverse over forward");
    gt_tape_end(tape);

    gt_jvp(doubled, NULL, ONE(x), ONE(gt_scalar(1, GT_FLOAT64)), NULL, tangent);
    fails(GT_INVALID, "jvp: primal 1 is float64 (2,), its tangent float64 ()");
    gt_jvp(product_and_sine, NULL, gt_tensors(x, x), gt_tensors(u, v), NULL, tangent, .outputs = 2);
    fails(GT_INVALID, "primals 1 and 2 are the same tensor");
    gt_jvp(doubled, NULL, gt_tensors(x, y), ONE(u), NULL, tangent);
    fails(GT_INVALID, "2 primals and 1 tangents");
    gt_jvp(doubled, NULL, ONE(x), ONE(u), NULL, tangent, .outputs = 0);
    fails(GT_INVALID, "0 outputs");
    gt_jvp(NULL, NULL, ONE(x), ONE(u), NULL, tangent);
    fails(GT_INVALID, "the body is NULL");
    gt_variable_free(w);
    gt_variable_free(at);
    gt_scope_end(scope);
    ok("end");
    cr_assert(gt_memory_stats().records == 0);
}
