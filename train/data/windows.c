/* Windows of a tensor's steps, cut out when they are asked for; and the arrays of an NPZ file. */
#include "train/data/windows.h"
#include "io/npy.h"
#include "ops/array/cast.h"
#include "ops/math/arithmetic.h"
#include "train/data/inside.h"

#include <string.h>

GT_OPTION_TYPE(gt_timeseries_dataset_from_array_options, gt_timeseries_dataset_from_array_OPTIONS);
GT_OPTION_TYPE(gt_dataset_from_npz_options, gt_dataset_from_npz_OPTIONS);

typedef struct Windows {
    gt_Context *context;
    gt_Value *data, *targets; /* held; targets may be NULL */
    int64_t first, rows, length, stride, rate;
} Windows;

static int64_t count(void *self)
{
    return ((const Windows *)self)->rows;
}

/* (rows, length, ...) of data (steps, ...). */
static gt_Tensor *cut(const Windows *windows, const int64_t *rows, int64_t wanted)
{
    const gt_Spec *from = gt_value_spec(windows->data);
    int64_t dims[GT_MAX_RANK] = {wanted, windows->length};
    gt_Spec spec = {0};
    void *data;
    memcpy(dims + 2, from->dims + 1, (size_t)(from->rank - 1) * sizeof *dims);
    if (!gt_spec_set(&spec, from->dtype, gt_shape_of(from->rank + 1, dims))) {
        gt_raise(windows->context, GT_INVALID, NULL, NULL, "the batch is too large for a tensor");
        return NULL;
    }
    gt_Tensor *tensor = gt_tensor_new(windows->context, &spec, &data);
    const char *source = gt_value_data(windows->data);
    size_t step = from->dims[0] > 0 ? gt_spec_bytes(from) / (size_t)from->dims[0] : 0;
    char *to = data;
    for (int64_t i = 0; tensor && source && i < wanted; i++)
        for (int64_t k = 0; k < windows->length; k++, to += step)
            memcpy(to,
                   source +
                       (size_t)(windows->first + rows[i] * windows->stride + k * windows->rate) *
                           step,
                   step);
    return tensor;
}

static gt_Status fetch(void *self, const int64_t *rows, int64_t wanted, gt_Batch *batch)
{
    const Windows *windows = self;
    gt_Context *context = windows->context;
    batch->x = cut(windows, rows, wanted);
    if (!batch->x || !windows->targets)
        return gt_context_status(context);
    size_t bytes = (size_t)wanted * sizeof *rows;
    int64_t *targets = gt_allocate(context, bytes);
    for (int64_t i = 0; targets && i < wanted; i++)
        targets[i] = windows->first + rows[i] * windows->stride;
    if (targets)
        batch->y = gt_rows_gather(context, windows->targets, targets, wanted);
    gt_release(context, targets, bytes);
    return gt_context_status(context);
}

static void destroy(void *self)
{
    Windows *windows = self;
    if (windows->data)
        gt_value_release(windows->data, true);
    if (windows->targets)
        gt_value_release(windows->targets, true);
    gt_release(windows->context, windows, sizeof *windows);
}

static const gt_DatasetClass windows_class = {.size = sizeof windows_class,
                                              .name = "timeseries_dataset_from_array",
                                              .count = count,
                                              .fetch = fetch,
                                              .destroy = destroy};

/* How many windows there are, as Keras counts them; 0 or fewer: none. */
static int64_t count_windows(const gt_Spec *data, const gt_Spec *targets,
                             const gt_timeseries_dataset_from_array_options *options)
{
    int64_t end = options->end_index < 0 ? data->dims[0] : options->end_index;
    int64_t starts =
        end - options->start_index - (options->sequence_length - 1) * options->sampling_rate;
    if (targets) {
        int64_t left = (options->end_index < 0 || end > targets->dims[0] ? targets->dims[0] : end) -
                       options->start_index;
        starts = left < starts ? left : starts;
    }
    return starts <= 0 ? 0 : (starts - 1) / options->sequence_stride + 1;
}

