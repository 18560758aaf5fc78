/* Constraints: values and gradients against Keras, training with them and with penalties, steps that fail, plans, memory, bad
 * options. */
#include "values.h"

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

Test(constraints, agree_with_keras)
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

/* Each a name of the oracle, an optimizer, the layer's options. */
#define TRAININGS(CASE)                                                                            \
    CASE(train_max_norm, gt_SGD(0.25, .momentum = 0.875), .kernel_constraint = gt_MaxNorm(0.75),   \
         .bias_constraint = gt_NonNeg())                                                           \
    CASE(train_non_neg, gt_SGD(0.25, .momentum = 0.875, .nesterov = true),                         \
         .kernel_constraint = gt_NonNeg(), .bias_constraint = gt_UnitNorm())                       \
    CASE(train_unit_norm, gt_SGD(0.25, .momentum = 0.875),                                         \
         .kernel_constraint = gt_UnitNorm(.axes = gt_axes(1)))                                     \
    CASE(train_min_max_norm, gt_SGD(0.25, .momentum = 0.875),                                      \
         .kernel_constraint = gt_MinMaxNorm(.min_value = 0.875, .max_value = 1.125, .rate = 0.5))  \
    CASE(train_average,                                                                            \
         gt_SGD(0.25, .momentum = 0.875, .use_ema = true, .ema_momentum = 0.75,                    \
                .ema_overwrite_frequency = 3),                                                     \
         .kernel_constraint = gt_MaxNorm(0.75), .bias_constraint = gt_NonNeg())                    \
    CASE(train_accumulated, gt_SGD(0.25, .momentum = 0.875, .gradient_accumulation_steps = 2),     \
         .kernel_constraint = gt_MinMaxNorm(.min_value = 0.875, .max_value = 1.125, .rate = 0.5))  \
    CASE(train_decay, gt_SGD(0.25, .momentum = 0.875, .weight_decay = 0.125, .clipnorm = 0.5),     \
         .kernel_constraint = gt_MaxNorm(0.75), .bias_constraint = gt_NonNeg())                    \
    CASE(train_adam, gt_Adam(0.125, .beta_1 = 0.875, .beta_2 = 0.96875, .epsilon = 0x1p-20),       \
         .kernel_constraint = gt_MaxNorm(0.75), .bias_constraint = gt_NonNeg())                    \
    /* penalties */                                                                                \
    CASE(train_l1, gt_SGD(0.25, .momentum = 0.875), .kernel_regularizer = gt_L1(0.125),            \
         .bias_regularizer = gt_L1(0.25))                                                          \
    CASE(train_l2, gt_SGD(0.25, .momentum = 0.875, .nesterov = true),                              \
         .kernel_regularizer = gt_L2(0.125), .bias_regularizer = gt_L2(0.5))                       \
    CASE(train_l1_l2, gt_Adam(0.125, .beta_1 = 0.875, .beta_2 = 0.96875, .epsilon = 0x1p-20),      \
         .kernel_regularizer = gt_L1L2(.l1 = 0.125, .l2 = 0.25))                                   \
    CASE(train_orthogonal_regularizer_rows, gt_SGD(0.25, .momentum = 0.875),                                   \
         .kernel_regularizer = gt_OrthogonalRegularizer(0.125))                                    \
    CASE(train_orthogonal_regularizer_columns, gt_SGD(0.25, .momentum = 0.875),                                \
         .kernel_regularizer =                                                                     \
             gt_OrthogonalRegularizer(0.125, .mode = GT_ORTHOGONALITY_COLUMNS))                  \
    CASE(train_activity, gt_SGD(0.25, .momentum = 0.875), .kernel_regularizer = gt_L2(0.125),      \
         .activity_regularizer = gt_L1L2(.l1 = 0.125, .l2 = 0.25))                                 \
    CASE(train_both, gt_SGD(0.25, .momentum = 0.875),                                              \
         .kernel_constraint = gt_MinMaxNorm(.min_value = 0.5, .max_value = 1.25, .rate = 0.75),    \
         .bias_constraint = gt_UnitNorm(), .kernel_regularizer = gt_L2(0.25),                      \
         .bias_regularizer = gt_L1(0.25))

typedef struct Training {
    gt_Layer *dense;
    gt_Optimizer *optimizer;
    gt_Tensor *x, *y;
} Training;

static gt_Variable *weight_of(const Training *training, int i)
{
    return gt_variables(training->dense).items[i];
}

static Training training_of(const gt_TensorFile *file, gt_Optimizer *optimizer, gt_Layer *dense)
{
    Training training = {.dense = dense,
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
    gt_minimize(training->optimizer, tape, gt_total_loss(training->dense, gt_mean(gt_square(off))),
                gt_trainable_variables(training->dense));
    gt_tape_end(tape);
    return gt_status();
}

static gt_Tensor *row(gt_Tensor *x, int i)
{
    return gt_take(x, gt_scalar(i, GT_INT64), .axis = 0);
}

static void training_agrees(const gt_TensorFile *file, const char *name, bool planned,
                            gt_Optimizer *optimizer, gt_Layer *dense)
{
    gt_Scope *scope = gt_scope_begin();
    Training training = training_of(file, optimizer, dense);
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

/* Every class of both kinds has a training of its name. */
static void every_class_is_trained(void)
{
#define CASE(name, ...) #name,
    const char *const trainings[] = {TRAININGS(CASE)};
#undef CASE
    int constraints, regularizers;
    const gt_ConstraintClass *const *constraint = gt_constraint_classes(&constraints);
    const gt_RegularizerClass *const *regularizer = gt_regularizer_classes(&regularizers);
    cr_assert(constraints >= 4 && regularizers >= 4);
    for (int i = 0; i < constraints + regularizers; i++) {
        const char *name = i < constraints ? constraint[i]->name : regularizer[i - constraints]->name;
        bool found = false;
        for (size_t k = 0; k < sizeof trainings / sizeof *trainings; k++)
            found |= strncmp(trainings[k] + strlen("train_"), name, strlen(name)) == 0;
        cr_assert(found, "%s is trained by none", name);
    }
}

Test(constraints, weights_with_constraints_are_trained_as_in_keras)
{
    every_class_is_trained();
    gt_TensorFile *file = open_oracle();
    for (int planned = 0; planned < 2; planned++) {
#define CASE(name, optimizer, ...)                                                                 \
    training_agrees(file, #name, planned, optimizer, gt_Dense(3, __VA_ARGS__));
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

Test(constraints, in_fit)
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
Test(constraints, a_step_whose_constraint_fails_changes_nothing)
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
Test(constraints, views_of_a_constrained_variable)
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
Test(constraints, which_variables_are_projected)
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
Test(constraints, leave_no_memory)
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
Test(constraints, are_facts_of_a_plan)
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
Test(constraints, a_step_without_memory_changes_nothing)
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

/* ---- bad input ---- */

static void constrain_fails(gt_Constraint constraint, const char *text)
{
    cr_assert_null(gt_constrain(constraint, gt_array(gt_shape(2, 2), 1, 2, 3, 4)));
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

Test(constraints, bad_input)
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
    const gt_ConstraintClass too_large = {.mark = GT_MARK,
                                          .size = sizeof too_large,
                                          .name = "too_large",
                                          .options = &large,
                                          .constrain =
                                              gt_constraint_class_find("non_neg")->constrain};
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
