/* Datasets of the same rows: some of them, several times, in another order, in other batches. */
#include "train/data/combine.h"
#include "train/data/inside.h"

#include <string.h>

GT_OPTION_TYPE(gt_dataset_batch_options, gt_dataset_batch_OPTIONS);
GT_OPTION_TYPE(gt_dataset_shuffle_options, gt_dataset_shuffle_OPTIONS);

/* ---- take and skip ---- */

typedef struct Range {
    gt_Over over;
    int64_t first, count; /* INT64_MAX: all that are left */
} Range;

static int64_t range_count(void *self)
{
    const Range *range = self;
    int64_t rows = gt_dataset_known_rows(range->over.of);
    if (rows < 0)
        return -1;
    int64_t left = rows > range->first ? rows - range->first : 0;
    return left < range->count ? left : range->count;
}

static gt_Status range_fetch(void *self, const int64_t *rows, int64_t count, gt_Batch *batch)
{
    const Range *range = self;
    return gt_dataset_get_renumbered(range->over.of, NULL, range->first, rows, count, batch);
}

static void range_ahead(void *self, const int64_t *rows, int64_t count)
{
    range_fetch(self, rows, count, NULL);
}

/* A pass of a stream begins behind the rows that are skipped. */
static gt_Status range_seek(void *self, const gt_RowsWanted *wanted)
{
    const Range *range = self;
    gt_OverState *state = wanted->state;
    state->pass = gt_pass_open(range->over.of, wanted->epoch, true);
    return state->pass ? gt_pass_skip(state->pass, range->first + wanted->row)
                       : gt_context_status(range->over.context);
}

static gt_Status range_next(void *self, const gt_RowsWanted *wanted, gt_Batch *batch)
{
    Range *range = self;
    gt_OverState *state = wanted->state;
    gt_RowsWanted mine = *wanted;
    int64_t left = range->count - wanted->row;
    mine.count = left < wanted->count ? left : wanted->count;
    if (!state->pass && range_seek(self, wanted) != GT_OK)
        return gt_context_status(range->over.context);
    return mine.count > 0 ? gt_over_next(&range->over, &mine, true, batch)
                          : gt_context_status(range->over.context);
}

static const gt_DatasetClass range_class = {.size = sizeof range_class,
                                            .name = "dataset_take",
                                            .count = range_count,
                                            .fetch = range_fetch,
                                            .next = range_next,
                                            .state = sizeof(gt_OverState),
                                            .seek = range_seek,
                                            .close = gt_over_close,
                                            .ahead = range_ahead,
                                            .destroy = gt_over_destroy};

static gt_Dataset *make_range(const char *here, const char *operation, gt_Dataset *dataset,
                              int64_t first, int64_t count)
{
    Range *self = gt_over_begin(here, operation, dataset, sizeof *self);
    if (!self)
        return NULL;
    const gt_Dataset *of = self->over.of;
    self->first = first;
    self->count = count;
    if (first < 0 || count < 1)
        gt_raise(self->over.context, GT_INVALID, here, operation, "count must be >= %d (got %lld)",
                 first < 0 ? 0 : 1, (long long)(first < 0 ? first : count));
    else if (range_count(self) == 0)
        gt_raise(self->over.context, GT_INVALID, here, operation,
                 "no row is left of the %lld that there are", (long long)gt_dataset_known_rows(of));
    if (gt_context_status(self->over.context) != GT_OK) {
        gt_over_free(self);
        return NULL;
    }
    gt_Dataset *made = gt_over_make(&range_class, self, of->indexed);
    if (made && count != INT64_MAX)
        made->endless = false;
    return made;
}

gt_Dataset *gt_dataset_take_at(const char *here, gt_Dataset *dataset, int64_t count)
{
    return make_range(here, "dataset_take", dataset, 0, count);
}

gt_Dataset *gt_dataset_skip_at(const char *here, gt_Dataset *dataset, int64_t count)
{
    return make_range(here, "dataset_skip", dataset, count, INT64_MAX);
}

/* ---- repeat ---- */

