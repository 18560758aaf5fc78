/* gt_predict and gt_predict_on_batch. Leans on run.h. */
#include "ops/array/indexing.h"
#include "train/model_parts.h"
#include "train/run.h"
#include "train/texts.h"

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

/* The predictions of a batch, which starts at row `first` of `rows`, go where they belong; the callbacks see them. */
static gt_Status predict_batch(gt_Run *run, const gt_Batch *batch, int64_t first, int64_t rows,
                               Wanted *wanted)
{
    gt_Context *context = run->context;
    gt_CallbackRun *callbacks = &run->callbacks;
    gt_Tensor *y_pred[GT_MAX_LAYER_OUTPUTS];
    callbacks->in.batch++;
    if (gt_callbacks_tell(callbacks, GT_HOOK_PREDICT_BATCH_BEGIN) == GT_OK)
        gt_predict_step(run->state->layer, run->compiled, batch, wanted->count, y_pred);
    for (int32_t i = 0; i < wanted->count && gt_context_status(context) == GT_OK; i++)
        if (is_wanted(wanted, i)) {
            gt_origin_forget(context, y_pred[i]);
            collect(context, y_pred[i], first, batch->size, rows, &wanted->result[i]);
        }
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    callbacks->in.outputs = (gt_Tensors){y_pred, wanted->count};
    gt_callbacks_tell(callbacks, GT_HOOK_PREDICT_BATCH_END);
    callbacks->in.outputs = (gt_Tensors){NULL, 0};
    return gt_context_status(context);
}

/* The batch from row `first` on; its temporaries are gone. */
static gt_Status predict_slice(gt_Run *run, int64_t first, int64_t rows, int64_t *size,
                               Wanted *wanted)
{
    gt_Context *context = run->context;
    gt_Scope *outer = gt_scope_innermost(context);
    gt_Batch batch = {.size = 0};
    if (!gt_scope_open(context))
        return gt_context_status(context);
    gt_dataset_slice(run->dataset, first, &batch);
    gt_texts_order(run->state, run->dataset, &batch);
    if (batch.size > rows - first)
        gt_raise(context, GT_STATE, NULL, NULL,
                 "the dataset has more rows than when they were counted, %lld", (long long)rows);
    else if (batch.size > 0)
        predict_batch(run, &batch, first, rows, wanted);
    gt_scope_unwind(context, outer);
    *size = batch.size;
    return gt_context_status(context);
}

/* After a report or callback ended it early: the predictions of the rows so far. */
static gt_Status cut(gt_Context *context, Wanted *wanted, int64_t rows)
{
    if (rows == 0)
        return gt_raise(context, GT_STATE, NULL, NULL, "it was ended before the first batch");
    for (int32_t i = 0; i < wanted->count; i++) {
        gt_Tensor *whole = wanted->result[i];
        if (!whole)
            continue;
        gt_Shape begin = gt_spec_shape(gt_tensor_spec(whole)), size = begin;
        memset(begin.dims, 0, sizeof begin.dims);
        size.dims[0] = rows;
        gt_Tensor *part = gt_slice(whole, begin, size);
        if (part) {
            gt_tensor_free(context, whole);
            wanted->result[i] = part;
        }
    }
    return gt_context_status(context);
}

/* `most` batches, or -1: all. */
static gt_Status predict(gt_Run *run, int64_t most, Wanted *wanted)
{
    int64_t size = gt_dataset_batch_size(run->dataset);
    int64_t rows = most >= 0 ? gt_dataset_size(run->dataset) : gt_dataset_count(run->dataset);
    if (most >= 0 && rows < 0 && most > INT64_MAX / size)
        gt_raise(run->context, GT_INVALID, NULL, NULL,
                 "steps %lld of %lld rows are more than can be predicted; -1 is as many as there are", (long long)most,
                 (long long)size);
    if (gt_context_status(run->context) != GT_OK)
        return gt_context_status(run->context);
    if (most >= 0 && (rows < 0 || most <= (rows - 1) / size))
        rows = most * size;
    run->callbacks.in.batches = (rows - 1) / size + 1;
    gt_run_report_begin(run, 0, 1, run->callbacks.in.batches);
    gt_callbacks_tell(&run->callbacks, GT_HOOK_PREDICT_BEGIN);
    int64_t first = 0;
    while (first < rows && gt_run_check_interrupt(run) == GT_OK) {
        if (run->stopped || run->callbacks.stopped ||
            predict_slice(run, first, rows, &size, wanted) != GT_OK ||
            size == 0)
            break;
        first += size;
        run->event.step++;
        gt_run_report_batch(run);
    }
    run->callbacks.in.batch = -1;
    if (gt_context_status(run->context) == GT_OK && first < rows)
        cut(run->context, wanted, first);
    if (gt_context_status(run->context) == GT_OK)
        gt_callbacks_tell(&run->callbacks, GT_HOOK_PREDICT_END);
    if (gt_context_status(run->context) == GT_OK)
        gt_run_report_end(run);
    return gt_context_status(run->context);
}

gt_Tensor *gt_predict_at(const char *here, gt_Layer *model, gt_Rows rows,
                         const gt_predict_options *given)
{
    gt_predict_options options;
    GT_TAKE(gt_predict_options, &options, given);
    const gt_RowsGiven with = {
        .more_x = options.more_x, .batch_size = options.batch_size, .shuffle = GT_INHERIT};
    gt_Run run;
    Wanted wanted;
    const gt_RunOf of = {.here = here,
                         .operation = "predict",
                         .model = model,
                         .verbosity = options.verbose,
                         .progress = options.progress,
                         .callbacks = &options.callbacks};
    if (gt_run_begin(&run, &of) != GT_OK)
        return NULL;
    if (options.steps == 0 || options.steps < -1)
        gt_raise(run.context, GT_INVALID, NULL, NULL, "steps must be >= 1, or -1 (got %lld)",
                 (long long)options.steps);
    if (want(run.context, options.outputs, &wanted) == GT_OK)
        run.dataset = gt_rows_open(run.context, rows, &with, 0, INT64_MAX);
    run.callbacks.in.dataset = run.dataset;
    if (run.dataset && gt_model_check_data(run.state, run.dataset) == GT_OK)
        predict(&run, options.steps, &wanted);
    gt_run_end(&run);
    return give(run.context, &wanted);
}

/* ---- one batch ---- */

gt_Tensor *gt_predict_on_batch_at(const char *here, gt_Layer *model, gt_Tensor *x,
                                  const gt_predict_on_batch_options *given)
{
    gt_predict_on_batch_options options;
    GT_TAKE(gt_predict_on_batch_options, &options, given);
    const gt_RowsGiven with = {
        .more_x = options.more_x, .batch_size = -1, .shuffle = GT_INHERIT};
    const gt_RunOf of = {.here = here, .operation = "predict_on_batch", .model = model};
    gt_Batch batch;
    gt_Run run;
    Wanted wanted;
    if (gt_run_begin(&run, &of) != GT_OK)
        return NULL;
    gt_Scope *outer = gt_scope_innermost(run.context);
    if (want(run.context, options.outputs, &wanted) == GT_OK && gt_scope_open(run.context)) {
        if (gt_rows_batch(x, &with, &batch) == GT_OK)
            predict_batch(&run, &batch, 0, batch.size, &wanted);
        gt_scope_unwind(run.context, outer);
    }
    gt_run_end(&run);
    return give(run.context, &wanted);
}