static bool check(gt_Context *context, const gt_Spec *data, const gt_Spec *targets,
                  const gt_timeseries_dataset_from_array_options *options)
{
    if (data->rank < 1 || data->rank >= GT_MAX_RANK || (targets && targets->rank < 1))
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "data and targets must have a first dimension, the steps");
    else if (options->sequence_length < 1 || options->sequence_stride < 1 ||
             options->sampling_rate < 1)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "sequence_length, sequence_stride and sampling_rate must be >= 1 (got %lld, %lld "
                 "and %lld)",
                 (long long)options->sequence_length, (long long)options->sequence_stride,
                 (long long)options->sampling_rate);
    else if (options->start_index < 0 || options->start_index >= data->dims[0] ||
             options->end_index > data->dims[0] || options->end_index < -1)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "start_index %lld and end_index %lld are out of range: there are %lld steps",
                 (long long)options->start_index, (long long)options->end_index,
                 (long long)data->dims[0]);
    else if (options->sequence_length > data->dims[0] || options->sampling_rate > data->dims[0] ||
             options->sequence_length - 1 > (data->dims[0] - 1) / options->sampling_rate ||
             count_windows(data, targets, options) == 0)
        gt_raise(context, GT_INVALID, NULL, NULL, "there is no window: %lld steps, windows of %lld",
                 (long long)data->dims[0], (long long)options->sequence_length);
    return gt_context_status(context) == GT_OK;
}

gt_Dataset *
gt_timeseries_dataset_from_array_at(const char *here, gt_Tensor *data, gt_Tensor *targets,
                                    const gt_timeseries_dataset_from_array_options *given)
{
    static const char operation[] = "timeseries_dataset_from_array";
    gt_timeseries_dataset_from_array_options options;
    GT_TAKE(gt_timeseries_dataset_from_array_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, operation);
    gt_Dataset *made = NULL;
    const gt_Spec *from = gt_tensor_check(context, NULL, NULL, "data", data);
    const gt_Spec *to =
        from && targets ? gt_tensor_check(context, NULL, NULL, "targets", targets) : NULL;
    Windows *self = gt_context_status(context) == GT_OK && check(context, from, to, &options)
                        ? gt_self_new(context, sizeof *self)
                        : NULL;
    if (self) {
        *self = (Windows){.context = context,
                          .first = options.start_index,
                          .rows = count_windows(from, to, &options),
                          .length = options.sequence_length,
                          .stride = options.sequence_stride,
                          .rate = options.sampling_rate};
        self->data = gt_value_hold(context, NULL, NULL, "data", data);
        self->targets = targets ? gt_value_hold(context, NULL, NULL, "targets", targets) : NULL;
        const gt_dataset_of_options batches = GT_VALUES(gt_dataset_of_options, options.batch_size,
                                                        options.shuffle, options.seed, false);
        made = gt_dataset_make(context, &windows_class, self, true, NULL, &batches);
    }
    gt_site_leave(&site);
    return made;
}

/* ---- NPZ ---- */

static gt_Tensor *scaled(gt_Tensor *x, const gt_dataset_from_npz_options *options)
{
    gt_DType dtype = options->dtype != GT_DTYPE_NONE ? options->dtype
                     : options->scale != 1           ? GT_FLOAT32
                                                     : gt_dtype(x);
    if (dtype != gt_dtype(x))
        x = gt_cast(x, dtype);
    return options->scale == 1 ? x : gt_multiply(x, options->scale);
}

gt_Dataset *gt_dataset_from_npz_at(const char *here, const char *path,
                                   const gt_dataset_from_npz_options *given)
{
    gt_dataset_from_npz_options options;
    GT_TAKE(gt_dataset_from_npz_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "dataset_from_npz");
    gt_Dataset *made = NULL;
    if (gt_scope_open(context)) {
        gt_Tensor *x = gt_load_npz(path, options.x),
                  *y = x && options.y ? gt_load_npz(path, options.y) : NULL;
        x = x ? scaled(x, &options) : NULL;
        const gt_dataset_from_tensors_options batches = {.batch_size = options.batch_size,
                                                         .shuffle = options.shuffle,
                                                         .seed = options.seed,
                                                         .drop_remainder = options.drop_remainder};
        if (gt_context_status(context) == GT_OK)
            made = gt_dataset_of_columns(context, x, y, NULL, NULL, 0, &batches);
        gt_scope_close(context);
    }
    gt_site_leave(&site);
    return made;
}
