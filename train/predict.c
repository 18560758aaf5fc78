/* gt_predict and gt_predict_on_batch. Leans on run.h. */
#include "train/run.h"

#include <string.h>

GT_OPTION_TYPE(gt_predict_options, gt_predict_OPTIONS);
GT_OPTION_TYPE(gt_predict_on_batch_options, gt_predict_on_batch_OPTIONS);

/* What is asked for: prediction i goes to place i - 1 of the list, if that is not NULL; the first one is returned. */
typedef struct Wanted {
    gt_Outputs list;
    int32_t count;
    gt_Tensor *result[GT_MAX_LAYER_OUTPUTS];
} Wanted;

static gt_Status want(gt_Context *context, gt_Outputs list, Wanted *wanted)
{
    *wanted = (Wanted){.list = list, .count = 1};
    for (; list.items && list.items[wanted->count - 1] != GT_LIST_END; wanted->count++) {
        if (list.items[wanted->count - 1])
            *list.items[wanted->count - 1] = NULL;
        if (wanted->count == GT_MAX_LAYER_OUTPUTS) {
            wanted->count = 0;
            return gt_raise(context, GT_INVALID, NULL, NULL, "at most %d outputs can be asked for",
                            GT_MAX_LAYER_OUTPUTS - 1);
        }
    }
    return GT_OK;
}

static bool is_wanted(const Wanted *wanted, int32_t i)
{
    return i == 0 || wanted->list.items[i - 1];
}

/* Hands out what there is, or frees it after a failure. */
static gt_Tensor *give(gt_Context *context, const Wanted *wanted)
{
    bool done = gt_context_status(context) == GT_OK;
    for (int32_t i = 0; i < wanted->count; i++) {
        if (!done && wanted->result[i])
            gt_tensor_free(context, wanted->result[i]);
        if (done && i > 0 && is_wanted(wanted, i))
            *wanted->list.items[i - 1] = wanted->result[i];
    }
    return done ? wanted->result[0] : NULL;
}

/* ---- predictions of batches, in one tensor ---- */

/* Room for all rows, in the scope around this one. */
static gt_Tensor *make_room(gt_Context *context, const gt_Spec *spec)
{
    void *data;
    gt_Scope *inner = gt_scope_innermost(context);
    gt_scope_switch(context, gt_scope_parent(inner));
    gt_Tensor *made = gt_tensor_new(context, spec, &data);
    gt_scope_switch(context, inner);
    return made;
}

/* Copies the predictions for rows from `first` on into the result, which the first batch makes for `rows`. */
static gt_Status collect(gt_Context *context, gt_Tensor *y, int64_t first, int64_t size,
                         int64_t rows, gt_Tensor **result)
{
    gt_Spec spec = gt_spec(y);
    char text[160];
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    if (spec.rank < 1 || spec.dims[0] != size)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "predictions for %lld rows must have as many rows (got %s)",
                        (long long)size, gt_spec_text(&spec, text, sizeof text));
    spec.dims[0] = rows;
    if (!gt_spec_resize(&spec))
        return gt_raise(context, GT_INVALID, NULL, NULL, "the predictions are too large");
    if (!*result && !(*result = make_room(context, &spec)))
        return gt_context_status(context);
    if (!gt_spec_equal(gt_tensor_spec(*result), &spec))
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "the predictions of all batches must have the same shape");
    size_t bytes = gt_spec_bytes(&spec) / (size_t)spec.dims[0];
    const void *numbers = gt_data(y);
    if (bytes && numbers)
        memcpy((char *)gt_tensor_data(*result) + (size_t)first * bytes, numbers,
               (size_t)size * bytes);
    return gt_context_status(context);
}

/* One batch; its temporaries are gone. */
static gt_Status predict_batch(gt_Run *run, int64_t first, int64_t rows, int64_t *size,
                               Wanted *wanted)
{
    gt_Context *context = run->context;
    gt_Scope *outer = gt_scope_innermost(context);
    gt_Batch batch = {.size = 0};
    gt_Tensor *y_pred[GT_MAX_LAYER_OUTPUTS];
    if (!gt_scope_open(context))
        return gt_context_status(context);
    if (gt_dataset_slice(run->dataset, first, &batch) == GT_OK &&
        gt_callbacks_tell(&run->callbacks, GT_HOOK_PREDICT_BATCH_BEGIN) == GT_OK)
        gt_predict_step(run->state->layer, run->compiled, &batch, wanted->count, y_pred);
    *size = batch.size < rows - first ? batch.size : rows - first;
    for (int32_t i = 0; i < wanted->count && gt_context_status(context) == GT_OK; i++)
        if (is_wanted(wanted, i)) {
            gt_origin_forget(context, y_pred[i]);
            collect(context, y_pred[i], first, batch.size, rows, &wanted->result[i]);
        }
    run->callbacks.in.outputs = (gt_Tensors){y_pred, wanted->count};
    gt_callbacks_tell(&run->callbacks, GT_HOOK_PREDICT_BATCH_END);
    run->callbacks.in.outputs = (gt_Tensors){NULL, 0};
    gt_scope_unwind(context, outer);
    return gt_context_status(context);
}

