/* Datasets of datasets, of functions and of classes of one's own: which rows come, in which order, in which batches, and that a
 * dataset which is put to a place goes on from there. */
#include <math.h>

#include "data_files.h"

/* ---- rows that say their number ---- */

/* x is the row's number, y 10 times that. */
static gt_Dataset *numbers(int64_t count, bool shuffle, int64_t batch)
{
    gt_Tensor *x = gt_arange(0, (double)count, 1);
    return gt_dataset_from_tensors(x, gt_multiply(x, 10), .shuffle = shuffle, .seed = 5,
                                   .batch_size = batch);
}

/* The same as a stream. */
typedef struct Ramp {
    int64_t rows;
    int64_t asked, most; /* calls so far; rows a call gives at most */
} Ramp;

static gt_Status ramp_rows(void *user, int64_t epoch, int64_t first, int64_t count, gt_Batch *batch)
{
    Ramp *ramp = user;
    int64_t n = ramp->rows - first < count ? ramp->rows - first : count;
    (void)epoch;
    ramp->asked++;
    if (ramp->most && n > ramp->most)
        n = ramp->most;
    if (n > 0) {
        batch->x = gt_arange((double)first, (double)(first + n), 1);
        batch->y = gt_multiply(batch->x, 10);
    }
    return gt_status();
}

static gt_Dataset *stream(Ramp *ramp, int64_t rows, int64_t most, int64_t batch)
{
    *ramp = (Ramp){rows, 0, most};
    return gt_dataset_from_function(ramp_rows, ramp, .batch_size = batch);
}

/* One epoch: the numbers that came, and how many batches; y must go with x. */
static int64_t epoch_of(gt_Dataset *data, int64_t *order, int64_t room, int64_t *batches)
{
    gt_Batch batch;
    int64_t count = 0, n = 0;
    while (gt_dataset_next(data, &batch)) {
        n++;
        for (int64_t i = 0; i < batch.size; i++) {
            cr_assert(count < room, "more rows than %lld", (long long)room);
            order[count++] = (int64_t)gt_element(batch.x, i);
            if (batch.y)
                cr_assert_eq(gt_element(batch.y, i), 10.0 * (double)order[count - 1]);
        }
    }
    ok();
    if (batches)
        *batches = n;
    return count;
}

static void gives(gt_Dataset *data, int64_t count, const int64_t *rows, int64_t batches)
{
    int64_t order[256], n;
    cr_assert(data != NULL, "%s", gt_error_message());
    for (int epoch = 0; epoch < 2; epoch++) {
        int64_t came = epoch_of(data, order, 256, &n);
        cr_assert_eq(came, count, "epoch %d has %lld rows, not %lld", epoch, (long long)came,
                     (long long)count);
        cr_assert_eq(n, batches, "epoch %d has %lld batches, not %lld", epoch, (long long)n,
                     (long long)batches);
        for (int64_t i = 0; rows && i < count; i++)
            cr_assert_eq(order[i], rows[i], "epoch %d: row %lld is %lld", epoch, (long long)i,
                         (long long)order[i]);
    }
    cr_assert_eq(gt_dataset_size(data), count);
    cr_assert_eq(gt_dataset_batches(data), batches);
    gt_dataset_free(data);
}
#define ROWS(...) ((const int64_t[]){__VA_ARGS__})

static gt_Status add_hundred(void *user, gt_Batch *batch)
{
    (void)user;
    batch->x = gt_add(batch->x, 100);
    batch->y = gt_multiply(batch->x, 10);
    return gt_status();
}

static gt_Tensor *is_even(void *user, const gt_Batch *batch)
{
    (void)user;
    return gt_equal(gt_mod(batch->x, 2), 0);
}

static gt_Tensor *none_is(void *user, const gt_Batch *batch)
{
    (void)user;
    return gt_less(batch->x, -1);
}

