/* The discrete Fourier transform of any length, many columns at a time, and the kernels of the records that are made of it.
 * Leans on kernels.h.
 *
 * Order: a transform is planned (ops/math/transform.c): radices, or a convolution; where its tables and arrays are. The
 * first launch computes the tables, which are a temporary; the second transforms groups of columns, each with arrays of
 * its worker. Idea: Stockham passes of radix 2 to 31, whose columns stand beside each other so that every loop is over
 * neighbours; for lengths with larger prime factors a convolution of a length without such (L. Bluestein, A linear
 * filtering approach to the computation of discrete Fourier transform, 1970). Roots of unity are worked out for an eighth
 * of the circle, from exact fractions of it; the others are their mirror images.
 *
 *     length 12: radices 4, 3, both without a table of roots; 3 * 3 + 2 * 1 twiddles
 *     length 37: a convolution of length 80, radices 5, 4, 4 */
#ifndef GT_KERNELS_TRANSFORM_H
#define GT_KERNELS_TRANSFORM_H

#include "kernels/kernels.h"

/* An array of complex numbers: its real and its imaginary parts. Exchanging the two before and after
 * a transform makes it the inverse one, without 1 / n. */
typedef struct gt_Split {
    char *re, *im;
} gt_Split;

/* One length and type. Scratch memory has two arrays, of at least length + 1 rows of `lanes` numbers. */
#define GT_PASSES 64
typedef struct gt_Transform {
    uint8_t type, element; /* GT_LOOP_F32 or GT_LOOP_F64, bytes of a number */
    uint8_t passes, radix[GT_PASSES];
    bool chirped, folded;         /* by a convolution; of real numbers */
    int64_t length, lanes;        /* of a column; columns beside each other, at most */
    int64_t n;                    /* length of the passes: of the column, or of a convolution */
    size_t chirp, spectrum, fold; /* where these tables begin */
    size_t tables, part, scratch; /* bytes of all tables, of one part of an array, of both arrays */
} gt_Transform;

/* fourier_tables: at[place] gets the tables. One tile; scratch: the arrays. */
typedef struct gt_FourierTablesJob {
    gt_Transform transform;
    int32_t place;
} gt_FourierTablesJob;

/* With h = n / 2, z[n - k] of half a spectrum is z[k]*. */
typedef enum gt_FourierKind {
    GT_FOURIER_WHOLE, /* at {re, im, re, im, tables}; one part of the input may be absent: zeros */
    GT_FOURIER_HALF,  /* n real numbers to h + 1; at {x, re, im, tables} */
    GT_FOURIER_FROM_HALF, /* and back; at {re, im, x, tables}; one part may be absent */
} gt_FourierKind;

/* fourier: transforms of columns along an axis. In the tensor, columns are rows of it if `inner` is 1, else `inner` of
 * them stand beside each other. A tile is `batch` groups of up to `lanes` columns. Rows that the input lacks are zeros,
 * those that it has beyond the length do not count. */
typedef struct gt_FourierJob {
    gt_Transform transform;        /* even n of half spectra: of h numbers, folded */
    uint8_t kind;                  /* a gt_FourierKind */
    bool inverse, scaled;          /* of GT_FOURIER_WHOLE: e^(+2 pi i j k / n); divided by n */
    bool transposed;               /* of the others: the transpose of the other one */
    int64_t n, rows;               /* numbers that are transformed, rows of the input */
    int64_t beside, inner, pieces; /* columns that can be beside each other, and their groups */
    int64_t groups, batch;         /* groups in all and in one tile of work */
} gt_FourierJob;

/* overlap_add: sequences x (rows, count, length) added, in their order, to zeros y (rows, whole), number i from place
 * i stride on; at {x, y}. A tile is a piece of `chunk` elements of a row of y, or `batch` rows. */
typedef struct gt_OverlapJob {
    int32_t type, element; /* the gt_LoopType, bytes of an element */
    int64_t rows, whole, count, length, stride;
    int64_t chunk, chunks, batch;
} gt_OverlapJob;

/* ---- compiled once; the loops are `kernels`'s ---- */

/* Computes the tables. */
void gt_transform_fill(const gt_Transform *transform, const gt_KernelTable *kernels, void *tables,
                       void *scratch);
/* A job on groups, see above. */
void gt_fourier_tiles(const gt_FourierJob *job, const gt_KernelTable *kernels, void *const *at,
                      int64_t first, int64_t last, void *scratch);
void gt_overlap_tiles(const gt_OverlapJob *job, const gt_KernelTable *kernels, void *const *at,
                      int64_t first, int64_t last);

#endif
