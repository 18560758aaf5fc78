/* What a host's process does around the library: forks, threads that come and go. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/internal.h"
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
    gt_Layer *model = gt_sequential(gt_dense(64, .activation = gt_tanh), gt_dense(1));
    gt_Dataset *data = gt_dataset_from_tensors(gt_full(gt_shape(256, 128), 0.1),
                                               gt_full(gt_shape(256, 1), 1), .batch_size = 128);
    gt_compile(model, .optimizer = gt_adam(1e-3), .loss = gt_loss(gt_mean_squared_error));
    if (!gt_fit(model, data, .epochs = 2, .verbose = GT_SILENT))
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