Test(datasets, rows)
{
    Ramp ramp;
    gives(gt_dataset_take(numbers(10, false, 4), 5), 5, ROWS(0, 1, 2, 3, 4), 2);
    gives(gt_dataset_skip(numbers(10, false, 4), 7), 3, ROWS(7, 8, 9), 1);
    gives(gt_dataset_take(gt_dataset_skip(numbers(10, false, 4), 3), 2), 2, ROWS(3, 4), 1);
    gives(gt_dataset_take(numbers(3, false, 4), 50), 3, ROWS(0, 1, 2), 1);
    gives(gt_dataset_map(numbers(3, false, 2), add_hundred, NULL), 3, ROWS(100, 101, 102), 2);
    gives(gt_dataset_filter(numbers(7, false, 3), is_even, NULL), 4, ROWS(0, 2, 4, 6), 2);
    gives(gt_dataset_repeat(numbers(3, false, 2), 2), 6, ROWS(0, 1, 2, 0, 1, 2), 3);
    gives(gt_dataset_batch(numbers(7, false, 2), 3), 7, ROWS(0, 1, 2, 3, 4, 5, 6), 3);
    gives(gt_dataset_cache(gt_dataset_filter(numbers(7, false, 3), is_even, NULL)), 4,
          ROWS(0, 2, 4, 6), 2);
    /* the same of streams, in one piece and in pieces */
    for (int64_t most = 0; most < 3; most++) {
        gives(stream(&ramp, 7, most, 3), 7, ROWS(0, 1, 2, 3, 4, 5, 6), 3);
        gives(gt_dataset_take(stream(&ramp, 10, most, 4), 5), 5, ROWS(0, 1, 2, 3, 4), 2);
        gives(gt_dataset_skip(stream(&ramp, 10, most, 4), 7), 3, ROWS(7, 8, 9), 1);
        gives(gt_dataset_map(stream(&ramp, 3, most, 2), add_hundred, NULL), 3, ROWS(100, 101, 102),
              2);
        gives(gt_dataset_filter(stream(&ramp, 7, most, 3), is_even, NULL), 4, ROWS(0, 2, 4, 6), 2);
        gives(gt_dataset_repeat(stream(&ramp, 3, most, 2), 2), 6, ROWS(0, 1, 2, 0, 1, 2), 3);
        gives(gt_dataset_repeat(gt_dataset_filter(stream(&ramp, 4, most, 4), is_even, NULL), 2), 4,
              ROWS(0, 2, 0, 2), 1);
        gives(gt_dataset_cache(stream(&ramp, 5, most, 4)), 5, NULL, 2);
        gives(gt_dataset_shuffle(gt_dataset_cache(stream(&ramp, 5, most, 4)), 1), 5,
              ROWS(0, 1, 2, 3, 4), 2);
        /* a buffer takes as much memory as there are rows */
        gives(gt_dataset_shuffle(stream(&ramp, 5, most, 4), INT32_MAX), 5, NULL, 2);
    }
    /* a cache asks once */
    gt_Dataset *kept = gt_dataset_cache(stream(&ramp, 5, 0, 2));
    int64_t asked = ramp.asked;
    gives(kept, 5, NULL, 3);
    cr_assert_eq(ramp.asked, asked);
    /* without the rest of a batch */
    int64_t order[16], batches;
    gt_Dataset *full = gt_dataset_batch(stream(&ramp, 7, 2, 3), 3, .drop_remainder = true);
    cr_assert(epoch_of(full, order, 16, &batches) == 6 && batches == 2);
    cr_assert(epoch_of(full, order, 16, &batches) == 6 && order[0] == 0 &&
              gt_dataset_size(full) == 7 && gt_dataset_batches(full) == 2);
    gt_dataset_free(full);
    /* one that never ends */
    gt_Dataset *endless = gt_dataset_repeat(numbers(3, false, 2), -1);
    gt_Batch batch;
    for (int i = 0; i < 5; i++)
        cr_assert(gt_dataset_next(endless, &batch) && batch.size == 2 &&
                  gt_element(batch.x, 0) == (2 * i) % 3);
    cr_assert(gt_dataset_size(endless) == -1 && gt_dataset_batches(endless) == -1 &&
              gt_status() == GT_OK);
    refused(gt_dataset_cache(endless), GT_INVALID, "it repeats for ever");
    /* a stream's length is known after its first epoch */
    gt_Dataset *unknown = stream(&ramp, 7, 2, 3);
    cr_assert(gt_dataset_size(unknown) == -1 && gt_dataset_batches(unknown) == -1 &&
              gt_status() == GT_OK);
    gt_Spec x = gt_dataset_x(unknown);
    cr_assert(x.dtype == GT_FLOAT32 && x.rank == 1 && x.dims[0] == -1 &&
              gt_dataset_y_count(unknown) == 1);
    epoch_of(unknown, order, 16, NULL);
    cr_assert(gt_dataset_size(unknown) == 7 && gt_dataset_x(unknown).dims[0] == 7);
    gt_dataset_free(unknown);
}

Test(datasets, zips)
{
    Ramp ramp;
    gt_Tensor *x = gt_arange(0, 6, 1);
    for (int kind = 0; kind < 3; kind++) {
        gt_Dataset *first = gt_dataset_from_tensors(x, NULL, .shuffle = kind == 1, .batch_size = 4);
        gt_Dataset *second =
            kind < 2
                ? gt_dataset_from_tensors(gt_multiply(x, 10), NULL, .shuffle = true)
                : gt_dataset_map(gt_dataset_skip(stream(&ramp, 6, 1, 3), 0), add_hundred, NULL);
        if (kind == 2)
            first =
                gt_dataset_from_tensors(gt_add(x, 100), NULL, .shuffle = false, .batch_size = 4);
        gt_Dataset *both = gt_dataset_zip(first, second, .labels = kind < 2);
        ok();
        gt_Batch batch;
        int64_t rows = 0;
        while (gt_dataset_next(both, &batch)) {
            rows += batch.size;
            for (int64_t i = 0; i < batch.size; i++)
                cr_assert_eq(gt_element(batch.y, i), 10 * gt_element(batch.x, i),
                             "rows are torn apart");
            if (kind == 2)
                cr_assert(batch.x_count == 2 &&
                          gt_element(batch.xs[1], 0) == gt_element(batch.x, 0));
        }
        ok();
        cr_assert_eq(rows, 6);
        gt_dataset_free(both);
    }
    refused(gt_dataset_zip(numbers(3, false, 1), numbers(4, false, 1)), GT_INVALID,
            "the same number of rows (got 3 and 4)");
    /* the shorter stream ends it, in the middle of a batch too */
    for (int64_t a = 3; a < 8; a += 2) {
        Ramp one, two;
        gt_Dataset *both = gt_dataset_zip(stream(&one, a, 0, 4), stream(&two, 5, 2, 4));
        gives(both, a < 5 ? a : 5, NULL, a < 5 ? 1 : 2);
    }
    gt_Dataset *noisy =
        gt_dataset_zip(numbers(4, false, 3), gt_dataset_repeat(numbers(3, false, 3), -1));
    cr_assert_eq(gt_dataset_size(noisy), 4);
    gives(noisy, 4, ROWS(0, 1, 2, 3), 2);
}

