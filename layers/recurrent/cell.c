/* What recurrent layers and cells share. The masks of a cell that a loop holds stand in memory of their own: a
 * trace takes the struct of a layer for a fact, and these tensors are none. */
#include "layers/recurrent/cell.h"
#include "layers/recurrent/gru.h"
#include "layers/recurrent/lstm.h"
#include "layers/recurrent/simple_rnn.h"
#include "ops/array/assign.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/random.h"

#include <stdio.h>
#include <string.h>

/* ---- weights ---- */

static gt_Status check_rate(const char *name, double rate)
{
    return rate >= 0 && rate < 1 ? GT_OK
                                 : gt_fail(GT_INVALID, "%s must be in [0, 1) (got %g)", name, rate);
}

gt_Status gt_cell_check(const gt_CellView *view)
{
    if (view->units <= 0)
        return gt_fail(GT_INVALID, "units must be > 0 (got %lld)", (long long)view->units);
    if (view->units > INT32_MAX)
        return gt_fail(GT_INVALID, "units must be < 2^31 (got %lld)", (long long)view->units);
    gt_Status status = check_rate("dropout", view->dropout);
    return status != GT_OK ? status : check_rate("recurrent_dropout", view->recurrent_dropout);
}

enum { FORGET_GATES = 4 };

/* Fills a part of the bias as if that were the whole of it. The key of its draws are the stream of the whole and the
 * place, or with a seed of the initializer's own that and the place. */
static gt_Status fill_part(gt_Initializer with, const gt_Spec *bias, void *data, int64_t first,
                           int64_t count, uint64_t stream)
{
    char key[64];
    gt_Spec part = {0};
    gt_spec_set(&part, bias->dtype, gt_shape(count));
    snprintf(key, sizeof key, "%llx/%lld", (unsigned long long)stream, (long long)first);
    return gt_initialize(with, key, &part,
                         (char *)data + (size_t)first * gt_dtype_size(bias->dtype));
}

/* Ones for the forget gate, what bias_initializer says for the others: (units), 1, (2 units), as Keras. */
static gt_Status fill_forget(const gt_Initializer *self, const gt_Spec *spec, void *data,
                             uint64_t stream)
{
    const gt_Initializer *given = self->context;
    gt_Initializer others = given->type ? *given : gt_Zeros();
    int64_t units = spec->size / FORGET_GATES;
    gt_Status status = fill_part(others, spec, data, 0, units, stream);
    if (status == GT_OK)
        status = fill_part(gt_Ones(), spec, data, units, units, stream);
    return status == GT_OK ? fill_part(others, spec, data, 2 * units, 2 * units, stream) : status;
}

static const gt_InitializerClass forget_class = {.mark = GT_MARK,
                                                 .size = sizeof(gt_InitializerClass),
                                                 .name = "unit_forget_bias",
                                                 .floats_only = true,
                                                 .fill = fill_forget};

/* What the bias starts with. An initializer of the forget gate reads that of the options, which live as long as
 * the layer. */
static gt_Initializer bias_start(const gt_CellView *view, bool forget)
{
    if (forget)
        return (gt_Initializer){.type = &forget_class,
                                .context = (void *)(uintptr_t)view->bias_initializer};
    return view->bias_initializer->type ? *view->bias_initializer : gt_Zeros();
}

/* (window..., rows, columns) */
static gt_Shape kernel_shape(gt_Shape window, int64_t rows, int64_t columns)
{
    window.dims[window.rank++] = rows;
    window.dims[window.rank++] = columns;
    return window;
}

gt_Status gt_cell_build(gt_Layer *layer, const gt_CellView *view, const gt_BuildArgs *in,
                        gt_Shape bias, bool forget, gt_CellWeights *weights)
{
    int64_t features = gt_last(in->shape), width = view->gates * view->units;
    gt_Initializer recurrent = view->recurrent_initializer;
    *weights = (gt_CellWeights){.dropout = view->dropout,
                                .recurrent_dropout = view->recurrent_dropout,
                                .features = features,
                                .units = view->units,
                                .gates = view->gates};
    weights->kernel = gt_add_weight(layer, "kernel", kernel_shape(view->window, features, width),
                                    .initializer = view->kernel_initializer,
                                    .regularizer = view->kernel_regularizer,
                                    .constraint = view->kernel_constraint);
    weights->recurrent_kernel = gt_add_weight(
        layer, "recurrent_kernel", kernel_shape(view->window, view->units, width),
        .initializer = recurrent.type ? recurrent : gt_Orthogonal(),
        .regularizer = view->recurrent_regularizer, .constraint = view->recurrent_constraint);
    if (view->use_bias)
        weights->bias = gt_add_weight(layer, "bias", bias, .initializer = bias_start(view, forget),
                                      .regularizer = view->bias_regularizer,
                                      .constraint = view->bias_constraint);
    if (view->dropout > 0 || view->recurrent_dropout > 0)
        weights->generator = gt_add_generator(layer, view->seed);
    return gt_status();
}

