/* Batches as values: rows gathered, pieces joined, what users made of them checked. */
#include "train/data/inside.h"

#include <string.h>

/* ---- rows of one column ---- */

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

gt_Tensor *gt_rows_gather(gt_Context *context, const gt_Value *value, const int64_t *rows,
                          int64_t count)
{
    gt_Spec spec = rows_spec(value, count);
    const gt_Value *mask = gt_value_mask(value);
    void *data;
    gt_Tensor *tensor = gt_tensor_new(context, &spec, &data);
    size_t bytes = gt_spec_bytes(&spec) / (size_t)count;
    const char *source = gt_value_data(value);
    if (!source && gt_context_status(context) != GT_OK)
        return NULL;
    for (int64_t i = 0; tensor && bytes > 0 && i < count; i++)
        memcpy((char *)data + (size_t)i * bytes, source + (size_t)rows[i] * bytes, bytes);
    return with_mask_rows(tensor, mask ? gt_rows_gather(context, mask, rows, count) : NULL);
}

gt_Tensor *gt_rows_view(gt_Context *context, const gt_Value *value, int64_t first, int64_t count)
{
    gt_Spec spec = rows_spec(value, count);
    const gt_Value *mask = gt_value_mask(value);
    size_t bytes = gt_spec_bytes(&spec) / (size_t)count;
    gt_Value *part = gt_value_alias(context, value, &spec, (size_t)first * bytes);
    gt_Tensor *rows = part ? gt_handle_new(context, part) : NULL;
    return with_mask_rows(rows, mask ? gt_rows_view(context, mask, first, count) : NULL);
}

/* ---- what users made ---- */

static const char *side_name(int side)
{
    static const char *const names[SIDES] = {"x", "y", "weight", "text"};
    return names[side];
}

/* A column that is there has `rows` rows; -1: any number. Returns how many it has; -1 with an error raised. */
static int64_t check_column(gt_Context *context, const char *what, int side, int32_t i,
                            gt_Tensor *tensor, int64_t rows)
{
    const gt_Spec *spec = gt_tensor_check(context, NULL, NULL, side_name(side), tensor);
    if (!spec)
        return -1;
    const char *name = side_name(side);
    if (gt_value_is_symbol(gt_tensor_value(tensor)))
        gt_raise(context, GT_STATE, NULL, NULL,
                 "%s: %s %d must have elements (got a tensor of a traced function)", what, name,
                 (int)i);
    else if (spec->rank < 1)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "%s: %s %d must have at least 1 dimension, the rows (got a scalar)", what, name,
                 (int)i);
    else if (rows >= 0 && spec->dims[0] != rows)
        gt_raise(context, GT_INVALID, NULL, NULL, "%s: %s %d has %lld rows, and x has %lld", what,
                 name, (int)i, (long long)spec->dims[0], (long long)rows);
    else
        return spec->dims[0];
    return -1;
}

/* The same for a part of a column of text; the first one speaks for both. */
static int64_t check_text(gt_Context *context, const char *what, const gt_Batch *batch, int32_t part,
                          int64_t rows)
{
    int64_t count = part % 2 ? rows : gt_batch_check_text(context, what, batch, part);
    if (count < 0 || rows < 0 || count == rows)
        return count;
    gt_raise(context, GT_INVALID, NULL, NULL, "%s: text %d has %lld strings, and there are %lld rows",
             what, (int)part / 2, (long long)count, (long long)rows);
    return -1;
}

/* x and xs[0] are one; the one that changed counts. */
static void agree(gt_Tensor **single, gt_Tensor **list, int32_t *count, const gt_Tensor *before)
{
    if (*single && *single != before)
        list[0] = *single;
    else
        *single = list[0];
    if (*count == 0 && list[0])
        *count = 1;
}

