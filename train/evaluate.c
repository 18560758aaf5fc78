/* gt_evaluate, gt_test_on_batch, and the scores that they return. Leans on run.h. */
#include "optim/internal.h"
#include "train/model_parts.h"
#include "train/run.h"
#include "train/texts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_evaluate_options, gt_evaluate_OPTIONS);

/* ---- scores ---- */

gt_Scores gt_no_scores(void)
{
    gt_Scores scores = {.loss = NAN, .steps = -1};
    for (int i = 0; i < GT_MAX_METRICS; i++)
        scores.metrics[i] = NAN;
    for (int i = 0; i < GT_MAX_LOSSES; i++)
        scores.losses[i] = NAN;
    return scores;
}

gt_Scores gt_run_scores(const gt_Run *run, int64_t steps)
{
    const gt_Compiled *self = run->compiled;
    gt_Scores scores = gt_no_scores();
    scores.loss = gt_metric_result(self->scores[0]);
    for (int32_t i = 1; i < self->first_metric; i++)
        scores.losses[scores.loss_count++] = gt_metric_result(self->scores[i]);
    for (int32_t i = self->first_metric; i < self->count; i++) {
        scores.names[scores.count] = gt_metric_name(self->scores[i]);
        scores.metrics[scores.count++] = gt_metric_result(self->scores[i]);
    }
    scores.steps = steps;
    return gt_context_status(run->context) == GT_OK ? scores : gt_no_scores();
}

static void fail_unknown(gt_Context *context, const char *here, const gt_Scores *scores,
                         const char *name)
{
    char names[256] = "\"loss\"";
    size_t used = strlen(names);
    for (int32_t i = 0; i < scores->count && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, ", \"%s\"", scores->names[i]);
    gt_raise(context, GT_INVALID, here, "scores_get",
             "there is no score called \"%s\": expected one of %s", name, names);
}

double gt_scores_get_at(const char *here, const gt_Scores *scores, const char *name)
{
    gt_Context *context = gt_enter();
    char of_output[32];
    if (!context || !scores || !name) {
        if (context)
            gt_raise(context, GT_INVALID, here, "scores_get", "%s is NULL",
                     scores ? "name" : "scores");
        return NAN;
    }
    if (strcmp(name, "loss") == 0)
        return scores->loss;
    for (int32_t i = 0; i < scores->count; i++)
        if (strcmp(name, scores->names[i]) == 0)
            return scores->metrics[i];
    for (int32_t i = 0; i < scores->loss_count; i++) {
        snprintf(of_output, sizeof of_output, i ? "output_%d_loss" : "output_loss", (int)i);
        if (strcmp(name, of_output) == 0)
            return scores->losses[i];
    }
    fail_unknown(context, here, scores, name);
    return NAN;
}

/* ---- evaluating ---- */

/* Batches that a test has at most; -1: a stream, of which nobody knows yet. */
static int64_t batches_of(gt_Dataset *dataset, int64_t steps)
{
    int64_t rows = gt_dataset_size(dataset), size = gt_dataset_batch_size(dataset);
    int64_t all = rows < 0 ? -1 : rows / size + (rows % size > 0);
    return steps >= 0 && (all < 0 || steps < all) ? steps : all;
}

/* The callbacks are told of a test from here on. Returns what they were told of before. */
static gt_CallbackArgs begin_test(gt_Run *run, gt_Dataset *dataset, int64_t batches)
{
    gt_CallbackArgs before = run->callbacks.in, *in = &run->callbacks.in;
    in->dataset = dataset;
    in->validation = run->trains;
    in->batch = -1;
    in->batches = batches;
    gt_callbacks_log_nothing(&run->callbacks);
    gt_callbacks_tell(&run->callbacks, GT_HOOK_TEST_BEGIN);
    return before;
}

/* With the numbers of the test, and back to what it stood in. */
static gt_Status end_test(gt_Run *run, const gt_CallbackArgs *before)
{
    gt_callbacks_log_metrics(&run->callbacks, false);
    run->callbacks.in.batch = -1;
    gt_callbacks_tell(&run->callbacks, GT_HOOK_TEST_END);
    run->callbacks.in = *before;
    return gt_context_status(run->context);
}

static gt_Status end_batch(gt_Run *run, int64_t step)
{
    run->callbacks.in.batch = step - 1;
    gt_callbacks_log_metrics(&run->callbacks, false);
    return gt_callbacks_tell(&run->callbacks, GT_HOOK_TEST_BATCH_END);
}

