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

/* One head of one row of the batch. */
typedef struct Head {
    const gt_KernelTable *kernels;
    const gt_AttendLoops *loops;
    const gt_AttentionJob *job;
    void *const *at;
    gt_LoopType type;
    size_t element;
    int64_t batch, head;
    bool skips; /* causal, without a mask: no key behind a query counts */
} Head;

/* Scratch: queries turned, scores; back also what arrives, turned, d, a product that is still to be added; last that of
 * products. */
typedef struct Room {
    char *q, *p, *up, *d, *aside, *products;
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

/* How many keys queries up to `last` may look at. */
static int64_t keys_of(const Head *h, int64_t last)
{
    return h->skips ? least(h->job->keys, last + 1) : h->job->keys;
}

/* x[0 .. n - 1] = value. */
static void set(const Head *h, char *x, int64_t n, double value)
{
    float *single = (void *)x;
    double *wide = (void *)x;
    if (h->type == GT_LOOP_F32)
        for (int64_t i = 0; i < n; i++)
            single[i] = (float)value;
    else
        for (int64_t i = 0; i < n; i++)
            wide[i] = value;
}

/* Writes `value` over the scores (keys, 32) that the mask leaves out; queries `from` on. */
static void leave_out(const Head *h, int64_t from, int64_t rows, double value, char *scores)
{
    const gt_AttentionJob *job = h->job;
    const uint8_t *mask = h->at[3];
    if (!mask)
        return;
    mask += h->batch * job->mask[0] + h->head * job->mask[1] + from * job->mask[2];
    for (int64_t j = 0; j < job->keys; j++)
        for (int64_t i = 0; i < rows; i++)
            if (!mask[i * job->mask[2] + j * job->mask[3]] || (job->causal && j > from + i))
                set(h, scores + (size_t)(j * LANES + i) * h->element, 1, value);
}

/* In room->p the probabilities of keys [0, n) for queries [from, from + rows). */
static void probabilities(const Head *h, const Room *room, int64_t from, int64_t rows, int64_t n)
{
    const gt_AttentionJob *job = h->job;
    const double lowest =
        h->type == GT_LOOP_F32 ? -0.7 * 3.4028234663852886e38 : -0.7 * 1.7976931348623157e308;
    turned(h, rows, job->width, query_row(h, 0, job->width, from), job->heads * job->width,
           room->q);
    times_scale(h, job->width * LANES, room->q);
    multiply(h, room, false, n, LANES, job->width, key_row(h, 1, job->width, 0),
             key_heads(job) * job->width, room->q, LANES, room->p, LANES);
    for (int64_t j = from + 1; h->skips && j < n; j++) /* key j counts from query j on */
        set(h, room->p + (size_t)(j * LANES) * h->element, least(j - from, LANES), -INFINITY);
    leave_out(h, from, rows, lowest, room->p);
    if (n > 0)
        h->loops->probabilities(n, room->p);
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
                  .head = number % job->heads,
                  .skips = job->causal && !at[3]};
}

/* Shares out the scratch; returns its size without that of products. */
static size_t open_room(const gt_AttentionJob *job, bool back, char *scratch, Room *room)
{
    const size_t element = job->type == GT_LOOP_F32 ? sizeof(float) : sizeof(double);
    size_t at = 0;
    char **const parts[] = {&room->q, &room->p, &room->up, &room->d, &room->aside};
    const int64_t sizes[] = {LANES * job->width, LANES * job->keys, LANES * job->wide,
                             LANES * job->keys, job->keys * wider(job)};
    for (int i = 0; i < (back ? 5 : 2); i++) {
        *parts[i] = scratch ? scratch + at : NULL;
        at += ((size_t)sizes[i] * element + 63) / 64 * 64;
    }
    room->products = scratch ? scratch + at : NULL;
    return at;
}

static void need(const gt_KernelTable *kernels, const gt_AttentionJob *job, int64_t m, int64_t n,
                 int64_t k, size_t *most)
{
    size_t bytes = gt_gemm_scratch(kernels, (gt_LoopType)job->type, false, m, n, k);
    *most = bytes > *most ? bytes : *most;
}

