/* Reductions over axes as kernels of tiles: see reduction.h. The loops over rows and columns, and with them the order in
 * which elements are put together, are reduce.c's. Leans on loops.h. */
#include "reduction.h"

#include "loops.h"
#include "scaled.h"

/* A launch at work. */
typedef struct Reduction {
    const gt_ReductionJob *job;
    gt_ReduceLoop *reduce;
    gt_ReduceColumnsLoop *columns;
    const char *x;
    char *partials, *y;
    bool last; /* writes y */
} Reduction;

static Reduction at_work(const gt_ReductionJob *job, void *const *at)
{
    const gt_KernelTable *table = &GT_KERNEL(kernels);
    Reduction r = {.job = job,
                   .x = at[0],
                   .y = at[1],
                   .partials = job->parts > 1 ? at[2] : NULL,
                   .last = job->round != GT_REDUCTION_PARTIAL};
    int loop = job->loop, type = job->from == GT_LOOP_BOOL ? GT_LOOP_U8 : job->from;
    if (job->round == GT_REDUCTION_LAST && (job->counts || (job->wide && loop != GT_LOOP_PROD))) {
        loop = GT_LOOP_SUM; /* doubles, or counts, are added */
        type = job->counts ? job->to : GT_LOOP_F64;
    } else if (job->counts) {
        r.reduce = table->sum_bytes[job->to == GT_LOOP_I64];
        r.columns = table->sum_bytes_columns[job->to == GT_LOOP_I64];
        return r;
    }
    r.reduce = table->reduce[loop][type];
    r.columns = table->reduce_columns[loop][type];
    return r;
}

static void reduce_piece(const Reduction *r, int64_t rows, int64_t width, const void *x, void *y)
{
    const gt_ReductionJob *job = r->job;
    bool second = job->round == GT_REDUCTION_LAST;
    int64_t stride = second ? job->columns : job->stride;
    if (second && job->waiting == sizeof(gt_Scaled))
        gt_reduction_products(rows, width, stride, x, y);
    else if (job->columns == 1)
        r->reduce(rows, x, y);
    else
        r->columns(rows, width, stride, x, y);
}

/* ---- how it is finished ---- */

#define FINISHED 256 /* numbers that are finished together */

static void binary(gt_BinaryLoopId loop, int64_t n, double *x, double by)
{
    GT_KERNEL(kernels).binary[loop][GT_LOOP_F64](n, x, 1, &by, 0, x);
}

/* Many sums, by vectors; the few that are computed again one by one. */
static void finish_sums(const Reduction *r, int64_t output, int64_t n, double *x)
{
    const gt_ReductionJob *job = r->job;
    const gt_KernelTable *table = &GT_KERNEL(kernels);
    double least, most;
    double sum[FINISHED];
    int64_t within = 0;
    gt_reduction_trusted(job, &least, &most);
    for (int64_t i = 0; i < n; i++)
        within += (x[i] >= least) & (x[i] <= most);
    const bool trust = within == n;
    if (!trust)
        memcpy(sum, x, (size_t)n * sizeof *x);
    if (job->mean && job->reduced > 0 &&
        (job->reduced & (job->reduced - 1)) == 0) { /* the same, exactly */
        if (job->reduced > 1)
            binary(GT_LOOP_MULTIPLY, n, x, 1 / (double)job->reduced);
    } else if (job->mean) {
        binary(GT_LOOP_DIVIDE, n, x, (double)job->reduced);
    }
    if (job->scale != 1)
        binary(GT_LOOP_MULTIPLY, n, x, job->scale);
    if (job->root && job->epsilon > 0)
        binary(GT_LOOP_ADD, n, x, job->epsilon);
    if (job->root)
        table->unary[GT_LOOP_SQRT][GT_LOOP_F64](n, x, x);
    if (job->root && job->floor > 0)
        binary(GT_LOOP_MAXIMUM, n, x, job->floor);
    for (int64_t i = 0; i < n && !trust; i++)
        if (!(sum[i] >= least && sum[i] <= most))
            x[i] = gt_reduction_finished(job, r->x, output + i, sum[i]);
}

/* Products as doubles: where no exponent is far out, by vectors. */
static void finish_products(int64_t n, const gt_Scaled *waiting, double *x)
{
    int64_t near = 0, plain = 0;
    for (int64_t i = 0; i < n; i++) {
        plain += waiting[i].exponent == 0;
        near += (waiting[i].exponent > -500) & (waiting[i].exponent < 500) &
                (waiting[i].size < 2) & (waiting[i].size > -2);
    }
    if (plain == n)
        for (int64_t i = 0; i < n; i++)
            x[i] = waiting[i].size;
    else if (near == n)
        for (int64_t i = 0; i < n; i++)
            x[i] = waiting[i].size *
                   gt_from_bits_f64((uint64_t)(1023 + waiting[i].exponent) << 52);
    else
        for (int64_t i = 0; i < n; i++)
            x[i] = gt_plain(waiting[i]);
}

