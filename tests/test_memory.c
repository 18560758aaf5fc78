/* Memory that runs out. A program that builds, trains, plans, saves and loads runs again and again,
 * each time with another allocation failing, until it comes through without: first that allocation
 * alone, then everything from it on until the error is cleared. Each failure must be GT_NO_MEMORY,
 * must leave weights and optimizer as they were, and what failed must work when it is done again,
 * to the same numbers. In the end nothing is lost. Once with the pools that programs use, once with
 * every block from the allocator by itself (`.pooling = false`). */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <criterion/criterion.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/structs.h"
#include "gradtape.h"
#include "budget.h"
#include "leaks.h"

/* ---- an allocator that fails on demand ---- */

typedef struct Host {
    int64_t calls, fail_at; /* 0: never */
    bool for_good;          /* everything from fail_at on, until fail_at is 0 again */
    bool counting;          /* not while the test itself looks at things */
    int64_t failed, blocks, bytes;
} Host;

static void *host_allocate(void *user, size_t size, size_t alignment)
{
    Host *host = user;
    void *memory = NULL;
    host->calls += host->counting;
    if (host->counting && host->fail_at &&
        (host->calls == host->fail_at || (host->for_good && host->calls > host->fail_at))) {
        host->failed++;
        return NULL;
    }
    if (posix_memalign(&memory, alignment, size) != 0)
        abort();
    memset(memory, 0xA5, size);
    host->blocks++;
    host->bytes += (int64_t)size;
    return memory;
}

static void host_release(void *user, void *memory, size_t size)
{
    Host *host = user;
    memset(memory, 0x5A, size);
    host->blocks--;
    host->bytes -= (int64_t)size;
    free(memory);
}

/* ---- the programs ---- */

enum { FRAMES = 1 << 14, STEPS = 2 };

typedef struct Run {
    Host host;
    gt_Context *context;
    gt_Layer *model;
    gt_Optimizer *adam;
    gt_Function *function;
    gt_Dataset *dataset;
    const char *failed_stage;
    char message[200], path[64];
    /* what came out, and weights and optimizer as they were before the stage */
    size_t bytes, bytes_before;
    char out[FRAMES], before[FRAMES];
} Run;

static void put(char *into, size_t *bytes, const void *data, size_t size)
{
    cr_assert(*bytes + size <= FRAMES);
    memcpy(into + *bytes, data, size);
    *bytes += size;
}

static void put_variables(char *into, size_t *bytes, gt_Tensors variables)
{
    for (int i = 0; i < variables.count; i++) {
        const gt_Spec spec = gt_spec(variables.items[i]);
        put(into, bytes, gt_data(variables.items[i]), gt_spec_bytes(&spec));
    }
}

static void put_state(Run *run, char *into, size_t *bytes)
{
    if (run->model && gt_layer_built(run->model))
        put_variables(into, bytes, gt_trainable_variables(run->model));
    if (run->adam && gt_optimizer_built(run->adam))
        put_variables(into, bytes, gt_optimizer_variables(run->adam));
    cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message());
}

static gt_Status make_model(Run *run)
{
    run->model = gt_Sequential(gt_Dense(6, .activation = gt_tanh), gt_Dropout(0.5),
                               gt_Dense(3, .kernel_regularizer = gt_L2(0.01)));
    return gt_status();
}

static gt_Status make_adam(Run *run)
{
    run->adam = gt_Adam(0.01, .amsgrad = true, .global_clipnorm = 1);
    return gt_status();
}

static gt_Status step(void *argument, gt_Tensor *const *in, gt_Tensor **out)
{
    Run *run = argument;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *logits = gt_call(run->model, in[0], .training = true);
    gt_Tensor *loss = gt_sparse_categorical_crossentropy(in[1], logits, .from_logits = true);
    gt_Tensor *total = gt_total_loss(run->model, loss);
    gt_minimize(run->adam, tape, total, gt_trainable_variables(run->model));
    out[0] = gt_keep(total);
    gt_tape_end(tape);
    return gt_status();
}

