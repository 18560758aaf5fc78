/* What the peers in C share: the questions that bench/peers/run asks on standard input, and the timing. They need nothing of gradtape.
 *
 * A peer answers "WORKLOAD SECONDS" with "ok MEDIAN LEAST STEPS FIRST LAST NOTE" (ms, losses), "cannot WHY" where it has no such
 * workload, "failed WHY" where it broke; "about" with "ok VERSION". common.py is the same for those in Python. */
#ifndef BENCH_PEERS_PEER_H
#define BENCH_PEERS_PEER_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PEER_BATCHES = 8, PEER_MOST_STEPS = 3000, PEER_LEAST_STEPS = 10 };

/* One training step on batch `batch`, of PEER_BATCHES; the loss. */
typedef float PeerStep(void *self, int batch);

/* Either `cannot` says why there is none, or `make` gives what `step` takes; NULL: it failed. */
typedef struct PeerWorkload {
    const char *name;
    const char *cannot;
    void *(*make)(const struct PeerWorkload *workload, int threads);
    PeerStep *step;
    int batch, inputs, classes; /* rows, elements of one, kinds of labels */
    const char *note;
} PeerWorkload;

static inline double peer_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Standard normal numbers, by Box and Muller from a generator of Knuth's (MMIX). */
static inline float peer_normal(uint64_t *state)
{
    double u[2];
    for (int i = 0; i < 2; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        u[i] = ((double)(*state >> 11) + 0.5) * 0x1p-53;
    }
    return (float)(sqrt(-2 * log(u[0])) * cos(6.283185307179586 * u[1]));
}

/* Batches of rows and of labels as rows with one 1. */
static inline void peer_fill(const PeerWorkload *workload, float *x[PEER_BATCHES],
                             float *y[PEER_BATCHES])
{
    uint64_t state = 1;
    for (int b = 0; b < PEER_BATCHES; b++) {
        size_t size = (size_t)workload->batch * (size_t)workload->inputs;
        x[b] = malloc(size * sizeof(float));
        y[b] = calloc((size_t)workload->batch * (size_t)workload->classes, sizeof(float));
        for (size_t i = 0; x[b] && i < size; i++)
            x[b][i] = peer_normal(&state);
        for (int i = 0; y[b] && i < workload->batch; i++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            y[b][i * workload->classes + (int)((state >> 33) % (uint64_t)workload->classes)] = 1;
        }
    }
}

static inline int peer_ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Warms up for a fifth of the time, then times single steps. */
static inline void peer_measure(const PeerWorkload *workload, void *self, double seconds)
{
    static double times[PEER_MOST_STEPS];
    double start = peer_now();
    float first = workload->step(self, 0), last = first;
    int count = 0, number = 0;
    while (peer_now() - start < 0.2 * seconds)
        workload->step(self, ++number % PEER_BATCHES);
    start = peer_now();
    while (count < PEER_MOST_STEPS && (count < PEER_LEAST_STEPS || peer_now() - start < seconds)) {
        double before = peer_now();
        last = workload->step(self, ++number % PEER_BATCHES);
        times[count++] = peer_now() - before;
    }
    qsort(times, (size_t)count, sizeof *times, peer_ascending);
    printf("ok %.6g %.6g %d %.6g %.6g %s\n", 1e3 * times[count / 2], 1e3 * times[0], count, first,
           last, workload->note);
}

/* Answers until the input ends. */
static inline int peer_serve(const char *about, const PeerWorkload *list, int count, int threads)
{
    void *made[16] = {NULL};
    char line[256], name[64];
    while (fgets(line, sizeof line, stdin)) {
        double seconds = 1;
        int found = -1;
        if (sscanf(line, "%63s %lf", name, &seconds) < 1)
            continue;
        for (int i = 0; i < count; i++)
            found = strcmp(name, list[i].name) == 0 ? i : found;
        if (strcmp(name, "about") == 0) {
            printf("ok %s\n", about);
        } else if (found < 0) {
            printf("cannot there is no such program\n");
        } else if (list[found].cannot) {
            printf("cannot %s\n", list[found].cannot);
        } else {
            if (!made[found])
                made[found] = list[found].make(&list[found], threads);
            if (made[found])
                peer_measure(&list[found], made[found], seconds);
            else
                printf("failed it could not be made\n");
        }
        fflush(stdout);
    }
    return 0;
}

#endif