Test(datasets, orders)
{
    enum { N = 40 };
    Ramp ramp;
    int64_t a[N], b[N];
    /* what comes first of a shuffled dataset is what take keeps of it, in any order */
    gt_Dataset *all = numbers(N, true, 8);
    gt_Dataset *train = gt_dataset_take(all, 30), *test = gt_dataset_skip(all, 30);
    for (int epoch = 0; epoch < 3; epoch++) {
        cr_assert(epoch_of(train, a, N, NULL) == 30 && epoch_of(test, b, N, NULL) == 10);
        bool moved = false;
        for (int i = 0; i < 30; i++) {
            cr_assert(a[i] < 30);
            moved = moved || a[i] != i;
        }
        for (int i = 0; i < 10; i++)
            cr_assert(b[i] >= 30);
        cr_assert(moved);
    }
    gt_dataset_free(all); /* it is theirs */
    cr_assert_eq(gt_dataset_size(train), 30);
    gt_dataset_free(train), gt_dataset_free(test);

    /* a buffer over a stream, and the same over numbers: one order; every row once; none earlier than the buffer lets it */
    enum { BUFFER = 7 };
    gt_Dataset *stirred = gt_dataset_shuffle(stream(&ramp, N, 3, 6), BUFFER, .seed = 9);
    gt_Dataset *same = gt_dataset_shuffle(numbers(N, false, 11), BUFFER, .seed = 9);
    for (int epoch = 0; epoch < 3; epoch++) {
        bool seen[N] = {false};
        cr_assert(epoch_of(stirred, a, N, NULL) == N && epoch_of(same, b, N, NULL) == N);
        for (int i = 0; i < N; i++) {
            cr_assert_eq(a[i], b[i], "epoch %d, row %d: %lld and %lld", epoch, i, (long long)a[i],
                         (long long)b[i]);
            cr_assert(!seen[a[i]] && a[i] < i + BUFFER, "row %lld at %d", (long long)a[i], i);
            seen[a[i]] = true;
        }
    }
    gt_dataset_free(stirred), gt_dataset_free(same);
    /* the same order every epoch */
    gt_Dataset *still =
        gt_dataset_shuffle(numbers(N, false, 8), -1, .reshuffle_each_iteration = false);
    cr_assert(epoch_of(still, a, N, NULL) == N && epoch_of(still, b, N, NULL) == N &&
              memcmp(a, b, sizeof a) == 0);
    gt_Dataset *first = gt_dataset_shuffle(numbers(N, false, 8), -1);
    cr_assert(epoch_of(first, b, N, NULL) == N && memcmp(a, b, sizeof a) == 0,
              "it is that of the first epoch");
    gt_dataset_free(first);
    gt_dataset_free(still);
    /* a filter and a map leave the shuffling to what is below; each round of repeat is shuffled by itself */
    gt_Dataset *even =
        gt_dataset_filter(gt_dataset_map(numbers(N, true, 8), add_hundred, NULL), is_even, NULL);
    cr_assert(epoch_of(even, a, N, NULL) == N / 2 && epoch_of(even, b, N, NULL) == N / 2);
    cr_assert(memcmp(a, b, sizeof a / 2) != 0, "the second epoch has the order of the first");
    gt_dataset_free(even);
    int64_t rounds[3 * N];
    gt_Dataset *thrice = gt_dataset_repeat(numbers(N, true, 8), 3);
    cr_assert(epoch_of(thrice, rounds, 3 * N, NULL) == 3 * N);
    for (int round = 0; round < 3; round++) {
        bool seen[N] = {false};
        for (int i = 0; i < N; i++) {
            cr_assert(!seen[rounds[round * N + i]], "round %d", round);
            seen[rounds[round * N + i]] = true;
        }
    }
    cr_assert(memcmp(rounds, rounds + N, N * sizeof *rounds) != 0);
    int64_t later[3 * N];
    cr_assert(epoch_of(thrice, later, 3 * N, NULL) == 3 * N &&
                  memcmp(rounds, later, sizeof later) != 0,
              "the next epoch is another");
    gt_dataset_free(thrice);
    refused(gt_dataset_shuffle(stream(&ramp, N, 0, 4), -1), GT_INVALID,
            "dataset_from_function gives its rows one after the other: say how many");
    refused(gt_dataset_shuffle(gt_dataset_repeat(numbers(3, true, 1), 2), -1), GT_INVALID,
            "or shuffle what is below it");
}

