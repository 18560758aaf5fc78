/* TensorFlow's oracle tests of the gradient tape (tensorflow/python/eager/backprop_test.py): a test
 * a name, with its numbers. Where gradtape differs on purpose - a missing gradient is an error
 * unless it is asked for, and so is a source of whole numbers - the test says so with a line that
 * begins "Not as". */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ONE(x)       gt_tensors(x)
#define NONE_IS_FINE .unconnected = GT_UNCONNECTED_NONE

static gt_Variable *var(double value)
{
    return gt_variable(gt_scalar(value, GT_FLOAT64));
}

static gt_Tensor *constant(double value)
{
    return gt_scalar(value, GT_FLOAT64);
}

static gt_Tensor *cube(gt_Tensor *x)
{
    return gt_multiply(x, gt_square(x));
}

static void is(gt_Tensor *tensor, double value)
{
    cr_assert_not_null(tensor, "%s", gt_error_message());
    double got = gt_item(tensor);
    cr_assert(fabs(got - value) < 1e-9, "%g instead of %g", got, value);
}

static void are(gt_Tensor *tensor, gt_Shape shape, const double *values)
{
    char text[160];
    cr_assert_not_null(tensor, "%s", gt_error_message());
    cr_assert(gt_shape_equal(gt_tensor_shape(tensor), shape), "shape %s",
              gt_shape_text(gt_tensor_shape(tensor), text, sizeof text));
    for (int64_t i = 0; i < gt_size(tensor); i++)
        cr_assert(fabs(gt_element(tensor, i) - values[i]) < 1e-9, "number %d is %g instead of %g",
                  (int)i, gt_element(tensor, i), values[i]);
}

static void fails(gt_Status status, const char *text)
{
    cr_assert(gt_status() == status, "status %d instead of %d: %s", gt_status(), status,
              gt_error_message());
    cr_assert(strstr(gt_error_message(), text), "\"%s\" lacks \"%s\"", gt_error_message(), text);
    gt_error_clear();
}

static void finish(void)
{
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Every test ends with no error pending and nothing lost. */
#define CONTRACT(name)                                                                             \
    static void contract_##name(void);                                                             \
    Test(contract, name)                                                                           \
    {                                                                                              \
        contract_##name();                                                                         \
        finish();                                                                                  \
    }                                                                                              \
    static void contract_##name(void)

/* ---- targets and sources ---- */

CONTRACT(testTwoTargets)
{
    gt_Tensor *g[2];
    gt_Variable *x = var(3), *y = var(2);
    gt_Tape *tape = gt_tape_begin();
    gt_gradients(tape, gt_tensors(gt_multiply(x, 2), gt_multiply(y, 3)), gt_tensors(x, y), g);
    is(g[0], 2);
    is(g[1], 3);
    gt_tape_end(tape);
}

CONTRACT(testTapeNoOpGradient)
{
    gt_Variable *x = var(3);
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, x);
    is(gt_gradient(tape, x, x), 1);
    gt_tape_end(tape);
}

CONTRACT(testTapeGradientMultiTargetAllSource)
{
    gt_Tensor *g[1];
    gt_Variable *x = var(3);
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, x);
    gt_gradients(tape, gt_tensors(x, x), ONE(x), g);
    is(g[0], 2);
    gt_tape_end(tape);
}

CONTRACT(testTapeGradientMultiTargetOneIsSource)
{
    gt_Tensor *g[1];
    gt_Variable *x = var(2);
    gt_Tape *tape = gt_tape_begin();
    gt_gradients(tape, gt_tensors(x, gt_square(x)), ONE(x), g);
    is(g[0], 5);
    gt_tape_end(tape);
}

CONTRACT(testTapeGradientMultiTargetMultiSource)
{
    gt_Tensor *g[2];
    gt_Variable *x = var(3), *y = var(5);
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, x);
    gt_gradients(tape, gt_tensors(x, y, gt_square(y)), gt_tensors(x, y), g);
    is(g[0], 1);
    is(g[1], 11);
    gt_tape_end(tape);
}

