/* The classic mistakes. Elsewhere they train nothing, or the wrong thing, without a word; here each
 * is an error at the place where it is made. This program makes them all and prints what comes
 * back. */
#include <gradtape.h>

#include <stdio.h>

static int errors;

/* Prints the error that a mistake left, and forgets it. */
static void show(const char *mistake)
{
    printf("%s\n    %s\n", mistake, gt_error_message());
    errors += gt_status() != GT_OK;
    gt_error_clear();
}

/* ---- a variable made in call ---- */

typedef struct {
    gt_Layer base;
    gt_Variable *kernel;
} Forgetful;

static gt_Tensor *forgetful_call(gt_Layer *layer, const gt_CallArgs *in)
{
    Forgetful *self = (Forgetful *)layer;
    self->kernel = gt_add_weight(layer, "kernel", gt_shape(gt_last(gt_tensor_shape(in->x)), 4));
    return gt_matmul(in->x, self->kernel);
}

static const gt_LayerClass forgetful_class = {
    .size = sizeof(gt_LayerClass),
    .name = "forgetful",
    .instance = sizeof(Forgetful),
    .call = forgetful_call,
};

/* ---- a child that was never registered ---- */

typedef struct {
    gt_Layer base;
    gt_Layer *inner;
} Careless;

static gt_Tensor *careless_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return gt_call(((Careless *)layer)->inner, in->x);
}

static const gt_LayerClass careless_class = {
    .size = sizeof(gt_LayerClass),
    .name = "careless",
    .instance = sizeof(Careless),
    .call = careless_call,
};

int main(void)
{
    gt_Tensor *x = gt_uniform(gt_shape(8, 3));

    gt_Layer *forgetful = gt_layer_new(&forgetful_class, NULL);
    gt_call(forgetful, x);
    show("a variable is made in call, at every call a new one");

    gt_Layer *careless = gt_layer_new(&careless_class, &(Careless){.inner = gt_Dense(4)});
    gt_call(careless, x);
    show("a layer calls another one that it never registered");

    gt_Layer *model = gt_Sequential(gt_Dense(8, .activation = gt_relu), gt_Dense(1));
    gt_Optimizer *adam = gt_Adam(1e-3);
    gt_Tensor *outside = gt_mean(gt_call(model, x));
    gt_Tape *tape = gt_tape_begin();
    gt_minimize(adam, tape, outside, gt_trainable_variables(model));
    gt_tape_end(tape);
    show("the loss was computed before the tape began");

    tape = gt_tape_begin();
    gt_minimize(adam, tape, gt_square(gt_call(model, x)), gt_trainable_variables(model));
    gt_tape_end(tape);
    show("the loss is not a scalar");

    tape = gt_tape_begin();
    gt_Tensor *loss = gt_mean(gt_square(gt_call(model, x)));
    gt_minimize(adam, tape, loss, gt_trainable_variables(model));
    gt_tape_end(tape);
    gt_Layer *other = gt_Sequential(gt_Dense(1));
    tape = gt_tape_begin();
    loss = gt_mean(gt_square(gt_call(other, x)));
    gt_minimize(adam, tape, loss, gt_trainable_variables(other));
    gt_tape_end(tape);
    show("an optimizer with the state of one model is given another");

    gt_Tensor *counts = gt_cast(x, GT_INT32);
    tape = gt_tape_begin();
    gt_watch(tape, counts);
    gt_tape_end(tape);
    show("a tensor of integers is watched");

    gt_Tensor *labels = gt_full(gt_shape(8), 1);
    gt_mean_squared_error(labels, gt_call(model, x));
    show("labels of shape (8,) meet predictions of shape (8, 1)");

    gt_Tensor *probabilities = gt_softmax(gt_uniform(gt_shape(8, 4)));
    gt_Tensor *classes = gt_cast(labels, GT_INT32);
    gt_sparse_categorical_crossentropy(classes, probabilities, .from_logits = true);
    show("from_logits, but these are probabilities");

    gt_add(x, gt_cast(x, GT_FLOAT64));
    show("float32 meets float64");

    tape = gt_tape_begin();
    gt_Variable *weight = gt_variable(gt_scalar(2, GT_FLOAT32), .name = "weight");
    gt_Tensor *rounded = gt_multiply(gt_round(weight), 3);
    gt_gradient(tape, rounded, weight);
    gt_tape_end(tape);
    show("a gradient is asked through something that has none");

    tape = gt_tape_begin();
    gt_Tensor *y = gt_square(weight);
    gt_gradient(tape, y, weight);
    gt_gradient(tape, y, weight);
    gt_tape_end(tape);
    show("a tape that is not persistent is asked twice");

    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *gone = gt_square(x);
    gt_scope_end(scope);
    gt_add(x, gone);
    show("a tensor is used after its scope");

    gt_matmul(gt_add(x, 1), gt_uniform(gt_shape(4, 2)));
    show("shapes do not fit, in the middle of an expression");

    gt_Layer *broken = gt_Sequential(gt_Dense(16), gt_Dense(0), gt_Dense(4));
    show("one layer of a model cannot be made");

    gt_Layer *freed = gt_Dense(4);
    gt_layer_free(freed);
    gt_call(freed, x);
    show("a freed layer is called");

    printf("%d mistakes, every one an error\n", errors);
    gt_context_free(NULL);
    return errors == 15 && !broken ? 0 : 1;
}
