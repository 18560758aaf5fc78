/* Datasets as objects: how they present their rows, where they are, the next batch. What the rows are is their class's
 * (data/), in which order they come a pass's (data/pass.c). */
#include "train/dataset.h"
#include "core/assert.h"
#include "train/data/inside.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_dataset_of_options, gt_dataset_of_OPTIONS);
GT_OPTION_TYPE(gt_dataset_pass_begin_options, gt_dataset_pass_begin_OPTIONS);

/* ---- making and freeing ---- */

static void destroy(gt_Object *object)
{
    gt_Dataset *self = (gt_Dataset *)object;
    gt_pass_close(self->pass);
    gt_pass_close(self->slices);
    gt_worker_stop(self);
    if (self->type->destroy)
        self->type->destroy(self->self);
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

bool gt_dataset_is(const void *handle)
{
    return gt_object_is(handle, &dataset_kind);
}

gt_Object *gt_dataset_object(gt_Dataset *dataset)
{
    return &dataset->object;
}

bool gt_dataset_sink(gt_Context *context, gt_Dataset *dataset)
{
    if (!gt_dataset_check(context, NULL, NULL, dataset))
        return false;
    gt_object_sink(&dataset->object);
    return true;
}

/* Gives up the caller's hold, once. A dataset that another one was made of has none left: it is freed with that one. */
void gt_dataset_free(gt_Dataset *dataset)
{
    gt_object_free("dataset_free", dataset, &dataset_kind);
}

void *gt_self_new(gt_Context *context, size_t bytes)
{
    return gt_allocate_zeroed(context, bytes);
}

static gt_Status check_options(gt_Context *context, const gt_dataset_of_options *options,
                               int64_t rows)
{
    if (options->batch_size < 1)
        return gt_raise(context, GT_INVALID, NULL, NULL, "batch_size must be >= 1 (got %lld)",
                        (long long)options->batch_size);
    if (options->drop_remainder && rows >= 0 && options->batch_size > rows)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "drop_remainder leaves no batch: %lld rows, batches of %lld",
                        (long long)rows, (long long)options->batch_size);
    if (options->seed < -1)
        return gt_raise(context, GT_INVALID, NULL, NULL, "seed must be >= -1 (got %lld)",
                        (long long)options->seed);
    return gt_context_status(context);
}

gt_Dataset *gt_dataset_make(gt_Context *context, const gt_DatasetClass *type, void *self,
                            bool indexed, const gt_Dataset *like,
                            const gt_dataset_of_options *options)
{
    gt_Dataset *dataset = gt_context_status(context) == GT_OK
                              ? gt_object_new(context, &dataset_kind, sizeof *dataset)
                              : NULL;
    if (!dataset) {
        if (type->destroy)
            type->destroy(self);
        return NULL;
    }
    dataset->type = type;
    dataset->self = self;
    dataset->indexed = indexed;
    dataset->orders = type->orders;
    dataset->counted = -1;
    if (like) {
        dataset->how = like->how;
        dataset->names = gt_names_hold(like->names);
        dataset->ragged = like->ragged;
        dataset->mapped = like->mapped;
        dataset->endless = like->endless;
        dataset->order = like->order;
        dataset->drawn = like->drawn;
        return dataset;
    }
    int64_t seed =
        options->seed == -1 ? (int64_t)(gt_context_seed(context) & INT64_MAX) : options->seed;
    dataset->how = (gt_Presentation){.batch_size = options->batch_size,
                                     .shuffle = options->shuffle,
                                     .drop_remainder = options->drop_remainder,
                                     .seed = seed};
    if (check_options(context, options, type->count ? type->count(self) : -1) == GT_OK)
        return dataset;
    gt_object_release(&dataset->object);
    return NULL;
}

