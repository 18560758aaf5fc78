/* Rows in memory, shuffled by a Philox permutation of (seed, epoch), gathered into pooled buffers.
 * Leans on core for values, on io for files. */
#include "train/dataset.h"
#include "core/assert.h"
#include "train/data/names.h"
#include "train/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_dataset_from_tensors_options, gt_dataset_from_tensors_OPTIONS);
GT_OPTION_TYPE(gt_dataset_split_options, gt_dataset_split_OPTIONS);

/* What a row has: inputs, labels, weights of labels. */
enum { X, Y, WEIGHT, SIDES };

/* The columns of a dataset, held; a weight may be NULL. */
typedef struct Table {
    gt_Value *side[SIDES][GT_MAX_COLUMNS];
    int32_t count[SIDES];
} Table;

struct gt_Dataset {
    gt_Object object;
    gt_dataset_from_tensors_options options;
    Table table;
    int64_t rows;
    int64_t epoch, row;     /* where it is */
    int32_t runs;           /* of gt_fit that go through it */
    int64_t *order;         /* of `ordered`, NULL: never shuffled */
    int64_t ordered;        /* the epoch that `order` is of; -1: none */
    gt_Ticket given[SIDES][GT_MAX_COLUMNS]; /* the last batch */
    gt_DataNames *names;    /* held; NULL: none */
};

/* ---- making and freeing ---- */

static void destroy(gt_Object *object)
{
    gt_Dataset *self = (gt_Dataset *)object;
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0; i < self->table.count[side]; i++)
            if (self->table.side[side][i])
                gt_value_release(self->table.side[side][i], true);
    gt_release(object->context, self->order, (size_t)self->rows * sizeof *self->order);
    gt_names_release(self->names);
}

static const gt_ObjectKind dataset_kind = {"dataset", destroy, false};

bool gt_dataset_check(gt_Context *context, const char *here, const char *operation,
                      const gt_Dataset *dataset)
{
    if (!gt_object_check(context, here, operation, dataset, &dataset_kind))
        return false;
    if (dataset->object.context == context)
        return true;
    gt_raise(context, GT_STATE, here, operation, "this dataset belongs to another context");
    return false;
}

gt_Object *gt_dataset_object(gt_Dataset *dataset)
{
    return &dataset->object;
}

int64_t gt_dataset_seed(const gt_Dataset *dataset)
{
    return dataset->options.seed;
}

int64_t gt_dataset_batch_size(const gt_Dataset *dataset)
{
    return dataset->options.batch_size;
}

void gt_dataset_free(gt_Dataset *dataset)
{
    gt_object_free("dataset_free", dataset, &dataset_kind);
}

/* The rows of a tensor; -1 with an error if it has none that can be counted. */
static int64_t count_rows(gt_Context *context, const char *what, const gt_Value *value)
{
    if (gt_value_is_symbol(value))
        gt_raise(context, GT_STATE, NULL, NULL,
                 "%s must have elements (got a tensor of a traced function)", what);
    else if (gt_value_spec(value)->rank < 1)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "%s must have at least 1 dimension, the rows (got a scalar)", what);
    else if (gt_value_data(value) || gt_context_status(context) == GT_OK)
        return gt_value_spec(value)->dims[0];
    return -1;
}

/* The value behind a handle, to be held: so not another context's. */
static gt_Value *own_value(gt_Context *context, const char *here, const char *what,
                           const gt_Tensor *tensor)
{
    if (!gt_tensor_check(context, here, "dataset_from_tensors", what, tensor))
        return NULL;
    gt_Value *value = gt_tensor_value(tensor);
    if (gt_value_context(value) == context)
        return value;
    gt_raise(context, GT_STATE, here, "dataset_from_tensors",
             "%s is variable %s of another context", what, gt_variable_label(tensor));
    return NULL;
}

