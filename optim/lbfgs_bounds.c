/* Pairs of L-BFGS; generalized Cauchy point and subspace minimum of L-BFGS-B (R. H. Byrd, P. Lu, J. Nocedal, C. Zhu, 1995).
 *
 *   the Cauchy point   the first minimum of the model along x - t gradient, bent at the bounds: it says which bounds hold
 *   the subspace       the minimum of the model over the elements that no bound holds there; projected onto the box, and
 *                      only shortened if that does not lead down (J. L. Morales, J. Nocedal, Remark on algorithm 778, 2011)
 *
 * What is 2k x 2k is solved here by Gaussian elimination: 20 unknowns need no library. */
#include "optim/lbfgs_bounds.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- pairs ---- */

gt_Status gt_pairs_open(gt_Pairs *self, gt_Context *context, int64_t n, int memory, double *vectors)
{
    *self =
        (gt_Pairs){.n = n, .memory = memory, .theta = 1, .s = vectors, .y = vectors + memory * n};
    self->bytes = 2 * (size_t)memory * (size_t)memory * sizeof(double);
    self->sy = gt_allocate_zeroed(context, self->bytes);
    self->ss = self->sy ? self->sy + memory * memory : NULL;
    return gt_context_status(context);
}

void gt_pairs_close(gt_Pairs *self, gt_Context *context)
{
    gt_release(context, self->sy, self->bytes);
}

void gt_pairs_forget(gt_Pairs *self)
{
    self->count = self->first = 0;
    self->theta = 1;
}

void gt_pairs_add(gt_Pairs *self, const double *x, const double *next, const double *gradient,
                  const double *next_gradient)
{
    int64_t n = self->n;
    int full = self->count == self->memory, m = self->memory;
    int place = full ? self->first : gt_pair_place(self, self->count);
    double sy = 0, yy = 0, slope = 0;
    for (int64_t i = 0; i < n; i++) {
        double by = next_gradient[i] - gradient[i];
        sy += (next[i] - x[i]) * by;
        yy += by * by;
        slope += (next[i] - x[i]) * gradient[i];
    }
    if (!(sy > DBL_EPSILON * fabs(slope))) /* both scale alike; L-BFGS-B's test */
        return;
    double *s = self->s + place * n, *y = self->y + place * n;
    for (int64_t i = 0; i < n; i++) {
        s[i] = next[i] - x[i];
        y[i] = next_gradient[i] - gradient[i];
    }
    self->first = full ? (self->first + 1) % m : self->first;
    self->count += !full;
    self->theta = yy / sy;
    for (int k = 0; k < self->count; k++) {
        int other = gt_pair_place(self, k);
        self->ss[place * m + other] = self->ss[other * m + place] =
            gt_vector_dot(n, s, self->s + other * n);
        self->sy[place * m + other] = gt_vector_dot(n, s, self->y + other * n);
        self->sy[other * m + place] = gt_vector_dot(n, self->s + other * n, y);
    }
}

/* ---- small matrices ---- */

/* a (size, size) becomes its LU factors with pivots. False if singular. */
static bool factor(int size, double *a, int *pivots)
{
    for (int k = 0; k < size; k++) {
        int pivot = k;
        for (int i = k + 1; i < size; i++)
            if (fabs(a[i * size + k]) > fabs(a[pivot * size + k]))
                pivot = i;
        pivots[k] = pivot;
        if (!(fabs(a[pivot * size + k]) > 0) || !isfinite(a[pivot * size + k]))
            return false;
        for (int j = 0; j < size && pivot != k; j++) {
            double held = a[k * size + j];
            a[k * size + j] = a[pivot * size + j];
            a[pivot * size + j] = held;
        }
        for (int i = k + 1; i < size; i++) {
            double by = a[i * size + k] /= a[k * size + k];
            for (int j = k + 1; j < size; j++)
                a[i * size + j] -= by * a[k * size + j];
        }
    }
    return true;
}

static void solve(int size, const double *lu, const int *pivots, double *b)
{
    for (int k = 0; k < size; k++) {
        double held = b[k];
        b[k] = b[pivots[k]];
        b[pivots[k]] = held;
    }
    for (int i = 0; i < size; i++)
        for (int k = 0; k < i; k++)
            b[i] -= lu[i * size + k] * b[k];
    for (int i = size - 1; i >= 0; i--) {
        for (int k = i + 1; k < size; k++)
            b[i] -= lu[i * size + k] * b[k];
        b[i] /= lu[i * size + i];
    }
}

/* ---- the model ---- */

typedef struct Model {
    const gt_Pairs *pairs;
    int k, size;           /* pairs; 2 k */
    double *inverse, *lu;  /* M^-1 (size, size), and its factors */
    double *reduced;       /* (size, size) */
    double *p, *c, *w, *v; /* (size) each */
    int pivots[200];
} Model;

