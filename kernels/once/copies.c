/* Kernels of tiles that move elements or write them and nothing else: copy, concatenate, fill, triangle. Compiled once. Leans on
 * loops.h, moves.h. */
#include "kernels/loops.h"
#include "kernels/moves.h"

/* ---- copy ---- */

/* `rows` rows of n elements: the innermost axis and, if there is one, the next. Rows are mostly either long or many: where they
 * are short, the loop inside goes over the rows. */
static void copy_run(const gt_CopyJob *job, gt_TransposeLoop *transpose, gt_SpreadLoop *spread,
                     int64_t rows, int64_t n, const char *x, char *y)
{
    enum { AT_ONCE = 256 }; /* rows that stay in the first cache */
    const int inner = job->rank - 1;
    const int64_t size = job->element, sx = job->stride_x[inner], sy = job->stride_y[inner];
    const int64_t down_x = inner ? job->stride_x[inner - 1] * size : 0,
                  down_y = inner ? job->stride_y[inner - 1] * size : 0;
    if (job->plane) {
        for (; rows > 0; rows--, x += down_x, y += down_y)
            transpose(n, job->plane, x, sx, y, job->plane_y);
    } else if (sx == 1 && sy == 1 && down_x == 0 && down_y == n * size) {
        gt_move_runs(1, n * size, x, 0, y, 0);
        gt_repeat_bytes(y, (size_t)(n * size), rows);
    } else if (sx == 1 && sy == 1) {
        gt_move_runs(rows, n * size, x, down_x, y, down_y);
    } else if (sx == 0 && sy == 1 && down_x == size && down_y == n * size) {
        spread(rows, n, x, y);
    } else if (n < rows) {
        for (int64_t done = 0; done < rows; done += AT_ONCE) {
            const int64_t count = rows - done < AT_ONCE ? rows - done : AT_ONCE;
            const char *from = x + done * down_x;
            char *to = y + done * down_y;
            for (int64_t i = 0; i < n; i++, from += sx * size, to += sy * size)
                gt_move_elements(job->element, count, from, down_x / size, to, down_y / size);
        }
    } else {
        for (; rows > 0; rows--, x += down_x, y += down_y)
            if (sx == 0 && sy == 1)
                spread(1, n, x, y);
            else
                gt_move_elements(job->element, n, x, sx, y, sy);
    }
}

/* Rows [first, last) of the innermost axis, from element `from` of each, n elements. */
static void copy_rows(const gt_CopyJob *job, gt_TransposeLoop *transpose, gt_SpreadLoop *spread,
                      void *const *at, int64_t first, int64_t last, int64_t from, int64_t n)
{
    const int inner = job->rank - 1;
    const int64_t run = inner ? job->dims[inner - 1] : 1;
    int64_t index[GT_JOB_RANK] = {0}, rest = first;
    for (int d = inner - 1; d >= 0; d--) {
        index[d] = rest % job->dims[d];
        rest /= job->dims[d];
    }
    while (first < last) {
        int64_t here = job->from + from * job->stride_x[inner],
                there = job->to + from * job->stride_y[inner];
        for (int d = 0; d < inner; d++) {
            here += index[d] * job->stride_x[d];
            there += index[d] * job->stride_y[d];
        }
        int64_t rows = inner ? run - index[inner - 1] : 1;
        rows = rows < last - first ? rows : last - first;
        copy_run(job, transpose, spread, rows, n, (const char *)at[job->x] + here * job->element,
                 (char *)at[job->y] + there * job->element);
        first += rows;
        if (inner)
            index[inner - 1] = 0;
        for (int d = inner - 2; d >= 0; d--) {
            if (++index[d] < job->dims[d])
                break;
            index[d] = 0;
        }
    }
}

void gt_copy_tiles(const gt_CopyJob *job, gt_TransposeLoop *transpose, gt_SpreadLoop *spread,
                   void *const *at, int64_t first, int64_t last)
{
    const int64_t width = job->dims[job->rank - 1];
    if (job->chunks == 1) {
        int64_t end = last * job->rows < job->outer ? last * job->rows : job->outer;
        copy_rows(job, transpose, spread, at, first * job->rows, end, 0, width);
        return;
    }
    for (int64_t tile = first; tile < last; tile++) {
        int64_t row = tile / job->chunks, from = tile % job->chunks * job->chunk;
        int64_t n = width - from < job->chunk ? width - from : job->chunk;
        copy_rows(job, transpose, spread, at, row, row + 1, from, n);
    }
}

/* ---- concatenate ---- */

