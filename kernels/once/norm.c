/* What layer normalization seldom does: the unit of a row of very large or small numbers, and what its gradient does at its end, when
 * the parts of the blocks become the gradients of gamma and beta. Leans on loops.h. */
#include "kernels/norm.h"
#include "kernels/loops.h"

#include <math.h>

double gt_norm_unit_of(double most, double epsilon, bool wide_type)
{
    const int far = wide_type ? 1020 : 125; /* the unit is a normal number */
    const double floor = sqrt(epsilon);
    int exponent;
    most = most > floor ? most : floor;
    if (!(most > 0) || isinf(most))
        return 1;
    frexp(most, &exponent);
    return ldexp(1, -(exponent < -far ? -far : exponent > far ? far : exponent));
}

double gt_norm_unit(const gt_NormJob *job, const void *x)
{
    double most = 0;
    for (int64_t i = 0; i < job->n; i++) {
        const double size =
            fabs(job->wide_type ? ((const double *)x)[i] : (double)((const float *)x)[i]);
        most = size > most ? size : most;
    }
    return gt_norm_unit_of(most, job->epsilon, job->wide_type);
}

/* gamma' and beta': sums of the parts of the blocks in their order, in double. Any order of tiles. */
void GT_KERNEL_BASE(tiles_norm_gradient_end)(const void *given, void *const *at, int64_t first,
                                             int64_t last, void *scratch)
{
    const gt_NormJob *job = given;
    const int64_t n = job->n, end = last * GT_NORM_COLUMNS < 2 * n ? last * GT_NORM_COLUMNS : 2 * n;
    (void)scratch;
    for (int64_t from = first * GT_NORM_COLUMNS; from < end; from += GT_NORM_COLUMNS) {
        double sum[GT_NORM_COLUMNS] = {0};
        const int64_t count = end - from < GT_NORM_COLUMNS ? end - from : GT_NORM_COLUMNS;
        for (int64_t block = 0; block < job->blocks; block++) {
            const double *part = (const double *)at[6] + 2 * block * n + from;
            for (int64_t i = 0; i < count; i++)
                sum[i] += part[i];
        }
        for (int64_t i = 0; i < count; i++) {
            void *to = at[from + i < n ? 4 : 5];
            const int64_t place = from + i < n ? from + i : from + i - n;
            if (job->wide_type)
                ((double *)to)[place] = sum[i];
            else
                ((float *)to)[place] = (float)sum[i];
        }
    }
}
