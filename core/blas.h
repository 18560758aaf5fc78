/* OpenBLAS, if the machine has it: for linear algebra, through its LAPACK. Products are computed by the own kernels.
 * Everything else works without it.
 *
 * It is loaded at run time, at the first need, because OpenBLAS chooses its kernels while loading
 * and old releases choose badly: 0.3.21 (Debian 12) takes SSE3 kernels on processors that came
 * after it, four to seven times too slow (OpenBLAS issue 4267). So this room looks at what was
 * chosen and, when the processor can do better, loads again and asks for the right ones.
 *
 * Build switches: GT_BLAS_NONE leaves it out; GT_BLAS_LINKED takes the linked library instead.
 * Environment: GT_BLAS=none says not to use it; OPENBLAS_CORETYPE, if the user set it, is obeyed.
 */
#ifndef GT_CORE_BLAS_H
#define GT_CORE_BLAS_H

#include <stdbool.h>
#include <stdint.h>

/* Held by a context; all zeros before the first gt_blas_load. */
typedef struct gt_Blas {
    bool tried;  /* the search took place: `loaded` is its outcome */
    bool loaded; /* it is there */
    bool single; /* it computes on the calling thread alone */
    void *library;
    void (*set_threads)(int count); /* for the whole process; NULL if it has no such function */
    char core[32];                  /* the kernels that OpenBLAS chose: "Haswell"; "" if unknown */
} gt_Blas;

/* Finds OpenBLAS unless that was tried before; returns whether it can be used. Not finding it is no
 * error. If this call is what brings OpenBLAS into the process, OpenBLAS starts no threads. What
 * it must know it reads from the environment: while it loads, `environ` points to entries for it and
 * the caller's behind them. The caller's array is not touched, so that other threads may call getenv
 * meanwhile; a setenv of another thread meanwhile may be lost. A library that the process had loaded
 * before is taken as it is. */
bool gt_blas_load(gt_Blas *blas);

/* Around a fork: waits until no thread loads or unloads, and lets them go on, in both processes. */
void gt_blas_before_fork(void);
void gt_blas_after_fork(bool child);

/* Lets go of the library. `blas` is then all zeros. */
void gt_blas_unload(gt_Blas *blas);

/* A function of the library by name, for LAPACK: "dgetrf_". NULL without it. The pointer is to be
 * cast to the function's own type. */
typedef void gt_BlasFunction(void);
gt_BlasFunction *gt_blas_function(const gt_Blas *blas, const char *name);

#endif