/* Row i of W. */
static void row_of(const Model *model, int64_t i, double *w)
{
    const gt_Pairs *pairs = model->pairs;
    for (int k = 0; k < model->k; k++) {
        w[k] = gt_pair_y(pairs, k)[i];
        w[model->k + k] = pairs->theta * gt_pair_s(pairs, k)[i];
    }
}

/* out = M in */
static void by_middle(const Model *model, const double *in, double *out)
{
    memcpy(out, in, (size_t)model->size * sizeof(double));
    solve(model->size, model->lu, model->pivots, out);
}

static double dot(const Model *model, const double *a, const double *b)
{
    return gt_vector_dot(model->size, a, b);
}

/* a' M b */
static double through_middle(const Model *model, const double *a, const double *b)
{
    by_middle(model, b, model->v);
    return dot(model, a, model->v);
}

/* out = W' x */
static void onto_pairs(const Model *model, const double *x, double *out)
{
    const gt_Pairs *pairs = model->pairs;
    for (int k = 0; k < model->k; k++) {
        out[k] = gt_vector_dot(pairs->n, gt_pair_y(pairs, k), x);
        out[model->k + k] = pairs->theta * gt_vector_dot(pairs->n, gt_pair_s(pairs, k), x);
    }
}

static void fill_inverse(const Model *model, double *inverse)
{
    const gt_Pairs *pairs = model->pairs;
    int k = model->k, size = model->size, m = pairs->memory;
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            double below = i > j ? gt_pair_product(pairs, i, j) : 0;
            int here = gt_pair_place(pairs, i) * m + gt_pair_place(pairs, j);
            inverse[i * size + j] = i == j ? -gt_pair_product(pairs, i, i) : 0;
            inverse[(k + i) * size + j] = inverse[j * size + k + i] = below;
            inverse[(k + i) * size + k + j] = pairs->theta * pairs->ss[here];
        }
}

static bool open_model(Model *model, const gt_BoundsWork *work, const gt_Pairs *pairs)
{
    int square = 4 * pairs->memory * pairs->memory, length = 2 * pairs->memory;
    *model =
        (Model){.pairs = pairs, .k = pairs->count, .size = 2 * pairs->count, .lu = work->small};
    model->inverse = model->lu + square;
    model->reduced = model->inverse + square;
    model->p = model->reduced + square;
    model->c = model->p + length;
    model->w = model->c + length;
    model->v = model->w + length;
    fill_inverse(model, model->inverse);
    memcpy(model->lu, model->inverse, (size_t)(model->size * model->size) * sizeof(double));
    return factor(model->size, model->lu, model->pivots);
}

/* ---- the Cauchy point ---- */

/* A heap of the elements, the nearest bound on top: only some of them are ever asked for. */
static void sift(const double *breaks, int64_t *heap, int64_t count, int64_t at)
{
    for (;;) {
        int64_t child = 2 * at + 1, held = heap[at];
        if (child + 1 < count && breaks[heap[child + 1]] < breaks[heap[child]])
            child++;
        if (child >= count || !(breaks[heap[child]] < breaks[held]))
            return;
        heap[at] = heap[child];
        heap[child] = held;
        at = child;
    }
}

/* d = -gradient where one may go that way; `breaks` where each element meets its bound. How many will. */
static int64_t begin_path(gt_BoundsWork *work, int64_t n, const double *x, const double *gradient,
                          const double *lower, const double *upper, double *d)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        double g = gradient[i];
        double t = g < 0 ? (x[i] - upper[i]) / g : g > 0 ? (x[i] - lower[i]) / g : INFINITY;
        work->breaks[i] = t;
        d[i] = t > 0 ? -g : 0;
        work->cauchy[i] = x[i];
        if (t > 0 && t < INFINITY)
            work->order[count++] = i;
    }
    for (int64_t i = count / 2 - 1; i >= 0; i--)
        sift(work->breaks, work->order, count, i);
    return count;
}

/* `cauchy` gets the point, model->c = W' (cauchy - x). */
static void find_cauchy(gt_BoundsWork *work, Model *model, const double *x, const double *gradient,
                        const double *lower, const double *upper, double *d)
{
    int64_t n = model->pairs->n, count = begin_path(work, n, x, gradient, lower, upper, d);
    double theta = model->pairs->theta, square = gt_vector_dot(n, d, d), now = 0;
    onto_pairs(model, d, model->p);
    memset(model->c, 0, (size_t)model->size * sizeof(double));
    double slope = -square, curve = theta * square - through_middle(model, model->p, model->p);
    double least = DBL_EPSILON * theta * square, wanted = -slope / fmax(curve, least);
    while (count > 0 && slope < 0) {
        int64_t b = work->order[0];
        double span = work->breaks[b] - now;
        if (wanted < span)
            break;
        work->order[0] = work->order[--count];
        sift(work->breaks, work->order, count, 0);
        double g = gradient[b], moved;
        work->cauchy[b] = d[b] > 0 ? upper[b] : lower[b];
        moved = work->cauchy[b] - x[b];
        gt_vector_add(model->size, span, model->p, model->c);
        row_of(model, b, model->w);
        slope += span * curve + g * g + theta * g * moved -
                 g * through_middle(model, model->w, model->c);
        curve -= theta * g * g + 2 * g * through_middle(model, model->w, model->p) +
                 g * g * through_middle(model, model->w, model->w);
        gt_vector_add(model->size, g, model->w, model->p);
        d[b] = 0;
        now = work->breaks[b];
        wanted = -slope / fmax(curve, least);
    }
    wanted = slope < 0 ? wanted : 0;
    for (int64_t i = 0; i < n; i++)
        if (d[i] != 0)
            work->cauchy[i] = fmin(fmax(x[i] + (now + wanted) * d[i], lower[i]), upper[i]);
    gt_vector_add(model->size, wanted, model->p, model->c);
}

