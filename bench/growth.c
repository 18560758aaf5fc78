/* How time and memory grow: a long chain of operations, a model of many layers, many handles, many
 * tapes. Every row is measured at a quarter of the size and at the whole; where work is linear in
 * the size the last column says 4. Seconds of processor time; the memory is the most that the context
 * held meanwhile, at the whole size.
 *
 *     growth [--operations N] [--layers N] [--only TEXT]
 */
#include "gradtape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ROWS = 40 };

typedef struct Row {
    const char *name;
    double seconds[2];
    int64_t bytes;
} Row;

static Row rows[MAX_ROWS];
static int row_count, row_next, whole;
static double began;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void start(void)
{
    began = now();
}

/* Ends a row and starts the next. */
static void row(const char *name)
{
    Row *at = &rows[row_next++];
    at->name = name;
    at->seconds[whole] = now() - began;
    at->bytes = gt_memory_stats().bytes_peak;
    if (row_next > row_count)
        row_count = row_next;
    if (gt_status() != GT_OK) {
        fprintf(stderr, "%s: %s\n", name, gt_error_message());
        exit(1);
    }
    began = now();
}

/* ---- a chain ---- */

/* A number of its own in every operation; every value but the last is read by the next alone. */
static gt_Tensor *chain(gt_Tensor *x, int64_t operations)
{
    for (int64_t i = 0; i < operations; i++)
        x = gt_multiply(x, 1 + 1e-9 * (double)i);
    return x;
}

static gt_Status chain_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = chain(in[0], *(const int64_t *)context);
    return gt_status();
}

/* Its rule reads the output, so everything is kept for the way back. */
static gt_Tensor *curve(gt_Tensor *x, int64_t operations)
{
    for (int64_t i = 0; i < operations; i++)
        x = gt_tanh(x);
    return x;
}

static gt_Status curve_gradient(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_Tensor *y = curve(in[0], *(const int64_t *)context);
    out[0] = gt_keep(gt_gradient(tape, y, in[0]));
    gt_tape_end(tape);
    return gt_status();
}

static void planned(gt_FunctionBody body, int64_t operations, const char *first, const char *again)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_full(gt_shape(4), 0.5), *y;
    gt_Function *function = gt_function(body, &operations, .outputs = 1);
    start();
    gt_function_call(function, gt_tensors(x), &y);
    row(first);
    gt_function_call(function, gt_tensors(x), &y);
    row(again);
    gt_function_free(function);
    gt_scope_end(scope);
}

static void chains(int64_t operations)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_full(gt_shape(4), 0.5);
    start();
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, x);
    gt_Tensor *y = curve(x, operations);
    row("chain: eager, on a tape");
    gt_gradient(tape, y, x);
    row("chain: its gradient");
    gt_tape_end(tape);
    row("chain: the end of the tape");
    gt_scope_end(scope);
    planned(chain_body, operations, "chain: traced and planned", "chain: run");
    planned(curve_gradient, operations, "chain and gradient: traced and planned",
            "chain and gradient: run");
}

/* ---- handles and tapes ---- */

static void handles(int64_t count)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_full(gt_shape(4), 0.5);
    start();
    gt_Scope *inner = gt_scope_begin();
    for (int64_t i = 0; i < count; i++)
        gt_add(x, x);
    row("handles of a scope: made");
    gt_scope_end(inner);
    row("handles of a scope: freed");
    gt_scope_end(scope);
}

static void tapes(int64_t count)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *v = gt_variable(gt_full(gt_shape(4), 0.5));
    start();
    gt_Tape *outer = gt_tape_begin();
    gt_Tensor *sum = v;
    for (int64_t i = 0; i < count; i++) {
        gt_Tape *tape = gt_tape_begin();
        sum = gt_add(sum, gt_gradient(tape, gt_square(v), v));
        gt_tape_end(tape);
    }
    row("tapes inside a tape");
    gt_gradient(outer, sum, v);
    gt_tape_end(outer);
    row("tapes inside a tape: the gradient of all");
    gt_scope_end(scope);
    gt_variable_free(v);
}

/* ---- a model ---- */

typedef struct Run {
    gt_Layer *model;
    gt_Optimizer *adam;
} Run;