typedef struct Repeat {
    gt_Over over;
    int64_t times; /* -1: for ever */
} Repeat;

typedef struct RepeatState {
    gt_OverState over;
    int64_t round; /* epoch of the dataset below, counted from the beginning of this one */
} RepeatState;

static int64_t repeat_count(void *self)
{
    const Repeat *repeat = self;
    int64_t rows = gt_dataset_known_rows(repeat->over.of);
    return repeat->times < 0 || rows < 0 || rows > INT64_MAX / repeat->times ? -1
                                                                             : rows * repeat->times;
}

static gt_Pass *round_pass(const Repeat *repeat, const gt_RowsWanted *wanted)
{
    RepeatState *state = wanted->state;
    int64_t before = repeat->times < 0 ? 0 : wanted->epoch * repeat->times;
    if (!state->over.pass)
        state->over.pass = gt_pass_open(repeat->over.of, before + state->round, wanted->ordered);
    return state->over.pass;
}

static gt_Status repeat_next(void *self, const gt_RowsWanted *wanted, gt_Batch *batch)
{
    const Repeat *repeat = self;
    gt_Context *context = repeat->over.context;
    RepeatState *state = wanted->state;
    while (repeat->times < 0 || state->round < repeat->times) {
        gt_Pass *pass = round_pass(repeat, wanted);
        if (!pass || gt_pass_piece(pass, wanted->count, batch) ||
            gt_context_status(context) != GT_OK)
            break;
        if (pass->row == 0) /* an empty round would never end */
            return gt_raise(context, GT_INVALID, NULL, NULL,
                            "dataset_repeat: there is no row to repeat");
        gt_pass_close(pass);
        state->over.pass = NULL;
        state->round++;
    }
    return gt_context_status(context);
}

/* Whole rounds are left out once it is known how long they are: at the latest when the first one was run. */
static gt_Status repeat_seek(void *self, const gt_RowsWanted *wanted)
{
    const Repeat *repeat = self;
    gt_Dataset *of = repeat->over.of;
    RepeatState *state = wanted->state;
    gt_Pass *pass = NULL;
    if (gt_dataset_known_rows(of) < 0) {
        pass = round_pass(repeat, wanted);
        if (!pass || gt_pass_run(pass, wanted->row) != GT_OK || pass->row == wanted->row)
            return gt_context_status(repeat->over.context);
        of->counted = pass->row;
        gt_pass_close(pass);
        state->over.pass = NULL;
    }
    int64_t rows = gt_dataset_known_rows(of);
    if (rows > 0) {
        state->round = wanted->row / rows;
        pass = round_pass(repeat, wanted);
    }
    return pass ? gt_pass_skip(pass, wanted->row % rows) : gt_context_status(repeat->over.context);
}

static const gt_DatasetClass repeat_class = {.size = sizeof repeat_class,
                                             .name = "dataset_repeat",
                                             .count = repeat_count,
                                             .next = repeat_next,
                                             .state = sizeof(RepeatState),
                                             .seek = repeat_seek,
                                             .close = gt_over_close,
                                             .destroy = gt_over_destroy};

gt_Dataset *gt_dataset_repeat_at(const char *here, gt_Dataset *dataset, int64_t times)
{
    Repeat *self = gt_over_begin(here, "dataset_repeat", dataset, sizeof *self);
    if (!self)
        return NULL;
    self->times = times;
    if (times < -1 || times == 0) {
        gt_raise(self->over.context, GT_INVALID, here, "dataset_repeat",
                 "times must be >= 1, or -1 for ever (got %lld)", (long long)times);
        gt_over_free(self);
        return NULL;
    }
    gt_Dataset *made = gt_over_make(&repeat_class, self, false);
    if (made) {
        made->orders = true;
        made->endless = made->endless || times < 0;
    }
    return made;
}

/* ---- the same rows, presented in another way ---- */

static const gt_DatasetClass batch_class = {.size = sizeof batch_class,
                                            .name = "dataset_batch",
                                            .count = gt_over_count,
                                            .fetch = gt_over_fetch,
                                            .next = gt_over_next_as_wanted,
                                            .state = sizeof(gt_OverState),
                                            .seek = gt_over_seek,
                                            .close = gt_over_close,
                                            .ahead = gt_over_ahead,
                                            .destroy = gt_over_destroy};

