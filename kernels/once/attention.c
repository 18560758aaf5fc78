/* Attention, head by head: where things lie, products, and which row loop comes when. Compiled once: the loops are those of the
 * table it is given; attention.c states the order of operations. Everything is in bytes here.
 *
 * The scores of a few queries (`rows`) are made at a time, against all keys, or if causal against those up to the last of these
 * queries: blocks of keys that nobody may look at are never touched. Keys are turned once, since scores are products with their
 * transpose. The gradient keeps the probabilities of `block` queries, p, and what arrives at their scores, d, for the two products
 * that go the other way, over queries:
 *
 *           keys 0   32   64  128             dq of rows 32 to 63   = (d of these rows) k
 *     queries 0  ##                           dv of keys 32 to 63   = (p of these columns, from query 32 on)' do
 *            32  #### ##
 *            64  #### #### ## */
#include "kernels/attend.h"
#include "kernels/product.h"

#include <string.h>

/* One head of one row of the batch. */
typedef struct Head {
    const gt_KernelTable *kernels;
    const gt_AttentionJob *job;
    void *const *at;
    gt_LoopType type;
    size_t element;
    int64_t batch, head;
    char *products; /* scratch of products */
} Head;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static size_t padded(const gt_AttentionJob *job, int64_t elements)
{
    size_t element = job->type == GT_LOOP_F32 ? sizeof(float) : sizeof(double);
    return ((size_t)elements * element + 63) / 64 * 64;
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
static void multiply(const Head *h, bool turned, int64_t m, int64_t n, int64_t k, const void *a,
                     int64_t lda, const void *b, int64_t ldb, void *c, int64_t ldc)
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
    gt_gemm(h->kernels, h->type, &product, h->products);
}

/* to (rows, n) = x of these queries times scale; the rows lie together there. */
static void scaled(const Head *h, int64_t from, int64_t rows, char *to)
{
    const gt_AttentionJob *job = h->job;
    const float single = (float)job->scale;
    const void *scale = h->type == GT_LOOP_F32 ? (const void *)&single : (const void *)&job->scale;
    for (int64_t i = 0; i < rows; i++)
        h->kernels->binary[GT_LOOP_MULTIPLY][h->type](
            job->width, query_row(h, 0, job->width, from + i), 1, scale, 0,
            to + (size_t)(i * job->width) * h->element);
}

/* to (n, keys) = the transpose of keys or values. */
static void turned(const Head *h, int array, int64_t n, char *to)
{
    h->kernels->transpose[h->type == GT_LOOP_F32 ? 2 : 3](h->job->keys, n, key_row(h, array, n, 0),
                                                          key_heads(h->job) * n, to, h->job->keys);
}

/* How many keys queries up to `last` may look at. */
static int64_t keys_of(const Head *h, int64_t last)
{
    return h->job->causal && !h->at[3] ? least(h->job->keys, last + 1) : h->job->keys;
}

/* The scores of a query that the mask leaves out, or 0 in their place if `zero`. */
static void leave_out(const Head *h, int64_t query, bool zero, char *scores)
{
    const gt_AttentionJob *job = h->job;
    const double lowest = zero ? 0 : -0.7 * 1.7976931348623157e308;
    const float single = zero ? 0 : (float)(-0.7 * 3.4028234663852886e38);
    const void *value = h->type == GT_LOOP_F32 ? (const void *)&single : (const void *)&lowest;
    gt_SelectLoop *select = h->kernels->select[h->type == GT_LOOP_F32 ? 2 : 3];
    const uint8_t none = 0, *mask = h->at[3];
    if (!mask)
        return;
    mask += h->batch * job->mask[0] + h->head * job->mask[1] + query * job->mask[2];
    select(job->keys, mask, job->mask[3], scores, 1, value, 0, scores);
    int64_t after = query + 1;
    if (job->causal && after < job->keys) {
        char *later = scores + (size_t)after * h->element;
        select(job->keys - after, &none, 0, later, 1, value, 0, later);
    }
}

