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
    cr_assert(first_of(gt_HeNormal(.seed = 0), "1/w") != first_of(free_one, "1/w"),
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
    Training training = {.dense = gt_Dense(3),
                         .optimizer = optimizer,
                         .x = part(file, "train", "x"),
                         .y = part(file, "train", "y")};
    gt_build(training.dense, gt_shape(8, 4), GT_FLOAT64);
    gt_assign(weight_of(&training, 0), part(file, "train", "kernel"));
    gt_assign(weight_of(&training, 1), part(file, "train", "bias"));
    gt_set_constraint(weight_of(&training, 0), kernel);
    gt_set_constraint(weight_of(&training, 1), bias);
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
