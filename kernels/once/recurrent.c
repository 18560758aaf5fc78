/* The walk of an LSTM or a GRU over rows and steps: where things lie, products, and which loop comes when. Compiled once: the
 * loops are those of the tables it is given; recurrent.c states the order of operations. Everything is in bytes here.
 *
 * The states of the rows that go together lie together in scratch, so that they are the left side of a product whatever the
 * strides of (batch, time, units) are. A step that the mask leaves out is computed all the same, for its gates, and its states
 * go to `spare`. */
#include "kernels/product.h"
#include "kernels/sequence.h"

#include <string.h>

/* Some rows of a call, and what all of their steps need. A vector is `units` elements. */
typedef struct Walk {
    const gt_KernelTable *kernels;
    const gt_SequenceLoops *loops; /* of the element type */
    const gt_SequenceJob *job;
    void *const *at;
    int64_t from, rows; /* of the batch */
    size_t vector;      /* bytes */
    void *rest;         /* scratch of products */
} Walk;

typedef void Rows(const Walk *walk, char *scratch);

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Calls `rows` for the rows of tiles [first, last), at most job->most at a time: whole tiles, or parts of one. */
static void all_rows(const gt_KernelTable *kernels, const gt_SequenceLoops *loops,
                     const gt_SequenceJob *job, void *const *at, int64_t first, int64_t last,
                     void *scratch, Rows *rows)
{
    const size_t element = job->type == GT_LOOP_F32 ? sizeof(float) : sizeof(double);
    int64_t end = last * job->rows < job->batch ? last * job->rows : job->batch;
    Walk walk = {.kernels = kernels,
                 .loops = &loops[job->type],
                 .job = job,
                 .at = at,
                 .vector = (size_t)job->units * element};
    walk.rest = (char *)scratch + (size_t)GT_SEQUENCE_ROOM(job->most, job->units) * element;
    const int64_t whole = job->most < job->rows ? job->rows : job->most / job->rows * job->rows;
    for (int64_t group = first * job->rows; group < end; group += whole)
        for (int64_t done = 0; done < least(whole, end - group); done += walk.rows) {
            walk.from = group + done;
            walk.rows = least(job->most, least(whole - done, end - walk.from));
            rows(&walk, scratch);
        }
}

/* Step number k of a sequence, by its place in time. */
static int64_t place_of(const Walk *walk, int64_t k)
{
    return walk->job->backwards ? walk->job->time - 1 - k : k;
}

/* In array number `array` (batch, time, wide units): step `place` of row i of the walk. An absent array stays NULL. */
static void *step_of(const Walk *walk, int array, int64_t i, int64_t place, size_t wide)
{
    char *start = walk->at[array];
    int64_t steps = (walk->from + i) * walk->job->time + place;
    return start ? start + (size_t)steps * wide * walk->vector : NULL;
}

/* In array number `array` (batch, units): row i of the walk, and those behind it. */
static void *state_of(const Walk *walk, int array, int64_t i)
{
    char *start = walk->at[array];
    return start ? start + (size_t)(walk->from + i) * walk->vector : NULL;
}

/* Of the array of steps, or of the state before the first: what was there before step number k; NULL: nothing, zeros. */
static const void *before_of(const Walk *walk, int array, int state, int64_t i, int64_t k)
{
    return k > 0 ? step_of(walk, array, i, place_of(walk, k - 1), 1) : state_of(walk, state, i);
}

static bool counts(const Walk *walk, int mask, int64_t i, int64_t place)
{
    const uint8_t *bytes = walk->at[mask];
    return !bytes || bytes[(walk->from + i) * walk->job->time + place];
}

/* A compiler drops calls of a function that does nothing but ask. */
#define GT_ALWAYS static inline __attribute__((always_inline))

/* Asks for row i of step `place` in array number `array`, which is written soon: its rows are far apart, and a store that misses
 * the cache holds up those behind it. */
GT_ALWAYS void ask_for(const Walk *walk, int array, int64_t i, int64_t place)
{
    const char *row = step_of(walk, array, i, place, 1);
    for (size_t b = 0; b < walk->vector; b += 64)
        __builtin_prefetch(row + b, 1);
}

/* y = x; zeros where x is NULL. */
static void copy(size_t bytes, const void *x, void *y)
{
    if (x)
        memcpy(y, x, bytes);
    else
        memset(y, 0, bytes);
}

/* y = a + b of n elements, or a where b is NULL. y may be a. */
static void add(const Walk *walk, int64_t n, const void *a, const void *b, void *y)
{
    if (b)
        walk->kernels->binary[GT_LOOP_ADD][walk->job->type](n, a, 1, b, 1, y);
    else if (y != a)
        memcpy(y, a, (size_t)n * (walk->vector / (size_t)walk->job->units));
}

static void apply(const Walk *walk, gt_UnaryLoopId loop, int64_t n, const void *x, void *y)
{
    walk->kernels->unary[loop][walk->job->type](n, x, y);
}

