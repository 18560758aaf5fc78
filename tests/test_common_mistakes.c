/* The 25 mistakes that users of Keras and TensorFlow make most often (contract.txt, section 5), each made here on purpose: it is
 * impossible, gets an error that says what to do, or turns out harmless. In their order; the number of them is printed. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include "layer_mistakes.h"
#include "train/internal.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

static gt_Tensor *some_x(void)
{
    return gt_array(gt_shape(3, 2), 1, -2, 0.5, 3, -1, 4);
}

static gt_Tensor *number(double value)
{
    return gt_scalar(value, GT_FLOAT32);
}

static const char *file_name(void)
{
    static char path[100];
    snprintf(path, sizeof path, "/tmp/gradtape-common-mistakes-%d", (int)getpid());
    return path;
}

/* A layer of one's own that does one thing wrong. */
typedef struct Wrong {
    gt_Layer base;
    bool makes_weight;
    gt_Layer *hidden; /* called, and never registered */
} Wrong;

static gt_Tensor *wrong_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const Wrong *self = (const Wrong *)layer;
    if (self->makes_weight)
        gt_add_weight(layer, "late", gt_shape(2));
    return self->hidden ? gt_call(self->hidden, in->x) : gt_identity(in->x);
}

static const gt_LayerClass wrong_class = {
    .size = sizeof(gt_LayerClass), .name = "wrong", .instance = sizeof(Wrong), .call = wrong_call};

static void variables_made_in_call(void)
{
    gt_Layer *layer = gt_layer_new(&wrong_class, &(Wrong){.makes_weight = true});
    cr_assert(!gt_call(layer, some_x()) && gt_weights(layer).count == 0);
    fails(GT_STATE, "move this to the layer's build function");
    gt_layer_free(layer);
}

static void a_variable_that_is_no_part_of_the_loss(void)
{
    gt_Variable *used = gt_variable(number(2), .name = "used"),
                *other = gt_variable(number(3), .name = "other");
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *loss = gt_square(used);
    gt_multiply(other, 2);
    cr_assert(!gt_gradient(tape, loss, other));
    fails(GT_NO_GRADIENT, "not computed from variable other");
    cr_assert(strstr(gt_explain_gradient(tape, loss, other), "not computed from variable other"));
    gt_Tensor *g = gt_gradient(tape, loss, other, .unconnected = GT_UNCONNECTED_ZERO);
    cr_assert(g && gt_item(g) == 0, "zeros are given to who asks for them");
    gt_tape_end(tape);
    gt_variable_free(used), gt_variable_free(other);
}

static void all_variables_where_trainable_ones_are_meant(void)
{
    gt_Layer *model = gt_Sequential(gt_Dense(2), gt_BatchNormalization());
    gt_Optimizer *sgd = gt_SGD(0.1);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_mean(gt_square(gt_call(model, some_x(), .training = true)));
    gt_minimize(sgd, tape, loss, gt_weights(model));
    fails(GT_INVALID, "is not trainable");
    gt_tape_end(tape);
    gt_optimizer_free(sgd);
    gt_layer_free(model);
}

static void numbers_that_leave_the_library(void)
{
    gt_Variable *w = gt_variable(some_x());
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *y = gt_square(w), *back = gt_from_data(gt_data(y), gt_shape(3, 2), GT_FLOAT32);
    gt_Tensor *loss = gt_sum(back), *steps = gt_sum(gt_cast(gt_cast(y, GT_INT32), GT_FLOAT32));
    cr_assert(!gt_gradient(tape, loss, w));
    fails(GT_NO_GRADIENT, "the target was not computed while this tape recorded");
    cr_assert(!gt_gradient(tape, steps, w));
    fails(GT_NO_GRADIENT, "cast at");
    gt_watch(tape, gt_cast(y, GT_INT32));
    fails(GT_INVALID, "int32");
    gt_tape_end(tape);
    gt_variable_free(w);
}