/* A dataset of each kind, to be put to a place. */
static gt_Dataset *some_dataset(int kind, Ramp *ramp)
{
    switch (kind) {
    case 0:
        return numbers(23, true, 4);
    case 1:
        return stream(ramp, 23, 3, 4);
    case 2:
        return gt_dataset_shuffle(stream(ramp, 23, 3, 4), 6, .seed = 2);
    case 3:
        return gt_dataset_filter(numbers(23, true, 4), is_even, NULL);
    case 4:
        return gt_dataset_repeat(numbers(9, true, 4), 3);
    case 5:
        return gt_dataset_repeat(stream(ramp, 9, 2, 4), 3);
    case 6:
        return gt_dataset_zip(numbers(23, true, 4), numbers(23, false, 4));
    case 7:
        return gt_dataset_map(gt_dataset_take(stream(ramp, 40, 0, 4), 23), add_hundred, NULL);
    case 8:
        return gt_dataset_shuffle(
            gt_dataset_map(gt_dataset_skip(stream(ramp, 40, 0, 4), 11), add_hundred, NULL), 5);
    case 9:
        return gt_dataset_zip(gt_dataset_shuffle(stream(ramp, 23, 0, 4), 3),
                              gt_dataset_repeat(numbers(5, true, 4), -1));
    case 10:
        return gt_dataset_batch(gt_dataset_cache(stream(ramp, 23, 5, 4)), 3,
                                .drop_remainder = true);
    default:
        return gt_dataset_batch(gt_dataset_repeat(numbers(9, true, 5), -1), 5);
    }
}

Test(datasets, places)
{
    for (int kind = 0; kind < 12; kind++) {
        Ramp ramp, other;
        gt_Dataset *data = some_dataset(kind, &ramp);
        double first[64];
        gt_DatasetPosition place[64];
        gt_Batch batch;
        int n = 0;
        for (int step = 0; step < 30; step++) { /* over the ends of some epochs */
            place[n] = gt_dataset_position(data);
            if (gt_dataset_next(data, &batch))
                first[n++] = gt_element(batch.x, batch.size - 1);
            ok();
        }
        gt_Dataset *again = some_dataset(kind, &other); /* as after a restart */
        for (int step = 0; step < 40; step++) {
            int to = step * 7 % n;
            gt_dataset_seek(again, place[to]);
            cr_assert(gt_dataset_next(again, &batch), "kind %d, place %d: %s", kind, to,
                      gt_error_message());
            cr_assert_eq(gt_element(batch.x, batch.size - 1), first[to], "kind %d, place %d", kind,
                         to);
            /* a pass of its own does not move it */
            gt_DatasetPosition before = gt_dataset_position(again);
            gt_dataset_x(again);
            gt_DatasetPass *pass =
                gt_dataset_pass_begin(again, .epoch = before.epoch, .ordered = false);
            cr_assert(gt_dataset_pass_skip(pass, before.row) == GT_OK, "%s", gt_error_message());
            gt_dataset_pass_free(pass);
            cr_assert(gt_dataset_position(again).row == before.row &&
                      gt_dataset_position(again).epoch == before.epoch);
        }
        gt_dataset_free(data), gt_dataset_free(again);
    }
}

/* ---- rows of different lengths ---- */

/* Row i has i % 4 + 1 steps of two numbers, and as many labels. */
static gt_Status steps_rows(void *user, int64_t epoch, int64_t first, int64_t count,
                            gt_Batch *batch)
{
    int64_t n = first % 4 + 1;
    (void)epoch, (void)user, (void)count;
    if (first < 10) {
        batch->x = gt_full(gt_shape(1, n, 2), (double)first + 1);
        batch->y = gt_full(gt_shape(1, n), (double)first + 1);
    }
    return gt_status();
}

static void padded(gt_Dataset *data, int64_t longest_of_second, double padding)
{
    gt_Batch batch;
    cr_assert(data != NULL, "%s", gt_error_message());
    cr_assert(gt_dataset_next(data, &batch) && batch.size == 4, "%s", gt_error_message());
    cr_assert(gt_dataset_next(data, &batch) && batch.size == 4, "%s", gt_error_message());
    gt_Shape shape = gt_tensor_shape(batch.x);
    cr_assert(gt_dim(shape, 1) == longest_of_second && gt_dim(shape, 2) == 2);
    gt_Tensor *mask = gt_mask(batch.x);
    for (int64_t row = 0; row < 4; row++)
        for (int64_t step = 0; step < longest_of_second; step++) {
            bool there = step <= row; /* row 4 has one step, 5 has two ... */
            cr_assert_eq(gt_element(batch.x, (row * longest_of_second + step) * 2 + 1),
                         there ? (double)row + 5 : padding);
            cr_assert_eq(gt_element(batch.y, row * longest_of_second + step),
                         there ? (double)row + 5 : 0);
            cr_assert_eq(gt_element(mask, row * longest_of_second + step), there);
        }
    cr_assert(gt_dataset_next(data, &batch) && batch.size == 2 && !gt_dataset_next(data, &batch),
              "%s", gt_error_message());
    ok();
    gt_dataset_free(data);
}

