/* Rows that a class makes in memory it is given. */
#include "train/data/inside.h"

#include <string.h>

static bool check_row(gt_Context *context, const char *name, const gt_RowSpec *row)
{
    int32_t inputs = 0;
    for (int32_t i = 0; i < row->count && i < GT_MAX_COLUMNS; i++)
        inputs += !row->columns[i].label;
    if (row->count >= 1 && row->count <= GT_MAX_COLUMNS && inputs > 0)
        return true;
    gt_raise(context, GT_INVALID, NULL, NULL,
             "%s: expected 1 to %d columns, an input among them (got %d and %d)", name,
             GT_MAX_COLUMNS, (int)row->count, (int)inputs);
    return false;
}

gt_Status gt_fill_prepare(gt_Context *context, const char *name, const gt_RowSpec *row,
                          int64_t count, gt_Batch *batch, void **into)
{
    if (!check_row(context, name, row))
        return gt_context_status(context);
    memset(batch, 0, sizeof *batch);
    for (int32_t i = 0; i < row->count; i++) {
        gt_Spec spec = row->columns[i].spec;
        int64_t dims[GT_MAX_RANK] = {count};
        if (spec.rank < 0 || spec.rank >= GT_MAX_RANK)
            return gt_raise(context, GT_INVALID, NULL, NULL,
                            "%s: a row may have at most %d dimensions", name, GT_MAX_RANK - 1);
        memcpy(dims + 1, spec.dims, (size_t)spec.rank * sizeof *dims);
        if (!gt_spec_set(&spec, spec.dtype, gt_shape_of(spec.rank + 1, dims)))
            return gt_raise(context, GT_INVALID, NULL, NULL,
                            "%s: the batch is too large for a tensor", name);
        gt_Tensor *tensor = gt_tensor_new(context, &spec, &into[i]);
        if (!tensor)
            return gt_context_status(context);
        if (row->columns[i].label)
            batch->ys[batch->y_count++] = tensor;
        else
            batch->xs[batch->x_count++] = tensor;
    }
    return GT_OK;
}

bool gt_fill_rows(const gt_DatasetClass *type, void *self, const gt_RowSpec *row,
                  const int64_t *rows, int64_t count, void *const *into,
                  char message[GT_FILL_MESSAGE])
{
    message[0] = 0;
    for (int64_t i = 0; i < count; i++) {
        void *places[GT_MAX_COLUMNS];
        for (int32_t k = 0; k < row->count; k++) {
            const gt_Spec *spec = &row->columns[k].spec;
            size_t bytes = gt_dtype_size(spec->dtype);
            for (int d = 0; d < spec->rank; d++)
                bytes *= (size_t)spec->dims[d];
            places[k] = (char *)into[k] + (size_t)i * bytes;
        }
        if (!type->fill(self, rows[i], places, message))
            return false;
    }
    return true;
}

gt_Status gt_dataset_fill(gt_Dataset *dataset, const int64_t *rows, int64_t count, gt_Batch *batch)
{
    gt_Context *context = dataset->object.context;
    const gt_DatasetClass *type = dataset->type;
    char message[GT_FILL_MESSAGE];
    void *into[GT_MAX_COLUMNS];
    if (gt_worker_take(dataset, rows, count, batch) || gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    gt_RowSpec row = type->columns(dataset->self);
    if (gt_fill_prepare(context, type->name, &row, count, batch, into) == GT_OK &&
        !gt_fill_rows(type, dataset->self, &row, rows, count, into, message))
        gt_raise(context, GT_IO, NULL, NULL, "%s",
                 message[0] ? message : "fill failed without saying why");
    return gt_context_status(context);
}
