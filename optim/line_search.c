/* Moré and Thuente's line search. It keeps an interval of steps: `low`, the best point yet, and `high`, such that a step with
 * both properties lies between. Until one with enough decrease and a slope >= 0 is met it works on f(step) - decrease step f'(0)
 * instead of f, so that the interval is sure to hold one. */
#include "optim/line_search.h"

#include <math.h>

typedef struct Interval {
    gt_LinePoint low, high;
    bool bracketed;
    double least, most; /* limits of the next step */
} Interval;

/* Of the cubic through two points with slopes: theta, and gamma, from which its minimum follows. */
typedef struct Cubic {
    double theta, gamma;
} Cubic;

static Cubic cubic(gt_LinePoint a, gt_LinePoint b)
{
    double theta = 3 * (a.value - b.value) / (b.step - a.step) + a.slope + b.slope;
    double scale = fmax(fabs(theta), fmax(fabs(a.slope), fabs(b.slope)));
    double square = theta / scale * (theta / scale) - a.slope / scale * (b.slope / scale);
    return (Cubic){theta, scale * sqrt(fmax(0, square))};
}

/* Its minimum, for points that have one between them, written from a. */
static double cubic_minimum(gt_LinePoint a, gt_LinePoint b)
{
    Cubic c = cubic(a, b);
    double gamma = b.step < a.step ? -c.gamma : c.gamma;
    double ratio = (gamma - a.slope + c.theta) / (gamma - a.slope + gamma + b.slope);
    return a.step + ratio * (b.step - a.step);
}

static double secant(gt_LinePoint a, gt_LinePoint b)
{
    return b.step + b.slope / (b.slope - a.slope) * (a.step - b.step);
}

/* Where slopes fall in size without a change of sign: the minimum may lie further on. */
static double beyond(const Interval *in, gt_LinePoint trial)
{
    gt_LinePoint low = in->low;
    Cubic c = cubic(low, trial);
    double gamma = trial.step > low.step ? -c.gamma : c.gamma;
    double ratio = (gamma - trial.slope + c.theta) / (gamma + (low.slope - trial.slope) + gamma);
    double end = trial.step > low.step ? in->most : in->least;
    double curve = ratio < 0 && gamma != 0 ? trial.step + ratio * (low.step - trial.step) : end;
    double line = secant(low, trial);
    bool curve_nearer = fabs(curve - trial.step) < fabs(line - trial.step);
    if (!in->bracketed)
        return fmin(fmax(curve_nearer ? line : curve, in->least), in->most);
    double next = curve_nearer ? curve : line,
           limit = trial.step + 0.66 * (in->high.step - trial.step);
    return trial.step > low.step ? fmin(limit, next) : fmax(limit, next);
}

/* The next step to try, and the interval with the trial point in it. */
static double next_step(Interval *in, gt_LinePoint trial)
{
    gt_LinePoint low = in->low;
    bool turned = trial.slope * (low.slope < 0 ? -1 : 1) < 0;
    double next;
    if (trial.value > low.value) { /* a minimum lies between */
        double curve = cubic_minimum(low, trial), way = trial.step - low.step;
        double parabola =
            low.step + 0.5 * low.slope / ((low.value - trial.value) / way + low.slope) * way;
        next = fabs(curve - low.step) < fabs(parabola - low.step)
                   ? curve
                   : curve + 0.5 * (parabola - curve);
        in->bracketed = true;
    } else if (turned) { /* as well: the slope has changed its sign */
        double curve = cubic_minimum(trial, low), line = secant(low, trial);
        next = fabs(curve - trial.step) > fabs(line - trial.step) ? curve : line;
        in->bracketed = true;
    } else if (fabs(trial.slope) < fabs(low.slope)) {
        next = beyond(in, trial);
    } else if (in->bracketed) {
        next = cubic_minimum(trial, in->high);
    } else {
        next = trial.step > low.step ? in->most : in->least;
    }
    if (trial.value > low.value) {
        in->high = trial;
    } else {
        if (turned)
            in->high = low;
        in->low = trial;
    }
    return next;
}