Test(datasets, padding)
{
    padded(gt_dataset_batch(gt_dataset_from_function(steps_rows, NULL), 4, .pad = true), 4, 0);
    padded(gt_dataset_batch(gt_dataset_from_function(steps_rows, NULL, .rows = 10), 4, .pad = true,
                            .padding = -1, .multiple = 8),
           8, -1);
    gt_Dataset *kept =
        gt_dataset_cache(gt_dataset_shuffle(gt_dataset_from_function(steps_rows, NULL), 1));
    padded(gt_dataset_batch(gt_dataset_shuffle(kept, 1), 4, .pad = true), 4, 0);
    gt_Batch batch;
    gt_Dataset *bare = gt_dataset_batch(gt_dataset_from_function(steps_rows, NULL), 4);
    refused(gt_dataset_next(bare, &batch), GT_INVALID,
            "x 0 of the rows of a batch must have one dtype and shape (got float32 (1, 1, 2) and "
            "float32 (1, 2, 2)); "
            "gt_dataset_batch(dataset, n, .pad = true)");
    cr_assert_eq(gt_dataset_position(bare).row, 0, "a batch that failed moved the dataset");
    /* equal lengths have no mask */
    gt_Dataset *even = gt_dataset_batch(numbers(4, false, 4), 4, .pad = true);
    cr_assert(gt_dataset_next(even, &batch) && !gt_mask(batch.x));
    gt_dataset_free(even), gt_dataset_free(bare);
    /* a layer that knows masks sees the padding as nothing */
    gt_Layer *mean = gt_GlobalAveragePooling1D();
    gt_Dataset *data = gt_dataset_batch(gt_dataset_from_function(steps_rows, NULL), 4, .pad = true);
    cr_assert(gt_dataset_next(data, &batch));
    gt_Tensor *y = gt_call(mean, batch.x);
    ok();
    for (int row = 0; row < 4; row++)
        cr_assert_eq(gt_element(y, 2 * row), row + 1);
    gt_layer_free(mean), gt_dataset_free(data);
}

/* ---- weights ---- */

Test(datasets, weights)
{
    gt_Tensor *x = gt_arange(0, 4, 1);
    gt_Tensor *weights = gt_array(gt_shape(2), 1, 20);
    gt_Batch batch;
    static const int32_t classes[] = {0, 1, 1, 2};
    gt_Tensor *y = gt_from_data(classes, gt_shape(4), GT_INT32);
    gt_Tensor *forms[] = {y, gt_reshape(y, gt_shape(4, 1)), gt_cast(gt_one_hot(y, 3), GT_FLOAT32)};
    for (int i = 0; i < 3; i++) {
        gt_Dataset *data = gt_dataset_class_weight(
            gt_dataset_from_tensors(x, forms[i], .shuffle = false,
                                    .sample_weight =
                                        gt_tensors(gt_array(gt_shape(4), 1, 1, 0.5, 3))),
            weights);
        ok();
        cr_assert(gt_dataset_next(data, &batch), "%s", gt_error_message());
        static const double expected[] = {1, 20, 10, 3};
        cr_assert_eq(gt_rank(batch.weights[0]), 1);
        for (int k = 0; k < 4; k++)
            cr_assert_eq(gt_element(batch.weights[0], k), expected[k], "form %d, row %d", i, k);
        gt_dataset_free(data);
    }
    gt_Dataset *data = gt_dataset_class_weight(gt_dataset_from_tensors(x, NULL), weights);
    refused(gt_dataset_next(data, &batch), GT_INVALID, "class weights are for rows with labels");
    gt_dataset_free(data);
    data = gt_dataset_class_weight(gt_dataset_from_tensors(x, gt_array(gt_shape(4), 1, 0.5, 2, 3)),
                                   weights);
    refused(gt_dataset_next(data, &batch), GT_INVALID, "labels that are classes (got 0.5)");
    gt_dataset_free(data);
    refused(gt_dataset_class_weight(gt_dataset_from_tensors(x, y), y), GT_INVALID,
            "weights must be floats (classes)");
}

/* ---- classes of one's own ---- */

typedef struct Log {
    int64_t rows;
    int passes, freed, seeks;
} Log;

static int64_t log_count(void *self)
{
    return ((Log *)self)->rows;
}

static gt_Status log_fetch(void *self, const int64_t *rows, int64_t count, gt_Batch *batch)
{
    (void)self;
    batch->x = gt_cast(gt_from_data(rows, gt_shape(count), GT_INT64), GT_FLOAT32);
    batch->y = gt_multiply(batch->x, 10);
    return gt_status();
}

static gt_Status log_next(void *self, const gt_RowsWanted *wanted, gt_Batch *batch)
{
    Log *log = self;
    int64_t *state = wanted->state;
    log->passes += *state == 0;
    cr_assert_eq(*state, wanted->row, "the pass lost its state");
    if (*state < log->rows) {
        batch->x = gt_full(gt_shape(1), (double)*state);
        batch->y = gt_full(gt_shape(1), 10 * (double)*state);
        ++*state;
    }
    return gt_status();
}

static gt_Status log_seek(void *self, const gt_RowsWanted *wanted)
{
    ((Log *)self)->seeks++;
    *(int64_t *)wanted->state = wanted->row;
    return gt_status();
}

static bool log_fill(void *self, int64_t row, void *const *into, char message[GT_FILL_MESSAGE])
{
    if (row == ((Log *)self)->rows - 1 && ((Log *)self)->seeks) {
        snprintf(message, GT_FILL_MESSAGE, "row %lld is not readable", (long long)row);
        return false;
    }
    *(float *)into[0] = (float)row;
    *(double *)into[1] = 10 * (double)row;
    return true;
}

static gt_RowSpec log_columns(void *self)
{
    (void)self;
    gt_RowSpec row = {
        2, {{{.dtype = GT_FLOAT32, .size = 1}, false}, {{.dtype = GT_FLOAT64, .size = 1}, true}}};
    return row;
}

static void log_destroy(void *self)
{
    ((Log *)self)->freed++;
}

static const gt_DatasetClass fetching = {.size = sizeof fetching,
                                         .name = "log",
                                         .count = log_count,
                                         .fetch = log_fetch,
                                         .destroy = log_destroy};