static gt_Status make_function(Run *run)
{
    run->function = gt_function(step, run, .outputs = 1);
    return gt_status();
}

static gt_Status train(Run *run, bool planned)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array(gt_shape(4, 2), 0, 1, 1, 0, -1, 0, 0.5, 2);
    gt_Tensor *y = gt_cast(gt_array(gt_shape(4), 0, 1, 2, 1), GT_INT64);
    gt_Tensor *loss = NULL;
    if (planned)
        gt_function_call(run->function, gt_tensors(x, y), &loss);
    else if (gt_status() == GT_OK)
        step(run, (gt_Tensor *[]){x, y}, &loss);
    if (gt_status() == GT_OK) {
        double item = gt_item(loss);
        put(run->out, &run->bytes, &item, sizeof item);
    }
    gt_scope_end(scope);
    return gt_status();
}

static gt_Status train_eagerly(Run *run)
{
    return train(run, false);
}

static gt_Status train_planned(Run *run)
{
    return train(run, true);
}

/* Gradients of gradients, a persistent tape, a tape inside a tape, and words about it. */
static gt_Status curvature(Run *run)
{
    gt_Tape *outer = gt_tape_begin(.persistent = true);
    gt_Tensor *x = gt_array64(gt_shape(3), 0.5, 1, 2);
    if (gt_status() == GT_OK)
        gt_watch(outer, x);
    gt_Tape *inner = gt_tape_begin();
    if (gt_status() == GT_OK)
        gt_watch(inner, x);
    gt_Tensor *y = gt_sum(gt_multiply(gt_exp(x), gt_log(gt_softmax(x))));
    gt_Tensor *slope = gt_gradient(inner, y, x);
    gt_tape_end(inner);
    gt_Tensor *curve = gt_gradient(outer, slope, x);
    if (gt_status() == GT_OK)
        gt_explain_gradient(outer, slope, x);
    if (gt_status() == GT_OK)
        put(run->out, &run->bytes, gt_float64_data(curve), 3 * sizeof(double));
    gt_tape_end(outer);
    return gt_status();
}

static gt_Status save_and_load(Run *run)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensors list = gt_trainable_variables(run->model);
    gt_NamedTensor named[8];
    char names[8][64] = {{0}};
    for (int i = 0; i < list.count && gt_status() == GT_OK; i++) {
        snprintf(names[i], sizeof names[i], "%s", gt_variable_path(run->model, list.items[i]));
        named[i] = (gt_NamedTensor){names[i], list.items[i]};
    }
    gt_save_tensors(run->path, ((gt_NamedTensors){named, list.count}),
                    .metadata = gt_metadata({"epoch", "12"}));
    gt_TensorFile *file = gt_open_tensors(run->path);
    for (int i = 0; i < list.count && gt_status() == GT_OK; i++) {
        gt_Tensor *loaded = gt_tensor_file_load_named(file, named[i].name);
        const gt_Spec spec = gt_spec(list.items[i]);
        if (loaded)
            cr_assert_eq(memcmp(gt_data(loaded), gt_data(list.items[i]), gt_spec_bytes(&spec)), 0);
    }
    gt_tensor_file_free(file);
    gt_scope_end(scope);
    unlink(run->path);
    return gt_status();
}

static gt_Status table_of_text(Run *run)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array(gt_shape(2, 3), 1, 2, 3, 4, 5, 6);
    gt_save_csv(run->path, x);
    gt_Tensor *y = gt_load_csv(run->path);
    if (gt_status() == GT_OK)
        put(run->out, &run->bytes, gt_float32_data(y), 6 * sizeof(float));
    gt_scope_end(scope);
    unlink(run->path);
    return gt_status();
}

static gt_Status words(Run *run)
{
    gt_summary(run->model);
    gt_set_threads(2);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_normal(gt_shape(64, 64), .generator = NULL);
    gt_take(gt_matmul(x, gt_transpose(x)), gt_argmax(x, .axis = 0), .axis = 0);
    gt_scope_end(scope);
    if (gt_status() == GT_OK)
        gt_set_threads(1);
    return gt_status();
}

