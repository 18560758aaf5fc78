/* The loops of Fourier transforms: one pass of Stockham's transform (C. Van Loan, Computational
 * Frameworks for the Fast Fourier Transform, 1992, 1.7), folding for real numbers, multiplication.
 * Many columns stand beside each other, so that every loop is over neighbours and the compiler makes
 * vectors of it; a column's bits do not depend on how many there are. Leans on loops.h. */
#include "loops.h"
#include "transform.h"

/* With its flags known, a function is a loop without a branch. */
#if defined(__GNUC__)
#define GT_INLINE static inline __attribute__((always_inline))
#else
#define GT_INLINE static inline
#endif

#ifndef GT_RARE_ELSEWHERE
#define GT_T          float
#define GT_NAME(name) name##_f32
#include "fourier_template.h"

#define GT_T          double
#define GT_NAME(name) name##_f64
#include "fourier_template.h"
#endif

/* Any order of columns; what is computed for one does not depend on the others. */
void GT_KERNEL(tiles_fourier_tables)(const void *given, void *const *at, int64_t first,
                                     int64_t last, void *scratch)
{
    const gt_FourierTablesJob *job = given;
    (void)first, (void)last;
    gt_transform_fill(&job->transform, &GT_KERNEL(kernels), at[job->place], scratch);
}

/* Each column by itself: the passes of its transform one after the other, each in the order of fourier_template.h.
 * Any order of tiles. */
void GT_KERNEL(tiles_fourier)(const void *given, void *const *at, int64_t first, int64_t last,
                              void *scratch)
{
    gt_fourier_tiles(given, &GT_KERNEL(kernels), at, first, last, scratch);
}

/* To each element the sequences that cover it are added in their order; any order of tiles. */
void GT_KERNEL(tiles_overlap_add)(const void *given, void *const *at, int64_t first, int64_t last,
                                  void *scratch)
{
    (void)scratch;
    gt_overlap_tiles(given, &GT_KERNEL(kernels), at, first, last);
}
