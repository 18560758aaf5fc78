/* What a host's process does around the library: forks, threads that come and go. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/structs.h"
#include "gradtape.h"
#include "leaks.h"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())

#if defined(__SANITIZE_THREAD__)
#define SANITIZED_THREADS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZED_THREADS 1
#endif
#endif
#ifndef SANITIZED_THREADS
#define SANITIZED_THREADS 0
#endif

/* ---- fork ---- */

enum { ROWS = 300, COLUMNS = 401, SECONDS = 20 };

/* Work that is cut over the threads: a number that depends on every element. */
static double work(void)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_reshape(gt_arange(0, ROWS * COLUMNS, 1), gt_shape(ROWS, COLUMNS));
    gt_Tensor *y = gt_tanh(gt_multiply(x, 1e-5));
    double sum = gt_item(gt_sum(gt_matmul(gt_transpose(y), y)));
    gt_scope_end(scope);
    return sum;
}

/* Runs `body` in a child and returns what it returned; -1 where it hangs or crashes. */
static int in_child(int (*body)(void *argument), void *argument)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS);
        _exit(body(argument));
    }
    int how = 0;
    if (child < 0 || waitpid(child, &how, 0) != child || !WIFEXITED(how))
        return -1;
    return WEXITSTATUS(how);
}

typedef struct Expected {
    double sum;
    int threads;
} Expected;

static int works(void *argument)
{
    const Expected *expected = argument;
    for (int i = 0; i < 3; i++)
        if (work() != expected->sum || gt_status() != GT_OK)
            return 1;
    if (gt_threads() != expected->threads)
        return 2;
    gt_context_free(NULL);
    return 0;
}

static int frees(void *argument)
{
    (void)argument;
    gt_context_free(NULL);
    return 0;
}

static int asks_for_others(void *argument)
{
    const Expected *expected = argument;
    for (int threads = 4; threads >= 1; threads--)
        if (gt_set_threads(threads) != GT_OK || work() != expected->sum)
            return threads;
    return 0;
}

/* A child of the child, and the parent of it goes on. */
static int forks_again(void *argument)
{
    const Expected *expected = argument;
    Expected same = *expected;
    if (in_child(works, &same) != 0)
        return 1;
    if (work() != expected->sum || in_child(works, &same) != 0)
        return 2;
    return works(argument);
}

static int uses_a_new_context(void *argument)
{
    const Expected *expected = argument;
    gt_Context *fresh = gt_context_create(.threads = expected->threads);
    gt_Context *old = gt_context_use(fresh);
    if (work() != expected->sum)
        return 1;
    gt_context_free(fresh);
    gt_context_use(old);
    return works(argument);
}

static int trains(void *argument)
{
    const Expected *expected = argument;
    gt_Layer *model = gt_Sequential(gt_Dense(64, .activation = gt_tanh), gt_Dense(1));
    gt_Dataset *data = gt_dataset_from_tensors(gt_full(gt_shape(256, 128), 0.1),
                                               gt_full(gt_shape(256, 1), 1), .batch_size = 128);
    gt_compile(model, .optimizer = gt_Adam(1e-3), .loss = gt_MeanSquaredError());
    if (!gt_fit(model, data, .epochs = 2, .verbose = GT_VERBOSITY_SILENT))
        return 1;
    return works((void *)expected);
}