gt_Tensor *gt_zero_rows(gt_Tensor *x, gt_Shape shape, gt_DType dtype)
{
    gt_Shape begin = {.mark = GT_MARK, .rank = gt_rank(x)}, size = begin, ones = shape;
    for (int d = 0; d < size.rank; d++) {
        size.dims[d] = d == 0 ? -1 : 1;
        if (d > 0 && gt_dim(gt_tensor_shape(x), d) == 0) { /* there is nothing to make it of */
            gt_Shape whole = shape;
            whole.rank = shape.rank + 1;
            memcpy(whole.dims + 1, shape.dims, (size_t)shape.rank * sizeof *shape.dims);
            whole.dims[0] = gt_dim(gt_tensor_shape(x), 0);
            return gt_zeros(whole, .dtype = dtype);
        }
    }
    for (int d = 0; d < ones.rank; d++)
        ones.dims[d] = 1;
    gt_Tensor *column = gt_reshape(gt_slice(x, begin, size), ones, .keep = 1);
    return gt_add(gt_cast(gt_zeros_like(column), dtype), gt_zeros(shape, .dtype = dtype));
}

/* The type that weights of this one are computed with. */
static gt_DType wide_type(gt_DType dtype)
{
    return gt_half_type(dtype) < 0 ? dtype : GT_FLOAT32;
}

gt_CellTensors gt_cell_tensors(const gt_CellWeights *weights)
{
    return (gt_CellTensors){gt_widened(weights->kernel), gt_widened(weights->recurrent_kernel),
                            weights->bias ? gt_widened(weights->bias) : NULL};
}

/* One mask of (batch, n), or one for each gate in front. */
static gt_Tensor *mask_of(const gt_CellWeights *weights, double rate, gt_Tensor *x, int64_t n)
{
    bool apart = weights->gates > 1 && weights->recurrent_dropout > 0;
    gt_DType dtype = wide_type(gt_dtype(weights->kernel));
    if (rate == 0)
        return NULL;
    gt_Tensor *ones = gt_add(gt_zero_rows(x, gt_shape(n), dtype),
                             apart ? gt_ones(gt_shape(weights->gates, 1, n), .dtype = dtype)
                                   : gt_ones(gt_shape(n), .dtype = dtype));
    return gt_dropout(ones, rate, .generator = weights->generator);
}

gt_Status gt_cell_masks(const gt_CellWeights *weights, bool training, gt_Tensor *x,
                        gt_CellMasks *masks)
{
    *masks = (gt_CellMasks){NULL, NULL, false};
    if (!training)
        return gt_status();
    masks->of_x = mask_of(weights, weights->dropout, x, weights->features);
    masks->of_h = mask_of(weights, weights->recurrent_dropout, x, weights->units);
    return gt_status();
}

/* ---- cells ---- */

gt_Status gt_cell_create(gt_Layer *layer, const gt_CellView *view)
{
    gt_Cell *cell = (gt_Cell *)layer;
    if (gt_cell_check(view) != GT_OK)
        return gt_status();
    cell->masks = gt_allocate_zeroed(layer->state->object.context, sizeof *cell->masks);
    return gt_status();
}

void gt_cell_destroy(gt_Layer *layer)
{
    gt_Cell *cell = (gt_Cell *)layer;
    gt_release(layer->state->object.context, cell->masks, sizeof *cell->masks);
}

gt_Status gt_cell_step(const gt_Cell *cell, const gt_CallArgs *in, gt_CellMasks *masks)
{
    if (!cell->masks->held || !in->training)
        return gt_cell_masks(&cell->weights, in->training, in->x, masks);
    *masks = *cell->masks;
    return gt_status();
}

