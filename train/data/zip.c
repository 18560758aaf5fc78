/* Two datasets side by side. */
#include "optim/internal.h"
#include "train/data/combine.h"
#include "train/data/inside.h"

#include <string.h>

GT_OPTION_TYPE(gt_dataset_zip_options, gt_dataset_zip_OPTIONS);

typedef struct Zip {
    gt_Over first;
    gt_Dataset *second; /* held */
    bool labels;        /* its inputs are labels */
} Zip;

typedef struct ZipState {
    gt_OverState first;
    gt_Pass *second;
} ZipState;

static int64_t count(void *self)
{
    const Zip *zip = self;
    int64_t a = gt_dataset_known_rows(zip->first.of), b = gt_dataset_known_rows(zip->second);
    if (a < 0 || b < 0)
        return zip->first.of->endless ? b : zip->second->endless ? a : -1;
    return a < b ? a : b;
}

/* The columns of `more` behind those of `batch`. */
static gt_Status put_together(const Zip *zip, const gt_Batch *more, gt_Batch *batch)
{
    gt_Context *context = zip->first.context;
    int32_t x = zip->labels ? 0 : more->x_count,
            y = more->y_count + (zip->labels ? more->x_count : 0);
    if (batch->x_count + x > GT_MAX_COLUMNS || batch->y_count + y > GT_MAX_COLUMNS)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "there may be at most %d inputs and %d labels", GT_MAX_COLUMNS,
                        GT_MAX_COLUMNS);
    for (int32_t i = 0; i < more->x_count; i++)
        if (zip->labels)
            batch->ys[batch->y_count++] = more->xs[i];
        else
            batch->xs[batch->x_count++] = more->xs[i];
    for (int32_t i = 0; i < more->y_count; i++) {
        batch->weights[batch->y_count] = more->weights[i];
        batch->ys[batch->y_count++] = more->ys[i];
    }
    batch->y = batch->ys[0];
    if (batch->text_count + more->text_count > GT_MAX_TEXTS)
        return gt_raise(context, GT_INVALID, NULL, NULL, "there may be at most %d columns of text",
                        GT_MAX_TEXTS);
    for (int32_t i = 0; i < 2 * more->text_count; i++)
        batch->texts[2 * batch->text_count + i] = more->texts[i];
    batch->text_count += more->text_count;
    batch->x = batch->xs[0];
    return GT_OK;
}

static gt_Status fetch(void *self, const int64_t *rows, int64_t wanted, gt_Batch *batch)
{
    const Zip *zip = self;
    gt_Batch more = {0};
    if (gt_dataset_get(zip->first.of, rows, wanted, batch) == GT_OK &&
        gt_dataset_get(zip->second, rows, wanted, &more) == GT_OK)
        put_together(zip, &more, batch);
    return gt_context_status(zip->first.context);
}

static void ahead(void *self, const int64_t *rows, int64_t wanted)
{
    const Zip *zip = self;
    gt_dataset_expect(zip->first.of, rows, wanted);
    gt_dataset_expect(zip->second, rows, wanted);
}

static bool open_passes(Zip *zip, const gt_RowsWanted *wanted)
{
    ZipState *state = wanted->state;
    if (!state->first.pass)
        state->first.pass = gt_pass_open(zip->first.of, wanted->epoch, true);
    if (!state->second && state->first.pass)
        state->second = gt_pass_open(zip->second, wanted->epoch, true);
    return state->second != NULL;
}

/* The first rows of a batch. */
static gt_Status shorten(gt_Context *context, const gt_Batch *from, int64_t count, gt_Batch *batch)
{
    size_t bytes = (size_t)count * sizeof(int64_t);
    int64_t *rows = gt_allocate(context, bytes);
    for (int64_t i = 0; rows && i < count; i++)
        rows[i] = i;
    if (rows)
        gt_batch_gather(context, from, rows, count, batch);
    gt_release(context, rows, bytes);
    return gt_context_status(context);
}

/* As many rows of the second as a piece of the first has; both end with the shorter one. */
static gt_Status next(void *self, const gt_RowsWanted *wanted, gt_Batch *batch)
{
    Zip *zip = self;
    gt_Context *context = zip->first.context;
    ZipState *state = wanted->state;
    gt_Batch a, b;
    if (!open_passes(zip, wanted) || !gt_pass_piece(state->first.pass, wanted->count, &a) ||
        !gt_pass_batch(state->second, a.size, &b))
        return gt_context_status(context);
    if (b.size == a.size)
        *batch = a;
    else
        shorten(context, &a, b.size, batch);
    return gt_context_status(context) == GT_OK ? put_together(zip, &b, batch)
                                               : gt_context_status(context);
}

static gt_Status seek(void *self, const gt_RowsWanted *wanted)
{
    Zip *zip = self;
    ZipState *state = wanted->state;
    if (open_passes(zip, wanted) && gt_pass_skip(state->first.pass, wanted->row) == GT_OK)
        gt_pass_skip(state->second, wanted->row);
    return gt_context_status(zip->first.context);
}

static void close(void *self, void *state)
{
    gt_over_close(self, state);
    gt_pass_close(((ZipState *)state)->second);
}

static void destroy(void *self)
{
    gt_object_release(gt_dataset_object(((Zip *)self)->second));
    gt_over_destroy(self);
}

static const gt_DatasetClass zip_class = {.size = sizeof zip_class,
                                          .name = "dataset_zip",
                                          .count = count,
                                          .fetch = fetch,
                                          .next = next,
                                          .state = sizeof(ZipState),
                                          .seek = seek,
                                          .close = close,
                                          .ahead = ahead,
                                          .destroy = destroy};

gt_Dataset *gt_dataset_zip_at(const char *here, gt_Dataset *first, gt_Dataset *second,
                              const gt_dataset_zip_options *given)
{
    static const char operation[] = "dataset_zip";
    gt_dataset_zip_options options;
    GT_TAKE(gt_dataset_zip_options, &options, given);
    Zip *self = gt_over_begin(here, operation, first, sizeof *self);
    gt_Over *other = gt_over_begin(here, operation, second, sizeof *other);
    if (!self || !other) {
        if (self)
            gt_over_free(self);
        if (other)
            gt_over_free(other);
        return NULL;
    }
    gt_Context *context = self->first.context;
    self->second = other->of;
    self->labels = options.labels;
    gt_release(context, other, sizeof *other);
    int64_t a = gt_dataset_known_rows(self->first.of), b = gt_dataset_known_rows(self->second);
    if (a >= 0 && b >= 0 && a != b)
        gt_raise(context, GT_INVALID, here, operation,
                 "both must have the same number of rows (got %lld and %lld); gt_dataset_take "
                 "shortens one",
                 (long long)a, (long long)b);
    bool endless = self->first.of->endless && self->second->endless;
    const uint64_t orders[] = {self->first.of->order, self->second->order},
                   drawn[] = {self->first.of->drawn, self->second->drawn};
    gt_Dataset *made =
        gt_over_make(&zip_class, self, self->first.of->indexed && self->second->indexed);
    if (made)
        made->endless = endless;
    if (made && drawn[1])
        made->drawn = gt_distribution_hash(GT_HASH_BEGIN, drawn, sizeof drawn);
    if (made && orders[1])
        made->order = gt_distribution_hash(GT_HASH_BEGIN, orders, sizeof orders);
    if (made && self->second->ragged)
        made->ragged = true;
    return made;
}
