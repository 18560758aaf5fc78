/* gradtape's side of bench/peers/run: training steps of the networks that every peer has too, as plans, with the layers that a
 * user would take.
 *
 * Reads lines "WORKLOAD SECONDS" from standard input and answers each with a line "ok MEDIAN LEAST STEPS FIRST LAST NOTE":
 * times of a step in ms, the number of timed steps, the losses of the first and of the last step. "probe" gives "ok FMA READ"
 * in GFLOP/s and GB/s. "floor WORKLOAD" gives the terms of the least time that the arithmetic takes, in ms. "profile WORKLOAD"
 * gives the plan with the times of its steps, for people. "about" gives a line about the build.
 *
 * A step is: forward, loss, gradients, update of the optimizer, on data that lie in memory. The learning rates are so small that
 * nothing learns its data by heart, or denormal numbers would come.
 *
 *     peers_gradtape [--threads N] */
#include "gradtape.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../examples/positions.h"
#include "../probe.h"

enum { BATCHES = 8, MOST_STEPS = 3000, LEAST_STEPS = 10 };

/* ---- the networks ---- */

/* 4 - 16 - 3. */
static gt_Layer *tiny(void)
{
    return gt_Sequential(gt_Dense(16, .activation = gt_relu), gt_Dense(3));
}

/* 784 - 128 - 10. */
static gt_Layer *mlp(void)
{
    return gt_Sequential(gt_Dense(128, .activation = gt_relu), gt_Dense(10));
}

static gt_Layer *cnn(void)
{
    return gt_Sequential(
        gt_Conv2D(32, 3, .padding = GT_PADDING_SAME, .activation = gt_relu), gt_MaxPooling2D(2),
        gt_Conv2D(64, 3, .padding = GT_PADDING_SAME, .activation = gt_relu), gt_MaxPooling2D(2),
        gt_Flatten(), gt_Dense(128, .activation = gt_relu), gt_Dense(10));
}

static gt_Tensor *convolution(gt_Tensor *x, int filters, int size, int stride)
{
    gt_Tensor *h = gt_call(
        gt_Conv2D(filters, size, .strides = stride, .padding = GT_PADDING_SAME, .use_bias = false),
        x);
    return gt_call(gt_BatchNormalization(.momentum = 0.9, .epsilon = 1e-5), h);
}

static gt_Tensor *residual_block(gt_Tensor *x, int filters, int stride)
{
    gt_Tensor *h = convolution(gt_relu(convolution(x, filters, 3, stride)), filters, 3, 1);
    return gt_relu(gt_add(h, stride > 1 ? convolution(x, filters, 1, stride) : x));
}

/* Three stages of two blocks, 16, 32 and 64 channels. */
static gt_Layer *resnet(void)
{
    gt_Tensor *image = gt_Input(gt_shape(32, 32, 3));
    gt_Tensor *h = gt_relu(convolution(image, 16, 3, 1));
    for (int stage = 0; stage < 3; stage++)
        for (int i = 0; i < 2; i++)
            h = residual_block(h, 16 << stage, stage > 0 && i == 0 ? 2 : 1);
    h = gt_call(gt_Dense(10), gt_call(gt_GlobalAveragePooling2D(), h));
    return gt_Model(gt_tensors(image), gt_tensors(h));
}

static gt_Layer *lstm(void)
{
    return gt_Sequential(gt_LSTM(128), gt_Dense(10));
}

enum { CONTEXT = 128, WIDTH = 128, HEADS = 4, BLOCKS = 4, CHARACTERS = 96, TEXTS = 16 };

