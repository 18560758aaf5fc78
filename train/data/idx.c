/* Images and labels of IDX files as datasets. */
#include "train/data/idx.h"
#include "core/inside.h"
#include "io/idx.h"
#include "train/internal.h"

GT_OPTION_TYPE(gt_dataset_from_idx_options, gt_dataset_from_idx_OPTIONS);

/* All of a file as a tensor of that type, each number times scale. */
static gt_Tensor *read(gt_Context *context, const char *path, gt_DType dtype, double scale)
{
    void *data;
    gt_Tensor *raw = gt_load_idx(path);
    if (!raw)
        return NULL;
    const gt_Spec *from = gt_tensor_spec(raw);
    gt_Spec spec = *from;
    spec.dtype = dtype;
    gt_Tensor *tensor = gt_tensor_new(context, &spec, &data);
    const void *numbers = gt_value_data(gt_tensor_value(raw));
    for (int64_t i = 0; tensor && i < spec.size; i++) {
        double number = gt_number_fetch(from->dtype, numbers, i) * scale;
        if (!gt_dtype_is_float(dtype) && !gt_number_fits(dtype, number)) {
            gt_raise(context, GT_INVALID, NULL, NULL,
                     "%s: row %lld: the label %g is out of the range of %s", path, (long long)i + 1,
                     number, gt_dtype_name(dtype));
            return NULL;
        }
        gt_number_store(dtype, data, i, number);
    }
    gt_tensor_free(context, raw);
    return tensor;
}

gt_Dataset *gt_dataset_from_idx_at(const char *here, const char *images, const char *labels,
                                   const gt_dataset_from_idx_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_dataset_from_idx_options options;
    GT_TAKE(gt_dataset_from_idx_options, &options, given);
    gt_Site site = gt_site_enter(here, "dataset_from_idx");
    gt_Dataset *self = NULL;
    if (options.dtype != GT_FLOAT32 && options.dtype != GT_FLOAT64)
        gt_raise(context, GT_INVALID, NULL, NULL, "dtype must be float32 or float64 (got %s)",
                 gt_dtype_name(options.dtype));
    else if (gt_scope_open(context)) {
        gt_Tensor *y = labels ? read(context, labels, GT_INT32, 1) : NULL;
        gt_Tensor *x = y || !labels ? read(context, images, options.dtype, options.scale) : NULL;
        const gt_dataset_from_tensors_options batches = {.batch_size = options.batch_size,
                                                         .shuffle = options.shuffle,
                                                         .seed = options.seed,
                                                         .drop_remainder = options.drop_remainder};
        if (x)
            self = gt_dataset_of_columns(context, x, y, NULL, NULL, 0, &batches);
        gt_scope_close(context);
    }
    gt_site_leave(&site);
    return self;
}