/* ---- the subspace ---- */

static bool is_free(const gt_BoundsWork *work, const double *lower, const double *upper, int64_t i)
{
    return work->cauchy[i] > lower[i] && work->cauchy[i] < upper[i];
}

/* `step` gets the way from the Cauchy point to the minimum over what is free; 0 elsewhere. */
static bool subspace_step(gt_BoundsWork *work, Model *model, const double *x,
                          const double *gradient, const double *lower, const double *upper,
                          double *step)
{
    int64_t n = model->pairs->n;
    int size = model->size;
    double theta = model->pairs->theta, *r = work->reduced, *v = model->p, *matrix = model->reduced;
    by_middle(model, model->c, model->v);
    memset(matrix, 0, (size_t)(size * size) * sizeof(double));
    memset(v, 0, (size_t)size * sizeof(double));
    for (int64_t i = 0; i < n; i++) {
        if (!is_free(work, lower, upper, i))
            continue;
        row_of(model, i, model->w);
        r[i] = gradient[i] + theta * (work->cauchy[i] - x[i]) - dot(model, model->w, model->v);
        gt_vector_add(size, r[i], model->w, v);
        for (int k = 0; k < size; k++)
            gt_vector_add(size, model->w[k], model->w, matrix + k * size); /* W' Z Z' W */
    }
    /* v = (I - M W'ZZ'W / theta)^-1 M W'Z r = (M^-1 - W'ZZ'W / theta)^-1 W'Z r */
    for (int i = 0; i < size * size; i++)
        matrix[i] = model->inverse[i] - matrix[i] / theta;
    int pivots[200];
    if (!factor(size, matrix, pivots))
        return false;
    solve(size, matrix, pivots, v);
    for (int64_t i = 0; i < n; i++) {
        step[i] = 0;
        if (!is_free(work, lower, upper, i))
            continue;
        row_of(model, i, model->w);
        step[i] = -r[i] / theta - dot(model, model->w, v) / (theta * theta);
    }
    return true;
}

/* From x to the Cauchy point plus the step, inside the box. */
static void join(const gt_BoundsWork *work, int64_t n, const double *x, const double *gradient,
                 const double *lower, const double *upper, double *step)
{
    double slope = 0, part = 1;
    for (int64_t i = 0; i < n; i++) {
        double end = fmin(fmax(work->cauchy[i] + step[i], lower[i]), upper[i]);
        slope += gradient[i] * (end - x[i]);
    }
    for (int64_t i = 0; slope >= 0 && i < n; i++) {
        double from = work->cauchy[i], by = step[i];
        if (by > 0)
            part = fmin(part, (upper[i] - from) / by);
        if (by < 0)
            part = fmin(part, (lower[i] - from) / by);
    }
    for (int64_t i = 0; i < n; i++)
        step[i] = fmin(fmax(work->cauchy[i] + part * step[i], lower[i]), upper[i]) - x[i];
}

bool gt_bounds_direction(gt_BoundsWork *work, const gt_Pairs *pairs, const double *x,
                         const double *gradient, const double *lower, const double *upper,
                         double *direction)
{
    Model model;
    if (!open_model(&model, work, pairs))
        return false;
    find_cauchy(work, &model, x, gradient, lower, upper, direction);
    if (!subspace_step(work, &model, x, gradient, lower, upper, direction))
        return false;
    join(work, pairs->n, x, gradient, lower, upper, direction);
    return true;
}

/* ---- memory ---- */

double *gt_bounds_open(gt_BoundsWork *self, gt_Context *context, int64_t n, int memory, bool bounds,
                       double *vectors)
{
    *self = (gt_BoundsWork){
        .cauchy = vectors, .breaks = vectors + n, .reduced = vectors + 2 * n, .memory = memory};
    if (bounds) {
        self->order_bytes = (size_t)n * sizeof *self->order;
        self->small_bytes = (size_t)(12 * memory * memory + 8 * memory) * sizeof(double);
        self->order = gt_allocate(context, self->order_bytes);
        self->small = gt_allocate_zeroed(context, self->small_bytes);
    }
    return vectors + GT_BOUNDS_VECTORS * n;
}

void gt_bounds_close(gt_BoundsWork *self, gt_Context *context)
{
    gt_release(context, self->order, self->order_bytes);
    gt_release(context, self->small, self->small_bytes);
}
