/* Rows that a class makes in memory it is given. */
#include "train/data/inside.h"

#include <string.h>

bool gt_row_spec_check(gt_Context *context, const char *name, const gt_RowSpec *row)
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

/* Tensors of `count` rows without numbers; into[i] gets where those of column i go. */
static gt_Status make_tensors(gt_Context *context, const gt_RowSpec *row, int64_t count,
                              gt_Batch *batch, void **into)
{
    for (int32_t i = 0; i < row->count; i++) {
        gt_Spec spec = row->columns[i].spec;
        int64_t dims[GT_MAX_RANK] = {count};
        if (spec.rank >= GT_MAX_RANK)
            return gt_raise(context, GT_INVALID, NULL, NULL, "a row may have at most %d dimensions",
                            GT_MAX_RANK - 1);
        memcpy(dims + 1, spec.dims, (size_t)spec.rank * sizeof *dims);
        if (!gt_spec_set(&spec, spec.dtype, gt_shape_of(spec.rank + 1, dims)))
            return gt_raise(context, GT_INVALID, NULL, NULL, "the batch is too large for a tensor");
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

gt_Status gt_dataset_fill(gt_Dataset *dataset, const int64_t *rows, int64_t count, gt_Batch *batch)
{
    gt_Context *context = dataset->object.context;
    const gt_DatasetClass *type = dataset->type;
    gt_RowSpec row = type->columns(dataset->self);
    void *start[GT_MAX_COLUMNS];
    if (!gt_row_spec_check(context, type->name, &row) ||
        make_tensors(context, &row, count, batch, start) != GT_OK)
        return gt_context_status(context);
    for (int64_t i = 0; i < count; i++) {
        char message[GT_FILL_MESSAGE] = "";
        void *into[GT_MAX_COLUMNS];
        for (int32_t k = 0; k < row.count; k++)
            into[k] = (char *)start[k] + (size_t)i * gt_spec_bytes(&row.columns[k].spec);
        if (!type->fill(dataset->self, rows[i], into, message))
            return gt_raise(context, GT_IO, NULL, NULL, "%s",
                            message[0] ? message : "fill failed without saying why");
    }
    return GT_OK;
}
