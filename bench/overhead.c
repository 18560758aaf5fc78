/* What one tiny operation costs beyond its arithmetic: eagerly, under a tape, and in a plan; and
 * what a gradient and the start of the library cost. Medians over interleaved rounds, one thread. At last, the least time of
 * handing a job of 8 empty tiles to two threads and waiting for its end.
 */
#include "core/structs.h"
#include "gradtape.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 31, CALLS = 4000, CHAIN = 100 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *numbers)
{
    qsort(numbers, ROUNDS, sizeof *numbers, ascending);
    return numbers[ROUNDS / 2];
}

static gt_Tensor *a, *b;
static gt_Variable *v;

static double eager(void)
{
    double start = now();
    for (int i = 0; i < CALLS; i += CHAIN) {
        gt_Scope *scope = gt_scope_begin();
        for (int k = 0; k < CHAIN; k++)
            gt_add(a, b);
        gt_scope_end(scope);
    }
    return (now() - start) / CALLS;
}

static double recorded(void)
{
    double start = now();
    for (int i = 0; i < CALLS; i += CHAIN) {
        gt_Tape *tape = gt_tape_begin();
        for (int k = 0; k < CHAIN; k++)
            gt_add(v, b);
        gt_tape_end(tape);
    }
    return (now() - start) / CALLS;
}

/* mul + sum + backward, as a whole. */
static double backward(void)
{
    double start = now();
    for (int i = 0; i < CALLS; i += CHAIN) {
        gt_Tape *tape = gt_tape_begin();
        gt_gradient(tape, gt_sum(gt_multiply(v, b)), v);
        gt_tape_end(tape);
    }
    return (now() - start) / (CALLS / CHAIN);
}

static gt_Status chain(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    (void)context;
    gt_Tensor *x = inputs[0];
    for (int k = 0; k < CHAIN; k++)
        x = gt_add(x, b);
    outputs[0] = x;
    return gt_status();
}

static gt_Function *function;

static double planned(void)
{
    double start = now();
    for (int i = 0; i < CALLS; i += CHAIN) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *y;
        gt_function_call(function, gt_tensors(a), &y);
        gt_scope_end(scope);
    }
    return (now() - start) / CALLS;
}

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
    double least = 1e9;
    gt_set_threads(2);
    const gt_Kernel kernel = {.context = gt_context(), .outputs = 1, .output_spec = {&spec}};
    for (int round = 0; round < 1000; round++) {
        double start = now();
        for (int i = 0; i < 20; i++)
            gt_for_tiles(&kernel, 8, empty, NULL);
        double took = (now() - start) / 20;
        least = took < least ? took : least;
    }
    gt_set_threads(1);
    return least;
}

int main(void)
{
    double start = now();
    gt_context();
    double first = now() - start;
    printf("%s\n", gt_build_info());
    a = gt_array(gt_shape(4), 1, 2, 3, 4);
    b = gt_array(gt_shape(4), 5, 6, 7, 8);
    v = gt_variable(a);
    function = gt_function(chain, NULL, .outputs = 1);
    struct {
        const char *name;
        double (*run)(void);
        double times[ROUNDS];
    } rows[] = {{"add of 4 numbers, eager", eager, {0}},
                {"the same under a tape", recorded, {0}},
                {"the same in a plan", planned, {0}},
                {"multiply, sum, gradient", backward, {0}}};
    for (int round = -1; round < ROUNDS; round++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            double t = rows[i].run();
            if (round >= 0)
                rows[i].times[round] = t;
        }
    if (gt_status() != GT_OK) {
        fprintf(stderr, "%s\n", gt_error_message());
        return 1;
    }
    printf("%-28s %8.0f ns\n", "first context", first);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        printf("%-28s %8.1f ns\n", rows[i].name, median(rows[i].times));
    printf("%-28s %8.1f ns\n", "a job for two threads, least", handed_out());
    gt_context_free(NULL);
    return 0;
}
