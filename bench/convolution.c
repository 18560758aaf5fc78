/* Convolutions, also with a bias and relu as a plan has them, and their two gradients: GFLOP/s, and the share of what
 * multiply-adds in registers alone reach in the same minute; the least of many rounds. One thread unless --threads says otherwise; GT_ISA chooses the kernels. Leans on
 * bench/probe.h.
 *
 * convolution [--f64] [--rounds N] [--threads N] */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "../core/structs.h"
#include "../gradtape.h"
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct Case {
    const char *name;
    int batch, size, in, out, window, stride, groups;
} Case;

static const Case cases[] = {
    {"16->16 at 32x32", 32, 32, 16, 16, 3, 1, 1},
    {"3->16 at 32x32", 32, 32, 3, 16, 3, 1, 1},
    {"1->32 at 28x28", 32, 28, 1, 32, 3, 1, 1},
    {"32->64 at 14x14", 32, 14, 32, 64, 3, 1, 1},
    {"32->32 at 16x16", 32, 16, 32, 32, 3, 1, 1},
    {"64->64 at 8x8", 32, 8, 64, 64, 3, 1, 1},
    {"16->32 at 32x32, stride 2", 32, 32, 16, 32, 3, 2, 1},
    {"32->64, 1x1, stride 2", 32, 16, 32, 64, 1, 2, 1},
    {"64->128, 1x1", 32, 14, 64, 128, 1, 1, 1},
    {"64->64 at 32x32", 8, 32, 64, 64, 3, 1, 1},
    {"512->512 at 7x7", 2, 7, 512, 512, 3, 1, 1},
    {"depthwise 64 at 32x32", 8, 32, 64, 64, 3, 1, 64},
    {"64->64 at 16x16, 4 groups", 16, 16, 64, 64, 3, 1, 4},
};

/* Time that one thread was given, or, where several work, on the wall. */
static double now(int threads)
{
    struct timespec t;
    if (threads == 1)
        return probe_now();
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct Call {
    const Case *shape;
    gt_Tensor *x, *kernel, *bias, *y, *up;
    gt_Tape *tape;
    gt_Function *biased;
} Call;

static gt_Tensor *forward(const Call *c)
{
    return gt_conv(c->x, c->kernel, .strides = gt_shape(c->shape->stride),
                   .groups = c->shape->groups, .padding = GT_PADDING_SAME);
}

static gt_Tensor *gradient(const Call *c, gt_Tensor *in)
{
    gt_Tensor *up[1] = {c->up};
    return gt_gradient(c->tape, c->y, in, .output_gradients = up);
}

static gt_Status with_bias(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    Call call = *(const Call *)user;
    call.x = in[0];
    call.kernel = in[1];
    gt_Tensor *y = gt_relu(gt_add(forward(&call), in[2]));
    out[0] =
        gt_slice(y, gt_shape(0, 0, 0, 0), gt_shape(1, 1, 1, 1)); /* results of plans are copied */
    return gt_status();
}

static void part(const Call *c, int which)
{
    gt_Tensor *y;
    switch (which) {
    case 0:
        forward(c);
        break;
    case 1:
        gt_function_call(c->biased, gt_tensors(c->x, c->kernel, c->bias), &y);
        break;
    default:
        gradient(c, which == 2 ? c->x : c->kernel);
        break;
    }
}

/* The least seconds of a part: as many rounds as are asked for, each at least a millisecond long. */
static double least_of(const Call *c, int which, int rounds, int threads)
{
    double least = 1e9;
    int repeat = 1;
    for (int round = 0; round < rounds; round++) {
        double from = now(threads);
        for (int i = 0; i < repeat; i++) {
            gt_Scope *scope = gt_scope_begin();
            part(c, which);
            gt_scope_end(scope);
        }
        double took = (now(threads) - from) / repeat;
        if (took * repeat < 1e-3)
            repeat = (int)(1e-3 / took) + 1;
        least = took < least ? took : least;
    }
    return least;
}

int main(int count, char **words)
{
    gt_DType dtype = GT_FLOAT32;
    int rounds = 30, threads = 1;
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "--f64") == 0)
            dtype = GT_FLOAT64;
        else if (strcmp(words[i], "--rounds") == 0 && i + 1 < count)
            rounds = atoi(words[++i]);
        else if (strcmp(words[i], "--threads") == 0 && i + 1 < count)
            threads = atoi(words[++i]);
    }
    gt_set_threads(threads);
    const char *isa = gt_context_kernels(gt_context())->isa;
    double peak = 0, read = 0;
    for (int i = 0; i < 20; i++) {
        double fma = probe_fma(isa) * threads / (dtype == GT_FLOAT64 ? 2 : 1), l1 = probe_read();
        peak = fma > peak ? fma : peak;
        read = l1 > read ? l1 : read;
    }
    printf("%s, %s, %d thread%s, peak %.1f GFLOP/s, reads of 16 KB %.0f GB/s; GFLOP/s and share of "
           "the peak\n",
           isa, gt_dtype_name(dtype), threads, threads > 1 ? "s" : "", peak * 1e-9, read * 1e-9);
    printf("%-28s %16s %16s %16s %16s\n", "", "forward", "bias and relu", "input gradient",
           "kernel gradient");
    for (size_t q = 0; q < sizeof cases / sizeof *cases && gt_status() == GT_OK; q++) {
        const Case *s = &cases[q];
        const int out = (s->size + s->stride - 1) / s->stride, in = s->in / s->groups;
        const double flops = 2.0 * s->batch * out * out * s->out * in * s->window * s->window;
        gt_Scope *scope = gt_scope_begin();
        Call c = {.shape = s};
        c.x = gt_uniform(gt_shape(s->batch, s->size, s->size, s->in), .low = -1, .dtype = dtype);
        c.kernel =
            gt_uniform(gt_shape(s->window, s->window, in, s->out), .low = -1, .dtype = dtype);
        c.up = gt_uniform(gt_shape(s->batch, out, out, s->out), .low = -1, .dtype = dtype);
        c.bias = gt_uniform(gt_shape(s->out), .dtype = dtype);
        c.biased = gt_function(with_bias, &c);
        printf("%-28s", s->name);
        for (int which = 0; which < 4; which++) {
            if (which == 2) { /* nothing is recorded before */
                c.tape = gt_tape_begin(.persistent = true);
                gt_watch(c.tape, c.x);
                gt_watch(c.tape, c.kernel);
                c.y = forward(&c);
            }
            double rate = flops / least_of(&c, which, rounds, threads);
            printf("   %7.1f %4.0f %%", rate * 1e-9, peak > 0 ? 100 * rate / peak : 0);
            fflush(stdout);
        }
        printf("\n");
        gt_function_free(c.biased);
        gt_tape_end(c.tape);
        gt_scope_end(scope);
    }
    if (gt_status() != GT_OK)
        fprintf(stderr, "%s\n", gt_error_message());
    return gt_status() == GT_OK ? 0 : 1;
}
