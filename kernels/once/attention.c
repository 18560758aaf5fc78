/* Attention, head by head: where things lie, products, and which loop comes when. Compiled once: the loops are those of the
 * tables it is given; attention.c states the order of operations. Everything is in bytes here.
 *
 * 32 queries of a head are worked on at a time. Their scores lie as (keys, 32), so that softmax goes down columns, and stay in the
 * first-level cache; only keys up to the last of these queries are touched where attention is causal. The queries come turned,
 * (width, 32), times scale, with zeros where there are fewer than 32: such lanes are computed and never read.
 *
 *     forwards   s (keys, 32) = k q;  softmax;  o = s' v
 *     back       p as s;  d (keys, 32) = v do;  d = p (d - sum of p d) scale;  dq = d' k;  dk += d q';  dv += p do' */
#include "kernels/attend.h"
#include "kernels/product.h"

#include <math.h>
#include <string.h>

enum { LANES = GT_ATTEND_LANES };

/* Up to a whole vector on every processor. */
static int64_t padded(int64_t n)
{
    return (n + 15) / 16 * 16;
}

/* One head of one row of the batch. */
typedef struct Head {
    const gt_KernelTable *kernels;
    const gt_AttendLoops *loops;
    const gt_AttentionJob *job;
    void *const *at;
    gt_LoopType type;
    size_t element;
    int64_t batch, head;
} Head;

/* Scratch: which scores count (keys, 32), queries turned, scores; back also what arrives, turned, d, 32 rows one behind the other;
 * last that of products. */
typedef struct Room {
    char *counts, *q, *p, *up, *d, *rows, *products;
} Room;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t wider(const gt_AttentionJob *job)
{
    return job->width > job->wide ? job->width : job->wide;
}

static int64_t key_heads(const gt_AttentionJob *job)
{
    return job->heads / job->share;
}

/* Row `row` of `length` of array `array` (batch, length, heads, n), of one of its heads. */
static char *row_of(const Head *h, int array, int64_t length, int64_t heads, int64_t head,
                    int64_t n, int64_t row)
{
    int64_t index = ((h->batch * length + row) * heads + head) * n;
    return (char *)h->at[array] + (size_t)index * h->element;
}

/* Of q and what has its shape. */
static char *query_row(const Head *h, int array, int64_t n, int64_t row)
{
    return row_of(h, array, h->job->queries, h->job->heads, h->head, n, row);
}

/* Of k, v and what has their shapes. */
static char *key_row(const Head *h, int array, int64_t n, int64_t row)
{
    return row_of(h, array, h->job->keys, key_heads(h->job), h->head / h->job->share, n, row);
}

/* A compiler drops calls of a function that does nothing but ask. */
#define GT_ALWAYS static inline __attribute__((always_inline))

/* Asks for rows [from, from + 32) of array `array`, which has `heads` heads and n elements in each. A head's rows are far apart: no
 * processor guesses that they come next. */
GT_ALWAYS void ask_for(const Head *h, int array, int64_t length, int64_t heads, int64_t n,
                       int64_t from)
{
    const int64_t end = least(from + LANES, length);
    for (int64_t row = from; row < end; row++) {
        const char *start =
            row_of(h, array, length, heads, h->head * heads / h->job->heads, n, row);
        for (size_t i = 0; i < (size_t)n * h->element; i += 64)
            __builtin_prefetch(start + i, 1, 2);
    }
}

/* What the 32 queries from `from` on, and the keys from there on, read and write first. `back`: of the gradient. */
GT_ALWAYS void ask_ahead(const Head *h, bool back, int64_t from)
{
    const gt_AttentionJob *job = h->job;
    const int64_t heads = job->heads, others = key_heads(job);
    ask_for(h, 0, job->queries, heads, job->width, from);
    ask_for(h, 1, job->keys, others, job->width, from);
    ask_for(h, 2, job->keys, others, job->wide, from);
    ask_for(h, 4, job->queries, heads, job->wide, from);
    if (!back)
        return;
    ask_for(h, 5, job->queries, heads, job->width, from);
    ask_for(h, 6, job->keys, others, job->width, from);
    ask_for(h, 7, job->keys, others, job->wide, from);
}

