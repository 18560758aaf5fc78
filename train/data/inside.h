/* What the files of this folder share. A dataset is a class (class.h) and what it works on, `self`; beside that it has a way to
 * present its rows: batches of which size, in which order. Datasets that stand on another one inherit that way, so the rows of
 * every dataset have an order of their own, and shuffling and batching come last:
 *
 *     arrays -> map -> take        rows in their own order, asked for by number
 *                      pass        puts the numbers in the order of (seed, epoch), or goes through a buffer
 *                      next        asks the pass until a batch is full, joins what comes in pieces
 *
 * That is why take and skip never let a row of one part into the other. Private to the room. */
#ifndef GT_TRAIN_DATA_INSIDE_H
#define GT_TRAIN_DATA_INSIDE_H

#include "core/inside.h"
#include "core/strings_inside.h"
#include "core/text.h"
#include "train/data/class.h"
#include "train/data/names.h"
#include "train/internal.h"

/* What a row has: inputs, labels, weights of labels, text in two parts a column (strings.c). */
enum { X, Y, WEIGHT, TEXT, SIDES };

/* How rows are presented. */
typedef struct gt_Presentation {
    int64_t batch_size;
    bool shuffle, drop_remainder;
    bool always_the_same; /* every epoch in the order of the first */
    int64_t seed;
    int64_t
        buffer; /* rows that a shuffle chooses among; 0: all of those that can be had by number, and none of others */
    bool pad;   /* rows of different lengths become as long as the longest */
    double padding;   /* with this number */
    int64_t multiple; /* and then as long as a multiple of this */
    int32_t ahead;    /* batches that a thread works ahead */
} gt_Presentation;

/* One epoch, row after row. */
typedef struct gt_Pass {
    gt_Dataset *dataset; /* not held */
    int64_t epoch, row;
    bool ordered;
    void *state;    /* of the class */
    int64_t *order; /* of rows that are had by number: `ordered_rows` of them; NULL: their own */
    int64_t ordered_rows;
    int64_t *sequence; /* room for the numbers of rows in their own order */
    int64_t sequence_rows;
    struct gt_RowBuffer *buffer; /* of a shuffled stream; NULL: none */
    int64_t source_row;          /* rows that the stream gave */
} gt_Pass;

struct gt_Dataset {
    gt_Object object;
    const gt_DatasetClass *type;
    void *self;
    gt_Presentation how;
    bool indexed;       /* its rows can be had by number */
    bool direct; /* its class makes what a batch has and nothing else: no scope is needed around that */
    bool ragged;        /* its rows may differ in shape: they are had one at a time */
    bool mapped;        /* a function of the user's made its rows, or some beneath it */
    bool endless;       /* it repeats for ever */
    bool orders;        /* its class shuffles, each epoch of another dataset by itself */
    int64_t epoch, row; /* where it is */
    int32_t runs;       /* of gt_fit that go through it */
    gt_Pass *pass;      /* that gt_dataset_next goes on with; NULL: not begun */
    gt_Pass *slices;    /* in its own order; NULL: not begun */
    int64_t counted;    /* rows of a stream's epoch, once one was finished; -1: not known */
    bool looked;        /* the fields below are known */
    int32_t x_count, y_count, text_count;
    gt_Spec x, y;                           /* of one row, with 1 as the number of rows */
    gt_Ticket given[SIDES][GT_MAX_COLUMNS]; /* the last batch */
    uint64_t order; /* what the shuffle beneath a shard depends on, here or in a dataset that this one stands on; 0: no shard */
    uint64_t drawn; /* which rows a split chose, here or beneath; 0: none did */
    gt_DataNames *names;                    /* held; NULL: none */
    struct gt_Worker
        *worker; /* that makes rows of a class with fill ahead; NULL: there was no need */
};

/* ---- dataset.c ---- */

/* Takes self over, also when it fails. `like`: the presentation and the names of another dataset; NULL: those of `options`. */
gt_Dataset *gt_dataset_make(gt_Context *context, const gt_DatasetClass *type, void *self,
                            bool indexed, const gt_Dataset *like,
                            const gt_dataset_of_options *options);
