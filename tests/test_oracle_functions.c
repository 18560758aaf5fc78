/* The functions of ops/nn that are made of other operations, against Keras: values and vector-Jacobian products of
 * tests/oracle/functions.safetensors (made by make_functions.py), second derivatives against differences of the first. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_INPUTS = 6, SMALL = 400 };

static const gt_TensorFile *oracle;

static gt_Tensor *load(const char *name, const char *part, int index)
{
    char full[80];
    if (index >= 0)
        snprintf(full, sizeof full, "%s.%s%d", name, part, index);
    else
        snprintf(full, sizeof full, "%s.%s", name, part);
    gt_Tensor *tensor = gt_tensor_file_load_named(oracle, full);
    cr_assert(tensor, "%s", gt_error_message());
    return tensor;
}

/* CASE(name, inputs, what is computed of a to f). GIVEN(part) is what the case has besides its inputs. */
#define SIZE(...)   gt_shape(__VA_ARGS__)
#define GIVEN(part) load(name, #part, -1)
#define ACTIVATIONS(CASE)                                                                          \
    CASE(celu, 1, gt_celu(a))                                                                      \
    CASE(celu_alpha, 1, gt_celu(a, .alpha = 0.4))                                                  \
    CASE(glu, 1, gt_glu(a))                                                                        \
    CASE(glu_axis, 1, gt_glu(a, .axis = 0))                                                        \
    CASE(hard_tanh, 1, gt_hard_tanh(a))                                                            \
    CASE(tanh_shrink, 1, gt_tanh_shrink(a))                                                        \
    CASE(hard_shrink, 1, gt_hard_shrink(a))                                                        \
    CASE(hard_shrink_width, 1, gt_hard_shrink(a, .threshold = 1.25))                               \
    CASE(soft_shrink, 1, gt_soft_shrink(a))                                                        \
    CASE(soft_shrink_width, 1, gt_soft_shrink(a, .threshold = 1.25))                               \
    CASE(threshold, 1, gt_threshold(a, 0.5, -0.75))                                                \
    CASE(squareplus, 1, gt_squareplus(a))                                                          \
    CASE(squareplus_b, 1, gt_squareplus(a, .b = 0.5))                                              \
    CASE(sparse_plus, 1, gt_sparse_plus(a))                                                        \
    CASE(sparse_sigmoid, 1, gt_sparse_sigmoid(a))                                                  \
    CASE(sparsemax, 1, gt_sparsemax(a))                                                            \
    CASE(sparsemax_axis, 1, gt_sparsemax(a, .axis = 1))                                            \
    CASE(relu_options, 1, gt_relu(a, .negative_slope = 0.3, .max_value = 1.75, .threshold = 0.5))

#define CASES(CASE) ACTIVATIONS(CASE)

#define FUNCTION(title, count, expression)                                                         \
    static gt_Tensor *case_##title(gt_Tensor *const *in)                                           \
    {                                                                                              \
        const char *name = #title;                                                                 \
        gt_Tensor *a = in[0], *b = in[1], *c = in[2], *d = in[3], *e = in[4], *f = in[5];          \
        (void)name, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;                          \
        return expression;                                                                         \
    }
CASES(FUNCTION)

#define ROW(title, count, expression) {#title, count, case_##title},
static const struct OracleCase {
    const char *name;
    int inputs;
    gt_Tensor *(*function)(gt_Tensor *const *in);
} cases[] = {CASES(ROW)};

/* Largest distance of any two elements, relative to the larger numbers; shapes must agree. */
static double distance(const char *name, const char *what, gt_Tensor *got, gt_Tensor *expected)
{
    cr_assert(got, "%s, %s: %s", name, what, gt_error_message());
    cr_assert(gt_shape_equal(gt_tensor_shape(got), gt_tensor_shape(expected)),
              "%s, %s: another shape", name, what);
    double largest = 0;
    for (int64_t i = 0; i < gt_size(got); i++) {
        double x = gt_element(got, i), y = gt_element(expected, i);
        double apart = fabs(x - y) / fmax(1, fabs(y));
        largest = apart <= largest ? largest : apart; /* NaN counts as far */
    }
    return largest;
}

static gt_Status body(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const struct OracleCase *c = context;
    gt_Tensor *in[MOST_INPUTS] = {0};
    for (int i = 0; i < c->inputs; i++)
        in[i] = inputs[i];
    outputs[0] = c->function(in);
    return gt_status();
}

static void replay(const struct OracleCase *c, gt_DType dtype, double tolerance)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *in[MOST_INPUTS] = {0}, *gradients[MOST_INPUTS];
    int64_t elements = 0;
    for (int i = 0; i < c->inputs; i++) {
        in[i] = gt_cast(load(c->name, "in", i), dtype);
        elements += gt_size(in[i]);
        gt_watch(tape, in[i]);
    }
    gt_Tensor *out = c->function(in);
    double off = distance(c->name, "value", out, load(c->name, "out", -1));
    cr_assert(off <= tolerance, "%s: value off by %g", c->name, off);
    gt_Tensor *loss = gt_sum(gt_multiply(out, gt_cast(load(c->name, "up", -1), dtype)));
    gt_gradients(tape, gt_tensors(loss), ((gt_Tensors){in, c->inputs}), gradients,
                 .unconnected = GT_UNCONNECTED_ZERO);
    cr_assert(gt_status() == GT_OK, "%s: %s", c->name, gt_error_message());
    for (int i = 0; i < c->inputs; i++) {
        off = distance(c->name, "gradient", gradients[i], load(c->name, "grad", i));
        cr_assert(off <= tolerance, "%s: gradient of input %d off by %g", c->name, i, off);
    }
    gt_tape_end(tape);
    if (dtype != GT_FLOAT64 || elements > SMALL)
        return;
    gt_Scope *scope = gt_scope_begin();
    for (int i = 0; i < c->inputs; i++)
        in[i] = load(c->name, "in", i);
    gt_check_gradients(body, (void *)(uintptr_t)c, ((gt_Tensors){in, c->inputs}), .order = 2,
                       .tolerance = 1e-5);
    cr_assert(gt_status() == GT_OK, "%s: %s", c->name, gt_error_message());
    gt_scope_end(scope);
}

Test(oracle_functions, keras)
{
    const char *source = getenv("GT_TEST_SOURCE");
    char path[512];
    int count = (int)(sizeof cases / sizeof *cases);
    snprintf(path, sizeof path, "%s/tests/oracle/functions.safetensors", source ? source : ".");
    gt_TensorFile *file = gt_open_tensors(path);
    cr_assert(file, "%s", gt_error_message());
    oracle = file;
    for (int i = 0; i < count; i++) {
        replay(&cases[i], GT_FLOAT64, 1e-12);
        replay(&cases[i], GT_FLOAT32, 2e-5);
    }
    fprintf(stderr, "%d cases of %s\n", count, gt_tensor_file_metadata(file, "source"));
    gt_tensor_file_free(file);
    gt_context_free(NULL);
    assert_no_leaks();
}