/* Products go over all widths, over all keys or a multiple of 32 of them, and over up to 32 queries. */
size_t gt_attend_tiles_scratch(const gt_KernelTable *kernels, const gt_AttentionJob *job, bool back)
{
    Room room;
    size_t most = 0;
    const int64_t own = least(job->keys, job->queries);
    need(kernels, job, job->keys, LANES, job->width, &most);
    need(kernels, job, job->keys, LANES, job->wide, &most);
    need(kernels, job, LANES, wider(job), job->keys, &most);
    need(kernels, job, LANES, wider(job), own, &most);
    for (int64_t k = LANES; job->causal && k < own; k += LANES)
        need(kernels, job, LANES, wider(job), k, &most);
    for (int64_t k = 1; back && k <= LANES; k++)
        need(kernels, job, job->keys, wider(job), k, &most);
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
            const int64_t rows = least(LANES, end - i), n = keys_of(&h, i + rows - 1);
            probabilities(&h, &room, i, rows, n);
            multiply(&h, &room, true, rows, job->wide, n, room.p, LANES,
                     key_row(&h, 2, job->wide, 0), key_heads(job) * job->wide,
                     query_row(&h, 4, job->wide, i), job->heads * job->wide);
        }
    }
}

/* ---- back ---- */

/* Array `to` (batch, keys, key heads, n): s x over some queries, s (keys, 32), is added for keys [0, written), and written for
 * the others up to `keys`. */
static void keys_back(const Head *h, const Room *room, int to, int64_t n, int64_t keys,
                      int64_t written, int64_t rows, const char *s, const void *x, int64_t ldx)
{
    const int64_t ld = key_heads(h->job) * n;
    const size_t row = (size_t)n * h->element;
    written = least(written, keys);
    if (written > 0)
        multiply(h, room, false, written, n, rows, s, LANES, x, ldx, room->aside, n);
    for (int64_t j = 0; j < written; j++) {
        char *sum = key_row(h, to, n, j);
        h->kernels->binary[GT_LOOP_ADD][h->type](n, sum, 1, room->aside + (size_t)j * row, 1, sum);
    }
    if (written < keys)
        multiply(h, room, false, keys - written, n, rows,
                 s + (size_t)(written * LANES) * h->element, LANES, x, ldx,
                 key_row(h, to, n, written), ld);
}

/* Queries [from, from + rows). dk and dv are written for keys [0, written) by now. */
static void rows_back(const Head *h, const Room *room, int64_t from, int64_t rows, int64_t written)
{
    const gt_AttentionJob *job = h->job;
    const int64_t n = keys_of(h, from + rows - 1), ldq = job->heads * job->width;
    const char *up = query_row(h, 4, job->wide, from);
    probabilities(h, room, from, rows, n);
    turned(h, rows, job->wide, up, job->heads * job->wide, room->up);
    multiply(h, room, false, n, LANES, job->wide, key_row(h, 2, job->wide, 0),
             key_heads(job) * job->wide, room->up, LANES, room->d, LANES);
    h->loops->scores_back(n, room->p, room->d);
    leave_out(h, from, rows, 0, room->d);
    times_scale(h, n * LANES, room->d);
    multiply(h, room, true, rows, job->width, n, room->d, LANES, key_row(h, 1, job->width, 0),
             key_heads(job) * job->width, query_row(h, 5, job->width, from), ldq);
    keys_back(h, room, 6, job->width, n, written, rows, room->d, query_row(h, 0, job->width, from),
              ldq);
    keys_back(h, room, 7, job->wide, n, written, rows, room->p, up, job->heads * job->wide);
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
                const int64_t rows = least(LANES, job->queries - from);
                const int64_t n = keys_of(&h, from + rows - 1);
                rows_back(&h, &room, from, rows, written);
                written = n > written ? n : written;
            }
        h.head = tile * job->share % job->heads;
        for (int64_t j = written; j < job->keys; j++) {
            memset(key_row(&h, 6, job->width, j), 0, (size_t)job->width * h.element);
            memset(key_row(&h, 7, job->wide, j), 0, (size_t)job->wide * h.element);
        }
    }
}
