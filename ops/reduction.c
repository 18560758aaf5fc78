/* Reductions over axes: see reduction.h. */
#include "ops/reduction.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- how a reduction is cut ----
 *
 * Dimensions of size 1 aside, kept and reduced ones take turns. What is left at the end is `rows`
 * reduced numbers, `stride` apart, for each of `columns` contiguous kept ones; columns is 1 if the
 * last dimension is reduced. Further out, `outputs` counts kept positions and `passes` reduced
 * ones. Where there are few of them, the rows are cut into `blocks`. More than one pass or block
 * leave partial results, outputs x parts x columns, which a second round reduces. All of it follows
 * from the shape alone. */
typedef struct Walk {
    int rank;
    int64_t dims[GT_MAX_RANK], stride[GT_MAX_RANK];
    int64_t count;
} Walk;

typedef struct Reduction {
    Walk kept, passes;
    int64_t rows, stride, columns;
    int64_t block, blocks, parts;
    int64_t width, strips; /* columns of a piece of work, and how many such */
    int64_t reduced;       /* how many numbers make one */
} Reduction;

#define GT_PIECE  65536 /* numbers that make a piece of work worth giving away */
#define GT_PIECES 64    /* pieces that are enough for every number of threads */

static void walk_add(Walk *walk, int64_t dim, int64_t stride)
{
    memmove(walk->dims + 1, walk->dims, (size_t)walk->rank * sizeof *walk->dims);
    memmove(walk->stride + 1, walk->stride, (size_t)walk->rank * sizeof *walk->stride);
    walk->rank++;
    walk->dims[0] = dim;
    walk->stride[0] = stride;
    walk->count *= dim;
}

static int64_t walk_offset(const Walk *walk, int64_t index)
{
    int64_t offset = 0;
    for (int d = walk->rank - 1; d > 0; d--) {
        offset += index % walk->dims[d] * walk->stride[d];
        index /= walk->dims[d];
    }
    return walk->rank ? offset + index * walk->stride[0] : 0;
}

static void reduction_plan(Reduction *plan, const gt_Spec *x, uint32_t bits)
{
    int64_t dims[GT_MAX_RANK];
    bool reduced[GT_MAX_RANK];
    int rank = 0;
    plan->reduced = 1;
    for (int d = 0; d < x->rank; d++) {
        bool reduces = bits >> d & 1;
        if (reduces)
            plan->reduced *= x->dims[d];
        if (x->dims[d] == 1)
            continue;
        if (rank > 0 && reduced[rank - 1] == reduces)
            dims[rank - 1] *= x->dims[d];
        else
            dims[rank++] = x->dims[d];
        reduced[rank - 1] = reduces;
    }
    plan->kept = plan->passes = (Walk){.count = 1};
    plan->columns = plan->rows = 1;
    if (rank > 0 && !reduced[rank - 1])
        plan->columns = dims[--rank];
    plan->stride = plan->columns;
    if (rank > 0)
        plan->rows = dims[--rank];
    int64_t step = plan->rows * plan->columns;
    while (rank-- > 0) {
        walk_add(reduced[rank] ? &plan->passes : &plan->kept, dims[rank], step);
        step *= dims[rank];
    }
    plan->width = plan->rows && GT_PIECE / plan->rows > 256 ? GT_PIECE / plan->rows : 256;
    if (plan->width > plan->columns)
        plan->width = plan->columns;
    plan->strips = plan->width ? (plan->columns + plan->width - 1) / plan->width : 0;
    plan->block = plan->rows;
    plan->blocks = 1;
    if (x->size >= 2 * GT_PIECE &&
        plan->kept.count * plan->passes.count * plan->strips < GT_PIECES) {
        plan->block = GT_PIECE / plan->columns > 128 ? GT_PIECE / plan->columns : 128;
        plan->blocks = (plan->rows + plan->block - 1) / plan->block;
    }
    plan->parts = plan->passes.count * plan->blocks;
}