static const gt_DatasetClass streaming = {.size = sizeof streaming,
                                          .name = "log",
                                          .next = log_next,
                                          .state = sizeof(int64_t),
                                          .seek = log_seek,
                                          .destroy = log_destroy};
static const gt_DatasetClass filling = {.size = sizeof filling,
                                        .name = "log",
                                        .count = log_count,
                                        .fill = log_fill,
                                        .columns = log_columns,
                                        .destroy = log_destroy};

Test(datasets, classes)
{
    const gt_DatasetClass *const types[] = {&fetching, &streaming, &filling};
    int64_t order[16];
    for (int i = 0; i < 3; i++) {
        Log log = {.rows = 9};
        gt_Dataset *data = gt_dataset_of(types[i], &log, .batch_size = 4);
        ok();
        cr_assert_eq(gt_dataset_fetches(data), i != 1);
        gives(gt_dataset_skip(gt_dataset_map(data, add_hundred, NULL), 2), 7, NULL, 2);
        cr_assert_eq(log.freed, 1);
    }
    Log log = {.rows = 9};
    gt_Dataset *data = gt_dataset_of(&streaming, &log, .batch_size = 4);
    gt_dataset_seek(data, (gt_DatasetPosition){0, 7});
    cr_assert(epoch_of(data, order, 16, NULL) == 2 && order[0] == 7 && log.seeks == 1,
              "a seek of the class");
    const int64_t third[] = {3};
    gt_Batch batch;
    refused(gt_dataset_fetch(data, third, 1, &batch), GT_INVALID,
            "log gives its rows one after the other, not by number");
    gt_dataset_free(data);
    cr_assert_eq(log.freed, 1);

    data = gt_dataset_of(&filling, &log, .batch_size = 4, .shuffle = false);
    cr_assert(gt_dataset_fetch(data, third, 1, &batch) == GT_OK && gt_element(batch.y, 0) == 30 &&
              gt_dtype(batch.y) == GT_FLOAT64);
    refused(gt_dataset_fetch(data, ROWS(9), 1, &batch), GT_INVALID,
            "row 9 is out of range: the dataset has 9 rows");
    refused(gt_dataset_fetch(data, NULL, 1, &batch), GT_INVALID, "the numbers of at least 1 row");
    cr_assert(log.seeks == 1);
    while (gt_dataset_next(data, &batch))
        ;
    cr_assert(strstr(gt_error_message(), "row 8 is not readable"), "%s", gt_error_message());
    gt_error_clear();
    cr_assert_eq(gt_dataset_position(data).row, 8, "it stands before the batch that failed");
    gt_dataset_free(data);

    /* passes by hand */
    data = gt_dataset_take(numbers(9, true, 4), 5);
    gt_DatasetPass *pass = gt_dataset_pass_begin(data);
    cr_assert(gt_dataset_pass_next(pass, 2, &batch) && batch.size == 2 &&
              gt_element(batch.x, 1) == 1);
    cr_assert(gt_dataset_pass_skip(pass, 2) == GT_OK && gt_dataset_pass_next(pass, 9, &batch) &&
              batch.size == 1);
    cr_assert(!gt_dataset_pass_next(pass, 9, &batch) && gt_status() == GT_OK);
    refused(gt_dataset_pass_next(pass, 0, &batch), GT_INVALID, "count >= 1 (got 0)");
    gt_dataset_free(data); /* the pass holds it */
    cr_assert(gt_dataset_pass_skip(pass, 1) == GT_OK);
    gt_dataset_pass_free(pass);
    refused(gt_dataset_pass_next(pass, 1, &batch), GT_STALE, "was freed");

    static const gt_DatasetClass empty = {.size = sizeof empty, .name = "empty"};
    static const gt_DatasetClass both = {
        .size = sizeof both, .name = "both", .fetch = log_fetch, .next = log_next};
    static const gt_DatasetClass countless = {
        .size = sizeof countless, .name = "countless", .fetch = log_fetch};
    static const gt_DatasetClass blank = {
        .size = sizeof blank, .name = "blank", .count = log_count, .fill = log_fill};
    refused(gt_dataset_of(&empty, NULL), GT_INVALID,
            "empty: a class has one of fetch, next and fill");
    refused(gt_dataset_of(&both, NULL), GT_INVALID, "both: a class has one of");
    refused(gt_dataset_of(&countless, NULL), GT_INVALID,
            "countless: rows are had by number, so the class must have count");
    refused(gt_dataset_of(&blank, NULL), GT_INVALID,
            "blank: with fill the class must have columns");
    refused(gt_dataset_of(NULL, NULL), GT_INVALID, "must have its size");
}

/* ---- functions that do it wrong ---- */

static gt_Status loses_rows(void *user, gt_Batch *batch)
{
    (void)user;
    batch->x = gt_get_item(batch->x, "1:");
    batch->y = NULL;
    batch->ys[0] = NULL;
    batch->y_count = 0;
    return gt_status();
}

static gt_Status tears_rows(void *user, gt_Batch *batch)
{
    (void)user;
    batch->x = gt_get_item(batch->x, "1:");
    return gt_status();
}

static gt_Status fails_silently(void *user, gt_Batch *batch)
{
    (void)user, (void)batch;
    return GT_IO;
}

static gt_Tensor *answers_wrongly(void *user, const gt_Batch *batch)
{
    (void)user;
    return batch->x;
}

