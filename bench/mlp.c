/* One training step of a network of two dense layers (784 - 128 - 10, relu, sparse categorical
 * cross-entropy from logits, Adam) in float32, three ways in turns within each round: gradtape
 * eagerly, gradtape as a plan, and a loop written by hand over OpenBLAS with plain C for the rest,
 * compiled for this very processor. All three start each round from the same weights and no
 * moments, and their losses must agree, or the program fails: it would be comparing different
 * things.
 *
 * bench_mlp [--threads N] [--rounds N] [--batch N]
 * One thread is timed by what the processor gave it, several by the clock on the wall. */
#include "gradtape.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "blas.h"

enum { IN = 784, HIDDEN = 128, OUT = 10, WEIGHTS = 4, MOST_ROUNDS = 1000 };

static const size_t sizes[WEIGHTS] = {(size_t)IN * HIDDEN, HIDDEN, (size_t)HIDDEN *OUT, OUT};
static float *initial[WEIGHTS];
static int batch, threads = 1;
static float *x;
static int32_t *labels;

static void stop(const char *why)
{
    fprintf(stderr, "bench_mlp: %s\n", why);
    exit(1);
}

static float *numbers(size_t count)
{
    float *block = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    if (!block)
        stop("out of memory");
    memset(block, 0, count * sizeof(float));
    return block;
}

/* Uniform in [-scale, scale). */
static void draw(size_t count, float scale, float *into)
{
    static uint32_t seed = 1;
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        into[i] = scale * ((float)(seed >> 8) / (float)(1 << 23) - 1);
    }
}

