/* What users of Keras do wrong with layers, or expect of them in passing (contract.txt, sections 1 and
 * 5), where no other test has it: each mistake gets the error that says what to do. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
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

/* One layer for all of them: what its functions do is asked by its fields. */
typedef struct Own {
    gt_Layer base;
    gt_Layer *hidden; /* a layer that it calls and never registered */
    const char *weight, *again;
    gt_Shape shape;
    gt_DType dtype;
    bool in_call, nothing, fails, adds_loss;
    gt_Variable *made;
} Own;

static gt_Status own_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Own *self = (Own *)layer;
    (void)in;
    if (self->weight && !self->in_call)
        self->made = gt_add_weight(layer, self->weight, self->shape, .dtype = self->dtype);
    if (self->again)
        gt_add_weight(layer, self->again, self->shape);
    return gt_status();
}

static gt_Tensor *own_call(gt_Layer *layer, const gt_CallArgs *in)
{
    Own *self = (Own *)layer;
    if (self->in_call)
        self->made = gt_add_weight(layer, self->weight, self->shape);
    if (self->adds_loss)
        gt_add_loss(layer, gt_sum(in->x));
    if (self->fails)
        gt_fail(GT_INVALID, "it was asked to fail");
    if (self->nothing)
        return NULL;
    return self->hidden ? gt_call(self->hidden, in->x) : gt_identity(in->x);
}

static const gt_LayerClass own_class = {.size = sizeof(gt_LayerClass),
                                        .name = "own",
                                        .instance = sizeof(Own),
                                        .build = own_build,
                                        .call = own_call};
#define OWN(...) gt_layer_new(&own_class, &(Own){.dtype = GT_DTYPE_NONE, __VA_ARGS__})

static gt_Tensor *some_x(void)
{
    return gt_array(gt_shape(2, 3), 1, -2, 3, -4, 5, -6);
}

/* 5.1: variables made in `call` fail at the very first one, and nothing is left of them. */
Test(mistakes, variables_made_in_call)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = some_x();
    int64_t variables = gt_memory_stats().variables;
    gt_Layer *layer = OWN(.weight = "late", .shape = gt_shape(3), .in_call = true);
    for (int i = 0; i < 2; i++) {
        cr_assert_null(gt_call(layer, x));
        fails(GT_STATE, "move this to the layer's build function");
    }
    cr_assert_eq(gt_memory_stats().variables, variables);
    cr_assert_eq(gt_variables(layer).count, 0);
    gt_error_clear();
    gt_layer_free(layer);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* 5.8: a layer that is kept in a struct and called, but not registered, would never be trained. */
Test(mistakes, layers_that_nobody_registered)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *hidden = gt_Dense(2), *layer = OWN(.hidden = hidden);
    cr_assert_null(gt_call(layer, some_x()));
    fails(GT_STATE, "gt_add_child");
    gt_layer_free(layer);
    gt_layer_free(hidden);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Shapes, names and dtypes of weights. */
Test(mistakes, weights_that_cannot_be)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = some_x();
    gt_Layer *layer = OWN(.weight = "w", .shape = gt_shape(2, -1));
    cr_assert_null(gt_call(layer, x));
    fails(GT_INVALID, "(2, -1)");
    cr_assert(!gt_layer_built(layer));
    gt_layer_free(layer);
    layer = OWN(.weight = "w", .again = "w", .shape = gt_shape(2));
    cr_assert_null(gt_call(layer, x));
    fails(GT_INVALID, "\"w\"");
    gt_layer_free(layer);
    layer = OWN(.weight = "a/b", .shape = gt_shape(2));
    cr_assert_null(gt_call(layer, x));
    fails(GT_INVALID, "without '/'");
    gt_layer_free(layer);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Without an initializer floats start as glorot_uniform has it, integers at 0. */
Test(mistakes, first_numbers_of_weights)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer = OWN(.weight = "w", .shape = gt_shape(40, 60));
    gt_call(layer, some_x());
    ok("floats");
    const gt_Variable *w = ((Own *)layer)->made;
    double limit = sqrt(6.0 / 100), sum = 0, largest = 0;
    for (int64_t i = 0; i < gt_size(w); i++) {
        sum += gt_element(w, i) * gt_element(w, i);
        largest = fmax(largest, fabs(gt_element(w, i)));
    }
    cr_assert(largest <= limit && largest > 0.99 * limit &&
                  fabs(sum / 2400 - limit * limit / 3) < 1e-3,
              "largest %g, mean square %g", largest, sum / 2400);
    gt_layer_free(layer);
    layer = OWN(.weight = "n", .shape = gt_shape(4), .dtype = GT_INT32);
    gt_call(layer, some_x());
    ok("integers");
    w = ((Own *)layer)->made;
    for (int64_t i = 0; i < 4; i++)
        cr_assert_eq(gt_element(w, i), 0);
    cr_assert(gt_dtype(w) == GT_INT32 && gt_trainable_variables(layer).count == 0,
              "integers are never trained");
    gt_layer_free(layer);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Made with .trainable = false, a layer has nothing to train and no penalty; it can be thawed. */
