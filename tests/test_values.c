/* Initializers, regularizers, constraints: every class against Keras (tests/oracle/values.safetensors, made by
 * make_values.py), draws by their statistics, training with constraints, bad options, allocations that fail. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void ok(const char *what)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
}

static void fails(gt_Status status, const char *text)
{
    cr_assert(gt_status() == status, "status %d instead of %d: %s", gt_status(), status,
              gt_error_message());
    cr_assert(strstr(gt_error_message(), text), "\"%s\" lacks \"%s\"", gt_error_message(), text);
    gt_error_clear();
}

/* ---- what Keras computed ---- */

static gt_TensorFile *open_oracle(void)
{
    char path[1024];
    const char *source = getenv("GT_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/oracle/values.safetensors", source ? source : ".");
    gt_TensorFile *file = gt_open_tensors(path);
    cr_assert_not_null(file, "%s", gt_error_message());
    return file;
}

static gt_Tensor *part(const gt_TensorFile *file, const char *name, const char *what)
{
    char full[80];
    snprintf(full, sizeof full, "%s.%s", name, what);
    gt_Tensor *tensor = gt_tensor_file_load_named(file, full);
    cr_assert(tensor, "%s", gt_error_message());
    return tensor;
}

static void near(const char *name, const char *what, gt_Tensor *got, gt_Tensor *expected,
                 double tolerance)
{
    cr_assert(got, "%s, %s: %s", name, what, gt_error_message());
    cr_assert(gt_shape_equal(gt_tensor_shape(got), gt_tensor_shape(expected)),
              "%s, %s: %d dimensions, not %d, or others", name, what, gt_rank(got),
              gt_rank(expected));
    got = gt_cast(got, GT_FLOAT64), expected = gt_cast(expected, GT_FLOAT64);
    const double *a = gt_data(got), *b = gt_data(expected);
    for (int64_t i = 0; i < gt_size(got); i++)
        cr_assert(fabs(a[i] - b[i]) <= tolerance * (1 + fabs(b[i])),
                  "%s, %s [%d]: %.17g, not %.17g", name, what, (int)i, a[i], b[i]);
}

/* ---- initializers that draw nothing ---- */

static gt_Tensor *initialized(gt_Initializer initializer, gt_Shape shape, gt_DType dtype)
{
    gt_Tensor *tensor = gt_variable(gt_zeros(shape, .dtype = dtype));
    const gt_Spec spec = gt_spec(tensor);
    gt_initialize(initializer, "model/layer/kernel", &spec, (void *)(uintptr_t)gt_data(tensor));
    return tensor;
}

#define INITIAL_CASES(CASE)                                                                        \
    CASE(constant, gt_Constant(-1.5))                                                              \
    CASE(constant_row, gt_Constant(.array = gt_array64(gt_shape(3), 0.25, -3, 7)))                 \
    CASE(constant_column,                                                                          \
         gt_Constant(.array = gt_reshape(gt_array64(gt_shape(2), 1, 2), gt_shape(2, 1)),           \
                     .value = 9))                                                                  \
    CASE(identity, gt_IdentityInitializer(2.5))                                                    \
    CASE(stft_real, gt_STFTInitializer())                                                          \
    CASE(stft_imag, gt_STFTInitializer(.side = GT_STFT_SIDE_IMAG, .window = GT_WINDOW_HAMMING,     \
                                       .scaling = GT_STFT_SCALING_SPECTRUM, .periodic = true))     \
    CASE(stft_plain, gt_STFTInitializer(.side = GT_STFT_SIDE_IMAG, .window = GT_WINDOW_NONE))      \
    CASE(stft_unscaled, gt_STFTInitializer(.scaling = GT_STFT_SCALING_NONE, .periodic = true))     \
    CASE(stft_single, gt_STFTInitializer())

static void initial_agrees(const gt_TensorFile *file, const char *name, gt_Initializer initializer)
{
    const struct {
        gt_DType dtype;
        double tolerance;
    } row[] = {{GT_FLOAT64, 1e-15}, {GT_FLOAT32, 6e-8}, {GT_FLOAT16, 5e-4}, {GT_BFLOAT16, 4e-3}};
    gt_Tensor *expected = part(file, name, "out");
    for (int i = 0; i < 4; i++) {
        gt_Tensor *got = initialized(initializer, gt_tensor_shape(expected), row[i].dtype);
        near(name, gt_dtype_name(row[i].dtype), got, expected, row[i].tolerance);
        gt_variable_free(got);
    }
}

Test(values, initializers_agree_with_keras)
{
    gt_TensorFile *file = open_oracle();
    gt_Scope *scope = gt_scope_begin();
#define CASE(name, initializer) initial_agrees(file, #name, initializer);
    INITIAL_CASES(CASE)
#undef CASE
    gt_scope_end(scope);
    gt_tensor_file_free(file);

    /* Weights of other dtypes. */
    gt_Tensor *whole = initialized(gt_Constant(-3), gt_shape(2), GT_INT32);
    cr_assert(gt_element(whole, 0) == -3 && gt_element(whole, 1) == -3);
    gt_variable_free(whole);
    whole = initialized(gt_IdentityInitializer(2), gt_shape(2, 2), GT_INT64);
    cr_assert(gt_element(whole, 0) == 2 && gt_element(whole, 1) == 0 && gt_element(whole, 3) == 2);
    gt_variable_free(whole);
    whole = initialized(gt_Ones(), gt_shape(3), GT_BOOL);
    cr_assert(gt_element(whole, 2) == 1);
    gt_variable_free(whole);
    ok("integers");
    assert_no_leaks();
}

/* ---- initializers that draw ---- */

#define TRUNCATED 0.87962566103423978 /* deviation of a standard normal cut at 2 */

/* What tells a distribution: m[4] over the squared variance is 9/5 of a uniform one, 3 of a normal one, and of one
 * cut at 2 (3 v - 16 p / P) / v^2 with v = 1 - 4 p / P, p its density at 2, P its mass within. */
enum { UNIFORM, NORMAL, CUT };
static const double fourth[] = {1.8, 3, 2.36554};

typedef struct Draw {
    const char *name;
    gt_Initializer initializer;
    int kind;
    double mean, deviation; /* of what comes out */
    gt_Shape shape;         /* of the weight */
} Draw;

/* A million draws each: the mean is within 5 of its standard errors, deviations / 1000; the deviation and the fourth
 * moment within a percent or two; neighbours are uncorrelated; nothing is beyond the bound, and something is near
 * it. */
