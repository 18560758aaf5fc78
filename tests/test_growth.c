/* Time grows with the size of what is done, not with its square: chains of operations, models of many
 * layers, many variables, many tapes. Each is done at a size and at eight times that size. In linear time
 * the ratio is 8, or somewhat more when the caches overflow; with the square it is 64. bench/growth.c
 * shows the times of large sizes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "gradtape.h"
#include "../core/structs.h"
#include "../plan/place.h"

#undef GT_HERE
#define GT_HERE "test"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())

enum { TIMES = 8, MOST = 32, TRIES = 3 };

static double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double began;

static void start(void)
{
    began = clock_now();
}

/* Seconds since start(); what comes after is not counted. */
static double stop(void)
{
    ok();
    return clock_now() - began;
}

typedef double Task(int n);

/* Does it once in a context of its own. */
static double once(Task *task, int n)
{
    gt_Context *context = gt_context_create(), *mine = gt_context_use(context);
    gt_Scope *scope = gt_scope_begin();
    double seconds = task(n);
    gt_scope_end(scope);
    gt_context_free(context);
    gt_context_use(mine);
    return seconds;
}

static double least(Task *task, int n)
{
    double seconds = once(task, n);
    for (int i = 1; i < TRIES; i++) {
        double again = once(task, n);
        seconds = again < seconds ? again : seconds;
    }
    return seconds;
}

/* ---- operations ---- */

static gt_Status chain(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = in[0];
    for (int i = 0; i < *(const int *)context; i++)
        out[0] = gt_multiply(out[0], 1 + 1e-9 * i); /* a constant of its own */
    return gt_status();
}

static gt_Status chain_gradient(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_Tensor *y = in[0];
    for (int i = 0; i < *(const int *)context; i++)
        y = gt_tanh(y);
    out[0] = gt_keep(gt_gradient(tape, y, in[0]));
    gt_tape_end(tape);
    return gt_status();
}

static double traced(gt_FunctionBody body, void *context, int outputs)
{
    gt_Tensor *x = gt_full(gt_shape(4), 0.5), **y = calloc((size_t)outputs, sizeof *y);
    gt_Function *function = gt_function(body, context, .outputs = outputs);
    start();
    gt_function_call(function, gt_tensors(x), y);
    double seconds = stop();
    gt_function_free(function);
    free(y);
    return seconds;
}

static double trace_chain(int n)
{
    return traced(chain, &n, 1);
}

static double trace_gradient(int n)
{
    return traced(chain_gradient, &n, 1);
}

static double eager_gradient(int n)
{
    gt_Tensor *x = gt_full(gt_shape(4), 0.5), *y;
    start();
    chain_gradient(&n, &x, &y);
    return stop();
}

/* Memory of many sizes that lives for a while. */
static gt_Status juggle(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *held[64] = {NULL}, *sum = gt_sum(in[0]);
    unsigned seed = 7;
    for (int i = 0; i < *(const int *)context; i++) {
        seed = seed * 1664525u + 1013904223u;
        gt_Tensor **at = &held[seed >> 8 & 63];
        if (*at)
            sum = gt_add(sum, gt_sum(*at));
        *at = gt_tanh(gt_broadcast_to(gt_multiply(sum, 0.001), gt_shape(1 + (seed >> 16 & 511))));
    }
    out[0] = sum;
    return gt_status();
}

static double trace_juggle(int n)
{
    return traced(juggle, &n, 1);
}

static gt_Status many_outputs(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    int n = *(const int *)context;
    gt_Tensor *x = in[0];
    for (int i = 0; i < 10 * n; i++)
        out[i % n] = x = gt_tanh(x);
    return gt_status();
}

static double trace_outputs(int n)
{
    return traced(many_outputs, &n, n);
}

static double handles(int n)
{
    gt_Tensor *x = gt_full(gt_shape(4), 0.5);
    start();
    gt_Scope *scope = gt_scope_begin();
    for (int i = 0; i < n; i++)
        gt_add(x, x);
    gt_scope_end(scope);
    return stop();
}

static double stacked(int n)
{
    gt_Variable *v = gt_variable(gt_full(gt_shape(2), 0.5));
    gt_Tensor **rows = malloc((size_t)n * sizeof *rows);
    start();
    gt_Tape *tape = gt_tape_begin();
    for (int i = 0; i < n; i++)
        rows[i] = gt_add(v, 1);
    gt_gradient(tape, gt_sum(gt_stack(((gt_Tensors){rows, n}))), v);
    gt_tape_end(tape);
    double seconds = stop();
    free(rows);
    return seconds;
}

