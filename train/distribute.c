/* What several processes that train one model say to each other besides their gradients: see optim/distribution.h for how. */
#include "train/distribute.h"
#include "ops/math/random.h"
#include "optim/internal.h"
#include "train/internal.h"
#include "train/run.h"

#include <stdio.h>
#include <string.h>

/* ---- models ---- */

/* Paths, dtypes and shapes of all variables. */
static uint64_t hash_of(gt_Layer *model, gt_Tensors variables)
{
    uint64_t hash = GT_HASH_BEGIN;
    for (int32_t i = 0; i < variables.count; i++) {
        const gt_Spec *spec = gt_tensor_spec(variables.items[i]);
        const char *path = gt_variable_path(model, variables.items[i]);
        const int32_t kind[2] = {(int32_t)spec->dtype, spec->rank};
        hash = gt_distribution_hash(gt_distribution_hash(hash, path, strlen(path) + 1), kind, sizeof kind);
        hash = gt_distribution_hash(hash, spec->dims, (size_t)spec->rank * sizeof *spec->dims);
    }
    return hash;
}

/* Has every process this number? An error in all of them otherwise. */
static gt_Status all_have(gt_Optimizer *optimizer, uint64_t mine, const char *what)
{
    const int ranks = gt_optimizer_ranks(optimizer);
    gt_Context *context = gt_context();
    uint64_t *all = gt_allocate(context, (size_t)ranks * sizeof *all);
    if (all && gt_distribution_gather(optimizer, &mine, sizeof mine, all) == GT_OK)
        for (int r = 1; r < ranks; r++)
            if (all[r] != all[0]) {
                gt_fail(GT_INVALID, "%s: ranks 0 and %d differ", what, r);
                break;
            }
    gt_release(context, all, (size_t)ranks * sizeof *all);
    return gt_status();
}

static bool is_generator(const gt_Variable *variable)
{
    const gt_Spec *spec = gt_tensor_spec(variable);
    return spec->dtype == GT_INT64 && spec->rank == 1 && spec->size == 2 &&
           strcmp(gt_variable_label(variable), "seed_generator_state") == 0;
}

/* A generator that is alike in all processes draws differently in each from here on; one that is not, because its process read
 * a checkpoint of its own, stays. Process 0 draws as it would alone. */
static gt_Status part_draws(gt_Optimizer *optimizer, gt_Variable *generator)
{
    const int ranks = gt_optimizer_ranks(optimizer), rank = gt_optimizer_rank(optimizer);
    gt_Context *context = gt_context();
    size_t bytes = (size_t)ranks * 2 * sizeof(uint64_t);
    uint64_t *all = gt_allocate(context, bytes),
             *state = gt_variable_memory(context, generator, true);
    if (all && state && gt_distribution_gather(optimizer, state, 2 * sizeof *state, all) == GT_OK) {
        bool alike = true;
        for (int i = 2; i < 2 * ranks; i++)
            alike &= all[i] == all[i % 2];
        if (alike)
            state[0] += (uint64_t)rank * UINT64_C(0x9E3779B97F4A7C15) >> 1;
    }
    gt_release(context, all, bytes);
    return gt_status();
}

static gt_Status begin_together(gt_Optimizer *optimizer, gt_Layer *model)
{
    gt_Tensors all = gt_variables(model);
    if (gt_status() != GT_OK || all_have(optimizer, hash_of(model, all),
                                         "the models of the ranks must be the same") != GT_OK)
        return gt_status();
    gt_Tensors weights = gt_weights(model);
    if (gt_status() == GT_OK)
        gt_distribution_share(optimizer, weights);
    all = gt_variables(model);
    for (int32_t i = 0; i < all.count && gt_status() == GT_OK; i++)
        if (is_generator(all.items[i]))
            part_draws(optimizer, all.items[i]);
    gt_Variable *generator = gt_status() == GT_OK ? gt_default_generator() : NULL;
    return generator ? part_draws(optimizer, generator) : gt_status();
}

/* Does it exchange with others? */
static bool is_shared(const gt_Optimizer *optimizer)
{
    return optimizer && gt_optimizer_is_distributed(optimizer);
}

static gt_Status begin(gt_Optimizer *optimizer, gt_Layer *model)
{
    gt_Tensors variables = gt_trainable_variables(model);
    if (gt_status() == GT_OK && !gt_optimizer_built(optimizer) && variables.count > 0)
        gt_optimizer_build(optimizer, variables);
    if (gt_status() == GT_OK && gt_optimizer_built(optimizer))
        gt_distribution_start(optimizer, false);
    bool first = gt_status() == GT_OK && gt_distribution_first_model(optimizer);
    return first ? begin_together(optimizer, model) : gt_status();
}

gt_Status gt_distribute_model_at(const char *here, gt_Optimizer *optimizer, gt_Layer *model)
{
    gt_Context *context = gt_enter();
    if (!context || gt_optimizer_ranks_at(here, optimizer) < 0 ||
        !gt_layer_own(context, here, "distribute_model", model))
        return gt_status();
    if (!is_shared(optimizer))
        return GT_OK;
    gt_Site site = gt_site_enter(here, "distribute_model");
    begin(optimizer, model);
    gt_distribution_fail(optimizer);
    gt_site_leave(&site);
    return gt_status();
}

