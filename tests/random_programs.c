/* Random programs as a test: programs over the table of operations, made from seeds, each run in several
 * ways that must agree to the last bit or fail with the same message (tests/programs/compare.c).
 *
 *     random_programs --seconds N [--seed S]    for a time, with fresh seeds unless one is given
 *     random_programs --programs N --seed S     so many programs: the same every time
 *     random_programs --program S               the one program of a seed, printed and run
 *     random_programs N [S]                     the same as --seconds N [--seed S]
 *
 *     --failures N     goes on until so many programs failed (1)
 *     --coverage       what was reached, operation by operation
 *     --shrink N       seconds for making a failing program small (60)
 *
 * A process of its own runs the programs; this one watches it, so that a crash or a program that does not
 * end is a finding like another. What failed is made small and printed as C code, with its seed. The
 * exit status is 1 if a program failed or an operation was never reached. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "programs/program.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "leaks_plain.h"

typedef struct Options {
    double seconds, shrink;
    uint64_t programs, seed, program;
    int failures;
    bool coverage, one;
} Options;

enum { PATIENCE = 60 }; /* seconds without a new program or mode: it does not end */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* The seed of program number i. */
static uint64_t seed_of(uint64_t seed, uint64_t i)
{
    Random random = {seed * 0x2545F4914F6CDD1Du + i};
    return random_next(&random) >> 16; /* short enough to type */
}

/* ---- processes ---- */

/* Waits for a child; false if it did not end by itself. Progress is a change of any counter. */
static bool wait_for(pid_t child, int *status, double patience)
{
    uint64_t seen = UINT64_MAX;
    double since = now();
    for (;;) {
        pid_t ended = waitpid(child, status, WNOHANG);
        if (ended == child)
            return true;
        if (ended < 0 && errno != EINTR)
            return false;
        uint64_t progress = shared->programs * 1000 + shared->runs;
        if (progress != seen) {
            seen = progress;
            since = now();
        } else if (now() - since > patience) {
            kill(child, SIGKILL);
            waitpid(child, status, 0);
            return false;
        }
        struct timespec pause = {0, 2000000};
        nanosleep(&pause, NULL);
    }
}

/* Runs `body` in a child; what happened to it is in shared->finding. */
static void in_child(void (*body)(void *), void *argument, bool quiet, double patience)
{
    shared->finding = (Finding){0};
    shared->finished = false;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (quiet && (!freopen("/dev/null", "w", stderr) || !freopen("/dev/null", "w", stdout)))
            _exit(3);
        body(argument);
        fflush(NULL);
        _exit(0);
    }
    int status = 0;
    bool ended = child > 0 && wait_for(child, &status, patience);
    if (shared->finished || shared->finding.fault != FAULT_NONE)
        return;
    shared->finding.fault = ended ? FAULT_CRASH : FAULT_HANG;
    shared->finding.mode = shared->mode;
    shared->finding.signal = ended && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    snprintf(shared->finding.text, sizeof shared->finding.text, "%s: %s",
             shared->mode < 0 ? "while it was made" : modes[shared->mode].name,
             ended ? "the process ended, by a signal or an exit of its own" : "it does not end");
}

/* ---- one program after the other ---- */

typedef struct Work {
    const Options *options;
    uint64_t next;
    double end;
} Work;

static void run_programs(void *argument)
{
    const Work *work = argument;
    const Options *options = work->options;
    if (!contexts_open())
        return;
    size_t lost = 0;
    for (uint64_t i = work->next; shared->finding.fault == FAULT_NONE && !lost; i++) {
        if (options->programs ? i >= options->programs : now() >= work->end)
            break;
        shared->mode = -1;
        program_generate(&shared->program, seed_of(options->seed, i));
        program_agrees(&shared->program, &shared->finding);
        shared->programs = i + 1;
        lost += contexts_renew();
    }
    lost += contexts_close();
    if (lost && shared->finding.fault == FAULT_NONE) {
        shared->finding.fault = FAULT_LOST;
        snprintf(shared->finding.text, sizeof shared->finding.text,
                 "%zu bytes of the contexts were not given back, or written behind", lost);
        shared->program.values = 0;
        return;
    }
    if (leaks_found() && shared->finding.fault == FAULT_NONE) {
        shared->finding.fault = FAULT_LOST;
        strcpy(shared->finding.text, "the leak sanitizer found lost memory");
        shared->program.values = 0;
        return;
    }
    shared->finished = true;
}

static void run_one(void *argument)
{
    (void)argument;
    if (!contexts_open())
        return;
    program_agrees(&shared->program, &shared->finding);
    if (contexts_close() && shared->finding.fault == FAULT_NONE)
        shared->finding.fault = FAULT_LOST;
    shared->finished = true;
}

/* ---- shrinking ---- */

static Finding wanted;

static bool still_fails(const Program *program)
{
    memcpy(&shared->program, program, sizeof *program);
    program_finish(&shared->program);
    in_child(run_one, NULL, true, wanted.fault == FAULT_HANG ? 5 : 30);
    return shared->finding.fault == wanted.fault && shared->finding.signal == wanted.signal &&
           (shared->finding.mode == wanted.mode || wanted.mode < 0);
}

static void report(const Options *options)
{
    static Program program;
    memcpy(&program, &shared->program, sizeof program);
    wanted = shared->finding;
    printf("FAILED: the program of seed %" PRIu64 ": %s\n", program.seed, wanted.text);
    if (program.values == 0)
        return;
    if (wanted.mode < 0) { /* it was not finished when it crashed */
        program.modes = 1u << MODE_EAGER | 1u << MODE_FLUSHED | 1u << MODE_TRACED;
        program.body[0].outputs = 0;
    }
    if (!still_fails(&program)) {
        printf("(it does not fail alone)\n");
    } else {
        wanted = shared->finding;
        program_shrink(&program, still_fails, options->shrink);
        still_fails(&program);
    }
    program_finish(&program);
    program_print(&program, &shared->finding);
    fflush(stdout);
}