/* One batch, whose temporaries are gone; of size 0 where there is none left. `begins`: the callbacks are told so. */
static gt_Status test_batch(gt_Run *run, gt_Dataset *dataset, int64_t first, bool begins, int64_t *size)
{
    gt_Context *context = run->context;
    gt_Scope *outer = gt_scope_innermost(context);
    gt_Batch batch = {.size = 0};
    if (!gt_scope_open(context))
        return gt_context_status(context);
    gt_dataset_slice(dataset, first, &batch);
    gt_texts_order(run->state, dataset, &batch);
    if (gt_context_status(context) == GT_OK && batch.size > 0 &&
        (!begins || gt_callbacks_tell(&run->callbacks, GT_HOOK_TEST_BATCH_BEGIN) == GT_OK))
        gt_compiled_step(run->compiled, GT_STEP_KIND_TEST, &batch);
    gt_scope_unwind(context, outer);
    *size = batch.size;
    return gt_context_status(context);
}

/* Up to `most` batches as one execution. False at the end of the dataset, after `batches` of them, and on failure. */
static bool test_steps(gt_Run *run, gt_Dataset *dataset, int64_t most, int64_t batches,
                       int64_t *first, int64_t *step)
{
    for (int64_t i = 0; i < most && *step != batches; i++, ++*step) {
        int64_t size = 0;
        run->callbacks.in.batch = *step;
        gt_callbacks_log_nothing(&run->callbacks);
        if (test_batch(run, dataset, *first, i == 0, &size) != GT_OK || size == 0)
            return false;
        *first += size;
    }
    return *step != batches;
}

gt_Status gt_run_evaluate(gt_Run *run, gt_Dataset *dataset, int64_t steps, bool shown,
                          const volatile sig_atomic_t *stop)
{
    int64_t per_execution = run->compiled->steps_per_execution, first = 0, step = 0;
    int64_t batches = batches_of(dataset, steps);
    gt_CallbackArgs before = begin_test(run, dataset, batches);
    gt_compiled_reset(run->compiled);
    for (bool more = batches != 0; more && gt_run_check_interrupt(run) == GT_OK;) {
        if ((shown && (run->stopped || run->callbacks.stopped)) || (stop && *stop))
            break; /* in a validation a callback ends the training */
        int64_t before_it = step;
        more = test_steps(run, dataset, per_execution, batches, &first, &step);
        if (gt_context_status(run->context) != GT_OK || step == before_it ||
            end_batch(run, step) != GT_OK)
            break;
        if (!shown)
            continue;
        run->event.step = step;
        if (gt_run_hears_batches(run))
            gt_run_read_logs(run);
        gt_run_report_batch(run);
    }
    if (gt_context_status(run->context) == GT_OK)
        gt_run_gather_test(run);
    return end_test(run, &before);
}

static gt_Scores evaluate(gt_Run *run, const gt_evaluate_options *options)
{
    int64_t steps = batches_of(run->dataset, options->steps);
    gt_run_report_begin(run, 0, 1, steps);
    if (gt_run_evaluate(run, run->dataset, options->steps, true, NULL) != GT_OK)
        return gt_no_scores();
    gt_Scores scores = gt_run_scores(run, run->event.step);
    gt_run_read_logs(run);
    gt_run_report_end(run);
    return scores;
}

gt_Scores gt_evaluate_at(const char *here, gt_Layer *model, gt_Rows rows,
                         const gt_evaluate_options *given)
{
    gt_evaluate_options options;
    GT_TAKE(gt_evaluate_options, &options, given);
    const gt_RowsGiven with = {GT_ROWS_GIVEN(options), options.batch_size, GT_INHERIT};
    gt_Scores scores = gt_no_scores();
    gt_Run run;
    const gt_RunOf of = {.here = here,
                         .operation = "evaluate",
                         .model = model,
                         .compares = true,
                         .verbosity = options.verbose,
                         .progress = options.progress,
                         .callbacks = &options.callbacks};
    if (gt_run_begin(&run, &of) != GT_OK)
        return scores;
    if (options.steps == 0 || options.steps < -1)
        gt_raise(run.context, GT_INVALID, NULL, NULL, "steps must be >= 1, or -1 (got %lld)",
                 (long long)options.steps);
    else
        run.dataset = gt_rows_open(run.context, rows, &with, 0, INT64_MAX);
    if (run.dataset && gt_run_check_labels(&run, gt_dataset_y_count(run.dataset), "dataset") == GT_OK &&
        gt_model_check_data(run.state, run.dataset) == GT_OK &&
        gt_run_check_end(&run, run.dataset, options.steps, "steps") == GT_OK)
        scores = evaluate(&run, &options);
    gt_distribution_fail(run.compiled->optimizer);
    gt_run_end(&run);
    return scores;
}