static gt_Status variables_and_names(Run *run)
{
    (void)run;
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *a = gt_variable(gt_array(gt_shape(2), 1, 2), .name = "a");
    gt_Variable *g = gt_generator(7);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *before = gt_square(a);
    gt_assign(a, gt_uniform(gt_shape(2), .generator = g)); /* the tape holds the old value */
    gt_gradient(tape, before, a);
    gt_tape_end(tape);
    gt_variable_free(a);
    gt_variable_free(g);
    gt_scope_end(scope);
    return gt_status();
}

static gt_Status make_dataset(Run *run)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_normal(gt_shape(10, 2), .generator = NULL);
    gt_Tensor *y = gt_cast(gt_array(gt_shape(10), 0, 1, 2, 0, 1, 2, 0, 1, 2, 0), GT_INT32);
    run->dataset = gt_dataset_from_tensors(x, y, .batch_size = 4, .shuffle = true, .seed = 3);
    gt_scope_end(scope);
    return gt_status();
}

static gt_Status compile(Run *run)
{
    return gt_compile(run->model, .optimizer = gt_Adam(0.01),
                      .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
                      .metrics = gt_metrics(gt_Accuracy()));
}

static gt_Status fit(Run *run)
{
    gt_DatasetPosition at = gt_dataset_position(run->dataset);
    int64_t done = at.epoch + (at.row == gt_dataset_size(run->dataset)); /* failed behind its steps */
    gt_History *history = gt_fit(run->model, run->dataset, .epochs = 2, .initial_epoch = done,
                                 .verbose = GT_VERBOSITY_SILENT, .validation = run->dataset);
    gt_history_free(history);
    return gt_status();
}

static gt_Status evaluate(Run *run)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Scores scores = gt_evaluate(run->model, run->dataset);
    gt_Tensor *guess = gt_predict(run->model, run->dataset);
    if (gt_status() == GT_OK) {
        put(run->out, &run->bytes, &scores.loss, sizeof scores.loss);
        put(run->out, &run->bytes, gt_float32_data(guess), 30 * sizeof(float));
        put_variables(run->out, &run->bytes, gt_variables(run->model));
        put_variables(run->out, &run->bytes,
                      gt_optimizer_variables(gt_compiled_optimizer(run->model)));
    }
    gt_scope_end(scope);
    return gt_status();
}

static gt_Status checkpoint(Run *run)
{
    gt_save_checkpoint(run->path, run->model, .dataset = run->dataset);
    gt_load_checkpoint(run->path, run->model, .dataset = run->dataset);
    gt_save_weights(run->model, run->path);
    gt_load_weights(run->model, run->path);
    unlink(run->path);
    return gt_status();
}

typedef struct Stage {
    const char *name;
    gt_Status (*run)(Run *run);
    bool resumes; /* what was done before the failure stays done */
} Stage;

static const Stage training[] = {
    {"model", make_model, false},           {"adam", make_adam, false},
    {"eager step", train_eagerly, false},   {"second eager step", train_eagerly, false},
    {"function", make_function, false},     {"traced step", train_planned, false},
    {"planned step", train_planned, false}, {NULL, NULL, false},
};
static const Stage others[] = {
    {"model", make_model, false},
    {"adam", make_adam, false},
    {"eager step", train_eagerly, false},
    {"curvature", curvature, false},
    {"save and load", save_and_load, false},
    {"csv", table_of_text, false},
    {"words", words, false},
    {"variables", variables_and_names, false},
    {NULL, NULL, false},
};

static const Stage fitting[] = {
    {"model", make_model, false},  {"dataset", make_dataset, false},
    {"compile", compile, false},   {"fit", fit, true},
    {"evaluate", evaluate, false}, {"checkpoint", checkpoint, false},
    {NULL, NULL, false},
};