Test(embedding, a_forked_child_works)
{
    if (SANITIZED_THREADS)
        cr_skip_test("ThreadSanitizer ends a child that starts threads");
    static const struct {
        const char *name;
        int (*body)(void *argument);
    } children[] = {{"works", works},
                    {"frees", frees},
                    {"asks for other numbers of threads", asks_for_others},
                    {"forks again", forks_again},
                    {"uses a new context", uses_a_new_context},
                    {"trains", trains}};
    Expected expected = {work(), 1};
    ok();
    static const int counts[] = {1, 2, 4};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (int before = 0; before < 2; before++) {
            /* A pool that has worked, and one that has not yet. */
            gt_set_threads(1);
            gt_set_threads(expected.threads = counts[c]);
            if (before)
                cr_assert_eq(work(), expected.sum);
            for (size_t i = 0; i < sizeof children / sizeof *children; i++)
                cr_expect_eq(in_child(children[i].body, &expected), 0, "%d threads, %s: %s",
                             counts[c], before ? "used" : "unused", children[i].name);
            cr_assert_eq(work(), expected.sum, "the parent goes on");
            ok();
        }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A host that forks in its interrupt callback: the tiles of the workers are lost to the child, which
 * gets an error and goes on. */
static bool forked, in_the_child;

static bool fork_once(void *user)
{
    if (!forked) {
        forked = true;
        fflush(NULL);
        pid_t child = fork();
        *(pid_t *)user = child;
        in_the_child = child == 0;
        if (in_the_child)
            alarm(SECONDS);
    }
    return false;
}

Test(embedding, a_fork_in_the_middle_of_an_operation)
{
    if (SANITIZED_THREADS)
        cr_skip_test("ThreadSanitizer ends a child that starts threads");
    for (int threads = 1; threads <= 4; threads *= 2) {
        double expected = work();
        gt_set_threads(threads);
#ifdef GT_TESTS_LEAK_CHECK
        /* A thread that starts takes a lock of AddressSanitizer's, which gcc 12's does not hold across fork. */
        work();
        nanosleep(&(struct timespec){0, 50000000}, NULL);
#endif
        pid_t child = -1;
        forked = false;
        gt_set_interrupt(fork_once, &child);
        double sum = work();
        gt_set_interrupt(NULL, NULL);
        if (in_the_child) {
            bool right = gt_status() == GT_OK ? sum == expected : gt_status() == GT_INTERRUPTED;
            gt_error_clear();
            right = right && work() == expected && gt_status() == GT_OK;
            gt_context_free(NULL);
            _exit(right ? 0 : 1);
        }
        cr_assert_eq(sum, expected, "%d threads", threads);
        ok();
        int how = 0;
        cr_assert_eq(waitpid(child, &how, 0), child);
        cr_assert(WIFEXITED(how) && WEXITSTATUS(how) == 0, "%d threads: the child ended with %x",
                  threads, (unsigned)how);
    }
    gt_context_free(NULL);
}

/* Products that large are OpenBLAS's where it is there: found in the child, under a lock that another
 * thread of the parent may have held. */
static int has_a_blas(void *argument)
{
    (void)argument;
    const char *info = gt_build_info();
    return strstr(info, "BLAS") ? 0 : 1;
}

static void *load_blas(void *argument)
{
    (void)argument;
    for (int i = 0; i < 20; i++) {
        gt_Context *context = gt_context_create();
        gt_context_use(context);
        gt_build_info();
        gt_context_free(NULL);
    }
    return NULL;
}

Test(embedding, a_fork_while_another_thread_looks_for_blas)
{
    if (SANITIZED_THREADS)
        cr_skip_test("ThreadSanitizer ends a child that starts threads");
    for (int round = 0; round < 10; round++) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, load_blas, NULL), 0);
        struct timespec pause = {0, 200000 * round};
        nanosleep(&pause, NULL);
        cr_expect_eq(in_child(has_a_blas, NULL), 0, "round %d", round);
        pthread_join(thread, NULL);
    }
    gt_context_free(NULL);
}

/* ---- threads that come and go ---- */

static void in_thread(void *(*body)(void *argument), void *argument)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, body, argument), 0);
    pthread_join(thread, NULL);
}

/* Megabytes of the process that are in memory; 0 where freed memory is kept for the sanitizers, which
 * see what is lost in another way. */