static double tapes_in_a_tape(int n)
{
    gt_Variable *v = gt_variable(gt_full(gt_shape(2), 0.5));
    start();
    gt_Tape *outer = gt_tape_begin();
    gt_Tensor *sum = v;
    for (int i = 0; i < n; i++) {
        gt_Tape *tape = gt_tape_begin();
        sum = gt_add(sum, gt_gradient(tape, gt_square(v), v));
        gt_tape_end(tape);
    }
    gt_gradient(outer, sum, v);
    gt_tape_end(outer);
    return stop();
}

/* ---- variables ---- */

static int count;
static gt_Variable **list;

static void make_variables(int n)
{
    count = n;
    list = malloc((size_t)n * sizeof(gt_Variable *));
    for (int i = 0; i < n; i++)
        list[i] = gt_variable(gt_full(gt_shape(2), 0.25));
}

/* A loop that changes them all, and the gradient of one that reads them all. */
static gt_Status change_all(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = in[1];
    for (int i = 0; i < count; i++) {
        gt_assign_add(list[i], 1);
        out[0] = gt_add(out[0], list[i]);
    }
    return gt_status();
}

static gt_Status loop_of_changes(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return gt_fori_loop(0, 3, change_all, context,
                        gt_tensors(gt_slice(in[0], gt_shape(0), gt_shape(2))), out, .unroll = 0);
}

static double trace_changes(int n)
{
    make_variables(n);
    double seconds = traced(loop_of_changes, NULL, 1);
    free(list);
    return seconds;
}

static gt_Status read_all(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = in[1];
    for (int i = 0; i < count; i++)
        out[0] = gt_add(out[0], gt_tanh(list[i]));
    return gt_status();
}

static gt_Status loop_gradient(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *y, **gradient = malloc((size_t)count * sizeof *gradient);
    gt_Tape *tape = gt_tape_begin();
    gt_fori_loop(0, 3, read_all, context, gt_tensors(gt_slice(in[0], gt_shape(0), gt_shape(2))), &y,
                 .unroll = 0);
    gt_gradients(tape, gt_tensors(y), ((gt_Tensors){list, count}), gradient);
    out[0] = gt_keep(gradient[0]);
    gt_tape_end(tape);
    free(gradient);
    return gt_status();
}

static double trace_loop_gradient(int n)
{
    make_variables(n);
    double seconds = traced(loop_gradient, NULL, 1);
    free(list);
    return seconds;
}

static double freed_while_watched(int n)
{
    make_variables(n);
    gt_Tape *tape = gt_tape_begin();
    for (int i = 0; i < n; i++)
        gt_add(list[i], 1);
    start();
    for (int i = 0; i < n; i++)
        gt_variable_free(list[i]);
    gt_tape_end(tape);
    free(list);
    return stop();
}

static double packed_and_optimized(int n)
{
    make_variables(n);
    gt_Optimizer *adam = gt_AdamW(1e-3);
    start();
    gt_pack(((gt_Tensors){list, n}));
    gt_optimizer_exclude_from_weight_decay(adam, ((gt_Tensors){list, n / 2}));
    gt_optimizer_build(adam, ((gt_Tensors){list, n}));
    gt_Tensors state = gt_optimizer_variables(adam);
    char text[128];
    for (int i = 0; i < state.count; i++)
        gt_optimizer_variable_name(adam, i, NULL, NULL, text, sizeof text);
    double seconds = stop();
    free(list);
    return seconds;
}

static gt_Status sum_of_all(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = in[0];
    for (int i = 1; i < *(const int *)context; i++)
        out[0] = gt_add(out[0], in[i]);
    return gt_status();
}

static double forward_mode(int n)
{
    gt_Tensor **x = malloc((size_t)n * sizeof *x), *y, *dy;
    for (int i = 0; i < n; i++)
        x[i] = gt_full(gt_shape(2), 0.5);
    start();
    gt_jvp(sum_of_all, &n, ((gt_Tensors){x, n}), ((gt_Tensors){x, n}), &y, &dy);
    double seconds = stop();
    free(x);
    return seconds;
}

/* ---- layers ---- */

static gt_Layer *model_of(int n)
{
    gt_Layer **layers = malloc((size_t)(n + 1) * sizeof(gt_Layer *));
    for (int i = 0; i < n; i++)
        layers[i] = gt_Dense(2, .activation = gt_tanh);
    layers[n] = GT_LIST_END;
    gt_Layer *model = gt_Sequential_at(GT_HERE, layers);
    free(layers);
    return model;
}

static double layers_made(int n)
{
    start();
    model_of(n);
    return stop();
}

static double layers_called(int n)
{
    gt_Layer *model = model_of(n);
    gt_Tensor *x = gt_full(gt_shape(2, 2), 0.5);
    start();
    gt_call(model, x);
    return stop();
}

