/* Reductions over axes as kernels of tiles: see reduction.h. The loops over rows and columns, and with them the order in
 * which elements are put together, are reduce.c's. Leans on loops.h. */
#include "reduction.h"

#include "loops.h"
#include "narrow.h"
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

/* n elements of y, from number `output` on, from doubles, maybe in y. */
static void round_piece(const Reduction *r, int64_t output, int64_t n, const double *x)
{
    const gt_ReductionJob *job = r->job;
    void *y = r->y + output * (job->to == GT_LOOP_F64 ? 8 : 4);
    if (job->to == GT_LOOP_F64 && x != y)
        memcpy(y, x, (size_t)n * sizeof *x);
    else if (job->to == GT_LOOP_F64)
        return;
    else if (n == 1)
        *(float *)y = (float)*x;
    else
        GT_KERNEL(kernels).cast[GT_LOOP_F64][GT_LOOP_F32](n, x, y);
}

/* The same from the n that waited, maybe in y. */
static void finish_piece(const Reduction *r, int64_t output, int64_t n, void *waiting)
{
    const gt_ReductionJob *job = r->job;
    double *x = waiting;
    double product[FINISHED];
    if (job->loop == GT_LOOP_PROD)
        finish_products(n, waiting, x = product);
    else if (n == 1)
        *x = gt_reduction_finished(job, r->x, output, *x);
    else
        finish_sums(r, output, n, x);
    round_piece(r, output, n, x);
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
        (job->kept.rank == 1 && job->kept.stride[0] != job->rows) ||
        (job->from != job->to && job->loop != GT_LOOP_SQUARES))
        return NULL;
    return GT_KERNEL(kernels).reduce_few[job->loop][job->from];
}

/* Rows of one column each: are they sums, means or roots of squares, and no more? */
static bool is_plain(const gt_ReductionJob *job)
{
    return job->from == job->to && job->scale == 1 && !(job->epsilon > 0) && !(job->floor > 0) &&
           (job->loop == GT_LOOP_SUM ? !job->root : job->loop == GT_LOOP_SQUARES && job->root);
}