static gt_Status step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Run *run = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_call(run->model, in[0], .training = true);
    gt_Tensor *loss = gt_mean(gt_square(gt_subtract(y, in[1])));
    gt_minimize(run->adam, tape, loss, gt_trainable_variables(run->model));
    out[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

static void models(int64_t layers)
{
    char weights[64], checkpoint[64];
    snprintf(weights, sizeof weights, "/tmp/growth-%ld.safetensors", (long)getpid());
    snprintf(checkpoint, sizeof checkpoint, "/tmp/growth-%ld.checkpoint", (long)getpid());
    gt_Layer **list = malloc((size_t)(layers + 1) * sizeof(gt_Layer *));
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_full(gt_shape(2, 2), 0.5), *y = gt_full(gt_shape(2, 2), 0.25), *loss;
    start();
    for (int64_t i = 0; i < layers; i++)
        list[i] = gt_Dense(2, .activation = gt_tanh);
    list[layers] = GT_LIST_END;
    row("model: its layers made");
    gt_Layer *model = gt_Sequential_at(GT_HERE, list);
    row("model: put into a container");
    gt_call(model, x);
    row("model: first call");
    gt_call(model, x);
    row("model: next call");
    gt_Tensors all = gt_variables(model);
    int64_t letters = 0;
    for (int32_t i = 0; i < all.count; i++)
        letters += (int64_t)strlen(gt_variable_path(model, all.items[i]));
    row("model: the paths of all variables");
    char last[64];
    snprintf(last, sizeof last, "dense_%lld", (long long)layers - 1);
    for (int64_t i = 0; i < layers; i++)
        if (!gt_layer_find(model, last))
            letters = 0;
    row("model: layers found by name");
    gt_summary(model);
    row("model: summary");
    Run run = {model, gt_Adam(1e-3)};
    gt_optimizer_build(run.adam, gt_trainable_variables(model));
    row("model: optimizer built");
    step(&run, (gt_Tensor *[]){x, y}, &loss);
    row("model: training step, eager");
    gt_Function *function = gt_function(step, &run, .outputs = 1);
    gt_function_call(function, gt_tensors(x, y), &loss);
    row("model: training step, traced and planned");
    gt_function_call(function, gt_tensors(x, y), &loss);
    row("model: training step, run");
    gt_save_weights(model, weights);
    row("model: weights saved");
    gt_load_weights(model, weights);
    row("model: weights loaded");
    gt_save_checkpoint(checkpoint, model, .optimizer = run.adam);
    row("model: checkpoint saved");
    gt_load_checkpoint(checkpoint, model, .optimizer = run.adam);
    row("model: checkpoint loaded");
    gt_pack(gt_trainable_variables(model));
    row("model: packed");
    gt_function_free(function);
    gt_optimizer_free(run.adam);
    gt_layer_free(model);
    row("model: freed");
    gt_scope_end(scope);
    remove(weights);
    remove(checkpoint);
    free(list);
    if (letters == 0)
        exit(1);
}

int main(int count, char **arguments)
{
    int64_t operations = 100000, layers = 10000;
    const char *only = NULL;
    for (int i = 1; i + 1 < count; i += 2) {
        if (strcmp(arguments[i], "--operations") == 0)
            operations = atoll(arguments[i + 1]);
        else if (strcmp(arguments[i], "--layers") == 0)
            layers = atoll(arguments[i + 1]);
        else if (strcmp(arguments[i], "--only") == 0)
            only = arguments[i + 1];
    }
    const struct {
        const char *name;
        void (*run)(int64_t size);
        int64_t size;
    } parts[] = {{"chains", chains, operations},
                 {"handles", handles, operations},
                 {"tapes", tapes, operations / 10},
                 {"models", models, layers}};
    printf("%s\n%lld operations, %lld layers\n", gt_build_info(), (long long)operations,
           (long long)layers);
    printf("%-42s %12s %12s %8s %9s\n", "", "a quarter, s", "whole, s", "times", "MiB");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (only && strcmp(only, parts[i].name) != 0)
            continue;
        row_count = 0;
        for (whole = 0; whole < 2; whole++) {
            gt_Context *before = gt_context_use(gt_context_create());
            row_next = 0;
            parts[i].run(whole ? parts[i].size : parts[i].size / 4);
            gt_context_free(NULL);
            gt_context_use(before);
        }
        for (int r = 0; r < row_count; r++)
            printf("%-42s %12.4f %12.4f %8.1f %9.1f\n", rows[r].name, rows[r].seconds[0],
                   rows[r].seconds[1], rows[r].seconds[1] / rows[r].seconds[0],
                   (double)rows[r].bytes / (1 << 20));
        fflush(stdout);
    }
    return 0;
}