CONTRACT(testOutputGradUsedInComputation)
{
    gt_Tensor *g[1];
    gt_Variable *x = var(3), *y = var(2);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_multiply(x, y);
    gt_Tensor *seeds[] = {constant(1), constant(2)};
    gt_gradients(tape, gt_tensors(loss, x), ONE(x), g, .output_gradients = seeds);
    is(g[0], 4);
    gt_tape_end(tape);
}

CONTRACT(testNoOpBehaviorConsistent)
{
    gt_Tensor *x = constant(10), *g[5];
    gt_Tensor *same_number[] = {x, gt_identity(x), gt_add(x, 0), gt_subtract(x, 0),
                                gt_multiply(x, 1)};
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = constant(0);
    for (int i = 0; i < 5; i++) { /* each is a tensor of its own */
        gt_watch(tape, same_number[i]);
        loss = gt_add(loss, gt_multiply(same_number[i], i ? 3 : 2));
    }
    gt_gradients(tape, ONE(loss), ((gt_Tensors){same_number, 5}), g);
    for (int i = 0; i < 5; i++)
        is(g[i], i ? 3 : 2);
    gt_tape_end(tape);
}

CONTRACT(testNestedGradients)
{
    gt_Tensor *g[2];
    gt_Variable *x = var(3);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_square(x), *z = gt_square(y); /* what is between may be a source */
    gt_gradients(tape, ONE(z), gt_tensors(x, y), g);
    is(g[0], 108);
    is(g[1], 18);
    gt_tape_end(tape);
}

CONTRACT(testGradientTapeRepeatedSource)
{
    gt_Tensor *g[2];
    gt_Variable *x = var(3), *y = var(5);
    gt_Tape *tape = gt_tape_begin();
    gt_gradients(tape, ONE(gt_multiply(x, 2)), gt_tensors(x, x), g);
    is(g[0], 2);
    is(g[1], 2);
    gt_tape_end(tape);

    tape = gt_tape_begin(.persistent = true);
    gt_Tensor *z = gt_add(gt_square(x), gt_multiply(x, y));
    gt_gradients(tape, ONE(z), gt_tensors(x, x), g);
    is(g[0], 11);
    is(g[1], 11);
    gt_gradients(tape, ONE(z), gt_tensors(y, x), g);
    is(g[0], 3);
    is(g[1], 11);
    gt_tape_end(tape);
}

/* Not as TensorFlow, where sources nest: C has lists, and the gradients come in their order. */
CONTRACT(testGradientTapeStructure)
{
    gt_Tensor *g[3];
    gt_Variable *x1 = var(1), *x2 = var(2), *x3 = var(3);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_add(x1, gt_add(gt_multiply(x2, 2), gt_multiply(x3, 3)));
    gt_gradients(tape, ONE(y), gt_tensors(x3, x1, x2), g);
    is(g[0], 3);
    is(g[1], 1);
    is(g[2], 2);
    gt_tape_end(tape);
}

/* ---- what is recorded ---- */

CONTRACT(testHigherOrderGradient)
{
    gt_Variable *x = var(3);
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *y = cube(x);
    gt_Tensor *first = gt_gradient(tape, y, x);
    gt_Tensor *second = gt_gradient(tape, first, x);
    gt_Tensor *third = gt_gradient(tape, second, x);
    is(y, 27);
    is(first, 27);
    is(second, 18);
    is(third, 6);
    gt_tape_end(tape);
}

CONTRACT(testWatchingIsTapeLocal)
{
    gt_Tensor *g[2], *h[2];
    gt_Variable *x1 = gt_variable(constant(2), .trainable = false);
    gt_Variable *x2 = gt_variable(constant(2), .trainable = false);
    gt_Tape *outer = gt_tape_begin();
    gt_watch(outer, x1);
    gt_Tape *inner = gt_tape_begin();
    gt_watch(inner, x1);
    gt_watch(inner, x2);
    gt_Tensor *y = gt_add(cube(x1), gt_square(x2));
    gt_gradients(inner, ONE(y), gt_tensors(x1, x2), g);
    gt_tape_end(inner);
    gt_gradients(outer, gt_tensors(g[0], g[1]), gt_tensors(x1, x2), h, NONE_IS_FINE);
    is(h[0], 12);
    cr_assert_null(h[1]);
    gt_tape_end(outer);
}

