/* Derivatives beyond one gradient: Jacobians, Hessians, forward mode, custom gradients,
 * recomputing, numeric checks and control flow, beyond TensorFlow's oracle tests (test_contract.c):
 * closed forms and central differences. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "budget.h"
#include "leaks.h"
#include "operations.h"

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
        double got = gt_element(tensor, i);
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
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *z = gt_multiply(gt_square(x), y);
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
    gt_jacobian(tape, gt_ones(gt_shape(1, 1, 1, 1, 1), .dtype = GT_FLOAT64),
                gt_ones(gt_shape(1, 1, 1, 1), .dtype = GT_FLOAT64));
    fails(GT_INVALID, "the result must have at most 8 dimensions (got 9)");
    gt_jacobian(tape, NULL, x);
    fails(GT_INVALID, "jacobian: the target is NULL");
    gt_tape_end(tape);

    tape = gt_tape_begin();
    z = gt_square(x);
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
        double at = gt_element(many, i);
        cr_assert(fabs(gt_element(j, 151 * i) - 3 * at * at) < 1e-12, "element %d of the diagonal",
                  i);
        cr_assert(fabs(gt_element(d, i) - 6 * at) < 1e-12, "element %d of its gradient", i);
    }
    gt_tape_end(outer);
    gt_variable_free(x);
    gt_variable_free(y);
    gt_variable_free(other);
    ok("end");
}

/* x0^2 x1 + sin(x1) x2 */
static gt_Status polynomial(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_Tensor *part[3];
    gt_split(in[0], 3, part);
    gt_Tensor *second = gt_multiply(gt_sin(part[1]), part[2]); /* first, with every compiler */
    out[0] = gt_sum(gt_add(gt_multiply(gt_square(part[0]), part[1]), second));
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
    out[0] = gt_matmul(in[0], gt_ones(gt_shape(7, 7), .dtype = GT_FLOAT64));
    return gt_status();
}

Test(autodiff, hessian)
{
    const double at[3] = {0.7, -0.3, 1.9}, v[3] = {1, -2, 0.5};
    const double h[9] = {2 * at[1],  2 * at[0], 0,          2 * at[0], -sin(at[1]) * at[2],
                         cos(at[1]), 0,         cos(at[1]), 0};
    double hv[3] = {0};
    int64_t records = gt_memory_stats().records;
    gt_Scope *scope = gt_scope_begin();
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
    fails(GT_INVALID, "hessian: the function must give one number (got float64 (3,))");
    gt_hessian(NULL, NULL, x);
    fails(GT_INVALID, "hessian: the body is NULL");
    gt_hessian(breaks, NULL, x);
    fails(GT_INVALID, "matmul");
    gt_hessian_vector_product(polynomial, NULL, x, gt_scalar(1, GT_FLOAT64));
    fails(GT_INVALID, "v must be like x, float64 (3,) (got float64 ())");
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
    gt_scope_end(scope);
    cr_assert(gt_memory_stats().records == records);
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
    int64_t records = gt_memory_stats().records;
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
    fails(GT_INVALID, "jvp: tangent 1 must be like its primal, float64 (2,) (got float64 ())");
    gt_jvp(product_and_sine, NULL, gt_tensors(x, x), gt_tensors(u, v), NULL, tangent, .outputs = 2);
    fails(GT_INVALID, "primals 1 and 2 are the same tensor");
    gt_jvp(doubled, NULL, gt_tensors(x, y), ONE(u), NULL, tangent);
    fails(GT_INVALID, "got 2 primals and 1 tangents");
    gt_jvp(doubled, NULL, ONE(x), ONE(u), NULL, tangent, .outputs = 0);
    fails(GT_INVALID, "outputs must be 1 to 1024 (got 0)");
    gt_jvp(NULL, NULL, ONE(x), ONE(u), NULL, tangent);
    fails(GT_INVALID, "the body is NULL");
    gt_variable_free(w);
    gt_variable_free(at);
    gt_scope_end(scope);
    ok("end");
    cr_assert(gt_memory_stats().records == records);
}

/* Every operation with a gradient rule: what its Jacobian makes of a direction agrees with central
 * differences along it, and, since one is the transpose of the other, <u, J v> = <J' u, v>. */
typedef struct Point {
    Case *c;
    gt_Tensor *input[CASE_INPUTS]; /* those that are no numbers to move */
    int place[CASE_INPUTS], moving;
    int output[GT_MAX_OUTPUTS], outputs;
} Point;

static gt_Status operation_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Point *point = context;
    gt_Tensor *all[CASE_INPUTS], *every[GT_MAX_OUTPUTS];
    memcpy(all, point->input, sizeof all);
    for (int i = 0; i < point->moving; i++)
        all[point->place[i]] = in[i];
    case_apply(point->c, all, every);
    point->outputs = 0;
    for (int i = 0; i < point->c->operation->outputs; i++)
        if (every[i] && gt_dtype_is_float(gt_dtype(every[i])))
            out[point->outputs++] = every[i];
    return gt_status();
}

static double direction_of(int which, int64_t i)
{
    return cos(0.7 + 2.1 * which + 1.9 * (double)i);
}

static gt_Tensor *directions(gt_Tensor *like, int which)
{
    double *numbers = malloc(((size_t)gt_size(like) + 1) * sizeof *numbers);
    for (int64_t i = 0; i < gt_size(like); i++)
        numbers[i] = direction_of(which, i);
    gt_Tensor *direction = gt_from_data(numbers, gt_tensor_shape(like), GT_FLOAT64);
    free(numbers);
    return direction;
}

/* The function's outputs, moved by t along the direction. */
static void outputs_at(Point *point, double t, gt_Tensor **moved, gt_Tensor **out)
{
    for (int i = 0; i < point->moving; i++)
        moved[i] = gt_add(point->input[point->place[i]],
                          gt_multiply(directions(point->input[point->place[i]], i), t));
    operation_body(point, moved, out);
}

static double inner(gt_Tensor *a, gt_Tensor *b)
{
    return gt_item(gt_sum(gt_multiply(a, b)));
}

static void check_forward(Case *c)
{
    const double h = 1e-5;
    const char *name = c->operation->name;
    gt_Scope *scope = gt_scope_begin();
    Point point = {.c = c};
    gt_Tensor *at[CASE_INPUTS], *along[CASE_INPUTS], *moved[CASE_INPUTS], *g[CASE_INPUTS];
    gt_Tensor *out[GT_MAX_OUTPUTS], *change[GT_MAX_OUTPUTS], *up[GT_MAX_OUTPUTS];
    gt_Tensor *above[GT_MAX_OUTPUTS], *below[GT_MAX_OUTPUTS];
    case_inputs(c, point.input);
    for (int i = 0; i < c->sample->inputs; i++)
        if (point.input[i] && gt_dtype_is_float(case_type(c, i))) {
            at[point.moving] = point.input[i];
            along[point.moving] = directions(point.input[i], point.moving);
            point.place[point.moving++] = i;
        }
    operation_body(&point, at, out);
    if (point.moving > 0 && point.outputs > 0) {
        int outputs = point.outputs;
        gt_jvp(operation_body, &point, ((gt_Tensors){at, point.moving}),
               ((gt_Tensors){along, point.moving}), out, change, .outputs = outputs,
               .unconnected = GT_UNCONNECTED_ZERO);
        cr_assert(gt_status() == GT_OK, "%s: %s", name, gt_error_message());
        gt_Tape *tape = gt_tape_begin();
        for (int i = 0; i < point.moving; i++)
            gt_watch(tape, at[i]);
        operation_body(&point, at, out);
        double forward = 0, backward = 0;
        for (int k = 0; k < outputs; k++) {
            up[k] = directions(out[k], k + 9);
            forward += inner(up[k], change[k]);
        }
        gt_gradients(tape, ((gt_Tensors){out, outputs}), ((gt_Tensors){at, point.moving}), g,
                     .unconnected = GT_UNCONNECTED_ZERO, .output_gradients = up);
        for (int i = 0; i < point.moving; i++)
            backward += inner(g[i], along[i]);
        gt_tape_end(tape);
        cr_assert(fabs(forward - backward) <= 1e-10 * fmax(1, fabs(forward)),
                  "%s, sample %d: <u, J v> = %.12g, <J' u, v> = %.12g", name,
                  (int)(c->sample - c->operation->samples), forward, backward);
        outputs_at(&point, h, moved, above);
        outputs_at(&point, -h, moved, below);
        for (int k = 0; k < outputs; k++)
            for (int64_t i = 0; i < gt_size(change[k]); i++) {
                double rule = gt_element(change[k], i);
                double difference = (gt_element(above[k], i) - gt_element(below[k], i)) / (2 * h);
                cr_assert(fabs(rule - difference) <= 2e-6 * fmax(1, fabs(rule)),
                          "%s, sample %d, output %d at %d: %.12g, differences %.12g", name,
                          (int)(c->sample - c->operation->samples), k, (int)i, rule, difference);
            }
    }
    cr_assert(gt_status() == GT_OK, "%s: %s", name, gt_error_message());
    gt_scope_end(scope);
}

Test(autodiff, forward_of_every_operation)
{
    static Case c;
    int operations = 0, count = 0;
    const gt_Operation *const *table = gt_operations(&count);
    for (int i = 0; i < count; i++) {
        const gt_Operation *operation = table[i];
        if (operation->flags & (GT_OP_NOT_DIFFERENTIABLE | GT_OP_EFFECT))
            continue;
        operations++;
        for (const gt_Sample *sample = operation->samples; sample->inputs > 0; sample++) {
            fill_case(&c, operation, sample, GT_FLOAT64);
            check_forward(&c);
        }
    }
    fprintf(stderr, "forward mode of %d operations\n", operations);
    cr_assert(operations > 80);
}

/* ---- custom gradients ---- */

static gt_Status same(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = in[0];
    return gt_status();
}

