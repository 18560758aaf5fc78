/* What the library costs beyond the arithmetic: tiny operations eagerly, under a tape and in plans; gradients; making a
 * plan; training steps; the start. Times are of one thread, by its processor time, in rounds that take turns: the least of each
 * row and the median. Training steps also say how often a step that was seen before asks the allocator and touches a new page
 * of memory; both must be never, or the program fails. Last comes the least time of handing a job of 8 empty tiles to two
 * threads and waiting for its end.
 *
 *     overhead [ROUNDS]
 */
#define _XOPEN_SOURCE 700
#include "core/structs.h"
#include "gradtape.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { MOST_ROUNDS = 99, SCOPE = 100 };

static double now_by(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double now(void)
{
    return now_by(CLOCK_THREAD_CPUTIME_ID);
}

static long page_faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

/* Numbers that look random, the same at every run. */
static gt_Tensor *numbers(gt_Shape shape)
{
    static uint32_t state = 1;
    size_t count = 1;
    for (int d = 0; d < shape.rank; d++)
        count *= (size_t)shape.dims[d];
    float *data = malloc(count * sizeof *data);
    for (size_t i = 0; data && i < count; i++) {
        state = state * 1664525u + 1013904223u;
        data[i] = (float)(state >> 8) / (float)(1 << 23) - 1;
    }
    gt_Tensor *made = gt_variable(gt_from_buffer(data, shape, GT_FLOAT32));
    free(data);
    return made;
}

/* ---- operations ---- */

static gt_Tensor *four, *other, *matrix, *square, *image, *filter, *wide, *row;

#define OPERATION(name, call)                                                                      \
    static double name(int calls)                                                                  \
    {                                                                                              \
        double start = now();                                                                      \
        for (int i = 0; i < calls; i += SCOPE) {                                                   \
            gt_Scope *scope = gt_scope_begin();                                                    \
            for (int k = 0; k < SCOPE; k++)                                                        \
                call;                                                                              \
            gt_scope_end(scope);                                                                   \
        }                                                                                          \
        return (now() - start) / calls;                                                            \
    }
OPERATION(add, gt_add(four, other))
OPERATION(add_number, gt_add(four, 0.5))
OPERATION(relu, gt_relu(four))
OPERATION(add_row, gt_add(wide, row))
OPERATION(matmul, gt_matmul(matrix, matrix))
OPERATION(convolution, gt_conv(image, filter))
OPERATION(max_pool, gt_max_pool(image, gt_shape(2, 2)))
OPERATION(sum, gt_sum(square))
OPERATION(softmax, gt_softmax(square))
OPERATION(transpose, gt_transpose(square))
OPERATION(slice, gt_slice(square, gt_shape(0, 0), gt_shape(2, 2)))

static double recorded(int calls)
{
    double start = now();
    for (int i = 0; i < calls; i += SCOPE) {
        gt_Tape *tape = gt_tape_begin();
        for (int k = 0; k < SCOPE; k++)
            gt_add(four, other);
        gt_tape_end(tape);
    }
    return (now() - start) / calls;
}

static double gradient(int calls)
{
    double start = now();
    for (int i = 0; i < calls; i++) {
        gt_Tape *tape = gt_tape_begin();
        gt_gradient(tape, gt_sum(gt_multiply(four, other)), four);
        gt_tape_end(tape);
    }
    return (now() - start) / calls;
}

/* ---- plans ---- */

static int length;

static gt_Status sums(void *user, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    (void)user;
    outputs[0] = inputs[0];
    for (int k = 0; k < length; k++)
        outputs[0] = gt_add(outputs[0], other);
    return gt_status();
}

static gt_Status products(void *user, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    (void)user;
    outputs[0] = inputs[0];
    for (int k = 0; k < length; k++)
        outputs[0] = gt_matmul(outputs[0], matrix);
    return gt_status();
}

/* So many calls; the time of one. */
static double call(gt_Function *function, gt_Tensors inputs, int calls)
{
    double start = now();
    for (int i = 0; i < calls; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *y;
        gt_function_call(function, inputs, &y);
        gt_scope_end(scope);
    }
    return (now() - start) / calls;
}

/* A step of a plan of so many steps; with `first` what its making takes, a step. */
static double plan_of(gt_FunctionBody body, gt_Tensor *x, int steps, bool first)
{
    length = steps;
    gt_Function *function = gt_function(body, NULL, .outputs = 1);
    double took = call(function, gt_tensors(x), 1);
    if (!first)
        took = call(function, gt_tensors(x), 20000 / steps);
    gt_function_free(function);
    return took / steps;
}

#define PLAN(name, body, x)                                                                        \
    static double name(int steps)                                                                  \
    {                                                                                              \
        return plan_of(body, x, steps, false);                                                     \
    }                                                                                              \
    static double name##_made(int steps)                                                           \
    {                                                                                              \
        return plan_of(body, x, steps, true);                                                      \
    }
PLAN(planned_sums, sums, four)
PLAN(planned_products, products, matrix)

/* ---- training steps ---- */

typedef struct Training {
    const char *name;
    gt_Layer *model;
    gt_Optimizer *optimizer;
    gt_Tensor *x, *y;
    gt_Function *function;
    int calls;
    double eager, planned, first; /* least: of a step, of the first call */
    int64_t allocations;          /* of all measured steps */
    long faults;
} Training;

static gt_Status train(void *user, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    Training *t = user;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *logits = gt_call(t->model, inputs[0], .training = true);
    gt_Tensor *loss = gt_sparse_categorical_crossentropy(inputs[1], logits, .from_logits = true);
    gt_minimize(t->optimizer, tape, loss, gt_trainable_variables(t->model));
    outputs[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

static Training training_of(const char *name, gt_Layer *model, gt_Shape shape, int calls)
{
    gt_Scope *scope = gt_scope_begin();
    Training t = {.name = name, .model = model, .optimizer = gt_Adam(1e-4), .calls = calls};
    int32_t labels[64];
    const int64_t batch = shape.dims[0];
    for (int64_t i = 0; i < batch; i++)
        labels[i] = (int32_t)(i % 10);
    t.x = numbers(shape);
    t.y = gt_variable(gt_from_buffer(labels, gt_shape(batch), GT_INT32));
    t.eager = t.planned = t.first = 1e30;
    gt_build(t.model, shape, GT_FLOAT32);
    gt_optimizer_build(t.optimizer, gt_trainable_variables(t.model));
    gt_scope_end(scope);
    return t;
}

static double step_eagerly(Training *t, int calls)
{
    double start = now();
    for (int i = 0; i < calls; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *loss, *inputs[2] = {t->x, t->y};
        train(t, inputs, &loss);
        gt_scope_end(scope);
    }
    return (now() - start) / calls;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* One round: a few steps eagerly, the first call of a new function, steps of its plan. The first step of a kind finds its
 * memory, and all after it have to find it there. */
static void measure(Training *t)
{
    for (int kind = 0; kind < 2; kind++) {
        gt_Tensors inputs = gt_tensors(t->x, t->y);
        if (kind == 1) {
            gt_function_free(t->function);
            t->function = gt_function(train, t, .outputs = 1);
            t->first = least(t->first, call(t->function, inputs, 1));
            call(t->function, inputs, 1);
        } else {
            step_eagerly(t, 2);
        }
        const int64_t allocations = gt_memory_stats().allocator_calls;
        const long faults = page_faults();
        if (kind == 0)
            t->eager = least(t->eager, step_eagerly(t, t->calls));
        else
            t->planned = least(t->planned, call(t->function, inputs, t->calls));
        t->faults += page_faults() - faults;
        t->allocations += gt_memory_stats().allocator_calls - allocations;
    }
}

static gt_Layer *cnn(void)
{
    return gt_Sequential(gt_Conv2D(16, 3, .padding = GT_PADDING_SAME, .activation = gt_relu),
                         gt_MaxPooling2D(2),
                         gt_Conv2D(32, 3, .padding = GT_PADDING_SAME, .activation = gt_relu),
                         gt_MaxPooling2D(2), gt_Flatten(), gt_Dense(10));
}

static gt_Tensor *block(gt_Tensor *x, int filters, int stride)
{
    gt_Tensor *h = x;
    for (int i = 0; i < 2; i++) {
        h = gt_call(gt_Conv2D(filters, 3, .strides = i ? 1 : stride, .padding = GT_PADDING_SAME,
                              .use_bias = false),
                    h);
        h = gt_call(gt_BatchNormalization(), h);
        h = i ? h : gt_relu(h);
    }
    if (stride > 1)
        x = gt_call(gt_Conv2D(filters, 1, .strides = stride, .padding = GT_PADDING_SAME), x);
    return gt_relu(gt_add(h, x));
}

/* Three stages of two blocks, 16, 32 and 64 channels. */
static gt_Layer *resnet(void)
{
    gt_Tensor *x = gt_Input(gt_shape(8, 8, 16)), *h = x;
    for (int i = 0; i < 6; i++)
        h = block(h, 16 << i / 2, i == 2 || i == 4 ? 2 : 1);
    h = gt_call(gt_Dense(10), gt_call(gt_GlobalAveragePooling2D(), h));
    return gt_Model(gt_tensors(x), gt_tensors(h));
}

static bool report_steps(Training *steps, int count)
{
    bool never = true;
    printf("\n%-32s %12s %12s %14s %12s %8s\n", "training steps, least, us", "eager", "planned",
           "first call", "allocations", "faults");
    for (int i = 0; i < count; i++) {
        const Training *t = &steps[i];
        printf("%-32s %12.1f %12.1f %14.1f %12lld %8ld\n", t->name, t->eager / 1e3,
               t->planned / 1e3, t->first / 1e3, (long long)t->allocations, t->faults);
        never &= t->allocations == 0 && t->faults == 0;
    }
    return never;
}

/* ---- threads ---- */

static void empty(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                  void *scratch)
{
    (void)kernel;
    (void)argument;
    (void)first;
    (void)last;
    (void)scratch;
}

static double handed_out(void)
{
    const gt_Spec spec = {.size = 1};
    double shortest = 1e9;
    gt_set_threads(2);
    const gt_Kernel kernel = {.context = gt_context(), .outputs = 1, .output_spec = {&spec}};
    for (int round = 0; round < 1000; round++) {
        double start = now_by(CLOCK_MONOTONIC);
        for (int i = 0; i < 20; i++)
            gt_for_tiles(&kernel, 8, empty, NULL);
        shortest = least(shortest, (now_by(CLOCK_MONOTONIC) - start) / 20);
    }
    gt_set_threads(1);
    return shortest;
}

/* ---- all ---- */

typedef struct Row {
    const char *name;
    double (*run)(int n);
    int n;
    double times[MOST_ROUNDS];
} Row;

static Row rows[] = {
    {"add, 4 elements", add, 20000, {0}},
    {"add a number", add_number, 20000, {0}},
    {"relu, 4 elements", relu, 20000, {0}},
    {"add (32, 128) + (128)", add_row, 4000, {0}},
    {"matmul 2 x 2", matmul, 20000, {0}},
    {"convolution, 4 x 4 by 2 x 2", convolution, 4000, {0}},
    {"max_pool, 4 x 4", max_pool, 10000, {0}},
    {"sum, 4 x 4", sum, 20000, {0}},
    {"softmax, 4 x 4", softmax, 20000, {0}},
    {"transpose, 4 x 4", transpose, 20000, {0}},
    {"slice, 2 x 2 of 4 x 4", slice, 20000, {0}},
    {"add under a tape", recorded, 20000, {0}},
    {"multiply, sum, gradient", gradient, 2000, {0}},
    {"step of a plan of 100 sums", planned_sums, 100, {0}},
    {"of 2,000", planned_sums, 2000, {0}},
    {"of 20,000", planned_sums, 20000, {0}},
    {"of 100 products", planned_products, 100, {0}},
    {"of 2,000", planned_products, 2000, {0}},
    {"of 20,000", planned_products, 20000, {0}},
    {"first call, a step: 100 sums", planned_sums_made, 100, {0}},
    {"of 2,000", planned_sums_made, 2000, {0}},
    {"of 20,000", planned_sums_made, 20000, {0}},
    {"of 100 products", planned_products_made, 100, {0}},
    {"of 2,000", planned_products_made, 2000, {0}},
    {"of 20,000", planned_products_made, 20000, {0}},
};
enum { ROWS = sizeof rows / sizeof *rows };

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report_rows(int rounds)
{
    printf("%-32s %12s %12s\n", "ns", "least", "median");
    for (int i = 0; i < ROWS; i++) {
        qsort(rows[i].times, (size_t)rounds, sizeof *rows[i].times, ascending);
        printf("%-32s %12.1f %12.1f\n", rows[i].name, rows[i].times[0], rows[i].times[rounds / 2]);
    }
}

/* The first context, and the first operation, which finds no memory yet. */
static void report_start(void)
{
    long faults[3];
    double times[3];
    faults[0] = page_faults();
    times[0] = now();
    gt_context();
    times[1] = now();
    faults[1] = page_faults();
    four = gt_variable(gt_array(gt_shape(4), 1, 2, 3, 4));
    times[2] = now();
    faults[2] = page_faults();
    printf("%s\n\n", gt_build_info());
    for (int i = 0; i < 2; i++)
        printf("%-32s %12.0f ns, new pages: %ld\n", i ? "first variable" : "first context",
               times[i + 1] - times[i], faults[i + 1] - faults[i]);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 7;
    rounds = rounds < 1 ? 1 : rounds > MOST_ROUNDS ? MOST_ROUNDS : rounds;
    report_start();
    other = gt_variable(gt_array(gt_shape(4), 5, 6, 7, 8));
    matrix = numbers(gt_shape(2, 2));
    square = numbers(gt_shape(4, 4));
    image = numbers(gt_shape(1, 4, 4, 1));
    filter = numbers(gt_shape(2, 2, 1, 1));
    wide = numbers(gt_shape(32, 128));
    row = numbers(gt_shape(128));
    Training steps[] = {
        training_of("MLP 16 - 32 - 10, batch 32",
                    gt_Sequential(gt_Dense(32, .activation = gt_relu), gt_Dense(10)),
                    gt_shape(32, 16), 200),
        training_of("MLP 784 - 128 - 10, batch 32",
                    gt_Sequential(gt_Dense(128, .activation = gt_relu), gt_Dense(10)),
                    gt_shape(32, 784), 50),
        training_of("CNN, 16 images 16 x 16", cnn(), gt_shape(16, 16, 16, 1), 10),
        training_of("LSTM 16 - 32, 16 steps, batch 8", gt_Sequential(gt_LSTM(32), gt_Dense(10)),
                    gt_shape(8, 16, 16), 20),
        training_of("ResNet, 6 blocks, 4 images 8 x 8", resnet(), gt_shape(4, 8, 8, 16), 10)};
    enum { STEPS = sizeof steps / sizeof *steps };
    for (int round = -1; round < rounds; round++) {
        for (int i = 0; i < ROWS; i++)
            rows[i].times[round < 0 ? 0 : round] = rows[i].run(rows[i].n);
        for (int i = 0; i < STEPS; i++)
            measure(&steps[i]);
        for (int i = 0; i < STEPS && round < 0; i++) /* round -1 finds the memory */
            steps[i].faults = 0, steps[i].allocations = 0;
    }
    report_rows(rounds);
    const bool never = report_steps(steps, STEPS);
    printf("\n%-32s %12.1f ns\n", "a job for two threads, least", handed_out());
    if (gt_status() != GT_OK)
        fprintf(stderr, "%s\n", gt_error_message());
    if (!never)
        fprintf(stderr, "a step that was seen before asked for memory, or touched a new page\n");
    const bool failed = gt_status() != GT_OK || !never;
    for (int i = 0; i < STEPS; i++) {
        gt_function_free(steps[i].function);
        gt_layer_free(steps[i].model);
        gt_optimizer_free(steps[i].optimizer);
    }
    gt_context_free(NULL);
    return failed;
}