/* c (m, n) = a b, or a' b with a stored (k, m). */
static void multiply(const Head *h, const Room *room, bool turned, int64_t m, int64_t n, int64_t k,
                     const void *a, int64_t lda, const void *b, int64_t ldb, void *c, int64_t ldc)
{
    const gt_Gemm product = {.transpose_a = turned,
                             .m = m,
                             .n = n,
                             .k = k,
                             .a = a,
                             .b = b,
                             .lda = lda,
                             .ldb = ldb,
                             .ldc = ldc,
                             .half_a = -1,
                             .half_b = -1,
                             .c = c};
    gt_gemm(h->kernels, h->type, &product, room->products);
}

/* c (n, 32) = a (n, k) b (k, 32). */
static void multiply_turned(const Head *h, const Room *room, int64_t n, int64_t k, const void *a,
                            int64_t lda, const void *b, void *c)
{
    if (n > 0 && k > 0 && k <= GT_GEMM_DEPTH(h->type))
        h->kernels->gemm_tiles[h->type](false, n, LANES, k, a, lda, b, LANES, c, LANES);
    else
        multiply(h, room, false, n, LANES, k, a, lda, b, LANES, c, LANES);
}

/* x *= scale, n elements. */
static void times_scale(const Head *h, int64_t n, void *x)
{
    const float single = (float)h->job->scale;
    const void *scale =
        h->type == GT_LOOP_F32 ? (const void *)&single : (const void *)&h->job->scale;
    h->kernels->binary[GT_LOOP_MULTIPLY][h->type](n, x, 1, scale, 0, x);
}

/* to (n, 32) = x (rows, n) turned; zeros in the lanes behind. */
static void turned(const Head *h, int64_t rows, int64_t n, const void *x, int64_t ldx, void *to)
{
    if (rows < LANES)
        memset(to, 0, (size_t)(n * LANES) * h->element);
    h->kernels->transpose[h->type == GT_LOOP_F32 ? 2 : 3](rows, n, x, ldx, to, LANES);
}

/* Scores (keys, 32) of queries from `from` on: -infinity where key j is behind the query. */
static void rule_out(const Head *h, int64_t from, int64_t keys, char *scores)
{
    float single[LANES];
    double wide[LANES];
    const void *none = h->type == GT_LOOP_F32 ? (const void *)single : wide;
    for (int i = 0; i < LANES; i++)
        wide[i] = single[i] = -INFINITY;
    for (int64_t j = from + 1; j < keys; j++)
        memcpy(scores + (size_t)(j * LANES) * h->element, none,
               (size_t)least(j - from, LANES) * h->element);
}

/* counts (keys, 32): what the mask and the causal one say of queries [from, from + rows). */
static void gather_mask(const Head *h, int64_t from, int64_t rows, uint8_t *counts)
{
    const gt_AttentionJob *job = h->job;
    const int64_t *stride = job->mask;
    const uint8_t *mask = h->at[3];
    if (job->keys == 0)
        return;
    mask += h->batch * stride[0] + h->head * stride[1] + from * stride[2];
    uint8_t row[LANES] = {0}; /* of a mask that is the same for all keys */
    for (int64_t i = 0; i < rows; i++)
        row[i] = mask[i * stride[2]];
    if (stride[2] && stride[3]) {
        memset(counts, 0, rows < LANES ? (size_t)(job->keys * LANES) : 0);
        h->kernels->transpose[0](rows, job->keys, mask, stride[2], counts, LANES);
    } else {
        for (int64_t j = 0; j < job->keys; j++)
            if (stride[3])
                memset(counts + j * LANES, mask[j * stride[3]], LANES);
            else
                memcpy(counts + j * LANES, row, LANES);
    }
    for (int64_t j = from + 1; job->causal && j < job->keys; j++) /* key j counts from query j on */
        memset(counts + j * LANES, 0, (size_t)least(j - from, LANES));
}

/* Does each of the queries count a key of the first n? */
static bool all_look(int64_t rows, int64_t n, const uint8_t *counts)
{
    uint8_t any[LANES] = {0};
    for (int64_t j = 0; j < n; j++)
        for (int i = 0; i < LANES; i++)
            any[i] |= counts[j * LANES + i];
    return !memchr(any, 0, (size_t)rows);
}

/* Writes `value` over the n (keys, 32) that do not count. */
static void leave_out(const Head *h, const Room *room, int64_t n, double value, char *x)
{
    const float single = (float)value;
    const void *other = h->type == GT_LOOP_F32 ? (const void *)&single : (const void *)&value;
    h->kernels->select[h->type == GT_LOOP_F32 ? 2 : 3](n * LANES, (const uint8_t *)room->counts, 1,
                                                       x, 1, other, 0, x);
}

