/* Reductions over axes as kernels of tiles, and how their result is finished. Leans on kernels.h.
 *
 * Axes of size 1 aside, kept and reduced ones take turns. The innermost are `rows` reduced elements, `stride` apart, for
 * each of `columns` contiguous kept ones; columns is 1 if the last axis is reduced. Further out, `kept` walks over the
 * other kept positions and `passes` over the other reduced ones. Where there is little else to cut, the rows are cut into
 * `blocks` of `block`. Where parts = passes.count * blocks is more than 1, there are two launches: the first leaves
 * partial results, (kept.count, parts, columns), which the second reduces. All of it follows from the shape alone.
 *
 *     (8, 1000, 6, 5) over axes 1 and 3: kept 8 x 6, passes 1000, rows 5, columns 1, stride 1 */
#ifndef GT_KERNELS_REDUCTION_H
#define GT_KERNELS_REDUCTION_H

#include "kernels/kernels.h"

/* Positions along some axes, the innermost last: steps in elements. */
typedef struct gt_Walk {
    int32_t rank;
    int64_t dims[GT_JOB_RANK], stride[GT_JOB_RANK];
    int64_t count;
} gt_Walk;
/* Element number `index` of the walk. */
int64_t gt_walk_offset(const gt_Walk *walk, int64_t index);

/* Which of the launches this is. */
typedef enum gt_ReductionRound {
    GT_REDUCTION_WHOLE,   /* from x to y */
    GT_REDUCTION_PARTIAL, /* from x to the partial results */
    GT_REDUCTION_LAST,    /* from the partial results to y */
    GT_REDUCTION_NOTHING  /* x has no elements: y is the identity, or `empty` */
} gt_ReductionRound;

/* reduce; at {x, y, partial results}. A tile is `group` pieces: strips of up to `width` columns of one kept position, or,
 * in the first of two launches, of one part of one. Partial results have the type of x, but those of floats that are
 * summed or multiplied are doubles or gt_Scaled (GT_REDUCE_LOOPS), and bytes are counted in the type of y. */
typedef struct gt_ReductionJob {
    uint8_t loop, round;      /* a gt_ReduceLoopId, a gt_ReductionRound */
    uint8_t from, to;         /* gt_LoopTypes of x and y */
    uint8_t element, waiting; /* bytes of an element of x, of a partial result */
    bool wide;                /* partial results of floats are wider than x: they are finished */
    bool counts;              /* bytes are summed in the type of y */
    bool mean,
        root; /* of the sum, before it is rounded to the type of y: it is divided by `reduced`, */
    double scale;          /*   multiplied by this; then the root is taken */
    double epsilon, floor; /*   of it and epsilon, and is at least `floor` */
    double empty;          /* what nothing gives; NaN: the identity */
    int64_t rows, stride, columns, block, blocks, parts;
    int64_t width, strips, group;
    int64_t reduced, outputs; /* elements that make one of y, elements of y */
    gt_Walk kept, passes;
} gt_ReductionJob;

/* logsumexp; at {x, y}. A tile is `group` elements of y, each the log of the sum of e^x over `columns` elements. Unless
 * those are contiguous, `lanes` of them are gathered in scratch memory, lanes * columns elements. */
typedef struct gt_LogsumexpJob {
    int32_t type; /* a gt_LoopType */
    bool contiguous;
    int64_t columns, outputs, group, lanes;
    gt_Walk kept, reduced; /* from element to element of y; within one */
} gt_LogsumexpJob;

/* arg_rows, arg_columns: the position along an axis of the largest element or the smallest, the first of equal ones, the
 * first NaN if there is one; x (outer, count, inner), y (outer, inner) of int32; at {x, y}. A tile of arg_rows, where
 * inner is 1, is a row; one of arg_columns is a strip of up to GT_ARG_STRIP columns of one outer position. */
#define GT_ARG_STRIP 64
typedef struct gt_ArgJob {
    uint8_t type, element; /* a gt_LoopType, bytes of an element of x */
    bool largest;
    int64_t outer, count, inner, strips;
} gt_ArgJob;

typedef enum gt_RunningKind {
    GT_RUNNING_SUM,       /* y[i] = x[0] + ... + x[i] */
    GT_RUNNING_PRODUCT,   /* y[i] = x[0] ... x[i] */
    GT_RUNNING_RECURRENCE /* y[i] = b[i] + a[i] y[i - 1], y[0] = b[0] */
} gt_RunningKind;

/* running: along an axis, x (outer, count, inner); at {x, y}, of a recurrence {a, b, y}. A tile is `group` strips of up to
 * `width` columns of one outer position. */
typedef struct gt_RunningJob {
    uint8_t kind, type, element; /* a gt_RunningKind, a gt_LoopType, bytes of an element */
    bool reverse, exclusive;     /* from the end to the start; y[i] leaves out x[i] */
    int64_t outer, count, inner;
    int64_t width, strips, group;
} gt_RunningJob;

/* Tiles of it, of any type, column by column; compiled once. */
void gt_running_tiles(const gt_RunningJob *job, void *const *at, int64_t first, int64_t last);
/* One row of floats of it, where inner is 1. */
void gt_running_row(const gt_RunningJob *job, const void *x, void *y);

/* Of sums of floats; compiled once. `output` is the number of the element of y. */
/* Sums in [least, most] need not be computed again: others overflowed, or are of squares that may have underflowed. */
void gt_reduction_trusted(const gt_ReductionJob *job, double *least, double *most);
/* The finished result, with the sum computed again from x, scaled, where it cannot be trusted. */
double gt_reduction_finished(const gt_ReductionJob *job, const void *x, int64_t output, double sum);
/* Products of `rows` numbers `stride` apart, for each of `columns`. */
void gt_reduction_products(int64_t rows, int64_t columns, int64_t stride, const gt_Scaled *x,
                           gt_Scaled *y);

#endif