/* ---- how it is put together ----
 *
 * The loops leave floats wider than they found them (GT_REDUCE_LOOPS): in this width partial results
 * wait, and the last round is finished. */
static bool is_wide(gt_DType dtype, gt_ReduceLoopId loop)
{
    return gt_dtype_is_float(dtype) && loop != GT_LOOP_MAX && loop != GT_LOOP_MIN;
}

static size_t waiting_size(gt_DType dtype, gt_ReduceLoopId loop)
{
    return !is_wide(dtype, loop)  ? gt_dtype_size(dtype)
           : loop == GT_LOOP_PROD ? sizeof(gt_Scaled)
                                  : sizeof(double);
}

size_t gt_reduction_scratch(const gt_Spec *x, uint32_t bits, gt_DType result)
{
    Reduction plan;
    reduction_plan(&plan, x, bits);
    size_t waiting = gt_dtype_is_float(x->dtype) ? sizeof(gt_Scaled) : gt_dtype_size(result);
    return plan.parts > 1 ? (size_t)(plan.kept.count * plan.parts * plan.columns) * waiting : 0;
}

typedef struct ReductionJob {
    const Reduction *plan;
    const gt_KernelTable *kernels;
    gt_ReduceLoopId loop;
    const gt_Finish *finish;
    gt_DType from, to;
    gt_ReduceLoop *reduce;
    gt_ReduceColumnsLoop *columns;
    const char *x;
    char *partials, *y;      /* partials NULL: there is one round */
    size_t element, waiting; /* bytes of a number of x, of one that waits */
    int64_t group;           /* units of work in a tile */
    bool wide, second;       /* wide: what waits is not yet a number of the result */
} ReductionJob;

/* Products that wait, one after the other. */
static void reduce_scaled(int64_t rows, int64_t columns, int64_t stride, const void *from, void *to)
{
    for (int64_t j = 0; j < columns; j++) {
        const gt_Scaled *x = (const gt_Scaled *)from + j;
        gt_Scaled y = {1, 0};
        for (int64_t i = 0; i < rows; i++) {
            int exponent;
            double size = frexp(y.size * x[i * stride].size, &exponent);
            y.exponent += x[i * stride].exponent;
            y.size = size;
            if (size != 0 && isfinite(size))
                y.exponent += exponent;
        }
        ((gt_Scaled *)to)[j] = y;
    }
}

static void reduce_piece(const ReductionJob *job, int64_t rows, int64_t width, const void *x,
                         void *y)
{
    int64_t stride = job->second ? job->plan->columns : job->plan->stride;
    if (job->second && job->waiting == sizeof(gt_Scaled))
        reduce_scaled(rows, width, stride, x, y);
    else if (job->plan->columns == 1)
        job->reduce(rows, x, y);
    else
        job->columns(rows, width, stride, x, y);
}

/* ---- how it is finished ---- */

#define FINISHED 128 /* numbers that are finished together */

/* Calls `see` on every run of elements that output number `output` is made of. */
typedef void See(const ReductionJob *job, int64_t n, int64_t stride, int64_t at, void *user);
static void see_all(const ReductionJob *job, int64_t output, See *see, void *user)
{
    const Reduction *plan = job->plan;
    int64_t at = walk_offset(&plan->kept, output / plan->columns) + output % plan->columns;
    for (int64_t pass = 0; pass < plan->passes.count; pass++)
        see(job, plan->rows, plan->stride, at + walk_offset(&plan->passes, pass), user);
}

static double element_at(const ReductionJob *job, int64_t at)
{
    return job->from == GT_FLOAT32 ? (double)((const float *)(const void *)job->x)[at]
                                   : ((const double *)(const void *)job->x)[at];
}

static void see_largest(const ReductionJob *job, int64_t n, int64_t stride, int64_t at, void *user)
{
    double *largest = user;
    for (int64_t i = 0; i < n; i++) {
        double size = fabs(element_at(job, at + i * stride));
        if (size > *largest || isnan(size))
            *largest = size;
    }
}

