/* The rare parts of reductions of floats, one number at a time: a sum computed again, scaled; products with exponents. See
 * kernels/reduction.h. */
#include "kernels/reduction.h"

#include <float.h>

#include "kernels/scaled.h"

int64_t gt_walk_offset(const gt_Walk *walk, int64_t index)
{
    int64_t offset = 0;
    for (int d = walk->rank - 1; d > 0; d--) {
        offset += index % walk->dims[d] * walk->stride[d];
        index /= walk->dims[d];
    }
    return walk->rank ? offset + index * walk->stride[0] : 0;
}

/* One after the other, the size brought back to [1/2, 1) after each. */
void gt_reduction_products(int64_t rows, int64_t columns, int64_t stride, const gt_Scaled *x,
                           gt_Scaled *y)
{
    for (int64_t j = 0; j < columns; j++) {
        gt_Scaled product = {1, 0};
        for (int64_t i = 0; i < rows; i++) {
            const gt_Scaled *factor = x + j + i * stride;
            int exponent;
            double size = frexp(product.size * factor->size, &exponent);
            product.exponent += factor->exponent;
            product.size = size;
            if (size != 0 && isfinite(size))
                product.exponent += exponent;
        }
        y[j] = product;
    }
}

void gt_reduction_trusted(const gt_ReductionJob *job, double *least, double *most)
{
    *least = -DBL_MAX;
    *most = DBL_MAX;
    if (job->loop == GT_LOOP_SQUARES)
        *least = job->from == GT_LOOP_F64 && !(job->epsilon > 0x1p-700) ? 0x1p-900 : 0;
    else if (job->to == GT_LOOP_F32)
        *least = -(*most = (double)FLT_MAX);
}

/* Calls `see` on every run of elements that output number `output` is made of. */
typedef void See(const gt_ReductionJob *job, const void *x, int64_t n, int64_t stride, int64_t at,
                 void *user);
static void see_all(const gt_ReductionJob *job, const void *x, int64_t output, See *see, void *user)
{
    int64_t at = gt_walk_offset(&job->kept, output / job->columns) + output % job->columns;
    for (int64_t pass = 0; pass < job->passes.count; pass++)
        see(job, x, job->rows, job->stride, at + gt_walk_offset(&job->passes, pass), user);
}

static double element_at(const gt_ReductionJob *job, const void *x, int64_t at)
{
    return job->from == GT_LOOP_F32 ? (double)((const float *)x)[at] : ((const double *)x)[at];
}

static void see_largest(const gt_ReductionJob *job, const void *x, int64_t n, int64_t stride,
                        int64_t at, void *user)
{
    double *largest = user;
    for (int64_t i = 0; i < n; i++) {
        double size = fabs(element_at(job, x, at + i * stride));
        if (size > *largest || isnan(size))
            *largest = size;
    }
}

typedef struct Sum {
    double scale, sum;
    bool squares;
} Sum;

static void see_sum(const gt_ReductionJob *job, const void *x, int64_t n, int64_t stride,
                    int64_t at, void *user)
{
    Sum *all = user;
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double scaled = element_at(job, x, at + i * stride) * all->scale;
        sum += all->squares ? scaled * scaled : scaled;
    }
    all->sum += sum;
}

/* A sum (of squares) once more, with every element scaled so that the largest is about 1; as it was
 * if there is nothing to scale. */
static gt_Scaled again(const gt_ReductionJob *job, const void *x, int64_t output, double sum)
{
    double largest = 0;
    int exponent;
    see_all(job, x, output, see_largest, &largest);
    if (largest == 0 || !isfinite(largest))
        return (gt_Scaled){sum, 0};
    frexp(largest, &exponent);
    exponent = exponent < -1000 ? -1000 : exponent > 1000 ? 1000 : exponent; /* 2^ it is normal */
    Sum scaled = {ldexp(1, -exponent), 0, job->loop == GT_LOOP_SQUARES};
    see_all(job, x, output, see_sum, &scaled);
    return (gt_Scaled){scaled.sum, scaled.squares ? 2 * (int64_t)exponent : exponent};
}

double gt_reduction_finished(const gt_ReductionJob *job, const void *x, int64_t output, double sum)
{
    double least, most;
    gt_reduction_trusted(job, &least, &most);
    gt_Scaled y = sum >= least && sum <= most ? (gt_Scaled){sum, 0} : again(job, x, output, sum);
    if (job->mean)
        y.size /= (double)job->reduced;
    y.size *= job->scale;
    if (!job->root)
        return gt_plain(y);
    /* the exponent of a sum of squares is even */
    double epsilon = job->epsilon > 0 ? gt_plain((gt_Scaled){job->epsilon, -y.exponent}) : 0;
    double root = gt_plain((gt_Scaled){sqrt(y.size + epsilon), y.exponent / 2});
    return root < job->floor ? job->floor : root;
}
