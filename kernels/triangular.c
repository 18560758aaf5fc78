/* Equations with triangular matrices. Leans on loops.h. */
#include "loops.h"

#define GT_T          float
#define GT_NAME(name) name##_f32
#include "triangular_template.h"

#define GT_T          double
#define GT_NAME(name) name##_f64
#include "triangular_template.h"

/* Matrices do not meet: any order of tiles. */
void GT_KERNEL(tiles_triangular)(const void *given, void *const *at, int64_t first, int64_t last,
                                 void *scratch)
{
    const gt_TriangularJob *job = given;
    const int64_t of_a = job->n * job->n, of_b = job->n * job->k;
    int64_t end = last * job->group < job->batch ? last * job->group : job->batch;
    (void)scratch;
    for (int64_t i = first * job->group; i < end; i++)
        if (job->type == GT_LOOP_F32)
            triangular_f32(job, (const float *)at[0] + i * of_a, (const float *)at[1] + i * of_b,
                           (float *)at[2] + i * of_b);
        else
            triangular_f64(job, (const double *)at[0] + i * of_a, (const double *)at[1] + i * of_b,
                           (double *)at[2] + i * of_b);
}