/* p (rows, keys), of which it fills the first n of a row: the probabilities of queries from `from` on, of scaled queries q and
 * turned keys. */
static void probabilities(const Head *h, int64_t from, int64_t rows, const char *q,
                          const char *keys, char *p)
{
    const gt_AttentionJob *job = h->job;
    const int64_t n = keys_of(h, from + rows - 1);
    multiply(h, false, rows, n, job->width, q, job->width, keys, job->keys, p, job->keys);
    for (int64_t i = 0; i < rows; i++) {
        char *row = p + (size_t)(i * job->keys) * h->element;
        const int64_t own = keys_of(h, from + i);
        leave_out(h, from + i, false, row);
        h->kernels->softmax[h->type](1, own, row, row);
        memset(row + (size_t)own * h->element, 0, (size_t)(n - own) * h->element);
    }
}

static Head head_of(const gt_KernelTable *kernels, const gt_AttentionJob *job, void *const *at,
                    int64_t index)
{
    return (Head){.kernels = kernels,
                  .job = job,
                  .at = at,
                  .type = (gt_LoopType)job->type,
                  .element = job->type == GT_LOOP_F32 ? sizeof(float) : sizeof(double),
                  .batch = index / job->heads,
                  .head = index % job->heads};
}

static void need(const gt_KernelTable *kernels, const gt_AttentionJob *job, int64_t m, int64_t n,
                 int64_t k, size_t *most)
{
    size_t bytes = gt_gemm_scratch(kernels, (gt_LoopType)job->type, false, m, n, k);
    *most = bytes > *most ? bytes : *most;
}

/* Scratch of every product of a call: of queries with n keys, and back with the queries of a block and of the last one. */
static size_t product_scratch(const gt_KernelTable *kernels, const gt_AttentionJob *job, bool back)
{
    const int64_t wider = job->width > job->wide ? job->width : job->wide;
    const int64_t narrower = job->width + job->wide - wider,
                  ends[2] = {job->block, job->queries % job->block};
    size_t most = 0;
    need(kernels, job, job->rows, narrower, least(job->keys, job->queries), &most);
    need(kernels, job, job->rows, wider, least(job->keys, job->queries), &most);
    for (int64_t n = job->keys; n > 0; n = job->causal ? (n - 1) / job->rows * job->rows : 0) {
        need(kernels, job, job->rows, n, narrower, &most);
        need(kernels, job, job->rows, n, wider, &most);
        need(kernels, job, job->rows, narrower, n, &most);
        need(kernels, job, job->rows, wider, n, &most);
    }
    for (int i = 0; back && i < 2; i++)
        for (int64_t k = ends[i]; k > 0; k = job->causal ? k - job->rows : 0) {
            need(kernels, job, job->keys, narrower, k, &most);
            need(kernels, job, job->keys, wider, k, &most);
        }
    return most;
}

/* ---- forwards ---- */

size_t gt_attend_tiles_scratch(const gt_KernelTable *kernels, const gt_AttentionJob *job)
{
    return padded(job, job->rows * job->width) + padded(job, job->width * job->keys) +
           padded(job, job->rows * job->keys) + product_scratch(kernels, job, false);
}

