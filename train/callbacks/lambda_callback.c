/* LambdaCallback. */
#include "train/callbacks/lambda_callback.h"
#include "train/callbacks/kit.h"

GT_OPTION_TYPE(gt_LambdaCallback_options, gt_LambdaCallback_OPTIONS);

static gt_CallbackFunction function_of(const gt_LambdaCallback_options *options, gt_Hook hook)
{
    const gt_CallbackFunction functions[GT_HOOK_COUNT] = {
        [GT_HOOK_TRAIN_BEGIN] = options->on_train_begin,
        [GT_HOOK_TRAIN_END] = options->on_train_end,
        [GT_HOOK_EPOCH_BEGIN] = options->on_epoch_begin,
        [GT_HOOK_EPOCH_END] = options->on_epoch_end,
        [GT_HOOK_TRAIN_BATCH_BEGIN] = options->on_train_batch_begin,
        [GT_HOOK_TRAIN_BATCH_END] = options->on_train_batch_end,
        [GT_HOOK_TEST_BEGIN] = options->on_test_begin,
        [GT_HOOK_TEST_END] = options->on_test_end,
        [GT_HOOK_TEST_BATCH_BEGIN] = options->on_test_batch_begin,
        [GT_HOOK_TEST_BATCH_END] = options->on_test_batch_end,
        [GT_HOOK_PREDICT_BEGIN] = options->on_predict_begin,
        [GT_HOOK_PREDICT_END] = options->on_predict_end,
        [GT_HOOK_PREDICT_BATCH_BEGIN] = options->on_predict_batch_begin,
        [GT_HOOK_PREDICT_BATCH_END] = options->on_predict_batch_end};
    return functions[hook];
}

static gt_Status check(const void *options)
{
    for (int hook = 0; hook < GT_HOOK_COUNT && gt_status() == GT_OK; hook++)
        gt_check_function("the function of a hook", (uintptr_t)function_of(options, (gt_Hook)hook));
    return gt_status();
}

static gt_Status on(const gt_CallbackArgs *in)
{
    const gt_LambdaCallback_options *options = in->options;
    gt_CallbackFunction function = function_of(options, in->hook);
    return function ? function(options->context, in) : gt_status();
}

const gt_CallbackClass gt_callback_class_lambda_callback = {.size = sizeof(gt_CallbackClass),
                                                            .name = "lambda_callback",
                                                            .function = "LambdaCallback",
                                                            .keras = "LambdaCallback",
                                                            .summary =
                                                                "functions for some of the hooks",
                                                            .options =
                                                                &gt_LambdaCallback_options_type,
                                                            .check = check,
                                                            .on = on};

gt_Callback *gt_LambdaCallback_at(const char *here, const gt_LambdaCallback_options *options)
{
    return gt_callback_new_at(here, &gt_callback_class_lambda_callback, options);
}