static void draws_like(const Draw *draw, gt_DType dtype, double rounding)
{
    gt_Tensor *tensor = initialized(draw->initializer, draw->shape, dtype);
    gt_Tensor *wide = gt_cast(tensor, GT_FLOAT64);
    const double *x = gt_data(wide);
    ok(draw->name);
    int64_t n = gt_size(wide);
    double mean = 0, m2 = 0, m4 = 0, next = 0, most = 0;
    for (int64_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (int64_t i = 0; i < n; i++) {
        double d = x[i] - mean;
        m2 += d * d / (double)n;
        m4 += d * d * d * d / (double)n;
        next += i ? d * (x[i - 1] - mean) / (double)n : 0;
        most = fmax(most, fabs(x[i] - draw->mean));
    }
    double bound = draw->kind == UNIFORM ? sqrt(3) * draw->deviation
                   : draw->kind == CUT   ? 2 * draw->deviation / TRUNCATED
                                         : 7 * draw->deviation;
    double error = draw->deviation / sqrt((double)n);
    const char *name = draw->name, *type = gt_dtype_name(dtype);
    cr_assert(fabs(mean - draw->mean) <= 5 * error + rounding * fabs(draw->mean),
              "%s, %s: mean %.9g, not %.9g", name, type, mean, draw->mean);
    cr_assert(fabs(sqrt(m2) / draw->deviation - 1) <= 0.004, "%s, %s: deviation %.9g, not %.9g",
              name, type, sqrt(m2), draw->deviation);
    cr_assert(fabs(m4 / (m2 * m2) - fourth[draw->kind]) <= 0.02, "%s, %s: fourth moment %g, not %g",
              name, type, m4 / (m2 * m2), fourth[draw->kind]);
    cr_assert(fabs(next / m2) <= 0.005, "%s, %s: neighbours are correlated by %g", name, type,
              next / m2);
    cr_assert(most <= bound + rounding * (bound + fabs(draw->mean)) &&
                  most >= (draw->kind == NORMAL ? 0.6 : 0.99) * bound,
              "%s, %s: as far as %.9g, not %.9g", name, type, most, bound);
    gt_variable_free(tensor);
}

/* Every class that draws is among the rows, but for the orthogonal one. */
static void every_class_is_drawn(const Draw *rows, size_t count)
{
    int classes;
    for (int i = 0; i < (gt_initializer_classes(&classes), classes); i++) {
        const gt_InitializerClass *type = gt_initializer_classes(NULL)[i];
        bool found = false, draws = false;
        for (const gt_Field *field = type->options ? type->options->fields : NULL;
             field && field->name; field++)
            draws |= strcmp(field->name, "seed") == 0;
        for (size_t k = 0; k < count; k++)
            found |= rows[k].initializer.type == type;
        cr_assert(found == draws || strcmp(type->name, "orthogonal") == 0, "%s", type->name);
    }
}

Test(values, draws)
{
    const gt_Shape matrix = gt_shape(800, 1250), kernel = gt_shape(5, 4, 250, 200);
    const gt_Distribution cut = GT_DISTRIBUTION_TRUNCATED_NORMAL,
                          normal = GT_DISTRIBUTION_UNTRUNCATED_NORMAL,
                          uniform = GT_DISTRIBUTION_UNIFORM;
    const Draw row[] = {
        {"random_normal", gt_RandomNormal(), NORMAL, 0, 0.05, matrix},
        {"random_normal(1, 2)", gt_RandomNormal(.mean = 1, .stddev = 2), NORMAL, 1, 2, matrix},
        {"truncated_normal", gt_TruncatedNormal(), CUT, 0, 0.05 * TRUNCATED, matrix},
        {"truncated_normal(-2, 0.5)", gt_TruncatedNormal(.mean = -2, .stddev = 0.5), CUT, -2,
         0.5 * TRUNCATED, matrix},
        {"random_uniform", gt_RandomUniform(), UNIFORM, 0, 0.1 / sqrt(12), matrix},
        {"random_uniform(1, 3)", gt_RandomUniform(.minval = 1, .maxval = 3), UNIFORM, 2,
         2 / sqrt(12), matrix},
        {"glorot_uniform", gt_GlorotUniform(), UNIFORM, 0, sqrt(2 / 2050.0), matrix},
        {"glorot_normal", gt_GlorotNormal(), CUT, 0, sqrt(2 / 2050.0), matrix},
        {"he_uniform", gt_HeUniform(), UNIFORM, 0, sqrt(2 / 800.0), matrix},
        {"he_normal", gt_HeNormal(), CUT, 0, sqrt(2 / 800.0), matrix},
        {"lecun_uniform", gt_LecunUniform(), UNIFORM, 0, sqrt(1 / 800.0), matrix},
        {"lecun_normal", gt_LecunNormal(), CUT, 0, sqrt(1 / 800.0), matrix},
        /* Fans of other shapes. */
        {"he_uniform, kernel", gt_HeUniform(), UNIFORM, 0, sqrt(2 / 5000.0), kernel},
        {"glorot_normal, kernel", gt_GlorotNormal(), CUT, 0, sqrt(2 / 9000.0), kernel},
        {"lecun_normal, vector", gt_LecunNormal(), CUT, 0, 1e-3, gt_shape(1000000)},
        /* Variance scaling. */
        {"variance_scaling", gt_VarianceScaling(), CUT, 0, sqrt(1 / 800.0), matrix},
        {"variance_scaling(3, out, normal)",
         gt_VarianceScaling(.scale = 3, .mode = GT_FAN_OUT, .distribution = normal), NORMAL, 0,
         sqrt(3 / 1250.0), matrix},
        {"variance_scaling(0.5, avg, uniform)",
         gt_VarianceScaling(.scale = 0.5, .mode = GT_FAN_AVG, .distribution = uniform), UNIFORM, 0,
         sqrt(0.5 / 1025), matrix},
        {"variance_scaling(in axes)",
         gt_VarianceScaling(.scale = 2, .distribution = cut, .input_axes = gt_axes(0, -1),
                            .output_axes = gt_axes(1)),
         CUT, 0, sqrt(2 / 1000.0), kernel},
        {"variance_scaling(out axes)",
         gt_VarianceScaling(.scale = 2, .mode = GT_FAN_OUT, .distribution = uniform,
                            .input_axes = gt_axes(0), .output_axes = gt_axes(1, 2, -1)),
         UNIFORM, 0, sqrt(2 / 200000.0), kernel},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        gt_Scope *scope = gt_scope_begin();
        draws_like(&row[i], GT_FLOAT64, 1e-12);
        draws_like(&row[i], GT_FLOAT32, 1e-6);
        draws_like(&row[i], GT_FLOAT16, 1e-3);
        draws_like(&row[i], GT_BFLOAT16, 1e-2);
        gt_scope_end(scope);
    }
    every_class_is_drawn(row, sizeof row / sizeof *row);
    assert_no_leaks();
}

/* A fan below 1 counts as 1, as in Keras. */
Test(values, small_fans)
{
    gt_Tensor *scalar = initialized(gt_HeUniform(), gt_shape(), GT_FLOAT64);
    cr_assert(fabs(gt_item(scalar)) <= sqrt(6));
    gt_variable_free(scalar);
    gt_Tensor *empty = initialized(gt_HeNormal(), gt_shape(0, 3), GT_FLOAT32);
    cr_assert(gt_status() == GT_OK && gt_size(empty) == 0);
    gt_variable_free(empty);
    assert_no_leaks();
}

/* ---- which numbers are drawn ---- */

static double first_of(gt_Initializer initializer, const char *path)
{
    double number = NAN;
    const gt_Spec spec = {.dtype = GT_FLOAT64, .size = 1};
    gt_initialize(initializer, path, &spec, &number);
    ok(path);
    return number;
}

Test(values, seeds)
{
    gt_set_seed(1);
    const gt_Initializer free_one = gt_HeNormal(), seeded = gt_HeNormal(.seed = 3);
    double a = first_of(free_one, "1/dense/kernel");
    cr_assert(a == first_of(free_one, "1/dense/kernel"), "a draw is no state");
    cr_assert(a != first_of(free_one, "1/dense/bias") &&
              a != first_of(free_one, "2/dense/kernel") &&
              a != first_of(free_one, "1/dense_1/kernel"));
    double s = first_of(seeded, "1/dense/kernel");
    cr_assert(s == first_of(seeded, "2/dense/kernel"), "whichever model it is");
    cr_assert(s != a && s != first_of(seeded, "1/dense/bias") &&
              s != first_of(seeded, "1/dense_1/kernel") &&
              s != first_of(gt_HeNormal(.seed = 4), "1/dense/kernel") &&
              s == first_of(gt_HeNormal(.seed = 3), "1/dense/kernel"));
    cr_assert(first_of(gt_HeNormal(.seed = 0), "1/w") != first_of(free_one, "1/w") &&
                  first_of(gt_HeNormal(.seed = 0), "1/w") ==
                      first_of(gt_HeNormal(.seed = 0), "2/w"),
              "0 is a seed like another");
    gt_set_seed(2);
    cr_assert(a != first_of(free_one, "1/dense/kernel") && s == first_of(seeded, "1/dense/kernel"));
    gt_set_seed(1);
    cr_assert(a == first_of(free_one, "1/dense/kernel"));
}

/* ---- orthogonal matrices ---- */

/* max |Q^T Q - gain^2 I|, of the rows where they are fewer. */
static double far_from_orthogonal(gt_Shape shape, gt_DType dtype, double gain)
{
    gt_Tensor *tensor = initialized(gt_Orthogonal(.gain = gain), shape, dtype);
    gt_Tensor *q = gt_cast(tensor, GT_FLOAT64);
    int64_t columns = gt_last(shape), rows = gt_size(q) / columns;
    q = gt_reshape(q, gt_shape(rows, columns));
    bool wide = rows < columns;
    gt_Tensor *products = gt_matmul(q, q, .transpose_a = !wide, .transpose_b = wide);
    gt_Tensor *eye = gt_eye(wide ? rows : columns, .dtype = GT_FLOAT64);
    double far = gt_item(gt_max(gt_abs(gt_subtract(products, gt_multiply(eye, gain * gain)))));
    ok("orthogonal");
    gt_variable_free(tensor);
    return far;
}

Test(values, orthogonal)
{
    const gt_Shape shape[] = {gt_shape(64, 64),  gt_shape(128, 64),     gt_shape(30, 200),
                              gt_shape(1, 7),    gt_shape(3, 3, 8, 32), gt_shape(2, 1),
                              gt_shape(256, 256)};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        gt_Scope *scope = gt_scope_begin();
        cr_assert(far_from_orthogonal(shape[i], GT_FLOAT64, 1) <= 1e-14);
        cr_assert(far_from_orthogonal(shape[i], GT_FLOAT32, 1) <= 1e-6);
        cr_assert(far_from_orthogonal(shape[i], GT_FLOAT64, 1.5) <= 1e-14);
        cr_assert(far_from_orthogonal(shape[i], GT_BFLOAT16, 1) <= 2e-2);
        gt_scope_end(scope);
    }
    /* Evenly over all of them (Haar): the elements of a 2 by 2 one have mean 0, square 1/2, determinants +-1. */
    double sum = 0, squares = 0, determinants = 0;
    enum { MATRICES = 20000 };
    for (int i = 0; i < MATRICES; i++) {
        char path[32];
        double q[4];
        snprintf(path, sizeof path, "m/w%d", i);
        gt_initialize(gt_Orthogonal(), path, &(gt_Spec){GT_FLOAT64, 2, 4, {2, 2}}, q);
        sum += q[0] / MATRICES;
        squares += q[0] * q[0] / MATRICES;
        determinants += (q[0] * q[3] - q[1] * q[2]) / MATRICES;
    }
    cr_assert(fabs(sum) < 0.03 && fabs(squares - 0.5) < 0.015 && fabs(determinants) < 0.04,
              "%g %g %g", sum, squares, determinants);
    assert_no_leaks();
}

