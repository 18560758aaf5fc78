/* A step along a direction that satisfies the strong Wolfe conditions (J. J. Moré, D. J. Thuente, Line search algorithms with
 * guaranteed sufficient decrease, 1994). Not installed.
 *
 *     f(step) <= f(0) + decrease step f'(0)        |f'(step)| <= curvature |f'(0)|
 *
 * Where rounding hides the decrease the conditions on slopes alone decide (W. W. Hager, H. Zhang, 2005). */
#ifndef GT_OPTIM_LINE_SEARCH_H
#define GT_OPTIM_LINE_SEARCH_H

#include <stdbool.h>

typedef struct gt_LinePoint {
    double step, value, slope;
} gt_LinePoint;

typedef struct gt_LineSearch {
    double decrease, curvature; /* 0 < decrease < curvature < 1 */
    double most;                /* no step is longer */
    int evaluations;            /* at most so many */
    /* Computes value and slope at `step`; false: it ends at once. The value may be infinite or NaN. */
    bool (*evaluate)(void *user, gt_LinePoint *at);
    void *user;
} gt_LineSearch;

/* From a point at step 0 with a negative slope, beginning with a step of that length. `best` gets the point that satisfies both
 * conditions, or the lowest that was met; returns whether that is better than where it began. `evaluate` was called last at
 * `best`, or not at all there: then `stale` says so. */
bool gt_line_search(const gt_LineSearch *search, gt_LinePoint start, double step,
                    gt_LinePoint *best, bool *stale);

#endif