/* What errors call a column: "x", "y", "x 2", "sample_weight 1". */
static const char *name_of(int side, int32_t i, int32_t count, char text[32])
{
    static const char *const names[SIDES] = {"x", "y", "sample_weight"};
    if (count > 1)
        snprintf(text, 32, "%s %d", names[side], (int)i + 1);
    return count > 1 ? text : names[side];
}

/* All columns have as many rows as the first. */
static int64_t check_rows(gt_Context *context, const Table *table)
{
    char x_text[160], text[160], name[32];
    const gt_Value *x = table->side[X][0];
    int64_t rows = count_rows(context, name_of(X, 0, table->count[X], name), x);
    for (int side = 0; side < SIDES && rows >= 0; side++)
        for (int32_t i = 0; i < table->count[side] && rows >= 0; i++) {
            const gt_Value *value = table->side[side][i];
            const char *what = name_of(side, i, table->count[side], name);
            int64_t count = value ? count_rows(context, what, value) : rows;
            if (count < 0)
                return -1;
            if (count == rows)
                continue;
            gt_raise(context, GT_INVALID, NULL, NULL,
                     "x and %s must have the same number of rows (got %lld and %lld: %s and %s)", what,
                     (long long)rows, (long long)count,
                     gt_spec_text(gt_value_spec(x), x_text, sizeof x_text),
                     gt_spec_text(gt_value_spec(value), text, sizeof text));
            return -1;
        }
    if (rows == 0)
        gt_raise(context, GT_INVALID, NULL, NULL, "x must have at least 1 row (got %s)",
                 gt_spec_text(gt_value_spec(x), x_text, sizeof x_text));
    return rows;
}

/* Holds the columns. */
static gt_Dataset *make(gt_Context *context, const Table *table,
                        const gt_dataset_from_tensors_options *options)
{
    int64_t rows = check_rows(context, table);
    if (gt_context_status(context) != GT_OK)
        return NULL;
    if (options->batch_size < 1)
        gt_raise(context, GT_INVALID, NULL, NULL, "batch_size must be >= 1 (got %lld)",
                 (long long)options->batch_size);
    else if (options->drop_remainder && options->batch_size > rows)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "drop_remainder leaves no batch: %lld rows, batches of %lld", (long long)rows,
                 (long long)options->batch_size);
    else if (options->seed < -1)
        gt_raise(context, GT_INVALID, NULL, NULL, "seed must be >= -1 (got %lld)",
                 (long long)options->seed);
    if (gt_context_status(context) != GT_OK)
        return NULL;
    gt_Dataset *self = gt_object_new(context, &dataset_kind, sizeof *self);
    if (!self)
        return NULL;
    self->options = *options;
    if (options->seed == -1)
        self->options.seed = (int64_t)(gt_context_seed(context) & INT64_MAX);
    self->rows = rows;
    self->ordered = -1;
    self->table = *table;
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0; i < table->count[side]; i++)
            if (table->side[side][i])
                gt_value_retain(table->side[side][i], true);
    return self;
}

gt_Dataset *gt_dataset_of_columns(gt_Context *context, gt_Tensor *x, gt_Tensor *y, gt_Tensor *weight,
                                  const gt_dataset_from_tensors_options *batches)
{
    Table table = {.count = {1, y != NULL, weight && y}};
    table.side[X][0] = gt_tensor_value(x);
    table.side[Y][0] = y ? gt_tensor_value(y) : NULL;
    table.side[WEIGHT][0] = weight && y ? gt_tensor_value(weight) : NULL;
    return make(context, &table, batches);
}

const gt_DataNames *gt_dataset_names(const gt_Dataset *dataset)
{
    return dataset->names;
}

void gt_dataset_set_names(gt_Dataset *dataset, gt_DataNames *names)
{
    gt_names_release(dataset->names);
    dataset->names = names;
}