static gt_Status too_many(void *user, int64_t epoch, int64_t first, int64_t count, gt_Batch *batch)
{
    (void)user, (void)epoch, (void)first;
    batch->x = gt_zeros(gt_shape(count + 1));
    return gt_status();
}

static gt_Status no_rows(void *user, int64_t epoch, int64_t first, int64_t count, gt_Batch *batch)
{
    (void)user, (void)epoch, (void)first, (void)count;
    batch->x = gt_scalar(1, GT_FLOAT32);
    return gt_status();
}

static void fails_with(gt_Dataset *data, gt_Status status, const char *text)
{
    gt_Batch batch;
    cr_assert(data != NULL, "%s", gt_error_message());
    refused(gt_dataset_next(data, &batch), status, text);
    cr_assert(!batch.x && gt_dataset_position(data).row == 0);
    gt_dataset_free(data);
}

Test(datasets, mistakes)
{
    Ramp ramp;
    fails_with(gt_dataset_map(numbers(4, false, 3), loses_rows, NULL), GT_INVALID,
               "must keep the number of rows (3 became 2)");
    fails_with(gt_dataset_map(numbers(4, false, 3), tears_rows, NULL), GT_INVALID,
               "y 0 has 3 rows, and x has 2");
    fails_with(gt_dataset_map(stream(&ramp, 4, 0, 3), fails_silently, NULL), GT_IO,
               "failed without saying why");
    fails_with(gt_dataset_filter(numbers(4, false, 3), answers_wrongly, NULL), GT_INVALID,
               "must answer with 3 bools, one for each row (got 3 of float32)");
    fails_with(gt_dataset_from_function(too_many, NULL), GT_INVALID,
               "next gave 33 rows, and 32 were wanted at most");
    fails_with(gt_dataset_from_function(no_rows, NULL), GT_INVALID,
               "x 0 must have at least 1 dimension");
    fails_with(gt_dataset_repeat(gt_dataset_filter(numbers(4, false, 3), none_is, NULL), -1),
               GT_INVALID, "there is no row to repeat");
    refused(gt_dataset_cache(gt_dataset_filter(numbers(4, false, 3), none_is, NULL)), GT_INVALID,
            "no row to keep");
    refused(gt_dataset_take(numbers(4, false, 3), 0), GT_INVALID, "count must be >= 1 (got 0)");
    refused(gt_dataset_skip(numbers(4, false, 3), -1), GT_INVALID, "count must be >= 0 (got -1)");
    refused(gt_dataset_skip(numbers(4, false, 3), 4), GT_INVALID,
            "no row is left of the 4 that there are");
    refused(gt_dataset_repeat(numbers(4, false, 3), 0), GT_INVALID,
            "times must be >= 1, or -1 for ever (got 0)");
    refused(gt_dataset_batch(numbers(4, false, 3), 0), GT_INVALID,
            "batch_size must be >= 1 (got 0)");
    refused(gt_dataset_batch(numbers(4, false, 3), 5, .drop_remainder = true), GT_INVALID,
            "leaves no batch: 4 rows, batches of 5");
    refused(gt_dataset_batch(numbers(4, false, 3), 5, .multiple = 0), GT_INVALID,
            "multiple must be >= 1");
    refused(gt_dataset_shuffle(numbers(4, false, 3), 0), GT_INVALID,
            "buffer must be 1 to 2147483647 rows, or -1");
    refused(gt_dataset_shuffle(numbers(4, false, 3), (int64_t)1 << 40), GT_INVALID,
            "buffer must be 1 to 2147483647 rows, or -1: all (got 1099511627776)");
    refused(gt_dataset_shuffle(numbers(4, false, 3), 2, .seed = -3), GT_INVALID,
            "seed must be >= -1");
    refused(gt_dataset_map(numbers(4, false, 3), NULL, NULL), GT_INVALID, "dataset_map");
    refused(gt_dataset_filter(numbers(4, false, 3), NULL, NULL), GT_INVALID, "dataset_filter");
    refused(gt_dataset_from_function(NULL, NULL), GT_INVALID, "dataset_from_function");
    refused(gt_dataset_from_function(ramp_rows, NULL, .rows = 0), GT_INVALID,
            "rows must be >= 1, or -1");
    refused(gt_dataset_map(NULL, add_hundred, NULL), GT_INVALID, "NULL");
    gt_Dataset *a, *b;
    gt_Dataset *flow = stream(&ramp, 4, 0, 3);
    refused(gt_dataset_split(flow, 0.5, &a, &b), GT_INVALID, "gt_dataset_cache keeps them");
    gt_dataset_free(flow);
    /* of a nested call that fails nothing is left, and nothing is taken twice */
    gt_Dataset *other = numbers(4, false, 3);
    refused(gt_dataset_zip(gt_dataset_take(numbers(4, false, 3), -1),
                           gt_dataset_map(other, add_hundred, NULL)),
            GT_INVALID, "count must be");
    refused(gt_dataset_size(other), GT_STALE, "freed");
}

/* ---- training on them ---- */

static gt_Status half(void *user, gt_Batch *batch)
{
    (void)user;
    batch->x = gt_reshape(gt_divide(batch->x, 20), gt_shape(-1, 1));
    batch->y = gt_reshape(gt_divide(batch->y, 200), gt_shape(-1, 1));
    return gt_status();
}

