/* SwapEMAWeights. */
#include "train/callbacks/swap_ema_weights.h"
#include "train/callbacks/kit.h"

#include <string.h>

GT_OPTION_TYPE(gt_SwapEMAWeights_options, gt_SwapEMAWeights_OPTIONS);

enum { SWAPPED };
static const gt_CallbackState numbers[] = {{"swapped", 0}, {NULL, 0}};

/* For each weight that has an average. */
static gt_Status each(const gt_CallbackArgs *in,
                      void (*with)(gt_Context *context, gt_Variable *weight, gt_Variable *average))
{
    gt_Optimizer *optimizer = gt_callback_optimizer(in);
    gt_Tensors weights = gt_trainable_variables(in->model);
    int32_t count = 0;
    for (int32_t i = 0; optimizer && i < weights.count && gt_status() == GT_OK; i++) {
        gt_Variable *average = gt_optimizer_slot(optimizer, weights.items[i], "average");
        if (average)
            with(in->run->context, weights.items[i], average);
        count += average != NULL;
    }
    if (gt_status() == GT_OK && count == 0)
        return gt_fail(GT_STATE, "the optimizer must keep averages: give it .use_ema = true");
    return gt_status();
}

static void swap(gt_Context *context, gt_Variable *weight, gt_Variable *average)
{
    size_t bytes = gt_spec_bytes(gt_tensor_spec(weight));
    char *a = gt_variable_replace(context, weight), *b = gt_variable_replace(context, average);
    for (size_t i = 0; a && b && i < bytes; i++) {
        char byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}

static void keep_weight(gt_Context *context, gt_Variable *weight, gt_Variable *average)
{
    void *to = gt_variable_replace(context, average);
    if (to)
        memcpy(to, gt_tensor_data(weight), gt_spec_bytes(gt_tensor_spec(weight)));
}

static gt_Status swap_to(const gt_CallbackArgs *in, bool averages)
{
    if ((gt_recall(in, SWAPPED) != 0) != averages && each(in, swap) == GT_OK)
        gt_remember(in, SWAPPED, averages);
    return gt_status();
}

static gt_Status on(const gt_CallbackArgs *in)
{
    const gt_SwapEMAWeights_options *options = in->options;
    switch (in->hook) {
    case GT_HOOK_EPOCH_BEGIN:
        return options->swap_on_epoch ? swap_to(in, false) : gt_status();
    case GT_HOOK_EPOCH_END:
        if (!options->swap_on_epoch || swap_to(in, true) != GT_OK)
            return gt_status();
        /* The end of gt_fit gives the weights their averages, which are those that were swapped in. */
        return in->epoch == in->epochs - 1 || in->run->stopped ? each(in, keep_weight) : gt_status();
    case GT_HOOK_TEST_BEGIN:
    case GT_HOOK_PREDICT_BEGIN:
        return swap_to(in, true);
    case GT_HOOK_TEST_END:
    case GT_HOOK_PREDICT_END:
        return swap_to(in, false);
    default:
        return gt_status();
    }
}

const gt_CallbackClass gt_callback_class_swap_ema_weights = {
    .size = sizeof(gt_CallbackClass),
    .name = "swap_ema_weights",
    .function = "SwapEMAWeights",
    .keras = "SwapEMAWeights",
    .summary = "the averages of the weights are what is validated and saved",
    .hooks = GT_HOOK_BIT(GT_HOOK_EPOCH_BEGIN) | GT_HOOK_BIT(GT_HOOK_EPOCH_END) |
             GT_HOOK_BIT(GT_HOOK_TEST_BEGIN) | GT_HOOK_BIT(GT_HOOK_TEST_END) |
             GT_HOOK_BIT(GT_HOOK_PREDICT_BEGIN) | GT_HOOK_BIT(GT_HOOK_PREDICT_END),
    .options = &gt_SwapEMAWeights_options_type,
    .states = numbers,
    .on = on};

gt_Callback *gt_SwapEMAWeights_at(const char *here, const gt_SwapEMAWeights_options *options)
{
    return gt_callback_new_at(here, &gt_callback_class_swap_ema_weights, options);
}
