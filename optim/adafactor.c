/* Adafactor, computed by operations. */
#include "optim/adafactor.h"
#include "ops/array/cast.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "optim/compute.h"

GT_OPTION_TYPE(gt_Adafactor_options, gt_Adafactor_OPTIONS);

static gt_Status adafactor_check(const void *given)
{
    const gt_Adafactor_options *options = given;
    if (!(options->beta_2_decay < 0))
        return gt_fail(GT_INVALID, "beta_2_decay must be < 0 (got %g)", options->beta_2_decay);
    if (!(options->clip_threshold > 0))
        return gt_fail(GT_INVALID, "clip_threshold must be > 0 (got %g)", options->clip_threshold);
    gt_check_not_negative("epsilon_1", options->epsilon_1);
    return gt_check_not_negative("epsilon_2", options->epsilon_2);
}

static int adafactor_slots(const void *given, const gt_Variable *variable, gt_OptimizerSlot *slots)
{
    (void)given;
    const int rank = variable ? gt_rank(variable) : 0;
    gt_Shape all = variable ? gt_tensor_shape(variable) : gt_shape(), row = gt_shape(),
             column = gt_shape();
    if (rank >= 2) {
        row = column = all;
        row.rank = column.rank = rank - 1;
        column.dims[rank - 2] = all.dims[rank - 1];
        all = gt_shape();
    }
    slots[0] = (gt_OptimizerSlot){.name = "row", .shape = row};
    slots[1] = (gt_OptimizerSlot){.name = "column", .group = 1, .shape = column};
    slots[2] = (gt_OptimizerSlot){.name = "velocity", .group = 2, .shape = all};
    return 3;
}

static gt_Tensor *root_mean_square(gt_Tensor *x)
{
    return gt_sqrt(gt_mean(gt_square(x)));
}

/* (1 - fresh) old + fresh new */
static gt_Tensor *blend(gt_Tensor *old, gt_Tensor *new, gt_Tensor *fresh)
{
    gt_Tensor *kept = gt_add(gt_negative(fresh), 1);
    return gt_add(gt_multiply(kept, old), gt_multiply(fresh, new));
}

static gt_Status adafactor_compute(const gt_OptimizerUpdate *update, gt_Tensor **next)
{
    const gt_Adafactor_options *options = update->options;
    const gt_DType type = gt_dtype(update->variable);
    gt_Tensor *g = update->gradient, *w = update->value, *step = gt_cast(update->step, type);
    gt_Tensor *rate = gt_minimum(gt_optimizer_rate(update), gt_rsqrt(step));
    gt_Tensor *length = gt_multiply(gt_maximum(root_mean_square(w), options->epsilon_2), rate);
    gt_Tensor *fresh = gt_power(step, options->beta_2_decay); /* 1 - b */
    gt_Tensor *squares = gt_add(gt_square(g), options->epsilon_1), *v;
    if (gt_rank(g) >= 2) {
        next[1] = blend(update->slots[0], gt_mean(squares, .axis = -1), fresh);
        next[2] = blend(update->slots[1], gt_mean(squares, .axis = -2), fresh);
        gt_Tensor *row = gt_divide(next[1], gt_mean(next[1], .axis = -1, .keepdims = true));
        v = gt_multiply(gt_expand_dims(row, -1), gt_expand_dims(next[2], -2));
    } else {
        next[3] = v = blend(update->slots[2], squares, fresh);
    }
    gt_Tensor *u = gt_divide(g, gt_sqrt(v));
    gt_Tensor *beyond = gt_maximum(gt_divide(root_mean_square(u), options->clip_threshold), 1);
    next[0] = gt_subtract(w, gt_multiply(length, gt_divide(u, beyond)));
    return gt_status();
}

const gt_OptimizerClass gt_optimizer_class_adafactor = {.size = sizeof(gt_OptimizerClass),
                                                        .name = "adafactor",
                                                        .function = "Adafactor",
                                                        .keras = "Adafactor",
                                                        .options = &gt_Adafactor_options_type,
                                                        .slots = adafactor_slots,
                                                        .check = adafactor_check,
                                                        .compute = adafactor_compute};

gt_Optimizer *gt_Adafactor_at(const char *here, const gt_Adafactor_options *options)
{
    return gt_optimizer_make(here, "Adafactor", &gt_optimizer_class_adafactor, options);
}