/* Rows [first, last), one element of each input: some of every input aside, which is the transposition of the rows. */
static void braid_rows(const gt_ConcatenateJob *job, gt_TransposeLoop *transpose, void *const *at,
                       int64_t first, int64_t last)
{
    enum { ASIDE = 16384 };
    const int64_t element = job->element, most = ASIDE / element / job->inputs;
    char aside[ASIDE];
    for (int64_t rows; first < last; first += rows) {
        rows = most < last - first ? most : last - first;
        for (int32_t i = 0; i < job->inputs; i++)
            memcpy(aside + i * rows * element, (const char *)at[i] + first * element,
                   (size_t)(rows * element));
        transpose(job->inputs, rows, aside, rows,
                  (char *)at[job->inputs] + first * job->inputs * element, job->inputs);
    }
}

/* Columns [from, from + n) of rows [first, last), input by input; rows of two lines of the cache or more about NEAR bytes of y at a
 * time, so that the lines of one input still are where those of the next go. Shorter ones gain more from going on in one stream. */
static void join_rows(const gt_ConcatenateJob *job, void *const *at, int64_t first, int64_t last,
                      int64_t from, int64_t n)
{
    enum { NEAR = 65536, LINES = 128 };
    const int64_t element = job->element, bytes = job->width * element;
    const int64_t few = bytes < LINES ? last - first : NEAR / bytes + 1;
    for (int64_t rows; first < last; first += rows) {
        rows = few < last - first ? few : last - first;
        for (int32_t i = 0; i < job->inputs; i++) {
            int64_t begin = i ? job->end[i - 1] : 0, end = job->end[i], part = end - begin;
            int64_t a = begin > from ? begin : from, b = end < from + n ? end : from + n;
            if (a < b)
                gt_move_runs(rows, (b - a) * element,
                             (const char *)at[i] + (first * part + a - begin) * element,
                             part * element,
                             (char *)at[job->inputs] + (first * job->width + a) * element,
                             job->width * element);
        }
    }
}

void gt_concatenate_tiles(const gt_ConcatenateJob *job, gt_TransposeLoop *transpose,
                          void *const *at, int64_t first, int64_t last)
{
    if (job->chunks == 1) {
        int64_t end = last * job->rows < job->outer ? last * job->rows : job->outer;
        bool single = job->width == job->inputs && job->inputs > 1;
        for (int32_t i = 0; i < job->inputs && single; i++)
            single = job->end[i] == i + 1;
        if (single)
            braid_rows(job, transpose, at, first * job->rows, end);
        else
            join_rows(job, at, first * job->rows, end, 0, job->width);
        return;
    }
    for (int64_t tile = first; tile < last; tile++) {
        int64_t row = tile / job->chunks, from = tile % job->chunks * job->chunk;
        int64_t n = job->width - from < job->chunk ? job->width - from : job->chunk;
        join_rows(job, at, row, row + 1, from, n);
    }
}

/* ---- fill ---- */

/* Writes one element everywhere. Any order of tiles. */
void GT_KERNEL(tiles_fill)(const void *given, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    const gt_FillJob *job = given;
    int64_t begin = first * GT_TILE_ELEMENTS, end = last * GT_TILE_ELEMENTS;
    int64_t n = (end < job->size ? end : job->size) - begin;
    char *y = (char *)at[job->y] + (size_t)begin * job->element;
    (void)scratch;
    if (job->pattern == 0) {
        memset(y, 0, (size_t)n * job->element);
    } else if (job->element == 1) {
        memset(y, *(const unsigned char *)&job->pattern, (size_t)n);
    } else if (job->element == 2) {
        uint16_t two, *to = (uint16_t *)(void *)y;
        memcpy(&two, &job->pattern, sizeof two);
        for (int64_t i = 0; i < n; i++)
            to[i] = two;
    } else if (job->element == 4) {
        uint32_t four, *to = (uint32_t *)(void *)y;
        memcpy(&four, &job->pattern, sizeof four);
        for (int64_t i = 0; i < n; i++)
            to[i] = four;
    } else {
        uint64_t *to = (uint64_t *)(void *)y;
        for (int64_t i = 0; i < n; i++)
            to[i] = job->pattern;
    }
}

/* Copies elements or writes 0: no sum, no product. Any order of tiles. */
void GT_KERNEL(tiles_triangle)(const void *given, void *const *at, int64_t first, int64_t last,
                               void *scratch)
{
    const gt_TriangleJob *job = given;
    int64_t all = job->matrices * job->rows, columns = job->columns;
    int64_t end = last * job->group < all ? last * job->group : all;
    size_t element = job->element;
    (void)scratch;
    for (int64_t row = first * job->group; row < end; row++) {
        int64_t cut =
            row % job->rows + job->k + job->lower; /* the first column of the upper part */
        cut = cut < 0 ? 0 : cut > columns ? columns : cut;
        const char *x = (const char *)at[0] + (size_t)(row * columns) * element;
        char *y = (char *)at[1] + (size_t)(row * columns) * element;
        size_t left = (size_t)cut * element, right = (size_t)(columns - cut) * element;
        if (job->lower) {
            memcpy(y, x, left);
            memset(y + left, 0, right);
        } else {
            memset(y, 0, left);
            memcpy(y + left, x + left, right);
        }
    }
}