typedef struct Sum {
    double scale, sum;
    bool squares;
} Sum;

static void see_sum(const ReductionJob *job, int64_t n, int64_t stride, int64_t at, void *user)
{
    Sum *all = user;
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double x = element_at(job, at + i * stride) * all->scale;
        sum += all->squares ? x * x : x;
    }
    all->sum += sum;
}

/* A sum (of squares) once more, with every element scaled so that the largest is about 1; as it was
 * if there is nothing to scale. */
static gt_Scaled again(const ReductionJob *job, int64_t output, double sum)
{
    double largest = 0;
    int exponent;
    see_all(job, output, see_largest, &largest);
    if (largest == 0 || !isfinite(largest))
        return (gt_Scaled){sum, 0};
    frexp(largest, &exponent);
    exponent = exponent < -1000 ? -1000 : exponent > 1000 ? 1000 : exponent; /* 2^ it is normal */
    Sum scaled = {ldexp(1, -exponent), 0, job->loop == GT_LOOP_SQUARES};
    see_all(job, output, see_sum, &scaled);
    return (gt_Scaled){scaled.sum, scaled.squares ? 2 * (int64_t)exponent : exponent};
}

/* Sums between these need not be computed again: others overflowed, or are of squares that may have
 * underflowed. */
static void trusted(const ReductionJob *job, double *least, double *most)
{
    *least = -DBL_MAX;
    *most = DBL_MAX;
    if (job->loop == GT_LOOP_SQUARES)
        *least = job->from == GT_FLOAT64 && !(job->finish->epsilon > 0x1p-700) ? 0x1p-900 : 0;
    else if (job->to == GT_FLOAT32)
        *least = -(*most = (double)FLT_MAX);
}

static double finished(const ReductionJob *job, gt_Scaled x)
{
    const gt_Finish *finish = job->finish;
    if (finish->mean)
        x.size /= (double)job->plan->reduced;
    x.size *= finish->scale;
    if (!finish->root)
        return gt_plain(x);
    /* the exponent of a sum of squares is even */
    double epsilon = finish->epsilon > 0 ? gt_plain((gt_Scaled){finish->epsilon, -x.exponent}) : 0;
    double root = gt_plain((gt_Scaled){sqrt(x.size + epsilon), x.exponent / 2});
    return root < finish->floor ? finish->floor : root;
}

static void binary(const ReductionJob *job, gt_BinaryLoopId loop, int64_t n, double *x, double by)
{
    job->kernels->binary[loop][GT_LOOP_F64](n, x, 1, &by, 0, x);
}

static void finish_sum(const ReductionJob *job, int64_t output, double *x)
{
    double least, most;
    trusted(job, &least, &most);
    bool trust = *x >= least && *x <= most;
    *x = finished(job, trust ? (gt_Scaled){*x, 0} : again(job, output, *x));
}

/* Many sums, by vectors; the few that are computed again one by one. */
static void finish_sums(const ReductionJob *job, int64_t output, int64_t n, double *x)
{
    const gt_Finish *finish = job->finish;
    double least, most, low, high;
    double sum[FINISHED];
    trusted(job, &least, &most);
    job->kernels->reduce[GT_LOOP_MIN][GT_LOOP_F64](n, x, &low);
    job->kernels->reduce[GT_LOOP_MAX][GT_LOOP_F64](n, x, &high);
    bool trust = low >= least && high <= most;
    if (!trust)
        memcpy(sum, x, (size_t)n * sizeof *x);
    if (finish->mean)
        binary(job, GT_LOOP_DIVIDE, n, x, (double)job->plan->reduced);
    if (finish->scale != 1)
        binary(job, GT_LOOP_MULTIPLY, n, x, finish->scale);
    if (finish->root && finish->epsilon > 0)
        binary(job, GT_LOOP_ADD, n, x, finish->epsilon);
    if (finish->root)
        job->kernels->unary[GT_LOOP_SQRT][GT_LOOP_F64](n, x, x);
    if (finish->root && finish->floor > 0)
        binary(job, GT_LOOP_MAXIMUM, n, x, finish->floor);
    for (int64_t i = 0; i < n && !trust; i++)
        if (!(sum[i] >= least && sum[i] <= most)) {
            x[i] = sum[i];
            finish_sum(job, output + i, &x[i]);
        }
}