static void a_loss_that_the_tape_did_not_record(void)
{
    gt_Layer *model = gt_Dense(1);
    gt_Optimizer *sgd = gt_SGD(0.1);
    gt_Tensor *loss = gt_mean(gt_square(gt_call(model, some_x())));
    gt_Tape *tape = gt_tape_begin();
    gt_minimize(sgd, tape, loss, gt_trainable_variables(model));
    fails(GT_NO_GRADIENT, "was not computed while this tape recorded");
    gt_tape_end(tape);
    gt_optimizer_free(sgd);
    gt_layer_free(model);
}

/* `v = gt_add(v, 1)` gives v's place to a tensor: the optimizer says so. Assigning keeps the old value for who read it. */
static void assigning_in_the_tape(void)
{
    gt_Variable *v = gt_variable(number(3));
    gt_Optimizer *sgd = gt_SGD(0.1);
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *y = gt_square(v);
    gt_assign(v, number(5));
    cr_assert(gt_item(gt_gradient(tape, y, v)) == 6 && gt_item(v) == 5, "%s", gt_error_message());
    gt_Tensor *replaced = gt_add(v, 1);
    gt_minimize(sgd, tape, gt_square(replaced), gt_tensors(replaced));
    fails(GT_INVALID, "expected a variable (got a tensor)");
    gt_tape_end(tape);
    gt_optimizer_free(sgd);
    gt_variable_free(v);
}

/* A bare call infers, children do as the layer around them, fit trains. */
static void training_not_given(void)
{
    gt_Layer *model = gt_Sequential(gt_Sequential(gt_Dropout(0.5, .seed = 1)),
                                    gt_BatchNormalization(.momentum = 0.5));
    gt_Tensor *x = some_x(), *y = gt_call(model, x), *z = gt_call(model, x, .training = true);
    cr_assert(y && z, "%s", gt_error_message());
    cr_assert(fabs(gt_element(y, 3) - 3 / sqrt(1.001)) < 1e-6,
              "neither dropped nor normalized by the batch");
    cr_assert(fabs(gt_element(z, 3) - gt_element(y, 3)) > 1e-3);
    gt_layer_free(model);
}

static void layers_that_nobody_tracks(void)
{
    gt_Layer *hidden = gt_Dense(2);
    gt_Layer *layer = gt_layer_new(&wrong_class, &(Wrong){.hidden = hidden});
    cr_assert(!gt_call(layer, some_x()));
    fails(GT_STATE, "use gt_add_child when wrong is made");
    gt_layer_free(layer), gt_layer_free(hidden);
}

static void nested_containers(void)
{
    gt_Layer *model =
        gt_Sequential(gt_Dense(2), gt_Sequential(gt_Dense(2), gt_Dense(2)), gt_Dense(2));
    static const char *const paths[] = {"dense/kernel",
                                        "dense/bias",
                                        "sequential/dense/kernel",
                                        "sequential/dense/bias",
                                        "sequential/dense_1/kernel",
                                        "sequential/dense_1/bias",
                                        "dense_1/kernel",
                                        "dense_1/bias"};
    gt_call(model, some_x());
    gt_Tensors weights = gt_weights(model);
    cr_assert_eq(weights.count, 8);
    for (int i = 0; i < 8; i++)
        cr_assert_str_eq(gt_variable_path(model, weights.items[i]), paths[i]);
    gt_layer_free(model);
    not_made(gt_Sequential(gt_Dense(2, .name = "a"), gt_Dense(2, .name = "a")),
             "names are unique in a container");
}

static void state_added_after_build(void)
{
    gt_Layer *layer = gt_layer_new(&wrong_class, &(Wrong){.makes_weight = false});
    gt_call(layer, some_x());
    gt_add_child(layer, gt_Dense(2));
    fails(GT_STATE, "is built already; register its children when it is made");
    gt_add_weight(layer, "w", gt_shape(2));
    fails(GT_STATE, "move this to the layer's build function");
    gt_layer_free(layer);
}