static gt_Status add_columns(gt_Context *context, const char *here, Table *table, int side,
                             gt_Tensors list)
{
    char name[32];
    if (list.count < 0 || list.count > GT_MAX_COLUMNS - table->count[side] ||
        (list.count > 0 && !list.items))
        return gt_raise(context, GT_INVALID, here, "dataset_from_tensors",
                        "there may be at most %d of each: inputs, labels, weights", GT_MAX_COLUMNS);
    for (int32_t i = 0; i < list.count && gt_context_status(context) == GT_OK; i++) {
        int32_t at = table->count[side]++;
        bool absent = side == WEIGHT && !list.items[i];
        table->side[side][at] =
            absent ? NULL
                   : own_value(context, here, name_of(side, at, GT_MAX_COLUMNS, name), list.items[i]);
    }
    return gt_context_status(context);
}

/* x and y, and the columns among the options. */
static gt_Status gather_table(gt_Context *context, const char *here, gt_Tensor *x, gt_Tensor *y,
                              const gt_dataset_from_tensors_options *options, Table *table)
{
    gt_Value *x_value = own_value(context, here, "x", x);
    gt_Value *y_value = x_value && y ? own_value(context, here, "y", y) : NULL;
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    table->side[X][0] = x_value;
    table->side[Y][0] = y_value;
    table->count[X] = 1;
    table->count[Y] = y != NULL;
    if (!y && options->more_y.count > 0)
        return gt_raise(context, GT_INVALID, here, "dataset_from_tensors",
                        "more_y comes after y, which is NULL");
    add_columns(context, here, table, X, options->more_x);
    add_columns(context, here, table, Y, options->more_y);
    add_columns(context, here, table, WEIGHT, options->sample_weight);
    int32_t weights = table->count[WEIGHT], labels = table->count[Y];
    if (weights > 0 && weights != labels && weights != 1)
        return gt_raise(context, GT_INVALID, here, "dataset_from_tensors",
                        "sample_weight must be one list of weights, or one for each of the %d "
                        "labels (got %d)",
                        (int)labels, (int)weights);
    for (; gt_context_status(context) == GT_OK && weights == 1 && table->count[WEIGHT] < labels;
         table->count[WEIGHT]++)
        table->side[WEIGHT][table->count[WEIGHT]] = table->side[WEIGHT][0];
    return gt_context_status(context);
}

gt_Dataset *gt_dataset_from_tensors_at(const char *here, gt_Tensor *x, gt_Tensor *y,
                                       const gt_dataset_from_tensors_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_dataset_from_tensors_options options = GT_TAKE(gt_dataset_from_tensors_options, given);
    Table table = {.count = {0}};
    if (gather_table(context, here, x, y, &options, &table) != GT_OK)
        return NULL;
    gt_Site site = gt_site_enter(here, "dataset_from_tensors");
    gt_Dataset *self = make(context, &table, &options);
    gt_site_leave(site);
    return self;
}

/* ---- order ---- */

/* Fisher and Yates, with the words of Philox stream `seed`, draw `epoch`. */
static void permute(const gt_Context *context, int64_t *order, int64_t n, int64_t seed,
                    int64_t epoch)
{
    enum { PIECE = 256 };
    uint64_t words[PIECE];
    gt_PhiloxKey key = {(uint64_t)seed, (uint64_t)epoch};
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    for (int64_t k = 0; k < n - 1; k++) {
        if (k % PIECE == 0)
            gt_context_kernels(context)->random_bits(key, k, PIECE, words);
        int64_t last = n - 1 - k;
        int64_t other = (int64_t)(words[k % PIECE] % (uint64_t)(last + 1));
        int64_t row = order[last];
        order[last] = order[other];
        order[other] = row;
    }
}

/* The order of the epoch that it is in. */
static gt_Status shuffle(gt_Dataset *self)
{
    gt_Context *context = self->object.context;
    if (self->ordered == self->epoch)
        return GT_OK;
    if (!self->order)
        self->order = gt_allocate(context, (size_t)self->rows * sizeof *self->order);
    if (!self->order)
        return gt_context_status(context);
    permute(context, self->order, self->rows, self->options.seed, self->epoch);
    self->ordered = self->epoch;
    return GT_OK;
}