static double layers_listed(int n)
{
    gt_Layer *model = model_of(n);
    gt_build(model, gt_shape(2, 2), GT_FLOAT32);
    char last[64];
    snprintf(last, sizeof last, "dense_%d", n - 1);
    start();
    gt_Tensors all = gt_variables(model);
    for (int i = 0; i < all.count; i++) {
        cr_assert(*gt_variable_path(model, all.items[i]));
        gt_layer_find(model, last);
    }
    gt_summary(model);
    return stop();
}

static double weights_in_a_layer(int n);

typedef struct Trained {
    gt_Layer *model;
    gt_Optimizer *adam;
} Trained;

static gt_Status step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Trained *self = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = gt_reshape(in[0], gt_shape(2, 2));
    gt_Tensor *loss = gt_mean(gt_square(gt_call(self->model, x, .training = true)));
    gt_minimize(self->adam, tape, loss, gt_trainable_variables(self->model));
    out[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

static Trained trained(int n)
{
    Trained self = {model_of(n), gt_Adam(1e-3)};
    gt_build(self.model, gt_shape(2, 2), GT_FLOAT32);
    return self;
}

static double eager_step(int n)
{
    Trained self = trained(n);
    gt_Tensor *x = gt_full(gt_shape(4), 0.5), *loss;
    start();
    step(&self, &x, &loss);
    return stop();
}

static double traced_step(int n)
{
    Trained self = trained(n);
    return traced(step, &self, 1);
}

static double files(int n)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/test-growth-%ld", (long)getpid());
    Trained self = trained(n);
    gt_optimizer_build(self.adam, gt_trainable_variables(self.model));
    start();
    gt_save_checkpoint(path, self.model, .optimizer = self.adam);
    gt_load_checkpoint(path, self.model, .optimizer = self.adam);
    double seconds = stop();
    remove(path);
    return seconds;
}

/* A layer with many weights, and one that recomputes each of its children. */
typedef struct Wide {
    gt_Layer base;
    gt_Layer **children;
} Wide;

static gt_Status wide_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    char name[32];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "w%d", i);
        gt_add_weight(layer, name, in->shape, .initializer = gt_Zeros());
    }
    return gt_status();
}

static gt_Tensor *wide_call(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_Tensors all = gt_variables(layer);
    gt_Tensor *x = in->x;
    for (int i = 0; i < all.count; i++)
        x = gt_add(x, all.items[i]);
    return x;
}

static const gt_LayerClass wide_class = {
    .size = sizeof(gt_LayerClass), .name = "wide", .instance = sizeof(Wide), .build = wide_build, .call = wide_call};

static double weights_in_a_layer(int n)
{
    const Wide instance = {.children = NULL};
    count = n;
    gt_Layer *layer = gt_layer_new(&wide_class, &instance);
    gt_Tensor *x = gt_full(gt_shape(2), 0.5);
    start();
    gt_call(layer, x);
    return stop();
}

static gt_Status child_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_call((gt_Layer *)context, in[0]);
    return gt_status();
}

static gt_Status thrifty_create(gt_Layer *layer)
{
    for (int i = 0; i < count; i++)
        gt_add_child(layer, ((Wide *)layer)->children[i]);
    return gt_status();
}

static gt_Tensor *thrifty_call(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_Tensor *x = in->x;
    for (int i = 0; i < count; i++)
        gt_recompute(child_body, ((Wide *)layer)->children[i], gt_tensors(x), &x);
    return x;
}

static const gt_LayerClass thrifty_class = {
    .size = sizeof(gt_LayerClass), .name = "thrifty", .instance = sizeof(Wide), .create = thrifty_create, .call = thrifty_call};

static double recomputed(int n)
{
    Wide instance = {.children = malloc((size_t)n * sizeof(gt_Layer *))};
    count = n;
    for (int i = 0; i < n; i++)
        instance.children[i] = gt_Dense(2, .activation = gt_tanh);
    gt_Layer *layer = gt_layer_new(&thrifty_class, &instance);
    gt_build(layer, gt_shape(2, 2), GT_FLOAT32);
    gt_Tensor *x = gt_full(gt_shape(2, 2), 0.5);
    start();
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, x);
    gt_gradient(tape, gt_call(layer, x), x);
    gt_tape_end(tape);
    double seconds = stop();
    free(instance.children);
    return seconds;
}

/* ---- all of them ---- */