/* gt_gelu is the one by tanh, as the peers have it. */
static gt_Tensor *gpt_block(gt_Tensor *x)
{
    gt_Tensor *h = gt_call(gt_LayerNormalization(.epsilon = 1e-5), x);
    x = gt_add(x, gt_call(gt_MultiHeadAttention(HEADS, WIDTH / HEADS, .use_causal_mask = true), h,
                          .more = gt_tensors(h)));
    h = gt_call(gt_LayerNormalization(.epsilon = 1e-5), x);
    h = gt_call(gt_Dense(4 * WIDTH, .activation = gt_gelu), h);
    return gt_add(x, gt_call(gt_Dense(WIDTH), h));
}

static gt_Layer *gpt(void)
{
    gt_Tensor *text = gt_Input(gt_shape(CONTEXT), .dtype = GT_INT32);
    gt_Tensor *x = gt_call(Positions(), gt_call(gt_Embedding(CHARACTERS, WIDTH), text));
    for (int i = 0; i < BLOCKS; i++)
        x = gpt_block(x);
    x = gt_call(gt_LayerNormalization(.epsilon = 1e-5), x);
    return gt_Model(gt_tensors(text),
                    gt_tensors(gt_call(gt_Dense(CHARACTERS, .use_bias = false), x)));
}

static gt_Optimizer *sgd(void)
{
    return gt_SGD(1e-4);
}

static gt_Optimizer *momentum(void)
{
    return gt_SGD(1e-4, .momentum = 0.9);
}

static gt_Optimizer *adam(void)
{
    return gt_Adam(1e-5, .epsilon = 1e-8);
}

static gt_Optimizer *adamw(void)
{
    return gt_AdamW(1e-5, .epsilon = 1e-8, .weight_decay = 0.01);
}

/* ---- the work in a step ---- */

/* Millions of operations: multiply-adds of products and convolutions count twice, the gradient of x of a first layer is not needed.
 * Transcendental: exp, tanh and their like, forward and in gradients. Parameters: how many numbers the optimizer moves. */
typedef struct Work {
    double mflops, transcendental, parameters;
} Work;

typedef struct Workload {
    const char *name;
    gt_Layer *(*model)(void);
    gt_Optimizer *(*optimizer)(void);
    gt_DType dtype;
    int batch, classes;
    gt_Shape x; /* of a batch, behind the axis of the batch */
    Work work;
} Workload;

/* ---- a step ---- */

typedef struct Trainer {
    const Workload *workload;
    gt_Layer *model;
    gt_Optimizer *optimizer;
    gt_Function *step;
    gt_Variable *x[BATCHES], *y[BATCHES];
    long steps;
    double first, last;
} Trainer;

static gt_Status train_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Trainer *self = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *logits = gt_call(self->model, in[0], .training = true);
    gt_Tensor *loss =
        gt_mean(gt_sparse_categorical_crossentropy(in[1], logits, .from_logits = true));
    gt_minimize(self->optimizer, tape, loss, gt_trainable_variables(self->model));
    out[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

/* Standard normal numbers, or class numbers below `classes`. */
static gt_Variable *data(gt_Shape shape, gt_DType dtype, int classes, gt_Variable *generator)
{
    return gt_variable(
        classes ? gt_random_integers(shape, 0, classes, .dtype = dtype, .generator = generator)
                : gt_normal(shape, .dtype = dtype, .generator = generator));
}

static gt_Shape with_batch(int batch, gt_Shape inner)
{
    gt_Shape shape = gt_shape(batch);
    shape.rank = inner.rank + 1;
    memcpy(shape.dims + 1, inner.dims, (size_t)inner.rank * sizeof *inner.dims);
    return shape;
}

static Trainer *trainer_new(const Workload *workload)
{
    Trainer *self = calloc(1, sizeof *self);
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *generator = gt_generator(1);
    bool text = workload->dtype == GT_INT32;
    gt_Shape shape = with_batch(workload->batch, workload->x);
    self->workload = workload;
    self->model = workload->model();
    self->optimizer = workload->optimizer();
    for (int i = 0; i < BATCHES; i++) {
        self->x[i] = data(shape, workload->dtype, text ? workload->classes : 0, generator);
        self->y[i] =
            data(text ? shape : gt_shape(workload->batch), GT_INT32, workload->classes, generator);
    }
    self->step = gt_function(train_step, self, .outputs = 1);
    gt_build(self->model, shape, workload->dtype);
    gt_variable_free(generator);
    gt_scope_end(scope);
    return self;
}

static void trainer_free(Trainer *self)
{
    gt_function_free(self->step);
    for (int i = 0; i < BATCHES; i++) {
        gt_variable_free(self->x[i]);
        gt_variable_free(self->y[i]);
    }
    gt_optimizer_free(self->optimizer);
    gt_layer_free(self->model);
    free(self);
}

static void train(Trainer *self)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *loss = NULL;
    int batch = (int)(self->steps % BATCHES);
    gt_function_call(self->step, gt_tensors(self->x[batch], self->y[batch]), &loss);
    self->last = gt_item(loss);
    if (self->steps++ == 0)
        self->first = self->last;
    gt_scope_end(scope);
}