/* In room->p the probabilities of keys [0, n) for queries [from, from + rows); those of the other keys are 0. Returns n, which is
 * all keys where a query looks at none: it gets the mean of all values. */
static int64_t probabilities(const Head *h, const Room *room, int64_t from, int64_t rows)
{
    const gt_AttentionJob *job = h->job;
    const double lowest =
        h->type == GT_LOOP_F32 ? -0.7 * 3.4028234663852886e38 : -0.7 * 1.7976931348623157e308;
    const bool masked = h->at[3] != NULL;
    int64_t n = job->causal ? least(job->keys, from + rows) : job->keys;
    if (masked) {
        gather_mask(h, from, rows, (uint8_t *)room->counts);
        n = all_look(rows, n, (const uint8_t *)room->counts) ? n : job->keys;
    }
    turned(h, rows, job->width, query_row(h, 0, job->width, from), job->heads * job->width,
           room->q);
    times_scale(h, job->width * LANES, room->q);
    multiply_turned(h, room, n, job->width, key_row(h, 1, job->width, 0),
                    key_heads(job) * job->width, room->q, room->p);
    if (masked)
        leave_out(h, room, n, lowest, room->p);
    if (job->causal && !masked)
        rule_out(h, from, n, room->p);
    if (n > 0)
        h->loops->probabilities(n, room->p);
    return n;
}

/* The head of a number, and the scratch of all. */
static Head open_head(const gt_KernelTable *kernels, const gt_AttendLoops *loops,
                      const gt_AttentionJob *job, void *const *at, int64_t number)
{
    return (Head){.kernels = kernels,
                  .loops = &loops[job->type],
                  .job = job,
                  .at = at,
                  .type = (gt_LoopType)job->type,
                  .element = job->type == GT_LOOP_F32 ? sizeof(float) : sizeof(double),
                  .batch = number / job->heads,
                  .head = number % job->heads};
}

/* Shares out the scratch; returns its size without that of products. */
static size_t open_room(const gt_AttentionJob *job, bool back, char *scratch, Room *room)
{
    const size_t element = job->type == GT_LOOP_F32 ? sizeof(float) : sizeof(double);
    size_t at = 0;
    char **const parts[] = {&room->counts, &room->q, &room->p, &room->up, &room->d, &room->rows};
    const int64_t sizes[] = {LANES / 4 * job->keys, LANES * job->width, LANES * job->keys,
                             LANES * job->wide,     LANES * job->keys,  LANES * padded(wider(job))};
    for (int i = 0; i < (back ? 6 : 3); i++) {
        *parts[i] = scratch ? scratch + at : NULL;
        at += ((size_t)sizes[i] * element + 63) / 64 * 64;
    }
    room->products = scratch ? scratch + at : NULL;
    return at;
}

/* Products go over all widths, up to all keys and up to 32 queries. */
size_t gt_attend_tiles_scratch(const gt_KernelTable *kernels, const gt_AttentionJob *job, bool back)
{
    const struct {
        int64_t m, n, k;
    } products[] = {{job->keys, LANES, wider(job)}, {LANES, wider(job), job->keys}};
    Room room;
    size_t most = 0;
    for (int i = 0; i < 2; i++) {
        size_t bytes = gt_gemm_scratch(kernels, (gt_LoopType)job->type, false, products[i].m,
                                       products[i].n, products[i].k);
        most = bytes > most ? bytes : most;
    }
    return open_room(job, back, NULL, &room) + most;
}

/* A tile is job->block queries of one head. */
void gt_attend_tiles(const gt_KernelTable *kernels, const gt_AttendLoops *loops,
                     const gt_AttentionJob *job, void *const *at, int64_t first, int64_t last,
                     void *scratch)
{
    const int64_t blocks = (job->queries + job->block - 1) / job->block;
    Room room;
    open_room(job, false, scratch, &room);
    for (int64_t tile = first; tile < last; tile++) {
        const Head h = open_head(kernels, loops, job, at, tile / blocks);
        int64_t begin = tile % blocks * job->block, end = least(begin + job->block, job->queries);
        for (int64_t i = begin; i < end; i += LANES) {
            const int64_t rows = least(LANES, end - i);
            if (i + LANES < end) {
                ask_ahead(&h, false, i + LANES);
            } else if (tile + 1 < last) {
                const Head next = open_head(kernels, loops, job, at, (tile + 1) / blocks);
                ask_ahead(&next, false, (tile + 1) % blocks * job->block);
            }
            const int64_t n = probabilities(&h, &room, i, rows);
            multiply(&h, &room, true, rows, job->wide, n, room.p, LANES,
                     key_row(&h, 2, job->wide, 0), key_heads(job) * job->wide,
                     query_row(&h, 4, job->wide, i), job->heads * job->wide);
        }
    }
}