static double resident(void)
{
#ifdef GT_TESTS_LEAK_CHECK
    return 0;
#endif
    if (SANITIZED_THREADS)
        return 0;
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%*s %ld", &pages) != 1)
            pages = 0;
        fclose(file);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

/* What careless threads leave: handles, a tape, an error, a pool, a generator, a function of a layer. */
static void *leave_a_mess(void *argument)
{
    int kind = *(int *)argument % 6;
    gt_Tensor *x = gt_full(gt_shape(100, 100), 1);
    gt_tanh(x);
    if (kind == 1)
        gt_set_threads(2);
    if (kind == 2)
        gt_normal(gt_shape(3));
    if (kind == 3)
        gt_tape_begin();
    if (kind == 4) {
        gt_Layer *layer = gt_Dense(3);
        gt_callable(layer);
        gt_layer_free(layer);
    }
    if (kind == 5)
        gt_matmul(x, gt_full(gt_shape(7), 1));
    gt_tanh(gt_full(gt_shape(300, 300), 1));
    return NULL;
}

Test(embedding, threads_that_end_leave_no_memory)
{
    double before = 0;
    for (int i = 0; i < 330; i++) {
        in_thread(leave_a_mess, &i);
        if (i == 29)
            before = resident();
    }
    double grown = resident() - before;
    cr_assert_lt(grown, 30, "300 threads left %.0f MB", grown);
    assert_no_leaks();
}

/* A model is made, trained and called in a thread that ends, and predicts in others. */
enum { SAMPLES = 12, FEATURES = 5 };

typedef struct Handed {
    gt_Layer *model;
    gt_History *history;
    gt_Context *context;
    float input[SAMPLES][FEATURES], output[SAMPLES];
} Handed;

static void fill(Handed *handed)
{
    for (int i = 0; i < SAMPLES * FEATURES; i++)
        handed->input[i / FEATURES][i % FEATURES] = (float)(i % 17) / 16;
}

static void *make_model(void *argument)
{
    Handed *handed = argument;
    fill(handed);
    gt_Tensor *x = gt_from_data(handed->input, gt_shape(SAMPLES, FEATURES), GT_FLOAT32);
    gt_Tensor *y = gt_full(gt_shape(SAMPLES, 1), 0.5);
    gt_Dataset *data = gt_dataset_from_tensors(x, y, .batch_size = 4);
    handed->model =
        gt_Sequential(gt_Dense(16, .activation = gt_tanh), gt_Dropout(0.2), gt_Dense(1));
    gt_compile(handed->model, .optimizer = gt_Adam(0.01), .loss = gt_MeanSquaredError());
    handed->history = gt_fit(handed->model, data, .epochs = 3, .verbose = GT_VERBOSITY_SILENT);
    const float *numbers = gt_float32_data(gt_predict(handed->model, data));
    if (numbers)
        memcpy(handed->output, numbers, sizeof handed->output);
    gt_dataset_free(data);
    handed->context = gt_status() == GT_OK ? gt_context() : NULL;
    return NULL;
}

static bool predicts(Handed *handed)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_from_data(handed->input, gt_shape(SAMPLES, FEATURES), GT_FLOAT32);
    gt_Dataset *data = gt_dataset_from_tensors(x, NULL, .batch_size = 5);
    const float *numbers = gt_float32_data(gt_predict(handed->model, data));
    bool right = numbers && memcmp(numbers, handed->output, sizeof handed->output) == 0;
    numbers = gt_float32_data(gt_call(handed->model, x));
    right = right && numbers && memcmp(numbers, handed->output, sizeof handed->output) == 0;
    gt_dataset_free(data);
    gt_scope_end(scope);
    return right && gt_status() == GT_OK;
}

Test(embedding, a_model_outlives_its_thread)
{
    static Handed handed;
    in_thread(make_model, &handed);
    cr_assert_not_null(handed.context);
    cr_assert_neq(handed.context, gt_context());
    for (int i = 0; i < 3; i++)
        cr_assert(predicts(&handed), "%s", gt_error_message());
    cr_assert_eq(gt_history_epoch_count(handed.history), 3);
    cr_assert_eq(gt_weights(handed.model).count, 4);
    cr_assert_eq(gt_count_params(handed.model), 16 * 6 + 17);
    cr_assert(*gt_summary(handed.model));
    ok();
    gt_layer_free(handed.model);
    gt_history_free(handed.history);
    cr_assert_eq(gt_memory_stats().variables, 0);
    handed = (Handed){0};
    gt_context_free(NULL);
    assert_no_leaks();
}

static void *serve(void *argument)
{
    Handed *handed = argument;
    for (int i = 0; i < 50; i++)
        if (!predicts(handed))
            return handed;
    return NULL;
}

