/* The loops of Fourier transforms: one pass of Stockham's transform (C. Van Loan, Computational
 * Frameworks for the Fast Fourier Transform, 1992, 1.7), folding for real numbers, multiplication.
 * Many columns stand beside each other, so that every loop is over neighbours and the compiler makes
 * vectors of it; a column's bits do not depend on how many there are. Leans on loops.h. */
#include "loops.h"

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