/* c (rows, gates units) = a (rows, units) r; or back, c (rows, units) = a (rows, gates units) r'. */
static void multiply(const Walk *walk, int gates, bool back, const void *a, const void *r, void *c)
{
    const int64_t units = walk->job->units, wide = gates * units;
    const gt_Gemm product = {.transpose_b = back,
                             .m = walk->rows,
                             .n = back ? units : wide,
                             .k = back ? wide : units,
                             .a = a,
                             .b = r,
                             .lda = back ? wide : units,
                             .ldb = wide,
                             .ldc = back ? units : wide,
                             .half_a = -1,
                             .half_b = -1,
                             .packed = walk->job->packed < 0 ? NULL : walk->at[walk->job->packed],
                             .c = c};
    gt_gemm(walk->kernels, (gt_LoopType)walk->job->type, &product, walk->rest);
}

/* ---- LSTM ---- */

static void lstm_rows(const Walk *walk, char *h)
{
    const int64_t n = walk->job->units, rows = walk->rows;
    const size_t v = walk->vector, all = (size_t)rows * v;
    char *c = h + all, *p = c + all, *none = p + 4 * all;
    const void *bias = walk->at[2] ? walk->at[2] : none;
    copy(4 * v, NULL, none);
    copy(all, state_of(walk, 3, 0), h);
    copy(all, state_of(walk, 4, 0), c);
    copy(4 * all, NULL, p);
    for (int64_t k = 0; k < walk->job->time; k++) {
        const int64_t place = place_of(walk, k);
        if (k > 0 || walk->at[3])
            multiply(walk, 4, false, h, walk->at[1], p);
        for (int64_t i = 0; i < rows; i++) {
            const size_t own = (size_t)i * v;
            char *z = step_of(walk, 6, i, place, 4);
            char *to_h = step_of(walk, 7, i, place, 1), *to_c = step_of(walk, 8, i, place, 1);
            const int64_t below = i + 1 < rows ? i + 1 : i;
            ask_for(walk, 7, below, place);
            ask_for(walk, 8, below, place);
            walk->loops->lstm_gates(n, step_of(walk, 0, i, place, 4), bias, p + 4 * own, z);
            if (counts(walk, 5, i, place)) {
                walk->loops->lstm_states(n, z, c + own, h + own, to_c, to_h);
            } else {
                memcpy(to_c, c + own, v);
                memcpy(to_h, h + own, v);
            }
        }
    }
    memcpy(state_of(walk, 9, 0), h, all);
    memcpy(state_of(walk, 10, 0), c, all);
}

void gt_walk_lstm(const gt_KernelTable *kernels, const gt_SequenceLoops *loops,
                  const gt_SequenceJob *job, void *const *at, int64_t first, int64_t last,
                  void *scratch)
{
    all_rows(kernels, loops, job, at, first, last, scratch, lstm_rows);
}

/* Row i of the walk is in this tile's sums (4 units). */
static char *sums_of(const Walk *walk, int64_t i)
{
    return (char *)walk->at[13] + (size_t)((walk->from + i) / walk->job->rows) * 4 * walk->vector;
}

/* The d of a step, (rows, 4 units), are added to the sums of the tiles that the rows are of. */
static void add_to_sums(const Walk *walk, const char *d)
{
    for (int64_t i = 0, end; i < walk->rows; i = end) {
        end = least(i + walk->job->rows - (walk->from + i) % walk->job->rows, walk->rows);
        walk->loops->add_rows(4 * walk->job->units, end - i, d + (size_t)i * 4 * walk->vector,
                              sums_of(walk, i));
    }
}

/* dh and dc lie together in scratch; where a step counts, its share of dh is used up, and what the product gives is added to
 * what is left. */
static void lstm_rows_back(const Walk *walk, char *d)
{
    const int64_t n = walk->job->units, rows = walk->rows;
    const size_t v = walk->vector, all = (size_t)rows * v;
    char *dh = d + 4 * all, *dc = dh + all, *p = dc + all, *t = p + all;
    char *none = t + v, *spare = none + 4 * v; /* zeros */
    const bool masked = walk->at[4] != NULL;
    copy(5 * v, NULL, none);
    copy(all, state_of(walk, 8, 0), dh);
    copy(all, state_of(walk, 9, 0), dc);
    for (int64_t i = 0; i < rows; i++)
        if ((walk->from + i) % walk->job->rows == 0)
            copy(4 * v, NULL, sums_of(walk, i));
    for (int64_t k = walk->job->time - 1; k >= 0; k--) {
        const int64_t place = place_of(walk, k);
        for (int64_t i = 0; i < rows; i++) {
            char *mine = dh + (size_t)i * v, *state = dc + (size_t)i * v,
                 *to = d + 4 * (size_t)i * v;
            const bool counted = counts(walk, 4, i, place);
            const void *before = before_of(walk, 1, 3, i, k), *up = step_of(walk, 5, i, place, 4);
            add(walk, n, mine, step_of(walk, 6, i, place, 1), mine);
            add(walk, n, state, step_of(walk, 7, i, place, 1), state);
            apply(walk, GT_LOOP_TANH, n, step_of(walk, 1, i, place, 1), t);
            if (!counted) /* a NaN of the padding of another row would stay in it */
                copy(v, NULL, spare);
            walk->loops->lstm_slopes(n, step_of(walk, 0, i, place, 4), before ? before : none, t,
                                     up ? up : none, counted ? mine : none, counted ? state : spare,
                                     to, step_of(walk, 10, i, place, 4));
            if (masked && counted)
                copy(v, NULL, mine);
        }
        add_to_sums(walk, d);
        if (k == 0 && !walk->job->states)
            break;
        multiply(walk, 4, true, d, walk->at[2], masked ? p : dh);
        if (masked)
            add(walk, rows * n, dh, p, dh);
    }
    copy(all, walk->job->states ? dh : NULL, state_of(walk, 11, 0));
    copy(all, walk->job->states ? dc : NULL, state_of(walk, 12, 0));
}

