/* Walking over an output row by row: see kernels/broadcast.h. */
#include "kernels/broadcast.h"

#include <string.h>

#include "kernels/moves.h"

/* Rows [first, last) of the innermost axis, from element `from` of each, n elements. */
static void walk_rows(const gt_Broadcast *walk, gt_BroadcastRow *row, const void *job,
                      void *const *at, int64_t first, int64_t last, int64_t from, int64_t n)
{
    int inner = walk->rank - 1;
    int64_t index[GT_JOB_RANK] = {0}, offset[3], rest = first;
    for (int d = inner - 1; d >= 0; d--) {
        index[d] = rest % walk->dims[d];
        rest /= walk->dims[d];
    }
    for (int i = 0; i < walk->inputs; i++) {
        offset[i] = from * walk->stride[i][inner];
        for (int d = 0; d < inner; d++)
            offset[i] += index[d] * walk->stride[i][d];
    }
    for (int64_t number = first; number < last; number++) {
        row(job, at, n, offset, number * walk->inner + from);
        for (int d = inner - 1; d >= 0; d--) {
            bool turns = ++index[d] == walk->dims[d];
            for (int i = 0; i < walk->inputs; i++)
                offset[i] += walk->stride[i][d] - (turns ? walk->dims[d] * walk->stride[i][d] : 0);
            if (!turns)
                break;
            index[d] = 0;
        }
    }
}

void gt_broadcast_tiles(const gt_Broadcast *walk, gt_BroadcastRow *row, const void *job,
                        void *const *at, int64_t first, int64_t last)
{
    if (walk->chunks == 1) {
        int64_t end = last * walk->rows < walk->outer ? last * walk->rows : walk->outer;
        walk_rows(walk, row, job, at, first * walk->rows, end, 0, walk->inner);
        return;
    }
    for (int64_t tile = first; tile < last; tile++) {
        int64_t number = tile / walk->chunks, from = tile % walk->chunks * walk->chunk;
        int64_t n = walk->inner - from < walk->chunk ? walk->inner - from : walk->chunk;
        walk_rows(walk, row, job, at, number, number + 1, from, n);
    }
}

/* ---- blocks ---- */

enum {
    NARROW = 32, /* elements of a short row */
    BLOCK = 4096 /* bytes of an operand that are written out at once */
};

typedef struct Blocks {
    const gt_Broadcast *walk;
    const gt_BroadcastBytes *bytes;
    gt_BroadcastBlock *block;
    const void *job;
    void *const *at;
} Blocks;

static void row_as_block(const void *given, void *const *at, int64_t n, const int64_t *offset,
                         int64_t output)
{
    const Blocks *b = given;
    const void *x[3];
    int64_t step[3];
    for (int i = 0; i < b->walk->inputs; i++) {
        x[i] = (const char *)at[i] + offset[i] * b->bytes->x[i];
        step[i] = b->walk->stride[i][b->walk->rank - 1];
    }
    b->block(b->job, n, x, step, (char *)at[b->walk->inputs] + output * b->bytes->y);
}

/* How rows of an operand follow each other: axes but the innermost that it steps through as one are joined. */
typedef struct Follow {
    int32_t rank;
    int64_t inner, dims[GT_JOB_RANK], stride[GT_JOB_RANK];
} Follow;

static void follow_plan(Follow *f, const gt_Broadcast *walk, int i)
{
    const int last = walk->rank - 1;
    f->rank = 0;
    f->inner = walk->stride[i][last];
    for (int d = 0; d < last; d++) {
        const int64_t dim = walk->dims[d], stride = walk->stride[i][d];
        if (f->rank && f->stride[f->rank - 1] == stride * dim) {
            f->dims[f->rank - 1] *= dim;
            f->stride[f->rank - 1] = stride;
        } else {
            f->dims[f->rank] = dim;
            f->stride[f->rank++] = stride;
        }
    }
}

/* Every row is where the one in front ends. */
static bool is_whole(const Follow *f, int64_t width)
{
    return f->inner == 1 && f->rank == 1 && f->stride[0] == width;
}

static bool is_one(const Follow *f)
{
    return f->inner == 0 && f->rank == 1 && f->stride[0] == 0;
}

/* Rows [first, first + rows) of an operand, one behind the other. Operands lie together, so what steps at all steps by an element or
 * by a row. */