/* ---- batches ---- */

static gt_Spec rows_spec(const gt_Value *value, int64_t count)
{
    gt_Spec spec = *gt_value_spec(value);
    spec.dims[0] = count;
    gt_spec_resize(&spec);
    return spec;
}

/* A mask has the rows of its tensor. */
static gt_Tensor *with_mask_rows(gt_Tensor *rows, gt_Tensor *mask)
{
    if (rows && mask)
        gt_value_set_mask(gt_tensor_value(rows), gt_tensor_value(mask));
    return rows;
}

/* Those rows, copied. */
static gt_Tensor *gather(gt_Context *context, const gt_Value *value, const int64_t *rows,
                         int64_t count)
{
    gt_Spec spec = rows_spec(value, count);
    const gt_Value *mask = gt_value_mask(value);
    void *data;
    gt_Tensor *tensor = gt_tensor_new(context, &spec, &data);
    size_t bytes = gt_spec_bytes(&spec) / (size_t)count;
    const char *source = gt_value_data(value);
    for (int64_t i = 0; tensor && i < count; i++)
        memcpy((char *)data + (size_t)i * bytes, source + (size_t)rows[i] * bytes, bytes);
    return with_mask_rows(tensor, mask ? gather(context, mask, rows, count) : NULL);
}

/* Rows first .. first + count - 1 where they are. */
static gt_Tensor *view(gt_Context *context, const gt_Value *value, int64_t first, int64_t count)
{
    gt_Spec spec = rows_spec(value, count);
    const gt_Value *mask = gt_value_mask(value);
    size_t bytes = gt_spec_bytes(&spec) / (size_t)count;
    gt_Value *part = gt_value_alias(context, value, &spec, (size_t)first * bytes);
    gt_Tensor *rows = part ? gt_handle_new(context, part) : NULL;
    return with_mask_rows(rows, mask ? view(context, mask, first, count) : NULL);
}

/* Takes back the batch before, where its scope did not. */
static void take_back(gt_Dataset *self)
{
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0; i < self->table.count[side]; i++) {
            gt_ticket_free(self->object.context, self->given[side][i]);
            self->given[side][i] = (gt_Ticket){NULL, 0};
        }
}

/* A batch of `size` rows: those of `order`, or where it is NULL the rows from `first` on. */
static gt_Status fill_batch(gt_Dataset *self, const int64_t *order, int64_t first, int64_t size,
                            gt_Batch *batch)
{
    gt_Context *context = self->object.context;
    const Table *table = &self->table;
    gt_Tensor **const into[SIDES] = {batch->xs, batch->ys, batch->weights};
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0; i < table->count[side] && gt_context_status(context) == GT_OK; i++) {
            const gt_Value *value = table->side[side][i];
            bool shared = side == WEIGHT && i > 0 && value == table->side[side][0];
            if (!value)
                continue;
            into[side][i] = shared  ? into[side][0]
                            : order ? gather(context, value, order, size)
                                    : view(context, value, first, size);
        }
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    batch->x_count = table->count[X];
    batch->y_count = table->count[Y];
    batch->x = batch->xs[0];
    batch->y = batch->ys[0];
    batch->size = size;
    return GT_OK;
}

gt_Status gt_dataset_slice(gt_Dataset *self, int64_t first, gt_Batch *batch)
{
    int64_t left = self->rows - first;
    int64_t size = left < self->options.batch_size ? left : self->options.batch_size;
    memset(batch, 0, sizeof *batch);
    return size <= 0 ? GT_OK : fill_batch(self, NULL, first, size, batch);
}