static bool is_cell(const gt_Layer *layer)
{
    return layer->type == &gt_layer_class_lstm_cell || layer->type == &gt_layer_class_gru_cell ||
           layer->type == &gt_layer_class_simple_rnn_cell;
}

gt_Status gt_cells_hold(gt_Layer *layer, bool training, gt_Tensor *x)
{
    const gt_LayerState *state = layer->state;
    const gt_Cell *cell = (const gt_Cell *)layer;
    if (!training || gt_status() != GT_OK)
        return gt_status();
    if (is_cell(layer)) {
        gt_cell_masks(&cell->weights, true, x, cell->masks);
        cell->masks->held = true;
    }
    for (int32_t i = 0; i < state->child_count; i++)
        gt_cells_hold(state->children[i].layer, training, x);
    return gt_status();
}

void gt_cells_release(gt_Layer *layer)
{
    const gt_LayerState *state = layer->state;
    if (is_cell(layer))
        *((gt_Cell *)layer)->masks = (gt_CellMasks){NULL, NULL, false};
    for (int32_t i = 0; i < state->child_count; i++)
        gt_cells_release(state->children[i].layer);
}

/* ---- states ---- */

gt_Status gt_states_build(gt_Layer *layer, gt_States *states, const gt_BuildArgs *in)
{
    char name[32] = "rnn_state";
    if (!states->stateful)
        return gt_status();
    states->batch = gt_dim(in->shape, 0);
    if (states->batch < 0)
        return gt_fail(GT_INVALID,
                       "a stateful layer must know the batch: give .batch_size to gt_Input");
    for (int i = 0; i < states->count; i++) {
        gt_Shape shape = states->shape[i];
        memmove(shape.dims + 1, shape.dims, (size_t)shape.rank * sizeof *shape.dims);
        shape.dims[0] = states->batch;
        shape.rank++;
        if (i > 0)
            snprintf(name, sizeof name, "rnn_state_%d", i);
        states->variable[i] =
            gt_add_weight(layer, name, shape, .initializer = gt_Zeros(),
                          .dtype = wide_type(in->variables), .kind = GT_WEIGHT_KIND_STATE);
    }
    return gt_status();
}

/* Input number i, counted from 0; NULL: it is absent. */
static gt_Tensor *input_of(const gt_CallArgs *in, int i)
{
    return i < in->count ? in->inputs[i] : NULL;
}

static gt_Status check_batch(const gt_States *states, gt_Tensor *x)
{
    int64_t batch = gt_dim(gt_tensor_shape(x), 0);
    if (batch == states->batch || gt_status() != GT_OK)
        return gt_status();
    return gt_fail(
        GT_INVALID,
        "stateful: the batch must be %lld, as that of the states, row by row (got %lld); "
        "gt_reset_states starts anew with the same batch, another layer (gt_layer_copy) "
        "with another one",
        (long long)states->batch, (long long)batch);
}

gt_Status gt_states_begin(const gt_States *states, const gt_CallArgs *in, gt_Tensor **initial)
{
    int given = 0;
    if (in->wanted >> 1 && !states->returned)
        return gt_fail(GT_INVALID, "its states are outputs only with .return_state = true");
    if (in->wanted >> 1 >> states->count)
        return gt_fail(GT_INVALID, "it has %d state%s as outputs; more are asked for",
                       states->count, states->count == 1 ? "" : "s");
    if (in->count > 1 + states->count)
        return gt_fail(GT_INVALID, "it has %d state%s (got %d)", states->count,
                       states->count == 1 ? "" : "s", in->count - 1);
    for (int i = 0; i < states->count; i++) {
        initial[i] = input_of(in, 1 + i);
        given += initial[i] != NULL;
    }
    if (given > 0 && given < states->count)
        return gt_fail(GT_INVALID, "all %d states must be given, or none (got %d)", states->count,
                       given);
    if (!states->stateful)
        return gt_status();
    if (given == 0)
        memcpy(initial, states->variable, (size_t)states->count * sizeof(gt_Tensor *));
    return check_batch(states, in->x);
}

gt_Status gt_states_end(const gt_States *states, const gt_CallArgs *in, gt_Tensor *const *last)
{
    for (int i = 0; i < states->count && gt_status() == GT_OK; i++) {
        if (in->wanted >> (1 + i) & 1)
            in->outputs[1 + i] = last[i];
        if (states->stateful)
            gt_assign(states->variable[i], last[i]);
    }
    return gt_status();
}
