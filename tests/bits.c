/* A program whose every bit counts, for tools/check-bits: trains a small network with dropout by Adam
 * for 50 steps, from a seed, and writes weights, optimizer state and losses to a file. Compilers evaluate
 * the arguments of a call in different orders, so a second model does all it can inside of arguments:
 * layers, tensors and functions are made there, layers are called, functional models drawn, losses added, bodies
 * capture what is around them. Two things are left out, which depend on that order (ops/math/random.h, layers/layer.h): two
 * draws from one generator, and the first numbers of two layers that are made and called by themselves,
 * in one expression.
 *
 * The gradients of its branches and loops may add up in another order eagerly than planned, in the
 * last bit, so it has a file of its own.
 *
 *     bits FILE eager|planned THREADS          writes FILE and FILE.arguments
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradtape.h"

enum { STEPS = 50, BATCH = 256, FEATURES = 96, CLASSES = 10, WEIGHTS = 200 };

typedef struct Run {
    gt_Layer *model;
    gt_Optimizer *adam;
} Run;

static gt_Status step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Run *run = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *logits = gt_call(run->model, in[0], .training = true);
    gt_Tensor *loss = gt_sparse_categorical_crossentropy(in[1], logits, .from_logits = true);
    gt_minimize(run->adam, tape, loss, gt_trainable_variables(run->model));
    out[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

/* ---- all of it in arguments ---- */

enum { ROUNDS = 20, WIDE = 8 };

/* Three branches that meet in one expression, each with a penalty, a draw and a nested layer. */
typedef struct Branches {
    gt_Layer base;
    gt_Layer *a, *b, *c;
} Branches;

static gt_Layer *branch(double l2)
{
    return gt_Sequential(
        gt_Dense(WIDE, .activation = gt_tanh, .activity_regularizer = gt_L2(l2)),
        gt_Sequential(gt_Dropout(0.25), gt_Dense(WIDE, .kernel_regularizer = gt_L1(l2 * 1e-3))));
}

static gt_Status branches_create(gt_Layer *layer)
{
    Branches *self = (Branches *)layer;
    self->a = gt_add_child(layer, branch(0.37));
    self->b = gt_add_child(layer, branch(1.71));
    self->c = gt_add_child(layer, branch(0.93));
    return gt_status();
}

static gt_Tensor *branches_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const Branches *self = (const Branches *)layer;
    return gt_add(gt_multiply(gt_call(self->a, in->x), gt_sin(gt_call(self->b, in->x))),
                  gt_multiply(gt_call(self->c, gt_add(in->x, gt_exp(in->x))), 0.5));
}

static const gt_LayerClass branches_class = {.size = sizeof(gt_LayerClass),
                                             .name = "branches",
                                             .instance = sizeof(Branches),
                                             .create = branches_create,
                                             .call = branches_call};

typedef struct Around {
    gt_Tensor *p, *q, *r;
    gt_Variable *v, *w;
} Around;

/* What the bodies read of what is around them, in one expression each. */
static gt_Status mixes(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Around *around = context;
    out[0] =
        gt_add(gt_multiply(gt_multiply(in[0], around->r), gt_sin(around->p)),
               gt_subtract(gt_multiply(around->q, around->w), gt_multiply(around->v, around->p)));
    return gt_status();
}

static gt_Status mixes_otherwise(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Around *around = context;
    out[0] = gt_subtract(gt_multiply(around->q, gt_cos(in[0])), gt_multiply(around->w, around->r));
    return gt_status();
}

static gt_Status round_of(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *y;
    mixes(context, in + 1, &y);
    out[0] = gt_add(gt_multiply(y, 0.125), gt_multiply(in[1], 0.5));
    return gt_status();
}

static gt_Tensor *chosen(gt_FunctionBody yes, gt_FunctionBody no, Around *around, gt_Tensor *x)
{
    gt_Tensor *y = NULL;
    gt_cond(gt_greater(gt_sum(x), 0), yes, no, around, gt_tensors(x), &y);
    return y;
}

static gt_Tensor *looped(Around *around, gt_Tensor *x)
{
    gt_Tensor *y = NULL;
    gt_fori_loop(0, 3, round_of, around, gt_tensors(x), &y, .unroll = 0);
    return y;
}

/* Tensors are its inputs, variables it reads. */
static gt_Status mixes_inputs(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Around *around = context;
    return mixes(&(Around){in[1], in[2], in[3], around->v, around->w}, in, out);
}

static gt_Tensor *recomputed(Around *around, gt_Tensor *x)
{
    gt_Tensor *y = NULL;
    gt_recompute(mixes_inputs, around, gt_tensors(x, around->p, around->q, around->r), &y);
    return y;
}