/* The batch goes at the next call of gt_dataset_next, if it is still there. */
static void remember_batch(gt_Dataset *self, const gt_Batch *batch)
{
    gt_Tensor *const *const from[SIDES] = {batch->xs, batch->ys, batch->weights};
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0; i < self->table.count[side]; i++)
            if (from[side][i])
                self->given[side][i] = gt_tensor_ticket(from[side][i]);
}

bool gt_dataset_next_at(const char *here, gt_Dataset *self, gt_Batch *batch)
{
    static const char operation[] = "dataset_next";
    gt_Context *context = gt_enter();
    if (batch)
        memset(batch, 0, sizeof *batch);
    if (!context || !gt_dataset_check(context, here, operation, self))
        return false;
    if (!batch || gt_tracing(context)) {
        gt_raise(context, batch ? GT_STATE : GT_INVALID, here, operation,
                 batch ? "it cannot run inside a traced function; give the batch as an argument"
                       : "the batch is NULL");
        return false;
    }
    take_back(self);
    GT_ASSERT(self->row >= 0 && self->row <= self->rows);
    const gt_dataset_from_tensors_options *options = &self->options;
    int64_t size = self->rows - self->row;
    if (size > options->batch_size)
        size = options->batch_size;
    if (size == 0 || (options->drop_remainder && size < options->batch_size)) {
        self->epoch++;
        self->row = 0;
        return false;
    }
    if (options->shuffle && shuffle(self) != GT_OK)
        return false;
    const int64_t *order = options->shuffle ? self->order + self->row : NULL;
    if (fill_batch(self, order, self->row, size, batch) != GT_OK) {
        memset(batch, 0, sizeof *batch);
        return false;
    }
    remember_batch(self, batch);
    self->row += size;
    return true;
}

/* ---- splitting ---- */

/* A new dataset of those rows. */
static gt_Dataset *part(gt_Dataset *self, const int64_t *rows, int64_t count)
{
    gt_Context *context = self->object.context;
    gt_Dataset *made = NULL;
    if (!gt_scope_open(context))
        return NULL;
    Table table = self->table;
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0; i < table.count[side] && gt_context_status(context) == GT_OK; i++) {
            gt_Tensor *kept = table.side[side][i] ? gather(context, table.side[side][i], rows, count)
                                                  : NULL;
            table.side[side][i] = kept ? gt_tensor_value(kept) : NULL;
        }
    if (gt_context_status(context) == GT_OK)
        made = make(context, &table, &self->options);
    if (made)
        gt_dataset_set_names(made, gt_names_hold(self->names));
    gt_scope_close(context);
    return made;
}

static gt_Status split(gt_Dataset *self, double fraction, gt_Dataset **first, gt_Dataset **second,
                       const gt_dataset_split_options *options)
{
    gt_Context *context = self->object.context;
    if (!first || !second || first == second)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "the places for the two parts must not be NULL, nor the same");
    if (!(fraction > 0 && fraction < 1))
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "fraction must be between 0 and 1 (got %g)", fraction);
    if (options->seed < -1)
        return gt_raise(context, GT_INVALID, NULL, NULL, "seed must be >= -1 (got %lld)",
                        (long long)options->seed);
    int64_t count = (int64_t)floor((double)self->rows * fraction + 0.5);
    if (count < 1 || count >= self->rows)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "one part would be empty: %lld rows and the fraction %g",
                        (long long)self->rows, fraction);
    size_t bytes = (size_t)self->rows * sizeof(int64_t);
    int64_t *rows = gt_allocate(context, bytes);
    if (!rows)
        return gt_context_status(context);
    int64_t seed =
        options->seed >= 0 ? options->seed : (int64_t)(gt_context_seed(context) & INT64_MAX);
    for (int64_t i = 0; i < self->rows; i++)
        rows[i] = i;
    if (options->shuffle) /* a draw that is no epoch's */
        permute(context, rows, self->rows, seed, -1);
    *first = part(self, rows, count);
    *second = *first ? part(self, rows + count, self->rows - count) : NULL;
    if (!*second) {
        gt_dataset_free(*first);
        *first = NULL;
    }
    gt_release(context, rows, bytes);
    return gt_context_status(context);
}

