/* The rows of tensors as a dataset, or as one batch; weights of classes. Leans on dataset.h. */
#include "ops/array/indexing.h"
#include "train/run.h"

#include <math.h>
#include <string.h>

/* ---- rows of tensors ---- */

/* The first option that is given and belongs to tensors; NULL: none is. */
static const char *given_option(const gt_RowsGiven *given)
{
    return given->y                         ? "y"
           : given->more_x.count > 0        ? "more_x"
           : given->more_y.count > 0        ? "more_y"
           : given->sample_weight.count > 0 ? "sample_weight"
           : given->batch_size != -1        ? "batch_size"
           : given->shuffle != GT_INHERIT   ? "shuffle"
                                            : NULL;
}

static gt_Dataset *hold_dataset(gt_Context *context, gt_Dataset *dataset, const gt_RowsGiven *given)
{
    const char *option = given_option(given);
    if (!gt_dataset_check(context, NULL, NULL, dataset))
        return NULL;
    if (option) {
        gt_raise(context, GT_INVALID, NULL, NULL,
                 ".%s belongs to a tensor of rows; a dataset has its own", option);
        return NULL;
    }
    gt_dataset_object(dataset)->references++;
    return dataset;
}

/* Rows first .. first + count - 1. Too few: the dataset says which tensor it is. */
static gt_Tensor *part(gt_Tensor *x, int64_t first, int64_t count)
{
    gt_Spec spec = x ? gt_spec(x) : (gt_Spec){.rank = 0};
    if (spec.rank < 1 || first + count > spec.dims[0] || (first == 0 && spec.dims[0] == count))
        return x;
    gt_Shape begin = gt_spec_shape(&spec), size = begin;
    memset(begin.dims, 0, sizeof begin.dims);
    begin.dims[0] = first;
    size.dims[0] = count;
    return gt_slice(x, begin, size);
}

static gt_Tensors parts(gt_Tensors list, gt_Tensor **into, int64_t first, int64_t count)
{
    for (int32_t i = 0; i < list.count && i < GT_MAX_COLUMNS; i++)
        into[i] = part(list.items[i], first, count);
    if (list.count > 0 && list.count <= GT_MAX_COLUMNS)
        list.items = into;
    return list;
}

gt_Dataset *gt_rows_open(gt_Context *context, gt_Rows rows, const gt_RowsGiven *given,
                         int64_t first, int64_t count)
{
    gt_Tensor *x[GT_MAX_COLUMNS], *y[GT_MAX_COLUMNS], *weights[GT_MAX_COLUMNS];
    if (!rows.x)
        return hold_dataset(context, rows.dataset, given);
    if (!gt_tensor_check(context, NULL, NULL, "x", rows.x) || !gt_scope_open(context))
        return NULL;
    gt_Dataset *made = gt_dataset_from_tensors(
        part(rows.x, first, count), part(given->y, first, count),
        .batch_size = given->batch_size == -1 ? 32 : given->batch_size,
        .shuffle = given->shuffle != 0, .more_x = parts(given->more_x, x, first, count),
        .more_y = parts(given->more_y, y, first, count),
        .sample_weight = parts(given->sample_weight, weights, first, count));
    gt_scope_close(context);
    if (made)
        gt_object_sink(gt_dataset_object(made));
    return made;
}

int64_t gt_rows_split(gt_Context *context, gt_Rows rows, double fraction)
{
    if (!(fraction >= 0 && fraction < 1)) {
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "validation_split must be >= 0 and < 1 (got %g)", fraction);
        return -1;
    }
    if (!rows.x) {
        if (fraction > 0)
            gt_raise(context, GT_INVALID, NULL, NULL,
                     "validation_split is for the rows of a tensor; gt_dataset_split parts a "
                     "dataset, whose second part is .validation");
        return -1;
    }
    const gt_Spec *spec = gt_tensor_check(context, NULL, NULL, "x", rows.x);
    int64_t all = spec && spec->rank > 0 ? spec->dims[0] : 0;
    int64_t count = (int64_t)floor((double)all * (1 - fraction));
    if (spec && fraction > 0 && (count == 0 || count == all))
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "validation_split %g of %lld rows leaves one of the two parts empty", fraction,
                 (long long)all);
    return fraction > 0 ? count : all;
}

/* ---- one batch ---- */

static gt_Status take_columns(const char *what, gt_Tensor *first, gt_Tensors more, gt_Tensor **into,
                              int32_t *count)
{
    if (first)
        into[(*count)++] = first;
    else if (more.count > 0)
        return gt_fail(GT_INVALID, "more_%s comes after %s, which is NULL", what, what);
    if (more.count < 0 || more.count >= GT_MAX_COLUMNS || (more.count > 0 && !more.items))
        return gt_fail(GT_INVALID, "there may be at most %d of each: inputs, labels, weights",
                       GT_MAX_COLUMNS);
    for (int32_t i = 0; i < more.count; i++)
        into[(*count)++] = more.items[i];
    return GT_OK;
}