static bool check_class(gt_Context *context, const gt_DatasetClass *type)
{
    if (!type || type->size != sizeof *type || !type->name)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "the class must have its size (sizeof(gt_DatasetClass)) and a name");
    else if ((type->fetch != NULL) + (type->next != NULL) + (type->fill != NULL) != 1)
        gt_raise(context, GT_INVALID, NULL, NULL, "%s: a class has one of fetch, next and fill",
                 type->name);
    else if (!type->next && !type->count)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "%s: rows are had by number, so the class must have count", type->name);
    else if (type->fill && !type->columns)
        gt_raise(context, GT_INVALID, NULL, NULL, "%s: with fill the class must have columns",
                 type->name);
    else
        return true;
    return false;
}

gt_Dataset *gt_dataset_of_at(const char *here, const gt_DatasetClass *type, void *instance,
                             const gt_dataset_of_options *given)
{
    gt_Context *context = gt_enter();
    gt_dataset_of_options options;
    GT_TAKE(gt_dataset_of_options, &options, given);
    if (!context) {
        if (type && type->size == sizeof *type && type->destroy)
            type->destroy(instance);
        return NULL;
    }
    gt_Site site = gt_site_enter(here, "dataset_of");
    gt_Dataset *dataset = NULL;
    if (check_class(context, type)) {
        int64_t rows = type->next ? -1 : type->count(instance);
        if (!type->next && rows < 1)
            gt_raise(context, GT_INVALID, NULL, NULL, "%s: expected at least 1 row (got %lld)",
                     type->name, (long long)rows);
        dataset = gt_dataset_make(context, type, instance, !type->next, NULL, &options);
    }
    gt_site_leave(&site);
    return dataset;
}

gt_DataNames *gt_dataset_names(const gt_Dataset *dataset)
{
    return dataset->names;
}

/* A function of the user's tells nobody what it does to the columns; the first row that comes out of it does. */
bool gt_dataset_keeps_columns(const gt_Dataset *self)
{
    const gt_DataNames *names = self->names;
    if (!self->mapped || !names)
        return true;
    if (gt_dataset_look((gt_Dataset *)(uintptr_t)self) != GT_OK)
        return false;
    const int64_t width = self->x_count == 0 ? 0 : self->x_count == 1 && self->x.rank == 2 ? self->x.dims[1] : -1;
    return width == names->width && self->text_count == names->texts.count;
}

void gt_dataset_set_names(gt_Dataset *dataset, gt_DataNames *names)
{
    gt_names_release(dataset->names);
    dataset->names = names;
}

int64_t gt_dataset_seed(const gt_Dataset *dataset)
{
    return dataset->how.seed;
}

uint64_t gt_dataset_order(const gt_Dataset *dataset)
{
    return dataset->order;
}

int64_t gt_dataset_batch_size(const gt_Dataset *dataset)
{
    return dataset->how.batch_size;
}

/* ---- rows by number ---- */

int64_t gt_dataset_known_rows(const gt_Dataset *dataset)
{
    int64_t rows = dataset->type->count ? dataset->type->count(dataset->self) : -1;
    return rows >= 0 ? rows : dataset->counted;
}

gt_Status gt_dataset_get(gt_Dataset *dataset, const int64_t *rows, int64_t count, gt_Batch *batch)
{
    gt_Context *context = dataset->object.context;
    GT_ASSERT(dataset->indexed && count > 0);
    memset(batch, 0, sizeof *batch);
    gt_Status status = dataset->type->fill
                           ? gt_dataset_fill(dataset, rows, count, batch)
                           : dataset->type->fetch(dataset->self, rows, count, batch);
    if (status != GT_OK && gt_context_status(context) == GT_OK)
        gt_raise(context, status, NULL, NULL, "%s: fetch failed without saying why",
                 dataset->type->name);
    if (gt_batch_settle(context, dataset->type->name, NULL, batch) == GT_OK && batch->size != count)
        gt_raise(context, GT_INVALID, NULL, NULL, "%s: fetch gave %lld rows, and %lld were wanted",
                 dataset->type->name, (long long)batch->size, (long long)count);
    return gt_context_status(context);
}

