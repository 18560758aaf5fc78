/* Initializers: those that draw nothing against Keras, draws by their statistics, seeds, orthogonality, arrays that a layer
 * keeps, bad options. */
#include "values.h"

/* ---- initializers that draw nothing ---- */

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

Test(initializers, agree_with_keras)
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

Test(initializers, draws)
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
Test(initializers, small_fans)
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

Test(initializers, seeds)
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

Test(initializers, orthogonal)
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
Test(initializers, a_layer_keeps_the_array_of_its_initializer)
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
Test(initializers, arrays_leave_no_memory)
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

/* A copy that fails before it holds an array does not give back what the first layer holds. */
Test(initializers, a_copy_that_fails_leaves_the_array)
{
    const gt_Initializer wrong = gt_HeNormal(.seed = -3);
    gt_Layer *layer = dense_of_array();
    cr_assert_null(gt_layer_copy_with(layer, "kernel_initializer", &wrong, sizeof wrong));
    fails(GT_INVALID, "kernel_initializer: seed must be >= 0");
    gt_build(layer, gt_shape(1, 3), GT_FLOAT32);
    kernel_is_the_row(layer);
    gt_layer_free(layer);
    assert_no_leaks();
}

static gt_Status makes_a_layer(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_layer_free(gt_Dense(1, .kernel_initializer = gt_Constant(.array = gt_add(in[0], 1))));
    out[0] = in[0];
    return gt_status();
}

Test(initializers, an_array_of_a_traced_function_is_refused)
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

/* ---- bad input ---- */

static const gt_Spec square = {.dtype = GT_FLOAT32, .rank = 2, .size = 4, .dims = {2, 2}};

static void initialize_fails(gt_Initializer initializer, gt_Spec spec, const char *text)
{
    float data[64];
    gt_initialize(initializer, "m/w", &spec, data);
    fails(GT_INVALID, text);
}

static gt_Status failing_fill(void *context, const gt_Spec *spec, void *data, uint64_t stream)
{
    (void)context, (void)spec, (void)data, (void)stream;
    return GT_IO;
}

Test(initializers, bad_input)
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
