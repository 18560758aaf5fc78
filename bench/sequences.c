/* LSTM, GRU and attention with heads, forwards and back, as plans: the fused operations beside their compositions, in turns within
 * each round, and the share of what multiply-adds in registers alone reach in the same minute. The least of many rounds.
 * GFLOP/s count the products that the mathematics needs: of causal attention half, and what a gradient computes again not at all.
 * GT_ISA chooses the kernels. Leans on bench/probe.h.
 *
 * sequences [--rounds N] [--threads N] */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "../core/structs.h"
#include "../gradtape.h"
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef enum Kind { LSTM, GRU, ATTENTION, CAUSAL, PADDED } Kind;

/* batch, steps; then features and units, or heads and width of one. */
typedef struct Case {
    const char *name;
    Kind kind;
    int64_t batch, steps, first, second;
} Case;

static const Case cases[] = {
    {"LSTM 64 -> 128, 64 steps, b32", LSTM, 32, 64, 64, 128},
    {"LSTM 128 -> 256, 32 steps, b64", LSTM, 64, 32, 128, 256},
    {"LSTM 16 -> 32, 100 steps, b16", LSTM, 16, 100, 16, 32},
    {"GRU 64 -> 128, 64 steps, b32", GRU, 32, 64, 64, 128},
    {"attention 128 x 32, 4 heads, b16", ATTENTION, 16, 128, 4, 32},
    {"the same, causal", CAUSAL, 16, 128, 4, 32},
    {"the same, causal, a quarter padding", PADDED, 16, 128, 4, 32},
    {"causal, 512 x 64, 8 heads, b2", CAUSAL, 2, 512, 8, 64},
    {"causal, 40 x 8, 2 heads, b32", CAUSAL, 32, 40, 2, 8},
};

enum { MOST = 4, MOST_GRADIENTS = 4 };

typedef struct Call {
    const Case *shape;
    bool composed;
    gt_Tensor *up;
} Call;

/* Other functions than gt_tanh and gt_sigmoid: the sequence is composed. */
static gt_Tensor *plain_tanh(gt_Tensor *x)
{
    return gt_tanh(x);
}
static gt_Tensor *plain_sigmoid(gt_Tensor *x)
{
    return gt_sigmoid(x);
}

static int count_of(const Case *c)
{
    return c->kind == LSTM || c->kind == GRU ? 4 : 3;
}

static gt_Tensor *forward(const Call *call, gt_Tensor *const *in)
{
    const Case *c = call->shape;
    gt_TensorFunction activation = call->composed ? plain_tanh : gt_tanh, sigmoid = gt_sigmoid;
    gt_Tensor *weights;
    sigmoid = call->composed ? plain_sigmoid : sigmoid;
    if (c->kind == LSTM)
        return gt_lstm(in[0], in[1], in[2], in[3], .activation = activation,
                       .recurrent_activation = sigmoid);
    if (c->kind == GRU)
        return gt_gru(in[0], in[1], in[2], in[3], .activation = activation,
                      .recurrent_activation = sigmoid);
    gt_Tensor *mask = gt_less(gt_arange(0, (double)c->steps, 1), 0.75 * (double)c->steps);
    mask = gt_broadcast_to(mask, gt_shape(c->batch, c->steps));
    return gt_dot_product_attention(in[0], in[1], in[2], .is_causal = c->kind != ATTENTION,
                                    .value_mask = c->kind == PADDED ? mask : NULL,
                                    .weights = call->composed ? &weights : NULL);
}

/* The result, then the gradients of all inputs. */
static gt_Status step(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    const Call *call = user;
    const int count = count_of(call->shape);
    gt_Tape *tape = gt_tape_begin();
    for (int i = 0; i < count; i++)
        gt_watch(tape, in[i]);
    out[0] = forward(call, in);
    gt_gradients(tape, gt_tensors(out[0]), ((gt_Tensors){(gt_Tensor **)(uintptr_t)in, count}),
                 out + 1, .output_gradients = (gt_Tensor *[]){in[count]});
    for (int i = 0; i <= count; i++)
        gt_keep(out[i]);
    gt_tape_end(tape);
    return gt_status();
}