void gt_dataset_expect(gt_Dataset *dataset, const int64_t *rows, int64_t count)
{
    if (dataset->indexed && dataset->type->fill)
        gt_worker_begin(dataset, rows, count);
    else if (dataset->indexed && dataset->type->ahead)
        dataset->type->ahead(dataset->self, rows, count);
}

/* ---- work inside a scope of its own ---- */

typedef struct Work {
    gt_Context *context;
    gt_Scope *outer;
    uint64_t recording;
} Work;

static bool work_begin(Work *work, gt_Context *context)
{
    *work = (Work){context, gt_scope_innermost(context), 0};
    if (!gt_scope_open(context))
        return false;
    work->recording = gt_tape_quiet(context);
    return true;
}

/* The batch, if there is one, goes to the scope around. */
static void work_end(const Work *work, gt_Batch *batch)
{
    gt_tape_unquiet(work->context, work->recording);
    if (batch && gt_context_status(work->context) == GT_OK && batch->size > 0)
        gt_batch_keep(work->context, batch);
    gt_scope_unwind(work->context, work->outer);
    if (batch && gt_context_status(work->context) != GT_OK)
        memset(batch, 0, sizeof *batch);
}

/* ---- batches ---- */

/* Takes back the batch before, where its scope did not. */
static void take_back(gt_Dataset *self)
{
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0; i < GT_MAX_COLUMNS && self->given[side][i].tensor; i++) {
            gt_ticket_free(self->object.context, self->given[side][i]);
            self->given[side][i] = (gt_Ticket){NULL, 0};
        }
}

/* The batch goes at the next call of gt_dataset_next, if it is still there. */
static void remember_batch(gt_Dataset *self, gt_Batch *batch)
{
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0, n = 0; i < gt_batch_count(batch, side); i++)
            if (gt_batch_side(batch, side)[i])
                self->given[side][n++] = gt_tensor_ticket(gt_batch_side(batch, side)[i]);
}

/* The pass of gt_dataset_next, at the place where the dataset is. */
static gt_Pass *pass_here(gt_Dataset *self)
{
    gt_Pass *pass = self->pass;
    if (pass && (pass->epoch != self->epoch || pass->row > self->row)) {
        gt_pass_close(pass);
        self->pass = pass = NULL;
    }
    if (!pass)
        self->pass = pass = gt_pass_open(self, self->epoch, false);
    if (pass && gt_pass_skip(pass, self->row - pass->row) == GT_OK)
        return pass;
    return NULL;
}

static void drop_pass(gt_Pass **pass)
{
    gt_pass_close(*pass);
    *pass = NULL;
}

/* The epoch is over: how many rows it had is known from here on. */
static void end_epoch(gt_Dataset *self, int64_t rows)
{
    self->counted = rows;
    self->epoch++;
    self->row = 0;
    drop_pass(&self->pass);
}

static bool next_batch(gt_Dataset *self, gt_Batch *batch)
{
    gt_Context *context = self->object.context;
    gt_Pass *pass = pass_here(self);
    if (!pass)
        return false;
    bool more = gt_pass_batch(pass, self->how.batch_size, batch);
    if (gt_context_status(context) != GT_OK)
        return false;
    if (!more || (self->how.drop_remainder && batch->size < self->how.batch_size)) {
        end_epoch(self, pass->row);
        memset(batch, 0, sizeof *batch);
        return false;
    }
    self->row = pass->row;
    return true;
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
    gt_Site site = gt_site_enter(here, operation);
    int64_t epoch = self->epoch, row = self->row;
    Work work;
    bool more = false;
    if (self->direct) {
        more = next_batch(self, batch);
    } else if (work_begin(&work, context)) {
        more = next_batch(self, batch);
        work_end(&work, batch);
    }
    /* After an error it stands where it stood, and begins the pass anew. */
    if (gt_context_status(context) != GT_OK) {
        drop_pass(&self->pass);
        self->epoch = epoch;
        self->row = row;
        memset(batch, 0, sizeof *batch);
        more = false;
    } else if (more) {
        remember_batch(self, batch);
    }
    gt_site_leave(&site);
    return more;
}