static double now(void)
{
    struct timespec t;
    clock_gettime(threads > 1 ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int ascending(const void *a, const void *b)
{
    double x1 = *(const double *)a, x2 = *(const double *)b;
    return (x1 > x2) - (x1 < x2);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[count / 2];
}

/* ---- gradtape ---- */

typedef struct Trainer {
    gt_Layer *model;
    gt_Optimizer *optimizer;
    gt_Function *function; /* NULL: eager */
    gt_Tensor *x, *y;
} Trainer;

static gt_Status train_step(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    Trainer *self = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *logits = gt_call(self->model, inputs[0], .training = true);
    gt_Tensor *loss = gt_sparse_categorical_crossentropy(inputs[1], logits, .from_logits = true);
    gt_minimize(self->optimizer, tape, loss, gt_trainable_variables(self->model));
    outputs[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

static Trainer trainer_new(void)
{
    Trainer self = {
        .model = gt_Sequential(gt_Dense(HIDDEN, .activation = gt_relu), gt_Dense(OUT)),
        .optimizer = gt_Adam(1e-3),
        .x = gt_from_buffer(x, gt_shape(batch, IN), GT_FLOAT32),
        .y = gt_from_buffer(labels, gt_shape(batch), GT_INT32),
    };
    gt_build(self.model, gt_shape(batch, IN), GT_FLOAT32);
    gt_optimizer_build(self.optimizer, gt_trainable_variables(self.model));
    return self;
}

static void trainer_free(Trainer *self)
{
    gt_function_free(self->function);
    gt_optimizer_free(self->optimizer);
    gt_layer_free(self->model);
}

static void trainer_reset(Trainer *self)
{
    gt_Tensors weights = gt_trainable_variables(self->model);
    for (int i = 0; i < WEIGHTS && i < weights.count; i++)
        gt_variable_set(weights.items[i], initial[i], sizes[i] * sizeof(float));
    gt_Tensors state = gt_optimizer_variables(self->optimizer);
    for (int i = 0; i < state.count; i++)
        if (i != 1) /* the learning rate */
            gt_assign(state.items[i], 0);
}

static double trainer_step(Trainer *self)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *inputs[2] = {self->x, self->y}, *loss = NULL;
    if (self->function)
        gt_function_call(self->function, gt_tensors(self->x, self->y), &loss);
    else
        train_step(self, inputs, &loss);
    double value = gt_item(loss);
    gt_scope_end(scope);
    return value;
}

/* ---- by hand ---- */

typedef struct Loop {
    gt_Blas blas;
    BlasGemmF32 *gemm;
    float *w[WEIGHTS], *g[WEIGHTS], *m[WEIGHTS], *v[WEIGHTS];
    float *hidden, *hidden_slope, *logits;
    int64_t steps;
} Loop;

static Loop loop_new(void)
{
    Loop self = {.hidden = numbers((size_t)batch * HIDDEN),
                 .hidden_slope = numbers((size_t)batch * HIDDEN),
                 .logits = numbers((size_t)batch * OUT)};
    for (int i = 0; i < WEIGHTS; i++) {
        self.w[i] = numbers(sizes[i]);
        self.g[i] = numbers(sizes[i]);
        self.m[i] = numbers(sizes[i]);
        self.v[i] = numbers(sizes[i]);
    }
    if (!gt_blas_load(&self.blas))
        stop("there is no OpenBLAS to compare with");
    self.gemm = blas_gemm_f32(&self.blas);
    if (self.blas.set_threads)
        self.blas.set_threads(threads);
    return self;
}

static void loop_free(Loop *self)
{
    for (int i = 0; i < WEIGHTS; i++) {
        free(self->w[i]);
        free(self->g[i]);
        free(self->m[i]);
        free(self->v[i]);
    }
    free(self->hidden);
    free(self->hidden_slope);
    free(self->logits);
    gt_blas_unload(&self->blas);
}

static void loop_reset(Loop *self)
{
    for (int i = 0; i < WEIGHTS; i++) {
        memcpy(self->w[i], initial[i], sizes[i] * sizeof(float));
        memset(self->m[i], 0, sizes[i] * sizeof(float));
        memset(self->v[i], 0, sizes[i] * sizeof(float));
    }
    self->steps = 0;
}

/* c = op(a) op(b), (m, n) */
static void product(const Loop *self, bool ta, bool tb, int m, int n, int k, const float *a,
                    const float *b, float *c)
{
    self->gemm(BLAS_ROW_MAJOR, ta ? BLAS_TRANSPOSED : BLAS_PLAIN, tb ? BLAS_TRANSPOSED : BLAS_PLAIN,
               m, n, k, 1, a, ta ? m : k, b, tb ? k : n, 0, c, n);
}

/* The loss, and the logits replaced by their gradient. */
static double softmax_crossentropy(float *logits)
{
    double loss = 0;
    for (int i = 0; i < batch; i++) {
        float *row = logits + (size_t)i * OUT, top = row[0], sum = 0;
        for (int j = 1; j < OUT; j++)
            top = row[j] > top ? row[j] : top;
        float at_label = row[labels[i]] - top;
        for (int j = 0; j < OUT; j++)
            sum += row[j] = expf(row[j] - top);
        for (int j = 0; j < OUT; j++)
            row[j] /= sum * (float)batch;
        row[labels[i]] -= 1 / (float)batch;
        loss += (double)(logf(sum) - at_label);
    }
    return loss / batch;
}

static void sum_rows(int width, const float *restrict rows, float *restrict sum)
{
    memset(sum, 0, (size_t)width * sizeof *sum);
    for (int i = 0; i < batch; i++)
        for (int j = 0; j < width; j++)
            sum[j] += rows[(size_t)i * (size_t)width + (size_t)j];
}

static void adam(size_t n, float alpha, float *restrict w, float *restrict m, float *restrict v,
                 const float *restrict g)
{
    for (size_t i = 0; i < n; i++) {
        m[i] += (g[i] - m[i]) * 0.1f;
        v[i] += (g[i] * g[i] - v[i]) * 0.001f;
        w[i] -= alpha * m[i] / (sqrtf(v[i]) + 1e-7f);
    }
}

static double loop_step(Loop *self)
{
    float *restrict hidden = self->hidden, *restrict slope = self->hidden_slope;
    const float *bias = self->w[1];
    product(self, false, false, batch, HIDDEN, IN, x, self->w[0], hidden);
    for (int i = 0; i < batch; i++)
        for (int j = 0; j < HIDDEN; j++) {
            float sum = hidden[(size_t)i * HIDDEN + (size_t)j] + bias[j];
            hidden[(size_t)i * HIDDEN + (size_t)j] = sum > 0 ? sum : 0;
        }
    product(self, false, false, batch, OUT, HIDDEN, hidden, self->w[2], self->logits);
    for (int i = 0; i < batch; i++)
        for (int j = 0; j < OUT; j++)
            self->logits[(size_t)i * OUT + (size_t)j] += self->w[3][j];
    double loss = softmax_crossentropy(self->logits);
    product(self, true, false, HIDDEN, OUT, batch, hidden, self->logits, self->g[2]);
    sum_rows(OUT, self->logits, self->g[3]);
    product(self, false, true, batch, HIDDEN, OUT, self->logits, self->w[2], slope);
    for (size_t i = 0; i < (size_t)batch * HIDDEN; i++)
        slope[i] = hidden[i] > 0 ? slope[i] : 0;
    product(self, true, false, IN, HIDDEN, batch, x, slope, self->g[0]);
    sum_rows(HIDDEN, slope, self->g[1]);
    double t = (double)++self->steps;
    double alpha = 1e-3 * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t));
    for (int i = 0; i < WEIGHTS; i++)
        adam(sizes[i], (float)alpha, self->w[i], self->m[i], self->v[i], self->g[i]);
    return loss;
}

/* ---- in turns ---- */

static bool agree(double a, double b)
{
    return fabs(a - b) <= 5e-4 * (fabs(a) + fabs(b)); /* float32, up to 20 steps */
}

static void compare(int rounds)
{
    static double times[3][MOST_ROUNDS];
    x = numbers((size_t)batch * IN);
    labels = malloc((size_t)batch * sizeof *labels);
    if (!labels)
        stop("out of memory");
    draw((size_t)batch * IN, 1, x);
    for (int i = 0; i < batch; i++)
        labels[i] = (int32_t)(i * 7 % OUT);
    for (int i = 0; i < WEIGHTS; i += 2) /* glorot_uniform, and zeros for the biases */
        draw(sizes[i], sqrtf(6 / (float)(i ? HIDDEN + OUT : IN + HIDDEN)), initial[i]);

    gt_Scope *scope = gt_scope_begin();
    Trainer eager = trainer_new(), planned = trainer_new();
    planned.function = gt_function(train_step, &planned, .outputs = 1);
    Loop loop = loop_new();
    int steps = 8192 / batch < 20 ? 8192 / batch : 20;
    double loss[3] = {0}, first = 0;
    for (int round = -1; round < rounds; round++) {
        trainer_reset(&eager);
        trainer_reset(&planned);
        loop_reset(&loop);
        double mark[4] = {now()};
        for (int i = 0; i < steps; i++)
            loss[0] = trainer_step(&eager);
        mark[1] = now();
        for (int i = 0; i < steps; i++)
            loss[1] = trainer_step(&planned);
        mark[2] = now();
        for (int i = 0; i < steps; i++) {
            loss[2] = loop_step(&loop);
            first = round < 0 && i == 0 ? loss[2] : first;
        }
        mark[3] = now();
        if (gt_status() != GT_OK)
            stop(gt_error_message());
        if (!agree(loss[0], loss[2]) || !agree(loss[1], loss[2])) {
            fprintf(stderr, "round %d, loss: eager %.7g, plan %.7g, by hand %.7g\n", round, loss[0],
                    loss[1], loss[2]);
            stop("the three do not train alike");
        }
        for (int i = 0; round >= 0 && i < 3; i++)
            times[i][round] = (mark[i + 1] - mark[i]) / steps;
    }
    double eager_time = median(times[0], rounds), plan_time = median(times[1], rounds);
    double loop_time = median(times[2], rounds);
    printf("%5d %9.2f %9.2f %9.1f %9.1f %9.1f   %.4f -> %.4f %.4f %.4f\n", batch,
           loop_time / eager_time, loop_time / plan_time, eager_time, plan_time, loop_time, first,
           loss[0], loss[1], loss[2]);
    fflush(stdout);
    loop_free(&loop);
    trainer_free(&eager);
    trainer_free(&planned);
    gt_scope_end(scope);
    free(x);
    free(labels);
}

int main(int count, char **words)
{
    int rounds = 41, only = 0;
    for (int i = 1; i + 1 < count; i += 2) {
        int number = atoi(words[i + 1]);
        if (strcmp(words[i], "--threads") == 0)
            threads = number;
        else if (strcmp(words[i], "--rounds") == 0)
            rounds = number > 0 && number <= MOST_ROUNDS ? number : rounds;
        else if (strcmp(words[i], "--batch") == 0)
            only = number;
    }
    gt_set_threads(threads);
    for (int i = 0; i < WEIGHTS; i++)
        initial[i] = numbers(sizes[i]);
    printf("%s\n", gt_build_info());
    gt_Blas blas = {0};
    printf("by hand: OpenBLAS kernels %s, threads %d\n",
           gt_blas_load(&blas) && blas.core[0] ? blas.core : "unknown", threads);
    printf("MLP 784-128-10, one step; how many times faster than by hand, and microseconds\n");
    printf("%5s %9s %9s %9s %9s %9s   %s\n", "batch", "eager x", "plan x", "eager", "plan",
           "by hand", "loss: first -> last of eager, plan, by hand");
    static const int batches[] = {32, 128, 512};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        batch = only > 0 ? only : batches[i];
        compare(rounds);
        if (only > 0)
            break;
    }
    gt_blas_unload(&blas);
    for (int i = 0; i < WEIGHTS; i++)
        free(initial[i]);
    gt_context_free(NULL);
    return 0;
}