/* ---- arrays as first values ---- */

static gt_Layer *dense_of_array(void)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *row = gt_multiply(gt_array(gt_shape(2), 1, 2), 3);
    gt_Layer *layer = gt_Dense(2, .kernel_initializer = gt_Constant(.array = row),
                               .bias_initializer = gt_Constant(.array = row));
    gt_scope_end(scope);
    return layer;
}

static void kernel_is_the_row(gt_Layer *layer)
{
    gt_Variable *kernel = gt_variables(layer).items[0], *bias = gt_variables(layer).items[1];
    for (int i = 0; i < 6; i++)
        cr_assert(gt_element(kernel, i) == (i % 2 ? 6 : 3));
    cr_assert(gt_element(bias, 0) == 3 && gt_element(bias, 1) == 6);
    ok("reading");
}

/* A layer keeps a copy: the array may be gone before the weight is built, or change; so do copies of the layer. */
Test(values, a_layer_keeps_the_array_of_its_initializer)
{
    gt_Layer *layer = dense_of_array();
    ok("making");
    gt_Layer *copy = gt_layer_copy(layer), *twice = gt_layer_copy(copy);
    gt_build(layer, gt_shape(1, 3), GT_FLOAT32);
    kernel_is_the_row(layer);
    gt_layer_free(layer);
    gt_build(copy, gt_shape(1, 3), GT_FLOAT64);
    kernel_is_the_row(copy);
    gt_layer_free(copy);
    gt_build(twice, gt_shape(1, 3), GT_FLOAT32);
    gt_Tensor *kept[] = {gt_variables(twice).items[0]};
    kernel_is_the_row(twice);
    cr_assert(gt_is_variable(kept[0]));
    gt_layer_free(twice);

    /* A variable's value is the one that it has when the layer is made. */
    gt_Variable *v = gt_variable(gt_array(gt_shape(1), 7));
    layer = gt_Dense(1, .bias_initializer = gt_Constant(.array = v));
    gt_assign(v, 8);
    gt_build(layer, gt_shape(1, 1), GT_FLOAT32);
    cr_assert_eq(gt_element(gt_variables(layer).items[1], 0), 7);
    gt_layer_free(layer);
    gt_variable_free(v);

    /* What does not fit is an error when the weight gets its values. */
    layer = gt_Dense(3, .use_bias = false,
                     .kernel_initializer = gt_Constant(.array = gt_array(gt_shape(2), 1, 2)));
    gt_build(layer, gt_shape(1, 3), GT_FLOAT32);
    fails(GT_INVALID, "(2,) does not broadcast to (3, 3)");
    gt_layer_free(layer);
    assert_no_leaks();
}

/* Bytes that a round of layers leaves in use: what is quarantined so that a freed layer is an error. */
static int64_t bytes_left(gt_Initializer initializer)
{
    const gt_Initializer wrong = gt_HeNormal(.seed = -3);
    int64_t before = gt_memory_stats().bytes_in_use, variables = gt_memory_stats().variables;
    gt_Layer *layer = gt_Dense(2, .kernel_initializer = initializer);
    gt_layer_free(gt_layer_copy(layer));
    gt_build(layer, gt_shape(1, 3), GT_FLOAT32);
    gt_layer_free(layer);
    ok("layers");
    cr_assert_null(gt_Dense(-1, .kernel_initializer = initializer));
    gt_error_clear();
    cr_assert_null(gt_Dense(1, .kernel_initializer = initializer, .bias_initializer = wrong));
    gt_error_clear();
    cr_assert_null(gt_Dense(1, .kernel_initializer = wrong, .bias_initializer = initializer));
    gt_error_clear();
    cr_assert_eq(gt_memory_stats().variables, variables);
    return gt_memory_stats().bytes_in_use - before;
}

/* Layers that fail to be made, are never built or are freed leave no array behind. */
Test(values, arrays_leave_no_memory)
{
    gt_Scope *scope = gt_scope_begin();
    const gt_Initializer array = gt_Constant(.array = gt_array(gt_shape(2), 1, 2)),
                         number = gt_Constant(1);
    bytes_left(array), bytes_left(number); /* the context's own tables */
    int64_t plain = bytes_left(number), with = bytes_left(array);
    cr_assert(plain == with, "%lld bytes are lost", (long long)(with - plain));
    gt_scope_end(scope);
    assert_no_leaks();
}

static gt_Status makes_a_layer(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_layer_free(gt_Dense(1, .kernel_initializer = gt_Constant(.array = gt_add(in[0], 1))));
    out[0] = in[0];
    return gt_status();
}

Test(values, an_array_of_a_traced_function_is_refused)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *out;
    gt_Function *function = gt_function(makes_a_layer, NULL);
    gt_function_call(function, gt_tensors(gt_scalar(1, GT_FLOAT32)), &out);
    fails(GT_STATE, "the array must not come from a traced function");
    gt_function_free(function);
    gt_scope_end(scope);
    assert_no_leaks();
}

/* ---- regularizers ---- */

#define REGULARIZER_CASES(CASE)                                                                    \
    CASE(l1, gt_L1(0.125))                                                                         \
    CASE(l2, gt_L2(0.375))                                                                         \
    CASE(l1_l2, gt_L1L2(.l1 = 0.125, .l2 = 0.75))                                                  \
    CASE(orthogonal_rows, gt_OrthogonalRegularizer(0.125))                                         \
    CASE(orthogonal_columns, gt_OrthogonalRegularizer(0.5, .mode = GT_ORTHOGONALITY_COLUMNS))      \
    CASE(orthogonal_tall, gt_OrthogonalRegularizer(.factor = 0.25))

static void regularizer_agrees(const gt_TensorFile *file, const char *name,
                               gt_Regularizer regularizer, gt_DType dtype, double tolerance)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *in = gt_cast(part(file, name, "in"), dtype);
    gt_watch(tape, in);
    gt_Tensor *out = gt_regularize(regularizer, in);
    near(name, "value", out, part(file, name, "out"), tolerance);
    near(name, "gradient", gt_gradient(tape, out, in), part(file, name, "gradient"), tolerance);
    cr_assert_eq(gt_dtype(out), dtype);
    gt_tape_end(tape);
    ok(name);
}

static gt_Tensor *cubes(void *context, gt_Tensor *weight)
{
    return context ? gt_multiply(gt_sum(gt_power(weight, 3)), *(double *)context) : NULL;
}