CONTRACT(testGradientTape)
{
    gt_Tensor *x = constant(3);
    gt_Tape *outer = gt_tape_begin();
    gt_watch(outer, x);
    gt_Tensor *y = gt_square(x);
    gt_Tape *inner = gt_tape_begin();
    gt_watch(inner, y);
    gt_Tensor *z = gt_multiply(y, 2);
    is(gt_gradient(inner, z, y), 2);
    gt_tape_end(inner);
    y = gt_add(y, 2);
    is(gt_gradient(outer, y, x), 6);
    gt_tape_end(outer);
}

CONTRACT(testTapeStopStartRecording)
{
    gt_Tensor *g[1];
    gt_Variable *v = var(1);
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *x2 = gt_multiply(v, 2);
    gt_tape_pause(tape);
    gt_Tensor *y = gt_square(x2);
    gt_tape_resume(tape);
    gt_Tensor *z = gt_square(x2);
    gt_gradients(tape, ONE(y), ONE(x2), g, NONE_IS_FINE);
    cr_assert_null(g[0]);
    is(gt_gradient(tape, z, x2), 4);
    gt_tape_end(tape);
}

CONTRACT(testTapeReset)
{
    gt_Variable *v = var(1);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_square(v);
    gt_tape_reset(tape);
    loss = gt_add(loss, gt_square(v));
    is(gt_gradient(tape, loss, v), 2);
    gt_tape_end(tape);
}

/* Not as TensorFlow, where a context is left and entered again: a tape pauses and resumes. */
CONTRACT(testGradientTapeReEnterContext)
{
    gt_Variable *x = var(3);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_multiply(x, 2);
    gt_tape_pause(tape);
    gt_tape_resume(tape);
    gt_Tensor *z = gt_multiply(y, 2);
    is(gt_gradient(tape, z, x), 4);
    gt_tape_end(tape);
}

CONTRACT(testNestedSelfContexts)
{
    gt_Tape *tape = gt_tape_begin();
    gt_tape_resume(tape);
    fails(GT_STATE, "already recording");
    gt_tape_end(tape);
}

CONTRACT(testSelectivelyWatchVariables)
{
    gt_Tensor *g[2];
    gt_Variable *x1 = var(1), *x2 = var(1);
    gt_Tape *tape = gt_tape_begin(.watch_accessed_variables = false);
    gt_watch(tape, x2);
    gt_Tensor *y = gt_add(gt_square(x1), cube(x2));
    gt_gradients(tape, ONE(y), gt_tensors(x1, x2), g, NONE_IS_FINE);
    cr_assert_null(g[0]);
    is(g[1], 3);
    gt_Tensors watched = gt_watched_variables(tape);
    cr_assert(watched.count == 1 && watched.items[0] == x2);
    gt_tape_end(tape);
}

/* In the order of their making, whatever the order of reading. */
CONTRACT(testImplicitGradOrdering)
{
    gt_Variable *first = var(1), *second = var(2);
    gt_Tape *tape = gt_tape_begin();
    gt_add(second, first);
    gt_Tensors watched = gt_watched_variables(tape);
    cr_assert(watched.count == 2 && watched.items[0] == first && watched.items[1] == second);
    gt_tape_end(tape);
}

/* Not as TensorFlow, where an exception leaves the tape: it is ended, which works while the error
 * is pending, and the next tape knows nothing of it. */
CONTRACT(testExceptionSafety)
{
    gt_Variable *x = var(3);
    gt_Tape *tape = gt_tape_begin();
    gt_matmul(x, x);
    gt_tape_end(tape);
    fails(GT_INVALID, "matmul");
    tape = gt_tape_begin();
    is(gt_gradient(tape, gt_square(x), x), 6);
    gt_tape_end(tape);
}

