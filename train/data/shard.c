/* The part of every batch that one of several processes trains on. Rows are chosen after the shuffle, so that the parts of the
 * processes together are, batch for batch, what one process would have had:
 *
 *     rows of an epoch   | batch 0 of 6 rows | batch 1           | the last, of 5 |
 *     3 processes        | 0 0   1 1   2 2   | 0 0   1 1   2 2   | 0  1  2  - -   |
 *
 * The last batch is cut into equal parts, too; a row or two are left over. A mean of the means of equal parts is the mean. */
#include "optim/internal.h"
#include "train/data/combine.h"
#include "train/data/inside.h"

typedef struct Shard {
    gt_Over over;
    int64_t part;         /* rows of a full batch that are this process's */
    int64_t count, index; /* of processes */
} Shard;

/* Of full batches, and of the last one; -1: the rows are not known, and a last one that is not full is left out. */
static int64_t full_batches(const Shard *shard, int64_t *last)
{
    int64_t rows = gt_dataset_known_rows(shard->over.of), whole = shard->part * shard->count;
    *last = rows < 0 || shard->over.of->how.drop_remainder ? 0 : rows % whole / shard->count;
    return rows < 0 ? INT64_MAX : rows / whole;
}

static int64_t shard_count(void *self)
{
    int64_t last, full = full_batches(self, &last);
    return full == INT64_MAX ? -1 : full * ((const Shard *)self)->part + last;
}

/* Where row `row` of the part is in the whole, and how many follow it there. 0: it is beyond the end. */
static int64_t place(const Shard *shard, int64_t row, int64_t *at)
{
    int64_t last, full = full_batches(shard, &last), batch = row / shard->part,
                  within = row % shard->part;
    int64_t part = batch < full ? shard->part : batch == full ? last : 0;
    *at = batch * shard->part * shard->count + shard->index * part + within;
    return within < part ? part - within : 0;
}

static gt_Status shard_next(void *self, const gt_RowsWanted *wanted, gt_Batch *batch)
{
    const Shard *shard = self;
    gt_OverState *state = wanted->state;
    int64_t at, rows = place(shard, wanted->row, &at);
    if (!state->pass)
        state->pass = gt_pass_open(shard->over.of, wanted->epoch, wanted->ordered);
    if (state->pass && rows > 0 && gt_pass_skip(state->pass, at - state->pass->row) == GT_OK)
        gt_pass_piece(state->pass, rows < wanted->count ? rows : wanted->count, batch);
    return gt_context_status(shard->over.context);
}

static gt_Status shard_seek(void *self, const gt_RowsWanted *wanted)
{
    (void)self, (void)wanted; /* next goes wherever it is asked to */
    return gt_status();
}

static const gt_DatasetClass shard_class = {.size = sizeof shard_class,
                                            .name = "dataset_shard",
                                            .count = shard_count,
                                            .next = shard_next,
                                            .orders = true,
                                            .state = sizeof(gt_OverState),
                                            .seek = shard_seek,
                                            .close = gt_over_close,
                                            .destroy = gt_over_destroy};

/* What must be the same for all parts. Whatever is put over the shard inherits it. */
static uint64_t order_of(const Shard *shard)
{
    const gt_Dataset *of = shard->over.of;
    const gt_Presentation *how = &of->how;
    const int64_t says[] = {how->shuffle ? how->seed : -1, how->buffer, shard->count,
                            (int64_t)of->order, (int64_t)of->drawn};
    return gt_distribution_hash(GT_HASH_BEGIN, says, sizeof says);
}

static gt_Status check(const Shard *self, const char *here, const char *operation)
{
    gt_Context *context = self->over.context;
    const int64_t batch = self->over.of->how.batch_size;
    if (self->count < 1 || self->index < 0 || self->index >= self->count)
        return gt_raise(context, GT_INVALID, here, operation,
                        "index must be from 0 to count - 1 (got %lld of %lld)",
                        (long long)self->index, (long long)self->count);
    if (batch % self->count != 0)
        return gt_raise(context, GT_INVALID, here, operation,
                        "a batch of %lld rows cannot be cut into %lld equal parts",
                        (long long)batch, (long long)self->count);
    return gt_context_status(context);
}

gt_Dataset *gt_dataset_shard_at(const char *here, gt_Dataset *dataset, int64_t count, int64_t index)
{
    static const char operation[] = "dataset_shard";
    Shard *self = gt_over_begin(here, operation, dataset, sizeof *self);
    if (!self)
        return NULL;
    self->count = count;
    self->index = index;
    if (check(self, here, operation) == GT_OK) {
        self->part = self->over.of->how.batch_size / count;
        if (shard_count(self) == 0)
            gt_raise(self->over.context, GT_INVALID, here, operation,
                     "%lld rows are too few for %lld parts",
                     (long long)gt_dataset_known_rows(self->over.of), (long long)count);
    }
    if (gt_context_status(self->over.context) != GT_OK) {
        gt_over_free(self);
        return NULL;
    }
    int64_t part = self->part;
    const uint64_t order = order_of(self);
    gt_Dataset *made = gt_over_make(&shard_class, self, false);
    if (made) {
        made->how.batch_size = part;
        made->order = order;
    }
    return made;
}