void gt_attend_tiles(const gt_KernelTable *kernels, const gt_AttentionJob *job, void *const *at,
                     int64_t first, int64_t last, void *scratch)
{
    const int64_t blocks = (job->queries + job->block - 1) / job->block;
    char *q = scratch, *keys = q + padded(job, job->rows * job->width);
    char *p = keys + padded(job, job->width * job->keys);
    int64_t of_keys = -1; /* the head whose keys are turned */
    for (int64_t tile = first; tile < last; tile++) {
        Head h = head_of(kernels, job, at, tile / blocks);
        int64_t begin = tile % blocks * job->block, end = least(begin + job->block, job->queries);
        h.products = p + padded(job, job->rows * job->keys);
        if (of_keys != tile / blocks / job->share)
            turned(&h, 1, job->width, keys);
        of_keys = tile / blocks / job->share;
        for (int64_t i = begin; i < end; i += job->rows) {
            const int64_t rows = least(job->rows, end - i), n = keys_of(&h, i + rows - 1);
            scaled(&h, i, rows, q);
            probabilities(&h, i, rows, q, keys, p);
            multiply(&h, false, rows, job->wide, n, p, job->keys, key_row(&h, 2, job->wide, 0),
                     key_heads(job) * job->wide, query_row(&h, 4, job->wide, i),
                     job->heads * job->wide);
        }
    }
}

/* ---- back ---- */

size_t gt_attend_back_tiles_scratch(const gt_KernelTable *kernels, const gt_AttentionJob *job)
{
    const int64_t most = job->width > job->wide ? job->width : job->wide;
    return padded(job, job->block * job->width) + padded(job, job->width * job->keys) +
           padded(job, job->wide * job->keys) + 2 * padded(job, job->block * job->keys) +
           padded(job, job->keys * most) + padded(job, job->keys) +
           product_scratch(kernels, job, true);
}

/* What a tile of the gradient works with: scaled queries, turned keys and values, p and d of a block, a product that is still to be
 * added, a row. */
typedef struct Room {
    char *q, *keys, *values, *p, *d, *aside, *row;
} Room;

/* d, what arrives at the probabilities of a query, becomes what arrives at its scores; n of them. */
static void to_scores(const Head *h, int64_t query, int64_t n, const char *p, char *row, char *d)
{
    double sum;
    float single;
    h->kernels->binary[GT_LOOP_MULTIPLY][h->type](n, p, 1, d, 1, row);
    h->kernels->reduce[GT_LOOP_SUM][h->type](n, row, &sum);
    single = (float)sum;
    h->kernels->binary[GT_LOOP_SUBTRACT][h->type](
        n, d, 1, h->type == GT_LOOP_F32 ? (const void *)&single : (const void *)&sum, 0, d);
    h->kernels->binary[GT_LOOP_MULTIPLY][h->type](n, p, 1, d, 1, d);
    leave_out(h, query, true, d);
}

/* p and d of some queries of the block that begins with query `begin`, and dq. */
static void rows_back(const Head *h, const Room *room, int64_t begin, int64_t from, int64_t rows)
{
    const gt_AttentionJob *job = h->job;
    const int64_t n = keys_of(h, from + rows - 1), inside = from - begin;
    const float single = (float)job->scale;
    const void *scale = h->type == GT_LOOP_F32 ? (const void *)&single : (const void *)&job->scale;
    char *p = room->p + (size_t)(inside * job->keys) * h->element;
    char *d = room->d + (size_t)(inside * job->keys) * h->element;
    probabilities(h, from, rows, room->q + (size_t)(inside * job->width) * h->element, room->keys,
                  p);
    multiply(h, false, rows, n, job->wide, query_row(h, 4, job->wide, from), job->heads * job->wide,
             room->values, job->keys, d, job->keys);
    for (int64_t i = 0; i < rows; i++) {
        const size_t row = (size_t)(i * job->keys) * h->element;
        to_scores(h, from + i, n, p + row, room->row, d + row);
    }
    multiply(h, false, rows, job->width, n, d, job->keys, key_row(h, 1, job->width, 0),
             key_heads(job) * job->width, query_row(h, 5, job->width, from),
             job->heads * job->width);
    for (int64_t i = 0; i < rows; i++) {
        char *dq = query_row(h, 5, job->width, from + i);
        h->kernels->binary[GT_LOOP_MULTIPLY][h->type](job->width, dq, 1, scale, 0, dq);
    }
}