static void an_optimizer_that_meets_unknown_variables(void)
{
    gt_Layer *one = gt_Dense(1, .name = "one"), *two = gt_Dense(1, .name = "two");
    gt_Optimizer *adam = gt_Adam(0.1);
    for (int i = 0; i < 2; i++) {
        gt_Tape *tape = gt_tape_begin();
        gt_Layer *model = i ? two : one;
        gt_Tensor *loss = gt_mean(gt_square(gt_call(model, some_x())));
        gt_minimize(adam, tape, loss, gt_trainable_variables(model));
        if (i)
            fails(GT_INVALID, "is not one that optimizer adam was built with");
        gt_tape_end(tape);
    }
    gt_optimizer_free(adam);
    gt_layer_free(one), gt_layer_free(two);
}

static void train_a_step(gt_Layer *model, gt_Optimizer *optimizer)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss =
        gt_mean(gt_square(gt_subtract(gt_call(model, some_x(), .training = true), 1)));
    gt_minimize(optimizer, tape, loss, gt_trainable_variables(model));
    gt_tape_end(tape);
}

/* Loaded into an optimizer that has not run yet, the state goes on; into another kind of optimizer it is an error. */
static void optimizer_state_that_is_not_restored(void)
{
    gt_Layer *model = gt_Dense(1), *again = gt_Dense(1);
    gt_Optimizer *adam = gt_Adam(0.1), *fresh = gt_Adam(0.1), *other = gt_SGD(0.1, .momentum = 0.5);
    train_a_step(model, adam);
    cr_assert(gt_save_checkpoint(file_name(), model, .optimizer = adam) == GT_OK, "%s",
              gt_error_message());
    gt_call(again, some_x());
    cr_assert(gt_load_checkpoint(file_name(), again, .optimizer = fresh) == GT_OK, "%s",
              gt_error_message());
    for (int i = 0; i < 3; i++)
        train_a_step(model, adam), train_a_step(again, fresh);
    for (int i = 0; i < 2; i++)
        cr_assert(gt_element(gt_weights(model).items[i], 0) ==
                  gt_element(gt_weights(again).items[i], 0));
    gt_load_checkpoint(file_name(), again, .optimizer = other);
    cr_assert(gt_status() != GT_OK, "Adam's state in SGD");
    gt_error_clear();
    remove(file_name());
    gt_optimizer_free(adam), gt_optimizer_free(fresh), gt_optimizer_free(other);
    gt_layer_free(model), gt_layer_free(again);
}

/* The order is that of making, whatever is frozen; all is checked before anything is written. */
static void weights_in_another_order(void)
{
    gt_Layer *model = gt_Sequential(gt_Dense(2), gt_BatchNormalization(), gt_Dense(1));
    gt_call(model, some_x());
    gt_Tensors weights = gt_weights(model);
    cr_assert_eq(weights.count, 8);
    gt_Tensor *before[8], *values[8];
    for (int i = 0; i < 8; i++) {
        before[i] = weights.items[i];
        values[i] = gt_full(gt_tensor_shape(before[i]), 7);
    }
    gt_set_trainable(gt_get_layer(model, 0), false);
    weights = gt_weights(model);
    for (int i = 0; i < 8; i++)
        cr_assert(weights.items[i] == before[i], "freezing changes the order of weight %d", i);
    values[6] = gt_full(gt_shape(1, 2), 7);
    gt_set_weights(model, ((gt_Tensors){values, 8}));
    fails(GT_INVALID, "weight 6, dense_1/kernel, must be float32 (2, 1) (got float32 (1, 2))");
    gt_set_weights(model, ((gt_Tensors){values, 4}));
    fails(GT_INVALID, "has 8 weights (got 4 tensors)");
    cr_assert(gt_element(before[0], 0) != 7, "nothing is written");
    gt_layer_free(model);
}