/* n elements of y, from number `output` on, made of the n that waited, maybe in y. */
static void finish_piece(const Reduction *r, int64_t output, int64_t n, void *waiting)
{
    const gt_ReductionJob *job = r->job;
    double *x = waiting;
    void *y = r->y + output * (job->to == GT_LOOP_F64 ? 8 : 4);
    double product[FINISHED];
    if (job->loop == GT_LOOP_PROD)
        finish_products(n, waiting, x = product);
    else if (n == 1)
        *x = gt_reduction_finished(job, r->x, output, *x);
    else
        finish_sums(r, output, n, x);
    if (job->to == GT_LOOP_F64 && x != y)
        memcpy(y, x, (size_t)n * sizeof *x);
    else if (job->to == GT_LOOP_F64)
        return;
    else if (n == 1)
        *(float *)y = (float)*x;
    else
        GT_KERNEL(kernels).cast[GT_LOOP_F64][GT_LOOP_F32](n, x, y);
}

/* ---- pieces ---- */

/* Where a piece of work reads: columns from `column` on of a kept position or of a part of one. */
typedef struct Piece {
    const char *x;
    int64_t rows;
} Piece;

static Piece piece_at(const Reduction *r, int64_t row, int64_t column)
{
    const gt_ReductionJob *job = r->job;
    if (job->round == GT_REDUCTION_LAST)
        return (Piece){r->partials + (row * job->parts * job->columns + column) * job->waiting,
                       job->parts};
    if (r->last) /* one part; most reductions, so without its divisions */
        return (Piece){r->x + (gt_walk_offset(&job->kept, row) + column) * job->element, job->rows};
    int64_t parts = job->parts;
    int64_t part = row % parts, begin = part % job->blocks * job->block;
    int64_t from = gt_walk_offset(&job->kept, row / parts) +
                   gt_walk_offset(&job->passes, part / job->blocks) + begin * job->stride;
    return (Piece){r->x + (from + column) * job->element,
                   job->rows - begin < job->block ? job->rows - begin : job->block};
}

/* Where results wait to be finished, from number `output` on: sums that become doubles in y itself. */
static void *place_of(const Reduction *r, int64_t output, gt_Scaled *waiting)
{
    const bool in_place = r->job->to == GT_LOOP_F64 && r->job->loop != GT_LOOP_PROD;
    return in_place ? (void *)(r->y + output * (int64_t)sizeof(double)) : (void *)waiting;
}

/* A strip of columns. What is still to be finished is so a few numbers at a time. */
static void reduce_strip(const Reduction *r, int64_t row, int64_t column, int64_t width)
{
    const gt_ReductionJob *job = r->job;
    int64_t output = row * job->columns + column;
    Piece piece = piece_at(r, row, column);
    if (!r->last || !job->wide) {
        reduce_piece(r, piece.rows, width, piece.x,
                     (r->last ? r->y : r->partials) + output * job->waiting);
        return;
    }
    gt_Scaled waiting[FINISHED];
    int64_t step = job->round == GT_REDUCTION_LAST ? job->waiting : job->element;
    for (int64_t at = 0; at < width; at += FINISHED) {
        int64_t n = width - at < FINISHED ? width - at : FINISHED;
        void *into = place_of(r, output + at, waiting);
        reduce_piece(r, piece.rows, n, piece.x + at * step, into);
        finish_piece(r, output + at, n, into);
    }
}

/* The loop for many short rows at once, if they are many, short and lie together: it takes its time for a block of rows. */
static gt_RowsLoop *loop_for_few(const Reduction *r)
{
    const gt_ReductionJob *job = r->job;
    if (job->round != GT_REDUCTION_WHOLE || job->from > GT_LOOP_F64 || job->outputs < 8 || job->rows >= 32 ||
        (job->rows > 1 && job->stride != 1) || job->kept.rank > 1 ||
        (job->kept.rank == 1 && job->kept.stride[0] != job->rows))
        return NULL;
    return GT_KERNEL(kernels).reduce_few[job->loop][job->from];
}

/* Rows of one column each, [first, last), that are to be finished: as above. */
static void reduce_rows(const Reduction *r, int64_t first, int64_t last)
{
    gt_Scaled waiting[FINISHED];
    gt_RowsLoop *few = loop_for_few(r);
    for (int64_t row = first; row < last; row += FINISHED) {
        int64_t n = last - row < FINISHED ? last - row : FINISHED;
        char *into = place_of(r, row, waiting);
        if (few)
            few(n, r->job->rows, piece_at(r, row, 0).x, into);
        for (int64_t i = 0; i < n && !few; i++) {
            Piece piece = piece_at(r, row + i, 0);
            reduce_piece(r, piece.rows, 1, piece.x, into + i * r->job->waiting);
        }
        finish_piece(r, row, n, into);
    }
}