Test(values, regularizers_agree_with_keras)
{
    gt_TensorFile *file = open_oracle();
#define CASE(name, regularizer)                                                                    \
    regularizer_agrees(file, #name, regularizer, GT_FLOAT64, 1e-14);                               \
    regularizer_agrees(file, #name, regularizer, GT_FLOAT32, 1e-6);
    REGULARIZER_CASES(CASE)
#undef CASE
    gt_tensor_file_free(file);

    gt_Scope *scope = gt_scope_begin();
    const gt_Regularizer none = GT_NOT_GIVEN;
    gt_Tensor *x = gt_array64(gt_shape(2), 1, -2);
    double factor = 0.5;
    cr_assert(gt_item(gt_regularize(none, x)) == 0 && gt_item(gt_regularize(gt_L1L2(), x)) == 0);
    cr_assert(gt_item(gt_regularize(gt_regularizer(cubes, &factor), x)) == -3.5);
    gt_Tensor *row = gt_reshape(x, gt_shape(1, 2)), *half = gt_cast(x, GT_FLOAT16);
    cr_assert(gt_item(gt_regularize(gt_OrthogonalRegularizer(), row)) == 0, "of a single row");
    cr_assert(gt_item(gt_regularize(gt_L2(3), half)) == 15 &&
                  gt_dtype(gt_regularize(gt_L2(3), half)) == GT_FLOAT32,
              "of 16 bits in float32");
    ok("others");
    gt_regularize(gt_regularizer(cubes, NULL), x);
    fails(GT_INVALID, "regularize: the regularizer's function returned no tensor");
    gt_regularize(gt_OrthogonalRegularizer(), x);
    fails(GT_INVALID, "the orthogonal regularizer accepts matrices (got 1 dimensions)");
    gt_scope_end(scope);
    assert_no_leaks();
}

/* ---- constraints ---- */

#define CONSTRAINT_CASES(CASE)                                                                     \
    CASE(max_norm, gt_MaxNorm())                                                                   \
    CASE(max_norm_last, gt_MaxNorm(1.25, .axes = gt_axes(-1)))                                     \
    CASE(max_norm_conv, gt_MaxNorm(3, .axes = gt_axes(0, 1, 2)))                                   \
    CASE(max_norm_all, gt_MaxNorm(1, .axes = GT_ALL_AXES))                                         \
    CASE(non_neg, gt_NonNeg())                                                                     \
    CASE(unit_norm, gt_UnitNorm())                                                                 \
    CASE(unit_norm_pair, gt_UnitNorm(.axes = gt_axes(1, 2)))                                       \
    CASE(min_max_norm, gt_MinMaxNorm())                                                            \
    CASE(min_max_norm_part,                                                                        \
         gt_MinMaxNorm(.min_value = 1.5, .max_value = 2, .rate = 0.25, .axes = gt_axes(1)))

static void constraint_agrees(const gt_TensorFile *file, const char *name, gt_Constraint constraint,
                              gt_DType dtype, double tolerance)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *in = gt_cast(part(file, name, "in"), dtype), *gradient;
    gt_watch(tape, in);
    gt_Tensor *out = gt_constrain(constraint, in);
    gt_Tensor *target = gt_sum(gt_multiply(out, gt_cast(part(file, name, "up"), dtype)));
    gradient = gt_gradient(tape, target, in);
    near(name, "value", out, part(file, name, "out"), tolerance);
    near(name, "gradient", gradient, part(file, name, "gradient"), tolerance);
    cr_assert_eq(gt_dtype(out), dtype);
    gt_tape_end(tape);
    ok(name);
}

Test(values, constraints_agree_with_keras)
{
    gt_TensorFile *file = open_oracle();
#define CASE(name, constraint)                                                                     \
    constraint_agrees(file, #name, constraint, GT_FLOAT64, 1e-14);                                 \
    constraint_agrees(file, #name, constraint, GT_FLOAT32, 1e-5);
    CONSTRAINT_CASES(CASE)
#undef CASE
    gt_tensor_file_free(file);
    ok("constraints");
    assert_no_leaks();
}

/* ---- training with them ---- */

enum { STEPS = 10 };

/* Each a name of the oracle, an optimizer, the constraints of the kernel and of the bias. */
#define TRAININGS(CASE)                                                                            \
    CASE(train_max_norm, gt_SGD(0.25, .momentum = 0.875), gt_MaxNorm(0.75), gt_NonNeg())           \
    CASE(train_non_neg, gt_SGD(0.25, .momentum = 0.875, .nesterov = true), gt_NonNeg(),            \
         gt_UnitNorm())                                                                            \
    CASE(train_unit_norm, gt_SGD(0.25, .momentum = 0.875), gt_UnitNorm(.axes = gt_axes(1)), none)  \
    CASE(train_min_max_norm, gt_SGD(0.25, .momentum = 0.875),                                      \
         gt_MinMaxNorm(.min_value = 0.875, .max_value = 1.125, .rate = 0.5), none)                 \
    CASE(train_average,                                                                            \
         gt_SGD(0.25, .momentum = 0.875, .use_ema = true, .ema_momentum = 0.75,                    \
                .ema_overwrite_frequency = 3),                                                     \
         gt_MaxNorm(0.75), gt_NonNeg())                                                            \
    CASE(train_accumulated, gt_SGD(0.25, .momentum = 0.875, .gradient_accumulation_steps = 2),     \
         gt_MinMaxNorm(.min_value = 0.875, .max_value = 1.125, .rate = 0.5), none)                 \
    CASE(train_decay, gt_SGD(0.25, .momentum = 0.875, .weight_decay = 0.125, .clipnorm = 0.5),     \
         gt_MaxNorm(0.75), gt_NonNeg())                                                            \
    CASE(train_adam, gt_Adam(0.125, .beta_1 = 0.875, .beta_2 = 0.96875, .epsilon = 0x1p-20),       \
         gt_MaxNorm(0.75), gt_NonNeg())

typedef struct Training {
    gt_Layer *dense;
    gt_Optimizer *optimizer;
    gt_Tensor *x, *y;
} Training;

static gt_Variable *weight_of(const Training *training, int i)
{
    return gt_variables(training->dense).items[i];
}

static Training training_of(const gt_TensorFile *file, gt_Optimizer *optimizer,
                            gt_Constraint kernel, gt_Constraint bias)
{
    Training training = {.dense = gt_Dense(3, .kernel_constraint = kernel, .bias_constraint = bias),
                         .optimizer = optimizer,
                         .x = part(file, "train", "x"),
                         .y = part(file, "train", "y")};
    gt_build(training.dense, gt_shape(8, 4), GT_FLOAT64);
    gt_assign(weight_of(&training, 0), part(file, "train", "kernel"));
    gt_assign(weight_of(&training, 1), part(file, "train", "bias"));
    ok("making it");
    return training;
}

static void training_free(const Training *training)
{
    gt_layer_free(training->dense);
    gt_optimizer_free(training->optimizer);
}

static gt_Status train_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Training *training = context;
    (void)out;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *off = gt_subtract(gt_call(training->dense, in[0]), in[1]);
    gt_minimize(training->optimizer, tape, gt_mean(gt_square(off)),
                gt_trainable_variables(training->dense));
    gt_tape_end(tape);
    return gt_status();
}

static gt_Tensor *row(gt_Tensor *x, int i)
{
    return gt_take(x, gt_scalar(i, GT_INT64), .axis = 0);
}

static void training_agrees(const gt_TensorFile *file, const char *name, bool planned,
                            gt_Optimizer *optimizer, gt_Constraint kernel, gt_Constraint bias)
{
    gt_Scope *scope = gt_scope_begin();
    Training training = training_of(file, optimizer, kernel, bias);
    gt_Function *function = gt_function(train_step, &training, .outputs = 0);
    gt_Tensor *kernels = part(file, name, "kernel"), *biases = part(file, name, "bias");
    for (int i = 0; i < STEPS; i++) {
        gt_Tensor *in[] = {training.x, training.y};
        if (planned)
            gt_function_call(function, gt_tensors(training.x, training.y), NULL);
        else
            train_step(&training, in, NULL);
        near(name, "kernel", weight_of(&training, 0), row(kernels, i), 1e-12);
        near(name, "bias", weight_of(&training, 1), row(biases, i), 1e-12);
    }
    gt_function_free(function);
    training_free(&training);
    gt_scope_end(scope);
    ok(name);
}

Test(values, weights_with_constraints_are_trained_as_in_keras)
{
    const gt_Constraint none = GT_NOT_GIVEN;
    gt_TensorFile *file = open_oracle();
    for (int planned = 0; planned < 2; planned++) {
#define CASE(name, optimizer, kernel, bias)                                                        \
    training_agrees(file, #name, planned, optimizer, kernel, bias);
        TRAININGS(CASE)
#undef CASE
    }
    gt_tensor_file_free(file);
    assert_no_leaks();
}

/* In gt_fit too, of a weight of one's own layer. */
typedef struct Slope {
    gt_Layer base;
    gt_Constraint constraint;
    gt_Variable *slope;
} Slope;

static gt_Status slope_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Slope *self = (Slope *)layer;
    self->slope = gt_add_weight(layer, "slope", gt_shape(gt_last(in->shape), 1),
                                .initializer = gt_Zeros(), .constraint = self->constraint);
    return gt_status();
}

static gt_Tensor *slope_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return gt_matmul(in->x, ((Slope *)layer)->slope);
}

static const gt_LayerClass slope_layer_class = {.size = sizeof(gt_LayerClass),
                                                .name = "slope",
                                                .instance = sizeof(Slope),
                                                .build = slope_build,
                                                .call = slope_call};

Test(values, constraints_in_fit)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_normal(gt_shape(64, 3)), *y = gt_sum(x, .axis = 1, .keepdims = true);
    gt_Layer *layer = gt_layer_new(&slope_layer_class, &(Slope){.constraint = gt_MaxNorm(0.75)});
    gt_Layer *model = gt_Sequential(layer);
    gt_compile(model, .optimizer = gt_SGD(0.02, .momentum = 0.5), .loss = gt_MeanSquaredError());
    gt_Dataset *data = gt_dataset_from_tensors(x, y, .batch_size = 8);
    gt_fit(model, data, .epochs = 20, .verbose = GT_VERBOSITY_SILENT);
    ok("fit");
    gt_dataset_free(data);
    gt_Variable *slope = gt_variables(model).items[0];
    for (int i = 0; i < 3; i++)
        cr_assert(fabs(gt_element(slope, i) - 0.75 / sqrt(3)) < 0.05, "%g, without a constraint 1",
                  gt_element(slope, i));
    cr_assert(fabs(gt_item(gt_norm(slope)) - 0.75) < 1e-5);
    layer = gt_layer_new(&slope_layer_class, &(Slope){.constraint = gt_MaxNorm(-1)});
    gt_call(layer, x);
    fails(GT_INVALID, "constraint: max_value must be >= 0 (got -1)");
    gt_layer_free(layer);
    gt_layer_free(model);
    gt_Dense(1, .bias_constraint = gt_MinMaxNorm(.rate = -1));
    fails(GT_INVALID, "Dense: bias_constraint: rate must be in [0, 1] (got -1)");
    gt_scope_end(scope);
    assert_no_leaks();
}

/* ---- what becomes of a step ---- */

/* Adds 1 where it is asked to, and counts. */
typedef struct Adder {
    int calls, fail_at;
    gt_Tensor *kept;
} Adder;

static gt_Tensor *plus_one(void *context, gt_Tensor *weight)
{
    Adder *adder = context;
    if (++adder->calls == adder->fail_at) {
        gt_fail(GT_NUMERIC, "no further");
        return NULL;
    }
    return gt_add(weight, 1);
}