CONTRACT(testPythonMax)
{
    gt_Tensor *g[3];
    gt_Variable *x[] = {var(2), var(3), var(5)};
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *largest = x[0]; /* C chooses, and reading a number is no operation */
    for (int i = 1; i < 3; i++)
        if (gt_item(x[i]) > gt_item(largest))
            largest = x[i];
    gt_watch(tape, largest);
    gt_gradients(tape, ONE(largest), ((gt_Tensors){x, 3}), g, NONE_IS_FINE);
    cr_assert(!g[0] && !g[1]);
    is(g[2], 1);
    gt_tape_end(tape);
}

CONTRACT(testWhereGradient)
{
    for (int k = 0; k < 2; k++) {
        gt_Variable *x = var(k ? 50 : 5);
        gt_Tape *tape = gt_tape_begin();
        gt_Tensor *y = gt_where(gt_less(x, 10), x, gt_square(x));
        is(gt_gradient(tape, y, x), k ? 100 : 1);
        gt_tape_end(tape);
    }
}

/* ---- what has no gradient ---- */

/* Not as TensorFlow, which gives None: whole numbers as targets or on the way are an error that
 * says so, and cannot be watched. */
CONTRACT(testGradientInteger)
{
    gt_Variable *x = var(3);
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *whole = gt_cast(gt_square(x), GT_INT32);
    gt_gradient(tape, whole, x);
    fails(GT_NO_GRADIENT, "only floats have gradients");
    gt_watch(tape, whole);
    fails(GT_INVALID, "only floats can be watched");
    gt_gradient(tape, gt_square(x), whole);
    fails(GT_NO_GRADIENT, "only floats have gradients");
    gt_gradient(tape, gt_square(gt_cast(whole, GT_FLOAT64)), x);
    fails(GT_NO_GRADIENT, "integers");
    gt_tape_end(tape);
}

/* Not as TensorFlow: there are no strings; bools are what is furthest from floats. */
CONTRACT(testGradientStringTarget)
{
    gt_Variable *x = var(3);
    gt_Tape *tape = gt_tape_begin();
    gt_gradient(tape, gt_greater(x, 1), x);
    fails(GT_NO_GRADIENT, "only floats have gradients");
    gt_tape_end(tape);
}

/* Not as TensorFlow, where None is the default: an error, or NULL for who asks for it. */
CONTRACT(testUnconnectedGradientsDefault)
{
    gt_Tensor *g[1];
    gt_Variable *x = var(1), *y = var(3);
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *z = gt_multiply(y, 2);
    gt_gradient(tape, z, x);
    fails(GT_NO_GRADIENT, "was not read while this tape recorded");
    gt_gradients(tape, ONE(z), ONE(x), g, NONE_IS_FINE);
    cr_assert_null(g[0]);
    gt_tape_end(tape);
}

CONTRACT(testUnconnectedGradientsZeros)
{
    gt_Variable *x = gt_variable(gt_array64(gt_shape(2, 2), 1, 1, 1, 1)), *y = var(3);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *z = gt_multiply(y, 2);
    are(gt_gradient(tape, z, x, .unconnected = GT_UNCONNECTED_ZERO), gt_shape(2, 2),
        (double[]){0, 0, 0, 0});
    gt_tape_end(tape);
}

CONTRACT(testUnknownUnconnectedGradientsValueGiven)
{
    gt_Variable *x = var(1), *y = var(1);
    gt_Tape *tape = gt_tape_begin();
    gt_gradient(tape, gt_multiply(y, 2), x, .unconnected = (gt_Unconnected)7);
    fails(GT_INVALID, "GT_UNCONNECTED_");
    gt_tape_end(tape);
}

