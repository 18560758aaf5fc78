/* A program whose every bit counts, for tools/check-bits: trains a small network with dropout by Adam
 * for 50 steps, from a seed, and writes weights, optimizer state and losses to a file.
 *
 *     bits FILE eager|planned THREADS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradtape.h"

enum { STEPS = 50, BATCH = 256, FEATURES = 96, CLASSES = 10, WEIGHTS = 32 };

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

static gt_Status save(const Run *run, const char *path, const double *losses)
{
    gt_NamedTensor named[WEIGHTS];
    static char names[WEIGHTS][160];
    int32_t count = 0;
    gt_Scope *scope = gt_scope_begin();
    gt_Tensors weights = gt_weights(run->model), state = gt_optimizer_variables(run->adam);
    for (int i = 0; i < weights.count && count < WEIGHTS; i++, count++) {
        snprintf(names[count], sizeof names[count], "model/%s",
                 gt_variable_path(run->model, weights.items[i]));
        named[count] = (gt_NamedTensor){names[count], weights.items[i]};
    }
    for (int i = 0; i < state.count && count < WEIGHTS; i++, count++) {
        snprintf(names[count], sizeof names[count], "optimizer/%d", i);
        named[count] = (gt_NamedTensor){names[count], state.items[i]};
    }
    if (count < WEIGHTS)
        named[count++] =
            (gt_NamedTensor){"losses", gt_from_data(losses, gt_shape(STEPS), GT_FLOAT64)};
    gt_save_tensors(path, ((gt_NamedTensors){named, count}));
    gt_scope_end(scope);
    return gt_status();
}

int main(int count, char **arguments)
{
    if (count != 4) {
        fprintf(stderr, "usage: bits FILE eager|planned THREADS\n");
        return 2;
    }
    bool planned = strcmp(arguments[2], "planned") == 0;
    double losses[STEPS] = {0};
    gt_set_threads(atoi(arguments[3]));
    gt_set_seed(2024);
    Run run = {gt_Sequential(gt_Dense(128, .activation = gt_gelu), gt_Dropout(0.3),
                             gt_Dense(64, .activation = gt_tanh), gt_Dense(CLASSES)),
               gt_Adam(3e-3, .global_clipnorm = 1)};
    gt_Function *function = gt_function(step, &run, .outputs = 1);
    gt_Variable *generator = gt_generator(7);
    for (int i = 0; i < STEPS && gt_status() == GT_OK; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_normal(gt_shape(BATCH, FEATURES), .generator = generator);
        gt_Tensor *y = gt_random_integers(gt_shape(BATCH), 0, CLASSES, .generator = generator);
        gt_Tensor *loss = NULL;
        if (planned)
            gt_function_call(function, gt_tensors(x, y), &loss);
        else if (gt_status() == GT_OK)
            step(&run, (gt_Tensor *[]){x, y}, &loss);
        losses[i] = gt_item(loss);
        gt_scope_end(scope);
    }
    if (gt_status() == GT_OK)
        save(&run, arguments[1], losses);
    bool failed = gt_status() != GT_OK;
    if (failed)
        fprintf(stderr, "%s\n", gt_error_message());
    gt_context_free(NULL);
    return failed;
}