static gt_Status two(void *context, gt_GradientRule *rule)
{
    (void)context;
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), 2));
}

static gt_Status nothing(void *context, gt_GradientRule *rule)
{
    (void)context;
    (void)rule;
    return gt_status();
}

static gt_Status refuses(void *context, gt_GradientRule *rule)
{
    (void)context;
    (void)rule;
    return GT_UNSUPPORTED;
}

static gt_Status wrong_shape(void *context, gt_GradientRule *rule)
{
    (void)context;
    return gt_give(rule, 0, gt_zeros(gt_shape(2, 3), .dtype = GT_FLOAT64));
}

/* log(1 + e^x) with the derivative 1 - 1 / (1 + e^x), from an e^x that is saved: TensorFlow's own
 * example. The inner tape and its gradient are nobody else's business. */
static gt_Status log1pexp(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    int *calls = context;
    ++*calls;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *e = gt_exp(in[0]);
    gt_gradient(tape, gt_square(e), in[0], .unconnected = GT_UNCONNECTED_NONE);
    gt_tape_end(tape);
    out[0] = gt_log(gt_add(e, 1));
    out[1] = e;
    return gt_status();
}

static gt_Status log1pexp_gradient(void *context, gt_GradientRule *rule)
{
    (void)context;
    gt_Tensor *e = gt_rule_output(rule, 1), *up = gt_upstream(rule, 0),
              *saved = gt_upstream(rule, 1);
    gt_Tensor *sum = gt_zeros_like(e);
    if (up)
        sum = gt_add(sum, gt_multiply(up, gt_divide(e, gt_add(e, 1))));
    if (saved)
        sum = gt_add(sum, gt_multiply(saved, e));
    return gt_give(rule, 0, sum);
}

static gt_Status product_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], in[1]);
    return gt_status();
}

static gt_Status steps(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_round(in[0]);
    return gt_status();
}

static gt_Status total(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_sum(in[0]);
    return gt_status();
}

Test(autodiff, custom_gradient)
{
    gt_Tensor *y = NULL, *g[2], *nine[9];
    gt_Variable *x = var(2);
    int calls = 0; /* saved outputs; a rule made of operations is differentiable */
    gt_assign(x, 0.3);
    gt_Tape *outer = gt_tape_begin();
    gt_Tape *tape = gt_tape_begin();
    gt_custom_gradient(log1pexp, log1pexp_gradient, &calls, ONE(x), &y, .saved = 1);
    g[0] = gt_gradient(tape, y, x);
    gt_tape_end(tape);
    double s = 1 / (1 + exp(-0.3));
    is(y, log(1 + exp(0.3)), "log1pexp");
    is(g[0], s, "log1pexp, first order");
    is(gt_gradient(outer, g[0], x), s * (1 - s), "log1pexp, second order through the saved e^x");
    gt_tape_end(outer);
    cr_assert(calls == 1, "%d calls", calls);

    int64_t records = gt_memory_stats().records;
    tape = gt_tape_begin(); /* what is inside is hidden: nothing is recorded of it */
    gt_custom_gradient(log1pexp, log1pexp_gradient, &calls, ONE(x), &y, .saved = 1);
    cr_assert(gt_memory_stats().records <= records + 1, "%lld records",
              (long long)gt_memory_stats().records);
    gt_tape_end(tape);

    gt_Variable *z = var(5);
    tape = gt_tape_begin(.persistent = true);
    gt_custom_gradient(same, nothing, NULL, ONE(x), &y);
    gt_gradient(tape, y, x);
    fails(GT_STATE, "custom_gradient: the gradient function gave no gradient for input 0");
    gt_custom_gradient(same, refuses, NULL, ONE(x), &y);
    gt_gradient(tape, y, x);
    fails(GT_UNSUPPORTED, "the gradient function failed");
    gt_custom_gradient(same, wrong_shape, NULL, ONE(x), &y);
    gt_gradient(tape, y, x);
    fails(GT_STATE, "a gradient of float64 (2, 3), not of float64 ()");
    gt_custom_gradient(times_variable, two, z, ONE(x), &y);
    fails(GT_INVALID, "the function reads variable variable, which is not among its inputs");
    gt_custom_gradient(times_variable, two, z, ONE(z), &y);
    is(gt_gradient(tape, y, z), 2, "it may read a variable that is an input");
    gt_custom_gradient(same, two, NULL, ONE(x), nine, .outputs = 9);
    fails(GT_INVALID, "must be 1 to 8 (got 9)");
    gt_custom_gradient(same, two, NULL, ONE(x), &y, .saved = -2);
    fails(GT_INVALID, "must be 1 to 8 (got -1)");
    gt_custom_gradient(same, NULL, NULL, ONE(x), &y);
    fails(GT_INVALID, "the gradient function is NULL");
    gt_custom_gradient(breaks, two, NULL, ONE(x), &y);
    fails(GT_INVALID, "matmul");
    cr_assert_null(y);
    gt_tape_end(tape);

    gt_assign(x, 1.7);
    tape = gt_tape_begin(.persistent = true);
    is(gt_grad_pass_through(steps, NULL, x), 2, "rounded");
    is(gt_gradient(tape, gt_multiply(gt_grad_pass_through(steps, NULL, x), 3), x), 3, "passes");
    gt_grad_pass_through(total, NULL, gt_ones(gt_shape(2), .dtype = GT_FLOAT64));
    fails(GT_INVALID, "the function must return a tensor like its input, float64 (2,) (got float64 ())");
    gt_Tensor *clipped = gt_clip_gradient(x, -0.5, 0.25);
    is(clipped, 1.7, "clip_gradient leaves the numbers");
    is(gt_gradient(tape, gt_multiply(clipped, 3), x), 0.25, "cut above");
    is(gt_gradient(tape, gt_multiply(clipped, -3), x), -0.5, "cut below");
    is(gt_gradient(tape, gt_multiply(clipped, 0.1), x), 0.1, "left alone");
    gt_clip_gradient(x, 1, 0);
    fails(GT_INVALID, "clip_gradient: low must not exceed high (low 1");
    gt_clip_gradient(NULL, 0, 1);
    fails(GT_INVALID, "clip_gradient: input 1 is NULL");
    gt_tape_end(tape);
    gt_variable_free(x);
    gt_variable_free(z);
    ok("end");
}

/* ---- recomputing ---- */

typedef struct Block {
    gt_Variable *w, *b, *generator, *count;
    int calls;
} Block;

/* dropout(tanh(x w + b)), and counts its calls in a variable. */
static gt_Status block_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Block *block = context;
    block->calls++;
    gt_Tensor *y = gt_tanh(gt_add(gt_matmul(in[0], block->w), block->b));
    if (block->generator)
        y = gt_dropout(y, 0.3, .generator = block->generator);
    gt_assign_add(block->count, 1);
    out[0] = gt_multiply(y, gt_cast(block->count, gt_dtype(y)));
    return gt_status();
}

static void block_make(Block *block, int64_t width, int seed)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *from = gt_generator((uint64_t)seed);
    *block = (Block){0};
    block->w = gt_variable(gt_normal(gt_shape(width, width), .stddev = 0.2, .generator = from));
    block->b = gt_variable(gt_normal(gt_shape(width), .generator = from));
    block->count = gt_variable(gt_scalar(0, GT_INT64));
    block->generator = from;
    gt_scope_end(scope);
}

static void block_free(Block *block)
{
    gt_variable_free(block->w);
    gt_variable_free(block->b);
    gt_variable_free(block->generator);
    gt_variable_free(block->count);
}

/* Gradients of a chain of blocks, plain or recomputed; what is left in the variables counts too. */
static void chain(int blocks, int64_t rows, int64_t width, bool recomputed, double *numbers,
                  int64_t *peak)
{
    gt_Context *context = gt_context_create(), *mine = gt_context_use(context);
    Block *block = calloc((size_t)blocks, sizeof *block);
    for (int i = 0; i < blocks; i++)
        block_make(&block[i], width, i + 1);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *input = gt_full(gt_shape(rows, width), 0.5), *x = input;
    gt_watch(tape, input);
    int64_t before = gt_memory_stats().bytes_in_use;
    for (int i = 0; i < blocks; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *y = NULL;
        if (recomputed)
            gt_recompute(block_body, &block[i], ONE(x), &y);
        else
            block_body(&block[i], &x, &y);
        x = gt_keep(y);
        gt_scope_end(scope);
        if (i > 0) { /* assigned in between: the second run sees what the first one saw */
            gt_assign(block[i].b, gt_multiply(block[i].b, 2));
            gt_assign_add(block[i].count, 10);
        }
    }
    gt_Tensor *loss = gt_sum(gt_square(x)), *g[4];
    x = NULL;
    gt_gradients(tape, ONE(loss),
                 gt_tensors(input, block[0].w, block[blocks / 2].w, block[blocks - 1].b), g);
    ok(recomputed ? "recomputed" : "plain");
    *peak = gt_memory_stats().bytes_peak - before;
    *numbers++ = gt_item(loss);
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < 5; i++)
            *numbers++ = gt_element(g[k], i * 3);
    gt_tape_end(tape);
    for (int i = 0; i < blocks; i++) {
        *numbers++ = gt_element(block[i].generator, 1);
        *numbers++ = gt_item(block[i].count);
        *numbers++ = gt_element(block[i].b, 1);
        cr_assert(block[i].calls == (recomputed ? 2 : 1), "%d calls", block[i].calls);
        block_free(&block[i]);
    }
    free(block);
    ok("end");
    gt_context_free(context);
    gt_context_use(mine);
}

