/* A step of gradient descent on a table of which a batch looks up 32 rows of 16: its time should be
 * that of the batch, whatever the length of the table. Against the same step with a gradient that
 * was read, which goes over the whole table. Medians over interleaved rounds, one thread. */
#include "gradtape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 15, WIDTH = 16, BATCH = 32, LENGTHS = 3, STEPS = 20 };
static const int64_t lengths[LENGTHS] = {1000, 30000, 1000000};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct Table {
    gt_Variable *rows;
    gt_Optimizer *sgd;
    gt_Function *function;
    int64_t length;
} Table;

static gt_Tensor *loss_of(const Table *table, gt_Tensor *indices)
{
    return gt_sum(gt_square(gt_take(table->rows, indices)));
}

/* What every round looks up: rows far from each other, one of them twice. */
static gt_Tensor *batch(const Table *table, int step)
{
    int32_t indices[BATCH];
    for (int i = 0; i < BATCH; i++)
        indices[i] = (int32_t)((i % (BATCH - 1) * 7919LL + step * 104729LL) % table->length);
    return gt_from_data(indices, gt_shape(BATCH), GT_INT32);
}

static void by_rows(const Table *table, gt_Tensor *indices)
{
    gt_Tape *tape = gt_tape_begin();
    gt_minimize(table->sgd, tape, loss_of(table, indices), gt_tensors(table->rows));
    gt_tape_end(tape);
}

static void densely(const Table *table, gt_Tensor *indices)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *gradient = gt_gradient(tape, loss_of(table, indices), table->rows);
    gt_data(gradient);
    gt_apply_gradients(table->sgd, gt_tensors(table->rows), &gradient);
    gt_tape_end(tape);
}

static gt_Status traced(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    (void)outputs;
    by_rows(context, inputs[0]);
    return gt_status();
}

static void in_a_plan(const Table *table, gt_Tensor *indices)
{
    gt_function_call(table->function, gt_tensors(indices), NULL);
}

int main(void)
{
    printf("%s\n", gt_build_info());
    struct {
        const char *name;
        void (*run)(const Table *table, gt_Tensor *indices);
        double times[LENGTHS][ROUNDS];
    } rivals[] = {{"rows, eager", by_rows, {{0}}},
                  {"rows, in a plan", in_a_plan, {{0}}},
                  {"whole table, eager", densely, {{0}}}};
    for (int k = 0; k < LENGTHS; k++) {
        Table table = {.length = lengths[k]};
        gt_Scope *scope = gt_scope_begin();
        table.rows = gt_variable(gt_full(gt_shape(lengths[k], WIDTH), 1));
        gt_scope_end(scope);
        table.sgd = gt_SGD(0.01);
        table.function = gt_function(traced, &table, .outputs = 0);
        for (int round = -1; round < ROUNDS; round++)
            for (size_t i = 0; i < sizeof rivals / sizeof *rivals; i++) {
                double start = now();
                for (int step = 0; step < STEPS; step++) {
                    gt_Scope *step_scope = gt_scope_begin();
                    rivals[i].run(&table, batch(&table, round * STEPS + step + STEPS));
                    gt_scope_end(step_scope);
                }
                if (round >= 0)
                    rivals[i].times[k][round] = (now() - start) / STEPS;
            }
        gt_function_free(table.function);
        gt_optimizer_free(table.sgd);
        gt_variable_free(table.rows);
    }
    if (gt_status() != GT_OK) {
        fprintf(stderr, "%s\n", gt_error_message());
        return 1;
    }
    printf("%-20s", "us a step, rows:");
    for (int k = 0; k < LENGTHS; k++)
        printf(" %10lld", (long long)lengths[k]);
    for (size_t i = 0; i < sizeof rivals / sizeof *rivals; i++) {
        printf("\n%-20s", rivals[i].name);
        for (int k = 0; k < LENGTHS; k++) {
            qsort(rivals[i].times[k], ROUNDS, sizeof(double), ascending);
            printf(" %10.1f", rivals[i].times[k][ROUNDS / 2]);
        }
    }
    printf("\n");
    gt_context_free(NULL);
    return 0;
}
