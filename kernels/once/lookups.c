/* Lookups that vectors gain nothing for: memory is what they wait for. Compiled once. Leans on loops.h. */
#include "kernels/loops.h"
#include "kernels/lookup_index.h"
#include "kernels/scaled.h"

/* ---- take ---- */

/* Most lookups of single elements would spend their time in the call. */
static void copy_bytes(int64_t n, const void *from, void *to)
{
    if (n == 4)
        memcpy(to, from, 4);
    else if (n == 8)
        memcpy(to, from, 8);
    else if (n == 2)
        memcpy(to, from, 2);
    else
        memcpy(to, from, (size_t)n);
}

/* Where indices [from, from + count) point. No processor guesses where the next row is, so rows of about a line of the cache are
 * fetched here, many at once. */
static void find_places(const gt_TakeJob *job, const void *indices, int64_t from, int64_t count,
                        const char *x, int64_t *place)
{
    const int64_t n = job->inner, all = job->count;
    if (job->type == GT_LOOP_I32) {
        const int32_t *index = (const int32_t *)indices + from;
        for (int64_t i = 0; i < count; i++)
            place[i] = index[i] + (index[i] < 0 ? all : 0);
    } else {
        for (int64_t i = 0; i < count; i++)
            place[i] = gt_index_at(indices, job->type, from + i, all);
    }
    for (int64_t i = 0; i < count && n >= 32 && n <= 256; i++)
        GT_FETCH(x + place[i] * n);
}

/* Rows of one element, as most are that are looked up one by one, straight from the indices. */
#define GT_TAKE_ELEMENTS(size)                                                                     \
    for (int64_t i = 0; i < count; i++)                                                            \
    memcpy(y + i * size, x + (index[i] + (index[i] < 0 ? all : 0)) * size, size)
static void take_elements(const gt_TakeJob *job, const int32_t *index, int64_t count, const char *x,
                          char *y)
{
    const int64_t all = job->count;
    if (job->inner == 4)
        GT_TAKE_ELEMENTS(4);
    else
        GT_TAKE_ELEMENTS(8);
}

/* Short rows are moved as two pieces of one size, the second of which ends where the row does. */
#define GT_TAKE_ROWS(size)                                                                         \
    for (int64_t i = 0; i < count; i++, y += n) {                                                  \
        char piece[2][size];                                                                       \
        const char *row = x + place[i] * n;                                                        \
        memcpy(piece[0], row, size);                                                               \
        memcpy(piece[1], row + n - size, size);                                                    \
        memcpy(y, piece[0], size);                                                                 \
        memcpy(y + n - size, piece[1], size);                                                      \
    }
static void take_rows(int64_t count, int64_t n, const char *x, const int64_t *place, char *y)
{
    if (n >= 32 && n <= 64) {
        GT_TAKE_ROWS(32)
    } else if (n >= 16 && n < 32) {
        GT_TAKE_ROWS(16)
    } else if (n > 8 && n < 16) {
        GT_TAKE_ROWS(8)
    } else if (n > 4 && n < 8) {
        GT_TAKE_ROWS(4)
    } else {
        for (int64_t i = 0; i < count; i++)
            copy_bytes(n, x + place[i] * n, y + i * n);
    }
}

/* Copies elements. Any order of tiles. */
void GT_KERNEL(tiles_take)(const void *given, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    enum { AT_ONCE = 64 };
    const gt_TakeJob *job = given;
    const bool single = job->type == GT_LOOP_I32 && (job->inner == 4 || job->inner == 8);
    char *y = at[job->y];
    int64_t unit = first * job->group, place[AT_ONCE];
    int64_t end = last * job->group < job->units ? last * job->group : job->units;
    (void)scratch;
    while (unit < end) { /* the tile's rows of one outer position */
        const int64_t outer = unit / job->n, from = unit % job->n;
        int64_t count = single || end - unit < AT_ONCE ? end - unit : AT_ONCE;
        count = count < job->n - from ? count : job->n - from;
        const char *x = (const char *)at[job->x] + outer * job->count * job->inner;
        if (single) {
            take_elements(job, (const int32_t *)at[job->indices] + from, count, x,
                          y + unit * job->inner);
        } else {
            find_places(job, at[job->indices], from, count, x, place);
            take_rows(count, job->inner, x, place, y + unit * job->inner);
        }
        unit += count;
    }
}

/* Copies elements. Any order of tiles. */
void GT_KERNEL(tiles_take_along)(const void *given, void *const *at, int64_t first, int64_t last,
                                 void *scratch)
{
    const gt_AlongJob *job = given;
    const gt_Strips *cut = &job->cut;
    int64_t end = last * cut->group < cut->units ? last * cut->group : cut->units;
    int64_t element = job->element;
    (void)scratch;
    for (int64_t unit = first * cut->group; unit < end; unit++) {
        int64_t outer = unit / cut->strips, column = unit % cut->strips * cut->width;
        int64_t stop = column + cut->width < cut->inner ? column + cut->width : cut->inner;
        for (int64_t i = 0; i < cut->n; i++)
            for (int64_t j = column; j < stop; j++) {
                int64_t to = (outer * cut->n + i) * cut->inner + j;
                int64_t index = gt_index_at(at[1], job->type, to, cut->count);
                int64_t from = (outer * cut->count + index) * cut->inner + j;
                copy_bytes(element, (const char *)at[0] + from * element,
                           (char *)at[2] + to * element);
            }
    }
}

