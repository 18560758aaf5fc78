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
    cr_assert(gt_shape_equal(gt_tensor_shape(got), gt_tensor_shape(expected)), "%s, %s", name,
              what);
    got = gt_cast(got, GT_FLOAT64), expected = gt_cast(expected, GT_FLOAT64);
    const double *a = gt_data(got), *b = gt_data(expected);
    for (int64_t i = 0; i < gt_size(got); i++)
        cr_assert(fabs(a[i] - b[i]) <= tolerance * (1 + fabs(b[i])),
                  "%s, %s [%d]: %.17g, not %.17g", name, what, (int)i, a[i], b[i]);
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