CONTRACT(testGradientTapeGradientCalledMultipleTimes)
{
    gt_Variable *x = var(3);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_square(x), *z = gt_square(y);
    is(gt_gradient(tape, z, x), 108);
    gt_gradient(tape, y, x);
    fails(GT_STATE, ".persistent = true");
    gt_tape_end(tape);
}

CONTRACT(testWatchBadThing)
{
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, NULL);
    fails(GT_INVALID, "the tensor is NULL");
    gt_tape_end(tape);
}

/* ---- custom gradients ---- */

static gt_Status doubled(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], 2);
    return gt_status();
}

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

CONTRACT(testCustomGradient)
{
    gt_Tensor *loss = NULL;
    gt_Variable *x = var(2);
    for (int step = 0; step < 5; step++) {
        gt_Tape *tape = gt_tape_begin();
        gt_custom_gradient(doubled, two, NULL, ONE(x), &loss);
        is(loss, 4 - step);
        gt_assign_sub(x, gt_multiply(gt_gradient(tape, loss, x), 0.25));
        gt_tape_end(tape);
    }
}

CONTRACT(testCustomGradientEmptyError)
{
    gt_Tensor *y = NULL;
    gt_custom_gradient(same, two, NULL, ((gt_Tensors){NULL, 0}), &y);
    fails(GT_INVALID, "custom_gradient: the number of inputs must be 1 to 64 (got 0)");
}

CONTRACT(testCustomGradientIdentity)
{
    gt_Tensor *y = NULL;
    gt_Variable *x = var(1);
    gt_Tape *tape = gt_tape_begin();
    gt_custom_gradient(same, two, NULL, ONE(x), &y);
    is(y, 1);
    is(gt_gradient(tape, y, x), 2);
    gt_tape_end(tape);
}

static gt_Status two_x_plus_one(void *context, gt_GradientRule *rule)
{
    (void)context; /* 2 dr x + 1 */
    gt_Tensor *up = gt_upstream(rule, 0);
    return gt_give(rule, 0, gt_add(gt_multiply(gt_multiply(up, 2), gt_rule_input(rule, 0)), 1));
}

CONTRACT(testImplicitGradientsCustomGradientAndCachedVariableValue)
{
    gt_Tensor *y = NULL;
    gt_Variable *x = var(3);
    gt_Tape *tape = gt_tape_begin();
    gt_custom_gradient(same, two_x_plus_one, NULL, ONE(x), &y);
    gt_assign(x, 100); /* the value at the time counts */
    is(gt_gradient(tape, y, x), 7);
    gt_tape_end(tape);
}

/* f(x) = x + 10, with -1.1 as its derivative and -2.1 as its second one. */
static gt_Status plus_ten(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_add(in[0], 10);
    return gt_status();
}

static gt_Status first_order(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_full_like(in[0], -1.1);
    return gt_status();
}

static gt_Status second_order(void *context, gt_GradientRule *rule)
{
    (void)context;
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), -2.1));
}

static gt_Status nested(void *context, gt_GradientRule *rule)
{
    gt_Tensor *d = NULL;
    gt_custom_gradient(first_order, second_order, context, ONE(gt_rule_input(rule, 0)), &d);
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), d));
}

CONTRACT(testOverrideSecondOrderWithCustomGradient)
{
    gt_Tensor *y = NULL;
    gt_Variable *x = var(1);
    gt_Tape *outer = gt_tape_begin(), *inner = gt_tape_begin();
    gt_custom_gradient(plus_ten, nested, NULL, ONE(x), &y);
    is(y, 11);
    gt_Tensor *first = gt_gradient(inner, y, x);
    gt_tape_end(inner);
    is(first, -1.1);
    is(gt_gradient(outer, first, x), -2.1);
    gt_tape_end(outer);
}

static gt_Status product(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], in[1]);
    return gt_status();
}

static gt_Status first_only(void *context, gt_GradientRule *rule)
{
    (void)context; /* input 1 gets nothing */
    return gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), gt_rule_input(rule, 1)));
}