/* A view of the variable's own bytes, or the variable itself: nothing changes. */
static gt_Tensor *as_it_is(void *context, gt_Tensor *weight)
{
    return context ? gt_reshape(gt_reshape(weight, gt_shape(-1)), gt_tensor_shape(weight)) : weight;
}

enum { STATE = 64 };

/* All numbers of variables and optimizer. */
static int state_of(const gt_Tensors *variables, const gt_Optimizer *optimizer, double *state)
{
    int n = 0;
    const gt_Tensors all[] = {*variables, gt_optimizer_variables(optimizer)};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < all[k].count; i++)
            for (int64_t e = 0; e < gt_size(all[k].items[i]); e++)
                state[n++] = gt_element(all[k].items[i], e);
    cr_assert(n <= STATE);
    return n;
}

/* Variables a, b, c; c has no constraint. */
typedef struct Three {
    gt_Variable *item[3];
    gt_Tensors list;
    gt_Optimizer *optimizer;
} Three;

static void three_make(Three *three, gt_Optimizer *optimizer)
{
    for (int i = 0; i < 3; i++)
        three->item[i] = gt_variable(gt_array64(gt_shape(2), i + 1, -i));
    three->list = (gt_Tensors){three->item, 3};
    three->optimizer = optimizer;
}

static void three_free(const Three *three)
{
    for (int i = 0; i < 3; i++)
        gt_variable_free(three->item[i]);
    gt_optimizer_free(three->optimizer);
}

static gt_Status three_step(const Three *three)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *up[3];
    for (int i = 0; i < 3; i++)
        up[i] = gt_array64(gt_shape(2), 0.5, -1.5);
    gt_Status status = gt_apply_gradients(three->optimizer, three->list, up);
    gt_scope_end(scope);
    return status;
}

/* A constraint that fails takes back the step, of the variables before it too, with slots, averages and the count. */
Test(values, a_step_whose_constraint_fails_changes_nothing)
{
    for (int fail_at = 1; fail_at <= 2; fail_at++) {
        Three three;
        Adder adder = {.fail_at = -1};
        three_make(&three, gt_SGD(0.5, .momentum = 0.5, .use_ema = true));
        gt_set_constraint(three.item[0], gt_constraint(plus_one, &adder));
        gt_set_constraint(three.item[1], gt_constraint(plus_one, &adder));
        cr_assert_eq(three_step(&three), GT_OK);
        cr_assert(gt_element(three.item[0], 0) == 1 - 0.25 + 1 &&
                      gt_element(three.item[2], 0) == 3 - 0.25,
                  "%g %g", gt_element(three.item[0], 0), gt_element(three.item[2], 0));
        double before[STATE], after[STATE];
        int n = state_of(&three.list, three.optimizer, before);
        adder = (Adder){.fail_at = fail_at};
        three_step(&three);
        fails(GT_NUMERIC, "no further");
        cr_assert(state_of(&three.list, three.optimizer, after) == n &&
                  memcmp(before, after, (size_t)n * sizeof *before) == 0);
        adder.fail_at = -1;
        cr_assert_eq(three_step(&three), GT_OK, "and goes on");
        cr_assert(gt_element(three.item[1], 1) != before[3]);
        three_free(&three);
    }
    assert_no_leaks();
}

/* What a constraint gives may be the variable, a view of it, or something that others hold; its own old numbers
 * belong to whoever holds them. */
Test(values, views_of_a_constrained_variable)
{
    Three three, plain;
    three_make(&three, gt_SGD(0.5));
    three_make(&plain, gt_SGD(0.5));
    gt_set_constraint(three.item[0], gt_constraint(as_it_is, NULL));
    gt_set_constraint(three.item[1], gt_constraint(as_it_is, &three));
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *old = gt_identity(three.item[0]);
    const void *address = gt_data(three.item[0]);
    for (int i = 0; i < 3; i++)
        cr_assert(three_step(&three) == GT_OK && three_step(&plain) == GT_OK, "%s",
                  gt_error_message());
    for (int i = 0; i < 3; i++)
        for (int e = 0; e < 2; e++)
            cr_assert(gt_element(three.item[i], e) == gt_element(plain.item[i], e));
    cr_assert(gt_element(old, 0) == 1 && gt_data(three.item[0]) == address);
    gt_scope_end(scope);
    three_free(&three);
    three_free(&plain);
    assert_no_leaks();
}

/* Set again, taken away; one without a gradient is left alone. */
Test(values, which_variables_are_projected)
{
    Three three;
    Adder adder = {0};
    const gt_Constraint none = GT_NOT_GIVEN;
    three_make(&three, gt_SGD(0.5));
    gt_set_constraint(three.item[0], gt_NonNeg());
    gt_set_constraint(three.item[0], gt_constraint(plus_one, &adder));
    gt_set_constraint(three.item[1], gt_constraint(plus_one, &adder));
    gt_set_constraint(three.item[1], none);
    three_step(&three);
    cr_assert_eq(adder.calls, 1);
    cr_assert(gt_element(three.item[0], 0) == 1.75 && gt_element(three.item[1], 0) == 1.75);
    gt_Tensor *up[] = {NULL, gt_array64(gt_shape(2), 0, 0), NULL};
    gt_apply_gradients(three.optimizer, three.list, up);
    cr_assert_eq(adder.calls, 1);
    gt_set_constraint(three.item[0], none);
    three_step(&three);
    cr_assert_eq(adder.calls, 1);
    ok("steps");
    three_free(&three);
}

/* What a variable holds of its constraint goes with the next one, and with the variable. */
Test(values, constraints_leave_no_memory)
{
    gt_variable_free(gt_variable(gt_scalar(1, GT_FLOAT32)));
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *one = gt_scalar(1, GT_FLOAT32);
    int64_t before = gt_memory_stats().bytes_in_use;
    for (int i = 0; i < 10; i++) {
        gt_Variable *v = gt_variable(one);
        gt_set_constraint(v, gt_MaxNorm());
        gt_set_constraint(v, gt_NonNeg());
        gt_variable_free(v);
    }
    cr_assert(gt_memory_stats().bytes_in_use == before, "%lld bytes are lost",
              (long long)(gt_memory_stats().bytes_in_use - before));
    gt_scope_end(scope);
}

/* ---- in traced functions ---- */

static gt_Status traced_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in, (void)out;
    return three_step(context);
}

static gt_Status traced_setting(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in, (void)out;
    return gt_set_constraint(((Three *)context)->item[0], gt_NonNeg());
}

/* A plan depends on the constraints that the variables had; on their context's numbers it does not. */
Test(values, constraints_are_facts_of_a_plan)
{
    Three three, eager;
    Adder adder = {0}, other = {0};
    three_make(&three, gt_SGD(0.5, .momentum = 0.5));
    three_make(&eager, gt_SGD(0.5, .momentum = 0.5));
    gt_Function *function = gt_function(traced_step, &three, .outputs = 0);
    const gt_Constraint none = GT_NOT_GIVEN, row[] = {none, gt_NonNeg(), gt_UnitNorm(),
                                                      gt_constraint(plus_one, &adder), none};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        gt_set_constraint(three.item[1], row[i]);
        gt_set_constraint(eager.item[1], row[i].context ? gt_constraint(plus_one, &other) : row[i]);
        for (int step = 0; step < 3; step++) {
            gt_function_call(function, gt_tensors(), NULL);
            three_step(&eager);
            ok("step");
            double a[STATE], b[STATE];
            int n = state_of(&three.list, three.optimizer, a);
            cr_assert(state_of(&eager.list, eager.optimizer, b) == n &&
                          memcmp(a, b, (size_t)n * sizeof *a) == 0,
                      "constraint %d, step %d", (int)i, step);
        }
    }
    cr_assert(adder.calls == 2 && other.calls == 3, "traced twice, then a plan: %d", adder.calls);
    gt_function_free(function);
    function = gt_function(traced_setting, &three, .outputs = 0);
    gt_function_call(function, gt_tensors(), NULL);
    fails(GT_STATE, "variable variable cannot get a constraint inside a traced function");
    gt_function_free(function);
    three_free(&three);
    three_free(&eager);
    assert_no_leaks();
}

/* ---- memory ---- */

/* The allocator fails from call `left` on, if that is not negative. */
typedef struct Host {
    int64_t left, blocks;
} Host;

static void *host_allocate(void *user, size_t size, size_t alignment)
{
    Host *host = user;
    void *memory = NULL;
    if (host->left == 0)
        return NULL;
    host->left -= host->left > 0;
    if (posix_memalign(&memory, alignment, size) != 0)
        abort();
    host->blocks++;
    return memory;
}

static void host_release(void *user, void *memory, size_t size)
{
    (void)size;
    ((Host *)user)->blocks--;
    free(memory);
}

static void constrain_three(const Three *three)
{
    gt_set_constraint(three->item[0], gt_MaxNorm(0.5));
    gt_set_constraint(three->item[1],
                      gt_MinMaxNorm(.min_value = 0.5, .rate = 0.5, .axes = GT_ALL_AXES));
    gt_set_constraint(three->item[2], gt_constraint(as_it_is, (void *)(uintptr_t)three));
}

