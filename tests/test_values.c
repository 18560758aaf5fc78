/* Regularizers against Keras; and of all values, initializers and constraints too: names, defaults, classes of one's own,
 * allocations that fail. */
#include "values.h"

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

static void regularize_fails(gt_Regularizer regularizer, const char *text)
{
    cr_assert_null(gt_regularize(regularizer, gt_array(gt_shape(2, 2), 1, 2, 3, 4)));
    fails(GT_INVALID, text);
}

static gt_Tensor *refuses(void *context, gt_Tensor *weight)
{
    (void)context, (void)weight;
    gt_fail(GT_NUMERIC, "I refuse");
    return NULL;
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
    cr_assert_eq((gt_regularizer_classes(&count), count), 4);
    COMPLETE(constraint)
    cr_assert_eq((gt_constraint_classes(&count), count), 4);
    cr_assert(gt_regularizer_class_find("L1") != gt_regularizer_class_find("L2"));
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
    /* A built-in one under another name draws the same. */
    gt_InitializerClass mine = *gt_initializer_class_find("he_normal");
    mine.name = "mine";
    gt_Tensor *drawn = initialized(gt_initializer_make(&mine, NULL), gt_shape(2), GT_FLOAT32);
    gt_Tensor *he = initialized(gt_HeNormal(), gt_shape(2), GT_FLOAT32);
    cr_assert(gt_element(drawn, 1) == gt_element(he, 1));
    gt_variable_free(drawn);
    gt_variable_free(he);
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

/* ---- memory ---- */

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
