/* Passes: the rows of an epoch in the order that (seed, epoch) says. Rows that can be had by number are put in order by their
 * numbers. A stream goes through a buffer: of the rows in it one is drawn, and the next of the stream takes its place.
 *
 * A pass can be made to stand at any row: of numbers by counting, of a stream by running it from the start of its epoch, draws
 * included, or by its class's seek. So the place of any dataset is (epoch, row). */
#include "train/data/inside.h"
#include "core/assert.h"

#include <string.h>

/* ---- orders ---- */

void gt_permute(const gt_Context *context, int64_t *order, int64_t n, int64_t seed, int64_t epoch)
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

/* Which of `count` rows in a buffer is drawn as number `draw` of an epoch. */
static int64_t drawn(const gt_Context *context, const gt_Dataset *dataset, int64_t epoch,
                     int64_t draw, int64_t count)
{
    uint64_t word;
    gt_PhiloxKey key = {(uint64_t)dataset->how.seed, (uint64_t)epoch};
    gt_context_kernels(context)->random_bits(key, draw, 1, &word);
    return (int64_t)(word % (uint64_t)count);
}

static int64_t order_epoch(const gt_Pass *pass)
{
    return pass->dataset->how.always_the_same ? 0 : pass->epoch;
}

/* The order in which rows leave a buffer that they enter in their own: the same as a stream's. */
static bool buffer_order(gt_Context *context, const gt_Pass *pass, int64_t *order, int64_t n)
{
    int64_t size = pass->dataset->how.buffer, count = 0, next = 0;
    int64_t *buffer = gt_allocate(context, (size_t)size * sizeof *buffer);
    for (int64_t draw = 0; buffer && draw < n; draw++) {
        while (count < size && next < n)
            buffer[count++] = next++;
        int64_t row = drawn(context, pass->dataset, order_epoch(pass), draw, count);
        order[draw] = buffer[row];
        buffer[row] = buffer[--count];
    }
    gt_release(context, buffer, (size_t)size * sizeof *buffer);
    return buffer != NULL;
}

static bool make_order(gt_Pass *pass, int64_t rows)
{
    const gt_Presentation *how = &pass->dataset->how;
    gt_Context *context = pass->dataset->object.context;
    if (pass->ordered || !how->shuffle || pass->dataset->orders)
        return true;
    pass->order = gt_allocate(context, (size_t)rows * sizeof *pass->order);
    if (!pass->order)
        return false;
    pass->ordered_rows = rows;
    if (how->buffer == 0 || how->buffer >= rows)
        gt_permute(context, pass->order, rows, how->seed, order_epoch(pass));
    else
        return buffer_order(context, pass, pass->order, rows);
    return true;
}

/* ---- the buffer of a stream ---- */

typedef struct gt_RowBuffer {
    int64_t size, count; /* rows there may be, and are */
    int64_t draws;
    bool ended; /* the stream */
    int32_t counts[SIDES];
    int32_t columns;   /* of all sides */
    int32_t capacity;  /* rows that there is room for: no more than came */
    gt_Value **values; /* held: `columns` of each row */
} gt_RowBuffer;

static void release_row(gt_RowBuffer *buffer, int64_t row)
{
    gt_Value **values = buffer->values + row * buffer->columns;
    for (int32_t i = 0; i < buffer->columns; i++)
        if (values[i])
            gt_value_release(values[i], true);
}

static void close_buffer(gt_Context *context, gt_RowBuffer *buffer)
{
    if (!buffer)
        return;
    for (int64_t row = 0; row < buffer->count; row++)
        release_row(buffer, row);
    gt_release(context, buffer->values,
               (size_t)buffer->capacity * (size_t)buffer->columns * sizeof *buffer->values);
    gt_release(context, buffer, sizeof *buffer);
}

static bool open_buffer(gt_Pass *pass)
{
    gt_Context *context = pass->dataset->object.context;
    const gt_Presentation *how = &pass->dataset->how;
    if (pass->ordered || !how->shuffle || how->buffer == 0 || pass->dataset->orders)
        return true;
    pass->buffer = gt_allocate_zeroed(context, sizeof *pass->buffer);
    if (pass->buffer)
        pass->buffer->size = how->buffer;
    return pass->buffer != NULL;
}

