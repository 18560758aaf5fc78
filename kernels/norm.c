/* Layer and root mean square normalization, forward and backward, row by row. Leans on loops.h and gemm_vector.h. */
#include <math.h>

#include "gemm_vector.h"
#include "loops.h"
#include "norm.h"

/* Columns that a row is added in; elements whose sum is kept in the type of x; rows that are worked on together if they are shorter
 * than SHORT. */
enum { LANES = 16, PART = 1024, TOGETHER = GT_NORM_TOGETHER, SHORT = 512 };

/* For each vector of columns, which are registers but in the build for old processors, which is to be small. */
#if GT_IS_TRUE_BASE
#define EACH_VECTOR GT_ROLLED
#else
#define EACH_VECTOR GT_UNROLL
#endif

/* Parts of vectors: inlined where the processor has masks. */
#if defined(__AVX512F__)
#define PARTS inline
#else
#define PARTS GT_NOINLINE
#endif

/* Of rows that go together: sums of what is left of them and of its squares, which become its mean and the mean square of what
 * the factor is applied to. */
typedef struct gt_Sums {
    double total[TOGETHER], squares[TOGETHER], factor[TOGETHER];
} gt_Sums;

/* Of all rows at once, also where there are fewer. */
static GT_NOINLINE void finish_sums(gt_Sums *sums, double count, double epsilon)
{
    GT_INDEPENDENT
    GT_ROLLED
    for (int r = 0; r < TOGETHER; r++) {
        const double mean = sums->total[r] / count;
        const double apart = sums->squares[r] / count - mean * mean;
        sums->total[r] = mean;
        sums->squares[r] = apart < 0 ? 0 : apart;
        sums->factor[r] = 1 / sqrt(sums->squares[r] + epsilon);
    }
}

#define GT_T          float
#define GT_VEC        vec_f32
#define GT_WIDTH      GT_GEMM_LANES_F32
#define GT_NAME(name) name##_f32
#define GT_LOW        GT_NORM_LOW_F32
#define GT_HIGH       GT_NORM_HIGH_F32
#include "norm_template.h"

#define GT_T          double
#define GT_VEC        vec_f64
#define GT_WIDTH      GT_GEMM_LANES_F64
#define GT_NAME(name) name##_f64
#define GT_LOW        GT_NORM_LOW_F64
#define GT_HIGH       GT_NORM_HIGH_F64
#include "norm_template.h"

static int64_t first_row(const gt_NormJob *job, int64_t block)
{
    return block * job->group < job->rows ? block * job->group : job->rows;
}

/* So many rows from `row` on go together. */
static int rows_at(const gt_NormJob *job, int64_t row, int64_t last)
{
    const int64_t together = job->n < SHORT ? TOGETHER : 1;
    return (int)(last - row < together ? last - row : together);
}

/* Of each row. A sum is that of 16 columns, column i adding every 16th of 1024 elements from element i on, in the type of x; the
 * columns are added i and i + 8, then i and i + 4, i + 2, i + 1, and these parts in double. The mean, rounded to the type of x,
 * is taken off x (0 if it is not centered); of what is left, d, the mean of d and that of its squares less the square of the mean of d,
 * v, are doubles; y = ((d - mean) factor) gamma + beta with factor = 1 / sqrt(v + epsilon), each step rounded to the type of x. If v
 * is not within 2^-80 and 2^100 (2^-800 and 2^900), then all this is of x times a power of two. Any order of tiles. */
void GT_KERNEL(tiles_norm)(const void *given, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    const gt_NormJob *job = given;
    const int64_t end = first_row(job, last);
    (void)scratch;
    for (int64_t row = first_row(job, first), rows; row < end; row += rows) {
        rows = rows_at(job, row, end);
        if (job->wide_type)
            forward_f64(job, at, row, (int)rows);
        else
            forward_f32(job, at, row, (int)rows);
    }
}

/* Of each row: y and factor as in norm, without gamma and beta; a = g gamma; with the means of a (0 if it is not centered) and of a y,
 * whose sums are those of norm, x' = ((a - mean) - y mean of a y) (factor times the power of two). Of each block the sums of g y and
 * of g, row after row in the type of x. Each step is rounded to the type of x. Any order of tiles. */
void GT_KERNEL(tiles_norm_gradient)(const void *given, void *const *at, int64_t first, int64_t last,
                                    void *scratch)
{
    const gt_NormJob *job = given;
    const int64_t n = job->n;
    for (int64_t block = first; block < last; block++) {
        const int64_t end = first_row(job, block + 1);
        double *part = (double *)at[6] + 2 * block * n;
        memset(scratch, 0, 2 * (size_t)n * (job->wide_type ? sizeof(double) : sizeof(float)));
        for (int64_t row = first_row(job, block), rows; row < end; row += rows) {
            rows = rows_at(job, row, end);
            if (job->wide_type)
                backward_f64(job, at, row, (int)rows, scratch);
            else
                backward_f32(job, at, row, (int)rows, scratch);
        }
        if (job->wide_type)
            memcpy(part, scratch, 2 * (size_t)n * sizeof(double));
        for (int64_t i = 0; !job->wide_type && i < 2 * n; i++)
            part[i] = (double)((const float *)scratch)[i];
    }
}