static void write_out(const Follow *f, const gt_BroadcastBytes *bytes, int64_t width, int64_t size,
                      int64_t first, int64_t rows, const char *x, char *to)
{
    const int last = f->rank - 1;
    while (rows > 0) {
        const int64_t run = f->dims[last], inside = first % run;
        const int64_t count = run - inside < rows ? run - inside : rows;
        int64_t rest = first / run, offset = inside * f->stride[last];
        for (int d = last - 1; d >= 0; d--) {
            offset += rest % f->dims[d] * f->stride[d];
            rest /= f->dims[d];
        }
        const char *from = x + offset * size;
        if (f->inner == 0 && f->stride[last] == 0) {
            gt_spread(bytes->spread, size, 1, count * width, from, to);
        } else if (f->inner == 0) {
            gt_spread(bytes->spread, size, count, width, from, to);
        } else if (f->stride[last] == 0) {
            memcpy(to, from, (size_t)(width * size));
            gt_repeat_bytes(to, (size_t)(width * size), count);
        } else {
            memcpy(to, from, (size_t)(count * width * size));
        }
        first += count;
        rows -= count;
        to += count * width * size;
    }
}

/* Rows [first, last), which are short. */
static void walk_blocks(const Blocks *b, int64_t first, int64_t last)
{
    const int inputs = b->walk->inputs;
    const int64_t width = b->walk->inner;
    uint64_t written[3][BLOCK / 8];
    int64_t widest = 1;
    Follow follow[3];
    const void *x[3];
    int64_t step[3];
    for (int i = 0; i < inputs; i++) {
        follow_plan(&follow[i], b->walk, i);
        step[i] = !is_one(&follow[i]);
        x[i] = step[i] ? (const void *)written[i] : b->at[i];
        widest = b->bytes->x[i] > widest ? b->bytes->x[i] : widest;
    }
    const int64_t rows = BLOCK / widest / width;
    for (int64_t row = first; row < last; row += rows) {
        const int64_t count = last - row < rows ? last - row : rows;
        for (int i = 0; i < inputs; i++) {
            const Follow *f = &follow[i];
            const bool repeats = f->inner == 1 && f->rank == 1 && f->stride[0] == 0;
            const int64_t size = b->bytes->x[i];
            if (is_whole(f, width))
                x[i] = (const char *)b->at[i] + row * width * size;
            else if (step[i] && !(repeats && row > first))
                write_out(f, b->bytes, width, size, row, count, b->at[i], (char *)written[i]);
        }
        b->block(b->job, count * width, x, step, (char *)b->at[inputs] + row * width * b->bytes->y);
    }
}

/* Rows [first, last) of two axes: from row to row the operands step by the same bytes. */
static void walk_two_axes(const Blocks *b, int64_t first, int64_t last)
{
    const gt_Broadcast *walk = b->walk;
    const int inputs = walk->inputs;
    const int64_t row = walk->inner * b->bytes->y;
    const void *x[3];
    int64_t along[3], down[3];
    for (int i = 0; i < inputs; i++) {
        along[i] = walk->stride[i][1];
        down[i] = walk->stride[i][0] * b->bytes->x[i];
        x[i] = (const char *)b->at[i] + first * down[i];
    }
    char *y = (char *)b->at[inputs] + first * row;
    for (; first < last; first++, y += row) {
        b->block(b->job, walk->inner, x, along, y);
        for (int i = 0; i < inputs; i++)
            x[i] = (const char *)x[i] + down[i];
    }
}

void gt_broadcast_blocks(const gt_Broadcast *walk, const gt_BroadcastBytes *bytes,
                         gt_BroadcastBlock *block, const void *job, void *const *at, int64_t first,
                         int64_t last)
{
    const Blocks b = {walk, bytes, block, job, at};
    const int64_t end = last * walk->rows < walk->outer ? last * walk->rows : walk->outer;
    if (walk->chunks == 1 && walk->rank > 1 && walk->inner <= NARROW &&
        walk->outer * walk->inner >= 2 * NARROW)
        walk_blocks(&b, first * walk->rows, end);
    else if (walk->chunks == 1 && walk->rank == 2)
        walk_two_axes(&b, first * walk->rows, end);
    else
        gt_broadcast_tiles(walk, row_as_block, &b, at, first, last);
}