/* As many columns as the rows before; the first row says how many there are. */
static bool fit_buffer(gt_Context *context, gt_RowBuffer *buffer, const gt_Batch *batch)
{
    if (buffer->columns > 0) {
        for (int side = 0; side < SIDES; side++)
            if (buffer->counts[side] != gt_batch_count(batch, side)) {
                gt_raise(context, GT_INVALID, NULL, NULL,
                         "rows must have as many columns as those before them");
                return false;
            }
        return true;
    }
    for (int side = 0; side < SIDES; side++)
        buffer->columns += buffer->counts[side] = gt_batch_count(batch, side);
    return true;
}

/* Row `row` of a batch behind the others, as copies that hold no other row. */
static bool put_row(gt_Context *context, gt_RowBuffer *buffer, const gt_Batch *batch, int64_t row)
{
    gt_Batch one;
    const size_t bytes = (size_t)buffer->columns * sizeof *buffer->values;
    if (gt_batch_gather(context, batch, &row, 1, &one) != GT_OK ||
        !gt_reserve(context, (void **)&buffer->values, (int32_t)buffer->count, &buffer->capacity, bytes))
        return false;
    gt_Value **values = buffer->values + buffer->count * buffer->columns;
    for (int side = 0, n = 0; side < SIDES; side++)
        for (int32_t i = 0; i < buffer->counts[side]; i++, n++) {
            gt_Tensor *tensor = gt_batch_side(&one, side)[i];
            values[n] = tensor ? gt_tensor_value(tensor) : NULL;
            if (values[n])
                gt_value_retain(values[n], true);
        }
    buffer->count++;
    return true;
}

/* Takes a row out, as a batch of handles; the last row takes its place. */
static bool take_row(gt_Context *context, gt_RowBuffer *buffer, int64_t row, gt_Batch *batch)
{
    gt_Value **values = buffer->values + row * buffer->columns;
    memset(batch, 0, sizeof *batch);
    batch->x_count = buffer->counts[X];
    batch->y_count = buffer->counts[Y];
    batch->text_count = buffer->counts[TEXT] / 2;
    for (int side = 0, n = 0; side < SIDES; side++)
        for (int32_t i = 0; i < buffer->counts[side]; i++, n++)
            gt_batch_side(batch, side)[i] = values[n] ? gt_value_handle(values[n]) : NULL;
    batch->x = batch->xs[0];
    batch->y = batch->ys[0];
    batch->size = 1;
    release_row(buffer, row);
    buffer->count--;
    gt_Value **last = buffer->values + buffer->count * buffer->columns;
    memmove(values, last, (size_t)buffer->columns * sizeof *values);
    memset(last, 0, (size_t)buffer->columns * sizeof *last);
    return gt_context_status(context) == GT_OK;
}

/* ---- opening and closing ---- */

gt_Pass *gt_pass_open(gt_Dataset *dataset, int64_t epoch, bool ordered)
{
    gt_Context *context = dataset->object.context;
    gt_Pass *pass = gt_allocate_zeroed(context, sizeof *pass);
    if (!pass)
        return NULL;
    *pass = (gt_Pass){.dataset = dataset, .epoch = epoch, .ordered = ordered};
    bool ok = true;
    if (dataset->indexed)
        ok = make_order(pass, gt_dataset_known_rows(dataset));
    else
        ok = open_buffer(pass);
    if (ok && !dataset->indexed && dataset->type->state > 0) {
        pass->state = gt_allocate_zeroed(context, dataset->type->state);
        ok = pass->state != NULL;
    }
    if (ok)
        return pass;
    gt_pass_close(pass);
    return NULL;
}

void gt_pass_close(gt_Pass *pass)
{
    if (!pass)
        return;
    gt_Dataset *dataset = pass->dataset;
    gt_Context *context = dataset->object.context;
    if (pass->state && dataset->type->close)
        dataset->type->close(dataset->self, pass->state);
    gt_release(context, pass->state, dataset->type->state);
    gt_release(context, pass->order, (size_t)pass->ordered_rows * sizeof *pass->order);
    gt_release(context, pass->sequence, (size_t)pass->sequence_rows * sizeof *pass->sequence);
    close_buffer(context, pass->buffer);
    gt_release(context, pass, sizeof *pass);
}