gt_Status gt_dataset_split_at(const char *here, gt_Dataset *dataset, double fraction,
                              gt_Dataset **first, gt_Dataset **second,
                              const gt_dataset_split_options *given)
{
    gt_Context *context = gt_enter();
    if (first)
        *first = NULL;
    if (second)
        *second = NULL;
    if (!context || !gt_dataset_check(context, here, "dataset_split", dataset))
        return gt_status();
    gt_dataset_split_options options = GT_TAKE(gt_dataset_split_options, given);
    gt_Site site = gt_site_enter(here, "dataset_split");
    split(dataset, fraction, first, second, &options);
    gt_site_leave(site);
    return gt_context_status(context);
}

/* ---- looking at one ---- */

static const gt_Dataset *look(const char *here, const char *operation, const gt_Dataset *self)
{
    gt_Context *context = gt_enter();
    return context && gt_dataset_check(context, here, operation, self) ? self : NULL;
}

gt_DatasetPosition gt_dataset_mark(const gt_Dataset *self)
{
    return (gt_DatasetPosition){self->epoch, self->row};
}

void gt_dataset_return(gt_Dataset *self, gt_DatasetPosition mark)
{
    self->epoch = mark.epoch;
    self->row = mark.row;
}

gt_DatasetPosition gt_dataset_enter(gt_Dataset *self)
{
    self->runs++;
    return gt_dataset_mark(self);
}

void gt_dataset_leave(gt_Dataset *self, gt_DatasetPosition mark)
{
    GT_ASSERT(self->runs > 0);
    if (--self->runs > 0)
        gt_dataset_return(self, mark);
}

gt_DatasetPosition gt_dataset_position_at(const char *here, const gt_Dataset *self)
{
    if (!look(here, "dataset_position", self))
        return (gt_DatasetPosition){-1, -1};
    return gt_dataset_mark(self);
}

gt_Status gt_dataset_seek_at(const char *here, gt_Dataset *self, gt_DatasetPosition position)
{
    if (!look(here, "dataset_seek", self))
        return gt_status();
    if (position.epoch < 0 || position.row < 0 || position.row > self->rows)
        return gt_raise(self->object.context, GT_INVALID, here, "dataset_seek",
                        "epoch %lld, row %lld is out of range: the dataset has %lld rows",
                        (long long)position.epoch, (long long)position.row, (long long)self->rows);
    gt_dataset_return(self, position);
    return GT_OK;
}

int64_t gt_dataset_size_at(const char *here, const gt_Dataset *self)
{
    return look(here, "dataset_size", self) ? self->rows : -1;
}

int64_t gt_dataset_batches_at(const char *here, const gt_Dataset *self)
{
    if (!look(here, "dataset_batches", self))
        return -1;
    int64_t size = self->options.batch_size;
    return self->rows / size + (!self->options.drop_remainder && self->rows % size > 0);
}

static gt_Spec side_spec(const char *here, const char *operation, const gt_Dataset *self, int side)
{
    if (!look(here, operation, self) || self->table.count[side] == 0)
        return (gt_Spec){.dtype = GT_DTYPE_NONE};
    return *gt_value_spec(self->table.side[side][0]);
}

int gt_dataset_x_count_at(const char *here, const gt_Dataset *self)
{
    return look(here, "dataset_x_count", self) ? self->table.count[X] : -1;
}

int gt_dataset_y_count_at(const char *here, const gt_Dataset *self)
{
    return look(here, "dataset_y_count", self) ? self->table.count[Y] : -1;
}

gt_Spec gt_dataset_x_at(const char *here, const gt_Dataset *self)
{
    return side_spec(here, "dataset_x", self, X);
}

gt_Spec gt_dataset_y_at(const char *here, const gt_Dataset *self)
{
    return side_spec(here, "dataset_y", self, Y);
}