gt_Status gt_batch_settle(gt_Context *context, const char *what, const gt_Batch *before,
                          gt_Batch *batch)
{
    agree(&batch->x, batch->xs, &batch->x_count, before ? before->x : NULL);
    agree(&batch->y, batch->ys, &batch->y_count, before ? before->y : NULL);
    batch->size = 0;
    if (gt_context_status(context) != GT_OK || (batch->x_count == 0 && batch->text_count == 0))
        return gt_context_status(context);
    if (batch->x_count < 0 || batch->x_count > GT_MAX_COLUMNS || batch->y_count < 0 ||
        batch->y_count > GT_MAX_COLUMNS)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "%s: x_count and y_count must be 0 to %d (got %d and %d)", what,
                        GT_MAX_COLUMNS, (int)batch->x_count, (int)batch->y_count);
    if (batch->text_count < 0 || batch->text_count > GT_MAX_TEXTS)
        return gt_raise(context, GT_INVALID, NULL, NULL, "%s: text_count must be 0 to %d (got %d)", what,
                        GT_MAX_TEXTS, (int)batch->text_count);
    int64_t rows = -1;
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0; i < gt_batch_count(batch, side); i++) {
            gt_Tensor *tensor = gt_batch_side(batch, side)[i];
            if (!tensor && side == WEIGHT)
                continue;
            int64_t has = side == TEXT ? check_text(context, what, batch, i, rows)
                                       : check_column(context, what, side, i, tensor, rows);
            if (has < 0)
                return gt_context_status(context);
            rows = has;
        }
    batch->size = rows;
    return GT_OK;
}

/* ---- many columns ---- */

/* The handle that a tensor which stood before in the batch got; NULL: it is new. */
static gt_Tensor *kept_before(const gt_Batch *from, gt_Batch *kept, int side, int32_t i)
{
    gt_Batch source = *from;
    const gt_Tensor *tensor = gt_batch_side(&source, side)[i];
    for (int k = 0; k <= side; k++)
        for (int32_t n = 0; n < (k < side ? gt_batch_count(from, k) : i); n++)
            if (gt_batch_side(&source, k)[n] == tensor)
                return gt_batch_side(kept, k)[n];
    return NULL;
}

/* New handles: a class may give tensors that it goes on holding, or variables. */
void gt_batch_keep(gt_Context *context, gt_Batch *batch)
{
    gt_Batch from = *batch;
    gt_Scope *inner = gt_scope_innermost(context);
    gt_scope_switch(context, gt_scope_parent(inner));
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0; i < gt_batch_count(batch, side); i++) {
            gt_Tensor **place = &gt_batch_side(batch, side)[i];
            gt_Tensor *before = *place ? kept_before(&from, batch, side, i) : NULL;
            gt_Value *value = *place && !before
                                  ? gt_value_hold(context, NULL, NULL, side_name(side), *place)
                                  : NULL;
            *place = before ? before : value ? gt_handle_new(context, value) : NULL;
        }
    gt_scope_switch(context, inner);
    batch->x = batch->xs[0];
    batch->y = batch->ys[0];
}

/* The same counts, and no tensors yet. */
static void copy_counts(const gt_Batch *from, gt_Batch *batch)
{
    memset(batch, 0, sizeof *batch);
    batch->x_count = from->x_count;
    batch->y_count = from->y_count;
    batch->text_count = from->text_count;
}

static gt_Status finish(gt_Context *context, gt_Batch *batch, int64_t size)
{
    batch->x = batch->xs[0];
    batch->y = batch->ys[0];
    batch->size = size;
    return gt_context_status(context);
}

gt_Status gt_batch_gather(gt_Context *context, const gt_Batch *from, const int64_t *rows,
                          int64_t count, gt_Batch *batch)
{
    gt_Batch source = *from;
    copy_counts(from, batch);
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0; i < gt_batch_count(batch, side) && gt_context_status(context) == GT_OK;
             i++) {
            gt_Tensor *tensor = gt_batch_side(&source, side)[i];
            if (side == TEXT) {
                if (i % 2 == 0)
                    gt_batch_gather_text(context, from, rows, count, batch, i);
            } else if (tensor)
                gt_batch_side(batch, side)[i] =
                    gt_rows_gather(context, gt_tensor_value(tensor), rows, count);
        }
    return finish(context, batch, count);
}

/* ---- joining ---- */

typedef struct Join {
    gt_Context *context;
    const gt_Batch *pieces;
    int64_t count;
    const gt_Presentation *how;
    int side;
    int32_t column;
} Join;

