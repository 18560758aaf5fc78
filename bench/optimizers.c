/* What a step of each optimizer costs over n parameters, float32, ten matrices, as a compiled function: in microseconds, and the
 * bytes that it cannot do without as a share of what the memory gives in the same minute.
 *
 *     build/bench/optimizers             a table, by itself
 *     bench/optimizers.py build          the same beside PyTorch's fused optimizers, in turns
 *
 * With --serve it answers lines "NAME N SECONDS" with the least time of a step that it found in that many seconds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradtape.h"
#include "probe.h"

enum { MATRICES = 10 };

/* ---- the optimizers ---- */

typedef struct Row {
    const char *name;
    gt_Optimizer *(*make)(void);
    int bytes; /* read and written, of each parameter, by one pass; 0: products, not passes, are what it does */
} Row;

#define MAKE(name, ...)                                                                            \
    static gt_Optimizer *make_##name(void)                                                         \
    {                                                                                              \
        return __VA_ARGS__;                                                                        \
    }
MAKE(sgd, gt_SGD(1e-3))
MAKE(momentum, gt_SGD(1e-3, .momentum = 0.9))
MAKE(nesterov, gt_SGD(1e-3, .momentum = 0.9, .nesterov = true))
MAKE(adam, gt_Adam(1e-3))
MAKE(amsgrad, gt_Adam(1e-3, .amsgrad = true))
MAKE(adamw, gt_AdamW(1e-3))
MAKE(rmsprop, gt_RMSprop(1e-3))
MAKE(centered, gt_RMSprop(1e-3, .centered = true, .momentum = 0.9))
MAKE(adagrad, gt_Adagrad(1e-3))
MAKE(adadelta, gt_Adadelta(1e-3))
MAKE(adamax, gt_Adamax(1e-3))
MAKE(nadam, gt_Nadam(1e-3))
MAKE(lion, gt_Lion(1e-3))
MAKE(ftrl, gt_Ftrl(1e-3))
MAKE(lamb, gt_Lamb(1e-3))
MAKE(adafactor, gt_Adafactor(1e-3))
MAKE(schedule_free, gt_ScheduleFreeAdamW(1e-3))
MAKE(clipped, gt_Adam(1e-3, .global_clipnorm = 1))
MAKE(muon, gt_Muon(1e-3))
static const Row rows[] = {{"sgd", make_sgd, 12},
                           {"momentum", make_momentum, 20},
                           {"nesterov", make_nesterov, 20},
                           {"adam", make_adam, 28},
                           {"amsgrad", make_amsgrad, 36},
                           {"adamw", make_adamw, 28},
                           {"rmsprop", make_rmsprop, 20},
                           {"centered", make_centered, 36},
                           {"adagrad", make_adagrad, 20},
                           {"adadelta", make_adadelta, 28},
                           {"adamax", make_adamax, 28},
                           {"nadam", make_nadam, 28},
                           {"lion", make_lion, 20},
                           {"ftrl", make_ftrl, 28},
                           {"lamb", make_lamb, 40},
                           {"adafactor", make_adafactor, 24},
                           {"schedule_free", make_schedule_free, 28},
                           {"clipped", make_clipped, 32},
                           {"muon", make_muon, 0},
                           {"muon_float32", make_muon, 0}};
enum { ROWS = sizeof rows / sizeof *rows };

/* ---- one of them over n parameters ---- */

typedef struct Training {
    gt_Optimizer *optimizer;
    gt_Variable *list[MATRICES], *slopes[MATRICES];
    gt_Function *step;
} Training;

static gt_Status make_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)out;
    const Training *self = context;
    return gt_apply_gradients(self->optimizer, ((gt_Tensors){(gt_Tensor *const *)self->list, MATRICES}), in);
}

static void begin(Training *self, const Row *row, int64_t n)
{
    const int64_t side = (int64_t)(sqrt((double)n / MATRICES) + 0.5);
    gt_Scope *scope = gt_scope_begin();
    self->optimizer = row->make();
    for (int i = 0; i < MATRICES; i++) {
        self->list[i] = gt_variable(gt_normal(gt_shape(side, side)));
        self->slopes[i] = gt_variable(gt_normal(gt_shape(side, side)), .trainable = false);
    }
    self->step = gt_function(make_step, self, .outputs = 0);
    gt_scope_end(scope);
}

static void end(Training *self)
{
    gt_function_free(self->step);
    gt_optimizer_free(self->optimizer);
    for (int i = 0; i < MATRICES; i++) {
        gt_variable_free(self->list[i]);
        gt_variable_free(self->slopes[i]);
    }
}

/* The least time of a step, in seconds. */
static double measure(Training *self, double seconds)
{
    double least = INFINITY, until = probe_now() + seconds;
    const gt_Tensors in = {(gt_Tensor *const *)self->slopes, MATRICES};
    for (int rounds = 0; (probe_now() < until || rounds < 3) && gt_status() == GT_OK; rounds++) {
        double began = probe_now();
        gt_function_call(self->step, in, NULL);
        double took = probe_now() - began;
        least = rounds > 0 && took < least ? took : least;
    }
    if (gt_status() != GT_OK) {
        fprintf(stderr, "%s\n", gt_error_message());
        exit(1);
    }
    return least;
}

static const Row *find(const char *name)
{
    for (int i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static int serve(void)
{
    char name[64];
    long long n;
    double seconds;
    Training training;
    const Row *last = NULL;
    int64_t last_n = 0;
    while (scanf("%63s %lld %lf", name, &n, &seconds) == 3) {
        const Row *row = find(name);
        if (strcmp(name, "memory") == 0) {
            printf("%.9g 0\n", probe_memory((size_t)n, seconds));
        } else if (!row) {
            printf("nan 0\n");
        } else {
            if (last && (last != row || last_n != n))
                end(&training);
            if (last != row || last_n != n)
                begin(&training, row, n);
            last = row;
            last_n = n;
            printf("%.9g %d\n", measure(&training, seconds), row->bytes);
        }
        fflush(stdout);
    }
    if (last)
        end(&training);
    gt_context_free(NULL);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--serve") == 0)
        return serve();
    const int64_t sizes[] = {100000, 10000000};
    printf("%s\n", gt_build_info());
    for (int s = 0; s < 2; s++) {
        double memory = probe_memory((size_t)sizes[s], 0.3);
        printf("\n%lld parameters, y += x moves %.1f GB/s\n", (long long)sizes[s], memory * 1e-9);
        for (int i = 0; i < ROWS; i++) {
            Training training;
            if (argc > 1 && strcmp(argv[1], rows[i].name) != 0)
                continue;
            begin(&training, &rows[i], sizes[s]);
            double seconds = measure(&training, s ? 0.6 : 0.2);
            printf("%-14s %10.1f us", rows[i].name, seconds * 1e6);
            if (rows[i].bytes)
                printf(", %5.0f %% of that", 100 * rows[i].bytes * (double)sizes[s] / seconds / memory);
            printf("\n");
            end(&training);
        }
    }
    gt_context_free(NULL);
    return 0;
}