Test(autodiff, recompute)
{
    enum { numbers = 1 + 4 * 5 + 3 * 64 };
    double plain[numbers], again[numbers];
    int64_t plain_peak, again_peak;
    chain(64, 256, 32, false, plain, &plain_peak);
    chain(64, 256, 32, true, again, &again_peak);
    for (int i = 0; i < numbers; i++)
        cr_assert(memcmp(&plain[i], &again[i], sizeof *plain) == 0, "number %d: %.17g and %.17g", i,
                  plain[i], again[i]);
    fprintf(stderr, "64 layers: peak %lld bytes, recomputed %lld bytes\n", (long long)plain_peak,
            (long long)again_peak);
    cr_assert(again_peak * 3 < plain_peak * 2, "peak %lld, recomputed %lld", (long long)plain_peak,
              (long long)again_peak);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- in plans ---- */

enum { BLOCKS = 32, PIECE = 4, ROWS = 64, WIDTH = 32, SEEN = 1 + 4 };

typedef struct Chain {
    Block block[BLOCKS];
    bool recomputed;
} Chain;

static gt_Status piece_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Block *block = context;
    gt_Tensor *x = in[0];
    for (int i = 0; i < PIECE; i++)
        block_body(&block[i], (gt_Tensor *[]){x}, &x);
    out[0] = x;
    return gt_status();
}

/* A step of the chain: its loss, and gradients. */
static gt_Status chain_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Chain *self = context;
    Block *block = self->block;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = in[0], *g[4];
    gt_watch(tape, in[0]);
    for (int i = 0; i < BLOCKS; i += PIECE) {
        gt_Tensor *y = NULL;
        if (self->recomputed)
            gt_recompute(piece_body, &block[i], ONE(x), &y);
        else
            piece_body(&block[i], &x, &y);
        x = y;
        if (i > 0) { /* assigned in between: the second run sees what the first one saw */
            gt_assign(block[i].b, gt_multiply(block[i].b, 0.5));
            gt_assign(block[i].count, 1);
        }
    }
    gt_Tensor *loss = gt_sum(gt_square(x));
    gt_gradients(tape, ONE(loss),
                 gt_tensors(in[0], block[0].w, block[BLOCKS / 2].w, block[BLOCKS - 1].b), g);
    out[0] = gt_keep(loss);
    for (int i = 0; i < 4 && g[i]; i++)
        out[1 + i] = gt_keep(g[i]);
    gt_tape_end(tape);
    return gt_status();
}

/* Some steps, all that can be seen of them, and the bytes that the plan has. */
static int64_t run_chain(bool recomputed, bool planned, double *numbers)
{
    gt_Context *context = gt_context_create(), *mine = gt_context_use(context);
    Chain *self = calloc(1, sizeof *self);
    self->recomputed = recomputed;
    for (int i = 0; i < BLOCKS; i++)
        block_make(&self->block[i], WIDTH, i + 1);
    gt_Function *function = gt_function(chain_step, self, .outputs = SEEN);
    for (int step = 0; step < 3; step++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_full(gt_shape(ROWS, WIDTH), 0.5 + step), *out[SEEN] = {NULL};
        if (planned)
            gt_function_call(function, ONE(x), out);
        else
            chain_step(self, &x, out);
        ok(recomputed ? "recomputed" : "plain");
        *numbers++ = gt_item(out[0]);
        for (int k = 1; k < SEEN; k++)
            for (int i = 0; i < 5; i++)
                *numbers++ = gt_element(out[k], i * 3);
        gt_scope_end(scope);
    }
    gt_FunctionStats stats = gt_function_stats(function);
    gt_function_free(function);
    for (int i = 0; i < BLOCKS; i++) {
        *numbers++ = gt_element(self->block[i].generator, 1);
        *numbers++ = gt_item(self->block[i].count);
        *numbers++ = gt_element(self->block[i].b, 1);
        block_free(&self->block[i]);
    }
    free(self);
    ok("end");
    gt_context_free(context);
    gt_context_use(mine);
    return stats.bytes;
}

Test(autodiff, recompute_in_plans)
{
    enum { numbers = 3 * (1 + 4 * 5) + 3 * BLOCKS };
    double seen[4][numbers];
    int64_t bytes[4];
    for (int way = 0; way < 4; way++)
        bytes[way] = run_chain(way & 1, way & 2, seen[way]);
    for (int way = 1; way < 4; way++)
        for (int i = 0; i < numbers; i++)
            cr_assert(memcmp(&seen[0][i], &seen[way][i], sizeof **seen) == 0,
                      "%s, %s, number %d: %.17g and %.17g", way & 1 ? "recomputed" : "plain",
                      way & 2 ? "planned" : "eager", i, seen[0][i], seen[way][i]);
    fprintf(stderr, "a plan of %d layers: %lld bytes, recomputed %lld bytes\n", BLOCKS,
            (long long)bytes[2], (long long)bytes[3]);
    cr_assert(bytes[3] * 2 < bytes[2], "%lld bytes, recomputed %lld", (long long)bytes[2],
              (long long)bytes[3]);
    gt_context_free(NULL);
    assert_no_leaks();
}

static gt_Status cube(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Variable *w = context; /* w x^3, and 2 x */
    out[0] = gt_multiply(gt_multiply(in[0], gt_square(in[0])), w);
    out[1] = gt_multiply(in[0], 2);
    return gt_status();
}

static gt_Status inside_another(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_recompute(cube, context, ONE(gt_multiply(in[0], 1)), out, .outputs = 2);
}

static gt_Status changing(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    int *calls = context;
    out[0] = ++*calls > 1 ? gt_stack(gt_tensors(in[0], in[0])) : gt_multiply(in[0], 2);
    return gt_status();
}

static gt_Status training_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y[2];
    gt_recompute(cube, context, ONE(in[0]), y, .outputs = 2);
    out[0] = gt_keep(gt_gradient(tape, y[0], context));
    gt_tape_end(tape);
    return gt_status();
}

Test(autodiff, recompute_orders)
{
    gt_Tensor *y[2], *g[2];
    gt_Variable *x = var(2), *w = var(5);
    for (int deep = 0; deep < 2; deep++) {
        gt_Tape *outer = gt_tape_begin(), *tape = gt_tape_begin();
        gt_recompute(deep ? inside_another : cube, w, ONE(x), y, .outputs = 2);
        is(y[1], 4, "second output");
        gt_gradients(tape, ONE(y[0]), gt_tensors(x, w), g);
        gt_tape_end(tape);
        is(g[0], 60, "3 w x^2");
        is(g[1], 8, "x^3");
        gt_Tensor *h[2];
        gt_gradients(outer, ONE(g[0]), gt_tensors(x, w), h);
        is(h[0], 60, "6 w x");
        is(h[1], 12, "3 x^2");
        gt_tape_end(outer);
    }
    gt_Tape *tape = gt_tape_begin(.persistent = true); /* inputs that depend on each other */
    gt_Tensor *square = gt_square(x);
    gt_recompute(product_body, NULL, gt_tensors(x, square), y);
    is(gt_gradient(tape, y[0], x), 12, "x x^2");
    gt_recompute(product_body, NULL, gt_tensors(square, square), y);
    is(gt_gradient(tape, y[0], x), 32, "x^2 x^2");
    gt_recompute(product_body, NULL, gt_tensors(x, x), y);
    is(gt_gradient(tape, y[0], x), 4, "x x, a variable twice");
    int calls = 0;
    gt_recompute(changing, &calls, ONE(x), y);
    gt_gradient(tape, y[0], x);
    fails(GT_STATE, "output 1 was float64 () and is float64 (2,) when it is computed again");
    gt_recompute(breaks, NULL, ONE(x), y);
    fails(GT_INVALID, "recompute: matmul");
    gt_recompute(same, NULL, ((gt_Tensors){NULL, 0}), y);
    fails(GT_INVALID, "the number of inputs must be 1 to 64 (got 0)");
    gt_tape_end(tape);
    is(x, 2, "nothing changed");

    gt_Function *step = gt_function(training_step, w);
    for (int i = 0; i < 3; i++) {
        gt_function_call(step, ONE(gt_scalar(i, GT_FLOAT64)), y);
        is(y[0], i * i * i, "traced: an ordinary call");
    }
    gt_function_free(step);
    gt_variable_free(x);
    gt_variable_free(w);
    ok("end");
}

/* A layer is built inside the first run, its generator and moving averages are replayed. */
static gt_Status model_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_call(context, in[0], .training = true);
    return gt_status();
}

Test(autodiff, recompute_layers)
{
    double numbers[2][7];
    for (int k = 0; k < 2; k++) {
        gt_Context *context = gt_context_create(.seed = 3), *mine = gt_context_use(context);
        gt_Layer *model =
            gt_Sequential(gt_Dense(8, .activation = gt_tanh), gt_Dropout(0.5), gt_Dense(4));
        gt_Tensor *x = gt_reshape(gt_linspace(-1, 1, 12), gt_shape(4, 3)), *y = NULL;
        for (int round = 0; round < 2; round++) {
            gt_Tape *tape = gt_tape_begin();
            if (k)
                gt_recompute(model_body, model, ONE(x), &y);
            else
                model_body(model, &x, &y);
            gt_Tensors weights = gt_trainable_variables(model);
            gt_Tensor *g[4];
            gt_gradients(tape, ONE(gt_sum(gt_square(y))), weights, g);
            ok("layers");
            for (int i = 0; i < 3; i++)
                numbers[k][round * 3 + i] = gt_element(g[i], 2);
            gt_tape_end(tape);
        }
        numbers[k][6] = gt_item(gt_sum(gt_call(model, x, .training = true)));
        gt_layer_free(model);
        gt_context_free(context);
        gt_context_use(mine);
    }
    cr_assert(memcmp(numbers[0], numbers[1], sizeof numbers[0]) == 0);
}

/* A layer that recomputes its child, which inherits `training` from it in both runs. */
typedef struct Thrifty {
    gt_Layer base;
    gt_Layer *child;
    bool thrifty, adds_loss;
} Thrifty;