static void fresh_three(Three *three)
{
    three_make(three, gt_SGD(0.5, .momentum = 0.5, .use_ema = true));
    constrain_three(three);
    cr_assert(three_step(three) == GT_OK, "%s", gt_error_message());
}

/* Wherever memory ends, a step is made wholly or not at all, and may be made again. */
Test(values, a_step_without_memory_changes_nothing)
{
    int64_t failures = 0;
    for (int64_t left = 0, done = false; !done; left++) {
        Host host = {.left = -1};
        gt_Context *context =
            gt_context_create(.allocator = &(gt_Allocator){host_allocate, host_release, &host},
                              .pooling = false, .threads = 1);
        gt_Context *outer = gt_context_use(context);
        Three three;
        double before[STATE], after[STATE], again[STATE];
        fresh_three(&three);
        int n = state_of(&three.list, three.optimizer, before);
        host.left = left;
        done = three_step(&three) == GT_OK;
        host.left = -1;
        if (!done) {
            failures++;
            fails(GT_NO_MEMORY, "out of memory");
            state_of(&three.list, three.optimizer, after);
            cr_assert(memcmp(before, after, (size_t)n * sizeof *before) == 0, "failure %d",
                      (int)left);
            cr_assert(three_step(&three) == GT_OK, "%s", gt_error_message());
        }
        state_of(&three.list, three.optimizer, again);
        cr_assert(again[0] != before[0]);
        three_free(&three);
        gt_context_use(outer);
        gt_context_free(context);
        cr_assert_eq(host.blocks, 0);
    }
    cr_assert(failures > 20, "%d", (int)failures);
}

/* The same for values alone. */
static bool everything(void)
{
    gt_Scope *scope = gt_scope_begin();
    double data[12];
    const gt_Spec spec = {GT_FLOAT64, 3, 12, {4, 1, 3}};
    gt_Variable *v = gt_variable(gt_array64(gt_shape(2, 2), 1, 2, 3, 4));
    gt_Tensor *row = gt_array64(gt_shape(3), 1, 2, 3);
    gt_initialize(gt_Constant(.array = row), "m/w", &spec, data);
    gt_initialize(gt_Constant(2), "m/w", &spec, data);
    gt_initialize(gt_STFTInitializer(), "m/w", &spec, data);
    gt_initialize(gt_Orthogonal(), "m/w", &spec, data);
    gt_initialize(gt_HeNormal(), "m/w", &(gt_Spec){GT_FLOAT16, 1, 12, {12}}, data);
    gt_set_constraint(v, gt_UnitNorm());
    gt_set_constraint(v, gt_MaxNorm(1));
    gt_Tensor *a = gt_constrain(gt_MinMaxNorm(), v), *b = gt_constrain(gt_NonNeg(), v);
    gt_Tensor *c = gt_regularize(gt_L1L2(.l1 = 1, .l2 = 2), v);
    gt_Tensor *d = gt_regularize(gt_OrthogonalRegularizer(), v);
    bool done = gt_status() == GT_OK && a && b && c && d;
    gt_variable_free(v);
    gt_scope_end(scope);
    return done;
}

Test(values, values_without_memory)
{
    int64_t failures = 0;
    for (int64_t left = 0, done = false; !done; left++) {
        Host host = {.left = -1};
        gt_Context *context =
            gt_context_create(.allocator = &(gt_Allocator){host_allocate, host_release, &host},
                              .pooling = false, .threads = 1);
        gt_Context *outer = gt_context_use(context);
        host.left = left;
        done = everything();
        host.left = -1;
        if (!done) {
            failures++;
            fails(GT_NO_MEMORY, "out of memory");
            cr_assert(everything(), "%s", gt_error_message());
        }
        gt_context_use(outer);
        gt_context_free(context);
        cr_assert_eq(host.blocks, 0);
    }
    cr_assert(failures > 50, "%d", (int)failures);
}

/* ---- names and defaults ---- */

typedef struct Name {
    const char *name, *ours;
} Name;