static char *at_output(const ReductionJob *job, int64_t output)
{
    return job->y + (size_t)output * gt_dtype_size(job->to);
}

/* y: n numbers of the result, from output number `output` on, made of the n that waited. */
static void finish_piece(const ReductionJob *job, int64_t output, int64_t n, gt_Scaled *waiting,
                         void *y)
{
    double *x = (double *)waiting;
    if (job->loop == GT_LOOP_PROD)
        for (int64_t i = 0; i < n; i++)
            x[i] = gt_plain(waiting[i]);
    else if (n == 1)
        finish_sum(job, output, x);
    else
        finish_sums(job, output, n, x);
    if (job->to == GT_FLOAT64)
        memcpy(y, x, (size_t)n * sizeof *x);
    else if (n == 1)
        *(float *)y = (float)*x;
    else
        job->kernels->cast[GT_LOOP_F64][GT_LOOP_F32](n, x, y);
}

/* Where a piece of work reads: columns from `column` on of an output or, in the first of two rounds,
 * of a part of one. */
typedef struct Piece {
    const char *x;
    int64_t rows;
} Piece;

static Piece piece_at(const ReductionJob *job, int64_t row, int64_t column)
{
    const Reduction *plan = job->plan;
    if (job->second)
        return (Piece){job->partials +
                           (size_t)(row * plan->parts * plan->columns + column) * job->waiting,
                       plan->parts};
    int64_t parts = job->partials ? plan->parts : 1;
    int64_t part = row % parts, begin = part % plan->blocks * plan->block;
    int64_t from = walk_offset(&plan->kept, row / parts) +
                   walk_offset(&plan->passes, part / plan->blocks) + begin * plan->stride;
    return (Piece){job->x + (size_t)(from + column) * job->element,
                   plan->rows - begin < plan->block ? plan->rows - begin : plan->block};
}

/* A strip of columns. What is still to be finished is so a few numbers at a time. */
static void reduce_strip(const ReductionJob *job, int64_t row, int64_t column, int64_t width)
{
    bool last = job->second || !job->partials;
    int64_t output = row * job->plan->columns + column;
    Piece piece = piece_at(job, row, column);
    if (!last || !job->wide) {
        reduce_piece(job, piece.rows, width, piece.x,
                     (last ? job->y : job->partials) + (size_t)output * job->waiting);
        return;
    }
    gt_Scaled waiting[FINISHED];
    size_t step = job->second ? job->waiting : job->element;
    for (int64_t at = 0; at < width; at += FINISHED) {
        int64_t n = width - at < FINISHED ? width - at : FINISHED;
        reduce_piece(job, piece.rows, n, piece.x + (size_t)at * step, waiting);
        finish_piece(job, output + at, n, waiting, at_output(job, output + at));
    }
}

/* Rows of one column each, [first, last), that are to be finished: as above. */
static void reduce_rows(const ReductionJob *job, int64_t first, int64_t last)
{
    gt_Scaled waiting[FINISHED];
    for (int64_t row = first; row < last; row += FINISHED) {
        int64_t n = last - row < FINISHED ? last - row : FINISHED;
        char *to = (char *)waiting;
        for (int64_t i = 0; i < n; i++) {
            Piece piece = piece_at(job, row + i, 0);
            reduce_piece(job, piece.rows, 1, piece.x, to + (size_t)i * job->waiting);
        }
        finish_piece(job, row, n, waiting, at_output(job, row));
    }
}

