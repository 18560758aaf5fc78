/* gradtape bench: how long a prediction and a training step of a model take. */
#include "cli/json.h"
#include "cli/network.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct {
    int64_t batch, length, threads;
    double seconds;
    bool profile;
} given = {.batch = 32, .length = 32, .threads = 1, .seconds = 1};

static const Option options[] = {
    {"batch", 'b', OPTION_INTEGER, &given.batch, "N", "rows at a time"},
    {"length", 'n', OPTION_INTEGER, &given.length, "N",
     "of other sizes that the model leaves open, such as time"},
    {"threads", 't', OPTION_INTEGER, &given.threads, "N", "that compute"},
    {"seconds", 0, OPTION_NUMBER, &given.seconds, "S", "that each of the two is run for"},
    {"profile", 'p', OPTION_FLAG, &given.profile, NULL,
     "the steps of the plans as well, with the mean time of each"},
    {NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

enum { MOST_INPUTS = 32, MOST_OUTPUTS = 8, MOST_RUNS = 100000 };

typedef struct Bench {
    gt_Layer *model;
    gt_Optimizer *optimizer;
    gt_Tensor *inputs[MOST_INPUTS];
    int count, outputs;
    bool classes; /* the output is probabilities of classes; else any numbers */
    gt_Tensor *labels;
} Bench;

/* ---- inputs ---- */

/* "[-1, 28, 28]", with sizes for what is open. False: told. */
static bool read_shape(Json shape, gt_Shape *into)
{
    Json size;
    int64_t dims[16];
    int rank = 0;
    for (const char *at = NULL; json_next(shape, &at, NULL, &size) && rank < 16; rank++) {
        dims[rank] = rank == 0 ? given.batch : strtoll(size.text, NULL, 10);
        if (dims[rank] < 0)
            dims[rank] = given.length;
    }
    *into = gt_shape_of(rank, dims);
    return rank > 0 || (fail("an input has no axis for rows"), false);
}

/* Numbers from 0 to 1; of integers, which may be numbers of words, zeros. */
static gt_Tensor *some_input(gt_Shape shape, const char *dtype)
{
    static const gt_DType types[] = {GT_FLOAT32, GT_FLOAT64, GT_FLOAT16, GT_BFLOAT16,
                                     GT_INT32,   GT_INT64,   GT_UINT8,   GT_BOOL};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(gt_dtype_name(types[i]), dtype) == 0)
            return gt_dtype_is_float(types[i]) ? gt_cast(gt_uniform(shape), types[i])
                                               : gt_zeros(shape, .dtype = types[i]);
    fail("an input of dtype %s cannot be timed", dtype);
    return NULL;
}

/* The inputs that the architecture names, or that the model was built for. */
static bool make_inputs(Bench *bench, const char *architecture)
{
    size_t wrong;
    Json whole = json_of(architecture, strlen(architecture), &wrong), item;
    Json list = json_find(json_find(whole, "model"), "inputs");
    if (!list.text)
        list = json_find(whole, "built_for");
    for (const char *at = NULL; json_next(list, &at, NULL, &item);) {
        char dtype[32];
        gt_Shape shape;
        if (bench->count == MOST_INPUTS ||
            !json_string(json_find(item, "dtype"), dtype, sizeof dtype) ||
            !read_shape(json_find(item, "shape"), &shape) ||
            !(bench->inputs[bench->count] = some_input(shape, dtype)))
            return false;
        bench->count++;
    }
    bench->outputs = gt_layer_outputs(bench->model);
    if (bench->outputs > MOST_OUTPUTS)
        bench->outputs = MOST_OUTPUTS;
    return bench->count > 0 ||
           (fail("the model was saved before it was built: its inputs are not known"), false);
}

/* ---- what is timed ---- */

static gt_Status call(const Bench *bench, gt_Tensor *const *in, bool training, gt_Tensor **outputs)
{
    gt_Tensor **others[MOST_OUTPUTS],
        **more = bench->count > 1 ? (gt_Tensor **)(uintptr_t)(in + 1) : NULL;
    for (int i = 1; i < bench->outputs; i++)
        others[i - 1] = &outputs[i];
    others[bench->outputs - 1] = GT_LIST_END;
    outputs[0] = gt_call(bench->model, in[0], .training = training,
                         .more = {more, bench->count - 1}, .outputs = {others});
    return gt_status();
}

static gt_Status predict(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return call(context, in, false, out);
}

/* The loss of one output: crossentropy of classes, or the mean of squares. */
static gt_Tensor *loss_of(const Bench *bench, gt_Tensor *output)
{
    return bench->classes
               ? gt_compute_loss(gt_SparseCategoricalCrossentropy(), bench->labels, output)
               : gt_mean(gt_square(gt_cast(output, GT_FLOAT32)));
}

static gt_Status train(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Bench *bench = context;
    gt_Tensor *outputs[MOST_OUTPUTS] = {NULL}, *loss = NULL;
    gt_Tape *tape = gt_tape_begin();
    call(bench, in, true, outputs);
    for (int i = 0; i < bench->outputs && gt_status() == GT_OK; i++)
        loss = i == 0 ? loss_of(bench, outputs[i]) : gt_add(loss, loss_of(bench, outputs[i]));
    gt_minimize(bench->optimizer, tape, loss, gt_trainable_variables(bench->model));
    out[0] = gt_keep(loss);
    return gt_tape_end(tape);
}

/* ---- timing ---- */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double run_once(gt_Function *function, const Bench *bench)
{
    gt_Tensor *outputs[MOST_OUTPUTS] = {NULL};
    gt_Scope *scope = gt_scope_begin();
    double began = seconds();
    gt_function_call(function, ((gt_Tensors){(gt_Tensor **)(uintptr_t)bench->inputs, bench->count}),
                     outputs);
    double took = seconds() - began;
    gt_scope_end(scope);
    return took;
}

static void print_time(double time)
{
    if (time < 1e-3)
        printf("%9.1f us", time * 1e6);
    else if (time < 1)
        printf("%9.2f ms", time * 1e3);
    else
        printf("%9.3f s ", time);
}

/* Least and median of its runs, after two that make the plan. */
static gt_Status time_runs(const char *name, gt_Function *function, const Bench *bench)
{
    static double times[MOST_RUNS];
    int count = 0;
    run_once(function, bench);
    run_once(function, bench);
    for (double began = seconds(); gt_status() == GT_OK && count < MOST_RUNS &&
                                   (count < 3 || seconds() - began < given.seconds);)
        times[count++] = run_once(function, bench);
    if (gt_status() != GT_OK)
        return gt_status();
    qsort(times, (size_t)count, sizeof *times, compare);
    gt_FunctionStats stats = gt_function_stats(function);
    printf("%-11s", name);
    print_time(times[0]);
    print_time(times[count / 2]);
    printf("%9d %9d %11.1f KB %11.0f\n", count, (int)stats.operations, (double)stats.bytes / 1024,
           (double)given.batch / times[0]);
    return gt_status();
}

static gt_Status print_profile(const char *name, gt_Function *function, const Bench *bench)
{
    gt_function_profile(function, true);
    for (double began = seconds(); gt_status() == GT_OK && seconds() - began < given.seconds / 2;)
        run_once(function, bench);
    const char *text = gt_function_print(function);
    if (*text)
        printf("\n%s, step by step:\n%s", name, text);
    return gt_status();
}

static void print_shapes(const Bench *bench)
{
    char text[96];
    for (int i = 0; i < bench->count; i++)
        printf("%-11s %s %s\n", "input", gt_dtype_name(gt_dtype(bench->inputs[i])),
               gt_shape_text(gt_tensor_shape(bench->inputs[i]), text, sizeof text));
}

static void print_weights(gt_Tensors weights)
{
    int64_t elements = 0, bytes = 0;
    for (int32_t i = 0; i < weights.count; i++) {
        elements += gt_size(weights.items[i]);
        bytes += gt_size(weights.items[i]) * (int64_t)gt_dtype_size(gt_dtype(weights.items[i]));
    }
    printf("%-11s %lld in %d tensors, %.1f KB\n\n", "weights", (long long)elements,
           (int)weights.count, (double)bytes / 1024);
}

/* Looks at the outputs once. */
static bool prepare(Bench *bench)
{
    gt_Tensor *outputs[MOST_OUTPUTS] = {NULL};
    if (call(bench, bench->inputs, false, outputs) != GT_OK)
        return false;
    gt_Shape shape = gt_tensor_shape(outputs[0]);
    bench->classes = bench->outputs == 1 && gt_class_count(bench->model) > 0 && shape.rank == 2;
    bench->labels = gt_zeros(gt_shape(shape.dims[0]), .dtype = GT_INT32);
    bench->optimizer = gt_compiled_optimizer(bench->model);
    if (!bench->optimizer) {
        gt_error_clear();
        bench->optimizer = gt_Adam(1e-3);
    }
    return gt_optimizer_build(bench->optimizer, gt_trainable_variables(bench->model)) == GT_OK;
}

static int measure(Bench *bench)
{
    static const char *const names[] = {"prediction", "training"};
    bool trains = gt_trainable_variables(bench->model).count > 0;
    gt_Function *functions[2] = {gt_function(predict, bench, .outputs = bench->outputs),
                                 trains ? gt_function(train, bench) : NULL};
    printf("%s\n", gt_build_info());
    print_shapes(bench);
    print_weights(gt_weights(bench->model));
    printf("%-11s%9s   %9s   %9s%10s%15s%12s\n", "", "least", "median", "runs", "kernels", "memory",
           "rows/s");
    for (int i = 0; i < 1 + trains && gt_status() == GT_OK; i++)
        time_runs(names[i], functions[i], bench);
    printf("\nthe most memory at a time, with weights, optimizer and inputs: %.1f KB\n",
           (double)gt_memory_stats().bytes_peak / 1024);
    for (int i = 0; i < 1 + trains && given.profile && gt_status() == GT_OK; i++)
        print_profile(names[i], functions[i], bench);
    return gt_status() == GT_OK ? finish_output(stdout, "standard output") : EXIT_FAILURE;
}

static int run(const char **operands)
{
    static Bench bench;
    if (given.batch < 1 || given.length < 1 || given.threads < 1 || given.seconds <= 0)
        return misuse("--batch, --length and --threads must be at least 1, --seconds above 0");
    gt_set_threads(given.threads < INT32_MAX ? (int)given.threads : INT32_MAX);
    const char *text = network_text(operands[0]);
    bench.model = text ? gt_load_model(operands[0]) : NULL;
    return bench.model && make_inputs(&bench, text) && prepare(&bench) ? measure(&bench)
                                                                       : EXIT_FAILURE;
}

const Command bench_command = {
    .name = "bench",
    .operands = "MODEL",
    .operand_count = 1,
    .summary = "Says how long a prediction and a training step take",
    .more = "Of random rows, in memory: the least and the median of the runs, kernels of a run, "
            "the memory that its "
            "plan shares\n"
            "for all that is computed on the way, and rows a second. A training step is the model, "
            "its loss, the "
            "gradients and\n"
            "the optimizer (that of the file; none: Adam). --profile prints the plans: each step "
            "with the mean time "
            "that it takes.\n"
            "The file is not changed.\n",
    .options = options,
    .run = run,
};