Test(values, names)
{
    const Name initializer[] = {
        {"zeros", "zeros"},
        {"Zeros", "zeros"},
        {"zero", "zeros"},
        {"ones", "ones"},
        {"Ones", "ones"},
        {"one", "ones"},
        {"constant", "constant"},
        {"Constant", "constant"},
        {"identity", "identity"},
        {"Identity", "identity"},
        {"IdentityInitializer", "identity"},
        {"random_normal", "random_normal"},
        {"RandomNormal", "random_normal"},
        {"normal", "random_normal"},
        {"random_uniform", "random_uniform"},
        {"RandomUniform", "random_uniform"},
        {"uniform", "random_uniform"},
        {"truncated_normal", "truncated_normal"},
        {"TruncatedNormal", "truncated_normal"},
        {"variance_scaling", "variance_scaling"},
        {"VarianceScaling", "variance_scaling"},
        {"glorot_uniform", "glorot_uniform"},
        {"GlorotUniform", "glorot_uniform"},
        {"glorot_normal", "glorot_normal"},
        {"GlorotNormal", "glorot_normal"},
        {"he_uniform", "he_uniform"},
        {"HeUniform", "he_uniform"},
        {"he_normal", "he_normal"},
        {"HeNormal", "he_normal"},
        {"lecun_uniform", "lecun_uniform"},
        {"LecunUniform", "lecun_uniform"},
        {"lecun_normal", "lecun_normal"},
        {"LecunNormal", "lecun_normal"},
        {"orthogonal", "orthogonal"},
        {"Orthogonal", "orthogonal"},
        {"OrthogonalInitializer", "orthogonal"},
        {"stft", "stft"},
        {"STFT", "stft"},
        {"STFTInitializer", "stft"},
    };
    const Name regularizer[] = {
        {"l1", "l1"},
        {"L1", "l1"},
        {"l2", "l2"},
        {"L2", "l2"},
        {"l1_l2", "l1_l2"},
        {"L1L2", "l1_l2"},
        {"l1l2", "l1_l2"},
        {"orthogonal_regularizer", "orthogonal_regularizer"},
        {"OrthogonalRegularizer", "orthogonal_regularizer"},
    };
    const Name constraint[] = {
        {"max_norm", "max_norm"},         {"MaxNorm", "max_norm"},
        {"non_neg", "non_neg"},           {"NonNeg", "non_neg"},
        {"unit_norm", "unit_norm"},       {"UnitNorm", "unit_norm"},
        {"min_max_norm", "min_max_norm"}, {"MinMaxNorm", "min_max_norm"},
    };
#define FOUND(kind)                                                                                \
    for (size_t i = 0; i < sizeof kind / sizeof *kind; i++)                                        \
        cr_assert(gt_##kind##_class_find(kind[i].name) &&                                          \
                      strcmp(gt_##kind##_class_find(kind[i].name)->name, kind[i].ours) == 0,       \
                  "%s", kind[i].name);                                                             \
    cr_assert(!gt_##kind##_class_find(NULL) && !gt_##kind##_class_find("") &&                      \
              !gt_##kind##_class_find("function") && !gt_##kind##_class_find(" ") &&               \
              !gt_##kind##_class_find("Max") && !gt_##kind##_class_find("l1 l2"));
    FOUND(initializer)
    FOUND(regularizer)
    FOUND(constraint)
#undef FOUND
    /* Every class has what documentation and files say of it, and a name of its own. */
    int count;
#define COMPLETE(kind)                                                                             \
    for (int i = 0; i < (gt_##kind##_classes(&count), count); i++) {                               \
        const gt_##kind##Class *type = gt_##kind##_classes(NULL)[i];                               \
        cr_assert(type->mark == GT_MARK && type->size == sizeof *type && type->name &&             \
                  type->function && type->keras && type->summary);                                 \
        cr_assert(!type->options ||                                                                \
                      type->options->size <= sizeof gt_##kind##_make(NULL, NULL).options,          \
                  "%s", type->name);                                                               \
        cr_assert(gt_##kind##_class_find(type->name) == type &&                                    \
                      gt_##kind##_class_find(type->keras) == type,                                 \
                  "%s", type->name);                                                               \
    }
#define gt_initializerClass gt_InitializerClass
#define gt_regularizerClass gt_RegularizerClass
#define gt_constraintClass  gt_ConstraintClass
    COMPLETE(initializer)
    cr_assert_eq(count, 16);
    COMPLETE(regularizer)
    cr_assert_eq(count, 4);
    COMPLETE(constraint)
    cr_assert_eq(count, 4);
    ok("names");
}

/* The options of a value, as text: "stddev=0.05 seed=-1". */
static const char *described(const gt_OptionType *type, const void *options)
{
    static char text[400];
    text[0] = '\0';
    for (const gt_Field *field = type ? type->fields : NULL; field && field->name; field++) {
        const char *at = (const char *)options + field->offset;
        char one[100] = "";
        if (strcmp(field->type, "double") == 0)
            snprintf(one, sizeof one, "%.17g", *(const double *)(const void *)at);
        else if (strcmp(field->type, "int64_t") == 0)
            snprintf(one, sizeof one, "%lld", (long long)*(const int64_t *)(const void *)at);
        else if (strcmp(field->type, "bool") == 0)
            snprintf(one, sizeof one, "%d", *(const bool *)at);
        else if (strcmp(field->type, "gt_Axes") == 0)
            snprintf(one, sizeof one, "%d:%d", ((const gt_Axes *)(const void *)at)->count,
                     ((const gt_Axes *)(const void *)at)->axis[0]);
        else if (strcmp(field->type, "gt_Tensor *") == 0)
            snprintf(one, sizeof one, "%d", *(gt_Tensor *const *)(const void *)at != NULL);
        else
            snprintf(one, sizeof one, "%d", *(const int *)(const void *)at);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s=%s", *text ? " " : "",
                 field->name, one);
    }
    return text;
}

/* The defaults of Keras (contract 3.1 and 3.12): what a value holds that was made without an option, and what one
 * holds that its class made from NULL. */
Test(values, defaults)
{
#define DEFAULTS(Value, kind, value, expected)                                                     \
    do {                                                                                           \
        const Value got = value, made = gt_##kind##_make(got.type, NULL);                          \
        cr_assert_str_eq(described(got.type->options, got.options), expected);                     \
        cr_assert_str_eq(described(made.type->options, made.options), expected);                   \
    } while (0)
#define INITIALIZER(value, expected) DEFAULTS(gt_Initializer, initializer, value, expected)
    INITIALIZER(gt_Zeros(), "");
    INITIALIZER(gt_Ones(), "");
    INITIALIZER(gt_Constant(), "value=0 array=0");
    INITIALIZER(gt_IdentityInitializer(), "gain=1");
    INITIALIZER(gt_RandomNormal(), "mean=0 stddev=0.050000000000000003 seed=-1");
    INITIALIZER(gt_TruncatedNormal(), "mean=0 stddev=0.050000000000000003 seed=-1");
    INITIALIZER(gt_RandomUniform(),
                "minval=-0.050000000000000003 maxval=0.050000000000000003 seed=-1");
    INITIALIZER(gt_VarianceScaling(),
                "scale=1 mode=0 distribution=0 seed=-1 input_axes=0:0 output_axes=0:0");
    INITIALIZER(gt_GlorotUniform(), "seed=-1");
    INITIALIZER(gt_LecunNormal(), "seed=-1");
    INITIALIZER(gt_Orthogonal(), "gain=1 seed=-1");
    INITIALIZER(gt_STFTInitializer(), "side=0 window=0 scaling=1 periodic=0");
#define REGULARIZER(value, expected) DEFAULTS(gt_Regularizer, regularizer, value, expected)
    REGULARIZER(gt_L1(), "l1=0.01");
    REGULARIZER(gt_L2(), "l2=0.01");
    REGULARIZER(gt_L1L2(), "l1=0 l2=0");
    REGULARIZER(gt_OrthogonalRegularizer(), "factor=0.01 mode=0");
#define CONSTRAINT(value, expected) DEFAULTS(gt_Constraint, constraint, value, expected)
    CONSTRAINT(gt_MaxNorm(), "max_value=2 axes=1:0");
    CONSTRAINT(gt_NonNeg(), "");
    CONSTRAINT(gt_UnitNorm(), "axes=1:0");
    CONSTRAINT(gt_MinMaxNorm(), "min_value=0 max_value=1 rate=1 axes=1:0");
    /* and what was given */
    const gt_Constraint other =
        gt_MinMaxNorm(.min_value = 0.5, .rate = 0.25, .axes = gt_axes(2, 3));
    cr_assert_str_eq(described(other.type->options, other.options),
                     "min_value=0.5 max_value=1 rate=0.25 axes=2:2");
    ok("defaults");
}

/* ---- values of a class of one's own ---- */

#define Ramp_OPTIONS(F, S) F(S, double, slope, 1, "from element to element")
GT_OPTIONS(Ramp_options, Ramp_OPTIONS);
GT_OPTION_TYPE(Ramp_options, Ramp_OPTIONS);

static gt_Status ramp_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                           uint64_t stream)
{
    double slope = GT_OPTIONS_OF(Ramp_options, self).slope;
    (void)stream;
    for (int64_t i = 0; i < spec->size; i++)
        ((float *)data)[i] = (float)(slope * (double)i);
    return GT_OK;
}

static gt_Tensor *steeper(const gt_Constraint *self, gt_Tensor *weight)
{
    return gt_multiply(weight, GT_OPTIONS_OF(Ramp_options, self).slope);
}

static gt_Tensor *slope_of(const gt_Regularizer *self, gt_Tensor *weight)
{
    double slope = GT_OPTIONS_OF(Ramp_options, self).slope;
    return slope ? gt_multiply(gt_sum(weight), slope) : NULL;
}

static const gt_InitializerClass ramp_class = {.mark = GT_MARK,
                                               .size = sizeof ramp_class,
                                               .name = "ramp",
                                               .options = &Ramp_options_type,
                                               .fill = ramp_fill};
static const gt_ConstraintClass steeper_class = {.mark = GT_MARK,
                                                 .size = sizeof steeper_class,
                                                 .name = "steeper",
                                                 .options = &Ramp_options_type,
                                                 .constrain = steeper};
static const gt_RegularizerClass slope_class = {.mark = GT_MARK,
                                                .size = sizeof slope_class,
                                                .name = "slope",
                                                .options = &Ramp_options_type,
                                                .penalty = slope_of};

Test(values, classes_of_ones_own)
{
    gt_Scope *scope = gt_scope_begin();
    Ramp_options steep = {GT_PRESETS(Ramp_options, Ramp_OPTIONS).slope = 3};
    gt_Tensor *ramp =
        initialized(gt_initializer_make(&ramp_class, &steep), gt_shape(3), GT_FLOAT32);
    cr_assert(gt_element(ramp, 2) == 6);
    cr_assert(gt_element(gt_constrain(gt_constraint_make(&steeper_class, &steep), ramp), 2) == 18);
    cr_assert(gt_item(gt_regularize(gt_regularizer_make(&slope_class, &steep), ramp)) == 27);
    gt_variable_free(ramp);
    ramp = initialized(gt_initializer_make(&ramp_class, NULL), gt_shape(3), GT_FLOAT32);
    cr_assert(gt_element(ramp, 2) == 2, "the default slope");
    /* As a version that knew nothing behind the function had it. */
    gt_ConstraintClass older = steeper_class;
    older.size = offsetof(gt_ConstraintClass, check);
    older.check = (gt_Status(*)(const gt_Constraint *, const char *))(uintptr_t)1;
    cr_assert(gt_element(gt_constrain(gt_constraint_make(&older, &steep), ramp), 2) == 6);
    ok("older");
    gt_variable_free(ramp);
    gt_scope_end(scope);
    assert_no_leaks();
}

/* ---- bad input ---- */

static const gt_Spec square = {.dtype = GT_FLOAT32, .rank = 2, .size = 4, .dims = {2, 2}};

static void initialize_fails(gt_Initializer initializer, gt_Spec spec, const char *text)
{
    float data[64];
    gt_initialize(initializer, "m/w", &spec, data);
    fails(GT_INVALID, text);
}

static void constrain_fails(gt_Constraint constraint, const char *text)
{
    cr_assert_null(gt_constrain(constraint, gt_array(gt_shape(2, 2), 1, 2, 3, 4)));
    fails(GT_INVALID, text);
}

static void regularize_fails(gt_Regularizer regularizer, const char *text)
{
    cr_assert_null(gt_regularize(regularizer, gt_array(gt_shape(2, 2), 1, 2, 3, 4)));
    fails(GT_INVALID, text);
}

static gt_Tensor *another_shape(void *context, gt_Tensor *weight)
{
    return context ? gt_sum(weight) : gt_cast(weight, GT_FLOAT64);
}

static gt_Tensor *nothing(void *context, gt_Tensor *weight)
{
    (void)context, (void)weight;
    return NULL;
}

static gt_Tensor *refuses(void *context, gt_Tensor *weight)
{
    (void)context, (void)weight;
    gt_fail(GT_NUMERIC, "I refuse");
    return NULL;
}

static gt_Status failing_fill(void *context, const gt_Spec *spec, void *data, uint64_t stream)
{
    (void)context, (void)spec, (void)data, (void)stream;
    return GT_IO;
}

Test(values, bad_initializers)
{
    gt_Scope *scope = gt_scope_begin();
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        initialize_fails(gt_RandomNormal(.mean = bad[i]), square, "mean must be finite");
        initialize_fails(gt_TruncatedNormal(.stddev = bad[i]), square, "stddev must be finite");
        initialize_fails(gt_RandomUniform(.minval = bad[i]), square, "minval must not exceed");
        initialize_fails(gt_RandomUniform(.maxval = bad[i]), square, "minval must not exceed");
        initialize_fails(gt_VarianceScaling(.scale = bad[i]), square, "scale must be finite");
        initialize_fails(gt_Orthogonal(.gain = bad[i]), square, "gain must be finite");
    }
    initialize_fails(gt_RandomNormal(.stddev = -1), square,
                     "random_normal: stddev must be finite and >= 0 (got -1)");
    initialize_fails(
        gt_RandomUniform(.minval = 1, .maxval = 0.5), square,
        "random_uniform: minval must not exceed maxval, and both be finite (got 1 and 0.5)");
    initialize_fails(gt_VarianceScaling(.scale = 0), square,
                     "variance_scaling: scale must be finite and > 0 (got 0)");
    initialize_fails(gt_VarianceScaling(.scale = -1), square, "(got -1)");
    initialize_fails(gt_VarianceScaling(.mode = (gt_Fan)3), square, "unknown mode 3");
    initialize_fails(gt_VarianceScaling(.mode = (gt_Fan)-1), square, "unknown mode -1");
    initialize_fails(gt_VarianceScaling(.distribution = (gt_Distribution)3), square,
                     "unknown distribution 3");
    initialize_fails(gt_VarianceScaling(.input_axes = gt_axes(0)), square,
                     "input_axes and output_axes must be given together");
    initialize_fails(gt_VarianceScaling(.output_axes = gt_axes(0)), square, "given together");
    initialize_fails(gt_VarianceScaling(.input_axes = gt_axes(2), .output_axes = gt_axes(0)),
                     square, "input_axes: axis 2 is out of range: the weight has 2 dimensions");
    initialize_fails(gt_VarianceScaling(.input_axes = gt_axes(0), .output_axes = gt_axes(-3)),
                     square, "output_axes: axis -3 is out of range");
    initialize_fails(gt_HeNormal(.seed = -2), square, "seed must be >= 0, or -1 for none (got -2)");
    initialize_fails(gt_Orthogonal(), (gt_Spec){GT_FLOAT32, 1, 4, {4}},
                     "an orthogonal weight must have at least 2 dimensions (got 1)");
    initialize_fails(gt_IdentityInitializer(), (gt_Spec){GT_FLOAT32, 3, 8, {2, 2, 2}},
                     "an identity matrix must have 2 dimensions (got 3)");
    initialize_fails(gt_STFTInitializer(), square,
                     "the weight must be (frame, 1, bins), with bins >= 2 (got (2, 2))");
    initialize_fails(gt_STFTInitializer(), (gt_Spec){GT_FLOAT32, 3, 8, {4, 2, 1}},
                     "(frame, 1, bins)");
    initialize_fails(gt_STFTInitializer(), (gt_Spec){GT_FLOAT32, 3, 4, {4, 1, 1}}, "bins >= 2");
    initialize_fails(gt_STFTInitializer(.side = (gt_StftSide)2), square, "unknown side 2");
    initialize_fails(gt_STFTInitializer(.window = (gt_Window)9), square, "unknown window 9");
    initialize_fails(gt_STFTInitializer(.scaling = (gt_StftScaling)3), square, "unknown scaling 3");
    /* dtypes */
    const gt_Spec whole = {GT_INT32, 2, 4, {2, 2}};
    initialize_fails(gt_HeNormal(), whole, "the weight must be of a float dtype (got int32)");
    initialize_fails(gt_Constant(0.5), whole,
                     "the value must be a number of the weight's dtype, int32 (got 0.5)");
    initialize_fails(gt_IdentityInitializer(0.5), whole,
                     "gain must be a number of the weight's dtype");
    /* arrays */
    initialize_fails(gt_Constant(.array = gt_array(gt_shape(3), 1, 2, 3)), square, "(3,)");
    gt_Scope *inner = gt_scope_begin();
    const gt_Initializer stale = gt_Constant(.array = gt_array(gt_shape(2), 1, 2));
    gt_scope_end(inner);
    float data[4];
    gt_initialize(stale, "m/w", &square, data);
    fails(GT_STALE, "constant: ");
    /* functions and classes */
    initialize_fails(gt_initializer(NULL, NULL), square, "the function is NULL");
    gt_initialize(gt_initializer(failing_fill, NULL), "m/w", &square, data);
    fails(GT_IO, "the initializer's function failed");
    gt_initialize(gt_Zeros(), "m/w", NULL, data);
    fails(GT_INVALID, "initialize: the spec or the data is NULL");
    gt_initialize(gt_Zeros(), "m/w", &square, NULL);
    fails(GT_INVALID, "the spec or the data is NULL");
    initialize_fails((gt_Initializer){.type = (const gt_InitializerClass *)(const void *)"a text"},
                     square, "must be an initializer such as gt_Zeros()");
    /* of a layer, under the name of the option */
    gt_Dense(2, .kernel_initializer = gt_VarianceScaling(.scale = 0));
    fails(GT_INVALID, "Dense: kernel_initializer: scale must be finite and > 0 (got 0)");
    gt_Dense(2, .bias_initializer = gt_HeNormal(.seed = -7));
    fails(GT_INVALID, "Dense: bias_initializer: seed must be >= 0");
    gt_scope_end(scope);
    assert_no_leaks();
}