/* ---- crowds, for scatter_add ---- */

/* Counts in integers, the indices in their order. */
void GT_KERNEL(tiles_crowds)(const void *given, void *const *at, int64_t first, int64_t last,
                             void *scratch)
{
    const gt_ScatterJob *job = given;
    int64_t count = job->cut.count, *crowded = at[job->crowd];
    int32_t *crowd = (int32_t *)(crowded + 1);
    uint8_t *seen = (uint8_t *)(crowd + count);
    (void)first, (void)last, (void)scratch;
    memset(seen, 0, (size_t)count);
    *crowded = 0;
    for (int64_t i = 0; i < job->cut.n; i++) {
        uint8_t *of = &seen[gt_index_at(at[0], job->type, i, count)];
        *of = (uint8_t)(*of + (*of <= GT_MANY));
    }
    for (int64_t i = 0; i < count; i++)
        crowd[i] = seen[i] > GT_MANY ? (int32_t)(*crowded)++ : -1;
}

/* ---- put, places_of, one_hot ---- */

/* Copies elements, in the order of the indices: the last one stays. */
void GT_KERNEL(tiles_put)(const void *given, void *const *at, int64_t first, int64_t last,
                          void *scratch)
{
    const gt_PutJob *job = given;
    int64_t begin = first * GT_PUT_BYTES, end = last * GT_PUT_BYTES;
    int64_t bytes = (end < job->inner ? end : job->inner) - begin;
    (void)scratch;
    for (int64_t i = 0; i < job->n; i++) {
        int64_t index = gt_index_at(at[job->indices], job->type, i, job->count);
        memcpy((char *)at[job->y] + index * job->inner + begin,
               (const char *)at[job->x] + i * job->inner + begin, (size_t)bytes);
    }
}

/* Integers: the indices in their order. */
void GT_KERNEL(tiles_places_of)(const void *given, void *const *at, int64_t first, int64_t last,
                                void *scratch)
{
    const gt_PlacesOfJob *job = given;
    int64_t *y = at[job->y];
    int64_t end = last * GT_TILE_ELEMENTS < job->n ? last * GT_TILE_ELEMENTS : job->n;
    (void)scratch;
    for (int64_t i = first * GT_TILE_ELEMENTS; i < end; i++) {
        y[i] = 0;
        for (int32_t d = 0; d < job->k; d++)
            y[i] = y[i] * job->dims[d] +
                   gt_index_at(at[job->input], job->type, i * job->k + d, job->dims[d]);
    }
}

/* Writes 0 and 1. Any order of tiles. */
void GT_KERNEL(tiles_one_hot)(const void *given, void *const *at, int64_t first, int64_t last,
                              void *scratch)
{
    const gt_OneHotJob *job = given;
    char *y = at[1];
    int64_t end = last * GT_TILE_ELEMENTS < job->n ? last * GT_TILE_ELEMENTS : job->n;
    (void)scratch;
    for (int64_t i = first * GT_TILE_ELEMENTS; i < end; i++) {
        int64_t index = gt_integer(at[0], job->type, i);
        int64_t outer = i / job->inner, column = i % job->inner;
        if (index >= 0 && index < job->count)
            memcpy(y + ((outer * job->count + index) * job->inner + column) * job->element,
                   &job->pattern, job->element);
    }
}

/* ---- distinct ---- */

/* Integers and copies, in the order of first appearance. */
void GT_KERNEL(tiles_distinct)(const void *given, void *const *at, int64_t first, int64_t last,
                               void *scratch)
{
    const gt_DistinctJob *job = given;
    int64_t *rows = at[1], *which = at[2], *table = at[3], found = 0;
    (void)first, (void)last, (void)scratch;
    for (int64_t i = 0; i < job->places; i++)
        table[i] = -1;
    for (int64_t i = 0; i < job->n; i++) {
        int64_t index = gt_index_at(at[0], job->type, i, job->count);
        uint64_t hash = (uint64_t)index * 0x9E3779B97F4A7C15u;
        int64_t place = (int64_t)(hash >> 32) & (job->places - 1);
        while (table[place] >= 0 && rows[table[place]] != index)
            place = (place + 1) & (job->places - 1);
        if (table[place] < 0) {
            table[place] = found;
            rows[found++] = index;
        }
        which[i] = table[place];
    }
    while (found < job->n)
        rows[found++] = job->count;
}

/* ---- nonzero ---- */