static gt_Status thrifty_make(gt_Layer *layer)
{
    Thrifty *self = (Thrifty *)layer;
    self->child = gt_Sequential(gt_Dropout(0.5), gt_Dense(3));
    gt_add_child(layer, self->child);
    return gt_status();
}

static gt_Status child_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Thrifty *self = context;
    out[0] = gt_call(self->child, in[0]);
    if (self->adds_loss)
        gt_add_loss(&self->base, gt_sum(out[0]));
    return gt_status();
}

static gt_Tensor *thrifty_call(gt_Layer *layer, const gt_CallArgs *in)
{
    Thrifty *self = (Thrifty *)layer;
    gt_Tensor *y = NULL;
    if (self->thrifty)
        gt_recompute(child_body, self, ONE(in->x), &y);
    else
        child_body(self, &in->x, &y);
    return y;
}

static const gt_LayerClass thrifty_class = {
    .size = sizeof(gt_LayerClass), .name = "thrifty", .instance = sizeof(Thrifty), .create = thrifty_make, .call = thrifty_call};

Test(autodiff, recompute_inside_a_layer)
{
    double numbers[2][12];
    for (int k = 0; k < 2; k++) {
        gt_Context *context = gt_context_create(.seed = 3), *mine = gt_context_use(context);
        gt_Layer *layer = gt_layer_new(&thrifty_class, &(Thrifty){.thrifty = k});
        gt_Tape *tape = gt_tape_begin();
        gt_Tensor *y = gt_call(layer, gt_ones(gt_shape(1, 4)), .training = true);
        gt_Tensor *g =
            gt_gradient(tape, gt_sum(gt_square(y)), gt_trainable_variables(layer).items[0]);
        ok("a layer that recomputes");
        for (int i = 0; i < 12; i++)
            numbers[k][i] = gt_element(g, i);
        gt_tape_end(tape);
        ((Thrifty *)layer)->adds_loss = true;
        gt_call(layer, gt_ones(gt_shape(1, 4)));
        if (k)
            fails(GT_UNSUPPORTED, "return the loss as an output");
        tape = gt_tape_begin();
        ((Thrifty *)layer)->adds_loss = false;
        gt_Tensor *x = gt_ones(gt_shape(1, 4));
        gt_watch(tape, x);
        y = gt_call(layer, x, .training = true);
        gt_layer_free(layer);
        gt_gradient(tape, y, x);
        if (k)
            fails(GT_STALE, "the layer that called it was freed");
        gt_tape_end(tape);
        ok("end");
        gt_context_free(context);
        gt_context_use(mine);
    }
    cr_assert(memcmp(numbers[0], numbers[1], sizeof numbers[0]) == 0);
}

/* ---- traced ---- */

static gt_Status all_of_it(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *y = NULL, *v = gt_ones_like(in[0]);
    out[0] = gt_hessian(polynomial, NULL, in[0]);
    out[1] = gt_hessian_vector_product(polynomial, NULL, in[0], v);
    gt_jvp(polynomial, NULL, ONE(in[0]), ONE(v), NULL, &out[2]);
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_watch(tape, in[0]);
    out[3] = gt_keep(gt_jacobian(tape, gt_multiply(in[0], (gt_Tensor *)context), in[0]));
    gt_custom_gradient(log1pexp, log1pexp_gradient, &(int){0}, ONE(in[0]), &y, .saved = 1);
    out[4] = gt_keep(gt_gradient(tape, gt_clip_gradient(y, -1, 0.75), in[0]));
    out[5] = gt_keep(gt_gradient(tape, gt_grad_pass_through(steps, NULL, in[0]), in[0]));
    gt_tape_end(tape);
    return gt_status();
}

Test(autodiff, traced)
{
    enum { outputs = 6 };
    gt_Variable *w = var(3);
    gt_Function *function = gt_function(all_of_it, w, .outputs = outputs);
    for (int round = 0; round < 2; round++) {
        gt_Tensor *x = gt_array64(gt_shape(3), 0.7 + round, -0.3, 1.9);
        gt_Tensor *eager[outputs], *planned[outputs];
        all_of_it(w, &x, eager);
        gt_function_call(function, ONE(x), planned);
        ok("traced");
        for (int k = 0; k < outputs; k++) {
            cr_assert(gt_shape_equal(gt_tensor_shape(eager[k]), gt_tensor_shape(planned[k])));
            for (int64_t i = 0; i < gt_size(eager[k]); i++)
                cr_assert(gt_element(eager[k], i) == gt_element(planned[k], i),
                          "output %d at %d: %g and %g", k, (int)i, gt_element(eager[k], i),
                          gt_element(planned[k], i));
        }
    }
    cr_assert(gt_function_stats(function).runs == 2);
    gt_function_free(function);
    gt_variable_free(w);
}

/* ---- rows: what comes back from a lookup ---- */

enum { TABLE = 9, WIDE = 2 };

static gt_Variable *table_of(gt_DType dtype)
{
    double numbers[TABLE * WIDE];
    for (int i = 0; i < TABLE * WIDE; i++)
        numbers[i] = 0.25 * i - 2;
    return gt_variable(
        gt_from_values_at(NULL, gt_shape(TABLE, WIDE), dtype, TABLE * WIDE, numbers));
}

static gt_Tensor *whole(gt_DType dtype, gt_Shape shape, const double *numbers)
{
    int64_t size = 1;
    for (int d = 0; d < shape.rank; d++)
        size *= shape.dims[d];
    return gt_from_values_at(NULL, shape, dtype, size, numbers);
}
#define INDICES(dtype, shape, ...) whole(dtype, shape, (const double[]){__VA_ARGS__})

/* The same numbers by another way: one_hot times matrix. */
static gt_Tensor *by_matrix(gt_Tensor *table, gt_Tensor *indices)
{
    indices = gt_cast(gt_ravel(indices), GT_INT32);
    indices = gt_where(gt_less(indices, 0), gt_add(indices, TABLE), indices);
    return gt_matmul(gt_one_hot(indices, TABLE, .dtype = gt_dtype(table)), table);
}

static void same_numbers(gt_Tensor *a, gt_Tensor *b, const char *what)
{
    ok(what);
    cr_assert(gt_shape_equal(gt_tensor_shape(a), gt_tensor_shape(b)), "%s", what);
    for (int64_t i = 0; i < gt_size(a); i++)
        cr_assert(fabs(gt_element(a, i) - gt_element(b, i)) < 1e-9, "%s at %d: %g and %g", what,
                  (int)i, gt_element(a, i), gt_element(b, i));
}

/* Of a loss that is the sum of the squares of what is looked up. */
static gt_Tensor *lookup_gradient(gt_Variable *table, gt_Tensor *indices, gt_Tensor *other,
                                  gt_Tensor *(*take)(gt_Tensor *, gt_Tensor *))
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_sum(gt_square(take(table, indices)));
    if (other)
        loss = gt_add(loss, gt_sum(gt_square(gt_square(take(table, other)))));
    gt_Tensor *gradient = gt_keep(gt_gradient(tape, loss, table));
    gt_tape_end(tape);
    return gradient;
}

static gt_Tensor *take_rows(gt_Tensor *x, gt_Tensor *indices)
{
    return gt_take(x, indices);
}

/* A variable as output gradient is read like any other input: as it is at that time, and watched. */
static gt_Status pulled_by_a_variable(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Variable *up = context;
    gt_Tape *outer = gt_tape_begin(), *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_Tensor *y = gt_square(in[0]);
    gt_assign_add(up, 1);
    gt_Tensor *slope = gt_gradient(tape, y, in[0], .output_gradients = &up);
    gt_tape_end(tape);
    out[0] = gt_keep(slope);
    out[1] = gt_keep(gt_gradient(outer, slope, up));
    gt_tape_end(outer);
    return gt_status();
}

static gt_Status give_the_variable(void *context, gt_GradientRule *rule)
{
    return gt_give(rule, 0, context);
}

static gt_Status same_number(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], 1);
    return gt_status();
}

static gt_Status pushed_by_a_variable(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Variable *slope = context;
    gt_Tensor *y;
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_assign_add(slope, 1);
    gt_custom_gradient(same_number, give_the_variable, slope, ONE(in[0]), &y);
    out[0] = gt_keep(gt_gradient(tape, y, in[0]));
    gt_tape_end(tape);
    return gt_status();
}

Test(autodiff, variable_as_gradient_of_a_rule)
{
    gt_Variable *slope = var(2);
    gt_Function *function = gt_function(pushed_by_a_variable, slope, .outputs = 1);
    for (int round = 0; round < 3; round++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_scalar(5, GT_FLOAT64), *out;
        gt_function_call(function, gt_tensors(x), &out);
        is(out, 3 + round, "what the variable holds");
        gt_scope_end(scope);
    }
    gt_function_free(function);
    gt_variable_free(slope);
    ok("end");
    assert_no_leaks();
}

Test(autodiff, variable_as_output_gradient)
{
    gt_Variable *eager = var(2), *planned = var(2);
    gt_Function *function = gt_function(pulled_by_a_variable, planned, .outputs = 2);
    for (int round = 0; round < 3; round++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_scalar(5, GT_FLOAT64), *out[2];
        pulled_by_a_variable(eager, &x, out);
        is(out[0], 10 * (3 + round), "2 x times the variable");
        is(out[1], 10, "its slope in the variable");
        gt_function_call(function, gt_tensors(x), out);
        is(out[0], 10 * (3 + round), "the same traced");
        is(out[1], 10, "its slope traced");
        gt_scope_end(scope);
    }
    gt_function_free(function);
    gt_variable_free(eager);
    gt_variable_free(planned);
    ok("end");
    assert_no_leaks();
}