Test(embedding, a_model_serves_several_threads)
{
    static Handed handed;
    in_thread(make_model, &handed);
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&thread[i], NULL, serve, &handed), 0);
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(thread[i], &failed);
        cr_expect_null(failed, "thread %d", i);
    }
    gt_layer_free(handed.model);
    gt_history_free(handed.history);
    handed = (Handed){0};
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Each of these keeps the context of a thread that ended, and frees it when it goes. */
typedef struct Kept {
    int kind;
    void *object, *more;
} Kept;

static gt_Status body(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    (void)context;
    outputs[0] = gt_add(inputs[0], 1);
    return gt_status();
}

static void *make_one(void *argument)
{
    Kept *kept = argument;
    gt_Tensor *x = gt_full(gt_shape(4, 2), 3);
    switch (kept->kind) {
    case 0:
        kept->object = gt_variable(x);
        break;
    case 1:
        kept->object = gt_dataset_from_tensors(x, NULL);
        break;
    case 2:
        kept->object = gt_Adam(0.1);
        break;
    case 3:
        kept->object = gt_function(body, NULL, .outputs = 1);
        break;
    case 4:
        kept->object = gt_Accuracy();
        break;
    case 5: /* of two, the last one */
        kept->object = gt_Dense(2);
        kept->more = gt_variable(x);
        break;
    case 6:
        kept->object = gt_generator(7);
        break;
    }
    return NULL;
}

static void use_and_free(Kept *kept)
{
    gt_Tensor *y;
    switch (kept->kind) {
    case 0:
        cr_assert_eq(gt_element(gt_square(kept->object), 7), 9);
        gt_variable_free(kept->object);
        break;
    case 1:
        cr_assert_eq(gt_dataset_x(kept->object).size, 0, "it belongs to another context");
        gt_error_clear();
        gt_dataset_free(kept->object);
        break;
    case 2:
        cr_assert_str_eq(gt_optimizer_name(kept->object), "");
        gt_error_clear();
        gt_optimizer_free(kept->object);
        break;
    case 3:
        cr_assert_neq(gt_function_call(kept->object, gt_tensors(gt_full(gt_shape(), 1)), &y),
                      GT_OK);
        gt_error_clear();
        gt_function_free(kept->object);
        break;
    case 4:
        gt_metric_free(kept->object);
        break;
    case 5:
        gt_layer_free(kept->object);
        cr_assert_eq(gt_element(kept->more, 0), 3);
        gt_variable_free(kept->more);
        break;
    case 6:
        gt_variable_free(kept->object);
        break;
    }
}

Test(embedding, what_was_made_in_a_thread_keeps_its_context)
{
    double before = 0;
    for (int round = 0; round < 40; round++) {
        for (int kind = 0; kind < 7; kind++) {
            Kept kept = {.kind = kind};
            in_thread(make_one, &kept);
            cr_assert_not_null(kept.object, "kind %d", kind);
            use_and_free(&kept);
            ok();
        }
        if (round == 4)
            before = resident();
    }
    double grown = resident() - before;
    cr_assert_lt(grown, 30, "245 threads left %.0f MB", grown);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* The thread that made a model ends while another one frees it. */
typedef struct Exchange {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    gt_Layer *layer;
} Exchange;

static void *make_and_end(void *argument)
{
    Exchange *exchange = argument;
    gt_Layer *layer = gt_Dense(3);
    gt_build(layer, gt_shape(1, 2), GT_FLOAT32);
    pthread_mutex_lock(&exchange->mutex);
    exchange->layer = layer;
    pthread_cond_signal(&exchange->changed);
    pthread_mutex_unlock(&exchange->mutex);
    return NULL;
}

Test(embedding, a_thread_ends_while_its_model_is_freed)
{
    static Exchange exchange = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL};
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, make_and_end, &exchange), 0);
        pthread_mutex_lock(&exchange.mutex);
        while (!exchange.layer)
            pthread_cond_wait(&exchange.changed, &exchange.mutex);
        gt_Layer *layer = exchange.layer;
        exchange.layer = NULL;
        pthread_mutex_unlock(&exchange.mutex);
        gt_layer_free(layer);
        pthread_join(thread, NULL);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Contexts that are chosen and freed by hand, in every order with the thread's own. */