void gt_walk_lstm_gradient(const gt_KernelTable *kernels, const gt_SequenceLoops *loops,
                           const gt_SequenceJob *job, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    all_rows(kernels, loops, job, at, first, last, scratch, lstm_rows_back);
}

/* ---- GRU ---- */

static void gru_rows(const Walk *walk, char *h)
{
    const int64_t n = walk->job->units, rows = walk->rows;
    const size_t v = walk->vector, all = (size_t)rows * v;
    char *p = h + all, *spare = p + 3 * all, *none = spare + v;
    const char *bias = walk->at[2] ? walk->at[2] : none,
               *second = bias == none ? none : bias + 3 * v;
    gt_BinaryLoop *product = walk->kernels->binary[GT_LOOP_MULTIPLY][walk->job->type];
    copy(3 * v, NULL, none);
    copy(all, state_of(walk, 3, 0), h);
    copy(3 * all, NULL, p);
    for (int64_t k = 0; k < walk->job->time; k++) {
        const int64_t place = place_of(walk, k);
        if (k > 0 || walk->at[3])
            multiply(walk, 3, false, h, walk->at[1], p);
        for (int64_t i = 0; i < rows; i++) {
            char *mine = h + (size_t)i * v, *of_h = p + 3 * (size_t)i * v;
            char *z = step_of(walk, 5, i, place, 4), *q = z + 3 * v;
            const char *x = step_of(walk, 0, i, place, 3);
            add(walk, 3 * n, of_h, second, of_h);
            walk->loops->sums(2 * n, x, bias, of_h, z);
            apply(walk, GT_LOOP_SIGMOID, 2 * n, z, z);
            memcpy(q, of_h + 2 * v, v);
            product(n, z + v, 1, q, 1, of_h);
            walk->loops->sums(n, x + 2 * v, bias + 2 * v, of_h, z + 2 * v);
            apply(walk, GT_LOOP_TANH, n, z + 2 * v, z + 2 * v);
            walk->loops->gru_states(n, z, mine, counts(walk, 4, i, place) ? mine : spare);
            memcpy(step_of(walk, 6, i, place, 1), mine, v);
        }
    }
    memcpy(state_of(walk, 7, 0), h, all);
}

void gt_walk_gru(const gt_KernelTable *kernels, const gt_SequenceLoops *loops,
                 const gt_SequenceJob *job, void *const *at, int64_t first, int64_t last,
                 void *scratch)
{
    all_rows(kernels, loops, job, at, first, last, scratch, gru_rows);
}

static void gru_rows_back(const Walk *walk, char *d)
{
    const int64_t n = walk->job->units, rows = walk->rows;
    const size_t v = walk->vector, all = (size_t)rows * v;
    char *dh = d + 3 * all, *p = dh + all, *none = p + all, *spare = none + 4 * v; /* zeros */
    copy(5 * v, NULL, none);
    copy(all, state_of(walk, 7, 0), dh);
    for (int64_t k = walk->job->time - 1; k >= 0; k--) {
        const int64_t place = place_of(walk, k);
        for (int64_t i = 0; i < rows; i++) {
            char *mine = dh + (size_t)i * v, *to = d + 3 * (size_t)i * v;
            const void *h = before_of(walk, 1, 3, i, k), *up = step_of(walk, 5, i, place, 4);
            const bool counted = counts(walk, 4, i, place);
            add(walk, n, mine, step_of(walk, 6, i, place, 1), mine);
            if (!counted) /* a NaN of the padding of another row would stay in it */
                copy(v, NULL, spare);
            walk->loops->gru_slopes(n, step_of(walk, 0, i, place, 4), h ? h : none, up ? up : none,
                                    counted ? mine : spare, step_of(walk, 8, i, place, 3), to);
            memcpy(step_of(walk, 9, i, place, 3), to, 3 * v);
        }
        if (k == 0 && !walk->job->states)
            break;
        multiply(walk, 3, true, d, walk->at[2], p);
        add(walk, rows * n, dh, p, dh);
    }
    copy(all, walk->job->states ? dh : NULL, state_of(walk, 10, 0));
}

void gt_walk_gru_gradient(const gt_KernelTable *kernels, const gt_SequenceLoops *loops,
                          const gt_SequenceJob *job, void *const *at, int64_t first, int64_t last,
                          void *scratch)
{
    all_rows(kernels, loops, job, at, first, last, scratch, gru_rows_back);
}