static gt_LinePoint tilted(gt_LinePoint point, double slope)
{
    return (gt_LinePoint){point.step, point.value - point.step * slope, point.slope - slope};
}

/* The same for f(step) - slope step. */
static double next_step_tilted(Interval *in, gt_LinePoint trial, double slope)
{
    in->low = tilted(in->low, slope);
    in->high = tilted(in->high, slope);
    double next = next_step(in, tilted(trial, slope));
    in->low = tilted(in->low, -slope);
    in->high = tilted(in->high, -slope);
    return next;
}

typedef struct State {
    const gt_LineSearch *search;
    gt_LinePoint start;
    Interval in;
    bool second;          /* stage: f itself */
    double width, before; /* of the interval, now and two steps ago */
} State;

static bool satisfies(const State *self, gt_LinePoint at)
{
    const gt_LineSearch *search = self->search;
    double wanted = self->start.value + at.step * search->decrease * self->start.slope;
    if (at.value <= wanted && fabs(at.slope) <= search->curvature * -self->start.slope)
        return true;
    double noise = 1e-14 * fabs(self->start.value);
    return fabs(at.value - self->start.value) <= noise &&
           at.slope >= search->curvature * self->start.slope &&
           at.slope <= (2 * search->decrease - 1) * self->start.slope;
}

/* The step after this point, between the limits; the interval shrinks by a third every two steps. */
static double proceed(State *self, gt_LinePoint at)
{
    Interval *in = &self->in;
    double slope = self->search->decrease * self->start.slope;
    double wanted = self->start.value + at.step * slope;
    if (!self->second && at.value <= wanted && at.slope >= 0)
        self->second = true;
    bool tilt = !self->second && at.value <= in->low.value && at.value > wanted;
    double next = tilt ? next_step_tilted(in, at, slope) : next_step(in, at);
    if (in->bracketed) {
        double width = fabs(in->high.step - in->low.step);
        if (width >= 0.66 * self->before)
            next = in->low.step + 0.5 * (in->high.step - in->low.step);
        self->before = self->width;
        self->width = width;
        in->least = fmin(in->low.step, in->high.step);
        in->most = fmax(in->low.step, in->high.step);
        if (next <= in->least || next >= in->most)
            next = in->low.step + 0.5 * (in->high.step - in->low.step);
    } else {
        in->least = next + 1.1 * (next - in->low.step);
        in->most = next + 4 * (next - in->low.step);
    }
    return fmin(fmax(next, 0), self->search->most);
}

bool gt_line_search(const gt_LineSearch *search, gt_LinePoint start, double step,
                    gt_LinePoint *best, bool *stale)
{
    State self = {.search = search,
                  .start = start,
                  .in = {.low = start, .high = start, .least = 0, .most = 5 * step},
                  .width = search->most,
                  .before = 2 * search->most};
    double limit = INFINITY; /* from here on the loss is not finite */
    gt_LinePoint at = {step, 0, 0};
    *best = start;
    *stale = true;
    for (int i = 0; i < search->evaluations; i++) {
        if (!search->evaluate(search->user, &at))
            return false;
        *stale = true;
        if (!isfinite(at.value) || !isfinite(at.slope)) { /* outside of where the loss is defined */
            limit = at.step;
            at.step = self.in.low.step + 0.25 * (at.step - self.in.low.step);
            continue;
        }
        bool good = satisfies(&self, at);
        if (good || at.value < best->value) {
            *best = at;
            *stale = false;
        }
        if (good || (at.step == search->most && at.slope < 0 &&
                     at.value <= start.value + search->decrease * at.step * start.slope))
            return true;
        double before = at.step;
        at.step = proceed(&self, at);
        if (at.step >= limit)
            at.step = 0.5 * (self.in.low.step + limit);
        if (at.step == before ||
            (self.in.bracketed && self.in.most - self.in.least <= 1e-15 * self.in.most))
            break;
    }
    return best->value < start.value;
}
