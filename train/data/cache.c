/* The rows of a dataset in memory, and rows from a function. */
#include "train/data/combine.h"
#include "train/data/inside.h"

#include <string.h>

GT_OPTION_TYPE(gt_dataset_from_function_options, gt_dataset_from_function_OPTIONS);

/* ---- cache ---- */

/* Rows as they came, each a batch of values that are held. */
typedef struct Piece {
    gt_Value *values[SIDES][GT_MAX_COLUMNS];
    int64_t first, count; /* rows */
} Piece;

typedef struct Cache {
    gt_Over over;
    Piece *pieces;
    int32_t count, capacity, x_count, y_count, text_count;
    int64_t rows;
    gt_Presentation how; /* rows that are joined are of one shape */
} Cache;

static int32_t side_count(const Cache *cache, int side)
{
    gt_Batch counts = {
        .x_count = cache->x_count, .y_count = cache->y_count, .text_count = cache->text_count};
    return gt_batch_count(&counts, side);
}

static int64_t cache_count(void *self)
{
    return ((const Cache *)self)->rows;
}

/* The piece that has a row. */
static const Piece *find_piece(const Cache *cache, int64_t row)
{
    int32_t low = 0, high = cache->count - 1;
    while (low < high) {
        int32_t middle = low + (high - low + 1) / 2;
        if (cache->pieces[middle].first <= row)
            low = middle;
        else
            high = middle - 1;
    }
    return &cache->pieces[low];
}

/* One row as a batch. */
static gt_Status one_row(const Cache *cache, int64_t row, gt_Batch *batch)
{
    gt_Context *context = cache->over.context;
    const Piece *piece = find_piece(cache, row);
    memset(batch, 0, sizeof *batch);
    batch->x_count = cache->x_count;
    batch->y_count = cache->y_count;
    batch->text_count = cache->text_count;
    batch->size = 1;
    for (int32_t i = 0; i < side_count(cache, TEXT) && gt_context_status(context) == GT_OK; i += 2)
        gt_batch_view_text(context, piece->values[TEXT][i], piece->values[TEXT][i + 1],
                           row - piece->first, 1, batch, i);
    for (int side = 0; side < TEXT; side++)
        for (int32_t i = 0; i < side_count(cache, side) && gt_context_status(context) == GT_OK; i++)
            if (piece->values[side][i])
                gt_batch_side(batch, side)[i] =
                    gt_rows_view(context, piece->values[side][i], row - piece->first, 1);
    batch->x = batch->xs[0];
    batch->y = batch->ys[0];
    return gt_context_status(context);
}

static gt_Status cache_fetch(void *self, const int64_t *rows, int64_t count, gt_Batch *batch)
{
    const Cache *cache = self;
    gt_Context *context = cache->over.context;
    if (count == 1)
        return one_row(cache, rows[0], batch);
    size_t bytes = (size_t)count * sizeof(gt_Batch);
    gt_Batch *list = gt_allocate(context, bytes);
    for (int64_t i = 0; list && i < count && gt_context_status(context) == GT_OK; i++)
        one_row(cache, rows[i], &list[i]);
    if (list && gt_context_status(context) == GT_OK)
        gt_batch_join(context, list, count, &cache->how, batch);
    gt_release(context, list, bytes);
    return gt_context_status(context);
}

static void cache_destroy(void *self)
{
    Cache *cache = self;
    for (int32_t p = 0; p < cache->count; p++)
        for (int side = 0; side < SIDES; side++)
            for (int32_t i = 0; i < side_count(cache, side); i++)
                if (cache->pieces[p].values[side][i])
                    gt_value_release(cache->pieces[p].values[side][i], true);
    gt_release(cache->over.context, cache->pieces, (size_t)cache->capacity * sizeof *cache->pieces);
    gt_over_destroy(self);
}

static const gt_DatasetClass cache_class = {.size = sizeof cache_class,
                                            .name = "dataset_cache",
                                            .count = cache_count,
                                            .fetch = cache_fetch,
                                            .destroy = cache_destroy};

static bool add_piece(Cache *cache, gt_Batch *batch)
{
    gt_Context *context = cache->over.context;
    if (!gt_reserve(context, (void **)&cache->pieces, cache->count, &cache->capacity,
                    sizeof *cache->pieces))
        return false;
    if (cache->count > 0 &&
        (batch->x_count != cache->x_count || batch->y_count != cache->y_count ||
         batch->text_count != cache->text_count)) {
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "rows must have as many columns as those before them");
        return false;
    }
    cache->x_count = batch->x_count;
    cache->y_count = batch->y_count;
    cache->text_count = batch->text_count;
    Piece *piece = &cache->pieces[cache->count++];
    *piece = (Piece){.first = cache->rows, .count = batch->size};
    cache->rows += batch->size;
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0; i < side_count(cache, side); i++) {
            gt_Tensor *tensor = gt_batch_side(batch, side)[i];
            if (tensor)
                piece->values[side][i] = gt_value_hold(context, NULL, NULL, "a row", tensor);
        }
    return gt_context_status(context) == GT_OK;
}