Test(values, bad_regularizers)
{
    gt_Scope *scope = gt_scope_begin();
    const double bad[] = {NAN, INFINITY, -INFINITY, -1};
    for (int i = 0; i < 4; i++) {
        regularize_fails(gt_L1(bad[i]), "l1 must be finite and >= 0");
        regularize_fails(gt_L2(bad[i]), "l2 must be finite and >= 0");
        regularize_fails(gt_L1L2(.l1 = bad[i]), "l1 must be finite and >= 0");
        regularize_fails(gt_L1L2(.l2 = bad[i]), "l2 must be finite and >= 0");
        regularize_fails(gt_OrthogonalRegularizer(bad[i]), "factor must be finite and >= 0");
    }
    regularize_fails(gt_L2(-1), "regularize: the regularizer: l2 must be finite and >= 0 (got -1)");
    regularize_fails(gt_OrthogonalRegularizer(.mode = (gt_Orthogonality)2), "unknown mode 2");
    regularize_fails(gt_regularizer(NULL, NULL), "the function is NULL");
    cr_assert_null(gt_regularize(gt_regularizer(refuses, NULL), gt_scalar(1, GT_FLOAT32)));
    fails(GT_NUMERIC, "I refuse");
    cr_assert_null(gt_regularize(gt_L2(), NULL));
    fails(GT_INVALID, "regularize: the tensor is NULL");
    gt_Dense(2, .kernel_regularizer = gt_L1(-1));
    fails(GT_INVALID, "Dense: kernel_regularizer: l1 must be finite and >= 0 (got -1)");
    gt_scope_end(scope);
    assert_no_leaks();
}

Test(values, bad_constraints)
{
    gt_Scope *scope = gt_scope_begin();
    constrain_fails(gt_MaxNorm(-1), "constrain: the constraint: max_value must be >= 0 (got -1)");
    constrain_fails(gt_MaxNorm(NAN), "max_value must be >= 0");
    constrain_fails(gt_MaxNorm(.axes = gt_axes(2)), "axis 2");
    constrain_fails(gt_UnitNorm(.axes = gt_axes(0, 0)), "constrain: ");
    constrain_fails(gt_MinMaxNorm(.min_value = -1), "min_value must be >= 0 (got -1)");
    constrain_fails(gt_MinMaxNorm(.min_value = 2), "max_value must be >= min_value, 2 (got 1)");
    constrain_fails(gt_MinMaxNorm(.max_value = NAN), "max_value must be >= min_value");
    constrain_fails(gt_MinMaxNorm(.rate = 1.5), "rate must be in [0, 1] (got 1.5)");
    constrain_fails(gt_MinMaxNorm(.rate = NAN), "rate must be in [0, 1]");
    constrain_fails(gt_constraint(NULL, NULL), "the function is NULL");
    constrain_fails(gt_constraint(nothing, NULL), "the constraint's function returned no tensor");
    constrain_fails(
        gt_constraint(another_shape, NULL),
        "constraint function must give float32 (2, 2), as the weight (got float64 (2, 2))");
    constrain_fails(gt_constraint(another_shape, &scope), "(got float32 ())");
    cr_assert_null(gt_constrain(gt_constraint(refuses, NULL), gt_scalar(1, GT_FLOAT32)));
    fails(GT_NUMERIC, "I refuse");
    cr_assert_null(gt_constrain(gt_NonNeg(), NULL));
    fails(GT_INVALID, "constrain: the tensor is NULL");
    constrain_fails((gt_Constraint){.type = (const gt_ConstraintClass *)(const void *)"a text"},
                    "must be a constraint such as gt_MaxNorm(2)");
    /* An option list that is larger than a value. */
    const gt_OptionType large = {.name = "large", .size = 4096, .end = 4096};
    gt_ConstraintClass too_large = steeper_class;
    too_large.options = &large;
    constrain_fails(gt_constraint_make(&too_large, NULL), "options must have at most 112 bytes");
    /* on a variable */
    gt_Variable *v = gt_variable(gt_scalar(1, GT_FLOAT32));
    gt_set_constraint(v, gt_MaxNorm(-1));
    fails(GT_INVALID, "set_constraint: constraint: max_value must be >= 0 (got -1)");
    gt_set_constraint(gt_scalar(1, GT_FLOAT32), gt_NonNeg());
    fails(GT_INVALID, "set_constraint: expected a variable");
    gt_set_constraint(NULL, gt_NonNeg());
    fails(GT_INVALID, "set_constraint");
    gt_variable_free(v);
    gt_scope_end(scope);
    assert_no_leaks();
}