/* ---- metrics ---- */

static gt_Status sum_states(gt_Optimizer *optimizer, gt_Metric *metric)
{
    gt_Tensors states = gt_metric_variables(metric);
    gt_Context *context = gt_context();
    int64_t size = 0;
    for (int32_t i = 0; i < states.count; i++)
        size += gt_tensor_spec(states.items[i])->size;
    if (all_have(optimizer, (uint64_t)size,
                 "the states of a metric, which a rank without a batch does not have") != GT_OK)
        return gt_status();
    for (int32_t i = 0; i < states.count && gt_status() == GT_OK; i++) {
        const gt_Spec *spec = gt_tensor_spec(states.items[i]);
        void *numbers = spec->size > 0 ? gt_variable_memory(context, states.items[i], true) : NULL;
        if (numbers)
            gt_distribution_sum(optimizer, spec->dtype, numbers, spec->size);
    }
    return gt_status();
}

gt_Status gt_distribute_metric_at(const char *here, gt_Optimizer *optimizer, gt_Metric *metric)
{
    static const char operation[] = "distribute_metric";
    gt_Context *context = gt_enter();
    if (!context || gt_optimizer_ranks_at(here, optimizer) < 0 ||
        !gt_metric_check(context, here, operation, metric))
        return gt_status();
    if (!gt_distribution_begun(optimizer))
        return GT_OK;
    gt_Site site = gt_site_enter(here, operation);
    if (gt_distribution_meet(optimizer, GT_MEETING_EVALUATE, gt_metric_name(metric)) == GT_OK)
        sum_states(optimizer, metric);
    gt_distribution_fail(optimizer);
    gt_site_leave(&site);
    return gt_status();
}

/* ---- gt_fit and gt_evaluate ---- */

gt_Status gt_run_distribute(const gt_Run *run, int64_t batches)
{
    gt_Optimizer *optimizer = run->compiled->optimizer;
    if (!is_shared(optimizer) || begin(optimizer, run->state->layer) != GT_OK ||
        !gt_distribution_begun(optimizer) ||
        gt_distribution_meet(optimizer, GT_MEETING_FIT, NULL) != GT_OK)
        return gt_context_status(run->context);
    if (all_have(optimizer, (uint64_t)batches,
                 "the datasets of the ranks must have the same number of batches") != GT_OK)
        return gt_context_status(run->context);
    return all_have(optimizer, gt_dataset_order(run->dataset),
                    "the parts of a dataset must be of one shuffle, so give it a .seed");
}

/* Weights that no optimizer trains, moving statistics among them, are of a process's own batches until they become the mean. */
static gt_Status average_statistics(const gt_Run *run)
{
    gt_Optimizer *optimizer = run->compiled->optimizer;
    gt_Tensors weights = gt_weights(run->state->layer);
    const double part = 1.0 / gt_optimizer_ranks(optimizer);
    for (int32_t i = 0; i < weights.count && gt_status() == GT_OK; i++) {
        const gt_Spec *spec = gt_tensor_spec(weights.items[i]);
        if (gt_variable_is_trainable(weights.items[i]) || spec->size == 0 ||
            (spec->dtype != GT_FLOAT32 && spec->dtype != GT_FLOAT64))
            continue;
        void *numbers = gt_variable_memory(run->context, weights.items[i], true);
        if (!numbers || gt_distribution_sum(optimizer, spec->dtype, numbers, spec->size) != GT_OK)
            break;
        for (int64_t k = 0; k < spec->size; k++)
            gt_number_store(spec->dtype, numbers, k,
                            gt_number_fetch(spec->dtype, numbers, k) * part);
    }
    return gt_context_status(run->context);
}

static gt_Status sum_scores(const gt_Run *run)
{
    for (int32_t i = 0; i < run->compiled->count && gt_status() == GT_OK; i++)
        sum_states(run->compiled->optimizer, run->compiled->scores[i]);
    return gt_context_status(run->context);
}

gt_Status gt_run_gather_epoch(const gt_Run *run, int64_t epoch, int64_t batches, bool interrupted)
{
    gt_Optimizer *optimizer = run->compiled->optimizer;
    char text[80];
    if (!gt_distribution_begun(optimizer))
        return gt_context_status(run->context);
    snprintf(text, sizeof text, "epoch %lld, after %lld batches", (long long)epoch + 1,
             (long long)batches);
    if (gt_distribution_meet(optimizer, GT_MEETING_EPOCH, text) == GT_OK &&
        average_statistics(run) == GT_OK && !interrupted)
        sum_scores(run);
    return gt_context_status(run->context);
}

gt_Status gt_run_gather_test(const gt_Run *run)
{
    gt_Optimizer *optimizer = run->compiled->optimizer;
    if (gt_distribution_begun(optimizer) &&
        gt_distribution_meet(optimizer, GT_MEETING_EVALUATE, NULL) == GT_OK)
        sum_scores(run);
    return gt_context_status(run->context);
}