/* ---- slices: rows in their own order, beside the epochs ---- */

static gt_Status slice(gt_Dataset *self, int64_t first, int64_t count, gt_Batch *batch)
{
    gt_Context *context = self->object.context;
    if (self->slices && self->slices->row > first)
        drop_pass(&self->slices);
    if (!self->slices)
        self->slices = gt_pass_open(self, 0, true);
    if (!self->slices || gt_pass_skip(self->slices, first - self->slices->row) != GT_OK)
        return gt_context_status(context);
    if (self->slices->row == first && !gt_pass_batch(self->slices, count, batch) &&
        gt_context_status(context) == GT_OK) {
        self->counted = self->slices->row;
        drop_pass(&self->slices);
    }
    return gt_context_status(context);
}

static gt_Status slice_of(gt_Dataset *self, int64_t first, int64_t count, gt_Batch *batch)
{
    gt_Context *context = self->object.context;
    Work work;
    memset(batch, 0, sizeof *batch);
    if (!work_begin(&work, context))
        return gt_context_status(context);
    slice(self, first, count, batch);
    work_end(&work, batch);
    if (gt_context_status(context) != GT_OK)
        drop_pass(&self->slices);
    return gt_context_status(context);
}

gt_Status gt_dataset_slice(gt_Dataset *self, int64_t first, gt_Batch *batch)
{
    return slice_of(self, first, self->how.batch_size, batch);
}

bool gt_dataset_is_endless(const gt_Dataset *self)
{
    return self->endless;
}

int64_t gt_dataset_count(gt_Dataset *self)
{
    gt_Context *context = self->object.context;
    int64_t rows = gt_dataset_known_rows(self);
    if (rows >= 0)
        return rows;
    if (self->endless) {
        gt_raise(context, GT_INVALID, NULL, NULL, "the dataset has no end: it repeats for ever");
        return -1;
    }
    gt_Pass *pass = gt_pass_open(self, 0, true);
    if (pass && gt_pass_run(pass, INT64_MAX) == GT_OK)
        self->counted = rows = pass->row;
    gt_pass_close(pass);
    return rows;
}

/* ---- where one is ---- */

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

static const gt_Dataset *look(const char *here, const char *operation, const gt_Dataset *self)
{
    gt_Context *context = gt_enter();
    return context && gt_dataset_check(context, here, operation, self) ? self : NULL;
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
    int64_t rows = gt_dataset_known_rows(self);
    if (position.epoch < 0 || position.row < 0 || (rows >= 0 && position.row > rows))
        return gt_raise(self->object.context, GT_INVALID, here, "dataset_seek",
                        "epoch %lld, row %lld is out of range: the dataset has %lld rows",
                        (long long)position.epoch, (long long)position.row, (long long)rows);
    gt_dataset_return(self, position);
    return GT_OK;
}

/* ---- looking at one ---- */

/* The first row says how many columns there are, and of which shape. */
gt_Status gt_dataset_look(gt_Dataset *self)
{
    gt_Context *context = self->object.context;
    gt_Batch row;
    if (self->looked || !gt_scope_open(context))
        return gt_context_status(context);
    if (slice_of(self, 0, 1, &row) == GT_OK) {
        self->x_count = row.x_count;
        self->y_count = row.y_count;
        self->text_count = row.text_count;
        self->x = row.x ? *gt_tensor_spec(row.x) : (gt_Spec){.dtype = GT_DTYPE_NONE};
        self->y = row.y ? *gt_tensor_spec(row.y) : (gt_Spec){.dtype = GT_DTYPE_NONE};
        self->looked = true;
    }
    gt_scope_close(context);
    return gt_context_status(context);
}

/* Also what `look` only reads: what it learns does not show. */
static gt_Dataset *look_inside(const char *here, const char *operation, const gt_Dataset *self)
{
    if (!look(here, operation, self))
        return NULL;
    gt_Dataset *inside = (gt_Dataset *)(uintptr_t)self;
    gt_Site site = gt_site_enter(here, operation);
    gt_Status status = gt_dataset_look(inside);
    gt_site_leave(&site);
    return status == GT_OK ? inside : NULL;
}