static void *by_hand(void *argument)
{
    gt_Context *own = gt_context();
    gt_Context *other = gt_context_create();
    gt_Variable *v = gt_variable(gt_full(gt_shape(3), 1));
    switch (*(int *)argument) {
    case 0: /* freed, and another one is made */
        gt_context_free(own);
        gt_full(gt_shape(3), 1);
        break;
    case 1: /* freed while another one is current */
        gt_context_use(other);
        gt_context_free(own);
        gt_full(gt_shape(3), 1);
        break;
    case 2: /* none is current: the thread's own comes back */
        gt_context_use(other);
        gt_context_use(NULL);
        if (gt_context() != own)
            return argument;
        gt_variable_free(v);
        break;
    case 3: /* the thread ends with another one that is current */
        gt_variable_free(v);
        gt_context_use(other);
        return other;
    default:
        gt_context_free(NULL);
        break;
    }
    gt_context_free(other);
    return NULL;
}

Test(embedding, contexts_by_hand_in_threads)
{
    for (int kind = 0; kind < 5; kind++) {
        pthread_t thread;
        void *left;
        cr_assert_eq(pthread_create(&thread, NULL, by_hand, &kind), 0);
        pthread_join(thread, &left);
        if (kind == 3)
            gt_context_free(left);
        else
            cr_expect_null(left, "kind %d", kind);
    }
    assert_no_leaks();
}

/* A thread's own context that another thread takes over stays until it is freed. */
static void *take_over(void *argument)
{
    Handed *handed = argument;
    gt_context_use(handed->context);
    gt_Tensor *x = gt_from_data(handed->input, gt_shape(SAMPLES, FEATURES), GT_FLOAT32);
    gt_layer_free(handed->model);
    gt_history_free(handed->history);
    handed->output[0] = (float)gt_element(gt_add(x, 1), 1);
    return NULL;
}

Test(embedding, a_context_that_is_taken_over)
{
    static Handed handed;
    in_thread(make_model, &handed);
    in_thread(take_over, &handed);
    cr_assert_eq(handed.output[0], handed.input[0][1] + 1);
    gt_context_use(handed.context);
    cr_assert_eq(gt_memory_stats().variables, 0);
    gt_context_free(handed.context);
    handed = (Handed){0};
    assert_no_leaks();
}

/* A host's own key, whose destructor uses the library when ours has run already. */
static pthread_key_t host_key;

static void host_thread_ends(void *value)
{
    gt_Tensor *x = gt_full(gt_shape(3), 2);
    *(double *)value = gt_item(gt_sum(x));
}

static void *with_a_key(void *argument)
{
    gt_full(gt_shape(3), 1);
    pthread_setspecific(host_key, argument);
    return NULL;
}

Test(embedding, a_destructor_of_the_host_that_computes)
{
    double sum = 0;
    cr_assert_eq(pthread_key_create(&host_key, host_thread_ends), 0);
    in_thread(with_a_key, &sum);
    cr_assert_eq(sum, 6);
    pthread_key_delete(host_key);
    assert_no_leaks();
}

/* The thread's own context is freed by another one while it lives: it makes a new one. */
static pthread_barrier_t barrier;

static void *goes_on(void *argument)
{
    gt_Context **mine = argument;
    *mine = gt_context();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    *mine = gt_full(gt_shape(3), 1) ? NULL : *mine;
    return NULL;
}

Test(embedding, a_living_threads_context_is_freed)
{
    gt_Context *theirs = NULL;
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    cr_assert_eq(pthread_create(&thread, NULL, goes_on, &theirs), 0);
    pthread_barrier_wait(&barrier);
    gt_context_free(theirs);
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
    cr_assert_null(theirs);
    pthread_barrier_destroy(&barrier);
    assert_no_leaks();
}

/* Nothing of another context is held: its variables are copied or refused. */
static gt_Status pass_on(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    (void)inputs;
    outputs[0] = context;
    return gt_status();
}

