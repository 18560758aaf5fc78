/* Muon, computed by operations. */
#include "optim/muon.h"
#include "ops/array/reshaping.h"
#include "ops/linalg/matmul.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "core/inside.h"
#include "optim/compute.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_Muon_options, gt_Muon_OPTIONS);

static gt_Status muon_check(const void *given)
{
    const gt_Muon_options *options = given;
    if (gt_check_memory("adam_beta_1", options->adam_beta_1) != GT_OK ||
        gt_check_memory("adam_beta_2", options->adam_beta_2) != GT_OK ||
        gt_check_memory("momentum", options->momentum) != GT_OK)
        return gt_status();
    if (options->ns_steps < 1)
        return gt_fail(GT_INVALID, "ns_steps must be > 0 (got %d)", (int)options->ns_steps);
    gt_check_not_negative("adam_weight_decay", options->adam_weight_decay);
    return gt_check_not_negative("epsilon", options->epsilon);
}

static bool is_matrix(const gt_Muon_options *options, const gt_Variable *variable)
{
    const char *name = gt_variable_label(variable);
    return gt_rank(variable) == 2 && !(options->exclude_embeddings && strstr(name, "embedding"));
}

static int muon_slots(const void *given, const gt_Variable *variable, gt_OptimizerSlot *slots)
{
    const gt_Muon_options *options = given;
    gt_Shape shape = {.mark = NULL};
    if (variable && is_matrix(options, variable))
        shape = gt_shape();
    slots[0] = (gt_OptimizerSlot){.name = "momentum"};
    slots[1] = (gt_OptimizerSlot){.name = "velocity", .shape = shape};
    return 2;
}

/* The iteration of Newton and Schulz (Higham 2008), with a polynomial whose slope at 0 is steep: singular values end near 1. */
static gt_Tensor *orthogonal(const gt_Muon_options *options, gt_Tensor *x)
{
    const gt_Shape shape = gt_tensor_shape(x);
    const bool tall = shape.dims[0] > shape.dims[1];
    if (tall)
        x = gt_transpose(x);
    x = gt_divide(x, gt_add(gt_sqrt(gt_sum(gt_square(x))), 1e-7));
    for (int i = 0; i < options->ns_steps; i++) {
        gt_Tensor *a = gt_matmul(x, x, .transpose_b = true);
        gt_Tensor *b =
            gt_add(gt_multiply(a, options->muon_b), gt_matmul(gt_multiply(a, options->muon_c), a));
        x = gt_add(gt_multiply(x, options->muon_a), gt_matmul(b, x));
    }
    return tall ? gt_transpose(x) : x;
}

static gt_Status as_adam(const gt_Muon_options *options, const gt_OptimizerUpdate *update,
                         gt_Tensor **next)
{
    gt_OptimizerUpdate decays = *update;
    if (update->weight_decay != 0)
        decays.weight_decay = options->adam_weight_decay;
    gt_Tensor *g = update->gradient;
    next[1] = gt_running_mean(update->slots[0], g, options->adam_beta_1);
    next[2] = gt_running_mean(update->slots[1], gt_square(g), options->adam_beta_2);
    gt_Tensor *rate = gt_multiply(gt_optimizer_rate(update), options->adam_lr_ratio);
    rate = gt_multiply(rate, gt_sqrt(gt_bias_correction(update, options->adam_beta_2)));
    rate = gt_divide(rate, gt_bias_correction(update, options->adam_beta_1));
    gt_Tensor *change =
        gt_divide(gt_multiply(next[1], rate), gt_add(gt_sqrt(next[2]), options->epsilon));
    next[0] = gt_subtract(gt_optimizer_decayed(&decays), change);
    return gt_status();
}

static gt_Status muon_compute(const gt_OptimizerUpdate *update, gt_Tensor **next)
{
    const gt_Muon_options *options = update->options;
    gt_Tensor *g = update->gradient;
    if (!is_matrix(options, update->variable))
        return as_adam(options, update, next);
    next[1] = gt_add(gt_multiply(update->slots[0], options->momentum), g);
    gt_Tensor *x = options->nesterov ? gt_add(g, gt_multiply(next[1], options->momentum)) : next[1];
    const gt_Shape shape = gt_tensor_shape(x);
    const double longer = (double)(shape.dims[0] > shape.dims[1] ? shape.dims[0] : shape.dims[1]);
    x = gt_multiply(orthogonal(options, x), gt_optimizer_rate(update));
    if (options->rms_rate != 0)
        x = gt_multiply(x, sqrt(longer) * options->rms_rate);
    next[0] = gt_subtract(update->value, x);
    return gt_status();
}

const gt_OptimizerClass gt_optimizer_class_muon = {.size = sizeof(gt_OptimizerClass),
                                                   .name = "muon",
                                                   .function = "Muon",
                                                   .keras = "Muon",
                                                   .options = &gt_Muon_options_type,
                                                   .slots = muon_slots,
                                                   .check = muon_check,
                                                   .compute = muon_compute};

gt_Optimizer *gt_Muon_at(const char *here, const gt_Muon_options *options)
{
    return gt_optimizer_make(here, "Muon", &gt_optimizer_class_muon, options);
}
