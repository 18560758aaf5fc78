/* Finds and loads OpenBLAS; see blas.h for why at run time. Leans on dlopen, on the compiler's view of
 * the processor, and on threads.c, which sees forks. Contexts share the lock below and what it guards,
 * the blocks of environment: two of them may load at once, and a fork waits for it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_DEFAULT, environ; includes POSIX */
#endif
#include "core/structs.h"

#include <limits.h>
#include <string.h>

#if defined(GT_BLAS_NONE)

bool gt_blas_load(gt_Blas *blas)
{
    blas->tried = true;
    return false;
}

void gt_blas_before_fork(void)
{
}

void gt_blas_after_fork(bool child)
{
    (void)child;
}

void gt_blas_unload(gt_Blas *blas)
{
    *blas = (gt_Blas){0};
}

gt_BlasFunction *gt_blas_function(const gt_Blas *blas, const char *name)
{
    (void)blas;
    (void)name;
    return NULL;
}

#else

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;

static _Thread_local bool held; /* the lock, by this thread, which forks */

/* A child that is forked in the middle of a dlopen finds the loader's lists half done. The wait has an
 * end because the C library before glibc 2.36 holds a lock while this runs, which OpenBLAS asks for
 * while it is loaded. */
void gt_blas_before_fork(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 2;
    held = pthread_mutex_timedlock(&loading, &until) == 0;
}

void gt_blas_after_fork(bool child)
{
    static const pthread_mutex_t unlocked = PTHREAD_MUTEX_INITIALIZER;
    if (child)
        loading = unlocked; /* whoever had it stayed in the parent */
    else if (held)
        pthread_mutex_unlock(&loading);
    held = false;
}

#if defined(__x86_64__) && defined(__GNUC__)
static bool one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}
#endif

/* What OpenBLAS's environment says to ask for better kernels where `chosen` wastes the processor's
 * vectors, or NULL if it is right. */
static char *better_core(const char *chosen)
{
#if defined(__x86_64__) && defined(__GNUC__)
    static const char *const wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids", NULL};
    static const char *const middle[] = {"Haswell", "Zen", "Excavator", NULL};
    static char skylake[] = "OPENBLAS_CORETYPE=SkylakeX", haswell[] = "OPENBLAS_CORETYPE=Haswell";
    static char zen[] = "OPENBLAS_CORETYPE=Zen";
    if (one_of(chosen, wide))
        return NULL;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return skylake;
    if (one_of(chosen, middle))
        return NULL;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return __builtin_cpu_is("amd") ? zen : haswell;
#else
    (void)chosen;
#endif
    return NULL;
}

/* ---- the environment that OpenBLAS sees ----
 *
 * OpenBLAS reads its number of threads and the name of its kernels from the environment while it
 * loads, and from nowhere else. setenv may move the array of entries that a getenv of another thread
 * walks along. So the array is left alone: while OpenBLAS loads, `environ` points to another one,
 * with our entries first and then the caller's. Both are whole at every moment, and a block is
 * neither changed nor freed once it was seen; the same entries get the same block again. */
typedef struct Block {
    struct Block *next;
    char *entry[]; /* NULL ends them */
} Block;

static Block *blocks;

/* Entry i of our own (NULL ones left out) followed by the caller's; NULL after the last. */
static char *entry_at(char *const ours[2], size_t i)
{
    for (int k = 0; k < 2; k++)
        if (ours[k] != NULL && i-- == 0)
            return ours[k];
    return environ != NULL ? environ[i] : NULL;
}

/* A block of these entries; NULL if there is no memory for it. */
static Block *block_of(char *const ours[2])
{
    size_t count = 0, i = 0;
    while (entry_at(ours, count) != NULL)
        count++;
    for (Block *block = blocks; block != NULL; block = block->next) {
        for (i = 0; block->entry[i] != NULL && block->entry[i] == entry_at(ours, i);)
            i++;
        if (block->entry[i] == NULL && i == count)
            return block;
    }
    Block *block = malloc(sizeof *block + (count + 1) * sizeof *block->entry);
    if (block == NULL)
        return NULL;
    for (i = 0; i <= count; i++)
        block->entry[i] = entry_at(ours, i);
    block->next = blocks;
    blocks = block;
    return block;
}

/* Calls `load` on `blas` while the environment has these entries too; false without memory for that.
 * Another thread that sets a variable meanwhile moves `environ` itself: then it stays there. */
static bool with_entries(char *const ours[2], void load(gt_Blas *blas), gt_Blas *blas)
{
    Block *block = block_of(ours);
    if (block == NULL)
        return false;
    char **before = environ;
    environ = block->entry;
    load(blas);
    if (environ == block->entry)
        environ = before;
    return true;
}