/* Nothing gives the identity; the mean of nothing is 0 / 0. */
static void reduce_nothing(const Reduction *r)
{
    const gt_ReductionJob *job = r->job;
    for (int64_t i = 0; i < job->outputs; i++) {
        gt_Scaled waiting[1] = {{job->empty, 0}};
        if (job->empty != job->empty)
            r->reduce(0, r->x, waiting);
        else if (!job->wide)
            GT_KERNEL(kernels).cast[GT_LOOP_F64][job->to](1, &job->empty, waiting);
        if (job->wide)
            finish_piece(r, i, 1, waiting);
        else
            memcpy(r->y + i * job->waiting, waiting, job->waiting);
    }
}

/* Of each element of y: the elements that it is made of are put together in rows or columns by the order of reduce.c,
 * then the partial results in the order of passes and blocks, then it is finished: divided, scaled, rooted, rounded.
 * Any order of tiles. */
void GT_KERNEL(tiles_reduce)(const void *given, void *const *at, int64_t first, int64_t last,
                             void *scratch)
{
    const gt_ReductionJob *job = given;
    (void)scratch;
    Reduction r = at_work(job, at);
    if (job->round == GT_REDUCTION_NOTHING) {
        reduce_nothing(&r);
        return;
    }
    int64_t parts = r.last ? 1 : job->parts;
    int64_t pieces = job->kept.count * parts * job->strips;
    int64_t end = last * job->group < pieces ? last * job->group : pieces;
    if (parts == 1 && job->columns == 1 && job->wide) {
        reduce_rows(&r, first * job->group, end);
        return;
    }
    gt_RowsLoop *few = parts == 1 && job->columns == 1 ? loop_for_few(&r) : NULL;
    if (few) {
        int64_t row = first * job->group;
        few(end - row, job->rows, piece_at(&r, row, 0).x, r.y + row * job->waiting);
        return;
    }
    for (int64_t piece = first * job->group; piece < end; piece++) {
        int64_t row = job->strips > 1 ? piece / job->strips : piece;
        int64_t column = (piece - row * job->strips) * job->width;
        int64_t width = job->columns - column < job->width ? job->columns - column : job->width;
        reduce_strip(&r, row, column, width);
    }
}

/* ---- logsumexp ---- */

/* Elements [first, first + lanes) of y, which are along one run of the innermost kept axis: what each of them is made of,
 * in the order of the axes, in a row of its own. */
#define GT_GATHER(suffix, type)                                                                    \
    static void gather_##suffix(const gt_LogsumexpJob *job, int64_t first, int64_t lanes,          \
                                const type *x, type *y)                                            \
    {                                                                                              \
        const gt_Walk *over = &job->reduced, *kept = &job->kept;                                   \
        int64_t run = over->rank ? over->dims[over->rank - 1] : 1;                                 \
        int64_t step = over->rank ? over->stride[over->rank - 1] : 0;                              \
        int64_t side = kept->rank ? kept->stride[kept->rank - 1] : 0;                              \
        x += gt_walk_offset(kept, first);                                                          \
        for (int64_t i = 0; i < job->columns; i += run) {                                          \
            const type *from = x + gt_walk_offset(over, i);                                        \
            for (int64_t j = 0; j < run; j++, from += step)                                        \
                for (int64_t lane = 0; lane < lanes; lane++)                                       \
                    y[lane * job->columns + i + j] = from[lane * side];                            \
        }                                                                                          \
    }
GT_GATHER(f32, float)
GT_GATHER(f64, double)

/* log(sum of e^(x - m)) + m, m the largest, by the loop of reduce.c; any order of tiles. */
void GT_KERNEL(tiles_logsumexp)(const void *given, void *const *at, int64_t first, int64_t last,
                                void *scratch)
{
    const gt_LogsumexpJob *job = given;
    gt_RowsLoop *loop = GT_KERNEL(kernels).logsumexp[job->type];
    int64_t element = job->type == GT_LOOP_F32 ? 4 : 8, i = first * job->group;
    int64_t end = last * job->group < job->outputs ? last * job->group : job->outputs;
    if (job->contiguous) {
        loop(end - i, job->columns, (const char *)at[0] + i * job->columns * element,
             (char *)at[1] + i * element);
        return;
    }
    int64_t run = job->kept.rank ? job->kept.dims[job->kept.rank - 1] : 1;
    while (i < end) {
        int64_t lanes = end - i < job->lanes ? end - i : job->lanes;
        if (lanes > run - i % run)
            lanes = run - i % run;
        if (job->type == GT_LOOP_F32)
            gather_f32(job, i, lanes, at[0], scratch);
        else
            gather_f64(job, i, lanes, at[0], scratch);
        loop(lanes, job->columns, scratch, (char *)at[1] + i * element);
        i += lanes;
    }
}