static gt_Status keep_rows(Cache *cache)
{
    enum { AT_ONCE = 256 };
    gt_Context *context = cache->over.context;
    if (cache->over.of->endless)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "the dataset has no end: it repeats for ever");
    gt_Pass *pass = gt_pass_open(cache->over.of, 0, true);
    uint64_t recording = gt_tape_quiet(context);
    for (bool more = pass != NULL; more && gt_context_status(context) == GT_OK;) {
        gt_Batch batch;
        gt_Scope *outer = gt_scope_innermost(context);
        if (!gt_scope_open(context))
            break;
        more = gt_pass_piece(pass, AT_ONCE, &batch) && add_piece(cache, &batch);
        gt_scope_unwind(context, outer);
        if (gt_interrupted(context))
            gt_raise(context, GT_INTERRUPTED, NULL, NULL, "interrupted");
    }
    gt_tape_unquiet(context, recording);
    gt_pass_close(pass);
    if (gt_context_status(context) == GT_OK && cache->rows == 0)
        gt_raise(context, GT_INVALID, NULL, NULL, "there is no row to keep");
    return gt_context_status(context);
}

/* Have rows that were kept one shape? */
static bool even(const Cache *cache)
{
    for (int32_t p = 1; p < cache->count; p++)
        for (int side = 0; side < TEXT; side++)
            for (int32_t i = 0; i < side_count(cache, side); i++) {
                const gt_Value *a = cache->pieces[0].values[side][i],
                               *b = cache->pieces[p].values[side][i];
                if (!a || !b)
                    continue;
                const gt_Spec *s = gt_value_spec(a), *t = gt_value_spec(b);
                if (s->rank != t->rank ||
                    memcmp(s->dims + 1, t->dims + 1, (size_t)(s->rank - 1) * sizeof *s->dims) != 0)
                    return false;
            }
    return true;
}

gt_Dataset *gt_dataset_cache_at(const char *here, gt_Dataset *dataset)
{
    Cache *self = gt_over_begin(here, "dataset_cache", dataset, sizeof *self);
    if (!self)
        return NULL;
    gt_Site site = gt_site_enter(here, "dataset_cache");
    gt_Dataset *made = NULL;
    if (keep_rows(self) == GT_OK) {
        bool ragged = !even(self);
        made = gt_over_make(&cache_class, self, true);
        if (made) {
            made->ragged = ragged;
            made->endless = false;
            gt_object_release(gt_dataset_object(self->over.of)); /* its rows are here now */
            self->over.of = NULL;
        }
    } else {
        cache_destroy(self);
    }
    gt_site_leave(&site);
    return made;
}

/* ---- from a function ---- */

typedef struct Source {
    gt_Context *context;
    gt_RowFunction function;
    void *user;
    int64_t rows;
} Source;

static int64_t source_count(void *self)
{
    return ((const Source *)self)->rows;
}

static gt_Status source_next(void *self, const gt_RowsWanted *wanted, gt_Batch *batch)
{
    const Source *source = self;
    int64_t count = wanted->count;
    if (source->rows >= 0 && source->rows - wanted->row < count)
        count = source->rows - wanted->row;
    return count > 0 ? source->function(source->user, wanted->epoch, wanted->row, count, batch)
                     : GT_OK;
}

/* It says itself which rows it wants. */
static gt_Status source_seek(void *self, const gt_RowsWanted *wanted)
{
    (void)self;
    (void)wanted;
    return GT_OK;
}

static void source_destroy(void *self)
{
    gt_release(((Source *)self)->context, self, sizeof(Source));
}

static const gt_DatasetClass source_class = {.size = sizeof source_class,
                                             .name = "dataset_from_function",
                                             .count = source_count,
                                             .next = source_next,
                                             .seek = source_seek,
                                             .destroy = source_destroy};

gt_Dataset *gt_dataset_from_function_at(const char *here, gt_RowFunction function, void *user,
                                        const gt_dataset_from_function_options *given)
{
    gt_dataset_from_function_options options;
    GT_TAKE(gt_dataset_from_function_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "dataset_from_function");
    gt_Dataset *made = NULL;
    if (options.rows < -1 || options.rows == 0)
        gt_raise(context, GT_INVALID, NULL, NULL, "rows must be >= 1, or -1: not known (got %lld)",
                 (long long)options.rows);
    Source *self =
        gt_function_given(here, "dataset_from_function", "the function", (uintptr_t)function)
            ? gt_self_new(context, sizeof *self)
            : NULL;
    if (self) {
        *self = (Source){context, function, user, options.rows};
        const gt_dataset_of_options batches =
            GT_VALUES(gt_dataset_of_options, options.batch_size, options.shuffle, options.seed,
                      options.drop_remainder);
        made = gt_dataset_make(context, &source_class, self, false, NULL, &batches);
    }
    gt_site_leave(&site);
    return made;
}
