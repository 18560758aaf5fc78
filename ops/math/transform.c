/* How Fourier transforms are planned and lowered: see kernels/transform.h for what is planned. */
#include "ops/math/transform.h"

#include "core/assert.h"

/* The radices of n into the plan; what is left of n. Between passes columns become more and passes
 * over many are faster: large radices come first. */
static int64_t factor(gt_Transform *t, int64_t n)
{
    static const int32_t radices[] = {31, 29, 23, 19, 17, 13, 11, 7, 5, 4, 3, 2};
    t->n = n;
    t->passes = 0;
    for (size_t i = 0; i < sizeof radices / sizeof *radices; i++)
        for (; n % radices[i] == 0; n /= radices[i])
            t->radix[t->passes++] = (uint8_t)radices[i];
    return n;
}

/* Columns beside each other fill a line of the cache. Rows are brought beside each other as long as
 * the arrays of all of them fit the second cache. */
#define LONG 8192 /* bytes */
static void plan(gt_Transform *t, gt_DType dtype, int64_t length, bool folded, int64_t columns,
                 bool beside)
{
    t->type = dtype == GT_FLOAT64;
    t->element = (uint8_t)gt_dtype_size(dtype);
    t->length = length;
    t->lanes = beside || length * t->element <= LONG ? 64 / t->element : 1;
    if (t->lanes > columns)
        t->lanes = columns > 0 ? columns : 1;
    t->folded = folded;
    t->chirped = factor(t, length) > 1;
    if (t->chirped) { /* 4, 5 or 6 times a power of two */
        int64_t power = 1;
        while (6 * power < 2 * length - 1)
            power *= 2;
        int64_t times = 4 * power >= 2 * length - 1 ? 4 : 5 * power >= 2 * length - 1 ? 5 : 6;
        factor(t, times * power);
    }
    size_t pair = 2 * (size_t)t->element, at = 0;
    int64_t left = t->n;
    for (int32_t i = 0; i < t->passes; i++) {
        int64_t radix = t->radix[i];
        left /= radix;
        at += pair * (size_t)((radix - 1) * left + (radix > 5 ? radix : 0));
    }
    t->fold = at;
    t->chirp = at += folded ? pair * (size_t)(length / 2 + 1) : 0;
    t->spectrum = at += t->chirped ? pair * (size_t)length : 0;
    at += t->chirped ? pair * (size_t)t->n : 0;
    t->tables = gt_aligned(at);
    t->part = gt_aligned((size_t)((t->n + 1) * t->lanes) * t->element);
    t->scratch = 4 * t->part + 8 * GT_ALIGNMENT;
}

/* ---- launches ---- */

#define WORK 4096 /* complex numbers that make one tile */

gt_FourierJob *gt_fourier_lower(const gt_ShapeRule *rule, gt_Lowering *lowering, const gt_Spec *x,
                                int axis, gt_FourierKind kind, int64_t n)
{
    bool folded = kind != GT_FOURIER_WHOLE && n % 2 == 0;
    int64_t outer = 1, inner = 1, length = folded ? n / 2 : n;
    if (x->size == 0)
        return NULL;
    for (int d = 0; d < axis; d++)
        outer *= x->dims[d];
    for (int d = axis + 1; d < x->rank; d++)
        inner *= x->dims[d];
    bool beside = inner > 1;
    gt_FourierTablesJob *tables =
        gt_lower_launch(lowering, GT_TILES_fourier_tables, 1, sizeof *tables);
    gt_Transform *transform = &tables->transform;
    plan(transform, x->dtype, length, folded, beside ? inner : outer, beside);
    tables->place = gt_lower_temporary(lowering, rule, transform->tables);
    gt_lower_scratch(lowering, transform->scratch);
    gt_FourierJob *job = gt_lower_launch(lowering, GT_TILES_fourier, 1, sizeof *job);
    job->transform = *transform;
    job->kind = (uint8_t)kind;
    job->n = n;
    job->rows = x->dims[axis];
    job->beside = beside ? inner : outer;
    job->inner = inner;
    job->pieces = (job->beside + transform->lanes - 1) / transform->lanes;
    job->groups = beside ? outer * job->pieces : job->pieces;
    int64_t numbers = length * transform->lanes;
    job->batch = numbers < WORK ? WORK / numbers : 1;
    lowering->launch[1].tiles = (job->groups + job->batch - 1) / job->batch;
    gt_lower_scratch(lowering, transform->scratch);
    GT_ASSERT(tables->place == (kind == GT_FOURIER_WHOLE ? 4 : 3));
    return job;
}