/* The inputs, and last what arrives at the result. */
static int inputs_of(const Case *c, gt_Tensor **in)
{
    const int64_t gates = c->kind == LSTM ? 4 : 3, wide = gates * c->second;
    gt_Shape shape[MOST + 1];
    int count = count_of(c);
    if (count == 4) {
        shape[0] = gt_shape(c->batch, c->steps, c->first);
        shape[1] = gt_shape(c->first, wide);
        shape[2] = gt_shape(c->second, wide);
        shape[3] = c->kind == LSTM ? gt_shape(wide) : gt_shape(2, wide);
        shape[4] = gt_shape(c->batch, c->second);
    } else {
        for (int i = 0; i <= count; i++)
            shape[i] = gt_shape(c->batch, c->steps, c->first, c->second);
    }
    for (int i = 0; i <= count; i++)
        in[i] = gt_uniform(shape[i], .low = -0.3, .high = 0.3);
    return count + 1;
}

/* Of all products, forwards and back. */
static double flops_of(const Case *c)
{
    double b = (double)c->batch, t = (double)c->steps, m = (double)c->first, n = (double)c->second;
    if (c->kind == LSTM || c->kind == GRU)
        return 3 * 2 * b * t * (m + n) * (c->kind == LSTM ? 4 : 3) * n;
    return 6 * 2 * b * m * n * (c->kind == ATTENTION ? t * t : t * (t + 1) / 2);
}

/* Time that the one thread was given; on the wall where several work. */
static double now(void)
{
    struct timespec t;
    clock_gettime(gt_threads() > 1 ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double timed(gt_Function *function, gt_Tensor **in, int count)
{
    gt_Tensor *out[MOST + 1];
    gt_Scope *scope = gt_scope_begin();
    double from = now();
    gt_function_call(function, ((gt_Tensors){in, count}), out);
    double took = now() - from;
    gt_scope_end(scope);
    return took;
}

static void measure(const Case *c, int rounds, double *peak)
{
    gt_Scope *scope = gt_scope_begin();
    Call call[2] = {{.shape = c}, {.shape = c, .composed = true}};
    gt_Function *function[2];
    gt_Tensor *in[MOST + 1];
    double least[2] = {1e9, 1e9}, flops = flops_of(c);
    int count = inputs_of(c, in);
    for (int k = 0; k < 2; k++) {
        function[k] = gt_function(step, &call[k], .outputs = count);
        timed(function[k], in, count);
    }
    for (int round = 0; round < rounds && gt_status() == GT_OK; round++) {
        double probed = probe_fma(gt_context()->kernels->isa);
        *peak = probed > *peak ? probed : *peak;
        for (int k = 0; k < 2; k++)
            for (int again = 0; again < (k ? 2 : 5); again++) {
                double took = timed(function[k], in, count);
                least[k] = took < least[k] ? took : least[k];
            }
    }
    printf("%-34s %9.3f %8.1f %6.0f%% %11.3f %8.2f\n", c->name, least[0] * 1e3,
           flops / least[0] * 1e-9, *peak > 0 ? 100 * flops / least[0] / *peak : 0, least[1] * 1e3,
           least[1] / least[0]);
    fflush(stdout);
    for (int k = 0; k < 2; k++)
        gt_function_free(function[k]);
    gt_scope_end(scope);
}

int main(int count, char **words)
{
    int rounds = 30;
    for (int i = 1; i + 1 < count; i += 2)
        if (strcmp(words[i], "--rounds") == 0)
            rounds = atoi(words[i + 1]);
        else if (strcmp(words[i], "--threads") == 0)
            gt_set_threads(atoi(words[i + 1]));
    double peak = 0;
    printf("%s\n%-34s %9s %8s %7s %11s %8s\n", gt_build_info(), "forwards and back", "fused ms",
           "GFLOP/s", "of peak", "composed ms", "times");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        measure(&cases[i], rounds, &peak);
    printf("peak of one core: %.1f GFLOP/s; reads of the first-level cache: %.0f GB/s\n",
           peak * 1e-9, probe_read() * 1e-9);
    if (gt_status() != GT_OK)
        fprintf(stderr, "sequences: %s\n", gt_error_message());
    return gt_status() != GT_OK;
}