Test(autodiff, rows)
{
    gt_Variable *table = table_of(GT_FLOAT64);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *lists[] = {INDICES(GT_INT32, gt_shape(2, 2), 4, 0, 4, -1),
                          INDICES(GT_INT64, gt_shape(3), 8, -9, 3),
                          INDICES(GT_UINT8, gt_shape(), 5), INDICES(GT_INT32, gt_shape(0), 0)};
    const int counts[] = {4, 3, 1, 0};
    gt_Tensor *indices, *values;
    for (int a = 0; a < 4; a++)
        for (int b = -1; b < 4; b++) { /* alone, and the sum of two */
            gt_Tensor *other = b < 0 ? NULL : lists[b];
            int count = counts[a] + (b < 0 ? 0 : counts[b]);
            gt_Tensor *gradient = lookup_gradient(table, lists[a], other, take_rows);
            gt_Tensor *expected = lookup_gradient(table, lists[a], other, by_matrix);
            cr_assert(gt_rows(gradient, &indices, &values));
            cr_assert(gt_shape_equal(gt_tensor_shape(indices), gt_shape(count)));
            cr_assert(gt_shape_equal(gt_tensor_shape(values), gt_shape(count, WIDE)));
            if (a == 0 && b < 0)
                cr_assert(gt_element(indices, 2) == 4 && gt_element(indices, 3) == -1 &&
                          gt_element(values, 2) == -4 && gt_element(values, 7) == 4.5 &&
                          gt_dtype(indices) == GT_INT32);
            if (a == 1 && b == 1)
                cr_assert(gt_element(indices, 1) == -9 && gt_element(indices, 3) == 8);
            gt_Tensor *view = gt_stop_gradient(gradient);
            cr_assert(gt_rows(view, NULL, NULL));
            cr_assert(!gt_rows(gt_reshape(gradient, gt_shape(WIDE, TABLE)), &indices, &values) &&
                      !indices && !values);
            same_numbers(gradient, expected, "rows");
            cr_assert(!gt_rows(gradient, NULL, NULL) && !gt_rows(view, NULL, NULL), "it was read");
            same_numbers(view, expected, "a view of rows");
        }

    gt_Tensor *zero = INDICES(GT_INT32, gt_shape(1), 0);
    gt_Tape *tape = gt_tape_begin(.persistent = true); /* with a sum that is none, with nothing */
    gt_Tensor *looked_up = gt_sum(gt_square(gt_take(table, lists[1])));
    gt_Tensor *mixed = gt_add(looked_up, gt_sum(gt_square(table)));
    gt_Tensor *gradient = gt_gradient(tape, mixed, table);
    cr_assert(!gt_rows(gradient, NULL, NULL));
    for (int i = 0; i < TABLE; i++)
        cr_assert(gt_element(gradient, WIDE * i) ==
                  (i == 8 || i == 0 || i == 3 ? 4 : 2) * gt_element(table, WIDE * i));
    gradient = gt_gradient(tape, gt_add(looked_up, gt_item(looked_up)), table);
    cr_assert(gt_rows(gradient, NULL, NULL));

    /* Not rows: along another axis, flattened, and more of them than the table has. */
    cr_assert(!gt_rows(gt_gradient(tape, gt_take(table, zero, .axis = 1), table), NULL, NULL));
    cr_assert(gt_rows(gt_gradient(tape, gt_take(table, zero, .axis = -2), table), NULL, NULL));
    gradient = gt_gradient(tape, gt_take(table, zero, .axis = GT_NONE), table);
    cr_assert(!gt_rows(gradient, NULL, NULL) && gt_element(gradient, 0) == 1 &&
              gt_element(gradient, 1) == 0);
    gt_Tensor *many = gt_cast(gt_mod(gt_arange(0, 20, 1), TABLE), GT_INT32);
    gradient = gt_gradient(tape, gt_take(table, many), table);
    cr_assert(!gt_rows(gradient, NULL, NULL));
    cr_assert(gt_element(gradient, 0) == 3 && gt_element(gradient, 2 * WIDE) == 2);
    gt_tape_end(tape);

    /* Made by hand; held by somebody while its variable changes. */
    gt_Variable *updates = gt_variable(gt_full(gt_shape(1, WIDE), 3));
    gradient = gt_scatter_add(zero, updates, gt_shape(TABLE, WIDE));
    gt_assign(updates, gt_zeros_like(updates));
    cr_assert(gt_rows(gradient, NULL, NULL));
    cr_assert(gt_element(gradient, 1) == 3 && gt_element(gradient, 2) == 0);
    cr_assert(
        !gt_rows(gt_scatter_add(zero, gt_full(gt_shape(1, 1), 1), gt_shape(1, 1)), NULL, NULL));

    /* Read by assigning, saving, writing into memory. */
    gradient = lookup_gradient(table, lists[0], NULL, take_rows);
    gt_Tensor *copy = lookup_gradient(table, lists[0], NULL, take_rows);
    gt_Variable *kept = gt_variable(copy);
    same_numbers(kept, gradient, "a variable made of rows");
    copy = lookup_gradient(table, lists[0], NULL, take_rows);
    gt_assign(kept, gt_zeros_like(kept));
    gt_assign_add(kept, copy);
    same_numbers(kept, gradient, "added to a variable");
    double into[TABLE * WIDE];
    tape = gt_tape_begin();
    gt_gradients_into(tape, gt_sum(gt_square(gt_take(table, lists[0]))), ONE(table), into,
                      sizeof into);
    gt_tape_end(tape);
    cr_assert(memcmp(into, gt_data(gradient), sizeof into) == 0);
    copy = lookup_gradient(table, lists[0], NULL, take_rows);
    char name[] = "/tmp/gradtape-rows-XXXXXX";
    cr_assert(mkstemp(name) >= 0);
    gt_save_tensors(name, gt_named_tensors({"gradient", copy}));
    gt_TensorFile *file = gt_open_tensors(name);
    same_numbers(gt_tensor_file_load(file, 0), gradient, "saved and loaded");
    gt_tensor_file_free(file);
    copy = lookup_gradient(table, lists[0], NULL, take_rows);
    gt_save_csv(name, copy);
    same_numbers(gt_load_csv(name, .dtype = GT_FLOAT64), gradient, "written and read");
    remove(name);
    gt_Dataset *dataset = gt_dataset_from_tensors(lookup_gradient(table, lists[0], NULL, take_rows),
                                                  NULL, .batch_size = TABLE, .shuffle = false);
    gt_Batch batch;
    cr_assert(gt_dataset_next(dataset, &batch));
    same_numbers(batch.x, gradient, "a batch");
    gt_dataset_free(dataset);

    cr_assert(!gt_rows(NULL, &indices, &values));
    fails(GT_INVALID, "rows: the gradient is NULL");
    gt_take(table, INDICES(GT_INT32, gt_shape(2), 0, 9));
    fails(GT_INVALID, "index 9, at (1,) of the indices, is outside axis 0 of length 9");
    gt_scatter_add(INDICES(GT_INT32, gt_shape(2), 0, 9), gt_zeros(gt_shape(2, WIDE)),
                   gt_shape(TABLE, WIDE));
    fails(GT_INVALID, "index 9, at (1,) of the indices, is outside axis 0 of length 9");
    gt_scope_end(scope);
    ok("end");
    gt_variable_free(kept);
    gt_variable_free(updates);
    gt_variable_free(table);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* What gradients of lookups go through, with how many of them are rows. */
typedef struct Through {
    gt_Variable *table, *vector;
    bool matrix; /* look up by another way */
    int rows;
} Through;

static gt_Tensor *look_up(const Through *through, gt_Tensor *x, gt_Tensor *indices)
{
    if (!through->matrix)
        return gt_take(x, indices);
    if (gt_rank(x) == 2)
        return by_matrix(x, indices);
    return gt_reshape(by_matrix(gt_reshape(x, gt_shape(TABLE, 1)), indices), gt_shape(3));
}

static gt_Status lookup_of(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Through *through = context;
    gt_Tensor *both = gt_multiply(look_up(through, through->table, in[0]),
                                  look_up(through, through->table, in[1]));
    out[0] = gt_sum(gt_multiply(gt_sum(both, .axis = 1), look_up(through, through->vector, in[0])));
    return gt_status();
}

static gt_Status lookup_by_hand(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_take(in[0], in[1]);
    return gt_status();
}

static gt_Status lookup_at(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_take(in[0], context);
    return gt_status();
}

static gt_Status lookup_by_hand_gradient(void *context, gt_GradientRule *rule)
{
    (void)context;
    gt_Tensor *up = gt_multiply(gt_upstream(rule, 0), 2); /* twice what it is */
    return gt_give(
        rule, 0,
        gt_scatter_add(gt_rule_input(rule, 1), up, gt_tensor_shape(gt_rule_input(rule, 0))));
}

static gt_Tensor *counted(Through *through, gt_Tensor *gradient)
{
    through->rows += gt_rows(gt_identity(gradient), NULL, NULL);
    return gt_keep(gradient);
}

enum { THROUGH = 10 };
static gt_Status through_everything(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Through *through = context;
    gt_Tensor *table = through->table, *y, *loss, *list[2];
    through->rows = 0;
    gt_Tape *outer = gt_tape_begin(.persistent = true);
    gt_Tape *tape = gt_tape_begin();
    lookup_of(through, in, &loss);
    gt_gradients(tape, ONE(loss), gt_tensors(table, through->vector), list);
    gt_tape_end(tape);
    out[0] = counted(through, list[0]);
    out[1] = counted(through, list[1]);
    gt_Tensor *penalty = gt_add(gt_sum(gt_square(list[0])), gt_sum(gt_square(list[1])));
    cr_assert(!gt_rows(list[0], NULL, NULL), "an operation read it");
    out[2] = gt_keep(gt_gradient(outer, penalty, table));
    gt_tape_end(outer);
    outer = gt_tape_begin();
    tape = gt_tape_begin();
    lookup_of(through, in, &loss);
    gt_Tensor *gradient = gt_gradient(tape, loss, table), *values;
    gt_tape_end(tape);
    if (!gt_rows(gradient, NULL, &values)) /* and those have a gradient too */
        values = gradient;
    out[3] = counted(through, gt_gradient(outer, gt_sum(gt_exp(values)), table));
    gt_tape_end(outer);
    tape = gt_tape_begin();
    gt_recompute(lookup_of, through, gt_tensors(in[0], in[1]), &loss);
    out[4] = counted(through, gt_gradient(tape, loss, table));
    gt_tape_end(tape);
    tape = gt_tape_begin();
    gt_custom_gradient(lookup_by_hand, lookup_by_hand_gradient, NULL, gt_tensors(table, in[1]), &y);
    out[5] = counted(through, gt_gradient(tape, gt_sum(gt_square(y)), table));
    gt_tape_end(tape);
    tape = gt_tape_begin(.persistent = true);
    out[6] = gt_keep(gt_jacobian(tape, look_up(through, table, in[0]), table));
    gt_tape_end(tape);
    tape = gt_tape_begin();
    y = look_up(through, table, in[0]);
    out[7] = counted(through, gt_gradient(tape, gt_multiply(gt_stop_gradient(y), y), table));
    gt_tape_end(tape);
    gt_jvp(lookup_at, in[0], ONE(table), ONE(gt_multiply(table, 2)), NULL, &out[8]);
    tape = gt_tape_begin();
    y = gt_multiply(table, 3); /* rows go on as a whole */
    out[9] =
        counted(through, gt_gradient(tape, gt_sum(gt_square(look_up(through, y, in[0]))), table));
    gt_tape_end(tape);
    return gt_status();
}

/* Adds rows from outside of the function, and an argument. */
static gt_Status add_rows(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_add(context, in[0]);
    out[1] =
        gt_scatter_add(gt_cast(gt_slice(in[0], gt_shape(0, 0), gt_shape(1, 1)), GT_INT32),
                       gt_ones(gt_shape(1, 1, WIDE), .dtype = GT_FLOAT64), gt_shape(TABLE, WIDE));
    return gt_status();
}

/* Rows go into traced functions and come out of them as what they stand for, however those run. */
Test(autodiff, rows_and_functions)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *made[4], *out[2][2];
    for (int i = 0; i < 4; i++)
        made[i] = gt_scatter_add(INDICES(GT_INT32, gt_shape(2), 1, 1),
                                 gt_full(gt_shape(2, WIDE), 1, .dtype = GT_FLOAT64),
                                 gt_shape(TABLE, WIDE));
    for (int eager = 0; eager < 2; eager++) {
        gt_Function *function = gt_function(add_rows, made[2 * eager], .outputs = 2);
        gt_Tape *tape = eager ? gt_tape_begin() : NULL; /* with a watched input bodies run eagerly */
        if (tape)
            gt_watch(tape, made[2 * eager + 1]);
        gt_function_call(function, ONE(made[2 * eager + 1]), out[eager]);
        for (int i = 0; tape && i < 2; i++)
            gt_keep(out[eager][i]);
        gt_tape_end(tape);
        ok("called");
        cr_assert(gt_function_stats(function).runs == !eager);
        cr_assert(!gt_rows(out[eager][1], NULL, NULL));
        for (int i = 0; i < TABLE * WIDE; i++)
            cr_assert(gt_element(out[eager][0], i) == (i / WIDE == 1 ? 4 : 0) &&
                      gt_element(out[eager][1], i) == (i / WIDE == 0));
        gt_function_free(function);
    }
    gt_scope_end(scope);

    gt_Context *mine = gt_context(); /* what another context's variable holds is not held */
    gt_Variable *theirs = gt_variable(gt_full(gt_shape(1, WIDE), 2));
    gt_Context *other = gt_context_create();
    gt_context_use(other);
    gt_Tensor *read =
        gt_scatter_add(INDICES(GT_INT32, gt_shape(1), 3), theirs, gt_shape(TABLE, WIDE));
    gt_context_use(mine);
    gt_assign(theirs, gt_zeros_like(theirs));
    gt_variable_free(theirs);
    gt_context_use(other);
    cr_assert(!gt_rows(read, NULL, NULL) && gt_element(read, 3 * WIDE) == 2);
    gt_context_use(mine);
    gt_context_free(other);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(autodiff, rows_through_everything)
{
    Through through = {table_of(GT_FLOAT64),
                       gt_variable(gt_array64(gt_shape(TABLE), 1, 2, 3, 4, 5, 6, 7, 8, 9)), false,
                       0};
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *in[2] = {INDICES(GT_INT32, gt_shape(3), 4, -1, 4),
                        INDICES(GT_INT32, gt_shape(3), 4, 0, 2)};
    gt_Tensor *eager[THROUGH], *planned[THROUGH];
    through_everything(&through, in, eager);
    ok("eager");
    cr_assert(through.rows == 6, "%d", through.rows);
    gt_Function *function = gt_function(through_everything, &through, .outputs = THROUGH);
    gt_function_call(function, ((gt_Tensors){in, 2}), planned);
    ok("planned");
    cr_assert(through.rows == 6 && gt_function_stats(function).runs == 1, "%d", through.rows);
    for (int k = 0; k < THROUGH; k++)
        for (int64_t i = 0; i < gt_size(eager[k]); i++)
            cr_assert(gt_element(eager[k], i) == gt_element(planned[k], i), "%d at %d: %g and %g",
                      k, (int)i, gt_element(eager[k], i), gt_element(planned[k], i));
    same_numbers(eager[0], eager[4], "recompute");
    through.matrix = true;
    through_everything(&through, in, planned);
    ok("by matrices");
    cr_assert(through.rows == 1, "%d", through.rows); /* that of the lookup by hand */
    for (int k = 0; k < THROUGH; k++)
        if (k != 3) /* of each row, not of their sums */
            same_numbers(eager[k], planned[k], "by matrices");
    gt_scope_end(scope);
    gt_function_free(function);
    gt_variable_free(through.table);
    gt_variable_free(through.vector);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- numbers that cannot be ---- */

Test(autodiff, check_numerics)
{
    gt_Variable *x = var(0);
    char expected[64];
    gt_check_numerics(true);
    gt_Tape *tape = gt_tape_begin();
    gt_multiply(gt_log(x), 2);
    snprintf(expected, sizeof expected, "test_autodiff.c:%d: log:", __LINE__ - 1);
    fails(GT_NUMERIC, expected);
    gt_divide(gt_multiply(x, 0), x);
    fails(GT_NUMERIC, "divide: element 0 of the result, float64 (), is not a number");
    gt_Tensor *root = gt_sqrt(x); /* fine, but for its slope */
    int line = __LINE__ - 1;
    gt_gradient(tape, gt_multiply(root, 3), x);
    snprintf(expected, sizeof expected, "test_autodiff.c:%d: ", line);
    cr_assert(strstr(gt_error_message(), expected), "%s", gt_error_message());
    fails(GT_NUMERIC, "is infinite, in the gradient of sqrt");
    gt_tape_end(tape);
    gt_Function *function = gt_function(polynomial, NULL);
    gt_Tensor *y;
    gt_function_call(function, ONE(gt_array64(gt_shape(3), 1, INFINITY, 2)), &y);
    fails(GT_NUMERIC, "sin: element 0 of the result, float64 (1,), is not a number");
    gt_Tensor *rows = gt_scatter_add(INDICES(GT_INT32, gt_shape(2), 4, 4),
                                     gt_full(gt_shape(2), 1e308, .dtype = GT_FLOAT64), gt_shape(5));
    ok("rows that nobody added up");
    cr_assert(!gt_data(rows) && !gt_rows(rows, NULL, NULL));
    fails(GT_NUMERIC, "scatter_add: element 4 of the result, float64 (5,), is infinite");
    gt_check_numerics(false);
    cr_assert(gt_rows(rows, NULL, NULL) && gt_element(rows, 4) == INFINITY);
    gt_function_call(function, ONE(gt_array64(gt_shape(3), 1, INFINITY, 2)), &y);
    ok("switched off");
    gt_function_free(function);
    gt_variable_free(x);
}

/* ---- control flow ---- */

static gt_Status root(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    if (context)
        ++*(int *)context;
    out[0] = gt_sqrt(in[0]);
    return gt_status();
}

static gt_Status negated_square(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_negative(gt_square(in[0]));
    return gt_status();
}

static gt_Status counting(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_assign_add(context, 1);
    out[0] = in[0];
    return gt_status();
}

/* sum over the elements of: root of x if it is positive, else -x^2; and its gradient. */
static gt_Status branches(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *y = NULL;
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_cond(gt_greater(in[0], 0), root, negated_square, context, ONE(in[0]), &y);
    out[0] = gt_keep(gt_identity(y));
    out[1] = gt_keep(gt_gradient(tape, y, in[0]));
    gt_tape_end(tape);
    return gt_status();
}

static gt_Status branch_with_effect(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_cond(gt_greater(in[0], 0), counting, same, context, ONE(in[0]), out);
}

static gt_Status uneven_branches(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_cond(gt_greater(gt_sum(in[0]), 0), total, same, context, ONE(in[0]), out);
}

Test(autodiff, cond)
{
    gt_Tensor *y[2];
    int roots = 0;
    const double at[3] = {4, -3, 0}, value[3] = {2, -9, 0}, slope[3] = {0.25, 6, 0};
    gt_Function *function = gt_function(branches, NULL, .outputs = 2);
    for (int i = 0; i < 3; i++) {
        gt_Tensor *x = gt_scalar(at[i], GT_FLOAT64);
        branches(&roots, &x, y);
        is(y[0], value[i], "the branch that is taken");
        is(y[1], slope[i], "its gradient");
        cr_assert(roots == 1, "the other branch does not run eagerly");
        gt_function_call(function, ONE(x), y);
        is(y[0], value[i], "traced: the branch that is taken");
        is(y[1], slope[i], "traced: its gradient");
    }
    gt_function_free(function);

    gt_Variable *count = var(0);
    gt_Tensor *x = gt_scalar(1, GT_FLOAT64);
    branch_with_effect(count, &x, y);
    is(count, 1, "eagerly a branch may change variables");
    function = gt_function(branch_with_effect, count);
    gt_function_call(function, ONE(x), y);
    is(count, 2, "and so it may traced");
    gt_function_call(function, ONE(gt_negative(x)), y);
    is(count, 2, "if it is taken");
    gt_function_free(function);
    function = gt_function(uneven_branches, NULL);
    gt_function_call(function, ONE(gt_ones(gt_shape(3))), y);
    fails(GT_INVALID, "output 1 must be alike in both branches (got float32 () and float32 (3,))");
    gt_function_free(function);
    gt_cond(gt_ones(gt_shape(2)), root, root, NULL, ONE(x), y);
    fails(GT_INVALID, "cond: the predicate must have one element (got float32 (2,))");
    gt_cond(NULL, root, root, NULL, ONE(x), y);
    fails(GT_INVALID, "the predicate is NULL");
    gt_cond(x, NULL, root, NULL, ONE(x), y);
    fails(GT_INVALID, "the body is NULL");
    gt_cond(x, root, root, NULL, ONE(x), NULL);
    fails(GT_INVALID, "the place for the outputs is NULL");
    gt_cond(x, same, root, NULL, ONE(x), y);
    is(y[0], 1, "a number as predicate");
    gt_variable_free(count);
    ok("end");
}

/* Newton's iteration for the root of `a`: variables r, a. */
static gt_Status not_there(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_greater(gt_abs(gt_subtract(gt_square(in[0]), in[1])), 1e-12);
    return gt_status();
}

static gt_Status newton(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(gt_add(in[0], gt_divide(in[1], in[0])), 0.5);
    out[1] = in[1];
    return gt_status();
}

static gt_Status newton_root(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    int64_t most = context ? *(const int64_t *)context : -1;
    gt_Tensor *last[2];
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_while_loop(not_there, newton, NULL, gt_tensors(gt_ones_like(in[0]), in[0]), last,
                  .maximum_iterations = most);
    out[0] = gt_keep(gt_identity(last[0]));
    out[1] = gt_keep(gt_gradient(tape, last[0], in[0]));
    gt_tape_end(tape);
    return gt_status();
}

static gt_Status grows(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_stack(gt_tensors(in[0], in[0]));
    return gt_status();
}

/* x i + y, x */
static gt_Status horner(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_add(gt_multiply(in[1], in[2]), gt_cast(in[0], GT_FLOAT64));
    out[1] = in[2];
    return gt_status();
}

/* 0 x^3 + 1 x^2 + 2 x + 3 and its derivative */
static gt_Status horner_loop(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_Tensor *last[2];
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_fori_loop(0, 4, horner, NULL, gt_tensors(gt_zeros_like(in[0]), in[0]), last);
    out[0] = gt_keep(gt_identity(last[0]));
    out[1] = gt_keep(gt_gradient(tape, last[0], in[0]));
    gt_tape_end(tape);
    return gt_status();
}

/* An exponential average: carry' = carry / 2 + x, output carry' times x. */
static gt_Status average(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_add(gt_multiply(in[0], 0.5), in[1]);
    out[1] = gt_multiply(out[0], in[1]);
    return gt_status();
}

static gt_Status average_scan(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *carry, *y;
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_scan(average, NULL, ONE(gt_scalar(0, GT_FLOAT64)), ONE(in[0]), &carry, &y,
            .reverse = context != NULL);
    out[0] = gt_keep(gt_identity(y));
    out[1] = gt_keep(gt_gradient(tape, y, in[0]));
    gt_tape_end(tape);
    return gt_status();
}

static bool stop(void *user)
{
    (void)user;
    return true;
}

Test(autodiff, loops)
{
    gt_Tensor *y[2], *last[2];
    int64_t most = 12;
    gt_Tensor *nine = gt_scalar(9, GT_FLOAT64);
    for (int traced = 0; traced < 2; traced++) {
        gt_Function *root_of = gt_function(newton_root, &most, .outputs = 2);
        gt_Function *polynomial_of = gt_function(horner_loop, NULL, .outputs = 2);
        if (traced)
            gt_function_call(root_of, ONE(nine), y);
        else
            newton_root(NULL, &nine, y);
        is(y[0], 3, "Newton's iteration");
        is(y[1], 1. / 6, "its gradient");
        if (traced)
            gt_function_call(polynomial_of, ONE(nine), y);
        else
            horner_loop(NULL, &nine, y);
        is(y[0], 81 + 18 + 3, "x^2 + 2 x + 3");
        is(y[1], 20, "2 x + 2");
        gt_function_free(root_of);
        gt_function_free(polynomial_of);

        const double x[5] = {1, -2, 3, 0.5, 2};
        gt_Tensor *xs = gt_from_data(x, gt_shape(5), GT_FLOAT64);
        for (int reverse = 0; reverse < 2; reverse++) {
            double wanted[5], slope[5] = {0}, carry = 0;
            for (int i = 0; i < 5; i++) {
                int k = reverse ? 4 - i : i;
                wanted[k] = (carry = carry / 2 + x[k]) * x[k];
                slope[k] += carry;
                for (int j = 0; j <= i; j++) /* through the carry */
                    slope[reverse ? 4 - j : j] += x[k] * pow(0.5, i - j);
            }
            gt_Function *scan = gt_function(average_scan, reverse ? &most : NULL, .outputs = 2);
            if (traced)
                gt_function_call(scan, ONE(xs), y);
            else
                average_scan(reverse ? &most : NULL, &xs, y);
            are(y[0], gt_shape(5), wanted, "scan");
            are(y[1], gt_shape(5), slope, "gradient of the scan");
            gt_function_free(scan);
        }
    }
    gt_Function *endless = gt_function(newton_root, NULL, .outputs = 2);
    gt_function_call(endless, ONE(nine), y);
    fails(GT_UNSUPPORTED, "while_loop: a gradient needs the loop variables of every round");
    gt_function_free(endless);
    gt_while_loop(not_there, newton, NULL, gt_tensors(nine, nine), last, .maximum_iterations = 1);
    is(last[0], 5, "at most one round");
    gt_while_loop(not_there, newton, NULL, gt_tensors(nine, nine), last, .maximum_iterations = 0);
    is(last[0], 9, "no round");
    gt_fori_loop(3, 3, horner, NULL, gt_tensors(nine, nine), last);
    is(last[1], 9, "no round");
    gt_fori_loop(0, 2, grows, NULL, ONE(nine), last);
    fails(GT_INVALID, "loop variable 1 must stay like it was, float64 () (got int64 (2,))");
    gt_while_loop(same, grows, NULL, ONE(nine), last);
    fails(GT_INVALID, "loop variable 1 must stay like it was, float64 () (got float64 (2,))");
    gt_while_loop(grows, same, NULL, ONE(nine), last);
    fails(GT_INVALID, "the condition must have one element (got float64 (2,))");
    cr_assert_null(last[0]);
    gt_while_loop(same, same, NULL, ((gt_Tensors){NULL, 1}), last);
    fails(GT_INVALID, "the list of loop variables is NULL");
    gt_set_interrupt(stop, NULL);
    gt_while_loop(same, same, NULL, ONE(nine), last);
    fails(GT_INTERRUPTED, "interrupted");
    gt_set_interrupt(NULL, NULL);
    gt_scan(average, NULL, ONE(nine), ONE(nine), last, y);
    fails(GT_INVALID, "scan: the first dimension of x 1 must be the length");
    gt_scan(average, NULL, ONE(nine), gt_tensors(gt_ones(gt_shape(3)), gt_ones(gt_shape(4))), last,
            y);
    fails(GT_INVALID, "the first dimension of x 2 must be the length, 3 (it is float32 (4,))");
    gt_scan(same, NULL, ONE(nine), ((gt_Tensors){NULL, 0}), last, NULL, .outputs = 0);
    fails(GT_INVALID, "without xs .length must be given");
    gt_scan(same, NULL, ONE(nine), ((gt_Tensors){NULL, 0}), last, NULL, .outputs = 0, .length = 3);
    is(last[0], 9, "without xs");
    gt_scan(average, NULL, ONE(nine), ONE(gt_ones(gt_shape(0), .dtype = GT_FLOAT64)), last, y);
    fails(GT_INVALID, "a scan without rounds cannot stack outputs");
    ok("end");
}

/* ---- gradients against differences ---- */

static gt_Status product_and_power(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const int *which = context; /* what is wrong with it */
    gt_Tensor *row = gt_take(in[1], in[2], .axis = 0);
    out[0] = gt_multiply(in[0], *which == 1 ? gt_stop_gradient(row) : row);
    out[1] = *which == 2 ? gt_floor(gt_add(in[0], 0.5)) : gt_exp(in[0]);
    return gt_status();
}

/* x^3 whose first derivative is right, and whose second is not. */
static gt_Status wrong_second_rule(void *context, gt_GradientRule *rule)
{
    (void)context;
    gt_Tensor *x = gt_rule_input(rule, 0), *square = gt_stop_gradient(gt_square(x));
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), gt_multiply(square, 3)));
}