static void reduce_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                         void *scratch)
{
    (void)kernel;
    (void)scratch;
    const ReductionJob *job = argument;
    const Reduction *plan = job->plan;
    int64_t parts = job->partials && !job->second ? plan->parts : 1;
    int64_t units = plan->kept.count * parts * plan->strips;
    int64_t end = last * job->group < units ? last * job->group : units;
    if (parts == 1 && plan->columns == 1 && job->wide) {
        reduce_rows(job, first * job->group, end);
        return;
    }
    for (int64_t unit = first * job->group; unit < end; unit++) {
        int64_t column = unit % plan->strips * plan->width;
        int64_t width = plan->columns - column < plan->width ? plan->columns - column : plan->width;
        reduce_strip(job, unit / plan->strips, column, width);
    }
}

static gt_Status reduce_round(const gt_Kernel *kernel, ReductionJob *job, int64_t units,
                              int64_t work)
{
    job->group = work < GT_CHUNK ? GT_CHUNK / (work > 0 ? work : 1) : 1;
    return gt_for_tiles(kernel, (units + job->group - 1) / job->group, reduce_tiles, job);
}

/* Nothing gives the identity; the mean of nothing is 0 / 0. */
static void reduce_nothing(const ReductionJob *job, int64_t outputs)
{
    size_t size = gt_dtype_size(job->to);
    for (int64_t i = 0; i < outputs; i++) {
        gt_Scaled waiting[1];
        job->reduce(0, job->x, waiting);
        if (job->wide)
            finish_piece(job, i, 1, waiting, at_output(job, i));
        else
            memcpy(job->y + (size_t)i * size, waiting, size);
    }
}

gt_Status gt_reduction_run(const gt_Kernel *kernel, gt_ReduceLoopId loop, uint32_t bits,
                           const gt_Finish *finish)
{
    const gt_Spec *in = kernel->input_spec[0], *out = kernel->output_spec[0];
    const gt_KernelTable *kernels = kernel->context->kernels;
    int type = in->dtype == GT_BOOL ? GT_LOOP_U8 : gt_loop_type(in->dtype);
    Reduction plan;
    reduction_plan(&plan, in, bits);
    ReductionJob job = {
        .plan = &plan,
        .kernels = kernels,
        .loop = loop,
        .finish = finish,
        .from = in->dtype,
        .to = out->dtype,
        .reduce = kernels->reduce[loop][type],
        .columns = kernels->reduce_columns[loop][type],
        .x = kernel->input[0],
        .y = kernel->output[0],
        .element = gt_dtype_size(in->dtype),
        .waiting = waiting_size(in->dtype, loop),
        .wide = is_wide(in->dtype, loop),
    };
    bool counts = job.element == 1 && gt_dtype_size(out->dtype) > 1; /* bytes, summed wider */
    if (counts) {
        job.reduce = kernels->sum_bytes[out->dtype == GT_INT64];
        job.columns = kernels->sum_bytes_columns[out->dtype == GT_INT64];
        job.waiting = gt_dtype_size(out->dtype);
    }
    if (in->size == 0) {
        reduce_nothing(&job, out->size);
        return GT_OK;
    }
    int64_t outputs = plan.kept.count * plan.strips;
    if (plan.parts == 1)
        return reduce_round(kernel, &job, outputs, plan.rows * plan.width);
    job.partials = kernel->context->scratch[0];
    if (reduce_round(kernel, &job, outputs * plan.parts, plan.block * plan.width) != GT_OK)
        return gt_status();
    job.second = true;
    if (counts || (job.wide && loop != GT_LOOP_PROD)) { /* what waits is added: doubles, or counts */
        int waits = counts ? gt_loop_type(out->dtype) : GT_LOOP_F64;
        job.reduce = kernels->reduce[GT_LOOP_SUM][waits];
        job.columns = kernels->reduce_columns[GT_LOOP_SUM][waits];
    }
    return reduce_round(kernel, &job, outputs, plan.parts * plan.width);
}