/* Rows of one column each, [first, last), that are to be finished: as above. */
static void reduce_rows(const Reduction *r, int64_t first, int64_t last)
{
    const gt_ReductionJob *job = r->job;
    gt_Scaled waiting[FINISHED];
    gt_RowsLoop *few = loop_for_few(r);
    if (few) {
        gt_PlainProducts *const plain = job->from == GT_LOOP_F32
                                            ? GT_KERNEL_RARE(few_plain_products_f32)
                                            : GT_KERNEL_RARE(few_plain_products_f64);
        const char *x = piece_at(r, first, 0).x;
        char *y = r->y + first * job->element;
        if (is_plain(job) && GT_KERNEL(few_sums)(job->mean, job->root, job->from == GT_LOOP_F64,
                                                 last - first, job->rows, x, y))
            return;
        if (job->loop == GT_LOOP_PROD && plain(last - first, job->rows, x, y))
            return;
    }
    for (int64_t row = first; row < last; row += FINISHED) {
        int64_t n = last - row < FINISHED ? last - row : FINISHED;
        char *into = place_of(r, row, waiting);
        if (few)
            few(n, job->rows, piece_at(r, row, 0).x, into);
        for (int64_t i = 0; i < n && !few; i++) {
            Piece piece = piece_at(r, row + i, 0);
            reduce_piece(r, piece.rows, 1, piece.x, into + i * job->waiting);
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

/* One number is its own sum (of floats 0 + x, which is 0 for -0), its own product and extreme; the root of its square is |x|, for a square is rounded to
 * what its root is again. False: it is something else. */
static bool reduce_single(const gt_ReductionJob *job, void *const *at, int64_t first, int64_t last)
{
    static const uint64_t zero = 0;
    const gt_KernelTable *table = &GT_KERNEL(kernels);
    const bool plain = job->scale == 1 && !(job->epsilon > 0) && !(job->floor > 0);
    if (job->reduced != 1 || job->round != GT_REDUCTION_WHOLE || job->from > GT_LOOP_F64 ||
        job->from != job->to || (job->wide && !plain) ||
        (job->loop == GT_LOOP_SQUARES ? !job->root : job->root))
        return false;
    const int64_t begin = first * job->group * job->width, end = last * job->group * job->width;
    const int64_t n = (end < job->outputs ? end : job->outputs) - begin;
    const char *x = (const char *)at[0] + begin * job->element;
    char *y = (char *)at[1] + begin * job->element;
    if (job->loop == GT_LOOP_SUM && job->from == GT_LOOP_F32)
        table->binary[GT_LOOP_ADD][job->from](n, x, 1, &zero, 0, y);
    else if (job->loop == GT_LOOP_SQUARES)
        table->unary[GT_LOOP_ABS][job->from](n, x, y);
    else if (x != y)
        memcpy(y, x, (size_t)(n * job->element));
    return true;
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
    if (reduce_single(job, at, first, last))
        return;
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

#ifndef GT_RARE_ELSEWHERE
/* ---- running ---- */

/* Rows of a few floats, GT_ROWS_BESIDE of them beside each other: taken apart into columns, a column made of the one before it for all rows
 * at once, put together again. Element i of x is that of the row's own order, whichever end it begins at. */
enum { GT_ROWS_BESIDE = 64 };
#define GT_RUNNING_ROWS(suffix, type, size)                                                        \
    static void sum_rows_##suffix(int64_t count, bool exclusive, const type *x, type *y,           \
                                  int64_t step)                                                    \
    {                                                                                              \
        double sum[GT_ROWS_BESIDE];                                                                \
        int64_t i = 1;                                                                             \
        for (int j = 0; j < GT_ROWS_BESIDE; j++) {                                                 \
            y[j] = exclusive ? 0 : x[j];                                                           \
            sum[j] = (double)y[j];                                                                 \
        }                                                                                          \
        x += exclusive ? 0 : step;                                                                 \
        y += step;                                                                                 \
        for (; i + 4 <= count; i += 4, x += 4 * step, y += 4 * step)                               \
            for (int j = 0; j < GT_ROWS_BESIDE; j++) {                                             \
                const double a = (double)x[j], b = a + (double)x[step + j];                        \
                const double c = b + (double)x[2 * step + j], d = c + (double)x[3 * step + j];     \
                y[j] = (type)(sum[j] + a);                                                         \
                y[step + j] = (type)(sum[j] + b);                                                  \
                y[2 * step + j] = (type)(sum[j] + c);                                              \
                y[3 * step + j] = (type)(sum[j] += d);                                             \
            }                                                                                      \
        for (; i < count; i++, x += step, y += step)                                               \
            for (int j = 0; j < GT_ROWS_BESIDE; j++)                                               \
                y[j] = (type)(sum[j] += (double)x[j]);                                             \
    }                                                                                              \
    static void product_rows_##suffix(int64_t count, bool exclusive, const type *x, type *y,       \
                                      int64_t step)                                                \
    {                                                                                              \
        double now[GT_ROWS_BESIDE];                                                                \
        int64_t i = 0;                                                                             \
        for (int j = 0; j < GT_ROWS_BESIDE; j++)                                                   \
            now[j] = 1;                                                                            \
        for (; i + 4 <= count; i += 4, x += 4 * step, y += 4 * step)                               \
            for (int j = 0; j < GT_ROWS_BESIDE; j++) {                                             \
                const double a = (double)x[j], b = a * (double)x[step + j];                        \
                const double c = b * (double)x[2 * step + j], d = c * (double)x[3 * step + j];     \
                y[j] = (type)(exclusive ? now[j] : now[j] * a);                                    \
                y[step + j] = (type)(now[j] * (exclusive ? a : b));                                \
                y[2 * step + j] = (type)(now[j] * (exclusive ? b : c));                            \
                y[3 * step + j] = (type)(now[j] * (exclusive ? c : d));                            \
                now[j] *= d;                                                                       \
            }                                                                                      \
        for (; i < count; i++, x += step, y += step)                                               \
            for (int j = 0; j < GT_ROWS_BESIDE; j++) {                                             \
                const double next = now[j] * (double)x[j];                                         \
                y[j] = (type)(exclusive ? now[j] : next);                                          \
                now[j] = next;                                                                     \
            }                                                                                      \
    }                                                                                              \
    /* Up to 16 such factors make a product that never needs an exponent beside it. */             \
    static bool are_near_##suffix(int64_t n, const type *x)                                        \
    {                                                                                              \
        int wild = 0;                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const type a = x[i] < 0 ? -x[i] : x[i];                                                \
            wild |= !(((a > (type)0x1p-18) & (a < (type)0x1p18)) | (a == 0));                      \
        }                                                                                          \
        return !wild;                                                                              \
    }                                                                                              \
    static void running_rows_##suffix(const gt_RunningJob *job, void *const *at, int64_t first,    \
                                      int64_t last)                                                \
    {                                                                                              \
        type apart[GT_NARROW * GT_ROWS_BESIDE], made[GT_NARROW * GT_ROWS_BESIDE];                  \
        const int64_t w = job->count, start = job->reverse ? (w - 1) * GT_ROWS_BESIDE : 0;         \
        const int64_t step = job->reverse ? -GT_ROWS_BESIDE : GT_ROWS_BESIDE;                      \
        memset(apart, 0, sizeof apart);                                                            \
        for (int64_t row = first, n; row < last; row += n) {                                       \
            const type *x = (const type *)at[0] + row * w;                                         \
            type *y = (type *)at[1] + row * w;                                                     \
            n = last - row < GT_ROWS_BESIDE ? last - row : GT_ROWS_BESIDE;                         \
            if (job->kind == GT_RUNNING_PRODUCT && !are_near_##suffix(n * w, x)) {                 \
                for (int64_t i = 0; i < n; i++)                                                    \
                    gt_running_row(job, x + i * w, y + i * w);                                     \
                continue;                                                                          \
            }                                                                                      \
            GT_KERNEL(part_##size)(n, w, x, apart, GT_ROWS_BESIDE);                                \
            (job->kind == GT_RUNNING_SUM ? sum_rows_##suffix : product_rows_##suffix)(             \
                w, job->exclusive, apart + start, made + start, step);                             \
            GT_KERNEL(braid_##size)(n, w, made, GT_ROWS_BESIDE, y);                                \
        }                                                                                          \
    }
GT_RUNNING_ROWS(f32, float, 4)
GT_RUNNING_ROWS(f64, double, 8)

/* Each element from the one before along the axis, in the order that once/running_template.h names; any order of tiles. */
void GT_KERNEL(tiles_running)(const void *given, void *const *at, int64_t first, int64_t last,
                              void *scratch)
{
    const gt_RunningJob *job = given;
    const int64_t from = first * job->group, to = last * job->group;
    const int64_t end = to < job->outer ? to : job->outer;
    (void)scratch;
    if (job->inner == 1 && job->count == 1 && !job->exclusive && job->kind != GT_RUNNING_RECURRENCE)
        gt_move_elements(job->element, end - from, (const char *)at[0] + from * job->element, 1,
                         (char *)at[1] + from * job->element, 1);
    else if (job->inner != 1 || job->count > GT_NARROW || job->type > GT_LOOP_F64 ||
        job->kind == GT_RUNNING_RECURRENCE)
        gt_running_tiles(job, at, first, last);
    else if (job->type == GT_LOOP_F32)
        running_rows_f32(job, at, from, end);
    else
        running_rows_f64(job, at, from, end);
}
#endif