/* Rows of an epoch; -1: not known. */
int64_t gt_dataset_known_rows(const gt_Dataset *dataset);
gt_Status gt_dataset_get(gt_Dataset *dataset, const int64_t *rows, int64_t count, gt_Batch *batch);
/* Makes known what a row looks like. */
gt_Status gt_dataset_look(gt_Dataset *dataset);
void gt_dataset_expect(gt_Dataset *dataset, const int64_t *rows, int64_t count); /* class->ahead */
/* A block for a class's self. */
void *gt_self_new(gt_Context *context, size_t bytes);
/* The argument of a function that makes a dataset of another: checked, held, and no longer the caller's. */
bool gt_dataset_sink(gt_Context *context, gt_Dataset *dataset);

/* ---- fill.c: rows that a class makes in memory it is given ---- */

/* Tensors of `count` rows without numbers yet; into[i] gets where those of column i go. */
gt_Status gt_fill_prepare(gt_Context *context, const char *name, const gt_RowSpec *row,
                          int64_t count, gt_Batch *batch, void **into);
/* Makes the rows. Calls nothing of the library's: it may run on another thread. False with a message. */
bool gt_fill_rows(const gt_DatasetClass *type, void *self, const gt_RowSpec *row,
                  const int64_t *rows, int64_t count, void *const *into,
                  char message[GT_FILL_MESSAGE]);
gt_Status gt_dataset_fill(gt_Dataset *dataset, const int64_t *rows, int64_t count, gt_Batch *batch);

/* ---- prefetch.c: the same on a thread ---- */

/* These rows are going to be asked for, in one go: begins with them, if there is room. */
void gt_worker_begin(gt_Dataset *dataset, const int64_t *rows, int64_t count);
/* The rows, if they were begun: waits for them. False: they were not, and nothing else is under way from here on. */
bool gt_worker_take(gt_Dataset *dataset, const int64_t *rows, int64_t count, gt_Batch *batch);
void gt_worker_stop(gt_Dataset *dataset);

/* ---- pass.c ---- */

gt_Pass *gt_pass_open(gt_Dataset *dataset, int64_t epoch,
                      bool ordered); /* NULL with an error raised */
void gt_pass_close(gt_Pass *pass);   /* NULL is ignored */
/* Between 1 and `count` rows; false at the end and on failure. */
bool gt_pass_piece(gt_Pass *pass, int64_t count, gt_Batch *batch);
/* Exactly `count` rows, fewer only at the end: false with none. */
bool gt_pass_batch(gt_Pass *pass, int64_t count, gt_Batch *batch);
/* Over `count` rows, which a stream is believed to have. */
gt_Status gt_pass_skip(gt_Pass *pass, int64_t count);
/* Over `count` rows, or those that are left: asks for them and drops them. pass->row says how many there were. */
gt_Status gt_pass_run(gt_Pass *pass, int64_t count);
/* Fisher and Yates, with the words of Philox stream `seed`, draw `epoch`. */
void gt_permute(const gt_Context *context, int64_t *order, int64_t n, int64_t seed, int64_t epoch);

/* ---- over.c: classes that stand on another dataset ---- */

/* What self begins with. */
typedef struct gt_Over {
    gt_Context *context;
    size_t bytes;   /* of self */
    gt_Dataset *of; /* held */
} gt_Over;
/* What a pass keeps. */
typedef struct gt_OverState {
    gt_Pass *pass; /* over `of`; NULL: not begun */
} gt_OverState;

/* Takes the dataset over, also on failure, and makes a self of so many bytes around it. NULL with an error raised, or one that
 * is pending. */
void *gt_over_begin(const char *here, const char *operation, gt_Dataset *dataset, size_t bytes);
/* Is it a function? Raises an error if not. */
bool gt_function_given(const char *here, const char *operation, const char *what,
                       uintptr_t function);