Test(datasets, training)
{
    Ramp ramp;
    gt_Layer *model = gt_Sequential(gt_Dense(1));
    gt_compile(model, .optimizer = gt_SGD(0.5), .loss = gt_MeanSquaredError());
    gt_Dataset *train = gt_dataset_map(gt_dataset_shuffle(stream(&ramp, 20, 0, 5), 8), half, NULL);
    gt_Dataset *test =
        gt_dataset_map(gt_dataset_filter(numbers(20, false, 3), is_even, NULL), half, NULL);
    gt_History *history =
        gt_fit(model, train, .epochs = 30, .validation = test, .verbose = GT_VERBOSITY_SILENT);
    ok();
    cr_assert(gt_history_get(history, "val_loss", -1) < 1e-3, "val_loss %g",
              gt_history_get(history, "val_loss", -1));
    double loss = gt_evaluate(model, test).loss;
    ok();
    cr_assert(fabs(loss - gt_history_get(history, "val_loss", -1)) < 1e-12);
    gt_Tensor *predicted = gt_predict(model, test); /* ten rows, though nobody said so */
    ok();
    cr_assert_eq(gt_dim(gt_tensor_shape(predicted), 0), 10);
    for (int i = 0; i < 10; i++)
        cr_assert(fabs(gt_element(predicted, i) - 0.1 * i) < 0.1);
    gt_Layer *normalize = gt_Normalization();
    gt_adapt(normalize, test);
    ok();
    cr_assert(fabs(gt_element(gt_call(normalize, gt_full(gt_shape(1, 1), 0.45)), 0)) < 1e-6,
              "the mean of 0, 0.1, ... 0.9");
    gt_dataset_free(train), gt_dataset_free(test);
    gt_layer_free(model), gt_layer_free(normalize), gt_history_free(history);
}

/* A run over a stream that is saved in the middle of an epoch, and goes on in another program, where nothing is known of it yet. */
Test(datasets, checkpoints, .init = open_folder, .fini = close_folder)
{
    Ramp ramp;
    gt_Batch batch;
    double next[2];
    gt_DatasetPosition at = {1, 10};
    for (int run = 0; run < 2; run++) {
        gt_context_free(NULL);
        gt_context_use(gt_context_create(.seed = 3));
        gt_Layer *model = gt_Sequential(gt_Dense(1));
        gt_compile(model, .optimizer = gt_SGD(0.5), .loss = gt_MeanSquaredError());
        gt_Dataset *data =
            gt_dataset_map(gt_dataset_shuffle(stream(&ramp, 20, 0, 5), 8), half, NULL);
        if (run == 0) {
            gt_fit(model, data, .epochs = 1, .verbose = GT_VERBOSITY_SILENT);
            cr_assert(gt_dataset_next(data, &batch) && gt_dataset_next(data, &batch));
            gt_save_checkpoint(in_folder("c"), model, .dataset = data);
        } else {
            gt_call(model, gt_ones(gt_shape(1, 1)));
            gt_load_checkpoint(in_folder("c"), model, .dataset = data);
        }
        ok();
        gt_DatasetPosition place = gt_dataset_position(data);
        cr_assert(place.epoch == at.epoch && place.row == at.row);
        cr_assert(gt_dataset_next(data, &batch));
        next[run] = gt_element(batch.x, 3);
        gt_dataset_free(data), gt_layer_free(model);
    }
    cr_assert_eq(next[0], next[1]);
}

/* ---- no memory ---- */

static void dataset_life(void)
{
    static Ramp ramp;
    gt_Scope *scope = gt_scope_begin();
    for (int kind = 0; scope && kind < 12; kind++) {
        gt_Dataset *data = some_dataset(kind, &ramp);
        gt_Batch batch;
        for (int i = 0; i < 3 && data && gt_dataset_next(data, &batch); i++)
            ;
        gt_dataset_seek(data, (gt_DatasetPosition){0, 2});
        gt_dataset_next(data, &batch);
        gt_dataset_x(data);
        gt_Status status = gt_status();
        char said[200];
        snprintf(said, sizeof said, "%s", gt_error_message());
        gt_error_clear();
        gt_dataset_free(data);
        if (status != GT_OK) {
            gt_scope_end(scope);
            gt_fail(status, "%s", said);
            return;
        }
    }
    gt_Dataset *steps = gt_dataset_batch(
        gt_dataset_cache(gt_dataset_from_function(steps_rows, NULL)), 4, .pad = true);
    gt_Dataset *weighed =
        gt_dataset_class_weight(numbers(6, true, 2), gt_array(gt_shape(2), 1, 20));
    gt_Dataset *a = NULL, *b = NULL;
    gt_dataset_split(weighed, 0.5, &a, &b);
    gt_DatasetPass *pass = gt_dataset_pass_begin(steps);
    gt_Batch batch;
    gt_dataset_next(steps, &batch);
    gt_dataset_next(a, &batch);
    gt_dataset_pass_next(pass, 3, &batch);
    gt_Status status = gt_status();
    gt_error_clear();
    gt_dataset_pass_free(pass);
    gt_dataset_free(a), gt_dataset_free(b), gt_dataset_free(weighed), gt_dataset_free(steps);
    if (scope)
        gt_scope_end(scope);
    if (status != GT_OK)
        gt_fail(status, "it failed");
}

Test(datasets, no_memory)
{
    fail_allocations(dataset_life);
    assert_no_leaks();
}
