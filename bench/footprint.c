/* What a program pays for carrying a trainer: the time from its start to the first context and to
 * the first trained step of a small network (784 - 128 - 10, batch 32), and its peak memory. The
 * program starts itself anew for every sample and gives medians; bench/footprint.sh adds sizes. */
#include "gradtape.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLES = 21, FIGURES = 4 };

extern char **environ;

/* Microseconds on a clock that parent and child share. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

/* Main itself, the first context, the first trained step, KiB. */
static int child(double started)
{
    double in_main = now() - started;
    gt_context();
    double in_context = now() - started;
    gt_Layer *model = gt_Sequential(gt_Dense(128, .activation = gt_relu), gt_Dense(10));
    gt_Optimizer *adam = gt_Adam(1e-3);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = gt_uniform(gt_shape(32, 784)), *y = gt_zeros(gt_shape(32), .dtype = GT_INT32);
    gt_Tensor *loss = gt_sparse_categorical_crossentropy(y, gt_call(model, x, .training = true),
                                                         .from_logits = true);
    gt_minimize(adam, tape, loss, gt_trainable_variables(model));
    gt_tape_end(tape);
    double stepped = now() - started;
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    printf("%.1f %.1f %.1f %ld\n", in_main, in_context, stepped, use.ru_maxrss);
    if (gt_status() != GT_OK)
        fprintf(stderr, "%s\n", gt_error_message());
    int result = gt_status() != GT_OK;
    gt_optimizer_free(adam);
    gt_layer_free(model);
    gt_context_free(NULL);
    return result;
}

static int sample(char *program, double figures[FIGURES])
{
    int pipes[2], status;
    char text[256] = "", moment[64];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    if (pipe(pipes) != 0)
        return 1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
    snprintf(moment, sizeof moment, "%.3f", now());
    int failed =
        posix_spawn(&pid, program, &actions, NULL, (char *[]){program, moment, NULL}, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipes[1]);
    ssize_t count = failed ? 0 : read(pipes[0], text, sizeof text - 1);
    close(pipes[0]);
    if (failed || waitpid(pid, &status, 0) < 0 || status != 0 || count <= 0)
        return 1;
    return sscanf(text, "%lf %lf %lf %lf", &figures[0], &figures[1], &figures[2], &figures[3]) !=
           FIGURES;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int count, char **words)
{
    if (count > 1)
        return child(atof(words[1]));
    static const char *const names[FIGURES] = {"start to main", "start to first context",
                                               "start to first trained step", "peak memory"};
    double figures[FIGURES][SAMPLES], one[FIGURES];
    for (int i = -1; i < SAMPLES; i++) {
        if (sample(words[0], one) != 0) {
            fprintf(stderr, "footprint: a sample failed\n");
            return 1;
        }
        for (int f = 0; i >= 0 && f < FIGURES; f++)
            figures[f][i] = one[f];
    }
    for (int f = 0; f < FIGURES; f++) {
        qsort(figures[f], SAMPLES, sizeof *figures[f], ascending);
        double middle = figures[f][SAMPLES / 2];
        printf("%-44s %10.2f %s\n", names[f], f == 3 ? middle / 1024 : middle / 1000,
               f == 3 ? "MiB" : "ms");
    }
    return 0;
}