/* ---- running one with a failure ---- */

/* Bytes in use, less what is kept on purpose: freed objects that wait, slots, scratch. */
static int64_t bytes_held(gt_Context *context)
{
    int64_t bytes = context->memory.bytes_in_use;
    for (const gt_Object *object = context->quarantine_first; object; object = object->next)
        bytes -= (int64_t)object->bytes;
    bytes -= (context->free_slots + context->memory.handles) * (int64_t)sizeof(gt_Slot);
    for (int i = 0; i < GT_MAX_THREADS; i++)
        bytes -= (int64_t)context->scratch_bytes[i];
    return bytes;
}

/* The model may be half built: its layers are built one by one at the first call. */
static gt_Variable *dropout_state(Run *run)
{
    gt_Layer *dropout = run->model ? gt_get_layer(run->model, 1) : NULL;
    return dropout && gt_layer_built(dropout) ? gt_variables(dropout).items[0] : NULL;
}

static void run_stage(Run *run, const Stage *stage)
{
    run->bytes_before = 0;
    gt_set_seed(5);
    put_state(run, run->before, &run->bytes_before);
    bool built = run->adam && gt_optimizer_built(run->adam);
    gt_Variable *generator = dropout_state(run);
    int64_t state[2] = {0};
    if (generator)
        memcpy(state, gt_data(generator), sizeof state);
    int64_t failed = run->host.failed;
    gt_MemoryStats memory = run->context->memory;
    size_t out = run->bytes;
    cr_assert_eq(gt_status(), GT_OK, "%s: %s", stage->name, gt_error_message());

    run->host.counting = true;
    gt_Status status = stage->run(run);
    run->host.counting = false;
    cr_assert_eq(status, gt_status());
    if (run->host.failed == failed) {
        cr_assert_eq(status, GT_OK, "%s: %s", stage->name, gt_error_message());
        return;
    }
    /* A pool that has large free blocks gives them back and asks once more. */
    if (status == GT_OK && !run->context->unpooled && !run->host.for_good) {
        run->host.fail_at = 0;
        return;
    }
    cr_assert_eq(status, GT_NO_MEMORY, "%s: allocation %d failed, and the status is \"%s\": %s",
                 stage->name, (int)run->host.fail_at, gt_status_text(status), gt_error_message());
    run->failed_stage = stage->name;
    snprintf(run->message, sizeof run->message, "%s", gt_error_message());
    run->host.fail_at = 0;
    gt_error_clear();
    cr_assert_eq(run->context->memory.handles - run->context->memory.variables,
                 memory.handles - memory.variables, "%s: handles were lost", stage->name);
    cr_assert_eq(run->context->memory.records, memory.records, "%s: records", stage->name);
    cr_assert(!run->context->trace && run->context->innermost_tape < 0 &&
                  run->context->scope == &run->context->root && !run->context->frame &&
                  !run->context->here && !run->context->composing && !run->context->applying,
              "%s: something was left open", stage->name);
    if (built && !stage->resumes) {
        char now[FRAMES];
        size_t bytes = 0;
        put_state(run, now, &bytes);
        cr_assert(bytes == run->bytes_before && memcmp(now, run->before, bytes) == 0,
                  "%s: half an update was made", stage->name);
    }
    /* Numbers were drawn, perhaps: the generator goes back, to its beginning if it is new. */
    gt_Variable *now = dropout_state(run);
    if (now && !generator)
        state[0] = gt_int64_data(now)[0];
    if (now && !stage->resumes)
        gt_variable_set(now, state, sizeof state);
    run->bytes = out;
    gt_set_seed(5);
    status = stage->run(run);
    cr_assert_eq(status, GT_OK, "%s, again: %s", stage->name, gt_error_message());
}

