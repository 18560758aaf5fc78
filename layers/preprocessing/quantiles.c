/* Quantiles of numbers that come in batches (Keras 3, layers/preprocessing/discretization.py). A batch is sorted, and every
 * epsilon-th part of it is one point; points of all batches are merged, and thinned out to 1 / epsilon by linear
 * interpolation of the cumulated weights. */
#include "layers/preprocessing/quantiles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The points of one sorted batch, written to `points`. */
static int64_t summarize(const double *numbers, int64_t count, double epsilon,
                         gt_QuantilePoint *points)
{
    const double part = (double)count * epsilon, step = part > 1 ? part : 1;
    int64_t made = 0;
    for (int64_t i = (int64_t)(step - 1); i < count; i += (int64_t)step)
        points[made++] = (gt_QuantilePoint){numbers[i], step};
    return made;
}

/* Both rise; of equal numbers, those of `a` come first. `into` has room for all. */
static void merge(const gt_QuantilePoint *a, int64_t m, const gt_QuantilePoint *b, int64_t n,
                  gt_QuantilePoint *into)
{
    const gt_QuantilePoint *const ends[2] = {a + m, b + n};
    while (a < ends[0] || b < ends[1]) {
        bool first = b == ends[1] || (a < ends[0] && a->number <= b->number);
        *into++ = first ? *a++ : *b++;
    }
}

/* Number and cumulated weight at the place where `part` of all weight is reached: on the line through the points around
 * it; those at the ends hold beyond. `from` is a point at or before it, and moves. */
static gt_QuantilePoint at_part(const gt_QuantilePoint *points, const double *reached,
                                int64_t count, double part, int64_t *from)
{
    const double goal = part * reached[count - 1];
    while (*from + 1 < count && reached[*from + 1] <= goal)
        ++*from;
    const int64_t i = *from;
    if (goal <= reached[i] || i + 1 == count)
        return (gt_QuantilePoint){points[i].number, reached[i]};
    double along = (goal - reached[i]) / (reached[i + 1] - reached[i]);
    return (gt_QuantilePoint){points[i].number + along * (points[i + 1].number - points[i].number),
                              goal};
}

/* `parts` points of equal weight, written to `into`; `reached` has room for the cumulated weights of all `count`. */
static void thin_out(const gt_QuantilePoint *points, int64_t count, int64_t parts, double epsilon,
                     double *reached, gt_QuantilePoint *into)
{
    double sum = 0, before = 0;
    for (int64_t i = 0; i < count; i++)
        reached[i] = sum += points[i].weight;
    int64_t from = 0;
    for (int64_t k = 0; k < parts; k++) {
        into[k] = at_part(points, reached, count, epsilon + (double)k * epsilon, &from);
        double weight = into[k].weight;
        into[k].weight = weight - before;
        before = weight;
    }
}

/* What of these points is kept, in a block of its own: all of them, or 1 / epsilon. */
static gt_QuantilePoint *keep(gt_Context *context, const gt_QuantilePoint *points, int64_t count,
                              double epsilon, double *reached, int64_t *kept)
{
    const bool thins = (double)count * epsilon >= 1;
    *kept = thins ? (int64_t)ceil(1 / epsilon) : count;
    gt_QuantilePoint *block = gt_allocate(context, (size_t)*kept * sizeof *block);
    if (block && thins)
        thin_out(points, count, *kept, epsilon, reached, block);
    else if (block)
        memcpy(block, points, (size_t)count * sizeof *block);
    return block;
}

gt_Status gt_quantiles_add(gt_Context *context, gt_Quantiles *quantiles, double *numbers,
                           int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (isnan(numbers[i]))
            return gt_fail(GT_INVALID, "NaN has no place among the numbers");
    if (count == 0)
        return GT_OK;
    /* The points of the batch, then all of them, then their weights, cumulated. */
    const int64_t most = count + quantiles->count;
    const size_t bytes =
        (size_t)(count + most) * sizeof(gt_QuantilePoint) + (size_t)most * sizeof(double);
    gt_QuantilePoint *fresh = gt_allocate(context, bytes), *all = fresh + count;
    if (!fresh)
        return gt_context_status(context);
    double *reached = (double *)(void *)(all + most);
    qsort(numbers, (size_t)count, sizeof *numbers, rising);
    int64_t made = summarize(numbers, count, quantiles->epsilon, fresh), kept;
    merge(fresh, made, quantiles->points, quantiles->count, all);
    gt_QuantilePoint *points =
        keep(context, all, made + quantiles->count, quantiles->epsilon, reached, &kept);
    if (points) {
        gt_quantiles_free(context, quantiles);
        quantiles->points = points;
        quantiles->count = kept;
    }
    gt_release(context, fresh, bytes);
    return gt_context_status(context);
}

gt_Status gt_quantiles_boundaries(gt_Context *context, const gt_Quantiles *quantiles, int64_t bins,
                                  double *boundaries)
{
    const int64_t count = quantiles->count;
    const size_t bytes = (size_t)count * sizeof(double) + (size_t)bins * sizeof(gt_QuantilePoint);
    gt_QuantilePoint *points = gt_allocate(context, bytes);
    if (!points)
        return gt_context_status(context);
    int64_t made = count < bins ? count : bins;
    if (count < bins)
        memcpy(points, quantiles->points, (size_t)count * sizeof *points);
    else
        thin_out(quantiles->points, count, bins, 1 / (double)bins,
                 (double *)(void *)(points + bins), points);
    for (int64_t i = 0; i < bins - 1; i++)
        boundaries[i] = i < made - 1 ? points[i].number : (double)INFINITY;
    gt_release(context, points, bytes);
    return gt_context_status(context);
}

void gt_quantiles_free(gt_Context *context, gt_Quantiles *quantiles)
{
    gt_release(context, quantiles->points, (size_t)quantiles->count * sizeof *quantiles->points);
    quantiles->points = NULL;
    quantiles->count = 0;
}