CONTRACT(testInvalidRecordOperationMessage)
{
    gt_Tensor *y = NULL, *g[2];
    gt_Variable *x = var(2), *z = var(5);
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_custom_gradient(product, first_only, NULL, gt_tensors(x, z), &y, .name = "my_product");
    gt_gradients(tape, ONE(y), gt_tensors(x, z), g);
    fails(GT_STATE, "my_product: the gradient function gave no gradient for input 1");
    is(gt_gradient(tape, y, x), 5); /* what nobody wants need not be given */
    gt_tape_end(tape);
}

/* ---- softmax cross-entropy ---- */

CONTRACT(testGradientNone)
{
    gt_Variable *logits = gt_variable(gt_array64(gt_shape(1, 2), 0, 0));
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss =
        gt_categorical_crossentropy(gt_array64(gt_shape(1, 2), 1, 0), logits, .from_logits = true);
    are(gt_gradient(tape, loss, logits), gt_shape(1, 2), (double[]){-0.5, 0.5});
    gt_tape_end(tape);
}

CONTRACT(testSecondGrad)
{
    gt_Variable *x = gt_variable(gt_array64(gt_shape(1, 1), 3));
    gt_Tape *outer = gt_tape_begin(), *inner = gt_tape_begin();
    gt_Tensor *loss =
        gt_categorical_crossentropy(gt_array64(gt_shape(1, 1), 1), x, .from_logits = true);
    gt_Tensor *first = gt_gradient(inner, loss, x);
    gt_tape_end(inner);
    is(gt_gradient(outer, first, x), 0);
    gt_tape_end(outer);
}

/* ---- Jacobians ---- */

CONTRACT(JacobianTest)
{
    gt_Variable *x = gt_variable(gt_array64(gt_shape(2), 1, 2));
    gt_Variable *y = gt_variable(gt_array64(gt_shape(2), 3, 4));
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *z = gt_multiply(gt_square(x), y);
    are(gt_jacobian(tape, z, x), gt_shape(2, 2), (double[]){6, 0, 0, 16}); /* diag(2xy) */
    are(gt_jacobian(tape, z, y), gt_shape(2, 2), (double[]){1, 0, 0, 4});  /* diag(x^2) */
    gt_tape_end(tape);
    tape = gt_tape_begin(); /* row by row needs a persistent tape */
    gt_jacobian(tape, gt_square(x), x);
    fails(GT_STATE, ".persistent = true");
    gt_tape_end(tape);
}

CONTRACT(BatchJacobianTest)
{
    gt_Variable *x = gt_variable(gt_array64(gt_shape(2, 2), 1, 2, 3, 4));
    gt_Variable *y = gt_variable(gt_array64(gt_shape(2, 2), 3, 4, 5, 6));
    gt_Variable *empty = gt_variable(gt_zeros(gt_shape(1, 0), .dtype = GT_FLOAT64));
    gt_Variable *flat = gt_variable(gt_array64(gt_shape(2), 1, 2));
    gt_Variable *longer = gt_variable(gt_array64(gt_shape(3, 1), 1, 2, 3));
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *z = gt_multiply(gt_square(x), y);
    are(gt_batch_jacobian(tape, z, x), gt_shape(2, 2, 2), (double[]){6, 0, 0, 16, 30, 0, 0, 48});
    are(gt_batch_jacobian(tape, z, y), gt_shape(2, 2, 2), (double[]){1, 0, 0, 4, 9, 0, 0, 16});
    are(gt_batch_jacobian(tape, gt_square(empty), empty), gt_shape(1, 0, 0), NULL);
    gt_batch_jacobian(tape, gt_square(flat), x);
    fails(GT_INVALID, "(got float64 (2,) and float64 (2, 2))");
    gt_batch_jacobian(tape, z, flat);
    fails(GT_INVALID, "(got float64 (2, 2) and float64 (2,))");
    gt_batch_jacobian(tape, z, longer);
    fails(GT_INVALID, "the same first dimension (got float64 (2, 2) and float64 (3, 1))");
    gt_tape_end(tape);
}