static const gt_DatasetClass shuffle_class = {.size = sizeof shuffle_class,
                                              .name = "dataset_shuffle",
                                              .count = gt_over_count,
                                              .fetch = gt_over_fetch,
                                              .next = gt_over_next_as_wanted,
                                              .state = sizeof(gt_OverState),
                                              .seek = gt_over_seek,
                                              .close = gt_over_close,
                                              .ahead = gt_over_ahead,
                                              .destroy = gt_over_destroy};

gt_Dataset *gt_dataset_batch_at(const char *here, gt_Dataset *dataset, int64_t batch_size,
                                const gt_dataset_batch_options *given)
{
    static const char operation[] = "dataset_batch";
    gt_dataset_batch_options options;
    GT_TAKE(gt_dataset_batch_options, &options, given);
    gt_Over *self = gt_over_begin(here, operation, dataset, sizeof *self);
    if (!self)
        return NULL;
    gt_Context *context = self->context;
    const gt_Dataset *of = self->of;
    int64_t rows = gt_dataset_known_rows(of);
    if (batch_size < 1 || options.multiple < 1)
        gt_raise(context, GT_INVALID, here, operation, "%s must be >= 1 (got %lld)",
                 batch_size < 1 ? "batch_size" : "multiple",
                 (long long)(batch_size < 1 ? batch_size : options.multiple));
    else if (options.drop_remainder && rows >= 0 && batch_size > rows)
        gt_raise(context, GT_INVALID, here, operation,
                 "drop_remainder leaves no batch: %lld rows, batches of %lld", (long long)rows,
                 (long long)batch_size);
    if (gt_context_status(context) != GT_OK) {
        gt_over_free(self);
        return NULL;
    }
    gt_Dataset *made = gt_over_make(&batch_class, self, of->indexed);
    if (!made)
        return NULL;
    made->orders = of->orders;
    made->how.batch_size = batch_size;
    made->how.drop_remainder = options.drop_remainder;
    made->how.pad = options.pad;
    made->how.padding = options.padding;
    made->how.multiple = options.multiple;
    return made;
}

gt_Dataset *gt_dataset_shuffle_at(const char *here, gt_Dataset *dataset, int64_t buffer,
                                  const gt_dataset_shuffle_options *given)
{
    static const char operation[] = "dataset_shuffle";
    gt_dataset_shuffle_options options;
    GT_TAKE(gt_dataset_shuffle_options, &options, given);
    gt_Over *self = gt_over_begin(here, operation, dataset, sizeof *self);
    if (!self)
        return NULL;
    gt_Context *context = self->context;
    const gt_Dataset *of = self->of;
    if ((buffer < 1 && buffer != -1) || buffer > INT32_MAX)
        gt_raise(context, GT_INVALID, here, operation,
                 "buffer must be 1 to %d rows, or -1: all (got %lld)", INT32_MAX, (long long)buffer);
    else if (options.seed < -1)
        gt_raise(context, GT_INVALID, here, operation, "seed must be >= -1 (got %lld)",
                 (long long)options.seed);
    else if (buffer == -1 && !of->indexed)
        gt_raise(
            context, GT_INVALID, here, operation,
            "%s gives its rows one after the other: say how many are kept in memory to draw from%s",
            of->type->name, of->orders ? ", or shuffle what is below it" : "");
    if (gt_context_status(context) != GT_OK) {
        gt_over_free(self);
        return NULL;
    }
    gt_Dataset *made = gt_over_make(&shuffle_class, self, of->indexed);
    if (!made)
        return NULL;
    made->how.shuffle = true;
    made->how.buffer = buffer == -1 ? 0 : buffer;
    made->how.always_the_same = !options.reshuffle_each_iteration;
    made->how.seed =
        options.seed >= 0 ? options.seed : (int64_t)(gt_context_seed(context) & INT64_MAX);
    return made;
}
