/* A loss and its gradient as one plan, for solvers. Not installed. */
#ifndef GT_OPTIM_LOSS_PLAN_H
#define GT_OPTIM_LOSS_PLAN_H

#include "optim/solver.h"

typedef struct gt_LossPlan {
    gt_Solver *solver;
    gt_Function *both;
    double first;                   /* the largest slope at the start */
    double least_loss, least_slope; /* so far */
    int idle;                       /* iterations since either became less */
} gt_LossPlan;

/* Makes the plan and evaluates it at x: an error where the loss or its gradient is not finite. `gradient` (n). */
gt_Status gt_loss_plan_begin(gt_LossPlan *self, gt_Solver *solver, double *gradient);
/* The loss and its gradient at x, which the variables become; counts, and stops at the limit. False if it did not
 * happen. */
bool gt_loss_plan_at(gt_LossPlan *self, const double *x, double *loss, double *gradient);
/* Is the slope at x 0 to this tolerance: absolutely, or, if it started below 1, beside that? */
bool gt_loss_plan_is_flat(const gt_LossPlan *self, double gtol);
/* After each iteration: near a minimum points differ by rounding alone, and a solver could go round in a circle of them for ever.
 * Does it, since neither loss nor slope has become less for some iterations? */
bool gt_loss_plan_circles(gt_LossPlan *self);
/* The largest element of the gradient that no bound holds. */
double gt_loss_plan_slope(const gt_Solver *solver, const double *x, const double *gradient);

#endif
