/* One batch by itself: gt_train_on_batch, gt_test_on_batch. Leans on run.h. */
#include "train/run.h"

GT_OPTION_TYPE(gt_train_on_batch_options, gt_train_on_batch_OPTIONS);
GT_OPTION_TYPE(gt_test_on_batch_options, gt_test_on_batch_OPTIONS);

/* A batch that lives in the scope around it, and what the step gathered from it alone. */
static gt_Scores run_batch(gt_Run *run, gt_StepKind kind, gt_Tensor *x, const gt_RowsGiven *given,
                           gt_Tensor *class_weight)
{
    gt_Context *context = run->context;
    gt_Scope *outer = gt_scope_innermost(context);
    gt_Scores scores = gt_no_scores();
    gt_Batch batch;
    if (!gt_scope_open(context))
        return scores;
    gt_compiled_reset(run->compiled);
    if (gt_rows_batch(x, given, &batch) == GT_OK && class_weight)
        gt_rows_weigh(&batch, class_weight);
    if (gt_context_status(context) == GT_OK && gt_run_check_labels(run, batch.y_count, "batch") == GT_OK &&
        (kind == GT_STEP_KIND_TEST || gt_run_build(run, &batch) == GT_OK))
        gt_compiled_step(run->compiled, kind, &batch);
    gt_scope_unwind(context, outer);
    return gt_context_status(context) == GT_OK ? gt_run_scores(run, 1) : scores;
}

gt_Scores gt_train_on_batch_at(const char *here, gt_Layer *model, gt_Tensor *x,
                               const gt_train_on_batch_options *given)
{
    gt_train_on_batch_options options;
    GT_TAKE(gt_train_on_batch_options, &options, given);
    const gt_RowsGiven with = {GT_ROWS_GIVEN(options), -1, GT_INHERIT};
    const gt_RunOf of = {
        .here = here, .operation = "train_on_batch", .model = model, .trains = true, .compares = true};
    gt_Run run;
    if (gt_run_begin(&run, &of) != GT_OK)
        return gt_no_scores();
    gt_Scores scores = run_batch(&run, GT_STEP_KIND_TRAIN, x, &with, options.class_weight);
    gt_run_end(&run);
    return scores;
}

gt_Scores gt_test_on_batch_at(const char *here, gt_Layer *model, gt_Tensor *x,
                              const gt_test_on_batch_options *given)
{
    gt_test_on_batch_options options;
    GT_TAKE(gt_test_on_batch_options, &options, given);
    const gt_RowsGiven with = {GT_ROWS_GIVEN(options), -1, GT_INHERIT};
    const gt_RunOf of = {
        .here = here, .operation = "test_on_batch", .model = model, .compares = true};
    gt_Run run;
    if (gt_run_begin(&run, &of) != GT_OK)
        return gt_no_scores();
    gt_Scores scores = run_batch(&run, GT_STEP_KIND_TEST, x, &with, NULL);
    gt_run_end(&run);
    return scores;
}