static const struct {
    const char *name;
    Task *task;
    int n;
} tasks[] = {{"a chain, traced", trace_chain, 2000},
             {"a chain and its gradient, traced", trace_gradient, 2000},
             {"a chain and its gradient, eager", eager_gradient, 2000},
             {"pieces of memory", trace_juggle, 1000},
             {"outputs of a function", trace_outputs, 128},
             {"handles of a scope", handles, 10000},
             {"a stack", stacked, 2000},
             {"tapes inside a tape", tapes_in_a_tape, 500},
             {"variables that a loop changes", trace_changes, 400},
             {"variables that a loop reads", trace_loop_gradient, 400},
             {"variables freed while they are watched", freed_while_watched, 16000}, /* beyond the cache at both sizes */
             {"variables packed and optimized", packed_and_optimized, 1000},
             {"forward mode", forward_mode, 120},
             {"layers made", layers_made, 1000},
             {"layers called", layers_called, 1000},
             {"layers listed", layers_listed, 500},
             {"weights in a layer", weights_in_a_layer, 1000},
             {"a training step, eager", eager_step, 200},
             {"a training step, traced", traced_step, 200},
             {"checkpoints", files, 200},
             {"layers recomputed", recomputed, 500}};

/* A task that took too long gets more chances: on a busy machine the caches are others'. With the square none of them
 * helps. */
Test(growth, is_linear)
{
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        double small = 0, large = 0;
        for (int try = 0; try < 8 && (try == 0 || large > MOST * small); try++) {
            small = least(tasks[i].task, tasks[i].n);
            large = least(tasks[i].task, tasks[i].n * TIMES);
        }
        fprintf(stderr, "%-40s %9.2f ms %9.2f ms %6.1f\n", tasks[i].name, small * 1e3, large * 1e3,
                large / small);
        cr_expect(large <= MOST * small, "%s: %d times the size took %.1f times as long",
                  tasks[i].name, TIMES, large / small);
    }
}

/* ---- where memory lies ---- */

/* The plain way, which looks at every piece that was placed: large ones first, each into the smallest
 * gap that is free for its life. */
static size_t place_plainly(gt_Piece *piece, int n)
{
    int *order = malloc((size_t)n * sizeof *order);
    size_t bytes = 0;
    for (int i = 0; i < n; i++) {
        int at = i;
        for (; at > 0 && piece[order[at - 1]].bytes < piece[i].bytes; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    int *placed = malloc((size_t)n * sizeof *placed);
    for (int k = 0; k < n; k++) {
        gt_Piece *mine = &piece[order[k]];
        size_t end = 0, best = SIZE_MAX, smallest = SIZE_MAX, size = gt_piece_bytes(mine);
        for (int i = 0; i < k; i++) {
            const gt_Piece *other = &piece[placed[i]];
            if (other->last < mine->first || other->first > mine->last)
                continue;
            if (other->offset >= end + size && other->offset - end < smallest) {
                smallest = other->offset - end;
                best = end;
            }
            if (other->offset + gt_piece_bytes(other) > end)
                end = other->offset + gt_piece_bytes(other);
        }
        mine->offset = best < SIZE_MAX ? best : end;
        int at = k;
        for (; at > 0 && piece[placed[at - 1]].offset > mine->offset; at--)
            placed[at] = placed[at - 1];
        placed[at] = order[k];
        if (mine->offset + size > bytes)
            bytes = mine->offset + size;
    }
    free(order);
    free(placed);
    return bytes;
}

Test(growth, placing_is_the_same)
{
    enum { MOST_PIECES = 600 }; /* gt_place takes few in another way than many */
    gt_Context *context = gt_context();
    unsigned seed = 1;
    for (int round = 0; round < 400; round++) {
        gt_Piece plain[MOST_PIECES], fast[MOST_PIECES], *pieces[MOST_PIECES];
        int n = 1 + round * 7 % MOST_PIECES, steps = 1 + round % 77;
        for (int i = 0; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            int32_t first = (int32_t)(seed >> 8) % steps;
            seed = seed * 1664525u + 1013904223u;
            int32_t length = (int32_t)(seed >> 8) % (round % 3 ? 4 : steps);
            seed = seed * 1664525u + 1013904223u;
            plain[i] = (gt_Piece){.bytes = 1 + (seed >> 8) % (round % 2 ? 200 : 5000),
                                  .first = first,
                                  .last = i % 19 ? first + length : INT32_MAX};
            if (plain[i].last >= steps && i % 19)
                plain[i].last = steps - 1;
            fast[i] = plain[i];
            pieces[i] = &fast[i];
        }
        size_t bytes = 0, expected = place_plainly(plain, n);
        gt_place(context, pieces, n, steps, &bytes);
        ok();
        cr_assert_eq(bytes, expected, "round %d: %zu bytes, expected %zu", round, bytes, expected);
        for (int i = 0; i < n; i++)
            cr_assert_eq(fast[i].offset, plain[i].offset, "round %d, piece %d", round, i);
    }
}