/* ---- back ---- */

/* Array `to` (batch, keys, key heads, n): s x over some queries, s (keys, 32), is added for keys [0, written), and written for
 * the others up to `keys`. x comes to lie together first, and its lines are read up to whole vectors. */
static void keys_back(const Head *h, const Room *room, int to, int64_t n, int64_t keys,
                      int64_t written, int64_t rows, const char *s, const char *x, int64_t ldx)
{
    const int64_t ld = key_heads(h->job) * n, ld_rows = padded(n);
    for (int64_t i = 0; i < rows; i++)
        memcpy(room->rows + (size_t)(i * ld_rows) * h->element, x + (size_t)(i * ldx) * h->element,
               (size_t)n * h->element);
    written = least(written, keys);
    for (int64_t from = 0, end = written; from < keys; from = end, end = keys)
        if (from < end)
            h->kernels->gemm_tiles[h->type](from < written, end - from, n, rows,
                                            s + (size_t)(from * LANES) * h->element, LANES,
                                            room->rows, ld_rows, key_row(h, to, n, from), ld);
}

/* Queries [from, from + rows). dk and dv are written for keys [0, written) by now; returns for how many they are then. */
static int64_t rows_back(const Head *h, const Room *room, int64_t from, int64_t rows,
                         int64_t written)
{
    const gt_AttentionJob *job = h->job;
    const int64_t n = probabilities(h, room, from, rows), ldq = job->heads * job->width;
    const char *up = query_row(h, 4, job->wide, from);
    turned(h, rows, job->wide, up, job->heads * job->wide, room->up);
    multiply_turned(h, room, n, job->wide, key_row(h, 2, job->wide, 0), key_heads(job) * job->wide,
                    room->up, room->d);
    h->loops->scores_back(n, room->p, room->d);
    if (h->at[3])
        leave_out(h, room, n, 0, room->d);
    times_scale(h, n * LANES, room->d);
    multiply(h, room, true, rows, job->width, n, room->d, LANES, key_row(h, 1, job->width, 0),
             key_heads(job) * job->width, query_row(h, 5, job->width, from), ldq);
    keys_back(h, room, 6, job->width, n, written, rows, room->d, query_row(h, 0, job->width, from),
              ldq);
    keys_back(h, room, 7, job->wide, n, written, rows, room->p, up, job->heads * job->wide);
    return n > written ? n : written;
}

/* A tile is one key head of one row of the batch, with all heads that share it. Keys that nobody may look at get zeros. */
void gt_attend_back_tiles(const gt_KernelTable *kernels, const gt_AttendLoops *loops,
                          const gt_AttentionJob *job, void *const *at, int64_t first, int64_t last,
                          void *scratch)
{
    Room room;
    open_room(job, true, scratch, &room);
    for (int64_t tile = first; tile < last; tile++) {
        Head h = open_head(kernels, loops, job, at, tile * job->share);
        int64_t written = 0;
        for (int64_t i = 0; i < job->share; i++, h.head++)
            for (int64_t from = 0; from < job->queries; from += LANES) {
                if (from + LANES < job->queries) {
                    ask_ahead(&h, true, from + LANES);
                } else if (tile + 1 < last) {
                    const Head next = open_head(kernels, loops, job, at, (tile + 1) * job->share);
                    ask_ahead(&next, true, 0);
                }
                written = rows_back(&h, &room, from, least(LANES, job->queries - from), written);
            }
        h.head = tile * job->share % job->heads;
        for (int64_t j = written; j < job->keys; j++) {
            memset(key_row(&h, 6, job->width, j), 0, (size_t)job->width * h.element);
            memset(key_row(&h, 7, job->wide, j), 0, (size_t)job->wide * h.element);
        }
    }
}
