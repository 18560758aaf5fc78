/* TimeDistributed: batch and time become one axis, and two again. */
#include "layers/recurrent/time_distributed.h"
#include "layers/core/dense.h"
#include "layers/core/flatten.h"
#include "layers/kit.h"
#include "layers/normalization/batch.h"
#include "layers/recurrent/simple_rnn.h"
#include "layers/sequential.h"
#include "ops/array/indexing.h"
#include "ops/array/masking.h"
#include "ops/array/reshaping.h"
#include "ops/math/reduce.h"

#include <string.h>

typedef struct TimeDistributed {
    gt_Layer base;
    gt_TimeDistributed_options options;
} TimeDistributed;

GT_OPTION_TYPE(gt_TimeDistributed_options, gt_TimeDistributed_OPTIONS);

static gt_Status time_distributed_create(gt_Layer *layer)
{
    if (!((const TimeDistributed *)layer)->options.layer)
        return gt_fail(GT_INVALID, "the layer is NULL");
    return gt_set_input_spec(layer, 0, .min_rank = 3);
}

/* (batch, time, ...) as (batch time, ...). */
static gt_Tensor *joined(gt_Tensor *x)
{
    gt_Shape shape = gt_tensor_shape(x);
    if (shape.rank < 2) /* after a failure */
        return NULL;
    memmove(shape.dims + 1, shape.dims + 2, (size_t)(shape.rank - 2) * sizeof *shape.dims);
    shape.rank--;
    shape.dims[0] = -1;
    return gt_reshape(x, shape);
}

/* (batch time, ...) as (batch, time, ...). */
static gt_Tensor *parted(gt_Tensor *y, int64_t time)
{
    gt_Shape shape = gt_tensor_shape(y);
    if (gt_status() != GT_OK || shape.rank < 1 || shape.rank >= GT_MAX_RANK)
        return gt_fail(GT_INVALID, "the layer must give (batch, ...), and not %d dimensions",
                       shape.rank),
               NULL;
    memmove(shape.dims + 2, shape.dims + 1, (size_t)(shape.rank - 1) * sizeof *shape.dims);
    shape.rank++;
    shape.dims[0] = -1;
    shape.dims[1] = time;
    return gt_reshape(y, shape);
}

/* Would the layer make use of a mask of rows? One that ends it warns, and a recurrent one needs steps. */
static bool minds_mask(const gt_Layer *layer, gt_Tensor *mask)
{
    const gt_LayerClass *type = layer->type;
    return mask &&
           (gt_rank(mask) > 2 || type->flags & GT_LAYER_KEEPS_MASK || !gt_class_reads_masks(type));
}

static gt_Tensor *call_layer(gt_Layer *layer, gt_Tensor *x, gt_Tensor *mask)
{
    gt_Tensor *y = gt_call(layer, x, .mask = mask);
    return y ? gt_unmask(y) : NULL;
}

/* Row t of axis 1, without that axis. */
static gt_Tensor *step_of(gt_Tensor *x, int64_t t)
{
    gt_Shape begin = {.mark = GT_MARK, .rank = gt_rank(x)}, size = begin;
    for (int d = 0; d < size.rank; d++)
        size.dims[d] = -1;
    begin.dims[1] = t;
    size.dims[1] = 1;
    return gt_squeeze(gt_slice(x, begin, size), .axis = 1);
}

static gt_Tensor *step_by_step(gt_Layer *layer, gt_Layer *inner, gt_Tensor *x, gt_Tensor *mask,
                               int64_t time)
{
    gt_Context *context = layer->state->object.context;
    size_t bytes = (size_t)time * sizeof(gt_Tensor *);
    gt_Tensor **steps = gt_allocate(context, bytes), *y = NULL;
    if (!steps)
        return NULL;
    for (int64_t t = 0; t < time; t++)
        steps[t] = call_layer(inner, step_of(x, t), mask ? step_of(mask, t) : NULL);
    if (gt_status() == GT_OK)
        y = gt_stack(((gt_Tensors){steps, (int)time}), .axis = 1);
    gt_release(context, steps, bytes);
    return y;
}

static gt_Tensor *time_distributed_call(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_Layer *inner = ((const TimeDistributed *)layer)->options.layer;
    int64_t time = gt_dim(gt_tensor_shape(in->x), 1);
    gt_Tensor *mask = minds_mask(inner, in->mask) ? in->mask : NULL;
    if (time < 1)
        return gt_fail(GT_INVALID,
                       "there must be at least one step, and how many must be known (got %lld)",
                       (long long)time),
               NULL;
    if (in->training && gt_non_trainable_variables(inner).count > 0)
        return step_by_step(layer, inner, in->x, mask, time);
    gt_Tensor *y = call_layer(inner, joined(in->x), mask ? joined(mask) : NULL);
    return y ? parted(y, time) : NULL;
}

/* Which steps count: with a mask of more axes those of which something does. */
static gt_Tensor *time_distributed_mask(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_Tensor *mask = in->mask;
    (void)layer;
    while (mask && gt_rank(mask) > 2)
        mask = gt_any(mask, .axis = -1);
    return mask;
}

static gt_Layer *sample_of_dense(void)
{
    return gt_TimeDistributed(gt_Dense(2, .activation = gt_tanh));
}

static gt_Layer *sample_of_steps(void)
{
    return gt_TimeDistributed(gt_SimpleRNN(3));
}

static gt_Layer *sample_of_model(void)
{
    return gt_TimeDistributed(gt_Sequential(gt_Flatten(), gt_Dense(3)));
}

static gt_Layer *sample_of_statistics(void)
{
    return gt_TimeDistributed(gt_BatchNormalization(.momentum = 0.7, .epsilon = 0.1));
}

const gt_LayerClass gt_layer_class_time_distributed = {
    GT_LAYER_RECORD("time_distributed", "TimeDistributed", TimeDistributed,
                    "a layer at every step of a sequence"),
    .mask = time_distributed_mask,
    .options = &gt_TimeDistributed_options_type,
    .create = time_distributed_create,
    .call = time_distributed_call,
    .samples =
        GT_LAYER_SAMPLES({.make = sample_of_dense,
                          .keras = "TimeDistributed(Dense(2, activation='tanh'))",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3, 4)),
                          .masks = 1,
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)},
                         {.make = sample_of_steps,
                          .keras = "TimeDistributed(SimpleRNN(3))",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3, 4, 2)),
                          .output = GT_SAMPLE_SHAPE(2, 3, 3)},
                         {.make = sample_of_model,
                          .keras = "TimeDistributed(keras.Sequential([Flatten(), Dense(3)]))",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(2, 3, 2, 2)),
                          .output = GT_SAMPLE_SHAPE(2, 3, 3)},
                         {.make = sample_of_statistics,
                          .keras = "TimeDistributed(BatchNormalization(momentum=0.7, epsilon=0.1))",
                          .inputs = 1,
                          .input = GT_INPUTS(GT_ANY(4, 3, 2)),
                          .output = GT_SAMPLE_SHAPE(4, 3, 2)}),
};

gt_Layer *gt_TimeDistributed_at(const char *here, const gt_TimeDistributed_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_time_distributed, options);
}