static gt_Status predict(gt_Run *run, int64_t most, Wanted *wanted)
{
    int64_t rows = gt_dataset_rows_of(run->dataset, most), size = gt_dataset_batch_size(run->dataset);
    gt_CallbackRun *callbacks = &run->callbacks;
    gt_run_report_begin(run, 0, 1, (rows + size - 1) / size);
    callbacks->in.dataset = run->dataset;
    callbacks->in.batches = run->event.steps;
    gt_callbacks_tell(callbacks, GT_HOOK_PREDICT_BEGIN);
    for (int64_t first = 0; first < rows && gt_run_check_interrupt(run) == GT_OK;) {
        callbacks->in.batch++;
        if (run->stopped || callbacks->stopped ||
            predict_batch(run, first, rows, &size, wanted) != GT_OK)
            break;
        first += size;
        run->event.step++;
        gt_run_report_batch(run);
    }
    callbacks->in.batch = -1;
    if (gt_callbacks_tell(callbacks, GT_HOOK_PREDICT_END) == GT_OK)
        gt_run_report_end(run);
    return gt_context_status(run->context);
}

gt_Tensor *gt_predict_at(const char *here, gt_Layer *model, gt_Rows rows,
                         const gt_predict_options *given)
{
    gt_predict_options options = GT_TAKE(gt_predict_options, given);
    const gt_RowsGiven with = {
        .more_x = options.more_x, .batch_size = options.batch_size, .shuffle = GT_INHERIT};
    gt_Run run;
    Wanted wanted;
    if (gt_run_begin(&run, &(gt_RunOf){here, "predict", model, false, false, options.verbose,
                                       options.progress, &options.callbacks, false}) != GT_OK)
        return NULL;
    if (options.steps == 0 || options.steps < -1)
        gt_raise(run.context, GT_INVALID, NULL, NULL, "steps must be >= 1, or -1 (got %lld)",
                 (long long)options.steps);
    if (want(run.context, options.outputs, &wanted) == GT_OK)
        run.dataset = gt_rows_open(run.context, rows, &with, 0, INT64_MAX);
    if (run.dataset)
        predict(&run, options.steps, &wanted);
    gt_run_end(&run);
    return give(run.context, &wanted);
}

/* ---- one batch ---- */

static gt_Status predict_rows(const gt_Run *run, gt_Tensor *x, const gt_RowsGiven *with,
                              Wanted *wanted)
{
    gt_Context *context = run->context;
    gt_Scope *outer = gt_scope_innermost(context);
    gt_Batch batch;
    gt_Tensor *y_pred[GT_MAX_LAYER_OUTPUTS];
    if (!gt_scope_open(context))
        return gt_context_status(context);
    if (gt_rows_batch(x, with, &batch) == GT_OK)
        gt_predict_step(run->state->layer, run->compiled, &batch, wanted->count, y_pred);
    for (int32_t i = 0; i < wanted->count && gt_context_status(context) == GT_OK; i++)
        if (is_wanted(wanted, i)) {
            gt_origin_forget(context, y_pred[i]);
            collect(context, y_pred[i], 0, batch.size, batch.size, &wanted->result[i]);
        }
    gt_scope_unwind(context, outer);
    return gt_context_status(context);
}

gt_Tensor *gt_predict_on_batch_at(const char *here, gt_Layer *model, gt_Tensor *x,
                                  const gt_predict_on_batch_options *given)
{
    gt_predict_on_batch_options options = GT_TAKE(gt_predict_on_batch_options, given);
    const gt_RowsGiven with = {
        .more_x = options.more_x, .batch_size = -1, .shuffle = GT_INHERIT};
    const gt_RunOf of = {here, "predict_on_batch", model, false, false, GT_VERBOSITY_SILENT, NULL, NULL, false};
    gt_Run run;
    Wanted wanted;
    if (gt_run_begin(&run, &of) != GT_OK)
        return NULL;
    if (want(run.context, options.outputs, &wanted) == GT_OK)
        predict_rows(&run, x, &with, &wanted);
    gt_run_end(&run);
    return give(run.context, &wanted);
}
