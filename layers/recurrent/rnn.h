/* Any cell over sequences, and cells one on top of the other. */
#ifndef GT_LAYERS_RNN_H
#define GT_LAYERS_RNN_H

#include "layers/recurrent/recurrent.h"

GT_BEGIN

/* What a cell is: a layer whose class has `.states`: how many there are, and the shape of each for one row. Its
 * inputs are those of one step, (batch, ...), then the states; its outputs are the output of the step, then the
 * next states:
 *
 *     static int32_t states(const gt_Layer *layer, gt_Shape *shapes) { shapes[0] = gt_shape(units); return 1; }
 *     .ports = GT_PORTS({"inputs"}, {"h"}), .outputs = 2, .states = states
 *
 * In `call` it writes state i to in->outputs[1 + i]. It may have up to 15 states. A cell is called in a loop,
 * which a traced function has as one node, so it must not add losses; what it draws at random it draws anew for
 * each step, but built-in cells have the same dropout in all steps of a call. */

#define gt_RNN_OPTIONS(F, S)                                                                       \
    F(S, gt_Layer *, cell, NULL, "required: a layer whose class has states")                       \
    GT_RECURRENT_STEPS(F, S)                                                                       \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RNN_options, gt_RNN_OPTIONS);
/* gt_RNN(gt_LSTMCell(32), .return_sequences = true): the cell for step after step of x (batch, time, ...). Inputs:
 * sequences, then the states before the first step, (batch, ...), all of them or none: zeros. Outputs: the last
 * output, or all of them, (batch, time, ...); with .return_state the states after the last step. The cell is a
 * child, and owned. */
#define gt_RNN(...) gt_RNN_at(GT_HERE, GT_KEYWORDS_1(gt_RNN, cell, __VA_ARGS__))
GT_API gt_Layer *gt_RNN_at(const char *here, const gt_RNN_options *options);

#define gt_StackedRNNCells_OPTIONS(F, S)                                                           \
    F(S, gt_Layers, cells, GT_NOT_GIVEN, "required: gt_layers(a, b), from below")                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_StackedRNNCells_options, gt_StackedRNNCells_OPTIONS);
/* gt_StackedRNNCells(gt_layers(gt_LSTMCell(32), gt_LSTMCell(16))): a cell whose step is one of each of them, the
 * output of one being the input of the next. Its states are those of the first, then those of the second, ... */
#define gt_StackedRNNCells(...)                                                                    \
    gt_StackedRNNCells_at(GT_HERE, GT_KEYWORDS_1(gt_StackedRNNCells, cells, __VA_ARGS__))
GT_API gt_Layer *gt_StackedRNNCells_at(const char *here, const gt_StackedRNNCells_options *options);

GT_END

#endif