/* ---- the table of networks ---- */

#define IMAGE gt_shape(28, 28, 1)
static int list_workloads(Workload *list)
{
    const Workload all[] = {
        {"tiny_mlp", tiny, sgd, GT_FLOAT32, 16, 3, gt_shape(4), {0.0055, 48, 131}},
        {"mlp_b32", mlp, adam, GT_FLOAT32, 32, 10, gt_shape(784), {13.17, 320, 101770}},
        {"mlp_b128", mlp, adam, GT_FLOAT32, 128, 10, gt_shape(784), {52.7, 1280, 101770}},
        {"mlp_b512", mlp, adam, GT_FLOAT32, 512, 10, gt_shape(784), {210.8, 5120, 101770}},
        {"mlp_b32_f64", mlp, adam, GT_FLOAT64, 32, 10, gt_shape(784), {13.17, 320, 101770}},
        {"cnn_b32", cnn, adam, GT_FLOAT32, 32, 10, IMAGE, {798.7, 320, 421642}},
        {"cnn_b128", cnn, adam, GT_FLOAT32, 128, 10, IMAGE, {3195, 1280, 421642}},
        {"resnet", resnet, momentum, GT_FLOAT32, 32, 10, gt_shape(32, 32, 3), {5092, 320, 175258}},
        {"lstm", lstm, adam, GT_FLOAT32, 32, 10, gt_shape(64, 64), {1074, 1311040, 100106}},
        {"gpt_mini",
         gpt,
         adamw,
         GT_INT32,
         TEXTS,
         CHARACTERS,
         gt_shape(CONTEXT),
         {10630, 8700000, 834304}},
    };
    memcpy(list, all, sizeof all);
    return (int)(sizeof all / sizeof *all);
}

/* ---- timing ---- */

/* Seconds on the clock on the wall: several threads may work. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Warms up for a fifth of the time, then times single steps. */
static void measure(Trainer *self, double seconds)
{
    static double times[MOST_STEPS];
    double start = now();
    int count = 0;
    do
        train(self);
    while (gt_status() == GT_OK && now() - start < 0.2 * seconds);
    start = now();
    while (gt_status() == GT_OK && count < MOST_STEPS &&
           (count < LEAST_STEPS || now() - start < seconds)) {
        double before = now();
        train(self);
        times[count++] = now() - before;
    }
    if (gt_status() != GT_OK) {
        printf("failed %s\n", gt_error_message());
        gt_error_clear();
        return;
    }
    qsort(times, (size_t)count, sizeof *times, ascending);
    printf("ok %.6g %.6g %d %.6g %.6g plan\n", 1e3 * times[count / 2], 1e3 * times[0], count,
           self->first, self->last);
}

/* ---- floors ---- */