static gt_Status take_weights(gt_Tensors list, gt_Batch *batch)
{
    if (list.count > 0 && list.count != 1 && list.count != batch->y_count)
        return gt_fail(GT_INVALID,
                       "sample_weight must be one list of weights, or one for each of the %d "
                       "labels (got %d)",
                       (int)batch->y_count, (int)list.count);
    for (int32_t i = 0; i < batch->y_count && list.count > 0; i++)
        batch->weights[i] = list.items[list.count == 1 ? 0 : i];
    return GT_OK;
}

/* As many rows as x, all of them live tensors. */
static gt_Status check_columns(const char *what, gt_Tensor *const *list, int32_t count,
                               gt_Batch *batch)
{
    gt_Context *context = gt_context();
    char text[160];
    for (int32_t i = 0; i < count; i++) {
        if (!list[i] && list == batch->weights)
            continue;
        const gt_Spec *spec = gt_tensor_check(context, NULL, NULL, what, list[i]);
        if (!spec)
            break;
        if (list == batch->xs && i == 0)
            batch->size = spec->rank > 0 ? spec->dims[0] : 0;
        if (spec->rank < 1 || spec->dims[0] != batch->size)
            return gt_fail(GT_INVALID,
                           "x and %s must have the same number of rows (got %lld and %s)", what,
                           (long long)batch->size, gt_spec_text(spec, text, sizeof text));
    }
    return gt_status();
}

gt_Status gt_rows_batch(gt_Tensor *x, const gt_RowsGiven *given, gt_Batch *batch)
{
    memset(batch, 0, sizeof *batch);
    if (!x)
        return gt_fail(GT_INVALID, "x is NULL");
    if (take_columns("x", x, given->more_x, batch->xs, &batch->x_count) != GT_OK ||
        take_columns("y", given->y, given->more_y, batch->ys, &batch->y_count) != GT_OK ||
        take_weights(given->sample_weight, batch) != GT_OK ||
        check_columns("x", batch->xs, batch->x_count, batch) != GT_OK ||
        check_columns("y", batch->ys, batch->y_count, batch) != GT_OK ||
        check_columns("sample_weight", batch->weights, batch->y_count, batch) != GT_OK)
        return gt_status();
    batch->x = batch->xs[0];
    batch->y = batch->ys[0];
    return GT_OK;
}

/* ---- weights of classes ---- */

/* The class of row `row`: the label, or the place of the largest of `width` labels. */
static int64_t class_of(const gt_Spec *spec, const void *labels, int64_t row, int64_t width)
{
    int64_t best = 0;
    if (width == 1)
        return llrint(gt_number_fetch(spec->dtype, labels, row));
    for (int64_t k = 1; k < width; k++)
        if (gt_number_fetch(spec->dtype, labels, row * width + k) >
            gt_number_fetch(spec->dtype, labels, row * width + best))
            best = k;
    return best;
}

gt_Status gt_rows_weigh(gt_Batch *batch, gt_Tensor *class_weight)
{
    gt_Context *context = gt_context();
    if (batch->y_count != 1)
        return gt_fail(GT_INVALID, "class_weight is for one label (got %d)", (int)batch->y_count);
    if (batch->weights[0])
        return gt_fail(GT_INVALID, "give class_weight or sample weights, not both");
    const gt_Spec *weights = gt_tensor_check(context, NULL, NULL, "class_weight", class_weight);
    const gt_Spec *labels = gt_tensor_check(context, NULL, NULL, "y", batch->y);
    char text[160];
    if (!weights || !labels)
        return gt_status();
    if (weights->rank != 1 || !gt_dtype_is_float(weights->dtype))
        return gt_fail(GT_INVALID, "class_weight must be floats of the shape (classes) (got %s)",
                       gt_spec_text(weights, text, sizeof text));
    if (labels->rank > 2)
        return gt_fail(GT_INVALID, "class_weight is for a label a row (got %s)",
                       gt_spec_text(labels, text, sizeof text));
    const void *from = gt_data(class_weight), *y = gt_data(batch->y);
    gt_Spec spec = {0};
    void *to;
    gt_spec_set(&spec, GT_FLOAT32, gt_shape(batch->size));
    gt_Tensor *made = from && y ? gt_tensor_new(context, &spec, &to) : NULL;
    for (int64_t i = 0; made && i < batch->size; i++) {
        int64_t of = class_of(labels, y, i, labels->rank == 2 ? labels->dims[1] : 1);
        bool known = of >= 0 && of < weights->dims[0];
        ((float *)to)[i] = known ? (float)gt_number_fetch(weights->dtype, from, of) : 1.0f;
    }
    batch->weights[0] = made;
    return gt_status();
}