int64_t gt_dataset_size_at(const char *here, const gt_Dataset *self)
{
    return look(here, "dataset_size", self) ? gt_dataset_known_rows(self) : -1;
}

int64_t gt_dataset_batches_at(const char *here, const gt_Dataset *self)
{
    if (!look(here, "dataset_batches", self))
        return -1;
    int64_t size = self->how.batch_size, rows = gt_dataset_known_rows(self);
    return rows < 0 ? -1 : rows / size + (!self->how.drop_remainder && rows % size > 0);
}

int gt_dataset_x_count_at(const char *here, const gt_Dataset *self)
{
    const gt_Dataset *inside = look_inside(here, "dataset_x_count", self);
    return inside ? inside->x_count : -1;
}

int gt_dataset_y_count_at(const char *here, const gt_Dataset *self)
{
    const gt_Dataset *inside = look_inside(here, "dataset_y_count", self);
    return inside ? inside->y_count : -1;
}

int gt_dataset_text_count_at(const char *here, const gt_Dataset *self)
{
    const gt_Dataset *inside = look_inside(here, "dataset_text_count", self);
    return inside ? inside->text_count : -1;
}

const char *gt_dataset_text_name_at(const char *here, const gt_Dataset *self, int index)
{
    static const char operation[] = "dataset_text_name";
    const gt_Dataset *inside = look_inside(here, operation, self);
    if (!inside)
        return "";
    const gt_Words *names = inside->names ? &inside->names->texts : NULL;
    if (index >= 0 && index < inside->text_count)
        return names && index < names->count ? gt_words_text(names, index) : "";
    gt_raise(inside->object.context, GT_INVALID, here, operation,
             "index %d is out of range: the dataset has %d columns of text", index, (int)inside->text_count);
    return "";
}

/* The spec of all rows from that of one; -1 rows where it is not known how many there are. */
static gt_Spec whole(const gt_Dataset *inside, const gt_Spec *row)
{
    gt_Spec spec = *row;
    int64_t rows = gt_dataset_known_rows(inside);
    if (spec.dtype == GT_DTYPE_NONE)
        return spec;
    spec.dims[0] = rows;
    spec.size = rows < 0 ? -1 : spec.size * rows;
    return spec;
}

gt_Spec gt_dataset_x_at(const char *here, const gt_Dataset *self)
{
    const gt_Dataset *inside = look_inside(here, "dataset_x", self);
    return inside ? whole(inside, &inside->x) : (gt_Spec){.dtype = GT_DTYPE_NONE};
}

gt_Spec gt_dataset_y_at(const char *here, const gt_Dataset *self)
{
    const gt_Dataset *inside = look_inside(here, "dataset_y", self);
    return inside ? whole(inside, &inside->y) : (gt_Spec){.dtype = GT_DTYPE_NONE};
}

/* ---- rows and passes, for classes that stand on other datasets ---- */

gt_Status gt_dataset_fetch_at(const char *here, gt_Dataset *self, const int64_t *rows,
                              int64_t count, gt_Batch *batch)
{
    static const char operation[] = "dataset_fetch";
    gt_Context *context = gt_enter();
    if (batch)
        memset(batch, 0, sizeof *batch);
    if (!context || !gt_dataset_check(context, here, operation, self))
        return gt_status();
    if (!batch || !rows || count < 1)
        return gt_raise(context, GT_INVALID, here, operation,
                        "expected the numbers of at least 1 row, and a batch (got %lld rows)",
                        (long long)count);
    if (!self->indexed)
        return gt_raise(context, GT_INVALID, here, operation,
                        "%s gives its rows one after the other, not by number", self->type->name);
    int64_t all = gt_dataset_known_rows(self);
    for (int64_t i = 0; i < count; i++)
        if (rows[i] < 0 || rows[i] >= all)
            return gt_raise(context, GT_INVALID, here, operation,
                            "row %lld is out of range: the dataset has %lld rows",
                            (long long)rows[i], (long long)all);
    gt_Site site = gt_site_enter(here, operation);
    Work work;
    if (work_begin(&work, context)) {
        gt_dataset_get(self, rows, count, batch);
        work_end(&work, batch);
    }
    gt_site_leave(&site);
    return gt_context_status(context);
}