/* ---- rows ---- */

/* The numbers of the next `count` rows; NULL with an error raised. */
static const int64_t *numbers_of(gt_Pass *pass, int64_t count)
{
    gt_Context *context = pass->dataset->object.context;
    if (pass->order)
        return pass->order + pass->row;
    if (pass->sequence_rows < count) {
        gt_release(context, pass->sequence, (size_t)pass->sequence_rows * sizeof *pass->sequence);
        pass->sequence_rows = 0;
        pass->sequence = gt_allocate(context, (size_t)count * sizeof *pass->sequence);
        if (!pass->sequence)
            return NULL;
        pass->sequence_rows = count;
    }
    for (int64_t i = 0; i < count; i++)
        pass->sequence[i] = pass->row + i;
    return pass->sequence;
}

/* Says which rows the next batches will ask for. */
static void look_ahead(gt_Pass *pass, int64_t count)
{
    gt_Dataset *dataset = pass->dataset;
    int64_t all = gt_dataset_known_rows(dataset), row = pass->row;
    if (count != dataset->how.batch_size) /* a look at some row, or the end */
        return;
    for (int32_t k = 0; k < dataset->how.ahead && pass->row < all; k++, pass->row += count) {
        int64_t some = all - pass->row < count ? all - pass->row : count;
        const int64_t *numbers = numbers_of(pass, some);
        if (numbers)
            gt_dataset_expect(dataset, numbers, some);
    }
    pass->row = row;
}

static bool numbered_piece(gt_Pass *pass, int64_t count, gt_Batch *batch)
{
    int64_t left = gt_dataset_known_rows(pass->dataset) - pass->row;
    count = count < left ? count : left;
    if (pass->dataset->ragged && count > 1)
        count = 1;
    const int64_t *numbers = count > 0 ? numbers_of(pass, count) : NULL;
    if (!numbers || gt_dataset_get(pass->dataset, numbers, count, batch) != GT_OK)
        return false;
    pass->row += count;
    look_ahead(pass, count);
    return gt_context_status(pass->dataset->object.context) == GT_OK;
}

/* The next rows of the stream as it comes. */
static bool stream_piece(gt_Pass *pass, int64_t count, gt_Batch *batch)
{
    gt_Dataset *dataset = pass->dataset;
    gt_Context *context = dataset->object.context;
    const gt_RowsWanted wanted = {pass->epoch, pass->source_row, count,
                                  !dataset->orders || pass->ordered, pass->state};
    memset(batch, 0, sizeof *batch);
    gt_Status status = dataset->type->next(dataset->self, &wanted, batch);
    if (status != GT_OK && gt_context_status(context) == GT_OK)
        gt_raise(context, status, NULL, NULL, "%s: next failed without saying why",
                 dataset->type->name);
    if (gt_batch_settle(context, dataset->type->name, NULL, batch) != GT_OK || batch->size == 0)
        return false;
    if (batch->size > count) {
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "%s: next gave %lld rows, and %lld were wanted at most", dataset->type->name,
                 (long long)batch->size, (long long)count);
        return false;
    }
    pass->source_row += batch->size;
    return true;
}

/* Fills the buffer, and draws one row from it. */
static bool drawn_piece(gt_Pass *pass, gt_Batch *batch)
{
    gt_Context *context = pass->dataset->object.context;
    gt_RowBuffer *buffer = pass->buffer;
    while (!buffer->ended && buffer->count < buffer->size) {
        gt_Batch piece;
        gt_Scope *outer = gt_scope_innermost(context);
        if (!gt_scope_open(context))
            return false;
        bool more = stream_piece(pass, buffer->size - buffer->count, &piece);
        buffer->ended = !more;
        bool ok = !more || fit_buffer(context, buffer, &piece);
        for (int64_t row = 0; ok && more && row < piece.size; row++)
            ok = put_row(context, buffer, &piece, row);
        gt_scope_unwind(context, outer);
        if (gt_context_status(context) != GT_OK)
            return false;
    }
    if (buffer->count == 0)
        return false;
    int64_t row = drawn(context, pass->dataset, order_epoch(pass), buffer->draws++, buffer->count);
    if (!take_row(context, buffer, row, batch))
        return false;
    pass->row++;
    return true;
}