/* C has no cast from an object's address to a function's; POSIX says that the bits are right. */
static gt_BlasFunction *look_up(void *library, const char *name)
{
    gt_BlasFunction *function = NULL;
    void *at = dlsym(library, name);
    memcpy(&function, &at, sizeof at);
    return function;
}

#if defined(GT_BLAS_LINKED)

/* A name that must be there, or a linker that leaves out what nobody needs would leave the library out. */
char *openblas_get_config(void);
/* Only newer releases have these; the last two are exported but not documented. */
extern char *openblas_get_corename(void) __attribute__((weak));
extern int openblas_get_num_threads(void) __attribute__((weak));
extern void openblas_set_num_threads(int count) __attribute__((weak));
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

static void choose_again(gt_Blas *blas)
{
    (void)blas;
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
}

/* Returns whether that is final: not if memory was short. */
static bool find(gt_Blas *blas)
{
    bool final = true;
    blas->loaded = openblas_get_config() != NULL;
    if (openblas_get_corename == NULL)
        return true;
    char *better = better_core(openblas_get_corename());
    if (better != NULL && getenv("OPENBLAS_CORETYPE") == NULL && gotoblas_dynamic_init != NULL &&
        gotoblas_dynamic_quit != NULL)
        final = with_entries((char *[2]){better, NULL}, choose_again, blas);
    strncpy(blas->core, openblas_get_corename(), sizeof blas->core - 1);
    blas->set_threads = openblas_set_num_threads;
    if (blas->set_threads != NULL && getenv("OPENBLAS_NUM_THREADS") == NULL)
        blas->set_threads(1);
    blas->single = openblas_get_num_threads != NULL && openblas_get_num_threads() == 1;
    return final;
}

gt_BlasFunction *gt_blas_function(const gt_Blas *blas, const char *name)
{
    return blas->loaded ? look_up(RTLD_DEFAULT, name) : NULL;
}

#else

static const char library_name[] = "libopenblas.so.0";

gt_BlasFunction *gt_blas_function(const gt_Blas *blas, const char *name)
{
    return blas->library != NULL ? look_up(blas->library, name) : NULL;
}

static void read_core(gt_Blas *blas)
{
    char *(*name)(void) = (char *(*)(void))gt_blas_function(blas, "openblas_get_corename");
    memset(blas->core, 0, sizeof blas->core);
    if (name != NULL)
        strncpy(blas->core, name(), sizeof blas->core - 1);
}

static void load(gt_Blas *blas)
{
    blas->library = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
    if (blas->library != NULL)
        read_core(blas);
}

static void load_again(gt_Blas *blas)
{
    dlclose(blas->library);
    load(blas);
}

/* Brings it into the process, with the right kernels and without threads. False if memory is short.
 */
static bool bring(gt_Blas *blas)
{
    static char one_thread[] = "OPENBLAS_NUM_THREADS=1";
    if (!with_entries((char *[2]){one_thread, NULL}, load, blas))
        return false;
    char *better = blas->library != NULL ? better_core(blas->core) : NULL;
    return better == NULL || getenv("OPENBLAS_CORETYPE") != NULL ||
           with_entries((char *[2]){one_thread, better}, load_again, blas);
}

/* Returns whether that is final: not if memory was short. */
static bool find(gt_Blas *blas)
{
    void *before = dlopen(library_name, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    bool final = true;
    if (before != NULL) {
        blas->library = before;
        read_core(blas);
    } else {
        final = bring(blas);
    }
    if (blas->library == NULL)
        return final;

    int (*threads)(void) = (int (*)(void))gt_blas_function(blas, "openblas_get_num_threads");
    blas->set_threads = (void (*)(int))gt_blas_function(blas, "openblas_set_num_threads");
    /* The OpenMP flavour reads OMP_NUM_THREADS alone, which is not ours to touch. */
    if (before == NULL && blas->set_threads != NULL)
        blas->set_threads(1);
    blas->single = threads != NULL && threads() == 1;
    blas->loaded = true;
    return final;
}

#endif

void gt_blas_unload(gt_Blas *blas)
{
    if (blas->library != NULL) {
        pthread_mutex_lock(&loading);
        dlclose(blas->library);
        pthread_mutex_unlock(&loading);
    }
    *blas = (gt_Blas){0};
}

bool gt_blas_load(gt_Blas *blas)
{
    if (blas->tried)
        return blas->loaded;
    gt_watch_forks(); /* if it cannot, nobody waits for the next lines before he forks */
    bool final = true;
    pthread_mutex_lock(&loading);
    const char *wanted = getenv("GT_BLAS");
    if (wanted == NULL || strcmp(wanted, "none") != 0)
        final = find(blas);
    pthread_mutex_unlock(&loading);
    if (!final)
        gt_blas_unload(blas); /* to be tried again */
    blas->tried = final;
    return blas->loaded;
}

#endif