/* Array `to` (batch, keys, key heads, n), rows [from, from + rows): s' x, over the queries [first, end) of the block that begins
 * with `begin`; s are their scores or probabilities, row 0 of x that of query `first`. */
static void keys_back(const Head *h, const Room *room, bool fresh, int to, int64_t n, int64_t from,
                      int64_t rows, int64_t queries, const char *s, const char *x, int64_t ldx)
{
    const int64_t ld = key_heads(h->job) * n;
    const char *columns = s + (size_t)from * h->element;
    if (fresh) {
        multiply(h, true, rows, n, queries, columns, h->job->keys, x, ldx, key_row(h, to, n, from),
                 ld);
        return;
    }
    multiply(h, true, rows, n, queries, columns, h->job->keys, x, ldx, room->aside, n);
    for (int64_t i = 0; i < rows; i++) {
        char *row = key_row(h, to, n, from + i);
        h->kernels->binary[GT_LOOP_ADD][h->type](
            n, row, 1, room->aside + (size_t)(i * n) * h->element, 1, row);
    }
}

/* Zeros in dk and dv from key `from` on. */
static void no_keys(const Head *h, int64_t from)
{
    for (int64_t j = from; j < h->job->keys; j++) {
        memset(key_row(h, 6, h->job->width, j), 0, (size_t)h->job->width * h->element);
        memset(key_row(h, 7, h->job->wide, j), 0, (size_t)h->job->wide * h->element);
    }
}

/* Queries [begin, end) of one head. `fresh`: dk and dv of its key head are still to be written. */
static void block_back(const Head *h, const Room *room, int64_t begin, int64_t end, bool fresh)
{
    const gt_AttentionJob *job = h->job;
    const int64_t n = keys_of(h, end - 1);
    const bool skips = job->causal && !h->at[3];
    const int64_t step = skips ? job->rows : n;
    scaled(h, begin, end - begin, room->q);
    for (int64_t i = begin; i < end; i += job->rows)
        rows_back(h, room, begin, i, least(job->rows, end - i));
    for (int64_t j = 0; j < n; j += step) {
        const int64_t from = skips && j > begin ? j : begin, inside = from - begin;
        const int64_t rows = least(step, n - j), queries = end - from;
        const size_t scores = (size_t)(inside * job->keys) * h->element;
        keys_back(h, room, fresh, 6, job->width, j, rows, queries, room->d + scores,
                  room->q + (size_t)(inside * job->width) * h->element, job->width);
        keys_back(h, room, fresh, 7, job->wide, j, rows, queries, room->p + scores,
                  query_row(h, 4, job->wide, from), job->heads * job->wide);
    }
    if (fresh)
        no_keys(h, n);
}

void gt_attend_back_tiles(const gt_KernelTable *kernels, const gt_AttentionJob *job,
                          void *const *at, int64_t first, int64_t last, void *scratch)
{
    const int64_t most = job->width > job->wide ? job->width : job->wide;
    Room room = {.q = scratch};
    room.keys = room.q + padded(job, job->block * job->width);
    room.values = room.keys + padded(job, job->width * job->keys);
    room.p = room.values + padded(job, job->wide * job->keys);
    room.d = room.p + padded(job, job->block * job->keys);
    room.aside = room.d + padded(job, job->block * job->keys);
    room.row = room.aside + padded(job, job->keys * most);
    for (int64_t tile = first; tile < last; tile++) {
        Head h = head_of(kernels, job, at, tile * job->share);
        h.products = room.row + padded(job, job->keys);
        turned(&h, 1, job->width, room.keys);
        turned(&h, 2, job->wide, room.values);
        if (job->queries == 0)
            no_keys(&h, 0);
        for (int64_t i = 0; i < job->share; i++, h.head++)
            for (int64_t begin = 0; begin < job->queries; begin += job->block)
                block_back(&h, &room, begin, least(begin + job->block, job->queries),
                           i == 0 && begin == 0);
    }
}