/* Seconds for one exp, as gradtape computes it in the cache. */
static double seconds_of_exp(void)
{
    enum { N = 8192, TURNS = 50 };
    double best = 1e30;
    gt_Variable *x = gt_variable(gt_zeros(gt_shape(N)));
    for (int round = 0; round < 5; round++) {
        gt_Scope *scope = gt_scope_begin();
        double from = probe_now();
        for (int i = 0; i < TURNS; i++)
            gt_exp(x);
        double took = (probe_now() - from) / N / TURNS;
        best = took < best ? took : best;
        gt_scope_end(scope);
    }
    gt_variable_free(x);
    return best;
}

/* Bytes a second in place, of 8 MB. */
static double bandwidth(void)
{
    enum { N = 2 << 20, TURNS = 4 };
    float *x = calloc(N, sizeof *x);
    double best = 1e30;
    for (int round = 0; round < 5 && x; round++) {
        double from = probe_now();
        for (int t = 0; t < TURNS; t++)
            for (int i = 0; i < N; i++)
                x[i] = x[i] * 0.5f + 1;
        double took = (probe_now() - from) / TURNS;
        best = took < best ? took : best;
        __asm__ volatile("" : : "r"(x) : "memory");
    }
    free(x);
    return 2.0 * N * sizeof(float) / best;
}

/* Adam reads four numbers a parameter and writes three, SGD reads two and writes one. */
static void print_floor(const Workload *workload)
{
    const Work *work = &workload->work;
    bool wide = workload->dtype == GT_FLOAT64;
    double fma = probe_fma(NULL) / (wide ? 2 : 1), bytes = wide ? 8 : 4;
    int moved = workload->optimizer == sgd ? 3 : workload->optimizer == momentum ? 5 : 7;
    double products = 1e3 * 1e6 * work->mflops / fma;
    double functions = 1e3 * work->transcendental * seconds_of_exp();
    double update = 1e3 * work->parameters * bytes * moved / bandwidth();
    printf("ok %.6g %.6g %.6g %.6g\n", products + functions + update, products, functions, update);
}

/* The mean times of 20 steps. */
static void print_profile(Trainer *self)
{
    for (int i = 0; i < 23; i++) {
        if (i == 3)
            gt_function_profile(self->step, true);
        train(self);
    }
    const char *text = gt_function_print(self->step);
    printf("%s", *text ? text : gt_error_message());
    gt_function_profile(self->step, false);
}

int main(int count, char **arguments)
{
    static Workload list[16];
    static Trainer *trainers[16];
    char line[256], name[64];
    int threads = count == 3 && strcmp(arguments[1], "--threads") == 0 ? atoi(arguments[2]) : 1;
    gt_set_threads(threads);
    int known = list_workloads(list);
    while (fgets(line, sizeof line, stdin)) {
        double seconds = 1;
        int found = -1;
        bool floor = strncmp(line, "floor ", 6) == 0, profile = strncmp(line, "profile ", 8) == 0;
        if (sscanf(line + (floor ? 6 : profile ? 8 : 0), "%63s %lf", name, &seconds) < 1)
            continue;
        for (int i = 0; i < known; i++)
            found = strcmp(name, list[i].name) == 0 ? i : found;
        if (strcmp(name, "about") == 0) {
            printf("ok %s\n", gt_build_info());
        } else if (strcmp(name, "probe") == 0) {
            printf("ok %.4g %.4g\n", 1e-9 * probe_fma(NULL), 1e-9 * probe_read());
        } else if (found < 0) {
            printf("cannot %s is not known\n", name);
        } else if (floor) {
            print_floor(&list[found]);
        } else {
            if (!trainers[found])
                trainers[found] = trainer_new(&list[found]);
            if (profile)
                print_profile(trainers[found]);
            else
                measure(trainers[found], seconds);
        }
        fflush(stdout);
    }
    for (int i = 0; i < known; i++)
        if (trainers[i])
            trainer_free(trainers[i]);
    gt_context_free(NULL);
    return 0;
}