Test(mistakes, made_frozen)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *frozen = gt_Dense(2, .trainable = false, .kernel_regularizer = gt_L2(1));
    gt_Layer *model = gt_Sequential(gt_Dense(3), frozen);
    gt_call(model, some_x());
    cr_assert(gt_trainable_variables(model).count == 2 &&
              gt_trainable_variables(frozen).count == 0);
    cr_assert(gt_non_trainable_variables(model).count == 2 && gt_weights(model).count == 4);
    cr_assert_eq(gt_item(gt_total_loss(model, gt_scalar(0, GT_FLOAT32))), 0);
    gt_set_trainable(frozen, true);
    cr_assert_eq(gt_trainable_variables(model).count, 4);
    cr_assert_gt(gt_item(gt_total_loss(model, gt_scalar(0, GT_FLOAT32))), 0);
    ok("frozen");
    gt_layer_free(model);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Losses are those of the last call alone, also after one that failed. */
Test(mistakes, losses_of_one_call)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = some_x(), *zero = gt_scalar(0, GT_FLOAT32);
    gt_Layer *layer = OWN(.adds_loss = true);
    Own *self = (Own *)layer;
    for (int i = 0; i < 3; i++) {
        gt_call(layer, x);
        cr_assert_eq(gt_item(gt_total_loss(layer, zero)), -3);
    }
    self->fails = true;
    cr_assert_null(gt_call(layer, x));
    fails(GT_INVALID, "it was asked to fail");
    self->fails = false;
    gt_call(layer, x);
    cr_assert_eq(gt_item(gt_total_loss(layer, zero)), -3);
    self->adds_loss = false;
    gt_call(layer, x);
    cr_assert_eq(gt_item(gt_total_loss(layer, zero)), 0);
    gt_add_loss(layer, zero);
    fails(GT_STATE, "add_loss");
    gt_layer_free(layer);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A `call` that gives nothing and raises nothing is an error with the layer's path. */
Test(mistakes, call_gives_nothing)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = gt_Sequential(gt_Dense(2), OWN(.nothing = true));
    cr_assert_null(gt_call(model, some_x()));
    fails(GT_STATE, "sequential/own");
    gt_layer_free(model);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Names of inputs cannot be guessed, so the error has them. A class that says nothing of its inputs has one. */
Test(mistakes, inputs_that_there_are_not)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = some_x(), *steps = gt_zeros(gt_shape(2, 3, 4));
    gt_Layer *lstm = gt_LSTM(3), *own = OWN(.nothing = false);
    gt_call(lstm, steps, .named = gt_named({"initial_state", x}));
    fails(GT_INVALID, "lstm: it has no input \"initial_state\"; it has sequences, initial_h, initial_c");
    gt_call(own, x, .more = gt_tensors(x));
    fails(GT_INVALID, "own: it accepts 1 input (got 2); a class names what it accepts in .ports");
    gt_call(lstm, steps, .more = gt_tensors(x, x, x));
    fails(GT_INVALID, "lstm: it accepts 3 inputs (got 4)");
    cr_assert(isnan(gt_element(x, 6)));
    fails(GT_INVALID, "element: index 6 is out of range: the tensor has 6 elements");
    gt_layer_free(lstm), gt_layer_free(own);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

static void trained_with(gt_Loss loss, gt_Tensor *labels, const char *warning)
{
    gt_Layer *model = gt_Sequential(gt_Dense(1, .activation = gt_softmax));
    gt_Dataset *data = gt_dataset_from_tensors(some_x(), labels);
    gt_compile(model, .optimizer = gt_SGD(0.1), .loss = loss);
    gt_history_free(gt_fit(model, data, .verbose = GT_VERBOSITY_SILENT));
    ok("fit");
    cr_assert(gt_warnings().count == 1, "%d warnings", gt_warnings().count);
    cr_assert(strstr(gt_warnings().items[0], warning), "%s", gt_warnings().items[0]);
    gt_warnings_clear();
    gt_layer_free(model);
    gt_dataset_free(data);
}

/* A softmax over one unit, where a sigmoid was meant, trains nothing: a warning, as in Keras. */
Test(mistakes, softmax_of_one_unit)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *yes = gt_array(gt_shape(2, 1), 1, 0), *scores = gt_zeros(gt_shape(2, 1));
    trained_with(gt_BinaryCrossentropy(), yes, "y_pred has one class, whose probability is always 1");
    trained_with(gt_CategoricalCrossentropy(), yes, "categorical_crossentropy: y_pred has one class");
    trained_with(gt_SparseCategoricalCrossentropy(), gt_zeros(gt_shape(2), .dtype = GT_INT32), "gt_binary_crossentropy");
    gt_binary_crossentropy(yes, gt_sigmoid(scores));
    gt_binary_crossentropy(gt_zeros(gt_shape(2, 2)), gt_softmax(gt_zeros(gt_shape(2, 2))));
    ok("losses");
    cr_assert(gt_warnings().count == 0, "%s", gt_warnings().items[0]);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A summary before the first call says that the model is not built. */
Test(mistakes, summary_before_the_first_call)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = gt_Sequential(gt_Dense(2), OWN(.nothing = false));
    const char *summary = gt_summary(model);
    cr_assert(summary && strstr(summary, "unbuilt") && strstr(summary, "?"), "%s",
              summary ? summary : gt_error_message());
    gt_call(model, some_x());
    summary = gt_summary(model);
    cr_assert(summary && !strstr(summary, "unbuilt"), "%s", summary ? summary : gt_error_message());
    gt_layer_free(model);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}