/* The dataset of a self, like the one it stands on. */
gt_Dataset *gt_over_make(const gt_DatasetClass *type, void *self, bool indexed);
void gt_over_free(void *self); /* when it is not going to be made */
/* Functions of such classes. */
int64_t gt_over_count(void *self);
gt_Status gt_over_fetch(void *self, const int64_t *rows, int64_t count, gt_Batch *batch);
gt_Status gt_over_next_as_wanted(void *self, const gt_RowsWanted *wanted, gt_Batch *batch);
gt_Status gt_over_seek(void *self, const gt_RowsWanted *wanted);
void gt_over_ahead(void *self, const int64_t *rows, int64_t count);
void gt_over_close(void *self, void *state);
void gt_over_destroy(void *self);
/* Rows of `of` that have other numbers there: list[row], or first + row where there is no list. `batch` of NULL: they are only
 * going to be asked for. */
gt_Status gt_dataset_get_renumbered(gt_Dataset *of, const int64_t *list, int64_t first,
                                    const int64_t *rows, int64_t count, gt_Batch *batch);
/* The next rows of the dataset below, in this pass. Size 0: there are none. */
gt_Status gt_over_next(gt_Over *over, const gt_RowsWanted *wanted, bool ordered, gt_Batch *batch);

/* ---- batch.c ---- */

static inline gt_Tensor **gt_batch_side(gt_Batch *batch, int side)
{
    return side == X ? batch->xs : side == Y ? batch->ys : side == WEIGHT ? batch->weights : batch->texts;
}
static inline int32_t gt_batch_count(const gt_Batch *batch,
                                     int side) /* of weights: one for each label */
{
    int32_t labels = batch->y_count > 0 ? batch->y_count : 1;
    return side == X      ? batch->x_count
           : side == Y    ? batch->y_count
           : side == TEXT ? 2 * batch->text_count
                          : labels;
}
/* A batch that a function of the user's made or changed: x or xs[0], whichever is new against `before` (NULL: an empty one);
 * counts; all columns have as many rows. Size 0: there is no x. */
gt_Status gt_batch_settle(gt_Context *context, const char *what, const gt_Batch *before,
                          gt_Batch *batch);
/* Rows of a batch as a new one. */
gt_Status gt_batch_gather(gt_Context *context, const gt_Batch *from, const int64_t *rows,
                          int64_t count, gt_Batch *batch);
/* Pieces of batches one after the other. Where rows are of different lengths they are padded if `how` says so. */
gt_Status gt_batch_join(gt_Context *context, const gt_Batch *pieces, int64_t count,
                        const gt_Presentation *how, gt_Batch *batch);
/* Passes the tensors of a batch to the scope around the innermost one. */
void gt_batch_keep(gt_Context *context, gt_Batch *batch);
/* ---- strings.c: `part` is where the column begins, an even number ---- */

/* How many strings it has; -1 with an error raised: it is no text. */
int64_t gt_batch_check_text(gt_Context *context, const char *what, const gt_Batch *batch, int32_t part);
/* Strings that lie one after the other, where they are. */
gt_Status gt_batch_view_text(gt_Context *context, gt_Value *bytes, const gt_Value *offsets,
                             int64_t first, int64_t count, gt_Batch *batch, int32_t part);
gt_Status gt_batch_gather_text(gt_Context *context, const gt_Batch *from, const int64_t *rows,
                               int64_t count, gt_Batch *batch, int32_t part);
gt_Status gt_batch_join_text(gt_Context *context, const gt_Batch *pieces, int64_t count,
                             gt_Batch *batch, int32_t part);

/* ---- batch.c ---- */

/* Rows of a value, copied; and rows that lie one after the other, where they are. */
gt_Tensor *gt_rows_gather(gt_Context *context, const gt_Value *value, const int64_t *rows,
                          int64_t count);
gt_Tensor *gt_rows_view(gt_Context *context, const gt_Value *value, int64_t first, int64_t count);

#endif
