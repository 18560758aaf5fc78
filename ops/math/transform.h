/* How the discrete Fourier transform of any length is done, many columns at a time: what the records
 * of ops/math/fourier.c are made of. Private to the library. Leans on core and kernels. */
#ifndef GT_OPS_TRANSFORM_H
#define GT_OPS_TRANSFORM_H

#include "core/internal.h"

/* An array of complex numbers: its real and its imaginary parts. Exchanging the two before and after
 * a transform makes it the inverse one, without 1 / n. */
typedef struct gt_Split {
    char *re, *im;
} gt_Split;

/* One length and type. The scratch memory begins with the tables (those of the first worker serve
 * all), then come two arrays for each worker, of at least length + 1 rows of `lanes` numbers. */
#define GT_PASSES 64
typedef struct gt_Transform {
    const gt_KernelTable *kernels;
    const char *tables;
    int type;              /* 0: float32, 1: float64 */
    size_t element;        /* bytes of a number */
    int64_t length, lanes; /* of a column; columns beside each other, at most */
    int64_t n;             /* length of the passes: of the column, or of a convolution */
    int32_t passes, radix[GT_PASSES];
    bool chirped, folded;         /* by a convolution; of real numbers */
    size_t chirp, spectrum, fold; /* where these tables begin */
    size_t first, part, scratch;  /* where the arrays begin, bytes of one part, bytes of all */
} gt_Transform;

/* Plans transforms of `length` > 0 complex numbers, or, folded, of 2 * length real ones. `columns`
 * is how many there are, `beside` whether they stand beside each other in memory. */
void gt_transform_plan(gt_Transform *transform, gt_DType dtype, int64_t length, bool folded,
                       int64_t columns, bool beside);
/* Computes the tables, in the scratch memory of the kernel's context. */
void gt_transform_begin(gt_Transform *transform, const gt_Kernel *kernel);
/* The two arrays of a worker. */
void gt_transform_arrays(const gt_Transform *transform, void *scratch, gt_Split *a, gt_Split *b);

/* The transform of x, whose rows are `step` numbers apart, in rows of `lanes`: it is in one of the
 * two arrays, which one is returned. x may be in b. */
gt_Split gt_transform_run(const gt_Transform *transform, int64_t lanes, gt_Split x, int64_t step,
                          gt_Split a, gt_Split b);
/* Between the spectrum of 2 * length real numbers x, with length + 1 rows, and that of the complex
 * numbers x[2 j] + i x[2 j + 1]: from the latter, or, `inverse`, to it. The first and the last number
 * of the former count `ends` times, the others `between` times. */
void gt_transform_fold(const gt_Transform *transform, int64_t lanes, bool inverse, double ends,
                       double between, gt_Split x, gt_Split y);

#endif