bool gt_pass_piece(gt_Pass *pass, int64_t count, gt_Batch *batch)
{
    memset(batch, 0, sizeof *batch);
    if (pass->dataset->indexed)
        return numbered_piece(pass, count, batch);
    if (pass->buffer)
        return drawn_piece(pass, batch);
    if (!stream_piece(pass, count, batch))
        return false;
    pass->row += batch->size;
    return true;
}

/* ---- batches of a size ---- */

typedef struct Pieces {
    gt_Batch *list;
    int32_t count, capacity;
    int64_t rows;
} Pieces;

static bool add_piece(gt_Context *context, Pieces *pieces, const gt_Batch *piece)
{
    if (!gt_reserve(context, (void **)&pieces->list, pieces->count, &pieces->capacity,
                    sizeof *pieces->list))
        return false;
    pieces->list[pieces->count++] = *piece;
    pieces->rows += piece->size;
    return true;
}

bool gt_pass_batch(gt_Pass *pass, int64_t count, gt_Batch *batch)
{
    gt_Dataset *dataset = pass->dataset;
    gt_Context *context = dataset->object.context;
    const gt_Presentation *how = &dataset->how;
    Pieces pieces = {0};
    gt_Batch piece;
    memset(batch, 0, sizeof *batch);
    bool more = gt_pass_piece(pass, count, batch);
    bool single = more && !how->pad && batch->size == count;
    if (single || !more)
        return more;
    bool ok = add_piece(context, &pieces, batch);
    while (ok && pieces.rows < count && (more = gt_pass_piece(pass, count - pieces.rows, &piece)))
        ok = add_piece(context, &pieces, &piece);
    ok = ok && gt_context_status(context) == GT_OK;
    if (ok && (pieces.count > 1 || (how->pad && how->multiple > 1)))
        ok = gt_batch_join(context, pieces.list, pieces.count, how, batch) == GT_OK;
    gt_release(context, pieces.list, (size_t)pieces.capacity * sizeof *pieces.list);
    return ok;
}

/* ---- to a place ---- */

gt_Status gt_pass_run(gt_Pass *pass, int64_t count)
{
    enum { AT_ONCE = 256 };
    gt_Context *context = pass->dataset->object.context;
    bool more = true;
    while (count > 0 && more && gt_context_status(context) == GT_OK) {
        gt_Batch batch;
        gt_Scope *outer = gt_scope_innermost(context);
        if (!gt_scope_open(context))
            break;
        more = gt_pass_piece(pass, count < AT_ONCE ? count : AT_ONCE, &batch);
        count -= batch.size;
        gt_scope_unwind(context, outer);
        if (gt_interrupted(context))
            gt_raise(context, GT_INTERRUPTED, NULL, NULL, "%s: interrupted",
                     pass->dataset->type->name);
    }
    return gt_context_status(context);
}

gt_Status gt_pass_skip(gt_Pass *pass, int64_t count)
{
    gt_Dataset *dataset = pass->dataset;
    gt_Context *context = dataset->object.context;
    if (count <= 0)
        return gt_context_status(context);
    if (dataset->indexed) {
        int64_t left = gt_dataset_known_rows(dataset) - pass->row;
        pass->row += count < left ? count : left;
        return GT_OK;
    }
    if (pass->row > 0 || pass->buffer || !dataset->type->seek)
        return gt_pass_run(pass, count);
    const gt_RowsWanted wanted = {pass->epoch, count, 0, !dataset->orders || pass->ordered,
                                  pass->state};
    if (dataset->type->seek(dataset->self, &wanted) == GT_OK && gt_context_status(context) == GT_OK)
        pass->row = pass->source_row = count;
    return gt_context_status(context);
}