bool gt_dataset_fetches_at(const char *here, const gt_Dataset *self)
{
    return look(here, "dataset_fetches", self) && self->indexed;
}

struct gt_DatasetPass {
    gt_Object object;
    gt_Dataset *dataset; /* held */
    gt_Pass *pass;
};

static void destroy_pass(gt_Object *object)
{
    gt_DatasetPass *self = (gt_DatasetPass *)object;
    gt_pass_close(self->pass);
    if (self->dataset)
        gt_object_release(&self->dataset->object);
}

static const gt_ObjectKind pass_kind = {"pass over a dataset", destroy_pass, false};

gt_DatasetPass *gt_dataset_pass_begin_at(const char *here, gt_Dataset *dataset,
                                         const gt_dataset_pass_begin_options *given)
{
    static const char operation[] = "dataset_pass_begin";
    gt_dataset_pass_begin_options options;
    GT_TAKE(gt_dataset_pass_begin_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context || !gt_dataset_check(context, here, operation, dataset))
        return NULL;
    if (options.epoch < 0) {
        gt_raise(context, GT_INVALID, here, operation, "epoch must be >= 0 (got %lld)",
                 (long long)options.epoch);
        return NULL;
    }
    gt_Site site = gt_site_enter(here, operation);
    gt_DatasetPass *self = gt_object_new(context, &pass_kind, sizeof *self);
    if (self) {
        self->pass = gt_pass_open(dataset, options.epoch, options.ordered);
        self->dataset = dataset;
        dataset->object.references++;
    }
    if (self && !self->pass) {
        gt_object_release(&self->object);
        self = NULL;
    }
    gt_site_leave(&site);
    return self;
}

static gt_Pass *pass_of(gt_Context *context, const char *here, const char *operation,
                        gt_DatasetPass *pass)
{
    if (!context || !gt_object_check(context, here, operation, pass, &pass_kind))
        return NULL;
    if (pass->object.context == context && pass->dataset->object.word == GT_WORD_OBJECT)
        return pass->pass;
    gt_raise(context, GT_STATE, here, operation,
             "this pass belongs to another context, or its dataset was freed");
    return NULL;
}

bool gt_dataset_pass_next_at(const char *here, gt_DatasetPass *self, int64_t count, gt_Batch *batch)
{
    static const char operation[] = "dataset_pass_next";
    gt_Context *context = gt_enter();
    if (batch)
        memset(batch, 0, sizeof *batch);
    gt_Pass *pass = pass_of(context, here, operation, self);
    if (!pass)
        return false;
    if (!batch || count < 1) {
        gt_raise(context, GT_INVALID, here, operation,
                 "expected a batch, and count >= 1 (got %lld)", (long long)count);
        return false;
    }
    gt_Site site = gt_site_enter(here, operation);
    Work work;
    bool more = false;
    if (work_begin(&work, context)) {
        more = gt_pass_piece(pass, count, batch);
        work_end(&work, batch);
    }
    gt_site_leave(&site);
    return more && gt_context_status(context) == GT_OK;
}

gt_Status gt_dataset_pass_skip_at(const char *here, gt_DatasetPass *self, int64_t count)
{
    gt_Context *context = gt_enter();
    gt_Pass *pass = pass_of(context, here, "dataset_pass_skip", self);
    if (!pass)
        return gt_status();
    gt_Site site = gt_site_enter(here, "dataset_pass_skip");
    gt_pass_skip(pass, count);
    gt_site_leave(&site);
    return gt_context_status(context);
}

void gt_dataset_pass_free(gt_DatasetPass *pass)
{
    gt_object_free("dataset_pass_free", pass, &pass_kind);
}
