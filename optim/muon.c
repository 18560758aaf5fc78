/* Muon, computed by operations. */
#include "optim/muon.h"
#include "ops/array/indexing.h"
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

/* x x' of x (n, k). It is symmetric, so where n is large only blocks on and below the diagonal are multiplied, 10 of 16, and
 * those above are their transposes: strip i of rows by strips 0 ... i. */
static gt_Tensor *square(gt_Tensor *x)
{
    enum { STRIPS = 8, LEAST = 64 };
    const gt_Shape shape = gt_tensor_shape(x);
    const int64_t n = shape.dims[0], k = shape.dims[1];
    gt_Tensor *strip[STRIPS], *row[STRIPS], *block[STRIPS];
    int64_t first[STRIPS + 1];
    if (n < STRIPS * LEAST)
        return gt_matmul(x, x, .transpose_b = true);
    for (int i = 0; i <= STRIPS; i++)
        first[i] = n * i / STRIPS;
    for (int i = 0; i < STRIPS; i++) {
        gt_Tensor *rows = gt_slice(x, gt_shape(first[i], 0), gt_shape(first[i + 1] - first[i], k));
        gt_Tensor *above = gt_slice(x, gt_shape(0, 0), gt_shape(first[i + 1], k));
        strip[i] = gt_matmul(rows, above, .transpose_b = true);
    }
    for (int i = 0; i < STRIPS; i++) {
        const int64_t width = first[i + 1] - first[i];
        int count = 0;
        block[count++] = strip[i];
        for (int below = i + 1; below < STRIPS; below++)
            block[count++] =
                gt_transpose(gt_slice(strip[below], gt_shape(0, first[i]),
                                      gt_shape(first[below + 1] - first[below], width)));
        row[i] = gt_concatenate(((gt_Tensors){block, count}), .axis = 1);
    }
    return gt_concatenate(((gt_Tensors){row, STRIPS}), .axis = 0);
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
        gt_Tensor *a = square(x);
        gt_Tensor *b =
            gt_add(gt_multiply(a, options->muon_b), gt_multiply(square(a), options->muon_c));
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