static gt_Tensor *column_of(const Join *join, int64_t piece)
{
    gt_Batch batch = join->pieces[piece];
    return join->column < gt_batch_count(&batch, join->side)
               ? gt_batch_side(&batch, join->side)[join->column]
               : NULL;
}

/* The spec of all pieces of a column together. False: the error is raised. `uneven`: they differ in length. */
static bool joined_spec(const Join *join, gt_Spec *spec, bool *uneven)
{
    char a[160], b[160];
    int64_t rows = 0;
    const gt_Spec *first = NULL;
    for (int64_t i = 0; i < join->count; i++) {
        gt_Tensor *piece = column_of(join, i);
        const gt_Spec *has = piece ? gt_tensor_spec(piece) : NULL;
        bool fits = has && (i == 0 || (has->dtype == spec->dtype && has->rank == spec->rank));
        if (fits && i == 0)
            *spec = *(first = has);
        for (int k = 1; fits && k < spec->rank; k++) {
            bool differ = has->dims[k] != spec->dims[k];
            fits = !differ || (k == 1 && join->how->pad);
            *uneven = *uneven || differ;
            spec->dims[k] = has->dims[k] > spec->dims[k] ? has->dims[k] : spec->dims[k];
        }
        if (!fits) {
            gt_raise(join->context, GT_INVALID, NULL, NULL,
                     "%s %d of the rows of a batch must have one dtype and shape (got %s and %s)%s",
                     side_name(join->side), (int)join->column,
                     first ? gt_spec_text(first, a, sizeof a) : "none",
                     has ? gt_spec_text(has, b, sizeof b) : "none",
                     has && first && has->dtype == first->dtype && has->rank == first->rank &&
                             has->rank > 1
                         ? "; gt_dataset_batch(dataset, n, .pad = true) makes rows as long as the "
                           "longest"
                         : "");
            return false;
        }
        rows += has->dims[0];
    }
    spec->dims[0] = rows;
    int64_t multiple = join->how->multiple;
    if (join->how->pad && spec->rank > 1 && multiple > 1 && spec->dims[1] % multiple != 0 &&
        join->side != WEIGHT) {
        spec->dims[1] += multiple - spec->dims[1] % multiple;
        *uneven = true;
    }
    if (gt_spec_resize(spec))
        return true;
    gt_raise(join->context, GT_INVALID, NULL, NULL, "the batch is too large for a tensor");
    return false;
}

/* Rows of `from` bytes each to rows of `to` bytes each; what is left stays as it is. */
static void copy_rows(char *to_data, size_t to, const char *from_data, size_t from, int64_t rows)
{
    if (from == to) {
        memcpy(to_data, from_data, (size_t)rows * to);
        return;
    }
    for (int64_t i = 0; i < rows; i++)
        memcpy(to_data + (size_t)i * to, from_data + (size_t)i * from, from);
}

/* Which steps of the joined rows are steps of a piece: (rows, longest). */
static gt_Tensor *joined_mask(const Join *join, const gt_Spec *joined)
{
    gt_Spec spec = {0};
    void *data;
    if (!gt_spec_set(&spec, GT_BOOL, gt_shape(joined->dims[0], joined->dims[1])))
        return NULL;
    gt_Tensor *mask = gt_tensor_new(join->context, &spec, &data);
    if (!mask)
        return NULL;
    memset(data, 0, gt_spec_bytes(&spec));
    char *to = data;
    for (int64_t i = 0; i < join->count; i++) {
        const gt_Value *piece = gt_tensor_value(column_of(join, i));
        const gt_Spec *has = gt_value_spec(piece);
        const gt_Value *own = gt_value_mask(piece);
        const char *from = own ? gt_value_data(own) : NULL;
        bool fits =
            from && gt_value_spec(own)->rank == 2 && gt_value_spec(own)->dims[1] == has->dims[1];
        for (int64_t row = 0; row < has->dims[0]; row++, to += spec.dims[1]) {
            if (fits)
                memcpy(to, from + row * has->dims[1], (size_t)has->dims[1]);
            else
                memset(to, 1, (size_t)has->dims[1]);
        }
    }
    return mask;
}