static gt_Status third_power(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], gt_square(in[0]));
    return gt_status();
}

static gt_Status wrong_second(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_custom_gradient(third_power, wrong_second_rule, context, gt_tensors(in[0]), out);
}

static gt_Status only_whole(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_cast(in[0], GT_INT32);
    return gt_status();
}

Test(autodiff, check_gradients)
{
    int which = 0;
    gt_Tensor *x = gt_array64(gt_shape(2, 2), 1, 2, 3, -1),
              *y = gt_array64(gt_shape(3, 2), 1, 2, 3, 4, 5, 6);
    gt_Tensor *rows = gt_cast(gt_array(gt_shape(2), 2, 0), GT_INT32);
    gt_Tensor *in[] = {x, y, rows};
    for (int order = 1; order <= 2; order++) {
        cr_assert(gt_check_gradients(product_and_power, &which, ((gt_Tensors){in, 3}), .outputs = 2,
                                     .order = order) == GT_OK,
                  "%s", gt_error_message());
        gt_Tape *tape = gt_tape_begin(); /* an open tape sees nothing of it */
        gt_watch(tape, x);
        gt_check_gradients(product_and_power, &which, ((gt_Tensors){in, 3}), .outputs = 2,
                           .order = order);
        ok("under a tape");
        gt_tape_end(tape);
    }
    which = 1;
    gt_check_gradients(product_and_power, &which, ((gt_Tensors){in, 3}), .outputs = 2);
    fails(GT_NUMERIC, "check_gradients: element 0 of input 2: the gradient of order 1 is 0, ");
    which = 2;
    gt_check_gradients(product_and_power, &which, ((gt_Tensors){in, 3}), .outputs = 2);
    ok("floor is flat away from its steps, and what it gives is added to the rest");
    cr_assert(gt_check_gradients(wrong_second, NULL, gt_tensors(x)) == GT_OK);
    gt_check_gradients(wrong_second, NULL, gt_tensors(x), .order = 2);
    fails(GT_NUMERIC, "element 0 of input 1: the gradient of order 2 is 0, differences say ");
    gt_check_gradients(third_power, NULL, gt_tensors(x), .tolerance = 0);
    fails(GT_NUMERIC, "order 1");
    gt_check_gradients(third_power, NULL, gt_tensors(x), .step = 1);
    fails(GT_NUMERIC, "order 1");

    gt_check_gradients(NULL, NULL, gt_tensors(x));
    fails(GT_INVALID, "the function is NULL");
    gt_check_gradients(third_power, NULL, ((gt_Tensors){in, 0}));
    fails(GT_INVALID, "the number of inputs must be 1 to 64 (got 0)");
    gt_check_gradients(third_power, NULL, ((gt_Tensors){in, 65}));
    fails(GT_INVALID, "the number of inputs must be 1 to 64 (got 65)");
    gt_check_gradients(third_power, NULL, ((gt_Tensors){NULL, 1}));
    fails(GT_INVALID, "the list of inputs is NULL");
    gt_check_gradients(third_power, NULL, gt_tensors(gt_array(gt_shape(1), 1)));
    fails(GT_INVALID, "differences need float64 (input 1 is float32)");
    gt_check_gradients(third_power, NULL, gt_tensors(rows));
    fails(GT_INVALID, "at least one input must be float64");
    gt_check_gradients(third_power, NULL, gt_tensors(NULL));
    fails(GT_INVALID, "NULL");
    gt_check_gradients(only_whole, NULL, gt_tensors(x));
    fails(GT_INVALID, "the function must give a float tensor");
    struct {
        int32_t outputs, order;
        double step, tolerance;
        const char *message;
    } bad[] = {{0, 1, 1e-5, 1e-6, "outputs must be 1 to 8 (got 0)"},
               {9, 1, 1e-5, 1e-6, "outputs must be 1 to 8 (got 9)"},
               {1, 0, 1e-5, 1e-6, "order must be 1 or 2 (got 0)"},
               {1, 3, 1e-5, 1e-6, "order must be 1 or 2 (got 3)"},
               {1, 1, 0, 1e-6, "step must be finite and > 0 (got 0)"},
               {1, 1, NAN, 1e-6, "step must be finite and > 0"},
               {1, 1, INFINITY, 1e-6, "step must be finite and > 0"},
               {1, 1, 1e-5, -1, "tolerance must be >= 0 (got -1)"},
               {1, 1, 1e-5, NAN, "tolerance must be >= 0"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gt_check_gradients(third_power, NULL, gt_tensors(x), .outputs = bad[i].outputs,
                           .order = bad[i].order, .step = bad[i].step,
                           .tolerance = bad[i].tolerance);
        fails(GT_INVALID, bad[i].message);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- without memory ---- */

static gt_Status everything(gt_Variable *x, gt_Variable *w, Block *block)
{
    gt_Tensor *y[2], *d[2];
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *v = gt_ones_like(x);
    gt_Tensor *one = INDICES(GT_INT32, gt_shape(1), 2), *other = INDICES(GT_UINT8, gt_shape(), 2);
    gt_Tensor *sum = gt_sum(gt_hessian(polynomial, NULL, x));
    gt_sum(gt_hessian_vector_product(polynomial, NULL, x, v));
    gt_jvp(cube, w, gt_tensors(x, w), gt_tensors(v, gt_ones_like(w)), y, d, .outputs = 2,
           .unconnected = GT_UNCONNECTED_ZERO);
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_recompute(cube, w, ONE(gt_multiply(x, 1)), y, .outputs = 2);
    gt_jacobian(tape, y[0], x);
    gt_custom_gradient(same, two, NULL, ONE(gt_sum(y[1])), y);
    gt_gradient(tape, gt_clip_gradient(y[0], -1, 1), x);
    gt_Tensor *rows = gt_add(gt_take(x, one), gt_take(x, other));
    gt_square(gt_gradient(tape, rows, x));
    gt_tape_end(tape);
    tape = gt_tape_begin();
    gt_Tensor *input = gt_full(gt_shape(2, 4), 0.5);
    gt_recompute(block_body, block, ONE(input), y);
    gt_gradient(tape, y[0], block->w);
    gt_tape_end(tape);
    gt_while_loop(not_there, newton, NULL, gt_tensors(w, gt_full_like(w, 4)), y);
    gt_scan(average, NULL, ONE(w), ONE(x), y, d);
    gt_cond(w, root, root, NULL, ONE(sum), y);
    gt_check_gradients(third_power, NULL, ONE(gt_cast(x, GT_FLOAT64)), .order = 2);
    gt_scope_end(scope);
    return gt_status();
}

/* Any allocation may fail: an error, nothing lost, variables as if the second run had not been. */
Test(autodiff, out_of_memory)
{
    const long plenty = 1000000;
    Budget budget = {.left = plenty};
    gt_Context *mine = gt_context_use(NULL);
    bool finished = false;
    for (long n = 0; !finished; n++) {
        gt_Allocator allocator = {budget_allocate, budget_release, &budget};
        budget.left = plenty;
        gt_Context *context = gt_context_create(.allocator = &allocator);
        gt_context_use(context);
        Block block;
        block_make(&block, 4, 1);
        gt_Variable *x = gt_variable(gt_array64(gt_shape(3), 0.5, 1, 2)), *w = var(3);
        ok("preparation");
        budget.left = n;
        finished = everything(x, w, &block) == GT_OK;
        budget.left = plenty;
        if (!finished)
            fails(GT_NO_MEMORY, "");
        double count = gt_item(block.count);
        cr_assert(count == 0 || count == 1, "%g", count);
        everything(x, w, &block);
        ok("after a failure");
        cr_assert(gt_item(block.count) == count + 1 && gt_element(block.generator, 1) == count + 3,
                  "%g rounds, %g draws", gt_item(block.count), gt_element(block.generator, 1));
        block_free(&block);
        gt_variable_free(x);
        gt_variable_free(w);
        cr_assert(gt_memory_stats().records == 0);
        cr_assert(gt_memory_stats().variables == 0);
        gt_context_free(context);
        cr_assert(budget.held == 0, "%ld blocks held after %ld", budget.held, n);
    }
    gt_context_use(mine);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Reading rows may fail: they stay what they were, and can be read later. */
Test(autodiff, rows_without_memory)
{
    const long plenty = 1000000;
    Budget budget = {.left = plenty};
    gt_Allocator allocator = {budget_allocate, budget_release, &budget};
    gt_Context *mine = gt_context_use(gt_context_create(.allocator = &allocator, .pooling = false));
    gt_Variable *table = gt_variable(gt_full(gt_shape(9000, 2), 1));
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *gradient =
        lookup_gradient(table, INDICES(GT_INT32, gt_shape(2), 5, 5), NULL, take_rows);
    gt_Tensor *view = gt_identity(gradient);
    float numbers[2 * 9000] = {7};
    ok("before");
    budget.left = 0;
    cr_assert(!gt_data(gradient));
    fails(GT_NO_MEMORY, "out of memory");
    cr_assert(isnan(gt_element(view, 10)));
    fails(GT_NO_MEMORY, "out of memory");
    cr_assert(!gt_variable(view));
    fails(GT_NO_MEMORY, "out of memory");
    cr_assert(!gt_add(gradient, gradient));
    fails(GT_NO_MEMORY, "out of memory");
    budget.left = plenty;
    cr_assert(gt_rows(gradient, NULL, NULL));
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *loss = gt_sum(gt_square(gt_take(table, INDICES(GT_INT32, gt_shape(1), 3))));
    for (long n = 0;; n++) { /* all or nothing */
        budget.left = n;
        gt_Status status = gt_gradients_into(tape, loss, ONE(table), numbers, sizeof numbers);
        budget.left = plenty;
        cr_assert(numbers[0] == (status == GT_OK ? 0 : 7) &&
                  numbers[6] == (status == GT_OK ? 2 : 0));
        gt_error_clear();
        if (status == GT_OK)
            break;
    }
    gt_tape_end(tape);
    cr_assert(gt_element(gradient, 10) == 4 && gt_element(gradient, 12) == 0 &&
              gt_data(view) == gt_data(gradient));
    gt_scope_end(scope);
    gt_variable_free(table);
    gt_context_free(gt_context_use(mine));
    cr_assert(budget.held == 0);
    gt_context_free(NULL);
    assert_no_leaks();
}