static void from_logits_that_does_not_fit(void)
{
    gt_Tensor *scores = some_x(), *labels = gt_cast(gt_array(gt_shape(3), 0, 1, 1), GT_INT32);
    gt_Tensor *p = gt_softmax(scores);
    gt_sparse_categorical_crossentropy(labels, p, .from_logits = true);
    fails(GT_INVALID, "from_logits = true, but y_pred is the output of softmax");
    gt_sparse_categorical_crossentropy(labels, scores, .from_logits = false);
    cr_assert(gt_status() == GT_INVALID, "scores are no probabilities");
    gt_error_clear();
    cr_assert(gt_sparse_categorical_crossentropy(labels, scores, .from_logits = true) &&
              gt_sparse_categorical_crossentropy(labels, p, .from_logits = false));
}

static void freezing_batch_normalization(void)
{
    gt_Layer *layer = gt_BatchNormalization(.momentum = 0.5);
    gt_Tensor *x = some_x();
    gt_call(layer, x, .training = true);
    double mean = gt_element(gt_weights(layer).items[2], 0);
    gt_set_trainable(layer, false);
    gt_Tensor *trained = gt_call(layer, x, .training = true), *inferred = gt_call(layer, x);
    cr_assert(mean != 0 && gt_element(gt_weights(layer).items[2], 0) == mean, "statistics stay");
    for (int i = 0; i < 6; i++)
        cr_assert(gt_element(trained, i) == gt_element(inferred, i), "a frozen one infers");
    gt_layer_free(layer);
}

static void a_second_gradient(void)
{
    gt_Variable *v = gt_variable(number(3));
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_square(v);
    gt_gradient(tape, y, v);
    cr_assert(!gt_gradient(tape, y, v));
    fails(GT_STATE, "persistent");
    gt_tape_end(tape);
    gt_variable_free(v);
}

static void trainable_changed_after_compile(void)
{
    gt_Layer *model = gt_Sequential(gt_Dense(2), gt_Dense(1));
    gt_Dataset *data = gt_dataset_from_tensors(some_x(), gt_zeros(gt_shape(3, 1)), .batch_size = 3);
    gt_compile(model, .optimizer = gt_SGD(0.1), .loss = gt_MeanSquaredError());
    gt_history_free(gt_fit(model, data, .verbose = GT_VERBOSITY_SILENT));
    double first = gt_element(gt_weights(model).items[0], 0),
           last = gt_element(gt_weights(model).items[2], 0);
    gt_set_trainable(gt_get_layer(model, 0), false);
    gt_history_free(gt_fit(model, data, .verbose = GT_VERBOSITY_SILENT));
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    cr_assert(gt_element(gt_weights(model).items[0], 0) == first, "frozen at the next step");
    cr_assert(gt_element(gt_weights(model).items[2], 0) != last);
    gt_dataset_free(data);
    gt_layer_free(model);
}

static void penalties_forgotten(void)
{
    gt_Layer *model = gt_Sequential(gt_Dense(2, .kernel_regularizer = gt_L2(0.5)),
                                    gt_ActivityRegularization(.l1 = 1));
    gt_Tensor *y = gt_call(model, some_x()), *loss = gt_mean(y),
              *total = gt_total_loss(model, loss);
    gt_Tensor *kernel = gt_weights(model).items[0];
    double right =
        gt_item(loss) + 0.5 * gt_item(gt_sum(gt_square(kernel))) + gt_item(gt_sum(gt_abs(y))) / 3;
    cr_assert(total && fabs(gt_item(total) - right) < 1e-5, "%g, not %g", gt_item(total), right);
    gt_layer_free(model);
}

static void one_seeded_initializer_for_two_weights(void)
{
    const gt_Initializer shared = gt_GlorotUniform(.seed = 3);
    gt_Layer *model = gt_Sequential(gt_Dense(2, .kernel_initializer = shared),
                                    gt_Dense(2, .kernel_initializer = shared));
    gt_call(model, some_x());
    cr_assert(gt_element(gt_weights(model).items[0], 0) !=
              gt_element(gt_weights(model).items[2], 0));
    gt_layer_free(model);
}