static void run_program(Run *run, const Stage *stages, bool pooling)
{
    const gt_Allocator allocator = {host_allocate, host_release, &run->host};
    run->bytes = 0;
    run->model = NULL;
    run->adam = NULL;
    run->function = NULL;
    run->dataset = NULL;
    snprintf(run->path, sizeof run->path, "/tmp/gradtape-memory-%ld", (long)getpid());
    run->host.counting = true;
    run->context = gt_context_create(.allocator = &allocator, .pooling = pooling, .threads = 1);
    run->host.counting = false;
    if (!run->context) {
        cr_assert_eq(run->host.failed, 1);
        run->host.fail_at = 0;
        run->context = gt_context_create(.allocator = &allocator, .pooling = pooling, .threads = 1);
    }
    gt_context_use(run->context);
    for (const Stage *stage = stages; stage->name; stage++)
        run_stage(run, stage);
    put_state(run, run->out, &run->bytes);
    gt_function_free(run->function);
    gt_optimizer_free(run->adam);
    gt_layer_free(run->model);
    gt_dataset_free(run->dataset);
}

static void every_allocation(const char *name, const Stage *stages, bool pooling, bool for_good)
{
    static Run whole, run;
    int64_t tried = 0;
    whole.host = (Host){0};
    run_program(&whole, stages, pooling);
    int64_t held = bytes_held(whole.context);
    gt_context_free(whole.context);
    cr_assert(whole.host.blocks == 0 && whole.host.bytes == 0);
    for (;;) {
        run.host = (Host){.fail_at = tried + 1, .for_good = for_good};
        run_program(&run, stages, pooling);
        bool failed = run.host.failed > 0;
        if (failed)
            tried++;
        cr_assert(run.bytes == whole.bytes && memcmp(run.out, whole.out, run.bytes) == 0,
                  "%s: other numbers after allocation %d failed, in %s: %s", name, (int)tried,
                  run.failed_stage, run.message);
        cr_assert(pooling || bytes_held(run.context) == held,
                  "%s: %d bytes were lost when allocation %d failed", name,
                  (int)(bytes_held(run.context) - held), (int)tried);
        gt_context_free(run.context);
        cr_assert(run.host.blocks == 0 && run.host.bytes == 0);
        if (!failed)
            break;
    }
    fprintf(stderr, "%s, %s, %s: %d allocations failed in turn\n", name,
            pooling ? "pooled" : "one by one", for_good ? "and all after it" : "alone", (int)tried);
    cr_assert(tried > (pooling ? 10 : 200));
    assert_no_leaks();
}

Test(memory, training_pooled)
{
    every_allocation("training", training, true, false);
    every_allocation("training", training, true, true);
}

Test(memory, training_each)
{
    every_allocation("training", training, false, false);
}

Test(memory, training_each_for_good)
{
    every_allocation("training", training, false, true);
}

Test(memory, others_pooled)
{
    every_allocation("the rest", others, true, false);
    every_allocation("the rest", others, true, true);
}

Test(memory, others_each)
{
    every_allocation("the rest", others, false, false);
}

Test(memory, others_each_for_good)
{
    every_allocation("the rest", others, false, true);
}

Test(memory, fitting)
{
    every_allocation("fit", fitting, true, false);
    every_allocation("fit", fitting, true, true);
}

Test(memory, fitting_each)
{
    every_allocation("fit", fitting, false, false);
}

Test(memory, fitting_each_for_good)
{
    every_allocation("fit", fitting, false, true);
}

/* ---- counting ---- */

