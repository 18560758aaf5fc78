/* A dataset of one's own: a record of functions, as a layer is. It says what the rows are; the library puts them in order, makes
 * batches of them, and goes back to a place.
 *
 * Where rows can be had by number, `fetch` is all it takes:
 *
 *     static gt_Status squares(void *self, const int64_t *rows, int64_t count, gt_Batch *batch)
 *     {
 *         batch->x = gt_cast(gt_from_data(rows, gt_shape(count), GT_INT64), GT_FLOAT32);
 *         batch->y = gt_square(batch->x);
 *         return gt_status();
 *     }
 *     static int64_t thousand(void *self) { return 1000; }
 *     static const gt_DatasetClass squares_class = {.size = sizeof squares_class, .name = "squares", .count = thousand,
 *                                                   .fetch = squares};
 *     gt_Dataset *data = gt_dataset_of(&squares_class, NULL, .batch_size = 64);
 *
 * Where they come one after the other, from a simulation or a socket, it has `next`. Where a row is made by plain C in memory
 * of the library's, it has `fill` and says what a row looks like; then a thread can do it (gt_dataset_prefetch). */
#ifndef GT_TRAIN_DATA_CLASS_H
#define GT_TRAIN_DATA_CLASS_H

#include "train/dataset.h"

GT_BEGIN

/* The next rows of an epoch, as `next` is asked for them. */
typedef struct gt_RowsWanted {
    int64_t epoch; /* from 0 */
    int64_t row;   /* of the epoch, the first that is wanted: behind the one that came last */
    int64_t count; /* at most; one is enough, and with none the epoch is over */
    bool ordered;  /* in the dataset's own order: always, but for a class that orders */
    void *state;   /* of this pass: class->state bytes, zero when it begins */
} gt_RowsWanted;

/* One column of a row, as `fill` writes it. */
typedef struct gt_ColumnSpec {
    gt_Spec spec; /* of one row: (28, 28) of an image */
    bool label;   /* it is one of the batch's ys; else of its xs */
} gt_ColumnSpec;
/* All columns of a row: xs and ys. */
typedef struct gt_RowSpec {
    int32_t count;
    gt_ColumnSpec columns[GT_MAX_COLUMNS];
} gt_RowSpec;
/* Room for what `fill` says when it fails. */
#define GT_FILL_MESSAGE 256

/* The class of a dataset of one's own: its rows had by number or one after the other. */
typedef struct gt_DatasetClass {
    uint32_t size; /* sizeof(gt_DatasetClass) */
    const char *name;
    /* Rows of an epoch; -1, or no function: not known before its end. */
    int64_t (*count)(void *self);
    /* Rows by number, in any order, as new tensors: batch->x (count, ...) and batch->y, or xs, ys and weights with their
     * counts. It returns gt_status(). */
    gt_Status (*fetch)(void *self, const int64_t *rows, int64_t count, gt_Batch *batch);
    /* Or the next rows of a pass, which leaves the batch as it is when the epoch is over. The same epoch gives the same rows
     * again: a dataset that is put to a place runs its epoch up to there. Rows of different shapes come one at a time. */
    gt_Status (*next)(void *self, const gt_RowsWanted *wanted, gt_Batch *batch);
    bool
        orders; /* next shuffles by itself where it is not asked for `ordered`; else the library does */
    size_t state; /* bytes that a pass keeps between calls of next */
    /* Puts a pass that begins at row wanted->row at once, without those before; NULL: they are run through. */
    gt_Status (*seek)(void *self, const gt_RowsWanted *wanted);
    void (*close)(void *self, void *state); /* a pass ends; NULL: it holds nothing */
    /* Or one row by its number, into memory of the library's: into[i] for column i. It calls nothing of the library's, and
     * may run on another thread. False with a message if it fails. */
    bool (*fill)(void *self, int64_t row, void *const *into, char message[GT_FILL_MESSAGE]);
    gt_RowSpec (*columns)(void *self); /* with fill: what a row has */
    /* These rows will be asked for soon, by fetch; NULL: no matter. */
    void (*ahead)(void *self, const int64_t *rows, int64_t count);
    void (*destroy)(
        void *self); /* frees self, when nobody holds the dataset any more; NULL: nothing to free */
} gt_DatasetClass;

#define gt_dataset_of_OPTIONS(F, S) GT_BATCH_COMMON(F, S)
GT_OPTIONS(gt_dataset_of_options, gt_dataset_of_OPTIONS);

/* A dataset of a class, which stays where it is. `instance` is what its functions get as `self`; it is taken over, also when this fails:
 * class->destroy(instance). A class without fetch and fill cannot shuffle all its rows: gt_dataset_shuffle says how many it may
 * keep in memory for that, and until then they come in their own order. Floating. */
#define gt_dataset_of(...)                                                                         \
    gt_dataset_of_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                       \
                     GT_KEYWORDS(gt_dataset_of, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Dataset *gt_dataset_of_at(const char *here, const gt_DatasetClass *type, void *instance,
                                    const gt_dataset_of_options *options);

/* ---- what classes are made of that stand on other datasets ---- */

/* Rows by number, whatever the batch size and the order; the dataset does not move. The tensors belong to the innermost
 * scope. An error for a dataset that has only next. */
#define gt_dataset_fetch(dataset, rows, count, batch)                                              \
    gt_dataset_fetch_at(GT_HERE, dataset, rows, count, batch)
GT_API gt_Status gt_dataset_fetch_at(const char *here, gt_Dataset *dataset, const int64_t *rows,
                                     int64_t count, gt_Batch *batch);
/* Can they be had by number? */
#define gt_dataset_fetches(dataset) gt_dataset_fetches_at(GT_HERE, dataset)
GT_API bool gt_dataset_fetches_at(const char *here, const gt_Dataset *dataset);

/* A pass: one epoch of a dataset, row after row, beside what gt_dataset_next does. Several may be under way. */
typedef struct gt_DatasetPass gt_DatasetPass;
#define gt_dataset_pass_begin_OPTIONS(F, S)                                                        \
    F(S, int64_t, epoch, 0, "which epoch")                                                         \
    F(S, bool, ordered, true, "in the dataset's own order; false: as this epoch shuffles it")
GT_OPTIONS(gt_dataset_pass_begin_options, gt_dataset_pass_begin_OPTIONS);
/* Holds the dataset until it is freed. NULL on failure. */
#define gt_dataset_pass_begin(...)                                                                 \
    gt_dataset_pass_begin_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                       \
                             GT_KEYWORDS(gt_dataset_pass_begin, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_DatasetPass *gt_dataset_pass_begin_at(const char *here, gt_Dataset *dataset,
                                                const gt_dataset_pass_begin_options *options);
/* Between 1 and `count` rows; false at the end of the epoch and on failure. The tensors belong to the innermost scope. */
#define gt_dataset_pass_next(pass, count, batch)                                                   \
    gt_dataset_pass_next_at(GT_HERE, pass, count, batch)
GT_API bool gt_dataset_pass_next_at(const char *here, gt_DatasetPass *pass, int64_t count,
                                    gt_Batch *batch);
/* Goes over some rows, or all that are left. */
#define gt_dataset_pass_skip(pass, count) gt_dataset_pass_skip_at(GT_HERE, pass, count)
GT_API gt_Status gt_dataset_pass_skip_at(const char *here, gt_DatasetPass *pass, int64_t count);
/* Ends the pass. NULL is ignored. */
GT_API void gt_dataset_pass_free(gt_DatasetPass *pass);

GT_END

#endif