/* gt_check_numerics names the operation whose gradient is not finite; the safe forms have one that is. */
static void nan_gradients(void)
{
    gt_Tensor *zero = gt_zeros(gt_shape(2));
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_watch(tape, zero);
    gt_Tensor *const targets[] = {
        gt_normalize(zero), gt_divide_no_nan(gt_ones(gt_shape(2)), zero),
        gt_where(gt_greater(zero, 0), gt_sqrt(gt_maximum(zero, 1e-12)), zero)};
    for (int i = 0; i < 3; i++) {
        gt_Tensor *g = targets[i] ? gt_gradient(tape, targets[i], zero) : NULL;
        cr_assert(g && isfinite(gt_element(g, 0)), "%d: %s", i, gt_error_message());
    }
    gt_check_numerics(true);
    gt_Tensor *root = gt_sqrt(zero);
    cr_assert(!gt_gradient(tape, root, zero));
    fails(GT_NUMERIC, "is infinite, in the gradient of sqrt");
    gt_check_numerics(false);
    gt_tape_end(tape);
}

static void labels_against_predictions(void)
{
    gt_Tensor *labels = gt_array(gt_shape(3), 1, 2, 3), *column = gt_array(gt_shape(3, 1), 1, 2, 3);
    cr_assert(!gt_mean_squared_error(labels, column));
    cr_assert(gt_status() == GT_INVALID, "(3,) against (3, 1) in a function");
    gt_error_clear();
    const gt_Loss squares = gt_MeanSquaredError();
    gt_Tensor *loss = gt_loss_compute(&squares, labels, column, NULL);
    cr_assert(loss && gt_item(loss) == 0, "in a class the labels are a column: %s",
              gt_error_message());
}

static void weights_of_another_build(void)
{
    gt_Layer *source = gt_Sequential(gt_Dense(2), gt_Dense(1)),
             *unbuilt = gt_Sequential(gt_Dense(2), gt_Dense(1));
    gt_Layer *fewer = gt_Sequential(gt_Dense(2));
    gt_call(source, some_x()), gt_call(fewer, some_x());
    cr_assert(gt_save_weights(source, file_name()) == GT_OK, "%s", gt_error_message());
    gt_load_weights(unbuilt, file_name());
    fails(GT_STATE, "is not built");
    gt_load_weights(fewer, file_name());
    fails(GT_INVALID, "dense_1/kernel");
    remove(file_name());
    gt_layer_free(source), gt_layer_free(unbuilt), gt_layer_free(fewer);
}

static void weights_tied_by_copying(void)
{
    gt_Layer *shared = gt_Dense(2), *model = gt_Sequential(shared, gt_Activation(gt_tanh), shared);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_sum(gt_call(model, some_x()));
    cr_assert(gt_weights(model).count == 2 && gt_count_params(model) == 6, "%s",
              gt_error_message());
    gt_Tensor *g = gt_gradient(tape, loss, gt_weights(model).items[1]);
    cr_assert(g && gt_element(g, 0) != 3, "the sum over both calls, not that of the last");
    gt_tape_end(tape);
    gt_layer_free(model);
}

static void metrics_that_are_never_reset(void)
{
    gt_Layer *model = gt_Dense(1);
    gt_Dataset *data = gt_dataset_from_tensors(some_x(), gt_zeros(gt_shape(3, 1)), .batch_size = 1);
    gt_compile(model, .optimizer = gt_SGD(0.), .loss = gt_MeanSquaredError(),
               .metrics = gt_metrics(gt_LossMetric(gt_MeanAbsoluteError(), .name = "mae")));
    gt_History *history = gt_fit(model, data, .epochs = 3, .verbose = GT_VERBOSITY_SILENT);
    cr_assert(history, "%s", gt_error_message());
    for (int epoch = 1; epoch < 3; epoch++)
        cr_assert(gt_history_get(history, "mae", epoch) == gt_history_get(history, "mae", 0),
                  "epochs begin anew");
    gt_history_free(history);
    gt_dataset_free(data);
    gt_layer_free(model);
}