/* What is counted is not copied into a wider type first. */
Test(memory, counting_takes_no_copy)
{
    size_t bytes = (size_t)32 << 20;
    uint8_t *flags = calloc(bytes, 1);
    cr_assert(flags != NULL, "no memory");
    for (size_t i = 0; i < bytes; i += 1000)
        flags[i] = 1;
    double count = (double)((bytes + 999) / 1000);
    Budget budget = {.left = LONG_MAX, .most = (size_t)4 << 20};
    const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
    gt_Context *before = gt_context_use(gt_context_create(.allocator = &allocator, .threads = 1));
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_from_buffer(flags, gt_shape((int64_t)bytes), GT_BOOL);
    gt_Tensor *table = gt_from_buffer(flags, gt_shape(1 << 15, 1 << 10), GT_BOOL);
    gt_Tensor *whole = gt_from_buffer(flags, gt_shape((int64_t)bytes), GT_UINT8);
    cr_assert(gt_item(gt_count_nonzero(x)) == count, "bool: %s", gt_error_message());
    cr_assert(gt_item(gt_sum(x)) == count, "sum of bool: %s", gt_error_message());
    cr_assert(gt_item(gt_sum(whole)) == count, "sum of uint8: %s", gt_error_message());
    cr_assert(gt_item(gt_sum(gt_count_nonzero(table, .axis = 0))) == count, "columns: %s",
              gt_error_message());
    cr_assert(gt_item(gt_sum(gt_count_nonzero(table, .axis = 1))) == count, "rows: %s",
              gt_error_message());
    gt_Tensor *places = gt_nonzero(x);
    cr_assert(places && gt_size(places) == (int64_t)count && gt_element(places, 7) == 7000,
              "nonzero: %s", gt_error_message());
    cr_assert(gt_dtype(gt_sum(x)) == GT_INT32, "a small count");
    free(flags);

    /* 2^31 of them, more than int32 counts; the system maps the same page of zeros all over */
    size_t large = (size_t)1 << 31;
    void *zeros = mmap(NULL, large, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (zeros != MAP_FAILED) {
        gt_Tensor *y = gt_from_buffer(zeros, gt_shape((int64_t)large), GT_BOOL);
        gt_Tensor *none = gt_count_nonzero(y);
        cr_assert(none && gt_dtype(none) == GT_INT64 && gt_item(none) == 0, "2^31: %s",
                  gt_error_message());
        munmap(zeros, large);
    }
    gt_scope_end(scope);
    gt_context_free(NULL);
    cr_assert(budget.held == 0, "%ld blocks held", budget.held);
    gt_context_use(before);
}

/* Blocks of one size that wait in the pool are no reason why there are none of another size. */
Test(memory, free_blocks_go_back_in_time)
{
    Budget budget = {.left = LONG_MAX, .most = (size_t)4 << 20};
    const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
    gt_Context *context = gt_context_create(.allocator = &allocator, .threads = 1),
               *before = gt_context_use(context);
    for (int round = 0; round < 3; round++)
        for (int pieces = 1; pieces < 4; pieces++) {
            gt_Scope *scope = gt_scope_begin();
            for (int i = 0; i < pieces; i++)
                gt_zeros(gt_shape((3 << 18) / pieces));
            cr_assert(gt_status() == GT_OK, "%d of %d: %s", pieces, round, gt_error_message());
            gt_scope_end(scope);
        }
    gt_zeros(gt_shape(1 << 20));
    cr_assert(gt_status() == GT_NO_MEMORY);
    gt_context_use(before);
    gt_context_free(context);
    cr_assert(budget.held == 0);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* An allocator whose newest block is known, and was painted. */
typedef struct Painted {
    Budget budget;
    unsigned char *block;
    size_t bytes;
} Painted;

static void *painted_allocate(void *user, size_t size, size_t alignment)
{
    Painted *painted = user;
    painted->block = budget_allocate(&painted->budget, size, alignment);
    painted->bytes = size;
    return painted->block ? memset(painted->block, 0xa5, size) : NULL;
}

/* Of a slab of many blocks only those are touched that somebody wanted: the system gives the others no pages. */
Test(memory, slabs_are_cut_when_blocks_are_wanted)
{
    Painted painted = {.budget = {.left = LONG_MAX}};
    const gt_Allocator allocator = {painted_allocate, budget_release, &painted.budget};
    gt_Context *context = gt_context_create(.allocator = &allocator, .threads = 1),
               *before = gt_context_use(context);
    gt_Scope *scope = gt_scope_begin();
    for (int i = 0; i < 3; i++)
        gt_zeros(gt_shape(1)); /* memory for handles is there then */
    gt_Tensor *first = gt_zeros(gt_shape(5000));
    const unsigned char *slab = painted.block;
    const size_t bytes = painted.bytes, head = 64, size = 20480; /* of a block for 20000 bytes */
    const int64_t calls = gt_memory_stats().allocator_calls;
    cr_assert(first && bytes > head + 3 * size && (bytes - head) % size == 0, "%zu bytes", bytes);
    cr_assert_eq((const unsigned char *)gt_data(first), slab + head);
#ifndef __SANITIZE_ADDRESS__ /* it forbids to look */
    for (size_t i = head + size; i < bytes; i++)
        cr_assert(slab[i] == 0xa5, "byte %zu of %zu was written", i, bytes);
#endif
    for (size_t at = head + size; at < bytes; at += size)
        cr_assert_eq((const unsigned char *)gt_data(gt_zeros(gt_shape(5000))), slab + at);
    cr_assert_eq(gt_memory_stats().allocator_calls, calls);
    gt_zeros(gt_shape(5000));
    cr_assert_eq(gt_memory_stats().allocator_calls, calls + 1, "the slab was used up");
    gt_scope_end(scope);
    gt_context_use(before);
    gt_context_free(context);
    cr_assert_eq(painted.budget.held, 0);
}

/* ---- a step that was seen before ---- */

typedef struct Learner {
    gt_Layer *model;
    gt_Optimizer *optimizer;
} Learner;

static gt_Status learn(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    const Learner *self = user;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_sparse_categorical_crossentropy(
        in[1], gt_call(self->model, in[0], .training = true), .from_logits = true);
    gt_minimize(self->optimizer, tape, loss, gt_trainable_variables(self->model));
    out[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

/* Neither the allocator nor the system is asked for memory: no page is touched for the first time, but by a worker that had
 * nothing to do so far. */
static void assert_step_asks_for_nothing(gt_Layer *model, gt_Shape shape, bool planned, int threads)
{
    Learner self = {model, gt_Adam(1e-3)};
    gt_Function *step = gt_function(learn, &self, .outputs = 1);
    gt_Tensor *x = gt_uniform(shape), *y = gt_zeros(gt_shape(shape.dims[0]), .dtype = GT_INT32),
              *loss = NULL;
    gt_MemoryStats before = gt_memory_stats();
    struct rusage use, after;
    gt_set_threads(threads);
    for (int i = 0; i < 30; i++) {
        if (i == 10) {
            before = gt_memory_stats();
            getrusage(RUSAGE_SELF, &use);
        }
        gt_Scope *scope = gt_scope_begin();
        if (planned)
            gt_function_call(step, gt_tensors(x, y), &loss);
        else
            learn(&self, (gt_Tensor *[]){x, y}, &loss);
        gt_scope_end(scope);
    }
    getrusage(RUSAGE_SELF, &after);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    cr_assert_eq(gt_memory_stats().allocator_calls, before.allocator_calls);
#ifndef __SANITIZE_ADDRESS__ /* it takes memory for what it knows about memory */
    cr_assert(threads > 1 || after.ru_minflt == use.ru_minflt,
              "%ld pages touched first, planned %d, threads %d", after.ru_minflt - use.ru_minflt,
              planned, threads);
#endif
    gt_set_threads(1);
    gt_function_free(step);
    gt_optimizer_free(self.optimizer);
    gt_layer_free(model);
}

Test(memory, steps_seen_before_touch_no_new_page)
{
    for (int threads = 1; threads <= 2; threads++)
        for (int planned = 0; planned < 2; planned++) {
            gt_Scope *scope = gt_scope_begin();
            assert_step_asks_for_nothing(
                gt_Sequential(gt_Dense(128, .activation = gt_relu), gt_Dense(10)),
                gt_shape(128, 784), planned, threads);
            assert_step_asks_for_nothing(gt_Sequential(gt_Conv2D(16, 3, .activation = gt_relu),
                                                       gt_MaxPooling2D(), gt_Flatten(),
                                                       gt_Dense(10)),
                                         gt_shape(32, 28, 28, 1), planned, threads);
            gt_scope_end(scope);
        }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- freed twice while somebody else holds it ---- */

static gt_Status square_of_it(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Variable *const *variable = context;
    (void)in;
    out[0] = gt_square(*variable);
    return gt_status();
}

static void stale_free(gt_Variable *variable)
{
    gt_variable_free(variable);
    cr_assert(gt_status() == GT_STALE && strstr(gt_error_message(), "was freed before, or is not the caller's"), "%s",
              gt_error_message());
    gt_error_clear();
}

Test(memory, variable_freed_twice_while_held)
{
    gt_Variable *a = gt_variable(gt_scalar(3, GT_FLOAT64), .name = "a");
    gt_Solution *solution = gt_lbfgs(square_of_it, &a, gt_tensors(a));
    gt_Optimizer *sgd = gt_SGD();
    gt_optimizer_build(sgd, gt_tensors(a));
    gt_variable_free(a);
    cr_assert(gt_status() == GT_OK);
    for (int i = 0; i < 3; i++)
        stale_free(a);
    cr_assert(*gt_solution_text(solution) && gt_element(a, 0) * gt_element(a, 0) < 1e-6, "%s", gt_error_message());
    gt_solution_free(solution);
    stale_free(a); /* the optimizer's */
    stale_free(gt_optimizer_variables(sgd).items[0]);
    gt_optimizer_free(sgd);
    gt_variable_free(a); /* gone */
    gt_Layer *dense = gt_Dense(2);
    gt_build(dense, gt_shape(1, 3), GT_FLOAT32);
    gt_Variable *kernel = gt_weights(dense).items[0];
    stale_free(kernel);
    cr_assert(gt_is_variable(kernel));
    gt_layer_free(dense);
    cr_assert(!gt_is_variable(kernel) && gt_status() == GT_OK);
    gt_Variable *drawn = gt_generator(3);
    gt_variable_free(drawn);
    cr_assert(!gt_is_variable(drawn) && gt_status() == GT_OK);
    gt_context_free(NULL);
}

static gt_Status free_it(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Function *const *function = context;
    gt_function_free(*function);
    gt_function_free(*function);
    out[0] = gt_square(in[0]);
    return gt_status();
}

Test(memory, objects_freed_while_held)
{
    gt_Tensor *x = gt_ones(gt_shape(4, 2)), *y = gt_ones(gt_shape(4, 1)), *out = NULL;
    gt_Layer *inner = gt_Dense(1), *model = gt_Sequential(inner);
    gt_Optimizer *sgd = gt_SGD();
    gt_Metric *error = gt_RootMeanSquaredError();
    gt_Callback *stop = gt_EarlyStopping(.monitor = "loss");
    gt_compile(model, .optimizer = sgd, .loss = gt_MeanSquaredError(), .metrics = gt_metrics(error));
    for (int i = 0; i < 2; i++) {
        gt_optimizer_free(sgd); /* the model took it over */
        gt_metric_free(error);
        gt_history_free(gt_fit(model, x, .y = y, .epochs = 1, .verbose = 0, .callbacks = gt_callbacks(stop)));
        gt_callback_free(stop);
    }
    gt_history_free(gt_fit(model, x, .y = y, .epochs = 1, .verbose = 0, .callbacks = gt_callbacks(stop)));
    cr_assert(gt_status() == GT_OK && gt_optimizer_rank(sgd) == 0, "%s", gt_error_message());
    gt_layer_free(model);
    gt_optimizer_rank(sgd);
    cr_assert(gt_status() == GT_STALE, "%s", gt_error_message());
    gt_error_clear();
    gt_Function *function = NULL;
    function = gt_function(free_it, &function);
    gt_function_call(function, gt_tensors(x), &out);
    cr_assert(gt_status() == GT_OK && gt_element(out, 0) == 1, "%s", gt_error_message());
    gt_context_free(NULL);
}
