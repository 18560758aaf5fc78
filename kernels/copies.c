/* Kernels of tiles that move elements: copy, join, cast. No sum, no product; bits are those of the elements. Leans on
 * loops.h. */
#include "loops.h"
#include "moves.h"

/* Which of the loops that move elements has those of so many bytes. */
static int of_size(int bytes)
{
    return bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3;
}

/* Copies elements: no sum, no product. Any order of tiles. */
void GT_KERNEL(tiles_copy)(const void *given, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    const gt_CopyJob *job = given;
    (void)scratch;
    gt_copy_tiles(job, GT_KERNEL(kernels).transpose[of_size(job->element)],
                  GT_KERNEL(kernels).spread[of_size(job->element)], at, first, last);
}

/* Copies elements: no sum, no product. Any order of tiles. */
void GT_KERNEL(tiles_concatenate)(const void *given, void *const *at, int64_t first, int64_t last,
                                  void *scratch)
{
    const gt_ConcatenateJob *job = given;
    (void)scratch;
    gt_concatenate_tiles(job, GT_KERNEL(kernels).transpose[of_size(job->element)], at, first, last);
}

/* ---- join ---- */

static const uint8_t join_bytes[GT_LOOP_TYPES] = {4, 8, 4, 8, 1, 1};

/* n elements that lie together; base: NULL, or the elements that they are added to; `plain`: none of these is -0, so that no sum is. */
static void join_elements(const gt_JoinJob *job, int64_t n, const char *base, const char *x,
                          char *y, bool plain)
{
    static const uint64_t zero = 0;
    const int type = job->type == GT_LOOP_BOOL ? GT_LOOP_U8 : job->type;
    gt_BinaryLoop *add = GT_KERNEL(kernels).binary[GT_LOOP_ADD][type];
    if (base)
        add(n, base, 1, x, 1, y);
    if (!base || (job->parts > 1 && !plain))
        add(n, base ? y : x, 1, &zero, 0, y);
}

/* Elements [from, from + n) of rows [row, end) of part p. Short rows, which lie together in x, are joined many at once and then moved
 * to their places. */
static void put_rows(const gt_JoinJob *job, int32_t p, void *const *at, int64_t row, int64_t end,
                     int64_t from, int64_t n)
{
    enum { AT_ONCE = 4096 };
    const gt_JoinPart *part = &job->part[p];
    const int64_t size = join_bytes[job->type], all = n * size, step = part->stride * size;
    const char *x = at[p + job->based], *base = at[0];
    char *y = at[job->y], block[AT_ONCE], under[AT_ONCE];
    int64_t rows = n == part->length && all <= GT_MOVE_SHORT ? AT_ONCE / (all ? all : 1) : 1;
    for (; row < end; row += rows) {
        const char *source = x + (row * part->length + from) * size;
        const int64_t place = (part->offset + row * part->stride + from) * size;
        const int64_t count = end - row < rows ? end - row : rows;
        if (rows == 1) {
            join_elements(job, n, job->based ? base + place : NULL, source, y + place, false);
            continue;
        }
        if (job->based)
            gt_move_runs(count, all, base + place, step, under, all);
        join_elements(job, count * n, job->based ? under : NULL, source, block, false);
        gt_move_runs(count, all, block, all, y + place, step);
    }
}

/* Tiles of one part after the other. */
static void put_parts(const gt_JoinJob *job, void *const *at, int64_t first, int64_t last)
{
    for (int32_t p = 0; p < job->parts; p++) {
        const gt_JoinPart *part = &job->part[p];
        const int64_t block = gt_join_block(part);
        int64_t tile = first > job->first[p] ? first : job->first[p];
        for (; tile < last && tile < job->first[p + 1]; tile++) {
            const int64_t number = tile - job->first[p];
            if (part->rows == 1) {
                int64_t from = number * GT_TILE_ELEMENTS, rest = part->length - from;
                put_rows(job, p, at, 0, 1, from, rest < GT_TILE_ELEMENTS ? rest : GT_TILE_ELEMENTS);
            } else {
                int64_t end = (number + 1) * block < part->rows ? (number + 1) * block : part->rows;
                put_rows(job, p, at, number * block, end, 0, part->length);
            }
        }
    }
}

/* Only reals have a base. */
static bool has_minus_zero(const gt_JoinJob *job, const void *row)
{
    bool any = false;
    for (int64_t i = 0; i < job->part[0].stride; i++)
        any |= job->type == GT_LOOP_F32
                   ? gt_bits_f32(((const float *)row)[i]) == UINT32_C(1) << 31
                   : gt_bits_f64(((const double *)row)[i]) == UINT64_C(1) << 63;
    return any;
}