/* ---- what was reached ---- */

static bool print_coverage(bool all)
{
    int count, missed = 0;
    const gt_Operation *const *table = gt_operations(&count);
    if (all)
        printf("%-38s %10s %10s %14s %10s\n", "operation", "valid", "invalid", "differentiated",
               "traced");
    for (int i = 0; i < count; i++) {
        const Coverage *c = &shared->coverage[i];
        bool slopes = table[i]->gradient != NULL;
        bool reached = c->valid && c->invalid && c->traced && (!slopes || c->differentiated);
        missed += !reached;
        if (all || !reached)
            printf("%-38s %10" PRIu64 " %10" PRIu64 " %14" PRIu64 " %10" PRIu64 "%s\n", table[i]->name,
                   c->valid, c->invalid, c->differentiated, c->traced, reached ? "" : "   MISSED");
    }
    int calls = 0;
    for (int i = 0; i < calls_count(); i++) {
        calls += shared->calls[i].valid > 0;
        if (all)
            printf("%-38s %10" PRIu64 " %10" PRIu64 " %14s %10" PRIu64 "\n", call_name(i),
                   shared->calls[i].valid, shared->calls[i].invalid, "", shared->calls[i].traced);
    }
    printf("%d of %d operations reached, %d of %d calls\n", count - missed, count, calls,
           calls_count());
    return missed == 0;
}

/* ---- arguments ---- */

static int usage(void)
{
    fprintf(stderr, "usage: random_programs [--seconds N | --programs N | --program SEED] [--seed S] "
                    "[--failures N] [--shrink N] [--coverage]\n");
    return 2;
}

static bool read_options(int count, char **arguments, Options *options)
{
    for (int i = 1; i < count; i++) {
        const char *name = arguments[i];
        if (strcmp(name, "--coverage") == 0) {
            options->coverage = true;
            continue;
        }
        if (name[0] != '-') {
            if (i == 1)
                options->seconds = atof(name);
            else if (i == 2)
                options->seed = strtoull(name, NULL, 0);
            else
                return false;
            continue;
        }
        if (++i >= count)
            return false;
        const char *value = arguments[i];
        if (strcmp(name, "--seconds") == 0)
            options->seconds = atof(value);
        else if (strcmp(name, "--programs") == 0)
            options->programs = strtoull(value, NULL, 0);
        else if (strcmp(name, "--seed") == 0)
            options->seed = strtoull(value, NULL, 0);
        else if (strcmp(name, "--failures") == 0)
            options->failures = atoi(value);
        else if (strcmp(name, "--shrink") == 0)
            options->shrink = atof(value);
        else if (strcmp(name, "--program") == 0) {
            options->program = strtoull(value, NULL, 0);
            options->one = true;
        } else
            return false;
    }
    return options->seconds > 0 || options->programs || options->one;
}

static void generate_one(void *argument)
{
    if (!contexts_open())
        return;
    shared->mode = -1;
    program_generate(&shared->program, *(const uint64_t *)argument);
    program_agrees(&shared->program, &shared->finding);
    contexts_close();
    shared->finished = true;
}

static int one_program(Options *options)
{
    in_child(generate_one, &options->program, false, PATIENCE);
    if (shared->finding.fault == FAULT_NONE) {
        program_print(&shared->program, &shared->finding);
        printf("the program of seed %" PRIu64 " agrees with itself\n", options->program);
        return 0;
    }
    if (options->shrink <= 0)
        program_print(&shared->program, &shared->finding);
    else
        report(options);
    return 1;
}

int main(int count, char **arguments)
{
    Options options = {.shrink = 60, .failures = 1};
    options.seed = (uint64_t)time(NULL) * 2654435761u + (uint64_t)getpid();
    options.seed &= 0xFFFFFFFF;
    if (!read_options(count, arguments, &options))
        return usage();
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        fprintf(stderr, "there is no shared memory\n");
        return 2;
    }
    if (options.one)
        return one_program(&options);
    int failures = 0;
    double start = now();
    Work work = {&options, 0, start + options.seconds};
    while (failures < options.failures &&
           (options.programs ? work.next < options.programs : now() < work.end)) {
        in_child(run_programs, &work, false, PATIENCE);
        /* A program that crashed was not counted. */
        uint64_t done = shared->programs;
        if (shared->finding.fault != FAULT_NONE) {
            bool counted = shared->finding.fault != FAULT_CRASH && shared->finding.fault != FAULT_HANG;
            failures++;
            double before = now();
            report(&options);
            work.end += now() - before;
            start += now() - before;
            work.next = done + !counted;
            shared->programs = work.next;
        } else {
            work.next = done;
            if (!options.programs)
                break;
        }
    }
    bool reached = true;
    if (failures == 0)
        reached = print_coverage(options.coverage);
    else if (options.coverage)
        print_coverage(true);
    double seconds = now() - start;
    printf("seed %" PRIu64 ": %" PRIu64 " programs, %" PRIu64 " steps, %" PRIu64
           " runs in %.1f s (%.0f programs a second), %d failed\n",
           options.seed, (uint64_t)shared->programs, (uint64_t)shared->steps,
           (uint64_t)shared->runs, seconds, (double)shared->programs / seconds, failures);
    return failures > 0 || !reached;
}