static bool any_mask(const Join *join)
{
    for (int64_t i = 0; i < join->count; i++)
        if (gt_value_mask(gt_tensor_value(column_of(join, i))))
            return true;
    return false;
}

/* The masks of pieces that are all of one length, one below the other. */
static gt_Tensor *stacked_mask(const Join *join, int64_t rows)
{
    gt_Spec spec = {.dtype = GT_DTYPE_NONE};
    void *data;
    for (int64_t i = 0; i < join->count; i++) {
        const gt_Value *mask = gt_value_mask(gt_tensor_value(column_of(join, i)));
        if (mask)
            spec = *gt_value_spec(mask);
    }
    spec.dims[0] = rows;
    gt_spec_resize(&spec);
    gt_Tensor *stacked = gt_tensor_new(join->context, &spec, &data);
    char *to = data;
    size_t row_bytes = rows > 0 ? gt_spec_bytes(&spec) / (size_t)rows : 0;
    for (int64_t i = 0; stacked && i < join->count; i++) {
        const gt_Value *piece = gt_tensor_value(column_of(join, i));
        const gt_Value *mask = gt_value_mask(piece);
        size_t bytes = row_bytes * (size_t)gt_value_spec(piece)->dims[0];
        bool fits = mask && gt_spec_bytes(gt_value_spec(mask)) == bytes;
        if (fits)
            memcpy(to, gt_value_data(mask), bytes);
        else
            memset(to, 1, bytes);
        to += bytes;
    }
    return stacked;
}

static gt_Tensor *join_column(const Join *join)
{
    gt_Spec spec = {0};
    bool uneven = false;
    void *data;
    if (!joined_spec(join, &spec, &uneven))
        return NULL;
    gt_Tensor *joined = gt_tensor_new(join->context, &spec, &data);
    if (!joined)
        return NULL;
    size_t rest = gt_dtype_size(spec.dtype),
           to = gt_spec_bytes(&spec) / (size_t)(spec.dims[0] > 0 ? spec.dims[0] : 1);
    for (int k = 2; k < spec.rank; k++)
        rest *= (size_t)spec.dims[k];
    double padding = join->side == X ? join->how->padding : 0;
    if (uneven && !gt_number_fits(spec.dtype, padding)) {
        gt_raise(join->context, GT_INVALID, NULL, NULL,
                 "padding must be a number of dtype %s (got %g)", gt_dtype_name(spec.dtype),
                 padding);
        return NULL;
    }
    for (int64_t i = 0; uneven && i < spec.size; i++)
        gt_number_store(spec.dtype, data, i, padding);
    char *at = data;
    for (int64_t i = 0; i < join->count; i++) {
        const gt_Value *piece = gt_tensor_value(column_of(join, i));
        const gt_Spec *has = gt_value_spec(piece);
        const char *from = gt_value_data(piece);
        if (!from && gt_context_status(join->context) != GT_OK)
            return NULL;
        size_t bytes = spec.rank > 1 ? rest * (size_t)has->dims[1] : rest;
        if (from)
            copy_rows(at, to, from, bytes, has->dims[0]);
        at += to * (size_t)has->dims[0];
    }
    gt_Tensor *mask = uneven && join->side == X ? joined_mask(join, &spec)
                      : any_mask(join)          ? stacked_mask(join, spec.dims[0])
                                                : NULL;
    return with_mask_rows(joined, mask);
}

gt_Status gt_batch_join(gt_Context *context, const gt_Batch *pieces, int64_t count,
                        const gt_Presentation *how, gt_Batch *batch)
{
    int64_t rows = 0;
    for (int64_t i = 0; i < count; i++)
        rows += pieces[i].size;
    copy_counts(pieces, batch);
    for (int side = 0; side < SIDES; side++)
        for (int32_t i = 0; i < gt_batch_count(batch, side) && gt_context_status(context) == GT_OK;
             i++) {
            Join join = {context, pieces, count, how, side, i};
            if (side == WEIGHT && !column_of(&join, 0))
                continue;
            if (side == TEXT) {
                if (i % 2 == 0)
                    gt_batch_join_text(context, pieces, count, batch, i);
                continue;
            }
            gt_batch_side(batch, side)[i] = join_column(&join);
        }
    return finish(context, batch, rows);
}