static void memory_that_grows(void)
{
    gt_Layer *model = gt_Sequential(gt_Dense(4, .activation = gt_tanh), gt_Dense(1));
    gt_Optimizer *adam = gt_Adam(0.01);
    int64_t before = 0, records = 0;
    for (int i = 0; i < 1000; i++) {
        gt_Scope *scope = gt_scope_begin();
        train_a_step(model, adam);
        gt_scope_end(scope);
        if (i == 10)
            before = gt_memory_stats().bytes_in_use, records = gt_memory_stats().records;
    }
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    cr_assert(gt_memory_stats().bytes_in_use == before && gt_memory_stats().records == records);
    gt_optimizer_free(adam);
    gt_layer_free(model);
}

/* What is done, and what comes of it. */
#define MISTAKES_MADE(M)                                                                           \
    M(variables_made_in_call, "an error that says where they belong")                              \
    M(a_variable_that_is_no_part_of_the_loss, "an error that says why; zeros for who asks")        \
    M(all_variables_where_trainable_ones_are_meant, "an error")                                    \
    M(numbers_that_leave_the_library, "an error that names the place")                             \
    M(a_loss_that_the_tape_did_not_record, "an error")                                             \
    M(assigning_in_the_tape, "the old value counts; a tensor in a variable's place is an error")   \
    M(training_not_given, "inference, as the layer around, or as fit")                             \
    M(layers_that_nobody_tracks, "an error")                                                       \
    M(nested_containers, "paths are unique; a name twice is an error")                             \
    M(state_added_after_build, "an error")                                                         \
    M(an_optimizer_that_meets_unknown_variables, "an error that names them")                       \
    M(optimizer_state_that_is_not_restored, "it goes on; another kind's is an error")              \
    M(weights_in_another_order, "the order stays; an error, and nothing is written")               \
    M(from_logits_that_does_not_fit, "an error")                                                   \
    M(freezing_batch_normalization, "it infers, and its statistics stay")                          \
    M(a_second_gradient, "an error")                                                               \
    M(trainable_changed_after_compile, "it holds at the next step")                                \
    M(penalties_forgotten, "gt_total_loss has them; fit too")                                      \
    M(one_seeded_initializer_for_two_weights, "they differ")                                       \
    M(nan_gradients, "safe forms; gt_check_numerics names the operation")                          \
    M(labels_against_predictions, "an error; loss objects take a column")                          \
    M(weights_of_another_build, "an error that names the weight")                                  \
    M(weights_tied_by_copying, "one layer in two places is one")                                   \
    M(metrics_that_are_never_reset, "epochs begin anew")                                           \
    M(memory_that_grows, "flat over 1,000 steps")

#define MISTAKE(function, comes) {function, #function, comes},
static const struct {
    void (*make)(void);
    const char *text, *comes;
} mistakes[] = {MISTAKES_MADE(MISTAKE)};
#undef MISTAKE
enum { MISTAKES = sizeof mistakes / sizeof *mistakes };

Test(common_mistakes, all_of_them)
{
    int made = 0;
    for (; made < MISTAKES; made++) {
        gt_Scope *scope = gt_scope_begin();
        cr_assert(gt_status() == GT_OK);
        mistakes[made].make();
        cr_assert(gt_status() == GT_OK, "mistake %d: %s", made + 1, gt_error_message());
        fprintf(stderr, "%2d %s: %s\n", made + 1, mistakes[made].text, mistakes[made].comes);
        gt_scope_end(scope);
    }
    fprintf(stderr, "%d of 25 mistakes\n", made);
    cr_assert_eq(made, 25);
    gt_context_free(NULL);
    assert_no_leaks();
}