Test(embedding, another_contexts_variables_are_not_held)
{
    gt_Context *there = gt_context_create();
    gt_Context *here = gt_context_use(there);
    gt_Variable *v = gt_variable(gt_full(gt_shape(2), 5));
    gt_Layer *layer = gt_Dense(1);
    gt_build(layer, gt_shape(1, 2), GT_FLOAT32);
    ok();
    gt_context_use(here);
    uint32_t held = gt_slot_raw(v)->value->references;
    gt_Tensor *y = NULL;
    gt_Function *same = gt_function(body, NULL, .outputs = 1);
    gt_function_call(same, gt_tensors(v), &y);
    cr_assert_eq(gt_element(y, 0), 6, "%s", gt_error_message());
    gt_function_call(same, gt_tensors(v), &y);
    cr_assert_eq(gt_element(y, 1), 6);
    gt_Tensor *passed[1] = {NULL};
    gt_cond(gt_full(gt_shape(), 1), pass_on, pass_on, v, gt_tensors(v), passed);
    cr_assert_eq(gt_element(passed[0], 1), 5, "%s", gt_error_message());
    cr_assert_eq(gt_slot_raw(v)->value->references, held, "nothing of it is held");
    cr_assert_null(gt_dataset_from_tensors(v, NULL));
    cr_assert_eq(gt_status(), GT_STATE, "%s", gt_error_message());
    gt_error_clear();
    gt_compile(layer, .loss = gt_MeanSquaredError());
    cr_assert_eq(gt_status(), GT_STATE, "%s", gt_error_message());
    gt_error_clear();
    gt_Layer *model = gt_Sequential(layer);
    cr_assert_null(model);
    cr_assert_eq(gt_status(), GT_STATE, "%s", gt_error_message());
    gt_error_clear();
    cr_assert_not_null(gt_call(layer, gt_full(gt_shape(1, 2), 1)), "and the layer is still there");
    ok();
    gt_context_free(NULL);
    gt_context_use(there);
    cr_assert_eq(gt_element(v, 0), 5);
    gt_context_free(there);
    assert_no_leaks();
}

/* Lists mark what they have visited with a number of the layer's context: the numbers of another one
 * mean nothing there. */
Test(embedding, lists_of_another_contexts_layer)
{
    gt_Context *there = gt_context_create();
    gt_context_use(there);
    gt_Layer *layer = gt_Dense(1);
    gt_build(layer, gt_shape(1, 2), GT_FLOAT32);
    for (int visits = 0; visits < 20; visits++) {
        gt_Context *here = gt_context_create();
        gt_context_use(here);
        gt_Layer *own = gt_Dense(1);
        gt_build(own, gt_shape(1, 2), GT_FLOAT32);
        for (int i = 0; i < visits / 2; i++) /* the same number twice */
            gt_weights(own);
        cr_expect_eq(gt_weights(layer).count, 2, "after %d visits", visits);
        ok();
        gt_context_use(there);
        gt_context_free(here);
    }
    gt_context_free(there);
    assert_no_leaks();
}

#ifdef GT_ASSERTIONS
/* ---- two threads in one context ---- */

static pthread_barrier_t both;

static gt_Status wait_shape(gt_ShapeRule *rule)
{
    rule->output[0] = *rule->input[0];
    return GT_OK;
}

static gt_Status wait_run(const gt_Kernel *kernel)
{
    (void)kernel;
    pthread_barrier_wait(&both); /* the other thread may try */
    pthread_barrier_wait(&both); /* it has tried */
    return GT_OK;
}

static void *tries(void *context)
{
    gt_context_use(context);
    pthread_barrier_wait(&both);
    gt_Tensor *y = gt_zeros(gt_shape(2));
    bool refused = !y && strstr(gt_error_message(), "two threads use one context at the same time");
    pthread_barrier_wait(&both);
    return refused ? context : NULL;
}

Test(embedding, two_threads_in_one_context)
{
    const gt_Operation waits = {.size = sizeof waits,
                                .name = "waits",
                                .inputs_min = 1,
                                .inputs_max = 1,
                                .outputs = 1,
                                .shape = wait_shape,
                                .run = wait_run};
    pthread_t thread;
    void *refused;
    gt_Tensor *x = gt_ones(gt_shape(3)), *out;
    pthread_barrier_init(&both, NULL, 2);
    pthread_create(&thread, NULL, tries, gt_context());
    gt_apply(&waits, NULL, 1, &x, &out);
    pthread_join(thread, &refused);
    pthread_barrier_destroy(&both);
    cr_assert(refused);
    gt_error_clear();
    cr_assert(gt_zeros(gt_shape(2)));
    ok();
    gt_context_free(NULL);
}
#endif