static bool is_nonzero(int type, const void *x, int64_t i)
{
    switch (type) {
    case GT_LOOP_F32:
        return ((const float *)x)[i] != 0;
    case GT_LOOP_F64:
        return ((const double *)x)[i] != 0;
    case GT_LOOP_I32:
        return ((const int32_t *)x)[i] != 0;
    case GT_LOOP_I64:
        return ((const int64_t *)x)[i] != 0;
    case GT_LOOP_TYPES: /* 16 bits: zero has two signs */
        return (((const uint16_t *)x)[i] & 0x7fff) != 0;
    default:
        return ((const uint8_t *)x)[i] != 0;
    }
}

/* From the first to the last: which place is number p follows from all before it. */
void GT_KERNEL(tiles_nonzero)(const void *given, void *const *at, int64_t first, int64_t last,
                              void *scratch)
{
    const gt_NonzeroJob *job = given;
    int64_t *y = at[1], found = 0;
    (void)first, (void)last, (void)scratch;
    for (int64_t i = 0; i < job->size && found < job->length; i++) {
        if (!is_nonzero(job->type, at[0], i))
            continue;
        int64_t rest = i;
        for (int d = job->rank - 1; d >= 0; d--) {
            y[d * job->length + found] = rest % job->dims[d];
            rest /= job->dims[d];
        }
        found++;
    }
    for (; found < job->length; found++)
        for (int d = 0; d < job->rank; d++)
            y[d * job->length + found] = job->fill;
}

/* ---- fold ---- */

static int64_t modulo(int64_t i, int64_t n)
{
    int64_t rest = n ? i % n : 0;
    return rest < 0 ? rest + n : rest;
}

/* Integers. */
void GT_KERNEL(tiles_fold)(const void *given, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    const gt_FoldJob *job = given;
    int64_t *y = at[job->y], n = job->n;
    (void)first, (void)last, (void)scratch;
    for (int64_t k = 0; k < job->size; k++) {
        int64_t i = k - job->before;
        switch ((gt_FoldMode)job->mode) {
        case GT_FOLD_EDGE:
            i = i < 0 ? 0 : i < n ? i : n - 1;
            break;
        case GT_FOLD_WRAP:
            i = modulo(i, n);
            break;
        case GT_FOLD_REFLECT:
            i = modulo(i, 2 * (n - 1));
            i = i < n ? i : 2 * (n - 1) - i;
            break;
        case GT_FOLD_SYMMETRIC:
            i = modulo(i, 2 * n);
            i = i < n ? i : 2 * n - 1 - i;
            break;
        }
        y[k] = i;
    }
}

/* ---- segment_prod ---- */

/* Integers wrap. */
static void multiply_rows(const gt_SegmentJob *job, void *const *at, int64_t first, int64_t last)
{
    int64_t element = job->loop == GT_LOOP_I64 ? 8 : job->loop == GT_LOOP_U8 ? 1 : 4;
    int64_t begin = first * GT_SEGMENT_STRIP, end = last * GT_SEGMENT_STRIP;
    int64_t width = (end < job->columns ? end : job->columns) - begin;
    for (int64_t i = 0; i < job->n; i++) {
        int64_t id = gt_index_at(at[1], job->type, i, job->segments);
        char *y = (char *)at[job->y] + (id * job->columns + begin) * element;
        const char *x = (const char *)at[0] + (i * job->columns + begin) * element;
        GT_KERNEL(kernels).binary[GT_LOOP_MULTIPLY][job->loop](width, y, 1, x, 1, y);
    }
}

static void multiply_strip(const gt_SegmentJob *job, void *const *at, int64_t begin,
                           gt_Scaled *product)
{
    bool wide = job->loop == GT_LOOP_F64;
    const float *x32 = at[0];
    const double *x64 = at[0];
    float *y32 = at[job->y];
    double *y64 = at[job->y];
    int64_t width =
        job->columns - begin < GT_SEGMENT_STRIP ? job->columns - begin : GT_SEGMENT_STRIP;
    for (int64_t i = 0; i < job->segments * width; i++)
        product[i] = (gt_Scaled){1, 0};
    for (int64_t i = 0; i < job->n; i++) {
        gt_Scaled *of = product + gt_index_at(at[1], job->type, i, job->segments) * width;
        int64_t from = i * job->columns + begin;
        for (int64_t j = 0; j < width; j++)
            of[j] = gt_times(of[j], wide ? x64[from + j] : (double)x32[from + j]);
    }
    for (int64_t i = 0; i < job->segments * width; i++) {
        int64_t to = i / width * job->columns + begin + i % width;
        if (wide)
            y64[to] = gt_plain(product[i]);
        else
            y32[to] = (float)gt_plain(product[i]);
    }
}

/* Each segment is multiplied by its elements in the order of the rows, as numbers with an exponent beside them
 * (scaled.h), rounded once. Any order of tiles. */
void GT_KERNEL(tiles_segment_prod)(const void *given, void *const *at, int64_t first, int64_t last,
                                   void *scratch)
{
    const gt_SegmentJob *job = given;
    if (job->loop != GT_LOOP_F32 && job->loop != GT_LOOP_F64) {
        multiply_rows(job, at, first, last);
        return;
    }
    for (int64_t strip = first; strip < last; strip++)
        multiply_strip(job, at, strip * GT_SEGMENT_STRIP, scratch);
}
