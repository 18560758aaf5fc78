/* The pairs that L-BFGS remembers, and the minimum of its quadratic model inside a box. Not installed.
 *
 * With k pairs the model's matrix is B = theta I - W M W', W = [Y, theta S] of n rows, and
 *
 *     M^-1 = [ -D   L'        ]      D: s_i' y_i on the diagonal, L: s_i' y_j for i > j
 *            [  L   theta S'S ]
 *
 * (R. H. Byrd, J. Nocedal, R. B. Schnabel, Representations of quasi-Newton matrices, 1994). */
#ifndef GT_OPTIM_LBFGS_BOUNDS_H
#define GT_OPTIM_LBFGS_BOUNDS_H

#include "optim/loss_plan.h"

/* The last pairs, the oldest first. */
typedef struct gt_Pairs {
    int64_t n;
    int memory, count, first; /* `first` of a ring */
    double *s, *y;            /* (memory, n) each */
    double *sy, *ss;          /* (memory, memory): s_i' y_j and s_i' s_j, by place in the ring */
    size_t bytes;
    double theta; /* y'y / s'y of the newest; 1 without pairs */
} gt_Pairs;

/* `vectors`: 2 memory vectors of length n. */
gt_Status gt_pairs_open(gt_Pairs *self, gt_Context *context, int64_t n, int memory,
                        double *vectors);
void gt_pairs_close(gt_Pairs *self, gt_Context *context);
void gt_pairs_forget(gt_Pairs *self);
/* One more pair, if its curvature is positive beyond rounding; the oldest goes. */
void gt_pairs_add(gt_Pairs *self, const double *x, const double *next, const double *gradient,
                  const double *next_gradient);
static inline int gt_pair_place(const gt_Pairs *self, int k)
{
    return (self->first + k) % self->memory;
}
static inline const double *gt_pair_s(const gt_Pairs *self, int k)
{
    return self->s + gt_pair_place(self, k) * self->n;
}
static inline const double *gt_pair_y(const gt_Pairs *self, int k)
{
    return self->y + gt_pair_place(self, k) * self->n;
}
/* s_i' y_k */
static inline double gt_pair_product(const gt_Pairs *self, int i, int k)
{
    return self->sy[gt_pair_place(self, i) * self->memory + gt_pair_place(self, k)];
}

enum { GT_BOUNDS_VECTORS = 3 };
typedef struct gt_BoundsWork {
    double *cauchy, *breaks, *reduced; /* (n) each */
    int64_t *order;                    /* (n) */
    double *small;                     /* matrices (2 memory, 2 memory) and vectors (2 memory) */
    size_t order_bytes, small_bytes;
    int memory;
} gt_BoundsWork;

/* Takes GT_BOUNDS_VECTORS vectors; returns what follows them. Without bounds nothing more. */
double *gt_bounds_open(gt_BoundsWork *self, gt_Context *context, int64_t n, int memory, bool bounds,
                       double *vectors);
void gt_bounds_close(gt_BoundsWork *self, gt_Context *context);
/* direction (n): from x to the minimum of the model in the box. False if the model's small matrices are singular. */
bool gt_bounds_direction(gt_BoundsWork *self, const gt_Pairs *pairs, const double *x,
                         const double *gradient, const double *lower, const double *upper,
                         double *direction);

#endif