/* Rows [row, end) of all parts, a few at a time in the first cache: zeros with the parts among them, then that plus the base, plus 0. */
static void put_together(const gt_JoinJob *job, void *const *at, int64_t row, int64_t end)
{
    const int64_t size = join_bytes[job->type], step = job->part[0].stride * size;
    const int64_t few = step < GT_JOIN_NEAR / 2 ? GT_JOIN_NEAR / 2 / step : 1;
    char aside[GT_JOIN_NEAR], base[GT_JOIN_NEAR];
    const bool plain = job->one_row && !has_minus_zero(job, at[0]);
    if (job->one_row) {
        memcpy(base, at[0], (size_t)step);
        gt_repeat_bytes(base, (size_t)step, end - row < few ? end - row : few);
    }
    for (int64_t count; row < end; row += count) {
        char *y = (char *)at[job->y] + row * step, *into = job->based ? aside : y;
        count = end - row < few ? end - row : few;
        if (job->fills)
            memset(into, 0, (size_t)(count * step));
        for (int32_t p = 0; p < job->parts; p++) {
            const int64_t bytes = job->part[p].length * size;
            gt_move_runs(count, bytes, (const char *)at[p + job->based] + row * bytes, bytes,
                         into + job->part[p].offset * size, step);
        }
        join_elements(job, count * job->part[0].stride,
                      job->one_row ? base
                      : job->based ? (const char *)at[0] + row * step
                                   : NULL,
                      into, y, plain);
    }
}

/* y[place of i] = x[i] + 0, or (base + x[i]) + 0; any order of tiles. */
void GT_KERNEL(tiles_join)(const void *given, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    const gt_JoinJob *job = given;
    (void)scratch;
    if (job->rows > 0)
        put_together(job, at, first * job->block,
                     last * job->block < job->rows ? last * job->block : job->rows);
    else
        put_parts(job, at, first, last);
}

/* ---- cast ---- */

/* To 16 bits from what float64 cannot always hold: the bits that would be lost leave a trace in the last one that is
 * kept, so that the second rounding is right. */
static void keep_trace(int64_t n, const int64_t *x, int64_t *y)
{
    for (int64_t i = 0; i < n; i++) {
        bool large = x[i] >= INT64_C(1) << 53 || x[i] <= -(INT64_C(1) << 53);
        y[i] = large ? (x[i] & ~INT64_C(0x7ff)) | ((x[i] & 0x7ff) != 0) << 11 : x[i];
    }
}

static size_t bytes_of(int type)
{
    return type == GT_LOOP_F64 || type == GT_LOOP_I64   ? 8
           : type == GT_LOOP_F32 || type == GT_LOOP_I32 ? 4
           : type >= GT_LOOP_TYPES                      ? 2
                                                        : 1;
}

/* From or to a type of 16 bits, with a few numbers at a time as float32 or float64 between. */
static void cast_by_way(int from, int to, int64_t n, const char *x, char *y)
{
    enum { FEW = 256 };
    const gt_KernelTable *kernels = &GT_KERNEL(kernels);
    int source = from - GT_LOOP_TYPES, target = to - GT_LOOP_TYPES;
    gt_LoopType between = source >= 0 || from == GT_LOOP_F32 ? GT_LOOP_F32 : GT_LOOP_F64;
    for (int64_t count; n > 0; n -= count) {
        double numbers[FEW];
        int64_t whole[FEW];
        const void *at = x;
        count = n < FEW ? n : FEW;
        if (from == GT_LOOP_I64) {
            keep_trace(count, at, whole);
            at = whole;
        }
        if (source >= 0)
            kernels->widen[source](1, count, x, count, (float *)(void *)numbers, count);
        else
            kernels->cast[from][between](count, at, numbers);
        if (target >= 0)
            kernels->narrow[between][target](count, numbers, y);
        else
            kernels->cast[between][to](count, numbers, y);
        x += (size_t)count * bytes_of(from);
        y += (size_t)count * bytes_of(to);
    }
}

/* y[i] from x[i] alone, rounded once, to nearest with ties to even; to integers as GT_SATURATE says. Any order of
 * tiles. */
void GT_KERNEL(tiles_cast)(const void *given, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    const gt_CastJob *job = given;
    const gt_KernelTable *kernels = &GT_KERNEL(kernels);
    int from = job->from, to = job->to;
    int64_t begin = first * GT_TILE_ELEMENTS, end = last * GT_TILE_ELEMENTS;
    int64_t n = (end < job->size ? end : job->size) - begin;
    const char *x = (const char *)at[0] + (size_t)begin * bytes_of(from);
    char *y = (char *)at[1] + (size_t)begin * bytes_of(to);
    int source = from - GT_LOOP_TYPES, target = to - GT_LOOP_TYPES;
    (void)scratch;
    if (source >= 0 && from == to)
        memcpy(y, x, (size_t)n * sizeof(uint16_t));
    else if (source >= 0 && to == GT_LOOP_F32)
        kernels->widen[source](1, n, x, n, (float *)(void *)y, n);
    else if (target >= 0 && (from == GT_LOOP_F32 || from == GT_LOOP_F64))
        kernels->narrow[from][target](n, x, y);
    else if (source >= 0 || target >= 0)
        cast_by_way(from, to, n, x, y);
    else
        kernels->cast[from][to](n, x, y);
}