static gt_Status step_in_arguments(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Run *run = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensors all = gt_trainable_variables(run->model);
    gt_Tensor *x = gt_call(run->model, in[0], .training = true);
    all = gt_trainable_variables(run->model);
    Around around = {gt_multiply(x, 0.75), gt_exp(gt_multiply(x, 0.25)), gt_tanh(x), all.items[1],
                     all.items[3]};
    gt_Tensor *y = gt_add(gt_add(gt_multiply(chosen(mixes, mixes_otherwise, &around, x), around.p),
                                 gt_multiply(looped(&around, around.q), around.r)),
                          gt_multiply(recomputed(&around, around.r),
                                      chosen(mixes_otherwise, mixes, &around, gt_negative(x))));
    gt_Tensor *loss = gt_total_loss(
        run->model, gt_mean(gt_square(gt_subtract(gt_concatenate(gt_tensors(y, gt_relu(x))),
                                                  gt_concatenate(gt_tensors(in[1], in[1]))))));
    gt_minimize(run->adam, tape, loss, all);
    out[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

static gt_Layer *drawn_part(void)
{
    gt_Tensor *x = gt_Input(gt_shape(WIDE));
    return gt_Model(gt_tensors(x), gt_tensors(gt_call(gt_Dense(WIDE, .activation = gt_sin), x)));
}

/* Layers without names, dropout and models, made and called in one expression: a walk back from the output names them. */
static gt_Layer *drawn(void)
{
    gt_Tensor *x = gt_Input(gt_shape(WIDE));
    return gt_Model(
        gt_tensors(x),
        gt_tensors(gt_add(
            gt_subtract(gt_call(gt_Dense(WIDE, .activation = gt_tanh), x),
                        gt_multiply(gt_call(gt_Dense(WIDE), gt_call(gt_Dropout(0.25), x)), 2)),
            gt_subtract(
                gt_call(drawn_part(), gt_call(gt_Dropout(0.25), x)),
                gt_multiply(gt_call(drawn_part(), gt_exp(x)), gt_call(gt_Dropout(0.5), x))))));
}

static Run run_in_arguments(void)
{
    const Branches instance = {.a = NULL};
    return (Run){gt_Sequential(gt_Dense(WIDE, .activation = gt_gelu),
                               gt_layer_new(&branches_class, &instance), drawn(), gt_Dense(WIDE)),
                 gt_AdamW(3e-3, .global_clipnorm = 0.5)};
}

/* What is saved: names are copied. */
typedef struct Saved {
    gt_NamedTensor named[WEIGHTS];
    char names[WEIGHTS][160];
    int32_t count;
} Saved;

static void add(Saved *saved, const char *kind, const char *name, gt_Tensor *tensor)
{
    if (saved->count == WEIGHTS) {
        gt_fail(GT_INVALID, "more than %d tensors", WEIGHTS);
        return;
    }
    char *text = saved->names[saved->count];
    snprintf(text, sizeof saved->names[0], "%s/%s", kind, name ? name : "");
    saved->named[saved->count++] = (gt_NamedTensor){text, tensor};
}

static void add_run(Saved *saved, const Run *run, const double *losses, int steps)
{
    char text[32];
    gt_Tensors weights = gt_variables(run->model), state = gt_optimizer_variables(run->adam);
    for (int i = 0; i < weights.count; i++)
        add(saved, "model", gt_variable_path(run->model, weights.items[i]), weights.items[i]);
    for (int i = 0; i < state.count; i++) {
        snprintf(text, sizeof text, "%d", i);
        add(saved, "optimizer", text, state.items[i]);
    }
    add(saved, "losses", NULL, gt_from_data(losses, gt_shape(steps), GT_FLOAT64));
}

static void save(const Run *run, const char *path, const char *suffix, const double *losses,
                 int steps)
{
    static Saved saved;
    char whole[4096];
    gt_Scope *scope = gt_scope_begin();
    saved.count = 0;
    add_run(&saved, run, losses, steps);
    snprintf(whole, sizeof whole, "%s%s", path, suffix);
    gt_save_tensors(whole, ((gt_NamedTensors){saved.named, saved.count}));
    gt_scope_end(scope);
}

/* So many steps of one run. */
static void train(const Run *run, gt_FunctionBody body, bool planned, gt_Shape x_shape,
                  bool classes, int steps, double *losses)
{
    gt_Function *function = gt_function(body, (void *)(uintptr_t)run, .outputs = 1);
    gt_Variable *generator = gt_generator(7);
    for (int i = 0; i < steps && gt_status() == GT_OK; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_normal(x_shape, .generator = generator), *loss = NULL;
        gt_Tensor *y = classes ? gt_random_integers(gt_shape(x_shape.dims[0]), 0, CLASSES,
                                                    .generator = generator)
                               : gt_normal(gt_shape(x_shape.dims[0], WIDE), .generator = generator);
        if (planned)
            gt_function_call(function, gt_tensors(x, y), &loss);
        else if (gt_status() == GT_OK)
            body((void *)(uintptr_t)run, (gt_Tensor *[]){x, y}, &loss);
        losses[i] = gt_item(loss);
        gt_scope_end(scope);
    }
    gt_function_free(function);
}

int main(int count, char **arguments)
{
    if (count != 4) {
        fprintf(stderr, "usage: bits FILE eager|planned THREADS\n");
        return 2;
    }
    bool planned = strcmp(arguments[2], "planned") == 0;
    double losses[STEPS] = {0}, more[ROUNDS] = {0};
    gt_set_threads(atoi(arguments[3]));
    gt_set_seed(2024);
    Run run = {gt_Sequential(gt_Dense(128, .activation = gt_gelu), gt_Dropout(0.3),
                             gt_LayerNormalization(), gt_Dense(64, .activation = gt_tanh),
                             gt_Dense(CLASSES)),
               gt_Adam(3e-3, .global_clipnorm = 1)};
    Run other = run_in_arguments();
    train(&run, step, planned, gt_shape(BATCH, FEATURES), true, STEPS, losses);
    train(&other, step_in_arguments, planned, gt_shape(16, WIDE), false, ROUNDS, more);
    save(&run, arguments[1], "", losses, STEPS);
    save(&other, arguments[1], ".arguments", more, ROUNDS);
    bool failed = gt_status() != GT_OK;
    if (failed)
        fprintf(stderr, "%s\n", gt_error_message());
    gt_context_free(NULL);
    return failed;
}
